-- Patients as the practice knows them, the change of a phone as an act of its own, everything that happened to a
-- patient in order, and the search of messages.

-- --- tables ---
CREATE TABLE smsbridge.patient (
	practice_id uuid NOT NULL,
	ref text NOT NULL CHECK (ref <> ''),      -- the practice's own opaque reference, as message.patient
	phone text NOT NULL,                      -- changed by patient_phone_change only
	time_zone text,                           -- as the practice gave them
	zip text,
	state text,
	language text NOT NULL DEFAULT 'en',
	alternative text NOT NULL DEFAULT '' CHECK (alternative IN ('', 'no_sms', 'other_phone')), -- 45 CFR 164.522(b)
	household boolean NOT NULL DEFAULT false, -- shares the phone with other patients
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, ref)
) WITH (fillfactor = 85);
CREATE INDEX patient_phone ON smsbridge.patient (practice_id, phone, ref);

-- The phones that a patient had, and when: what happened to a phone in that time is of the patient's timeline.
CREATE TABLE smsbridge.patient_number (
	practice_id uuid NOT NULL,
	ref text NOT NULL,
	since timestamptz NOT NULL,               -- '-infinity' of the first that is known
	until timestamptz,
	phone text NOT NULL,
	PRIMARY KEY (practice_id, ref, since),
	FOREIGN KEY (practice_id, ref) REFERENCES smsbridge.patient
);
GRANT SELECT, INSERT, UPDATE ON smsbridge.patient, smsbridge.patient_number TO smsbridge_app;

-- --- what is looked up ---
-- A message that goes its way is updated three times and never in place: these hold only what left that way, or, by
-- patient, has yet to begin it. What counts is found by message_patient and message_phone, what waits by
-- message_waiting, what is open by message_open and message_turn.
CREATE INDEX message_uncounted_patient ON smsbridge.message (practice_id, patient, id) WHERE counted_at IS NULL;
CREATE INDEX message_uncounted_phone ON smsbridge.message (practice_id, phone, id)
	WHERE counted_at IS NULL AND due_at IS NULL;
CREATE INDEX message_status ON smsbridge.message (practice_id, status, id)
	WHERE status IN ('unconfirmed', 'undelivered', 'expired', 'failed', 'canceled', 'blocked');
-- Texts that go as soon as their message ended; what has yet to end is not in it.
CREATE INDEX message_discard ON smsbridge.message (updated_at) WHERE discard AND redacted_at IS NULL
	AND status IN ('uncertain', 'unconfirmed', 'delivered', 'undelivered', 'expired', 'failed', 'canceled', 'blocked');
-- A message's own events are found by the message: these two cost its way nothing.
CREATE INDEX event_patient ON smsbridge.event (practice_id, patient, xact, id)
	WHERE message_id IS NULL AND patient IS NOT NULL;
CREATE INDEX event_phone ON smsbridge.event (practice_id, phone, xact, id)
	WHERE message_id IS NULL AND phone IS NOT NULL;

-- The lock of somebody at a practice, as claimer_lock_key in src/dispatch computes it: FNV-1a of the practice's octets
-- and of who it is: 'p' and a phone, 't' and a patient's reference.
CREATE FUNCTION smsbridge.lock_key(practice uuid, who text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	octets bytea := uuid_send(practice) || convert_to(who, 'UTF8');
	h numeric := 14695981039346656037;
	low integer;
BEGIN
	FOR i IN 0..length(octets) - 1 LOOP
		low := (h % 256)::integer;
		h := ((h - low + (low # get_byte(octets, i))) * 1099511628211) % 18446744073709551616;
	END LOOP;
	RETURN CASE WHEN h >= 9223372036854775808 THEN h - 18446744073709551616 ELSE h END;
END $$;
CREATE OR REPLACE FUNCTION smsbridge.recipient_key(practice uuid, phone text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT smsbridge.lock_key(practice, 'p' || phone) $$;
CREATE FUNCTION smsbridge.patient_key(practice uuid, ref text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT smsbridge.lock_key(practice, 't' || ref) $$;

-- Whether a write's condition (api_etag.h) takes the version that there is, 0 for none.
CREATE FUNCTION smsbridge.version_fits(version integer, match bigint[]) RETURNS boolean LANGUAGE sql IMMUTABLE
PARALLEL SAFE AS $$
	SELECT match IS NULL OR version = ANY (match) OR (version > 0 AND -1 = ANY (match))
$$;

-- --- a patient's row ---
CREATE FUNCTION smsbridge.patient_json(p smsbridge.patient, sees_phone boolean) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('ref', p.ref, 'phone', smsbridge.phone_shown(p.phone, sees_phone), 'time_zone', p.time_zone,
		'zip', p.zip, 'state', p.state, 'language', p.language,
		'preferences', jsonb_build_object('alternative', coalesce(nullif(p.alternative, ''), 'none'),
			'household', p.household),
		'version', p.version, 'created_at', p.created_at, 'updated_at', p.updated_at)
$$;

-- What patients want of their phone is what holds for the phone: the strictest of those who share it. Under the
-- recipient's lock. Index: patient_phone.
CREATE FUNCTION smsbridge.patient_prefer(p_practice uuid, p_phone text, p_alternative boolean, p_household boolean,
	p_actor text, p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	old smsbridge.recipient;
	way text;
	shared boolean;
BEGIN
	SELECT * INTO old FROM smsbridge.recipient r WHERE r.practice_id = p_practice AND r.phone = p_phone;
	SELECT coalesce(min(p.alternative) FILTER (WHERE p.alternative <> ''), ''), coalesce(bool_or(p.household), false)
	INTO way, shared FROM smsbridge.patient p WHERE p.practice_id = p_practice AND p.phone = p_phone;
	way := CASE WHEN p_alternative THEN way ELSE coalesce(old.alternative, '') END;
	shared := CASE WHEN p_household THEN shared ELSE coalesce(old.household, false) END;
	IF way = coalesce(old.alternative, '') AND shared = coalesce(old.household, false) THEN
		RETURN;
	END IF;
	INSERT INTO smsbridge.recipient AS r (practice_id, phone, alternative, household)
	VALUES (p_practice, p_phone, way, shared)
	ON CONFLICT (practice_id, phone) DO UPDATE SET alternative = excluded.alternative, household = excluded.household;
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	SELECT p_practice, 'recipient.changed', p_at, p_phone,
		jsonb_build_object('field', 'alternative', 'value', way, 'actor', p_actor)
	WHERE way <> coalesce(old.alternative, '')
	UNION ALL
	SELECT p_practice, 'recipient.changed', p_at, p_phone,
		jsonb_build_object('field', 'household', 'value', shared, 'actor', p_actor)
	WHERE shared <> coalesce(old.household, false);
END $$;

-- Records a patient as the practice knows them now; the whole row. To be run under the locks of phone and patient.
-- p_match: as etag_add gives it. Returns a problem's code or '', the patient, its version, and whether it is new.
-- What is as it was makes no event and no version.
CREATE FUNCTION smsbridge.patient_put(p_practice uuid, p_ref text, p_phone text, p_time_zone text, p_zip text,
	p_state text, p_language text, p_alternative text, p_household boolean, p_actor text, p_match bigint[], p_sees boolean,
	p_at timestamptz) RETURNS TABLE (problem text, body text, version integer, made boolean) LANGUAGE plpgsql AS $$
DECLARE
	old smsbridge.patient;
	new smsbridge.patient;
	changed text[];
BEGIN
	SELECT * INTO old FROM smsbridge.patient x WHERE x.practice_id = p_practice AND x.ref = p_ref FOR UPDATE;
	made := old.ref IS NULL;
	problem := CASE WHEN NOT smsbridge.version_fits(coalesce(old.version, 0), p_match) THEN 'precondition_failed'
		WHEN old.phone <> p_phone THEN 'phone_change_needed' ELSE '' END;
	IF problem <> '' THEN
		version := coalesce(old.version, 0);
		RETURN NEXT;
		RETURN;
	END IF;
	INSERT INTO smsbridge.patient AS x (practice_id, ref, phone, time_zone, zip, state, language, alternative, household,
		created_at, updated_at)
	VALUES (p_practice, p_ref, p_phone, p_time_zone, p_zip, p_state, p_language, p_alternative, p_household, p_at, p_at)
	ON CONFLICT (practice_id, ref) DO UPDATE SET time_zone = excluded.time_zone, zip = excluded.zip,
		state = excluded.state, language = excluded.language, alternative = excluded.alternative,
		household = excluded.household, version = x.version + 1, updated_at = p_at
	WHERE (x.time_zone, x.zip, x.state, x.language, x.alternative, x.household) IS DISTINCT FROM
		(excluded.time_zone, excluded.zip, excluded.state, excluded.language, excluded.alternative, excluded.household)
	RETURNING * INTO new;
	IF NOT FOUND THEN
		new := old;
	ELSE
		SELECT array_agg(f.key ORDER BY f.key) INTO changed
		FROM jsonb_each(to_jsonb(new) - '{practice_id,ref,version,created_at,updated_at}'::text[]) AS f
		WHERE f.value IS DISTINCT FROM coalesce(to_jsonb(old) -> f.key, 'null');
		INSERT INTO smsbridge.event (practice_id, type, at, patient, data)
		VALUES (p_practice, 'patient.saved', p_at, p_ref, jsonb_build_object('version', new.version, 'fields', changed,
			'actor', p_actor));
		PERFORM smsbridge.patient_prefer(p_practice, p_phone, new.alternative <> coalesce(old.alternative, ''),
			new.household <> coalesce(old.household, false), p_actor, p_at);
	END IF;
	IF made THEN
		INSERT INTO smsbridge.patient_number (practice_id, ref, since, phone)
		VALUES (p_practice, p_ref, '-infinity', p_phone);
	END IF;
	body := smsbridge.patient_json(new, p_sees)::text;
	version := new.version;
	RETURN NEXT;
END $$;

-- --- another phone ---
-- Cancels what waits for a patient at a phone that is not theirs any more, asks carriers that take cancel_sm to give
-- back what they have; what a claim holds, or a link was just given, is noted as withdrawn, so that it goes no further
-- than it is. Under the recipient's lock. Returns how many were cancelled and how many are asked for. Indexes:
-- message_waiting, message_phone, ask_pkey.
CREATE FUNCTION smsbridge.patient_waiting_cancel(p_practice uuid, p_ref text, p_phone text, p_at timestamptz,
	OUT canceled integer, OUT recalled integer) LANGUAGE sql AS $$
	WITH waiting AS (
		SELECT practice_id, id FROM smsbridge.message
		WHERE practice_id = p_practice AND phone = p_phone AND patient = p_ref AND due_at IS NOT NULL
		FOR UPDATE SKIP LOCKED
	), gone AS (
		UPDATE smsbridge.message m SET status = 'canceled', reason = 'canceled_by_phone_change', due_at = NULL,
			updated_at = p_at
		FROM waiting w WHERE m.practice_id = w.practice_id AND m.id = w.id
		RETURNING m.id
	), asked AS (
		INSERT INTO smsbridge.ask (practice_id, message_id, kind, carrier, reason, due_at)
		SELECT m.practice_id, m.id, 'cancel', m.carrier, 'canceled_by_phone_change', p_at FROM smsbridge.message m
			JOIN smsbridge.carrier c ON c.name = m.carrier AND c.cancel
		WHERE m.practice_id = p_practice AND m.phone = p_phone AND m.patient = p_ref
			AND m.counted_at > p_at - interval '3 days' AND m.status IN ('sent', 'uncertain', 'unconfirmed')
			AND m.carrier_message_id IS NOT NULL
		ON CONFLICT DO NOTHING
		RETURNING message_id
	), noted AS (
		INSERT INTO smsbridge.withdrawn (practice_id, message_id, reason, at)
		SELECT p_practice, m.id, 'canceled_by_phone_change', p_at FROM smsbridge.message m
		WHERE m.practice_id = p_practice AND m.phone = p_phone AND m.patient = p_ref
			AND (m.due_at IS NOT NULL OR (m.status = 'sending' AND m.counted_at IS NOT NULL))
			AND m.id NOT IN (SELECT id FROM gone)
		ON CONFLICT DO NOTHING
	), told AS (
		INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason)
		SELECT p_practice, id, 'message.canceled', p_at, 'canceled_by_phone_change' FROM gone
		UNION ALL
		SELECT p_practice, message_id, 'message.recalling', p_at, 'canceled_by_phone_change' FROM asked
	)
	SELECT (SELECT count(*)::integer FROM gone), (SELECT count(*)::integer FROM asked)
$$;

-- Consents of the old phone that count now, once more for the new one: rows of their own, with who said that they hold
-- there, how and when. A written one named the old number (47 CFR 64.1200(f)(9)), so that what follows is express; of a
-- phone that others share only what this patient gave. Returns how many.
CREATE FUNCTION smsbridge.patient_consents_follow(p_practice uuid, p_ref text, p_old text, p_new text, p_shared boolean,
	p_actor text, p_reason text, p_method text, p_action text, p_captured timestamptz, p_at timestamptz)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	n integer;
BEGIN
	WITH live AS (
		SELECT c.* FROM smsbridge.consent c
			LEFT JOIN smsbridge.recipient r ON r.practice_id = c.practice_id AND r.phone = c.phone
		WHERE c.practice_id = p_practice AND c.phone = p_old AND c.ended_at IS NULL
			AND (c.patient = p_ref OR (c.patient = '' AND NOT p_shared))
			AND smsbridge.consent_state(c, r.stale_at, p_at) = 'counts'
	), made AS (
		INSERT INTO smsbridge.consent (practice_id, id, phone, patient, classes, basis, captured_at, method, wording,
			wording_version, language, action, actor, representative, adult_on, campaign, ip, authorization_id, created_at)
		SELECT practice_id, smsbridge.id_at(p_at), p_new, p_ref, classes,
			CASE basis WHEN 'written' THEN 'express' ELSE basis END, p_captured, p_method, wording, wording_version, language,
			p_action, p_actor, representative, adult_on, campaign, '', authorization_id, p_at
		FROM live
		RETURNING *
	), told AS (
		INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data)
		SELECT practice_id, 'consent.given', created_at, phone, patient, jsonb_strip_nulls(jsonb_build_object(
			'id', id, 'classes', classes, 'basis', basis, 'captured_at', captured_at, 'method', method,
			'wording_version', wording_version, 'wording_sha256', encode(sha256(convert_to(wording, 'UTF8')), 'hex'),
			'language', language, 'action', action, 'actor', actor, 'representative', nullif(representative, ''),
			'adult_on', adult_on, 'campaign', nullif(campaign, ''), 'authorization_id', nullif(authorization_id, ''),
			'follows', 'phone_change', 'why', p_reason))
		FROM made
	)
	SELECT count(*) INTO n FROM made;
	RETURN n;
END $$;

-- A patient who said STOP has said it as a person: what the patient, or staff for them, said on the old phone is said
-- of the new one at this practice too, and ends there as any of its kind does. A wrong number's is the word of
-- whoever has that phone, and stays. Returns how many. Index: opt_out_active.
CREATE FUNCTION smsbridge.patient_opt_outs_carry(p_practice uuid, p_old text, p_new text, p_actor text,
	p_at timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	o record;
	n integer := 0;
BEGIN
	FOR o IN SELECT DISTINCT ON (category, source) category, source, word, channel FROM smsbridge.opt_out
			WHERE practice_id IN (p_practice, '00000000-0000-0000-0000-000000000000') AND phone = p_old
				AND lifted_at IS NULL AND source IN ('patient', 'staff')
			ORDER BY category, source, heard_at DESC LOOP
		PERFORM smsbridge.opt_out_make(p_practice, p_new, o.category,
			CASE o.source WHEN 'patient' THEN 'reply' ELSE 'staff' END, o.word,
			CASE o.category WHEN '' THEN 'practice' ELSE 'category' END, o.channel, p_actor,
			'Said on the phone that the patient had before.', p_at, NULL, NULL);
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;

-- The old phone is not this patient's any more. If nobody else of the practice has it, no consent that was given for it
-- counts; else those that this patient gave end.
CREATE FUNCTION smsbridge.patient_leave_phone(p_practice uuid, p_ref text, p_phone text, p_shared boolean, p_actor text,
	p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF p_shared THEN
		WITH ended AS (
			UPDATE smsbridge.consent SET ended_at = p_at, ended_reason = 'number_changed'
			WHERE practice_id = p_practice AND phone = p_phone AND patient = p_ref AND ended_at IS NULL
			RETURNING id, phone, patient
		)
		INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data)
		SELECT p_practice, 'consent.ended', p_at, phone, patient,
			jsonb_build_object('id', id, 'reason', 'number_changed', 'actor', p_actor) FROM ended;
		PERFORM smsbridge.patient_prefer(p_practice, p_phone, true, true, p_actor, p_at);
		RETURN;
	END IF;
	INSERT INTO smsbridge.recipient AS r (practice_id, phone, stale_at, stale_reason)
	VALUES (p_practice, p_phone, p_at, 'number_changed')
	ON CONFLICT (practice_id, phone) DO UPDATE SET stale_at = greatest(r.stale_at, p_at), stale_reason = 'number_changed',
		verified_at = NULL;
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	VALUES (p_practice, 'recipient.stale', p_at, p_phone, jsonb_build_object('reason', 'number_changed', 'by', p_actor));
END $$;

-- Visits to come are of the new phone. Their reminders are withdrawn: a text that was accepted for one phone never
-- goes to another; the next PUT of the appointment makes them anew. Returns how many visits moved and how many
-- reminders were withdrawn. Index: appointment_patient.
CREATE FUNCTION smsbridge.patient_visits_move(p_practice uuid, p_ref text, p_old text, p_new text, p_at timestamptz,
	OUT visits integer, OUT reminders integer) LANGUAGE plpgsql AS $$
DECLARE
	visit text;
BEGIN
	visits := 0;
	reminders := 0;
	FOR visit IN UPDATE smsbridge.appointment a SET phone = p_new, version = a.version + 1, updated_at = p_at
			WHERE a.practice_id = p_practice AND a.patient = p_ref AND a.phone = p_old AND a.starts_at > p_at
				AND a.status IN ('booked', 'confirmed') RETURNING a.ref LOOP
		reminders := reminders + smsbridge.reminder_withdraw(p_practice, visit, '{}', false, 'canceled_by_phone_change',
			p_at);
		visits := visits + 1;
	END LOOP;
END $$;

-- A patient has another phone now. Takes the recipients' locks itself, in their order. Returns a problem's code or '',
-- the answer, the phone before, the version.
CREATE FUNCTION smsbridge.patient_phone_change(p_practice uuid, p_ref text, p_phone text, p_actor text, p_reason text,
	p_follow boolean, p_method text, p_action text, p_captured timestamptz, p_match bigint[], p_sees boolean,
	p_at timestamptz) RETURNS TABLE (problem text, body text, phone text, version integer) LANGUAGE plpgsql AS $$
DECLARE
	old smsbridge.patient;
	new smsbridge.patient;
	shared boolean;
	followed integer := 0;
	carried integer;
	moved record;
	waited record;
BEGIN
	SELECT * INTO old FROM smsbridge.patient x WHERE x.practice_id = p_practice AND x.ref = p_ref;
	PERFORM pg_advisory_xact_lock(k) FROM (SELECT DISTINCT k FROM unnest(ARRAY[
		smsbridge.recipient_key(p_practice, coalesce(old.phone, p_phone)), smsbridge.recipient_key(p_practice, p_phone),
		smsbridge.patient_key(p_practice, p_ref)]) AS k ORDER BY k) AS locks;
	SELECT * INTO new FROM smsbridge.patient x WHERE x.practice_id = p_practice AND x.ref = p_ref FOR UPDATE;
	phone := old.phone;
	version := new.version;
	problem := CASE WHEN new.ref IS NULL THEN 'patient_unknown'
		WHEN NOT smsbridge.version_fits(new.version, p_match) THEN 'precondition_failed'
		WHEN new.phone IS DISTINCT FROM old.phone THEN 'patient_changed'
		WHEN new.phone = p_phone THEN 'number_same' ELSE '' END;
	IF problem <> '' THEN
		RETURN NEXT;
		RETURN;
	END IF;
	shared := old.household OR EXISTS (SELECT FROM smsbridge.patient x WHERE x.practice_id = p_practice
		AND x.phone = old.phone AND x.ref <> p_ref) OR EXISTS (SELECT FROM smsbridge.recipient r
		WHERE r.practice_id = p_practice AND r.phone = old.phone AND r.household);
	IF p_follow THEN
		followed := smsbridge.patient_consents_follow(p_practice, p_ref, old.phone, p_phone, shared, p_actor, p_reason,
			p_method, p_action, p_captured, p_at);
	END IF;
	carried := smsbridge.patient_opt_outs_carry(p_practice, old.phone, p_phone, p_actor, p_at);
	moved := smsbridge.patient_visits_move(p_practice, p_ref, old.phone, p_phone, p_at);
	waited := smsbridge.patient_waiting_cancel(p_practice, p_ref, old.phone, p_at);
	-- "Another phone" was asked for and is given; "no texts" is the patient's, who takes it along; whose the new phone is
	-- besides, nobody has said.
	UPDATE smsbridge.patient x SET phone = p_phone, version = x.version + 1, updated_at = p_at, household = false,
		alternative = CASE x.alternative WHEN 'other_phone' THEN '' ELSE x.alternative END
	WHERE x.practice_id = p_practice AND x.ref = p_ref RETURNING * INTO new;
	PERFORM smsbridge.patient_leave_phone(p_practice, p_ref, old.phone, shared, p_actor, p_at);
	PERFORM smsbridge.patient_prefer(p_practice, p_phone, new.alternative <> '', false, p_actor, p_at);
	UPDATE smsbridge.patient_number x SET until = p_at
	WHERE x.practice_id = p_practice AND x.ref = p_ref AND x.until IS NULL;
	INSERT INTO smsbridge.patient_number AS x (practice_id, ref, since, phone) VALUES (p_practice, p_ref, p_at, p_phone)
	ON CONFLICT (practice_id, ref, since) DO UPDATE SET phone = excluded.phone, until = NULL;
	INSERT INTO smsbridge.event (practice_id, type, at, patient, data)
	VALUES (p_practice, 'patient.phone_changed', p_at, p_ref, jsonb_build_object('version', new.version,
		'actor', p_actor, 'why', p_reason, 'consents', CASE WHEN p_follow THEN 'follow' ELSE 'stay' END,
		'followed', followed, 'carried', carried, 'canceled', waited.canceled, 'recalled', waited.recalled,
		'visits', moved.visits, 'reminders', moved.reminders, 'shared', shared));
	body := (smsbridge.patient_json(new, p_sees) || jsonb_build_object('change', jsonb_build_object(
		'consents', CASE WHEN p_follow THEN 'follow' ELSE 'stay' END, 'consents_followed', followed,
		'opt_outs_carried', carried, 'messages_canceled', waited.canceled, 'messages_recalled', waited.recalled,
		'appointments_moved', moved.visits, 'reminders_withdrawn', moved.reminders)))::text;
	version := new.version;
	RETURN NEXT;
END $$;

-- --- the whole patient ---
-- A patient with what is known of the phone and what stands against texts to it.
-- Indexes: patient_pkey, recipient_pkey, opt_out_active, review_task_open, message_waiting, phone_flag_pkey.
CREATE FUNCTION smsbridge.patient_show(p smsbridge.patient, p_sees_phone boolean, p_sees_text boolean) RETURNS jsonb
LANGUAGE sql STABLE AS $$
	SELECT smsbridge.patient_json(p, p_sees_phone) || jsonb_build_object(
		'phone_state', (SELECT jsonb_build_object('stale_at', r.stale_at, 'stale_reason', r.stale_reason,
				'verify_asked_at', r.verify_asked_at, 'verified_at', r.verified_at,
				'verified', coalesce(r.verified_at > coalesce(r.stale_at, '-infinity'), false),
				'risk_warning', CASE WHEN r.risk_at IS NOT NULL THEN jsonb_build_object('version', r.risk_version,
					'at', r.risk_at, 'method', r.risk_method) END,
				'alternative', coalesce(nullif(r.alternative, ''), 'none'), 'household', coalesce(r.household, false),
				'flag', (SELECT max(f.kind) FROM smsbridge.phone_flag f WHERE f.practice_id = p.practice_id
					AND f.phone = p.phone))
			FROM (SELECT) AS one LEFT JOIN smsbridge.recipient r ON r.practice_id = p.practice_id AND r.phone = p.phone),
		'opt_outs', coalesce((SELECT jsonb_agg(to_jsonb(smsbridge.opt_out_json(o)) - 'phone'
				- CASE WHEN p_sees_text THEN '' ELSE 'words' END ORDER BY o.created_at, o.id)
			FROM smsbridge.opt_out o
			WHERE o.practice_id IN (p.practice_id, '00000000-0000-0000-0000-000000000000') AND o.phone = p.phone
				AND o.lifted_at IS NULL), '[]'),
		'tasks_open', (SELECT count(*) FROM smsbridge.review_task t WHERE t.practice_id = p.practice_id
			AND t.phone = p.phone AND t.decided_at IS NULL),
		'messages_waiting', (SELECT count(*) FROM smsbridge.message m WHERE m.practice_id = p.practice_id
			AND m.phone = p.phone AND m.patient = p.ref AND m.due_at IS NOT NULL),
		'shared_with', (SELECT count(*) FROM smsbridge.patient x WHERE x.practice_id = p.practice_id
			AND x.phone = p.phone AND x.ref <> p.ref))
$$;

-- --- timeline ---
-- What of an event's data is told: facts about it, never a text; the patient's own word only to who may see texts.
CREATE FUNCTION smsbridge.event_details(data jsonb, sees_text boolean) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}') FROM jsonb_each(data) AS d
	WHERE d.key = ANY ('{id,actor,by,person,why,field,fields,value,classes,basis,captured_at,adult_on,method,channel,scope,
		category,source,kind,at,until,consents,followed,carried,canceled,recalled,visits,version,status,ref,step,starts_at,
		visit_at,decision,owner,carrier,segments,consent_id,inbound_id,message_id}'::text[])
		OR (sees_text AND d.key = 'word')
$$;

-- A page of everything that happened to a patient, in the order in which it was stored: what names the patient, what
-- became of the patient's messages, and what happened to the patient's phone while it was theirs. Behind p_xact and
-- p_id; p_limit + 1 rows. Indexes: event_patient, event_phone, message_patient, message_uncounted_patient,
-- event_message.
CREATE FUNCTION smsbridge.patient_timeline(p_practice uuid, p_ref text, p_xact xid8, p_id bigint, p_sees_phone boolean,
	p_sees_text boolean, p_rows integer) RETURNS TABLE (place text, item json) LANGUAGE sql STABLE AS $$
	WITH found AS (
		SELECT e.* FROM smsbridge.event e
		WHERE e.practice_id = p_practice AND e.patient = p_ref AND e.message_id IS NULL AND (e.xact, e.id) > (p_xact, p_id)
		UNION ALL
		SELECT e.* FROM smsbridge.message m JOIN smsbridge.event e ON e.message_id = m.id AND e.practice_id = m.practice_id
		WHERE m.practice_id = p_practice AND (e.xact, e.id) > (p_xact, p_id)
			AND ((m.patient = p_ref AND m.counted_at IS NULL) OR (m.patient = p_ref AND m.counted_at IS NOT NULL))
		UNION ALL
		SELECT e.* FROM smsbridge.patient_number n JOIN smsbridge.event e ON e.practice_id = n.practice_id
			AND e.phone = n.phone AND e.message_id IS NULL AND e.at >= n.since AND e.at <= coalesce(n.until, 'infinity')
		WHERE n.practice_id = p_practice AND n.ref = p_ref AND coalesce(e.patient, '') = ''
			AND (e.xact, e.id) > (p_xact, p_id)
	), page AS (
		SELECT * FROM found ORDER BY xact, id LIMIT p_rows
	)
	SELECT e.xact || '-' || e.id, json_strip_nulls(json_build_object('type', e.type, 'at', e.at, 'reason', e.reason,
		'sentence', coalesce(r.sentence, t.sentence), 'message_id', e.message_id,
		'phone', smsbridge.phone_shown(e.phone, p_sees_phone), 'of', CASE WHEN e.message_id IS NOT NULL THEN 'message'
			WHEN e.patient IS NOT NULL THEN 'patient' ELSE 'phone' END,
		'details', nullif(smsbridge.event_details(e.data, p_sees_text), '{}')))
	FROM page e LEFT JOIN smsbridge.event_type t ON t.code = e.type LEFT JOIN smsbridge.reason r ON r.code = e.reason
	ORDER BY e.xact, e.id
$$;

-- --- right of access ---
-- All that is kept of a patient, as patient_export, with the visits and the practice's own row.
CREATE OR REPLACE FUNCTION smsbridge.patient_export_all(practice uuid, of_patient text, of_phone text, at timestamptz)
RETURNS jsonb LANGUAGE sql STABLE AS $$
	WITH visits AS (
		SELECT jsonb_agg(smsbridge.appointment_json(a, true, true) ORDER BY a.starts_at, a.ref) AS list
		FROM smsbridge.appointment a WHERE a.practice_id = practice AND (a.patient = of_patient OR a.phone = of_phone)
	), rows AS (
		SELECT jsonb_agg(smsbridge.patient_json(p, true) || jsonb_build_object('phones_had', (SELECT jsonb_agg(
				jsonb_strip_nulls(jsonb_build_object('phone', n.phone, 'since', nullif(n.since, '-infinity'),
					'until', n.until)) ORDER BY n.since)
			FROM smsbridge.patient_number n WHERE n.practice_id = p.practice_id AND n.ref = p.ref)) ORDER BY p.ref) AS list
		FROM smsbridge.patient p WHERE p.practice_id = practice AND (p.ref = of_patient OR p.phone = of_phone)
	), texts AS (
		SELECT smsbridge.patient_export(practice, of_patient, of_phone, at) AS known
	)
	SELECT coalesce(t.known, jsonb_build_object('practice', (SELECT jsonb_build_object('id', p.id, 'name',
				coalesce(p.legal_name, p.name), 'phone', p.phone) FROM smsbridge.practice p WHERE p.id = practice),
			'asked', jsonb_strip_nulls(jsonb_build_object('patient', of_patient, 'phone', of_phone, 'as_of', at))))
		|| jsonb_build_object('appointments', v.list, 'recorded', r.list)
	FROM texts t CROSS JOIN visits v CROSS JOIN rows r WHERE coalesce(t.known, v.list, r.list) IS NOT NULL
$$;

-- --- search ---
-- A page of messages in the order of their ids, which is that of their acceptance. p_filter: what is looked for, by the
-- members that it has: status, patient, phone, reference, category, template, batch, appointment, from, to. The
-- statement has only the conditions that are asked for, so that it is planned for them. An id begins with its
-- millisecond (RFC 9562), from which from and to find their place in any of the indexes; ids and created_at come from
-- clock readings at most a minute apart.
CREATE FUNCTION smsbridge.message_search(p_practice uuid, p_after uuid, p_filter jsonb, p_sees_phone boolean,
	p_rows integer) RETURNS TABLE (id uuid, body json) LANGUAGE plpgsql STABLE AS $$
DECLARE
	asked text := '';
BEGIN
	SELECT coalesce(string_agg(CASE f.key
		WHEN 'status' THEN format(' AND m.status = %L', p_filter->>'status') || CASE
			WHEN p_filter->>'status' IN ('scheduled', 'queued', 'held') THEN ' AND m.due_at IS NOT NULL' ELSE '' END
		WHEN 'patient' THEN ' AND ((m.patient = $3->>''patient'' AND m.counted_at IS NULL)'
			' OR (m.patient = $3->>''patient'' AND m.counted_at IS NOT NULL))'
		WHEN 'phone' THEN ' AND ((m.phone = $3->>''phone'' AND m.due_at IS NOT NULL)'
			' OR (m.phone = $3->>''phone'' AND m.counted_at IS NULL AND m.due_at IS NULL)'
			' OR (m.phone = $3->>''phone'' AND m.counted_at IS NOT NULL))'
		WHEN 'reference' THEN ' AND m.id IN (SELECT f.message_id FROM smsbridge.message_reference f'
			' WHERE f.practice_id = $1 AND f.reference = $3->>''reference'')'
		WHEN 'category' THEN ' AND m.category = $3->>''category'''
		WHEN 'template' THEN ' AND m.template_id = ($3->>''template'')::uuid'
			' AND m.id IN (SELECT f.message_id FROM smsbridge.message_template f'
			' WHERE f.practice_id = $1 AND f.template_id = ($3->>''template'')::uuid)'
		WHEN 'batch' THEN ' AND m.batch_id = ($3->>''batch'')::uuid'
		WHEN 'appointment' THEN
			' AND m.id = ANY (ARRAY(SELECT r.message_id FROM smsbridge.reminder r WHERE r.practice_id = $1'
			' AND r.ref = $3->>''appointment'' AND r.message_id IS NOT NULL))'
		WHEN 'from' THEN ' AND m.created_at >= ($3->>''from'')::timestamptz'
			' AND m.id >= smsbridge.id_floor(($3->>''from'')::timestamptz - interval ''1 minute'')'
		WHEN 'to' THEN ' AND m.created_at < ($3->>''to'')::timestamptz'
			' AND m.id < smsbridge.id_floor(($3->>''to'')::timestamptz + interval ''1 minute'')'
		END, ''), '') INTO asked FROM jsonb_object_keys(p_filter) AS f(key);
	IF p_after IS NOT NULL THEN
		asked := asked || ' AND m.id > $2';
	END IF;
	RETURN QUERY EXECUTE 'SELECT m.id, json_build_object(''id'', m.id, ''status'', m.status, ''reason'', m.reason,'
		' ''patient'', m.patient, ''phone'', smsbridge.phone_shown(m.phone, $4), ''category'', m.category,'
		' ''priority'', (ARRAY[''urgent'', ''normal'', ''low''])[m.priority + 1], ''reference'', m.reference,'
		' ''template'', m.template_id, ''batch'', m.batch_id, ''send_at'', m.send_at, ''expires_at'', m.expires_at,'
		' ''due_at'', nullif(m.due_at, ''infinity''), ''created_at'', m.created_at, ''updated_at'', m.updated_at)'
		' FROM smsbridge.message m WHERE m.practice_id = $1' || asked || ' ORDER BY m.id LIMIT $5'
	USING p_practice, p_after, p_filter, p_sees_phone, p_rows;
END $$;

-- The least id of an instant.
CREATE FUNCTION smsbridge.id_floor(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT (lpad(to_hex(greatest(0, floor(extract(epoch FROM id_floor.at) * 1000))::bigint), 12, '0')
		|| '00000000000000000000')::uuid
$$;

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'smsbridge'
			AND p.proname IN ('lock_key', 'patient_key', 'patient_json', 'patient_prefer', 'patient_put',
				'patient_waiting_cancel', 'patient_consents_follow', 'patient_opt_outs_carry', 'patient_leave_phone',
				'patient_visits_move',
				'patient_phone_change', 'patient_show', 'event_details', 'patient_timeline', 'version_fits',
				'message_search', 'id_floor') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO smsbridge_app', f);
	END LOOP;
END $$;
