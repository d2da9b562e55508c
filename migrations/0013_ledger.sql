-- The ledger: every event gets a number and is sealed behind the writers (docs/ledger.md says it all, for auditors).
--
-- Order. A sealer takes the events of transactions that no running one can still precede (xact below the snapshot's
-- xmin), ordered by (xact, id), and numbers them from 1 without a gap. What turns up later at or before the last sealed
-- place was added by somebody who wrote an old xact.
-- Hash. Each event has its own SHA-256, over a text that plain SQL, this program and a person can make: event_text().
-- Lines. A seal's events are lines "hash number practice xact id time type"; the seal's digest is the SHA-256 of them.
-- Chain. A seal's statement (seal_text) names numbers, digest and the head of the seal before; its SHA-256 is its head,
-- and Ed25519 signs the statement. A list of hashes, not a chain from event to event: one statement makes and checks
-- it at the database's full speed, and what was tampered with is known by its number, while all others still match.
-- Lists are arrays, a row a seal: a third of what a row an event would take.

CREATE INDEX event_order ON smsbridge.event (xact, id);

-- The gateways' role says what happened; transaction, id and the record's own time are PostgreSQL's to say.
REVOKE INSERT ON smsbridge.event FROM smsbridge_app;
GRANT INSERT (practice_id, message_id, type, at, phone, patient, reason, data) ON smsbridge.event TO smsbridge_app;

-- --- the texts that are hashed --------------------------------------------------------------------------------------

-- RETURN binds the bodies when they are made, so that compliance staff's views may call them.
--
-- UTC, microseconds. What to_char cannot tell apart (infinity, years before Christ) comes as PostgreSQL prints it.
CREATE FUNCTION smsbridge.seal_time(t timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(CASE WHEN t >= '0001-01-01 00:00:00+00' THEN
		to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END, t::text);

-- Version 1: a JSON array of all eleven columns in the order of the table: texts as texts, id as a number, what is NULL
-- as null; xact, times and data (as PostgreSQL prints jsonb) as texts. A column that is added to the table needs a
-- version 2.
CREATE FUNCTION smsbridge.event_text(practice_id uuid, xact xid8, id bigint, message_id uuid, type text, at timestamptz,
	recorded_at timestamptz, phone text, patient text, reason text, data jsonb) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN json_build_array(practice_id, xact::text, id, message_id, type, smsbridge.seal_time(at),
		smsbridge.seal_time(recorded_at), phone, patient, reason, data::text)::text;

CREATE FUNCTION smsbridge.seal_line(hash bytea, number bigint, practice_id uuid, xact xid8, id bigint, at timestamptz,
	type text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN concat_ws(' ', encode(hash, 'hex'), number, practice_id, xact, id, smsbridge.seal_time(at), type);

-- --- tables ---------------------------------------------------------------------------------------------------------

-- Public halves of the signing keys. The private ones are files of the gateways' hosts and never here.
CREATE TABLE smsbridge.ledger_key (
	id integer PRIMARY KEY CHECK (id > 0),
	public_key bytea NOT NULL UNIQUE CHECK (octet_length(public_key) = 32),
	previous integer UNIQUE REFERENCES smsbridge.ledger_key, -- NULL: the first
	at timestamptz NOT NULL,
	endorsement bytea,                        -- the previous key's signature of key_text; NULL: the first
	CHECK ((id = 1) = (previous IS NULL)),
	CHECK (previous = id - 1)
);

CREATE TABLE smsbridge.seal (
	number bigint PRIMARY KEY CHECK (number > 0),
	first bigint NOT NULL UNIQUE,             -- numbers of its events, both included
	last bigint NOT NULL UNIQUE,
	xact xid8 NOT NULL,                       -- place of the last of them
	event_id bigint NOT NULL,
	earliest timestamptz NOT NULL,            -- of their times
	latest timestamptz NOT NULL,
	digest bytea NOT NULL,                    -- SHA-256 of the lines, each ended by a newline
	previous bytea NOT NULL UNIQUE,           -- head of the seal before; zeros: the first
	head bytea NOT NULL UNIQUE,               -- SHA-256 of seal_text
	at timestamptz NOT NULL,                  -- the rule clock's time
	key integer REFERENCES smsbridge.ledger_key, -- that signs it; NULL: none was configured
	CHECK (first > 0 AND last >= first),
	CHECK ((number = 1) = (previous = decode(repeat('00', 32), 'hex')))
);
CREATE INDEX seal_times ON smsbridge.seal (latest, earliest);

-- A seal's events in order, one element each.
CREATE TABLE smsbridge.seal_list (
	seal bigint PRIMARY KEY,
	hashes bytea[] NOT NULL,
	practices uuid[] NOT NULL,
	xacts xid8[] NOT NULL,
	ids bigint[] NOT NULL,
	times timestamptz[] NOT NULL,
	types text[] NOT NULL
);
ALTER TABLE smsbridge.seal_list ALTER hashes SET STORAGE EXTERNAL; -- hashes do not compress

CREATE TABLE smsbridge.seal_signature (
	seal bigint PRIMARY KEY REFERENCES smsbridge.seal,
	key integer NOT NULL REFERENCES smsbridge.ledger_key,
	signature bytea NOT NULL CHECK (octet_length(signature) = 64)
);

-- Months that were moved out. Their events are those of the lists whose time lies in [earliest, latest) and whose
-- number is at most last. An event ledger.archived says the same, and is sealed.
CREATE TABLE smsbridge.seal_archive (
	partition text NOT NULL,
	earliest timestamptz NOT NULL,
	latest timestamptz NOT NULL,
	first bigint,                             -- NULL: it was empty
	last bigint NOT NULL,                     -- newest number sealed then
	events bigint NOT NULL,
	seal bigint NOT NULL,                     -- the newest seal then, which vouches for them, and its head
	head bytea NOT NULL,
	at timestamptz NOT NULL,
	by text NOT NULL,
	PRIMARY KEY (earliest, last)
);

CREATE FUNCTION smsbridge.refuse_seal_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'smsbridge.% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['ledger_key', 'seal', 'seal_list', 'seal_signature', 'seal_archive'] LOOP
		EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON smsbridge.%I FOR EACH ROW '
			'EXECUTE FUNCTION smsbridge.refuse_seal_change()', name || '_append_only', name);
		EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON smsbridge.%I FOR EACH STATEMENT '
			'EXECUTE FUNCTION smsbridge.refuse_seal_change()', name || '_no_truncate', name);
		EXECUTE format('GRANT SELECT, INSERT ON smsbridge.%I TO smsbridge_app', name);
	END LOOP;
END $$;

-- --- statements that are signed -------------------------------------------------------------------------------------

CREATE FUNCTION smsbridge.seal_text(number bigint, first bigint, last bigint, earliest timestamptz, latest timestamptz,
	digest bytea, previous bytea, at timestamptz, key integer) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN format(E'smsbridge seal %s\nevents %s %s\ntimes %s %s\ndigest %s\nprevious %s\nat %s\nkey %s\n', number, first,
		last, smsbridge.seal_time(earliest), smsbridge.seal_time(latest), encode(digest, 'hex'), encode(previous, 'hex'),
		smsbridge.seal_time(at), coalesce(key::text, 'none'));

-- What the old key signs when a new one takes its place.
CREATE FUNCTION smsbridge.key_text(id integer, public_key bytea, previous integer, at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN format(E'smsbridge ledger key %s\npublic %s\nprevious %s\nat %s\n', id, encode(public_key, 'hex'),
		coalesce(previous::text, 'none'), smsbridge.seal_time(at));

-- --- what is not sealed yet -----------------------------------------------------------------------------------------

-- Events behind the last seal, counted to 10,000, and seconds since the oldest was recorded. ahead: the last seal's
-- transaction id is still to come, so this database was restored from a dump and its ids began anew (docs/ledger.md).
CREATE VIEW smsbridge.seal_lag AS
WITH last AS (
	SELECT number, last, xact, event_id FROM smsbridge.seal ORDER BY number DESC LIMIT 1
), waits AS MATERIALIZED (
	SELECT e.xact, e.id, e.recorded_at FROM smsbridge.event e
	WHERE (e.xact, e.id) > (coalesce((SELECT xact FROM last), '0'::xid8), coalesce((SELECT event_id FROM last), 0))
	ORDER BY e.xact, e.id LIMIT 10000
)
SELECT coalesce((SELECT number FROM last), 0) AS seal, coalesce((SELECT last FROM last), 0) AS last,
	(SELECT count(*) FROM waits) AS unsealed,
	coalesce((SELECT greatest(extract(epoch FROM clock_timestamp() - recorded_at), 0) FROM waits ORDER BY xact,
		id LIMIT 1),
		0) AS seconds,
	coalesce((SELECT xact FROM last) >= pg_snapshot_xmax(pg_current_snapshot()), false) AS ahead;

-- --- the auditor's verifier -----------------------------------------------------------------------------------------

-- The events of a seal as its list has them.
CREATE FUNCTION smsbridge.seal_events(seal bigint) RETURNS TABLE (number bigint, hash bytea, practice_id uuid,
	xact xid8,
	id bigint, at timestamptz, type text) LANGUAGE sql STABLE ROWS 1000 AS $$
	SELECT s.first - 1 + u.place, u.hash, u.practice_id, u.xact, u.id, u.at, u.type
	FROM smsbridge.seal s JOIN smsbridge.seal_list l ON l.seal = s.number,
		unnest(l.hashes, l.practices, l.xacts, l.ids, l.times, l.types)
			WITH ORDINALITY AS u(hash, practice_id, xact, id, at, type, place)
	WHERE s.number = seal_events.seal
$$;

-- One seal against the one before and the events in its stretch of (xact, id). before_xact NULL: from the beginning.
-- listed_*: as sealed. event: the row that stands there, or NULL.
CREATE FUNCTION smsbridge.ledger_check_events(seal bigint, before_xact xid8, before_id bigint, to_xact xid8,
	to_id bigint)
RETURNS TABLE (number bigint, what text, listed_hash bytea, listed_practice uuid, listed_xact xid8, listed_id bigint,
	listed_at timestamptz, listed_type text, event smsbridge.event) LANGUAGE sql STABLE AS $$
	WITH listed AS MATERIALIZED (
		SELECT * FROM smsbridge.seal_events(ledger_check_events.seal)
	), present AS MATERIALIZED (
		SELECT e AS event, e.xact, e.id, sha256(convert_to(smsbridge.event_text(e.practice_id, e.xact, e.id, e.message_id,
			e.type, e.at, e.recorded_at, e.phone, e.patient, e.reason, e.data), 'UTF8')) AS hash
		FROM smsbridge.event e
		WHERE (e.xact, e.id) > (coalesce(before_xact, '0'::xid8), coalesce(before_id, -9223372036854775808))
			AND (e.xact, e.id) <= (to_xact, to_id)
	), met AS (
		SELECT l.number, l.hash AS listed_hash, l.practice_id, l.xact AS listed_xact, l.id AS listed_id, l.at, l.type,
			p.event, p.xact, p.id, p.hash,
			row_number() OVER (PARTITION BY l.number ORDER BY (p.hash = l.hash) DESC NULLS LAST) AS nth
		FROM listed l FULL JOIN present p ON p.xact = l.xact AND p.id = l.id
	)
	SELECT number, 'removed', listed_hash, practice_id, listed_xact, listed_id, at, type, NULL::smsbridge.event
	FROM met WHERE id IS NULL AND NOT EXISTS (SELECT FROM smsbridge.seal_archive a
		WHERE met.at >= a.earliest AND met.at < a.latest AND met.number <= a.last)
	UNION ALL
	SELECT number, 'changed', listed_hash, practice_id, listed_xact, listed_id, at, type, event
	FROM met WHERE id IS NOT NULL AND number IS NOT NULL AND nth = 1 AND hash <> listed_hash
	UNION ALL
	SELECT nullif(coalesce((SELECT max(l.number) FROM listed l WHERE (l.xact, l.id) <= (met.xact, met.id)),
		(SELECT min(l.number) - 1 FROM listed l)), 0), 'added', NULL, NULL, NULL, NULL,
		NULL, NULL, event
	FROM met WHERE number IS NULL OR nth > 1
$$;

-- What is wrong with a seal itself; before is the seal that stands before it, or NULL.
CREATE FUNCTION smsbridge.ledger_check_seal(s smsbridge.seal, before smsbridge.seal)
RETURNS TABLE (what text, detail text) LANGUAGE sql STABLE AS $$
	SELECT 'seal missing', CASE WHEN (before).number + 1 = (s).number - 1 THEN format('seal %s is gone', (s).number - 1)
		ELSE format('seals %s to %s are gone', coalesce((before).number, 0) + 1, (s).number - 1) END
	WHERE (s).number <> coalesce((before).number, 0) + 1
	UNION ALL
	SELECT 'seal changed', format('it begins at event %s; the seal before ends at %s', (s).first, coalesce((before).last,
		0))
	WHERE (s).number = coalesce((before).number, 0) + 1 AND (s).first <> coalesce((before).last, 0) + 1
	UNION ALL
	SELECT 'seal changed', 'it does not name the head of the seal before'
	WHERE (s).number = coalesce((before).number, 0) + 1
		AND (s).previous <> coalesce((before).head, decode(repeat('00', 32), 'hex'))
	UNION ALL
	SELECT 'seal changed', 'its head is not the hash of its statement'
	WHERE (s).head <> sha256(convert_to(smsbridge.seal_text((s).number, (s).first, (s).last, (s).earliest, (s).latest,
		(s).digest, (s).previous, (s).at, (s).key), 'UTF8'))
	UNION ALL
	SELECT 'seal changed', 'its list of events is gone'
	WHERE NOT EXISTS (SELECT FROM smsbridge.seal_list l WHERE l.seal = (s).number)
	UNION ALL
	SELECT 'seal changed', 'its list of events does not fit its digest, its numbers or its place'
	FROM (SELECT sha256(convert_to(string_agg(smsbridge.seal_line(hash, number, practice_id, xact, id, at, type) || E'\n',
		''
			ORDER BY number), 'UTF8')) AS digest, count(*) AS n, max(number) AS last,
			(array_agg(xact ORDER BY number DESC))[1] AS xact, (array_agg(id ORDER BY number DESC))[1] AS id
		FROM smsbridge.seal_events((s).number)) AS l
	WHERE l.n > 0 AND (l.digest <> (s).digest OR l.n <> (s).last - (s).first + 1 OR (l.xact, l.id) <> ((s).xact,
		(s).event_id))
	UNION ALL
	SELECT 'bad signature', 'it is unsigned, and an earlier seal is signed'
	WHERE (s).key IS NULL AND (before).key IS NOT NULL
	UNION ALL
	SELECT 'bad signature', 'it is signed by a key that had been replaced before'
	WHERE (s).key < (before).key
	UNION ALL
	SELECT 'bad signature', 'the signature is missing, or of another key'
	WHERE (s).key IS NOT NULL AND NOT EXISTS (
		SELECT FROM smsbridge.seal_signature g WHERE g.seal = (s).number AND g.key = (s).key)
$$;

-- Everything that is found in the seals that hold numbers from_number to to_number (NULL: from the first, to the last
-- and what lies behind it), not yet sorted out.
CREATE FUNCTION smsbridge.ledger_check(from_number bigint, to_number bigint)
RETURNS TABLE (seal bigint, detail text, number bigint, what text, listed_hash bytea, listed_practice uuid,
	listed_xact xid8, listed_id bigint, listed_at timestamptz, listed_type text, event smsbridge.event)
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$ -- a seal's stretch is a small part of any month
DECLARE
	s smsbridge.seal;
	before smsbridge.seal;
	begin_xact xid8;
	begin_id bigint;
BEGIN
	SELECT * INTO before FROM smsbridge.seal b WHERE b.last < from_number ORDER BY b.number DESC LIMIT 1;
	FOR s IN SELECT * FROM smsbridge.seal b WHERE (from_number IS NULL OR b.last >= from_number)
			AND (to_number IS NULL OR b.first <= to_number) ORDER BY b.number LOOP
		RETURN QUERY SELECT s.number, c.detail, s.first, c.what, NULL::bytea, NULL::uuid, NULL::xid8, NULL::bigint,
			NULL::timestamptz, NULL::text, NULL::smsbridge.event FROM smsbridge.ledger_check_seal(s, before) c;
		SELECT l.xacts[1], l.ids[1] - 1 INTO begin_xact, begin_id FROM smsbridge.seal_list l WHERE l.seal = s.number;
		IF FOUND THEN
			IF s.number = coalesce(before.number, 0) + 1 THEN -- else what lies between belongs to the seals that are gone
				begin_xact := before.xact;
				begin_id := before.event_id;
			END IF;
			RETURN QUERY SELECT s.number, NULL::text, c.* FROM smsbridge.ledger_check_events(s.number, begin_xact, begin_id,
				s.xact, s.event_id) c;
		END IF;
		before := s;
	END LOOP;
	IF to_number IS NULL THEN
		RETURN QUERY SELECT NULL::bigint, 'the transaction that it names is still to come', before.last, 'added', NULL::bytea,
			NULL::uuid, NULL::xid8, NULL::bigint, NULL::timestamptz, NULL::text, e
		FROM smsbridge.event e WHERE e.xact >= pg_snapshot_xmax(pg_current_snapshot())
			AND e.xact IS DISTINCT FROM pg_current_xact_id_if_assigned()
			AND (e.xact, e.id) > (coalesce(before.xact, '0'::xid8), coalesce(before.event_id, 0));
	END IF;
END $$;

-- Months moved out whose record does not stand up: the lists have another number of events there, or no sealed event
-- tells of it.
CREATE FUNCTION smsbridge.ledger_check_archives() RETURNS TABLE (what text, detail text) LANGUAGE sql STABLE AS $$
	SELECT 'archive', format('%s was moved out with %s events; the seals list %s', a.partition, a.events, n)
	FROM smsbridge.seal_archive a CROSS JOIN LATERAL (
		SELECT count(*) AS n FROM smsbridge.seal s CROSS JOIN LATERAL smsbridge.seal_events(s.number) e
		WHERE s.latest >= a.earliest AND s.earliest < a.latest AND s.first <= a.last
			AND e.at >= a.earliest AND e.at < a.latest AND e.number <= a.last) AS l
	WHERE n <> a.events
	UNION ALL
	SELECT 'archive', format('%s was moved out, and no event tells of it', a.partition)
	FROM smsbridge.seal_archive a WHERE NOT EXISTS (SELECT FROM smsbridge.event e WHERE e.type = 'ledger.archived'
		AND e.data->>'partition' = a.partition AND (e.data->>'last')::bigint = a.last
		AND (e.data->>'events')::bigint = a.events)
$$;

-- What is wrong with the ledger; empty: nothing. Numbers as in ledger_check. number: the event's; of an added one that
-- of the event before it, of a seal's fault that of its first event. practice_id, event_id, type and at: as sealed; of
-- an added event as it stands. Signatures need a program: `smsbridge ledger verify`, or openssl (docs/ledger.md).
CREATE FUNCTION smsbridge.ledger_verify(from_number bigint DEFAULT NULL, to_number bigint DEFAULT NULL)
RETURNS TABLE (number bigint, what text, seal bigint, practice_id uuid, xact xid8, event_id bigint, type text,
	at timestamptz, detail text) LANGUAGE sql STABLE AS $$
	WITH found AS MATERIALIZED (
		SELECT row_number() OVER () AS n, c.* FROM smsbridge.ledger_check(from_number, to_number) c
	), moved AS MATERIALIZED ( -- the event is still there, at another place
		SELECT DISTINCT ON (l.n) l.n, p.n AS there, (p.event).xact AS xact, (p.event).id AS id
		FROM found l JOIN found p ON (p.event).practice_id = l.listed_practice AND (p.event).type = l.listed_type
			AND (p.event).at = l.listed_at
		WHERE l.listed_hash = sha256(convert_to(smsbridge.event_text((p.event).practice_id, l.listed_xact, l.listed_id,
			(p.event).message_id, (p.event).type, (p.event).at, (p.event).recorded_at, (p.event).phone, (p.event).patient,
			(p.event).reason, (p.event).data), 'UTF8'))
		ORDER BY l.n, p.n
	), told AS (
		SELECT f.number, CASE WHEN m.n IS NOT NULL THEN 'reordered'
				WHEN f.what = 'changed' AND t.there IS NOT NULL THEN 'removed' ELSE f.what END AS what,
			f.seal, coalesce(f.listed_practice, (f.event).practice_id) AS practice_id,
			coalesce(f.listed_xact, (f.event).xact) AS xact, coalesce(f.listed_id, (f.event).id) AS event_id,
			coalesce(f.listed_type, (f.event).type) AS type, coalesce(f.listed_at, (f.event).at) AS at,
			CASE WHEN f.detail IS NOT NULL THEN f.detail
				WHEN m.n IS NOT NULL THEN format('it now stands at transaction %s, id %s', m.xact, m.id)
				WHEN f.what = 'changed' AND t.there IS NULL THEN coalesce('other than sealed: ' || nullif(concat_ws(', ',
					CASE WHEN (f.event).practice_id <> f.listed_practice THEN 'practice_id' END,
					CASE WHEN (f.event).type <> f.listed_type THEN 'type' END,
					CASE WHEN (f.event).at <> f.listed_at THEN 'at' END), ''),
					'other than sealed: one of message_id, recorded_at, phone, patient, reason, data')
				WHEN f.what = 'added' THEN 'it stands behind this number and was never sealed'
				ELSE 'it is sealed and not there' END AS detail
		FROM found f LEFT JOIN moved m ON m.n = f.n
			LEFT JOIN (SELECT DISTINCT there FROM moved) t ON t.there = f.n
		WHERE NOT (f.what = 'added' AND t.there IS NOT NULL)
	)
	SELECT number, what, seal, practice_id, xact, event_id, type, at, detail FROM told
	UNION ALL
	SELECT f.number, 'added', f.seal, (f.event).practice_id, (f.event).xact, (f.event).id, (f.event).type, (f.event).at,
		'it stands in the place of a sealed event'
	FROM found f WHERE f.what = 'changed' AND f.n IN (SELECT n FROM moved) AND f.n NOT IN (SELECT there FROM moved)
	UNION ALL
	SELECT NULL, a.what, NULL, NULL, NULL, NULL, NULL, NULL, a.detail FROM smsbridge.ledger_check_archives() a
	ORDER BY 1, 2, 6
$$;

-- --- moving months out ----------------------------------------------------------------------------------------------

-- To be called before a partition of smsbridge.event is detached, in the same transaction: records that its events
-- leave. Refuses a partition that holds an event that is not sealed or not as sealed, or lacks one. Returns how many
-- leave.
CREATE FUNCTION smsbridge.ledger_archive(part regclass, by text, now timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	bounds text[] := regexp_match((SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c JOIN pg_inherits i
		ON i.inhrelid = c.oid WHERE c.oid = part AND i.inhparent = 'smsbridge.event'::regclass),
		'^FOR VALUES FROM \(''([^'']+)''\) TO \(''([^'']+)''\)$');
	newest smsbridge.seal;
	rows_here bigint;
	listed bigint;
	alike bigint;
	lowest bigint;
BEGIN
	IF bounds IS NULL THEN
		RAISE EXCEPTION '% is no month of smsbridge.event', part;
	END IF;
	PERFORM pg_advisory_xact_lock(7310771300013); -- of the sealer: the newest seal stays the newest
	SELECT * INTO newest FROM smsbridge.seal ORDER BY number DESC LIMIT 1;
	IF newest IS NULL THEN
		RAISE EXCEPTION 'nothing is sealed yet';
	END IF;
	EXECUTE format('SELECT count(*) FROM %s', part) INTO rows_here;
	EXECUTE format('SELECT count(*),
			count(e.id) FILTER (WHERE sha256(convert_to(smsbridge.event_text(e.practice_id, e.xact, e.id,
				e.message_id, e.type, e.at, e.recorded_at, e.phone, e.patient, e.reason, e.data), ''UTF8'')) = l.hash),
			min(l.number)
		FROM smsbridge.seal s CROSS JOIN LATERAL smsbridge.seal_events(s.number) l
			LEFT JOIN %s e ON e.practice_id = l.practice_id AND e.xact = l.xact AND e.id = l.id AND e.at = l.at
		WHERE s.latest >= $1 AND s.earliest < $2 AND l.at >= $1 AND l.at < $2', part)
		INTO listed, alike, lowest USING bounds[1]::timestamptz, bounds[2]::timestamptz;
	IF rows_here <> listed OR alike <> listed THEN
		RAISE EXCEPTION '% holds % events, the seals list %, of which % are as sealed; see smsbridge.ledger_verify()', part,
			rows_here, listed, alike;
	END IF;
	INSERT INTO smsbridge.seal_archive (partition, earliest, latest, first, last, events, seal, head, at, by)
	VALUES (part::text, bounds[1]::timestamptz, bounds[2]::timestamptz, lowest, newest.last, listed, newest.number,
		newest.head, now, by);
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	VALUES ('00000000-0000-0000-0000-000000000000', 'ledger.archived', now, jsonb_build_object('partition', part::text,
		'earliest', smsbridge.seal_time(bounds[1]::timestamptz), 'latest', smsbridge.seal_time(bounds[2]::timestamptz),
		'first', lowest, 'last', newest.last, 'events', listed, 'seal', newest.number,
		'head', encode(newest.head, 'hex'), 'by', by));
	RETURN listed;
END $$;
REVOKE ALL ON FUNCTION smsbridge.ledger_archive FROM PUBLIC;

-- A month that was moved out, wherever its table is (of the same columns): what is not as sealed. Empty: nothing.
CREATE FUNCTION smsbridge.ledger_verify_month(part regclass, month_from timestamptz, month_to timestamptz)
RETURNS TABLE (number bigint, what text, event_id bigint, type text, at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT l.number, CASE WHEN e.id IS NULL THEN ''removed'' WHEN l.id IS NULL THEN ''added''
			ELSE ''changed'' END, coalesce(l.id, e.id), coalesce(l.type, e.type), coalesce(l.at, e.at)
		FROM (SELECT l.* FROM smsbridge.seal_archive a JOIN smsbridge.seal s ON s.latest >= a.earliest
					AND s.earliest < a.latest AND s.first <= a.last
				CROSS JOIN LATERAL smsbridge.seal_events(s.number) l
			WHERE a.earliest = $1 AND a.latest = $2 AND l.at >= $1 AND l.at < $2 AND l.number <= a.last) AS l
			FULL JOIN %s e ON e.xact = l.xact AND e.id = l.id AND e.practice_id = l.practice_id AND e.at = l.at
		WHERE l.id IS NULL OR e.id IS NULL OR l.hash <> sha256(convert_to(smsbridge.event_text(e.practice_id, e.xact,
			e.id, e.message_id, e.type, e.at, e.recorded_at, e.phone, e.patient, e.reason, e.data), ''UTF8''))
		ORDER BY 1, 3', part) USING month_from, month_to;
END $$;

-- --- what compliance staff read -------------------------------------------------------------------------------------

CREATE VIEW report.seals WITH (security_barrier) AS
SELECT s.number, s.first, s.last, s.last - s.first + 1 AS events, s.earliest, s.latest, s.at,
	encode(s.digest, 'hex') AS digest, encode(s.previous, 'hex') AS previous, encode(s.head, 'hex') AS head, s.key,
	encode(g.signature, 'base64') AS signature, smsbridge.seal_text(s.number, s.first, s.last, s.earliest, s.latest,
		s.digest,
	s.previous, s.at, s.key) AS statement
FROM smsbridge.seal s LEFT JOIN smsbridge.seal_signature g ON g.seal = s.number;
COMMENT ON VIEW report.seals IS 'Every seal: the numbers of its events, the hash of their lines, its head, and the '
	'statement that its key signed.';

CREATE VIEW report.seal_lines WITH (security_barrier) AS
SELECT s.number AS seal, s.first - 1 + u.place AS number, u.practice AS practice_id, u.xact::text AS xact, u.id, u.at,
	u.type, encode(u.hash, 'hex') AS hash,
	smsbridge.seal_line(u.hash, s.first - 1 + u.place, u.practice, u.xact, u.id, u.at, u.type) AS line
FROM smsbridge.seal s JOIN smsbridge.seal_list l ON l.seal = s.number,
	unnest(l.hashes, l.practices, l.xacts, l.ids, l.times, l.types)
		WITH ORDINALITY AS u(hash, practice, xact, id, at, type, place);
COMMENT ON VIEW report.seal_lines IS 'The sealed events by number, with the lines whose SHA-256 is the seal''s digest.';

CREATE VIEW report.ledger_keys WITH (security_barrier) AS
SELECT k.id, encode(k.public_key, 'hex') AS public_key, '-----BEGIN PUBLIC KEY-----' || E'\n'
	|| encode('\x302a300506032b6570032100'::bytea || k.public_key, 'base64') || E'\n-----END PUBLIC KEY-----' AS pem,
	k.previous, k.at, encode(k.endorsement, 'base64') AS endorsement,
	smsbridge.key_text(k.id, k.public_key, k.previous, k.at) AS statement
FROM smsbridge.ledger_key k;
COMMENT ON VIEW report.ledger_keys IS 'The public keys of seals, as PEM for openssl, and how each was endorsed by '
	'the one before.';

CREATE VIEW report.seal_archives WITH (security_barrier) AS
SELECT partition, earliest, latest, first, last, events, seal, encode(head, 'hex') AS head, at, by
FROM smsbridge.seal_archive;
COMMENT ON VIEW report.seal_archives IS 'Months of events that were moved out, and the seal that vouches for them.';

CREATE FUNCTION report.ledger_verify(from_number bigint DEFAULT NULL, to_number bigint DEFAULT NULL)
RETURNS TABLE (number bigint, what text, seal bigint, practice_id uuid, xact text, event_id bigint, type text,
	at timestamptz, detail text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
	SELECT v.number, v.what, v.seal, v.practice_id, v.xact::text, v.event_id, v.type, v.at, v.detail
	FROM smsbridge.ledger_verify(from_number, to_number) v
$$;
COMMENT ON FUNCTION report.ledger_verify IS 'What is wrong with the ledger, event by event: changed, removed, added, '
	'reordered; and with its seals. Empty: nothing.';
REVOKE ALL ON FUNCTION report.ledger_verify FROM PUBLIC;

GRANT SELECT ON smsbridge.seal_lag TO smsbridge_app;
GRANT SELECT ON report.seals, report.seal_lines, report.ledger_keys, report.seal_archives TO smsbridge_compliance,
	smsbridge_app;
GRANT EXECUTE ON FUNCTION report.ledger_verify TO smsbridge_compliance, smsbridge_app;
