// The example clients of docs/examples, as somebody would run them: against a gateway, and through one that fails at first.
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { selfSigned } from './lib/gateway.mjs';
import { keepBody, keepPatient, keepPhone } from './lib/privacy.mjs';
import { nextPatient, nextPhone, root, run, until } from './lib/util.mjs';
import { atEnd, setup, world } from './lib/world.mjs';

const clients = {
  curl: ['sh', 'reminder.sh'],
  Python: ['python3', 'reminder.py'],
  Node: [process.execPath, 'reminder.mjs'],
};
const client = ([program, file], args, options) =>
  run(program, [path.join(root, 'docs/examples', file), ...args], options);

await world();
const s = await setup(null, { carrier: { onSubmit: () => ({ receipt: true }) }, hooks: null });
const { cert } = await selfSigned();

/** What stands before the gateway: refuses the first requests, loses the answer of the next, then hands on. */
const before = { answers: [], keys: [] };
const proxy = http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const key = request.headers['idempotency-key'];
  before.keys.push(key);
  const how = before.answers.shift();
  if (how === 503) {
    response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' });
    response.end('{"type":"/problems/busy","title":"Service Unavailable","status":503,"code":"busy","detail":"Wait."}');
    return;
  }
  const body = parts.length ? Buffer.concat(parts) : undefined;
  const headers = key ? { 'idempotency-key': key } : {};
  const answer = await s.api.request(request.method, request.url, { body, headers });
  if (how === 'lost') {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, { 'content-type': answer.headers['content-type'] });
  response.end(answer.text);
});
await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
atEnd(null, () => {
  proxy.closeAllConnections?.();
  return new Promise((resolve) => proxy.close(resolve));
});

const environment = (more) => ({
  ...process.env,
  SMSBRIDGE_KEY: s.practice.key,
  SMSBRIDGE_URL: `https://localhost:${s.api.port}`,
  CURL_CA_BUNDLE: cert,
  SSL_CERT_FILE: cert,
  NODE_EXTRA_CA_CERTS: cert,
  ...more,
});

function reminder(reference) {
  const asked = [
    nextPatient(),
    nextPhone(),
    `Elm "Street" \\ Clinic: visit ${reference}. Reply STOP to end.`,
    reference,
  ];
  keepPatient(asked[0]);
  keepPhone(asked[1]);
  keepBody(asked[2]);
  return asked;
}

for (const [name, how] of Object.entries(clients)) {
  test(`${name}: a reminder is sent, and its status read`, async () => {
    const asked = reminder(`visit-${name}-1`);
    const done = await client(how, asked, { env: environment() });
    assert.equal(done.code, 0, done.stderr);
    const [, id, status] = /^([0-9a-f-]{36}) ([a-z]+)\n$/.exec(done.stdout) ?? [];
    assert.ok(['queued', 'sending', 'sent', 'delivered'].includes(status), done.stdout);
    const shown = await s.api.message(id);
    assert.deepEqual([shown.patient, shown.phone, shown.body, shown.reference], asked);
    await until(() => s.carrier.to(asked[1]).length === 1, 'it arrives');
  });

  test(`${name}: refused, then the answer lost: sent again with its key, stored once`, async () => {
    const asked = reminder(`visit-${name}-2`);
    Object.assign(before, { answers: [503, 'lost'], keys: [] });
    const done = await client(how, asked, {
      env: environment({ SMSBRIDGE_URL: `http://127.0.0.1:${proxy.address().port}` }),
    });
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(before.keys, [asked[3], asked[3], asked[3], undefined], 'the same key each time, then the GET');
    const stored = await s.db.sql('SELECT id FROM smsbridge.message WHERE patient = $1', [asked[0]]);
    assert.equal(stored.length, 1);
    assert.equal(done.stdout.split(' ')[0], stored[0].id);
  });

  test(`${name}: a request that is wrong is not sent again`, async () => {
    Object.assign(before, { answers: [], keys: [] });
    const env = environment({ SMSBRIDGE_URL: `http://127.0.0.1:${proxy.address().port}` });
    const done = await client(how, [nextPatient(), '+14165550101', 'Visit.', `visit-${name}-3`], { env });
    assert.notEqual(done.code, 0);
    assert.match(done.stderr, /phone_not_us/);
    assert.equal(before.keys.length, 1);
  });

  test(`${name}: a webhook of the gateway is verified, and nothing else is`, async () => {
    await s.hooks.got('message.sent');
    const { headers, text: body } = s.hooks.hooks[0];
    const secret = s.practice.webhook_secret;
    const of = (header) => headers[`webhook-${header}`];
    const verify = (args, input = body) => client(how, ['--verify', ...args], { input });
    const good = [secret, of('id'), of('timestamp'), of('signature')];
    const done = await verify(good);
    assert.deepEqual([done.code, done.stdout], [0, 'verified\n'], done.stderr);
    const wrong = [
      [good, `${body} `],
      [[`whsec_${Buffer.alloc(32).toString('base64')}`, ...good.slice(1)], body],
      [[secret, 'evt_1_1', good[2], good[3]], body],
      [[secret, good[1], String(Number(good[2]) - 301), good[3]], body],
      [[secret, good[1], good[2], 'v1,'], body],
      [[secret, good[1], good[2], good[3].replace('v1,', 'v2,')], body],
    ];
    for (const [args, input] of wrong) assert.equal((await verify(args, input)).code, 1, args.slice(1).join(' '));
  });
}
