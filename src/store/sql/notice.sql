-- Queues the one answer to a keyword (47 CFR 64.1200(a)(12)): outside caps and quiet hours, dropped when over 5 minutes
-- late. $1 practice $2 id $3 phone $4 sender $5 body $6 encoding $7 characters $8 category $9 at $10 inbound id.
WITH made AS (
	INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters, segments,
		category, priority, expires_at, status, due_at, created_at, updated_at, body_sha256)
	VALUES ($1::uuid, $2::uuid, '', $3::text, $4::text, '', $5::text, $6::text, $7::int4, 1, $8::text, 0,
		$9::timestamptz + interval '5 minutes', 'queued', $9, $9, $9,
		sha256(convert_to($5, 'UTF8')))
	ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, data)
SELECT $1, id, 'message.accepted', $9, $3, jsonb_build_object('category', $8, 'inbound_id', $10::uuid,
	'body_sha256', encode(sha256(convert_to($5, 'UTF8')), 'hex')) FROM made
