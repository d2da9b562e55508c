// `smsbridge smsc --script`: every fault at every event where it can happen, seen from outside.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, test } from 'node:test';
import smpp from 'smpp';
import { Esme, textOf } from './lib/esme.mjs';
import { selfSigned } from './lib/gateway.mjs';
import { hear, judgeHeard } from './lib/judge.mjs';
import { Smsc } from './lib/smsc.mjs';
import { binary, must, never, root, run, until } from './lib/util.mjs';

const A = '12125550101';
const B = '12125550102';
const receiptFor = (id) => (pdu) => textOf(pdu).toLowerCase().includes(`id:${id}`.toLowerCase());

/** A carrier with a script and an ESME bound to it. */
async function stage(t, script, { bind = true, args, esme: options } = {}) {
  const smsc = await new Smsc(`seed 7\n${script}\n`, args).start();
  t.after(() => smsc.child.kill('SIGKILL'));
  const esmes = [];
  const s = {
    smsc,
    async more(kind = 'transceiver', fields, others = options) {
      const e = await new Esme(others).connect(smsc.port);
      t.after(() => e.close());
      esmes.push(e);
      if (kind) assert.equal((await e.bind(kind, fields)).status, 0);
      return e;
    },
  };
  s.e = await s.more(bind ? 'transceiver' : null);
  return s;
}

const idOf = (frame) => frame.pdu.message_id;

async function bothAnswered(e) {
  const a = e.submit('first', { destination_addr: A });
  const b = e.submit('second', { destination_addr: B });
  return [await e.answered(a), await e.answered(b)];
}

/** What stands for a request in a test of those that are not messages. */
const ask = (e) => e.request('query_sm', { message_id: 'none', source_addr: '' });

// 'fault@event': [script, what is seen]. Each is run; the fault must be counted too.
// Several of them may be read at once.
function cutInto(chunks, size) {
  const lengths = chunks.map((c) => c.octets.length);
  assert.ok(lengths.length > 1, 'in one piece');
  assert.ok(
    lengths.slice(0, -1).every((n) => n % size === 0),
    `${lengths} is not cut into ${size}`,
  );
}

const rows = {
  'delay@bind': [
    'when bind delay 150ms',
    async ({ e }) => {
      const from = performance.now();
      assert.equal((await e.bind()).status, 0);
      assert.ok(performance.now() - from >= 140);
      assert.equal((await e.answered(e.submit('x'))).status, 0);
    },
    { bind: false },
  ],
  'delay@submit': [
    `when submit to ${A} delay 150ms`,
    async ({ e }) => {
      const from = performance.now();
      const [a, b] = await bothAnswered(e);
      assert.ok(a.at > b.at, 'the later submit is answered first');
      assert.ok(a.at - from >= 140);
    },
  ],
  'delay@request': [
    'when request first 1 delay 150ms',
    async ({ e }) => {
      const from = performance.now();
      const a = ask(e);
      const b = ask(e);
      const first = await e.answered(b);
      const { at } = await e.answered(a);
      assert.ok(at > first.at && at - from >= 140);
    },
  ],
  'delay@probe': [
    'when probe first 1 delay 150ms',
    async ({ e }) => {
      const from = performance.now();
      const a = e.request('enquire_link');
      const b = e.request('enquire_link');
      const first = await e.answered(b);
      const { at } = await e.answered(a);
      assert.ok(at > first.at && at - from >= 140);
    },
  ],
  'delay@receipt': [
    'when receipt delay 150ms',
    async ({ e }) => {
      const from = performance.now();
      await e.answered(e.submit('x'));
      const [receipt] = await e.got('deliver_sm');
      assert.ok(e.of('deliver_sm')[0].at - from >= 140);
      assert.equal(receipt.pdu.esm_class, 4);
    },
  ],
  'delay@mo': [
    'at 0ms mo "soon" from 12125550103 to 12125550199\nwhen mo delay 150ms',
    async ({ e, smsc }) => {
      const [frame] = await e.got('deliver_sm');
      const [fault] = smsc.faults('delay');
      const out = smsc.lines().find((l) => l.out === 'deliver_sm');
      assert.ok(out.ms - fault.ms >= 140);
      assert.equal(textOf(frame.pdu), 'soon');
    },
  ],
  'drop@bind': [
    'when bind drop',
    async ({ e }) => {
      const sequence = e.request('bind_transceiver', { system_id: 'esme', interface_version: 0x34 });
      await never(() => e.answers(sequence).length, 'the bind is answered', 200);
    },
    { bind: false },
  ],
  'drop@submit': [
    `when submit to ${A} drop\nwhen submit to ${A} id dec`,
    async ({ e }) => {
      const a = e.submit('first', { destination_addr: A });
      await e.answered(e.submit('second', { destination_addr: B }));
      await e.got('deliver_sm', 1, (pdu) => pdu.source_addr === A); // it was taken
      assert.deepEqual(e.answers(a), []);
    },
  ],
  'drop@request': [
    'when request first 1 drop',
    async ({ e }) => {
      const a = ask(e);
      await e.answered(ask(e));
      assert.deepEqual(e.answers(a), []);
    },
  ],
  'drop@probe': [
    'when probe drop',
    async ({ e }) => {
      const probe = e.request('enquire_link');
      await e.answered(e.submit('x'));
      assert.deepEqual(e.answers(probe), []);
    },
  ],
  'drop@receipt': [
    `when receipt to ${A} drop`,
    async ({ e }) => {
      await bothAnswered(e);
      await e.got('deliver_sm', 1, (pdu) => pdu.source_addr === B);
      assert.equal(e.of('deliver_sm').length, 1);
    },
  ],
  'drop@mo': [
    'at 0ms mo "one" from 12125550103 to 12125550199\nat 1ms mo "two" from 12125550103 to 12125550199\nwhen mo text one drop',
    async ({ e }) => {
      await e.got('deliver_sm');
      assert.deepEqual(
        e.of('deliver_sm').map((f) => textOf(f.pdu)),
        ['two'],
      );
    },
  ],
  'lose@submit': [
    `when submit to ${A} lose`,
    async ({ e }) => {
      const a = e.submit('first', { destination_addr: A });
      await e.answered(e.submit('second', { destination_addr: B }));
      await e.got('deliver_sm', 1, (pdu) => pdu.source_addr === B);
      assert.deepEqual(e.answers(a), []);
      assert.equal(e.of('deliver_sm').length, 1);
    },
  ],
  'twice@submit': [
    'when submit twice 2 after 10ms',
    async ({ e }) => {
      const a = e.submit('x');
      await until(() => e.answers(a).length === 3, 'three answers');
      assert.equal(new Set(e.answers(a).map(idOf)).size, 1);
    },
  ],
  'twice@request': [
    'when request twice',
    async ({ e }) => {
      const a = ask(e);
      await until(() => e.answers(a).length === 2, 'two answers');
    },
  ],
  'twice@receipt': [
    'when receipt twice after 20ms',
    async ({ e }) => {
      await e.answered(e.submit('x'));
      const two = await e.got('deliver_sm', 2);
      assert.equal(textOf(two[0].pdu).split(' ')[0], textOf(two[1].pdu).split(' ')[0]);
    },
  ],
  'twice@mo': [
    'at 0ms mo "again" from 12125550103 to 12125550199\nwhen mo twice 2',
    async ({ e }) => {
      const three = await e.got('deliver_sm', 3);
      assert.deepEqual(
        three.map((f) => textOf(f.pdu)),
        ['again', 'again', 'again'],
      );
    },
  ],
  'reorder@submit': [
    'when submit reorder 8 within 10s',
    async ({ e }) => {
      const sent = [];
      for (let i = 0; i < 8; i++) sent.push(e.submit(`${i}`));
      await e.got('submit_sm_resp', 8);
      const came = e.of('submit_sm_resp').map((f) => f.sequence);
      assert.notDeepEqual(came, sent);
      assert.deepEqual(
        [...came].sort((x, y) => x - y),
        sent,
      );
    },
  ],
  'reorder@receipt': [
    'when receipt reorder 8 within 10s\nwhen submit id dec',
    async ({ e }) => {
      const sent = [];
      for (let i = 0; i < 8; i++) sent.push(e.submit(`${i}`));
      for (const sequence of sent) await e.answered(sequence);
      const receipts = await e.got('deliver_sm', 8);
      const ids = sent.map((sequence) => idOf(e.answers(sequence)[0]));
      const came = receipts.map((f) => /id:(\d+)/.exec(textOf(f.pdu))[1]);
      assert.notDeepEqual(came, ids);
      assert.deepEqual([...came].sort(), ids);
    },
  ],
  'status@bind': [
    'when bind status RINVPASWD',
    async ({ e }) => {
      assert.equal((await e.bind()).status, 0x0e);
      await e.closed();
    },
    { bind: false },
  ],
  'status@submit': [
    `when submit to ${A} status RMSGQFUL`,
    async ({ e }) => {
      const [a, b] = await bothAnswered(e);
      assert.deepEqual([a.status, b.status], [0x14, 0]);
      await e.got('deliver_sm');
      assert.equal(e.of('deliver_sm').length, 1, 'a refused message has no receipt');
    },
  ],
  'status@request': [
    'when request status 0x67',
    async ({ e }) => assert.equal((await e.answered(ask(e))).status, 0x67),
  ],
  'unknown_status@submit': [
    'when submit unknown_status',
    async ({ e }) => {
      for (let i = 0; i < 8; i++) {
        const { status } = await e.answered(e.submit('x'));
        assert.ok((status >= 0x400 && status <= 0x4ff) || status >= 0x10000, `${status}`);
      }
    },
  ],
  'unknown_status@request': [
    'when request unknown_status',
    async ({ e }) => assert.ok((await e.answered(ask(e))).status >= 0x400),
  ],
  'header_only@bind': [
    'when bind header_only RALYBND',
    async ({ e }) => {
      const answer = await e.bind();
      assert.deepEqual([answer.status, answer.octets.length], [5, 16]);
    },
    { bind: false },
  ],
  'header_only@submit': [
    `when submit to ${A} header_only RINVDSTADR\nwhen submit header_only 0`,
    async ({ e }) => {
      const [a, b] = await bothAnswered(e);
      assert.deepEqual([a.status, a.octets.length, b.status, b.octets.length], [0x0b, 16, 0, 16]);
      await e.got('deliver_sm', 1, (pdu) => pdu.source_addr === B);
      assert.equal(e.of('deliver_sm').length, 1);
    },
  ],
  'header_only@request': [
    'when request header_only',
    async ({ e }) => assert.equal((await e.answered(ask(e))).octets.length, 16),
  ],
  'nack@bind': [
    'when bind nack RINVCMDID',
    async ({ e }) => {
      const answer = await e.bind();
      assert.deepEqual([answer.command, answer.status], ['generic_nack', 3]);
    },
    { bind: false },
  ],
  'nack@submit': [
    'when submit nack RINVCMDID',
    async ({ e }) => {
      const answer = await e.answered(e.submit('x'));
      assert.deepEqual([answer.command, answer.status], ['generic_nack', 3]);
    },
  ],
  'nack@request': [
    'when request nack',
    async ({ e }) => assert.equal((await e.answered(ask(e))).command, 'generic_nack'),
  ],
  'nack_blind@submit': [
    'when submit nack_blind',
    async ({ e }) => {
      e.submit('x');
      assert.equal((await e.got('generic_nack'))[0].sequence, 0);
    },
  ],
  'nack_blind@request': [
    'when request nack_blind',
    async ({ e }) => {
      ask(e);
      assert.equal((await e.got('generic_nack'))[0].sequence, 0);
    },
  ],
  'throttle@submit': [
    'when submit throttle 5/s',
    async ({ e }) => {
      const sent = [];
      for (let i = 0; i < 20; i++) sent.push(e.submit(`${i}`));
      await e.got('submit_sm_resp', 20);
      const taken = sent.filter((sequence) => e.answers(sequence)[0].status === 0).length;
      assert.ok(taken >= 5 && taken <= 7, `${taken}`);
      assert.equal(e.of('submit_sm_resp').filter((f) => f.status === 0x58).length, 20 - taken);
    },
  ],
  'queue_full@submit': [
    'when submit queue_full 3\nwhen receipt delay 300ms',
    async ({ e }) => {
      const sent = [1, 2, 3, 4, 5].map((i) => e.submit(`${i}`));
      await e.got('submit_sm_resp', 5);
      assert.deepEqual(
        sent.map((sequence) => e.answers(sequence)[0].status),
        [0, 0, 0, 0x14, 0x14],
      );
      await e.got('deliver_sm', 3);
      assert.equal((await e.answered(e.submit('again'))).status, 0);
    },
  ],
  'stale_bind@bind': [
    'when bind stale_bind 300ms',
    async ({ e, more }) => {
      e.socket.destroy();
      await until(async () => (await (await more(null)).bind()).status === 5, 'RALYBND');
      await until(async () => (await (await more(null)).bind()).status === 0, 'and then it binds');
    },
  ],
  'congestion@submit': [
    'when submit congestion 90..95',
    async ({ e }) => {
      const { pdu } = await e.answered(e.submit('x'));
      assert.ok(pdu.congestion_state >= 90 && pdu.congestion_state <= 95);
    },
  ],
  'stray@submit': [
    'when submit stray',
    async ({ e }) => {
      const a = e.submit('x');
      await e.answered(a);
      assert.equal(e.of('submit_sm_resp').filter((f) => f.sequence !== a).length, 1);
    },
  ],
  'no_version@bind': [
    'when bind first 1 no_version',
    async ({ e, more }) => {
      assert.equal((await e.bind()).pdu.sc_interface_version, undefined);
      assert.equal((await (await more(null)).bind()).pdu.sc_interface_version, 0x34);
    },
    { bind: false },
  ],
  'id@submit': [
    'when submit text hex id hex receipt dec\nwhen submit text upper id upper receipt padded\n' +
      'when submit text mixed id mixed receipt hex_padded\nwhen submit text uuid id uuid\nwhen submit text long id long\n' +
      'when receipt tlvs id',
    async ({ e }) => {
      const spelled = {};
      for (const name of ['hex', 'upper', 'mixed', 'uuid', 'long']) {
        const id = idOf(await e.answered(e.submit(name)));
        const [, told] = /^id:(\S+)/.exec(
          textOf((await e.got('deliver_sm', Object.keys(spelled).length + 1)).at(-1).pdu),
        );
        assert.equal(e.of('deliver_sm').at(-1).pdu.receipted_message_id, told);
        spelled[name] = [id, told];
      }
      const { hex, upper, mixed, uuid, long } = spelled;
      assert.match(hex[0], /^[0-9a-f]+$/);
      assert.equal(BigInt(`0x${hex[0]}`), BigInt(hex[1]));
      assert.match(upper[0], /^[0-9A-F]+$/);
      assert.match(upper[1], /^0\d{9}$/);
      assert.equal(BigInt(`0x${upper[0]}`), BigInt(upper[1]));
      assert.equal(mixed[0].toLowerCase().padStart(10, '0'), mixed[1]);
      assert.match(uuid[0], /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.equal(uuid[1], uuid[0]);
      assert.equal(long[0].length, 64);
      assert.equal(long[1], long[0]);
    },
  ],
  'close@connect': ['when connect close', async ({ e }) => e.closed(), { bind: false }],
  'close@bind': [
    'when bind close',
    async ({ e }) => {
      e.request('bind_transceiver', { system_id: 'esme', interface_version: 0x34 });
      await e.closed();
      assert.equal(e.frames.length, 0, 'before the answer');
    },
    { bind: false },
  ],
  'close@submit': [
    'when submit first 1 close',
    async ({ e, more }) => {
      e.submit('x');
      await e.closed();
      assert.equal(e.of('submit_sm_resp').length, 0);
      await (await more()).got('deliver_sm'); // it was taken
    },
  ],
  'close@request': [
    'when request close',
    async ({ e }) => {
      ask(e);
      await e.closed();
      assert.equal(e.of('query_sm_resp').length, 0);
    },
  ],
  'close@probe': [
    'when probe close',
    async ({ e }) => {
      e.request('enquire_link');
      await e.closed();
      assert.equal(e.of('enquire_link_resp').length, 0);
    },
  ],
  'close@receipt': [
    'when receipt close in 50ms',
    async ({ e }) => {
      await e.answered(e.submit('x'));
      await e.closed();
      assert.equal(e.of('deliver_sm').length, 1);
      assert.equal(e.of('unbind').length, 0);
    },
  ],
  'close@mo': ['at 20ms mo "x" from 12125550103 to 12125550199\nwhen mo close', async ({ e }) => e.closed()],
  'close@time': ['at 50ms close', async ({ e }) => e.closed()],
  'close_mid_pdu@submit': [
    'when submit close_mid_pdu',
    async ({ e }) => {
      e.submit('x');
      await e.closed();
      assert.equal(e.of('submit_sm_resp').length, 0);
      assert.ok(e.rest.length > 0 && e.rest.length < e.rest.readUInt32BE(0), 'half a PDU came');
    },
  ],
  'close_mid_pdu@request': [
    'when request close_mid_pdu',
    async ({ e }) => {
      ask(e);
      await e.closed();
      assert.equal(e.rest.length, 8);
    },
  ],
  'close_mid_pdu@time': [
    'at 20ms close_mid_pdu',
    async ({ e }) => {
      await e.closed();
      assert.equal(e.rest.length, 8);
    },
  ],
  'unbind@bind': [
    'when bind unbind in 50ms',
    async ({ e }) => {
      await e.got('unbind');
      await e.closed();
    },
  ],
  'unbind@submit': [
    'when submit delay 200ms\nwhen submit first 1 unbind',
    async ({ e }) => {
      const a = e.submit('x');
      await e.got('unbind');
      assert.deepEqual(e.answers(a), [], 'a submit is open');
      await e.closed();
    },
  ],
  'unbind@receipt': [
    'when receipt unbind',
    async ({ e }) => {
      e.submit('x');
      await e.got('unbind');
      assert.equal(e.of('deliver_sm').length, 1);
    },
  ],
  'unbind@mo': [
    'at 0ms mo "x" from 12125550103 to 12125550199\nwhen mo unbind in 20ms',
    async ({ e }) => e.got('unbind'),
  ],
  'unbind@time': ['at 20ms unbind', async ({ e }) => e.got('unbind')],
  'half_open@connect': [
    'when connect half_open 250ms',
    async ({ e }) => {
      const sequence = e.request('bind_transceiver', { system_id: 'esme', interface_version: 0x34 });
      await e.closed();
      assert.deepEqual(e.answers(sequence), []);
    },
    { bind: false },
  ],
  'half_open@bind': [
    'when bind half_open',
    async ({ e }) => {
      const a = e.request('enquire_link');
      e.submit('x');
      await never(() => e.ended || e.answers(a).length || e.of('submit_sm_resp').length, 'a sign of life', 200);
    },
  ],
  'half_open@submit': [
    'when submit after 1 half_open',
    async ({ e }) => {
      await e.answered(e.submit('x'));
      const a = e.submit('y');
      await never(() => e.ended || e.answers(a).length, 'a sign of life', 200);
    },
  ],
  'half_open@time': ['at 20ms half_open 100ms', async ({ e }) => e.closed()],
  'slow_reader@connect': ['when connect slow_reader 1000/s', slowReader(false), { bind: false }],
  'slow_reader@bind': ['when bind slow_reader 1000/s', slowReader(true)],
  'slow_reader@time': [
    'at 0ms slow_reader 1000/s for 400ms',
    async (s) => {
      await until(() => s.smsc.faults('slow_reader').length, 'it begins');
      await slowReader(true)(s);
    },
  ],
  'cut@connect': [
    'when connect cut 5',
    async ({ e }) => {
      assert.equal((await e.bind()).status, 0);
      cutInto(e.chunks, 5);
    },
    { bind: false },
  ],
  'cut@bind': [
    'when bind cut 7',
    async ({ e }) => {
      const before = e.chunks.length;
      await e.answered(e.submit('x'));
      cutInto(e.chunks.slice(before), 7);
    },
  ],
  'cut@time': [
    'at 0ms cut 7',
    async ({ e, smsc }) => {
      await until(() => smsc.faults('cut').length, 'it begins');
      const before = e.chunks.length;
      await e.answered(e.submit('x'));
      cutInto(e.chunks.slice(before), 7);
    },
  ],
  'merge@connect': ['when connect merge 100ms', merged],
  'merge@bind': ['when bind merge 100ms', merged],
  'merge@time': [
    'at 0ms merge 100ms',
    async (s) => {
      await until(() => s.smsc.faults('merge').length, 'it begins');
      await merged(s);
    },
  ],
  'garbage@bind': [
    'when bind garbage 40',
    async ({ e }) => {
      const octets = () => e.chunks.reduce((n, c) => n + c.octets.length, 0);
      await until(() => octets() === e.frames[0].octets.length + 40, 'forty octets more');
    },
  ],
  'garbage@submit': [
    'when submit garbage 40',
    async ({ e }) => {
      const octets = () => e.chunks.reduce((n, c) => n + c.octets.length, 0);
      const before = octets();
      e.submit('x', { registered_delivery: 0 });
      await until(() => octets() >= before + 40 + 17, 'garbage and the answer');
    },
  ],
  'garbage@time': [
    'at 20ms garbage 40',
    async ({ e }) =>
      until(() => e.chunks.reduce((n, c) => n + c.octets.length, 0) === e.frames[0].octets.length + 40, 'garbage'),
  ],
  'lying_length@submit': [
    'when submit text short lying_length short\nwhen submit text long lying_length long\nwhen submit text zero lying_length zero\n' +
      'when submit text header lying_length header\nwhen submit text huge lying_length huge',
    async ({ more }) => {
      const lengths = {};
      for (const lie of ['short', 'long', 'zero', 'header', 'huge', 'none']) {
        const e = await more();
        const before = e.chunks.length;
        e.submit(lie, { registered_delivery: 0 });
        await until(() => e.chunks.length > before, lie);
        const octets = e.chunks[before].octets;
        lengths[lie] = [octets.readUInt32BE(0), octets.length];
      }
      assert.ok(lengths.none[0] === lengths.none[1]);
      assert.equal(lengths.short[0], lengths.short[1] - 4);
      assert.equal(lengths.long[0], lengths.long[1] + 8);
      assert.equal(lengths.zero[0], 0);
      assert.equal(lengths.header[0], 16);
      assert.ok(lengths.header[1] > 16);
      assert.equal(lengths.huge[0], 0x16030100);
    },
  ],
  'lying_length@request': [
    'when request lying_length long',
    async ({ e }) => {
      ask(e);
      await until(() => e.rest.length === 16, 'an answer that claims more');
      assert.equal(e.rest.readUInt32BE(0), 24);
    },
  ],
  'flood@bind': ['when bind flood 50', async ({ e }) => e.got('enquire_link', 50)],
  'flood@submit': [
    'when submit flood 50',
    async ({ e }) => {
      const a = e.submit('x');
      await e.got('enquire_link', 50);
      await e.answered(a);
    },
  ],
  'flood@time': ['at 20ms flood 50', async ({ e }) => e.got('enquire_link', 50)],
  'alert@submit': [
    'when submit alert',
    async ({ e }) => {
      e.submit('x');
      const [{ pdu }] = await e.got('alert_notification');
      assert.deepEqual([pdu.source_addr, pdu.esme_addr], [A, '12125550199']);
    },
  ],
  'alert@time': [
    'every 20ms alert',
    async ({ e }) => {
      e.submit('x');
      await e.got('alert_notification');
    },
  ],
  'before_answer@receipt': [
    'when receipt before_answer by 50ms',
    async ({ e }) => {
      const answer = await e.answered(e.submit('x'));
      assert.ok(answer.at - e.of('deliver_sm')[0].at >= 40);
      assert.ok(receiptFor(idOf(answer))(e.of('deliver_sm')[0].pdu));
    },
  ],
  'state@receipt': [
    'when receipt state UNDELIV error 045\nwhen receipt tlvs state',
    async ({ e }) => {
      e.submit('x');
      const [{ pdu }] = await e.got('deliver_sm');
      assert.match(textOf(pdu), /dlvrd:000 .* stat:UNDELIV err:045/);
      assert.equal(pdu.message_state, 5);
    },
  ],
  'intermediate@receipt': [
    'when receipt intermediate ACCEPTD for 60ms',
    async ({ e }) => {
      e.submit('x');
      const [first, second] = await e.got('deliver_sm', 2);
      assert.deepEqual([first.pdu.esm_class, second.pdu.esm_class], [0x20, 4]);
      assert.match(textOf(first.pdu), /stat:ACCEPTD/);
      assert.match(textOf(second.pdu), /stat:DELIVRD/);
      assert.ok(second.at - first.at >= 50);
    },
  ],
  'contradict@receipt': [
    'when receipt contradict EXPIRED after 30ms',
    async ({ e }) => {
      e.submit('x');
      const two = await e.got('deliver_sm', 2);
      assert.deepEqual(
        two.map((f) => /stat:(\w+)/.exec(textOf(f.pdu))[1]),
        ['DELIVRD', 'EXPIRED'],
      );
    },
  ],
  'format@receipt': ['', receiptFormats, { bind: false, script: formatScript }],
  'tlvs@receipt': [
    'when receipt to *01 tlvs none\nwhen receipt to *02 tlvs id\nwhen receipt to *03 tlvs state\nwhen receipt to *04 tlvs both',
    async ({ e }) => {
      for (let i = 1; i <= 4; i++) e.submit('x', { destination_addr: `1212555010${i}` });
      const four = await e.got('deliver_sm', 4);
      const has = four.map(({ pdu }) => [pdu.receipted_message_id !== undefined, pdu.message_state]);
      assert.deepEqual(has, [
        [false, undefined],
        [true, undefined],
        [false, 2],
        [true, 2],
      ]);
    },
  ],
  'unflagged@receipt': [
    'when receipt unflagged',
    async ({ e }) => {
      e.submit('x');
      const [{ pdu }] = await e.got('deliver_sm');
      assert.equal(pdu.esm_class, 0);
      assert.match(textOf(pdu), /^id:.* stat:DELIVRD/);
    },
  ],
  'data_sm@receipt': [
    'when receipt data_sm',
    async ({ e }) => {
      e.submit('x');
      const [{ pdu }] = await e.got('data_sm');
      assert.equal(pdu.esm_class, 4);
      assert.match(textOf(pdu), /^id:.* stat:DELIVRD/);
    },
  ],
  'other_bind@receipt': [
    'when receipt other_bind',
    async ({ e, more }) => {
      const other = await more('receiver');
      await e.answered(e.submit('x'));
      await other.got('deliver_sm');
      assert.equal(e.of('deliver_sm').length, 0);
    },
  ],
  'redeliver@receipt': [
    'when receipt redeliver 3 after 20ms',
    async ({ e }) => {
      e.submit('x');
      await e.got('deliver_sm', 3);
      await never(() => e.of('deliver_sm').length > 3, 'once more', 100);
    },
    { esme: { answer: (pdu, e) => (e.of('deliver_sm').length < 3 ? 0x64 : 0) } },
  ],
  'redeliver@mo': [
    'at 0ms mo "x" from 12125550103 to 12125550199\nwhen mo redeliver 2 after 20ms',
    async ({ e }) => {
      await e.got('deliver_sm', 3);
      await never(() => e.of('deliver_sm').length > 3, 'once more', 100);
    },
    { esme: { answer: () => 0x64 } },
  ],
  'reply@submit': [
    'when submit reply STOP in 50ms',
    async ({ e }) => {
      const answer = await e.answered(e.submit('x', { registered_delivery: 0 }));
      const [mo] = await e.got('deliver_sm');
      assert.deepEqual([textOf(mo.pdu), mo.pdu.source_addr, mo.pdu.destination_addr], ['STOP', A, '12125550199']);
      assert.equal(mo.pdu.esm_class, 0);
      assert.ok(mo.at - answer.at >= 40);
    },
  ],
  'mo@time': [
    'every 10ms mo STOP*2 START "I will come"*3 from 12125550### to 12125550199',
    async ({ e }) => {
      const many = await e.got('deliver_sm', 40);
      const texts = many.map((f) => textOf(f.pdu));
      assert.deepEqual([...new Set(texts)].sort(), ['I will come', 'START', 'STOP']);
      assert.ok(new Set(many.map((f) => f.pdu.source_addr)).size > 5);
    },
  ],
  'coding@mo': [
    'at 0ms mo "£ é" from 12125550103 to 12125550199\nat 1ms mo "£ é" from 12125550104 to 12125550199\n' +
      'at 2ms mo "£ é" from 12125550105 to 12125550199\nwhen mo from *03 coding gsm\nwhen mo from *04 coding latin1\n' +
      'when mo from *05 coding ucs2',
    async ({ e }) => {
      const three = await e.got('deliver_sm', 3);
      const octets = three.map((f) => f.octets.subarray(-f.octets.at(-7)).toString('hex')).map((hex) => hex.slice(-12));
      assert.deepEqual(
        three.map((f) => f.pdu.data_coding),
        [0, 3, 8],
      );
      assert.ok(
        octets[0].endsWith('012005') && octets[1].endsWith('a320e9') && octets[2] === '00a3002000e9',
        octets.join(),
      );
    },
  ],
  'concat@mo': [
    ['udh8', 'udh16', 'sar', 'payload']
      .map(
        (kind, i) =>
          `at ${i * 40}ms mo "one two three" from 1212555010${i} to 12125550199\nwhen mo from *10${i} concat ${kind} parts 3`,
      )
      .join('\n'),
    async ({ e }) => {
      await e.got('deliver_sm', 10);
      const of = (i) =>
        e
          .of('deliver_sm')
          .filter((f) => f.pdu.source_addr === `1212555010${i}`)
          .map((f) => f.pdu);
      assert.equal(
        of(0)
          .map((p) => textOf(p))
          .join(''),
        'one two three',
      );
      assert.deepEqual(
        of(0).map((p) => p.esm_class),
        [0x40, 0x40, 0x40],
      );
      const udh8 = e
        .of('deliver_sm')
        .filter((f) => f.pdu.source_addr.endsWith('100'))[1]
        .octets.toString('hex');
      assert.match(udh8, /050003..0302/);
      const udh16 = e
        .of('deliver_sm')
        .filter((f) => f.pdu.source_addr.endsWith('101'))[2]
        .octets.toString('hex');
      assert.match(udh16, /060804....0303/);
      assert.deepEqual(
        of(2).map((p) => [p.sar_total_segments, p.sar_segment_seqnum]),
        [
          [3, 1],
          [3, 2],
          [3, 3],
        ],
      );
      assert.equal(new Set(of(2).map((p) => p.sar_msg_ref_num)).size, 1);
      assert.deepEqual(
        of(3).map((p) => [p.short_message.message?.length ?? 0, textOf(p)]),
        [[0, 'one two three']],
      );
    },
  ],
  'part_reorder@mo': [
    'at 0ms mo "one two three four" from 12125550103 to 12125550199\nwhen mo concat sar parts 9\nwhen mo part_reorder',
    async ({ e }) => {
      const nine = (await e.got('deliver_sm', 9)).map((f) => f.pdu.sar_segment_seqnum);
      assert.notDeepEqual(nine, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
      assert.equal(new Set(nine).size, 9);
    },
  ],
  'part_twice@mo': [
    'at 0ms mo "one two three four" from 12125550103 to 12125550199\nwhen mo concat sar parts 3\nwhen mo part_twice',
    async ({ e }) => {
      const four = (await e.got('deliver_sm', 4)).map((f) => f.pdu.sar_segment_seqnum);
      assert.equal(new Set(four).size, 3);
    },
  ],
  'part_lost@mo': [
    'at 0ms mo "one two three four" from 12125550103 to 12125550199\nwhen mo concat sar parts 3\nwhen mo part_lost',
    async ({ e }) => {
      await e.got('deliver_sm', 2);
      await never(() => e.of('deliver_sm').length > 2, 'the third part comes', 100);
    },
  ],
  'outbind@time': ['', outbound, { bind: false, own: true }],
};

function slowReader(bound) {
  return async ({ e }) => {
    if (!bound) assert.equal((await e.bind()).status, 0);
    const from = performance.now();
    await e.answered(e.submit('x'.repeat(200))); // about 260 octets
    assert.ok(performance.now() - from >= 150, `${performance.now() - from}`);
  };
}

async function merged({ e }) {
  const before = e.chunks.length;
  for (let i = 0; i < 5; i++) e.submit(`${i}`);
  await e.got('submit_sm_resp', 5);
  assert.equal(e.chunks.length - before, 1, 'five answers and what else there was in one segment');
}

async function outbound(t) {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const esmes = [];
  server.on('connection', (socket) => {
    const e = new Esme();
    e.take(socket);
    esmes.push(e);
    t.after(() => e.close());
  });
  const { port } = server.address();
  const { smsc } = await stage(t, 'at 20ms outbind', {
    bind: false,
    args: ['--outbind', `127.0.0.1:${port}`, '--system-id', 'esme', '--password', 'secret'],
  });
  await until(() => esmes.length === 1, 'it dials at once');
  const [outbind] = await esmes[0].got('outbind');
  assert.deepEqual([outbind.pdu.system_id, outbind.pdu.password], ['esme', 'secret']);
  assert.equal((await esmes[0].bind('receiver')).status, 0);
  await until(() => esmes.length === 2, 'and again');
  return smsc;
}

// --- forms of receipts ---------------------------------------------------------------------------------------------

const formats = [
  'classic',
  'appendix_b',
  'seconds',
  'long_year',
  'long_dates',
  'smpp_time',
  'garbage_dates',
  'zero_dates',
];
formats.push('no_dates', 'no_sub', 'no_text_label', 'no_stat_label', 'trailing_blank', 'blanks', 'capitals', 'small');
formats.push('vendor_text', 'binary_text', 'nul_end', 'nul_start', 'ucs2', 'payload', 'tlv_only');

function formatScript() {
  return formats.map((name) => `when receipt text ${name.replaceAll('_', '?')} format ${name}`).join('\n');
}

async function receiptFormats({ e, smsc }) {
  await e.bind();
  for (const name of formats) {
    const id = idOf(await e.answered(e.submit(name)));
    const { pdu, octets } = (await e.got('deliver_sm', formats.indexOf(name) + 1)).at(-1);
    const raw = octets.toString('latin1');
    const text = name === 'ucs2' ? raw.replaceAll('\0', '') : raw;
    assert.equal(pdu.esm_class, 4, name);
    if (name === 'tlv_only') {
      assert.deepEqual([pdu.receipted_message_id, pdu.message_state, textOf(pdu)], [id, 2, ''], name);
      continue;
    }
    assert.match(text, new RegExp(`id: ?${id}\\b`, 'i'), name);
    assert.match(text, name === 'no_stat_label' ? / DELIVRD err/ : /stat: ?DELIVRD/i, name);
    if (name === 'payload') assert.equal(pdu.short_message.message?.length ?? 0, 0);
    if (name === 'nul_end') assert.match(text, /text:\0$/);
    if (name === 'nul_start') assert.match(text, /\0id:/);
    if (name === 'long_dates') assert.match(text, /submit date:20\d{12} /);
    if (name === 'seconds') assert.match(text, /submit date:\d{12} /);
    if (name === 'long_year') assert.match(text, /submit date:20\d{10} /);
    if (name === 'smpp_time') assert.match(text, /submit date:\d{15}\+ /);
    if (name === 'no_dates') assert.doesNotMatch(text, /date:/);
    if (name === 'capitals') assert.match(text, /STAT:DELIVRD/);
    if (name === 'small') assert.match(text, /stat:delivrd/);
  }
  assert.equal(smsc.faults('format').length, formats.length);
}

// --- the table, run ------------------------------------------------------------------------------------------------

for (const [name, [script, seen, options = {}]] of Object.entries(rows)) {
  test(`fault ${name}`, async (t) => {
    const fault = name.split('@')[0];
    let smsc;
    if (options.own) {
      smsc = await seen(t);
    } else {
      const s = await stage(t, options.script?.() ?? script, options);
      smsc = s.smsc;
      await seen(s);
    }
    assert.ok(smsc.faults(fault).length > 0, 'the log tells of it');
    const summary = await smsc.stop();
    assert.ok(summary.faults[fault] > 0, `it is counted: ${JSON.stringify(summary)}`);
    assert.equal(summary.faults[fault], smsc.faults(fault).length);
  });
}

test('no fault, event or form without a test', async () => {
  const help = (await must(binary, ['smsc', '--help-script'])).stdout;
  const faults = [
    ...help
      .split('\n## Faults\n')[1]
      .split('\n## ')[0]
      .matchAll(/^- `(\w+)` at ([\w, ]+)[.;]/gm),
  ];
  const wanted = faults.flatMap(([, name, events]) => events.split(', ').map((event) => `${name}@${event}`));
  assert.ok(faults.length > 40);
  assert.deepEqual([...wanted].sort(), Object.keys(rows).sort());
  const forms = [...help.split('\n## Forms of receipts\n')[1].matchAll(/^- `(\w+)`:/gm)].map(([, name]) => name);
  assert.deepEqual([...forms].sort(), [...formats].sort());
});

// --- as it should be -----------------------------------------------------------------------------------------------

// What is wrong on purpose is not judged.
after(async () => {
  const { written } = await judgeHeard();
  console.log(`# tshark read ${written} PDUs of ours`);
});

// covers: MC IN query_sm, MC OUT query_sm_resp, MC IN replace_sm, MC OUT replace_sm_resp, MC IN cancel_sm, MC OUT
// cancel_sm_resp
test('messages are queried, replaced and cancelled', async (t) => {
  const { e, smsc } = await stage(t, 'when receipt delay 300ms');
  hear(e.socket);
  const id = idOf(await e.answered(e.submit('x')));
  const about = { message_id: id, source_addr: '12125550199' };
  const query = async () => (await e.answered(e.request('query_sm', about))).pdu;
  assert.equal((await query()).message_state, 1);
  assert.equal((await e.answered(e.request('replace_sm', { ...about, short_message: 'y' }))).status, 0);
  assert.equal((await e.answered(e.request('cancel_sm', { ...about, destination_addr: A }))).status, 0);
  assert.equal((await query()).message_state, 4);
  assert.equal((await e.answered(e.request('cancel_sm', about))).status, 0x11);
  assert.equal((await e.answered(e.request('replace_sm', { ...about, short_message: 'y' }))).status, 0x13);
  assert.match(textOf((await e.got('deliver_sm'))[0].pdu), /stat:DELETED/);
  const other = idOf(await e.answered(e.submit('z')));
  await e.got('deliver_sm', 2);
  const { pdu } = await e.answered(e.request('query_sm', { message_id: other, source_addr: '' }));
  assert.equal(pdu.message_state, 2);
  assert.ok(pdu.final_date);
  assert.equal((await e.answered(ask(e))).status, 0x0c);
  const wrong = e.request('query_sm', { message_id: id, source_addr: '12125550111' });
  assert.equal((await e.answered(wrong)).status, 0x0c, 'only who sent it may ask');
  assert.equal((await smsc.stop()).requested, 9);
});

// covers: MC IN data_sm, MC OUT data_sm_resp, MC IN submit_multi, MC OUT submit_multi_resp, MC IN broadcast_sm, MC
// OUT broadcast_sm_resp, MC IN query_broadcast_sm, MC OUT query_broadcast_sm_resp, MC IN cancel_broadcast_sm, MC OUT
// cancel_broadcast_sm_resp
test('data_sm, submit_multi and the broadcast commands are served', async (t) => {
  const { e } = await stage(t, '');
  hear(e.socket);
  const addresses = { source_addr: '12125550199', destination_addr: B };
  const data = e.request('data_sm', { ...addresses, registered_delivery: 1, message_payload: 'x' });
  const dataId = idOf(await e.answered(data));
  assert.ok(receiptFor(dataId)((await e.got('deliver_sm'))[0].pdu));
  const dest_address = [A, B].map((destination_addr) => ({ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr }));
  const multi = e.request('submit_multi', {
    source_addr: '12125550199',
    dest_address: [...dest_address, { dl_name: 'everyone' }],
    short_message: 'x',
    registered_delivery: 1,
  });
  const answer = await e.answered(multi);
  assert.equal(answer.pdu.unsuccess_sme.length, 1);
  assert.equal(answer.pdu.unsuccess_sme[0].error_status_code, 0x34);
  const receipts = await e.got('deliver_sm', 2, receiptFor(idOf(answer)));
  assert.deepEqual(receipts.map((f) => f.pdu.source_addr).sort(), [A, B]);
  const about = { source_addr: '12125550199' };
  about.message_id = idOf(await e.answered(e.request('broadcast_sm', { ...about, message_payload: 'x' })));
  assert.ok(about.message_id);
  for (const [command, status] of [
    ['query_broadcast_sm', 0],
    ['cancel_broadcast_sm', 0],
    ['cancel_broadcast_sm', 0x11],
  ])
    assert.equal((await e.answered(e.request(command, about))).status, status, command);
});

test('npm smpp sends and gets receipts as its users do', async (t) => {
  const smsc = await new Smsc('when submit id uuid\n').start();
  t.after(() => smsc.child.kill('SIGKILL'));
  const session = smpp.connect({ url: `smpp://127.0.0.1:${smsc.port}` });
  hear(session.socket);
  t.after(() => session.destroy());
  session.on('error', () => {});
  const receipt = new Promise((resolve) => {
    session.on('deliver_sm', (pdu) => {
      session.send(pdu.response());
      resolve(pdu);
    });
  });
  await new Promise((resolve) => session.bind_transceiver({ system_id: 'esme', password: 'secret' }, resolve));
  const answer = await new Promise((resolve) =>
    session.submit_sm(
      { source_addr: '12125550199', destination_addr: A, short_message: 'hello', registered_delivery: 1 },
      resolve,
    ),
  );
  assert.equal(answer.command_status, 0);
  assert.ok(receiptFor(answer.message_id)(await receipt));
  const summary = await smsc.stop();
  assert.deepEqual([summary.submitted, summary.answered, summary.delivered, summary.acknowledged], [1, 1, 1, 1]);
});

test('TLS', async (t) => {
  const { cert, key, pem } = await selfSigned();
  const smsc = await new Smsc('', ['--certificate', cert, '--key', key]).start();
  t.after(() => smsc.child.kill('SIGKILL'));
  const e = await new Esme().connect(smsc.port, { secure: true, ca: pem });
  t.after(() => e.close());
  await e.bind();
  assert.equal((await e.answered(e.submit('x'))).status, 0);
  await e.got('deliver_sm');
});

test('transmitter and receiver: receipts go to the receiver', async (t) => {
  const { more } = await stage(t, '', { bind: false });
  const tx = await more('transmitter');
  const rx = await more('receiver');
  const stranger = await more('transceiver', { system_id: 'other' });
  const id = idOf(await tx.answered(tx.submit('x')));
  assert.ok(receiptFor(id)((await rx.got('deliver_sm'))[0].pdu));
  assert.equal(tx.of('deliver_sm').length + stranger.of('deliver_sm').length, 0);
});

test('receipts wait for an account that is away', async (t) => {
  const { e, more } = await stage(t, 'when receipt delay 50ms');
  const id = idOf(await e.answered(e.submit('x')));
  e.socket.destroy();
  const stranger = await more('transceiver', { system_id: 'other' });
  await stranger.answered(stranger.submit('y', { registered_delivery: 0 }));
  const again = await more();
  assert.ok(receiptFor(id)((await again.got('deliver_sm'))[0].pdu));
  assert.equal(stranger.of('deliver_sm').length, 0);
});

test('the same seed and the same submits meet the same faults', async (t) => {
  const script = [
    'when submit rate 10% drop',
    'when submit rate 20% status RTHROTTLED*3 RSYSERR RMSGQFUL',
    'when submit id hex dec*2 uuid padded',
    'when receipt state DELIVRD*3 UNDELIV EXPIRED',
    'when receipt rate 20% drop',
  ].join('\n');
  const told = async (args) => {
    const { e, smsc } = await stage(t, script, { args });
    for (let i = 0; i < 200; i++) e.submit(`${i}`);
    const end = await e.answered(ask(e));
    assert.equal(end.status, 0x0c);
    const answers = e.of('submit_sm_resp').map((f) => [f.sequence, f.status, idOf(f)]);
    const { faults } = await smsc.stop();
    return JSON.stringify([answers, faults]);
  };
  const first = await told([]);
  assert.equal(await told([]), first);
  assert.notEqual(await told(['--seed', '8']), first);
});

test('phases follow each other', async (t) => {
  const { e } = await stage(t, 'phase a 150ms\nwhen submit status RTHROTTLED\nphase b\nwhen submit status RMSGQFUL');
  assert.equal((await e.answered(e.submit('x'))).status, 0x58);
  await until(async () => (await e.answered(e.submit('x'))).status === 0x14, 'the second phase');
  assert.equal((await e.answered(e.submit('x'))).status, 0x14);
});

test('a wrong script is told with line, column and what may have been meant', async () => {
  const smsc = new Smsc('when submit rate 5% drop\nwhen sumbit drop\nat 5s unbnd\n');
  const done = await run(binary, ['smsc', '--check-script', '--script', smsc.script]);
  assert.equal(done.code, 78);
  assert.equal(
    done.stderr.replaceAll(smsc.script, 'S'),
    'S:2:6: there is no event "sumbit"; did you mean submit?\nS:3:7: there is no fault "unbnd"; did you mean unbind?\n',
  );
  assert.equal((await run(binary, ['smsc', '--check-script', '--script', '/nonexistent'])).code, 78);
});

test('options are rules too', async (t) => {
  const { e, smsc } = await stage(t, 'when submit status RMSGQFUL', {
    args: ['--status', '88', '--answer-delay', '100'],
  });
  const from = performance.now();
  assert.equal((await e.answered(e.submit('x'))).status, 88);
  assert.ok(performance.now() - from >= 90);
  assert.deepEqual((await smsc.stop()).faults, { delay: 1, status: 1 });
});

test('what is told meanwhile, and from when on it behaves', async (t) => {
  const { e, smsc } = await stage(t, 'when submit status RMSGQFUL\nevery 5ms alert', { args: ['--stats', '20'] });
  assert.equal((await e.answered(e.submit('x'))).status, 0x14);
  await e.got('alert_notification');
  const told = () => smsc.out.split('\n').filter((line) => line.includes('"faults"'));
  await until(() => told().some((line) => JSON.parse(line).faults.status === 1), 'the numbers so far');
  smsc.child.kill('SIGUSR1');
  await until(() => smsc.lines().some((l) => l.event === 'calm'), 'it is calm');
  const { length } = e.of('alert_notification');
  assert.equal((await e.answered(e.submit('y'))).status, 0);
  await never(() => e.of('alert_notification').length > length, 'one more alert', 50);
});

test('verdicts: what was taken, and what was answered', async (t) => {
  const script = 'when submit text refused status RSYSERR\nwhen submit text dropped drop\nwhen submit text lost lose';
  const { e, smsc } = await stage(t, script);
  for (const text of ['refused', 'dropped', 'lost']) e.submit(text);
  await e.answered(e.submit('plain'));
  const verdicts = smsc.lines().filter((l) => l.event === 'verdict');
  assert.deepEqual(
    verdicts.map((l) => [l.taken, l.status]),
    [
      [false, 8],
      [true, undefined],
      [false, undefined],
      [true, 0],
    ],
  );
});

test('the scripts that come with it are right, and one has every fault', async () => {
  const folder = (name) => path.join(root, name);
  const scripts = ['deploy/smsc', 'tests/chaos'].flatMap((name) =>
    fs.readdirSync(folder(name)).map((file) => path.join(folder(name), file)),
  );
  const read = scripts.filter((file) => file.endsWith('.script'));
  assert.ok(read.length >= 5);
  for (const file of read) await must(binary, ['smsc', '--check-script', '--script', file]);
  const every = fs.readFileSync(folder('tests/chaos/every-fault.script'), 'utf8').replaceAll(/#.*/g, '');
  const missing = Object.keys(rows).filter((name) => {
    const [fault, event] = name.split('@');
    const at = event === 'time' ? /^(?:at|every) / : new RegExp(`^when ${event} `);
    return !every.split('\n').some((line) => at.test(line) && new RegExp(` ${fault}\\b`).test(line));
  });
  assert.deepEqual(missing, []);
});
