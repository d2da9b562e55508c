// What carriers say afterwards, and in codes of their own: npm smpp plays the carrier.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Api } from './lib/api.mjs';
import { Carrier } from './lib/carrier.mjs';
import { another, practice, setup, world } from './lib/world.mjs';
import { binary, must, never, nextPhone, run, until } from './lib/util.mjs';

await world();

const becomes = (s, id, wanted, reason, ms) =>
  until(
    async () => {
      const m = await s.api.message(id);
      return m.status === wanted && (!reason || m.reason?.code === reason) && m;
    },
    async () => `${wanted} ${reason ?? ''}, is ${JSON.stringify(await s.api.message(id))}`,
    ms,
  );
const stays = (s, id, wanted, ms = 400) =>
  never(async () => (await s.db.message(id)).status !== wanted, `left ${wanted}`, ms);
const types = async (s, id) => (await s.db.events(id)).map((e) => e.type);
const told = (s, type) => s.db.sql('SELECT * FROM smsbridge.event WHERE type = $1 ORDER BY xact, id', [type]);
const smsbridge = async (s, ...args) =>
  JSON.parse((await must(binary, [...args, '--database', s.db.owner, '--json'])).stdout);
const noViolations = async (s) => assert.deepEqual(await smsbridge(s, 'report', 'violations'), []);

const sent = async (s, fields) => {
  const m = await s.api.accepted(fields);
  const submit = await s.carrier.got(m.draft);
  await becomes(s, m.id, 'sent');
  return { ...m, submit };
};
/** Sent, and then refused by a receipt with that code. */
const refused = async (s, err, fields, more) => {
  const m = await sent(s, fields);
  const answer = await s.carrier.receipt(m.submit, { stat: 'REJECTD', err, ...more });
  assert.equal(answer.command_status, 0);
  return m;
};
// --- words ----------------------------------------------------------------------------------------------------------

test('trap 44: opted out at the carrier is an opt-out here: waiting texts are canceled, nobody is texted', async (t) => {
  const s = await setup(t, { link: { error_codes: 'bandwidth' }, hooks: null });
  const phone = nextPhone();
  const m = await sent(s, { phone });
  const later = await s.api.accepted({ phone, send_at: '2026-03-05T12:00:00-05:00' });
  const other = await s.api.accepted({ send_at: '2026-03-05T12:00:00-05:00' });
  await s.carrier.receipt(m.submit, { stat: 'REJECTD', err: '4775' });
  const shown = await becomes(s, m.id, 'undelivered', 'carrier_opted_out');
  assert.match(shown.reason.citation, /64\.1200/);
  await becomes(s, later.id, 'canceled', 'canceled_by_opt_out');
  const [row] = await s.db.sql('SELECT * FROM smsbridge.opt_out');
  assert.deepEqual(
    [row.practice_id, row.phone, row.method, row.word, row.lifted_at],
    [s.practice.id, phone, 'carrier', '4775', null],
  );
  const next = await s.api.accepted({ phone });
  await becomes(s, next.id, 'blocked', 'opted_out');
  const { body: post } = await s.hooks.got('opt_out.created');
  assert.equal(post.data.message_id, m.id);
  assert.equal(post.data.patient, m.draft.patient);
  assert.equal(post.data.keyword, '4775');
  await t.test('the same word again is no second opt-out', async () => {
    await s.carrier.receipt(m.submit, { stat: 'REJECTD', err: '4775' });
    assert.equal((await told(s, 'opt_out.created')).length, 1);
    assert.equal((await s.db.sql('SELECT FROM smsbridge.opt_out')).length, 1);
  });
  assert.equal(s.carrier.to(phone).length, 1, 'no confirmation is sent');
  assert.equal((await s.db.message(other.id)).status, 'scheduled', 'others wait on');
  assert.equal(await s.gateway.metric('smsbridge_optouts_total', { method: 'carrier' }), 1);
  await t.test('START lifts it; a refusal of what went before START does not bring it back', async () => {
    await s.carrier.mo(phone, s.practice.sender, 'START');
    await until(async () => (await told(s, 'opt_out.lifted')).length === 1, 'lifted');
    const before = await s.db.message(m.id);
    assert.ok(before.counted_at);
    await s.carrier.receipt(m.submit, { stat: 'UNDELIV', err: '4775' });
    await never(async () => (await told(s, 'opt_out.created')).length > 1, 'opted out again', 300);
  });
  await noViolations(s);
});

test('opted out while other texts to the phone are claimed: none goes after the opt-out', async (t) => {
  // as in a campaign: many phones, each with a text on its way and more that wait, refused all at once
  const s = await setup(t, { link: { error_codes: 'telnyx', window: 50 } });
  const phones = Array.from({ length: 40 }, () => nextPhone());
  const first = await Promise.all(phones.map((phone) => sent(s, { phone })));
  const waiting = await Promise.all(
    phones.map((phone) => s.api.accepted({ phone, send_at: '2026-03-04T12:00:00-05:00' })),
  );
  await Promise.all(first.map((m) => s.carrier.receipt(m.submit, { stat: 'UNDELIV', err: '40300' })));
  for (const m of waiting) await becomes(s, m.id, 'canceled', 'canceled_by_opt_out');
  assert.equal((await told(s, 'opt_out.created')).length, 40);
  assert.equal(s.carrier.submits.length, 40);
  await noViolations(s);
});

test('two gateways hear the same refusals and STOPs in other orders: each is recorded once, nobody waits for ever', async (t) => {
  const s = await setup(t, { link: { error_codes: 'bandwidth', window: 100 } });
  const g = await another(t, s, { link: { error_codes: 'bandwidth', window: 100 } });
  await g.start();
  await s.carrier.bound(2);
  const [one, two] = [...s.carrier.sessions];
  const all = await Promise.all(Array.from({ length: 60 }, () => sent(s)));
  const refuse = (m, session) => s.carrier.receipt(m.submit, { stat: 'REJECTD', err: '4775', session });
  const stop = (m, session) =>
    s.carrier.deliver(
      { source_addr: m.draft.phone, destination_addr: s.practice.sender, short_message: 'STOP' },
      session,
    );
  await Promise.all([
    ...all.map((m) => refuse(m, one)),
    ...[...all].reverse().map((m) => refuse(m, two)),
    ...all.filter((_, i) => i % 3 === 0).map((m) => stop(m, two)),
    ...[...all]
      .reverse()
      .filter((_, i) => i % 4 === 0)
      .map((m) => stop(m, one)),
  ]);
  for (const m of all) await becomes(s, m.id, 'undelivered');
  assert.equal((await s.db.sql('SELECT FROM smsbridge.opt_out WHERE lifted_at IS NULL')).length, 60);
  assert.equal((await told(s, 'opt_out.created')).length, 60);
  const failed = [...s.gateway.linesOf('store_statement_failed'), ...g.linesOf('store_statement_failed')];
  assert.deepEqual(failed, [], 'no deadlock');
  await noViolations(s);
});

test('a dead number is flagged: nothing goes until a text, a delivered receipt or somebody clears it', async (t) => {
  const s = await setup(t, { link: { error_codes: 'sinch' }, hooks: null });
  const flags = () => s.db.sql('SELECT * FROM smsbridge.phone_flag');
  const flag = async (phone) => {
    const m = await refused(s, '300', { phone });
    await becomes(s, m.id, 'undelivered', 'number_dead');
    return m;
  };
  const phone = nextPhone();
  const m = await flag(phone);
  const next = await s.api.accepted({ phone });
  const shown = await becomes(s, next.id, 'blocked', 'number_dead');
  assert.match(shown.reason.sentence, /not in use/);
  const { body: post } = await s.hooks.got('phone.flagged');
  assert.deepEqual([post.data.message_id, post.data.patient, post.data.reason], [m.id, m.draft.patient, 'number_dead']);
  assert.match(post.data.phone, /^\+1\*{6}\d{4}$/);
  const story = await must(binary, ['explain', next.id, '--database', s.db.owner]);
  assert.match(story.stdout, /64\.1200\(m\)/);
  await t.test('the command lists and clears it', async () => {
    const [row] = await smsbridge(s, 'phone', 'list', '--practice', s.practice.id);
    assert.deepEqual([row.phone, row.kind, row.code], [`+1******${phone.slice(-4)}`, 'dead', '300']);
    const none = await run(binary, ['phone', 'clear', '--phone', phone, '--database', s.db.owner]);
    assert.equal(none.code, 2, 'whose phone');
    await smsbridge(s, 'phone', 'clear', '--practice', s.practice.id, '--phone', phone);
    assert.deepEqual(await flags(), []);
    const again = await run(binary, [
      ...['phone', 'clear', '--practice', s.practice.id, '--phone', phone],
      ...['--database', s.db.owner],
    ]);
    assert.equal(again.code, 1);
  });
  await t.test('a text from it clears it', async () => {
    const texts = nextPhone();
    await flag(texts);
    await s.carrier.mo(texts, s.practice.sender, 'who is this');
    assert.deepEqual(await flags(), []);
  });
  await t.test('a delivered receipt clears it', async () => {
    const reached = nextPhone();
    const open = await sent(s, { phone: reached });
    const other = await s.api.post('/v1/messages', Api.draft({ phone: reached }));
    assert.equal(other.status, 202); // waits for the day's cap
    await s.db.sql(
      `INSERT INTO smsbridge.phone_flag (practice_id, phone, kind, sender, carrier, code, message_id, since)
       VALUES ($1, $2, 'dead', '', 'test', '300', $3, '2026-03-02')`,
      [s.practice.id, reached, open.id],
    );
    await s.carrier.receipt(open.submit);
    await becomes(s, open.id, 'delivered');
    assert.deepEqual(await flags(), []);
  });
  const by = (await told(s, 'phone.cleared')).map((e) => e.data.by).sort();
  assert.deepEqual(by, ['operator', 'receipt', 'text']);
  await noViolations(s);
});

test('a blocked pair: this phone and this number only', async (t) => {
  const s = await setup(t, { link: { error_codes: 'bandwidth' } });
  const phone = nextPhone();
  const m = await refused(s, '4772', { phone });
  await becomes(s, m.id, 'undelivered', 'number_blocked');
  const next = await s.api.accepted({ phone });
  await becomes(s, next.id, 'blocked', 'number_blocked');
  const oak = await practice(s.db, { name: 'Oak Street Clinic' });
  const draft = Api.draft({ phone });
  assert.equal((await s.api.post('/v1/messages', draft, { key: oak.key })).status, 202);
  await s.carrier.got(draft);
});

test('trap 44: spam stops the words, not the practice, until somebody clears them; it is an alarm', async (t) => {
  const s = await setup(t, { link: { error_codes: 'twilio' }, hooks: null });
  const words = (n) => `Elm Street: flu shots on March ${n} at ${n}:30, call 212-555-01${n}. Reply STOP to end.`;
  const m = await refused(s, '30007', { body: words(11) });
  await becomes(s, m.id, 'undelivered', 'carrier_spam');
  const same = await s.api.accepted({ body: words(12).toUpperCase() });
  await becomes(s, same.id, 'blocked', 'carrier_spam');
  const fine = await s.api.accepted();
  await s.carrier.got(fine.draft);
  const { body: post } = await s.hooks.got('content.stopped');
  assert.equal(post.data.message_id, m.id);
  assert.equal(s.gateway.linesOf('carrier_stops_content').length, 1);
  assert.equal(await s.gateway.metric('smsbridge_carrier_words_total', { carrier: 'test', word: 'spam' }), 1);
  const [row] = await smsbridge(s, 'content', 'list');
  const [{ data }] = await told(s, 'content.stopped');
  assert.equal(row.content, data.content);
  await smsbridge(s, 'content', 'clear', '--practice', s.practice.id, '--content', row.content);
  const again = await s.api.accepted({ body: words(13) });
  await s.carrier.got(again.draft);
  assert.equal((await s.db.message(same.id)).status, 'blocked');
});

test("trap 44: the carrier's daily cap: back to held until midnight Pacific, and so are the others", async (t) => {
  const s = await setup(t, { link: { error_codes: 'bandwidth' }, hooks: null });
  const reset = '2026-03-03T08:00:00.000Z';
  const m = await sent(s);
  const unknown = await sent(s);
  await s.carrier.receipt(m.submit, { stat: 'REJECTD', err: '4780' });
  await becomes(s, m.id, 'held', 'carrier_daily_cap');
  const row = await s.db.message(m.id);
  assert.deepEqual(
    [row.due_at.toISOString(), row.counted_at, row.attempts, row.carrier_message_id],
    [reset, null, 1, null],
  );
  const { body: post } = await s.hooks.got('message.held', (data) => data.message_id === m.id);
  assert.equal(post.data.reason, 'carrier_daily_cap');
  assert.equal(new Date(post.data.due_at).toISOString(), reset);
  const other = await s.api.accepted();
  await becomes(s, other.id, 'held', 'carrier_daily_cap');
  // quiet hours begin before the carrier's day ends: eight in the morning, New York
  assert.equal((await s.db.message(other.id)).due_at.toISOString(), '2026-03-03T13:00:00.000Z');
  await t.test('the carrier says it again, and of an older text: nothing moves twice', async () => {
    await s.carrier.receipt(m.submit, { stat: 'REJECTD', err: '4780' });
    await s.carrier.receipt(unknown.submit);
    await becomes(s, unknown.id, 'delivered');
    assert.equal((await s.db.message(m.id)).attempts, 1);
    assert.equal((await types(s, m.id)).filter((e) => e === 'message.requeued').length, 1);
    assert.equal((await told(s, 'sender.held')).length, 1);
  });
  await never(() => s.carrier.submits.length > 2, 'sent on the same day', 300);
  await s.gateway.moveClock('2026-03-03T09:00:00-05:00');
  await until(() => s.carrier.of(m.draft.body).length === 2, 'it goes on the next day');
  await s.carrier.got(other.draft);
  await becomes(s, m.id, 'sent');
  await t.test('trap 23: receipts of the first try, late, do not touch the second', async () => {
    await s.carrier.receipt(m.submit, { stat: 'REJECTD', err: '4780' });
    await s.carrier.receipt(m.submit, { stat: 'UNDELIV', err: '000' });
    await stays(s, m.id, 'sent');
    await s.carrier.receipt(s.carrier.of(m.draft.body)[1]);
    await becomes(s, m.id, 'delivered');
  });
  const [kept] = await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.receipt');
  assert.equal(kept.n, 0, 'every receipt found its attempt');
  await noViolations(s);
});

test('daily cap, but it was delivered: it is not sent again', async (t) => {
  const s = await setup(t, { link: { error_codes: 'infobip' } });
  const m = await refused(s, '542');
  await becomes(s, m.id, 'held', 'carrier_daily_cap');
  await s.carrier.receipt(m.submit);
  await becomes(s, m.id, 'delivered');
  await s.gateway.moveClock('2026-03-03T12:00:00-05:00');
  await never(() => s.carrier.submits.length > 1, 'sent again', 500);
});

test('a rate: the sender waits a minute', async (t) => {
  const s = await setup(t, { link: { error_codes: 'bird' } });
  const m = await refused(s, '107');
  await becomes(s, m.id, 'held', 'carrier_rate');
  const other = await s.api.accepted();
  await becomes(s, other.id, 'held', 'carrier_rate');
  const oak = await practice(s.db, { name: 'Oak Street Clinic' });
  const draft = Api.draft();
  assert.equal((await s.api.post('/v1/messages', draft, { key: oak.key })).status, 202);
  await s.carrier.got(draft); // another number of ours
  await s.gateway.moveClock('2026-03-02T12:03:00-05:00');
  await until(() => s.carrier.of(m.draft.body).length === 2, 'after the minute');
  await s.carrier.got(other.draft);
  await noViolations(s);
});

test('trap 44: registration stops the sender until somebody clears it; it is an alarm', async (t) => {
  const s = await setup(t, { link: { error_codes: 'telnyx' } });
  const m = await refused(s, '40010');
  await becomes(s, m.id, 'undelivered', 'carrier_registration');
  const waits = await s.api.accepted();
  const shown = await becomes(s, waits.id, 'held', 'sender_stopped');
  assert.equal(shown.due_at, shown.expires_at);
  assert.equal(s.gateway.linesOf('carrier_stops_sender').length, 1);
  await s.gateway.moveClock('2026-03-03T12:00:00-05:00');
  await never(() => s.carrier.submits.length > 1, 'sent by itself', 400);
  const [row] = await smsbridge(s, 'sender', 'list');
  assert.deepEqual(
    [row.sender, row.carrier, row.reason, row.until_at],
    [s.practice.sender, 'test', 'sender_stopped', null],
  );
  await smsbridge(s, 'sender', 'clear', '--sender', s.practice.sender);
  await s.carrier.got(waits.draft);
  await becomes(s, waits.id, 'sent');
  assert.equal((await told(s, 'sender.cleared')).length, 1);
});

test('a sender that one carrier holds goes by the other', async (t) => {
  const s = await setup(t, { link: { error_codes: 'bandwidth' }, start: false });
  const west = await new Carrier().start();
  t.after(() => west.stop());
  s.gateway.config.carriers.push(s.gateway.carrierConfig({ name: 'west', port: west.port, error_codes: 'bandwidth' }));
  await s.gateway.start();
  await s.carrier.bound();
  await west.bound();
  await s.db.sql(
    `INSERT INTO smsbridge.sender_hold (sender, carrier, reason, until_at, code, practice_id, since)
     VALUES ($1, 'test', 'carrier_daily_cap', '2026-03-03T08:00:00Z', '4780', $2, '2026-03-02T17:00:00Z')`,
    [s.practice.sender, s.practice.id],
  );
  for (let i = 0; i < 6; i++) await west.got((await s.api.accepted()).draft);
  assert.equal(s.carrier.submits.length, 0);
});

test('the carrier does not know: unconfirmed, and not sent again', async (t) => {
  const s = await setup(t, { link: { error_codes: 'bandwidth' } });
  const m = await refused(s, '9902', {}, { stat: 'UNDELIV' });
  await becomes(s, m.id, 'unconfirmed', 'receipt_unknown');
  assert.ok((await s.db.message(m.id)).counted_at, 'counts');
  await never(() => s.carrier.submits.length > 1, 'sent again', 300);
});

test("a code without a row, another vendor's code and no profile: the state alone speaks", async (t) => {
  const s = await setup(t, { link: { error_codes: 'sinch' } });
  for (const err of ['4775', '123', '000']) {
    const m = await refused(s, err);
    await becomes(s, m.id, 'undelivered', 'receipt_rejected');
  }
  const plain = await setup(t);
  const m = await refused(plain, '4775');
  await becomes(plain, m.id, 'undelivered', 'receipt_rejected');
  assert.deepEqual(await plain.db.sql('SELECT FROM smsbridge.opt_out'), []);
});

test('trap 34: a code beside DELIVRD is detail', async (t) => {
  const s = await setup(t, { link: { error_codes: 'bandwidth' } });
  for (const stat of ['DELIVRD', 'ENROUTE']) {
    const m = await sent(s);
    await s.carrier.receipt(m.submit, { stat, err: '4775' });
    await becomes(s, m.id, stat === 'DELIVRD' ? 'delivered' : 'sent');
  }
  assert.deepEqual(await s.db.sql('SELECT FROM smsbridge.opt_out'), []);
});

test('trap 44: a submit answered with C3 or C4 stops the sender', async (t) => {
  for (const status of [0xc3, 0xc4]) {
    const s = await setup(t, { link: { error_codes: 'sinch' }, carrier: { onSubmit: () => ({ status }) } });
    const m = await s.api.accepted();
    await becomes(s, m.id, 'failed', 'carrier_registration');
    assert.equal((await s.db.message(m.id)).counted_at, null, 'it never left');
    const next = await s.api.accepted();
    await becomes(s, next.id, 'held', 'sender_stopped');
    assert.equal(s.carrier.submits.length, 1);
  }
});

test('trap 20: a status without a row is tried a few times, and its number is kept', async (t) => {
  const s = await setup(t, {
    carrier: { onSubmit: () => ({ status: 0x435 }) },
    config: { clock: { start: '2026-03-02T12:00:00-05:00', rate: 600 } },
  });
  const m = await s.api.accepted();
  await becomes(s, m.id, 'failed', 'attempts_exhausted', 60000);
  assert.equal(s.carrier.submits.length, 8);
  const row = await s.db.message(m.id);
  assert.deepEqual([row.attempts, row.refusals], [8, 8]);
  const [, , event] = await s.db.events(m.id);
  assert.match(event.data.command_status, /00000435/);
});

// --- receipts and messages ------------------------------------------------------------------------------------------

const kept = async (s) => (await s.db.sql('SELECT * FROM smsbridge.receipt')).length;
const replies = async (s) => (await s.db.sql('SELECT * FROM smsbridge.inbound')).length;
/** A receipt as deliver_sm, with any fields on top. */
const deliver = (s, submit, text, more = {}, session = undefined) =>
  s.carrier.deliver(
    {
      esm_class: 4,
      source_addr: submit.to,
      destination_addr: submit.from,
      source_addr_ton: 1,
      dest_addr_ton: 1,
      short_message: text,
      ...more,
    },
    session ?? s.carrier.session,
  );
const bothSides = async (s) => {
  const oak = await practice(s.db, { name: 'Oak Street Clinic' });
  return async (phone) => {
    const draft = Api.draft({ phone });
    const answer = await s.api.post('/v1/messages', draft, { key: oak.key });
    assert.equal(answer.status, 202);
    const submit = await s.carrier.got(draft);
    const id = answer.json.id;
    await until(async () => (await s.db.message(id)).status === 'sent', 'sent');
    return { id, draft, submit };
  };
};

test('trap 27: how a carrier spells its ids is learned, kept, shown, and decides between two messages', async (t) => {
  let number = 0x1a2b3c00;
  const ids = [];
  const s = await setup(t, { carrier: { onSubmit: () => ({ id: ids.shift() ?? (number++).toString(16) }) } });
  const decimal = (id) => String(parseInt(id, 16)).padStart(10, '0');
  for (let i = 0; i < 12; i++) {
    const m = await sent(s);
    await s.carrier.receipt(m.submit, { id: decimal(m.submit.id) });
    await becomes(s, m.id, 'delivered');
  }
  const report = async () =>
    (await smsbridge(s, 'report', 'carriers')).map((r) => [r.carrier, r.how, r.answer, r.receipt, r.count].join(' '));
  await until(async () => (await report()).includes('test dec_hex hex decimal 12'), report);
  const labels = { carrier: 'test', how: 'dec_hex' };
  assert.equal(await s.gateway.metric('smsbridge_receipt_matches_total', labels), 12);
  for (const run of ['as it was learned', 'by a process that only read it']) {
    await t.test(`${run}: "10" is the message "a"`, async () => {
      const other = await bothSides(s);
      ids.push('a', '10');
      const one = await sent(s);
      const two = await other(one.draft.phone);
      await deliver(s, one.submit, 'id:10 stat:UNDELIV err:000');
      await becomes(s, one.id, 'undelivered');
      assert.equal((await s.db.message(two.id)).status, 'sent');
      await deliver(s, two.submit, 'id:16 stat:DELIVRD err:000');
      await until(async () => (await s.db.message(two.id)).status === 'delivered', 'the second has the second');
    });
    if (run === 'as it was learned') {
      await s.gateway.stop();
      await s.gateway.start();
      await s.carrier.bound();
      await s.gateway.moveClock('2026-03-03T12:00:00-05:00');
    }
  }
});

test('trap 33: what a carrier delivers again is counted, and told once', async (t) => {
  const s = await setup(t);
  const m = await sent(s);
  for (const stat of [
    'ENROUTE',
    'ENROUTE',
    'ENROUTE',
    'ACCEPTD',
    'ENROUTE',
    'DELIVRD',
    'DELIVRD',
    'UNDELIV',
    'UNDELIV',
  ])
    assert.equal((await s.carrier.receipt(m.submit, { stat })).command_status, 0);
  await becomes(s, m.id, 'delivered');
  const words = (await s.db.events(m.id)).filter((e) => e.data?.state).map((e) => `${e.type} ${e.data.state}`);
  assert.deepEqual(words, [
    'message.news ENROUTE',
    'message.news ACCEPTED',
    'message.delivered DELIVERED',
    'message.news UNDELIVERABLE',
  ]);
  const counted = (result) => s.gateway.metric('smsbridge_receipts_total', { carrier: 'test', result });
  assert.equal(await counted('repeated'), 5);
  assert.equal(await counted('pending'), 2);
});

test('trap 34: ACCEPTD, ENROUTE and BUFFRED first, DELIVRD later, never the reverse', async (t) => {
  const s = await setup(t);
  const m = await sent(s);
  for (const stat of ['ACCEPTD', 'ENROUTE', 'BUFFRED', 'SCHEDLD', 'WHATEVR']) {
    await deliver(s, m.submit, `id:${m.submit.id} sub:001 dlvrd:000 stat:${stat} err:000 text:`);
    assert.equal((await s.db.message(m.id)).status, 'sent', stat);
  }
  await s.carrier.receipt(m.submit);
  await becomes(s, m.id, 'delivered');
  await s.carrier.receipt(m.submit, { stat: 'ACCEPTD' });
  await stays(s, m.id, 'delivered');
});

test('trap 28: TLV and text that disagree are counted', async (t) => {
  const s = await setup(t);
  const m = await sent(s);
  await deliver(s, m.submit, `id:${m.submit.id} stat:DELIVRD err:000`, {
    receipted_message_id: m.submit.id,
    message_state: 5,
  });
  await becomes(s, m.id, 'undelivered', 'receipt_failed');
  assert.equal(await s.gateway.metric('smsbridge_receipts_odd_total', { carrier: 'test', what: 'conflict' }), 1);
});

test('trap 25: a receipt on one link before the answer on another', async (t) => {
  const s = await setup(t, { link: { links: 2 }, carrier: { onSubmit: () => ({ silent: true }) } });
  await s.carrier.bound(2);
  const m = await s.api.accepted();
  const submit = await s.carrier.got(m.draft);
  submit.id = 'early-2';
  const other = [...s.carrier.sessions].find((x) => x !== submit.session);
  assert.equal((await s.carrier.receipt(submit, { session: other })).command_status, 0);
  assert.equal(await kept(s), 1);
  s.carrier.answer(submit);
  await becomes(s, m.id, 'delivered');
  assert.equal(await kept(s), 0);
});

test('ids that a carrier uses again: the newest message to that phone, and not one of long ago', async (t) => {
  let silent = false;
  const s = await setup(t, { carrier: { onSubmit: () => (silent ? { silent } : { id: 'r1' }) } });
  const first = await sent(s);
  await s.carrier.receipt(first.submit);
  await becomes(s, first.id, 'delivered');
  await t.test('another phone, the receipt before its answer', async () => {
    silent = true;
    const m = await s.api.accepted();
    const submit = await s.carrier.got(m.draft);
    submit.id = 'r1';
    await s.carrier.receipt(submit, { stat: 'UNDELIV' });
    assert.equal(await kept(s), 1, 'it is not the old message’s');
    s.carrier.answer(submit);
    await becomes(s, m.id, 'undelivered');
    assert.deepEqual((await types(s, first.id)).at(-1), 'message.delivered');
    silent = false;
  });
  await t.test('the same phone, later', async () => {
    await s.gateway.moveClock('2026-03-04T12:00:00-05:00');
    const again = await sent(s, { phone: first.draft.phone, patient: first.draft.patient });
    await s.carrier.receipt(again.submit, { stat: 'EXPIRED' });
    await becomes(s, again.id, 'expired');
    assert.equal((await s.db.message(first.id)).status, 'delivered');
  });
  await t.test('the same phone, weeks later, and nothing newer: kept', async () => {
    await s.gateway.moveClock('2026-03-30T12:00:00-04:00');
    await s.carrier.receipt(first.submit);
    assert.equal(await kept(s), 1);
  });
});

test('trap 30: receipts without their flag, where the carrier forgets it', async (t) => {
  let silent = false;
  const s = await setup(t, {
    link: { receipts_unflagged: true },
    carrier: { onSubmit: () => (silent ? { silent } : {}) },
  });
  const text = (id) =>
    `id:${id} sub:001 dlvrd:001 submit date:2603021200 done date:2603021201 stat:DELIVRD err:000 text:`;
  await t.test('one that fits', async () => {
    const m = await sent(s);
    await deliver(s, m.submit, text(m.submit.id), { esm_class: 0 });
    await becomes(s, m.id, 'delivered');
    assert.equal(await replies(s), 0);
  });
  await t.test('one that fits nothing is what a patient wrote', async () => {
    const phone = nextPhone();
    const answer = await s.carrier.mo(phone, s.practice.sender, text('unheard-of'));
    assert.equal(answer.command_status, 0);
    assert.equal(await replies(s), 1);
    assert.equal(await kept(s), 0);
    assert.equal(await s.gateway.metric('smsbridge_receipts_odd_total', { what: 'no_receipt' }), 1);
  });
  await t.test('one before its answer is kept, since a submit is open between its addresses', async () => {
    silent = true;
    const m = await s.api.accepted();
    const submit = await s.carrier.got(m.draft);
    submit.id = 'unflagged-early';
    await deliver(s, submit, text(submit.id), { esm_class: 0 });
    assert.equal(await kept(s), 1);
    s.carrier.answer(submit);
    await becomes(s, m.id, 'delivered');
    assert.equal(await replies(s), 1);
  });
  await t.test('STOP is STOP', async () => {
    await s.carrier.mo(nextPhone(), s.practice.sender, 'STOP');
    assert.equal((await told(s, 'opt_out.created')).length, 1);
  });
  await t.test('without the option it is a text, whatever it says', async () => {
    const plain = await setup(t);
    const m = await sent(plain);
    await deliver(plain, m.submit, text(m.submit.id), { esm_class: 0 });
    await stays(plain, m.id, 'sent');
    assert.equal(await replies(plain), 1);
  });
});

test('trap 35: addresses not swapped, or written another way', async (t) => {
  const s = await setup(t, {
    link: { answer_timeout: '400ms' },
    carrier: { onSubmit: (x) => (/silent/.test(x.text) ? { silent: true } : {}) },
  });
  const write = [
    ['not swapped', (x) => ({ source_addr: x.from, destination_addr: x.to })],
    ['with 00 before', (x) => ({ source_addr: `00${x.to}`, destination_addr: `00${x.from}` })],
    ['ten digits', (x) => ({ source_addr: x.to.slice(-10), destination_addr: x.from.slice(-10) })],
    ['a name instead', (x) => ({ source_addr: 'CARRIER', source_addr_ton: 5, destination_addr: x.from })],
  ];
  for (const [name, addresses] of write) {
    await t.test(`by id: ${name}`, async () => {
      const m = await sent(s);
      await deliver(s, m.submit, `id:${m.submit.id} stat:DELIVRD err:000`, addresses(m.submit));
      await becomes(s, m.id, 'delivered');
    });
  }
  for (const [name, addresses] of write.slice(0, 3)) {
    await t.test(`by address, when the answer never came: ${name}`, async () => {
      const m = await s.api.accepted({ body: `silent ${nextPhone()}. Reply STOP to end.` });
      const submit = await s.carrier.got(m.draft);
      await becomes(s, m.id, 'uncertain');
      await deliver(s, submit, 'id:nobody-told-us stat:DELIVRD err:000', addresses(submit));
      await becomes(s, m.id, 'delivered');
    });
  }
});

test('user_message_reference tells which uncertain message a receipt is of', async (t) => {
  const s = await setup(t, {
    link: { user_message_reference: true, answer_timeout: '400ms' },
    carrier: { onSubmit: () => ({ silent: true }) },
  });
  const phone = nextPhone();
  const uncertain = async () => {
    const m = await s.api.accepted({ phone });
    const submit = await s.carrier.got(m.draft);
    await becomes(s, m.id, 'uncertain');
    return { ...m, submit, reference: submit.pdu.user_message_reference };
  };
  const one = await uncertain();
  assert.equal(one.reference, parseInt(one.id.slice(-4), 16) || 1);
  await s.gateway.moveClock('2026-03-04T12:00:00-05:00');
  const two = await uncertain();
  await t.test('without it, two messages could be meant: kept', async () => {
    await deliver(s, two.submit, 'id:x0 stat:DELIVRD err:000');
    assert.equal(await kept(s), 1);
    await never(async () => (await s.db.message(two.id)).status !== 'uncertain', 'guessed', 300);
    await s.db.sql('DELETE FROM smsbridge.receipt');
  });
  await t.test('one that is nobody’s: kept', async () => {
    const strange = [one.reference, two.reference].includes(7) ? 8 : 7;
    await deliver(s, two.submit, 'id:x0 stat:DELIVRD err:000', { user_message_reference: strange });
    assert.equal(await kept(s), 1);
    await s.db.sql('DELETE FROM smsbridge.receipt');
  });
  await t.test('a word that is not final shows that the carrier took it, and under which id', async () => {
    await deliver(s, two.submit, 'id:X002 stat:ENROUTE err:000', { user_message_reference: two.reference });
    const shown = await becomes(s, two.id, 'sent');
    assert.equal(shown.carrier_message_id, 'X002');
    const event = (await s.db.events(two.id)).at(-1);
    assert.deepEqual([event.type, event.reason], ['message.sent', 'taken_by_receipt']);
    await deliver(s, two.submit, 'id:x002 stat:DELIVRD err:000');
    await becomes(s, two.id, 'delivered');
  });
  await t.test('a final one settles the other', async () => {
    await deliver(s, one.submit, 'id:x1 stat:UNDELIV err:000', { user_message_reference: one.reference });
    await becomes(s, one.id, 'undelivered');
    const labels = { carrier: 'test', how: 'reference' };
    assert.equal(await s.gateway.metric('smsbridge_receipt_matches_total', labels), 2);
  });
  await noViolations(s);
});

// --- parts ----------------------------------------------------------------------------------------------------------

const longText = () => `Привет, приём завтра в 9:30, код ${nextPhone()}. ${'ё'.repeat(60)} Reply STOP to end.`;
const parted = async (t, options = {}) => {
  const s = await setup(t, { ...options, link: { long_messages: 'udh8', ...options.link } });
  await must(binary, ['practice', 'set', s.practice.id, '--segments', '3', '--database', s.db.owner]);
  return s;
};
const parts = async (s, count = 2) => {
  const m = await s.api.accepted({ body: longText() });
  const submits = await until(
    () => s.carrier.to(m.draft.phone).length >= count && s.carrier.to(m.draft.phone),
    () => `${count} submits, are ${s.carrier.to(m.draft.phone).length}`,
  );
  return { ...m, submits };
};

test('one receipt a segment: delivered when all are, undelivered when one is not', async (t) => {
  const s = await parted(t);
  const sentParts = async () => {
    const m = await parts(s);
    await becomes(s, m.id, 'sent');
    return m;
  };
  await t.test('both delivered, in either order, each told again', async () => {
    const m = await sentParts();
    await s.carrier.receipt(m.submits[1]);
    await s.carrier.receipt(m.submits[1]);
    await stays(s, m.id, 'sent', 300);
    await s.carrier.receipt(m.submits[0]);
    await becomes(s, m.id, 'delivered');
    await s.carrier.receipt(m.submits[0], { stat: 'UNDELIV' });
    await stays(s, m.id, 'delivered', 200);
    const states = (await s.db.events(m.id)).filter((e) => e.data?.state).map((e) => `${e.type} ${e.data.part}`);
    assert.deepEqual(states, ['message.news 2', 'message.delivered 1', 'message.news 1']);
  });
  await t.test('one of them failed', async () => {
    const m = await sentParts();
    await s.carrier.receipt(m.submits[0]);
    await s.carrier.receipt(m.submits[1], { stat: 'UNDELIV' });
    await becomes(s, m.id, 'undelivered', 'receipt_failed');
  });
  await t.test('both at once', async () => {
    const m = await sentParts();
    await Promise.all(m.submits.map((x) => s.carrier.receipt(x)));
    await becomes(s, m.id, 'delivered');
  });
  assert.equal(await kept(s), 0);
});

test('parts: a daily cap of one part ends the message and holds the sender', async (t) => {
  const s = await parted(t, { link: { error_codes: 'bandwidth' } });
  const m = await parts(s);
  await becomes(s, m.id, 'sent');
  await s.carrier.receipt(m.submits[0]);
  await s.carrier.receipt(m.submits[1], { stat: 'REJECTD', err: '4780' });
  await becomes(s, m.id, 'undelivered', 'carrier_daily_cap');
  const next = await s.api.accepted();
  await becomes(s, next.id, 'held', 'carrier_daily_cap');
  await noViolations(s);
});

test('parts: one taken and one refused is not sent again; none taken is, whole', async (t) => {
  let script = [];
  const s = await parted(t, { carrier: { onSubmit: () => script.shift() ?? {} } });
  await t.test('the second refused', async () => {
    script = [{}, { status: 0x45 }];
    const m = await parts(s);
    await becomes(s, m.id, 'undelivered', 'part_refused');
    assert.ok((await s.db.message(m.id)).counted_at, 'counts: the patient may see a piece');
    await never(() => s.carrier.to(m.draft.phone).length > 2, 'sent again', 300);
    await s.carrier.receipt(m.submits[0]);
    await stays(s, m.id, 'undelivered', 200);
  });
  await t.test('both refused for a while', async () => {
    script = [{ status: 0x08 }, { status: 0x08 }];
    const m = await parts(s);
    await becomes(s, m.id, 'held', 'carrier_temporary');
    const row = await s.db.message(m.id);
    assert.deepEqual([row.counted_at, row.attempts], [null, 1]);
    await s.gateway.moveClock('2026-03-02T12:05:00-05:00');
    await until(() => s.carrier.to(m.draft.phone).length === 4, 'sent again, whole');
    await becomes(s, m.id, 'sent');
    for (const x of s.carrier.to(m.draft.phone).slice(2)) await s.carrier.receipt(x);
    await becomes(s, m.id, 'delivered');
  });
  await t.test('both refused for good', async () => {
    script = [{ status: 0x0b }, { status: 0x0b }];
    const m = await parts(s);
    await becomes(s, m.id, 'failed', 'carrier_rejected');
    assert.equal((await s.db.message(m.id)).counted_at, null);
  });
  await noViolations(s);
});

test('parts: an answer that never comes makes the message uncertain; a late one settles it', async (t) => {
  const script = [{}, { silent: true }];
  const s = await parted(t, { link: { answer_timeout: '400ms' }, carrier: { onSubmit: () => script.shift() ?? {} } });
  const m = await parts(s);
  await becomes(s, m.id, 'uncertain', 'answer_missing');
  await s.carrier.receipt(m.submits[0]);
  await stays(s, m.id, 'uncertain', 200);
  s.carrier.answer(m.submits[1], { id: 'late-part' });
  await becomes(s, m.id, 'sent');
  await s.carrier.receipt(m.submits[1], { id: 'late-part' });
  await becomes(s, m.id, 'delivered');
});
