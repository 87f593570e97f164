// The official SDK when something is wrong: bad credentials, expired tokens, a server that goes away.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JWTUserToken, StreamChat } from 'stream-chat';
import { CONNECTION_LOST, HTTP_ERROR } from './harness/browser.mjs';
import { event, presence } from './harness/event.mjs';
import { newStage } from './harness/stage.mjs';

const now = () => Math.floor(Date.now() / 1000);

/** Connects and expects the refusal: the SDK puts its code into the message, as JSON. */
async function refused(stage, { key = stage.server.key, token, id = 'john' }) {
  const client = new StreamChat(key, { baseURL: stage.server.url, timeout: 10_000, allowServerSideConnect: true });
  stage.defer(() => client.disconnectUser());
  const failure = await client.connectUser({ id }, token).then(
    () => assert.fail('it was let in'),
    (error) => error,
  );
  return JSON.parse(failure.message);
}

describe('refused', () => {
  const expectations = [
    ['an unknown API key', 2, (stage) => ({ key: 'nobody', token: stage.server.token('john') })],
    ['a development token where they are off', 43, (stage) => ({ token: stage.admin.devToken('john') })],
    ['a token that does not say whose it is', 5, (stage) => ({ token: async () => stage.admin.tokenManager.getToken() })],
    ["another user's token", 5, (stage) => ({ token: async () => stage.server.token('jack') })],
    ['a token that has expired', 40, (stage) => ({ token: stage.server.token('john', now() - 60) })],
    ['a token for later', 41, ({ server }) => ({ token: JWTUserToken(server.secret, 'john', { nbf: now() + 3600 }) })],
    ['a token issued in the future', 42, (stage) => ({ token: stage.server.token('john', undefined, now() + 3600) })],
    ['a token signed with another secret', 43, ({ server }) => ({ token: new StreamChat(server.key, 'another secret').createToken('john') })],
  ];
  for (const [what, code, credentials] of expectations) {
    test(`${what}: code ${code}`, async (t) => {
      const stage = await newStage(t);
      const failure = await refused(stage, credentials(stage));
      assert.equal(failure.code, code, failure.message);
      assert.equal(failure.StatusCode, 401);
      assert.equal(failure.isWSFailure, false, 'nothing that trying again would cure');
    });
  }

  test('requests with a bad token fail with the same codes', async (t) => {
    const stage = await newStage(t);
    const { url: baseURL, key, secret } = stage.server;
    const forger = new StreamChat(key, 'another secret', { baseURL });
    await assert.rejects(forger.queryUsers({}), { code: 43, status: 401 });
    const stranger = new StreamChat('nobody', secret, { baseURL });
    await assert.rejects(stranger.queryUsers({}), { code: 2, status: 401 });
  });
});

describe('a request with a token that was good for connecting', () => {
  const expectations = [
    ['of another user', 5, ({ server }) => server.token('jack')],
    ['that has expired', 40, ({ server }) => server.token('john', now() - 60)],
    ['for later', 41, ({ server }) => JWTUserToken(server.secret, 'john', { nbf: now() + 3600 })],
    ['issued in the future', 42, ({ server }) => server.token('john', undefined, now() + 3600)],
    ['signed with another secret', 43, ({ server }) => new StreamChat(server.key, 'another secret').createToken('john')],
  ];
  for (const [what, code, token] of expectations) {
    test(`and is now one ${what}: code ${code}`, async (t) => {
      const stage = await newStage(t);
      const john = await stage.person('john', 'node');
      await john.connect();
      john.client.tokenManager.token = token(stage);
      await assert.rejects(john.client.queryUsers({}), { code, status: 401 });
    });
  }
});

describe('a token provider', () => {
  test('is asked again when the token it gave has expired', async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'node');
    const tokens = [stage.server.token('john', now() - 60), stage.server.token('john', now() + 3600)];
    let asked = 0;
    const me = await john.connect({}, async () => tokens[Math.min(asked++, 1)]);
    assert.equal(me.id, 'john');
    assert.equal(asked, 2);
  });

  test('is asked again when a request finds the token expired', async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'node');
    let asked = 0;
    await john.connect({}, async () => (asked++, stage.server.token('john')));
    // As if the hour had come.
    john.client.tokenManager.token = stage.server.token('john', now() - 60);
    const { users } = await john.client.queryUsers({ id: 'john' });
    assert.equal(users[0].id, 'john');
    assert.equal(asked, 2);
  });
});

describe('a server that goes away', () => {
  for (const [how, end] of [['restarts', 'stop'], ['is killed and started again', 'kill']]) {
    test(`${how}: the SDK comes back, and nothing written is lost`, async (t) => {
      const stage = await newStage(t, { grace: '200ms' });
      const [jack, john] = [await stage.person('jack', 'node'), await stage.person('john', 'node')];
      await Promise.all([jack.connect(), john.connect({ status: 'kept' })]);
      const channel = jack.client.channel('messaging', 'den', { members: ['jack', 'john'] });
      await channel.watch({ presence: true });

      await stage.server[end]();
      await stage.server.start();
      await Promise.all([jack, john].map(({ heard }) => heard.next(event('connection.recovered'))));

      assert.deepEqual(await jack.watch('john'), { john: true });
      assert.equal(channel.state.members.john.user.status, 'kept');
      await john.disconnect();
      await jack.heard.next(presence('john', false));
    });
  }

  test('one who does not come back after a crash is offline', async (t) => {
    const stage = await newStage(t, { grace: '200ms' });
    const [jack, john] = [await stage.person('jack', 'node'), await stage.person('john', 'node')];
    await Promise.all([jack.connect(), john.connect()]);

    await stage.server.kill();
    await john.end();
    await stage.server.start();
    await jack.heard.next(event('connection.recovered'));
    const { john: online } = await jack.watch('john');
    // Either the grace is over already, or its end is announced.
    if (online) await jack.heard.next(presence('john', false));
    assert.deepEqual(await jack.watch('john'), { john: false });
  });
});

describe('in Chromium', () => {
  const expected = [CONNECTION_LOST, HTTP_ERROR];

  test('a refused connection and a refused request reach the app with their codes', async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'stream-chat', { expected });
    const connecting = await john.failure((client, token) => client.connectUser({ id: 'john' }, token), stage.server.token('john', now() - 60));
    assert.equal(JSON.parse(connecting.message).code, 40, connecting.message);

    await john.connect();
    const writing = await john.failure((client) => client.partialUpdateUser({ id: 'jack', set: { name: 'Not Jack' } }));
    assert.match(writing.message, /code 17|not allowed/i);
  });

  test('a server that restarts is found again', async (t) => {
    const stage = await newStage(t, { grace: '200ms' });
    const jack = await stage.person('jack', 'stream-chat', { expected });
    const john = await stage.person('john', 'node');
    await Promise.all([jack.connect(), john.connect()]);
    await stage.server.stop();
    await stage.server.start();
    await Promise.all([jack, john].map(({ heard }) => heard.next(event('connection.recovered'))));
    assert.deepEqual(await jack.watch('john'), { john: true });
    await john.disconnect();
    await jack.heard.next(presence('john', false));
  });
});
