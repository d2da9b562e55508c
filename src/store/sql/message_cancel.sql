-- Cancels a message that has not been handed to a carrier. $1 practice $2 id $3 at. Returns its status now, or no row
-- when there is none; and whether this call did it. Index: message_pkey.
WITH old AS (
	SELECT practice_id, id, status, due_at IS NOT NULL AS waits FROM smsbridge.message
	WHERE practice_id = $1::uuid AND id = $2::uuid FOR UPDATE
), u AS (
	UPDATE smsbridge.message m SET status = 'canceled', reason = 'canceled_by_practice', due_at = NULL,
		updated_at = $3::timestamptz
	FROM old o WHERE o.waits AND m.practice_id = o.practice_id AND m.id = o.id
	RETURNING m.id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason)
	SELECT $1, id, 'message.canceled', $3, 'canceled_by_practice' FROM u
)
SELECT CASE WHEN o.waits THEN 'canceled' ELSE o.status END, o.waits FROM old o
