-- Applies receipts: each finds its message by id within its carrier (or is told which): the same phone before others,
-- then the id as it came before other spellings, then the newest. The plain case, same phone and id as it came, is
-- looked up first: it is nearly every one. Final words move the status forward; what does not is message.news.
-- Arrays: $1 carrier $2 candidates (id_keys, blank separated) $3 phone $4 status ('' when not final) $5 reason $6
-- event type $7 data (JSON) $8 at $9 practice or null $10 message or null $11 id of the kept receipt or null.
-- Returns the ordinal (0-based) of each receipt that fits no message. Indexes: message_carrier, message_pkey.
WITH v AS (
	SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
		$8::timestamptz[], $9::uuid[], $10::uuid[], $11::uuid[]) WITH ORDINALITY
		AS v(carrier, candidates, phone, status, reason, type, data, at, practice_id, message_id, kept, ord)
), plain AS (
	SELECT v.ord, v.status, v.reason, v.type, v.data, v.at, v.kept, m.practice_id, m.id
	FROM v CROSS JOIN LATERAL (
		SELECT practice_id, id FROM smsbridge.message
		WHERE carrier = v.carrier AND smsbridge.id_key(carrier_message_id) = split_part(v.candidates, ' ', 1)
			AND carrier_message_id IS NOT NULL AND phone = v.phone
		ORDER BY counted_at DESC LIMIT 1) AS m
	WHERE v.message_id IS NULL
), hit AS (
	SELECT * FROM plain
	UNION ALL
	SELECT v.ord, v.status, v.reason, v.type, v.data, v.at, v.kept, m.practice_id, m.id
	FROM v CROSS JOIN LATERAL (
		SELECT c.practice_id, c.id
		FROM unnest(string_to_array(v.candidates, ' ')) WITH ORDINALITY AS s(spelling, place), LATERAL (
			SELECT practice_id, id, phone = v.phone AS same_phone FROM smsbridge.message
			WHERE carrier = v.carrier AND smsbridge.id_key(carrier_message_id) = s.spelling
				AND carrier_message_id IS NOT NULL
			ORDER BY phone = v.phone DESC, counted_at DESC LIMIT 1) AS c
		ORDER BY c.same_phone DESC, s.place LIMIT 1) AS m
	WHERE v.message_id IS NULL AND v.ord NOT IN (SELECT ord FROM plain)
	UNION ALL
	SELECT ord, status, reason, type, data, at, kept, practice_id, message_id FROM v WHERE message_id IS NOT NULL
), old AS (
	SELECT hit.*, hit.status <> '' AND m.status IN ('sending', 'sent', 'uncertain', 'unconfirmed') AS moves
	FROM hit JOIN smsbridge.message m ON m.practice_id = hit.practice_id AND m.id = hit.id
	FOR UPDATE OF m
), u AS (
	UPDATE smsbridge.message m SET status = o.status, reason = nullif(o.reason, ''), updated_at = o.at
	FROM old o WHERE o.moves AND m.practice_id = o.practice_id AND m.id = o.id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason, data)
	SELECT practice_id, id, CASE WHEN moves THEN type ELSE 'message.news' END, at, nullif(reason, ''), data::jsonb FROM old
), gone AS (
	DELETE FROM smsbridge.receipt r USING old o WHERE r.id = o.kept
)
SELECT ord - 1 FROM v WHERE ord NOT IN (SELECT ord FROM hit)
