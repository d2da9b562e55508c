-- The rule book's rules: for each an illegal send that is found, with its sentence, and a legal one on the other side.
-- Practice 1 attests, so that only the rule in question speaks; where consent is meant it records.

-- covers: rule consent
BEGIN;
SELECT t.settings('{"consent_mode": "recorded"}');
SELECT t.sent('none', '+12025550101', '2026-03-02T15:00Z');
SELECT t.finds('consent none', 'no consent, nothing attested');
SELECT t.says('consent', 'No live consent of the patient for appointment_reminder is on record.', 'its sentence');
SELECT t.consent('c1', '+12025550102', 'implied', 'appointment_reminder');
SELECT t.sent('one', '+12025550102', '2026-03-02T15:00Z');
SELECT t.sent('other class', '+12025550102', '2026-03-12T15:00Z', category => 'lab_results');
SELECT t.consent('c2', '+12025550103', 'implied', 'appointment_reminder', patient => 'Ann');
SELECT t.sent('Ann', '+12025550103', '2026-03-02T15:00Z', patient => 'Ann');
SELECT t.sent('Bob', '+12025550103', '2026-03-12T15:00Z', patient => 'Bob');
SELECT t.sent('too early', '+12025550104', '2026-03-02T15:00Z');
SELECT t.consent('c3', '+12025550104', 'implied', 'appointment_reminder');
SELECT t.finds('consent Bob, consent none, consent other class, consent too early', 'for that class and patient, and before the send');
SELECT t.fact('consent.ended', '+12025550102', '2026-03-20T15:00Z', '{"id": "c1", "reason": "withdrawn"}');
SELECT t.sent('ended', '+12025550102', '2026-03-22T15:00Z');
SELECT t.finds('consent Bob, consent ended, consent none, consent other class, consent too early', 'nor after it ended');
ROLLBACK;
BEGIN;
SELECT t.sent_as('attested', '+12025550101', '2026-03-02T15:00Z', 'appointment_reminder');
SELECT t.sent_as('payment', '+12025550102', '2026-03-02T15:00Z', 'payment');
SELECT t.finds('consent payment', 'an attestation is implied consent and no more');
SELECT t.says('consent', 'The consent on record is implied; payment needs express.', 'its sentence');
SELECT t.consent('c1', '+12025550103', 'express', 'payment promotional');
SELECT t.sent_as('express', '+12025550103', '2026-03-02T15:00Z', 'payment');
SELECT t.finds('consent payment', 'express consent is enough for a payment text');
SELECT t.sent_as('weak', '+12025550103', '2026-03-18T15:00Z', 'promotional', '{"states": "CA"}');
SELECT t.consent('c2', '+12025550104', 'written', 'promotional');
SELECT t.sent_as('written', '+12025550104', '2026-03-18T15:00Z', 'promotional', '{"states": "CA"}');
SELECT t.finds('consent payment, consent weak', 'and not for advertising');
SELECT t.settings('{"consent_mode": "recorded"}');
SELECT t.sent('taken back', '+12025550101', '2026-03-22T15:00Z');
SELECT t.finds('consent payment, consent taken back, consent weak', 'the attestation was taken back');
ROLLBACK;
BEGIN;
SELECT t.consent('c1', '+12025550101', 'implied', 'appointment_reminder', '2026-03-01T15:00Z');
SELECT t.fact('recipient.stale', '+12025550101', '2026-03-01T15:00Z', '{"reason": "wrong_number"}');
SELECT t.sent('stale', '+12025550101', '2026-03-02T15:00Z');
SELECT t.finds('consent stale', 'captured at the instant at which the phone was reported');
SELECT t.says('consent', 'The consent was given before the phone was reported as somebody else''s (2026-03-01 15:00:00 UTC).', 'its sentence');
SELECT t.consent('c2', '+12025550101', 'implied', 'appointment_reminder', '2026-03-01T15:00:00.000001Z');
SELECT t.sent('new', '+12025550101', '2026-03-12T15:00Z');
SELECT t.finds('consent stale', 'a microsecond later it counts');
SELECT t.fact('recipient.stale', '+12025550102', '2026-03-01T15:00Z', '{"reason": "deactivated"}');
SELECT t.sent('attested stale', '+12025550102', '2026-03-02T15:00Z');
SELECT t.finds('consent attested stale, consent stale', 'an attestation does not cover a reported phone');
ROLLBACK;
BEGIN;
SELECT t.settings('{"consent_mode": "recorded"}');
SELECT t.consent('c1', '+12025550101', 'implied', 'appointment_reminder', adult_on => '2026-03-03');
SELECT t.sent('minor', '+12025550101', '2026-03-02 20:59:59 America/New_York');
SELECT t.sent('adult', '+12025550101', '2026-03-04 08:00:00 America/New_York');
SELECT t.finds('consent adult', 'came of age where the patient is');
SELECT t.says('consent', '%came of age on 2026-03-03.', 'its sentence');
ROLLBACK;
-- A practice of which nothing is recorded is judged strictly; one whose changes never said settings, not by these rules.
BEGIN;
DELETE FROM t.label;
INSERT INTO smsbridge.practice (id, name, phone, sender, created_at) VALUES
	('33333333-3333-7333-8333-333333333333', 'East Clinic', '+12125550190', '+12125550191', '2026-01-01T00:00:00Z');
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data) SELECT
	'33333333-3333-7333-8333-333333333333', '44444444-4444-7444-8444-444444444444', v.type, '2026-03-02T15:00Z', '+12025550101', 'P',
	'{"category": "appointment_reminder"}' FROM (VALUES ('message.accepted'), ('message.sending')) AS v(type);
SELECT t.finds('consent ?', 'a practice of which no practice.changed is recorded');
ROLLBACK;
BEGIN;
INSERT INTO smsbridge.event (practice_id, type, at, data) VALUES
	('33333333-3333-7333-8333-333333333333', 'practice.changed', '2026-01-01Z', '{"change": "added"}');
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data) SELECT
	'33333333-3333-7333-8333-333333333333', '44444444-4444-7444-8444-444444444444', v.type, '2026-03-02T15:00Z', '+12025550101', 'P',
	'{"category": "appointment_reminder"}' FROM (VALUES ('message.accepted'), ('message.sending')) AS v(type);
SELECT t.finds('', 'a practice from before the rule book');
ROLLBACK;

-- covers: rule rules
BEGIN;
SELECT t.sent('before', '+12025550101', '2025-04-10T23:59:59.999999Z', time_zone => 'America/New_York');
SELECT t.sent('from', '+12025550102', '2025-04-11T15:00:00Z');
SELECT t.finds('rules before', 'no pack was in force before 2025-04-11');
SELECT t.fact('rules.switched', NULL, '2026-03-01T00:00Z', '{"pack": "today", "on": false, "by": "X"}');
SELECT t.sent('off', '+12025550103', '2026-03-02T15:00Z');
SELECT t.fact('rules.switched', NULL, '2026-03-03T00:00Z', '{"pack": "today", "on": true, "by": "X"}');
SELECT t.sent('on', '+12025550104', '2026-03-04T15:00Z');
SELECT t.finds('rules before, rules off', 'nor while it was switched off');
ROLLBACK;

-- covers: rule opt_out
BEGIN;
SELECT t.fact('opt_out.created', '+12025550101', '2026-03-01T15:00Z', '{"method": "staff", "scope": "category", "category": "lab_results"}');
SELECT t.sent('other kind', '+12025550101', '2026-03-02T15:00Z');
SELECT t.finds('opt_out other kind', 'today one kind ends every kind');
SELECT t.says('opt_out', '%one kind (lab_results), which ends every kind%', 'its sentence');
ROLLBACK;
BEGIN;
SELECT t.fact('rules.switched', NULL, '2026-10-01T00:00Z', '{"pack": "fcc_26_67", "on": true, "by": "X"}');
SELECT t.fact('opt_out.created', '+12025550101', '2026-11-01T15:00Z', '{"method": "staff", "scope": "category", "category": "lab_results"}');
SELECT t.sent('other kind', '+12025550101', '2026-11-02T15:00Z');
SELECT t.sent_as('that kind', '+12025550101', '2026-11-12T15:00Z', 'lab_results');
SELECT t.finds('opt_out that kind', 'under FCC 26-67 one kind may be chosen');
SELECT t.fact('rules.switched', NULL, '2027-01-01T00:00Z', '{"pack": "revoke_all", "on": true, "by": "X"}');
SELECT t.sent('January', '+12025550101', '2027-01-29T15:00Z');
SELECT t.sent('February', '+12025550101', '2027-02-08T15:00Z');
SELECT t.finds('opt_out February, opt_out that kind', 'until revoke-all is in force');
ROLLBACK;
BEGIN;
INSERT INTO smsbridge.event (practice_id, type, at, phone, data) VALUES ('00000000-0000-0000-0000-000000000000', 'opt_out.created',
	'2026-03-01T15:00Z', '+12025550101', '{"method": "reply", "word": "stopall", "scope": "everyone"}');
SELECT t.sent('one', '+12025550101', '2026-03-02T15:00Z');
SELECT t.sent('two', '+12025550101', '2026-03-02T15:00Z', practice => 2);
SELECT t.sent('another', '+12025550102', '2026-03-02T15:00Z');
SELECT t.finds('opt_out one, opt_out two', 'STOPALL holds for every practice');
SELECT t.says('opt_out', '%every practice''s texts%', 'its sentence');
ROLLBACK;

-- START lifts what the patient's own words set; what staff entered only staff lift, by its id; one number of two practices.
BEGIN;
SELECT t.fact('opt_out.created', '+12025550101', '2026-03-01T15:00Z', '{"id": "s", "method": "staff", "scope": "practice", "category": ""}');
SELECT t.fact('opt_out.lifted', '+12025550101', '2026-03-01T16:00Z', '{"id": "s", "method": "reply", "word": "start", "inbound_id": "i1"}');
SELECT t.sent('staff', '+12025550101', '2026-03-02T15:00Z');
SELECT t.fact('opt_out.lifted', '+12025550101', '2026-03-03T16:00Z', '{"method": "staff", "id": "s", "category": ""}');
SELECT t.sent('lifted', '+12025550101', '2026-03-12T15:00Z');
SELECT t.finds('opt_out staff', 'START does not lift what staff entered');
SELECT t.fact('opt_out.created', '+12025550102', '2026-03-01T15:00Z', '{"id": "p", "method": "reply", "scope": "practice", "category": ""}');
SELECT t.fact('opt_out.repeated', '+12025550102', '2026-03-01T16:00Z', '{"method": "staff", "scope": "practice", "category": ""}');
SELECT t.fact('opt_out.lifted', '+12025550102', '2026-03-01T17:00Z', '{"id": "p", "method": "reply", "word": "start", "inbound_id": "i2"}');
SELECT t.sent('told staff too', '+12025550102', '2026-03-02T15:00Z');
SELECT t.finds('opt_out staff, opt_out told staff too', 'nor what staff entered after a STOP, whatever an event says');
ROLLBACK;
BEGIN;
SELECT t.fact('opt_out.created', '+12025550101', '2026-03-01T15:00Z', '{"id": "w", "method": "wrong_number", "scope": "practice"}');
SELECT t.fact('recipient.stale', '+12025550101', '2026-03-01T15:00Z', '{"reason": "wrong_number"}');
SELECT t.fact('opt_out.lifted', '+12025550101', '2026-03-03T15:00Z', '{"id": "w", "method": "staff", "task_id": "t", "actor": "X"}');
SELECT t.sent('still stale', '+12025550101', '2026-03-04T15:00Z');
SELECT t.fact('recipient.changed', '+12025550101', '2026-03-05T15:00Z', '{"field": "stale", "value": "", "actor": "X"}');
SELECT t.sent('right', '+12025550101', '2026-03-06T15:00Z');
SELECT t.finds('consent still stale', 'a wrong number that a person found to be the right one');
ROLLBACK;
-- Only the wrong number is taken back, not what else was reported of the phone, before or since.
BEGIN;
SELECT t.fact('recipient.stale', '+1202555010' || n, '2026-02-01T15:00Z', '{"reason": "deactivated"}') FROM generate_series(1, 2) AS n \g /dev/null
SELECT t.fact('recipient.stale', '+12025550101', '2026-03-01T15:00Z', '{"reason": "wrong_number"}');
SELECT t.fact('recipient.stale', '+12025550103', '2026-03-01T15:00Z', '{"reason": "wrong_number"}');
SELECT t.fact('recipient.stale', '+12025550103', '2026-02-01T15:00Z', '{"reason": "reassigned"}');
SELECT t.fact('recipient.changed', '+1202555010' || n, '2026-03-05T15:00Z', '{"field": "stale", "value": "", "actor": "X"}')
	FROM generate_series(1, 3) AS n \g /dev/null
SELECT t.sent('before', '+12025550101', '2026-03-06T15:00Z');
SELECT t.sent('no wrong number', '+12025550102', '2026-03-06T15:00Z');
SELECT t.sent('imported since', '+12025550103', '2026-03-06T15:00Z');
SELECT t.finds('consent before, consent imported since, consent no wrong number', 'what else was reported stands');
SELECT t.consent('c1', '+12025550101', 'implied', 'appointment_reminder', '2026-02-02T15:00Z');
SELECT t.sent('since', '+12025550101', '2026-03-12T15:00Z');
SELECT t.finds('consent before, consent imported since, consent no wrong number', 'a consent from before the wrong number counts again');
ROLLBACK;
-- Each source's word stands until its own way lifts it.
BEGIN;
SELECT t.fact('opt_out.created', '+12025550101', '2026-03-01T15:00Z', '{"id": "p", "method": "reply", "category": ""}');
SELECT t.fact('opt_out.created', '+12025550101', '2026-03-01T16:00Z', '{"id": "w", "method": "wrong_number", "category": ""}');
SELECT t.fact('opt_out.lifted', '+12025550101', '2026-03-02T15:00Z', '{"id": "w", "source": "wrong_number", "method": "staff", "task_id": "t"}');
SELECT t.sent('after STOP', '+12025550101', '2026-03-03T15:00Z');
SELECT t.finds('opt_out after STOP', 'a decided task lifts the wrong number, not the STOP before it');
SELECT t.fact('opt_out.lifted', '+12025550101', '2026-03-04T15:00Z', '{"id": "p", "source": "patient", "method": "staff", "task_id": "t"}');
SELECT t.sent('claimed', '+12025550101', '2026-03-12T15:00Z');
SELECT t.finds('opt_out after STOP, opt_out claimed', 'whatever source it says');
SELECT t.fact('opt_out.lifted', '+12025550101', '2026-03-13T15:00Z', '{"id": "p", "source": "patient", "method": "reply"}');
SELECT t.sent('START', '+12025550101', '2026-03-22T15:00Z');
SELECT t.finds('opt_out after STOP, opt_out claimed', 'START lifts it');
ROLLBACK;
BEGIN;
SELECT t.fact('opt_out.created', '+12025550101', '2026-03-01T15:00Z', '{"id": "w", "method": "wrong_number"}');
SELECT t.fact('opt_out.repeated', '+12025550101', '2026-03-01T16:00Z', '{"method": "reply", "word": "stop"}');
SELECT t.fact('opt_out.lifted', '+12025550101', '2026-03-02T15:00Z', '{"id": "w", "method": "staff", "task_id": "t"}');
SELECT t.sent('only repeated', '+12025550101', '2026-03-03T15:00Z');
SELECT t.finds('opt_out only repeated', 'a STOP after a wrong number stands by itself');
SELECT t.fact('opt_out.created', '+12025550102', '2026-03-01T15:00Z', '{"id": "s", "method": "staff"}');
SELECT t.fact('opt_out.created', '+12025550102', '2026-03-01T16:00Z', '{"id": "p2", "method": "reply"}');
SELECT t.fact('opt_out.created', '+12025550102', '2026-03-01T17:00Z', '{"id": "w2", "method": "wrong_number"}');
SELECT t.fact('opt_out.lifted', '+12025550102', '2026-03-02T15:00Z', '{"source": "staff", "method": "staff"}');
SELECT t.fact('opt_out.lifted', '+12025550102', '2026-03-02T16:00Z', '{"source": "patient", "method": "reply"}');
SELECT t.sent('wrong', '+12025550102', '2026-03-03T15:00Z');
SELECT t.fact('opt_out.lifted', '+12025550102', '2026-03-04T15:00Z', '{"source": "wrong_number", "method": "staff", "task_id": "t"}');
SELECT t.sent('all three', '+12025550102', '2026-03-12T15:00Z');
SELECT t.finds('opt_out only repeated, opt_out wrong', 'of three, each by its own');
ROLLBACK;
BEGIN;
SELECT t.settings('{"consent_mode": "attested", "sender": "+12025550191"}', n) FROM generate_series(1, 2) AS n \g /dev/null
SELECT t.fact('opt_out.created', '+12025550101', '2026-03-01T15:00Z', '{"id": "a", "method": "reply", "scope": "sender", "inbound_id": "i1"}');
SELECT t.fact('opt_out.created', '+12025550102', '2026-03-01T15:00Z', '{"id": "b", "method": "reply", "scope": "practice", "inbound_id": "i2"}');
SELECT t.sent('shared', '+12025550101', '2026-03-02T15:00Z', practice => 2);
SELECT t.sent('own', '+12025550102', '2026-03-02T15:00Z', practice => 2);
SELECT t.finds('opt_out shared', 'a STOP to a number that two practices share is for both');
SELECT t.says('opt_out', '%another practice with the same number%', 'its sentence');
ROLLBACK;

-- covers: rule review
BEGIN;
SELECT t.sent('before', '+12025550101', '2026-03-01T15:00Z');
SELECT t.fact('review.opened', '+12025550101', '2026-03-02T15:00Z', '{"id": "r1", "kind": "possible_opt_out", "holds": true}');
SELECT t.sent('while', '+12025550101', '2026-03-03T15:00Z');
SELECT t.fact('review.opened', '+12025550102', '2026-03-02T15:00Z', '{"id": "r2", "kind": "possible_cancel_visit", "holds": false}');
SELECT t.sent('no hold', '+12025550102', '2026-03-03T15:00Z');
SELECT t.fact('review.decided', '+12025550101', '2026-03-04T15:00Z', '{"id": "r1", "decision": "no_opt_out", "by": "X"}');
SELECT t.sent('after', '+12025550101', '2026-03-05T15:00Z');
SELECT t.finds('review while', 'only while a task that holds is open');
SELECT t.says('review', '%possible_opt_out, since 2026-03-02 15:00:00 UTC%', 'its sentence');
ROLLBACK;

-- covers: rule verification
-- covers: rule risk
-- covers: rule alternative
BEGIN;
SELECT t.sent_as('neither', '+12025550101', '2026-03-02T15:00Z', 'lab_results', '{"phi": true}');
SELECT t.fact('recipient.verified', '+12025550102', '2026-03-01T15:00Z');
SELECT t.sent_as('no warning', '+12025550102', '2026-03-02T15:00Z', 'lab_results', '{"phi": true}');
SELECT t.fact('recipient.changed', '+12025550103', '2026-03-01T15:00Z', '{"field": "risk_warning", "value": {"version": "1"}}');
SELECT t.sent_as('not verified', '+12025550103', '2026-03-02T15:00Z', 'lab_results', '{"phi": true}');
SELECT t.fact('recipient.verified', '+12025550103', '2026-03-03T15:00Z');
SELECT t.sent_as('both', '+12025550103', '2026-03-12T15:00Z', 'lab_results', '{"phi": true}');
SELECT t.sent_as('bare', '+12025550104', '2026-03-02T15:00Z', 'appointment_reminder', '{"phi": false}');
SELECT t.finds('risk neither, risk no warning, verification neither, verification not verified', 'personal texts need both');
SELECT t.fact('recipient.stale', '+12025550103', '2026-03-13T15:00Z', '{"reason": "wrong_number"}');
SELECT t.consent('c1', '+12025550103', 'implied', 'lab_results', '2026-03-14T15:00Z');
SELECT t.sent_as('stale', '+12025550103', '2026-03-22T15:00Z', 'lab_results', '{"phi": true}');
SELECT t.says('verification', '%has not confirmed the phone since it was reported%', 'and again once it is reported');
ROLLBACK;
BEGIN;
SELECT t.fact('recipient.changed', '+12025550101', '2026-03-01T15:00Z', '{"field": "alternative", "value": "no_sms"}');
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.fact('recipient.changed', '+12025550101', '2026-03-03T15:00Z', '{"field": "alternative", "value": ""}');
SELECT t.sent('b', '+12025550101', '2026-03-12T15:00Z');
SELECT t.finds('alternative a', 'while the patient wants another way');
ROLLBACK;

-- covers: rule conversation
BEGIN;
SELECT t.fact('reply.received', '+12025550101', '2026-03-02T03:00Z', '{"inbound_id": "i1"}');
SELECT t.sent_as('a', '+12025550101', '2026-03-03T02:59:59.999999Z', 'conversational_reply', '{"answers": "i1"}');
SELECT t.sent_as('b', '+12025550101', '2026-03-02T04:00Z', 'conversational_reply', '{"answers": "i1"}');
SELECT t.finds('', 'answers within 24 hours, at night, and two of them');
SELECT t.sent_as('late', '+12025550101', '2026-03-03T03:00Z', 'conversational_reply', '{"answers": "i1"}');
SELECT t.sent_as('other phone', '+12025550102', '2026-03-02T15:00Z', 'conversational_reply', '{"answers": "i1"}');
SELECT t.sent_as('nothing', '+12025550101', '2026-03-02T15:00Z', 'conversational_reply');
SELECT t.finds('conversation late, conversation nothing, conversation other phone', 'not a microsecond later, nor to another');
ROLLBACK;

-- covers: rule emergency
BEGIN;
SELECT t.accept('a', '+12025550101', '2026-03-02T05:00Z', category => 'emergency');
SELECT t.send('a', '2026-03-02T05:00Z');
SELECT t.accept('b', '+12025550102', '2026-03-02T05:00Z', category => 'emergency');
SELECT t.fact('emergency.requested', NULL, '2026-03-02T05:00Z', '{"person": "Dr. Lee", "reason": "Recalled insulin."}', label => 'b');
SELECT t.send('b', '2026-03-02T05:00Z');
SELECT t.finds('emergency a', 'ordered by nobody; one with a person and a reason may go at night');
SELECT t.accept('no reason', '+12025550104', '2026-03-02T05:00Z', category => 'emergency');
SELECT t.fact('emergency.requested', NULL, '2026-03-02T05:00Z', '{"person": "Dr. Lee", "reason": ""}', label => 'no reason');
SELECT t.send('no reason', '2026-03-02T05:00Z');
SELECT t.finds('emergency a, emergency no reason', 'nor without a reason');
ROLLBACK;
BEGIN;
SELECT t.settings('{"consent_mode": "attested", "two_person": true}');
SELECT t.accept(label, '+1202555010' || n, '2026-03-02T15:00Z', category => 'emergency'),
	t.fact('emergency.requested', NULL, '2026-03-02T15:00Z', '{"person": "Dr. Lee", "reason": "Recalled insulin."}', label => label)
	FROM (VALUES ('one', 1), ('herself', 2), ('two', 3)) AS v(label, n) \g /dev/null
SELECT t.fact('emergency.approved', NULL, '2026-03-02T15:00Z', '{"by": "Dr. Lee"}', label => 'herself');
SELECT t.fact('emergency.approved', NULL, '2026-03-02T15:00Z', '{"by": "Dr. Ito"}', label => 'two');
SELECT t.send(label, '2026-03-02T15:01Z') FROM (VALUES ('one'), ('herself'), ('two')) AS v(label) \g /dev/null
SELECT t.finds('emergency herself, emergency one', 'two persons where the practice wants two');
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+1202555010' || n, '2026-03-01T15:00Z') FROM generate_series(1, 2) AS n \g /dev/null
SELECT t.accept(label, '+1202555010' || n, '2026-03-02T15:00Z', category => 'emergency'),
	t.fact('emergency.requested', NULL, '2026-03-02T15:00Z', '{"person": "Dr. Lee", "reason": "Recalled insulin."}', label => label)
	FROM (VALUES ('alone', 1), ('approved', 2)) AS v(label, n) \g /dev/null
SELECT t.fact('emergency.approved', NULL, '2026-03-02T15:00Z', '{"by": "Dr. Ito"}', label => 'approved');
SELECT t.send(label, '2026-03-02T15:01Z') FROM (VALUES ('alone'), ('approved')) AS v(label) \g /dev/null
SELECT t.finds('opt_out alone', 'after STOP only with approval');
ROLLBACK;

-- covers: rule quiet_hours
BEGIN;
SELECT t.settings('{"consent_mode": "attested", "open_minute": 570, "close_minute": 1050}');
SELECT t.sent('early', '+12025550101', '2026-01-15 09:29:59.999999 America/New_York');
SELECT t.sent('opens', '+12025550102', '2026-01-15 09:30:00 America/New_York');
SELECT t.sent('last', '+12025550103', '2026-01-15 17:29:59 America/New_York');
SELECT t.sent('late', '+12025550104', '2026-01-15 17:30:00 America/New_York');
SELECT t.finds('quiet_hours early, quiet_hours late', 'the practice''s own narrower hours');
SELECT t.says('quiet_hours', '%09:30:00 to 17:29:59 is allowed.', 'its sentence');
ROLLBACK;

-- covers: rule quiet_hours_state
-- covers: rule quiet_day_state
-- covers: rule cap_state
-- Rhode Island: 9 to 18 on weekdays, 10 to 17 on Saturday, no Sunday, no holidays. Texas: Sunday from 12. Florida: 3 a day.
INSERT INTO smsbridge.state_hours VALUES
	('RI', 'HOURS(9, 18)', 'HOURS(10, 17)', 'NONE', 'CLOSED', '0', 'R.I. Gen. Laws 5-61-3.6', ''),
	('TX', 'HOURS(9, 21)', 'HOURS(9, 21)', 'HOURS(12, 21)', 'OPEN', '0', 'Tex. Bus. & Com. Code 301.051', ''),
	('FL', 'HOURS(8, 20)', 'HOURS(8, 20)', 'HOURS(8, 20)', 'OPEN', '3', 'Fla. Stat. 501.059', '') ON CONFLICT DO NOTHING;
BEGIN;
SELECT t.consent('c' || n, '+140155501' || lpad(n::text, 2, '0'), 'written', 'promotional') FROM generate_series(1, 20) AS n \g /dev/null
SELECT t.sent_as('weekday opens', '+14015550101', '2026-03-02 09:00 America/New_York', 'promotional', '{"states": "RI"}');
SELECT t.sent_as('weekday last', '+14015550102', '2026-03-02 17:59:59.999999 America/New_York', 'promotional', '{"states": "RI"}');
SELECT t.sent_as('Saturday opens', '+14015550103', '2026-03-07 10:00 America/New_York', 'promotional', '{"states": "RI"}');
SELECT t.sent_as('Texas Sunday', '+14015550104', '2026-03-08 12:00 America/New_York', 'promotional', '{"states": "TX"}');
SELECT t.sent_as('Texas Christmas', '+14015550105', '2026-12-25 12:00 America/New_York', 'promotional', '{"states": "TX"}');
SELECT t.sent_as('no row', '+14015550106', '2026-03-08 08:00 America/New_York', 'promotional', '{"states": "CA"}');
SELECT t.sent('a reminder', '+14015550107', '2026-03-08 08:00 America/New_York');
SELECT t.finds('', 'within each state''s hours');
SELECT t.sent_as('early', '+14015550108', '2026-03-02 08:59:59.999999 America/New_York', 'promotional', '{"states": "RI"}');
SELECT t.sent_as('late', '+14015550109', '2026-03-02 18:00 America/New_York', 'promotional', '{"states": "TX RI"}');
SELECT t.sent_as('Texas early', '+14015550110', '2026-03-08 11:59:59 America/New_York', 'promotional', '{"states": "TX"}');
SELECT t.finds('quiet_hours_state Texas early, quiet_hours_state early, quiet_hours_state late', 'outside, in any of the states');
SELECT t.says('quiet_hours_state', '%11:59:59 on 2026-03-08 in America/New_York; TX allows such texts from 12:00:00 to 21:00:00 (Tex.%', 'its sentence');
SELECT t.sent_as('Sunday', '+14015550111', '2026-03-08 12:00 America/New_York', 'promotional', '{"states": "RI"}');
SELECT t.sent_as('Christmas', '+14015550112', '2026-12-25 12:00 America/New_York', 'promotional', '{"states": "RI"}');
SELECT t.sent_as('observed', '+14015550113', '2026-07-03 12:00 America/New_York', 'promotional', '{"states": "RI"}');
SELECT t.sent_as('unknown', '+14015550114', '2026-03-08 12:00 America/New_York', 'promotional');
SELECT t.sent_as('territory', '+14015550115', '2026-03-08 12:00 America/New_York', 'promotional', '{"states": "PR"}');
SELECT t.is((SELECT string_agg(l.label, ', ' ORDER BY l.label) FROM report.violations v JOIN t.label l ON l.id = v.message_id
	WHERE rule = 'quiet_day_state'), 'Christmas, Sunday, observed, territory, unknown', 'no Sundays and holidays, and strictly where the state is not known');
ROLLBACK;
SELECT t.is(string_agg(to_char(d, 'MM-DD'), ' ' ORDER BY d), '01-01 01-19 02-16 05-25 06-19 07-03 07-04 09-07 10-12 11-11 11-26 12-25',
	'the holidays of 2026 and the days on which they are observed')
	FROM generate_series('2026-01-01'::date, '2026-12-31', interval '1 day') AS d WHERE smsbridge.audit_holiday(d::date) IS NOT NULL;
SELECT t.is(smsbridge.audit_holiday('2021-12-31') || ' ' || smsbridge.audit_holiday('2023-01-02'), 'New Year''s Day New Year''s Day',
	'a New Year''s Day on a Saturday, and one on a Sunday');
BEGIN;
SELECT t.settings('{"consent_mode": "attested"}');
SELECT t.fact('recipient.changed', '+13055550101', '2026-01-01T15:00Z', '{"field": "household", "value": true}');
SELECT t.consent('c1', '+13055550101', 'written', 'promotional survey');
SELECT t.sent_as('p' || n, '+13055550101', '2026-03-02T15:00Z'::timestamptz + n * interval '1 hour', 'promotional', '{"states": "FL"}', 'P' || n)
	FROM generate_series(1, 3) AS n \g /dev/null
SELECT t.finds('', 'three texts to a household in Florida');
SELECT t.sent_as('p4', '+13055550101', '2026-03-02T20:00Z', 'promotional', '{"states": "FL"}', 'P4');
SELECT t.finds('', 'and a fourth, to another patient: the cap is a patient''s there too');
ROLLBACK;
BEGIN;
SELECT t.consent('c1', '+13055550101', 'written', 'promotional survey');
SELECT t.sent_as('p' || n, '+13055550101', '2026-03-02T15:00Z'::timestamptz + n * interval '1 hour', 'promotional', '{"states": "FL"}')
	FROM generate_series(1, 3) AS n \g /dev/null
SELECT t.is((SELECT count(*) FROM report.violations WHERE rule = 'cap_state')::text, '0', 'three within 24 hours are a matter of the federal cap');
SELECT t.sent_as('p4', '+13055550101', '2026-03-03T15:59:59Z', 'promotional', '{"states": "FL"}');
SELECT t.says('cap_state', '3 texts had gone to the same patient%FL allows 3%', 'the fourth within 24 hours');
ROLLBACK;

-- covers: rule cap_day
-- covers: rule cap_week
BEGIN;
SELECT t.fact('contact.reported', '+12025550101', '2026-03-02T15:00Z', '{"id": "v1", "kind": "voice", "at": "2026-03-01T15:00Z"}', 'P');
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z', patient => 'P');
SELECT t.finds('', 'a call 24 hours before, on another date');
SELECT t.fact('contact.reported', '+12025550102', '2026-03-01T16:00Z', '{"id": "v2", "kind": "voice", "at": "2026-03-01T15:00:00.000001Z"}', 'Q');
SELECT t.sent('b', '+12025550103', '2026-03-02T15:00Z', patient => 'Q');
SELECT t.finds('cap_day b', 'a microsecond less, of the patient, at another phone');
SELECT t.says('cap_day', 'Together with 1 call of the practice it is text or call number 2 to the same patient on a day%', 'its sentence');
SELECT t.sent('c', '+12025550104', '2026-03-02T15:00Z');
SELECT t.fact('contact.reported', '+12025550104', '2026-03-02T16:00Z', '{"id": "v3", "kind": "voice", "at": "2026-03-02T14:00Z"}', 'R');
SELECT t.finds('cap_day b', 'a call that was not reported yet is nobody''s fault');
ROLLBACK;
BEGIN;
SELECT t.sent('a' || n, '+12025550101', '2026-03-01T15:00Z'::timestamptz + n * interval '2 days') FROM generate_series(0, 1) AS n \g /dev/null
SELECT t.fact('contact.reported', '+12025550101', '2026-03-05T16:00Z', '{"id": "v1", "kind": "voice", "at": "2026-03-05T15:00Z"}', 'Z');
SELECT t.sent('third', '+12025550101', '2026-03-07T15:00Z');
SELECT t.finds('cap_week third', 'two texts and a call in the week before');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z', patient => 'Ann');
SELECT t.sent('b', '+12025550101', '2026-03-02T16:00Z', patient => 'Bob');
SELECT t.finds('cap_day b', 'a phone of two patients');
SELECT t.fact('recipient.changed', '+12025550102', '2026-03-01T15:00Z', '{"field": "household", "value": true}');
SELECT t.sent('c', '+12025550102', '2026-03-02T15:00Z', patient => 'Cid');
SELECT t.sent('d', '+12025550102', '2026-03-02T16:00Z', patient => 'Dee');
SELECT t.finds('cap_day b', 'a household''s has no cap of its own');
SELECT t.sent('e', '+12025550102', '2026-03-02T17:00Z', patient => 'Dee');
SELECT t.finds('cap_day b, cap_day e', 'its patients have');
SELECT t.fact('recipient.changed', '+12025550102', '2026-03-03T15:00Z', '{"field": "household", "value": false}');
SELECT t.sent('f', '+12025550102', '2026-03-12T15:00Z', patient => 'Cid');
SELECT t.sent('g', '+12025550102', '2026-03-12T16:00Z', patient => 'Dee');
SELECT t.finds('cap_day b, cap_day e, cap_day g', 'until it is none any more');
ROLLBACK;
BEGIN;
SELECT t.fact('reply.received', '+12025550101', '2026-03-02T14:00Z', '{"inbound_id": "i1"}');
SELECT t.sent_as('talk', '+12025550101', '2026-03-02T15:00Z', 'conversational_reply', '{"answers": "i1"}');
SELECT t.sent('reminder', '+12025550101', '2026-03-02T16:00Z');
SELECT t.sent_as('more talk', '+12025550101', '2026-03-02T17:00Z', 'conversational_reply', '{"answers": "i1"}');
SELECT t.finds('', 'a conversation neither counts nor is limited');
SELECT t.accept('emergency', '+12025550101', '2026-03-02T18:00Z', category => 'emergency');
SELECT t.fact('emergency.requested', NULL, '2026-03-02T18:00Z', '{"person": "Dr. Lee", "reason": "Recalled insulin."}', label => 'emergency');
SELECT t.send('emergency', '2026-03-02T18:00Z');
SELECT t.finds('', 'an emergency is not limited');
SELECT t.sent('next', '+12025550101', '2026-03-03T17:00Z');
SELECT t.finds('cap_day next', 'but counts');
ROLLBACK;

-- covers: rule length
BEGIN;
SELECT t.accept('a', '+12025550101', '2026-03-02T15:00Z', said => '{"characters": 161}');
SELECT t.send('a', '2026-03-02T15:00Z');
SELECT t.accept('b', '+12025550102', '2026-03-02T15:00Z', said => '{"characters": 160}');
SELECT t.send('b', '2026-03-02T15:00Z');
UPDATE smsbridge.message SET body = '', redacted_at = '2026-06-02T15:00Z' WHERE id IN (t.id('a'), t.id('b'));
SELECT t.finds('length a', 'a redacted text is judged by what was accepted');
ROLLBACK;

-- covers: rule content
BEGIN;
SELECT t.settings('{"consent_mode": "attested", "require_identity": true, "name": "North Clinic", "phone": "(202) 555-0190",
	"url": "https://north.example/visit", "sensitive": false, "display_name": "N.C."}');
SELECT t.sent('whole', '+12025550101', '2026-03-02T15:00Z', body => 'NORTH-CLINIC: see you soon, 202-555-0190. Reply Stop to end.');
SELECT t.sent('by url', '+12025550102', '2026-03-02T15:00Z', body => 'North Clinic, north.example: see you. STOP ends.');
SELECT t.finds('', 'name, contact and STOP');
SELECT t.sent('no name', '+12025550103', '2026-03-02T15:00Z', body => 'North: see you soon, 202-555-0190. Reply STOP to end.');
SELECT t.sent('no contact', '+12025550104', '2026-03-02T15:00Z', body => 'North Clinic: see you soon. Reply STOP to end.');
SELECT t.sent('no stop', '+12025550105', '2026-03-02T15:00Z', body => 'North Clinic: see you soon, 202-555-0190, nonstop.');
SELECT t.finds('content no contact, content no name, content no stop', 'each of them missing');
SELECT t.says('content', '%The text does not have the practice''s name.%', 'its sentence');
ROLLBACK;

-- The witness reads no projection: tables that say all is well change nothing.
BEGIN;
SELECT t.settings('{"consent_mode": "recorded"}');
INSERT INTO smsbridge.consent (practice_id, id, phone, classes, basis, captured_at, method, actor, created_at)
	VALUES (t.practice(1), gen_random_uuid(), '+12025550101', '{appointment_reminder}', 'written', '2026-01-01Z', 'form', 'X', '2026-01-01Z');
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.finds('consent a', 'a consent without its event is none');
ROLLBACK;
