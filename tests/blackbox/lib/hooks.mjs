// The clinic's backend: takes webhooks, checks each signature with the npm library, answers as scripted.
import { once } from 'node:events';
import http from 'node:http';
import { Webhook } from 'standardwebhooks';
import { until } from './util.mjs';

export class Receiver {
  /** answer(hook, receiver): a status, {status, headers, delay}, or nothing for 204. */
  constructor(answer) {
    this.answer = answer;
    this.hooks = [];
    this.secrets = new Map(); // path -> secret
    this.open = 0;
    this.mostOpen = 0;
  }

  async start(port = 0) {
    this.server = http.createServer((request, response) => this.take(request, response));
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  url(path) {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async take(request, response) {
    const parts = [];
    for await (const d of request) parts.push(d);
    const text = Buffer.concat(parts).toString();
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    const hook = {
      at: Date.now(),
      path: request.url,
      method: request.method,
      headers: request.headers,
      text,
      id: request.headers['webhook-id'],
    };
    try {
      hook.body = JSON.parse(text);
      hook.verified = new Webhook(this.secrets.get(request.url)).verify(text, request.headers);
    } catch (error) {
      hook.error = error;
    }
    this.hooks.push(hook);
    let act = (await this.answer?.(hook, this)) ?? 204;
    if (typeof act === 'number') act = { status: act };
    if (act.delay) await until(() => act.delay.done || this.closed, 'receiver lets go', 60000);
    this.open--;
    hook.status = act.status;
    response.writeHead(act.status ?? 204, act.headers ?? {});
    response.end();
  }

  /** Verified hooks of a type, for a path. */
  of(type, path) {
    return this.hooks.filter((h) => h.body?.type === type && (!path || h.path === path));
  }

  async got(type, match = () => true, ms = 15000) {
    return until(
      () => this.hooks.find((h) => h.body?.type === type && match(h.body.data, h)),
      () => `webhook ${type}; there are ${this.hooks.map((h) => h.body?.type).join(' ')}`,
      ms,
    );
  }

  async stop() {
    this.closed = true;
    if (!this.server.listening) return;
    this.server.closeAllConnections?.();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }
}
