// Kannel 1.4.5 from Debian: bearerbox holds the binds, smsbox takes and gives texts over HTTP. Two programs of its own
// configuration, in a folder of its own; nothing of the system's Kannel is read or written.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { keepBody, keepPhone } from './privacy.mjs';
import { until } from './util.mjs';

const bearerbox = '/usr/sbin/bearerbox';
const smsbox = '/usr/sbin/smsbox';
export const kannelIsHere = fs.existsSync(bearerbox) && fs.existsSync(smsbox);

/** Kannel takes no port 0: some that are free now. */
async function freePorts(n) {
  const servers = Array.from({ length: n }, () => net.createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((s) => s.listening || once(s, 'listening')));
  const ports = servers.map((s) => s.address().port);
  await Promise.all(servers.map((s) => new Promise((resolve) => s.close(resolve))));
  return ports;
}

const group = (name, fields) =>
  [`group = ${name}`, ...Object.entries(fields).map(([k, v]) => `${k} = ${v}`), '', ''].join('\n');

export class Kannel {
  /** mode: 'trx' or 'tx+rx'; version: as Kannel writes it, two hexadecimal digits ('33', '34', '50'). */
  constructor({ port, mode = 'trx', version = '34', system_id = 'kannel', password = 'pw-of-k1', smsc = {} }) {
    Object.assign(this, { port, mode, version, system_id, password, smsc });
    this.texts = []; // what came from the other side: {from, to, text}
    this.receipts = []; // {type, ref}: type 1 delivered, 2 failed, 8 accepted by the other side, 16 refused by it
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-kannel-'));
    process.once('exit', () => fs.rmSync(this.dir, { recursive: true, force: true }));
  }

  async start() {
    [this.admin, this.box, this.send] = await freePorts(3);
    this.web = http.createServer((request, answer) => this.hear(new URL(request.url, 'http://x'), answer));
    this.web.listen(0, '127.0.0.1');
    await once(this.web, 'listening');
    this.file = path.join(this.dir, 'kannel.conf');
    fs.writeFileSync(this.file, this.configuration());
    this.children = [this.launch(bearerbox)];
    await until(
      async () => /smsc/i.test(await this.status()),
      () => `bearerbox answers: ${this.log('bearerbox')}`,
      20000,
    );
    this.children.push(this.launch(smsbox));
    await until(
      async () => /smsbox/i.test(await this.status()),
      () => `smsbox joins: ${this.log('smsbox')}`,
      20000,
    );
    return this;
  }

  hear(url, answer) {
    const fields = Object.fromEntries(url.searchParams);
    if (url.pathname === '/mo') this.texts.push(fields);
    else this.receipts.push({ type: Number(fields.type), ref: fields.ref });
    answer.end();
  }

  configuration() {
    const { port: web } = this.web.address();
    const log = (name) => ({ 'log-file': path.join(this.dir, `${name}.log`), 'log-level': 0 });
    return [
      group('core', {
        'admin-port': this.admin,
        'admin-password': 'x',
        'smsbox-port': this.box,
        'box-allow-ip': '"127.0.0.1"',
        'box-deny-ip': '"*.*.*.*"',
        ...log('bearerbox'),
      }),
      ...this.links(),
      group('smsbox', { 'bearerbox-host': '127.0.0.1', 'sendsms-port': this.send, ...log('smsbox') }),
      group('sendsms-user', { username: 'tester', password: 'tester' }),
      group('sms-service', {
        keyword: 'default',
        'catch-all': 'true',
        'max-messages': 0,
        'get-url': `"http://127.0.0.1:${web}/mo?from=%p&to=%P&text=%b"`,
      }),
    ].join('');
  }

  /** One transceiver, or a transmitter and a receiver: Kannel wants a group for each. */
  links() {
    const common = {
      smsc: 'smpp',
      'smsc-id': 'gateway',
      host: '127.0.0.1',
      'smsc-username': this.system_id,
      'smsc-password': this.password,
      'system-type': '"VMA"',
      'interface-version': this.version,
      'enquire-link-interval': 1,
      'reconnect-delay': 1,
      ...this.smsc,
    };
    if (this.mode === 'trx') return [group('smsc', { ...common, port: this.port, 'transceiver-mode': 'true' })];
    return [group('smsc', { ...common, port: this.port }), group('smsc', { ...common, 'receive-port': this.port })];
  }

  launch(program) {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, '-v', '4', this.file], { stdio: 'ignore' });
    child.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    return child;
  }

  log(name) {
    const file = path.join(this.dir, `${name}.log`);
    return fs.existsSync(file) ? fs.readFileSync(file, 'latin1').slice(-4000) : 'no log';
  }

  async status() {
    const answer = await fetch(`http://127.0.0.1:${this.admin}/status.txt?password=x`);
    return answer.text();
  }

  /** Waits until Kannel calls its link to us online. */
  async bound() {
    const links = this.mode === 'trx' ? 1 : 2;
    await until(
      async () => (await this.status()).match(/gateway.*\(online/g)?.length === links,
      async () => `Kannel is bound: ${await this.status()} ${this.log('bearerbox')}`,
      20000,
    );
  }

  /** Submits a text; with dlr it asks for every kind of receipt, and they are told with this ref. */
  async submit({ from, to, text, dlr }) {
    for (const phone of [from, to]) keepPhone(phone);
    keepBody(text);
    const { port } = this.web.address();
    const query = new URLSearchParams({ username: 'tester', password: 'tester', from, to, text });
    if (dlr) {
      query.set('dlr-mask', '27');
      query.set('dlr-url', `http://127.0.0.1:${port}/dlr?type=%d&ref=${dlr}`);
    }
    const answer = await fetch(`http://127.0.0.1:${this.send}/cgi-bin/sendsms?${query}`);
    if (answer.status !== 202) throw new Error(`smsbox: ${answer.status} ${await answer.text()}`);
  }

  async text(probe = () => true) {
    return until(
      () => this.texts.find(probe),
      () => `Kannel tells a text: ${JSON.stringify(this.texts)} ${this.log('bearerbox')} ${this.log('smsbox')}`,
    );
  }

  async receipt(type, ref) {
    return until(
      () => this.receipts.find((r) => r.type === type && r.ref === ref),
      () => `Kannel tells receipt ${type} of ${ref}: ${JSON.stringify(this.receipts)} ${this.log('bearerbox')}`,
    );
  }

  async stop() {
    for (const child of (this.children ?? []).reverse()) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10000);
      await child.ended;
      clearTimeout(timer);
    }
    this.web?.closeAllConnections();
    this.web?.close();
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
