-- Every block takes {where}: the accounts, the period and the filters, with their bound values.

-- name: page
SELECT {columns}
FROM lake.messages
WHERE {where}
ORDER BY sent_at DESC, message_id DESC
LIMIT $limit OFFSET $offset;

-- name: all
SELECT {columns}
FROM lake.messages
WHERE {where}
ORDER BY sent_at DESC, message_id DESC;

-- name: count
SELECT count(*) FROM lake.messages WHERE {where};
