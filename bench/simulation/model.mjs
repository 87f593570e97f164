// The formulae of docs/SCALING.md.

import { COST, MACHINES, PEOPLE } from './parameters.mjs';

const SECOND = 1e6;

/**
 * How a flip finds its way to the nodes, and how a node learns how things are when it begins to watch.
 *
 * - `user`: a channel a user; a node listens to those whom somebody on it watches.
 * - `bucket`: a channel for the users of a part; with fifty watches a connection a node listens to all.
 *
 * With `remembers`, a node answers from what it hears of those it listens to, and asks Redis only for others.
 */
export const DESIGNS = {
  server: { channels: 'user', remembers: false },
  remembering: { channels: 'user', remembers: true },
  buckets: { channels: 'bucket', remembers: true },
};

/** What one who arrives costs a node: to connect, and to be told how those are whom they watch. */
export const arrivalUs = ({ watches }) => COST.connectUs + watches * COST.answerUs;

/** What so many nodes and their Redis have to do in a second, and to keep. */
export function load(nodes, people = PEOPLE, design = DESIGNS.server) {
  const { users, watches, sessionS, reconnectS } = people;
  const flips = (2 * users) / sessionS;
  const arrivals = users / sessionS + users / reconnectS;
  const deliveries = flips * watches;

  // Watchers are where the load balancer put them, on any node, one like another. The node to which the
  // user is connected listens as well, for what is meant for them.
  const listening = 1 - (1 - 1 / nodes) ** (watches + 1);
  const alone = (1 - 1 / nodes) ** watches;
  const perUser = design.channels === 'user';
  const listeners = perUser ? nodes * listening : nodes;
  const asked = arrivals * watches * (design.remembers ? (perUser ? alone : 0) : 1 + alone);
  const begun = perUser ? arrivals * (watches + 1) * alone : 0;
  // Whoever reconnects comes by another node, and leaves the one of before.
  const verdicts = 2 * (arrivals - users / sessionS);

  const heard = flips * listeners;
  const node = {
    connections: users / nodes,
    cpu:
      (users * COST.keptUs + arrivals * (arrivalUs(people) + COST.departureUs) + deliveries * COST.deliveryUs + heard * COST.heardUs) /
      SECOND / nodes,
    bytes: (users / nodes) * COST.connectionBytes + (perUser ? users * listening : users) * COST.listenedBytes,
    sends: (deliveries * COST.eventBytes + arrivals * watches * COST.answerBytes) / nodes,
    hears: heard / nodes,
  };
  const pairs = perUser ? users * listeners : 0;
  const redis = {
    flips: (flips * (COST.flipUs + listeners * COST.flipUsPerNode)) / SECOND,
    verdicts: (verdicts * COST.flipUs) / SECOND,
    lookUps: (asked * COST.lookUpUs) / SECOND,
    listening: (begun * (COST.listenUs + COST.ignoreUs)) / SECOND,
    bytes: users * (COST.userBytes + (perUser ? COST.channelBytes : 0)) + pairs * COST.listenerBytes,
    sends: heard * COST.messageBytes + asked * COST.lookUpBytes,
    pairs,
  };
  redis.cpu = redis.flips + redis.verdicts + redis.lookUps + redis.listening;
  const postgres = {
    writes: arrivals * COST.arrivalWrites + (flips / 2) * COST.departureWrites + users / COST.refreshS,
    reads: arrivals * watches,
  };
  return { nodes, flips, arrivals, deliveries, listeners, node, redis, postgres };
}

/**
 * What a run of `npm run scale` should take. Its crowd is on the nodes in turns, and so are those whom each
 * watches; half of its flips are by people who leave and come back, half by people who hide and show themselves, and
 * these change a profile, of which the same nodes hear.
 */
export function ofRun({ nodes, watches, connections, seconds, flips_per_second: flips, delivery }) {
  const listeners = Math.min(nodes, watches + 1);
  const [arrivals, changes] = [flips / 4, flips / 2];
  const heard = (flips + changes) * listeners;
  const busy =
    connections * COST.keptUs + arrivals * (arrivalUs({ watches }) + COST.departureUs) +
    (delivery.times / seconds) * COST.deliveryUs + heard * COST.heardUs;
  const sends = heard * COST.messageBytes + arrivals * watches * COST.lookUpBytes;
  return { sends: sends / flips, processors: busy / SECOND };
}

/** How full the fullest of a node's means is; above 1 it has too much to do. */
export function nodeFill({ node }) {
  const { nodeCores, nodeBytes, wireBytes, fill, connectionsPerNode } = MACHINES;
  return {
    'processors of a node': node.cpu / (nodeCores * fill),
    'memory of a node': node.bytes / (nodeBytes * fill),
    'network of a node': node.sends / (wireBytes * fill),
    'connections of a node': node.connections / connectionsPerNode,
  };
}

/** The same for one Redis that has to do all. */
export function redisFill({ redis }) {
  const { shardBytes, wireBytes, fill } = MACHINES;
  return {
    'the thread of a Redis': redis.cpu / fill,
    'memory of a Redis': redis.bytes / (shardBytes * fill),
    'network of a Redis': redis.sends / (wireBytes * fill),
  };
}

/** The same for one Postgres. */
export const postgresFill = ({ postgres }) => ({ 'writes of a Postgres': postgres.writes / (MACHINES.postgresWrites * MACHINES.fill) });

const most = (fills) => Math.max(...Object.values(fills));

/** The least number that is enough, of those up to a million, if more is never worse. */
function least(enough) {
  let [few, many] = [0, 1_000_000];
  while (many - few > 1) {
    const middle = Math.floor((few + many) / 2);
    if (enough(middle)) many = middle;
    else few = middle;
  }
  return many;
}

/** As many nodes and shards as it takes. */
export function plan(people = PEOPLE, design = DESIGNS.server) {
  const nodes = least((nodes) => most(nodeFill(load(nodes, people, design))) <= 1);
  const needed = load(nodes, people, design);
  return { ...needed, shards: Math.max(1, Math.ceil(most(redisFill(needed)))) };
}

/** What is full at how many users, first to last: of one node alone, and of one Redis and one Postgres behind as many nodes as it takes. */
export function limits(people = PEOPLE, design = DESIGNS.server) {
  const until = (fillOf, sized) => {
    const what = Object.keys(fillOf(load(1)));
    return what.map((what) => {
      const full = least((thousands) => fillOf(sized({ ...people, users: thousands * 1_000 }))[what] > 1);
      return { what, users: (full - 1) * 1_000 };
    });
  };
  const alone = (people) => load(1, people, design);
  const planned = (people) => plan(people, design);
  return [...until(nodeFill, alone), ...until(redisFill, planned), ...until(postgresFill, planned)].sort((a, b) => a.users - b.users);
}

/**
 * In how many seconds all are back when so many of the nodes have died, or all were started anew, if
 * what is left does with all its strength nothing but that.
 */
export function allBackS(lost, people = PEOPLE, design = DESIGNS.server) {
  const { nodes, shards, node, redis, arrivals } = plan(people, design);
  const all = lost === nodes;
  const coming = (lost / nodes) * people.users;
  const cores = all ? nodes * MACHINES.nodeCores : (nodes - lost) * (MACHINES.nodeCores - node.cpu);
  const threads = all ? shards : shards - redis.cpu;
  const arrivalOfRedis = (redis.lookUps + redis.listening) / arrivals + COST.flipUs / SECOND;
  return Math.max((coming * arrivalUs(people)) / SECOND / cores, (coming * arrivalOfRedis) / threads);
}

/**
 * In how many seconds all is told again after every Redis forgot all: nodes listen, look up, and say
 * who is there.
 */
export function rememberedS(people = PEOPLE, design = DESIGNS.server) {
  const { listeners, shards, redis } = plan(people, design);
  const listening = redis.pairs * (COST.listenUs + COST.lookUpUs);
  return (listening + people.users * (COST.flipUs + listeners * COST.flipUsPerNode)) / SECOND / shards;
}
