// The official `stream-chat` SDK, unmodified, on our server: everything it does that bears on
// presence, in Node and in Chromium.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Backstage } from './harness/backstage.mjs';
import { Keeper } from './harness/keeper.mjs';
import { Replies } from './harness/replies.mjs';
import { SdkStage } from './harness/sdk-stage.mjs';
import { newStage } from './harness/stage.mjs';
import { StoryPage } from './harness/story-page.mjs';
import { Traffic } from './harness/traffic.mjs';
import { scenes } from './scenes.mjs';
import { chapters } from './sdk/chapters.mjs';
import { methodsOf, notDriven } from './sdk/not-driven.mjs';

const traffic = new Traffic();
const replies = new Replies();
const calls = new Set();
const keep = (thing) => {
  calls.add(`${thing.subject}.${thing.name}`);
  replies.keep(thing);
};

/** What a story plays on: a server of its own, and a backend whose calls are kept. */
async function partsFor(t, options) {
  const { server, admin, defer } = await newStage(t, options);
  return { server, admin: new Keeper(keep).of(admin, 'StreamChat'), backstage: new Backstage({ server, defer }), keep };
}

traffic.ofNode();

for (const chapter of chapters) {
  describe(`in Node: ${chapter.name}`, () => {
    for (const story of chapter.stories) {
      test(story.name, async (t) => {
        const parts = await partsFor(t, story.options);
        await new SdkStage({ ...parts, keeper: new Keeper(keep) }).play(story);
      });
    }
  });
}

describe('in Chromium', () => {
  let page;
  before(async () => {
    page = await StoryPage.open();
    traffic.ofPage(page.page);
  });
  for (const chapter of chapters) {
    const stories = chapter.stories.filter(({ options }) => !options.backend);
    if (!stories.length) continue;
    describe(chapter.name, () => {
      for (const story of stories) test(story.name, async (t) => page.play(chapter, story, await partsFor(t, story.options)));
    });
  }
  describe('the scenes', () => {
    for (const { name, grace, play } of scenes) {
      test(name, async (t) => play(await newStage(t, { grace }), { watcher: 'stream-chat', actor: 'stream-chat' }));
    }
  });
});

test('what came back has the types that the SDK declares', () =>
  replies.check({
    methods: [
      'upsertUser', 'upsertUsers', 'updateUser', 'partialUpdateUser', 'partialUpdateUsers', 'queryUsers',
      'deactivateUser', 'deactivateUsers', 'reactivateUser', 'reactivateUsers', 'deleteUser', 'deleteUsers',
      'restoreUsers', 'getTask', 'sendUserCustomEvent', 'revokeUserToken', 'revokeTokens',
      'create', 'watch', 'query', 'queryMembers', 'queryChannelsRequest', 'queryChannelsRequestWithResponse',
      'addMembers', 'removeMembers', 'inviteMembers', 'acceptInvite', 'rejectInvite', 'addModerators',
      'demoteModerators', 'assignRoles', 'updateMemberPartial', 'update', 'updatePartial', 'hide', 'show', 'delete',
      'deleteChannels', 'stopWatching', 'sendMessage', 'getUnreadCount', 'markRead', 'sendEvent', 'sync',
      'getAppSettings', 'listChannelTypes', 'getChannelType', 'getRateLimits',
    ],
    events: [
      'health.check', 'user.presence.changed', 'user.updated', 'user.deleted', 'friendship_requested',
      'user.watching.start', 'user.watching.stop', 'member.added', 'member.removed', 'member.updated', 'channel.updated',
      'channel.deleted', 'channel.hidden', 'channel.visible', 'message.new', 'message.read', 'typing.start', 'typing.stop',
      'waving', 'notification.added_to_channel', 'notification.removed_from_channel', 'notification.invited',
      'notification.message_new', 'notification.channel_deleted', 'notification.mark_read',
      'notification.invite_accepted', 'notification.invite_rejected',
    ],
  }));

/** Rows of the table that this SDK does not ask for. */
const OF_OTHERS = {
  'GET /channels': 'other SDKs ask so, and this one posts',
  'GET /api/v2/chat/channels': 'an alias in newer documentation',
};

describe('the table of endpoints in docs/PROTOCOL.md', () => {
  test('has a row for all that the SDK sent', () => {
    assert.deepEqual([...traffic.unknown], []);
  });

  test('has no row that the SDK did not ask for, but for those of others', () => {
    assert.deepEqual(traffic.silent, Object.keys(OF_OTHERS));
  });
});

test('every public method of the SDK was called, or there is a reason why not', async (t) => {
  const { admin } = await newStage(t);
  const channel = admin.channel('messaging', 'den');
  const methods = Object.entries({ StreamChat: admin, Channel: channel }).flatMap(([subject, object]) =>
    methodsOf(object).map((name) => `${subject}.${name}`),
  );
  assert.deepEqual(methods.filter((method) => !calls.has(method) && !notDriven.has(method)), [], 'neither');
  assert.deepEqual([...notDriven].filter((method) => calls.has(method) || !methods.includes(method)), [], 'called all the same, or not there');
});
