// Reports in every format, their filters, hash and exit codes; and a message's explanation, for every reason there is.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { keepPatient, keepPhone } from './lib/privacy.mjs';
import { binary, must, phoneAt, root, run } from './lib/util.mjs';
import { practice, setup, theCluster, world } from './lib/world.mjs';

await world();

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-report-'));
process.once('exit', () => fs.rmSync(dir, { recursive: true, force: true }));

const hostile = {
  formula: '=HYPERLINK("http://x.example";"click")',
  minus: '-2+3',
  at: '@SUM(A1)',
  quoted: 'Comma, "quote"\r\nand a line',
  script: '<script>alert(1)</script>&"\'',
};

/** A database with two practices, messages of several classes, and patients whose names are hostile. */
async function seeded() {
  const db = await theCluster().database();
  const elm = await practice(db, { name: 'Elm Street Clinic' });
  const oak = await practice(db, { name: 'Oak <b>& Sons' });
  const add = async (p, n, at, category, patient, types) => {
    keepPhone(phoneAt(n));
    const [{ id }] = await db.sql(
      `INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, time_zone, zones, body, encoding, characters,
         segments, category, priority, expires_at, status, created_at, updated_at, counted_at)
       VALUES ($1, gen_random_uuid(), $2, $3, '+12125550199', 'America/New_York', 'America/New_York', 'Quincunx. STOP ends.',
         'gsm7', 20, 1, $4, 1, $5::timestamptz + interval '9 days', 'delivered', $5, $5, $5) RETURNING id`,
      [p.id, patient, phoneAt(n), category, at],
    );
    for (const [i, type] of ['message.accepted', ...types].entries()) {
      await db.sql(
        `INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data)
         VALUES ($1, $2, $3, $4::timestamptz + $5 * interval '1 second', $6, $7, $8)`,
        [p.id, id, type, at, i, phoneAt(n), patient, { category, time_zone: 'America/New_York', pack: 'today' }],
      );
    }
    return id;
  };
  const sent = ['message.sending', 'message.sent', 'message.delivered'];
  await add(elm, 0, '2026-03-02T15:00:00Z', 'appointment_reminder', hostile.formula, sent);
  await add(elm, 1, '2026-03-02T16:00:00Z', 'lab_results', hostile.minus, sent);
  await add(elm, 2, '2026-03-03T15:30:00Z', 'lab_results', hostile.at, sent.slice(0, 2));
  await add(oak, 3, '2026-03-03T19:00:00Z', 'appointment_reminder', hostile.quoted, sent);
  await add(oak, 4, '2026-03-04T15:00:00Z', 'prescription', hostile.script, ['message.blocked']);
  return { db, elm, oak, add };
}

const compliance = (db) => db.owner.replace('user=smsbridge_owner', 'user=smsbridge_compliance');
const report = (db, ...args) => run(binary, ['report', ...args, '--database', compliance(db)]);
const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');

/** RFC 4180, strictly: rows of cells. */
function parseCsv(text) {
  const rows = [[]];
  const at = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy;
  while (at.lastIndex < text.length) {
    const m = at.exec(text);
    assert.ok(m, 'the CSV is RFC 4180');
    rows.at(-1).push(m[1].startsWith('"') ? m[1].slice(1, -1).replaceAll('""', '"') : m[1]);
    if (m[2] === '\r\n') rows.push([]);
  }
  assert.deepEqual(rows.pop(), []);
  return rows;
}

const names = [...fs.readFileSync(path.join(root, 'src/app/app_report.def'), 'utf8').matchAll(/^REPORT\((\w+)/gm)].map(
  (m) => m[1],
);
const proof = (stderr) => /^(\w+): (\d+) rows? as of (\S+Z), SHA-256 of the CSV ([0-9a-f]{64})$/m.exec(stderr);

test('every report in every format: the same rows, the same hash', async (t) => {
  const { db } = await seeded();
  const views = new Set(
    (await db.sql("SELECT viewname FROM pg_views WHERE schemaname = 'report'")).map((r) => r.viewname),
  );
  assert.ok(names.length >= 19);
  for (const name of names) {
    if (!views.has(name)) {
      const none = await report(db, name);
      assert.equal(none.code, 1, name);
      assert.match(none.stderr, /this database has no report \w+ yet: run `smsbridge migrate`/);
      t.diagnostic(`no view report.${name} in this version`);
      continue;
    }
    const [csv, json, html, table, rows] = await Promise.all([
      report(db, name, '--format', 'csv'),
      report(db, name, '--format', 'json'),
      report(db, name, '--format', 'html'),
      report(db, name),
      report(db, name, '--json'),
    ]);
    for (const done of [csv, json, html, table, rows])
      assert.equal(done.code, 0, `${name}: ${done.stderr}${done.stdout}`);
    const page = JSON.parse(json.stdout);
    const cells = parseCsv(csv.stdout);
    // every command is noted in report.access, so each run of that report has more rows than the one before
    const grows = name === 'access';
    const hash = sha256(csv.stdout);
    assert.equal(proof(csv.stderr)[4], hash, name);
    assert.equal(Number(proof(csv.stderr)[2]), cells.length - 1, name);
    assert.equal(page.rows, page.data.length, name);
    assert.deepEqual(page.data.length && Object.keys(page.data[0]), page.data.length && cells[0], name);
    if (!grows) {
      assert.equal(page.sha256, hash, name);
      assert.match(html.stdout, new RegExp(`<dd>${hash}</dd>`), name);
      assert.equal(page.rows, cells.length - 1, name);
      assert.deepEqual(JSON.parse(rows.stdout), page.data, name);
    }
    assert.match(table.stdout, /\(\d+ rows?\)\n$/, name);
    for (const done of [csv, json, html, table, rows])
      assert.doesNotMatch(done.stdout, /Quincunx|5550100\b/, `${name}: no body, no phone`);
  }
});

test('the page stands alone, is valid, escaped and says what it is', async () => {
  const { db } = await seeded();
  for (const name of ['messages', 'funnel', 'quiet_hours', 'daily', 'consents', 'violations']) {
    const done = await report(
      db,
      name,
      '--format',
      'html',
      '--from',
      '2026-03-01',
      '--by',
      'Kim <k>',
      '--why',
      'audit',
    );
    const page = done.stdout;
    assert.equal(done.code, 0, done.stderr);
    assert.doesNotMatch(page, /\b(?:src|href|srcset|action)\s*=|url\(|@import|<script|<link|<iframe/i, name);
    assert.doesNotMatch(page, /<b>& Sons|<script>alert|Kim <k>/, 'what people typed is text');
    assert.match(page, /Kim &lt;k&gt; \(database role smsbridge_compliance\)/);
    assert.match(page, /<dt>From day \(UTC\)<\/dt><dd>2026-03-01<\/dd>/);
    assert.match(page, /<dt>As of<\/dt><dd>\d{4}-\d\d-\d\dT[\d:.]+Z<\/dd>/);
    assert.match(page, /<caption>[^<]+<\/caption>\s*<thead>/);
    assert.match(page, /@page\{size:A4/);
    assert.match(page, /thead\{display:table-header-group\}/);
    const file = path.join(dir, `${name}.html`);
    fs.writeFileSync(file, page);
    const tidy = await run('tidy', ['-q', '-e', '--show-info', 'no', file]);
    assert.equal(tidy.code, 0, `${name}: ${tidy.stderr}`);
  }
  const funnel = fs.readFileSync(path.join(dir, 'funnel.html'), 'utf8');
  assert.match(funnel, /Accepted<\/text><rect [^>]*\/><text [^>]*>5<\/text>/, 'the bar of what was accepted says 5');
  assert.match(funnel, /Delivered<\/text><rect [^>]*\/><text [^>]*>3<\/text>/);
  const hours = fs.readFileSync(path.join(dir, 'quiet_hours.html'), 'utf8');
  assert.match(hours, /<svg role="img" aria-labelledby="chart"/);
  assert.match(
    hours,
    /text-anchor="middle">2<\/text><text [^>]*>10<\/text>/,
    'two texts went at ten where the patient is',
  );
  assert.match(fs.readFileSync(path.join(dir, 'messages.html'), 'utf8'), /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
});

test('days, practice and class choose the rows', async () => {
  const { db, elm, oak } = await seeded();
  const count = async (...args) => JSON.parse((await report(db, 'messages', '--json', ...args)).stdout).length;
  assert.equal(await count(), 5);
  assert.equal(await count('--from', '2026-03-03'), 3);
  assert.equal(await count('--to', '2026-03-03'), 4);
  assert.equal(await count('--from', '2026-03-03', '--to', '2026-03-03'), 2);
  assert.equal(await count('--practice', elm.id), 3);
  assert.equal(await count('--practice', oak.id, '--class', 'prescription'), 1);
  assert.equal(await count('--class', 'lab_results'), 2);
  assert.equal(await count('--class', "x' OR true --"), 0);
  assert.equal((await report(db, 'carriers', '--practice', elm.id, '--json')).stdout, '[]\n');
  const meta = JSON.parse(
    (await report(db, 'messages', '--format', 'json', '--class', 'lab_results', '--to', '2026-03-03')).stdout,
  );
  assert.deepEqual(
    [meta.report, meta.class, meta.from, meta.to, meta.practice],
    ['messages', 'lab_results', null, '2026-03-03', null],
  );
  assert.match(meta.snapshot, /^\d+:\d+:/);
  const age = Date.now() - Date.parse(meta.as_of);
  assert.ok(age > -5000 && age < 60000, `as of ${meta.as_of}`);
});

test('a spreadsheet takes nothing for a formula', async () => {
  const { db } = await seeded();
  const [head, ...rows] = parseCsv((await report(db, 'messages', '--format', 'csv')).stdout);
  const patients = rows.map((r) => r[head.indexOf('patient')]);
  assert.deepEqual(patients, [
    `'${hostile.formula}`,
    `'${hostile.minus}`,
    `'${hostile.at}`,
    hostile.quoted,
    hostile.script,
  ]);
  assert.deepEqual([...new Set(rows.map((r) => r[head.indexOf('phone')].slice(0, 3)))], ["'+1"]);
  for (const cell of rows.flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r]/);
  assert.equal(rows[0][head.indexOf('characters')], '20', 'numbers stay numbers');
});

test('exit codes: violations that are there, wrong usage, files', async () => {
  const { db, elm, add } = await seeded();
  assert.equal((await report(db, 'violations')).code, 0);
  await add(elm, 9, '2026-03-05T03:00:00Z', 'appointment_reminder', 'night', ['message.sending']);
  for (const format of ['table', 'csv', 'json', 'html']) {
    const file = path.join(dir, `violations.${format}`);
    const done = await report(db, 'violations', '--format', format, '--output', file);
    assert.equal(done.code, 1, format);
    assert.equal(done.stdout, '');
    assert.equal(proof(done.stderr)[2], '1', done.stderr);
    assert.match(fs.readFileSync(file, 'utf8'), /quiet_hours/);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.ok(!fs.existsSync(`${file}.part`));
  }
  assert.equal((await report(db, 'violations', '--from', '2026-03-06')).code, 0);
  const usage = [
    [['report', 'nothing'], /report takes/],
    [['report', 'messages', '--format', 'pdf'], /--format takes table, csv, json or html/],
    [['report', 'messages', '--format', 'csv', '--json'], /--json is by itself/],
    [['report', 'violations', '--class', 'payment'], /of no class/],
  ];
  for (const [args, sentence] of usage) {
    const done = await run(binary, [...args, '--database', compliance(db)]);
    assert.equal(done.code, 2, args.join(' '));
    assert.match(done.stderr, sentence);
  }
  const failed = await report(db, 'messages', '--output', path.join(dir, 'no/such/file'));
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /cannot be written: No such file or directory/);
  const bad = path.join(dir, 'bad.csv');
  assert.equal((await report(db, 'messages', '--from', 'Tuesday', '--format', 'csv', '--output', bad)).code, 1);
  assert.deepEqual([fs.existsSync(bad), fs.existsSync(`${bad}.part`)], [false, false], 'no half a report is left');
});

test('as compliance staff and no more: what the role may not read, the program does not show', async () => {
  const { db } = await seeded();
  await db.sql('REVOKE SELECT ON report.messages FROM smsbridge_compliance');
  const asStaff = await report(db, 'messages');
  assert.equal(asStaff.code, 1);
  assert.match(asStaff.stderr, /permission denied for view messages/);
});

test('every reason has its explanation, the same from the command and the API', async (t) => {
  const s = await setup(t, { bind: false });
  const reasons = await s.db.sql('SELECT code, sentence, citation, finality FROM smsbridge.reason ORDER BY code');
  assert.ok(reasons.length > 60);
  const statusOf = { final: 'blocked', waits: 'held', news: 'uncertain' };
  for (const [n, reason] of reasons.entries()) {
    keepPhone(phoneAt(n));
    keepPatient(`Explained ${n}`);
    const [{ id }] = await s.db.sql(
      `INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters, segments,
         category, priority, expires_at, status, reason, created_at, updated_at)
       VALUES ($1, gen_random_uuid(), $2, $3, '+12125550199', 'America/New_York', 'x', 'gsm7', 1, 1, 'appointment_reminder', 1,
         '2031-01-01T00:00Z', $4, $5, '2026-03-02T15:00Z', '2026-03-02T15:00Z') RETURNING id`,
      [s.practice.id, `Explained ${n}`, phoneAt(n), statusOf[reason.finality], reason.code],
    );
    const told = JSON.parse((await must(binary, ['explain', id, '--database', s.db.owner, '--json'])).stdout);
    const { status, json } = await s.api.get(`/v1/messages/${id}/explanation`);
    assert.equal(status, 200);
    const { timeline, ...same } = told;
    assert.deepEqual(json, same, reason.code);
    assert.deepEqual(timeline, []);
    assert.equal(json.reason, reason.code);
    assert.ok(json.explanation.includes(` The reason: ${reason.sentence}`), json.explanation);
    assert.ok(!reason.citation || json.explanation.includes(`The rule: ${reason.citation}.`), json.explanation);
    assert.equal(json.citation, reason.citation || null);
    assert.match(
      json.explanation,
      /^Elm Street Clinic asked for this text to the phone that ends in \d{4} on Monday, /,
    );
    assert.ok(json.explanation.includes(' on Monday, March 2, 2026 at 10:00 AM (New York time). '), json.explanation);
    assert.doesNotMatch(json.explanation, / {2}|\.\.|America\/|null|\(\)|NaN/, reason.code);
    assert.match(json.explanation, /\.$/);
    assert.ok(json.explanation.length < 1200, reason.code);
  }
  const other = await practice(s.db, { name: 'Oak Clinic' });
  const [{ id }] = await s.db.sql('SELECT id FROM smsbridge.message LIMIT 1');
  assert.equal(
    (await s.api.get(`/v1/messages/${id}/explanation`, { key: other.key })).status,
    404,
    "another practice's",
  );
  assert.equal((await s.api.get('/v1/messages/no-id/explanation')).status, 404);
});

test('a message that waits says when it goes next, and one that went by which consent', async (t) => {
  const s = await setup(t, { bind: false });
  const phone = phoneAt(7);
  keepPhone(phone);
  const add = async (status, reason, due) =>
    (
      await s.db.sql(
        `INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters, segments,
           category, priority, expires_at, status, reason, due_at, created_at, updated_at)
         VALUES ($1, gen_random_uuid(), 'P-7', $2, '+12125550199', 'America/New_York', 'x', 'gsm7', 1, 1, 'lab_results', 1,
           '2031-03-04T15:00Z', $3, $4, $5, '2031-03-02T02:30Z', '2031-03-02T02:30Z') RETURNING id`,
        [s.practice.id, phone, status, reason, due],
      )
    )[0].id;
  const verdict = (id, data) =>
    s.db.sql(
      `INSERT INTO smsbridge.event (practice_id, message_id, type, at, data)
       VALUES ($1, $2, 'message.held', '2031-03-02T02:30Z', $3)`,
      [s.practice.id, id, data],
    );
  const held = await add('held', 'quiet_hours', '2031-03-02T13:00Z');
  await verdict(held, { pack: 'today', consent: { basis: 'express', captured_at: '2031-01-15T15:00:00Z' } });
  const waiting = (await s.api.get(`/v1/messages/${held}/explanation`)).json;
  for (const sentence of [
    'It tells a patient that laboratory results are there. It has not gone yet. The reason: It is before 8 a.m. or after 9 p.m.',
    'It is looked at again on Sunday, March 2, 2031 at 8:00 AM, and goes then if every rule allows it.',
    'If it cannot go before Tuesday, March 4, 2031 at 10:00 AM, it is dropped',
  ])
    assert.ok(waiting.explanation.includes(sentence), waiting.explanation);
  assert.match(
    waiting.explanation,
    /It rests on the patient's express consent of Wednesday, January 15, 2031 at 10:00 AM\./,
  );
  assert.match(waiting.explanation, /It was judged by the rules named "today" \(47 CFR 64\.1200 .*\)\.$/);
  assert.equal(waiting.rule_pack, 'today');
  assert.ok(Date.parse(waiting.next_at) === Date.parse('2031-03-02T13:00Z'));
  const sent = await add('delivered', null, null);
  await verdict(sent, { pack: 'today', consent: { basis: 'implied', attested: true } });
  const gone = (await s.api.get(`/v1/messages/${sent}/explanation`)).json;
  assert.match(
    gone.explanation,
    /The carrier reports that the phone has it\. It rests on the practice's word that its patients gave it their numbers/,
  );
  assert.equal(gone.next_at, null);
});
