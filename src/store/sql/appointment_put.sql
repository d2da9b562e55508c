-- Stores an appointment with its reminders; to be run under the recipients' locks. $1 practice $2 md5 of the facts that
-- it was planned by $3 appointment $4 reminders (JSON) $5 reason for what is withdrawn $6 the API key $7 now, as the
-- facts were read $8 the phone was taken from the patient's row (t/f), and must be that row's still. Returns what was
-- done: 'stale' (nothing), 'same', 'created', 'moved' or 'changed'. Indexes: patient_pkey; see the function in
-- migrations/0019_appointment.sql.
SELECT CASE WHEN $8::boolean AND NOT EXISTS (SELECT FROM smsbridge.patient p WHERE p.practice_id = $1::uuid
		AND p.ref = $3::text::jsonb->>'patient' AND p.phone = $3::text::jsonb->>'phone') THEN 'stale'
	ELSE smsbridge.appointment_put($1::uuid, $2::text, $3::text::jsonb, $4::text::jsonb, $5::text, $6::text,
		$7::timestamptz) END
