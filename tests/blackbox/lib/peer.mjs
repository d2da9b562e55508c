// SMPP programs that we did not write, run as programs of their own: events out, commands in, one JSON object a line.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { keepBody, keepPhone } from './privacy.mjs';
import { until } from './util.mjs';

const folder = fileURLToPath(new URL('../peers/', import.meta.url));
const programs = {
  'npm smpp 0.5.1': [process.execPath, 'npm-smpp.mjs'],
  'npm larvitsmpp 0.4.0': [process.execPath, 'larvitsmpp.mjs'],
  'Perl Net::SMPP 1.19': ['perl', 'net-smpp.pl'],
};
export const peerNames = Object.keys(programs);

export class Peer {
  /** role 'server', 'outbind' with {port, system_id, password}, or 'client' with {kind, version} too. */
  constructor(name, role, to = {}) {
    const [program, script] = programs[name];
    const { port, system_id = 'peer', password = 'pw-of-p1', kind = 'transceiver', version = 0x34 } = to;
    const to_ = [port, system_id, password, kind, version].map(String);
    const args = role === 'client' ? to_ : role === 'outbind' ? to_.slice(0, 3) : [];
    this.name = name;
    this.events = [];
    this.noise = '';
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', program, path.join(folder, script), role, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.listen();
  }

  listen() {
    let rest = '';
    this.child.stdin.on('error', () => {});
    this.child.stderr.on('data', (d) => {
      this.noise += d;
    });
    this.child.stdout.on('data', (d) => {
      const lines = (rest + d).split('\n');
      rest = lines.pop();
      this.events.push(...lines.map((line) => JSON.parse(line)));
    });
  }

  of(event) {
    return this.events.filter((e) => e.event === event);
  }

  /** Waits for the nth event of a name (from 1). */
  async event(name, n = 1, ms = 15000) {
    return until(
      () => this.of(name)[n - 1],
      () => `${this.name} tells ${name} ${n}: ${JSON.stringify(this.events.slice(-12))} ${this.noise.slice(-1500)}`,
      ms,
    );
  }

  /** Gives a command; waits for the event that tells how it went when one is named. */
  async tell(command, event) {
    for (const phone of [command.from, command.to]) if (phone) keepPhone(phone);
    if (command.text) keepBody(command.text);
    const before = event && this.of(event).length;
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
    return event && this.event(event, before + 1);
  }

  async stop() {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 3000);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }
}
