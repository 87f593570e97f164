// Code that must not compile: under each directive, one mistake.

import { Channel, PresenceClient, PresenceWatch, type PresenceError } from 'rollcall';

interface Player {
  level: number;
}

export async function mistakes(client: PresenceClient, typed: PresenceClient<Player>, error: PresenceError): Promise<void> {
  // @ts-expect-error the API key is missing
  new PresenceClient();
  // @ts-expect-error a misspelt option
  new PresenceClient('key', { baseUrl: 'http://localhost:8800' });
  // @ts-expect-error channels come from `client.channel`
  new Channel();

  // @ts-expect-error the user's id is missing
  await client.connectUser({ name: 'John' }, 'token');
  // @ts-expect-error the token is missing
  await client.connectUser({ id: 'john' });
  // @ts-expect-error a provider gives a promise of a string
  await client.connectUser({ id: 'john' }, () => Promise.resolve(42));
  // @ts-expect-error invisible is a boolean
  await client.upsertUser({ id: 'john', invisible: 'yes' });
  // @ts-expect-error a list, not an object
  await client.upsertUsers({ john: { id: 'john' } });
  // @ts-expect-error unset names fields
  await client.partialUpdateUser({ id: 'john', unset: 'status' });

  // @ts-expect-error no such event
  client.on('user.presence.change', () => {});
  // @ts-expect-error the handler is missing
  client.on('user.updated');
  // @ts-expect-error online cannot be asked for
  void client.queryUsers({ online: true });
  // @ts-expect-error online is a boolean
  client.on('user.presence.changed', ({ user }) => user.online?.toUpperCase());
  // @ts-expect-error connection events carry no user
  client.on('connection.changed', ({ user }) => user.id);
  // @ts-expect-error a misspelt field, where own fields are declared
  typed.on('user.presence.changed', ({ user }) => user.onlin);
  // @ts-expect-error an own field of the wrong type
  await typed.connectUser({ id: 'john', level: 'three' }, 'token');

  // @ts-expect-error no such operator
  await client.queryUsers({ id: { $inn: ['jack'] } });
  // @ts-expect-error $in takes a list
  await client.queryUsers({ id: { $in: 'jack' } });
  // @ts-expect-error ids are strings
  await client.queryUsers({ id: { $in: [1, 2] } });
  // @ts-expect-error so they are in lists of filters
  await client.queryUsers({ $or: [{ id: 1 }] });
  // @ts-expect-error lists of filters, not one
  await client.queryUsers({ $and: { id: 'jack' } });
  // @ts-expect-error an operator that ids do not take
  await client.queryUsers({ id: { $contains: 'j' } });
  // @ts-expect-error a number of members
  await client.queryChannels({ member_count: 'two' });
  // @ts-expect-error an own field of the wrong type
  await typed.queryUsers({ level: 'three' });
  // @ts-expect-error a misspelt field, where own fields are declared
  await typed.queryUsers({ levle: 3 });
  // @ts-expect-error directions are 1 and -1
  await client.queryUsers({}, { id: 2 });
  // @ts-expect-error presence is a boolean
  await client.queryUsers({}, { id: 1 }, { presence: 'yes' });
  // @ts-expect-error a misspelt option
  await client.queryChannels({}, {}, { precense: true });

  // @ts-expect-error a list, not one id
  await client.watchPresence('jack');
  // @ts-expect-error watches come from `client.watchPresence`
  new PresenceWatch();
  // @ts-expect-error a watch has one event
  (await client.watchPresence([])).on('changed', () => {});
  // @ts-expect-error it may be stale or unknown: there is no plain yes or no
  const live: boolean = (await client.watchPresence([])).get('jack').freshness;
  // @ts-expect-error an id, not a user
  client.user({ id: 'jack' });
  // @ts-expect-error one user has one event
  client.user('jack').on('change', () => {});

  // @ts-expect-error the type is a string
  client.channel(7, 'lunch');
  // @ts-expect-error presence is a boolean
  await client.channel('messaging', 'lunch').watch({ presence: 1 });
  // @ts-expect-error a message is an object
  await client.channel('messaging', 'lunch').sendMessage('Hello');
  // @ts-expect-error state is for reading
  client.channel('messaging', 'lunch').state.members['john'] = {};
  // @ts-expect-error so is the user
  client.user = { id: 'jack' };
  // @ts-expect-error no such code
  if (error.code === 'no_such_code') return;
}
