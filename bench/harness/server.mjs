// Our server as it is delivered, and those who are stored there.

import { builtForSpeed } from './crowd.mjs';

/** How many users one request writes. */
const BATCH = 100;

export const idOf = (number) => `user-${number}`;

/** The ids of so many. */
export const ids = (users) => Array.from({ length: users }, (_, number) => idOf(number));

/** Does `work` with a server of its own, built for speed, where so many users are stored. */
export async function withServer(users, work) {
  process.env.ROLLCALL_SERVER ??= (await builtForSpeed()).server;
  // Only now, because it looks for the server when it is loaded.
  const { Server } = await import('../../pkg-tests/harness/server.mjs');
  const { JWTUserToken, StreamChat } = await import('stream-chat');
  // Everybody's requests together are no abuse here.
  const server = await Server.start({ flags: ['--rate-limit-scale', '0', '--user-requests-per-minute', '0', '--log', 'warn'] });
  try {
    const backend = new StreamChat(server.key, server.secret, { baseURL: server.url, disableCache: true });
    for (let first = 0; first < users; first += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, users - first) }, (_, index) => idOf(first + index));
      await backend.upsertUsers(batch.map((id) => ({ id, name: `The user ${id}`, status: 'Here and there' })));
    }
    return await work({
      key: server.key,
      baseURL: server.url,
      token: (id) => JWTUserToken(server.secret, id, {}),
    });
  } finally {
    await server.discard();
  }
}
