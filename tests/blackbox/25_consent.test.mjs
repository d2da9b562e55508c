// The consent ledger's doors over HTTPS: consents, recipients, contacts and verifications, each with its validations, its
// events and what is in the tables afterwards; and changes that race with a claim.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { keepPhone } from './lib/privacy.mjs';
import { binary, nextPatient, nextPhone, run, until } from './lib/util.mjs';
import { practice, setup, world } from './lib/world.mjs';
import { NOON } from './lib/gateway.mjs';

await world();
const s = await setup(null, {});
s.other = await practice(s.db, { name: 'Oak Street Clinic' });

const at = (seconds) => new Date(Date.parse(NOON) + seconds * 1000).toISOString();
const phoneOf = () => {
  const phone = nextPhone();
  keepPhone(phone);
  return phone;
};
const grant = (fields = {}) => {
  const g = {
    phone: phoneOf(),
    classes: ['appointment_reminder'],
    basis: 'implied',
    captured_at: at(-3600),
    method: 'form',
    wording_version: 'intake-7',
    language: 'en',
    action: 'wrote the number on the form',
    actor: 'r.front',
    ...fields,
  };
  for (const name of Object.keys(g)) if (g[name] === undefined) delete g[name];
  return g;
};
const events = (type, phone) =>
  s.db.sql('SELECT * FROM smsbridge.event WHERE type = $1 AND phone = $2 ORDER BY xact, id', [type, phone]);
const recipient = async (phone) =>
  (
    await s.db.sql('SELECT * FROM smsbridge.recipient WHERE practice_id = $1 AND phone = $2', [s.practice.id, phone])
  )[0];
const list = async (phone, query = '', options) =>
  (await s.api.get(`/v1/consents?phone=${encodeURIComponent(phone)}${query}`, options)).json;

function refused(answer, wanted) {
  assert.equal(answer.status, 422, answer.text);
  assert.equal(answer.json.code, 'validation_failed');
  assert.deepEqual(answer.json.errors.map((e) => `${e.pointer} ${e.code}`).sort(), [...wanted].sort());
  for (const e of answer.json.errors) assert.ok(e.detail.length > 10);
}

// covers: rule evidence
test('a consent is recorded with its evidence, and its event', async () => {
  const g = grant({
    patient: nextPatient(),
    classes: ['survey', 'payment', 'appointment_reminder'],
    basis: 'written',
    wording: 'I agree to texts.\nReply STOP to end.',
    action: 'signed',
    campaign: 'C-77',
    representative: 'the mother',
    adult_on: '2031-05-06',
    ip: '203.0.113.9',
    method: 'web',
    authorization_id: 'A-1',
  });
  const made = await s.api.post('/v1/consents', g);
  assert.equal(made.status, 201, made.text);
  const [row] = await s.db.sql('SELECT *, adult_on::text AS day FROM smsbridge.consent WHERE id = $1', [made.json.id]);
  assert.equal(row.practice_id, s.practice.id);
  for (const name of ['phone', 'patient', 'classes', 'basis', 'method', 'wording', 'wording_version', 'language'])
    assert.deepEqual(row[name], g[name], name);
  for (const name of ['action', 'actor', 'representative', 'campaign', 'ip', 'authorization_id'])
    assert.equal(row[name], g[name], name);
  assert.equal(row.day, g.adult_on);
  assert.equal(row.captured_at.toISOString(), g.captured_at);
  const [event] = await events('consent.given', g.phone);
  assert.equal(event.data.id, made.json.id);
  assert.deepEqual(event.data.classes, g.classes);
  for (const name of ['basis', 'method', 'wording_version', 'language', 'action', 'actor', 'adult_on'])
    assert.equal(event.data[name], g[name], name);
  assert.match(event.data.wording_sha256, /^[0-9a-f]{64}$/);
  assert.ok(!JSON.stringify(event.data).includes('I agree'), 'the words themselves are no part of the event');
});

// covers: rule evidence
test('what a consent must have', async (t) => {
  const cases = [
    ['nothing', {}, null, 9],
    ['no phone', { phone: undefined }, ['/phone required']],
    ['no classes', { classes: undefined }, ['/classes required']],
    ['no basis', { basis: undefined }, ['/basis required']],
    ['when', { captured_at: undefined }, ['/captured_at required']],
    ['medium', { method: undefined }, ['/method required']],
    ['version of the words', { wording_version: undefined }, ['/wording_version required']],
    ['language', { language: undefined }, ['/language required']],
    ['action', { action: undefined }, ['/action required']],
    ['who recorded it', { actor: undefined }, ['/actor required']],
    ['a second ahead', { captured_at: at(3600) }, ['/captured_at time_future']],
    ['no time', { captured_at: 'noon' }, ['/captured_at bad_time']],
    ['no such class', { classes: ['reminders'] }, ['/classes category_unknown']],
    ['a class of the gateway', { classes: ['help_reply'] }, ['/classes category_unknown']],
    ['classes that are none', { classes: [] }, ['/classes category_unknown']],
    ['classes that are no list', { classes: 'survey' }, ['/classes not_a_list']],
    ['classes of numbers', { classes: [1] }, ['/classes category_unknown']],
    ['no such basis', { basis: 'verbal' }, ['/basis bad_choice']],
    ['two words', { basis: 'implied express' }, ['/basis bad_choice']],
    ['no word', { basis: '' }, ['/basis bad_choice']],
    ['no such method', { method: 'fax' }, ['/method bad_choice']],
    ['a phone that is none', { phone: '+1212555' }, ['/phone phone_malformed']],
    ['a phone abroad', { phone: '+442079460123' }, ['/phone phone_not_us']],
    ['no such day', { adult_on: '2026-02-30', representative: 'the father' }, ['/adult_on bad_date']],
    ['an hour', { adult_on: '2026-02-20T10:00:00Z', representative: 'x' }, ['/adult_on bad_date']],
    ['a minor without who consented', { adult_on: '2030-01-01' }, ['/representative evidence_missing']],
    ['controls', { actor: 'a\u0007b' }, ['/actor bad_text']],
    ['too long', { action: 'x'.repeat(129) }, ['/action bad_text']],
    ['a number for text', { actor: 7 }, ['/actor not_a_string']],
    ['unknown', { scope: 'all' }, ['/scope unknown_field']],
    ['a phone as a name', { '+12125550101': 'all' }, [' unknown_field']],
    ['web without an address', { method: 'web' }, ['/ip evidence_missing']],
    ['express without words', { basis: 'express', patient: 'p-1' }, ['/wording evidence_missing']],
    ['express of nobody', { basis: 'express', wording: 'w' }, ['/patient evidence_missing']],
    [
      'written without what it needs',
      { basis: 'written' },
      ['/campaign evidence_missing', '/patient evidence_missing', '/wording evidence_missing'],
    ],
    [
      'advertising without an authorization',
      { basis: 'written', wording: 'w', patient: 'p-1', campaign: 'c', classes: ['promotional'] },
      ['/authorization_id evidence_missing'],
    ],
    ['a survey on implied consent', { classes: ['survey'] }, ['/basis basis_weak']],
    [
      'advertising on a spoken yes',
      { classes: ['promotional'], basis: 'express', wording: 'w', patient: 'p-1', authorization_id: 'a' },
      ['/basis basis_weak'],
    ],
  ];
  for (const [name, fields, wanted, count] of cases)
    await t.test(name, async () => {
      const answer = await s.api.post('/v1/consents', count ? {} : grant(fields));
      if (wanted) refused(answer, wanted);
      else assert.equal(answer.json.errors.length, count, answer.text);
    });
  const ok = [
    { basis: 'express', wording: 'w', patient: 'p-1', classes: ['payment', 'survey'] },
    { basis: 'express', wording: 'w', representative: 'the father' },
    { captured_at: at(0) },
    { captured_at: '1999-01-01T00:00:00Z' },
    { method: 'web', ip: '2001:db8::9' },
    { adult_on: '2030-01-01', representative: 'the father' },
    { patient: null, wording: null },
  ];
  for (const fields of ok)
    await t.test(`and what it may: ${JSON.stringify(fields)}`, async () => {
      const answer = await s.api.post('/v1/consents', grant(fields));
      assert.equal(answer.status, 201, answer.text);
    });
  await t.test('no JSON', async () => {
    assert.equal((await s.api.post('/v1/consents', 'x')).json.code, 'json_malformed');
    assert.equal((await s.api.post('/v1/consents', '[]')).json.code, 'json_not_object');
    assert.equal((await s.api.post('/v1/consents', '{"a":1,"a":2}')).json.code, 'json_duplicate_key');
    const plain = await s.api.post('/v1/consents', '{}', { headers: { 'content-type': 'text/plain' } });
    assert.equal(plain.json.code, 'not_json');
    assert.equal((await s.api.post('/v1/consents', grant(), { key: null })).status, 401);
  });
});

test('the same Idempotency-Key makes one consent', async () => {
  const g = grant();
  const headers = { 'idempotency-key': 'consent-key-0001' };
  const first = await s.api.post('/v1/consents', g, { headers });
  const again = await s.api.post('/v1/consents', g, { headers });
  assert.deepEqual([first.status, again.status], [201, 201]);
  assert.equal(again.json.id, first.json.id);
  assert.equal(again.headers['idempotency-replayed'], 'true');
  const other = await s.api.post('/v1/consents', { ...g, actor: 'somebody' }, { headers });
  assert.equal(other.status, 422);
  assert.equal(other.json.code, 'idempotency_key_reused');
  assert.equal((await events('consent.given', g.phone)).length, 1);
  const many = await Promise.all(
    Array.from({ length: 12 }, () =>
      s.api.post('/v1/consents', g, { headers: { 'idempotency-key': 'consent-key-2' } }),
    ),
  );
  const ids = new Set(many.filter((m) => m.status === 201).map((m) => m.json.id));
  assert.equal(ids.size, 1);
  assert.ok(many.every((m) => m.status === 201 || m.status === 409));
  assert.equal((await events('consent.given', g.phone)).length, 2);
});

test('a list tells what each consent is worth, and ends', async () => {
  const phone = phoneOf();
  const give = async (fields) => (await s.api.post('/v1/consents', grant({ phone, ...fields }))).json.id;
  const ids = [];
  ids.push(await give({}));
  ids.push(await give({ adult_on: '2026-03-02', representative: 'the father' }));
  ids.push(await give({ adult_on: '2026-03-03', representative: 'the father' }));
  ids.push(await give({}));
  const end = await s.api.post(`/v1/consents/${ids[0]}/end`, { actor: 'r.front', reason: 'asked for by letter' });
  assert.equal(end.status, 200, end.text);
  assert.equal(end.json.ended_reason, 'asked for by letter');
  assert.match(end.json.ended_at, /^2026-03-02T17:\d\d:[\d.]+\+00:00$/);
  const page = await list(phone);
  assert.deepEqual(
    page.data.map((c) => c.id),
    ids,
  );
  assert.deepEqual(
    page.data.map((c) => c.state),
    ['ended', 'came_of_age', 'counts', 'counts'],
  );
  assert.ok(page.data.every((c) => c.why.length > 5));
  assert.equal(page.next, null);
  const seen = [];
  for (let next = `/v1/consents?phone=${encodeURIComponent(phone)}&limit=1`; next;) {
    const one = (await s.api.get(next)).json;
    assert.equal(one.data.length, 1);
    seen.push(one.data[0].id);
    next = one.next;
  }
  assert.deepEqual(seen, ids);
  assert.deepEqual((await list(phone, '', { key: s.other.key })).data, [], 'another practice sees nothing of it');
  for (const bad of ['', '?phone=12', '?phone=%2B12125550101&limit=0', '?phone=%2B12125550101&after=x'])
    assert.equal((await s.api.get(`/v1/consents${bad}`)).json.code, 'bad_query', bad);
});

test('a consent ends once', async () => {
  const g = grant();
  const { id } = (await s.api.post('/v1/consents', g)).json;
  const first = await s.api.post(`/v1/consents/${id}/end`, { actor: 'a', reason: 'one' });
  const again = await s.api.post(`/v1/consents/${id}/end`, { actor: 'b', reason: 'two' });
  assert.deepEqual(again.json, first.json);
  const ended = await events('consent.ended', g.phone);
  assert.equal(ended.length, 1);
  assert.deepEqual(ended[0].data, { id, reason: 'one', actor: 'a' });
  refused(await s.api.post(`/v1/consents/${id}/end`, {}), ['/actor required', '/reason required']);
  for (const [path, options] of [
    [`/v1/consents/${id}/end`, { key: s.other.key }],
    ['/v1/consents/00000000-0000-7000-8000-000000000000/end', {}],
    ['/v1/consents/none/end', {}],
  ]) {
    const answer = await s.api.post(path, { actor: 'a', reason: 'one' }, options);
    assert.equal(answer.status, 404, answer.text);
    assert.equal(answer.json.code, 'consent_unknown');
  }
});

test('what is known of a recipient', async (t) => {
  const phone = phoneOf();
  const warning = { version: 'risk-2', at: at(-60), method: 'in_person' };
  const set = (fields) => s.api.post('/v1/recipients', { phone, actor: 'r.front', ...fields });
  const made = await set({ risk_warning: warning, alternative: 'no_sms', household: true });
  assert.equal(made.status, 200, made.text);
  assert.equal(made.json.alternative, 'no_sms');
  assert.equal(made.json.household, true);
  assert.equal(made.json.risk_warning.version, 'risk-2');
  const row = await recipient(phone);
  assert.equal(row.risk_version, 'risk-2');
  assert.equal(row.risk_at.toISOString(), warning.at);
  const changes = async () => (await events('recipient.changed', phone)).map((e) => e.data);
  assert.deepEqual(
    (await changes()).map((d) => `${d.field} ${d.actor}`),
    ['risk_warning r.front', 'alternative r.front', 'household r.front'],
  );
  await set({ household: true });
  assert.equal((await changes()).length, 3, 'what is so already is no change');
  await set({ alternative: 'none' });
  assert.equal((await recipient(phone)).alternative, '');
  assert.equal((await recipient(phone)).household, true, 'what is not given stays');
  assert.deepEqual((await changes()).at(-1), { field: 'alternative', value: '', actor: 'r.front' });
  for (const [name, fields, wanted] of [
    ['nothing', {}, [' nothing_to_change']],
    ['no bool', { household: 'yes' }, ['/household not_a_boolean']],
    ['no choice', { alternative: 'pigeon' }, ['/alternative bad_choice']],
    [
      'half a warning',
      { risk_warning: { version: '1' } },
      ['/risk_warning/at required', '/risk_warning/method required'],
    ],
    ['a warning to come', { risk_warning: { ...warning, at: at(60 * 60) } }, ['/risk_warning/at time_future']],
    ['no warning', { risk_warning: 'yes', household: true }, ['/risk_warning not_an_object']],
    ['more in a warning', { risk_warning: { ...warning, by: 'x' } }, ['/risk_warning/by unknown_field']],
    ['the same number', { number_changed_to: phone }, ['/number_changed_to number_same']],
    ['no actor', { actor: undefined, household: false }, ['/actor required']],
  ])
    await t.test(name, async () => refused(await set(fields), wanted));
});

// covers: rule stale
test('a number that changed takes no consent with it', async () => {
  const g = grant();
  const to = phoneOf();
  await s.api.post('/v1/consents', g);
  const moved = await s.api.post('/v1/recipients', { phone: g.phone, actor: 'r.front', number_changed_to: to });
  assert.equal(moved.status, 200, moved.text);
  assert.equal(moved.json.stale_reason, 'number_changed');
  assert.deepEqual(
    (await list(g.phone)).data.map((c) => c.state),
    ['stale'],
  );
  assert.match((await list(g.phone)).data[0].why, /number_changed/);
  assert.deepEqual((await list(to)).data, []);
  const [stale] = await events('recipient.stale', g.phone);
  assert.deepEqual(stale.data, { reason: 'number_changed', by: 'r.front' });
  assert.equal((await events('recipient.changed', to)).length, 1);
  await s.api.post('/v1/consents', { ...g, captured_at: moved.json.stale_at });
  const after = Date.parse(moved.json.stale_at) + 1;
  const later = await s.api.post('/v1/consents', { ...g, captured_at: new Date(after).toISOString() });
  assert.equal(later.status, 201, later.text);
  assert.deepEqual(
    (await list(g.phone)).data.map((c) => c.state),
    ['stale', 'stale', 'counts'],
  );
});

test("the practice's own calls", async (t) => {
  const call = (fields) => ({
    phone: phoneOf(),
    patient: nextPatient(),
    kind: 'voice',
    at: at(-86400),
    actor: 'pbx',
    ...fields,
  });
  const c = call();
  const headers = { 'idempotency-key': 'call-0001' };
  const made = await s.api.post('/v1/contacts', c, { headers });
  assert.equal(made.status, 201, made.text);
  assert.equal((await s.api.post('/v1/contacts', c, { headers })).json.id, made.json.id);
  const rows = await s.db.sql('SELECT * FROM smsbridge.contact WHERE phone = $1', [c.phone]);
  assert.equal(rows.length, 1);
  assert.equal(rows[0].at.toISOString(), c.at);
  assert.equal(rows[0].patient, c.patient);
  const [event] = await events('contact.reported', c.phone);
  assert.equal(event.patient, c.patient);
  assert.equal(event.data.id, made.json.id);
  assert.equal(event.data.kind, 'voice');
  assert.equal(event.data.actor, 'pbx');
  for (const [name, fields, wanted] of [
    ['to come', { at: at(3600) }, ['/at time_future']],
    ['ten days ago', { at: at(-10 * 86400) }, ['/at time_past']],
    ['a letter', { kind: 'letter' }, ['/kind bad_choice']],
    ['of nobody', { patient: undefined }, ['/patient required']],
  ])
    await t.test(name, async () => refused(await s.api.post('/v1/contacts', call(fields)), wanted));
  assert.equal((await s.api.post('/v1/contacts', call({ at: at(-9 * 86400 + 60) }))).status, 201);
});

// covers: rule verification
test('a verification is a text of its own that says nothing of the patient', async (t) => {
  for (const [language, word] of [
    ['en', /Reply YES/],
    ['es', /Responda SI/],
  ])
    await t.test(language, async () => {
      const v = { phone: phoneOf(), patient: nextPatient(), language };
      await s.api.post('/v1/consents', grant({ phone: v.phone, classes: ['verification'] }));
      const headers = { 'idempotency-key': `verify-${language}` };
      const made = await s.api.post('/v1/verifications', v, { headers });
      assert.equal(made.status, 202, made.text);
      assert.equal((await s.api.post('/v1/verifications', v, { headers })).json.id, made.json.id);
      const m = await s.db.message(made.json.id);
      assert.equal(m.category, 'verification');
      assert.match(m.body, word);
      assert.match(m.body, /^Elm Street Clinic: .*\(212\) 555-0199.*STOP/);
      assert.ok(!m.body.includes(v.patient));
      assert.ok(m.characters <= 160 && m.encoding === 'gsm7' && m.segments === 1);
      assert.ok((await recipient(v.phone)).verify_asked_at);
      const asked = await events('recipient.verify_asked', v.phone);
      assert.equal(asked.length, 1);
      assert.deepEqual(asked[0].data, { message_id: made.json.id });
    });
  refused(await s.api.post('/v1/verifications', { phone: phoneOf(), language: 'fr', patient: 'p' }), [
    '/language bad_choice',
  ]);
});

test('asked, answered YES, and then something personal may go', async () => {
  const phone = phoneOf();
  const patient = nextPatient();
  const personal = () => s.api.accepted({ phone, patient, phi: true });
  const becomes = (m, reason) =>
    until(
      async () => (await s.db.message(m.id)).reason === reason,
      async () => `${reason}, not ${(await s.db.message(m.id)).reason}`,
    );
  const risk = { version: 'risk-2', at: at(-60), method: 'in_person' };
  await s.api.post('/v1/recipients', { phone, actor: 'r.front', risk_warning: risk });
  await becomes(await personal(), 'verification_needed');
  assert.equal((await s.api.post('/v1/verifications', { phone, patient })).status, 202);
  await until(() => s.carrier.to(phone).length, 'the question goes out');
  s.carrier.mo(phone.slice(1), s.practice.sender.slice(1), 'Yes');
  await until(async () => (await recipient(phone)).verified_at, 'the answer is taken');
  assert.equal((await events('recipient.verified', phone)).length, 1);
  await becomes(await personal(), 'cap_day'); // the question was the text of this day; nothing else is in its way
});

test('a change that meets a claim: what is claimed and not handed over is judged again, and does not go', async (t) => {
  const strict = await practice(s.db, { name: 'Fir Street Clinic', attested: false });
  const options = { key: strict.key };
  const post = (path, body) => s.api.post(path, { actor: 'r.front', ...body }, options);
  const changes = {
    consent_missing: (g, id) => post(`/v1/consents/${id}/end`, { reason: 'said no' }),
    alternative_asked: (g) => post('/v1/recipients', { phone: g.phone, alternative: 'no_sms' }),
    consent_stale: (g) => post('/v1/recipients', { phone: g.phone, number_changed_to: phoneOf() }),
  };
  for (const [reason, change] of Object.entries(changes))
    await t.test(reason, async () => {
      const g = grant();
      const { id } = (await s.api.post('/v1/consents', g, options)).json;
      const blocker = await s.db.connect();
      const waiting = (query) => () =>
        s.db
          .sql(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${query}%'`)
          .then((rows) => rows.length);
      await blocker.query('BEGIN; LOCK TABLE smsbridge.event IN EXCLUSIVE MODE');
      const body = `Race text ${reason}. Reply STOP to end.`;
      const [m] = await s.db.sql(
        `INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters,
          segments, category, priority, expires_at, status, due_at, created_at, updated_at)
        SELECT $1, gen_random_uuid(), $5, $2, $3, 'America/New_York', $6, 'gsm7', length($6),
          1, 'appointment_reminder', 1, $4::timestamptz + interval '1 day', 'queued', $4, $4, $4 RETURNING id`,
        [strict.id, g.phone, strict.sender, NOON, nextPatient(), body],
      );
      await until(waiting('SET status = v.status'), 'the claim is at its verdict');
      const changed = change(g, id);
      await until(waiting('pg_advisory_xact_lock'), "the change waits for the claim's lock");
      await blocker.query('COMMIT');
      assert.equal((await changed).status, 200);
      await until(
        async () => (await s.db.message(m.id)).status === 'blocked',
        async () => `it ends: ${JSON.stringify(await s.db.events(m.id))}`,
      );
      const story = await s.db.events(m.id);
      assert.deepEqual(
        story.map((e) => `${e.type} ${e.reason ?? ''}`.trim()),
        ['message.sending', 'message.requeued facts_changed', `message.blocked ${reason}`],
      );
      assert.equal(story[1].data.refund, true, 'it is proven not to have left');
      assert.equal(s.carrier.to(g.phone).length, 0, 'the carrier never saw it');
    });
});

test('changes work while no carrier is up and nothing is sent', async (t) => {
  const down = await setup(t, { bind: false, start: false });
  await down.carrier.stop();
  await down.gateway.start();
  const made = await down.api.post('/v1/consents', grant());
  assert.equal(made.status, 201, made.text);
  const end = await down.api.post(`/v1/consents/${made.json.id}/end`, { actor: 'a', reason: 'b' });
  assert.equal(end.status, 200, end.text);
});

// --- commands and files ----------------------------------------------------------------------------------------------

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-consent-'));
process.once('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
const file = (name, text) => {
  fs.writeFileSync(path.join(dir, name), text);
  return path.join(dir, name);
};
const command = (...args) => run(binary, [...args, '--database', s.db.app]);
const named = ['--by', 'ops', '--why', 'monthly query'];
const mine = ['--practice', s.practice.id];

test('consent and recipient at a terminal', async (t) => {
  const phone = phoneOf();
  const words = [
    '--method',
    'form',
    '--wording-version',
    'v1',
    '--language',
    'en',
    '--action',
    'signed',
    '--by',
    'ops',
  ];
  const give = ['consent', 'add', ...mine, '--phone', phone, '--captured-at', at(-60), ...words, '--json'];
  const classes = ['--classes', 'appointment_reminder,lab_results', '--basis', 'implied'];
  const added = await command(...give, ...classes);
  assert.equal(added.code, 0, added.stderr);
  const [{ id }] = JSON.parse(added.stdout);
  const [shown] = (await list(phone)).data;
  assert.equal(shown.id, id);
  assert.deepEqual(shown.classes, ['appointment_reminder', 'lab_results']);
  assert.equal(shown.actor, 'ops');
  assert.equal((await events('consent.given', phone)).length, 1);
  await t.test('the same evidence is asked for', async () => {
    const weak = await command(...give, '--classes', 'promotional', '--basis', 'written');
    assert.equal(weak.code, 2);
    assert.match(weak.stderr, /--wording: .*\n/);
    assert.match(weak.stderr, /--authorization-id: .*HIPAA/);
    assert.match(weak.stderr, /--campaign: /);
    const none = await command('consent', 'add', ...mine);
    assert.equal(none.code, 2);
    for (const name of ['phone', 'classes', 'basis', 'captured-at', 'method', 'by', 'action', 'language'])
      assert.match(none.stderr, new RegExp(`--${name}: `));
  });
  await t.test('list, end, turning 18', async () => {
    const soon = new Date(Date.now() + 30 * 86400e3).toISOString().slice(0, 10);
    const late = new Date(Date.now() + 90 * 86400e3).toISOString().slice(0, 10);
    for (const day of [soon, late])
      assert.equal((await command(...give, ...classes, '--adult-on', day, '--representative', 'father')).code, 0);
    const turning = JSON.parse((await command('consent', 'list', ...mine, '--turning-18', '--json')).stdout);
    assert.deepEqual(
      turning.filter((c) => c.phone === phone).map((c) => c.adult_on),
      [soon],
    );
    const end = await command('consent', 'end', id, ...mine, '--reason', 'letter', '--by', 'ops');
    assert.equal(end.code, 0, end.stderr);
    const all = JSON.parse((await command('consent', 'list', ...mine, '--phone', phone, '--json')).stdout);
    assert.deepEqual(
      all.map((c) => c.state),
      ['ended', 'counts', 'counts'],
    );
    assert.equal((await command('consent', 'end', id, ...mine, '--by', 'ops')).code, 2);
    const other = await command('consent', 'end', id, '--practice', s.other.id, '--reason', 'x', '--by', 'ops');
    assert.equal(other.code, 1);
  });
  await t.test('recipient', async () => {
    assert.equal((await command('recipient', 'show', ...mine, '--phone', phone)).code, 1);
    const set = ['recipient', 'set', ...mine, '--phone', phone, '--by', 'ops'];
    const risk = ['--risk-version', 'r1', '--risk-at', at(-60), '--risk-method', 'voice'];
    const done = await command(...set, '--household', 'true', '--alternative', 'other_phone', ...risk);
    assert.equal(done.code, 0, done.stderr);
    const [row] = JSON.parse((await command('recipient', 'show', ...mine, '--phone', phone, '--json')).stdout);
    assert.equal(row.alternative, 'other_phone');
    assert.equal(row.risk_version, 'r1');
    assert.equal((await command(...set, '--alternative', 'none')).code, 0);
    assert.equal((await recipient(phone)).alternative, '');
    assert.equal((await command(...set)).code, 2);
    assert.equal((await command(...set, '--household', 'maybe')).code, 2);
  });
});

const imported = async (kind, name, text, ...args) => {
  const done = await command('import', kind, file(name, text), '--by', 'ops', '--json', ...args);
  assert.equal(done.code, 0, done.stderr);
  return { ...JSON.parse(done.stdout || '[{}]')[0], told: done.stderr };
};

test('a deactivation file', async (t) => {
  const dead = grant();
  const after = grant({ captured_at: at(-3600) });
  const other = phoneOf();
  for (const g of [dead, after]) await s.api.post('/v1/consents', g);
  await s.api.post('/v1/consents', { ...dead, action: 'told the other clinic' }, { key: s.other.key });
  const lines = [
    'Number,Date',
    `${dead.phone.slice(2)},`,
    `${other},2026-03-02`,
    'nobody,',
    `${after.phone},2026-03-01`,
  ];
  const text = `${lines.join('\r\n')}\r\n`;
  const first = await imported('deactivations', 'dead.csv', text, '--carrier', 'att', '--date', '2026-03-02');
  assert.equal(first.rows, 4);
  assert.equal(first.bad, 1);
  assert.equal(first.matched, 3, 'two practices have the first, one the last');
  assert.equal(first.changed, 3);
  assert.match(first.sha256, /^[0-9a-f]{64}$/);
  assert.match(first.told, /^line 4: not a number/m);
  assert.ok(!first.told.includes('nobody'));
  assert.equal((await list(dead.phone)).data[0].state, 'stale');
  assert.equal((await list(dead.phone, '', { key: s.other.key })).data[0].state, 'stale');
  assert.equal((await list(after.phone)).data[0].state, 'counts', 'given after the day of the file');
  const flags = await s.db.sql('SELECT practice_id, kind, carrier FROM smsbridge.phone_flag WHERE phone = $1', [
    dead.phone,
  ]);
  assert.equal(flags.length, 2);
  assert.deepEqual(
    (await s.db.sql('SELECT FROM smsbridge.phone_flag WHERE phone = $1', [after.phone])).length,
    0,
    'it has lived since',
  );
  const stale = await events('recipient.stale', dead.phone);
  assert.equal(stale.length, 2);
  assert.equal(stale[0].data.reason, 'deactivated');
  assert.equal(stale[0].data.by, 'ops');
  assert.equal((await events('phone.flagged', dead.phone)).length, 2);
  const [done] = await s.db.sql(
    "SELECT * FROM smsbridge.event WHERE type = 'import.done' AND data->>'file' = 'dead.csv'",
  );
  assert.deepEqual(
    [done.data.kind, done.data.rows, done.data.bad, done.data.matched, done.data.sha256, done.data.by],
    ['deactivations', 4, 1, 3, first.sha256, 'ops'],
  );
  await t.test('twice is as once', async () => {
    const count = async () => (await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.event'))[0].n;
    const before = await count();
    const again = await imported('deactivations', 'dead.csv', text, '--carrier', 'att', '--date', '2026-03-02');
    assert.match(again.told, /imported already/);
    assert.equal(await count(), before);
    const more = await imported('deactivations', 'more.csv', `${text}\n`, '--carrier', 'att', '--date', '2026-03-02');
    assert.deepEqual([more.matched, more.changed], [3, 0]);
    assert.equal(await count(), before + 1, 'import.done only');
  });
  await t.test('a consent that is given afterwards counts', async () => {
    await s.db.sql('UPDATE smsbridge.recipient SET stale_at = $2 WHERE phone = $1', [dead.phone, at(-7200)]);
    assert.equal((await list(dead.phone)).data[0].state, 'counts');
  });
});

test('answers of the Reassigned Numbers Database', async () => {
  const [yes, no, none, later] = [grant(), grant(), grant(), grant()].map((g) => ({
    ...g,
    captured_at: at(-86400 * 3),
  }));
  for (const g of [yes, no, none, later]) await s.api.post('/v1/consents', g);
  await s.api.post('/v1/consents', { ...later, captured_at: at(-3600) });
  const query = async () => {
    const out = await command('export', 'reassigned-query', ...mine, ...named);
    assert.equal(out.code, 0, out.stderr);
    return out.stdout.split('\n');
  };
  const lineOf = (g, day) => `${g.phone.slice(2)},${day}`;
  const asked = await query();
  assert.equal(asked[0], 'number,consent_date');
  for (const g of [yes, no, none]) assert.ok(asked.includes(lineOf(g, '2026-02-27')), asked.join(' '));
  assert.ok(asked.includes(lineOf(later, '2026-03-02')), 'of several consents the latest');
  const text = [
    'Phone,Consent Date,Answer',
    `${yes.phone},2026-02-27,Yes`,
    `${no.phone},2026-02-27,no`,
    `${none.phone},2026-02-27,no data`,
    `${later.phone},2026-02-27,yes`,
    `${later.phone},2026-03-02,no`,
    `${later.phone},soon,no`,
    `${later.phone},2026-03-02,perhaps`,
  ].join('\n');
  const first = await imported('reassigned', 'rnd.csv', text);
  assert.deepEqual([first.rows, first.bad, first.matched, first.changed], [7, 2, 4, 4]);
  const state = async (g) => (await list(g.phone)).data.map((c) => c.state).join(' ');
  assert.equal(await state(yes), 'stale');
  assert.equal(await state(no), 'counts');
  assert.equal(await state(none), 'counts');
  assert.equal(await state(later), 'stale counts');
  for (const [g, answer, reason] of [
    [yes, 'yes', 'reassigned'],
    [no, 'no', null],
    [none, 'no_data', null],
    [later, 'no', 'reassigned'],
  ]) {
    const row = await recipient(g.phone);
    assert.equal(row.reassigned_answer, answer);
    assert.ok(row.reassigned_at);
    assert.equal(row.stale_reason, reason);
  }
  assert.equal((await events('recipient.stale', yes.phone))[0].data.reason, 'reassigned');
  assert.equal((await events('recipient.changed', none.phone))[0].data.value, 'no_data');
  const again = await imported('reassigned', 'rnd2.csv', `${text}\n\n`);
  assert.equal(again.changed, 0);
  const left = await query();
  for (const g of [yes, no, none])
    assert.ok(!left.some((l) => l.startsWith(g.phone.slice(2))), 'not asked again so soon');
  await s.db.sql("UPDATE smsbridge.recipient SET reassigned_at = reassigned_at - interval '31 days' WHERE phone = $1", [
    no.phone,
  ]);
  assert.ok((await query()).includes(lineOf(no, '2026-02-27')), 'monthly');
});

test('files that are none, and what the command must be told', async () => {
  for (const [args, code, said] of [
    [['deactivations', path.join(dir, 'none'), '--carrier', 'a', '--by', 'b'], 1, /cannot be opened/],
    [['deactivations', file('empty', '\n\n'), '--carrier', 'a', '--by', 'b'], 1, /no number/],
    [['deactivations', file('head', 'phone\n'), '--carrier', 'a', '--by', 'b'], 1, /no number/],
    [['deactivations', file('one', '2125550101\n'), '--carrier', 'a'], 2, /--by/],
    [['deactivations', file('one', '2125550101\n'), '--by', 'a'], 2, /--carrier/],
    [['reassigned', file('one', '2125550101\n'), '--by', 'a', '--date', '2999-01-01'], 2, /--date/],
    [['reassigned'], 2, /FILE/],
    [['letters', 'x'], 2, /deactivations FILE/],
  ]) {
    const done = await command('import', ...args);
    assert.equal(done.code, code, `${args}: ${done.stderr}`);
    assert.match(done.stderr, said);
  }
});

test('a file of 100,000 lines', async () => {
  const g = grant();
  await s.api.post('/v1/consents', g);
  const lines = Array.from(
    { length: 100000 },
    (_, i) => `${200 + (i % 700)}55501${String(Math.floor(i / 700) % 100).padStart(2, '0')}`,
  );
  await s.db.sql(
    `INSERT INTO smsbridge.recipient (practice_id, phone) SELECT $1, '+1' || n FROM unnest($2::text[]) AS n
    ON CONFLICT DO NOTHING`,
    [s.other.id, [...new Set(lines)].slice(0, 20000)],
  );
  lines[77777] = 'x'.repeat(5000);
  lines[99999] = g.phone;
  const began = Date.now();
  const done = await imported(
    'deactivations',
    'large.txt',
    lines.join('\n'),
    '--carrier',
    'vz',
    '--date',
    '2026-03-02',
  );
  console.log(`# 100,000 lines, ${done.matched} of them patients, in ${Date.now() - began} ms`);
  assert.equal(done.rows, 100000);
  assert.ok(done.bad > 0 && done.matched > 5000);
  assert.ok(done.matched - done.changed < 10, 'all but those that were stale already');
  const [{ n }] = await s.db.sql(
    "SELECT count(*)::int AS n FROM smsbridge.event WHERE type = 'recipient.stale' AND data->>'carrier' = 'vz'",
  );
  assert.equal(n, done.changed, 'an event for each');
  assert.match(done.told, /and \d+ bad lines more/);
  assert.equal((await list(g.phone)).data[0].state, 'stale');
});

test('a number that a carrier calls dead: what clears the flag brings no consent back', async (t) => {
  const d = await setup(t, {
    carrier: { onSubmit: () => ({ receipt: { stat: 'UNDELIV', err: '4720' } }) },
    link: { error_codes: 'bandwidth' },
    practice: { attested: false },
    hooks: null,
  });
  const g = grant();
  const post = (path, body) => d.api.post(path, body);
  assert.equal((await post('/v1/consents', g)).status, 201);
  await d.api.accepted({ phone: g.phone });
  const stale = await until(
    async () => (await d.db.sql("SELECT * FROM smsbridge.event WHERE type = 'recipient.stale'"))[0],
    'the consent goes stale',
  );
  assert.equal(stale.phone, g.phone);
  assert.equal(stale.data.reason, 'number_dead');
  assert.equal(stale.data.by, 'carrier');
  const told = await d.hooks.got('recipient.stale');
  assert.equal(told.body.data.cause, 'number_dead');
  assert.equal(told.body.data.phone, `+1******${g.phone.slice(-4)}`, 'the practice asked for no full numbers');
  const state = async () =>
    (await d.api.get(`/v1/consents?phone=${encodeURIComponent(g.phone)}`)).json.data.at(-1).state;
  assert.equal(await state(), 'stale');
  const flags = async () => (await d.db.sql('SELECT FROM smsbridge.phone_flag')).length;
  assert.equal(await flags(), 1);
  d.carrier.mo(g.phone.slice(1), d.practice.sender.slice(1), 'Hello there');
  await until(async () => (await flags()) === 0, 'a text clears the flag');
  assert.equal(await state(), 'stale', 'who has the number now is not known');
  const m = await d.api.accepted({ phone: g.phone });
  const ended = await until(async () => {
    const row = await d.db.message(m.id);
    return row.status === 'blocked' && row;
  }, 'it is refused');
  assert.equal(ended.reason, 'consent_stale');
  assert.equal(
    (await post('/v1/consents', { ...g, captured_at: new Date(stale.at.getTime() + 1).toISOString() })).status,
    201,
  );
  assert.equal(await state(), 'counts', 'the patient was asked again');
});

test('the witness, who reads events alone, finds nothing wrong in all this', async () => {
  const found = await s.db.sql('SELECT * FROM report.violations');
  assert.deepEqual(found, []);
  const [{ n }] = await s.db.sql("SELECT count(*)::int AS n FROM smsbridge.event WHERE type = 'message.sending'");
  assert.ok(n > 3, `there were sends to look at: ${n}`);
});
