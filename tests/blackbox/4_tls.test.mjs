// TLS with carriers, whoever connects: who shows what to whom, what a reload renews and what it leaves, what is said when one side
// speaks something else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import test from 'node:test';
import { smpp } from './lib/carrier.mjs';
import { Authority } from './lib/certs.mjs';
import { hear } from './lib/judge.mjs';
import { RawSession, z } from './lib/wire.mjs';
import { binary, must, never, until } from './lib/util.mjs';
import { atEnd, setup, world } from './lib/world.mjs';

await world();

const ours = await Authority.make('our authority');
const theirs = await Authority.make('their authority');
const server = await theirs.issue('smsc.example', { san: 'DNS:smsc.example,DNS:localhost' });

const link = (more) => ({ host: 'localhost', tls: true, tls_ca: theirs.file, ...more });
const identity = ({ cert, key }) => ({ tls_certificate: cert, tls_key: key });
/** A carrier that lets in only whom our authority vouches for, and notes what it is asked for and shown. */
const asking = () => {
  const seen = { names: [], certificates: [] };
  const tls = {
    ...server.pem,
    ca: ours.pem,
    requestCert: true,
    rejectUnauthorized: true,
    SNICallback: (name, done) => {
      seen.names.push(name);
      done(null);
    },
  };
  const onBind = (pdu, session) => {
    seen.certificates.push(session.socket.getPeerX509Certificate().fingerprint256);
    return 0;
  };
  return { seen, tls, onBind };
};
const told = (s, pattern) =>
  until(
    () => s.gateway.linesOf('link_down').some((x) => pattern.test(x.reason)),
    () => `${pattern} in ${JSON.stringify(s.gateway.linesOf('link_down'))}`,
  );
const expiry = (s, labels) => s.gateway.metric('smsbridge_tls_certificate_expiry_seconds', labels);

test('a carrier that asks for our certificate: bound with it, not without', async (t) => {
  const client = await ours.issue('clinic.example');
  const carrier = asking();
  const s = await setup(t, { carrier, link: link(identity(client)) });
  const m = await s.api.accepted();
  await s.carrier.got(m.draft);
  assert.deepEqual(carrier.seen.certificates, [client.fingerprint]);
  assert.equal(await expiry(s, { role: 'carrier', carrier: 'test' }), client.ends);
  const nameless = await setup(t, { carrier: asking(), link: link(), bind: false });
  await told(nameless, /alert certificate required/);
  const stranger = await theirs.issue('clinic.example');
  const other = await setup(t, { carrier: asking(), link: link(identity(stranger)), bind: false });
  await told(other, /^closed by the peer once it had seen our client certificate$/);
  assert.equal(nameless.carrier.binds.length + other.carrier.binds.length, 0);
});

test('tls_server_name is asked for and looked for, instead of the host', async (t) => {
  const carrier = asking();
  const client = await ours.issue('clinic.example');
  const by = (name) => link({ ...identity(client), host: '127.0.0.1', tls_server_name: name });
  const s = await setup(t, { carrier, link: by('smsc.example') });
  assert.deepEqual(carrier.seen.names, ['smsc.example']);
  await s.gateway.stop();
  const wrong = await setup(t, { carrier: { tls: server.pem }, link: by('smsc2.example'), bind: false });
  await told(wrong, /certificate not accepted: hostname mismatch/);
  const none = await setup(t, { carrier: { tls: server.pem }, link: by(undefined), bind: false });
  await told(none, /certificate not accepted: IP address mismatch/);
  assert.equal(wrong.carrier.binds.length + none.carrier.binds.length, 0);
});

test('a reload renews the certificate for the next connection and drops none', async (t) => {
  const first = await ours.issue('clinic.example');
  const second = await ours.issue('clinic.example', { days: 300 });
  const carrier = asking();
  const s = await setup(t, { carrier, link: link(identity(first)) });
  await s.gateway.reload((c) => Object.assign(c.carriers[0], identity(second)));
  assert.equal(s.gateway.linesOf('reloaded').at(-1).field, '', 'nothing waits for a restart');
  assert.equal(await expiry(s, { role: 'carrier' }), second.ends);
  const m = await s.api.accepted();
  await s.carrier.got(m.draft);
  assert.deepEqual(carrier.seen.certificates, [first.fingerprint], 'the same bind');
  assert.equal(s.carrier.closes, 0);
  s.carrier.dropAll();
  await until(() => s.carrier.binds.length === 2, 'binds again');
  assert.equal(carrier.seen.certificates[1], second.fingerprint);
});

test('files that do not load leave all as it was', async (t) => {
  const client = await ours.issue('clinic.example');
  const carrier = asking();
  const s = await setup(t, { carrier, link: link(identity(client)) });
  const good = { ...s.gateway.config.carriers[0] };
  const bad = {
    'a key of another certificate': { tls_key: server.key },
    'a certificate that is not there': { tls_certificate: `${client.cert}.none` },
    'authorities that are none': { tls_ca: client.key },
  };
  for (const [name, change] of Object.entries(bad)) {
    await s.gateway.reload((c) => Object.assign(c.carriers[0], good, change), 'reload_failed');
    const [file] = Object.values(change);
    assert.ok(s.gateway.linesOf('reload_failed').at(-1).reason.startsWith(`${file}: `), `${name}: names the file`);
  }
  s.carrier.dropAll();
  await until(() => s.carrier.binds.length === 2, 'binds again');
  assert.deepEqual(carrier.seen.certificates, [client.fingerprint, client.fingerprint]);
});

test('a link that waits is helped by a reload at once; whether there is TLS waits for a restart', async (t) => {
  const s = await setup(t, { carrier: { tls: server.pem }, link: link({ tls_ca: ours.file }), bind: false });
  await until(() => s.gateway.linesOf('link_down').length >= 3, 'waits some seconds by now');
  await s.gateway.reload((c) => Object.assign(c.carriers[0], { tls: false }));
  assert.match(s.gateway.linesOf('reloaded').at(-1).field, /carriers\[0\]\.tls$/m);
  await never(() => s.carrier.pdus.length, 'a bind in clear');
  const before = Date.now();
  await s.gateway.reload((c) => Object.assign(c.carriers[0], { tls_ca: theirs.file }));
  await s.carrier.bound();
  assert.ok(Date.now() - before < 5000, `${Date.now() - before} ms`);
});

test('the certificate of HTTP cannot be taken away by a reload', async (t) => {
  const s = await setup(t, {});
  s.gateway.tls = false;
  await s.gateway.reload((c) => {
    delete c.http.certificate;
    delete c.http.key;
  }, 'reload_failed');
  assert.match(s.gateway.linesOf('reload_failed').at(-1).reason, /http\.certificate: .*restart/);
  await s.api.accepted();
});

test('the end of a certificate is a metric, and a warning before it comes', async (t) => {
  const s = await setup(t, {}); // its certificate lasts two days
  const left = (await expiry(s, { role: 'http' })) - Date.now() / 1000;
  assert.ok(left > 86400 && left < 2 * 86400 + 60, `${left} s`);
  assert.match(s.gateway.line('certificate_ends').warning, /within 30 days/);
});

/** A TCP server that is no carrier. */
async function impostor(t, talk) {
  const sockets = new Set();
  const listener = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return listener.address().port;
}

test('one side speaks TLS and the other does not: the reason says so', async (t) => {
  await t.test('TLS to a carrier that speaks plain SMPP and answers', async (t) => {
    const nack = Buffer.from('00000010800000000000000200000000', 'hex');
    const port = await impostor(t, (socket) => socket.once('data', () => socket.write(nack)));
    await told(await setup(t, { link: link({ port }), bind: false }), /^plain SMPP where TLS was expected$/);
  });
  await t.test('TLS to a carrier that speaks plain SMPP and waits', async (t) => {
    const port = await impostor(t, () => {});
    const s = await setup(t, { link: link({ port, bind_timeout: '300ms' }), bind: false });
    await told(s, /^no TLS handshake came in time; does the peer speak plain SMPP\?$/);
  });
  await t.test('plain SMPP to a carrier that speaks TLS and says so', async (t) => {
    const alert = Buffer.from('15030100020246', 'hex'); // protocol_version
    const port = await impostor(t, (socket) => socket.once('data', () => socket.end(alert)));
    const s = await setup(t, { link: { port }, bind: false });
    await told(s, /^looks_like_tls$/);
  });
  await t.test('plain SMPP to a carrier that speaks TLS and goes', async (t) => {
    const s = await setup(t, { carrier: { tls: server.pem }, bind: false });
    await told(s, /^closed by the peer before it said anything; does it expect TLS\?$/);
    assert.equal(s.carrier.binds.length, 0);
  });
  await t.test('TLS to a carrier that goes in the middle of it', async (t) => {
    const port = await impostor(t, (socket) => socket.once('data', () => socket.end()));
    const s = await setup(t, { link: link({ port }), bind: false });
    await told(s, /^closed by the peer during the TLS handshake$/);
  });
  await t.test('plain SMPP to a web server', async (t) => {
    const web = http.createServer().listen(0, '127.0.0.1');
    await once(web, 'listening');
    atEnd(t, () => web.close());
    const s = await setup(t, { link: { port: web.address().port }, bind: false });
    await told(s, /^looks_like_http$/);
  });
});

test('a key that needs a passphrase fails the start instead of asking for it', async (t) => {
  const locked = `${server.key}.locked`;
  await must('openssl', ['pkey', '-in', server.key, '-aes128', '-passout', 'pass:x', '-out', locked]);
  const s = await setup(t, {
    link: link({ tls_certificate: server.cert, tls_key: locked }),
    start: false,
  });
  await s.gateway.launch();
  const end = await s.gateway.exited;
  assert.equal(end.code, 1);
  assert.ok(s.gateway.log.includes(`${locked}: `), s.gateway.log);
});

// --- carriers that connect to us -------------------------------------------------------------------------------------

/** A gateway that carriers bind to over TLS, with its own certificate and the line of the password. */
async function gate(t, { carriers, smpp: more, ...options }) {
  const certificate = await ours.issue('gateway.example', { san: 'DNS:localhost' });
  const hash = (await must(binary, ['password'], { input: 'pw-gate' })).stdout;
  const s = await setup(t, { ...options, start: false });
  const file = path.join(s.gateway.dir, 'hash');
  fs.writeFileSync(file, hash);
  s.gateway.config.carriers = carriers.map(({ password, ...c }) => {
    const ours = path.join(s.gateway.dir, `password-${c.name}`);
    if (password) fs.writeFileSync(ours, password);
    return { password_hash_file: file, ...(password && { password_file: ours }), ...c };
  });
  s.gateway.config.smpp = { listen: '127.0.0.1:0', certificate: certificate.cert, key: certificate.key, ...more };
  await s.gateway.start();
  s.certificate = certificate;
  s.listens = Number(s.gateway.line('smpp_listening').listen.split(':').pop());
  return s;
}

/** Binds as that system_id; resolves with {session, status} or, when the connection ends before, {error}. */
function bind(t, s, system_id, { password = 'pw-gate', ...tlsOptions } = {}) {
  const session = smpp.connect({
    host: '127.0.0.1',
    port: s.listens,
    tls: true,
    servername: 'localhost',
    ca: ours.pem,
    ...tlsOptions,
  });
  hear(session.socket);
  atEnd(t, () => session.destroy());
  return new Promise((resolve) => {
    session.on('error', (error) => resolve({ error }));
    session.on('close', () => resolve({ error: new Error('closed') }));
    session.on('secureConnect', () =>
      session.bind_transceiver({ system_id, password }, (answer) =>
        resolve({ session, status: answer.command_status }),
      ),
    );
  });
}

const outbind = (name) => ({ name, connect: 'outbind', system_id: 'smsbridge', outbind_system_id: name });
const accept = (system_id, more) => ({ name: system_id, connect: 'accept', system_id, ...more });

test('carriers bind to us over TLS: by password, and by the name in a certificate where one is asked for', async (t) => {
  const s = await gate(t, {
    carriers: [accept('open'), accept('named', { peer_name: 'smsc.example' })],
    smpp: { client_ca: theirs.file },
  });
  const named = server.pem; // bears smsc.example
  const other = (await theirs.issue('other.example')).pem;
  const stranger = (await ours.issue('smsc.example')).pem;
  const rows = [
    ['open', {}, 0, 'no certificate is needed'],
    ['open', { password: 'pw-other' }, smpp.ESME_RINVPASWD, 'but the password is'],
    ['named', named, 0, 'with its certificate'],
    ['named', { ...named, password: 'pw-other' }, smpp.ESME_RINVPASWD, 'which is not enough'],
    ['named', {}, smpp.ESME_RBINDFAIL, 'without one'],
    ['named', other, smpp.ESME_RBINDFAIL, "with somebody else's"],
    ['nobody', named, smpp.ESME_RINVSYSID, 'no such account'],
  ];
  for (const [who, how, status, what] of rows) {
    const told = await bind(t, s, who, how);
    assert.equal(told.status, status, `${who}: ${what}: ${told.error}`);
    if (status === 0) {
      await until(async () => (await s.gateway.metric('smsbridge_smpp_link_bound', { carrier: who })) === 1, 'bound');
      told.session.close();
    }
  }
  assert.ok((await bind(t, s, 'named', stranger)).error, 'one that nobody vouches for ends the handshake');
  await until(
    () => s.gateway.linesOf('guest_gone').some((x) => /client certificate not accepted/.test(x.reason)),
    'told',
  );
  assert.equal(await s.gateway.metric('smsbridge_smpp_binds_refused_total', { reason: 'certificate' }), 2);
});

test('the listener: its certificate is renewed without dropping a bind; plain SMPP and HTTP are told apart', async (t) => {
  const s = await gate(t, { carriers: [accept('one', { links: 2 })] });
  const shows = ({ session }) => session.socket.getPeerX509Certificate().fingerprint256;
  const first = await bind(t, s, 'one');
  assert.equal(shows(first), s.certificate.fingerprint);
  assert.equal(await expiry(s, { role: 'smpp' }), s.certificate.ends);
  const renewed = await ours.issue('gateway.example', { san: 'DNS:localhost', days: 200 });
  await s.gateway.reload((c) => Object.assign(c.smpp, { certificate: renewed.cert, key: renewed.key }));
  const second = await bind(t, s, 'one');
  assert.equal(shows(second), renewed.fingerprint);
  assert.equal(await expiry(s, { role: 'smpp' }), renewed.ends);
  assert.equal(await s.gateway.metric('smsbridge_smpp_link_bound', { carrier: 'one' }), 2, 'both are bound');
  await new Promise((resolve) => first.session.enquire_link({}, resolve));
  const gone = (reason) =>
    until(
      () => s.gateway.linesOf('guest_gone').some((x) => x.reason === reason),
      () => JSON.stringify(s.gateway.linesOf('guest_gone')),
    );
  for (const [octets, reason] of [
    [Buffer.from('00000010000000150000000000000001', 'hex'), 'plain SMPP where TLS was expected'],
    [Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'plain HTTP where TLS was expected'],
  ]) {
    const socket = net.connect(s.listens, '127.0.0.1', () => socket.write(octets));
    socket.on('error', () => {});
    atEnd(t, () => socket.destroy());
    await gone(reason);
  }
  await s.gateway.reload((c) => {
    delete c.smpp.certificate;
    delete c.smpp.key;
  }, 'reload_failed');
  assert.match(s.gateway.linesOf('reload_failed').at(-1).reason, /smpp\.certificate: .*restart/);
});

test('a storm of binds with wrong passwords: bounded, the loop goes on, a known peer gets in', async (t) => {
  const s = await gate(t, { carriers: [accept('one', { links: 2 })] });
  const known = await bind(t, s, 'one');
  assert.equal(known.status, 0);
  known.session.close();
  await until(async () => (await s.gateway.metric('smsbridge_smpp_link_bound', { carrier: 'one' })) === 0, 'gone');
  let over = false;
  const storm = Promise.all(Array.from({ length: 40 }, (_, i) => bind(t, s, 'one', { password: `no-${i}` })));
  storm.then(() => {
    over = true;
  });
  const again = await bind(t, s, 'one');
  assert.equal(again.status, 0, 'its password matched before');
  assert.equal(over, false, 'so it did not wait for those before it');
  const told = await storm;
  assert.ok(told.every((x) => x.error || [smpp.ESME_RINVPASWD, smpp.ESME_RTHROTTLED].includes(x.status)));
  assert.ok(told.some((x) => x.status === smpp.ESME_RINVPASWD));
  await new Promise((resolve) => again.session.enquire_link({}, resolve));
});

// covers: ESME IN outbind
test('outbind: we bind back to whom the account describes, and tell nobody else our password', async (t) => {
  const s = await gate(t, {
    carriers: [
      { ...outbind('hashed'), password: 'told-1' },
      { ...outbind('placed'), password: 'told-2', password_hash_file: undefined, addresses: '127.0.0.0/8 192.0.2.1' },
      { ...outbind('elsewhere'), password: 'told-3', addresses: '192.0.2.0/24' },
    ],
    smpp: { listen: undefined, certificate: undefined, key: undefined, outbind_listen: '127.0.0.1:0' },
  });
  const port = Number(s.gateway.line('smpp_listening').peer.split(':').pop());
  const say = async (system_id, password) => {
    const socket = net.connect(port, '127.0.0.1');
    atEnd(t, () => socket.destroy());
    const session = new RawSession(socket);
    session.ask('outbind', Buffer.concat([z(system_id), z(password)]));
    await until(() => session.closed || session.of('bind_transceiver').length, 'a bind or the end');
    return session.of('bind_transceiver')[0]?.body.toString('latin1').split('\0').slice(0, 2);
  };
  assert.deepEqual(await say('hashed', 'pw-gate'), ['smsbridge', 'told-1']);
  assert.equal(await say('hashed', 'pw-other'), undefined, 'another password');
  assert.equal(await say('nobody', 'pw-gate'), undefined, 'no account');
  assert.equal(await say('elsewhere', 'pw-gate'), undefined, 'from elsewhere');
  assert.deepEqual(await say('placed', 'whatever'), ['smsbridge', 'told-2'], 'its address is enough');
});
