-- Orders a broadcast and says so. With an Idempotency-Key that is taken nothing is done and no row comes back: read
-- idempotency_get. $1 practice $2 id $3 name $4 template's id $5 its name $6 language $7 category $8 pace $9 from
-- $10 until $11 person $12 API key's id $13 now $14 key or null $15 request hash (hex) $16 answer. Returns the id.
-- Index: idempotency_pkey.
WITH taken AS (
	INSERT INTO smsbridge.idempotency (practice_id, key, request_hash, message_id, answer, created_at)
	SELECT $1::uuid, $14::text, decode($15::text, 'hex'), $2::uuid, $16::text, $13::timestamptz WHERE $14 IS NOT NULL
	ON CONFLICT DO NOTHING
	RETURNING message_id
), made AS (
	INSERT INTO smsbridge.broadcast (practice_id, id, name, template_id, template, language, category, pace, send_from,
		expires_at, person, api_key, created_at)
	SELECT $1, $2, $3::text, $4::uuid, $5::text, $6::text, $7::text, $8::int4, $9::timestamptz, $10::timestamptz,
		$11::text, $12::text, $13
	WHERE $14 IS NULL OR EXISTS (SELECT FROM taken)
	RETURNING broadcast
)
SELECT (made.broadcast).id, smsbridge.broadcast_tell(made.broadcast, 'broadcast.created', $13, $12) FROM made
