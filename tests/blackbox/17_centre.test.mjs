// The gateway as message centre: carriers and aggregators bind to it, and do what such programs do; by hand, over bare
// sockets. (Programs that we did not write do it in 12_peers.test.mjs.)
import assert from 'node:assert/strict';
import test from 'node:test';
import tls from 'node:tls';
import { becomes } from './lib/by_hand.mjs';
import { centre } from './lib/centre.mjs';
import { selfSigned } from './lib/gateway.mjs';
import { nextPhone, until } from './lib/util.mjs';
import { bind, data, message, pdu, RawCustomer, RawSession, readMessage, tlv, z } from './lib/wire.mjs';
import { atEnd, world } from './lib/world.mjs';

await world();

async function connect(t, s, on) {
  const c = await RawCustomer.connect(s.tap.port, on);
  atEnd(t, async () => c.socket.destroy());
  return c;
}

async function bound(t, s, { kind, on, ...fields } = {}) {
  const c = await connect(t, s, on);
  assert.equal((await c.bind(kind, fields)).status, 0);
  return c;
}

const inbound = async (s, phone) =>
  (await s.db.sql('SELECT body FROM smsbridge.inbound WHERE phone = $1', [phone])).map((r) => r.body);
const guestGone = (s) =>
  until(
    () => s.gateway.line('guest_gone'),
    () => `guest_gone: ${s.gateway.log.slice(-1000)}`,
  );

for (const [version, tlvs] of [
  [0x00, false],
  [0x03, false],
  [0x22, false],
  [0x33, false],
  [0x34, true],
  [0x40, true],
  [0x50, true],
  [0x51, true],
  [0xff, true],
])
  test(`trap 7: a customer that says version 0x${version.toString(16)} is served, ${tlvs ? 'with' : 'without'} TLVs`, async (t) => {
    const s = await centre(t, { accounts: [{ interface_version: '5.0' }] });
    const c = await connect(t, s);
    const answer = await c.bind('transceiver', { version });
    assert.equal(answer.status, 0);
    assert.equal(answer.body.includes(Buffer.from('02100001', 'hex')), tlvs);
    const [patient, text] = [nextPhone(), 'When was it again?'];
    const body = message({ from: patient, to: s.practice.sender, text, registered: 1 });
    const taken = await c.answered('submit_sm', body);
    assert.equal(taken.status, 0);
    assert.deepEqual(await inbound(s, patient), [text]);
    const receipt = readMessage((await c.got('deliver_sm')).body);
    assert.equal(receipt.tlvs.size > 0, tlvs);
    assert.ok(receipt.text.startsWith(`id:${taken.body.toString('latin1', 0, taken.body.length - 1)} `), receipt.text);
    if (!tlvs) assert.ok(taken.body.length <= 9, 'an id that 3.3 has room for');
  });

test('trap 7: with least_version: 3.4 who claims 0 is told and sent TLVs all the same', async (t) => {
  const s = await centre(t, { accounts: [{ least_version: '3.4' }] });
  const c = await connect(t, s);
  assert.ok((await c.bind('transceiver', { version: 0 })).body.includes(Buffer.from('0210000134', 'hex')));
  const body = message({ from: nextPhone(), to: s.practice.sender, text: 'hello', registered: 1 });
  assert.equal((await c.answered('submit_sm', body)).status, 0);
  assert.ok(readMessage((await c.got('deliver_sm')).body).tlvs.size > 0);
});

for (const [name, fields, status] of [
  ['9 octets, one more than specified', { password: 'nine-char' }, 0],
  ['64 octets', { password: 'x'.repeat(64) }, 0],
])
  test(`trap 9: a customer’s password of ${name} is taken`, async (t) => {
    const s = await centre(t, { accounts: [fields] });
    assert.equal((await (await connect(t, s)).bind('transceiver', fields)).status, status);
  });

test('trap 9: what is wrong or too long is refused, is told apart, and cuts nobody else off', async (t) => {
  const s = await centre(t);
  const good = await bound(t, s);
  for (const [fields, wanted] of [
    [{ password: 'pw-of-p' }, 0x0e],
    [{ password: 'pw-of-p1x' }, 0x0e],
    [{ password: '' }, 0x0e],
    [{ password: 'x'.repeat(64) }, 0x0e],
    [{ password: 'x'.repeat(65) }, null],
    [{ password: 'x'.repeat(5000) }, null],
    [{ system_id: 'nobody' }, 0x0f],
    [{ system_id: '' }, 0x0f],
    [{ system_id: 'PEER' }, 0x0f],
    [{ system_id: 'x'.repeat(5000) }, null],
  ]) {
    const c = await connect(t, s);
    const answer = await c.bind('transceiver', fields);
    const what = JSON.stringify(fields).slice(0, 40);
    if (wanted) assert.equal(answer.status, wanted, what);
    else assert.notEqual(answer.status, 0, what);
    c.socket.destroy();
  }
  assert.equal((await good.answered('enquire_link')).status, 0);
  assert.ok((await s.gateway.metric('smsbridge_smpp_binds_refused_total')) >= 7);
});

test('trap 11: a bind for each message; receipts wait for the next bind', async (t) => {
  const s = await centre(t);
  const began = Date.now();
  const ids = [];
  const all = [];
  for (let i = 0; i < 30; i++) {
    const c = await bound(t, s);
    all.push(c);
    const body = message({ from: nextPhone(), to: s.practice.sender, text: `text ${i}`, registered: 1 });
    const answer = await c.answered('submit_sm', body);
    assert.equal(answer.status, 0);
    ids.push(answer.body.toString('latin1', 0, answer.body.length - 1));
    assert.equal((await c.answered('unbind')).status, 0);
    await c.ended();
  }
  t.diagnostic(`30 binds in ${Date.now() - began} ms`);
  all.push(await bound(t, s, { kind: 'receiver' }));
  const told = () => all.flatMap((c) => c.of('deliver_sm').map((p) => /^id:(\w+) /.exec(readMessage(p.body).text)[1]));
  await until(
    () => ids.every((id) => told().includes(id)),
    () => `${told().length} of 30 receipts`,
  );
  assert.equal(told().length, 30, 'each once');
  assert.ok(all.at(-1).of('deliver_sm').length >= 1, 'the last ones waited for somebody who receives');
});

test('trap 11: more binds than its account has links are refused with RALYBND; a free one is taken at once', async (t) => {
  const s = await centre(t, { accounts: [{ links: 2 }] });
  const [first, second] = [await bound(t, s), await bound(t, s)];
  assert.equal((await (await connect(t, s)).bind()).status, 5);
  await first.answered('unbind');
  await first.ended();
  const third = await bound(t, s);
  for (const c of [second, third]) assert.equal((await c.answered('enquire_link')).status, 0);
});

test('trap 12: TLS or HTTP at the plain port: closed, and the log says which', async (t) => {
  const s = await centre(t);
  for (const [octets, reason] of [
    [Buffer.from('16030100a5010000a10303', 'hex'), 'looks_like_tls'],
    [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'looks_like_http'],
  ]) {
    const c = await connect(t, s);
    await c.write(octets);
    await c.ended();
    await until(() => s.gateway.linesOf(reason).length, reason);
  }
  await bound(t, s);
});

test('trap 12: plain SMPP at the TLS port is closed and told; TLS is served', async (t) => {
  const { cert, key, pem } = await selfSigned();
  const s = await centre(t, { smpp: { certificate: cert, key } });
  const c = await connect(t, s);
  await c.write(pdu('bind_transceiver', { body: bind() }));
  await c.ended();
  assert.ok((await guestGone(s)).reason);
  const socket = tls.connect({ port: s.smppPort, host: '127.0.0.1', servername: 'localhost', ca: pem });
  atEnd(t, async () => socket.destroy());
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const safe = new RawSession(socket);
  assert.equal((await safe.answered('bind_transceiver', bind())).status, 0);
});

test('trap 3: customers may ask before they bind; those that never bind are closed', async (t) => {
  const s = await centre(t);
  const c = await connect(t, s);
  assert.equal((await c.answered('enquire_link')).status, 0);
  assert.equal((await c.answered('submit_sm', message({ from: nextPhone(), to: s.practice.sender }))).status, 4);
  assert.equal((await c.bind()).status, 0);
  const mute = await connect(t, s);
  await mute.ended(20000);
  assert.equal((await guestGone(s)).reason, 'bind_timeout');
});

test('trap 5: a customer whose network dies: what was open is uncertain, its place is free again', async (t) => {
  const s = await centre(t, { accounts: [{ links: 1, enquire_link: '500ms' }] });
  await bound(t, s, { on: (p) => p.command === 'deliver_sm' });
  const m = await s.api.accepted();
  await becomes(s, m.id, 'sending');
  s.tap.hold();
  await becomes(s, m.id, 'uncertain');
  const next = await bound(t, s);
  const other = await s.api.accepted();
  await until(() => next.of('deliver_sm').length, 'the next customer is delivered to');
  await becomes(s, other.id, 'sent');
});

for (const [name, body] of [
  ['16 octets', Buffer.alloc(0)],
  ['an id', z('4f3a2b1c')],
  ['an id without its end', Buffer.from('abc')],
  ['TLVs', Buffer.concat([z(''), tlv(0x0425, '\x00'), tlv(0x1400, 'x')])],
  ['a TLV longer than the PDU', Buffer.concat([z(''), tlv(0x1400, 'x', 999)])],
])
  test(`trap 19: a reminder answered by deliver_sm_resp with ${name} is sent`, async (t) => {
    const s = await centre(t);
    await bound(t, s, {
      on(p, session) {
        if (p.command !== 'deliver_sm') return false;
        session.write(pdu('deliver_sm_resp', { sequence: p.sequence, body }));
        return true;
      },
    });
    const m = await s.api.accepted();
    await becomes(s, m.id, 'sent');
  });

test('a customer’s refusal of a reminder ends it or holds it, by its status', async (t) => {
  let status;
  const s = await centre(t);
  await bound(t, s, {
    on(p, session) {
      if (p.command !== 'deliver_sm') return false;
      session.write(pdu('deliver_sm_resp', { sequence: p.sequence, status }));
      return true;
    },
  });
  for (const [code, wanted] of [
    [0x65, 'failed'],
    [0x0b, 'failed'],
    [0x64, 'held'],
    [0x14, 'held'],
  ]) {
    status = code;
    const m = await s.api.accepted();
    await becomes(s, m.id, wanted);
  }
});

// covers: MC IN submit_sm, MC OUT submit_sm_resp, MC IN data_sm, MC OUT data_sm_resp
test('texts come by submit_sm and by data_sm; STOP in either is honoured; each gets an id of its own', async (t) => {
  const s = await centre(t);
  const c = await bound(t, s);
  const ids = new Set();
  for (const [command, make] of [
    ['submit_sm', (from, text) => message({ from, to: s.practice.sender, text })],
    ['data_sm', (from, text) => data({ from, to: s.practice.sender, tlvs: tlv(0x424, text) })],
  ]) {
    const patient = nextPhone();
    const answer = await c.answered(command, make(patient, 'STOP'));
    assert.equal(answer.status, 0);
    ids.add(answer.body.toString('hex'));
    await becomes(s, (await s.api.accepted({ phone: patient })).id, 'blocked');
  }
  assert.equal(ids.size, 2);
});

// covers: MC IN query_sm, MC OUT query_sm_resp, MC IN cancel_sm, MC OUT cancel_sm_resp
test('what a message centre keeps no longer cannot be asked for: refused, and the session goes on', async (t) => {
  const s = await centre(t);
  const c = await bound(t, s);
  const source = Buffer.concat([Buffer.from([1, 1]), z('12125550101')]);
  for (const [command, body, status] of [
    ['query_sm', Buffer.concat([z('x'), source]), 0x67],
    ['cancel_sm', Buffer.concat([z(''), z('x'), source, source]), 0x11],
    [0x111, Buffer.alloc(3), null],
    ['deliver_sm', message({ from: '12125550101', to: '12125550102' }), 4],
    ['bind_transceiver', bind(), 5],
    ['outbind', Buffer.concat([z('x'), z('y')]), null],
  ]) {
    const sequence = c.ask(command, body);
    await c.answered('enquire_link');
    const answer = c.pdus.find((p) => p.sequence === sequence);
    if (status !== null) assert.equal(answer.status, status, String(command));
  }
  assert.equal(c.closed, false);
});
