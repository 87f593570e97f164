// The official JavaScript SDK and presence: what its calls show, and what its events tell.

import assert from 'node:assert/strict';
import { Chapter } from '../harness/chapter.mjs';
import { event, presence, status } from '../harness/event.mjs';

const users = new Chapter('presence: users');
const invisible = new Chapter('presence: being invisible');
const channels = new Chapter('presence: channels');
const devices = new Chapter('presence: devices');
export const presences = [users, invisible, channels, devices];

/** Jack and John, connected, and Jack has seen John come. */
async function jackWatchesJohn(stage) {
  await stage.admin.upsertUser({ id: 'john' });
  const [jack, john] = [stage.person('jack'), stage.person('john')];
  await jack.connect();
  await jack.watch('john');
  await john.connect();
  await jack.heard.next(presence('john', true));
  return { jack, john };
}

users.story('connectUser creates the user and tells who one is', async (stage) => {
  const john = stage.person('john');
  const me = await john.connect({ name: 'John', status: 'Here', pets: { cat: 'Tom' } });
  assert.equal(me.id, 'john');
  assert.equal(me.online, true);
  assert.equal(me.invisible, false);
  assert.deepEqual(me.pets, { cat: 'Tom' });
  assert.equal(john.client.user.status, 'Here');

  const { users } = await stage.admin.queryUsers({ id: 'john' });
  assert.equal(users[0].online, true);
  assert.ok(users[0].last_active);
});

users.story('connecting again with only an id keeps what is known', async (stage) => {
  const john = stage.person('john');
  await john.connect({ name: 'John', invisible: true });
  await john.disconnect();
  const me = await john.connect();
  assert.equal(me.name, 'John');
  assert.equal(me.invisible, true);
});

users.story('upsertUser and partialUpdateUser write fields, and a watcher hears of each', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  await jack.watch('john');
  const upserted = await john.client.upsertUser({ id: 'john', name: 'John', status: 'One' });
  assert.equal(upserted.users.john.name, 'John');
  await jack.heard.next(status('john', 'One'));

  const patched = await john.client.partialUpdateUser({ id: 'john', set: { status: 'Two', 'pets.cat': 'Tom' }, unset: ['name'] });
  assert.deepEqual(patched.users.john.pets, { cat: 'Tom' });
  const { user } = await jack.heard.next(status('john', 'Two'));
  assert.deepEqual(user.pets, { cat: 'Tom' });
  assert.equal(user.name, undefined);
  assert.equal(user.online, true, 'a profile write does not touch presence');
});

users.story('upsertUsers writes all or none', { backend: true }, async ({ admin }) => {
  await admin.upsertUsers([{ id: 'a' }, { id: 'b' }]);
  await assert.rejects(admin.upsertUsers([{ id: 'c' }, { id: 'not an id!' }]), { code: 4 });
  const { users } = await admin.queryUsers({ id: { $in: ['a', 'b', 'c'] } }, { id: 1 });
  assert.deepEqual(users.map(({ id }) => id), ['a', 'b']);
});

users.story('queryUsers filters, sorts and pages', { backend: true }, async ({ admin }) => {
  await admin.upsertUsers([
    { id: 'ann', name: 'Ann Arbor', age: 30 },
    { id: 'bob', name: 'Bob Marley', age: 20 },
    { id: 'cyd', name: 'Cyd Arbuckle' },
  ]);
  const ids = async (...query) => (await admin.queryUsers(...query)).users.map(({ id }) => id);
  assert.deepEqual(await ids({ id: { $in: ['ann', 'bob', 'nobody'] } }, { id: -1 }), ['bob', 'ann']);
  assert.deepEqual(await ids({ age: { $gt: 20 } }), ['ann']);
  assert.deepEqual(await ids({ age: { $exists: false } }), ['cyd']);
  assert.deepEqual(await ids({ name: { $autocomplete: 'arb' } }, { id: 1 }), ['ann', 'cyd']);
  assert.deepEqual(await ids({ $or: [{ id: 'bob' }, { age: 30 }] }, [{ age: 1 }]), ['bob', 'ann']);
  assert.deepEqual(await ids({}, { age: 1 }, { limit: 2, offset: 1 }), ['ann', 'cyd'], 'missing values sort last');
  await assert.rejects(admin.queryUsers({ id: 5 }), { code: 4, status: 400 });
  await assert.rejects(admin.queryUsers({ age: { $ne: 3 } }), { code: 4 });
});

users.story("nobody may write another user's profile or their own role", async (stage) => {
  const [, john] = await stage.people('jack', 'john');
  await assert.rejects(john.client.upsertUser({ id: 'jack', name: 'Jackass' }), { code: 17, status: 403 });
  await assert.rejects(john.client.partialUpdateUser({ id: 'jack', set: { name: 'Jackass' } }), { code: 17 });
  await assert.rejects(john.client.partialUpdateUser({ id: 'john', set: { role: 'admin' } }), { code: 17 });
});

invisible.story('toggled by upsert and by partial update, it flips what others see', async (stage) => {
  const { jack, john } = await jackWatchesJohn(stage);
  const flips = [
    [() => john.client.upsertUser({ id: 'john', invisible: true }), false],
    [() => john.client.upsertUser({ id: 'john', invisible: false }), true],
    [() => john.client.partialUpdateUser({ id: 'john', set: { invisible: true } }), false],
    [() => john.client.partialUpdateUser({ id: 'john', unset: ['invisible'] }), true],
  ];
  for (const [flip, online] of flips) {
    await flip();
    const { user } = await jack.heard.next(presence('john', online));
    assert.equal('invisible' in user, false, 'whether one is invisible is nobody else’s business');
  }
  assert.equal(jack.heard.all(presence('john')).length, 1 + flips.length);
});

invisible.story('an invisible user neither counts nor shows as a watcher', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  await john.upsert({ invisible: true });
  const channel = () => ['messaging', 'den', { members: ['jack', 'john'] }];
  await john.client.channel(...channel()).watch();
  const den = jack.client.channel(...channel());
  await den.watch();
  assert.deepEqual(Object.keys(den.state.watchers), ['jack']);
  assert.equal(den.state.watcher_count, 1);

  await john.upsert({ invisible: false });
  await jack.heard.next(event('user.watching.start', 'john'));
  assert.equal(den.state.watcher_count, 2);
});

channels.story('channel.watch with presence tells of the members', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  const channel = jack.client.channel('messaging', 'lunch', { members: ['jack', 'john'], color: 'green' });
  const state = await channel.watch({ presence: true });
  assert.equal(state.channel.cid, 'messaging:lunch');
  assert.equal(channel.data.color, 'green');
  assert.equal(channel.state.members.john.user.online, true);

  await john.disconnect();
  await jack.heard.next(presence('john', false));
  assert.equal(channel.state.members.john.user.online, false);
});

channels.story('queryChannels with presence tells of the members', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  for (const [id, color] of [['one', 'green'], ['two', 'red']]) {
    await stage.admin.channel('messaging', id, { members: ['jack', 'john'], color, created_by_id: 'john' }).create();
  }
  const channels = await jack.client.queryChannels({ color: 'green', members: { $in: ['jack'] } }, { last_message_at: -1 }, { presence: true });
  assert.deepEqual(channels.map(({ cid }) => cid), ['messaging:one']);
  assert.equal(channels[0].state.members.john.user.online, true);

  await john.upsert({ invisible: true });
  await jack.heard.next(presence('john', false));
  assert.equal(channels[0].state.members.john.user.online, false);
});

channels.story('a channel of members without an id is the same channel for each of them', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  const [one, other] = [
    jack.client.channel('messaging', { members: ['jack', 'john'] }),
    john.client.channel('messaging', { members: ['john', 'jack'] }),
  ];
  await one.watch();
  await other.watch();
  assert.equal(one.cid, other.cid);
  assert.match(one.id, /^!members-/);
});

channels.story('those who watch see others start and stop watching', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  const [his, theirs] = [jack, john].map(({ client }) => client.channel('messaging', 'den', { members: ['jack', 'john'] }));
  await his.watch();
  await theirs.watch();
  const started = await jack.heard.next(event('user.watching.start', 'john'));
  assert.equal(started.cid, 'messaging:den');
  assert.equal(started.watcher_count, 2);
  assert.ok(his.state.watchers.john);

  await theirs.stopWatching();
  await jack.heard.next(event('user.watching.stop', 'john'));
  assert.equal(his.state.watchers.john, undefined);
  assert.equal(his.state.watcher_count, 1);
});

channels.story("a message carries its author's presence", async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  const [his, theirs] = [jack, john].map(({ client }) => client.channel('messaging', 'den', { members: ['jack', 'john'] }));
  await his.watch({ presence: true });
  await theirs.watch();
  const sent = await theirs.sendMessage({ text: 'Hello' });
  assert.equal(sent.message.user.id, 'john');
  const heard = await jack.heard.next(event('message.new', 'john'));
  assert.equal(heard.message.text, 'Hello');
  assert.equal(heard.message.user.online, true);

  await john.disconnect();
  await jack.heard.next(presence('john', false));
  const { messages } = await his.query({ messages: { limit: 10 } });
  assert.equal(messages[0].user.online, false);
});

channels.story('watching without a connection is an error that says so', { backend: true }, async ({ admin }) => {
  await admin.upsertUser({ id: 'john' });
  const channel = admin.channel('messaging', 'den', { created_by_id: 'john' });
  await assert.rejects(channel.watch({ presence: true }), { code: 4, message: /active websocket connection/ });
});

devices.story('one is online while any device is, and nobody hears of the others', async (stage) => {
  const { jack, john } = await jackWatchesJohn(stage);
  const phone = stage.person('john');
  await phone.connect();
  await phone.disconnect();
  await john.upsert({ status: 'still here' });
  await jack.heard.next(status('john', 'still here'));
  assert.equal(jack.heard.all(presence('john')).length, 1);

  await john.disconnect();
  await jack.heard.next(presence('john', false));
});

devices.story('an app in the background closes its connection, and opens it again as the same user', { grace: '1h' }, async (stage) => {
  const { jack, john } = await jackWatchesJohn(stage);
  await john.client.closeConnection();
  await jack.heard.next(presence('john', false));
  await john.client.openConnection();
  await jack.heard.next(presence('john', true));
  assert.equal((await john.heard.next(event('health.check'))).me.id, 'john');
});

channels.story('listeners hear of one channel or of everything, until they are removed', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  const [his, theirs] = [jack, john].map(({ client }) => client.channel('messaging', 'den', { members: ['jack', 'john'] }));
  await his.watch({ presence: true });
  const heard = [];
  const arrivals = ({ user }) => heard.push(`${user.id} watches`);
  his.on('user.watching.start', arrivals);
  const flips = ({ user }) => heard.push(`${user.id} flips`);
  jack.client.on('user.presence.changed', flips);

  await theirs.watch();
  await jack.heard.next(event('user.watching.start', 'john'));
  await john.upsert({ invisible: true });
  await jack.heard.next(presence('john', false));
  assert.deepEqual(heard, ['john watches', 'john flips']);

  his.off('user.watching.start', arrivals);
  jack.client.off('user.presence.changed', flips);
  await john.upsert({ invisible: false });
  await jack.heard.next(presence('john', true));
  await theirs.stopWatching();
  await theirs.watch();
  await jack.heard.next(event('user.watching.start', 'john'));
  assert.equal(heard.length, 2);
});
