-- Everything that an appointment's reminders are planned by. $1 practice $2 ref $3 phone $4 patient $5 kind $6 language
-- $7 now. Returns it as JSON and its md5, by which appointment_put knows that nothing changed meanwhile. Indexes: see
-- the function in migrations/0019_appointment.sql.
SELECT f::text, md5(f::text)
FROM smsbridge.appointment_facts($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::timestamptz) AS f
