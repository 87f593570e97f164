// The real server: its binary, on a port of its own, with a database of its own.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, serverBinary } from '../../scripts/shell.mjs';
import { inTime } from './event.mjs';

const binary = process.env.ROLLCALL_SERVER ?? serverBinary;

const SECRET = 'a-secret-for-tests-only-0123456789';

/** Starts a program that says where it serves; resolves once it does. */
export async function serving(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const program = { child, log: '' };
  program.ended = new Promise((resolve) => child.once('close', (status, signal) => resolve({ status, signal })));
  program.url = await inTime(
    new Promise((resolve, reject) => {
      const listen = (chunk) => {
        program.log += chunk;
        if (process.env.ROLLCALL_TEST_LOG) process.stderr.write(chunk);
        const line = program.log.match(/^Rollcall is running at (http:\/\/\S+)$/m);
        if (line) resolve(line[1]);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('error', reject);
      program.ended.then(({ status, signal }) =>
        reject(new Error(`${command} ended (${signal ?? `exit ${status}`}) before it served:\n${program.log}`)),
      );
    }),
    `${command} starting`,
    options.deadline ?? 60_000,
  ).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  return program;
}

export class Server {
  secret = SECRET;
  #folder;
  #flags;
  #program;
  #listen = '127.0.0.1:0';

  constructor(key) {
    this.key = key;
  }

  /**
   * @param {object} options
   * @param {string} [options.grace] `--offline-grace` and `--page-grace`: short where a test waits for its end, long where it must not matter.
   * @param {string} [options.key] The API key.
   * @param {string[]} [options.flags] Further flags.
   */
  static async start({ grace = '5s', key = 'test-key', flags = [] } = {}) {
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run \`cargo build -p rollcall-server\``);
    const server = new Server(key);
    server.#folder = await mkdtemp(join(tmpdir(), 'rollcall-test-'));
    server.#flags = ['--offline-grace', grace, '--page-grace', grace, ...flags];
    await server.start();
    return server;
  }

  /** Starts it again, on the same port and database, after `stop` or `kill`. */
  async start() {
    const database = `sqlite://${join(this.#folder, 'test.db')}`;
    const keys = ['--api-key', this.key, '--api-secret', this.secret];
    this.#program = await serving(binary, ['--listen', this.#listen, '--database', database, ...keys, ...this.#flags]);
    this.url = this.#program.url;
    this.#listen = `127.0.0.1:${new URL(this.url).port}`;
  }

  /** What it printed since it was started. */
  get log() {
    return this.#program.log;
  }

  /** Asks it to stop and waits until it has; a server that does not stop cleanly fails the test. */
  async stop() {
    const program = this.#program;
    if (program.child.exitCode !== null || program.child.signalCode !== null) return;
    program.child.kill('SIGTERM');
    const { status, signal } = await inTime(program.ended, 'the server stopping').catch((error) => {
      program.child.kill('SIGKILL');
      throw error;
    });
    if (status !== 0) throw new Error(`the server ended with ${signal ?? `exit ${status}`}:\n${program.log}`);
  }

  /** Ends it as a power cut would. */
  async kill() {
    this.#program.child.kill('SIGKILL');
    await this.#program.ended;
  }

  /** Stops it and throws its data away. */
  async discard() {
    try {
      await this.stop();
    } finally {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }
}
