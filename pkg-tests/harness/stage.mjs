// What one test plays on: a server of its own and the people it invites, all gone at its end.

import { StreamChat } from 'stream-chat';
import { InBrowser } from './in-browser.mjs';
import { Here } from './person.mjs';
import { Server } from './server.mjs';

/**
 * @param t The test's context.
 * @param options Those of `Server.start`.
 */
export async function newStage(t, options) {
  const leaving = [];
  t.after(async () => {
    // The server goes last: were it gone before the people, each of them would complain.
    for (const leave of leaving.reverse()) await leave();
  });
  const server = await Server.start(options);
  leaving.push(() => server.discard());
  const admin = new StreamChat(server.key, server.secret, { baseURL: server.url, timeout: 10_000, disableCache: true });
  server.token = (id, expires, issued) => admin.createToken(id, expires, issued);

  return {
    server,
    /** The official SDK with the secret, as an application's backend uses it. */
    admin,
    /** Of each of `ids`, `online` or `offline`, as the server says to a backend. */
    async truth(ids) {
      const truth = {};
      for (let at = 0; at < ids.length; at += 100) {
        const { users } = await admin.queryUsers({ id: { $in: ids.slice(at, at + 100) } }, { id: 1 }, { limit: 100 });
        for (const { id, online } of users) truth[id] = online ? 'online' : 'offline';
      }
      return truth;
    },
    /** Brings somebody on whose client runs `where`: `rollcall` and `stream-chat` in Chromium, `node` the official SDK in Node. */
    async person(id, where, options) {
      const person = where === 'node' ? new Here(id, server) : await InBrowser.open(id, server, where, options);
      leaving.push(() => person.end());
      return person;
    },
    /** Does `work` when the test is over. */
    defer: (work) => leaving.push(work),
  };
}
