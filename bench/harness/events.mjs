// Presence events as a server writes them, and the users that they are about.

import { idOf } from './server.mjs';

const stamp = (count) => new Date(1_770_000_000_000 + count * 1000).toISOString();

/** A user after so many flips, the first of which brought them online. */
export const userAfter = (id, flips) => ({
  id,
  name: `The user ${id}`,
  role: 'user',
  teams: [],
  created_at: stamp(0),
  // A profile is not another one for who comes and goes.
  updated_at: stamp(1),
  last_active: stamp(flips),
  online: flips % 2 === 1,
  banned: false,
});

/** The text of an event for each user in turn, until there are so many. */
export function presenceEvents(users, count) {
  const flips = Array.from({ length: users }, () => 0);
  return Array.from({ length: count }, (_, index) => {
    const number = index % users;
    return JSON.stringify({
      type: 'user.presence.changed',
      created_at: stamp(index),
      user: userAfter(idOf(number), ++flips[number]),
    });
  });
}
