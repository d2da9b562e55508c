-- Holds, measures and years: what a hold covers, what stays of a text, what has ended, what leaves with its month.
INSERT INTO smsbridge.legal_hold (practice_id, id, phone, patient, reason, placed_by, placed_at) VALUES
	(t.practice(1), gen_random_uuid(), '+12025550101', NULL, 'r', 'b', '2026-03-01'),
	(t.practice(1), gen_random_uuid(), NULL, 'p-7', 'r', 'b', '2026-03-01');
SELECT t.accept('of p-7', '+12025550107', '2026-03-02T15:00Z', patient => 'p-7') \g /dev/null
SELECT t.is(smsbridge.held(p, phone, patient)::text, wanted, what) FROM (VALUES
	(t.practice(1), '+12025550101', 'p-1', 'true', 'a hold on a phone covers whoever is texted there'),
	(t.practice(1), '+12025550102', 'p-7', 'true', 'a hold on a patient covers every phone'),
	(t.practice(1), '+12025550102', 'p-1', 'false', 'and nobody else'),
	(t.practice(1), '+12025550107', '', 'true', 'a text from a phone that the held patient was texted at'),
	(t.practice(1), '+12025550107', 'p-1', 'false', 'but not what went to another patient there'),
	(t.practice(1), '+12025550102', '', 'false', 'nor a text from any phone'),
	(t.practice(2), '+12025550101', 'p-7', 'false', 'nor what another practice keeps')) AS c(p, phone, patient, wanted, what);
BEGIN;
INSERT INTO smsbridge.legal_hold (practice_id, id, reason, placed_by, placed_at)
	VALUES (t.practice(2), gen_random_uuid(), 'r', 'b', '2026-03-01');
SELECT t.is(smsbridge.held(t.practice(2), '+12025550199', '')::text, 'true', 'a hold without a phone or patient covers the practice');
UPDATE smsbridge.legal_hold SET lifted_at = '2026-03-02' WHERE practice_id = t.practice(2);
SELECT t.is(smsbridge.held(t.practice(2), '+12025550199', '')::text, 'false', 'until it is lifted');
ROLLBACK;
SELECT t.refused('smsbridge_owner', s, '23514%') FROM unnest(ARRAY[
	'INSERT INTO smsbridge.legal_hold (practice_id, id, reason, placed_by, placed_at) VALUES (t.practice(1), gen_random_uuid(), '''', ''b'', now())',
	'INSERT INTO smsbridge.legal_hold (practice_id, id, patient, reason, placed_by, placed_at)
		VALUES (t.practice(1), gen_random_uuid(), '''', ''r'', ''b'', now())']) AS s;

-- What stays of a text agrees with proto/gsm7.def, character by character, and with SHA-256.
SELECT t.is(count(*)::text, '0', 'every character of the alphabet takes its septets') FROM t.gsm7
	WHERE (smsbridge.text_measure(chr(code))->>'septets')::int IS DISTINCT FROM 1 + extension::int AND code <> 27;
SELECT t.is(smsbridge.text_measure(body)->>key, wanted, what) FROM (VALUES
	('abc', 'sha256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'the hash of abc'),
	('abc', 'characters', '3', 'its characters'), ('€', 'septets', '2', 'an escape counts twice'), ('€', 'octets', '3', 'octets of UTF-8'),
	('Щ', 'septets', NULL, 'what the alphabet lacks has no septets'), ('a😀', 'utf16', '3', 'and is counted in UTF-16 units'),
	('a😀', 'characters', '2', 'or characters')) AS c(body, key, wanted, what);

SELECT t.is(smsbridge.message_ended(status, expires::timestamptz, '2026-03-10')::text, wanted, status || ' that expires ' || expires)
	FROM (VALUES ('delivered', '2026-04-01', 'true'), ('blocked', '2026-04-01', 'true'), ('scheduled', '2026-03-01', 'false'),
		('held', '2026-03-01', 'false'), ('sending', '2026-03-01', 'false'), ('sent', '2026-03-01', 'false'),
		('unconfirmed', '2026-03-11', 'false'), ('unconfirmed', '2026-03-10', 'true'), ('uncertain', '2026-03-10', 'true'))
		AS c(status, expires, wanted);

-- Six years: not a day less, whatever is asked; the month that the cutoff is in stays. Without the ledger, which would
-- refuse what no gateway has sealed (ledger.sql).
DROP FUNCTION IF EXISTS smsbridge.ledger_archive(regclass, text, timestamptz);
SELECT smsbridge.partitions_make('2019-12-15T00:00Z') \g /dev/null
SELECT t.is(string_agg(partition, ' ' ORDER BY partition), 'access_2019_12 access_2020_01 event_2019_12 event_2020_01',
	'months that ended six years ago leave') FROM smsbridge.retention_move(1, '2026-02-02T00:00Z', 'Ada Stone') WHERE result = 'moved';
SELECT t.is(count(*)::text, '0', 'once') FROM smsbridge.retention_move(1, '2026-02-02T00:00Z', 'Ada Stone');
SELECT t.is(count(*)::text, '0', 'nothing younger') FROM smsbridge.retention_move(2192, '2026-02-28T23:59Z', 'Ada Stone');
SELECT t.is(count(*)::text, '2', 'but in time') FROM smsbridge.retention_move(2192, '2026-03-02T00:00Z', 'Ada Stone');
SELECT t.refused(r, 'SELECT * FROM smsbridge.retention_move(2192, now(), ''x'')', '42501%permission denied%')
	FROM unnest(ARRAY['smsbridge_app', 'smsbridge_compliance']) AS r;
SELECT t.refused('smsbridge_owner', s, '42501%append-only%') FROM unnest(ARRAY['TRUNCATE archive.event_2019_12', 'TRUNCATE archive.access_2019_12']) AS s;
SELECT t.is(count(*)::text, '6', 'each is told of') FROM report.archives WHERE moved_by = 'Ada Stone';
