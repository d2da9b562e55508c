// What a carrier is asked about messages that it has: query_sm, cancel_sm, replace_sm; and its alert_notification. npm
// smpp plays the carrier.
import assert from 'node:assert/strict';
import test from 'node:test';
import smpp from 'smpp';
import { askable } from './lib/asked.mjs';
import { becomes, fleet } from './lib/fleet.mjs';
import { never, must, binary, nextPhone, until } from './lib/util.mjs';
import { another, setup, world } from './lib/world.mjs';

await world();

const states = { ENROUTE: 1, DELIVERED: 2, UNDELIVERABLE: 5 };
const RINVMSGID = 0x0c;
const RCANCELFAIL = 0x11;
const RREPLACEFAIL = 0x13;
const RQUERYFAIL = 0x67;

const querying = (answers) => ({ carrier: askable(answers), link: { query: true, query_after: '1s' } });

const sent = async (s, fields) => {
  const m = await s.api.accepted(fields);
  const submit = await s.carrier.got(m.draft);
  await becomes(s, m.id, 'sent');
  return Object.assign(m, { submit });
};
const news = async (s, id, reason) =>
  (await s.db.events(id)).find((e) => e.type === 'message.news' && e.reason === reason);
const noViolations = async (s) =>
  assert.deepEqual(
    JSON.parse((await must(binary, ['report', 'violations', '--database', s.db.owner, '--json'])).stdout),
    [],
  );
const digits = (phone) => phone.replace(/^\+/, '');
const noon = Date.parse('2026-03-02T17:00:00Z');
const clock = (s, minutes) => s.gateway.moveClock(new Date(noon + minutes * 60000).toISOString());

// --- query_sm -------------------------------------------------------------------------------------------------------

// covers: ESME OUT query_sm, ESME IN query_sm_resp
test('query_sm: a receipt that does not come is asked for; the answer is as good as one', async (t) => {
  const plan = new Map(); // message_id: states, one an answer
  const options = querying({
    query_sm: ({ message_id }) => ({
      message_id,
      final_date: '',
      message_state: plan.get(message_id).length > 1 ? plan.get(message_id).shift() : plan.get(message_id)[0],
      error_code: 0,
    }),
  });
  const { carrier } = options;
  const s = await setup(t, {
    ...options,
    carrier: { ...carrier, onSubmit: ({ text }) => ({ receipt: /receipted/.test(text) }) },
  });
  const receipted = await s.api.accepted({ body: 'Visit at 9, receipted. Reply STOP to end.' });
  await becomes(s, receipted.id, 'delivered');
  const way = {};
  for (const [name, list] of [
    ['delivered', [states.DELIVERED]],
    ['undelivered', [states.UNDELIVERABLE]],
    ['later', [states.ENROUTE, states.DELIVERED]],
  ]) {
    const m = await s.api.accepted();
    m.submit = await s.carrier.got(m.draft);
    plan.set(await until(() => m.submit.id, 'answered'), list);
    way[name] = m;
  }
  await becomes(s, way.delivered.id, 'delivered');
  await becomes(s, way.undelivered.id, 'undelivered');
  assert.equal((await s.db.message(way.undelivered.id)).reason, 'receipt_failed');
  const { pdu } = carrier.asked('query_sm').find((a) => a.pdu.message_id === way.delivered.submit.id);
  assert.equal(pdu.source_addr, digits(s.practice.sender));
  assert.deepEqual([pdu.source_addr_ton, pdu.source_addr_npi], [1, 1]);
  const event = (await s.db.events(way.delivered.id)).find((e) => e.type === 'message.delivered');
  assert.equal(event.data.matched_by, 'query');
  assert.equal((await s.db.message(way.later.id)).status, 'sent', 'on its way is no end');
  assert.equal(await s.gateway.metric('smsbridge_asks_total', { kind: 'query', result: 'done' }), 3);
  await clock(s, 2);
  await becomes(s, way.later.id, 'delivered');
  await clock(s, 600);
  await never(() => carrier.asked('query_sm').length > 4, 'asked about what has ended', 1500);
  const ids = carrier.asked('query_sm').map((a) => a.pdu.message_id);
  assert.deepEqual(
    [...new Set(ids)].sort(),
    Object.values(way)
      .map((m) => m.submit.id)
      .sort(),
  );
  await noViolations(s);
});

test('query_sm: RQUERYFAIL, silence and a lost link are asked again, six times in all', async (t) => {
  const turn = [RQUERYFAIL, 'silent', 'drop'];
  const options = querying({
    query_sm: (_, list) => {
      const act = turn[list.length - 1] ?? RQUERYFAIL;
      if (act === 'silent') return act;
      return act === 'drop' ? { drop: true } : { command_status: act };
    },
  });
  options.link.answer_timeout = '300ms';
  const s = await setup(t, options);
  const m = await sent(s);
  let minutes = 0;
  for (let n = 1; n <= 6; n++) {
    await options.carrier.got('query_sm', n);
    await s.carrier.bound();
    minutes += 4 ** (n - 1) + 1;
    await clock(s, minutes);
  }
  await never(() => options.carrier.asked('query_sm').length > 6, 'asked a seventh time', 2500);
  assert.equal((await s.db.message(m.id)).status, 'sent');
  const [row] = await s.db.sql('SELECT due_at::text, attempts FROM smsbridge.ask');
  assert.deepEqual([row.due_at, row.attempts], ['infinity', 6]);
});

test('query_sm: a carrier that does not take it is never asked', async (t) => {
  const yes = askable({ query_sm: ({ message_id }) => ({ message_id, message_state: 1 }) });
  const no = askable();
  const s = await fleet(t, {
    carriers: { yes: { ...yes, link: { query: true, query_after: '1s' } }, no: { ...no, link: { query_after: '1s' } } },
    config: {
      routes: [
        { carrier: 'no', category: 'lab_results' },
        { carrier: 'yes', tier: 2 },
      ],
    },
  });
  const silent = await s.api.accepted({ category: 'lab_results' }); // the older one: it would be asked about first
  await becomes(s, silent.id, 'sent');
  const m = await s.api.accepted();
  await becomes(s, m.id, 'sent');
  await yes.got('query_sm');
  assert.deepEqual(await s.db.sql('SELECT carrier, message_id FROM smsbridge.ask'), [
    { carrier: 'yes', message_id: m.id },
  ]);
  assert.equal(no.list.length, 0);
});

test('query_sm: killed with a question open, the gateway asks again', async (t) => {
  let answer = 'silent';
  const options = querying({ query_sm: () => answer });
  const s = await setup(t, options);
  const m = await sent(s);
  await options.carrier.got('query_sm');
  await s.gateway.kill();
  answer = { message_id: m.submit.id, message_state: states.DELIVERED };
  s.gateway.config.clock = { start: new Date(noon + 2 * 60000).toISOString() };
  await s.gateway.start();
  await becomes(s, m.id, 'delivered');
  assert.equal(options.carrier.asked('query_sm').length, 2);
});

test('query_sm: two gateways ask once', async (t) => {
  const options = querying({ query_sm: ({ message_id }) => ({ message_id, message_state: states.DELIVERED }) });
  const s = await setup(t, options);
  const second = await another(t, s, { link: options.link });
  await second.start();
  await s.carrier.bound(2);
  const all = await Promise.all(Array.from({ length: 30 }, () => s.api.accepted()));
  for (const m of all) await becomes(s, m.id, 'delivered', 30000);
  const ids = options.carrier.asked('query_sm').map((a) => a.pdu.message_id);
  assert.equal(ids.length, 30);
  assert.equal(new Set(ids).size, 30);
});

// --- cancel_sm ------------------------------------------------------------------------------------------------------

const cancelling = (answers) => ({ carrier: askable(answers), link: { cancel: true } });

// covers: ESME OUT cancel_sm, ESME IN cancel_sm_resp
test('cancel_sm: a practice gets back what the carrier still holds, and the caps forget it', async (t) => {
  const options = cancelling();
  const s = await setup(t, { ...options, hooks: null });
  const m = await sent(s);
  const again = await s.api.accepted({ patient: m.draft.patient, phone: m.draft.phone });
  await becomes(s, again.id, 'held');
  const answer = await s.api.post(`/v1/messages/${m.id}/cancel`);
  assert.equal(answer.status, 202, answer.text);
  assert.deepEqual(answer.json, { id: m.id, status: 'sent', recalling: true });
  const { pdu } = await options.carrier.got('cancel_sm');
  assert.equal(pdu.message_id, m.submit.id);
  assert.equal(pdu.source_addr, digits(s.practice.sender));
  assert.equal(pdu.destination_addr, digits(m.draft.phone));
  assert.deepEqual([pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi], [1, 1, 1, 1]);
  const row = await becomes(s, m.id, 'canceled');
  assert.deepEqual([row.reason, row.counted_at], ['canceled_by_practice', null]);
  const { body } = await s.hooks.got('message.canceled');
  assert.equal(body.data.id ?? body.data.message_id, m.id);
  assert.equal((await s.api.post(`/v1/messages/${m.id}/cancel`)).status, 200, 'canceled is canceled');
  await s.gateway.moveClock('2026-03-03T12:00:00-05:00');
  await becomes(s, again.id, 'sent');
  const third = await s.api.accepted({ patient: m.draft.patient, phone: m.draft.phone });
  await becomes(s, third.id, 'held');
  assert.equal(options.carrier.asked('cancel_sm').length, 1);
  await noViolations(s);
});

test('cancel_sm: what came back counts against no cap on the same day', async (t) => {
  const s = await setup(t, cancelling());
  const m = await sent(s);
  await s.api.post(`/v1/messages/${m.id}/cancel`);
  await becomes(s, m.id, 'canceled');
  await sent(s, { patient: m.draft.patient, phone: m.draft.phone });
  await noViolations(s);
});

test('cancel_sm: refused, the message stays sent and the practice is told; silence is asked again', async (t) => {
  const turn = [RCANCELFAIL, 'silent', RINVMSGID];
  const options = cancelling({
    cancel_sm: (_, list) => {
      const act = turn[list.length - 1];
      return act === 'silent' ? act : { command_status: act };
    },
  });
  const s = await setup(t, options);
  const m = await sent(s);
  assert.equal((await s.api.post(`/v1/messages/${m.id}/cancel`)).status, 202);
  const told = await until(() => news(s, m.id, 'recall_refused'), 'recall_refused');
  assert.equal(told.data.command_status, 'ESME_RCANCELFAIL');
  assert.equal((await s.db.message(m.id)).status, 'sent');
  assert.equal((await s.api.post(`/v1/messages/${m.id}/cancel`)).status, 202);
  await options.carrier.got('cancel_sm', 2);
  await clock(s, 2);
  await options.carrier.got('cancel_sm', 3);
  await until(
    async () => (await s.db.events(m.id)).filter((e) => e.reason === 'recall_refused').length === 2,
    'told again',
  );
  assert.deepEqual(await s.db.sql('SELECT FROM smsbridge.ask'), []);
});

test('cancel_sm: a STOP recalls what the carrier still holds', async (t) => {
  const options = cancelling();
  const s = await setup(t, { ...options, hooks: null });
  const m = await sent(s);
  const other = await sent(s);
  await s.carrier.mo(m.draft.phone, s.practice.sender, 'STOP');
  const { pdu } = await options.carrier.got('cancel_sm');
  assert.equal(pdu.message_id, m.submit.id);
  assert.equal((await becomes(s, m.id, 'canceled')).reason, 'canceled_by_opt_out');
  await s.hooks.got('message.canceled', (d) => (d.id ?? d.message_id) === m.id);
  assert.equal((await s.db.message(other.id)).status, 'sent');
  assert.equal(options.carrier.asked('cancel_sm').length, 1, 'its confirmation is not recalled');
  await noViolations(s);
});

test('cancel_sm: a carrier that does not take it, and a submit without an id, are 409', async (t) => {
  const no = askable();
  const mute = askable({}, { onSubmit: () => ({ silent: true }) });
  const s = await fleet(t, {
    carriers: { no: { ...no }, mute: { ...mute, link: { cancel: true, answer_timeout: '300ms' } } },
    config: {
      routes: [
        { carrier: 'mute', category: 'lab_results' },
        { carrier: 'no', tier: 2 },
      ],
    },
  });
  const m = await s.api.accepted();
  await becomes(s, m.id, 'sent');
  const lost = await s.api.accepted({ category: 'lab_results' });
  await becomes(s, lost.id, 'uncertain');
  for (const { id } of [m, lost]) {
    const answer = await s.api.post(`/v1/messages/${id}/cancel`);
    assert.deepEqual([answer.status, answer.json.code], [409, 'not_cancelable']);
  }
  assert.deepEqual(await s.db.sql('SELECT FROM smsbridge.ask'), []);
  assert.equal(no.list.length + mute.list.length, 0);
});

// --- replace_sm -----------------------------------------------------------------------------------------------------

const replacing = (answers, link) => ({ carrier: askable(answers), link: { replace: true, ...link } });
const replace = (s, id, body, options) => s.api.post(`/v1/messages/${id}/replace`, { body }, options);

test('replace: what waits has its new text at once', async (t) => {
  const s = await setup(t, replacing());
  const m = await s.api.accepted({ send_at: '2026-03-02T13:00:00-05:00' });
  const body = 'Elm Street Clinic: Friday at 3. Reply STOP to end.';
  const answer = await replace(s, m.id, body);
  assert.deepEqual([answer.status, answer.json], [200, { id: m.id, status: 'scheduled' }]);
  await clock(s, 61);
  await s.carrier.got({ phone: m.draft.phone, body });
  assert.equal(s.carrier.to(m.draft.phone).length, 1);
  assert.ok((await s.db.events(m.id)).some((e) => e.type === 'message.replaced'));
  await noViolations(s);
});

// covers: ESME OUT replace_sm, ESME IN replace_sm_resp
test('replace_sm: what the carrier has is replaced there, in its alphabet, or stays as it was', async (t) => {
  let status = 0;
  const options = replacing({ replace_sm: () => ({ command_status: status }) });
  const s = await setup(t, options);
  const m = await sent(s);
  const body = 'Friday at 3 @ Elm Street {new} €5. Reply STOP to end.';
  const answer = await replace(s, m.id, body);
  assert.deepEqual([answer.status, answer.json], [202, { id: m.id, status: 'sent' }]);
  const { pdu } = await options.carrier.got('replace_sm');
  assert.equal(pdu.message_id, m.submit.id);
  assert.equal(pdu.source_addr, digits(s.practice.sender));
  assert.equal(smpp.encodings.ASCII.decode(pdu.short_message), body);
  assert.equal(pdu.registered_delivery, 1);
  await until(async () => (await s.db.message(m.id)).body === body, 'replaced');
  assert.equal((await s.db.message(m.id)).status, 'sent');
  await t.test('refused', async () => {
    status = RREPLACEFAIL;
    assert.equal((await replace(s, m.id, 'Another one. Reply STOP to end.')).status, 202);
    const told = await until(() => news(s, m.id, 'replace_refused'), 'replace_refused');
    assert.equal(told.data.command_status, 'ESME_RREPLACEFAIL');
    assert.equal((await s.db.message(m.id)).body, body);
  });
  await t.test('in another alphabet than it went in: 409', async () => {
    const other = await replace(s, m.id, 'Приём в пятницу в 15:00');
    assert.deepEqual([other.status, other.json.code], [409, 'not_replaceable']);
    assert.equal(options.carrier.asked('replace_sm').length, 2);
  });
  await t.test('a receipt ends it: 409', async () => {
    await s.carrier.receipt(m.submit);
    await becomes(s, m.id, 'delivered');
    assert.equal((await replace(s, m.id, body)).status, 409);
  });
  await noViolations(s);
});

test('replace_sm: the new text is written as the old one was, for replace_sm has no data_coding', async (t) => {
  const options = replacing({}, { alphabet: 'latin1' });
  const s = await setup(t, options);
  const cases = [
    ['Приём в пятницу', 'çççç', Buffer.from('çççç', 'utf16le').swap16(), 8], // Latin-1 has it, GSM has not
    ['Visit at 9. STOP ends.', 'Señor: 3 PM, £5. STOP ends.', Buffer.from('Señor: 3 PM, £5. STOP ends.', 'latin1'), 0],
    ['Price 5€, STOP ends.', 'Price 5 USD. ΔΣ', Buffer.from('Price 5 USD. ΔΣ', 'utf16le').swap16(), 8],
  ];
  for (const [n, [before, after, octets, data_coding]] of cases.entries()) {
    const m = await s.api.accepted({ body: before });
    await becomes(s, m.id, 'sent');
    assert.equal(s.carrier.to(m.draft.phone)[0].pdu.data_coding, data_coding);
    const answer = await replace(s, m.id, after);
    assert.equal(answer.status, 202, `${after}: ${answer.text}`);
    const written = options.carrier.octets(await options.carrier.got('replace_sm', n + 1));
    await until(async () => (await s.db.message(m.id)).body === after, 'replaced');
    assert.ok(written.includes(octets), `${after}: ${written.toString('hex')}`);
  }
});

test('replace: what is wrong, unknown or somebody else’s', async (t) => {
  const s = await setup(t, { carrier: askable() });
  const m = await sent(s);
  const bad = [
    ['x'.repeat(161), 'body_too_long'],
    ['я'.repeat(71), 'body_characters'],
    ['', 'body_empty_or_controls'],
    ['a\u0007', 'body_empty_or_controls'],
    [undefined, 'required'],
    [5, 'not_a_string'],
  ];
  for (const [body, code] of bad) {
    const answer = await replace(s, m.id, body);
    assert.equal(answer.status, 422, `${body}: ${answer.text}`);
    assert.deepEqual(
      answer.json.errors.map((e) => [e.pointer, e.code]),
      [['/body', code]],
    );
  }
  const extra = await s.api.post(`/v1/messages/${m.id}/replace`, { body: 'ok', phone: nextPhone() });
  assert.deepEqual([extra.status, extra.json.errors[0].code], [422, 'unknown_field']);
  const none = await replace(s, '019caf47-20e3-7002-8786-1010d7964133', 'ok');
  assert.deepEqual([none.status, none.json.code], [404, 'message_unknown']);
  assert.equal((await replace(s, 'nonsense', 'ok')).status, 404);
  const text = await s.api.post(`/v1/messages/${m.id}/replace`, 'ok', { headers: { 'content-type': 'text/plain' } });
  assert.equal(text.status, 415);
  const no = await replace(s, m.id, 'ok');
  assert.deepEqual([no.status, no.json.code], [409, 'not_replaceable'], 'its carrier takes no replace_sm');
  assert.equal((await replace(s, m.id, 'ok', { key: 'nobody' })).status, 401);
});

// --- alert_notification ---------------------------------------------------------------------------------------------

// covers: ESME IN alert_notification
test('alert_notification: what waits for that phone goes at once, nothing else', async (t) => {
  let away = true;
  const s = await setup(t, { carrier: { onSubmit: () => (away ? { status: 0x08 } : {}) } });
  const m = await s.api.accepted();
  const other = await s.api.accepted();
  for (const { id } of [m, other]) assert.equal((await becomes(s, id, 'held')).reason, 'carrier_temporary');
  const later = await s.api.accepted({ phone: m.draft.phone, send_at: '2026-03-02T13:00:00-05:00' });
  away = false;
  s.carrier.session.alert_notification({
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: digits(m.draft.phone),
    esme_addr_ton: 1,
    esme_addr_npi: 1,
    esme_addr: digits(s.practice.sender),
  });
  await becomes(s, m.id, 'sent', 5000); // its own time comes after 15 seconds
  assert.equal((await s.db.message(other.id)).status, 'held');
  assert.equal((await s.db.message(later.id)).status, 'scheduled');
  assert.equal(s.carrier.nacks.length, 0);
});
