// The practice system's side: HTTPS with keep-alive, and a bare socket for what no client library would send.
import https from 'node:https';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { Prism, seen } from './prism.mjs';
import { keepBody, keepPatient, keepPhone } from './privacy.mjs';
import { nextPatient, nextPhone, slow } from './util.mjs';

export class Api {
  /** By gateway's port: the Prism before it (lib/prism.mjs). */
  static proxies = new Map();

  constructor({ port, ca, tls: secure = true, key, sockets = 64, prism }) {
    Object.assign(this, { port, ca, secure, key, prism: prism ?? Api.proxies.get(port) });
    this.agent = new (secure ? https : http).Agent({ keepAlive: true, maxSockets: sockets });
  }

  close() {
    this.agent.destroy();
  }

  async request(method, path, { body, headers = {}, key = this.key, timeout = 40000, direct = false } = {}) {
    const payload =
      body === undefined || Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
    const all = {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(payload !== undefined
        ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
        : {}),
      ...headers,
    };
    for (const name of Object.keys(all)) if (all[name] === null) delete all[name];
    if (!this.prism || direct || !Prism.carries(method, path, payload, all))
      return this.exchange(method, path, payload, all, timeout);
    const answer = await this.exchange(method, path, payload, all, timeout, this.prism);
    const judged = this.prism.judge(method, path, answer);
    return (
      judged ?? Prism.agree(method, path, payload, answer, await this.exchange(method, path, payload, all, timeout))
    );
  }

  /** One request and its answer, of the gateway itself or by way of a proxy. */
  exchange(method, path, payload, headers, timeout, proxy) {
    const secure = this.secure && !proxy;
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(
        {
          host: '127.0.0.1',
          servername: 'localhost',
          port: proxy?.port ?? this.port,
          ca: this.ca,
          agent: proxy?.agent ?? this.agent,
          method,
          path,
          headers: { ...headers, ...proxy?.headers },
          timeout: timeout * slow,
        },
        (answer) => {
          const parts = [];
          answer.on('data', (d) => parts.push(d));
          answer.on('error', reject);
          answer.on('end', () => {
            const buffer = Buffer.concat(parts);
            const text = buffer.toString();
            let json;
            if (text && /json/.test(answer.headers['content-type'] ?? '')) json = JSON.parse(text);
            if (!json?.type?.startsWith?.('https://stoplight.io/')) seen(method, path, answer.statusCode);
            resolve({ status: answer.statusCode, headers: answer.headers, buffer, text, json });
          });
        },
      );
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', reject);
      request.end(payload);
    });
  }

  get(path, options) {
    return this.request('GET', path, options);
  }

  post(path, body, options = {}) {
    return this.request('POST', path, { body, ...options });
  }

  /** A message's fields, complete unless given. */
  static draft(fields = {}) {
    const draft = {
      patient: nextPatient(),
      phone: nextPhone(),
      body: `Visit tomorrow 9:30, ref ${nextPatient()}. Reply STOP to end.`,
      ...fields,
    };
    for (const name of Object.keys(draft)) if (draft[name] === undefined) delete draft[name];
    if (typeof draft.patient === 'string') keepPatient(draft.patient);
    if (typeof draft.phone === 'string') keepPhone(draft.phone);
    keepBody(draft.body);
    return draft;
  }

  /** Posts a message; returns the answer with the draft beside it. */
  async send(fields = {}, options = {}) {
    const draft = Api.draft(fields);
    const answer = await this.post('/v1/messages', draft, options);
    return Object.assign(answer, { draft, id: answer.json?.id });
  }

  async accepted(fields, options) {
    const answer = await this.send(fields, options);
    if (answer.status !== 202) throw new Error(`not accepted: ${answer.status} ${answer.text}`);
    return answer;
  }

  async message(id, options) {
    return (await this.get(`/v1/messages/${id}`, options)).json;
  }

  /** A bare connection. */
  raw(options = {}) {
    return RawClient.open({ port: this.port, ca: this.ca, secure: this.secure, ...options });
  }
}

/** Octets out, answers in. */
export class RawClient {
  static open_ = new Set();

  static open({ port, ca, secure = true, ...tlsOptions }) {
    return new Promise((resolve, reject) => {
      const c = new RawClient();
      c.received = Buffer.alloc(0);
      c.closed = false;
      c.socket = secure
        ? tls.connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...tlsOptions })
        : net.connect({ host: '127.0.0.1', port });
      c.socket.setNoDelay(true);
      c.socket.once(secure ? 'secureConnect' : 'connect', () => resolve(c));
      c.socket.on('error', (error) => {
        c.error = error;
        reject(error);
      });
      c.socket.on('data', (d) => {
        c.received = Buffer.concat([c.received, d]);
      });
      RawClient.open_.add(c);
      c.socket.on('close', () => {
        c.closed = true;
        RawClient.open_.delete(c);
      });
      c.socket.on('end', () => {
        c.ended = true;
      });
    });
  }

  write(octets) {
    return new Promise((resolve) => {
      this.socket.write(octets, () => resolve());
    });
  }

  /** Complete answers so far; understands Content-Length only, which is all the gateway sends. */
  answers() {
    const list = [];
    let at = 0;
    for (;;) {
      const end = this.received.indexOf('\r\n\r\n', at);
      if (end < 0) break;
      const head = this.received.subarray(at, end).toString('latin1');
      const status = Number(head.split(' ')[1]);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (this.received.length < end + 4 + length) break;
      list.push({ status, head, body: this.received.subarray(end + 4, end + 4 + length).toString() });
      at = end + 4 + length;
    }
    this.rest = this.received.subarray(at);
    return list;
  }

  destroy() {
    this.socket.destroy();
  }
}
