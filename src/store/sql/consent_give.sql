-- Records a consent with its evidence and says so; to be run under the recipient's lock. With an Idempotency-Key that
-- is taken nothing is done and no row comes back: read idempotency_get.
-- $1 practice $2 id $3 phone $4 patient $5 classes (an array's text) $6 basis $7 captured at $8 method $9 wording
-- $10 its version $11 language $12 action $13 actor $14 representative $15 day on which the patient comes of age, or
-- null $16 campaign $17 IP address $18 HIPAA authorization $19 now $20 key or null $21 request hash (hex) $22 answer.
-- Returns the id. Index: idempotency_pkey.
WITH taken AS (
	INSERT INTO smsbridge.idempotency (practice_id, key, request_hash, message_id, answer, created_at)
	SELECT $1::uuid, $20::text, decode($21::text, 'hex'), $2::uuid, $22::text, $19::timestamptz WHERE $20 IS NOT NULL
	ON CONFLICT DO NOTHING
	RETURNING message_id
), made AS (
	INSERT INTO smsbridge.consent (practice_id, id, phone, patient, classes, basis, captured_at, method, wording,
		wording_version, language, action, actor, representative, adult_on, campaign, ip, authorization_id, created_at)
	SELECT $1, $2, $3::text, $4::text, $5::text::text[], $6::text, $7::timestamptz, $8::text, $9::text, $10::text,
		$11::text, $12::text, $13::text, $14::text, $15::text::date, $16::text, $17::text, $18::text, $19
	WHERE $20 IS NULL OR EXISTS (SELECT FROM taken)
	RETURNING *
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data)
	SELECT practice_id, 'consent.given', created_at, phone, nullif(patient, ''), jsonb_strip_nulls(jsonb_build_object(
		'id', id, 'classes', classes, 'basis', basis, 'captured_at', captured_at, 'method', method,
		'wording_version', wording_version, 'wording_sha256', encode(sha256(convert_to(wording, 'UTF8')), 'hex'),
		'language', language, 'action', action, 'actor', actor, 'representative', nullif(representative, ''),
		'adult_on', adult_on, 'campaign', nullif(campaign, ''), 'authorization_id', nullif(authorization_id, '')))
	FROM made
)
SELECT id FROM made
