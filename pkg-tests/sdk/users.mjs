// Everything the official JavaScript SDK can do with users, from a backend and from an app.

import assert from 'node:assert/strict';
import { Chapter } from '../harness/chapter.mjs';
import { event, presence } from '../harness/event.mjs';

const now = () => Math.floor(Date.now() / 1000);

const writing = new Chapter('users: writing');
const connecting = new Chapter('users: connecting');
const ending = new Chapter('users: ending');
const telling = new Chapter('users: telling');
export const users = [writing, connecting, ending, telling];

async function idsOf(admin, filter, options) {
  const { users } = await admin.queryUsers(filter, { id: 1 }, options);
  return users.map(({ id }) => id);
}

writing.story('one and many, whole and in part', { backend: true }, async ({ admin }) => {
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

writing.story('an app writes its own user', async (stage) => {
  const [john] = await stage.people('john');
  const { client } = john;
  await client.upsertUser({ id: 'john', status: 'Here', invisible: true });
  await client.partialUpdateUser({ id: 'john', set: { status: 'There', invisible: false } });
  const { users } = await client.queryUsers({ id: 'john' });
  assert.equal(users[0].status, 'There');
  await client.disconnectUser();
});

connecting.story('warmed up by a request that says nothing', async (stage) => {
  const john = stage.person('john', { warmUp: true });
  assert.equal((await john.connect()).id, 'john');
});

connecting.story('as a guest', async (stage) => {
  const guest = stage.person('passer-by').client;
  await guest.setGuestUser({ id: 'passer-by', name: 'Passer-by' });
  assert.equal(guest.user.role, 'guest');
  assert.equal(guest.user.name, 'Passer-by');
  const { users } = await guest.queryUsers({ id: guest.userID });
  assert.equal(users[0].online, true);
});

connecting.story('as nobody in particular', async (stage) => {
  await stage.admin.upsertUser({ id: 'ann' });
  await stage.admin.channel('livestream', 'show', { created_by_id: 'ann' }).create();
  const nobody = stage.person('nobody').client;
  const first = await nobody.connectAnonymousUser();
  assert.ok(first.connection_id);
  const state = await nobody.channel('livestream', 'show').watch();
  assert.equal(state.channel.cid, 'livestream:show');
  await assert.rejects(nobody.channel('livestream', 'show').sendMessage({ text: 'Hello' }), { status: 403 });
});

connecting.story('when deactivated or deleted it is refused', async (stage) => {
  const { admin } = stage;
  await admin.upsertUsers([{ id: 'ann' }, { id: 'bob' }]);
  await admin.deactivateUser('ann');
  await admin.deleteUser('bob');
  assert.equal((await stage.person('ann').refusal()).code, 5);
  assert.equal((await stage.person('bob').refusal()).code, 16);
});

// Revoked reads as expired: a token provider is then asked for a new one.
connecting.story('with a revoked token it is refused', async (stage) => {
  const { admin } = stage;
  await admin.upsertUsers([{ id: 'ann' }, { id: 'bob' }]);
  const old = (id) => stage.token(id, { iat: now() - 120 });
  const [ann, bob] = ['ann', 'bob'].map((id) => stage.person(id));
  await admin.revokeUserToken('ann', new Date((now() - 60) * 1000));
  assert.equal((await ann.refusal(old('ann'))).code, 40);
  await bob.connect({}, old('bob'));
  await bob.disconnect();

  await admin.revokeUsersToken(['ann', 'bob'], new Date((now() - 60) * 1000));
  assert.equal((await bob.refusal(old('bob'))).code, 40);
  await admin.revokeUsersToken(['bob'], null);
  await bob.connect({}, old('bob'));
  await bob.disconnect();

  await admin.revokeTokens(new Date((now() - 60) * 1000));
  assert.equal((await bob.refusal(old('bob'))).code, 40);
  await bob.connect({}, stage.token('bob', { iat: now() }));
});

ending.story('deactivated and back, one and many', { backend: true }, async ({ admin }) => {
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

ending.story('deleted, restored, and deleted for good', async (stage) => {
  const [jack] = await stage.people('jack');
  const { admin } = stage;
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

ending.story('one who is deleted while online is gone at once', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  const { admin } = stage;
  await jack.watch('john');
  await admin.deleteUser('john');
  await jack.heard.next(event('user.deleted', 'john'));
  assert.deepEqual(await jack.watch('john'), {});
  await assert.rejects(john.client.upsertUser({ id: 'john', name: 'Ghost' }), { code: 16, status: 404 });
});

telling.story('a custom event reaches the user it is for, and nobody else', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  const { admin } = stage;
  await admin.sendUserCustomEvent('john', { type: 'friendship_requested', from: 'jill' });
  const { from } = await john.heard.next(event('friendship_requested'));
  assert.equal(from, 'jill');
  await jack.watch('john');
  assert.deepEqual(jack.heard.all(event('friendship_requested')), []);
  await assert.rejects(admin.sendUserCustomEvent('nobody', { type: 'hello' }), { code: 16, status: 404 });
});

telling.story('presence and profile events', async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
  await jack.watch('john');
  await john.upsert({ invisible: true, status: 'Away' });
  await jack.heard.next(presence('john', false));
  await john.disconnect();
});
