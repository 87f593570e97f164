// As much of Redis's protocol as measuring it takes.

import { once } from 'node:events';
import { connect } from 'node:net';

/** A command as it is sent. */
export const command = (...words) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`).join('')}`;

export class Client {
  #socket;
  #heard = '';
  #waiting = null;
  #markers = 0;

  static async open(url) {
    const client = new Client();
    const { hostname, port } = new URL(url);
    client.#socket = connect(Number(port), hostname).setNoDelay().setEncoding('latin1');
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
