-- Records a call or text of the practice's own, which counts in both caps, and says so; to be run under the locks of
-- phone and patient. With an Idempotency-Key that is taken nothing is done and no row comes back.
-- $1 practice $2 id $3 phone $4 patient $5 kind $6 when it was $7 who says so $8 now $9 key or null $10 request hash
-- (hex) $11 answer. Returns the id. Index: idempotency_pkey.
WITH taken AS (
	INSERT INTO smsbridge.idempotency (practice_id, key, request_hash, message_id, answer, created_at)
	SELECT $1::uuid, $9::text, decode($10::text, 'hex'), $2::uuid, $11::text, $8::timestamptz WHERE $9 IS NOT NULL
	ON CONFLICT DO NOTHING
	RETURNING message_id
), made AS (
	INSERT INTO smsbridge.contact (practice_id, id, phone, patient, kind, at, reported_by, created_at)
	SELECT $1, $2, $3::text, $4::text, $5::text, $6::timestamptz, $7::text, $8
	WHERE $9 IS NULL OR EXISTS (SELECT FROM taken)
	RETURNING *
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data)
	SELECT practice_id, 'contact.reported', created_at, phone, patient, jsonb_build_object('id', id, 'kind', kind,
		'at', at, 'actor', reported_by) FROM made
)
SELECT id FROM made
