// Tokens for clients, by secret and by assertions; keys at a URL; listeners that ask for client certificates.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { SignJWT } from 'jose';
import {
  ALL,
  BASE,
  JWT_BEARER,
  RULE_NOW,
  basic,
  granted,
  idOf,
  make,
  notes,
  oauth,
  problem,
  refused,
  secretOf,
  token,
} from './lib/callers.mjs';
import { Authority } from './lib/certs.mjs';
import { selfSigned } from './lib/gateway.mjs';
import { binary, run, until } from './lib/util.mjs';
import { key, setup, world } from './lib/world.mjs';

await world();

test("a token is one of the practice's requests a second", async (t) => {
  const s = await oauth(t, { requests_per_second: 3 });
  const { client_id, client_secret } = await make(s, { kind: 'client', scopes: ['messages:read'] }, s.root);
  const ask = () => token(s, { grant_type: 'client_credentials', client_id, client_secret });
  const answers = [];
  for (let i = 0; i < 6; i++) answers.push(await ask());
  const past = answers.filter((a) => a.status === 429);
  assert.ok(past.length > 0 && past.length < 6, answers.map((a) => a.status).join());
  for (const a of past) {
    assert.deepEqual([a.json.code, a.headers.ratelimit], ['too_many_requests', '"default";r=0;t=1']);
    assert.ok(Number(a.headers['retry-after']) >= 1);
  }
});

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
