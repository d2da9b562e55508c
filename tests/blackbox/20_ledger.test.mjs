// The ledger: sealed by real gateways under load, read again by both verifiers, by openssl and by the page for auditors;
// tampered with in every way, and cut off in the middle.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { pour } from './lib/fleet.mjs';
import { ledgerKey } from './lib/gateway.mjs';
import { bothFind, churn, clean, copyOf, inC, ledger, sealed, seals, tamper } from './lib/ledger.mjs';
import { binary, must, never, root, run, until } from './lib/util.mjs';
import { another, atEnd, setup, world } from './lib/world.mjs';

await world();

const quick = { ledger: { seal_every: '100ms' } };
const count = async (db, from, where = 'true') =>
  Number((await db.sql(`SELECT count(*) AS n FROM smsbridge.${from} WHERE ${where}`))[0].n);

function folder(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-ledger-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return (name) => path.join(dir, name);
}

/** A gateway's database with a few seals, and the gateway gone. */
async function sealedWorld(t, { config = quick, rounds = 4 } = {}) {
  const s = await setup(t, { config });
  await pour(s, 10);
  for (let i = 0; i < 3; i++) {
    await churn(s.db, { writers: 2, rounds, rows: 5 });
    await sealed(s.db);
  }
  await s.gateway.stop();
  return s;
}

test('two gateways, writers that come late and writers that give up: no gap, nothing twice, all signed', async (t) => {
  const s = await setup(t, { config: quick });
  const second = await another(t, s, { config: quick });
  await second.start();
  const late = await s.db.connect(); // its transaction is older than most that commit before it
  const end = atEnd(t, () => late.end());
  await late.query('BEGIN');
  await late.query(
    `INSERT INTO smsbridge.event (practice_id, type, at) VALUES (gen_random_uuid(), 'message.news', '2026-03-02T17:00Z')`,
  );
  const [, added] = await Promise.all([
    pour(s, 150),
    churn(s.db, { rounds: 30 }),
    Promise.all(Array.from({ length: 50 }, () => second.api.accepted())),
  ]);
  await never(async () => (await count(s.db, 'seal', `xact >= '${await xactOf(late)}'`)) > 0, 'a seal passes it', 1000);
  await late.query('COMMIT');
  await end();
  await sealed(s.db);
  const all = await seals(s.db);
  assert.ok(all.length > 3, `${all.length} seals`);
  assert.ok((await count(s.db, 'event')) > added);
  await until(async () => {
    const made =
      (await s.gateway.metric('smsbridge_ledger_seals_total')) + (await second.metric('smsbridge_ledger_seals_total'));
    return made === (await count(s.db, 'seal'));
  }, 'each seal was made by one of the two');
  await s.gateway.stop();
  await second.stop();
  await clean(s.db);
  const { seals: n, events, unsealed } = await inC(s.db);
  assert.equal(n, await count(s.db, 'seal'));
  assert.equal(events, await count(s.db, 'event'));
  assert.equal(events - unsealed, Number((await seals(s.db)).at(-1).last));
  assert.equal(await count(s.db, 'seal_signature'), n);
});

const xactOf = async (client) => (await client.query('SELECT pg_current_xact_id() AS x')).rows[0].x;

// covers: rule seal
test('what was tampered with is found by both verifiers, at the same place', async (t) => {
  const s = await sealedWorld(t);
  await clean(s.db);
  const lines = await s.db.sql('SELECT * FROM report.seal_lines ORDER BY number');
  const at = (n) => lines[n - 1];
  // a seal in the middle of others, with some events
  const second = (await seals(s.db)).slice(1, -1).find((x) => x.last - x.first >= 4);
  const { number: nr } = second;
  const n = Number(second.first) + 2;
  const last = lines.length;
  const one = `WHERE id = ${at(n).id}`;
  const found = (what, number) => `${what} ${number} ${at(number).seal} ${at(number).id} ${at(number).type}`;
  const forged = (behind, id) => `INSERT INTO smsbridge.event (practice_id, xact, id, type, at) VALUES
    (gen_random_uuid(), '${behind.xact}', ${id}, 'reply.received', '2026-03-02T17:00Z')`;
  const seal = (what) => `${what} ${second.first} ${second.number}  `;
  const cases = [
    ...[
      'practice_id = gen_random_uuid()',
      'message_id = gen_random_uuid()',
      `type = 'opt_out.lifted'`,
      `at = at + interval '1 year'`,
      `recorded_at = recorded_at - interval '1 microsecond'`,
      `phone = '+12125550199'`,
      `patient = E'"\\\\\\x01é'`,
      `reason = 'cap_day'`,
      `data = data || '{"x": "\\u00e9\\u0001\\n"}'`,
      'data = NULL',
    ].map((change) => [change, `UPDATE smsbridge.event SET ${change} ${one}`, [found('changed', n)]]),
    ...[`xact = '1'`, `xact = '99999999999'`, 'id = id + 10000000', `xact = (xact::text::bigint + 1)::text::xid8`].map(
      (change) => [change, `UPDATE smsbridge.event SET ${change} ${one}`, [found('reordered', n)]],
    ),
    ['removed', `DELETE FROM smsbridge.event ${one}`, [found('removed', n)]],
    ['the first removed', `DELETE FROM smsbridge.event WHERE id = ${at(1).id}`, [found('removed', 1)]],
    ['the last removed', `DELETE FROM smsbridge.event WHERE id = ${at(last).id}`, [found('removed', last)]],
    [
      'added with an old transaction',
      forged(at(last - 1), at(last - 1).id),
      [`added ${last - 1} ${at(last - 1).seal} ${at(last - 1).id} reply.received`],
    ],
    ['added with one to come', forged({ xact: '99999999999' }, 77), [`added ${last}  77 reply.received`]],
    [
      'two exchanged',
      `UPDATE smsbridge.event SET xact = CASE id WHEN ${at(n).id} THEN '${at(last).xact}'::xid8 ELSE '${at(n).xact}' END,
       id = CASE id WHEN ${at(n).id} THEN ${at(last).id} ELSE ${at(n).id} END WHERE id IN (${at(n).id}, ${at(last).id})`,
      [found('reordered', n), found('reordered', last)].sort(),
    ],
    [
      'one put in the place of another',
      `DELETE FROM smsbridge.event WHERE id = ${at(2).id};
       UPDATE smsbridge.event SET xact = '${at(2).xact}', id = ${at(2).id} ${one}`,
      [found('removed', 2), found('reordered', n)].sort(),
    ],
    [
      'a seal is gone',
      `DELETE FROM smsbridge.seal_signature WHERE seal = ${nr}; DELETE FROM smsbridge.seal WHERE number = ${nr}`,
      null,
    ],
    ['a seal says another time', `UPDATE smsbridge.seal SET at = at + interval '1 s' WHERE number = ${nr}`, null],
    ['a list is gone', `DELETE FROM smsbridge.seal_list WHERE seal = ${nr}`, [seal('seal changed')]],
    [
      'a list is cut',
      `UPDATE smsbridge.seal_list SET hashes = hashes[1:2], practices = practices[1:2], xacts = xacts[1:2],
      ids = ids[1:2], times = times[1:2], types = types[1:2] WHERE seal = ${nr}`,
      null,
    ],
    ['a signature is gone', `DELETE FROM smsbridge.seal_signature WHERE seal = ${nr}`, [seal('bad signature')]],
  ];
  for (const [name, statement, wanted] of cases)
    await t.test(name, () =>
      copyOf(s.db, async (copy) => {
        await tamper(copy, statement);
        const got = await bothFind(copy);
        if (wanted) assert.deepEqual(got, wanted);
        else assert.ok(got.length > 0);
      }),
    );
  await t.test('signatures and keys, which only the program checks', () =>
    copyOf(s.db, async (copy) => {
      await tamper(
        copy,
        `UPDATE smsbridge.seal_signature SET signature = set_byte(signature, 9, get_byte(signature, 9) # 1) WHERE seal = ${nr}`,
      );
      await tamper(
        copy,
        `INSERT INTO smsbridge.ledger_key VALUES (2, sha256('mine'), 1, now(), sha256('a') || sha256('b'))`,
      );
      const { findings } = await inC(copy);
      assert.deepEqual(findings.map((f) => `${f.what} ${f.seal ?? ''} ${f.detail}`).sort(), [
        'bad key  key 2 is not endorsed by key 1',
        'bad key  no event tells of key 2',
        `bad signature ${nr} the signature is not of this statement by this key`,
      ]);
    }),
  );
  await t.test('ranges, and lines for people', () =>
    copyOf(s.db, async (copy) => {
      await tamper(
        copy,
        `UPDATE smsbridge.event SET patient = 'x' WHERE id IN (${at(1).id}, ${at(n).id}, ${at(last).id})`,
      );
      const numbers = async (...args) => (await inC(copy, ...args)).findings.map((f) => f.number);
      assert.deepEqual(await numbers(), [1, n, last]);
      assert.deepEqual(await numbers('--from', String(n)), [n, last]);
      assert.deepEqual(await numbers('--to', String(n)), [1, n]);
      assert.deepEqual(await numbers('--from', String(n), '--to', String(n)), [n]);
      const told = await ledger(copy, 'verify', '--from', String(n), '--to', String(n));
      assert.equal(told.code, 1);
      assert.match(
        told.stdout,
        new RegExp(
          `^changed: event ${n} \\(id ${at(n).id}, ${at(n).type}, \\S+Z\\) in seal ${nr}: other than sealed: one of`,
        ),
      );
      assert.match(told.stdout, /\n1 findings; 1 seals, \d+ events/);
      assert.equal((await ledger(copy, 'verify', '--from', '0')).code, 2);
    }),
  );
});

test('a page for auditors: its commands work, and tell good from bad', async (t) => {
  const s = await sealedWorld(t);
  const page = fs.readFileSync(path.join(root, 'docs/ledger.md'), 'utf8');
  const script = [...page.matchAll(/^```sh\n([^]*?)^```/gm)].map((m) => m[1]).join('\n');
  assert.match(script, /openssl pkeyutl -verify/);
  assert.match(script, /sha256sum/);
  const auditor = async (db) => {
    await db.leave();
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-audit-'));
    t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
    const env = {
      PATH: process.env.PATH,
      PGHOST: db.cluster.dir,
      PGDATABASE: db.name,
      PGUSER: 'smsbridge_compliance',
      SEAL: '2',
    };
    return run('bash', ['--norc', '-euo', 'pipefail', '-c', `cd ${dir}\n${script}`], { env });
  };
  const good = await auditor(s.db);
  assert.equal(good.code, 0, good.stderr + good.stdout);
  assert.match(good.stdout, /Signature Verified Successfully/);
  for (const [name, statement] of [
    [
      'another signature',
      `UPDATE smsbridge.seal_signature SET signature = set_byte(signature, 3, get_byte(signature, 3) # 1)`,
    ],
    ['another list', `UPDATE smsbridge.seal_list SET types[1] = 'message.sent' WHERE seal = 2`],
    [
      'another event',
      `UPDATE smsbridge.event SET patient = 'x' WHERE id IN (SELECT min(id) FROM report.seal_lines WHERE seal = 2)`,
    ],
    ['another statement', `UPDATE smsbridge.seal SET at = at + interval '1 s' WHERE number = 2`],
  ])
    await t.test(name, () =>
      copyOf(s.db, async (copy) => {
        await tamper(copy, statement);
        assert.notEqual((await auditor(copy)).code, 0);
      }),
    );
});

test('heads that were kept elsewhere tell of a chain that was made anew', async (t) => {
  const file = folder(t);
  const s = await sealedWorld(t);
  for (const [name, args] of [
    ['heads.txt', []],
    ['heads.json', ['--json']],
  ]) {
    const told = await ledger(s.db, 'heads', ...args);
    assert.equal(told.code, 0);
    fs.writeFileSync(file(name), told.stdout);
    if (args.length) assert.equal(JSON.parse(told.stdout).length, await count(s.db, 'seal'));
    const { findings, heads } = await inC(s.db, '--heads', file(name));
    assert.deepEqual(findings, []);
    assert.equal(heads, await count(s.db, 'seal'));
  }
  // whoever has the database and the key: everything away, an event changed, sealed again
  await tamper(
    s.db,
    `DELETE FROM smsbridge.seal_signature; DELETE FROM smsbridge.seal; DELETE FROM smsbridge.seal_list;
     UPDATE smsbridge.event SET data = '{}' WHERE type = 'message.news'`,
  );
  await s.gateway.start();
  await sealed(s.db);
  await s.gateway.stop();
  await clean(s.db);
  for (const name of ['heads.txt', 'heads.json']) {
    const { findings } = await inC(s.db, '--heads', file(name));
    assert.ok(findings.length > 0);
    assert.ok(
      findings.every((f) => f.what === 'head differs'),
      JSON.stringify(findings),
    );
  }
  fs.writeFileSync(file('wrong.txt'), 'these are no heads\n');
  const wrong = await ledger(s.db, 'verify', '--heads', file('wrong.txt'));
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /wrong\.txt:1: no line/);
  assert.equal((await ledger(s.db, 'verify', '--heads', file('absent.txt'))).code, 1);
});

test('keys rotate, each endorsed by the one before', async (t) => {
  const file = folder(t);
  const config = { ledger: { seal_every: '100ms', key_file: file('key.pem') } };
  const s = await setup(t, { config, start: false });
  const [first] = JSON.parse(
    (await must(binary, ['ledger', 'rotate', '--database', s.db.app, '--key', file('key.pem'), '--json'])).stdout,
  );
  assert.equal(first.key, 1);
  assert.equal(fs.statSync(file('key.pem')).mode & 0o777, 0o600);
  fs.copyFileSync(file('key.pem'), file('old.pem'));
  const second = await another(t, s, { config: { ledger: { seal_every: '100ms', key_file: file('old.pem') } } });
  await s.gateway.start();
  await pour(s, 5);
  await sealed(s.db);
  // as an operator would, with the gateway's own configuration
  const rotated = await must(binary, ['ledger', 'rotate', '--config', s.gateway.file, '--json']);
  assert.deepEqual(JSON.parse(rotated.stdout)[0].key, 2);
  await pour(s, 5);
  await sealed(s.db);
  assert.deepEqual([...new Set((await seals(s.db)).map((x) => x.key))], [1, 2]);
  const [told] = await s.db.sql(
    `SELECT data FROM smsbridge.event WHERE type = 'ledger.key_rotated' AND data->>'key' = '2'`,
  );
  assert.equal(told.data.public_key, JSON.parse(rotated.stdout)[0].public_key);
  // a gateway that was forgotten seals nothing, and says so
  await s.gateway.stop();
  await second.start();
  const before = await count(s.db, 'seal');
  await second.api.accepted();
  await until(() => second.line('ledger_key_unknown'), 'it says that its key is old');
  assert.equal(await count(s.db, 'seal'), before);
  fs.copyFileSync(file('key.pem'), file('old.pem'));
  await sealed(s.db);
  await second.stop();
  await clean(s.db);
  // cut off between the commit and the new file's name
  fs.copyFileSync(file('key.pem'), file('key.before'));
  await must(binary, ['ledger', 'rotate', '--database', s.db.app, '--key', file('key.pem')]);
  fs.renameSync(file('key.pem'), file('key.pem.next'));
  fs.copyFileSync(file('key.before'), file('key.pem'));
  const again = await must(binary, ['ledger', 'rotate', '--database', s.db.app, '--key', file('key.pem'), '--json']);
  assert.match(again.stderr, /cut off is finished: key 3/);
  assert.equal(JSON.parse(again.stdout)[0].key, 3);
  assert.equal(fs.existsSync(file('key.pem.next')), false);
  // a key that is not the newest cannot endorse one
  const refused = await run(binary, ['ledger', 'rotate', '--database', s.db.app, '--key', file('old.pem')]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /does not hold key 3/);
  assert.equal(await count(s.db, 'ledger_key'), 3);
  assert.equal((await run(binary, ['ledger', 'rotate', '--database', s.db.app])).code, 2);
  await clean(s.db);
});

test('killed in the middle of sealing, again and again', async (t) => {
  const s = await setup(t, { config: { ledger: { seal_every: '50ms' } } });
  for (let i = 0; i < 6; i++) {
    const before = await count(s.db, 'seal');
    await churn(s.db, { writers: 2, rounds: 3, rows: 4000 });
    // some die before the first seal of the round, some behind it
    if (i % 2) await until(async () => (await count(s.db, 'seal')) > before, 'a seal');
    await s.gateway.killNow();
    await s.gateway.start();
  }
  await sealed(s.db, 40000);
  await s.gateway.stop();
  await clean(s.db);
  const all = await seals(s.db);
  assert.equal(await count(s.db, 'seal_list'), all.length);
  assert.equal(await count(s.db, 'seal_signature'), all.length);
  assert.ok(
    all.some((x) => Number(x.last) - Number(x.first) + 1 === 5000),
    'a full seal',
  );
});

test('without a key it is sealed unsigned; once there is one it stays', async (t) => {
  const s = await setup(t, { config: { ledger: { seal_every: '100ms', key_file: undefined } } });
  assert.match(s.gateway.line('seals_unsigned').warning, /without signatures/);
  await pour(s, 3);
  await sealed(s.db);
  await clean(s.db);
  assert.deepEqual([...new Set((await seals(s.db)).map((x) => x.key))], [null]);
  await s.gateway.reload((c) => {
    c.ledger.key_file = ledgerKey();
  });
  await pour(s, 3);
  await until(async () => (await seals(s.db)).at(-1).key === 1, 'signed');
  await s.gateway.reload((c) => {
    c.ledger.key_file = undefined;
  });
  await s.api.accepted();
  await until(() => s.gateway.line('ledger_key_missing'), 'it says so');
  const before = await count(s.db, 'seal');
  await never(async () => (await count(s.db, 'seal')) > before, 'an unsigned seal', 500);
  await s.gateway.stop();
  await clean(s.db);
});

test('a transaction that does not end holds the seals back: figures and a warning', async (t) => {
  const s = await setup(t, { config: { ledger: { seal_every: '100ms', warn_after: '1s' } } });
  await sealed(s.db);
  const client = await s.db.connect();
  const end = atEnd(t, () => client.end());
  await client.query('BEGIN');
  await client.query('SELECT pg_current_xact_id()');
  await pour(s, 3);
  await until(() => s.gateway.line('ledger_lags'), 'a warning', 20000);
  await until(async () => (await s.gateway.metric('smsbridge_ledger_unsealed_events')) >= 3, 'how many wait');
  await until(async () => (await s.gateway.metric('smsbridge_ledger_unsealed_age_seconds')) >= 1, 'how long');
  const [told] = JSON.parse((await ledger(s.db, 'status', '--json')).stdout);
  assert.ok(told.unsealed >= 3 && told.oldest_waits_s >= 1, JSON.stringify(told));
  await clean(s.db);
  await client.query('ROLLBACK');
  await end();
  await sealed(s.db);
  await until(async () => (await s.gateway.metric('smsbridge_ledger_unsealed_events')) === 0, 'none waits');
});

test('a database that came from a dump counts its transactions anew: nothing is sealed wrongly', async (t) => {
  const s = await sealedWorld(t);
  // what a restored dump looks like: seals of transactions that this server has not had yet
  await tamper(
    s.db,
    `UPDATE smsbridge.seal SET xact = '99999999999' WHERE number = (SELECT max(number) FROM smsbridge.seal)`,
  );
  const before = await count(s.db, 'seal');
  await s.gateway.start();
  await s.api.accepted();
  await until(() => s.gateway.line('ledger_behind_dump'), 'it says so');
  assert.equal(await count(s.db, 'seal'), before);
  assert.equal(JSON.parse((await ledger(s.db, 'status', '--json')).stdout)[0].behind_dump, 't');
});
