-- Takes open questions whose time has come, for a minute and longer each time; after six times no more.
-- $1 now, $2 carriers that can be asked, $3 how many. Returns what query_sm, cancel_sm and replace_sm need. Index:
-- ask_due.
WITH due AS (
	SELECT practice_id, message_id, kind FROM smsbridge.ask
	WHERE due_at <= $1::timestamptz AND carrier = ANY ($2::text[]) ORDER BY due_at LIMIT $3::int4 FOR UPDATE SKIP LOCKED
), taken AS (
	UPDATE smsbridge.ask a SET attempts = a.attempts + 1,
		due_at = CASE WHEN a.attempts >= 5 THEN 'infinity' ELSE $1 + interval '1 minute' * 4 ^ a.attempts END
	FROM due d WHERE a.practice_id = d.practice_id AND a.message_id = d.message_id AND a.kind = d.kind
	RETURNING a.*
)
SELECT t.practice_id, t.message_id, t.kind, t.carrier, m.carrier_message_id, m.sender, m.phone, t.body,
	m.encoding
FROM taken t JOIN smsbridge.message m ON m.practice_id = t.practice_id AND m.id = t.message_id
WHERE m.status IN ('sent', 'uncertain', 'unconfirmed') AND m.carrier_message_id IS NOT NULL
