-- Stores a batch of drafts: message, event, idempotency key, in one statement. A draft whose key is taken is left out,
-- and one of a batch in which its place is not its own (batch_items).
-- $1 now; arrays, one element a draft: $2 practice $3 id $4 patient $5 phone $6 time_zone $7 zones $8 body $9 encoding
-- $10 characters $11 segments $12 category $13 priority $14 send_at $15 expires_at $16 reference $17 status $18 due_at
-- $19 key $20 request hash $21 answer $22 sender $23 states $24 phi $25 inbound text that it answers $26 who ordered
-- the emergency and $27 why, or NULL $28 API key's id $29 template that the body was made with, or NULL $30 its version
-- (of a conversational_reply $26 is who answers: its conversation is read then, and that person's)
-- $31 traceparent $32 batch that it came with $33 its place there $34 broadcast, each NULL for none $35 to be discarded
-- A verification is noted as asked. Returns the ordinal (0-based) of every draft that was stored. Indexes:
-- idempotency_pkey, recipient_pkey, batch_item_pkey.
WITH d AS (
	SELECT *, sha256(convert_to(body, 'UTF8')) AS sha
	FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
		$10::int4[], $11::int4[], $12::text[], $13::int4[], $14::timestamptz[],
		$15::timestamptz[], $16::text[], $17::text[], $18::timestamptz[], $19::text[], $20::bytea[], $21::text[],
		$22::text[], $23::text[], $24::bool[], $25::uuid[], $26::text[], $27::text[], $28::text[], $29::uuid[],
		$30::int4[], $31::text[], $32::uuid[], $33::int4[], $34::uuid[], $35::bool[]) WITH ORDINALITY
		AS d(practice_id, id, patient, phone, time_zone, zones, body, encoding, characters, segments, category, priority,
			send_at, expires_at, reference, status, due_at, key, request_hash, answer, sender, states, phi, answers, person,
			why, api_key, template_id, template_version, trace, batch_id, batch_item,
			broadcast_id, discard, ord)
), taken AS (
	INSERT INTO smsbridge.idempotency (practice_id, key, request_hash, message_id, answer, created_at)
	SELECT practice_id, key, request_hash, id, answer, $1::timestamptz FROM d WHERE key IS NOT NULL
	ON CONFLICT DO NOTHING
	RETURNING message_id
), placed AS (
	SELECT d.id FROM d, LATERAL (SELECT i.message_id FROM smsbridge.batch_item i
		WHERE i.practice_id = d.practice_id AND i.batch_id = d.batch_id AND i.item = d.batch_item LIMIT 1) AS i
	WHERE d.batch_id IS NOT NULL AND i.message_id = d.id
), ok AS (
	SELECT * FROM d WHERE (key IS NULL OR id IN (SELECT message_id FROM taken))
		AND (batch_id IS NULL OR id IN (SELECT id FROM placed))
), stored AS (
	INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, time_zone, zones, body, encoding, characters,
		segments, category, priority, send_at, expires_at, reference, status, due_at, created_at, updated_at, states, phi,
		answers, body_sha256, template_id, trace, batch_id, batch_item, broadcast_id, discard, person)
	SELECT practice_id, id, patient, phone, sender, time_zone, zones, body, encoding, characters, segments, category,
		priority, send_at, expires_at, reference, status, due_at, $1, $1, states, phi, answers, sha,
		template_id, trace, batch_id, batch_item, broadcast_id, discard, CASE WHEN why IS NULL THEN person END FROM ok
), referred AS (
	INSERT INTO smsbridge.message_reference (practice_id, reference, message_id)
	SELECT practice_id, reference, id FROM ok WHERE reference IS NOT NULL
), made_with AS (
	INSERT INTO smsbridge.message_template (practice_id, template_id, message_id)
	SELECT practice_id, template_id, id FROM ok WHERE template_id IS NOT NULL
), talked AS (
	UPDATE smsbridge.conversation c SET last_at = greatest(c.last_at, $1), unread = 0,
		owner = coalesce(c.owner, l.person)
	FROM (SELECT c.practice_id, c.phone, ok.person FROM ok JOIN smsbridge.conversation c USING (practice_id, phone)
		WHERE ok.answers IS NOT NULL AND ok.person IS NOT NULL ORDER BY c.practice_id, c.phone FOR UPDATE OF c) AS l
	WHERE c.practice_id = l.practice_id AND c.phone = l.phone
), ordered AS (
	INSERT INTO smsbridge.emergency (practice_id, message_id, person, reason)
	SELECT practice_id, id, person, why FROM ok WHERE why IS NOT NULL
), asked AS (
	INSERT INTO smsbridge.recipient AS r (practice_id, phone, verify_asked_at)
	SELECT DISTINCT practice_id, phone, $1 FROM ok WHERE category = 'verification' ORDER BY practice_id, phone
	ON CONFLICT (practice_id, phone) DO UPDATE SET verify_asked_at = excluded.verify_asked_at
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data)
	SELECT practice_id, id, 'message.accepted', $1, phone, patient,
		jsonb_build_object('time_zone', time_zone, 'zones', zones, 'category', category, 'characters', characters,
			'segments', segments, 'encoding', encoding, 'expires_at', expires_at, 'states', states, 'phi', phi,
			'body_sha256', encode(sha, 'hex'), 'key', api_key)
			|| CASE WHEN answers IS NULL THEN '{}' ELSE jsonb_build_object('answers', answers,
				'automatic', person IS NULL) END
			|| CASE WHEN template_id IS NULL THEN '{}'
				ELSE jsonb_build_object('template_id', template_id, 'template_version', template_version) END
			|| CASE WHEN person IS NULL THEN '{}' ELSE jsonb_build_object('person', person) END FROM ok
	UNION ALL
	SELECT practice_id, id, 'emergency.requested', $1, phone, patient,
		jsonb_build_object('person', person, 'reason', why, 'key', api_key) FROM ok WHERE why IS NOT NULL
	UNION ALL
	SELECT practice_id, NULL, 'recipient.verify_asked', $1, phone, patient, jsonb_build_object('message_id', id)
	FROM ok WHERE category = 'verification'
)
SELECT ord - 1 FROM ok
