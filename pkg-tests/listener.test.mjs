// Listeners may do as they like: call the client, come and go, throw. Nothing breaks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presence, status } from './harness/event.mjs';
import { newStage } from './harness/stage.mjs';

/** John, who watches Jack from a page, and Jack, who is away. */
async function johnWatchesJack(t, options) {
  const stage = await newStage(t, { grace: '200ms' });
  await stage.admin.upsertUser({ id: 'jack' });
  const john = await stage.person('john', 'rollcall', options);
  await john.connect();
  await john.watch('jack');
  // Told of himself as well, a moment after he is connected.
  await john.heard.next(presence('john', true));
  const jack = await stage.person('jack', 'node');
  return { stage, john, jack };
}

const calls = (john) => john.do(() => window.calls);

test('a listener calls back into the client', async (t) => {
  const { john, jack } = await johnWatchesJack(t);
  await john.do((client) => {
    window.calls = [];
    client.on('user.presence.changed', ({ user }) => {
      window.calls.push(`${user.id} ${client.userID}`);
      client.on('user.updated', ({ user }) => window.calls.push(user.status));
      client.channel('messaging', 'den', { members: ['john', 'jack'] });
      client.upsertUser({ id: 'john', status: `${user.id} is here` });
      window.found = client.queryUsers({ id: 'jack' }).then(({ users }) => users[0].online);
    });
  });
  await jack.connect();
  await john.heard.next(presence('jack', true));
  assert.equal(await john.do(() => window.found), true);
  await john.heard.next(status('john', 'jack is here'));
  assert.deepEqual(await calls(john), ['jack john', 'jack is here']);
});

test('a listener disconnects the client', async (t) => {
  const { john, jack } = await johnWatchesJack(t);
  await john.do((client) => {
    window.gone = new Promise((resolve) => {
      const once = client.on('user.presence.changed', () => {
        once.unsubscribe();
        client.disconnectUser().then(resolve);
      });
    });
  });
  await jack.connect();
  await john.do(() => window.gone);
  await john.connect();
  assert.deepEqual(await john.watch('jack'), { jack: true });
});

test('listeners remove themselves and each other, and add others', async (t) => {
  const { john, jack } = await johnWatchesJack(t);
  await john.do((client) => {
    window.calls = [];
    const type = 'user.presence.changed';
    const once = client.on(type, () => {
      window.calls.push('once');
      once.unsubscribe();
      once.unsubscribe();
      doomed.unsubscribe();
      client.off(type, alsoDoomed);
      client.on(type, () => window.calls.push('added'));
    });
    const doomed = client.on(type, () => window.calls.push('doomed'));
    const alsoDoomed = () => window.calls.push('also doomed');
    client.on(type, alsoDoomed);
    client.on(type, () => window.calls.push('last'));
  });
  await jack.connect();
  await john.heard.next(presence('jack', true));
  assert.deepEqual(await calls(john), ['once', 'last'], 'what is removed is not called, what is added hears the next');
  await jack.disconnect();
  await john.heard.next(presence('jack', false));
  assert.deepEqual(await calls(john), ['once', 'last', 'last', 'added']);
});

test('what a listener throws reaches the window, and the others run', async (t) => {
  const { john, jack } = await johnWatchesJack(t, { expected: [/a listener's own fault/] });
  await john.do((client) => {
    window.calls = [];
    window.addEventListener('error', ({ error }) => window.calls.push(error.message));
    client.on('user.presence.changed', () => window.calls.push('first'));
    client.on('user.presence.changed', () => {
      throw new Error("a listener's own fault");
    });
    client.on('user.presence.changed', () => window.calls.push('last'));
  });
  await jack.connect();
  await john.heard.next(presence('jack', true));
  assert.deepEqual(await calls(john), ['first', "a listener's own fault", 'last']);
  await jack.disconnect();
  await john.heard.next(presence('jack', false));
  assert.equal((await calls(john)).length, 6);
});

test('a channel tells its listeners of its own events only', async (t) => {
  const { john, jack } = await johnWatchesJack(t);
  await john.do(async (client) => {
    window.calls = [];
    for (const id of ['den', 'attic']) {
      const channel = client.channel('messaging', id, { members: ['john', 'jack'] });
      await channel.watch();
      channel.on('message.new', ({ message }) => window.calls.push(`${id}: ${message.text}`));
    }
  });
  await jack.connect();
  const den = jack.client.channel('messaging', 'den', { members: ['john', 'jack'] });
  await den.watch();
  await den.sendMessage({ text: 'Hello' });
  await john.heard.next(({ type }) => type === 'message.new', 'a message');
  assert.deepEqual(await calls(john), ['den: Hello']);
});
