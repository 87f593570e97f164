// What the model reckons with: what was measured, what machines there are, and what people do.

import { readFileSync } from 'node:fs';

/** What `npm run redis-costs -- --keep` and `npm run scale -- --keep` measured last. */
export const KEPT = JSON.parse(readFileSync(new URL('measured.json', import.meta.url), 'utf8'));

/** A figure of `npm run redis-costs`, with as many digits as mean something. */
const redis = (name) => Number(KEPT.redis[name].toPrecision(3));

/** Microseconds are of one core, or of Redis's one thread. `by` says by what it is measured. */
export const MEASURED = {
  keptUs: { value: 6, by: 'reckoned from `npm run load`', what: 'a connection that is only kept, each second', unit: 'µs' },
  connectUs: { value: 170, by: '`npm run bench -- connect-cpu`', what: 'to connect', unit: 'µs' },
  answerUs: { value: 11.5, by: '`npm run bench -- query-users`', what: 'to watch a user and be told how they are', unit: 'µs' },
  deliveryUs: { value: 7.5, by: '`npm run bench -- event-cpu`', what: 'an event in the socket of one who watches, in a frame of its own', unit: 'µs' },
  connectionBytes: { value: 5_600, by: '`npm run bench -- memory`', what: 'memory of a connection that watches fifty', unit: 'bytes' },
  eventBytes: { value: 415, by: '`protocol/golden/`', what: 'a flip on the wire to a client, with its frame', unit: 'bytes' },
  flipUs: { value: redis('flipUs'), by: '`npm run redis-costs`', what: 'Redis: the script of a flip', unit: 'µs' },
  flipUsPerNode: { value: redis('flipUsPerNode'), by: '`npm run redis-costs`', what: 'Redis: more for each node that listens to the user', unit: 'µs' },
  lookUpUs: { value: redis('lookUpUs'), by: '`npm run redis-costs`', what: 'Redis: to look up a user', unit: 'µs' },
  listenUs: { value: redis('listenUs'), by: '`npm run redis-costs`', what: 'Redis: to begin to listen to a user', unit: 'µs' },
  ignoreUs: { value: redis('ignoreUs'), by: '`npm run redis-costs`', what: 'Redis: to end it', unit: 'µs' },
  lookUpBytes: { value: redis('lookUpBytes'), by: '`npm run redis-costs`', what: 'a user who was looked up, on the wire to a node', unit: 'bytes' },
  messageBytes: { value: redis('messageBytes'), by: '`npm run redis-costs`', what: 'a flip on the wire from Redis to one node', unit: 'bytes' },
  userBytes: { value: redis('userBytes'), by: '`npm run redis-costs`', what: 'Redis: memory of a user who is connected', unit: 'bytes' },
  channelBytes: { value: redis('channelBytes'), by: '`npm run redis-costs`', what: 'Redis: memory of a user to whom any node listens', unit: 'bytes' },
  listenerBytes: { value: redis('listenerBytes'), by: '`npm run redis-costs`', what: 'Redis: memory of each node that does', unit: 'bytes' },
};

/** What nobody has measured yet; in each case rather too much. */
export const ASSUMED = {
  departureUs: { value: 170, what: 'to leave: as much as to connect', unit: 'µs' },
  heardUs: { value: 15, what: 'a node that hears of a flip: to parse it, and to find who watches', unit: 'µs' },
  listenedBytes: { value: 200, what: 'memory of a node for each user to whom it listens', unit: 'bytes' },
  answerBytes: { value: 350, what: 'a user in the answer to a query', unit: 'bytes' },
  arrivalWrites: { value: 2, what: 'rows that are written when one connects: the profile, the time', unit: 'rows' },
  departureWrites: { value: 1, what: 'and when one goes offline', unit: 'rows' },
  refreshS: { value: 900, what: 'how often `last_active` of one who stays is written', unit: 's' },
  hopUs: { value: 250, what: 'from a node to Redis or back, in one data centre', unit: 'µs' },
};

/** All of them as mere numbers. */
export const COST = Object.fromEntries(Object.entries({ ...MEASURED, ...ASSUMED }).map(([name, { value }]) => [name, value]));

/** A machine for a node, and one for a shard of Redis. */
export const MACHINES = {
  nodeCores: 4,
  nodeBytes: 8e9,
  shardBytes: 16e9,
  /** Rows that one Postgres writes in a second, with a disk that is worthy of it. */
  postgresWrites: 20_000,
  /** 10 Gbit/s. */
  wireBytes: 1.25e9,
  /** What is filled by more than this in an ordinary hour has no room for a bad one. */
  fill: 0.5,
  /** As many as may have to come back at once when a node dies. */
  connectionsPerNode: 100_000,
};

/** Ten million who are all connected at the busiest time of day. */
export const PEOPLE = {
  users: 10_000_000,
  /** How many each watches, and by how many each is watched. */
  watches: 50,
  /** How long one stays. */
  sessionS: 1_200,
  /** How often one who stays changes the network, reloads, wakes: a new connection, and no flip. */
  reconnectS: 600,
};
