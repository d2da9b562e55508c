// `smsbridge smsc` without a script: the simulated carrier that does all right, a program of its own. It is the message
// centre's side of our session code.
import { spawn } from 'node:child_process';
import { binary, until } from './util.mjs';
import { wrote } from './privacy.mjs';

export class PlainSmsc {
  async start(...args) {
    this.events = [];
    this.noise = '';
    this.child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', binary, 'smsc', '--listen', '127.0.0.1:0', '--print', '--commands', ...args],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.listen();
    const { address } = await until(() => this.events.find((e) => e.event === 'listening'), 'smsc listens');
    this.port = Number(address.split(':').pop());
    return this;
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

  texts() {
    return this.events.filter((e) => e.event === 'text');
  }

  mo(from, to, text) {
    this.child.stdin.write(`mo ${from} ${to} ${text}\n`);
  }

  alive() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** SIGTERM; returns the figures that it prints at its end. A sanitizer's word fails the test. */
  async stop() {
    if (this.alive()) this.child.kill('SIGTERM');
    const end = await this.ended;
    wrote('smsc', this.noise);
    if (/Sanitizer|runtime error:/.test(this.noise))
      throw new Error(`a sanitizer speaks: ${this.noise.slice(0, 3000)}`);
    if (end.signal && end.signal !== 'SIGTERM') throw new Error(`smsc died of ${end.signal}: ${this.noise}`);
    return this.events.find((e) => 'submitted' in e);
  }
}
