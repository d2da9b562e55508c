// Appointments and their reminders as a practice system sees them, with a carrier that takes what goes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { keepPatient, keepPhone } from './lib/privacy.mjs';
import { binary, must, nextPatient, nextPhone, until } from './lib/util.mjs';
import { askable } from './lib/asked.mjs';
import { key, setup, theCluster, world } from './lib/world.mjs';

await world();

const why = ['--by', 'Ada Stone', '--why', 'the patient asked'];

const still = (start) => ({ clock: { start, rate: 0.001 } });
const MONDAY = '2026-03-02T12:00:00-05:00';
const words = 'Elm Street Clinic: visit {date} at {time}. Reply C to confirm. (212) 555-0199. STOP to opt out.';
const steps = [
  { name: 'three_days', before: 'P3D', at: '10:00', template: 'reminder' },
  { name: 'day_before', before: 'P1D', at: '10:00', template: 'reminder', skip_if_confirmed: true },
  { name: 'two_hours', before: 'PT2H', template: 'reminder' },
];

async function template(s, name, body, more = {}) {
  const saved = await s.api.post('/v1/templates', {
    name,
    language: 'en',
    category: 'appointment_reminder',
    body,
    variables: { date: 'date', time: 'time' },
    person: 'Jo Rivera',
    ...more,
  });
  assert.equal(saved.status, 201, saved.text);
  const approved = await s.api.post(`/v1/templates/${saved.json.id}/approve`, { person: 'Sam Okafor' });
  assert.equal(approved.status, 200, approved.text);
  return saved.json.id;
}

async function clinic(t, { at = MONDAY, ...more } = {}) {
  const s = await setup(t, { config: still(at), ...more });
  const args = ['--campaign', 'CTEST1', '--classes', 'appointment_reminder', '--person', 'Jo Rivera'];
  await must(binary, ['campaign', 'add', '--database', s.db.owner, '--practice', s.practice.id, '--json', ...args]);
  await template(s, 'reminder', words);
  s.plan = (kind, list = steps, headers = {}) =>
    s.api.request('PUT', `/v1/plans/${kind}`, { body: { steps: list }, headers });
  const plan = await s.plan('default');
  assert.equal(plan.status, 200, plan.text);
  s.put = (ref, fields, headers = {}) =>
    s.api.request('PUT', `/v1/appointments/${encodeURIComponent(ref)}`, { body: fields, headers });
  s.read = async (ref) => (await s.api.get(`/v1/appointments/${encodeURIComponent(ref)}`)).json;
  s.status = (ref, status) => s.api.post(`/v1/appointments/${encodeURIComponent(ref)}/status`, { status });
  s.violations = async () => (await s.db.sql('SELECT rule, detail FROM report.violations')).map((r) => r.detail);
  s.events = async (ref) =>
    (
      await s.db.sql("SELECT type FROM smsbridge.event WHERE data->>'ref' = $1 ORDER BY recorded_at, xact, id", [ref])
    ).map((r) => r.type);
  return s;
}

const visit = (fields = {}) => {
  const v = {
    patient: nextPatient(),
    phone: nextPhone(),
    starts_at: '2026-03-12T14:30:00-04:00',
    location_zone: 'America/New_York',
    kind: 'checkup',
    ...fields,
  };
  keepPatient(v.patient);
  keepPhone(v.phone);
  return v;
};

/** Steps of the visit's present time: {step: due, or what became of it}. */
const told = (a) =>
  Object.fromEntries(
    a.reminders
      .filter((r) => r.visit_at === a.starts_at)
      .map((r) => [r.step, r.state === 'planned' ? new Date(r.due_at).toISOString() : (r.reason?.code ?? r.state)]),
  );
const usual = {
  three_days: '2026-03-09T14:00:00.000Z',
  day_before: '2026-03-11T14:00:00.000Z',
  two_hours: '2026-03-12T16:30:00.000Z',
};

test('a plan says what is wrong with it when it is saved', async (t) => {
  const s = await clinic(t);
  const faults = async (list) => {
    const answer = await s.plan('odd', list);
    assert.equal(answer.status, 422, answer.text);
    return answer.json.errors.map((e) => `${e.pointer} ${e.code}`).sort();
  };
  const step = (more) => ({ name: 'one', before: 'P1D', template: 'reminder', ...more });
  assert.deepEqual(await faults([step({ template: 'nobody' })]), ['/steps/0/template template_unknown']);
  await s.api.post('/v1/templates', {
    name: 'draft',
    language: 'en',
    category: 'appointment_reminder',
    body: words,
    variables: { date: 'date', time: 'time' },
    person: 'Jo Rivera',
  });
  assert.deepEqual(await faults([step({ template: 'draft' })]), ['/steps/0/template template_not_approved']);
  assert.deepEqual(await faults([step(), step({ before: 'PT2H' })]), ['/steps/1/name name_twice']);
  assert.deepEqual(await faults(Array.from({ length: 9 }, (_, i) => step({ name: `s${i}` }))), ['/steps steps_many']);
  assert.deepEqual(await faults([step({ before: 'P1M' })]), ['/steps/0/before bad_before']);
  assert.deepEqual(await faults([step({ before: 'PT2H', at: '10:00' })]), ['/steps/0/at bad_at']);
  assert.deepEqual(await faults([step({ at: '25:00' })]), ['/steps/0/at bad_at']);
  assert.deepEqual(await faults([step({ rank: 0 })]), ['/steps/0/rank bad_rank']);
  assert.deepEqual(await faults([step({ category: 'promotional' })]), ['/steps/0/category category_unknown']);
  assert.deepEqual(await faults([step({ category: 'lab_results' })]), ['/steps/0/template category_not_of_template']);
  assert.deepEqual(await faults([step({ color: 'red' })]), ['/steps/0 unknown_field']);
  const first = await s.plan('odd', [step()], { 'if-none-match': '*' });
  assert.deepEqual([first.status, first.headers.etag], [200, '"1"']);
  assert.equal((await s.plan('odd', [step()])).headers.etag, '"1"', 'the same again is the same');
  const second = await s.plan('odd', [step({ rank: 1 })], { 'if-match': '"1"' });
  assert.deepEqual([second.status, second.headers.etag], [200, '"2"']);
  assert.equal((await s.plan('odd', [step()], { 'if-match': '"1"' })).status, 412);
  const listed = await s.api.get('/v1/plans');
  assert.deepEqual(
    listed.json.data.map((p) => p.kind),
    ['default', 'odd'],
  );
  const read = await s.api.get('/v1/plans/odd');
  assert.deepEqual([read.status, read.json.steps[0].rank, read.headers.etag], [200, 1, '"2"']);
  assert.equal((await s.api.request('DELETE', '/v1/plans/odd', { headers: { 'if-match': '"1"' } })).status, 412);
  assert.equal((await s.api.request('DELETE', '/v1/plans/odd')).status, 204);
  assert.equal((await s.api.get('/v1/plans/odd')).status, 404);
});

test('its texts have the trace of the request that booked it, and the webhooks about them have it too', async (t) => {
  const s = await clinic(t, { hooks: null });
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const made = await s.put('traced', visit(), { traceparent: trace });
  assert.equal(made.status, 201, made.text);
  for (const r of made.json.reminders) assert.equal((await s.api.message(r.message_id)).trace, trace);
  assert.equal((await s.status('traced', 'canceled')).status, 200);
  const hook = await s.hooks.got('message.canceled');
  assert.equal(hook.headers.traceparent, trace);
});

test('booked, the same again, moved, moved back: one reminder for each step and time', async (t) => {
  const s = await clinic(t);
  const v = visit();
  const made = await s.put('V 1/a', v);
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(told(made.json), usual);
  assert.equal(made.headers.etag, '"1"');
  const before = await s.events('V 1/a');
  assert.deepEqual(before, ['appointment.created', 'reminder.planned', 'reminder.planned', 'reminder.planned']);
  const same = await s.put('V 1/a', v);
  assert.deepEqual([same.status, same.headers.etag], [200, '"1"']);
  assert.deepEqual(same.json, made.json);
  assert.deepEqual(await s.events('V 1/a'), before, 'nothing was written');
  assert.equal((await s.put('V 1/a', { ...v, kind: 'other' }, { 'if-match': '"7"' })).status, 412);
  assert.equal((await s.put('V 1/a', v, { 'if-none-match': '*' })).status, 412);

  const moved = await s.put('V 1/a', { ...v, starts_at: '2026-03-13T09:00:00-04:00' });
  assert.equal(moved.status, 200, moved.text);
  assert.deepEqual(told(moved.json), {
    three_days: '2026-03-10T14:00:00.000Z',
    day_before: '2026-03-12T14:00:00.000Z',
    two_hours: 'dropped_cap_day',
  });
  const old = moved.json.reminders.filter((r) => r.visit_at !== moved.json.starts_at);
  assert.deepEqual(
    old.map((r) => [r.state, r.status, r.reason.code]),
    Array(3).fill(['withdrawn', 'canceled', 'withdrawn_moved']),
  );
  const back = await s.put('V 1/a', v);
  assert.deepEqual(told(back.json), usual);
  const keys = back.json.reminders.map((r) => `${r.step} ${r.visit_at}`);
  assert.equal(new Set(keys).size, keys.length);
  const waiting = await s.db.sql('SELECT send_at, expires_at FROM smsbridge.message WHERE due_at IS NOT NULL');
  assert.deepEqual(waiting.map((m) => m.send_at.toISOString()).sort(), Object.values(usual));
  for (const m of waiting) assert.equal(m.expires_at.toISOString(), '2026-03-12T18:30:00.000Z');
  const [row] = await s.db.sql('SELECT body FROM smsbridge.message WHERE due_at IS NOT NULL LIMIT 1');
  assert.equal(row.body, words.replace('{date}', 'Thu, Mar 12').replace('{time}', '2:30 PM'));
});

// covers: rule appointment
test('texts go at their times, never past the visit; what was sent is not sent again', async (t) => {
  const s = await clinic(t, { link: { validity: 'absolute' } });
  const v = visit();
  await s.put('V2', v);
  await s.gateway.moveClock('2026-03-09T10:00:01-04:00', 0.001);
  await until(() => s.carrier.to(v.phone).length === 1, 'the first reminder');
  await until(async () => (await s.read('V2')).reminders.some((r) => r.status === 'sent'), 'sent');
  await s.put('V2', { ...v, starts_at: '2026-03-20T14:30:00-04:00' });
  const back = await s.put('V2', v);
  const { three_days: first } = Object.fromEntries(back.json.reminders.map((r) => [`${r.step}`, r]).reverse());
  assert.ok(first, back.text);
  const now = back.json.reminders.filter((r) => r.visit_at === back.json.starts_at);
  assert.deepEqual(
    now.map((r) => [r.step, r.state, r.status]).sort(),
    [
      ['day_before', 'planned', 'scheduled'],
      ['three_days', 'planned', 'sent'],
      ['two_hours', 'planned', 'scheduled'],
    ],
    'the text that the patient has stays',
  );
  await s.gateway.moveClock('2026-03-12T12:30:01-04:00', 0.001);
  await until(() => s.carrier.to(v.phone).length >= 2, 'what was due');
  const last = s.carrier.to(v.phone).at(-1);
  // absolute SMPP time: YYMMDDhhmmss, tenths, quarters of an hour from UTC, and its sign
  const validity = last.pdu.validity_period;
  const until_ = validity instanceof Date ? validity.toISOString() : String(validity);
  assert.ok(until_ <= '2026-03-12T18:30:00.000Z' && until_ > '2026-03-12T16:30', until_);
  await s.gateway.moveClock('2026-03-12T14:30:01-04:00', 0.001);
  await until(
    async () => (await s.db.sql('SELECT 1 FROM smsbridge.message WHERE due_at IS NOT NULL')).length === 0,
    'none waits',
  );
  const count = s.carrier.to(v.phone).length;
  assert.ok(count <= 3, `${count} texts`);
  assert.deepEqual(await s.violations(), []);
});

test('arrived, cancelled, no-show and confirmed stop what they should', async (t) => {
  const s = await clinic(t);
  for (const [status, reason] of [
    ['arrived', 'withdrawn_over'],
    ['completed', 'withdrawn_over'],
    ['no_show', 'withdrawn_over'],
    ['canceled', 'withdrawn_canceled'],
  ]) {
    const v = visit();
    await s.put(status, v);
    const answer = await s.status(status, status);
    assert.deepEqual([answer.status, answer.json.status], [200, status], answer.text);
    assert.deepEqual(
      answer.json.reminders.map((r) => [r.state, r.status, r.reason.code]),
      Array(3).fill(['withdrawn', 'canceled', reason]),
    );
    assert.ok((await s.events(status)).includes(`appointment.${status}`));
    assert.equal((await s.status(status, status)).headers.etag, answer.headers.etag, 'once is enough');
    const again = await s.status(status, 'booked');
    assert.deepEqual(told(again.json), usual, 'it stands again');
  }
  const v = visit();
  await s.put('confirmed', v);
  const confirmed = await s.status('confirmed', 'confirmed');
  assert.deepEqual(told(confirmed.json), { ...usual, day_before: 'withdrawn_confirmed' });
  const synced = await s.put('confirmed', { ...v, status: 'booked' });
  assert.equal(synced.json.status, 'confirmed', "a calendar's booked is no word against it");
  const moved = await s.put('confirmed', { ...v, starts_at: '2026-03-19T14:30:00-04:00' });
  assert.equal(moved.json.status, 'booked', 'another time is not confirmed');
  assert.equal(moved.json.reminders.filter((r) => r.state === 'planned').length, 3);
  assert.equal((await s.status('nobody', 'arrived')).status, 404);
  assert.equal((await s.status('confirmed', 'asleep')).status, 422);
});

test("the patient's own answer", async (t) => {
  const s = await clinic(t, { hooks: null });
  const v = visit();
  const answer = (ref, word) =>
    s.db.sql("SELECT smsbridge.appointment_answer($1, $2, $3, '', '2026-03-02T17:00:00Z', gen_random_uuid()) AS done", [
      s.practice.id,
      ref,
      word,
    ]);
  await s.put('A1', v);
  assert.equal((await answer('A1', 'confirmed'))[0].done, true);
  assert.equal((await answer('A1', 'confirmed'))[0].done, false);
  let a = await s.read('A1');
  assert.deepEqual([a.status, a.answer], ['confirmed', 'confirmed']);
  assert.equal(told(a).day_before, 'withdrawn_confirmed');
  assert.equal((await answer('A1', 'reschedule_requested'))[0].done, true);
  a = await s.read('A1');
  assert.deepEqual([a.answer, told(a).two_hours], ['reschedule_requested', usual.two_hours]);
  assert.equal((await answer('A1', 'declined'))[0].done, true);
  a = await s.read('A1');
  assert.equal(a.reminders.filter((r) => r.state === 'planned').length, 0);
  const synced = await s.put('A1', { ...v, reference: 'again' });
  assert.equal(synced.json.reminders.filter((r) => r.state === 'planned').length, 0, 'still declined');
  assert.equal((await answer('A1', 'reschedule_requested'))[0].done, true);
  const other = await s.put('A1', { ...v, reference: 'another time is wanted' });
  assert.equal(other.json.reminders.filter((r) => r.state === 'planned').length, 0, 'it will not be kept all the same');
  const stands = await s.status('A1', 'booked');
  assert.deepEqual([stands.json.answer, told(stands.json)], [null, usual]);
  assert.equal((await answer('nobody', 'confirmed'))[0].done, false);
  const hook = await s.hooks.got('appointment.declined');
  assert.equal(hook.body.data.appointment, 'A1', hook.text);
  assert.ok(!hook.text.includes(v.phone));
});

test('who texts START after STOP, or comes after all, has reminders from the next PUT on', async (t) => {
  const s = await clinic(t);
  const v = visit();
  await s.put('S1', v);
  const says = (word, type) =>
    s.carrier
      .mo(v.phone, s.practice.sender, word)
      .then(() =>
        until(
          async () => (await s.db.sql('SELECT 1 FROM smsbridge.event WHERE type = $1', [type])).length > 0,
          `${word} is heard`,
        ),
      );
  await says('STOP', 'opt_out.created');
  const stopped = await s.put('S1', v);
  assert.deepEqual(new Set(stopped.json.reminders.map((r) => r.status)), new Set(['canceled']));
  assert.equal(stopped.json.version, 1, 'the same again, and nothing waits that may not go');
  await says('START', 'opt_out.lifted');
  const started = await s.put('S1', v);
  assert.deepEqual([told(started.json), started.json.version], [usual, 2]);
  assert.deepEqual(new Set(started.json.reminders.map((r) => r.status)), new Set(['scheduled']));
  assert.equal((await s.put('S1', v)).json.version, 2, 'once');
  for (const word of ['declined', 'confirmed'])
    await s.db.sql("SELECT smsbridge.appointment_answer($1, 'S1', $2, '', '2026-03-02T17:00:00Z', gen_random_uuid())", [
      s.practice.id,
      word,
    ]);
  const comes = await s.put('S1', v);
  assert.deepEqual(told(comes.json), { ...usual, day_before: 'dropped_confirmed' });
  assert.equal((await s.put('S1', v)).json.version, comes.json.version, 'once');
  assert.deepEqual(await s.violations(), []);
});

test('caps and hours drop what is of less use, and say so', async (t) => {
  const s = await clinic(t);
  const v = visit();
  await s.plan('single', [steps[1]]);
  const first = await s.put('first', { ...v, kind: 'single' });
  assert.deepEqual(told(first.json), { day_before: usual.day_before });
  const twin = await s.put('twin', { ...v, kind: 'single', starts_at: '2026-03-12T15:00:00-04:00' });
  assert.deepEqual(told(twin.json), { day_before: '2026-03-10T14:00:00.000Z' }, 'a lone reminder goes a day earlier');
  const third = await s.put('third', { ...v, starts_at: '2026-03-12T16:00:00-04:00' });
  assert.deepEqual(told(third.json), {
    three_days: '2026-03-09T14:00:00.000Z',
    day_before: 'dropped_cap_day',
    two_hours: 'dropped_cap_week',
  });
  const fourth = await s.put('fourth', { ...v, starts_at: '2026-03-12T16:30:00-04:00' });
  assert.ok(
    Object.values(told(fourth.json)).every((word) => word.startsWith('dropped_cap_')),
    fourth.text,
  );
  assert.equal((await s.events('fourth')).filter((e) => e === 'reminder.dropped').length, 3);
  const due = await s.db.sql('SELECT due_at FROM smsbridge.message WHERE due_at IS NOT NULL ORDER BY due_at');
  assert.equal(due.length, 3);
  for (let i = 1; i < due.length; i++) assert.ok(due[i].due_at - due[i - 1].due_at >= 86400000, JSON.stringify(due));
  const late = await s.put('late', visit({ starts_at: '2026-03-03T07:00:00-05:00' }));
  assert.deepEqual(told(late.json), {
    three_days: 'dropped_late',
    day_before: 'dropped_late',
    two_hours: '2026-03-03T01:45:00.000Z',
  });
  assert.ok((await s.events('late')).includes('reminder.dropped'));
  const past = await s.put('past', visit({ starts_at: '2026-03-01T07:00:00-05:00', status: 'completed' }));
  assert.deepEqual([past.status, past.json.reminders], [201, []]);
});

test('a text that cannot be made drops its step, never the visit', async (t) => {
  const s = await clinic(t);
  await template(s, 'who', `${words.replace('visit', 'visit {provider}')}`, {
    variables: { date: 'date', time: 'time', provider: 'name' },
  });
  await s.plan('checkup', [{ name: 'one', before: 'P1D', template: 'who' }, steps[0]]);
  const v = visit();
  const without = await s.put('T1', v);
  assert.equal(without.status, 201, without.text);
  assert.deepEqual(told(without.json), { one: 'dropped_variable', three_days: usual.three_days });
  const [event] = await s.db.sql("SELECT data FROM smsbridge.event WHERE type = 'reminder.dropped'");
  assert.deepEqual([event.data.fault, event.data.variable], ['value_missing', 'provider']);
  const named = await s.put('T1', { ...v, variables: { provider: 'Dr. Okafor' } });
  assert.deepEqual(told(named.json), { one: '2026-03-11T18:30:00.000Z', three_days: usual.three_days });
});

test('another phone: nothing waits for the old one', async (t) => {
  const s = await clinic(t);
  const v = visit();
  await s.put('P1', v);
  const phone = nextPhone();
  keepPhone(phone);
  const answer = await s.put('P1', { ...v, phone });
  assert.deepEqual(told(answer.json), usual);
  const waiting = await s.db.sql('SELECT DISTINCT phone FROM smsbridge.message WHERE due_at IS NOT NULL');
  assert.deepEqual(waiting, [{ phone }]);
  const args = ['--database', s.db.owner, '--practice', s.practice.id, '--json'];
  const [bea] = [
    JSON.parse((await must(binary, ['person', 'add', ...args, '--name', 'Bea Ortiz', '--role', 'billing'])).stdout),
  ].flat();
  const lesser = await key(s.db, s.practice.id, ['--person', bea.id]);
  for (const path of ['/v1/appointments/P1', '/v1/appointments?limit=1']) {
    const shown = await s.api.get(path, { key: lesser });
    assert.equal(shown.status, 200, shown.text);
    const masked = shown.json.data?.[0] ?? shown.json;
    assert.deepEqual([masked.phone, masked.variables], [`${phone.slice(0, 2)}******${phone.slice(-4)}`, null]);
  }
  const refused = await s.api.request('PUT', '/v1/appointments/P1', { body: v, key: lesser });
  assert.deepEqual([refused.status, refused.json.code], [403, 'scope_missing']);
});

test('a patient who is known gives phone, place and language', async (t) => {
  const s = await clinic(t);
  const v = visit();
  const known = await s.api.request('PUT', `/v1/patients/${v.patient}`, {
    body: { phone: v.phone, time_zone: 'America/Los_Angeles', language: 'es' },
  });
  assert.ok(known.status < 300, known.text);
  const { phone: _, ...rest } = v;
  const made = await s.put('K1', rest);
  assert.equal(made.status, 201, made.text);
  assert.deepEqual([made.json.phone, made.json.time_zone, made.json.language], [v.phone, 'America/Los_Angeles', 'es']);
  assert.equal(told(made.json).three_days, '2026-03-09T15:00:00.000Z', '8 in Los Angeles, not 7');
});

test('many PUTs at once leave one reminder for each step', async (t) => {
  const s = await clinic(t);
  const v = visit();
  const times = ['2026-03-12T14:30:00-04:00', '2026-03-16T09:00:00-04:00', '2026-03-18T16:00:00-04:00'];
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, i) => s.put('R1', { ...v, starts_at: times[i % 3] })),
  );
  assert.deepEqual(
    [...new Set(answers.map((a) => a.status))].filter((n) => ![200, 201, 503].includes(n)),
    [],
  );
  const last = await s.read('R1');
  const planned = last.reminders.filter((r) => r.state === 'planned');
  const waiting = await s.db.sql('SELECT id, expires_at FROM smsbridge.message WHERE due_at IS NOT NULL');
  assert.deepEqual(waiting.map((m) => m.id).sort(), planned.map((r) => r.message_id).sort());
  for (const m of waiting) assert.equal(m.expires_at.getTime(), Date.parse(last.starts_at));
});

// covers: rule appointment
test('PUTs that race claims: nothing goes for a time that the visit no longer has', async (t) => {
  const s = await clinic(t, { at: '2026-03-09T09:59:00-04:00' });
  const all = Array.from({ length: 40 }, () => visit());
  await Promise.all(all.map((v, i) => s.put(`C${i}`, v)));
  const moves = [];
  const racing = s.gateway.moveClock('2026-03-09T10:00:01-04:00', 0.001);
  for (let i = 0; i < all.length; i++) {
    moves.push(
      i % 2 ? s.status(`C${i}`, 'canceled') : s.put(`C${i}`, { ...all[i], starts_at: '2026-03-20T14:30:00-04:00' }),
    );
    if (i % 8 === 0) await moves.at(-1);
  }
  await racing;
  for (const answer of await Promise.all(moves)) assert.equal(answer.status, 200, answer.text);
  const open = "SELECT 1 FROM smsbridge.message WHERE status = 'sending' OR due_at < '2026-03-09T14:00:01Z'";
  await until(async () => (await s.db.sql(open)).length === 0, 'all are over');
  assert.deepEqual(await s.violations(), []);
});

test('a reminder that a claim holds when its visit is cancelled goes no further', async (t) => {
  const s = await clinic(t, { at: '2026-03-09T09:59:00-04:00' });
  const v = visit();
  const made = await s.put('H1', v);
  const { message_id: id } = made.json.reminders.find((r) => r.step === 'three_days');
  const claim = theCluster().client(s.db.name);
  await claim.connect();
  await claim.query('BEGIN');
  await claim.query('SELECT FROM smsbridge.message WHERE id = $1 FOR UPDATE', [id]);
  const answer = await s.status('H1', 'canceled');
  assert.equal(answer.status, 200, 'nobody waits for a claim');
  const held = answer.json.reminders.find((r) => r.message_id === id);
  assert.deepEqual([held.state, held.status], ['withdrawn', 'scheduled']);
  await claim.query('ROLLBACK');
  await claim.end();
  theCluster().clients.delete(claim);
  await s.gateway.moveClock('2026-03-09T10:00:01-04:00', 0.001);
  await until(async () => (await s.api.message(id)).status === 'canceled', 'cancelled by the claim');
  assert.equal((await s.api.message(id)).reason.code, 'withdrawn_canceled');
  const told_ = (await s.api.get(`/v1/messages/${id}/explanation`)).json.explanation;
  assert.match(told_, /the reminder "three_days" of the visit H1 on Thursday, March 12, 2026 at 2:30.PM\./);
  assert.equal(s.carrier.to(v.phone).length, 0);
  assert.deepEqual(await s.violations(), []);
});

/** Somebody who changes something between what a request reads first and the facts that it plans by. */
async function between(s, request, change) {
  const other = theCluster().client(s.db.name);
  await other.connect();
  await other.query('BEGIN');
  await other.query('LOCK TABLE smsbridge.plan IN ACCESS EXCLUSIVE MODE'); // facts are read behind it
  const answer = request();
  const waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'smsbridge.plan'::regclass";
  await until(async () => (await s.db.sql(waiting)).length > 0, 'the request reads its facts');
  await change((text, params) => other.query(text, params));
  await other.query('COMMIT');
  await other.end();
  theCluster().clients.delete(other);
  return answer;
}

test('a status that meets a move is of the visit as it was moved', async (t) => {
  const s = await clinic(t);
  const v = visit();
  await s.put('M1', v);
  const later = '2026-03-19T18:30:00.000Z';
  const answer = await between(
    s,
    () => s.status('M1', 'confirmed'),
    (query) =>
      query('UPDATE smsbridge.appointment SET starts_at = $2, version = version + 1 WHERE ref = $1', ['M1', later]),
  );
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual([answer.json.status, new Date(answer.json.starts_at).toISOString()], ['confirmed', later]);
});

test('a visit without a phone that meets a phone change is of the new phone', async (t) => {
  const s = await clinic(t);
  const v = visit();
  const { patient, phone, ...rest } = v;
  const to = visit().phone;
  await s.api.request('PUT', `/v1/patients/${encodeURIComponent(patient)}`, { body: { phone } });
  await s.put('N1', { patient, ...rest });
  const change = (query) =>
    query(
      `SELECT problem FROM smsbridge.patient_phone_change($1, $2, $3, 'r.front', 'at the desk', false, NULL, NULL, NULL,
        NULL, true, '2026-03-02T17:00:00Z')`,
      [s.practice.id, patient, to],
    );
  const answer = await between(s, () => s.put('N1', { patient, ...rest, reference: 'again' }), change);
  assert.ok([200, 503].includes(answer.status), answer.text);
  assert.equal((await s.read('N1')).phone, to);
  const open = 'SELECT DISTINCT phone FROM smsbridge.message WHERE patient = $1 AND due_at IS NOT NULL';
  assert.ok((await s.db.sql(open, [patient])).every((m) => m.phone === to));
  const next = await s.put('N1', { patient, ...rest, reference: 'again' });
  assert.deepEqual([next.status, told(next.json)], [200, usual]);
});

test('what is at the carrier is asked back when the visit is cancelled', async (t) => {
  const carrier = askable({ cancel_sm: () => ({}) });
  const s = await clinic(t, { at: '2026-03-09T09:59:00-04:00', carrier, link: { cancel: true } });
  const v = visit();
  await s.put('B1', v);
  await s.gateway.moveClock('2026-03-09T10:00:01-04:00', 0.001);
  await until(async () => (await s.read('B1')).reminders.some((r) => r.status === 'sent'), 'sent');
  await s.status('B1', 'canceled');
  await carrier.got('cancel_sm', 1);
  const first = () => s.read('B1').then((a) => a.reminders.find((r) => r.step === 'three_days'));
  await until(async () => (await first()).status === 'canceled', 'given back');
  assert.equal((await first()).reason.code, 'withdrawn_canceled');
  assert.equal(carrier.asked('cancel_sm').length, 1);
  assert.deepEqual(await s.violations(), []);
});

test("what is kept of a visit: its variables go after the practice's days, a patient may see it", async (t) => {
  const s = await clinic(t);
  const v = visit({ variables: { provider: 'Dr. Okafor' } });
  const held = visit({ variables: { provider: 'Dr. Okafor' } });
  await s.put('X1', v);
  await s.put('X2', held);
  const args = ['--database', s.db.owner, '--practice', s.practice.id];
  await must(binary, [
    'hold',
    'place',
    ...args,
    '--patient',
    held.patient,
    '--by',
    'Ada Stone',
    '--reason',
    'complaint 17',
  ]);
  const exported = JSON.parse(
    (await must(binary, ['export', 'patient', ...args, '--patient', v.patient, ...why])).stdout,
  );
  assert.deepEqual(
    exported.appointments.map((a) => [a.ref, a.starts_at, a.variables.provider]),
    [['X1', '2026-03-12T18:30:00+00:00', 'Dr. Okafor']],
  );
  const variables = async () =>
    (await s.db.sql('SELECT variables FROM smsbridge.appointment ORDER BY ref')).map((r) => r.variables.provider);
  await s.gateway.moveClock('2026-06-10T14:00:00-04:00', 0.001); // 90 days less half an hour
  await until(
    async () => (await s.db.sql("SELECT FROM smsbridge.retention_run WHERE at > '2026-06-10'")).length,
    'swept',
    90000,
  );
  assert.deepEqual(await variables(), ['Dr. Okafor', 'Dr. Okafor']);
  await s.gateway.moveClock('2026-06-10T15:00:00-04:00', 0.001);
  await until(async () => (await variables())[0] === undefined, 'emptied', 90000);
  assert.equal((await variables())[1], 'Dr. Okafor', 'a legal hold keeps it');
});

test('pages, filters, faults and what another key may see', async (t) => {
  const s = await clinic(t);
  const v = visit();
  for (let i = 0; i < 5; i++)
    await s.put(`L,${i} %é`, {
      ...v,
      patient: i < 3 ? v.patient : nextPatient(),
      starts_at: `2026-04-0${i + 1}T10:00:00Z`,
    });
  const page = await s.api.get('/v1/appointments?limit=2');
  assert.equal(page.status, 200, page.text);
  assert.deepEqual(
    page.json.data.map((a) => a.ref),
    ['L,0 %é', 'L,1 %é'],
  );
  const next = await s.api.get(page.json.next);
  assert.equal(next.status, 200, next.text);
  assert.deepEqual(
    next.json.data.map((a) => a.ref),
    ['L,2 %é', 'L,3 %é'],
  );
  assert.equal((await s.api.get(next.json.next)).json.next, null);
  const of = async (query) => (await s.api.get(`/v1/appointments?${query}`)).json.data?.length;
  assert.equal(await of(`patient=${v.patient}`), 3);
  assert.equal(await of(`phone=${v.phone}`), 5);
  assert.equal(await of('from=2026-04-03T00:00:00Z&to=2026-04-05T00:00:00Z'), 2);
  assert.equal(await of('status=canceled'), 0);
  assert.equal(await of('kind=checkup'), 5);
  for (const bad of ['status=odd', 'from=tomorrow', 'after=1', 'limit=0', 'patient=%ff'])
    assert.equal((await s.api.get(`/v1/appointments?${bad}`)).status, 400, bad);
  const refused = await s.put('bad', {
    patient: '',
    phone: '123',
    starts_at: 'noon',
    location_zone: 'Mars/Base',
    x: 1,
  });
  assert.equal(refused.status, 422);
  assert.deepEqual(refused.json.errors.map((e) => e.pointer).sort(), [
    '/location_zone',
    '/patient',
    '/phone',
    '/starts_at',
    '/x',
  ]);
  assert.equal((await s.api.get('/v1/appointments/nobody')).status, 404);
  assert.equal((await s.api.request('PUT', `/v1/appointments/${'x'.repeat(65)}`, { body: v })).status, 400);
});
