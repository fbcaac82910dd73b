-- {scratch} is what recipients.sql makes, {frequent} what texted_often makes.

-- name: count
-- Few rows, from which everything is added up; {by} are the columns of the placeholders.
SELECT
    reason, country, network, mccmnc, encoding, segment_count, plain_count{by},
    count(*) AS recipients, coalesce(sum(price_eur_cents), 0) AS cost,
    coalesce(sum((segment_count - plain_count) * segment_price), 0) AS extra
FROM {scratch}
GROUP BY ALL;

-- name: odd_characters
-- {{odd}} are whole values, of which many are the same.
SELECT DISTINCT unnest(regexp_extract_all(value, {pattern})) AS character
FROM (
    SELECT DISTINCT {odd} AS value
    FROM {scratch}
    WHERE reason = '' AND segment_count > plain_count AND {odd} IS NOT NULL
)
ORDER BY character
LIMIT $most;

-- name: is_there
SELECT count(*) FROM duckdb_tables() WHERE table_name = $name;

-- name: texted_often
CREATE TABLE {frequent} AS
SELECT receiver AS msisdn, count(*) AS times
FROM lake.messages
WHERE
    account = $account AND sent_at >= $since::TIMESTAMP
    AND receiver IN (SELECT msisdn FROM {scratch} WHERE reason = '')
GROUP BY receiver
HAVING count(*) > $most;

-- name: count_frequent
SELECT count(*) FROM {frequent};

-- name: rows
SELECT list_no, row_no, msisdn, country, network, mccmnc, encoding, segment_count, price_eur_cents, reason
FROM {scratch}
WHERE {where}
ORDER BY list_no, row_no
LIMIT $limit OFFSET $offset;

-- name: count_rows
SELECT count(*) FROM {scratch} WHERE {where};

-- name: fields
SELECT row_no, fields
FROM lake.contacts
WHERE
    list_id = $list_id AND row_no BETWEEN $least AND $most
    AND row_no IN (SELECT unnest($row_nos::INTEGER[]));
