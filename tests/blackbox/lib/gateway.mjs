// A gateway process: `smsbridge run` with a configuration of its own, judged by its logs, its exit and its ports.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Api } from './api.mjs';
import { Prism, wanted } from './prism.mjs';
import { keepSecret, wrote } from './privacy.mjs';
import { binary, must, until } from './util.mjs';

let certificate;

/** One self-signed certificate for the whole file. */
export async function selfSigned() {
  certificate ??= (async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-tls-'));
    process.once('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
    const cert = path.join(dir, 'cert.pem');
    const key = path.join(dir, 'key.pem');
    await must('openssl', [
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
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      cert,
    ]);
    return { cert, key, pem: fs.readFileSync(cert) };
  })();
  return certificate;
}

let sealing;

/** One key for the whole file that signs seals: a database has one, however many gateways it has. */
export function ledgerKey() {
  if (!sealing) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-key-'));
    process.once('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
    sealing = path.join(dir, 'ledger.pem');
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    fs.writeFileSync(sealing, pem, { mode: 0o600 });
    keepSecret(pem.split('\n')[1]);
  }
  return sealing;
}

function yaml(value, depth = 0) {
  const pad = '  '.repeat(depth);
  return Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .map(([k, v]) => {
      if (Array.isArray(v)) {
        return `${pad}${k}:\n${v.map((item) => yaml(item, depth + 2).replace(/^\s*/, `${pad}  - `)).join('')}`;
      }
      if (v !== null && typeof v === 'object') return `${pad}${k}:\n${yaml(v, depth + 1)}`;
      return `${pad}${k}: ${typeof v === 'string' && !/^[\w.:/=+ -]+$/.test(v) ? JSON.stringify(v) : v}\n`;
    })
    .join('');
}

// The rule clock stands at noon in New York on a Monday unless a test says otherwise.
export const NOON = '2026-03-02T12:00:00-05:00';

export class Gateway {
  constructor(db, { carriers = [], config = {}, tls = true } = {}) {
    this.db = db;
    this.tls = tls;
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-gw-'));
    process.once('exit', () => fs.rmSync(this.dir, { recursive: true, force: true }));
    this.file = path.join(this.dir, 'config.yaml');
    this.log = '';
    this.config = {
      node: 'gateway-1',
      database: { conninfo: db.app },
      clock: { start: NOON },
      ...config,
      ledger: { key_file: ledgerKey(), ...config.ledger },
      http: { listen: '127.0.0.1:0', ...config.http },
      policy: { release_spread: '0s', ...config.policy },
      // Receivers listen on loopback; whether a key may name it is 27_webhook's.
      webhook: { retry_base: '50ms', retry_max: '1s', timeout: '2s', allow_loopback: true, ...config.webhook },
      carriers: carriers.map((c) => this.carrierConfig(c)),
    };
  }

  carrierConfig({ name = 'test', port, password = 'pw-of-c1', host = '127.0.0.1', ...more }) {
    const file = path.join(this.dir, `password-${name}`);
    fs.writeFileSync(file, password, { mode: 0o600 });
    keepSecret(password);
    return { name, host, port, tls: false, system_id: 'smsbridge', password_file: file, ...more };
  }

  async write(change) {
    if (change) change(this.config);
    const { cert, key } = await selfSigned();
    if (this.tls) Object.assign(this.config.http, { certificate: cert, key });
    fs.writeFileSync(this.file, yaml(this.config));
  }

  async launch() {
    await this.write();
    this.from = this.log.length; // of this process's lines
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', binary, 'run', '--config', this.file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr.on('data', (d) => {
      this.log += d;
    });
    this.child.stdout.on('data', (d) => {
      this.log += d;
    });
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.exit = undefined;
    this.killed = false;
    this.exited.then((exit) => {
      this.exit = exit;
    });
  }

  async start({ ready = true } = {}) {
    await this.launch();
    await until(
      () => {
        if (this.exit) throw Object.assign(new Error(`ended with ${JSON.stringify(this.exit)}`), { final: true });
        return this.line('started');
      },
      () => `gateway starts: ${this.log.slice(this.from, this.from + 4000)}`,
      20000,
    );
    this.port = Number(this.line('started').listen.split(':').pop());
    const { pem, cert } = await selfSigned();
    this.prism?.stop();
    if (wanted) Api.proxies.set(this.port, (this.prism = await Prism.start(this.port, this.tls && pem)));
    this.api?.close();
    this.api = new Api({ port: this.port, ca: pem, tls: this.tls, key: this.key });
    if (ready)
      await until(
        async () => (await this.api.get('/readyz')).status === 200,
        () => `readyz: ${this.log}`,
        20000,
      );
    return this;
  }

  /** The log lines of this process, decoded; what is no JSON comes as {event: '?', text}. */
  lines() {
    return this.log
      .slice(this.from)
      .split('\n')
      .filter(Boolean)
      .map((text) => {
        try {
          return JSON.parse(text);
        } catch {
          return { msg: '?', text };
        }
      });
  }

  line(msg) {
    return this.lines().find((l) => Object.values(l).includes(msg));
  }

  linesOf(msg) {
    return this.lines().filter((l) => Object.values(l).includes(msg));
  }

  alive() {
    return this.child && !this.exit;
  }

  signal(name) {
    this.child.kill(name);
  }

  /** Writes the changed configuration, sends SIGHUP and waits for the word on it. */
  async reload(change, word = 'reloaded') {
    const before = this.linesOf(word).length;
    await this.write(change);
    this.signal('SIGHUP');
    await until(
      () => this.linesOf(word).length > before,
      () => `${word}: ${this.log.slice(-2000)}`,
    );
  }

  moveClock(start, rate) {
    return this.reload((c) => {
      c.clock = { start, ...(rate ? { rate } : {}) };
    });
  }

  async metrics() {
    const answer = await this.api.get('/metrics');
    return parseMetrics(answer.text);
  }

  /** Sum of a metric's series whose labels hold all of the given ones. */
  async metric(name, labels = {}) {
    return (await this.metrics())
      .filter((m) => m.name === name && Object.entries(labels).every(([k, v]) => m.labels[k] === v))
      .reduce((sum, m) => sum + m.value, 0);
  }

  async keepMetrics() {
    if (!this.alive() || !this.api) return;
    const answer = await this.api.get('/metrics').catch(() => null);
    if (answer) wrote('metrics', answer.text);
  }

  async kill() {
    await this.keepMetrics();
    return this.killNow();
  }

  killNow() {
    this.killed = true;
    this.child.kill('SIGKILL');
    return this.exited;
  }

  /** SIGTERM; returns how it ended. */
  async stop() {
    if (!this.alive()) return this.exit;
    await this.keepMetrics();
    this.signal('SIGTERM');
    const end = await Promise.race([
      this.exited,
      until(
        () => this.exit,
        () => `gateway ends: ${this.log.slice(-2000)}`,
        45000,
      ),
    ]);
    return end;
  }

  async close() {
    try {
      if (this.alive()) await this.stop();
    } finally {
      if (this.alive()) await this.killNow();
      this.api?.close();
      this.prism?.stop();
      wrote('log', this.log);
      fs.rmSync(this.dir, { recursive: true, force: true });
    }
    const fault = /(?:ERROR: \w+Sanitizer|runtime error:)[^]{0,3000}/.exec(this.log);
    if (fault) throw new Error(`a sanitizer speaks: ${fault[0]}`);
    if (this.exit?.signal && !this.killed)
      throw new Error(`the gateway died of ${this.exit.signal}: ${this.log.slice(-2000)}`);
  }
}

export function parseMetrics(text) {
  return text
    .split('\n')
    .filter((l) => l && !l.startsWith('#'))
    .map((l) => {
      const [, name, labels, value] = l.match(/^([a-z_:0-9]+)(?:\{(.*)\})? (\S+)$/i) ?? [];
      if (!name) throw new Error(`no metric line: ${l}`);
      const row = {};
      for (const [, k, v] of (labels ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)) row[k] = v;
      return { name, labels: row, value: Number(value) };
    });
}
