-- Keeps a patient's text and says so. $1 practice $2 id $3 carrier $4 phone $5 sender $6 body $7 keyword $8 at
-- $9 event type ('' for none) $10 octets as they came (hex) or NULL $11 parts $12 numbers of parts that are missing, as
-- an array's text. Who texts has the phone: what a carrier said of a dead number is over. The same text twice (a commit
-- of unknown fate, tried again) is kept once.
WITH kept AS (
	INSERT INTO smsbridge.inbound (practice_id, id, carrier, phone, sender, body, keyword, received_at, raw, parts,
		missing)
	VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::text, $8::timestamptz,
		decode($10::text, 'hex'), $11::int4, $12::text::smallint[])
	ON CONFLICT DO NOTHING RETURNING id, parts, missing, incomplete
), alive AS (
	DELETE FROM smsbridge.phone_flag WHERE practice_id = $1 AND phone = $4 AND kind = 'dead' RETURNING kind
)
INSERT INTO smsbridge.event (practice_id, type, at, phone, reason, data)
SELECT $1, $9::text, $8, $4, NULL, jsonb_build_object('inbound_id', $2, 'keyword', $7, 'carrier', $3)
	|| CASE WHEN parts > 1 THEN jsonb_build_object('parts', parts) ELSE '{}' END
	|| CASE WHEN incomplete THEN jsonb_build_object('incomplete', true, 'missing', to_jsonb(missing)) ELSE '{}' END
FROM kept WHERE $9 <> ''
UNION ALL
SELECT $1, 'phone.cleared', $8, $4, 'number_dead', jsonb_build_object('by', 'text', 'inbound_id', $2) FROM alive
