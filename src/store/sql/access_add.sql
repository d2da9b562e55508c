-- Notes who touched patients' data. Arrays, one element a row: $1 practice $2 at $3 key id $4 action $5 method $6 route
-- $7 message id or null $8 patient or null $9 phone or null: only its hash is kept $10 rows $11 times $12 from
-- $13 HTTP status. Who the message is of is looked up. Index: message_pkey.
INSERT INTO smsbridge.access (practice_id, at, who_kind, principal, action, door, message_id, patient, phone_hash, rows,
	times, from_addr, outcome)
SELECT a.practice_id, a.at, 'key', a.principal, a.action, a.method || ' ' || a.route, a.message_id,
	coalesce(a.patient, m.patient), smsbridge.phone_hash(coalesce(a.phone, m.phone)), a.rows, a.times, a.from_addr,
	a.outcome::text
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[],
		$9::text[], $10::int4[], $11::int4[], $12::text[], $13::int4[])
	AS a(practice_id, at, principal, action, method, route, message_id, patient, phone, rows, times, from_addr, outcome)
	LEFT JOIN smsbridge.message m ON m.practice_id = a.practice_id AND m.id = a.message_id
