-- Puts items into their batches, behind batch_lock and before accept, which stores the messages of those that are in.
-- $1 now; arrays, an element each: $2 practice $3 batch $4 upload $5 item $6 SHA-256 $7 reference or NULL $8 message,
-- or NULL when it was refused: $9 code $10 errors (JSON) or NULL; of a message $11 broadcast or NULL $12 phone
-- $13 patient.
-- No phone and no patient of one broadcast comes twice in one statement. Returns for each, in order, what became of it:
-- stored, refused (it had a message: somebody else in the broadcast has the phone or is the patient), repeated (it was
-- there), changed (something else was there), closed (the batch takes nothing more), lost (another request brings it
-- now). Indexes: batch_pkey, batch_item_pkey, broadcast_pkey, message_broadcast_phone, message_broadcast_patient.
WITH d AS (
	SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int4[], $6::bytea[], $7::text[], $8::uuid[], $9::text[],
		$10::text[], $11::uuid[], $12::text[], $13::text[]) WITH ORDINALITY
		AS d(practice_id, batch_id, upload, item, sha256, reference, message_id, code, errors, broadcast_id, phone, patient,
			ord)
), known AS (
	SELECT d.*, CASE WHEN b.upload IS DISTINCT FROM d.upload THEN CASE WHEN b.state IN ('canceling', 'canceled')
				THEN 'closed' ELSE 'lost' END
			WHEN o.sha256 = d.sha256 THEN 'repeated'
			WHEN o.sha256 IS NOT NULL OR b.state = 'received' THEN 'changed'
			WHEN b.state <> 'receiving' OR c.state IN ('canceling', 'canceled', 'done') THEN 'closed'
			ELSE 'stored' END AS result
	FROM d
		LEFT JOIN LATERAL (SELECT * FROM smsbridge.batch b
			WHERE b.practice_id = d.practice_id AND b.id = d.batch_id LIMIT 1) AS b ON true
		LEFT JOIN LATERAL (SELECT * FROM smsbridge.broadcast c
			WHERE c.practice_id = b.practice_id AND c.id = b.broadcast_id LIMIT 1) AS c ON true
		LEFT JOIN LATERAL (SELECT o.sha256 FROM smsbridge.batch_item o
			WHERE o.practice_id = d.practice_id AND o.batch_id = d.batch_id AND o.item = d.item LIMIT 1) AS o ON true
), twice AS (
	SELECT k.*, CASE WHEN k.message_id IS NULL OR k.broadcast_id IS NULL THEN NULL
		WHEN EXISTS (SELECT FROM smsbridge.message m WHERE m.practice_id = k.practice_id
			AND m.broadcast_id = k.broadcast_id AND m.phone = k.phone) THEN 'phone'
		WHEN EXISTS (SELECT FROM smsbridge.message m WHERE m.practice_id = k.practice_id
			AND m.broadcast_id = k.broadcast_id AND m.patient = k.patient) THEN 'patient' END AS again
	FROM known k WHERE k.result = 'stored'
), put AS (
	INSERT INTO smsbridge.batch_item (practice_id, batch_id, item, sha256, reference, message_id, code, errors)
	SELECT practice_id, batch_id, item, sha256, reference, CASE WHEN again IS NULL THEN message_id END,
		CASE WHEN again IS NULL THEN code ELSE 'duplicate_' || again END,
		CASE WHEN again IS NULL THEN errors::jsonb ELSE jsonb_build_array(jsonb_build_object('pointer', '/' || again,
			'code', 'duplicate_' || again, 'detail', 'The broadcast has a text for this ' || again || ' already.')) END
	FROM twice
	RETURNING practice_id, batch_id, item, message_id
), counted AS (
	UPDATE smsbridge.batch b SET items = b.items + n.items, accepted = b.accepted + n.accepted,
		refused = b.refused + n.items - n.accepted, upload_at = $1::timestamptz
	FROM (SELECT k.practice_id, k.batch_id, count(p.item) AS items, count(p.message_id) AS accepted
		FROM known k LEFT JOIN put p ON p.practice_id = k.practice_id AND p.batch_id = k.batch_id AND p.item = k.item
		WHERE k.result IN ('stored', 'repeated') GROUP BY 1, 2) AS n
	WHERE b.practice_id = n.practice_id AND b.id = n.batch_id
)
SELECT CASE WHEN t.again IS NULL THEN k.result ELSE 'refused' END
FROM known k LEFT JOIN twice t ON t.ord = k.ord
ORDER BY k.ord
