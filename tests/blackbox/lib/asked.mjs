// A carrier that is asked about what it has: query_sm, cancel_sm, replace_sm, and submit_multi. npm smpp plays it.
import { frames } from './tap.mjs';
import { until } from './util.mjs';

/**
 * How to give to setup as carrier: {onBind, asked}. answers: {query_sm(pdu, list): fields of the answer, {drop} or
 * 'silent', ...}; what has no row is answered with status 0. asked(command) lists what came: {command, pdu, session}, its PDU as
 * octets(one).
 */
export function askable(answers = {}, more = {}) {
  const list = [];
  const serve = (session, command) =>
    session.on(command, (pdu) => {
      list.push({ at: Date.now(), command, pdu, session });
      const act = answers[command]?.(pdu, list) ?? {};
      if (act === 'silent') return;
      if (act.drop) session.destroy();
      else session.send(pdu.response(act));
    });
  const asked = (command) => list.filter((a) => !command || a.command === command);
  return {
    ...more,
    list,
    asked,
    octets: ({ pdu, session }) =>
      frames(Buffer.concat(session.heard)).pdus.find((o) => o.readUInt32BE(12) === pdu.sequence_number),
    onBind: (pdu, session) => {
      session.heard = []; // begins behind the bind
      session.socket.on('data', (d) => session.heard.push(d));
      for (const command of ['query_sm', 'cancel_sm', 'replace_sm', 'submit_multi']) serve(session, command);
      return 0;
    },
    /** Waits for the nth question (from 1). */
    got: (command, n = 1, ms = 20000) =>
      until(
        () => asked(command)[n - 1],
        () => `${command} ${n} comes; there were ${list.map((a) => a.command).join(' ')}`,
        ms,
      ),
  };
}
