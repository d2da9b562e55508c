// tshark reads what our codec writes: every golden page. Needs no database. What the program writes to carriers while it
// is tested is judged at the end of each file (lib/judge.mjs).
import assert from 'node:assert/strict';
import test from 'node:test';
import { dissect } from './lib/judge.mjs';
import { goldens } from './lib/goldens.mjs';
import { binary, run } from './lib/util.mjs';

const examples = goldens().filter((e) => e.flags.length === 0);

// What tshark 4.0 gets wrong, and what the pages show on purpose. A row that is not needed any more is a failure.
const excused = [
  ['broadcast_sm.md', 'to an area', 'it reads one octet of broadcast_rep_num, and what follows from the wrong place'],
  ['data_sm.md', 'a text to a handset', 'source_telematics_id of two octets, as npm smpp writes it'],
  ['query_broadcast_sm_resp.md', 'nearly done', 'broadcast_end_time of 16 octets, without a NUL'],
  ['shown.md', 'a header that says it is longer than the text', 'on purpose'],
  ['shown.md', 'an element that is longer than its header', 'on purpose'],
  ['shown.md', 'ms_validity of four octets, alert_on_message_delivery of none', 'it knows the one octet of 3.4'],
  ['shown.md', 'network_error_code in digits, or too short', 'on purpose'],
  ['traps.md', 'submit_sm_resp with status 0 and no body', 'on purpose'],
  ['traps.md', 'deliver_sm_resp of 16 octets (trap 19)', 'on purpose'],
  ['traps.md', 'ms_validity and alert_on_message_delivery in the form of 5.0 and 3.4', 'the same as shown.md'],
];
const only33 = /^(param_retrieve|query_last_msgs|query_msg_details)/; // commands that it does not know

/** The examples as our codec writes them, from JSON. */
async function encoded() {
  const hex = examples.map((e) => `${e.hex}\n`).join('');
  const json = await run(binary, ['pdu', '--json', '-'], { input: hex });
  const back = await run(binary, ['pdu', '--encode', '-'], { input: json.stdout });
  assert.equal(back.code, 0, back.stderr);
  const pdus = back.stdout.trim().split('\n');
  assert.equal(pdus.length, examples.length);
  return pdus.map((line) => Buffer.from(line, 'hex'));
}

test('tshark sees every golden and finds none malformed', async () => {
  const pdus = await encoded();
  const known = pdus.filter((_, i) => !only33.test(examples[i].file));
  const title = (pdu) => {
    const e = examples[pdus.findIndex((p) => p.equals(pdu))];
    return `${e.file}: ${e.title}`;
  };
  const needed = new Set();
  const { dissected, complaints } = await dissect(
    known.map((pdu) => [pdu]),
    (pdu) => {
      const row = excused.find(([file, words]) => title(pdu) === `${file}: ${words}`);
      needed.add(row);
      return row;
    },
  );
  assert.deepEqual(complaints, []);
  assert.equal(dissected, known.length);
  assert.ok(known.length > 75);
  for (const row of excused) assert.ok(needed.has(row), `${row[1]} needs no excuse`);
});

test('the judge complains of what is wrong, and counts what it does not see', async () => {
  const submit = examples.find((e) => e.title === 'a reminder').hex;
  const good = Buffer.from(submit, 'hex');
  const cut = Buffer.from(good.subarray(0, good.length - 10)); // sm_length passes the end
  cut.writeUInt32BE(cut.length, 0);
  const { dissected, complaints } = await dissect([[good, cut, good]]);
  assert.equal(dissected, 3);
  assert.equal(complaints.length, 1);
  assert.ok(complaints[0].startsWith('malformed') && complaints[0].endsWith(cut.toString('hex')));
  const stranger = Buffer.from(good);
  stranger.writeUInt32BE(0x99, 4);
  assert.ok((await dissect([[good], [stranger]])).dissected < 2);
});

test('long PDUs and many in one connection are read too', async () => {
  // tshark takes no command_length above 64 kB for SMPP
  const long = JSON.stringify({
    command: 'data_sm',
    fields: { source_addr: '12125550100', destination_addr: '12125550123', data_coding: 4 },
    tlvs: [{ tag: '0x0424', hex: 'ab'.repeat(60000) }],
  });
  const done = await run(binary, ['pdu', '--encode', '-'], { input: long });
  const pdu = Buffer.from(done.stdout.trim(), 'hex');
  const probe = Buffer.from('00000010000000150000000000000001', 'hex');
  const stream = [probe, pdu, ...Array(500).fill(probe), pdu, probe];
  const { dissected, complaints } = await dissect([stream, stream]);
  assert.deepEqual(complaints, []);
  assert.equal(dissected, 2 * stream.length);
});
