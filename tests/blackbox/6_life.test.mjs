// Starting, stopping, dying and coming back: what was answered with 202 is never lost and never sent twice.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Api } from './lib/api.mjs';
import { NOON } from './lib/gateway.mjs';
import { binary, never, nextPatient, pause, phoneAt, run, until } from './lib/util.mjs';
import { another, setup, theCluster, world } from './lib/world.mjs';

await world();

const becomes = (s, id, wanted, ms) =>
  until(
    async () => (await s.db.message(id)).status === wanted,
    async () => `${wanted}: ${JSON.stringify(await s.db.message(id))}`,
    ms,
  );
const settled = [
  'sent',
  'delivered',
  'uncertain',
  'failed',
  'blocked',
  'canceled',
  'expired',
  'undelivered',
  'unconfirmed',
];

/** Posts continuously, several at a time, until told to stop; keeps what was answered and how. */
class Load {
  constructor(t, s, { from = 0, streams = 16, pace = 0 } = {}) {
    this.s = s;
    this.pace = pace; // ms between one stream's posts: there is one message a day for a phone
    this.next = from;
    this.accepted = new Map(); // body -> id
    this.unknown = 0; // no answer: it may be in or not
    this.replayed = 0;
    this.refused = 0;
    this.running = true;
    t.after(() => this.stop());
    this.done = Promise.all(Array.from({ length: streams }, () => this.stream()));
  }

  // As a practice system should: the same request with the same Idempotency-Key until there is an answer.
  async stream() {
    while (this.running) {
      const n = this.next++;
      const draft = Api.draft({
        phone: phoneAt(n),
        patient: nextPatient(),
        body: `Load ${n} of ${process.pid}, reply STOP to end`,
      });
      const headers = { 'idempotency-key': `load-${n}` };
      for (let tries = 0; this.running || tries === 0; tries++) {
        try {
          const answer = await this.s.api.post('/v1/messages', draft, { timeout: 35000, headers });
          if (answer.status === 202) {
            if (answer.headers['idempotency-replayed']) this.replayed++;
            this.accepted.set(draft.body, answer.json.id);
            break;
          }
          this.refused++;
          this.last = `${answer.status} ${answer.json?.code}`;
        } catch {
          this.unknown++;
        }
        await pause(20);
      }
      if (this.pace) await pause(this.pace);
    }
  }

  stop() {
    this.running = false;
    return this.done;
  }
}

/** Nothing lost, nothing twice; what is uncertain was on its way when the lights went out. */
async function judge(s, load) {
  await until(
    async () =>
      (await s.db.sql('SELECT 1 FROM smsbridge.message WHERE NOT status = ANY($1) LIMIT 1', [settled])).length === 0,
    async () =>
      `all settled: ${JSON.stringify(await s.db.sql('SELECT status, reason, count(*)::int FROM smsbridge.message GROUP BY 1, 2'))}`,
    60000,
  );
  const rows = await s.db.sql('SELECT id, body, status FROM smsbridge.message');
  const byId = new Map(rows.map((r) => [r.id, r]));
  for (const [body, id] of load.accepted) {
    assert.ok(byId.has(id), `accepted and lost: ${id}`);
    assert.equal(byId.get(id).body, body);
  }
  assert.equal(
    new Set(rows.map((r) => r.body)).size,
    rows.length,
    'one request, one message, however often it was repeated',
  );
  const submits = new Map();
  for (const x of s.carrier.submits) submits.set(x.text, (submits.get(x.text) ?? 0) + 1);
  for (const [text, n] of submits)
    if (n !== 1) {
      const ids = rows.filter((r) => r.body === text).map((r) => r.id);
      const events = [];
      for (const id of ids)
        events.push(
          ...(await s.db.events(id)).map((e) => ({
            id,
            type: e.type,
            at: e.at,
            recorded: e.recorded_at,
            reason: e.reason,
            data: e.data,
          })),
        );
      assert.fail(
        `submitted ${n} times: ${text}: ${JSON.stringify(events, null, 1)} ` +
          JSON.stringify(s.carrier.of(text).map((x) => [new Date(x.at), x.pdu.sequence_number])),
      );
    }
  let uncertain = 0;
  for (const r of rows) {
    if (r.status === 'uncertain') uncertain++;
    else assert.equal(submits.get(r.body), 1, `${r.status}, but submitted ${submits.get(r.body)} times`);
  }
  for (const text of submits.keys())
    assert.ok(
      rows.some((r) => r.body === text),
      'what was submitted is on record',
    );
  const again = await s.db.sql(
    "SELECT message_id FROM smsbridge.event WHERE type = 'message.sending' GROUP BY 1 HAVING count(*) > 1",
  );
  return {
    messages: rows.length,
    accepted: load.accepted.size,
    uncertain,
    unknown: load.unknown,
    replayed: load.replayed,
    refused: load.refused,
    again: again.length,
  };
}

test('kill -9 under load, three times: no accepted message lost, none sent twice', async (t) => {
  const s = await setup(t, {
    link: { window: 40 },
    carrier: { onSubmit: () => ({ delay: 20 + Math.random() * 30, receipt: Math.random() < 0.5 }) },
  });
  s.carrier.onSubmit = () => ({ delay: 20 + Math.random() * 30 });
  const load = new Load(t, s);
  for (let i = 1; i <= 3; i++) {
    await until(() => load.accepted.size >= i * 130 && s.carrier.submits.length >= i * 60, 'load', 30000);
    await s.gateway.killNow();
    await pause(50);
    await s.gateway.start();
  }
  await until(() => load.accepted.size >= 600, 'more after the last start', 40000);
  await load.stop();
  const result = await judge(s, load);
  t.diagnostic(JSON.stringify(result));
  assert.ok(
    result.uncertain >= 1 && result.uncertain <= 3 * 40 * 2,
    `what was open became uncertain: ${result.uncertain}`,
  );
});

test('the database restarts under load, fast and immediate: nothing lost, nothing twice', async (t) => {
  const s = await setup(t, { link: { window: 40 }, carrier: { onSubmit: () => ({ delay: 20 + Math.random() * 30 }) } });
  const load = new Load(t, s, { from: 700 });
  const again = async () => {
    const ready = await s.api.get('/readyz').catch((error) => ({ text: error.message }));
    return `accepting again; readyz ${ready.text}; refused ${load.refused}, last ${load.last}: ${s.gateway.log.slice(-3000)}`;
  };
  await until(() => load.accepted.size >= 120, 'load', 30000);
  await theCluster().restart('fast');
  let before;
  for (const mode of ['immediate', 'fast', 'immediate']) {
    before = load.accepted.size;
    await until(() => load.accepted.size >= before + 60, again, 40000);
    await theCluster().restart(mode);
  }
  before = load.accepted.size;
  await until(() => load.accepted.size >= before + 60, again, 40000);
  await load.stop();
  assert.ok(s.gateway.alive(), 'the gateway lived through it');
  const result = await judge(s, load);
  t.diagnostic(JSON.stringify(result));
});

test("trap 33: the carrier's word is kept while the database is away", async (t) => {
  const s = await setup(t, { carrier: { onSubmit: () => ({ silent: true }) } });
  const m = await s.api.accepted();
  const submit = await s.carrier.got(m.draft);
  await theCluster().halt('fast');
  s.carrier.answer(submit);
  let receipt;
  const told = s.carrier.receipt(submit).then(
    (a) => {
      receipt = a;
    },
    () => {
      receipt = 'closed';
    },
  );
  await never(() => receipt?.command_status === 0, 'a receipt answered without a commit', 500);
  await theCluster().launch();
  await told;
  if (receipt === 'closed' || receipt.command_status !== 0)
    await s.carrier.receipt(submit, { session: await s.carrier.bound() });
  await becomes(s, m.id, 'delivered', 30000);
  assert.equal(s.carrier.of(m.draft.body).length, 1);
});

// covers: ESME OUT unbind, ESME IN unbind_resp
test('trap 10: SIGTERM: answers are waited for, links unbound, exit 0', async (t) => {
  const s = await setup(t, { link: { window: 20 }, carrier: { onSubmit: () => ({ delay: 400 }) } });
  const all = await Promise.all(Array.from({ length: 10 }, () => s.api.accepted()));
  await until(() => s.carrier.submits.length === 10, 'on the wire');
  const { api } = s;
  await s.gateway.keepMetrics();
  s.gateway.signal('SIGTERM');
  const end = await s.gateway.exited;
  assert.deepEqual(end, { code: 0, signal: null });
  for (const m of all) assert.equal((await s.db.message(m.id)).status, 'sent');
  assert.ok(s.carrier.unbinds >= 1, 'unbound');
  assert.ok(s.gateway.line('stopped'));
  await assert.rejects(api.get('/livez'), 'nobody listens any more');
});

test('SIGTERM with answers that do not come: bounded, uncertain, exit 0, and never again', async (t) => {
  let silent = true;
  const s = await setup(t, {
    link: { window: 5, answer_timeout: '2s' },
    carrier: { onSubmit: () => (silent ? { silent: true } : {}) },
  });
  const all = await Promise.all(Array.from({ length: 9 }, () => s.api.accepted()));
  await until(() => s.carrier.submits.length === 5, 'five on the wire');
  await s.gateway.keepMetrics();
  const began = Date.now();
  s.gateway.signal('SIGTERM');
  const end = await Promise.race([s.gateway.exited, pause(45000)]);
  assert.deepEqual(end, { code: 0, signal: null });
  t.diagnostic(`${Date.now() - began} ms`);
  const open = new Set(s.carrier.submits.map((x) => x.text));
  for (const m of all) {
    const row = await s.db.message(m.id);
    if (open.has(m.draft.body)) assert.equal(row.status, 'uncertain');
    else assert.ok(['queued', 'held'].includes(row.status), row.status);
  }
  silent = false;
  await s.gateway.start();
  for (const m of all) if (!open.has(m.draft.body)) await becomes(s, m.id, 'sent', 20000);
  for (const m of all) assert.equal(s.carrier.of(m.draft.body).length, 1);
});

test('SIGTERM finishes the requests that are open and takes no more', async (t) => {
  const s = await setup(t, {});
  const blocker = await s.db.connect();
  await blocker.query('BEGIN; LOCK TABLE smsbridge.message IN EXCLUSIVE MODE');
  const open = s.api.send();
  await until(
    async () =>
      (
        await s.db.sql(
          'SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT granted AND datname = $1',
          [s.db.name],
        )
      ).length,
    'it waits for its commit',
  );
  await s.gateway.keepMetrics().catch(() => {});
  s.gateway.signal('SIGTERM');
  await until(() => s.gateway.line('draining'), 'draining');
  await blocker.query('ROLLBACK');
  await blocker.end();
  const answer = await open;
  assert.equal(answer.status, 202);
  assert.deepEqual(await s.gateway.exited, { code: 0, signal: null });
  assert.ok(await s.db.message(answer.id));
});

test('SIGTERM while the database is away: it still ends', async (t) => {
  const s = await setup(t, {});
  await theCluster().halt('immediate');
  await s.gateway.keepMetrics();
  s.gateway.signal('SIGTERM');
  const end = await Promise.race([s.gateway.exited, pause(45000)]);
  await theCluster().launch();
  assert.ok(end && end.signal === null, 'ended by itself');
});

test('SIGHUP: a good configuration is taken, a bad one is told and left', async (t) => {
  const s = await setup(t, {});
  await s.gateway.reload((c) => {
    c.log = { level: 'debug' };
  });
  assert.equal(await s.gateway.metric('smsbridge_config_reloads_total', { result: 'ok' }), 1);
  const good = fs.readFileSync(s.gateway.file, 'utf8');
  const bad = {
    'an unknown key': `${good}\nwindows: 7\n`,
    'no YAML': '{{{',
    'a duplicate key': `${good}\nlog:\n  level: info\n`,
    'a bad value': good.replace('level: debug', 'level: loud'),
    empty: '',
    'an alias': good.replace('level: debug', 'level: &a debug').concat('\nx: *a\n'),
    'a certificate that is none': good.replace(/certificate: .*/, `certificate: ${s.gateway.file}`),
  };
  for (const [name, text] of Object.entries(bad)) {
    const before = s.gateway.linesOf('reload_failed').length;
    fs.writeFileSync(s.gateway.file, text);
    s.gateway.signal('SIGHUP');
    const line = await until(() => s.gateway.linesOf('reload_failed')[before], name);
    assert.ok(line.reason, 'says why');
    await s.carrier.got((await s.api.accepted()).draft);
  }
  assert.equal(await s.gateway.metric('smsbridge_config_reloads_total', { result: 'failed' }), Object.keys(bad).length);
  // what only a restart can change keeps its value and is named
  await s.gateway.reload((c) => {
    c.carriers[0].window = 3;
  });
  assert.match(s.gateway.linesOf('reloaded').at(-1).field, /window/);
  await s.carrier.got((await s.api.accepted()).draft);
});

test('SIGHUP leaves a moved clock where it is, unless its settings change', async (t) => {
  const s = await setup(t, { config: { clock: { start: NOON, rate: 3600 } } });
  const created = async () => Date.parse((await s.api.message((await s.api.accepted()).id)).created_at);
  const hour = Date.parse(NOON) + 3600_000;
  const before = await until(async () => {
    const at = await created();
    return at > hour && at;
  }, 'an hour of the rule clock');
  await s.gateway.reload((c) => {
    c.log = { level: 'debug' };
  });
  assert.ok((await created()) > before, 'the clock went on');
  assert.equal(s.gateway.linesOf('clock_moved').length, 1);
  await s.gateway.moveClock('2026-03-02T11:00:00-05:00', 3600);
  assert.equal(s.gateway.linesOf('clock_moved').length, 2);
  assert.ok((await created()) < before, 'and is moved when it is told to');
});

test('a new certificate is served after SIGHUP', async (t) => {
  const s = await setup(t, {});
  const before = await s.api.raw();
  const old = before.socket.getPeerCertificate().fingerprint;
  const dir = s.gateway.dir;
  const [cert, key] = ['new-cert.pem', 'new-key.pem'].map((f) => path.join(dir, f));
  const made = await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  assert.equal(made.code, 0);
  const text = fs.readFileSync(s.gateway.file, 'utf8');
  fs.writeFileSync(
    s.gateway.file,
    text.replace(/certificate: .*/, `certificate: ${cert}`).replace(/\n {2}key: .*/, `\n  key: ${key}`),
  );
  s.gateway.signal('SIGHUP');
  await until(() => s.gateway.line('reloaded'), 'reloaded');
  const after = await s.api.raw({ rejectUnauthorized: false });
  assert.notEqual(after.socket.getPeerCertificate().fingerprint, old);
  await before.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => before.answers().length === 1, 'the old connection goes on');
  before.destroy();
  after.destroy();
});

test('a second process of the same name takes over: the first ends with 1, nothing is sent twice', async (t) => {
  const s = await setup(t, { link: { window: 20 }, carrier: { onSubmit: () => ({ delay: 30 }) } });
  const load = new Load(t, s, { from: 1200, streams: 4, pace: 100 });
  await until(() => load.accepted.size >= 40, 'load');
  const second = await another(t, s, { node: 'gateway-1', link: { window: 20 } });
  await second.start();
  const end = await Promise.race([s.gateway.exited, pause(30000)]);
  await load.stop();
  assert.deepEqual(end, { code: 1, signal: null });
  s.gateway.api.close();
  const more = await second.api.accepted({ phone: phoneAt(1199) });
  await s.carrier.got(more.draft);
  load.accepted.set(more.draft.body, more.id);
  t.diagnostic(JSON.stringify(await judge(s, load)));
});

test('two nodes share the work; one dies; the other goes on', async (t) => {
  const s = await setup(t, { link: { window: 5 }, carrier: { onSubmit: () => ({ delay: 40 }) } });
  const two = await another(t, s, { link: { window: 5 } });
  await two.start();
  await s.carrier.bound(2);
  const all = await Promise.all(
    Array.from({ length: 120 }, (_, i) => (i % 2 ? s.api : two.api).accepted({ phone: phoneAt(1400 + i) })),
  );
  await until(() => s.carrier.submits.length >= 30, 'under way');
  await two.killNow();
  await until(
    async () => (await s.db.sql("SELECT 1 FROM smsbridge.message WHERE status IN ('queued', 'held')")).length === 0,
    'the other sends the rest',
    30000,
  );
  for (const m of all) assert.ok(s.carrier.of(m.draft.body).length <= 1, 'never twice');
  const open = async () =>
    (await s.db.sql("SELECT count(*)::int AS n FROM smsbridge.message WHERE status = 'sending'"))[0].n;
  await until(async () => (await open()) <= 5, "only the dead one's are open");
});

test('leftovers of a killed process are uncertain at the next start', async (t) => {
  let silent = true;
  const s = await setup(t, { link: { window: 5 }, carrier: { onSubmit: () => (silent ? { silent: true } : {}) } });
  const all = await Promise.all(Array.from({ length: 8 }, () => s.api.accepted()));
  await until(() => s.carrier.submits.length === 5, 'five on the wire');
  const open = new Set(s.carrier.submits.map((x) => x.text));
  await s.gateway.kill();
  silent = false;
  await s.gateway.start();
  for (const m of all) {
    await becomes(s, m.id, open.has(m.draft.body) ? 'uncertain' : 'sent', 20000);
    if (open.has(m.draft.body)) {
      const row = await s.db.message(m.id);
      assert.equal(row.reason, 'process_ended');
      assert.ok(row.counted_at, 'it counts');
    }
  }
  await never(() => all.some((m) => s.carrier.of(m.draft.body).length > 1), 'sent again', 500);
});

test('the database is not there at the start: not ready, then ready by itself', async (t) => {
  const s = await setup(t, { start: false });
  await theCluster().halt('fast');
  await s.gateway.start({ ready: false });
  assert.equal((await s.api.get('/livez')).status, 200);
  assert.equal((await s.api.get('/readyz')).status, 503);
  assert.equal((await s.api.send()).status, 503);
  await theCluster().launch();
  await until(async () => (await s.api.get('/readyz')).status === 200, 'ready', 30000);
  await s.carrier.got((await s.api.accepted()).draft);
});

test('exit codes', async (t) => {
  const s = await setup(t, { start: false });
  await s.gateway.write();
  const good = fs.readFileSync(s.gateway.file, 'utf8');
  const file = (name, text) => {
    const at = path.join(s.gateway.dir, name);
    fs.writeFileSync(at, text);
    return at;
  };
  const moved = file(
    'moved.yaml',
    good.replace('host: 127.0.0.1\n', 'host: 192.0.2.7\n').replace('tls: false', 'tls: true'),
  );
  const cases = [
    ['run refuses a moved clock with a carrier off loopback', ['run', '--config', moved], 78, /clock/],
    ['run without a file', ['run', '--config', path.join(s.gateway.dir, 'none.yaml')], 78],
    [
      'run with an unknown setting tells where',
      ['run', '--config', file('u.yaml', `${good}windoww: 1\n`)],
      78,
      /u\.yaml:\d+:\d+: /,
    ],
    [
      'plain HTTP off loopback',
      [
        'run',
        '--config',
        file(
          'p.yaml',
          good.replace('listen: 127.0.0.1:0', 'listen: 0.0.0.0:0').replace(/ {2}(certificate|key): .*\n/g, ''),
        ),
      ],
      78,
      /listen/,
    ],
    [
      'plain SMPP off loopback',
      [
        'run',
        '--config',
        file('s.yaml', good.replace('host: 127.0.0.1\n', 'host: 192.0.2.7\n').replace(/clock:\n.*\n/, '')),
      ],
      78,
      /tls/,
    ],
    ['no command', [], 2],
    ['an unknown command', ['fly'], 2],
    ['an unknown option', ['run', '--fly'], 2],
    ['an option without its value', ['run', '--config'], 2],
    ['check: good', ['check', '--config', s.gateway.file], 0],
    ['check: bad', ['check', '--config', moved], 78],
    ['practice without a verb', ['practice', '--database', s.db.owner], 2],
    ['key without a practice', ['key', 'create', '--database', s.db.owner], 2],
    [
      'a practice that does not exist',
      ['practice', 'set', '019c0000-0000-7000-8000-000000000000', '--name', 'X', '--database', s.db.owner],
      1,
    ],
    ['a key that does not exist', ['key', 'revoke', 'nope', '--database', s.db.owner], 1],
    ['an id that is none', ['key', 'create', 'nope', '--database', s.db.owner], 1],
    ['no database', ['practice', 'list', '--database', 'host=/nonexistent dbname=x'], 1],
    ['migrate without a database', ['migrate', '--database', 'host=/nonexistent dbname=x'], 1],
    ['migrate again changes nothing', ['migrate', '--database', s.db.owner], 0],
    ['help', ['--help'], 0],
    ['help of a command', ['run', '--help'], 0],
    [
      'a sender twice',
      ['practice', 'add', '--name', 'Twice', '--phone', '555', '--sender', s.practice.sender, '--database', s.db.owner],
      1,
    ],
  ];
  for (const [name, args, code, told] of cases) {
    await t.test(name, async () => {
      const done = await run(binary, args, { timeout: 20000 });
      assert.equal(done.code, code, `${done.stderr}${done.stdout}`);
      if (told) assert.match(done.stderr, told);
      if (code === 0)
        assert.ok(done.stdout.length > 0 || args[0] === 'migrate' || args[0] === 'check', 'results on stdout');
      else if (args.length)
        assert.ok(done.stderr.length > 0 && done.stdout === '', 'talk on stderr, nothing on stdout');
    });
  }
  await t.test('check --json', async () => {
    const done = await run(binary, ['check', '--config', moved, '--json']);
    assert.equal(done.code, 78);
    const told = JSON.parse(done.stdout);
    assert.equal(told.ok, false);
    assert.ok(told.errors.length >= 1);
  });
  await t.test('check tells what a good configuration puts at risk', async () => {
    const quiet = JSON.parse((await run(binary, ['check', '--config', s.gateway.file, '--json'])).stdout);
    assert.deepEqual(quiet, { ok: true, errors: [], warnings: [] });
    const deaf = file('deaf.yaml', good.replace('    port:', '    bind: transmitter\n    port:'));
    const done = await run(binary, ['check', '--config', deaf, '--json']);
    assert.equal(done.code, 0);
    const [warning, ...more] = JSON.parse(done.stdout).warnings;
    assert.match(warning, /^transmitter_only: test: receipts and STOPs cannot come/);
    assert.deepEqual(more, []);
    assert.match((await run(binary, ['check', '--config', deaf])).stderr, /transmitter_only.*\n.*: good\n$/);
  });
  await t.test('check looks into hashes and for time zones', async () => {
    const hash = file('damaged.hash', 'scrypt$16384$8$1$c2FsdA==$aGFzaA==\n');
    const more = `    password_hash_file: ${hash}\nsenders:\n  - number: +12125550100\n    reset_zone: America/Nowhere\n`;
    const done = await run(binary, ['check', '--config', file('outside.yaml', good.trimEnd().concat('\n', more))]);
    assert.equal(done.code, 78);
    assert.match(done.stderr, /carriers\[0\]\.password_hash_file: the file holds a damaged hash/);
    assert.match(done.stderr, /senders\[0\]\.reset_zone: policy\.tzdata has no such time zone/);
    assert.ok(!done.stderr.includes('c2FsdA'), 'but never shows one');
  });
  await t.test('check --example is what the repository shows', async () => {
    const done = await run(binary, ['check', '--example']);
    assert.equal(done.code, 0);
    const shown = fs.readFileSync(new URL('../../config.yaml.example', import.meta.url), 'utf8');
    assert.equal(done.stdout, shown);
  });
});

test('password: a hash that another implementation of scrypt agrees with', async (t) => {
  const password = (input, ...args) => run(binary, ['password', ...args], { input });
  const agrees = (line, secret) => {
    const [kind, N, r, p, salt, hash, ...more] = line.trim().split('$');
    assert.deepEqual([kind, N, r, p, more], ['scrypt', '16384', '8', '1', []]);
    const made = crypto.scryptSync(secret, Buffer.from(salt, 'base64'), 32, { N: 16384, r: 8, p: 1 });
    return made.toString('base64') === hash;
  };
  await t.test('from standard input, without the newline at its end', async () => {
    for (const input of ['s3cret', 's3cret\n', 's3cret\r\n']) {
      const done = await password(input);
      assert.equal(done.code, 0);
      assert.ok(agrees(done.stdout, 's3cret'), JSON.stringify(input));
      assert.ok(!agrees(done.stdout, 's3cret\n'));
      assert.equal(done.stderr, '');
    }
  });
  await t.test('generated: told once, on standard error', async () => {
    const done = await password('', '--generate');
    const [, secret] = /^password: (\S{8})\n$/.exec(done.stderr);
    assert.ok(agrees(done.stdout, secret));
    const long = JSON.parse((await password('', '--generate', '--length', '64', '--json')).stdout);
    assert.match(long.password, /^[a-zA-Z2-9]{64}$/);
    assert.ok(agrees(long.hash, long.password));
    assert.notEqual((await password('', '--generate')).stderr, done.stderr);
  });
  await t.test('what no bind can carry is refused', async () => {
    for (const input of ['', '\n', 'x'.repeat(65), 'x'.repeat(100000), 'tab\there', 'nul\0'])
      assert.deepEqual(
        (({ code, stdout }) => ({ code, stdout }))(await password(input)),
        { code: 1, stdout: '' },
        JSON.stringify(input.slice(0, 80)),
      );
    for (const length of ['7', '65', 'x', ''])
      assert.equal((await password('', '--generate', '--length', length)).code, 2);
    assert.equal((await password('x', '--length', '9')).code, 2);
  });
});
