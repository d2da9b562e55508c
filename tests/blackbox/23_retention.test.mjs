// What is kept, for how long, and what a legal hold does about it; what a patient may ask to see.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { clean, sealed } from './lib/ledger.mjs';
import { keepBody, leaks } from './lib/privacy.mjs';
import { binary, must, nextPatient, nextPhone, root, run, until } from './lib/util.mjs';
import { atEnd, setup, world } from './lib/world.mjs';

await world();

const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');
const smsbridge = async (s, ...args) =>
  JSON.parse((await must(binary, [...args, '--database', s.db.owner, '--json'])).stdout);
const BODY = 'Elm Street Clinic: we look forward to seeing you. Questions? (212) 555-0199. Reply STOP to end.';
const by = ['--by', 'Ada Stone', '--reason', 'complaint 17'];

const swept = (s, from) =>
  until(
    async () =>
      (await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.retention_run WHERE at >= $1', [from]))[0].n === 2,
    'both sweeps ran at the new time',
    20000,
  );

async function delivered(s, fields) {
  const m = await s.api.accepted(fields);
  await until(async () => (await s.db.message(m.id)).status === 'delivered', 'delivered');
  return m;
}

// covers: rule retention
test('a text goes when its days are over, not a second before, and its measures stay', async (t) => {
  keepBody(BODY);
  const s = await setup(t, { carrier: { onSubmit: () => ({ receipt: true }) } });
  const m = await delivered(s, { body: BODY });
  const waits = await s.api.accepted({ send_at: '2026-08-01T12:00:00-04:00', body: BODY });
  await s.carrier.mo(m.draft.phone, s.practice.sender, 'My knee still hurts, please call me');
  await until(async () => (await s.db.sql('SELECT FROM smsbridge.inbound')).length === 1, 'the reply');
  const ended = (await s.db.message(m.id)).updated_at.getTime();
  const [{ received_at: received }] = await s.db.sql('SELECT received_at FROM smsbridge.inbound');
  const last = Math.max(ended, received.getTime());
  const day = 86400000;
  const first = Math.min(ended, received.getTime());
  // a rate that hardly moves: the boundary cannot be passed while we look
  const before = new Date(first + 90 * day - 60000).toISOString();
  await s.gateway.moveClock(before, 0.001);
  await swept(s, before);
  assert.equal((await s.db.message(m.id)).redacted_at, null);
  assert.equal((await s.api.get(`/v1/messages/${m.id}`)).json.body, BODY);
  const after = new Date(last + 90 * day + 1000).toISOString();
  await s.gateway.moveClock(after, 0.001);
  await until(async () => (await s.db.message(m.id)).redacted_at, 'redacted', 20000);
  const row = await s.db.message(m.id);
  assert.deepEqual([row.body, row.body_sha256.toString('hex'), row.characters], ['', sha256(BODY), BODY.length]);
  const shown = (await s.api.get(`/v1/messages/${m.id}`)).json;
  assert.equal(shown.body, null);
  assert.ok(Date.parse(shown.redacted_at) >= Date.parse(after) - 1000);
  const [event] = (await s.db.events(m.id)).filter((e) => e.type === 'message.redacted');
  assert.deepEqual(
    [event.data.sha256, event.data.characters, event.data.septets, event.data.octets, event.data.category, event.phone],
    [sha256(BODY), BODY.length, BODY.length, BODY.length, 'appointment_reminder', null],
  );
  const reply = await until(
    async () => (await s.db.sql('SELECT * FROM smsbridge.inbound WHERE redacted_at IS NOT NULL'))[0],
    'reply',
    20000,
  );
  assert.deepEqual([reply.body, reply.raw], ['', null]);
  assert.equal(reply.body_sha256.toString('hex'), sha256('My knee still hurts, please call me'));
  const waiting = await s.db.message(waits.id);
  assert.deepEqual([waiting.body, waiting.redacted_at], [BODY, null], 'what has not ended keeps its text');
  const status = await smsbridge(s, 'retention', 'status');
  assert.deepEqual(status.map((r) => [r.what, Number(r.redacted), Number(r.past_policy), Number(r.days)]).sort(), [
    ['inbound', 1, 0, 90],
    ['message', 1, 0, 90],
  ]);
});

// covers: rule retention
test('a legal hold beats the days, and lifting it lets them go on', async (t) => {
  const s = await setup(t, { carrier: { onSubmit: () => ({ receipt: true }) } });
  const held = await delivered(s);
  const byPhone = await delivered(s);
  const free = await delivered(s);
  const looked = await delivered(s);
  await s.db.sql(
    `INSERT INTO smsbridge.review_task (practice_id, id, kind, phone, message_id, opened_at)
     VALUES ($1, gen_random_uuid(), 'emergency', $2, $3, '2026-03-02T18:00Z')`,
    [s.practice.id, looked.draft.phone, looked.id],
  );
  await s.carrier.mo(held.draft.phone, s.practice.sender, 'See you on Friday then');
  const [hold] = await smsbridge(
    s,
    ...['hold', 'place', '--practice', s.practice.id, '--patient', held.draft.patient],
    ...by,
  );
  await smsbridge(s, ...['hold', 'place', '--practice', s.practice.id, '--phone', byPhone.draft.phone], ...by);
  await s.gateway.moveClock('2026-07-01T12:00:00-04:00');
  await until(async () => (await s.db.message(free.id)).redacted_at, 'what is not held goes', 20000);
  for (const m of [held, byPhone, looked]) assert.equal((await s.db.message(m.id)).redacted_at, null, 'held');
  await until(
    async () => {
      const rows = await s.db.sql('SELECT what, past_policy::int, held::int FROM report.retention ORDER BY what');
      return JSON.stringify(rows.map((r) => [r.what, r.past_policy, r.held])) === '[["inbound",0,1],["message",0,2]]';
    },
    async () => JSON.stringify(await s.db.sql('SELECT * FROM report.retention')),
  );
  const listed = await smsbridge(s, 'hold', 'list');
  assert.equal(listed.length, 2);
  assert.match(JSON.stringify(listed), /\+1\*{6}\d{4}/);
  await smsbridge(s, ...['hold', 'lift', '--practice', s.practice.id, '--hold', hold.id], ...by);
  await s.gateway.moveClock('2026-07-01T13:00:00-04:00');
  await until(async () => (await s.db.message(held.id)).redacted_at, 'goes once it is lifted', 20000);
  await s.db.sql("UPDATE smsbridge.review_task SET decided_at = '2026-07-01T14:00Z' WHERE message_id = $1", [
    looked.id,
  ]);
  await s.gateway.moveClock('2026-07-01T14:00:00-04:00');
  await until(async () => (await s.db.message(looked.id)).redacted_at, 'goes once it was looked at', 20000);
  assert.equal((await s.db.message(byPhone.id)).redacted_at, null);
  const events = await s.db.sql(
    "SELECT type, phone, patient, data FROM smsbridge.event WHERE type LIKE 'hold.%' ORDER BY xact, id",
  );
  assert.deepEqual(
    events.map((e) => [e.type, e.phone, e.patient, e.data.by, e.data.reason]),
    [
      ['hold.placed', null, held.draft.patient, 'Ada Stone', 'complaint 17'],
      ['hold.placed', byPhone.draft.phone, null, 'Ada Stone', 'complaint 17'],
      ['hold.lifted', null, held.draft.patient, 'Ada Stone', 'complaint 17'],
    ],
  );
  const notes = await s.db.sql(
    "SELECT door, action, principal FROM smsbridge.access WHERE door LIKE 'hold %' ORDER BY id",
  );
  assert.deepEqual(notes.map((n) => [n.door, n.action, n.principal]).slice(0, 2), [
    ['hold place', 'change', 'Ada Stone'],
    ['hold place', 'change', 'Ada Stone'],
  ]);
});

test('what a hold takes, and what it does not', async (t) => {
  const s = await setup(t, { start: false });
  for (const args of [
    ['hold', 'place', '--practice', s.practice.id, ...by],
    ['hold', 'place', '--practice', s.practice.id, '--phone', nextPhone(), '--everything', ...by],
    ['hold', 'place', '--practice', s.practice.id, '--everything', '--by', 'Ada Stone'],
    ['hold', 'lift', '--practice', s.practice.id, ...by],
    ['hold', 'burn'],
    ['retention', 'run', '--days', '2191', '--by', 'Ada Stone'],
    ['retention', 'run'],
  ])
    assert.equal((await run(binary, [...args, '--database', s.db.owner])).code, 2, args.join(' '));
  const unknown = ['hold', 'place', '--practice', crypto.randomUUID(), '--everything', ...by];
  assert.equal((await run(binary, [...unknown, '--database', s.db.owner])).code, 1);
});

// covers: rule right_of_access
test('an export holds all that is kept, is noted before it is shown, and is nobody else’s', async (t) => {
  const s = await setup(t, { carrier: { onSubmit: () => ({ receipt: true }) } });
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-export-'));
  atEnd(t, async () => fs.rmSync(dir, { recursive: true, force: true }));
  const patient = nextPatient();
  const phone = nextPhone();
  const m = await delivered(s, { patient, phone, body: BODY });
  const stranger = await delivered(s, { body: 'Elm Street Clinic: not for other eyes. Reply STOP to end.' });
  await s.api.get(`/v1/messages/${m.id}`);
  await s.carrier.mo(phone, s.practice.sender, 'My knee <still> hurts & I will be late');
  await s.carrier.mo(phone, s.practice.sender, 'STOP');
  await s.db.sql(
    `INSERT INTO smsbridge.consent (practice_id, id, phone, patient, classes, basis, captured_at, method,
       wording, actor, created_at)
     VALUES ($1, gen_random_uuid(), $2, $3, '{appointment_reminder}', 'express', '2026-01-02T10:00Z', 'form',
       'You may text me.', 'Bea Lind', '2026-01-02T10:00Z')`,
    [s.practice.id, phone, patient],
  );
  await s.db.sql(
    `INSERT INTO smsbridge.review_task (practice_id, id, kind, phone, patient, opened_at, note)
     VALUES ($1, gen_random_uuid(), 'wrong_number', $2, $3, '2026-03-02T18:00Z', 'called back')`,
    [s.practice.id, phone, patient],
  );
  await until(async () => (await s.db.sql('SELECT FROM smsbridge.opt_out')).length === 1, 'the opt-out');
  await until(
    async () => (await s.db.sql("SELECT FROM smsbridge.access WHERE action = 'read'")).length === 1,
    'the reading',
  );
  const who = ['--by', 'Ada Stone', '--why', 'request of 2 March'];
  const args = ['export', 'patient', '--practice', s.practice.id, '--patient', patient, ...who];
  const file = path.join(dir, 'p.json');
  await must(binary, [...args, '--out', file, '--database', s.db.app]);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  const text = fs.readFileSync(file, 'utf8');
  const doc = JSON.parse(text);
  const mine = doc.messages.filter((x) => x.id === m.id);
  assert.deepEqual([mine[0].text, mine[0].status, mine[0].sha256], [BODY, 'delivered', sha256(BODY)]);
  assert.ok(mine[0].timeline.length >= 3 && mine[0].timeline.every((e) => e.what && e.at));
  assert.ok(doc.replies.some((r) => r.text === 'My knee <still> hurts & I will be late'));
  assert.equal(doc.opt_outs.length, 1);
  assert.deepEqual([doc.consents[0].wording, doc.tasks[0].note], ['You may text me.', 'called back']);
  assert.deepEqual(
    doc.who_saw_it.map((a) => [a.who, a.did, a.why]).filter(([, did]) => did !== 'change'),
    [
      [s.practice.key.split('_')[1], 'read', null],
      ['Ada Stone', 'export', 'request of 2 March'],
    ],
  );
  assert.ok(!text.includes('not for other eyes') && !text.includes(stranger.draft.phone), 'nothing of others');
  const [event] = await s.db.sql("SELECT * FROM smsbridge.event WHERE type = 'patient.exported'");
  assert.deepEqual([event.patient, event.data.by, event.data.why], [patient, 'Ada Stone', 'request of 2 March']);
  await t.test('as a page', async () => {
    const page = (await must(binary, [...args, '--format', 'html', '--database', s.db.app])).stdout;
    assert.match(page, /^<!doctype html>/);
    assert.ok(page.includes('My knee &lt;still&gt; hurts &amp; I will be late') && page.includes(BODY));
    assert.ok(!/<still>|<script|src=|href=/.test(page), 'nothing of a patient is markup, nothing is fetched');
  });
  await t.test('a file that is there is not written over', async () => {
    const again = await run(binary, [...args, '--out', file, '--database', s.db.app]);
    assert.equal(again.code, 1);
    assert.equal(fs.readFileSync(file, 'utf8'), text);
  });
  await t.test('without a name or a reason, or of nobody, nothing is exported', async () => {
    assert.equal((await run(binary, [...args.slice(0, -2), '--database', s.db.app])).code, 2);
    const nobody = ['export', 'patient', '--practice', s.practice.id, '--patient', 'nobody', ...who];
    const r = await run(binary, [...nobody, '--out', `${file}2`, '--database', s.db.app]);
    assert.deepEqual([r.code, fs.existsSync(`${file}2`)], [1, false]);
    const notes = await s.db.sql("SELECT FROM smsbridge.access WHERE action = 'export' AND patient = 'nobody'");
    assert.equal(notes.length, 1, 'that it was tried is noted');
  });
  await t.test('nothing is shown when its event cannot be written', async () => {
    await s.db.sql('REVOKE INSERT ON smsbridge.event FROM smsbridge_app');
    const r = await run(binary, [...args, '--database', s.db.app]);
    assert.deepEqual([r.code, r.stdout], [1, '']);
    await s.db.sql('GRANT INSERT ON smsbridge.event TO smsbridge_app');
  });
  await t.test('a phone that patients share: replies are counted, not shown', async () => {
    await s.db.sql(
      `INSERT INTO smsbridge.consent (practice_id, id, phone, patient, classes, basis, captured_at, method, actor, created_at)
       VALUES ($1, gen_random_uuid(), $2, 'the brother', '{appointment_reminder}', 'express', '2026-01-02T10:00Z', 'form', 'Bea Lind', '2026-01-02T10:00Z')`,
      [s.practice.id, phone],
    );
    const shared = JSON.parse((await must(binary, [...args, '--database', s.db.app])).stdout);
    assert.equal(shared.replies, null);
    assert.deepEqual([shared.phones[0].shared_with_other_patients, shared.phones[0].replies_not_shown], [true, 2]);
    assert.ok(!JSON.stringify(shared).includes('the brother'));
    const whole = ['export', 'patient', '--practice', s.practice.id, '--phone', phone, ...who];
    assert.equal(JSON.parse((await must(binary, [...whole, '--database', s.db.app])).stdout).replies.length, 2);
  });
  const log = await s.db.sql('SELECT * FROM smsbridge.access');
  assert.deepEqual(
    leaks(JSON.stringify(log)).filter((l) => !l.startsWith('patient reference')),
    [],
  );
});

// covers: rule retention
test('months move out after six years, but opt-outs, living consents and what is held stay', async (t) => {
  const s = await setup(t, { config: { ledger: { seal_every: '100ms' } } });
  const phone = nextPhone();
  const old = (day) => `2019-${day}T15:00:00Z`;
  await s.db.sql("SELECT smsbridge.partitions_make('2019-02-15T00:00Z')");
  const put = (type, at, more = {}) =>
    s.db.sql(
      'INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data) VALUES ($1, $2, $3, $4, $5, $6)',
      [...[s.practice.id, type, at, more.phone ?? phone, more.patient ?? null, JSON.stringify(more.data ?? {})]],
    );
  await put('message.news', old('02-03'));
  await put('opt_out.created', old('02-04'), { data: { method: 'reply', word: 'STOP', canceled: 0 } });
  const [{ id }] = await s.db.sql(
    `INSERT INTO smsbridge.consent (practice_id, id, phone, classes, basis, captured_at, method, actor, created_at)
     VALUES ($1, gen_random_uuid(), $2, '{appointment_reminder}', 'express', $3, 'form', 'Bea Lind', $3) RETURNING id`,
    [s.practice.id, phone, old('02-05')],
  );
  await put('consent.given', old('02-05'), { data: { id } });
  await put('consent.given', old('02-06'), { data: { id: crypto.randomUUID() } });
  await put('message.news', old('03-03'), { patient: 'p-held' });
  await s.db.sql(
    `INSERT INTO smsbridge.access (practice_id, at, who_kind, principal, action, door, outcome)
     VALUES ($1, $2, 'key', 'x', 'read', 'GET /v1/messages/{id}', '200')`,
    [s.practice.id, old('02-07')],
  );
  const [hold] = await smsbridge(s, ...['hold', 'place', '--practice', s.practice.id, '--patient', 'p-held'], ...by);
  const optOuts = async () => await s.db.sql('SELECT method, word, created_at FROM report.opt_outs');
  const before = await optOuts();
  assert.equal(before.length, 1);
  const result = {};
  const wanted = {
    event_2019_02: 'moved',
    access_2019_02: 'moved',
    event_2019_03: 'legal hold',
    event_2019_04: 'moved',
  };
  await until(
    async () => {
      // a month that is not sealed yet is refused
      for (const m of await smsbridge(s, 'retention', 'run', '--by', 'Ada Stone')) result[m.partition] = m.result;
      return Object.keys(wanted).every((name) => result[name] === wanted[name]);
    },
    () => JSON.stringify(result),
    20000,
    500,
  );
  assert.ok(!Object.keys(result).some((name) => name.includes('_2026')), 'nothing young');
  const left = await s.db.sql("SELECT type FROM smsbridge.event WHERE at < '2019-03-01' ORDER BY at");
  assert.deepEqual(
    left.map((e) => e.type),
    ['opt_out.created', 'consent.given'],
  );
  assert.deepEqual(await optOuts(), before, 'the opt-out is as proven as before');
  assert.equal((await s.db.sql('SELECT FROM archive.event_2019_02')).length, 4);
  assert.equal((await s.db.sql('SELECT FROM archive.access_2019_02')).length, 1);
  for (const act of [
    'UPDATE archive.event_2019_02 SET phone = NULL',
    'DELETE FROM archive.event_2019_02',
    'TRUNCATE archive.event_2019_02',
  ])
    await assert.rejects(s.db.sql(act), /append-only/);
  const [archived] = await s.db.sql("SELECT * FROM report.archives WHERE partition = 'event_2019_02'");
  const [{ digest }] = await s.db.sql(
    `SELECT encode(sha256(string_agg(sha256(convert_to(r::text, 'UTF8')), ''::bytea ORDER BY r.xact, r.id)), 'hex') AS digest
     FROM archive.event_2019_02 r`,
  );
  assert.deepEqual(
    [archived.sha256, Number(archived.rows), Number(archived.kept), archived.moved_by],
    [digest, 4, 2, 'Ada Stone'],
  );
  await smsbridge(s, ...['hold', 'lift', '--practice', s.practice.id, '--hold', hold.id], ...by);
  const again = await smsbridge(s, 'retention', 'run', '--by', 'Ada Stone');
  assert.ok(
    again.some((m) => m.partition === 'event_2019_03' && m.result === 'moved'),
    JSON.stringify(again),
  );
  await sealed(s.db);
  await s.gateway.stop();
  await clean(s.db);
});

test('every column that says something of a patient has its row of how long', async (t) => {
  const s = await setup(t, { start: false });
  const rows = [
    ...fs.readFileSync(`${root}/proto/retention.def`, 'utf8').matchAll(/^RETENTION\((\w+), (\w+), (.*)\)$/gm),
  ];
  for (const [row, , , rest] of rows) assert.equal(rest.match(/"[^"]+"/g).length, 4, row);
  const known = new Set(rows.map(([, table, column]) => `${table}.${column}`));
  const columns = await s.db.sql(
    `SELECT c.relname || '.' || a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'smsbridge'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attname IN ('phone', 'patient', 'phone_hash', 'body', 'raw', 'octets', 'answer', 'word', 'words', 'note',
         'variables')`,
  );
  const nobodys = ['carrier_id_format.answer', 'state_hours.note', 'template.body', 'template.variables'];
  const names = columns.map((c) => c.name).filter((name) => !nobodys.includes(name));
  assert.deepEqual(names.filter((name) => !known.has(name)).sort(), [], 'columns without a row in proto/retention.def');
  assert.deepEqual([...known].filter((name) => !names.includes(name)).sort(), [], 'rows of columns that are not there');
});
