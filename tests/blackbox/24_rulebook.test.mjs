// The rule book at the moment of sending: per rule a text that goes and one that does not, through a real gateway and a
// real carrier on a moved clock; packs, the spread of the release, and the past decided again.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { binary, must, never, nextPatient, nextPhone, run, until } from './lib/util.mjs';
import { key, planted, practice, setup, world } from './lib/world.mjs';

await world();

const at = (text) => new Date(text).getTime();
const still = (start) => ({ clock: { start, rate: 0.001 } });
const NOON = '2026-03-02T12:00:00-05:00'; // a Monday
const before = '2026-01-05T12:00:00Z';

const judged = (s, id, options) =>
  until(
    async () => {
      const m = await s.api.message(id, options);
      return !['queued', 'sending'].includes(m.status) && m;
    },
    async () => `judged: ${JSON.stringify(await s.api.message(id, options))}`,
  );

async function goes(s, fields, options) {
  const m = await s.api.accepted(fields, options);
  await s.carrier.got(m.draft).catch(async (error) => {
    throw new Error(`it does not go: ${JSON.stringify((await s.db.events(m.id)).at(-1))}`, { cause: error });
  });
  return m;
}

async function stays(s, fields, reason, status, options) {
  const m = await s.api.accepted(fields, options);
  const shown = await judged(s, m.id, options);
  assert.equal(shown.reason?.code, reason, JSON.stringify(shown));
  if (status) assert.equal(shown.status, status);
  assert.equal(s.carrier.of(m.draft.body).length, 0);
  return Object.assign(m, { due: shown.due_at && new Date(shown.due_at).toISOString() });
}

const who = (fields = {}) => ({ patient: nextPatient(), phone: nextPhone(), ...fields });

/** A row of a table of the rule book, as the doors of consents, recipients, tasks and contacts write it. */
async function put(s, table, row, conflict = '') {
  const full = { practice_id: s.practice.id, ...row };
  const names = Object.keys(full);
  await s.db.sql(
    `INSERT INTO smsbridge.${table} (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) ${conflict}`,
    Object.values(full),
  );
  return full;
}

const consent = (s, phone, basis, classes, more = {}) =>
  put(s, 'consent', {
    id: randomUUID(),
    phone,
    classes,
    basis,
    captured_at: before,
    method: 'form',
    actor: 'Jo Rivera',
    created_at: before,
    ...more,
  });

const recipient = (s, phone, row) =>
  put(
    s,
    'recipient',
    { phone, ...row },
    `ON CONFLICT (practice_id, phone) DO UPDATE SET ${Object.keys(row)
      .map((n) => `${n} = excluded.${n}`)
      .join(', ')}`,
  );

const judgeAgain = (s, phone, reason) =>
  s.db.sql('SELECT smsbridge.judge_again($1, $2, $3)', [s.practice.id, phone, reason]);

async function verdict(s, id) {
  const events = await s.db.events(id);
  return events.filter((e) => e.data?.verdict).at(-1);
}

// covers: rule consent, rule stale
test('consent', async (t) => {
  const s = await setup(t, { config: still(NOON) });
  const strict = await practice(s.db, { name: 'Oak Street Clinic', attested: false });
  const own = { ...s, practice: strict };
  const as = { key: strict.key };

  await t.test("the practice's attestation is implied consent, and the event says so", async () => {
    const m = await goes(s, who());
    const { data } = await verdict(s, m.id);
    assert.equal(data.consent.basis, 'implied');
    assert.equal(data.consent.attested, true);
    assert.equal(data.pack, 'today');
    assert.equal(data.verdict, 'send');
  });
  await t.test('without it nothing of health care goes but on a record', async () => {
    const p = who();
    await stays(s, p, 'consent_missing', 'blocked', as);
    await consent(own, p.phone, 'implied', ['appointment_reminder']);
    const m = await goes(s, p, as);
    const { data } = await verdict(s, m.id);
    assert.equal(data.consent.basis, 'implied');
    assert.ok(data.consent.id);
  });
  await t.test('a record for another class, for another patient, and one that ended, are none', async () => {
    for (const more of [
      { classes: ['lab_results'] },
      { patient: nextPatient() },
      { ended_at: before, ended_reason: 'asked' },
    ]) {
      const p = who();
      const { classes = ['appointment_reminder'], ...rest } = more;
      await consent(own, p.phone, 'written', classes, rest);
      await stays(s, p, 'consent_missing', 'blocked', as);
    }
  });
  for (const [category, weak, enough] of [
    ['payment', 'implied', 'express'],
    ['survey', 'implied', 'express'],
    ['promotional', 'express', 'written'],
  ]) {
    await t.test(`${category} needs ${enough}; ${weak} and the attestation are too weak`, async () => {
      const p = who({ category, state: 'NY' });
      assert.match((await stays(s, p, 'consent_weak', 'blocked')).due ?? '', /^$/);
      await consent(s, p.phone, weak, [category]);
      await stays(s, p, 'consent_weak', 'blocked');
      await consent(s, p.phone, enough, [category]);
      await goes(s, p);
    });
  }
  await t.test('stale: from before the phone was reported, not from after', async () => {
    const p = who();
    await consent(s, p.phone, 'express', ['appointment_reminder']);
    await recipient(s, p.phone, { stale_at: '2026-02-01T00:00:00Z', stale_reason: 'wrong_number' });
    await stays(s, p, 'consent_stale', 'blocked');
    await consent(s, p.phone, 'implied', ['appointment_reminder'], { captured_at: '2026-02-01T00:00:00Z' });
    await stays(s, p, 'consent_stale', 'blocked');
    await consent(s, p.phone, 'implied', ['appointment_reminder'], { captured_at: '2026-02-01T00:00:01Z' });
    await goes(s, p);
  });
  await t.test("a minor's, by a parent, until the birthday where the patient is", async () => {
    const p = who({ time_zone: 'America/New_York' });
    await consent(own, p.phone, 'express', ['appointment_reminder'], { adult_on: '2026-03-03' });
    await goes(s, p, as);
    const late = who({ time_zone: 'America/New_York' });
    await consent(own, late.phone, 'express', ['appointment_reminder'], { adult_on: '2026-03-02' });
    await stays(s, late, 'consent_stale', 'blocked', as);
    // the practice's word for all its numbers is older than what this record says
    const grown = who({ time_zone: 'America/New_York' });
    await consent(s, grown.phone, 'express', ['appointment_reminder'], { adult_on: '2026-03-02' });
    await stays(s, grown, 'consent_stale', 'blocked');
  });
});

// covers: rule verification, rule risk, rule alternative
test('what is said of the patient', async (t) => {
  const s = await setup(t, { config: still(NOON) });

  await t.test('phi waits for the verification, then wants the warning', async () => {
    const p = who({ phi: true });
    const m = await stays(s, p, 'verification_needed', 'held');
    await recipient(s, p.phone, { verified_at: before });
    await judgeAgain(s, p.phone, 'verification_needed');
    const shown = await until(async () => {
      const now = await s.api.message(m.id);
      return now.status === 'blocked' && now;
    }, 'blocked');
    assert.equal(shown.reason.code, 'risk_unwarned');
    await recipient(s, p.phone, { risk_at: before, risk_version: '1' });
    await goes(s, p);
  });
  await t.test('a verification from before the phone was reported is over', async () => {
    const p = who({ phi: true });
    await recipient(s, p.phone, { risk_at: before, verified_at: before, stale_at: '2026-01-06T00:00:00Z' });
    await consent(s, p.phone, 'implied', ['appointment_reminder'], { captured_at: '2026-01-07T00:00:00Z' });
    await stays(s, p, 'verification_needed', 'held');
    await goes(s, { ...p, phi: false });
  });
  await t.test('who asked to be reached in another way is not texted', async () => {
    const p = who();
    await recipient(s, p.phone, { alternative: 'no_sms' });
    await stays(s, p, 'alternative_asked', 'blocked');
    await recipient(s, p.phone, { alternative: '' });
    await goes(s, p);
  });
  await t.test('a task that holds makes texts wait until it is decided', async () => {
    const p = who();
    const task = await put(s, 'review_task', {
      id: randomUUID(),
      kind: 'possible_opt_out',
      phone: p.phone,
      holds: true,
      opened_at: before,
    });
    const m = await stays(s, p, 'review_pending', 'held');
    await s.db.sql("UPDATE smsbridge.review_task SET decided_at = $2, decision = 'go_on' WHERE id = $1", [
      task.id,
      before,
    ]);
    await judgeAgain(s, p.phone, 'review_pending');
    await s.carrier.got(m.draft);
  });
  await t.test('a task that does not hold lets them go', async () => {
    const p = who();
    await put(s, 'review_task', { id: randomUUID(), kind: 'wrong_number', phone: p.phone, opened_at: before });
    await goes(s, p);
  });
});

// covers: rule content
test('the text is looked at again when it is about to go', async (t) => {
  const s = await setup(t, {
    config: still('2026-03-02T22:00:00-05:00'),
    practice: { more: ['--link-domain', 'elm.example,visits.example'] },
  });
  const link = (domain) => ({
    body: `Elm Street Clinic: see https://${domain}/map before your visit ${nextPatient()}`,
  });
  const listed = await stays(s, who(link('visits.example')), 'quiet_hours', 'held');
  const other = await stays(s, who(link('elm.example')), 'quiet_hours', 'held');
  await must(binary, ['practice', 'set', s.practice.id, '--link-domain', 'elm.example', '--database', s.db.owner]);
  await s.gateway.moveClock('2026-03-03T09:00:00-05:00', 0.001);
  await s.carrier.got(other.draft);
  const refused = await until(async () => {
    const m = await s.api.message(listed.id);
    return m.status === 'blocked' && m;
  }, 'blocked');
  assert.equal(refused.reason.code, 'content_refused');
  const { data } = await verdict(s, listed.id);
  assert.deepEqual(data.refused_by, ['link_foreign']);
  assert.equal(s.carrier.of(listed.draft.body).length, 0);
});

test('another text is judged as its message is', async (t) => {
  const s = await setup(t, { config: still('2026-03-02T22:00:00-05:00') });
  const p = who({ category: 'promotional', state: 'NY' });
  await consent(s, p.phone, 'written', ['promotional']);
  const offer = await stays(s, p, 'quiet_hours', 'held');
  const reminder = await stays(s, who(), 'quiet_hours', 'held');
  const body = 'Elm Street Clinic: 20% discount on whitening in May. Reply STOP to end.';
  const refused = await s.api.post(`/v1/messages/${reminder.id}/replace`, { body });
  assert.equal(refused.status, 422, refused.text);
  assert.ok(
    refused.json.errors.some((e) => e.code === 'promotional'),
    refused.text,
  );
  assert.equal((await s.api.message(reminder.id)).body, reminder.draft.body);
  assert.equal((await s.api.post(`/v1/messages/${offer.id}/replace`, { body })).status, 200);
  assert.equal((await s.api.message(offer.id)).body, body);
  assert.equal((await s.api.post(`/v1/messages/${randomUUID()}/replace`, { body })).status, 404);
});

// covers: rule opt_out
test('opt-outs in their three forms', async (t) => {
  const s = await setup(t, { config: still('2026-11-10T12:00:00-05:00') });
  const stop = (phone, more = {}) =>
    put(s, 'opt_out', { id: randomUUID(), phone, method: 'staff', word: '', created_at: before, heard_at: before, ...more });
  const consented = async (fields) => {
    const p = who({ state: 'NY', ...fields });
    await consent(s, p.phone, 'express', ['payment', 'appointment_reminder']);
    return p;
  };

  await t.test('of the practice, and of everyone', async () => {
    for (const practice_id of [s.practice.id, '00000000-0000-0000-0000-000000000000']) {
      const p = who();
      await stop(p.phone, { practice_id });
      await stays(s, p, 'opted_out', 'blocked');
    }
  });
  await t.test('of one kind: ends every kind, until the pack of FCC 26-67 is on', async () => {
    const p = await consented();
    await stop(p.phone, { category: 'payment', scope: 'category' });
    await stays(s, p, 'opted_out', 'blocked');
    const rules = (word, when) =>
      must(binary, ['rules', word, 'fcc_26_67', '--by', 'Jo Rivera', '--at', when, '--database', s.db.owner, '--json']);
    await rules('on', '2026-11-10T11:00:00-05:00');
    const m = await goes(s, p);
    assert.equal((await verdict(s, m.id)).data.pack, 'fcc_26_67');
    await stays(s, { ...p, patient: nextPatient(), category: 'payment' }, 'opted_out', 'blocked');
    await rules('off', '2026-11-10T11:30:00-05:00');
    const again = await consented();
    await stop(again.phone, { category: 'payment', scope: 'category' });
    const shown = await stays(s, again, 'opted_out', 'blocked');
    assert.equal((await verdict(s, shown.id)).data.pack, 'today');
    const switched = await s.db.sql("SELECT data FROM smsbridge.event WHERE type = 'rules.switched' ORDER BY at");
    assert.deepEqual(
      switched.map((e) => e.data),
      [
        { pack: 'fcc_26_67', on: true, by: 'Jo Rivera' },
        { pack: 'fcc_26_67', on: false, by: 'Jo Rivera' },
      ],
    );
  });
  await t.test('a switch wants a name and a pack that there is', async () => {
    const base = ['--database', s.db.owner];
    assert.equal((await run(binary, ['rules', 'on', 'fcc_26_67', ...base])).code, 2);
    assert.equal((await run(binary, ['rules', 'on', 'fcc_99', '--by', 'Jo', ...base])).code, 2);
    const listed = JSON.parse((await must(binary, ['rules', 'list', '--json', ...base])).stdout);
    assert.deepEqual(
      listed.map((p) => p.pack),
      ['today', 'fcc_26_67', 'revoke_all'],
    );
  });
});

// covers: rule cap_day
test('caps: calls count, and a shared phone', async (t) => {
  const s = await setup(t, { config: still(NOON) });
  const call = (p, when, more = {}) =>
    put(s, 'contact', {
      id: randomUUID(),
      ...p,
      kind: 'voice',
      at: when,
      reported_by: 'desk',
      created_at: when,
      ...more,
    });

  await t.test("a call of the day counts for the phone and for the patient; last week's does not", async () => {
    const p = who();
    await call(p, '2026-03-02T10:00:00-05:00');
    await stays(s, p, 'cap_day', 'held');
    await stays(s, { ...p, phone: nextPhone() }, 'cap_day', 'held');
    await stays(s, { ...p, patient: nextPatient() }, 'cap_day', 'held');
    const other = who();
    await call(other, '2026-02-20T10:00:00-05:00');
    await goes(s, other);
  });
  await t.test('on a household phone each patient has a cap of their own', async () => {
    const phone = nextPhone();
    const one = who({ phone });
    await goes(s, one);
    await stays(s, who({ phone }), 'cap_day', 'held');
    await recipient(s, phone, { household: true });
    await goes(s, who({ phone }));
    await stays(s, one, 'cap_day', 'held');
  });
});

// covers: rule conversation
test('an answer to what the patient wrote, within a day', async (t) => {
  const s = await setup(t, { config: still(NOON), hooks: null });
  const wrote = async (phone, text = 'Is there parking?') => {
    await s.carrier.mo(phone, s.practice.sender, text);
    const rows = await s.db.sql('SELECT id FROM smsbridge.inbound WHERE phone = $1', [phone]);
    return rows[0].id;
  };
  const p = who({ category: 'conversational_reply', person: 'Jo Rivera' });
  p.answers = await wrote(p.phone);
  await t.test('it goes at once, at night too', async () => {
    await goes(s, p);
    await s.gateway.moveClock('2026-03-03T02:00:00-05:00', 0.001);
    await goes(s, p);
  });
  await t.test('to its last second, and not after', async () => {
    await s.gateway.moveClock('2026-03-03T11:59:50-05:00', 0.001);
    await goes(s, p);
    await s.gateway.moveClock('2026-03-03T12:01:00-05:00', 0.001);
    await stays(s, p, 'conversation_over', 'blocked');
  });
  // covers: rule conversation_once
  await t.test('of a program one, of people more', async () => {
    const one = who({ category: 'conversational_reply' });
    one.answers = await wrote(one.phone);
    await goes(s, one);
    await stays(s, one, 'answered_already', 'blocked');
    await goes(s, { ...one, person: 'Jo Rivera' });
    await goes(s, { ...one, person: 'Jo Rivera' });
    await stays(s, one, 'answered_already', 'blocked');
  });
  await t.test("nobody else's text, and no text that there never was", async () => {
    const other = await wrote(nextPhone());
    await stays(s, { ...p, answers: other }, 'conversation_over', 'blocked');
    await stays(s, { ...p, answers: randomUUID() }, 'conversation_over', 'blocked');
  });
});

// covers: rule emergency
test('an emergency, by a named person', async (t) => {
  const s = await setup(t, {
    config: still('2026-03-02T23:30:00-05:00'),
    practice: { more: ['--two-person', 'true'] },
  });
  const urgent = { key: await key(s.db, s.practice.id, ['--scope', 'emergency']) };
  const fields = () =>
    who({ category: 'emergency', emergency: { person: 'Ana Ruiz, RN', reason: 'water main broke' } });
  const approve = (id, person, options = urgent) => s.api.post(`/v1/messages/${id}/approve`, { person }, options);

  await t.test('needs a key with that scope', async () => {
    const answer = await s.api.send(fields());
    assert.equal(answer.status, 403);
    assert.equal(answer.json.code, 'scope_missing');
    assert.equal((await s.db.sql('SELECT 1 FROM smsbridge.message')).length, 0);
  });
  await t.test('waits for another person, then goes in the night', async () => {
    const m = await stays(s, fields(), 'emergency_unapproved', 'held', urgent);
    assert.equal((await approve(m.id, ' ana  ruiz, rn\u00a0')).json.code, 'same_person');
    assert.equal((await approve(m.id, 'Lee Chan, MD', {})).status, 403);
    assert.equal((await approve(randomUUID(), 'Lee Chan, MD')).status, 404);
    assert.equal((await approve(m.id, '')).status, 422);
    await never(() => s.carrier.of(m.draft.body).length, 'it left unapproved', 300);
    assert.equal((await approve(m.id, 'Lee Chan, MD')).status, 200);
    await s.carrier.got(m.draft);
    assert.equal((await approve(m.id, 'Kim Park')).json.code, 'approved_already');
    const events = await s.db.events(m.id);
    assert.deepEqual(
      events.filter((e) => e.type.startsWith('emergency.')).map((e) => e.data.person ?? e.data.by),
      ['Ana Ruiz, RN', 'Lee Chan, MD'],
    );
    assert.ok(s.gateway.line('emergency_requested') && s.gateway.line('emergency_approved'), 'the operator is told');
    assert.equal(await s.gateway.metric('smsbridge_emergencies_total', { what: 'approved' }), 1);
  });
  await t.test('what was approved keeps its words, and so do the answers to keywords', async () => {
    const m = await stays(s, fields(), 'emergency_unapproved', 'held', urgent);
    const swap = (id) => s.api.post(`/v1/messages/${id}/replace`, { body: 'Something else. Reply STOP to end.' });
    assert.deepEqual([(await swap(m.id)).status, (await swap(m.id)).json.code], [409, 'not_replaceable']);
    const p = who();
    await s.carrier.mo(p.phone, s.practice.sender, 'HELP');
    const [help] = await s.db.sql("SELECT id FROM smsbridge.message WHERE category = 'help_reply' AND phone = $1", [
      p.phone,
    ]);
    assert.equal((await swap(help.id)).json.code, 'not_replaceable');
  });
  await t.test('one person is enough where the practice says so, but not after a STOP', async () => {
    const one = await practice(s.db, { name: 'Oak Street Clinic' });
    const k = { key: await key(s.db, one.id, ['--scope', 'emergency']) };
    await goes(s, fields(), k);
    const p = fields();
    await s.carrier.mo(p.phone, one.sender, 'STOP');
    const m = await stays(s, p, 'emergency_unapproved', 'held', k);
    await approve(m.id, 'Lee Chan, MD', k);
    await s.carrier.got(m.draft);
  });
});

// covers: rule quiet_hours, rule quiet_hours_state, rule quiet_day_state
test("sending hours: the practice's own, and the states' for solicitations", async (t) => {
  const s = await setup(t, {
    config: still('2026-07-06T08:59:00-04:00'),
    practice: { more: ['--open', '09:00', '--close', '17:00'] },
  });
  const wide = await practice(s.db, { name: 'Oak Street Clinic' });
  const as = { key: wide.key };
  const own = { ...s, practice: wide };
  const zone = { time_zone: 'America/New_York' };

  await t.test("narrower by the practice, at both ends, less the guard's five minutes", async () => {
    assert.equal((await stays(s, who(zone), 'quiet_hours', 'held')).due, '2026-07-06T13:00:00.000Z');
    await goes(s, who(zone), as);
    await s.gateway.moveClock('2026-07-06T09:00:00-04:00', 0.001);
    await goes(s, who(zone));
    await s.gateway.moveClock('2026-07-06T16:54:30-04:00', 0.001);
    await goes(s, who(zone));
    await s.gateway.moveClock('2026-07-06T16:55:00-04:00', 0.001);
    assert.equal((await stays(s, who(zone), 'quiet_hours', 'held')).due, '2026-07-07T13:00:00.000Z');
    await goes(s, who(zone), as);
  });

  // Area codes of one zone and one state each.
  const areas = { TX: 512, RI: 401, AL: 205, CT: 203 };
  let line = 10;
  const promo = async (state, fields = {}) => {
    const p = who({ category: 'promotional', phone: `+1${areas[state]}55501${line++}`, ...fields });
    await consent(own, p.phone, 'written', ['promotional']);
    return p;
  };
  // [what, local time, state, reason or null when it goes]
  const rows = [
    ['Texas before nine', '2026-07-07T08:59:00-05:00', 'TX', 'quiet_hours_state'],
    ['Texas at nine', '2026-07-07T09:00:00-05:00', 'TX', null],
    ['Texas, Sunday before noon', '2026-07-12T11:59:00-05:00', 'TX', 'quiet_hours_state'],
    ['Texas, Sunday noon', '2026-07-12T12:00:00-05:00', 'TX', null],
    ['Rhode Island before six', '2026-07-13T17:54:00-04:00', 'RI', null],
    ['Rhode Island at six', '2026-07-13T18:00:00-04:00', 'RI', 'quiet_hours_state'],
    ['Alabama, Sunday', '2026-07-19T12:00:00-05:00', 'AL', 'quiet_day_state'],
    ['Independence Day is observed on Friday the third', '2026-07-03T12:00:00-04:00', 'RI', 'quiet_day_state'],
    ['and not on Thursday the second', '2026-07-02T12:00:00-04:00', 'RI', null],
    ['Christmas Day', '2026-12-25T12:00:00-06:00', 'AL', 'quiet_day_state'],
    ['the day before', '2026-12-24T12:00:00-06:00', 'AL', null],
  ];
  for (const [name, now, state, reason] of rows) {
    await t.test(`promotional: ${name}`, async () => {
      await s.gateway.moveClock(now, 0.001);
      const p = await promo(state);
      if (reason) await stays(s, p, reason, 'held', as);
      else await goes(s, p, as);
      if (reason) await goes(s, who({ ...zone }), as); // a reminder is bound by no state's hours
    });
  }
  await t.test('every state counts in which the patient may be, whatever the time zone given', async () => {
    await s.gateway.moveClock('2026-07-20T08:30:00-04:00', 0.001);
    const p = await promo('CT', { phone: '+12125550187', state: 'CT', time_zone: 'America/New_York' });
    const m = await stays(s, p, 'quiet_hours_state', 'held', as);
    const { data } = await verdict(s, m.id);
    assert.ok(data.states.split(' ').includes('CT') && data.states.split(' ').length === 2, data.states);
    await goes(s, await promo('NY', { phone: '+12125550188', state: 'NY' }), as);
  });
  await t.test('a ZIP code says where, and a wrong one is refused', async () => {
    const m = await s.api.accepted(who({ zip: '10001' }), as);
    assert.equal((await s.db.message(m.id)).states, 'NY');
    const bad = await s.api.send(who({ zip: '00000', state: 'ZZ' }), as);
    assert.equal(bad.status, 422);
    assert.deepEqual(bad.json.errors.map((e) => e.code).sort(), ['state_unknown', 'zip_unknown']);
  });
});

// covers: rule release
test('the release is spread, each text at a time of its own', async (t) => {
  const s = await setup(t, {
    config: { ...still('2026-03-02T22:00:00-05:00'), policy: { release_spread: '10m' } },
  });
  const open = at('2026-03-03T08:00:00-05:00');
  const made = [];
  for (let i = 0; i < 24; i++) made.push(await stays(s, who({ time_zone: 'America/New_York' }), 'quiet_hours', 'held'));
  const waits = made.map((m) => at(m.due) - open);
  assert.ok(
    waits.every((ms) => ms >= 0 && ms < 600000),
    `within the spread: ${waits}`,
  );
  assert.ok(new Set(waits.map((ms) => Math.floor(ms / 60000))).size >= 5, `spread: ${waits}`);
  for (const m of made) {
    const { data } = await verdict(s, m.id);
    assert.equal(new Date(data.until).getTime(), open, "the rule's own instant");
    assert.equal(new Date(data.due_at ?? data.until).toISOString(), m.due);
  }
  const tight = await stays(
    s,
    who({ time_zone: 'America/New_York', expires_at: '2026-03-03T08:00:20-05:00' }),
    'quiet_hours',
    'held',
  );
  assert.ok(at(tight.due) <= open + 10000, `before it expires: ${tight.due}`);
});

test('the past decided again', async (t) => {
  const s = await setup(t, { config: still(NOON) });
  const strict = await practice(s.db, { name: 'Oak Street Clinic', attested: false });
  const p = who();
  await goes(s, p);
  await stays(s, p, 'cap_day', 'held');
  await stays(s, who(), 'consent_missing', 'blocked', { key: strict.key });
  const family = who({ category: 'promotional', state: 'TX' });
  await consent(s, family.phone, 'written', ['promotional']);
  await put(s, 'opt_out', {
    id: randomUUID(),
    phone: family.phone,
    method: 'staff',
    word: '',
    created_at: before,
    heard_at: before,
    category: 'survey',
    scope: 'category',
  });
  await stays(s, family, 'opted_out', 'blocked');
  await s.gateway.moveClock('2026-03-02T22:00:00-05:00', 0.001);
  await stays(s, who(), 'quiet_hours', 'held');
  const replay = async (...more) => {
    const args = ['replay', '--from', '2026-03-02', '--to', '2026-03-03', '--database', s.db.owner, '--json'];
    const done = await run(binary, [...args, ...more]);
    return { code: done.code, ...JSON.parse(done.stdout) };
  };

  await t.test('nothing differs', async () => {
    assert.deepEqual(await replay(), { code: 0, differences: [], decided: 5, different: 0, not_replayable: 0 });
    assert.equal((await replay('--practice', strict.id)).decided, 1);
  });
  await t.test("by another pack's rules the text that a choice of kind would have let go", async () => {
    const other = await replay('--pack', 'fcc_26_67');
    assert.equal(other.code, 1);
    assert.deepEqual(
      other.differences.map((d) => [d.then.reason, d.now.verdict]),
      [['opted_out', 'send']],
    );
  });
  await t.test('an event that never was so, and one of a version without facts', async () => {
    const [real] = await s.db.sql("SELECT * FROM smsbridge.event WHERE type = 'message.held' AND reason = 'cap_day'");
    const plant = (data, type) =>
      s.db.sql(
        'INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason, data) VALUES ($1, $2, $3, $4, NULL, $5)',
        [real.practice_id, real.message_id, type, real.at, data],
      );
    planted(s.db);
    await plant({ ...real.data, verdict: 'send' }, 'message.sending');
    await plant({ verdict: 'send', local: {} }, 'message.sending');
    const found = await replay();
    assert.equal(found.code, 1);
    assert.equal(found.not_replayable, 1);
    assert.equal(found.differences.length, 1);
    assert.deepEqual(
      [found.differences[0].then.verdict, found.differences[0].now.reason, found.differences[0].message],
      ['send', 'cap_day', real.message_id],
    );
  });
});

test('faults of the new fields are told by pointer', async (t) => {
  const s = await setup(t, { config: still(NOON) });
  const urgent = { key: await key(s.db, s.practice.id, ['--scope', 'emergency']) };
  // [fields, pointer, code]
  const rows = [
    [{ phi: 'yes' }, '/phi', 'not_a_boolean'],
    [{ zip: 10001 }, '/zip', 'not_a_string'],
    [{ category: 'conversational_reply' }, '/answers', 'required'],
    [{ category: 'conversational_reply', answers: 'x' }, '/answers', 'bad_answers'],
    [{ answers: randomUUID() }, '/answers', 'answers_not_here'],
    [{ emergency: { person: 'A', reason: 'b' } }, '/emergency', 'emergency_not_here'],
    [{ category: 'emergency' }, '/emergency', 'required'],
    [{ category: 'emergency', emergency: { person: 'A' } }, '/emergency', 'bad_emergency'],
    [{ category: 'emergency', emergency: { person: '', reason: 'b' } }, '/emergency/person', 'bad_emergency'],
    [
      { category: 'emergency', emergency: { person: 'A', reason: 'b'.repeat(201) } },
      '/emergency/reason',
      'bad_emergency',
    ],
  ];
  for (const [fields, pointer, code] of rows) {
    await t.test(`${pointer} ${code}`, async () => {
      const answer = await s.api.send(fields, urgent);
      assert.equal(answer.status, 422, answer.text);
      assert.deepEqual(
        answer.json.errors.map((e) => [e.pointer, e.code]),
        [[pointer, code]],
      );
    });
  }
});
