// The traps of SMPP interoperability, receipts and texts: what carriers really send, played by hand over bare sockets.
import assert from 'node:assert/strict';
import test from 'node:test';
import { becomes, byHand, sent, works } from './lib/by_hand.mjs';
import { never, nextPhone, until } from './lib/util.mjs';
import { data, message, pdu, tlv, z } from './lib/wire.mjs';
import { another, practice, world } from './lib/world.mjs';

await world();

const tags = { receipted_message_id: 0x1e, message_state: 0x427, network_error_code: 0x423, message_payload: 0x424 };
const idTlv = (id) => tlv(tags.receipted_message_id, z(id));
const stateTlv = (state) => tlv(tags.message_state, Buffer.from([state]));
const textOf = (id, stat = 'DELIVRD', err = '000') =>
  `id:${id} sub:001 dlvrd:001 submit date:2603021200 done date:2603021201 stat:${stat} err:${err} text:`;

/** A receipt about a reminder; what is not given is as it should be. */
const receipt = (s, m, { text = '', tlvs, esm_class = 4, ...more } = {}) =>
  message({ from: m.draft.phone, to: s.practice.sender, esm_class, text, tlvs: tlvs && Buffer.concat(tlvs), ...more });

async function taken(s, body, { command = 'deliver_sm', session = s.raw.session } = {}) {
  const answer = await session.answered(command, body);
  assert.equal(answer.status, 0);
  return answer;
}

/** Answers submits with the ids that are given, one after another. */
const withIds = (...ids) => ({
  on(p, session) {
    if (p.command !== 'submit_sm' || !ids.length) return false;
    session.write(pdu('submit_sm_resp', { sequence: p.sequence, body: z(ids.shift()) }));
    return true;
  },
});

const inbound = async (s, phone) => s.db.sql('SELECT body FROM smsbridge.inbound WHERE phone = $1', [phone]);
const stays = (s, id, wanted, ms = 300) =>
  never(async () => (await s.db.message(id)).status !== wanted, `left ${wanted}`, ms);

test('trap 25: a receipt before its answer, on the same bind and on the other one', async (t) => {
  const open = [];
  const s = await byHand(t, {
    link: { links: 2, window: 4 },
    on: (p, x) => p.command === 'submit_sm' && open.push([p, x]),
  });
  await s.raw.bound(2);
  for (const same of [true, false]) {
    const m = await s.api.accepted();
    await s.raw.submitted(m.draft);
    const [p, session] = open.pop();
    const other = s.raw.sessions.find((x) => (x === session) === same);
    await taken(s, receipt(s, m, { text: textOf(`early-${same}`) }), { session: other });
    assert.equal((await s.db.message(m.id)).status, 'sending');
    session.write(pdu('submit_sm_resp', { sequence: p.sequence, body: z(`early-${same}`) }));
    await becomes(s, m.id, 'delivered', 20000);
  }
});

test('trap 26: a receipt on another bind, on a later connection, and by another process', async (t) => {
  const s = await byHand(t, { link: { links: 2 } });
  await s.raw.bound(2);
  const [a, b, c] = [await sent(s), await sent(s), await sent(s)];
  const id = async (m) => (await s.db.message(m.id)).carrier_message_id;
  const other = s.raw.sessions.find((x) => x !== a.submit.session);
  await taken(s, receipt(s, a, { text: textOf(await id(a)) }), { session: other });
  await becomes(s, a.id, 'delivered');

  for (const session of s.raw.sessions) session.socket.destroy();
  await s.raw.bound(4);
  await taken(s, receipt(s, b, { text: textOf(await id(b)) }));
  await becomes(s, b.id, 'delivered');

  const second = await another(t, s, { carrier: s.raw });
  await second.start();
  await s.raw.bound(5);
  await taken(s, receipt(s, c, { text: textOf(await id(c)) }), { session: s.raw.sessions[4] });
  await becomes(s, c.id, 'delivered');
});

for (const [ours, theirs] of [
  ['18d0e03a', '0416342074'],
  ['6aad5', '0000436949'],
  ['70BA8A69', '1891273321'],
  ['1891273322', '70BA8A6A'],
  ['0000436950', '436950'],
  ['ABCDEF01', 'abcdef01'],
  ['c0ffee00-1234-Zz', 'c0ffee00-1234-Zz'],
])
  test(`trap 27: the answer says ${ours}, the receipt's text ${theirs}`, async (t) => {
    const s = await byHand(t, withIds(ours));
    const m = await sent(s);
    const decoy = await sent(s);
    await taken(s, receipt(s, m, { text: textOf(theirs) }));
    await becomes(s, m.id, 'delivered');
    assert.equal((await s.db.message(decoy.id)).status, 'sent');
  });

for (const [name, wanted, parts] of [
  ['stat:UNDELIV and message_state 0', 'undelivered', (id) => ({ text: textOf(id, 'UNDELIV'), tlvs: [stateTlv(0)] })],
  ['stat:DELIVRD and message_state 1', 'delivered', (id) => ({ text: textOf(id), tlvs: [idTlv(id), stateTlv(1)] })],
  ['stat:DELIVRD and message_state 6', 'delivered', (id) => ({ text: textOf(id), tlvs: [idTlv(id), stateTlv(6)] })],
  ['stat:DELIVRD and message_state 5', 'undelivered', (id) => ({ text: textOf(id), tlvs: [idTlv(id), stateTlv(5)] })],
  ['an id by TLV and the state by text', 'delivered', (id) => ({ text: 'stat:DELIVRD', tlvs: [idTlv(id)] })],
  ['a state by TLV and the id by text', 'undelivered', (id) => ({ text: `id:${id}`, tlvs: [stateTlv(5)] })],
  ['TLVs only', 'delivered', (id) => ({ tlvs: [idTlv(id), stateTlv(2)] })],
  ['text only', 'delivered', (id) => ({ text: textOf(id) })],
  [
    'another id in the text than by TLV',
    'delivered',
    (id) => ({ text: textOf('zzz'), tlvs: [idTlv(id), stateTlv(2)] }),
  ],
])
  test(`trap 28: ${name}: ${wanted}`, async (t) => {
    const s = await byHand(t, withIds('a1b2c3'));
    const m = await sent(s);
    await taken(s, receipt(s, m, parts('a1b2c3')));
    await becomes(s, m.id, wanted);
  });

for (const [name, wanted, text, fields] of [
  ['other case', 'delivered', (id) => `ID:${id} STAT:delivrd`],
  ['fields in another order', 'delivered', (id) => `stat:DELIVRD err:000 id:${id}`],
  ['14-digit dates', 'delivered', (id) => `id:${id} submit date:20260302120000 done date:20260302120100 stat:DELIVRD`],
  ['dates that are none', 'delivered', (id) => `id:${id} submit date:-- done date:99999999 stat:DELIVRD err:0x1F`],
  ['a long word for the state', 'undelivered', (id) => `id:${id} stat:UNDELIVERABLE err:1 text:xxx`],
  ['two blanks and a NUL', 'delivered', (id) => `id:${id}  sub:001  stat:DELIVRD\0`],
  ['binary data_coding', 'delivered', (id) => textOf(id), { data_coding: 4 }],
  ['UCS-2 data_coding over ASCII', 'delivered', (id) => textOf(id), { data_coding: 8 }],
  ['UCS-2 text', 'delivered', (id) => Buffer.from(textOf(id), 'utf16le').swap16(), { data_coding: 8 }],
  ['the patient’s text full of labels', 'delivered', (id) => `${textOf(id)}id:x stat:UNDELIV`],
])
  test(`trap 29: receipt with ${name}: ${wanted}`, async (t) => {
    const s = await byHand(t, withIds('77ff01'));
    const m = await sent(s);
    await taken(s, receipt(s, m, { text: text('77ff01'), ...fields }));
    await becomes(s, m.id, wanted);
  });

test('trap 30: only what is flagged and readable is a receipt; the rest is a text from a patient', async (t) => {
  const s = await byHand(t, withIds('b0b0'));
  const m = await sent(s);
  await taken(s, receipt(s, m, { text: textOf('b0b0', 'ENROUTE'), esm_class: 0x20 }));
  await stays(s, m.id, 'sent');
  assert.deepEqual(await inbound(s, m.draft.phone), [], 'an intermediate notification is no text');
  const flagged = nextPhone();
  await taken(s, message({ from: flagged, to: s.practice.sender, esm_class: 4, text: 'Running late, sorry' }));
  assert.deepEqual(await inbound(s, flagged), [{ body: 'Running late, sorry' }]);
  const stop = nextPhone();
  await taken(s, message({ from: stop, to: s.practice.sender, esm_class: 4, text: 'STOP' }));
  const blocked = await s.api.accepted({ phone: stop });
  await becomes(s, blocked.id, 'blocked');
  const plain = nextPhone();
  await taken(s, message({ from: plain, to: s.practice.sender, esm_class: 0, text: textOf('b0b0') }));
  assert.equal(
    (await s.db.message(m.id)).status,
    'sent',
    'not flagged: whatever it says, a patient may have written it',
  );
  await taken(s, receipt(s, m, { text: textOf('b0b0'), esm_class: 0x44 & ~0x40 }));
  await becomes(s, m.id, 'delivered');
});

for (const [name, command, body] of [
  ['in message_payload', 'deliver_sm', (s, m, id) => receipt(s, m, { tlvs: [tlv(0x424, textOf(id))] })],
  [
    'in data_sm, by TLV',
    'data_sm',
    (s, m, id) =>
      data({ from: m.draft.phone, to: s.practice.sender, esm_class: 4, tlvs: Buffer.concat([idTlv(id), stateTlv(2)]) }),
  ],
  [
    'in data_sm, by message_payload',
    'data_sm',
    (s, m, id) => data({ from: m.draft.phone, to: s.practice.sender, esm_class: 4, tlvs: tlv(0x424, textOf(id)) }),
  ],
])
  // covers: ESME IN data_sm, ESME OUT data_sm_resp
  test(`trap 31: a receipt ${name}`, async (t) => {
    const s = await byHand(t, withIds('dada01'));
    const m = await sent(s);
    await taken(s, body(s, m, 'dada01'), { command });
    await becomes(s, m.id, 'delivered');
  });

test('trap 32: receipted_message_id without its NUL, and with octets behind it', async (t) => {
  const s = await byHand(t, withIds('e1e1', 'e2e2'));
  const [a, b] = [await sent(s), await sent(s)];
  await taken(s, receipt(s, a, { tlvs: [tlv(tags.receipted_message_id, 'e1e1'), stateTlv(2)] }));
  await becomes(s, a.id, 'delivered');
  await taken(s, receipt(s, b, { tlvs: [tlv(tags.receipted_message_id, 'e2e2\0\0\0x'), stateTlv(2)] }));
  await becomes(s, b.id, 'delivered');
});

test('trap 33: a receipt that comes again moves nothing twice', async (t) => {
  const s = await byHand(t, withIds('f00d'));
  const m = await sent(s);
  for (let i = 0; i < 3; i++) await taken(s, receipt(s, m, { text: textOf('f00d') }));
  await becomes(s, m.id, 'delivered');
  const events = (await s.db.events(m.id)).filter((e) => e.type === 'message.delivered');
  assert.equal(events.length, 1);
});

test('trap 33: a text that comes again because its answer was lost is kept and told once', async (t) => {
  const s = await byHand(t);
  const phone = nextPhone();
  const body = message({ from: phone, to: s.practice.sender, text: 'Can I come at 10 instead?' });
  const first = s.raw.session;
  first.ask('deliver_sm', body);
  await until(async () => (await inbound(s, phone)).length, 'kept');
  first.socket.destroy();
  await s.raw.bound(2);
  await taken(s, body);
  await taken(s, body);
  assert.equal((await inbound(s, phone)).length, 1);
  const told = await s.db.sql("SELECT 1 FROM smsbridge.event WHERE type = 'reply.received' AND phone = $1", [phone]);
  assert.equal(told.length, 1);
});

test('trap 34: ACCEPTD, ENROUTE, BUFFRED first; then DELIVRD with an error number; then nothing moves it back', async (t) => {
  const s = await byHand(t, withIds('5ea1'));
  const m = await sent(s);
  for (const stat of ['ACCEPTD', 'ENROUTE', 'BUFFRED']) await taken(s, receipt(s, m, { text: textOf('5ea1', stat) }));
  await stays(s, m.id, 'sent');
  await taken(s, receipt(s, m, { text: textOf('5ea1', 'DELIVRD', '002') }));
  await becomes(s, m.id, 'delivered');
  for (const stat of ['ENROUTE', 'UNDELIV']) await taken(s, receipt(s, m, { text: textOf('5ea1', stat) }));
  await stays(s, m.id, 'delivered');
});

for (const [name, fields] of [
  ['not swapped', (s, m) => ({ from: s.practice.sender, to: m.draft.phone })],
  ['empty', () => ({ from: '', to: '' })],
  ['alphanumeric, with TON 5', () => ({ from: 'ELMCLINIC', to: 'INFO', ton: 5, npi: 0 })],
  ['of undefined types', () => ({ ton: 250, npi: 99 })],
  ['of 20 octets', () => ({ from: '12345678901234567890', to: '98765432109876543210' })],
])
  test(`trap 35: a receipt whose addresses are ${name} finds its message by id`, async (t) => {
    const s = await byHand(t, withIds('add4e55'));
    const m = await sent(s);
    await taken(s, receipt(s, m, { text: textOf('add4e55'), ...fields(s, m) }));
    await becomes(s, m.id, 'delivered');
  });

test('trap 37: @ is 0x00: it cuts no text, out or in; two-septet characters are counted', async (t) => {
  const s = await byHand(t);
  const m = await s.api.accepted({ body: 'Mail us @ front@desk or bring € {now}' });
  const submit = await until(() => s.raw.submits()[0], 'submitted');
  const gsm = Buffer.from('Mail us \0 front\0desk or bring \x1b\x65 \x1b\x28now\x1b\x29', 'latin1');
  assert.deepEqual(submit.octets, gsm);
  await becomes(s, m.id, 'sent');
  const phone = nextPhone();
  await taken(s, message({ from: phone, to: s.practice.sender, text: Buffer.from('a\0b \x1b\x65\0', 'latin1') }));
  assert.deepEqual(await inbound(s, phone), [{ body: 'a@b €@' }]);
  const at = nextPhone();
  await taken(s, message({ from: at, to: s.practice.sender, text: Buffer.from([0]) }));
  assert.deepEqual(await inbound(s, at), [{ body: '@' }]);
});

for (const [name, data_coding, octets, wanted] of [
  ['data_coding 1 with UTF-8', 1, Buffer.from('Grüße'), 'Gr'],
  ['UCS-2 with an odd length', 8, Buffer.from('0041004200', 'hex'), 'AB'],
  ['UCS-2 cut within a surrogate pair', 8, Buffer.from('0041d83d', 'hex'), 'A'],
  ['a lone low surrogate', 8, Buffer.from('de000041', 'hex'), 'A'],
  ['a data_coding that nobody knows', 0x77, Buffer.from('STOP please'), 'STOP please'],
])
  test(`trap 38: ${name} is taken and kept readable`, async (t) => {
    const s = await byHand(t);
    const phone = nextPhone();
    await taken(s, message({ from: phone, to: s.practice.sender, data_coding, text: octets }));
    const [row] = await inbound(s, phone);
    assert.ok(row, 'kept');
    if (wanted) assert.ok(row.body.includes(wanted), JSON.stringify(row.body));
    await works(s);
  });

for (const [name, tail] of [
  ['a vendor’s TLV', tlv(0x1400, 'message type')],
  ['a TLV from beyond the vendors’ range', tlv(0x7fff, Buffer.alloc(40, 7))],
  ['a known TLV on the wrong PDU', tlv(0x0210, '\x34')],
  ['the same TLV three times', Buffer.concat([tlv(0x1401, 'a'), tlv(0x1401, 'b'), tlv(0x1401, 'c')])],
  ['a TLV of no octet', tlv(0x1400, '')],
  ['a TLV that claims more than is there', tlv(0x1400, 'x', 900)],
  ['half a TLV', Buffer.from([0x14])],
  ['one stray NUL', Buffer.alloc(1)],
  ['three stray NULs', Buffer.alloc(3)],
  ['a message_state of three octets', tlv(tags.message_state, 'abc')],
])
  test(`trap 41: ${name} behind a text: the text is kept`, async (t) => {
    const s = await byHand(t);
    const phone = nextPhone();
    await taken(s, message({ from: phone, to: s.practice.sender, text: 'Is the door open?', tlvs: tail }));
    assert.deepEqual(await inbound(s, phone), [{ body: 'Is the door open?' }]);
    await works(s);
    assert.equal(s.raw.sessions.length, 1);
  });

test('trap 42: numbers leave without +, by the configured types; any type is taken inbound', async (t) => {
  const s = await byHand(t, { link: { source_ton: 3, source_npi: 0 } });
  const { submit } = await sent(s);
  assert.equal(submit.from, s.practice.sender.slice(1));
  assert.match(submit.to, /^1\d{10}$/);
  assert.deepEqual([submit.source_ton, submit.source_npi, submit.dest_ton, submit.dest_npi], [3, 0, 1, 1]);
  for (const [ton, npi] of [
    [0, 0],
    [2, 8],
    [5, 0],
    [7, 14],
    [255, 255],
  ]) {
    const phone = nextPhone();
    await taken(s, message({ from: phone, to: s.practice.sender, ton, npi, text: 'hello' }));
    assert.equal((await inbound(s, phone)).length, 1, `ton ${ton}`);
  }
});

for (const [validity, form] of [
  ['relative', /^0000\d{8}000R$/],
  ['absolute', /^\d{12}0[0-4]\d[+-]$/],
  ['none', /^$/],
])
  test(`trap 43: validity_period ${validity}: 16 characters, and it ends when the message does`, async (t) => {
    const s = await byHand(t, { link: { validity } });
    const { submit } = await sent(s, { expires_at: '2026-03-03T02:00:00Z' }); // nine hours from noon in New York
    assert.match(submit.validity, form);
    if (validity === 'relative') assert.ok(submit.validity <= '000000090000000R', submit.validity);
    if (validity === 'absolute') assert.ok(submit.validity <= '260303020000000+', submit.validity);
    if (validity !== 'none') assert.ok(submit.validity > '000000000000000R');
  });

test('trap 44: TLVs that a carrier requires are on every submit, as configured', async (t) => {
  const s = await byHand(t, {
    link: { tlvs: '0x1400=text:campaign-7 0x1501=cstring:reg 0x1502=hex:0A0B 0x1503=u16:258' },
  });
  const { submit } = await sent(s);
  const tlvs = Object.fromEntries([...submit.tlvs].map(([tag, value]) => [tag, value.toString('latin1')]));
  assert.deepEqual(
    [tlvs[0x1400], tlvs[0x1501], tlvs[0x1502], tlvs[0x1503]],
    ['campaign-7', 'reg\0', '\x0a\x0b', '\x01\x02'],
  );
});

for (const [name, status] of [
  ['a TLV that is missing', 0xc3],
  ['a TLV value that is not allowed', 0xc4],
])
  test(`trap 44: a submit refused for ${name} fails with that name, and is not sent again`, async (t) => {
    const s = await byHand(t, {
      on(p, session) {
        if (p.command !== 'submit_sm') return false;
        session.write(pdu('submit_sm_resp', { sequence: p.sequence, status }));
        return true;
      },
    });
    const m = await s.api.accepted();
    await becomes(s, m.id, 'failed');
    const told = (await s.db.events(m.id)).find((e) => e.type === 'message.failed');
    assert.match(told.data.command_status, status === 0xc3 ? /MISSINGTLV/ : /INVTLVVAL/);
    assert.equal(s.raw.submits().length, 1);
  });

test('trap 44: a STOP is honoured for what waits already', async (t) => {
  let open;
  const s = await byHand(t, {
    link: { window: 1 },
    on(p, session) {
      if (p.command !== 'submit_sm' || open) return false;
      open = () => session.doRight(p);
      return true;
    },
  });
  const phone = nextPhone();
  const first = await s.api.accepted();
  await s.raw.submitted(first.draft);
  const waiting = await s.api.accepted({ phone });
  await taken(s, message({ from: phone, to: s.practice.sender, text: 'STOP' }));
  open();
  await becomes(s, first.id, 'sent');
  const row = await until(async () => {
    const m = await s.db.message(waiting.id);
    return ['canceled', 'blocked'].includes(m.status) && m;
  }, 'it never leaves');
  assert.equal(row.reason, 'canceled_by_opt_out');
  assert.deepEqual(
    s.raw.submits().filter((x) => x.text === waiting.draft.body),
    [],
  );
  await until(() => s.raw.submits().some((x) => x.to === phone.slice(1)), 'the one confirmation');
});
