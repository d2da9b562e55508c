// A private PostgreSQL: own folder, unix socket only, durable settings, dies with the test run.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { binary, must, until } from './util.mjs';

const isRoot = process.getuid() === 0;

function postgresBin() {
  if (process.env.SMSBRIDGE_PG_BIN) return process.env.SMSBRIDGE_PG_BIN;
  const base = '/usr/lib/postgresql';
  const versions = fs.readdirSync(base).filter((v) => fs.existsSync(path.join(base, v, 'bin/initdb')));
  versions.sort((a, b) => Number(b) - Number(a));
  if (!versions.length) throw new Error('no PostgreSQL server is installed');
  return path.join(base, versions[0], 'bin');
}

// Runs as an ordinary user, and ends when this process does.
function wrapped(file, args) {
  const as = isRoot ? ['--reuid', 'postgres', '--regid', 'postgres', '--clear-groups'] : [];
  return ['setpriv', [...as, '--pdeathsig', 'INT', file, ...args]];
}

export class Cluster {
  /** settings: lines for postgresql.conf. */
  static async start({ settings } = {}) {
    const c = new Cluster();
    c.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'smsbb-pg-'));
    process.once('exit', () => fs.rmSync(c.dir, { recursive: true, force: true }));
    c.bin = postgresBin();
    c.databases = 0;
    c.clients = new Set();
    try {
      if (isRoot) await must('chown', ['postgres:', c.dir]);
      const [file, args] = wrapped(path.join(c.bin, 'initdb'), [
        '-N',
        '-A',
        'trust',
        '-U',
        'postgres',
        '--locale=C.UTF-8',
        '-E',
        'UTF8',
        '-D',
        path.join(c.dir, 'data'),
      ]);
      await must(file, args);
      c.settings = settings;
      if (settings) fs.appendFileSync(path.join(c.dir, 'data/postgresql.conf'), settings);
      await c.launch();
      await c.sql('CREATE ROLE smsbridge_owner LOGIN CREATEROLE');
      await c.sql('CREATE DATABASE template_smsbridge OWNER smsbridge_owner');
      await must(binary, ['migrate', '--database', c.conninfo('template_smsbridge', 'smsbridge_owner')]);
    } catch (error) {
      await c.stop();
      throw error;
    }
    return c;
  }

  async launch() {
    const [file, args] = wrapped(path.join(this.bin, 'postgres'), [
      '-D',
      path.join(this.dir, 'data'),
      '-c',
      'listen_addresses=',
      '-c',
      `unix_socket_directories=${this.dir}`,
      '-c',
      'jit=off',
      '-c',
      'max_connections=120',
      '-c',
      'shared_buffers=64MB',
      // it is killed, the machine is not
      '-c',
      'fsync=off',
      '-c',
      'full_page_writes=off',
      '-c',
      `log_min_messages=${this.settings ? 'warning' : 'fatal'}`,
    ]);
    this.log = '';
    this.child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr.on('data', (d) => {
      this.log += d;
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', resolve);
    });
    await until(
      () => this.sql('SELECT 1'),
      () => `PostgreSQL answers: ${this.log}`,
      30000,
      50,
    );
  }

  /** mode: 'fast' or 'immediate'. */
  async halt(mode = 'fast') {
    this.child.kill(mode === 'immediate' ? 'SIGQUIT' : 'SIGINT');
    await this.ended;
  }

  async restart(mode = 'fast') {
    await this.halt(mode);
    await this.launch();
  }

  conninfo(database, user) {
    return `host=${this.dir} user=${user} dbname=${database}`;
  }

  client(database, user = 'postgres') {
    const client = new pg.Client({ host: this.dir, user, database, port: 5432 });
    client.on('error', () => {});
    this.clients.add(client);
    return client;
  }

  async sql(text, params, database = 'postgres', user = 'postgres') {
    const client = this.client(database, user);
    try {
      await client.connect();
      return (await client.query(text, params)).rows;
    } finally {
      this.clients.delete(client);
      await client.end().catch(() => {});
    }
  }

  /** A fresh migrated database. */
  async database() {
    const name = `t${++this.databases}`;
    await this.sql(`CREATE DATABASE ${name} TEMPLATE template_smsbridge OWNER smsbridge_owner`);
    return new Database(this, name);
  }

  async stop() {
    for (const client of this.clients) await client.end().catch(() => {});
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGQUIT');
      await this.ended;
    }
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

class Database {
  constructor(cluster, name) {
    this.cluster = cluster;
    this.name = name;
    this.owner = cluster.conninfo(name, 'smsbridge_owner');
    this.app = cluster.conninfo(name, 'smsbridge_app');
  }

  /** As the superuser, over a kept connection that is made anew when the server was restarted. */
  async sql(text, params) {
    for (let tries = 0; ; tries++) {
      if (!this.kept) {
        this.kept = this.cluster.client(this.name);
        await this.kept.connect();
      }
      try {
        return (await this.kept.query(text, params)).rows;
      } catch (error) {
        if ((error.severity && !/^(57P|08)/.test(error.code)) || tries) throw error;
        this.cluster.clients.delete(this.kept);
        this.kept.end().catch(() => {});
        this.kept = null;
      }
    }
  }

  /** Closes the kept connection, so that the database can be copied. */
  async leave() {
    const { kept } = this;
    this.kept = null;
    this.cluster.clients.delete(kept);
    await kept?.end();
  }

  /** A connection of the test's own, for locks. */
  async connect() {
    const client = this.cluster.client(this.name);
    await client.connect();
    return client;
  }

  async message(id) {
    return (await this.sql('SELECT * FROM smsbridge.message WHERE id = $1', [id]))[0];
  }

  async events(id) {
    return await this.sql('SELECT * FROM smsbridge.event WHERE message_id = $1 ORDER BY xact, id', [id]);
  }
}
