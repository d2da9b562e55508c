// The contract (openapi.json) as data: its operations, what their requests may be (fast-check arbitraries made of the
// schemas), what is slightly wrong about a request, and whether an answer is one that the contract declares.
import Ajv2020 from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { nextPatient, phoneAt } from './util.mjs';

const methods = ['get', 'post', 'put', 'patch', 'delete'];
const escape = (key) => key.replaceAll('~', '~0').replaceAll('/', '~1');

export class Contract {
  constructor(document) {
    this.document = document;
    this.ajv = new Ajv2020.default({ strict: false, allErrors: false, validateFormats: true });
    formats.default(this.ajv);
    this.ajv.addSchema({ $id: 'contract', ...document });
    this.compiled = new Map();
    this.seen = new Map(); // "operation status" -> times
    this.operations = [];
    for (const [path, item] of Object.entries(document.paths))
      for (const method of methods) if (item[method]) this.operations.push(new Operation(this, path, method, item));
  }

  /** What stands at a JSON pointer ("#/a/b"), references followed; {pointer, value}. */
  at(pointer) {
    let value = this.document;
    let where = '#';
    for (const key of pointer.slice(2).split('/')) {
      const name = decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~');
      value = value?.[name];
      where += `/${key}`;
      if (value?.$ref) {
        where = value.$ref;
        value = this.at(where).value;
      }
    }
    return { pointer: where, value };
  }

  /** A judge of what the schema at a pointer takes: (value) => null or a sentence. */
  judge(pointer) {
    if (!this.compiled.has(pointer))
      this.compiled.set(pointer, this.ajv.compile({ $ref: `contract${encodeURI(pointer)}` }));
    const valid = this.compiled.get(pointer);
    return (value) => (valid(value) ? null : this.ajv.errorsText(valid.errors));
  }

  /** Operations and answers that were seen, and those that never were. */
  summary() {
    const never = [];
    let declared = 0;
    for (const op of this.operations)
      for (const status of op.statuses) {
        declared += 1;
        if (!this.seen.has(`${op.id} ${status}`)) never.push(`${op.id} ${status}`);
      }
    const requests = [...this.seen.values()].reduce((a, b) => a + b, 0);
    return { operations: this.operations.length, declared, requests, pairs: this.seen.size, never };
  }
}

export class Operation {
  constructor(contract, path, method, item) {
    const own = item[method];
    this.contract = contract;
    this.id = own.operationId;
    this.path = path;
    this.method = method.toUpperCase();
    this.pointer = `#/paths/${escape(path)}/${method}`;
    this.open = own.security?.some((s) => !Object.keys(s).length) || own.security?.length === 0;
    this.statuses = Object.keys(own.responses).filter((status) => status !== 'default');
    this.parameters = [...(item.parameters ?? []), ...(own.parameters ?? [])].map((p) =>
      p.$ref ? contract.at(p.$ref).value : p,
    );
    const content = own.requestBody?.content ?? {};
    this.hasBody = own.requestBody !== undefined;
    this.type = Object.keys(content).find((t) => /json$/.test(t) && !/ndjson/.test(t)) ?? Object.keys(content)[0];
    const media = content[this.type];
    this.bodySchema = media && `${this.pointer}/requestBody/content/${escape(this.type)}/schema`;
    this.examples = [media?.example, ...Object.values(media?.examples ?? {}).map((e) => e.value)].filter(
      (e) => e !== undefined,
    );
    this.keyed = this.parameters.some((p) => p.name === 'Idempotency-Key');
  }

  query() {
    return this.parameters.filter((p) => p.in === 'query');
  }

  /** Null, or why the answer is none that the contract declares for this operation. */
  refuses(answer) {
    const { seen, judge } = { seen: this.contract.seen, judge: (p) => this.contract.judge(p) };
    const key = `${this.id} ${answer.status}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    if (answer.status >= 500) return `status ${answer.status}: ${answer.text}`;
    if (!this.statuses.includes(String(answer.status)))
      return `status ${answer.status} is not declared: ${answer.text}`;
    const { pointer, value } = this.contract.at(`${this.pointer}/responses/${answer.status}`);
    const type = (answer.headers['content-type'] ?? '').split(';')[0];
    if (!value.content) return answer.text ? `a body where none is declared: ${answer.text}` : null;
    // Where the contract says so a refusal has another form: readiness, RFC 6749's tokens.
    const problem = Object.keys(value.content).includes('application/problem+json');
    if (answer.status >= 400 && problem && type !== 'application/problem+json') return `a problem is ${type}`;
    const declared = Object.keys(value.content).find((t) => t.split(';')[0] === type);
    if (!declared) return `${type} is not declared for ${answer.status}`;
    if (!/json$/.test(type) || /ndjson/.test(type)) return null;
    const fault = judge(`${pointer}/content/${escape(declared)}/schema`)(answer.json);
    return fault && `the body of ${answer.status} is not as declared: ${fault}: ${answer.text.slice(0, 600)}`;
  }
}

// --- requests as they should be ----------------------------------------------------------------------------------

// What the schema cannot say: numbers kept for fiction, people, times near the rule clock.
const phones = fc.nat(1699).map(phoneAt);
const instants = fc.integer({ min: -40 * 24, max: 40 * 24 }).map((hours) => {
  return new Date(Date.parse('2026-03-02T17:00:00Z') + hours * 3600000).toISOString();
});
const days = instants.map((at) => at.slice(0, 10));
const words = fc.constantFrom('Visit', 'tomorrow', 'at 9:30.', 'Reply STOP to end.', 'cita', 'ñ', '€', '\n', 'x');
const prose = (max) =>
  fc
    .array(words, { minLength: 1, maxLength: 12 })
    .map((parts) => parts.join(' ').slice(0, max).trim() || 'Visit')
    .filter((text) => [...text].length <= max);
const hints = {
  phone: phones,
  patient: fc.constant(0).map(() => nextPatient()),
  to: undefined,
};

function strings(schema, name) {
  const min = schema.minLength ?? 0;
  const max = schema.maxLength ?? 60;
  if (schema.format === 'uuid') return fc.uuid({ version: 7 });
  if (schema.format === 'date-time') return instants;
  if (schema.format === 'date') return days;
  if (schema.format === 'uri' || schema.format === 'url') return fc.nat(99).map((n) => `https://hooks-${n}.example/in`);
  if (hints[name] && !schema.enum) return hints[name];
  if (schema.pattern) {
    const longest = schema.maxLength ?? 400;
    return fc
      .stringMatching(new RegExp(schema.pattern, 'u'), { maxLength: Math.min(longest, 400) })
      .filter((text) => text.length >= min && text.length <= longest);
  }
  return fc.oneof(
    prose(Math.max(1, max)).filter((text) => text.length >= min),
    fc.string({ unit: 'grapheme-ascii', minLength: Math.max(min, 1), maxLength: Math.max(min, Math.min(max, 40)) }),
  );
}

/** Values that the schema at a pointer takes (mostly: what only the handler knows, it may refuse with a problem). */
export function arbitrary(contract, pointer, name = '', depth = 0) {
  const { pointer: here, value: schema } = contract.at(pointer);
  const deeper = (key, as = name) => arbitrary(contract, `${here}/${key}`, as, depth + 1);
  if (schema === true || schema === undefined || depth > 12) return fc.constant('x');
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf && !schema.properties) return fc.oneof(...schema.anyOf.map((_, i) => deeper(`anyOf/${i}`)));
  if (schema.oneOf && !schema.properties) return fc.oneof(...schema.oneOf.map((_, i) => deeper(`oneOf/${i}`)));
  if (schema.allOf && !schema.properties)
    return fc.tuple(...schema.allOf.map((_, i) => deeper(`allOf/${i}`))).map((all) => Object.assign({}, ...all));
  const types = [schema.type ?? (schema.properties || schema.additionalProperties ? 'object' : 'string')].flat();
  return fc.oneof(...types.map((type) => ofType(contract, here, schema, type, name, depth)));
}

function ofType(contract, here, schema, type, name, depth) {
  const deeper = (key, as) => arbitrary(contract, `${here}/${key}`, as, depth + 1);
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({
        min: schema.minimum ?? 0,
        max: Math.min(schema.maximum ?? (schema.minimum ?? 0) + 1000, 2 ** 53),
      });
    case 'number':
      return fc.integer({ min: Math.ceil(schema.minimum ?? 0), max: Math.floor(schema.maximum ?? 1000) });
    case 'array':
      return fc.array(schema.items ? deeper('items', name) : fc.constant('x'), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 4, Math.max(schema.minItems ?? 0, 4)),
      });
    case 'object':
      return ofObject(schema, deeper);
    default:
      return strings(schema, name);
  }
}

function ofObject(schema, deeper) {
  const names = Object.keys(schema.properties ?? {});
  const members = Object.fromEntries(names.map((name) => [name, deeper(`properties/${escape(name)}`, name)]));
  const branches = (schema.anyOf ?? schema.oneOf ?? []).map((branch) => branch.required).filter(Boolean);
  const kinds = (branches.length ? branches : [[]]).map((more) => {
    const others = branches.flat().filter((name) => !more.includes(name));
    const kept = Object.fromEntries(Object.entries(members).filter(([name]) => !others.includes(name)));
    return fc.record(kept, {
      requiredKeys: [...new Set([...(schema.required ?? []), ...more])].filter((n) => kept[n]),
    });
  });
  const fixed = fc.oneof(...kinds);
  if (names.length || typeof schema.additionalProperties !== 'object') return fixed;
  const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/).filter((k) => !(k in Object.prototype));
  return fc.dictionary(key, deeper('additionalProperties', ''), { maxKeys: Math.min(schema.maxProperties ?? 4, 4) });
}

/** Bodies: the contract's examples, examples with one member drawn anew, and whole new ones. */
export function bodies(op) {
  const fresh = arbitrary(op.contract, op.bodySchema);
  const objects = op.examples.filter((e) => e && typeof e === 'object' && !Array.isArray(e));
  if (!objects.length) return fresh;
  const example = fc
    .constantFrom(...objects)
    .chain((value) =>
      fc.constant(0).map(() => ('patient' in value ? { ...value, patient: nextPatient() } : { ...value })),
    );
  const mixed = fc.tuple(example, fresh, fc.nat()).map(([base, other, n]) => {
    const names = other && typeof other === 'object' ? Object.keys(other) : [];
    const name = names[n % Math.max(names.length, 1)];
    return name === undefined ? base : { ...base, [name]: other[name] };
  });
  return fc.oneof({ arbitrary: example, weight: 3 }, { arbitrary: mixed, weight: 3 }, { arbitrary: fresh, weight: 3 });
}

// --- requests that are slightly wrong ----------------------------------------------------------------------------

const wrongValues = [
  null,
  true,
  0,
  -1,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e308,
  0.5,
  '',
  ' ',
  '\u0000',
  '\u0007bell',
  '\u0085',
  '\u202e',
  'x'.repeat(5000),
  '\u{1f600}'.repeat(400),
  "'; --",
  '{}',
  [],
  [[]],
  ['x'],
  [null],
  {},
  { a: { b: {} } },
];

/** Every place in a value, as a list of keys. */
function places(value, at = []) {
  if (value === null || typeof value !== 'object') return [at];
  return [at, ...Object.keys(value).flatMap((key) => places(value[key], [...at, key]))];
}

function changed(value, [key, ...rest], change) {
  if (key === undefined) return change(value);
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[key] = changed(copy[key], rest, change);
  if (copy[key] === undefined) delete copy[key];
  return copy;
}

/** A right body with one thing wrong: a member gone, one too many, another type, too long, controls, numbers' edges. */
export function wrongBodies(op) {
  const unknown = (v) => (v && typeof v === 'object' && !Array.isArray(v) ? { ...v, not_a_member: 1 } : { v });
  const change = fc.oneof(
    fc.constant(() => undefined),
    fc.constant(unknown),
    fc.constantFrom(...wrongValues).map((wrong) => () => wrong),
    fc.string({ unit: 'binary', maxLength: 30 }).map((text) => () => text),
    fc.constant((v) => (typeof v === 'string' ? `${v}\u0000` : typeof v === 'number' ? v + 1e9 : unknown(v))),
  );
  return fc
    .tuple(bodies(op), fc.nat(), change)
    .map(([body, n, how]) => {
      const all = places(body);
      return changed(body, all[n % all.length], how);
    })
    .filter((body) => body !== undefined);
}

/** The text of a query parameter as it should be, and as it should not. */
export const queryValue = (op, parameter) => {
  const i = op.contract.at(op.pointer).value.parameters?.findIndex((p) => {
    return (p.$ref ? op.contract.at(p.$ref).value : p).name === parameter.name;
  });
  return arbitrary(op.contract, `${op.pointer}/parameters/${i}/schema`, parameter.name).map(String);
};
export const wrongQueryValue = fc.oneof(
  fc.constantFrom('', '%00', '%', '%zz', '%ff', '0', '-1', '201', '99999999999999999999', 'x'.repeat(3000), '%0a', '+'),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => encodeURIComponent(text.toWellFormed?.() ?? 'x')),
);
