-- A page of appointments by time. $1 practice; NULL for any: $2 patient $3 phone $4 status $5 kind $6 from $7 to (not
-- itself) $8 start and $9 ref of the last one of the page before $10 limit + 1 $11 phones are seen whole $12 texts are
-- seen. Returns JSON, start and ref. Indexes: appointment_patient, appointment_phone, appointment_time.
SELECT smsbridge.appointment_json(a, $11::text::boolean, $12::text::boolean)::text,
	to_char(a.starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.ref
FROM smsbridge.appointment a
WHERE a.practice_id = $1::uuid AND ($2::text IS NULL OR a.patient = $2) AND ($3::text IS NULL OR a.phone = $3)
	AND ($4::text IS NULL OR a.status = $4) AND ($5::text IS NULL OR a.kind = $5)
	AND a.starts_at >= coalesce($6::text::timestamptz, '-infinity')
	AND a.starts_at < coalesce($7::text::timestamptz, 'infinity')
	AND ($8::text::timestamptz IS NULL OR (a.starts_at, a.ref) > ($8::text::timestamptz, $9::text))
ORDER BY a.starts_at, a.ref LIMIT $10::int4
