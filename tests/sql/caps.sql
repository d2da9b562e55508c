-- Rule 4: one a day and three a week, to a phone and to a patient of a practice, on the rolling clock and the calendar.
BEGIN;
SELECT t.sent('mon', '+12025550101', '2026-03-02T15:00Z');
SELECT t.sent('tue', '+12025550101', '2026-03-03T15:00Z');
SELECT t.sent('wed', '+12025550101', '2026-03-04T15:00Z');
SELECT t.sent('mon again', '+12025550101', '2026-03-09T15:00Z');
SELECT t.sent('tue again', '+12025550101', '2026-03-10T15:00Z');
SELECT t.sent('other practice', '+12025550101', '2026-03-02T16:00Z', practice => 2);
SELECT t.sent('other patient and phone', '+12025550102', '2026-03-02T15:00Z');
SELECT t.finds('', 'exactly 24 and 168 hours apart is legal; practices and patients do not share a cap');
ROLLBACK;

BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T20:00Z');
SELECT t.sent('b', '+12025550101', '2026-03-03T19:59:59.999999Z');
SELECT t.finds('cap_day b', 'a microsecond under 24 hours, on another date');
SELECT t.is(detail, '23:59:59.999999 before it a text went to the same phone, less than 24 hours; '
	'23:59:59.999999 before it a text went to the same patient, less than 24 hours.', 'phone and patient in one row')
	FROM report.violations;
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T20:00Z', patient => 'one');
SELECT t.sent('b', '+12025550101', '2026-03-02T22:00Z', patient => 'two');
SELECT t.finds('cap_day b', 'one phone, two patients');
SELECT t.is(detail, '02:00:00 before it a text went to the same phone, less than 24 hours, on the same date in America/New_York.',
	'it names the date''s zone') FROM report.violations;
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T20:00Z', patient => 'one');
SELECT t.sent('b', '+12025550102', '2026-03-02T22:00Z', patient => 'one');
SELECT t.finds('cap_day b', 'one patient, two phones');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T20:00Z');
SELECT t.sent('b', '+12025550101', '2026-03-02T20:00Z');
SELECT t.finds('cap_day b', 'two at the same instant: the second');
ROLLBACK;

-- A day of 25 hours: more than 24 hours apart and yet on one date, which no sending hours allow, so both rules.
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-11-01T04:10Z');
SELECT t.sent('b', '+12025550101', '2026-11-02T04:40Z');
SELECT t.finds('cap_day b, quiet_hours a, quiet_hours b', 'the long day: 24.5 hours apart on one date');
ROLLBACK;
-- Days of 23 hours: noon to noon.
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-07 12:00 America/New_York');
SELECT t.sent('b', '+12025550101', '2026-03-08 12:00 America/New_York');
SELECT t.finds('cap_day b', 'the short day: noon to noon is 23 hours');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-07 12:00 America/New_York');
SELECT t.sent('b', '+12025550101', '2026-03-08 13:00 America/New_York');
SELECT t.finds('', 'the short day: noon to one');
ROLLBACK;

-- A week from Sunday to Saturday; 2026-03-01 is a Sunday.
BEGIN;
SELECT t.sent('sun', '+12025550101', '2026-03-01 08:00 America/New_York');
SELECT t.sent('tue', '+12025550101', '2026-03-03 12:00 America/New_York');
SELECT t.sent('thu', '+12025550101', '2026-03-05 12:00 America/New_York');
SELECT t.sent('next sun', '+12025550101', '2026-03-08 09:00 America/New_York');
SELECT t.finds('', 'the fourth, 168 hours after the first, in the week that begins on Sunday');
ROLLBACK;
BEGIN;
SELECT t.sent('wed', '+12025550101', '2026-03-04 12:00 America/New_York');
SELECT t.sent('thu', '+12025550101', '2026-03-05 12:00 America/New_York');
SELECT t.sent('fri', '+12025550101', '2026-03-06 12:00 America/New_York');
SELECT t.sent('next mon', '+12025550101', '2026-03-09 12:00 America/New_York');
SELECT t.finds('cap_week next mon', 'another calendar week, but four within 168 hours');
ROLLBACK;
BEGIN;
SELECT t.sent('sun', '+12025550101', '2026-03-01 12:00 America/New_York');
SELECT t.sent('tue', '+12025550101', '2026-03-03 12:00 America/New_York');
SELECT t.sent('thu', '+12025550101', '2026-03-05 12:00 America/New_York');
SELECT t.sent('sat', '+12025550101', '2026-03-07 12:00 America/New_York');
SELECT t.finds('cap_week sat', 'four from Sunday to Saturday');
SELECT t.is((detail LIKE 'Three texts and 6 days before it a text went to the same phone, less than 168 hours, in the same week in '
	'America/New_York; %')::text, 'true', 'the sentence has the span') FROM report.violations;
ROLLBACK;
BEGIN;
SELECT t.sent('one', '+12025550101', '2026-03-02 12:00 America/New_York', patient => 'p', practice => 1);
SELECT t.sent('two', '+12025550102', '2026-03-03 12:00 America/New_York', patient => 'p', practice => 1);
SELECT t.sent('three', '+12025550103', '2026-03-04 12:00 America/New_York', patient => 'p', practice => 1);
SELECT t.sent('four', '+12025550104', '2026-03-05 12:00 America/New_York', patient => 'p', practice => 1);
SELECT t.finds('cap_week four', 'four to one patient on four phones');
ROLLBACK;
-- The autumn week has 169 hours: the fourth comes 168.5 hours after the first and in the same week.
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-11-01T04:10Z');
SELECT t.sent('b', '+12025550101', '2026-11-03T17:00Z');
SELECT t.sent('c', '+12025550101', '2026-11-05T17:00Z');
SELECT t.sent('d', '+12025550101', '2026-11-08T04:40Z');
SELECT t.finds('cap_week d, quiet_hours a, quiet_hours d', 'the long week: 168.5 hours apart in one week');
ROLLBACK;
-- Two zones (850): Sunday in one is still Saturday in the other.
BEGIN;
SELECT t.sent('sun', '+18505550101', '2026-03-01T05:30Z');
SELECT t.sent('tue', '+18505550101', '2026-03-03T16:00Z');
SELECT t.sent('thu', '+18505550101', '2026-03-05T16:00Z');
SELECT t.sent('sun again', '+18505550101', '2026-03-08T05:30Z');
SELECT t.finds('quiet_hours sun, quiet_hours sun again', '168 hours: a new week in both zones');
ROLLBACK;

-- What counts.
BEGIN;
SELECT t.sent('uncertain', '+12025550101', '2026-03-02T15:00Z');
SELECT t.tell('uncertain', 'message.uncertain', '2026-03-02T15:01Z', 'answer_missing');
SELECT t.sent('b', '+12025550101', '2026-03-02T17:00Z');
SELECT t.finds('cap_day b', 'an uncertain send counts');
ROLLBACK;
BEGIN;
SELECT t.sent('undelivered', '+12025550101', '2026-03-02T15:00Z');
SELECT t.tell('undelivered', 'message.undelivered', '2026-03-02T15:01Z', 'receipt_failed');
SELECT t.sent('b', '+12025550101', '2026-03-02T17:00Z');
SELECT t.finds('cap_day b', 'an undelivered one counts');
ROLLBACK;
BEGIN;
SELECT t.sent('failed', '+12025550101', '2026-03-02T15:00Z');
SELECT t.refund('failed', 'message.failed', '2026-03-02T15:01Z');
SELECT t.sent('withdrawn', '+12025550101', '2026-03-02T16:00Z');
SELECT t.refund('withdrawn', 'message.canceled', '2026-03-02T16:00Z');
SELECT t.sent('requeued', '+12025550101', '2026-03-02T17:00Z');
SELECT t.refund('requeued', 'message.requeued', '2026-03-02T17:01Z');
SELECT t.sent('b', '+12025550101', '2026-03-02T18:00Z');
SELECT t.finds('', 'what is proven never to have left does not count');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.tell('a', 'message.requeued', '2026-03-02T15:01Z', 'link_lost', '{"carrier": "sim"}');
SELECT t.sent('b', '+12025550101', '2026-03-02T17:00Z');
SELECT t.finds('cap_day b', 'going back to the queue without saying that it never left is no proof');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.accept('help', '+12025550101', '2026-03-02T15:30Z', category => 'help_reply',
	inbound_id => t.word('help.received', '+12025550101', '2026-03-02T15:30Z'));
SELECT t.send('help', '2026-03-02T15:30Z');
SELECT t.sent('b', '+12025550101', '2026-03-03T15:00Z');
SELECT t.finds('', 'an answer to a word neither counts nor is counted');
ROLLBACK;
-- A send that nobody accepted has no patient: patients that are not known are not one patient.
BEGIN;
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone)
	SELECT t.practice(1), gen_random_uuid(), 'message.sending', '2026-03-02T15:00Z', '+1202555010' || i FROM generate_series(1, 5) AS i;
SELECT t.finds('class ?, class ?, class ?, class ?, class ?', 'no patient is no key');
ROLLBACK;
