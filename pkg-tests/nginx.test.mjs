// The reverse proxy of docs/OPERATIONS.md, as it stands there: nginx, with TLS, before the server.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { StreamChat } from 'stream-chat';
import { freePort, startNginx } from '../scripts/engines.mjs';
import { root } from '../scripts/shell.mjs';
import { Events, inTime } from './harness/event.mjs';
import { Server } from './harness/server.mjs';

// The SDK's own sockets take no certificate, and this is not about who signed it.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

let server, folder, nginx, url;

before(async () => {
  server = await Server.start();
  folder = await mkdtemp(join(tmpdir(), 'rollcall-nginx-'));
  const file = (name) => join(folder, name);
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost', '-keyout', file('key.pem'), '-out', file('cert.pem'),
  ], { stdio: 'ignore' });

  const page = await readFile(join(root, 'docs', 'OPERATIONS.md'), 'utf8');
  const [, block] = page.match(/```nginx\n([^]*?)```/);
  const port = await freePort();
  const config = [
    ['server 127.0.0.1:8800;', `server ${new URL(server.url).host};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
    ['/etc/letsencrypt/live/presence.example.com/fullchain.pem', file('cert.pem')],
    ['/etc/letsencrypt/live/presence.example.com/privkey.pem', file('key.pem')],
    ['/var/log/nginx/rollcall.log', file('access.log')],
  ].reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `docs/OPERATIONS.md no longer says ${from}`);
    return text.replace(from, to);
  }, block);
  nginx = await inTime(startNginx(port, config, folder), 'nginx starting');
  url = `https://localhost:${port}`;
});

after(async () => {
  await nginx?.stop();
  await server?.discard();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test('two people see each other through nginx, and no token is in its log', async () => {
  const tokens = new StreamChat(server.key, server.secret);
  const people = [];
  for (const id of ['john', 'jack']) {
    const client = new StreamChat(server.key, {
      baseURL: url,
      allowServerSideConnect: true,
    });
    const events = new Events();
    client.on((event) => events.push(event));
    people.push({ id, client, events, token: tokens.createToken(id) });
  }
  const [john, jack] = people;
  await john.client.connectUser({ id: 'john' }, john.token);
  await jack.client.connectUser({ id: 'jack' }, jack.token);
  await jack.client.disconnectUser();
  const { users } = await john.client.queryUsers({ id: 'jack' }, {}, { presence: true });
  assert.equal(users[0].online, false);
  await jack.client.connectUser({ id: 'jack' }, jack.token);
  const flip = await john.events.next((event) => event.type === 'user.presence.changed' && event.user.id === 'jack');
  assert.equal(flip.user.online, true);
  await Promise.all(people.map(({ client }) => client.disconnectUser()));

  const log = await readFile(join(folder, 'access.log'), 'utf8');
  assert.match(log, /GET \/connect 101/);
  for (const { token } of people) assert.ok(!log.includes(token), 'a token is in the log');
});

test('what is for operators is kept from outsiders', async () => {
  const status = (path) =>
    new Promise((resolve, reject) => {
      request(`${url}${path}`, (reply) => (reply.resume(), resolve(reply.statusCode))).on('error', reject).end();
    });
  assert.equal(await status('/metrics'), 403);
  assert.equal(await status('/readyz'), 403);
  assert.equal(await status('/healthz'), 200);
});
