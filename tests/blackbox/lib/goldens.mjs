// The golden pages of tests/golden/smpp: octets and what is printed of them.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './util.mjs';

const folder = path.join(root, 'tests/golden/smpp');

/** [{file, title, flags, hex, page}] of every example; flags are the words behind ```hex. */
export function goldens() {
  const found = [];
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.md'))) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    const example = /^## (.*)\n+(?:[^`#][^]*?\n+)?```hex([^\n]*)\n([^`]*)```\n+```page\n([^]*?)^```$/gm;
    for (const [, title, flags, hex, page] of text.matchAll(example)) {
      found.push({ file, title, flags: flags.trim().split(' ').filter(Boolean), hex: hex.replace(/\s/g, ''), page });
    }
  }
  if (found.length < 100) throw new Error(`only ${found.length} golden examples were found`);
  return found;
}

/** A small generator (splitmix32) whose seed is told: SEED=n repeats a run. */
export function seeded(test) {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  console.log(`# ${test}: SEED=${seed}`);
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % below;
  };
}
