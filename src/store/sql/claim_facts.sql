-- What the rules need to know of each recipient; to be run after claim_lock, for a snapshot that sees all before it.
-- Arrays: $1 practice, $2 phone, $3 patient; $4 since when sends matter. Returns, in order: opted out (t/f), times of
-- counted sends to the phone and to the patient, newest first, as arrays of microseconds.
-- Indexes: opt_out_active, message_phone, message_patient.
SELECT EXISTS (SELECT FROM smsbridge.opt_out o
		WHERE o.practice_id = r.practice_id AND o.phone = r.phone AND o.lifted_at IS NULL),
	ARRAY(SELECT (extract(epoch FROM m.counted_at) * 1000000)::bigint FROM smsbridge.message m
		WHERE m.practice_id = r.practice_id AND m.phone = r.phone AND m.counted_at > $4::timestamptz
		ORDER BY m.counted_at DESC LIMIT 16),
	ARRAY(SELECT (extract(epoch FROM m.counted_at) * 1000000)::bigint FROM smsbridge.message m
		WHERE m.practice_id = r.practice_id AND m.patient = r.patient AND m.counted_at > $4::timestamptz
		ORDER BY m.counted_at DESC LIMIT 16)
FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS r(practice_id, phone, patient, ord)
ORDER BY r.ord
