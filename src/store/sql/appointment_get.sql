-- One appointment as the API shows it. $1 practice $2 ref $3 phones are seen whole $4 texts are seen. Returns version
-- and JSON, or no row. Indexes: appointment_pkey, reminder_pkey, message_pkey.
SELECT a.version, smsbridge.appointment_json(a, $3::text::boolean, $4::text::boolean)::text
FROM smsbridge.appointment a WHERE a.practice_id = $1::uuid AND a.ref = $2::text
