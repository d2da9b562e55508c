-- Kept receipts that fit a message by now (smsbridge.receipt_message). $1 how many of the newest are looked at.
-- Returns kept id, carrier, candidates, phone, sender, state, error, raw, practice, message, how, id as it came,
-- attempt and part (null for a whole message), when it was received (microseconds). Indexes: message_carrier,
-- message_part_carrier, message_open.
SELECT r.id, r.carrier, r.candidates, r.phone, r.sender, r.state, r.error, r.raw, f.practice_id, f.id, f.how,
	r.carrier_message_id, f.attempt, f.part, (extract(epoch FROM r.received_at) * 1000000)::bigint
FROM (SELECT * FROM smsbridge.receipt ORDER BY received_at DESC LIMIT $1::int4) AS r
	CROSS JOIN LATERAL smsbridge.receipt_message(r.carrier, r.candidates, r.phone, r.sender, r.reference,
		r.received_at) AS f
ORDER BY r.received_at LIMIT 256
