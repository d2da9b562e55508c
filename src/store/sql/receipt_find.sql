-- Finds the messages of receipts that the plain look-up did not match: by other spellings of the id, as one of a
-- message's parts or of an earlier attempt, by reference or by address (smsbridge.receipt_message).
-- Arrays: $1 carrier $2 candidates (id_keys, blank separated) $3 phone $4 sender $5 reference or null $6 at $7
-- doubtful (bool: only its text looks like a receipt). Returns ordinal (0-based), practice, message, attempt and
-- part (null for a whole message), how; how is 'pending', without a message, for a doubtful one between whose
-- addresses a submit is open. Indexes: message_carrier, message_part_carrier, message_open, practice_sender_key,
-- message_phone.
WITH v AS (
	SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int4[], $6::timestamptz[], $7::bool[])
		WITH ORDINALITY AS v(carrier, candidates, phone, sender, reference, at, doubtful, ord)
)
SELECT v.ord - 1, f.practice_id, f.id, f.attempt, f.part, f.how
FROM v CROSS JOIN LATERAL smsbridge.receipt_message(v.carrier, v.candidates, v.phone, v.sender, v.reference, v.at) AS f
UNION ALL
SELECT v.ord - 1, NULL, NULL, NULL, NULL, 'pending' FROM v
WHERE v.doubtful AND EXISTS (SELECT FROM smsbridge.practice p JOIN smsbridge.message m ON m.practice_id = p.id
	WHERE p.sender IN (v.sender, ltrim(v.sender, '+')) AND m.phone = v.phone AND m.counted_at IS NOT NULL
		AND m.status IN ('sending', 'uncertain', 'sent'))
