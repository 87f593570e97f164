// One channel, as the server of `rollcall/testing` has it: who is in it, who watches, what is said.

import { input } from './refusal.ts';
import type { Server } from './server.ts';
import type { Fields } from './users.ts';

/** Members in one answer, at most. */
const MEMBERS = 100;
const MESSAGES = { default: 25, most: 300 };

export interface Page {
  limit?: number;
  offset?: number;
}

export interface MessageRange {
  limit?: number;
  id_lt?: string;
  id_lte?: string;
  id_gt?: string;
  id_gte?: string;
}

type Message = Fields & { id: string; user_id: string };

export class StoredChannel {
  readonly #server: Server;
  readonly type: string;
  readonly id: string;
  readonly createdBy: string | undefined;
  #data: Fields;
  readonly #members = new Map<string, Fields>();
  readonly #messages: Message[] = [];
  /** Who watches it besides the client. */
  readonly #watchers = new Set<string>();

  /** `data` are its own fields, without its members. */
  constructor(server: Server, type: string, id: string, createdBy: string | undefined, data: Fields) {
    const now = server.clock.timestamp;
    this.#server = server;
    this.type = type;
    this.id = id;
    this.createdBy = createdBy;
    this.#data = { ...data, created_at: now, updated_at: now };
  }

  get cid(): string {
    return `${this.type}:${this.id}`;
  }

  /** In the order in which they became members. */
  get memberIds(): string[] {
    return [...this.#members.keys()];
  }

  hasMember(id: string): boolean {
    return this.#members.has(id);
  }

  /** Who is seen to watch it. */
  get watcherIds(): string[] {
    const { subscriptions, userID } = this.#server;
    const mine = userID !== undefined && subscriptions.channels.has(this.cid) ? [userID] : [];
    return [...new Set([...this.#watchers, ...mine])].filter((id) => this.#server.users.get(id)?.online).sort();
  }

  // --- As it is shown ---------------------------------------------------------------------------

  get shown(): Fields {
    const { type, id, cid, createdBy } = this;
    const created_by = createdBy === undefined ? undefined : this.#server.users.get(createdBy);
    return { ...this.#data, type, id, cid, created_by, member_count: this.#members.size, frozen: false, disabled: false };
  }

  /** What filters and sorts look at. */
  get asked(): Fields {
    const last = this.#data['last_message_at'];
    const viewer = this.#server.userID;
    return {
      ...this.shown,
      created_by_id: this.createdBy,
      members: this.memberIds,
      joined: viewer !== undefined && this.hasMember(viewer),
      distinct: this.id.startsWith('!members-'),
      last_updated: last ?? this.#data['created_at'],
      message_count: this.#messages.length,
    };
  }

  member(id: string): Fields {
    const user = this.#server.users.get(id);
    return { ...this.#members.get(id), user_id: id, user, role: id === this.createdBy ? 'owner' : 'member', channel_role: 'channel_member' };
  }

  members({ limit = MEMBERS, offset = 0 }: Page): Fields[] {
    return this.memberIds.map((id) => this.member(id)).slice(offset, offset + Math.min(limit, MEMBERS));
  }

  watchers({ limit = MEMBERS, offset = 0 }: Page): (Fields | undefined)[] {
    return this.watcherIds.map((id) => this.#server.users.get(id)).slice(offset, offset + Math.min(limit, MEMBERS));
  }

  /** The newest, or those beside the one that is named; oldest first. */
  messages({ limit = MESSAGES.default, id_lt, id_lte, id_gt, id_gte }: MessageRange): Fields[] {
    const most = Math.min(limit, MESSAGES.most);
    const at = (id: string | undefined) => this.#messages.findIndex((message) => message.id === id);
    const [after, before] = [id_gt ?? id_gte, id_lt ?? id_lte];
    if (after !== undefined) {
      const from = at(after) + (id_gt === undefined ? 0 : 1);
      return this.#messages.slice(from, from + most).map((message) => this.#shownMessage(message));
    }
    const to = before === undefined ? this.#messages.length : at(before) + (id_lt === undefined ? 1 : 0);
    return this.#messages.slice(Math.max(0, to - most), to).map((message) => this.#shownMessage(message));
  }

  #shownMessage({ user_id, ...message }: Message): Fields {
    return { ...message, user: this.#server.users.get(user_id) };
  }

  // --- What happens -----------------------------------------------------------------------------

  /** `by` adds them; nobody in particular is a backend. */
  addMember(id: string, by?: string): void {
    if (this.hasMember(id)) return;
    this.join(id);
    const event = { member: this.member(id), channel_member_count: this.#members.size };
    this.#tellWatchers('member.added', { ...event, user: this.#server.users.get(id) });
    this.notifyAdded(id, by);
  }

  /** Without a word: the channel is new. */
  join(id: string): void {
    const now = this.#server.clock.timestamp;
    this.#members.set(id, { created_at: now, updated_at: now });
  }

  notifyAdded(id: string, by?: string): void {
    this.#tellOutside(id, 'notification.added_to_channel', { member: this.member(id), user: this.#server.users.get(by ?? id) });
  }

  removeMember(id: string): void {
    if (!this.hasMember(id)) return;
    const event = { member: this.member(id), user: this.#server.users.get(id) };
    this.#members.delete(id);
    // Before it is told, so that they hear of it as those outside do.
    if (!this.#isOpen) this.evict(id);
    this.#tellWatchers('member.removed', { ...event, channel_member_count: this.#members.size });
    this.#tellOutside(id, 'notification.removed_from_channel', event);
  }

  get #isOpen(): boolean {
    return this.#server.channels.isOpen(this.type);
  }

  /** They watch it no more. */
  evict(id: string): void {
    if (id === this.#server.userID) this.stopWatching();
    else this.leaveWatchers(id);
  }

  /** Somebody else watches it. */
  joinWatchers(id: string): void {
    if (this.#watchers.has(id)) return;
    this.#watchers.add(id);
    this.tellOfWatcher(id, true);
  }

  leaveWatchers(id: string): void {
    if (this.#watchers.delete(id)) this.tellOfWatcher(id, false);
  }

  hasWatcher(id: string): boolean {
    return this.#watchers.has(id) || (id === this.#server.userID && this.#server.subscriptions.channels.has(this.cid));
  }

  /** The client watches it. */
  startWatching(): void {
    const { subscriptions, userID } = this.#server;
    if (userID === undefined || subscriptions.channels.has(this.cid)) return;
    subscriptions.channels.add(this.cid);
    this.tellOfWatcher(userID, true);
  }

  stopWatching(): void {
    const { subscriptions, userID } = this.#server;
    subscriptions.members.delete(this.cid);
    if (subscriptions.channels.delete(this.cid) && userID !== undefined) this.tellOfWatcher(userID, false);
  }

  /** Who is not seen online is not seen to come or go either. */
  tellOfWatcher(id: string, started: boolean): void {
    // The type's `connect_events`.
    if (this.type === 'gaming') return;
    const user = this.#server.users.get(id);
    if (!user || (started && !user.online)) return;
    this.#tellWatchers(started ? 'user.watching.start' : 'user.watching.stop', { user, watcher_count: this.watcherIds.length });
  }

  write(by: string, { id, text, ...custom }: Fields): Fields {
    const now = this.#server.clock.timestamp;
    if (String(text).length > 5_000) throw input('the message is longer than 5000 characters');
    const number = this.#messages.length + 1;
    const message: Message = {
      ...custom, id: typeof id === 'string' ? id : `${this.cid}-${number}`, cid: this.cid, type: 'regular', text, user_id: by, created_at: now, updated_at: now,
    };
    this.#messages.push(message);
    this.#data = { ...this.#data, last_message_at: now };
    const shown = this.#shownMessage(message);
    const event = { message: shown, message_id: message.id, user: shown['user'], watcher_count: this.watcherIds.length };
    this.#tellWatchers('message.new', event);
    const { userID } = this.#server;
    if (userID !== undefined && this.hasMember(userID)) this.#tellOutside(userID, 'notification.message_new', event);
    return shown;
  }

  update(data: Fields): void {
    this.#data = { ...this.#data, ...data, updated_at: this.#server.clock.timestamp };
    this.#tellWatchers('channel.updated', { channel: this.shown });
  }

  deleted(): void {
    const channel = { ...this.shown, deleted_at: this.#server.clock.timestamp };
    this.#tellWatchers('channel.deleted', { channel });
    const { userID } = this.#server;
    if (userID !== undefined && this.hasMember(userID)) this.#tellOutside(userID, 'notification.channel_deleted', { channel });
    this.stopWatching();
  }

  /** Something of one's own, or `typing.start` and such. */
  happen(type: string, by: string, fields: Fields): void {
    this.#tellWatchers(type, { ...fields, user: this.#server.users.get(by) });
  }

  #event(type: string, fields: Fields): Fields {
    return { ...fields, type, cid: this.cid, channel_type: this.type, channel_id: this.id };
  }

  #tellWatchers(type: string, fields: Fields): void {
    if (this.#server.subscriptions.channels.has(this.cid)) this.#server.tell(this.#event(type, fields));
  }

  /** Tells the user, if it is the client's and does not watch. */
  #tellOutside(id: string, type: string, fields: Fields): void {
    const { userID, subscriptions } = this.#server;
    if (id === userID && !subscriptions.channels.has(this.cid)) this.#server.tell(this.#event(type, { ...fields, channel: this.shown }));
  }
}
