// What a submit says by the carrier's rows, and over which binds it goes: validity, data_sm, TLVs, references, pairs,
// interface versions, and a reload under load. Carriers are npm smpp, or played by hand where octets matter.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Api } from './lib/api.mjs';
import { becomes as becomesByHand, byHand } from './lib/by_hand.mjs';
import { Carrier } from './lib/carrier.mjs';
import { arrived, becomes, counted, fleet, pour } from './lib/fleet.mjs';
import { NOON } from './lib/gateway.mjs';
import { never, nextPhone, slow, until } from './lib/util.mjs';
import { readData, readMessage } from './lib/wire.mjs';
import { atEnd, setup, world } from './lib/world.mjs';

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
  ['2026-03-02T20:59:40-05:00', 'America/New_York', '2026-03-02T21:00:00-05:00'],
  ['2026-03-02T12:00:00-08:00', 'America/Los_Angeles', '2026-03-02T21:00:00-08:00'],
  ['2026-03-08T08:30:00-04:00', 'America/New_York', '2026-03-08T21:00:00-04:00'], // the day on which clocks change
  ['2026-03-02T12:00:00-05:00', 'America/New_York', '2026-03-02T12:30:00-05:00', '2026-03-02T12:30:00-05:00'],
  ['2026-03-02T20:30:00-05:00', 'America/New_York', '2026-03-02T21:00:00-05:00', '2026-03-05T12:00:00-05:00'],
];

for (const validity of ['relative', 'absolute', 'none'])
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
    (await s.db.sql("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%SET status = v.status%'"))
      .length;
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
