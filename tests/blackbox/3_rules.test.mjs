// The four rules at the moment of sending, and a STOP that wins. Time is the moved clock's.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Carrier } from './lib/carrier.mjs';
import { never, nextPatient, nextPhone, until } from './lib/util.mjs';
import { another, atEnd, practice, setup, world } from './lib/world.mjs';

await world();

const status = async (s, id) => (await s.api.message(id)).status;
const becomes = (s, id, wanted, ms) =>
  until(
    async () => {
      const m = await s.api.message(id);
      return m.status === wanted && m;
    },
    async () => `${wanted}, is ${JSON.stringify(await s.api.message(id))}`,
    ms,
  );
const at = (text) => new Date(text).getTime();
// A clock that stands, as good as still.
const still = (start) => ({ clock: { start, rate: 0.001 } });

async function dueOf(s, id, reason) {
  const m = await becomes(s, id, 'held');
  assert.equal(m.reason.code, reason, JSON.stringify(m.reason));
  return new Date(m.due_at).toISOString();
}

// covers: rule quiet_hours
test('quiet hours', async (t) => {
  const s = await setup(t, { config: still('2026-03-02T21:30:00-06:00') });

  await t.test('21:30 is held to 08:00 and goes then', async () => {
    const m = await s.api.accepted({ time_zone: 'America/Chicago' });
    assert.equal(await dueOf(s, m.id, 'quiet_hours'), '2026-03-03T14:00:00.000Z');
    await never(() => s.carrier.to(m.draft.phone).length, 'it left at night', 400);
    await s.gateway.moveClock('2026-03-03T07:59:58.500-06:00', 1);
    await s.carrier.got(m.draft);
    const sending = (await s.db.events(m.id)).find((e) => e.type === 'message.sending');
    const late = sending.at.getTime() - at('2026-03-03T08:00:00-06:00');
    assert.ok(late >= 0 && late < 3000, `left ${late} ms after 08:00`);
    const types = (await s.db.events(m.id)).map((e) => e.type);
    assert.deepEqual(types.slice(0, 3), ['message.accepted', 'message.held', 'message.sending']);
  });

  // [where, local time, zone, due or null when it goes]
  const rows = [
    ['last minute before the guard', '2026-03-03T20:54:50-06:00', { time_zone: 'America/Chicago' }, null],
    ['20:55 is in the guard', '2026-03-03T20:55:00-06:00', { time_zone: 'America/Chicago' }, '2026-03-04T14:00:00.000Z'],
    ['21:00 is too late', '2026-03-03T21:00:00-06:00', { time_zone: 'America/Chicago' }, '2026-03-04T14:00:00.000Z'],
    ['07:59 is too early', '2026-03-04T07:59:00-06:00', { time_zone: 'America/Chicago' }, '2026-03-04T14:00:00.000Z'],
    ['08:00 is not', '2026-03-04T08:00:00-06:00', { time_zone: 'America/Chicago' }, null],
    ['midnight', '2026-03-05T00:00:00-06:00', { time_zone: 'America/Chicago' }, '2026-03-05T14:00:00.000Z'],
    ['two zones, one still asleep', '2026-03-05T08:30:00-05:00', { phone: '+18505550110' }, '2026-03-05T14:00:00.000Z'],
    [
      'two zones, one asleep already',
      '2026-03-05T21:30:00-05:00',
      { phone: '+18505550111' },
      '2026-03-06T14:00:00.000Z',
    ],
    ['two zones, both awake', '2026-03-06T09:00:00-05:00', { phone: '+18505550112' }, null],
    [
      'two zones, but the practice knows which',
      '2026-03-06T08:30:00-05:00',
      { phone: '+18505550113', time_zone: 'America/New_York' },
      null,
    ],
    [
      'the night that loses an hour',
      '2026-03-07T21:30:00-06:00',
      { time_zone: 'America/Chicago' },
      '2026-03-08T13:00:00.000Z',
    ],
    ['08:00 on the short day', '2026-03-08T08:00:00-05:00', { time_zone: 'America/Chicago' }, null],
    [
      'the night that gains an hour',
      '2026-10-31T21:30:00-05:00',
      { time_zone: 'America/Chicago' },
      '2026-11-01T14:00:00.000Z',
    ],
    [
      '07:30 on the long day',
      '2026-11-01T07:30:00-06:00',
      { time_zone: 'America/Chicago' },
      '2026-11-01T14:00:00.000Z',
    ],
    ['Arizona keeps its time', '2026-07-01T07:30:00-07:00', { phone: '+16025550110' }, '2026-07-01T15:00:00.000Z'],
    ['Honolulu', '2026-07-01T20:30:00-10:00', { phone: '+18085550110' }, null],
    ['Guam', '2026-07-02T21:30:00+10:00', { phone: '+16715550110' }, '2026-07-02T22:00:00.000Z'],
    ['a zone with a half hour', '2026-07-02T20:45:00-02:30', { time_zone: 'America/St_Johns' }, null],
    ['urgent is no exception', '2026-07-03T22:00:00-04:00', { priority: 'urgent' }, '2026-07-04T12:00:00.000Z'],
  ];
  for (const [name, now, fields, due] of rows) {
    await t.test(name, async () => {
      await s.gateway.moveClock(now, 0.001);
      const m = await s.api.accepted(fields);
      if (due === null) {
        await s.carrier.got(m.draft);
      } else {
        assert.equal(await dueOf(s, m.id, 'quiet_hours'), due);
        assert.equal(s.carrier.to(m.draft.phone).filter((x) => x.text === m.draft.body).length, 0);
      }
    });
  }
});

// covers: rule cap_day, rule cap_week
test('one a day and three a week, per patient and per phone', async (t) => {
  const s = await setup(t, {
    config: still('2026-03-02T12:00:00-05:00'),
    carrier: {
      onSubmit: (m) => ({ status: m.text.startsWith('refuse') ? 0x0b : 0, silent: m.text.startsWith('silent') }),
    },
    link: { answer_timeout: '1s' },
  });
  const patient = nextPatient();
  const phone = nextPhone();
  const send = (fields = {}) => s.api.accepted({ patient, phone, ...fields });
  const first = await send();
  await s.carrier.got(first.draft);
  let waits;

  await t.test('the second of the day waits for the next', async () => {
    waits = await send();
    const due = await dueOf(s, waits.id, 'cap_day');
    const sentAt = (await s.db.message(first.id)).counted_at.getTime();
    const late = at(due) - (sentAt + 86400000);
    assert.ok(late >= 0 && late < 2000, `a day after the first: ${due}`);
    await s.gateway.moveClock('2026-03-03T11:59:50-05:00', 0.001);
    await never(() => s.carrier.of(waits.draft.body).length, 'too early', 400);
    await s.gateway.moveClock('2026-03-03T12:00:05-05:00', 0.001);
    await s.carrier.got(waits.draft);
  });
  await t.test('the same phone for another patient, the same patient on another phone', async () => {
    const otherPatient = await send({ patient: nextPatient() });
    const otherPhone = await send({ phone: nextPhone() });
    for (const m of [otherPatient, otherPhone]) await dueOf(s, m.id, 'cap_day');
    assert.equal(s.carrier.of(otherPatient.draft.body).length + s.carrier.of(otherPhone.draft.body).length, 0);
    for (const m of [otherPatient, otherPhone])
      assert.equal((await s.api.post(`/v1/messages/${m.id}/cancel`)).status, 200);
  });
  await t.test('another practice has its own count', async () => {
    const other = await practice(s.db, { name: 'Oak Street Clinic' });
    const m = await s.api.accepted({ patient, phone }, { key: other.key });
    await s.carrier.got(m.draft);
  });
  await t.test('the fourth in a week waits for the week to pass', async () => {
    await s.gateway.moveClock('2026-03-04T12:01:00-05:00', 0.001);
    await s.carrier.got((await send()).draft);
    await s.gateway.moveClock('2026-03-05T12:02:00-05:00', 0.001);
    const fourth = await send();
    const due = await dueOf(s, fourth.id, 'cap_week');
    const sentAt = (await s.db.message(first.id)).counted_at.getTime();
    const late = at(due) - (sentAt + 7 * 86400000);
    assert.ok(late >= 0 && late < 2000, `a week after the first: ${due}`);
    await s.gateway.moveClock('2026-03-09T12:59:50-04:00', 0.001);
    await never(() => s.carrier.of(fourth.draft.body).length, 'too early', 400);
    await s.gateway.moveClock('2026-03-09T13:00:10-04:00', 0.001);
    await s.carrier.got(fourth.draft);
  });
  await t.test('what the carrier refused for good did not reach anybody and does not count', async () => {
    const who = { patient: nextPatient(), phone: nextPhone() };
    const refused = await s.api.accepted({ ...who, body: 'refuse this one' });
    assert.equal((await becomes(s, refused.id, 'failed')).reason.code, 'carrier_rejected');
    const next = await s.api.accepted(who);
    await s.carrier.got(next.draft);
  });
  await t.test('what may have reached the phone counts', async () => {
    const who = { patient: nextPatient(), phone: nextPhone() };
    const lost = await s.api.accepted({ ...who, body: 'silent this one' });
    await becomes(s, lost.id, 'uncertain', 10000);
    const next = await s.api.accepted(who);
    await dueOf(s, next.id, 'cap_day');
  });
  await t.test('the calendar counts too: 20:00 and 08:30 are two days, but not a day apart', async () => {
    const who = { patient: nextPatient(), phone: nextPhone() };
    await s.gateway.moveClock('2026-04-06T20:00:00-04:00', 0.001);
    await s.carrier.got((await s.api.accepted(who)).draft);
    await s.gateway.moveClock('2026-04-07T08:30:00-04:00', 0.001);
    const m = await s.api.accepted(who);
    const due = await dueOf(s, m.id, 'cap_day');
    assert.ok(at(due) >= at('2026-04-07T20:00:00-04:00') && at(due) < at('2026-04-07T20:00:10-04:00'), due);
  });
});

// covers: rule expiry
test('expiry: too late is never', async (t) => {
  const s = await setup(t, { config: still('2026-03-02T21:30:00-05:00') });
  await t.test('it cannot go before it expires', async () => {
    const m = await s.api.accepted({ expires_at: '2026-03-03T07:00:00-05:00' });
    const shown = await becomes(s, m.id, 'expired');
    assert.equal(shown.reason.code, 'expires_before_allowed');
    assert.equal(s.carrier.to(m.draft.phone).length, 0);
  });
  await t.test('exactly at 08:00 is too late as well', async () => {
    const m = await s.api.accepted({ expires_at: '2026-03-03T08:00:00-05:00' });
    await becomes(s, m.id, 'expired');
  });
  await t.test('send_at in the future waits, then goes', async () => {
    const m = await s.api.accepted({ send_at: '2026-03-03T10:00:00-05:00' });
    assert.equal(await status(s, m.id), 'scheduled');
    await s.gateway.moveClock('2026-03-03T09:59:58.500-05:00', 1);
    await s.carrier.got(m.draft);
    const sending = (await s.db.events(m.id)).find((e) => e.type === 'message.sending');
    assert.ok(sending.at.getTime() >= at('2026-03-03T10:00:00-05:00'));
  });
  await t.test('no carrier until it has expired', async () => {
    await s.gateway.moveClock('2026-03-03T12:00:00-05:00', 1);
    const port = s.carrier.port;
    await s.carrier.stop();
    const m = await s.api.accepted({ expires_at: '2026-03-03T12:30:00-05:00' });
    await s.gateway.moveClock('2026-03-03T12:40:00-05:00', 1);
    const carrier = await new Carrier().start(port);
    atEnd(t, () => carrier.stop());
    await carrier.bound();
    await becomes(s, m.id, 'expired');
    assert.equal(carrier.to(m.draft.phone).length, 0);
  });
});

// covers: rule opt_out, rule stop_words
test('STOP, START, HELP and what is none of them', async (t) => {
  const s = await setup(t, { config: still('2026-03-02T12:00:00-05:00'), hooks: null });
  const sender = s.practice.sender;
  const optOuts = async (phone) =>
    await s.db.sql('SELECT * FROM smsbridge.opt_out WHERE phone = $1 AND practice_id = $2 ORDER BY created_at', [
      phone,
      s.practice.id,
    ]);
  const notices = (phone) => s.carrier.to(phone);
  const answered = async (phone, text, more) => {
    const answer = await s.carrier.mo(phone, sender, text, more);
    assert.equal(answer.command, 'deliver_sm_resp');
    assert.equal(answer.command_status, 0);
  };

  await t.test('the whole story', async () => {
    const who = { patient: nextPatient(), phone: nextPhone() };
    const sent = await s.api.accepted(who);
    await s.carrier.got(sent.draft);
    const waits = await s.api.accepted({ ...who, send_at: '2026-03-04T15:00:00Z' });
    const held = await s.api.accepted(who);
    await becomes(s, held.id, 'held');
    await answered(who.phone, 'STOP');
    // the answer follows the commit: all of this is true now
    assert.equal((await optOuts(who.phone)).length, 1);
    for (const m of [waits, held]) {
      const shown = await s.api.message(m.id);
      assert.equal(shown.status, 'canceled');
      assert.equal(shown.reason.code, 'canceled_by_opt_out');
    }
    await until(() => notices(who.phone).length === 2, 'the confirmation');
    const note = notices(who.phone)[1];
    assert.match(note.text, /Elm Street Clinic/);
    assert.match(note.text, /no more texts/i);
    assert.match(note.text, /START/);
    assert.ok(note.text.length <= 160);
    assert.equal(note.from.replace('+', ''), sender.replace('+', ''));
    await answered(who.phone, 'STOP');
    await answered(who.phone, 'stop please');
    await never(() => notices(who.phone).length > 2, 'a second confirmation', 500);
    const blocked = await s.api.accepted(who);
    assert.equal((await becomes(s, blocked.id, 'blocked')).reason.code, 'opted_out');
    assert.equal((await optOuts(who.phone)).length, 1);
    await s.hooks.got('opt_out.created');
    await s.hooks.got('message.blocked', (d) => d.message_id === blocked.id);

    await answered(who.phone, 'START');
    assert.ok((await optOuts(who.phone))[0].lifted_at);
    await until(() => notices(who.phone).length === 3, 'the word that it goes on');
    await s.hooks.got('opt_out.lifted');
    assert.equal(await status(s, waits.id), 'canceled', 'what was cancelled stays so');
    const again = await s.api.accepted(who);
    await becomes(s, again.id, 'held'); // the cap: it got one today
    await s.gateway.moveClock('2026-03-03T12:00:30-05:00', 0.001);
    await s.carrier.got(again.draft);
    assert.equal(await status(s, blocked.id), 'blocked', 'blocked is final');
    await s.gateway.moveClock('2026-03-02T12:00:00-05:00', 0.001);
  });

  const stops = [
    'STOP',
    'stop',
    'Stop.',
    ' stop ',
    'STOP!',
    's.t.o.p',
    '"STOP"',
    'STOP\n',
    'Stop please',
    'Please stop',
    'PLEASE STOP!!!',
    'pls stop thanks',
    'stop, thank you',
    'STOPALL',
    'Stop all',
    'UNSUBSCRIBE',
    'Cancel',
    'END',
    'quit',
    'Revoke',
    'OPTOUT',
    'opt-out',
    'Opt out',
    'please opt me out',
    'REMOVE',
    'ARRET',
    'Arr\u00eat',
    'ALTO',
    'Parar',
    'NO MAS',
    'no m\u00e1s',
    'stop\u{1F6D1}',
    'STOP STOP',
    'stop texting me',
  ];
  for (const text of stops) {
    await t.test(`${JSON.stringify(text)} stops`, async () => {
      const phone = nextPhone();
      const ucs2 = /[^\x00-\x7f\u00e0-\u00fc]/.test(text) || /[\u00ea\u00e1]/.test(text);
      await answered(phone, text, ucs2 ? { data_coding: 8, short_message: Buffer.from(text, 'utf16le').swap16() } : {});
      assert.equal((await optOuts(phone)).length, 1, 'opted out');
      await until(() => notices(phone).length === 1, 'one confirmation');
    });
  }
  const replies = [
    'Can I stop by at 9?',
    'I cannot stop coughing',
    'cancel my appointment',
    'please do not stop',
    'the end is near',
    'YES',
    'C',
    'ok',
    'See you then',
    'Is it at 9 or 10?',
    'start time?',
    'I need help with parking',
    '?',
    '1',
    'Stopp\u00e9',
    'bus stop',
    'Thanks',
    'STOPWATCH',
    'weekend',
  ];
  for (const text of replies) {
    await t.test(`${JSON.stringify(text)} is a reply`, async () => {
      const phone = nextPhone();
      await answered(phone, text);
      assert.equal((await optOuts(phone)).length, 0);
      const hook = await s.hooks.got('reply.received', (d) => d.phone?.endsWith(phone.slice(-4)));
      assert.ok(hook.verified);
      assert.ok(!hook.text.includes(text.length > 3 ? text : '\0'), 'thin: no text');
      assert.equal(notices(phone).length, 0, 'nobody answers it but the clinic');
      s.hooks.hooks.length = 0;
    });
  }
  for (const text of ['HELP', 'help', 'Info', 'AYUDA', 'Help!']) {
    await t.test(`${JSON.stringify(text)} is answered`, async () => {
      const phone = nextPhone();
      await answered(phone, text);
      await until(() => notices(phone).length === 1, 'the answer');
      assert.match(notices(phone)[0].text, /Elm Street Clinic/);
      assert.match(notices(phone)[0].text, /555-0199/);
      assert.match(notices(phone)[0].text, /STOP/);
      assert.equal((await optOuts(phone)).length, 0);
    });
  }
  for (const text of ['START', 'Unstop', 'start please']) {
    await t.test(`${JSON.stringify(text)} resumes`, async () => {
      const phone = nextPhone();
      await answered(phone, 'STOP');
      await until(() => notices(phone).length === 1, 'stopped');
      await answered(phone, text);
      assert.ok((await optOuts(phone))[0].lifted_at);
      await until(() => notices(phone).length === 2, 'the word that it goes on');
    });
  }
  await t.test('START from somebody who never stopped changes nothing', async () => {
    const phone = nextPhone();
    await answered(phone, 'START');
    assert.equal((await optOuts(phone)).length, 0);
  });
  await t.test('a STOP is for one practice', async () => {
    const other = await practice(s.db, { name: 'Oak Street Clinic' });
    const who = { patient: nextPatient(), phone: nextPhone() };
    await answered(who.phone, 'STOP');
    const m = await s.api.accepted(who, { key: other.key });
    await s.carrier.got(m.draft);
  });
  await t.test('a STOP to a number that no practice has is kept and answered to the carrier', async () => {
    const answer = await s.carrier.mo(nextPhone(), '+16465550177', 'STOP');
    assert.equal(answer.command_status, 0);
    const rows = await s.db.sql("SELECT 1 FROM smsbridge.event WHERE type = 'reply.unroutable'");
    assert.equal(rows.length, 1);
  });
  await t.test('numbers with and without their plus, and with other types', async () => {
    const phone = nextPhone();
    for (const [from, ton] of [
      [phone, 1],
      [phone.slice(1), 1],
      [phone.slice(2), 2],
    ]) {
      await s.carrier.deliver({
        source_addr: from,
        source_addr_ton: ton,
        source_addr_npi: 1,
        destination_addr: sender,
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        short_message: 'STOP',
      });
    }
    const rows = await s.db.sql('SELECT DISTINCT phone FROM smsbridge.opt_out WHERE phone LIKE $1', [
      `%${phone.slice(-10)}`,
    ]);
    assert.deepEqual(rows, [{ phone }], 'all three are one phone');
  });
  await t.test('a STOP in message_payload, in data_sm, in Latin-1, behind a header', async () => {
    const to = { destination_addr: sender, dest_addr_ton: 1, dest_addr_npi: 1, source_addr_ton: 1, source_addr_npi: 1 };
    for (const how of ['payload', 'data_sm', 'latin1', 'udh', 'binary dcs']) {
      const phone = nextPhone();
      const fields = { ...to, source_addr: phone };
      if (how === 'payload') await s.carrier.deliver({ ...fields, short_message: '', message_payload: 'STOP' });
      if (how === 'latin1') await s.carrier.deliver({ ...fields, data_coding: 3, short_message: Buffer.from('STOP') });
      if (how === 'udh')
        await s.carrier.deliver({
          ...fields,
          esm_class: 0x40,
          short_message: Buffer.concat([Buffer.from([5, 0, 3, 9, 1, 1]), Buffer.from('STOP')]),
        });
      if (how === 'binary dcs')
        await s.carrier.deliver({ ...fields, data_coding: 0xf1, short_message: Buffer.from('STOP') });
      if (how === 'data_sm')
        await new Promise((resolve) => {
          s.carrier.session.data_sm({ ...fields, message_payload: 'STOP' }, resolve);
        });
      await until(async () => (await optOuts(phone)).length === 1, `${how}: opted out`);
    }
  });
  await t.test('in the night, too, and outside the caps', async () => {
    const who = { patient: nextPatient(), phone: nextPhone() };
    await s.carrier.got((await s.api.accepted(who)).draft);
    await s.gateway.moveClock('2026-03-02T23:30:00-05:00', 0.001);
    await answered(who.phone, 'STOP');
    await until(() => notices(who.phone).length === 2, 'the confirmation goes at once');
  });
  await t.test('two at once make one opt-out and one confirmation', async () => {
    const phone = nextPhone();
    await Promise.all(Array.from({ length: 10 }, () => answered(phone, 'STOP')));
    assert.equal((await optOuts(phone)).length, 1);
    await until(() => notices(phone).length >= 1, 'confirmed');
    await never(() => notices(phone).length > 1, 'twice', 400);
  });
});

// covers: rule confirmation
test('a confirmation that is more than five minutes late does not go', async (t) => {
  let refuse = true;
  const s = await setup(t, {
    config: { clock: { start: '2026-03-02T12:00:00-05:00', rate: 1 } },
    carrier: { onSubmit: () => ({ status: refuse ? 0x58 : 0 }) },
  });
  const phone = nextPhone();
  await s.carrier.mo(phone, s.practice.sender, 'STOP');
  await until(() => s.carrier.to(phone).length === 1, 'tried');
  await s.gateway.moveClock('2026-03-02T12:05:30-05:00', 1);
  refuse = false;
  const [row] = await until(
    async () => {
      const rows = await s.db.sql('SELECT * FROM smsbridge.message WHERE phone = $1', [phone]);
      return rows[0]?.status === 'expired' && rows;
    },
    'expired',
    20000,
  );
  assert.equal(row.category, 'opt_out_confirmation');
  assert.equal(s.carrier.to(phone).length, 1);
});

test('the carrier is answered after the commit', async (t) => {
  const s = await setup(t, { hooks: null });
  const sender = s.practice.sender;
  const sent = await s.api.accepted();
  const submit = await s.carrier.got(sent.draft);
  await becomes(s, sent.id, 'sent');
  for (const [name, table, deliver, proof] of [
    [
      'a STOP',
      'opt_out',
      (phone) => s.carrier.mo(phone, sender, 'STOP'),
      'SELECT 1 FROM smsbridge.opt_out WHERE phone = $1',
    ],
    [
      'a reply',
      'inbound',
      (phone) => s.carrier.mo(phone, sender, 'What time was it?'),
      'SELECT 1 FROM smsbridge.inbound WHERE phone = $1',
    ],
    [
      'a receipt',
      'message',
      () => s.carrier.receipt(submit),
      "SELECT 1 FROM smsbridge.message WHERE status = 'delivered' AND $1::text IS NOT NULL",
    ],
  ]) {
    await t.test(name, async () => {
      const phone = nextPhone();
      const blocker = await s.db.connect();
      await blocker.query(`BEGIN; LOCK TABLE smsbridge.${table} IN EXCLUSIVE MODE`);
      let answer;
      const told = deliver(phone).then((a) => {
        answer = a;
      });
      await until(
        async () =>
          (
            await s.db.sql(
              'SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT granted AND datname = $1',
              [s.db.name],
            )
          ).length,
        'the gateway waits for the table',
      );
      await never(() => answer, 'answered before the commit', 500);
      await blocker.query('ROLLBACK');
      await blocker.end();
      await told;
      assert.equal(answer.command_status, 0);
      assert.equal((await s.db.sql(proof, [phone])).length, 1, 'true when it was answered');
    });
  }
});

test('a STOP while a message is on the wire', async (t) => {
  let hold;
  const s = await setup(t, { link: { window: 1 }, carrier: { onSubmit: () => (hold ? { silent: true } : {}) } });
  hold = true;
  const m = await s.api.accepted();
  const submit = await s.carrier.got(m.draft);
  await s.carrier.mo(m.draft.phone, s.practice.sender, 'STOP');
  const events = await s.db.sql("SELECT * FROM smsbridge.event WHERE type LIKE 'opt_out.%' ORDER BY type");
  assert.deepEqual(
    events.map((e) => e.type),
    ['opt_out.created', 'opt_out.in_flight'],
  );
  assert.equal(events[1].message_id, m.id);
  hold = false;
  s.carrier.answer(submit);
  await becomes(s, m.id, 'sent');
  await until(() => s.carrier.to(m.draft.phone).length === 2, 'then the confirmation');
});

test('a STOP wins over what is queued behind a full window', async (t) => {
  let hold = true;
  const s = await setup(t, { link: { window: 1 }, carrier: { onSubmit: () => (hold ? { silent: true } : {}) } });
  const first = await s.api.accepted();
  const submit = await s.carrier.got(first.draft);
  const waiting = [];
  for (let i = 0; i < 20; i++) waiting.push(await s.api.accepted());
  await Promise.all(waiting.map((m) => s.carrier.mo(m.draft.phone, s.practice.sender, 'STOP')));
  hold = false;
  s.carrier.answer(submit);
  await until(() => waiting.every((m) => s.carrier.to(m.draft.phone).length), 'every confirmation');
  for (const m of waiting) {
    assert.equal(s.carrier.of(m.draft.body).length, 0, 'no reminder after the STOP');
    assert.equal(await status(s, m.id), 'canceled');
  }
});

test('STOPs and sends for the same phones at the same time: nothing leaves after its STOP was answered', async (t) => {
  const s = await setup(t, { link: { window: 50 }, carrier: { onSubmit: () => ({ delay: 5 }) } });
  const pairs = Array.from({ length: 80 }, () => ({ phone: nextPhone() }));
  await Promise.all(
    pairs.map(async (pair, i) => {
      const who = { patient: nextPatient(), phone: pair.phone };
      const posted = s.api.accepted(who);
      if (i % 2) await posted;
      await s.carrier.mo(who.phone, s.practice.sender, 'STOP');
      pair.stoppedAt = Date.now();
      const m = await posted;
      pair.body = m.draft.body;
      pair.later = await s.api.accepted(who); // the STOP was answered: never
    }),
  );
  await until(
    async () =>
      (await s.db.sql("SELECT 1 FROM smsbridge.message WHERE due_at IS NOT NULL OR status = 'sending'")).length === 0,
    'all judged',
    20000,
  );
  for (const who of pairs) {
    const sends = s.carrier.of(who.body);
    assert.ok(sends.length <= 1);
    assert.ok(
      sends.every((x) => x.at <= who.stoppedAt + 50),
      'no submit after the STOP was answered',
    );
    assert.equal(s.carrier.of(who.later.draft.body).length, 0);
    assert.equal((await s.db.message(who.later.id)).status, 'blocked');
    assert.equal(s.carrier.to(who.phone).length - sends.length, 1, 'one confirmation');
  }
});

test('two gateways, one patient, forty messages at once: exactly one goes', async (t) => {
  const s = await setup(t, { carrier: { onSubmit: () => ({ delay: 10 }) } });
  const two = await new Carrier({ onSubmit: () => ({ delay: 10 }) }).start();
  atEnd(t, () => two.stop());
  const g2 = await another(t, s, { carrier: two });
  await g2.start();
  await two.bound();
  for (let round = 0; round < 3; round++) {
    const who = { patient: nextPatient(), phone: nextPhone() };
    const fields = [who, { ...who, phone: nextPhone() }, { ...who, patient: nextPatient() }];
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (i % 2 ? g2.api : s.api).accepted(round === 0 ? who : fields[(i >> 1) % (round + 1)]),
      ),
    );
    const ids = all.map((m) => m.id);
    await until(
      async () =>
        (
          await s.db.sql("SELECT 1 FROM smsbridge.message WHERE id = ANY($1) AND status IN ('queued', 'sending')", [
            ids,
          ])
        ).length === 0,
      'all judged',
      20000,
    );
    const rows = await s.db.sql('SELECT status, reason, phone, patient FROM smsbridge.message WHERE id = ANY($1)', [
      ids,
    ]);
    const went = [...s.carrier.submits, ...two.submits].filter((x) => all.some((m) => m.draft.body === x.text));
    if (round === 0) assert.equal(went.length, 1, 'exactly one submit on both carriers');
    for (const by of ['phone', 'patient']) {
      const counts = new Map();
      for (const r of rows.filter((x) => x.status === 'sent')) counts.set(r[by], (counts.get(r[by]) ?? 0) + 1);
      for (const [, n] of counts) assert.equal(n, 1, `one per ${by}`);
    }
    assert.equal(rows.filter((r) => r.status === 'sent').length, went.length);
    assert.ok(rows.filter((r) => r.status === 'held').every((r) => r.reason === 'cap_day'));
    assert.equal(rows.filter((r) => r.status === 'held').length, 40 - went.length);
  }
});
