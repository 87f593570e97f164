// A page that is left, kept and taken up again by a real Chromium.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchChromium } from './harness/chromium.mjs';
import { DEADLINE, inTime, presence } from './harness/event.mjs';
import { site } from './harness/site.mjs';
import { newStage } from './harness/stage.mjs';

let launching;
after(async () => (await launching)?.close());

/** John's page in a browser that keeps pages it leaves, and jack, who watches him. */
async function johnAndJack(t) {
  launching ??= launchChromium({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  const stage = await newStage(t, { grace: '0s' });
  await stage.admin.upsertUsers([{ id: 'john' }]);
  const jack = await stage.person('jack', 'node');
  await jack.connect();
  await jack.watch('john');

  const context = await (await launching).newContext();
  stage.defer(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  await page.goto(`${await site()}/rollcall.html`);
  await page.waitForFunction(() => window.Client);
  await page.evaluate(
    async ({ key, baseURL, token }) => {
      window.client = new window.Client(key, { baseURL });
      await window.client.connectUser({ id: 'john' }, token);
      window.jack = await window.client.watchPresence(['jack']);
      window.seen = [];
      window.jack.on('change', ({ online, freshness }) => window.seen.push(`${online} ${freshness}`));
    },
    { key: stage.server.key, baseURL: stage.server.url, token: stage.server.token('john') },
  );
  await jack.heard.next(presence('john', true));
  return { stage, jack, page };
}

/** Waits until the page is sure of jack, and tells all that it has shown of him since it was last asked. */
const sureOfJack = (page) =>
  inTime(
    page.evaluate(async () => {
      await new Promise((resolve) => {
        const look = () => window.jack.get('jack').freshness === 'live' && resolve();
        window.jack.on('change', look);
        look();
      });
      return window.seen.splice(0);
    }),
    'being sure of jack',
  );

test('a page that comes back from the back-forward cache has missed nothing that counts', async (t) => {
  const { jack, page } = await johnAndJack(t);
  await page.goto(`${await site()}/harness/event.mjs`);
  await jack.heard.next(presence('john', false));
  await jack.disconnect();
  // A page that was kept is not loaded again.
  await page.goBack({ waitUntil: 'commit' });
  const { notRestoredReasons } = await page.evaluate(() => performance.getEntriesByType('navigation')[0].toJSON());
  assert.equal(notRestoredReasons ?? null, null, 'Chromium kept the page');
  const seen = await sureOfJack(page);
  assert.deepEqual([seen.at(0), seen.at(-1)], ['true stale', 'false live'], seen.join());
});

test('the server hears at once of a tab that is closed', async (t) => {
  const { jack, page } = await johnAndJack(t);
  await page.close();
  await jack.heard.next(presence('john', false));
});
