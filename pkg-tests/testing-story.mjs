// Stories that the real client and the one of `rollcall/testing` both play: `world` moves what
// happens around the client, and what the client said is returned.

/** Waits until what the watch knows of `id` is so. */
function until(watch, id, holds) {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds(watch.get(id))) return;
      subscription.unsubscribe();
      resolve();
    };
    const subscription = watch.on('change', look);
    look();
  });
}

const refusal = (promise) => promise.then(() => 'not refused', ({ name, code, retryable }) => `${name} ${code} ${retryable}`);

/** People, one by one. */
export async function people(client, world) {
  const told = { jack: [], jill: [], nobody: [], connection: [], refused: [] };
  client.on('connection.state', ({ connection }) => told.connection.at(-1) === connection.state || told.connection.push(connection.state));
  client.on('connection.recovered', () => told.connection.push('recovered'));
  client.on('user.presence.changed', ({ user, resync }) => told[user.id]?.push(`event: online ${user.online}, resync ${Boolean(resync)}`));
  client.on('user.updated', ({ user }) => told[user.id]?.push(`event: status ${user.status}`));

  told.refused.push(await refusal(client.watchPresence(['jack'])));
  await world.connect();
  told.refused.push(await refusal(client.watchPresence('jack')));
  told.refused.push(await refusal(client.connectUser({ id: 'joan' }, 'token')));

  const watch = await client.watchPresence(['jack', 'jill', 'nobody']);
  watch.on('change', ({ id, online, status, freshness, asOf, resync, user }) =>
    told[id].push({ online, status, freshness, asOf: asOf instanceof Date, resync, known: user?.id ?? null }),
  );
  const shown = (id) => {
    const { online, status, freshness, lastActive, user } = watch.get(id);
    return { online, status, freshness, active: lastActive instanceof Date, known: user?.id ?? null };
  };
  for (const id of watch.ids) told[id].push(shown(id));

  await world.comes('jack');
  await until(watch, 'jack', ({ online }) => online);
  await world.says('jack', 'Lunch');
  await until(watch, 'jack', ({ status }) => status === 'Lunch');
  told.jack.push(shown('jack'));
  const { users } = await client.queryUsers({ id: { $in: ['jack', 'nobody'] } }, { id: 1 }, { presence: true });
  told.jack.push(users.map(({ id, online, status }) => `${id} ${online} ${status}`));

  await world.lose();
  await until(watch, 'jill', ({ freshness }) => freshness === 'stale');
  await world.comes('jill');
  await world.regain();
  await until(watch, 'jill', ({ online, freshness }) => online && freshness === 'live');
  await until(watch, 'jack', ({ freshness }) => freshness === 'live');

  watch.remove(['jill']);
  told.jill.push(shown('jill'));
  await world.leaves('jack');
  await until(watch, 'jack', ({ online }) => !online);
  await client.disconnectUser();
  told.jack.push(shown('jack'), watch.size);
  told.refused.push(await refusal(watch.add(['jack'])));
  return told;
}

/** A channel of Jack's and John's, which is there before: its members, who watches it, what is said. */
export async function channels(client, world) {
  const told = { events: [], shown: [], found: [], refused: [] };
  await world.connect();
  const waiting = new Set();
  client.on(({ type, user, resync, message, online }) => {
    // When one hears of oneself, before a reply or after it, is as it happens.
    if (type.startsWith('connection.s') || type === 'health.check' || (type.startsWith('user.') && user.id === 'john')) return;
    told.events.push([type, user?.id, user?.online ?? online, resync, message?.text].filter((part) => part !== undefined).join(' '));
    for (const look of waiting) look();
  });
  const hears = (event) =>
    new Promise((resolve) => {
      const look = () => told.events.at(-1) === event && waiting.delete(look) && resolve();
      waiting.add(look);
      look();
    });

  const lunch = client.channel('messaging', 'lunch');
  const show = () => {
    const { members, watchers, watcher_count, messages, membership } = lunch.state;
    told.shown.push({
      members: Object.values(members).map(({ user_id, user, role, channel_role }) => [user_id, user.online, role, channel_role]),
      watchers: Object.values(watchers).map(({ id, online }) => [id, online]),
      watcher_count,
      messages: messages.map(({ text, user, cid, type }) => [text, user.id, user.online, cid, type]),
      membership: membership && [membership.user_id, membership.user.online],
      data: [lunch.cid, lunch.data?.color, lunch.data?.member_count, lunch.data?.created_by?.id].map((value) => value ?? null),
    });
  };
  show();
  const { members, watcher_count, presence_omitted } = await lunch.watch({ presence: true });
  told.found.push([members.length, watcher_count, presence_omitted]);
  show();
  told.found.push(client.channel('messaging', 'lunch') === lunch);

  await world.comes('jack');
  await hears('user.presence.changed jack true');
  await world.opens('jack');
  await hears('user.watching.start jack true');
  show();
  await world.writes('jack', 'Pizza?');
  await hears('message.new jack true Pizza?');
  await Promise.all([lunch.sendMessage({ text: 'Soup!' }), hears('message.new john true Soup!')]);
  await world.adds('jill');
  await hears('member.added jill false');
  show();
  await world.renames({ color: 'red' });
  await hears('channel.updated');
  show();
  await world.closes('jack');
  await hears('user.watching.stop jack true');
  await world.opens('jack');
  await hears('user.watching.start jack true');

  const cids = async (filter, sort, options) => (await client.queryChannels(filter, sort, options)).map(({ cid }) => cid);
  told.found.push(await cids({ color: 'red' }), await cids({ color: 'green' }), await cids({ members: { $in: ['jill'] } }, { last_message_at: -1 }));
  told.found.push(await cids({}, { cid: -1 }), await cids({ member_count: { $gt: 2 }, type: 'messaging' }), await cids({ members: ['jack', 'jill', 'john'] }));
  told.found.push((await lunch.query({ messages: { limit: 1 }, state: true })).messages.map(({ text }) => text));
  const pair = client.channel('messaging', { members: ['jack', 'john'] });
  await Promise.all([pair.create(), hears('notification.added_to_channel john true')]);
  told.found.push([pair === client.channel('messaging', { members: ['john', 'jack'] }), pair.id.startsWith('!members-'), pair.data.member_count]);

  const watch = await client.watchPresence(['jack']);
  await world.lose();
  await until(watch, 'jack', ({ freshness }) => freshness === 'stale');
  await world.leaves('jack');
  await world.regain();
  await hears('connection.recovered');
  show();

  await lunch.stopWatching();
  show();
  await world.comes('jill');
  await world.writes('jill', 'Are you there?');
  await hears('notification.message_new jill true Are you there?');
  await lunch.watch();
  await world.drops('john');
  await hears('notification.removed_from_channel john true');
  show();
  told.refused.push(await refusal(lunch.watch()), await refusal(lunch.sendMessage({ text: 'Let me in' })));
  told.refused.push(await refusal(client.channel('messaging', 'nowhere').sendMessage({ text: 'Hello?' })));
  told.refused.push(await refusal(client.queryChannels({ color: { $near: 'red' } })), await refusal(client.queryChannels('red')));
  told.refused.push(await refusal(client.channel('messaging', 'ghosts', { members: ['nobody'] }).watch()));
  told.refused.push(await refusal(client.channel('no-such-type', 'lunch').watch()));
  await client.disconnectUser();
  told.refused.push(await refusal(lunch.watch()));
  return told;
}
