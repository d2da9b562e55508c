// Who touched patients' data: every route and every command leaves its note, without a phone or a body in it.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import { Cluster } from './lib/cluster.mjs';
import { keepBody, keepPhone, leaks } from './lib/privacy.mjs';
import { binary, must, nextPhone, root, run, until } from './lib/util.mjs';
import { atEnd, practice, setup, theCluster, world } from './lib/world.mjs';

await world();

// Routes of the API without a patient: the only ones that may leave no note.
const NOBODY = [/^\/v1\/(templates|lint|plans|webhooks|keys|people|settings)/, /^\/v1\/broadcasts(\/\{id\})?$/];

const notes = (s, where = 'true', params = []) =>
  s.db.sql(`SELECT *, encode(phone_hash, 'hex') AS hash FROM smsbridge.access WHERE ${where} ORDER BY at, id`, params);
const noted = (s, where, params, ms = 5000) =>
  until(
    async () => {
      const rows = await notes(s, where, params);
      return rows.length && rows;
    },
    async () => `a note where ${where}: ${JSON.stringify((await notes(s)).slice(-5))}`,
    ms,
  );
const publicPart = (text) => text.split('_')[1];

// covers: rule access
test('every route of the contract leaves a note, and so does a wrong key at each', async (t) => {
  const s = await setup(t);
  const contract = (await s.api.get('/openapi.json')).json ?? JSON.parse((await s.api.get('/openapi.json')).text);
  const doors = Object.entries(contract.paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((m) => ['get', 'post', 'put', 'delete', 'patch'].includes(m))
      .map((m) => [m.toUpperCase(), path]),
  );
  const api = doors.filter(([, path]) => path.startsWith('/v1/'));
  assert.ok(api.length >= 5, 'the contract has routes');
  for (const [method, path] of api) {
    const id = crypto.randomUUID();
    const at = path.replace(/\{[^}]*\}/, id);
    const body = method === 'GET' ? undefined : { phone: nextPhone() };
    const answer = await s.api.request(method, at, { body });
    assert.notEqual(answer.status, 405, `${method} ${path}`);
    const wrong = `smsb_${crypto.randomBytes(8).toString('hex')}_${'0'.repeat(64)}`;
    const refused = await s.api.request(method, at, { body, key: wrong });
    assert.equal(refused.status, 401, `${method} ${path}`);
    const [login] = await noted(s, 'principal = $1', [publicPart(wrong)]);
    assert.deepEqual(
      [login.action, login.door, login.outcome, login.practice_id, login.from_addr],
      ['login_failed', `${method} ${path}`, '401', '00000000-0000-0000-0000-000000000000', '127.0.0.1'],
    );
    if (NOBODY.some((pattern) => pattern.test(path))) continue;
    const [note] = await noted(s, "door = $1 AND action <> 'login_failed'", [`${method} ${path}`]);
    assert.deepEqual(
      [note.who_kind, note.principal, note.practice_id, note.db_role, note.from_addr, note.outcome],
      ['key', publicPart(s.practice.key), s.practice.id, 'smsbridge_app', '127.0.0.1', String(answer.status)],
    );
    const looks = method === 'GET' || path.endsWith(':preview');
    assert.equal(note.action, !looks ? 'change' : path.includes('{') || method !== 'GET' ? 'read' : 'list');
    if (path.startsWith('/v1/messages/{')) assert.equal(note.message_id, id, 'what was asked for');
  }
});

test('what a note says of reading, changing, and of ids of other practices', async (t) => {
  const s = await setup(t);
  const other = await practice(s.db, { name: 'Oak Street Clinic' });
  const body = 'Elm Street Clinic: see you on Friday. Reply STOP to end.';
  keepBody(body);
  const made = [];
  for (let i = 0; i < 20; i++) made.push(await s.api.accepted({ body }));
  const m = made[0];
  assert.equal((await s.api.get(`/v1/messages/${m.id}`)).status, 200);
  const [read] = await noted(s, "message_id = $1 AND action = 'read'", [m.id]);
  assert.deepEqual([read.patient, read.rows, read.times, read.outcome], [m.draft.patient, 1, 1, '200']);
  const hash = (await s.db.sql("SELECT encode(smsbridge.phone_hash($1), 'hex') AS h", [m.draft.phone]))[0].h;
  assert.equal(read.hash, hash);
  assert.notEqual(hash, crypto.createHash('sha256').update(m.draft.phone).digest('hex'), 'not a bare hash');
  await s.api.get(`/v1/consents?phone=${encodeURIComponent(m.draft.phone)}`);
  const [asked] = await noted(s, "door = 'GET /v1/consents'");
  assert.deepEqual([asked.action, asked.hash, asked.rows, asked.outcome], ['list', hash, 0, '200']);
  // another practice's id: told as unknown, noted as tried
  const theirs = await s.api.get(`/v1/messages/${m.id}`, { key: other.key });
  assert.equal(theirs.status, 404);
  const [tried] = await noted(s, 'message_id = $1 AND practice_id = $2', [m.id, other.id]);
  assert.deepEqual([tried.outcome, tried.rows, tried.patient, tried.hash], ['404', 0, null, null]);
  // a page
  await s.api.get(`/v1/messages?limit=7`);
  await s.api.get(`/v1/messages?patient=${encodeURIComponent(m.draft.patient)}`);
  const lists = await until(async () => {
    const rows = await notes(s, "door = 'GET /v1/messages'");
    return rows.length === 2 && rows;
  }, 'two pages are noted');
  assert.deepEqual(
    lists.map((l) => [l.patient, l.rows]),
    [
      [null, 7],
      [m.draft.patient, 1],
    ],
  );
  // creations of one second are one row, and none is missing
  await until(async () => {
    const [sum] = await s.db.sql(
      "SELECT sum(rows)::int AS rows, sum(times)::int AS times FROM smsbridge.access WHERE door = 'POST /v1/messages'",
    );
    return sum.rows === 20 && sum.times === 20;
  }, 'all creations are counted');
  const later = await s.api.accepted({ send_at: '2026-03-03T12:00:00-05:00' });
  assert.equal((await s.api.post(`/v1/messages/${later.id}/cancel`)).status, 200);
  const [change] = await noted(s, "message_id = $1 AND action = 'change'", [later.id]);
  assert.equal(change.door, 'POST /v1/messages/{id}/cancel');
  // hostile ids of keys, and a key that is revoked
  for (const bad of ['smsb_2125550101_x', `smsb_${m.draft.phone}_${'0'.repeat(64)}`, 'smsb_', 'x'])
    assert.equal((await s.api.get(`/v1/messages/${m.id}`, { key: bad })).status, 401);
  await noted(s, "action = 'login_failed' AND principal = '' AND door = 'GET /v1/messages/{id}'");
  const text = JSON.stringify(await notes(s));
  assert.deepEqual(
    leaks(text).filter((l) => !l.startsWith('patient reference')),
    [],
    'no phone, no body, no secret',
  );
});

test('a stop writes the last notes; a kill loses reads of the last second at most, and no change', async (t) => {
  const s = await setup(t);
  const m = await s.api.accepted({ send_at: '2026-03-04T12:00:00-05:00' });
  await s.api.get(`/v1/messages/${m.id}`);
  await s.gateway.stop();
  assert.equal((await notes(s, "action = 'read'")).length, 1, 'written at the drain');
  await s.gateway.start();
  await s.api.get(`/v1/messages/${m.id}`);
  await until(async () => (await notes(s, "action = 'read'")).length === 2, 'the older one is written');
  assert.equal((await s.api.post(`/v1/messages/${m.id}/cancel`)).status, 200);
  await s.gateway.kill();
  const types = (await s.db.events(m.id)).map((e) => e.type);
  assert.ok(types.includes('message.canceled'), 'the change itself is an event');
  assert.equal((await notes(s, "action = 'read'")).length, 2);
});

test('notes survive a database that goes away', async (t) => {
  const s = await setup(t);
  const m = await s.api.accepted();
  await until(async () => (await notes(s, "action = 'change'")).length === 1, 'the first');
  await s.api.get(`/v1/messages/${m.id}`);
  await theCluster().restart('immediate');
  await until(async () => (await s.api.get('/readyz')).status === 200, 'ready', 30000);
  await noted(s, "message_id = $1 AND action = 'read'", [m.id], 30000); // its lane comes back in its own time
});

// covers: rule access
test('every command that touches patients leaves a note, or does nothing', async (t) => {
  const s = await setup(t);
  const m = await s.api.accepted();
  const commands = (await must(binary, ['--help'])).stdout.matchAll(/^ {2}([a-z-]+) {2,}\S/gm);
  const source = fs.readFileSync(`${root}/src/app/app_noted.c`, 'utf8');
  const nobody = [...source.matchAll(/\{"([a-z]+)", ""\}/g)].map((r) => r[1]);
  const names = [...commands].map((c) => c[1]).filter((name) => name !== 'smsbridge');
  assert.ok(names.includes('report') && names.length >= 12, names.join());
  // what a word without meaning does to one: it may refuse it before it connects, never show anything unnoted
  for (const name of names.filter((n) => !nobody.includes(n))) {
    const before = (await notes(s)).length;
    const r = await run(binary, [
      ...[name, name === 'explain' ? m.id : 'list', '--practice', s.practice.id, '--database', s.db.owner],
    ]);
    const shown = r.stdout.length > 0 && r.code === 0;
    assert.ok(!shown || (await notes(s)).length > before, `${name}: ${r.stdout}${r.stderr}`);
  }
  const by = ['--by', 'Ada Stone', '--why', 'complaint 17'];
  for (const [args, action, door] of [
    [['report', 'messages', '--practice', s.practice.id, ...by], 'read', 'report messages'],
    [['explain', m.id, ...by], 'read', 'explain'],
    [['phone', 'list', '--practice', s.practice.id, ...by], 'list', 'phone list'],
    [['phone', 'list', '--practice', s.practice.id, '--unmask', ...by], 'unmask', 'phone list'],
    [['content', 'list', ...by], 'list', 'content list'],
  ]) {
    await must(binary, [...args, '--database', s.db.app]);
    const [note] = (await notes(s, 'door = $1 AND action = $2', [door, action])).slice(-1);
    assert.deepEqual(
      [note.who_kind, note.principal, note.why, note.db_role, note.outcome],
      ['person', 'Ada Stone', 'complaint 17', 'smsbridge_app', 'begun'],
      args.join(' '),
    );
    if (args[0] === 'explain') assert.equal(note.message_id, m.id);
    if (args.includes('--practice')) assert.equal(note.practice_id, s.practice.id);
  }
  await t.test('who does not say who stands there as the system user', async () => {
    await must(binary, ['explain', m.id, '--database', s.db.app]);
    const [note] = (await notes(s, "door = 'explain'")).slice(-1);
    assert.equal(note.who_kind, 'command');
    assert.ok(note.principal.length > 0 && note.from_addr.length > 0);
  });
  await t.test('nothing is unmasked without a name and a reason', async () => {
    const r = await run(binary, ['phone', 'list', '--unmask', '--by', 'Ada Stone', '--database', s.db.app]);
    assert.equal(r.code, 2);
    assert.match(r.stderr, /--why/);
  });
  await t.test('and nothing is shown when it cannot be noted', async () => {
    await s.db.sql('REVOKE EXECUTE ON FUNCTION report.access_note FROM smsbridge_app');
    const r = await run(binary, ['report', 'messages', '--database', s.db.app]);
    assert.deepEqual([r.code, r.stdout], [1, '']);
    assert.match(r.stderr, /cannot be noted/);
    await s.db.sql('GRANT EXECUTE ON FUNCTION report.access_note TO smsbridge_app');
  });
  await t.test('auditors read it, with their own role, and leave a note too', async () => {
    const auditor = theCluster().conninfo(s.db.name, 'smsbridge_compliance');
    await must(binary, ['report', 'messages', '--database', auditor]);
    const [note] = (await notes(s, "db_role = 'smsbridge_compliance'")).slice(-1);
    assert.equal(note.door, 'report messages');
  });
});

test('when notes cannot be written nothing more is shown', async (t) => {
  const s = await setup(t);
  const m = await s.api.accepted();
  await until(async () => (await notes(s)).length > 0, 'written');
  await s.db.sql('REVOKE INSERT ON smsbridge.access FROM smsbridge_app');
  let answer;
  for (let i = 0; i < 200; i++) {
    const all = await Promise.all(Array.from({ length: 64 }, () => s.api.get(`/v1/messages/${m.id}`)));
    answer = all.find((a) => a.status === 503);
    if (answer) break;
  }
  assert.match(answer?.text ?? '', /must be noted/);
  await s.db.sql('GRANT INSERT ON smsbridge.access TO smsbridge_app');
  await until(async () => (await s.api.get(`/v1/messages/${m.id}`)).status === 200, 'shown again', 20000);
  await until(async () => (await notes(s, "action = 'read'")).length >= 8192, 'and no note was lost', 20000);
});

test('past the gateway: the settings of docs/access.md note a person, and neither what was typed nor the gateway', async (t) => {
  const page = fs.readFileSync(`${root}/docs/access.md`, 'utf8');
  const block = (kind) => new RegExp(`^\`\`\`${kind}\\n([^]*?)^\`\`\``, 'm').exec(page)[1];
  const cluster = await Cluster.start({ settings: block('') });
  atEnd(t, () => cluster.stop());
  const db = await cluster.database();
  await db.sql(block('sql'));
  await db.sql('CREATE ROLE dba LOGIN SUPERUSER');
  const from = cluster.log.length;
  const phone = nextPhone();
  keepPhone(phone);
  await cluster.sql('SELECT phone FROM smsbridge.message WHERE phone = $1', [phone], db.name, 'dba');
  await cluster.sql(`DELETE FROM smsbridge.consent WHERE phone = '${phone}'`, [], db.name, 'dba');
  await assert.rejects(
    cluster.sql(`SELECT nothing FROM smsbridge.message WHERE phone = '${phone}'`, [], db.name, 'dba'),
  );
  await cluster.sql('SELECT patient FROM report.messages', [], db.name, 'smsbridge_compliance');
  await cluster.sql(`SELECT phone FROM smsbridge.message WHERE phone = '${phone}'`, [], db.name, 'smsbridge_app');
  await until(() => /smsbridge_app@\S+ .*disconnection/.test(cluster.log.slice(from)), 'the log is there');
  const log = cluster.log.slice(from);
  assert.match(log, /dba@\S+ .*AUDIT: OBJECT,1,1,READ,SELECT,TABLE,smsbridge\.message,<not logged>,<not logged>/);
  assert.match(log, /dba@\S+ .*AUDIT: OBJECT,1,1,WRITE,DELETE,TABLE,smsbridge\.consent,<not logged>,<not logged>/);
  assert.match(log, /smsbridge_compliance@\S+ .*AUDIT: OBJECT,1,1,READ,SELECT,VIEW,report\.messages/);
  assert.match(log, /connection authorized: user=dba/);
  assert.ok(!/smsbridge_app@\S+ .*AUDIT/.test(log), 'the gateway notes its own');
  assert.deepEqual(leaks(log), [], 'nothing that was typed');
  assert.ok(!log.includes(phone.slice(2)));
});
