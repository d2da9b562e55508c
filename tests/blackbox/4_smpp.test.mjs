// SMPP with a carrier that we did not write, and with one that breaks the protocol on purpose.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import test from 'node:test';
import { Carrier, pduOctets, receiptText, smpp } from './lib/carrier.mjs';
import { selfSigned } from './lib/gateway.mjs';
import { never, nextPhone, pause, slow, until } from './lib/util.mjs';
import { Api } from './lib/api.mjs';
import { atEnd, practice, setup, world } from './lib/world.mjs';

await world();

const becomes = (s, id, wanted, ms) =>
  until(
    async () => {
      const m = await s.api.message(id);
      return m.status === wanted && m;
    },
    async () => `${wanted}, is ${JSON.stringify(await s.api.message(id))}`,
    ms,
  );
const stays = (s, id, wanted, ms = 500) =>
  never(async () => (await s.db.message(id)).status !== wanted, `left ${wanted}`, ms);
const types = async (s, id) => (await s.db.events(id)).map((e) => e.type);

// covers: ESME OUT bind_transceiver, ESME IN bind_transceiver_resp, ESME OUT submit_sm, ESME IN submit_sm_resp
test('bind and submit: every field', async (t) => {
  const s = await setup(t, { link: { system_id: 'elmgw', password: 'secret-1', system_type: 'SMPP' } });
  const { pdu } = s.carrier.binds[0];
  assert.equal(pdu.command, 'bind_transceiver');
  assert.equal(pdu.system_id, 'elmgw');
  assert.equal(pdu.password, 'secret-1');
  assert.equal(pdu.system_type, 'SMPP');
  assert.equal(pdu.interface_version, 0x34);
  assert.equal(pdu.address_range, '');
  const m = await s.api.accepted({ body: 'Reminder: {[~]}\\^| costs 5€, see you \u00e0 9h' });
  const submit = await s.carrier.got(m.draft);
  const p = submit.pdu;
  assert.equal(submit.from.replace('+', ''), s.practice.sender.slice(1));
  assert.equal(submit.to.replace('+', ''), m.draft.phone.slice(1));
  assert.deepEqual([p.source_addr_ton, p.source_addr_npi, p.dest_addr_ton, p.dest_addr_npi], [1, 1, 1, 1]);
  assert.equal(p.data_coding, 0);
  assert.equal(p.registered_delivery & 1, 1, 'a receipt is wanted');
  assert.equal(p.esm_class, 0);
  assert.equal(p.protocol_id, 0);
  assert.equal(p.replace_if_present_flag, 0);
  assert.equal(p.service_type, '');
  assert.ok(p.sequence_number >= 1 && p.sequence_number <= 0x7fffffff);
  const ucs2 = await s.api.accepted({ body: 'Привет, завтра в 9:30 \u{1F600}' });
  const wide = await s.carrier.got(ucs2.draft);
  assert.equal(wide.pdu.data_coding, 8);
  const shown = await becomes(s, m.id, 'sent');
  assert.equal(shown.carrier_message_id, submit.id);
  assert.equal(shown.carrier, 'test');
});

test('trap 42: types of numbers and the source from the configuration', async (t) => {
  const s = await setup(t, { link: { source_ton: 3, source_npi: 0, dest_ton: 2, dest_npi: 8 } });
  const { pdu } = await s.carrier.got((await s.api.accepted()).draft);
  assert.deepEqual([pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi], [3, 0, 2, 8]);
  await s.gateway.reload((c) => Object.assign(c.carriers[0], { source_ton: 5, dest_npi: 1 }));
  const after = (await s.carrier.got((await s.api.accepted()).draft)).pdu;
  assert.deepEqual(
    [after.source_addr_ton, after.source_addr_npi, after.dest_addr_ton, after.dest_addr_npi],
    [5, 0, 2, 1],
    'SIGHUP changes them',
  );
});

// covers: ESME OUT enquire_link, ESME IN enquire_link_resp, ESME IN enquire_link, ESME OUT enquire_link_resp
test('trap 3, trap 5: enquire_link both ways; a silent carrier is dropped', async (t) => {
  const s = await setup(t, { link: { enquire_link: '300ms', answer_timeout: '500ms' } });
  await until(() => s.carrier.enquiries >= 3, 'we are asked');
  const [answer] = await Promise.all([
    new Promise((resolve) => {
      s.carrier.session.enquire_link(resolve);
    }),
  ]);
  assert.equal(answer.command, 'enquire_link_resp');
  assert.equal(answer.command_status, 0);
  s.carrier.deaf = true;
  const closes = s.carrier.closes;
  await until(() => s.carrier.closes > closes, 'the silent session is given up');
  s.carrier.deaf = false;
  await until(() => s.carrier.binds.length >= 2, 'bound again');
  await s.carrier.bound();
  await s.carrier.got((await s.api.accepted()).draft);
});

test('trap 15: the window is never exceeded; answers in any order find their message', async (t) => {
  const waiting = [];
  const s = await setup(t, {
    link: { window: 7 },
    carrier: {
      onSubmit: (m) => {
        waiting.push(m);
        return { silent: true };
      },
    },
  });
  const all = [];
  for (let i = 0; i < 60; i++) all.push(await s.api.accepted());
  await until(() => waiting.length === 7, 'the window fills');
  await never(() => s.carrier.mostOpen > 7, 'more than the window', 300);
  await until(async () => (await s.gateway.metric('smsbridge_in_flight')) === 7, 'the gauge says so');
  let turn = 0;
  while (s.carrier.submits.length < 60 || waiting.length) {
    await until(() => waiting.length >= Math.min(7, 60 - s.carrier.submits.length + waiting.length), 'more');
    const order = turn++ % 3;
    const next =
      order === 0
        ? waiting.pop()
        : order === 1
          ? waiting.shift()
          : waiting.splice(Math.floor(waiting.length / 2), 1)[0];
    next.id = `for-${next.phone.slice(-7)}`;
    s.carrier.answer(next);
  }
  assert.equal(s.carrier.mostOpen, 7);
  assert.equal(s.carrier.submits.length, 60);
  for (const m of all) {
    const shown = await becomes(s, m.id, 'sent');
    assert.equal(shown.carrier_message_id, `for-${m.draft.phone.slice(-7)}`);
  }
});

test('trap 13, trap 14: an answer that never comes: uncertain, counted, never sent again; a late one settles it', async (t) => {
  const s = await setup(t, {
    link: { answer_timeout: '500ms', window: 4 },
    carrier: { onSubmit: () => ({ silent: true }) },
  });
  const m = await s.api.accepted();
  const submit = await s.carrier.got(m.draft);
  const shown = await becomes(s, m.id, 'uncertain');
  assert.equal(shown.reason.code, 'answer_missing');
  assert.ok((await s.db.message(m.id)).counted_at, 'counts against the caps');
  await never(() => s.carrier.of(m.draft.body).length > 1, 'sent again', 800);
  s.carrier.answer(submit, { id: 'late-1' });
  const settled = await becomes(s, m.id, 'sent');
  assert.equal(settled.carrier_message_id, 'late-1');
  await s.carrier.receipt(submit);
  await becomes(s, m.id, 'delivered');
  const two = await s.api.accepted();
  const other = await s.carrier.got(two.draft);
  await becomes(s, two.id, 'uncertain');
  s.carrier.answer(other, { status: 0x0b });
  await pause(300);
  assert.ok(['failed', 'uncertain'].includes((await s.db.message(two.id)).status));
  assert.equal(s.carrier.of(two.draft.body).length, 1);
});

test('over TLS: bound when the certificate is vouched for, not otherwise', async (t) => {
  const { cert, key } = await selfSigned();
  const carrier = { tls: { cert: fs.readFileSync(cert), key: fs.readFileSync(key) } };
  const s = await setup(t, { carrier, link: { host: 'localhost', tls: true, tls_ca: cert } });
  const m = await s.api.accepted();
  await s.carrier.got(m.draft);
  await becomes(s, m.id, 'sent');
  const doubtful = await setup(t, { carrier, link: { host: 'localhost', tls: true }, bind: false });
  await until(() => doubtful.gateway.linesOf('link_down').some((x) => /certificate/.test(x.reason)), 'told why');
  assert.equal(doubtful.carrier.binds.length, 0);
});

test('ids that are each other in another base, to one phone: each receipt finds its own', async (t) => {
  const ids = ['a', '10'];
  const s = await setup(t, { carrier: { onSubmit: () => ({ id: ids.shift() }) } });
  const other = await practice(s.db, { name: 'Oak Street Clinic' });
  const status = async (id) => (await s.db.message(id)).status;
  const first = await s.api.accepted();
  const one = await s.carrier.got(first.draft);
  const draft = Api.draft({ phone: first.draft.phone });
  const answer = await s.api.post('/v1/messages', draft, { key: other.key });
  assert.equal(answer.status, 202);
  const two = await s.carrier.got(draft);
  await until(async () => (await status(answer.json.id)) === 'sent', 'sent');
  await s.carrier.receipt(one, { stat: 'UNDELIV' });
  await s.carrier.receipt(two);
  await until(async () => (await status(first.id)) === 'undelivered', 'the first has the first one');
  await until(async () => (await status(answer.json.id)) === 'delivered', 'the second has the second');
});

// covers: ESME IN deliver_sm, ESME OUT deliver_sm_resp
test('trap 27, trap 28, trap 29: receipts: by text, by TLV, by both, with ids in other spellings', async (t) => {
  let number = 0x1a2b3c00;
  const s = await setup(t, { carrier: { onSubmit: () => ({ id: (number++).toString(16).toUpperCase() }) } });
  const sent = async () => {
    const m = await s.api.accepted();
    const submit = await s.carrier.got(m.draft);
    await becomes(s, m.id, 'sent');
    return { ...m, submit };
  };
  for (const how of ['text', 'tlv', 'both']) {
    await t.test(how, async () => {
      const m = await sent();
      const answer = await s.carrier.receipt(m.submit, { how });
      assert.equal(answer.command_status, 0);
      await becomes(s, m.id, 'delivered');
    });
  }
  await t.test('the id in decimal, decimal with zeros before, in small letters', async () => {
    for (const spell of [
      (id) => String(parseInt(id, 16)),
      (id) => String(parseInt(id, 16)).padStart(10, '0'),
      (id) => id.toLowerCase(),
    ]) {
      const m = await sent();
      await s.carrier.receipt(m.submit, { id: spell(m.submit.id) });
      await becomes(s, m.id, 'delivered');
    }
  });
  await t.test('final states', async () => {
    for (const [stat, wanted, reason] of [
      ['UNDELIV', 'undelivered', 'receipt_failed'],
      ['EXPIRED', 'expired', 'receipt_expired'],
      ['REJECTD', 'undelivered', 'receipt_rejected'],
      ['DELETED', 'undelivered', null],
      ['UNKNOWN', 'unconfirmed', 'receipt_unknown'],
    ]) {
      for (const how of ['text', 'tlv']) {
        const m = await sent();
        await s.carrier.receipt(m.submit, { stat, how, err: '034' });
        const shown = await becomes(s, m.id, wanted);
        if (reason) assert.equal(shown.reason.code, reason);
      }
    }
  });
  await t.test('trap 34: ENROUTE and ACCEPTD are news, not delivery', async () => {
    for (const stat of ['ENROUTE', 'ACCEPTD']) {
      for (const how of ['text', 'tlv']) {
        const m = await sent();
        await s.carrier.receipt(m.submit, { stat, how });
        await stays(s, m.id, 'sent', 300);
        await s.carrier.receipt(m.submit, { how });
        await becomes(s, m.id, 'delivered');
      }
    }
  });
  await t.test('duplicates and contradictions move nothing back', async () => {
    const m = await sent();
    await s.carrier.receipt(m.submit);
    await s.carrier.receipt(m.submit);
    await s.carrier.receipt(m.submit, { stat: 'UNDELIV' });
    await s.carrier.receipt(m.submit, { stat: 'ENROUTE' });
    await stays(s, m.id, 'delivered', 300);
    assert.equal((await types(s, m.id)).filter((e) => e === 'message.delivered').length, 1);
    const u = await sent();
    await s.carrier.receipt(u.submit, { stat: 'UNDELIV' });
    await s.carrier.receipt(u.submit, { stat: 'DELIVRD' });
    await stays(s, u.id, 'undelivered', 300);
  });
  await t.test('trap 29: odd texts', async () => {
    const odd = [
      (id) => `id:${id} stat:DELIVRD`,
      (id) => `ID:${id} SUB:001 DLVRD:001 SUBMIT DATE:2603021200 DONE DATE:2603021201 STAT:DELIVRD ERR:000 TEXT:`,
      (id) => `id:${id} sub:1 dlvrd:1 submit date:260302120000 done date:260302120100 stat:DELIVRD err:0 Text:hello`,
      (id) => `stat:DELIVRD err:000 id:${id}`,
      (id) =>
        `id:${id}  sub:001  dlvrd:001  submit date:2603021200  done date:2603021201  stat:delivrd  err:000  text:stat:UNDELIV id:x`,
      (id) => `${receiptText({ id })}\0`,
      (id) => `id: ${id} sub:001 dlvrd:001 stat: DELIVRD err: 000 text:`,
    ];
    for (const text of odd) {
      const m = await sent();
      await s.carrier.deliver({
        esm_class: 4,
        source_addr: m.submit.to,
        destination_addr: m.submit.from,
        source_addr_ton: 1,
        dest_addr_ton: 1,
        short_message: text(m.submit.id),
      });
      await until(
        async () => (await s.db.message(m.id)).status === 'delivered',
        `delivered by ${JSON.stringify(text('ID'))}`,
      );
    }
  });
  await t.test('an unknown id is kept, answered and counted; nonsense too', async () => {
    const [{ n: before }] = await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.receipt');
    const answer = await s.carrier.deliver({
      esm_class: 4,
      source_addr: nextPhone(),
      destination_addr: s.practice.sender,
      short_message: receiptText({ id: 'never-was' }),
    });
    assert.equal(answer.command_status, 0);
    const [{ n: after }] = await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.receipt');
    assert.equal(after, before + 1);
    for (const text of [
      '',
      'hello',
      'id:',
      'id: stat:',
      `id:${'x'.repeat(200)} stat:DELIVRD`,
      'stat:DELIVRD',
      'id:a stat:NONSENSE',
    ]) {
      const a = await s.carrier.deliver({
        esm_class: 4,
        source_addr: nextPhone(),
        destination_addr: s.practice.sender,
        short_message: text,
      });
      assert.equal(a.command, 'deliver_sm_resp');
    }
    const replies = await s.db.sql(
      "SELECT body FROM smsbridge.inbound WHERE body LIKE '%id:x%' OR body LIKE '%id:a%' OR body LIKE '%never-was%'",
    );
    assert.deepEqual(replies, [], 'no receipt passes for a reply');
    const m = await sent();
    await s.carrier.receipt(m.submit);
    await becomes(s, m.id, 'delivered');
  });
});

test('trap 25: a receipt that overtakes its answer', async (t) => {
  const s = await setup(t, { carrier: { onSubmit: () => ({ silent: true }) } });
  const m = await s.api.accepted();
  const submit = await s.carrier.got(m.draft);
  submit.id = 'early-1';
  assert.equal((await s.carrier.receipt(submit)).command_status, 0);
  await pause(200);
  s.carrier.answer(submit);
  const shown = await becomes(s, m.id, 'delivered', 20000);
  assert.equal(shown.carrier_message_id, 'early-1');
});

test('a receipt for an unknown id is matched when the message is known', async (t) => {
  // the answer is lost with the connection; the receipt names an id that nobody has told us
  const s = await setup(t, { carrier: { onSubmit: () => ({ silent: true }) }, link: { answer_timeout: '400ms' } });
  const m = await s.api.accepted();
  const submit = await s.carrier.got(m.draft);
  submit.id = 'only-in-receipt';
  await becomes(s, m.id, 'uncertain');
  await s.carrier.receipt(submit);
  s.carrier.answer(submit); // late, and after the receipt
  await becomes(s, m.id, 'delivered', 20000);
});

test('trap 21, trap 22: throttling: back off, then each is delivered once', async (t) => {
  let refused = 0;
  const s = await setup(t, {
    link: { window: 5 },
    carrier: { onSubmit: () => (refused < 6 && ++refused ? { status: refused % 2 ? 0x58 : 0x14 } : {}) },
  });
  const all = await Promise.all(Array.from({ length: 20 }, () => s.api.accepted()));
  for (const m of all) await becomes(s, m.id, 'sent', 60000);
  assert.equal(s.carrier.submits.length, 26);
  for (const m of all)
    assert.equal(s.carrier.of(m.draft.body).filter((x) => x.id).length, s.carrier.of(m.draft.body).length);
  const first = s.carrier.submits[0].at;
  const last = s.carrier.submits.at(-1).at;
  assert.ok(last - first >= 250, `the link paused: ${last - first} ms`);
  const requeued = await s.db.sql(
    "SELECT count(*)::int AS n FROM smsbridge.event WHERE type = 'message.requeued' AND reason = 'carrier_throttled'",
  );
  assert.equal(requeued[0].n, 6, 'each proof that it did not leave is an event');
  const [{ attempts }] = await s.db.sql('SELECT sum(attempts)::int AS attempts FROM smsbridge.message');
  assert.equal(attempts, 3, 'RTHROTTLED is about the link: it uses up no attempt of the message that met it');
  assert.ok(s.gateway.linesOf('link_throttled').length >= 1);
});

test('a carrier that breaks the protocol with every PDU is counted, and does not fill the log', async (t) => {
  const s = await setup(t);
  const session = await s.carrier.bound();
  const unknown = Buffer.from('0000001000000fff0000000000000001', 'hex');
  session.socket.write(Buffer.concat(Array.from({ length: 500 }, () => unknown)));
  await until(async () => (await s.gateway.metric('smsbridge_smpp_faults_total')) >= 500, 'each is counted');
  const told = () => s.gateway.linesOf('peer_fault').length;
  await until(() => told() >= 60, 'the first are told');
  assert.equal(told(), 60);
  assert.equal((await s.carrier.got((await s.api.accepted()).draft)).pdu.command, 'submit_sm');
});

test('errors: permanent fails, temporary is tried again', async (t) => {
  const answers = new Map();
  const s = await setup(t, { carrier: { onSubmit: (m) => ({ status: (answers.get(m.phone) ?? []).shift() ?? 0 }) } });
  for (const code of [0x01, 0x0a, 0x0b, 0x43, 0x45 + 0x1c, 0x65, 0x66, 0x101]) {
    const phone = nextPhone();
    answers.set(phone, [code]);
    const m = await s.api.accepted({ phone });
    const shown = await becomes(s, m.id, 'failed');
    assert.equal(shown.reason.code, 'carrier_rejected', `0x${code.toString(16)}`);
    assert.equal(s.carrier.to(phone).length, 1);
    assert.equal((await s.db.message(m.id)).counted_at, null, 'does not count');
  }
  for (const code of [0x08, 0x64]) {
    const phone = nextPhone();
    answers.set(phone, [code]);
    const m = await s.api.accepted({ phone });
    await until(() => s.carrier.to(phone).length >= 1, 'tried');
    const shown = await until(async () => {
      const x = await s.api.message(m.id);
      return ['held', 'sent'].includes(x.status) && x;
    }, 'waits for another try');
    if (shown.status === 'held') assert.equal(shown.reason.code, 'carrier_temporary');
    assert.ok((await types(s, m.id)).includes('message.requeued'));
  }
  // a vendor's code that no table has
  const phone = nextPhone();
  answers.set(phone, [0x0435]);
  const m = await s.api.accepted({ phone });
  await until(async () => !['queued', 'sending', 'scheduled'].includes((await s.db.message(m.id)).status), 'judged');
  assert.ok(['failed', 'held', 'sent', 'uncertain'].includes((await s.db.message(m.id)).status));
});

test('trap 18: answers of a header only', async (t) => {
  let status = 0x0b;
  const s = await setup(t, { carrier: { onSubmit: () => ({ status, headerOnly: true }) } });
  await becomes(s, (await s.api.accepted()).id, 'failed');
  assert.equal(s.carrier.closes, 0, 'the session stays');
  status = 0; // taken, but without an id
  const m = await s.api.accepted();
  await until(async () => ['sent', 'uncertain'].includes((await s.db.message(m.id)).status), 'settled');
  assert.equal(s.carrier.of(m.draft.body).length, 1);
});

test('trap 5: a connection that breaks with open submits: uncertain, and the next bind is fine', async (t) => {
  let mode = 'silent';
  const s = await setup(t, {
    link: { window: 5 },
    carrier: { onSubmit: () => (mode === 'silent' ? { silent: true } : {}) },
  });
  const all = await Promise.all(Array.from({ length: 12 }, () => s.api.accepted()));
  await until(() => s.carrier.submits.length === 5, 'five on the wire');
  const open = new Set(s.carrier.submits.map((x) => x.text));
  mode = 'answer';
  s.carrier.dropAll();
  await until(() => s.carrier.binds.length === 2, 'binds again');
  for (const m of all) {
    if (open.has(m.draft.body)) assert.equal((await becomes(s, m.id, 'uncertain')).reason.code, 'answer_missing');
    else await becomes(s, m.id, 'sent');
  }
  for (const m of all) assert.equal(s.carrier.of(m.draft.body).length, 1, 'never twice');
  const lost = s.gateway.linesOf('link_down');
  assert.ok(lost.length >= 1);
});

// covers: ESME IN unbind, ESME OUT unbind_resp
test('the carrier unbinds: nothing is lost', async (t) => {
  const s = await setup(t, {});
  const answer = await new Promise((resolve) => {
    s.carrier.session.unbind(resolve);
  });
  assert.equal(answer.command, 'unbind_resp');
  await until(() => s.carrier.binds.length === 2, 'binds again');
  await s.carrier.bound();
  await s.carrier.got((await s.api.accepted()).draft);
});

test('trap 6: a refused bind is not hammered', async (t) => {
  let status = 0x0e;
  const s = await setup(t, { carrier: { onBind: () => status }, bind: false });
  await until(() => s.carrier.binds.length === 1, 'it tries');
  const line = await until(() => s.gateway.line('bind_refused'), 'the operator is told');
  assert.equal(line.level, 'error');
  const again = await until(() => s.gateway.lines().find((l) => l.event === 'link_reconnect'), 'a wait is planned');
  assert.ok(again.delay_ms >= 5000, `${again.delay_ms} ms`);
  await never(() => s.carrier.binds.length > 1, 'binds again at once', 3000);
  const m = await s.api.accepted();
  await pause(200);
  assert.ok(['queued', 'held'].includes((await s.db.message(m.id)).status), 'what was accepted waits');
  status = 0;
  await until(() => s.carrier.binds.length === 2, 'binds in the end', 25000);
  await s.carrier.got(m.draft, 20000);
});

test('a carrier that never answers the bind', async (t) => {
  let mode = 'silent';
  const s = await setup(t, {
    carrier: { onBind: () => (mode === 'silent' ? 'silent' : 0) },
    bind: false,
    link: { bind_timeout: '300ms' },
  });
  await until(() => s.carrier.binds.length >= 1 && s.carrier.closes >= 1, 'given up');
  mode = 'ok';
  await s.carrier.bound();
  await s.carrier.got((await s.api.accepted()).draft);
});

test('no carrier at the address: accepted all the same, sent when there is one', async (t) => {
  const s = await setup(t, {});
  const { port } = s.carrier;
  await s.carrier.stop();
  const m = await s.api.accepted();
  await pause(300);
  const carrier = await new Carrier().start(port);
  atEnd(t, () => carrier.stop());
  await until(() => carrier.submits.some((x) => x.text === m.draft.body), 'sent', 30000);
  assert.equal(carrier.submits.length, 1);
});

test('several links of one carrier', async (t) => {
  const s = await setup(t, { link: { links: 3, window: 2 }, carrier: { onSubmit: () => ({ delay: 30 }) } });
  await s.carrier.bound(3);
  const all = await Promise.all(Array.from({ length: 30 }, () => s.api.accepted()));
  for (const m of all) await becomes(s, m.id, 'sent');
  assert.equal(new Set(s.carrier.submits.map((x) => x.session)).size, 3, 'all three carry');
  assert.equal(s.carrier.submits.length, 30);
  assert.ok(s.carrier.mostOpen <= 2);
});

test('the rate of a link', async (t) => {
  const s = await setup(t, { link: { rate: 20, window: 50 } });
  const all = await Promise.all(Array.from({ length: 40 }, () => s.api.accepted()));
  for (const m of all) await becomes(s, m.id, 'sent', 20000);
  const took = s.carrier.submits.at(-1).at - s.carrier.submits[0].at;
  assert.ok(took >= 1700, `40 at 20 a second took ${took} ms`);
});

test('trap 1: PDUs split at each octet and merged', async (t) => {
  const s = await setup(t, { hooks: null });
  const mo = (phone, text, sequence) =>
    new smpp.PDU('deliver_sm', {
      source_addr: phone.slice(1),
      source_addr_ton: 1,
      destination_addr: s.practice.sender.slice(1),
      dest_addr_ton: 1,
      short_message: text,
      sequence_number: sequence,
    }).toBuffer();
  const answers = (sequence) =>
    s.carrier.pdus.filter((x) => x.pdu.command === 'deliver_sm_resp' && x.pdu.sequence_number === sequence);
  const octets = mo(nextPhone(), 'Is the door open?', 5000);
  s.carrier.session.socket.setNoDelay(true);
  for (const octet of octets) {
    await s.carrier.raw(Buffer.from([octet]));
    if (octet % 3 === 0) await pause(1);
  }
  await until(() => answers(5000).length === 1, 'answered');
  await s.carrier.raw(
    Buffer.concat(
      [...Array(30).keys()].map((i) =>
        i % 3 === 2
          ? new smpp.PDU('enquire_link', { sequence_number: 6000 + i }).toBuffer()
          : mo(nextPhone(), `merged ${i}`, 6000 + i),
      ),
    ),
  );
  await until(
    () =>
      s.carrier.pdus.filter((x) => x.pdu.isResponse() && x.pdu.sequence_number >= 6000 && x.pdu.sequence_number < 6030)
        .length === 30,
    'thirty answers',
  );
  const rows = await s.db.sql("SELECT 1 FROM smsbridge.inbound WHERE body LIKE 'merged %'");
  assert.equal(rows.length, 20);
});

// covers: ESME OUT generic_nack
test('trap 2, trap 41: broken PDUs: a nack or a close, then all is well again', async (t) => {
  const s = await setup(t, { link: { enquire_link: '1s' } });
  const cases = {
    'length 0': pduOctets(0x15, 1, { length: 0 }),
    'length 15': pduOctets(0x15, 1, { length: 15 }),
    'length 4': Buffer.from([0, 0, 0, 4]),
    'length 2 GB': pduOctets(0x05, 1, { length: 0x7fffffff }),
    'length 4 GB': pduOctets(0x05, 1, { length: 0xffffffff }),
    'length 1 MB': pduOctets(0x05, 1, { length: 1 << 20 }),
    'a length that swallows what follows': pduOctets(0x05, 6, {
      length: 12594,
      body: Buffer.from('\0\x01\x01', 'latin1'),
    }),
    'deliver_sm without a body': pduOctets(0x05, 7),
    'deliver_sm cut off': pduOctets(0x05, 8, { body: Buffer.from('\0\x01\x01212') }),
    'a text longer than the PDU': pduOctets(0x05, 9, {
      body: Buffer.concat([
        Buffer.from('\0\x01\x0112125550101\0\x01\x0112125550102\0\0\0\0\0\0\0\0\0\0', 'latin1'),
        Buffer.from([200]),
        Buffer.from('short'),
      ]),
    }),
    'an address without an end': pduOctets(0x05, 10, {
      body: Buffer.concat([Buffer.from('\0\x01\x01', 'latin1'), Buffer.alloc(300, 0x31)]),
    }),
    'a TLV longer than the PDU': pduOctets(0x05, 11, {
      body: Buffer.concat([
        Buffer.from('\0\x01\x0112125550101\0\x01\x0112125550102\0\0\0\0\0\0\0\0\0\0\x02hi', 'latin1'),
        Buffer.from([0x04, 0x24, 0xff, 0xff, 1]),
      ]),
    }),
    'half a TLV': pduOctets(0x05, 12, {
      body: Buffer.concat([
        Buffer.from('\0\x01\x0112125550101\0\x01\x0112125550102\0\0\0\0\0\0\0\0\0\0\x02hi', 'latin1'),
        Buffer.from([0x04, 0x24, 0]),
      ]),
    }),
    'an unknown request': pduOctets(0x00000077, 13),
    "a vendor's request": pduOctets(0x00010200, 14, { body: Buffer.from('hello') }),
    'an unknown answer': pduOctets(0x80000077, 15),
    'an answer to nothing': pduOctets(0x80000004, 99999, { body: Buffer.from('x\0') }),
    'an enquire_link_resp to nothing': pduOctets(0x80000015, 99998),
    'a nack to nothing': pduOctets(0x80000000, 99997, { status: 3 }),
    'a nack with sequence 0': pduOctets(0x80000000, 0, { status: 2 }),
    'a second bind': new smpp.PDU('bind_transceiver', {
      system_id: 'x',
      password: 'y',
      sequence_number: 16,
    }).toBuffer(),
    'a bind answer': pduOctets(0x80000009, 1, { body: Buffer.from('x\0') }),
    'a submit_sm from the carrier': new smpp.PDU('submit_sm', {
      destination_addr: '12125550101',
      short_message: 'x',
      sequence_number: 17,
    }).toBuffer(),
    'query_sm from the carrier': new smpp.PDU('query_sm', { message_id: 'x', sequence_number: 18 }).toBuffer(),
    outbind: new smpp.PDU('outbind', { system_id: 'x', password: 'y', sequence_number: 19 }).toBuffer(),
    alert_notification: new smpp.PDU('alert_notification', {
      source_addr: '12125550101',
      esme_addr: 'x',
      sequence_number: 20,
    }).toBuffer(),
    'an enquire_link with a body': pduOctets(0x15, 21, { body: Buffer.from('body') }),
    'sequence 0': pduOctets(0x15, 0),
    'sequence 0xffffffff': pduOctets(0x15, 0xffffffff),
    'a status in a request': pduOctets(0x15, 22, { status: 8 }),
    garbage: Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + 13) % 256)),
    'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    'a TLS hello': Buffer.from('16030100a5010000a10303', 'hex'),
    zeros: Buffer.alloc(4096),
    ones: Buffer.alloc(4096, 0xff),
  };
  // Reported: a broken TLV is passed over without a word or a count (the rest of the PDU is served).
  for (const [name, octets] of Object.entries(cases)) {
    await t.test(name, async () => {
      await s.carrier.bound();
      const { session } = s.carrier;
      const before = {
        pdus: s.carrier.pdus.length,
        closes: s.carrier.closes,
        faults: await s.gateway.metric('smsbridge_smpp_faults_total'),
        lost: await s.gateway.metric('smsbridge_smpp_disconnects_total'),
      };
      await s.carrier.raw(octets, session);
      // either it stays and answers the next enquiry, or it closes and binds anew
      const alive = new Promise((resolve) => {
        session.enquire_link((pdu) => resolve(pdu.command));
        session.once('close', () => resolve('closed'));
      });
      const ended = await Promise.race([alive, pause(12000 * slow).then(() => 'neither')]);
      assert.ok(['enquire_link_resp', 'closed'].includes(ended), ended);
      if (ended === 'closed') {
        await until(() => s.carrier.session && s.carrier.session !== session, 'bound anew', 30000);
        assert.ok((await s.gateway.metric('smsbridge_smpp_disconnects_total')) > before.lost, 'counted');
      } else if (!/^(an enquire_link|sequence|a status|alert)/.test(name)) {
        const nacked = s.carrier.pdus
          .slice(before.pdus)
          .some((x) => x.pdu.command === 'generic_nack' || (x.pdu.isResponse() && x.pdu.command_status !== 0));
        const counted = (await s.gateway.metric('smsbridge_smpp_faults_total')) > before.faults;
        assert.ok(nacked || counted, 'a clear answer, or counted');
      }
      assert.ok(s.gateway.alive());
      const m = await s.api.accepted();
      await s.carrier.got(m.draft, 20000);
    });
  }
});

test('unknown requests get generic_nack with their sequence number', async (t) => {
  const s = await setup(t, {});
  await s.carrier.raw(pduOctets(0x00000077, 4711));
  const nack = await until(() => s.carrier.nacks.find((n) => n.sequence_number === 4711), 'the nack');
  assert.equal(nack.command_status, 3, 'ESME_RINVCMDID');
});

test("the same answer twice, and an answer for another message's number", async (t) => {
  const s = await setup(t, { carrier: { onSubmit: () => ({ silent: true }) }, link: { window: 5 } });
  const a = await s.api.accepted();
  const b = await s.api.accepted();
  const [first, second] = [await s.carrier.got(a.draft), await s.carrier.got(b.draft)];
  s.carrier.answer(first, { id: 'one' });
  await becomes(s, a.id, 'sent');
  s.carrier.answer(first, { id: 'two' });
  s.carrier.answer(first, { status: 0x0b });
  await stays(s, a.id, 'sent', 300);
  assert.equal((await s.db.message(a.id)).carrier_message_id, 'one');
  assert.equal((await s.db.message(b.id)).status, 'sending');
  s.carrier.answer(second, { id: 'three' });
  await becomes(s, b.id, 'sent');
});

test('ids that are long, empty, odd or shared', async (t) => {
  const ids = ['x'.repeat(64), '', 'a b:c id:d', "'; DROP TABLE smsbridge.message; --", 'same', 'same'];
  const given = [...ids];
  const s = await setup(t, { carrier: { onSubmit: () => ({ id: given.shift() }) }, link: { window: 1 } });
  for (const id of ids) {
    const m = await s.api.accepted();
    const submit = await s.carrier.got(m.draft);
    await until(
      async () => ['sent', 'uncertain', 'delivered'].includes((await s.db.message(m.id)).status),
      `settled with ${JSON.stringify(id)}`,
    );
    if (id === 'x'.repeat(64) || id === 'same') {
      await s.carrier.receipt(submit);
      await becomes(s, m.id, 'delivered');
    }
  }
});

test("an id that is no text in the database's encoding harms neither its message nor the others", async (t) => {
  let odd = true;
  const s = await setup(t, { carrier: { onSubmit: () => ({ id: odd ? 'id-\u00e9\u00ff' : undefined }) } });
  const first = await s.api.accepted();
  await s.carrier.got(first.draft);
  odd = false;
  const second = await s.api.accepted();
  await s.carrier.got(second.draft);
  await becomes(s, second.id, 'sent', 6000);
  await until(async () => ['sent', 'uncertain'].includes((await s.db.message(first.id)).status), 'settled', 6000);
  const answer = await s.carrier.deliver({
    esm_class: 4,
    source_addr: nextPhone(),
    destination_addr: s.practice.sender,
    receipted_message_id: 'id-\u00e9',
    message_state: 2,
    short_message: 'id:\u00e9\u00ff stat:DELIVRD err:\u00e9',
  });
  assert.equal(answer.command, 'deliver_sm_resp');
  const odder = await s.carrier.deliver({
    source_addr: '1212\u00e9',
    destination_addr: s.practice.sender,
    short_message: 'STOP',
  });
  assert.equal(odder.command, 'deliver_sm_resp');
  await s.carrier.got((await s.api.accepted()).draft);
});

test('a slow reader: the gateway does not run away, the rest goes on', async (t) => {
  const s = await setup(t, { link: { window: 1000, answer_timeout: '2s' } });
  const { session } = s.carrier;
  session.socket.pause();
  session.pause();
  const all = await Promise.all(Array.from({ length: 200 }, () => s.api.accepted()));
  assert.equal(all.length, 200);
  await pause(300);
  session.resume();
  session.socket.resume();
  for (const m of all)
    await until(async () => ['sent', 'uncertain'].includes((await s.db.message(m.id)).status), 'settled', 20000);
  for (const m of all) assert.ok(s.carrier.of(m.draft.body).length <= 1);
});

test('trap 37, trap 38: what patients write, in any alphabet', async (t) => {
  const s = await setup(t, { hooks: null, practice: { text: true } });
  const text = async (phone, wanted, fields) => {
    const answer = await s.carrier.mo(phone, s.practice.sender, wanted, fields);
    assert.equal(answer.command_status, 0);
    const [row] = await s.db.sql('SELECT body FROM smsbridge.inbound WHERE phone = $1', [phone]);
    assert.equal(row.body, wanted);
    const hook = await s.hooks.got('reply.received', (d) => d.text === wanted);
    assert.ok(hook.verified);
  };
  const utf16 = (x) => Buffer.from(x, 'utf16le').swap16();
  await text(nextPhone(), 'Hello {world} [x] 5€ àéñ', {});
  await text(nextPhone(), 'Привет 👋', { data_coding: 8, short_message: utf16('Привет 👋') });
  await text(nextPhone(), '日本語', { data_coding: 8, short_message: utf16('日本語') });
  await text(nextPhone(), 'Grüße é', { data_coding: 3, short_message: Buffer.from('Grüße é', 'latin1') });
  await text(nextPhone(), 'x'.repeat(1000), { short_message: '', message_payload: 'x'.repeat(1000) });
  for (const octets of [
    Buffer.from([0xd8, 0x00]),
    Buffer.from([0x00]),
    Buffer.from([0, 0, 0, 0]),
    Buffer.alloc(254, 0xff),
    Buffer.from([0xdc]),
  ]) {
    const answer = await s.carrier.mo(nextPhone(), s.practice.sender, 'x', { data_coding: 8, short_message: octets });
    assert.equal(answer.command_status, 0, 'broken UCS-2 is taken');
  }
});

test('two carriers: one that hangs does not hold the other', async (t) => {
  const s = await setup(t, { start: false });
  const hung = net.createServer(() => {});
  hung.listen(0, '127.0.0.1');
  await once(hung, 'listening');
  const sockets = new Set();
  hung.on('connection', (c) => sockets.add(c));
  atEnd(t, async () => {
    for (const c of sockets) c.destroy();
    hung.close();
  });
  s.gateway.config.carriers.push(s.gateway.carrierConfig({ name: 'hung', port: hung.address().port }));
  await s.gateway.start();
  await s.carrier.bound();
  for (let i = 0; i < 10; i++) await s.carrier.got((await s.api.accepted()).draft);
  assert.equal(await s.gateway.metric('smsbridge_smpp_link_bound', { carrier: 'test' }), 1);
  assert.equal(await s.gateway.metric('smsbridge_smpp_link_bound', { carrier: 'hung' }), 0);
});

test('two receipts of one message in one batch: the final one counts, whichever is first', async (t) => {
  const s = await setup(t);
  const statement = fs.readFileSync(new URL('../../src/store/sql/receipts.sql', import.meta.url), 'utf8');
  for (const states of [
    ['ENROUTE', 'DELIVERED'],
    ['DELIVERED', 'ENROUTE'],
  ]) {
    const m = await s.api.accepted();
    const { id } = await s.carrier.got(m.draft);
    await becomes(s, m.id, 'sent');
    const row = await s.db.message(m.id);
    const final = states.map((state) => state === 'DELIVERED');
    await s.db.sql(statement, [
      ['test', 'test'],
      ['', id.toLowerCase().replace(/^0+/, '')],
      [row.phone, row.phone],
      [row.sender, row.sender],
      final.map((yes) => (yes ? 'delivered' : '')),
      ['', ''],
      final.map((yes) => (yes ? 'message.delivered' : 'message.news')),
      states.map((state) => JSON.stringify({ state })),
      [row.updated_at, row.updated_at],
      [row.practice_id, null], // found by receipt_find before
      [row.id, null],
      [null, null],
      ['', ''],
      ['', ''],
      [null, null],
    ]);
    assert.equal((await s.db.message(m.id)).status, 'delivered', states.join());
    assert.deepEqual((await types(s, m.id)).slice(-2).sort(), ['message.delivered', 'message.news']);
  }
});

test('no receipt in time: unconfirmed; a late one still settles it', async (t) => {
  const s = await setup(t, { config: { policy: { unconfirmed_after: '1s' } } });
  const m = await s.api.accepted();
  const submit = await s.carrier.got(m.draft);
  await becomes(s, m.id, 'unconfirmed', 60000);
  await s.carrier.receipt(submit);
  await becomes(s, m.id, 'delivered');
});

test('no receipt in time for what no cap counts: unconfirmed too', async (t) => {
  const s = await setup(t, { config: { policy: { unconfirmed_after: '1s' } } });
  const phone = nextPhone();
  await s.carrier.deliver({
    source_addr: phone.slice(1),
    destination_addr: s.practice.sender.slice(1),
    short_message: 'HELP',
  });
  await until(
    async () => {
      const [m] = await s.db.sql("SELECT status FROM smsbridge.message WHERE category = 'help_reply' AND phone = $1", [phone]);
      return m?.status === 'unconfirmed';
    },
    'the help text is unconfirmed',
    60000,
  );
});
