-- Rule 2: nothing to a phone that asked to stop, one confirmation within five minutes.
BEGIN;
SELECT t.sent('before', '+12025550101', '2026-03-02T15:00Z') \g /dev/null
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T16:00Z') AS stop \gset
SELECT t.accept('confirmation', '+12025550101', '2026-03-02T16:00Z', category => 'opt_out_confirmation', inbound_id => :'stop');
SELECT t.send('confirmation', '2026-03-02T16:05Z');
SELECT t.word('opt_out.repeated', '+12025550101', '2026-03-02T17:00Z') AS again \gset
SELECT t.sent('other practice', '+12025550101', '2026-03-02T18:00Z', practice => 2);
SELECT t.accept('blocked', '+12025550101', '2026-03-04T15:00Z');
SELECT t.tell('blocked', 'message.blocked', '2026-03-04T15:00Z', 'opted_out');
SELECT t.word('opt_out.lifted', '+12025550101', '2026-03-05T16:00Z') AS start \gset
SELECT t.accept('resume', '+12025550101', '2026-03-05T16:00Z', category => 'resume_confirmation', inbound_id => :'start');
SELECT t.send('resume', '2026-03-05T16:00Z');
SELECT t.sent('after', '+12025550101', '2026-03-05T18:00Z');
SELECT t.accept('help', '+12025550101', '2026-03-06T05:00Z', category => 'help_reply',
	inbound_id => t.word('help.received', '+12025550101', '2026-03-06T05:00Z'));
SELECT t.send('help', '2026-03-06T05:00Z');
SELECT t.sent('other phone', '+12025550102', '2026-03-02T17:00Z');
SELECT t.finds('', 'before, after, another practice, and answers at any hour');
SELECT t.is(string_agg(concat_ws(' ', phone, patients, method, word, in_flight, sends_after), ','),
	'+1******0101 patient of +12025550101 reply stop 0 0', 'report.opt_outs shows it') FROM report.opt_outs;
ROLLBACK;

BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00:00.000001Z');
SELECT t.finds('opt_out a', 'a microsecond later');
SELECT t.is(sends_after::text, '1', 'report.opt_outs counts it') FROM report.opt_outs;
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.sent('a', '+12025550101', '2029-03-02T15:00Z');
SELECT t.finds('opt_out a', 'an opt-out does not age');
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.finds('opt_out a', 'the same instant, recorded after');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.finds('', 'the same instant, recorded before');
ROLLBACK;
-- The send had the recipient's lock while the STOP, a moment older, waited for it.
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00:05Z');
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.tell('a', 'opt_out.in_flight', '2026-03-02T15:00Z');
SELECT t.finds('', 'in flight: recorded before a STOP of five seconds ago');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00:05.000001Z');
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.finds('opt_out a', 'a STOP that lay unrecorded for longer counts from its arrival');
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00:01Z');
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.finds('opt_out a', 'judged under the lock after the STOP, however early its clock was read');
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.word('opt_out.lifted', '+12025550101', '2026-03-02T16:00Z');
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T17:00Z');
SELECT t.sent('a', '+12025550101', '2026-03-02T16:30Z');
SELECT t.sent('b', '+12025550101', '2026-03-03T17:30Z');
SELECT t.finds('opt_out b', 'stop, start, stop');
SELECT t.is(string_agg((lifted_at IS NULL) || ' ' || sends_after, ', ' ORDER BY created_at), 'false 0, true 1', 'two opt-outs')
	FROM report.opt_outs;
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T16:00Z');
SELECT t.sent('a', '+12025550101', '2026-03-02T17:00Z');
SELECT t.finds('opt_out a', 'told once, though the opt-out was recorded twice');
SELECT t.is(string_agg(created_at || ' ' || sends_after, ', '), '2026-03-02 15:00:00+00 1', 'and is one opt-out') FROM report.opt_outs;
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.sent('a', '+12025550101', '2026-03-02T16:00Z');
SELECT t.refund('a', 'message.canceled', '2026-03-02T16:00Z');
SELECT t.finds('', 'claimed, then withdrawn before it left');
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z');
SELECT t.accept('a', '+12025550101', '2026-03-02T14:00Z');
SELECT t.tell('a', 'message.sending', '2026-03-02T16:00Z', NULL, '{"opted_out": false}');
DELETE FROM smsbridge.opt_out;
SELECT t.finds('opt_out a', 'the gateway''s facts and its own table are not asked');
ROLLBACK;

-- Notices.
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z') AS stop \gset
SELECT t.accept('a', '+12025550101', '2026-03-02T15:00Z', category => 'opt_out_confirmation', inbound_id => :'stop');
SELECT t.send('a', '2026-03-02T15:05:00.000001Z');
SELECT t.finds('opt_out a', 'a confirmation a microsecond over five minutes');
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z') AS stop \gset
SELECT t.accept('a', '+12025550101', '2026-03-02T15:00Z', category => 'opt_out_confirmation', inbound_id => :'stop');
SELECT t.send('a', '2026-03-02T15:01Z');
SELECT t.accept('b', '+12025550101', '2026-03-02T15:00Z', category => 'opt_out_confirmation', inbound_id => :'stop');
SELECT t.send('b', '2026-03-02T15:02Z');
SELECT t.finds('opt_out b', 'two confirmations of one text');
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z') AS stop \gset
SELECT t.word('opt_out.repeated', '+12025550101', '2026-03-02T15:01Z') AS again \gset
SELECT t.accept('a', '+12025550101', '2026-03-02T15:00Z', category => 'opt_out_confirmation', inbound_id => :'stop');
SELECT t.send('a', '2026-03-02T15:00Z');
SELECT t.accept('b', '+12025550101', '2026-03-02T15:01Z', category => 'opt_out_confirmation', inbound_id => :'again');
SELECT t.send('b', '2026-03-02T15:01Z');
SELECT t.finds('opt_out b', 'a second confirmation for a repeated STOP');
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z') AS stop \gset
SELECT t.fact('opt_out.created', '+12025550101', '2026-03-02T15:00:30Z', '{"id": "s", "method": "staff"}');
SELECT t.word('opt_out.repeated', '+12025550101', '2026-03-02T15:01Z') AS again \gset
SELECT t.accept('a', '+12025550101', '2026-03-02T15:00Z', category => 'opt_out_confirmation', inbound_id => :'stop');
SELECT t.send('a', '2026-03-02T15:00Z');
SELECT t.accept('b', '+12025550101', '2026-03-02T15:01Z', category => 'opt_out_confirmation', inbound_id => :'again');
SELECT t.send('b', '2026-03-02T15:01Z');
SELECT t.finds('opt_out b', 'nor with what staff entered in between');
ROLLBACK;
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00Z') AS stop \gset
SELECT t.accept('a', '+12025550101', '2026-03-02T15:00Z', category => 'opt_out_confirmation', inbound_id => :'stop');
SELECT t.send('a', '2026-03-02T15:00Z');
SELECT t.word('opt_out.lifted', '+12025550101', '2026-03-02T15:02Z');
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:03Z') AS stop \gset
SELECT t.accept('b', '+12025550101', '2026-03-02T15:03Z', category => 'opt_out_confirmation', inbound_id => :'stop');
SELECT t.send('b', '2026-03-02T15:03Z');
SELECT t.finds('', 'each of two opt-outs has its own confirmation');
ROLLBACK;
BEGIN;
SELECT t.accept('a', '+12025550101', '2026-03-02T05:00Z', category => 'help_reply', inbound_id => gen_random_uuid());
SELECT t.send('a', '2026-03-02T05:00Z');
SELECT t.finds('opt_out a', 'a reminder dressed as an answer to nothing');
ROLLBACK;
BEGIN;
SELECT t.accept('a', '+12025550102', '2026-03-02T05:00Z', category => 'help_reply',
	inbound_id => t.word('help.received', '+12025550101', '2026-03-02T05:00Z'));
SELECT t.send('a', '2026-03-02T05:00Z');
SELECT t.finds('opt_out a', 'an answer to another phone');
ROLLBACK;
BEGIN;
SELECT t.accept('a', '+12025550101', '2026-03-02T05:00Z', category => 'opt_out_confirmation',
	inbound_id => t.word('help.received', '+12025550101', '2026-03-02T05:00Z'));
SELECT t.send('a', '2026-03-02T05:00Z');
SELECT t.finds('opt_out a', 'a confirmation of an opt-out that nobody asked for');
ROLLBACK;

-- A practice with much waiting joins a shared sender: what others' patients said is locked, not all that waits; the
-- server has room for some thousands of locks, and claims and opt-outs need theirs.
BEGIN;
UPDATE smsbridge.practice SET sender = '+12025550191', sender_shared = true;
SELECT smsbridge.opt_out_make(t.practice(2), '+12025550101', '', 'reply', 'stop', 'sender', 'text', '', '',
	'2026-03-02T15:00Z', NULL, NULL) \g /dev/null
SELECT t.accept('waits', '+12025550101', '2026-03-02T15:00Z'), t.accept('other', '+12025550102', '2026-03-02T15:00Z');
INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters, segments, category,
	priority, expires_at, status, due_at, created_at, updated_at)
SELECT t.practice(1), gen_random_uuid(), 'many', '+1202' || n, '+12025550191', '', 'x', 'gsm7', 1, 1,
	'appointment_reminder', 1, '2026-04-01Z', 'queued', '2026-03-03Z', '2026-03-02Z', '2026-03-02Z'
FROM generate_series(1000000, 1019999) AS n;
SELECT t.is(smsbridge.sender_joined(t.practice(1), '+12025550191', '2026-03-02T16:00Z')::text, '1',
	'20000 texts wait, one patient said STOP');
SELECT t.is((count(*) < 10)::text, 'true', 'and few phones are locked') FROM pg_locks
WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT t.is(string_agg(status, ' ' ORDER BY phone), 'canceled queued', 'whose text is cancelled') FROM smsbridge.message
WHERE practice_id = t.practice(1) AND phone IN ('+12025550101', '+12025550102');
ROLLBACK;
