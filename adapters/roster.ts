// Whom a page shows, and what is known of them: what all adapters stand on. However many
// components show somebody, the client has one watch, and that user is in it once.

import type { Connection, Presence, PresenceChange, PresenceClient, PresenceError, PresenceWatch } from 'rollcall';

/** Custom fields do not matter here; a client of any of them fits. */
export type AnyClient = PresenceClient<any>;

type Listener = () => void;

/**
 * Milliseconds for which somebody is still watched whom nobody shows any more: a component that
 * is mounted again, or a row that is scrolled back, finds them known.
 */
const LINGER = 250;

/** What is shown where no client is, as on a server. */
export const NO_CONNECTION: Connection = Object.freeze({
  state: 'disconnected',
  since: new Date(0),
  inDoubt: false,
  lastHeard: null,
  nextTryIn: null,
});

/** How somebody is of whom nothing is known. */
export function unknown(id: string): Presence<any> {
  return { id, online: false, lastActive: null, status: null, freshness: 'unknown', asOf: null, user: undefined };
}

const rosters = new WeakMap<AnyClient, Roster>();

/** The one roster of this client. */
export function rosterOf(client: AnyClient): Roster {
  let roster = rosters.get(client);
  if (!roster) rosters.set(client, (roster = new Roster(client)));
  return roster;
}

export class Roster {
  readonly #client: AnyClient;
  /** By user, what to call when they change; who is no longer shown has nobody to call. */
  readonly #shown = new Map<string, Set<Listener>>();
  /** The last word of each who is shown. */
  readonly #known = new Map<string, Presence<any>>();
  readonly #connectionListeners = new Set<Listener>();
  #connection: Connection;
  #watch: PresenceWatch<any> | undefined;
  /** Rises with each watch, so that one that was begun for an earlier connection is told apart. */
  #turn = 0;
  #starting = false;
  #due = false;

  constructor(client: AnyClient) {
    this.#client = client;
    this.#connection = client.connection;
    client.on('connection.state', ({ connection }) => this.#follow(connection));
  }

  /** The same object until it changes. */
  get connection(): Connection {
    return this.#connection;
  }

  /** What is known of `id`: the same object until it changes, none while there was no word of them. */
  known(id: string): Presence<any> | undefined {
    return this.#known.get(id);
  }

  /** Watches `ids`, and calls `listener` when one of them has changed, until the returned function is called. */
  subscribe(ids: Iterable<string>, listener: Listener): () => void {
    // Another one each time: the same listener may be given twice.
    const mine = () => listener();
    const wanted = new Set(ids);
    for (const id of wanted) {
      const listeners = this.#shown.get(id);
      if (listeners?.size) listeners.add(mine);
      // Another set, also for one whom somebody has just stopped showing: so they are not forgotten.
      else this.#shown.set(id, new Set([mine]));
    }
    this.#settle();
    return () => {
      const left = new Map<string, Set<Listener>>();
      for (const id of wanted) {
        const listeners = this.#shown.get(id);
        if (listeners?.delete(mine) && !listeners.size) left.set(id, listeners);
      }
      if (left.size) setTimeout(() => this.#forget(left), LINGER);
    };
  }

  /** Calls `listener` when `connection` has changed, until the returned function is called. */
  subscribeConnection(listener: Listener): () => void {
    const mine = () => listener();
    this.#connectionListeners.add(mine);
    return () => void this.#connectionListeners.delete(mine);
  }

  #follow(connection: Connection): void {
    this.#connection = connection;
    if (connection.state === 'disconnected') {
      // The watch has ended with the connection, and everybody in it is unknown.
      this.#turn += 1;
      this.#watch = undefined;
      this.#starting = false;
      for (const [id, { freshness }] of this.#known) if (freshness !== 'unknown') this.#learn(unknown(id));
    } else {
      this.#settle();
    }
    for (const listener of [...this.#connectionListeners]) listener();
  }

  /** Asks for all who are shown and not watched: once, for however many components mount together. */
  #settle(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    if (this.#connection.state === 'disconnected' || this.#starting || !this.#isNeeded()) return;
    if (!this.#watch) {
      this.#starting = true;
      const turn = this.#turn;
      // Of nobody yet: so it is there at once, and each word of those who are added is heard.
      const watch = await this.#client.watchPresence([]).catch(() => undefined);
      if (turn !== this.#turn) return watch?.stop();
      this.#starting = false;
      if (!watch) return;
      watch.on('change', (change: PresenceChange<any>) => this.#learn(change));
      this.#watch = watch;
    }
    const watch = this.#watch;
    const watched = new Set(watch.ids);
    const fresh = [...this.#shown].filter(([id, { size }]) => size > 0 && !watched.has(id)).map(([id]) => id);
    if (fresh.length) this.#add(watch, fresh);
  }

  #add(watch: PresenceWatch<any>, ids: string[]): void {
    watch.add(ids).catch((error: PresenceError) => {
      if (watch !== this.#watch || error.code === 'disconnected') return;
      // One of them may be to blame: the others are not to suffer for it.
      if (ids.length > 1) {
        const half = ids.length >> 1;
        this.#add(watch, ids.slice(0, half));
        this.#add(watch, ids.slice(half));
      } else {
        reportError(error);
      }
    });
    // Whom the client knows already, through a watch or a query of the app's own, it does not tell anew.
    const watched = new Set(watch.ids);
    for (const id of ids) {
      if (!watched.has(id)) continue;
      const presence = watch.get(id);
      if (presence.freshness !== 'unknown') this.#learn(presence);
    }
  }

  #learn(presence: Presence<any>): void {
    const listeners = this.#shown.get(presence.id);
    if (!listeners) return;
    this.#known.set(presence.id, presence);
    for (const listener of [...listeners]) listener();
  }

  #isNeeded(): boolean {
    for (const { size } of this.#shown.values()) if (size > 0) return true;
    return false;
  }

  /** Those of them whom nobody has shown again since they were left. */
  #forget(left: ReadonlyMap<string, Set<Listener>>): void {
    const gone = [...left].filter(([id, listeners]) => this.#shown.get(id) === listeners).map(([id]) => id);
    if (!gone.length) return;
    for (const id of gone) {
      this.#shown.delete(id);
      this.#known.delete(id);
    }
    if (this.#shown.size) {
      this.#watch?.remove(gone);
    } else {
      this.#watch?.stop();
      this.#watch = undefined;
    }
  }
}
