-- Who calls: keys with scopes, an end, networks and a certificate of their own; clients that get short-lived tokens
-- (RFC 6749 4.4, RFC 7523); named people with roles; the settings that a practice may change itself.

-- Rows of proto/scope.def and role.def, written anew by every `smsbridge migrate`.
CREATE TABLE smsbridge.scope (code text PRIMARY KEY, sentence text NOT NULL);
CREATE TABLE smsbridge.role (code text PRIMARY KEY, sees_phone boolean NOT NULL, sees_text boolean NOT NULL,
	sentence text NOT NULL);
CREATE TABLE smsbridge.role_may (role text NOT NULL, scope text NOT NULL, PRIMARY KEY (role, scope));

-- Letters and digits of a name in small letters, as in smsbridge.same_person; a name without any as it is.
CREATE FUNCTION smsbridge.person_bare(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT coalesce(nullif(lower(regexp_replace(name, '[^[:alnum:]]+', '', 'g')), ''), name)
$$;

CREATE TABLE smsbridge.person (
	practice_id uuid NOT NULL REFERENCES smsbridge.practice,
	id uuid NOT NULL,
	name text NOT NULL CHECK (name <> ''),
	role text NOT NULL,                       -- of smsbridge.role
	created_at timestamptz NOT NULL,
	created_by text NOT NULL,
	disabled_at timestamptz,
	disabled_by text,
	PRIMARY KEY (practice_id, id)
);
-- Nobody is two people, or one could approve what the other ordered.
CREATE UNIQUE INDEX person_name ON smsbridge.person (practice_id, smsbridge.person_bare(name))
	WHERE disabled_at IS NULL;

ALTER TABLE smsbridge.api_key DROP CONSTRAINT api_key_scopes_check;
-- Former keys go on doing what they did: `send` was everything but emergencies. New is who makes keys and people: that
-- no key of a program gets by itself.
UPDATE smsbridge.api_key SET scopes = ARRAY['messages:write', 'messages:read', 'appointments:write',
		'appointments:read',
		'templates:write', 'templates:read', 'patients:write', 'patients:read', 'replies:write', 'replies:read',
		'broadcasts:write', 'broadcasts:read', 'webhooks:write', 'webhooks:read', 'keys:read']
	|| CASE WHEN 'emergency' = ANY (scopes) THEN ARRAY['emergency'] ELSE '{}' END;
ALTER TABLE smsbridge.api_key
	ALTER COLUMN scopes DROP DEFAULT,
	ADD CHECK (scopes <> '{}'),
	-- key: its secret comes with every request; client: its secret, or a signature by its own key, gets a token
	ADD COLUMN kind text NOT NULL DEFAULT 'key' CHECK (kind IN ('key', 'client')),
	ADD COLUMN expires_at timestamptz,
	ADD COLUMN networks text NOT NULL DEFAULT '',    -- addresses and prefixes, blanks between; '' is anywhere
	ADD COLUMN certificate text NOT NULL DEFAULT '', -- "sha256:HEX" or "dns:NAME" of the certificate that it must show
	ADD COLUMN person_id uuid,
	ADD COLUMN jwks jsonb,                           -- of a client: its public keys (RFC 7517), or
	ADD COLUMN jwks_url text,                        -- where they are
	ADD COLUMN created_by text NOT NULL DEFAULT '',  -- a person's name, "key ID", or the system's user of a command
	ADD COLUMN revoked_by text,
	ADD COLUMN used_at timestamptz,                  -- written some seconds behind the use
	ADD COLUMN used_from text,
	ADD FOREIGN KEY (practice_id, person_id) REFERENCES smsbridge.person (practice_id, id),
	ADD CHECK (kind = 'client' OR (jwks IS NULL AND jwks_url IS NULL)),
	ADD CHECK (kind = 'key' OR person_id IS NULL);
CREATE INDEX api_key_person ON smsbridge.api_key (practice_id, person_id) WHERE person_id IS NOT NULL;

-- What clients got. A token is of the client that it names and ends with it.
CREATE TABLE smsbridge.access_token (
	practice_id uuid NOT NULL,
	id text NOT NULL UNIQUE,                  -- the public part of smst_<id>_<secret>
	secret_hash bytea NOT NULL,               -- SHA-256 of the whole token
	client text NOT NULL,                     -- smsbridge.api_key.id
	scopes text[] NOT NULL CHECK (scopes <> '{}'),
	created_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, id)
);
CREATE INDEX access_token_client ON smsbridge.access_token (client);
CREATE INDEX access_token_over ON smsbridge.access_token (expires_at);

-- jti of assertions that were taken, until they end by themselves (RFC 7523 3, 7).
CREATE TABLE smsbridge.assertion_seen (
	practice_id uuid NOT NULL,
	client text NOT NULL,
	jti_hash bytea NOT NULL,                  -- SHA-256
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, client, jti_hash)
);
CREATE INDEX assertion_seen_over ON smsbridge.assertion_seen (expires_at);

GRANT SELECT ON smsbridge.scope, smsbridge.role, smsbridge.role_may TO smsbridge_app;
GRANT SELECT, INSERT, UPDATE ON smsbridge.person TO smsbridge_app;
-- UPDATE is for FOR UPDATE SKIP LOCKED of the sweep; nothing is changed.
GRANT SELECT, INSERT, UPDATE, DELETE ON smsbridge.access_token, smsbridge.assertion_seen TO smsbridge_app;

-- --- changes, each with its event ------------------------------------------------------------------------------------

-- Makes a key. Returns 'made', or why not: 'person_unknown', 'key_limit' (of a label two live ones, so that one can
-- follow the other; of a practice 100).
CREATE FUNCTION smsbridge.key_make(p_practice uuid, p_id text, p_hash bytea, p_kind text, p_label text, p_scopes text[],
	p_expires timestamptz, p_networks text, p_certificate text, p_person uuid, p_jwks jsonb, p_jwks_url text,
	p_at timestamptz, p_by text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	live integer;
	alike integer;
BEGIN
	PERFORM FROM smsbridge.practice WHERE id = p_practice FOR NO KEY UPDATE; -- one at a time, so that the counts hold
	IF p_person IS NOT NULL AND NOT EXISTS (SELECT FROM smsbridge.person WHERE practice_id = p_practice AND id = p_person
			AND disabled_at IS NULL) THEN
		RETURN 'person_unknown';
	END IF;
	SELECT count(*), count(*) FILTER (WHERE label = p_label AND label <> '' AND kind = p_kind
			AND person_id IS NOT DISTINCT FROM p_person) INTO live, alike
		FROM smsbridge.api_key WHERE practice_id = p_practice AND revoked_at IS NULL
			AND (expires_at IS NULL OR expires_at > p_at);
	IF live >= 100 OR alike >= 2 THEN
		RETURN 'key_limit';
	END IF;
	INSERT INTO smsbridge.api_key (practice_id, id, secret_hash, label, created_at, scopes, kind, expires_at, networks,
			certificate, person_id, jwks, jwks_url, created_by)
		VALUES (p_practice, p_id, p_hash, p_label, p_at, p_scopes, p_kind, p_expires, p_networks, p_certificate, p_person,
			p_jwks, p_jwks_url, p_by);
	INSERT INTO smsbridge.event (practice_id, type, at, data) VALUES (p_practice, 'key.created', p_at,
		jsonb_strip_nulls(jsonb_build_object('key', p_id, 'kind', p_kind, 'label', nullif(p_label, ''), 'scopes', p_scopes,
			'expires_at', p_expires, 'networks', nullif(p_networks, ''), 'certificate', nullif(p_certificate, ''),
			'person_id', p_person, 'jwks_url', p_jwks_url, 'by', nullif(p_by, ''))));
	RETURN 'made';
END $$;

-- Revokes a key and what it got; once. p_practice NULL: whosever it is. Nothing that it did is touched.
CREATE FUNCTION smsbridge.key_revoke(p_practice uuid, p_id text, p_at timestamptz, p_by text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	whose uuid;
BEGIN
	UPDATE smsbridge.api_key SET revoked_at = p_at, revoked_by = p_by
		WHERE id = p_id AND practice_id = coalesce(p_practice, practice_id) AND revoked_at IS NULL
		RETURNING practice_id INTO whose;
	IF whose IS NULL THEN RETURN false; END IF;
	DELETE FROM smsbridge.access_token WHERE client = p_id;
	INSERT INTO smsbridge.event (practice_id, type, at, data) VALUES (whose, 'key.revoked', p_at,
		jsonb_strip_nulls(jsonb_build_object('key', p_id, 'by', nullif(p_by, ''))));
	RETURN true;
END $$;

-- Names a person. False when the practice has one of that name.
CREATE FUNCTION smsbridge.person_make(p_practice uuid, p_id uuid, p_name text, p_role text, p_at timestamptz, p_by text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO smsbridge.person (practice_id, id, name, role, created_at, created_by)
		VALUES (p_practice, p_id, p_name, p_role, p_at, p_by)
		ON CONFLICT (practice_id, smsbridge.person_bare(name)) WHERE disabled_at IS NULL DO NOTHING;
	IF NOT FOUND THEN RETURN false; END IF;
	INSERT INTO smsbridge.event (practice_id, type, at, data) VALUES (p_practice, 'person.created', p_at,
		jsonb_build_object('person_id', p_id, 'person', p_name, 'role', p_role, 'by', p_by));
	RETURN true;
END $$;

-- Gives a person another role. False when there is none, or it was disabled.
CREATE FUNCTION smsbridge.person_role(p_practice uuid, p_id uuid, p_role text, p_at timestamptz, p_by text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	before text;
BEGIN
	SELECT role INTO before FROM smsbridge.person
		WHERE practice_id = p_practice AND id = p_id AND disabled_at IS NULL FOR UPDATE;
	IF before IS NULL THEN RETURN false; END IF;
	IF before <> p_role THEN
		UPDATE smsbridge.person SET role = p_role WHERE practice_id = p_practice AND id = p_id;
		INSERT INTO smsbridge.event (practice_id, type, at, data) VALUES (p_practice, 'person.changed', p_at,
			jsonb_build_object('person_id', p_id, 'role', p_role, 'role_before', before, 'by', p_by));
	END IF;
	RETURN true;
END $$;

-- Takes a person's keys away for good. What the person did stays. False when there is no such person.
CREATE FUNCTION smsbridge.person_disable(p_practice uuid, p_id uuid, p_at timestamptz, p_by text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM smsbridge.practice WHERE id = p_practice FOR NO KEY UPDATE; -- no key is being made meanwhile
	UPDATE smsbridge.person SET disabled_at = p_at, disabled_by = p_by
		WHERE practice_id = p_practice AND id = p_id AND disabled_at IS NULL;
	IF FOUND THEN
		PERFORM smsbridge.key_revoke(practice_id, id, p_at, p_by) FROM smsbridge.api_key
			WHERE practice_id = p_practice AND person_id = p_id AND revoked_at IS NULL;
		INSERT INTO smsbridge.event (practice_id, type, at, data) VALUES (p_practice, 'person.disabled', p_at,
			jsonb_build_object('person_id', p_id, 'by', p_by));
		RETURN true;
	END IF;
	RETURN EXISTS (SELECT FROM smsbridge.person WHERE practice_id = p_practice AND id = p_id);
END $$;

-- --- settings --------------------------------------------------------------------------------------------------------

-- Counts the changes of a practice's settings, by command too: the ETag of /v1/settings.
ALTER TABLE smsbridge.practice ADD COLUMN settings_version integer NOT NULL DEFAULT 1;
CREATE FUNCTION smsbridge.practice_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF (NEW.display_name, NEW.phone, NEW.url, NEW.open_minute, NEW.close_minute, NEW.lint_phi, NEW.two_person, NEW.name,
			NEW.sender) IS DISTINCT FROM (OLD.display_name, OLD.phone, OLD.url, OLD.open_minute, OLD.close_minute,
			OLD.lint_phi, OLD.two_person, OLD.name, OLD.sender) THEN
		NEW.settings_version := OLD.settings_version + 1;
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER practice_count BEFORE UPDATE ON smsbridge.practice
	FOR EACH ROW EXECUTE FUNCTION smsbridge.practice_count();

CREATE FUNCTION smsbridge.settings_json(p smsbridge.practice) RETURNS json LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT json_build_object('name', p.name, 'display_name', p.display_name, 'sender', p.sender, 'phone', p.phone,
		'url', p.url, 'open', to_char(make_interval(mins => p.open_minute), 'HH24:MI'),
		'close', to_char(make_interval(mins => p.close_minute), 'HH24:MI'), 'lint_phi', p.lint_phi,
		'two_person', p.two_person)
$$;

REVOKE ALL ON FUNCTION smsbridge.key_make, smsbridge.key_revoke, smsbridge.person_make, smsbridge.person_role,
	smsbridge.person_disable, smsbridge.person_bare, smsbridge.settings_json FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smsbridge.key_make, smsbridge.key_revoke, smsbridge.person_make, smsbridge.person_role,
	smsbridge.person_disable, smsbridge.person_bare, smsbridge.settings_json TO smsbridge_app;
