-- Takes the text out of messages that ended longer ago than their practice keeps texts; what they measure stays, in an
-- event. Left alone: what a legal hold covers, and what a person has yet to look at. $1 now $2 at most so many. Returns
-- how many.
-- Index: message_unredacted.
WITH due AS (
	SELECT m.* FROM smsbridge.practice p CROSS JOIN LATERAL (
		SELECT m.practice_id, m.id, m.body, m.category, m.encoding, m.segments FROM smsbridge.message m
		WHERE m.practice_id = p.id AND m.redacted_at IS NULL
			AND m.created_at <= $1::timestamptz - make_interval(days => p.retention_days)
			AND m.updated_at <= $1 - make_interval(days => p.retention_days)
			AND smsbridge.message_ended(m.status, m.expires_at, $1) AND NOT smsbridge.held(m.practice_id, m.phone, m.patient)
			AND NOT EXISTS (SELECT FROM smsbridge.review_task t WHERE t.practice_id = m.practice_id AND t.phone = m.phone
				AND t.decided_at IS NULL AND t.message_id = m.id)
		ORDER BY m.created_at LIMIT $2::int4 FOR UPDATE SKIP LOCKED) AS m
	LIMIT $2
), gone AS (
	UPDATE smsbridge.message m SET body = '', redacted_at = $1,
		body_sha256 = coalesce(m.body_sha256, sha256(convert_to(due.body, 'UTF8')))
	FROM due WHERE m.practice_id = due.practice_id AND m.id = due.id
	RETURNING m.practice_id, m.id, due.body, due.category, due.encoding, due.segments
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, data)
	SELECT practice_id, id, 'message.redacted', $1, smsbridge.text_measure(body)
		|| jsonb_build_object('category', category, 'encoding', encoding, 'segments', segments) FROM gone
), run AS (
	INSERT INTO smsbridge.retention_run (what, at, redacted, last_redacted_at)
	SELECT 'message', $1, count(*), CASE WHEN count(*) > 0 THEN $1 END FROM gone
	ON CONFLICT (what) DO UPDATE SET at = excluded.at, recorded_at = DEFAULT,
		redacted = retention_run.redacted + excluded.redacted,
		last_redacted_at = coalesce(excluded.last_redacted_at, retention_run.last_redacted_at)
)
SELECT count(*) FROM gone
