// `watchPresence` as a page uses it: the packed package in Chromium, against the real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presence, status } from './harness/event.mjs';
import { newStage } from './harness/stage.mjs';
import { CONNECTION_LOST, HTTP_ERROR } from './harness/browser.mjs';

const CROWD = 250;
const crowd = Array.from({ length: CROWD }, (_, n) => `u${n}`);

/** John on a page, and a server that knows the crowd; `await window.seen(watch, id, online)` waits on the page. */
async function johnAndTheCrowd(t, options) {
  const stage = await newStage(t, { grace: '200ms' });
  for (let from = 0; from < CROWD; from += 100) {
    await stage.admin.upsertUsers(crowd.slice(from, from + 100).map((id) => ({ id, status: `I am ${id}` })));
  }
  const john = await stage.person('john', 'rollcall', options);
  await john.connect();
  await john.do(() => {
    window.seen = (watch, id, holds) =>
      new Promise((resolve) => {
        const look = () => holds(watch.get(id)) && (unsubscribe(), resolve());
        const { unsubscribe } = watch.on('change', look);
        look();
      });
  });
  return { stage, john };
}

test('250 users, two watches that share one, and whoever stops leaves the other alone', async (t) => {
  const { stage, john } = await johnAndTheCrowd(t);
  const begun = await john.do(async (client, crowd) => {
    const sidebar = (window.sidebar = await client.watchPresence(crowd));
    const header = (window.header = await client.watchPresence(['u7', 'nobody']));
    window.told = [];
    sidebar.on('change', ({ id, online, freshness }) => window.told.push(`sidebar ${id} ${online} ${freshness}`));
    header.on('change', ({ id, online, freshness }) => window.told.push(`header ${id} ${online} ${freshness}`));
    const live = sidebar.ids.filter((id) => sidebar.get(id).freshness === 'live').length;
    return [sidebar.size, live, sidebar.get('u249').status, header.get('nobody').freshness];
  }, crowd);
  assert.deepEqual(begun, [CROWD, CROWD, 'I am u249', 'unknown']);

  const u7 = await stage.person('u7', 'node');
  await u7.connect();
  await john.do(() => window.seen(window.header, 'u7', ({ online }) => online));
  await john.do(() => window.sidebar.stop());
  await u7.disconnect();
  await john.do(() => window.seen(window.header, 'u7', ({ online }) => !online));
  const ended = await john.do(() => [window.told, window.sidebar.size, window.header.get('u249').freshness]);
  assert.deepEqual(ended, [['sidebar u7 true live', 'header u7 true live', 'header u7 false live'], 0, 'unknown']);
});

test('changes read one after the other, until the watch is stopped', async (t) => {
  const { stage, john } = await johnAndTheCrowd(t);
  await john.do(async (client, crowd) => {
    const watch = (window.watch = await client.watchPresence(crowd));
    window.read = [];
    window.reading = (async () => {
      for await (const { id, online, user } of watch) {
        window.read.push([id, online, user.online]);
        if (window.read.length === 2) watch.stop();
      }
    })();
  }, crowd);
  for (const id of ['u1', 'u200']) {
    const person = await stage.person(id, 'node');
    await person.connect();
  }
  await john.do(() => window.reading);
  assert.deepEqual(await john.do(() => window.read), [['u1', true, true], ['u200', true, true]]);
});

test('a change is made for whoever listens, and for nobody else', async (t) => {
  const { stage, john } = await johnAndTheCrowd(t);
  await john.do(async (client, crowd) => {
    // Each change holds a Date made for it, of when the user was last active. No other is made of anything given.
    window.made = 0;
    window.Date = class extends Date {
      constructor(...given) {
        super(...given);
        window.made += given.length;
      }
    };
    window.watch = await client.watchPresence(crowd);
    window.told = 0;
    window.tell = ({ id, lastActive }) => (window.told += Number(id === 'u1' && lastActive instanceof window.Date));
  }, crowd);
  const u1 = await stage.person('u1', 'node');
  const counted = async (work, flip) => {
    await john.do(work);
    await flip();
    await john.heard.next(presence('u1'));
    for (let n = 1; n < 10; n += 1) {
      await stage.admin.upsertUser({ id: 'u1', status: `It is ${n}` });
      await john.heard.next(status('u1', `It is ${n}`));
    }
    return john.do(() => {
      const counts = [window.made, window.told];
      window.made = window.told = 0;
      return counts;
    });
  };
  assert.deepEqual(await counted(() => {}, () => u1.connect()), [0, 0]);
  assert.deepEqual(await counted(() => void window.watch.on('change', window.tell), () => u1.disconnect()), [10, 10]);
  // The first finds that the last listener has gone.
  assert.deepEqual(await counted(() => void window.watch.off('change', window.tell), () => u1.connect()), [1, 0]);
});

test('what was asked on a connection that the server does not know is asked once more when the connection lives', async (t) => {
  const { john } = await johnAndTheCrowd(t, { expected: [HTTP_ERROR] });
  const said = await john.do(async (client) => {
    const { fetch } = window;
    let asked = 0;
    // The first of each two names a connection that is nobody's.
    window.fetch = (url, options) => fetch(asked++ % 2 ? url : url.replace(/(?<=connection_id=)[^&]+/, crypto.randomUUID()), options);
    const { users } = await client.queryUsers({ id: 'u7' }, {}, { presence: true });
    const watch = await client.watchPresence(['u8']);
    const channel = await client.channel('messaging', 'den', { members: ['john', 'u7'] }).watch({ presence: true });
    window.fetch = fetch;
    return [users.length, watch.get('u8').freshness, channel.members.length, asked];
  });
  assert.deepEqual(said, [1, 'live', 2, 6]);
});

test('one user by a handle', async (t) => {
  const { stage, john } = await johnAndTheCrowd(t);
  await john.do((client) => {
    window.told = [];
    window.online = new Promise((resolve) => {
      window.u5 = client.user('u5').on('presence', ({ online, freshness }) => {
        window.told.push([online, freshness]);
        if (online) resolve();
      });
    });
  });
  const u5 = await stage.person('u5', 'node');
  await u5.connect();
  await john.do(() => window.online);
  const heard = await john.do((client) => [window.told.at(-1), client.user('u5').presence.online, (window.u5.unsubscribe(), client.user('u5').presence.freshness)]);
  assert.deepEqual(heard, [[true, 'live'], true, 'unknown']);
});

test('a killed server makes all stale, and its return all live', async (t) => {
  const { stage, john } = await johnAndTheCrowd(t, { expected: [CONNECTION_LOST, HTTP_ERROR] });
  await john.do(async (client, crowd) => {
    window.watch = await client.watchPresence(crowd);
    window.stale = window.seen(window.watch, 'u249', ({ freshness }) => freshness === 'stale');
  }, crowd);
  await stage.server.kill();
  await john.do(() => window.stale);
  const counted = () => john.do(() => {
    const counts = {};
    for (const id of window.watch.ids) {
      const { freshness, asOf } = window.watch.get(id);
      const key = `${freshness} ${asOf !== null && Date.now() - asOf < 60_000}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  });
  assert.deepEqual(await counted(), { 'stale true': CROWD });
  await stage.server.start();
  const u9 = await stage.person('u9', 'node');
  await u9.connect();
  await john.do(() => Promise.all(window.watch.ids.map((id) => window.seen(window.watch, id, ({ freshness }) => freshness === 'live'))));
  await john.do(() => window.seen(window.watch, 'u9', ({ online }) => online));
  assert.deepEqual(await counted(), { 'live false': CROWD });
});
