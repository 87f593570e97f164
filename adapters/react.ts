/**
 * Presence in React: `rollcall/react`.
 *
 * Every component that shows somebody shares one watch; whom no component shows any more is no
 * longer watched. On a server everybody is `unknown`, and nothing is connected.
 *
 * @packageDocumentation
 *
 * @example
 * import { usePresence } from 'rollcall/react';
 *
 * function Row({ id }: { id: string }) {
 *   const { online, status } = usePresence(id);
 *   return <li>{id}: {online ? 'online' : 'offline'} {status}</li>;
 * }
 */

import { createContext, createElement, useContext, useMemo, useSyncExternalStore } from 'react';
import type { ReactElement, ReactNode } from 'react';
import type { Connection, CustomFields, Presence, PresenceClient } from 'rollcall';
import { NO_CONNECTION, rosterOf, unknown, type AnyClient } from './roster.ts';

const Client = createContext<AnyClient | null | undefined>(undefined);

/**
 * What {@link PresenceProvider} takes.
 *
 * @example
 * const props: PresenceProviderProps = { client, children: <Team /> };
 */
export interface PresenceProviderProps {
  /** The client that all below use, connected or not; null while there is none, as on a server. */
  client: PresenceClient<any> | null;
  /** What is below. */
  children?: ReactNode;
}

/**
 * Gives the client to the hooks in all components below. Connecting stays with the app.
 *
 * @example
 * const client = new PresenceClient(apiKey, { baseURL });
 * void client.connectUser({ id: 'john' }, token);
 *
 * <PresenceProvider client={client}>
 *   <Team />
 * </PresenceProvider>
 */
export function PresenceProvider({ client, children }: PresenceProviderProps): ReactElement {
  return createElement(Client.Provider, { value: client }, children);
}

/**
 * The client that {@link PresenceProvider} was given.
 *
 * @throws Error when no `PresenceProvider` is above.
 *
 * @example
 * function Hide() {
 *   const client = usePresenceClient();
 *   return <button onClick={() => client?.markInvisible()}>Hide</button>;
 * }
 */
export function usePresenceClient(): PresenceClient<any> | null {
  const client = useContext(Client);
  if (client === undefined) throw new Error('rollcall/react: put a <PresenceProvider client={client}> above this component');
  return client;
}

/**
 * Somebody's presence, kept current for as long as the component is mounted. The component is
 * rendered again when it changes, and only then. Before the server has said anything, its
 * `freshness` is `unknown`: show that as what it is, not as offline.
 *
 * @param id The user; null or undefined while it is not known who: nobody is watched.
 *
 * @example
 * function Dot({ id }: { id: string }) {
 *   const { online, freshness } = usePresence(id);
 *   return <i className={freshness === 'unknown' ? 'unknown' : online ? 'online' : 'offline'} />;
 * }
 */
export function usePresence<Custom = CustomFields>(id: string | null | undefined): Presence<Custom> {
  const client = usePresenceClient();
  const { subscribe, now, onServer } = useMemo(() => {
    const nothing = unknown(id ?? '');
    const onServer = () => nothing;
    if (!client || !id) return { subscribe: never, now: onServer, onServer };
    const roster = rosterOf(client);
    return {
      subscribe: (listener: () => void) => roster.subscribe([id], listener),
      now: () => roster.known(id) ?? nothing,
      onServer,
    };
  }, [client, id]);
  return useSyncExternalStore(subscribe, now, onServer);
}

/**
 * The presence of several, in the order of `ids`; the same array until one of them changes. For a
 * long list whose rows show one user each, {@link usePresence} in the row renders less.
 *
 * @param ids Whom. It need not be the same array each time, only say the same.
 *
 * @example
 * const team = usePresenceList(['jack', 'jill']);
 * const here = team.filter(({ online }) => online).length;
 */
export function usePresenceList<Custom = CustomFields>(ids: readonly string[]): readonly Presence<Custom>[] {
  const client = usePresenceClient();
  const key = JSON.stringify(ids);
  const { subscribe, now, onServer } = useMemo(() => {
    const users: string[] = JSON.parse(key);
    const nothing = users.map(unknown);
    const onServer = () => nothing;
    if (!client) return { subscribe: never, now: onServer, onServer };
    const roster = rosterOf(client);
    let last = nothing;
    return {
      subscribe: (listener: () => void) => roster.subscribe(users, listener),
      now: () => {
        const next = users.map((id, at) => roster.known(id) ?? (nothing[at] as Presence<any>));
        if (next.some((presence, at) => presence !== last[at])) last = next;
        return last;
      },
      onServer,
    };
  }, [client, key]);
  return useSyncExternalStore(subscribe, now, onServer);
}

/**
 * What the connection is doing: for a banner that says why what is shown may be old. `nextTryIn`
 * is as of the last change.
 *
 * @example
 * const { state, inDoubt } = useConnection();
 * if (state === 'waiting' || inDoubt) return <p role="status">Reconnecting…</p>;
 */
export function useConnection(): Connection {
  const client = usePresenceClient();
  const { subscribe, now } = useMemo(() => {
    if (!client) return { subscribe: never, now: onServer };
    const roster = rosterOf(client);
    return { subscribe: (listener: () => void) => roster.subscribeConnection(listener), now: () => roster.connection };
  }, [client]);
  return useSyncExternalStore(subscribe, now, onServer);
}

const onServer = () => NO_CONNECTION;
const never = () => () => {};
