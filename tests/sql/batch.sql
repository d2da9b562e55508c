-- Batches and broadcasts in the database: what a pace lets go, what a pause and a cancel take back, and the constraints
-- that hold whatever the program does.
CREATE FUNCTION t.broadcast(number integer, pace integer DEFAULT 60, starts timestamptz DEFAULT '2026-03-02T15:00Z')
RETURNS uuid LANGUAGE sql AS $$
	INSERT INTO smsbridge.broadcast (practice_id, id, name, template_id, template, language, category, pace, send_from,
		expires_at, person, api_key, created_at)
	VALUES (t.practice(1), ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid, 'Closed', gen_random_uuid(),
		'closed', 'en', 'wellness_checkup', pace, starts, starts + interval '1 day', 'Jo Rivera', 'k', starts)
	RETURNING id
$$;
-- Recipients of a broadcast, phones from 0100 on, and their batch.
CREATE FUNCTION t.fill(to_broadcast uuid, n integer, first integer DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	batch uuid := gen_random_uuid();
BEGIN
	INSERT INTO smsbridge.batch (practice_id, id, broadcast_id, api_key, state, items, accepted, created_at)
	VALUES (t.practice(1), batch, to_broadcast, 'k', 'received', n, n, '2026-03-02T15:00Z');
	INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters, segments,
		category, priority, expires_at, status, due_at, created_at, updated_at, batch_id, batch_item, broadcast_id)
	SELECT t.practice(1), gen_random_uuid(), 'p-' || i, '+1202555' || lpad((100 + i)::text, 4, '0'), '+12025550191', '', 'x',
		'gsm7', 1, 1, 'wellness_checkup', 2, '2026-03-03T15:00Z', 'scheduled', 'infinity', '2026-03-02T15:00Z',
		'2026-03-02T15:00Z', batch, i, to_broadcast
	FROM generate_series(first, first + n - 1) AS i;
END $$;
CREATE FUNCTION t.act(number integer, act text, at timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT problem || '/' || (body->>'state') FROM smsbridge.broadcast_act(t.practice(1),
		('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid, act, at, 'k')
$$;
-- status and how many, of a broadcast: "queued 3, scheduled 7".
CREATE FUNCTION t.counts(number integer) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(key || ' ' || value, ', ' ORDER BY key), '') FROM jsonb_each_text(
		smsbridge.broadcast_counts(t.practice(1), ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid))
$$;
CREATE FUNCTION t.state(number integer) RETURNS text LANGUAGE sql AS $$
	SELECT state FROM smsbridge.broadcast WHERE id = ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid
$$;

-- The pace: one a second.
SELECT t.fill(t.broadcast(1), 30);
SELECT t.is(t.act(1, 'start', '2026-03-02T15:00Z'), '/running', 'a broadcast starts');
SELECT t.is(t.act(1, 'start', '2026-03-02T15:00Z'), '/running', 'and is started again for nothing');
SELECT t.is(smsbridge.broadcast_release(at::timestamptz)::text, wanted, name) FROM (VALUES
	('2026-03-02T15:00:00.9Z', '0', 'nothing in less than a second'),
	('2026-03-02T15:00:01Z', '1', 'one in a second'),
	('2026-03-02T15:00:01.5Z', '0', 'and no more for a half'),
	('2026-03-02T15:00:02.5Z', '1', 'what is over counts for the next'),
	('2026-03-02T15:00:03Z', '1', 'as here'),
	('2026-03-02T15:10:00Z', '2', 'what was not used for minutes is not made up for'),
	('2026-03-02T15:10:00Z', '0', 'and is gone'),
	('2026-03-02T15:10:01Z', '1', 'and on')
) AS v(at, wanted, name);
SELECT t.is(t.counts(1), 'queued 6, scheduled 24', 'what was let go is queued');
SELECT t.is((SELECT string_agg(batch_item::text, ' ' ORDER BY batch_item) FROM smsbridge.message WHERE due_at < 'infinity'),
	'0 1 2 3 4 5', 'in the order in which they came');

-- Paused, resumed, cancelled.
UPDATE smsbridge.message SET status = 'held', reason = 'quiet_hours', due_at = '2026-03-03T13:00Z' WHERE batch_item = 0;
UPDATE smsbridge.message SET status = 'sending', due_at = NULL WHERE batch_item = 1;
SELECT t.is(t.act(1, 'pause', '2026-03-02T15:11Z'), '/paused', 'a pause');
SELECT t.is(t.counts(1), 'scheduled 29, sending 1', 'takes back what waits, and leaves what is on its way');
SELECT t.is(smsbridge.broadcast_release('2026-03-02T15:20Z')::text, '0', 'nothing goes while it lasts');
UPDATE smsbridge.message SET status = 'held', due_at = '2026-03-02T15:21Z' WHERE batch_item = 1;
SELECT smsbridge.broadcast_settle('2026-03-02T15:20:01Z', 1000) \g /dev/null
SELECT t.is(t.counts(1), 'scheduled 30', 'and what a carrier gives back waits too');
SELECT t.is(t.act(1, 'resume', '2026-03-02T15:30Z'), '/running', 'it goes on');
SELECT t.is(smsbridge.broadcast_release('2026-03-02T15:30:01Z')::text, '1', 'at its pace, from then on');
SELECT t.is(t.act(1, 'cancel', '2026-03-02T15:31Z'), '/canceling', 'a cancel');
SELECT t.is(smsbridge.broadcast_release('2026-03-02T15:32Z')::text, '0', 'lets nothing go any more');
SELECT t.is(smsbridge.broadcast_settle('2026-03-02T15:32Z', 20)::text || t.state(1), '20canceling', 'ends some at a time');
SELECT t.is(smsbridge.broadcast_settle('2026-03-02T15:32Z', 20)::text || t.state(1), '10canceled', 'and then is over');
SELECT t.is(t.counts(1), 'canceled 30', 'with all of them');
SELECT t.is((SELECT count(*)::text FROM smsbridge.event WHERE type = 'message.canceled' AND reason = 'canceled_by_practice'),
	'30', 'of each there is an event');
SELECT t.is(t.act(1, act, '2026-03-02T15:33Z'), 'broadcast_over/canceled', act) FROM unnest(ARRAY['start', 'pause', 'resume']) AS act;

-- What expires, and what is done.
SELECT t.broadcast(2) \g /dev/null
SELECT t.fill('00000000-0000-7000-8000-000000000002', 3);
SELECT t.is(t.act(2, 'start', '2026-03-03T15:00Z'), 'broadcast_over/created', 'past its end it does not start');
SELECT smsbridge.broadcast_settle('2026-03-03T15:00Z', 1000) \g /dev/null
SELECT t.is(t.counts(2) || ' ' || t.state(2), 'expired 3 done', 'and what waits for it expires');
SELECT t.broadcast(3, 60000) \g /dev/null
SELECT t.is(t.act(3, 'start', '2026-03-02T15:00Z'), 'broadcast_empty/created', 'none without recipients');
SELECT t.fill('00000000-0000-7000-8000-000000000003', 5);
SELECT t.is(t.act(3, 'start', '2026-03-02T14:00Z'), '/running', 'started before its hour');
SELECT t.is(smsbridge.broadcast_release('2026-03-02T14:59:59Z')::text, '0', 'it waits for that');
SELECT t.is(smsbridge.broadcast_release('2026-03-02T15:00:01Z')::text, '5', 'and goes');
UPDATE smsbridge.message SET status = 'sent', due_at = NULL WHERE broadcast_id = '00000000-0000-7000-8000-000000000003';
SELECT smsbridge.broadcast_settle('2026-03-02T15:00:02Z', 1000) \g /dev/null
SELECT t.is(t.state(3), 'done', 'none waits: it is done');
SELECT t.is((SELECT string_agg(type, ' ' ORDER BY xact, id) FROM smsbridge.event
	WHERE data->>'broadcast_id' = '00000000-0000-7000-8000-000000000003'), 'broadcast.started broadcast.done', 'and that is told');
SELECT t.is((SELECT string_agg(DISTINCT practice_id::text, ' ') FROM smsbridge.broadcast_act(t.practice(2),
	'00000000-0000-7000-8000-000000000003', 'cancel', '2026-03-02T15:00Z', 'k'), LATERAL (SELECT problem AS practice_id) AS p),
	'broadcast_unknown', 'another practice has no such broadcast');

-- What waits for its release is not looked at again, and is never due.
SELECT t.broadcast(4) \g /dev/null
SELECT t.fill('00000000-0000-7000-8000-000000000004', 1);
SELECT t.is(smsbridge.judge_again(t.practice(1), '+12025550100', NULL)::text, '0', 'a fact that changed lets nothing go');
SELECT t.is((SELECT count(*)::text FROM smsbridge.message WHERE broadcast_id = '00000000-0000-7000-8000-000000000004'
	AND due_at = 'infinity'), '1', 'it waits as before');

-- A phone, and a patient, gets it once.
DO $$
DECLARE
	change text;
	wanted text;
BEGIN
	FOR change, wanted IN SELECT * FROM (VALUES ('phone = ''+12025550100''', 'message_broadcast_phone'),
		('patient = ''p-0''', 'message_broadcast_patient')) AS v LOOP
		BEGIN
			EXECUTE format('UPDATE smsbridge.message SET broadcast_id = %L, %s WHERE batch_item = 2 AND broadcast_id = %L',
				'00000000-0000-7000-8000-000000000004', change, '00000000-0000-7000-8000-000000000002');
			RAISE EXCEPTION 'taken twice: %', change;
		EXCEPTION WHEN unique_violation THEN
			IF SQLERRM NOT LIKE '%' || wanted || '%' THEN
				RAISE;
			END IF;
		END;
	END LOOP;
END $$;

-- A batch: one key, items in their places, counts that fit.
SELECT t.refused('smsbridge_app', s, wanted) FROM (VALUES
	('DELETE FROM smsbridge.batch', '42501%'),
	('DELETE FROM smsbridge.batch_item', '42501%'),
	('DELETE FROM smsbridge.broadcast', '42501%'),
	('UPDATE smsbridge.batch SET items = 7', '23514%'),
	('UPDATE smsbridge.broadcast SET pace = 60001', '23514%'),
	('UPDATE smsbridge.broadcast SET state = ''gone''', '23514%'),
	('INSERT INTO smsbridge.batch_item (practice_id, batch_id, item, sha256) VALUES (gen_random_uuid(), gen_random_uuid(), 0, '''')',
		'23514%')
) AS v(s, wanted);
