-- Queues the one automatic answer to a text (to a keyword: 47 CFR 64.1200(a)(12)): outside caps and quiet hours,
-- dropped when over 5 minutes late; none after the third within a day, since who writes so much may be a machine. To be
-- run under the recipient's lock.
-- $1 practice $2 id $3 phone $4 sender $5 body $6 encoding $7 characters $8 category $9 at $10 inbound id.
-- Index: recipient_pkey.
WITH counted AS (
	INSERT INTO smsbridge.recipient AS r (practice_id, phone, auto_replies, auto_reply_at)
	VALUES ($1::uuid, $3::text, 1, $9::timestamptz)
	ON CONFLICT (practice_id, phone) DO UPDATE SET
		auto_replies = CASE WHEN r.auto_reply_at > $9 - interval '1 day' THEN r.auto_replies + 1 ELSE 1 END,
		auto_reply_at = CASE WHEN r.auto_reply_at > $9 - interval '1 day' THEN r.auto_reply_at ELSE $9 END,
		muted_at = CASE WHEN r.auto_reply_at > $9 - interval '1 day' AND r.auto_replies = 3 THEN $9 ELSE r.muted_at END
	RETURNING auto_replies
), made AS (
	INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters, segments,
		category, priority, expires_at, status, due_at, created_at, updated_at, body_sha256, answers)
	SELECT $1, $2::uuid, '', $3, $4::text, '', $5::text, $6::text, $7::int4, 1, $8::text, 0,
		$9 + interval '5 minutes', 'queued', $9, $9, $9, sha256(convert_to($5, 'UTF8')),
		CASE $8 WHEN 'conversational_reply' THEN $10::uuid END
	FROM counted WHERE auto_replies <= 3
	ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, reason, data)
SELECT $1, id, 'message.accepted', $9, $3, NULL, jsonb_build_object('category', $8, 'inbound_id', $10,
	'body_sha256', encode(sha256(convert_to($5, 'UTF8')), 'hex'))
	|| CASE $8 WHEN 'conversational_reply' THEN jsonb_build_object('answers', $10, 'automatic', true) ELSE '{}' END
FROM made
UNION ALL
SELECT $1, NULL, 'notice.muted', $9, $3, 'notice_muted', jsonb_build_object('inbound_id', $10)
FROM counted WHERE auto_replies = 4
