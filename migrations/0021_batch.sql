-- Batches: many messages in one upload, each with a result of its own; and broadcasts: a text for many, at a pace.

-- Messages of a broadcast wait with due_at infinity until they are released. `canceling` and what expired are settled
-- by every gateway's housekeeping, some at a time.
CREATE TABLE smsbridge.broadcast (
	practice_id uuid NOT NULL,
	id uuid NOT NULL,
	name text NOT NULL CHECK (name <> ''),
	template_id uuid NOT NULL,
	template text NOT NULL,
	language text NOT NULL,
	category text NOT NULL,
	pace integer NOT NULL CHECK (pace BETWEEN 1 AND 60000), -- texts a minute, of all gateways together
	send_from timestamptz NOT NULL,
	expires_at timestamptz NOT NULL CHECK (expires_at > send_from),
	person text NOT NULL CHECK (person <> ''),              -- who orders it
	api_key text NOT NULL,
	state text NOT NULL DEFAULT 'created'
		CHECK (state IN ('created', 'running', 'paused', 'canceling', 'canceled', 'done')),
	paced_at timestamptz,                                   -- up to here its pace is used up
	created_at timestamptz NOT NULL,
	started_at timestamptz,
	ended_at timestamptz,
	PRIMARY KEY (practice_id, id)
);
CREATE INDEX broadcast_live ON smsbridge.broadcast (practice_id, id) WHERE state NOT IN ('canceled', 'done');

CREATE TABLE smsbridge.batch (
	practice_id uuid NOT NULL,
	id uuid NOT NULL,
	broadcast_id uuid,                        -- whose recipients it brings
	key text,                                 -- Idempotency-Key: whoever brings it again goes on with this batch
	api_key text NOT NULL,
	state text NOT NULL DEFAULT 'receiving' CHECK (state IN ('receiving', 'received', 'canceling', 'canceled')),
	upload uuid,                              -- the request that is bringing it now
	upload_at timestamptz,                    -- when that last brought something
	items integer NOT NULL DEFAULT 0,
	accepted integer NOT NULL DEFAULT 0,
	refused integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL,
	received_at timestamptz,
	PRIMARY KEY (practice_id, id),
	CHECK (items = accepted + refused)
);
CREATE UNIQUE INDEX batch_key ON smsbridge.batch (practice_id, key) WHERE key IS NOT NULL;
CREATE INDEX batch_canceling ON smsbridge.batch (practice_id, id) WHERE state = 'canceling';
CREATE INDEX batch_uploading ON smsbridge.batch (practice_id, broadcast_id) WHERE upload IS NOT NULL;

-- What became of each item: a message, or a problem.
CREATE TABLE smsbridge.batch_item (
	practice_id uuid NOT NULL,
	batch_id uuid NOT NULL,
	item integer NOT NULL CHECK (item >= 0),  -- its place, from 0
	sha256 bytea NOT NULL,                    -- of what was sent, to know it again
	reference text,
	message_id uuid,
	code text,
	errors jsonb,
	PRIMARY KEY (practice_id, batch_id, item),
	CHECK ((message_id IS NULL) = (code IS NOT NULL))
);

-- A phone and a patient get a broadcast once.
CREATE UNIQUE INDEX message_broadcast_phone ON smsbridge.message (practice_id, broadcast_id, phone)
	WHERE broadcast_id IS NOT NULL;
CREATE UNIQUE INDEX message_broadcast_patient ON smsbridge.message (practice_id, broadcast_id, patient)
	WHERE broadcast_id IS NOT NULL;
-- What of a broadcast, and of a batch, waits.
CREATE INDEX message_broadcast_waiting ON smsbridge.message (practice_id, broadcast_id, due_at, batch_id, batch_item)
	WHERE broadcast_id IS NOT NULL AND due_at IS NOT NULL;
CREATE INDEX message_batch_waiting ON smsbridge.message (practice_id, batch_id)
	WHERE batch_id IS NOT NULL AND due_at IS NOT NULL;
-- What of them is on its way to a carrier, and may come back.
CREATE INDEX message_broadcast_sending ON smsbridge.message (practice_id, broadcast_id)
	WHERE broadcast_id IS NOT NULL AND status = 'sending';
CREATE INDEX message_batch_sending ON smsbridge.message (practice_id, batch_id)
	WHERE batch_id IS NOT NULL AND status = 'sending';

GRANT SELECT, INSERT, UPDATE ON smsbridge.broadcast, smsbridge.batch, smsbridge.batch_item TO smsbridge_app;

-- How many messages have each status.
CREATE FUNCTION smsbridge.broadcast_counts(p_practice uuid, p_id uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (
		SELECT status, count(*) AS n FROM smsbridge.message
		WHERE practice_id = p_practice AND broadcast_id = p_id GROUP BY status) AS s
$$;
CREATE FUNCTION smsbridge.batch_counts(p_practice uuid, p_id uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (
		SELECT status, count(*) AS n FROM smsbridge.message
		WHERE practice_id = p_practice AND batch_id = p_id GROUP BY status) AS s
$$;

-- A broadcast as the API shows it, without its progress.
CREATE FUNCTION smsbridge.broadcast_json(b smsbridge.broadcast) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', b.id, 'name', b.name, 'state', b.state, 'template', b.template,
		'template_id', b.template_id, 'language', b.language, 'category', b.category, 'pace_per_minute', b.pace,
		'send_from', b.send_from, 'expires_at', b.expires_at, 'person', b.person, 'created_at', b.created_at,
		'started_at', b.started_at, 'ended_at', b.ended_at)
$$;

-- An event of a broadcast.
CREATE FUNCTION smsbridge.broadcast_tell(b smsbridge.broadcast, p_type text, p_at timestamptz, p_key text) RETURNS void
LANGUAGE sql AS $$
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	VALUES (b.practice_id, p_type, p_at, jsonb_strip_nulls(jsonb_build_object('broadcast_id', b.id, 'name', b.name,
		'state', b.state, 'key', p_key, 'person', b.person, 'template_id', b.template_id, 'pace', b.pace)))
$$;

-- What of a cancelled broadcast or batch is on its way goes no further than it is: the claim after a refusal reads
-- this. Indexes: message_broadcast_sending, message_batch_sending.
CREATE FUNCTION smsbridge.sending_withdraw(p_practice uuid, p_broadcast uuid, p_batch uuid, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO smsbridge.withdrawn (practice_id, message_id, reason, at)
	SELECT practice_id, id, 'canceled_by_practice', p_at FROM smsbridge.message
	WHERE practice_id = p_practice AND broadcast_id = p_broadcast AND status = 'sending'
	UNION ALL
	SELECT practice_id, id, 'canceled_by_practice', p_at FROM smsbridge.message
	WHERE practice_id = p_practice AND batch_id = p_batch AND status = 'sending'
	ON CONFLICT DO NOTHING;
END $$;

-- Starts, pauses, resumes, cancels. Whoever asks for what is so already gets it again. Under the row's lock, so that no
-- release runs at the same time: a pause or a cancel is in force for all that is not claimed when it is committed.
CREATE FUNCTION smsbridge.broadcast_act(p_practice uuid, p_id uuid, p_act text, p_at timestamptz, p_key text)
RETURNS TABLE (problem text, body jsonb, phone text) LANGUAGE plpgsql AS $$
DECLARE
	b smsbridge.broadcast;
	to_state text := CASE p_act WHEN 'start' THEN 'running' WHEN 'resume' THEN 'running' WHEN 'pause' THEN 'paused'
		ELSE 'canceling' END;
BEGIN
	phone := '';
	SELECT * INTO b FROM smsbridge.broadcast x WHERE x.practice_id = p_practice AND x.id = p_id FOR UPDATE;
	problem := CASE WHEN b.id IS NULL THEN 'broadcast_unknown'
		WHEN b.state = to_state OR (b.state = 'canceled' AND p_act = 'cancel') THEN ''
		WHEN b.state IN ('canceling', 'canceled', 'done') OR (p_act <> 'cancel' AND b.expires_at <= p_at)
			THEN 'broadcast_over'
		WHEN p_act IN ('pause', 'resume') AND b.state = 'created' THEN 'broadcast_not_started'
		WHEN p_act = 'start' AND b.state = 'paused' THEN 'broadcast_paused'
		WHEN p_act = 'start' AND NOT EXISTS (SELECT FROM smsbridge.message m
			WHERE m.practice_id = p_practice AND m.broadcast_id = p_id) THEN 'broadcast_empty'
		ELSE '' END;
	IF problem = '' AND b.state <> to_state AND b.state <> 'canceled' THEN
		UPDATE smsbridge.broadcast x SET state = to_state,
			paced_at = CASE WHEN to_state = 'running' THEN p_at ELSE x.paced_at END,
			started_at = CASE WHEN p_act = 'start' THEN p_at ELSE x.started_at END
		WHERE x.practice_id = p_practice AND x.id = p_id RETURNING * INTO b;
		IF to_state <> 'running' THEN
			PERFORM smsbridge.broadcast_hold(p_practice, p_id, p_at);
		END IF;
		IF to_state = 'canceling' THEN
			PERFORM smsbridge.sending_withdraw(p_practice, p_id, NULL, p_at);
		END IF;
		PERFORM smsbridge.broadcast_tell(b, CASE p_act WHEN 'start' THEN 'broadcast.started'
			WHEN 'resume' THEN 'broadcast.resumed' WHEN 'pause' THEN 'broadcast.paused' ELSE 'broadcast.canceled' END,
			p_at, p_key);
	END IF;
	body := smsbridge.broadcast_json(b);
	RETURN NEXT;
END $$;

-- What was released and is not claimed waits for its release again. Claims that hold a row are waited for: their
-- verdict comes first. Returns how many. Index: message_broadcast_waiting.
CREATE FUNCTION smsbridge.broadcast_hold(p_practice uuid, p_id uuid, p_at timestamptz) RETURNS integer LANGUAGE plpgsql
AS $$
DECLARE
	n integer;
BEGIN
	UPDATE smsbridge.message SET due_at = 'infinity', status = 'scheduled', reason = NULL, updated_at = p_at
	WHERE practice_id = p_practice AND broadcast_id = p_id AND due_at < 'infinity';
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- What has waited for its opening hours and the like is judged again, but not what waits for its release.
CREATE OR REPLACE FUNCTION smsbridge.judge_again(practice uuid, to_phone text, why text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
	woken integer;
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND granted) THEN
		WITH free AS (
			SELECT practice_id, id FROM smsbridge.message
			WHERE practice_id = practice AND phone = to_phone AND due_at < 'infinity' AND status = 'held'
				AND (why IS NULL OR reason = why)
			FOR UPDATE SKIP LOCKED
		)
		UPDATE smsbridge.message m SET due_at = least(m.due_at, m.created_at) FROM free f
		WHERE m.practice_id = f.practice_id AND m.id = f.id;
	ELSE
		UPDATE smsbridge.message m SET due_at = least(m.due_at, m.created_at)
		WHERE m.practice_id = practice AND m.phone = to_phone AND m.due_at < 'infinity'
			AND (m.status IN ('scheduled', 'queued') -- and about to be held: the row is looked at again behind the wait
				OR (m.status = 'held' AND (why IS NULL OR m.reason = why)));
	END IF;
	GET DIAGNOSTICS woken = ROW_COUNT;
	RETURN woken;
END $$;

-- Lets go what each running broadcast's pace allows since it last let something go; two seconds of it at most, so that
-- a pause of all gateways is not made up for. Whoever of them has the row does it. Returns how many were let go.
CREATE FUNCTION smsbridge.broadcast_release(p_at timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	b smsbridge.broadcast;
	since timestamptz;
	allowed integer;
	most integer;
	n integer;
	released integer := 0;
BEGIN
	FOR b IN SELECT * FROM smsbridge.broadcast x
		WHERE x.state = 'running' AND x.send_from <= p_at AND x.expires_at > p_at
		ORDER BY x.practice_id, x.id FOR UPDATE SKIP LOCKED
	LOOP
		since := greatest(b.paced_at, b.send_from);
		most := greatest(b.pace / 30, 1);
		allowed := least(floor(extract(epoch FROM p_at - since) * b.pace / 60), 1000000)::integer;
		CONTINUE WHEN allowed < 1;
		UPDATE smsbridge.message m SET due_at = p_at, status = 'queued', updated_at = p_at
		FROM (SELECT w.practice_id, w.id FROM smsbridge.message w
			WHERE w.practice_id = b.practice_id AND w.broadcast_id = b.id AND w.due_at = 'infinity'
			ORDER BY w.batch_id, w.batch_item LIMIT least(allowed, most) FOR UPDATE SKIP LOCKED) AS w
		WHERE m.practice_id = w.practice_id AND m.id = w.id;
		GET DIAGNOSTICS n = ROW_COUNT;
		released := released + n;
		UPDATE smsbridge.broadcast x SET paced_at = CASE WHEN allowed > most OR n < allowed THEN p_at
			ELSE since + allowed * interval '1 minute' / b.pace END
		WHERE x.practice_id = b.practice_id AND x.id = b.id;
	END LOOP;
	RETURN released;
END $$;

-- Ends some of what waits: of one broadcast or of one batch, with an event each. Rows that a claim holds are left for
-- the next time. Returns how many.
CREATE FUNCTION smsbridge.waiting_end(p_practice uuid, p_broadcast uuid, p_batch uuid, p_status text, p_reason text,
	p_at timestamptz, p_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	n integer;
BEGIN
	WITH of_broadcast AS (
		SELECT practice_id, id FROM smsbridge.message
		WHERE practice_id = p_practice AND broadcast_id = p_broadcast AND due_at IS NOT NULL
		LIMIT p_most FOR UPDATE SKIP LOCKED
	), of_batch AS (
		SELECT practice_id, id FROM smsbridge.message
		WHERE practice_id = p_practice AND batch_id = p_batch AND due_at IS NOT NULL
		LIMIT p_most FOR UPDATE SKIP LOCKED
	), w AS (
		SELECT * FROM of_broadcast UNION ALL SELECT * FROM of_batch
	), u AS (
		UPDATE smsbridge.message m SET status = p_status, reason = p_reason, due_at = NULL, updated_at = p_at FROM w
		WHERE m.practice_id = w.practice_id AND m.id = w.id
		RETURNING m.practice_id, m.id
	), told AS (
		INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason)
		SELECT practice_id, id, 'message.' || p_status, p_at, p_reason FROM u
	)
	SELECT count(*) INTO n FROM u;
	RETURN n;
END $$;

-- Takes live broadcasts and cancelled batches further: what is cancelled or has expired ends, what came back to a
-- paused one waits again, what has nothing more to do is done. Returns how many messages were ended; as many as p_most:
-- there may be more.
CREATE FUNCTION smsbridge.broadcast_settle(p_at timestamptz, p_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	b smsbridge.broadcast;
	a smsbridge.batch;
	ended integer := 0;
	waits boolean;
BEGIN
	FOR b IN SELECT * FROM smsbridge.broadcast x WHERE x.state NOT IN ('canceled', 'done')
		ORDER BY x.practice_id, x.id FOR UPDATE SKIP LOCKED
	LOOP
		EXIT WHEN ended >= p_most;
		IF b.state = 'canceling' THEN
			PERFORM smsbridge.sending_withdraw(b.practice_id, b.id, NULL, p_at);
			ended := ended + smsbridge.waiting_end(b.practice_id, b.id, NULL, 'canceled', 'canceled_by_practice', p_at,
				p_most - ended);
		ELSIF b.expires_at <= p_at THEN
			ended := ended + smsbridge.waiting_end(b.practice_id, b.id, NULL, 'expired', 'expired', p_at, p_most - ended);
		ELSIF b.state = 'paused' THEN
			PERFORM smsbridge.broadcast_hold(b.practice_id, b.id, p_at);
		END IF;
		CONTINUE WHEN b.state IN ('created', 'paused') AND b.expires_at > p_at;
		waits := EXISTS (SELECT FROM smsbridge.message m
				WHERE m.practice_id = b.practice_id AND m.broadcast_id = b.id AND m.due_at IS NOT NULL)
			OR EXISTS (SELECT FROM smsbridge.message m
				WHERE m.practice_id = b.practice_id AND m.broadcast_id = b.id AND m.status = 'sending')
			OR EXISTS (SELECT FROM smsbridge.batch t WHERE t.practice_id = b.practice_id AND t.broadcast_id = b.id
				AND t.upload IS NOT NULL AND t.upload_at > p_at - interval '90 seconds');
		CONTINUE WHEN waits;
		UPDATE smsbridge.broadcast x SET state = CASE b.state WHEN 'canceling' THEN 'canceled' ELSE 'done' END,
			ended_at = p_at
		WHERE x.practice_id = b.practice_id AND x.id = b.id RETURNING * INTO b;
		IF b.state = 'done' THEN
			PERFORM smsbridge.broadcast_tell(b, 'broadcast.done', p_at, NULL);
		END IF;
	END LOOP;
	FOR a IN SELECT * FROM smsbridge.batch x WHERE x.state = 'canceling' ORDER BY x.practice_id, x.id
		FOR UPDATE SKIP LOCKED
	LOOP
		EXIT WHEN ended >= p_most;
		PERFORM smsbridge.sending_withdraw(a.practice_id, NULL, a.id, p_at);
		ended := ended + smsbridge.waiting_end(a.practice_id, NULL, a.id, 'canceled', 'canceled_by_practice', p_at,
			p_most - ended);
		CONTINUE WHEN EXISTS (SELECT FROM smsbridge.message m
				WHERE m.practice_id = a.practice_id AND m.batch_id = a.id AND m.due_at IS NOT NULL)
			OR EXISTS (SELECT FROM smsbridge.message m
				WHERE m.practice_id = a.practice_id AND m.batch_id = a.id AND m.status = 'sending');
		UPDATE smsbridge.batch x SET state = 'canceled' WHERE x.practice_id = a.practice_id AND x.id = a.id;
	END LOOP;
	RETURN ended;
END $$;

-- Cancels what of a batch waits; what is brought to it from now on is not taken.
CREATE FUNCTION smsbridge.batch_cancel(p_practice uuid, p_id uuid) RETURNS TABLE (problem text, body jsonb, phone text)
LANGUAGE plpgsql AS $$
DECLARE
	a smsbridge.batch;
BEGIN
	phone := '';
	UPDATE smsbridge.batch x SET state = 'canceling', upload = NULL
	WHERE x.practice_id = p_practice AND x.id = p_id AND x.state IN ('receiving', 'received');
	SELECT * INTO a FROM smsbridge.batch x WHERE x.practice_id = p_practice AND x.id = p_id;
	problem := CASE WHEN a.id IS NULL THEN 'batch_unknown' ELSE '' END;
	body := jsonb_build_object('id', a.id, 'state', a.state);
	RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION smsbridge.broadcast_act, smsbridge.broadcast_hold, smsbridge.broadcast_release,
	smsbridge.broadcast_settle, smsbridge.broadcast_tell, smsbridge.waiting_end, smsbridge.sending_withdraw,
	smsbridge.batch_cancel FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smsbridge.broadcast_act, smsbridge.broadcast_hold, smsbridge.broadcast_release,
	smsbridge.broadcast_settle, smsbridge.broadcast_tell, smsbridge.waiting_end, smsbridge.sending_withdraw,
	smsbridge.batch_cancel TO smsbridge_app;
