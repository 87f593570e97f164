// The channels of `rollcall/testing`: opening, finding and leaving them.

import { StoredChannel, type MessageRange, type Page } from './channel.ts';
import { UNKNOWN_OF_CHANNELS, matching, sorted, type Sort } from './filter.ts';
import { input, notAllowed, notFound } from './refusal.ts';
import type { Server } from './server.ts';
import type { Fields } from './users.ts';

/** As real servers have it: unless a query says otherwise, and at most. */
const CHANNELS = { default: 10, most: 30 };
/** Members of whose presence `channel.watch` is told, as `--channel-presence-limit` has it. */
const PRESENCE_LIMIT = 10;
/** By type, whether anybody may read and write there. */
const OPEN: Record<string, boolean> = { messaging: false, team: false, commerce: false, livestream: true, gaming: true };

/** What a request wants of a channel. */
interface Wanted {
  state: boolean;
  watch: boolean;
  presence: boolean;
  messages?: MessageRange;
  members?: Page;
  watchers?: Page;
}

export class Channels {
  readonly #server: Server;
  readonly #byCid = new Map<string, StoredChannel>();

  constructor(server: Server) {
    this.#server = server;
  }

  isOpen(type: string): boolean {
    return OPEN[type] === true;
  }

  get(type: string, id: string): StoredChannel | undefined {
    return this.#byCid.get(`${type}:${id}`);
  }

  /** `members` are users; the client's user hears that they are one of them. */
  create(type: string, id: string, createdBy: string | undefined, { members, ...data }: Fields): StoredChannel {
    if (!(type in OPEN)) throw notFound(`channel type "${type}" does not exist`);
    const ids = ((members ?? []) as (string | { user_id: string })[]).map((member) => (typeof member === 'string' ? member : member.user_id));
    const strangers = ids.filter((id) => !this.#server.users.has(id));
    if (strangers.length) throw input(`these users do not exist, create them first: ${strangers.join(', ')}`);
    const channel = new StoredChannel(this.#server, type, id, createdBy, data);
    this.#byCid.set(channel.cid, channel);
    for (const id of ids.sort()) channel.join(id);
    for (const id of ids) channel.notifyAdded(id, createdBy);
    return channel;
  }

  delete(channel: StoredChannel): void {
    this.#byCid.delete(channel.cid);
    channel.deleted();
  }

  /** Somebody came online or went offline; whoever went no longer watches anything. */
  flipped(id: string, online: boolean): void {
    for (const channel of this.#byCid.values()) {
      if (id !== this.#server.userID && !online) channel.leaveWatchers(id);
      else if (channel.hasWatcher(id)) channel.tellOfWatcher(id, online);
    }
  }

  // --- Requests ---------------------------------------------------------------------------------

  /** `call` is what stands last in the path, after the channel if there is one. */
  reply(type: string | undefined, id: string | undefined, call: string | undefined, payload: any): Fields {
    if (type === undefined) return this.#query(payload);
    if (call === 'query') return this.#open(type, id, payload);
    const channel = this.get(type, id ?? '');
    if (call === 'stop-watching') {
      channel?.stopWatching();
      return {};
    }
    if (!channel) throw notFound(`Can't find channel with id ${type}:${id}`);
    return { message: channel.write(this.#permitted(channel, 'CreateMessage'), payload.message) };
  }

  /** The client's user, who may do this. */
  #permitted(channel: StoredChannel, action: string): string {
    const id = this.#server.userID ?? '';
    if (this.#mayRead(channel)) return id;
    throw notAllowed(`User '${id}' is not allowed to perform action ${action} on '${channel.cid}' in scope '${channel.type}'`);
  }

  #mayRead(channel: StoredChannel): boolean {
    const id = this.#server.userID ?? '';
    return this.isOpen(channel.type) || channel.createdBy === id || channel.hasMember(id);
  }

  #open(type: string, given: string | undefined, { data, ...wanted }: Wanted & { data: Fields }): Fields {
    const id = given ?? distinctId(data['members']);
    const channel = this.get(type, id) ?? this.create(type, id, this.#server.userID, data);
    this.#permitted(channel, 'ReadChannel');
    return this.#state(channel, wanted, PRESENCE_LIMIT);
  }

  #query({ filter_conditions, sort, limit = CHANNELS.default, offset = 0, state, watch, presence, message_limit, member_limit }: any): Fields {
    const order: Sort = [...(sort.length ? sort : [{ field: 'last_updated', direction: -1 }]), { field: 'cid', direction: 1 }];
    const compare = sorted(order);
    const found = [...this.#byCid.values()]
      .filter((channel) => this.#mayRead(channel))
      .map((channel) => ({ channel, asked: channel.asked }))
      .filter(({ asked }) => matching(filter_conditions, UNKNOWN_OF_CHANNELS)(asked))
      .sort((a, b) => compare(a.asked, b.asked))
      .slice(offset, offset + Math.min(limit, CHANNELS.most));
    const wanted = { state, watch, presence, messages: { limit: message_limit }, members: { limit: member_limit } };
    return { channels: found.map(({ channel }) => this.#state(channel, wanted, Infinity)) };
  }

  #state(channel: StoredChannel, { state, watch, presence, messages = {}, members = {}, watchers }: Wanted, presenceLimit: number): Fields {
    if (watch) channel.startWatching();
    const shown = channel.members(members);
    if (presence) {
      const ids = shown.slice(0, presenceLimit).map(({ user_id }) => user_id as string);
      this.#server.subscriptions.members.set(channel.cid, new Set(ids));
    }
    const viewer = this.#server.userID ?? '';
    return {
      channel: channel.shown,
      members: shown,
      membership: channel.hasMember(viewer) ? channel.member(viewer) : null,
      messages: state ? channel.messages(messages) : [],
      read: [],
      watcher_count: channel.watcherIds.length,
      ...((watchers ?? watch) && { watchers: channel.watchers(watchers ?? {}) }),
      ...(presence && shown.length > presenceLimit && { presence_omitted: shown.length - presenceLimit }),
    };
  }
}

/** The id of the channel with exactly these members, in whatever order. */
function distinctId(members: unknown): string {
  if (!Array.isArray(members) || !members.length) throw input('a channel needs an id, or data.members to be found by');
  return `!members-${[...new Set(members)].sort().join('-')}`;
}
