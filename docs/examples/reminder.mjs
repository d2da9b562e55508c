#!/usr/bin/env node
// A reminder with Node 18 or newer and no package: sent with an Idempotency-Key, and again until there is an answer; its
// status; a webhook verified.
//   SMSBRIDGE_URL=https://sms.example SMSBRIDGE_KEY=smsb_... reminder.mjs PATIENT PHONE TEXT REFERENCE
//   reminder.mjs --verify SECRET ID TIMESTAMP SIGNATURE <BODY
// NODE_EXTRA_CA_CERTS names the certificate, where it is the clinic's own.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const again = new Set([408, 429, 503]);

/** {status, headers, json}; status 0 when there was no answer. */
async function ask(method, path, body, headers = {}) {
  const all = { authorization: `Bearer ${process.env.SMSBRIDGE_KEY}`, ...headers };
  if (body) all['content-type'] = 'application/json';
  try {
    const answer = await fetch(process.env.SMSBRIDGE_URL + path, {
      method,
      headers: all,
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(35000),
    });
    return { status: answer.status, headers: answer.headers, json: await answer.json() };
  } catch {
    return { status: 0, headers: new Headers(), json: { code: 'no_answer' } };
  }
}

/** Posts a message until it is known to be stored, once, however often it was posted. */
async function send(message, key) {
  for (let attempt = 0, wait = 1; attempt < 6; attempt += 1, wait *= 2) {
    const { status, headers, json } = await ask('POST', '/v1/messages', message, { 'idempotency-key': key });
    if (status === 202) return json.id;
    const running = status === 409 && json.code === 'idempotency_key_running';
    if (status && !again.has(status) && !running)
      throw new Error(`${status} ${json.code}: ${JSON.stringify(json.errors ?? json.detail)}`);
    await pause(1000 * Math.max(wait, Number(headers.get('retry-after') ?? 0)));
  }
  throw new Error('gave up');
}

/** Standard Webhooks 1.0.0: whether body (its octets as they came) is signed with secret, and not too old. */
export function verified(secret, id, timestamp, signatures, body, now = Date.now() / 1000) {
  if (!/^[0-9]+$/.test(timestamp) || Math.abs(now - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const ours = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  return signatures.split(' ').some((signature) => {
    const [version, text = ''] = signature.split(',');
    const theirs = Buffer.from(text, 'base64');
    return version === 'v1' && theirs.length === ours.length && timingSafeEqual(theirs, ours);
  });
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--verify') {
  const parts = [];
  for await (const part of process.stdin) parts.push(part);
  const good = verified(...rest, Buffer.concat(parts));
  console.log(good ? 'verified' : 'not verified');
  process.exitCode = good ? 0 : 1;
} else {
  const [phone, body, reference] = rest;
  const id = await send({ patient: first, phone, body, reference }, reference);
  const { status, json } = await ask('GET', `/v1/messages/${id}`);
  if (status !== 200) throw new Error(`${status} ${json.code}`);
  console.log(id, json.status);
}
