// What patients answer: to reminders, to the question which visit they meant, and to people. Visits stand in the
// database as PUT /v1/appointments leaves them (29_appointment); reminders leave by a real gateway to npm smpp's server,
// which delivers the answers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { keepBody, keepPatient, keepPhone } from './lib/privacy.mjs';
import { binary, must, never, nextPatient, nextPhone, pause, until } from './lib/util.mjs';
import { practice, setup, world } from './lib/world.mjs';

await world();

const NOON = '2026-03-02T12:00:00-05:00';
const still = { clock: { start: NOON, rate: 0.001 } };
const MONDAY = '2026-03-09T14:30:00-04:00';
const WEDNESDAY = '2026-03-11T09:00:00-04:00';

const says = async (s, phone, text, more) => {
  const answer = await s.carrier.mo(phone, s.practice.sender, text, more);
  assert.equal(answer.command_status, 0);
};
const addressed = (from, to) => ({
  source_addr: from.slice(1),
  destination_addr: to.slice(1),
  source_addr_ton: 1,
  source_addr_npi: 1,
  dest_addr_ton: 1,
  dest_addr_npi: 1,
  data_coding: 0,
});
const events = (s, type, phone) =>
  s.db.sql('SELECT * FROM smsbridge.event WHERE type = $1 AND ($2::text IS NULL OR phone = $2) ORDER BY xact, id', [
    type,
    phone ?? null,
  ]);
const visit = async (s, v) =>
  (
    await s.db.sql('SELECT * FROM smsbridge.appointment WHERE practice_id = $1 AND ref = $2', [v.practice.id, v.ref])
  )[0];
const answered = async (s, v) => [(await visit(s, v)).status, (await visit(s, v)).answer];
const replies = async (s, phone) => (await events(s, 'reply.received', phone)).length;
const tasks = async (s, phone, kind = 'which_visit', open = true) =>
  (await s.api.get(`/v1/tasks?kind=${kind}&open=${open}`)).json.data.filter((t) => t.phone === phone);

let visits = 0;
// A visit that stands, as of now.
const book = async (
  s,
  { phone = nextPhone(), patient = nextPatient(), at = MONDAY, zone = 'America/New_York', ...more } = {},
) => {
  const v = { practice: s.practice, phone, patient, at, ref: `visit-${++visits}`, language: 'en', ...more };
  await s.db.sql(
    `INSERT INTO smsbridge.appointment (practice_id, ref, patient, phone, starts_at, location_zone, zones, kind, language,
       created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $6, 'default', $7, '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z')`,
    [v.practice.id, v.ref, v.patient, v.phone, v.at, zone, v.language],
  );
  return v;
};
// Its reminder, which leaves.
const remind = async (s, v, step = 'day', options = {}) => {
  const m = await s.api.accepted({ patient: v.patient, phone: v.phone }, options);
  await s.db.sql(
    `INSERT INTO smsbridge.reminder (practice_id, ref, step, visit_at, message_id, state, due_at, made_at, updated_at)
     SELECT practice_id, ref, $3, starts_at, $4, 'planned', now(), now(), now() FROM smsbridge.appointment
     WHERE practice_id = $1 AND ref = $2`,
    [v.practice.id, v.ref, step, m.id],
  );
  await s.carrier.got(m.draft);
  await until(async () => ['sent', 'delivered'].includes((await s.api.message(m.id, options)).status), 'it is sent');
  return m;
};
const reminded = async (s, options) => {
  const v = await book(s, options);
  v.reminder = await remind(s, v);
  return v;
};
// Several patients have the phone: more than one text a day may go there.
const household = async (s, phone, options) => {
  const answer = await s.api.post('/v1/recipients', { phone, household: true, actor: 'Jo Rivera' }, options);
  assert.equal(answer.status, 200, answer.text);
  return phone;
};
const twoVisits = async (s, more = {}) => {
  const phone = await household(s, nextPhone());
  return [await reminded(s, { phone, ...more }), await reminded(s, { phone, at: WEDNESDAY, ...more })];
};
const texts = (s, phone) => s.carrier.to(phone).map((m) => m.text);
const asks = async (s, phone, before) => {
  await until(() => texts(s, phone).length > before, 'the question');
  return texts(s, phone).at(-1);
};

test('the answer to a reminder', async (t) => {
  const s = await setup(t, { config: still, hooks: null });
  for (const [text, status, answer] of [
    ['C', 'confirmed', 'confirmed'],
    ['Yes, thank you!', 'confirmed', 'confirmed'],
    ['Sí', 'confirmed', 'confirmed'],
    ['Confrim', 'confirmed', 'confirmed'],
    ['r', 'booked', 'reschedule_requested'],
    ['Reschedule please', 'booked', 'reschedule_requested'],
    ['X', 'booked', 'declined'],
    ['No', 'booked', 'declined'],
  ]) {
    await t.test(`${JSON.stringify(text)}: ${answer}`, async () => {
      const v = await reminded(s);
      await says(s, v.phone, Buffer.from(text, 'latin1'), { data_coding: 3 });
      assert.deepEqual(await answered(s, v), [status, answer]);
      const [told] = (await events(s, `appointment.${answer}`)).filter((e) => e.data.ref === v.ref);
      assert.equal(told.data.by, 'patient');
      assert.equal(await replies(s, v.phone), 0, "it is nobody else's to read");
      const [kept] = await s.db.sql('SELECT * FROM smsbridge.inbound WHERE phone = $1', [v.phone]);
      assert.deepEqual([kept.taken_as, kept.appointments, kept.id], [answer, [v.ref], told.data.inbound_id]);
      await never(() => texts(s, v.phone).length > 1, 'an acknowledgement nobody asked for', 100);
      await s.hooks.got(`appointment.${answer}`);
    });
  }
  await t.test('another answer later counts; the same one is told once', async () => {
    const v = await reminded(s);
    for (const text of ['C', 'confirm', 'X', 'c']) await says(s, v.phone, text);
    assert.deepEqual(await answered(s, v), ['confirmed', 'confirmed']);
    const mine = async (type) => (await events(s, type)).filter((e) => e.data.ref === v.ref).length;
    assert.deepEqual([await mine('appointment.confirmed'), await mine('appointment.declined')], [2, 1]);
    assert.equal(await replies(s, v.phone), 0);
  });
  await t.test('STOP, CANCEL and HELP are what they were', async () => {
    for (const [text, optOuts] of [
      ['STOP', 1],
      ['CANCEL', 1],
      ['HELP', 0],
      ['C stop', 0],
    ]) {
      const v = await reminded(s);
      await says(s, v.phone, text);
      assert.deepEqual(await answered(s, v), ['booked', ''], text);
      const rows = await s.db.sql('SELECT FROM smsbridge.opt_out WHERE phone = $1 AND lifted_at IS NULL', [v.phone]);
      assert.equal(rows.length, optOuts, text);
      assert.equal((await tasks(s, v.phone, 'possible_cancel_visit')).length, text === 'CANCEL' ? 1 : 0, text);
    }
  });
  await t.test('what is no answer is for people, once it is told', async () => {
    const v = await reminded(s);
    await says(s, v.phone, 'yes but is there parking?');
    assert.deepEqual(await answered(s, v), ['booked', '']);
    const [e] = await events(s, 'reply.received', v.phone);
    const told = await s.hooks.got('reply.received', (d) => d.reply_id === e.data.inbound_id);
    assert.ok(e.data.conversation_id);
    assert.equal(told.body.data.conversation_id, e.data.conversation_id);
    assert.ok(!told.text.includes(v.phone) && !told.text.includes('parking'));
  });
});

test('only the reminder of a visit that stands has an answer', async (t) => {
  const s = await setup(t, { config: still });
  const set = (v, column, value) =>
    s.db.sql(`UPDATE smsbridge.appointment SET ${column} = $3 WHERE practice_id = $1 AND ref = $2`, [
      v.practice.id,
      v.ref,
      value,
    ]);
  const isPlain = async (v, text = 'C') => {
    const before = await visit(s, v);
    const heard = await replies(s, v.phone);
    await says(s, v.phone, text);
    assert.deepEqual(await visit(s, v), before);
    assert.equal(await replies(s, v.phone), heard + 1);
  };
  await t.test('no reminder', async () => isPlain(await book(s)));
  await t.test('one that has not left', async () => {
    const v = await book(s);
    const m = await s.api.accepted({ patient: v.patient, phone: v.phone, send_at: '2026-03-05T12:00:00-05:00' });
    await s.db.sql(
      `INSERT INTO smsbridge.reminder (practice_id, ref, step, visit_at, message_id, state, due_at, made_at, updated_at)
       VALUES ($1, $2, 'day', $3, $4, 'planned', now(), now(), now())`,
      [v.practice.id, v.ref, v.at, m.id],
    );
    await isPlain(v);
  });
  await t.test('one that did not arrive', async () => {
    const v = await reminded(s);
    const submit = s.carrier.to(v.phone)[0];
    await s.carrier.receipt(submit, { stat: 'UNDELIV' });
    await until(async () => (await s.api.message(v.reminder.id)).status === 'undelivered', 'undelivered');
    await isPlain(v);
  });
  for (const status of ['arrived', 'completed', 'canceled', 'no_show'])
    await t.test(`a visit that is ${status}`, async () => {
      const v = await reminded(s);
      await set(v, 'status', status);
      await isPlain(v);
    });
  await t.test('a visit that moved since', async () => {
    const v = await reminded(s);
    await set(v, 'starts_at', WEDNESDAY);
    await isPlain(v);
  });
  await t.test("another phone's", async () => {
    const v = await reminded(s);
    v.phone = nextPhone();
    await isPlain(v);
  });
  await t.test('a visit that has begun, and a reminder of more than a week ago', async () => {
    const begun = await reminded(s, { at: '2026-03-02T13:00:00-05:00' });
    const later = await reminded(s, { at: '2026-03-20T13:00:00-04:00' });
    await s.gateway.moveClock('2026-03-02T13:00:01-05:00', 0.001);
    await isPlain(begun);
    await s.gateway.moveClock('2026-03-09T13:10:00-04:00', 0.001);
    await isPlain(later);
  });
});

test('two visits: the patient is asked which', async (t) => {
  const s = await setup(t, { config: still, hooks: null });
  await t.test('the number says it', async () => {
    const [first, second] = await twoVisits(s);
    await says(s, first.phone, 'C');
    const question = await asks(s, first.phone, 2);
    assert.equal(
      question,
      'Elm Street Clinic: which visit? Reply 1 for Mon, Mar 9 2:30 PM, 2 for Wed, Mar 11 9:00 AM. (212) 555-0199. STOP to opt out.',
    );
    assert.ok(question.length <= 160);
    assert.deepEqual(
      [await answered(s, first), await answered(s, second)],
      [
        ['booked', ''],
        ['booked', ''],
      ],
    );
    const [task] = await tasks(s, first.phone);
    assert.deepEqual([task.text, task.holds], ['C', false]);
    await says(s, first.phone, '2');
    assert.deepEqual(
      [await answered(s, first), await answered(s, second)],
      [
        ['booked', ''],
        ['confirmed', 'confirmed'],
      ],
    );
    assert.deepEqual(await tasks(s, first.phone), []);
    assert.equal((await tasks(s, first.phone, 'which_visit', false))[0].decided_by, 'patient');
    assert.equal(await replies(s, first.phone), 0);
    const [asked] = await s.db.sql(
      "SELECT * FROM smsbridge.message WHERE phone = $1 AND category = 'conversational_reply'",
      [first.phone],
    );
    assert.equal(asked.answers, task.reply_id);
    await says(s, first.phone, 'x');
    assert.deepEqual(
      [await answered(s, first), await answered(s, second)],
      [
        ['booked', 'declined'],
        ['confirmed', 'confirmed'],
      ],
      'what is left open needs no number',
    );
    await never(() => texts(s, first.phone).length > 3, 'asked again', 100);
  });
  for (const [text, first, second] of [
    ['R 1', 'reschedule_requested', ''],
    ['the first one please', 'confirmed', ''],
    ['both', 'confirmed', 'confirmed'],
    ['c2', '', 'confirmed'],
    ['X 2', '', 'declined'],
  ])
    await t.test(`${JSON.stringify(text)} to a C`, async () => {
      const [a, b] = await twoVisits(s);
      await says(s, a.phone, 'C');
      await asks(s, a.phone, 2);
      await says(s, a.phone, text);
      assert.deepEqual([(await visit(s, a)).answer, (await visit(s, b)).answer], [first, second]);
    });
  await t.test('it is asked once, and the last word is meant', async () => {
    const [a, b] = await twoVisits(s);
    for (const text of ['C', 'c', 'X']) await says(s, a.phone, text);
    await asks(s, a.phone, 2);
    await never(() => texts(s, a.phone).length > 3, 'asked twice', 100);
    await says(s, a.phone, '1');
    assert.deepEqual([(await visit(s, a)).answer, (await visit(s, b)).answer], ['declined', '']);
  });
  await t.test('in Spanish, and in the zone of the visit', async () => {
    const phone = await household(s, nextPhone());
    await reminded(s, { phone, language: 'es', zone: 'America/Chicago' });
    const v = await reminded(s, { phone, language: 'es', at: WEDNESDAY });
    await says(s, phone, 'C');
    assert.equal(
      await asks(s, phone, 2),
      'Elm Street Clinic: cual cita? Responda 1: lun 9 mar 1:30 PM, 2: mie 11 mar 9:00 AM. (212) 555-0199. STOP para no recibir mas.',
    );
    await says(s, phone, 'la segunda');
    assert.equal((await visit(s, v)).answer, 'confirmed');
  });
  await t.test('three have three numbers', async () => {
    const [a] = await twoVisits(s);
    const c = await reminded(s, { phone: a.phone, at: '2026-03-12T08:15:00-04:00' });
    await says(s, a.phone, 'R');
    assert.match(
      await asks(s, a.phone, 3),
      /reply 1 for Mon, Mar 9 2:30 PM, 2 Wed, Mar 11 9:00 AM, 3 Thu, Mar 12 8:15 AM/,
    );
    await says(s, a.phone, '3');
    assert.equal((await visit(s, c)).answer, 'reschedule_requested');
  });
  await t.test('two at the same time are one answer', async () => {
    const phone = await household(s, nextPhone());
    const pair = [await reminded(s, { phone }), await reminded(s, { phone })];
    await says(s, phone, 'C');
    for (const v of pair) assert.deepEqual(await answered(s, v), ['confirmed', 'confirmed']);
  });
  await t.test('a number without a question, or of no visit, is for people', async () => {
    const v = await reminded(s);
    for (const text of ['1', 'c 1', 'both']) await says(s, v.phone, text);
    assert.deepEqual(await answered(s, v), ['booked', '']);
    assert.equal(await replies(s, v.phone), 3);
    const [a] = await twoVisits(s);
    await says(s, a.phone, 'C');
    await asks(s, a.phone, 2);
    await says(s, a.phone, '3');
    assert.equal(await replies(s, a.phone), 1);
  });
  await t.test('what moved since the question was asked is not answered', async () => {
    const [a] = await twoVisits(s);
    await says(s, a.phone, 'C');
    await asks(s, a.phone, 2);
    await s.db.sql("UPDATE smsbridge.appointment SET starts_at = starts_at + interval '1 hour' WHERE ref = $1", [
      a.ref,
    ]);
    await says(s, a.phone, '1');
    assert.deepEqual(await answered(s, a), ['booked', '']);
    assert.equal(await replies(s, a.phone), 1);
  });
  await t.test('a day later the number means nothing; the task is still there', async () => {
    const [a, b] = await twoVisits(s);
    await says(s, a.phone, 'C');
    await asks(s, a.phone, 2);
    await s.gateway.moveClock('2026-03-03T12:05:00-05:00', 0.001);
    await says(s, a.phone, '1');
    assert.deepEqual([(await visit(s, a)).answer, (await visit(s, b)).answer], ['', '']);
    assert.equal((await tasks(s, a.phone)).length, 1);
    assert.equal(await replies(s, a.phone), 1);
    const done = await s.api.post(`/v1/tasks/${(await tasks(s, a.phone))[0].id}/decide`, {
      decision: 'settled',
      person: 'Jo Rivera',
    });
    assert.equal(done.status, 200, done.text);
  });
});

test('YES is first of all the answer to a verification', async (t) => {
  const s = await setup(t, { config: still });
  const phone = await household(s, nextPhone());
  const v = await reminded(s, { phone });
  const answer = await s.api.post('/v1/verifications', { patient: v.patient, phone });
  assert.equal(answer.status, 202, answer.text);
  // The patient's own cap holds it back for a day.
  await s.gateway.moveClock('2026-03-03T12:10:00-05:00', 0.001);
  await until(() => s.carrier.to(phone).length === 2, 'the question');
  await until(async () => (await s.api.message(answer.json.id)).status === 'sent', 'sent');
  await says(s, phone, 'C');
  assert.deepEqual(await answered(s, v), ['confirmed', 'confirmed'], 'C is no answer to it');
  await says(s, phone, 'YES');
  assert.equal((await events(s, 'recipient.verified', phone)).length, 1);
  await says(s, phone, 'X');
  await says(s, phone, 'YES');
  assert.deepEqual(await answered(s, v), ['confirmed', 'confirmed'], 'afterwards it is one to the visit');
  assert.equal((await events(s, 'recipient.verified', phone)).length, 1);
});

test('a sender that practices share', async (t) => {
  const s = await setup(t, { config: still, practice: { more: ['--shared', 'true'] } });
  const other = await practice(s.db, {
    name: 'Oak Dental',
    phone: '(212) 555-0198',
    sender: s.practice.sender,
    more: ['--shared', 'true'],
  });
  const at = { key: other.key };
  const there = async (phone, more = {}) => {
    const v = await book(s, { phone, practice: other, ...more });
    v.reminder = await remind(s, v, 'day', at);
    return v;
  };
  await t.test('the text goes to the practice whose reminder it answers', async () => {
    const phone = nextPhone();
    const v = await there(phone);
    await s.carrier.got((await s.api.accepted({ patient: nextPatient(), phone })).draft); // the other one texted last
    await says(s, phone, 'C');
    assert.deepEqual(await answered(s, v), ['confirmed', 'confirmed']);
    const [kept] = await s.db.sql('SELECT * FROM smsbridge.inbound WHERE phone = $1', [phone]);
    assert.equal(kept.practice_id, other.id);
  });
  await t.test('visits at both: neither is told of the other, people look at it', async () => {
    const phone = nextPhone();
    const here = await reminded(s, { phone });
    const v = await there(phone, { at: WEDNESDAY });
    await says(s, phone, 'C');
    assert.deepEqual(
      [await answered(s, here), await answered(s, v)],
      [
        ['booked', ''],
        ['booked', ''],
      ],
    );
    assert.equal((await tasks(s, phone)).length, 1);
    const theirs = (await s.api.get('/v1/tasks?kind=which_visit', at)).json.data.filter((x) => x.phone === phone);
    assert.equal(theirs.length, 1);
    await never(() => texts(s, phone).length > 2, 'a question', 200);
  });
});

test('redelivered', async (t) => {
  // a pair, so that the question does not leave by the connection that breaks, which would leave it uncertain
  const s = await setup(t, { config: still, link: { bind: 'pair' } });
  const receivers = () => s.carrier.binds.filter((b) => b.pdu.command === 'bind_receiver').map((b) => b.session);
  await until(() => receivers().length === 1, 'bound as a receiver');
  await t.test('a text that comes again after the connection broke acts once', async () => {
    const [a] = await twoVisits(s);
    const text = { ...addressed(a.phone, s.practice.sender), short_message: 'C' };
    keepBody('C');
    // the carrier breaks the connection instead of taking the answer: a moment later it would have heard it
    await s.carrier.deliver(text, receivers()[0]);
    receivers()[0].destroy();
    await until(() => receivers()[1]?.bound, 'bound again', 30000);
    assert.equal((await s.carrier.deliver(text, receivers()[1])).command_status, 0);
    await asks(s, a.phone, 2);
    await never(() => texts(s, a.phone).length > 3, 'asked twice', 200);
    const rows = await s.db.sql('SELECT FROM smsbridge.inbound WHERE phone = $1', [a.phone]);
    assert.equal(rows.length, 1);
    assert.equal((await events(s, 'reply.taken', a.phone)).length, 1);
  });
  await t.test('no violation', async () => assert.deepEqual(await s.db.sql('SELECT * FROM report.violations'), []));
});

test('acknowledged', async (t) => {
  const s = await setup(t, { config: still });
  await t.test('an acknowledgement, where the practice wants one', async () => {
    await s.db.sql('UPDATE smsbridge.practice SET reply_ack = true');
    for (const [text, ack] of [
      ['C', /your visit is confirmed/],
      ['R', /another time/],
      ['X', /cannot come/],
    ]) {
      const v = await reminded(s);
      await says(s, v.phone, text);
      assert.match(await asks(s, v.phone, 1), ack);
    }
  });
  await t.test('no violation', async () => assert.deepEqual(await s.db.sql('SELECT * FROM report.violations'), []));
});

test('conversations', async (t) => {
  const s = await setup(t, { config: { clock: { start: NOON, rate: 1 } } });
  const list = async (query = '', options) => (await s.api.get(`/v1/conversations${query}`, options)).json.data;
  const of = async (phone) => (await list(`?phone=${encodeURIComponent(phone)}`))[0];
  const thread = async (id, query = '') => (await s.api.get(`/v1/conversations/${id}${query}`)).json;
  const problem = (answer, status, code) => assert.deepEqual([answer.status, answer.json.code], [status, code]);

  await t.test('a thread in order, answered by a named person', async () => {
    const v = await reminded(s);
    await says(s, v.phone, 'C');
    assert.equal(await of(v.phone), undefined, 'an answer to a reminder is nobody else to read');
    await says(s, v.phone, 'Is there parking?');
    await says(s, v.phone, 'And how long is it?');
    const c = await of(v.phone);
    assert.deepEqual([c.open, c.unread, c.owner, c.patient], [true, 2, null, v.patient]);
    assert.equal(c.last_reply.text, 'And how long is it?');
    const body = 'Yes, behind the house. It takes half an hour.';
    keepBody(body);
    const answer = await s.api.post(`/v1/conversations/${c.id}/messages`, { body, person: 'Jo Rivera' });
    assert.equal(answer.status, 202, answer.text);
    await s.carrier.got({ phone: v.phone, body });
    const [m] = await s.db.sql('SELECT * FROM smsbridge.message WHERE id = $1', [answer.json.id]);
    assert.deepEqual(
      [m.category, m.person, m.answers, m.patient],
      ['conversational_reply', 'Jo Rivera', c.last_reply.id, v.patient],
    );
    const [accepted] = await s.db.sql(
      "SELECT data FROM smsbridge.event WHERE message_id = $1 AND type = 'message.accepted'",
      [m.id],
    );
    assert.deepEqual([accepted.data.person, accepted.data.automatic], ['Jo Rivera', false]);
    await until(async () => (await s.api.message(m.id)).status === 'sent', 'sent');
    const read = await thread(c.id);
    assert.deepEqual([read.conversation.unread, read.conversation.owner], [0, 'Jo Rivera']);
    assert.deepEqual(
      read.data.map((x) => [x.direction, x.taken_as ?? x.category, x.person ?? null]),
      [
        ['out', 'appointment_reminder', null],
        ['in', 'confirmed', null],
        ['in', 'reply', null],
        ['in', 'reply', null],
        ['out', 'conversational_reply', 'Jo Rivera'],
      ],
    );
    assert.deepEqual(read.data[1].appointments, [v.ref]);
    assert.equal(read.data.at(-1).text, body);
    const seen = [];
    for (let path = `/v1/conversations/${c.id}?limit=2`; path;) {
      const page = (await s.api.get(path)).json;
      seen.push(...page.data.map((x) => x.id));
      path = page.next;
    }
    assert.deepEqual(
      seen,
      read.data.map((x) => x.id),
      'page by page',
    );
  });
  await t.test('closed, it is opened by the next text', async () => {
    const phone = nextPhone();
    await says(s, phone, 'Hello, do you take new patients?');
    const { id } = await of(phone);
    const closed = await s.api.post(`/v1/conversations/${id}/close`, { person: 'Jo Rivera' });
    assert.equal(closed.status, 200, closed.text);
    assert.deepEqual([closed.json.open, closed.json.closed_by, closed.json.unread], [false, 'Jo Rivera', 0]);
    assert.ok(!(await list('?open=true')).some((c) => c.id === id));
    assert.ok((await list('?open=false')).some((c) => c.id === id));
    await says(s, phone, 'Hello again');
    const again = await of(phone);
    assert.deepEqual([again.id, again.open, again.unread, again.owner], [id, true, 1, null]);
    const owned = await s.api.post(`/v1/conversations/${id}/own`, { person: 'Kim Lee' });
    assert.deepEqual([owned.json.owner, owned.json.unread], ['Kim Lee', 0]);
    for (const type of ['conversation.closed', 'conversation.owned'])
      assert.equal((await events(s, type, phone))[0].data.conversation_id, id);
    const answer = await s.api.post(`/v1/conversations/${id}/messages`, { body: 'We do.', person: 'Kim Lee' });
    problem(answer, 422, 'validation_failed');
    assert.equal(answer.json.errors[0].pointer, '/patient', 'of whom nobody knows who it is');
    const known = { body: 'We do, please call.', person: 'Kim Lee', patient: nextPatient() };
    keepBody(known.body);
    assert.equal((await s.api.post(`/v1/conversations/${id}/messages`, known)).status, 202);
  });
  await t.test('the newest first, page by page', async () => {
    const phones = [nextPhone(), nextPhone(), nextPhone()];
    for (const phone of phones) await says(s, phone, 'a question');
    await says(s, phones[0], 'another question');
    const seen = [];
    for (let path = '/v1/conversations?limit=2'; path;) {
      const page = (await s.api.get(path)).json;
      assert.ok(page.data.length <= 2);
      seen.push(...page.data.map((c) => c.phone));
      path = page.next;
    }
    assert.deepEqual(seen.slice(0, 3), [phones[0], phones[2], phones[1]]);
    assert.equal(new Set(seen).size, seen.length);
  });
  await t.test('a repeated request is answered as the first', async () => {
    const v = await reminded(s);
    await says(s, v.phone, 'may I bring my dog?');
    const { id } = await of(v.phone);
    const fields = { body: 'Of course you may bring it.', person: 'Jo Rivera' };
    keepBody(fields.body);
    const options = { headers: { 'Idempotency-Key': `dog-${v.ref}` } };
    const first = await s.api.post(`/v1/conversations/${id}/messages`, fields, options);
    const second = await s.api.post(`/v1/conversations/${id}/messages`, fields, options);
    assert.deepEqual([first.status, second.status, second.text], [202, 202, first.text]);
    await says(s, nextPhone(), 'somebody else');
    const other = (await list())[0].id;
    problem(await s.api.post(`/v1/conversations/${other}/messages`, fields, options), 422, 'idempotency_key_reused');
  });
  await t.test('a conversation that is found when its answer was given up breaks nothing', async () => {
    const v = await reminded(s);
    await says(s, v.phone, 'is anybody there?');
    const { id } = await of(v.phone);
    const [before, held] = [await s.db.connect(), await s.db.connect()];
    await before.query('BEGIN; LOCK TABLE smsbridge.review_task IN ACCESS EXCLUSIVE MODE');
    await held.query('BEGIN; LOCK TABLE smsbridge.conversation IN ACCESS EXCLUSIVE MODE');
    const waits = (table) =>
      s.db.sql('SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass', [`smsbridge.${table}`]);
    // The one before it has the database's time, so that its statement is younger than its request.
    const tasks = s.api.get('/v1/tasks');
    await until(async () => (await waits('review_task')).length > 0, 'the request before it waits');
    const asked = s.api.post(`/v1/conversations/${id}/messages`, { body: 'Yes.', person: 'Jo Rivera' });
    await assert.rejects(Promise.race([asked, pause(3000).then(() => Promise.reject(new Error('no answer yet')))]));
    await before.query('COMMIT');
    assert.equal((await tasks).status, 200);
    problem(await asked, 503, 'no_answer_in_time');
    assert.equal((await waits('conversation')).length, 1, 'it is still looked up');
    await held.query('COMMIT');
    await Promise.all([before.end(), held.end()]);
    assert.deepEqual(
      (await thread(id)).data.map((x) => x.direction),
      ['out', 'in'],
      'no answer was made',
    );
  });
  await t.test('a member that is null is one that is not there', async () => {
    const v = await reminded(s);
    await says(s, v.phone, 'where do I park?');
    const { id } = await of(v.phone);
    keepBody('Behind the house.');
    const answer = await s.api.post(`/v1/conversations/${id}/messages`, {
      body: 'Behind the house.',
      person: 'Jo Rivera',
      patient: null,
      answers: null,
    });
    assert.equal(answer.status, 202, answer.text);
  });
  await t.test('STOP wins over an answer', async () => {
    const v = await reminded(s);
    await says(s, v.phone, 'who are you?');
    const { id } = await of(v.phone);
    await says(s, v.phone, 'STOP');
    const answer = await s.api.post(`/v1/conversations/${id}/messages`, { body: 'Your clinic.', person: 'Jo Rivera' });
    keepBody('Your clinic.');
    await until(async () => (await s.api.message(answer.json.id)).status === 'blocked', 'blocked');
    const said = (await thread(id)).data;
    assert.deepEqual(
      said.filter((x) => x.direction === 'out').map((x) => [x.category, x.reason]),
      [
        ['appointment_reminder', null],
        ['opt_out_confirmation', null],
        ['conversational_reply', 'opted_out'],
      ],
    );
  });
  await t.test('what a request must not say, and what there is not', async () => {
    const v = await reminded(s);
    await says(s, v.phone, 'a question');
    const { id } = await of(v.phone);
    for (const [body, pointer, code] of [
      [{ body: 'x' }, '/person', 'required'],
      [{ body: 'x', person: 'Jo', phone: nextPhone() }, '', 'unknown_field'],
      [{ body: 'x', person: 'Jo', category: 'promotional' }, '', 'unknown_field'],
      [{ body: 'x', person: 'Jo', x: 1 }, '/x', 'unknown_field'],
      [{ body: 'x', person: '' }, '/person', 'bad_person'],
    ]) {
      const answer = await s.api.post(`/v1/conversations/${id}/messages`, body);
      assert.equal(answer.status, 422, answer.text);
      assert.ok(
        answer.json.errors.some((e) => e.pointer === pointer && e.code === code),
        answer.text,
      );
    }
    const other = await practice(s.db, { name: 'Oak Dental' });
    const theirs = { key: other.key };
    for (const path of [id, 'x', other.id]) {
      const body = { person: 'Jo Rivera', body: 'x' };
      problem(await s.api.get(`/v1/conversations/${path}`, theirs), 404, 'conversation_unknown');
      problem(await s.api.post(`/v1/conversations/${path}/messages`, body, theirs), 404, 'conversation_unknown');
      for (const what of ['close', 'own'])
        problem(
          await s.api.post(`/v1/conversations/${path}/${what}`, { person: 'Jo' }, theirs),
          404,
          'conversation_unknown',
        );
    }
    assert.deepEqual((await s.api.get('/v1/conversations', theirs)).json.data, []);
    for (const query of ['?after=x', '?after=1_x', '?limit=0', '?open=maybe', '?patient='])
      problem(await s.api.get(`/v1/conversations${query}`), 400, 'bad_query');
    problem(await s.api.get(`/v1/conversations/${id}?after=_`), 400, 'bad_query');
    const named = await s.api.send({ person: 'Jo Rivera' });
    assert.ok(named.json.errors.some((e) => e.pointer === '/person' && e.code === 'person_not_here'));
  });
  await t.test('who may not see phones or words does not', async () => {
    const v = await reminded(s);
    await says(s, v.phone, 'something private');
    const { id } = await of(v.phone);
    const [row] = await s.db.sql(
      'SELECT smsbridge.conversation_json(c, false, false) AS json FROM smsbridge.conversation c WHERE id = $1',
      [id],
    );
    assert.equal(row.json.phone, `+1******${v.phone.slice(-4)}`);
    assert.equal(row.json.last_reply.text, null);
    const noted = await until(
      async () =>
        (
          await s.db.sql(
            `SELECT a.* FROM smsbridge.access a WHERE door LIKE '%/v1/conversations/{id}' AND patient = $1
               AND phone_hash = smsbridge.phone_hash($2)`,
            [v.patient, v.phone],
          )
        )[0] ||
        ((await thread(id)) && false),
      'the note of who read it',
    );
    assert.equal(noted.action, 'read');
  });
  await t.test('no violation', async () => assert.deepEqual(await s.db.sql('SELECT * FROM report.violations'), []));
});

test('a visit that the API booked, by its plan, answered by the patient', async (t) => {
  const s = await setup(t, { config: { clock: { start: '2026-03-02T12:00:00-05:00', rate: 0.001 } } });
  const args = ['--campaign', 'CTEST1', '--classes', 'appointment_reminder', '--person', 'Jo Rivera'];
  await must(binary, ['campaign', 'add', '--database', s.db.owner, '--practice', s.practice.id, '--json', ...args]);
  const saved = await s.api.post('/v1/templates', {
    name: 'reminder',
    language: 'en',
    category: 'appointment_reminder',
    body: 'Elm Street Clinic: visit {date} at {time}. Reply C, R or X. (212) 555-0199. Reply STOP to opt out.',
    variables: { date: 'date', time: 'time' },
    person: 'Jo Rivera',
  });
  assert.equal(saved.status, 201, saved.text);
  const approved = await s.api.post(`/v1/templates/${saved.json.id}/approve`, { person: 'Sam Okafor' });
  assert.equal(approved.status, 200, approved.text);
  const steps = [
    { name: 'two_days', before: 'P2D', at: '10:00', template: 'reminder' },
    { name: 'day_before', before: 'P1D', at: '12:00', template: 'reminder', skip_if_confirmed: true },
  ];
  const plan = await s.api.request('PUT', '/v1/plans/default', { body: { steps } });
  assert.equal(plan.status, 200, plan.text);
  const booked = async (ref) => {
    const body = {
      patient: nextPatient(),
      phone: nextPhone(),
      starts_at: '2026-03-05T14:30:00-05:00',
      location_zone: 'America/New_York',
      kind: 'checkup',
    };
    keepPatient(body.patient);
    keepPhone(body.phone);
    const answer = await s.api.request('PUT', `/v1/appointments/${ref}`, { body });
    assert.ok([200, 201].includes(answer.status), answer.text);
    return { ...body, ref };
  };
  const read = async (v) => (await s.api.get(`/v1/appointments/${v.ref}`)).json;
  const state = async (v, step) => (await read(v)).reminders.find((r) => r.step === step);
  const yes = await booked('yes');
  const no = await booked('no');
  const other = await booked('other');
  await s.gateway.moveClock('2026-03-03T10:00:01-05:00', 0.001);
  for (const v of [yes, no, other]) {
    await until(() => texts(s, v.phone).length === 1, 'the first reminder');
    await until(async () => (await state(v, 'two_days')).status === 'sent', 'sent');
  }
  await says(s, yes.phone, 'c');
  await says(s, no.phone, 'X');
  await says(s, other.phone, 'R');
  const after = async (v) => [
    (await read(v)).status,
    (await read(v)).answer,
    (await state(v, 'day_before')).reason?.code,
  ];
  assert.deepEqual(await after(yes), ['confirmed', 'confirmed', 'withdrawn_confirmed']);
  assert.deepEqual(await after(no), ['booked', 'declined', 'withdrawn_declined']);
  assert.deepEqual(await after(other), ['booked', 'reschedule_requested', undefined]);
  await s.gateway.moveClock('2026-03-04T12:00:01-05:00', 0.001);
  await until(() => texts(s, other.phone).length === 2, 'the reminder of a visit that still stands');
  await never(() => texts(s, yes.phone).length + texts(s, no.phone).length > 2, 'a withdrawn reminder', 200);
  assert.deepEqual(await s.db.sql('SELECT * FROM report.violations'), []);
});
