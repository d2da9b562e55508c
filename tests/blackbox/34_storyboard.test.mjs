// A week of a practice: 300 visits are booked, moved, cancelled, confirmed and missed; patients answer, one texts STOP,
// one CANCEL. Played by HTTPS against a running gateway and npm smpp as its carrier, the rule clock moved from one
// thing that happens to the next, over the change of the clock on Sunday. Every text, webhook and state must be what an
// oracle says that knows only what people did (lib/storyboard.mjs).
import assert from 'node:assert/strict';
import test from 'node:test';
import { DAY, HOUR, MINUTE, ZONE, Visit, dayOf, instant, steps, wall, written } from './lib/storyboard.mjs';
import { keepBody } from './lib/privacy.mjs';
import { binary, must, nextPatient, nextPhone, run, until } from './lib/util.mjs';
import { setup, world } from './lib/world.mjs';

const seed = Number(process.env.SMSBRIDGE_SEED ?? 20260302);
let state = seed;
const random = (n) => {
  // xorshift32: the story is the same for a seed, on every machine
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
};
console.log(`# seed ${seed}`);

const MONDAY = instant(2026, 3, 2, 8, 30);
const END = instant(2026, 3, 11, 20); // what was moved from the last days of the week
const words = {
  early:
    'Elm Street Clinic: your visit is on {date} at {time}. C confirms, R reschedules, X declines. STOP ends texts.',
  daybefore: 'Elm Street Clinic: tomorrow, {date} at {time}. C confirms, R reschedules, X declines. STOP ends texts.',
  today: 'Elm Street Clinic: see you today, {date} at {time}. Questions? (212) 555-0199. STOP ends texts.',
};

await world();
const s = await setup(null, {
  hooks: null,
  carrier: { onSubmit: () => ({ receipt: true }) },
  config: { clock: { start: new Date(MONDAY).toISOString() }, http: { requests_per_second: 0 } },
  practice: { identity: false },
});
let clock = MONDAY;
let clockMoved = Date.now();
const now = () => clock + (Date.now() - clockMoved);

async function moveTo(at) {
  if (at <= now()) return;
  await s.gateway.moveClock(new Date(at).toISOString());
  clock = at;
  clockMoved = Date.now();
}

async function ok(method, path, body) {
  const answer = await s.api.request(method, path, { body });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json;
}

/** Runs all, some at a time. */
async function each(list, act) {
  const rest = [...list];
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let one; (one = rest.shift()) !== undefined;) await act(one);
    }),
  );
}

const pathOf = (v) => `/v1/appointments/${v.ref}`;
const put = (v) =>
  ok('PUT', pathOf(v), {
    patient: v.patient,
    phone: v.phone,
    starts_at: new Date(v.startsAt).toISOString(),
    location_zone: ZONE,
    kind: 'checkup',
    status: v.status,
  });

// --- what must have been heard ------------------------------------------------------------------------------------

const expected = new Map(); // webhook type -> [ref or phone, ...]
const expect = (type, about) => expected.set(type, [...(expected.get(type) ?? []), about]);

// --- acts ---------------------------------------------------------------------------------------------------------

const todo = [];
function later(at, what, v) {
  todo.push({ at, what, v });
  todo.sort((a, b) => a.at - b.at);
}

const tell = (v, type, times = 1) => {
  for (let i = 0; i < times; i++) expect(type, v.ref);
};

/** Seven minutes past a full hour of that day: nothing is due then. */
const quiet = (at) => {
  const w = wall(at);
  return instant(w.year, w.month, w.day, Math.min(Math.max(w.hour, 9), 19), 7);
};

function anotherDay(v, at) {
  for (;;) {
    const days = 1 + random(6);
    const w = wall(at);
    const d = new Date(Date.UTC(w.year, w.month - 1, w.day) + days * DAY);
    const to = instant(d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate(), 13 + random(5), 30 * random(2));
    if (dayOf(to) !== dayOf(v.startsAt) && to < END - 2 * HOUR) return to;
  }
}

const reply = (v, text) => s.carrier.mo(v.phone, s.practice.sender, text);

const acts = {
  async book(v) {
    const dropped = v.plan(now());
    tell(v, 'reminder.dropped', dropped);
    const shown = await put(v);
    assert.equal(shown.reminders.length, steps.length, JSON.stringify(shown));
    agree(v, shown);
  },
  async move(v) {
    if (v.status !== 'booked' && v.status !== 'confirmed') return;
    tell(v, 'message.canceled', v.withdraw().length);
    v.startsAt = anotherDay(v, now());
    v.status = 'booked';
    v.answer = null;
    tell(v, 'reminder.dropped', v.plan(now()));
    if (v.moved) loose.add(v);
    agree(v, await put(v));
  },
  async cancel(v) {
    tell(v, 'message.canceled', v.withdraw().length);
    v.status = 'canceled';
    agree(v, await put(v));
  },
  async confirmByStaff(v) {
    tell(v, 'message.canceled', v.confirm().length);
    tell(v, 'appointment.confirmed');
    agree(v, await ok('POST', `${pathOf(v)}/status`, { status: 'confirmed' }));
  },
  async arrive(v) {
    tell(v, 'message.canceled', v.withdraw().length);
    v.status = 'arrived';
    agree(v, await ok('POST', `${pathOf(v)}/status`, { status: 'arrived' }));
  },
  async complete(v) {
    if (v.status === 'canceled') return;
    v.status = 'completed';
    await ok('POST', `${pathOf(v)}/status`, { status: 'completed' });
  },
  async noShow(v) {
    v.status = 'no_show';
    await ok('POST', `${pathOf(v)}/status`, { status: 'no_show' });
  },
  async textC(v) {
    if (v.answer === 'confirmed') return;
    tell(v, 'message.canceled', v.confirm().length);
    v.answer = 'confirmed';
    tell(v, 'appointment.confirmed');
    await reply(v, ['C', 'Yes', 'confirm', 'c.', 'Si'][random(5)]);
  },
  async textX(v) {
    tell(v, 'message.canceled', v.withdraw().length);
    v.answer = 'declined';
    tell(v, 'appointment.declined');
    await reply(v, ['X', 'No', 'x'][random(3)]);
  },
  async textR(v) {
    v.answer = 'reschedule_requested';
    tell(v, 'appointment.reschedule_requested');
    await reply(v, ['R', 'Reschedule'][random(2)]);
  },
  async textFree(v) {
    expect('reply.received', v.phone);
    await reply(v, `I will bring my card ${v.ref}`);
  },
  async textStop(v) {
    stop(v);
    await reply(v, 'STOP');
  },
  async textCancel(v) {
    stop(v);
    expect('review.opened', v.phone);
    await reply(v, 'CANCEL');
  },
  async textHelp(v) {
    notices.push({ phone: v.phone, like: /^Elm Street Clinic/ });
    await reply(v, 'HELP');
  },
};

const notices = [];
const loose = new Set(); // the gateway moves their one text: only the limits are judged

function stop(v) {
  for (let i = 0; i < v.planned.size; i++) tell(v, 'message.canceled');
  v.stopped = true;
  expect('opt_out.created', v.phone);
  notices.push({ phone: v.phone, like: /no more|will not|unsubscribed|opted out/i });
}

/** What the gateway says of a visit, against the oracle. */
function agree(v, shown) {
  if (loose.has(v)) return;
  assert.equal(shown.status, v.status);
  assert.equal(Date.parse(shown.starts_at), v.startsAt);
  const mine = shown.reminders.filter((r) => Date.parse(r.visit_at) === v.startsAt);
  const of = (state) => mine.filter((r) => r.state === state && (state !== 'planned' || r.status !== 'delivered'));
  const about = () => `${v.ref} ${v.fate} at ${new Date(now()).toISOString()}: ${JSON.stringify(shown)}`;
  assert.deepEqual(
    of('planned').map((r) => r.step).sort(),
    [...v.planned.keys()].sort(),
    about(),
  );
  for (const r of of('planned')) {
    const late = Date.parse(r.due_at) - v.planned.get(r.step);
    assert.ok(late >= 0 && late <= 2 * MINUTE, about()); // what went at ten sharp left a moment later
    v.planned.set(r.step, Date.parse(r.due_at));
  }
  assert.deepEqual(
    of('dropped')
      .map((r) => r.step)
      .sort(),
    [...v.dropped.keys()].sort(),
    about(),
  );
}

// --- the story ----------------------------------------------------------------------------------------------------

/** After the first text: who answers does so then. */
const answers = { textC: 40, textX: 15, textR: 10, textFree: 20, textStop: 1, textCancel: 1, textHelp: 2 };
/** At some time before the visit. */
const changes = { cancel: 20, move: 40, confirmByStaff: 10 };
const ends = { arrive: 5, noShow: 5 };

function cast() {
  const fates = Object.entries({ ...answers, ...changes, ...ends }).flatMap(([fate, n]) => Array(n).fill(fate));
  const visits = [];
  for (let i = 0; i < 300; i++) {
    const day = 3 + random(7);
    const v = new Visit(
      `visit-${1000 + i}`,
      nextPatient(),
      nextPhone(),
      instant(2026, 3, day, 13 + random(5), 30 * random(2)),
    );
    v.fate = fates[i] ?? 'complete';
    visits.push(v);
    const latest = Math.max(0, Math.floor((v.startsAt - MONDAY) / DAY) - 1);
    const bookedAt = i % 5 ? MONDAY : quiet(MONDAY + HOUR + random(latest * 24 || 1) * HOUR);
    later(bookedAt, 'book', v);
    if (changes[v.fate]) {
      const room = v.startsAt - 4 * HOUR - (bookedAt + HOUR);
      later(quiet(bookedAt + HOUR + random(Math.max(1, Math.floor(room / HOUR))) * HOUR) + 11 * MINUTE, v.fate, v);
    }
    if (v.fate === 'arrive') later(v.startsAt - 3 * HOUR + 7 * MINUTE, 'arrive', v);
    else if (v.fate === 'noShow') later(v.startsAt + 20 * MINUTE, 'noShow', v);
  }
  return visits;
}

/** Until nothing is due any more. A text that goes a day after another to the second waits for that second. */
async function settle() {
  const open = (what) => () =>
    s.db.sql(`SELECT ${what} FROM smsbridge.message WHERE due_at <= $1 OR status IN ('sending', 'sent')`, [
      new Date(now() + 5000).toISOString(),
    ]);
  await until(
    async () => (await open('count(*)::int AS n')())[0].n === 0,
    async () => JSON.stringify((await open('id, status, reason, due_at')()).slice(0, 3)),
    60000,
  );
}

const say = (step, v) => {
  const { date, time } = written(v.startsAt);
  return words[step].replace('{date}', date).replace('{time}', time);
};

let seen = 0;
/** What went since the last look is exactly what was due. */
function heard(visits) {
  const due = [];
  for (const v of visits) {
    if (loose.has(v)) continue;
    for (const step of v.due(now())) {
      due.push(`${v.phone} ${say(step, v)}`);
      tell(v, 'message.sent');
      tell(v, 'message.delivered');
      if (answers[v.fate] && !v.answered) {
        v.answered = true;
        later(quiet(now() + 40 * MINUTE) + random(20) * MINUTE, v.fate, v);
      }
      if (step === 'today') later(v.startsAt + HOUR + 3 * MINUTE, 'complete', v);
    }
  }
  const strange = new Set([...loose].map((v) => v.phone));
  const isNotice = (t) => {
    const i = notices.findIndex((n) => n.phone === t.phone && n.like.test(t.text));
    if (i >= 0) notices.splice(i, 1);
    return i >= 0;
  };
  const went = s.carrier.submits.slice(seen).filter((t) => !strange.has(t.phone) && !isNotice(t));
  seen = s.carrier.submits.length;
  assert.deepEqual(went.map((t) => `${t.phone} ${t.text}`).sort(), due.sort(), new Date(now()).toISOString());
}

async function prepare() {
  const campaign = ['campaign', 'add', '--practice', s.practice.id, '--database', s.db.owner, '--person', 'Jo Rivera'];
  await must(binary, [...campaign, '--campaign', 'CWEEK1', '--classes', 'appointment_reminder']);
  for (const step of steps) {
    const saved = await ok('POST', '/v1/templates', {
      name: step.name,
      language: 'en',
      category: 'appointment_reminder',
      body: words[step.name],
      variables: { date: 'date', time: 'time' },
      person: 'Jo Rivera',
    });
    await ok('POST', `/v1/templates/${saved.id}/approve`, { person: 'Sam Okafor' });
  }
  const plan = { steps: steps.map(({ days, ...step }) => ({ ...step, template: step.name })) };
  await ok('PUT', '/v1/plans/checkup', plan);
}

test('a week of 300 visits', { timeout: 900000 }, async () => {
  await prepare();
  const visits = cast();
  for (const v of visits) for (const step of steps) keepBody(say(step.name, v));
  let times = 0;
  for (;;) {
    const next = Math.min(todo[0]?.at ?? Infinity, ...visits.map((v) => v.nextDue()));
    if (next > END) break;
    await moveTo(next);
    await settle();
    heard(visits);
    const batch = [];
    while (todo.length && todo[0].at <= now()) batch.push(todo.shift());
    await each(batch, ({ what, v }) => acts[what](v));
    await settle();
    heard(visits);
    times++;
  }
  console.log(
    `# ${times} times of the clock, ${s.carrier.submits.length} texts, ${loose.size} visits judged by limits only`,
  );
  assert.ok(
    loose.size <= 6,
    `${loose.size} visits whose one text the gateway moved: the story should keep clear of it`,
  );
  assert.deepEqual(notices, [], 'notices that did not go');

  for (const v of visits) {
    if (loose.has(v)) continue;
    const shown = await ok('GET', pathOf(v));
    assert.deepEqual([shown.status, shown.answer], [v.status, v.answer], v.fate);
    const states = shown.reminders
      .filter((r) => r.state === 'planned' && r.status === 'delivered')
      .map((r) => `${r.step} ${Date.parse(r.visit_at)}`);
    assert.deepEqual(states.sort(), v.texts.map((t) => `${t.step} ${t.visitAt}`).sort(), `${v.ref} ${v.fate}`);
  }
});

test('every webhook of that week came, verified, once, and each message in order', async () => {
  const rows = await s.db.sql(
    'SELECT practice_id, id, ref FROM smsbridge.message m LEFT JOIN smsbridge.reminder r USING (practice_id) WHERE r.message_id = m.id',
  );
  const refOf = new Map(rows.map((r) => [r.id, r.ref]));
  const about = (h) => {
    const d = h.body.data;
    return refOf.get(d.message_id) ?? d.appointment ?? d.phone;
  };
  const masked = (x) => (x.startsWith('+1') && !x.includes('*') ? `${x.slice(0, 2)}******${x.slice(-4)}` : x);
  const strange = new Set([...loose].map((v) => v.ref));
  const want = [...expected].flatMap(([type, list]) =>
    list.filter((x) => !strange.has(x)).map((x) => `${type} ${masked(x)}`),
  );
  const got = () => {
    const last = new Map(s.hooks.hooks.map((h) => [h.id, h]));
    return [...last.values()]
      .filter((h) => expected.has(h.body.type) && !strange.has(about(h)))
      .map((h) => `${h.body.type} ${masked(about(h))}`);
  };
  await until(
    () => got().length >= want.length,
    () => `${got().length} of ${want.length} webhooks`,
    60000,
  );
  assert.deepEqual(got().sort(), want.sort());
  for (const h of s.hooks.hooks) assert.ok(h.verified, `${h.body?.type}: ${h.error}`);
  const turn = new Map();
  for (const h of s.hooks.hooks.filter((x) => x.status < 300 && x.body.data.sequence)) {
    const before = turn.get(h.body.data.message_id) ?? 0;
    assert.ok(h.body.data.sequence > before, `${h.body.type} out of order`);
    turn.set(h.body.data.message_id, h.body.data.sequence);
  }
  console.log(`# ${s.hooks.hooks.length} webhooks, of ${new Set(s.hooks.hooks.map((h) => h.body.type)).size} types`);
});

test('nothing in the night, nothing after the visit, and both witnesses find nothing', async () => {
  const sends = await s.db.sql(
    `SELECT e.at, r.visit_at, r.ref, r.step FROM smsbridge.event e
     JOIN smsbridge.reminder r ON r.practice_id = e.practice_id AND r.message_id = e.message_id
     WHERE e.type = 'message.sending'`,
  );
  assert.ok(sends.length > 500, `${sends.length} sends`);
  for (const { at, visit_at, ref, step } of sends) {
    const w = wall(at.getTime());
    assert.ok(w.hour >= 8 && w.hour < 21, `${ref} ${step} at ${at.toISOString()}`);
    assert.ok(at < visit_at, `${ref} ${step} at ${at.toISOString()}, the visit at ${visit_at.toISOString()}`);
  }
  for (const args of [
    ['report', 'violations'],
    ['ledger', 'verify'],
  ]) {
    const done = await run(binary, [...args, '--database', s.db.owner]);
    assert.equal(done.code, 0, done.stdout + done.stderr);
  }
});
