import { createElement as h, StrictMode, useState } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { PresenceProvider, useConnection, usePresence, usePresenceList } from 'rollcall/react';
import { run } from './page.mjs';

window.renders = 0;

function Row({ id }) {
  const { online, freshness } = usePresence(id);
  window.renders += 1;
  return h('li', { 'data-user': id, 'data-online': online, 'data-freshness': freshness });
}

function Summary({ ids }) {
  // Another array with each rendering, as people write it.
  const team = usePresenceList(ids.filter(Boolean));
  const { state } = useConnection();
  return h('p', { 'data-connection': state, 'data-here': team.filter(({ online }) => online).length });
}

let setIds;

function App() {
  const [ids, set] = useState([]);
  setIds = set;
  return [h(Summary, { ids, key: 'summary' }), h('ul', { key: 'rows' }, ids.map((id, at) => h(Row, { id, key: `${at} ${id}` })))];
}

run((client, element) => {
  const root = createRoot(element);
  flushSync(() => root.render(h(StrictMode, null, h(PresenceProvider, { client }, h(App)))));
  return { show: (ids) => flushSync(() => setIds(ids)), unmount: () => root.unmount() };
});
