// docs/SCALING.md says what the model says, and the model what chance does.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { load, ofRun, plan } from '../bench/simulation/model.mjs';
import { KEPT, PEOPLE } from '../bench/simulation/parameters.mjs';
import { simulate } from '../bench/simulation/simulate.mjs';
import { reckoned } from '../bench/simulation.mjs';
import { root } from '../scripts/shell.mjs';

test('the tables are what `npm run simulation` prints', async () => {
  const page = await readFile(join(root, 'docs', 'SCALING.md'), 'utf8');
  assert.equal(page, await reckoned(), 'run `npm run simulation -- --keep`');
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
