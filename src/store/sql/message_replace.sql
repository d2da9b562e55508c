-- Gives a message another text: at once while it waits; of one that its carrier has, asks the carrier, if it takes
-- replace_sm. $1 practice $2 id $3 body $4 encoding $5 characters $6 at. Returns its status, whether it is replaced and
-- whether the carrier is asked; no row when there is none. Patients who share an id (submit_multi) would all get the
-- text, so none does. Indexes: message_pkey, ask_pkey, message_carrier.
WITH old AS (
	SELECT practice_id, id, status, due_at IS NOT NULL AS waits, carrier, segments, carrier_message_id, encoding
	FROM smsbridge.message WHERE practice_id = $1::uuid AND id = $2::uuid FOR UPDATE
), u AS (
	UPDATE smsbridge.message m SET body = $3::text, encoding = $4::text, characters = $5::int4, segments = 1,
		body_sha256 = sha256(convert_to($3, 'UTF8')), template_id = NULL, updated_at = $6::timestamptz
	FROM old o WHERE o.waits AND m.practice_id = o.practice_id AND m.id = o.id
	RETURNING m.id
), asked AS (
	INSERT INTO smsbridge.ask (practice_id, message_id, kind, carrier, reason, body, due_at)
	SELECT o.practice_id, o.id, 'replace', o.carrier, '', $3, $6 FROM old o
		JOIN smsbridge.carrier c ON c.name = o.carrier AND c.replace
	WHERE o.status IN ('sent', 'unconfirmed') AND o.segments = 1 AND o.carrier_message_id IS NOT NULL
		AND o.encoding = $4 AND NOT EXISTS (SELECT FROM smsbridge.message s WHERE s.carrier = o.carrier
			AND smsbridge.id_key(s.carrier_message_id) = smsbridge.id_key(o.carrier_message_id) AND s.id <> o.id)
	ON CONFLICT (practice_id, message_id, kind) DO UPDATE SET body = $3, due_at = $6, attempts = 0
	RETURNING message_id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, data)
	SELECT $1, id, 'message.replaced', $6,
		jsonb_build_object('at', 'gateway', 'body_sha256', encode(sha256(convert_to($3, 'UTF8')), 'hex')) FROM u
	UNION ALL
	SELECT $1, message_id, 'message.replacing', $6, NULL FROM asked
)
SELECT o.status, o.waits, EXISTS (SELECT FROM asked) FROM old o
