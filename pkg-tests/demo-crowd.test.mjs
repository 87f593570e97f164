// A thousand simulated people on the demo page: real users of the server, who come, take turns and go.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNECTION_LOST } from './harness/browser.mjs';
import { demoStage } from './harness/demo.mjs';
import { Visitor } from './harness/visitor.mjs';

/** It takes as long as it takes a thousand people to connect by turns. */
const PATIENCE = { timeout: 90_000 };
const ids = Array.from({ length: 1000 }, (_, at) => `simulated-${String(at + 1).padStart(4, '0')}`);
const states = (truth, state) => Object.values(truth).filter((one) => one === state).length;

test('a thousand people come, take turns, grow stale with the network, and go', async (t) => {
  const stage = await demoStage(t, '200ms');
  const jack = await Visitor.open(stage, 'jack', { expected: [CONNECTION_LOST] });
  const john = await Visitor.open(stage, 'john');
  const counted = jack.page.locator('.crowd .counted');
  const cells = (which) => jack.page.locator(`.crowd [role="option"]${which}`);

  await jack.page.evaluate(() => {
    window.announced = [];
    const announcer = document.querySelector('.announcer');
    new MutationObserver(() => window.announced.push(announcer.textContent)).observe(announcer, { childList: true });
  });

  await jack.press('crowd-come');
  await counted.getByText(/^\d+ online, \d+ offline$/).waitFor(PATIENCE);
  assert.equal(await cells('').count(), 1000);
  const truth = await stage.truth(ids);
  assert.equal(Object.keys(truth).length, 1000, 'each of them is a user of the server');
  assert.ok(states(truth, 'online') > 20, `${states(truth, 'online')} are online`);
  await jack.page.locator('.crowd .pace', { hasText: /: [1-9]\d* came or went/ }).waitFor();

  // Whom one meets is not buried: on the other's board, among the events, or in what is read out.
  assert.equal(await john.page.locator('[data-user^="simulated"]').count(), 0);
  assert.equal(await jack.page.locator('.event', { hasText: 'simulated' }).count(), 0);
  assert.deepEqual(await jack.page.evaluate(() => window.announced.filter((text) => !/^John is online/.test(text))), []);
  await jack.sees('john', 'online');

  const someone = cells('[data-presence="online"]').first();
  const id = await someone.getAttribute('data-user');
  await jack.page.locator(`[data-user="${id}"]`).click();
  await jack.page.locator(`#inspector [data-inspected="${id}"] .answer`).waitFor();

  await jack.press('show-network');
  await jack.press('network-cut');
  await counted.getByText('1000 of them as last heard').waitFor();
  await jack.press('network-reconnect');
  await counted.getByText(/^\d+ online, \d+ offline$/).waitFor(PATIENCE);

  await jack.press('crowd-leave');
  await counted.getByText('0 online, 1000 offline').waitFor(PATIENCE);
  assert.equal(states(await stage.truth(ids), 'offline'), 1000);
});
