// Which message goes where and when: routes, weights and failover, rates, daily ceilings, fairness, priorities; and what
// a submit says by the carrier's rows. Carriers are npm smpp, or played by hand where octets matter.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Carrier } from './lib/carrier.mjs';
import { arrived, becomes, counted, counts, fleet, mostWithin, pour, rateOf } from './lib/fleet.mjs';
import { NOON } from './lib/gateway.mjs';
import { never, nextPhone, slow, until } from './lib/util.mjs';
import { atEnd, world } from './lib/world.mjs';

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
    config: { routes: [{ carrier: 'mute', category: 'lab_results' }, { carrier: 'well', tier: 2 }] },
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

/** Never above rate and burst in any stretch; a tenth of a second is how late we may read. */
function heldTo(submits, rate, { burst = 1 + rate / 10, segments = 1 } = {}) {
  const times = submits.map((x) => x.at);
  for (const ms of [500, 1000, 2000, 4000]) {
    const most = (rate * (ms + 100)) / 1000 + burst + segments - 1;
    const got = mostWithin(times, ms);
    assert.ok(got <= most, `${got} within ${ms} ms; ${rate} a second allow ${most.toFixed(1)}`);
  }
}

for (const delay of [0, 700])
  test(`the rate of a sender, answers after ${delay} ms: its backlog does not slow another sender`, async (t) => {
    const s = await fleet(t, {
      carriers: { only: { link: { window: 200 }, onSubmit: () => ({ delay }) } },
      practices: 2,
      config: ({ practices: [first] }) => ({ senders: [{ number: first.sender, rate: 12 }] }),
    });
    const [slowOnes, freeOnes] = s.practices;
    const limited = await pour(s, 60, { key: slowOnes.key });
    const began = Date.now();
    const free = await pour(s, 100, { key: freeOnes.key });
    await until(() => arrived(s.carriers.only, free).length === 100, 'the free ones go', 20000);
    const took = Date.now() - began;
    assert.ok(took < 3000 * slow, `100 of a free sender took ${took} ms`);
    assert.ok(arrived(s.carriers.only, limited).length < 60, 'while the limited one has a backlog');
    await counted(s, { sent: 160 }, 30000);
    const at = arrived(s.carriers.only, limited);
    heldTo(at, 12);
    const rate = rateOf(at);
    t.diagnostic(`${rate.toFixed(1)} a second of 12; the others took ${took} ms`);
    assert.ok(rate > 12 * 0.75 || slow > 1, `${rate.toFixed(1)} a second`);
  });

test('the rate of a sender counts segments', async (t) => {
  const s = await fleet(t, {
    carriers: { only: { link: { window: 200 } } },
    practices: [{ segments: 3 }],
    config: ({ practices: [p] }) => ({ senders: [{ number: p.sender, rate: 9 }] }),
  });
  const long = (i) => `Завтра в 9:30, приём номер ${i}. `.padEnd(160, 'ж');
  await pour(s, 10, { body: long });
  await until(() => s.carriers.only.submits.length === 30, 'each in three parts', 20000);
  heldTo(s.carriers.only.submits, 9, { segments: 3 });
  assert.ok(rateOf(s.carriers.only.submits) > 9 * 0.7 || slow > 1, `${rateOf(s.carriers.only.submits)}`);
});

test('a slow link takes texts of several segments too', async (t) => {
  const s = await fleet(t, { carriers: { only: { link: { rate: 5 } } }, practices: [{ segments: 3 }] });
  await pour(s, 3, { body: (i) => `Завтра в 9:30, приём номер ${i}. `.padEnd(160, 'ж') });
  await until(() => s.carriers.only.submits.length === 9, 'nine parts', 10000);
  heldTo(s.carriers.only.submits, 5, { segments: 3 });
});
