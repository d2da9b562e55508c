// Peer: npm smpp 0.5.1.
//   npm-smpp.mjs server   |   npm-smpp.mjs outbind PORT SYSTEM_ID PASSWORD
//   npm-smpp.mjs client PORT SYSTEM_ID PASSWORD KIND VERSION
import smpp from 'smpp';
import { obey, stamp, tell } from './talk.mjs';

const text = (pdu) => pdu.short_message?.message?.toString() || pdu.message_payload?.message?.toString() || '';
const shown = (pdu) => ({
  from: pdu.source_addr,
  to: pdu.destination_addr,
  text: text(pdu),
  esm_class: pdu.esm_class,
  data_coding: pdu.data_coding,
  registered_delivery: pdu.registered_delivery,
});

/** A message centre: what it does on each connection, and what it can be told to do. */
function centre() {
  const submits = [];
  let receiver; // takes deliveries
  let prober;
  const serve = (s) => {
    s.on('error', (error) => tell('error', { text: error.message }));
    s.on('close', () => tell('closed'));
    s.on('pdu', (pdu) => {
      if (!/^bind_/.test(pdu.command) || pdu.isResponse()) return;
      const { command, system_id, password, interface_version } = pdu;
      if (command !== 'bind_transmitter') receiver = s;
      prober = s;
      s.send(pdu.response({ system_id: 'npm-smpp' }));
      tell('bind', { command, system_id, password, interface_version });
    });
    s.on('enquire_link', (pdu) => s.send(pdu.response()));
    s.on('unbind', (pdu) => {
      tell('unbind');
      s.send(pdu.response(), () => s.close());
    });
    for (const command of ['submit_sm', 'data_sm'])
      s.on(command, (pdu) => {
        const id = (0x4a00 + submits.length).toString(16);
        submits.push({ id, pdu });
        s.send(pdu.response({ message_id: id }));
        tell('submit', { ...shown(pdu), id, command });
      });
  };
  const deliver = (fields, event) =>
    receiver.deliver_sm(fields, (answer) => tell(event, { status: answer.command_status }));
  obey({
    receipt({ n = 0, stat = 'DELIVRD' }) {
      const { id, pdu } = submits[n];
      const body = `id:${id} sub:001 dlvrd:001 submit date:${stamp()} done date:${stamp()} stat:${stat} err:000 text:`;
      deliver(
        { esm_class: 4, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, short_message: body },
        'receipt',
      );
    },
    mo({ from, to, text: body }) {
      deliver({ source_addr: from, destination_addr: to, short_message: body }, 'mo');
    },
    alert: ({ from, to }) =>
      receiver.send(new smpp.PDU('alert_notification', { source_addr: from, esme_addr: to }), null, () =>
        tell('alerted'),
      ),
    enquire: () => prober.enquire_link((answer) => tell('enquired', { status: answer.command_status })),
  });
  return serve;
}

function server() {
  const listener = smpp.createServer(centre());
  listener.listen(0, '127.0.0.1', () => tell('listening', { port: listener.address().port }));
}

function outbind(port, system_id, password) {
  const serve = centre();
  const session = smpp.connect({ host: '127.0.0.1', port: Number(port) }, () => {
    session.send(new smpp.PDU('outbind', { system_id, password }));
  });
  serve(session);
}

function client(port, system_id, password, kind, version) {
  const session = smpp.connect({ host: '127.0.0.1', port: Number(port) }, () => {
    const bind = { system_id, password, interface_version: Number(version) };
    session[`bind_${kind}`](bind, (pdu) =>
      tell('bound', {
        status: pdu.command_status,
        system_id: pdu.system_id,
        version: pdu.sc_interface_version,
      }),
    );
  });
  session.on('error', (error) => tell('error', { text: error.message }));
  session.on('close', () => tell('closed'));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  for (const command of ['deliver_sm', 'data_sm'])
    session.on(command, (pdu) => {
      session.send(pdu.response());
      tell('deliver', { command, ...shown(pdu), receipted: pdu.receipted_message_id });
    });
  session.on('unbind', (pdu) => {
    tell('unbind');
    session.send(pdu.response(), () => session.close());
  });
  const answered = (pdu) => tell('submitted', { status: pdu.command_status, id: pdu.message_id });
  obey({
    submit: ({ from, to, text: body, dlr }) =>
      session.submit_sm(
        { source_addr: from, destination_addr: to, short_message: body, registered_delivery: dlr ? 1 : 0 },
        answered,
      ),
    data: ({ from, to, text: body }) =>
      session.data_sm({ source_addr: from, destination_addr: to, message_payload: body }, answered),
    enquire: () => session.enquire_link((answer) => tell('enquired', { status: answer.command_status })),
    unbind: () =>
      session.unbind((answer) => {
        tell('unbound', { status: answer.command_status });
        session.close();
      }),
  });
}

const [role, ...more] = process.argv.slice(2);
if (role === 'server') server();
else if (role === 'outbind') outbind(...more);
else client(...more);
