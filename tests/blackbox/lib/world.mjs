// Everything a test needs, put together and taken down again, on failure too.
import { after } from 'node:test';
import { Carrier } from './carrier.mjs';
import { Cluster } from './cluster.mjs';
import { Gateway } from './gateway.mjs';
import { assertPrivate, keepPhone, keepSecret } from './privacy.mjs';
import { Receiver } from './hooks.mjs';
import { judgeHeard } from './judge.mjs';
import { stopPrism } from './prism.mjs';
import { binary, must, run } from './util.mjs';

let cluster;
const open = new Set();
const databases = new Set();

let senders = 0;

/** Await once in a file, first of all: one cluster for it, and what its gateways wrote is searched at its end. */
export async function world() {
  cluster = await Cluster.start();
  after(async () => {
    const faults = [];
    for (const part of [...open].reverse()) await part().catch((error) => faults.push(error));
    const decided = faults.length ? 0 : await replayed().catch((error) => faults.push(error));
    await cluster?.stop();
    await stopPrism();
    if (faults.length) throw faults[0];
    console.log(`# ${decided} verdicts were decided again from their events, none differently`);
    const { texts, octets, registered } = assertPrivate();
    console.log(`# searched ${texts} logs and metrics, ${octets} octets, for ${registered} texts`);
    const { written, connections } = await judgeHeard();
    console.log(`# tshark read ${written} PDUs of ours on ${connections} connections`);
  });
}

/** Every verdict of every gateway that ran, decided again from the facts in its event: all as they were. */
async function replayed() {
  let decided = 0;
  for (const db of databases) {
    const args = ['replay', '--from', '2020-01-01', '--to', '2060-12-31', '--database', db.owner, '--json'];
    const done = await run(binary, args);
    if (done.code !== 0) throw new Error(`replay: ${done.stdout.slice(0, 2000)}${done.stderr}`);
    decided += JSON.parse(done.stdout).decided;
  }
  return decided;
}

/** Leaves a database out of the replay at the end: what is in it did not happen. */
export const planted = (db) => databases.delete(db);

export const theCluster = () => cluster;

/** Ends a part with the test (t) or, when t is missing, with the file. */
export function atEnd(t, close) {
  let done;
  const once = () => {
    open.delete(once);
    done ??= close();
    return done;
  };
  open.add(once);
  t?.after(once);
  return once;
}

export async function practice(
  db,
  {
    name = 'Elm Street Clinic',
    phone = '(212) 555-0199',
    sender,
    webhook,
    text,
    segments,
    attested = true,
    identity = false,
    more = [],
  } = {},
) {
  sender ??= `+1${646 + (senders % 2)}55501${String(senders++ % 100).padStart(2, '0')}`;
  const args = [
    'practice',
    'add',
    '--database',
    db.owner,
    '--name',
    name,
    '--phone',
    phone,
    '--sender',
    sender,
    '--json',
    // Gateways run on a moved clock: what was attested was so before any of their times.
    '--at',
    '2020-01-01T00:00:00Z',
    // Most tests send short bodies: who sends them is told by the sender's registered campaign.
    '--require-identity',
    String(identity),
    ...more,
  ];
  if (attested) args.push('--attested-by', 'Jo Rivera');
  if (webhook) args.push('--webhook-url', webhook);
  if (text) args.push('--webhook-text', 'true');
  if (segments) args.push('--segments', String(segments));
  const [made] = JSON.parse((await must(binary, args)).stdout);
  const p = { ...made, sender };
  keepPhone(sender);
  keepPhone(phone);
  keepSecret(made.webhook_secret);
  p.key = await key(db, p.id);
  return p;
}

export async function key(db, practiceId, more = []) {
  const [made] = JSON.parse(
    (await must(binary, ['key', 'create', practiceId, '--database', db.owner, '--json', ...more])).stdout,
  );
  keepSecret(made.key);
  keepSecret(made.key.split('_')[2]);
  return made.key;
}

/**
 * One database, one carrier, one gateway, one practice (with a receiver when hooks is given).
 * carrier: options of Carrier; link: settings of the carrier in the configuration; config: the rest.
 */
export async function setup(t, options) {
  try {
    return await build(t, options);
  } catch (error) {
    if (!t) {
      // the file cannot go on and its hooks do not run
      for (const part of [...open].reverse()) await part().catch(() => {});
      await cluster.stop();
    }
    throw error;
  }
}

async function build(
  t,
  {
    carrier: behaviour = {},
    link = {},
    config = {},
    hooks,
    practice: about = {},
    bind = true,
    tls = true,
    start = true,
  } = {},
) {
  const s = {};
  s.db = await cluster.database();
  databases.add(s.db);
  s.carrier = await new Carrier(behaviour).start();
  atEnd(t, () => s.carrier.stop());
  if (hooks !== undefined) {
    s.hooks = await new Receiver(hooks || undefined).start();
    atEnd(t, () => s.hooks.stop());
    about = { ...about, webhook: s.hooks.url('/elm') };
  }
  s.practice = await practice(s.db, about);
  s.hooks?.secrets.set('/elm', s.practice.webhook_secret);
  s.gateway = new Gateway(s.db, { carriers: [{ port: s.carrier.port, ...link }], config, tls });
  s.gateway.key = s.practice.key;
  atEnd(t, () => s.gateway.close());
  if (start) {
    await s.gateway.start();
    if (bind) await s.carrier.bound();
  }
  Object.defineProperty(s, 'api', { get: () => s.gateway.api });
  return s;
}

/** A second gateway on the same database. */
export async function another(t, s, { node = 'gateway-2', carrier = s.carrier, config = {}, link = {} } = {}) {
  const g = new Gateway(s.db, { carriers: [{ port: carrier.port, ...link }], config: { node, ...config } });
  g.key = s.practice.key;
  atEnd(t, () => g.close());
  return g;
}
