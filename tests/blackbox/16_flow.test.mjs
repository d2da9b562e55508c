// Which message goes where and which first: routes, weights and failover, daily ceilings, fairness between practices,
// priorities. Carriers are npm smpp. How fast is in 16_pace, what a submit says in 18_submit.
import assert from 'node:assert/strict';
import test from 'node:test';
import { arrived, becomes, counted, everybody, fleet, heldTo, pour, rateOf } from './lib/fleet.mjs';
import { NOON } from './lib/gateway.mjs';
import { never, slow, until } from './lib/util.mjs';
import { another, world } from './lib/world.mjs';

await world();

/** The names of the carriers that have a message, in the order of the fleet. */
const holders = (s, m) =>
  Object.values(s.carriers)
    .filter((c) => arrived(c, [m]).length)
    .map((c) => c.name);

const goesTo = async (s, m, name) => {
  await s.carriers[name].got(m.draft);
  assert.deepEqual(holders(s, m), [name]);
  await becomes(s, m.id, 'sent');
};

test('routes by sender, prefix and category; what they leave goes by the last row', async (t) => {
  const s = await fleet(t, {
    carriers: { rest: {}, number: {}, place: {}, kind: {} },
    practices: 2,
    config: ({ practices: [, second] }) => ({
      routes: [
        { carrier: 'number', sender: second.sender },
        { carrier: 'place', prefix: '+1787' },
        { carrier: 'kind', category: 'lab_results' },
        { carrier: 'rest', tier: 2 },
      ],
    }),
  });
  const noon = { time_zone: 'America/Puerto_Rico' };
  await goesTo(s, await s.api.accepted(), 'rest');
  await goesTo(s, await s.api.accepted({}, { key: s.practices[1].key }), 'number');
  await goesTo(s, await s.api.accepted({ phone: '+17875550111', ...noon }), 'place');
  await goesTo(s, await s.api.accepted({ category: 'lab_results' }), 'kind');
});

test('weights share a tier: one in four and three in four', async (t) => {
  const s = await fleet(t, {
    carriers: { one: { link: { window: 200 } }, three: { link: { window: 200 } }, spare: {} },
    config: {
      routes: [
        { carrier: 'one', weight: 100 },
        { carrier: 'three', weight: 300 },
        { carrier: 'spare', tier: 2, weight: 1000 },
      ],
    },
  });
  const all = await pour(s, 400);
  await counted(s, { sent: 400 }, 30000);
  const got = Object.fromEntries(Object.values(s.carriers).map((c) => [c.name, c.submits.length]));
  // 100 are due; 8.7 is one standard deviation
  assert.ok(got.one >= 55 && got.one <= 145, JSON.stringify(got));
  assert.equal(got.one + got.three, all.length);
  assert.equal(got.spare, 0);
});

const tiers = { routes: [{ carrier: 'first' }, { carrier: 'second', tier: 2 }] };

test('failover: the next tier while the first is down, back when it is up', async (t) => {
  const s = await fleet(t, { carriers: { first: {}, second: {} }, config: tiers });
  const { first } = s.carriers;
  await goesTo(s, await s.api.accepted(), 'first');
  await first.stop();
  await until(() => s.gateway.linesOf('link_down').length, 'told');
  for (const m of await pour(s, 5)) await goesTo(s, m, 'second');
  await first.start(first.port);
  await first.bound();
  for (const m of await pour(s, 5)) await goesTo(s, m, 'first');
});

test('a first carrier that is full is waited for: a busy carrier is not a lost one', async (t) => {
  const s = await fleet(t, {
    carriers: { first: { link: { window: 2 }, onSubmit: () => ({ delay: 50 }) }, second: {} },
    config: tiers,
  });
  await pour(s, 20);
  await counted(s, { sent: 20 }, 30000);
  assert.equal(s.carriers.first.submits.length, 20);
  assert.equal(s.carriers.second.submits.length, 0);
});

test('what one carrier refuses for now goes to the other', async (t) => {
  const s = await fleet(t, {
    carriers: {
      moody: { onSubmit: () => ({ status: 0x08 }) },
      well: { link: { window: 50 } },
    },
    config: { clock: { start: NOON, rate: 20 }, routes: [{ carrier: 'moody', weight: 1000 }, { carrier: 'well' }] },
  });
  const all = await pour(s, 10);
  await counted(s, { sent: 10 }, 30000);
  for (const m of all) {
    assert.equal(arrived(s.carriers.moody, [m]).length, 1, 'asked once');
    assert.equal(arrived(s.carriers.well, [m]).length, 1);
  }
});

test('what may have been taken is not given to another carrier, though one is free', async (t) => {
  const s = await fleet(t, {
    carriers: {
      mute: { link: { window: 3, answer_timeout: '300ms' }, onSubmit: () => ({ silent: true }) },
      well: {},
    },
    config: {
      routes: [
        { carrier: 'mute', category: 'lab_results' },
        { carrier: 'well', tier: 2 },
      ],
    },
  });
  const late = await pour(s, 3, { category: 'lab_results' });
  await counted(s, { 'uncertain answer_missing': 3 });
  const cut = await pour(s, 3, { category: 'lab_results' });
  await until(() => s.carriers.mute.submits.length === 6, 'written');
  await s.carriers.mute.stop();
  await counted(s, { 'uncertain answer_missing': 6 });
  await s.gateway.moveClock('2026-03-02T15:00:00-05:00');
  await goesTo(s, await s.api.accepted({ category: 'lab_results' }), 'well');
  await never(() => arrived(s.carriers.well, [...late, ...cut]).length, 'sent again', 500);
});

test('no route: it waits, the operator is told, and it goes when a reload brings one', async (t) => {
  const s = await fleet(t, {
    carriers: { only: {} },
    config: { routes: [{ carrier: 'only', category: 'lab_results' }] },
  });
  const m = await s.api.accepted();
  await counted(s, { 'held no_route': 1 });
  const shown = await s.api.message(m.id);
  assert.equal(shown.reason.code, 'no_route');
  const told = s.gateway.linesOf('no_route');
  assert.deepEqual(
    told.map((l) => l.level),
    ['error'],
  );
  await goesTo(s, await s.api.accepted({ category: 'lab_results' }), 'only');
  await s.gateway.reload((c) => c.routes.push({ carrier: 'only', tier: 2 }));
  await goesTo(s, m, 'only');
});

// Guam is awake when the day ends in California: sending hours are no matter there.
let guam = 0;
const inGuam = () => `+167155501${String(guam++ % 100).padStart(2, '0')}`;
const MIDNIGHT = '2026-03-03T00:00:00-08:00';
const before = (minutes) => new Date(Date.parse(MIDNIGHT) - minutes * 60000).toISOString();
const used = async (s) =>
  Object.fromEntries(
    (await s.db.sql('SELECT kind, name, day::text, used FROM smsbridge.ceiling_day ORDER BY 1, 2, 3')).map((r) => [
      `${r.kind} ${r.name} ${r.day}`,
      r.used,
    ]),
  );

test("a sender's daily ceiling: so many go, the rest after midnight in California", async (t) => {
  const s = await fleet(t, {
    carriers: { only: { link: { window: 50 } } },
    config: ({ practice: p }) => ({
      clock: { start: before(10) },
      senders: [{ number: p.sender, daily: 5 }],
    }),
  });
  await pour(s, 8, { phone: inGuam });
  await counted(s, { sent: 5, 'held daily_ceiling': 3 });
  const due = await s.db.sql('SELECT due_at FROM smsbridge.message WHERE due_at IS NOT NULL');
  for (const { due_at: at } of due) {
    const late = at.getTime() - Date.parse(MIDNIGHT);
    assert.ok(late >= 0 && late <= 60000, `${late} ms after midnight`);
  }
  assert.deepEqual(await used(s), { [`sender ${s.practice.sender} 2026-03-02`]: 5 });
  await s.gateway.moveClock(before(0.2));
  await never(async () => s.carriers.only.submits.length > 5, 'one more on the same day', 500);
  await s.gateway.moveClock(before(-2));
  await counted(s, { sent: 8 });
  await pour(s, 4, { phone: inGuam });
  await counted(s, { sent: 10, 'held daily_ceiling': 2 });
  assert.deepEqual(await used(s), {
    [`sender ${s.practice.sender} 2026-03-02`]: 5,
    [`sender ${s.practice.sender} 2026-03-03`]: 5,
  });
});

test("a brand's daily ceiling is its senders' together, in segments", async (t) => {
  const s = await fleet(t, {
    carriers: { only: { link: { window: 50 } } },
    practices: [{ segments: 3 }, {}],
    config: ({ practices: [a, b] }) => ({
      clock: { start: before(300) },
      brands: [{ name: 'elm', daily: 13 }],
      senders: [
        { number: a.sender, daily: 10, brand: 'elm' },
        { number: b.sender, brand: 'elm' },
      ],
    }),
  });
  const [a, b] = s.practices;
  const long = (i) => `Завтра в 9:30, приём номер ${i}. `.padEnd(160, 'ж');
  await pour(s, 5, { body: long, phone: inGuam, key: a.key });
  await counted(s, { sent: 3, 'held daily_ceiling': 2 });
  await pour(s, 6, { phone: inGuam, key: b.key });
  await counted(s, { sent: 4, 'held daily_ceiling': 2 }, 15000, `practice_id = '${b.id}'`);
  assert.deepEqual(await used(s), { 'brand elm 2026-03-02': 13, [`sender ${a.sender} 2026-03-02`]: 9 });
});

test('what a carrier refused does not count for the day', async (t) => {
  const answers = [0x0b, 0x0b, 0x58, 0x0b, 0x58];
  const s = await fleet(t, {
    carriers: { only: { onSubmit: () => ({ status: answers.shift() ?? 0 }) } },
    config: ({ practice: p }) => ({
      clock: { start: before(300) }, // another day by UTC
      brands: [{ name: 'elm', daily: 4 }],
      senders: [{ number: p.sender, brand: 'elm' }],
    }),
  });
  await pour(s, 3, { phone: inGuam });
  await counted(s, { 'failed carrier_rejected': 3 });
  await until(
    async () => (await used(s))['brand elm 2026-03-02'] === 0,
    async () => JSON.stringify(await used(s)),
  );
  await pour(s, 6, { phone: inGuam });
  await counted(s, { 'failed carrier_rejected': 3, sent: 4, 'held daily_ceiling': 2 });
  await until(
    async () => (await used(s))['brand elm 2026-03-02'] === 4,
    async () => JSON.stringify(await used(s)),
  );
  assert.equal(Object.keys(await used(s)).length, 1);
});

test('what is refused leaves its place of the day to another message, though the count is just being changed', async (t) => {
  const s = await fleet(t, {
    carriers: { only: { link: { window: 50 }, onSubmit: () => ({ silent: true }) } },
    config: ({ practice: p }) => ({
      clock: { start: before(300) },
      senders: [{ number: p.sender, daily: 4 }],
    }),
  });
  const { only } = s.carriers;
  await pour(s, 4, { phone: inGuam });
  await until(() => only.submits.length === 4, 'four go');
  const other = await s.db.connect();
  await other.query('BEGIN');
  await other.query('UPDATE smsbridge.ceiling_day SET used = used');
  for (const one of only.submits.slice(0, 2)) only.answer(one, { status: 0x0b });
  await until(
    async () => (await s.db.sql("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length,
    'the refund waits for us',
  );
  await other.query('COMMIT');
  await until(
    async () => Object.values(await used(s))[0] === 2,
    async () => `two are taken off: ${JSON.stringify(await used(s))}`,
  );
  for (const one of only.submits.slice(2)) only.answer(one);
  only.onSubmit = undefined;
  await pour(s, 3, { phone: inGuam });
  await counted(s, { 'failed carrier_rejected': 2, sent: 4, 'held daily_ceiling': 1 });
});

test('two processes share a daily ceiling: exactly so many go', async (t) => {
  const s = await fleet(t, {
    carriers: { only: { link: { window: 20 }, onSubmit: () => ({ silent: true }) } },
    practices: 2,
    config: ({ practices: [a, b] }) => ({
      clock: { start: before(300) },
      brands: [{ name: 'elm', daily: 41 }],
      senders: [
        { number: a.sender, daily: 25, brand: 'elm' },
        { number: b.sender, daily: 25, brand: 'elm' },
      ],
    }),
  });
  const { node, ...config } = s.gateway.config;
  const other = await another(t, s, { carrier: s.carriers.only, config, link: { name: 'only', window: 20 } });
  await other.start();
  await s.carriers.only.bound(2);
  const keys = s.practices.map((p) => p.key);
  await Promise.all([
    ...keys.map((key) => pour(s, 25, { phone: inGuam, key })),
    ...keys.map((key) => pour({ api: other.api }, 25, { phone: inGuam, key })),
  ]);
  const { only } = s.carriers;
  // a window holds 20, so neither can take them all before the first answer
  await until(() => new Set(only.submits.map((x) => x.session)).size === 2, 'both carry');
  only.onSubmit = () => ({ delay: 5 });
  for (const one of [...only.submits]) only.answer(one);
  await counted(s, { sent: 41, 'held daily_ceiling': 59 });
  assert.equal(only.submits.length, 41);
  assert.equal((await used(s))['brand elm 2026-03-02'], 41);
});

test('fairness: ten messages of one practice do not wait behind two thousand of another', async (t) => {
  const s = await fleet(t, { carriers: { only: { link: { rate: 20, window: 50 } } }, practices: 4 });
  const [flood, ...others] = s.practices;
  const { only } = s.carriers;
  const many = await pour(s, 2000, { key: flood.key, phone: everybody });
  await until(() => only.submits.length > 20, 'the flood is on its way');
  const began = Date.now();
  const few = await pour(s, 10, { key: others[0].key });
  await until(() => arrived(only, few).length === 10, 'all ten', 10000);
  const alone = Date.now() - began;
  const rest = await Promise.all(others.slice(1).map((p) => pour(s, 10, { key: p.key })));
  await until(() => arrived(only, rest.flat()).length === 20, 'all twenty', 10000);
  const both = Date.now() - began - alone;
  t.diagnostic(`ten beside a flood took ${alone} ms, twice ten ${both} ms, at 20 a second`);
  assert.ok(alone < 2000 * slow, `ten at half of 20 a second took ${alone} ms`);
  assert.ok(both < 2700 * slow, `twice ten at two thirds of 20 a second took ${both} ms`);
  assert.ok(arrived(only, many).length < 200, 'most of the flood waits');
  const calm = only.submits.filter((x) => x.at > began + 200); // we were too busy before to note times
  heldTo(calm, 20);
  assert.ok(rateOf(calm) > 17 / slow, `the carrier is kept busy: ${rateOf(calm)} of 20 a second`);
});

test('fairness holds for two processes, and nobody waits for a practice whose messages the other took', async (t) => {
  const link = { rate: 10, window: 50 };
  const s = await fleet(t, { carriers: { only: { link } }, practices: 4 });
  const { only } = s.carriers;
  const { node, ...config } = s.gateway.config;
  const other = await another(t, s, { carrier: only, config, link: { name: 'only', ...link } });
  await other.start();
  await only.bound(2);
  const [flood, ...others] = s.practices;
  await pour(s, 300, { key: flood.key, phone: everybody });
  const began = Date.now();
  const few = (await Promise.all(others.map((p) => pour(s, 10, { key: p.key })))).flat();
  await until(() => arrived(only, few).length === 30, 'thirty', 20000);
  const took = Date.now() - began;
  t.diagnostic(`three times ten beside a flood took ${took} ms, at twice 10 a second`);
  assert.ok(took < 3500 * slow, `thirty at three quarters of 20 a second took ${took} ms`);
  assert.ok(rateOf(only.submits) > 16 / slow, `both are kept busy: ${rateOf(only.submits)} of 20 a second`);
  assert.equal(new Set(only.submits.map((x) => x.text)).size, only.submits.length, 'none twice');
});

test('practices whose messages are gone by their turn hold nobody up', async (t) => {
  const s = await fleet(t, {
    carriers: { only: { link: { rate: 6, window: 100, answer_timeout: '1m' }, onSubmit: () => ({ silent: true }) } },
    practices: 16,
  });
  const { only } = s.carriers;
  await Promise.all(s.practices.map((p) => pour(s, 4, { key: p.key })));
  await until(() => only.submits.length >= 20, 'a new round has begun');
  const [last] = s.practices
    .map((p) => p.id)
    .sort()
    .slice(-1);
  const sql =
    "UPDATE smsbridge.message SET status = 'canceled', due_at = NULL WHERE status = 'queued' AND practice_id <> $1";
  await s.db.sql(sql, [last]);
  const began = Date.now();
  await until(() => only.submits.filter((x) => x.at > began).length >= 2, 'those of the last practice go', 20000);
  const took = Date.now() - began;
  assert.ok(took < 1500 * slow, `two at 6 a second took ${took} ms`);
});

/** A fleet whose carriers come up only after the messages are there. */
async function backlog(t, options, fill) {
  const s = await fleet(t, { ...options, start: false });
  for (const c of Object.values(s.carriers)) await c.stop();
  await s.gateway.start();
  const kinds = await fill(s);
  for (const c of Object.values(s.carriers)) {
    await c.start(c.port);
    await c.bound();
  }
  return Object.assign(s, { kinds });
}

/** Where each kind stands in the order of arrival, as text: "uuunnnlll". */
const order = (carrier, kinds) => {
  const kindOf = new Map(Object.entries(kinds).flatMap(([k, list]) => list.map((m) => [m.draft.body, k])));
  return carrier.submits.map((x) => kindOf.get(x.text)).join('');
};

test('priorities: urgent before normal before low, in every practice', async (t) => {
  const s = await backlog(
    t,
    { carriers: { only: { link: { rate: 30, window: 1 } } }, practices: 2 },
    async ({ practices, ...rest }) => {
      const kinds = { l: [], n: [], u: [] };
      for (const [k, priority] of [
        ['l', 'low'],
        ['n', 'normal'],
        ['u', 'urgent'],
      ])
        for (const { key } of practices)
          kinds[k].push(...(await pour({ api: rest.gateway.api }, 8, { priority, key })));
      return kinds;
    },
  );
  await until(() => s.carriers.only.submits.length === 48, 'all go', 20000);
  for (const { sender } of s.practices) {
    const own = s.carriers.only.submits.filter((x) => `+${x.from}` === sender);
    assert.equal(order({ submits: own }, s.kinds), 'uuuuuuuunnnnnnnnllllllll');
  }
});

test('priorities: after ten minutes the lower one is first, after twenty the lowest', async (t) => {
  const at = (minutes) => new Date(Date.parse(NOON) + minutes * 60000).toISOString();
  const s = await backlog(t, { carriers: { only: { link: { rate: 30, window: 1 } } } }, async ({ gateway }) => {
    const on = { api: gateway.api };
    const kinds = { o: await pour(on, 3, { priority: 'low' }) };
    await gateway.moveClock(at(15));
    kinds.l = await pour(on, 3, { priority: 'low' });
    kinds.n = await pour(on, 3, { priority: 'normal' });
    await gateway.moveClock(at(21));
    kinds.u = await pour(on, 3, { priority: 'urgent' });
    await gateway.moveClock(at(26));
    kinds.v = await pour(on, 3, { priority: 'urgent' });
    return kinds;
  });
  await until(() => s.carriers.only.submits.length === 15, 'all go', 20000);
  assert.equal(order(s.carriers.only, s.kinds), 'ooouuunnnvvvlll');
});

test('priorities in the line of a limited sender: urgent ones pass, and hold nobody for good', async (t) => {
  const s = await fleet(t, {
    carriers: { only: { link: { window: 100 } } },
    config: ({ practice: p }) => ({ senders: [{ number: p.sender, rate: 20 }] }),
  });
  const { only } = s.carriers;
  const normal = await pour(s, 120, { phone: everybody });
  const low = await pour(s, 5, { priority: 'low', phone: (i) => everybody(300 + i) });
  const began = Date.now();
  const urgent = await pour(s, 5, { priority: 'urgent', phone: (i) => everybody(400 + i) });
  await until(() => arrived(only, urgent).length === 5, 'the urgent ones go', 10000);
  const took = Date.now() - began;
  t.diagnostic(`5 urgent ones passed a line of 6 s in ${took} ms, at 20 a second`);
  assert.ok(took < 1500 * slow, `${took} ms`);
  assert.equal(arrived(only, low).length, 0);
  normal.push(...(await pour(s, 120, { phone: (i) => everybody(500 + i) })));
  await until(() => arrived(only, low).length, 'a low one goes, too', 20000);
  assert.ok(arrived(only, normal).length < 200, `while normal ones wait: ${arrived(only, normal).length} went`);
  heldTo(
    only.submits.filter((x) => x.at > began + took),
    20,
  );
});

test('what waits for a carrier that is down goes when it is up, not half a minute later', async (t) => {
  const s = await fleet(t, {
    carriers: { own: {}, other: {} },
    config: {
      routes: [
        { carrier: 'own', category: 'lab_results' },
        { carrier: 'other', category: 'prescription' },
      ],
    },
  });
  const { own } = s.carriers;
  await own.stop();
  await until(() => s.gateway.linesOf('link_down').length, 'told');
  const all = await pour(s, 20, { category: 'lab_results' });
  await counted(s, { 'held no_carrier': 20 });
  await goesTo(s, await s.api.accepted({ category: 'prescription' }), 'other');
  await own.start(own.port);
  await own.bound();
  const began = Date.now();
  await until(() => arrived(own, all).length === 20, 'all go');
  assert.ok(Date.now() - began < 3000 * slow, `${Date.now() - began} ms`);
});
