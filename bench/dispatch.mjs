// What one presence event costs, from the text of its frame to a listener that was called with the
// state kept, in Chromium: this client beside the official SDK and beside the least there can be.
// Every client is given the frame where its socket would give it.

import { NETWORK, onPage, withChromium } from './harness/pages.mjs';

/** In a page: the microseconds an event took, of all rounds. */
async function measure({ rollcall, streamChat, network: makeNetwork, users, events, rounds }) {
  const network = (0, eval)(makeNetwork);
  // The official SDK takes the WebSocket that there is when it is loaded.
  const { Client: PresenceClient } = await import(rollcall);
  const { Client: StreamChat } = await import(streamChat);
  const ids = Array.from({ length: users }, (_, index) => `user-${index}`);
  const stamp = (count) => new Date(1_770_000_000_000 + count * 1000).toISOString();
  const user = (id, count) => ({
    id,
    name: `The user ${id}`,
    role: 'user',
    teams: [],
    created_at: stamp(0),
    // A profile is not another one for who comes and goes.
    updated_at: stamp(1),
    last_active: stamp(count),
    online: count % 2 === 0,
    banned: false,
  });
  const texts = Array.from({ length: events }, (_, count) =>
    JSON.stringify({ type: 'user.presence.changed', created_at: stamp(count), user: user(ids[count % users], count) }),
  );
  let heard = 0;

  const known = new Map();
  const bare = (text) => {
    const { user } = JSON.parse(text);
    known.set(user.id, user);
    heard++;
  };

  /** Connects a client; returns what its socket does with a frame. */
  const connected = async (client) => {
    const sockets = network.sockets.length;
    const connecting = client.connectUser({ id: 'john' }, client.devToken('john'));
    await network.until(() => network.sockets.length > sockets);
    const { socket } = network;
    socket.greet({ id: 'john', online: true });
    await connecting;
    client.on('user.presence.changed', () => heard++);
    return (data) => socket.onmessage({ data });
  };

  network.answers['/users'] = ({ filter_conditions: { id } }) => ({ users: id.$in.map((id) => user(id, 1)) });
  const ours = new PresenceClient('key', { baseURL: 'http://presence.test' });
  const rollcallTakes = await connected(ours);
  await ours.watchPresence(ids);

  const theirs = new StreamChat('key', { baseURL: 'http://presence.test', disableCache: true });
  const streamChatTakes = await connected(theirs);
  // What a query of theirs leaves behind.
  theirs.state.updateUsers(ids.map((id) => user(id, 1)));

  const subjects = { rollcall: rollcallTakes, 'JSON.parse + Map.set': bare, 'stream-chat': streamChatTakes };
  const spent = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, subject] of Object.entries(subjects)) {
      heard = 0;
      const began = performance.now();
      for (const text of texts) subject(text);
      const took = performance.now() - began;
      if (heard !== events) throw new Error(`${name} heard ${heard} of ${events} events`);
      // The engine is warm by then.
      if (round >= rounds / 4) spent[name].push((took * 1e3) / events);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const id of ids) {
    if (theirs.state.users[id].online !== known.get(id).online) throw new Error('stream-chat has not kept its state');
    if (ours.user(id).presence.online !== known.get(id).online) throw new Error('rollcall has not kept its state');
  }
  await ours.disconnectUser();
  network.restore();
  return spent;
}

export async function results({ short }) {
  const settings = { network: NETWORK, users: 1_000, events: 4_000, rounds: short ? 12 : 40 };
  const samples = await withChromium((browser, origin) =>
    onPage(browser, origin, measure, { ...settings, rollcall: `${origin}/rollcall.js`, streamChat: `${origin}/stream-chat.js` }),
  );
  return [
    {
      what: 'dispatch of one presence event',
      unit: 'µs',
      ours: 'rollcall',
      steady: 'JSON.parse + Map.set',
      samples,
      aims: [{ atMost: 2, of: 'JSON.parse + Map.set' }, { atMost: 0.5, of: 'stream-chat' }],
    },
  ];
}
