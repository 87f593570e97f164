// What the official SDK can ask for and our server leaves out: it says so, and clearly.

import assert from 'node:assert/strict';
import { Chapter } from '../harness/chapter.mjs';

const chapter = new Chapter('left out');
export const leftOut = [chapter];

const OF_CLIENT = [
  ['search', { members: { $in: ['john'] } }, 'burger'],
  ['queryThreads', {}],
  ['getUnreadCountBatch', ['john']],
  ['queryBannedUsers', {}],
  ['blockUser', 'jack', 'john'],
  ['banUser', 'jack', { banned_by_id: 'john' }],
  ['muteUser', 'jack', 'john'],
  ['flagUser', 'jack', { user_id: 'john' }],
  ['addDevice', 'phone', 'firebase', 'john'],
  ['getDevices', 'john'],
  ['createPoll', { name: 'Burgers?' }, 'john'],
  ['createChannelType', { name: 'party' }],
  ['updateChannelType', 'messaging', { typing_events: false }],
  ['getMessage', 'hello'],
  ['updateMessage', { id: 'hello', text: 'Hello' }, 'john'],
  ['partialUpdateMessage', 'hello', { set: { text: 'Hello' } }, 'john'],
  ['deleteMessage', 'hello'],
];

const OF_CHANNEL = [
  ['truncate'],
  ['mute', { user_id: 'john' }],
  ['markUnread', { message_id: 'hello', user_id: 'john' }],
  ['getMessagesById', ['hello']],
  ['getReplies', 'hello', {}],
  ['sendReaction', 'hello', { type: 'like', user_id: 'john' }],
];

const UPLOADS = ['sendFile', 'sendImage'];

/** Those methods, as `Class.method`. */
export const leftOutMethods = [
  ...OF_CLIENT.map(([method]) => `StreamChat.${method}`),
  ...[...OF_CHANNEL.map(([method]) => method), ...UPLOADS].map((method) => `Channel.${method}`),
];

for (const [method, ...args] of OF_CLIENT) {
  chapter.story(`client.${method}: code 16`, { backend: true }, ({ admin }) => isLeftOut(admin[method](...args)));
}

for (const [method, ...args] of OF_CHANNEL) {
  chapter.story(`channel.${method}: code 16`, { backend: true }, ({ admin }) => isLeftOut(admin.channel('messaging', 'den')[method](...args)));
}

for (const method of UPLOADS) {
  chapter.story(`channel.${method}: code 16`, async (stage) => {
    const [john] = await stage.people('john');
    // Node's SDK takes no `File`, and browsers have no `Buffer`.
    const file = globalThis.Buffer?.from('Hello') ?? new File(['Hello'], 'hello');
    await isLeftOut(john.client.channel('messaging', 'den')[method](file, 'hello'));
  });
}

function isLeftOut(answer) {
  return assert.rejects(answer, { code: 16, status: 404, message: /there is no such endpoint/ });
}
