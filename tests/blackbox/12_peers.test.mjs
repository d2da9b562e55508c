// SMPP programs that we did not write, as carriers of the gateway and as customers of our listening side; and a dissector
// that we did not write, as judge of every PDU that leaves us.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Peer, peerNames } from './lib/peer.mjs';
import { judge, Tap } from './lib/tap.mjs';
import { nextPhone, until } from './lib/util.mjs';
import { atEnd, setup, world } from './lib/world.mjs';

await world();

const digits = (phone) => phone.replace(/^\+/, '');
const becomes = (s, id, wanted) =>
  until(
    async () => (await s.db.message(id)).status === wanted,
    async () => `${wanted}: ${JSON.stringify(await s.db.message(id))}`,
  );

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
