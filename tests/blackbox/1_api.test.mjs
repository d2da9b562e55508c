// The HTTPS API as a practice system sees it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Api } from './lib/api.mjs';
import { leaks } from './lib/privacy.mjs';
import { binary, must, nextPatient, nextPhone, slow, until } from './lib/util.mjs';
import { key, practice, setup, theCluster, world } from './lib/world.mjs';

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

await world();
const s = await setup(null, { carrier: { onSubmit: () => ({ receipt: true }) } });
s.other = await practice(s.db, { name: 'Oak Street Clinic' });

/** An RFC 9457 answer with a stable code, that says nothing of what was sent. */
function problem(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  assert.equal(answer.json.status, status);
  assert.equal(typeof answer.json.type, 'string');
  assert.ok(answer.json.title, 'a title');
  if (code) assert.equal(answer.json.code, code);
  assert.match(answer.json.code, /^[a-z0-9_]+$/);
  assert.deepEqual(leaks(answer.text), [], 'a problem never repeats phone, body or reference');
}

function hasError(answer, pointer, codes) {
  const error = (answer.json.errors ?? []).find((e) => e.pointer === pointer);
  assert.ok(error, `an error at ${pointer}: ${answer.text}`);
  assert.ok(error.detail, 'with its sentence');
  if (codes) assert.ok([codes].flat().includes(error.code), `${error.code} is one of ${codes}`);
  return error;
}

test('a message is accepted: 202, UUIDv7, status, encoding, segments', async () => {
  const m = await s.api.send({ reference: 'order-7781' });
  assert.equal(m.status, 202, m.text);
  assert.match(m.headers['content-type'], /^application\/json/);
  assert.match(m.json.id, uuid7);
  assert.equal(m.json.status, 'queued');
  assert.equal(m.json.encoding, 'gsm7');
  assert.equal(m.json.segments, 1);
  assert.deepEqual(m.json.replaced, []);
  assert.deepEqual(m.json.zones, ['America/New_York']);
  const later = await s.api.accepted({ send_at: '2026-03-05T14:30:00-05:00' });
  assert.equal(later.json.status, 'scheduled');
  assert.ok(later.json.id > m.json.id, 'ids grow with time');
});

test('every field as it may be', async () => {
  const m = await s.api.accepted({
    time_zone: 'America/Chicago',
    category: 'lab_results',
    priority: 'urgent',
    send_at: '2026-03-03T10:00:00.250Z',
    expires_at: '2026-03-04T18:00:00-05:00',
    reference: 'Ref/1: "ä" #2',
  });
  const shown = await s.api.message(m.id);
  assert.equal(shown.time_zone, 'America/Chicago');
  assert.equal(shown.category, 'lab_results');
  assert.equal(shown.priority, 'urgent');
  assert.equal(shown.reference, 'Ref/1: "ä" #2');
  assert.equal(new Date(shown.send_at).toISOString(), '2026-03-03T10:00:00.250Z');
  assert.equal(new Date(shown.expires_at).toISOString(), '2026-03-04T23:00:00.000Z');
  for (const category of [
    'appointment_reminder',
    'appointment_confirmation',
    'wellness_checkup',
    'pre_registration',
    'pre_operative',
    'post_discharge',
    'prescription',
    'home_care',
  ])
    await s.api.accepted({ category });
  for (const priority of ['low', 'normal', 'urgent']) await s.api.accepted({ priority });
  await s.api.accepted({
    time_zone: null,
    reference: null,
    send_at: null,
    expires_at: null,
    priority: null,
    category: null,
  });
});

test('territories and area codes with several zones', async () => {
  for (const [npa, zones] of [
    [787, ['America/Puerto_Rico']],
    [671, ['Pacific/Guam']],
    [684, ['Pacific/Pago_Pago']],
    [670, ['Pacific/Saipan']],
    [340, ['America/St_Thomas', 'America/Puerto_Rico']],
    [808, ['Pacific/Honolulu']],
  ]) {
    const m = await s.api.accepted({ phone: `+1${npa}5550142` });
    assert.ok(
      m.json.zones.some((z) => zones.includes(z)),
      `${npa}: ${m.json.zones}`,
    );
  }
  const both = await s.api.accepted({ phone: '+18505550142' });
  assert.deepEqual([...both.json.zones].sort(), ['America/Chicago', 'America/New_York']);
  const told = await s.api.accepted({ phone: '+18505550143', time_zone: 'America/Chicago' });
  assert.deepEqual(told.json.zones, ['America/Chicago']);
});

test('bodies: length, alphabets, what is mapped', async (t) => {
  const ok = [
    ['160 characters', 'a'.repeat(160), 'gsm7'],
    ['160 septets with euro signs', `${'a'.repeat(156)}€€`, 'gsm7'],
    ['brackets take two places', `${'a'.repeat(156)}[]`, 'gsm7'],
    ['70 UCS-2 units', 'Щ'.repeat(70), 'ucs2'],
    ['35 characters outside the BMP', '\u{1F600}'.repeat(35), 'ucs2'],
    ['new lines', 'Line one\nline two', 'gsm7'],
    ['one character', 'x', 'gsm7'],
    ['the whole GSM alphabet', '@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&\'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~]|€', 'gsm7'],
  ];
  for (const [name, body, encoding] of ok) {
    await t.test(name, async () => {
      const m = await s.api.send({ body });
      assert.equal(m.status, 202, m.text);
      assert.equal(m.json.encoding, encoding);
      assert.equal(m.json.segments, 1);
      const wire = await s.carrier.got(m.draft);
      assert.equal(wire.pdu.data_coding, encoding === 'ucs2' ? 8 : 0);
    });
  }
  const bad = [
    ['161 characters', 'a'.repeat(161), 'body_too_long'],
    ['161 septets with a euro sign', `${'a'.repeat(159)}€`, 'body_too_long'],
    ['160 euro signs', '€'.repeat(160), 'body_too_long'],
    ['an ellipsis grows by two', `${'a'.repeat(159)}…`, 'body_too_long'],
    ['71 UCS-2 units', 'Щ'.repeat(71), 'body_characters'],
    ['36 characters outside the BMP', '\u{1F600}'.repeat(36), 'body_characters'],
    ['160 with one character that cannot be mapped', `${'a'.repeat(159)}Щ`, 'body_characters'],
    ['far too long', 'a'.repeat(5000), 'body_too_long'],
    ['empty', '', null],
    ['a bell', 'ring \u0007', null],
    ['an escape', '\u001b[31m', null],
    ['a carriage return alone', 'a\rb', null],
    ['delete', 'a\u007f', null],
    ['nothing but zero-width characters', '\u200b\u200d', null],
    ['a C1 control', 'a\u0090b', null],
  ];
  for (const [name, body, code] of bad) {
    await t.test(name, async () => {
      const m = await s.api.send({ body });
      problem(m, 422, 'validation_failed');
      const error = hasError(m, '/body', code ?? undefined);
      if (code === 'body_characters')
        assert.match(error.detail, /Щ|U\+0429|\u{1F600}|U\+1F600/u, 'the characters are named');
    });
  }
});

test('curly quotes, dashes, ellipsis and no-break spaces are mapped and reported', async () => {
  const draft = {
    body: 'Dr. O\u2019Hara \u2013 \u201ctomorrow\u201d\u2026 9\u00a0am',
    wire: 'Dr. O\'Hara - "tomorrow"... 9 am',
  };
  const m = await s.api.accepted({ body: draft.body });
  assert.equal(m.json.encoding, 'gsm7');
  const by = Object.fromEntries(m.json.replaced.map((r) => [r.from, r]));
  assert.equal(by['U+2019'].to, "'");
  assert.equal(by['U+2013'].to, '-');
  assert.equal(by['U+201C'].to, '"');
  assert.equal(by['U+2026'].to, '...');
  assert.equal(by['U+00A0'].to, ' ');
  assert.equal(by['U+2019'].count, 1);
  const wire = await s.carrier.got({ ...m.draft, wire: draft.wire });
  assert.equal(wire.pdu.data_coding, 0);
  const accents = await s.api.accepted({ body: 'Andre\u0301 e\u0301te\u0301' }); // decomposed letters of the alphabet
  assert.equal(accents.json.encoding, 'gsm7');
  await s.carrier.got({ ...accents.draft, wire: 'Andr\u00e9 \u00e9t\u00e9' });
});

test('fields of the wrong type, missing and unknown', async (t) => {
  const fields = [
    'patient',
    'phone',
    'time_zone',
    'body',
    'category',
    'priority',
    'send_at',
    'expires_at',
    'reference',
  ];
  for (const field of fields) {
    await t.test(`${field} takes nothing but a string`, async () => {
      for (const value of [7, 1.5, true, [], {}, ['x'], { a: 'b' }, -0, 1e300]) {
        const m = await s.api.send({ [field]: value });
        problem(m, 422, 'validation_failed');
        hasError(m, `/${field}`, 'not_a_string');
      }
    });
  }
  for (const field of ['patient', 'phone', 'body']) {
    await t.test(`${field} is required`, async () => {
      for (const value of [undefined, null]) {
        const m = await s.api.send({ [field]: value });
        problem(m, 422, 'validation_failed');
        hasError(m, `/${field}`, 'required');
      }
    });
  }
  await t.test('unknown fields', async () => {
    hasError(await s.api.send({ boddy: 'x' }), '/boddy', 'unknown_field');
    const hidden = await s.api.send({ '+12125550123': 1 });
    problem(hidden, 422);
    assert.ok(!hidden.text.includes('2125550123'), 'a name that may be anything is not repeated');
  });
  await t.test('every fault in one pass', async () => {
    const m = await s.api.post('/v1/messages', {
      phone: '12',
      body: '',
      category: 'x',
      priority: 'high',
      send_at: 'soon',
      time_zone: 'Moon/Base',
      reference: '',
      more: 1,
    });
    problem(m, 422);
    for (const pointer of [
      '/patient',
      '/phone',
      '/body',
      '/category',
      '/priority',
      '/send_at',
      '/time_zone',
      '/reference',
      '/more',
    ])
      hasError(m, pointer);
  });
});

test('phones', async (t) => {
  const cases = {
    phone_malformed: [
      '',
      '+',
      '2125550101',
      '12125550101',
      '+1212555010',
      '+121255501011',
      '+1 212 555 0101',
      '+1-212-555-0101',
      '(212) 555-0101',
      '+1212555010a',
      '+02125550101',
      'tel:+12125550101',
      '+12125550101 ',
      ' +12125550101',
      '+1２125550101',
      '+11125550101',
      '+10125550101',
      '+12120550101',
      '+12121550101',
      '++2125550101',
      '0012125550101',
      '+12125550101;ext=1',
      '+1212555010\n',
    ],
    phone_not_us: ['+14165550101', '+16045550101', '+18765550101', '+12425550101', '+18095550101', '+14415550101'],
    phone_toll_free: [
      '+18005550101',
      '+18335550101',
      '+18445550101',
      '+18555550101',
      '+18665550101',
      '+18775550101',
      '+18885550101',
    ],
    phone_premium: ['+19005550101'],
    phone_special: [
      '+15005550101',
      '+15225550101',
      '+15335550101',
      '+15445550101',
      '+15555550101',
      '+15665550101',
      '+15775550101',
      '+15885550101',
      '+17005550101',
      '+17105550101',
    ],
  };
  for (const [code, phones] of Object.entries(cases)) {
    await t.test(code, async () => {
      for (const phone of phones) {
        const m = await s.api.send({ phone });
        problem(m, 422, 'validation_failed');
        hasError(m, '/phone', code);
        if (phone.trim().length > 3) assert.ok(!m.text.includes(phone.trim()), 'not repeated');
      }
    });
  }
  await t.test('an area code that nobody knows yet waits for the hours of the whole mainland', async () => {
    const m = await s.api.accepted({ phone: '+12735550101' });
    assert.deepEqual([...m.json.zones].sort(), [
      'America/Chicago',
      'America/Denver',
      'America/Los_Angeles',
      'America/New_York',
    ]);
  });
  await t.test('other countries and codes of services', async () => {
    for (const phone of ['+441632960101', '+33199005501', '+4930555010', '+12115550101', '+19115550101']) {
      const m = await s.api.send({ phone });
      problem(m, 422, 'validation_failed');
      hasError(m, '/phone');
    }
  });
});

test('zones, times, category, priority, references', async (t) => {
  const cases = [
    [
      'time_zone',
      [
        '',
        'Mars/Olympus',
        '../../etc/passwd',
        '/usr/share/zoneinfo/UTC',
        'America/New_York/',
        'america/new_york',
        'America',
        'EST5',
        'x'.repeat(300),
        'America/../America/New_York',
        'zone.tab',
        'tzdata.zi',
        'posixrules/x',
      ],
    ],
    [
      'send_at',
      [
        '',
        'soon',
        '2026-03-03',
        '2026-03-03T10:00:00',
        '2026-13-01T00:00:00Z',
        '2026-02-30T00:00:00Z',
        '2026-03-03T25:00:00Z',
        '2026-03-03T10:60:00Z',
        '2026-03-03T10:00:00+99:99',
        '9999-12-31T23:59:59Z',
        '0001-01-01T00:00:00Z',
        '2026-02-27T00:00:00Z',
        '2027-04-01T00:00:00Z',
        '2026-03-03 10:00',
        '1772000000',
        '2026-03-03T10:00:00ZZ',
        '2026-03-03T10:00:00.Z',
        '-2026-03-03T10:00:00Z',
        '12026-03-03T10:00:00Z',
      ],
    ],
    [
      'expires_at',
      ['', 'later', '2026-03-02T16:00:00Z', '2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z', '2026-03-03T24:01:00Z'],
    ],
    ['category', ['', 'marketing', 'Appointment_Reminder', 'opt_out_confirmation', 'help_reply', 'x'.repeat(1000)]],
    ['priority', ['', 'high', 'NORMAL', '1']],
    ['patient', ['', 'p'.repeat(65), 'tab\there', 'line\nbreak', 'p\u007f']],
    ['reference', ['', 'r'.repeat(129), 'a\u0001b']],
  ];
  for (const [field, values] of cases) {
    await t.test(field, async () => {
      for (const value of values) {
        const m = await s.api.send({ [field]: value });
        assert.equal(m.status, 422, `${field}=${JSON.stringify(value.slice(0, 40))}: ${m.status} ${m.text}`);
        problem(m, 422, 'validation_failed');
        hasError(m, `/${field}`);
      }
    });
  }
  await t.test('expiry before the sending time', async () => {
    const m = await s.api.send({ send_at: '2026-03-05T10:00:00Z', expires_at: '2026-03-05T10:00:00Z' });
    hasError(m, '/expires_at', 'time_past');
  });
  await t.test('the longest that are allowed', async () => {
    await s.api.accepted({ patient: 'p'.repeat(64), reference: 'r'.repeat(128) });
  });
});

test('broken JSON', async (t) => {
  const good = JSON.stringify(Api.draft());
  const cases = [
    ['empty', ''],
    ['half', good.slice(0, -1)],
    ['a list', '[]', 'json_not_object'],
    ['a string', '"x"'],
    ['a number', '7'],
    ['null', 'null'],
    ['duplicate keys', `{"phone":"+12125550101",${good.slice(1)}`, 'json_duplicate_key'],
    ['duplicate unknown keys', `{"x":1,"x":2,${good.slice(1)}`, 'json_duplicate_key'],
    ['duplicate keys, one escaped', `{"\\u0070hone":"+12125550101",${good.slice(1)}`, 'json_duplicate_key'],
    ['something behind', `${good} x`],
    ['two values', `${good}${good}`],
    ['comments', `/* a */${good}`],
    ['single quotes', good.replaceAll('"', "'")],
    ['a trailing comma', good.replace(/}$/, ',}')],
    ['NaN', good.replace(/}$/, ',"x":NaN}')],
    ['a NUL escape', good.replace('Visit', 'Vi\\u0000sit')],
    ['a NUL octet', Buffer.from(good.replace('Visit', 'Vi\0sit'))],
    ['a NUL in a key', good.replace('"body"', '"body\\u0000x"')],
    ['a lone surrogate', good.replace('Visit', '\\ud800')],
    ['reversed surrogates', good.replace('Visit', '\\udc00\\ud800')],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from(good.slice(0, -20)), Buffer.from([0xc3, 0x28]), Buffer.from(good.slice(-20))]),
    ],
    [
      'overlong UTF-8',
      Buffer.concat([Buffer.from(good.slice(0, -20)), Buffer.from([0xc0, 0xaf]), Buffer.from(good.slice(-20))]),
    ],
    [
      'UTF-8 of a surrogate',
      Buffer.concat([Buffer.from(good.slice(0, -20)), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from(good.slice(-20))]),
    ],
    [
      'above U+10FFFF',
      Buffer.concat([
        Buffer.from(good.slice(0, -20)),
        Buffer.from([0xf4, 0x90, 0x80, 0x80]),
        Buffer.from(good.slice(-20)),
      ]),
    ],
    ['Latin-1', Buffer.from(good.replace('Visit', 'Visité'), 'latin1')],
    ['UTF-16', Buffer.from(good, 'utf16le')],
    ['a raw line feed in a string', good.replace('Visit', 'Vi\nsit')],
    ['nested far too deep', `${'['.repeat(30000)}${']'.repeat(30000)}`],
    ['objects far too deep', `${'{"a":'.repeat(10000)}1${'}'.repeat(10000)}`],
    ['a huge number', good.replace(/}$/, `,"x":1${'0'.repeat(5000)}}`)],
  ];
  for (const [name, body, code] of cases) {
    await t.test(name, async () => {
      const m = await s.api.post('/v1/messages', body);
      assert.equal(m.status, 400, `${m.status} ${m.text}`);
      problem(m, 400, code);
    });
  }
});

test('keys', async (t) => {
  const bad = {
    none: null,
    empty: '',
    basic: 'Basic abc',
    'no secret': 'Bearer smsb_',
    short: 'Bearer x',
    'a wrong secret': `Bearer ${s.practice.key.slice(0, -1)}${s.practice.key.endsWith('0') ? '1' : '0'}`,
    'an unknown id': `Bearer smsb_0123456789abcdef_${'a'.repeat(64)}`,
    'something behind': `Bearer ${s.practice.key}x`,
    'a prefix': `Bearer ${s.practice.key.slice(0, -1)}`,
    'very long': `Bearer smsb_${'a'.repeat(3000)}`,
    'two words': `Bearer ${s.practice.key} ${s.practice.key}`,
    'an injection': "Bearer smsb_x' OR '1'='1_y",
  };
  for (const [name, authorization] of Object.entries(bad)) {
    await t.test(`401: ${name}`, async () => {
      for (const [method, path] of [
        ['POST', '/v1/messages'],
        ['GET', '/v1/messages'],
        ['GET', '/v1/messages/x'],
        ['POST', '/v1/messages/x/cancel'],
      ]) {
        const m = await s.api.request(method, path, {
          key: null,
          headers: { authorization },
          body: method === 'POST' ? '{}' : undefined,
        });
        problem(m, 401, 'unauthorized');
        assert.match(m.headers['www-authenticate'], /^Bearer/);
      }
    });
  }
  await t.test('a revoked key ends within two seconds', async () => {
    const extra = await key(s.db, s.practice.id);
    assert.equal((await s.api.get('/v1/messages?limit=1', { key: extra })).status, 200);
    await must(binary, ['key', 'revoke', extra.split('_')[1], '--database', s.db.owner]);
    const from = Date.now();
    await until(async () => (await s.api.get('/v1/messages?limit=1', { key: extra })).status === 401, 'it ends');
    assert.ok(Date.now() - from < 2000 * slow, `${Date.now() - from} ms`);
    assert.equal((await s.api.get('/v1/messages?limit=1')).status, 200, 'the other key goes on');
  });
  await t.test('another practice sees nothing', async () => {
    const m = await s.api.accepted({ send_at: '2026-03-20T15:00:00Z' });
    problem(await s.api.get(`/v1/messages/${m.id}`, { key: s.other.key }), 404, 'message_unknown');
    problem(await s.api.post(`/v1/messages/${m.id}/cancel`, undefined, { key: s.other.key }), 404, 'message_unknown');
    assert.deepEqual((await s.api.get('/v1/messages', { key: s.other.key })).json.data, []);
    assert.equal((await s.api.message(m.id)).status, 'scheduled');
  });
});

test('addresses, methods and media types', async () => {
  for (const path of [
    '/',
    '/v1',
    '/v1/messages/',
    '/v1/messages/a/b',
    '/v2/messages',
    '/livez/',
    '/V1/messages',
    '/v1//messages',
    '/v1/messages/%2e%2e/x/cancel/y',
    '/metrics/x',
  ]) {
    problem(await s.api.get(path), 404);
  }
  for (const id of [
    'x',
    '0',
    '019c0000-0000-7000-8000-000000000000',
    '%27',
    'a'.repeat(200),
    '019caf7e-0edf-7003-9cb0-6339a75e3c2g',
  ]) {
    problem(await s.api.get(`/v1/messages/${id}`), 404, 'message_unknown');
    problem(await s.api.post(`/v1/messages/${id}/cancel`), 404, 'message_unknown');
  }
  for (const [method, path, allow] of [
    ['PUT', '/v1/messages', /GET/],
    ['DELETE', '/v1/messages', /POST/],
    ['POST', '/livez', /GET/],
    ['PATCH', '/metrics', /GET/],
    ['GET', '/v1/messages/019c0000-0000-7000-8000-000000000000/cancel', /POST/],
    ['DELETE', '/v1/messages/019c0000-0000-7000-8000-000000000000', /GET/],
  ]) {
    const m = await s.api.request(method, path);
    problem(m, 405);
    assert.match(m.headers.allow, allow);
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    '',
    null,
    'application/xml',
    'multipart/form-data',
  ]) {
    const m = await s.api.post('/v1/messages', JSON.stringify(Api.draft()), { headers: { 'content-type': type } });
    problem(m, 415);
  }
  for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8']) {
    assert.equal(
      (await s.api.post('/v1/messages', JSON.stringify(Api.draft()), { headers: { 'content-type': type } })).status,
      202,
    );
  }
  problem(await s.api.post('/v1/messages', JSON.stringify(Api.draft({ reference: 'x'.repeat(70000) }))), 413);
});

test('Idempotency-Key', async (t) => {
  await t.test('the same request replays the stored answer, octet by octet', async () => {
    const body = JSON.stringify(Api.draft({ body: 'It\u2019s tomorrow' }));
    const headers = { 'idempotency-key': '"7f1c-a"' };
    const first = await s.api.post('/v1/messages', body, { headers });
    assert.equal(first.status, 202, first.text);
    for (const again of ['"7f1c-a"', '7f1c-a']) {
      const replay = await s.api.post('/v1/messages', body, { headers: { 'idempotency-key': again } });
      assert.equal(replay.status, 202);
      assert.ok(replay.buffer.equals(first.buffer), 'equal octets');
    }
    const rows = await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.message WHERE patient = $1', [
      JSON.parse(body).patient,
    ]);
    assert.equal(rows[0].n, 1);
  });
  await t.test('another body with the same key is 422', async () => {
    const draft = Api.draft();
    const headers = { 'idempotency-key': 'key-2' };
    assert.equal((await s.api.post('/v1/messages', draft, { headers })).status, 202);
    problem(await s.api.post('/v1/messages', { ...draft, reference: 'x' }, { headers }), 422, 'idempotency_key_reused');
    problem(await s.api.post('/v1/messages', { ...draft, phone: 'bad' }, { headers }), 422, 'idempotency_key_reused');
    problem(await s.api.post('/v1/messages', '{"a":', { headers }), 400);
  });
  await t.test('a refused request does not use the key up', async () => {
    const headers = { 'idempotency-key': 'key-3' };
    problem(await s.api.post('/v1/messages', Api.draft({ priority: 'high' }), { headers }), 422, 'validation_failed');
    assert.equal((await s.api.post('/v1/messages', Api.draft(), { headers })).status, 202);
  });
  await t.test('each practice has its own keys', async () => {
    const draft = Api.draft();
    const headers = { 'idempotency-key': 'key-4' };
    const a = await s.api.post('/v1/messages', draft, { headers });
    const b = await s.api.post('/v1/messages', draft, { headers, key: s.other.key });
    assert.equal(b.status, 202);
    assert.notEqual(a.json.id, b.json.id);
  });
  await t.test('409 while the first is running; then the first is answered', async () => {
    const blocker = await s.db.connect();
    await blocker.query('BEGIN; LOCK TABLE smsbridge.message IN EXCLUSIVE MODE');
    const body = JSON.stringify(Api.draft());
    const headers = { 'idempotency-key': 'key-5' };
    const first = s.api.post('/v1/messages', body, { headers });
    await until(
      async () =>
        (
          await s.db.sql(
            'SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT granted AND datname = $1',
            [s.db.name],
          )
        ).length,
      'the first waits for its commit',
    );
    const second = await s.api.post('/v1/messages', body, { headers });
    problem(second, 409, 'idempotency_key_running');
    await blocker.query('ROLLBACK');
    await blocker.end();
    assert.equal((await first).status, 202);
    const third = await s.api.post('/v1/messages', body, { headers });
    assert.ok(third.buffer.equals((await first).buffer));
  });
  await t.test('many at once with one key make one message', async () => {
    const body = JSON.stringify(Api.draft());
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => s.api.post('/v1/messages', body, { headers: { 'idempotency-key': 'key-6' } })),
    );
    const ok = answers.filter((a) => a.status === 202);
    assert.ok(ok.length >= 1);
    assert.equal(new Set(ok.map((a) => a.json.id)).size, 1);
    for (const a of answers) if (a.status !== 202) problem(a, 409);
    const rows = await s.db.sql('SELECT count(*)::int AS n FROM smsbridge.message WHERE patient = $1', [
      JSON.parse(body).patient,
    ]);
    assert.equal(rows[0].n, 1);
  });
  await t.test('bad keys', async () => {
    for (const value of ['""', 'x'.repeat(129), 'a b', '"a\\"b"', 'ü', ',']) {
      const m = await s.api.post('/v1/messages', Api.draft(), {
        headers: { 'idempotency-key': Buffer.from(value).toString('latin1') },
      });
      if (value === ',') continue; // visible ASCII
      problem(m, 400, 'idempotency_key_bad');
    }
  });
});

test('a message, its timeline and its reason', async () => {
  const m = await s.api.accepted();
  await until(async () => (await s.api.message(m.id)).status === 'delivered', 'it is delivered');
  const shown = await s.api.message(m.id);
  assert.deepEqual(
    shown.timeline.map((e) => e.type),
    ['message.accepted', 'message.sending', 'message.sent', 'message.delivered'],
  );
  for (const e of shown.timeline) assert.ok(e.sentence && !Number.isNaN(Date.parse(e.at)));
  const held = await s.api.accepted({ patient: m.draft.patient, phone: m.draft.phone });
  await until(async () => (await s.api.message(held.id)).status === 'held', 'the second of the day is held');
  const reason = (await s.api.message(held.id)).reason;
  assert.equal(reason.code, 'cap_day');
  assert.ok(reason.sentence);
  assert.match(reason.citation, /CFR/);
});

test('pages and filters', async (t) => {
  const p = await practice(s.db, { name: 'Pine Street Clinic' });
  const options = { key: p.key };
  const odd = 'a b&c=d%20+é/#?';
  const ids = [];
  for (let i = 0; i < 25; i++) {
    const fields = i % 5 === 0 ? { send_at: '2026-03-20T15:00:00Z' } : {};
    ids.push((await s.api.accepted({ ...fields, patient: i === 7 ? odd : nextPatient() }, options)).id);
  }
  await t.test('a walk by pages meets each once, in order', async () => {
    const seen = [];
    let next = '/v1/messages?limit=10';
    let pages = 0;
    while (next) {
      const page = (await s.api.get(next, options)).json;
      seen.push(...page.data.map((d) => d.id));
      next = page.next;
      pages++;
      if (pages === 1) ids.push((await s.api.accepted({ send_at: '2026-03-21T15:00:00Z' }, options)).id);
    }
    assert.equal(pages, 3);
    assert.deepEqual(seen, ids);
  });
  await t.test('by status and patient', async () => {
    const page = (await s.api.get('/v1/messages?status=scheduled&limit=3', options)).json;
    assert.equal(page.data.length, 3);
    assert.ok(page.data.every((d) => d.status === 'scheduled'));
    const rest = (await s.api.get(page.next, options)).json;
    assert.equal(rest.data.length, 3);
    assert.ok(rest.data.every((d) => d.status === 'scheduled'));
    assert.equal(rest.next, null);
    const one = (await s.api.get(`/v1/messages?patient=${encodeURIComponent(odd)}`, options)).json;
    assert.deepEqual(
      one.data.map((d) => d.id),
      [ids[7]],
    );
    assert.deepEqual((await s.api.get('/v1/messages?patient=nobody', options)).json.data, []);
    const many = await Promise.all(
      Array.from({ length: 3 }, () =>
        s.api.accepted({ patient: odd, phone: nextPhone(), send_at: '2026-03-22T15:00:00Z' }, options),
      ),
    );
    const first = (await s.api.get(`/v1/messages?patient=${encodeURIComponent(odd)}&limit=2`, options)).json;
    const second = (await s.api.get(first.next, options)).json;
    assert.deepEqual(
      [...first.data, ...second.data].map((d) => d.id).sort(),
      [ids[7], ...many.map((m) => m.id)].sort(),
      'the next link keeps the filter',
    );
  });
  for (const query of [
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=abc',
    'limit=',
    'limit=1e1',
    'limit=99999999999999999999',
    'after=x',
    'after=',
    'status=bogus',
    'status=',
    `after=${'0'.repeat(80)}`,
    `status=${'x'.repeat(80)}`,
    'limit=00000000000000000000005',
  ]) {
    await t.test(`400: ${query.slice(0, 30)}`, async () => {
      const m = await s.api.get(`/v1/messages?${query}`, options);
      problem(m, 400, 'bad_query');
    });
  }
  await t.test('a filter that no message can match never shows all', async () => {
    const m = await s.api.get(`/v1/messages?patient=${'p'.repeat(65)}`, options);
    if (m.status !== 400) assert.deepEqual(m.json.data, []);
    const bad = await s.api.get('/v1/messages?patient=%ff%fe', options);
    if (bad.status !== 400) assert.deepEqual(bad.json.data, []);
    const nul = await s.api.get('/v1/messages?patient=a%00b', options);
    if (nul.status !== 400) assert.deepEqual(nul.json.data, []);
  });
});

test('cancel', async () => {
  const m = await s.api.accepted({ send_at: '2026-03-02T12:30:00-05:00' });
  const done = await s.api.post(`/v1/messages/${m.id}/cancel`);
  assert.equal(done.status, 200, done.text);
  assert.equal(done.json.id, m.id);
  assert.equal(done.json.status, 'canceled');
  assert.equal((await s.api.message(m.id)).reason.code, 'canceled_by_practice');
  const again = await s.api.post(`/v1/messages/${m.id}/cancel`);
  assert.ok([200, 409].includes(again.status), 'cancelled already: the same answer, or that it has ended');
  const sent = await s.api.accepted();
  await until(async () => (await s.api.message(sent.id)).status === 'delivered', 'delivered');
  problem(await s.api.post(`/v1/messages/${sent.id}/cancel`), 409, 'not_cancelable');
  assert.deepEqual(
    (await s.db.events(m.id)).map((e) => e.type),
    ['message.accepted', 'message.canceled'],
  );
});

test('livez, readyz, openapi.json; HEAD', async () => {
  for (const path of ['/livez', '/readyz', '/metrics', '/openapi.json']) {
    const m = await s.api.get(path, { key: null });
    assert.equal(m.status, 200, `${path} needs no key`);
    const head = await s.api.request('HEAD', path, { key: null });
    assert.equal(head.status, 200);
    assert.equal(head.buffer.length, 0);
  }
});

test('openapi.json tells every route and status', async () => {
  const contract = (await s.api.get('/openapi.json')).json;
  assert.match(contract.openapi, /^3\.1/);
  for (const [path, method, codes] of [
    ['/v1/messages', 'post', ['202', '400', '401', '409', '413', '415', '422', '429', '503']],
    ['/v1/messages', 'get', ['200', '400', '401']],
    ['/v1/messages/{id}', 'get', ['200', '401', '404']],
    ['/v1/messages/{id}/cancel', 'post', ['200', '401', '404', '409']],
    ['/livez', 'get', ['200']],
    ['/readyz', 'get', ['200', '503']],
    ['/metrics', 'get', ['200']],
  ]) {
    const operation = contract.paths[path]?.[method];
    assert.ok(operation, `${method} ${path}`);
    for (const code of codes) assert.ok(operation.responses[code], `${method} ${path} ${code}`);
  }
});

test('metrics are well-formed Prometheus text', async () => {
  const answer = await s.api.get('/metrics', { key: null });
  assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const types = new Map();
  const helps = new Set();
  const seen = new Set();
  const buckets = new Map();
  for (const line of answer.text.split('\n')) {
    if (!line) continue;
    const meta = line.match(/^# (HELP|TYPE) (\S+) (.+)$/);
    if (meta) {
      if (meta[1] === 'HELP') helps.add(meta[2]);
      else assert.ok(!types.has(meta[2]) && types.set(meta[2], meta[3]), `one TYPE of ${meta[2]}`);
      continue;
    }
    const sample = line.match(/^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (-?[0-9.e+-]+|\+Inf|NaN)$/);
    assert.ok(sample, `a sample: ${line}`);
    assert.ok(!seen.has(sample[1] + sample[2]), `once: ${line}`);
    seen.add(sample[1] + sample[2]);
    const base = types.has(sample[1]) ? sample[1] : sample[1].replace(/_(bucket|sum|count)$/, '');
    assert.ok(types.has(base) && helps.has(base), `TYPE and HELP before ${sample[1]}`);
    assert.match(base, /^smsbridge_|^process_/);
    if (types.get(base) === 'counter') assert.match(base, /_total$/);
    if (/_bucket$/.test(sample[1]) && types.get(base) === 'histogram') {
      const series = base + sample[2].replace(/,?le="[^"]*"/, '');
      const before = buckets.get(series) ?? 0;
      assert.ok(Number(sample[3]) >= before, `buckets grow: ${line}`);
      buckets.set(series, Number(sample[3]));
    }
  }
  assert.ok(buckets.size > 0 && types.size > 10);
  const value = await s.gateway.metric('smsbridge_messages_accepted_total');
  const rows = await s.db.sql("SELECT count(*)::int AS n FROM smsbridge.event WHERE type = 'message.accepted'");
  assert.equal(value, rows[0].n, 'what was counted is what is stored');
});

test('429 with Retry-After past the rate, per practice', async () => {
  await s.gateway.reload((c) => {
    c.http.requests_per_second = 5;
  });
  const answers = await Promise.all(Array.from({ length: 30 }, () => s.api.send()));
  const refused = answers.filter((a) => a.status === 429);
  assert.ok(refused.length >= 15, `${refused.length} of 30 refused`);
  assert.ok(answers.some((a) => a.status === 202));
  for (const a of refused) {
    problem(a, 429, 'too_many_requests');
    assert.match(a.headers['retry-after'], /^\d+$/);
  }
  assert.equal((await s.api.send({}, { key: s.other.key })).status, 202, 'the other practice goes on');
  const extra = await key(s.db, s.practice.id); // a second key is no second allowance
  const more = await Promise.all(
    Array.from({ length: 20 }, (_, i) => s.api.send({}, { key: i % 2 ? extra : undefined })),
  );
  assert.ok(more.filter((a) => a.status === 202).length <= 12, "the rate is the practice's, not the key's");
  await s.gateway.reload((c) => {
    delete c.http.requests_per_second;
  });
  assert.equal((await s.api.send()).status, 202);
});

test('503 while the database is away; alive all the time; ready again by itself', async () => {
  await theCluster().halt('fast');
  await until(async () => (await s.api.get('/readyz')).status === 503, 'not ready');
  assert.equal((await s.api.get('/livez')).status, 200);
  const m = await s.api.send();
  problem(m, 503);
  assert.match(m.headers['retry-after'], /^\d+$/);
  problem(await s.api.get('/v1/messages'), 503);
  await theCluster().launch();
  await until(async () => (await s.api.get('/readyz')).status === 200, 'ready again', 30000);
  await s.api.accepted();
});
