// Every operation of the contract against requests made of its own schema, right ones and slightly wrong ones. A new
// route is here as soon as openapi.yaml has it. SMSBRIDGE_TEST_SEED repeats a run, SMSBRIDGE_TEST_RUNS lengthens it.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Api } from './lib/api.mjs';
import { Contract, bodies, queryValue, wrongBodies, wrongQueryValue } from './lib/contract.mjs';
import { binary, must, nextPatient, nextPhone, until } from './lib/util.mjs';
import { another, key, practice, setup, world } from './lib/world.mjs';

const seed = Number(process.env.SMSBRIDGE_TEST_SEED ?? Date.now() % 2 ** 31);
const runs = Number(process.env.SMSBRIDGE_TEST_RUNS ?? 30);
console.log(`# SMSBRIDGE_TEST_SEED=${seed} SMSBRIDGE_TEST_RUNS=${runs}`);

await world();
const s = await setup(null, { carrier: { onSubmit: () => ({ receipt: true }) } });
s.practice.key = await key(s.db, s.practice.id, ['--scope', 'all']);
s.api.key = s.practice.key;
const other = await practice(s.db, { name: 'Oak Street Clinic' });
other.key = await key(s.db, other.id, ['--scope', 'all']);
const contract = new Contract((await s.api.get('/openapi.json')).json);
const unknownId = '019caf47-20b5-7001-8f7c-e54e3644af02';
const check = async (property, more = {}) => {
  const found = await fc.check(property, { seed, numRuns: runs, ...more });
  if (!found.failed) return;
  const again = `seed ${found.seed}, path ${found.counterexamplePath}`;
  throw new Error(`${found.errorInstance?.message} (${again}): ${fc.stringify(found.counterexample)}`.slice(0, 3000));
};

// Templates need a registered campaign.
const campaign = ['campaign', 'add', '--campaign', 'CTEST1', '--classes', 'appointment_reminder,verification'];
await must(binary, [...campaign, '--person', 'Jo Rivera', '--database', s.db.owner, '--practice', s.practice.id]);

// --- preconditions: what a path's {} may be ----------------------------------------------------------------------

// An address whose list does not show what may stand in its {}. Everything else is found in the list above it.
const made = {
  '/problems': () => 'busy',
  '/v1/consents': async () => (await post('give_consent', '/v1/consents')).id,
  '/v1/broadcasts': async () => (await approved()) && (await post('create_broadcast', '/v1/broadcasts')).id,
  '/v1/opt-outs': async () => (await post('enter_opt_out', '/v1/opt-outs', { phone: nextPhone() })).id,
};

function example(id) {
  const op = contract.operations.find((o) => o.id === id || (o.path === id && o.method === 'POST'));
  return structuredClone(op?.examples[0] ?? {});
}

async function post(id, path, more = {}) {
  const body = { ...(Object.keys(example(id)).length ? example(id) : example(path)), ...more };
  const answer = await s.api.post(path, body);
  assert.ok(answer.status < 300, `${path}: ${answer.text}`);
  return answer.json;
}

/** The template of a broadcast; requests that were made of the contract may have retired the one before. */
async function approved() {
  const { id } = await post('save_template', '/v1/templates');
  return s.api.post(`/v1/templates/${id}/approve`, { person: 'Sam Okafor' });
}

/** What a list's items are called by, in addresses: its id or the practice's own name for it. */
function named(item, wanted) {
  return item?.[wanted] ?? item?.id ?? item?.ref ?? item?.kind ?? item?.code;
}

/** A real value for the {} of a path, when there is one yet. */
async function real(path) {
  const [, above, wanted] = /^(.*?)\/\{(\w+)\}/.exec(path);
  if (made[above]) return made[above]();
  const list = await s.api.get(`${above}?limit=200`);
  // Never the key that asks: it would revoke itself.
  const items = (list.json?.data ?? []).filter((item) => item.id !== s.api.key.split('_')[1]);
  return items.length ? named(items[Math.floor(Math.random() * items.length)], wanted) : undefined;
}

// One message, so that nothing begins with nothing.
const first = await s.api.accepted({ patient: nextPatient() });
await until(async () => (await s.api.message(first.id)).status === 'delivered', 'delivered');
// Two conversations: of a phone that nobody knows, and of that patient's, who can be answered.
for (const [phone, text] of [
  [nextPhone(), 'please take my number off your list'],
  [first.draft.phone, 'Is there parking?'],
])
  assert.equal((await s.carrier.mo(phone, s.practice.sender, text)).command_status, 0);

// --- requests ----------------------------------------------------------------------------------------------------

const fill = (path, value) => path.replace(/\{\w+\}/, encodeURIComponent(value ?? unknownId));

function encode(op, body) {
  if (op.type === 'application/x-www-form-urlencoded')
    return new URLSearchParams(Object.entries(body ?? {}).map(([k, v]) => [k, String(v)])).toString();
  return typeof body === 'string' && !/json$/.test(op.type) ? body : JSON.stringify(body);
}

async function send(op, { path, query = '', body, headers = {}, as = s.api.key }) {
  const payload = body === undefined || !op.hasBody ? undefined : encode(op, body);
  const type = payload === undefined ? {} : { 'content-type': op.type };
  const ask = (more) =>
    s.api.request(op.method, (path ?? op.path) + (query ? `?${query}` : ''), {
      body: payload,
      headers: { ...type, ...headers, ...more },
      key: op.open ? null : as,
    });
  const answer = await ask({});
  if (answer.status !== 428) return answer;
  sound(op, answer, 'without a condition');
  return ask({ 'if-match': '*' });
}

/** The practice's key again, when a request has revoked it. */
async function alive() {
  if ((await s.api.get('/v1/messages?limit=1')).status !== 401) return;
  s.api.key = await key(s.db, s.practice.id, ['--scope', 'all']);
}

function sound(op, answer, told) {
  const fault = op.refuses(answer);
  assert.equal(fault, null, `${op.method} ${op.path} ${told}: ${fault}`);
  if (answer.status === 429 || answer.status === 503) assert.ok(answer.headers['retry-after'], 'Retry-After');
  assert.match(answer.headers.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
  if (answer.status < 400 || !/^application\/problem/.test(answer.headers['content-type'])) return;
  assert.equal(answer.json.status, answer.status);
  assert.equal(answer.json.type, `/problems/${answer.json.code}`);
}

/** A member that is null counts as one that is not there. */
const withoutNulls = (v) => {
  if (Array.isArray(v) || v === null || typeof v !== 'object') return v;
  return Object.fromEntries(Object.entries(v).flatMap(([k, x]) => (x === null ? [] : [[k, withoutNulls(x)]])));
};

const pathOf = (op, value) => (op.path.includes('{') ? fill(op.path, value) : op.path);

for (const op of contract.operations) {
  test(`${op.id}: right requests`, async () => {
    await alive();
    const query = fc.record(Object.fromEntries(op.query().map((p) => [p.name, queryValue(op, p)])), {
      requiredKeys: op.query().flatMap((p) => (p.required ? [p.name] : [])),
    });
    await check(
      fc.asyncProperty(query, op.hasBody ? bodies(op) : fc.constant(undefined), async (asked, body) => {
        const path = pathOf(op, op.path.includes('{') ? await real(op.path) : undefined);
        const text = Object.entries(asked).map(([k, v]) => `${k}=${encodeURIComponent(v)}`);
        const answer = await send(op, { path, query: text.join('&'), body });
        sound(op, answer, JSON.stringify(body));
      }),
    );
  });

  test(`${op.id}: wrong requests`, async () => {
    await alive();
    const at = op.path.includes('{') ? await real(op.path) : undefined;
    const judge = op.bodySchema && contract.judge(op.bodySchema);
    if (op.hasBody && /json$/.test(op.type)) {
      await check(
        fc.asyncProperty(wrongBodies(op), async (body) => {
          const answer = await send(op, { path: pathOf(op, at), body });
          sound(op, answer, JSON.stringify(body));
          const fault = judge(withoutNulls(body));
          assert.ok(
            !fault || answer.status >= 400,
            `took what the contract refuses: ${fault}: ${JSON.stringify(body)}`,
          );
        }),
      );
    }
    for (const p of op.query())
      await check(
        fc.asyncProperty(wrongQueryValue, async (value) => {
          sound(op, await send(op, { path: pathOf(op, at), query: `${p.name}=${value}` }), `${p.name}=${value}`);
        }),
        { numRuns: Math.ceil(runs / 3) },
      );
    if (op.path.includes('{'))
      for (const value of ['x', '%00', '%zz', '%ff', unknownId, unknownId.toUpperCase(), 'x'.repeat(3000), '%2e%2e'])
        sound(op, await send(op, { path: op.path.replace(/\{\w+\}/, value), body: example(op.id) }), value);
    if (op.open) return;
    const extra = await send(op, { path: pathOf(op, at), query: 'not_a_parameter=1', body: example(op.id) });
    sound(op, extra, 'an unknown parameter');
    assert.equal(extra.status, 400, `an unknown parameter: ${extra.text}`);
    for (const as of [null, 'smsb_0123456789abcdef_nothing', 'x'.repeat(300)]) {
      const answer = await send(op, { path: pathOf(op, at), as, body: example(op.id) });
      sound(op, answer, `key ${as}`);
      assert.equal(answer.status, 401);
    }
    if (at === undefined || op.method === 'PUT') return;
    const theirs = await send(op, { path: pathOf(op, at), as: other.key, body: example(op.id) });
    sound(op, theirs, 'by another practice');
    assert.ok(theirs.status >= 400, `another practice sees ${op.path}: ${theirs.text}`);
  });

  if (op.hasBody && /json$/.test(op.type))
    test(`${op.id}: bodies that are no JSON object`, async () => {
      const at = op.path.includes('{') ? await real(op.path) : undefined;
      const deep = '['.repeat(3000);
      for (const body of ['', 'null', '[]', '1', '"x"', '{', '{"a":1,"a":2}', '{"a":"\\ud800"}', deep, '\xff', '{}x']) {
        const answer = await s.api.request(op.method, pathOf(op, at), { body, headers: { 'content-type': op.type } });
        sound(op, answer, body.slice(0, 30));
        assert.ok(answer.status >= 400, body.slice(0, 30));
      }
      const plain = await s.api.request(op.method, pathOf(op, at), {
        body: '{}',
        headers: { 'content-type': 'text/plain', 'if-match': '*' },
      });
      sound(op, plain, 'text/plain');
      assert.equal(plain.status, 415);
    });

  if (op.keyed)
    test(`${op.id}: the same request again is answered by the same octets`, async () => {
      await alive();
      if (op.path.startsWith('/v1/broadcasts')) await approved();
      let n = 0;
      let replayed = 0;
      await check(
        fc.asyncProperty(bodies(op), async (body) => {
          const at = op.path.includes('{') ? await real(op.path) : undefined;
          const headers = { 'idempotency-key': `again-${op.id}-${seed}-${n++}` };
          const once = await send(op, { path: pathOf(op, at), body, headers });
          sound(op, once, JSON.stringify(body));
          if (once.status >= 300) return;
          replayed += 1;
          const twice = await send(op, { path: pathOf(op, at), body, headers });
          sound(op, twice, 'again');
          assert.deepEqual([twice.status, twice.text], [once.status, once.text]);
          assert.equal(twice.headers['idempotency-replayed'], 'true');
          const changed = await send(op, { path: pathOf(op, at), body: { ...body, person: 'Other' }, headers });
          sound(op, changed, 'changed');
          assert.equal(changed.status, 422, changed.text);
        }),
      );
      // An answer to a patient is taken only while a conversation is open, which the rules decide.
      assert.ok(replayed > 0 || op.id === 'answer_conversation', 'some were taken, and so taken again');
    });
}

test('what the contract says of itself: strict objects, problems as published', async () => {
  for (const op of contract.operations) {
    if (!op.bodySchema || !/json$/.test(op.type)) continue;
    const { value } = contract.at(op.bodySchema);
    if (value.type === 'object')
      assert.equal(value.additionalProperties, false, `${op.id}: unknown members are refused`);
  }
  const published = (await s.api.get('/problems')).json.data;
  const told = contract.document.components.schemas.ProblemCode;
  assert.deepEqual(published.map((p) => p.code).sort(), [...told.enum].sort());
  for (const p of published) {
    const again = p.retry ? 'Retry' : 'Do not retry';
    assert.equal(told['x-enumDescriptions'][p.code], `${p.status}. ${again}. ${p.sentence}`);
    assert.deepEqual((await s.api.get(p.type)).json, p);
  }
  assert.equal((await s.api.get('/problems/no_such')).json.code, 'problem_unknown');
});

test('rates are told, and past them 429 with Retry-After', async (t) => {
  const limited = await setup(t, { config: { http: { requests_per_second: 3 } } });
  const answers = [];
  for (let i = 0; i < 6; i++) answers.push(await limited.api.get('/v1/messages?limit=1'));
  const past = answers.filter((a) => a.status === 429);
  assert.ok(past.length > 0);
  for (const a of answers) {
    assert.equal(a.headers['ratelimit-policy'], '"default";q=3;w=1');
    assert.match(a.headers.ratelimit, /^"default";r=[0-3];t=1$/);
  }
  for (const a of past) {
    assert.equal(a.headers.ratelimit, '"default";r=0;t=1');
    assert.ok(Number(a.headers['retry-after']) >= 1);
  }
  assert.equal((await limited.api.get('/livez')).headers.ratelimit, undefined);
});

test('a traceparent is answered, logged, stored and shown; without one the answer has one all the same', async (t) => {
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const g = await another(t, s, { config: { log: { level: 'debug' } } });
  await g.start();
  const sent = await g.api.accepted({}, { headers: { traceparent: trace } });
  assert.equal(sent.headers.traceparent, trace);
  assert.equal((await g.api.message(sent.id)).trace, trace);
  const bare = await g.api.accepted({}, { headers: { traceparent: trace.toUpperCase() } });
  const own = bare.headers.traceparent;
  assert.notEqual(own, trace);
  assert.match(own, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  assert.equal((await g.api.message(bare.id)).trace, null, 'nobody else knows it');
  const logged = () =>
    g
      .linesOf('http_answered')
      .filter((l) => l.status === '202')
      .map((l) => l.trace);
  await until(() => logged().length === 2, 'both are in the log');
  assert.deepEqual(logged(), [trace, own]);
});

test('summary', () => {
  const { operations, declared, requests, pairs, never } = contract.summary();
  console.log(`# contract: ${operations} operations, ${requests} requests, ${pairs} of ${declared} answers seen`);
  const byOperation = new Map();
  for (const pair of never) {
    const [op, status] = pair.split(' ');
    byOperation.set(op, [...(byOperation.get(op) ?? []), status]);
  }
  for (const [op, statuses] of byOperation) console.log(`# never seen: ${op} ${statuses.join(' ')}`);
  const silent = contract.operations.filter((op) => ![...contract.seen.keys()].some((k) => k.startsWith(`${op.id} `)));
  assert.deepEqual(
    silent.map((op) => op.id),
    [],
  );
});
