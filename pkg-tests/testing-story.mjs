// One story that the real client and the one of `rollcall/testing` both play: `world` moves what
// happens around the client, and what the client said of each person is returned.

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

export async function play(client, world) {
  const told = { jack: [], jill: [], nobody: [], connection: [], refused: [] };
  const refused = (promise) => promise.then(() => 'not refused', ({ name, code, retryable }) => `${name} ${code} ${retryable}`);
  client.on('connection.state', ({ connection }) => told.connection.at(-1) === connection.state || told.connection.push(connection.state));
  client.on('connection.recovered', () => told.connection.push('recovered'));
  client.on('user.presence.changed', ({ user, resync }) => told[user.id]?.push(`event: online ${user.online}, resync ${Boolean(resync)}`));
  client.on('user.updated', ({ user }) => told[user.id]?.push(`event: status ${user.status}`));

  told.refused.push(await refused(client.watchPresence(['jack'])));
  await world.connect();
  told.refused.push(await refused(client.watchPresence('jack')));
  told.refused.push(await refused(client.connectUser({ id: 'joan' }, 'token')));

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
  told.refused.push(await refused(watch.add(['jack'])));
  return told;
}
