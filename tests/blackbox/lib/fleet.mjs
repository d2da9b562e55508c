// A gateway with several carriers and several practices, and figures about what reached whom and when.
import assert from 'node:assert/strict';
import { Carrier } from './carrier.mjs';
import { Gateway } from './gateway.mjs';
import { slow, until } from './util.mjs';
import { atEnd, practice, theCluster } from './world.mjs';

/**
 * carriers: {name: {link, ...options of Carrier}}; practices: how many, or a list of what practice() takes; config: the
 * rest of the configuration, or a function of what is there by then (s.practices) that gives it.
 */
export async function fleet(t, { carriers = {}, practices = 1, config = {}, start = true } = {}) {
  const s = { carriers: {} };
  s.db = await theCluster().database();
  for (const [name, { link, ...behaviour }] of Object.entries(carriers)) {
    const carrier = await new Carrier(behaviour).start();
    s.carriers[name] = Object.assign(carrier, { link, name });
    atEnd(t, () => carrier.stop());
  }
  s.practices = [];
  const list = typeof practices === 'number' ? Array.from({ length: practices }, (_, i) => ({ i })) : practices;
  for (const { i, segments, ...about } of list) {
    const p = await practice(s.db, { name: `Elm Street Clinic ${i ?? ''}`.trim(), ...about });
    if (segments) await s.db.sql('UPDATE smsbridge.practice SET max_segments = $2 WHERE id = $1', [p.id, segments]);
    s.practices.push(p);
  }
  [s.practice] = s.practices;
  s.gateway = new Gateway(s.db, {
    carriers: Object.values(s.carriers).map((c) => ({ name: c.name, port: c.port, ...c.link })),
    config: typeof config === 'function' ? config(s) : config,
  });
  s.gateway.key = s.practice.key;
  atEnd(t, () => s.gateway.close());
  Object.defineProperty(s, 'api', { get: () => s.gateway.api });
  if (start) {
    await s.gateway.start();
    for (const c of Object.values(s.carriers)) await c.bound();
  }
  return s;
}

/** Posts count messages of a practice, side by side; resolves when all are accepted. */
export const pour = (s, count, { key, ...fields } = {}) =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      s.api.accepted(
        Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, typeof v === 'function' ? v(i) : v])),
        key ? { key } : {},
      ),
    ),
  );

/** How many of the carrier's submits are of these messages. */
export function arrived(carrier, messages) {
  const bodies = new Set(messages.map((m) => m.draft.body));
  return carrier.submits.filter((x) => bodies.has(x.text));
}

// Carriers note when they have read a submit, and this process may be kept from reading: what came meanwhile is then read
// at once. So it watches itself: [when a tick was due, when it came], of ticks that were late.
const TICK = 10;
const stalls = [];
let tick = Date.now();
setInterval(() => {
  const now = Date.now();
  if (now - tick > 3 * TICK) stalls.push([tick, now]);
  tick = now;
}, TICK).unref();

/** When, at the earliest, what was read at a time can have come. */
function cameAt(at) {
  const stall = stalls.find(([from, to]) => from <= at && at <= to + TICK);
  return stall ? stall[0] : at;
}

/** Every stretch of at most so many ms that ends with a submit: how many came in it, how long it can have been. */
function* stretches(times, most) {
  const sorted = [...times].sort((a, b) => a - b);
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while (sorted[to] - sorted[from] >= most) from++;
    yield { got: to - from + 1, ms: most + sorted[from] - cameAt(sorted[from]) };
  }
}

/** Arrivals a second between the first and the last. */
export const rateOf = (submits) => (1000 * (submits.length - 1)) / (submits.at(-1).at - submits[0].at);

/**
 * Never above rate and burst in any stretch. What was allowed at its time is written when it is committed, up to a tenth
 * of a second later; and we read it late, as late as we were.
 */
export function heldTo(submits, rate, { burst = 1 + rate / 10, segments = 1 } = {}) {
  const times = submits.map((x) => x.at);
  for (const longest of [500, 1000, 2000, 4000])
    for (const { got, ms } of stretches(times, longest)) {
      const most = (rate * (ms + 100 * slow)) / 1000 + burst + segments - 1;
      assert.ok(got <= most, `${got} within ${ms} ms; ${rate} a second allow ${most.toFixed(1)}`);
    }
}

/** The longest silence between two arrivals. */
export const longestGap = (submits) => Math.max(...submits.slice(1).map((x, i) => x.at - submits[i].at));
/** Arrivals in each second since the first. */
export const bySecond = (submits) => {
  const seconds = [];
  for (const { at } of submits) {
    const n = Math.floor((at - submits[0].at) / 1000);
    seconds[n] = (seconds[n] ?? 0) + 1;
  }
  return [...seconds].map((n) => n ?? 0);
};

// Two thousand Eastern phones.
const eastern = [201, 202, 203, 207, 212, 215, 216, 301, 302, 304, 401, 404, 410, 412, 413, 419, 434, 440, 603, 802];
export const everybody = (i) =>
  `+1${eastern[Math.floor(i / 100) % eastern.length]}55501${String(i % 100).padStart(2, '0')}`;

/** Waits for a status in the database. */
export const becomes = (s, id, wanted, ms) =>
  until(
    async () => {
      const m = await s.db.message(id);
      return m.status === wanted && m;
    },
    async () => `${wanted}, is ${JSON.stringify(await s.db.message(id))}`,
    ms,
  );

/** Messages of a database by status and reason: {'sent': 5, 'held daily_ceiling': 3}. */
export async function counts(s, where = 'true') {
  const rows = await s.db.sql(
    `SELECT status || coalesce(' ' || reason, '') AS what, count(*)::int AS n FROM smsbridge.message WHERE ${where} GROUP BY 1`,
  );
  return Object.fromEntries(rows.map((r) => [r.what, r.n]));
}

/** Waits until the counts hold. */
export async function counted(s, wanted, ms, where) {
  const text = JSON.stringify(Object.entries(wanted).sort());
  return until(
    async () => JSON.stringify(Object.entries(await counts(s, where)).sort()) === text,
    async () => `${text}, there are ${JSON.stringify(await counts(s, where))}`,
    ms,
    50,
  );
}
