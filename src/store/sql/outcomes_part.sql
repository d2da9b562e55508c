-- Writes what became of the parts of messages that go as several submits. The message moves when every part of its
-- attempt has an answer: all taken: sent; some taken or unknown, none refused: uncertain; none taken: back to held,
-- or ended, as a whole, with a refund; some taken and some refused: undelivered (part_refused), since a second try
-- would show the patient the first part again. Until then an answer is message.news.
-- Arrays: $1 practice $2 id $3 part $4 parts $5 status $6 reason $7 due_at $8 carrier $9 carrier_message_id $10 data
-- (JSON) $11 at $12 the carrier's word $13 refused for a passing reason (bool).
-- Returns, for each with a word: ordinal (0-based), practice, message, phone, sender, body (of spam only), when it
-- was submitted (microseconds or null).
-- Indexes: message_pkey, message_part_pkey.
WITH v AS (
	SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int4[], $4::int4[], $5::text[], $6::text[], $7::timestamptz[],
		$8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::bool[]) WITH ORDINALITY
		AS v(practice_id, id, part, parts, status, reason, due_at, carrier, carrier_message_id, data, at, word, passing, ord)
), old AS (
	SELECT v.*, m.status AS was, m.attempts AS attempt
	FROM v JOIN smsbridge.message m ON m.practice_id = v.practice_id AND m.id = v.id
	ORDER BY m.practice_id, m.id FOR UPDATE OF m
), written AS ( -- a late answer settles what was uncertain, nothing else is told twice
	INSERT INTO smsbridge.message_part AS p (practice_id, message_id, attempt, part, parts, carrier, carrier_message_id,
		status, reason, updated_at)
	SELECT DISTINCT ON (practice_id, id, part) practice_id, id, attempt, part, parts, carrier, carrier_message_id, status,
		reason, at
	FROM old WHERE was IN ('sending', 'uncertain') ORDER BY practice_id, id, part, ord
	ON CONFLICT (practice_id, message_id, attempt, part) DO UPDATE SET status = excluded.status, reason = excluded.reason,
		carrier_message_id = coalesce(p.carrier_message_id, excluded.carrier_message_id), updated_at = excluded.updated_at
		WHERE p.status = 'uncertain'
	RETURNING p.practice_id, p.message_id, p.attempt, p.part, p.status, p.reason
), whole AS (
	SELECT d.practice_id, d.id, d.parts, d.due_at, d.at, d.last, d.passing, c.*
	FROM (SELECT practice_id, id, attempt, max(parts) AS parts, max(due_at) AS due_at, max(at) AS at, max(ord) AS last,
			bool_or(passing) AS passing
		FROM old WHERE was IN ('sending', 'uncertain') GROUP BY practice_id, id, attempt) AS d, LATERAL (
		SELECT count(*) AS known, count(*) FILTER (WHERE p.status IN ('sent', 'delivered')) AS sent,
			count(*) FILTER (WHERE p.status = 'uncertain') AS uncertain, bool_or(p.status = 'held') AS held,
			bool_and(p.status = 'canceled') AS canceled,
			min(p.reason) FILTER (WHERE p.status NOT IN ('sent', 'delivered', 'uncertain')) AS why,
			min(p.reason) FILTER (WHERE p.status = 'uncertain') AS unknown
		FROM (SELECT w.status, w.reason FROM written w
			WHERE w.practice_id = d.practice_id AND w.message_id = d.id AND w.attempt = d.attempt
			UNION ALL
			SELECT q.status, q.reason FROM smsbridge.message_part q
			WHERE q.practice_id = d.practice_id AND q.message_id = d.id AND q.attempt = d.attempt AND q.part > 0
				AND NOT EXISTS (SELECT FROM written w WHERE w.practice_id = q.practice_id AND w.message_id = q.message_id
					AND w.attempt = q.attempt AND w.part = q.part)) AS p) AS c
), verdict AS (
	SELECT *, CASE WHEN sent = parts THEN 'sent' WHEN sent + uncertain = parts THEN 'uncertain'
			WHEN sent + uncertain > 0 THEN 'undelivered' WHEN held THEN 'held' WHEN canceled THEN 'canceled' ELSE 'failed'
			END AS status
	FROM whole WHERE known = parts
), u AS (
	UPDATE smsbridge.message m SET status = r.status,
		reason = CASE r.status WHEN 'sent' THEN NULL WHEN 'uncertain' THEN r.unknown WHEN 'undelivered' THEN 'part_refused'
			ELSE r.why END,
		due_at = CASE WHEN r.status = 'held' THEN least(coalesce(r.due_at, r.at), m.expires_at) END,
		counted_at = CASE WHEN r.status IN ('held', 'failed', 'canceled') THEN NULL ELSE m.counted_at END,
		attempts = CASE WHEN r.status IN ('held', 'failed', 'canceled') THEN m.attempts + 1 ELSE m.attempts END,
		refusals = m.refusals + CASE WHEN r.status = 'held' AND r.passing THEN 1 ELSE 0 END, updated_at = r.at
	FROM verdict r WHERE m.practice_id = r.practice_id AND m.id = r.id AND m.status <> r.status
		AND (m.status = 'sending' OR (m.status = 'uncertain' AND r.status IN ('sent', 'failed', 'undelivered')))
	RETURNING m.practice_id, m.id, r.last, m.status, m.reason
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason, data)
	SELECT o.practice_id, o.id,
		CASE WHEN u.id IS NULL THEN 'message.news' WHEN u.status = 'held' THEN 'message.requeued'
			ELSE 'message.' || u.status END,
		o.at, CASE WHEN u.id IS NULL THEN o.reason ELSE u.reason END, o.data::jsonb
			|| CASE WHEN u.status IN ('held', 'failed', 'canceled') THEN '{"refund": true}'::jsonb ELSE '{}'::jsonb END
	FROM old o LEFT JOIN u ON u.practice_id = o.practice_id AND u.id = o.id AND u.last = o.ord
)
SELECT o.ord - 1, m.practice_id, m.id, m.phone, m.sender, CASE WHEN o.word = 'spam' THEN m.body END,
	(extract(epoch FROM m.counted_at) * 1000000)::bigint
FROM old o JOIN smsbridge.message m ON m.practice_id = o.practice_id AND m.id = o.id
WHERE o.word <> ''
