// SMPP by hand, over bare sockets: for what no library would write. A carrier and a customer that do what is right
// unless told otherwise.
import net from 'node:net';
import { once } from 'node:events';
import { frames } from './tap.mjs';
import { hear } from './judge.mjs';
import { keepBody, keepPhone } from './privacy.mjs';
import { until } from './util.mjs';

export const commands = {
  generic_nack: 0x80000000,
  bind_receiver: 0x01,
  bind_transmitter: 0x02,
  query_sm: 0x03,
  submit_sm: 0x04,
  deliver_sm: 0x05,
  unbind: 0x06,
  cancel_sm: 0x08,
  bind_transceiver: 0x09,
  outbind: 0x0b,
  enquire_link: 0x15,
  data_sm: 0x103,
};
for (const [name, id] of Object.entries(commands)) if (id < 0x80000000) commands[`${name}_resp`] = id + 0x80000000;
const names = Object.fromEntries(Object.entries(commands).map(([name, id]) => [id, name]));

export const u16 = (n) => Buffer.from([n >> 8, n & 0xff]);
export const z = (text) => Buffer.from(`${text}\0`, 'latin1');
const octets = (value) => (Buffer.isBuffer(value) ? value : Buffer.from(value, 'latin1'));
export const tlv = (tag, value, length) =>
  Buffer.concat([u16(tag), u16(length ?? octets(value).length), octets(value)]);

/** A PDU with any claims. command: a name or a number. */
export function pdu(command, { sequence = 1, status = 0, body = Buffer.alloc(0), length } = {}) {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(length ?? 16 + body.length, 0);
  head.writeUInt32BE(commands[command] ?? command, 4);
  head.writeUInt32BE(status, 8);
  head.writeUInt32BE(sequence, 12);
  return Buffer.concat([head, body]);
}

/** The body of deliver_sm and submit_sm. sm_length: a lie about the text's length. tlvs: octets behind it. */
export function message(fields) {
  const f = { from: '', to: '', ton: 1, npi: 1, esm_class: 0, registered: 0, data_coding: 0, text: '', ...fields };
  const text = octets(f.text);
  for (const phone of [f.from, f.to]) keepPhone(phone);
  if (!Buffer.isBuffer(f.text)) keepBody(f.text);
  return Buffer.concat([
    z(f.service_type ?? ''),
    Buffer.from([f.ton, f.npi]),
    z(f.from.replace(/^\+/, '')),
    Buffer.from([f.ton, f.npi]),
    z(f.to.replace(/^\+/, '')),
    Buffer.from([f.esm_class, 0, 0]),
    z(f.schedule ?? ''),
    z(f.validity ?? ''),
    Buffer.from([f.registered, 0, f.data_coding, 0, f.sm_length ?? text.length]),
    text,
    f.tlvs ?? Buffer.alloc(0),
  ]);
}

/** The body of data_sm. */
export function data({ from, to, esm_class = 0, registered = 0, data_coding = 0, tlvs = Buffer.alloc(0) }) {
  const address = (a) => Buffer.concat([Buffer.from([1, 1]), z(a.replace(/^\+/, ''))]);
  for (const phone of [from, to]) keepPhone(phone);
  return Buffer.concat([z(''), address(from), address(to), Buffer.from([esm_class, registered, data_coding]), tlvs]);
}

export function bind({ system_id = 'peer', password = 'pw-of-p1', system_type = '', version = 0x34 } = {}) {
  return Buffer.concat([z(system_id), z(password), z(system_type), Buffer.from([version, 0, 0]), z('')]);
}

/** Tag -> value of the TLVs from an offset on. */
export function readTlvs(body, from) {
  const tlvs = new Map();
  for (let at = from; at + 4 <= body.length; at += 4 + body.readUInt16BE(at + 2))
    tlvs.set(body.readUInt16BE(at), body.subarray(at + 4, at + 4 + body.readUInt16BE(at + 2)));
  return tlvs;
}

/** Takes a submit_sm or deliver_sm apart, as far as tests look at it. */
export function readMessage(body) {
  let at = 0;
  const text = () => {
    const end = body.indexOf(0, at);
    const value = body.toString('latin1', at, end);
    at = end + 1;
    return value;
  };
  const u8 = () => body[at++];
  const m = { service_type: text(), source_ton: u8(), source_npi: u8(), from: text(), dest_ton: u8(), dest_npi: u8() };
  Object.assign(m, { to: text(), esm_class: u8(), protocol_id: u8(), priority: u8(), schedule: text() });
  Object.assign(m, { validity: text(), registered: u8(), replace: u8(), data_coding: u8(), default_id: u8() });
  const length = u8();
  m.octets = body.subarray(at, at + length);
  m.text = m.octets.toString('latin1');
  m.tlvs = readTlvs(body, at + length);
  return m;
}

/** Takes a data_sm apart. */
export function readData(body) {
  let at = 0;
  const text = () => {
    const end = body.indexOf(0, at);
    const value = body.toString('latin1', at, end);
    at = end + 1;
    return value;
  };
  const u8 = () => body[at++];
  const m = { service_type: text(), source_ton: u8(), source_npi: u8(), from: text(), dest_ton: u8(), dest_npi: u8() };
  Object.assign(m, { to: text(), esm_class: u8(), registered: u8(), data_coding: u8(), tlvs: readTlvs(body, at) });
  return m;
}

/** One connection. on(pdu, session) returns true when it has dealt with a PDU itself. */
export class RawSession {
  constructor(socket, on) {
    Object.assign(this, { socket, on, rest: Buffer.alloc(0), pdus: [], closed: false, sequence: 0x1000, ids: 0 });
    socket.setNoDelay(true);
    socket.on('error', () => {});
    hear(socket);
    socket.on('data', (d) => this.hear(d));
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.closed = true;
    });
  }

  hear(d) {
    const { pdus, rest } = frames(Buffer.concat([this.rest, d]));
    this.rest = rest;
    for (const one of pdus) {
      const id = one.readUInt32BE(4);
      const p = {
        command: names[id] ?? `0x${id.toString(16)}`,
        status: one.readUInt32BE(8),
        octets: one,
        at: Date.now(),
      };
      p.sequence = one.readUInt32BE(12);
      p.body = one.subarray(16);
      this.pdus.push(p);
      if (!this.on?.(p, this)) this.doRight(p);
    }
  }

  doRight({ command, sequence }) {
    const answer = (body) => this.write(pdu(`${command}_resp`, { sequence, body }));
    if (/^bind_\w+r$/.test(command)) answer(z('raw'));
    else if (command === 'enquire_link') answer();
    else if (command === 'submit_sm') answer(z(`r${(++this.ids).toString(16)}`));
    else if (command === 'deliver_sm' || command === 'data_sm') answer(z(''));
    else if (command === 'unbind') {
      answer();
      this.socket.end();
    }
  }

  /** The good answer to a request, with a message id. */
  answerTo({ command, sequence }, id = '', tlvs = Buffer.alloc(0)) {
    return pdu(`${command}_resp`, { sequence, body: Buffer.concat([z(id), tlvs]) });
  }

  refusal({ command, sequence }, status) {
    return pdu(`${command}_resp`, { sequence, status });
  }

  write(d) {
    return new Promise((resolve) => {
      this.socket.write(d, () => resolve());
    });
  }

  /** Writes a request; returns its sequence number. */
  ask(command, body, { sequence = ++this.sequence, ...more } = {}) {
    this.write(pdu(command, { sequence, body, ...more }));
    return sequence;
  }

  of(command) {
    return this.pdus.filter((p) => p.command === command);
  }

  /** Waits for the nth PDU of a command (from 1), or for the one with a sequence number. */
  async got(command, { n = 1, sequence, ms } = {}) {
    return until(
      () => (sequence === undefined ? this.of(command)[n - 1] : this.of(command).find((p) => p.sequence === sequence)),
      () =>
        `${command} ${sequence ?? n} comes; ${this.closed ? 'closed; ' : ''}` +
        `last: ${JSON.stringify(this.pdus.slice(-8).map((p) => [p.command, p.status, p.sequence]))}`,
      ms,
    );
  }

  /** Writes a request and waits for its answer. */
  async answered(command, body, more) {
    return this.got(`${command}_resp`, { sequence: this.ask(command, body, more) });
  }

  async ended(ms) {
    await until(() => this.closed, 'the other side closes', ms);
  }
}

/** A carrier: takes connections; the newest one is session. */
export class RawCarrier {
  constructor(on) {
    this.on = on;
    this.sessions = [];
  }

  async start(port = 0) {
    this.server = net.createServer((socket) => this.sessions.push(new RawSession(socket, (p, s) => this.on?.(p, s))));
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  get session() {
    return this.sessions.at(-1);
  }

  /** Waits until the nth connection has been bound. */
  async bound(n = 1) {
    return until(
      () => this.sessions.length >= n && this.session.pdus.some((p) => /^bind_/.test(p.command)) && this.session,
      `bind ${n} comes`,
      30000,
    );
  }

  /** Every submit_sm of all connections, taken apart. */
  submits() {
    return this.sessions.flatMap((session) =>
      session.of('submit_sm').map((p) => ({ ...readMessage(p.body), session, sequence: p.sequence, at: p.at })),
    );
  }

  async submitted(draft, n = 1) {
    const to = draft.phone.replace(/^\+/, '');
    return until(
      () => this.submits().filter((m) => m.to === to && m.text === draft.body)[n - 1],
      () => `submit ${n} of ${JSON.stringify(draft)}; there are ${this.submits().length}`,
    );
  }

  async stop() {
    const closed = new Promise((resolve) => {
      this.server.close(resolve);
    });
    for (const { socket } of this.sessions) socket.destroy();
    await closed;
  }
}

/** A customer: connects to a port; bind it with bind(). */
export class RawCustomer extends RawSession {
  static async connect(port, on) {
    const socket = net.connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new RawCustomer(socket, on);
  }

  async bind(kind = 'transceiver', fields = {}) {
    return this.answered(`bind_${kind}`, bind(fields));
  }
}
