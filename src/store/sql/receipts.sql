-- Applies receipts to whole messages. A receipt that is not told its message finds it by its first candidate within
-- the carrier, between the same two addresses (either way round), submitted in the two weeks before: the plain case,
-- nearly every one; the others are for receipt_find. Final words move the status forward, the carrier's word that it
-- refused the message for now moves it back to held, any word about an uncertain message shows that the carrier took
-- it. What moves nothing is message.news, once for each such word. A delivered receipt clears the phone's flag.
-- Arrays: $1 carrier $2 candidate (id_key) $3 phone $4 sender $5 status ('' when not final) $6 reason $7 event type
-- $8 data (JSON) $9 at; arrays that may be empty, then null for all: $10 practice $11 message $12 kept receipt $13
-- id as it came $14 the carrier's word $15 until when it is held.
-- Returns, for each that has its message: ordinal (0-based), carrier_message_id, 'moved', 'news' or 'repeated'; and
-- where there is a word: practice, message, phone, sender, body (of spam only), when it was submitted (microseconds
-- or null).
-- Indexes: message_carrier, message_pkey, event_message, phone_flag_pkey.
WITH v AS (
	SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
		$9::timestamptz[], $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::text[], $15::timestamptz[])
		WITH ORDINALITY AS v(carrier, candidate, phone, sender, status, reason, type, data, at, practice_id, message_id,
			kept, id_raw, word, until, ord)
), hit AS (
	SELECT v.ord, v.status, v.reason, v.type, v.data, v.at, v.kept, v.id_raw, v.word, v.until, false AS told_which,
		m.practice_id, m.id
	FROM v CROSS JOIN LATERAL (
		SELECT practice_id, id FROM smsbridge.message
		WHERE carrier = v.carrier AND smsbridge.id_key(carrier_message_id) = v.candidate
			AND carrier_message_id IS NOT NULL AND right(phone, 10) IN (right(v.phone, 10), right(v.sender, 10))
			AND coalesce(counted_at, created_at) > v.at - interval '14 days'
		ORDER BY coalesce(counted_at, created_at) DESC LIMIT 1) AS m
	WHERE v.message_id IS NULL
	UNION ALL
	SELECT ord, status, reason, type, data, at, kept, id_raw, word, until, true, practice_id, message_id
	FROM v WHERE message_id IS NOT NULL
), locked AS (
	SELECT hit.*, m.status AS was, m.carrier_message_id AS answered, m.phone, m.sender, m.attempts, m.counted_at,
		m.created_at, m.expires_at, m.carrier, CASE WHEN hit.word = 'spam' THEN m.body END AS body
	FROM hit JOIN smsbridge.message m ON m.practice_id = hit.practice_id AND m.id = hit.id
	ORDER BY m.practice_id, m.id FOR UPDATE OF m
), old AS ( -- a message may be met twice, by its id and as one that is told: the first final word about it counts
	SELECT *, nth = 1 AND status <> '' AND status <> was AND (was IN ('sent', 'uncertain', 'unconfirmed')
			OR (was = 'sending' AND status <> 'held')) AS moves,
		nth = 1 AND status = '' AND was = 'uncertain' AND told_which AND NOT final_too AS taken
	FROM (SELECT *, row_number() OVER (PARTITION BY practice_id, id, status = '' ORDER BY ord) AS nth,
			bool_or(status <> '') OVER (PARTITION BY practice_id, id) AS final_too FROM locked) AS l
), word AS (
	SELECT *, NOT moves AND NOT taken AND EXISTS (SELECT FROM smsbridge.event e WHERE e.message_id = old.id
			AND e.at >= old.created_at AND e.at <= old.at AND e.data->>'state' = old.data::jsonb->>'state'
			AND coalesce(e.data->>'err', '') = coalesce(old.data::jsonb->>'err', '')) AS repeated
	FROM old
), u AS (
	UPDATE smsbridge.message m SET
		status = CASE WHEN o.taken THEN 'sent' ELSE o.status END,
		reason = nullif(o.reason, ''),
		due_at = CASE WHEN o.status = 'held' THEN least(o.until, o.expires_at) END,
		counted_at = CASE WHEN o.status = 'held' THEN NULL ELSE m.counted_at END,
		attempts = m.attempts + CASE WHEN o.status = 'held' THEN 1 ELSE 0 END,
		carrier_message_id = CASE WHEN o.status <> 'held' THEN coalesce(m.carrier_message_id, nullif(o.id_raw, '')) END,
		updated_at = o.at
	FROM old o WHERE (o.moves OR o.taken) AND m.practice_id = o.practice_id AND m.id = o.id
), earlier AS ( -- the id of the attempt that is over
	INSERT INTO smsbridge.message_part (practice_id, message_id, attempt, part, parts, carrier, carrier_message_id, status,
		reason, updated_at)
	SELECT practice_id, id, attempts, 0, 1, carrier, coalesce(answered, nullif(id_raw, '')), 'held', reason, at
	FROM old WHERE moves AND status = 'held'
	ON CONFLICT DO NOTHING
), cleared AS (
	DELETE FROM smsbridge.phone_flag f USING old o
	WHERE o.moves AND o.status = 'delivered' AND f.practice_id = o.practice_id AND f.phone = o.phone
		AND f.sender IN ('', o.sender)
	RETURNING f.practice_id, f.phone, f.kind, o.id, o.at
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, reason, data)
	SELECT practice_id, id, CASE WHEN moves THEN type WHEN taken THEN 'message.sent' ELSE 'message.news' END, at, NULL,
		CASE WHEN taken THEN 'taken_by_receipt' ELSE nullif(reason, '') END, data::jsonb
	FROM word WHERE NOT repeated
	UNION ALL -- the practice was told that it is sent
	SELECT practice_id, id, 'message.held', at, NULL, reason, jsonb_build_object('until', least(until, expires_at))
	FROM old WHERE moves AND status = 'held'
	UNION ALL
	SELECT practice_id, NULL, 'phone.cleared', at, phone, 'number_' || kind,
		jsonb_build_object('by', 'receipt', 'message_id', id) FROM cleared
), gone AS (
	DELETE FROM smsbridge.receipt r USING old o WHERE r.id = o.kept
)
SELECT ord - 1, answered, CASE WHEN moves OR taken THEN 'moved' WHEN repeated THEN 'repeated' ELSE 'news' END,
	CASE WHEN word <> '' THEN practice_id END, CASE WHEN word <> '' THEN id END, CASE WHEN word <> '' THEN phone END,
	CASE WHEN word <> '' THEN sender END, body,
	CASE WHEN word <> '' THEN (extract(epoch FROM counted_at) * 1000000)::bigint END
FROM word
