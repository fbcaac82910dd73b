-- Rows are read from all files that are there; which of them counted last, only the lost catalog knew. {files} and {dead}
-- are lists of paths, {columns} the table's columns that the files have.

-- name: columns
SELECT column_name FROM (DESCRIBE lake.{table});

-- name: columns_of_files
SELECT column_name FROM (DESCRIBE FROM read_parquet($files, union_by_name => true, hive_partitioning => false));

-- name: alive
-- Without the rows that files of deletions name. They name the file they belong to as it was when they were written, so
-- its folder may be another now; its name is its own.
SELECT {columns}, parse_filename(filename) AS file_name
FROM read_parquet(
    $files, union_by_name => true, hive_partitioning => false, filename => true, file_row_number => true
) AS r
{dead}

-- name: without_dead
ANTI JOIN (
    SELECT parse_filename(file_path) AS name, pos FROM read_parquet($dead, union_by_name => true)
) AS d ON d.name = parse_filename(r.filename) AND d.pos = r.file_row_number

-- name: insert_newest
-- Of the versions of a row the one in the newest file: names begin with the moment, and merging keeps the newest last.
INSERT INTO lake.{table} BY NAME
SELECT {columns}
FROM ({alive})
WHERE {condition}
QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {rank} file_name DESC) = 1
ORDER BY {order};

-- name: insert_counted
-- A table without a key: a row is there as often as in the file that has it most often.
INSERT INTO lake.{table} BY NAME
SELECT {columns}
FROM (
    SELECT {columns}, max(times) AS times
    FROM (SELECT {columns}, file_name, count(*) AS times FROM ({alive}) GROUP BY ALL)
    GROUP BY {columns}
) AS c, range(c.times);

-- name: months
DELETE FROM lake.message_months;
INSERT INTO lake.message_months SELECT DISTINCT date_trunc('month', sent_at)::DATE FROM lake.messages;

-- name: frozen
-- What audiences were frozen, of those whose own row was only in the catalog.
INSERT INTO lake.frozen_audiences BY NAME
SELECT campaign_id, '' AS list_id, count(*) AS audience_count, $now::TIMESTAMP AS frozen_at
FROM (
    SELECT campaign_id FROM lake.audience
    UNION ALL
    SELECT campaign_id FROM lake.unsent WHERE outcome = 'excluded' AND message_id IS NULL
)
WHERE campaign_id IN (SELECT campaign_id FROM lake.audience)
    AND campaign_id NOT IN (SELECT campaign_id FROM lake.frozen_audiences)
GROUP BY campaign_id;

-- name: tags
-- The tags of batches whose messages are there: without them they would be appended once more. A batch is named by its
-- campaign and number, as core.state.campaigns.ledger does.
INSERT INTO lake.appended_batches BY NAME
SELECT
    a.campaign_id || '-' || a.batch_no AS batch_id, a.campaign_id, count(m.message_id) AS message_count,
    $now::TIMESTAMP AS appended_at
FROM lake.audience AS a
LEFT JOIN (SELECT message_id FROM lake.messages WHERE campaign_id IN (SELECT campaign_id FROM lake.audience)) AS m
    USING (message_id)
LEFT JOIN (SELECT message_id FROM lake.unsent WHERE message_id IS NOT NULL) AS u USING (message_id)
WHERE (m.message_id IS NOT NULL OR u.message_id IS NOT NULL)
    AND a.campaign_id || '-' || a.batch_no NOT IN (SELECT batch_id FROM lake.appended_batches)
GROUP BY a.campaign_id, a.batch_no;

-- name: lists
SELECT list_id, count(*) FROM lake.contacts GROUP BY list_id;
