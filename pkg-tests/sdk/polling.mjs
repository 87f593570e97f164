// The official SDK where no WebSocket comes through: it polls instead.

import assert from 'node:assert/strict';
import { Chapter } from '../harness/chapter.mjs';
import { event, presence } from '../harness/event.mjs';

const chapter = new Chapter('polling');
export const polling = [chapter];

/**
 * Somebody behind a gateway. The SDK would try sockets for six seconds, and all of them fail. It
 * tries the second 250 ms after the first has failed; were it to turn to polling in the middle of
 * a try, `ws` would throw in Node where nobody can catch it.
 */
function behind(stage, gateway, id) {
  const person = stage.person(id, { baseURL: gateway.url, enableWSFallback: true });
  person.client.defaultWSTimeoutWithFallback = 100;
  return person;
}

chapter.story('means the same: one is online while polling, hears, and says goodbye', { grace: '1h' }, async (stage) => {
  await stage.admin.upsertUser({ id: 'john' });
  const [jack] = await stage.people('jack');
  await jack.watch('john');

  const john = behind(stage, await stage.gateway(), 'john');
  const me = await john.connect({ status: 'by post' });
  assert.deepEqual([me.status, me.online], ['by post', true]);
  assert.equal((await john.heard.next(event('transport.changed'))).mode, 'longpoll');
  await jack.heard.next(presence('john', true));

  const den = john.client.channel('messaging', 'den', { members: ['jack', 'john'] });
  const { watcher_count } = await den.watch({ presence: true });
  assert.deepEqual([watcher_count, den.state.members.jack.user.online], [1, true]);
  await jack.disconnect();
  await john.heard.next(presence('jack', false));
  assert.equal(den.state.members.jack.user.online, false);
  await jack.connect();
  await john.heard.next(presence('jack', true));
  await jack.watch('john');

  await john.upsert({ invisible: true });
  await jack.heard.next(presence('john', false));
  await john.upsert({ invisible: false });
  await jack.heard.next(presence('john', true));

  await john.disconnect();
  await jack.heard.next(presence('john', false));
});

chapter.story('beside a socket: one is online until both have ended', { grace: '1h' }, async (stage) => {
  const [jack, phone] = await stage.people('jack', 'john');
  await jack.watch('john');
  const laptop = behind(stage, await stage.gateway(), 'john');
  await laptop.connect();
  await phone.disconnect();
  await laptop.upsert({ status: 'still here' });
  await jack.heard.next(event('user.updated', 'john'));
  assert.deepEqual(jack.heard.all(presence('john')), []);

  await laptop.disconnect();
  await jack.heard.next(presence('john', false));
});

chapter.story(
  'while polls do not come through one is gone; code 46 then opens a new session',
  { grace: '200ms', flags: ['--idle-timeout', '3s', '--ping-after', '1s', '--health-check-interval', '1s'] },
  async (stage) => {
    const [jack] = await stage.people('jack');
    const gateway = await stage.gateway();
    const john = behind(stage, gateway, 'john');
    await john.connect();
    const den = john.client.channel('messaging', 'den', { members: ['jack', 'john'] });
    await den.watch();
    await jack.watch('john');
    const before = john.client._getConnectionID();

    await gateway.holdPolls();
    await jack.heard.next(presence('john', false));
    await gateway.passPolls();
    await john.heard.next(event('connection.recovered'));
    await jack.heard.next(presence('john', true));
    assert.notEqual(john.client._getConnectionID(), before);

    // The SDK has watched its channel again, from the new session.
    await stage.admin.channel('messaging', 'den').sendMessage({ text: 'Hello', user_id: 'jack' });
    await john.heard.next(event('message.new', 'jack'));
  },
);

chapter.story('goes on with a new token when one expires', async (stage) => {
  const john = behind(stage, await stage.gateway(), 'john');
  let asked = 0;
  await john.connect({}, async () => (asked++, stage.token('john')));
  // As if the hour had come, when the open poll has been answered.
  john.client.tokenManager.token = await stage.token('john', { exp: Math.floor(Date.now() / 1000) - 60 });
  await stage.admin.sendUserCustomEvent('john', { type: 'friendship_requested', from: 'jill' });
  await john.heard.next(event('friendship_requested'));
  await stage.admin.sendUserCustomEvent('john', { type: 'friendship_requested', from: 'jack' });
  assert.equal((await john.heard.next(event('friendship_requested'))).from, 'jack');
  assert.equal(asked, 2);
});

chapter.story('as one connection more than one may have: code 71, until another ends', { flags: ['--connections-per-user', '1'] }, async (stage) => {
  const [phone] = await stage.people('john');
  const tablet = behind(stage, await stage.gateway(), 'john');
  await assert.rejects(tablet.connect(), { code: 71, status: 429 });

  await phone.disconnect();
  const me = await tablet.connect();
  assert.equal(me.online, true);
});
