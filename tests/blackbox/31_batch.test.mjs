// Batches and broadcasts as a practice system sends them: in JSON, and in NDJSON of any length.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import test from 'node:test';
import { Api } from './lib/api.mjs';
import { selfSigned } from './lib/gateway.mjs';
import { binary, must, never, nextPatient, pause, phoneAt, slow, until } from './lib/util.mjs';
import { another, practice, setup, world } from './lib/world.mjs';

await world();
const s = await setup(null, {
  hooks: null,
  config: { http: { requests_per_second: 0 } },
  practice: { more: ['--link-domain', 'elm.example', '--url', 'https://elm.example/'] },
  link: { window: 10 },
});
const other = await practice(s.db, { name: 'Oak Street Clinic' });
const third = await practice(s.db, { name: 'Ash Street Clinic' });
const sql = (text, params) => s.db.sql(text, params);
const ndjson = { 'content-type': 'application/x-ndjson' };
const lines = (items) => items.map((i) => (typeof i === 'string' ? i : JSON.stringify(i))).join('\n');
const upload = (body, headers = {}, path = '/v1/batches', options = {}) =>
  s.api.request('POST', path, { body, headers: { ...ndjson, ...headers }, timeout: 120000, ...options });
const results = async (id, query = '') => (await s.api.get(`/v1/batches/${id}/results?limit=1000${query}`)).json.data;
const LARGE = 4 << 20; // what a batch in JSON may have
const far = '2026-06-01T12:00:00-04:00';
const drafts = (n, more = {}) =>
  Array.from({ length: n }, (_, i) =>
    Api.draft({ reference: `ref-${i}`, send_at: far, expires_at: undefined, ...more }),
  );
const stored = async (batch) =>
  Number((await sql('SELECT count(*) AS n FROM smsbridge.message WHERE batch_id = $1', [batch]))[0].n);

/** A request whose body is written as the test likes. */
async function open(headers = {}, path = '/v1/batches', key = s.practice.key, port = s.gateway.port) {
  const { pem } = await selfSigned();
  const answer = {};
  const request = https.request({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    ca: pem,
    agent: false,
    method: 'POST',
    path,
    headers: { authorization: `Bearer ${key}`, ...ndjson, ...headers },
  });
  answer.done = new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (r) => {
      let text = '';
      r.on('data', (d) => (text += d));
      r.on('error', reject);
      r.on('end', () => resolve({ status: r.statusCode, headers: r.headers, text, json: JSON.parse(text) }));
    });
  });
  answer.done.catch(() => {});
  answer.request = request;
  answer.write = (octets) => new Promise((resolve) => request.write(octets, resolve));
  return answer;
}

// Too slow, beside everything else: the limit is twenty seconds. A slow one that keeps the least rate stays.
const slowly = (async () => {
  const drip = await open({ 'transfer-encoding': 'chunked' }, '/v1/batches', third.key);
  const began = Date.now();
  let over = false;
  const done = drip.done.finally(() => (over = true));
  done.catch(() => {});
  await drip.write(`${JSON.stringify(drafts(1)[0])}\n`);
  while (!over && Date.now() - began < 60000 * slow) {
    await Promise.race([drip.write('\n'), done.catch(() => {})]);
    await pause(400);
  }
  return { answer: await done, took: Date.now() - began };
})();
slowly.catch(() => {});
const steadily = (async () => {
  const steady = await open({ 'transfer-encoding': 'chunked' }, '/v1/batches', third.key);
  const began = Date.now();
  const blank = `${' '.repeat(2047)}\n`;
  while (Date.now() - began < 25000) {
    await steady.write(blank);
    await pause(800);
  }
  steady.request.end(JSON.stringify(drafts(1)[0]));
  return steady.done;
})();
steadily.catch(() => {});

test('a batch in JSON: every item has its own result, by the code of POST /v1/messages', async () => {
  const [good, urgent] = drafts(2);
  const items = [
    good,
    { ...good, phone: '+12125550', reference: 'bad-phone', moons: 1 },
    7,
    { ...urgent, category: 'emergency', emergency: { person: 'Jo Rivera', reason: 'fire' } },
    { ...urgent, reference: 'last' },
  ];
  const alone = await s.api.post('/v1/messages', items[1]);
  const answer = await s.api.post('/v1/batches', { items });
  assert.equal(answer.status, 202, answer.text);
  assert.deepEqual(
    [answer.json.items, answer.json.accepted, answer.json.refused, answer.json.results],
    [5, 2, 3, `/v1/batches/${answer.json.id}/results`],
  );
  const rows = await results(answer.json.id);
  assert.deepEqual(
    rows.map((r) => [r.item, r.reference, r.result, r.code]),
    [
      [0, 'ref-0', 'accepted', null],
      [1, 'bad-phone', 'refused', 'validation_failed'],
      [2, null, 'refused', 'json_not_object'],
      [3, 'ref-1', 'refused', 'scope_missing'],
      [4, 'last', 'accepted', null],
    ],
  );
  assert.deepEqual(rows[1].errors, alone.json.errors, 'the same problems, pointers and sentences');
  const message = await s.api.message(rows[0].message_id);
  assert.deepEqual([message.patient, message.reference, message.status], [good.patient, 'ref-0', 'scheduled']);
  assert.equal(rows[0].status, 'scheduled');
  const shown = (await s.api.get(`/v1/batches/${answer.json.id}`)).json;
  assert.deepEqual([shown.state, shown.items, shown.messages], ['received', 5, { scheduled: 2 }]);
});

test('pages of results go by item', async () => {
  const answer = await s.api.post('/v1/batches', { items: drafts(5) });
  const first = (await s.api.get(`/v1/batches/${answer.json.id}/results?limit=2`)).json;
  assert.deepEqual(
    [first.data.map((r) => r.item), first.next],
    [[0, 1], `/v1/batches/${answer.json.id}/results?after=1&limit=2`],
  );
  const second = (await s.api.get(first.next)).json;
  assert.deepEqual(
    second.data.map((r) => r.item),
    [2, 3],
  );
  const last = (await s.api.get(second.next)).json;
  assert.deepEqual([last.data.map((r) => r.item), last.next], [[4], null]);
  for (const query of ['after=x', 'limit=0', 'limit=1001', 'after=-1'])
    assert.equal((await s.api.get(`/v1/batches/${answer.json.id}/results?${query}`)).status, 400, query);
});

test('what is no batch is refused as a whole', async () => {
  for (const [body, status, code] of [
    [{}, 422, 'required'],
    [{ items: 3 }, 422, 'required'],
    [{ items: [] }, 422, 'too_many_items'],
    [{ items: Array(1001).fill({}) }, 422, 'too_many_items'],
    [{ items: [{}], more: 1 }, 422, 'unknown_field'],
    ['{"items":[', 400, 'json_malformed'],
    ['[]', 400, 'json_not_object'],
  ]) {
    const answer = await s.api.post('/v1/batches', body);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json.errors?.[0].code ?? answer.json.code, code);
  }
  const large = await s.api.post('/v1/batches', `{"items":["${'x'.repeat(4 << 20)}"]}`);
  assert.deepEqual([large.status, large.json.code], [413, 'body_too_large']);
  const text = await upload('x', { 'content-type': 'text/plain' });
  assert.deepEqual([text.status, text.json.code], [415, 'not_json']);
  const zipped = await upload('x', { 'content-encoding': 'gzip' });
  assert.deepEqual([zipped.status, zipped.json.code], [415, 'content_coded']);
  const nobody = await upload(lines(drafts(3)), {}, '/v1/batches', { key: 'smsb_0000000000000000_none' });
  assert.equal(nobody.status, 401);
});

test('a thousand items in JSON', async () => {
  const answer = await s.api.post('/v1/batches', { items: drafts(1000) });
  assert.deepEqual([answer.status, answer.json.accepted], [202, 1000], answer.text);
  assert.equal(await stored(answer.json.id), 1000);
});

test('lines: CRLF, empty ones, JSON and UTF-8 that are none, one too long, the last without its end', async () => {
  const [a, b, c] = drafts(3).map((d) => JSON.stringify(d));
  const body = Buffer.concat([
    Buffer.from(`${a}\r\n\n \t\r\n{"patient":\n${b}\n{"a":1,"a":2}\n[1]\n{"body":"`),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(`"}\n{"body":"${'y'.repeat(40000)}"}\n\u0000\n${c}`),
  ]);
  const answer = await upload(body);
  assert.equal(answer.status, 202, answer.text);
  assert.deepEqual(
    (await results(answer.json.id)).map((r) => r.code ?? r.reference),
    [
      'ref-0',
      'json_malformed',
      'ref-1',
      'json_duplicate_key',
      'json_not_object',
      'json_malformed',
      'line_too_long',
      'json_malformed',
      'ref-2',
    ],
  );
  const nothing = await upload('\n\r\n');
  assert.deepEqual([nothing.status, nothing.json.items], [202, 0]);
  const empty = await upload('');
  assert.deepEqual([empty.status, empty.json.items], [202, 0], empty.text);
});

test('the same lines with a length, in chunks, octet by octet, and behind Expect: 100-continue', async () => {
  const list = drafts(4);
  const body = lines(list);
  const seen = [];
  for (const step of [body.length, 1000, 7]) {
    const chunked = await open({ 'transfer-encoding': 'chunked' });
    for (let at = 0; at < body.length; at += step) await chunked.write(body.slice(at, at + step));
    chunked.request.end();
    seen.push(await chunked.done);
  }
  const sized = await open({ 'content-length': Buffer.byteLength(body) });
  sized.request.end(body);
  seen.push(await sized.done);
  const asking = await open({ 'content-length': Buffer.byteLength(body), expect: '100-continue' });
  await new Promise((resolve) => {
    asking.request.once('continue', resolve);
    asking.request.flushHeaders();
  });
  asking.request.end(body);
  seen.push(await asking.done);
  for (const answer of seen) assert.deepEqual([answer.status, answer.json.accepted], [202, 4], answer.text);
  assert.equal(new Set(seen.map((a) => a.json.id)).size, 5, 'without a key each is a batch of its own');
});

test('a line without end is cut off', async () => {
  const endless = await open({ 'transfer-encoding': 'chunked' });
  const octets = Buffer.alloc(65536, 'z');
  let over = false;
  const answer = endless.done.finally(() => (over = true));
  for (let i = 0; i < 200 && !over; i++) await Promise.race([endless.write(octets), answer.catch(() => {})]);
  const got = await answer;
  assert.deepEqual([got.status, got.json.code, got.headers.connection], [413, 'line_endless', 'close']);
});

test('the chunks of a stream are guarded as others are', async () => {
  const raw = await s.api.raw();
  await raw.write(
    `POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${s.practice.key}\r\n` +
      'Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\nzz\r\n',
  );
  const [answer] = await until(() => raw.answers().length && raw.answers(), 'an answer');
  assert.deepEqual([answer.status, JSON.parse(answer.body).code], [400, 'bad_chunk']);
  raw.destroy();
});

test('requests behind a stream on the same connection are answered in order', async () => {
  const raw = await s.api.raw();
  const body = lines(drafts(3));
  const head =
    `POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${s.practice.key}\r\n` +
    `Content-Type: application/x-ndjson\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  await raw.write(`${head}${body}GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n${head}${body}`);
  await until(
    () => raw.answers().length === 3,
    () => `three answers: ${raw.received.toString()}`,
  );
  assert.deepEqual(
    raw.answers().map((a) => a.status),
    [202, 200, 202],
  );
  raw.destroy();
});

test('a key: once whole, the same answer to the byte; other items are refused', async () => {
  const list = drafts(30);
  const key = { 'idempotency-key': 'batch-whole' };
  const first = await upload(lines(list), key);
  const again = await upload(lines(list), key);
  assert.deepEqual([again.status, again.text, again.headers['idempotency-replayed']], [202, first.text, 'true']);
  assert.equal(await stored(first.json.id), 30);
  for (const changed of [list.slice(1), list.slice(0, 29), [...list, list[0]]]) {
    const refused = await upload(lines(changed), key);
    assert.deepEqual([refused.status, refused.json.code], [422, 'idempotency_key_reused'], refused.text);
  }
  assert.equal(await stored(first.json.id), 30);
  const theirs = await s.api.request('POST', '/v1/batches', {
    body: lines(drafts(1)),
    headers: { ...ndjson, ...key },
    key: other.key,
  });
  assert.equal(theirs.status, 202, 'another practice has keys of its own');
  const json = await s.api.post('/v1/batches', { items: list }, { headers: { 'idempotency-key': 'batch-json' } });
  const twice = await s.api.post('/v1/batches', { items: list }, { headers: { 'idempotency-key': 'batch-json' } });
  assert.deepEqual([json.status, twice.text, twice.headers['idempotency-replayed']], [202, json.text, 'true']);
});

test('a connection that breaks in the middle: what was stored is not stored twice', async () => {
  const list = drafts(400);
  const key = { 'idempotency-key': 'batch-broken' };
  const broken = await open({ ...key, 'transfer-encoding': 'chunked' });
  await broken.write(lines(list.slice(0, 250)));
  const [{ id }] = await until(async () => {
    const rows = await sql("SELECT id, items FROM smsbridge.batch WHERE key = 'batch-broken'");
    return rows.length && rows[0].items >= 249 && rows;
  }, 'the first lines are stored');
  assert.equal((await s.api.get(`/v1/batches/${id}`)).json.state, 'receiving');
  const second = await upload(lines(list), key);
  assert.deepEqual([second.status, second.json.code], [409, 'idempotency_key_running'], 'two at once');
  broken.request.destroy();
  const whole = await until(async () => {
    const answer = await upload(lines(list), key);
    return answer.status !== 409 && answer;
  }, 'the first request is over');
  assert.deepEqual([whole.status, whole.json.id, whole.json.accepted], [202, id, 400], whole.text);
  assert.equal(await stored(id), 400);
  const rows = await sql('SELECT reference FROM smsbridge.message WHERE batch_id = $1 ORDER BY batch_item', [id]);
  assert.deepEqual(
    rows.map((r) => r.reference),
    list.map((d) => d.reference),
  );
});

test('two gateways at once with one key', async (t) => {
  const g = await another(t, s);
  await g.start();
  const list = drafts(20);
  const headers = { ...ndjson, 'idempotency-key': 'batch-two-gateways' };
  const here = await open({ ...headers, 'transfer-encoding': 'chunked' });
  await here.write(lines(list.slice(0, 10)) + '\n');
  await until(
    async () => (await sql("SELECT items FROM smsbridge.batch WHERE key = 'batch-two-gateways'"))[0]?.items === 10,
    'stored',
  );
  const there = await g.api.request('POST', '/v1/batches', { body: lines(list), headers });
  assert.deepEqual([there.status, there.json.code], [409, 'idempotency_key_running']);
  here.request.end(lines(list.slice(10)));
  assert.equal((await here.done).json.accepted, 20);
});

test('cancel: what waits is cancelled, what went stays, and nothing more is taken', async () => {
  const list = drafts(1500);
  const answer = await upload(lines(list));
  assert.equal(answer.json.accepted, 1500);
  const cancel = await s.api.post(`/v1/batches/${answer.json.id}/cancel`);
  assert.equal(cancel.status, 202, cancel.text);
  const shown = await until(
    async () => {
      const now = (await s.api.get(`/v1/batches/${answer.json.id}`)).json;
      return now.state === 'canceled' && now;
    },
    async () => `it is cancelled: ${s.gateway.log.slice(-3000)}`,
  );
  assert.deepEqual(shown.messages, { canceled: 1500 });
  const [row] = await sql(
    `SELECT count(*) AS n FROM smsbridge.event e JOIN smsbridge.message m ON m.id = e.message_id
      WHERE m.batch_id = $1 AND e.type = 'message.canceled' AND e.reason = 'canceled_by_practice'`,
    [answer.json.id],
  );
  assert.equal(Number(row.n), 1500);
  const open_ = await open({ 'transfer-encoding': 'chunked', 'idempotency-key': 'batch-canceled' });
  await open_.write(lines(list.slice(0, 5)) + '\n');
  const [{ id }] = await until(async () => {
    const rows = await sql("SELECT id, items FROM smsbridge.batch WHERE key = 'batch-canceled'");
    return rows[0]?.items === 5 && rows;
  }, 'five are stored');
  assert.equal((await s.api.post(`/v1/batches/${id}/cancel`)).status, 202);
  open_.request.end(lines(list.slice(5, 10)));
  const refused = await open_.done;
  assert.deepEqual([refused.status, refused.json.code], [409, 'batch_closed'], refused.text);
});

test("other practices' batches and broadcasts are not there", async () => {
  const answer = await s.api.post('/v1/batches', { items: drafts(1) });
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/results'],
    ['POST', '/cancel'],
  ])
    for (const id of [answer.json.id, 'x'])
      assert.equal(
        (await s.api.request(method, `/v1/batches/${id}${path}`, { key: id === 'x' ? s.practice.key : other.key }))
          .status,
        404,
      );
});

test('200 MB of lines: memory stays where it is', async () => {
  const rss = () => Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${s.gateway.child.pid}/status`, 'utf8'))[1]);
  const line = Buffer.from(`${JSON.stringify({ patient: 'p', phone: '+12125550101', body: 'm'.repeat(20000) })}\n`);
  const block = Buffer.concat(Array(50).fill(line)); // 1 MB
  const before = rss();
  const big = await open({ 'transfer-encoding': 'chunked' });
  const began = Date.now();
  for (let sent = 0; sent < 200e6; sent += block.length) await big.write(block);
  big.request.end();
  const answer = await big.done;
  const grown = rss() - before;
  console.log(
    `# 200 MB, ${answer.json.items} lines in ${Date.now() - began} ms: highest RSS ${before} kB before, ${before + grown} kB after`,
  );
  assert.deepEqual([answer.status, answer.json.refused], [202, answer.json.items], answer.text);
  assert.ok(answer.json.items >= 9900);
  const sanitized = /lib[at]san/.test(fs.readFileSync(`/proc/${s.gateway.child.pid}/maps`, 'utf8'));
  // A sanitizer keeps 256 MB of what was freed.
  assert.ok(grown < (sanitized ? 512 : 32) * 1024, `grew by ${grown} kB`);
});

test('a sender below the least rate is cut off, one above it is not', async () => {
  const { answer, took } = await slowly;
  assert.deepEqual([answer.status, answer.json.code], [408, 'request_timeout']);
  assert.ok(took >= 19000 && took < 30000 * slow, `${took} ms`);
  const steady = await steadily;
  assert.deepEqual([steady.status, steady.json.accepted], [202, 1], steady.text);
});

test('a practice has two uploads at a time, and others go on meanwhile', async () => {
  const first = await open({ 'transfer-encoding': 'chunked' });
  const second = await open({ 'transfer-encoding': 'chunked' });
  await first.write('\n');
  await second.write('\n');
  await until(async () => (await s.gateway.metric('smsbridge_batch_uploads')) === 2, 'two uploads');
  const third = await upload(lines(drafts(1)));
  assert.deepEqual([third.status, third.json.code, third.headers['retry-after']], [503, 'busy', '1']);
  const theirs = await s.api.request('POST', '/v1/batches', {
    body: lines(drafts(1)),
    headers: ndjson,
    key: other.key,
  });
  assert.equal(theirs.status, 202);
  first.request.end();
  second.request.end();
  assert.deepEqual([(await first.done).status, (await second.done).status], [202, 202]);
});

test('a batch of many due now does not delay another practice', async () => {
  const before = s.carrier.submits.length;
  s.carrier.onSubmit = () => ({ delay: 100 });
  const many = Array.from({ length: 1300 }, (_, i) => Api.draft({ phone: phoneAt(300 + i), reference: 'many' }));
  const answer = await upload(lines(many));
  assert.equal(answer.json.accepted, 1300, answer.text);
  await until(() => s.carrier.submits.length > before + 20, 'the batch is on its way');
  const began = Date.now();
  const one = await s.api.send({ phone: phoneAt(1650) }, { key: other.key });
  assert.equal(one.status, 202, one.text);
  await s.carrier.got(one.draft);
  const took = Date.now() - began;
  const [row] = await sql('SELECT count(*) AS n FROM smsbridge.message WHERE batch_id = $1 AND due_at IS NOT NULL', [
    answer.json.id,
  ]);
  console.log(`# beside a batch of 1,300, of which ${row.n} still waited, another practice's text took ${took} ms`);
  assert.ok(Number(row.n) > 100, 'the batch still waits');
  s.carrier.onSubmit = undefined;
  await s.api.post(`/v1/batches/${answer.json.id}/cancel`);
});

test('who brought it is noted, with how many', async () => {
  await s.api.post('/v1/batches', { items: drafts(17) });
  await until(
    async () =>
      (await sql("SELECT FROM smsbridge.access WHERE door = 'POST /v1/batches' AND rows >= 17 AND outcome = '202'"))
        .length > 0,
    async () => JSON.stringify(await sql('SELECT * FROM smsbridge.access ORDER BY 1 DESC LIMIT 2')),
  );
});

test('a gateway that is stopped ends an upload, and another goes on with it', async (t) => {
  const g = await another(t, s, { node: 'gateway-3' });
  await g.start();
  const list = drafts(40);
  const headers = { ...ndjson, 'idempotency-key': 'batch-drained' };
  const here = await open({ ...headers, 'transfer-encoding': 'chunked' }, '/v1/batches', s.practice.key, g.port);
  await here.write(lines(list.slice(0, 20)) + '\n');
  await until(
    async () => (await sql("SELECT items FROM smsbridge.batch WHERE key = 'batch-drained'"))[0]?.items === 20,
    'twenty are stored',
  );
  const other = await s.db.connect();
  await other.query('BEGIN');
  await other.query("SELECT FROM smsbridge.batch WHERE key = 'batch-drained' FOR UPDATE");
  const ended = g.stop();
  const cut = await here.done;
  assert.deepEqual([cut.status, cut.json.code], [503, 'draining'], cut.text);
  await never(() => g.exit, 'it ends before it has left the batch', 500);
  await other.query('COMMIT');
  assert.equal((await ended).code, 0, g.log.slice(-4000));
  const noted = await sql(
    "SELECT FROM smsbridge.access WHERE door = 'POST /v1/batches' AND outcome = '503' AND rows = 20",
  );
  assert.equal(noted.length, 1, 'what had come is noted');
  const whole = await upload(lines(list), { 'idempotency-key': 'batch-drained' });
  assert.deepEqual([whole.status, whole.json.accepted], [202, 40], whole.text);
  assert.equal(await stored(whole.json.id), 40);
});

// --- broadcasts --------------------------------------------------------------------------------------------------

const words = 'Elm Street Clinic: our office is closed on {day}. Questions: (212) 555-0199. Reply STOP to opt out.';
let template;

test('a template that is approved, for broadcasts', async () => {
  await must(binary, [
    ...['campaign', 'add', '--database', s.db.owner, '--practice', s.practice.id, '--json', '--campaign', 'CTEST1'],
    ...['--classes', 'appointment_reminder,wellness_checkup', '--person', 'Jo Rivera'],
  ]);
  const saved = await s.api.post('/v1/templates', {
    name: 'closed',
    language: 'en',
    category: 'wellness_checkup',
    body: words,
    variables: { day: 'date' },
    person: 'Jo Rivera',
  });
  assert.equal(saved.status, 201, saved.text);
  template = saved.json.id;
  const early = await s.api.post('/v1/broadcasts', order());
  assert.deepEqual([early.status, early.json.errors[0].code], [422, 'template_unknown'], early.text);
  assert.equal((await s.api.post(`/v1/templates/${template}/approve`, { person: 'Sam Okafor' })).status, 200);
});

const order = (more = {}) => ({
  name: 'Closed on Friday',
  template: 'closed',
  language: 'en',
  category: 'wellness_checkup',
  pace_per_minute: 60000,
  expires_at: '2026-03-04T20:00:00-05:00',
  person: 'Jo Rivera',
  ...more,
});
let fresh = 0;
/** Recipients whose phones and patients no test had before: a day's cap must not hold them. */
const recipients = (n) =>
  Array.from({ length: n }, () => ({
    patient: nextPatient(),
    phone: phoneAt(fresh++),
    variables: { day: '2026-03-06' },
    reference: `r${fresh}`,
  }));
async function ordered(more) {
  const made = await s.api.post('/v1/broadcasts', order(more));
  assert.equal(made.status, 201, made.text);
  return made.json.id;
}
const act = (id, what, options) => s.api.request('POST', `/v1/broadcasts/${id}/${what}`, options);
const shown = async (id, on = s.api) => (await on.get(`/v1/broadcasts/${id}`)).json;
const sentTo = (list) => list.filter((r) => s.carrier.to(r.phone).length > 0).length;
async function given(id, list) {
  const answer = await upload(lines(list), {}, `/v1/broadcasts/${id}/recipients`);
  assert.equal(answer.status, 202, answer.text);
  return answer.json;
}
const state = (id, wanted) =>
  until(
    async () => {
      const now = await shown(id);
      return now.state === wanted && now;
    },
    async () => `${wanted}: ${JSON.stringify(await shown(id))}`,
    20000,
  );
const eventsOf = async (id) =>
  (await sql("SELECT type FROM smsbridge.event WHERE data->>'broadcast_id' = $1 ORDER BY xact, id", [id])).map(
    (r) => r.type,
  );

test('what is wrong with an order is told all at once', async () => {
  const refused = await s.api.post('/v1/broadcasts', {
    template: 'closed',
    pace_per_minute: 0,
    send_from: '2026-03-05T12:00:00-05:00',
    expires_at: '2026-03-04T12:00:00-05:00',
    moons: 1,
  });
  assert.equal(refused.status, 422);
  assert.deepEqual(refused.json.errors.map((e) => `${e.pointer} ${e.code}`).sort(), [
    '/expires_at time_past',
    '/moons unknown_field',
    '/name required',
    '/pace_per_minute bad_number',
    '/person required',
  ]);
  const [e] = (await s.api.post('/v1/broadcasts', order({ category: 'appointment_reminder' }))).json.errors;
  assert.deepEqual([e.pointer, e.code], ['/category', 'category_not_of_template']);
  for (const pace of [60001, 1.5, '5', -1])
    assert.equal((await s.api.post('/v1/broadcasts', order({ pace_per_minute: pace }))).status, 422);
});

test('ordered, filled, started, sent, done; each recipient once', async () => {
  const key = { headers: { 'idempotency-key': 'order-1' } };
  const made = await s.api.post('/v1/broadcasts', order(), key);
  const again = await s.api.post('/v1/broadcasts', order(), key);
  assert.deepEqual([made.status, again.text, again.headers['idempotency-replayed']], [201, made.text, 'true']);
  const { id } = made.json;
  const empty = await act(id, 'start');
  assert.deepEqual([empty.status, empty.json.code], [409, 'broadcast_empty']);
  const list = recipients(20);
  const twice = [
    { ...list[0], patient: nextPatient(), reference: 'same-phone' },
    { ...list[1], phone: phoneAt(fresh++), reference: 'same-patient' },
    { ...recipients(1)[0], body: 'mine', reference: 'own-body' },
    { ...recipients(1)[0], variables: {}, reference: 'no-variables' },
  ];
  const batch = await given(id, [...list, ...twice]);
  assert.deepEqual([batch.items, batch.accepted, batch.refused], [24, 20, 4]);
  const rows = (await results(batch.id)).slice(20);
  assert.deepEqual(
    rows.map((r) => [r.reference, r.code, r.errors[0].pointer, r.errors[0].code]),
    [
      ['same-phone', 'duplicate_phone', '/phone', 'duplicate_phone'],
      ['same-patient', 'duplicate_patient', '/patient', 'duplicate_patient'],
      ['own-body', 'validation_failed', '/body', 'unknown_field'],
      ['no-variables', 'validation_failed', '/variables/day', rows[3].errors[0].code],
    ],
  );
  const later = await s.api.post(`/v1/broadcasts/${id}/recipients`, { items: [{ ...list[5] }] });
  assert.deepEqual([later.json.accepted, later.json.refused], [0, 1], 'nor by another upload');
  const waiting = await shown(id);
  assert.deepEqual(
    [waiting.state, waiting.recipients, waiting.unreleased, waiting.messages, waiting.person],
    ['created', 20, 20, { scheduled: 20 }, 'Jo Rivera'],
  );
  const one = await s.api.message((await results(batch.id))[0].message_id);
  assert.deepEqual([one.due_at, one.priority, one.status], [null, 'low', 'scheduled'], 'it has no time of its own yet');
  assert.equal((await s.api.get(`/v1/messages/${one.id}/explanation`)).status, 200);
  assert.equal(sentTo(list), 0);
  assert.equal((await act(id, 'start')).json.state, 'running');
  const done = await state(id, 'done');
  assert.deepEqual([done.unreleased, done.recipients], [0, 20]);
  await until(() => sentTo(list) === 20, 'all are sent');
  for (const r of list) assert.equal(s.carrier.to(r.phone).length, 1);
  assert.match(s.carrier.to(list[0].phone)[0].text, /closed on Fri, Mar 6/);
  const over = await s.api.post(`/v1/broadcasts/${id}/recipients`, { items: recipients(1) });
  assert.deepEqual([over.status, over.json.code], [409, 'broadcast_over']);
  assert.equal((await act(id, 'cancel')).json.code, 'broadcast_over');
  assert.deepEqual(await eventsOf(id), ['broadcast.created', 'broadcast.started', 'broadcast.done']);
  const listed = (await s.api.get('/v1/broadcasts?limit=1')).json;
  assert.deepEqual([listed.data[0].id, listed.next], [id, null]);
});

test('a broadcast is told by webhook, by its id and its name', async () => {
  const id = await ordered({ name: 'Told' });
  await given(id, recipients(1));
  await act(id, 'pause');
  await act(id, 'start');
  await state(id, 'done');
  for (const type of ['broadcast.started', 'broadcast.done']) {
    const hook = await s.hooks.got(type, (data) => data.broadcast_id === id);
    assert.deepEqual([hook.verified?.type, hook.body.data.broadcast_name], [type, 'Told'], hook.text);
  }
});

test('the pace is kept, of two gateways together', async (t) => {
  const g = await another(t, s);
  await g.start();
  const id = await ordered({ pace_per_minute: 300 });
  const list = recipients(30);
  await given(id, list);
  const began = Date.now();
  await act(id, 'start');
  await until(
    () => sentTo(list) === 30,
    () => `${sentTo(list)} sent`,
    30000,
  );
  const took = Date.now() - began;
  console.log(`# 30 texts at 300 a minute by two gateways: ${took} ms`);
  assert.ok(took > 5000, `30 at 5 a second took ${took} ms`);
  assert.ok(took < 12000 * slow, `30 at 5 a second took ${took} ms`);
  await state(id, 'done');
});

test('paused within a second, resumed, cancelled: what went stays', async () => {
  const id = await ordered({ pace_per_minute: 600 });
  const list = recipients(60);
  await given(id, list);
  assert.deepEqual((await act(id, 'pause')).json.code, 'broadcast_not_started');
  await act(id, 'start');
  await until(() => sentTo(list) >= 5, 'some are sent');
  assert.equal((await act(id, 'pause')).json.state, 'paused');
  await new Promise((resolve) => setTimeout(resolve, 1000)); // the second that it may take: nothing tells its end
  const sent = sentTo(list);
  assert.ok(sent < 55, `${sent} sent`);
  assert.deepEqual((await act(id, 'start')).json.code, 'broadcast_paused');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(sentTo(list), sent, 'none while it is paused');
  assert.equal((await act(id, 'resume')).json.state, 'running');
  await until(() => sentTo(list) > sent, 'it goes on');
  assert.equal((await act(id, 'cancel')).status, 200);
  const end = await state(id, 'canceled');
  assert.equal(end.messages.canceled + sentTo(list), 60);
  assert.equal(end.unreleased, 0);
  assert.equal((await act(id, 'cancel')).json.state, 'canceled', 'again');
  assert.deepEqual(await eventsOf(id), [
    'broadcast.created',
    'broadcast.started',
    'broadcast.paused',
    'broadcast.resumed',
    'broadcast.canceled',
  ]);
});

const path = (kind) => (kind === 'batch' ? '/v1/batches' : '/v1/broadcasts');
for (const kind of ['broadcast', 'batch'])
  test(`what a carrier refuses for now after its ${kind} was cancelled does not go again`, async () => {
    const list = recipients(3);
    let refuse;
    const refused = new Promise((resolve) => (refuse = resolve));
    s.carrier.onSubmit = async ({ phone }) => {
      if (!list.some((r) => r.phone === phone)) return {};
      await refused;
      return { status: 0x58 };
    };
    let id;
    if (kind === 'broadcast') {
      id = await ordered();
      await given(id, list);
      await act(id, 'start');
    } else {
      const items = list.map(({ patient, phone }) => Api.draft({ patient, phone, expires_at: undefined }));
      id = (await upload(lines(items))).json.id;
    }
    const tries = () => list.map((r) => s.carrier.to(r.phone).length);
    await until(() => sentTo(list) === 3, 'the carrier has them');
    const answer = await s.api.request('POST', `${path(kind)}/${id}/cancel`);
    assert.equal(answer.status, kind === 'batch' ? 202 : 200, answer.text);
    const one = async () => (await s.api.get(`${path(kind)}/${id}`)).json;
    await pause(1200); // two beats: nothing waits, so it might be over
    refuse();
    const end = await until(
      async () => {
        const now = await one();
        return now.state === 'canceled' && !now.messages.sending && !now.messages.held && now;
      },
      async () => `${JSON.stringify(await one())}`,
      30000,
    );
    s.carrier.onSubmit = undefined;
    assert.deepEqual([end.messages, tries()], [{ canceled: 3 }, [1, 1, 1]]);
  });

test('it begins at its hour, and what waits when it ends expires', async () => {
  const later = await ordered({ send_from: '2026-03-02T15:00:00-05:00' });
  const list = recipients(3);
  await given(later, list);
  await act(later, 'start');
  const paused = await ordered();
  await given(paused, recipients(4));
  await new Promise((resolve) => setTimeout(resolve, 1200)); // two beats
  assert.equal(sentTo(list), 0);
  await s.gateway.moveClock('2026-03-02T15:00:01-05:00');
  await until(() => sentTo(list) === 3, 'they go');
  await s.gateway.moveClock('2026-03-04T20:00:01-05:00');
  const end = await state(paused, 'done');
  assert.deepEqual(end.messages, { expired: 4 });
});

test('a STOP, opt-outs and quiet hours are as ever', async () => {
  await s.gateway.moveClock('2026-03-09T12:00:00-04:00');
  const id = await ordered({ expires_at: '2026-03-12T20:00:00-04:00' });
  const list = recipients(4);
  await given(id, list);
  await s.carrier.mo(list[0].phone, s.practice.sender, 'STOP');
  await until(
    async () => (await shown(id)).messages.canceled === 1,
    'what waits for its release is cancelled by a STOP',
  );
  await s.gateway.moveClock('2026-03-09T23:00:00-04:00');
  await act(id, 'start');
  await until(
    async () => (await shown(id)).messages.held === 3,
    async () => JSON.stringify(await shown(id)),
  );
  const why = (await results((await sql('SELECT id FROM smsbridge.batch WHERE broadcast_id = $1', [id]))[0].id))[1];
  assert.equal((await s.api.message(why.message_id)).reason.code, 'quiet_hours');
  assert.equal((await act(id, 'pause')).status, 200);
  assert.equal((await shown(id)).unreleased, 3, 'a pause takes back what waits for the morning');
  await act(id, 'resume');
  await until(async () => (await shown(id)).messages.held === 3, 'held again');
  await s.gateway.moveClock('2026-03-10T12:00:00-04:00');
  await until(
    () => sentTo(list.slice(1)) === 3,
    async () => `the others go: ${JSON.stringify(await shown(id))}`,
  );
  assert.equal(s.carrier.to(list[0].phone).filter((x) => /closed/.test(x.text)).length, 0);
});

test("other practices' broadcasts are not there", async () => {
  const id = await ordered({ expires_at: '2026-03-12T20:00:00-04:00' });
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/start'],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/cancel'],
  ])
    for (const which of [id, 'x'])
      assert.equal(
        (
          await s.api.request(method, `/v1/broadcasts/${which}${path}`, {
            key: which === 'x' ? s.practice.key : other.key,
          })
        ).status,
        404,
      );
  const theirs = await upload(lines(recipients(1)), {}, `/v1/broadcasts/${id}/recipients`, { key: other.key });
  assert.deepEqual([theirs.status, theirs.json.code], [404, 'broadcast_unknown']);
});

test('large bodies of strangers are collected a few at a time only', async () => {
  const large = { 'content-type': 'application/json', 'content-length': String(LARGE) };
  const strangers = [];
  for (let i = 0; i < 40; i++) {
    const one = await open(large, '/v1/batches', 'nothing');
    one.done.then((answer) => (one.answer = answer)).catch(() => {});
    one.request.write(' '.repeat(1 << 17));
    strangers.push(one);
  }
  const refused = await until(() => {
    const some = strangers.filter((x) => x.answer);
    return some.length >= 24 && some;
  }, 'most are told to wait');
  for (const { answer } of refused) {
    assert.deepEqual([answer.status, answer.json.code], [503, 'busy'], answer.text);
    assert.ok(Number(answer.headers['retry-after']) > 0);
  }
  assert.equal(refused.length, 24);
  const padded = `${JSON.stringify({ items: drafts(1) })}${' '.repeat(1 << 17)}`;
  assert.equal((await s.api.post('/v1/batches', padded)).status, 503, 'theirs too');
  assert.equal((await s.api.post('/v1/batches', { items: drafts(1) })).status, 202, 'what is small is read');
  assert.equal((await upload(lines(drafts(1)))).status, 202, 'and what comes in pieces');
  for (const one of strangers) one.request.destroy();
  const after = await until(async () => {
    const answer = await s.api.post('/v1/batches', padded);
    return answer.status !== 503 && answer;
  }, 'their places are free again');
  assert.equal(after.status, 202, after.text);
});
