-- A page of messages, oldest first, after an id. $1 practice $2 after or null $3 what is looked for, as JSON
-- (message_search of 0022_patient.sql) $4 whether the caller sees phones $5 limit + 1. Returns id and JSON.
SELECT id, body::text FROM smsbridge.message_search($1::uuid, $2::uuid, $3::text::jsonb, $4::bool, $5::int4)
