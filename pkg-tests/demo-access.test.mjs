// The demo page for those who see it in the dark, hear it, have no mouse, or want nothing to move.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { CONNECTION_LOST, HTTP_ERROR } from './harness/browser.mjs';
import { demoStage } from './harness/demo.mjs';
import { Visitor } from './harness/visitor.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong with the page as it is now, rule by rule; and which part of the board is too small for what is in it. */
async function violations(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  const overlaps = await page.$$eval('.board > *', (parts) =>
    parts.filter(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 1).map(({ className }) => `overlaps: ${className}`),
  );
  return [...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`), ...overlaps];
}

/** Presses Tab until the focus is on what `selector` finds; fails where one cannot see where it is. */
async function tabTo({ page }, selector) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const { isThere, isSeen, what } = await page.evaluate((selector) => {
      const { activeElement: focused } = document;
      // What stands for a radio button is its label.
      const drawn = [focused, focused.closest('label')].filter(Boolean).map((element) => getComputedStyle(element));
      const isSeen = focused === document.body || drawn.some(({ outlineStyle, outlineWidth }) => outlineStyle !== 'none' && outlineWidth !== '0px');
      return { isThere: focused.matches(selector), isSeen, what: focused.outerHTML.slice(0, 120) };
    }, selector);
    assert.ok(isSeen, `the focus cannot be seen on ${what}`);
    if (isThere) return;
  }
  assert.fail(`sixty times Tab do not lead to ${selector}`);
}

describe('the demo page for everybody', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing wrong, ${colorScheme}`, async (t) => {
      const stage = await demoStage(t, '200ms');
      const jill = await Visitor.open(stage, 'jill');
      await jill.enter('send-message', 'Burgers?');
      await jill.seesMessage('Burgers?', 'jill', 'online');
      await jill.close();
      const jack = await Visitor.open(stage, 'jack', { colorScheme, reducedMotion: 'reduce', expected: [CONNECTION_LOST] });
      const { page } = jack;
      const rooms = {
        'with events': () => jack.sees('jill', 'offline'),
        'by name': async () => (await jack.press('watch-names'), await jack.sees('sofia', 'unknown')),
        'with the inspector': async () => {
          await page.locator('[data-user="jill"] [data-action="inspect"]').click();
          await page.locator('#inspector [data-step]').first().waitFor();
        },
        'with a crowd': async () => (await jack.press('crowd-come'), await page.locator('.crowd [data-presence="online"]').first().waitFor()),
        'with the network cut': async () => {
          await jack.press('show-network');
          await jack.press('network-cut');
          await jack.trusts('jill', 'stale');
        },
        'after a goodbye': async () => (await jack.press('disconnect'), await jack.sees('jill', 'unknown')),
        'before signing in': async () => (await page.goto(stage.server.url), await page.locator('.suggestions a').first().waitFor()),
      };
      const found = {};
      for (const [name, enter] of Object.entries(rooms)) {
        await enter();
        const wrong = await violations(page);
        if (wrong.length) found[name] = wrong;
      }
      assert.deepEqual(found, {});
    });
  }

  test('the whole story by keyboard alone', async (t) => {
    const stage = await demoStage(t, '200ms');
    const john = await Visitor.open(stage, 'john');
    // Of somebody in the crowd who has not come yet, the server knows nothing.
    const jack = await Visitor.open(stage, 'jack', { expected: [CONNECTION_LOST, HTTP_ERROR] });
    const { keyboard } = jack.page;
    const press = async (selector, key = 'Enter') => (await tabTo(jack, selector), await keyboard.press(key));

    await jack.page.goto(stage.server.url);
    await press('.suggestions a[href="?user=jack"]');
    await jack.isConnected();
    await john.sees('jack', 'online');

    await tabTo(jack, '[data-action="set-status"]');
    await keyboard.type('Washing the dishes');
    await keyboard.press('Enter');
    await john.sees('jack', 'online', 'Washing the dishes');
    await press('[data-action="toggle-invisible"]', 'Space');
    await john.sees('jack', 'offline');
    await keyboard.press('Space');
    await john.sees('jack', 'online');
    await press('[data-action="disconnect"]');
    await john.sees('jack', 'offline');
    // The focus is on what took the button's place.
    await keyboard.press('Enter');
    await john.sees('jack', 'online');
    await jack.isConnected();

    await tabTo(jack, '[data-action="watch-everybody"]');
    await keyboard.press('ArrowRight');
    await jack.page.locator('.group h3', { hasText: 'Design' }).waitFor();
    await press('[data-user="john"] [data-action="inspect"]');
    await jack.page.locator('#inspector .answer', { hasText: 'John is online' }).waitFor();
    await keyboard.press('Escape');
    assert.ok(await jack.page.locator('[data-user="john"] [data-action="inspect"]:focus').count(), 'Escape leads back');

    await press('[data-action="crowd-come"]');
    await jack.page.locator('.crowd [data-presence="online"]').first().waitFor();
    await tabTo(jack, '.crowd [role="listbox"]');
    for (const key of ['End', 'ArrowUp', 'ArrowRight', 'Enter']) await keyboard.press(key);
    await jack.page.locator('#inspector .found[data-inspected^="simulated"]').waitFor({ state: 'attached' });
    await keyboard.press('Escape');

    await tabTo(jack, '[data-action="send-message"]');
    await keyboard.type('Dry them too?');
    await keyboard.press('Enter');
    await john.seesMessage('Dry them too?', 'jack', 'online');
    await tabTo(jack, '[role="tab"]');
    await keyboard.press('ArrowLeft');
    await press('[data-action="network-cut"]');
    await jack.trusts('john', 'stale');
    await press('[data-action="network-reconnect"]');
    await jack.trusts('john', 'live');
  });

  test('nothing jumps when somebody comes or goes, or the network does', async (t) => {
    const stage = await demoStage(t, '1h');
    const john = await Visitor.open(stage, 'john');
    for (const viewport of [{ width: 390, height: 844 }, { width: 820, height: 1180 }]) {
      const jack = await Visitor.open(stage, 'jack', { viewport, expected: [CONNECTION_LOST] });
      await jack.sees('john', 'online');
      await jack.page.evaluate(() => {
        window.jumped = [];
        new PerformanceObserver((list) => {
          for (const { node, previousRect, currentRect } of list.getEntries().flatMap(({ sources }) => sources)) {
            const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
            // Of the events, the newest comes first.
            if (Math.abs(previousRect.y - currentRect.y) > 2 && !element?.closest('#events')) window.jumped.push(element?.outerHTML.slice(0, 80));
          }
        }).observe({ type: 'layout-shift' });
      });
      await john.enter('set-status', 'Washing the dishes');
      await jack.sees('john', 'online', 'Washing the dishes');
      await john.press('disconnect');
      await jack.sees('john', 'offline');
      await john.press('reconnect');
      await jack.sees('john', 'online');
      // Not by a click: for half a second after one, what moves is taken for its answer.
      const press = (action) => jack.page.evaluate((action) => document.querySelector(`[data-action="${action}"]`).click(), action);
      await press('network-cut');
      await jack.trusts('john', 'stale');
      await press('network-reconnect');
      await jack.trusts('john', 'live');
      assert.deepEqual(await jack.page.evaluate(() => window.jumped), [], `at ${viewport.width} pixels`);
      await john.enter('set-status', '');
      await jack.close();
    }
  });

  test('who wants nothing to move sees nothing move', async (t) => {
    const stage = await demoStage(t, '1h');
    // Without John, Sofia comes before him.
    const [john] = [await Visitor.open(stage, 'john'), await Visitor.open(stage, 'sofia')];
    /** What moved on a page while John came, went, and was sorted anew. */
    const moved = async (reducedMotion) => {
      const jack = await Visitor.open(stage, 'jack', { reducedMotion });
      await jack.sees('john', 'online');
      await jack.sees('sofia', 'online');
      await jack.page.evaluate(() => {
        window.moved = new Set();
        const note = () => {
          for (const { effect } of document.getAnimations()) if (effect.getComputedTiming().duration > 1) window.moved.add(effect.target.className);
          requestAnimationFrame(note);
        };
        note();
      });
      await john.press('disconnect');
      await jack.sees('john', 'offline');
      await john.press('reconnect');
      await jack.sees('john', 'online');
      await jack.press('show-network');
      await jack.press('toggle-invisible');
      await jack.page.waitForFunction(() => document.querySelector('.switch').ariaChecked === 'true');
      await jack.press('toggle-invisible');
      await john.sees('jack', 'online');
      const moved = await jack.page.evaluate(() => [...window.moved]);
      await jack.close();
      return moved;
    };
    assert.deepEqual(await moved('reduce'), []);
    assert.notDeepEqual(await moved('no-preference'), [], 'there is something that could move');
  });
});
