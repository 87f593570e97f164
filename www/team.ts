import type { Channel, PresenceClient } from 'rollcall';
import { ask } from './rest';
import { idOf, SUGGESTIONS } from './names';

/** What the teams' channels have in common, to be asked for together. */
export const BOARD = 'rollcall-demo';

/** Open to whoever comes along, and they may become members by themselves. */
const TYPE = 'livestream';

const TEAMS = ['Design', 'Engineering', 'Support'];

/** The suggestions two by two, so that the first two people meet in one; others by their ids. */
function nameOf(id: string): string {
  const place = SUGGESTIONS.map(idOf).indexOf(id);
  const at = place >= 0 ? Math.floor(place / 2) : [...id].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0);
  return TEAMS[at % TEAMS.length] ?? '';
}

/** The channel of somebody's team. */
export function teamOf(client: PresenceClient, id: string): Channel {
  const name = nameOf(id);
  return client.channel(TYPE, `team-${name.toLowerCase()}`, { name, board: BOARD });
}

/** Makes the connected user a member of their team, which is created when it is not there. */
export async function joinTeam(client: PresenceClient, me: string): Promise<void> {
  const team = teamOf(client, me);
  const { membership } = await team.query({ state: true });
  // In an app of yours, its backend decides who belongs where.
  if (!membership) await ask(client.devToken(me), 'POST', `/channels/${TYPE}/${team.id}`, { add_members: [me] });
}
