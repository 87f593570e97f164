// The official SDK when something is wrong: bad credentials, expired tokens, a server that goes away.

import assert from 'node:assert/strict';
import { StreamChat } from 'stream-chat';
import { Chapter } from '../harness/chapter.mjs';
import { event, presence } from '../harness/event.mjs';

const now = () => Math.floor(Date.now() / 1000);

const refused = new Chapter('failure: refused');
const requests = new Chapter('failure: a request with a token that was good for connecting');
const providers = new Chapter('failure: a token provider');
const outages = new Chapter('failure: a server that goes away');
export const failures = [refused, requests, providers, outages];

const EXPIRED = { exp: now() - 60 };
const FOR_LATER = { nbf: now() + 3600 };
const ISSUED_LATER = { iat: now() + 3600 };

for (const [what, code, token] of [
  ['a development token where they are off', 43, ({ client }) => client.devToken('john')],
  ["another user's token", 5, (_, stage) => async () => stage.token('jack')],
  ['a token that has expired', 40, (_, stage) => stage.token('john', EXPIRED)],
  ['a token for later', 41, (_, stage) => stage.token('john', FOR_LATER)],
  ['a token issued in the future', 42, (_, stage) => stage.token('john', ISSUED_LATER)],
  ['a token signed with another secret', 43, (_, stage) => stage.token('john', {}, 'another secret')],
]) {
  refused.story(`${what}: code ${code}`, async (stage) => {
    const john = stage.person('john');
    isFinal(await john.refusal(token(john, stage)), code);
  });
}

refused.story('an unknown API key: code 2', async (stage) => {
  const john = stage.person('john', { key: 'nobody' });
  isFinal(await john.refusal(), 2);
});

refused.story('a token that does not say whose it is: code 5', async (stage) => {
  isFinal(await stage.person('john').refusal(async () => stage.token('')), 5);
});

refused.story("a backend's token for a socket: code 5", { backend: true }, async (stage) => {
  isFinal(await stage.person('john').refusal(async () => stage.admin.tokenManager.getToken()), 5);
});

refused.story("a backend's requests with another secret: code 43", { backend: true }, async ({ server }) => {
  const forger = new StreamChat(server.key, 'another secret', { baseURL: server.url });
  await assert.rejects(forger.queryUsers({}), { code: 43, status: 401 });
});

refused.story('a write to another user: code 17', async (stage) => {
  const [, john] = await stage.people('jack', 'john');
  await assert.rejects(john.client.partialUpdateUser({ id: 'jack', set: { name: 'Not Jack' } }), { code: 17, status: 403 });
});

for (const [what, code, id, claims, secret] of [
  ['of another user', 5, 'jack'],
  ['that has expired', 40, 'john', EXPIRED],
  ['for later', 41, 'john', FOR_LATER],
  ['issued in the future', 42, 'john', ISSUED_LATER],
  ['signed with another secret', 43, 'john', {}, 'another secret'],
]) {
  requests.story(`and is now one ${what}: code ${code}`, async (stage) => {
    const [john] = await stage.people('john');
    john.client.tokenManager.token = await stage.token(id, claims, secret);
    await assert.rejects(john.client.queryUsers({}), { code, status: 401 });
  });
}

requests.story('and is now one of another application: code 2', async (stage) => {
  const [john] = await stage.people('john');
  john.client.key = 'nobody';
  await assert.rejects(john.client.queryUsers({}), { code: 2, status: 401 });
});

providers.story('is asked again when the token it gave has expired', async (stage) => {
  const john = stage.person('john');
  const claims = [EXPIRED, {}];
  let asked = 0;
  const me = await john.connect({}, async () => stage.token('john', claims[Math.min(asked++, 1)]));
  assert.equal(me.id, 'john');
  assert.equal(asked, 2);
});

providers.story('is asked again when a request finds the token expired', async (stage) => {
  const john = stage.person('john');
  let asked = 0;
  await john.connect({}, async () => (asked++, stage.token('john')));
  // As if the hour had come.
  john.client.tokenManager.token = await stage.token('john', EXPIRED);
  const { users } = await john.client.queryUsers({ id: 'john' });
  assert.equal(users[0].id, 'john');
  assert.equal(asked, 2);
});

for (const [how, end] of [['restarts', 'stop'], ['is killed and started again', 'kill']]) {
  outages.story(`${how}: the SDK comes back, and nothing written is lost`, { grace: '200ms' }, async (stage) => {
    const [jack, john] = [stage.person('jack'), stage.person('john')];
    await Promise.all([jack.connect(), john.connect({ status: 'kept' })]);
    const channel = jack.client.channel('messaging', 'den', { members: ['jack', 'john'] });
    await channel.watch({ presence: true });

    await stage[end]();
    await stage.start();
    await Promise.all([jack, john].map(({ heard }) => heard.next(event('connection.recovered'))));

    assert.deepEqual(await jack.watch('john'), { john: true });
    assert.equal(channel.state.members.john.user.status, 'kept');
    await john.disconnect();
    await jack.heard.next(presence('john', false));
  });
}

outages.story('one who does not come back after a crash is offline', { grace: '200ms' }, async (stage) => {
  const [jack, john] = await stage.people('jack', 'john');

  await stage.kill();
  await john.end();
  await stage.start();
  await jack.heard.next(event('connection.recovered'));
  const { john: online } = await jack.watch('john');
  // Either the grace is over already, or its end is announced.
  if (online) await jack.heard.next(presence('john', false));
  assert.deepEqual(await jack.watch('john'), { john: false });
});

/** Checks a refusal that trying again would not cure. */
function isFinal({ code, StatusCode, isWSFailure, message }, expected) {
  assert.deepEqual([code, StatusCode, isWSFailure], [expected, 401, false], message);
}
