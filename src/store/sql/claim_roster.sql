-- Practices that have something due, by id, for their turns. $1 now, $2 those after this one, $3 how many. Index:
-- message_turn, one probe a practice and priority.
SELECT id FROM smsbridge.practice p
WHERE id > $2::uuid AND EXISTS (
	SELECT FROM (VALUES (0), (1), (2)) AS v(priority), LATERAL (
		SELECT FROM smsbridge.message m
		WHERE m.practice_id = p.id AND m.priority = v.priority AND m.due_at <= $1::timestamptz
		LIMIT 1) AS one)
ORDER BY id LIMIT $3::int4
