// The official SDK and the application as a whole: its settings, its limits, and connecting without WebSockets.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { event, presence } from './harness/event.mjs';
import { CONNECTION_LOST } from './harness/browser.mjs';
import { Replies } from './harness/replies.mjs';
import { newStage } from './harness/stage.mjs';

const replies = new Replies();

describe('the application', () => {
  test('tells its settings and channel types', async (t) => {
    const stage = await newStage(t);
    const admin = replies.of(stage.admin, 'StreamChat');
    const { app } = await admin.getAppSettings();
    assert.ok(app.channel_configs.messaging);
    const { channel_types } = await admin.listChannelTypes();
    assert.deepEqual(Object.keys(channel_types).sort(), ['commerce', 'gaming', 'livestream', 'messaging', 'team']);
    const gaming = await admin.getChannelType('gaming');
    assert.equal(gaming.connect_events, false);
    await assert.rejects(admin.getChannelType('nonsense'), { code: 16, status: 404 });
    await assert.rejects(admin.getTask('00000000-0000-0000-0000-000000000000'), { code: 16, status: 404 });
  });

  test('tells its limits', async (t) => {
    const stage = await newStage(t);
    const admin = replies.of(stage.admin, 'StreamChat');
    // Not kept: its type names every endpoint, though only those asked for are answered.
    const limits = await stage.admin.getRateLimits({ serverSide: true, endpoints: ['QueryUsers'] });
    const before = limits.server_side.QueryUsers;
    assert.ok(before.limit > 0 && before.remaining > 0);
    await admin.queryUsers({});
    const after = await stage.admin.getRateLimits({ serverSide: true, endpoints: ['QueryUsers'] });
    assert.equal(after.server_side.QueryUsers.remaining, before.remaining - 1);
  });
});

describe('more than one may have', () => {
  test('a third connection where two are allowed: code 71, until one of them ends', async (t) => {
    const stage = await newStage(t, { flags: ['--connections-per-user', '2'] });
    const [phone, laptop, tablet] = await Promise.all([1, 2, 3].map(() => stage.person('john', 'node')));
    await phone.connect();
    await laptop.connect();
    // The SDK puts the error into the message, as JSON.
    const { code, StatusCode } = await tablet.connect().then(
      () => assert.fail('it was let in'),
      (error) => JSON.parse(error.message),
    );
    assert.deepEqual({ code, StatusCode }, { code: 71, StatusCode: 429 });

    await phone.disconnect();
    const me = await tablet.connect();
    assert.equal(me.id, 'john');
  });

  test('one request too many in a minute: code 9, and headers that say until when', async (t) => {
    const stage = await newStage(t, { flags: ['--user-requests-per-minute', '2'] });
    const [jack, john] = await Promise.all(['jack', 'john'].map((id) => stage.person(id, 'node')));
    await Promise.all([jack.connect(), john.connect()]);
    const query = ({ client }) => client.queryUsers({ id: 'john' }, {}, { presence: false });
    // As many as it takes: a new minute may begin in between.
    const refusal = async () => {
      for (;;) await query(john);
    };
    await assert.rejects(refusal(), ({ code, status, response: { data, headers } }) => {
      assert.deepEqual([code, status, data.StatusCode], [9, 429, 429]);
      assert.equal(headers['x-ratelimit-limit'], '2');
      assert.equal(headers['x-ratelimit-remaining'], '0');
      const seconds = headers['x-ratelimit-reset'] - Date.now() / 1000;
      assert.ok(seconds > -1 && seconds <= 60, `the next minute begins in ${seconds} s`);
      return true;
    });
    await query(jack);
    const { users } = await stage.admin.queryUsers({ id: 'john' });
    assert.equal(users[0].id, 'john', 'nobody else pays for it');
  });
});

describe('where WebSockets do not get through', () => {
  /** A page of somebody whose WebSockets all fail, as behind some proxies. */
  async function withoutWebSockets(stage, id) {
    const person = await stage.person(id, 'stream-chat', { expected: [CONNECTION_LOST] });
    await person.page.routeWebSocket(/./, (socket) => socket.close({ code: 1011 }));
    await person.page.reload();
    await person.page.waitForFunction(() => window.Client);
    await person.page.evaluate(
      ({ key, baseURL }) => {
        window.client = new window.Client(key, { baseURL, timeout: 10_000, enableWSFallback: true });
        window.client.on((event) => window.heard(JSON.parse(JSON.stringify(event))));
      },
      { key: stage.server.key, baseURL: stage.server.url },
    );
    return person;
  }

  test('long-polling means the same: one is online while polling, hears, and says goodbye', async (t) => {
    const stage = await newStage(t, { grace: '1h' });
    await stage.admin.upsertUser({ id: 'john' });
    const jack = await stage.person('jack', 'node');
    await jack.connect();
    await jack.watch('john');

    const john = await withoutWebSockets(stage, 'john');
    const me = await john.connect({ status: 'by post' });
    assert.equal(me.status, 'by post');
    assert.equal((await john.heard.next(event('transport.changed'))).mode, 'longpoll');
    await jack.heard.next(presence('john', true));

    await john.watch('jack');
    await jack.disconnect();
    await john.heard.next(presence('jack', false));
    await jack.connect();
    await jack.watch('john');

    await john.disconnect();
    await jack.heard.next(presence('john', false));
  });

  test('polling on with the id of a connection that has ended: code 46, and a new session', async (t) => {
    const stage = await newStage(t);
    const poll = async (more) => {
      const json = JSON.stringify({ user_id: 'john', user_details: { id: 'john' } });
      const query = new URLSearchParams({ api_key: stage.server.key, user_id: 'john', json, ...more });
      const headers = { Authorization: stage.server.token('john'), 'stream-auth-type': 'jwt' };
      const response = await fetch(`${stage.server.url}/longpoll?${query}`, { headers });
      return { status: response.status, body: await response.json() };
    };
    const { event } = (await poll()).body;
    await poll({ connection_id: event.connection_id, close: 'true' });

    const { status, body } = await poll({ connection_id: event.connection_id });
    assert.equal(status, 400);
    assert.deepEqual([body.code, body.StatusCode], [46, 400]);
    const again = (await poll()).body.event;
    assert.equal(again.me.id, 'john');
    assert.notEqual(again.connection_id, event.connection_id);
  });
});

test('what came back has the types that the SDK declares', () =>
  replies.check({
    methods: ['getAppSettings', 'listChannelTypes', 'getChannelType', 'queryUsers'],
    events: [],
  }));
