// Clients that leave at any moment, a database that does, and a stop in the middle of it: nothing is used that has gone
// (the suite's program is sanitized), what was answered 202 is stored, and the gateway ends as it should.
// SMSBRIDGE_TEST_SEED repeats the clients' choices, SMSBRIDGE_TEST_ROUNDS lengthens it.
import assert from 'node:assert/strict';
import https from 'node:https';
import test from 'node:test';
import { Api } from './lib/api.mjs';
import { Contract } from './lib/contract.mjs';
import { selfSigned } from './lib/gateway.mjs';
import { binary, must, pause, until } from './lib/util.mjs';
import { another, key, setup, world } from './lib/world.mjs';

const seed = Number(process.env.SMSBRIDGE_TEST_SEED ?? Date.now() % 2 ** 31);
const rounds = Number(process.env.SMSBRIDGE_TEST_ROUNDS ?? 6);
const CLIENTS = 16;
console.log(`# SMSBRIDGE_TEST_SEED=${seed} SMSBRIDGE_TEST_ROUNDS=${rounds}`);

let state = seed >>> 0;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const below = (n) => Math.floor(random() * n);
const oneOf = (list) => list[below(list.length)];

await world();
const s = await setup(null, {
  carrier: { onSubmit: () => ({ receipt: true }) },
  config: { http: { requests_per_second: 0 } },
});
s.api.key = await key(s.db, s.practice.id, ['--scope', 'all']);
const contract = new Contract((await s.api.get('/openapi.json')).json);
const { pem } = await selfSigned();
await must(binary, [
  ...['campaign', 'add', '--campaign', 'CTEST1', '--classes', 'appointment_reminder', '--person', 'Jo Rivera'],
  ...['--database', s.db.owner, '--practice', s.practice.id],
]);

/** Ids that were made, by the list that they are in: "/v1/messages". */
const ids = new Map();
const accepted = new Set();

// What would take away the key that asks.
const operations = contract.operations.filter((o) => !/revoke|disable|rotate_key|delete_key/.test(o.id));

const creation = operations.find((o) => o.path === '/v1/messages' && o.method === 'POST');
const some = () => (random() < 0.3 ? creation : oneOf(operations));

function requestOf(op) {
  const above = op.path.split('/{')[0];
  const known = ids.get(above) ?? [];
  const id = known.length && random() < 0.8 ? oneOf(known) : '019caf47-20b5-7001-8f7c-e54e3644af02';
  const path = op.path.replace(/\{\w+\}/, encodeURIComponent(id));
  if (!op.hasBody) return { path };
  if (/ndjson/.test(op.type) || op.path === '/v1/batches') {
    const lines = Array.from({ length: below(40) }, () => JSON.stringify(Api.draft()));
    return { path, type: 'application/x-ndjson', body: `${lines.join('\n')}\n` };
  }
  if (op.path === '/v1/messages') return { path, type: 'application/json', body: JSON.stringify(Api.draft()) };
  const example = op.examples.length ? structuredClone(oneOf(op.examples)) : {};
  if (op.type === 'application/x-www-form-urlencoded')
    return { path, type: op.type, body: new URLSearchParams(example).toString() };
  return { path, type: op.type, body: typeof example === 'string' ? example : JSON.stringify(example) };
}

/** One request, of which the client may leave at any moment. Resolves with the status, or null. */
function ask(port, op, agent) {
  const { path, type, body } = requestOf(op);
  const leaves = random() < 0.5 ? oneOf([0, 0, 1, 2, 5, 10, 30]) : null;
  const headers = {
    authorization: `Bearer ${s.api.key}`,
    ...(type ? { 'content-type': type, 'content-length': Buffer.byteLength(body) } : {}),
    ...(random() < 0.3 ? { 'idempotency-key': `leave-${below(50)}` } : {}),
    ...(op.method === 'GET' ? {} : { 'if-match': '*' }),
  };
  return new Promise((resolve) => {
    const to = { host: '127.0.0.1', servername: 'localhost', port, ca: pem, agent, method: op.method, path, headers };
    const request = https.request({ ...to, timeout: 60000 }, (answer) => {
      const parts = [];
      answer.on('data', (d) => parts.push(d));
      answer.on('error', () => resolve(null));
      answer.on('close', () => resolve(null));
      answer.on('end', () => {
        took(op, answer.statusCode, Buffer.concat(parts).toString());
        resolve(answer.statusCode);
      });
    });
    request.on('error', () => resolve(null));
    request.on('timeout', () => request.destroy());
    const whole = leaves === null || random() < 0.7;
    if (body !== undefined) request[whole ? 'end' : 'write'](whole ? body : body.slice(0, below(body.length)));
    else request.end();
    if (leaves !== null || !whole) setTimeout(() => request.destroy(), leaves ?? 0);
  });
}

function took(op, status, text) {
  if (status < 200 || status > 299) return;
  const { id, ref } = text.startsWith('{') ? JSON.parse(text) : {};
  const name = id ?? ref;
  if (typeof name !== 'string') return;
  if (op.path === '/v1/messages' && op.method === 'POST') accepted.add(name);
  const above = op.path.split('/{')[0];
  ids.set(above, [...(ids.get(above) ?? []).slice(-20), name]);
}

/** Cuts the gateways' connections to the database, or holds what they want. */
async function sabotage(over) {
  const db = await s.db.connect();
  const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'smsbridge_app' ORDER BY random() LIMIT 2`;
  while (!over()) {
    await pause(30 + below(150));
    if (random() < 0.5) {
      await s.db.sql(cut).catch(() => {});
      continue;
    }
    await db.query('BEGIN');
    await db.query("SET LOCAL lock_timeout = '1s'");
    await db
      .query(`LOCK TABLE smsbridge.${oneOf(['message', 'batch', 'api_key', 'template', 'appointment', 'access'])}`)
      .catch(() => {});
    await pause(below(120));
    await db.query('COMMIT').catch(() => {});
  }
}

test('who leaves in the middle takes nothing along', async (t) => {
  for (const op of operations) await ask(s.gateway.port, op, false); // something of everything
  const statuses = new Map();
  for (let round = 0; round < rounds; round++) {
    const g = await another(t, s, { node: `leave-${round}`, config: { http: { requests_per_second: 0 } } });
    await g.start();
    let over = false;
    const saboteur = sabotage(() => over);
    const client = async () => {
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
      while (!over) {
        const status = await ask(g.port, some(), random() < 0.7 ? agent : false);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === null) await pause(5);
      }
      agent.destroy();
    };
    const clients = Array.from({ length: CLIENTS }, client);
    await pause(800 + below(1200));
    const ended = g.stop();
    await pause(below(400));
    over = true;
    await Promise.all([...clients, saboteur]);
    const { code } = await ended;
    assert.equal(code, 0, g.log.slice(-6000));
    await g.close();
  }
  t.diagnostic(`answers: ${[...statuses].map(([status, n]) => `${status ?? 'none'} ${n}`).join(', ')}`);
  const stored = await s.db.sql('SELECT id FROM smsbridge.message WHERE id = ANY ($1)', [[...accepted]]);
  assert.equal(stored.length, accepted.size, 'each that was answered 202 is stored');
  assert.ok(accepted.size > 10, `${accepted.size} were`);
  await until(async () => (await s.api.get('/readyz')).status === 200, 'the other gateway has survived it');
});
