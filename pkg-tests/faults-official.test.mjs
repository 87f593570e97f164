// What docs/FRESHNESS.md says of the official SDK, in short: the difference is there, and is ours.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrongFor } from '../bench/harness/wrong.mjs';
import { FaultProxy } from './harness/proxy.mjs';
import { newStage } from './harness/stage.mjs';
import { Watcher } from './harness/watcher.mjs';
import { openBrowser } from './harness/webdriver.mjs';

/** John leaves while Jack's connection is down; Ann comes when it is back. */
async function whatJackMissed(t, options) {
  const stage = await newStage(t, { grace: '200ms' });
  const ids = ['ann', 'john'];
  await stage.admin.upsertUsers([...ids, 'jack'].map((id) => ({ id })));
  await stage.admin.channel('messaging', 'den', { members: ids, created_by_id: 'jack' }).create();
  const network = await FaultProxy.open(stage.server.url);
  stage.defer(() => network.close());
  const [john, ann] = [await stage.person('john', 'node'), await stage.person('ann', 'node')];
  await john.connect();
  const jack = await Watcher.open(stage, await openBrowser('chromium'), { ids, baseURL: network.url, ...options });
  await jack.shows({ ann: 'offline', john: 'online' });

  await network.refuse();
  network.reset();
  await john.disconnect();
  await network.heal();
  await jack.recovers();
  await ann.connect();
  // Of himself he hears in any case: all that was to come before has come.
  await jack.hearsOfHimself();
  return { jack, stage };
}

test('this client shows what happened while it was away, and what happens next', async (t) => {
  const { jack } = await whatJackMissed(t, { sdk: 'rollcall' });
  await jack.shows({ ann: 'online', john: 'offline' });
  await jack.agrees();
});

test('the official SDK does not ask again for users: it shows neither', async (t) => {
  const { jack, stage } = await whatJackMissed(t, { sdk: 'stream-chat' });
  assert.deepEqual(await stage.truth(['ann', 'john']), { ann: 'online', john: 'offline' });
  await jack.shows({ ann: 'offline', john: 'online' });
});

test('the official SDK asks again for channels, without presence: it shows what it missed, and nothing from then on', async (t) => {
  const { jack, stage } = await whatJackMissed(t, { sdk: 'stream-chat', channel: 'den' });
  assert.deepEqual(await stage.truth(['ann', 'john']), { ann: 'online', john: 'offline' });
  await jack.shows({ ann: 'offline', john: 'offline' });
});

test('how the table counts: wrong, in doubt, and right in the end', () => {
  const history = [[0, 'john', 'online'], [30, 'john', 'stale online'], [70, 'john', 'offline']];
  assert.deepEqual(wrongFor(history, 'offline', 10, 100), { wrong: 20, doubted: 40, right: true });
  assert.deepEqual(wrongFor(history.slice(0, 2), 'offline', 10, 100), { wrong: 20, doubted: 70, right: false });
  assert.deepEqual(wrongFor(history.slice(0, 1), 'offline', 10, 100), { wrong: 90, doubted: 0, right: false });
});
