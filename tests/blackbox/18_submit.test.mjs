// What a submit says by the carrier's rows, and over which binds it goes: validity, data_sm, TLVs, references, pairs,
// interface versions, and a reload under load. Carriers are npm smpp, or played by hand where octets matter.
import assert from 'node:assert/strict';
import test from 'node:test';
import { becomes as becomesByHand, byHand } from './lib/by_hand.mjs';
import { arrived, becomes, counted, fleet, pour } from './lib/fleet.mjs';
import { NOON } from './lib/gateway.mjs';
import { never, nextPhone, until } from './lib/util.mjs';
import { readData, tlv } from './lib/wire.mjs';
import { world } from './lib/world.mjs';

await world();

const tags = {
  qos_time_to_live: 0x0017,
  user_message_reference: 0x0204,
  message_payload: 0x0424,
};
const second = 1000;

/** Milliseconds of a relative validity_period. */
function relative(text) {
  assert.match(text, /^0000\d{8}000R$/, 'sixteen characters, years and months never');
  const [days, hours, minutes, seconds] = text.slice(4, 12).match(/../g).map(Number);
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * second;
}

/** The instant of an absolute validity_period: UTC, offset 00+. */
function absolute(text) {
  assert.match(text, /^\d{12}\d00\+$/, 'sixteen characters, UTC');
  const [y, mo, d, h, mi, s] = text.slice(0, 12).match(/../g).map(Number);
  return Date.UTC(2000 + y, mo - 1, d, h, mi, s) + Number(text[12]) * 100;
}

const clockAt = (start) => ({ clock: { start, rate: 0.001 } }); // it stands still, as good as
const one = async (s, fields) => {
  const m = await s.api.accepted(fields);
  return Object.assign(m, { submit: await s.raw.submitted(m.draft) });
};

// start of the rule clock; the zone; when nothing may be delivered any more: sending hours there are over, or expires_at
const ends = [
  ['2026-03-02T12:00:00-05:00', 'America/New_York', '2026-03-02T21:00:00-05:00'],
  ['2026-03-02T20:54:40-05:00', 'America/New_York', '2026-03-02T21:00:00-05:00'],
  ['2026-03-02T12:00:00-08:00', 'America/Los_Angeles', '2026-03-02T21:00:00-08:00'],
  ['2026-03-08T08:30:00-04:00', 'America/New_York', '2026-03-08T21:00:00-04:00'], // the day on which clocks change
  ['2026-03-02T12:00:00-05:00', 'America/New_York', '2026-03-02T12:30:00-05:00', '2026-03-02T12:30:00-05:00'],
  ['2026-03-02T20:30:00-05:00', 'America/New_York', '2026-03-02T21:00:00-05:00', '2026-03-05T12:00:00-05:00'],
];

for (const validity of ['relative', 'absolute', 'none'])
  // covers: rule validity
  test(`validity ${validity}: nothing is delivered after the sending hours of the patient, nor after expires_at`, async (t) => {
    const s = await byHand(t, { link: { validity }, config: clockAt(NOON) });
    for (const [start, zone, end, expires] of ends) {
      await s.gateway.reload((c) => Object.assign(c, clockAt(start)));
      const { submit } = await one(s, { time_zone: zone, expires_at: expires });
      const what = `${start} ${zone}: ${submit.validity}`;
      if (validity === 'none') assert.equal(submit.validity, '', what);
      else {
        const at = validity === 'relative' ? Date.parse(start) + relative(submit.validity) : absolute(submit.validity);
        const left = Date.parse(end) - at;
        assert.ok(left >= 0 && left <= 2 * second, `${what}: ends ${left} ms before ${end}`);
      }
    }
  });

test('validity: where a patient may be in several zones, the first that closes counts', async (t) => {
  const s = await byHand(t, { config: clockAt('2026-03-02T15:00:00-05:00'), link: { validity: 'absolute' } });
  const { submit, json } = await one(s, { phone: '+19075550111' }); // Alaska, parts of it by other clocks
  assert.ok(json.zones.length > 1, JSON.stringify(json));
  const end = Date.parse('2026-03-02T21:00:00-09:00');
  const left = end - absolute(submit.validity);
  assert.ok(left >= 0 && left <= 2 * second, `${submit.validity} for ${json.zones}`);
});

test('a claim that the database holds up past the end of the sending hours sends nothing', async (t) => {
  const s = await byHand(t, { config: clockAt('2026-03-02T20:30:00-05:00') });
  const waiting = async () =>
    (
      await s.db.sql(
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%SET status = v.status%'",
      )
    ).length;
  const m = await s.api.accepted({ send_at: '2026-03-02T20:40:00-05:00' });
  const other = await s.db.connect();
  await other.query('BEGIN');
  await other.query('LOCK TABLE smsbridge.event IN EXCLUSIVE MODE'); // where the verdict goes
  await s.gateway.moveClock('2026-03-02T20:50:00-05:00', 0.001);
  await until(waiting, 'the verdict waits for us');
  await s.gateway.moveClock('2026-03-02T21:10:00-05:00', 0.001);
  await other.query('COMMIT');
  await becomesByHand(s, m.id, 'held');
  await never(() => s.raw.submits().length, 'sent after nine', 500);
  assert.equal((await s.db.message(m.id)).reason, 'quiet_hours');
  await s.gateway.moveClock('2026-03-03T09:00:00-05:00', 0.001);
  await s.raw.submitted(m.draft);
});

test('data_sm: the text in message_payload, the time to live in seconds; receipts as ever', async (t) => {
  const s = await byHand(t, {
    config: clockAt('2026-03-02T20:00:00-05:00'),
    link: { submit_with: 'data_sm', source_ton: 3, source_npi: 0 },
    on: (p, session) => {
      if (p.command !== 'data_sm') return false;
      session.write(session.answerTo(p, 'd-17'));
      return true;
    },
  });
  const body = 'Dr. Elm: tomorrow {9:30}, see you.';
  const m = await s.api.accepted({ body });
  const p = await until(() => s.raw.session?.of('data_sm')[0], 'data_sm comes');
  const d = readData(p.body);
  assert.deepEqual([d.source_ton, d.source_npi, d.dest_ton, d.dest_npi], [3, 0, 1, 1]);
  assert.equal(`+${d.from}`, s.practice.sender);
  assert.equal(`+${d.to}`, m.draft.phone);
  assert.equal(d.registered & 1, 1);
  assert.equal(d.data_coding, 0);
  assert.equal(d.tlvs.get(tags.message_payload).toString('latin1'), 'Dr. Elm: tomorrow \x1b(9:30\x1b), see you.');
  const live = d.tlvs.get(tags.qos_time_to_live);
  assert.equal(live.length, 4);
  assert.ok(live.readUInt32BE(0) <= 3600 && live.readUInt32BE(0) >= 3598, `${live.readUInt32BE(0)} s`);
  assert.equal(s.raw.submits().length, 0);
  const shown = await becomesByHand(s, m.id, 'sent');
  assert.equal(shown.carrier_message_id, 'd-17');
});

test('vendor TLVs stand in every submit as the row says, user_message_reference tells messages apart', async (t) => {
  const s = await byHand(t, {
    link: {
      tlvs: '0x1400=text:C0MPA1GN 0x1401=cstring:B2 0x1402=hex:0aff00 0x1403=u8:7 0x1404=u16:258 0x1405=u32:16909060',
      user_message_reference: true,
    },
  });
  const all = await Promise.all([one(s), one(s), one(s)]);
  for (const { submit } of all) {
    const got = [...submit.tlvs].filter(([tag]) => tag >= 0x1400).map(([tag, v]) => [tag, v.toString('hex')]);
    assert.deepEqual(got, [
      [0x1400, Buffer.from('C0MPA1GN').toString('hex')],
      [0x1401, '423200'],
      [0x1402, '0aff00'],
      [0x1403, '07'],
      [0x1404, '0102'],
      [0x1405, '01020304'],
    ]);
    assert.equal(submit.tlvs.get(tags.user_message_reference).length, 2);
  }
  const references = new Set(all.map(({ submit }) => submit.tlvs.get(tags.user_message_reference).readUInt16BE(0)));
  assert.equal(references.size, 3);
  assert.ok(!references.has(0));
});

test('without rows for them there are no TLVs at all', async (t) => {
  const s = await byHand(t);
  assert.equal((await one(s)).submit.tlvs.size, 0);
});

const bindsOf = (carrier, command) => carrier.binds.filter((b) => b.pdu.command === command);
const standing = (carrier, command) => bindsOf(carrier, command).findLast((b) => b.session.socket.writable)?.session;

test('a pair: submits by the transmitter, receipts and texts by the receiver; either may die', async (t) => {
  const s = await fleet(t, { carriers: { only: { link: { bind: 'pair', links: 2 } } } });
  const { only } = s.carriers;
  await only.bound(4);
  assert.equal(bindsOf(only, 'bind_transmitter').length, 2);
  assert.equal(bindsOf(only, 'bind_receiver').length, 2);
  const receiver = () => standing(only, 'bind_receiver');
  const all = await pour(s, 12);
  await counted(s, { sent: 12 });
  const transmitters = bindsOf(only, 'bind_transmitter').map((b) => b.session);
  assert.ok(
    only.submits.every((x) => transmitters.includes(x.session)),
    'submits by transmitters',
  );
  assert.equal(new Set(only.submits.map((x) => x.session)).size, 2, 'by both');
  await only.receipt(arrived(only, [all[0]])[0], { session: receiver() });
  await becomes(s, all[0].id, 'delivered');

  for (const b of bindsOf(only, 'bind_receiver')) b.session.destroy();
  const without = await s.api.accepted();
  await only.got(without.draft);
  await until(() => bindsOf(only, 'bind_receiver').length >= 4, 'the receivers come back', 20000);
  await until(() => receiver()?.bound, 'bound');
  await only.receipt(arrived(only, [without])[0], { session: receiver() });
  await becomes(s, without.id, 'delivered');

  for (const b of bindsOf(only, 'bind_transmitter')) b.session.destroy();
  await until(() => s.gateway.linesOf('link_down').length >= 4, 'told');
  const waits = await s.api.accepted();
  await only.receipt(arrived(only, [all[1]])[0], { session: receiver() });
  await becomes(s, all[1].id, 'delivered');
  await only.got(waits.draft, 20000);
  assert.ok(bindsOf(only, 'bind_transmitter').some((b) => b.session === arrived(only, [waits])[0].session));
  assert.equal(arrived(only, [waits]).length, 1);
});

test('two carriers, one transmits and one receives: a STOP that comes by one holds for the other', async (t) => {
  const s = await fleet(t, {
    carriers: { out: { link: { bind: 'transmitter' } }, in: { link: { bind: 'receiver' } } },
  });
  const { out, in: into } = s.carriers;
  assert.deepEqual([out.binds[0].pdu.command, into.binds[0].pdu.command], ['bind_transmitter', 'bind_receiver']);
  const phone = nextPhone();
  const m = await s.api.accepted({ phone });
  await out.got(m.draft);
  await becomes(s, m.id, 'sent');
  assert.equal((await into.mo(phone, s.practice.sender, 'STOP')).command_status, 0);
  await becomes(s, (await s.api.accepted({ phone })).id, 'blocked');
  await until(() => out.to(phone).length === 2, 'the confirmation goes out');
  assert.equal(into.submits.length, 0);
});

test('a receiver alone sends nothing, and messages wait', async (t) => {
  const s = await fleet(t, { carriers: { in: { link: { bind: 'receiver' } } } });
  const m = await s.api.accepted();
  await never(() => s.carriers.in.submits.length, 'submitted', 500);
  assert.equal((await s.db.message(m.id)).status, 'queued');
  assert.equal(s.carriers.in.closes, 0);
});

for (const [version, ours, theirs, tlvs] of [
  ['3.3', 0x33, undefined, false],
  ['3.4', 0x34, undefined, true],
  ['5.0', 0x50, undefined, true],
  ['5.0', 0x50, 0x33, false],
  ['3.4', 0x34, 0x50, true],
])
  test(`interface_version ${version}, the carrier says ${theirs === undefined ? 'nothing' : `0x${theirs.toString(16)}`}`, async (t) => {
    const s = await byHand(t, {
      link: {
        interface_version: version,
        bind: version === '3.3' ? 'pair' : 'transceiver',
        ...(version === '3.3' ? {} : { tlvs: '0x1400=text:ELM', user_message_reference: true }),
      },
      on: (p, session) => {
        if (theirs === undefined || p.command !== 'bind_transceiver') return false;
        session.write(session.answerTo(p, 'raw', tlv(0x0210, Buffer.from([theirs]))));
        return true;
      },
    });
    const bind = s.raw.session.pdus.find((p) => /^bind_/.test(p.command));
    assert.equal(bind.body.at(-4), ours, 'interface_version of the bind');
    const { submit, id } = await one(s);
    assert.equal(submit.tlvs.size > 0, tlvs, `${submit.tlvs.size} TLVs`);
    assert.equal(submit.validity.length, 16);
    await becomesByHand(s, id, 'sent');
  });

for (const long_messages of ['payload', 'sar'])
  test(`data_sm and ${long_messages} to a carrier that turns out to be 3.3, which has no TLVs: submit_sm and UDH`, async (t) => {
    const s = await byHand(t, {
      link: { submit_with: 'data_sm', long_messages },
      on: (p, session) => {
        if (p.command !== 'bind_transceiver') return false;
        session.write(session.answerTo(p, 'raw', tlv(0x0210, Buffer.from([0x33]))));
        return true;
      },
    });
    await s.db.sql('UPDATE smsbridge.practice SET max_segments = 3');
    const { submit, id } = await one(s);
    assert.equal(submit.tlvs.size, 0);
    await becomesByHand(s, id, 'sent');
    const text = 'Приём завтра. '.padEnd(100, 'ж');
    const long = await s.api.accepted({ body: text });
    const parts = await until(() => s.raw.submits().length === 3 && s.raw.submits().slice(1), 'two parts');
    for (const [i, part] of parts.entries()) {
      assert.equal(part.esm_class & 0x40, 0x40);
      assert.deepEqual([...part.octets.subarray(0, 3), ...part.octets.subarray(4, 6)], [5, 0, 3, 2, i + 1]);
    }
    const whole = Buffer.concat(parts.map((p) => p.octets.subarray(6))).swap16();
    assert.equal(whole.toString('utf16le'), text);
    await becomesByHand(s, long.id, 'sent');
  });

test('routes, senders, brands and rates change under load: nothing is lost, nothing goes twice', async (t) => {
  const s = await fleet(t, {
    carriers: { one: { link: { window: 20 } }, two: { link: { window: 20 } } },
    practices: 2,
  });
  const [a, b] = s.practices;
  const shapes = [
    { routes: [{ carrier: 'one' }], senders: [{ number: a.sender, rate: 300 }] },
    { routes: [{ carrier: 'two' }, { carrier: 'one', tier: 2 }], brands: [{ name: 'elm', daily: 100000 }] },
    { senders: [{ number: b.sender, daily: 50000, brand: 'elm' }], brands: [{ name: 'elm', daily: 100000 }] },
    {
      routes: [
        { carrier: 'one', sender: a.sender },
        { carrier: 'two', sender: b.sender },
      ],
    },
    { routes: [{ carrier: 'one', weight: 3 }, { carrier: 'two' }], senders: [{ number: a.sender, rate: 0 }] },
    {},
  ];
  let pouring = true;
  const loads = Promise.all([pour(s, 400, { key: a.key }), pour(s, 400, { key: b.key })]).finally(() => {
    pouring = false;
  });
  for (let n = 0; pouring || n < shapes.length; n++)
    await s.gateway.reload((c) => {
      for (const k of ['routes', 'senders', 'brands']) delete c[k];
      Object.assign(c, shapes[n % shapes.length]);
      c.carriers[0].rate = n % 2 ? 0 : 500;
    });
  const all = (await loads).flat();
  await counted(s, { sent: 800 }, 90000);
  const texts = Object.values(s.carriers).flatMap((c) => c.submits.map((x) => x.text));
  assert.equal(texts.length, 800);
  assert.deepEqual(new Set(texts), new Set(all.map((m) => m.draft.body)));
  await until(async () => (await s.gateway.metric('smsbridge_in_flight')) === 0, 'all windows are empty');
});
