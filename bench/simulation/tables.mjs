// What the model and the simulation say, as the tables of docs/SCALING.md, by the names of their places there.

import { DESIGNS, allBackS, limits, load, ofRun, plan, rememberedS } from './model.mjs';
import { ASSUMED, COST, KEPT, MEASURED, PEOPLE } from './parameters.mjs';
import { simulate } from './simulate.mjs';
import { digits } from '../harness/report.mjs';

const row = (cells) => `| ${cells.join(' | ')} |`;

const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

const whole = (value) => Math.round(value).toLocaleString('en-US');

function bytes(value) {
  for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]) if (value >= size) return `${digits(value / size)} ${unit}`;
  return `${whole(value)} B`;
}

const percent = (part) => `${digits(part * 100)} %`;

const ms = (value) => `${digits(value)} ms`;

const NAMES = { server: 'as it is', remembering: 'nodes answer from what they hear', buckets: 'a channel a part, not a user' };

const parameters = () =>
  table(['what', 'costs', 'from'], [
    ...Object.values(MEASURED).map(({ what, value, unit, by }) => [what, `${value.toLocaleString('en-US')} ${unit}`, by]),
    ...Object.values(ASSUMED).map(({ what, value, unit }) => [what, `${value.toLocaleString('en-US')} ${unit}`, 'assumed']),
  ]);

/** What `npm run scale` measures: the same crowd on one, two and three nodes. */
export const scaleTable = (runs) =>
  table(
    ['watched by each', 'nodes', 'flips/s', 'deliveries/s', 'p50', 'p99', 'processors', 'Redis sends for a flip', 'Redis is busy for a flip'],
    runs.map((run) => [
      run.watches, run.nodes, whole(run.flips_per_second), whole(run.delivery.times / run.seconds), ms(run.delivery.p50_ms),
      ms(run.delivery.p99_ms), digits(run.server_cpu), `${whole(run.redis_bytes_per_flip)} B`, `${whole(run.redis_cpu_us_per_flip)} µs`,
    ]),
  );

/** What Redis sends and does for a flip, by how many nodes listen: without interest that would be all of them. */
const listeners = () =>
  table(
    ['nodes that listen to the user', 'Redis sends for a flip', 'Redis is busy for a flip'],
    KEPT.redis.costs.map(({ nodes, bytes, us }) => [nodes, `${whole(bytes)} B`, `${digits(us)} µs`]),
  );

/** The formulae, held against what was measured of whole servers. */
const checks = () =>
  table(
    ['watched by each', 'nodes', 'Redis sends for a flip: measured', 'reckoned', 'processors: measured', 'reckoned'],
    KEPT.scale.map((run) => {
      const { sends, processors } = ofRun(run);
      return [
        run.watches, run.nodes, `${whole(run.redis_bytes_per_flip)} B`, `${whole(sends)} B`, digits(run.server_cpu), digits(processors),
      ];
    }),
  );

const growth = () =>
  table(
    ['connected', 'nodes', 'flips/s', 'deliveries/s', 'nodes told of a flip', 'processors of a node', 'Redis: threads', 'Redis: memory', 'Redis sends', 'shards', 'rows written/s'],
    [10_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000].map((users) => {
      const { nodes, flips, deliveries, listeners, node, redis, shards, postgres } = plan({ ...PEOPLE, users });
      return [
        whole(users), nodes, whole(flips), whole(deliveries), digits(listeners), digits(node.cpu), digits(redis.cpu),
        bytes(redis.bytes), `${bytes(redis.sends)}/s`, shards, whole(postgres.writes),
      ];
    }),
  );

const first = () => table(['full', 'at so many connected'], limits().map(({ what, users }) => [what, whole(users)]));

/** How many nodes are told of a flip. */
function interest() {
  const counts = [2, 3, 10, 30, 100, 300];
  return table(
    ['watchers of a user', ...counts.map((nodes) => `${nodes} nodes`)],
    [0, 1, 5, 50, 500].map((watches) => [
      watches,
      ...counts.map((nodes) => {
        const { listeners } = load(nodes, { ...PEOPLE, watches });
        return `${digits(listeners)} (${bytes(listeners * COST.messageBytes)})`;
      }),
    ]),
  );
}

const designs = () =>
  table(
    ['at ten million', 'Redis: threads', 'of these for flips', 'for connections made anew', 'looking up', 'listening', 'memory', 'sends', 'shards', 'nodes'],
    Object.entries(DESIGNS).map(([name, design]) => {
      const { nodes, shards, redis } = plan(PEOPLE, design);
      return [
        NAMES[name], digits(redis.cpu), digits(redis.flips), digits(redis.verdicts), digits(redis.lookUps), digits(redis.listening),
        bytes(redis.bytes), `${bytes(redis.sends)}/s`, shards, nodes,
      ];
    }),
  );

/** @param {number} seconds How long each simulation goes on. */
function simulations(seconds) {
  const scenes = [
    ...Object.entries(DESIGNS).map(([name, design]) => [NAMES[name], { design }]),
    ['as it is, some are watched by very many', { skew: 1.5 }],
    ['as it is, two thirds of the nodes and shards', { capacity: 2 / 3 }],
  ];
  return table(
    ['', 'flips/s', 'deliveries/s', 'nodes told of a flip', 'from flip to socket: p50', 'p99', 'p99.9', 'a node is busy', 'a shard is busy', 'the fullest'],
    scenes.map(([name, options]) => {
      const { flips, deliveries, listeners, delivery, nodeBusy, shardBusy, fullestShard } = simulate({ seconds, ...options });
      return [
        name, whole(flips), whole(deliveries), digits(listeners), ms(delivery.p50), ms(delivery.p99), ms(delivery.p999),
        percent(nodeBusy), percent(shardBusy), percent(fullestShard),
      ];
    }),
  );
}

function returns() {
  const { nodes, node } = plan();
  return table(['at ten million', 'seconds'], [
    [`one node of ${nodes} dies, and its ${whole(node.connections)} connections are opened elsewhere`, digits(allBackS(1))],
    ['a tenth of the nodes', digits(allBackS(Math.round(nodes / 10)))],
    ['all nodes are started anew at once', digits(allBackS(nodes))],
    ['all shards of Redis forget all: nodes listen again, look up, and say who is there', digits(rememberedS())],
    ['the same with a channel a part', digits(rememberedS(PEOPLE, DESIGNS.buckets))],
  ]);
}

export const TABLES = {
  parameters, scale: () => scaleTable(KEPT.scale), listeners, checks, growth, first, interest, designs, simulations: () => simulations(3), returns,
};

