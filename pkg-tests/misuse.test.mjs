// The packed package in wrong hands: every mistake is a real Error that says what to do.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONNECTION_LOST, HTTP_ERROR } from './harness/browser.mjs';
import { newStage } from './harness/stage.mjs';

const now = () => Math.floor(Date.now() / 1000);

function isPresenceError(failure, code, message) {
  assert.equal(failure.isError, true, `a real Error: ${JSON.stringify(failure)}`);
  assert.equal(failure.name, 'PresenceError', failure.message);
  assert.equal(failure.code, code, failure.message);
  assert.equal(typeof failure.retryable, 'boolean');
  assert.ok(failure.hasStack);
  assert.match(failure.message, message ?? /\w/);
}

/** John on a page, connected. */
async function connected(t, options) {
  const stage = await newStage(t);
  const john = await stage.person('john', 'rollcall', options);
  await john.connect();
  return { stage, john };
}

describe('before connectUser', () => {
  const calls = {
    queryUsers: (client) => client.queryUsers({}),
    queryChannels: (client) => client.queryChannels({}),
    upsertUser: (client) => client.upsertUser({ id: 'john' }),
    upsertUsers: (client) => client.upsertUsers([{ id: 'john' }]),
    partialUpdateUser: (client) => client.partialUpdateUser({ id: 'john', set: { a: 1 } }),
    partialUpdateUsers: (client) => client.partialUpdateUsers([{ id: 'john', set: { a: 1 } }]),
    markInvisible: (client) => client.markInvisible(),
    markVisible: (client) => client.markVisible(),
    'channel.create': (client) => client.channel('messaging', 'den').create(),
    'channel.watch': (client) => client.channel('messaging', 'den').watch(),
    'channel.query': (client) => client.channel('messaging', 'den').query(),
    'channel.stopWatching': (client) => client.channel('messaging', 'den').stopWatching(),
    'channel.sendMessage': (client) => client.channel('messaging', 'den').sendMessage({ text: 'Hello' }),
  };
  test('every call that needs a user says so', async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'rollcall');
    for (const [name, call] of Object.entries(calls)) {
      const failure = await john.failure(call);
      isPresenceError(failure, 'not_connected', /connectUser/);
      // `client.channel` itself refuses, as it does in the official SDK.
      assert.match(failure.message, new RegExp(name.split('.')[0]), 'the message names the call');
    }
    await john.do((client) => client.disconnectUser());
    assert.equal(await john.do((client) => client.user.id === undefined && client.userID === undefined), true);
    await john.connect();
  });
});

describe('connectUser', () => {
  test('as another user while one is connected', async (t) => {
    const { john, stage } = await connected(t);
    const jack = stage.server.token('jack');
    isPresenceError(await john.failure((client, token) => client.connectUser({ id: 'jack' }, token), jack), 'already_connected', /disconnectUser/);
    assert.equal(await john.do((client) => client.userID), 'john');
  });

  test('again as the same user gives the same answer', async (t) => {
    const { john, stage } = await connected(t);
    const connections = await john.do(
      async (client, token) => {
        const frames = await Promise.all([client.connectUser({ id: 'john' }, token), client.connectUser({ id: 'john' }, token)]);
        return frames.map((frame) => frame.connection_id);
      },
      stage.server.token('john'),
    );
    assert.equal(connections[0], connections[1]);
  });

  test('twice at once makes one connection', async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'rollcall');
    const [one, other] = await john.do(
      async (client, token) => {
        const frames = await Promise.all([client.connectUser({ id: 'john' }, token), client.connectUser({ id: 'john' }, token)]);
        return frames.map((frame) => frame.connection_id);
      },
      stage.server.token('john'),
    );
    assert.equal(one, other);
  });

  test("with another user's token", async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'rollcall');
    const jack = stage.server.token('jack');
    isPresenceError(await john.failure((client, token) => client.connectUser({ id: 'john' }, token), jack), 'token_mismatch', /jack.*john/);
    isPresenceError(await john.failure((client, token) => client.connectUser({ id: 'john' }, async () => token), jack), 'token_mismatch');
    await john.connect();
  });

  test('with a token that the server refuses', async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'rollcall');
    const connect = (client, token) => client.connectUser({ id: 'john' }, token);
    for (const [token, code] of [
      [stage.server.token('john', now() - 60), 40],
      [stage.server.token('john', undefined, now() + 3600), 42],
      [`${stage.server.token('john')}x`, 43],
      ['not a token', 5],
    ]) {
      const failure = await john.failure(connect, token);
      isPresenceError(failure, code);
      assert.equal(failure.status, 401);
      assert.equal(failure.retryable, false);
    }
    await john.connect();
  });

  test('with a token provider that fails, and then works', async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'rollcall');
    const failure = await john.failure((client) =>
      client.connectUser({ id: 'john' }, async () => {
        throw new Error('the login page is down');
      }),
    );
    isPresenceError(failure, 'token_provider');
    assert.match(failure.message, /the login page is down/);
    await john.connect();
  });

  test('interrupted by disconnectUser', async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'rollcall');
    const interrupted = (client, token) => {
      const connecting = client.connectUser({ id: 'john' }, token);
      client.disconnectUser();
      return connecting;
    };
    isPresenceError(await john.failure(interrupted, stage.server.token('john')), 'disconnected');
    await john.connect();
  });
});

describe('arguments', () => {
  const mistakes = [
    ['no API key', (_) => new window.Client(), /API key/i],
    ['an API key that is no string', (_) => new window.Client(42), /API key/i],
    ['a baseURL that is no address', (_) => new window.Client('key', { baseURL: 'presence' }), /baseURL/],
    ['a timeout that is no number', (_) => new window.Client('key', { timeout: 'soon' }), /timeout/],
    ['upsertUser without an id', (client) => client.upsertUser({ name: 'John' }), /id/],
    ['upsertUser of nothing', (client) => client.upsertUser(), /user/i],
    ['upsertUser of null', (client) => client.upsertUser(null), /user/i],
    ['upsertUsers of one without an id', (client) => client.upsertUsers([{ id: 'john' }, { name: 'Jack' }]), /id/],
    ['upsertUsers of no list', (client) => client.upsertUsers('john'), /list|array/i],
    ['partialUpdateUser without an id', (client) => client.partialUpdateUser({ set: { name: 'John' } }), /id/],
    ['a channel without a type', (client) => client.channel(), /type/],
    ['a channel whose type is no string', (client) => client.channel(7, 'den'), /type/],
    ['a channel id with a space', (client) => client.channel('messaging', 'my den').watch(), /id/],
    ["presence: 'yes' in watch", (client) => client.channel('messaging', 'den').watch({ presence: 'yes' }), /presence/],
    ["presence: 'yes' in queryUsers", (client) => client.queryUsers({}, {}, { presence: 'yes' }), /presence/],
    ['watch: 1 in queryChannels', (client) => client.queryChannels({}, {}, { watch: 1 }), /watch/],
    ["limit: 'many'", (client) => client.queryUsers({}, {}, { limit: 'many' }), /limit/],
    ['options that are no object', (client) => client.queryUsers({}, {}, 'presence'), /options/],
    ['a filter that is no object', (client) => client.queryUsers('john'), /filter/],
    ['a sort with a direction that is none', (client) => client.queryUsers({}, { id: 'up' }), /sort/],
    ['a signal that is none', (client) => client.queryUsers({}, {}, { signal: true }), /signal/],
    ['a message that is no object', (client) => client.channel('messaging', 'den').sendMessage('Hello'), /message/],
    ['on without a handler', (client) => client.on('user.updated'), /handler/],
    ['on with a handler that is no function', (client) => client.on('user.updated', 'log'), /handler/],
    ['on with a type that is no string', (client) => client.on(7, () => {}), /type/],
    ['a value that JSON cannot hold', (client) => client.upsertUser({ id: 'john', big: 1n }), /\w/],
    [
      'a value that contains itself',
      (client) => {
        const user = { id: 'john' };
        user.self = user;
        return client.upsertUser(user);
      },
      /\w/,
    ],
  ];
  test('each mistake is named, and the client goes on', async (t) => {
    const { john } = await connected(t);
    for (const [what, call, message] of mistakes) {
      await t.test(what, async () => isPresenceError(await john.failure(call), 'invalid_argument', message));
    }
    assert.deepEqual(await john.watch('john'), { john: true });
  });

  test('connectUser checks its own', async (t) => {
    const stage = await newStage(t);
    const john = await stage.person('john', 'rollcall');
    for (const call of [
      (client) => client.connectUser(),
      (client) => client.connectUser(null, 'token'),
      (client) => client.connectUser({ name: 'John' }, 'token'),
      (client) => client.connectUser({ id: 'not an id!' }, 'token'),
      (client) => client.connectUser({ id: 'john' }),
      (client) => client.connectUser({ id: 'john' }, 42),
      (client) => client.connectUser({ id: 'john' }, async () => 42),
    ]) {
      isPresenceError(await john.failure(call), 'invalid_argument');
    }
    await john.connect();
  });
});

describe('after disconnectUser', () => {
  test('a second watch says why it cannot be', async (t) => {
    const { john } = await connected(t);
    await john.do(async (client) => {
      window.den = client.channel('messaging', 'den', { members: ['john'] });
      await window.den.watch();
      await client.disconnectUser();
    });
    isPresenceError(await john.failure(() => window.den.watch({ presence: true })), 'disconnected', /disconnectUser.*connect again/);
    isPresenceError(await john.failure((client) => client.queryUsers({})), 'not_connected', /connectUser/);
  });

  test('what was under way ends with `disconnected`', async (t) => {
    const { john } = await connected(t);
    const interrupted = (client) => {
      const query = client.queryUsers({});
      client.disconnectUser();
      return query;
    };
    isPresenceError(await john.failure(interrupted), 'disconnected');
  });
});

describe('what the server refuses', () => {
  test('keeps its code and status', async (t) => {
    const { john, stage } = await connected(t, { expected: [HTTP_ERROR] });
    await stage.admin.upsertUser({ id: 'jack' });
    const forbidden = await john.failure((client) => client.upsertUser({ id: 'jack', name: 'Jackass' }));
    isPresenceError(forbidden, 17, /not allowed/);
    assert.equal(forbidden.status, 403);
    assert.equal(forbidden.retryable, false);
    for (const [mistake, message] of [
      [(client) => client.queryUsers({ id: { $near: 'jack' } }), /near/],
      [(client) => client.partialUpdateUser({ id: 'john', set: 'name' }), /set/],
      [(client) => client.partialUpdateUser({ id: 'john', unset: 'name' }), /unset/],
      [(client) => client.channel('messaging').watch(), /id.*members/],
    ]) {
      isPresenceError(await john.failure(mistake), 4, message);
    }
  });

  test('an aborted request ends with `aborted`', async (t) => {
    const { john } = await connected(t);
    const abort = (client) => {
      const controller = new AbortController();
      const query = client.queryUsers({}, {}, { signal: controller.signal });
      controller.abort();
      return query;
    };
    isPresenceError(await john.failure(abort), 'aborted');
    isPresenceError(await john.failure((client) => client.queryUsers({}, {}, { signal: AbortSignal.abort() })), 'aborted');
  });

  test('a server that is away is `network`, and worth another try', async (t) => {
    const { john, stage } = await connected(t, { expected: [CONNECTION_LOST] });
    await stage.server.kill();
    const failure = await john.failure((client) => client.queryUsers({}));
    isPresenceError(failure, 'network');
    assert.equal(failure.retryable, true);
  });
});
