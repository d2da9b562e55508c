-- Rule 3: 08:00 to 21:00 exclusive in every zone in which the patient may be.
-- 202 is in one zone (Eastern), 850 in two (Central and Eastern), 602 in Arizona; 211 is no place.
SELECT t.is(string_agg(npa || ' ' || zones, ', ' ORDER BY npa), '202 America/New_York, 602 America/Phoenix, '
	'850 America/Chicago America/New_York', 'the area codes that these cases stand on')
	FROM (SELECT npa, string_agg(zone, ' ' ORDER BY zone) AS zones FROM smsbridge.npa_zone
		WHERE npa IN ('202', '211', '602', '850') GROUP BY npa) AS a;

BEGIN;
SELECT t.sent('opens', '+12025550101', '2026-01-15 08:00:00 America/New_York');
SELECT t.sent('closes', '+12025550102', '2026-01-15 20:59:59.999999 America/New_York');
SELECT t.sent('both open', '+18505550103', '2026-01-15 08:00:00 America/Chicago');
SELECT t.sent('both still open', '+18505550104', '2026-01-15 20:59:59 America/New_York');
SELECT t.sent('given zone wins', '+12025550105', '2026-01-15 20:00:00 America/Los_Angeles', time_zone => 'America/Los_Angeles');
SELECT t.sent('unknown area', '+12115550106', '2026-01-15 08:00:00 America/Los_Angeles');
SELECT t.sent('Arizona opens', '+16025550107', '2026-07-15 15:00:00Z');
SELECT t.sent('Arizona in winter', '+16025550108', '2026-01-15 15:00:00Z');
SELECT t.accept('held overnight', '+12025550109', '2026-01-15 22:00:00 America/New_York');
SELECT t.tell('held overnight', 'message.held', '2026-01-15 22:00:00 America/New_York');
SELECT t.send('held overnight', '2026-01-16 08:00:00 America/New_York');
SELECT t.finds('', 'the edges of the day are legal');
ROLLBACK;

BEGIN;
SELECT t.sent('a', '+12025550101', '2026-01-15 07:59:59.999999 America/New_York');
SELECT t.finds('quiet_hours a', 'a microsecond before eight');
SELECT t.is(detail, 'Sent at 07:59:59 on 2026-01-15 in America/New_York; 08:00:00 to 20:59:59 is allowed.', 'the sentence has the clock')
	FROM report.violations;
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-01-15 21:00:00 America/New_York');
SELECT t.finds('quiet_hours a', 'nine in the evening');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-01-15 00:00:00 America/New_York');
SELECT t.finds('quiet_hours a', 'midnight');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+18505550101', '2026-01-15 08:00:00 America/New_York');
SELECT t.finds('quiet_hours a', 'two zones: open in one, not yet in the other');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+18505550101', '2026-01-15 20:00:00 America/Chicago');
SELECT t.finds('quiet_hours a', 'two zones: closed in one, still open in the other');
SELECT t.is(detail, 'Sent at 21:00:00 on 2026-01-15 in America/New_York; 08:00:00 to 20:59:59 is allowed.', 'it names the zone')
	FROM report.violations;
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-01-15 09:00:00 America/New_York', time_zone => 'America/Los_Angeles');
SELECT t.finds('quiet_hours a', 'the given zone is what counts');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12115550101', '2026-01-15 08:00:00 America/Denver');
SELECT t.finds('quiet_hours a', 'an unknown area code: before eight in Los Angeles');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12115550101', '2026-01-15 21:00:00 America/New_York');
SELECT t.finds('quiet_hours a', 'an unknown area code: nine in New York');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-01-15 07:00:00 America/New_York', time_zone => 'Mars/Olympus_Mons');
SELECT t.finds('quiet_hours a', 'a zone that is none: the area code''s');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+16025550101', '2026-07-15 14:59:59Z');
SELECT t.finds('quiet_hours a', 'Arizona has no summer time: still 07:59:59');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+16025550101', '2026-07-16 04:00:00Z');
SELECT t.finds('quiet_hours a', 'Arizona in summer closes at 04:00 UTC');
ROLLBACK;

-- The clocks change on 2026-03-08 and 2026-11-01.
BEGIN;
SELECT t.sent('spring opens', '+12025550101', '2026-03-08T12:00Z');
SELECT t.sent('day before opens', '+12025550102', '2026-03-07T13:00Z');
SELECT t.sent('spring closes', '+12025550103', '2026-03-09T00:59:59Z');
SELECT t.sent('autumn opens', '+12025550104', '2026-11-01T13:00Z');
SELECT t.sent('autumn closes', '+12025550105', '2026-11-02T01:59:59Z');
SELECT t.finds('', 'days on which the clock changes: legal edges');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-08T11:59:59Z');
SELECT t.finds('quiet_hours a', 'spring: a second before eight of summer time');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-09T01:00Z');
SELECT t.finds('quiet_hours a', 'spring: nine in the evening of summer time');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-11-01T12:30Z');
SELECT t.finds('quiet_hours a', 'autumn: 07:30, which was 08:30 the day before');
ROLLBACK;

-- The gateway's word is not taken: neither its facts nor the category of the verdict.
BEGIN;
SELECT t.accept('a', '+12025550101', '2026-01-15T07:00Z');
SELECT t.tell('a', 'message.sending', '2026-01-15T08:00Z', NULL,
	'{"category": "help_reply", "opted_out": false, "local": {"America/New_York": "2026-01-15T12:00:00"}}');
SELECT t.finds('quiet_hours a', 'facts that say noon do not help at three at night');
ROLLBACK;
BEGIN;
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone) VALUES
	(t.practice(1), '33333333-3333-7333-8333-333333333333', 'message.sending', '2026-01-15T08:00Z', '+12025550101');
SELECT t.finds('class ?, quiet_hours ?', 'a send that was never accepted is held to the strictest rules');
ROLLBACK;
