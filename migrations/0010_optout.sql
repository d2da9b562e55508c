-- Opt-outs by any channel, review tasks, verification answers, senders that practices share. What a text, a person or a
-- command does is one function each, so that all doors do the same in the same transaction.

-- --- shared senders ---
ALTER TABLE smsbridge.practice DROP CONSTRAINT practice_sender_key;
ALTER TABLE smsbridge.practice ADD COLUMN sender_shared boolean NOT NULL DEFAULT false;
CREATE INDEX practice_sender ON smsbridge.practice (sender);
-- Two practices have one sender only when both said so: a STOP to it is for both.
CREATE FUNCTION smsbridge.sender_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(NEW.sender, 7310771300010));
	IF EXISTS (SELECT FROM smsbridge.practice p WHERE p.sender = NEW.sender AND p.id <> NEW.id
			AND NOT (p.sender_shared AND NEW.sender_shared)) THEN
		RAISE EXCEPTION 'the sender % is another practice''s; both must share it', NEW.sender
			USING ERRCODE = 'unique_violation', CONSTRAINT = 'practice_sender_key';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER practice_sender_check BEFORE INSERT OR UPDATE OF sender, sender_shared ON smsbridge.practice
	FOR EACH ROW EXECUTE FUNCTION smsbridge.sender_check();

-- --- helpers ---
-- The lock of a recipient, as claimer_lock_key in src/dispatch computes it: FNV-1a of the practice's octets, 'p' and
-- the phone.
CREATE FUNCTION smsbridge.recipient_key(practice uuid, phone text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	octets bytea := uuid_send(practice) || convert_to('p' || phone, 'UTF8');
	h numeric := 14695981039346656037;
	low integer;
BEGIN
	FOR i IN 0..length(octets) - 1 LOOP
		low := (h % 256)::integer;
		h := ((h - low + (low # get_byte(octets, i))) * 1099511628211) % 18446744073709551616;
	END LOOP;
	RETURN CASE WHEN h >= 9223372036854775808 THEN h - 18446744073709551616 ELSE h END;
END $$;

-- An id that sorts by time (RFC 9562, version 7).
CREATE FUNCTION smsbridge.id_at(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
	SELECT encode(set_byte(b, 6, (get_byte(b, 6) & 15) | 112), 'hex')::uuid
	FROM (SELECT overlay(uuid_send(gen_random_uuid())
		PLACING substring(int8send((extract(epoch FROM id_at.at) * 1000)::bigint) FROM 3) FROM 1 FOR 6) AS b) AS x
$$;

-- --- opting out ---
-- Who said it: the patient (by a text, or to the carrier), staff, or whoever has a wrong number. Each source has a row
-- of its own, which only that source's way lifts; said again, a row is only heard again.
ALTER TABLE smsbridge.opt_out
	ADD COLUMN source text GENERATED ALWAYS AS
		(CASE WHEN method IN ('reply', 'carrier') THEN 'patient' ELSE method END) STORED,
	ADD COLUMN heard_at timestamptz; -- when it was last said
UPDATE smsbridge.opt_out SET heard_at = created_at;
ALTER TABLE smsbridge.opt_out ALTER COLUMN heard_at SET NOT NULL;
DROP INDEX smsbridge.opt_out_active;
CREATE UNIQUE INDEX opt_out_active ON smsbridge.opt_out (practice_id, phone, category, source) WHERE lifted_at IS NULL;

-- Cancels what waits for a phone and can be stopped, of one category or ('') of all; asks carriers that take cancel_sm
-- to give back what they have; says what was on its way. Rows that a claim holds are skipped: it waits for our lock and
-- will see the opt-out. Returns how many were cancelled. Indexes: message_waiting, message_phone, ask_pkey.
CREATE FUNCTION smsbridge.waiting_cancel(p_practice uuid, p_phone text, p_category text, p_at timestamptz)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	n integer;
BEGIN
	WITH waiting AS (
		SELECT practice_id, id FROM smsbridge.message
		WHERE practice_id = p_practice AND phone = p_phone AND due_at IS NOT NULL AND p_category IN ('', category)
			AND category NOT IN ('opt_out_confirmation', 'resume_confirmation', 'help_reply')
		FOR UPDATE SKIP LOCKED
	), canceled AS (
		UPDATE smsbridge.message m SET status = 'canceled', reason = 'canceled_by_opt_out', due_at = NULL,
			updated_at = p_at
		FROM waiting w WHERE m.practice_id = w.practice_id AND m.id = w.id
		RETURNING m.id
	), asked AS (
		INSERT INTO smsbridge.ask (practice_id, message_id, kind, carrier, reason, due_at)
		SELECT m.practice_id, m.id, 'cancel', m.carrier, 'canceled_by_opt_out', p_at FROM smsbridge.message m
			JOIN smsbridge.carrier c ON c.name = m.carrier AND c.cancel
		WHERE m.practice_id = p_practice AND m.phone = p_phone AND m.counted_at > p_at - interval '3 days'
			AND p_category IN ('', m.category) AND m.status IN ('sent', 'uncertain', 'unconfirmed')
		ON CONFLICT DO NOTHING
		RETURNING message_id
	), told AS (
		INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, reason)
		SELECT p_practice, id, 'message.canceled', p_at, NULL, 'canceled_by_opt_out' FROM canceled
		UNION ALL
		SELECT p_practice, message_id, 'message.recalling', p_at, NULL, 'canceled_by_opt_out' FROM asked
		UNION ALL
		SELECT p_practice, m.id, 'opt_out.in_flight', p_at, p_phone, 'opt_out_in_flight' FROM smsbridge.message m
		WHERE m.practice_id = p_practice AND m.phone = p_phone AND m.status = 'sending' AND m.counted_at IS NOT NULL
			AND p_category IN ('', m.category)
	)
	SELECT count(*) INTO n FROM canceled;
	RETURN n;
END $$;

-- Records an opt-out, cancels what waits and says so; under the recipient's lock. Returns whether it is the first that
-- stands from its source. Index: opt_out_active.
CREATE FUNCTION smsbridge.opt_out_make(p_practice uuid, p_phone text, p_category text, p_method text, p_word text,
	p_scope text, p_channel text, p_actor text, p_words text, p_at timestamptz, p_inbound uuid, p_id uuid)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	made uuid;
	canceled integer;
BEGIN
	INSERT INTO smsbridge.opt_out AS o (practice_id, id, phone, method, word, created_at, heard_at, category, scope,
		channel, actor, words)
	VALUES (p_practice, coalesce(p_id, smsbridge.id_at(p_at)), p_phone, p_method, p_word, p_at, p_at, p_category, p_scope,
		p_channel, p_actor, p_words)
	ON CONFLICT (practice_id, phone, category, source) WHERE lifted_at IS NULL DO UPDATE SET
		heard_at = greatest(o.heard_at, excluded.heard_at)
	RETURNING CASE WHEN xmax = 0 THEN id END INTO made;
	-- What a person decides is as old as the text that it is about; what is cancelled is cancelled now.
	canceled := smsbridge.waiting_cancel(p_practice, p_phone, p_category, p_at);
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	VALUES (p_practice, CASE WHEN made IS NULL THEN 'opt_out.repeated' ELSE 'opt_out.created' END, p_at, p_phone,
		jsonb_strip_nulls(jsonb_build_object('id', made, 'method', p_method, 'word', p_word, 'scope', p_scope,
			'category', p_category, 'channel', p_channel, 'actor', nullif(p_actor, ''), 'inbound_id', p_inbound,
			'canceled', canceled)));
	RETURN made IS NOT NULL;
END $$;

-- Lifts what the patient's own words or the carrier set, of everything and of every category; with START the patient
-- takes back a STOPALL too. Returns whether there was one.
CREATE FUNCTION smsbridge.opt_out_start(p_practice uuid, p_phone text, p_word text, p_at timestamptz, p_inbound uuid)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	n integer;
BEGIN
	WITH lifted AS (
		UPDATE smsbridge.opt_out SET lifted_at = p_at
		WHERE practice_id = p_practice AND phone = p_phone AND lifted_at IS NULL AND source = 'patient'
		RETURNING id, category
	), told AS (
		INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
		SELECT p_practice, 'opt_out.lifted', p_at, p_phone, jsonb_build_object('id', id, 'category', category,
			'source', 'patient', 'method', 'reply', 'word', p_word, 'inbound_id', p_inbound) FROM lifted
	)
	SELECT count(*) INTO n FROM lifted;
	RETURN n > 0;
END $$;

-- --- review tasks ---
-- Opens a task, unless one of its kind is open for that phone, and says so. Index: review_task_open.
CREATE FUNCTION smsbridge.task_open(p_practice uuid, p_kind text, p_phone text, p_inbound uuid, p_holds boolean,
	p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	task uuid := smsbridge.id_at(p_at);
BEGIN
	IF EXISTS (SELECT FROM smsbridge.review_task WHERE practice_id = p_practice AND phone = p_phone AND kind = p_kind
			AND decided_at IS NULL) THEN
		RETURN;
	END IF;
	INSERT INTO smsbridge.review_task (practice_id, id, kind, phone, inbound_id, holds, opened_at)
	VALUES (p_practice, task, p_kind, p_phone, p_inbound, p_holds, p_at);
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	VALUES (p_practice, 'review.opened', p_at, p_phone,
		jsonb_build_object('id', task, 'kind', p_kind, 'holds', p_holds, 'inbound_id', p_inbound));
END $$;

-- What a phone was reported as before it was called a wrong number holds again when it was none.
ALTER TABLE smsbridge.recipient ADD COLUMN stale_before timestamptz, ADD COLUMN stale_before_reason text;

-- A phone is somebody else's: consents until now do not count any more, nothing more goes, a person looks at it.
CREATE FUNCTION smsbridge.wrong_number(p_practice uuid, p_phone text, p_word text, p_scope text, p_at timestamptz,
	p_inbound uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	made boolean := smsbridge.opt_out_make(p_practice, p_phone, '', 'wrong_number', p_word, p_scope, 'text', '', '',
		p_at, p_inbound, NULL);
BEGIN
	INSERT INTO smsbridge.recipient AS r (practice_id, phone, stale_at, stale_reason)
	VALUES (p_practice, p_phone, p_at, 'wrong_number')
	ON CONFLICT (practice_id, phone) DO UPDATE SET stale_at = greatest(r.stale_at, p_at), stale_reason = 'wrong_number',
		stale_before = CASE r.stale_reason WHEN 'wrong_number' THEN r.stale_before ELSE r.stale_at END,
		stale_before_reason = CASE r.stale_reason WHEN 'wrong_number' THEN r.stale_before_reason ELSE r.stale_reason END,
		verified_at = NULL;
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	VALUES (p_practice, 'recipient.stale', p_at, p_phone,
		jsonb_build_object('reason', 'wrong_number', 'by', 'text', 'inbound_id', p_inbound));
	PERFORM smsbridge.task_open(p_practice, 'wrong_number', p_phone, p_inbound, false, p_at);
	RETURN made;
END $$;

-- Whether a text that came at p_at may be the answer to a verification: one that left within the week before, since the
-- phone was last confirmed or reported. What waits, or was refused, asked nobody. Index: message_phone.
CREATE FUNCTION smsbridge.verify_open(p_practice uuid, p_phone text, p_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM smsbridge.message m
		LEFT JOIN smsbridge.recipient r ON r.practice_id = m.practice_id AND r.phone = m.phone
		WHERE m.practice_id = p_practice AND m.phone = p_phone AND m.category = 'verification'
			AND m.counted_at > greatest(coalesce(r.verified_at, '-infinity'), coalesce(r.stale_at, '-infinity'),
				p_at - interval '7 days'))
$$;

-- YES to a verification that is open. Returns whether one was.
CREATE FUNCTION smsbridge.verify_answer(p_practice uuid, p_phone text, p_at timestamptz, p_inbound uuid)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF NOT smsbridge.verify_open(p_practice, p_phone, p_at) THEN
		RETURN false;
	END IF;
	INSERT INTO smsbridge.recipient AS r (practice_id, phone, verified_at) VALUES (p_practice, p_phone, p_at)
	ON CONFLICT (practice_id, phone) DO UPDATE SET verified_at = excluded.verified_at;
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	VALUES (p_practice, 'recipient.verified', p_at, p_phone, jsonb_build_object('inbound_id', p_inbound));
	PERFORM smsbridge.judge_again(p_practice, p_phone, 'verification_needed');
	RETURN true;
END $$;

-- --- a patient's text ---
-- Does what a text asks for (src/text/text_intent.h names the intents), under the locks of all recipients given.
-- p_practices: the one that it is for, then those that share its sender; p_others: where besides something waits (for
-- stop_all). Returns whether an opt-out was made or lifted, and what was done: the intent, or 'other'.
CREATE FUNCTION smsbridge.inbound_act(p_practices uuid[], p_others uuid[], p_intent text, p_word text,
	p_categories text[], p_visit boolean, p_phone text, p_at timestamptz, p_inbound uuid)
RETURNS TABLE (changed boolean, done text) LANGUAGE plpgsql AS $$
DECLARE
	zeros CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
	by_class boolean := p_intent = 'stop_class' AND smsbridge.pack_on('fcc_26_67', p_at)
		AND NOT smsbridge.pack_on('revoke_all', p_at);
	classes text[] := CASE WHEN by_class THEN p_categories ELSE '{""}' END;
	how_far text := CASE WHEN p_intent = 'stop_all' THEN 'everyone' WHEN by_class THEN 'category'
		WHEN cardinality(p_practices) > 1 THEN 'sender' ELSE 'practice' END;
	intent text := p_intent;
	one uuid;
	class text;
BEGIN
	changed := false;
	IF intent IN ('yes', 'no') AND NOT smsbridge.verify_open(p_practices[1], p_phone, p_at) THEN
		intent := 'other';
	ELSIF intent = 'no' THEN -- it was asked whether the phone is the patient's
		intent := 'wrong_number';
	END IF;
	FOREACH one IN ARRAY p_practices LOOP
		IF intent IN ('stop', 'stop_all', 'stop_class') THEN
			FOREACH class IN ARRAY classes LOOP
				changed := smsbridge.opt_out_make(one, p_phone, class, 'reply', p_word, how_far, 'text', '', '', p_at,
					p_inbound, NULL) OR changed;
			END LOOP;
		ELSIF intent = 'suspect' THEN
			PERFORM smsbridge.task_open(one, 'possible_opt_out', p_phone, p_inbound, true, p_at);
		ELSIF intent = 'wrong_number' THEN
			changed := smsbridge.wrong_number(one, p_phone, p_word, how_far, p_at, p_inbound) OR changed;
		ELSIF intent = 'start' THEN
			changed := smsbridge.opt_out_start(one, p_phone, p_word, p_at, p_inbound) OR changed;
		END IF;
	END LOOP;
	IF intent = 'stop_all' THEN
		changed := smsbridge.opt_out_make(zeros, p_phone, '', 'reply', p_word, 'everyone', 'text', '', '', p_at,
			p_inbound, NULL) OR changed;
		FOREACH one IN ARRAY p_others LOOP
			PERFORM smsbridge.waiting_cancel(one, p_phone, '', p_at);
		END LOOP;
	ELSIF intent = 'start' THEN
		changed := smsbridge.opt_out_start(zeros, p_phone, p_word, p_at, p_inbound) OR changed;
	ELSIF intent = 'yes' THEN
		PERFORM smsbridge.verify_answer(p_practices[1], p_phone, p_at, p_inbound);
	END IF;
	IF p_visit OR intent = 'cancel_visit' THEN
		PERFORM smsbridge.task_open(p_practices[1], 'possible_cancel_visit', p_phone, p_inbound, false, p_at);
	END IF;
	done := CASE WHEN by_class THEN 'stop_class' WHEN intent = 'stop_class' THEN 'stop' ELSE intent END;
	RETURN NEXT;
END $$;

-- --- staff ---
CREATE FUNCTION smsbridge.opt_out_json(o smsbridge.opt_out) RETURNS json LANGUAGE sql STABLE AS $$
	SELECT json_strip_nulls(json_build_object('id', o.id, 'phone', o.phone, 'scope', o.scope,
		'category', nullif(o.category, ''), 'method', o.method, 'channel', o.channel, 'word', nullif(o.word, ''),
		'words', nullif(o.words, ''), 'actor', nullif(o.actor, ''), 'created_at', o.created_at,
		'lifted_at', o.lifted_at))
$$;

-- What staff were told. Takes the recipient's lock itself. Returns a problem's code or '', and the opt-out.
CREATE FUNCTION smsbridge.opt_out_enter(p_practice uuid, p_phone text, p_channel text, p_words text, p_actor text,
	p_category text, p_at timestamptz) RETURNS TABLE (problem text, body json, phone text) LANGUAGE plpgsql AS $$
BEGIN
	problem := '';
	opt_out_enter.phone := p_phone;
	IF p_category <> '' AND (NOT smsbridge.pack_on('fcc_26_67', p_at) OR smsbridge.pack_on('revoke_all', p_at)) THEN
		problem := 'category_off';
		RETURN NEXT;
		RETURN;
	END IF;
	PERFORM pg_advisory_xact_lock(smsbridge.recipient_key(p_practice, p_phone));
	PERFORM smsbridge.opt_out_make(p_practice, p_phone, p_category, 'staff', '',
		CASE p_category WHEN '' THEN 'practice' ELSE 'category' END, p_channel, p_actor, p_words, p_at, NULL, NULL);
	SELECT smsbridge.opt_out_json(o) INTO body FROM smsbridge.opt_out o
	WHERE o.practice_id = p_practice AND o.phone = p_phone AND o.category = p_category AND o.source = 'staff'
		AND o.lifted_at IS NULL;
	RETURN NEXT;
END $$;

-- Lifts what staff entered, on the ground of a consent that is newer than the last word of whoever asked for no texts
-- to that phone. Nothing goes as long as another source's opt-out stands.
CREATE FUNCTION smsbridge.opt_out_end(p_practice uuid, p_id uuid, p_actor text, p_reason text, p_consent uuid,
	p_at timestamptz) RETURNS TABLE (problem text, body json, phone text) LANGUAGE plpgsql AS $$
DECLARE
	o smsbridge.opt_out;
BEGIN
	SELECT x.phone INTO opt_out_end.phone FROM smsbridge.opt_out x WHERE x.practice_id = p_practice AND x.id = p_id;
	PERFORM pg_advisory_xact_lock(smsbridge.recipient_key(p_practice, opt_out_end.phone));
	SELECT * INTO o FROM smsbridge.opt_out x WHERE x.practice_id = p_practice AND x.id = p_id;
	problem := CASE WHEN o.id IS NULL THEN 'opt_out_unknown'
		WHEN o.lifted_at IS NOT NULL THEN ''
		WHEN o.source = 'patient' THEN 'patient_must_start'
		WHEN o.source = 'wrong_number' THEN 'wrong_number_task'
		WHEN NOT EXISTS (SELECT FROM smsbridge.consent c WHERE c.practice_id = p_practice AND c.id = p_consent
			AND c.phone = o.phone AND c.ended_at IS NULL AND c.captured_at > (SELECT max(greatest(x.created_at, x.heard_at))
				FROM smsbridge.opt_out x WHERE x.practice_id IN (p_practice, '00000000-0000-0000-0000-000000000000')
					AND x.phone = o.phone AND x.lifted_at IS NULL)) THEN 'consent_needed'
		ELSE '' END;
	IF problem = '' AND o.lifted_at IS NULL THEN
		UPDATE smsbridge.opt_out x SET lifted_at = p_at WHERE x.practice_id = p_practice AND x.id = p_id
		RETURNING * INTO o;
		INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
		VALUES (p_practice, 'opt_out.lifted', p_at, o.phone, jsonb_build_object('source', 'staff', 'method', 'staff',
			'id', o.id, 'category', o.category, 'actor', p_actor, 'why', p_reason, 'consent_id', p_consent));
	END IF;
	body := smsbridge.opt_out_json(o);
	RETURN NEXT;
END $$;

CREATE FUNCTION smsbridge.task_json(t smsbridge.review_task) RETURNS json LANGUAGE sql STABLE AS $$
	SELECT json_strip_nulls(json_build_object('id', t.id, 'kind', t.kind, 'phone', t.phone,
		'patient', nullif(t.patient, ''), 'reply_id', t.inbound_id, 'message_id', t.message_id, 'holds', t.holds,
		'opened_at', t.opened_at, 'owner', t.owner, 'decision', t.decision, 'decided_by', t.decided_by,
		'decided_at', t.decided_at, 'note', nullif(t.note, ''),
		'text', (SELECT i.body FROM smsbridge.inbound i WHERE i.practice_id = t.practice_id AND i.id = t.inbound_id)))
$$;

CREATE FUNCTION smsbridge.task_own(p_practice uuid, p_id uuid, p_person text, p_at timestamptz)
RETURNS TABLE (problem text, body json, phone text) LANGUAGE plpgsql AS $$
DECLARE
	t smsbridge.review_task;
BEGIN
	SELECT * INTO t FROM smsbridge.review_task x WHERE x.practice_id = p_practice AND x.id = p_id FOR UPDATE;
	problem := CASE WHEN t.id IS NULL THEN 'task_unknown' WHEN t.decided_at IS NOT NULL THEN 'task_decided' ELSE '' END;
	IF problem = '' THEN
		UPDATE smsbridge.review_task x SET owner = p_person WHERE x.practice_id = p_practice AND x.id = p_id
		RETURNING * INTO t;
		INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
		VALUES (p_practice, 'review.owned', p_at, t.phone, jsonb_build_object('id', t.id, 'kind', t.kind,
			'owner', p_person));
	END IF;
	body := smsbridge.task_json(t);
	task_own.phone := t.phone;
	RETURN NEXT;
END $$;

-- Decides a task. p_effect is of proto/task_decision.def: what the decision does.
CREATE FUNCTION smsbridge.task_decide(p_practice uuid, p_id uuid, p_kind text, p_decision text, p_effect text,
	p_person text, p_note text, p_at timestamptz) RETURNS TABLE (problem text, body json, phone text)
LANGUAGE plpgsql AS $$
DECLARE
	t smsbridge.review_task;
	heard_at timestamptz;
BEGIN
	SELECT x.phone INTO task_decide.phone FROM smsbridge.review_task x WHERE x.practice_id = p_practice AND x.id = p_id;
	PERFORM pg_advisory_xact_lock(smsbridge.recipient_key(p_practice, task_decide.phone));
	SELECT * INTO t FROM smsbridge.review_task x WHERE x.practice_id = p_practice AND x.id = p_id FOR UPDATE;
	problem := CASE WHEN t.id IS NULL THEN 'task_unknown' WHEN t.decided_at IS NOT NULL THEN 'task_decided'
		WHEN t.kind <> p_kind THEN 'decision_unknown' ELSE '' END;
	IF problem = '' THEN
		UPDATE smsbridge.review_task x SET decision = p_decision, decided_by = p_person, decided_at = p_at,
			owner = coalesce(x.owner, p_person), note = p_note
		WHERE x.practice_id = p_practice AND x.id = p_id RETURNING * INTO t;
		INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
		VALUES (p_practice, 'review.decided', p_at, t.phone, jsonb_build_object('id', t.id, 'kind', t.kind,
			'decision', p_decision, 'by', p_person));
		SELECT coalesce((SELECT i.received_at FROM smsbridge.inbound i WHERE i.practice_id = p_practice
			AND i.id = t.inbound_id), t.opened_at) INTO heard_at;
		IF p_effect = 'opt_out' THEN
			PERFORM smsbridge.opt_out_make(p_practice, t.phone, '', 'reply', 'review', 'practice', 'text', p_person, '',
				heard_at, t.inbound_id, NULL);
		ELSIF p_effect = 'release' THEN
			PERFORM smsbridge.judge_again(p_practice, t.phone, 'review_pending');
		ELSIF p_effect = 'right_number' THEN
			PERFORM smsbridge.right_number(p_practice, t.phone, p_person, p_at, t.id);
		END IF;
	END IF;
	body := smsbridge.task_json(t);
	RETURN NEXT;
END $$;

-- A person found out that the phone is the patient's after all; what else was reported of it stands.
CREATE FUNCTION smsbridge.right_number(p_practice uuid, p_phone text, p_person text, p_at timestamptz, p_task uuid)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WITH lifted AS (
		UPDATE smsbridge.opt_out SET lifted_at = p_at
		WHERE practice_id = p_practice AND phone = p_phone AND source = 'wrong_number' AND lifted_at IS NULL
		RETURNING id, category
	)
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	SELECT p_practice, 'opt_out.lifted', p_at, p_phone, jsonb_build_object('id', id, 'category', category,
		'source', 'wrong_number', 'method', 'staff', 'actor', p_person, 'task_id', p_task) FROM lifted;
	WITH back AS (
		UPDATE smsbridge.recipient SET stale_at = stale_before, stale_reason = stale_before_reason, stale_before = NULL,
			stale_before_reason = NULL
		WHERE practice_id = p_practice AND phone = p_phone AND stale_reason = 'wrong_number'
		RETURNING stale_at, stale_reason
	)
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	SELECT p_practice, 'recipient.changed', p_at, p_phone, jsonb_strip_nulls(jsonb_build_object('field', 'stale',
		'value', coalesce(stale_reason, ''), 'since', stale_at, 'actor', p_person)) FROM back;
END $$;

CREATE INDEX review_task_list ON smsbridge.review_task (practice_id, id) WHERE decided_at IS NULL;
CREATE INDEX opt_out_phone ON smsbridge.opt_out (practice_id, phone, id);

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'smsbridge'
			AND p.proname IN ('recipient_key', 'id_at', 'waiting_cancel', 'opt_out_make',
				'opt_out_start', 'task_open', 'wrong_number', 'verify_answer', 'verify_open', 'inbound_act', 'opt_out_json',
				'opt_out_enter', 'opt_out_end', 'task_json', 'task_own', 'task_decide', 'right_number') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO smsbridge_app', f);
	END LOOP;
END $$;
