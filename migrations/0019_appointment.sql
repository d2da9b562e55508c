-- Appointments, the plans of reminders for each kind of them, and the reminders themselves. A plan's messages are made,
-- moved and withdrawn in the transaction that changes the appointment, under the recipients' locks.

-- --- tables ---
-- The steps of a kind's reminders: [{"name", "before", "at", "template", "category", "skip_if_confirmed", "rank"}].
CREATE TABLE smsbridge.plan (
	practice_id uuid NOT NULL REFERENCES smsbridge.practice,
	kind text NOT NULL,                       -- 'default' for every kind that has none of its own
	version integer NOT NULL,
	steps jsonb NOT NULL CHECK (jsonb_typeof(steps) = 'array'),
	saved_by text NOT NULL,
	saved_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, kind)
);

CREATE TABLE smsbridge.appointment (
	practice_id uuid NOT NULL REFERENCES smsbridge.practice,
	ref text NOT NULL CHECK (ref <> ''),      -- the practice's own
	patient text NOT NULL,
	phone text NOT NULL,
	starts_at timestamptz NOT NULL,
	location_zone text NOT NULL,              -- where the visit is: its time and its reminders' times are told by it
	time_zone text,                           -- where the patient is, as the practice gave it
	zip text,
	state text,
	zones text NOT NULL,                      -- where the patient may be, blank separated
	states text NOT NULL DEFAULT '',
	kind text NOT NULL,
	status text NOT NULL DEFAULT 'booked'
		CHECK (status IN ('booked', 'confirmed', 'arrived', 'completed', 'canceled', 'no_show')),
	language text NOT NULL DEFAULT 'en',
	variables jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(variables) = 'object'),
	reference text,
	answer text NOT NULL DEFAULT '' CHECK (answer IN ('', 'confirmed', 'reschedule_requested', 'declined')),
	answered_at timestamptz,                  -- the patient's own last answer; it goes when the visit moves
	declined_at timestamptz,                  -- the visit will not be kept, until a confirmation, a move or staff
	plan_kind text,                           -- the plan that its reminders were made by; NULL: there was none
	plan_version integer,
	plan_stamp text NOT NULL DEFAULT '',      -- of that plan and its templates
	version integer NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, ref)
);
CREATE INDEX appointment_patient ON smsbridge.appointment (practice_id, patient, starts_at);
CREATE INDEX appointment_phone ON smsbridge.appointment (practice_id, phone, starts_at);
CREATE INDEX appointment_time ON smsbridge.appointment (practice_id, starts_at, ref);
CREATE INDEX appointment_variables ON smsbridge.appointment (practice_id, starts_at) WHERE variables <> '{}';

-- One reminder of an appointment, for one time of the visit: never two. What became of its message is the message's
-- own status. A visit that moves back finds its row again.
CREATE TABLE smsbridge.reminder (
	practice_id uuid NOT NULL,
	ref text NOT NULL,
	step text NOT NULL,
	visit_at timestamptz NOT NULL,
	message_id uuid UNIQUE,                   -- NULL: dropped before there was any
	state text NOT NULL CHECK (state IN ('planned', 'withdrawn', 'dropped')),
	reason text CHECK ((state = 'planned') = (reason IS NULL)),
	due_at timestamptz,
	skip_if_confirmed boolean NOT NULL DEFAULT false,
	made_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, ref, step, visit_at),
	FOREIGN KEY (practice_id, ref) REFERENCES smsbridge.appointment,
	CHECK (state <> 'planned' OR (message_id IS NOT NULL AND due_at IS NOT NULL))
);

-- Messages that nobody wants any more and that a claim had when that was said: it reads this after it has the
-- recipient's lock, and they go no further.
CREATE TABLE smsbridge.withdrawn (
	practice_id uuid NOT NULL,
	message_id uuid NOT NULL,
	reason text NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, message_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON smsbridge.plan TO smsbridge_app;
GRANT SELECT, INSERT, UPDATE ON smsbridge.appointment, smsbridge.reminder TO smsbridge_app;
GRANT SELECT, INSERT, DELETE ON smsbridge.withdrawn TO smsbridge_app;

-- --- withdrawing ---
-- Withdraws reminders that are planned, all of the appointment but those of p_keep; of p_skips only those that a
-- confirmation makes needless. Their messages are cancelled while they wait; carriers that take cancel_sm are asked to
-- give back what they have. What has ended already is left as it is. A row that a claim holds is skipped: it waits for
-- our lock and then sees the row of withdrawn. Under the recipient's lock. Returns how many were withdrawn.
-- Indexes: reminder_pkey, message_pkey, ask_pkey.
CREATE FUNCTION smsbridge.reminder_withdraw(p_practice uuid, p_ref text, p_keep uuid[], p_skips boolean, p_reason text,
	p_at timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	n integer;
BEGIN
	WITH gone AS (
		UPDATE smsbridge.reminder r SET state = 'withdrawn', reason = p_reason, updated_at = p_at
		FROM smsbridge.message m JOIN smsbridge.status s ON s.code = m.status
		WHERE r.practice_id = p_practice AND r.ref = p_ref AND r.state = 'planned' AND r.message_id <> ALL (p_keep)
			AND (NOT p_skips OR r.skip_if_confirmed)
			AND m.practice_id = r.practice_id AND m.id = r.message_id AND NOT s.final
		RETURNING r.step, r.visit_at, r.message_id
	), waiting AS (
		SELECT m.practice_id, m.id FROM gone g JOIN smsbridge.message m ON m.practice_id = p_practice AND m.id = g.message_id
		WHERE m.due_at IS NOT NULL
		FOR UPDATE OF m SKIP LOCKED
	), canceled AS (
		UPDATE smsbridge.message m SET status = 'canceled', reason = p_reason, due_at = NULL, updated_at = p_at
		FROM waiting w WHERE m.practice_id = w.practice_id AND m.id = w.id
		RETURNING m.id
	), asked AS (
		INSERT INTO smsbridge.ask (practice_id, message_id, kind, carrier, reason, due_at)
		SELECT m.practice_id, m.id, 'cancel', m.carrier, p_reason, p_at
		FROM gone g JOIN smsbridge.message m ON m.practice_id = p_practice AND m.id = g.message_id
			JOIN smsbridge.carrier c ON c.name = m.carrier AND c.cancel
		WHERE m.status IN ('sent', 'uncertain', 'unconfirmed') AND m.carrier_message_id IS NOT NULL
		ON CONFLICT DO NOTHING
		RETURNING message_id
	), noted AS (
		INSERT INTO smsbridge.withdrawn (practice_id, message_id, reason, at)
		SELECT p_practice, message_id, p_reason, p_at FROM gone WHERE message_id NOT IN (SELECT id FROM canceled)
		ON CONFLICT DO NOTHING
	), told AS (
		INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason, data)
		SELECT p_practice, id, 'message.canceled', p_at, p_reason, NULL::jsonb FROM canceled
		UNION ALL
		SELECT p_practice, message_id, 'message.recalling', p_at, p_reason, NULL FROM asked
		UNION ALL
		SELECT p_practice, message_id, 'reminder.withdrawn', p_at, p_reason,
			jsonb_build_object('ref', p_ref, 'step', step, 'visit_at', visit_at) FROM gone
	)
	SELECT count(*) INTO n FROM gone;
	RETURN n;
END $$;

CREATE FUNCTION smsbridge.appointment_event(word text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE word WHEN 'created' THEN 'appointment.created' WHEN 'moved' THEN 'appointment.moved'
		WHEN 'changed' THEN 'appointment.changed' WHEN 'booked' THEN 'appointment.booked'
		WHEN 'confirmed' THEN 'appointment.confirmed' WHEN 'arrived' THEN 'appointment.arrived'
		WHEN 'completed' THEN 'appointment.completed' WHEN 'canceled' THEN 'appointment.canceled'
		WHEN 'no_show' THEN 'appointment.no_show' WHEN 'declined' THEN 'appointment.declined'
		WHEN 'reschedule_requested' THEN 'appointment.reschedule_requested' END
$$;

-- What an appointment's event says.
CREATE FUNCTION smsbridge.appointment_tell(a smsbridge.appointment, p_type text, p_more jsonb, p_at timestamptz)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO smsbridge.event (practice_id, type, at, patient, data)
	VALUES (a.practice_id, p_type, p_at, a.patient, jsonb_build_object('ref', a.ref, 'starts_at', a.starts_at,
		'location_zone', a.location_zone, 'kind', a.kind, 'status', a.status, 'version', a.version)
		|| jsonb_strip_nulls(coalesce(p_more, '{}')))
$$;

-- The patient's own answer, by a text (p_inbound) or told to staff (p_by): 'confirmed' confirms the visit and withdraws
-- the reminders that a confirmation makes needless, 'declined' withdraws all, 'reschedule_requested' is told to the
-- practice and withdraws nothing: a visit that was declined stays so. With either a visit is confirmed no more. Under
-- the recipient's lock. False, and nothing is done, when there is no such appointment, the visit began, it is over or
-- cancelled, or the answer is the same as the last. Index: appointment_pkey.
CREATE FUNCTION smsbridge.appointment_answer(p_practice uuid, p_ref text, p_answer text, p_by text, p_at timestamptz,
	p_inbound uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	a smsbridge.appointment;
BEGIN
	UPDATE smsbridge.appointment SET answer = p_answer, answered_at = p_at, version = version + 1, updated_at = p_at,
		status = CASE p_answer WHEN 'confirmed' THEN 'confirmed' ELSE 'booked' END,
		declined_at = CASE p_answer WHEN 'confirmed' THEN NULL WHEN 'declined' THEN p_at ELSE declined_at END
	WHERE practice_id = p_practice AND ref = p_ref AND starts_at > p_at AND status IN ('booked', 'confirmed')
		AND answer <> p_answer
	RETURNING * INTO a;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM smsbridge.appointment_tell(a, smsbridge.appointment_event(p_answer),
		jsonb_build_object('by', nullif(p_by, ''), 'inbound_id', p_inbound), p_at);
	IF p_answer = 'confirmed' THEN
		PERFORM smsbridge.reminder_withdraw(p_practice, p_ref, '{}', true, 'withdrawn_confirmed', p_at);
	ELSIF p_answer = 'declined' THEN
		PERFORM smsbridge.reminder_withdraw(p_practice, p_ref, '{}', false, 'withdrawn_declined', p_at);
	END IF;
	RETURN true;
END $$;

-- --- planning ---
CREATE FUNCTION smsbridge.micros(t timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$ SELECT (extract(epoch FROM t) * 1000000)::bigint $$;

-- Everything that reminders are planned by, read before and looked at again under the lock: the same text means that
-- nothing of it changed meanwhile. Times are microseconds. Messages to the patient and to the phone that count: sent
-- within 9 days, or waiting, without those of this visit that have not gone (64 of each kind; the caps see no more).
-- Indexes: appointment_pkey, plan_pkey, template_practice_id_name_language_version_key, message_phone, message_patient,
-- message_waiting, appointment_patient, reminder_pkey, reminder_message_id_key.
CREATE FUNCTION smsbridge.appointment_facts(p_practice uuid, p_ref text, p_phone text, p_patient text, p_kind text,
	p_language text, p_at timestamptz) RETURNS jsonb LANGUAGE sql STABLE AS $$
	WITH plan AS (
		SELECT * FROM smsbridge.plan WHERE practice_id = p_practice AND kind IN (p_kind, 'default')
		ORDER BY kind <> p_kind LIMIT 1
	), template AS (
		SELECT DISTINCT ON (s.value->>'template') s.value->>'template' AS name, t.id, t.version, t.language, t.category,
			t.body, t.variables
		FROM plan p CROSS JOIN LATERAL jsonb_array_elements(p.steps) AS s
			JOIN smsbridge.template t ON t.practice_id = p_practice AND t.name = s.value->>'template'
				AND t.language IN (p_language, 'en') AND t.status = 'approved'
		WHERE smsbridge.campaign_of(p_practice, t.category) IS NOT NULL
		ORDER BY s.value->>'template', t.language <> p_language, t.version DESC
	), own AS (
		SELECT r.step, r.visit_at, r.state, r.message_id, m.counted_at IS NOT NULL AS texted, m.status
		FROM smsbridge.reminder r LEFT JOIN smsbridge.message m ON m.practice_id = r.practice_id AND m.id = r.message_id
		WHERE r.practice_id = p_practice AND r.ref = p_ref
	), counted AS (
		SELECT ARRAY(SELECT smsbridge.micros(at) FROM (
				(SELECT m.counted_at AS at FROM smsbridge.message m WHERE m.practice_id = p_practice AND m.patient = p_patient
					AND m.counted_at > p_at - interval '9 days' ORDER BY m.counted_at DESC LIMIT 16)
				UNION ALL
				(SELECT c.at FROM smsbridge.contact c WHERE c.practice_id = p_practice AND c.patient = p_patient
					AND c.at > p_at - interval '9 days' ORDER BY c.at DESC LIMIT 16)
				UNION ALL
				(SELECT m.due_at FROM smsbridge.appointment a
					JOIN smsbridge.reminder r ON r.practice_id = a.practice_id AND r.ref = a.ref AND r.state = 'planned'
					JOIN smsbridge.message m ON m.practice_id = a.practice_id AND m.id = r.message_id AND m.due_at IS NOT NULL
						AND m.due_at < 'infinity'
					WHERE a.practice_id = p_practice AND a.patient = p_patient AND a.ref <> p_ref AND a.starts_at > p_at
					ORDER BY m.due_at LIMIT 32)) AS t ORDER BY at) AS patient,
			ARRAY(SELECT smsbridge.micros(at) FROM (
				(SELECT m.counted_at AS at FROM smsbridge.message m WHERE m.practice_id = p_practice AND m.phone = p_phone
					AND m.counted_at > p_at - interval '9 days' ORDER BY m.counted_at DESC LIMIT 16)
				UNION ALL
				(SELECT c.at FROM smsbridge.contact c WHERE c.practice_id = p_practice AND c.phone = p_phone
					AND c.at > p_at - interval '9 days' ORDER BY c.at DESC LIMIT 16)
				UNION ALL
				(SELECT m.due_at FROM smsbridge.message m JOIN smsbridge.category k ON k.code = m.category
					WHERE m.practice_id = p_practice AND m.phone = p_phone AND m.due_at IS NOT NULL AND m.due_at < 'infinity'
						AND k.flags ~ '\m(ORDINARY|CATEGORY_COUNTED)\M'
						AND m.id NOT IN (SELECT message_id FROM own WHERE message_id IS NOT NULL)
					ORDER BY m.due_at LIMIT 32)) AS t ORDER BY at) AS phone
	)
	SELECT jsonb_build_object(
		'appointment', (SELECT to_jsonb(a) FROM smsbridge.appointment a WHERE a.practice_id = p_practice AND a.ref = p_ref),
		'starts_us', (SELECT smsbridge.micros(starts_at) FROM smsbridge.appointment a
			WHERE a.practice_id = p_practice AND a.ref = p_ref),
		'plan', (SELECT to_jsonb(p) FROM plan p),
		'templates', coalesce((SELECT jsonb_object_agg(name, to_jsonb(t) - 'name') FROM template t), '{}'),
		'stamp', md5(coalesce((SELECT p.kind || p.steps::text FROM plan p), '') || coalesce((SELECT
			string_agg(t.id::text, '' ORDER BY t.name) FROM template t), '')),
		'own', coalesce((SELECT jsonb_agg(to_jsonb(o) ORDER BY o.visit_at, o.step) FROM own o), '[]'),
		'patient', to_jsonb(c.patient), 'phone', to_jsonb(c.phone),
		'household', coalesce((SELECT rc.household FROM smsbridge.recipient rc
			WHERE rc.practice_id = p_practice AND rc.phone = p_phone), false),
		'open_minute', p.open_minute, 'close_minute', p.close_minute,
		'packs', coalesce((SELECT jsonb_object_agg(k.code, smsbridge.pack_on(k.code, p_at))
			FROM smsbridge.rule_pack k), '{}'))
	FROM smsbridge.practice p CROSS JOIN counted c WHERE p.id = p_practice
$$;

-- Stores one message for a reminder, as accept.sql does for a request.
CREATE FUNCTION smsbridge.reminder_message(a smsbridge.appointment, m jsonb, p_step text, p_due timestamptz,
	p_key text, p_at timestamptz) RETURNS uuid LANGUAGE sql AS $$
	WITH stored AS (
		INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, time_zone, zones, body, encoding, characters,
			segments, category, priority, send_at, expires_at, reference, status, due_at, created_at, updated_at, states, phi,
			body_sha256, template_id, trace)
		SELECT a.practice_id, (m->>'id')::uuid, a.patient, a.phone, p.sender, a.time_zone, a.zones, m->>'body',
			m->>'encoding', (m->>'characters')::int, (m->>'segments')::int, m->>'category', 1, p_due, a.starts_at, a.reference,
			'scheduled', p_due, p_at, p_at, a.states, false, sha256(convert_to(m->>'body', 'UTF8')),
			(m->>'template_id')::uuid, m->>'trace'
		FROM smsbridge.practice p WHERE p.id = a.practice_id
		RETURNING *
	), referred AS (
		INSERT INTO smsbridge.message_reference (practice_id, reference, message_id)
		SELECT practice_id, reference, id FROM stored WHERE reference IS NOT NULL
	), made_with AS (
		INSERT INTO smsbridge.message_template (practice_id, template_id, message_id)
		SELECT practice_id, template_id, id FROM stored WHERE template_id IS NOT NULL
	), told AS (
		INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data)
		SELECT practice_id, id, 'message.accepted', p_at, phone, patient, jsonb_build_object('time_zone', time_zone,
			'zones', zones, 'category', category, 'characters', characters, 'segments', segments, 'encoding', encoding,
			'expires_at', expires_at, 'states', states, 'phi', phi, 'body_sha256', encode(body_sha256, 'hex'),
			'key', p_key, 'template_id', template_id, 'template_version', (m->>'template_version')::int) FROM stored
		UNION ALL
		SELECT practice_id, id, 'reminder.planned', p_at, NULL, patient, jsonb_build_object('ref', a.ref, 'step', p_step,
			'visit_at', a.starts_at, 'due_at', p_due) FROM stored
	)
	SELECT id FROM stored
$$;

-- Whether reminders of the visit are gone for a reason that is none any more, so that the same PUT makes them anew: a
-- phone's change withdrew what was for the old one; the patient opted out and in again, or declined and then
-- confirmed. Indexes: reminder_pkey, message_pkey, opt_out_active.
CREATE FUNCTION smsbridge.appointment_lacks(a smsbridge.appointment, p_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM smsbridge.reminder r
			LEFT JOIN smsbridge.message m ON m.practice_id = r.practice_id AND m.id = r.message_id
		WHERE r.practice_id = a.practice_id AND r.ref = a.ref AND r.visit_at = a.starts_at
			AND ((r.state = 'withdrawn' AND r.reason = 'canceled_by_phone_change')
				OR (r.due_at > p_at AND a.status IN ('booked', 'confirmed') AND a.declined_at IS NULL
					AND ((r.state = 'withdrawn' AND r.reason = 'withdrawn_declined')
						OR (r.state = 'planned' AND m.reason = 'canceled_by_opt_out' AND NOT EXISTS (
							SELECT FROM smsbridge.opt_out o WHERE o.phone = a.phone AND o.lifted_at IS NULL
								AND o.practice_id IN (a.practice_id, '00000000-0000-0000-0000-000000000000')))))))
$$;

-- Makes, moves or changes an appointment and its reminders. p: its columns; p_reminders: for each step of the plan
-- {"step", "due_at", "skip", "reason" or "message", or neither when it was texted}; p_seen: md5 of what
-- appointment_facts told at p_at; p_why: the reason for what is withdrawn. Under the locks of the old and the new
-- recipient. Says 'stale' (nothing was done: read again), 'same', 'created', 'moved' or 'changed'. A reminder that was
-- texted for this time of the visit is never made again.
CREATE FUNCTION smsbridge.appointment_put(p_practice uuid, p_seen text, p jsonb, p_reminders jsonb, p_why text,
	p_key text, p_at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	old smsbridge.appointment;
	a smsbridge.appointment;
	did text;
	item jsonb;
	had smsbridge.reminder;
	was smsbridge.message;
	keep uuid[] := '{}';
	made uuid;
	due timestamptz;
BEGIN
	SELECT * INTO old FROM smsbridge.appointment WHERE practice_id = p_practice AND ref = p->>'ref' FOR UPDATE;
	IF md5(smsbridge.appointment_facts(p_practice, p->>'ref', p->>'phone', p->>'patient', p->>'kind', p->>'language',
			p_at)::text) <> p_seen THEN
		RETURN 'stale';
	END IF;
	a := jsonb_populate_record(old, p);
	a.practice_id := p_practice;
	IF old.ref IS NOT NULL AND a IS NOT DISTINCT FROM old AND NOT smsbridge.appointment_lacks(a, p_at) THEN
		RETURN 'same';
	END IF;
	did := CASE WHEN old.ref IS NULL THEN 'created' WHEN a.starts_at <> old.starts_at THEN 'moved' ELSE 'changed' END;
	a.version := coalesce(old.version, 0) + 1;
	a.created_at := coalesce(old.created_at, p_at);
	a.updated_at := p_at;
	IF did <> 'changed' OR (a.status = 'booked' AND old.status <> 'booked') THEN
		a.answer := '';
		a.answered_at := NULL;
	END IF;
	IF a.answer = '' THEN
		a.declined_at := NULL;
	END IF;
	IF old.ref IS NULL THEN
		INSERT INTO smsbridge.appointment SELECT a.* ON CONFLICT DO NOTHING;
		IF NOT FOUND THEN -- another request made it meanwhile, for another phone
			RETURN 'stale';
		END IF;
	ELSE
		UPDATE smsbridge.appointment SET (patient, phone, starts_at, location_zone, time_zone, zip, state, zones, states,
			kind, status, language, variables, reference, answer, answered_at, declined_at, plan_kind, plan_version, plan_stamp,
			version, updated_at) = (SELECT a.patient, a.phone, a.starts_at, a.location_zone, a.time_zone, a.zip, a.state,
			a.zones, a.states, a.kind, a.status, a.language, a.variables, a.reference, a.answer, a.answered_at, a.declined_at,
			a.plan_kind, a.plan_version, a.plan_stamp, a.version, a.updated_at)
		WHERE practice_id = p_practice AND ref = a.ref;
	END IF;
	PERFORM smsbridge.appointment_tell(a, smsbridge.appointment_event(did), jsonb_build_object('key', p_key, 'was',
		CASE did WHEN 'moved' THEN old.starts_at END), p_at)
		WHERE did <> 'changed' OR to_jsonb(a) - '{status,version,updated_at,answer,answered_at,declined_at}'::text[]
			<> to_jsonb(old) - '{status,version,updated_at,answer,answered_at,declined_at}'::text[];
	PERFORM smsbridge.appointment_tell(a, smsbridge.appointment_event(a.status), jsonb_build_object('key', p_key), p_at)
		WHERE a.status <> coalesce(old.status, 'booked')
			OR (did = 'changed' AND old.declined_at IS NOT NULL AND a.declined_at IS NULL);

	-- What stays: texted already for a visit that stands, or waiting with the same words for the same instant.
	IF a.status IN ('booked', 'confirmed') THEN
		SELECT coalesce(array_agg(m.id), '{}') INTO keep FROM smsbridge.reminder r
			JOIN smsbridge.message m ON m.practice_id = r.practice_id AND m.id = r.message_id
		WHERE r.practice_id = p_practice AND r.ref = a.ref AND r.visit_at = a.starts_at AND m.counted_at IS NOT NULL;
	END IF;
	FOR item IN SELECT * FROM jsonb_array_elements(p_reminders) LOOP
		SELECT r.* INTO had FROM smsbridge.reminder r WHERE r.practice_id = p_practice AND r.ref = a.ref
			AND r.step = item->>'step' AND r.visit_at = a.starts_at;
		SELECT m.* INTO was FROM smsbridge.message m WHERE m.practice_id = p_practice AND m.id = had.message_id;
		IF (item ? 'message' AND had.state = 'planned' AND was.due_at IS NOT NULL
				AND was.send_at = (item->>'due_at')::timestamptz AND was.phone = a.phone AND was.patient = a.patient
				AND was.zones = a.zones AND was.states = a.states AND was.reference IS NOT DISTINCT FROM a.reference
				AND was.body = item->'message'->>'body' AND was.category = item->'message'->>'category') THEN
			keep := keep || was.id;
		END IF;
	END LOOP;
	IF a.status = 'confirmed' AND old.status <> 'confirmed' AND did = 'changed' THEN
		PERFORM smsbridge.reminder_withdraw(p_practice, a.ref, keep, true, 'withdrawn_confirmed', p_at);
	END IF;
	PERFORM smsbridge.reminder_withdraw(p_practice, a.ref, keep, false, p_why, p_at);
	FOR item IN SELECT * FROM jsonb_array_elements(p_reminders) LOOP
		SELECT r.* INTO had FROM smsbridge.reminder r WHERE r.practice_id = p_practice AND r.ref = a.ref
			AND r.step = item->>'step' AND r.visit_at = a.starts_at;
		due := (item->>'due_at')::timestamptz;
		IF had.message_id = ANY (keep) THEN
			IF had.state <> 'planned' THEN -- the visit is back where it was, and the patient has the text
				DELETE FROM smsbridge.withdrawn w WHERE w.practice_id = p_practice AND w.message_id = had.message_id;
				DELETE FROM smsbridge.ask k WHERE k.practice_id = p_practice AND k.message_id = had.message_id
					AND k.kind = 'cancel';
				UPDATE smsbridge.reminder SET state = 'planned', reason = NULL, due_at = coalesce(due_at, due), updated_at = p_at
				WHERE practice_id = p_practice AND ref = a.ref AND step = had.step AND visit_at = had.visit_at;
				INSERT INTO smsbridge.event (practice_id, message_id, type, at, patient, data)
				VALUES (p_practice, had.message_id, 'reminder.planned', p_at, a.patient, jsonb_build_object('ref', a.ref,
					'step', had.step, 'visit_at', had.visit_at, 'due_at', had.due_at));
			END IF;
		ELSIF item ? 'message' THEN
			made := smsbridge.reminder_message(a, item->'message', item->>'step', due, p_key, p_at);
			INSERT INTO smsbridge.reminder AS r (practice_id, ref, step, visit_at, message_id, state, due_at,
				skip_if_confirmed, made_at, updated_at)
			VALUES (p_practice, a.ref, item->>'step', a.starts_at, made, 'planned', due, (item->>'skip')::boolean, p_at, p_at)
			ON CONFLICT (practice_id, ref, step, visit_at) DO UPDATE SET message_id = made, state = 'planned', reason = NULL,
				due_at = excluded.due_at, skip_if_confirmed = excluded.skip_if_confirmed, updated_at = p_at;
		ELSIF item ? 'reason' AND (had.ref IS NULL OR (had.state = 'dropped' AND had.reason <> item->>'reason')
				OR (had.state = 'withdrawn' AND had.reason <> 'withdrawn_confirmed') OR (had.state = 'planned' AND EXISTS (
					SELECT FROM smsbridge.message m WHERE m.practice_id = p_practice AND m.id = had.message_id
						AND m.reason = 'canceled_by_opt_out'))) THEN
			INSERT INTO smsbridge.reminder AS r (practice_id, ref, step, visit_at, state, reason, due_at, made_at, updated_at)
			VALUES (p_practice, a.ref, item->>'step', a.starts_at, 'dropped', item->>'reason', due, p_at, p_at)
			ON CONFLICT (practice_id, ref, step, visit_at) DO UPDATE SET state = 'dropped', reason = excluded.reason,
				due_at = excluded.due_at, updated_at = p_at;
			INSERT INTO smsbridge.event (practice_id, type, at, patient, reason, data)
			VALUES (p_practice, 'reminder.dropped', p_at, a.patient, item->>'reason', jsonb_strip_nulls(jsonb_build_object(
				'ref', a.ref, 'step', item->>'step', 'visit_at', a.starts_at, 'due_at', due, 'fault', item->>'fault',
				'variable', item->>'variable')));
		END IF;
	END LOOP;
	RETURN did;
END $$;

-- Saves a plan, unless it is the same. p_only: the versions that may be written over (0: none yet, -1: any), NULL: all.
-- One row: the version; or rows that say which step's template is wrong (NULL: the plan) and how.
CREATE FUNCTION smsbridge.plan_put(p_practice uuid, p_kind text, p_steps jsonb, p_by text, p_only bigint[],
	p_at timestamptz) RETURNS TABLE (step integer, problem text, version integer) LANGUAGE plpgsql AS $$
DECLARE
	old smsbridge.plan;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(p_practice || p_kind, 19));
	RETURN QUERY SELECT (s.ord - 1)::integer, CASE WHEN t.known IS NULL THEN 'template_unknown'
			WHEN NOT t.approved THEN 'template_not_approved' WHEN NOT t.alike THEN 'category_not_of_template'
			ELSE 'campaign_ended' END, NULL::integer
		FROM jsonb_array_elements(p_steps) WITH ORDINALITY AS s(value, ord) CROSS JOIN LATERAL (
			SELECT bool_or(true) AS known, bool_or(e.status = 'approved') AS approved,
				bool_and(e.category = s.value->>'category') FILTER (WHERE e.status = 'approved') AS alike,
				bool_and(smsbridge.campaign_of(p_practice, e.category) IS NOT NULL) FILTER (WHERE e.status = 'approved') AS runs
			FROM smsbridge.template e WHERE e.practice_id = p_practice AND e.name = s.value->>'template') AS t
		WHERE (t.known AND t.approved AND t.alike AND t.runs) IS NOT TRUE;
	IF FOUND THEN
		RETURN;
	END IF;
	SELECT * INTO old FROM smsbridge.plan p WHERE p.practice_id = p_practice AND p.kind = p_kind;
	IF NOT (p_only IS NULL OR coalesce(old.version, 0) = ANY (p_only) OR (old.version > 0 AND -1 = ANY (p_only))) THEN
		RETURN QUERY SELECT NULL::integer, 'precondition_failed', NULL::integer;
	ELSIF old.steps = p_steps THEN
		RETURN QUERY SELECT NULL::integer, NULL::text, old.version;
	ELSE
		INSERT INTO smsbridge.plan AS p (practice_id, kind, version, steps, saved_by, saved_at)
		VALUES (p_practice, p_kind, coalesce(old.version, 0) + 1, p_steps, p_by, p_at)
		ON CONFLICT (practice_id, kind) DO UPDATE SET version = excluded.version, steps = excluded.steps,
			saved_by = excluded.saved_by, saved_at = excluded.saved_at;
		INSERT INTO smsbridge.event (practice_id, type, at, data)
		VALUES (p_practice, 'plan.saved', p_at, jsonb_build_object('kind', p_kind, 'version', coalesce(old.version, 0) + 1,
			'steps', jsonb_array_length(p_steps), 'key', p_by));
		RETURN QUERY SELECT NULL::integer, NULL::text, coalesce(old.version, 0) + 1;
	END IF;
END $$;

-- An appointment as the API shows it.
CREATE FUNCTION smsbridge.appointment_json(a smsbridge.appointment, p_phone boolean, p_text boolean) RETURNS jsonb
LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('ref', a.ref, 'patient', a.patient, 'phone', smsbridge.phone_shown(a.phone, p_phone),
		'starts_at', a.starts_at, 'location_zone', a.location_zone, 'time_zone', a.time_zone, 'zip', a.zip,
		'state', a.state, 'kind', a.kind, 'status', a.status, 'language', a.language,
		'variables', CASE WHEN p_text THEN a.variables END, 'reference', a.reference,
		'answer', nullif(a.answer, ''), 'answered_at', a.answered_at,
		'plan', CASE WHEN a.plan_kind IS NOT NULL
			THEN jsonb_build_object('kind', a.plan_kind, 'version', a.plan_version) END,
		'version', a.version, 'created_at', a.created_at, 'updated_at', a.updated_at,
		'reminders', coalesce((SELECT jsonb_agg(jsonb_build_object('step', r.step, 'visit_at', r.visit_at, 'state', r.state,
				'due_at', r.due_at, 'message_id', r.message_id, 'status', m.status,
				'reason', CASE WHEN c.code IS NOT NULL THEN jsonb_build_object('code', c.code, 'sentence', c.sentence,
					'citation', c.citation) END) ORDER BY r.visit_at DESC, r.due_at, r.step)
			FROM (SELECT * FROM smsbridge.reminder r WHERE r.practice_id = a.practice_id AND r.ref = a.ref
				ORDER BY r.visit_at = a.starts_at DESC, r.updated_at DESC LIMIT 64) AS r
				LEFT JOIN smsbridge.message m ON m.practice_id = r.practice_id AND m.id = r.message_id
				LEFT JOIN smsbridge.reason c ON c.code = coalesce(r.reason, m.reason)), '[]'))
$$;

-- --- right of access ---
-- All that is kept of a patient, as patient_export, with the visits.
CREATE FUNCTION smsbridge.patient_export_all(practice uuid, of_patient text, of_phone text, at timestamptz)
RETURNS jsonb LANGUAGE sql STABLE AS $$
	WITH visits AS (
		SELECT jsonb_agg(smsbridge.appointment_json(a, true, true) ORDER BY a.starts_at, a.ref) AS list
		FROM smsbridge.appointment a WHERE a.practice_id = practice AND (a.patient = of_patient OR a.phone = of_phone)
	), texts AS (
		SELECT smsbridge.patient_export(practice, of_patient, of_phone, at) AS known
	)
	SELECT coalesce(t.known, jsonb_build_object('practice', (SELECT jsonb_build_object('id', p.id, 'name',
				coalesce(p.legal_name, p.name), 'phone', p.phone) FROM smsbridge.practice p WHERE p.id = practice),
			'asked', jsonb_strip_nulls(jsonb_build_object('patient', of_patient, 'phone', of_phone, 'as_of', at))))
		|| jsonb_build_object('appointments', v.list)
	FROM texts t CROSS JOIN visits v WHERE t.known IS NOT NULL OR v.list IS NOT NULL
$$;

-- --- the second witness ---
-- Reminders as their events tell: which message is for which step and time of which visit. The first event that names a
-- message counts.
CREATE VIEW smsbridge.audit_reminder AS
SELECT DISTINCT ON (practice_id, message_id) practice_id, message_id, data->>'ref' AS ref, data->>'step' AS step,
	(data->>'visit_at')::timestamptz AS visit_at
FROM smsbridge.event WHERE type = 'reminder.planned'
ORDER BY practice_id, message_id, xact, id;

-- What a visit's reminders broke, one row for each send and fault: sent after the visit began; after it was cancelled,
-- declined or over; for a time that the visit no longer had; after it was withdrawn; a step twice for one time.
CREATE VIEW smsbridge.audit_reminder_broken AS
WITH told AS MATERIALIZED (
	SELECT practice_id, message_id, CASE -- what moved although it was over is over still
			WHEN type = 'appointment.moved' AND data->>'status' IN ('arrived', 'completed', 'canceled', 'no_show')
			THEN 'appointment.' || (data->>'status') ELSE type END AS type,
		recorded_at, xact, id, data->>'ref' AS ref, (data->>'starts_at')::timestamptz AS starts_at
	FROM smsbridge.event WHERE type LIKE 'appointment.%' OR type IN ('reminder.planned', 'reminder.withdrawn')
), send AS MATERIALIZED (
	SELECT s.practice_id, s.message_id, s.number, s.at, s.recorded_at, s.xact, s.id, r.ref, r.step, r.visit_at
	FROM smsbridge.audit_reminder r JOIN smsbridge.audit_send s ON s.practice_id = r.practice_id
		AND s.message_id = r.message_id
), state AS (
	SELECT s.practice_id, s.message_id, s.at, s.visit_at, v.type, v.starts_at, w.type AS withdrawn, w.recorded_at
	FROM send s
		LEFT JOIN LATERAL (SELECT t.type, t.starts_at FROM told t WHERE t.practice_id = s.practice_id AND t.ref = s.ref
			AND t.type LIKE 'appointment.%' AND t.type NOT IN ('appointment.changed', 'appointment.reschedule_requested')
			AND (t.recorded_at, t.xact, t.id) < (s.recorded_at, s.xact, s.id)
			ORDER BY t.recorded_at DESC, t.xact DESC, t.id DESC LIMIT 1) AS v ON true
		LEFT JOIN LATERAL (SELECT t.type, t.recorded_at FROM told t WHERE t.practice_id = s.practice_id
			AND t.message_id = s.message_id AND (t.recorded_at, t.xact, t.id) < (s.recorded_at, s.xact, s.id)
			ORDER BY t.recorded_at DESC, t.xact DESC, t.id DESC LIMIT 1) AS w ON w.type = 'reminder.withdrawn'
), again AS (
	SELECT *, row_number() OVER (PARTITION BY practice_id, ref, step, visit_at ORDER BY at, xact, id) AS nth
	FROM send WHERE number = 1
)
SELECT practice_id, message_id, at, format('A reminder was sent %s after the visit began.', at - visit_at) AS detail
FROM send WHERE at >= visit_at
UNION ALL
SELECT practice_id, message_id, at, CASE
		WHEN type NOT IN ('appointment.created', 'appointment.moved', 'appointment.booked', 'appointment.confirmed')
			THEN format('A reminder was sent for a visit of which the last word was %s.', type)
		WHEN starts_at <> visit_at THEN 'A reminder was sent for a time that the visit no longer had.'
		ELSE 'A reminder was sent after it was withdrawn.' END
FROM state WHERE withdrawn IS NOT NULL OR starts_at <> visit_at
	OR type NOT IN ('appointment.created', 'appointment.moved', 'appointment.booked', 'appointment.confirmed')
UNION ALL
SELECT practice_id, message_id, at, format('Text number %s for one reminder (%s) of one visit.', nth, step)
FROM again WHERE nth > 1;

-- They join what every other rule finds.
DO $$
BEGIN
	EXECUTE 'CREATE OR REPLACE VIEW report.violations WITH (security_barrier) AS '
		|| rtrim(pg_get_viewdef('report.violations'::regclass), '; ')
		|| ' UNION ALL SELECT ''appointment''::text, practice_id, message_id, at, detail, ''compliance policy''::text'
		|| ' FROM smsbridge.audit_reminder_broken';
END $$;

GRANT SELECT ON smsbridge.audit_reminder, smsbridge.audit_reminder_broken TO smsbridge_app;
DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'smsbridge'
			AND p.proname IN ('reminder_withdraw', 'appointment_event', 'appointment_tell', 'appointment_answer', 'micros',
				'appointment_facts',
				'reminder_message', 'appointment_lacks', 'appointment_put', 'plan_put', 'appointment_json',
				'patient_export_all') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO smsbridge_app', f);
	END LOOP;
END $$;
