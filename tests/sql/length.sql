-- Rule 1: at most 160 characters and one segment, whatever the gateway said about encoding and segments.
BEGIN;
SELECT t.finds('', 'an empty database has no violations');
SELECT t.sent('fits', '+12025550101', '2026-03-03T15:00Z', body => repeat('a', 160));
SELECT t.sent('extension fits', '+12025550102', '2026-03-03T15:00Z', body => repeat('a', 140) || repeat('{', 10));
SELECT t.sent('seventy', '+12025550103', '2026-03-03T15:00Z', body => repeat('б', 70));
SELECT t.sent('thirty-five pairs', '+12025550104', '2026-03-03T15:00Z', body => repeat(U&'\+01F600', 35));
SELECT t.sent('eighty euros', '+12025550105', '2026-03-03T15:00Z', body => repeat('€', 80));
SELECT t.accept('too long but never sent', '+12025550106', '2026-03-03T15:00Z', body => repeat('a', 161));
SELECT t.tell('too long but never sent', 'message.blocked', '2026-03-03T15:00Z');
SELECT t.finds('', 'what fits one segment is legal');
ROLLBACK;

BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-03T15:00Z', body => repeat('a', 161));
SELECT t.finds('length a', '161 characters');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-03T15:00Z', body => repeat('a', 159) || '}');
SELECT t.finds('length a', '160 characters, 161 septets');
SELECT t.is(detail, 'The text needs 161 septets of the GSM alphabet; one segment holds 160.', 'the sentence says the number')
	FROM report.violations;
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-03T15:00Z', body => repeat('a', 70) || '’');
SELECT t.finds('length a', 'one character outside the alphabet among 71');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-03T15:00Z', body => repeat('a', 69) || U&'\+01F600');
SELECT t.finds('length a', '70 characters, 71 UTF-16 units');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-03T15:00Z', body => repeat('a', 161));
SELECT t.refund('a', 'message.requeued', '2026-03-03T15:00:01Z');
SELECT t.send('a', '2026-03-03T15:01Z');
SELECT t.finds('length a', 'a message that went once is told once');
ROLLBACK;

-- A practice whose rules allow several segments of 67 units.
BEGIN;
UPDATE smsbridge.practice SET max_segments = 2;
SELECT t.sent('two full', '+12025550101', '2026-03-03T15:00Z', body => repeat('б', 134));
SELECT t.sent('sixty-seven pairs', '+12025550102', '2026-03-03T15:00Z', body => repeat(U&'\+01F600', 67));
SELECT t.finds('', 'two segments are legal where two are allowed');
SELECT t.sent('one more', '+12025550103', '2026-03-03T15:00Z', body => repeat('б', 135));
SELECT t.finds('length one more', '135 units need three segments');
UPDATE smsbridge.practice SET max_segments = 3;
SELECT t.finds('', 'three are allowed');
SELECT t.sent('characters', '+12025550104', '2026-03-03T15:00Z', body => repeat('б', 161));
SELECT t.finds('length characters', '161 characters are never allowed');
SELECT t.sent('gsm', '+12025550105', '2026-03-03T15:00Z', body => repeat('a', 159) || '}');
SELECT t.finds('length characters, length gsm', 'a text of the GSM alphabet has one segment all the same');
UPDATE smsbridge.practice SET max_segments = 1;
SELECT t.is(count(*)::text, '5', 'taken away, all are violations') FROM report.violations WHERE rule = 'length';
ROLLBACK;

-- The alphabet in the view against the rows of proto/gsm7.def, character by character, and what it has not.
SELECT t.is(count(*)::text, '137', 'proto/gsm7.def was read') FROM t.gsm7;
BEGIN;
SELECT t.sent('ext ' || code, '+1' || 2000000000 + code, '2026-03-03T15:00Z',
	body => repeat(chr(code), CASE WHEN extension THEN 80 ELSE 160 END)) FROM t.gsm7 \g /dev/null
SELECT t.is(count(*)::text, '0', 'each character of the alphabet: one full segment') FROM report.violations WHERE rule = 'length';
ROLLBACK;
BEGIN;
SELECT t.sent('ext ' || code, '+1' || 2000000000 + code, '2026-03-03T15:00Z', body => repeat(chr(code), 81))
	FROM t.gsm7 WHERE extension \g /dev/null
SELECT t.is(count(*)::text, '10', 'each character of the extension takes two septets') FROM report.violations
	WHERE rule = 'length' AND detail LIKE '%162 septets%';
ROLLBACK;
BEGIN;
SELECT t.sent('other ' || code, '+1' || 2000000000 + code, '2026-03-03T15:00Z', body => repeat('a', 70) || chr(code))
	FROM generate_series(1, 1279) AS code WHERE code NOT IN (SELECT code FROM t.gsm7) \g /dev/null
SELECT t.is(count(*)::text, (1279 - 136)::text,
	'no other character up to U+04FF is in it (136 are, and the euro sign beyond)') FROM report.violations WHERE rule = 'length';
ROLLBACK;
