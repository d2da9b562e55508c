-- Sent messages whose receipt did not come in time. $1 now, $2 sent before. Index: message_open. What no cap counts
-- (confirmations, help) has no counted_at; its last change was that it was sent.
WITH late AS (
	SELECT practice_id, id FROM smsbridge.message
	WHERE status = 'sent' AND (counted_at < $2::timestamptz OR (counted_at IS NULL AND updated_at < $2::timestamptz))
	LIMIT 500 FOR UPDATE SKIP LOCKED
), u AS (
	UPDATE smsbridge.message m SET status = 'unconfirmed', reason = 'receipt_missing', updated_at = $1::timestamptz
	FROM late WHERE m.practice_id = late.practice_id AND m.id = late.id
	RETURNING m.practice_id, m.id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason)
	SELECT practice_id, id, 'message.unconfirmed', $1, 'receipt_missing' FROM u
)
SELECT count(*) FROM u
