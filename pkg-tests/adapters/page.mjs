// A page of an app in one of the frameworks: what is the same in all of them, and the counting.
// `window.app` is what the tests hold.

import { wasmBytes } from './wasm-memory.mjs';
import { PresenceClient } from 'rollcall';

/** Watches that were begun and not stopped, and listeners that were added and not removed. */
const open = { watches: new Set(), listeners: new Set() };

/** What the adapters hold to call inside of that one watch and that one listener, in sets of `adapters/roster.ts`. */
let held = 0;
const isHeld = (value) => typeof value === 'function' && String(value) === '() => listener()';
const { add, delete: remove } = Set.prototype;
Set.prototype.add = function (value) {
  if (isHeld(value) && !this.has(value)) held += 1;
  return add.call(this, value);
};
Set.prototype.delete = function (value) {
  if (isHeld(value) && this.has(value)) held -= 1;
  return remove.call(this, value);
};

/** Has what is subscribed to on `target` counted; what is on a watch ends with it. */
function counted(target) {
  const on = target.on.bind(target);
  target.on = (...args) => {
    const subscription = on(...args);
    subscription.target = target;
    open.listeners.add(subscription);
    return {
      unsubscribe() {
        open.listeners.delete(subscription);
        subscription.unsubscribe();
      },
    };
  };
  return target;
}

function countedClient(key, baseURL) {
  const client = counted(new PresenceClient(key, { baseURL }));
  const watchPresence = client.watchPresence.bind(client);
  client.watchPresence = async (...args) => {
    const watch = counted(await watchPresence(...args));
    open.watches.add(watch);
    const stop = watch.stop.bind(watch);
    watch.stop = () => {
      open.watches.delete(watch);
      for (const listener of open.listeners) if (listener.target === watch) open.listeners.delete(listener);
      stop();
    };
    return watch;
  };
  return client;
}

/**
 * @param mount `(client, element)` renders the app and returns `{ show, unmount }`: `show(ids)` has
 *   it render a row for each of them, with `data-user`, `data-online`, `data-freshness`; or a dot.
 */
export function run(mount) {
  const settings = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  const client = countedClient(settings.key, settings.baseURL);
  const element = document.body.appendChild(document.createElement('main'));
  let mounted;
  const rows = () => [...element.querySelectorAll('[data-user]')].map(({ dataset: { user, online, freshness } }) => {
    const shown = online === 'true' ? 'online' : 'offline';
    return `${user} ${freshness === 'live' ? shown : freshness}`;
  });
  const dots = () => [...element.querySelectorAll('presence-dot')].map(({ user, dataset }) => `${user} ${dataset.presence}`);
  window.app = {
    client,
    mount: () => void (mounted = mount(client, element)),
    show: (ids) => mounted.show(ids),
    unmount: () => mounted.unmount(),
    connect: (id, token) => client.connectUser({ id }, token).then(() => {}),
    disconnect: () => client.disconnectUser(),
    rows: () => [...rows(), ...dots()],
    connection: () => element.querySelector('[data-connection]')?.dataset.connection,
    /** Whom all open watches hold. */
    watched: () => [...open.watches].flatMap((watch) => watch.ids),
    watches: () => open.watches.size,
    listeners: () => open.listeners.size,
    held: () => held,
    wasmBytes,
  };
}
