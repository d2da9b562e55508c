-- Gives back questions that ask_due took and that found no slot. $1 now; arrays: $2 practice $3 message $4 kind. Index:
-- ask_pkey.
UPDATE smsbridge.ask a SET attempts = a.attempts - 1, due_at = $1::timestamptz
FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS v(practice_id, message_id, kind)
WHERE a.practice_id = v.practice_id AND a.message_id = v.message_id AND a.kind = v.kind
