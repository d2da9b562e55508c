-- Answers to reminders and conversations: what the second witness finds, and the functions by which a text is settled,
-- at their edges.

-- covers: rule conversation_once
BEGIN;
SELECT t.fact('reply.received', '+12025550101', '2026-03-02T14:00Z', '{"inbound_id": "i1"}');
SELECT t.fact('reply.taken', '+12025550102', '2026-03-02T14:00Z', '{"inbound_id": "i2", "as": "question"}');
SELECT t.sent_as('first', '+12025550101', '2026-03-02T15:00Z', 'conversational_reply', '{"answers": "i1", "automatic": true}');
SELECT t.sent_as('person', '+12025550101', '2026-03-02T16:00Z', 'conversational_reply',
	'{"answers": "i1", "automatic": false, "person": "Jo Rivera"}');
SELECT t.sent_as('person again', '+12025550101', '2026-03-02T17:00Z', 'conversational_reply',
	'{"answers": "i1", "automatic": false, "person": "Jo Rivera"}');
SELECT t.sent_as('other text', '+12025550102', '2026-03-02T15:00Z', 'conversational_reply', '{"answers": "i2", "automatic": true}');
SELECT t.finds('', 'one answer of a program''s to each text, people''s besides; a text that was taken is heard');
SELECT t.sent_as('second', '+12025550101', '2026-03-02T18:00Z', 'conversational_reply', '{"answers": "i1", "automatic": true}');
SELECT t.finds('conversation_once second', 'the second one');
SELECT t.says('conversation_once', 'A program''s answer number 2 to one text of the patient''s.', 'its sentence');
SELECT t.sent_as('of nothing', '+12025550103', '2026-03-02T15:00Z', 'conversational_reply', '{"answers": "i2", "automatic": true}');
SELECT t.finds('conversation of nothing, conversation_once second', 'another phone''s text is none of this one');
ROLLBACK;

-- A visit tomorrow at 9 in New York, reminded when, and what a text then is.
CREATE FUNCTION t.visit(ref text, phone text, starts timestamptz, reminded timestamptz, practice integer DEFAULT 1)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO smsbridge.appointment (practice_id, ref, patient, phone, starts_at, location_zone, zones, kind, created_at,
		updated_at)
	VALUES (t.practice(practice), ref, 'p-' || ref, phone, starts, 'America/New_York', 'America/New_York', 'default', starts,
		starts);
	SELECT t.accept('r-' || ref, phone, reminded, practice => practice);
	UPDATE smsbridge.message m SET status = 'sent', due_at = NULL, counted_at = reminded,
		sender = (SELECT sender FROM smsbridge.practice WHERE id = t.practice(visit.practice)) WHERE id = t.id('r-' || ref);
	INSERT INTO smsbridge.reminder (practice_id, ref, step, visit_at, message_id, state, due_at, made_at, updated_at)
	VALUES (t.practice(practice), ref, 'day', starts, t.id('r-' || ref), 'planned', reminded, reminded, reminded)
$$;
CREATE FUNCTION t.heard(name text, phone text, at timestamptz, practice integer DEFAULT 1) RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO smsbridge.inbound (practice_id, id, carrier, phone, sender, body, keyword, received_at)
	SELECT p.id, md5(heard.name)::uuid, 'sim', heard.phone, p.sender, heard.name, 'none', at FROM smsbridge.practice p
	WHERE p.id = t.practice(practice)
	RETURNING id
$$;
CREATE FUNCTION t.act(name text, phone text, answer text, choice integer DEFAULT 0, done text DEFAULT 'other',
	practices integer[] DEFAULT '{1}') RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', outcome, CASE WHEN tell THEN 'told' END, times, practice = t.practice(2))
	FROM smsbridge.reply_act((SELECT array_agg(t.practice(n)) FROM unnest(practices) AS n), done, answer, choice, true, phone,
		md5(name)::uuid, md5('message ' || name)::uuid)
$$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA t TO PUBLIC;
GRANT INSERT, SELECT ON t.label TO PUBLIC;

BEGIN;
SELECT t.visit('v1', '+12025550101', '2026-03-10T13:00Z', '2026-03-02T15:00Z');
SELECT t.heard('exactly', '+12025550101', '2026-03-09T14:59:59.999999Z') \g /dev/null
SELECT t.heard('too late', '+12025550101', '2026-03-09T15:00Z') \g /dev/null
SET LOCAL ROLE smsbridge_app;
SELECT t.is(t.act('too late', '+12025550101', 'confirmed'), 'reply f', 'a week after the reminder it is no answer');
SELECT t.is(t.act('exactly', '+12025550101', 'confirmed'), 'confirmed f', 'a microsecond before it is');
SELECT t.is(t.act('exactly', '+12025550101', 'confirmed'), 'repeated', 'settled twice is settled once');
SELECT t.is((SELECT count(*)::text FROM smsbridge.event WHERE type IN ('appointment.confirmed', 'reply.taken')), '2', 'and told once');
SELECT t.is((SELECT status || ' ' || answer FROM smsbridge.appointment), 'confirmed confirmed', 'the visit is confirmed');
ROLLBACK;
BEGIN;
SELECT t.visit('v1', '+12025550101', '2026-03-03T14:00Z', '2026-03-02T15:00Z');
SELECT t.heard('begun', '+12025550101', '2026-03-03T14:00Z') \g /dev/null
SELECT t.heard('verified', '+12025550101', '2026-03-02T16:00Z') \g /dev/null
SELECT t.is(t.act('begun', '+12025550101', 'declined'), 'reply f', 'when the visit begins nothing answers its reminder');
SELECT t.is(t.act('verified', '+12025550101', 'confirmed', done => 'yes'), 'reply f', 'what a verification took is no answer');
SELECT t.is((SELECT unread::text FROM smsbridge.conversation), '2', 'both are for people');
ROLLBACK;
BEGIN;
SELECT t.visit('v1', '+12025550101', '2026-03-09T18:30Z', '2026-03-02T15:00Z');
SELECT t.visit('v2', '+12025550101', '2026-03-10T13:00Z', '2026-03-02T15:00Z');
SELECT t.heard('C', '+12025550101', '2026-03-02T16:00Z') \g /dev/null
SELECT t.heard('1', '+12025550101', '2026-03-02T16:01Z') \g /dev/null
SELECT t.heard('one', '+12025550101', '2026-03-02T16:02Z') \g /dev/null
SELECT t.heard('uno', '+12025550101', '2026-03-03T16:00Z') \g /dev/null
SELECT t.is(t.act('C', '+12025550101', 'confirmed'), 'question told 2026-03-09 14:30,2026-03-10 09:00 f', 'two are asked about, in the visit''s zone');
SELECT t.is(t.act('1', '+12025550101', '', 1), 'reply f', 'a question that was never queued has no answer');
SELECT t.accept('asked', '+12025550101', '2026-03-02T16:00Z', category => 'conversational_reply');
UPDATE smsbridge.message SET id = md5('message C')::uuid WHERE id = t.id('asked');
UPDATE smsbridge.inbound SET taken_as = NULL WHERE body = '1';
SELECT t.is(t.act('1', '+12025550101', '', 1), 'reply f', 'nor one that waits');
UPDATE smsbridge.message SET status = 'sent', due_at = NULL WHERE id = md5('message C')::uuid;
SELECT t.is(t.act('uno', '+12025550101', '', 1), 'reply f', 'nor one of a day ago');
SELECT t.is(t.act('one', '+12025550101', '', 1), 'confirmed f', 'one that left has');
SELECT t.is((SELECT string_agg(answer, ',' ORDER BY ref) FROM smsbridge.appointment), 'confirmed,', 'the first');
SELECT t.is((SELECT decision || ' ' || decided_by FROM smsbridge.review_task), 'answered patient', 'and its task is decided');
ROLLBACK;
BEGIN;
UPDATE smsbridge.practice SET sender_shared = true, sender = '+12025550191';
SELECT t.visit('v1', '+12025550101', '2026-03-09T18:30Z', '2026-03-02T15:00Z', 2);
SELECT t.heard('C', '+12025550101', '2026-03-02T16:00Z') \g /dev/null
SELECT t.is(t.act('C', '+12025550101', 'confirmed', practices => '{1,2}'), 'confirmed t', 'the practice whose reminder it was');
SELECT t.is((SELECT practice_id::text FROM smsbridge.inbound), t.practice(2)::text, 'has the text');
SELECT t.visit('v2', '+12025550101', '2026-03-10T18:30Z', '2026-03-03T15:00Z');
SELECT t.visit('v3', '+12025550101', '2026-03-11T18:30Z', '2026-03-03T15:00Z', 2);
SELECT t.heard('X', '+12025550101', '2026-03-03T16:00Z') \g /dev/null
SELECT t.is(t.act('X', '+12025550101', 'declined', practices => '{1,2}'), 'reply f', 'visits at two practices: people');
SELECT t.is((SELECT count(DISTINCT practice_id)::text FROM smsbridge.review_task WHERE kind = 'which_visit'), '2', 'at both');
SELECT t.is((SELECT string_agg(answer, ',' ORDER BY ref) FROM smsbridge.appointment), 'confirmed,,', 'and nothing is done');
ROLLBACK;
