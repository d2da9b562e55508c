-- A page of patients by their references. $1 practice $2 after or null $3 phone or null $4 whether the caller sees
-- phones $5 limit + 1. Returns ref, JSON. Indexes: patient_pkey; with a phone patient_phone.
SELECT p.ref, smsbridge.patient_json(p, $4::bool)::text FROM smsbridge.patient p
WHERE p.practice_id = $1::uuid AND ($2::text IS NULL OR p.ref > $2) AND ($3::text IS NULL OR p.phone = $3)
ORDER BY p.ref LIMIT $5::int4
