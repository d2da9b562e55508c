-- After a lost database connection: messages that this process committed as sending but never wrote, since it does not
-- hold them, go back to the queue. $1 instance, $2 ids that it does hold, $3 now. Returns how many. Index:
-- message_open.
WITH back AS (
	UPDATE smsbridge.message m SET status = 'held', reason = 'link_lost', due_at = $3::timestamptz, counted_at = NULL,
		updated_at = $3
	WHERE m.status = 'sending' AND m.due_at IS NULL AND m.instance = $1::uuid AND m.id <> ALL ($2::uuid[])
	RETURNING m.practice_id, m.id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason, data)
	SELECT practice_id, id, 'message.requeued', $3, 'link_lost', '{"refund": true}' FROM back
)
SELECT count(*) FROM back
