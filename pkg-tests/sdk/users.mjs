// Everything the official JavaScript SDK can do with users, from a backend and from an app.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StreamChat } from 'stream-chat';
import { event, presence } from './harness/event.mjs';
import { Replies } from './harness/replies.mjs';
import { newStage } from './harness/stage.mjs';

const replies = new Replies();
const now = () => Math.floor(Date.now() / 1000);

/** A backend whose replies are kept, and people whose events are. */
async function stageWith(t, ...ids) {
  const stage = await newStage(t);
  const admin = replies.of(stage.admin, 'StreamChat');
  const people = [];
  for (const id of ids) {
    const person = await stage.person(id, 'node');
    replies.listen(person.client);
    await person.connect();
    people.push(person);
  }
  return { stage, admin, people };
}

async function idsOf(admin, filter, options) {
  const { users } = await admin.queryUsers(filter, { id: 1 }, options);
  return users.map(({ id }) => id);
}

async function refused(stage, id, token) {
  const client = new StreamChat(stage.server.key, { baseURL: stage.server.url, timeout: 10_000, allowServerSideConnect: true });
  stage.defer(() => client.disconnectUser());
  const failure = await client.connectUser({ id }, token).then(
    () => assert.fail('it was let in'),
    (error) => error,
  );
  return JSON.parse(failure.message).code;
}

describe('writing users', () => {
  test('one and many, whole and in part', async (t) => {
    const { admin } = await stageWith(t);
    await admin.upsertUser({ id: 'ann', status: 'Here', pets: { cat: 'Tom' } });
    await admin.upsertUsers([{ id: 'bob', role: 'admin', teams: ['red'] }, { id: 'cyd' }]);
    await admin.updateUser({ id: 'cyd', name: 'Cyd' });
    const { users } = await admin.partialUpdateUser({ id: 'ann', set: { 'pets.dog': 'Rex' }, unset: ['status'] });
    assert.deepEqual(users.ann.pets, { cat: 'Tom', dog: 'Rex' });
    assert.equal(users.ann.status, undefined);
    const both = await admin.partialUpdateUsers([
      { id: 'bob', set: { color: 'green' } },
      { id: 'cyd', set: { color: 'blue' } },
    ]);
    assert.deepEqual(Object.keys(both.users).sort(), ['bob', 'cyd']);
    assert.deepEqual(await idsOf(admin, { color: { $in: ['green', 'blue'] } }), ['bob', 'cyd']);
    assert.deepEqual(await idsOf(admin, { teams: { $contains: 'red' } }), ['bob']);
  });

  test('an app writes its own user', async (t) => {
    const { people: [john] } = await stageWith(t, 'john');
    const client = replies.of(john.client, 'StreamChat');
    await client.upsertUser({ id: 'john', status: 'Here', invisible: true });
    await client.partialUpdateUser({ id: 'john', set: { status: 'There', invisible: false } });
    const { users } = await client.queryUsers({ id: 'john' });
    assert.equal(users[0].status, 'There');
    await client.disconnectUser();
  });
});

describe('connecting', () => {
  test('as a guest', async (t) => {
    const { stage } = await stageWith(t);
    const guest = new StreamChat(stage.server.key, { baseURL: stage.server.url, timeout: 10_000, allowServerSideConnect: true });
    replies.listen(guest);
    stage.defer(() => guest.disconnectUser());
    await guest.setGuestUser({ id: 'passer-by', name: 'Passer-by' });
    assert.equal(guest.user.role, 'guest');
    assert.equal(guest.user.name, 'Passer-by');
    const { users } = await guest.queryUsers({ id: guest.userID });
    assert.equal(users[0].online, true);
  });

  test('as nobody in particular', async (t) => {
    const { stage, admin } = await stageWith(t);
    await admin.upsertUser({ id: 'ann' });
    const room = stage.admin.channel('livestream', 'show', { created_by_id: 'ann' });
    await room.create();
    const nobody = new StreamChat(stage.server.key, { baseURL: stage.server.url, timeout: 10_000, allowServerSideConnect: true });
    stage.defer(() => nobody.disconnectUser());
    const first = await nobody.connectAnonymousUser();
    assert.ok(first.connection_id);
    const state = await nobody.channel('livestream', 'show').watch();
    assert.equal(state.channel.cid, 'livestream:show');
    await assert.rejects(nobody.channel('livestream', 'show').sendMessage({ text: 'Hello' }), { status: 403 });
  });

  test('when deactivated or deleted it is refused', async (t) => {
    const { stage, admin } = await stageWith(t);
    await admin.upsertUsers([{ id: 'ann' }, { id: 'bob' }]);
    await admin.deactivateUser('ann');
    await admin.deleteUser('bob');
    assert.equal(await refused(stage, 'ann', stage.server.token('ann')), 5);
    assert.equal(await refused(stage, 'bob', stage.server.token('bob')), 16);
  });

  // Revoked reads as expired: a token provider is then asked for a new one.
  test('with a revoked token it is refused', async (t) => {
    const { stage, admin } = await stageWith(t);
    await admin.upsertUsers([{ id: 'ann' }, { id: 'bob' }]);
    const old = (id) => stage.server.token(id, undefined, now() - 120);
    await admin.revokeUserToken('ann', new Date((now() - 60) * 1000));
    assert.equal(await refused(stage, 'ann', old('ann')), 40);
    const bob = await stage.person('bob', 'node');
    await bob.connect({}, old('bob'));
    await bob.disconnect();

    await admin.revokeTokens(new Date((now() - 60) * 1000));
    assert.equal(await refused(stage, 'bob', old('bob')), 40);
    await bob.connect({}, stage.server.token('bob', undefined, now()));
  });
});

describe('ending users', () => {
  test('deactivated and back, one and many', async (t) => {
    const { admin } = await stageWith(t);
    await admin.upsertUsers([{ id: 'ann' }, { id: 'bob' }]);
    const { user } = await admin.deactivateUser('ann');
    assert.ok(user.deactivated_at);
    assert.deepEqual(await idsOf(admin, {}), ['bob']);
    assert.deepEqual(await idsOf(admin, {}, { include_deactivated_users: true }), ['ann', 'bob']);
    await admin.reactivateUser('ann', { name: 'Ann again' });
    assert.deepEqual(await idsOf(admin, { name: 'Ann again' }), ['ann']);

    const gone = await admin.deactivateUsers(['ann', 'bob']);
    const task = await admin.getTask(gone.task_id);
    assert.equal(task.status, 'completed');
    assert.deepEqual(await idsOf(admin, {}), []);
    await admin.reactivateUsers(['ann', 'bob']);
    assert.deepEqual(await idsOf(admin, {}), ['ann', 'bob']);
  });

  test('deleted, restored, and deleted for good', async (t) => {
    const { admin, people: [jack] } = await stageWith(t, 'jack');
    await admin.upsertUsers([{ id: 'ann' }, { id: 'bob' }]);
    await jack.watch('ann', 'bob');
    const { user } = await admin.deleteUser('ann');
    assert.ok(user.deleted_at);
    assert.ok((await jack.heard.next(event('user.deleted', 'ann'))).user.deleted_at);
    await admin.restoreUsers(['ann']);
    assert.deepEqual(await idsOf(admin, { id: 'ann' }), ['ann']);

    const { task_id } = await admin.deleteUsers(['ann', 'bob'], { user: 'hard', messages: 'hard', conversations: 'hard' });
    const task = await admin.getTask(task_id);
    assert.deepEqual(task.result, { ann: { status: 'ok' }, bob: { status: 'ok' } });
    assert.equal((await jack.heard.next(event('user.deleted', 'bob'))).hard_delete, true);
    await assert.rejects(admin.restoreUsers(['ann']), { code: 16, status: 404 });
  });

  test('one who is deleted while online is gone at once', async (t) => {
    const { admin, people: [jack, john] } = await stageWith(t, 'jack', 'john');
    await jack.watch('john');
    await admin.deleteUser('john');
    await jack.heard.next(event('user.deleted', 'john'));
    assert.deepEqual(await jack.watch('john'), {});
    await assert.rejects(john.client.upsertUser({ id: 'john', name: 'Ghost' }), { code: 16, status: 404 });
  });
});

describe('telling users', () => {
  test('a custom event reaches the user it is for, and nobody else', async (t) => {
    const { admin, people: [jack, john] } = await stageWith(t, 'jack', 'john');
    await admin.sendUserCustomEvent('john', { type: 'friendship_requested', from: 'jill' });
    const { from } = await john.heard.next(event('friendship_requested'));
    assert.equal(from, 'jill');
    await jack.watch('john');
    assert.deepEqual(jack.heard.all(event('friendship_requested')), []);
    await assert.rejects(admin.sendUserCustomEvent('nobody', { type: 'hello' }), { code: 16, status: 404 });
  });

  test('presence and profile events', async (t) => {
    const { people: [jack, john] } = await stageWith(t, 'jack', 'john');
    await jack.watch('john');
    await john.upsert({ invisible: true, status: 'Away' });
    await jack.heard.next(presence('john', false));
    await john.disconnect();
  });
});

test('what came back has the types that the SDK declares', () =>
  replies.check({
    methods: [
      'upsertUser', 'upsertUsers', 'updateUser', 'partialUpdateUser', 'partialUpdateUsers', 'queryUsers',
      'deactivateUser', 'deactivateUsers', 'reactivateUser', 'reactivateUsers', 'deleteUser', 'deleteUsers',
      'restoreUsers', 'getTask', 'sendUserCustomEvent', 'revokeUserToken', 'revokeTokens',
    ],
    events: ['health.check', 'user.presence.changed', 'user.updated', 'user.deleted', 'friendship_requested'],
  }));
