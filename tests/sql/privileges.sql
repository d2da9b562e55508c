-- Who may do what. Compliance staff read the views and nothing else; the gateway adds events and changes none; the owner
-- is stopped by triggers, on every partition. Fixed months, so that there are partitions with rows and without.
SELECT smsbridge.partitions_make('2026-03-15T00:00Z') \g /dev/null
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.sent('b', '+12025550101', '2026-04-02T15:00Z');
SELECT t.sent('c', '+12025550101', '2020-01-02T15:00Z');
SELECT t.word('opt_out.created', '+12025550102', '2026-05-02T15:00Z') \g /dev/null
CREATE TABLE t.relation AS
	SELECT c.oid, format('smsbridge.%I', c.relname) AS name, c.relkind, c.relispartition FROM pg_class c
	WHERE c.relnamespace = 'smsbridge'::regnamespace AND c.relkind IN ('r', 'p', 'v');
CREATE TABLE t.partition AS SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'smsbridge.event'::regclass;
GRANT SELECT ON ALL TABLES IN SCHEMA t TO PUBLIC;
SELECT t.is((count(*) > 20)::text, 'true', 'there are relations to try') FROM t.relation;
SELECT t.is((count(*) >= 5)::text, 'true', 'there are partitions to try') FROM t.partition;

-- smsbridge_compliance
SELECT t.refused('smsbridge_compliance', s, '42501%permission denied for schema smsbridge%') FROM t.relation,
	unnest(ARRAY['SELECT * FROM ' || name, 'INSERT INTO ' || name || ' DEFAULT VALUES', 'DELETE FROM ' || name,
		'TRUNCATE ' || name, 'CREATE TABLE smsbridge.mine ()', 'LOCK TABLE ' || name]) AS s;
SELECT t.refused('smsbridge_compliance', format('UPDATE %s SET %I = NULL', r.name, a.attname), '42501%permission denied for schema smsbridge%')
	FROM t.relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = 1;
SELECT t.refused('smsbridge_compliance', s, '42501%') FROM unnest(ARRAY['CREATE TABLE report.mine ()', 'CREATE VIEW report.mine AS SELECT 1',
	'CREATE TABLE public.mine ()', 'CREATE FUNCTION report.mine() RETURNS int LANGUAGE sql AS ''SELECT 1''', 'CREATE SCHEMA mine',
	'DROP VIEW report.violations', 'ALTER VIEW report.messages SET (security_barrier = false)',
	'CREATE OR REPLACE VIEW report.violations AS SELECT 1',
	'SELECT smsbridge.partitions_make(now())', 'SELECT nextval(''smsbridge.event_id'')',
	'ALTER ROLE smsbridge_compliance SUPERUSER', 'COPY report.daily TO PROGRAM ''true''', 'SELECT pg_read_file(''PG_VERSION'')']) AS s;
SELECT t.refused('smsbridge_compliance', s, '%cannot % view%') FROM unnest(ARRAY['INSERT INTO report.messages DEFAULT VALUES',
	'DELETE FROM report.violations', 'UPDATE report.daily SET sent = 0']) AS s;
SELECT t.is(string_agg(c.relname, ' ' ORDER BY c.relname), (SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
	WHERE relnamespace = 'report'::regnamespace AND relkind = 'v'), 'what it may read: the views of report, and nothing else')
	FROM pg_class c WHERE c.relnamespace IN ('report'::regnamespace, 'smsbridge'::regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
		AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege('smsbridge_compliance', c.oid, 'USAGE, SELECT, UPDATE')
			ELSE has_any_column_privilege('smsbridge_compliance', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
				OR has_table_privilege('smsbridge_compliance', c.oid, 'DELETE, TRUNCATE, TRIGGER') END;
SELECT t.is(count(*)::text, '0', 'and it may do no more than read') FROM pg_class c WHERE c.relnamespace = 'report'::regnamespace
	AND has_table_privilege('smsbridge_compliance', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER');
SELECT t.is(count(*)::text, '0', 'it is a member of no role') FROM pg_auth_members WHERE member = 'smsbridge_compliance'::regrole;
SELECT t.is(string_agg(DISTINCT pg_get_userbyid(relowner) || ' ' || (reloptions @> ARRAY['security_barrier=true']), ', '),
	'smsbridge_owner true', 'views belong to the owner and are barriers') FROM pg_class WHERE relnamespace = 'report'::regnamespace AND relkind = 'v';
BEGIN;
SET LOCAL ROLE smsbridge_compliance;
SELECT t.is(count(*)::text, '3', 'it reads report.messages') FROM report.messages;
SELECT t.is(count(*)::text, '1', 'it reads report.opt_outs') FROM report.opt_outs;
SELECT t.is(count(*)::text, '3', 'it reads report.decisions') FROM report.decisions;
SELECT t.is(count(*)::text, '4', 'it reads report.daily') FROM report.daily;
SELECT t.is(count(*)::text, '1', 'it reads report.violations, and no pack was in force in 2020') FROM report.violations;
ROLLBACK;

-- smsbridge_app
SELECT t.refused('smsbridge_app', s, '42501%permission denied for table%') FROM (SELECT 'smsbridge.event' AS name UNION ALL SELECT name
	FROM t.partition) AS e, unnest(ARRAY['UPDATE ' || name || ' SET at = at', 'DELETE FROM ' || name, 'TRUNCATE ' || name]) AS s;
SELECT t.refused('smsbridge_app', 'INSERT INTO smsbridge.event (practice_id, id, xact, type, at) SELECT practice_id, id, xact, type, at '
	'FROM smsbridge.event ON CONFLICT (practice_id, xact, id, at) DO UPDATE SET type = ''message.news''', '42501%permission denied for table%');
SELECT t.refused('smsbridge_app', s, '42501%must be owner%') FROM unnest(ARRAY['ALTER TABLE smsbridge.event DISABLE TRIGGER ALL',
	'DROP TABLE smsbridge.event', 'ALTER TABLE smsbridge.event DETACH PARTITION smsbridge.event_2026_03', 'DROP VIEW report.violations']) AS s;
SELECT t.refused('smsbridge_app', s, '42501%permission denied for schema%') FROM unnest(ARRAY['CREATE TABLE smsbridge.mine ()',
	'CREATE VIEW report.mine AS SELECT 1']) AS s;

-- smsbridge_owner
SELECT t.refused('smsbridge_owner', s, '42501%append-only%') FROM unnest(ARRAY['UPDATE smsbridge.event SET at = at', 'DELETE FROM smsbridge.event',
	'TRUNCATE smsbridge.event', 'UPDATE smsbridge.event SET at = at + interval ''1 month''']) AS s;
SELECT t.refused('smsbridge_owner', 'TRUNCATE ' || name, '42501%append-only%') FROM t.partition;
SELECT t.refused('smsbridge_owner', s, '42501%append-only%') FROM unnest(ARRAY['smsbridge.event_2026_03', 'smsbridge.event_2026_04',
	'smsbridge.event_2026_05', 'smsbridge.event_default']) AS name, unnest(ARRAY['UPDATE ' || name || ' SET type = ''message.news''',
	'DELETE FROM ' || name]) AS s;
SELECT t.is(count(*)::text, '0', 'every partition has its triggers') FROM pg_inherits
	WHERE inhparent = 'smsbridge.event'::regclass AND (SELECT count(*) FROM pg_trigger g WHERE g.tgrelid = inhrelid AND g.tgenabled = 'O'
		AND g.tgfoid = 'smsbridge.refuse_change'::regproc) <> 2;
SELECT t.is(count(*)::text, '9', 'and nothing is lost') FROM smsbridge.event;
