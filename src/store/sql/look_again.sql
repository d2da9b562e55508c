-- What kept messages waiting is over, such as the want of a route: they are due. $1 now, $2 the latest due_at that
-- such a wait may have, $3 its reason. Rows that a claim holds are left to it. Index: message_due.
WITH w AS (
	SELECT practice_id, id FROM smsbridge.message
	WHERE priority IN (0, 1, 2) AND due_at > $1::timestamptz AND due_at <= $2::timestamptz AND reason = $3::text
	FOR UPDATE SKIP LOCKED
)
UPDATE smsbridge.message m SET due_at = $1 FROM w WHERE m.practice_id = w.practice_id AND m.id = w.id
