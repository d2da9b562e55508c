// `smsbridge pdu`: pages, JSON and back. Needs no database.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import smpp from 'smpp';
import { goldens, seeded } from './lib/goldens.mjs';
import { binary, run } from './lib/util.mjs';

const examples = goldens();
const pdu = (args, input) => run(binary, ['pdu', ...args], { input });
const lines = (text) => text.split('\n').slice(0, -1);

/** One PDU a line to JSON, one object a line. */
async function toJson(hex) {
  const done = await pdu(['--json', '-'], hex.map((h) => `${h}\n`).join(''));
  assert.equal(done.code, 0, done.stderr);
  const out = lines(done.stdout);
  assert.equal(out.length, hex.length);
  return out;
}

async function toHex(objects) {
  const done = await pdu(['--encode', '-'], objects.map((o) => `${o}\n`).join(''));
  return { code: done.code, out: lines(done.stdout), stderr: done.stderr };
}

const one = async (hex) => JSON.parse((await toJson([hex]))[0]);
const encoded = async (object) => (await toHex([JSON.stringify(object)])).out[0];

test('every golden page is what the command prints', async () => {
  for (const e of examples) {
    const done = await pdu([...(e.flags.includes('masked') ? ['--masked'] : []), e.hex]);
    assert.equal(done.stdout, e.page, `${e.file}: ${e.title}`);
    assert.equal(done.code, e.flags.includes('fault') ? 1 : 0, `${e.file}: ${e.title}`);
  }
});

test('hex as people paste it', async () => {
  const { page, hex: plain } = examples.find((e) => e.file === 'enquire_link.md');
  for (const words of [
    [plain.toUpperCase()],
    plain.match(/.{8}/g),
    plain.match(/../g),
    [plain.match(/../g).join(':')],
    [plain.match(/../g).join('-')],
    [plain.match(/.{8}/g).join('\n')],
    [`0x${plain}`],
    [
      plain
        .match(/../g)
        .map((octet) => `0x${octet}`)
        .join(', '),
    ],
    [
      plain
        .match(/../g)
        .map((octet) => `\\x${octet}`)
        .join(''),
    ],
  ]) {
    const done = await pdu(words);
    assert.deepEqual([done.stdout, done.code], [page, 0], words.join(' '));
    assert.equal((await pdu(['-'], words.join(' '))).stdout, page);
  }
});

test('data_coding 0 is read as the link means it', async () => {
  const hex = examples.find((e) => e.title === 'a reply').hex.replace('53544f50', 'e1001b65');
  for (const [alphabet, text] of [
    ['gsm7', '"\ufffd@\u20ac"'],
    ['latin1', '"\u00e1\ufffd\\x1be"'],
  ]) {
    const done = await pdu(['--alphabet', alphabet, hex]);
    assert.ok(done.stdout.includes(`short_message                 ${text}\n`), done.stdout);
  }
  const packed = hex.replace('e1001b65', 'd3e61401');
  assert.match((await pdu(['--alphabet', 'gsm7_packed', packed])).stdout, /short_message {17}"SMS/);
});

test('several PDUs back to back are a page each', async () => {
  const whole = examples.filter((e) => !e.flags.includes('masked') && !e.flags.includes('fault'));
  const done = await pdu(['-'], whole.map((e) => e.hex).join(''));
  assert.equal(done.code, 0);
  assert.equal(done.stdout, whole.map((e) => e.page).join('\n'));
  const cut = await pdu([`${whole[0].hex}0000`]);
  assert.equal(cut.code, 1);
  assert.match(
    cut.stdout,
    /\nunknown, 2 octets\n.*\nfault: command_length at 0: .*\nanswer: generic_nack with 00000002/,
  );
  const lost = await pdu([`${whole[0].hex}0000000900000015`]);
  assert.equal(lost.code, 1);
  assert.ok(lost.stdout.startsWith(whole[0].page));
  assert.match(lost.stdout, /fault: command_length/);
});

test('what is no PDU at all is said', async () => {
  for (const [args, input, code, words] of [
    [[], '', 2, /which PDU/],
    [['zz'], '', 1, /character 1 is neither/],
    [['0000001'], '', 1, /lacks its second digit/],
    [['00 0 0'], '', 1, /before character 5 lacks/],
    [['-'], '', 1, /no PDU/],
    [['-'], '\n \n', 1, /no PDU/],
    [['--json', '--masked', '00'], '', 2, /--masked is for pages/],
    [['--encode', '--json', '-'], '', 2, /--encode takes/],
    [['--wrong', '00'], '', 2, /no option --wrong/],
    [['--alphabet', 'ebcdic', '00'], '', 2, /--alphabet is gsm7/],
  ]) {
    const done = await pdu(args, input);
    assert.equal(done.code, code, args.join(' '));
    assert.match(done.stderr, words);
  }
  const help = await pdu(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Examples:\n {2}smsbridge pdu /);
  assert.match((await run(binary, ['--help'])).stdout, /^ {2}pdu +\S/m);
});

test('JSON by the names of the specification', async () => {
  const submit = await one(
    '0000005c00000004000000000000000700010131323132353535303130300005006865783a41004000000030303030303130' +
      '30303030303030305200010008000a050003420201004800690204000201021401000261620427000103' +
      '',
  );
  assert.deepEqual(submit, {
    command: 'submit_sm',
    command_status: '0x00000000',
    sequence_number: 7,
    fields: {
      service_type: '',
      source_addr_ton: 1,
      source_addr_npi: 1,
      source_addr: '12125550100',
      dest_addr_ton: 5,
      dest_addr_npi: 0,
      destination_addr: 'hex:6865783a41',
      esm_class: 64,
      protocol_id: 0,
      priority_flag: 0,
      schedule_delivery_time: '',
      validity_period: '000001000000000R',
      registered_delivery: 1,
      replace_if_present_flag: 0,
      data_coding: 8,
      sm_default_msg_id: 0,
      sm_length: 10,
      short_message: '05000342020100480069',
    },
    tlvs: [
      { tag: '0x0204', name: 'user_message_reference', length: 2, hex: '0102' },
      { tag: '0x1401', name: null, length: 2, hex: '6162' },
      { tag: '0x0427', name: 'message_state', length: 1, hex: '03' },
    ],
  });
  const multi = examples.find((e) => e.file === 'submit_multi.md');
  const { fields } = await one(multi.hex);
  assert.equal(fields.number_of_dests, fields.dest_address.length);
  assert.deepEqual(Object.keys(fields.dest_address[0]), [
    'dest_flag',
    'dest_addr_ton',
    'dest_addr_npi',
    'destination_addr',
  ]);
  const details = await one(examples.find((e) => e.file === 'query_msg_details_resp.md').hex);
  assert.deepEqual(details.fields.dest_address, [
    { dest_flag: 1, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '12125550123' },
    { dest_flag: 2, dl_name: 'recall' },
  ]);
  const refused = await one(examples.filter((e) => e.file === 'submit_multi_resp.md')[1].hex);
  assert.deepEqual(refused.fields.unsuccess_sme[1], {
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    destination_addr: '12125550124',
    error_status_code: 0x58,
  });
  const ids = await one(examples.find((e) => e.file === 'query_last_msgs_resp.md').hex);
  assert.deepEqual(ids.fields, { number_msgs: 3, message_id: ['1a2b3c4d', '1a2b3c4e', '00000001'] });
  const bare = await one('00000010800000040000005800000007');
  assert.deepEqual(bare, {
    command: 'submit_sm_resp',
    command_status: '0x00000058',
    sequence_number: 7,
    fields: {},
    tlvs: [],
  });
});

test('numbers and texts are those that npm smpp reads', async () => {
  const known = examples.filter((e) => e.flags.length === 0 && smpp.commandsById[parseInt(e.hex.slice(8, 16), 16)]);
  const read = await toJson(known.map((e) => e.hex));
  let compared = 0;
  for (const [i, e] of known.entries()) {
    const ours = JSON.parse(read[i]);
    if (ours.tlvs.some((tlv) => tlv.length === 0)) continue; // it reads an octet past such a TLV
    const theirs = new smpp.PDU(Buffer.from(e.hex, 'hex'));
    assert.equal(ours.command, theirs.command);
    assert.equal(ours.sequence_number, theirs.sequence_number);
    assert.equal(Number(ours.command_status), theirs.command_status);
    for (const [name, value] of Object.entries(ours.fields)) {
      const their = theirs[name];
      if (typeof their !== 'string' && typeof their !== 'number') continue;
      const text = typeof value === 'string' && value.startsWith('hex:');
      assert.equal(text ? Buffer.from(value.slice(4), 'hex').toString('ascii') : value, their, name);
      compared++;
    }
  }
  assert.ok(compared > 500, `${compared} values`);
});

test('every golden comes back from JSON to the octet', async () => {
  const whole = examples.filter((e) => !e.flags.includes('fault'));
  const objects = await toJson(whole.map((e) => e.hex));
  const back = await toHex(objects);
  assert.equal(back.code, 0, back.stderr);
  for (const [i, e] of whole.entries()) assert.equal(back.out[i], e.hex, `${e.file}: ${e.title}: ${objects[i]}`);
  const twice = await toJson(back.out);
  assert.deepEqual(twice, objects);
});

test('a fault names field, offset, sentence, and what would be answered', async () => {
  const faults = examples.filter((e) => e.flags.includes('fault'));
  assert.ok(faults.length > 8);
  const read = (await toJson(faults.map((e) => e.hex))).map((line) => JSON.parse(line));
  for (const [i, e] of faults.entries()) {
    const { error } = read[i];
    const [, field, offset, sentence] = /^fault: (\S+) at (\d+): (.*)$/m.exec(e.page);
    assert.deepEqual([error.field, error.offset, error.sentence], [field, Number(offset), sentence], e.title);
    const answer = /^answer: (\S+)(?: with ([0-9a-f]{8}) {2}(\S+))?$/m.exec(e.page);
    assert.equal(error.answer, answer[1] === 'none' ? null : answer[1]);
    assert.match(error.status, /^0x[0-9a-f]{8}$/);
    if (answer[2]) assert.deepEqual([error.status, error.status_name], [`0x${answer[2]}`, answer[3]]);
  }
  const unknown = await one('000000120000002500000000000000077800');
  assert.equal(unknown.command, 'unknown');
  assert.equal(unknown.command_id, '0x00000025');
  assert.deepEqual(unknown.error, {
    field: 'command_id',
    offset: 4,
    status: '0x00000003',
    status_name: 'ESME_RINVCMDID',
    sentence: 'no such command',
    answer: 'generic_nack',
  });
});

test('a line that is no hex is answered in its place', async () => {
  const good = '00000010000000150000000000000007';
  const long = '00'.repeat(300000);
  const done = await pdu(['--json', '-'], [good, 'hello', '', `${good}\r`, ` 0x${good} `, long, '0', good].join('\n'));
  assert.equal(done.code, 0);
  const out = lines(done.stdout).map((line) => JSON.parse(line));
  assert.deepEqual(
    out.map((o) => o.command ?? o.error.field),
    ['enquire_link', 'hex', 'hex', 'enquire_link', 'enquire_link', 'line', 'hex', 'enquire_link'],
  );
  assert.deepEqual(out[1].error, {
    field: 'hex',
    offset: 0,
    status: null,
    status_name: null,
    sentence: 'it is not hexadecimal digits in pairs',
  });
  assert.equal((await pdu(['--json', '-'], '')).stdout, '');
});

test('a line is answered when it comes, and memory does not grow with lines', async () => {
  // a sanitizer holds freed memory back, up to 256 MB, to find uses of it
  const env = { ...process.env, ASAN_OPTIONS: 'quarantine_size_mb=1:thread_local_quarantine_size_kb=64' };
  const child = spawn(binary, ['pdu', '--json', '-'], { stdio: ['pipe', 'pipe', 'inherit'], env });
  let octets = 0;
  let answered = 0;
  let wake;
  child.stdout.on('data', (d) => {
    octets += d.length;
    for (const c of d) answered += c === 10;
    wake?.();
  });
  const until = async (count) => {
    while (answered < count)
      await new Promise((resolve) => {
        wake = resolve;
      });
  };
  const peak = () => Number(/^VmHWM:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]);
  const write = async (text) => child.stdin.write(text) || once(child.stdin, 'drain');
  const payload = `${examples.find((e) => e.title === 'a text of 255 octets').hex}\n`;
  const garbage = `${'zz'.repeat(400000)}\n`;
  await write(payload);
  await until(1);
  for (let i = 0; i < 20; i++) await write(garbage + payload.repeat(100));
  await until(1 + 20 * 101);
  const before = peak();
  for (let i = 0; i < 200; i++) await write(payload.repeat(200));
  await until(1 + 20 * 101 + 200 * 200);
  const after = peak();
  child.stdin.end();
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.ok(octets > 40e6 / 2);
  assert.ok(after - before < 8192, `${before} kB became ${after} kB`);
});

test('encode: what is left out is zero, empty, counted', async () => {
  const minimal = await encoded({
    command: 'submit_sm',
    fields: { destination_addr: '12125550123', short_message: '4869' },
  });
  assert.equal(minimal, '0000002e000000040000000000000001000000000000313231323535353031323300000000000000000000024869');
  assert.equal(
    await encoded({ command: 'submit_sm_resp', sequence_number: 4294967295 }),
    '000000108000000400000000ffffffff',
  );
  assert.equal(
    await encoded({ command: 'submit_sm_resp', command_status: 'ESME_RTHROTTLED', fields: { message_id: '' } }),
    '0000001180000004000000580000000100',
  );
  assert.equal(
    await encoded({
      command: 'submit_sm_resp',
      command_status: '0x401',
      tlvs: [{ name: 'congestion_state', hex: '63' }],
    }),
    '000000168000000400000401000000010004280001' + '63',
  );
  assert.equal(
    await encoded({ command: 'unbind', sequence_number: 3, rest: '000000' }),
    '00000013000000060000000000000003000000',
  );
  const argument = await pdu(['--encode', '{"command":"enquire_link"}']);
  assert.deepEqual([argument.code, argument.stdout], [0, '00000010000000150000000000000001\n']);
});

const submit = (fields) => ({ command: 'submit_sm', fields });
const wrong = [
  ['{', 'json'],
  ['[]', 'json'],
  ['"\u0080"', 'json'],
  [Buffer.from('{"a":"\xff"}', 'latin1'), 'json'],
  ['{"command":"unbind","command":"unbind"}', 'json'],
  [{ command: 'unbind', colour: 1 }, 'json'],
  [{ command: 'bind' }, 'command'],
  [{ command: 'unknown', command_id: '0x00000025' }, 'command'],
  [{}, 'command'],
  [{ command: 'unbind', command_status: 'ESME_RNOSUCH' }, 'command_status'],
  [{ command: 'unbind', command_status: '0x100000000' }, 'command_status'],
  [{ command: 'unbind', command_status: '0x' }, 'command_status'],
  [{ command: 'unbind', sequence_number: -1 }, 'sequence_number'],
  [{ command: 'unbind', sequence_number: 4294967296 }, 'sequence_number'],
  [{ command: 'unbind', sequence_number: 1.5 }, 'sequence_number'],
  [{ command: 'unbind', fields: [] }, 'fields'],
  [{ command: 'unbind', fields: { system_id: '' } }, 'fields'],
  [submit({ source_addr: 5 }), 'source_addr'],
  [submit({ source_addr: 'Cl\u00ednica' }), 'source_addr'],
  [submit({ source_addr: 'hex:4' }), 'source_addr'],
  [submit({ source_addr: 'hex:4100' }), 'source_addr'],
  [submit({ source_addr: '1'.repeat(21) }), 'source_addr', 'ESME_RINVSRCADR'],
  [submit({ validity_period: '1' }), 'validity_period', 'ESME_RINVEXPIRY'],
  [submit({ esm_class: 256 }), 'esm_class'],
  [submit({ esm_class: '1' }), 'esm_class'],
  [submit({ short_message: 'hello' }), 'short_message'],
  [submit({ short_message: '41'.repeat(256) }), 'sm_length', 'ESME_RINVMSGLEN'],
  [submit({ short_message: '4142', sm_length: 1 }), 'sm_length'],
  [{ command: 'submit_multi', fields: { dest_address: {} } }, 'dest_address'],
  [{ command: 'submit_multi', fields: { dest_address: [1] } }, 'entry'],
  [{ command: 'submit_multi', fields: { dest_address: [{}] } }, 'dest_flag'],
  [{ command: 'submit_multi', fields: { dest_address: [{ dest_flag: 3, destination_addr: '1' }] } }, 'dest_address'],
  [{ command: 'submit_multi', fields: { dest_address: [{ dest_flag: 2, destination_addr: '1' }] } }, 'dl_name'],
  [{ command: 'submit_multi', fields: { dest_address: [{ dest_flag: 2, dl_name: 'a', x: 1 }] } }, 'entry'],
  [{ command: 'submit_multi', fields: { dest_address: [{ dest_flag: 2, dl_name: 'a'.repeat(21) }] } }, 'dest_address'],
  [
    { command: 'submit_multi', fields: { dest_address: Array(256).fill({ dest_flag: 2, dl_name: 'a' }) } },
    'number_of_dests',
  ],
  [
    { command: 'submit_multi', fields: { number_of_dests: 2, dest_address: [{ dest_flag: 2, dl_name: 'a' }] } },
    'number_of_dests',
  ],
  [
    { command: 'submit_multi_resp', fields: { unsuccess_sme: [{ destination_addr: '1', error_status_code: -1 }] } },
    'error_status_code',
  ],
  [{ command: 'query_last_msgs_resp', fields: { message_id: [7] } }, 'message_id'],
  [{ command: 'unbind', tlvs: {} }, 'tlvs'],
  [{ command: 'unbind', tlvs: [7] }, 'tlvs'],
  [{ command: 'unbind', tlvs: [{ hex: '00' }] }, 'name'],
  [{ command: 'unbind', tlvs: [{ tag: '0x0427' }] }, 'hex'],
  [{ command: 'unbind', tlvs: [{ tag: '0x10000', hex: '' }] }, 'tag'],
  [{ command: 'unbind', tlvs: [{ name: 'no_such', hex: '' }] }, 'name'],
  [{ command: 'unbind', tlvs: [{ tag: '0x0427', name: 'set_dpf', hex: '00' }] }, 'name'],
  [{ command: 'unbind', tlvs: [{ tag: '0x0427', length: 2, hex: '00' }] }, 'length'],
  [{ command: 'unbind', tlvs: [{ tag: '0x0427', hex: '00', more: 1 }] }, 'tlvs'],
  [{ command: 'unbind', tlvs: Array(65).fill({ tag: '0x0427', hex: '00' }) }, 'tlvs'],
  [{ command: 'unbind', tlvs: [{ tag: '0x0424', hex: '00'.repeat(65536) }] }, 'hex'],
  [{ command: 'unbind', tlvs: Array(2).fill({ tag: '0x0424', hex: '00'.repeat(40000) }) }, 'command_length'],
  [{ command: 'unbind', rest: 'x' }, 'rest'],
  [`{"command":"${'x'.repeat(600000)}"}`, 'line'],
];

test('encode: a wrong object is answered in its place, and the exit code tells', async () => {
  const good = '{"command":"enquire_link"}';
  const input = Buffer.concat(
    wrong.flatMap(([w]) => [
      Buffer.isBuffer(w) ? w : Buffer.from(typeof w === 'string' ? w : JSON.stringify(w)),
      Buffer.from(`\n${good}\n`),
    ]),
  );
  const done = await pdu(['--encode', '-'], input);
  assert.equal(done.code, 1);
  const out = lines(done.stdout);
  assert.equal(out.length, 2 * wrong.length);
  for (const [i, [object, field, status]] of wrong.entries()) {
    const what = JSON.stringify(object).slice(0, 100);
    const { error } = JSON.parse(out[2 * i]);
    assert.equal(error.field, field, `${what}: ${out[2 * i]}`);
    assert.equal(error.status_name, status ?? error.status_name, what);
    assert.ok(error.sentence.length > 5);
    assert.equal(out[2 * i + 1], '00000010000000150000000000000001');
  }
});

test('octets changed at random: what decodes comes back to the octet', async () => {
  const roll = seeded('changed octets');
  const whole = examples.map((e) => Buffer.from(e.hex, 'hex')).filter((b) => b.length >= 16);
  const changed = [];
  for (let i = 0; i < 4000; i++) {
    const b = Buffer.from(whole[roll(whole.length)]);
    for (let n = roll(4); n > 0; n--) b[4 + roll(b.length - 4)] = roll(256);
    const cut = roll(4) ? b : Buffer.from(b.subarray(0, 16 + roll(b.length - 15)));
    cut.writeUInt32BE(cut.length, 0);
    changed.push(cut.toString('hex'));
  }
  const objects = await toJson(changed);
  const kept = objects.map((o, i) => [o, changed[i]]).filter(([o]) => !JSON.parse(o).error);
  const back = await toHex(kept.map(([o]) => o));
  assert.ok(kept.length > 500 && kept.length < 4000, `${kept.length} decode`);
  for (const [i, [o, hex]] of kept.entries()) assert.equal(back.out[i], hex, o);
  assert.equal(back.code, 0);
});

test('JSON changed at random: every line is answered by hex that decodes, or by an error', async () => {
  const roll = seeded('changed JSON');
  const objects = await toJson(examples.map((e) => e.hex));
  const pieces = [
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '-1',
    'null',
    'hex:',
    '\\u0000',
    '\\',
    '1e9',
    '\x00',
    '\xff',
    'true',
  ];
  const changed = [];
  for (let i = 0; i < 6000; i++) {
    let text = objects[roll(objects.length)];
    for (let n = 1 + roll(3); n > 0; n--) {
      const at = roll(text.length);
      if (roll(2)) text = text.slice(0, at) + '0123456789abcdef'[roll(16)] + text.slice(at + 1);
      else text = text.slice(0, at) + pieces[roll(pieces.length)] + text.slice(at + roll(6));
    }
    changed.push(Buffer.from(`${text}\n`, 'latin1'));
  }
  const done = await pdu(['--encode', '-'], Buffer.concat(changed));
  const out = lines(done.stdout);
  assert.equal(out.length, changed.length);
  assert.equal(done.stderr, '');
  const hex = out.filter((line) => /^[0-9a-f]+$/.test(line));
  for (const line of out) if (!/^[0-9a-f]{32,}$/.test(line)) assert.ok(JSON.parse(line).error.sentence, line);
  assert.ok(hex.length > 50 && hex.length < out.length, `${hex.length} of ${out.length}`);
  for (const line of hex) assert.equal(parseInt(line.slice(0, 8), 16) * 2, line.length);
});
