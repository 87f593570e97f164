// What the browser says of the page and of the network. Workers hear less of it, Node nothing;
// there the health checks have to do.

/** @import { Engine } from './engine.js' */

/**
 * Nothing need be done at `freeze`: a frozen page runs nothing until `resume`, which comes before
 * anything else.
 */
const EVENTS = ['online', 'offline', 'visibilitychange', 'pagehide', 'pageshow', 'resume'];

/**
 * Tells the engine until it is told to stop, by calling what this returns.
 * @param {Engine} engine
 */
export function watchPage(engine) {
  /** @param {any} event */
  const tell = ({ type, target, persisted }) => {
    if (type === 'offline') engine.networkChanged(false);
    else if (type === 'online') engine.networkChanged(true);
    // An open socket would keep the page out of the back-forward cache, and the server hears at
    // once that the page is left.
    else if (type === 'pagehide') engine.left();
    // A page that has just been loaded comes back from nowhere.
    else if (type === 'visibilitychange' ? target?.visibilityState === 'visible' : type === 'resume' || persisted) engine.woken();
  };
  // Captured: some of these are fired at the document and do not rise from there.
  for (const type of EVENTS) globalThis.addEventListener?.(type, tell, true);
  return () => {
    for (const type of EVENTS) globalThis.removeEventListener?.(type, tell, true);
  };
}
