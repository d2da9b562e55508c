-- Does what carriers' words about messages mean for others, in the transaction that applied them and under the locks
-- of the recipients whom a word stops: opted out is an opt-out, at every practice that shares the sender, that cancels
-- what waits (rows that a claim holds are skipped: it waits for our lock and will see it), unless the patient has
-- lifted one since the submit; a dead number and a blocked pair flag the phone, and a dead one's consents go stale, for
-- it may be somebody else's next (what clears the flag does not bring them back); spam stops the words; daily cap,
-- rate and registration hold the sender.
-- $1 at; arrays: $2 id for an opt-out $3 practice $4 message $5 phone $6 sender $7 carrier $8 word $9 the carrier's
-- code $10 content key $11 until when the sender is held (null: until somebody clears it) $12 when it was submitted,
-- or null.
-- Returns the ordinal (0-based) of each that changed something. Indexes: opt_out_active, opt_out_pkey,
-- message_waiting, message_phone, phone_flag_pkey, recipient_pkey, content_stop_pkey, sender_hold_pkey.
WITH v AS (
	SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
		$10::int8[], $11::timestamptz[], $12::timestamptz[]) WITH ORDINALITY
		AS v(new_id, practice_id, message_id, phone, sender, carrier, word, code, content_key, until, submitted_at, ord)
), stop AS (
	SELECT DISTINCT ON (p.id, v.phone) p.id AS practice_id, v.phone, v.message_id, v.carrier, v.code, v.ord,
		CASE WHEN p.id = v.practice_id THEN v.new_id ELSE smsbridge.id_at($1) END AS new_id,
		CASE WHEN p.sender_shared THEN 'sender' ELSE 'practice' END AS scope
	FROM v JOIN smsbridge.practice p ON p.id = v.practice_id OR (p.sender = v.sender AND p.sender_shared)
	WHERE v.word = 'opted_out' AND NOT EXISTS (SELECT FROM smsbridge.opt_out o
		WHERE o.practice_id = p.id AND o.phone = v.phone AND o.lifted_at > v.submitted_at)
	ORDER BY p.id, v.phone, p.id = v.practice_id DESC, v.ord
), made AS (
	INSERT INTO smsbridge.opt_out (practice_id, id, phone, method, word, created_at, heard_at, scope, channel)
	SELECT practice_id, new_id, phone, 'carrier', code, $1::timestamptz, $1, scope, 'carrier' FROM stop
	ON CONFLICT (practice_id, phone, category, source) WHERE lifted_at IS NULL DO UPDATE SET
		heard_at = greatest(opt_out.heard_at, excluded.heard_at)
	RETURNING CASE WHEN xmax = 0 THEN id END AS id
), waiting AS (
	SELECT m.practice_id, m.id, m.phone FROM stop s JOIN smsbridge.message m
		ON m.practice_id = s.practice_id AND m.phone = s.phone AND m.due_at IS NOT NULL
	WHERE m.category NOT IN ('opt_out_confirmation', 'resume_confirmation', 'help_reply')
	FOR UPDATE OF m SKIP LOCKED
), canceled AS (
	UPDATE smsbridge.message m SET status = 'canceled', reason = 'canceled_by_opt_out', due_at = NULL, updated_at = $1
	FROM waiting w WHERE m.practice_id = w.practice_id AND m.id = w.id
	RETURNING m.practice_id, m.id, m.phone
), flagged AS (
	INSERT INTO smsbridge.phone_flag (practice_id, phone, kind, sender, carrier, code, message_id, since)
	SELECT practice_id, phone, CASE word WHEN 'dead_number' THEN 'dead' ELSE 'blocked' END,
		CASE word WHEN 'dead_number' THEN '' ELSE sender END, carrier, code, message_id, $1
	FROM v WHERE word IN ('dead_number', 'blocked_pair')
	ON CONFLICT DO NOTHING
	RETURNING practice_id, phone, kind, sender, carrier, code, message_id
), stale AS (
	INSERT INTO smsbridge.recipient (practice_id, phone, stale_at, stale_reason)
	SELECT practice_id, phone, $1, 'number_dead' FROM flagged WHERE kind = 'dead'
	ON CONFLICT (practice_id, phone) DO UPDATE SET stale_at = greatest(recipient.stale_at, excluded.stale_at),
		stale_reason = excluded.stale_reason, verified_at = NULL
	RETURNING practice_id, phone
), stopped AS (
	INSERT INTO smsbridge.content_stop (practice_id, content_key, carrier, code, message_id, since)
	SELECT practice_id, content_key, carrier, code, message_id, $1 FROM v WHERE word = 'spam'
	ON CONFLICT DO NOTHING
	RETURNING practice_id, content_key, carrier, code, message_id
), held AS (
	INSERT INTO smsbridge.sender_hold AS h (sender, carrier, reason, until_at, code, practice_id, since)
	SELECT DISTINCT ON (sender, carrier, word) sender, carrier, CASE word WHEN 'registration' THEN 'sender_stopped'
		WHEN 'daily_cap' THEN 'carrier_daily_cap' ELSE 'carrier_rate' END, until, code, practice_id, $1
	FROM v WHERE word IN ('daily_cap', 'rate', 'registration') ORDER BY sender, carrier, word, until DESC
	ON CONFLICT (sender, carrier, reason) DO UPDATE SET until_at = excluded.until_at, code = excluded.code,
		practice_id = excluded.practice_id, since = CASE WHEN h.until_at > $1 THEN h.since ELSE excluded.since END
		WHERE h.until_at < excluded.until_at
	RETURNING practice_id, sender, carrier, reason, until_at, code, since
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, reason, data)
	SELECT s.practice_id, NULL,
		CASE WHEN s.new_id IN (SELECT id FROM made) THEN 'opt_out.created' ELSE 'opt_out.repeated' END, $1, s.phone, NULL,
		jsonb_build_object('id', s.new_id, 'method', 'carrier', 'word', s.code, 'scope', s.scope, 'category', '',
			'channel', 'carrier', 'carrier', s.carrier, 'message_id', s.message_id,
			'canceled', (SELECT count(*) FROM canceled c WHERE c.practice_id = s.practice_id AND c.phone = s.phone))
	FROM stop s
	UNION ALL
	SELECT practice_id, id, 'message.canceled', $1, NULL, 'canceled_by_opt_out', NULL FROM canceled
	UNION ALL
	SELECT m.practice_id, m.id, 'opt_out.in_flight', $1, m.phone, 'opt_out_in_flight', NULL
	FROM stop s JOIN smsbridge.message m ON m.practice_id = s.practice_id AND m.phone = s.phone
	WHERE m.status = 'sending' AND m.counted_at IS NOT NULL
	UNION ALL
	SELECT practice_id, NULL, 'phone.flagged', $1, phone, 'number_' || kind, jsonb_build_object('sender', sender,
		'carrier', carrier, 'code', code, 'message_id', message_id) FROM flagged
	UNION ALL
	SELECT s.practice_id, NULL, 'recipient.stale', $1, s.phone, NULL, jsonb_build_object('reason', 'number_dead',
		'by', 'carrier', 'carrier', f.carrier, 'message_id', f.message_id)
	FROM stale s JOIN flagged f ON f.practice_id = s.practice_id AND f.phone = s.phone AND f.kind = 'dead'
	UNION ALL
	SELECT practice_id, NULL, 'content.stopped', $1, NULL, 'carrier_spam', jsonb_build_object('content',
		lpad(to_hex(content_key), 16, '0'), 'carrier', carrier, 'code', code, 'message_id', message_id) FROM stopped
	UNION ALL
	SELECT practice_id, NULL, 'sender.held', $1, NULL, reason, jsonb_build_object('sender', sender, 'carrier', carrier,
		'code', code, 'until', until_at) FROM held WHERE since = $1
)
SELECT ord - 1 FROM v
WHERE new_id IN (SELECT id FROM made) OR message_id IN (SELECT message_id FROM flagged)
	OR message_id IN (SELECT message_id FROM stopped)
	OR (sender, carrier) IN (SELECT sender, carrier FROM held WHERE since = $1)
