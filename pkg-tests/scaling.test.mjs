// docs/SCALING.md says what the model says, and the model what chance does.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { load, ofRun, plan } from '../bench/simulation/model.mjs';
import { COST, KEPT, PEOPLE } from '../bench/simulation/parameters.mjs';
import { simulate } from '../bench/simulation/simulate.mjs';
import { reckoned } from '../bench/simulation.mjs';
import { root } from '../scripts/shell.mjs';

test('the tables are what `npm run simulation` prints', async () => {
  const page = await readFile(join(root, 'docs', 'SCALING.md'), 'utf8');
  assert.equal(page, await reckoned(), 'run `npm run simulation -- --keep`');
});

test('what the model takes a node to cost is near to what was measured last', async () => {
  const page = await readFile(join(root, 'docs', 'PERFORMANCE.md'), 'utf8');
  const measured = (what) => {
    const row = page.split('\n').find((line) => line.startsWith(`| ${what}`));
    assert.ok(row, `docs/PERFORMANCE.md has no row for the ${what}`);
    return Number(row.split('|')[2].replace(/[^\d.]/g, ''));
  };
  const taken = {
    connectUs: measured('processor time of the server for a connection that is opened'),
    answerUs: measured('processor time of the server for queryUsers of 100') / 100,
    deliveryUs: measured('processor time of the server for one more watcher'),
    connectionBytes: measured('memory of a connection') * 1024,
  };
  for (const [name, last] of Object.entries(taken)) {
    const off = last / COST[name];
    assert.ok(off > 1 / 1.5 && off < 1.5, `${name}: the model takes ${COST[name]}, measured was ${last}`);
  }
});

test('what goes through Redis for a flip is what the formulae say, with interest and without', () => {
  assert.deepEqual(KEPT.scale.map(({ watches, nodes }) => [Number(watches), nodes]), [[1, 1], [1, 2], [1, 3], [50, 1], [50, 2], [50, 3]]);
  for (const run of KEPT.scale) {
    const { sends } = ofRun(run);
    const off = run.redis_bytes_per_flip / sends;
    assert.ok(off > 0.8 && off < 1.25, `${run.watches} watched, ${run.nodes} nodes: ${run.redis_bytes_per_flip} bytes, not ${sends}`);
  }
});

test('the simulation and the formulae agree on what they both know', () => {
  const people = { ...PEOPLE, users: 1_000_000 };
  const { nodes, shards } = plan(people);
  const { flips, deliveries, listeners, node, redis } = load(nodes, people);
  const found = simulate({ people, seconds: 3 });
  const near = (what, value, wanted) => assert.ok(Math.abs(value / wanted - 1) < 0.03, `${what}: ${value}, not ${wanted}`);
  near('flips', found.flips, flips);
  near('deliveries', found.deliveries, deliveries);
  near('nodes told', found.listeners, listeners);
  near('a node', found.nodeBusy, node.cpu / 4);
  near('a shard', found.shardBusy, redis.cpu / shards);
});
