// The traps of SMPP interoperability, sessions and answers: what carriers and customers really do, played by hand over
// bare sockets, against the gateway and against our message centre's side (smsbridge smsc).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import tls from 'node:tls';
import { once } from 'node:events';
import test from 'node:test';
import { becomes, byHand, sent, works } from './lib/by_hand.mjs';
import { selfSigned } from './lib/gateway.mjs';
import { PlainSmsc } from './lib/plain_smsc.mjs';
import { Tap } from './lib/tap.mjs';
import { never, nextPhone, pause, until } from './lib/util.mjs';
import { bind, message, pdu, RawCustomer, tlv, z } from './lib/wire.mjs';
import { atEnd, setup, world } from './lib/world.mjs';

await world();

const each = (octets) => [...octets].map((o) => Buffer.from([o]));
const text = (s, body, from = nextPhone()) => message({ from, to: s.practice.sender, text: body });
const kept = async (s, body) => (await s.db.sql('SELECT 1 FROM smsbridge.inbound WHERE body = $1', [body])).length;

async function smsc(t, ...args) {
  const it = await new PlainSmsc().start(...args);
  atEnd(t, () => it.stop());
  return it;
}

async function customer(t, it, on) {
  const c = await RawCustomer.connect(it.port, on);
  atEnd(t, async () => c.socket.destroy());
  return c;
}

test('trap 1: bind answer, enquire_link and a text in one write, then a text in as many writes as octets', async (t) => {
  let body;
  const s = await byHand(t, {
    start: false,
    on(p, session) {
      if (p.command !== 'bind_transceiver') return false;
      const all = [
        pdu('bind_transceiver_resp', { sequence: p.sequence, body: z('raw') }),
        pdu('enquire_link', { sequence: 71 }),
        pdu('deliver_sm', { sequence: 72, body }),
        pdu('enquire_link', { sequence: 73 }),
      ];
      session.write(Buffer.concat(all));
      return true;
    },
  });
  body = text(s, 'behind the bind answer');
  await s.gateway.start();
  const session = await s.raw.bound();
  await session.got('enquire_link_resp', { sequence: 71 });
  await session.got('enquire_link_resp', { sequence: 73 });
  assert.equal((await session.got('deliver_sm_resp', { sequence: 72 })).status, 0);
  assert.equal(await kept(s, 'behind the bind answer'), 1);
  for (const octet of each(pdu('deliver_sm', { sequence: 74, body: text(s, 'octet by octet') }))) {
    await session.write(octet);
    await new Promise(setImmediate);
  }
  assert.equal((await session.got('deliver_sm_resp', { sequence: 74 })).status, 0);
  assert.equal(await kept(s, 'octet by octet'), 1);
  await works(s);
});

test('trap 1: our message centre serves what comes behind a bind in the same segment, in order', async (t) => {
  const c = await customer(t, await smsc(t, '--no-receipts'));
  const body = message({ from: nextPhone(), to: nextPhone(), text: 'first' });
  const all = [
    pdu('bind_transceiver', { sequence: 1, body: bind() }),
    pdu('submit_sm', { sequence: 2, body }),
    pdu('enquire_link', { sequence: 3 }),
    pdu('unbind', { sequence: 4 }),
  ];
  await c.write(Buffer.concat(all));
  await c.got('unbind_resp', { sequence: 4 });
  assert.deepEqual(
    c.pdus.map((p) => [p.command, p.sequence, p.status]),
    [
      ['bind_transceiver_resp', 1, 0],
      ['submit_sm_resp', 2, 0],
      ['enquire_link_resp', 3, 0],
      ['unbind_resp', 4, 0],
    ],
  );
  await c.ended();
});

const impossible = {
  0: Buffer.alloc(16),
  4: Buffer.from('00000004000000150000000000000001', 'hex'),
  15: pdu('enquire_link', { length: 15 }),
  '4 GB': pdu('enquire_link', { length: 0xffffffff }),
  'a TLS hello': Buffer.from('16030100a5010000a10303aabbccdd', 'hex'),
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
};

for (const [name, octets] of Object.entries(impossible))
  test(`trap 2: command_length ${name}: generic_nack with RINVCMDLEN and sequence 0, closed; the next bind is fine`, async (t) => {
    const s = await byHand(t);
    const { session } = s.raw;
    await session.write(octets);
    const nack = await session.got('generic_nack');
    assert.deepEqual([nack.status, nack.sequence], [2, 0]);
    await session.ended();
    await s.raw.bound(2);
    await works(s);

    const it = await smsc(t);
    const other = await customer(t, it);
    await other.bind();
    for (const bound of [false, true]) {
      const c = await customer(t, it);
      if (bound) await c.bind();
      await c.write(octets);
      const refused = await c.got('generic_nack');
      assert.deepEqual([refused.status, refused.sequence], [2, 0]);
      await c.ended();
    }
    await other.answered('enquire_link');
  });

test('trap 3: enquire_link is answered before the bind is, by both roles', async (t) => {
  let answer;
  const s = await byHand(t, {
    bind: false,
    on(p, session) {
      if (p.command !== 'bind_transceiver') return false;
      session.ask('enquire_link', undefined, { sequence: 41 });
      answer = () => session.doRight(p);
      return true;
    },
  });
  await until(() => s.raw.session, 'it connects');
  await s.raw.session.got('enquire_link_resp', { sequence: 41 });
  answer();
  await works(s);
  const c = await customer(t, await smsc(t));
  assert.equal((await c.answered('enquire_link')).status, 0);
  assert.equal((await c.bind()).status, 0);
});

test('trap 3: enquire_link is answered while a text waits for the database', async (t) => {
  const s = await byHand(t);
  const blocker = await s.db.connect();
  await blocker.query('BEGIN; LOCK TABLE smsbridge.inbound IN ACCESS EXCLUSIVE MODE');
  const sequence = s.raw.session.ask('deliver_sm', text(s, 'it waits'));
  for (let i = 0; i < 3; i++) assert.equal((await s.raw.session.answered('enquire_link')).status, 0);
  assert.equal(s.raw.session.of('deliver_sm_resp').length, 0, 'the text is not answered before its commit');
  await blocker.query('ROLLBACK');
  await blocker.end();
  assert.equal((await s.raw.session.got('deliver_sm_resp', { sequence })).status, 0);
});

test('trap 4: no enquire_link before the bind is answered; a timer ends the wait', async (t) => {
  let deaf = true;
  const s = await byHand(t, {
    bind: false,
    link: { enquire_link: '100ms', bind_timeout: '1s' },
    on: (p) => deaf && p.command === 'bind_transceiver',
  });
  await until(() => s.raw.session, 'it connects');
  const first = s.raw.session;
  await first.ended();
  assert.deepEqual(
    first.pdus.map((p) => p.command),
    ['bind_transceiver'],
  );
  deaf = false;
  await until(() => s.raw.session !== first && s.raw.session.of('enquire_link').length, 'it probes once bound');
});

test('trap 5: a dead network: the link is given up, what was open is uncertain and not sent again', async (t) => {
  let quiet = false;
  const s = await byHand(t, { start: false, on: (p) => quiet && p.command === 'submit_sm' });
  const tap = await new Tap({ port: s.raw.port }).start();
  atEnd(t, () => tap.stop());
  Object.assign(s.gateway.config.carriers[0], { port: tap.port, enquire_link: '500ms', answer_timeout: '60s' });
  await s.gateway.start();
  await s.raw.bound();
  quiet = true;
  const m = await s.api.accepted();
  await s.raw.submitted(m.draft);
  tap.hold();
  const since = Date.now();
  await becomes(s, m.id, 'uncertain');
  assert.ok(Date.now() - since < 10000, 'long before answer_timeout');
  assert.match(s.gateway.line('link_down').reason, /enquire_link/);
  quiet = false;
  await s.raw.bound(2);
  await works(s);
  assert.equal(s.raw.submits().filter((x) => x.text === m.draft.body).length, 1);
});

for (const [name, status] of [
  ['RALYBND', 5],
  ['RINVSYSID', 15],
])
  test(`trap 6: a bind refused with ${name} is told at error level and not hammered`, async (t) => {
    let refuse = true;
    const s = await byHand(t, {
      bind: false,
      on(p, session) {
        if (!refuse || p.command !== 'bind_transceiver') return false;
        session.write(pdu('bind_transceiver_resp', { sequence: p.sequence, status }));
        return true;
      },
    });
    const line = await until(() => s.gateway.line('bind_refused'), 'told');
    assert.equal(line.level, 'error');
    assert.equal(line.status, `ESME_${name}`);
    const wait = await until(() => s.gateway.line('link_reconnect'), 'a wait is planned');
    assert.ok(wait.delay_ms >= 2500, `${wait.delay_ms} ms`);
    await never(() => s.raw.sessions.length > 1, 'binds again at once', 2000);
    refuse = false;
    await until(() => s.raw.sessions.length === 2, 'binds again in the end', 30000);
    await works(s);
  });

test('trap 7: any interface_version may bind; TLVs only from 0x34 on', async (t) => {
  const it = await smsc(t);
  for (const version of [0x00, 0x03, 0x22, 0x33, 0x34, 0x40, 0x50, 0x51, 0xff]) {
    const c = await customer(t, it);
    const answer = await c.bind('transceiver', { version });
    const name = `0x${version.toString(16)}`;
    assert.equal(answer.status, 0, name);
    const says = answer.body.includes(Buffer.from('02100001', 'hex'));
    assert.equal(says, version >= 0x34, `${name}: sc_interface_version`);
    c.socket.destroy();
  }
});

for (const [name, body] of Object.entries({
  'without sc_interface_version': z('raw'),
  'with the bare octet of the version': Buffer.concat([z('raw'), Buffer.from([0x34])]),
  'with a TLV longer than the PDU': Buffer.concat([z('raw'), tlv(0x0210, '\x34', 200)]),
  'with a version of no octet': Buffer.concat([z('raw'), tlv(0x0210, '')]),
  'with version 0x33': Buffer.concat([z('raw'), tlv(0x0210, '\x33')]),
  'with a system_id without its end': Buffer.from('raw'),
  'with no body at all': Buffer.alloc(0),
}))
  test(`trap 8: a bind answer of status 0 ${name} binds`, async (t) => {
    const s = await byHand(t, {
      on(p, session) {
        if (p.command !== 'bind_transceiver') return false;
        session.write(pdu('bind_transceiver_resp', { sequence: p.sequence, body }));
        return true;
      },
    });
    await works(s);
    assert.equal(s.raw.sessions.length, 1);
  });

test('trap 9: a password longer than the specification is sent as it is', async (t) => {
  const password = 'a-provider-gave-this-one-out-and-it-has-58-octets-in-all-.';
  const s = await byHand(t, { link: { password, system_id: 'a-system-id-of-more-than-15' } });
  assert.ok(s.raw.session.pdus[0].body.includes(z('a-system-id-of-more-than-15')));
  assert.ok(s.raw.session.pdus[0].body.includes(z(password)));
  await works(s);
});

for (const [name, end] of Object.entries({
  'answered and closed at once': (p, session) => session.socket.end(pdu('unbind_resp', { sequence: p.sequence })),
  'closed without an answer': (p, session) => session.socket.end(),
  'reset without an answer': (p, session) => session.socket.resetAndDestroy(),
  'never answered': () => {},
}))
  test(`trap 10: our unbind is ${name}: exit 0, and what was in flight was waited for`, async (t) => {
    const open = [];
    const s = await byHand(t, {
      on(p, session) {
        if (p.command === 'submit_sm') open.push(() => session.doRight(p));
        if (p.command === 'unbind') end(p, session);
        return ['submit_sm', 'unbind'].includes(p.command);
      },
    });
    const m = await s.api.accepted();
    await s.raw.submitted(m.draft);
    await s.gateway.keepMetrics();
    s.gateway.signal('SIGTERM');
    await until(() => s.gateway.line('draining'), 'draining');
    assert.equal(s.raw.session.of('unbind').length, 0, 'the answer is waited for');
    open[0]();
    assert.deepEqual(await s.gateway.exited, { code: 0, signal: null });
    assert.equal(s.raw.session.of('unbind').length, 1);
    assert.equal((await s.db.message(m.id)).status, 'sent');
  });

test("trap 10: a carrier's unbind is answered though submits are open; they are uncertain", async (t) => {
  let quiet = true;
  const s = await byHand(t, { on: (p) => quiet && p.command === 'submit_sm' });
  const m = await s.api.accepted();
  await s.raw.submitted(m.draft);
  assert.equal((await s.raw.session.answered('unbind')).status, 0);
  await becomes(s, m.id, 'uncertain');
  quiet = false;
  await s.raw.bound(2);
  await works(s);
  assert.equal(s.raw.submits().filter((x) => x.text === m.draft.body).length, 1);
});

for (const [name, on] of Object.entries({
  mute: () => true,
  'that answers in plain SMPP': undefined,
}))
  test(`trap 12: TLS towards a plain carrier ${name}: given up in time, told, tried again`, async (t) => {
    const s = await byHand(t, { start: false, on });
    if (!on) s.raw.server.on('connection', (socket) => socket.write(pdu('generic_nack', { sequence: 0, status: 2 })));
    Object.assign(s.gateway.config.carriers[0], { host: 'localhost', tls: true, bind_timeout: '1s' });
    await s.gateway.start();
    const line = await until(() => s.gateway.line('link_down'), 'link_down', 5000);
    assert.match(line.reason, on ? /^no TLS handshake came in time/ : /^plain SMPP where TLS was expected$/);
    await until(() => s.gateway.linesOf('link_down').length >= 2, 'tried again');
  });

test('trap 12: plain SMPP towards a TLS port: given up at once, told, tried again', async (t) => {
  const { cert, key } = await selfSigned();
  const server = tls.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, async () => server.close());
  const s = await setup(t, { start: false });
  s.gateway.config.carriers[0].port = server.address().port;
  await s.gateway.start();
  const line = await until(() => s.gateway.line('link_down'), 'link_down', 5000);
  assert.match(line.reason, /does it expect TLS\?$/, 'OpenSSL sends no alert: that is all there is to know');
  await until(() => s.gateway.linesOf('link_down').length >= 2, 'tried again');
});

for (const [name, octets] of Object.entries({
  looks_like_tls: Buffer.from('15030100020246', 'hex'), // an alert, protocol_version
  looks_like_http: Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
}))
  test(`trap 12: what answers our bind is no SMPP: the log says ${name}`, async (t) => {
    const s = await byHand(t, {
      bind: false,
      on(p, session) {
        session.socket.end(octets);
        return true;
      },
    });
    const line = await until(() => s.gateway.line('link_down'), 'link_down', 5000);
    assert.equal(line.reason, name);
    assert.ok(s.gateway.alive());
  });

test('trap 15: answers in any order go to their message', async (t) => {
  const open = [];
  const s = await byHand(t, { link: { window: 8 }, on: (p) => p.command === 'submit_sm' && open.push(p) });
  const all = [];
  for (let i = 0; i < 8; i++) all.push(await s.api.accepted());
  await until(() => open.length === 8, 'all on the wire');
  for (const i of [5, 0, 7, 2, 1, 6, 4, 3])
    s.raw.session.write(pdu('submit_sm_resp', { sequence: open[i].sequence, body: z(`id-${open[i].sequence}`) }));
  const to = new Map(s.raw.submits().map((x) => [x.text, x.sequence]));
  for (const m of all) {
    const row = await becomes(s, m.id, 'sent');
    assert.equal(row.carrier_message_id, `id-${to.get(m.draft.body)}`);
  }
});

test('trap 16: any sequence_number is echoed; ours rise from 1 and none is used twice', async (t) => {
  const s = await byHand(t);
  for (const sequence of [0, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff]) {
    assert.equal((await s.raw.session.answered('enquire_link', undefined, { sequence })).status, 0);
    const answer = await s.raw.session.answered('deliver_sm', text(s, `number ${sequence}`), { sequence });
    assert.equal(answer.status, 0);
  }
  for (let i = 0; i < 5; i++) await sent(s);
  const ours = s.raw.session.pdus.filter((p) => !/_resp$/.test(p.command)).map((p) => p.sequence);
  assert.deepEqual(
    ours,
    [...ours].sort((a, b) => a - b),
  );
  assert.equal(new Set(ours).size, ours.length);
  assert.ok(ours[0] >= 1 && ours.at(-1) <= 0x7fffffff);
});

// covers: ESME IN generic_nack
test('trap 17: generic_nack for a submit fails that one; nacks of nothing are borne twice; none is answered', async (t) => {
  let status = 3;
  const s = await byHand(t, {
    on(p, session) {
      if (p.command !== 'submit_sm' || !status) return false;
      session.write(pdu('generic_nack', { sequence: p.sequence, status }));
      return true;
    },
  });
  const m = await s.api.accepted();
  await becomes(s, m.id, 'failed');
  status = 0;
  const { session } = s.raw;
  for (let i = 0; i < 2; i++) await session.write(pdu('generic_nack', { sequence: 0, status: 3 }));
  await session.write(pdu('generic_nack', { sequence: 987654, status: 3 }));
  await works(s);
  assert.equal(s.raw.sessions.length, 1);
  await session.write(pdu('generic_nack', { sequence: 0, status: 2 }));
  await session.ended();
  assert.equal(session.of('generic_nack').length, 0, 'a nack is not answered');
  await s.raw.bound(2);
  await works(s);
});

for (const [name, body] of Object.entries({
  'no body': Buffer.alloc(0),
  'an empty id': z(''),
  'a full id': z('4f3a2b1c'),
  'an id and TLVs': Buffer.concat([z('x'), tlv(0x0425, '\x01'), tlv(0x1d, 'no such number\0')]),
  'TLVs only': tlv(0x1d, 'no such number\0'),
  'an id without its end': Buffer.from('abc'),
  'an id of 200 octets': z('x'.repeat(200)),
  'a TLV longer than the PDU': Buffer.concat([z(''), tlv(0x1d, 'x', 500)]),
}))
  test(`trap 18: an error answer with ${name} is an error answer, and the session stays`, async (t) => {
    let status = 0x0b;
    const s = await byHand(t, {
      on(p, session) {
        if (p.command !== 'submit_sm' || !status) return false;
        session.write(pdu('submit_sm_resp', { sequence: p.sequence, status, body }));
        return true;
      },
    });
    const m = await s.api.accepted();
    const row = await becomes(s, m.id, 'failed');
    assert.equal(row.reason, 'carrier_rejected');
    status = 0;
    await works(s);
    assert.equal(s.raw.sessions.length, 1);
  });

test('trap 19: our deliver_sm_resp has 17 octets, whatever its status', async (t) => {
  const s = await byHand(t);
  for (const body of [text(s, 'Is the door open?'), message({ from: '', to: '', text: '' }), Buffer.from('\0\x01')]) {
    const answer = await s.raw.session.answered('deliver_sm', body);
    assert.equal(answer.octets.length, 17, `status ${answer.status}`);
    assert.equal(answer.octets[16], 0);
  }
});

test('trap 19: deliver_sm_resp of 16 octets, with an id, with TLVs: all are answers to us', async (t) => {
  const bodies = [Buffer.alloc(0), z('4f3a2b'), Buffer.concat([z(''), tlv(0x1400, 'x')]), Buffer.from('no end')];
  const it = await smsc(t, '--no-receipts');
  const c = await customer(t, it, (p, session) => {
    if (p.command !== 'deliver_sm') return false;
    session.write(pdu('deliver_sm_resp', { sequence: p.sequence, body: bodies[session.of('deliver_sm').length - 1] }));
    return true;
  });
  await c.bind();
  for (let i = 0; i < bodies.length; i++) it.mo(nextPhone(), nextPhone(), `text ${i}`);
  await c.got('deliver_sm', { n: bodies.length });
  await c.answered('enquire_link');
  assert.equal(c.closed, false);
  const figures = await it.stop();
  assert.equal(figures.acknowledged, bodies.length);
});

test('trap 20: a reserved or vendor status is kept as a number and harms nothing', async (t) => {
  let status;
  const s = await byHand(t, {
    on(p, session) {
      if (p.command !== 'submit_sm' || !status) return false;
      session.write(pdu('submit_sm_resp', { sequence: p.sequence, status, body: z('') }));
      return true;
    },
  });
  for (status of [0x22, 0x400, 0x4ff, 0x500, 0x80000000, 0xffffffff]) {
    const m = await s.api.accepted();
    await until(async () => ['failed', 'held'].includes((await s.db.message(m.id)).status), `0x${status.toString(16)}`);
    const told = (await s.db.events(m.id)).find((e) => ['message.failed', 'message.requeued'].includes(e.type));
    const number = status.toString(16).padStart(8, '0');
    assert.match(told.data.command_status, new RegExp(`^(vendor|unknown) 0x${number}$`));
  }
  status = 0;
  await works(s);
});

/** A link that is refused once with a status: which message does it send next, and when? */
function refusedOnce(status, same) {
  return async (t) => {
    let refuse = true;
    const s = await byHand(t, {
      link: { window: 1 },
      on(p, session) {
        if (p.command !== 'submit_sm' || !refuse) return false;
        refuse = false;
        session.write(pdu('submit_sm_resp', { sequence: p.sequence, status, body: z('') }));
        return true;
      },
    });
    const all = [];
    for (let i = 0; i < 4; i++) all.push(await s.api.accepted());
    for (const m of all) await becomes(s, m.id, 'sent', 30000);
    const submits = s.raw.submits();
    assert.equal(submits.length, 5);
    assert.equal(submits[1].text === submits[0].text, same);
    assert.ok(submits[1].at - submits[0].at >= 200, `a pause of ${submits[1].at - submits[0].at} ms`);
    assert.ok(s.gateway.line('link_throttled'));
  };
}
test('trap 21: RTHROTTLED pauses the link; then the message that met it goes first', refusedOnce(0x58, true));
test(
  'trap 22: RMSGQFUL pauses the link; a full queue of one phone does not hold up the others',
  refusedOnce(0x14, false),
);

test('trap 23: a receipt for the second try finds the message; one for the first try too', async (t) => {
  let tries = 0;
  const s = await byHand(t, {
    on(p, session) {
      if (p.command !== 'submit_sm') return false;
      const first = tries++ % 2 === 0;
      const body = z(`try-${tries}`);
      session.write(pdu('submit_sm_resp', { sequence: p.sequence, status: first ? 0x58 : 0, body }));
      return true;
    },
  });
  const m = await s.api.accepted();
  await becomes(s, m.id, 'sent', 30000);
  const receipt = message({
    from: m.draft.phone,
    to: s.practice.sender,
    esm_class: 4,
    text: 'id:try-2 sub:001 dlvrd:001 submit date:2603021200 done date:2603021201 stat:DELIVRD err:000 text:',
  });
  assert.equal((await s.raw.session.answered('deliver_sm', receipt)).status, 0);
  await becomes(s, m.id, 'delivered');
});

test('trap 24: congestion_state 100 pauses, from 90 on it slows; other TLVs in answers are passed over', async (t) => {
  let tlvs = Buffer.alloc(0);
  const s = await byHand(t, {
    link: { window: 1, interface_version: '5.0' },
    on(p, session) {
      if (p.command !== 'submit_sm') return false;
      session.write(pdu('submit_sm_resp', { sequence: p.sequence, body: Buffer.concat([z(`c${p.sequence}`), tlvs]) }));
      return true;
    },
  });
  const pair = async (state) => {
    tlvs = Buffer.concat([tlv(0x1400, 'x'), tlv(0x428, Buffer.from([state])), tlv(0x3fff, Buffer.alloc(9))]);
    const [a, b] = [await s.api.accepted(), await s.api.accepted()];
    for (const m of [a, b]) await becomes(s, m.id, 'sent');
    const at = new Map(s.raw.submits().map((x) => [x.text, x.at]));
    return Math.abs(at.get(b.draft.body) - at.get(a.draft.body));
  };
  const free = await pair(0);
  const paused = await pair(100);
  assert.ok(paused >= 900, `${free} ms free, ${paused} ms at 100`);
  assert.equal(s.raw.sessions.length, 1);
});
