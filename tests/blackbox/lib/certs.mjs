// Certificates that openssl makes: an authority and what it vouches for.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { must } from './util.mjs';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class Authority {
  /** An authority with a folder of its own. */
  static async make(name) {
    const a = new Authority();
    a.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-ca-'));
    process.once('exit', () => fs.rmSync(a.dir, { recursive: true, force: true }));
    a.file = path.join(a.dir, 'ca.pem');
    a.key = path.join(a.dir, 'ca.key');
    a.count = 0;
    await must('openssl', ['req', '-x509', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', a.key, '-out', a.file]);
    a.pem = fs.readFileSync(a.file);
    return a;
  }

  /** {cert, key} as paths, pem as both texts, fingerprint; san like "DNS:localhost,IP:127.0.0.1". */
  async issue(name, { san = `DNS:${name}`, days = 90 } = {}) {
    const at = (end) => path.join(this.dir, `${this.count}.${end}`);
    this.count++;
    const made = { cert: at('pem'), key: at('key') };
    fs.writeFileSync(at('ext'), `subjectAltName=${san}\n`);
    await must('openssl', ['req', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', made.key, '-out', at('csr')]);
    await must('openssl', [
      ...['x509', '-req', '-in', at('csr'), '-CA', this.file, '-CAkey', this.key, '-CAcreateserial'],
      ...['-days', String(days), '-extfile', at('ext'), '-out', made.cert],
    ]);
    made.pem = { cert: fs.readFileSync(made.cert), key: fs.readFileSync(made.key) };
    const { fingerprint256, validTo } = new crypto.X509Certificate(made.pem.cert);
    return Object.assign(made, { fingerprint: fingerprint256, ends: Date.parse(validTo) / 1000 });
  }
}
