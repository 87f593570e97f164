import type { PresenceEvent, User } from 'rollcall';
import { API_KEY } from './rest';

/** Everybody on this page watches one channel; those on a board that shows teams, others as well. */
const isPage = (event: { channel_id: string }) => event.channel_id === API_KEY;

/** What an event says, as one sentence. */
export function describe(event: PresenceEvent, me: string): string {
  const name = (user: User | null | undefined) => (!user ? 'Somebody' : user.id === me ? 'You' : user.name || user.id);
  const possessive = (user: User) => (user.id === me ? 'Your' : `${user.name || user.id}’s`);
  switch (event.type) {
    case 'user.presence.changed':
      if (event.user.id === me) return event.user.online ? 'Others see you online' : 'Others see you offline';
      return `${name(event.user)} ${event.user.online ? 'came online' : 'went offline'}`;
    case 'user.updated':
      return event.user.status ? `${name(event.user)}: “${event.user.status}”` : `${possessive(event.user)} profile changed`;
    case 'user.deleted':
      return `${name(event.user)} was deleted`;
    case 'user.watching.start':
      return `${name(event.user)} ${isPage(event) ? 'opened this page' : `began to watch ${event.channel_id}`}`;
    case 'user.watching.stop':
      return `${name(event.user)} ${isPage(event) ? 'left this page' : `no longer watches ${event.channel_id}`}`;
    case 'notification.added_to_channel':
      return `You are a member of ${event.channel.name ?? event.channel.cid}`;
    case 'member.added':
      return `${name(event.member.user)} joined`;
    case 'message.new':
      return `${name(event.user)} wrote “${event.message.text ?? ''}”`;
    case 'health.check':
      return 'Signed in';
    case 'connection.changed':
      return event.online ? 'Connected' : 'The connection is lost';
    case 'connection.error':
      return `The connection ended: ${event.error.message}`;
    case 'connection.recovered':
      return 'Back, and everything is current again';
    default:
      return 'Something else happened';
  }
}
