-- Names a person, with the event. $1 practice $2 id $3 name $4 role $5 now $6 by whom. Returns whether: the practice
-- may have one of that name. Index: person_name.
SELECT smsbridge.person_make($1::uuid, $2::uuid, $3::text, $4::text, $5::timestamptz, $6::text)
