-- Opt-outs of a phone at a practice, lifted ones too, and of everybody's that hold here. $1 practice $2 phone $3 behind
-- this id, or null $4 how many $5 whether the caller sees phones $6 and texts. Returns id, JSON. Index: opt_out_phone.
SELECT o.id, (to_jsonb(smsbridge.opt_out_json(o)) - CASE WHEN $6::bool THEN '' ELSE 'words' END
	|| jsonb_build_object('phone', smsbridge.phone_shown(o.phone, $5::bool)))::text FROM smsbridge.opt_out o
WHERE o.practice_id IN ($1::uuid, '00000000-0000-0000-0000-000000000000') AND o.phone = $2::text
	AND ($3::uuid IS NULL OR o.id > $3)
ORDER BY o.id LIMIT $4::int4
