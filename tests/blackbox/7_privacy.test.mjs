// Logs and metrics at the most talkative level, with everything going wrong: no phone, no body, no reference, no secret.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Api } from './lib/api.mjs';
import { pduOctets, receiptText, smpp } from './lib/carrier.mjs';
import { keepBody, keepPhone, leaks } from './lib/privacy.mjs';
import { nextPatient, nextPhone, pause, until } from './lib/util.mjs';
import { setup, theCluster, world } from './lib/world.mjs';

await world();

test('the search can find', () => {
  keepPhone('+12125550157');
  keepBody('A body that was planted for this');
  for (const text of [
    '{"phone":"+12125550157"}',
    'to 2125550157 now',
    '(212) 555-0157',
    '212-555-0157',
    'x A body that was planted for this y',
  ]) {
    assert.equal(leaks(text).length, 1, text);
  }
  assert.equal(leaks('evt_2125 5501 57').length, 0);
});

test('everything that can be logged is', async (t) => {
  let act = () => ({ receipt: true });
  const s = await setup(t, {
    hooks: (h, r) => (r.hooks.length % 3 === 0 ? 500 : 204),
    carrier: { onSubmit: (m) => act(m) },
    config: { log: { level: 'debug' } },
    link: { answer_timeout: '500ms', enquire_link: '2s' },
    practice: { text: true },
  });
  const secretPath = '/elm';
  assert.ok(secretPath);
  // refused and malformed requests
  for (const fields of [
    { phone: '+14165550101' },
    { phone: 'call 2125550133 now' },
    { body: 'Щ'.repeat(80) },
    { time_zone: 'Clinic/PATREF-ZONE-1234' },
    { category: 'PATREF-CATEGORY-99' },
    { send_at: 'on the birthday of PATREF-77' },
    { '+12125550134': 'x' },
  ])
    await s.api.send(fields);
  const draft = Api.draft();
  await s.api.post('/v1/messages', JSON.stringify(draft).slice(0, -2));
  await s.api.post('/v1/messages', `{"phone":"${draft.phone}","phone":"${draft.phone}"}`);
  await s.api.get(`/v1/messages?patient=${encodeURIComponent(draft.patient)}&phone=${encodeURIComponent(draft.phone)}`);
  await s.api.get(`/v1/messages/${encodeURIComponent(draft.phone)}`);
  await s.api.get(`/patients/${draft.patient}/${draft.phone.slice(1)}`);
  await s.api.request('GET', '/v1/messages', { key: `${s.practice.key}x` });
  await s.api.get('/livez', {
    headers: { 'x-patient': draft.patient, 'user-agent': draft.phone, cookie: s.practice.key },
  });
  const raw = await s.api.raw();
  await raw.write(
    `GET /${draft.phone}/${draft.patient} HTTP/9.9\r\nHost: ${draft.phone.slice(1)}\r\nAuthorization: Bearer ${s.practice.key}\r\n\r\n`,
  );
  await until(() => raw.ended || raw.closed, 'refused');
  raw.destroy();
  // every fate of a message
  await s.carrier.got((await s.api.accepted(draft)).draft);
  await s.api.accepted({ patient: draft.patient, phone: draft.phone });
  for (const [script, ms] of [
    [() => ({ status: 0x0b }), 50],
    [() => ({ status: 0x58 }), 50],
    [() => ({ status: 0x08 }), 50],
    [() => ({ silent: true }), 700],
    [() => ({ drop: true }), 50],
  ]) {
    act = script;
    const m = await s.api.accepted();
    await s.carrier.got(m.draft, 20000);
    await pause(ms);
    act = () => ({ receipt: true });
    await s.carrier.bound();
  }
  // what patients write
  const phone = nextPhone();
  for (const text of ['STOP', 'START', 'HELP', 'My knee still hurts, please call me', 'stop by later, PATREF-1234-5'])
    await s.carrier.mo(phone, s.practice.sender, text);
  await s.carrier.mo(phone, '+16465550188', 'Who are you then, my doctor?');
  // PDUs that break, with a phone and a text in them
  const pdu = new smpp.PDU('deliver_sm', {
    source_addr: phone.slice(1),
    destination_addr: s.practice.sender.slice(1),
    short_message: 'My knee still hurts, please call me',
    sequence_number: 77,
  }).toBuffer();
  for (const octets of [
    pduOctets(5, 78, { body: pdu.subarray(16, pdu.length - 10) }),
    pduOctets(5, 79, { body: pdu.subarray(16, 40) }),
    pduOctets(0x77, 80, { body: pdu.subarray(16) }),
  ]) {
    await s.carrier.bound();
    await s.carrier.raw(octets);
    await pause(100);
  }
  const binds = s.carrier.binds.length; // a length that lies: all behind it is read at the wrong place
  await s.carrier.raw(pduOctets(5, 81, { body: pdu.subarray(16), length: 17 }));
  await until(() => s.carrier.binds.length > binds, 'the deaf session is given up', 30000);
  await s.carrier.bound();
  await s.carrier.deliver({
    esm_class: 4,
    source_addr: phone,
    destination_addr: s.practice.sender,
    data_coding: 0,
    short_message: receiptText({ id: 'none-such', text: 'My knee still hurts' }),
  });
  // a database that goes away with all of it in its hands
  await s.db.sql(
    "CREATE FUNCTION public.boom() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room for % %', NEW.phone, NEW.body; END $$",
  );
  await s.db.sql('CREATE TRIGGER boom BEFORE INSERT ON smsbridge.message FOR EACH ROW EXECUTE FUNCTION public.boom()');
  const failed = await s.api.send();
  assert.equal(failed.status, 503, 'an error of the database is no answer to the practice');
  assert.deepEqual(leaks(failed.text), []);
  await s.db.sql('DROP TRIGGER boom ON smsbridge.message');
  await s.api.accepted();
  await theCluster().restart('immediate');
  await until(async () => (await s.api.get('/readyz')).status === 200, 'ready', 30000);
  await until(async () => (await s.api.send({ patient: nextPatient() })).status === 202, 'accepts again', 20000);
  // and a configuration whose error lies beside a secret
  await s.gateway.reload((c) => {
    c.log = { level: 'louder' };
  }, 'reload_failed');
  await s.gateway.reload((c) => {
    c.log = { level: 'debug' };
  });

  const lines = s.gateway.lines();
  assert.ok(lines.length > 40, `${lines.length} lines`);
  for (const line of lines) {
    assert.ok(line.event && line.at && line.level, `one JSON object a line: ${JSON.stringify(line)}`);
    assert.ok(JSON.stringify(line).length < 4200);
  }
  for (const text of s.gateway.log.split('\n').filter(Boolean))
    assert.equal(JSON.stringify(JSON.parse(text)), text, 'no key stands twice in a line');
  assert.deepEqual(leaks(s.gateway.log), []);
  assert.deepEqual(leaks((await s.api.get('/metrics')).text), []);
});

test('events in the database hold no body', async (t) => {
  const s = await setup(t, { carrier: { onSubmit: () => ({ receipt: true }) } });
  const body = 'Your appointment with Dr. Quill is at 9';
  const m = await s.api.accepted({ body });
  await until(async () => (await s.db.message(m.id)).status === 'delivered', 'delivered');
  await s.carrier.mo(m.draft.phone, s.practice.sender, 'Dr. Quill, my knee is worse');
  const rows = await s.db.sql('SELECT data::text AS data FROM smsbridge.event');
  for (const { data } of rows) assert.ok(!/Quill|Your appoint|knee/.test(data ?? ''), data);
});
