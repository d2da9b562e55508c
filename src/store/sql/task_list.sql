-- Review tasks. $1 practice $2 open (t) or decided (f) $3 of this kind, or null $4 behind this id, or null $5 how many
-- $6 whether the caller sees phones $7 and texts. Returns id, JSON. Indexes: review_task_list, review_task_pkey.
SELECT t.id, (to_jsonb(smsbridge.task_json(t)) - CASE WHEN $7::boolean THEN '' ELSE 'text' END
	|| jsonb_build_object('phone', smsbridge.phone_shown(t.phone, $6::boolean)))::text FROM smsbridge.review_task t
WHERE t.practice_id = $1::uuid AND (t.decided_at IS NULL) = $2::boolean AND ($3::text IS NULL OR t.kind = $3)
	AND ($4::uuid IS NULL OR t.id > $4)
ORDER BY t.id LIMIT $5::int4
