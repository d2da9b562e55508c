-- Fills the database with :messages messages as the gateway would have written them, all legal but for ten of each of five
-- rules, and times the views. 20 practices, three zones and area codes, 90 days, one text in two days per patient; 2 of 100
-- are requeued once; 1 of 1000 phones asks to stop. The seed is fixed.
\timing off
SELECT setseed(0.42) \g /dev/null
SELECT smsbridge.partitions_make('2026-01-15T00:00Z') \g /dev/null
INSERT INTO smsbridge.practice (id, name, phone, sender, created_at)
SELECT format('00000000-0000-7000-8000-%s', lpad(n::text, 12, '0'))::uuid,
	'Practice ' || n, '+12025550100', 'load' || n, '2026-01-01Z' FROM generate_series(1, 20) AS n;
-- Every second practice attests; the others have two consents on record for each phone.
INSERT INTO smsbridge.event (practice_id, type, at, data)
SELECT id, 'practice.changed', created_at, jsonb_build_object('change', 'added', 'settings', jsonb_build_object('consent_mode',
	CASE WHEN right(id::text, 1)::int % 2 = 0 THEN 'attested' ELSE 'recorded' END))
FROM smsbridge.practice WHERE name LIKE 'Practice %';
CREATE TABLE t.load AS
SELECT n, patient, practice, gen_random_uuid() AS id,
	'+1' || (ARRAY['202', '312', '850'])[patient % 3 + 1] || lpad((patient % 10000000)::text, 7, '0') AS phone,
	-- 15:00 to 23:00 UTC is within hours in every zone here; each patient's texts are 60 hours apart
	'2026-01-02T15:00Z'::timestamptz + interval '60 hours' * turn + interval '1 second' * (patient * 7919 % 14400)
		- CASE WHEN turn % 2 = 1 THEN interval '12 hours' ELSE interval '0' END AS at
FROM (SELECT n, n % greatest(:messages / 30, 1) AS patient, n / greatest(:messages / 30, 1) AS turn,
	n % greatest(:messages / 30, 1) % 20 + 1 AS practice FROM generate_series(0, :messages - 1) AS n) AS g;
CREATE FUNCTION t.load_practice(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
	SELECT format('00000000-0000-7000-8000-%s', lpad(n::text, 12, '0'))::uuid $$;
INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data)
SELECT t.load_practice(practice), 'consent.given', '2026-01-01Z', phone, 'P' || patient, jsonb_build_object('id',
	gen_random_uuid(), 'classes', '["appointment_reminder", "appointment_confirmation"]'::jsonb, 'basis', basis,
	'captured_at', '2026-01-01Z')
FROM (SELECT DISTINCT practice, phone, patient FROM t.load) AS l, (VALUES ('implied'), ('express')) AS b(basis)
WHERE practice % 2 = 1;
INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters, segments, category, priority,
	expires_at, status, counted_at, carrier, created_at, updated_at)
SELECT t.load_practice(practice), id, 'P' || patient, phone, 'load', 'America/New_York',
	'North Clinic: your visit is on Monday at ten. Please bring your card and come ten minutes before. '
		|| CASE WHEN n % 20 = 0 THEN 'Señor Muñoz, ' ELSE '' END || 'Reply STOP to end.',
	'gsm7', 116, 1, 'appointment_reminder', 1, at + interval '20 days', 'delivered', at, 'sim', at - interval '1 hour', at FROM t.load;
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data)
SELECT t.load_practice(practice), id, 'message.accepted', at - interval '1 hour', phone, 'P' || patient, jsonb_build_object('time_zone', NULL,
	'zones', 'America/New_York', 'category', 'appointment_reminder', 'characters', 116, 'segments', 1, 'encoding', 'gsm7',
	'expires_at', at + interval '20 days') FROM t.load ORDER BY at;
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, reason, data)
SELECT t.load_practice(practice), id, type, at + shift, CASE WHEN type = 'message.sending' THEN phone END, CASE WHEN type = 'message.sending'
	THEN 'P' || patient END, reason, data::jsonb
FROM t.load, LATERAL (VALUES
	(1, 'message.sending', interval '-1 minute', NULL,
		'{"verdict":"send","category":"appointment_reminder","opted_out":false,"local":{"America/New_York":'
		'"2026-01-02T10:00:00"},"phone_sends":[],"patient_sends":[],"attempts":0}', n % 50 = 0),
	(2, 'message.requeued', interval '-30 seconds', 'carrier_throttled', '{"carrier":"sim","command_status":"ESME_RTHROTTLED","refund":true}', n % 50 = 0),
	(3, 'message.sending', interval '0', NULL,
		'{"verdict":"send","category":"appointment_reminder","opted_out":false,"local":{"America/New_York":'
		'"2026-01-02T10:00:00"},"phone_sends":[],"patient_sends":[],"attempts":0}', true),
	(4, 'message.sent', interval '1 second', NULL, '{"carrier":"sim","carrier_message_id":"7c9e6679"}', true),
	(5, 'message.delivered', interval '9 seconds', NULL, '{"carrier":"sim","state":"DELIVRD","err":"000","matched_by":"id"}', true)
	) AS e(step, type, shift, reason, data, wanted)
WHERE wanted ORDER BY at, step;
INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
SELECT DISTINCT t.load_practice(practice), 'opt_out.created', '2026-06-01T15:00Z'::timestamptz, phone, '{"method":"reply","word":"stop","canceled":0}'::jsonb
	FROM t.load WHERE patient % 1000 = 7;

-- The faults.
CREATE TABLE t.bad AS SELECT *, row_number() OVER (ORDER BY n) AS k FROM t.load WHERE n < 500 AND n % 10 = 3 ORDER BY n LIMIT 50;
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient)
SELECT t.load_practice(practice), gen_random_uuid(), 'message.sending', '2026-05-05T18:00Z'::timestamptz, phone, 'P' || patient
	FROM t.bad WHERE k <= 10
UNION ALL SELECT t.load_practice(practice), gen_random_uuid(), 'message.sending', '2026-05-05T19:00Z', phone, 'P' || patient FROM t.bad WHERE k <= 10
UNION ALL SELECT t.load_practice(practice), gen_random_uuid(), 'message.sending', '2026-05-05T05:00Z', phone, 'P' || patient
	FROM t.bad WHERE k BETWEEN 11 AND 20
UNION ALL SELECT t.load_practice(practice), id, 'message.sending', '2026-05-05T18:00Z', phone, 'P' || patient FROM t.bad WHERE k BETWEEN 21 AND 30;
UPDATE smsbridge.message SET body = repeat('a', 161) WHERE id IN (SELECT id FROM t.bad WHERE k BETWEEN 31 AND 40);
INSERT INTO smsbridge.event (practice_id, type, at, phone, data) SELECT t.load_practice(practice), 'opt_out.created', '2026-05-04T18:00Z', phone,
	'{"method":"reply","word":"stop","canceled":0}'::jsonb FROM t.bad WHERE k > 40;
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient) SELECT t.load_practice(practice), gen_random_uuid(), 'message.sending',
	'2026-05-05T18:00Z'::timestamptz, phone, 'P' || patient FROM t.bad WHERE k > 40;
VACUUM ANALYZE;
SELECT 'events: ' || count(*) FROM smsbridge.event;
SET ROLE smsbridge_compliance;
\timing on
SELECT 'violations: ' || coalesce(string_agg(rule || ' ' || n, ', ' ORDER BY rule), 'none')
	FROM (SELECT rule, count(*) AS n FROM report.violations GROUP BY rule) AS v;
SELECT 'violations of one practice: ' || count(*) FROM report.violations WHERE practice_id = '00000000-0000-7000-8000-000000000004';
SELECT 'messages: ' || count(*) || ' ' || count(final_at) FROM report.messages;
SELECT 'opt_outs: ' || count(*) || ', sends after ' || sum(sends_after) FROM report.opt_outs;
SELECT 'decisions: ' || count(*) || ' ' || count(facts) FROM report.decisions;
SELECT 'daily: ' || count(*) || ', delivered ' || sum(delivered) FROM report.daily;
