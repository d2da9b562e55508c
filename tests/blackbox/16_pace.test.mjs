// How fast: the rate of a sender, the rate and the window of a link, and what a carrier says that is too much. Carriers
// are npm smpp; times are those at which they had a submit.
import assert from 'node:assert/strict';
import test from 'node:test';
import { arrived, bySecond, counted, everybody, fleet, heldTo, longestGap, pour, rateOf } from './lib/fleet.mjs';
import { slow, until } from './lib/util.mjs';
import { another, world } from './lib/world.mjs';

await world();

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
    assert.ok(rate > (12 * 0.75) / slow, `${rate.toFixed(1)} a second`);
  });

for (const [name, share] of [
  ['both take messages', 30],
  ['one takes them all', 0],
])
  test(`two processes share the rate of a sender: ${name}`, async (t) => {
    const s = await fleet(t, {
      carriers: { only: { link: { window: 50 } } },
      config: ({ practices: [p] }) => ({ senders: [{ number: p.sender, rate: 15 }] }),
    });
    const { only } = s.carriers;
    const { node, ...config } = s.gateway.config;
    const other = await another(t, s, { carrier: only, config, link: { name: 'only', window: 50 } });
    await other.start();
    await only.bound(2);
    const later = '2026-03-02T13:00:00-05:00';
    await Promise.all([s.gateway.moveClock(later), other.moveClock(later)]); // or one lags by its later start
    await Promise.all([pour(s, 60 - share), pour({ api: other.api }, share)]);
    const began = Date.now();
    await until(() => only.submits.length === 60, 'all go', 20000);
    const calm = only.submits.filter((x) => x.at > began);
    t.diagnostic(`${rateOf(only.submits).toFixed(1)} of 15 a second`);
    heldTo(calm, 15);
    assert.ok(rateOf(only.submits) > (15 * 0.75) / slow, `${rateOf(only.submits)} of 15 a second`);
  });

test('two processes are both kept busy, though answers are slow and one is always a little earlier', async (t) => {
  const link = { rate: 20, window: 100, answer_timeout: '1m' };
  const s = await fleet(t, { carriers: { only: { link, onSubmit: () => ({ silent: true }) } } });
  const { only } = s.carriers;
  const { node, ...config } = s.gateway.config;
  const other = await another(t, s, { carrier: only, config, link: { name: 'only', ...link } });
  await other.start();
  await only.bound(2);
  const later = '2026-03-02T13:00:00-05:00';
  await Promise.all([s.gateway.moveClock(later), other.moveClock(later)]); // or one lags by its later start
  await pour(s, 120);
  const began = Date.now();
  await until(() => only.submits.length === 120, 'all go', 20000);
  const calm = only.submits.filter((x) => x.at > began);
  t.diagnostic(`${rateOf(calm).toFixed(1)} of twice 20 a second`);
  assert.ok(rateOf(calm) > 32 / slow, `${rateOf(calm)} of twice 20 a second`);
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
  assert.ok(rateOf(s.carriers.only.submits) > (9 * 0.7) / slow, `${rateOf(s.carriers.only.submits)}`);
});

test('a slow link takes texts of several segments too', async (t) => {
  const s = await fleet(t, { carriers: { only: { link: { rate: 5 } } }, practices: [{ segments: 3 }] });
  await pour(s, 3, { body: (i) => `Завтра в 9:30, приём номер ${i}. `.padEnd(160, 'ж') });
  await until(() => s.carriers.only.submits.length === 9, 'nine parts', 10000);
  heldTo(s.carriers.only.submits, 5, { segments: 3 });
});

test('the rate of a link: one carrier is busy while another is idle', async (t) => {
  const s = await fleet(t, {
    carriers: { busy: { link: { rate: 50, window: 100 } }, idle: {} },
    practices: 2,
    config: {
      routes: [
        { carrier: 'busy', category: 'appointment_reminder' },
        { carrier: 'idle', tier: 2 },
      ],
    },
  });
  const { busy, idle } = s.carriers;
  await pour(s, 300);
  const began = Date.now();
  const other = await pour(s, 20, { category: 'lab_results', key: s.practices[1].key });
  await until(() => arrived(idle, other).length === 20, 'the idle one serves its own', 10000);
  const took = Date.now() - began;
  const urgent = await pour(s, 5, { priority: 'urgent', phone: (i) => everybody(400 + i) });
  await until(() => arrived(busy, urgent).length === 5, 'urgent ones pass', 10000);
  const passed = Date.now() - began - took;
  await until(
    () => busy.submits.length === 305,
    () => `all go, ${busy.submits.length} did`,
    30000,
  );
  t.diagnostic(
    `${rateOf(busy.submits).toFixed(1)} of 50 a second; the others took ${took} ms, urgent ones ${passed} ms`,
  );
  heldTo(
    busy.submits.filter((x) => x.at > began + took + passed),
    50,
  );
  assert.ok(rateOf(busy.submits) > 38 / slow, `${rateOf(busy.submits)} of 50 a second`);
  assert.ok(took < 1500 * slow, `${took} ms`);
  assert.ok(passed < 1500 * slow, `${passed} ms`);
});

for (const window of [1, 10])
  test(`a window of ${window} is kept full while another carrier is idle`, async (t) => {
    const s = await fleet(t, {
      carriers: { busy: { link: { window }, onSubmit: () => ({ delay: 100 }) }, idle: {} },
      config: {
        routes: [
          { carrier: 'busy', category: 'appointment_reminder' },
          { carrier: 'idle', tier: 2 },
        ],
      },
    });
    const { busy } = s.carriers;
    const count = window * 30;
    await pour(s, count);
    await until(
      () => busy.submits.length === count,
      () => `all go, ${busy.submits.length} did`,
      30000,
    );
    const most = window * 10; // a second, at 100 ms an answer
    t.diagnostic(`${rateOf(busy.submits).toFixed(1)} of ${most} a second`);
    assert.ok(rateOf(busy.submits) > (most * 0.5) / slow, `${rateOf(busy.submits)} of ${most} a second`);
  });

for (const [rate, count] of [
  [3, 9],
  [50, 200],
])
  test(`a link of ${rate} a second wakes when it may, not a second later`, async (t) => {
    const s = await fleet(t, { carriers: { only: { link: { rate, window: 20 } } } });
    const { only } = s.carriers;
    await pour(s, count);
    const began = Date.now();
    await until(() => only.submits.length === count, 'all go', 20000);
    const calm = only.submits.filter((x) => x.at >= began);
    t.diagnostic(`${rateOf(calm).toFixed(1)} of ${rate} a second, never silent for ${longestGap(calm)} ms`);
    heldTo(calm, rate);
    assert.ok(rateOf(calm) > (rate * 0.85) / slow, `${rateOf(calm)} of ${rate} a second`);
    assert.ok(longestGap(calm) < 1000 / rate + 300 * slow, `silent for ${longestGap(calm)} ms`);
  });

for (const heeded of [true, false])
  test(`congestion_state ${heeded ? 'slows a link down and stops it; it recovers' : 'is let by when told to'}`, async (t) => {
    let state;
    const s = await fleet(t, {
      carriers: {
        only: {
          link: { rate: 100, window: 50, congestion: heeded },
          onSubmit: () => ({ more: state === undefined ? {} : { congestion_state: state } }),
        },
      },
    });
    const { only } = s.carriers;
    await pour(s, 450);
    await until(() => only.submits.length >= 60, 'it is on its way', 20000);
    const mark = () => only.submits.length;
    state = 100;
    const full = mark();
    await until(() => only.submits.length > full + 1, 'the answer that says full');
    state = undefined;
    await until(() => only.submits.length > full + 60, 'it goes on', 20000);
    const gap = longestGap(only.submits.slice(full));
    assert.equal(gap >= 850, heeded, `full: ${gap} ms`);
    state = 92;
    const slower = mark();
    const began = Date.now();
    await until(() => Date.now() > began + 2500 || only.submits.length === 450, 'three seconds');
    const seconds = bySecond(only.submits.slice(slower));
    state = undefined;
    await until(() => only.submits.length === 450, 'all go', 40000);
    t.diagnostic(
      `full: silent for ${gap} ms; congested: ${seconds} a second; then ${bySecond(only.submits).slice(-4)}`,
    );
    if (heeded) assert.ok(seconds[1] < 70, `slowed down: ${seconds}`);
    else assert.ok(seconds[1] > 80 / slow, `not slowed down: ${seconds}`);
    const last = only.submits.slice(-40);
    assert.ok(rateOf(last) > (heeded ? 40 : 80) / slow, `recovers: ${rateOf(last)}`);
  });

for (const [name, status, least] of [
  ['ESME_RTHROTTLED', 0x58, 250],
  ['ESME_RMSGQFUL', 0x14, 1000],
])
  test(`${name}: the link pauses, goes on at less, and recovers; each message is taken once`, async (t) => {
    let refusing = false;
    const s = await fleet(t, {
      carriers: { only: { link: { rate: 60, window: 30 }, onSubmit: () => ({ status: refusing ? status : 0 }) } },
    });
    const { only } = s.carriers;
    const all = await pour(s, 240);
    await until(() => only.submits.length >= 80, 'it is on its way', 20000);
    refusing = true;
    const at = only.submits.length;
    await until(() => s.gateway.linesOf('link_throttled').length, 'told');
    refusing = false;
    await until(() => only.submits.length > at + 20, 'it goes on', 20000);
    const gap = longestGap(only.submits.slice(at));
    await counted(s, { sent: 240 }, 30000);
    const after = only.submits.slice(at + 10);
    t.diagnostic(`silent for ${gap} ms, then ${bySecond(after)} a second`);
    assert.ok(gap >= least - 20, `silent for ${gap} ms`);
    const [first] = bySecond(after);
    assert.ok(first < 50, `${first} in the first second after`);
    assert.ok(rateOf(only.submits.slice(-30)) > (first + 3) / slow, `recovers: ${bySecond(after)}`);
    for (const m of all) {
      const taken = arrived(only, [m]).filter((x) => x.status === 0);
      assert.equal(taken.length, 1, 'taken once');
    }
  });
