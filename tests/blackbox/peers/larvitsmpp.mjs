// Peer: npm larvitsmpp 0.4.0.   larvitsmpp.mjs server   |   larvitsmpp.mjs client PORT SYSTEM_ID PASSWORD
// A program of its own because it spins for ever on a command_length of 0.
import net from 'node:net';
import { createRequire } from 'node:module';
import { obey, tell } from './talk.mjs';

const larvitsmpp = createRequire(import.meta.url)('larvitsmpp');
const quiet = () => {};
const log = { silly: quiet, debug: quiet, verbose: quiet, info: quiet, warn: quiet, error: quiet };

/** It tells nobody which port it took. */
function portOf(start) {
  const make = net.createServer;
  net.createServer = (...args) => {
    const server = make(...args);
    server.on('listening', () => tell('listening', { port: server.address().port }));
    return server;
  };
  start();
  net.createServer = make;
}

function server() {
  const texts = [];
  let session;
  const accept = (error, s) => {
    if (error) throw error;
    session = s;
    s.on('close', () => tell('closed'));
    s.on('incomingPduObj', (pdu) => {
      const { system_id, password, interface_version } = pdu.params;
      if (/^bind_/.test(pdu.cmdName)) tell('bind', { command: pdu.cmdName, system_id, password, interface_version });
      if (pdu.cmdName === 'unbind') tell('unbind');
    });
    s.on('sms', (sms) => {
      const { params } = sms.pduObjs[0].pduObj;
      texts.push(sms);
      sms.sendResp('ESME_ROK');
      tell('submit', {
        from: sms.from,
        to: sms.to,
        text: sms.message,
        id: sms.smsId,
        esm_class: params.esm_class,
        data_coding: params.data_coding,
        registered_delivery: params.registered_delivery,
      });
    });
  };
  const checkuserpass = (id, password, cb) => cb(null, true);
  portOf(() => larvitsmpp.server({ port: 0, host: '127.0.0.1', log, checkuserpass }, accept));
  const answer = (event) => (error, pdu) => tell(event, { status: error ? error.message : pdu.cmdStatus });
  obey({
    receipt: ({ n = 0, stat = 'DELIVERED' }) => texts[n].sendDlr(stat, answer('receipt')),
    mo: ({ from, to, text }) =>
      session.send(
        { cmdName: 'deliver_sm', params: { source_addr: from, destination_addr: to, short_message: text } },
        answer('mo'),
      ),
    enquire: () => session.send({ cmdName: 'enquire_link' }, answer('enquired')),
  });
}

function client(port, username, password) {
  larvitsmpp.client({ host: '127.0.0.1', port: Number(port), username, password, log }, (error, session) => {
    if (error) {
      tell('bound', { status: error.message });
      return;
    }
    tell('bound', { status: 0 });
    session.on('close', () => tell('closed'));
    session.on('dlr', (dlr, pdu) =>
      tell('deliver', { text: pdu.params.short_message, receipted: dlr.smsId, esm_class: pdu.params.esm_class }),
    );
    session.on('incomingPduObj', (pdu) => {
      const p = pdu.params;
      if (pdu.cmdName === 'deliver_sm' && !pdu.tlvs.receipted_message_id)
        tell('deliver', { from: p.source_addr, to: p.destination_addr, text: p.short_message, esm_class: p.esm_class });
    });
    obey({
      submit: ({ from, to, text, dlr }) =>
        session.sendSms({ from, to, message: text, dlr }, (wrong, id, pdu) =>
          tell('submitted', { status: wrong ? wrong.message : [pdu].flat()[0].cmdStatus, id: [id].flat()[0] }),
        ),
      enquire: () =>
        session.send({ cmdName: 'enquire_link' }, (wrong, pdu) => tell('enquired', { status: pdu.cmdStatus })),
      unbind: () =>
        session.send({ cmdName: 'unbind' }, true, (wrong, pdu) => tell('unbound', { status: pdu.cmdStatus })),
    });
  });
}

const [role, ...more] = process.argv.slice(2);
if (role === 'server') server();
else client(...more);
