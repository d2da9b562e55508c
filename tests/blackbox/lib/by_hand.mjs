// A gateway whose carrier is played by hand, and the questions that trap tests ask about it.
import assert from 'node:assert/strict';
import { RawCarrier } from './wire.mjs';
import { until } from './util.mjs';
import { atEnd, setup } from './world.mjs';

/** on(pdu, session): true when it has dealt with the PDU itself. The rest as setup. */
export async function byHand(t, { on, ...options } = {}) {
  const s = await setup(t, { ...options, start: false });
  s.raw = await new RawCarrier(on).start();
  atEnd(t, () => s.raw.stop());
  s.gateway.config.carriers[0].port = s.raw.port;
  if (options.start ?? true) {
    await s.gateway.start();
    if (options.bind ?? true) await s.raw.bound();
  }
  return s;
}

export const becomes = (s, id, wanted, ms) =>
  until(
    async () => {
      const m = await s.db.message(id);
      return m.status === wanted && m;
    },
    async () => `${wanted}, is ${JSON.stringify(await s.db.message(id))}`,
    ms,
  );

/** A reminder that the carrier took: {id, draft, submit}. */
export async function sent(s, fields) {
  const m = await s.api.accepted(fields);
  const submit = await s.raw.submitted(m.draft);
  await becomes(s, m.id, 'sent');
  return Object.assign(m, { submit });
}

/** The link is up and carries a reminder, now. */
export async function works(s) {
  const m = await s.api.accepted();
  await s.raw.submitted(m.draft);
  await becomes(s, m.id, 'sent');
  assert.equal(s.raw.submits().filter((x) => x.text === m.draft.body).length, 1);
}
