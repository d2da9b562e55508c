// Who calls: keys, their scopes, ends, networks and certificates; tokens; people and their roles; what each may see.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';
import { keepSecret } from './lib/privacy.mjs';
import { binary, must, until } from './lib/util.mjs';
import { another, key, practice, setup, world } from './lib/world.mjs';

await world();

const ALL = ['--scope', 'all'];
const idOf = (whole) => whole.split('_')[1];
const secretOf = (whole) => whole.split('_')[2];
const basic = (user, password) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

function problem(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.json.code, code, answer.text);
  assert.equal(answer.json.status, status);
}

/** Makes a key by the API; what it may is checked by who asks. */
async function make(s, fields, by) {
  const answer = await s.api.post('/v1/keys', { label: 'test', ...fields }, { key: by });
  assert.equal(answer.status, 201, answer.text);
  for (const name of ['key', 'client_secret']) if (answer.json[name]) keepSecret(answer.json[name]);
  if (answer.json.key) keepSecret(secretOf(answer.json.key));
  return answer.json;
}

async function person(s, name, role, by) {
  const answer = await s.api.post('/v1/people', { name, role }, { key: by });
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

const events = (s, type) =>
  s.db.sql('SELECT type, data, practice_id FROM smsbridge.event WHERE type = $1 ORDER BY id', [type]);
const notes = (s, where, params = []) =>
  until(
    async () => {
      const rows = await s.db.sql(`SELECT * FROM smsbridge.access WHERE ${where} ORDER BY at, id`, params);
      return rows.length && rows;
    },
    `a note where ${where}`,
    8000,
  );

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
      if (method === 'get' && path.startsWith('/v1/messages')) continue;
      const at = path.replace(/\{[^}]*\}/, crypto.randomUUID());
      const answer = await s.api.request(method.toUpperCase(), at, { key: read, body: method === 'get' ? undefined : {} });
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
  for (let at = '/v1/keys?limit=2'; at; ) {
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
