-- Reminders of visits: the second witness over seeded faults, answers, and who may write what.
CREATE FUNCTION t.visit(what text, ref text, at timestamptz, starts timestamptz DEFAULT '2026-03-12T18:30Z')
RETURNS void LANGUAGE sql AS $$
	INSERT INTO smsbridge.event (practice_id, type, at, patient, data)
	VALUES (t.practice(1), what, at, 'p', jsonb_build_object('ref', ref, 'starts_at', starts))
$$;
-- What was said of a message's reminder; the record goes in the order of the calls.
CREATE FUNCTION t.reminder(label text, ref text, step text, at timestamptz, what text DEFAULT 'reminder.planned',
	visit timestamptz DEFAULT '2026-03-12T18:30Z') RETURNS void LANGUAGE sql AS $$
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, data)
	VALUES (t.practice(1), t.id(label), what, at, jsonb_build_object('ref', reminder.ref, 'step', step, 'visit_at', visit))
$$;

-- covers: rule appointment
BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.accept('first', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('first', 'a', 'three_days', '2026-03-01T15:00Z');
SELECT t.send('first', '2026-03-09T15:00Z');
SELECT t.accept('second', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('second', 'a', 'day_before', '2026-03-01T15:00Z');
SELECT t.visit('appointment.changed', 'a', '2026-03-02T15:00Z');
SELECT t.visit('appointment.confirmed', 'a', '2026-03-02T15:00Z');
SELECT t.visit('appointment.reschedule_requested', 'a', '2026-03-02T15:00Z');
SELECT t.send('second', '2026-03-11T15:00Z');
SELECT t.visit('appointment.canceled', 'a', '2026-03-11T16:00Z');
SELECT t.reminder('second', 'a', 'day_before', '2026-03-11T16:00Z', 'reminder.withdrawn');
SELECT t.finds('', 'reminders that went before anything was said against them');
ROLLBACK;

BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.accept('late', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('late', 'a', 'two_hours', '2026-03-01T15:00Z');
SELECT t.send('late', '2026-03-12T18:30Z');
SELECT t.finds('appointment late', 'sent when the visit began');
SELECT t.says('appointment', 'A reminder was sent 00:00:00 after the visit began.', 'it says how late');
ROLLBACK;
BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.accept('early', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('early', 'a', 'two_hours', '2026-03-01T15:00Z');
SELECT t.send('early', '2026-03-12T18:29:59.999999Z');
SELECT t.finds('', 'a microsecond before it began');
ROLLBACK;

-- After each word that ends a visit; not after those that let it stand again.
SELECT t.is(string_agg(what, ' ' ORDER BY what), 'appointment.arrived appointment.canceled appointment.completed '
	'appointment.declined appointment.no_show', 'every word that ends a visit')
FROM (SELECT code AS what FROM smsbridge.event_type WHERE code LIKE 'appointment.%') AS w
WHERE what NOT IN ('appointment.created', 'appointment.moved', 'appointment.changed', 'appointment.booked',
	'appointment.confirmed', 'appointment.reschedule_requested');
BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.accept('gone', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('gone', 'a', 'three_days', '2026-03-01T15:00Z');
SELECT t.visit('appointment.canceled', 'a', '2026-03-02T15:00Z');
SELECT t.send('gone', '2026-03-09T15:00Z');
SELECT t.finds('appointment gone', 'sent after the visit was cancelled');
SELECT t.says('appointment', '%of which the last word was appointment.canceled.', 'it says which word');
ROLLBACK;
BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.accept('gone', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('gone', 'a', 'three_days', '2026-03-01T15:00Z');
SELECT t.visit('appointment.declined', 'a', '2026-03-02T15:00Z');
SELECT t.visit('appointment.booked', 'a', '2026-03-02T16:00Z');
SELECT t.send('gone', '2026-03-09T15:00Z');
SELECT t.finds('', 'a visit that stands again');
ROLLBACK;
BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.visit('appointment.canceled', 'b', '2026-03-01T15:00Z');
SELECT t.accept('mine', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('mine', 'a', 'three_days', '2026-03-01T15:00Z');
SELECT t.send('mine', '2026-03-09T15:00Z');
SELECT t.finds('', 'another visit was cancelled');
ROLLBACK;

BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.accept('old', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('old', 'a', 'three_days', '2026-03-01T15:00Z');
SELECT t.visit('appointment.moved', 'a', '2026-03-02T15:00Z', '2026-03-20T18:30Z');
SELECT t.send('old', '2026-03-09T15:00Z');
SELECT t.finds('appointment old', 'sent for a time that the visit no longer had');
SELECT t.visit('appointment.moved', 'a', '2026-03-09T16:00Z');
SELECT t.finds('appointment old', 'moving back later does not mend it');
ROLLBACK;

-- A cancelled visit that moves is told as moved and is cancelled still.
BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.visit('appointment.canceled', 'a', '2026-03-01T16:00Z');
INSERT INTO smsbridge.event (practice_id, type, at, patient, data)
VALUES (t.practice(1), 'appointment.moved', '2026-03-02T15:00Z', 'p',
	'{"ref": "a", "starts_at": "2026-03-20T18:30:00Z", "status": "canceled"}');
SELECT t.accept('moved', '+12025550101', '2026-03-02T15:00Z');
SELECT t.reminder('moved', 'a', 'three_days', '2026-03-02T15:00Z', visit => '2026-03-20T18:30Z');
SELECT t.send('moved', '2026-03-17T15:00Z');
SELECT t.finds('appointment moved', 'sent for a visit that was cancelled before it moved');
SELECT t.visit('appointment.booked', 'a', '2026-03-17T16:00Z', '2026-03-20T18:30Z');
SELECT t.accept('stands', '+12025550101', '2026-03-17T16:00Z');
SELECT t.reminder('stands', 'a', 'day_before', '2026-03-17T16:00Z', visit => '2026-03-20T18:30Z');
SELECT t.send('stands', '2026-03-19T15:00Z');
SELECT t.finds('appointment moved', 'and not once it stands again');
ROLLBACK;

BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.accept('needless', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('needless', 'a', 'three_days', '2026-03-01T15:00Z');
SELECT t.visit('appointment.confirmed', 'a', '2026-03-02T15:00Z');
SELECT t.reminder('needless', 'a', 'three_days', '2026-03-02T15:00Z', 'reminder.withdrawn');
SELECT t.send('needless', '2026-03-09T15:00Z');
SELECT t.finds('appointment needless', 'sent after it was withdrawn');
ROLLBACK;
BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.accept('back', '+12025550101', '2026-03-01T15:00Z');
SELECT t.reminder('back', 'a', 'three_days', '2026-03-01T15:00Z');
SELECT t.reminder('back', 'a', 'three_days', '2026-03-02T15:00Z', 'reminder.withdrawn');
SELECT t.reminder('back', 'a', 'three_days', '2026-03-02T16:00Z');
SELECT t.send('back', '2026-03-09T15:00Z');
SELECT t.finds('', 'withdrawn and planned again');
ROLLBACK;

BEGIN;
SELECT t.visit('appointment.created', 'a', '2026-03-01T15:00Z');
SELECT t.accept('one', '+12025550101', '2026-03-01T15:00Z');
SELECT t.accept('two', '+12025550101', '2026-03-01T15:00Z');
SELECT t.accept('other', '+12025550102', '2026-03-01T15:00Z');
SELECT t.reminder('one', 'a', 'three_days', '2026-03-01T15:00Z');
SELECT t.reminder('two', 'a', 'three_days', '2026-03-01T15:00Z');
SELECT t.reminder('other', 'b', 'three_days', '2026-03-01T15:00Z');
SELECT t.send('one', '2026-03-09T15:00Z');
SELECT t.send('other', '2026-03-09T15:00Z');
SELECT t.finds('', 'one text for each reminder');
SELECT t.send('two', '2026-03-10T15:00Z');
SELECT t.finds('appointment two', 'a second text for the same reminder');
SELECT t.says('appointment', 'Text number 2 for one reminder (three_days) of one visit.', 'it says which');
ROLLBACK;

-- The constraint: the same appointment, step and time never twice, a message for one reminder only.
BEGIN;
INSERT INTO smsbridge.appointment (practice_id, ref, patient, phone, starts_at, location_zone, zones, kind, created_at,
	updated_at)
VALUES (t.practice(1), 'a', 'p', '+12025550101', '2026-03-12T18:30Z', 'America/New_York', 'America/New_York', 'k',
	'2026-03-01T15:00Z', '2026-03-01T15:00Z');
SELECT t.accept('one', '+12025550101', '2026-03-01T15:00Z', 'p'), t.accept('two', '+12025550101', '2026-03-01T15:00Z', 'p');
INSERT INTO smsbridge.reminder (practice_id, ref, step, visit_at, message_id, state, due_at, skip_if_confirmed, made_at,
	updated_at)
SELECT t.practice(1), 'a', v.step, '2026-03-12T18:30Z', t.id(v.label), 'planned', '2026-03-11T15:00Z', v.skip,
	'2026-03-01T15:00Z', '2026-03-01T15:00Z'
FROM (VALUES ('day_before', 'one', true), ('two_hours', 'two', false)) AS v(step, label, skip);
SELECT t.refused('smsbridge_app', format('INSERT INTO smsbridge.reminder (practice_id, ref, step, visit_at, state, reason,
	made_at, updated_at) VALUES (%L, ''a'', ''day_before'', ''2026-03-12T18:30Z'', ''dropped'', ''dropped_late'', now(), now())',
	t.practice(1)), '23505%');
SELECT t.refused('smsbridge_app', format('INSERT INTO smsbridge.reminder (practice_id, ref, step, visit_at, message_id, state,
	due_at, made_at, updated_at) VALUES (%L, ''a'', ''other'', ''2026-03-12T18:30Z'', %L, ''planned'', now(), now(), now())',
	t.practice(1), t.id('one')), '23505%');
SELECT t.refused('smsbridge_app', s, '42501%') FROM unnest(ARRAY['DELETE FROM smsbridge.appointment',
	'DELETE FROM smsbridge.reminder', 'UPDATE smsbridge.withdrawn SET reason = ''x''']) AS s;

-- The patient's answer, and what each withdraws.
CREATE FUNCTION t.answer(word text, at timestamptz DEFAULT '2026-03-02T15:00Z') RETURNS text LANGUAGE sql AS $$
	SELECT smsbridge.appointment_answer(t.practice(1), 'a', word, '', answer.at, gen_random_uuid())::text
$$;
CREATE FUNCTION t.stand() RETURNS text LANGUAGE sql AS $$
	SELECT (SELECT status || '/' || answer FROM smsbridge.appointment WHERE ref = 'a') || ' ' || string_agg(r.state || ':'
		|| m.status, ' ' ORDER BY r.step) FROM smsbridge.reminder r JOIN smsbridge.message m ON m.id = r.message_id
$$;
SELECT t.is(t.stand(), 'booked/ planned:queued planned:queued', 'as it was booked');
SELECT t.is(t.answer('confirmed', '2026-03-12T18:30Z'), 'false', 'no answer counts once the visit began');
SELECT t.is(t.answer('confirmed'), 'true', 'confirmed');
SELECT t.is(t.stand(), 'confirmed/confirmed withdrawn:canceled planned:queued', 'what a confirmation makes needless goes');
SELECT t.is(t.answer('confirmed'), 'false', 'the same again does nothing');
SELECT t.is(t.answer('reschedule_requested'), 'true', 'another time is asked for');
SELECT t.is(t.stand(), 'booked/reschedule_requested withdrawn:canceled planned:queued', 'and the visit stands');
SELECT t.is(t.answer('declined'), 'true', 'declined');
SELECT t.is(t.stand(), 'booked/declined withdrawn:canceled withdrawn:canceled', 'and everything goes');
SELECT t.is(string_agg(type || coalesce(':' || reason, ''), ' ' ORDER BY recorded_at, id), 'appointment.confirmed '
	'message.canceled:withdrawn_confirmed reminder.withdrawn:withdrawn_confirmed appointment.reschedule_requested '
	'appointment.declined message.canceled:withdrawn_declined reminder.withdrawn:withdrawn_declined', 'all of it is told')
FROM smsbridge.event WHERE recorded_at >= (SELECT min(recorded_at) FROM smsbridge.event WHERE type = 'appointment.confirmed')
	AND (data->>'ref' = 'a' OR type = 'message.canceled');
ROLLBACK;
