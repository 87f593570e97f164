// What the demo page has for those who stay: ways to watch, a network in their hands, and the
// answer to the question why somebody is online.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONNECTION_LOST } from './harness/browser.mjs';
import { demoStage } from './harness/demo.mjs';
import { Visitor } from './harness/visitor.mjs';

/** Who is on the board, by group. */
const board = ({ page }) =>
  page.$$eval('.group', (groups) =>
    Object.fromEntries(
      groups.map((group) => [
        group.querySelector('h3').textContent,
        [...group.querySelectorAll('[data-user]')].map(({ dataset }) => dataset.user).sort(),
      ]),
    ),
  );

describe('the ways to watch', () => {
  const ways = {
    everybody: { '': ['jack', 'jill', 'john'] },
    team: { Design: ['jack', 'john'] },
    teams: { Design: ['jack', 'john'], Engineering: ['jill'] },
    names: { '': ['amina', 'jack', 'jill', 'john', 'mateo', 'sofia'] },
  };

  test('each finds its people and tells of their changes, whichever the board began with', async (t) => {
    const stage = await demoStage(t, '1h');
    const [john] = [await Visitor.open(stage, 'john'), await Visitor.open(stage, 'jill')];
    for (const [way, wanted] of Object.entries(ways)) {
      const jack = await Visitor.open(stage, 'jack', { way });
      await jack.sees('john', 'online');
      assert.deepEqual(await board(jack), wanted, way);
      await john.press('disconnect');
      await jack.sees('john', 'offline');
      await jack.trusts('john', 'live');
      await john.press('reconnect');
      await jack.sees('john', 'online');
      await jack.close();
    }
  });

  test('one is changed for another, is kept by a reload, and takes in one more', async (t) => {
    const stage = await demoStage(t, '1h');
    const jack = await Visitor.open(stage, 'jack');
    await Visitor.open(stage, 'john');
    await jack.sees('john', 'online');
    await jack.press('watch-names');
    await jack.sees('sofia', 'unknown');
    await jack.enter('watch-one-more', 'nobody-yet');
    await jack.sees('nobody-yet', 'unknown');
    await jack.press('watch-teams');
    await jack.page.waitForFunction(() => document.querySelectorAll('[data-user]').length === 2);
    await jack.reload();
    await jack.sees('john', 'online');
    assert.deepEqual(await board(jack), { Design: ['jack', 'john'] });
  });
});

describe('a network in one’s hands', () => {
  /** Jack's page, on which John is; John leaves when told to. */
  async function two(t, options) {
    const stage = await demoStage(t, '1h');
    const john = await Visitor.open(stage, 'john');
    const jack = await Visitor.open(stage, 'jack', options);
    await jack.sees('john', 'online');
    await jack.trusts('john', 'live');
    await jack.press('show-network');
    return { stage, jack, john };
  }

  test('cut, what was known is shown as of then; reconnected, as it is', async (t) => {
    const { jack, john } = await two(t, { expected: [CONNECTION_LOST] });
    await jack.press('network-cut');
    await jack.trusts('john', 'stale');
    await jack.page.getByRole('status').getByText('Connection lost').waitFor();
    assert.equal(await jack.page.locator('.me .state').textContent(), 'Not connected');
    assert.equal(await jack.page.locator('[data-user="jack"]').getAttribute('data-presence'), 'offline');
    await john.press('disconnect');
    await jack.page.locator('[data-user="john"]', { hasText: 'Online as of' }).waitFor();
    await jack.press('network-reconnect');
    await jack.sees('john', 'offline');
    await jack.trusts('john', 'live');
    await jack.page.getByRole('status').getByText('Live').waitFor();
  });

  test('frozen, nothing is doubted until the silence is too long; mended, all of it arrives', async (t) => {
    const { jack, john } = await two(t, { ownClock: true });
    await jack.press('network-freeze');
    await john.press('disconnect');
    await jack.page.clock.runFor(28_000);
    await jack.trusts('john', 'live');
    await jack.page.clock.runFor(3_000);
    await jack.trusts('john', 'stale');
    await jack.page.getByRole('status').getByText('Server silent').waitFor();
    assert.deepEqual((await jack.shown('john')).at(-1), 'online', 'what is held back is not known');
    await jack.press('network-reconnect');
    await jack.sees('john', 'offline');
    await jack.trusts('john', 'live');
  });

  test('slow, everything is live and late', async (t) => {
    const { jack, john } = await two(t);
    await jack.press('network-slow');
    const told = Date.now();
    await john.press('disconnect');
    await jack.sees('john', 'offline');
    assert.ok(Date.now() - told >= 1000, `it took ${Date.now() - told} ms`);
    await jack.trusts('john', 'live');
  });

  test('a connection that is dropped comes back by itself', async (t) => {
    const { jack } = await two(t);
    await jack.press('network-reconnect');
    // It may be back before anybody has looked.
    await jack.page.locator('#network li', { hasText: /The board is live, after [\d.]+ s stale/ }).waitFor();
    await jack.trusts('john', 'live');
  });
});

describe('why is somebody online', () => {
  const answer = ({ page }, text) => page.locator('#inspector .answer', { hasText: text }).waitFor();
  const connections = ({ page }) => page.$$eval('[data-connection]:is(#inspector *)', (rows) => rows.map(({ dataset }) => dataset.connection));

  test('the inspector names the connections, and how each ended', async (t) => {
    const stage = await demoStage(t, '1h');
    const [jack, john] = [await Visitor.open(stage, 'jack'), await Visitor.open(stage, 'john')];
    await jack.page.locator('[data-user="john"] [data-action="inspect"]').click();
    await answer(jack, 'John is online because a connection of theirs is open.');
    const told = await fetch(`${stage.server.url}/rollcall/users/john/presence?api_key=rollcall-demo`, {
      headers: { Authorization: stage.server.token('john'), 'stream-auth-type': 'jwt' },
    }).then((reply) => reply.json());
    assert.deepEqual(await connections(jack), told.presence.connections.map(({ id }) => id));

    const again = await Visitor.open(stage, 'john');
    await answer(jack, '2 connections of theirs are open');
    assert.equal((await connections(jack)).length, 2);
    await again.press('disconnect');
    await jack.page.locator('#inspector [data-step="disconnected"]', { hasText: 'said goodbye' }).waitFor();

    await john.press('toggle-invisible');
    await answer(jack, 'hides');
    await john.press('toggle-invisible');
    await jack.sees('john', 'online');
    await john.close();
    await answer(jack, /John is still online because their last connection .*, and may come back/);
  });

  test('of one whom the server does not know, it says so', async (t) => {
    const stage = await demoStage(t, '1h');
    const jack = await Visitor.open(stage, 'jack', { way: 'names', expected: [/404/] });
    await jack.page.locator('[data-user="sofia"] [data-action="inspect"]').click();
    await answer(jack, /sofia/i);
  });
});
