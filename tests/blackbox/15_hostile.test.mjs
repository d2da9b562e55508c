// Peers that mean harm or know no better, over bare sockets: nothing is read past its length, nobody else is disturbed,
// nothing grows. The three bug shapes that were found in a neighbour's SMPP code this year come first: an unchecked
// sm_length, a body parser without length checks, a bounded copy that is off by one. Run it against a program with
// AddressSanitizer: its word fails the test.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { byHand } from './lib/by_hand.mjs';
import { centre } from './lib/centre.mjs';
import { PlainSmsc } from './lib/plain_smsc.mjs';
import { nextPhone, root, slow, until } from './lib/util.mjs';
import { commands, message, pdu, RawCarrier, RawCustomer, tlv, z } from './lib/wire.mjs';
import { atEnd, world } from './lib/world.mjs';

await world();

/** Every PDU of the golden pages, which other programs wrote: at least one of each command. */
const golden = fs
  .readdirSync(path.join(root, 'tests/golden/smpp'))
  .flatMap((file) => {
    const page = fs.readFileSync(path.join(root, 'tests/golden/smpp', file), 'utf8');
    return [...page.matchAll(/```hex\n([0-9a-f\s]+)```/g)].map((m) => Buffer.from(m[1].replace(/\s/g, ''), 'hex'));
  })
  .filter((p) => p.length >= 16 && p.readUInt32BE(0) === p.length && p[7] !== 0x06);

const unanswered = new Set([0x102, 0x0b]); // alert_notification, outbind
let serial = 0x01000000;

/** A copy with its length set right and a number of its own. */
function numbered(octets) {
  const p = Buffer.from(octets);
  p.writeUInt32BE(p.length, 0);
  p.writeUInt32BE(++serial, 12);
  return p;
}

const shapes = {
  'cut at every octet, with a command_length that is right': (p) =>
    Array.from({ length: p.length - 16 }, (_, i) => p.subarray(0, 16 + i)),
  'every octet as 0, 127, 128 and 255: lengths, counts and ends lie': (p) =>
    Array.from({ length: p.length - 16 }, (_, i) => [0, 127, 128, 255].map((v) => with_(p, 16 + i, v))).flat(),
  'every text longer, up to and past each limit': (p) =>
    ends(p).flatMap((at) =>
      [1, 2, 5, 12, 15, 16, 20, 21, 40, 63, 64, 65, 66, 255, 256, 300].map((n) => longer(p, at, n)),
    ),
  'TLVs behind that lie about their length': (p) =>
    [0x1e, 0x427, 0x423, 0x424, 0x20c, 0x20e, 0x20f, 0x210, 0x204, 0x1d, 0x302, 0x1400].flatMap((tag) =>
      [0, 1, 2, 3, 66, 255, 0xffff].map((n) => Buffer.concat([p, tlv(tag, '\xff\xfe', n)])),
    ),
};

function with_(p, at, value) {
  const q = Buffer.from(p);
  q[at] = value;
  return q;
}
const ends = (p) => [...p.keys()].filter((i) => i >= 16 && p[i] === 0);
const longer = (p, at, n) => Buffer.concat([p.subarray(0, at), Buffer.alloc(n, 0x31), p.subarray(at)]);

/** All of sm_length's lies about texts of several lengths, with and without a header or TLVs behind. */
function lies(command) {
  const all = [];
  for (const n of [0, 1, 5, 140, 254])
    for (const esm_class of [0, 0x40, 0x44])
      for (const sm_length of [0, 1, n - 1, n + 1, n + 4, n + 5, 127, 128, 254, 255])
        for (const tlvs of [undefined, tlv(0x424, 'payload'), Buffer.from([4, 0x24, 0xff])])
          if (sm_length >= 0) {
            const text = Buffer.alloc(n, esm_class ? 0xff : 0x41);
            all.push(pdu(command, { body: message({ text, esm_class, sm_length, tlvs, registered: 1 }) }));
          }
  return all;
}

/**
 * Writes all PDUs; each request must get its one answer; the session must live. serve: what the peer does with our
 * requests meanwhile is right.
 */
async function barrage(session, list) {
  const sent = list.map(numbered);
  for (let i = 0; i < sent.length; i += 200) {
    await session.write(Buffer.concat(sent.slice(i, i + 200)));
    await session.answered('enquire_link'); // the slower side sets the pace
    assert.equal(session.closed, false);
  }
  const wanted = sent.filter((p) => p.readUInt32BE(4) < 0x80000000 && !unanswered.has(p.readUInt32BE(4)));
  const answers = () => {
    const counts = new Map();
    for (const { command, sequence } of session.pdus)
      if (/_resp$|_nack$|^0x8/.test(command)) counts.set(sequence, (counts.get(sequence) ?? 0) + 1);
    return counts;
  };
  const missing = () => {
    const counts = answers();
    return wanted.filter((p) => counts.get(p.readUInt32BE(12)) !== 1);
  };
  await until(
    () => missing().length === 0,
    () => `one answer for each of ${wanted.length}; not for ${missing().length}: ${missing()[0].toString('hex')}`,
    60000,
    200,
  );
  session.pdus.length = 0;
  return sent.length;
}

/** Whom we attack: session() is a bound session to attack on; fine() fails when anybody else has noticed. */
const sides = {
  'the gateway, as its carrier': async (t) => {
    const s = await byHand(t, { start: false });
    s.good = s.raw;
    s.bad = await new RawCarrier().start();
    atEnd(t, () => s.bad.stop());
    const { carriers } = s.gateway.config;
    carriers.push(s.gateway.carrierConfig({ name: 'bad', port: s.bad.port, bind_timeout: '2s', enquire_link: '1s' }));
    await s.gateway.start();
    await s.good.bound();
    await s.bad.bound();
    return {
      pid: s.gateway.child.pid,
      async session() {
        await until(() => s.bad.session && !s.bad.session.closed && s.bad.session.pdus.length, 'bound', 30000);
        return s.bad.session;
      },
      async fine() {
        assert.ok(s.gateway.alive());
        const before = s.good.submits().length;
        await until(async () => {
          await s.api.accepted(); // the bad link is offered its share; the rest goes on
          return s.good.submits().length > before;
        }, 'the other link carries reminders');
        assert.equal(s.good.sessions.length, 1, 'the other link has never been lost');
        assert.equal((await s.good.session.answered('enquire_link')).status, 0);
      },
    };
  },
  'smsbridge smsc, as its customer': async (t) => {
    const it = await new PlainSmsc().start('--no-receipts');
    atEnd(t, () => it.stop());
    const connect = async () => {
      const c = await RawCustomer.connect(it.port);
      atEnd(t, async () => c.socket.destroy());
      return c;
    };
    const good = await connect();
    await good.bind();
    return {
      pid: it.child.pid,
      connect,
      async session() {
        const c = await connect();
        await c.bind();
        return c;
      },
      async fine() {
        assert.ok(it.alive());
        const body = message({ from: nextPhone(), to: nextPhone(), text: 'hello' });
        assert.equal((await good.answered('submit_sm', body)).status, 0);
        assert.equal(good.closed, false);
      },
    };
  },
  'the gateway, as its customer': async (t) => {
    const s = await centre(t, { accounts: [{ links: 8 }] });
    const connect = async () => {
      const c = await RawCustomer.connect(s.smppPort);
      atEnd(t, async () => c.socket.destroy());
      return c;
    };
    const good = await connect();
    assert.equal((await good.bind()).status, 0);
    return {
      pid: s.gateway.child.pid,
      connect,
      async session() {
        const c = await connect();
        assert.equal((await c.bind()).status, 0);
        return c;
      },
      async fine() {
        assert.ok(s.gateway.alive());
        const body = message({ from: nextPhone(), to: s.practice.sender, text: 'hello' });
        assert.equal((await good.answered('submit_sm', body)).status, 0, 'a text is taken');
        assert.equal(good.closed, false);
      },
    };
  },
};

/** Resident memory in megabytes; null with a sanitizer, whose quarantine says nothing. */
function megabytes(pid) {
  if (/libasan|libtsan/.test(fs.readFileSync(`/proc/${pid}/maps`, 'latin1'))) return null;
  return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) / 1024;
}

for (const [side, open] of Object.entries(sides)) {
  test(`${side}: sm_length lies in every way`, async (t) => {
    const it = await open(t);
    const session = await it.session();
    const n = await barrage(session, ['deliver_sm', 'submit_sm'].flatMap(lies));
    t.diagnostic(`${n} PDUs`);
    await it.fine();
  });

  for (const [name, shape] of Object.entries(shapes))
    test(`${side}: each command ${name}`, async (t) => {
      const it = await open(t);
      const session = await it.session();
      const n = await barrage(session, golden.flatMap(shape));
      t.diagnostic(`${n} PDUs of ${golden.length} pages`);
      await it.fine();
    });

  test(`${side}: answers that nobody asked for, to every number that may be open`, async (t) => {
    const it = await open(t);
    const session = await it.session();
    const kinds = Object.values(commands).filter((id) => id > 0x80000000 && id !== commands.unbind_resp);
    const list = kinds.flatMap((id) =>
      [0, 1, 2, 3, 0x7fffffff, 0xffffffff].flatMap((sequence) =>
        [0, 0x0b].map((status) => pdu(id, { sequence, status, body: z('x'.repeat(70)) })),
      ),
    );
    await session.write(Buffer.concat(list));
    await session.answered('enquire_link');
    await it.fine();
  });

  test(`${side}: garbage of every length, by seed`, async (t) => {
    const it = await open(t);
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    t.diagnostic(`SEED=${seed}`);
    let x = seed || 1;
    const random = (n) => {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      return (x >>> 0) % n;
    };
    for (const n of [1, 3, 4, 15, 16, 17, 200, 70000]) {
      const session = await it.session();
      await session.write(Buffer.from(Array.from({ length: n }, () => random(256))));
      session.socket.end();
      await session.ended(20000);
    }
    const session = await it.session();
    const mutated = Array.from({ length: 3000 }, () => {
      let p = golden[random(golden.length)];
      for (let k = random(4); k >= 0; k--) p = p.length > 16 ? with_(p, 16 + random(p.length - 16), random(256)) : p;
      return random(3) ? p : p.subarray(0, 16 + random(p.length - 15));
    });
    await barrage(session, mutated);
    await it.fine();
  });

  test(`${side}: asks without reading the answers: closed at a ceiling, memory too`, async (t) => {
    const it = await open(t);
    const session = await it.session();
    const before = megabytes(it.pid);
    session.socket.pause();
    const many = Buffer.concat(Array.from({ length: 4096 }, (_, i) => pdu('enquire_link', { sequence: i + 1 })));
    const end = Date.now() + 60000 * slow;
    let written = 0;
    while (session.socket.writable && Date.now() < end) {
      const flushed = session.socket.write(many);
      written += many.length;
      if (!flushed)
        await Promise.race([
          new Promise((resolve) => session.socket.once('drain', resolve)),
          new Promise((resolve) => session.socket.once('close', resolve)),
          new Promise((resolve) => setTimeout(resolve, 1000)),
        ]);
      await it.fine();
    }
    t.diagnostic(`${(written / 2 ** 20).toFixed(0)} MB written until it was closed`);
    assert.equal(session.socket.writable, false, 'closed');
    if (before) assert.ok(megabytes(it.pid) - before < 64, `${before} MB, then ${megabytes(it.pid)} MB`);
    await it.fine();
  });
}

test('the gateway: connections that never bind are closed in time, those that do are served', async (t) => {
  const it = await sides['the gateway, as its customer'](t);
  const mute = await Promise.all(Array.from({ length: 200 }, () => it.connect()));
  const slowly = await it.connect();
  const began = Date.now();
  const octets = pdu('bind_transceiver', { body: Buffer.concat([z('peer'), z('pw')]), length: 60000 });
  const drip = setInterval(() => slowly.socket.writable && slowly.socket.write(octets.subarray(0, 1)), 100);
  atEnd(t, async () => clearInterval(drip));
  await it.fine();
  const late = await it.session();
  assert.equal((await late.answered('enquire_link')).status, 0);
  await until(() => mute.every((c) => c.closed) && slowly.closed, 'closed by the bind timer', 20000);
  assert.ok(Date.now() - began >= 5000, 'not at once');
  await it.fine();
});
