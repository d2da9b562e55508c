// Who calls: keys, their scopes, ends, networks and certificates; tokens; people and their roles; what each may see.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { SignJWT } from 'jose';
import { Authority } from './lib/certs.mjs';
import { selfSigned } from './lib/gateway.mjs';
import { keepSecret } from './lib/privacy.mjs';
import { binary, must, run, until } from './lib/util.mjs';
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

// --- tokens ----------------------------------------------------------------------------------------------------------

const BASE = 'https://sms.clinic.example';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const RULE_NOW = Date.parse('2026-03-02T17:00:00Z') / 1000; // the gateway's clock at its start: minutes pass at most

/** POST /oauth2/token with these parameters. */
const token = (s, fields, headers = {}) =>
  s.api.request('POST', '/oauth2/token', {
    key: null,
    body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });

function refused(answer, status, error) {
  assert.deepEqual([answer.status, answer.json?.error], [status, error], answer.text);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['cache-control'], 'no-store');
  if (status === 401) assert.match(answer.headers['www-authenticate'], /^Basic/);
}

function granted(answer) {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.json.token_type, 'Bearer');
  keepSecret(answer.json.access_token);
  keepSecret(secretOf(answer.json.access_token));
  return answer.json;
}

async function oauth(t, config = {}) {
  const s = await setup(t, { config: { http: { public_url: BASE, ...config } } });
  s.root = await key(s.db, s.practice.id, ALL);
  return s;
}

test('client credentials by secret: narrowed, short-lived, and over with the client', async (t) => {
  const s = await oauth(t);
  const scopes = ['templates:read', 'messages:read'];
  const c = await make(s, { kind: 'client', scopes }, s.root);
  const grant_type = 'client_credentials';
  const full = granted(await token(s, { grant_type }, basic(c.client_id, c.client_secret)));
  assert.deepEqual(full.scope.split(' ').sort(), [...scopes].sort());
  assert.equal(full.expires_in, 900);
  const { client_id, client_secret } = c;
  const narrow = granted(await token(s, { grant_type, client_id, client_secret, scope: 'templates:read' }));
  assert.equal(narrow.scope, 'templates:read');
  assert.equal((await s.api.get('/v1/messages', { key: full.access_token })).status, 200);
  assert.equal((await s.api.get('/v1/templates', { key: narrow.access_token })).status, 200);
  problem(await s.api.get('/v1/messages', { key: narrow.access_token }), 403, 'scope_missing');
  const [note] = await notes(s, "principal = $1 AND outcome = '403'", [client_id]);
  assert.equal(note.practice_id, s.practice.id, 'noted under the client');
  // the client itself is no key
  problem(await s.api.get('/v1/templates', { key: `smsb_${client_id}_${client_secret}` }), 401, 'unauthorized');
  for (const [fields, headers, status, error] of [
    [{ grant_type: 'password', client_id, client_secret }, {}, 400, 'unsupported_grant_type'],
    [{ client_id, client_secret }, {}, 400, 'invalid_request'],
    [{ grant_type }, {}, 401, 'invalid_client'],
    [{ grant_type, client_id }, {}, 401, 'invalid_client'],
    [{ grant_type, client_id, client_secret: '0'.repeat(64) }, {}, 401, 'invalid_client'],
    [{ grant_type, client_id: '0123456789abcdef', client_secret }, {}, 401, 'invalid_client'],
    [{ grant_type, client_id, client_secret }, basic(client_id, client_secret), 400, 'invalid_request'],
    [
      { grant_type, client_id: idOf(s.practice.key), client_secret: secretOf(s.practice.key) },
      {},
      401,
      'invalid_client',
    ],
    [{ grant_type, client_id, client_secret, scope: 'emergency' }, {}, 400, 'invalid_scope'],
    [{ grant_type, client_id, client_secret, scope: 'templates:read patient/*.read' }, {}, 400, 'invalid_scope'],
    [
      `grant_type=${grant_type}&grant_type=${grant_type}&client_id=${client_id}&client_secret=${client_secret}`,
      {},
      400,
      'invalid_request',
    ],
    [`grant_type=${grant_type}&scope=%zz&client_id=${client_id}`, {}, 400, 'invalid_request'],
    [{ grant_type, client_id, client_secret }, { 'content-type': 'application/json' }, 400, 'invalid_request'],
    ['', {}, 400, 'invalid_request'],
  ])
    refused(await token(s, fields, headers), status, error);
  // over by its time
  await s.gateway.moveClock('2026-03-02T12:14:00-05:00');
  assert.equal((await s.api.get('/v1/templates', { key: full.access_token })).status, 200);
  await s.gateway.moveClock('2026-03-02T12:16:00-05:00');
  problem(await s.api.get('/v1/templates', { key: full.access_token }), 401, 'unauthorized');
  // over with the client, at once
  const last = granted(await token(s, { grant_type, client_id, client_secret }));
  assert.equal((await s.api.get('/v1/templates', { key: last.access_token })).status, 200);
  assert.equal((await s.api.post(`/v1/keys/${client_id}/revoke`, undefined, { key: s.root })).status, 200);
  problem(await s.api.get('/v1/templates', { key: last.access_token }), 401, 'unauthorized');
  refused(await token(s, { grant_type, client_id, client_secret }), 401, 'invalid_client');
  assert.deepEqual(await s.db.sql('SELECT * FROM smsbridge.access_token'), [], 'and its tokens are gone');
});

const b64 = (x) => Buffer.from(typeof x === 'string' ? x : JSON.stringify(x)).toString('base64url');
const pair = (kind) =>
  kind.startsWith('RS')
    ? crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
    : crypto.generateKeyPairSync('ec', { namedCurve: kind === 'ES384' ? 'P-384' : 'P-256' });
const jwk = (keys, kid, alg) => ({ ...keys.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' });

/** jose, the second implementation, signs; Node's crypto where jose would not. */
const claims = (client, more = {}) => ({
  iss: client,
  sub: client,
  aud: `${BASE}/oauth2/token`,
  exp: RULE_NOW + 240,
  iat: RULE_NOW,
  jti: crypto.randomUUID(),
  ...more,
});
const signed = (keys, header, body) => new SignJWT(body).setProtectedHeader(header).sign(keys.privateKey);
const assertion = (s, jwt, more = {}) =>
  token(s, { grant_type: 'client_credentials', client_assertion_type: JWT_BEARER, client_assertion: jwt, ...more });

test('private_key_jwt: RS384, ES384, RS256, ES256 as jose signs them', async (t) => {
  const s = await oauth(t);
  const kinds = ['RS384', 'ES384', 'RS256', 'ES256'];
  const keys = Object.fromEntries(kinds.map((k) => [k, pair(k)]));
  const jwks = { keys: kinds.map((k) => jwk(keys[k], k, k)) };
  const c = await make(s, { kind: 'client', scopes: ['templates:read'], jwks }, s.root);
  for (const alg of kinds) {
    const jwt = await signed(keys[alg], { alg, kid: alg, typ: 'JWT' }, claims(c.client_id));
    const got = granted(await assertion(s, jwt, { client_id: c.client_id }));
    assert.equal((await s.api.get('/v1/templates', { key: got.access_token })).status, 200);
    refused(await assertion(s, jwt), 401, 'invalid_client'); // replayed
    granted(await assertion(s, await signed(keys[alg], { alg }, claims(c.client_id)))); // without a kid
  }
  const list = await signed(keys.ES384, { alg: 'ES384' }, claims(c.client_id, { aud: ['x', `${BASE}/oauth2/token`] }));
  granted(await assertion(s, list));
  // two at the same moment: one of them
  const race = await signed(keys.ES384, { alg: 'ES384' }, claims(c.client_id));
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => assertion(s, race)));
  assert.equal(answers.filter((a) => a.status === 200).length, 1);
  for (const a of answers) if (a.status === 200) granted(a);
});

test('assertions that are refused, each for one reason', async (t) => {
  const s = await oauth(t);
  const rsa = pair('RS384');
  const ec = pair('ES384');
  const stranger = pair('ES384');
  const jwks = { keys: [jwk(rsa, 'r'), jwk(ec, 'e')] };
  const scopes = ['templates:read'];
  const c = await make(s, { kind: 'client', scopes, jwks }, s.root);
  const other = await make(s, { label: 'other', kind: 'client', scopes, jwks: { keys: [jwk(stranger, 'e')] } }, s.root);
  const plain = await make(s, { label: 'plain', kind: 'client', scopes }, s.root);
  const id = c.client_id;
  const es = (body, header = {}) => signed(ec, { alg: 'ES384', kid: 'e', ...header }, body);
  granted(await assertion(s, await es(claims(id))));
  const forged = (header, body, signature = '') => `${b64(header)}.${b64(body)}.${signature}`;
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
  const hmac = (header, body, secret) =>
    forged(
      header,
      body,
      crypto
        .createHmac('sha384', secret)
        .update(`${b64(header)}.${b64(body)}`)
        .digest('base64url'),
    );
  const good = await es(claims(id));
  const bad = {
    none: forged({ alg: 'none' }, claims(id)),
    'none with a signature': forged({ alg: 'none' }, claims(id), 'AAAA'),
    'NONE by another spelling': forged({ alg: 'nOnE' }, claims(id), good.split('.')[2]),
    'the public key as a MAC secret': hmac({ alg: 'HS384', kid: 'r' }, claims(id), pem),
    'the modulus as a MAC secret': hmac(
      { alg: 'HS384', kid: 'r' },
      claims(id),
      rsa.publicKey.export({ format: 'jwk' }).n,
    ),
    'RS384 said of an EC key': forged({ alg: 'RS384', kid: 'e' }, claims(id), good.split('.')[2]),
    'ES384 said of an RSA key': forged({ alg: 'ES384', kid: 'r' }, claims(id), good.split('.')[2]),
    PS384: await signed(rsa, { alg: 'PS384', kid: 'r' }, claims(id)),
    "a stranger's key": await signed(stranger, { alg: 'ES384', kid: 'e' }, claims(id)),
    "a stranger's key without kid": await signed(stranger, { alg: 'ES384' }, claims(id)),
    'a kid that is not there': await es(claims(id), { kid: 'x' }),
    'a kid that is no string': forged({ alg: 'ES384', kid: 7 }, claims(id), good.split('.')[2]),
    'another audience': await es(claims(id, { aud: 'https://other.example/oauth2/token' })),
    'the base for audience': await es(claims(id, { aud: BASE })),
    'no audience': await es(claims(id, { aud: undefined })),
    expired: await es(claims(id, { exp: RULE_NOW - 60 })),
    'ten minutes ahead': await es(claims(id, { exp: RULE_NOW + 1200 })),
    'no exp': await es(claims(id, { exp: undefined })),
    'exp as text': forged({ alg: 'ES384' }, claims(id, { exp: String(RULE_NOW + 60) }), good.split('.')[2]),
    'not yet': await es(claims(id, { nbf: RULE_NOW + 200 })),
    'issued in the future': await es(claims(id, { iat: RULE_NOW + 200 })),
    'no jti': await es(claims(id, { jti: undefined })),
    'an endless jti': await es(claims(id, { jti: 'x'.repeat(300) })),
    'another issuer': await es(claims(id, { iss: 'x' })),
    "another client's name": await es(claims(other.client_id)),
    'a client without keys': await es(claims(plain.client_id)),
    "an API key's name": await es(claims(idOf(s.practice.key))),
    'no subject': await es(claims(id, { sub: undefined })),
    'an unknown crit': forged({ alg: 'ES384', kid: 'e', crit: ['b64'], b64: false }, claims(id), good.split('.')[2]),
    'a changed claim': [good.split('.')[0], b64(claims(id, { jti: 'y' })), good.split('.')[2]].join('.'),
    'a cut signature': good.slice(0, -8),
    'DER for a signature': forged(
      { alg: 'ES384', kid: 'e' },
      claims(id, { jti: 'der' }),
      crypto
        .sign(
          'sha384',
          Buffer.from(`${b64({ alg: 'ES384', kid: 'e' })}.${b64(claims(id, { jti: 'der' }))}`),
          ec.privateKey,
        )
        .toString('base64url'),
    ),
    'a name twice': `${b64('{"alg":"ES384","alg":"none"}')}.${good.split('.')[1]}.${good.split('.')[2]}`,
    'no JSON': `${b64('x')}.${b64('y')}.AAAA`,
    'two pieces': good.split('.').slice(0, 2).join('.'),
    huge: `${b64({ alg: 'ES384' })}.${b64(claims(id, { pad: 'x'.repeat(5500) }))}.AAAA`,
  };
  for (const [why, jwt] of Object.entries(bad)) {
    const answer = await assertion(s, jwt);
    assert.deepEqual([why, answer.status, answer.json?.error], [why, 401, 'invalid_client'], answer.text);
    assert.ok(!answer.text.includes(jwt.slice(-20)), 'nothing is repeated');
    await until(async () => (await assertion(s, await es(claims(id)))).status === 200, 'the good one still holds');
  }
  // too long to be looked at
  refused(await assertion(s, 'A'.repeat(9000)), 400, 'invalid_request');
  assert.equal((await assertion(s, `${'A'.repeat(70000)}`)).status, 413);
  refused(await assertion(s, good, { client_id: other.client_id }), 401, 'invalid_client');
  refused(await assertion(s, good, { client_assertion_type: 'x' }), 400, 'invalid_request');
  refused(
    await token(s, { grant_type: 'client_credentials', client_assertion_type: JWT_BEARER }),
    401,
    'invalid_client',
  );
  granted(await assertion(s, good));
  // private keys do not belong into a client
  const secret = { keys: [ec.privateKey.export({ format: 'jwk' })] };
  const answer = await s.api.post('/v1/keys', { label: 'p', kind: 'client', scopes, jwks: secret }, { key: s.root });
  problem(answer, 422, 'validation_failed');
  // without http.public_url no assertion has an audience
  await s.gateway.reload((config) => delete config.http.public_url);
  refused(await assertion(s, await es(claims(id))), 401, 'invalid_client');
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

// --- client certificates ---------------------------------------------------------------------------------------------

/** One request over a connection of its own, with or without a client certificate. */
function overTls(port, ca, k, certificate) {
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        ...{ host: '127.0.0.1', servername: 'localhost', port, ca, agent: false, path: '/v1/templates' },
        headers: { authorization: `Bearer ${k}` },
        ...(certificate ? { cert: certificate.pem.cert, key: certificate.pem.key } : {}),
      },
      (answer) => {
        let text = '';
        answer.on('data', (d) => (text += d));
        answer.on('end', () =>
          resolve({ status: answer.statusCode, headers: answer.headers, text, json: JSON.parse(text) }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}

test('mTLS: listeners of their own, and keys that demand their certificate', async (t) => {
  const clinics = await Authority.make('clinics');
  const others = await Authority.make('others');
  const own = await clinics.issue('ehr.clinic.example');
  const cousin = await clinics.issue('other.clinic.example');
  const stranger = await others.issue('ehr.clinic.example');
  const { cert, key: keyFile, pem } = await selfSigned();
  const listener = { listen: '127.0.0.1:0', certificate: cert, key: keyFile, client_ca: clinics.file };
  const s = await setup(t, {
    config: { listeners: [listener, { ...listener, client_certificate: 'required' }] },
  });
  const [optional, required] = s.gateway.linesOf('https_listening').map((l) => Number(l.listen.split(':').pop()));
  const root = await key(s.db, s.practice.id, ALL);
  const scopes = ['templates:read'];
  const print = `sha256:${own.fingerprint.replaceAll(':', '').toLowerCase()}`;
  const byPrint = (await make(s, { label: 'print', scopes, certificate: print }, root)).key;
  const byName = (await make(s, { label: 'name', scopes, certificate: 'dns:ehr.clinic.example' }, root)).key;
  const free = s.practice.key;
  const at = (port, k, certificate) => overTls(port, pem, k, certificate);
  // the one listener of always asks for none, and a bound key is of no use there
  assert.equal((await s.api.get('/v1/templates')).status, 200);
  problem(await s.api.get('/v1/templates', { key: byPrint }), 403, 'certificate_required');
  problem(await at(s.gateway.port, byPrint, own), 403, 'certificate_required');
  for (const k of [byPrint, byName]) {
    assert.equal((await at(optional, k, own)).status, 200);
    assert.equal((await at(required, k, own)).status, 200);
    problem(await at(optional, k), 403, 'certificate_required');
    problem(await at(optional, k, cousin), 403, 'certificate_required');
    await assert.rejects(at(optional, k, stranger), 'of no authority of ours');
    await assert.rejects(at(required, k), 'without one');
  }
  assert.equal((await at(optional, free)).status, 200, 'a key that is bound to none');
  assert.equal((await at(required, free, cousin)).status, 200);
  const [note] = await notes(s, "principal = $1 AND outcome = '403'", [idOf(byName)]);
  assert.equal(note.practice_id, s.practice.id);
  // a client's token is bound as the client is
  const c = await make(s, { label: 'ehr', kind: 'client', scopes, certificate: print }, root);
  refused(
    await token(s, { grant_type: 'client_credentials' }, basic(c.client_id, c.client_secret)),
    401,
    'invalid_client',
  );
  // a reload that cannot be read changes nothing; one that can is of the connections to come
  await s.gateway.reload((config) => (config.listeners[0].client_ca = '/nonexistent'), 'reload_failed');
  assert.equal((await at(optional, byPrint, own)).status, 200);
  await s.gateway.reload((config) => (config.listeners[0].client_ca = others.file));
  await assert.rejects(at(optional, byPrint, own));
  assert.equal((await at(optional, byName, stranger)).status, 200, 'who vouches is the operator’s to say');
  assert.equal((await s.gateway.metric('smsbridge_tls_certificate_expiry_seconds', { role: 'listener' })) > 0, true);
});

test("configurations that cannot be: clients' authorities without TLS, odd URLs", async () => {
  const base = 'database:\n  conninfo: x\n';
  for (const [yaml, line] of [
    ['http:\n  client_ca: /tmp/ca.pem\n', 'http.client_ca: without a certificate'],
    ['http:\n  client_certificate: required\n', 'http.client_certificate: required without client_ca'],
    ['http:\n  public_url: http://sms.example\n', 'http.public_url: not such a URL'],
    ['http:\n  public_url: https://sms.example/\n', 'http.public_url: not such a URL'],
    ['http:\n  token_lifetime: 1m\n', 'http.token_lifetime'],
    ['listeners:\n  - {listen: nowhere, certificate: a, key: b}\n', 'listeners[0].listen: not an address'],
    ['listeners:\n  - {listen: "127.0.0.1:0", certificate: a}\n', 'listeners[0].key'],
  ]) {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-cfg-')), 'c.yaml');
    fs.writeFileSync(file, base + yaml);
    const done = await run(binary, ['check', '--config', file]);
    assert.ok(done.code !== 0 && (done.stderr + done.stdout).includes(line), `${line}: ${done.stderr}${done.stdout}`);
    fs.rmSync(path.dirname(file), { recursive: true });
  }
});

// --- keys at a URL ---------------------------------------------------------------------------------------------------

test("a client's keys at its URL: fetched, kept, asked for again at an unknown kid; never from inside", async (t) => {
  const authority = await Authority.make('web');
  const web = await authority.issue('localhost', { san: 'DNS:localhost,IP:127.0.0.1' });
  const first = pair('ES384');
  const second = pair('RS384');
  let keys = [jwk(first, 'one')];
  let asked = 0;
  let status = 200;
  const server = https.createServer({ cert: web.pem.cert, key: web.pem.key }, (request, response) => {
    asked++;
    if (request.url === '/moved') response.writeHead(302, { location: '/jwks' });
    else response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address();
  const s = await oauth(t, { jwks_ca: authority.file, jwks_private_addresses: true });
  const scopes = ['templates:read'];
  const make_ = (at, label) =>
    make(s, { label, kind: 'client', scopes, jwks_url: `https://localhost:${port}${at}` }, s.root);
  const c = await make_('/jwks', 'web');
  const moved = await make_('/moved', 'moved');
  const es = (more, header = {}) => signed(first, { alg: 'ES384', kid: 'one', ...header }, claims(c.client_id, more));
  const answers = await Promise.all([1, 2, 3, 4].map(async () => assertion(s, await es())));
  answers.map(granted);
  assert.equal(asked, 1, 'one fetch for all');
  // rotated: the new kid is looked for, but not at every request
  keys = [jwk(first, 'one'), jwk(second, 'two')];
  const rs = () => signed(second, { alg: 'RS384', kid: 'two' }, claims(c.client_id));
  refused(await assertion(s, await rs()), 401, 'invalid_client');
  assert.equal(asked, 1, 'a moment ago');
  await until(
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 500)); // only time lets the gateway ask again
      return (await assertion(s, await rs())).status === 200;
    },
    'the new key is found',
    30000,
  );
  assert.equal(asked, 2);
  refused(await assertion(s, await es({}, { kid: 'three' })), 401, 'invalid_client');
  granted(await assertion(s, await es()));
  assert.equal(asked, 2);
  // no redirect is followed
  const lost = await signed(first, { alg: 'ES384' }, claims(moved.client_id));
  refused(await assertion(s, lost), 401, 'invalid_client');
  assert.equal(asked, 3);
  // and by itself nothing is fetched from inside, by name or address
  await s.gateway.reload((config) => delete config.http.jwks_private_addresses);
  for (const [n, host] of [
    'localhost',
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '10.0.0.1',
    '169.254.169.254',
  ].entries()) {
    const inside = await make(
      s,
      { label: `in${n}`, kind: 'client', scopes, jwks_url: `https://${host}:${port}/in` },
      s.root,
    );
    refused(await assertion(s, await signed(first, { alg: 'ES384' }, claims(inside.client_id))), 401, 'invalid_client');
  }
  assert.equal(asked, 3);
  assert.ok(s.gateway.linesOf('address_refused').length >= 5, 'by the address that was connected to');
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
  // an id of ours for each kind of thing that there is; what has none yet gets an id that nobody has
  const ids = { messages: m.id, keys: idOf(s.practice.key), people: p.id };
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
        bodies[methods[method].operationId] ??
        Object.values(example?.examples ?? {})[0]?.value ??
        example?.schema?.example;
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
