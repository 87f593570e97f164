// `rollcall/testing`: what it shows an app is what the real client would.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONNECTION_LOST } from './harness/browser.mjs';
import { inTime } from './harness/event.mjs';
import { installed } from './harness/package.mjs';
import { FaultProxy } from './harness/proxy.mjs';
import { newStage } from './harness/stage.mjs';
import * as stories from './testing-story.mjs';

const { fakePresence } = await import(join(await installed(), 'adapters', 'testing.js'));

/** Milliseconds: a story that waits for what never happens has failed. */
const STORY = 60_000;

/** A story with the real client, in a page whose network the test holds. */
async function real(t, story) {
  const stage = await newStage(t, { grace: '0s' });
  await stage.admin.upsertUsers([{ id: 'jack' }, { id: 'jill' }]);
  const proxy = await FaultProxy.open(stage.server.url);
  stage.defer(() => proxy.close());
  const john = await stage.person('john', 'rollcall', { expected: [CONNECTION_LOST, /the server responded with a status of 4/] });
  const people = {};
  const lunch = stage.admin.channel('messaging', 'lunch', { members: ['jack', 'john'], created_by_id: 'jack', color: 'green' });
  if (story === 'channels') {
    await stage.admin.upsertUser({ id: 'john' });
    await lunch.create();
  }
  const theirs = (id) => people[id].client.channel('messaging', 'lunch');
  const world = {
    comes: async (id) => (people[id] = await stage.person(id, 'node')).connect().then(() => {}),
    leaves: (id) => people[id].disconnect(),
    says: (id, status) => people[id].upsert({ status }),
    opens: (id) => theirs(id).watch().then(() => {}),
    closes: (id) => theirs(id).stopWatching().then(() => {}),
    writes: (id, text) => theirs(id).sendMessage({ text }).then(() => {}),
    adds: (id) => lunch.addMembers([id]).then(() => {}),
    drops: (id) => lunch.removeMembers([id]).then(() => {}),
    renames: (set) => lunch.updatePartial({ set }).then(() => {}),
    lose: async () => {
      await proxy.refuse();
      proxy.reset();
    },
    regain: () => proxy.heal(),
  };
  await john.page.exposeFunction('world', (name, ...args) => world[name](...args));
  return john.page.evaluate(
    async ({ key, baseURL, token, story, moves }) => {
      const stories = await import('/testing-story.mjs');
      const client = new window.Client(key, { baseURL });
      const world = Object.fromEntries(moves.map((name) => [name, (...args) => window.world(name, ...args)]));
      world.connect = () => client.connectUser({ id: 'john' }, token);
      return stories[story](client, world);
    },
    { key: stage.server.key, baseURL: proxy.url, token: stage.server.token('john'), story, moves: Object.keys(world) },
  );
}

function fake(story) {
  const channels = story === 'channels' ? [{ type: 'messaging', id: 'lunch', members: ['jack', 'john'], created_by_id: 'jack', color: 'green' }] : [];
  const { client, ...hold } = fakePresence({ users: ['jack', 'jill'], channels });
  const lunch = () => hold.channel('messaging', 'lunch');
  return stories[story](client, {
    connect: () => client.connectUser({ id: 'john' }, client.devToken('john')),
    comes: (id) => hold.goOnline(id),
    leaves: (id) => hold.goOffline(id),
    says: (id, status) => hold.setStatus(id, status),
    opens: (id) => lunch().startWatching(id),
    closes: (id) => lunch().stopWatching(id),
    writes: (id, text) => lunch().sendMessage(id, text),
    adds: (id) => lunch().addMember(id),
    drops: (id) => lunch().removeMember(id),
    renames: (data) => lunch().update(data),
    lose: () => hold.loseConnection(),
    regain: () => hold.reconnect(),
  });
}

for (const story of Object.keys(stories)) {
  test(`a story of ${story}, and both clients tell it alike`, async (t) => {
    const told = await inTime(real(t, story), 'the story with the real client', STORY);
    const faked = await inTime(fake(story), 'the story with the fake client');
    for (const about of Object.keys(told)) assert.deepEqual(faked[about], told[about], about);
  });
}

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

test('connecting waits for the network, and no longer than the real client would', async () => {
  const fake = fakePresence();
  fake.loseConnection();
  const connect = () => fake.client.connectUser({ id: 'john' }, fake.client.devToken('john'));
  const [connecting, watching] = [connect(), fake.client.watchPresence(['john'])];
  await new Promise(setImmediate);
  assert.equal(fake.client.connection.state, 'waiting');
  fake.reconnect();
  await connecting;
  assert.equal((await watching).get('john').online, true);

  await fake.client.disconnectUser();
  fake.loseConnection();
  const given = connect();
  await new Promise(setImmediate);
  fake.advance(15_000);
  await assert.rejects(given, { code: 'timeout', retryable: true });
  assert.equal(fake.client.connection.state, 'disconnected');
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
  assert.throws(() => fake.goOffline('bbo'), /no user "bbo"/);
  assert.throws(() => fake.setStatus('bbo', 'Lunch'), /no user "bbo"/);
});

test('a channel is what others make of it, and tells of ten members', async () => {
  const members = Array.from({ length: 12 }, (_, n) => `u${String(n).padStart(2, '0')}`);
  const fake = fakePresence({ user: 'u00', channels: [{ type: 'messaging', id: 'lunch', members, color: 'green' }] });
  const channel = fake.client.channel('messaging', 'lunch');
  const heard = [];
  channel.on(({ type, user, hand }) => heard.push([type, user?.id, hand].filter(Boolean).join(' ')));
  assert.equal((await channel.watch({ presence: true })).presence_omitted, 2);
  const freshness = (id) => fake.client.user(id).presence.freshness;
  assert.deepEqual(['u09', 'u10'].map(freshness), ['live', 'stale']);
  fake.goOnline('u09');
  fake.goOnline('u10');
  assert.deepEqual(['u09', 'u10'].map((id) => channel.state.members[id].user.online), [true, false]);

  const lunch = fake.channel('messaging', 'lunch');
  lunch.sendEvent('u01', 'typing.start');
  lunch.sendEvent('u01', 'hand.raised', { hand: 'left' });
  fake.advance(1_000);
  const { id, created_at } = lunch.sendMessage('u01', { text: 'Pizza?', id: 'm1' });
  assert.deepEqual([id, created_at], ['m1', '2026-01-01T00:00:01.000Z']);
  lunch.delete();
  assert.deepEqual(channel.state.watcher_count, 0);
  assert.deepEqual(await fake.client.queryChannels({}), []);
  assert.deepEqual(heard, ['user.watching.start u00', 'typing.start u01', 'hand.raised u01 left', 'message.new u01', 'channel.deleted']);
});

test('a token is asked for, and what is wrong with it told', async () => {
  const { client } = fakePresence();
  await assert.rejects(client.connectUser({ id: 'john' }, client.devToken('jack')), { code: 'token_mismatch' });
  await assert.rejects(client.connectUser({ id: 'john' }, async () => { throw new Error('no'); }), { code: 'token_provider' });
  await client.connectUser({ id: 'john' }, async () => client.devToken('john'));
  assert.equal(client.user.online, true);
  await assert.rejects(client.upsertUser({ id: 'jack', name: 'Jack' }), { code: 17, status: 403, retryable: false });
  await client.disconnectUser();
  await client.connectUser({ id: 'jack', name: 'Jack' }, client.devToken('jack'));
  const { users } = await client.queryUsers({}, { id: 1 });
  assert.deepEqual(users.map(({ id, name, online }) => [id, name, online]), [['jack', 'Jack', true], ['john', undefined, false]]);
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
    { badges: { $contains: 'kind' } }, { badges: { $in: ['early'] } }, { badges: 'kind' }, { badges: ['early', 'kind'] }, { badges: ['kind', 'early'] }, { 'home.city': 'Oslo' }, { 'home.city': { $exists: true } },
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

test('and the same channels, of those that one may read', async (t) => {
  const channels = [
    { type: 'messaging', id: 'lunch', members: ['ada', 'bob'], color: 'green', floor: 3, name: 'Lunch at noon' },
    { type: 'messaging', id: 'attic', members: ['bob', 'cyd'], color: 'red', floor: 4 },
    { type: 'team', id: 'red', members: ['ada'], color: 'red', tags: ['new', 'loud'] },
    { type: 'livestream', id: 'show', color: 'green', floor: 1, team: 'red' },
    { type: 'messaging', id: 'den', members: ['cyd', 'ada', 'bob'], floor: 2 },
  ];
  const stage = await newStage(t);
  await stage.admin.upsertUsers(['ada', 'bob', 'cyd'].map((id) => ({ id })));
  const fake = fakePresence({ users: ['ada', 'bob', 'cyd'] });
  for (const { type, id, ...data } of channels) {
    await stage.admin.channel(type, id, { ...data, created_by_id: 'cyd' }).create();
    fake.advance(1_000);
    fake.channel(type, id, { ...data, created_by_id: 'cyd' });
  }
  const ada = await stage.person('ada', 'node');
  await ada.connect();
  await fake.client.connectUser({ id: 'ada' }, fake.client.devToken('ada'));
  await ada.client.channel('messaging', 'lunch').sendMessage({ text: 'Pizza?' });
  fake.advance(1_000);
  fake.channel('messaging', 'lunch').sendMessage('ada', 'Pizza?');

  const filters = [
    {}, { cid: 'messaging:lunch' }, { cid: 'messaging:attic' }, { id: { $in: ['lunch', 'show', 'attic'] } }, { type: 'messaging' }, { type: { $in: ['team', 'livestream'] } },
    { members: { $in: ['bob'] } }, { members: ['bob', 'ada'] }, { members: 'ada' }, { joined: true }, { member_count: { $gte: 2 } }, { created_by_id: 'cyd' },
    { color: 'red' }, { color: { $exists: false } }, { floor: { $gt: 1, $lte: 3 } }, { tags: { $contains: 'loud' } }, { tags: { $in: ['new'] } }, { name: { $autocomplete: 'noo' } },
    { team: 'red' }, { frozen: false }, { disabled: false }, { distinct: false }, { last_message_at: { $exists: true } }, { last_updated: { $gt: '2020-01-01T00:00:00Z' } },
    { $or: [{ color: 'green' }, { floor: 2 }] }, { $nor: [{ type: 'messaging' }] }, { $and: [{ joined: true }, { color: 'green' }] },
  ];
  const sorts = [{}, { cid: -1 }, [{ color: 1 }, { cid: 1 }], [{ last_message_at: -1 }, { created_at: 1 }], [{ member_count: -1 }, { floor: 1 }]];
  const cids = async (client, filter, sort) => (await client.queryChannels(filter, sort, { watch: false, state: true })).map(({ cid }) => cid);
  for (const filter of filters) {
    for (const sort of sorts) {
      assert.deepEqual(await cids(fake.client, filter, sort), await cids(ada.client, filter, sort), JSON.stringify([filter, sort]));
    }
  }
});
