import type { Channel, PresenceClient, PresenceWatch, User } from 'rollcall';
import { BOARD, teamOf } from './team';
import { idOf, SUGGESTIONS } from './names';

/** People who belong together, and what they are called; no name where there is but one group. */
export interface Group {
  id: string;
  name: string;
  ids: string[];
}

/** A way to watch people: one call of the package, which says how they are and has their changes arrive. */
export interface Way {
  readonly name: WayName;
  /** The call, as an app would write it. */
  readonly call: string;
  /** Whom it covers, in a sentence. */
  readonly covers: string;
  /** Whom it found so far. */
  groups(): Group[];
  /** Asks, or asks again. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Somebody turned up after the question was answered. */
  meet?(users: readonly User[]): void;
  /** Asks for one more. */
  add?(id: string): Promise<void>;
}

const NAMES = ['everybody', 'team', 'teams', 'names'] as const;

export type WayName = (typeof NAMES)[number];

export const isWayName = (name: unknown): name is WayName => NAMES.some((known) => known === name);

export function waysOf(client: PresenceClient, me: string): Record<WayName, Way> {
  return {
    everybody: new Everybody(client),
    team: new Team(client, me),
    teams: new Teams(client),
    names: new Names(client, me),
  };
}

/** A query of users. */
class Everybody implements Way {
  readonly name = 'everybody';
  readonly call = 'client.queryUsers({}, { last_active: -1 }, { presence: true })';
  readonly covers = 'A query of users: the hundred who were here last, and whoever turns up later.';
  readonly #ids = new Set<string>();

  constructor(readonly client: PresenceClient) {}

  groups(): Group[] {
    return [{ id: '', name: '', ids: [...this.#ids] }];
  }

  async start(): Promise<void> {
    // The simulated ones have a place of their own.
    const others = { simulated: { $exists: false } };
    this.meet((await this.client.queryUsers(others, { last_active: -1 }, { presence: true, limit: 100 })).users);
  }

  // The protocol has no word for it: these are told of until the connection ends.
  async stop(): Promise<void> {}

  meet(users: readonly User[]): void {
    for (const { id } of users) this.#ids.add(id);
  }
}

const membersOf = ({ cid, data, state }: Channel): Group => ({
  id: cid ?? '',
  name: data?.name ?? '',
  ids: Object.keys(state.members),
});

/** One channel. */
class Team implements Way {
  readonly name = 'team';
  readonly call = 'channel.watch({ presence: true })';
  readonly covers = 'A channel: the members of your team. Of a large one, the server tells of the first ten.';
  #channel: Channel | undefined;

  constructor(
    readonly client: PresenceClient,
    readonly me: string,
  ) {}

  groups(): Group[] {
    return this.#channel ? [membersOf(this.#channel)] : [];
  }

  async start(): Promise<void> {
    const channel = teamOf(this.client, this.me);
    await channel.watch({ presence: true });
    this.#channel = channel;
  }

  async stop(): Promise<void> {
    await this.#channel?.stopWatching();
  }
}

/** A query of channels. */
class Teams implements Way {
  readonly name = 'teams';
  readonly call = `client.queryChannels({ board: '${BOARD}' }, { cid: 1 }, { presence: true })`;
  readonly covers = 'A query of channels: the members of every team there is.';
  #channels: Channel[] = [];

  constructor(readonly client: PresenceClient) {}

  groups(): Group[] {
    return this.#channels.map(membersOf);
  }

  async start(): Promise<void> {
    this.#channels = await this.client.queryChannels({ board: BOARD }, { cid: 1 }, { presence: true, limit: 30 });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.stopWatching()));
  }
}

/** Any users, by their ids. */
class Names implements Way {
  readonly name = 'names';
  readonly covers = 'Any users, as many as you like, by their ids; those whom the server does not know are unknown.';
  readonly #ids: Set<string>;
  #watch: PresenceWatch | undefined;

  constructor(
    readonly client: PresenceClient,
    me: string,
  ) {
    this.#ids = new Set([me, ...SUGGESTIONS.map(idOf)]);
  }

  get call(): string {
    const [first, second] = [...this.#ids];
    return `client.watchPresence(['${first}', '${second}', … ${this.#ids.size - 2} more])`;
  }

  groups(): Group[] {
    return [{ id: '', name: '', ids: [...this.#ids] }];
  }

  async start(): Promise<void> {
    const before = this.#watch;
    this.#watch = await this.client.watchPresence([...this.#ids]);
    before?.stop();
  }

  async stop(): Promise<void> {
    this.#watch?.stop();
  }

  async add(id: string): Promise<void> {
    await this.#watch?.add([id]);
    this.#ids.add(id);
  }
}
