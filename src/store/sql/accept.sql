-- Stores a batch of drafts: message, event, idempotency key, in one statement. A draft whose key is taken is left out.
-- $1 now; arrays, one element a draft: $2 practice $3 id $4 patient $5 phone $6 time_zone $7 zones $8 body $9 encoding
-- $10 characters $11 segments $12 category $13 priority $14 send_at $15 expires_at $16 reference $17 status $18 due_at
-- $19 key $20 request hash $21 answer $22 sender
-- Returns the ordinal (0-based) of every draft that was stored. Index: idempotency_pkey.
WITH d AS (
	SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
		$10::int4[], $11::int4[], $12::text[], $13::int4[], $14::timestamptz[], $15::timestamptz[], $16::text[],
		$17::text[], $18::timestamptz[], $19::text[], $20::bytea[], $21::text[], $22::text[]) WITH ORDINALITY
		AS d(practice_id, id, patient, phone, time_zone, zones, body, encoding, characters, segments, category, priority,
			send_at, expires_at, reference, status, due_at, key, request_hash, answer, sender, ord)
), taken AS (
	INSERT INTO smsbridge.idempotency (practice_id, key, request_hash, message_id, answer, created_at)
	SELECT practice_id, key, request_hash, id, answer, $1::timestamptz FROM d WHERE key IS NOT NULL
	ON CONFLICT DO NOTHING
	RETURNING message_id
), ok AS (
	SELECT * FROM d WHERE key IS NULL OR id IN (SELECT message_id FROM taken)
), stored AS (
	INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, time_zone, zones, body, encoding, characters,
		segments, category, priority, send_at, expires_at, reference, status, due_at, created_at, updated_at)
	SELECT practice_id, id, patient, phone, sender, time_zone, zones, body, encoding, characters, segments, category,
		priority, send_at, expires_at, reference, status, due_at, $1, $1 FROM ok
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data)
	SELECT practice_id, id, 'message.accepted', $1, phone, patient,
		jsonb_build_object('time_zone', time_zone, 'zones', zones, 'category', category, 'characters', characters,
			'segments', segments, 'encoding', encoding, 'expires_at', expires_at) FROM ok
)
SELECT ord - 1 FROM ok
