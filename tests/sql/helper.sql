-- What the SQL tests share: events as the gateway writes them, and assertions that print "ok NAME" or "not ok NAME".
-- A label stands for a message; t.found() lists the violations by rule and label. Each case runs in a transaction of its
-- own that is rolled back.

CREATE SCHEMA t;
GRANT USAGE ON SCHEMA t TO PUBLIC;
CREATE TABLE t.gsm7 (code integer, extension boolean);
CREATE TABLE t.category (code text, notice boolean);
CREATE TABLE t.label (label text PRIMARY KEY, id uuid NOT NULL DEFAULT gen_random_uuid());
GRANT SELECT ON t.label TO PUBLIC;
INSERT INTO smsbridge.practice (id, name, phone, sender, created_at) VALUES
	('11111111-1111-7111-8111-111111111111', 'North Clinic', '+12025550190', '+12025550191', '2026-01-01T00:00:00Z'),
	('22222222-2222-7222-8222-222222222222', 'South Clinic', '+13125550190', '+13125550191', '2026-01-01T00:00:00Z');

INSERT INTO smsbridge.event (practice_id, type, at, data)
SELECT id, 'practice.changed', created_at, '{"change": "added", "settings": {"consent_mode": "attested"}}'
	FROM smsbridge.practice;

CREATE FUNCTION t.practice(number integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
	SELECT (ARRAY['11111111-1111-7111-8111-111111111111', '22222222-2222-7222-8222-222222222222'])[number]::uuid
$$;
CREATE FUNCTION t.id(wanted text) RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT id FROM t.label WHERE label = wanted $$;

-- accept.sql and notice.sql: the message and its message.accepted.
CREATE FUNCTION t.accept(label text, phone text, at timestamptz, patient text DEFAULT NULL,
	category text DEFAULT 'appointment_reminder', time_zone text DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
	body text DEFAULT 'See you soon. Reply STOP to end.', practice integer DEFAULT 1, inbound_id uuid DEFAULT NULL,
	said jsonb DEFAULT '{}')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	patient_ text := coalesce(patient, 'patient of ' || phone);
	expires timestamptz := coalesce(expires_at, at + interval '60 days');
BEGIN
	INSERT INTO t.label (label) VALUES (label);
	IF inbound_id IS NOT NULL THEN
		patient_ := '';
	END IF;
	INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, time_zone, zones, body, encoding, characters,
		segments, category, priority, expires_at, status, due_at, created_at, updated_at)
	VALUES (t.practice(practice), t.id(label), patient_, phone, '+12025550191', time_zone, coalesce(time_zone, ''), body,
		'gsm7', 1, 1, category, 1, expires, 'queued', at, at, at);
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data)
	VALUES (t.practice(practice), t.id(label), 'message.accepted', at, phone, nullif(patient_, ''),
		CASE WHEN inbound_id IS NULL
			THEN jsonb_build_object('time_zone', time_zone, 'category', category, 'expires_at', expires)
			ELSE jsonb_build_object('category', category, 'inbound_id', inbound_id) END || said);
END $$;

-- Any further event of a message; sending names its phone and patient, as claim_verdicts.sql does, and claims nothing.
CREATE FUNCTION t.tell(label text, what text, at timestamptz, reason text DEFAULT NULL, data jsonb DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, reason, data)
	SELECT m.practice_id, m.id, what, at, CASE WHEN what = 'message.sending' THEN m.phone END,
		CASE WHEN what = 'message.sending' THEN m.patient END, tell.reason, tell.data
	FROM smsbridge.message m WHERE m.id = t.id(label)
$$;
CREATE FUNCTION t.send(label text, at timestamptz) RETURNS void LANGUAGE sql AS $$
	SELECT t.tell(label, 'message.sending', at, NULL, '{"verdict": "send", "local": {"America/New_York": "2026-01-01T12:00:00"}}')
$$;
CREATE FUNCTION t.refund(label text, what text, at timestamptz) RETURNS void LANGUAGE sql AS $$
	SELECT t.tell(label, what, at, 'link_lost', '{"carrier": "sim", "refund": true}')
$$;
-- Accepted an hour before it is sent.
CREATE FUNCTION t.sent(label text, phone text, at timestamptz, patient text DEFAULT NULL,
	category text DEFAULT 'appointment_reminder', time_zone text DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
	body text DEFAULT 'See you soon. Reply STOP to end.', practice integer DEFAULT 1) RETURNS void LANGUAGE sql AS $$
	SELECT t.accept(label, phone, at - interval '1 hour', patient, category, time_zone, expires_at, body, practice);
	SELECT t.send(label, at)
$$;
-- A patient's word, and the id of the text.
CREATE FUNCTION t.word(what text, phone text, at timestamptz, practice integer DEFAULT 1) RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	VALUES (t.practice(practice), what, at, phone, jsonb_build_object('method', 'reply', 'word', 'stop', 'inbound_id',
		gen_random_uuid(), 'canceled', 0))
	RETURNING (data->>'inbound_id')::uuid
$$;

-- What is recorded of a phone, or of a message; a practice's settings from now on.
CREATE FUNCTION t.fact(what text, phone text, at timestamptz, data jsonb DEFAULT '{}', patient text DEFAULT NULL,
	label text DEFAULT NULL, practice integer DEFAULT 1) RETURNS void LANGUAGE sql AS $$
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data)
	VALUES (t.practice(practice), t.id(label), what, at, phone, patient, fact.data)
$$;
CREATE FUNCTION t.settings(data jsonb, practice integer DEFAULT 1) RETURNS void LANGUAGE sql AS $$
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	VALUES (t.practice(practice), 'practice.changed', '2026-01-01T00:00Z', jsonb_build_object('change', 'set', 'settings',
		settings.data))
$$;
-- A consent for those classes, captured a month before the year of the tests unless said otherwise.
CREATE FUNCTION t.consent(id text, phone text, basis text, classes text, captured_at timestamptz DEFAULT '2025-12-01T15:00Z',
	patient text DEFAULT NULL, adult_on text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	SELECT t.fact('consent.given', phone, captured_at, jsonb_strip_nulls(jsonb_build_object('id', id, 'basis', basis,
		'classes', string_to_array(classes, ' '), 'captured_at', captured_at, 'adult_on', adult_on)), patient)
$$;
-- As sent(), with what message.accepted says for the rule book.
CREATE FUNCTION t.sent_as(label text, phone text, at timestamptz, category text, said jsonb DEFAULT '{}',
	patient text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	SELECT t.accept(label, phone, at - interval '1 hour', patient, category, said => said);
	SELECT t.send(label, at)
$$;

CREATE FUNCTION t.is(got text, wanted text, name text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN got IS NOT DISTINCT FROM wanted THEN 'ok ' || name
		ELSE format('not ok %s: got %s, wanted %s', name, coalesce(got, 'nothing'), coalesce(wanted, 'nothing')) END
$$;
-- The violations as "rule label", sorted, read as compliance staff read them.
CREATE FUNCTION t.found() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rows text[];
BEGIN
	PERFORM set_config('role', 'smsbridge_compliance', true);
	SELECT array_agg(v.rule || ' ' || v.message_id::text) INTO rows FROM report.violations v;
	PERFORM set_config('role', 'none', true);
	RETURN (SELECT string_agg(split_part(r, ' ', 1) || ' ' || coalesce(l.label, '?'), ', '
		ORDER BY split_part(r, ' ', 1), l.label) FROM unnest(rows) AS r
		LEFT JOIN t.label l ON l.id::text = split_part(r, ' ', 2));
END $$;
-- The sentences of the violations of one rule.
CREATE FUNCTION t.says(code text, wanted text, name text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN string_agg(detail, ' ') LIKE wanted THEN 'ok ' || name
		ELSE format('not ok %s: got %s, wanted %s', name, string_agg(detail, ' '), wanted) END
	FROM report.violations WHERE rule = code
$$;
CREATE FUNCTION t.finds(wanted text, name text) RETURNS text LANGUAGE sql AS $$
	SELECT t.is(t.found(), nullif(wanted, ''), name)
$$;

-- The statement fails with that SQLSTATE when that role runs it.
CREATE FUNCTION t.refused(who text, statement text, wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	got text := 'no error';
BEGIN
	BEGIN
		PERFORM set_config('role', who, true);
		EXECUTE statement;
		RAISE EXCEPTION USING ERRCODE = 'ZZ999';
	EXCEPTION WHEN OTHERS THEN
		got := CASE SQLSTATE WHEN 'ZZ999' THEN 'no error' ELSE SQLSTATE || ' ' || SQLERRM END;
	END;
	PERFORM set_config('role', 'none', true);
	RETURN CASE WHEN got LIKE wanted THEN format('ok %s: %s', who, statement)
		ELSE format('not ok %s: %s: got %s, wanted %s', who, statement, got, wanted) END;
END $$;
