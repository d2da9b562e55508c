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
CREATE FUNCTION report.access_note(practice_id uuid, at timestamptz, who_kind text, principal text, action text, door text,
	message_id uuid, patient text, phone text, from_addr text, why text) RETURNS void
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
