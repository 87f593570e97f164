// Code that must compile, as it would be written in an editor.

import {
  PresenceClient,
  type Channel,
  type ChannelState,
  type EventMap,
  type EventType,
  type Presence,
  type PresenceChange,
  type PresenceError,
  type PresenceErrorCode,
  type PresenceEvent,
  type PresenceWatch,
  type User,
  type UserPresence,
} from 'rollcall';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>) => {};

/** Fields of this app's own. */
interface Player {
  level: number;
  team?: 'red' | 'blue';
}

export async function presence(getToken: () => Promise<string>): Promise<void> {
  const client = new PresenceClient('key', { baseURL: 'https://presence.example.com', batchWindow: 100, timeout: 5000 });
  const first = await client.connectUser({ id: 'john', status: 'Eating', invisible: false, anything: [1, 2] }, getToken);
  const me: boolean | undefined = first.me?.invisible;

  const { users } = await client.queryUsers(
    { id: { $in: ['jack', 'jill'] }, level: { $gte: 3 }, $or: [{ name: { $autocomplete: 'j' } }, { name: 'Jill' }] },
    [{ last_active: -1 }, { id: 1 }],
    { presence: true, limit: 30, signal: AbortSignal.timeout(1000) },
  );
  const online: (boolean | undefined)[] = users.map((user) => user.online);
  const lastActive: string | undefined = users[0]?.last_active;

  const channels: Channel[] = await client.queryChannels({ color: 'green' }, { last_message_at: -1 }, { presence: true });
  const channel = client.channel('messaging', 'lunch', { members: ['john', 'jack'], color: 'green' });
  const unnamed = client.channel('messaging', { members: ['john', 'jack'] });
  const id: string | undefined = unnamed.id ?? channels[0]?.id;
  const { watcher_count, members } = await channel.watch({ presence: true, messages: { limit: 10 } });
  const state: ChannelState = channel.state;
  const author: boolean | undefined = state.messages[0]?.user?.online;
  const { message } = await channel.sendMessage({ text: 'Hello', mood: 'good' });
  await channel.stopWatching({ signal: AbortSignal.timeout(1000) });

  const watch: PresenceWatch = await client.watchPresence(['jack', 'jill']);
  const frozen: readonly string[] = ['joan'];
  await watch.add(frozen);
  watch.remove(['jill']);
  const { freshness, lastActive: lastSeen, asOf }: Presence = watch.get('jack');
  same<typeof freshness, 'live' | 'stale' | 'unknown'>(true);
  const dates: (Date | null)[] = [lastSeen, asOf];
  watch.on('change', (change) => same<typeof change, PresenceChange>(true));
  for await (const { id, online, status, resync, user } of watch) {
    console.log(id, online, status?.length, resync, user?.name, watch.ids.length, watch.size, dates);
    break;
  }
  watch.stop();
  {
    using scoped = await client.watchPresence([]);
    console.log(scoped.size);
  }
  const jack: UserPresence = client.user('jack');
  jack.on('presence', ({ online }) => console.log(online, jack.presence.lastActive?.getTime())).unsubscribe();
  const name: string | undefined = client.user.name;
  console.log(name, { ...client.user }.status);

  const { unsubscribe } = client.on('user.presence.changed', (event) => {
    same<typeof event.type, 'user.presence.changed'>(true);
    const flipped: boolean | undefined = event.user.online;
    const resync: boolean | undefined = event.resync;
    console.log(flipped, resync);
  });
  unsubscribe();
  client.on('connection.changed', ({ online }) => same<typeof online, boolean>(true));
  client.on('connection.state', ({ connection }) => same<typeof connection, typeof client.connection>(true));
  client.on('connection.error', ({ error }) => same<typeof error.code, PresenceErrorCode>(true));
  client.on('user.watching.start', ({ cid, user, watcher_count }) => console.log(cid, user.id, watcher_count));
  channel.on('message.new', ({ message }) => console.log(message.text, message.user?.online));

  const { state: doing, since: began, inDoubt, lastHeard, nextTryIn } = client.connection;
  same<typeof doing, 'disconnected' | 'connecting' | 'connected' | 'waiting'>(true);
  const alive: boolean = doing === 'connected' && !inDoubt;
  console.log(alive, began.getTime(), lastHeard?.toISOString(), (nextTryIn ?? 0) / 1000);

  const everything = (event: PresenceEvent) => {
    if (event.type === 'message.new') console.log(event.message.text);
    if (event.type === 'user.updated') console.log(event.user.status);
  };
  client.on(everything);
  client.off(everything);

  await client.upsertUser({ id: 'john', invisible: true });
  await client.upsertUsers([{ id: 'john', teams: ['red'] }]);
  await client.partialUpdateUser({ id: 'john', set: { 'pets.cat': 'Tom' }, unset: ['status'] });
  await client.markInvisible();
  await client.markVisible();
  await client.disconnectUser().catch((error: PresenceError) => {
    if (error.code === 'not_connected' || error.code === 17) console.log(error.status, error.retryable, error.message);
  });
  console.log(me, online, lastActive, id, watcher_count, members, author, message.id, client.user?.id, client.userID);
}

export async function ownFields(token: string): Promise<void> {
  const client = new PresenceClient<Player>('key');
  await client.connectUser({ id: 'john', level: 3 }, token);
  const level: number | undefined = client.user?.level;
  await client.queryUsers({ level: { $gte: 3 }, team: { $in: ['red'] }, name: 'Jill', $or: [{ level: 1 }] }, { level: -1 });
  const watch = await client.watchPresence(['jack']);
  same<typeof watch, PresenceWatch<Player>>(true);
  const theirs: number | undefined = watch.get('jack').user?.level ?? client.user('jack').presence.user?.level;
  client.on('user.updated', ({ user }) => {
    same<typeof user, User<Player>>(true);
    const team: 'red' | 'blue' | undefined = user.team;
    console.log(team);
  });
  const channel = client.channel('gaming', 'final');
  same<typeof channel, Channel<Player>>(true);
  const levels: number[] = Object.values(channel.state.members).map((member) => member.user.level);
  console.log(level, levels, theirs);
}

// Whoever names an event gets exactly what the protocol has, and all of it.
same<
  EventType,
  | 'user.presence.changed'
  | 'user.updated'
  | 'user.deleted'
  | 'user.watching.start'
  | 'user.watching.stop'
  | 'typing.start'
  | 'typing.stop'
  | 'member.added'
  | 'member.removed'
  | 'member.updated'
  | 'channel.updated'
  | 'channel.deleted'
  | 'message.new'
  | 'message.read'
  | 'notification.added_to_channel'
  | 'notification.removed_from_channel'
  | 'notification.message_new'
  | 'notification.channel_deleted'
  | 'health.check'
  | 'connection.changed'
  | 'connection.error'
  | 'connection.state'
  | 'connection.recovered'
>(true);
same<EventMap['message.new']['type'], 'message.new'>(true);
