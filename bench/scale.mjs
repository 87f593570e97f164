// `npm run scale`: the same load on one, two and three nodes, each time on a Redis and a Postgres of their
// own: latency, deliveries, processors, and bytes through Redis for each flip; and that where hardly
// anybody is watched, so that most nodes have no interest in most flips.
// `--short` takes ten seconds for each, `--keep` puts what was measured into docs/SCALING.md; other flags go
// to the crowd: `npm run scale -- --connections 600 --flips 40 --for 10s`.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { played } from './harness/crowd.mjs';
import { Client } from './harness/redis.mjs';
import { keep } from './simulation.mjs';
import { scaleTable } from './simulation/tables.mjs';
import { startPostgres, startRedis } from '../scripts/engines.mjs';
import { setupForCluster } from '../scripts/setup.mjs';
import { Problem, program, root, say } from '../scripts/shell.mjs';

const NODES = [1, 2, 3];
/** How many each watches, unless `--watches` says it: few have an interest in a flip, or all have. */
const WATCHES = ['1', '50'];
// Each watches every 61st, or 13th: neither two nor three divides that, so that those are on all nodes.
const WHOLE = ['--connections', '3050', '--flips', '200', '--for', '30s'];
const SHORT = ['--connections', '650', '--flips', '40', '--for', '8s'];

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

/** What the model is held against, of a run. */
function kept(run) {
  const { nodes, watches, connections, seconds, flips_per_second, arrival_cpu_us, server_cpu } = run;
  const { redis_bytes_per_flip, redis_cpu_us_per_flip } = run;
  const { times, p50_ms, p99_ms } = run.delivery;
  return {
    nodes, watches, connections, seconds, flips_per_second, delivery: { times, p50_ms, p99_ms }, arrival_cpu_us, server_cpu,
    redis_bytes_per_flip, redis_cpu_us_per_flip,
  };
}

await program(async () => {
  await setupForCluster();
  const given = process.argv.slice(2);
  const [short, keeps] = ['--short', '--keep'].map((flag) => given.includes(flag));
  const others = given.filter((flag) => flag !== '--short' && flag !== '--keep');
  const load = others.length ? others : [...(short ? SHORT : WHOLE)];
  const at = load.indexOf('--watches');
  const [, only] = at < 0 ? [] : load.splice(at, 2);
  const runs = [];
  for (const watches of only ? [only] : WATCHES) {
    for (const nodes of NODES) {
      const run = await measure(nodes, [...load, '--watches', watches]);
      runs.push(run);
      say(scaleTable([run]));
    }
  }
  const folder = join(root, 'bench', 'results');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'scale.json'), `${JSON.stringify(runs, null, 2)}\n`);
  console.log(scaleTable(runs));
  if (keeps) await keep('scale', runs.map(kept));
  say('kept in bench/results/scale.json');
});
