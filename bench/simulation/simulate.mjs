// Some seconds in the life of everybody: each flip on its way from the node that decides it, through
// its shard of Redis, to all who watch. Unlike the formulae it knows queues, and chance.

import { Agenda } from './agenda.mjs';
import { chance, mix } from './chance.mjs';
import { DESIGNS, arrivalUs, plan } from './model.mjs';
import { COST, MACHINES, PEOPLE } from './parameters.mjs';
import { Queue, Times } from './queue.mjs';

/** The parts into which the server divides users (`server/src/cluster/topic.rs`); each is on one shard. */
const PARTS = 256;
/** What happens before is not counted: the queues fill. */
const BEGINS = 1e6;

/**
 * @param {object} options
 * @param {object} [options.people]
 * @param {object} [options.design]
 * @param {number} [options.seconds] How long it goes on.
 * @param {number} [options.skew] 0: all have as many watchers. Otherwise the exponent of a Pareto
 *   distribution with the same mean: the smaller, the more are watched by very many.
 * @param {number} [options.capacity] Which part there is of the nodes and shards that it takes.
 * @param {number} [options.seed]
 */
export function simulate({ people = PEOPLE, design = DESIGNS.server, seconds = 3, skew = 0, capacity = 1, seed = 1 } = {}) {
  const planned = plan(people, design);
  const world = new World(planned, people, design, skew, capacity, chance(seed));
  world.goOn(BEGINS);
  const before = world.busy();
  world.goOn(BEGINS + seconds * 1e6);
  return { ...world.counts(seconds), ...world.fill(before, seconds * 1e6) };
}

class World {
  #agenda = new Agenda();
  #delivery = new Times();
  #flips = 0;
  #deliveries = 0;
  #told = 0;

  constructor(planned, people, design, skew, capacity, random) {
    Object.assign(this, { people, skew, random });
    const nodes = Math.ceil(planned.nodes * capacity);
    // Heartbeats are many, short and even: they take their part of every core.
    const kept = ((people.users / nodes) * COST.keptUs) / 1e6 / MACHINES.nodeCores;
    this.nodes = Array.from({ length: nodes }, () => new Queue(MACHINES.nodeCores, kept));
    this.shards = Array.from({ length: Math.ceil(planned.shards * capacity) }, () => new Queue(1));
    this.flipRate = planned.flips;
    this.rate = planned.flips / 2 + planned.arrivals;
    this.listensToAll = design.channels !== 'user';
    this.remembers = design.remembers;
    /** How likely it is that nobody else on a node watches somebody. */
    this.alone = this.listensToAll ? 0 : (1 - 1 / nodes) ** people.watches;
    this.watchersOn = new Uint32Array(nodes);
    this.#agenda.put(0, (now) => this.#next(now));
  }

  goOn(until) {
    this.#agenda.until(until);
  }

  /** Somebody comes, leaves, or comes anew; and so on. */
  #next(now) {
    const user = Math.floor(this.random() * this.people.users);
    const which = this.random() * this.rate;
    if (which < this.flipRate / 2) this.#leave(now, user);
    else this.#arrive(now, user, which < this.flipRate);
    this.#agenda.put(now - (Math.log(1 - this.random()) / this.rate) * 1e6, (now) => this.#next(now));
  }

  #leave(now, user) {
    this.#flip(now, user);
    this.#anyNode().done(now, COST.departureUs);
  }

  #arrive(now, user, isFlip) {
    const here = this.#anyNode().done(now, arrivalUs(this.people));
    this.#agenda.put(now + COST.hopUs, (now) => {
      for (let watched = 0; watched < this.people.watches; watched++) {
        const first = this.random() < this.alone;
        const lookUps = (this.remembers ? 0 : 1) + (first ? 1 : 0);
        // Whoever begins to listen to somebody here ends it for somebody else elsewhere.
        const takes = lookUps * COST.lookUpUs + (first ? COST.listenUs + COST.ignoreUs : 0);
        if (takes) this.shards[Math.floor(this.random() * this.shards.length)].done(now, takes);
      }
      if (!isFlip) this.#shardOf(user).done(now, 2 * COST.flipUs);
    });
    if (isFlip) this.#agenda.put(here, (now) => this.#flip(now, user));
    else this.#anyNode().done(now, COST.departureUs);
  }

  #flip(decided, user) {
    const watchers = this.#watchers();
    const nodes = this.#nodesOf(user, watchers);
    const listeners = this.listensToAll ? this.nodes.length : nodes.length;
    const counts = decided >= BEGINS;
    if (counts) {
      this.#flips++;
      this.#deliveries += watchers;
      this.#told += listeners;
    }
    this.#agenda.put(decided + COST.hopUs, (now) => {
      const published = this.#shardOf(user).done(now, COST.flipUs + listeners * COST.flipUsPerNode);
      const arrives = published + COST.hopUs;
      for (const [node, here] of nodes) this.#agenda.put(arrives, (now) => this.#tell(node, here, now, counts ? decided : null));
      if (listeners === nodes.length) return;
      const concerned = new Set(nodes.map(([node]) => node));
      const others = this.nodes.filter((node) => !concerned.has(node));
      this.#agenda.put(arrives, (now) => others.forEach((node) => node.done(now, COST.heardUs)));
    });
  }

  /** The node that heard of it writes to one watcher after the other. */
  #tell(node, watchers, now, decided) {
    node.done(now, COST.heardUs);
    for (let watcher = 0; watcher < watchers; watcher++) {
      const done = node.done(now, COST.deliveryUs);
      if (decided !== null) this.#delivery.add(done - decided);
    }
  }

  #watchers() {
    const { watches, users } = this.people;
    if (!this.skew) return watches;
    const fewest = (watches * (this.skew - 1)) / this.skew;
    return Math.min(users, Math.round(fewest / (1 - this.random()) ** (1 / this.skew)));
  }

  /** The nodes that listen to a user, always the same, with how many watchers there are on each: theirs, which may have none, and those of the watchers. */
  #nodesOf(user, watchers) {
    const touched = [mix(user, 0) % this.nodes.length];
    for (let watcher = 1; watcher <= watchers; watcher++) {
      const node = mix(user, watcher) % this.nodes.length;
      if (this.watchersOn[node]++ === 0 && node !== touched[0]) touched.push(node);
    }
    return touched.map((node) => {
      const here = this.watchersOn[node];
      this.watchersOn[node] = 0;
      return [this.nodes[node], here];
    });
  }

  #shardOf(user) {
    return this.shards[(mix(user, -1) % PARTS) % this.shards.length];
  }

  #anyNode() {
    return this.nodes[Math.floor(this.random() * this.nodes.length)];
  }

  busy() {
    return [...this.nodes, ...this.shards].map(({ busy }) => busy);
  }

  counts(seconds) {
    const [p50, p99, p999] = [0.5, 0.99, 0.999].map((part) => this.#delivery.quantile(part));
    return {
      flips: this.#flips / seconds,
      deliveries: this.#deliveries / seconds,
      listeners: this.#told / this.#flips,
      delivery: { p50, p99, p999 },
    };
  }

  /** Which part of their time nodes and shards were busy, in the mean, and the busiest. */
  fill(before, long) {
    const all = [...this.nodes, ...this.shards].map((queue, index) => queue.part(queue.busy - before[index], long));
    const [nodes, shards] = [all.slice(0, this.nodes.length), all.slice(this.nodes.length)];
    const mean = (parts) => parts.reduce((sum, part) => sum + part, 0) / parts.length;
    return { nodeBusy: mean(nodes), shardBusy: mean(shards), fullestShard: Math.max(...shards) };
  }
}
