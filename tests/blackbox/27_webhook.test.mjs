// Webhook endpoints: several a practice, two kinds of signatures, order for each message, days of outage, dead letters.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import test from 'node:test';
import { Webhook } from 'standardwebhooks';
import { NOON } from './lib/gateway.mjs';
import { Receiver } from './lib/hooks.mjs';
import { keepSecret } from './lib/privacy.mjs';
import { binary, must, never, until } from './lib/util.mjs';
import { another, atEnd, key, practice, setup, world } from './lib/world.mjs';

await world();

const receipts = { onSubmit: () => ({ receipt: true }) };
const HOUR = 3600000;
const WAITS = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400].map((s) => s * 1000); // proto/webhook_retry.def
const frozen = { clock: { start: NOON, rate: 0.001 }, webhook: { retry_base: '5s', retry_max: '24h' } };
const later = (ms, from = NOON) => new Date(new Date(from).getTime() + ms).toISOString();

async function receiver(t, answer) {
  const hooks = await new Receiver(answer).start();
  atEnd(t, () => hooks.stop());
  return hooks;
}

/** An endpoint made by the API. */
async function endpoint(s, hooks, path, fields = {}, options = {}) {
  const answer = await s.api.post('/v1/webhooks', { url: hooks.url(path), ...fields }, options);
  assert.equal(answer.status, 201, answer.text);
  keepSecret(answer.json.secret);
  hooks.secrets.set(path, answer.json.secret);
  return answer.json;
}

const shown = async (s, id) => (await s.api.get(`/v1/webhooks/${id}`)).json;

/** Whether one of the v1a signatures is by that public key: Ed25519 over "id.timestamp.body". */
function signedBy(hook, whpk) {
  const x = Buffer.from(whpk.replace(/^whpk_/, ''), 'base64').toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const content = Buffer.from(`${hook.id}.${hook.headers['webhook-timestamp']}.${hook.text}`);
  return hook.headers['webhook-signature']
    .split(' ')
    .filter((word) => word.startsWith('v1a,'))
    .some((word) => verify(null, content, publicKey, Buffer.from(word.slice(4), 'base64')));
}

function verifies(hook, secret) {
  try {
    new Webhook(secret).verify(hook.text, hook.headers);
    return true;
  } catch {
    return false;
  }
}

/** Webhook ids of all events that a practice is told, by message, in the order of the events. */
async function toldByMessage(s) {
  const rows = await s.db.sql(
    `SELECT e.message_id, e.type, 'evt_' || e.xact || '_' || e.id AS id FROM smsbridge.event e
       JOIN smsbridge.event_type t ON t.code = e.type AND t.webhook = 'PRACTICE'
     WHERE e.practice_id = $1 AND e.message_id IS NOT NULL ORDER BY e.xact, e.id`,
    [s.practice.id],
  );
  return Map.groupBy ? Map.groupBy(rows, (r) => r.message_id) : grouped(rows);
}

function grouped(rows) {
  const map = new Map();
  for (const r of rows) map.set(r.message_id, [...(map.get(r.message_id) ?? []), r]);
  return map;
}

/** Every event of every message was taken once, verified, in order, numbered from 1. */
async function assertAllArrived(s, hooks, path = '/elm') {
  const told = await toldByMessage(s);
  const taken = hooks.hooks.filter((h) => h.path === path && h.status === 204);
  for (const [id, events] of told) {
    const got = taken.filter((h) => h.body.data.message_id === id && h.body.type.startsWith('message.'));
    assert.deepEqual(
      got.map((h) => h.id),
      events.map((e) => e.id),
      `the events of ${id}, each once, in order`,
    );
    assert.deepEqual(
      got.map((h) => h.body.data.sequence),
      events.map((e, i) => i + 1),
    );
  }
  for (const h of taken) assert.equal(h.error, undefined, 'its signature is right');
  return { messages: told.size, events: [...told.values()].reduce((n, e) => n + e.length, 0) };
}

test('endpoints are made, shown, changed and deleted; a secret is shown once', async (t) => {
  const s = await setup(t, {});
  const hooks = await receiver(t);
  const made = await endpoint(s, hooks, '/a', { event_types: ['message.sent'], failover_url: hooks.url('/b') });
  assert.match(made.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.match(made.public_key, /^whpk_[A-Za-z0-9+/]{43}=$/);
  assert.equal(made.state, 'enabled');
  const again = await shown(s, made.id);
  assert.equal(again.secret, undefined);
  assert.equal(again.public_key, made.public_key);
  assert.deepEqual(again.event_types, ['message.sent']);
  const list = await s.api.get('/v1/webhooks');
  assert.deepEqual(
    list.json.data.map((w) => w.id),
    [made.id],
  );
  assert.ok(!list.text.includes('whsec_'));
  const patch = (body) => s.api.request('PATCH', `/v1/webhooks/${made.id}`, { body });
  const changed = await patch({ failover_url: null, event_types: null });
  assert.equal(changed.status, 200, changed.text);
  assert.deepEqual([changed.json.failover_url, changed.json.event_types], [null, null]);
  const other = await practice(s.db, { name: 'Oak Street Clinic' });
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/rotate'],
    ['POST', '/test'],
    ['POST', '/enable'],
  ]) {
    const answer = await s.api.request(method, `/v1/webhooks/${made.id}${path}`, {
      key: other.key,
      body: method === 'PATCH' ? {} : undefined,
    });
    assert.equal(answer.status, 404, `${method} ${path} of another practice`);
    assert.equal(answer.json.code, 'webhook_unknown');
  }
  for (let i = 2; i <= 8; i++) await endpoint(s, hooks, `/${i}`);
  const ninth = await s.api.post('/v1/webhooks', { url: hooks.url('/9') });
  assert.equal(ninth.status, 409);
  assert.equal(ninth.json.code, 'webhook_ceiling');
  assert.equal((await s.api.request('DELETE', `/v1/webhooks/${made.id}`)).status, 204);
  assert.equal((await s.api.get(`/v1/webhooks/${made.id}`)).status, 404);
  await endpoint(s, hooks, '/9');
  const told = await s.db.sql("SELECT data FROM smsbridge.event WHERE type = 'webhook.changed' ORDER BY xact, id");
  assert.deepEqual([told[0].data.change, told[1].data.change, told.at(-2).data.change], ['added', 'set', 'deleted']);
  assert.ok(!JSON.stringify(told).includes('whsec_') && !JSON.stringify(told).includes('http'), 'no secret, no URL');
});

test('a URL is looked at when it is given', async (t) => {
  const s = await setup(t, {});
  const bad = [
    'ftp://clinic.example/x',
    'clinic.example',
    '',
    'https://',
    'http://clinic.example/x',
    'https://user:pw@clinic.example/x',
    'https://clinic.example:0/',
    'https://clinic.example:65536/',
    'https://clinic.example:x/',
    'https://10.0.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://100.64.0.1/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[64:ff9b::a00:1]/',
    'https://[::]/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://127.1/',
    'https://017700000001/',
    'https://clinic.example\\@127.0.0.1/',
    'https://clinic.example/#x',
    'https://clinic.example/ x',
    `https://clinic.example/${'x'.repeat(1024)}`,
    7,
    ['https://clinic.example/'],
  ];
  for (const url of bad) {
    const answer = await s.api.post('/v1/webhooks', { url });
    assert.equal(answer.status, 422, `${url}`);
    assert.equal(answer.json.errors[0].pointer, '/url');
  }
  for (const body of [
    { url: 'https://clinic.example/', failover_url: 'https://10.0.0.1/' },
    { url: 'https://clinic.example/', event_types: ['message.sending'] },
    { url: 'https://clinic.example/', event_types: [] },
    { url: 'https://clinic.example/', event_types: 'message.sent' },
    { url: 'https://clinic.example/', reply_text: 'yes' },
    { url: 'https://clinic.example/', colour: 'red' },
    {},
  ])
    assert.equal((await s.api.post('/v1/webhooks', body)).status, 422, JSON.stringify(body));
  await s.gateway.reload((config) => delete config.webhook.allow_loopback);
  const ours = [
    'https://127.0.0.1/',
    'http://127.0.0.1:5432/',
    'http://localhost:9090/metrics',
    'http://LocalHost/',
    'http://[::1]/',
    'https://[::ffff:127.0.0.1]/',
  ];
  const { json: own } = await s.api.post('/v1/webhooks', { url: 'https://clinic.example' });
  for (const url of ours)
    for (const answer of [
      await s.api.post('/v1/webhooks', { url }),
      await s.api.post('/v1/webhooks', { url: 'https://clinic.example', failover_url: url }),
      await s.api.request('PATCH', `/v1/webhooks/${own.id}`, { body: { url } }),
      await s.api.request('PATCH', `/v1/webhooks/${own.id}`, { body: { failover_url: url } }),
    ])
      assert.deepEqual([answer.status, answer.json.errors?.[0].code], [422, 'bad_url'], url);
  const good = ['https://clinic.example', 'https://[2606:4700::1111]:8443/x?y=z', 'HTTPS://clinic.example:443/hooks'];
  for (const url of good) assert.equal((await s.api.post('/v1/webhooks', { url })).status, 201, url);
});

test('each endpoint gets what it chose, with both signatures; a test event reaches that one only', async (t) => {
  const s = await setup(t, { carrier: receipts });
  const hooks = await receiver(t);
  const all = await endpoint(s, hooks, '/all');
  const some = await endpoint(s, hooks, '/some', { event_types: ['message.delivered', 'webhook.test'] });
  const m = await s.api.accepted();
  await hooks.got('message.delivered', (d, h) => h.path === '/all' && d.message_id === m.id);
  await hooks.got('message.delivered', (d, h) => h.path === '/some' && d.message_id === m.id);
  const tested = await s.api.post(`/v1/webhooks/${some.id}/test`);
  assert.equal(tested.status, 202);
  const got = await hooks.got('webhook.test');
  assert.equal(got.path, '/some');
  assert.equal(got.id, tested.json.event_id);
  assert.deepEqual(got.body.data, { webhook_id: some.id });
  assert.deepEqual(
    hooks.hooks.filter((h) => h.path === '/some').map((h) => h.body.type),
    ['message.delivered', 'webhook.test'],
  );
  for (const h of hooks.hooks) {
    assert.equal(h.error, undefined);
    assert.ok(signedBy(h, h.path === '/all' ? all.public_key : some.public_key), 'v1a');
    assert.ok(!signedBy(h, h.path === '/all' ? some.public_key : all.public_key), 'each has a key pair of its own');
  }
  assert.equal((await hooks.got('message.delivered', (d, h) => h.path === '/some')).body.data.sequence, 2);
});

test('rotated keys: the former ones sign too for 24 hours', async (t) => {
  const s = await setup(t, { config: { clock: { start: NOON } } });
  const hooks = await receiver(t);
  const before = await endpoint(s, hooks, '/a');
  const after = (await s.api.post(`/v1/webhooks/${before.id}/rotate`)).json;
  keepSecret(after.secret);
  assert.notEqual(after.secret, before.secret);
  assert.equal(after.former_public_key, before.public_key);
  await s.api.post(`/v1/webhooks/${before.id}/test`);
  const both = await hooks.got('webhook.test');
  assert.equal(both.headers['webhook-signature'].split(' ').length, 4);
  for (const w of [before, after]) assert.ok(verifies(both, w.secret) && signedBy(both, w.public_key));
  await s.gateway.moveClock(later(25 * HOUR));
  await s.api.post(`/v1/webhooks/${before.id}/test`);
  await until(() => hooks.of('webhook.test').length === 2, 'the second test');
  const alone = hooks.of('webhook.test')[1];
  assert.ok(verifies(alone, after.secret) && signedBy(alone, after.public_key));
  assert.ok(!verifies(alone, before.secret) && !signedBy(alone, before.public_key));
  assert.equal((await shown(s, before.id)).former_public_key, null);
});

test('a failing event holds back what follows of its message, and nothing else', async (t) => {
  let bad;
  const s = await setup(t, {
    hooks: (h) => (h.body.data.message_id === bad && h.body.type === 'message.sent' ? 500 : 204),
    carrier: receipts,
  });
  const first = await s.api.accepted();
  await s.hooks.got('message.delivered', (d) => d.message_id === first.id);
  const all = [];
  for (let i = 0; i < 12; i++) {
    const m = await s.api.accepted();
    bad ??= m.id;
    all.push(m);
  }
  for (const m of all.slice(1)) await s.hooks.got('message.delivered', (d) => d.message_id === m.id);
  await until(
    async () => (await s.db.sql('SELECT * FROM smsbridge.webhook_wait')).length === 2,
    'the failing one and the one behind it wait',
  );
  assert.ok(!s.hooks.of('message.delivered').some((h) => h.body.data.message_id === bad));
  const waiting = (await s.api.get(`/v1/webhooks/${s.practice.id}/deliveries?state=waiting`)).json.data;
  assert.deepEqual(
    waiting.map((w) => w.type),
    ['message.sent', 'message.delivered'],
  );
  bad = 'none';
  await s.hooks.got('message.delivered', (d) => d.message_id === all[0].id, 20000);
  await assertAllArrived(s, s.hooks);
});

test('the schedule of 75 hours, wait by wait; then a dead letter, which can be replayed', async (t) => {
  let bad;
  const s = await setup(t, {
    hooks: (h) => (h.id === bad ? 503 : 204),
    carrier: { onSubmit: () => ({ receipt: true }) },
    config: frozen,
  });
  s.hooks.answer = (h) => {
    bad ??= h.body.type === 'message.sent' ? h.id : undefined;
    return h.id === bad ? 503 : 204;
  };
  const m = await s.api.accepted();
  await s.hooks.got('message.sent', (d) => d.message_id === m.id);
  const tries = () => s.hooks.hooks.filter((h) => h.id === bad).length;
  let now = 0;
  for (const [i, wait] of WAITS.entries()) {
    assert.equal(tries(), i + 1);
    await until(
      async () => (await s.db.sql('SELECT * FROM smsbridge.webhook_wait WHERE attempts = $1', [i + 1])).length === 1,
      'the attempt is booked',
    );
    await s.gateway.moveClock(later(now + wait * 0.98), 0.001);
    await never(() => tries() > i + 1, `attempt ${i + 2} before its time`, 350);
    now += wait * 1.12;
    await s.gateway.moveClock(later(now), 0.001);
    await until(() => tries() === i + 2, `attempt ${i + 2}, after ${wait / 1000} s`);
  }
  await until(() => s.gateway.line('webhook_dead'), 'the operator is told');
  assert.equal(await s.gateway.metric('smsbridge_webhook_dead_total'), 1);
  await s.hooks.got('message.delivered', (d) => d.message_id === m.id);
  assert.equal(tries(), WAITS.length + 1);
  const page = await s.api.get(`/v1/webhooks/${s.practice.id}/deliveries?state=dead`);
  assert.equal(page.status, 200, page.text);
  const dead = page.json;
  assert.deepEqual(
    dead.data.map((d) => [d.event_id, d.type, d.state, d.attempts, d.last_status]),
    [[bad, 'message.sent', 'dead', WAITS.length + 1, 503]],
  );
  const one = bad;
  bad = 'none';
  const replay = await s.api.post(`/v1/webhooks/${s.practice.id}/replay`, { event_ids: [one] });
  assert.equal(replay.status, 202, replay.text);
  assert.deepEqual(replay.json, { replayed: 1, next_from: null });
  const got = await until(() => s.hooks.hooks.find((h) => h.id === one && h.status === 204), 'replayed');
  assert.equal(got.body.data.sequence, 1, 'it keeps its number');
  assert.equal(got.error, undefined);
  const range = await s.api.post(`/v1/webhooks/${s.practice.id}/replay`, { from: later(-HOUR), to: later(HOUR) });
  assert.equal(range.json.replayed, 2);
  await until(() => s.hooks.of('message.delivered').length === 2, 'delivered ones are posted again, too');
  for (const body of [
    {},
    { event_ids: [] },
    { event_ids: ['x'] },
    { event_ids: [one], from: NOON },
    { from: NOON },
    { from: NOON, to: NOON },
  ])
    assert.equal((await s.api.post(`/v1/webhooks/${s.practice.id}/replay`, body)).status, 422, JSON.stringify(body));
});

test('Retry-After makes a wait longer, in seconds and as a date', async (t) => {
  for (const [name, value] of [
    ['seconds', () => '600'],
    ['a date', () => new Date(Date.now() + 600000).toUTCString()],
  ]) {
    await t.test(name, async (t2) => {
      let tries = 0;
      const s = await setup(t2, {
        hooks: () => (tries++ === 0 ? { status: 503, headers: { 'retry-after': value() } } : 204),
        config: frozen,
      });
      await s.api.accepted();
      await until(async () => (await s.db.sql('SELECT * FROM smsbridge.webhook_wait')).length === 1, 'booked');
      await s.gateway.moveClock(later(590000), 0.001);
      await never(() => tries > 1, 'before its time', 400);
      await s.gateway.moveClock(later(665000), 0.001);
      await until(() => tries === 2, 'then again');
    });
  }
});

test('a Retry-After past all reason is the longest wait', async (t) => {
  let tries = 0;
  const s = await setup(t, {
    hooks: () => (tries++ === 0 ? { status: 503, headers: { 'retry-after': '9223372036854775807' } } : 204),
    config: { ...frozen, webhook: { retry_max: '1h' } },
  });
  await s.api.accepted();
  await until(async () => (await s.db.sql('SELECT * FROM smsbridge.webhook_wait')).length === 1, 'booked');
  await s.gateway.moveClock(later(3590000), 0.001);
  await never(() => tries > 1, 'before its time', 400);
  await s.gateway.moveClock(later(3600000 * 1.11), 0.001);
  await until(() => tries === 2, 'then again');
});

test('what the former URL says after it was changed is not held against the new one', async (t) => {
  let release;
  const former = new Promise((resolve) => {
    release = resolve;
  });
  const s = await setup(t, { config: { ...frozen, webhook: { ...frozen.webhook, timeout: '15s' } } });
  const old = await receiver(t, async () => (await former, 410));
  const next = await receiver(t);
  const w = await endpoint(s, old, '/old');
  next.secrets.set('/new', w.secret);
  const m = await s.api.accepted();
  await until(() => old.hooks.length > 0, 'a post is on its way');
  const set = await s.api.request('PATCH', `/v1/webhooks/${w.id}`, { body: { url: next.url('/new') } });
  assert.equal(set.status, 200, set.text);
  release();
  await until(() => next.hooks.some((h) => h.body.data.message_id === m.id), 'it comes to the new one');
  assert.equal((await shown(s, w.id)).state, 'enabled');
});

test('410 disables: an event, a line, a number; enabling goes on from there', async (t) => {
  let status = 410;
  const s = await setup(t, { hooks: () => status, carrier: receipts });
  const watch = await receiver(t);
  const m = await s.api.accepted();
  await until(() => s.gateway.line('webhook_disabled'), 'a line');
  const w = await shown(s, s.practice.id);
  assert.deepEqual([w.state, w.state_reason, w.state_by], ['disabled', 'gone', 'gateway']);
  assert.equal(await s.gateway.metric('smsbridge_webhook_disabled_total', { reason: 'gone' }), 1);
  const told = await s.db.sql("SELECT data FROM smsbridge.event WHERE type = 'webhook.disabled'");
  assert.deepEqual(told[0].data, { id: s.practice.id, cause: 'gone', by: 'gateway' });
  for (const path of ['test', 'replay']) {
    const answer = await s.api.post(
      `/v1/webhooks/${s.practice.id}/${path}`,
      path === 'replay' ? { from: later(-HOUR), to: later(HOUR) } : undefined,
    );
    assert.equal(answer.json.code, 'webhook_disabled');
  }
  await until(async () => (await s.api.message(m.id)).status === 'delivered', 'delivered');
  status = 204;
  const enabled = await s.api.post(`/v1/webhooks/${s.practice.id}/enable`);
  assert.equal(enabled.json.state, 'enabled');
  await s.hooks.got('message.delivered', (d, h) => d.message_id === m.id && h.status === 204);
  await assertAllArrived(s, s.hooks);
  // another endpoint of the practice is told that one was disabled
  await endpoint(s, watch, '/watch', { event_types: ['webhook.disabled'] });
  const off = await s.api.request('PATCH', `/v1/webhooks/${s.practice.id}`, { body: { state: 'disabled' } });
  assert.equal(off.json.state_reason, 'asked');
  assert.deepEqual((await watch.got('webhook.disabled')).body.data, { webhook_id: s.practice.id, cause: 'asked' });
});

test('after repeated failures of the first URL the failover URL takes over, and gives back', async (t) => {
  let down = true;
  const s = await setup(t, { config: { webhook: { retry_base: '50ms', retry_max: '200ms' } }, carrier: receipts });
  const hooks = await receiver(t, (h) => (h.path === '/first' && down ? 503 : 204));
  const w = await endpoint(s, hooks, '/first', { failover_url: hooks.url('/second') });
  hooks.secrets.set('/second', w.secret);
  for (let i = 0; i < 12; i++) await s.api.accepted();
  await until(() => hooks.of('message.delivered', '/second').length === 12, 'all by the second', 30000);
  assert.ok(hooks.hooks.filter((h) => h.path === '/first').length >= 3);
  assert.ok(hooks.hooks.every((h) => h.error === undefined));
  assert.equal((await shown(s, w.id)).health.failover, true);
  down = false;
  await s.gateway.moveClock(later(HOUR));
  const back = await s.api.accepted();
  await hooks.got('message.delivered', (d, h) => d.message_id === back.id && h.path === '/first');
  await until(async () => (await shown(s, w.id)).health.failures === 0, 'well again');
});

test('three days down: then every event arrives once, verified, in order for each message', async (t) => {
  let down = true;
  const s = await setup(t, {
    hooks: () => (down ? 503 : 204),
    carrier: receipts,
    config: { clock: { start: NOON, rate: 21600 }, webhook: { retry_base: '5s', retry_max: '24h' } },
  });
  const hours = () => ((Date.now() - began) * 21600) / HOUR;
  const began = Date.now();
  while (hours() < 48) {
    for (let i = 0; i < 6; i++) await s.api.accepted();
    await never(() => false, '', 900);
  }
  await until(() => hours() >= 72, 'three days', 60000);
  const tries = s.hooks.hooks.length;
  const w = await shown(s, s.practice.id);
  assert.equal(w.state, 'enabled', 'still enabled after three days');
  assert.ok(w.health.pending > 20, 'they wait behind the cursor');
  down = false;
  const last = hours();
  await until(() => s.hooks.hooks.some((h) => h.status === 204), 'the first is taken', 60000);
  await s.gateway.moveClock(later(120 * HOUR));
  await until(
    async () => {
      const told = [...(await toldByMessage(s)).values()].flat();
      return told.every((e) => s.hooks.hooks.some((h) => h.id === e.id && h.status === 204));
    },
    'all arrived',
    60000,
  );
  const { messages, events } = await assertAllArrived(s, s.hooks);
  for (const h of s.hooks.hooks) assert.ok(signedBy(h, w.public_key), 'v1a too');
  t.diagnostic(
    `${last.toFixed(0)} simulated hours down, ${tries} attempts; then ${events} events of ${messages} messages`,
  );
});

test('an endpoint that takes nothing for the whole schedule is disabled, and loses nothing', async (t) => {
  let down = true;
  const s = await setup(t, { hooks: () => (down ? 500 : 204), carrier: receipts, config: frozen });
  for (let i = 0; i < 8; i++) await s.api.accepted();
  const rounds = async () => (await s.db.sql('SELECT * FROM smsbridge.webhook_progress'))[0];
  await until(async () => (await rounds()).down_rounds === 1, 'it is down');
  const began = (await rounds()).down_since;
  let now;
  for (let i = 2; i <= WAITS.length + 1; i++) {
    now = later(1000, (await rounds()).next_at);
    await s.gateway.moveClock(now, 0.001);
    await until(async () => (await rounds()).down_rounds === i, `tried for the ${i}th time`);
    if (i <= WAITS.length) assert.equal((await shown(s, s.practice.id)).state, 'enabled', `${i} attempts`);
  }
  const hours = (new Date(now) - began) / HOUR;
  await until(async () => (await shown(s, s.practice.id)).state === 'disabled', 'disabled');
  const w = await shown(s, s.practice.id);
  assert.deepEqual([w.state_reason, w.state_by], ['exhausted', 'gateway']);
  assert.ok(hours >= 75.58 && hours < 84, `${hours} hours`);
  t.diagnostic(`disabled after ${hours.toFixed(1)} hours`);
  assert.equal(w.health.dead, 0, 'nothing died while it was down');
  assert.equal(s.gateway.line('webhook_disabled').reason, 'exhausted');
  down = false;
  const list = JSON.parse((await must(binary, ['webhook', 'list', '--database', s.db.owner, '--json'])).stdout);
  assert.equal(list[0].state, 'disabled');
  const args = ['--practice', s.practice.id, '--webhook', s.practice.id, '--database', s.db.owner, '--at', now];
  await must(binary, ['webhook', 'enable', ...args, '--by', 'Ada Stone']);
  await until(
    async () =>
      [...(await toldByMessage(s)).values()]
        .flat()
        .every((e) => s.hooks.hooks.some((h) => h.id === e.id && h.status === 204)),
    'all arrived',
    30000,
  );
  await assertAllArrived(s, s.hooks);
});

test('forty slow endpoints do not delay one that is well', async (t) => {
  const gate = { done: false };
  const s = await setup(t, {
    config: { webhook: { timeout: '15s' } },
    carrier: receipts,
    practice: { name: 'Oak Clinic' },
  });
  const slow = await receiver(t, () => ({ status: 204, delay: gate }));
  const well = await receiver(t);
  const others = [];
  for (let i = 0; i < 5; i++) others.push(await practice(s.db, { name: `Elm Clinic ${i}` }));
  for (const p of others) for (let k = 0; k < 8; k++) await endpoint(s, slow, `/${p.id}/${k}`, {}, { key: p.key });
  await endpoint(s, well, '/well');
  for (const p of others) await s.api.accepted({}, { key: p.key });
  await until(
    () => slow.open >= 16,
    () => `the slow ones are being served: ${slow.open}`,
    20000,
  );
  const began = Date.now();
  for (let i = 0; i < 10; i++) {
    const m = await s.api.accepted();
    await well.got('message.delivered', (d) => d.message_id === m.id, 5000);
  }
  t.diagnostic(`10 messages told in ${Date.now() - began} ms while ${slow.open} posts hung`);
  gate.done = true;
});

test('connections are used again', async (t) => {
  const s = await setup(t, { hooks: null, carrier: receipts });
  let connections = 0;
  s.hooks.server.on('connection', () => connections++);
  for (let i = 0; i < 100; i++) await s.api.accepted();
  await until(() => s.hooks.of('message.delivered').length === 100, 'all told', 60000);
  t.diagnostic(`${s.hooks.hooks.length} posts on ${connections} connections`);
  assert.ok(s.hooks.hooks.length >= 200);
  assert.ok(connections <= 20, `${connections} connections`);
});

test('two gateways share the endpoints: each event is posted once', async (t) => {
  const s = await setup(t, { hooks: null, carrier: receipts });
  const g = await another(t, s);
  await g.start();
  for (let i = 0; i < 40; i++) await (i % 2 ? g.api : s.api).accepted();
  await until(() => s.hooks.of('message.delivered').length >= 40, 'all told', 40000);
  await never(() => s.hooks.of('message.delivered').length > 40, 'a second time', 600);
  await assertAllArrived(s, s.hooks);
});

test('a trace is passed on', async (t) => {
  const s = await setup(t, { hooks: null });
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const m = await s.api.accepted({ send_at: later(20 * HOUR) }, { headers: { traceparent: trace } });
  await s.api.post(`/v1/messages/${m.id}/cancel`);
  const hook = await s.hooks.got('message.canceled');
  assert.equal(hook.headers.traceparent, trace);
});

test('a name that leads to this machine is refused where it is connected to', async (t) => {
  const s = await setup(t, { config: { webhook: { allow_plain_http: true } } });
  const hooks = await receiver(t);
  const made = await s.api.post('/v1/webhooks', { url: `http://clinic.localhost:${hooks.port}/x` });
  assert.equal(made.status, 201, made.text);
  await s.api.accepted();
  const failed = await until(() => s.gateway.line('webhook_failed'), 'it is told');
  assert.equal(failed.error, 'address_refused');
  assert.equal(hooks.hooks.length, 0);
  await until(async () => (await shown(s, made.json.id)).health.last_error === 'address_refused', 'and booked');
});

test('keys of one practice see no endpoint of another', async (t) => {
  const s = await setup(t, {});
  const other = await practice(s.db, { name: 'Oak Street Clinic' });
  const hooks = await receiver(t);
  await endpoint(s, hooks, '/a');
  assert.deepEqual((await s.api.get('/v1/webhooks', { key: other.key })).json.data, []);
  assert.equal((await s.api.get('/v1/webhooks', { key: await key(s.db, s.practice.id) })).json.data.length, 1);
});
