// `npm run redis-costs`: what a flip, a watch and a user cost Redis, by the server's own script, measured
// on a redis-server of its own. What docs/SCALING.md reckons with; `--keep` reckons it anew.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, command } from './harness/redis.mjs';
import { keep } from './simulation.mjs';
import { startRedis } from '../scripts/engines.mjs';
import { program, root, say, step } from '../scripts/shell.mjs';

/** Nodes that speak at the same time, each waiting for its answer. */
const SPEAKERS = 8;
const FLIPS = 30_000;
/** So many users flip, in turns. */
const FLIPPING = 1_000;
const USERS = 100_000;
/** How many nodes listen to the same users. */
const LISTENERS = [0, 1, 4, 16, 64];
/** A node asks about all whom somebody watches at once. */
const WATCHES = 50;

const key = (shard, name) => `rollcall:01234567:{p${shard % 256}}${name}`;
const user = (number) => key(number, `user:user-${number}`);

/** The event of a flip, as long as one of people with a name and a picture. */
const flip = async () => {
  const event = JSON.stringify(JSON.parse(await readFile(join(root, 'protocol', 'golden', 'user.presence.changed.json'), 'utf8')));
  const flip = { user: 'user-1234567', online: true, at: 1767323045678901 };
  return { head: `${JSON.stringify({ flip }).slice(0, -2)},"seq":`, event };
};

/** In microseconds of Redis's one thread. */
async function busy(client) {
  const [user, system] = await client.info('used_cpu_user_main_thread', 'used_cpu_sys_main_thread');
  return (user + system) * 1e6;
}

/** Sends so many commands, so many at once. */
async function inBatches(client, count, size, make) {
  for (let first = 0; first < count; first += size) {
    const numbers = Array.from({ length: Math.min(size, count - first) }, (_, index) => first + index);
    await client.send(numbers.map(make).join(''));
  }
}

/** What a flip costs, of one user after another, by the number of nodes that listen to them. */
async function flips(url, says) {
  const admin = await Client.open(url);
  const speakers = await Promise.all(Array.from({ length: SPEAKERS }, () => Client.open(url)));
  const listeners = [];
  const costs = [];
  for (const count of LISTENERS) {
    while (listeners.length < count) {
      const listener = await Client.open(url);
      await inBatches(listener, FLIPPING, 1_000, (number) => command('SSUBSCRIBE', user(number)));
      listener.listen();
      listeners.push(listener);
    }
    const [sent] = await admin.info('total_net_output_bytes');
    const before = await busy(admin);
    let next = 0;
    const speak = async (speaker) => {
      while (next < FLIPS) {
        const number = next++;
        await speaker.send(says(number % FLIPPING, number % (2 * FLIPPING) < FLIPPING ? 'here' : 'gone'));
      }
    };
    await Promise.all(speakers.map(speak));
    const us = ((await busy(admin)) - before) / FLIPS;
    const [sentThen] = await admin.info('total_net_output_bytes');
    costs.push({ nodes: count, us, bytes: (sentThen - sent) / FLIPS });
  }
  [admin, ...speakers, ...listeners].forEach((client) => client.close());
  return costs;
}

/** What users cost who are connected, and to look them up. */
async function users(admin, says) {
  const [empty] = await admin.info('used_memory');
  await inBatches(admin, USERS, 1_000, (number) => says(number, 'here'));
  const [full, sent] = await admin.info('used_memory', 'total_net_output_bytes');
  const before = await busy(admin);
  await inBatches(admin, USERS, WATCHES, (number) => command('HGETALL', user(number)));
  const lookUpUs = ((await busy(admin)) - before) / USERS;
  const [sentThen] = await admin.info('total_net_output_bytes');
  return { userBytes: (full - empty) / USERS, lookUpUs, lookUpBytes: (sentThen - sent) / USERS };
}

/** What it costs that nodes listen to users. */
async function listening(url, admin) {
  const memory = [];
  const times = [];
  const nodes = [];
  for (let number = 0; number < 4; number++) {
    const node = await Client.open(url);
    nodes.push(node);
    const [before] = await admin.info('used_memory');
    const began = await busy(admin);
    await inBatches(node, USERS, WATCHES, (number) => command('SSUBSCRIBE', user(number)));
    times.push(((await busy(admin)) - began) / USERS);
    memory.push(((await admin.info('used_memory'))[0] - before) / USERS);
  }
  const began = await busy(admin);
  await inBatches(nodes[0], USERS, 1_000, (number) => command('SUNSUBSCRIBE', user(number)));
  const ignoreUs = ((await busy(admin)) - began) / USERS;
  nodes.forEach((node) => node.close());
  const [first, ...others] = memory;
  return { listenUs: mean(times), ignoreUs, channelBytes: first - mean(others), listenerBytes: mean(others) };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A line through points, by least squares. */
function line(points) {
  const [x, y] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const slope = mean(points.map(([px, py]) => (px - x) * (py - y))) / mean(points.map(([px]) => (px - x) ** 2));
  return { base: y - slope * x, slope };
}

async function measure(url) {
  const script = await readFile(join(root, 'server', 'src', 'cluster', 'presence.lua'), 'utf8');
  const { head, event } = await flip();
  const admin = await Client.open(url);
  const [hash] = (await admin.send(command('SCRIPT', 'LOAD', script))).match(/^[0-9a-f]{40}$/m);
  const [version] = (await admin.send(command('INFO', 'server'))).match(/(?<=redis_version:)[\d.]+/);
  const says = (number, claim) =>
    command(
      'EVALSHA', hash, 3, user(number), key(number, 'of:n01234567-1'), key(number, 'swept:n01234567-1'),
      claim, 'n01234567-1', `user-${number}`, head, event,
    );
  const costs = await step('flips', () => flips(url, says));
  await admin.send(command('FLUSHALL'));
  const ofUsers = await step('users', () => users(admin, says));
  const ofListening = await step('listening', () => listening(url, admin));
  admin.close();
  const time = line(costs.map(({ nodes, us }) => [nodes, us]));
  const { slope: messageBytes } = line(costs.map(({ nodes, bytes }) => [nodes, bytes]));
  return { version, flipUs: time.base, flipUsPerNode: time.slope, messageBytes, ...ofUsers, ...ofListening, costs };
}

await program(async () => {
  const redis = await startRedis();
  const measured = await measure(redis.url).finally(redis.stop);
  const report = JSON.stringify(measured, null, 2);
  await mkdir(join(root, 'bench', 'results'), { recursive: true });
  await writeFile(join(root, 'bench', 'results', 'redis.json'), `${report}\n`);
  console.log(report);
  if (process.argv.includes('--keep')) await keep('redis', measured);
  say('kept in bench/results/redis.json');
});
