-- Decides a task and does what that means; takes the recipient's lock. $1 practice $2 id
-- $3 kind that the decision is for $4 decision $5 effect $6 person $7 note $8 now.
-- Returns a problem's code or '', JSON, phone. Index: review_task_pkey.
SELECT problem, body::text, phone FROM smsbridge.task_decide($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text,
	$7::text, $8::timestamptz)
