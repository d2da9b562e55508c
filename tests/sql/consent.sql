-- What a consent is worth at an instant, who comes of age when and where, and who may write what of the consent ledger.
CREATE FUNCTION t.state(captured timestamptz, adult date, ended timestamptz, stale timestamptz, at timestamptz,
	phone text DEFAULT '+12025550101') RETURNS text LANGUAGE sql AS $$
	SELECT smsbridge.consent_state(ROW(t.practice(1), gen_random_uuid(), phone, '', ARRAY['lab_results'], 'implied', captured,
		'form', '', '', 'en', '', 'x', '', adult, '', '', '', captured, ended, NULL)::smsbridge.consent, stale, state.at)
$$;
SELECT t.is(t.state(captured::timestamptz, adult::date, ended::timestamptz, stale::timestamptz, at::timestamptz), wanted, name)
FROM (VALUES
	('2026-01-01T00:00Z', NULL, NULL, NULL, '2026-03-02T12:00Z', 'counts', 'a consent counts'),
	('2026-01-01T00:00Z', NULL, '2026-03-02T12:00Z', NULL, '2026-03-02T11:59:59Z', 'counts', 'until it ends'),
	('2026-01-01T00:00Z', NULL, '2026-03-02T12:00Z', NULL, '2026-03-02T12:00Z', 'ended', 'at which instant it has ended'),
	('2026-01-01T00:00:01Z', NULL, NULL, '2026-01-01T00:00Z', '2026-03-02T12:00Z', 'counts', 'given after the report'),
	('2026-01-01T00:00Z', NULL, NULL, '2026-01-01T00:00Z', '2026-03-02T12:00Z', 'stale', 'given when it was reported'),
	('2025-01-01T00:00Z', NULL, NULL, '2026-01-01T00:00Z', '2026-03-02T12:00Z', 'stale', 'given before'),
	('2026-01-01T00:00Z', '2026-03-02', NULL, NULL, '2026-03-02T04:59:59Z', 'counts', 'a minor until midnight in New York'),
	('2026-01-01T00:00Z', '2026-03-02', NULL, NULL, '2026-03-02T05:00Z', 'came_of_age', 'and then of age'),
	('2026-01-01T00:00Z', '2026-03-02', '2026-01-02T00:00Z', NULL, '2026-03-02T05:00Z', 'ended', 'ended is told first')
) AS v(captured, adult, ended, stale, at, wanted, name);
SELECT t.is(smsbridge.came_of_age(day::date, phone, at::timestamptz)::text, wanted, name)
FROM (VALUES
	('2026-03-02', '+18085550101', '2026-03-02T09:59:59Z', 'false', 'still Sunday in Honolulu'),
	('2026-03-02', '+18085550101', '2026-03-02T10:00Z', 'true', 'Monday in Honolulu'),
	('2026-03-02', '+18505550101', '2026-03-02T05:00Z', 'true', 'the first zone of a split area code decides'),
	('2026-03-02', '+12735550101', '2026-03-01T13:59:59Z', 'false', 'an area code that nobody knows: Guam not yet'),
	('2026-03-02', '+12735550101', '2026-03-01T14:00Z', 'true', 'and Guam'),
	(NULL, '+12025550101', '2026-03-02T05:00Z', NULL, 'no day, nobody of age')
) AS v(day, phone, at, wanted, name);

-- smsbridge_app adds to the ledger, and takes nothing out of it; compliance staff see it by views only.
SELECT t.refused('smsbridge_app', s, '42501%permission denied for table%') FROM unnest(ARRAY['consent', 'recipient', 'contact']) AS name,
	unnest(ARRAY['DELETE FROM smsbridge.' || name, 'TRUNCATE smsbridge.' || name]) AS s;
SELECT t.refused('smsbridge_compliance', s, '42501%permission denied for schema smsbridge%') FROM
	unnest(ARRAY['consent', 'recipient', 'contact']) AS name, unnest(ARRAY['SELECT * FROM smsbridge.' || name,
		'UPDATE smsbridge.' || name || ' SET phone = phone', 'DELETE FROM smsbridge.' || name]) AS s;
SELECT t.is(string_agg(privilege, ' ' ORDER BY privilege), CASE name WHEN 'recipient' THEN 'INSERT SELECT UPDATE' ELSE 'INSERT SELECT' END,
	'what smsbridge_app may do with ' || name)
	FROM unnest(ARRAY['consent', 'recipient', 'contact']) AS name,
		unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
	WHERE has_table_privilege('smsbridge_app', 'smsbridge.' || name, privilege) GROUP BY name ORDER BY name;
SELECT t.refused('smsbridge_app', s, '42501%permission denied for table%') FROM unnest(ARRAY[
	'UPDATE smsbridge.consent SET wording = ''''', 'UPDATE smsbridge.consent SET captured_at = now()',
	'UPDATE smsbridge.opt_out SET created_at = now()', 'UPDATE smsbridge.contact SET at = now()',
	'UPDATE smsbridge.emergency SET person = ''x''', 'UPDATE smsbridge.legal_hold SET placed_at = now()',
	'INSERT INTO smsbridge.seal_archive DEFAULT VALUES']) AS s;
SELECT t.is(has_function_privilege(who, f, 'EXECUTE')::text, wanted, who || ' and ' || f) FROM (VALUES
	('smsbridge_app', 'true'), ('smsbridge_compliance', 'false')) AS v(who, wanted), unnest(ARRAY[
	'smsbridge.came_of_age(date, text, timestamptz)', 'smsbridge.consent_state(smsbridge.consent, timestamptz, timestamptz)']) AS f;
