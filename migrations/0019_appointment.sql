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
-- practice and changes nothing. Under the recipient's lock. False, and nothing is done, when there is no such
-- appointment, the visit began, it is over or cancelled, or the answer is the same as the last. Index: appointment_pkey.
CREATE FUNCTION smsbridge.appointment_answer(p_practice uuid, p_ref text, p_answer text, p_by text, p_at timestamptz,
	p_inbound uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	a smsbridge.appointment;
BEGIN
	UPDATE smsbridge.appointment SET answer = p_answer, answered_at = p_at, version = version + 1, updated_at = p_at,
		status = CASE p_answer WHEN 'confirmed' THEN 'confirmed' ELSE status END
	WHERE practice_id = p_practice AND ref = p_ref AND starts_at > p_at AND status IN ('booked', 'confirmed')
		AND answer <> p_answer
	RETURNING * INTO a;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM smsbridge.appointment_tell(a, 'appointment.' || p_answer,
		jsonb_build_object('by', nullif(p_by, ''), 'inbound_id', p_inbound), p_at);
	IF p_answer = 'confirmed' THEN
		PERFORM smsbridge.reminder_withdraw(p_practice, p_ref, '{}', true, 'withdrawn_confirmed', p_at);
	ELSIF p_answer = 'declined' THEN
		PERFORM smsbridge.reminder_withdraw(p_practice, p_ref, '{}', false, 'withdrawn_declined', p_at);
	END IF;
	RETURN true;
END $$;
