-- What patients answer: to a reminder, to the question which visit they meant, or to people, as a conversation.

-- --- tables ---
-- One thread for each phone of a practice, made by the first text that people have to read.
CREATE TABLE smsbridge.conversation (
	practice_id uuid NOT NULL REFERENCES smsbridge.practice,
	phone text NOT NULL,
	id uuid NOT NULL,
	patient text NOT NULL DEFAULT '',         -- whom the practice texted there last; '': nobody yet
	opened_at timestamptz NOT NULL,           -- opened again by the patient's next text
	last_at timestamptz NOT NULL,             -- of what was said last, by either side
	last_inbound_id uuid NOT NULL,            -- the patient's last text for people
	unread integer NOT NULL CHECK (unread >= 0), -- texts since a person answered, took or closed it
	owner text,
	closed_at timestamptz,
	closed_by text,
	PRIMARY KEY (practice_id, phone),
	UNIQUE (practice_id, id),
	CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX conversation_newest ON smsbridge.conversation (practice_id, last_at DESC, id DESC);

-- The visits that a patient was asked about, at most once at a time: options[i] is the number that stands for refs[i].
CREATE TABLE smsbridge.visit_question (
	practice_id uuid NOT NULL REFERENCES smsbridge.practice,
	phone text NOT NULL,
	message_id uuid NOT NULL,                 -- that asks; what did not leave has no answer
	inbound_id uuid NOT NULL,                 -- the text that was not clear
	answer text NOT NULL CHECK (answer IN ('confirmed', 'reschedule_requested', 'declined')),
	refs text[] NOT NULL,
	starts timestamptz[] NOT NULL,
	options integer[] NOT NULL,
	asked_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	ended_at timestamptz,
	PRIMARY KEY (practice_id, phone),
	CHECK (cardinality(refs) = cardinality(starts) AND cardinality(refs) = cardinality(options))
);

ALTER TABLE smsbridge.practice
	ADD COLUMN reply_ack boolean NOT NULL DEFAULT false; -- an answer to a reminder is acknowledged by a text
ALTER TABLE smsbridge.inbound
	ADD COLUMN taken_as text CHECK (taken_as IN ('reply', 'question', 'confirmed', 'reschedule_requested', 'declined')),
	ADD COLUMN appointments text[];           -- refs of the visits that it answered
CREATE INDEX inbound_phone ON smsbridge.inbound (practice_id, phone, received_at);
ALTER TABLE smsbridge.message
	ADD COLUMN person text;                   -- who answers a patient's text; NULL: nobody, it is automatic
-- Answers and confirmations, which count against no cap and so are in no other index once they left.
CREATE INDEX message_answer ON smsbridge.message (practice_id, phone, created_at)
	WHERE category IN ('conversational_reply', 'opt_out_confirmation', 'resume_confirmation', 'help_reply');

GRANT SELECT, INSERT, UPDATE ON smsbridge.conversation, smsbridge.visit_question TO smsbridge_app;

-- What was heard before there were conversations: closed, for nobody is waiting for them.
INSERT INTO smsbridge.conversation (practice_id, phone, id, patient, opened_at, last_at, last_inbound_id, unread,
	closed_at, closed_by)
SELECT DISTINCT ON (i.practice_id, i.phone) i.practice_id, i.phone, smsbridge.id_at(i.received_at),
	coalesce((SELECT m.patient FROM smsbridge.message m WHERE m.practice_id = i.practice_id AND m.phone = i.phone
		AND m.counted_at IS NOT NULL AND m.patient <> '' ORDER BY m.counted_at DESC LIMIT 1), ''),
	i.received_at, i.received_at, i.id, 0, i.received_at, 'before conversations'
FROM smsbridge.inbound i JOIN smsbridge.practice p ON p.id = i.practice_id
WHERE i.keyword NOT IN ('stop', 'stop_all', 'stop_class', 'start', 'help')
ORDER BY i.practice_id, i.phone, i.received_at DESC, i.id DESC;

-- --- for people ---
-- A text that a person has to read: it opens its phone's conversation. Returns the conversation's id.
CREATE FUNCTION smsbridge.conversation_heard(p_practice uuid, p_phone text, p_inbound uuid, p_at timestamptz)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
	known text := coalesce((SELECT m.patient FROM smsbridge.message m WHERE m.practice_id = p_practice
		AND m.phone = p_phone AND m.counted_at IS NOT NULL AND m.patient <> '' ORDER BY m.counted_at DESC LIMIT 1), '');
	made uuid;
BEGIN
	INSERT INTO smsbridge.conversation AS c (practice_id, phone, id, patient, opened_at, last_at, last_inbound_id, unread)
	VALUES (p_practice, p_phone, smsbridge.id_at(p_at), known, p_at, p_at, p_inbound, 1)
	ON CONFLICT (practice_id, phone) DO UPDATE SET last_at = greatest(c.last_at, p_at), last_inbound_id = p_inbound,
		unread = c.unread + 1, opened_at = CASE WHEN c.closed_at IS NULL THEN c.opened_at ELSE p_at END,
		owner = CASE WHEN c.closed_at IS NULL THEN c.owner END, closed_at = NULL, closed_by = NULL,
		patient = CASE known WHEN '' THEN c.patient ELSE known END
	RETURNING id INTO made;
	RETURN made;
END $$;

-- The text goes to the practice's people, and the practice is told.
CREATE FUNCTION smsbridge.reply_received(i smsbridge.inbound) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	talk uuid := smsbridge.conversation_heard(i.practice_id, i.phone, i.id, i.received_at);
BEGIN
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	VALUES (i.practice_id, 'reply.received', i.received_at, i.phone,
		jsonb_build_object('inbound_id', i.id, 'keyword', i.keyword, 'carrier', i.carrier, 'conversation_id', talk)
		|| CASE WHEN i.parts > 1 THEN jsonb_build_object('parts', i.parts) ELSE '{}' END
		|| CASE WHEN i.incomplete THEN jsonb_build_object('incomplete', true, 'missing', to_jsonb(i.missing)) ELSE '{}' END);
END $$;

CREATE FUNCTION smsbridge.conversation_json(c smsbridge.conversation, sees_phone boolean, sees_text boolean)
RETURNS json LANGUAGE sql STABLE AS $$
	SELECT json_build_object('id', c.id, 'phone', smsbridge.phone_shown(c.phone, sees_phone),
		'patient', nullif(c.patient, ''), 'open', c.closed_at IS NULL, 'unread', c.unread, 'owner', c.owner,
		'opened_at', c.opened_at, 'last_at', c.last_at, 'closed_at', c.closed_at, 'closed_by', c.closed_by,
		'last_reply', (SELECT json_build_object('id', i.id, 'at', i.received_at,
				'text', CASE WHEN sees_text AND i.redacted_at IS NULL THEN i.body END)
			FROM smsbridge.inbound i WHERE i.practice_id = c.practice_id AND i.id = c.last_inbound_id))
$$;

-- A person takes a conversation, or closes it; what was unread has been seen then.
CREATE FUNCTION smsbridge.conversation_do(p_practice uuid, p_id uuid, p_what text, p_person text, p_sees_phone boolean,
	p_sees_text boolean, p_at timestamptz) RETURNS TABLE (problem text, body json, phone text) LANGUAGE plpgsql AS $$
DECLARE
	c smsbridge.conversation;
BEGIN
	SELECT * INTO c FROM smsbridge.conversation x WHERE x.practice_id = p_practice AND x.id = p_id FOR UPDATE;
	problem := CASE WHEN c.id IS NULL THEN 'conversation_unknown' ELSE '' END;
	IF problem = '' AND (p_what = 'own' OR c.closed_at IS NULL) THEN
		UPDATE smsbridge.conversation x SET unread = 0,
			owner = CASE p_what WHEN 'own' THEN p_person ELSE x.owner END,
			closed_at = CASE p_what WHEN 'close' THEN p_at ELSE x.closed_at END,
			closed_by = CASE p_what WHEN 'close' THEN p_person ELSE x.closed_by END
		WHERE x.practice_id = p_practice AND x.id = p_id RETURNING * INTO c;
		INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
		VALUES (p_practice, CASE p_what WHEN 'own' THEN 'conversation.owned' ELSE 'conversation.closed' END, p_at, c.phone,
			jsonb_build_object('conversation_id', c.id, 'person', p_person));
	END IF;
	body := smsbridge.conversation_json(c, p_sees_phone, p_sees_text);
	conversation_do.phone := c.phone;
	RETURN NEXT;
END $$;

-- --- answers to reminders ---
-- The visits to which a text from that phone to that sender may be an answer: they stand, have not begun, and a
-- reminder of that very time reached the carrier within the week before, from that sender. told: the time as its
-- reminders say it; open: no answer since the last reminder. Indexes: appointment_phone, reminder_pkey, message_pkey.
CREATE FUNCTION smsbridge.visit_candidates(p_practices uuid[], p_phone text, p_sender text, p_at timestamptz)
RETURNS TABLE (practice_id uuid, ref text, starts_at timestamptz, told text, language text, open boolean)
LANGUAGE sql STABLE AS $$
	SELECT a.practice_id, a.ref, a.starts_at, to_char(a.starts_at AT TIME ZONE a.location_zone, 'YYYY-MM-DD HH24:MI'),
		a.language, a.answered_at IS NULL OR a.answered_at < x.reminded_at
	FROM smsbridge.appointment a CROSS JOIN LATERAL (
		SELECT max(m.counted_at) AS reminded_at
		FROM smsbridge.reminder r JOIN smsbridge.message m ON m.practice_id = r.practice_id AND m.id = r.message_id
		WHERE r.practice_id = a.practice_id AND r.ref = a.ref AND r.visit_at = a.starts_at AND m.phone = p_phone
			AND ltrim(m.sender, '+') = ltrim(p_sender, '+') AND m.counted_at > p_at - interval '7 days'
			-- gateways' clocks may differ a little; what is later than that was not what is answered
			AND m.counted_at <= p_at + interval '5 seconds'
			AND m.status IN ('sending', 'sent', 'delivered', 'uncertain', 'unconfirmed')) AS x
	WHERE a.practice_id = ANY (p_practices) AND a.phone = p_phone AND a.starts_at > p_at
		AND a.status IN ('booked', 'confirmed') AND x.reminded_at IS NOT NULL
$$;

-- The question that a phone was asked and has not answered, if any; p_left: that reached the carrier, since a number
-- answers no other.
CREATE FUNCTION smsbridge.visit_question_open(p_practices uuid[], p_phone text, p_left boolean, p_at timestamptz)
RETURNS SETOF smsbridge.visit_question LANGUAGE sql STABLE AS $$
	SELECT q.* FROM smsbridge.visit_question q
		JOIN smsbridge.message m ON m.practice_id = q.practice_id AND m.id = q.message_id
	WHERE q.practice_id = ANY (p_practices) AND q.phone = p_phone AND q.ended_at IS NULL AND q.expires_at > p_at
		AND (m.due_at IS NULL OR NOT p_left)
		AND m.status NOT IN ('undelivered', 'failed', 'blocked', 'expired', 'canceled')
	ORDER BY q.asked_at DESC LIMIT 1
$$;

-- Ends the question of a phone, and the task that stands for it.
CREATE FUNCTION smsbridge.visit_question_end(p_practice uuid, p_phone text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	UPDATE smsbridge.visit_question SET ended_at = p_at
	WHERE practice_id = p_practice AND phone = p_phone AND ended_at IS NULL;
	WITH done AS (
		UPDATE smsbridge.review_task SET decision = 'answered', decided_by = 'patient', decided_at = p_at,
			owner = coalesce(owner, 'patient')
		WHERE practice_id = p_practice AND phone = p_phone AND kind = 'which_visit' AND decided_at IS NULL
		RETURNING id, kind
	)
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	SELECT p_practice, 'review.decided', p_at, p_phone, jsonb_build_object('id', id, 'kind', kind, 'decision', 'answered',
		'by', 'patient') FROM done;
END $$;

-- Lists up to three visits by their numbers and keeps them; those told in the same words share one. Returns the words.
CREATE FUNCTION smsbridge.visit_question_ask(p_practice uuid, p_phone text, p_sender text, p_answer text,
	p_open boolean, p_at timestamptz, p_inbound uuid, p_message uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	words text;
BEGIN
	WITH listed AS (
		SELECT c.*, dense_rank() OVER (ORDER BY c.told)::integer AS option
		FROM smsbridge.visit_candidates(ARRAY[p_practice], p_phone, p_sender, p_at) c WHERE c.open OR NOT p_open
	), kept AS (
		INSERT INTO smsbridge.visit_question AS q (practice_id, phone, message_id, inbound_id, answer, refs, starts, options,
			asked_at, expires_at)
		SELECT p_practice, p_phone, p_message, p_inbound, p_answer, array_agg(ref ORDER BY option, ref),
			array_agg(starts_at ORDER BY option, ref), array_agg(option ORDER BY option, ref), p_at, p_at + interval '1 day'
		FROM listed WHERE option <= 3
		ON CONFLICT (practice_id, phone) DO UPDATE SET message_id = excluded.message_id, inbound_id = excluded.inbound_id,
			answer = excluded.answer, refs = excluded.refs, starts = excluded.starts, options = excluded.options,
			asked_at = excluded.asked_at, expires_at = excluded.expires_at, ended_at = NULL
	)
	SELECT string_agg(told, ',' ORDER BY option) INTO words FROM (SELECT DISTINCT told, option FROM listed
		WHERE option <= 3) AS l;
	RETURN words;
END $$;

-- Answers those visits of a question that the number names and that still stand at the time that was told. Returns
-- their refs.
CREATE FUNCTION smsbridge.visit_question_answer(q smsbridge.visit_question, p_answer text, p_choice integer,
	p_at timestamptz, p_inbound uuid) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	refs text[];
	one text;
BEGIN
	SELECT array_agg(a.ref ORDER BY a.starts_at, a.ref) INTO refs
	FROM unnest(q.refs, q.starts, q.options) AS o(ref, starts_at, option)
		JOIN smsbridge.appointment a ON a.practice_id = q.practice_id AND a.ref = o.ref AND a.starts_at = o.starts_at
	WHERE (p_choice = 9 OR o.option = p_choice) AND a.phone = q.phone AND a.starts_at > p_at
		AND a.status IN ('booked', 'confirmed');
	FOREACH one IN ARRAY coalesce(refs, '{}') LOOP
		PERFORM smsbridge.appointment_answer(q.practice_id, one, p_answer, 'patient', p_at, p_inbound);
	END LOOP;
	RETURN refs;
END $$;

-- What a text that may be an answer is taken as: one of the answers with the visits' refs, 'question' with the visits'
-- words, or 'reply'. See docs/replies.md. Under the locks of the phone at all practices given.
CREATE FUNCTION smsbridge.visit_reply(p_practices uuid[], p_answer text, p_choice integer, i smsbridge.inbound,
	p_message uuid) RETURNS TABLE (outcome text, practice uuid, refs text[], words text, language text)
LANGUAGE plpgsql AS $$
DECLARE
	q smsbridge.visit_question;
	at timestamptz := i.received_at;
	only_open boolean;
	f record;
	one_ref text;
	one_practice uuid;
BEGIN
	outcome := 'reply';
	practice := i.practice_id;
	SELECT * INTO q FROM smsbridge.visit_question_open(p_practices, i.phone, p_choice > 0, at);
	IF p_choice > 0 THEN
		IF q.phone IS NOT NULL THEN
			p_answer := coalesce(nullif(p_answer, ''), q.answer);
			refs := smsbridge.visit_question_answer(q, p_answer, p_choice, at, i.id);
			practice := q.practice_id;
		END IF;
	ELSE
		SELECT bool_or(c.open) INTO only_open FROM smsbridge.visit_candidates(p_practices, i.phone, i.sender, at) c;
		SELECT count(DISTINCT c.practice_id) AS practices, count(DISTINCT c.told) AS visits,
			(array_agg(c.practice_id))[1] AS practice_id, array_agg(c.ref ORDER BY c.starts_at, c.ref) AS refs,
			array_agg(DISTINCT c.practice_id) AS all_practices
		INTO f FROM smsbridge.visit_candidates(p_practices, i.phone, i.sender, at) c WHERE c.open OR NOT only_open;
		IF f.practices = 1 AND f.visits = 1 THEN
			practice := f.practice_id;
			refs := f.refs;
			FOREACH one_ref IN ARRAY refs LOOP
				PERFORM smsbridge.appointment_answer(practice, one_ref, p_answer, 'patient', at, i.id);
			END LOOP;
		ELSIF q.phone IS NOT NULL THEN -- asked already: the newer word is what the number will mean
			UPDATE smsbridge.visit_question x SET answer = p_answer
			WHERE x.practice_id = q.practice_id AND x.phone = q.phone;
		ELSIF f.practices = 1 THEN
			practice := f.practice_id;
			words := smsbridge.visit_question_ask(practice, i.phone, i.sender, p_answer, only_open, at, i.id, p_message);
			outcome := 'question';
		ELSE -- one practice must not be told of a visit at another: people at each of them look at it
			FOREACH one_practice IN ARRAY coalesce(f.all_practices, '{}') LOOP
				PERFORM smsbridge.task_open(one_practice, 'which_visit', i.phone, i.id, false, at);
			END LOOP;
		END IF;
	END IF;
	IF refs IS NOT NULL THEN
		outcome := p_answer;
		PERFORM smsbridge.visit_question_end(practice, i.phone, at);
	END IF;
	SELECT a.language INTO language FROM smsbridge.visit_candidates(ARRAY[practice], i.phone, i.sender, at) a
	ORDER BY a.starts_at LIMIT 1;
	RETURN NEXT;
END $$;

-- What becomes of a text that was kept, once inbound_act has done what it asks for: p_done is its word. Only what it
-- left alone ('other') may be an answer: YES and NO to a verification that is open stay that verification's. p_tell:
-- what is no answer is for people. Returns 'repeated' when that was settled before, or what it was taken as; whether
-- the patient is to be told something, of which times, in which language, and by which practice.
CREATE FUNCTION smsbridge.reply_act(p_practices uuid[], p_done text, p_answer text, p_choice integer, p_tell boolean,
	p_phone text, p_inbound uuid, p_message uuid)
RETURNS TABLE (outcome text, tell boolean, times text, language text, practice uuid, name text, contact text,
	sender text)
LANGUAGE plpgsql AS $$
DECLARE
	i smsbridge.inbound;
	v record;
	refs text[];
BEGIN
	tell := false;
	SELECT * INTO i FROM smsbridge.inbound x WHERE x.practice_id = ANY (p_practices) AND x.id = p_inbound;
	IF i.id IS NULL OR i.taken_as IS NOT NULL THEN
		outcome := CASE WHEN i.id IS NULL THEN '' ELSE 'repeated' END;
		RETURN NEXT;
		RETURN;
	END IF;
	outcome := CASE WHEN p_tell THEN 'reply' ELSE '' END;
	practice := i.practice_id;
	IF p_done = 'other' AND (p_answer <> '' OR p_choice > 0) THEN
		SELECT * INTO v FROM smsbridge.visit_reply(p_practices, p_answer, p_choice, i, p_message);
		outcome := v.outcome;
		times := v.words;
		language := v.language;
		practice := v.practice;
		refs := v.refs;
	END IF;
	-- Who shares a sender gets the text that answers its own reminder.
	UPDATE smsbridge.inbound x SET taken_as = nullif(reply_act.outcome, ''), appointments = refs,
		practice_id = reply_act.practice WHERE x.practice_id = i.practice_id AND x.id = i.id RETURNING * INTO i;
	IF outcome = 'reply' THEN
		PERFORM smsbridge.reply_received(i);
	ELSIF outcome <> '' THEN
		INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
		VALUES (practice, 'reply.taken', i.received_at, p_phone, jsonb_strip_nulls(jsonb_build_object('inbound_id', i.id,
			'as', outcome, 'appointments', to_jsonb(refs), 'message_id', CASE outcome WHEN 'question' THEN p_message END)));
		IF outcome = 'question' THEN
			PERFORM smsbridge.task_open(practice, 'which_visit', p_phone, i.id, false, i.received_at);
		END IF;
	END IF;
	SELECT coalesce(p.display_name, p.name), p.phone, p.sender,
		reply_act.outcome = 'question' OR (reply_act.outcome NOT IN ('', 'reply') AND p.reply_ack)
	INTO name, contact, reply_act.sender, tell FROM smsbridge.practice p WHERE p.id = practice;
	RETURN NEXT;
END $$;

-- --- the second witness ---
-- Answers of programs after the first one to the same text. What was accepted before this was told is not judged by it.
CREATE VIEW smsbridge.audit_answered_again AS
WITH answer AS (
	SELECT DISTINCT ON (practice_id, message_id) practice_id, message_id, phone, data->>'answers' AS answers
	FROM smsbridge.event WHERE type = 'message.accepted' AND data->>'automatic' = 'true'
	ORDER BY practice_id, message_id, xact, id
), sent AS (
	SELECT s.practice_id, s.message_id, s.at, row_number() OVER (PARTITION BY a.practice_id, a.phone, a.answers
		ORDER BY s.recorded_at, s.xact, s.id) AS nth
	FROM answer a JOIN smsbridge.audit_send s ON s.practice_id = a.practice_id AND s.message_id = a.message_id
		AND s.number = 1
)
SELECT practice_id, message_id, at,
	format('A program''s answer number %s to one text of the patient''s.', nth) AS detail
FROM sent WHERE nth > 1;
GRANT SELECT ON smsbridge.audit_answered_again TO smsbridge_app;

-- A text that was taken as an answer was heard too: what answers it in turn answers something.
DO $$
DECLARE
	known text := rtrim(pg_get_viewdef('report.violations'::regclass), '; ');
	wider text := replace(known, '''help.received''::text, ', '''help.received''::text, ''reply.taken''::text, ');
BEGIN
	IF known = wider THEN
		RAISE EXCEPTION 'report.violations does not read help.received';
	END IF;
	EXECUTE 'CREATE OR REPLACE VIEW report.violations WITH (security_barrier) AS ' || wider
		|| ' UNION ALL SELECT ''conversation_once''::text, practice_id, message_id, at, detail, ''compliance policy''::text'
		|| ' FROM smsbridge.audit_answered_again';
END $$;

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'smsbridge'
			AND p.proname IN ('conversation_heard', 'reply_received', 'conversation_json', 'conversation_do',
				'visit_candidates', 'visit_question_open', 'visit_question_end', 'visit_question_ask',
				'visit_question_answer', 'visit_reply', 'reply_act') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO smsbridge_app', f);
	END LOOP;
END $$;
