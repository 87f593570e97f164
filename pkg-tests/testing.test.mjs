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
  await assert.rejects(fake.client.queryUsers({ id: { $gt: 'a' } }), /rollcall\/testing/);
  assert.throws(() => fake.client.channel('messaging', 'lunch'), /no channels/);
});
