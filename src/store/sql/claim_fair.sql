-- As claim_due, but practice by practice: while more is due than the carriers take, each practice gets the same share.
-- $1 now, $2 how many, $3 practices in their order, $4 how many of each. Columns as claim_due. Index: message_turn.
SELECT m.practice_id, m.id, m.patient, m.phone, m.sender, m.zones, m.body, m.encoding, m.category, m.segments,
	(extract(epoch FROM m.send_at) * 1000000)::bigint, (extract(epoch FROM m.expires_at) * 1000000)::bigint, m.attempts,
	(extract(epoch FROM m.created_at) * 1000000)::bigint, m.status, coalesce(m.reason, ''), coalesce(m.carrier, ''),
	m.refusals, m.priority, m.states, m.phi, m.answers
FROM unnest($3::uuid[]) WITH ORDINALITY AS r(practice_id, turn), LATERAL (
	SELECT q.* FROM (VALUES (0), (1), (2)) AS p(priority), LATERAL (
		SELECT * FROM smsbridge.message
		WHERE practice_id = r.practice_id AND priority = p.priority AND due_at <= $1::timestamptz
		ORDER BY due_at LIMIT $4::int4 FOR UPDATE SKIP LOCKED) AS q
	ORDER BY q.due_at + q.priority * interval '10 minutes'
	LIMIT $4::int4) AS m
ORDER BY r.turn
LIMIT $2::int4
