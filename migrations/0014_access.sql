-- Who has looked at patients' data or changed it, through the gateway's doors; legal holds; what is redacted and moved
-- out when its time is over. 45 CFR 164.312(b) audit controls, 164.316(b)(2)(i) six years, 164.524 right of access.

-- A key of this database's own, so that the hash of a phone cannot be found by hashing all phones. No role may read it.
CREATE TABLE smsbridge.access_secret (key bytea NOT NULL);
INSERT INTO smsbridge.access_secret
	SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
REVOKE ALL ON smsbridge.access_secret FROM smsbridge_app;
CREATE UNIQUE INDEX access_secret_one ON smsbridge.access_secret ((true));

CREATE FUNCTION smsbridge.phone_hash(phone text) RETURNS bytea LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = pg_catalog AS $$
	SELECT sha256(s.key || sha256(s.key || convert_to(phone, 'UTF8'))) FROM smsbridge.access_secret s
$$;
REVOKE ALL ON FUNCTION smsbridge.phone_hash FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smsbridge.phone_hash TO smsbridge_app;

CREATE SEQUENCE smsbridge.access_id CACHE 256;

-- One row for each request or command that touched patients' data, or many like ones of one second (times). No body and
-- no phone ever stands here.
CREATE TABLE smsbridge.access (
	practice_id uuid NOT NULL,                -- all zeros when none is known
	id bigint NOT NULL DEFAULT nextval('smsbridge.access_id'),
	at timestamptz NOT NULL,                  -- the rule clock; of a command the system's
	recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	who_kind text NOT NULL CHECK (who_kind IN ('key', 'person', 'command')),
	principal text NOT NULL,                  -- id of the API key; name of the person (--by); system user of a command
	db_role name NOT NULL DEFAULT session_user,
	action text NOT NULL CHECK (action IN ('read', 'list', 'change', 'export', 'unmask', 'login_failed')),
	door text NOT NULL,                       -- "GET /v1/messages/{id}" or "phone list"
	message_id uuid,                          -- as it was asked for: of another practice too
	patient text,
	phone_hash bytea,                         -- smsbridge.phone_hash
	rows integer NOT NULL DEFAULT 0,          -- records that were shown or changed; of a command unknown: 0
	times integer NOT NULL DEFAULT 1,         -- requests that this row stands for
	from_addr text NOT NULL DEFAULT '',
	why text NOT NULL DEFAULT '',
	outcome text NOT NULL,                    -- HTTP status; of a command: begun
	PRIMARY KEY (practice_id, at, id)
) PARTITION BY RANGE (at);
CREATE INDEX access_message ON smsbridge.access (message_id) WHERE message_id IS NOT NULL;
CREATE TABLE smsbridge.access_default PARTITION OF smsbridge.access DEFAULT;

CREATE OR REPLACE FUNCTION smsbridge.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%.% is append-only: % refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
		USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER access_append_only BEFORE UPDATE OR DELETE ON smsbridge.access
	FOR EACH ROW EXECUTE FUNCTION smsbridge.refuse_change();
CREATE TRIGGER access_no_truncate BEFORE TRUNCATE ON smsbridge.access
	FOR EACH STATEMENT EXECUTE FUNCTION smsbridge.refuse_change();
CREATE TRIGGER access_no_truncate BEFORE TRUNCATE ON smsbridge.access_default
	FOR EACH STATEMENT EXECUTE FUNCTION smsbridge.refuse_change();

-- Makes the monthly partitions around an instant, of events and of accesses. A month that already has rows in the
-- default partition stays there.
CREATE FUNCTION smsbridge.partition_make(parent text, month timestamp) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	part text := parent || to_char(month, '"_"YYYY"_"MM');
	low timestamptz := month AT TIME ZONE 'UTC';
	high timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
	taken boolean;
BEGIN
	IF to_regclass('smsbridge.' || part) IS NOT NULL THEN RETURN 0; END IF;
	EXECUTE format('SELECT EXISTS (SELECT FROM smsbridge.%I WHERE at >= %L AND at < %L)', parent || '_default', low, high)
		INTO taken;
	IF taken THEN RETURN 0; END IF;
	EXECUTE format('CREATE TABLE smsbridge.%I PARTITION OF smsbridge.%I FOR VALUES FROM (%L) TO (%L)', part, parent, low,
		high);
	EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON smsbridge.%I FOR EACH STATEMENT EXECUTE FUNCTION '
		'smsbridge.refuse_change()', parent || '_no_truncate', part);
	RETURN 1;
END $$;
REVOKE ALL ON FUNCTION smsbridge.partition_make FROM PUBLIC;

CREATE OR REPLACE FUNCTION smsbridge.partitions_make(around timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	made integer := 0;
	month timestamp;
BEGIN
	PERFORM pg_advisory_xact_lock(7310771300001);
	FOR i IN 0..3 LOOP
		month := date_trunc('month', around AT TIME ZONE 'UTC') + make_interval(months => i);
		made := made + smsbridge.partition_make('event', month) + smsbridge.partition_make('access', month);
	END LOOP;
	RETURN made;
END $$;

-- How a command notes what it is about to do, before it reads anything: it has no other way to write here, whatever
-- role it runs as, and that role's name is kept with it.
CREATE FUNCTION report.access_note(practice_id uuid, at timestamptz, who_kind text, principal text, action text,
	door text, message_id uuid, patient text, phone text, from_addr text, why text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
	INSERT INTO smsbridge.access (practice_id, at, who_kind, principal, action, door, message_id, patient, phone_hash,
		from_addr, why, outcome)
	VALUES (coalesce(access_note.practice_id, '00000000-0000-0000-0000-000000000000'), access_note.at, who_kind, principal,
		action, door, access_note.message_id, access_note.patient, smsbridge.phone_hash(phone), from_addr, why, 'begun')
$$;
REVOKE ALL ON FUNCTION report.access_note FROM PUBLIC;
GRANT EXECUTE ON FUNCTION report.access_note TO smsbridge_app, smsbridge_compliance;

GRANT SELECT, INSERT ON smsbridge.access TO smsbridge_app;
GRANT USAGE ON SEQUENCE smsbridge.access_id TO smsbridge_app;

CREATE VIEW report.access WITH (security_barrier) AS
SELECT a.practice_id, p.name AS practice, a.at, a.recorded_at, a.who_kind, a.principal, k.label AS key_label, a.db_role,
	a.action, a.door, a.message_id, a.patient, a.phone_hash, a.rows, a.times, a.from_addr, a.why, a.outcome
FROM smsbridge.access a
	LEFT JOIN smsbridge.practice p ON p.id = a.practice_id
	LEFT JOIN smsbridge.api_key k ON a.who_kind = 'key' AND k.id = a.principal;
COMMENT ON VIEW report.access IS 'Who read or changed patients'' data through the gateway''s doors: by key, person or '
	'system user, when, what, from where and why. What went past them stands in PostgreSQL''s own log (docs/access.md).';
GRANT SELECT ON report.access TO smsbridge_compliance, smsbridge_app;

-- --- legal holds -----------------------------------------------------------------------------------------------------

-- While one stands nothing that it covers is redacted or moved: a phone, a patient, or with neither the whole practice.
CREATE TABLE smsbridge.legal_hold (
	practice_id uuid NOT NULL,
	id uuid NOT NULL,
	phone text CHECK (phone <> ''),
	patient text CHECK (patient <> ''),
	reason text NOT NULL CHECK (reason <> ''),
	placed_by text NOT NULL CHECK (placed_by <> ''),
	placed_at timestamptz NOT NULL,
	lifted_by text,
	lifted_at timestamptz,
	lifted_reason text,
	PRIMARY KEY (practice_id, id)
);
CREATE INDEX legal_hold_standing ON smsbridge.legal_hold (practice_id) WHERE lifted_at IS NULL;

-- Whether a hold covers what is kept of that phone, for that patient ('' when it is not known: then every patient to
-- whom the practice has texted at that phone counts).
CREATE FUNCTION smsbridge.held(practice_id uuid, phone text, patient text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT EXISTS (SELECT FROM smsbridge.legal_hold h WHERE h.practice_id = held.practice_id AND h.lifted_at IS NULL
		AND ((h.phone IS NULL AND h.patient IS NULL) OR h.phone = held.phone OR h.patient = held.patient
			OR (held.patient = '' AND EXISTS (SELECT FROM smsbridge.message m WHERE m.practice_id = h.practice_id
				AND m.patient = h.patient AND m.phone = held.phone))))
$$;

-- --- redaction -------------------------------------------------------------------------------------------------------

ALTER TABLE smsbridge.inbound
	ADD COLUMN body_sha256 bytea,             -- of what was taken out
	ADD COLUMN redacted_at timestamptz;
CREATE INDEX message_unredacted ON smsbridge.message (practice_id, created_at) WHERE redacted_at IS NULL;
CREATE INDEX inbound_unredacted ON smsbridge.inbound (practice_id, received_at) WHERE redacted_at IS NULL;

-- What stays of a text: its hash and every measure that the length rule needs, found here, not taken over from the
-- gateway. septets is null when the GSM alphabet lacks a character (the same two tests as in audit_violation).
CREATE FUNCTION smsbridge.text_measure(body text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT jsonb_build_object('sha256', encode(sha256(convert_to(body, 'UTF8')), 'hex'), 'octets', octet_length(body),
		'characters', char_length(body),
		'utf16', char_length(body) + char_length(regexp_replace(body, '[\u0001-\uffff]', '', 'g')),
		'septets', CASE WHEN body ~ '^[\n\r -Z_a-z]*$' THEN char_length(body)
			WHEN translate(body, E'@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&''()*+,-./0123456789:;<=>?¡'
				'ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
				'\f^{}\\[~]|€', '') = ''
			THEN 2 * char_length(body) - char_length(translate(body, E'\f^{}\\[~]|€', '')) END)
$$;

-- Whether nothing will be sent of a message any more. An unconfirmed or uncertain one can be brought back by its
-- carrier's word until it expires.
CREATE FUNCTION smsbridge.message_ended(status text, expires_at timestamptz, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT EXISTS (SELECT FROM smsbridge.status s WHERE s.code = message_ended.status AND s.final)
		OR (status IN ('unconfirmed', 'uncertain') AND expires_at <= at)
$$;

-- What the gateways' sweeps did last, by the table of which.
CREATE TABLE smsbridge.retention_run (
	what text PRIMARY KEY,
	at timestamptz NOT NULL,                  -- the rule clock: up to here nothing is past its time
	recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	redacted bigint NOT NULL,                 -- ever
	last_redacted_at timestamptz
);

-- --- moving out ------------------------------------------------------------------------------------------------------

-- Partitions that were taken out of smsbridge.event and smsbridge.access when the years were over.
CREATE SCHEMA archive;
CREATE TABLE smsbridge.archived (
	partition text PRIMARY KEY,
	from_at timestamptz NOT NULL,
	to_at timestamptz NOT NULL,
	rows bigint NOT NULL,
	kept bigint NOT NULL,                     -- rows that stay in the live table: what proves opt-outs, consents, holds
	sha256 text NOT NULL,                     -- of its rows as text, in order
	first_xact xid8,
	last_xact xid8,
	moved_at timestamptz NOT NULL,
	moved_by text NOT NULL
);
GRANT SELECT ON smsbridge.legal_hold, smsbridge.retention_run, smsbridge.archived TO smsbridge_app;
GRANT INSERT, UPDATE ON smsbridge.legal_hold, smsbridge.retention_run TO smsbridge_app;

-- Whether a hold covers any row of a partition of smsbridge.event or smsbridge.access.
CREATE FUNCTION smsbridge.partition_held(part regclass, parent text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
	found boolean;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM %s e LEFT JOIN smsbridge.message m ON m.practice_id = e.practice_id
			AND m.id = e.message_id
		WHERE e.practice_id IN (SELECT practice_id FROM smsbridge.legal_hold WHERE lifted_at IS NULL)
			AND smsbridge.held(e.practice_id, %s, coalesce(e.patient, m.patient, '''')))', part,
		CASE parent WHEN 'event' THEN 'coalesce(e.phone, m.phone)' ELSE 'm.phone' END) INTO found;
	RETURN found;
END $$;

-- What must not leave with its month: what proves opt-outs (for ever: 47 CFR 64.1200(d)(6), Va. Code 59.1-514 and its
-- kin), what proves a consent until six years after its last effect, holds, and the ledger's own word.
CREATE FUNCTION smsbridge.event_stays(e smsbridge.event, cutoff timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT e.type LIKE 'opt\_out.%' OR e.type LIKE 'hold.%' OR e.type LIKE 'ledger.%' OR e.type LIKE 'rules.%'
		OR e.type IN ('practice.changed', 'key.created')
		OR (e.type = 'consent.given' AND EXISTS (SELECT FROM smsbridge.consent c WHERE c.practice_id = e.practice_id
			AND c.id = (e.data->>'id')::uuid AND (c.ended_at IS NULL OR c.ended_at > cutoff)))
$$;

-- Takes one month out: into schema archive, append-only there too, with its hash; what stays is put back, as it was,
-- into the default partition. Where there is a ledger it is told first, and refuses what is not as it was sealed.
CREATE FUNCTION smsbridge.partition_move(part text, parent text, low timestamptz, high timestamptz, cutoff timestamptz,
	by text, now timestamptz) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	source text := format('smsbridge.%I', part);
	target text := format('archive.%I', part);
	digest text;
	total bigint;
	kept bigint := 0;
	ends xid8[] := '{NULL,NULL}';
BEGIN
	IF smsbridge.partition_held(source::regclass, parent) THEN RETURN 'legal hold'; END IF;
	IF parent = 'event' AND to_regprocedure('smsbridge.ledger_archive(regclass, text, timestamptz)') IS NOT NULL THEN
		EXECUTE 'SELECT smsbridge.ledger_archive($1, $2, $3)' USING source::regclass, by, now;
	END IF;
	EXECUTE format('SELECT count(*), encode(sha256(coalesce(string_agg(sha256(convert_to(r::text, ''UTF8'')), ''''::bytea
		ORDER BY r.%s, r.id), '''')), ''hex'') FROM %s r', CASE parent WHEN 'event' THEN 'xact' ELSE 'at' END, source)
		INTO total, digest;
	IF parent = 'event' THEN
		EXECUTE format('SELECT ARRAY[(SELECT xact FROM %1$s ORDER BY xact LIMIT 1), (SELECT xact FROM %1$s ORDER BY xact DESC
			LIMIT 1)]', source) INTO ends;
	END IF;
	EXECUTE format('ALTER TABLE smsbridge.%I DETACH PARTITION %s', parent, source);
	EXECUTE format('ALTER TABLE %s SET SCHEMA archive', source);
	IF parent = 'event' THEN
		EXECUTE format('INSERT INTO smsbridge.event SELECT e.* FROM %s e
			WHERE smsbridge.event_stays(ROW(e.*)::smsbridge.event, $1)', target) USING cutoff;
		GET DIAGNOSTICS kept = ROW_COUNT;
	END IF;
	EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', parent || '_append_only', target);
	EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION '
		'smsbridge.refuse_change()', parent || '_append_only', target);
	INSERT INTO smsbridge.archived VALUES (part, low, high, total, kept, digest, ends[1], ends[2], now, by);
	RETURN 'moved';
EXCEPTION WHEN raise_exception THEN -- the ledger's word; the other months go on
	RETURN 'refused: ' || SQLERRM;
END $$;

-- Moves every month that ended before the cutoff. The cutoff is at least six years back, whatever is asked.
CREATE FUNCTION smsbridge.retention_move(days integer, now timestamptz, by text)
RETURNS TABLE (partition text, from_at timestamptz, to_at timestamptz, result text)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	cutoff timestamptz := now - make_interval(days => greatest(days, 2192));
	part record;
BEGIN
	PERFORM pg_advisory_xact_lock(7310771300001);
	FOR part IN
		SELECT c.relname::text AS name, p.relname::text AS parent, (b.bound)[1]::timestamptz AS low,
			(b.bound)[2]::timestamptz AS high
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
			CROSS JOIN LATERAL (SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid),
				'^FOR VALUES FROM \(''([^'']+)''\) TO \(''([^'']+)''\)$') AS bound) AS b
		WHERE i.inhparent IN ('smsbridge.event'::regclass, 'smsbridge.access'::regclass) AND b.bound IS NOT NULL
		ORDER BY 3, 1
	LOOP
		CONTINUE WHEN part.high > cutoff;
		RETURN QUERY SELECT part.name, part.low, part.high,
			smsbridge.partition_move(part.name, part.parent, part.low, part.high, cutoff, by, now);
	END LOOP;
END $$;
REVOKE ALL ON FUNCTION smsbridge.partition_move, smsbridge.retention_move, smsbridge.partition_held FROM PUBLIC;

-- --- what compliance staff read --------------------------------------------------------------------------------------

CREATE VIEW report.holds WITH (security_barrier) AS
SELECT h.practice_id, p.name AS practice, h.id, smsbridge.mask_phone(h.phone) AS phone, h.patient,
	CASE WHEN h.phone IS NULL AND h.patient IS NULL THEN 'everything' WHEN h.phone IS NULL THEN 'patient' ELSE 'phone' END
	AS covers, h.reason, h.placed_by, h.placed_at, h.lifted_by, h.lifted_at, h.lifted_reason
FROM smsbridge.legal_hold h LEFT JOIN smsbridge.practice p ON p.id = h.practice_id;
COMMENT ON VIEW report.holds IS 'Legal holds, standing and lifted: what they cover is neither redacted nor moved out.';

-- Texts by practice as of the last sweep's time.
CREATE VIEW report.retention WITH (security_barrier) AS
WITH text AS (
	SELECT 'message' AS what, m.practice_id, m.phone, m.patient, m.redacted_at, greatest(m.created_at, m.updated_at) AS at,
		m.status, m.expires_at
	FROM smsbridge.message m
	WHERE NOT EXISTS (SELECT FROM smsbridge.review_task t WHERE t.practice_id = m.practice_id AND t.phone = m.phone
		AND t.decided_at IS NULL AND t.message_id = m.id)
	UNION ALL
	SELECT 'inbound', i.practice_id, i.phone, '', i.redacted_at, i.received_at, NULL, NULL
	FROM smsbridge.inbound i
	WHERE NOT EXISTS (SELECT FROM smsbridge.review_task t WHERE t.practice_id = i.practice_id AND t.phone = i.phone
		AND t.decided_at IS NULL AND t.inbound_id = i.id)
), judged AS (
	SELECT t.what, t.practice_id, p.name, coalesce(p.retention_days, 90) AS days, r.at AS last_run, r.recorded_at,
		t.redacted_at,
		t.redacted_at IS NULL AND t.at <= r.at - make_interval(days => coalesce(p.retention_days, 90))
			AND (t.what = 'inbound' OR smsbridge.message_ended(t.status, t.expires_at, r.at)) AS old,
		t.practice_id IN (SELECT practice_id FROM smsbridge.legal_hold WHERE lifted_at IS NULL)
			AND smsbridge.held(t.practice_id, t.phone, t.patient) AS held
	FROM text t LEFT JOIN smsbridge.practice p ON p.id = t.practice_id
		LEFT JOIN smsbridge.retention_run r ON r.what = t.what
)
SELECT practice_id, name AS practice, what, days, count(*) FILTER (WHERE redacted_at IS NULL) AS texts,
	count(*) FILTER (WHERE redacted_at IS NOT NULL) AS redacted, count(*) FILTER (WHERE old AND NOT held) AS past_policy,
	count(*) FILTER (WHERE old AND held) AS held, max(last_run) AS last_run, max(recorded_at) AS last_run_recorded_at,
	coalesce(max(recorded_at) < clock_timestamp() - interval '1 day', true) AS overdue
FROM judged GROUP BY practice_id, name, what, days;
COMMENT ON VIEW report.retention IS 'Texts that are kept and that were redacted, by practice; past_policy must be 0, '
	'held are those that a legal hold keeps. As of the last sweep; overdue: none for a day.';

CREATE VIEW report.archives WITH (security_barrier) AS
SELECT partition, from_at, to_at, rows, kept, sha256, moved_at, moved_by FROM smsbridge.archived;
COMMENT ON VIEW report.archives IS 'Months of events and accesses that were moved out after their years, and their '
	'hashes.';
GRANT SELECT ON report.holds, report.retention, report.archives TO smsbridge_compliance, smsbridge_app;

-- --- right of access -------------------------------------------------------------------------------------------------

-- All that is kept of one patient at a practice, by the practice's reference or by phone (one of them); null when that
-- is nothing. By reference, replies and tasks of a phone that other patients of the practice share are only counted:
-- whose they are is not known. 45 CFR 164.524.
CREATE FUNCTION smsbridge.patient_export(practice_id uuid, patient text, phone text, at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE AS $$
	WITH known AS (
		SELECT m.patient, m.phone FROM smsbridge.message m WHERE m.practice_id = patient_export.practice_id
			AND (m.patient = patient_export.patient OR m.phone = patient_export.phone)
		UNION SELECT c.patient, c.phone FROM smsbridge.consent c WHERE c.practice_id = patient_export.practice_id
			AND (c.patient = patient_export.patient OR c.phone = patient_export.phone)
		UNION SELECT c.patient, c.phone FROM smsbridge.contact c WHERE c.practice_id = patient_export.practice_id
			AND (c.patient = patient_export.patient OR c.phone = patient_export.phone)
		UNION SELECT '', i.phone FROM smsbridge.inbound i WHERE i.practice_id = patient_export.practice_id
			AND i.phone = patient_export.phone
		UNION SELECT '', o.phone FROM smsbridge.opt_out o WHERE o.practice_id = patient_export.practice_id
			AND o.phone = patient_export.phone
	), phones AS (
		SELECT DISTINCT k.phone, patient_export.patient IS NOT NULL AND (
			EXISTS (SELECT FROM smsbridge.message m WHERE m.practice_id = patient_export.practice_id AND m.phone = k.phone
				AND m.patient NOT IN ('', patient_export.patient))
			OR EXISTS (SELECT FROM smsbridge.consent c WHERE c.practice_id = patient_export.practice_id
				AND c.phone = k.phone AND c.patient NOT IN ('', patient_export.patient))) AS shared
		FROM known k
	), messages AS (
		SELECT m.* FROM smsbridge.message m JOIN phones p ON p.phone = m.phone
		WHERE m.practice_id = patient_export.practice_id
			AND (m.phone = patient_export.phone OR m.patient = patient_export.patient OR (m.patient = '' AND NOT p.shared))
	)
	SELECT jsonb_build_object(
		'practice', (SELECT jsonb_build_object('id', id, 'name', coalesce(legal_name, name), 'phone', phone)
			FROM smsbridge.practice WHERE id = patient_export.practice_id),
		'asked', jsonb_strip_nulls(jsonb_build_object('patient', patient_export.patient, 'phone', patient_export.phone,
			'as_of', patient_export.at)),
		'phones', (SELECT jsonb_agg(jsonb_build_object('phone', p.phone, 'shared_with_other_patients', p.shared,
				'replies_not_shown', CASE WHEN p.shared THEN (SELECT count(*) FROM smsbridge.inbound i
					WHERE i.practice_id = patient_export.practice_id AND i.phone = p.phone) ELSE 0 END,
				'consent_stale_since', r.stale_at, 'confirmed_as_right', r.verified_at, 'told_of_risk', r.risk_at,
				'other_way_asked_for', nullif(r.alternative, ''), 'household', r.household) ORDER BY p.phone)
			FROM phones p LEFT JOIN smsbridge.recipient r ON r.practice_id = patient_export.practice_id
				AND r.phone = p.phone),
		'messages', (SELECT jsonb_agg(jsonb_build_object('id', m.id, 'created_at', m.created_at, 'phone', m.phone,
				'category', m.category, 'text', CASE WHEN m.redacted_at IS NULL THEN m.body END,
				'redacted_at', m.redacted_at, 'sha256', encode(coalesce(m.body_sha256,
					CASE WHEN m.redacted_at IS NULL THEN sha256(convert_to(m.body, 'UTF8')) END), 'hex'),
				'characters', m.characters, 'status', m.status, 'reason', r.sentence, 'carrier', m.carrier,
				'timeline', (SELECT jsonb_agg(jsonb_build_object('at', e.at, 'what', coalesce(er.sentence, t.sentence))
						ORDER BY e.xact, e.id)
					FROM smsbridge.event e LEFT JOIN smsbridge.event_type t ON t.code = e.type
						LEFT JOIN smsbridge.reason er ON er.code = e.reason
					WHERE e.message_id = m.id AND e.practice_id = m.practice_id)) ORDER BY m.created_at, m.id)
			FROM messages m LEFT JOIN smsbridge.reason r ON r.code = m.reason),
		'replies', (SELECT jsonb_agg(jsonb_build_object('received_at', i.received_at, 'phone', i.phone,
				'text', CASE WHEN i.redacted_at IS NULL THEN i.body END, 'redacted_at', i.redacted_at,
				'sha256', encode(i.body_sha256, 'hex'), 'taken_as', nullif(i.keyword, '')) ORDER BY i.received_at, i.id)
			FROM smsbridge.inbound i JOIN phones p ON p.phone = i.phone AND NOT p.shared
			WHERE i.practice_id = patient_export.practice_id),
		'consents', (SELECT jsonb_agg(to_jsonb(c) - 'practice_id' ORDER BY c.captured_at, c.id)
			FROM smsbridge.consent c JOIN phones p ON p.phone = c.phone
			WHERE c.practice_id = patient_export.practice_id AND (patient_export.patient IS NULL
				OR c.patient IN ('', patient_export.patient))),
		'opt_outs', (SELECT jsonb_agg(to_jsonb(o) - 'practice_id' ORDER BY o.created_at, o.id)
			FROM smsbridge.opt_out o JOIN phones p ON p.phone = o.phone
			WHERE o.practice_id = patient_export.practice_id),
		'calls', (SELECT jsonb_agg(to_jsonb(c) - 'practice_id' ORDER BY c.at, c.id)
			FROM smsbridge.contact c JOIN phones p ON p.phone = c.phone
			WHERE c.practice_id = patient_export.practice_id AND (patient_export.patient IS NULL
				OR c.patient IN ('', patient_export.patient))),
		'tasks', (SELECT jsonb_agg(to_jsonb(t) - 'practice_id' - 'holds' ORDER BY t.opened_at, t.id)
			FROM smsbridge.review_task t JOIN phones p ON p.phone = t.phone
			WHERE t.practice_id = patient_export.practice_id
				AND (t.patient = patient_export.patient OR (NOT p.shared AND t.patient = '') OR t.phone = patient_export.phone)),
		'who_saw_it', (SELECT jsonb_agg(jsonb_build_object('at', a.at, 'who', a.principal, 'as', a.who_kind,
				'did', a.action, 'by_way_of', a.door, 'from', a.from_addr, 'why', nullif(a.why, ''), 'times', a.times)
				ORDER BY a.at, a.id)
			FROM smsbridge.access a WHERE a.practice_id = patient_export.practice_id
				AND (a.patient = patient_export.patient OR a.message_id IN (SELECT id FROM messages)
					OR (a.patient IS NULL AND a.phone_hash IN (SELECT smsbridge.phone_hash(p.phone) FROM phones p
						WHERE NOT p.shared)))))
	WHERE EXISTS (SELECT FROM known)
$$;
