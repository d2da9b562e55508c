// A TCP proxy that keeps every octet of both ways, can go deaf like a dead network, and hands its record to a judge that
// we did not write: tshark's SMPP dissector.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { run } from './util.mjs';

const PORT = 2775; // the server's in the record, whatever it was: tshark's SMPP port
const CHUNK = 32768; // octets of one recorded segment; an IPv4 packet holds 65535

/** Splits a stream into PDUs by command_length. Returns {pdus, rest}: rest is what a wrong length or a missing tail leaves. */
export function frames(stream) {
  const pdus = [];
  let at = 0;
  while (stream.length - at >= 16) {
    const length = stream.readUInt32BE(at);
    if (length < 16 || length > stream.length - at) break;
    pdus.push(stream.subarray(at, at + length));
    at += length;
  }
  return { pdus, rest: stream.subarray(at) };
}

export class Tap {
  /** port: where to carry connections on to, a number or a function that tells it (for peers that start later). */
  constructor({ port, host = '127.0.0.1' }) {
    Object.assign(this, { to: port, host });
    this.connections = []; // {packets: [{fromClient, octets, at}], open}
    this.held = false;
  }

  async start(port = 0) {
    this.server = net.createServer({ allowHalfOpen: true }, (client) => this.join(client));
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  join(client) {
    const server = net.connect({ host: this.host, port: typeof this.to === 'function' ? this.to() : this.to });
    const c = { packets: [], client, server, open: true };
    this.connections.push(c);
    this.pass(c, client, server, true);
    this.pass(c, server, client, false);
  }

  pass(c, from, to, fromClient) {
    from.setNoDelay(true);
    from.on('data', (octets) => {
      if (c.held) return; // a dead network: taken, told to nobody
      c.packets.push({ fromClient, octets, at: Date.now() });
      to.write(octets);
    });
    from.on('end', () => c.held || to.end());
    from.on('error', () => {});
    from.on('close', () => {
      c.open = false;
      if (!c.held) to.destroy();
    });
  }

  /** From now on the open connections swallow what comes, both ways, and stay open; later ones are carried as usual. */
  hold() {
    for (const c of this.connections) c.held ||= c.open;
  }

  /** What one side said, all connections after one another: 'client' or 'server'. */
  said(side) {
    return this.connections.map((c) =>
      Buffer.concat(c.packets.filter((p) => p.fromClient === (side === 'client')).map((p) => p.octets)),
    );
  }

  async stop() {
    const closed = new Promise((resolve) => {
      this.server.close(resolve);
    });
    for (const c of this.connections) {
      c.client.destroy();
      c.server.destroy();
    }
    await closed;
  }
}

/** IPv4 and TCP around octets; no checksums, which tshark does not check unless told to. */
function packet({ fromClient, client, seq, ack, flags, octets }) {
  const head = Buffer.alloc(40);
  head.writeUInt8(0x45, 0);
  head.writeUInt16BE(40 + octets.length, 2);
  head.writeUInt16BE(0x4000, 6);
  head.writeUInt8(64, 8);
  head.writeUInt8(6, 9);
  head.writeUInt32BE(fromClient ? 0x7f000002 : 0x7f000001, 12);
  head.writeUInt32BE(fromClient ? 0x7f000001 : 0x7f000002, 16);
  head.writeUInt16BE(fromClient ? client : PORT, 20);
  head.writeUInt16BE(fromClient ? PORT : client, 22);
  head.writeUInt32BE(seq >>> 0, 24);
  head.writeUInt32BE(ack >>> 0, 28);
  head.writeUInt8(0x50, 32);
  head.writeUInt8(flags, 33);
  head.writeUInt16BE(0xffff, 34);
  return Buffer.concat([head, octets]);
}

function* segments(connection, client) {
  const next = { true: 1, false: 1 };
  const make = (fromClient, flags, octets, at) => {
    const ack = flags & 0x10 ? next[!fromClient] : 0;
    const made = packet({ fromClient, client, seq: next[fromClient], ack, flags, octets });
    next[fromClient] += octets.length + (flags & 0x03 ? 1 : 0);
    return { at, octets: made };
  };
  const began = connection.packets[0]?.at ?? Date.now();
  yield make(true, 0x02, Buffer.alloc(0), began);
  yield make(false, 0x12, Buffer.alloc(0), began);
  yield make(true, 0x10, Buffer.alloc(0), began);
  for (const { fromClient, octets, at } of connection.packets)
    for (let from = 0; from < octets.length; from += CHUNK)
      yield make(fromClient, 0x18, octets.subarray(from, from + CHUNK), at);
}

/** A pcap file (DLT_RAW) of connections as a Tap keeps them. */
export function writePcap(file, connections) {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(0x40000, 16);
  head.writeUInt32LE(101, 20);
  const parts = [head];
  connections.forEach((connection, i) => {
    for (const { at, octets } of segments(connection, 20000 + (i % 40000))) {
      const record = Buffer.alloc(16);
      record.writeUInt32LE(Math.floor(at / 1000), 0);
      record.writeUInt32LE((at % 1000) * 1000, 4);
      record.writeUInt32LE(octets.length, 8);
      record.writeUInt32LE(octets.length, 12);
      parts.push(record, octets);
    }
  });
  fs.writeFileSync(file, Buffer.concat(parts));
}

async function tshark(file, args) {
  const done = await run('tshark', [
    '-r',
    file,
    '-o',
    'tcp.check_checksum:FALSE',
    '-d',
    `tcp.port==${PORT},smpp`,
    ...args,
  ]);
  if (done.code !== 0) throw new Error(`tshark ended with ${done.code}: ${done.stderr}`);
  return done.stdout.split('\n').filter(Boolean);
}

/**
 * Has tshark dissect what one side ('client' or 'server') said. Returns {pdus, faults}: pdus is a map of command_id (hex)
 * to how many it saw; faults are the frames that it calls malformed or remarks on, and PDUs that it did not see at all.
 */
export async function judge(growing, side) {
  const connections = growing.map(({ packets }) => ({ packets: [...packets] })); // as they are now
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-pcap-'));
  const file = path.join(dir, 'wire.pcap');
  const ours = side === 'client' ? `tcp.dstport == ${PORT}` : `tcp.srcport == ${PORT}`;
  try {
    writePcap(file, connections);
    const seen = await tshark(file, ['-Y', `smpp && ${ours}`, '-T', 'fields', '-e', 'smpp.command_id']);
    const bad = await tshark(file, [
      '-Y',
      `${ours} && (_ws.malformed || (smpp && _ws.expert.severity >= "Warning"))`,
      '-T',
      'fields',
      '-e',
      'frame.number',
      '-e',
      'smpp.command_id',
      '-e',
      '_ws.expert.message',
    ]);
    const pdus = {};
    for (const id of seen.flatMap((line) => line.split(','))) {
      const hex = Number(id).toString(16).padStart(8, '0');
      pdus[hex] = (pdus[hex] ?? 0) + 1;
    }
    return { pdus, faults: bad.concat(unseen(connections, side, pdus)) };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** What the streams hold by our own count and the dissector's does not: a judge that sees nothing finds no fault. */
function unseen(connections, side, pdus) {
  const counts = {};
  for (const c of connections) {
    const stream = Buffer.concat(c.packets.filter((p) => p.fromClient === (side === 'client')).map((p) => p.octets));
    const { pdus: list, rest } = frames(stream);
    if (rest.length) counts.rest = (counts.rest ?? 0) + 1;
    for (const one of list) {
      const hex = one.readUInt32BE(4).toString(16).padStart(8, '0');
      counts[hex] = (counts[hex] ?? 0) + 1;
    }
  }
  return Object.entries(counts)
    .filter(([hex, n]) => pdus[hex] !== n)
    .map(([hex, n]) => `${n} of ${hex} written, ${pdus[hex] ?? 0} dissected`);
}
