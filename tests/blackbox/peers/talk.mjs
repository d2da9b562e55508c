// How a peer program talks with its test: one JSON object a line, events out, commands in.
import readline from 'node:readline';

export const tell = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);

/** acts: {name: function(command)}; the peer ends when the test lets go of its input. */
export function obey(acts) {
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const command = JSON.parse(line);
    acts[command.do](command);
  });
  lines.on('close', () => process.exit(0));
}

const two = (n) => String(n).padStart(2, '0');

/** YYMMDDhhmm */
export function stamp(at = new Date()) {
  return [at.getFullYear() % 100, at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes()].map(two).join('');
}
