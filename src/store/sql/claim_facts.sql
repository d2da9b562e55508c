-- What the rules need to know of each recipient; to be run after claim_lock, for a snapshot that sees all before it.
-- Arrays: $1 practice, $2 phone, $3 patient; $4 since when sends matter; arrays: $5 sender $6 content key; $7 now.
-- Returns, in order: opted out (t/f), times of counted sends to the phone and to the patient, newest first, as arrays
-- of microseconds; the phone's flag ('dead', 'blocked' or ''), content stopped (t/f), and what holds the sender, a line
-- each: reason, until when in microseconds or "-", carrier.
-- Indexes: opt_out_active, message_phone, message_patient, phone_flag_pkey, content_stop_pkey, sender_hold_pkey.
SELECT EXISTS (SELECT FROM smsbridge.opt_out o
		WHERE o.practice_id = r.practice_id AND o.phone = r.phone AND o.lifted_at IS NULL),
	ARRAY(SELECT (extract(epoch FROM m.counted_at) * 1000000)::bigint FROM smsbridge.message m
		WHERE m.practice_id = r.practice_id AND m.phone = r.phone AND m.counted_at > $4::timestamptz
		ORDER BY m.counted_at DESC LIMIT 16),
	ARRAY(SELECT (extract(epoch FROM m.counted_at) * 1000000)::bigint FROM smsbridge.message m
		WHERE m.practice_id = r.practice_id AND m.patient = r.patient AND m.counted_at > $4::timestamptz
		ORDER BY m.counted_at DESC LIMIT 16),
	coalesce((SELECT max(f.kind) FROM smsbridge.phone_flag f
		WHERE f.practice_id = r.practice_id AND f.phone = r.phone AND f.sender IN ('', r.sender)), ''),
	EXISTS (SELECT FROM smsbridge.content_stop s
		WHERE s.practice_id = r.practice_id AND s.content_key = r.content_key),
	coalesce((SELECT string_agg(h.reason || ' ' || coalesce((extract(epoch FROM h.until_at) * 1000000)::bigint::text, '-')
			|| ' ' || h.carrier, E'\n')
		FROM smsbridge.sender_hold h WHERE h.sender = r.sender AND (h.until_at IS NULL OR h.until_at > $7::timestamptz)), '')
FROM unnest($1::uuid[], $2::text[], $3::text[], $5::text[], $6::int8[]) WITH ORDINALITY
	AS r(practice_id, phone, patient, sender, content_key, ord)
ORDER BY r.ord
