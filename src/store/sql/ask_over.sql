-- Ends a question by the carrier's answer. $1 practice $2 message $3 kind $4 whether the carrier did it $5 at
-- $6 command_status, '' when it was not asked: the text cannot be written as the one before. A message that it gave
-- back never reached the phone; a text that it replaced is the message's now.
-- Indexes: ask_pkey, message_pkey.
WITH asked AS (
	DELETE FROM smsbridge.ask WHERE practice_id = $1::uuid AND message_id = $2::uuid AND kind = $3::text RETURNING *
), canceled AS (
	UPDATE smsbridge.message m SET status = 'canceled', reason = a.reason, counted_at = NULL, updated_at = $5::timestamptz
	FROM asked a WHERE $4::bool AND a.kind = 'cancel' AND m.practice_id = a.practice_id AND m.id = a.message_id
		AND m.status IN ('sent', 'uncertain', 'unconfirmed')
	RETURNING m.practice_id, m.id, m.reason
), replaced AS (
	UPDATE smsbridge.message m SET body = a.body, characters = char_length(a.body),
		body_sha256 = sha256(convert_to(a.body, 'UTF8')), template_id = NULL, updated_at = $5
	FROM asked a WHERE $4 AND a.kind = 'replace' AND m.practice_id = a.practice_id AND m.id = a.message_id
	RETURNING m.practice_id, m.id, m.body_sha256
)
INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason, data)
SELECT practice_id, id, 'message.canceled', $5, reason, '{"refund": true, "recalled": true}'::jsonb FROM canceled
UNION ALL
SELECT practice_id, id, 'message.replaced', $5, NULL,
	jsonb_build_object('at', 'carrier', 'body_sha256', encode(body_sha256, 'hex')) FROM replaced
UNION ALL
SELECT practice_id, message_id, 'message.news', $5,
	CASE kind WHEN 'cancel' THEN 'recall_refused' ELSE 'replace_refused' END,
	jsonb_strip_nulls(jsonb_build_object('carrier', carrier, 'command_status', nullif($6::text, '')))
FROM asked WHERE NOT $4 AND kind <> 'query'
