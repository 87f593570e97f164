// Everything the official JavaScript SDK can do with channels that bears on presence.

import assert from 'node:assert/strict';
import { Chapter } from '../harness/chapter.mjs';
import { event } from '../harness/event.mjs';

const asking = new Chapter('channels: asking');
const members = new Chapter('channels: members');
const itself = new Chapter('channels: the channel itself');
const messages = new Chapter('channels: messages and events');
export const channels = [asking, members, itself, messages];

/**
 * A channel of Jack and John, who both watch it; Jill is known but not connected.
 * `den` is the backend's handle of it.
 */
async function denOf(stage, type = 'messaging') {
  const { admin } = stage;
  await admin.upsertUsers(['jack', 'john', 'jill'].map((id) => ({ id })));
  const den = admin.channel(type, 'den', { members: ['jack', 'john'], created_by_id: 'jack' });
  await den.create();
  const [jack, john] = await stage.people('jack', 'john');
  for (const person of [jack, john]) {
    person.den = person.client.channel(type, 'den');
    await person.den.watch({ presence: true });
  }
  return { admin, den, jack, john };
}

const memberIds = async (channel, filter = {}) => (await channel.queryMembers(filter, { user_id: 1 })).members.map(({ user_id }) => user_id);

asking.story('for one channel and for many', async (stage) => {
  const { admin, jack } = await denOf(stage);
  const attic = admin.channel('messaging', 'attic', { members: ['jack'], created_by_id: 'jack', color: 'green', floor: 3 });
  await attic.create();
  const { client } = jack;
  const found = await client.queryChannelsRequest({ members: { $in: ['jack'] }, floor: { $gt: 2 } }, [{ floor: -1 }], { presence: true, limit: 5 });
  assert.deepEqual(found.map(({ channel }) => channel.cid), ['messaging:attic']);
  const page = await client.queryChannelsRequestWithResponse({ members: { $in: ['jack'] } }, { cid: 1 }, { limit: 1 });
  assert.deepEqual(page.channels.map(({ channel }) => channel.cid), ['messaging:attic']);
  assert.deepEqual((await client.queryChannels({ members: { $in: ['jack'] } }, { cid: 1 })).map(({ cid }) => cid), ['messaging:attic', 'messaging:den']);

  const { messages, members, watchers, watcher_count } = await jack.den.query({
    messages: { limit: 10 },
    members: { limit: 1, offset: 1 },
    watchers: { limit: 10 },
  });
  assert.deepEqual([messages.length, members.length, watcher_count], [0, 1, 2]);
  assert.deepEqual(watchers.map(({ id }) => id).sort(), ['jack', 'john']);
  await assert.rejects(admin.queryChannels({ floor: { $near: 3 } }), { code: 4, status: 400 });
});

asking.story('for members', async (stage) => {
  const { den } = await denOf(stage);
  assert.deepEqual(await memberIds(den), ['jack', 'john']);
  assert.deepEqual(await memberIds(den, { id: { $in: ['john', 'jill'] } }), ['john']);
  await assert.rejects(den.queryMembers({ id: { $near: 'jack' } }), { code: 4 });
});

asking.story('is only for those who belong', async (stage) => {
  await denOf(stage);
  const [jill] = await stage.people('jill');
  const den = jill.client.channel('messaging', 'den');
  await assert.rejects(den.watch(), { code: 17, status: 403 });
  await assert.rejects(jill.client.channel('messaging', 'den').sendMessage({ text: 'Let me in' }), { status: 403 });
  assert.deepEqual(await jill.client.queryChannels({ cid: 'messaging:den' }), []);
});

members.story('come and go, and everybody concerned hears of it', async (stage) => {
  const { den, jack } = await denOf(stage);
  const [jill] = await stage.people('jill');
  await den.addMembers(['jill']);
  assert.equal((await jack.heard.next(event('member.added'))).member.user_id, 'jill');
  assert.equal((await jill.heard.next(event('notification.added_to_channel'))).channel.cid, 'messaging:den');

  await den.removeMembers(['jill']);
  await jack.heard.next(event('member.removed', 'jill'));
  await jill.heard.next(event('notification.removed_from_channel'));
  assert.deepEqual(await memberIds(den), ['jack', 'john']);
});

members.story('are invited, and accept or decline', async (stage) => {
  const { den } = await denOf(stage);
  const [jill] = await stage.people('jill');
  await den.inviteMembers(['jill']);
  await jill.heard.next(event('notification.invited'));
  assert.deepEqual(await memberIds(den, { invite: 'pending' }), ['jill']);
  const hers = () => jill.client.channel('messaging', 'den');
  await hers().acceptInvite();
  assert.deepEqual(await memberIds(den, { invite: 'accepted' }), ['jill']);
  await den.removeMembers(['jill']);
  await jill.heard.next(event('notification.removed_from_channel'));
  await den.inviteMembers(['jill']);
  await hers().rejectInvite();
  assert.deepEqual(await memberIds(den, { invite: 'rejected' }), ['jill']);
});

members.story('have roles and fields of their own', async (stage) => {
  const { den, jack } = await denOf(stage);
  await den.addModerators(['john']);
  assert.equal((await jack.heard.next(event('member.updated'))).member.channel_role, 'channel_moderator');
  await den.demoteModerators(['john']);
  await den.assignRoles([{ user_id: 'john', channel_role: 'channel_moderator' }]);
  assert.deepEqual(await memberIds(den, { channel_role: 'channel_moderator' }), ['john']);

  const { channel_member } = await jack.den.updateMemberPartial({ set: { nick: 'Jacky' } });
  assert.equal(channel_member.nick, 'Jacky');
  await jack.den.updateMemberPartial({ unset: ['nick'] });
  const his = await den.partialUpdateMember('john', { set: { nick: 'Johnny' } });
  assert.equal(his.channel_member.nick, 'Johnny');
});

itself.story('is changed in whole and in part', async (stage) => {
  const { den, jack, john } = await denOf(stage);
  await den.update({ color: 'green', floor: 1 });
  assert.equal((await jack.heard.next(event('channel.updated'))).channel.color, 'green');
  const { channel } = await den.updatePartial({ set: { color: 'red' }, unset: ['floor'] });
  assert.deepEqual([channel.color, channel.floor], ['red', undefined]);
  await assert.rejects(john.den.updatePartial({ set: { color: 'blue' } }), { code: 17, status: 403 });
});

itself.story('is hidden by one, and shown again', async (stage) => {
  const { admin, den, jack } = await denOf(stage);
  const visible = async () => (await jack.client.queryChannels({ members: { $in: ['jack'] } })).length;
  await jack.den.hide();
  await jack.heard.next(event('channel.hidden'));
  assert.equal(await visible(), 0);
  await jack.den.show();
  await jack.heard.next(event('channel.visible'));
  assert.equal(await visible(), 1);
  await den.hide('john');
  assert.equal((await admin.queryChannelsRequest({ hidden: true }, {}, { user_id: 'john' })).length, 1);
});

itself.story('is pinned and archived by one, for oneself', async (stage) => {
  const { jack, john } = await denOf(stage);
  await jack.den.pin();
  await jack.den.archive();
  const found = (client, filter) => client.queryChannels({ cid: jack.den.cid, ...filter }, {}, { watch: false, state: true });
  assert.equal((await found(jack.client, { pinned: true, archived: true })).length, 1);
  assert.equal((await found(john.client, { pinned: true })).length, 0);
  await jack.den.unpin();
  await jack.den.unarchive();
  assert.equal((await found(jack.client, { pinned: true })).length, 0);
  // Nobody is banned from the whole application here.
  assert.equal((await found(jack.client, { app_banned: 'excluded' })).length, 1);
  assert.equal((await found(jack.client, { app_banned: 'only' })).length, 0);
});

itself.story('is deleted, alone and with others', async (stage) => {
  const { admin, den, jack } = await denOf(stage);
  await den.delete();
  assert.ok((await jack.heard.next(event('channel.deleted'))).channel.deleted_at);
  assert.deepEqual(await jack.client.queryChannels({ cid: 'messaging:den' }), []);

  await stage.admin.channel('messaging', 'attic', { members: ['jack'], created_by_id: 'jack' }).create();
  const { task_id } = await admin.deleteChannels(['messaging:attic'], { hard_delete: true });
  assert.equal((await admin.getTask(task_id)).status, 'completed');
  await jack.heard.next(event('notification.channel_deleted'));
});

itself.story('is watched until one stops', async (stage) => {
  const { jack, john } = await denOf(stage);
  await john.den.stopWatching();
  await jack.heard.next(event('user.watching.stop', 'john'));
  await jack.den.sendMessage({ text: 'Still there?' });
  await john.heard.next(event('notification.message_new'));
  assert.deepEqual(john.heard.all(event('message.new')), []);
});

messages.story('are heard by those who watch, and counted as unread', async (stage) => {
  const { admin, jack, john } = await denOf(stage);
  await jack.den.sendMessage({ text: 'Hello', mood: 'good' });
  const { message, user } = await john.heard.next(event('message.new', 'jack'));
  assert.deepEqual([message.text, message.mood, user.online], ['Hello', 'good', true]);
  assert.equal((await admin.getUnreadCount('john')).total_unread_count, 1);

  assert.equal(john.den.countUnread(), 1);
  await john.den.markRead();
  await Promise.all([jack, john].map(({ heard }) => heard.next(event('message.read', 'john'))));
  assert.equal(john.den.countUnread(), 0);
  assert.equal((await admin.getUnreadCount('john')).total_unread_count, 0);

  await jack.den.sendMessage({ text: 'More' });
  await john.client.markChannelsRead();
  assert.equal((await admin.getUnreadCount('john')).total_unread_count, 0);
});

messages.story('are read page by page, and around one of them', async (stage) => {
  const { jack } = await denOf(stage);
  for (const id of ['m1', 'm2', 'm3', 'm4', 'm5']) await jack.den.sendMessage({ id, text: id });
  const page = async (range) => (await jack.den.query({ messages: { limit: 2, ...range } })).messages.map(({ id }) => id);
  assert.deepEqual(await page({}), ['m4', 'm5']);
  assert.deepEqual(await page({ id_lt: 'm4' }), ['m2', 'm3']);
  assert.deepEqual(await page({ id_lte: 'm4' }), ['m3', 'm4']);
  assert.deepEqual(await page({ id_gt: 'm2' }), ['m3', 'm4']);
  assert.deepEqual(await page({ id_gte: 'm2' }), ['m2', 'm3']);
  assert.deepEqual(await page({ id_around: 'm3', limit: 3 }), ['m2', 'm3', 'm4']);
  await assert.rejects(page({ created_at_before: new Date().toISOString() }), { code: 4, status: 400 });
});

messages.story('typing and custom events', async (stage) => {
  const { jack, john } = await denOf(stage);
  await jack.den.keystroke();
  await john.heard.next(event('typing.start', 'jack'));
  await jack.den.stopTyping();
  await john.heard.next(event('typing.stop', 'jack'));
  await jack.den.sendEvent({ type: 'waving', hands: 2 });
  assert.equal((await john.heard.next(event('waving', 'jack'))).hands, 2);
});

messages.story('an event at whose name the SDK of those who hear it would throw is refused', async (stage) => {
  const { jack } = await denOf(stage);
  for (const type of Object.getOwnPropertyNames(Object.prototype)) {
    await assert.rejects(jack.den.sendEvent({ type }), { code: 4, status: 400 }, type);
    await assert.rejects(stage.admin.sendUserCustomEvent('john', { type }), { code: 4, status: 400 }, type);
  }
});

messages.story('what was missed can be asked for', async (stage) => {
  const { jack, john } = await denOf(stage);
  const since = new Date().toISOString();
  await jack.den.sendMessage({ text: 'Hello' });
  const { events } = await john.client.sync(['messaging:den'], since);
  assert.ok(events.some(({ type, message }) => type === 'message.new' && message.text === 'Hello'));
});

messages.story('what the channel type does not have is refused', async (stage) => {
  const { jack } = await denOf(stage, 'commerce');
  const long = 'x'.repeat(50_000);
  await assert.rejects(jack.den.sendMessage({ text: long }), { code: 20, status: 400 });
});
