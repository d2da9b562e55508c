// Carriers and aggregators that connect to us: customers of our message centre as npm smpp plays them, and carriers that
// say outbind, which are played by hand. What traps name is in 17_centre, TLS in 4_tls, broken octets in 15_hostile.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import smpp from 'smpp';
import { account, centre } from './lib/centre.mjs';
import { becomes, counted, heldTo, pour } from './lib/fleet.mjs';
import { keepBody, keepPhone } from './lib/privacy.mjs';
import { never, nextPhone, slow, until } from './lib/util.mjs';
import { data, message, RawCustomer, readMessage, z } from './lib/wire.mjs';
import { atEnd, world } from './lib/world.mjs';

await world();

/** npm smpp as a customer: what is delivered to it is in deliveries, answered as answer says: a status, or null. */
class Customer {
  static async connect(t, port, { answer = () => 0, ...options } = {}) {
    const c = new Customer();
    Object.assign(c, { deliveries: [], pdus: [], answer, closed: false });
    c.session = smpp.connect({ host: '127.0.0.1', port, ...options });
    c.session.setMaxListeners(0);
    c.session.on('error', () => {});
    c.session.on('close', () => {
      c.closed = true;
    });
    c.session.on('pdu', (pdu) => c.take(pdu));
    atEnd(t, async () => c.session.destroy());
    await until(() => c.session.socket.readyState === 'open' || c.closed, 'connected');
    return c;
  }

  async take(pdu) {
    this.pdus.push(pdu);
    if (pdu.command === 'enquire_link') this.session.send(pdu.response());
    if (pdu.command === 'unbind') this.session.send(pdu.response(), () => this.session.close());
    if (pdu.command !== 'deliver_sm' && pdu.command !== 'data_sm') return;
    const text = (pdu.command === 'data_sm' ? pdu.message_payload : pdu.short_message)?.message ?? '';
    const delivery = { at: Date.now(), pdu, text, phone: `+${pdu.destination_addr}`, customer: this };
    this.deliveries.push(delivery);
    const status = await this.answer(delivery);
    if (status !== null) this.session.send(pdu.response({ command_status: status }));
  }

  /** A request; resolves with its answer, or null when the connection ends first. */
  ask(command, fields = {}) {
    return new Promise((resolve) => {
      this.session.once('close', () => resolve(null));
      this.session.send(new smpp.PDU(command, fields), resolve);
    });
  }

  bind(kind = 'transceiver', { system_id = 'peer', password = 'pw-of-p1', ...more } = {}) {
    return this.ask(`bind_${kind}`, { system_id, password, interface_version: 0x34, ...more });
  }

  text(from, to, short_message, more = {}) {
    keepPhone(from);
    keepBody(short_message);
    const addresses = { source_addr: from.replace('+', ''), destination_addr: to.replace('+', '') };
    return this.ask('submit_sm', {
      ...addresses,
      source_addr_ton: 1,
      source_addr_npi: 1,
      dest_addr_ton: 1,
      dest_addr_npi: 1,
      short_message,
      ...more,
    });
  }

  got(draft) {
    return until(
      () => this.deliveries.find((d) => d.phone === draft.phone && d.text === draft.body),
      () => `a delivery of ${JSON.stringify(draft)}; there are ${this.deliveries.length}`,
    );
  }
}

async function bound(t, s, { kind, as, ...options } = {}) {
  const c = await Customer.connect(t, s.smppPort, options);
  const answer = await c.bind(kind, as);
  assert.equal(answer?.command_status, 0);
  return c;
}

const status = async (c, ...as) => (await c.bind(...as))?.command_status;
const refusals = (s) => s.gateway.linesOf('peer_bind_refused').map((l) => l.reason);

test('who binds must be known by name, address and password, in this order', async (t) => {
  const s = await centre(t, {
    accounts: [
      {},
      { name: 'afar', system_id: 'afar', password: 'pw-of-a1', addresses: '192.0.2.0/24 2001:db8::/32' },
      { name: 'near', system_id: 'near', password: 'pw-of-n1', addresses: '192.0.2.9 127.0.0.0/8' },
    ],
  });
  const as = (system_id, password) => ['transceiver', { system_id, password }];
  for (const [who, wanted] of [
    [as('nobody', 'pw-of-p1'), 'ESME_RINVSYSID'],
    [as('peer', 'pw-of-a1'), 'ESME_RINVPASWD'],
    [as('afar', 'pw-of-a1'), 'ESME_RBINDFAIL'],
    [as('afar', 'wrong'), 'ESME_RBINDFAIL'],
    [as('near', 'pw-of-p1'), 'ESME_RINVPASWD'],
    [as('near', 'pw-of-n1'), 'ESME_ROK'],
    [as('peer', 'pw-of-p1'), 'ESME_ROK'],
  ]) {
    const c = await Customer.connect(t, s.smppPort);
    assert.equal(await status(c, ...who), smpp[wanted], JSON.stringify(who));
    if (wanted !== 'ESME_ROK') await until(() => c.closed, 'a refused one is closed');
  }
  assert.deepEqual(refusals(s), ['system_id', 'password', 'address', 'address', 'password']);
  for (const [reason, n] of [
    ['system_id', 1],
    ['address', 2],
    ['password', 2],
  ])
    assert.equal(await s.gateway.metric('smsbridge_smpp_binds_refused_total', { reason }), n);
});

test('reminders go to who receives, in the window and at the rate of the account', async (t) => {
  const s = await centre(t, { accounts: [{ window: 4, rate: 40 }] });
  let open = 0;
  let most = 0;
  const answer = async () => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 60));
    open--;
    return 0;
  };
  const tx = await bound(t, s, { kind: 'transmitter' });
  await pour(s, 60);
  await never(() => tx.deliveries.length, 'delivered to a transmitter', 300);
  const rx = await bound(t, s, { kind: 'receiver', answer });
  await counted(s, { sent: 60 }, 30000);
  assert.equal(most, 4);
  assert.equal(tx.deliveries.length, 0);
  heldTo(rx.deliveries, 40);
  const [{ pdu }] = rx.deliveries;
  assert.equal(pdu.command, 'deliver_sm');
  assert.equal(pdu.source_addr, s.practice.sender.slice(1));
  assert.deepEqual(
    [pdu.esm_class, pdu.registered_delivery, pdu.validity_period, pdu.data_coding],
    [0, 0, '', 0],
    'a delivery asks for nothing',
  );
});

test('a customer that wants data_sm gets data_sm', async (t) => {
  const s = await centre(t, { accounts: [{ submit_with: 'data_sm' }] });
  const c = await bound(t, s);
  const m = await s.api.accepted();
  const { pdu } = await c.got(m.draft);
  assert.equal(pdu.command, 'data_sm');
  assert.equal(pdu.registered_delivery, 0);
  await becomes(s, m.id, 'sent');
});

test('what one customer refuses for now goes to another, what it refuses for good fails', async (t) => {
  const s = await centre(t, {
    accounts: [{}, { name: 'other', system_id: 'other', password: 'pw-of-o1' }],
    config: {
      clock: { start: '2026-03-02T12:00:00-05:00', rate: 20 },
      routes: [{ carrier: 'centre', weight: 1000 }, { carrier: 'other' }],
    },
  });
  let refusal = smpp.ESME_RX_T_APPN;
  const moody = await bound(t, s, { answer: () => refusal });
  const well = await bound(t, s, { as: { system_id: 'other', password: 'pw-of-o1' } });
  const m = await s.api.accepted();
  await moody.got(m.draft);
  await well.got(m.draft);
  await becomes(s, m.id, 'sent');
  refusal = smpp.ESME_RX_R_APPN;
  const failed = await pour(s, 5);
  await until(() => moody.deliveries.length > 1, 'one goes there');
  const [gone] = moody.deliveries.slice(1);
  const { id } = failed.find((x) => x.draft.phone === gone.phone);
  const shown = await becomes(s, id, 'failed');
  assert.equal(shown.reason, 'carrier_rejected');
  assert.equal(shown.counted_at, null);
});

test('a STOP is committed before submit_sm_resp, with its id; the receipt that was asked for says the same id', async (t) => {
  const s = await centre(t);
  const c = await bound(t, s);
  const phone = nextPhone();
  const m = await s.api.accepted({ phone });
  await c.got(m.draft);
  const other = await s.db.connect();
  await other.query('BEGIN');
  await other.query('LOCK TABLE smsbridge.opt_out IN EXCLUSIVE MODE');
  let answer;
  c.text(phone, s.practice.sender, 'STOP', { registered_delivery: 1 }).then((x) => {
    answer = x;
  });
  await until(
    async () => (await s.db.sql("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length,
    'the opt-out waits for us',
  );
  await never(() => answer, 'answered before the commit', 300);
  await other.query('COMMIT');
  await until(() => answer, 'answered');
  const rows = await s.db.sql('SELECT FROM smsbridge.opt_out WHERE phone = $1', [phone]);
  assert.equal(rows.length, 1);
  assert.equal(answer.command_status, 0);
  assert.match(answer.message_id, /^[0-9a-f]{32}$/);
  const told = await until(() => c.deliveries.find((d) => d.pdu.esm_class === 4), 'the receipt');
  assert.equal(told.pdu.receipted_message_id, answer.message_id);
  assert.equal(told.pdu.message_state, 2);
  assert.ok(told.text.startsWith(`id:${answer.message_id} `), told.text);
  assert.equal(told.pdu.destination_addr, phone.slice(1));
  assert.equal(c.deliveries.filter((d) => d.pdu.esm_class === 4).length, 1);
});

test('a receipt for each registered_delivery that a text which arrives deserves', async (t) => {
  const s = await centre(t, { accounts: [{ interface_version: '5.0' }] });
  const c = await bound(t, s, { as: { interface_version: 0x50 } });
  const ids = {};
  for (const registered_delivery of [0, 1, 2, 3, 0x11])
    ids[registered_delivery] = (
      await c.text(nextPhone(), s.practice.sender, `See you, ${registered_delivery}.`, { registered_delivery })
    ).message_id;
  const receipts = () => c.deliveries.filter((d) => d.pdu.esm_class === 4).map((d) => d.pdu.receipted_message_id);
  await until(() => receipts().length >= 3, 'three receipts');
  // 0: none wanted; 2: of failures only; 3: of success only (5.0); 0x11: bits of another kind beside
  assert.deepEqual(new Set(receipts()), new Set([ids[1], ids[3], ids[0x11]]));
});

// covers: MC IN replace_sm, MC OUT replace_sm_resp, MC IN submit_multi, MC OUT submit_multi_resp
test('what a message centre keeps no longer cannot be changed: each request is refused by its own status', async (t) => {
  const s = await centre(t);
  const c = await bound(t, s);
  for (const [command, fields, wanted] of [
    ['query_sm', { message_id: 'x', source_addr: '12125550101' }, 'ESME_RQUERYFAIL'],
    ['cancel_sm', { message_id: 'x', source_addr: '12125550101' }, 'ESME_RCANCELFAIL'],
    ['replace_sm', { message_id: 'x', source_addr: '12125550101', short_message: 'y' }, 'ESME_RREPLACEFAIL'],
    [
      'submit_multi',
      { dest_address: [{ destination_addr: '12125550102' }, { destination_addr: '12125550103' }], short_message: 'y' },
      'ESME_RINVCMDID',
    ],
  ]) {
    const answer = await c.ask(command, fields);
    assert.equal(answer.command, `${command}_resp`);
    assert.equal(answer.command_status, smpp[wanted], command);
  }
  assert.equal((await c.ask('enquire_link')).command_status, 0);
});

test('a customer that goes with deliveries open: they are uncertain, and not sent when it binds again', async (t) => {
  const s = await centre(t, { accounts: [{ window: 5 }] });
  const first = await bound(t, s, { answer: () => null });
  const all = await pour(s, 12);
  await until(() => first.deliveries.length === 5, 'five are open');
  const open = new Set(first.deliveries.map((d) => d.text));
  first.session.destroy();
  await counted(s, { 'uncertain answer_missing': 5, queued: 7 });
  const second = await bound(t, s);
  await counted(s, { 'uncertain answer_missing': 5, sent: 7 });
  for (const m of all)
    assert.equal(second.deliveries.filter((d) => d.text === m.draft.body).length, open.has(m.draft.body) ? 0 : 1);
  assert.ok(s.gateway.linesOf('link_down').length >= 1);
});

test('a storm of good binds: as many as the account has links, the rest are told, and all is well afterwards', async (t) => {
  const s = await centre(t, { accounts: [{ links: 3 }] });
  const many = 60 / slow;
  const storm = await Promise.all(Array.from({ length: many }, () => Customer.connect(t, s.smppPort)));
  const told = await Promise.all(storm.map((c) => status(c)));
  const count = (name) => told.filter((x) => x === smpp[name]).length;
  assert.equal(count('ESME_ROK'), 3, JSON.stringify(told));
  // Passwords are looked at one after the other; whose turn does not come in time is closed, on a busy machine only.
  const late = slow > 1 ? told.filter((x) => x === null).length : 0;
  assert.equal(count('ESME_RALYBND') + count('ESME_RTHROTTLED') + late, many - 3, JSON.stringify(told));
  assert.equal(await s.gateway.metric('smsbridge_smpp_link_bound'), 3);
  for (const c of storm) c.session.destroy();
  await until(async () => (await s.gateway.metric('smsbridge_smpp_link_bound')) === 0, 'the places are free');
  await bound(t, s);
});

test('customers that leave while their password is looked at leave nothing behind', async (t) => {
  const s = await centre(t, { accounts: [{ links: 2 }], smpp: { connections: 40 } });
  const fields = { system_id: 'peer', password: 'pw-wrong', interface_version: 0x34 };
  for (let round = 0; round < 3; round++) {
    const all = await Promise.all(Array.from({ length: 30 }, () => Customer.connect(t, s.smppPort)));
    for (const c of all) c.session.send(new smpp.PDU('bind_transceiver', fields));
    await until(() => all.some((c) => c.pdus.length), 'the first is answered');
    for (const c of all) c.session.destroy();
  }
  const [one, two] = [await bound(t, s), await bound(t, s)];
  for (const c of [one, two]) assert.equal((await c.ask('enquire_link')).command_status, 0);
});

test('more connections than may wait are closed at once; those that are bound do not count', async (t) => {
  const s = await centre(t, { smpp: { connections: 3 } });
  await bound(t, s);
  const mute = await Promise.all([1, 2, 3].map(() => Customer.connect(t, s.smppPort)));
  const more = await Customer.connect(t, s.smppPort);
  await until(() => more.closed, 'the fourth is closed');
  assert.ok(mute.every((c) => !c.closed));
  mute[0].session.destroy();
  await until(async () => {
    const c = await Customer.connect(t, s.smppPort);
    return !c.closed && (await status(c)) === 0;
  }, 'its place is free');
});

test('traffic both ways while others rave: nothing is lost, nobody waits', async (t) => {
  const s = await centre(t, { accounts: [{ window: 20 }] });
  const c = await bound(t, s);
  let raving = true;
  const rave = Promise.all(
    Array.from({ length: 6 }, async (_, i) => {
      for (let n = 0; raving; n++) {
        const socket = net.connect(s.smppPort, '127.0.0.1');
        const gone = new Promise((resolve) => socket.once('close', resolve));
        socket.on('error', () => {});
        const junk = [
          Buffer.alloc(64, i + n),
          Buffer.from('00000010ffffffff0000000000000001', 'hex'),
          Buffer.from(`0000ffff${'00'.repeat(40)}`, 'hex'),
          Buffer.from('0000001000000004000000000000000200000010', 'hex'),
        ][n % 4];
        socket.write(junk);
        setTimeout(() => socket.destroy(), 20);
        await gone;
      }
    }),
  );
  const [all] = await Promise.all([
    pour(s, 150),
    ...Array.from({ length: 50 }, async (_, i) => {
      const answer = await c.text(nextPhone(), s.practice.sender, `I will come, number ${i}.`);
      assert.equal(answer.command_status, 0);
    }),
  ]);
  await counted(s, { sent: all.length }, 30000);
  raving = false;
  await rave;
  const [{ n }] = await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.inbound');
  assert.equal(n, 50);
  assert.equal(new Set(c.deliveries.map((d) => d.text)).size, 150);
  assert.equal(c.closed, false);
});

test('SIGTERM: open deliveries are waited for, customers unbound, guests sent away, nobody let in', async (t) => {
  const s = await centre(t, { accounts: [{ window: 3 }] });
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const c = await bound(t, s, { answer: () => held.then(() => 0) });
  const all = await pour(s, 8);
  await until(() => c.deliveries.length === 3, 'three are open');
  const mute = await Customer.connect(t, s.smppPort);
  const asking = await Customer.connect(t, s.smppPort);
  asking.session.send(new smpp.PDU('bind_transceiver', { system_id: 'peer', password: 'pw-wrong' }));
  s.gateway.signal('SIGTERM');
  await until(() => mute.closed && asking.closed, 'guests are sent away');
  await assert.rejects(
    new Promise((resolve, reject) => {
      net.connect(s.smppPort, '127.0.0.1').once('connect', resolve).once('error', reject);
    }),
    /ECONNREFUSED/,
  );
  assert.ok(s.gateway.alive(), 'it waits');
  release();
  const end = await s.gateway.exited;
  assert.deepEqual(end, { code: 0, signal: null });
  assert.ok(c.pdus.some((p) => p.command === 'unbind'));
  await counted(s, { sent: 3, queued: 5 });
  assert.equal(new Set(c.deliveries.map((d) => d.text)).size, c.deliveries.length);
  assert.equal(all.length, 8);
});

/* --- outbind ------------------------------------------------------------------------------------------------------ */

const TOLD = 'pw-told';

/** A gateway that waits for outbinds; rows: of its carriers. bindTimeout: how long it waits for the answer to its bind. */
async function outbound(t, rows = [{}]) {
  const s = await centre(t, {
    accounts: [],
    smpp: { listen: undefined, outbind_listen: '127.0.0.1:0' },
    rows: (gateway) => Promise.all(rows.map((row) => outboundRow(gateway, row))),
  });
  s.outbindPort = Number(s.gateway.line('smpp_listening').peer.split(':').pop());
  return s;
}

async function outboundRow(gateway, { name = 'caller', outbind_system_id = name, ...row }) {
  const password_file = path.join(gateway.dir, `told-${name}`);
  fs.writeFileSync(password_file, TOLD, { mode: 0o600 });
  const known = await account(gateway, { name, password: 'pw-of-o1' });
  const ours = { connect: 'outbind', system_id: 'smsbridge', outbind_system_id, password_file };
  return { ...known, links: 1, ...ours, ...row };
}

const outbindBody = (system_id = 'caller', password = 'pw-of-o1') => Buffer.concat([z(system_id), z(password)]);

/** A carrier that connects and says outbind; on: as RawSession's. */
async function calls(t, s, { body = outbindBody(), on } = {}) {
  const c = await RawCustomer.connect(s.outbindPort, on);
  atEnd(t, async () => c.socket.destroy());
  if (body) c.ask('outbind', body);
  return c;
}

const ourBind = (c, kind = 'transceiver') => c.got(`bind_${kind}`);
const delivered = (c) => c.of('submit_sm').map((p) => readMessage(p.body).text);

// covers: ESME IN outbind
test('outbind: we bind on the same connection, then all goes both ways, and we unbind', async (t) => {
  const s = await outbound(t, [{ system_type: 'ELM', interface_version: '5.0' }]);
  const early = await s.api.accepted();
  const c = await calls(t, s);
  const bind = await ourBind(c);
  const [system_id, password, system_type] = bind.body.toString('latin1').split('\0');
  assert.deepEqual([system_id, password, system_type], ['smsbridge', TOLD, 'ELM']);
  assert.equal(bind.body.at(-4), 0x50);
  await until(() => delivered(c).includes(early.draft.body), 'what waited goes');
  await becomes(s, early.id, 'sent');
  const { carrier_message_id: id } = await s.db.message(early.id);
  const to = s.practice.sender;
  const receipt = message({ from: early.draft.phone, to, esm_class: 4, text: `id:${id} stat:DELIVRD err:000` });
  assert.equal((await c.answered('deliver_sm', receipt)).status, 0);
  await becomes(s, early.id, 'delivered');
  assert.equal((await c.answered('deliver_sm', message({ from: early.draft.phone, to, text: 'STOP' }))).status, 0);
  await becomes(s, (await s.api.accepted({ phone: early.draft.phone })).id, 'blocked');
  await s.gateway.stop();
  assert.deepEqual(s.gateway.exit, { code: 0, signal: null });
  assert.equal(c.of('unbind').length, 1);
  assert.equal(c.of('bind_transceiver').length, 1);
});

test('outbind: another name, another password, another address: closed without a word', async (t) => {
  const s = await outbound(t, [{}, { name: 'afar', addresses: '192.0.2.0/24' }]);
  for (const body of [
    outbindBody('nobody'),
    outbindBody('caller', 'pw-of-o2'),
    outbindBody('caller', ''),
    outbindBody('CALLER'),
    outbindBody('afar'),
    outbindBody('', ''),
  ]) {
    const c = await calls(t, s, { body });
    await c.ended();
    assert.deepEqual(c.pdus, [], body.toString());
  }
  assert.deepEqual(refusals(s), ['system_id', 'password', 'password', 'system_id', 'address', 'system_id']);
  assert.ok(!s.gateway.log.includes('pw-of-o'), 'no password in the log');
  await ourBind(await calls(t, s));
});

test('outbind: without a name in the row any name will do, the password counts', async (t) => {
  const s = await outbound(t, [{ outbind_system_id: '' }]);
  const wrong = await calls(t, s, { body: outbindBody('whoever', 'pw-of-o2') });
  await wrong.ended();
  await ourBind(await calls(t, s, { body: outbindBody('whoever') }));
});

test('outbind: whatever else comes first is refused, and nothing is bound by it', async (t) => {
  const s = await outbound(t);
  for (const [command, body, status] of [
    ['bind_transceiver', Buffer.concat([z('caller'), z('pw-of-o1'), z(''), Buffer.from([0x34, 0, 0]), z('')]), 4],
    ['submit_sm', message({ from: '+12125550101', to: s.practice.sender, text: 'STOP' }), 4],
    ['deliver_sm', message({ from: '+12125550101', to: s.practice.sender, text: 'STOP' }), 4],
    ['data_sm', data({ from: '+12125550101', to: s.practice.sender }), 4],
    [0x7777, Buffer.alloc(0), 3],
  ]) {
    const c = await calls(t, s, { body: null });
    const sequence = c.ask(command, body);
    const answer = await until(() => c.pdus.find((p) => p.sequence === sequence), `${command} is answered`);
    assert.equal(answer.status, status, String(command));
    assert.equal(c.of('bind_transceiver').length, 0);
    c.socket.destroy();
  }
  const probe = await calls(t, s, { body: null });
  assert.equal((await probe.answered('enquire_link')).status, 0);
  probe.ask('outbind', outbindBody());
  await ourBind(probe);
  assert.deepEqual(await s.db.sql('SELECT FROM smsbridge.inbound'), []);
});

test('outbind: junk and half a PDU are closed; the next one is served', async (t) => {
  const s = await outbound(t);
  for (const junk of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(40, 0xff)]) {
    const c = await calls(t, s, { body: null });
    await c.write(junk);
    await c.ended();
  }
  const long = await calls(t, s, { body: outbindBody('c'.repeat(3000), 'p'.repeat(3000)) });
  await until(() => long.closed || long.pdus.length, 'refused');
  assert.equal(long.of('bind_transceiver').length, 0);
  await ourBind(await calls(t, s));
});

test('outbind: our bind refused or not answered: closed and told; the carrier may call again at once', async (t) => {
  const s = await outbound(t, [{ bind_timeout: '500ms' }]);
  const refusing = await calls(t, s, {
    on: (p, session) => {
      if (p.command !== 'bind_transceiver') return false;
      session.write(session.refusal(p, 0x0e));
      return true;
    },
  });
  await refusing.ended();
  const [told] = s.gateway.linesOf('bind_refused');
  assert.deepEqual([told.level, told.status], ['error', 'ESME_RINVPASWD']);
  const mute = await calls(t, s, { on: (p) => p.command === 'bind_transceiver' });
  await ourBind(mute);
  await mute.ended();
  const c = await calls(t, s);
  const m = await s.api.accepted();
  await until(() => delivered(c).includes(m.draft.body), 'served');
});

test('outbind: more calls than links are closed; when a line breaks the next call takes over, nothing goes twice', async (t) => {
  const s = await outbound(t, [{ links: 2, window: 2 }]);
  const silent = (p) => p.command === 'submit_sm';
  const [one, two] = [await calls(t, s, { on: silent }), await calls(t, s, { on: silent })];
  await Promise.all([ourBind(one), ourBind(two)]);
  await until(async () => (await s.gateway.metric('smsbridge_smpp_link_bound')) === 2, 'both are bound');
  const third = await calls(t, s);
  await third.ended();
  assert.deepEqual(third.pdus, []);
  assert.deepEqual(refusals(s), ['all_links_bound']);
  const all = await pour(s, 10);
  await until(() => delivered(one).length + delivered(two).length === 4, 'both windows are full');
  one.socket.destroy();
  two.socket.destroy();
  await counted(s, { 'uncertain answer_missing': 4, queued: 6 });
  const next = await calls(t, s);
  await counted(s, { 'uncertain answer_missing': 4, sent: 6 });
  const texts = [one, two, next].flatMap(delivered);
  assert.equal(texts.length, 10);
  assert.deepEqual(new Set(texts), new Set(all.map((m) => m.draft.body)));
});

test('outbind: said again on a bound line, or twice at once, it changes nothing', async (t) => {
  const s = await outbound(t, [{ links: 2 }]);
  const c = await calls(t, s);
  c.ask('outbind', outbindBody());
  await ourBind(c);
  await until(async () => (await s.gateway.metric('smsbridge_smpp_link_bound')) === 1, 'bound');
  c.ask('outbind', outbindBody());
  assert.equal((await c.answered('enquire_link')).status, 0);
  const m = await s.api.accepted();
  await until(() => delivered(c).includes(m.draft.body), 'served');
  assert.equal(c.of('bind_transceiver').length, 1);
});

test('outbind: what we bind as is the row’s', async (t) => {
  const s = await outbound(t, [
    { name: 'out', bind: 'transmitter' },
    { name: 'back', bind: 'receiver' },
  ]);
  const out = await calls(t, s, { body: outbindBody('out') });
  const back = await calls(t, s, { body: outbindBody('back') });
  await ourBind(out, 'transmitter');
  await ourBind(back, 'receiver');
  const m = await s.api.accepted();
  await until(() => delivered(out).includes(m.draft.body), 'by the transmitter');
  const stop = message({ from: m.draft.phone, to: s.practice.sender, text: 'STOP' });
  assert.equal((await back.answered('deliver_sm', stop)).status, 0);
  await becomes(s, (await s.api.accepted({ phone: m.draft.phone })).id, 'blocked');
});

test('who says nothing at either listener is closed after a while, and SIGTERM does not wait for it', async (t) => {
  const s = await outbound(t);
  const [mute, half] = [await calls(t, s, { body: null }), await calls(t, s, { body: null })];
  half.write(Buffer.from('0000001f0000000b', 'hex'));
  const began = Date.now();
  await Promise.all([mute.ended(20000), half.ended(20000)]);
  const took = Date.now() - began;
  assert.ok(took > 8000 && took < 14000 * slow, `${took} ms`);
  await calls(t, s, { body: null });
  await s.gateway.stop();
  assert.deepEqual(s.gateway.exit, { code: 0, signal: null });
});
