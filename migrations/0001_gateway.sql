-- The gateway's tables, roles and the append-only event table.
-- Practice id leads every key, so that the tables can be distributed by it. Times named *_at are the rule clock's
-- unless said otherwise; recorded_at is PostgreSQL's own clock.

DO $$ BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'smsbridge_app') THEN CREATE ROLE smsbridge_app LOGIN; END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'smsbridge_compliance') THEN
		CREATE ROLE smsbridge_compliance LOGIN;
	END IF;
END $$;

REVOKE ALL ON SCHEMA smsbridge FROM PUBLIC;
GRANT USAGE ON SCHEMA smsbridge TO smsbridge_app;

-- Rows of proto/event.def, reason.def, status.def and npa.def, written anew by every `smsbridge migrate`.
CREATE TABLE smsbridge.event_type (code text PRIMARY KEY, webhook text NOT NULL, sentence text NOT NULL);
CREATE TABLE smsbridge.reason (
	code text PRIMARY KEY, rule text NOT NULL, citation text NOT NULL, sentence text NOT NULL, finality text NOT NULL
);
CREATE TABLE smsbridge.status (code text PRIMARY KEY, final boolean NOT NULL, sentence text NOT NULL);
CREATE TABLE smsbridge.npa_zone (npa text NOT NULL, zone text NOT NULL, PRIMARY KEY (npa, zone));

CREATE TABLE smsbridge.practice (
	id uuid PRIMARY KEY,
	name text NOT NULL CHECK (name <> ''),
	phone text NOT NULL,                      -- of the front desk, named in confirmations
	sender text NOT NULL UNIQUE,              -- source_addr of its texts, destination of patients' replies
	webhook_url text,
	webhook_secret text,                      -- whsec_..., Standard Webhooks 1.0.0
	webhook_reply_text boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL
);

CREATE TABLE smsbridge.api_key (
	practice_id uuid NOT NULL REFERENCES smsbridge.practice,
	id text NOT NULL UNIQUE,                  -- the public part of smsb_<id>_<secret>
	secret_hash bytea NOT NULL,               -- SHA-256 of the whole key
	label text NOT NULL,
	created_at timestamptz NOT NULL,
	revoked_at timestamptz,
	PRIMARY KEY (practice_id, id)
);

CREATE TABLE smsbridge.message (
	practice_id uuid NOT NULL,
	id uuid NOT NULL,
	patient text NOT NULL,                    -- the practice's own opaque reference
	phone text NOT NULL,
	sender text NOT NULL,
	time_zone text,                           -- as the practice gave it
	zones text NOT NULL,                      -- candidate zones, blank separated
	body text NOT NULL,
	encoding text NOT NULL CHECK (encoding IN ('gsm7', 'ucs2')),
	characters smallint NOT NULL,
	segments smallint NOT NULL,
	category text NOT NULL,
	priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 2), -- 0 urgent, 1 normal, 2 low
	send_at timestamptz,
	expires_at timestamptz NOT NULL,
	reference text,
	status text NOT NULL,
	reason text,
	due_at timestamptz,                       -- set while it waits to be judged: the queue
	counted_at timestamptz,                   -- set while it counts against the caps: it may have reached the phone
	attempts smallint NOT NULL DEFAULT 0,     -- proven non-sends
	instance uuid,                            -- gateway process that holds its submit
	carrier text,
	carrier_message_id text,
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX message_due ON smsbridge.message (priority, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX message_waiting ON smsbridge.message (practice_id, phone) WHERE due_at IS NOT NULL;
CREATE INDEX message_phone ON smsbridge.message (practice_id, phone, counted_at) WHERE counted_at IS NOT NULL;
CREATE INDEX message_patient ON smsbridge.message (practice_id, patient, counted_at) WHERE counted_at IS NOT NULL;
CREATE INDEX message_open ON smsbridge.message (status, counted_at) WHERE status IN ('sending', 'sent', 'uncertain');

-- How a carrier's message id is compared: carriers pad, fold and print it differently in answers and receipts.
CREATE FUNCTION smsbridge.id_key(id text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT coalesce(nullif(ltrim(lower(id), '0'), ''), '0') $$;
CREATE INDEX message_carrier ON smsbridge.message (carrier, smsbridge.id_key(carrier_message_id))
	WHERE carrier_message_id IS NOT NULL;

CREATE TABLE smsbridge.idempotency (
	practice_id uuid NOT NULL,
	key text NOT NULL,
	request_hash bytea NOT NULL,
	message_id uuid NOT NULL,
	answer text NOT NULL,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, key)
);
CREATE INDEX idempotency_age ON smsbridge.idempotency USING brin (created_at);

CREATE SEQUENCE smsbridge.event_id CACHE 256;

-- What happened, for ever. No body is ever written here; a phone only where a rule has to be proven from events alone.
CREATE TABLE smsbridge.event (
	practice_id uuid NOT NULL,                -- all zeros when it belongs to none
	xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
	id bigint NOT NULL DEFAULT nextval('smsbridge.event_id'),
	message_id uuid,
	type text NOT NULL,
	at timestamptz NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	phone text,
	patient text,
	reason text,
	data jsonb,
	PRIMARY KEY (practice_id, xact, id, at)
) PARTITION BY RANGE (at);
CREATE INDEX event_message ON smsbridge.event (message_id) WHERE message_id IS NOT NULL;
CREATE TABLE smsbridge.event_default PARTITION OF smsbridge.event DEFAULT;

CREATE FUNCTION smsbridge.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'smsbridge.event is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON smsbridge.event
	FOR EACH ROW EXECUTE FUNCTION smsbridge.refuse_change();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON smsbridge.event
	FOR EACH STATEMENT EXECUTE FUNCTION smsbridge.refuse_change();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON smsbridge.event_default
	FOR EACH STATEMENT EXECUTE FUNCTION smsbridge.refuse_change();

-- Makes the monthly partitions around an instant. A month that already has rows in the default partition stays there.
CREATE FUNCTION smsbridge.partitions_make(around timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	made integer := 0;
	month timestamp;
	part text;
BEGIN
	PERFORM pg_advisory_xact_lock(7310771300001);
	FOR i IN 0..3 LOOP
		month := date_trunc('month', around AT TIME ZONE 'UTC') + make_interval(months => i);
		part := to_char(month, '"event_"YYYY"_"MM');
		CONTINUE WHEN to_regclass('smsbridge.' || part) IS NOT NULL;
		CONTINUE WHEN EXISTS (SELECT FROM smsbridge.event_default d
			WHERE d.at >= month AT TIME ZONE 'UTC' AND d.at < (month + interval '1 month') AT TIME ZONE 'UTC');
		EXECUTE format('CREATE TABLE smsbridge.%I PARTITION OF smsbridge.event FOR VALUES FROM (%L) TO (%L)',
			part, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
		EXECUTE format('CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON smsbridge.%I
			FOR EACH STATEMENT EXECUTE FUNCTION smsbridge.refuse_change()', part);
		made := made + 1;
	END LOOP;
	RETURN made;
END $$;
REVOKE ALL ON FUNCTION smsbridge.partitions_make FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smsbridge.partitions_make TO smsbridge_app;

CREATE TABLE smsbridge.opt_out (
	practice_id uuid NOT NULL,
	id uuid NOT NULL,
	phone text NOT NULL,
	method text NOT NULL,                     -- 'reply'; later: staff, carrier
	word text NOT NULL,
	created_at timestamptz NOT NULL,
	lifted_at timestamptz,
	PRIMARY KEY (practice_id, id)
);
CREATE UNIQUE INDEX opt_out_active ON smsbridge.opt_out (practice_id, phone) WHERE lifted_at IS NULL;

CREATE TABLE smsbridge.inbound (
	practice_id uuid NOT NULL,                -- all zeros: no practice has that sender
	id uuid NOT NULL,
	carrier text NOT NULL,
	phone text NOT NULL,
	sender text NOT NULL,
	body text NOT NULL,
	keyword text NOT NULL,
	received_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, id)
);

-- Receipts that fit no message yet.
CREATE TABLE smsbridge.receipt (
	id uuid PRIMARY KEY,
	carrier text NOT NULL,
	candidates text NOT NULL,                 -- spellings of the message id, blank separated
	phone text NOT NULL,
	sender text NOT NULL,
	state text NOT NULL,
	error text NOT NULL,
	raw text NOT NULL,                        -- up to its text field
	received_at timestamptz NOT NULL
);

CREATE TABLE smsbridge.node (
	name text PRIMARY KEY,
	instance uuid NOT NULL,
	started_at timestamptz NOT NULL,          -- PostgreSQL's clock, as seen_at
	seen_at timestamptz NOT NULL
);

CREATE TABLE smsbridge.webhook_cursor (
	practice_id uuid PRIMARY KEY REFERENCES smsbridge.practice,
	xact xid8 NOT NULL,
	event_id bigint NOT NULL,
	failures integer NOT NULL DEFAULT 0,
	next_at timestamptz NOT NULL              -- PostgreSQL's clock
);
CREATE TABLE smsbridge.webhook_retry (
	practice_id uuid NOT NULL REFERENCES smsbridge.practice,
	xact xid8 NOT NULL,
	event_id bigint NOT NULL,
	attempts integer NOT NULL,
	next_at timestamptz NOT NULL,             -- PostgreSQL's clock
	dead_at timestamptz,
	PRIMARY KEY (practice_id, xact, event_id)
);
CREATE INDEX webhook_retry_due ON smsbridge.webhook_retry (practice_id, next_at) WHERE dead_at IS NULL;

GRANT SELECT ON ALL TABLES IN SCHEMA smsbridge TO smsbridge_app;
GRANT INSERT ON smsbridge.event TO smsbridge_app;
GRANT USAGE ON SEQUENCE smsbridge.event_id TO smsbridge_app;
GRANT INSERT, UPDATE ON smsbridge.practice, smsbridge.api_key, smsbridge.message, smsbridge.opt_out, smsbridge.inbound,
	smsbridge.node TO smsbridge_app;
GRANT INSERT, UPDATE, DELETE ON smsbridge.idempotency, smsbridge.receipt, smsbridge.webhook_cursor,
	smsbridge.webhook_retry TO smsbridge_app;
