/**
 * Presence in Svelte: `rollcall/svelte`.
 *
 * Readable stores: read them with `$`. Everything that shows somebody shares one watch; whom
 * nothing shows any more is no longer watched. On a server everybody is `unknown`.
 *
 * @packageDocumentation
 *
 * @example
 * import { presence } from 'rollcall/svelte';
 *
 * const jack = presence('jack', client); // {$jack.online} in the markup
 */

import { getContext, setContext } from 'svelte';
import type { Readable } from 'svelte/store';
import type { Connection, CustomFields, Presence, PresenceClient } from 'rollcall';
import { NO_CONNECTION, rosterOf, unknown, type AnyClient } from './roster.ts';

const key = Symbol('rollcall');

/**
 * Gives the client to all components below the one that calls this while it is made. Connecting
 * stays with the app.
 *
 * @param client Connected or not; null while there is none, as on a server.
 *
 * @example
 * setPresenceClient(client); // in the <script> of the outermost component
 */
export function setPresenceClient(client: PresenceClient<any> | null): void {
  setContext(key, { client });
}

/**
 * The client that {@link setPresenceClient} was given.
 *
 * @throws Error when there was none.
 *
 * @example
 * const client = getPresenceClient(); // while the component is made
 * const hide = () => client?.markInvisible();
 */
export function getPresenceClient(): PresenceClient<any> | null {
  const context = getContext<{ client: AnyClient | null } | undefined>(key);
  if (!context) throw new Error('rollcall/svelte: call setPresenceClient(client) in a component above this one');
  return context.client;
}

/**
 * Somebody's presence, kept current while anything is subscribed. Before the server has said
 * anything, its `freshness` is `unknown`: show that as what it is, not as offline.
 *
 * @param id The user; null or undefined while it is not known who.
 * @param client Outside of a component, or to use another than the one it was given.
 *
 * @example
 * const { id } = $props();
 * const client = getPresenceClient(); // while the component is made, not later
 * const person = $derived(presence(id, client)); // {$person.online}
 */
export function presence<Custom = CustomFields>(
  id: string | null | undefined,
  client: PresenceClient<any> | null = getPresenceClient(),
): Readable<Presence<Custom>> {
  const nothing = unknown(id ?? '');
  if (!client || !id) return { subscribe: (run) => (run(nothing), nobody) };
  const roster = rosterOf(client);
  return readable(() => roster.known(id) ?? nothing, (changed) => roster.subscribe([id], changed));
}

/**
 * The presence of several, in the order of `ids`; another array when one of them has changed.
 *
 * @param ids Whom.
 * @param client As for {@link presence}.
 *
 * @example
 * const team = presenceList(['jack', 'jill']);
 * // {$team.filter(({ online }) => online).length} here
 */
export function presenceList<Custom = CustomFields>(
  ids: readonly string[],
  client: PresenceClient<any> | null = getPresenceClient(),
): Readable<readonly Presence<Custom>[]> {
  const users = [...ids];
  const nothing = users.map(unknown);
  if (!client) return { subscribe: (run) => (run(nothing), nobody) };
  const roster = rosterOf(client);
  return readable(
    () => users.map((id, at) => roster.known(id) ?? (nothing[at] as Presence<any>)),
    (changed) => roster.subscribe(users, changed),
  );
}

/**
 * What the connection is doing: for a banner that says why what is shown may be old. `nextTryIn`
 * is as of the last change.
 *
 * @example
 * const state = connection(); // {#if $state.state === 'waiting'} Reconnecting… {/if}
 */
export function connection(client: PresenceClient<any> | null = getPresenceClient()): Readable<Connection> {
  if (!client) return { subscribe: (run) => (run(NO_CONNECTION), nobody) };
  const roster = rosterOf(client);
  return readable(() => roster.connection, (changed) => roster.subscribeConnection(changed));
}

const nobody = () => {};

/** A store of what `now` returns, which may be another whenever `subscribe` calls its listener. */
function readable<T>(now: () => T, subscribe: (changed: () => void) => () => void): Readable<T> {
  return {
    subscribe(run) {
      const leave = subscribe(() => run(now()));
      run(now());
      return leave;
    },
  };
}
