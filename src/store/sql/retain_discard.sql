-- Takes the text out of messages that the practice wanted discarded as soon as they ended; else as retain_messages.
-- $1 now $2 at most so many. Returns how many. Index: message_discard.
WITH due AS (
	SELECT m.practice_id, m.id, m.body, m.category, m.encoding, m.segments FROM smsbridge.message m
	WHERE m.discard AND m.redacted_at IS NULL
		AND m.status IN ('uncertain', 'unconfirmed', 'delivered', 'undelivered', 'expired', 'failed', 'canceled', 'blocked')
		AND smsbridge.message_ended(m.status, m.expires_at, $1::timestamptz)
		AND NOT smsbridge.held(m.practice_id, m.phone, m.patient)
		AND NOT EXISTS (SELECT FROM smsbridge.review_task t WHERE t.practice_id = m.practice_id AND t.phone = m.phone
			AND t.decided_at IS NULL AND t.message_id = m.id)
	LIMIT $2::int4 FOR UPDATE SKIP LOCKED
), gone AS (
	UPDATE smsbridge.message m SET body = '', redacted_at = $1,
		body_sha256 = coalesce(m.body_sha256, sha256(convert_to(due.body, 'UTF8')))
	FROM due WHERE m.practice_id = due.practice_id AND m.id = due.id
	RETURNING m.practice_id, m.id, due.body, due.category, due.encoding, due.segments
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, data)
	SELECT practice_id, id, 'message.redacted', $1, smsbridge.text_measure(body)
		|| jsonb_build_object('category', category, 'encoding', encoding, 'segments', segments, 'asked', 'discard') FROM gone
)
SELECT count(*) FROM gone
