// `npm run dispatch`: what one presence event costs, from the text of its frame to a listener that
// was called with the state kept: this client beside the official SDK and beside the least there
// can be, in Node and in Chromium. All three alternate in one run, so that only ratios count.
// Leaves all it measured in bench/results/dispatch.json.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launchChromium } from '../pkg-tests/harness/chromium.mjs';
import { installed } from '../pkg-tests/harness/package.mjs';
import { site } from '../pkg-tests/harness/site.mjs';
import { program, root, say } from '../scripts/shell.mjs';

const NETWORK = await readFile(join(root, 'tests', 'browser', 'network.js'), 'utf8');

/** Runs in Node and in a page alike; resolves with nanoseconds an event, the median and all rounds. */
async function measure({ rollcall, streamChat, network: makeNetwork, users, events, rounds }) {
  const { PresenceClient } = await import(rollcall);
  const { StreamChat } = await import(streamChat);
  const network = (0, eval)(makeNetwork);
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

  network.answers['/users'] = ({ filter_conditions: { id } }) => ({ users: id.$in.map((id) => user(id, 1)) });
  const client = new PresenceClient('key', { baseURL: 'http://presence.test' });
  const connecting = client.connectUser({ id: 'john' }, client.devToken('john'));
  await network.until(() => network.socket);
  network.socket.greet({ id: 'john', online: true });
  await connecting;
  await client.watchPresence(ids);
  client.on('user.presence.changed', () => heard++);
  const { socket } = network;
  const ours = (data) => socket.onmessage({ data });

  const chat = new StreamChat('key', { disableCache: true });
  chat.userID = 'john';
  chat.user = { id: 'john' };
  chat.state.updateUsers(ids.map((id) => user(id, 1)));
  chat.on('user.presence.changed', () => heard++);
  // What its socket does with a frame.
  const official = (text) => chat.dispatchEvent(JSON.parse(text));

  const subjects = { bare, rollcall: ours, 'stream-chat': official };
  const spent = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, subject] of Object.entries(subjects)) {
      heard = 0;
      const began = performance.now();
      for (const text of texts) subject(text);
      const took = performance.now() - began;
      if (heard !== events) throw new Error(`${name} heard ${heard} of ${events} events`);
      // The engine is warm by then.
      if (round >= rounds / 4) spent[name].push((took * 1e6) / events);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  network.restore();
  const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
  return Object.fromEntries(Object.entries(spent).map(([name, all]) => [name, { median: median(all), rounds: all }]));
}

const SETTINGS = { network: NETWORK, users: 1_000, events: 4_000, rounds: 40 };

async function inChromium() {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const origin = await site();
    await page.goto(`${origin}/rollcall.html`);
    const paths = { rollcall: `${origin}/rollcall/rollcall.js`, streamChat: `${origin}/stream-chat.js` };
    return await page.evaluate(`(${measure})(${JSON.stringify({ ...SETTINGS, ...paths })})`);
  } finally {
    await browser.close();
  }
}

const inNode = async () =>
  measure({
    ...SETTINGS,
    rollcall: pathToFileURL(join(await installed(), 'rollcall.js')).href,
    streamChat: 'stream-chat',
  });

await program(async () => {
  const results = { Node: await inNode(), Chromium: await inChromium() };
  for (const [where, { bare, rollcall, 'stream-chat': official }] of Object.entries(results)) {
    const microseconds = ({ median }) => (median / 1000).toFixed(2).padStart(6);
    const spread = ({ rounds, median }) => (Math.max(...rounds) - Math.min(...rounds)) / median;
    say(`${where}, µs an event:`);
    say(`  JSON.parse and Map.set ${microseconds(bare)}`);
    say(`  rollcall               ${microseconds(rollcall)}   ${(rollcall.median / bare.median).toFixed(2)} of the least, ${(rollcall.median / official.median).toFixed(2)} of stream-chat`);
    say(`  stream-chat            ${microseconds(official)}`);
    if (spread(bare) > 1) say('  too noisy to judge: rounds of the least differ by more than half of it either way');
  }
  await mkdir(join(root, 'bench', 'results'), { recursive: true });
  await writeFile(join(root, 'bench', 'results', 'dispatch.json'), JSON.stringify(results, null, 2));
  process.exit(0);
});
