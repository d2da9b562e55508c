-- An appointment's columns, for another status. $1 practice $2 ref. Returns JSON, or no row. Index: appointment_pkey.
SELECT to_jsonb(a)::text FROM smsbridge.appointment a WHERE practice_id = $1::uuid AND ref = $2::text
