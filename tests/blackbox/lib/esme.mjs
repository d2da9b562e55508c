// An ESME that sees the wire: a plain socket, PDUs by npm smpp's codec, and every chunk, PDU and end on record.
import net from 'node:net';
import tls from 'node:tls';
import smpp from 'smpp';
import { until } from './util.mjs';

export class Esme {
  /** answer(pdu): the status of deliver_sm_resp and data_sm_resp, or null for none. */
  constructor({ answer = () => 0, probes = true } = {}) {
    this.answer = answer;
    this.probes = probes;
    this.chunks = []; // {at, octets}
    this.frames = []; // {at, octets, pdu, chunk}
    this.rest = Buffer.alloc(0);
    this.sequence = 0;
    this.ended = false;
  }

  async connect(port, { secure, ...options } = {}) {
    this.socket = secure ? tls.connect({ port, host: 'localhost', ...options }) : net.connect(port, '127.0.0.1');
    this.take(this.socket);
    await new Promise((resolve, reject) => {
      this.socket.once(secure ? 'secureConnect' : 'connect', resolve);
      this.socket.once('error', reject);
    });
    return this;
  }

  take(socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (octets) => this.read(octets));
    socket.on('close', () => {
      this.ended = true;
    });
  }

  read(octets) {
    this.chunks.push({ at: performance.now(), octets });
    this.rest = Buffer.concat([this.rest, octets]);
    while (!this.lost && this.rest.length >= 4) {
      const length = this.rest.readUInt32BE(0);
      if (length < 16 || length > 70000) {
        this.lost = true;
        return;
      }
      if (this.rest.length < length) return;
      this.frame(this.rest.subarray(0, length));
      this.rest = this.rest.subarray(length);
    }
  }

  frame(octets) {
    const frame = {
      at: performance.now(),
      octets,
      chunk: this.chunks.length,
      id: octets.readUInt32BE(4),
      status: octets.readUInt32BE(8),
      sequence: octets.readUInt32BE(12),
    };
    try {
      frame.pdu = smpp.PDU.fromBuffer(octets);
      frame.command = frame.pdu.command;
    } catch (error) {
      frame.error = error;
    }
    this.frames.push(frame);
    if (!frame.pdu || frame.pdu.isResponse()) return;
    if (frame.command === 'enquire_link' && this.probes) this.send(frame.pdu.response());
    if (frame.command === 'unbind' && !this.keeps) this.send(frame.pdu.response());
    if (frame.command === 'deliver_sm' || frame.command === 'data_sm') {
      const status = this.answer(frame.pdu, this);
      if (status !== null) this.send(frame.pdu.response({ command_status: status }));
    }
  }

  write(octets) {
    this.socket.write(octets);
  }

  send(pdu) {
    if (!this.ended && this.socket.writable) this.write(pdu.toBuffer());
  }

  /** Sends a request; its sequence_number. */
  request(command, fields = {}) {
    const sequence_number = ++this.sequence;
    this.send(new smpp.PDU(command, { ...fields, sequence_number }));
    return sequence_number;
  }

  submit(text, fields = {}) {
    return this.request('submit_sm', {
      source_addr: '12125550199',
      source_addr_ton: 1,
      source_addr_npi: 1,
      dest_addr_ton: 1,
      dest_addr_npi: 1,
      destination_addr: '12125550101',
      short_message: text,
      registered_delivery: 1,
      ...fields,
    });
  }

  /** Whatever came under a sequence_number that answers. */
  answers(sequence) {
    return this.frames.filter((f) => f.sequence === sequence && (f.id & 0x80000000) !== 0);
  }

  async answered(sequence) {
    await until(
      () => this.answers(sequence).length,
      () => `an answer to ${sequence}; there came ${this.said()}`,
    );
    return this.answers(sequence)[0];
  }

  of(command) {
    return this.frames.filter((f) => f.command === command);
  }

  async got(command, count = 1, match = () => true) {
    const found = () => this.frames.filter((f) => f.command === command && match(f.pdu));
    await until(
      () => found().length >= count,
      () => `${count} ${command}; there came ${this.said()}`,
    );
    return found();
  }

  said() {
    return this.frames.map((f) => `${f.command}(${f.sequence},${f.status})`).join(' ') || 'nothing';
  }

  async closed() {
    await until(
      () => this.ended,
      () => `the end of the connection; there came ${this.said()}`,
    );
  }

  async bind(kind = 'transceiver', fields = {}) {
    const sequence = this.request(`bind_${kind}`, {
      system_id: 'esme',
      password: 'secret',
      interface_version: 0x34,
      ...fields,
    });
    return this.answered(sequence);
  }

  close() {
    this.socket?.destroy();
  }
}

/** Text of a deliver_sm or data_sm, whichever way it travels. */
export function textOf(pdu) {
  const field = pdu.message_payload ?? pdu.short_message;
  const message = field?.message ?? field;
  return Buffer.isBuffer(message) ? message.toString('latin1') : (message ?? '');
}
