-- The auditor's verifier of the ledger: smsbridge.ledger_verify(), read as compliance staff read it. Events are sealed by
-- the gateway's own statement, then tampered with as the owner can: triggers off. Every case is rolled back.
\set take `cat "$SMSBRIDGE_SQL/seal_take.sql"`
PREPARE take AS :take;
SET session_replication_role = replica; -- the helper's own events go, so that numbers begin here
DELETE FROM smsbridge.event;
RESET session_replication_role;

-- The texts that are hashed, by the same literals as tests/unit/dispatch_ledger_test.c.
SELECT t.is(smsbridge.event_text('11111111-1111-7111-8111-111111111111', '740', 17, NULL, 'reply.received', '2026-03-02T15:00Z',
	'2026-03-02T15:00:00.25Z', '+12025550101', E'a "b" \\ / \b\f\n\r\t\x01\x7f é', NULL, '{"a": "x\ny"}'),
	'["11111111-1111-7111-8111-111111111111", "740", 17, null, "reply.received", "2026-03-02T15:00:00.000000Z", '
	|| '"2026-03-02T15:00:00.250000Z", "+12025550101", "a \"b\" \\ / \b\f\n\r\t\u0001' || E'\x7f é' || '", null, '
	|| '"{\"a\": \"x\\ny\"}"]', 'event_text');
SELECT t.is(string_agg(attname, ' ' ORDER BY attnum), 'practice_id xact id message_id type at recorded_at phone patient reason data',
	'event_text has every column of the table; one that was added needs a version 2')
	FROM pg_attribute WHERE attrelid = 'smsbridge.event'::regclass AND attnum > 0 AND NOT attisdropped;
SELECT t.is(smsbridge.seal_line(decode(repeat('ab', 32), 'hex'), 1001, '11111111-1111-7111-8111-111111111111', '740', 17,
	'2026-03-02T15:00Z', 'reply.received'), repeat('ab', 32) || ' 1001 11111111-1111-7111-8111-111111111111 740 17 '
	'2026-03-02T15:00:00.000000Z reply.received', 'seal_line');
SELECT t.is(smsbridge.seal_text(2, 1001, 2000, '2026-03-02T15:00Z', '2026-03-02T16:00Z', '\xd1d1', '\x0e0e', '2026-03-02T16:00:05Z', 3),
	E'smsbridge seal 2\nevents 1001 2000\ntimes 2026-03-02T15:00:00.000000Z 2026-03-02T16:00:00.000000Z\ndigest d1d1\nprevious 0e0e\n'
	'at 2026-03-02T16:00:05.000000Z\nkey 3\n', 'seal_text');
SELECT t.is(smsbridge.key_text(2, decode(repeat('00', 32), 'hex'), 1, '2026-03-02T16:00:05Z'), E'smsbridge ledger key 2\npublic '
	|| repeat('00', 32) || E'\nprevious 1\nat 2026-03-02T16:00:05.000000Z\n', 'key_text');
SELECT t.is(string_agg(smsbridge.seal_time(x), ' '), 'infinity -infinity 0044-03-15 00:00:00+00 BC 0044-03-15T00:00:00.000000Z',
	'no two times have one text')
	FROM unnest(ARRAY['infinity', '-infinity', '0044-03-15 BC', '0044-03-15']::timestamptz[]) AS x;

-- Twelve events, each of a transaction of its own; two months and the default partition; three seals.
SELECT smsbridge.partitions_make('2026-03-15T00:00Z') \g /dev/null
CREATE TABLE t.sealed (n integer, id bigint);
CREATE PROCEDURE t.fill(low integer, high integer) LANGUAGE plpgsql AS $$
DECLARE
	made bigint;
BEGIN
	FOR i IN low..high LOOP
		INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, reason, data)
		VALUES (t.practice(1 + i % 2), gen_random_uuid(), (ARRAY['message.accepted', 'message.sending', 'message.sent'])[1 + i % 3],
			CASE WHEN i < 10 THEN '2026-03-30T15:00Z'::timestamptz ELSE '2020-01-01T00:00Z' END + i * interval '6 hours',
			'+12025550101', 'patient ' || i, CASE WHEN i % 4 = 0 THEN 'cap_day' END, jsonb_build_object('n', i))
		RETURNING id INTO made;
		INSERT INTO t.sealed VALUES (i, made);
		COMMIT;
	END LOOP;
END $$;
CALL t.fill(1, 12);
SELECT t.is((SELECT count(DISTINCT tableoid)::text FROM smsbridge.event), '3', 'three partitions');
EXECUTE take('2026-04-02T00:00Z', NULL, 5) \g /dev/null
EXECUTE take('2026-04-02T00:00:05Z', NULL, 5) \g /dev/null
EXECUTE take('2026-04-02T00:00:10Z', NULL, 5) \g /dev/null
EXECUTE take('2026-04-02T00:00:15Z', NULL, 5) \g /dev/null
SELECT t.is(string_agg(format('%s:%s-%s', number, first, last), ' ' ORDER BY number), '1:1-5 2:6-10 3:11-12', 'seals have their numbers')
	FROM smsbridge.seal;

-- The event of a number, and what is found, as compliance staff see it: "what number id".
CREATE FUNCTION t.nth(wanted integer) RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT id FROM t.sealed WHERE n = wanted $$;
CREATE FUNCTION t.finds_in_ledger(wanted text, name text, low bigint DEFAULT NULL, high bigint DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	got text;
BEGIN
	PERFORM set_config('role', 'smsbridge_compliance', true);
	SELECT string_agg(concat_ws(' ', v.what, v.number, CASE WHEN v.event_id IS NOT NULL THEN '#' || v.event_id END), ', ')
		INTO got FROM report.ledger_verify(low, high) v;
	PERFORM set_config('role', 'none', true);
	RETURN t.is(got, nullif(wanted, ''), name);
END $$;
-- Tampers as the owner does, with the triggers off, and tells what is found.
CREATE FUNCTION t.tampered(statement text, wanted text, name text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	told text;
BEGIN
	BEGIN
		SET LOCAL ROLE smsbridge_owner;
		ALTER TABLE smsbridge.event DISABLE TRIGGER USER;
		ALTER TABLE smsbridge.seal DISABLE TRIGGER USER;
		ALTER TABLE smsbridge.seal_list DISABLE TRIGGER USER;
		ALTER TABLE smsbridge.seal_archive DISABLE TRIGGER USER;
		EXECUTE statement;
		RESET ROLE;
		told := t.finds_in_ledger(wanted, coalesce(name, statement));
		RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = told;
	EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
		RETURN SQLERRM;
	END;
END $$;
GRANT SELECT ON ALL TABLES IN SCHEMA t TO PUBLIC;

SELECT t.finds_in_ledger('', 'nothing is wrong');
SELECT t.refused('smsbridge_app', format('INSERT INTO smsbridge.event (practice_id, %s, type, at) VALUES (t.practice(1), %s, ''reply.received'', now())',
	split_part(c, ' ', 1), split_part(c, ' ', 2)), '42501%permission denied%') FROM unnest(ARRAY['xact ''1''', 'id 1', 'recorded_at ''2020-01-01Z''']) AS c;
SELECT t.refused('smsbridge_owner', s, '42501%append-only%') FROM unnest(ARRAY['UPDATE smsbridge.seal SET at = at', 'DELETE FROM smsbridge.seal',
	'UPDATE smsbridge.seal_list SET seal = seal', 'DELETE FROM smsbridge.seal_list', 'TRUNCATE smsbridge.seal_list',
	'TRUNCATE smsbridge.seal_archive', 'TRUNCATE smsbridge.seal CASCADE', 'TRUNCATE smsbridge.seal_signature']) AS s;
SELECT t.refused('smsbridge_app', s, '42501%permission denied%') FROM unnest(ARRAY['UPDATE smsbridge.seal SET at = at', 'DELETE FROM smsbridge.seal',
	'UPDATE smsbridge.seal_list SET seal = seal', 'DELETE FROM smsbridge.seal_list', 'UPDATE smsbridge.seal_signature SET key = 1',
	'DELETE FROM smsbridge.ledger_key', 'DELETE FROM smsbridge.seal_archive', 'TRUNCATE smsbridge.seal',
	'SELECT smsbridge.ledger_archive(''smsbridge.event_2026_03'', ''x'', now())']) AS s;

-- Each column in turn, of each event: found at its number.
SELECT t.tampered(format('UPDATE smsbridge.event SET %s WHERE id = %s', change, t.nth(n)), format('changed %s #%s', n, t.nth(n)))
	FROM generate_series(1, 12) AS n, unnest(ARRAY['practice_id = gen_random_uuid()', 'message_id = gen_random_uuid()', 'message_id = NULL',
		'type = ''message.news''', 'at = at + interval ''1 microsecond''', 'recorded_at = recorded_at - interval ''1 microsecond''',
		'phone = ''+12025550102''', 'phone = NULL', 'patient = patient || '' ''', 'reason = ''no_consent''', 'reason = ''''',
		'data = data || ''{"n": 0}''', 'data = NULL', 'data = ''{"n": "1"}''']) AS change;
SELECT t.tampered(format('UPDATE smsbridge.event SET %s WHERE id = %s', change, t.nth(7)), format('reordered 7 #%s', t.nth(7)))
	FROM unnest(ARRAY['xact = ''1''', 'xact = (xact::text::bigint + 1)::text::xid8', 'xact = ''99999999999''', 'id = id + 1000000', 'id = 0']) AS change;
SELECT t.tampered(format('UPDATE smsbridge.event SET at = at + interval ''100 days'' WHERE id = %s', t.nth(3)), 'changed 3 #' || t.nth(3),
	'moved to another partition');
SELECT t.tampered('UPDATE smsbridge.event SET patient = ''nobody''', (SELECT string_agg(format('changed %s #%s', n, t.nth(n)), ', ' ORDER BY n)
	FROM generate_series(1, 12) AS n), 'all at once');

-- Removed.
SELECT t.tampered(format('DELETE FROM smsbridge.event WHERE id = %s', t.nth(n)), format('removed %s #%s', n, t.nth(n)))
	FROM generate_series(1, 12) AS n;
SELECT t.tampered('ALTER TABLE smsbridge.event DETACH PARTITION smsbridge.event_2026_03', (SELECT string_agg(format('removed %s #%s', n,
	t.nth(n)), ', ' ORDER BY n) FROM generate_series(1, 5) AS n), 'a partition that is detached without a record');

-- Added: with an old transaction, at any place, and with one to come.
CREATE FUNCTION t.forge(behind integer, id_ bigint, at_ text) RETURNS text LANGUAGE sql AS $$
	SELECT format('INSERT INTO smsbridge.event (practice_id, xact, id, type, at) SELECT practice_id, xact, %s, ''reply.received'', %L '
		'FROM smsbridge.event WHERE id = %s', id_, at_, t.nth(behind))
$$;
SELECT t.tampered(t.forge(n, 500000 + n, '2026-03-30T15:00Z'), format('added %s #%s', n, 500000 + n)) FROM generate_series(1, 12) AS n WHERE n < 12;
SELECT t.tampered(t.forge(1, -5, '2026-03-30T15:00Z'), 'added #-5', 'added before the first');
SELECT t.tampered(t.forge(4, t.nth(4), '2026-03-30T15:00Z'), 'added 4 #' || t.nth(4), 'a second one at the same place');
SELECT t.tampered('INSERT INTO smsbridge.event (practice_id, xact, id, type, at) VALUES (t.practice(1), ''9999999999'', 600000, '
	'''reply.received'', ''2026-03-30T15:00Z'')', 'added 12 #600000', 'a transaction that is still to come');
SELECT t.tampered('INSERT INTO smsbridge.event (practice_id, type, at) VALUES (t.practice(1), ''reply.received'', ''2026-03-30T15:00Z'')', '',
	'an honest one that is not sealed yet is none');

-- Reordered: two that change places; one that takes the place of another, which is gone.
CREATE FUNCTION t.exchange(a integer, b integer) RETURNS text LANGUAGE sql AS $$
	SELECT format('WITH two AS (SELECT a.xact AS ax, a.id AS ai, b.xact AS bx, b.id AS bi FROM smsbridge.event a, smsbridge.event b '
		'WHERE a.id = %s AND b.id = %s) UPDATE smsbridge.event e SET xact = CASE e.id WHEN ai THEN bx ELSE ax END, '
		'id = CASE e.id WHEN ai THEN bi ELSE ai END FROM two WHERE e.id IN (ai, bi)', t.nth(a), t.nth(b))
$$;
SELECT t.tampered(t.exchange(a, b), format('reordered %s #%s, reordered %s #%s', a, t.nth(a), b, t.nth(b)), format('%s and %s exchanged', a, b))
	FROM (VALUES (1, 2), (2, 4), (3, 11), (5, 6), (6, 10), (11, 12)) AS v(a, b);
SELECT t.tampered(format('DELETE FROM smsbridge.event WHERE id = %s; UPDATE smsbridge.event e SET xact = d.xacts[4], id = d.ids[4] '
	'FROM smsbridge.seal_list d WHERE d.seal = 1 AND e.id = %s', t.nth(4), t.nth(9)), format('removed 4 #%s, reordered 9 #%s', t.nth(4), t.nth(9)),
	'one in the place of another');

-- The seals themselves.
SELECT t.tampered('DELETE FROM smsbridge.seal WHERE number = 2', 'seal missing 11', 'a seal is gone');
SELECT t.tampered('DELETE FROM smsbridge.seal WHERE number < 3', 'seal missing 11', 'the first two are gone');
SELECT t.tampered('DELETE FROM smsbridge.seal_list WHERE seal = 2', 'seal changed 6', 'a list is gone');
SELECT t.tampered('UPDATE smsbridge.seal SET at = at + interval ''1 second'' WHERE number = 2', 'seal changed 6', 'a seal''s time');
SELECT t.tampered('UPDATE smsbridge.seal SET latest = latest + interval ''1 second'' WHERE number = 2', 'seal changed 6', 'its events'' times');
SELECT t.tampered('UPDATE smsbridge.seal SET head = sha256(''x'') WHERE number = 2', 'seal changed 6, seal changed 11', 'its head');
SELECT t.tampered('UPDATE smsbridge.seal SET previous = sha256(''x'') WHERE number = 2', 'seal changed 6, seal changed 6', 'the head before');
SELECT t.tampered('UPDATE smsbridge.seal SET digest = sha256(''x'') WHERE number = 2', 'seal changed 6, seal changed 6', 'its digest');
SELECT t.tampered('UPDATE smsbridge.seal_list SET times[2] = ''2026-01-01Z'' WHERE seal = 2', 'seal changed 6', 'a time in its list');
SELECT t.tampered('UPDATE smsbridge.seal_list SET hashes[2] = sha256(''x'') WHERE seal = 2', 'seal changed 6, changed 7 #' || t.nth(7),
	'a hash in its list');
-- An event changed and its list with it: the digest no longer fits. And the digest too: the head. And the head too: the next.
SELECT t.tampered(format('UPDATE smsbridge.event SET patient = ''x'' WHERE id = %s; UPDATE smsbridge.seal_list SET hashes[2] = (SELECT sha256('
	'convert_to(smsbridge.event_text(e.practice_id, e.xact, e.id, e.message_id, e.type, e.at, e.recorded_at, e.phone, e.patient, e.reason, '
	'e.data), ''UTF8'')) FROM smsbridge.event e WHERE e.id = %1$s) WHERE seal = 2', t.nth(7)), 'seal changed 6', 'an event with its hash');
SELECT t.tampered(format('UPDATE smsbridge.event SET patient = ''x'' WHERE id = %s; UPDATE smsbridge.seal_list SET hashes[2] = (SELECT sha256('
	'convert_to(smsbridge.event_text(e.practice_id, e.xact, e.id, e.message_id, e.type, e.at, e.recorded_at, e.phone, e.patient, e.reason, '
	'e.data), ''UTF8'')) FROM smsbridge.event e WHERE e.id = %1$s) WHERE seal = 2; UPDATE smsbridge.seal SET digest = (SELECT sha256(convert_to('
	'string_agg(line || E''\n'', '''' ORDER BY number), ''UTF8'')) FROM report.seal_lines WHERE seal = 2) WHERE number = 2; UPDATE smsbridge.seal '
	'SET head = sha256(convert_to(smsbridge.seal_text(number, first, last, earliest, latest, digest, previous, at, key), ''UTF8'')) WHERE '
	'number = 2', t.nth(7)), 'seal changed 11', 'an event with its hash, digest and head');
SELECT t.tampered('ALTER TABLE smsbridge.seal DROP CONSTRAINT seal_check; UPDATE smsbridge.seal SET first = 12, last = 13 WHERE number = 3',
	'seal changed 12, seal changed 12, seal changed 12', 'numbers that leave a gap');

-- Ranges are whole seals.
SELECT t.finds_in_ledger('', 'a range', 6, 7);
BEGIN;
ALTER TABLE smsbridge.event DISABLE TRIGGER USER;
UPDATE smsbridge.event SET patient = 'x' WHERE id IN (t.nth(1), t.nth(7), t.nth(12));
SELECT t.finds_in_ledger('changed 1 #' || t.nth(1), 'the first seal', 1, 5);
SELECT t.finds_in_ledger('changed 7 #' || t.nth(7), 'the second', 10, 10);
SELECT t.finds_in_ledger(format('changed 7 #%s, changed 12 #%s', t.nth(7), t.nth(12)), 'from the second', 6);
SELECT t.finds_in_ledger(format('changed 1 #%s, changed 7 #%s', t.nth(1), t.nth(7)), 'to the second', NULL, 8);
ROLLBACK;

-- Signatures, as far as SQL can see.
BEGIN;
INSERT INTO smsbridge.ledger_key (id, public_key, at) VALUES (1, sha256('1'), '2026-04-01Z');
INSERT INTO smsbridge.ledger_key (id, public_key, previous, at, endorsement) VALUES (2, sha256('2'), 1, '2026-04-01Z', sha256('e'));
SELECT t.refused('smsbridge_app', 'INSERT INTO smsbridge.ledger_key (id, public_key, previous, at) VALUES (3, sha256(''3''), 1, now())', '23%');
SELECT t.refused('smsbridge_app', 'INSERT INTO smsbridge.ledger_key (id, public_key, at) VALUES (3, sha256(''3''), now())', '23%');
COMMIT;
CALL t.fill(13, 14);
BEGIN;
EXECUTE take('2026-04-02T00:00Z', 2, 1) \g /dev/null
SELECT t.finds_in_ledger('bad signature 13', 'a signature that is missing');
INSERT INTO smsbridge.seal_signature VALUES (4, 1, sha256('s') || sha256('s'));
SELECT t.finds_in_ledger('bad signature 13', 'of another key');
ROLLBACK;
BEGIN;
EXECUTE take('2026-04-02T00:00Z', 2, 1) \g /dev/null
INSERT INTO smsbridge.seal_signature VALUES (4, 2, sha256('s') || sha256('s'));
SELECT t.finds_in_ledger('', 'signed; whether well is not for SQL');
SAVEPOINT signed;
EXECUTE take('2026-04-02T00:00Z', NULL, 1) \g /dev/null
SELECT t.finds_in_ledger('bad signature 14', 'unsigned behind a signed one');
ROLLBACK TO signed;
EXECUTE take('2026-04-02T00:00Z', 1, 1) \g /dev/null
INSERT INTO smsbridge.seal_signature VALUES (5, 1, sha256('s') || sha256('s'));
SELECT t.finds_in_ledger('bad signature 14', 'an old key behind a new one');
ROLLBACK;
EXECUTE take('2026-04-02T00:00Z', NULL, 5) \g /dev/null

-- No second seal may have a place that is taken.
SELECT t.refused('smsbridge_app', format('INSERT INTO smsbridge.seal SELECT 5, %s, xact, event_id, earliest, latest, digest, %s, sha256(''%s''), '
	'at, key FROM smsbridge.seal WHERE number = 4', numbers, previous, numbers), '23505%') FROM (VALUES ('13, 20', 'sha256(''a'')'),
	('15, 16', 'previous')) AS v(numbers, previous);
SELECT t.refused('smsbridge_app', 'INSERT INTO smsbridge.seal SELECT 5, 15, 14, xact, event_id, earliest, latest, digest, head, sha256(''x''), at, key '
	'FROM smsbridge.seal WHERE number = 4', '23514%');

-- A month moves out: with a record it is not missed, and the record must be right.
SELECT t.refused('smsbridge_owner', 'SELECT smsbridge.ledger_archive(''smsbridge.event_default'', ''x'', ''2026-05-01Z'')', 'P0001%no month%');
SELECT t.refused('smsbridge_owner', 'SELECT smsbridge.ledger_archive(''smsbridge.message'', ''x'', ''2026-05-01Z'')', 'P0001%no month%');
INSERT INTO smsbridge.event (practice_id, type, at) VALUES (t.practice(1), 'reply.received', '2026-03-31T00:00Z');
SELECT t.refused('smsbridge_owner', 'SELECT smsbridge.ledger_archive(''smsbridge.event_2026_03'', ''x'', ''2026-05-01Z'')',
	'P0001%holds 6 events, the seals list 5%');
EXECUTE take('2026-04-02T00:00Z', NULL, 5) \g /dev/null
BEGIN;
ALTER TABLE smsbridge.event DISABLE TRIGGER USER;
UPDATE smsbridge.event SET patient = 'x' WHERE id = t.nth(2);
SELECT t.refused('smsbridge_owner', 'SELECT smsbridge.ledger_archive(''smsbridge.event_2026_03'', ''x'', ''2026-05-01Z'')', 'P0001%of which 5 are as sealed%');
DELETE FROM smsbridge.event WHERE id = t.nth(2);
SELECT t.refused('smsbridge_owner', 'SELECT smsbridge.ledger_archive(''smsbridge.event_2026_03'', ''x'', ''2026-05-01Z'')',
	'P0001%holds 5 events, the seals list 6%');
ROLLBACK;
BEGIN;
SET LOCAL ROLE smsbridge_owner;
SELECT t.is(smsbridge.ledger_archive('smsbridge.event_2026_03', 'retention', '2026-05-01T00:00Z')::text, '6', 'six events leave');
ALTER TABLE smsbridge.event DETACH PARTITION smsbridge.event_2026_03;
COMMIT;
SELECT t.finds_in_ledger('', 'moved out with a record');
CREATE FUNCTION t.month() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', what, number, '#' || event_id), ', ')
	FROM smsbridge.ledger_verify_month('smsbridge.event_2026_03', '2026-03-01Z', '2026-04-01Z')
$$;
SELECT t.is(t.month(), NULL, 'the month, where it is kept');
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE smsbridge.event_2026_03 SET patient = 'x' WHERE id = t.nth(1);
DELETE FROM smsbridge.event_2026_03 WHERE id = t.nth(2);
INSERT INTO smsbridge.event_2026_03 (practice_id, xact, id, type, at) VALUES (t.practice(1), '1', 700000, 'reply.received', '2026-03-31Z');
SELECT t.is(t.month(), format('changed 1 #%s, removed 2 #%s, added #700000', t.nth(1), t.nth(2)), 'and what is wrong with it');
ROLLBACK;
SELECT t.is((SELECT count(*)::text FROM report.seal_archives WHERE partition = 'smsbridge.event_2026_03' AND events = 6 AND last = 15), '1', 'the record');
INSERT INTO smsbridge.event (practice_id, type, at) VALUES (t.practice(1), 'reply.received', '2026-03-31T00:00Z');
EXECUTE take('2026-05-02T00:00Z', NULL, 50) \g /dev/null
SELECT t.finds_in_ledger('', 'an event of that month that comes later is sealed like others');
SELECT max(id) AS newest FROM smsbridge.event \gset
SELECT t.tampered('DELETE FROM smsbridge.event WHERE at = ''2026-03-31T00:00Z''', 'removed 17 #' || :newest, 'and is missed when it goes');
SELECT t.tampered('UPDATE smsbridge.seal_archive SET events = 7', 'archive, archive', 'a record that is wrong');
SELECT t.tampered('UPDATE smsbridge.seal_archive SET latest = ''2026-05-01Z''', 'archive', 'a record that covers more');
SELECT string_agg(format('removed %s #%s', l.number, l.id), ', ' ORDER BY l.number) AS missed FROM report.seal_lines l
	WHERE l.at < '2026-04-01Z' AND l.at > '2026-01-01Z' AND l.number < 16 \gset
SELECT t.tampered('DELETE FROM smsbridge.seal_archive', :'missed', 'no record any more');
SELECT t.tampered('INSERT INTO smsbridge.seal_archive SELECT ''smsbridge.event_2026_04'', ''2026-04-01Z'', ''2026-05-01Z'', 1, last, 0, number, '
	'head, at, ''x'' FROM smsbridge.seal ORDER BY number DESC LIMIT 1; DELETE FROM smsbridge.event WHERE id = ' || t.nth(7), 'archive, archive',
	'a record that somebody made up');
SELECT t.is((SELECT string_agg(detail, '') FROM smsbridge.ledger_verify()), NULL, 'and at the end nothing is wrong');
