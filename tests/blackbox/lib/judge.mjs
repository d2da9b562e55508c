// tshark as judge of a whole test file: what our program wrote to the sockets of the harness is kept, and dissected at
// the end by somebody who did not write it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { frames, writePcap } from './tap.mjs';
import { run } from './util.mjs';

const PORT = 2775; // as writePcap writes it
const NOTE = 0x400000; // tshark's severities from there on are complaints
const columns = [
  'frame.number',
  'tcp.stream',
  'smpp.command_id',
  'smpp.sequence_number',
  '_ws.malformed',
  '_ws.expert.severity',
  '_ws.expert.message',
];

const heard = []; // the octets of each connection

/** Keeps what comes in on a socket, whoever else reads it. */
export function hear(socket) {
  const octets = [];
  heard.push(octets);
  socket.on('data', (d) => octets.push(d));
}

/**
 * Has tshark dissect PDUs, given as a list for each connection. Returns {dissected, complaints}; excuse(pdu) is true
 * where tshark is known to be wrong.
 */
export async function dissect(streams, excuse = () => false) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-judge-'));
  const file = path.join(folder, 'pdus.pcap');
  try {
    writePcap(
      file,
      streams.map((pdus) => ({ packets: pdus.map((octets) => ({ fromClient: true, octets, at: 0 })) })),
    );
    const done = await run(
      'tshark',
      [
        ...['-n', '-r', file, '-d', `tcp.port==${PORT},smpp`, '-o', 'smpp.decode_sms_over_smpp:TRUE'],
        ...['-o', 'tcp.analyze_sequence_numbers:FALSE'], // of a record that was never on a wire
        ...['-T', 'fields', '-E', 'separator=/t', '-E', 'aggregator=|', ...columns.flatMap((name) => ['-e', name])],
      ],
      { timeout: 120000 },
    );
    assert.equal(done.code, 0, done.stderr);
    return verdict(done.stdout, streams, excuse);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Every PDU began a packet of its own, so tshark's frames and our PDUs come in the same order. */
function verdict(table, streams, excuse) {
  const next = streams.map(() => 0);
  const complaints = [];
  let dissected = 0;
  for (const line of table.split('\n').filter(Boolean)) {
    const [frame, stream, command, sequence, malformed, severity, message] = line.split('\t');
    const pdu = command ? streams[stream][next[stream]++] : undefined;
    if (command) {
      dissected++;
      const seen = [command, sequence].map(Number);
      assert.deepEqual(seen, [pdu.readUInt32BE(4), pdu.readUInt32BE(12)], `frame ${frame} is another PDU`);
    }
    const severe = severity.split('|').some((s) => Number(s) >= NOTE);
    const words = [malformed && 'malformed', severe && message].filter(Boolean).join(', ');
    if (words && !(pdu && excuse(pdu))) complaints.push(`${words}: ${pdu ? pdu.toString('hex') : `frame ${frame}`}`);
  }
  return { dissected, complaints };
}

/** Judges all that was heard: each PDU is seen, none is complained of. Half a PDU may only be the last of a connection. */
export async function judgeHeard() {
  const streams = heard.map((octets) => frames(Buffer.concat(octets))).filter(({ pdus }) => pdus.length);
  for (const { rest } of streams)
    assert.ok(
      rest.length < 4 || rest.readUInt32BE(0) >= 16,
      `we wrote a command_length of ${rest.toString('hex', 0, 4)}`,
    );
  const written = streams.reduce((n, { pdus }) => n + pdus.length, 0);
  if (!written) return { written, connections: 0 };
  const { dissected, complaints } = await dissect(streams.map(({ pdus }) => pdus));
  assert.deepEqual(complaints, [], 'tshark complains of what we wrote');
  assert.equal(dissected, written, 'tshark did not see every PDU');
  return { written, connections: streams.length };
}
