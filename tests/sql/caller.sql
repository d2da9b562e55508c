-- Keys, people, tokens: what the functions refuse, that each change is one event, and that revoking touches nothing else.
CREATE FUNCTION t.key(id text, label text, person uuid DEFAULT NULL, kind text DEFAULT 'key') RETURNS text LANGUAGE sql AS $$
	SELECT smsbridge.key_make(t.practice(1), id, sha256(convert_to(id, 'UTF8')), kind, label, '{messages:read}', NULL, '', '', person,
		NULL, NULL, '2026-03-02T15:00Z', 'Ann Lee')
$$;
SELECT t.is(t.key('0000000000000001', 'scheduler'), 'made', 'a first key');
SELECT t.is(t.key('0000000000000002', 'scheduler'), 'made', 'a second of its label');
SELECT t.is(t.key('0000000000000003', 'scheduler'), 'key_limit', 'no third');
SELECT t.is(t.key('0000000000000003', 'scheduler', kind => 'client'), 'made', 'a client of that label is another thing');
SELECT t.is(smsbridge.key_revoke(t.practice(1), '0000000000000001', '2026-03-02T16:00Z', 'Ann Lee')::text, 'true', 'revoked');
SELECT t.is(smsbridge.key_revoke(t.practice(1), '0000000000000001', '2026-03-02T17:00Z', 'Ann Lee')::text, 'false', 'once');
SELECT t.is(smsbridge.key_revoke(t.practice(2), '0000000000000002', '2026-03-02T17:00Z', 'x')::text, 'false', 'not by another practice');
SELECT t.is(t.key('0000000000000004', 'scheduler'), 'made', 'and there is room again');
SELECT t.is(string_agg(revoked_at::text || ' ' || revoked_by, ''), '2026-03-02 16:00:00+00 Ann Lee', 'when and by whom')
	FROM smsbridge.api_key WHERE revoked_at IS NOT NULL;
SELECT t.is(count(*)::text, '4', 'an event for each that was made') FROM smsbridge.event WHERE type = 'key.created';
SELECT t.is(count(*)::text, '1', 'and one for the one that was revoked') FROM smsbridge.event WHERE type = 'key.revoked';
SELECT t.is(count(*)::text, '0', 'no event holds a hash') FROM smsbridge.event WHERE data::text LIKE '%hash%' AND type LIKE 'key.%';

-- A hundred of a practice, however many labels.
SELECT t.is(count(*) FILTER (WHERE t.key(lpad(to_hex(n), 16, '0'), 'l' || n) = 'made')::text, '97', 'three live ones stood already')
	FROM generate_series(256, 400) AS n;

-- People.
SELECT t.is(smsbridge.person_make(t.practice(1), '00000000-0000-7000-8000-000000000001', 'Jo Rivera, RN', 'nurse',
	'2026-03-02T15:00Z', 'Ann Lee')::text, 'true', 'a person');
SELECT t.is(smsbridge.person_make(t.practice(1), '00000000-0000-7000-8000-000000000002', 'jo  RIVERA rn', 'admin',
	'2026-03-02T15:00Z', 'Ann Lee')::text, 'false', 'nobody is two people');
SELECT t.is(smsbridge.person_make(t.practice(2), '00000000-0000-7000-8000-000000000003', 'Jo Rivera, RN', 'nurse',
	'2026-03-02T15:00Z', 'Bo Katz')::text, 'true', 'but in another practice');
SELECT t.is(t.key('0000000000000005', 'x', '00000000-0000-7000-8000-000000000003'), 'person_unknown', 'a key is for an own person');
SELECT smsbridge.key_revoke(NULL, id, '2026-03-02T16:00Z', '') FROM smsbridge.api_key WHERE revoked_at IS NULL \g /dev/null
SELECT t.is(t.key('0000000000000005', 'x', '00000000-0000-7000-8000-000000000001'), 'made', 'hers');
SELECT t.is(t.key('0000000000000006', 'y', '00000000-0000-7000-8000-000000000001'), 'made', 'and hers');
SELECT t.is(smsbridge.person_role(t.practice(1), '00000000-0000-7000-8000-000000000001', 'nurse', '2026-03-02T17:00Z', 'Ann Lee')::text,
	'true', 'the role that she has');
SELECT t.is(count(*)::text, '0', 'is no change') FROM smsbridge.event WHERE type = 'person.changed';
SELECT t.is(smsbridge.person_disable(t.practice(2), '00000000-0000-7000-8000-000000000001', '2026-03-02T18:00Z', 'x')::text, 'false',
	'not by another practice');
SELECT t.is(smsbridge.person_disable(t.practice(1), '00000000-0000-7000-8000-000000000001', '2026-03-02T18:00Z', 'Ann Lee')::text, 'true',
	'disabled');
SELECT t.is(count(*)::text, '0', 'her keys are gone') FROM smsbridge.api_key WHERE person_id IS NOT NULL AND revoked_at IS NULL;
SELECT t.is(t.key('0000000000000007', 'x', '00000000-0000-7000-8000-000000000001'), 'person_unknown', 'and none follows');
SELECT t.is(smsbridge.person_role(t.practice(1), '00000000-0000-7000-8000-000000000001', 'admin', '2026-03-02T19:00Z', 'x')::text,
	'false', 'nor a role');
SELECT t.refused('smsbridge_owner', $$INSERT INTO smsbridge.person (practice_id, id, name, role, created_at, created_by)
	VALUES (t.practice(1), gen_random_uuid(), 'X', 'boss', now(), '')$$, '23514%');

-- Roles and scopes are those of the rows.
SELECT t.is(string_agg(m.scope, ' '), NULL, 'roles have no scope that there is not') FROM smsbridge.role_may m
	WHERE m.scope NOT IN (SELECT code FROM smsbridge.scope) OR m.role NOT IN (SELECT code FROM smsbridge.role);
SELECT t.is(string_agg(role, ' ' ORDER BY role), 'nurse', 'who may order an emergency text') FROM smsbridge.role_may WHERE scope = 'emergency';
SELECT t.is(string_agg(role, ' ' ORDER BY role), 'admin', 'who may make keys') FROM smsbridge.role_may WHERE scope = 'keys:write';
SELECT t.is(string_agg(code, ' '), 'billing', 'who sees no phone') FROM smsbridge.role WHERE NOT sees_phone;

-- A token ends with its client.
INSERT INTO smsbridge.api_key (practice_id, id, secret_hash, label, created_at, scopes, kind)
	VALUES (t.practice(1), '00000000000000c1', 'x', 'c', '2026-03-02T15:00Z', '{messages:read}', 'client');
INSERT INTO smsbridge.access_token VALUES (t.practice(1), '00000000000000d1', 'x', '00000000000000c1', '{messages:read}',
	'2026-03-02T15:00Z', '2026-03-02T15:15Z');
SELECT t.is(smsbridge.key_revoke(t.practice(1), '00000000000000c1', '2026-03-02T15:05Z', 'Ann Lee')::text, 'true', 'a client');
SELECT t.is(count(*)::text, '0', 'and its tokens') FROM smsbridge.access_token;

-- Settings have a version that only their changes count.
UPDATE smsbridge.practice SET two_person = NOT two_person, lint_phi = 'warn' WHERE id = t.practice(1);
UPDATE smsbridge.practice SET two_person = two_person, retention_days = 91 WHERE id = t.practice(1);
SELECT t.is(settings_version::text, '2', 'one change') FROM smsbridge.practice WHERE id = t.practice(1);
