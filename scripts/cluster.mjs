// `npm run cluster`: what compose.yaml runs, from installed programs and on free ports, with the demo
// page: nodes behind nginx, a Redis and a Postgres. Nothing that it keeps outlives it.
// `npm run cluster -- --nodes 3` starts three; what else stands there goes to every node.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildAll, stopBundler } from './build.mjs';
import { freePort, spawnWithUs, startPostgres, startProxy, startRedis } from './engines.mjs';
import { setupForCluster } from './setup.mjs';
import { Problem, program, root, say, serverBinary } from './shell.mjs';

/** How many nodes, and what goes to each of them. */
function options([...args]) {
  const at = args.indexOf('--nodes');
  const [, given = '2'] = at < 0 ? [] : args.splice(at, 2);
  const nodes = Number(given);
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 9) throw new Problem(`--nodes is a number from 1 to 9, not ${given}.`);
  return { nodes, flags: args };
}

/** A node that is started again, on the same address, whenever it ends: as systemd would. */
class Node {
  #flags;
  #ended = Promise.resolve();
  #stopped = false;

  constructor(name, address, flags) {
    this.name = name;
    this.address = address;
    this.#flags = ['--listen', address, ...flags];
  }

  async start() {
    this.child = spawnWithUs(serverBinary, this.#flags);
    const { child } = this;
    createInterface(child.stderr).on('line', (line) => say(`${this.name}: ${line}`));
    const lines = createInterface(child.stdout);
    const ended = (this.#ended = once(child, 'close'));
    await Promise.race([
      once(lines, 'line'),
      ended.then(([status]) => Promise.reject(new Problem(`node ${this.name} ended (exit ${status}) before it served.`))),
    ]);
    say(`node ${this.name} serves at http://${this.address}, as process ${child.pid}`);
    ended.then(async ([status, signal]) => {
      if (this.#stopped) return;
      say(`node ${this.name} ended (${signal ?? `exit ${status}`}) and is started again`);
      await this.start();
    }).catch((error) => say(error.message));
  }

  async stop() {
    this.#stopped = true;
    this.child?.stdin.end();
    await this.#ended;
  }
}

/** Resolves when somebody wants it to end. */
const asked = () => new Promise((resolve) => ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => process.on(signal, resolve)));

await program(async () => {
  const { nodes: count, flags } = options(process.argv.slice(2));
  await setupForCluster();
  await buildAll();
  await stopBundler();

  const end = asked();
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-cluster-'));
  const running = [];
  try {
    const redis = await startRedis();
    running.push(redis);
    const postgres = await startPostgres();
    running.push(postgres);
    const common = [
      '--redis', redis.url, '--database', postgres.url, '--dev-tokens', '--api-secret', randomBytes(32).toString('hex'),
      '--www', join(root, 'www', 'dist'), ...flags,
    ];
    const nodes = [];
    for (const name of ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'].slice(0, count)) {
      const node = new Node(name, `127.0.0.1:${await freePort()}`, common);
      running.push(node);
      nodes.push(node);
      await node.start();
    }
    const port = await freePort();
    running.push(await startProxy(port, nodes.map(({ address }) => address), folder));
    say(`Redis is at ${redis.url}; \`kill -9\` ends a node, which is then started again; Ctrl-C ends all`);
    console.log(`Rollcall is running at http://localhost:${port}`);
    await end;
  } finally {
    // Who was started last needs the others.
    for (const each of running.reverse()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
