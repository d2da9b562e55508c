// Patients' texts as carriers bring them: alphabets, parts in any order, twice, on several lines and to several
// gateways, and deliveries that are repeated. npm smpp encodes, cuts and labels them, not we.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { Carrier, smpp } from './lib/carrier.mjs';
import { NOON } from './lib/gateway.mjs';
import { keepBody, keepPhone } from './lib/privacy.mjs';
import { writePcap } from './lib/tap.mjs';
import { another, atEnd, setup, world } from './lib/world.mjs';
import { must, never, nextPhone, root, until } from './lib/util.mjs';

await world();

let references = 7;

/** A text in parts, as fields of deliver_sm: cut by characters, labelled one of three ways. */
function parts(text, count, { kind = 'udh8', reference = ++references, ucs2 = false } = {}) {
  keepBody(text);
  const units = ucs2 ? [...Buffer.from(text, 'utf16le').swap16()] : [...text];
  const octets = ucs2 ? Buffer.from(units) : smpp.encodings.ASCII.encode(text);
  const size = Math.ceil(octets.length / count / 2) * 2;
  return Array.from({ length: count }, (_, i) => {
    const piece = octets.subarray(i * size, (i + 1) * size);
    const fields = { data_coding: ucs2 ? 8 : 0 };
    if (kind === 'sar')
      return {
        ...fields,
        short_message: piece,
        sar_msg_ref_num: reference,
        sar_total_segments: count,
        sar_segment_seqnum: i + 1,
      };
    const udh =
      kind === 'udh8'
        ? Buffer.from([5, 0, 3, reference & 0xff, count, i + 1])
        : Buffer.from([6, 8, 4, (reference >> 8) & 0xff, reference & 0xff, count, i + 1]);
    return { ...fields, esm_class: 0x40, short_message: Buffer.concat([udh, piece]) };
  });
}

const addressed = (s, phone, fields) => ({
  source_addr: phone.slice(1),
  destination_addr: s.practice.sender.slice(1),
  source_addr_ton: 1,
  source_addr_npi: 1,
  dest_addr_ton: 1,
  dest_addr_npi: 1,
  ...fields,
});

/** Delivers and sees it taken. */
async function deliver(s, phone, fields, session = s.carrier.session) {
  keepPhone(phone);
  const answer = await s.carrier.deliver(addressed(s, phone, fields), session);
  assert.equal(answer.command_status, 0);
}

const rows = (s, phone) =>
  s.db.sql('SELECT * FROM smsbridge.inbound WHERE phone = $1 ORDER BY received_at, id', [phone]);
const events = (s, phone, like = '%') =>
  s.db.sql('SELECT * FROM smsbridge.event WHERE phone = $1 AND type LIKE $2 ORDER BY id', [phone, like]);
const bodies = async (s, phone) => (await rows(s, phone)).map((r) => r.body);

const shuffle = (list, seed) => {
  const all = [...list];
  for (let i = all.length - 1, x = seed; i > 0; i--) {
    x = (x * 1103515245 + 12345) % 2 ** 31;
    const j = x % (i + 1);
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
};

test('trap 39: parts by UDH of 8 and 16 bit and by SAR, in any order, some twice, make one text', async (t) => {
  const s = await setup(t, { hooks: null, practice: { text: true } });
  const long = `I can come @ 9 or 10, but not on Monday. ${'Parking is hard there. '.repeat(16)}Thank you!`;
  const wide = `Привет 👍 ${'Можно прийти в среду? '.repeat(9)}`;
  const seed = Number(process.env.SEED ?? Date.now() % 1000);
  console.log(`# SEED=${seed}`);
  for (const kind of ['udh8', 'udh16', 'sar']) {
    for (const [text, ucs2, count] of [
      [long, false, 3],
      [wide, true, 4],
      [long, false, 5],
    ]) {
      const phone = nextPhone();
      const all = parts(text, count, { kind, ucs2 });
      for (const part of shuffle([...all, all[count - 1], all[0]], seed)) await deliver(s, phone, part);
      await deliver(s, phone, all[1]); // the whole text was delivered by now
      assert.deepEqual(await bodies(s, phone), [text], `${kind}, ${count} parts`);
      const [row] = await rows(s, phone);
      assert.equal(row.parts, count);
      assert.equal(row.incomplete, false);
      assert.equal(row.raw, null);
      const told = await events(s, phone, 'reply.received');
      assert.equal(told.length, 1);
      assert.equal(told[0].data.parts, count);
    }
  }
  const left = await s.db.sql('SELECT 1 FROM smsbridge.inbound_part WHERE octets IS NOT NULL');
  assert.equal(left.length, 0, 'joined texts leave no octets behind');
  await s.hooks.got('reply.received', (d) => d.text === long);
  assert.equal(s.hooks.of('reply.received').filter((h) => h.body.data.missing_parts).length, 0);
});

test('trap 40: a text in message_payload, alone and in parts', async (t) => {
  const s = await setup(t, {});
  const text = 'All in one piece. '.repeat(40);
  keepBody(text);
  const phone = nextPhone();
  await deliver(s, phone, { short_message: '', message_payload: Buffer.from(text) });
  assert.deepEqual(await bodies(s, phone), [text]);
  const other = nextPhone();
  for (const { short_message: octets, ...fields } of parts(text, 6).reverse())
    await deliver(s, other, { ...fields, short_message: '', message_payload: octets });
  assert.deepEqual(await bodies(s, other), [text]);
});

test('trap 39: parts over two lines and to two gateways, with a restart in between', async (t) => {
  const s = await setup(t, { link: { links: 2 } });
  await s.carrier.bound(2);
  const text = `One ${'two three '.repeat(40)}four`;
  const phone = nextPhone();
  const all = parts(text, 3);
  const [first, second] = [...s.carrier.sessions];
  await deliver(s, phone, all[2], first);
  await deliver(s, phone, all[0], second);
  await deliver(s, phone, all[2], second);
  assert.deepEqual(await rows(s, phone), []);
  await s.gateway.stop();
  await s.gateway.start();
  await s.carrier.bound(1);
  const other = new Carrier();
  await other.start();
  atEnd(t, () => other.stop());
  const g = await another(t, s, { carrier: other });
  await g.start();
  await other.bound();
  await deliver({ ...s, carrier: other, practice: s.practice, db: s.db }, phone, all[1]);
  assert.deepEqual(await bodies(s, phone), [text]);
});

test('trap 39: a reference that comes again is another text', async (t) => {
  const s = await setup(t, {});
  const phone = nextPhone();
  const one = parts('The first text is this one, and here it ends.', 2, { reference: 9 });
  const two = parts('Another text altogether, with the same number.', 2, { reference: 9 });
  const three = parts('In three parts with the same number, this one is.', 3, { reference: 9 });
  await deliver(s, phone, one[0]);
  await deliver(s, phone, two[0]); // the place is taken: the second text begins
  await deliver(s, phone, three[2]);
  await deliver(s, phone, two[1]); // goes to the newer one
  await deliver(s, phone, one[1]);
  await deliver(s, phone, three[0]);
  await deliver(s, phone, three[1]);
  assert.deepEqual(
    new Set(await bodies(s, phone)),
    new Set([
      'The first text is this one, and here it ends.',
      'Another text altogether, with the same number.',
      'In three parts with the same number, this one is.',
    ]),
  );
  const other = nextPhone();
  await deliver(s, other, one[0]); // another phone counts for itself
  await deliver(s, phone, one[1]); // known: repeated
  assert.deepEqual(await rows(s, other), []);
  assert.equal((await rows(s, phone)).length, 3);
  const four = parts('A fourth one whose end comes before its beginning', 2, { reference: 9 });
  await deliver(s, phone, four[1]);
  await deliver(s, phone, one[0]); // a repeat of the first text is no beginning of the fourth
  assert.equal((await rows(s, phone)).length, 3);
  await deliver(s, phone, four[0]);
  assert.equal((await bodies(s, phone)).at(-1), 'A fourth one whose end comes before its beginning');
});

test('trap 39: a text whose parts do not come is delivered incomplete, and says which', async (t) => {
  const s = await setup(t, { hooks: null, practice: { text: true }, config: { policy: { parts_wait: '10m' } } });
  const phone = nextPhone();
  const text = `Before the gap ${'a '.repeat(60)}${'b '.repeat(60)}${'c '.repeat(60)}after it`;
  const all = parts(text, 4);
  await deliver(s, phone, all[3]);
  await deliver(s, phone, all[0]);
  const later = (minutes) => new Date(Date.parse(NOON) + minutes * 60000).toISOString();
  await s.gateway.moveClock(later(9));
  await never(async () => (await rows(s, phone)).length, 'given up early', 1500);
  await s.gateway.moveClock(later(11));
  const [row] = await until(async () => {
    const all = await rows(s, phone);
    return all.length && all;
  }, 'delivered as incomplete');
  assert.equal(row.incomplete, true);
  assert.deepEqual(row.missing, [2, 3]);
  assert.equal(row.parts, 4);
  assert.match(row.body, /^Before the gap .* \[\.\.\.\] .*after it$/);
  const [event] = await events(s, phone, 'reply.received');
  assert.deepEqual(event.data.missing, [2, 3]);
  assert.equal(event.data.incomplete, true);
  const hook = await s.hooks.got('reply.received', (d) => d.reply_id === row.id);
  assert.deepEqual(hook.body.data.missing_parts, [2, 3]);
  await deliver(s, phone, all[0]); // repeated, long after
  await deliver(s, phone, all[3]);
  await s.gateway.moveClock(later(25));
  await never(async () => (await rows(s, phone)).length > 1, 'delivered twice', 1500);
});

test('two gateways give a text up once', async (t) => {
  const s = await setup(t, {});
  const g = await another(t, s);
  await g.start();
  await s.carrier.bound(2);
  const phones = [];
  for (let i = 0; i < 20; i++) {
    phones.push(nextPhone());
    const all = parts(`Half of the text number ${i} only, and no more of it`, 2);
    await deliver(s, phones[i], all[i % 2], [...s.carrier.sessions][i % 2]);
  }
  const later = new Date(Date.parse(NOON) + 660000).toISOString();
  await Promise.all([s.gateway.moveClock(later), g.moveClock(later)]);
  for (const phone of phones) await until(async () => (await rows(s, phone)).length, 'delivered');
  await never(async () => (await s.db.sql('SELECT 1 FROM smsbridge.inbound')).length > 20, 'delivered twice', 1500);
});

test('STOP in one part of several acts when it comes, once', async (t) => {
  const s = await setup(t, {});
  const phone = nextPhone();
  const reference = 77;
  const label = (i, n) => Buffer.from([5, 0, 3, reference, n, i]);
  const part = (i, n, text) => ({ esm_class: 0x40, short_message: Buffer.concat([label(i, n), Buffer.from(text)]) });
  const waiting = await s.api.accepted({ phone, send_at: new Date(Date.parse(NOON) + 3600000).toISOString() });
  const stops = async () =>
    (await events(s, phone, 'opt_out.%')).map((e) => e.type).filter((x) => x !== 'opt_out.in_flight');
  await deliver(s, phone, part(2, 3, ' STOP '));
  assert.deepEqual(await stops(), ['opt_out.created'], 'before its answer');
  assert.equal((await s.db.message(waiting.id)).status, 'canceled');
  assert.deepEqual(await rows(s, phone), []);
  await until(() => s.carrier.to(phone).length === 1, 'the confirmation');
  await deliver(s, phone, part(2, 3, ' STOP '));
  await deliver(s, phone, part(1, 3, 'I have had enough of this. '));
  await s.carrier.mo(phone, s.practice.sender, 'START');
  await deliver(s, phone, part(3, 3, ' Thank you.'));
  const [started, row] = (await rows(s, phone)).sort((a, b) => a.parts - b.parts);
  assert.equal(started.keyword, 'start');
  assert.equal(row.keyword, 'stop');
  assert.equal(row.body, 'I have had enough of this.  STOP  Thank you.');
  assert.deepEqual(await stops(), ['opt_out.created', 'opt_out.lifted'], 'the joined text does not stop again');
  assert.equal((await events(s, phone, 'opt_out.created'))[0].data.inbound_id, row.id);
  await until(() => s.carrier.to(phone).length === 2, 'the confirmation of START');
  await never(() => s.carrier.to(phone).length > 2, 'confirmed again');
  assert.equal((await events(s, phone, 'reply.received')).length, 1, 'the practice can read the rest');
  const other = nextPhone();
  await deliver(s, other, part(2, 3, 'STOP'));
  await deliver(s, other, part(1, 3, 'Please '));
  await s.carrier.mo(other, s.practice.sender, 'START');
  await deliver(s, other, part(3, 3, ' thank you')); // all of it is a STOP, the one that was acted upon
  assert.deepEqual(
    (await events(s, other, 'opt_out.%')).map((e) => e.type),
    ['opt_out.created', 'opt_out.lifted'],
  );
  assert.equal((await rows(s, other)).find((r) => r.parts === 3).keyword, 'stop');
  assert.equal((await events(s, other, 'reply.received')).length, 0);
  assert.deepEqual(await s.db.sql('SELECT * FROM report.violations'), []);
});

test('words that only the joined text says: STOP stops, HELP helps, START resumes', async (t) => {
  const s = await setup(t, {});
  for (const [word, type, confirmations] of [
    ['STOP', 'opt_out.created', 1],
    ['HELP', 'help.received', 1],
  ]) {
    const phone = nextPhone();
    const all = parts(word, 2);
    await deliver(s, phone, all[1]);
    assert.deepEqual(await events(s, phone), []);
    await deliver(s, phone, all[0]);
    assert.equal((await events(s, phone, type)).length, 1, word);
    await until(() => s.carrier.to(phone).length === confirmations, `answer to ${word}`);
  }
  const phone = nextPhone();
  await s.carrier.mo(phone, s.practice.sender, 'STOP');
  for (const part of parts('Please START', 2).reverse()) await deliver(s, phone, part);
  assert.equal((await events(s, phone, 'opt_out.lifted')).length, 1);
  const half = nextPhone();
  const [start] = parts('START?HELP?', 2);
  await deliver(s, half, start); // alone it would say START
  await s.gateway.moveClock(new Date(Date.parse(NOON) + 660000).toISOString());
  await until(async () => (await rows(s, half)).length, 'given up');
  assert.equal((await events(s, half, 'reply.received')).length, 1, 'half a text is no START');
  assert.deepEqual(await s.db.sql('SELECT * FROM report.violations'), []);
});

test('a header that is none is text: STOP behind a wrong flag stops', async (t) => {
  const s = await setup(t, {});
  const phone = nextPhone();
  await deliver(s, phone, { esm_class: 0x40, short_message: Buffer.from('STOP') });
  assert.equal((await events(s, phone, 'opt_out.created')).length, 1);
  const [row] = await rows(s, phone);
  assert.equal(row.raw.toString(), 'STOP', 'kept as it came');
  const other = nextPhone();
  await deliver(s, other, { esm_class: 0x40, short_message: Buffer.from([5, 0, 3, 1, 2, 3, 72, 105]) }); // 3 of 2
  assert.deepEqual(await bodies(s, other), ['Hi']);
  assert.equal((await rows(s, other))[0].raw.toString('hex'), '0500030102034869');
});

test('trap 36: what data_coding 0 is depends on the carrier', async (t) => {
  const text = '@ £ $ { } _ ñ';
  for (const [alphabet, octets, wanted] of [
    ['gsm7', smpp.encodings.ASCII.encode('@ £ $ € { } _ ñ'), '@ £ $ € { } _ ñ'],
    ['latin1', Buffer.from(text, 'latin1'), text],
    ['ascii', Buffer.from('@ $ { } _'), '@ $ { } _'],
    ['gsm7_packed', Buffer.from('e8329bfd4697d9ec37', 'hex'), 'hellohello'],
  ]) {
    const s = await setup(t, { link: { alphabet } });
    const phone = nextPhone();
    keepBody(wanted);
    await deliver(s, phone, { data_coding: 0, short_message: octets });
    assert.deepEqual(await bodies(s, phone), [wanted], alphabet);
    assert.equal((await rows(s, phone))[0].raw, null);
  }
});

test('trap 37: @ is 0x00 in the GSM alphabet and cuts nothing', async (t) => {
  const s = await setup(t, {});
  const phone = nextPhone();
  const text = 'Write to me@example.org, 5€ {or} [so] @';
  keepBody(text);
  await deliver(s, phone, { short_message: smpp.encodings.ASCII.encode(text) });
  assert.deepEqual(await bodies(s, phone), [text]);
  const cut = smpp.encodings.ASCII.encode('5€'); // 5, escape, e
  const other = nextPhone();
  for (const [i, piece] of [cut.subarray(0, 2), cut.subarray(2)].entries())
    await deliver(s, other, {
      esm_class: 0x40,
      short_message: Buffer.concat([Buffer.from([5, 0, 3, 1, 2, i + 1]), piece]),
    });
  assert.deepEqual(await bodies(s, other), ['5€'], 'an escape cut through by the parts');
});

test('trap 38: data_coding lies; what does not decode is replaced, and the octets are kept', async (t) => {
  const s = await setup(t, {});
  const lies = [
    [1, Buffer.from('héllo', 'utf8'), 'héllo'],
    [1, Buffer.from('h\xe9llo', 'latin1'), 'h\ufffdllo'],
    [8, Buffer.from('0061d83d', 'hex'), 'a\ufffd'],
    [8, Buffer.from('006100', 'hex'), 'a\ufffd'],
    [0, Buffer.from([0x61, 0x80]), 'a\ufffd'],
    [4, Buffer.from('STAY'), 'STAY'],
    [14, Buffer.from([0x41, 0xb0, 0xa1]), 'A\ufffd'],
  ];
  for (const [coding, octets, wanted] of lies) {
    const phone = nextPhone();
    await deliver(s, phone, { data_coding: coding, short_message: octets });
    const [row] = await rows(s, phone);
    assert.equal(row.body, wanted);
    assert.equal(row.raw.toString('hex'), octets.toString('hex'));
  }
  for (const coding of [8, 0xe8, 0x18, 245]) {
    const lied = nextPhone();
    await deliver(s, lied, { data_coding: coding, short_message: Buffer.from('STOP') });
    assert.equal((await events(s, lied, 'opt_out.created')).length, 1, `STOP as data_coding ${coding}`);
    assert.deepEqual(await bodies(s, lied), ['STOP']);
  }
  const phone = nextPhone();
  const smile = Buffer.from('Hi 👍!', 'utf16le').swap16();
  for (const [i, piece] of [smile.subarray(0, 8), smile.subarray(8)].entries())
    await deliver(s, phone, {
      esm_class: 0x40,
      data_coding: 8,
      short_message: Buffer.concat([Buffer.from([5, 0, 3, 1, 2, i + 1]), piece]),
    });
  const [row] = await rows(s, phone);
  assert.equal(row.body, 'Hi 👍!', 'a surrogate pair cut through by the parts');
  assert.equal(row.raw, null);
});

test('national shift tables are read by the language in the header', async (t) => {
  const s = await setup(t, {});
  const phone = nextPhone();
  const turkish = Buffer.from([6, 0x24, 1, 1, 0x25, 1, 1, 0x40, 0x1c, 0x1b, 0x53, 0x20, 0x04]);
  await deliver(s, phone, { esm_class: 0x40, short_message: turkish });
  assert.deepEqual(await bodies(s, phone), ['İŞŞ €']);
  const other = nextPhone();
  const spanish = Buffer.concat([Buffer.from([3, 0x24, 1, 2]), Buffer.from('no m\x1bas')]);
  await deliver(s, other, { esm_class: 0x40, short_message: spanish });
  assert.deepEqual(await bodies(s, other), ['no más']);
});

test('trap 41: unknown and vendor TLVs beside the parts are skipped', async (t) => {
  const s = await setup(t, {});
  const phone = nextPhone();
  const text = 'With a vendor’s tag'.replace('’', "'");
  keepBody(text);
  for (const fields of parts(text, 2)) {
    const pdu = new smpp.PDU('deliver_sm', addressed(s, phone, fields)).toBuffer();
    const sequence = 9000 + pdu[pdu.length - 1];
    const octets = Buffer.concat([pdu, Buffer.from('1403000461626364', 'hex'), Buffer.from('0424ffff00', 'hex')]);
    octets.writeUInt32BE(octets.length, 0);
    octets.writeUInt32BE(sequence, 12);
    await s.carrier.raw(octets);
    await until(
      () => s.carrier.pdus.some((x) => x.pdu.command === 'deliver_sm_resp' && x.pdu.sequence_number === sequence),
      'answered',
    );
  }
  assert.deepEqual(await bodies(s, phone), [text]);
});

/** A line that breaks just before the answer to a delivery is written. */
async function deliverUnheard(s, phone, fields) {
  const { session } = s.carrier;
  const before = (await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.inbound_unheard'))[0].n;
  const pdu = new smpp.PDU('deliver_sm', { ...addressed(s, phone, fields), sequence_number: 4242 });
  session.socket.write(pdu.toBuffer());
  await until(
    async () => (await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.inbound_unheard'))[0].n > before,
    'kept',
  );
  const binds = s.carrier.binds.length;
  session.destroy();
  await until(() => s.carrier.binds.length > binds && s.carrier.session, 'bound again', 30000);
}

test('trap 33: a text that is delivered again after a lost answer is kept once', async (t) => {
  const s = await setup(t, {});
  const phone = nextPhone();
  await deliverUnheard(s, phone, { short_message: 'C' });
  await deliver(s, phone, { short_message: 'C' });
  assert.deepEqual(await bodies(s, phone), ['C']);
  assert.equal((await events(s, phone, 'reply.received')).length, 1);
  assert.equal(await s.gateway.metric('smsbridge_inbound_total', { kind: 'repeated' }), 1);
  // heard by now, so the patient's next "C" is a text of its own
  await until(async () => (await s.db.sql('SELECT 1 FROM smsbridge.inbound_unheard')).length === 0, 'heard');
  await deliver(s, phone, { short_message: 'C' });
  assert.deepEqual(await bodies(s, phone), ['C', 'C']);
});

test('trap 33: a patient who writes the same twice is heard twice', async (t) => {
  const s = await setup(t, { link: { links: 2 } });
  await s.carrier.bound(2);
  const phone = nextPhone();
  await Promise.all([
    deliver(s, phone, { short_message: 'C' }),
    deliver(s, phone, { short_message: 'C' }), // both at once on one line: they had waited somewhere
  ]);
  assert.deepEqual(await bodies(s, phone), ['C', 'C']);
  await until(async () => (await s.db.sql('SELECT 1 FROM smsbridge.inbound_unheard')).length === 0, 'heard');
  const [first] = [...s.carrier.sessions];
  await deliver(s, phone, { short_message: 'C' }, first);
  assert.equal((await rows(s, phone)).length, 3);
  const other = nextPhone();
  await deliver(s, other, { short_message: 'C' });
  await deliver(s, other, { short_message: 'c' });
  assert.deepEqual(await bodies(s, other), ['C', 'c'], 'other octets are another text');
});

test('trap 33: keywords delivered again act once, and a STOP is never taken for a repeat that changes something', async (t) => {
  const s = await setup(t, {});
  // queued in the transaction that acts; the line breaks on purpose, so what is sent may be lost with it
  const notices = async (phone) => (await s.db.sql('SELECT 1 FROM smsbridge.message WHERE phone = $1', [phone])).length;
  const phone = nextPhone();
  await deliverUnheard(s, phone, { short_message: 'STOP' });
  await deliver(s, phone, { short_message: 'STOP' });
  assert.equal((await events(s, phone, 'opt_out.%')).length, 1, 'repeated while it is active: kept once');
  assert.equal(await notices(phone), 1, 'one confirmation');
  const other = nextPhone();
  await deliverUnheard(s, other, { short_message: 'STOP' });
  await deliver(s, other, { short_message: 'START' });
  await deliver(s, other, { short_message: 'STOP' });
  assert.deepEqual(
    (await events(s, other, 'opt_out.%')).map((e) => e.type),
    ['opt_out.created', 'opt_out.lifted', 'opt_out.created'],
  );
  const third = nextPhone();
  await deliver(s, third, { short_message: 'STOP' });
  await deliverUnheard(s, third, { short_message: 'START' });
  await deliver(s, third, { short_message: 'STOP' });
  await deliver(s, third, { short_message: 'START' }); // the old one again: it must not lift what came after it
  assert.equal(
    (await s.db.sql('SELECT 1 FROM smsbridge.opt_out WHERE phone = $1 AND lifted_at IS NULL', [third])).length,
    1,
  );
  const fourth = nextPhone();
  await deliverUnheard(s, fourth, { short_message: 'HELP' });
  await deliver(s, fourth, { short_message: 'HELP' });
  assert.equal(await notices(fourth), 1, 'helped once');
  assert.deepEqual(await s.db.sql('SELECT * FROM report.violations'), []);
});

test('trap 33: a gateway killed before its answer: the next one knows the text', async (t) => {
  const s = await setup(t, {});
  const phone = nextPhone();
  await s.carrier.raw(
    new smpp.PDU('deliver_sm', {
      ...addressed(s, phone, { short_message: 'See you' }),
      sequence_number: 77,
    }).toBuffer(),
  );
  await until(async () => (await rows(s, phone)).length === 1, 'kept');
  await s.gateway.killNow();
  await s.gateway.start();
  await s.carrier.bound();
  await deliver(s, phone, { short_message: 'See you' });
  assert.deepEqual(await bodies(s, phone), ['See you']);
});

test('parts at once over the lines of two gateways: each text once', async (t) => {
  const s = await setup(t, { link: { links: 2 } });
  const g = await another(t, s, { link: { links: 2 } });
  await g.start();
  await s.carrier.bound(4);
  const lines = [...s.carrier.sessions];
  const texts = Array.from({ length: 30 }, (_, i) => `Text number ${i} ${'comes in many pieces, '.repeat(6)}${i}`);
  const phones = texts.map(() => nextPhone());
  let line = 0;
  await Promise.all(
    texts.flatMap((text, i) =>
      parts(text, 5)
        .flatMap((part) => [part, part])
        .map((part) => deliver(s, phones[i], part, lines[line++ % lines.length])),
    ),
  );
  for (const [i, text] of texts.entries()) assert.deepEqual(await bodies(s, phones[i]), [text]);
  const told = await s.db.sql("SELECT 1 FROM smsbridge.event WHERE type = 'reply.received'");
  assert.equal(told.length, texts.length);
});

test('the database drops its connections again and again: no part is lost, no text comes twice', async (t) => {
  const s = await setup(t, { link: { links: 2 } });
  await s.carrier.bound(2);
  const lines = [...s.carrier.sessions];
  const texts = Array.from(
    { length: 12 },
    (_, i) => `Number ${i} is sent while ${'everything falls apart, '.repeat(5)}${i}`,
  );
  const phones = texts.map(() => nextPhone());
  let done = false;
  const all = Promise.all(
    texts.flatMap((text, i) => parts(text, 4).map((part, n) => deliver(s, phones[i], part, lines[n % 2]))),
  ).finally(() => {
    done = true;
  });
  let dropped = 0;
  while (!done && dropped < 5) {
    const [{ n }] = await s.db.sql(
      `SELECT count(pg_terminate_backend(pid))::int AS n FROM pg_stat_activity
       WHERE usename = 'smsbridge_app' AND datname = current_database() AND query LIKE '%inbound%'`,
    );
    dropped += n;
    await until(
      async () => done || (await s.gateway.metric('smsbridge_store_connected', { lane: 'inbound' })) === 1,
      'up',
    );
  }
  await all;
  assert.ok(dropped > 0);
  for (const [i, text] of texts.entries()) assert.deepEqual(await bodies(s, phones[i]), [text]);
  const told = await s.db.sql("SELECT 1 FROM smsbridge.event WHERE type = 'reply.received'");
  assert.equal(told.length, texts.length);
});

/** The examples of a golden page: how, the text, the PDUs. */
function golden(name) {
  const page = fs.readFileSync(path.join(root, 'tests/golden/text', name), 'utf8');
  return [...page.matchAll(/```text (\S+) (\S+) (\S+)\n(.*?)\n```\n\n```hex\n(.*?)```/gs)].map(
    ([, way, alphabet, reference, text, hex]) => ({
      way,
      alphabet,
      reference: parseInt(reference, 16),
      text,
      pdus: hex
        .trim()
        .split('\n')
        .map((line) => Buffer.from(line, 'hex')),
    }),
  );
}

test('trap 39 and trap 40: what we split, npm smpp reads', () => {
  const decoders = {
    gsm7: (octets) => smpp.encodings.ASCII.decode(octets),
    latin1: (octets) => octets.toString('latin1'),
    ucs2: (octets) => Buffer.from(octets).swap16().toString('utf16le'),
  };
  let seen = 0;
  for (const { way, alphabet, reference, text, pdus } of golden('split.md')) {
    const decode = decoders[alphabet];
    if (!decode) continue; // npm smpp does not pack
    const pieces = pdus.map((octets, i) => {
      const known = Buffer.from(octets);
      if (alphabet === 'latin1') known[52] = 3; // its data_coding 0 is always the GSM alphabet
      const pdu = smpp.PDU.fromBuffer(known);
      assert.equal(pdu.command, 'submit_sm');
      const { udh, message } = pdu.short_message;
      assert.equal(Boolean(pdu.esm_class & 0x40), Boolean(udh), 'flag and header together');
      assert.ok(!(udh && pdu.sar_msg_ref_num !== undefined), 'never both');
      if (way === 'udh8' && udh) assert.deepEqual([...udh[0]], [0, 3, reference & 0xff, pdus.length, i + 1]);
      if (way === 'udh16' && udh)
        assert.deepEqual([...udh[0]], [8, 4, reference >> 8, reference & 0xff, pdus.length, i + 1]);
      if (way === 'sar')
        assert.deepEqual(
          [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
          [reference & 0xff, pdus.length, i + 1],
        );
      const carried = pdu.message_payload ? pdu.message_payload.message : message;
      const piece = typeof carried === 'string' ? carried : decode(carried);
      assert.ok(!/[\ud800-\udbff]$/.test(piece), 'no half of a surrogate pair');
      return piece;
    });
    assert.equal(pieces.join(''), text, `${way} ${alphabet}`);
    seen++;
  }
  assert.ok(seen >= 9);
});

test('trap 39 and trap 40: what we split, tshark puts together again', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-split-'));
  const fields = [
    'smpp.sequence_number',
    'gsm_sms_ud.fragment.count',
    'gsm_sms_ud.reassembled.length',
    'gsm_sms_ud.short_msg',
  ];
  let joined = 0;
  try {
    for (const [n, { way, alphabet, text, pdus }] of golden('split.md').entries()) {
      const file = path.join(dir, `${n}.pcap`);
      writePcap(file, [{ packets: pdus.map((octets, i) => ({ fromClient: true, octets, at: Date.now() + i })) }]);
      const args = ['-r', file, '-d', 'tcp.port==2775,smpp'];
      const bad = await must('tshark', [...args, '-Y', '_ws.malformed || (smpp && _ws.expert.severity >= "Warning")']);
      assert.equal(bad.stdout, '', `${way} ${alphabet}`);
      const { stdout } = await must('tshark', [
        ...args,
        '-Y',
        'smpp',
        '-T',
        'fields',
        ...fields.flatMap((field) => ['-e', field]),
      ]);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t'));
      assert.equal(lines.length, pdus.length, 'it sees every PDU');
      if (pdus.length === 1) continue;
      const [, count, length, body] = lines.at(-1);
      const octets = Buffer.from(body.replace(/:/g, ''), 'hex');
      assert.equal(Number(count), pdus.length);
      assert.equal(Number(length), octets.length);
      if (alphabet === 'gsm7') assert.equal(smpp.encodings.ASCII.decode(octets), text);
      joined++;
    }
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
  assert.ok(joined >= 6);
});
