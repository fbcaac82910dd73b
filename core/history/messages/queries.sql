-- Nearly every block takes {where}: the accounts, the period and the filters, with their bound values; some take {messages}:
-- lake.messages, or stretches of it.

-- name: page
SELECT {columns}
FROM {messages}
WHERE {where}
ORDER BY sent_at DESC, message_id DESC
LIMIT $limit OFFSET $offset;

-- name: moments
SELECT sent_at
FROM {messages}
WHERE {where}
ORDER BY sent_at DESC
LIMIT $limit;

-- name: range
SELECT min(sent_at), max(sent_at) FROM lake.messages WHERE {where};

-- name: all
SELECT {columns}
FROM lake.messages
WHERE {where}
ORDER BY sent_at DESC, message_id DESC;

-- name: count
SELECT count(*) FROM {messages} WHERE {where};

-- name: statuses
SELECT delivery_status, count(*) FROM lake.messages WHERE {where} GROUP BY delivery_status;

-- name: count_everything
-- The catalog knows, no message is looked at.
SELECT count(*) FROM lake.messages;

-- name: is_there_a_sender
SELECT EXISTS (
    FROM lake.messages
    WHERE
        sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP
        AND contains({sender}, $sender)
);

-- name: slots
SELECT time_bucket(INTERVAL '15 minutes', sent_at) AS slot, count(*)
FROM lake.messages
WHERE {where}
GROUP BY slot
ORDER BY slot DESC;
