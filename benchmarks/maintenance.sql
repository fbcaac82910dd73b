-- name: pick
-- Messages of the history for several appends of $rows each, moved to their moments, with ids of their own.
CREATE TEMP TABLE appended AS
SELECT
    number,
    * EXCLUDE (number) REPLACE (
        uuidv7() AS message_id, $start::TIMESTAMP + number * $step AS sent_at,
        $start::TIMESTAMP + number * $step + (delivered_at - sent_at) AS delivered_at,
        uuid()::VARCHAR AS gateway_message_id
    )
FROM (
    SELECT $first + (row_number() OVER () - 1) // $rows AS number, *
    FROM (FROM lake.messages WHERE sent_at < $start::TIMESTAMP LIMIT $rows * $appends)
);

-- name: insert
INSERT INTO lake.messages SELECT * EXCLUDE (number) FROM appended WHERE number = $number;

-- name: drop
DROP TABLE appended;

-- name: count
SELECT count(*), count(DISTINCT message_id) FROM lake.messages;
