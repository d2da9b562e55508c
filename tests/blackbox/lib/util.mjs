// Small helpers: waiting with a deadline, synthetic phones, running a program.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

process.setMaxListeners(0);

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const binary = path.resolve(root, process.env.SMSBRIDGE ?? 'build/dev/smsbridge');

// Deadlines are stretched by this for slow (sanitized) programs.
export const slow = Number(process.env.SMSBRIDGE_TEST_SLOW ?? 1);

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until probe() gives something truthy and returns it; fails with what() at the deadline. */
export async function until(probe, what, ms = 15000, every = 20) {
  const end = Date.now() + ms * slow;
  let last;
  for (;;) {
    try {
      const got = await probe();
      if (got) return got;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= end || last?.final) {
      const text = typeof what === 'function' ? await what() : what;
      throw new Error(`not within ${ms * slow} ms: ${text}${last ? ` (${last.message})` : ''}`, { cause: last });
    }
    await pause(every);
  }
}

/** Holds for the whole time, or fails: for what must not happen. */
export async function never(probe, what, ms = 600, every = 20) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    if (await probe()) throw new Error(`happened: ${typeof what === 'function' ? what() : what}`);
    await pause(every);
  }
}

/** Runs a program to its end. */
export function run(file, args, { input = '', env, timeout = 60000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
    const out = [];
    const err = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout * slow);
    child.stdout.on('data', (d) => out.push(d));
    child.stderr.on('data', (d) => err.push(d));
    child.stdin.on('error', () => {});
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
    child.stdin.end(input);
  });
}

export async function must(file, args, options) {
  const done = await run(file, args, options);
  if (done.code !== 0) {
    throw new Error(
      `${path.basename(file)} ${args[0]} ended with ${done.code ?? done.signal}: ${done.stderr}${done.stdout}`,
    );
  }
  return done;
}

// Area codes of one zone each, all Eastern; numbers only from the block kept for fiction.
const npas = [212, 215, 216, 203, 202, 301, 302, 304, 305, 401, 404, 410, 412, 413, 419, 434, 440];
let serial = 0;

/** The nth synthetic phone: NPA-555-01XX. */
export function phoneAt(n) {
  const npa = npas[Math.floor(n / 100) % npas.length];
  return `+1${npa}55501${String(n % 100).padStart(2, '0')}`;
}
export const phoneCount = 100 * npas.length;
export const nextPhone = () => phoneAt(serial++ % phoneCount);

let patients = 0;
export const nextPatient = () => `PATREF-${String(++patients).padStart(4, '0')}-${process.pid}`;

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
