-- The catalog is read under the name DuckLake gives it beside the lake. Its times are text in SQLite, so they are cast.

-- name: tables
SELECT table_id, table_name FROM __ducklake_metadata_lake.ducklake_table WHERE end_snapshot IS NULL ORDER BY table_name;

-- name: inlined_tables
SELECT t.table_id, i.table_name
FROM __ducklake_metadata_lake.ducklake_inlined_data_tables AS i
JOIN __ducklake_metadata_lake.ducklake_table AS t ON t.table_id = i.table_id AND t.end_snapshot IS NULL;

-- name: inlined_rows
SELECT {table_id}::BIGINT AS table_id, count(*) AS inlined FROM __ducklake_metadata_lake."{table}"

-- name: inlined_deletes
SELECT file_id AS data_file_id, count(*) AS deleted
FROM __ducklake_metadata_lake.ducklake_inlined_delete_{table_id} GROUP BY ALL

-- name: live_files
-- The files of now; deleted is how many of a file's rows are no more, be it by a file of deletions or in the catalog.
SELECT
    d.table_id, d.data_file_id, d.file_size_bytes AS bytes, d.record_count AS records, p.part,
    coalesce(x.deleted, 0) AS deleted
FROM __ducklake_metadata_lake.ducklake_data_file AS d
LEFT JOIN (
    SELECT data_file_id, string_agg(partition_value, '/' ORDER BY partition_key_index) AS part
    FROM __ducklake_metadata_lake.ducklake_file_partition_value
    GROUP BY ALL
) AS p USING (data_file_id)
LEFT JOIN (
    SELECT data_file_id, sum(deleted) AS deleted
    FROM (
        SELECT data_file_id, delete_count AS deleted
        FROM __ducklake_metadata_lake.ducklake_delete_file
        WHERE end_snapshot IS NULL
        {deletes}
    )
    GROUP BY ALL
) AS x USING (data_file_id)
WHERE d.end_snapshot IS NULL

-- name: census
WITH live AS ({files}), inlined AS ({inlined}),
partitions AS (
    SELECT
        table_id, part, count(*) AS files, sum(bytes) AS bytes, count(*) FILTER (deleted > 0) AS worn,
        count(*) FILTER (deleted = 0 AND bytes < $small) AS small
    FROM live
    GROUP BY ALL
),
summed AS (
    SELECT
        table_id, sum(files)::BIGINT AS files, sum(bytes)::BIGINT AS bytes, sum(worn)::BIGINT AS worn,
        max(small)::BIGINT AS small
    FROM partitions
    GROUP BY ALL
),
rows_inlined AS (SELECT table_id, sum(inlined)::BIGINT AS inlined FROM inlined GROUP BY ALL)
SELECT
    t.table_name, coalesce(s.files, 0), coalesce(s.bytes, 0), coalesce(s.worn, 0), coalesce(s.small, 0),
    coalesce(i.inlined, 0)
FROM __ducklake_metadata_lake.ducklake_table AS t
LEFT JOIN summed AS s USING (table_id)
LEFT JOIN rows_inlined AS i USING (table_id)
WHERE t.end_snapshot IS NULL
ORDER BY t.table_name;

-- name: merge_size
-- How many merged files one step makes, and how large they may become, so that they are made of $most files at most. One
-- for every partition that needs it: DuckLake begins with the same one each time, and one that keeps growing would
-- keep it from the others. Each as large as the first files of the partitions that have more than their share.
WITH live AS ({files}),
numbered AS (
    SELECT
        part, bytes, row_number() OVER (PARTITION BY part ORDER BY data_file_id) AS number,
        count(*) OVER (PARTITION BY part) AS files
    FROM live
    WHERE deleted = 0 AND bytes < $small
),
partitions AS (
    SELECT count(DISTINCT coalesce(part, '')) AS needy, max(bytes) AS bytes
    FROM (SELECT part, sum(bytes) AS bytes FROM numbered WHERE files > 1 GROUP BY part)
),
outputs AS (
    SELECT greatest(1, least(
        needy, $most // 2, greatest(2, 4 * $most_bytes // greatest(1, least(bytes, $most_bytes)))
    ))::BIGINT AS count
    FROM partitions
),
crowded AS (
    SELECT sum(bytes) FILTER (number <= $most // count) AS bytes
    FROM numbered CROSS JOIN outputs
    GROUP BY part
    HAVING count(*) > any_value($most // count)
)
SELECT any_value(count), least(coalesce(min(bytes), $most_bytes), $most_bytes)::BIGINT
FROM outputs LEFT JOIN crowded ON true;

-- name: rewrite_share
-- The share of deleted rows from which on files are rewritten, so that they are about $most files and $most_bytes.
WITH live AS ({files}),
ranked AS (
    SELECT
        deleted / records AS share,
        row_number() OVER (ORDER BY deleted / records DESC, data_file_id) AS number,
        sum(bytes) OVER (ORDER BY deleted / records DESC, data_file_id) AS so_far
    FROM live
    WHERE deleted > 0 AND deleted / records >= CASE WHEN bytes < $small THEN $least_share_small ELSE $least_share END
)
SELECT min(share) FROM ranked WHERE number = 1 OR (number <= $most AND so_far <= $most_bytes);

-- name: old_snapshots
-- The newest one is what everybody reads. Oldest first.
SELECT snapshot_id
FROM __ducklake_metadata_lake.ducklake_snapshot
WHERE snapshot_time::TIMESTAMPTZ < $before
    AND snapshot_id < (SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot)
ORDER BY snapshot_id
LIMIT $most;

-- name: unused_files
SELECT data_file_id, path, path_is_relative::BOOLEAN, schedule_start::TIMESTAMPTZ::TIMESTAMP
FROM __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion
WHERE schedule_start::TIMESTAMPTZ < $before
ORDER BY schedule_start, data_file_id
LIMIT $most;

-- name: forget_files
DELETE FROM __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion
WHERE data_file_id IN (SELECT unnest($ids));

-- name: flush
SELECT coalesce(sum(rows_flushed), 0) FROM ducklake_flush_inlined_data('lake', table_name => '{table}');

-- name: merge
SELECT coalesce(sum(files_processed), 0)::BIGINT
FROM ducklake_merge_adjacent_files('lake', '{table}', max_compacted_files => {outputs});

-- name: rewrite
SELECT coalesce(sum(files_processed), 0)::BIGINT
FROM ducklake_rewrite_data_files('lake', '{table}', delete_threshold => {share});

-- name: expire
SELECT count(*) FROM ducklake_expire_snapshots('lake', versions => [{versions}]);

-- name: clean_up
SELECT count(*) FROM ducklake_cleanup_old_files('lake', older_than => TIMESTAMPTZ '{before}');

-- name: find_orphans
SELECT path FROM ducklake_delete_orphaned_files('lake', dry_run => true, older_than => TIMESTAMPTZ '{before}') ORDER BY path;
