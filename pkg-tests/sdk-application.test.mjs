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
});

test('what came back has the types that the SDK declares', () =>
  replies.check({
    methods: ['getAppSettings', 'listChannelTypes', 'getChannelType', 'queryUsers'],
    events: [],
  }));
