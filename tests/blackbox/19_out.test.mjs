// Texts out in other shapes than one submit_sm: one for many numbers, one in several parts, other alphabets. npm smpp
// plays the carrier; where octets matter it is played by hand.
import assert from 'node:assert/strict';
import test from 'node:test';
import smpp from 'smpp';
import { askable } from './lib/asked.mjs';
import { Carrier } from './lib/carrier.mjs';
import { byHand } from './lib/by_hand.mjs';
import { becomes } from './lib/fleet.mjs';
import { binary, must, never, run, until } from './lib/util.mjs';
import { atEnd, practice, setup, world } from './lib/world.mjs';

await world();

const RINVDSTADR = 0x0b;
const RSYSERR = 0x08;
const RINVSRCADR = 0x0a;
const digits = (phone) => phone.replace(/^\+/, '');
const violations = async (s) =>
  JSON.parse((await run(binary, ['report', 'violations', '--database', s.db.owner, '--json'])).stdout); // 1 when there are
const noViolations = async (s) => assert.deepEqual(await violations(s), []);

// --- submit_multi ---------------------------------------------------------------------------------------------------

const BODY = 'Elm Street Clinic is closed tomorrow. Reply STOP to end.';

/**
 * Accepts texts for count patients while no link is up, then lets the gateway connect: one claim takes them together.
 * meanwhile(s, all) runs before that; replies: a second carrier is there, which patients answer by.
 */
async function together(t, { answer, count = 5, body = BODY, link, meanwhile, onSubmit, replies } = {}) {
  const carrier = askable({ submit_multi: answer ?? (() => ({ message_id: 'multi-1', unsuccess_sme: [] })) });
  let open = false;
  const bind = carrier.onBind;
  const s = await setup(t, {
    carrier: { ...carrier, onSubmit, onBind: (...args) => (open ? bind(...args) : 'silent') },
    link: { submit_multi: true, bind_timeout: '1s', answer_timeout: '500ms', ...link },
    config: { routes: [{ carrier: 'test' }] },
    start: false,
  });
  s.asked = carrier;
  if (replies) {
    s.replies = await new Carrier().start();
    atEnd(t, () => s.replies.stop());
    s.gateway.config.carriers.push(s.gateway.carrierConfig({ name: 'replies', port: s.replies.port }));
  }
  await s.gateway.start();
  const all = [];
  for (let i = 0; i < count; i++) all.push(await s.api.accepted({ body: typeof body === 'function' ? body(i) : body }));
  await meanwhile?.(s, all);
  open = true;
  s.carrier.dropAll();
  await s.carrier.bound();
  return { s, all };
}
const numbers = (asked) => asked.pdu.dest_address.map((d) => d.destination_addr).sort();
const phones = (all) => all.map((m) => digits(m.draft.phone)).sort();

// covers: ESME OUT submit_multi, ESME IN submit_multi_resp
test('submit_multi: five patients with one text are one PDU, and receipts find each its own', async (t) => {
  const { s, all } = await together(t);
  const asked = await s.asked.got('submit_multi');
  assert.deepEqual(numbers(asked), phones(all));
  for (const d of asked.pdu.dest_address) assert.deepEqual([d.dest_addr_ton, d.dest_addr_npi], [1, 1]);
  assert.equal(asked.pdu.source_addr, digits(s.practice.sender));
  assert.equal(asked.pdu.short_message.message, BODY);
  assert.equal(asked.pdu.registered_delivery, 1);
  for (const m of all) assert.equal((await becomes(s, m.id, 'sent')).carrier_message_id, 'multi-1');
  const words = ['DELIVRD', 'UNDELIV', 'DELIVRD', 'EXPIRED', 'DELIVRD'];
  const ends = { DELIVRD: 'delivered', UNDELIV: 'undelivered', EXPIRED: 'expired' };
  for (const [i, m] of all.entries()) {
    const submit = { id: 'multi-1', from: digits(s.practice.sender), to: digits(m.draft.phone), text: BODY };
    assert.equal((await s.carrier.receipt(submit, { stat: words[i] })).command_status, 0);
  }
  for (const [i, m] of all.entries()) await becomes(s, m.id, ends[words[i]]);
  assert.equal(s.asked.list.length, 1);
  assert.equal(s.carrier.submits.length, 0);
  await noViolations(s);
});

test('submit_multi: who is named in unsuccess_sme fails or goes again, nobody else', async (t) => {
  const status = new Map();
  const { s, all } = await together(t, {
    answer: ({ dest_address }) => ({
      message_id: 'multi-1',
      unsuccess_sme: dest_address
        .filter((d) => status.has(d.destination_addr))
        .map((d) => ({
          dest_addr_ton: 1,
          dest_addr_npi: 1,
          destination_addr: d.destination_addr,
          error_status_code: status.get(d.destination_addr),
        })),
    }),
    meanwhile: (_, list) => {
      status.set(digits(list[1].draft.phone), RINVDSTADR);
      status.set(digits(list[3].draft.phone), RSYSERR);
    },
  });
  const failed = await becomes(s, all[1].id, 'failed');
  assert.deepEqual([failed.reason, failed.counted_at], ['carrier_rejected', null]);
  assert.equal((await becomes(s, all[3].id, 'held')).reason, 'carrier_temporary');
  for (const i of [0, 2, 4]) await becomes(s, all[i].id, 'sent');
  await s.gateway.moveClock('2026-03-02T12:01:00-05:00');
  await becomes(s, all[3].id, 'sent');
  assert.equal(s.asked.list.length, 1);
  assert.deepEqual(
    s.carrier.submits.map((x) => x.phone),
    [all[3].draft.phone],
  );
  await noViolations(s);
});

test('submit_multi: refused as a whole, each goes again; refused for good, each fails', async (t) => {
  let status = RSYSERR;
  const { s, all } = await together(t, { answer: () => ({ command_status: status }), onSubmit: () => ({ status }) });
  for (const m of all) assert.equal((await becomes(s, m.id, 'held')).reason, 'carrier_temporary');
  assert.equal(s.asked.list.length, 1);
  status = RINVSRCADR;
  await s.gateway.moveClock('2026-03-02T12:01:00-05:00');
  for (const m of all) {
    const row = await becomes(s, m.id, 'failed');
    assert.deepEqual([row.reason, row.counted_at], ['carrier_rejected', null]);
  }
  const again = [...s.asked.list.slice(1).flatMap(numbers), ...s.carrier.submits.map((x) => digits(x.phone))];
  assert.deepEqual(again.sort(), phones(all), 'each once more');
  await noViolations(s);
});

test('submit_multi: without an answer, and with the link lost, each is uncertain and none goes again', async (t) => {
  for (const act of ['silent', { drop: true }]) {
    const { s, all } = await together(t, { answer: () => act });
    await s.asked.got('submit_multi');
    for (const m of all) assert.equal((await becomes(s, m.id, 'uncertain')).reason, 'answer_missing');
    await s.carrier.bound();
    await never(() => s.asked.list.length > 1 || s.carrier.submits.length, 'sent again', 500);
    await noViolations(s);
  }
});

test('submit_multi: who said STOP before is left out; another text, another PDU', async (t) => {
  const { s, all } = await together(t, {
    count: 6,
    body: (i) => (i === 5 ? 'Another text. Reply STOP to end.' : BODY),
    replies: true,
    meanwhile: async ({ replies, db, practice: { sender } }, list) => {
      await replies.bound();
      for (const m of list) await becomes({ db }, m.id, 'held'); // there is a link, only none for these
      await replies.mo(list[2].draft.phone, sender, 'STOP');
    },
  });
  await s.gateway.moveClock('2026-03-02T12:05:00-05:00');
  const asked = await s.asked.got('submit_multi');
  const [, , stopped, , , other] = all;
  const rest = all.filter((m) => m !== stopped && m !== other);
  assert.deepEqual(numbers(asked), phones(rest));
  await becomes(s, stopped.id, 'canceled');
  await becomes(s, other.id, 'sent');
  assert.deepEqual(
    s.carrier.of(other.draft.body).map((x) => x.phone),
    [other.draft.phone],
  );
  assert.deepEqual(s.carrier.of(BODY), []);
  await noViolations(s);
});

test('submit_multi: patients who share an id share no question and no new text', async (t) => {
  const { s, all } = await together(t, {
    link: { query: true, query_after: '1s', cancel: true, replace: true },
    answer: () => ({ message_id: 'multi-1', unsuccess_sme: [] }),
    onSubmit: () => ({ id: 'single' }),
  });
  for (const m of all) await becomes(s, m.id, 'sent');
  const single = await s.api.accepted();
  await becomes(s, single.id, 'sent');
  const { pdu: query } = await s.asked.got('query_sm');
  assert.equal(query.message_id, 'single');
  const answer = await s.api.post(`/v1/messages/${all[0].id}/replace`, { body: 'For one of them. STOP ends.' });
  assert.equal(answer.status, 409, answer.text);
  assert.equal((await s.api.post(`/v1/messages/${all[0].id}/cancel`)).status, 202, 'a cancel_sm names its phone');
  const { pdu: cancel } = await s.asked.got('cancel_sm');
  assert.equal(cancel.destination_addr, digits(all[0].draft.phone));
  await becomes(s, all[0].id, 'canceled');
  for (const m of all.slice(1)) assert.equal((await s.db.message(m.id)).status, 'sent');
  assert.equal(s.asked.asked('query_sm').length, 1);
  assert.equal(s.asked.asked('replace_sm').length, 0);
});

// --- several parts --------------------------------------------------------------------------------------------------

const LONG = `Приём завтра в 9:30 🦷🦷 ${'абвгдежзиклмнопрстуфхцчшэюя '.repeat(5)}`.slice(0, 150);

/** Ways of npm smpp's decoding: [reference, total, part]. */
const places = {
  udh8: (p) => [...p.short_message.udh[0].subarray(2)],
  udh16: (p) => [p.short_message.udh[0].readUInt16BE(2), ...p.short_message.udh[0].subarray(4)],
  sar: (p) => [p.sar_msg_ref_num, p.sar_total_segments, p.sar_segment_seqnum],
};

async function long(t, { way = 'udh8', onSubmit, link, more = {} } = {}) {
  const s = await setup(t, {
    practice: { segments: 3 },
    carrier: { onSubmit },
    link: { long_messages: way, answer_timeout: '500ms', ...link },
    ...more,
  });
  const m = await s.api.accepted({ body: LONG });
  return { s, m };
}
const parts = (s, n) =>
  until(
    () => s.carrier.submits.length >= n && s.carrier.submits,
    () => `${n} parts, there are ${s.carrier.submits.length}`,
  );

for (const way of ['udh8', 'udh16', 'sar']) {
  test(`trap 39: three parts by ${way}, each with its place, delivered when each is`, async (t) => {
    const { s, m } = await long(t, { way });
    assert.equal(m.json.segments, 3);
    const submits = await parts(s, 3);
    await becomes(s, m.id, 'sent');
    assert.deepEqual(
      submits.map(({ pdu: p }) => places[way](p).slice(1)),
      [
        [3, 1],
        [3, 2],
        [3, 3],
      ],
    );
    assert.equal(new Set(submits.map(({ pdu: p }) => places[way](p)[0])).size, 1, 'one reference');
    assert.equal(submits.map((x) => x.text).join(''), LONG);
    for (const { pdu: p } of submits) {
      assert.equal(p.data_coding, 8);
      assert.equal(Boolean(p.esm_class & 0x40), way !== 'sar');
      assert.equal(p.sar_total_segments === undefined, way !== 'sar');
    }
    if (way === 'udh8') assert.deepEqual([...submits[0].pdu.short_message.udh[0].subarray(0, 2)], [0, 3]);
    if (way === 'udh16') assert.deepEqual([...submits[0].pdu.short_message.udh[0].subarray(0, 2)], [8, 4]);
    for (const i of [2, 0]) await s.carrier.receipt(submits[i]);
    assert.equal((await s.db.message(m.id)).status, 'sent', 'two of three');
    await s.carrier.receipt(submits[1]);
    await becomes(s, m.id, 'delivered');
    assert.equal(s.carrier.submits.length, 3);
    await noViolations(s);
  });
}

test('trap 40: a long text whole in message_payload is one submit', async (t) => {
  const { s, m } = await long(t, { way: 'payload' });
  const [{ pdu: p }] = await parts(s, 1);
  assert.equal(p.message_payload.message, LONG);
  assert.equal(p.short_message.message, '');
  assert.equal(p.data_coding, 8);
  await becomes(s, m.id, 'sent');
  await s.carrier.receipt(s.carrier.submits[0]);
  await becomes(s, m.id, 'delivered');
  assert.equal(s.carrier.submits.length, 1);
  await noViolations(s);
});

test('trap 39: one part that does not arrive: the text did not', async (t) => {
  const { s, m } = await long(t);
  const submits = await parts(s, 3);
  await becomes(s, m.id, 'sent');
  await s.carrier.receipt(submits[0]);
  await s.carrier.receipt(submits[1], { stat: 'UNDELIV' });
  await becomes(s, m.id, 'undelivered');
  await s.carrier.receipt(submits[2]);
  assert.equal((await s.db.message(m.id)).status, 'undelivered');
  await noViolations(s);
});

/** By what the carrier does with the nth part. */
const byPart = (acts) => {
  let n = 0;
  return () => acts[n++] ?? {};
};

test('trap 39: one part refused: not sent again, with its own reason', async (t) => {
  const { s, m } = await long(t, { onSubmit: byPart([{}, { status: RSYSERR }]) });
  await parts(s, 3);
  assert.equal((await becomes(s, m.id, 'undelivered')).reason, 'part_refused');
  await s.gateway.moveClock('2026-03-02T13:00:00-05:00');
  await never(() => s.carrier.submits.length > 3, 'sent again', 600);
  await noViolations(s);
});

test('trap 39: every part refused for now: the whole goes again', async (t) => {
  const no = { status: RSYSERR };
  const { s, m } = await long(t, { onSubmit: byPart([no, no, no]) });
  assert.equal((await becomes(s, m.id, 'held')).reason, 'carrier_temporary');
  await s.gateway.moveClock('2026-03-02T12:01:00-05:00');
  await becomes(s, m.id, 'sent');
  assert.equal(
    s.carrier.submits
      .slice(3)
      .map((x) => x.text)
      .join(''),
    LONG,
  );
  await noViolations(s);
});

test('trap 39: one part without an answer: uncertain, not sent again; its receipt settles it', async (t) => {
  const { s, m } = await long(t, { onSubmit: byPart([{}, { silent: true }]) });
  const submits = await parts(s, 3);
  assert.equal((await becomes(s, m.id, 'uncertain')).reason, 'answer_missing');
  await never(() => s.carrier.submits.length > 3, 'sent again', 600);
  s.carrier.answer(submits[1]); // late
  await becomes(s, m.id, 'sent');
  for (const x of submits) await s.carrier.receipt(x);
  await becomes(s, m.id, 'delivered');
  await noViolations(s);
});

test('trap 39: the link is lost between the parts: uncertain, and nothing goes twice', async (t) => {
  const { s, m } = await long(t, { onSubmit: byPart([{}, { drop: true }]), link: { window: 1 } });
  const row = await until(async () => {
    const r = await s.db.message(m.id);
    return !['queued', 'sending'].includes(r.status) && r;
  }, 'over');
  assert.deepEqual([row.status, row.reason], ['undelivered', 'part_refused'], 'the third part never left');
  await s.carrier.bound();
  await never(() => s.carrier.submits.length > 3, 'sent again', 600);
  const texts = s.carrier.submits.map((x) => x.text);
  assert.equal(new Set(texts).size, texts.length, 'no part twice');
  await noViolations(s);
});

test('trap 39: a window of one still carries every part, one after the other', async (t) => {
  const { s, m } = await long(t, { link: { window: 1 }, onSubmit: () => ({ delay: 50 }) });
  await parts(s, 3);
  await becomes(s, m.id, 'sent');
  assert.equal(s.carrier.mostOpen, 1);
  assert.equal(s.carrier.submits.map((x) => x.text).join(''), LONG);
  await noViolations(s);
});

test('a part that waited for the window goes with the validity that is left, not past nine', async (t) => {
  const options = (start, delay, rate) => ({
    onSubmit: () => ({ delay }),
    link: { window: 1, validity: 'relative', answer_timeout: '30s' },
    more: { config: { clock: { start, rate } } },
  });
  const { s: noon, m } = await long(t, options('2026-03-02T12:00:00-05:00', 2000, 10));
  const [first, second] = await parts(noon, 2);
  const left = ({ at, pdu: p }) => p.validity_period - at; // ms of the rule clock
  const less = left(first) - left(second);
  assert.ok(less > 15000 && less < 60000, `${less} ms in 20 s`);
  await becomes(noon, m.id, 'sent');
  const { s: evening, m: late } = await long(t, options('2026-03-02T20:50:00-05:00', 11000, 60));
  assert.equal((await becomes(evening, late.id, 'undelivered', 20000)).reason, 'part_refused');
  assert.equal(evening.carrier.submits.length, 1);
  await noViolations(evening);
});

test('a practice that may not gets 422; taken away later, what went stays lawful', async (t) => {
  const s = await setup(t, { practice: { segments: 3 } });
  const no = await practice(s.db);
  const refused = await s.api.send({ body: LONG }, { key: no.key });
  assert.equal(refused.status, 422);
  assert.deepEqual(
    refused.json.errors.map((e) => [e.pointer, e.code]),
    [['/body', 'body_characters']],
  );
  const m = await s.api.accepted({ body: LONG });
  await becomes(s, m.id, 'sent');
  await noViolations(s);
  const args = ['practice', 'set', s.practice.id, '--segments', '1', '--database', s.db.owner];
  await must(binary, args);
  await noViolations(s); // settings count from when they were recorded; tests/sql/length.sql plants one that is none
  // the key's rights are known for a while
  await until(async () => (await s.api.send({ body: LONG })).status === 422, 'refused', 30000);
});

// --- alphabets ------------------------------------------------------------------------------------------------------

const TEXT = 'Dr. Ñu @ £ $ € {a_b} é. Reply STOP to end.';

/** Septets in octets, as 3GPP TS 23.038 6.1.2 packs them. */
function unpack(octets) {
  const septets = [];
  let bits = 0;
  let n = 0;
  for (const o of octets) {
    bits |= o << n;
    n += 8;
    while (n >= 7) {
      septets.push(bits & 0x7f);
      bits >>= 7;
      n -= 7;
    }
  }
  return Buffer.from(septets);
}
const gsm = (octets) => smpp.encodings.ASCII.decode(octets);
const readers = {
  gsm7: { 0: gsm, 8: (o) => Buffer.from(o).swap16().toString('utf16le') },
  gsm7_packed: { 0: (o) => gsm(unpack(o)), 8: (o) => Buffer.from(o).swap16().toString('utf16le') },
  latin1: { 0: (o) => o.toString('latin1') },
  ascii: { 0: (o) => o.toString('ascii') },
};
for (const alphabet of ['latin1', 'ascii']) {
  readers[alphabet][3] = (o) => o.toString('latin1');
  readers[alphabet][8] = readers.gsm7[8];
}

const FITS = 'Dr. Nu at 9:30, row 5. Reply STOP to end.';
const LATIN = 'Señor Ñu: £ @ 9:30, é. Reply STOP to end.';
const table = [
  ['gsm7', TEXT, 0],
  ['gsm7', LATIN, 0],
  ['gsm7_packed', TEXT, 0],
  ['gsm7_packed', 'hellohello', 0],
  ['gsm7_packed', FITS, 0],
  ['latin1', LATIN, 0],
  ['latin1', TEXT, 8], // the euro sign is not in it
  ['ascii', FITS, 0],
  ['ascii', 'a@b $ {c_d} [e] ~ \\ ^ |', 0],
  ['ascii', LATIN, 3],
  ['ascii', TEXT, 8],
  ...['gsm7', 'gsm7_packed', 'latin1', 'ascii'].map((a) => [a, 'Приём в 9:30', 8]),
];

for (const alphabet of ['gsm7', 'gsm7_packed', 'latin1', 'ascii'])
  test(`trap 36: texts for a carrier whose data_coding 0 is ${alphabet}`, async (t) => {
    const s = await byHand(t, { link: { alphabet } });
    for (const [, text, coding] of table.filter(([a]) => a === alphabet)) {
      const m = await s.api.accepted({ body: text });
      await becomes(s, m.id, 'sent');
      const submit = s.raw.submits().at(-1);
      assert.equal(submit.data_coding, coding, text);
      assert.equal(readers[alphabet][coding](submit.octets), text);
    }
    if (alphabet === 'gsm7_packed') {
      const [hello] = s.raw.submits().filter((x) => x.octets.length === 9);
      assert.equal(hello.octets.toString('hex'), 'e8329bfd4697d9ec37');
    }
    await noViolations(s);
  });

test('trap 36: what fits one text in GSM only and not in the carrier’s alphabet fails and says so', async (t) => {
  const s = await setup(t, { link: { alphabet: 'ascii' } });
  const body = `€${'a'.repeat(100)}`; // 101 in UCS-2 do not fit one segment
  const m = await s.api.accepted({ body });
  const row = await becomes(s, m.id, 'failed');
  assert.deepEqual([row.reason, row.counted_at], ['carrier_alphabet', null]);
  const accents = await s.api.accepted({ body: 'é'.repeat(140) }); // Latin-1 holds 140
  await becomes(s, accents.id, 'sent');
  const over = await s.api.accepted({ body: 'é'.repeat(141) });
  assert.equal((await becomes(s, over.id, 'failed')).reason, 'carrier_alphabet');
  assert.equal(s.carrier.submits.length, 1);
  assert.equal(s.carrier.submits[0].pdu.data_coding, 3);
  await noViolations(s);
});
