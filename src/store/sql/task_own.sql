-- A person takes a task. $1 practice $2 id $3 person $4 now. Returns a problem's code or '', JSON, phone.
-- Index: review_task_pkey.
SELECT problem, body::text, phone FROM smsbridge.task_own($1::uuid, $2::uuid, $3::text, $4::timestamptz)
