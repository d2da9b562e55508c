-- Applies receipts to parts of messages and to earlier attempts, which receipt_find found. A message is delivered
-- when all its parts are, undelivered when one fails. What comes for an attempt that the carrier had refused is
-- news, unless it says delivered while the message waits for its next try: then there is none.
-- Arrays: $1 practice $2 message $3 attempt $4 part $5 status ('' when not final) $6 reason $7 data (JSON) $8 at $9
-- kept receipt or null $10 the carrier's word. Returns ordinal (0-based), carrier_message_id, 'moved', 'news' or
-- 'repeated'; and where there is a word: practice, message, phone, sender, body (of spam only), when it was
-- submitted. Indexes: message_pkey, message_part_pkey, event_message.
WITH v AS (
	SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int4[], $4::int4[], $5::text[], $6::text[], $7::text[],
		$8::timestamptz[], $9::uuid[], $10::text[]) WITH ORDINALITY
		AS v(practice_id, id, attempt, part, status, reason, data, at, kept, word, ord)
), old AS (
	SELECT v.*, m.status AS was, m.attempts, m.phone, m.sender, m.counted_at, m.created_at,
		CASE WHEN v.word = 'spam' THEN m.body END AS body
	FROM v JOIN smsbridge.message m ON m.practice_id = v.practice_id AND m.id = v.id
	ORDER BY m.practice_id, m.id FOR UPDATE OF m
), written AS (
	UPDATE smsbridge.message_part p SET status = o.status, reason = nullif(o.reason, ''), updated_at = o.at
	FROM (SELECT DISTINCT ON (practice_id, id, attempt, part) * FROM old WHERE part > 0 AND status <> ''
		ORDER BY practice_id, id, attempt, part, ord) AS o
	WHERE p.practice_id = o.practice_id AND p.message_id = o.id AND p.attempt = o.attempt AND p.part = o.part
		AND p.status IN ('sent', 'uncertain', 'unconfirmed') AND p.status <> o.status
	RETURNING p.practice_id, p.message_id, p.attempt, p.part, p.status, p.reason, o.ord
), whole AS (
	SELECT d.practice_id, d.id, d.attempt, d.at, d.last, c.*
	FROM (SELECT practice_id, id, attempt, max(at) AS at, max(ord) AS last FROM old WHERE part > 0
		GROUP BY practice_id, id, attempt) AS d, LATERAL (
		SELECT max(p.parts) AS parts, count(*) FILTER (WHERE p.status = 'delivered') AS delivered,
			count(*) FILTER (WHERE p.status = 'unconfirmed') AS unconfirmed,
			bool_or(p.status = 'expired') AS expired, bool_or(p.status = 'undelivered') AS undelivered,
			min(p.reason) FILTER (WHERE p.status = 'undelivered') AS why,
			min(p.reason) FILTER (WHERE p.status = 'expired') AS late
		FROM (SELECT q.parts, coalesce(w.status, q.status) AS status, coalesce(w.reason, q.reason) AS reason
			FROM smsbridge.message_part q LEFT JOIN written w ON w.practice_id = q.practice_id
				AND w.message_id = q.message_id AND w.attempt = q.attempt AND w.part = q.part
			WHERE q.practice_id = d.practice_id AND q.message_id = d.id AND q.attempt = d.attempt AND q.part > 0) AS p) AS c
), verdict AS (
	SELECT *, CASE WHEN undelivered THEN 'undelivered' WHEN expired THEN 'expired' WHEN delivered = parts THEN 'delivered'
			WHEN delivered + unconfirmed = parts THEN 'unconfirmed' END AS status
	FROM whole
	UNION ALL
	SELECT practice_id, id, attempts, at, ord, 1, 1, 0, false, false, NULL, NULL, 'delivered'
	FROM old WHERE part = 0 AND status = 'delivered' AND was = 'held'
), u AS (
	UPDATE smsbridge.message m SET status = r.status, due_at = NULL, updated_at = r.at,
		reason = CASE r.status WHEN 'undelivered' THEN r.why WHEN 'expired' THEN r.late
			WHEN 'unconfirmed' THEN 'receipt_unknown' END,
		counted_at = CASE WHEN m.status = 'held' THEN r.at ELSE m.counted_at END
	FROM verdict r WHERE r.status IS NOT NULL AND m.practice_id = r.practice_id AND m.id = r.id AND m.status <> r.status
		AND m.attempts = r.attempt AND m.status IN ('sending', 'sent', 'uncertain', 'unconfirmed',
			CASE WHEN r.status = 'delivered' THEN 'held' ELSE 'sent' END)
	RETURNING m.practice_id, m.id, r.last, m.status, m.reason
), word AS (
	SELECT o.*, u.status AS now, u.reason AS why, p.carrier_message_id AS answered,
		u.id IS NOT NULL OR EXISTS (SELECT FROM written w WHERE w.ord = o.ord) AS moves,
		u.id IS NULL AND EXISTS (SELECT FROM smsbridge.event e WHERE e.message_id = o.id AND e.at >= o.created_at
			AND e.at <= o.at AND e.data->>'state' = o.data::jsonb->>'state'
			AND coalesce(e.data->>'err', '') = coalesce(o.data::jsonb->>'err', '')
			AND e.data->>'part' IS NOT DISTINCT FROM o.data::jsonb->>'part') AS repeated
	FROM old o LEFT JOIN u ON u.practice_id = o.practice_id AND u.id = o.id AND u.last = o.ord
		LEFT JOIN smsbridge.message_part p ON p.practice_id = o.practice_id AND p.message_id = o.id
			AND p.attempt = o.attempt AND p.part = o.part
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason, data)
	SELECT practice_id, id, coalesce('message.' || now, 'message.news'), at,
		CASE WHEN now IS NULL THEN nullif(reason, '') ELSE why END, data::jsonb
	FROM word WHERE NOT repeated
), gone AS (
	DELETE FROM smsbridge.receipt r USING old o WHERE r.id = o.kept
)
SELECT ord - 1, answered, CASE WHEN moves THEN 'moved' WHEN repeated THEN 'repeated' ELSE 'news' END,
	CASE WHEN word <> '' THEN practice_id END, CASE WHEN word <> '' THEN id END, CASE WHEN word <> '' THEN phone END,
	CASE WHEN word <> '' THEN sender END, body,
	CASE WHEN word <> '' THEN (extract(epoch FROM counted_at) * 1000000)::bigint END
FROM word
