-- Disables a person and revokes the person's keys, with the events. $1 practice $2 id $3 now $4 by whom. Returns
-- whether there is such a person. Indexes: person_pkey, api_key_person.
SELECT smsbridge.person_disable($1::uuid, $2::uuid, $3::timestamptz, $4::text)
