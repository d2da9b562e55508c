-- Patients' texts that come in several parts, and carriers that deliver one twice.

ALTER TABLE smsbridge.inbound
	ADD COLUMN raw bytea,                                        -- octets as they came, when they did not decode cleanly
	ADD COLUMN parts smallint NOT NULL DEFAULT 1,                -- of which it was to be joined
	ADD COLUMN missing smallint[] NOT NULL DEFAULT '{}',         -- those that did not come in time
	ADD COLUMN incomplete boolean NOT NULL GENERATED ALWAYS AS (missing <> '{}') STORED;

-- A text whose parts come in. Reference numbers repeat, so the same key can stand here more than once; which one a part
-- belongs to is said in part_store.sql. Open until it is complete or has waited long enough; then it stays for a while,
-- without its octets, so that a part that is delivered again is known.
CREATE TABLE smsbridge.inbound_long (
	practice_id uuid NOT NULL,                -- all zeros: no practice has that sender
	id uuid NOT NULL,                         -- of the inbound row that it becomes
	carrier text NOT NULL,
	phone text NOT NULL,
	sender text NOT NULL,
	kind text NOT NULL,                       -- udh8, udh16 or sar: each counts its own references
	reference integer NOT NULL,
	total smallint NOT NULL,
	stopped boolean NOT NULL DEFAULT false,   -- a part said STOP and was acted upon
	touched_at timestamptz NOT NULL,          -- when the last part came
	closed_at timestamptz,
	PRIMARY KEY (practice_id, id)
);
CREATE INDEX inbound_long_key ON smsbridge.inbound_long (practice_id, phone, reference);
CREATE INDEX inbound_long_open ON smsbridge.inbound_long (touched_at) WHERE closed_at IS NULL;
CREATE INDEX inbound_long_closed ON smsbridge.inbound_long (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE smsbridge.inbound_part (
	practice_id uuid NOT NULL,
	long_id uuid NOT NULL,
	part smallint NOT NULL,
	octets bytea,                             -- without the user data header; NULL when the text is closed
	digest bytea NOT NULL,                    -- SHA-256 of octets
	data_coding smallint NOT NULL,
	locking smallint NOT NULL,                -- national language identifiers of the header
	single smallint NOT NULL,
	header_octets smallint NOT NULL,
	PRIMARY KEY (practice_id, long_id, part),
	FOREIGN KEY (practice_id, long_id) REFERENCES smsbridge.inbound_long ON DELETE CASCADE
);

-- Texts that are kept, while it is not known that the carrier heard our answer: one that comes again is the same one.
CREATE TABLE smsbridge.inbound_unheard (
	inbound_id uuid PRIMARY KEY,
	carrier text NOT NULL,
	phone text NOT NULL,
	sender text NOT NULL,
	digest bytea NOT NULL,                    -- SHA-256 of data_coding and the octets
	session text NOT NULL,                    -- the connection that brought it
	sequence bigint NOT NULL,
	arrived_at timestamptz NOT NULL           -- PostgreSQL's clock: how carriers repeat has nothing to do with rules
);
CREATE INDEX inbound_unheard_phone ON smsbridge.inbound_unheard (phone, digest);

GRANT SELECT, INSERT, UPDATE, DELETE ON smsbridge.inbound_long, smsbridge.inbound_part, smsbridge.inbound_unheard
	TO smsbridge_app;
