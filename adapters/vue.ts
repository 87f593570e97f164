/**
 * Presence in Vue: `rollcall/vue`.
 *
 * Every component that shows somebody shares one watch; whom no component shows any more is no
 * longer watched. On a server everybody is `unknown`, and nothing is connected.
 *
 * @packageDocumentation
 *
 * @example
 * import { usePresence } from 'rollcall/vue';
 *
 * const jack = usePresence('jack'); // {{ jack.online }} in the template
 */

import { computed, inject, onScopeDispose, provide, shallowRef, toValue, watch } from 'vue';
import type { InjectionKey, MaybeRefOrGetter, Plugin, ShallowRef } from 'vue';
import type { Connection, CustomFields, Presence, PresenceClient } from 'rollcall';
import { NO_CONNECTION, rosterOf, unknown, type AnyClient, type Roster } from './roster.ts';

const key: InjectionKey<AnyClient | null> = Symbol('rollcall');

/**
 * A plugin that gives the client to the composables in all components of an app. Connecting
 * stays with the app.
 *
 * @param client Connected or not; null while there is none, as on a server.
 *
 * @example
 * createApp(App).use(presence(client)).mount('#app');
 */
export function presence(client: PresenceClient<any> | null): Plugin {
  return { install: (app) => void app.provide(key, client) };
}

/**
 * Gives the client to all components below the one in whose `setup` this is called.
 *
 * @example
 * providePresence(client); // in the setup of the outermost component
 */
export function providePresence(client: PresenceClient<any> | null): void {
  provide(key, client);
}

/**
 * The client that {@link presence} or {@link providePresence} was given.
 *
 * @throws Error when there was none.
 *
 * @example
 * const client = usePresenceClient();
 * const hide = () => client?.markInvisible();
 */
export function usePresenceClient(): PresenceClient<any> | null {
  const client = inject(key, undefined);
  if (client === undefined) throw new Error('rollcall/vue: give the app a client: app.use(presence(client))');
  return client;
}

/**
 * Somebody's presence, kept current until the component is unmounted or its scope ends. Before
 * the server has said anything, its `freshness` is `unknown`: show that as what it is, not as
 * offline.
 *
 * @param id The user, as a value, a ref or a getter; null or undefined while it is not known who.
 *
 * @example
 * const props = defineProps<{ id: string }>();
 * const jack = usePresence(() => props.id); // in the template: {{ jack.online }}
 */
export function usePresence<Custom = CustomFields>(
  id: MaybeRefOrGetter<string | null | undefined>,
): Readonly<ShallowRef<Presence<Custom>>> {
  const list = usePresenceList<Custom>(() => {
    const user = toValue(id);
    return user ? [user] : [];
  });
  return computed(() => list.value[0] ?? unknown(toValue(id) ?? ''));
}

/**
 * The presence of several, in the order of `ids`; another array when one of them has changed.
 *
 * @param ids Whom, as a value, a ref or a getter.
 *
 * @example
 * const team = usePresenceList(['jack', 'jill']);
 * const here = computed(() => team.value.filter(({ online }) => online).length);
 */
export function usePresenceList<Custom = CustomFields>(
  ids: MaybeRefOrGetter<readonly string[]>,
): Readonly<ShallowRef<readonly Presence<Custom>[]>> {
  const roster = currentRoster();
  const list = shallowRef<readonly Presence<Custom>[]>([]);
  let leave = () => {};
  watch(
    () => [...toValue(ids)],
    (users, before) => {
      if (before?.length === users.length && users.every((id, at) => id === before[at])) return;
      const look = () => void (list.value = users.map((id) => roster?.known(id) ?? unknown(id)));
      const last = leave;
      // First these, then away with the others: who is in both stays watched.
      leave = roster?.subscribe(users, look) ?? leave;
      last();
      look();
    },
    { immediate: true, flush: 'sync' },
  );
  onScopeDispose(() => leave());
  return list;
}

/**
 * What the connection is doing: for a banner that says why what is shown may be old. `nextTryIn`
 * is as of the last change.
 *
 * @example
 * const connection = useConnection(); // in the template: v-if="connection.state === 'waiting'"
 */
export function useConnection(): Readonly<ShallowRef<Connection>> {
  const roster = currentRoster();
  const connection = shallowRef(roster?.connection ?? NO_CONNECTION);
  if (roster) onScopeDispose(roster.subscribeConnection(() => void (connection.value = roster.connection)));
  return connection;
}

/** None on a server, where no component is ever unmounted. */
function currentRoster(): Roster | null {
  const client = usePresenceClient();
  return client && typeof document !== 'undefined' ? rosterOf(client) : null;
}
