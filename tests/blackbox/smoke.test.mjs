import test from 'node:test';
import assert from 'node:assert/strict';
import { setup, world } from './lib/world.mjs';
import { until } from './lib/util.mjs';
world();
test('smoke', async (t) => {
  const s = await setup(t, { hooks: null, carrier: { onSubmit: () => ({ receipt: true }) } });
  const m = await s.api.accepted();
  console.log(m.text);
  const sub = await s.carrier.got(m.draft);
  await until(async () => (await s.api.message(m.id)).status === 'delivered', 'delivered');
  console.log(JSON.stringify(await s.api.message(m.id), null, 1));
  await s.hooks.got('message.delivered');
  console.log(s.hooks.hooks.map(h => h.text + ' ' + h.error));
  console.log((await s.gateway.stop()));
  console.log(s.gateway.log);
});
