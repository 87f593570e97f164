// A page that shows who is online, as an app would: it shows what it was told, and nothing else.
// Settings come in the address, so that a reload starts it again by itself.

const { sdk, key, baseURL, user, token, ids, channel: cid } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const { PresenceClient, StreamChat } = await import(sdk);

/** By user: `online` or `offline`, with `stale` where the client says that it may be otherwise by now. */
const shown = new Map();
const waiting = new Set();
const look = () => waiting.forEach((check) => check());

const client = new (PresenceClient ?? StreamChat)(key, { baseURL });
client.on('connection.recovered', () => {
  watcher.recovered++;
  look();
});
client.on('connection.changed', ({ online }) => {
  watcher.history.push([Date.now(), null, online ? 'connected' : 'disconnected']);
  look();
});

const watcher = {
  client,
  /** How often the client said that what it watches is current again after a reconnect. */
  recovered: 0,
  /** How often the browser brought this very page back, and did not load it again. */
  restored: 0,
  /** Everything that was ever shown of anybody, or said of the connection: `[Date.now(), id or null, what]`. */
  history: [],
  /** Of `wanted`, whoever is not shown so: `{ id: [shown, wanted] }`. */
  differences: (wanted) =>
    Object.fromEntries(
      Object.entries(wanted)
        .filter(([id, state]) => shown.get(id) !== state)
        .map(([id, state]) => [id, [shown.get(id), state]]),
    ),
  /** Resolves once `condition()` holds; rejects with what `explain()` says when it does not in time. */
  until: (condition, deadline, explain) =>
    new Promise((resolve, reject) => {
      const settle = (how) => (clearTimeout(timer), waiting.delete(check), how());
      const check = () => condition() && settle(resolve);
      const timer = setTimeout(() => settle(() => reject(new Error(explain()))), deadline);
      waiting.add(check);
      check();
    }),
};
window.watcher = watcher;
addEventListener('pageshow', ({ persisted }) => {
  watcher.restored += Number(persisted);
  look();
});

function show(id, online, freshness = 'live') {
  const state = `${freshness === 'stale' ? 'stale ' : ''}${online ? 'online' : 'offline'}`;
  if (shown.get(id) === state) return;
  shown.set(id, freshness === 'unknown' ? freshness : state);
  watcher.history.push([Date.now(), id, shown.get(id)]);
  look();
}

await client.connectUser({ id: user }, token);
if (client.watchPresence) {
  const watch = await client.watchPresence(ids);
  watch.on('change', ({ id, online, freshness }) => show(id, online, freshness));
  for (const id of ids) show(id, watch.get(id).online, watch.get(id).freshness);
} else if (cid) {
  // What the SDK keeps current by itself, shown anew at every event.
  const channel = client.channel('messaging', cid);
  const showAll = () => Object.values(channel.state.members).forEach(({ user }) => ids.includes(user.id) && show(user.id, user.online));
  client.on(showAll);
  await channel.watch({ presence: true });
  showAll();
} else {
  client.on('user.presence.changed', ({ user }) => show(user.id, user.online));
  for (let at = 0; at < ids.length; at += 100) {
    const page = { id: { $in: ids.slice(at, at + 100) } };
    const { users } = await client.queryUsers(page, { id: 1 }, { presence: true, limit: 100 });
    for (const { id, online } of users) show(id, online);
  }
}
watcher.ready = true;
look();
