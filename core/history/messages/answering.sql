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
