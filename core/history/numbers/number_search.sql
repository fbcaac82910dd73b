-- name: mark_unindexed
-- {relation} has the column sent_at of lake.messages.
INSERT INTO lake.unindexed_slots
SELECT DISTINCT time_bucket(INTERVAL '15 minutes', sent_at::TIMESTAMP) AS slot
FROM {relation}
JOIN lake.indexed_spans ON sent_at::TIMESTAMP >= first_day AND sent_at::TIMESTAMP < end_day
EXCEPT
SELECT slot FROM lake.unindexed_slots;

-- name: list_spans
SELECT first_day, end_day FROM lake.indexed_spans ORDER BY first_day, end_day;

-- name: find_moments
-- The newest moments the lookups find, and slots that are not in the index yet: of any time, as they are few, and as
-- DuckLake takes as long to find out about a condition as to read them all.
(SELECT DISTINCT sent_at AS start, false AS is_slot FROM ({lookups}) ORDER BY start DESC LIMIT $most)
UNION ALL
SELECT slot, true FROM lake.unindexed_slots;

-- name: find_slots
SELECT DISTINCT time_bucket(INTERVAL '15 minutes', sent_at) AS slot FROM ({lookups}) ORDER BY slot DESC;

-- name: messages_in
-- A stretch of the messages. Stretches are read as a union: an OR of them would read all files.
SELECT * FROM lake.messages WHERE sent_at >= $from_{number}::TIMESTAMP AND sent_at < $until_{number}::TIMESTAMP

-- name: messages_at
-- Messages of known moments. A list of values, unlike an OR, lets DuckDB pass over row groups in which there are none.
SELECT * FROM lake.messages WHERE sent_at IN ({moments})

-- name: lookup
-- Endings in one stretch, with {skipped} digits of the searched part before them.
SELECT sent_at FROM lake.receiver_endings
WHERE ending BETWEEN $first_{skipped} AND $last_{skipped} AND before % {modulus} = $before_{skipped} AND {in_period}

-- name: lookup_heads
-- Endings in several stretches: an OR of them would read all files, but a list of values passes over those without any.
SELECT sent_at FROM lake.receiver_endings WHERE head IN ({heads}) AND ({stretches}) AND {in_period}

-- name: stretch
-- Of both columns in one, so that nothing is concluded from the OR: it would be asked of every row, in vain.
before % {modulus} * {past_all} + ending BETWEEN $from_{skipped} AND $until_{skipped}

-- name: in_period
-- Said so that DuckLake leaves it to DuckDB: it takes longer to compare the times of files than to open them in vain.
epoch_us(sent_at) >= epoch_us($start::TIMESTAMP) AND epoch_us(sent_at) < epoch_us($end::TIMESTAMP)

-- name: endings
-- The endings of some messages. A number of a usual length is taken apart by arithmetic, anything
-- else by its runs of digits.
SELECT
    sent_at,
    CASE WHEN length(digits) <= {most_digits} THEN (digits::BIGINT % (10 ** size)::BIGINT) * (10 ** ({kept} - size))::BIGINT
        ELSE rpad(left(right(digits, size), {kept}), {kept}, '0')::BIGINT END AS ending,
    CASE WHEN length(digits) <= {most_digits} THEN digits::BIGINT // (10 ** size)::BIGINT % {before_modulus}
        ELSE coalesce(try_cast(right(left(digits, length(digits) - size), {before_digits}) AS BIGINT), 0)
    END::SMALLINT AS before
FROM (
    SELECT sent_at, digits, unnest(range({shortest}, length(digits) + 1, {step})) AS size
    FROM (
        SELECT
            sent_at,
            unnest(
                CASE WHEN regexp_full_match(receiver, '\+?[0-9]{{1,{most_digits}}}') THEN [ltrim(receiver, '+')]
                ELSE regexp_extract_all(receiver, '[0-9]{{{shortest},}}') END
            ) AS digits
        FROM lake.messages
        WHERE {where}
    )
)

-- name: insert_endings
INSERT INTO lake.receiver_endings BY NAME
SELECT sent_at, (ending // {per_head})::INTEGER AS head, ending, before, false AS is_sorted
FROM ({endings})
ORDER BY ending, before, sent_at;

-- name: insert_span
INSERT INTO lake.indexed_spans VALUES (uuid(), $first_day, $end_day);

-- name: list_span_ids
SELECT span_id FROM lake.indexed_spans WHERE first_day >= $first_day AND end_day <= $end_day;

-- name: list_late_days
SELECT slot::DATE AS day, count(*) FROM lake.unindexed_slots GROUP BY day ORDER BY day DESC;

-- name: clear_late
DELETE FROM lake.unindexed_slots WHERE slot >= $start::TIMESTAMP AND slot < $end::TIMESTAMP;

-- name: list_months
SELECT month FROM lake.message_months ORDER BY month;

-- name: count_unsorted
SELECT count(*) FROM lake.receiver_endings
WHERE NOT is_sorted AND sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP;

-- name: cut_unsorted
-- Where a month's endings can be cut so that the parts are about alike.
SELECT approx_quantile(ending, $shares::FLOAT[]) FROM lake.receiver_endings
WHERE NOT is_sorted AND sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP;

-- name: take_unsorted
-- DISTINCT, because late messages bring the endings of their slots once more.
CREATE TEMP TABLE taken AS
SELECT DISTINCT head, ending, before, sent_at FROM lake.receiver_endings
WHERE NOT is_sorted AND sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP AND ending >= $first AND ending < $last;

-- name: insert_taken
INSERT INTO lake.receiver_endings BY NAME
SELECT sent_at, head, ending, before, true AS is_sorted FROM taken ORDER BY ending, before, sent_at;

-- name: drop_taken
DROP TABLE taken;

-- name: delete_unsorted
DELETE FROM lake.receiver_endings
WHERE NOT is_sorted AND sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP;

-- name: delete_month
DELETE FROM lake.receiver_endings WHERE sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP;

-- name: delete_spans
DELETE FROM lake.indexed_spans WHERE first_day >= $first_day AND end_day <= $end_day;

-- name: count_missing
-- Endings of a day's messages that nobody would find.
SELECT count(*) FROM (
    SELECT sent_at, ending, before FROM ({endings})
    WHERE time_bucket(INTERVAL '15 minutes', sent_at) NOT IN (SELECT slot FROM lake.unindexed_slots)
    EXCEPT
    SELECT sent_at, ending, before FROM lake.receiver_endings
    WHERE sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP
);
