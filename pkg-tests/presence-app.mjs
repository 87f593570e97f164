// Ordinary presence code, as an app would hold it. It knows no SDK: whoever starts it hands it
// the client class, which is the only thing that changes when an app moves from one to the other.

/** Connects and begins to report who comes and goes, as lines of text. */
export async function openApp(Client, { apiKey, baseURL, user, token, report }) {
  const client = new Client(apiKey, { baseURL });

  client.on('user.presence.changed', (event) => {
    report(`${event.user.id} is ${event.user.online ? 'online' : 'offline'}`);
  });
  const { unsubscribe } = client.on('user.updated', (event) => {
    report(`${event.user.id}: ${event.user.status}`);
  });

  const first = await client.connectUser(user, token);
  report(`connected as ${first.me.id}`);

  // One way to watch: users, by whatever finds them.
  const { users } = await client.queryUsers({ id: { $in: ['ann', 'nobody'] } }, { id: 1 }, { presence: true });
  report(`found ${users.map(({ id, online }) => `${id} ${online ? 'online' : 'offline'}`)}`);

  // Another: the members of channels, by whatever finds those.
  const green = await client.queryChannels(
    { color: 'green', members: { $in: [user.id] } },
    { last_message_at: -1 },
    { presence: true },
  );
  report(`green: ${green.map(({ cid }) => cid)}`);

  // And another: the members of one channel.
  const lunch = client.channel('messaging', 'lunch', { members: ['cyd', user.id] });
  await lunch.watch({ presence: true });
  await lunch.sendMessage({ text: 'Burgers?' });

  const members = (channel) =>
    Object.values(channel.state.members)
      .map(({ user }) => `${user.id} ${user.online ? 'online' : 'offline'}`)
      .sort();

  return {
    /** Who is in the channels, by what their state says now. */
    roster: () => ({ green: members(green[0]), lunch: members(lunch), watchers: Object.keys(lunch.state.watchers) }),
    messages: () => lunch.state.messages.map(({ text, user }) => `${user.id}: ${text}`),
    hide: () => client.upsertUser({ id: user.id, invisible: true }).then(() => {}),
    show: () => client.upsertUser({ id: user.id, invisible: false }).then(() => {}),
    ignoreStatus: () => unsubscribe(),
    leave: () => lunch.stopWatching().then(() => client.disconnectUser()),
  };
}
