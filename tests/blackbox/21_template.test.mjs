// Templates and the lint as a practice system and an operator see them.
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { Api } from './lib/api.mjs';
import { leaks } from './lib/privacy.mjs';
import { binary, must, nextPatient, nextPhone, run, until } from './lib/util.mjs';
import { practice, setup, world } from './lib/world.mjs';

await world();
const s = await setup(null, {
  practice: { identity: true, more: ['--link-domain', 'elm.example', '--url', 'https://elm.example/'] },
});
const own = 'Elm Street Clinic: visit {day} at {time}. Reply C to confirm. (212) 555-0199. Reply STOP to opt out.';
const reminder = {
  name: 'reminder',
  language: 'en',
  category: 'appointment_reminder',
  body: own,
  variables: { day: 'date', time: { type: 'time' } },
  person: 'Jo Rivera',
};

/** Rows, as { rows }. */
const sql = async (text, params) => ({ rows: await s.db.sql(text, params) });
const post = (route, body, api = s.api) => api.request('POST', route, { body });
const codes = (answer) => (answer.json.errors ?? []).map((e) => e.code).sort();

async function campaign(word, p, ...more) {
  const args = ['campaign', word, '--database', s.db.owner, '--practice', p.id, '--json', ...more];
  return JSON.parse((await must(binary, args)).stdout);
}

async function command(...args) {
  return run(binary, ['template', ...args, '--database', s.db.owner, '--practice', s.practice.id]);
}

const message = (more) => ({ patient: nextPatient(), phone: nextPhone(), ...more });

async function events(type) {
  const { rows } = await sql('SELECT data FROM smsbridge.event WHERE type = $1 ORDER BY recorded_at', [type]);
  return rows.map((r) => r.data);
}

test('a sender that is registered for no campaign carries no template', async () => {
  const refused = await post('/v1/templates', reminder);
  assert.equal(refused.status, 422, refused.text);
  assert.equal(refused.json.code, 'campaign_missing');
  const [made] = await campaign(
    'add',
    s.practice,
    ...['--campaign', 'CTEST1', '--classes', 'appointment_reminder,verification', '--person', 'Jo Rivera'],
  );
  assert.equal(made.campaign, 'CTEST1');
  const other = await post('/v1/templates', { ...reminder, category: 'lab_results' });
  assert.equal(other.json.code, 'campaign_missing', 'only for the classes of the campaign');
});

// covers: rule template
test('saved, approved, used: each an event, and the words never change', async () => {
  const saved = await post('/v1/templates', reminder);
  assert.equal(saved.status, 201, saved.text);
  assert.equal(saved.json.version, 1);
  assert.equal(saved.json.status, 'draft');
  assert.equal(saved.json.septets, own.length - '{day}{time}'.length + 11 + 8);
  assert.deepEqual(saved.json.findings, []);
  const asked = { template: 'reminder', variables: { day: '2026-03-03', time: '14:30' } };
  const early = await post('/v1/messages', message(asked));
  assert.deepEqual([early.status, codes(early)], [422, ['template_unknown']], 'a draft is not for sending');
  const byId = await post('/v1/messages', message({ ...asked, template: saved.json.id }));
  assert.deepEqual(codes(byId), ['template_not_approved']);
  const nobody = await post(`/v1/templates/${saved.json.id}/approve`, {});
  assert.deepEqual([nobody.status, codes(nobody)], [422, ['required']]);
  const approved = await post(`/v1/templates/${saved.json.id}/approve`, { person: 'Sam Okafor' });
  assert.deepEqual([approved.status, approved.json.status], [200, 'approved']);
  const again = await post(`/v1/templates/${saved.json.id}/approve`, { person: 'Sam Okafor' });
  assert.deepEqual([again.status, again.json.code], [409, 'template_not_draft']);
  const sent = await post('/v1/messages', message(asked));
  assert.equal(sent.status, 202, sent.text);
  assert.deepEqual(sent.json.findings, []);
  const { rows } = await sql('SELECT body, category, template_id FROM smsbridge.message WHERE id = $1', [sent.json.id]);
  assert.deepEqual(rows[0], {
    body: 'Elm Street Clinic: visit Tue, Mar 3 at 2:30 PM. Reply C to confirm. (212) 555-0199. Reply STOP to opt out.',
    category: 'appointment_reminder',
    template_id: saved.json.id,
  });
  const [accepted] = (await events('message.accepted')).filter((d) => d.template_id);
  assert.deepEqual([accepted.template_id, accepted.template_version], [saved.json.id, 1]);
  const [told] = await events('template.saved');
  assert.equal(told.by, 'Jo Rivera');
  assert.equal((await events('template.approved'))[0].by, 'Sam Okafor');
  for (const change of ["body = 'other'", "category = 'survey'", 'version = 7', "status = 'draft'"])
    await assert.rejects(
      sql(`UPDATE smsbridge.template SET ${change} WHERE id = $1`, [saved.json.id]),
      /is not changed/,
      change,
    );
  await assert.rejects(sql('DELETE FROM smsbridge.template WHERE id = $1', [saved.json.id]), /is not changed/);
});

test('the newest approved version of a name is used; a retired one is not', async () => {
  const second = await post('/v1/templates', { ...reminder, body: own.replace('visit', 'your visit') });
  assert.equal(second.json.version, 2);
  const asked = { template: 'reminder', language: 'en', variables: { day: '2026-03-03', time: '09:05' } };
  const bodyOf = async (answer) => {
    assert.equal(answer.status, 202, answer.text);
    return (await sql('SELECT body FROM smsbridge.message WHERE id = $1', [answer.json.id])).rows[0].body;
  };
  assert.match(await bodyOf(await post('/v1/messages', message(asked))), /: visit Tue, Mar 3 at 9:05 AM/);
  await post(`/v1/templates/${second.json.id}/approve`, { person: 'Sam Okafor' });
  assert.match(await bodyOf(await post('/v1/messages', message(asked))), /: your visit/);
  const retired = await post(`/v1/templates/${second.json.id}/retire`, { person: 'Sam Okafor' });
  assert.deepEqual([retired.status, retired.json.status], [200, 'retired']);
  assert.match(await bodyOf(await post('/v1/messages', message(asked))), /: visit/);
  assert.equal((await events('template.retired')).length, 1);
  const listed = await s.api.request('GET', '/v1/templates?name=reminder&status=approved');
  assert.equal(listed.json.data.length, 1);
  assert.equal(listed.json.data[0].body, own);
  assert.deepEqual(listed.json.data[0].variables.day, { type: 'date', max: 11 });
});

test('what a variable may not be', async () => {
  const wrong = [
    [{ day: '3/3/2026', time: '14:30' }, '/variables/day', 'value_form'],
    [{ day: '2026-03-03' }, '/variables/time', 'value_missing'],
    [{ day: '2026-03-03', time: '14:30', more: 'x' }, '/variables/more', 'value_unknown'],
    [{ day: '2026-03-03', time: 'https://evil.example' }, '/variables/time', 'value_form'],
    [{ day: 3 }, '/variables', 'bad_variables'],
    ['day', '/variables', 'not_an_object'],
  ];
  for (const [variables, pointer, code] of wrong) {
    const m = await post('/v1/messages', message({ template: 'reminder', variables }));
    assert.equal(m.status, 422, m.text);
    assert.deepEqual([m.json.errors[0].pointer, m.json.errors[0].code], [pointer, code]);
    assert.deepEqual(leaks(m.text), []);
  }
  const both = await post('/v1/messages', message({ template: 'reminder', body: 'x', variables: {} }));
  assert.ok(codes(both).includes('template_and_body'), both.text);
  // What belongs to a template is looked at without one too: it was meant for something.
  for (const [fields, code] of [
    [{ template: 5 }, 'not_a_string'],
    [{ variables: '' }, 'bad_variables'],
    [{ variables: { day: 3 } }, 'bad_variables'],
    [{ variables: { day: '2026-03-03' } }, 'bad_variables'],
  ]) {
    const odd = await post('/v1/messages', Api.draft(fields));
    assert.equal(odd.status, 422, odd.text);
    assert.ok(codes(odd).includes(code), odd.text);
  }
  const other = await post(
    '/v1/messages',
    message({ template: 'reminder', category: 'survey', variables: { day: '2026-03-03', time: '14:30' } }),
  );
  assert.ok(codes(other).includes('category_not_of_template'), other.text);
});

test('what may not be saved', async () => {
  const wrong = [
    [{ body: own.replace('{day}', '{when}') }, '/variables/when', 'variable_unknown'],
    [{ body: own.replace('{day}', 'x'.repeat(99)), variables: { time: 'time' } }, '/body', 'too_long'],
    [{ body: own.replace('{day}', '{day') }, '/body', 'brace'],
    [{ body: own.replace('Reply C to confirm', 'Reply C to confirm, CANCEL to cancel') }, '/body', 'stop_word_reply'],
    [{ body: own.replace('(212) 555-0199', 'see bit.ly/a') }, '/body', 'link_shortener'],
    [{ body: own.replace(' Reply STOP to opt out.', '') }, '/body', 'stop_missing'],
    [{ body: own.replace('Elm Street Clinic', 'Your clinic') }, '/body', 'name_missing'],
    [{ body: own.replace('visit', 'colonoscopy') }, '/body', 'phi_test'],
    [{ variables: { day: 'day', time: 'time' } }, '/variables/day', 'variable_type'],
    [{ variables: { day: { type: 'date', max: 12 }, time: 'time' } }, '/variables/day', 'variable_max'],
    [{ name: 'Re minder' }, '/name', 'bad_template_name'],
    [{ person: '' }, '/person', 'bad_person'],
    [{ language: 'fr' }, '/language', 'language'],
    [{ category: 'nonsense' }, '/category', 'category_unknown'],
    [{ surplus: 1 }, '', 'unknown_field'],
  ];
  for (const [more, pointer, code] of wrong) {
    const answer = await post('/v1/templates', { ...reminder, ...more });
    assert.equal(answer.status, 422, answer.text);
    const found = answer.json.errors.find((e) => e.code === code);
    assert.ok(found, `${code}: ${answer.text}`);
    assert.equal(found.pointer, pointer);
  }
  const { rows } = await sql('SELECT count(*)::int AS n FROM smsbridge.template');
  assert.equal(rows[0].n, 2, 'nothing of that was stored');
});

test('a body that is given is linted; the practice says whether it must name itself', async () => {
  const bare = await post('/v1/messages', message({ body: 'Your visit is Tuesday.' }));
  assert.deepEqual([bare.status, codes(bare)], [422, ['contact_missing', 'name_missing', 'stop_missing']]);
  for (const e of bare.json.errors) assert.ok(e.pointer === '/body' && e.detail);
  const p = await practice(s.db, { name: 'Oak Street Clinic', more: ['--lint-phi', 'warn'] });
  const api = new Api({ port: s.api.port, ca: s.api.ca, tls: s.api.secure, key: p.key });
  const calm = await post('/v1/messages', message({ body: 'Your visit is Tuesday.' }), api);
  assert.equal(calm.status, 202, calm.text);
  const trap = await post('/v1/messages', message({ body: 'Visit Tuesday. Reply Confirm or Cancel.' }), api);
  assert.deepEqual([trap.status, codes(trap)], [422, ['stop_word_reply']]);
  const warned = await post('/v1/messages', message({ body: 'About your diabetes visit.' }), api);
  assert.equal(warned.status, 202, warned.text);
  assert.equal(warned.json.findings[0].code, 'phi_diagnosis');
  assert.equal(warned.json.findings[0].severity, 'warn');
  assert.equal(warned.json.findings[0].at, 11);
  assert.equal(warned.json.findings[0].length, 8);
});

test('lint judges and stores nothing', async () => {
  const kept = `SELECT (SELECT count(*) FROM smsbridge.message) + (SELECT count(*) FROM smsbridge.template)
    + (SELECT count(*) FROM smsbridge.event WHERE type NOT LIKE 'message.%') AS n`;
  const before = (await sql(kept)).rows[0].n;
  const text = await post('/v1/lint', {
    category: 'appointment_reminder',
    body: 'Elm Street Clinic: see https://evil.example/a. Reply STOP to confirm. (212) 555-0199',
  });
  assert.equal(text.status, 200, text.text);
  assert.equal(text.json.ok, false);
  assert.deepEqual(
    text.json.findings.map((f) => f.code),
    ['link_foreign', 'stop_as_answer', 'stop_missing'],
  );
  for (const f of text.json.findings) assert.ok(f.citation && f.sentence && f.suggestion);
  const fine = await post('/v1/lint', { category: 'appointment_reminder', body: own, variables: reminder.variables });
  assert.deepEqual([fine.json.ok, fine.json.units], [true, own.length - '{day}{time}'.length + 19]);
  const long = await post('/v1/lint', {
    category: 'appointment_reminder',
    body: own + 'x'.repeat(60),
    variables: reminder.variables,
  });
  assert.deepEqual([long.status, codes(long)], [422, ['too_long']]);
  assert.equal((await sql(kept)).rows[0].n, before);
});

test('another practice has other templates', async () => {
  const p = await practice(s.db, { name: 'Fir Street Clinic' });
  const api = new Api({ port: s.api.port, ca: s.api.ca, tls: s.api.secure, key: p.key });
  assert.deepEqual((await api.request('GET', '/v1/templates')).json.data, []);
  const listed = await s.api.request('GET', '/v1/templates');
  const foreign = await post(`/v1/templates/${listed.json.data[0].id}/retire`, { person: 'X' }, api);
  assert.deepEqual([foreign.status, foreign.json.code], [404, 'template_unknown']);
});

test('one template: its ETag, If-None-Match, If-Match; pages; what a query may not have', async () => {
  const { id } = (await post('/v1/templates', { ...reminder, name: 'tagged' })).json;
  const at = (more, method = 'GET', path = '', body = undefined) =>
    s.api.request(method, `/v1/templates/${id}${path}`, { body, headers: more });
  const shown = await at({});
  assert.deepEqual([shown.status, shown.headers.etag, shown.json.status], [200, '"1"', 'draft']);
  for (const tag of ['"1"', 'W/"1"', '"7", "1"', '*']) {
    const same = await at({ 'if-none-match': tag });
    assert.deepEqual([same.status, same.headers.etag, same.text], [304, '"1"', ''], tag);
  }
  assert.equal((await at({ 'if-none-match': '"2"' })).status, 200);
  const person = { person: 'Sam Okafor' };
  for (const [tag, status, code] of [
    ['"2"', 412, 'precondition_failed'],
    ['W/"1"', 412, 'precondition_failed'],
    ['1', 400, 'etag_malformed'],
  ]) {
    const answer = await at({ 'if-match': tag }, 'POST', '/approve', person);
    assert.deepEqual([answer.status, answer.json.code], [status, code], tag);
  }
  assert.equal((await at({})).json.status, 'draft', 'nothing was changed');
  const approved = await at({ 'if-match': '"1"' }, 'POST', '/approve', person);
  assert.deepEqual([approved.status, approved.headers.etag], [200, '"2"']);
  assert.equal((await at({ 'if-match': '"1"' }, 'POST', '/retire', person)).status, 412);
  assert.equal((await at({ 'if-match': '"1", "2"' }, 'POST', '/retire', person)).headers.etag, '"3"');
  assert.equal((await at({ 'if-match': '*' }, 'POST', '/retire', person)).status, 200, 'again');
  assert.equal((await s.api.get('/v1/templates/019caf47-20b5-7001-8f7c-e54e3644af02')).json.code, 'template_unknown');

  for (const name of ['page-a', 'page-b', 'page-c']) await post('/v1/templates', { ...reminder, name });
  const all = (await s.api.get('/v1/templates')).json;
  assert.equal(all.next, null);
  const seen = [];
  for (let next = '/v1/templates?limit=2'; next;) {
    const page = (await s.api.get(next)).json;
    assert.ok(page.data.length <= 2);
    seen.push(...page.data);
    next = page.next;
  }
  assert.deepEqual(seen, all.data);
  for (const query of ['status=drafts', 'limit=0', 'after=x', 'name=A']) {
    const answer = await s.api.get(`/v1/templates?${query}`);
    assert.deepEqual([answer.status, answer.json.code], [400, 'bad_template_query'], query);
  }
});

test('two persons, where the practice asks for them', async () => {
  await must(binary, ['practice', 'set', s.practice.id, '--database', s.db.owner, '--two-person', 'true']);
  const saved = await post('/v1/templates', { ...reminder, name: 'two' });
  const alone = await post(`/v1/templates/${saved.json.id}/approve`, { person: ' jo rivera ' });
  assert.deepEqual([alone.status, alone.json.code], [409, 'same_person']);
  const other = await post(`/v1/templates/${saved.json.id}/approve`, { person: 'Sam Okafor' });
  assert.equal(other.status, 200, other.text);
});

test('starters by command, in both languages; lint of a file', async () => {
  const saved = await command('save', '--starter', 'appointment_reminder', '--language', 'es', '--person', 'Jo Rivera');
  assert.equal(saved.code, 0, saved.stderr);
  const [made] = (
    await sql("SELECT id, language, body, saved_by FROM smsbridge.template WHERE name = 'appointment_reminder'")
  ).rows;
  assert.deepEqual([made.language, made.saved_by], ['es', 'Jo Rivera']);
  assert.equal((await command('approve', made.id, '--person', 'Jo Rivera')).code, 1, 'two persons');
  assert.equal((await command('approve', made.id, '--person', 'Sam Okafor')).code, 0);
  const sent = await post(
    '/v1/messages',
    message({ template: 'appointment_reminder', language: 'es', variables: { day: '2026-03-03', time: '14:30' } }),
  );
  assert.equal(sent.status, 202, sent.text);
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'template-'));
  const file = path.join(folder, 'a.json');
  await fs.writeFile(file, JSON.stringify({ ...reminder, body: own + ' Reply END to end.' }));
  const bad = await command('lint', file);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /refuse stop_word_reply/);
  await fs.writeFile(file, JSON.stringify({ ...reminder, person: undefined }));
  const good = await command('lint', file);
  assert.deepEqual([good.code, good.stdout], [0, 'at most 108 septets of 160\n'], good.stderr);
  assert.equal((await command('save', file)).code, 1, 'by nobody');
  assert.equal((await command('list')).code, 0);
  await fs.rm(folder, { recursive: true });
});

test('STOP, HELP and START are answered in the language of the word', async () => {
  const said = async (text, phone = nextPhone()) => {
    const before = s.carrier.to(phone).length;
    await s.carrier.mo(phone, s.practice.sender, text);
    await until(() => s.carrier.to(phone).length === before + 1, `the answer to ${text}`);
    return [s.carrier.to(phone)[before].text, phone];
  };
  const phoneText = '(212) 555-0199';
  const [stopped, phone] = await said('ALTO');
  assert.equal(
    stopped,
    `Elm Street Clinic: No recibira mas mensajes. Preguntas: ${phoneText}. Responda START para recibirlos de nuevo.`,
  );
  const [resumed] = await said('START, gracias', phone);
  assert.equal(
    resumed,
    `Elm Street Clinic: Recibira de nuevo nuestros mensajes. Preguntas: ${phoneText}. Responda STOP para terminar.`,
  );
  const [ayuda] = await said('Ayuda');
  assert.equal(
    ayuda,
    `Elm Street Clinic: Para ayuda llame al ${phoneText}. Responda STOP para no recibir mas mensajes.`,
  );
  const [help] = await said('HELP');
  assert.equal(help, `Elm Street Clinic: For help call ${phoneText}. Reply STOP to get no more texts.`);
  const [english] = await said('Stop please');
  assert.match(english, /^Elm Street Clinic: You will get no more texts from us\./);
});

test('when the campaign ends, its templates carry nothing more', async () => {
  await campaign('end', s.practice, '--campaign', 'CTEST1', '--person', 'Jo Rivera');
  const m = await post(
    '/v1/messages',
    message({ template: 'reminder', variables: { day: '2026-03-03', time: '14:30' } }),
  );
  assert.deepEqual([m.status, codes(m)], [422, ['campaign_ended']]);
  const changes = (await events('practice.changed')).map((d) => d.change);
  assert.ok(changes.includes('campaign_added') && changes.includes('campaign_ended'));
});
