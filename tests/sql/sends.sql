-- Rules 5 and 6, what a send is, and the rows of proto/.
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:59:59.999999Z', expires_at => '2026-03-02T16:00Z');
SELECT t.finds('', 'a microsecond before it expires');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T16:00Z', expires_at => '2026-03-02T16:00Z');
SELECT t.finds('expiry a', 'the instant at which it expires'); -- covers: rule expiry
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T18:00Z', expires_at => '2026-03-02T16:00Z');
SELECT t.refund('a', 'message.failed', '2026-03-02T18:00Z');
SELECT t.finds('', 'late, but it never left');
ROLLBACK;

BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.refund('a', 'message.requeued', '2026-03-02T15:01Z');
SELECT t.send('a', '2026-03-02T15:02Z');
SELECT t.refund('a', 'message.requeued', '2026-03-02T15:02Z');
SELECT t.tell('a', 'message.held', '2026-03-02T15:03Z', 'quiet_hours');
SELECT t.send('a', '2026-03-02T15:04Z');
SELECT t.tell('a', 'message.sent', '2026-03-02T15:04Z');
SELECT t.tell('a', 'message.delivered', '2026-03-02T15:05Z');
SELECT t.finds('', 'requeued twice, then sent');
ROLLBACK;
-- The carrier took it and then refused it for its daily cap or rate: it goes again, once for each such word.
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T20:00Z');
SELECT t.tell('a', 'message.sent', '2026-03-02T20:00Z');
SELECT t.tell('a', 'message.requeued', '2026-03-02T20:01Z', 'carrier_daily_cap',
	'{"state": "REJECTED", "err": "4780", "word": "daily_cap", "refund": true}');
SELECT t.send('a', '2026-03-03T15:00Z');
SELECT t.tell('a', 'message.sent', '2026-03-03T15:00Z');
SELECT t.tell('a', 'message.requeued', '2026-03-03T15:01Z', 'carrier_rate',
	'{"state": "UNDELIVERABLE", "err": "4781", "word": "rate", "refund": true}');
SELECT t.send('a', '2026-03-03T15:03Z');
SELECT t.tell('a', 'message.sent', '2026-03-03T15:03Z');
SELECT t.tell('a', 'message.delivered', '2026-03-03T15:04Z');
SELECT t.finds('', 'sent, refused for the day, sent, refused for the rate, sent');
SELECT t.send('a', '2026-03-13T15:03Z');
SELECT t.finds('double a', 'and not once more'); -- covers: rule double
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.tell('a', 'message.sent', '2026-03-02T15:00Z');
SELECT t.tell('a', 'message.requeued', '2026-03-02T15:01Z', 'carrier_daily_cap',
	'{"state": "REJECTED", "err": "4780", "word": "daily_cap"}');
SELECT t.send('a', '2026-03-12T15:00Z');
SELECT t.finds('double a', 'back without a refund');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.tell('a', 'message.requeued', '2026-03-02T15:01Z', 'receipt_failed', '{"state": "UNDELIVERABLE", "refund": true}');
SELECT t.sent('b', '+12025550101', '2026-03-02T18:00Z');
SELECT t.send('a', '2026-03-12T15:00Z');
SELECT t.finds('cap_day b, double a', 'a receipt that only says failed is no proof');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.tell('a', 'message.requeued', '2026-03-02T15:01Z', 'carrier_spam',
	'{"state": "REJECTED", "word": "spam", "refund": true}');
SELECT t.send('a', '2026-03-12T15:00Z');
SELECT t.finds('double a', 'nor is a word that does not bring a message back');
ROLLBACK;

BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.send('a', '2026-03-12T15:00Z');
SELECT t.finds('double a', 'sent twice, days apart');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.send('a', '2026-03-02T15:01Z');
SELECT t.finds('cap_day a, double a', 'sent twice within a minute: also two texts on a day');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.tell('a', 'message.uncertain', '2026-03-02T15:01Z', 'answer_missing');
SELECT t.send('a', '2026-03-12T15:00Z');
SELECT t.finds('double a', 'an uncertain one is never sent again');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.refund('a', 'message.requeued', '2026-03-02T15:01Z');
SELECT t.send('a', '2026-03-02T15:02Z');
SELECT t.send('a', '2026-03-12T15:02Z');
SELECT t.finds('double a', 'a refund pays for one send only');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T15:00Z');
SELECT t.tell('a', 'message.news', '2026-03-02T15:01Z', NULL, '{"refund": true}');
SELECT t.send('a', '2026-03-12T15:02Z');
SELECT t.finds('double a', 'news is no proof');
ROLLBACK;
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T05:00Z', expires_at => '2026-03-02T05:00Z', body => repeat('a', 161));
SELECT t.finds('expiry a, length a, quiet_hours a', 'one row for each rule that a send broke');
ROLLBACK;
-- A later message.accepted does not make an expired one good.
BEGIN;
SELECT t.sent('a', '+12025550101', '2026-03-02T16:00Z', expires_at => '2026-03-02T16:00Z');
SELECT t.tell('a', 'message.accepted', '2026-03-02T15:00Z', NULL, '{"category": "help_reply", "expires_at": "2030-01-01T00:00Z"}');
SELECT t.finds('expiry a', 'the first message.accepted is what counts');
ROLLBACK;

-- Every category of proto/category.def, at night, at a practice that attests: what a practice sends is bound to hours but
-- for conversations and emergencies, which need a text to answer and a person; what needs more than implied consent
-- lacks it; answers to keywords need the keyword.
SELECT t.is(count(*)::text || ' ' || count(*) FILTER (WHERE notice), '20 3', 'proto/category.def was read') FROM t.category;
BEGIN;
SELECT t.accept(code, '+12025550' || 100 + row_number() OVER (ORDER BY code), '2026-03-02T05:00Z', category => code)
	FROM t.category \g /dev/null
SELECT t.send(code, '2026-03-02T05:00Z') FROM t.category \g /dev/null
SELECT t.finds('consent payment, consent promotional, consent survey, conversation conversational_reply, emergency emergency, '
	|| (SELECT string_agg(CASE WHEN notice THEN 'opt_out ' ELSE 'quiet_hours ' END || code, ', ' ORDER BY notice DESC, code)
	FROM t.category WHERE code NOT IN ('conversational_reply', 'emergency'))
	|| CASE WHEN EXISTS (SELECT FROM smsbridge.state_hours) THEN ', quiet_hours_state promotional, quiet_hours_state survey'
		ELSE '' END, 'the view knows the categories');
SELECT t.is((SELECT count(*) FROM smsbridge.audit_class)::text, '20', 'and there are no others');
ROLLBACK;
BEGIN;
SELECT t.accept('a', '+12025550101', '2026-03-02T15:00Z', category => 'newsletter');
SELECT t.send('a', '2026-03-02T15:00Z');
SELECT t.finds('class a', 'a class that no row has'); -- covers: rule class
ROLLBACK;

-- Every row says where it comes from, and neither phone nor body is in it.
BEGIN;
SELECT t.word('opt_out.created', '+12025550101', '2026-03-01T15:00Z');
SELECT t.sent('a', '+12025550101', '2026-03-02T05:00Z', body => repeat('Quincunx ', 20), expires_at => '2026-03-02T05:00Z');
SELECT t.send('a', '2026-03-02T05:01Z');
SELECT t.accept('b', '+12025550101', '2026-03-02T05:00Z', category => 'help_reply', inbound_id => gen_random_uuid());
SELECT t.send('b', '2026-03-02T05:00Z');
SELECT t.is(string_agg(DISTINCT rule, ' ' ORDER BY rule), 'cap_day double expiry length opt_out quiet_hours', 'a bit of everything')
	FROM report.violations;
SELECT t.is(count(*)::text, '0', 'every cell is filled') FROM report.violations
	WHERE practice_id IS NULL OR message_id IS NULL OR at IS NULL OR detail !~ '\.$' OR citation = '' OR citation IS NULL;
SELECT t.is(count(*)::text, '0', 'no phone and no body') FROM report.violations AS v WHERE v::text ~ '5550101|Quincunx';
ROLLBACK;
