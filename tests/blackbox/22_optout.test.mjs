// Opt-outs by any channel: what patients text, what staff enter, what a person decides. Time is the moved clock's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { binary, must, never, nextPatient, nextPhone, run, until } from './lib/util.mjs';
import { keepBody } from './lib/privacy.mjs';
import { practice, setup, world } from './lib/world.mjs';

await world();

const noon = '2026-03-02T12:00:00-05:00';
const still = { clock: { start: noon, rate: 0.001 } };
const zeros = '00000000-0000-0000-0000-000000000000';

const becomes = (s, id, wanted, options) =>
  until(
    async () => {
      const m = await s.api.message(id, options);
      return m.status === wanted && m;
    },
    async () => `${wanted}, is ${JSON.stringify(await s.api.message(id, options))}`,
  );
const held = async (s, id, reason, options) => {
  await until(
    async () => (await s.api.message(id, options)).reason?.code === reason,
    async () => `${reason}: ${JSON.stringify(await s.api.message(id, options))}`,
  );
};
const optOuts = (s, phone, practiceId = s.practice.id) =>
  s.db.sql('SELECT * FROM smsbridge.opt_out WHERE phone = $1 AND practice_id = $2 ORDER BY id', [phone, practiceId]);
const live = async (s, phone, practiceId) => (await optOuts(s, phone, practiceId)).filter((o) => !o.lifted_at);
const events = (s, phone, type) =>
  s.db.sql('SELECT * FROM smsbridge.event WHERE phone = $1 AND type = $2 ORDER BY xact, id', [phone, type]);
const tasks = async (s, kind) => (await s.api.get(`/v1/tasks?kind=${kind}`)).json.data;
const taskOf = async (s, phone, kind) => (await tasks(s, kind)).find((t) => t.phone === phone);
const says = async (s, phone, text, sender = s.practice.sender) => {
  const answer = await s.carrier.mo(phone, sender, text);
  assert.equal(answer.command_status, 0);
};
// A verification that left.
const asked = async (s, phone) => {
  const before = s.carrier.to(phone).length;
  const answer = await s.api.post('/v1/verifications', { patient: nextPatient(), phone });
  assert.equal(answer.status, 202, answer.text);
  await until(() => s.carrier.to(phone).length > before, 'the question');
  await becomes(s, answer.json.id, 'sent');
};
const problem = (answer, status, code) => assert.deepEqual([answer.status, answer.json.code], [status, code]);

// covers: rule stop_words, rule stop_meaning
test('what patients text', async (t) => {
  const s = await setup(t, { config: still, hooks: null });
  // A new patient with a message that waits for later.
  const waiting = async () => {
    const who = { patient: nextPatient(), phone: nextPhone() };
    return { ...who, m: await s.api.accepted({ ...who, send_at: '2026-03-04T15:00:00Z' }) };
  };

  for (const text of ['Please take my number off your list', 'ya no quiero mensajes', 'stpo', 'I told you to stop']) {
    await t.test(`${JSON.stringify(text)} holds and asks a person`, async () => {
      const who = await waiting();
      await says(s, who.phone, text);
      assert.equal((await optOuts(s, who.phone)).length, 0);
      const task = await taskOf(s, who.phone, 'possible_opt_out');
      assert.equal(task.holds, true);
      assert.equal(task.text, text);
      assert.equal((await s.api.message(who.m.id)).status, 'scheduled', 'not cancelled');
      const next = await s.api.accepted({ patient: nextPatient(), phone: who.phone });
      await held(s, next.id, 'review_pending');
      await never(() => s.carrier.to(who.phone).length, 'it left', 200);
      await s.hooks.got('review.opened', (d) => d.task_id === task.id);
    });
  }
  for (const text of ['we must STOP this bill', "I can't stop coughing", 'what time does it end', "don't stop"]) {
    await t.test(`${JSON.stringify(text)} goes on`, async () => {
      const phone = nextPhone();
      await says(s, phone, text);
      assert.equal((await optOuts(s, phone)).length, 0);
      assert.equal(await taskOf(s, phone, 'possible_opt_out'), undefined);
      await s.carrier.got((await s.api.accepted({ patient: nextPatient(), phone })).draft);
    });
  }
  await t.test('cancel my appointment: a task, and texts go on', async () => {
    const phone = nextPhone();
    await says(s, phone, 'cancel my appointment');
    assert.equal((await taskOf(s, phone, 'possible_cancel_visit')).holds, false);
    assert.equal((await optOuts(s, phone)).length, 0);
    await s.carrier.got((await s.api.accepted({ patient: nextPatient(), phone })).draft);
  });
  await t.test('a bare CANCEL stops, and may mean the visit', async () => {
    const who = await waiting();
    await says(s, who.phone, 'CANCEL');
    assert.equal((await live(s, who.phone)).length, 1);
    assert.equal((await s.api.message(who.m.id)).reason.code, 'canceled_by_opt_out');
    assert.ok(await taskOf(s, who.phone, 'possible_cancel_visit'));
    await until(() => s.carrier.to(who.phone).length === 1, 'the confirmation');
    assert.match(s.carrier.to(who.phone)[0].text, /START/);
  });
  await t.test('wrong number: nothing more, stale, and START does not lift it', async () => {
    const who = await waiting();
    await says(s, who.phone, 'who is this? you have the wrong person');
    const [o] = await live(s, who.phone);
    assert.equal(o.method, 'wrong_number');
    assert.equal((await s.api.message(who.m.id)).status, 'canceled');
    const [r] = await s.db.sql('SELECT * FROM smsbridge.recipient WHERE phone = $1', [who.phone]);
    assert.equal(r.stale_reason, 'wrong_number');
    assert.ok(await taskOf(s, who.phone, 'wrong_number'));
    await s.hooks.got('recipient.stale', (d) => d.cause === 'wrong_number');
    await says(s, who.phone, 'START');
    assert.equal((await live(s, who.phone)).length, 1);
    await never(() => s.carrier.to(who.phone).length, 'a stranger is texted', 200);
  });
  await t.test('YES is the answer to a verification, and nothing else', async () => {
    const phone = nextPhone();
    await says(s, phone, 'YES');
    assert.equal((await events(s, phone, 'recipient.verified')).length, 0);
    await asked(s, phone);
    await says(s, phone, 'Si, gracias');
    assert.equal((await events(s, phone, 'recipient.verified')).length, 1);
    await says(s, phone, 'yes');
    assert.equal((await events(s, phone, 'recipient.verified')).length, 1, 'once');
    await s.hooks.got('recipient.verified', (d) => d.phone?.endsWith(phone.slice(-4)));
  });
  await t.test('YES lets what waited for it go at once', async () => {
    const who = { patient: nextPatient(), phone: nextPhone() };
    await s.db.sql(
      `INSERT INTO smsbridge.recipient (practice_id, phone, risk_version, risk_at, risk_method, household)
       VALUES ($1, $2, 'v1', '2026-01-01T12:00:00Z', 'form', true)`,
      [s.practice.id, who.phone],
    );
    await s.carrier.got((await s.api.accepted({ ...who, category: 'verification' })).draft);
    const personal = await s.api.accepted({ patient: nextPatient(), phone: who.phone, phi: true });
    await held(s, personal.id, 'verification_needed');
    await says(s, who.phone, 'YES');
    await s.carrier.got(personal.draft);
  });
  await t.test('NO to a verification is a wrong number', async () => {
    const phone = nextPhone();
    await asked(s, phone);
    await says(s, phone, 'no');
    assert.equal((await live(s, phone))[0].method, 'wrong_number');
  });
  await t.test('STOP SURVEYS is a full STOP while the pack is off', async () => {
    const phone = nextPhone();
    await says(s, phone, 'STOP SURVEYS');
    assert.deepEqual(
      (await live(s, phone)).map((o) => [o.category, o.scope]),
      [['', 'practice']],
    );
    const blocked = await s.api.accepted({ patient: nextPatient(), phone });
    assert.equal((await becomes(s, blocked.id, 'blocked')).reason.code, 'opted_out');
  });
});

test('only a question that left, and lately, has an answer', async (t) => {
  const s = await setup(t, { config: { clock: { start: '2026-03-02T23:00:00-05:00', rate: 0.001 } } });
  const phone = nextPhone();
  const verified = async () => (await events(s, phone, 'recipient.verified')).length;
  const waits = await s.api.post('/v1/verifications', { patient: nextPatient(), phone });
  await held(s, waits.json.id, 'quiet_hours');
  for (const text of ['YES', 'NO']) await says(s, phone, text);
  assert.deepEqual([await verified(), (await optOuts(s, phone)).length], [0, 0], 'nobody was asked yet');
  await s.gateway.moveClock('2026-03-03T12:00:00-05:00', 0.001);
  await until(() => s.carrier.to(phone).length === 1, 'the question');
  await s.gateway.moveClock('2026-03-10T13:01:00-04:00', 0.001);
  for (const text of ['YES', 'NO']) await says(s, phone, text);
  assert.deepEqual([await verified(), (await optOuts(s, phone)).length], [0, 0], 'a week later it is no answer');
  await asked(s, phone);
  await says(s, phone, 'YES');
  assert.equal(await verified(), 1);
});

test('with the pack on STOP SURVEYS stops surveys only', async (t) => {
  const s = await setup(t, { config: { clock: { start: '2026-11-03T12:00:00-05:00', rate: 0.001 } }, start: false });
  const at = ['--at', '2026-11-01T00:00:00Z'];
  await must(binary, ['rules', 'on', 'fcc_26_67', '--database', s.db.owner, '--by', 'Jo Rivera', ...at]);
  await s.gateway.start();
  await s.carrier.bound();
  const phone = nextPhone();
  await says(s, phone, 'Stop surveys please');
  assert.deepEqual(
    (await live(s, phone)).map((o) => [o.category, o.scope]),
    [['survey', 'category']],
  );
  await until(() => s.carrier.to(phone).length === 1, 'the confirmation');
  assert.match(s.carrier.to(phone)[0].text, /of this kind/);
  const survey = await s.api.accepted({ patient: nextPatient(), phone, category: 'survey' });
  assert.equal((await becomes(s, survey.id, 'blocked')).reason.code, 'opted_out');
  await s.carrier.got((await s.api.accepted({ patient: nextPatient(), phone })).draft);
  const entered = await s.api.post('/v1/opt-outs', {
    phone,
    channel: 'email',
    words: 'x',
    actor: 'Jo',
    category: 'payment',
  });
  assert.equal(entered.status, 201, entered.text);
  assert.equal(entered.json.category, 'payment');
  await says(s, phone, 'START');
  assert.deepEqual(
    (await live(s, phone)).map((o) => o.category),
    ['payment'],
  );
  await s.gateway.moveClock('2026-11-10T12:00:00-05:00', 0.001);
  await s.carrier.got((await s.api.accepted({ patient: nextPatient(), phone })).draft);
  assert.deepEqual(await s.db.sql("SELECT * FROM report.violations WHERE rule = 'opt_out'"), []);
});

test('a machine that answers everything is muted', async (t) => {
  const s = await setup(t, { config: still });
  const phone = nextPhone();
  for (let i = 0; i < 6; i++) await says(s, phone, 'HELP');
  await until(() => s.carrier.to(phone).length === 3, 'three answers');
  assert.equal((await events(s, phone, 'notice.muted')).length, 1);
  assert.equal((await events(s, phone, 'help.received')).length, 6);
  await says(s, phone, 'STOP');
  assert.equal((await live(s, phone)).length, 1, 'STOP is honoured always');
  await never(() => s.carrier.to(phone).length > 3, 'a fourth answer', 300);
  await s.gateway.moveClock('2026-03-03T12:00:10-05:00', 0.001);
  await says(s, phone, 'HELP');
  await until(() => s.carrier.to(phone).length === 4, 'an answer on the next day');
});

test('two practices', async (t) => {
  const s = await setup(t, { config: still, link: { error_codes: 'bandwidth' } });
  const oak = await practice(s.db, { name: 'Oak Street Clinic' });
  const asOak = { key: oak.key };

  await t.test('STOP is for one, STOPALL for everyone, START takes back both', async () => {
    const who = { patient: nextPatient(), phone: nextPhone() };
    const later = { ...who, send_at: '2026-03-04T15:00:00Z' };
    const atElm = await s.api.accepted(later);
    const atOak = await s.api.accepted(later, asOak);
    await says(s, who.phone, 'STOP');
    assert.equal((await s.api.message(atElm.id)).status, 'canceled');
    assert.equal((await s.api.message(atOak.id, asOak)).status, 'scheduled');
    await says(s, who.phone, 'STOPALL');
    assert.equal((await s.api.message(atOak.id, asOak)).reason.code, 'canceled_by_opt_out');
    assert.equal((await live(s, who.phone, zeros)).length, 1);
    const refused = await s.api.accepted(who, asOak);
    assert.equal((await becomes(s, refused.id, 'blocked', asOak)).reason.code, 'opted_out');
    await says(s, who.phone, 'START');
    assert.equal((await live(s, who.phone, zeros)).length + (await live(s, who.phone)).length, 0);
    await s.carrier.got((await s.api.accepted(who, asOak)).draft);
  });
  await t.test('a sender is shared only when both say so', async () => {
    const args = (more) => [
      'practice',
      'add',
      '--database',
      s.db.owner,
      '--name',
      'Ash Clinic',
      '--phone',
      '1',
      '--sender',
      s.practice.sender,
      ...more,
    ];
    const refused = await run(binary, args(['--shared', 'true']));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /another practice/);
    await must(binary, ['practice', 'set', s.practice.id, '--database', s.db.owner, '--shared', 'true']);
    assert.equal((await run(binary, args([]))).code, 1);
  });
  await t.test('STOP to a shared sender is for all that share it, and goes to who texted last', async () => {
    const ash = await practice(s.db, { name: 'Ash Clinic', sender: s.practice.sender, more: ['--shared', 'true'] });
    const who = { patient: nextPatient(), phone: nextPhone() };
    const atAsh = await s.api.accepted(who, { key: ash.key });
    await s.carrier.got(atAsh.draft);
    const atElm = await s.api.accepted({ ...who, send_at: '2026-03-04T15:00:00Z' });
    await says(s, who.phone, 'see you then');
    assert.equal(
      (await s.db.sql('SELECT * FROM smsbridge.inbound WHERE phone = $1', [who.phone]))[0].practice_id,
      ash.id,
    );
    await says(s, who.phone, 'Stop');
    assert.equal((await live(s, who.phone, ash.id))[0].scope, 'sender');
    assert.equal((await live(s, who.phone))[0].scope, 'sender');
    assert.equal((await live(s, who.phone, oak.id)).length, 0);
    assert.equal((await s.api.message(atElm.id)).status, 'canceled');
    await until(() => s.carrier.to(who.phone).length === 2, 'one confirmation');
    assert.match(s.carrier.to(who.phone)[1].text, /^Ash Clinic/);
    await says(s, who.phone, 'START');
    assert.equal((await live(s, who.phone, ash.id)).length + (await live(s, who.phone)).length, 0);
    const third = { patient: nextPatient(), phone: nextPhone() };
    const refused = await s.api.accepted(third);
    await s.api.accepted({ ...third, send_at: '2026-03-04T15:00:00Z' }, { key: ash.key });
    await s.carrier.receipt(await s.carrier.got(refused.draft), { stat: 'REJECTD', err: '4775' });
    await until(async () => (await live(s, third.phone)).length === 1, 'the carrier says opted out');
    assert.deepEqual(
      [...(await live(s, third.phone)), ...(await live(s, third.phone, ash.id))].map((o) => [o.method, o.scope]),
      [
        ['carrier', 'sender'],
        ['carrier', 'sender'],
      ],
    );
    const stranger = nextPhone();
    await says(s, stranger, 'hello');
    assert.equal(
      (await s.db.sql('SELECT * FROM smsbridge.inbound WHERE phone = $1', [stranger]))[0].practice_id,
      s.practice.id,
      'nobody texted it: the oldest',
    );
  });
  await t.test('a practice that joins a shared sender takes over what patients said to it', async () => {
    const [said, back, staff] = [nextPhone(), nextPhone(), nextPhone()];
    for (const phone of [said, back]) await says(s, phone, 'STOP');
    await says(s, back, 'START');
    const words = { phone: staff, channel: 'voicemail', words: 'no texts for me please', actor: 'Jo Rivera' };
    keepBody(words.words);
    assert.equal((await s.api.post('/v1/opt-outs', words)).status, 201);
    const late = await practice(s.db, { name: 'Birch Clinic', sender: s.practice.sender, more: ['--shared', 'true'] });
    const [o] = await live(s, said, late.id);
    assert.deepEqual([o.method, o.word, o.scope], ['reply', 'stop', 'sender']);
    assert.equal((await live(s, back, late.id)).length + (await live(s, staff, late.id)).length, 0);
    const m = await s.api.accepted({ patient: nextPatient(), phone: said }, { key: late.key });
    assert.equal((await becomes(s, m.id, 'blocked', { key: late.key })).reason.code, 'opted_out');
    await says(s, said, 'START');
    assert.equal((await live(s, said, late.id)).length, 0);
    const oaks = nextPhone();
    await says(s, oaks, 'STOP');
    const at = (await s.db.sql('SELECT max(at) AS at FROM smsbridge.event'))[0].at.toISOString();
    const move = (sender) => [
      'practice',
      'set',
      oak.id,
      '--database',
      s.db.owner,
      '--shared',
      'true',
      '--at',
      at,
      ...sender,
    ];
    await must(binary, move(['--sender', s.practice.sender]));
    assert.equal((await live(s, oaks, oak.id)).length, 1, 'one that moves there too');
    await must(binary, move(['--sender', oak.sender]));
  });
});

test('staff', async (t) => {
  const s = await setup(t, { config: still, hooks: null });
  const enter = (phone, more = {}) =>
    s.api.post('/v1/opt-outs', { phone, channel: 'voicemail', words: 'no more please', actor: 'Jo Rivera', ...more });
  keepBody('no more please');

  for (const channel of ['staff', 'voicemail', 'email', 'web', 'letter', 'in_person'])
    await t.test(`by ${channel}`, async () => {
      const who = { patient: nextPatient(), phone: nextPhone() };
      const waits = await s.api.accepted({ ...who, send_at: '2026-03-04T15:00:00Z' });
      const answer = await enter(who.phone, { channel });
      assert.equal(answer.status, 201);
      assert.equal(answer.json.channel, channel);
      assert.equal((await s.api.message(waits.id)).reason.code, 'canceled_by_opt_out');
      const refused = await s.api.accepted(who);
      assert.equal((await becomes(s, refused.id, 'blocked')).reason.code, 'opted_out');
      const [e] = await events(s, who.phone, 'opt_out.created');
      assert.deepEqual([e.data.method, e.data.channel, e.data.actor], ['staff', channel, 'Jo Rivera']);
      assert.ok(!JSON.stringify(e.data).includes('no more please'));
      const again = await enter(who.phone, { channel });
      assert.equal(again.json.id, answer.json.id);
      await says(s, who.phone, 'START');
      assert.equal((await live(s, who.phone)).length, 1, 'START lifts only what STOP set');
    });
  await t.test('what cannot be', async () => {
    const phone = nextPhone();
    problem(await enter('+1212'), 422, 'validation_failed');
    problem(await enter(phone, { channel: 'pigeon' }), 422, 'validation_failed');
    problem(await enter(phone, { more: 'x' }), 422, 'validation_failed');
    problem(await enter(phone, { words: '' }), 422, 'validation_failed');
    problem(await enter(phone, { category: 'survey' }), 409, 'category_off');
    problem(
      await s.api.post('/v1/opt-outs', '[]', { headers: { 'content-type': 'application/json' } }),
      400,
      'json_not_object',
    );
    problem(await s.api.post('/v1/opt-outs', 'x', { headers: { 'content-type': 'text/plain' } }), 415, 'not_json');
    problem(await s.api.get('/v1/opt-outs'), 400, 'bad_query');
    problem(await s.api.get('/v1/tasks?open=maybe'), 400, 'bad_query');
    assert.equal((await live(s, phone)).length, 0);
  });
  await t.test('lifting needs a newer consent, and a STOP its own START', async () => {
    const phone = nextPhone();
    const { json: o } = await enter(phone);
    const lift = (id, consent) =>
      s.api.post(`/v1/opt-outs/${id}/lift`, {
        actor: 'Jo',
        reason: 'signed a form',
        ...(consent && { consent_id: consent }),
      });
    problem(await lift(o.id), 409, 'consent_needed');
    const consent = async (at) =>
      (
        await s.db.sql(
          `INSERT INTO smsbridge.consent (practice_id, id, phone, classes, basis, captured_at, method, actor, created_at)
           VALUES ($1, gen_random_uuid(), $2, '{appointment_reminder}', 'express', $3, 'form', 'Jo', now()) RETURNING id`,
          [s.practice.id, phone, at],
        )
      )[0].id;
    problem(await lift(o.id, await consent('2026-03-01T12:00:00Z')), 409, 'consent_needed');
    const lifted = await lift(o.id, await consent('2026-03-02T23:00:00Z'));
    assert.equal(lifted.status, 200, lifted.text);
    assert.ok(lifted.json.lifted_at);
    await says(s, phone, 'STOP');
    const [mine] = await live(s, phone);
    problem(await lift(mine.id, await consent('2026-03-03T12:00:00Z')), 409, 'patient_must_start');
    problem(await lift('00000000-0000-7000-8000-000000000000'), 404, 'opt_out_unknown');
    const listed = (await s.api.get(`/v1/opt-outs?phone=%2B${phone.slice(1)}&limit=1`)).json;
    assert.equal(listed.data.length, 1);
    const behind = (await s.api.get(listed.next)).json;
    assert.deepEqual([listed.data[0].id, behind.data[0].id].sort(), [o.id, mine.id].sort());
    assert.equal(behind.next, null);
    await s.hooks.got('opt_out.lifted');
  });
  await t.test('what staff heard outlasts a STOP that was there before', async () => {
    const phone = nextPhone();
    await says(s, phone, 'STOP');
    assert.equal((await enter(phone)).status, 201);
    assert.equal((await live(s, phone)).length, 2);
    await says(s, phone, 'START');
    assert.deepEqual(
      (await live(s, phone)).map((o) => [o.method, o.channel]),
      [['staff', 'voicemail']],
    );
  });
  await t.test('the consent has to be newer than the last word of anybody', async () => {
    const { patient, phone } = { patient: nextPatient(), phone: nextPhone() };
    const consent = async (captured_at) => {
      const [row] = await s.db.sql(
        `INSERT INTO smsbridge.consent (practice_id, id, phone, classes, basis, captured_at, method, actor, created_at)
         VALUES ($1, gen_random_uuid(), $2, '{appointment_reminder}', 'express', $3, 'form', 'Jo', now()) RETURNING id`,
        [s.practice.id, phone, captured_at],
      );
      return row.id;
    };
    const lift = (id, consent_id) => s.api.post(`/v1/opt-outs/${id}/lift`, { actor: 'Jo', reason: 'form', consent_id });
    const { json: o } = await enter(phone);
    const between = await consent(new Date(Date.parse(o.created_at) + 1).toISOString());
    await s.gateway.moveClock('2026-03-02T12:30:00-05:00', 0.001);
    assert.equal((await enter(phone)).json.id, o.id, 'said again');
    problem(await lift(o.id, between), 409, 'consent_needed');
    await says(s, phone, 'wrong number');
    await s.gateway.moveClock('2026-03-02T13:00:00-05:00', 0.001);
    await says(s, phone, 'STOP');
    problem(await lift(o.id, await consent('2026-03-02T12:45:00-05:00')), 409, 'consent_needed');
    const newer = await consent('2026-03-02T13:30:00-05:00');
    const by = async (method) => (await live(s, phone)).find((x) => x.method === method).id;
    problem(await lift(await by('wrong_number'), newer), 409, 'wrong_number_task');
    problem(await lift(await by('reply'), newer), 409, 'patient_must_start');
    assert.equal((await lift(o.id, newer)).status, 200);
    const m = await s.api.accepted({ patient, phone });
    assert.equal((await becomes(s, m.id, 'blocked')).reason.code, 'opted_out');
    assert.deepEqual((await live(s, phone)).map((x) => x.method).sort(), ['reply', 'wrong_number']);
  });
  const notWrong = async (phone) => {
    const task = await taskOf(s, phone, 'wrong_number');
    const answer = await s.api.post(`/v1/tasks/${task.id}/decide`, { decision: 'not_wrong', person: 'Jo' });
    assert.equal(answer.status, 200, answer.text);
  };
  await t.test('a carrier that had taken it back before: that stands when it was no wrong number', async () => {
    const phone = nextPhone();
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbridge-import-'));
    t.after(() => fs.rmSync(dir, { recursive: true }));
    await says(s, phone, 'wrong number');
    fs.writeFileSync(path.join(dir, 'dead'), `${phone}\n`);
    const file = ['import', 'deactivations', path.join(dir, 'dead'), '--carrier', 'att', '--date', '2026-02-27'];
    await must(binary, [...file, '--by', 'ops', '--database', s.db.app]);
    const known = async () =>
      (
        await s.db.sql('SELECT * FROM smsbridge.recipient WHERE practice_id = $1 AND phone = $2', [
          s.practice.id,
          phone,
        ])
      )[0];
    assert.equal((await known()).stale_reason, 'wrong_number');
    await notWrong(phone);
    const now = await known();
    assert.deepEqual([now.stale_reason, now.stale_at.toISOString()], ['deactivated', '2026-02-28T00:00:00.000Z']);
  });
  for (const words of [
    ['STOP', 'wrong number'],
    ['wrong number', 'STOP', 'stop'],
  ])
    await t.test(`${words.join(', ')}: a number that was not wrong does not lift the STOP`, async () => {
      const phone = nextPhone();
      for (const word of words) await says(s, phone, word);
      await notWrong(phone);
      assert.deepEqual(
        (await live(s, phone)).map((o) => o.method),
        ['reply'],
      );
      const m = await s.api.accepted({ patient: nextPatient(), phone });
      assert.equal((await becomes(s, m.id, 'blocked')).reason.code, 'opted_out');
      await until(() => s.carrier.to(phone).length === 1, 'one confirmation');
      await says(s, phone, 'START');
      assert.equal((await live(s, phone)).length, 0);
      const lifted = await events(s, phone, 'opt_out.lifted');
      assert.deepEqual(
        lifted.map((e) => e.data.source),
        ['wrong_number', 'patient'],
      );
    });
  await t.test('a number that was not wrong stays what else was reported of it', async () => {
    const phone = nextPhone();
    await s.db.sql(
      `INSERT INTO smsbridge.recipient (practice_id, phone, stale_at, stale_reason) VALUES ($1, $2, $3, 'deactivated')`,
      [s.practice.id, phone, '2026-02-01T12:00:00Z'],
    );
    for (let i = 0; i < 2; i++) await says(s, phone, 'wrong number');
    await notWrong(phone);
    const [r] = await s.db.sql('SELECT * FROM smsbridge.recipient WHERE phone = $1', [phone]);
    assert.deepEqual([r.stale_reason, r.stale_at.toISOString()], ['deactivated', '2026-02-01T12:00:00.000Z']);
    const [e] = await events(s, phone, 'recipient.changed');
    assert.deepEqual([e.data.field, e.data.value], ['stale', 'deactivated']);
    const m = await s.api.accepted({ patient: nextPatient(), phone });
    assert.equal((await becomes(s, m.id, 'blocked')).reason.code, 'consent_stale');
  });
  await t.test('what staff enter after a wrong number stands', async () => {
    const phone = nextPhone();
    await says(s, phone, 'wrong number');
    const entered = await enter(phone);
    assert.equal(entered.json.method, 'staff');
    await notWrong(phone);
    assert.deepEqual(
      (await live(s, phone)).map((o) => o.id),
      [entered.json.id],
    );
  });
  await t.test('tasks: own, decide, and what that does', async () => {
    const phone = nextPhone();
    await says(s, phone, 'please take me off your text list thanks so very much');
    const task = await taskOf(s, phone, 'possible_opt_out');
    const m = await s.api.accepted({ patient: nextPatient(), phone });
    await held(s, m.id, 'review_pending');
    const own = await s.api.post(`/v1/tasks/${task.id}/own`, { person: 'Jo Rivera' });
    assert.equal(own.json.owner, 'Jo Rivera');
    const decide = (id, decision) =>
      s.api.post(`/v1/tasks/${id}/decide`, { decision, person: 'Jo Rivera', note: 'asked' });
    problem(await decide(task.id, 'keep'), 422, 'decision_unknown');
    problem(await decide(task.id, 'perhaps'), 422, 'decision_unknown');
    const decided = await decide(task.id, 'not_opt_out');
    assert.equal(decided.json.decision, 'not_opt_out');
    await s.carrier.got(m.draft);
    problem(await decide(task.id, 'opt_out'), 409, 'task_decided');
    problem(await s.api.post(`/v1/tasks/${task.id}/own`, { person: 'X' }), 409, 'task_decided');
    assert.equal(await taskOf(s, phone, 'possible_opt_out'), undefined);
    await s.hooks.got('review.decided', (d) => d.task_id === task.id && d.decision === 'not_opt_out');

    await says(s, phone, 'I never signed up for this');
    const second = await taskOf(s, phone, 'possible_opt_out');
    const waits = await s.api.accepted({ patient: nextPatient(), phone });
    await held(s, waits.id, 'review_pending');
    await decide(second.id, 'opt_out');
    assert.equal((await s.api.message(waits.id)).reason.code, 'canceled_by_opt_out');
    const [o] = await live(s, phone);
    assert.equal(o.created_at.getTime(), new Date(second.opened_at).getTime(), 'as old as the text');
    await says(s, phone, 'START');
    assert.equal((await live(s, phone)).length, 0, "it was the patient's own word");
  });
  await t.test('a number that was not wrong', async () => {
    const phone = nextPhone();
    await says(s, phone, 'wrong number');
    const task = await taskOf(s, phone, 'wrong_number');
    await s.api.post(`/v1/tasks/${task.id}/decide`, { decision: 'not_wrong', person: 'Jo' });
    assert.equal((await live(s, phone)).length, 0);
    await s.carrier.got((await s.api.accepted({ patient: nextPatient(), phone })).draft);
  });
  await t.test('another practice sees none of it', async () => {
    const oak = await practice(s.db, { name: 'Oak Street Clinic' });
    const phone = nextPhone();
    await says(s, phone, 'stop bothering me with these');
    const task = await taskOf(s, phone, 'possible_opt_out');
    const key = { key: oak.key };
    problem(await s.api.post(`/v1/tasks/${task.id}/own`, { person: 'X' }, key), 404, 'task_unknown');
    problem(
      await s.api.post(`/v1/tasks/${task.id}/decide`, { decision: 'opt_out', person: 'X' }, key),
      404,
      'task_unknown',
    );
    assert.deepEqual((await s.api.get('/v1/tasks', key)).json.data, []);
    await s.carrier.got((await s.api.accepted({ patient: nextPatient(), phone }, key)).draft);
  });
  await t.test('by command, with the gateway down', async () => {
    const who = { patient: nextPatient(), phone: nextPhone() };
    const waits = await s.api.accepted({ ...who, send_at: '2026-03-04T15:00:00Z' });
    await says(s, who.phone, 'no further communication please');
    const task = await taskOf(s, who.phone, 'possible_opt_out');
    await s.gateway.stop();
    const cli = async (...args) =>
      await run(binary, [
        ...args,
        '--database',
        s.db.owner,
        '--practice',
        s.practice.id,
        '--json',
        '--by',
        'Jo',
        '--why',
        'asked',
      ]);
    const made = await cli(
      'opt-out',
      'add',
      '--phone',
      who.phone,
      '--channel',
      'letter',
      '--words',
      'enough',
      '--actor',
      'Jo',
    );
    assert.equal(made.code, 0, made.stderr);
    const [row] = await s.db.sql('SELECT status, reason FROM smsbridge.message WHERE id = $1', [waits.id]);
    assert.deepEqual([row.status, row.reason], ['canceled', 'canceled_by_opt_out']);
    assert.ok((await cli('opt-out', 'list', '--phone', who.phone)).stdout.includes('letter'));
    assert.ok((await cli('task', 'list')).stdout.includes(task.id));
    assert.equal((await cli('task', 'own', '--id', task.id, '--person', 'Jo')).code, 0);
    assert.equal((await cli('task', 'decide', '--id', task.id, '--decision', 'opt_out', '--person', 'Jo')).code, 0);
    const twice = await cli('task', 'decide', '--id', task.id, '--decision', 'opt_out', '--person', 'Jo');
    assert.match(twice.stderr, /task_decided/);
    assert.equal(
      (
        await cli(
          'opt-out',
          'lift',
          '--id',
          JSON.parse(made.stdout)[0].id,
          '--actor',
          'Jo',
          '--reason',
          'x',
          '--consent',
          zeros,
        )
      ).code,
      1,
    );
  });
});

test('no message leaves after an opt-out that was committed, whatever runs at the same time', async (t) => {
  const s = await setup(t, { config: still, carrier: { onSubmit: () => ({ delay: 5 }) } });
  const rounds = 30;
  const phones = Array.from({ length: rounds }, () => nextPhone());
  await Promise.all(
    phones.map(async (phone, i) => {
      const m = await s.api.accepted({ patient: nextPatient(), phone });
      if (i % 3 === 0) await says(s, phone, 'Stop');
      else if (i % 3 === 1) await says(s, phone, 'i want out of these texts');
      else await s.api.post('/v1/opt-outs', { phone, channel: 'staff', words: 'x', actor: 'Jo' });
      const later = await s.api.accepted({ patient: nextPatient(), phone });
      if (i % 3 === 1) await held(s, later.id, 'review_pending');
      else await becomes(s, later.id, 'blocked');
      await until(async () => (await s.api.message(m.id)).status !== 'queued', 'settled');
    }),
  );
  // Both write their events under the recipient's lock, so the clock at which they were written is their order.
  const late = await s.db.sql(
    `SELECT e.message_id FROM smsbridge.event e JOIN smsbridge.message m ON m.id = e.message_id
     JOIN smsbridge.event o ON o.practice_id = e.practice_id AND o.phone = m.phone
       AND o.type IN ('opt_out.created', 'review.opened') AND o.recorded_at < e.recorded_at
     WHERE e.type = 'message.sending' AND m.category = 'appointment_reminder'`,
  );
  assert.deepEqual(late, []);
  assert.deepEqual(await s.db.sql('SELECT * FROM report.violations'), []);
});

test('a word that meets a claim: what may still go is judged again, what may not is cancelled', async (t) => {
  const s = await setup(t, { config: still });
  const again = ['message.sending', 'message.requeued facts_changed'];
  const meets = {
    'a text that may be a stop': {
      change: (phone) => says(s, phone, 'Please take my number off your list'),
      story: [...again, 'message.held review_pending'],
    },
    STOP: {
      change: (phone) => says(s, phone, 'STOP'),
      story: ['message.sending', 'message.canceled canceled_by_opt_out'],
    },
    'NO to a verification': {
      before: (phone) => asked(s, phone),
      change: (phone) => says(s, phone, 'NO'),
      story: ['message.sending'], // then it is judged again or cancelled, whichever comes first
    },
  };
  for (const [name, { before, change, story }] of Object.entries(meets))
    await t.test(name, async () => {
      const phone = nextPhone();
      await s.db.sql('INSERT INTO smsbridge.recipient (practice_id, phone, household) VALUES ($1, $2, true)', [
        s.practice.id,
        phone,
      ]);
      await before?.(phone);
      const seen = s.carrier.to(phone).filter((x) => /reminder/.test(x.text)).length;
      const blocker = await s.db.connect();
      const waiting = (query) => async () =>
        (
          await s.db.sql(
            `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ '${query}'
             AND datname = current_database()`,
          )
        ).length;
      await blocker.query('BEGIN; LOCK TABLE smsbridge.event IN EXCLUSIVE MODE');
      const body = 'Elm Street Clinic: your reminder. Reply STOP to end.';
      const [m] = await s.db.sql(
        `INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters,
           segments, category, priority, expires_at, status, due_at, created_at, updated_at)
         SELECT $1, gen_random_uuid(), $5, $2, $3, 'America/New_York', $6, 'gsm7', length($6),
           1, 'appointment_reminder', 1, $4::timestamptz + interval '1 day', 'queued', $4, $4, $4 RETURNING id`,
        [s.practice.id, phone, s.practice.sender, noon, nextPatient(), body],
      );
      await until(waiting('SET status = v[.]status'), 'the claim is at its verdict');
      const changed = change(phone);
      await until(waiting('pg_advisory_xact_lock'), "the change waits for the claim's lock");
      await blocker.query('COMMIT');
      await changed;
      // A STOP may look before the claim has put back what it may not send any more: then that is told, too.
      const told = async () =>
        (await s.db.events(m.id))
          .filter((e) => e.type !== 'opt_out.in_flight')
          .map((e) => `${e.type} ${e.reason ?? ''}`.trim());
      await until(
        async () => (await told()).length >= story.length,
        async () => JSON.stringify(await told()),
      );
      assert.deepEqual((await told()).slice(0, story.length), story);
      await until(async () => ['held', 'blocked', 'canceled'].includes((await s.api.message(m.id)).status), 'settled');
      assert.equal(s.carrier.to(phone).filter((x) => /reminder/.test(x.text)).length, seen, 'it did not leave');
    });
});

test('the database computes the same lock as the gateway', async (t) => {
  const s = await setup(t, { config: still });
  const fnv = (octets) => {
    let h = 0xcbf29ce484222325n;
    for (const o of octets) h = BigInt.asUintN(64, (h ^ BigInt(o)) * 0x100000001b3n);
    return BigInt.asIntN(64, h).toString();
  };
  for (let i = 0; i < 20; i++) {
    const phone = nextPhone();
    const octets = Buffer.concat([Buffer.from(s.practice.id.replaceAll('-', ''), 'hex'), Buffer.from(`p${phone}`)]);
    const [row] = await s.db.sql('SELECT smsbridge.recipient_key($1, $2)::text AS key', [s.practice.id, phone]);
    assert.equal(row.key, fnv(octets));
  }
});
