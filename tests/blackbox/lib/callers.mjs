// Keys, people and tokens by the API, as the tests of callers need them.
import assert from 'node:assert/strict';
import { keepSecret } from './privacy.mjs';
import { until } from './util.mjs';
import { key, setup } from './world.mjs';

export const ALL = ['--scope', 'all'];
export const idOf = (whole) => whole.split('_')[1];
export const secretOf = (whole) => whole.split('_')[2];
export const basic = (user, password) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

export function problem(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.json.code, code, answer.text);
  assert.equal(answer.json.status, status);
}

/** Makes a key by the API; what it may is checked by who asks. */
export async function make(s, fields, by) {
  const answer = await s.api.post('/v1/keys', { label: 'test', ...fields }, { key: by });
  assert.equal(answer.status, 201, answer.text);
  for (const name of ['key', 'client_secret']) if (answer.json[name]) keepSecret(answer.json[name]);
  if (answer.json.key) keepSecret(secretOf(answer.json.key));
  return answer.json;
}

export async function person(s, name, role, by) {
  const answer = await s.api.post('/v1/people', { name, role }, { key: by });
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

export const events = (s, type) =>
  s.db.sql('SELECT type, data, practice_id FROM smsbridge.event WHERE type = $1 ORDER BY id', [type]);
export const notes = (s, where, params = []) =>
  until(
    async () => {
      const rows = await s.db.sql(`SELECT * FROM smsbridge.access WHERE ${where} ORDER BY at, id`, params);
      return rows.length && rows;
    },
    `a note where ${where}`,
    8000,
  );

export const BASE = 'https://sms.clinic.example';
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const RULE_NOW = Date.parse('2026-03-02T17:00:00Z') / 1000; // the gateway's clock at its start: minutes pass at most

/** POST /oauth2/token with these parameters. */
export const token = (s, fields, headers = {}) =>
  s.api.request('POST', '/oauth2/token', {
    key: null,
    body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });

export function refused(answer, status, error) {
  assert.deepEqual([answer.status, answer.json?.error], [status, error], answer.text);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['cache-control'], 'no-store');
  if (status === 401) assert.match(answer.headers['www-authenticate'], /^Basic/);
}

export function granted(answer) {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.json.token_type, 'Bearer');
  keepSecret(answer.json.access_token);
  keepSecret(secretOf(answer.json.access_token));
  return answer.json;
}

export async function oauth(t, config = {}) {
  const s = await setup(t, { config: { http: { public_url: BASE, ...config } } });
  s.root = await key(s.db, s.practice.id, ALL);
  return s;
}
