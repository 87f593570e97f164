// A backend that checks webhooks with the official SDK, as it would the hosted service's.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { StreamChat } from 'stream-chat';
import { Events } from './harness/event.mjs';
import { Server } from './harness/server.mjs';

const calls = new Events();
let backend, server;

before(async () => {
  backend = createServer(async (request, reply) => {
    const chunks = await request.toArray();
    calls.push({ body: Buffer.concat(chunks), signature: request.headers['x-signature'] });
    reply.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  server = await Server.start({ flags: ['--webhook-url', `http://127.0.0.1:${backend.address().port}/`] });
});

after(async () => {
  await server?.discard();
  backend?.close();
});

test("the official SDK's verifyWebhook takes our signature, and no other", async () => {
  const application = new StreamChat(server.key, server.secret, { baseURL: server.url });
  const john = new StreamChat(server.key, { baseURL: server.url, allowServerSideConnect: true });
  await john.connectUser({ id: 'john' }, application.createToken('john'));
  const { body, signature } = await calls.next(() => true, 'a webhook');
  assert.ok(application.verifyWebhook(body, signature));
  const event = JSON.parse(body);
  assert.equal(event.type, 'user.presence.changed');
  assert.deepEqual([event.user.id, event.user.online], ['john', true]);
  const forged = Buffer.from(String(body).replace('john', 'jack'));
  assert.ok(!application.verifyWebhook(forged, signature));
  await john.disconnectUser();
});
