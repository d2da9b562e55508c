// The gateway as message centre: it listens, and carriers or aggregators bind to it (connect: accept).
import fs from 'node:fs';
import path from 'node:path';
import { keepSecret } from './privacy.mjs';
import { binary, must, until } from './util.mjs';
import { atEnd, setup } from './world.mjs';
import { Tap } from './tap.mjs';

const hashes = new Map();

/** The line of `smsbridge password`, once for each password: it is slow by design. */
async function hashOf(password) {
  if (!hashes.has(password)) hashes.set(password, (await must(binary, ['password'], { input: password })).stdout);
  return hashes.get(password);
}

/** An account for the configuration of a gateway. bindPassword: ours, for one that says outbind. */
export async function account(
  gateway,
  { name = 'centre', system_id = 'peer', password = 'pw-of-p1', bindPassword, ...more } = {},
) {
  const file = path.join(gateway.dir, `hash-${name}`);
  fs.writeFileSync(file, await hashOf(password), { mode: 0o600 });
  keepSecret(password);
  if (bindPassword) {
    more.password_file = path.join(gateway.dir, `password-${name}`);
    fs.writeFileSync(more.password_file, bindPassword, { mode: 0o600 });
    keepSecret(bindPassword);
    more.links ??= 1;
  }
  return { name, connect: 'accept', system_id, password_hash_file: file, links: 4, ...more };
}

/**
 * A gateway that listens for binds, with a tap on the line (s.tap; port: s.tap.port, without: s.smppPort). accounts: of the
 * carriers that bind to it; rows(gateway): further carriers; config: the rest.
 */
export async function centre(t, { accounts = [{}], rows, smpp = {}, config = {}, ...options } = {}) {
  const s = await setup(t, {
    ...options,
    start: false,
    config: { ...config, smpp: { listen: '127.0.0.1:0', ...smpp } },
  });
  s.gateway.config.carriers = [];
  for (const one of accounts) s.gateway.config.carriers.push(await account(s.gateway, one));
  s.gateway.config.carriers.push(...((await rows?.(s.gateway)) ?? []));
  await s.gateway.start();
  const line = await until(() => s.gateway.line('smpp_listening'), 'it listens');
  s.smppPort = Number((line.listen || line.peer).split(':').pop());
  s.tap = await new Tap({ port: s.smppPort }).start();
  atEnd(t, () => s.tap.stop());
  return s;
}
