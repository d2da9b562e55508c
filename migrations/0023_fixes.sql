-- What a practice that joins a shared sender takes over.

-- Who asked a number for no more texts asked all who text from it: a practice that joins a shared sender takes over
-- what stands of the patients' own opt-outs at those that have it. They end as any: by the patient's START. Of those
-- phones only what it has texts waiting for can be in a claim just now, so only that is locked: a lock for each phone
-- of a broadcast would leave the server none for anybody else. Returns how many were taken over.
CREATE FUNCTION smsbridge.sender_joined(p_practice uuid, p_sender text, p_at timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
	n integer := 0;
	o record;
BEGIN
	PERFORM pg_advisory_xact_lock(k.key) FROM (
		SELECT smsbridge.recipient_key(p_practice, w.phone) AS key FROM (
			SELECT DISTINCT x.phone FROM smsbridge.opt_out x
				JOIN smsbridge.practice p ON p.id = x.practice_id AND p.sender = p_sender AND p.sender_shared
			WHERE p.id <> p_practice AND x.source = 'patient' AND x.lifted_at IS NULL
				AND EXISTS (SELECT FROM smsbridge.message m
					WHERE m.practice_id = p_practice AND m.phone = x.phone AND m.due_at IS NOT NULL)) AS w
		ORDER BY 1) AS k;
	FOR o IN SELECT x.phone, x.category, min(x.word) AS word FROM smsbridge.opt_out x
		JOIN smsbridge.practice p ON p.id = x.practice_id AND p.sender = p_sender AND p.sender_shared
		WHERE p.id <> p_practice AND x.source = 'patient' AND x.lifted_at IS NULL
			AND NOT EXISTS (SELECT FROM smsbridge.opt_out y WHERE y.practice_id = p_practice AND y.phone = x.phone
				AND y.category = x.category AND y.source = 'patient' AND y.lifted_at IS NULL)
		GROUP BY x.phone, x.category
	LOOP
		PERFORM smsbridge.opt_out_make(p_practice, o.phone, o.category, 'reply', o.word, 'sender', 'text', '', '', p_at,
			NULL, NULL);
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;
REVOKE ALL ON FUNCTION smsbridge.sender_joined FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smsbridge.sender_joined TO smsbridge_app;
