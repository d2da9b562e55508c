// Prism between the practice's system and the gateway, when SMSBRIDGE_TEST_PRISM is set: it holds every request and every
// answer against proto/openapi.yaml. An answer that breaks the contract fails the test. A request that breaks it is not
// handed on by Prism: then it goes to the gateway itself, which must refuse it too (so every test that sends a bad request
// says so by the answer that it expects). What no proxy can carry passes it by: raw sockets, HEAD, bodies in octets,
// NDJSON, `{ direct: true }`.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { root, until } from './util.mjs';

export const wanted = Boolean(process.env.SMSBRIDGE_TEST_PRISM);
const program = path.join(root, 'tests/contract/node_modules/.bin/prism');
const contract = path.join(root, 'proto/openapi.yaml');
const errors = 'https://stoplight.io/prism/errors#';
const counts = { through: 0, refused: 0 };
const seenIn = process.env.SMSBRIDGE_TEST_SEEN;

/** Notes method, path and status of an answer for tests/contract/summary.mjs. */
export function seen(method, target, status) {
  if (seenIn)
    fs.appendFileSync(path.join(seenIn, `${process.pid}.tsv`), `${method}\t${target.split('?')[0]}\t${status}\n`);
}

if (wanted)
  process.once('exit', () =>
    console.log(`# prism: ${counts.through} requests went through, ${counts.refused} were refused by both`),
  );

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
    server.on('error', reject);
  });

function same(text) {
  try {
    return JSON.stringify(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

/** Whether its escapes are UTF-8 without control characters. */
function decodes(target) {
  try {
    return !/[\u0000-\u001f\u007f]/.test(decodeURIComponent(target));
  } catch {
    return false;
  }
}

// Prism takes seconds to read the contract, so there is one for all gateways of a test file. It hands everything on to a
// server of ours, which knows by this header which gateway is meant.
const MEANT = 'x-upstream';
const gateways = new Map(); // by port: {secure, ca, agent}
const hop = new Set([MEANT, 'connection', 'keep-alive', 'transfer-encoding', 'host']);

/** [name, value, ...] without what is between two neighbours only. */
const handed = (raw) => raw.filter((_, i) => !hop.has(raw[i - (i % 2)].toLowerCase()));

function handOn(request, answer, body) {
  const port = request.headers[MEANT];
  const to = gateways.get(port);
  if (!to) return answer.destroy();
  const { method, url } = request;
  const headers = handed(request.rawHeaders);
  const target = { host: '127.0.0.1', servername: 'localhost', port, ca: to.ca, agent: to.agent, method, path: url };
  const up = (to.secure ? https : http).request({ ...target, headers: [...headers, 'host', `localhost:${port}`] });
  up.on('response', (told) => {
    answer.writeHead(told.statusCode, handed(told.rawHeaders));
    told.pipe(answer);
    told.on('error', () => answer.destroy());
  });
  up.on('error', () => answer.destroy());
  up.end(body);
}

async function listen() {
  const server = http.createServer((request, answer) => {
    const parts = [];
    answer.sendDate = false;
    request.on('data', (d) => parts.push(d));
    request.on('end', () => handOn(request, answer, Buffer.concat(parts)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function startProgram() {
  const port = await freePort();
  const server = await listen();
  const args = [
    '--pdeathsig',
    'KILL',
    process.execPath,
    program,
    'proxy',
    contract,
    `http://127.0.0.1:${server.address().port}`,
  ];
  const child = spawn('setpriv', [...args, '--errors', '-h', '127.0.0.1', '-p', String(port), '-v', 'error'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d) => (log = (log + d).slice(-20000)));
  child.once('exit', (code) => (log += `\nprism ended with ${code}`));
  await until(
    () =>
      new Promise((resolve) => net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))),
    () => `prism listens: ${log}`,
    60000,
    100,
  );
  // Prism closes what was idle for some seconds, and one of them may just have been taken.
  return { port, agent: new http.Agent({ keepAlive: false, maxSockets: 64 }), child, server };
}

let running;

/** At the end of the file. */
export async function stopPrism() {
  if (!running) return;
  const { agent, child, server } = await running;
  agent.destroy();
  child.kill('SIGKILL');
  server.close();
  server.closeAllConnections();
}

export class Prism {
  /** In front of a gateway's port; ca: the certificate that its TLS is known by, or nothing for plain HTTP. */
  static async start(upstream, ca) {
    running ??= startProgram();
    const { port, agent } = await running;
    const behind = new (ca ? https : http).Agent({ keepAlive: true });
    gateways.set(String(upstream), { secure: Boolean(ca), ca, agent: behind });
    return Object.assign(new Prism(), { port, agent, headers: { [MEANT]: String(upstream) } });
  }

  stop() {
    const port = this.headers[MEANT];
    gateways.get(port)?.agent.destroy();
    gateways.delete(port);
  }

  /** Whether a request can pass through it at all: it reads JSON and writes it anew. */
  static carries(method, target, payload, headers) {
    const type = headers['content-type'] ?? '';
    const plain = Object.values(headers).every((v) => typeof v === 'string' || typeof v === 'number');
    if (!plain || method === 'HEAD' || Buffer.isBuffer(payload)) return false;
    if (/%(?![0-9a-f]{2})|%20|\+/i.test(target)) return false; // it writes a blank as "+", which is a plus here
    if (!decodes(target)) return false; // it ends at octets that are no text
    if (!/^(Bearer|Basic) [\w+/=.-]+$/.test(headers.authorization ?? 'Bearer x')) return false; // other spellings
    return payload === undefined || (type === 'application/json' ? same(payload) : !/ndjson/.test(type));
  }

  /** The gateway's answer by way of Prism; null when Prism refuses the request. */
  judge(method, target, answer) {
    const type = answer.json?.type ?? '';
    if (!type.startsWith(errors)) {
      counts.through += 1;
      return answer;
    }
    const of = (answer.json.validation ?? []).map((v) => v.location?.[0]);
    if (of.includes('response'))
      throw new Error(`${method} ${target}: the answer breaks the contract: ${JSON.stringify(answer.json.validation)}`);
    return null;
  }

  /** What the gateway itself says of a request that Prism refused. */
  static agree(method, target, payload, prism, answer) {
    counts.refused += 1;
    // A member that is null counts as one that is not there.
    if (answer.status >= 400 || /:null[,}]/.test(payload ?? '')) return answer;
    throw new Error(
      `${method} ${target}: the gateway took (${answer.status}) what the contract refuses: ${prism.text}`,
    );
  }
}
