// The adapters as apps use them: out of the packed package, in Chromium, against the real server.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
import { createSSRApp, h as vue } from 'vue';
import { renderToString as renderVue } from 'vue/server-renderer';
import { App } from './harness/app.mjs';
import { CONNECTION_LOST } from './harness/browser.mjs';
import { installed } from './harness/package.mjs';
import { newStage } from './harness/stage.mjs';

const FRAMEWORKS = ['react', 'vue', 'svelte', 'elements'];
const CROWD = 1000;
/** What an app that has shown a thousand people may hold more than one that has shown them before. */
const HEAP = 64 * 1024;

const crowd = Array.from({ length: CROWD }, (_, n) => `u${n}`);

async function newStageWith(t, ids) {
  const stage = await newStage(t, { grace: '0s' });
  for (let from = 0; from < ids.length; from += 100) {
    await stage.admin.upsertUsers(ids.slice(from, from + 100).map((id) => ({ id })));
  }
  return stage;
}

async function comes(stage, id) {
  const person = await stage.person(id, 'node');
  await person.connect();
  return person;
}

for (const framework of FRAMEWORKS) {
  describe(framework, () => {
    test('somebody is unknown, then offline, comes and goes; and is unknown again when we have left', async (t) => {
      const stage = await newStageWith(t, ['jack']);
      const app = await App.open(stage, framework);
      await app.do('show', ['jack', 'nobody']);
      assert.deepEqual(await app.do('rows'), ['jack unknown', 'nobody unknown'], 'nobody is connected');
      await app.connect();
      await app.until('rows', ['jack offline', 'nobody unknown']);
      await app.until('connection', 'connected');
      const jack = await comes(stage, 'jack');
      await app.until('rows', ['jack online', 'nobody unknown']);
      await jack.disconnect();
      await app.until('rows', ['jack offline', 'nobody unknown']);

      await app.do('disconnect');
      await app.until('rows', ['jack unknown', 'nobody unknown']);
      await app.until('connection', 'disconnected');
      await app.connect();
      await app.until('rows', ['jack offline', 'nobody unknown']);
    });

    test('however many show somebody, they are watched once, and no longer than they are shown', async (t) => {
      const stage = await newStageWith(t, ['jack', 'jill']);
      const app = await App.open(stage, framework);
      await app.connect();
      await app.do('show', ['jack', 'jack', 'jill', 'jack']);
      await app.until('rows', ['jack offline', 'jack offline', 'jill offline', 'jack offline']);
      assert.deepEqual(await app.do('watched'), ['jack', 'jill']);
      await app.do('show', ['jack']);
      await app.until('watched', ['jack']);
      await comes(stage, 'jack');
      await app.until('rows', ['jack online']);
      await app.do('unmount');
      await app.until('watches', 0);
    });

    test('another user id in a component is another user', async (t) => {
      const stage = await newStageWith(t, ['jack', 'jill']);
      await comes(stage, 'jill');
      const app = await App.open(stage, framework);
      await app.connect();
      await app.do('show', ['jack']);
      await app.until('rows', ['jack offline']);
      await app.do('show', ['jill']);
      await app.until('rows', ['jill online']);
      await app.until('watched', ['jill']);
    });

    test('one id that the client refuses leaves the others alone', async (t) => {
      const stage = await newStageWith(t, ['jack', 'jill']);
      const app = await App.open(stage, framework);
      await app.page.evaluate(() => {
        window.refused = [];
        addEventListener('error', (event) => (window.refused.push(event.error?.code), event.preventDefault()));
      });
      await app.connect();
      await app.do('show', ['jack', 'no such id!', 'jill']);
      await app.until('rows', ['jack offline', 'no such id! unknown', 'jill offline']);
      assert.deepEqual(await app.page.evaluate(() => window.refused), ['invalid_argument']);
    });

    test('a thousand rows, scrolled, a hundred times mounted: nothing is left of them', async (t) => {
      const stage = await newStageWith(t, crowd);
      const app = await App.open(stage, framework);
      await app.connect();
      const online = await comes(stage, 'u990');
      await app.do('show', crowd);
      const rows = (from, to) => crowd.slice(from, to).map((id) => `${id} ${id === 'u990' ? 'online' : 'offline'}`);
      await app.until('rows', rows(0, CROWD));
      assert.equal((await app.do('watched')).length, CROWD);
      assert.ok((await app.do('held')) >= CROWD, 'what is held is counted');

      for (let top = 0; top + 40 <= CROWD; top += 20) await app.do('show', crowd.slice(top, top + 40));
      await app.until('rows', rows(CROWD - 40, CROWD));
      await app.until('watched', crowd.slice(CROWD - 40));
      await online.disconnect();
      await app.until('rows', crowd.slice(CROWD - 40).map((id) => `${id} offline`));

      await app.do('unmount');
      await app.until('watches', 0);
      const before = await app.page.evaluate(() => ({ bytes: window.app.wasmBytes(), listeners: window.app.listeners() }));
      for (let n = 0; n < 100; n += 1) {
        await app.page.evaluate(({ ids }) => {
          window.app.mount();
          window.app.show(ids);
          return new Promise((resolve) => requestAnimationFrame(resolve));
        }, { ids: crowd.slice(0, 200) });
        await app.do('unmount');
      }
      await app.until('watches', 0);
      const after = await app.page.evaluate(() => ({ bytes: window.app.wasmBytes(), listeners: window.app.listeners() }));
      t.diagnostic(`${framework}: the client's memory is ${before.bytes} bytes before a hundred mounts, ${after.bytes} after`);
      assert.equal(after.listeners, before.listeners);
      assert.equal(await app.do('held'), 0);
      assert.ok(after.bytes - before.bytes <= HEAP, `the client grew by ${after.bytes - before.bytes} bytes`);
    });
  });
}

test('each who is shown no more is still watched for a quarter of a second', async (t) => {
  const stage = await newStageWith(t, ['jack', 'jill', 'joe']);
  const app = await App.open(stage, 'svelte');
  await app.page.evaluate(() => {
    window.removed = new Map();
    const { client } = window.app;
    const watchPresence = client.watchPresence.bind(client);
    client.watchPresence = async (...args) => {
      const watch = await watchPresence(...args);
      const remove = watch.remove.bind(watch);
      watch.remove = (ids) => (ids.forEach((id) => window.removed.set(id, performance.now())), remove(ids));
      return watch;
    };
  });
  await app.connect();
  await app.do('show', ['jack', 'jill', 'joe']);
  await app.until('watched', ['jack', 'jill', 'joe']);
  // Jill goes while Jack is still to be forgotten.
  const left = await app.page.evaluate(async () => {
    window.app.show(['jill', 'joe']);
    await new Promise((resolve) => setTimeout(resolve, 150));
    window.app.show(['joe']);
    return performance.now();
  });
  await app.until('watched', ['joe']);
  const removed = await app.page.evaluate(() => window.removed.get('jill'));
  assert.ok(removed - left > 240, `Jill was watched for ${removed - left} ms more`);
});

test('React renders the rows of whom something changed, and no others', async (t) => {
  const stage = await newStageWith(t, crowd.slice(0, 100));
  const app = await App.open(stage, 'react');
  await app.connect();
  await app.do('show', crowd.slice(0, 100));
  await app.until('rows', crowd.slice(0, 100).map((id) => `${id} offline`));
  await app.page.evaluate(() => (window.renders = 0));
  await comes(stage, 'u7');
  await app.until('rows', crowd.slice(0, 100).map((id) => `${id} ${id === 'u7' ? 'online' : 'offline'}`));
  // Strict mode renders twice, and the summary renders as well, whose rows are then the same.
  assert.equal(await app.page.evaluate(() => window.renders), 2);
});

test('React shows one truth in every commit, also of a transition in whose middle somebody comes or goes', async (t) => {
  const stage = await newStage(t);
  const app = await App.open(stage, 'tearing');
  const [naive] = await app.do('play', 'naive');
  assert.ok(naive.sliced && naive.torn > 0, `rows that would be torn were not, so nothing is shown by this: ${JSON.stringify(naive)}`);
  const whole = { sliced: true, torn: 0, settled: true };
  for (const hook of ['usePresence', 'usePresenceList']) assert.deepEqual(await app.do('play', hook), [whole, whole], hook);
});

test('React renders on a server, where everybody is unknown and nothing is connected', async () => {
  const { PresenceClient } = await import(join(await installed(), 'rollcall.js'));
  const { PresenceProvider, useConnection, usePresence, usePresenceList } = await import(join(await installed(), 'adapters', 'react.js'));
  function Team() {
    const here = usePresenceList(['jack', 'jill']).filter(({ online }) => online);
    return h('p', null, `${usePresence('jack').freshness}, ${here.length} here, ${useConnection().state}`);
  }
  for (const client of [null, new PresenceClient('key')]) {
    assert.equal(renderToString(h(PresenceProvider, { client }, h(Team))), '<p>unknown, 0 here, disconnected</p>');
  }
  assert.throws(() => renderToString(h(Team)), /PresenceProvider/);
});

test('Vue, Svelte and the elements do no harm on a server', async () => {
  const adapter = async (name) => import(join(await installed(), 'adapters', `${name}.js`));
  const { presence, useConnection, usePresence } = await adapter('vue');
  const Team = {
    setup() {
      const [jack, connection] = [usePresence('jack'), useConnection()];
      return () => vue('p', `${jack.value.freshness}, ${connection.value.state}`);
    },
  };
  const { PresenceClient } = await import(join(await installed(), 'rollcall.js'));
  for (const client of [null, new PresenceClient('key')]) {
    assert.equal(await renderVue(createSSRApp(Team).use(presence(client))), '<p>unknown, disconnected</p>');
    const svelte = await adapter('svelte');
    svelte.presence('jack', client).subscribe(({ freshness }) => assert.equal(freshness, 'unknown'))();
  }
  (await adapter('elements')).setPresenceClient(new PresenceClient('key'));
});

test('the elements speak: a dot has a name, a label is announced, and both can be styled', async (t) => {
  const stage = await newStageWith(t, ['jack']);
  const app = await App.open(stage, 'elements', { expected: [CONNECTION_LOST] });
  const { page } = app;
  await page.evaluate(() => {
    document.head.append(Object.assign(document.createElement('style'), {
      textContent: 'presence-dot { --presence-online: rgb(1, 2, 3) } presence-label::part(status) { color: rgb(4, 5, 6) }',
    }));
    const people = document.createElement('div');
    people.innerHTML = `<presence-dot user="jack" label="Jack"></presence-dot>
      <presence-label user="jack" live></presence-label><presence-label user="jack" online="da" offline="weg"></presence-label>`;
    document.body.append(people);
    const [live, own] = people.querySelectorAll('presence-label');
    const text = (label) => [...label.shadowRoot.querySelectorAll('[part="presence"], [part="status"]')].map(({ textContent }) => textContent);
    window.app.labels = () => [text(live), text(own)];
    window.app.announced = () => live.shadowRoot.querySelector('[aria-live="polite"]') !== null && own.shadowRoot.querySelector('[aria-live]') === null;
  });
  const dot = (state) => page.getByRole('img', { name: `Jack: ${state}`, exact: true }).waitFor();
  await dot('unknown');
  await app.until('labels', [['unknown', ''], ['unknown', '']]);
  assert.equal(await app.do('announced'), true);
  await app.connect();
  await dot('offline');
  const jack = await stage.person('jack', 'node');
  await jack.connect({ status: 'Lunch' });
  await dot('online');
  await app.until('labels', [['online', 'Lunch'], ['da', 'Lunch']]);
  const colours = await page.evaluate(() => [
    getComputedStyle(document.querySelector('presence-dot').shadowRoot.querySelector('[part="dot"]')).backgroundColor,
    getComputedStyle(document.querySelector('presence-label').shadowRoot.querySelector('[part="status"]')).color,
  ]);
  assert.deepEqual(colours, ['rgb(1, 2, 3)', 'rgb(4, 5, 6)']);
  await stage.server.kill();
  await dot('not certain');
});
