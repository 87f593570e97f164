// One file of presence code runs unchanged with either SDK, and observes the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Events, presence } from './harness/event.mjs';
import { newPage } from './harness/browser.mjs';
import { site } from './harness/site.mjs';
import { newStage } from './harness/stage.mjs';

/** What the app reported, and what its channels' state said, through one and the same story. */
async function story(t, sdk) {
  const stage = await newStage(t, { grace: '200ms' });
  const friends = {};
  for (const id of ['ann', 'bob', 'cyd', 'zoe']) friends[id] = await stage.person(id, 'node');
  await stage.admin.upsertUsers(['john', ...Object.keys(friends)].map((id) => ({ id })));
  const green = stage.admin.channel('messaging', 'green', { members: ['bob', 'john'], color: 'green', created_by_id: 'bob' });
  await green.create();

  const window = await newPage();
  stage.defer(async () => {
    await window.close();
    assert.deepEqual(window.complaints, []);
  });
  const reports = new Events();
  await window.page.exposeFunction('report', (line) => reports.push(line));
  await window.page.goto(`${await site()}/${sdk}.html`);
  await window.page.waitForFunction(() => window.Client);
  await window.page.evaluate(
    async (options) => {
      const { openApp } = await import('/presence-app.mjs');
      window.app = await openApp(window.Client, { ...options, report: window.report });
    },
    {
      apiKey: stage.server.key,
      baseURL: stage.server.url,
      user: { id: 'john', status: 'Hungry' },
      token: stage.server.token('john'),
    },
  );
  const app = (method) => window.page.evaluate((method) => window.app[method](), method);
  const says = (line) => reports.next((report) => report === line, line);

  for (const id of ['ann', 'bob', 'cyd']) {
    await friends[id].connect();
    await says(`${id} is online`);
  }
  const arrived = await app('roster');
  await friends.ann.upsert({ status: 'On a train' });
  await says('ann: On a train');

  await friends.zoe.connect();
  await friends.zoe.watch('john');
  await app('hide');
  await friends.zoe.heard.next(presence('john', false));
  // His own copy comes a moment after hers; an answer that is newer would make it old news.
  await says('john is offline');
  await app('show');
  await friends.zoe.heard.next(presence('john', true));

  await app('ignoreStatus');
  await friends.ann.upsert({ status: 'Off the train' });
  await friends.bob.disconnect();
  await says('bob is offline');
  const left = await app('roster');
  const messages = await app('messages');
  await app('leave');
  await friends.zoe.heard.next(presence('john', false));

  return { lines: reports.all(() => true), arrived, left, messages };
}

/**
 * A story with what john hears of himself apart: whether that comes before an answer, or before
 * he stops listening, is chance.
 */
function apart({ lines, ...story }) {
  const his = (line) => line.startsWith('john');
  return { ...story, others: lines.filter((line) => !his(line)), john: [...new Set(lines.filter(his))].sort() };
}

test('the same app observes the same with either SDK', async (t) => {
  const official = await story(t, 'stream-chat');
  const ours = await story(t, 'rollcall');

  const lines = official.lines.filter((line) => !line.startsWith('john'));
  assert.deepEqual(lines, [
    'connected as john',
    'found ann offline',
    'green: messaging:green',
    'ann is online',
    'bob is online',
    'cyd is online',
    'ann: On a train',
    'bob is offline',
  ]);
  assert.deepEqual(official.arrived, {
    green: ['bob online', 'john online'],
    lunch: ['cyd online', 'john online'],
    watchers: ['john'],
  });
  assert.deepEqual(official.left.green, ['bob offline', 'john online']);
  assert.deepEqual(official.messages, ['john: Burgers?']);
  assert.deepEqual(apart(ours), apart(official));
});
