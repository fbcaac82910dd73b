-- name: find
-- The newest of the number's messages. SMSCs leave out the plus, and change the case, of a sender ID.
SELECT message_id, account, campaign_id
FROM {messages}
WHERE receiver = $receiver AND gateway = $gateway
ORDER BY
    ltrim(lower(sender), '+') = $sender_id DESC,
    list_contains($accounts::VARCHAR[], account) DESC,
    sent_at DESC
LIMIT 1;

-- name: find_recent
-- The newest of each number's messages under the sender ID it was replied to, from an account that is likely.
SELECT
    asked_no,
    arg_max(message_id, sent_at),
    arg_max(account, sent_at),
    arg_max(campaign_id, sent_at)
FROM lake.messages AS messages
JOIN asked ON receiver = msisdn AND messages.gateway = asked.gateway
WHERE sent_at >= $start::TIMESTAMP AND sent_at < $end::TIMESTAMP
    AND sent_at < until::TIMESTAMP
    AND ltrim(lower(sender), '+') = sender_id
    AND list_contains(accounts, account)
GROUP BY asked_no;
