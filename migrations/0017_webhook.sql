-- Webhook endpoints: several a practice, each with its keys, its cursor over the events, its health and what waits.
-- Times are the rule clock's; leases and served_at are PostgreSQL's own clock.

CREATE TABLE smsbridge.webhook_endpoint (
	practice_id uuid NOT NULL REFERENCES smsbridge.practice,
	id uuid NOT NULL,                         -- the practice's own id: the one that `practice set` writes
	slot smallint NOT NULL CHECK (slot BETWEEN 1 AND 8), -- LIMIT_WEBHOOK_ENDPOINTS
	url text NOT NULL CHECK (url <> ''),
	failover_url text CHECK (failover_url <> ''),
	event_types text[] CHECK (cardinality(event_types) > 0), -- NULL: all that are told
	reply_text boolean NOT NULL DEFAULT false, -- replies' text and the whole phone go with them
	secret text NOT NULL,                     -- whsec_..., Standard Webhooks 1.0.0, signs as v1
	signing_key bytea NOT NULL CHECK (length(signing_key) = 32), -- Ed25519 (RFC 8032), signs as v1a
	former_secret text,                       -- those before the last rotation; they sign too
	former_key bytea,
	former_until timestamptz,
	state text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled')),
	state_reason text,                        -- why disabled: gone, exhausted, asked
	state_by text,                            -- gateway, key:<public part>, or a person's name
	state_at timestamptz NOT NULL,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, id),
	UNIQUE (practice_id, slot),
	CHECK ((former_secret IS NULL) = (former_until IS NULL) AND (former_key IS NULL) = (former_until IS NULL)),
	CHECK (state = 'enabled' OR state_reason IS NOT NULL)
);

-- How far an endpoint is. What is behind the cursor waits for it; nothing passes an endpoint that is down.
CREATE TABLE smsbridge.webhook_progress (
	practice_id uuid NOT NULL,
	endpoint_id uuid NOT NULL,
	xact xid8 NOT NULL,
	event_id bigint NOT NULL,
	failures integer NOT NULL DEFAULT 0,      -- rounds in a row that nothing was taken in
	fresh_failures integer NOT NULL DEFAULT 0, -- events in a row whose first attempt failed
	down_rounds integer NOT NULL DEFAULT 0,   -- of failures, those in which the cursor stayed
	down_since timestamptz,
	next_at timestamptz NOT NULL DEFAULT '-infinity',
	url_failures integer NOT NULL DEFAULT 0,  -- rounds in a row that nothing was taken in at the first URL
	failover_until timestamptz,               -- until then posts go to the failover URL
	slow boolean NOT NULL DEFAULT false,
	attempted_at timestamptz,
	succeeded_at timestamptz,
	last_status integer,                      -- HTTP status of the last attempt, 0: no answer
	last_error text,
	served_at timestamptz NOT NULL DEFAULT '-infinity',
	lease_node text,                          -- the gateway that serves it now
	lease_until timestamptz,
	PRIMARY KEY (practice_id, endpoint_id),
	FOREIGN KEY (practice_id, endpoint_id) REFERENCES smsbridge.webhook_endpoint ON DELETE CASCADE
) WITH (fillfactor = 50);

-- Events that the cursor passed and that are not delivered: to be tried again, behind one that is, or dead.
CREATE TABLE smsbridge.webhook_wait (
	practice_id uuid NOT NULL,
	endpoint_id uuid NOT NULL,
	xact xid8 NOT NULL,
	event_id bigint NOT NULL,
	order_key text NOT NULL,                  -- events with the same arrive in order
	attempts integer NOT NULL,
	since timestamptz,                        -- its first failure
	next_at timestamptz NOT NULL,
	dead_at timestamptz,
	last_status integer,
	PRIMARY KEY (practice_id, endpoint_id, xact, event_id),
	FOREIGN KEY (practice_id, endpoint_id) REFERENCES smsbridge.webhook_endpoint ON DELETE CASCADE
);
CREATE INDEX webhook_wait_due ON smsbridge.webhook_wait (practice_id, endpoint_id, next_at) WHERE dead_at IS NULL;
CREATE INDEX webhook_wait_order ON smsbridge.webhook_wait (practice_id, endpoint_id, order_key) WHERE dead_at IS NULL;

-- 32 octets for a new key; gen_random_uuid draws from the system's source, 122 bits each time.
CREATE FUNCTION smsbridge.webhook_key() RETURNS bytea LANGUAGE sql VOLATILE AS $$
	SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
$$;

-- Events with the same key arrive in order at an endpoint: those of one message, of one appointment, of one phone.
CREATE FUNCTION smsbridge.webhook_order(p_practice uuid, p_xact xid8, p_id bigint, p_type text, p_message uuid,
	p_phone text, p_data jsonb) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN p_message IS NOT NULL THEN 'm' || p_message
		WHEN p_type LIKE 'appointment.%' THEN 'a' || coalesce(p_data->>'ref', '')
		WHEN p_phone IS NOT NULL
			THEN 'p' || left(encode(sha256(convert_to(p_practice || p_phone, 'UTF8')), 'hex'), 32)
		ELSE 'e' || p_xact || '.' || p_id END
$$;

-- The lowest place that a practice has free for an endpoint; NULL when all are taken.
CREATE FUNCTION smsbridge.webhook_slot(p_practice uuid) RETURNS smallint LANGUAGE sql STABLE AS $$
	SELECT min(n)::smallint FROM generate_series(1, 8) AS n
	WHERE NOT EXISTS (SELECT FROM smsbridge.webhook_endpoint w WHERE w.practice_id = p_practice AND w.slot = n)
$$;

-- An endpoint as the API and commands show it: no secret. Pending are the events behind its cursor, counted to 1000.
CREATE FUNCTION smsbridge.webhook_shown(w smsbridge.webhook_endpoint, p_now timestamptz) RETURNS jsonb
LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', w.id, 'url', w.url, 'failover_url', w.failover_url, 'event_types', w.event_types,
		'reply_text', w.reply_text, 'state', w.state, 'state_reason', w.state_reason, 'state_by', w.state_by,
		'state_at', w.state_at, 'created_at', w.created_at,
		'former_until', CASE WHEN w.former_until > p_now THEN w.former_until END,
		'health', jsonb_build_object('failures', p.failures, 'last_status', p.last_status, 'last_error', p.last_error,
			'attempted_at', p.attempted_at, 'succeeded_at', p.succeeded_at,
			'failover', coalesce(p.failover_until > p_now, false),
			'next_at', CASE WHEN isfinite(p.next_at) THEN p.next_at END,
			'pending', coalesce(b.n, 0), 'waiting', coalesce(t.n, 0), 'dead', coalesce(t.dead, 0),
			'oldest_at', least(b.oldest, t.oldest)))
	FROM smsbridge.webhook_progress p
		LEFT JOIN LATERAL (SELECT count(*) AS n, min(at) AS oldest FROM (SELECT e.at FROM smsbridge.event e
			JOIN smsbridge.event_type y ON y.code = e.type AND y.webhook = 'PRACTICE'
			WHERE e.practice_id = p.practice_id AND (e.xact, e.id) > (p.xact, p.event_id)
				AND (w.event_types IS NULL OR e.type = ANY (w.event_types)) LIMIT 1000) AS x) AS b ON true
		LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE x.dead_at IS NULL) AS n,
			count(*) FILTER (WHERE x.dead_at IS NOT NULL) AS dead, min(e.at) FILTER (WHERE x.dead_at IS NULL) AS oldest
			FROM smsbridge.webhook_wait x JOIN smsbridge.event e ON e.practice_id = x.practice_id AND e.xact = x.xact
				AND e.id = x.event_id
			WHERE x.practice_id = p.practice_id AND x.endpoint_id = p.endpoint_id) AS t ON true
	WHERE p.practice_id = w.practice_id AND p.endpoint_id = w.id
$$;

-- Forgets what an endpoint failed at: it is tried at once, with a whole schedule before it.
CREATE FUNCTION smsbridge.webhook_afresh(p_practice uuid, p_endpoint uuid, p_now timestamptz) RETURNS void
LANGUAGE sql AS $$
	UPDATE smsbridge.webhook_progress SET next_at = '-infinity', failures = 0, fresh_failures = 0, down_rounds = 0,
		down_since = NULL, url_failures = 0, failover_until = NULL
	WHERE practice_id = p_practice AND endpoint_id = p_endpoint;
	UPDATE smsbridge.webhook_wait SET next_at = p_now, since = NULL, attempts = 0
	WHERE practice_id = p_practice AND endpoint_id = p_endpoint AND dead_at IS NULL;
$$;

-- What `practice add` and `practice set` say of a webhook: the practice's first endpoint. p_url NULL: as it is, '':
-- nowhere. Returns its URL while it is enabled, and the secret if it was made now.
CREATE FUNCTION smsbridge.practice_webhook(p_practice uuid, p_url text, p_text boolean, p_secret text, p_at timestamptz)
RETURNS TABLE (webhook_url text, webhook_secret text) LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	IF p_url <> '' THEN
		INSERT INTO smsbridge.webhook_endpoint AS w (practice_id, id, slot, url, reply_text, secret, signing_key,
			state_at, created_at)
		VALUES (p_practice, p_practice, smsbridge.webhook_slot(p_practice), p_url, coalesce(p_text, false), p_secret,
			smsbridge.webhook_key(), p_at, p_at)
		ON CONFLICT (practice_id, id) DO UPDATE SET url = excluded.url, reply_text = coalesce(p_text, w.reply_text),
			state = 'enabled', state_reason = NULL, state_by = NULL, state_at = excluded.state_at;
		INSERT INTO smsbridge.webhook_progress (practice_id, endpoint_id, xact, event_id)
		VALUES (p_practice, p_practice, pg_current_xact_id(), 0)
		ON CONFLICT (practice_id, endpoint_id) DO NOTHING;
		PERFORM smsbridge.webhook_afresh(p_practice, p_practice, p_at);
	ELSE
		UPDATE smsbridge.webhook_endpoint AS w SET reply_text = coalesce(p_text, w.reply_text),
			state = CASE WHEN p_url = '' THEN 'disabled' ELSE w.state END,
			state_reason = CASE WHEN p_url = '' THEN 'asked' ELSE w.state_reason END,
			state_by = CASE WHEN p_url = '' THEN 'practice set' ELSE w.state_by END,
			state_at = CASE WHEN p_url = '' THEN p_at ELSE w.state_at END
		WHERE w.practice_id = p_practice AND w.id = p_practice;
		IF p_text IS NOT NULL AND NOT FOUND THEN
			RAISE EXCEPTION 'the practice has no webhook yet: give --webhook-url too';
		END IF;
	END IF;
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT p_practice, 'webhook.changed', p_at, jsonb_build_object('id', p_practice, 'change', 'set', 'by', 'practice')
	WHERE p_url IS NOT NULL OR p_text IS NOT NULL;
	RETURN QUERY SELECT w.url, CASE WHEN w.secret = p_secret THEN p_secret END FROM smsbridge.webhook_endpoint w
		WHERE w.practice_id = p_practice AND w.id = p_practice AND w.state = 'enabled';
END $$;

-- What was one URL a practice becomes its first endpoint, at the same place of the events.
INSERT INTO smsbridge.webhook_endpoint (practice_id, id, slot, url, reply_text, secret, signing_key, state_at,
	created_at)
SELECT id, id, 1, webhook_url, webhook_reply_text, webhook_secret, smsbridge.webhook_key(), created_at, created_at
FROM smsbridge.practice WHERE webhook_url <> '' AND webhook_secret IS NOT NULL;
INSERT INTO smsbridge.webhook_progress (practice_id, endpoint_id, xact, event_id)
SELECT w.practice_id, w.id, coalesce(c.xact, '0'::xid8), coalesce(c.event_id, 0)
FROM smsbridge.webhook_endpoint w LEFT JOIN smsbridge.webhook_cursor c ON c.practice_id = w.practice_id;
INSERT INTO smsbridge.webhook_wait (practice_id, endpoint_id, xact, event_id, order_key, attempts, since, next_at,
	dead_at)
SELECT r.practice_id, r.practice_id, r.xact, r.event_id,
	smsbridge.webhook_order(e.practice_id, e.xact, e.id, e.type, e.message_id, e.phone, e.data), r.attempts, r.next_at,
	r.next_at, r.dead_at
FROM smsbridge.webhook_retry r
	JOIN smsbridge.webhook_endpoint w ON w.practice_id = r.practice_id AND w.id = r.practice_id
	JOIN smsbridge.event e ON e.practice_id = r.practice_id AND e.xact = r.xact AND e.id = r.event_id;
DROP TABLE smsbridge.webhook_retry, smsbridge.webhook_cursor;
ALTER TABLE smsbridge.practice DROP COLUMN webhook_url, DROP COLUMN webhook_secret, DROP COLUMN webhook_reply_text;

GRANT SELECT, INSERT, UPDATE, DELETE ON smsbridge.webhook_endpoint, smsbridge.webhook_progress, smsbridge.webhook_wait
	TO smsbridge_app;
REVOKE ALL ON FUNCTION smsbridge.webhook_key, smsbridge.webhook_order, smsbridge.webhook_slot, smsbridge.webhook_shown,
	smsbridge.webhook_afresh, smsbridge.practice_webhook FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smsbridge.practice_webhook, smsbridge.webhook_key, smsbridge.webhook_order,
	smsbridge.webhook_slot,
	smsbridge.webhook_shown, smsbridge.webhook_afresh TO smsbridge_app;
