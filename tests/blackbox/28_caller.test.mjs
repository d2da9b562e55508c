// Who calls: keys, their scopes, ends and networks; people and their roles; what each may see; settings.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';
import { ALL, BASE, basic, events, idOf, make, notes, person, problem, secretOf } from './lib/callers.mjs';
import { keepSecret } from './lib/privacy.mjs';
import { binary, must, run, until } from './lib/util.mjs';
import { key, practice, setup, world } from './lib/world.mjs';

await world();

test('Bearer and Basic; what is none of these is 401', async (t) => {
  const s = await setup(t);
  const k = s.practice.key;
  const ok = async (headers) => (await s.api.get('/v1/templates', { key: null, headers })).status;
  assert.equal(await ok({ authorization: `Bearer ${k}` }), 200);
  assert.equal(await ok({ authorization: `bearer  ${k}` }), 200);
  assert.equal(await ok(basic(idOf(k), secretOf(k))), 200);
  assert.equal(await ok(basic(k, '')), 200, 'the whole key as user, no password');
  const wrong = k.slice(0, -1) + (k.endsWith('0') ? '1' : '0');
  const bad = [
    {},
    { authorization: 'Bearer' },
    { authorization: `Bearer ${wrong}` },
    { authorization: `Bearer ${k}x` },
    { authorization: `Bearer ${k.toUpperCase()}` },
    { authorization: `Bearer ${k.replace('smsb_', 'smst_')}` },
    { authorization: `Digest ${k}` },
    { authorization: `Bearer ${'x'.repeat(8000)}` },
    { authorization: `Basic ${'A'.repeat(8000)}` },
    { authorization: 'Basic !!!' },
    { authorization: `Basic ${Buffer.from('no colon').toString('base64')}` },
    basic(idOf(k), secretOf(wrong)),
    basic(wrong, ''),
    basic('', k),
    basic(k, k),
    basic(idOf(k), ''),
    basic(idOf(k), '*'.repeat(64)),
  ];
  for (const headers of bad) {
    const answer = await s.api.get('/v1/templates', { key: null, headers });
    problem(answer, 401, 'unauthorized');
    assert.match(answer.headers['www-authenticate'], /Bearer.*Basic/s);
  }
});

test('each scope opens its routes and no other; what was refused is noted', async (t) => {
  const s = await setup(t);
  const contract = (await s.api.get('/openapi.json')).json;
  const root = await key(s.db, s.practice.id, ALL);
  const read = (await make(s, { scopes: ['messages:read'] }, root)).key;
  assert.equal((await s.api.get('/v1/messages', { key: read })).status, 200);
  const m = await s.api.accepted();
  assert.equal((await s.api.get(`/v1/messages/${m.id}`, { key: read })).status, 200);
  let refused = 0;
  for (const [path, methods] of Object.entries(contract.paths)) {
    if (!path.startsWith('/v1/')) continue;
    for (const method of Object.keys(methods).filter((x) => ['get', 'post', 'put', 'delete', 'patch'].includes(x))) {
      if (method === 'get' && /^\/v1\/(messages|batches)/.test(path)) continue;
      const at = path.replace(/\{[^}]*\}/, crypto.randomUUID());
      const answer = await s.api.request(method.toUpperCase(), at, {
        key: read,
        body: method === 'get' ? undefined : {},
      });
      problem(answer, 403, 'scope_missing');
      refused++;
    }
  }
  assert.ok(refused > 20, `${refused} routes`);
  const [note] = await notes(s, "principal = $1 AND outcome = '403' AND door = 'POST /v1/templates'", [idOf(read)]);
  assert.deepEqual([note.practice_id, note.action, note.rows], [s.practice.id, 'change', 0]);
  // a former key: everything but to make keys
  problem(await s.api.post('/v1/keys', { label: 'x', scopes: ['messages:read'] }), 403, 'scope_missing');
  assert.equal((await s.api.get('/v1/keys')).status, 200);
});

test('two live keys of a label, so that one follows the other; revoked at once; nothing of its past goes', async (t) => {
  const s = await setup(t);
  const root = await key(s.db, s.practice.id, ALL);
  const first = await make(s, { label: 'scheduler', scopes: ['messages:write', 'messages:read'] }, root);
  const second = await make(s, { label: 'scheduler', scopes: ['messages:write', 'messages:read'] }, root);
  problem(
    await s.api.post('/v1/keys', { label: 'scheduler', scopes: ['messages:read'] }, { key: root }),
    409,
    'key_limit',
  );
  const m = await s.api.accepted({}, { key: first.key });
  const revoked = await s.api.post(`/v1/keys/${first.id}/revoke`, undefined, { key: root });
  assert.equal(revoked.status, 200, revoked.text);
  problem(await s.api.get(`/v1/messages/${m.id}`, { key: first.key }), 401, 'unauthorized'); // not a second later
  assert.equal((await s.api.get(`/v1/messages/${m.id}`, { key: second.key })).json.id, m.id);
  const again = await s.api.post(`/v1/keys/${first.id}/revoke`, undefined, { key: root });
  assert.deepEqual(again.json, revoked.json, 'once');
  await make(s, { label: 'scheduler', scopes: ['messages:read'] }, root);
  assert.deepEqual(
    (await events(s, 'key.revoked')).map((e) => [e.data.key, e.data.by]),
    [[first.id, `key ${idOf(root)}`]],
  );
  assert.equal((await s.db.events(m.id))[0].data.key, first.id, 'who sent it stays');
  problem(await s.api.post('/v1/keys/0123456789abcdef/revoke', undefined, { key: root }), 404, 'key_unknown');
  problem(await s.api.post('/v1/keys/x/revoke', undefined, { key: root }), 404, 'key_unknown');
  // another practice's
  const other = await practice(s.db, { name: 'Oak Street Clinic' });
  problem(await s.api.post(`/v1/keys/${idOf(other.key)}/revoke`, undefined, { key: root }), 404, 'key_unknown');
  assert.equal((await s.api.get('/v1/templates', { key: other.key })).status, 200);
  // a page at a time, all of them once, no secret among them
  const seen = [];
  for (let at = '/v1/keys?limit=2'; at;) {
    const page = await s.api.get(at, { key: root });
    assert.equal(page.status, 200, page.text);
    assert.ok(page.json.data.length <= 2 && !/smsb_|hash/.test(page.text));
    seen.push(...page.json.data);
    at = page.json.next;
  }
  assert.equal(new Set(seen.map((k) => k.id)).size, 5);
  assert.equal(seen.find((k) => k.id === first.id).revoked_by, `key ${idOf(root)}`);
  for (const query of ['limit=0', 'limit=201', 'after=x', 'limit=', 'after='])
    problem(await s.api.get(`/v1/keys?${query}`, { key: root }), 400, 'bad_query');
});

test('a key revoked elsewhere ends within a second', async (t) => {
  const s = await setup(t);
  const k = await key(s.db, s.practice.id);
  assert.equal((await s.api.get('/v1/templates', { key: k })).status, 200);
  await must(binary, ['key', 'revoke', idOf(k), '--database', s.db.owner, '--by', 'Jo Rivera']);
  const began = Date.now();
  await until(async () => (await s.api.get('/v1/templates', { key: k })).status === 401, 'it ends', 4000);
  assert.ok(Date.now() - began < 2500);
  assert.equal((await events(s, 'key.revoked'))[0].data.by, 'Jo Rivera');
});

test('ends, networks, last use', async (t) => {
  const s = await setup(t);
  const root = await key(s.db, s.practice.id, ALL);
  const scopes = ['templates:read'];
  const here = await make(s, { scopes, networks: ['127.0.0.0/8', '2001:db8::/32'] }, root);
  const there = await make(s, { scopes, networks: ['192.0.2.0/24', '198.51.100.7'] }, root);
  const soon = await make(s, { label: 'soon', scopes, expires_at: '2026-03-02T12:30:00-05:00' }, root);
  assert.equal((await s.api.get('/v1/templates', { key: here.key })).status, 200);
  assert.equal((await s.api.get('/v1/templates', { key: soon.key })).status, 200);
  problem(await s.api.get('/v1/templates', { key: there.key }), 403, 'address_not_allowed');
  const [note] = await notes(s, "principal = $1 AND outcome = '403'", [there.id]);
  assert.deepEqual([note.practice_id, note.from_addr], [s.practice.id, '127.0.0.1']);
  await s.gateway.moveClock('2026-03-02T12:31:00-05:00');
  problem(await s.api.get('/v1/templates', { key: soon.key }), 401, 'unauthorized');
  assert.equal((await s.api.get('/v1/templates', { key: here.key })).status, 200);
  const used = await until(async () => {
    const { data } = (await s.api.get('/v1/keys', { key: root })).json;
    return data.find((k) => k.id === here.id && Date.parse(k.used_at) >= Date.parse('2026-03-02T17:31:00Z'));
  }, 'the last use is written');
  assert.equal(used.used_from, '127.0.0.1');
  assert.deepEqual(used.networks, ['127.0.0.0/8', '2001:db8::/32']);
  const faults = [
    [{ scopes: [] }, '/scopes'],
    [{ scopes: ['messages:raed'] }, '/scopes'],
    [{ scopes: 'messages:read' }, '/scopes'],
    [{}, '/scopes'],
    [{ scopes, networks: ['192.0.2.7/24'] }, '/networks'],
    [{ scopes, networks: '192.0.2.0/24' }, '/networks'],
    [{ scopes, networks: Array(40).fill('192.0.2.0/24') }, '/networks'],
    [{ scopes, certificate: 'sha256:00' }, '/certificate'],
    [{ scopes, expires_at: '2026-03-01T00:00:00Z' }, '/expires_at'],
    [{ scopes, person_id: crypto.randomUUID() }, '/person_id'],
    [{ scopes, jwks_url: 'https://keys.example/' }, '/jwks_url'],
    [{ scopes, kind: 'client', jwks_url: 'http://keys.example/' }, '/jwks_url'],
    [{ scopes, kind: 'client', jwks: { keys: [] } }, '/jwks'],
    [{ scopes, more: 1 }, '/more'],
  ];
  for (const [fields, pointer] of faults) {
    const answer = await s.api.post('/v1/keys', { label: 'bad', ...fields }, { key: root });
    problem(answer, 422, 'validation_failed');
    assert.ok(
      answer.json.errors.some((e) => e.pointer === pointer),
      answer.text,
    );
  }
  // what a key does not have it cannot give
  const narrow = await make(s, { label: 'narrow', scopes: ['keys:write', 'keys:read'] }, root);
  const wide = await s.api.post('/v1/keys', { label: 'w', scopes: ['messages:read'] }, { key: narrow.key });
  problem(wide, 422, 'validation_failed');
  assert.equal(wide.json.errors[0].code, 'scope_not_yours');
});

// --- people ----------------------------------------------------------------------------------------------------------

test('people: roles narrow what their keys may and see; nobody acts as another; gone at once', async (t) => {
  const s = await setup(t, { config: { http: { public_url: BASE } } });
  const root = await key(s.db, s.practice.id, ALL);
  const ann = await person(s, 'Ann Lee', 'admin', root);
  const admin = (await make(s, { label: 'ann', person_id: ann.id }, root)).key;
  const made = {};
  for (const [name, role] of [
    ['Sam Okafor', 'sender'],
    ['Jo Rivera, RN', 'nurse'],
    ['Bea Ortiz', 'billing'],
    ['Cy Marsh', 'compliance'],
  ]) {
    const p = await person(s, name, role, admin);
    made[role] = { ...p, key: (await make(s, { label: role, person_id: p.id }, admin)).key };
  }
  problem(await s.api.post('/v1/people', { name: 'ann  LEE', role: 'nurse' }, { key: admin }), 409, 'person_taken');
  problem(await s.api.post('/v1/people', { name: 'X', role: 'boss' }, { key: admin }), 422, 'validation_failed');
  const m = await s.api.accepted({ send_at: '2026-03-04T12:00:00-05:00' });
  const { phone, body } = m.draft;
  const masked = `${phone.slice(0, 2)}******${phone.slice(-4)}`;
  const seen = async (role) => {
    const shown = (await s.api.get(`/v1/messages/${m.id}`, { key: made[role].key })).json;
    return [shown.phone, shown.body];
  };
  assert.deepEqual(await seen('nurse'), [phone, body]);
  assert.deepEqual(await seen('compliance'), [phone, body]);
  assert.deepEqual(await seen('sender'), [phone, null]);
  assert.deepEqual(await seen('billing'), [masked, null]);
  const to = encodeURIComponent(phone);
  const sent = await s.api.post(
    '/v1/opt-outs',
    { phone, channel: 'voicemail', words: 'no more texts please', actor: 'Sam Okafor' },
    { key: made.sender.key },
  );
  assert.equal(sent.status, 201, sent.text);
  assert.ok(!sent.text.includes('no more texts'), 'a sender does not read words');
  const optOuts = async (role) => (await s.api.get(`/v1/opt-outs?phone=${to}`, { key: made[role].key })).text;
  assert.match(await optOuts('compliance'), /no more texts please/);
  const bare = await optOuts('billing');
  assert.ok(!bare.includes('no more texts') && !bare.includes(phone) && bare.includes(masked), bare);
  for (const role of ['sender', 'billing', 'compliance', 'nurse']) {
    const explained = await s.api.get(`/v1/messages/${m.id}/explanation`, { key: made[role].key });
    assert.equal(explained.status, 200);
    assert.ok(!explained.text.includes(phone) && !explained.text.includes(body));
  }
  // what a role may not
  const draft = { patient: 'p-1', phone, body: 'Visit tomorrow. Reply STOP to end.' };
  problem(await s.api.post('/v1/messages', draft, { key: made.compliance.key }), 403, 'scope_missing');
  problem(await s.api.get('/v1/tasks', { key: made.billing.key }), 403, 'scope_missing');
  problem(await s.api.get('/v1/keys', { key: made.nurse.key }), 403, 'scope_missing');
  assert.equal((await s.api.get('/v1/people', { key: made.compliance.key })).status, 200);
  problem(
    await s.api.post('/v1/people', { name: 'Y', role: 'admin' }, { key: made.compliance.key }),
    403,
    'scope_missing',
  );
  // one name only
  const enter = (actor) =>
    s.api.post('/v1/opt-outs', { phone, channel: 'voicemail', words: 'stop', actor }, { key: made.nurse.key });
  problem(await enter('Sam Okafor'), 403, 'person_mismatch');
  assert.equal((await enter('jo rivera RN')).status, 201, 'the same name, otherwise written');
  problem(
    await s.api.post(`/v1/messages/${m.id}/approve`, { person: 'Ann Lee' }, { key: made.nurse.key }),
    403,
    'person_mismatch',
  );
  const emergency = { ...draft, category: 'emergency', emergency: { person: 'Ann Lee', reason: 'fire' } };
  problem(await s.api.post('/v1/messages', emergency, { key: made.nurse.key }), 403, 'person_mismatch');
  const template = {
    name: 't',
    language: 'en',
    category: 'appointment_reminder',
    body: '{person}: see you. Reply STOP to end.',
  };
  const named = await s.api.post(
    '/v1/templates',
    { ...template, variables: { person: 'first_name' }, person: 'Cy Marsh' },
    { key: made.compliance.key },
  );
  assert.notEqual(named.status, 403, "a template's variable is nobody's name");
  // another role, at once
  const role = await s.api.post(`/v1/people/${made.billing.id}/role`, { role: 'nurse' }, { key: admin });
  assert.equal(role.status, 200, role.text);
  assert.deepEqual(await seen('billing'), [phone, body]);
  // and gone, at once, with all keys; what was done stays
  const gone = await s.api.post(`/v1/people/${made.nurse.id}/disable`, undefined, { key: admin });
  assert.equal(gone.status, 200, gone.text);
  problem(await s.api.get('/v1/messages', { key: made.nurse.key }), 401, 'unauthorized');
  problem(
    await s.api.post(`/v1/people/${made.nurse.id}/role`, { role: 'nurse' }, { key: admin }),
    404,
    'person_unknown',
  );
  const unknown = await s.api.post('/v1/keys', { label: 'z', person_id: made.nurse.id }, { key: admin });
  problem(unknown, 422, 'validation_failed');
  const told = await s.db.sql("SELECT type, data FROM smsbridge.event WHERE type LIKE 'person.%' ORDER BY id");
  assert.deepEqual(
    told.map((e) => e.type),
    [...Array(5).fill('person.created'), 'person.changed', 'person.disabled'],
  );
  assert.deepEqual([told[5].data.role_before, told[5].data.role, told[5].data.by], ['billing', 'nurse', 'Ann Lee']);
  assert.equal((await events(s, 'key.revoked'))[0].data.by, 'Ann Lee');
  // the same name may come back; another practice's person is unknown
  const again = await person(s, 'Jo Rivera, RN', 'sender', admin);
  const other = await practice(s.db, { name: 'Oak Street Clinic' });
  const theirs = await key(s.db, other.id, ALL);
  problem(await s.api.post(`/v1/people/${again.id}/disable`, undefined, { key: theirs }), 404, 'person_unknown');
  problem(await s.api.post('/v1/keys', { label: 'z', person_id: again.id }, { key: theirs }), 422, 'validation_failed');
});

test('people and their keys by command', async (t) => {
  const s = await setup(t);
  const at = ['--database', s.db.owner, '--json'];
  const command = async (...args) => JSON.parse((await must(binary, [...args, ...at])).stdout)[0];
  const p = await command('person', 'add', '--practice', s.practice.id, '--name', 'Jo Rivera', '--role', 'billing');
  const k = await key(s.db, s.practice.id, ['--person', p.id, '--label', 'laptop', '--network', '127.0.0.1']);
  const m = await s.api.accepted();
  assert.equal((await s.api.get(`/v1/messages/${m.id}`, { key: k })).json.body, null);
  const now = await command('person', 'role', p.id, '--practice', s.practice.id, '--role', 'nurse');
  assert.equal(now.role, 'nurse');
  await until(async () => (await s.api.get(`/v1/messages/${m.id}`, { key: k })).json.body, 'within a second', 4000);
  await command('person', 'disable', p.id, '--practice', s.practice.id);
  await until(async () => (await s.api.get(`/v1/messages/${m.id}`, { key: k })).status === 401, 'gone', 4000);
  for (const bad of [
    ['key', 'create', s.practice.id, '--scope', 'nothing'],
    ['key', 'create', s.practice.id, '--network', '192.0.2.1/8'],
    ['key', 'create', s.practice.id, '--expires-at', 'tomorrow'],
    ['key', 'create', s.practice.id, '--certificate', 'CN=x'],
    ['key', 'create', s.practice.id, '--kind', 'robot'],
    ['key', 'create', s.practice.id, '--jwks-url', 'https://x.example/'],
    ['person', 'add', '--practice', s.practice.id, '--name', 'X', '--role', 'boss'],
  ]) {
    const done = await run(binary, [...bad, '--database', s.db.owner]);
    assert.equal(done.code, 2, bad.join(' '));
  }
});

test('settings: what is safe, by version', async (t) => {
  const s = await setup(t);
  const root = await key(s.db, s.practice.id, ALL);
  const get = await s.api.get('/v1/settings', { key: root });
  assert.equal(get.status, 200, get.text);
  assert.equal(get.json.name, 'Elm Street Clinic');
  const { etag } = get.headers;
  const put = (body, headers, by = root) => s.api.request('PUT', '/v1/settings', { body, headers, key: by });
  const body = {
    display_name: 'Elm Street',
    phone: '(212) 555-0100',
    url: null,
    open: '09:00',
    close: '18:30',
    lint_phi: 'refuse',
    two_person: true,
  };
  problem(await put(body, {}), 428, 'precondition_required');
  problem(await put(body, { 'if-match': '"999"' }), 412, 'precondition_failed');
  problem(await put(body, { 'if-match': etag }, s.practice.key), 403, 'scope_missing');
  const done = await put(body, { 'if-match': etag });
  assert.equal(done.status, 200, done.text);
  assert.deepEqual(done.json, { ...body, name: 'Elm Street Clinic', sender: s.practice.sender });
  assert.notEqual(done.headers.etag, etag);
  problem(await put(body, { 'if-match': etag }), 412, 'precondition_failed');
  for (const [change, pointer] of [
    [{ open: '07:00' }, '/open'],
    [{ close: '21:30' }, '/close'],
    [{ open: '19:00', close: '18:00' }, '/close'],
    [{ lint_phi: 'off' }, '/lint_phi'],
    [{ two_person: 'yes' }, '/two_person'],
    [{ phone: undefined }, '/phone'],
    [{ display_name: '雪' }, '/display_name'],
    [{ sender: '+12125550100' }, '/sender'],
  ]) {
    const answer = await put({ ...body, ...change }, { 'if-match': '*' });
    problem(answer, 422, 'validation_failed');
    assert.ok(
      answer.json.errors.some((e) => e.pointer === pointer),
      answer.text,
    );
  }
  const [changed] = (await events(s, 'practice.changed')).slice(-1);
  assert.deepEqual(
    [changed.data.change, changed.data.by, changed.data.settings.two_person],
    ['settings', `key ${idOf(root)}`, true],
  );
  assert.ok(!JSON.stringify(changed.data).includes('whsec_'));
  assert.equal(
    (await s.api.get('/v1/settings', { key: root, headers: { 'if-none-match': done.headers.etag } })).status,
    304,
  );
});

// --- who knocks ------------------------------------------------------------------------------------------------------

test('keys tried at random keep nobody waiting, and are counted', async (t) => {
  const s = await setup(t);
  const contract = (await s.api.get('/openapi.json')).json;
  const doors = Object.keys(contract.paths).filter((p) => p.startsWith('/v1/'));
  const made_up = () => `smsb_${crypto.randomBytes(8).toString('hex')}_${crypto.randomBytes(32).toString('hex')}`;
  const statuses = {};
  assert.equal((await s.api.get('/v1/messages')).status, 200, 'a key that is known');
  const knocks = Array.from({ length: 600 }, async (_, i) => {
    const at = doors[i % doors.length].replace(/\{[^}]*\}/, 'x');
    const { status } = await s.api.get(at, { key: made_up() });
    statuses[status] = (statuses[status] ?? 0) + 1;
  });
  const m = await s.api.accepted();
  assert.equal((await s.api.get(`/v1/messages/${m.id}`)).status, 200, 'real callers are served meanwhile');
  await Promise.all(knocks);
  assert.ok(statuses[401] >= 100 && statuses[429] > 0 && !statuses[503], JSON.stringify(statuses));
  const told = await until(async () => {
    const [sum] = await s.db.sql(
      "SELECT count(*)::int AS rows, sum(times)::int AS times FROM smsbridge.access WHERE action = 'login_failed'",
    );
    return sum.times >= statuses[401] && sum;
  }, 'all that were looked up are counted');
  assert.equal(told.times, statuses[401]);
  assert.equal((await s.api.get('/v1/messages')).status, 200);
});

// --- other practices' ids --------------------------------------------------------------------------------------------

test("another practice's id is 404 at every route with one, and noted", async (t) => {
  const s = await setup(t);
  const contract = (await s.api.get('/openapi.json')).json;
  const own = await key(s.db, s.practice.id, ALL);
  const other = await practice(s.db, { name: 'Oak Street Clinic' });
  const theirs = await key(s.db, other.id, ALL);
  const m = await s.api.accepted();
  const p = await person(s, 'Jo Rivera', 'nurse', own);
  // an id of ours for each kind of thing that is easily made; of others an id that nobody has
  const ours = async (path, body) => {
    const answer = await s.api.post(path, body, { key: own });
    assert.equal(answer.status, 201, `${path} ${answer.text}`);
    keepSecret(answer.json.secret);
    return answer.json.id;
  };
  const { phone } = m.draft;
  const campaign = ['--practice', s.practice.id, '--campaign', 'CABC123', '--classes', 'appointment_reminder'];
  await must(binary, ['campaign', 'add', ...campaign, '--person', 'Jo Rivera', '--database', s.db.owner]);
  const person_ = 'Jo Rivera';
  const text = { language: 'en', category: 'appointment_reminder', body: 'Elm Street: see you. Reply STOP to end.' };
  const ids = {
    messages: m.id,
    keys: idOf(s.practice.key),
    people: p.id,
    templates: await ours('/v1/templates', { name: 'ours', ...text, variables: {}, person: person_ }),
    'opt-outs': await ours('/v1/opt-outs', { phone, channel: 'voicemail', words: 'stop', actor: person_ }),
    webhooks: await ours('/v1/webhooks', { url: 'https://clinic.example/hooks' }),
  };
  // where the contract's first example is none that a body could be
  const bodies = {
    lift_opt_out: { actor: 'Jo Rivera', reason: 'asked', consent_id: crypto.randomUUID() },
    own_task: { person: 'Jo Rivera' },
    decide_task: { person: 'Jo Rivera', decision: 'not_opt_out' },
  };
  const wrong = [];
  let tried = 0;
  for (const [at, methods] of Object.entries(contract.paths)) {
    if (!at.startsWith('/v1/') || !at.includes('{')) continue;
    for (const method of Object.keys(methods).filter((x) => ['get', 'post', 'patch', 'delete'].includes(x))) {
      const example = Object.values(methods[method].requestBody?.content ?? {})[0];
      const body =
        bodies[methods[method].operationId] ?? Object.values(example?.examples ?? {})[0]?.value ?? example?.example;
      const id = ids[at.split('/')[2]] ?? crypto.randomUUID();
      const headers = { ...(method === 'get' ? {} : { 'if-match': '*' }) };
      const answer = await s.api.request(method.toUpperCase(), at.replace(/\{[^}]*\}/, id), {
        body,
        key: theirs,
        headers,
      });
      if (answer.status !== 404) wrong.push(`${method} ${at} ${answer.text}`);
      if (answer.status !== 404) continue;
      await notes(s, "practice_id = $1 AND outcome = '404' AND door = $2", [other.id, `${method.toUpperCase()} ${at}`]);
      tried++;
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(tried >= 12, `${tried} routes`);
  assert.equal((await s.api.get(`/v1/messages/${m.id}`)).status, 200);
  assert.equal((await s.api.get('/v1/templates')).status, 200, 'its key was not revoked by them');
});
