-- What the claim needs beside the rule book's tables: what an API key may do, and the one way to have messages that
-- wait looked at again.

-- send: messages; emergency: messages of that class too, and approving them.
ALTER TABLE smsbridge.api_key ADD COLUMN scopes text[] NOT NULL DEFAULT '{send}'
	CHECK (scopes <> '{}' AND scopes <@ ARRAY['send', 'emergency']);

-- Whether two names that people gave are one person's: letters and digits count, case does not.
CREATE FUNCTION smsbridge.same_person(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT lower(regexp_replace(a, '[^[:alnum:]]+', '', 'g')) = lower(regexp_replace(b, '[^[:alnum:]]+', '', 'g'))
$$;

-- Has what waits for a phone judged again: messages that are held for one reason (NULL: for any). To be called in the
-- transaction that changed the fact. A claim that is about to write its verdict on the old facts is waited for, unless
-- the caller holds a recipient's lock: then no claim that holds the row has read its facts yet, and waiting for it
-- would be for ever. Returns how many. Index: message_waiting.
CREATE FUNCTION smsbridge.judge_again(practice uuid, to_phone text, why text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
	woken integer;
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND granted) THEN
		WITH free AS (
			SELECT practice_id, id FROM smsbridge.message
			WHERE practice_id = practice AND phone = to_phone AND due_at IS NOT NULL AND status = 'held'
				AND (why IS NULL OR reason = why)
			FOR UPDATE SKIP LOCKED
		)
		UPDATE smsbridge.message m SET due_at = least(m.due_at, m.created_at) FROM free f
		WHERE m.practice_id = f.practice_id AND m.id = f.id;
	ELSE
		UPDATE smsbridge.message m SET due_at = least(m.due_at, m.created_at)
		WHERE m.practice_id = practice AND m.phone = to_phone AND m.due_at IS NOT NULL
			AND (m.status IN ('scheduled', 'queued') -- and about to be held: the row is looked at again behind the wait
				OR (m.status = 'held' AND (why IS NULL OR m.reason = why)));
	END IF;
	GET DIAGNOSTICS woken = ROW_COUNT;
	RETURN woken;
END $$;
REVOKE ALL ON FUNCTION smsbridge.judge_again FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smsbridge.judge_again TO smsbridge_app;
