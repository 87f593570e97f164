// What stands before and behind servers, each started from what is installed, in a folder of its own:
// Redis, Postgres, nginx. They end with the process that started them, however that ends.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { required } from './browsers.mjs';
import { Problem, root } from './shell.mjs';

/**
 * An engine that runs.
 *
 * @typedef {object} Engine
 * @property {string} url
 * @property {() => Promise<void>} stop Ends it and throws its data away.
 */

/** Becomes a program that is ended when the input does. */
const WITH_ITS_INPUT = 'exec 3<&0; { cat <&3; kill $$; } >/dev/null 2>&1 & exec "$0" "$@" </dev/null 3<&-';

/**
 * Starts a program that ends when its `stdin` does, and so with us, however we end. It is in a group of its
 * own: Ctrl-C is for us, who then end it.
 *
 * @param {string} command
 * @param {string[]} args
 */
export function spawnWithUs(command, args) {
  return spawn('sh', ['-c', WITH_ITS_INPUT, command, ...args], { cwd: root, stdio: 'pipe', detached: true });
}

/** A port that was free a moment ago: not every program can say which one it got. */
export async function freePort() {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** @returns {Promise<Engine>} */
export async function startRedis() {
  const port = await freePort();
  const { stop } = await scripted('redis.sh', [required('REDIS_SERVER'), port], /eady to accept connections/);
  return { url: `redis://127.0.0.1:${port}`, stop };
}

/** @returns {Promise<Engine>} */
export async function startPostgres() {
  // Its other programs are beside it, and not beside a link to it.
  const programs = dirname(realpathSync(required('POSTGRES')));
  const script = readFileSync(join(root, 'scripts', 'postgres.sh'), 'utf8');
  const { said, stop } = await scripted('postgres.sh', [programs, script], /^\//);
  return { url: `postgres://rollcall@localhost:5432/postgres?host=${said}`, stop };
}

/** Starts what one of the scripts here starts, and waits for the line that says that it serves. */
async function scripted(name, args, serves) {
  const text = readFileSync(join(root, 'scripts', name), 'utf8');
  // Not in our group: Ctrl-C is for us, who then end it.
  const script = spawn('sh', ['-c', text, ...args], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  const ended = once(script, 'close');
  const lines = createInterface(script.stdout);
  const log = [];
  const said = await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      log.push(line);
      if (serves.test(line)) resolve(line);
    });
    ended.then(() => reject(new Problem(`${name} ended before it served:\n${log.join('\n')}`)), reject);
  });
  const stop = async () => {
    script.stdin.end();
    await ended;
  };
  return { said, stop };
}

/**
 * nginx, with what stands in its `http` block.
 *
 * @param {number} port On which `config` says that it listens.
 * @param {string} config
 * @param {string} folder Where it keeps what it has for a moment; it must be there.
 * @returns {Promise<{ stop: () => Promise<void> }>}
 */
export async function startNginx(port, config, folder) {
  const file = (name) => join(folder, name);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${file(kind)};`);
  const whole = `daemon off; master_process off; pid ${file('pid')}; events {} http { ${temporary.join(' ')}\n${config}\n}`;
  await writeFile(file('nginx.conf'), whole);
  const nginx = spawnWithUs(required('NGINX_PROGRAM'), ['-c', file('nginx.conf'), '-e', 'stderr', '-p', folder]);
  let said = '';
  nginx.stdout.resume();
  nginx.stderr.on('data', (text) => (said += text));
  const ended = once(nginx, 'exit');
  const failed = ended.then(() => Promise.reject(new Problem(`nginx ended: ${said}`)));
  await Promise.race([listening(port), failed]);
  failed.catch(() => {});
  const stop = async () => {
    nginx.stdin.end();
    await ended;
  };
  return { stop };
}

/** Starts nginx with `deploy/nginx.conf`, on this port and before nodes at these addresses. */
export async function startProxy(port, addresses, folder) {
  const text = await readFile(join(root, 'deploy', 'nginx.conf'), 'utf8');
  const [server] = text.match(/ {4}server one:8800.*\n/);
  const servers = addresses.map((address) => server.replace('one:8800', address)).join('');
  const config = text
    .replace(/( {4}server (one|two):8800.*\n)+/, servers)
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace('/var/log/nginx/rollcall.log', join(folder, 'access.log'));
  return startNginx(port, config, folder);
}

/** Resolves when something listens there. */
async function listening(port) {
  while (!(await listens(port))) await new Promise(setImmediate);
}

/** Whether something on this machine accepts connections at the port. */
export function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
