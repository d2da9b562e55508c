// SMPP programs that we did not write, as carriers of the gateway and as customers of our listening side; and a dissector
// that we did not write, as judge of every PDU that leaves us.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Peer, peerNames } from './lib/peer.mjs';
import { centre } from './lib/centre.mjs';
import { Kannel, kannelIsHere } from './lib/kannel.mjs';
import { PlainSmsc } from './lib/plain_smsc.mjs';
import { frames, judge, Tap } from './lib/tap.mjs';
import { nextPhone, until } from './lib/util.mjs';
import { atEnd, setup, world } from './lib/world.mjs';

await world();

const digits = (phone) => phone.replace(/^\+/, '');
const becomes = (s, id, wanted) =>
  until(
    async () => (await s.db.message(id)).status === wanted,
    async () => `${wanted}: ${JSON.stringify(await s.db.message(id))}`,
  );

const ok = (answer) => assert.ok([0, 'ESME_ROK'].includes(answer.status), `taken: ${JSON.stringify(answer)}`);

/** Every PDU that one side wrote is seen by the dissector, and it has nothing to say. */
async function judged(t, tap, side) {
  const { pdus, faults } = await judge(tap.connections, side);
  assert.deepEqual(faults, []);
  t.diagnostic(`tshark: ${JSON.stringify(pdus)}`);
  return pdus;
}

/** A gateway whose carrier is a program that we did not write, with a tap on the line. */
async function withCarrier(t, name, link = {}) {
  const s = await setup(t, { start: false });
  s.peer = new Peer(name, 'server');
  atEnd(t, () => s.peer.stop());
  const { port } = await s.peer.event('listening');
  s.tap = await new Tap({ port }).start();
  atEnd(t, () => s.tap.stop());
  Object.assign(s.gateway.config.carriers[0], { port: s.tap.port, enquire_link: '300ms', ...link });
  await s.gateway.start();
  await s.peer.event('bind');
  return s;
}

test('the judge sees what is broken, and what is not there', async () => {
  const packets = (hex) => [{ packets: [{ fromClient: true, octets: Buffer.from(hex, 'hex'), at: 0 }] }];
  const good = await judge(packets('00000010000000150000000000000001'), 'client');
  assert.deepEqual(good, { pdus: { '00000015': 1 }, faults: [] });
  const cut = await judge(packets('0000001400000004000000000000000100010131'), 'client');
  assert.notDeepEqual(cut.faults, []);
  const lost = await judge(packets('000000100000001500000000000000010000'), 'client');
  assert.notDeepEqual(lost.faults, []);
});

for (const name of peerNames)
  test(`${name} as carrier: bind, reminders, receipts, STOP, enquire_link, unbind`, async (t) => {
    const s = await withCarrier(t, name);
    const bind = s.peer.of('bind')[0];
    assert.equal(bind.command, 'bind_transceiver');
    assert.equal(bind.system_id, 'smsbridge');
    assert.equal(bind.password, 'pw-of-c1');
    assert.equal(bind.interface_version, 0x34);

    const m = await s.api.accepted({ body: 'Dr. Elm: see you tomorrow at 9:30. Reply STOP to end.' });
    const submit = await s.peer.event('submit');
    assert.equal(submit.from, digits(s.practice.sender));
    assert.equal(submit.to, digits(m.draft.phone));
    assert.equal(submit.text, m.draft.body);
    assert.equal(submit.registered_delivery & 1, 1);
    await becomes(s, m.id, 'sent');
    assert.equal((await s.db.message(m.id)).carrier_message_id, submit.id);

    const answer = await s.peer.tell({ do: 'receipt', n: 0 }, 'receipt');
    assert.ok([0, 'ESME_ROK'].includes(answer.status), `the receipt is taken: ${answer.status}`);
    await becomes(s, m.id, 'delivered');

    const patient = nextPhone();
    const later = await s.api.accepted({ phone: patient });
    await s.peer.event('submit', 2);
    const stop = await s.peer.tell(
      { do: 'mo', from: digits(patient), to: digits(s.practice.sender), text: 'STOP' },
      'mo',
    );
    assert.ok([0, 'ESME_ROK'].includes(stop.status), `the text is taken: ${stop.status}`);
    await s.peer.event('submit', 3); // the one confirmation
    const refused = await s.api.accepted({ phone: patient });
    await becomes(s, refused.id, 'blocked');
    assert.equal((await s.db.message(refused.id)).reason, 'opted_out');
    await becomes(s, later.id, 'sent');

    const alive = await s.peer.tell({ do: 'enquire' }, 'enquired');
    assert.ok([0, 'ESME_ROK'].includes(alive.status));
    await until(() => s.tap.said('client')[0].includes(Buffer.from('0000001000000015', 'hex')), 'we ask too');

    await s.gateway.stop();
    await s.peer.event('unbind');
    await s.peer.event('closed');
    assert.deepEqual(s.peer.of('error').concat(s.peer.of('odd'), s.peer.of('stray')), []);
    const pdus = await judged(t, s.tap, 'client');
    for (const [command, what] of [
      ['00000009', 'bind_transceiver'],
      ['00000004', 'submit_sm'],
      ['80000005', 'deliver_sm_resp'],
      ['80000015', 'enquire_link_resp'],
      ['00000006', 'unbind'],
    ])
      assert.ok(pdus[command] >= 1, `${what} was judged`);
  });

for (const name of peerNames)
  // covers: ESME OUT bind_transmitter, ESME IN bind_transmitter_resp, ESME OUT bind_receiver, ESME IN bind_receiver_resp
  test(`${name} as carrier, bound to as a pair: reminders by the transmitter, receipts and STOP by the receiver`, async (t) => {
    const s = await withCarrier(t, name, { bind: 'pair' });
    await s.peer.event('bind', 2);
    const binds = s.peer.of('bind').map((b) => b.command);
    assert.deepEqual(binds.sort(), ['bind_receiver', 'bind_transmitter']);
    const m = await s.api.accepted();
    assert.equal((await s.peer.event('submit')).text, m.draft.body);
    if (name === 'npm larvitsmpp 0.4.0') {
      // it sends a receipt on the session that submitted, which is a transmitter: refused, and the message stays as it is
      const answer = await s.peer.tell({ do: 'receipt', n: 0 }, 'receipt');
      assert.equal(answer.status, 'ESME_RINVBNDSTS');
      assert.equal((await s.db.message(m.id)).status, 'sent');
    } else {
      ok(await s.peer.tell({ do: 'receipt', n: 0 }, 'receipt'));
      await becomes(s, m.id, 'delivered');
      const patient = nextPhone();
      const stop = { do: 'mo', from: digits(patient), to: digits(s.practice.sender), text: 'STOP' };
      ok(await s.peer.tell(stop, 'mo'));
      await becomes(s, (await s.api.accepted({ phone: patient })).id, 'blocked');
    }
    await s.gateway.stop();
    await s.peer.event('unbind', 2);
    await judged(t, s.tap, 'client');
  });

const withDataSm = ['npm smpp 0.5.1', 'Perl Net::SMPP 1.19']; // larvitsmpp knows no data_sm

for (const name of withDataSm)
  // covers: ESME OUT data_sm, ESME IN data_sm_resp, ESME IN alert_notification
  test(`${name} as carrier that takes data_sm: reminders in message_payload, receipts; alert_notification is heard`, async (t) => {
    const s = await withCarrier(t, name, { submit_with: 'data_sm' });
    const m = await s.api.accepted();
    const submit = await s.peer.event('submit');
    assert.deepEqual([submit.command, submit.text, submit.to], ['data_sm', m.draft.body, digits(m.draft.phone)]);
    await becomes(s, m.id, 'sent');
    ok(await s.peer.tell({ do: 'receipt', n: 0 }, 'receipt'));
    await becomes(s, m.id, 'delivered');
    await s.peer.tell({ do: 'alert', from: digits(m.draft.phone), to: digits(s.practice.sender) }, 'alerted');
    await until(
      async () => (await s.gateway.metric('smsbridge_smpp_pdus_total', { command: 'alert_notification' })) === 1,
      'the alert is counted',
    );
    ok(await s.peer.tell({ do: 'enquire' }, 'enquired'));
    const pdus = await judged(t, s.tap, 'client');
    assert.ok(pdus['00000103'] >= 1);
  });

for (const name of withDataSm)
  // covers: ESME IN outbind, ESME OUT bind_transceiver, ESME IN bind_transceiver_resp
  test(`${name} says outbind: we bind back on its connection, reminders and receipts follow`, async (t) => {
    const s = await centre(t, {
      smpp: { listen: undefined, outbind_listen: '127.0.0.1:0' },
      accounts: [{ connect: 'outbind', system_id: 'ours', outbind_system_id: 'peer', bindPassword: 'pw-of-c1' }],
    });
    s.peer = new Peer(name, 'outbind', { port: s.tap.port });
    atEnd(t, () => s.peer.stop());
    const bind = await s.peer.event('bind');
    assert.deepEqual([bind.command, bind.system_id, bind.password], ['bind_transceiver', 'ours', 'pw-of-c1']);
    const m = await s.api.accepted();
    assert.equal((await s.peer.event('submit')).text, m.draft.body);
    ok(await s.peer.tell({ do: 'receipt', n: 0 }, 'receipt'));
    await becomes(s, m.id, 'delivered');
    await s.gateway.stop();
    await s.peer.event('unbind');
    await judged(t, s.tap, 'server');
  });

/** The simulated carrier with a tap on the line. */
async function smsc(t, ...args) {
  const it = await new PlainSmsc().start(...args);
  atEnd(t, () => it.stop());
  it.tap = await new Tap({ port: it.port }).start();
  atEnd(t, () => it.tap.stop());
  return it;
}

async function customer(t, name, to) {
  const peer = new Peer(name, 'client', to);
  atEnd(t, () => peer.stop());
  const bound = await peer.event('bound');
  assert.equal(bound.status, 0);
  return Object.assign(peer, { bound });
}

for (const name of peerNames)
  test(`${name} as customer of smsbridge smsc: bind, submit, receipt, text, enquire_link, unbind`, async (t) => {
    const it = await smsc(t);
    const [from, to] = [nextPhone(), nextPhone()];
    const peer = await customer(t, name, { port: it.tap.port });
    const submitted = await peer.tell(
      { do: 'submit', from: digits(from), to: digits(to), text: 'See you.', dlr: true },
      'submitted',
    );
    ok(submitted);
    assert.ok(submitted.id);
    assert.equal((await until(() => it.texts()[0], 'smsc prints it')).text, 'See you.');
    const alive = await peer.tell({ do: 'enquire' }, 'enquired');
    ok(alive);
    it.mo(to, from, 'Is the door open?');
    if (name === 'npm larvitsmpp 0.4.0') {
      // it takes receipts with TLVs only and no texts at all, and says so with a status of the TLV range
      await until(() => it.tap.said('client')[0].includes(Buffer.from('80000005000000c0', 'hex')), 'it refuses a text');
    } else {
      const receipt = await peer.event('deliver');
      assert.equal(receipt.esm_class, 4);
      assert.match(receipt.text, new RegExp(`id:${submitted.id} .*stat:DELIVRD`));
      const text = await peer.event('deliver', 2);
      assert.deepEqual([text.from, text.to, text.text], [digits(to), digits(from), 'Is the door open?']);
    }
    ok(await peer.tell({ do: 'unbind' }, 'unbound'));
    await peer.event('closed');
    assert.deepEqual(peer.of('error').concat(peer.of('odd'), peer.of('stray')), []);
    const pdus = await judged(t, it.tap, 'server');
    for (const command of ['80000009', '80000004', '00000005', '80000015', '80000006'])
      assert.ok(pdus[command] >= 1, `${command} was judged`);
  });

for (const name of ['npm smpp 0.5.1', 'Perl Net::SMPP 1.19'])
  test(`${name} as customer of smsbridge smsc, in two binds: texts go in by one and come out by the other`, async (t) => {
    const it = await smsc(t);
    const [from, to] = [nextPhone(), nextPhone()];
    const rx = await customer(t, name, { port: it.tap.port, kind: 'receiver' });
    const tx = await customer(t, name, { port: it.tap.port, kind: 'transmitter' });
    const submitted = await tx.tell(
      { do: 'submit', from: digits(from), to: digits(to), text: 'Hello', dlr: true },
      'submitted',
    );
    ok(submitted);
    assert.match((await rx.event('deliver')).text, new RegExp(`id:${submitted.id} `));
    it.mo(to, from, 'STOP');
    assert.equal((await rx.event('deliver', 2)).text, 'STOP');
    assert.deepEqual(tx.of('deliver'), [], 'a transmitter is not delivered to');
    ok(await rx.tell({ do: 'unbind' }, 'unbound'));
    ok(await tx.tell({ do: 'unbind' }, 'unbound'));
    await judged(t, it.tap, 'server');
  });

/** What Kannel says in its binds: the kinds, and the version in each. */
function assertBinds(tap, mode, version) {
  const binds = tap.said('client').flatMap((octets) => frames(octets).pdus.slice(0, 1));
  const kinds = binds.map((bind) => bind.readUInt32BE(4));
  assert.deepEqual(kinds.sort(), mode === 'trx' ? [9] : [1, 2]);
  for (const bind of binds) assert.equal(bind.at(-4), parseInt(version, 16), 'what Kannel says in its bind');
}

for (const mode of ['trx', 'tx+rx'])
  for (const version of ['33', '34', '50'])
    test(`Kannel 1.4.5 as customer of smsbridge smsc, ${mode}, version ${version}`, async (t) => {
      if (!kannelIsHere) return t.skip('this distribution has no package kannel');
      const it = await smsc(t, '--receipt-delay', '50');
      const kannel = await new Kannel({ port: it.tap.port, mode, version }).start();
      atEnd(t, () => kannel.stop());
      await kannel.bound();
      assertBinds(it.tap, mode, version);

      const [from, to] = [nextPhone(), nextPhone()];
      await kannel.submit({ from, to, text: 'Dr. Elm {9:30}', dlr: 'one' });
      assert.equal((await until(() => it.texts()[0], 'smsc prints it')).text, 'Dr. Elm {9:30}');
      await kannel.receipt(8, 'one');
      await kannel.receipt(1, 'one');
      it.mo(to, from, 'STOP');
      assert.deepEqual(await kannel.text(), { from: to, to: from, text: 'STOP' });
      await until(
        () => frames(it.tap.said('client')[0]).pdus.some((p) => p[7] === 0x15),
        'Kannel asks whether we live',
      );
      await kannel.stop();
      const pdus = await judged(t, it.tap, 'server');
      assert.ok(pdus['80000004'] === 1 && pdus['00000005'] === 2 && pdus['80000006'] >= 1, JSON.stringify(pdus));
      const says = it.tap
        .said('server')
        .map((octets) => frames(octets).pdus[0].includes(Buffer.from('0210000134', 'hex')));
      assert.deepEqual(new Set(says), new Set([version !== '33']), 'sc_interface_version for who knows TLVs');
      return undefined;
    });

for (const name of peerNames)
  // covers: MC IN bind_transceiver, MC OUT bind_transceiver_resp, MC OUT deliver_sm, MC IN deliver_sm_resp, MC IN submit_sm,
  // MC OUT submit_sm_resp, MC IN enquire_link, MC OUT enquire_link_resp, MC IN unbind, MC OUT unbind_resp
  test(`${name} binds to the gateway: reminders go to it, texts and STOP come from it, unbind`, async (t) => {
    const s = await centre(t);
    const peer = await customer(t, name, { port: s.tap.port });
    const [patient, practice] = [nextPhone(), digits(s.practice.sender)];
    const m = await s.api.accepted({ phone: patient, body: 'Dr. Elm: see you tomorrow at 9:30.' });
    if (name === 'npm larvitsmpp 0.4.0') {
      // it takes receipts only, and says so with a status of the TLV range: proof that it did not take the reminder
      await becomes(s, m.id, 'failed');
      const told = (await s.db.events(m.id)).find((e) => e.type === 'message.failed');
      assert.equal(told.data.command_status, 'ESME_RINVTLVSTREAM');
    } else {
      const got = await peer.event('deliver');
      assert.deepEqual([got.from, got.to, got.text], [practice, digits(patient), m.draft.body]);
      await becomes(s, m.id, 'sent');
    }
    const text = {
      do: 'submit',
      from: digits(patient),
      to: practice,
      text: 'STOP',
      dlr: name !== 'npm larvitsmpp 0.4.0',
    };
    const stop = await peer.tell(text, 'submitted');
    ok(stop);
    assert.ok(stop.id, 'our message id');
    const refused = await s.api.accepted({ phone: patient });
    await becomes(s, refused.id, 'blocked');
    assert.equal((await s.db.message(refused.id)).reason, 'opted_out');
    if (text.dlr)
      await until(
        () => peer.of('deliver').some((d) => d.esm_class === 4 && d.text.includes(`id:${stop.id} `)),
        () => `the receipt that it asked for: ${JSON.stringify(peer.of('deliver'))} ${JSON.stringify(stop)}`,
      );
    ok(await peer.tell({ do: 'enquire' }, 'enquired'));
    ok(await peer.tell({ do: 'unbind' }, 'unbound'));
    await until(async () => (await s.gateway.metric('smsbridge_smpp_link_bound')) === 0, 'unbound');
    assert.deepEqual(peer.of('error').concat(peer.of('odd'), peer.of('stray')), []);
    const pdus = await judged(t, s.tap, 'server');
    for (const command of ['80000009', '80000004', '00000005', '80000015', '80000006'])
      assert.ok(pdus[command] >= 1, `${command} was judged`);
  });

for (const name of ['npm smpp 0.5.1', 'Perl Net::SMPP 1.19'])
  // covers: MC IN bind_receiver, MC OUT bind_receiver_resp, MC IN bind_transmitter, MC OUT bind_transmitter_resp
  test(`${name} binds to the gateway as a pair: reminders by the receiver, texts by the transmitter`, async (t) => {
    const s = await centre(t);
    const rx = await customer(t, name, { port: s.tap.port, kind: 'receiver' });
    const tx = await customer(t, name, { port: s.tap.port, kind: 'transmitter' });
    const [patient, practice] = [nextPhone(), digits(s.practice.sender)];
    const m = await s.api.accepted({ phone: patient });
    assert.equal((await rx.event('deliver')).text, m.draft.body);
    const stop = await tx.tell(
      { do: 'submit', from: digits(patient), to: practice, text: 'stop', dlr: true },
      'submitted',
    );
    ok(stop);
    await until(() => rx.of('deliver').some((d) => d.text.includes(`id:${stop.id} `)), 'the receipt, by the receiver');
    await becomes(s, (await s.api.accepted({ phone: patient })).id, 'blocked');
    assert.deepEqual(tx.of('deliver'), [], 'a transmitter is not delivered to');
    await judged(t, s.tap, 'server');
  });

for (const name of withDataSm)
  // covers: MC OUT data_sm, MC IN data_sm_resp
  test(`${name} binds to the gateway and is set to data_sm: reminders come in message_payload`, async (t) => {
    const s = await centre(t, { accounts: [{ submit_with: 'data_sm' }] });
    const peer = await customer(t, name, { port: s.tap.port });
    const m = await s.api.accepted();
    const got = await peer.event('deliver');
    assert.deepEqual([got.command, got.text, got.to], ['data_sm', m.draft.body, digits(m.draft.phone)]);
    await becomes(s, m.id, 'sent');
    assert.ok((await judged(t, s.tap, 'server'))['00000103'] >= 1);
  });

// covers: MC OUT unbind, MC IN unbind_resp
test('the gateway unbinds its customers when it ends', async (t) => {
  const s = await centre(t);
  const peers = [];
  for (const name of peerNames.filter((n) => !n.includes('larvit')))
    peers.push(await customer(t, name, { port: s.tap.port }));
  await s.gateway.stop();
  for (const peer of peers) await peer.event('unbind');
  assert.equal(s.gateway.exit.code, 0);
  await judged(t, s.tap, 'server');
});

for (const mode of ['trx', 'tx+rx'])
  for (const version of ['33', '34', '50'])
    test(`Kannel 1.4.5 binds to the gateway, ${mode}, version ${version}: STOP in, reminder out`, async (t) => {
      if (!kannelIsHere) return t.skip('this distribution has no package kannel');
      const s = await centre(t, {
        accounts: [{ system_id: 'kannel', password: 'pw-of-k1', interface_version: '5.0' }],
      });
      const kannel = await new Kannel({ port: s.tap.port, mode, version }).start();
      atEnd(t, () => kannel.stop());
      await kannel.bound();
      assertBinds(s.tap, mode, version);

      const [patient, practice] = [nextPhone(), s.practice.sender];
      const m = await s.api.accepted({ phone: patient, body: 'Dr. Elm {9:30} costs 5€ @ the door' });
      const { from, to, text } = await kannel.text();
      assert.deepEqual({ from, to, text }, { from: practice, to: patient, text: m.draft.body });
      await becomes(s, m.id, 'sent');
      await kannel.submit({ from: patient, to: practice, text: 'STOP', dlr: 'stop' });
      await kannel.receipt(8, 'stop'); // we took it
      await kannel.receipt(1, 'stop'); // and tell that it is delivered
      const refused = await s.api.accepted({ phone: patient });
      await becomes(s, refused.id, 'blocked');
      assert.match((await kannel.text((x) => x !== kannel.texts[0])).text, /START/, 'the one confirmation');
      await until(() => frames(s.tap.said('client')[0]).pdus.some((p) => p[7] === 0x15), 'Kannel asks whether we live');
      await kannel.stop();
      await until(async () => (await s.gateway.metric('smsbridge_smpp_link_bound')) === 0, 'unbound');
      const pdus = await judged(t, s.tap, 'server');
      assert.ok(pdus['80000004'] === 1 && pdus['00000005'] >= 3 && pdus['80000006'] >= 1, JSON.stringify(pdus));
      return undefined;
    });
