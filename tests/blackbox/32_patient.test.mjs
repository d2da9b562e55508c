// Patients as a whole, the change of a phone, the preview that sends nothing, the search of messages, what is discarded.
import assert from 'node:assert/strict';
import test from 'node:test';
import { askable } from './lib/asked.mjs';
import { NOON } from './lib/gateway.mjs';
import { keepBody, keepPatient, keepPhone, keepSecret } from './lib/privacy.mjs';
import { binary, must, never, nextPatient, nextPhone, until } from './lib/util.mjs';
import { key as keyOf, practice, setup, world } from './lib/world.mjs';

await world();
const s = await setup(null, {});
s.other = await practice(s.db, { name: 'Oak Street Clinic' });
// Here nothing is attested: what goes rests on a consent that was recorded.
s.strict = await practice(s.db, { name: 'Pine Street Clinic', attested: false });

const at = (seconds) => new Date(Date.parse(NOON) + seconds * 1000).toISOString();
const phoneOf = () => {
  const phone = nextPhone();
  keepPhone(phone);
  return phone;
};
const refOf = () => {
  const ref = nextPatient();
  keepPatient(ref);
  return ref;
};
const key = (p) => ({ key: p.key });
const path = (ref) => `/v1/patients/${encodeURIComponent(ref)}`;
const put = (ref, body, options) => s.api.request('PUT', path(ref), { body, ...options });
const show = async (ref, options) => (await s.api.get(path(ref), options)).json;
const events = (type, ref) =>
  s.db.sql('SELECT * FROM smsbridge.event WHERE type = $1 AND patient = $2 ORDER BY xact, id', [type, ref]);
const consents = (phone) =>
  s.db.sql('SELECT * FROM smsbridge.consent WHERE phone = $1 ORDER BY created_at, id', [phone]);
const classOf = (patient, category) => patient.classes.find((c) => c.category === category);

async function known(fields = {}, options) {
  const ref = refOf();
  const body = { phone: phoneOf(), ...fields };
  const answer = await put(ref, body, options);
  assert.equal(answer.status, 201, answer.text);
  return { ref, phone: body.phone, answer, etag: answer.headers.etag };
}
const consent = async (phone, fields = {}, options) => {
  const answer = await s.api.post(
    '/v1/consents',
    {
      phone,
      classes: ['appointment_reminder'],
      basis: 'implied',
      captured_at: at(-3600),
      method: 'form',
      wording_version: 'intake-7',
      language: 'en',
      action: 'wrote the number on the form',
      actor: 'r.front',
      ...fields,
    },
    options,
  );
  assert.equal(answer.status, 201, answer.text);
  return answer.json.id;
};
const move = (ref, phone, fields = {}, options) =>
  s.api.post(`${path(ref)}/phone`, { phone, actor: 'r.front', reason: 'told us at the desk', ...fields }, options);
const follow = { consents: 'follow', evidence: { method: 'in_person', action: 'said that texts may go there' } };

test('a patient is recorded whole, with a version, and only by those who know which', async () => {
  const { ref, phone, answer, etag } = await known({
    time_zone: 'America/Chicago',
    zip: '60601',
    state: 'IL',
    language: 'es',
    preferences: { household: true },
    actor: 'r.front',
  });
  assert.equal(etag, '"1"');
  assert.deepEqual(
    { ...answer.json, created_at: 0, updated_at: 0 },
    {
      ref,
      phone,
      time_zone: 'America/Chicago',
      zip: '60601',
      state: 'IL',
      language: 'es',
      preferences: { alternative: 'none', household: true },
      version: 1,
      created_at: 0,
      updated_at: 0,
    },
  );
  const again = await put(ref, {
    phone,
    time_zone: 'America/Chicago',
    zip: '60601',
    state: 'IL',
    language: 'es',
    preferences: { household: true },
  });
  assert.equal(again.status, 200);
  assert.equal(again.headers.etag, '"1"', 'what is as it was makes no version');
  assert.equal((await events('patient.saved', ref)).length, 1);

  const stale = await put(ref, { phone }, { headers: { 'if-match': '"7"' } });
  assert.equal(stale.status, 412);
  assert.equal(stale.json.code, 'precondition_failed');
  const first = await put(ref, { phone }, { headers: { 'if-none-match': '*' } });
  assert.equal(first.status, 412);
  const right = await put(ref, { phone }, { headers: { 'if-match': '"1"' } });
  assert.equal(right.status, 200, right.text);
  assert.equal(right.headers.etag, '"2"');
  assert.equal(right.json.zip, null, 'the whole row is put');
  const [, told] = await events('patient.saved', ref);
  assert.deepEqual(told.data.fields, ['household', 'language', 'state', 'time_zone', 'zip']);
  assert.match(told.data.actor, /^key [0-9a-f]{16}$/);
  const [recipient] = await s.db.sql('SELECT household FROM smsbridge.recipient WHERE phone = $1', [phone]);
  assert.equal(recipient.household, false, 'a preference that was taken back holds no more');
});

test('what cannot be is refused, and told by pointer', async () => {
  const ref = refOf();
  const bad = await put(ref, {
    phone: '12125550101',
    time_zone: 'Mars/Olympus',
    zip: '0',
    state: 'ZZ',
    language: 'english',
    preferences: { alternative: 'pigeon', household: 'yes', colour: 'red' },
    nonsense: 1,
  });
  assert.equal(bad.status, 422, bad.text);
  assert.deepEqual(bad.json.errors.map((e) => e.pointer).sort(), [
    '/language',
    '/nonsense',
    '/phone',
    '/preferences/alternative',
    '/preferences/colour',
    '/preferences/household',
    '/state',
    '/time_zone',
    '/zip',
  ]);
  assert.equal((await put('x'.repeat(65), { phone: phoneOf() })).json.code, 'bad_ref');
  for (const name of ['%00', '%0a', '%ff', 'a%7f']) {
    assert.equal((await s.api.get(`/v1/patients/${name}`)).status, 400, name);
  }
  for (const p of [path(ref), `${path(ref)}/timeline`]) {
    const answer = await s.api.get(p);
    assert.equal(answer.status, 404, p);
    assert.equal(answer.json.code, 'patient_unknown');
  }
  assert.equal((await move(ref, phoneOf())).json.code, 'patient_unknown');
  const { ref: mine } = await known();
  assert.equal((await s.api.get(path(mine), key(s.other))).status, 404, 'another practice sees nothing of it');
  assert.equal((await s.api.get(`${path(mine)}/timeline?after=1`)).status, 400);
  assert.equal((await s.api.get('/v1/patients?phone=me')).status, 400);
  const odd = 'é Ω/?&#%';
  keepPatient(odd);
  assert.equal((await put(odd, { phone: phoneOf() })).status, 201);
  assert.equal((await show(odd)).ref, odd);
});

test('patients are listed and found by their phone, page by page', async () => {
  const phone = phoneOf();
  const refs = [];
  for (let i = 0; i < 5; i++) refs.push((await known({ phone }, key(s.other))).ref);
  let next = `/v1/patients?phone=${encodeURIComponent(phone)}&limit=2`;
  const seen = [];
  while (next) {
    const page = (await s.api.get(next, key(s.other))).json;
    seen.push(...page.data.map((p) => p.ref));
    next = page.next;
  }
  assert.deepEqual(seen, [...refs].sort());
  assert.equal((await s.api.get(`/v1/patients?phone=${encodeURIComponent(phone)}`)).json.data.length, 0);
});

test('what stands for and against texts to a patient is on one page', async () => {
  const { ref, phone } = await known({}, key(s.strict));
  const before = await show(ref, key(s.strict));
  assert.equal(classOf(before, 'appointment_reminder').verdict.reason.code, 'consent_missing');
  const id = await consent(phone, {}, key(s.strict));
  const now = await show(ref, key(s.strict));
  const reminder = classOf(now, 'appointment_reminder');
  assert.equal(reminder.verdict.verdict, 'send');
  assert.equal(reminder.consent.id, id);
  assert.equal(Date.parse(reminder.next_at), Date.parse(reminder.verdict.at));
  assert.equal(classOf(now, 'promotional').verdict.reason.code, 'consent_missing');
  assert.deepEqual(
    [now.caps.day, now.caps.week],
    [
      { used: 0, max: 1 },
      { used: 0, max: 3 },
    ],
  );

  const m = await s.api.accepted({ patient: ref, phone }, key(s.strict));
  await s.carrier.got(m.draft);
  const spent = await until(async () => {
    const p = await show(ref, key(s.strict));
    return p.caps.day.used === 1 && p;
  }, 'the cap is used');
  assert.equal(spent.caps.patient_counted.length, 1);
  assert.equal(classOf(spent, 'appointment_reminder').verdict.reason.code, 'cap_day');
  // A day by the clock and by the calendar: the day after, at the same time.
  const next = Date.parse(classOf(spent, 'appointment_reminder').next_at) - Date.parse(NOON);
  assert.ok(next >= 86400e3 && next < 86400e3 + 60e3, `${next}`);

  await s.api.post(
    '/v1/opt-outs',
    { phone, channel: 'voicemail', words: 'please no more', actor: 'r.front' },
    key(s.strict),
  );
  const stopped = await show(ref, key(s.strict));
  assert.equal(stopped.opt_outs.length, 1);
  assert.equal(stopped.opt_outs[0].words, 'please no more');
  assert.equal(classOf(stopped, 'appointment_reminder').verdict.reason.code, 'opted_out');
  assert.equal(classOf(stopped, 'appointment_reminder').next_at, null);

  const types = [];
  let next_page = `${path(ref)}/timeline?limit=3`;
  while (next_page) {
    const page = await s.api.get(next_page, key(s.strict));
    assert.equal(page.status, 200, page.text);
    types.push(...page.json.data.map((e) => e.type));
    next_page = page.json.next;
  }
  for (const type of ['patient.saved', 'consent.given', 'message.accepted', 'message.sending', 'message.sent'])
    assert.ok(types.includes(type), `${type} of ${types}`);
  assert.equal(types.at(-1), 'opt_out.created');
  assert.equal(
    types.length,
    new Set((await s.api.get(`${path(ref)}/timeline?limit=200`, key(s.strict))).json.data.map((e) => JSON.stringify(e)))
      .size,
  );
});

test('another phone: nothing waits for the one before, and its consents stay behind', async () => {
  const { ref, phone, etag } = await known({}, key(s.strict));
  await consent(phone, {}, key(s.strict));
  const waiting = await s.api.accepted({ patient: ref, phone, send_at: at(86400) }, key(s.strict));
  const others = await s.api.accepted({ phone, send_at: at(86400) }, key(s.strict));
  const to = phoneOf();
  const refused = await put(ref, { phone: to }, key(s.strict));
  assert.equal(refused.status, 409);
  assert.equal(refused.json.code, 'phone_change_needed');
  assert.equal((await move(ref, to, {}, { ...key(s.strict), headers: { 'if-match': '"9"' } })).status, 412);
  assert.equal((await move(ref, phone, {}, key(s.strict))).json.code, 'number_same');
  const moved = await move(ref, to, {}, { ...key(s.strict), headers: { 'if-match': etag } });
  assert.equal(moved.status, 200, moved.text);
  assert.equal(moved.headers.etag, '"2"');
  assert.equal(moved.json.phone, to);
  assert.deepEqual(moved.json.change, {
    consents: 'stay',
    consents_followed: 0,
    opt_outs_carried: 0,
    messages_canceled: 1,
    messages_recalled: 0,
    appointments_moved: 0,
    reminders_withdrawn: 0,
  });
  const canceled = await s.api.message(waiting.id, key(s.strict));
  assert.equal(canceled.status, 'canceled');
  assert.equal(canceled.reason.code, 'canceled_by_phone_change');
  assert.equal((await s.api.message(others.id, key(s.strict))).status, 'scheduled', "another patient's waits on");
  const [old] = await s.db.sql('SELECT * FROM smsbridge.recipient WHERE phone = $1', [phone]);
  assert.equal(old.stale_reason, 'number_changed');
  const now = await show(ref, key(s.strict));
  assert.equal(classOf(now, 'appointment_reminder').verdict.reason.code, 'consent_missing');
  assert.deepEqual(await consents(to), []);
  assert.equal((await put(ref, { phone: to }, key(s.strict))).status, 200);
});

test('consents follow only with who says so and how, and a written one only as what was said', async () => {
  const { ref, phone } = await known({}, key(s.strict));
  await consent(phone, {}, key(s.strict));
  const given = await consent(
    phone,
    {
      patient: ref,
      classes: ['payment'],
      basis: 'express',
      wording: 'May we text you about payments?',
      action: 'ticked',
    },
    key(s.strict),
  );
  const ended = await consent(
    phone,
    { classes: ['survey'], basis: 'express', patient: ref, wording: 'Surveys?' },
    key(s.strict),
  );
  await s.api.post(`/v1/consents/${ended}/end`, { reason: 'asked for', actor: 'r.front' }, key(s.strict));
  const to = phoneOf();
  const bare = await move(ref, to, { consents: 'follow' }, key(s.strict));
  assert.equal(bare.status, 422);
  assert.deepEqual(
    bare.json.errors.map((e) => e.pointer),
    ['/evidence'],
  );
  const idle = await move(ref, to, { evidence: follow.evidence }, key(s.strict));
  assert.equal(idle.status, 422);
  const moved = await move(ref, to, follow, key(s.strict));
  assert.equal(moved.status, 200, moved.text);
  assert.equal(moved.json.change.consents_followed, 2);
  const rows = await consents(to);
  assert.deepEqual(rows.map((c) => c.classes.join()).sort(), ['appointment_reminder', 'payment']);
  for (const row of rows) {
    assert.equal(row.patient, ref);
    assert.equal(row.actor, 'r.front');
    assert.equal(row.method, 'in_person');
    assert.equal(row.action, follow.evidence.action);
    assert.notEqual(row.id, given);
  }
  assert.equal((await events('consent.given', ref)).filter((e) => e.data.follows === 'phone_change').length, 2);
  assert.equal(classOf(await show(ref, key(s.strict)), 'appointment_reminder').verdict.verdict, 'send');
  const m = await s.api.accepted({ patient: ref, phone: to }, key(s.strict));
  await s.carrier.got(m.draft);
});

test('a STOP goes with the patient, and what stops the new phone stays', async () => {
  const { ref, phone } = await known({}, key(s.strict));
  await consent(phone, {}, key(s.strict));
  await s.api.post('/v1/opt-outs', { phone, channel: 'letter', words: 'no texts', actor: 'r.front' }, key(s.strict));
  const to = phoneOf();
  const moved = await move(ref, to, follow, key(s.strict));
  assert.equal(moved.json.change.opt_outs_carried, 1);
  const now = await show(ref, key(s.strict));
  assert.equal(now.opt_outs.length, 1);
  assert.equal(classOf(now, 'appointment_reminder').verdict.reason.code, 'opted_out');
  const left = await s.db.sql('SELECT * FROM smsbridge.opt_out WHERE phone = $1 AND lifted_at IS NULL', [phone]);
  assert.equal(left.length, 1, "the old phone's stands too");

  const second = await known({}, key(s.strict));
  await consent(second.phone, {}, key(s.strict));
  const there = phoneOf();
  await s.api.post('/v1/opt-outs', { phone: there, channel: 'letter', words: 'no', actor: 'r.front' }, key(s.strict));
  const onto = await move(second.ref, there, follow, key(s.strict));
  assert.equal(onto.json.change.consents_followed, 1);
  assert.equal(classOf(await show(second.ref, key(s.strict)), 'appointment_reminder').verdict.reason.code, 'opted_out');
});

test("a patient's own STOP ends on the new phone when the patient texts START from there", async () => {
  const { ref, phone } = await known();
  const says = (from, text) => s.carrier.mo(from, s.practice.sender, text);
  const stands = async (to) =>
    (await s.db.sql('SELECT method FROM smsbridge.opt_out WHERE phone = $1 AND lifted_at IS NULL', [to])).map(
      (o) => o.method,
    );
  await says(phone, 'STOP');
  const to = phoneOf();
  assert.equal((await move(ref, to)).json.change.opt_outs_carried, 1);
  assert.deepEqual(await stands(to), ['reply']);
  const [{ id }] = (await show(ref)).opt_outs;
  const lifted = await s.api.post(`/v1/opt-outs/${id}/lift`, { actor: 'r.front', reason: 'asked' });
  assert.equal(lifted.json.code, 'patient_must_start', 'no more than a STOP of this phone does it end otherwise');
  await says(to, 'START');
  assert.deepEqual(await stands(to), []);
  assert.deepEqual(await stands(phone), ['reply'], 'the old phone’s is the old phone’s');
});

test('another phone: what a carrier has for the one before is asked back', async (t) => {
  const carrier = askable();
  const one = await setup(t, { carrier, link: { cancel: true } });
  const [ref, phone, to] = [refOf(), phoneOf(), phoneOf()];
  const at = (rest) => `/v1/patients/${ref}${rest}`;
  const made = async () => (await one.api.request('PUT', at(''), { body: { phone } })).status === 201;
  await until(made, 'its lane is up');
  const m = await one.api.accepted({ patient: ref, phone });
  await one.carrier.got(m.draft);
  await until(async () => (await one.api.message(m.id)).status === 'sent', 'it is sent');
  const moved = await one.api.post(at('/phone'), { phone: to, actor: 'r.front', reason: 'told us' });
  assert.deepEqual([moved.status, moved.json.change.messages_recalled], [200, 1], moved.text);
  await carrier.got('cancel_sm');
  await until(async () => (await one.api.message(m.id)).reason?.code === 'canceled_by_phone_change', 'it came back');
  const caps = (await one.api.get(at(''))).json.caps;
  assert.equal(caps.day.used, 0, 'what came back does not count');
});

test('of a shared phone only what the patient gave goes with the patient, and the others keep theirs', async () => {
  const phone = phoneOf();
  const a = await known({ phone, preferences: { alternative: 'no_sms' } }, key(s.strict));
  const b = await known({ phone }, key(s.strict));
  await consent(phone, {}, key(s.strict));
  assert.equal(
    classOf(await show(b.ref, key(s.strict)), 'appointment_reminder').verdict.reason.code,
    'alternative_asked',
  );
  const moved = await move(a.ref, phoneOf(), follow, key(s.strict));
  assert.equal(moved.json.change.consents_followed, 0);
  assert.equal(moved.json.preferences.alternative, 'no_sms', 'the wish is the patient’s');
  assert.equal(classOf(await show(b.ref, key(s.strict)), 'appointment_reminder').verdict.verdict, 'send');
});

test('a message may leave to the patient’s row where it goes', async () => {
  const { ref, phone } = await known({ time_zone: 'America/Denver', zip: '80202' });
  const m = await s.api.accepted({ patient: ref, phone: undefined });
  const shown = await s.api.message(m.id);
  assert.equal(shown.phone, phone);
  assert.equal(shown.time_zone, 'America/Denver');
  await s.carrier.got({ ...m.draft, phone });
  const none = await s.api.send({ patient: refOf(), phone: undefined });
  assert.equal(none.status, 422);
  assert.deepEqual(
    none.json.errors.map((e) => e.pointer),
    ['/phone'],
  );
  // Where the request says a place, the row's is not mixed in.
  const placed = await s.api.accepted({
    patient: (await known({ time_zone: 'America/Denver' })).ref,
    phone: undefined,
    zip: '96813',
  });
  const there = await s.api.message(placed.id);
  assert.equal(there.time_zone, null);
  assert.ok(there.zones.includes('Pacific/Honolulu'));
});

test('a preview tells what would come, and nothing is stored', async () => {
  const { ref, phone } = await known({}, key(s.strict));
  const id = await consent(phone, {}, key(s.strict));
  const count = async () => Number((await s.db.sql('SELECT count(*) AS n FROM smsbridge.message'))[0].n);
  const before = await count();
  const body = 'Your visit is tomorrow at 9 – “bring a card”. Reply STOP to end.';
  keepBody(body);
  const p = (await s.api.post('/v1/messages:preview', { patient: ref, body }, key(s.strict))).json;
  assert.equal(p.accepted, true);
  assert.equal(p.text, 'Your visit is tomorrow at 9 - "bring a card". Reply STOP to end.');
  assert.equal(p.encoding, 'gsm7');
  assert.deepEqual(p.replaced.map((r) => r.from).sort(), ['U+2013', 'U+201C', 'U+201D']);
  assert.deepEqual([p.verdict.verdict, p.verdict.reason], ['send', null]);
  assert.equal(p.consent.id, id);
  assert.equal(p.consent.needed, 'implied');
  assert.deepEqual(p.zones, ['America/New_York']);
  const later = (
    await s.api.post('/v1/messages:preview', { patient: ref, body, send_at: at(12 * 3600) }, key(s.strict))
  ).json;
  assert.equal(later.verdict.reason.code, 'send_at_future');
  assert.equal(new Date(later.next_at).toISOString(), new Date('2026-03-03T08:00:00-05:00').toISOString());
  const long = await s.api.post('/v1/messages:preview', { patient: ref, body: 'x'.repeat(200) }, key(s.strict));
  assert.equal(long.status, 200, long.text);
  assert.equal(long.json.accepted, false);
  assert.deepEqual(
    long.json.errors.map((e) => e.code),
    ['body_too_long'],
  );
  assert.equal(long.json.verdict, null);
  const wrong = await s.api.post('/v1/messages:preview', { patient: ref, body, colour: 1 }, key(s.strict));
  assert.equal(wrong.status, 422);
  assert.equal(await count(), before);
  await never(() => s.carrier.to(phone).length, 'it was sent', 300);
  const noted = await until(async () => {
    const rows = await s.db.sql("SELECT * FROM smsbridge.access WHERE door LIKE '%preview' AND patient = $1", [ref]);
    return rows.length && rows;
  }, 'its note');
  assert.equal(noted[0].action, 'read');
});

test('a discarded text goes once its message ended', async () => {
  const m = await s.api.accepted({ retention: { content: 'discard' } });
  const kept = await s.api.accepted({ retention: { content: 'keep' }, send_at: at(3600) });
  const wait = await s.api.accepted({ retention: { content: 'discard' }, send_at: at(3600) });
  await s.carrier.got(m.draft);
  assert.equal((await s.api.message(wait.id)).body, wait.draft.body);
  for (const one of [kept, wait]) await s.api.post(`/v1/messages/${one.id}/cancel`);
  await until(async () => (await s.api.message(wait.id)).redacted_at, 'it is taken out', 15000);
  assert.equal((await s.api.message(wait.id)).body, null);
  assert.equal((await s.api.message(kept.id)).body, kept.draft.body);
  for (const retention of ['discard', { content: 'eat' }, { address: 'obfuscate' }, { content: 'keep', more: 1 }]) {
    const refused = await s.api.send({ retention });
    assert.equal(refused.status, 422, JSON.stringify(retention));
    assert.equal(refused.json.errors[0].code, 'bad_retention');
  }
});

test('messages are searched by any of the filters together', async () => {
  const patient = refOf();
  const phone = phoneOf();
  const reference = `visit ${patient}`;
  const one = await s.api.accepted({ patient, phone, reference, send_at: at(7200) });
  const two = await s.api.accepted({ patient, phone, send_at: at(7200), category: 'survey' });
  const three = await s.api.accepted({ patient, send_at: at(7200) });
  await s.api.post(`/v1/messages/${three.id}/cancel`);
  const find = async (query) => {
    const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const answer = await s.api.get(`/v1/messages?${text.join('&')}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json.data.map((m) => m.id);
  };
  assert.deepEqual(await find({ patient }), [one.id, two.id, three.id]);
  assert.deepEqual(await find({ patient, phone }), [one.id, two.id]);
  assert.deepEqual(await find({ reference }), [one.id]);
  assert.deepEqual(await find({ patient, category: 'survey' }), [two.id]);
  assert.deepEqual(await find({ patient, status: 'canceled' }), [three.id]);
  assert.deepEqual(await find({ patient, from: at(-3600), to: at(3600) }), [one.id, two.id, three.id]);
  assert.deepEqual(await find({ patient, from: at(3600) }), []);
  assert.deepEqual(await find({ patient, to: at(-3600) }), []);
  assert.deepEqual(await find({ patient, template: one.id }), []);
  assert.deepEqual(await find({ patient, batch: one.id }), []);
  assert.deepEqual(await find({ appointment: 'none' }), []);
  const page = (await s.api.get(`/v1/messages?patient=${patient}&phone=${encodeURIComponent(phone)}&limit=1`)).json;
  assert.deepEqual(
    page.data.map((m) => m.id),
    [one.id],
  );
  assert.deepEqual(
    (await s.api.get(page.next)).json.data.map((m) => m.id),
    [two.id],
  );
  for (const query of [
    'status=lost',
    'category=x',
    'from=yesterday',
    'to=1',
    'template=1',
    'batch=x',
    'phone=me',
    'patient=',
    'reference=%ff',
    'limit=0',
    'after=x',
  ]) {
    const answer = await s.api.get(`/v1/messages?${query}`);
    assert.equal(answer.status, 400, query);
    assert.equal(answer.json.code, 'bad_query');
  }
  assert.equal((await s.api.get('/v1/messages?stauts=sent')).json.code, 'parameter_unknown');
});

test('what a caller may not see is masked, and no text is in a timeline', async () => {
  const { ref, phone } = await known({}, key(s.other));
  await s.api.post(
    '/v1/opt-outs',
    { phone, channel: 'voicemail', words: 'leave me alone', actor: 'r.front' },
    key(s.other),
  );
  const root = { key: await keyOf(s.db, s.other.id, ['--scope', 'all']) };
  const ann = (await s.api.post('/v1/people', { name: 'Ann Lee', role: 'admin' }, root)).json;
  const admin = (await s.api.post('/v1/keys', { label: 'ann', person_id: ann.id }, root)).json;
  keepSecret(admin.key);
  const lee = (await s.api.post('/v1/people', { name: 'Pat Lee', role: 'billing' }, { key: admin.key })).json;
  const made = await s.api.post('/v1/keys', { label: 'billing', person_id: lee.id }, { key: admin.key });
  assert.equal(made.status, 201, made.text);
  keepSecret(made.json.key);
  const masked = `${phone.slice(0, 2)}******${phone.slice(-4)}`;
  const bare = { key: made.json.key };
  for (const one of [path(ref), `${path(ref)}/timeline`, '/v1/patients?limit=200', `/v1/messages?limit=200`]) {
    const answer = await s.api.get(one, bare);
    assert.equal(answer.status, 200, `${one} ${answer.text}`);
    assert.ok(!answer.text.includes(phone) && !answer.text.includes('leave me alone'), answer.text);
    if (one === path(ref)) assert.equal(answer.json.phone, masked);
  }
  const whole = (await s.api.get(`${path(ref)}/timeline`, key(s.other))).text;
  assert.ok(whole.includes(phone) && !whole.includes('leave me alone'), whole);
});

test('a phone change that races claims: nothing goes to the old phone after it', async () => {
  const { carrier } = s;
  for (let round = 0; round < 12; round++) {
    const phone = phoneOf();
    const { ref } = await known({ phone });
    await known({ phone }); // shared: the phone does not become stale, only this patient's messages are no more
    const sent = Array.from({ length: 6 }, () => s.api.accepted({ patient: ref, phone }));
    const ids = (await Promise.all(sent.slice(0, 1 + (round % 6)))).map((m) => m.id);
    const moved = await move(ref, phoneOf());
    assert.equal(moved.status, 200, moved.text);
    const seen = carrier.to(phone).length;
    await Promise.all(sent);
    for (const id of ids) {
      const m = await until(async () => {
        const now = await s.api.message(id);
        return !['queued', 'held', 'sending'].includes(now.status) && now;
      }, 'it is decided');
      const change = (await events('patient.phone_changed', ref))[0].recorded_at;
      const left = (await s.db.events(id)).find((e) => e.type === 'message.sending');
      if (m.status !== 'canceled') assert.ok(left.recorded_at <= change, `${m.status} after the change`);
      else assert.equal(m.reason.code, 'canceled_by_phone_change');
    }
    assert.ok(seen <= 1);
  }
});

test('visits to come move with the patient, and their reminders wait no more', async () => {
  const { ref, phone } = await known();
  const at10 = at(3 * 86400);
  await s.db.sql(
    `INSERT INTO smsbridge.appointment (practice_id, ref, patient, phone, starts_at, location_zone, zones, kind, created_at,
       updated_at) VALUES ($1, $2, $2, $3, $4, 'America/New_York', 'America/New_York', 'checkup', $5, $5)`,
    [s.practice.id, ref, phone, at10, NOON],
  );
  const m = await s.api.accepted({ patient: ref, phone, send_at: at(86400) });
  await s.db.sql(
    `INSERT INTO smsbridge.reminder (practice_id, ref, step, visit_at, message_id, state, due_at, made_at, updated_at)
     VALUES ($1, $2, 'day_before', $3, $4, 'planned', $5, $6, $6)`,
    [s.practice.id, ref, at10, m.id, at(86400), NOON],
  );
  assert.deepEqual(
    (await s.api.get(`/v1/messages?appointment=${ref}`)).json.data.map((x) => x.id),
    [m.id],
  );
  const to = phoneOf();
  const { change } = (await move(ref, to)).json;
  assert.deepEqual([change.appointments_moved, change.reminders_withdrawn], [1, 1]);
  const [visit] = await s.db.sql('SELECT phone, version FROM smsbridge.appointment WHERE ref = $1', [ref]);
  assert.deepEqual(visit, { phone: to, version: 2 });
  const [reminder] = await s.db.sql('SELECT state, reason FROM smsbridge.reminder WHERE ref = $1', [ref]);
  assert.deepEqual(reminder, { state: 'withdrawn', reason: 'canceled_by_phone_change' });
  assert.equal((await s.api.message(m.id)).reason.code, 'canceled_by_phone_change');
});

test('the right of access shows the row and the phones that the patient had', async () => {
  const { ref, phone } = await known({ zip: '10001' });
  const to = phoneOf();
  await move(ref, to);
  const args = ['export', 'patient', '--database', s.db.owner, '--practice', s.practice.id, '--patient', ref];
  const { recorded } = JSON.parse((await must(binary, [...args, '--by', 'Jo Rivera', '--why', 'asked for it'])).stdout);
  assert.equal(recorded[0].zip, '10001');
  assert.deepEqual(
    recorded[0].phones_had.map((p) => p.phone),
    [phone, to],
  );
});

test('the second witness finds nothing against all that', async () => {
  assert.deepEqual(await s.db.sql('SELECT rule, detail FROM report.violations'), []);
});

// --- the preview against what then happens ---

/** The same numbers for the same seed: mulberry32. */
function dice(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const roll = dice(seed);
const chance = (p) => roll() < p;
const pick = (list) => list[Math.floor(roll() * list.length)];
const uuid = () => crypto.randomUUID();

const classes = [
  'appointment_reminder',
  'lab_results',
  'payment',
  'survey',
  'promotional',
  'conversational_reply',
  'emergency',
  'verification',
];

/** Everything that may stand for or against one text, or not; by tables, as the gateway's own acts leave them. */
async function situation(practiceId, sender, now) {
  const phone = phoneOf();
  const patient = refOf();
  const past = (days) => new Date(now - roll() * days * 86400e3);
  const plant = (text, values) => s.db.sql(text, values);
  const category = pick(classes);
  const m = { patient, phone, category, body: `Elm Street Clinic (212) 555-0199: ref ${patient}. Reply STOP to end.` };
  for (let n = Math.floor(roll() * 3); n > 0; n--) {
    await plant(
      `INSERT INTO smsbridge.consent (practice_id, id, phone, patient, classes, basis, captured_at, method, actor, created_at,
         ended_at, ended_reason, adult_on)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 'form', 'test', $7, $8, $9, $10)`,
      [
        practiceId,
        uuid(),
        phone,
        pick(['', patient, 'somebody else']),
        chance(0.8) ? [category] : ['wellness_checkup'],
        pick(['implied', 'express', 'written']),
        past(30),
        ...(chance(0.15) ? [new Date(now - 1000), 'test'] : [null, null]),
        chance(0.1) ? new Date(now + (roll() - 0.5) * 4 * 86400e3).toISOString().slice(0, 10) : null,
      ],
    );
  }
  if (chance(0.5)) {
    await plant(
      `INSERT INTO smsbridge.recipient (practice_id, phone, stale_at, stale_reason, verified_at, risk_version, risk_at,
         risk_method, alternative, household) VALUES ($1, $2, $3, 'wrong_number', $4, 'r1', $5, 'form', $6, $7)`,
      [
        practiceId,
        phone,
        chance(0.3) ? past(30) : null,
        chance(0.6) ? past(30) : null,
        chance(0.6) ? past(30) : null,
        chance(0.1) ? pick(['no_sms', 'other_phone']) : '',
        chance(0.3),
      ],
    );
  }
  for (let n = Math.floor(roll() * 5); n > 0; n--) {
    await plant(
      `INSERT INTO smsbridge.contact (practice_id, id, phone, patient, kind, at, reported_by, created_at)
       VALUES ($1, $2, $3, $4, 'voice', $5, 'test', $5)`,
      [practiceId, uuid(), chance(0.7) ? phone : phoneOf(), chance(0.7) ? patient : refOf(), past(9)],
    );
  }
  if (chance(0.12)) {
    await plant(
      `INSERT INTO smsbridge.opt_out (practice_id, id, phone, method, word, created_at, heard_at, category, lifted_at)
       VALUES ($1, $2, $3, $4, 'STOP', $5, $5, $6, $7)`,
      [
        chance(0.2) ? '00000000-0000-0000-0000-000000000000' : practiceId,
        uuid(),
        phone,
        pick(['reply', 'staff', 'wrong_number']),
        past(30),
        chance(0.3) ? category : '',
        chance(0.3) ? new Date(now) : null,
      ],
    );
  }
  if (chance(0.06)) {
    await plant(
      `INSERT INTO smsbridge.phone_flag (practice_id, phone, kind, sender, carrier, code, since)
       VALUES ($1, $2, $3, $4, 'test', '1', $5)`,
      [
        practiceId,
        phone,
        ...pick([
          ['dead', ''],
          ['blocked', sender],
        ]),
        past(30),
      ],
    );
  }
  if (chance(0.06)) {
    await plant(
      `INSERT INTO smsbridge.review_task (practice_id, id, kind, phone, holds, opened_at)
       VALUES ($1, $2, 'possible_opt_out', $3, $4, $5)`,
      [practiceId, uuid(), phone, chance(0.7), past(3)],
    );
  }
  if (category === 'conversational_reply') {
    m.answers = uuid();
    await plant(
      `INSERT INTO smsbridge.inbound (practice_id, id, carrier, phone, sender, body, keyword, received_at)
       VALUES ($1, $2, 'test', $3, $4, 'hi', '', $5)`,
      [practiceId, m.answers, chance(0.9) ? phone : phoneOf(), sender, past(1.3)],
    );
  }
  if (category === 'emergency') m.emergency = { person: 'Jo Rivera', reason: 'water' };
  if (chance(0.2)) m.phi = true;
  if (chance(0.3)) m.time_zone = pick(['America/Chicago', 'America/Los_Angeles', 'Pacific/Honolulu', 'Pacific/Guam']);
  if (chance(0.3)) m.zip = pick(['60601', '96813', '75001', '33101']);
  if (chance(0.15)) m.state = pick(['FL', 'RI', 'GU', 'TX']);
  if (chance(0.2)) m.send_at = new Date(now + roll() * 3 * 86400e3).toISOString();
  if (chance(0.3))
    m.expires_at = new Date(Math.max(now, Date.parse(m.send_at ?? 0)) + 60e3 + roll() * 2 * 86400e3).toISOString();
  keepBody(m.body);
  return m;
}

/** What the gateway decided of a message that is stored: its first verdict, by the rules alone. */
async function decided(id) {
  // Before its time it is not looked at: as if its time had come, send_at stays as it is.
  await s.db.sql("UPDATE smsbridge.message SET due_at = created_at WHERE id = $1 AND status = 'scheduled'", [id]);
  const [event] = await until(
    async () => {
      const found = await s.db.sql(
        `SELECT * FROM smsbridge.event WHERE message_id = $1 AND data ? 'verdict' ORDER BY xact, id LIMIT 1`,
        [id],
      );
      return found.length && found;
    },
    async () => `a verdict on ${JSON.stringify(await s.api.message(id))}`,
  );
  return event;
}

test(`what a preview says is what then happens (SEED=${seed})`, async (t) => {
  const many = Number(process.env.PREVIEWS ?? 150);
  const seen = new Map();
  const times = ['2026-03-02T12:00', '2026-03-02T20:57', '2026-03-03T06:30', '2026-03-08T01:30', '2026-07-04T19:10'];
  for (const p of [s.practice, s.strict]) p.emergency = await keyOf(s.db, p.id, ['--scope', 'emergency']);
  for (const time of times) {
    const now = Date.parse(`${time}:00-05:00`);
    await s.gateway.moveClock(new Date(now).toISOString(), 0.001);
    for (let i = 0; i < many / times.length; i++) {
      const p = pick([s.practice, s.strict]);
      const m = await situation(p.id, p.sender, now);
      const options = { key: m.emergency ? p.emergency : p.key };
      const said = await s.api.post('/v1/messages:preview', m, options);
      const posted = await s.api.post('/v1/messages', m, options);
      assert.equal(said.status === 200 && said.json.accepted, posted.status === 202, `${said.text} ${posted.text}`);
      if (posted.status !== 202) continue;
      const event = await decided(posted.json.id);
      const { verdict, reason } = said.json.verdict;
      const why = `SEED=${seed} ${time}: ${JSON.stringify(m)}\n${said.text}\n${JSON.stringify(event)}`;
      assert.equal(verdict, event.data.verdict, why);
      assert.equal(reason?.code ?? null, event.reason, why);
      if (verdict === 'wait' && said.json.next_at) {
        assert.equal(Date.parse(said.json.next_at), Date.parse(event.data.until), why);
      }
      assert.equal(said.json.consent.basis, event.data.consent?.basis ?? 'none', why);
      assert.equal(said.json.consent.id, event.data.consent?.id ?? null, why);
      assert.deepEqual(said.json.zones, posted.json.zones, why);
      seen.set(event.reason ?? verdict, (seen.get(event.reason ?? verdict) ?? 0) + 1);
    }
  }
  t.diagnostic(`${[...seen.values()].reduce((a, b) => a + b, 0)} alike: ${JSON.stringify(Object.fromEntries(seen))}`);
  assert.ok(seen.size >= 8, `only ${seen.size} kinds of verdict were met`);
});
