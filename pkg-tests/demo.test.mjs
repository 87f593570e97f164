// The scenes as people play them, on the demo page.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONNECTION_LOST, HTTP_ERROR } from './harness/browser.mjs';
import { demoStage } from './harness/demo.mjs';
import { Visitor } from './harness/visitor.mjs';

async function demo(t, grace, options) {
  const stage = await demoStage(t, grace);
  const [jack, john] = [await Visitor.open(stage, 'jack', options), await Visitor.open(stage, 'john', options)];
  await jack.sees('john', 'online');
  return { stage, jack, john };
}

/** Jack has by now been shown all that there was before this. */
async function jillArrives(stage, jack) {
  await Visitor.open(stage, 'jill');
  await jack.sees('jill', 'online');
}

describe('two people on the demo page', () => {
  test('one who arrives is seen by the other, and sees them', async (t) => {
    const { jack, john } = await demo(t);
    await john.sees('jack', 'online');
    assert.equal(await jack.page.locator('[data-user="john"]').count(), 1);
    assert.ok(await jack.page.locator('[data-event="user.presence.changed"], [data-event="user.watching.start"]').count());
  });

  test('one who closes the page goes offline when the grace is over', async (t) => {
    const { jack, john } = await demo(t, '200ms');
    await john.close();
    await jack.sees('john', 'offline');
  });

  test('one who disconnects goes offline at once, and comes back', async (t) => {
    const { jack, john } = await demo(t, '1h');
    await john.press('disconnect');
    await jack.sees('john', 'offline');
    await john.sees('jack', 'unknown');
    await john.press('reconnect');
    await jack.sees('john', 'online');
    await john.sees('jack', 'online');
  });

  test('what a lost server said is shown as of then, and as it is once it is back', async (t) => {
    const { stage, jack } = await demo(t, '1h', { expected: [CONNECTION_LOST, HTTP_ERROR] });
    const john = (freshness) => jack.page.waitForSelector(`[data-user="john"][data-freshness="${freshness}"]`);
    await john('live');
    await stage.server.kill();
    await john('stale');
    // Once the page says that it is cut off, too: unknown is only who was never known.
    await jack.page.waitForSelector('body[data-connection="offline"]');
    await jack.sees('john', 'online');
    await john('stale');
    await stage.server.start();
    await jack.sees('john', 'online');
    await john('live');
  });

  test('a status is seen as it changes', async (t) => {
    const { jack, john } = await demo(t);
    await john.enter('set-status', 'Eating a veggie burger…');
    await jack.sees('john', 'online', 'Eating a veggie burger…');
    await john.enter('set-status', 'Washing the dishes');
    await jack.sees('john', 'online', 'Washing the dishes');
    assert.deepEqual(await jack.shown('john').then((shown) => shown.at(-1)), 'online');
  });

  test('one who turns invisible looks offline, through a reload too', async (t) => {
    const { stage, jack, john } = await demo(t, '1h');
    await john.press('toggle-invisible');
    await jack.sees('john', 'offline');
    await john.reload();
    await jillArrives(stage, jack);
    assert.equal((await jack.shown('john')).at(-1), 'offline');
    const shown = (await jack.shown('john')).length;

    await john.press('toggle-invisible');
    await jack.sees('john', 'online');
    assert.equal((await jack.shown('john')).length, shown + 1, 'he was not seen in between');
  });

  test('one who comes back invisible is not seen', async (t) => {
    const { stage, jack, john } = await demo(t, '200ms');
    await john.press('toggle-invisible');
    await jack.sees('john', 'offline');
    await john.close();
    const shown = await jack.shown('john');
    await Visitor.open(stage, 'john');
    await jillArrives(stage, jack);
    assert.deepEqual(await jack.shown('john'), shown);
  });

  test("a message shows its author's presence", async (t) => {
    const { jack, john } = await demo(t, '1h');
    await john.enter('send-message', 'Burgers?');
    await jack.seesMessage('Burgers?', 'john', 'online');
    await john.press('disconnect');
    await jack.seesMessage('Burgers?', 'john', 'offline');
    await john.press('reconnect');
    await jack.seesMessage('Burgers?', 'john', 'online');
  });

  test('a reload within the grace is seen by nobody', async (t) => {
    const { stage, jack, john } = await demo(t, '1h');
    const shown = await jack.shown('john');
    await john.reload();
    await jillArrives(stage, jack);
    assert.deepEqual(await jack.shown('john'), shown);
  });
});
