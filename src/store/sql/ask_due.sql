-- Takes open questions whose time has come, for a minute and longer each time; after six times no more.
-- $1 now; arrays: $2 carriers that can be asked $3 how many of each. A submit whose answer never came has no id to ask
-- by: its question waits until a late answer or a receipt brings one. Returns what query_sm, cancel_sm and replace_sm
-- need. Indexes: ask_due, message_pkey.
WITH due AS (
	SELECT a.* FROM unnest($2::text[], $3::int4[]) AS c(carrier, free), LATERAL (
		SELECT q.practice_id, q.message_id, q.kind FROM smsbridge.ask q
			JOIN smsbridge.message m ON m.practice_id = q.practice_id AND m.id = q.message_id
		WHERE q.due_at <= $1::timestamptz AND q.carrier = c.carrier AND m.carrier_message_id IS NOT NULL
		ORDER BY q.due_at LIMIT c.free FOR UPDATE OF q SKIP LOCKED) AS a
), taken AS (
	UPDATE smsbridge.ask a SET attempts = a.attempts + 1,
		due_at = CASE WHEN a.attempts >= 5 THEN 'infinity' ELSE $1 + interval '1 minute' * 4 ^ a.attempts END
	FROM due d WHERE a.practice_id = d.practice_id AND a.message_id = d.message_id AND a.kind = d.kind
	RETURNING a.*
)
SELECT t.practice_id, t.message_id, t.kind, t.carrier, m.carrier_message_id, m.sender, m.phone, t.body, m.body,
	m.encoding
FROM taken t JOIN smsbridge.message m ON m.practice_id = t.practice_id AND m.id = t.message_id
WHERE m.status IN ('sent', 'uncertain', 'unconfirmed')
