-- Cancels a message that has not been handed to a carrier; of one that has, asks its carrier to give it back, if it
-- takes cancel_sm and has said by which id. $1 practice $2 id $3 at. Returns its status now, or no row when there is
-- none; whether this call
-- cancelled it; and whether the carrier is asked. Indexes: message_pkey, ask_pkey.
WITH old AS (
	SELECT practice_id, id, status, due_at IS NOT NULL AS waits, carrier, carrier_message_id FROM smsbridge.message
	WHERE practice_id = $1::uuid AND id = $2::uuid FOR UPDATE
), u AS (
	UPDATE smsbridge.message m SET status = 'canceled', reason = 'canceled_by_practice', due_at = NULL,
		updated_at = $3::timestamptz
	FROM old o WHERE o.waits AND m.practice_id = o.practice_id AND m.id = o.id
	RETURNING m.id
), asked AS (
	INSERT INTO smsbridge.ask (practice_id, message_id, kind, carrier, reason, due_at)
	SELECT o.practice_id, o.id, 'cancel', o.carrier, 'canceled_by_practice', $3 FROM old o
		JOIN smsbridge.carrier c ON c.name = o.carrier AND c.cancel
	WHERE o.status IN ('sent', 'uncertain', 'unconfirmed') AND o.carrier_message_id IS NOT NULL
	ON CONFLICT (practice_id, message_id, kind) DO UPDATE SET due_at = $3, attempts = 0
	RETURNING message_id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason)
	SELECT $1, id, 'message.canceled', $3, 'canceled_by_practice' FROM u
	UNION ALL
	SELECT $1, message_id, 'message.recalling', $3, 'canceled_by_practice' FROM asked
)
SELECT CASE WHEN o.waits THEN 'canceled' ELSE o.status END, o.waits, EXISTS (SELECT FROM asked) FROM old o
