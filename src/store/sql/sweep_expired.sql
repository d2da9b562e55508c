-- Waiting messages that expired while nothing could be claimed (no link bound). $1 now. Index: message_due.
WITH late AS (
	SELECT practice_id, id, category FROM smsbridge.message
	WHERE due_at <= $1::timestamptz AND expires_at <= $1 ORDER BY priority, due_at LIMIT 500 FOR UPDATE SKIP LOCKED
), u AS (
	UPDATE smsbridge.message m SET status = 'expired', due_at = NULL, updated_at = $1,
		reason = CASE WHEN late.category IN ('opt_out_confirmation', 'resume_confirmation', 'help_reply')
			THEN 'notice_late' ELSE 'expired' END
	FROM late WHERE m.practice_id = late.practice_id AND m.id = late.id
	RETURNING m.practice_id, m.id, m.reason
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason)
	SELECT practice_id, id, 'message.expired', $1, reason FROM u
)
SELECT count(*) FROM u
