// The carrier: npm smpp's server, which we did not write, with scripted behaviour.
import { once } from 'node:events';
import smpp from 'smpp';
import { hear } from './judge.mjs';
import { keepBody, keepPhone } from './privacy.mjs';
import { pause, slow, until } from './util.mjs';

const two = (n) => String(n).padStart(2, '0');
function stamp(at = new Date()) {
  return `${two(at.getFullYear() % 100)}${two(at.getMonth() + 1)}${two(at.getDate())}${two(at.getHours())}${two(at.getMinutes())}`;
}

export function receiptText({ id, stat = 'DELIVRD', err = '000', text = '' }) {
  return `id:${id} sub:001 dlvrd:${stat === 'DELIVRD' ? '001' : '000'} submit date:${stamp()} done date:${stamp()} stat:${stat} err:${err} text:${text}`;
}

const states = { ENROUTE: 1, DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8 };

export class Carrier {
  /**
   * onBind(pdu, session): command_status, or 'silent'.
   * onSubmit(submit, carrier): nothing to answer with a message id at once, or {status, id, delay, receipt, silent, drop,
   * more}; more: further fields of the answer.
   */
  constructor({ onBind, onSubmit, tls } = {}) {
    this.tls = tls; // {key, cert} in PEM, or nothing for plain TCP
    this.onBind = onBind;
    this.onSubmit = onSubmit;
    this.submits = [];
    this.binds = [];
    this.enquiries = 0;
    this.unbinds = 0;
    this.pdus = [];
    this.nacks = [];
    this.closes = 0;
    this.errors = [];
    this.sessions = new Set();
    this.mostOpen = 0;
    this.ids = 0;
  }

  async start(port = 0) {
    this.server = smpp.createServer(this.tls ?? {}, (session) => this.serve(session));
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  serve(session) {
    hear(session.socket);
    session.open = 0;
    session.bound = false;
    session.setMaxListeners(0);
    this.sessions.add(session);
    session.on('error', (error) => this.errors.push(error));
    session.on('close', () => {
      this.closes++;
      this.sessions.delete(session);
    });
    session.on('pdu', (pdu) => {
      this.pdus.push({ at: Date.now(), session, pdu });
      if (pdu.command === 'generic_nack') this.nacks.push(pdu);
      if (/^bind_/.test(pdu.command) && !pdu.isResponse()) this.bind(session, pdu);
    });
    session.on('enquire_link', (pdu) => {
      this.enquiries++;
      if (!this.deaf) session.send(pdu.response());
    });
    session.on('unbind', (pdu) => {
      this.unbinds++;
      if (this.deaf) return;
      session.send(pdu.response(), () => session.close());
    });
    session.on('submit_sm', (pdu) => this.submit(session, pdu));
    session.on('data_sm', (pdu) => this.submit(session, pdu));
  }

  bind(session, pdu) {
    this.binds.push({ at: Date.now(), pdu, session });
    const status = this.onBind?.(pdu, session) ?? 0;
    if (status === 'silent') return;
    session.bound = status === 0;
    session.send(pdu.response({ command_status: status, ...(status === 0 ? { system_id: 'carrier' } : {}) }));
  }

  async submit(session, pdu) {
    const submit = {
      at: Date.now(),
      session,
      pdu,
      from: pdu.source_addr,
      to: pdu.destination_addr,
      text: (pdu.command === 'data_sm' ? pdu.message_payload : pdu.short_message)?.message ?? '',
    };
    submit.phone = submit.to.startsWith('+') ? submit.to : `+${submit.to}`;
    this.submits.push(submit);
    session.open++;
    this.mostOpen = Math.max(this.mostOpen, session.open);
    const act = (await this.onSubmit?.(submit, this)) ?? {};
    if (act.silent) return;
    if (act.drop) {
      session.destroy();
      return;
    }
    if (act.delay) await pause(act.delay);
    this.answer(submit, act);
    // a session that ends meanwhile takes the receipt with it
    if (act.receipt) await this.receipt(submit, act.receipt === true ? {} : act.receipt).catch(() => {});
  }

  nextId() {
    return `c${process.pid.toString(16)}-${(++this.ids).toString(16).padStart(8, '0')}`;
  }

  /** Answers one submit; later, again or in any order is the script's choice. */
  answer(submit, { status = 0, id, headerOnly = false, more = {} } = {}) {
    const { session, pdu } = submit;
    submit.id = id ?? submit.id ?? this.nextId();
    submit.status = status;
    session.open--;
    if (!session.socket.writable) return false;
    if (headerOnly) {
      const head = Buffer.alloc(16);
      head.writeUInt32BE(16, 0);
      head.writeUInt32BE(0x80000004, 4);
      head.writeUInt32BE(status, 8);
      head.writeUInt32BE(pdu.sequence_number, 12);
      session.socket.write(head);
    } else {
      session.send(pdu.response({ command_status: status, message_id: status === 0 ? submit.id : '', ...more }));
    }
    return true;
  }

  get session() {
    return [...this.sessions].findLast((s) => s.bound && s.socket.writable); // the newest: an old one may not know yet
  }

  async bound(count = 1) {
    await until(() => [...this.sessions].filter((s) => s.bound).length >= count, 'the gateway binds', 30000);
    return this.session;
  }

  /** deliver_sm with any fields; resolves with its answer. */
  deliver(fields, session = this.session) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no deliver_sm_resp in time')), 30000 * slow);
      const end = (settle) => (value) => {
        clearTimeout(timer);
        settle(value);
      };
      session.once('close', () => end(reject)(new Error('closed before deliver_sm_resp')));
      if (!session.deliver_sm(fields, end(resolve))) end(reject)(new Error('the session is gone'));
    });
  }

  /** A receipt about a submit, by 'text', 'tlv' or 'both'. */
  receipt(submit, { stat = 'DELIVRD', how = 'text', id = submit.id, err = '000', session } = {}) {
    const fields = {
      esm_class: 0x04,
      data_coding: 0,
      source_addr: submit.to,
      destination_addr: submit.from,
      source_addr_ton: 1,
      source_addr_npi: 1,
      dest_addr_ton: 1,
      dest_addr_npi: 1,
      short_message: how === 'tlv' ? '' : receiptText({ id, stat, err, text: submit.text.slice(0, 20) }),
    };
    if (how !== 'text') Object.assign(fields, { receipted_message_id: id, message_state: states[stat] });
    return this.deliver(fields, session ?? this.session);
  }

  /** A patient's text. */
  mo(from, to, text, more = {}) {
    keepPhone(from);
    keepBody(text);
    return this.deliver({
      source_addr: from.replace(/^\+/, ''),
      destination_addr: to.replace(/^\+/, ''),
      source_addr_ton: 1,
      source_addr_npi: 1,
      dest_addr_ton: 1,
      dest_addr_npi: 1,
      data_coding: 0,
      short_message: text,
      ...more,
    });
  }

  /** Octets as they are, on the bound session. */
  raw(octets, session = this.session) {
    return new Promise((resolve) => {
      session.socket.write(octets, () => resolve());
    });
  }

  of(text) {
    return this.submits.filter((s) => s.text === text);
  }

  to(phone) {
    return this.submits.filter((s) => s.phone === phone);
  }

  /** Waits for the submit of a draft. */
  async got(draft, ms = 15000) {
    return until(
      () => this.submits.find((s) => s.phone === draft.phone && s.text === (draft.wire ?? draft.body)),
      () => `a submit to the carrier for ${JSON.stringify(draft)}; there are ${this.submits.length}`,
      ms,
    );
  }

  dropAll() {
    for (const s of this.sessions) s.destroy();
  }

  async stop() {
    const closed = new Promise((resolve) => {
      this.server.close(resolve);
    });
    this.dropAll();
    await closed;
  }
}

/** A header with any claims, and octets behind it. */
export function pduOctets(commandId, sequence, { status = 0, body = Buffer.alloc(0), length } = {}) {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(length ?? 16 + body.length, 0);
  head.writeUInt32BE(commandId, 4);
  head.writeUInt32BE(status, 8);
  head.writeUInt32BE(sequence, 12);
  return Buffer.concat([head, body]);
}

export { smpp };
