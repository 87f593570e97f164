// An app that has declared fields and events of its own: they are in every type, and nothing else is.

import { PresenceClient, type Channel, type ChannelUserEvent, type Message, type User, type UserFilter } from 'rollcall';

declare module 'rollcall' {
  interface CustomUserData {
    level: number;
    badges?: string[];
    home?: { city: string };
  }
  interface CustomChannelData {
    color?: 'green' | 'blue';
  }
  interface CustomMemberData {
    seat?: number;
  }
  interface CustomMessageData {
    mood?: string;
  }
  interface EventMap<Custom> {
    'hand.raised': ChannelUserEvent<Custom> & { type: 'hand.raised'; hand: 'left' | 'right' };
  }
}

export async function declared(client: PresenceClient): Promise<void> {
  await client.connectUser({ id: 'john', level: 3, badges: ['early'] }, 'token');
  const level: number | undefined = client.user.level;
  const { users } = await client.queryUsers(
    { level: { $gte: 3, $lt: 5 }, badges: { $contains: 'early' }, 'home.city': 'Oslo', $nor: [{ id: { $in: ['jack'] } }] },
    [{ level: -1 }, { 'home.city': 1 }, { last_active: -1 }],
  );
  const found: number[] = users.map((user) => user.level);
  const channel: Channel = client.channel('messaging', 'lunch', { color: 'green', members: ['john'] });
  const color: 'green' | 'blue' | undefined = channel.data?.color;
  const seat: number | undefined = channel.state.members['john']?.seat;
  const { message }: { message: Message } = await channel.sendMessage({ text: 'Hello', mood: 'good' });
  await client.queryChannels({ color: { $in: ['green'] }, member_count: { $gte: 2 } }, { color: 1 });
  channel.on('hand.raised', ({ hand, user }) => console.log(hand === 'left', user.level));
  client.on((event) => {
    if (event.type === 'hand.raised') console.log(event.hand);
  });
  const reusable: UserFilter = { $and: [{ level: 3 }, { $or: [{ name: { $autocomplete: 'j' } }] }] };
  console.log(level, found, color, seat, message.mood, reusable);
}

export async function mistaken(client: PresenceClient, user: User, channel: Channel): Promise<void> {
  // @ts-expect-error a misspelt field
  console.log(user.levle);
  // @ts-expect-error it is a number
  await client.connectUser({ id: 'john', level: 'three' }, 'token');
  // @ts-expect-error a field that was not declared
  await client.upsertUser({ id: 'john', height: 3 });
  // @ts-expect-error a misspelt field
  await client.queryUsers({ levle: 3 });
  // @ts-expect-error it is a number
  await client.queryUsers({ level: '3' });
  // @ts-expect-error so are those of a list
  await client.queryUsers({ level: { $in: ['3'] } });
  // @ts-expect-error an operator that users' own fields do not take
  await client.queryUsers({ level: { $ne: 3 } });
  // @ts-expect-error a list holds strings
  await client.queryUsers({ badges: { $contains: 1 } });
  // @ts-expect-error a path into a field that was not declared
  await client.queryUsers({ 'house.city': 'Oslo' });
  // @ts-expect-error a misspelt field in a list of filters
  await client.queryUsers({ $or: [{ levle: 3 }] });
  // @ts-expect-error a misspelt field to sort by
  await client.queryUsers({}, { levle: 1 });
  // @ts-expect-error teams have no order
  await client.queryUsers({}, { teams: 1 });
  // @ts-expect-error no such colour
  client.channel('messaging', 'lunch', { color: 'red' });
  // @ts-expect-error no such colour
  await client.queryChannels({ color: 'red' });
  // @ts-expect-error a field that was not declared
  await channel.sendMessage({ text: 'Hello', modo: 'good' });
  // @ts-expect-error no such hand
  client.on('hand.raised', ({ hand }) => hand === 'middle');
  // @ts-expect-error no such event
  client.on('hand.lowered', () => {});
}
