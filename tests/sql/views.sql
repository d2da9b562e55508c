-- What the other views show, and that none of them shows a body or a full phone.
BEGIN;
SELECT t.accept('a', '+12025550101', '2026-03-02T14:59Z', patient => 'P-1', body => 'Quincunx at ten. Reply STOP to end.');
SELECT t.tell('a', 'message.held', '2026-03-02T14:59Z', 'no_carrier', '{"verdict": "wait", "local": {"America/New_York": "2026-03-02T09:59:00"}}');
SELECT t.tell('a', 'message.held', '2026-03-02T14:59:01Z', 'no_carrier', '{"verdict": "wait"}');
SELECT t.send('a', '2026-03-02T15:00Z');
SELECT t.tell('a', 'message.sent', '2026-03-02T15:00:01Z');
SELECT t.tell('a', 'message.delivered', '2026-03-02T15:00:09Z');
UPDATE smsbridge.message SET status = 'delivered', carrier = 'sim', attempts = 1, characters = 35, zones = 'America/New_York'
	WHERE id = t.id('a');
SELECT t.accept('b', '+12025550101', '2026-03-02T23:59Z', patient => 'P-1');
SELECT t.tell('b', 'message.blocked', '2026-03-03T00:00Z', 'opted_out', '{"verdict": "refuse", "receipt": "id:1"}');
UPDATE smsbridge.message SET status = 'blocked', reason = 'opted_out' WHERE id = t.id('b');
SELECT t.sent('c', '+12025550102', '2026-03-02T15:00Z', practice => 2);
SELECT t.tell('c', 'message.uncertain', '2026-03-02T15:01Z', 'answer_missing');
SELECT t.sent('d', '+12025550101', '2026-03-01T15:00Z', patient => 'P-1');
SELECT t.word('opt_out.created', '+12025550101', '2026-03-02T15:00:02Z') \g /dev/null
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone)
	SELECT t.practice(1), t.id('d'), 'opt_out.in_flight', '2026-03-02T15:00:02Z', '+12025550101';
INSERT INTO smsbridge.event (practice_id, type, at, phone) VALUES (t.practice(1), 'reply.received', '2026-03-02T16:00Z', '+12025550101');

SET LOCAL ROLE smsbridge_compliance;
SELECT t.is(concat_ws('|', practice, patient, phone, status, category, characters, encoding, segments, zones, created_at, submitted_at,
	sent_at, final_at, carrier, attempts), 'North Clinic|P-1|+1******0101|delivered|appointment_reminder|35|gsm7|1|America/New_York|'
	'2026-03-02 14:59:00+00|2026-03-02 15:00:00+00|2026-03-02 15:00:01+00|2026-03-02 15:00:09+00|sim|1', 'report.messages: delivered')
	FROM report.messages WHERE id = t.id('a');
SELECT t.is(concat_ws('|', status, reason, reason_sentence, reason_citation, submitted_at, sent_at, final_at),
	'blocked|opted_out|The patient has asked this practice to stop texting.|47 CFR 64.1200(a)(9)(iv)(H); 47 CFR 64.1200(a)(10)|'
	'2026-03-03 00:00:00+00', 'report.messages: blocked') FROM report.messages WHERE id = t.id('b');
SELECT t.is(count(*)::text, '4', 'report.messages: all') FROM report.messages;
SELECT t.is(string_agg(concat_ws('|', at, type, rule, reason, sentence, local_times, facts), ' // ' ORDER BY at),
	'2026-03-02 14:59:00+00|message.held|carrier|no_carrier|No connection to the carrier is up; the message goes when one is.|'
	'{"America/New_York": "2026-03-02T09:59:00"}|{"verdict": "wait"} // '
	'2026-03-02 14:59:01+00|message.held|carrier|no_carrier|No connection to the carrier is up; the message goes when one is.|'
	'{"verdict": "wait"} // '
	'2026-03-02 15:00:00+00|message.sending|Every rule allowed the message; it is on its way to the carrier.|'
	'{"America/New_York": "2026-01-01T12:00:00"}|{"verdict": "send"}', 'report.decisions: in order, with facts')
	FROM report.decisions WHERE message_id = t.id('a');
SELECT t.is(concat_ws('|', type, rule, citation, phone, patient, category, facts), 'message.blocked|opt_out|47 CFR 64.1200(a)(9)(iv)(H); '
	'47 CFR 64.1200(a)(10)|+1******0101|P-1|appointment_reminder|{"verdict": "refuse"}', 'report.decisions: with rule and citation')
	FROM report.decisions WHERE message_id = t.id('b');
SELECT t.is(string_agg(concat_ws(' ', practice, day, accepted, held, blocked, expired, sent, delivered, undelivered, uncertain, failed,
	canceled, opt_outs, replies), ', ' ORDER BY practice, day), 'North Clinic 2026-03-01 1 0 0 0 0 0 0 0 0 0 0 0, '
	'North Clinic 2026-03-02 2 1 0 0 1 1 0 0 0 0 1 1, North Clinic 2026-03-03 0 0 1 0 0 0 0 0 0 0 0 0, '
	'South Clinic 2026-03-02 1 0 0 0 0 0 0 1 0 0 0 0', 'report.daily: per practice and UTC day') FROM report.daily;
SELECT t.is(concat_ws('|', practice, phone, patients, method, word, created_at, lifted_at, canceled, in_flight, sends_after,
	seconds_to_record), 'North Clinic|+1******0101|P-1|reply|stop|2026-03-02 15:00:02+00|0|1|0', 'report.opt_outs: no seconds on a moved clock')
	FROM report.opt_outs;
SELECT t.is(count(*)::text, '0', 'no body and no phone in ' || v) FROM (SELECT 'messages' AS v, m::text AS row FROM report.messages m
	UNION ALL SELECT 'opt_outs', o::text FROM report.opt_outs o UNION ALL SELECT 'decisions', d::text FROM report.decisions d
	UNION ALL SELECT 'daily', d::text FROM report.daily d) AS all_rows
	WHERE row ~ 'Quincunx|5550101' GROUP BY v
	UNION ALL SELECT t.is('0', '0', 'no body and no phone in the rows above');
ROLLBACK;

BEGIN;
SELECT t.word('opt_out.created', '+12025550101', clock_timestamp() - interval '2 seconds') \g /dev/null
SELECT t.is((seconds_to_record BETWEEN 2 AND 30)::text, 'true', 'report.opt_outs: seconds from receipt to record') FROM report.opt_outs;
ROLLBACK;
SELECT t.is(string_agg(smsbridge.mask_phone(p), ' ' ORDER BY p), '+1******0123 ******22 ******45', 'what is no phone is masked whole')
	FROM unnest(ARRAY['+12025550123', '12345', '+4412345622']) AS p;
-- What `smsbridge report` filters and sorts by.
SELECT t.is(string_agg(table_name || '.' || column_name || ' ' || data_type, ', ' ORDER BY table_name, column_name),
	'daily.day date, daily.practice text, daily.practice_id uuid, decisions.at timestamp with time zone, decisions.practice text, '
	'decisions.practice_id uuid, messages.created_at timestamp with time zone, messages.id uuid, messages.practice text, '
	'messages.practice_id uuid, opt_outs.created_at timestamp with time zone, opt_outs.practice text, opt_outs.practice_id uuid, '
	'violations.at timestamp with time zone, violations.practice_id uuid', 'the columns that the program asks for')
	FROM information_schema.columns WHERE table_schema = 'report'
		AND table_name IN ('daily', 'decisions', 'messages', 'opt_outs', 'violations') AND (column_name IN ('practice_id', 'practice', 'id', 'day')
		OR (table_name IN ('messages', 'opt_outs') AND column_name = 'created_at')
		OR (table_name IN ('decisions', 'violations') AND column_name = 'at'));
SELECT t.is(count(*)::text, '0', 'no view has a column for a body, a raw phone or a sender') FROM information_schema.columns
	WHERE table_schema = 'report' AND column_name IN ('body', 'sender', 'raw');
