// In a page: what an app does to watch users, with each client and with none.

/** A connected client, this one or the official SDK. */
export async function connect(sdk, { key = 'key', baseURL, token, options }) {
  const { Client } = await import(`/${sdk}.js`);
  const client = new Client(key, { baseURL, timeout: 60_000, ...options });
  await client.connectUser({ id: 'john' }, token ?? client.devToken('john'));
  return client;
}

/** Resolves when all of these are known and watched, with what an app has to keep for that. */
export async function watch(client, ids) {
  if (client.watchPresence) return client.watchPresence(ids);
  // What the server answers at most.
  const limit = 100;
  const pages = [];
  for (let first = 0; first < ids.length; first += limit) pages.push(ids.slice(first, first + limit));
  await Promise.all(pages.map((page) => client.queryUsers({ id: { $in: page } }, {}, { presence: true, limit })));
}

/** The least there can be: a socket whose events are parsed and kept. Resolves when it is open. `query` asks for batches. */
export function watchBare(baseURL, hear, query = '') {
  const known = new Map();
  const socket = new WebSocket(`${baseURL.replace('http', 'ws')}/connect${query}`);
  return new Promise((resolve) => {
    const take = ({ type, user }) => {
      if (type !== 'user.presence.changed') return resolve();
      known.set(user.id, user);
      hear();
    };
    socket.onmessage = ({ data }) => {
      const said = JSON.parse(data);
      if (Array.isArray(said)) said.forEach(take);
      else take(said);
    };
  });
}
