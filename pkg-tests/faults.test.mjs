// What networks, servers and browsers do to a page, in each of the browsers. Every story ends with
// the page showing what the server says to somebody else, and hearing of what happens next.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { presence, status } from './harness/event.mjs';
import { FaultProxy } from './harness/proxy.mjs';
import { site } from './harness/site.mjs';
import { newStage } from './harness/stage.mjs';
import { Watcher } from './harness/watcher.mjs';
import { BROWSERS, openBrowser } from './harness/webdriver.mjs';

const ids = ['ann', 'jill', 'john'];

/** John and Jill are online, Ann is not. Jack's page watches them through a network of the test's. */
async function jackWatches(t, name, options) {
  const stage = await newStage(t, { grace: '200ms', ...options });
  await stage.admin.upsertUsers([...ids, 'jack'].map((id) => ({ id })));
  const network = await FaultProxy.open(stage.server.url);
  stage.defer(() => network.close());
  const [john, jill] = [await stage.person('john', 'node'), await stage.person('jill', 'node')];
  await Promise.all([john.connect(), jill.connect()]);
  const jack = await Watcher.open(stage, await openBrowser(name), { ids, baseURL: network.url });
  await jack.shows({ ann: 'offline', jill: 'online', john: 'online' });
  return { stage, network, jack, john, jill };
}

async function allIsWell({ stage, jack }) {
  await jack.agrees();
  const ann = await stage.person('ann', 'node');
  await ann.connect();
  await jack.shows({ ann: 'online' });
  await ann.disconnect();
  await jack.shows({ ann: 'offline' });
}

/** Jill, who watches Jack, has heard all that was to be heard of him, and nothing was of a flip. */
async function jackNeverLeft({ jack, jill }) {
  await jack.browser.run(() => window.watcher.client.upsertUser({ id: 'jack', status: 'back' }).then(() => {}));
  await jill.heard.next(status('jack', 'back'));
  assert.deepEqual(jill.heard.all(presence('jack')), []);
}

const stories = {
  async 'a server that is killed and started again'(t, name) {
    const scene = await jackWatches(t, name);
    const { stage, jack, john } = scene;
    await stage.server.kill();
    await jack.shows({ jill: 'stale online', john: 'stale online', ann: 'stale offline' });
    await john.end();
    await stage.server.start();
    await jack.shows({ john: 'offline', jill: 'online' });
    await allIsWell(scene);
  },

  async 'a connection that died and told nobody'(t, name) {
    const scene = await jackWatches(t, name);
    const { network, jack, john } = scene;
    network.lose();
    await john.disconnect();
    // A hint, and no more: the system says that it is on some network again.
    await jack.tell('online');
    await jack.shows({ jill: 'stale online', john: 'stale online' });
    // Five seconds for an answer, three for the first question, which goes to an idle connection of
    // the browser's that died too, and the back-off: not the ten that a request may take otherwise.
    await jack.shows({ john: 'offline' }, 13_000);
    await allIsWell(scene);
  },

  async 'a connection on which only one direction died'(t, name) {
    const scene = await jackWatches(t, name);
    const { network, jack, john } = scene;
    // The server hears the page and has no reason to give up; only the page can notice.
    network.lose({ up: false });
    await john.disconnect();
    await jack.tell('online');
    await jack.shows({ john: 'offline' });
    await allIsWell(scene);
  },

  async 'connections that are reset'(t, name) {
    const scene = await jackWatches(t, name);
    const { network, jack, john } = scene;
    await network.refuse();
    network.reset();
    await jack.shows({ jill: 'stale online', john: 'stale online' });
    await john.disconnect();
    await network.heal();
    await jack.shows({ john: 'offline' });
    await allIsWell(scene);
  },

  async 'a network that takes every connection and says nothing'(t, name) {
    const scene = await jackWatches(t, name);
    const { network, jack, john } = scene;
    network.silence();
    network.reset();
    await jack.shows({ jill: 'stale online', john: 'stale online' });
    await john.disconnect();
    await network.attempt();
    await network.heal();
    // Logged in to that network, one is told so by the system.
    await jack.tell('online');
    await jack.shows({ john: 'offline' });
    await allIsWell(scene);
  },

  async 'a network that stands still for a while, and a slow one'(t, name) {
    const scene = await jackWatches(t, name);
    const { network, jack, john, jill } = scene;
    network.hold();
    await jack.tell('online');
    await jack.shows({ jill: 'stale online', john: 'stale online' });
    await john.disconnect();
    await network.heal();
    await jack.shows({ john: 'offline', jill: 'online' });

    network.delay(300);
    network.reset();
    await jill.disconnect();
    await john.connect();
    await jack.shows({ john: 'online', jill: 'offline' });
    await allIsWell(scene);
  },

  async 'offline and online again'(t, name) {
    const scene = await jackWatches(t, name);
    const { network, jack, john } = scene;
    network.lose();
    await network.refuse();
    await jack.browser.setOffline(true);
    try {
      await jack.shows({ jill: 'stale online', john: 'stale online' });
      await john.disconnect();
    } finally {
      await network.heal();
      await jack.browser.setOffline(false);
    }
    await jack.shows({ john: 'offline' });
    await allIsWell(scene);
  },

  async 'a page that is left and comes back'(t, name) {
    const scene = await jackWatches(t, name, { grace: '1h' });
    const { jack, john, jill } = scene;
    assert.deepEqual(await jill.watch('jack'), { jack: true });
    await jack.browser.open(`${await site()}/elsewhere.html`);
    await john.disconnect();
    await jack.browser.back();
    await jack.isReady();
    await jack.shows({ john: 'offline' });
    await jackNeverLeft(scene);
    await allIsWell(scene);
    // Firefox decides before the page hears that it is left, and does not keep one with an open socket.
    if (name !== 'firefox') assert.equal(await jack.restored(), 1, 'brought back as it was');
  },

  async 'a reload within the grace is seen by nobody'(t, name) {
    const scene = await jackWatches(t, name, { grace: '1h' });
    const { jack, jill } = scene;
    assert.deepEqual(await jill.watch('jack'), { jack: true });
    await jack.browser.reload();
    await jack.isReady();
    await jackNeverLeft(scene);
    await allIsWell(scene);
  },

  async 'a thousand people, of whom many come and go during a reconnect'(t, name) {
    const stage = await newStage(t, { grace: '200ms' });
    const crowd = Array.from({ length: 1000 }, (_, n) => `u${n}`);
    for (let at = 0; at < crowd.length; at += 100) await stage.admin.upsertUsers(crowd.slice(at, at + 100).map((id) => ({ id })));
    const network = await FaultProxy.open(stage.server.url);
    stage.defer(() => network.close());
    // Twenty are there; during the reconnect ten of them leave and twenty others come, of each some
    // before the network is back, and the rest while the page asks for everybody again.
    const people = await Promise.all(crowd.filter((_, n) => n % 25 === 0).map((id) => stage.person(id, 'node')));
    const there = people.filter((_, n) => n % 2 === 0);
    const others = people.filter((_, n) => n % 2 === 1);
    await Promise.all(there.map((person) => person.connect()));
    const jack = await Watcher.open(stage, await openBrowser(name), { ids: crowd, baseURL: network.url });
    await jack.agrees();

    const leaving = there.filter((_, n) => n % 2 === 0);
    await network.refuse();
    network.reset();
    await Promise.all(leaving.slice(0, 5).map((person) => person.disconnect()));
    await Promise.all(others.slice(0, 5).map((person) => person.connect()));
    const reconnecting = network.attempt();
    await network.heal();
    await reconnecting;
    await Promise.all(leaving.slice(5).map((person) => person.disconnect()));
    await Promise.all(others.slice(5).map((person) => person.connect()));
    await jack.agrees();
  },
};

/** What only Chromium can be told to do. */
const storiesOfChromium = {
  async 'a tab that is frozen and thawed'(t, name) {
    const scene = await jackWatches(t, name);
    const { network, jack, john } = scene;
    const freeze = (state) => jack.browser.devTools('Page.setWebLifecycleState', { state });
    await jack.browser.run(() => document.addEventListener('freeze', () => (window.hasFrozen = true)));
    await freeze('frozen');
    await john.disconnect();
    await freeze('active');
    assert.equal(await jack.browser.run(() => window.hasFrozen), true, 'it did freeze');
    await jack.shows({ john: 'offline' });

    await freeze('frozen');
    network.lose();
    await john.connect();
    await freeze('active');
    await jack.shows({ john: 'online' });
    await allIsWell(scene);
  },
};

// Three browsers at once, in each of which one story follows the other; BROWSERS=webkit picks one.
describe('in', { concurrency: true }, () => {
  for (const name of process.env.BROWSERS?.split(',') ?? BROWSERS) {
    describe(name, { concurrency: false }, () => {
      const playable = name === 'chromium' ? { ...stories, ...storiesOfChromium } : stories;
      for (const [story, play] of Object.entries(playable)) test(story, (t) => play(t, name));
    });
  }
});
