-- Notes of who touched patients' data: nobody changes or takes away one, on any partition; auditors see them and no
-- phone; only functions write for commands, and they keep the role's name.
SELECT smsbridge.partitions_make('2026-03-15T00:00Z') \g /dev/null
INSERT INTO smsbridge.access (practice_id, at, who_kind, principal, action, door, phone_hash, outcome)
	SELECT t.practice(1), at, 'key', '0123456789abcdef', 'read', 'GET /v1/messages/{id}', smsbridge.phone_hash('+12025550101'), '200'
	FROM unnest(ARRAY['2026-03-02T15:00Z', '2026-04-02T15:00Z', '2019-04-02T15:00Z']::timestamptz[]) AS at;
CREATE TABLE t.partition AS SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'smsbridge.access'::regclass;
GRANT SELECT ON ALL TABLES IN SCHEMA t TO PUBLIC;
SELECT t.is((count(*) >= 5)::text, 'true', 'there are partitions') FROM t.partition;
SELECT t.is(count(*)::text, '0', 'every partition has its triggers') FROM t.partition
	WHERE (SELECT count(*) FROM pg_trigger g WHERE g.tgrelid = name::regclass AND g.tgenabled = 'O'
		AND g.tgfoid = 'smsbridge.refuse_change'::regproc) <> 2;
SELECT t.refused('smsbridge_owner', s, '42501%append-only%') FROM (SELECT name FROM t.partition WHERE name ~ '2026_0[34]|default'
	UNION ALL SELECT 'smsbridge.access') AS p, unnest(ARRAY['UPDATE ' || name || ' SET why = ''x''', 'DELETE FROM ' || name,
		'TRUNCATE ' || name]) AS s;
SELECT t.refused('smsbridge_app', s, '42501%permission denied%') FROM (SELECT name FROM t.partition UNION ALL SELECT 'smsbridge.access') AS p,
	unnest(ARRAY['UPDATE ' || name || ' SET why = ''x''', 'DELETE FROM ' || name, 'TRUNCATE ' || name]) AS s;
SELECT t.refused(r, 'SELECT key FROM smsbridge.access_secret', '42501%permission denied%')
	FROM unnest(ARRAY['smsbridge_app', 'smsbridge_compliance']) AS r;
SELECT t.refused('smsbridge_compliance', s, '42501%permission denied%') FROM unnest(ARRAY['SELECT smsbridge.phone_hash(''+12025550101'')',
	'INSERT INTO smsbridge.access DEFAULT VALUES', 'SELECT * FROM smsbridge.access']) AS s;
SELECT t.is(count(*)::text, '3', 'nothing is lost') FROM smsbridge.access;
SELECT t.is((count(DISTINCT phone_hash) = 1 AND bool_and(phone_hash <> sha256('+12025550101')))::text, 'true',
	'a phone has one hash, that nobody without the key can make') FROM smsbridge.access;
SELECT t.is(count(*)::text, '0', 'no column holds a phone') FROM smsbridge.access a WHERE a::text LIKE '%2025550101%';

BEGIN;
SET LOCAL ROLE smsbridge_compliance;
SELECT report.access_note(NULL, '2026-03-02T16:00Z', 'person', 'Ada Stone', 'read', 'report messages', NULL, 'P-1', '+12025550101',
	'desk', 'audit') \g /dev/null
SELECT t.is(string_agg(principal || ' ' || action || ' ' || why || ' ' || outcome, ', '), 'Ada Stone read audit begun',
	'a command of the auditors leaves its note, and they read it') FROM report.access WHERE who_kind = 'person';
SELECT t.is(db_role::text, session_user::text, 'with the name of the role that logged in') FROM report.access WHERE who_kind = 'person';
ROLLBACK;
