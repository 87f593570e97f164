import { ask } from './rest';

/** What the server goes by when it says that somebody is online, or is not. */
export interface Inspection {
  user_id: string;
  online: boolean;
  invisible: boolean;
  last_active?: string;
  why: 'connected' | 'grace' | 'invisible' | 'held_back' | 'away';
  connections: {
    id: string;
    transport: 'websocket' | 'longpoll';
    /** What its SDK calls itself. */
    client?: string;
    user_agent?: string;
    opened_at: string;
    last_heard_at: string;
  }[];
  grace?: { until: string; after: Ending };
  held_until?: string;
  /** Newest first. */
  history: { at: string; type: 'connected' | 'disconnected' | 'online' | 'offline'; connection_id?: string; reason?: Ending | 'invisible' }[];
}

type Ending = 'closed' | 'left' | 'lost';

/** Asks why `id` is online, as whoever `token` is: they themselves, or a backend. */
export async function inspect(token: string, id: string): Promise<Inspection> {
  return (await ask<{ presence: Inspection }>(token, 'GET', `/rollcall/users/${encodeURIComponent(id)}/presence`)).presence;
}

/** The answer to the question why `name` is online, or is not, in a sentence. */
export function reason(name: string, { why, connections, grace, held_until }: Inspection, now = new Date()): string {
  const left = (until = '') => `${Math.max(0, Math.ceil((Date.parse(until) - now.getTime()) / 1000))} s`;
  switch (why) {
    case 'connected': {
      const open = connections.length === 1 ? 'a connection of theirs is' : `${connections.length} connections of theirs are`;
      return `${name} is online because ${open} open.`;
    }
    case 'grace':
      return `${name} is still online because their last connection ${ENDED[grace?.after ?? 'lost']}, and may come back within ${left(grace?.until)}.`;
    case 'invisible':
      return `${name} is connected and hides: to everybody else they are offline.`;
    case 'held_back':
      return `${name} came and went too often: they are shown online again in ${left(held_until)}, if they stay.`;
    case 'away':
      return `${name} is offline because no connection of theirs is open.`;
  }
}

const ENDED: Record<Ending, string> = {
  closed: 'said goodbye',
  left: 'ended with its page',
  lost: 'was lost',
};

/** What one step of the history says. */
export function happening({ type, reason }: Inspection['history'][number]): string {
  switch (type) {
    case 'connected':
      return 'A connection opened';
    case 'disconnected':
      return `A connection ${ENDED[reason as Ending] ?? 'ended'}`;
    case 'online':
      return 'Shown online';
    case 'offline':
      return reason === 'invisible' ? 'Hid: shown offline' : 'Shown offline';
  }
}

/** A browser's long account of itself, in two words: `Chrome 148, Linux`. */
export function browserOf(userAgent: string): string {
  // The order matters: each but the last also says that it is one of those after it.
  const browser = userAgent.match(/(Firefox|Edg|OPR|Chrome)\/(\d+)|Version\/(\d+).* (Safari)/);
  const system = userAgent.match(/Android|iPhone|iPad|Windows|Mac OS X|Linux/);
  if (!browser) return userAgent.slice(0, 40);
  const name = (browser[1] ?? browser[4] ?? '').replace('Edg', 'Edge').replace('OPR', 'Opera');
  return [`${name} ${browser[2] ?? browser[3]}`, ...(system ?? [])].join(', ');
}
