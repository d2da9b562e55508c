// HTTP by bare octets: what no client library would send, and whom it must not harm.
import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import test from 'node:test';
import { Api, RawClient } from './lib/api.mjs';
import { pause, slow, until } from './lib/util.mjs';
import { setup, world } from './lib/world.mjs';

await world();
const s = await setup(null);
const auth = `Authorization: Bearer ${s.practice.key}\r\n`;

function post(draft, { headers = '', path = '/v1/messages', length } = {}) {
  const body = Buffer.from(JSON.stringify(draft));
  return Buffer.concat([
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${auth}Content-Type: application/json\r\n${headers}Content-Length: ${length ?? body.length}\r\n\r\n`,
    ),
    body,
  ]);
}
const live = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
const answersTo = (c, n, ms = 15000) =>
  until(
    () => c.answers().length >= n && c.answers(),
    () => `${n} answers; got ${c.received.toString('latin1').slice(0, 2000)}`,
    ms,
  );

// A client that behaves, on one connection, all the time: it must never notice anything.
const bystander = await s.api.raw();
let wellServed = 0;
let bystanding = true;
const standing = (async () => {
  while (bystanding) {
    await bystander.write(live);
    wellServed++;
    await answersTo(bystander, wellServed);
    await pause(20);
  }
})();
standing.catch(() => {});

// Slow senders run beside everything else: their limits are ten and twenty seconds.
const slowSenders = (async () => {
  const result = {};
  const began = Date.now();
  const drip = async (name, first, octet) => {
    const c = await s.api.raw();
    await c.write(first);
    while (!c.closed && !c.ended && Date.now() - began < 60000 * slow) {
      await c.write(octet);
      await pause(400);
    }
    result[name] = { took: Date.now() - began, answers: c.answers() };
    c.destroy();
  };
  await Promise.all([
    drip('head', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ', 'a'),
    drip('first line', 'GE', 'T'),
    drip('body', post({ x: 1 }, { length: 5000 }), ' '),
    (async () => {
      const c = net.connect(s.gateway.port, '127.0.0.1'); // no TLS handshake at all
      await new Promise((resolve) => {
        c.on('close', resolve);
        c.on('error', () => {});
        c.resume();
        setTimeout(resolve, 60000 * slow).unref();
      });
      result.handshake = { took: Date.now() - began };
      c.destroy();
    })(),
  ]);
  return result;
})();
slowSenders.catch(() => {});

test('keep-alive: many requests on one connection; close when asked; HTTP/1.0', async () => {
  const c = await s.api.raw();
  for (let i = 1; i <= 50; i++) {
    await c.write(live);
    await answersTo(c, i);
  }
  assert.ok(c.answers().every((a) => a.status === 200));
  await c.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  await until(() => c.ended || c.closed, 'closed after Connection: close');
  assert.equal(c.answers().length, 51);
  const old = await s.api.raw();
  await old.write('GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n');
  await until(() => old.ended || old.closed, 'HTTP/1.0 closes');
  assert.equal(old.answers()[0].status, 200);
  const kept = await s.api.raw();
  await kept.write('GET /livez HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n');
  await answersTo(kept, 1);
  kept.destroy();
});

test('pipelining: answers in order, whatever each needs', async () => {
  const known = await s.api.accepted({ send_at: '2026-03-20T15:00:00Z' });
  const round = [
    [live, 200],
    [post(Api.draft()), 202],
    ['GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n', 404],
    [`GET /v1/messages/${known.id} HTTP/1.1\r\nHost: localhost\r\n${auth}\r\n`, 200],
    ['PUT /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc', 405],
    [post({ phone: 'x' }), 422],
    [post(Api.draft()), 202],
    ['GET /v1/messages HTTP/1.1\r\nHost: localhost\r\n\r\n', 401],
    [post(Api.draft(), { headers: 'Idempotency-Key: "' + '"\r\n' }), 400],
  ];
  const all = [...round, ...round, ...round, ...round];
  const c = await s.api.raw();
  await c.write(Buffer.concat(all.map(([octets]) => Buffer.from(octets))));
  const answers = await answersTo(c, all.length, 20000);
  assert.deepEqual(
    answers.map((a) => a.status),
    all.map(([, status]) => status),
  );
  c.destroy();
});

test('pipelined posts are each stored once, in order', async () => {
  const drafts = Array.from({ length: 60 }, () => Api.draft({ send_at: '2026-03-20T15:00:00Z' }));
  const c = await s.api.raw();
  await c.write(Buffer.concat(drafts.map((d) => post(d))));
  const answers = await answersTo(c, drafts.length, 20000);
  const ids = answers.map((a) => JSON.parse(a.body).id);
  for (const [i, id] of ids.entries()) assert.equal((await s.db.message(id)).patient, drafts[i].patient);
  c.destroy();
});

test('a pipeliner that never reads is held back, not buffered without end', async () => {
  const c = await s.api.raw();
  c.socket.pause();
  const chunk = Buffer.from('GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2000));
  const began = Date.now();
  let written = 0;
  for (let i = 0; i < 200 && !c.closed && Date.now() - began < 3000; i++) {
    c.socket.write(chunk, () => {
      written += chunk.length;
    });
    await pause(5);
  }
  await until(async () => (await s.api.get('/livez')).status === 200, 'others are served');
  c.destroy();
  assert.ok(written >= 0);
});

test('a request split at each octet', async () => {
  const draft = Api.draft({ send_at: '2026-03-20T15:00:00Z' });
  const octets = post(draft, { headers: 'Idempotency-Key: split-1\r\n' });
  const c = await s.api.raw();
  const bodies = new Set();
  for (let at = 1; at < octets.length; at++) {
    c.socket.write(octets.subarray(0, at));
    await new Promise(setImmediate);
    c.socket.write(octets.subarray(at));
    const answers = await answersTo(c, 1);
    assert.equal(answers[0].status, 202, `split at ${at}`);
    bodies.add(answers[0].body);
    c.received = Buffer.alloc(0);
  }
  assert.equal(bodies.size, 1);
  for (const octet of octets) await c.write(Buffer.from([octet]));
  assert.equal((await answersTo(c, 1))[0].status, 202);
  c.destroy();
});

test('chunked bodies, split at each octet too', async () => {
  const text = JSON.stringify(Api.draft({ send_at: '2026-03-20T15:00:00Z' }));
  const head =
    `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n${auth}Content-Type: application/json\r\n` +
    'Idempotency-Key: chunk-1\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunks = `10\r\n${text.slice(0, 16)}\r\n${(text.length - 16).toString(16).toUpperCase()};x=y\r\n${text.slice(16)}\r\n0\r\n\r\n`;
  const octets = Buffer.from(head + chunks);
  const c = await s.api.raw();
  for (let at = head.length - 2; at < octets.length; at += 3) {
    c.socket.write(octets.subarray(0, at));
    await new Promise(setImmediate);
    c.socket.write(octets.subarray(at));
    assert.equal((await answersTo(c, 1))[0].status, 202, `split at ${at}: ${c.received}`);
    c.received = Buffer.alloc(0);
  }
  c.destroy();
});

test('Expect: 100-continue', async () => {
  const body = JSON.stringify(Api.draft({ send_at: '2026-03-20T15:00:00Z' }));
  const c = await s.api.raw();
  await c.write(
    `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n${auth}Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  assert.equal((await answersTo(c, 1))[0].status, 100);
  await c.write(body);
  assert.equal((await answersTo(c, 2))[1].status, 202);
  c.destroy();
});

// --- what must be refused --------------------------------------------------------------------------------------------

const hidden = Api.draft({ patient: 'SMUGGLED-PATIENT', send_at: '2026-03-20T15:00:00Z' });
const smuggled = post(hidden).toString();
const p = (headers, body = '') =>
  `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n${auth}Content-Type: application/json\r\n${headers}\r\n${body}`;
const chunked = 'Transfer-Encoding: chunked\r\n';
const corpus = {
  'Content-Length and Transfer-Encoding': p(`Content-Length: 4\r\n${chunked}`, `0\r\n\r\n${smuggled}`),
  'Transfer-Encoding and Content-Length': p(`${chunked}Content-Length: 4\r\n`, `0\r\n\r\n${smuggled}`),
  'two lengths': p('Content-Length: 0\r\nContent-Length: 5\r\n', smuggled),
  'two equal lengths': p('Content-Length: 2\r\nContent-Length: 2\r\n', `{}${smuggled}`),
  'a list of lengths': p('Content-Length: 2, 2\r\n', `{}${smuggled}`),
  'a signed length': p('Content-Length: +2\r\n', `{}${smuggled}`),
  'a negative length': p('Content-Length: -1\r\n', smuggled),
  'a hexadecimal length': p('Content-Length: 0x2\r\n', `{}${smuggled}`),
  'a length with a blank inside': p('Content-Length: 1 2\r\n', `{}${smuggled}`),
  'a length with letters': p('Content-Length: 2a\r\n', `{}${smuggled}`),
  'an empty length': p('Content-Length: \r\n', smuggled),
  'a length past 64 bits': p('Content-Length: 18446744073709551618\r\n', `{}${smuggled}`),
  'a length past 63 bits': p('Content-Length: 9223372036854775808\r\n', `{}${smuggled}`),
  'chunked twice': p(`${chunked}${chunked}`, `0\r\n\r\n${smuggled}`),
  'chunked, identity': p('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${smuggled}`),
  'identity, chunked': p('Transfer-Encoding: identity, chunked\r\n', `0\r\n\r\n${smuggled}`),
  'gzip, chunked': p('Transfer-Encoding: gzip, chunked\r\n', `0\r\n\r\n${smuggled}`),
  xchunked: p('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${smuggled}`),
  'chunked in quotes': p('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${smuggled}`),
  'chunked and a vertical tab': p('Transfer-Encoding: \x0bchunked\r\n', `0\r\n\r\n${smuggled}`),
  'chunked, nothing': p('Transfer-Encoding: chunked,\r\n', `0\r\n\r\n${smuggled}`),
  'an empty Transfer-Encoding': p('Transfer-Encoding: \r\nContent-Length: 2\r\n', `{}${smuggled}`),
  'Transfer-Encoding in HTTP/1.0': `POST /v1/messages HTTP/1.0\r\nHost: localhost\r\n${auth}${chunked}\r\n0\r\n\r\n${smuggled}`,
  'a blank before the colon': p('Content-Length : 2\r\n', `{}${smuggled}`),
  'a tab before the colon': p('Transfer-Encoding\t: chunked\r\n', `0\r\n\r\n${smuggled}`),
  'a folded header': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n${smuggled}`,
  'a folded length': p('Content-Length:\r\n 2\r\n', `{}${smuggled}`),
  'a header folded by a tab': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n\tc\r\n\r\n${smuggled}`,
  'a blank before the first header': `GET /livez HTTP/1.1\r\n Host: localhost\r\n\r\n${smuggled}`,
  'a bare CR in a value': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: b\rTransfer-Encoding: chunked\r\n\r\n${smuggled}`,
  'a bare CR in a name': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX\rA: b\r\n\r\n${smuggled}`,
  "a bare LF at a header's end": `GET /livez HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n${smuggled}`,
  "a bare LF at the head's end": `GET /livez HTTP/1.1\r\nHost: localhost\r\n\n${smuggled}`,
  "a bare LF at the first line's end": `GET /livez HTTP/1.1\nHost: localhost\r\n\r\n${smuggled}`,
  'only LFs': 'GET /livez HTTP/1.1\nHost: localhost\n\n',
  'CR CR LF': `GET /livez HTTP/1.1\r\nHost: localhost\r\r\n\r\n${smuggled}`,
  'a NUL in a value': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: a\0b\r\n\r\n${smuggled}`,
  'a NUL in a name': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX\0A: b\r\n\r\n${smuggled}`,
  'a NUL in the target': `GET /live\0z HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'a NUL first': `\0GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'a control character in a value': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: a\x01b\r\n\r\n${smuggled}`,
  'DEL in a value': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: a\x7fb\r\n\r\n${smuggled}`,
  'two Hosts': `GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n${smuggled}`,
  'two different Hosts': `GET /livez HTTP/1.1\r\nHost: localhost\r\nhost: other\r\n\r\n${smuggled}`,
  'no Host': `GET /livez HTTP/1.1\r\nX-A: b\r\n\r\n${smuggled}`,
  'a Host with a user': `GET /livez HTTP/1.1\r\nHost: user@localhost\r\n\r\n${smuggled}`,
  'a Host with a path': `GET /livez HTTP/1.1\r\nHost: localhost/x\r\n\r\n${smuggled}`,
  'a Host with a blank': `GET /livez HTTP/1.1\r\nHost: local host\r\n\r\n${smuggled}`,
  'an empty header name': `GET /livez HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n${smuggled}`,
  'no colon': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A b\r\n\r\n${smuggled}`,
  'a bracket in a name': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX(A): b\r\n\r\n${smuggled}`,
  'an octet past ASCII in a name': Buffer.from(
    `GET /livez HTTP/1.1\r\nHost: localhost\r\nX\xe9: b\r\n\r\n${smuggled}`,
    'latin1',
  ),
  'HTTP/0.9': `GET /livez\r\n\r\n${smuggled}`,
  'HTTP/2.0': `GET /livez HTTP/2.0\r\nHost: localhost\r\n\r\n${smuggled}`,
  'the preface of HTTP/2': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled}`,
  'HTTP/1.2': `GET /livez HTTP/1.2\r\nHost: localhost\r\n\r\n${smuggled}`,
  'HTTP/1.10': `GET /livez HTTP/1.10\r\nHost: localhost\r\n\r\n${smuggled}`,
  'HTTP/01.1': `GET /livez HTTP/01.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'http/1.1 in small letters': `GET /livez http/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'no version': `GET /livez \r\nHost: localhost\r\n\r\n${smuggled}`,
  'two blanks': `GET  /livez HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'a tab between': `GET\t/livez\tHTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'a blank in the target': `GET /live z HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'a blank behind the version': `GET /livez HTTP/1.1 \r\nHost: localhost\r\n\r\n${smuggled}`,
  'an unknown method': `FETCH /livez HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'a method in small letters': `get /livez HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'CONNECT to an authority': `CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'a target past ASCII': Buffer.from(`GET /liv\xe9z HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`, 'latin1'),
  'a target without a slash': `GET livez HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'a target with a fragment': `GET /livez#x HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'an unknown Expect': p('Expect: 200-maybe\r\nContent-Length: 2\r\n', `{}${smuggled}`),
  'a long target': `GET /${'a'.repeat(20000)} HTTP/1.1\r\nHost: localhost\r\n\r\n${smuggled}`,
  'a long head': `GET /livez HTTP/1.1\r\nHost: localhost\r\n${`X-A: ${'b'.repeat(1000)}\r\n`.repeat(20)}\r\n${smuggled}`,
  'one long header': `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ${'b'.repeat(17000)}\r\n\r\n${smuggled}`,
  'many headers': `GET /livez HTTP/1.1\r\nHost: localhost\r\n${'A: b\r\n'.repeat(70)}\r\n${smuggled}`,
  'a long body': p('Content-Length: 70000\r\n', '{'.repeat(70000) + smuggled),
  'a long chunked body': p(chunked, `11170\r\n${'{'.repeat(70000)}\r\n0\r\n\r\n${smuggled}`),
  'many chunks': p(chunked, `${'400\r\n'.concat('a'.repeat(1024), '\r\n').repeat(70)}0\r\n\r\n${smuggled}`),
  'a chunk size with 0x': p(chunked, `0x2\r\n{}\r\n0\r\n\r\n${smuggled}`),
  'a signed chunk size': p(chunked, `+2\r\n{}\r\n0\r\n\r\n${smuggled}`),
  'a negative chunk size': p(chunked, `-2\r\n{}\r\n0\r\n\r\n${smuggled}`),
  'a blank behind the chunk size': p(chunked, `2 \r\n{}\r\n0\r\n\r\n${smuggled}`),
  'a chunk size past 64 bits': p(chunked, `10000000000000002\r\n{}\r\n0\r\n\r\n${smuggled}`),
  'a chunk longer than it says': p(chunked, `1\r\n{}\r\n0\r\n\r\n${smuggled}`),
  'a chunk ended by LF': p(chunked, `2\r\n{}\n0\r\n\r\n${smuggled}`),
  'a chunk size ended by LF': p(chunked, `2\n{}\r\n0\r\n\r\n${smuggled}`),
  'a chunk extension with a bare LF': p(chunked, `2;a\nb\r\n{}\r\n0\r\n\r\n${smuggled}`),
  'an endless chunk extension': p(chunked, `2;${'a'.repeat(40000)}\r\n{}\r\n0\r\n\r\n${smuggled}`),
  'no chunk size': p(chunked, `\r\n{}\r\n0\r\n\r\n${smuggled}`),
  'a folded trailer': p(chunked, `0\r\nX-A: b\r\n c\r\n\r\n${smuggled}`),
  'a trailer with a NUL': p(chunked, `0\r\nX-A: \0\r\n\r\n${smuggled}`),
  'long trailers': p(chunked, `2\r\n{}\r\n0\r\n${`X-A: ${'b'.repeat(1000)}\r\n`.repeat(40)}\r\n${smuggled}`),
  'a TLS hello inside': Buffer.from('16030100a5010000a103030d0a0d0a', 'hex'),
  garbage: Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919) % 256)),
};
// Allowed to be understood, if it is understood right.
const lenient = {
  'a target with a fragment': [200],
  'HTTP/1.2': [200],
  'a long target': [404],
  'an octet past ASCII in a name': [200],
  'a blank behind the chunk size': [400],
};

test('smuggling and malformed requests: one clear refusal each, the connection ends, nothing behind it is read', async (t) => {
  const before = await s.gateway.metric('smsbridge_http_refused_total');
  let refusals = 0;
  for (const [name, octets] of Object.entries(corpus)) {
    await t.test(name, async () => {
      const c = await s.api.raw();
      try {
        c.socket.write(octets);
        await until(
          () => c.ended || c.closed,
          () => `closed; got ${c.received.toString('latin1').slice(0, 600)}`,
          6000,
        );
        const answers = c.answers();
        if (lenient[name] && answers.length && lenient[name].includes(answers[0].status)) return;
        assert.equal(answers.length, 1, `one answer: ${c.received.toString('latin1').slice(0, 600)}`);
        assert.ok(
          [400, 405, 408, 413, 414, 417, 431, 501, 505].includes(answers[0].status),
          `refused: ${answers[0].head}`,
        );
        assert.match(answers[0].head, /problem\+json/);
        assert.match(answers[0].head, /connection: close/i);
        refusals++;
      } finally {
        c.destroy();
      }
    });
  }
  const rows = await s.db.sql("SELECT id FROM smsbridge.message WHERE patient = 'SMUGGLED-PATIENT'");
  assert.deepEqual(rows, [], 'nothing was smuggled in');
  const after = await s.gateway.metric('smsbridge_http_refused_total');
  assert.ok(after - before >= refusals, `${after - before} counted of ${refusals}`);
});

test('what is unusual and legal is served', async (t) => {
  const fine = {
    'absolute form': ['GET https://localhost/livez HTTP/1.1\r\nHost: localhost\r\n\r\n', [200, 400]],
    'a Host with a port': ['GET /livez HTTP/1.1\r\nHost: localhost:8443\r\n\r\n', [200]],
    'an IPv6 Host': ['GET /livez HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n', [200]],
    'names in capitals, no blank behind the colon': ['GET /livez HTTP/1.1\r\nHOST:localhost\r\n\r\n', [200]],
    'tabs around a value': ['GET /livez HTTP/1.1\r\nHost:\tlocalhost\t\r\n\r\n', [200]],
    'an empty value': ['GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A:\r\n\r\n', [200]],
    'octets past ASCII in a value': [
      Buffer.from('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: \xe9\r\n\r\n', 'latin1'),
      [200],
    ],
    'an Upgrade that we do not know': [
      'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      [200],
    ],
    'a query': ['GET /livez?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n', [200]],
    'a CRLF before the request': [`\r\n${live}`, [200, 400]],
    'a GET with a body': ['GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello', [200]],
    'OPTIONS *': ['OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n', [200, 204, 400, 404, 405]],
    'a chunked trailer': [p(chunked, '2\r\n{}\r\n0\r\nX-A: b\r\n\r\n'), [422]],
    'an upper-case chunked': [p('Transfer-Encoding: Chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'), [422]],
  };
  for (const [name, [octets, status]] of Object.entries(fine)) {
    await t.test(name, async () => {
      const c = await s.api.raw();
      await c.write(octets);
      const [answer] = await answersTo(c, 1);
      assert.ok(status.includes(answer.status), `${answer.status} ${answer.body}`);
      c.destroy();
    });
  }
});

test('a trailer cannot pass for a header', async () => {
  const body = JSON.stringify(Api.draft({ send_at: '2026-03-20T15:00:00Z' }));
  const c = await s.api.raw();
  await c.write(
    `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${chunked}\r\n` +
      `${body.length.toString(16)}\r\n${body}\r\n0\r\n${auth}\r\n`,
  );
  const [answer] = await answersTo(c, 1);
  assert.ok([400, 401].includes(answer.status), `${answer.status}`);
  c.destroy();
});

test('clients that go away in the middle harm nobody', async () => {
  const octets = post(Api.draft({ send_at: '2026-03-20T15:00:00Z' }));
  await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const c = await s.api.raw();
      c.socket.write(octets.subarray(0, 1 + Math.floor((octets.length - 1) * ((i + 1) / 60))));
      if (i % 2) await pause(i % 7);
      c.destroy();
    }),
  );
  const c = await s.api.raw();
  await c.write(live + live);
  await answersTo(c, 2);
  c.destroy();
});

test('TLS: 1.2 and 1.3, nothing older; plain HTTP on the TLS port gets nothing', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const c = await s.api.raw({ minVersion: version, maxVersion: version });
    assert.equal(c.socket.getProtocol(), version);
    c.destroy();
  }
  for (const version of ['TLSv1', 'TLSv1.1']) {
    const error = await s.api.raw({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' }).then(
      (c) => c,
      (e) => e,
    );
    assert.ok(error instanceof Error, `${version} is refused`);
    assert.match(`${error.code} ${error.message}`, /alert|protocol|version|ECONNRESET/i);
  }
  const plain = await RawClient.open({ port: s.gateway.port, secure: false });
  await plain.write(live);
  await until(() => plain.closed || plain.ended, 'closed');
  assert.ok(!plain.received.includes('HTTP/1.1 200'));
  plain.destroy();
});

test('weak ciphers are refused', async () => {
  const weak = tls
    .getCiphers()
    .filter((c) => /^(aes128-sha|aes256-sha|camellia|null|rc4|des)/.test(c))
    .map((c) => c.toUpperCase());
  for (const cipher of weak.slice(0, 6)) {
    const got = await s.api.raw({ maxVersion: 'TLSv1.2', ciphers: `${cipher}:@SECLEVEL=0` }).catch((e) => e);
    assert.ok(got instanceof Error, `${cipher} without forward secrecy is refused`);
  }
});

test('slow senders are ended, each with its answer', async () => {
  const result = await slowSenders;
  for (const [name, least, most] of [
    ['head', 9000, 14000],
    ['first line', 9000, 14000],
    ['body', 19000, 25000],
  ]) {
    const { took, answers } = result[name];
    assert.ok(took >= least && took <= most * slow, `${name} ended after ${took} ms`);
    assert.deepEqual(
      answers.map((a) => a.status),
      [408],
      name,
    );
  }
  assert.ok(result.handshake.took <= 14000 * slow, `no handshake: ended after ${result.handshake.took} ms`);
  assert.ok((await s.gateway.metric('smsbridge_http_refused_total', { reason: 'request_timeout' })) >= 3);
});

test('the connection limit', async () => {
  s.api.close();
  for (const c of RawClient.open_) if (c !== bystander) c.destroy();
  const probe = await s.api.raw();
  const open = async () => {
    probe.received = Buffer.alloc(0);
    await probe.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = await answersTo(probe, 1);
    return Number(/^smsbridge_http_connections (\d+)/m.exec(answer.body)[1]);
  };
  await until(async () => (await open()) === 2, 'two are open: the bystander and this one');
  await s.gateway.reload((c) => {
    c.http.connections = 10;
  });
  const some = await Promise.all(Array.from({ length: 8 }, () => s.api.raw()));
  for (const c of some) {
    await c.write(live);
    await answersTo(c, 1);
  }
  for (let i = 0; i < 5; i++) {
    const extra = await s.api.raw().catch((e) => e);
    assert.ok(extra instanceof Error, 'the eleventh is closed at once');
  }
  assert.equal(await open(), 10);
  some[0].destroy();
  await until(async () => (await open()) === 9, 'one less');
  const again = await s.api.raw();
  await again.write(live);
  await answersTo(again, 1);
  for (const c of [...some, again]) c.destroy();
  await s.gateway.reload((c) => {
    delete c.http.connections;
  });
  probe.received = Buffer.alloc(0);
  await probe.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.match((await answersTo(probe, 1))[0].body, /too_many_connections"\} 5/);
  probe.destroy();
});

test('the bystander noticed nothing', async () => {
  bystanding = false;
  await standing;
  assert.ok(wellServed > 100, `${wellServed} requests on one connection`);
  assert.ok(bystander.answers().every((a) => a.status === 200));
  bystander.destroy();
});
