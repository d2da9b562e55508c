// The ledger's verifiers side by side, load on the event table, and copies of a database to tamper with.
import assert from 'node:assert/strict';
import { binary, run, until } from './util.mjs';
import { theCluster } from './world.mjs';

export const ledger = (db, word, ...args) => run(binary, ['ledger', word, '--database', db.app, ...args]);

/** What `smsbridge ledger verify` finds, with its counts. */
export async function inC(db, ...args) {
  const done = await ledger(db, 'verify', '--json', ...args);
  const told = JSON.parse(done.stdout);
  assert.equal(done.code, told.findings.length ? 1 : 0, done.stderr);
  assert.equal(told.findings_count, told.findings.length);
  return told;
}

/** What the SQL function finds, as compliance staff call it. */
export const inSql = (db) =>
  theCluster().sql('SELECT * FROM report.ledger_verify()', [], db.name, 'smsbridge_compliance');

// SQL sees that a signature is missing, not that it is wrong.
const forSql = (f) => !/signature is not of this statement/.test(f.detail);
const place = (f) => [f.what, f.number ?? '', f.seal ?? '', f.event_id ?? '', f.type ?? ''].join(' ');

/** Both verifiers, which must agree; the findings as "what number seal id type", sorted. */
export async function bothFind(db) {
  const c = (await inC(db)).findings.filter(forSql).map(place).sort();
  const sql = (await inSql(db)).map(place).sort();
  assert.deepEqual(c, sql, 'the two verifiers agree');
  return c;
}

export async function clean(db) {
  assert.deepEqual(await bothFind(db), []);
}

export const seals = (db) => db.sql('SELECT * FROM smsbridge.seal ORDER BY number');

/** Waits until every event has its seal. */
export const sealed = (db, ms = 20000) =>
  until(
    async () => Number((await db.sql('SELECT unsealed FROM smsbridge.seal_lag'))[0].unsealed) === 0,
    async () => JSON.stringify(await db.sql('SELECT * FROM smsbridge.seal_lag')),
    ms,
  );

/** Adds events as the gateway's role does, rows at a time; of each ten transactions one is rolled back. */
export async function churn(db, { writers = 4, rounds = 20, rows = 50 } = {}) {
  let kept = 0;
  await Promise.all(
    Array.from({ length: writers }, async (_, w) => {
      const client = await db.connect();
      await client.query('SET ROLE smsbridge_app');
      for (let i = 0; i < rounds; i++) {
        const back = (i + w) % 10 === 9;
        await client.query('BEGIN');
        await client.query(
          `INSERT INTO smsbridge.event (practice_id, type, at, data) SELECT gen_random_uuid(), 'message.news',
           '2026-03-02T17:00Z', jsonb_build_object('writer', $1::int, 'n', n) FROM generate_series(1, $2::int) AS n`,
          [w, rows],
        );
        await client.query(back ? 'ROLLBACK' : 'COMMIT');
        kept += back ? 0 : rows;
      }
      await client.end();
    }),
  );
  return kept;
}

/** A database like this one, which nobody may be connected to, to do as one likes with. */
export async function copyOf(db, use) {
  const cluster = theCluster();
  const name = `${db.name}_copy`;
  const copy = Object.assign(Object.create(Object.getPrototypeOf(db)), {
    cluster,
    name,
    owner: cluster.conninfo(name, 'smsbridge_owner'),
    app: cluster.conninfo(name, 'smsbridge_app'),
  });
  await db.leave();
  await cluster.sql(`CREATE DATABASE ${name} TEMPLATE ${db.name} OWNER smsbridge_owner`);
  try {
    return await use(copy);
  } finally {
    await copy.leave();
    await cluster.sql(`DROP DATABASE ${name}`);
  }
}

/** As the owner with the triggers off. */
export async function tamper(db, statement) {
  const client = db.cluster.client(db.name, 'smsbridge_owner');
  await client.connect();
  try {
    for (const table of ['event', 'seal', 'seal_list', 'seal_signature', 'ledger_key', 'seal_archive'])
      await client.query(`ALTER TABLE smsbridge.${table} DISABLE TRIGGER USER`);
    await client.query(statement);
  } finally {
    await client.end();
  }
}
