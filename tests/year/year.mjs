// A year of three practices through the gateway, a private PostgreSQL and npm smpp's carrier, with the rule clock moved
// from one thing that happens to the next. After each step nothing is left to judge; then every text that went must have
// been allowed, every text that waits must have a cause, and what was refused must not have been possible: by the oracle,
// which knows only what patients, practices and the carrier did. tests/year/run tells the options.
import { parseArgs } from 'node:util';
import { Carrier } from '../blackbox/lib/carrier.mjs';
import { Cluster } from '../blackbox/lib/cluster.mjs';
import { Gateway } from '../blackbox/lib/gateway.mjs';
import { binary, must, run, until } from '../blackbox/lib/util.mjs';
import { classes, couldGo, DAY, forbidden, HOUR, obstacle } from './oracle.mjs';
import { dice, makePeople, plan, practices } from './people.mjs';

const { values: given } = parseArgs({
  options: {
    seed: { type: 'string' },
    days: { type: 'string', default: '365' },
    people: { type: 'string', default: '30' },
    start: { type: 'string', default: '2026-01-05T00:00:00Z' },
    reports: { type: 'string' },
  },
});
const seed = Number(given.seed ?? Math.floor(Math.random() * 1e9));
const random = dice(seed);
const began = Date.now();
const say = (text) => console.error(`year ${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s: ${text}`);
const day = (at) => new Date(at).toISOString().slice(0, 16);

const findings = [];
const tally = {};
const count = (what) => (tally[what] = (tally[what] ?? 0) + 1);
function find(what, m, more) {
  findings.push(`${what}: ${m ? `${m.id} ${m.category} of ${m.person.patient}` : ''} at ${day(now())}: ${more}`);
  if (findings.length <= 20) say(findings.at(-1));
}

const messages = new Map(); // by text: what the carrier sees
const open = new Map(); // by id: what the gateway has not ended
let clock = Date.parse(given.start);
let clockMoved = Date.now();
const now = () => clock + (Date.now() - clockMoved);
const near = 3000; // the gateway's clock and ours are read at different moments

// --- the parts ----------------------------------------------------------------------------------------------------

function carrierDoes(submit) {
  const m = messages.get(submit.text) ?? messages.get(submit.text + submit.phone);
  if (!m) return { receipt: random.chance(0.9) }; // an answer to a patient's word
  if (m.sentAt) find('sent twice', m, 'a second submit');
  m.sentAt = now();
  judgeSent(m);
  const fate = random();
  if (fate < 0.004) return { silent: true };
  if (fate < 0.008) return { receipt: { stat: 'UNDELIV' } };
  return { receipt: random.chance(0.95) };
}

/** Three moments around the one that counted: none of them must allow it for a finding. */
function judgeSent(m) {
  count(`sent ${m.category}`);
  const at = [m.sentAt, m.sentAt - near, m.sentAt + near];
  const whys = at.map((t) => obstacle(m, t));
  if (!m.loose && whys.every(Boolean)) find('sent against a rule', m, whys[0]);
  if (m.until && m.sentAt > m.until + near) find('sent too late', m, day(m.until));
  if (classes[m.category].counted)
    m.practice.contacts.push({ at: m.sentAt, phone: m.phone, patient: m.patient });
}

async function addPractice(db, about) {
  const args = ['practice', 'add', '--database', db.owner, '--json', '--name', about.name, '--phone', about.phone];
  args.push('--sender', about.sender, '--at', new Date(Date.parse(given.start) - DAY).toISOString());
  if (about.attested) args.push('--attested-by', 'Compliance Officer');
  if (about.open) args.push('--open', '09:00', '--close', '18:00');
  const [made] = JSON.parse((await must(binary, args)).stdout);
  const key = JSON.parse(
    (await must(binary, ['key', 'create', made.id, '--database', db.owner, '--json', '--scope', 'emergency'])).stdout,
  )[0];
  return { ...about, id: made.id, key: key.key, contacts: [] };
}

// --- what happens -------------------------------------------------------------------------------------------------

let world;
const post = async (person, path, body, statuses = [200, 201, 202]) => {
  const answer = await world.gateway.api.post(path, body, { key: person.practice.key });
  if (!statuses.includes(answer.status)) find('refused by the API', null, `${path} ${answer.status} ${answer.text}`);
  return answer;
};
const hears = (person, words) => world.carrier.mo(person.phone, person.practice.sender, words);
const both = (person) => (person.shares ? [person, person.shares] : [person, ...(person.sharedBy ?? [])]);
const shared = (person, change) => both(person).forEach(change);

let texts = 0;
let doubts = 0;
async function sendText(person, { category, until: visit, phi, answers, answersAt, emergency }) {
  const at = now();
  const text = `${person.practice.name}: note ${++texts}. Call ${person.practice.phone}. Reply STOP to end.`;
  const m = { id: '', person, practice: person.practice, patient: person.patient, phone: person.phone, category };
  Object.assign(m, { zones: person.zones, states: person.states, phi, answersAt, sendAt: 0, text });
  m.until = Math.max(visit ?? 0, at + HOUR) === visit ? visit : at + 2 * DAY;
  messages.set(text, m);
  const answer = await post(person, '/v1/messages', {
    patient: person.patient,
    phone: person.phone,
    body: text,
    category,
    state: person.address,
    expires_at: new Date(m.until).toISOString(),
    ...(phi ? { phi } : {}),
    ...(answers ? { answers } : {}),
    ...(emergency ? { emergency } : {}),
  });
  m.id = answer.json?.id;
  if (m.id) open.set(m.id, m);
}

async function consent(person, list, basis) {
  const at = now();
  const answer = await post(person, '/v1/consents', {
    phone: person.phone,
    patient: person.patient,
    classes: list,
    basis,
    captured_at: new Date(at - 1000).toISOString(),
    method: 'form',
    wording: 'I agree to get such texts from this practice.',
    wording_version: 'form-3',
    language: 'en',
    action: 'signed',
    actor: 'front desk',
    ...(basis === 'written' ? { authorization_id: 'hipaa-7', campaign: 'newsletter' } : {}),
  });
  const record = { id: answer.json?.id, classes: list, basis: { implied: 1, express: 2, written: 3 }[basis], at: at - 1000 };
  person.consents.push(record);
}

const healthClasses = Object.keys(classes).filter((c) => classes[c].basis === 1);

async function enrol(person) {
  if (!person.practice.attested && random.chance(0.9)) await consent(person, healthClasses, 'implied');
  if (random.chance(0.6)) await consent(person, ['payment', 'survey'], 'express');
  if (random.chance(0.5)) await consent(person, ['promotional'], 'written');
  if (person.household) await post(person, '/v1/recipients', { phone: person.phone, actor: 'front desk', household: true });
}

async function task(person, kind) {
  const answer = await world.gateway.api.get(`/v1/tasks?kind=${kind}`, { key: person.practice.key });
  return answer.json?.data?.find((t) => t.phone.endsWith(person.phone.slice(-4)) && !t.decision);
}

const acts = {
  text: (person, act) => sendText(person, act),
  async call(person) {
    const at = now() - 1000;
    await post(person, '/v1/contacts', {
      phone: person.phone,
      patient: person.patient,
      kind: 'voice',
      at: new Date(at).toISOString(),
      actor: 'front desk',
    });
    person.practice.contacts.push({ at, phone: person.phone, patient: person.patient });
  },
  async says(person, act) {
    await hears(person, act.words);
    if (act.help || random.chance(0.5)) return;
    const [inbound] = await world.db.sql(
      'SELECT id FROM smsbridge.inbound WHERE phone = $1 ORDER BY received_at DESC LIMIT 1',
      [person.phone],
    );
    await sendText(person, { category: 'conversational_reply', answers: inbound.id, answersAt: now() });
  },
  async stop(person, act) {
    await hears(person, act.words);
    shared(person, (p) => (p.optedOut = p.optedOut || 'stop'));
  },
  async start(person) {
    if (!person.optedOut && random.chance(0.8)) return;
    await hears(person, 'START');
    shared(person, (p) => (p.optedOut = p.optedOut === 'stop' ? undefined : p.optedOut));
  },
  async doubt(person) {
    // never the same octets twice: after a kill, those would be taken for a text that the carrier delivers again
    await hears(person, `I really dont want to get these any longer${'.'.repeat(1 + ++doubts)}`);
    const found = await task(person, 'possible_opt_out');
    if (!found) return find('no review task', null, person.patient);
    shared(person, (p) => (p.holding = true));
    later(2 * DAY, 'decide', person, { id: found.id, opts: random.chance(0.5) });
  },
  async decide(person, act) {
    const decision = act.opts ? 'opt_out' : 'not_opt_out';
    await post(person, `/v1/tasks/${act.id}/decide`, { decision, person: 'Nurse Lead', note: 'called the patient' });
    shared(person, (p) => {
      p.holding = false;
      if (act.opts) p.optedOut = p.optedOut ?? 'stop'; // as old as the text, so that START lifts it
    });
  },
  async wrong(person) {
    await hears(person, 'You have the wrong number');
    shared(person, (p) => {
      p.staleAt = now();
      p.optedOut = 'wrong';
    });
  },
  async alternative(person) {
    await post(person, '/v1/recipients', { phone: person.phone, actor: 'front desk', alternative: 'no_sms' });
    shared(person, (p) => (p.alternative = true));
  },
  async emergency(person) {
    await sendText(person, { category: 'emergency', emergency: { person: 'Dr. Example', reason: 'recalled medicine' } });
  },
  async verify(person) {
    if (person.optedOut || person.alternative || forbidden({ category: 'verification', person, practice: person.practice }, now()))
      return;
    if (person.verifiedAt) return;
    const answer = await post(person, '/v1/verifications', { phone: person.phone, patient: person.patient }, [201, 202, 409]);
    if (answer.status !== 202 && answer.status !== 201) return;
    const [row] = await world.db.sql('SELECT body FROM smsbridge.message WHERE id = $1', [answer.json.id]);
    const m = { id: answer.json.id, person, practice: person.practice, patient: person.patient, phone: person.phone };
    Object.assign(m, { category: 'verification', zones: person.places.slice(0, 1).map((p) => p.zone), sendAt: 0 });
    Object.assign(m, { states: person.states, text: row.body, loose: true });
    open.set(m.id, m);
    person.awaits = m;
    messages.set(row.body + person.phone, m);
  },
  async end_consent(person) {
    const record = person.consents.find((c) => !c.endedAt);
    if (!record) return;
    await post(person, `/v1/consents/${record.id}/end`, { actor: 'front desk', reason: 'withdrawn' });
    record.endedAt = now();
  },
  async restart() {
    await world.gateway.stop();
    await again();
  },
  async kill() {
    await world.gateway.killNow();
    await again();
  },
};

async function again() {
  const binds = world.carrier.binds.length;
  world.gateway.config.clock = { start: new Date(now()).toISOString() };
  await world.gateway.start();
  await until(() => world.carrier.binds.length > binds, 'the gateway binds again', 30000);
  await world.carrier.bound();
}

const todo = [];
function later(ms, what, person, more) {
  todo.push({ at: now() + ms, what, person, ...more });
  todo.sort((a, b) => a.at - b.at);
}

// --- step by step -------------------------------------------------------------------------------------------------

async function settle() {
  await until(
    async () => {
      const [row] = await world.db.sql(
        `SELECT count(*)::int AS n FROM smsbridge.message WHERE due_at <= $1 OR status = 'sending'`,
        [new Date(now() + near).toISOString()],
      );
      return row.n === 0;
    },
    async () =>
      JSON.stringify(
        await world.db.sql(
          `SELECT id, status, reason, due_at FROM smsbridge.message WHERE due_at <= $1 OR status = 'sending' LIMIT 5`,
          [new Date(now() + near).toISOString()],
        ),
      ),
    60000,
    5,
  );
}

/** What the gateway says it went by. */
async function facts(id) {
  const [row] = await world.db.sql(
    'SELECT type, at, data FROM smsbridge.event WHERE message_id = $1 ORDER BY xact DESC, id DESC LIMIT 1',
    [id],
  );
  return JSON.stringify(row);
}

const causes = { blocked: 'blocked', expired: 'expired', failed: 'failed' };

/** What the gateway says of every message that had not ended, against the oracle. */
async function judge() {
  if (!open.size) return;
  const rows = await world.db.sql(
    'SELECT id, status, reason, created_at FROM smsbridge.message WHERE id = ANY ($1::uuid[])',
    [[...open.keys()]],
  );
  for (const row of rows) {
    const m = open.get(row.id);
    if (['scheduled', 'queued', 'held'].includes(row.status)) {
      if (!obstacle(m, now()) && !obstacle(m, now() - near) && !m.told) {
        m.told = true;
        find('held without cause', m, `${row.reason}: ${await facts(row.id)}`);
      }
      continue;
    }
    open.delete(row.id);
    count(`end ${row.status}${row.reason ? ` ${row.reason}` : ''}`);
    const at = now();
    if (row.status === 'blocked' && !forbidden(m, at) && !forbidden(m, at - near))
      find('blocked without cause', m, `${row.reason}: ${await facts(row.id)}`);
    if (row.status === 'canceled' && !m.person.optedOut) find('cancelled without cause', m, row.reason);
    if (row.status === 'expired' && !m.sentAt && !m.loose) {
      const went = couldGo(m, at + near, m.until - 10 * 60e3);
      if (went) find('given up too early', m, `${row.reason}, could go at ${day(went)}`);
    }
    if (row.status === 'failed' && causes[row.status]) find('failed', m, row.reason);
  }
}

async function nextDue() {
  const [row] = await world.db.sql('SELECT min(due_at) AS at FROM smsbridge.message WHERE due_at IS NOT NULL');
  return row.at ? row.at.getTime() : Infinity;
}

async function moveTo(at) {
  if (at > now()) {
    clock = Math.ceil(at);
    await world.gateway.moveClock(new Date(clock).toISOString());
    clockMoved = Date.now();
  }
}

async function live(end) {
  let month = '';
  for (let steps = 0; ; steps++) {
    const next = Math.min(todo[0]?.at ?? Infinity, await nextDue());
    if (next >= end) return steps;
    await moveTo(next);
    await settle();
    await judge();
    const batch = [];
    while (todo.length && todo[0].at <= now()) batch.push(todo.shift());
    for (const act of batch) {
      count(`act ${act.what}`);
      await acts[act.what](act.person, act);
      if (act.what !== 'text') await settle();
    }
    await settle();
    await judge();
    if (day(now()).slice(0, 7) !== month) {
      month = day(now()).slice(0, 7);
      say(`${month}: ${texts} texts so far, ${open.size} open, ${findings.length} findings`);
    }
  }
}

async function main() {
  say(`seed ${seed}, ${given.days} days from ${given.start}, ${given.people} people a practice`);
  const cluster = await Cluster.start();
  const db = await cluster.database();
  const carrier = await new Carrier({ onSubmit: (submit) => carrierDoes(submit) }).start();
  const gateway = new Gateway(db, {
    carriers: [{ port: carrier.port, answer_timeout: '1s' }],
    config: { clock: { start: given.start } },
  });
  world = { cluster, db, carrier, gateway };
  let failed = true;
  try {
    const all = [];
    const serial = { next: 0 };
    for (const about of practices) all.push(...makePeople(await addPractice(db, about), Number(given.people), serial, random));
    for (const p of all) if (p.shares) (p.shares.sharedBy ??= []).push(p);
    gateway.key = all[0].practice.key;
    clockMoved = Date.now();
    await gateway.start();
    await carrier.bound();
    for (const person of all) await enrol(person);
    const days = Number(given.days);
    todo.push(...plan(all, clock + HOUR, days, random));
    const steps = await live(Date.parse(given.start) + days * DAY);
    failed = await prove(db, steps);
  } finally {
    await gateway.close();
    await carrier.stop();
    await cluster.stop();
  }
  process.exitCode = failed ? 1 : 0;
}

/** The two witnesses of the program itself must agree. */
async function prove(db, steps) {
  await world.gateway.stop();
  const tool = (...args) => run(binary, [...args, '--database', db.owner], { timeout: 600000 });
  const proofs = {
    violations: await tool('report', 'violations'),
    replay: await tool('replay', '--from', given.start.slice(0, 10), '--to', day(now()).slice(0, 10)),
    ledger: await tool('ledger', 'verify'),
  };
  for (const [name, done] of Object.entries(proofs)) {
    say(`${name}: exit ${done.code}: ${(done.stdout || done.stderr).trim().split('\n').slice(-3).join(' | ')}`);
    if (done.code !== 0) findings.push(`${name}: exit ${done.code}: ${done.stdout.slice(0, 2000)}${done.stderr.slice(0, 500)}`);
  }
  for (const name of given.reports ? ['violations', 'funnel', 'quiet_hours', 'opt_outs', 'decisions', 'consents', 'emergency'] : [])
    await tool('report', name, '--format', 'html', '--output', `${given.reports}/${name}.html`);
  const [events] = await db.sql('SELECT count(*)::int AS n FROM smsbridge.event');
  const result = { seed, days: Number(given.days), texts, steps, events: events.n, seconds: (Date.now() - began) / 1000 };
  console.log(JSON.stringify({ ...result, tally, findings: findings.slice(0, 50), found: findings.length }, null, 1));
  return findings.length > 0;
}

await main();
