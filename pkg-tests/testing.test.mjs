// `rollcall/testing`: what it shows an app is what the real client would.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONNECTION_LOST } from './harness/browser.mjs';
import { installed } from './harness/package.mjs';
import { FaultProxy } from './harness/proxy.mjs';
import { newStage } from './harness/stage.mjs';
import { play } from './testing-story.mjs';

const { fakePresence } = await import(join(await installed(), 'adapters', 'testing.js'));

/** The story with the real client, in a page whose network the test holds. */
async function real(t) {
  const stage = await newStage(t, { grace: '0s' });
  await stage.admin.upsertUsers([{ id: 'jack' }, { id: 'jill' }]);
  const proxy = await FaultProxy.open(stage.server.url);
  stage.defer(() => proxy.close());
  const john = await stage.person('john', 'rollcall', { expected: [CONNECTION_LOST] });
  const people = {};
  const world = {
    comes: async (id) => (people[id] = await stage.person(id, 'node')).connect().then(() => {}),
    leaves: (id) => people[id].disconnect(),
    says: (id, status) => people[id].upsert({ status }),
    lose: async () => {
      await proxy.refuse();
      proxy.reset();
    },
    regain: () => proxy.heal(),
  };
  await john.page.exposeFunction('world', (name, ...args) => world[name](...args));
  return john.page.evaluate(
    async ({ key, baseURL, token }) => {
      const { play } = await import('/testing-story.mjs');
      const client = new window.Client(key, { baseURL });
      const world = Object.fromEntries(['comes', 'leaves', 'says', 'lose', 'regain'].map((name) => [name, (...args) => window.world(name, ...args)]));
      world.connect = () => client.connectUser({ id: 'john' }, token);
      return play(client, world);
    },
    { key: stage.server.key, baseURL: proxy.url, token: stage.server.token('john') },
  );
}

function fake() {
  const { client, ...hold } = fakePresence({ users: ['jack', 'jill'] });
  return play(client, {
    connect: () => client.connectUser({ id: 'john' }, 'token'),
    comes: (id) => hold.goOnline(id),
    leaves: (id) => hold.goOffline(id),
    says: (id, status) => hold.setStatus(id, status),
    lose: () => hold.loseConnection(),
    regain: () => hold.reconnect(),
  });
}

test('one story, and both clients tell it alike', async (t) => {
  const [told, faked] = [await real(t), await fake()];
  for (const about of Object.keys(told)) assert.deepEqual(faked[about], told[about], about);
});

test('time passes when it is told to', async () => {
  const fake = fakePresence({ user: 'john', users: ['bob'], now: new Date('2026-05-01T12:00:00Z') });
  const heard = [];
  fake.client.on('connection.changed', ({ online }) => heard.push(online));
  const watch = await fake.client.watchPresence(['bob']);
  fake.advance(60_000);
  fake.goOnline('bob');
  assert.equal(watch.get('bob').lastActive.toISOString(), '2026-05-01T12:01:00.000Z');
  fake.loseConnection();
  assert.equal(fake.client.connection.nextTryIn, 1_000);
  fake.advance(4_999);
  assert.deepEqual([watch.get('bob').freshness, heard], ['stale', []]);
  fake.advance(1);
  assert.deepEqual(heard, [false]);
  await assert.rejects(fake.client.queryUsers({ id: 'bob' }), { code: 'network', retryable: true });
  fake.reconnect();
  assert.deepEqual([watch.get('bob').freshness, heard], ['live', [false, true]]);
});

test('changes can be read one after the other, and what the fake does not have it says', async () => {
  const fake = fakePresence({ user: 'john', users: [{ id: 'bob', team: 'red' }] });
  const watch = await fake.client.watchPresence(['bob']);
  const read = [];
  const reading = (async () => {
    for await (const { online } of watch) read.push(online);
  })();
  fake.goOnline('bob');
  await new Promise(setImmediate);
  fake.goOffline('bob');
  await new Promise(setImmediate);
  watch.stop();
  await reading;
  assert.deepEqual(read, [true, false]);
  assert.deepEqual((await fake.client.queryUsers({ team: 'red' })).users.map(({ id }) => id), ['bob']);
  await assert.rejects(fake.client.queryUsers({ name: { $q: 'b' } }), /rollcall\/testing/);
  await assert.rejects(fake.client.queryUsers({ online: true }), { code: 4 });
  assert.throws(() => fake.client.channel('messaging', 'lunch'), /no channels/);
});

test('a filter and a sort find the same people, in the same order, as on the server', async (t) => {
  const people = [
    { id: 'ada', name: 'Ada Lovelace', level: 3, badges: ['early', 'kind'], home: { city: 'London' } },
    { id: 'bob', name: 'bob-the-builder', level: 1 },
    { id: 'cyd', level: 2, badges: [] },
    { id: 'dan', name: 'Dan', home: { city: 'Oslo' } },
  ];
  const stage = await newStage(t);
  await stage.admin.upsertUsers(people);
  const fake = fakePresence({ user: 'ada', users: people });
  const filters = [
    {}, { id: 'ada' }, { id: { $in: ['bob', 'dan'] } }, { id: { $nin: ['bob'] } }, { id: { $ne: 'cyd' } }, { id: { $gt: 'bob', $lte: 'dan' } },
    { name: { $autocomplete: 'lov' } }, { name: { $autocomplete: 'THE' } }, { name: { $autocomplete: 'uilder' } }, { name: { $exists: false } },
    { level: { $gte: 2 } }, { level: { $lt: 'x' } }, { level: { $in: [1, 3] } }, { level: { $exists: true } },
    { badges: { $contains: 'kind' } }, { badges: { $in: ['early'] } }, { 'home.city': 'Oslo' }, { 'home.city': { $exists: true } },
    { created_at: { $gt: '2020-01-01T00:00:00Z' } }, { last_active: { $lt: '2020-01-01T00:00:00+01:00' } },
    { $or: [{ id: 'bob' }, { level: 3 }] }, { $nor: [{ id: 'bob' }, { level: 3 }] }, { $and: [{ level: { $gt: 1 } }, { id: { $gt: 'b' } }] },
  ];
  const sorts = [{ id: 1 }, { id: -1 }, [{ level: -1 }, { id: 1 }], [{ name: 1 }, { id: 1 }]];
  const ids = async (client, filter, sort) => (await client.queryUsers(filter, sort)).users.map(({ id }) => id);
  for (const filter of filters) {
    for (const sort of sorts) {
      assert.deepEqual(await ids(fake.client, filter, sort), await ids(stage.admin, filter, sort), JSON.stringify([filter, sort]));
    }
  }
});
