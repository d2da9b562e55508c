-- Saves a plan of reminders, if it may be. $1 practice $2 kind $3 steps (JSON) $4 the API key $5 versions that may be
-- written over, NULL: all $6 now. Returns step, problem, version: one row with the version, or problems.
-- Indexes: see the function in migrations/0019_appointment.sql.
SELECT step, problem, version FROM smsbridge.plan_put($1::uuid, $2::text, $3::text::jsonb, $4::text, $5::bigint[],
	$6::timestamptz)
