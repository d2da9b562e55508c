// What of the contract the tests saw: node summary.mjs DIR, where DIR/*.tsv has lines of method, path and status
// (tests/blackbox/lib/prism.mjs). An answer that is not declared fails; what never happened is named.
import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const dir = process.argv[2];
const document = parse(fs.readFileSync(new URL('../../proto/openapi.yaml', import.meta.url), 'utf8'));
const methods = ['get', 'post', 'put', 'patch', 'delete'];
// What `default` stands for: what HTTP itself is refused with, other addresses, other methods.
const http = ['400', '404', '405', '408', '413', '414', '417', '431', '501', '505'];

const operations = [];
for (const [template, item] of Object.entries(document.paths))
  for (const method of methods)
    if (item[method]) {
      const shape = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+');
      operations.push({
        id: item[method].operationId,
        method: method.toUpperCase(),
        path: new RegExp(`^${shape}$`),
        literal: !template.includes('{'),
        declared: Object.keys(item[method].responses).filter((s) => s !== 'default'),
        rest: item[method].responses.default ? http : [],
        seen: new Map(),
      });
    }
operations.sort((a, b) => b.literal - a.literal);

let answers = 0;
let elsewhere = 0;
const undeclared = new Map();
for (const name of fs.readdirSync(dir).filter((f) => f.endsWith('.tsv')))
  for (const line of fs.readFileSync(path.join(dir, name), 'utf8').split('\n').filter(Boolean)) {
    const [method, target, status] = line.split('\t');
    const op = operations.find(
      (o) => (o.method === method || (method === 'HEAD' && o.method === 'GET')) && o.path.test(target),
    );
    answers += 1;
    if (!op) elsewhere += 1;
    else if (op.declared.includes(status)) op.seen.set(status, (op.seen.get(status) ?? 0) + 1);
    else if (!op.rest.includes(status))
      undeclared.set(`${op.id} ${status}`, (undeclared.get(`${op.id} ${status}`) ?? 0) + 1);
  }

const declared = operations.reduce((n, op) => n + op.declared.length, 0);
const seen = operations.reduce((n, op) => n + op.seen.size, 0);
const silent = operations.filter((op) => !op.seen.size).map((op) => op.id);
console.log(
  `contract: ${answers} answers, ${elsewhere} of them at no address of the contract; ` +
    `${operations.length - silent.length} of ${operations.length} operations, ${seen} of ${declared} answers seen`,
);
const never = new Map();
for (const op of operations)
  for (const status of op.declared) if (!op.seen.has(status)) never.set(status, [...(never.get(status) ?? []), op.id]);
for (const [status, ids] of [...never].sort())
  console.log(`never seen ${status}: ${ids.length > 12 ? `${ids.length} operations` : ids.join(' ')}`);
for (const [pair, times] of undeclared) console.log(`NOT DECLARED: ${pair} (${times} times)`);
if (silent.length) console.log(`SILENT: ${silent.join(' ')}`);
process.exitCode = undeclared.size ? 1 : 0;
