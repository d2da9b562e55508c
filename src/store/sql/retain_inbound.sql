-- Takes the text out of patients' texts that are older than their practice keeps texts; those of no practice after 90
-- days. Left alone: what a legal hold covers, and what a person has yet to look at. $1 now $2 at most so many. Returns
-- how many. Index: inbound_unredacted.
WITH due AS (
	SELECT i.* FROM (SELECT id, retention_days FROM smsbridge.practice
			UNION ALL SELECT '00000000-0000-0000-0000-000000000000', 90) AS p CROSS JOIN LATERAL (
		SELECT i.practice_id, i.id, i.body, i.keyword FROM smsbridge.inbound i
		WHERE i.practice_id = p.id AND i.redacted_at IS NULL
			AND i.received_at <= $1::timestamptz - make_interval(days => p.retention_days)
			AND NOT smsbridge.held(i.practice_id, i.phone, '')
			AND NOT EXISTS (SELECT FROM smsbridge.review_task t WHERE t.practice_id = i.practice_id AND t.phone = i.phone
				AND t.decided_at IS NULL AND t.inbound_id = i.id)
		ORDER BY i.received_at LIMIT $2::int4 FOR UPDATE SKIP LOCKED) AS i
	LIMIT $2
), gone AS (
	UPDATE smsbridge.inbound i SET body = '', raw = NULL, redacted_at = $1,
		body_sha256 = sha256(convert_to(due.body, 'UTF8'))
	FROM due WHERE i.practice_id = due.practice_id AND i.id = due.id
	RETURNING i.practice_id, i.id, due.body, due.keyword
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'message.redacted', $1, smsbridge.text_measure(body)
		|| jsonb_build_object('inbound_id', id, 'keyword', keyword) FROM gone
), run AS (
	INSERT INTO smsbridge.retention_run (what, at, redacted, last_redacted_at)
	SELECT 'inbound', $1, count(*), CASE WHEN count(*) > 0 THEN $1 END FROM gone
	ON CONFLICT (what) DO UPDATE SET at = excluded.at, recorded_at = DEFAULT,
		redacted = retention_run.redacted + excluded.redacted,
		last_redacted_at = coalesce(excluded.last_redacted_at, retention_run.last_redacted_at)
)
SELECT count(*) FROM gone
