// The seven scenes of presence, written once for any cast: `watcher` and `actor` say where their
// clients run (see `person` in `harness/stage.mjs`), so the same scene shows that our client, the
// official SDK and any mix of them see the same thing.

import assert from 'node:assert/strict';
import { presence, status } from './harness/event.mjs';

/** Jack watches John, who is known to the server but away. */
async function jackWatchesJohn(stage, { watcher, actor }) {
  await stage.admin.upsertUsers([{ id: 'john', name: 'John', hobby: 'kites' }]);
  const jack = await stage.person('jack', watcher);
  const john = await stage.person('john', actor);
  await jack.connect();
  assert.deepEqual(await jack.watch('john'), { john: false });
  return { jack, john };
}

/**
 * Shows that whatever was to be heard of others has been heard: Jill comes and Jack hears of it,
 * after all that was sent to him before.
 */
async function jillArrives(stage, jack, { actor }) {
  await stage.admin.upsertUsers([{ id: 'jill' }]);
  assert.deepEqual(await jack.watch('jill'), { jill: false });
  const jill = await stage.person('jill', actor);
  await jill.connect();
  await jack.heard.next(presence('jill', true));
}

const recent = (timestamp) => Math.abs(Date.now() - Date.parse(timestamp)) < 60_000;

async function arriving(stage, cast) {
  const { jack, john } = await jackWatchesJohn(stage, cast);
  await john.connect();
  const { user } = await jack.heard.next(presence('john', true));
  assert.equal(user.name, 'John');
  assert.equal(user.hobby, 'kites', 'custom fields travel with the event');
  assert.ok(recent(user.last_active), `last_active is now: ${user.last_active}`);
  assert.equal('invisible' in user, false);
  assert.deepEqual(await jack.watch('john'), { john: true });
}

async function closing(stage, cast) {
  const { jack, john } = await jackWatchesJohn(stage, cast);
  await john.connect();
  await jack.heard.next(presence('john', true));
  await john.close();
  await jack.heard.next(presence('john', false));
  assert.deepEqual(await jack.watch('john'), { john: false });
}

async function disconnecting(stage, cast) {
  const { jack, john } = await jackWatchesJohn(stage, cast);
  await john.connect();
  await jack.heard.next(presence('john', true));
  await john.disconnect();
  const { user } = await jack.heard.next(presence('john', false));
  assert.ok(recent(user.last_active), 'one who has left was last active a moment ago');
}

async function statusChanging(stage, cast) {
  const { jack, john } = await jackWatchesJohn(stage, cast);
  await john.connect({ status: 'Eating a veggie burger…' });
  const arrival = await jack.heard.next(presence('john', true));
  assert.equal(arrival.user.status, 'Eating a veggie burger…');

  await john.upsert({ status: 'Washing the dishes' });
  const { user } = await jack.heard.next(status('john', 'Washing the dishes'));
  assert.equal(user.online, true);
  assert.equal(user.name, 'John', 'what was not written is kept');
  assert.equal(jack.heard.all(presence('john')).length, 1, 'a status is no presence change');
}

async function invisibleAtConnect(stage, cast) {
  const { jack, john } = await jackWatchesJohn(stage, cast);
  const me = await john.connect({ invisible: true });
  assert.equal(me.invisible, true, 'John himself sees that he is invisible');

  await jillArrives(stage, jack, cast);
  assert.deepEqual(jack.heard.all(presence('john')), []);
  assert.deepEqual(await jack.watch('john'), { john: false });
}

async function invisibleLater(stage, cast) {
  const { jack, john } = await jackWatchesJohn(stage, cast);
  await john.connect();
  await jack.heard.next(presence('john', true));

  await john.upsert({ invisible: true });
  await jack.heard.next(presence('john', false));

  const me = await john.reload();
  assert.equal(me.invisible, true, 'invisible lasts until it is set to false');
  await jillArrives(stage, jack, cast);
  assert.equal(jack.heard.all(presence('john')).length, 2, 'Jack saw him come and go, and nothing of the reload');

  await john.upsert({ invisible: false });
  await jack.heard.next(presence('john', true));
}

async function messageAuthor(stage, cast) {
  await stage.admin.upsertUsers([{ id: 'jack' }, { id: 'john' }]);
  const jack = await stage.person('jack', cast.watcher);
  const john = await stage.person('john', cast.actor);
  await Promise.all([jack.connect(), john.connect()]);
  await john.do(async (client) => {
    const channel = client.channel('messaging', 'lunch', { members: ['jack', 'john'] });
    await channel.watch();
    await channel.sendMessage({ text: 'Burgers?' });
  });

  // The official SDK keeps members current but not the users of messages: its apps look the author up.
  const lookUp = cast.watcher !== 'rollcall';
  const read = (client, lookUp) => {
    const { members, messages } = client.channel('messaging', 'lunch').state;
    const [{ text, user }] = messages;
    const { id, online } = lookUp ? members[user.id].user : user;
    return { text, id, online };
  };
  await jack.do((client) => client.channel('messaging', 'lunch').watch({ presence: true }).then(() => {}));
  assert.deepEqual(await jack.do(read, lookUp), { text: 'Burgers?', id: 'john', online: true });

  await john.disconnect();
  await jack.heard.next(presence('john', false));
  assert.deepEqual(await jack.do(read, lookUp), { text: 'Burgers?', id: 'john', online: false });

  await john.connect();
  await jack.heard.next(presence('john', true));
  assert.deepEqual(await jack.do(read, lookUp), { text: 'Burgers?', id: 'john', online: true });
}

async function reloading(stage, cast) {
  const { jack, john } = await jackWatchesJohn(stage, cast);
  await john.connect();
  await jack.heard.next(presence('john', true));
  await john.reload();
  await john.upsert({ status: 'back' });
  await jack.heard.next(status('john', 'back'));
  assert.equal(jack.heard.all(presence('john')).length, 1, 'nobody saw him go');
}

/** `grace` is the server's: long where only an explicit goodbye may be quick, short where its end is awaited. */
export const scenes = [
  { name: 'one who arrives is seen to come online', play: arriving },
  { name: 'one who closes the page goes offline when the grace is over', grace: '200ms', play: closing },
  { name: 'one who disconnects goes offline at once', grace: '1h', play: disconnecting },
  { name: 'a status is seen as it changes', play: statusChanging },
  { name: 'one who connects invisible is not seen', play: invisibleAtConnect },
  { name: 'one who turns invisible looks offline, through a reload too', grace: '1h', play: invisibleLater },
  { name: "a message shows its author's presence", grace: '1h', play: messageAuthor },
  { name: 'a reload within the grace is seen by nobody', grace: '1h', play: reloading },
];
