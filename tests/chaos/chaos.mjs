// Messages through a gateway and a simulated carrier with every fault on; then the proof, by SQL and by the carrier's
// own log, that nothing was lost and nothing was sent twice. tests/chaos/run tells the options.
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { Cluster } from '../blackbox/lib/cluster.mjs';
import { Gateway, selfSigned } from '../blackbox/lib/gateway.mjs';
import { Smsc } from '../blackbox/lib/smsc.mjs';
import { binary, must, pause, root, run, until } from '../blackbox/lib/util.mjs';

const { values: given } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    seconds: { type: 'string', default: '1800' },
    script: { type: 'string', default: path.join(root, 'tests/chaos/every-fault.script') },
    boost: { type: 'string', default: '1' },
    rate: { type: 'string', default: '60' },
    practices: { type: 'string', default: '40' },
    links: { type: 'string', default: '8' },
    window: { type: 'string', default: '50' },
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const messages = Number(given.messages);
const budget = Number(given.seconds);
const seed = given.seed ?? String(Math.floor(Math.random() * 1e9));
const began = Date.now();
const elapsed = () => ((Date.now() - began) / 1000).toFixed(1);
const say = (text) => console.error(`chaos ${elapsed().padStart(7)} s: ${text}`);
const left = () => budget * 1000 - (Date.now() - began);

const waiting = ['scheduled', 'queued', 'held', 'sending', 'sent'];
const ends = ['delivered', 'undelivered', 'expired', 'failed', 'canceled', 'blocked'];
const open = ['uncertain', 'unconfirmed']; // decided: what is known is told, and it is never sent again

// --- the parts -----------------------------------------------------------------------------------------------------

/** Area codes where it is day at noon in New York, drawn the same way each time. */
async function areas(db) {
  const rows =
    await db.sql(`SELECT npa FROM smsbridge.npa_zone GROUP BY npa HAVING bool_and(zone IN ('America/New_York',
    'America/Detroit', 'America/Chicago', 'America/Denver', 'America/Phoenix', 'America/Los_Angeles')) ORDER BY md5(npa)`);
  return rows.map((r) => r.npa);
}

/** The script with its rarest faults more often, for short runs. */
function script() {
  const text = fs.readFileSync(given.script, 'utf8');
  return text.replaceAll(/ rate ([\d.]+)%/g, (all, percent) =>
    Number(percent) > 1 ? all : ` rate ${Math.min(5, Number((percent * Number(given.boost)).toFixed(4)))}%`,
  );
}

async function practices(db, count) {
  const made = [];
  const senderOf = (i) => `+1${646 + Math.floor(i / 100)}55501${String(i % 100).padStart(2, '0')}`;
  for (let i = 0; i < count; i++) {
    const about = ['--name', `Clinic ${i}`, '--phone', '(212) 555-0199', '--sender', senderOf(i)];
    about.push('--attested-by', 'Jo Rivera', '--at', '2020-01-01T00:00:00Z', '--require-identity', 'false');
    const [p] = JSON.parse(
      (await must(binary, ['practice', 'add', '--database', db.owner, '--json', ...about])).stdout,
    );
    const [k] = JSON.parse((await must(binary, ['key', 'create', p.id, '--database', db.owner, '--json'])).stdout);
    made.push({ id: p.id, sender: senderOf(i), key: k.key });
  }
  return made;
}

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** The ith message: every pair of practice and phone comes once, so that no cap holds any; each text is its own. */
function draft(i, world) {
  const practice = world.practices[i % world.practices.length];
  const rest = Math.floor(i / world.practices.length);
  const npa = world.areas[(rest + (i % world.practices.length) * 7) % world.areas.length];
  const line = Math.floor(rest / world.areas.length);
  if (line >= 100) throw new Error(`no phone is left for message ${i}: more practices are needed`);
  const number = String(i).padStart(7, '0');
  const body =
    i % 20 === 0
      ? `Dzień dobry, wizyta ${number} jutro 9:30. Reply STOP to end.` // UCS-2
      : `Reminder: visit ${number} is tomorrow at 9:30. Reply C to confirm, STOP to end.`;
  const phone = `+1${npa}55501${String(line).padStart(2, '0')}`;
  return {
    practice,
    body,
    phone,
    json: { patient: `p-${i}`, phone, body, category: 'appointment_reminder', reference: `v-${i}` },
  };
}

// --- load ----------------------------------------------------------------------------------------------------------

function post(agent, gateway, d, i, pem) {
  const payload = JSON.stringify(d.json);
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port: gateway.port,
        ca: pem,
        agent,
        method: 'POST',
        path: '/v1/messages',
        headers: {
          authorization: `Bearer ${d.practice.key}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload),
          'idempotency-key': `"chaos-${i}"`,
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part) => {
          text += part;
        });
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode, text, after: answer.headers['retry-after'] }));
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}

/** Sends each message until it is accepted; what is refused for good ends the run. */
async function load(gateway, world) {
  const { pem } = await selfSigned();
  const agent = new https.Agent({ keepAlive: true, maxSockets: 48 });
  const accepted = new Map(); // id -> number
  let next = 0;
  let again = 0;
  const worker = async () => {
    for (let i = next++; i < messages; i = next++) {
      const d = draft(i, world);
      for (let tries = 0; ; tries++) {
        if (left() < 0) throw new Error(`out of time with ${accepted.size} messages accepted`);
        const answer = await post(agent, gateway, d, i, pem).catch((error) => ({ status: 0, text: error.message }));
        if (answer.status === 202) {
          accepted.set(JSON.parse(answer.text).id, i);
          break;
        }
        if (answer.status !== 0 && answer.status !== 429 && answer.status !== 503)
          throw new Error(`message ${i} is answered ${answer.status}: ${answer.text}`);
        again++;
        await pause(100 * Math.min(tries + 1, 20));
      }
    }
  };
  await Promise.all(Array.from({ length: 48 }, worker));
  agent.destroy();
  return { accepted, again };
}

// --- what the carrier saw ------------------------------------------------------------------------------------------

/** Submits by (sender, phone, text), patients' texts that were acknowledged, PDUs and faults counted. */
async function readLog(file) {
  const submits = new Map();
  const awaited = new Map();
  const delivered = new Map();
  const seen = { lines: 0, taken: 0, texts: [], receipts: [] };
  const lines = readline.createInterface({ input: fs.createReadStream(file), crlfDelay: Infinity });
  for await (const line of lines) {
    seen.lines++;
    const l = JSON.parse(line);
    if (l.in === 'submit_sm') {
      awaited.set(`${l.peer}:${l.sequence}`, `${l.from} ${l.to} ${l.text}`);
    } else if (l.event === 'verdict') {
      const key = awaited.get(`${l.peer}:${l.sequence}`);
      awaited.delete(`${l.peer}:${l.sequence}`);
      if (!submits.has(key)) submits.set(key, []);
      submits.get(key).push({ at: l.ms, taken: l.taken, status: l.status ?? null });
      seen.taken += l.taken;
    } else if (l.out === 'deliver_sm' || l.out === 'data_sm') {
      delivered.set(`${l.peer}:${l.sequence}`, { from: l.from, to: l.to, text: l.text, esm_class: l.esm_class });
    } else if (l.in === 'deliver_sm_resp' || l.in === 'data_sm_resp') {
      const d = delivered.get(`${l.peer}:${l.sequence}`);
      delivered.delete(`${l.peer}:${l.sequence}`);
      if (!d || l.status !== 0) continue;
      if (d.esm_class === 4) seen.receipts.push(d);
      else if ((d.esm_class & 0x3c) === 0 && !/id:/i.test(d.text)) seen.texts.push(d);
    }
  }
  seen.unread = awaited.size; // came behind the end of their connection: never looked at
  for (const key of awaited.values()) {
    if (!submits.has(key)) submits.set(key, []);
    submits.get(key).push({ at: Infinity, taken: false, status: null });
  }
  return { submits, ...seen };
}

/** May have reached the phone: taken, or not answered at all. */
const mayHaveGone = (s) => s.taken || s.status === null;

// --- proofs --------------------------------------------------------------------------------------------------------

const faults = [];
function prove(what, wrong) {
  const n = Array.isArray(wrong) ? wrong.length : wrong;
  say(`${n === 0 ? 'ok' : 'FAIL'} ${what}${n === 0 ? '' : `: ${n}`}`);
  if (n === 0) return;
  faults.push(what);
  if (Array.isArray(wrong)) for (const w of wrong.slice(0, 5)) console.error(`    ${JSON.stringify(w)}`);
}

async function proveStates(db, accepted) {
  const rows = await db.sql('SELECT id, status, reason FROM smsbridge.message');
  const byId = new Map(rows.map((r) => [r.id, r]));
  prove(
    'every accepted message is kept',
    [...accepted.keys()].filter((id) => !byId.has(id)),
  );
  const mine = [...accepted.keys()].map((id) => byId.get(id)).filter(Boolean);
  prove(
    'each is in a final state, or uncertain or unconfirmed',
    mine.filter((m) => ![...ends, ...open].includes(m.status)),
  );
  prove(
    'what is not delivered says why',
    mine.filter((m) => !['delivered'].includes(m.status) && !m.reason),
  );
  const types = await db.sql(
    `SELECT message_id, count(*)::int AS n FROM smsbridge.event
    WHERE type = ANY ($1) GROUP BY message_id HAVING count(*) > 1`,
    [ends.map((e) => `message.${e}`)],
  );
  prove('none has two final events', types);
  const differs = await db.sql(
    `SELECT m.id, m.status, e.type FROM smsbridge.event e JOIN smsbridge.message m ON m.id = e.message_id
    WHERE e.type = ANY ($1) AND e.type <> 'message.' || m.status`,
    [ends.map((e) => `message.${e}`)],
  );
  prove('the final event is the final state', differs);
  const again =
    await db.sql(`SELECT message_id FROM smsbridge.event WHERE type IN ('message.sending', 'message.requeued')
    GROUP BY message_id HAVING count(*) FILTER (WHERE type = 'message.sending') - count(*) FILTER (WHERE type = 'message.requeued')
    NOT BETWEEN 0 AND 1`);
  prove('between two sends stands the decision that the first did not go', again);
  return mine;
}

async function proveSubmits(db, log) {
  const rows = await db.sql('SELECT id, sender, phone, body, status FROM smsbridge.message');
  const wanted = new Map();
  for (const r of rows) {
    const key = `${r.sender.slice(1)} ${r.phone.slice(1)} ${r.body}`;
    if (!wanted.has(key)) wanted.set(key, []);
    wanted.get(key).push(r);
  }
  const gone = [...log.submits].map(([key, list]) => [key, list.filter(mayHaveGone), wanted.get(key) ?? []]);
  prove(
    'the carrier was given only what was accepted',
    gone.filter(([, , has]) => has.length === 0),
  );
  prove(
    'no message may have gone twice',
    gone.filter(([, list, has]) => list.length > has.length),
  );
  const silent = rows.filter(
    (r) => r.status === 'delivered' && !log.submits.has(`${r.sender.slice(1)} ${r.phone.slice(1)} ${r.body}`),
  );
  prove('what is delivered was submitted', silent);
  return gone.filter(([, list]) => list.length > 0).length;
}

/** A receipt with a final state that the gateway acknowledged is known to its message. */
async function proveReceipts(db, log) {
  const rows =
    await db.sql(`SELECT sender, phone, status, carrier_message_id AS answered, (SELECT string_agg(e.type, ' ' ORDER BY
    e.id) FROM smsbridge.event e WHERE e.message_id = m.id) AS events
    FROM smsbridge.message m`);
  const of = new Map(); // a phone that got a confirmation or help too is left out: whose receipt it is shows in the id only
  for (const r of rows) {
    const key = `${r.sender.slice(1)} ${r.phone.slice(1)}`;
    of.set(key, of.has(key) ? {} : r);
  }
  const final = log.receipts.filter((r) => /stat: ?(delivrd|undeliv|expired|rejectd)/i.test(r.text));
  const unknown = final
    .map((r) => ({ receipt: r.text, ...of.get(`${r.to} ${r.from}`) }))
    .filter((r) => open.includes(r.status));
  // an answer of a header only names no message: its receipt, which names one, has nothing to go by
  const nameless = unknown.filter((r) => r.status !== 'uncertain' && r.answered === null);
  say(`${nameless.length} receipts for messages whose answer had no message_id`);
  prove(
    'every other final receipt that was acknowledged is known to its message',
    unknown.filter((r) => !nameless.includes(r)),
  );
}

/** Patients' texts that the gateway acknowledged are kept: in one part here, the rest is for other tests. */
async function proveTexts(db, log) {
  const rows = await db.sql(`SELECT phone, count(*)::int AS n FROM smsbridge.event WHERE phone IS NOT NULL
    AND type IN ('opt_out.created', 'opt_out.repeated') GROUP BY phone`);
  const stopped = new Set(rows.map((r) => r.phone));
  const practices = new Set((await db.sql('SELECT sender FROM smsbridge.practice')).map((r) => r.sender));
  const stops = log.texts.filter((t) => /^stop( please)?$/i.test(t.text) && practices.has(`+${t.to}`));
  prove(
    'every STOP that was acknowledged is an opt-out',
    stops.filter((t) => !stopped.has(`+${t.from}`)),
  );
  return stops.length;
}

/** In a long run each fault that there is was done. */
async function proveFaults(summary) {
  const help = (await must(binary, ['smsc', '--help-script'])).stdout.split('\n## Faults\n')[1].split('\n## ')[0];
  const all = [...help.matchAll(/^- `(\w+)` at/gm)].map(([, name]) => name);
  prove(
    'every fault was done',
    all.filter((name) => !summary.faults[name]),
  );
}

const memoryKb = (pid, field) =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// --- the run -------------------------------------------------------------------------------------------------------

const closers = [];
async function close() {
  for (const closer of closers.reverse()) await closer().catch((error) => say(error.message));
}

/** Messages of the practices; or all, with what the gateway writes itself (confirmations, help). */
async function counts(db, all) {
  const rows = await db.sql(`SELECT status, count(*)::int AS n FROM smsbridge.message
    WHERE ${all ? 'true' : "category = 'appointment_reminder'"} GROUP BY status ORDER BY status`);
  return Object.fromEntries(rows.map((r) => [r.status, r.n]));
}

async function settle(db, all) {
  let told = 0;
  for (;;) {
    const now = await counts(db, all);
    if (!waiting.some((status) => now[status])) return now;
    if (left() < 0) throw new Error(`not settled in time: ${JSON.stringify(now)}`);
    if (Date.now() - told > 10000) {
      say(`waiting: ${JSON.stringify(now)}`);
      told = Date.now();
    }
    await pause(250);
  }
}

/** Rows and milliseconds of a batch, in the mean, by lane of the store. */
async function lanes(gateway) {
  const sum = {};
  for (const m of await gateway.metrics()) {
    const [, kind] = m.name.match(/^smsbridge_store_batch_(\w+_(?:sum|count))$/) ?? [];
    if (kind) (sum[m.labels.lane] ??= {})[kind] = m.value;
  }
  const mean = (a, b, scale, digits) => Number(((scale * a) / (b || 1)).toFixed(digits));
  return Object.fromEntries(
    Object.entries(sum).map(([lane, s]) => [
      lane,
      {
        batches: s.duration_seconds_count,
        rows: mean(s.rows_sum, s.rows_count, 1, 1),
        ms: mean(s.duration_seconds_sum, s.duration_seconds_count, 1000, 2),
      },
    ]),
  );
}

async function atRest(gateway) {
  let inFlight;
  await until(
    async () => {
      inFlight = await gateway.metric('smsbridge_in_flight');
      return inFlight === 0;
    },
    () => `the window is empty: ${inFlight}`,
    15000,
  ).catch((error) => say(error.message));
  return inFlight;
}

async function main() {
  say(`seed ${seed}, ${messages} messages, ${binary}`);
  const cluster = await Cluster.start();
  closers.push(() => cluster.stop());
  const db = await cluster.database();
  const world = { areas: await areas(db), practices: await practices(db, Number(given.practices)) };
  const outbind = `127.0.0.1:${await freePort()}`;
  const smsc = await new Smsc(script(), ['--seed', seed, '--outbind', outbind]).start();
  closers.push(async () => smsc.child.kill('SIGKILL'));
  const link = {
    window: Number(given.window),
    rate: 250, // a second and link
    answer_timeout: '5s',
    bind_timeout: '3s',
    enquire_link: '2s',
    receipts_unflagged: true,
  };
  const gateway = new Gateway(db, {
    carriers: [
      { name: 'chaos', port: smsc.port, links: Number(given.links), ...link },
      { name: 'chaos-outbind', ...link, connect: 'outbind', host: undefined, links: 2, system_id: 'outbound' },
    ],
    config: {
      clock: { start: '2026-03-02T12:00:00-05:00', rate: Number(given.rate) },
      smpp: { outbind_listen: outbind },
      policy: { unconfirmed_after: `${8 * Number(given.rate)}s` },
    },
  });
  closers.push(() => gateway.close());
  await gateway.start();
  const rest = memoryKb(gateway.child.pid, 'VmRSS');
  const { accepted, again } = await load(gateway, world);
  say(`${accepted.size} accepted, ${again} asked to wait`);
  await settle(db);
  smsc.child.kill('SIGUSR1'); // from here on the carrier behaves, so that things can come to rest
  const states = await settle(db, true);
  const inFlight = await atRest(gateway);
  say(`store: ${JSON.stringify(await lanes(gateway))}`);
  say(`settled: ${JSON.stringify(states)}`);
  const memory = {
    start_kb: rest,
    peak_kb: memoryKb(gateway.child.pid, 'VmHWM'),
    end_kb: memoryKb(gateway.child.pid, 'VmRSS'),
  };
  const summary = await smsc.stop();
  const complaints = {};
  for (const l of gateway.lines())
    if (l.level === 'error' || l.level === 'warning') complaints[l.event] = (complaints[l.event] ?? 0) + 1;
  say(`the gateway complained: ${JSON.stringify(complaints)}`);
  if (given.keep) fs.writeFileSync('chaos-gateway.log', gateway.log);
  if (given.keep) fs.copyFileSync(smsc.logFile, 'chaos.log');
  if (given.keep) fs.writeFileSync('chaos.json', JSON.stringify(await db.sql('SELECT * FROM smsbridge.message')));
  const log = await readLog(smsc.logFile);
  say(`the carrier saw ${log.submits.size} texts in ${summary.submitted} submits, took ${log.taken}`);
  await proveStates(db, accepted);
  const reached = await proveSubmits(db, log);
  await proveReceipts(db, log);
  const stops = await proveTexts(db, log);
  prove('no rule was broken (report.violations)', await db.sql('SELECT * FROM report.violations'));
  prove('the window is empty', inFlight);
  if (messages >= 100000) await proveFaults(summary);
  const sanitized = fs.readFileSync(binary).includes('__asan_init'); // keeps what was freed, on purpose
  prove('memory is back at rest', !sanitized && memory.end_kb > memory.start_kb + 24576 ? 1 : 0);

  const report = {
    seed: Number(seed),
    messages: accepted.size,
    seconds: Number(elapsed()),
    states,
    memory,
    reached,
    stops,
    carrier: summary,
  };
  console.log(JSON.stringify(report));
  if (given.json) fs.writeFileSync(given.json, `${JSON.stringify(report)}\n`);
}

let failed = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => close().then(() => process.exit(130)));
try {
  await main();
} catch (error) {
  failed = true;
  say(`FAILED: ${error.stack}`);
}
await close();
if (faults.length || failed) {
  console.error(`chaos: FAILED with seed ${seed}: ${faults.join('; ')}`);
  process.exitCode = 1;
}
