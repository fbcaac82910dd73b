-- What a commit says of the messages it changes, and reading it.

-- name: summary
-- {rows} has account and sent_at of all of them.
SELECT min(sent_at), max(sent_at), list(DISTINCT account) FROM ({rows});

-- name: note
-- With the transaction's commit, in the catalog's own record of it.
CALL ducklake_set_commit_message('lake', NULL, NULL, extra_info => $note);

-- name: snapshot
SELECT id FROM ducklake_current_snapshot('lake');

-- name: list_tables
-- By which number the catalog's record calls them.
SELECT table_id::VARCHAR, table_name
FROM __ducklake_metadata_lake.ducklake_table
WHERE end_snapshot IS NULL AND $name IN ('', table_name);

-- name: commits
SELECT changes_made, commit_extra_info
FROM __ducklake_metadata_lake.ducklake_snapshot_changes
WHERE snapshot_id > $since AND snapshot_id <= $until
ORDER BY snapshot_id;

-- name: made
-- When these snapshots were made, to the microsecond, as text: of two catalogs hardly two have one in common.
SELECT snapshot_id, snapshot_time::VARCHAR
FROM __ducklake_metadata_lake.ducklake_snapshot
WHERE snapshot_id IN ($current, $known);
