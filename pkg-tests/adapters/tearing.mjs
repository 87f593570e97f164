// Rows that all show Jack and take their time to render, in a transition: React renders them in
// slices, and between two of these he comes or goes.

import { createElement as h, startTransition, useLayoutEffect, useState } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { setPresenceClient } from 'rollcall/elements';
import { PresenceProvider, usePresence, usePresenceList } from 'rollcall/react';
import { fakePresence } from 'rollcall/testing';

const ROWS = 40;
const fake = fakePresence({ user: 'john', users: ['jack'] });
const main = document.body.appendChild(document.createElement('main'));
let commits = [];
let rendered = 0;
let show;

const READ = {
  // Each by itself: one of them that is whole has React render the other's rows anew.
  usePresence: () => usePresence('jack').online,
  usePresenceList: () => usePresenceList(['jack'])[0].online,
  // Whoever reads while rendering, and does not have React know, is torn: this shows that the rows would be.
  naive: () => fake.client.user('jack').presence.online,
};

function Row({ how }) {
  for (const end = performance.now() + 2; performance.now() < end; );
  rendered += 1;
  const online = READ[how]();
  useLayoutEffect(() => void commits.push([...main.querySelectorAll('li')].map(({ textContent }) => textContent)));
  return h('li', null, String(online));
}

function App() {
  const [{ how, rows, turn }, set] = useState({ how: 'usePresence', rows: 0, turn: 0 });
  show = set;
  return h('ul', null, Array.from({ length: rows }, (_, at) => h(Row, { how, turn, key: `${how} ${at}` })));
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

async function between(next) {
  commits = [];
  rendered = 0;
  startTransition(() => show(next));
  while (rendered < ROWS / 3) await turn();
  const early = rendered;
  if (fake.client.user('jack').presence.online) fake.goOffline('jack');
  else fake.goOnline('jack');
  const now = String(fake.client.user('jack').presence.online);
  while (main.querySelectorAll('li').length < ROWS || commits.length < ROWS) await turn();
  await turn();
  const torn = commits.filter((shown) => new Set(shown).size > 1).length;
  return { sliced: early < ROWS, torn, settled: [...main.querySelectorAll('li')].every(({ textContent }) => textContent === now) };
}

window.app = {
  async mount() {
    // Something else on the page shows him already, so that rows know him when they render first.
    // Not in React: it renders one root at a time, and would begin with the rows anew.
    setPresenceClient(fake.client);
    const dot = document.body.appendChild(document.createElement('presence-dot'));
    dot.user = 'jack';
    while (dot.presence.freshness !== 'live') await turn();
    flushSync(() => createRoot(main).render(h(PresenceProvider, { client: fake.client }, h(App))));
  },
  /** Of a transition that mounts the rows and one that renders them again: whether he flipped in the middle, and what commits showed both. */
  async play(how) {
    flushSync(() => show({ how, rows: 0, turn: 0 }));
    const first = await between({ how, rows: ROWS, turn: 1 });
    const again = await between({ how, rows: ROWS, turn: 2 });
    return [first, again];
  },
};
