-- Kept receipts that fit a message by now: by id, or, for a submit whose answer never came, as the only uncertain
-- message of that carrier to that phone. $1 how many of the newest are looked at. Returns kept id, carrier,
-- candidates, phone, sender, state, error, raw, practice, message, how. Indexes: message_carrier, message_open.
SELECT r.id, r.carrier, r.candidates, r.phone, r.sender, r.state, r.error, r.raw, f.practice_id, f.id, f.how
FROM (SELECT * FROM smsbridge.receipt ORDER BY received_at DESC LIMIT $1::int4) AS r CROSS JOIN LATERAL (
	(SELECT c.practice_id, c.id, 'id' AS how
		FROM unnest(string_to_array(r.candidates, ' ')) WITH ORDINALITY AS s(spelling, place), LATERAL (
			SELECT practice_id, id, phone = r.phone AS same_phone FROM smsbridge.message
			WHERE carrier = r.carrier AND smsbridge.id_key(carrier_message_id) = s.spelling
				AND carrier_message_id IS NOT NULL
			ORDER BY phone = r.phone DESC, counted_at DESC LIMIT 1) AS c
		ORDER BY c.same_phone DESC, s.place LIMIT 1)
	UNION ALL
	(SELECT min(practice_id::text)::uuid, min(m.id::text)::uuid, 'address' FROM smsbridge.message m
		WHERE m.status = 'uncertain' AND m.carrier = r.carrier AND m.phone = r.phone AND m.sender = r.sender
			AND m.carrier_message_id IS NULL
		HAVING count(*) = 1)
	LIMIT 1) AS f
ORDER BY r.received_at LIMIT 256
