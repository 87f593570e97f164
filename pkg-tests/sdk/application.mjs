// The official SDK and the application as a whole: its settings and its limits.

import assert from 'node:assert/strict';
import { Chapter } from '../harness/chapter.mjs';

const settings = new Chapter('application: settings');
const limits = new Chapter('application: more than one may have');
export const application = [settings, limits];

settings.story('settings and channel types are told', { backend: true }, async ({ admin }) => {
  const { app } = await admin.getAppSettings();
  assert.ok(app.channel_configs.messaging);
  const { channel_types } = await admin.listChannelTypes();
  assert.deepEqual(Object.keys(channel_types).sort(), ['commerce', 'gaming', 'livestream', 'messaging', 'team']);
  const gaming = await admin.getChannelType('gaming');
  assert.equal(gaming.connect_events, false);
  await assert.rejects(admin.getChannelType('nonsense'), { code: 16, status: 404 });
  await assert.rejects(admin.getTask('00000000-0000-0000-0000-000000000000'), { code: 16, status: 404 });
});

settings.story('settings cannot be changed, and the error says which', { backend: true }, async ({ admin }) => {
  await assert.rejects(admin.updateAppSettings({ enforce_unique_usernames: 'app' }), {
    code: 19,
    status: 400,
    message: /enforce_unique_usernames/,
  });
  // Nor together with what can.
  const revoked = { revoke_tokens_issued_before: new Date().toISOString(), webhook_url: 'https://example.com' };
  await assert.rejects(admin.updateAppSettings(revoked), { code: 19, status: 400, message: /webhook_url/ });
  const { app } = await admin.getAppSettings();
  assert.equal(app.revoke_tokens_issued_before ?? null, null);
});

settings.story('limits are told', { backend: true }, async ({ admin }) => {
  const limits = await admin.getRateLimits({ serverSide: true, endpoints: ['QueryUsers'] });
  const before = limits.server_side.QueryUsers;
  assert.ok(before.limit > 0 && before.remaining > 0);
  await admin.queryUsers({});
  const after = await admin.getRateLimits({ serverSide: true, endpoints: ['QueryUsers'] });
  assert.equal(after.server_side.QueryUsers.remaining, before.remaining - 1);
  const all = await admin.getRateLimits();
  assert.deepEqual(Object.keys(all).sort(), ['android', 'duration', 'ios', 'server_side', 'web']);
});

limits.story('a third connection where two are allowed: code 71, until one of them ends', { flags: ['--connections-per-user', '2'] }, async (stage) => {
  const [phone, laptop, tablet] = [1, 2, 3].map(() => stage.person('john'));
  await phone.connect();
  await laptop.connect();
  const { code, StatusCode } = await tablet.refusal();
  assert.deepEqual([code, StatusCode], [71, 429]);

  await phone.disconnect();
  const me = await tablet.connect();
  assert.equal(me.id, 'john');
});

limits.story('one request too many in a minute: code 9, and headers that say until when', { flags: ['--user-requests-per-minute', '2'] }, async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');
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
