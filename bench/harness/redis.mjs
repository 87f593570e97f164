// A redis-server of a benchmark's own, and as much of its protocol as measuring it takes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { required } from '../../scripts/browsers.mjs';

/** Does `work` with the path of the socket of a server that keeps nothing. */
export async function withRedis(work) {
  const program = required('REDIS_SERVER');
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-redis-'));
  const path = join(folder, 'socket');
  const args = ['--port', '0', '--unixsocket', path, '--save', '', '--maxclients', '1000', '--io-threads', '1'];
  const redis = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(redis, 'exit');
  try {
    await ready(redis);
    return await work(path);
  } finally {
    redis.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

function ready(redis) {
  return new Promise((resolve, reject) => {
    let log = '';
    redis.stdout.on('data', (text) => {
      log += text;
      if (log.includes('eady to accept connections')) resolve();
    });
    redis.once('exit', () => reject(new Error(`redis-server ended:\n${log}`)));
  });
}

/** A command as it is sent. */
export const command = (...words) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`).join('')}`;

export class Client {
  #socket;
  #heard = '';
  #waiting = null;
  #markers = 0;

  static async open(path) {
    const client = new Client();
    client.#socket = connect(path).setEncoding('latin1');
    client.#socket.on('data', (text) => client.#hear(text));
    await once(client.#socket, 'connect');
    return client;
  }

  /** Sends commands at once and waits for the last reply. Returns all of them as they came. */
  async send(commands) {
    const marker = `end-of-replies-${this.#markers++}`;
    this.#heard = '';
    const replies = new Promise((resolve) => (this.#waiting = { marker, resolve }));
    this.#socket.write(commands + command('PING', marker));
    const text = await replies;
    const error = text.match(/^-.*$/m);
    if (error) throw new Error(error[0]);
    return text;
  }

  /** From now on reads what comes, and forgets it. */
  listen() {
    this.#waiting = null;
    this.#socket.removeAllListeners('data').resume();
  }

  close() {
    this.#socket.destroy();
  }

  /** A figure of INFO. */
  async info(...names) {
    const text = await this.send(command('INFO', 'everything'));
    return names.map((name) => Number(text.match(new RegExp(`^${name}:([\\d.]+)`, 'm'))[1]));
  }

  #hear(text) {
    if (!this.#waiting) return;
    this.#heard += text;
    // It may have come in two parts.
    if (!this.#heard.endsWith(`${this.#waiting.marker}\r\n`) && !this.#heard.includes(this.#waiting.marker)) return;
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(this.#heard);
  }
}
