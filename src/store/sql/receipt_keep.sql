-- Keeps receipts that fit no message yet. Arrays: $1 id $2 carrier $3 candidates $4 phone $5 sender $6 state $7
-- error $8 raw $9 received_at $10 id as it came $11 reference or null.
WITH v AS (
	SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
		$9::timestamptz[], $10::text[], $11::int4[])
		AS v(id, carrier, candidates, phone, sender, state, error, raw, received_at, carrier_message_id, reference)
), kept AS (
	INSERT INTO smsbridge.receipt (id, carrier, candidates, phone, sender, state, error, raw, received_at,
		carrier_message_id, reference)
	SELECT id, carrier, candidates, phone, sender, state, error, raw, received_at, carrier_message_id, reference FROM v
)
INSERT INTO smsbridge.event (practice_id, type, at, data)
SELECT '00000000-0000-0000-0000-000000000000', 'receipt.unmatched', received_at,
	jsonb_build_object('carrier', carrier, 'carrier_message_id', carrier_message_id, 'state', state) FROM v
