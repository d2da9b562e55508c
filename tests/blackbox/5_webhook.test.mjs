// Events to the clinic's backend: signed, thin, at least once, one practice never in another's way.
import assert from 'node:assert/strict';
import https from 'node:https';
import { once } from 'node:events';
import test from 'node:test';
import { Webhook } from 'standardwebhooks';
import { Receiver } from './lib/hooks.mjs';
import { selfSigned } from './lib/gateway.mjs';
import { binary, must, never, nextPatient, nextPhone, slow, until } from './lib/util.mjs';
import { atEnd, practice, setup, world } from './lib/world.mjs';

await world();

const receipts = { onSubmit: () => ({ receipt: true }) };
const setUrl = (s, p, url) =>
  must(binary, ['practice', 'set', p.id, '--database', s.db.owner, '--webhook-url', url, '--json']);

async function other(t, s, answer, name = 'Oak Street Clinic') {
  const hooks = await new Receiver(answer).start();
  atEnd(t, () => hooks.stop());
  const p = await practice(s.db, { name, webhook: hooks.url('/oak') });
  hooks.secrets.set('/oak', p.webhook_secret);
  return { hooks, practice: p };
}

test('each event reaches the practice, signed as Standard Webhooks says, and thin', async (t) => {
  const s = await setup(t, {
    hooks: null,
    carrier: { onSubmit: (m) => ({ receipt: { stat: m.text.startsWith('lost') ? 'UNDELIV' : 'DELIVRD' } }) },
  });
  const who = { patient: nextPatient(), phone: nextPhone() };
  const sent = await s.api.accepted({ ...who, reference: 'order-1' });
  await s.hooks.got('message.sent', (d) => d.message_id === sent.id);
  await s.hooks.got('message.delivered', (d) => d.message_id === sent.id && d.reference === 'order-1');
  const held = await s.api.accepted(who);
  await s.hooks.got('message.held', (d) => d.message_id === held.id && d.reason === 'cap_day' && d.due_at);
  const lost = await s.api.accepted({ body: 'lost reminder, reply STOP to end' });
  await s.hooks.got('message.undelivered', (d) => d.message_id === lost.id && d.reason === 'receipt_failed');
  const late = await s.api.accepted({ ...who, expires_at: '2026-03-02T13:00:00-05:00' });
  await s.hooks.got('message.expired', (d) => d.message_id === late.id);
  await s.carrier.mo(who.phone, s.practice.sender, 'Could I come at ten instead?');
  await s.hooks.got('reply.received', (d) => d.reply_id);
  await s.carrier.mo(who.phone, s.practice.sender, 'STOP');
  await s.hooks.got('opt_out.created', (d) => d.keyword === 'stop');
  await s.hooks.got('message.canceled', (d) => d.message_id === held.id);
  const blocked = await s.api.accepted(who);
  await s.hooks.got('message.blocked', (d) => d.message_id === blocked.id && d.reason === 'opted_out');
  await s.carrier.mo(who.phone, s.practice.sender, 'START');
  await s.hooks.got('opt_out.lifted');

  const fields = [
    'message_id',
    'reference',
    'patient',
    'sequence',
    'status',
    'reason',
    'due_at',
    'phone',
    'keyword',
    'reply_id',
    'conversation_id',
  ];
  for (const h of s.hooks.hooks) {
    assert.equal(h.error, undefined, `${h.body?.type}: the signature is right`);
    assert.equal(h.method, 'POST');
    assert.match(h.headers['content-type'], /^application\/json/);
    assert.ok(Math.abs(Number(h.headers['webhook-timestamp']) - Date.now() / 1000) < 60 * slow, 'real time');
    assert.ok(!Number.isNaN(Date.parse(h.body.timestamp)));
    for (const name of Object.keys(h.body.data)) assert.ok(fields.includes(name), `${h.body.type}: ${name}`);
    assert.ok(!h.text.includes(who.phone.slice(2)), 'no full phone');
    for (const text of [sent.draft.body, 'ten instead', 'lost reminder']) assert.ok(!h.text.includes(text), 'no text');
    if (h.body.data.phone) assert.match(h.body.data.phone, /\*.*\d{4}$/);
  }
  assert.equal(new Set(s.hooks.hooks.map((h) => h.id)).size, s.hooks.hooks.length, 'every event its own id, each once');
  assert.throws(
    () => new Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw').verify(s.hooks.hooks[0].text, s.hooks.hooks[0].headers),
    'another secret does not fit',
  );
  assert.throws(
    () => new Webhook(s.practice.webhook_secret).verify(`${s.hooks.hooks[0].text} `, s.hooks.hooks[0].headers),
    'a changed body does not fit',
  );
  // notices to the patient are no messages of the practice
  const notices = await s.db.sql(
    "SELECT id FROM smsbridge.message WHERE category IN ('opt_out_confirmation', 'resume_confirmation')",
  );
  assert.equal(notices.length, 2);
  for (const n of notices) assert.ok(!s.hooks.hooks.some((h) => h.body.data.message_id === n.id));
});

test('replies with their text and phone when the practice asks for it', async (t) => {
  const s = await setup(t, { hooks: null, practice: { text: true } });
  const phone = nextPhone();
  const text = 'Is “parking” free? “Yes”\n\\ / <b>&amp; \u{1F697}';
  await s.carrier.mo(phone, s.practice.sender, 'x', {
    data_coding: 8,
    short_message: Buffer.from(text, 'utf16le').swap16(),
  });
  const hook = await s.hooks.got('reply.received');
  assert.equal(hook.error, undefined);
  assert.equal(hook.body.data.text, text);
  assert.equal(hook.body.data.phone, phone);
});

test('500, then again: the same id, a fresh signature, in the end delivered', async (t) => {
  const s = await setup(t, {
    hooks: (h, r) =>
      r.hooks.filter((x) => x.id === h.id).length <= 3
        ? [500, 503, 429][r.hooks.filter((x) => x.id === h.id).length - 1]
        : 204,
    carrier: receipts,
  });
  const m = await s.api.accepted();
  await until(
    () => s.hooks.hooks.some((h) => h.body.type === 'message.delivered' && h.status === 204),
    'delivered in the end',
    30000,
  );
  const tries = s.hooks.hooks.filter((h) => h.body.type === 'message.sent' && h.body.data.message_id === m.id);
  assert.ok(tries.length >= 4);
  assert.equal(new Set(tries.map((h) => h.id)).size, 1);
  for (const h of tries) assert.equal(h.error, undefined);
  assert.equal(new Set(tries.map((h) => h.text)).size, 1, 'the same octets');
  const gaps = tries.slice(1).map((h, i) => h.at - tries[i].at);
  assert.ok(gaps.at(-1) > gaps[0], `the wait grows: ${gaps}`);
  await never(
    () => s.hooks.hooks.filter((h) => h.id === tries[0].id).length > tries.length,
    'again after it was taken',
    500,
  );
});

test('one event fails, the others go on', async (t) => {
  let bad;
  const s = await setup(t, {
    hooks: (h) => (h.body.data.message_id === bad && h.body.type === 'message.sent' ? 500 : 204),
  });
  await s.api.accepted();
  await s.hooks.got('message.sent');
  const all = [];
  for (let i = 0; i < 20; i++) {
    const m = await s.api.accepted();
    bad ??= m.id;
    all.push(m);
  }
  for (const m of all.slice(1)) await s.hooks.got('message.sent', (d, h) => d.message_id === m.id && h.status === 204);
  bad = 'none';
  await s.hooks.got('message.sent', (d, h) => d.message_id === all[0].id && h.status === 204, 20000);
});

test('while the backend is down nothing is lost; kill -9 in between neither', async (t) => {
  const s = await setup(t, { hooks: null, carrier: receipts });
  const { port } = s.hooks;
  await s.hooks.stop();
  const all = [];
  for (let i = 0; i < 30; i++) all.push(await s.api.accepted());
  await until(
    async () =>
      (await s.db.sql("SELECT count(*)::int AS n FROM smsbridge.message WHERE status = 'delivered'"))[0].n === 30,
    'delivered',
  );
  await s.gateway.kill();
  const more = await new Receiver().start(port);
  atEnd(t, () => more.stop());
  more.secrets.set('/elm', s.practice.webhook_secret);
  await s.gateway.start();
  for (const m of all) {
    for (const type of ['message.sent', 'message.delivered']) await more.got(type, (d) => d.message_id === m.id, 30000);
  }
  assert.ok(more.hooks.every((h) => h.error === undefined));
});

test('in order when they come one by one', async (t) => {
  const s = await setup(t, { hooks: null });
  const ids = [];
  for (let i = 0; i < 8; i++) {
    const m = await s.api.accepted();
    ids.push(m.id);
    await s.hooks.got('message.sent', (d) => d.message_id === m.id);
  }
  assert.deepEqual(
    s.hooks.of('message.sent').map((h) => h.body.data.message_id),
    ids,
  );
});

test('a slow practice does not delay another; each gets only its own', async (t) => {
  const gate = { done: false };
  const s = await setup(t, {
    hooks: () => ({ status: 204, delay: gate }),
    carrier: receipts,
    config: { webhook: { timeout: '15s' } },
  });
  const oak = await other(t, s);
  for (let i = 0; i < 40; i++) await s.api.accepted();
  await until(() => s.hooks.open > 0, 'the slow one is being served');
  const began = Date.now();
  const mine = [];
  for (let i = 0; i < 10; i++) mine.push(await s.api.accepted({}, { key: oak.practice.key }));
  for (const m of mine) await oak.hooks.got('message.delivered', (d) => d.message_id === m.id, 8000);
  assert.ok(Date.now() - began < 8000 * slow);
  assert.ok(s.hooks.open > 0, 'the slow one is still slow');
  gate.done = true;
  await until(async () => s.hooks.of('message.delivered').length === 40, 'then it gets all of its own', 30000);
  assert.ok(oak.hooks.hooks.every((h) => mine.some((m) => m.id === h.body.data.message_id)));
  assert.ok(s.hooks.hooks.every((h) => !mine.some((m) => m.id === h.body.data.message_id)));
});

test('no answer in time counts as none: the same again', async (t) => {
  const gate = { done: false };
  let first = true;
  const s = await setup(t, {
    hooks: () => (first ? ((first = false), { status: 204, delay: gate }) : 204),
    config: { webhook: { timeout: '500ms' } },
  });
  const m = await s.api.accepted();
  const hook = await s.hooks.got(
    'message.sent',
    (d, h) => d.message_id === m.id && h.status === 204 && h !== s.hooks.hooks[0],
  );
  gate.done = true;
  assert.equal(hook.id, s.hooks.hooks[0].id);
});

test('410 disables the endpoint, and nothing is lost; a redirect is not followed', async (t) => {
  let status = 410;
  const s = await setup(t, {
    hooks: (h, r) =>
      h.path === '/elsewhere' ? 204 : { status, headers: status === 302 ? { location: r.url('/elsewhere') } : {} },
  });
  const gone = await s.api.accepted();
  const hook = await s.hooks.got('message.sent', (d) => d.message_id === gone.id);
  await until(() => s.gateway.line('webhook_disabled'), 'the operator is told');
  const during = await s.api.accepted();
  await never(() => s.hooks.hooks.length > 1, 'posted after 410', 1000);
  status = 204;
  await setUrl(s, s.practice, s.hooks.url('/elm'));
  for (const m of [gone, during])
    await s.hooks.got('message.sent', (d, h) => d.message_id === m.id && h.status === 204, 20000);
  assert.equal(s.hooks.hooks.find((h) => h.body.data.message_id === gone.id && h.status === 204).id, hook.id);
  status = 302;
  const moved = await s.api.accepted();
  const first = await s.hooks.got('message.sent', (d) => d.message_id === moved.id);
  await until(() => s.hooks.hooks.filter((h) => h.id === first.id).length > 1, 'tried again');
  assert.ok(!s.hooks.hooks.some((h) => h.path === '/elsewhere'), 'a redirect may lead anywhere');
  status = 204;
  await s.hooks.got('message.sent', (d, h) => d.message_id === moved.id && h.status === 204, 20000);
});

test('odd backends: huge answers, cut connections, garbage', async (t) => {
  const s = await setup(t, { hooks: null });
  const modes = ['cut', 'huge', 'garbage', 'ok'];
  const seen = [];
  s.hooks.server.removeAllListeners('request');
  s.hooks.server.on('request', (request, response) => {
    const mode = modes.length > 1 ? modes.shift() : 'ok';
    request.resume();
    request.on('end', () => {
      seen.push({ mode, id: request.headers['webhook-id'] });
      if (mode === 'cut') request.socket.destroy();
      else if (mode === 'garbage') request.socket.end('\x00\x01not http at all\r\n\r\n');
      else {
        response.writeHead(mode === 'huge' ? 500 : 200);
        response.end(mode === 'huge' ? 'x'.repeat(3 << 20) : 'ok');
      }
    });
  });
  await s.api.accepted();
  await until(() => seen.at(-1)?.mode === 'ok', 'taken in the end', 30000);
  assert.deepEqual(
    seen.map((x) => x.mode),
    ['cut', 'huge', 'garbage', 'ok'],
  );
  assert.equal(new Set(seen.map((x) => x.id)).size, 1);
  assert.equal((await s.api.get('/livez')).status, 200);
});

test('where it must not post', async (t) => {
  const s = await setup(t, { hooks: null });
  const { cert, key, pem } = await selfSigned();
  let posts = 0;
  let waiting = 0;
  const secure = https.createServer(
    { cert: pem, key: (await import('node:fs')).readFileSync(key) },
    (request, response) => {
      posts++;
      response.end();
    },
  );
  assert.ok(cert);
  secure.on('tlsClientError', () => {});
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  atEnd(t, async () => {
    secure.close();
  });
  const urls = {
    'plain http off loopback': 'http://192.0.2.1/hook',
    'a private address': 'https://10.255.255.1/hook',
    'link-local': 'https://169.254.169.254/latest/meta-data',
    'no scheme of ours': 'ftp://127.0.0.1/x',
    'a file': 'file:///etc/passwd',
    'a certificate that nobody vouches for': `https://localhost:${secure.address().port}/hook`,
    'private in IPv6 clothes': 'https://[::ffff:10.255.255.1]/hook',
    nonsense: 'not a url',
    gopher: 'gopher://127.0.0.1:1/x',
    'plain http, private': 'http://192.168.255.1/',
    'unspecified address': 'http://0.0.0.0:1/x',
  };
  for (const [name, url] of Object.entries(urls)) {
    await t.test(name, async () => {
      const made = await must(binary, [
        'practice',
        'set',
        s.practice.id,
        '--database',
        s.db.owner,
        '--webhook-url',
        url,
        '--json',
      ]).catch((error) => error);
      if (made instanceof Error) return; // refused where it is given
      const before = s.gateway.linesOf('webhook_failed').length;
      await s.api.accepted();
      waiting++;
      const failed = await until(
        () => s.gateway.linesOf('webhook_failed')[before],
        () => `a failure that is told: ${s.gateway.log.slice(-3000)}`,
        8000,
      );
      assert.equal(failed.status, '0', JSON.stringify(failed));
      assert.ok(failed.error, 'with its cause');
      if (/^(plain http|a private|link-local|private in)/.test(name))
        assert.ok(
          !/tim(ed|e) ?out|refused by peer|connect/i.test(failed.error),
          `no connection was tried: ${failed.error}`,
        );
    });
  }
  assert.equal(posts, 0);
  await setUrl(s, s.practice, s.hooks.url('/elm'));
  await until(() => s.hooks.of('message.sent').length >= waiting, 'what could not be posted comes later', 20000);
});

test('metrics count what happened', async (t) => {
  const s = await setup(t, { hooks: (h, r) => (r.hooks.length === 1 ? 500 : 204) });
  await s.api.accepted();
  await until(() => s.hooks.hooks.length >= 2, 'twice');
  await until(async () => (await s.gateway.metric('smsbridge_webhook_deliveries_total', { result: 'ok' })) >= 1, 'ok');
  assert.equal(await s.gateway.metric('smsbridge_webhook_deliveries_total', { result: 'refused' }), 1);
});
