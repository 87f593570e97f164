// `npm run scale`: the same load on one, two and three nodes, each time on a Redis and a Postgres of their
// own: latency, deliveries, processors, and bytes through Redis for each flip; and that where hardly
// anybody is watched, so that most nodes have no interest in most flips.
// Smaller: `npm run scale -- --connections 600 --flips 40 --for 10s`.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { played } from './crowd.mjs';
import { Client } from './harness/redis.mjs';
import { startPostgres, startRedis } from '../scripts/engines.mjs';
import { setupForCluster } from '../scripts/setup.mjs';
import { Problem, program, root, say } from '../scripts/shell.mjs';

const NODES = [1, 2, 3];
/** How many each watches, unless `--watches` says it: few have an interest in a flip, or all have. */
const WATCHES = ['1', '50'];
const DEFAULTS = ['--connections', '3000', '--flips', '200', '--for', '30s'];

/** One run, and what Redis sent and did while users flip. */
async function measure(nodes, flags) {
  const [redis, postgres] = [await startRedis(), await startPostgres()];
  try {
    const admin = await Client.open(redis.url);
    const counted = () => admin.info('total_net_output_bytes', 'used_cpu_user_main_thread', 'used_cpu_sys_main_thread');
    const args = ['--nodes', nodes, '--redis', redis.url, '--database', postgres.url, ...flags];
    let before;
    const { report, held } = await played('load', args, (line) => {
      say(line);
      // From here on they flip.
      if (line.endsWith('are connected and watch')) before = counted();
    });
    if (!held) throw new Problem(`Not everything held on ${nodes} nodes.\n${report}`);
    const started = await before;
    const [bytes, user, system] = (await counted()).map((now, index) => now - started[index]);
    admin.close();
    const run = JSON.parse(report);
    const flips = run.flips_per_second * run.seconds;
    return { ...run, redis_bytes_per_flip: bytes / flips, redis_cpu_us_per_flip: ((user + system) * 1e6) / flips };
  } finally {
    await Promise.all([redis.stop(), postgres.stop()]);
  }
}

const round = (value, digits = 1) => value.toFixed(digits);

/** A table of all runs. */
function table(runs) {
  const head = ['watched by each', 'nodes', 'flips/s', 'deliveries/s', 'p50 ms', 'p99 ms', 'processors', 'Redis: bytes a flip', 'Redis: µs a flip'];
  const rows = runs.map((run) => [
    run.watches,
    run.nodes,
    round(run.flips_per_second, 0),
    round(run.delivery.times / run.seconds, 0),
    round(run.delivery.p50_ms),
    round(run.delivery.p99_ms),
    round(run.server_cpu, 2),
    round(run.redis_bytes_per_flip, 0),
    round(run.redis_cpu_us_per_flip, 0),
  ]);
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

await program(async () => {
  await setupForCluster();
  const given = process.argv.slice(2);
  const load = given.length ? given : DEFAULTS;
  const at = load.indexOf('--watches');
  const [, only] = at < 0 ? [] : load.splice(at, 2);
  const runs = [];
  for (const watches of only ? [only] : WATCHES) {
    for (const nodes of NODES) {
      const run = await measure(nodes, [...load, '--watches', watches]);
      runs.push(run);
      say(table([run]));
    }
  }
  const folder = join(root, 'bench', 'results');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'scale.json'), `${JSON.stringify(runs, null, 2)}\n`);
  console.log(table(runs));
  say('kept in bench/results/scale.json');
});
