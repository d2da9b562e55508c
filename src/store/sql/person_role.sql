-- Gives a person another role, with the event. $1 practice $2 id $3 role $4 now $5 by whom. Returns whether there is
-- such a person, not disabled. Index: person_pkey.
SELECT smsbridge.person_role($1::uuid, $2::uuid, $3::text, $4::timestamptz, $5::text)
