// The official `stream-chat` SDK, unmodified, on our server: everything it does that bears on
// presence, in Node and in Chromium.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Backstage } from './harness/backstage.mjs';
import { Keeper } from './harness/keeper.mjs';
import { rowsOf } from './harness/protocol.mjs';
import { Replies } from './harness/replies.mjs';
import { SdkStage } from './harness/sdk-stage.mjs';
import { newStage } from './harness/stage.mjs';
import { StoryPage } from './harness/story-page.mjs';
import { Traffic } from './harness/traffic.mjs';
import { scenes } from './scenes.mjs';
import { chapters } from './sdk/chapters.mjs';
import { leftOutMethods } from './sdk/left-out.mjs';
import { methodsOf, notDriven } from './sdk/not-driven.mjs';

const traffic = new Traffic();
const replies = new Replies();
const keep = (thing) => replies.keep(thing);

/** Methods that answer with nothing of a declared type, or at once. */
const ANSWERLESS = [
  'StreamChat.disconnectUser', 'StreamChat.closeConnection', 'StreamChat.channel', 'StreamChat.on', 'StreamChat.off',
  'StreamChat.devToken', 'StreamChat.markChannelsRead', 'StreamChat._getConnectionID', 'Channel.on', 'Channel.off',
  'Channel.keystroke', 'Channel.stopTyping', 'Channel.countUnread',
  // Always refused.
  'StreamChat.updateAppSettings',
];

/** Rows of the tables that this SDK does not ask for, or hear. */
const OF_OTHERS = {
  'GET /channels': 'other SDKs ask so, and this one posts',
  'POST /rollcall/users': 'ours, and no SDK knows of it',
  'GET /api/v2/chat/channels': 'an alias in newer documentation',
  'GET /rollcall/users/{id}/presence': 'ours, and no SDK knows of it',
};
const NOT_HEARD = {
  'connection.error': 'fails `connectUser`',
  'connection.doubt': 'for clients that ask for it',
  'connection.changed': 'made by the SDK itself',
  'connection.state': 'made by our own client, and by no other',
  'connection.recovered': 'made by the SDK itself',
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

describe('what came back', () => {
  test('has the types that the SDK declares', () => replies.check());

  test('was something, but where there is nothing to say', () => {
    assert.deepEqual(replies.unanswered.sort(), [...ANSWERLESS, ...leftOutMethods].sort());
  });
});

describe('the table of events in docs/PROTOCOL.md', () => {
  test('has no event that the SDK did not hear, but for those that are not for its listeners', () => {
    const events = rowsOf('Events').map(([event]) => event);
    assert.deepEqual(events.filter((event) => !replies.called.has(`Event.${event}`)), Object.keys(NOT_HEARD));
  });
});

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
  assert.deepEqual(methods.filter((method) => !replies.called.has(method) && !notDriven.has(method)), [], 'neither');
  assert.deepEqual([...notDriven].filter((method) => replies.called.has(method) || !methods.includes(method)), [], 'called all the same, or not there');
});
