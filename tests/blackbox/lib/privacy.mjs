// What no log line and no metric may ever hold. Whatever the harness sends is registered here by itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

const kept = new Map(); // text -> kind
const outputs = []; // {name, text}

function keep(kind, text) {
  if (typeof text === 'string' && text.length >= 8) kept.set(text, kind);
}

export function keepPhone(phone) {
  const digits = String(phone).replace(/\D/g, '').slice(-10);
  if (digits.length !== 10) return;
  keep('phone', digits);
  keep('phone', `${digits.slice(0, 3)}-${digits.slice(3, 6)}-${digits.slice(6)}`);
  keep('phone', `(${digits.slice(0, 3)}) ${digits.slice(3, 6)}-${digits.slice(6)}`);
}
export const keepBody = (text) => {
  // a quote of it would do harm too: the beginning is looked for
  if (typeof text === 'string') keep('body', JSON.stringify(text.slice(0, 40)).slice(1, -1));
};
export const keepPatient = (text) => keep('patient reference', text);
export const keepSecret = (text) => keep('secret', text);

/** Hands in a text that a gateway wrote: its log, its metrics, an answer that must not echo. */
export function wrote(name, text) {
  outputs.push({ name, text });
  const folder = process.env.SMSBRIDGE_TEST_LOGS;
  if (folder) {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, `${process.pid}-${outputs.length}-${name}`), text);
  }
}

/** Every registered text that occurs in a given text. */
export function leaks(text) {
  const found = [];
  for (const [secret, kind] of kept) {
    const at = text.indexOf(secret);
    if (at >= 0) {
      const line = text.slice(text.lastIndexOf('\n', at) + 1).split('\n', 1)[0];
      found.push(`${kind} ${secret} in: ${line.slice(0, 300)}`);
    }
  }
  return found;
}

export function assertPrivate() {
  const found = outputs.flatMap(({ name, text }) => leaks(text).map((leak) => `${name}: ${leak}`));
  assert.deepEqual(found.slice(0, 20), [], 'logs and metrics hold nothing of patients and no secret');
  return { texts: outputs.length, octets: outputs.reduce((sum, o) => sum + o.text.length, 0), registered: kept.size };
}
