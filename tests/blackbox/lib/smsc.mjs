// The simulated carrier as a process: `smsbridge smsc --script`, its log and its last word.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { binary, until } from './util.mjs';

export class Smsc {
  /** script: text; args: more options. */
  constructor(script, args = []) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-smsc-'));
    process.once('exit', () => fs.rmSync(this.dir, { recursive: true, force: true }));
    this.script = path.join(this.dir, 'script');
    this.logFile = path.join(this.dir, 'log');
    fs.writeFileSync(this.script, script);
    this.args = ['smsc', '--listen', '127.0.0.1:0', '--script', this.script, '--log', this.logFile, ...args];
    this.out = '';
    this.err = '';
  }

  async start() {
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', binary, ...this.args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout.on('data', (d) => {
      this.out += d;
    });
    this.child.stderr.on('data', (d) => {
      this.err += d;
    });
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    await until(
      () => this.out.includes('listening'),
      () => `the simulated carrier listens: ${this.out}${this.err}`,
    );
    const first = JSON.parse(this.out.split('\n')[0]);
    this.port = Number(first.address.split(':').pop());
    this.seed = first.seed;
    return this;
  }

  /** The lines of its log. */
  lines() {
    return fs
      .readFileSync(this.logFile, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  faults(name) {
    return this.lines().filter((l) => l.fault === name);
  }

  /** SIGTERM; its summary. */
  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    const { code, signal } = await this.exited;
    if (code !== 0) throw new Error(`the simulated carrier ended with ${code ?? signal}: ${this.err}`);
    return JSON.parse(this.out.trimEnd().split('\n').pop());
  }
}
