// What one presence event costs, from the text of its frame to a listener that was called with the
// state kept, in Chromium: this client beside the official SDK and beside the least there can be.
// Every client is given the frame where its socket would give it.

import { presenceEvents, userAfter } from './harness/events.mjs';
import { NETWORK, onPage, withChromium } from './harness/pages.mjs';
import { ids } from './harness/server.mjs';

const USERS = 1_000;
const EVENTS = 4_000;

/** In a page: the microseconds an event took, of all rounds. */
async function measure({ network: makeNetwork, answers, texts, rounds }) {
  const network = (0, eval)(makeNetwork);
  const { connect, watch } = await import('/subject.js');
  const ids = Object.keys(answers);
  let heard = 0;

  const known = new Map();
  const bare = (text) => {
    const { user } = JSON.parse(text);
    known.set(user.id, user);
    heard++;
  };

  /** Connects a client; returns what its socket does with a frame. */
  const connected = async (sdk) => {
    const sockets = network.sockets.length;
    const connecting = connect(sdk, { baseURL: 'http://presence.test' });
    await network.until(() => network.sockets.length > sockets);
    const { socket } = network;
    socket.greet({ id: 'john', online: true });
    const client = await connecting;
    client.on('user.presence.changed', () => heard++);
    return [client, (data) => socket.onmessage({ data })];
  };

  network.answers['/users'] = ({ filter_conditions: { id } }) => ({ users: id.$in.map((id) => answers[id]) });
  const [ours, rollcallTakes] = await connected('rollcall');
  await watch(ours, ids);
  const [theirs, streamChatTakes] = await connected('stream-chat');
  // What a query of theirs leaves behind.
  theirs.state.updateUsers(Object.values(answers));
  // The network's clock is slower than the browser's own.
  network.restore();

  const subjects = { rollcall: rollcallTakes, 'JSON.parse + Map.set': bare, 'stream-chat': streamChatTakes };
  const spent = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, subject] of Object.entries(subjects)) {
      heard = 0;
      const began = performance.now();
      for (const text of texts) subject(text);
      const took = performance.now() - began;
      if (heard !== texts.length) throw new Error(`${name} heard ${heard} of ${texts.length} events`);
      // The engine is warm by then.
      if (round >= rounds / 4) spent[name].push((took * 1e3) / texts.length);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const id of ids) {
    if (theirs.state.users[id].online !== known.get(id).online) throw new Error('stream-chat has not kept its state');
    if (ours.user(id).presence.online !== known.get(id).online) throw new Error('rollcall has not kept its state');
  }
  await ours.disconnectUser();
  return spent;
}

export async function results({ short }) {
  const answers = Object.fromEntries(ids(USERS).map((id) => [id, userAfter(id, 0)]));
  const settings = { network: NETWORK, answers, texts: presenceEvents(USERS, EVENTS), rounds: short ? 12 : 40 };
  const samples = await withChromium((browser, origin) => onPage(browser, origin, measure, settings));
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
