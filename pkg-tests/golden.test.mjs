// What crosses the wire, word for word: the packed package reads what our server writes, and
// writes what our server reads. Both are kept in `protocol/golden/`; the server's half is in
// `server/tests/golden.rs` and `server/tests/golden_client.rs`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../scripts/shell.mjs';
import { golden, goldenOf, isGolden } from './harness/golden.mjs';
import { newBench } from './harness/network.mjs';

const FIRST = golden['health.check.first'];
const ME = FIRST.me;
const VERSION = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
/** What listeners hear as it was sent; of the connection they are told by `connection.state`. */
const EVENTS = Object.fromEntries(Object.entries(golden).filter(([name, { type }]) => type && !/^connection\.|\.first$/.test(name)));

/** A quarter of an hour, in which a client that tries again would have done so many times. */
const LONG = 15 * 60_000;
/** By when a client has tried again after a first failure; listeners hear of none that is over by 5 s. */
const LONGEST_DELAY = 1_000;

/** The channel that most of the events are about, as it was before them. */
const TEA = (() => {
  const { members, ...channel } = golden['channel.updated'].channel;
  const before = members.slice(0, 2).map((member) => ({ ...member, user: { ...member.user, online: false } }));
  const [ada, bob] = before;
  const message = { ...golden['message.new'].message, id: 'of-bob', user: bob.user };
  return { channel: { ...channel, color: 'red' }, members: before, membership: ada, messages: [message], watchers: [], watcher_count: 0 };
})();

/** Ada's client, connected, with the channel watched. */
async function adaWatchesTea(t) {
  const bench = await newBench(t);
  await bench.connect(FIRST);
  await bench.run(async (client, network, tea) => {
    network.answers['/channels/messaging/tea/query'] = tea;
    window.tea = client.channel('messaging', 'tea');
    await window.tea.watch({ presence: true });
  }, TEA);
  return bench;
}

describe('what the server says', () => {
  test('there is a frame of every event, and one of every error', () => {
    const source = readFileSync(join(root, 'protocol', 'src', 'event.rs'), 'utf8').split('pub mod local')[0];
    const named = [...source.matchAll(/^pub const \w+: &str = "(.+)";$/gm)].map(([, name]) => name);
    assert.ok(named.length > 20, 'the names were found');
    const types = new Set(Object.values(golden).map(({ type }) => type));
    assert.deepEqual(named.filter((name) => !types.has(name)), [], 'events without a frame');

    const codes = new Set(Object.values(golden).map((content) => (content.error ?? content).code));
    const authentication = [2, 5, 16, 17, 40, 41, 42, 43, 46, 71, 99];
    assert.deepEqual(authentication.filter((code) => !codes.has(code)), [], 'errors without one');
  });

  test('connectUser resolves with the first frame', async (t) => {
    const bench = await newBench(t);
    assert.deepEqual(await bench.connect(FIRST), FIRST);
    assert.deepEqual(await bench.run((client) => ({ ...client.user })), ME);
  });

  test('an event reaches its listeners as it was sent', async (t) => {
    const bench = await adaWatchesTea(t);
    const heard = await bench.run((client, network, events) => {
      const listen = (frame) => {
        const heard = { byType: [], byAny: [], byChannel: [] };
        // Copies: what is heard may become part of the state, and change with it.
        const into = (list) => (event) => list.push(structuredClone(event));
        const subscriptions = [
          client.on(frame.type, into(heard.byType)),
          client.on(into(heard.byAny)),
          window.tea.on(frame.type, into(heard.byChannel)),
        ];
        network.socket.say(frame);
        for (const subscription of subscriptions) subscription.unsubscribe();
        return heard;
      };
      return Object.fromEntries(Object.entries(events).map(([name, frame]) => [name, listen(frame)]));
    }, EVENTS);
    for (const [name, frame] of Object.entries(EVENTS)) {
      const byChannel = frame.cid === TEA.channel.cid ? [frame] : [];
      assert.deepEqual(heard[name], { byType: [frame], byAny: [frame], byChannel }, name);
    }
  });

  test('so do all events in one frame, in their order', async (t) => {
    const bench = await adaWatchesTea(t);
    const frames = Object.values(EVENTS);
    const heard = await bench.run((client, network, frames) => {
      const heard = [];
      client.on((event) => heard.push(structuredClone(event)));
      network.socket.say(frames);
      return heard;
    }, frames);
    assert.deepEqual(heard, frames);
  });

  test('what nobody knows yet passes through untouched', async (t) => {
    const bench = await newBench(t);
    const odd = { brand_new: { deep: [1, null, { '': 'x' }], 'with.dot': true }, __proto: 0 };
    const first = { ...FIRST, ...odd, me: { ...ME, ...odd } };
    const { user } = golden['user.presence.changed'];
    const frames = [
      { type: 'brand.new', ...odd },
      { type: 'user.brand.new', user: 'not an object', cid: 7 },
      { ...golden['user.presence.changed'], ...odd, user: { ...user, ...odd } },
    ];
    assert.deepEqual(await bench.connect(first), first);
    const told = await bench.run(async (client, network, { frames, reply }) => {
      const heard = [];
      client.on((event) => heard.push(event));
      client.on('brand.new', (event) => heard.push(event));
      frames.forEach((frame) => network.socket.say(frame));
      network.answers['/users'] = reply;
      return { heard, me: { ...client.user }, reply: await client.queryUsers({}) };
    }, { frames, reply: { users: [{ ...user, ...odd }], ...odd } });
    assert.deepEqual(told.heard, [frames[0], frames[0], frames[1], frames[2]]);
    assert.deepEqual(told.me, first.me);
    assert.deepEqual(told.reply, { users: [{ ...user, ...odd }], ...odd });
  });
});

describe('what an event changes', () => {
  const [ada, bob] = TEA.members;
  const about = (name) => golden[name].user;
  const meUpdated = { ...golden['user.updated'], user: { ...about('wave.to_user'), status: 'Reading' } };

  /** Each event, and what is then different from before it. */
  const story = [
    [golden['user.presence.changed'], ({ members, messages }, { user }) => {
      members.bob.user = user;
      messages[0].user = user;
    }],
    [golden['user.watching.start'], (tea, { user }) => {
      tea.watchers.bob = user;
      tea.watcher_count = 2;
    }],
    [{ ...golden['user.updated'], user: { ...about('user.updated'), status: 'Out of tea' } }, ({ members, messages, watchers }, { user }) => {
      members.bob.user = messages[0].user = watchers.bob = user;
    }],
    [golden['message.new'], (tea, { message }) => {
      tea.messages.push(message);
      tea.watcher_count = 1;
    }],
    [golden['user.watching.stop'], (tea) => {
      delete tea.watchers.bob;
      tea.watcher_count = 1;
    }],
    [golden['member.added'], ({ members }, { member }) => void (members.cyd = member)],
    [golden['member.updated'], ({ members }, { member }) => void (members.bob = member)],
    [golden['member.removed'], ({ members }) => void delete members.cyd],
    [golden['channel.updated'], (tea, { channel }) => void (tea.data = channel)],
    [meUpdated, (tea, { user }) => {
      tea.members.ada.user = tea.membership.user = tea.messages[1].user = user;
      // An event shows what everyone may see of Ada; what only she sees of herself, she keeps.
      const { shadow_banned, ...own } = tea.me;
      tea.me = { ...own, ...user };
    }],
    ...['health.check', 'typing.start', 'typing.stop', 'message.read', 'channel.hidden', 'channel.visible', 'wave'].map((name) => [golden[name], () => {}]),
  ];

  /** What an app sees of the channel and of itself, after each of `frames`. */
  const seen = (bench, frames) =>
    bench.run((client, network, frames) => {
      const look = () => structuredClone({ ...window.tea.state, data: window.tea.data, me: { ...client.user } });
      const before = look();
      return [before, ...frames.map((frame) => (network.socket.say(frame), look()))];
    }, frames);

  test('is in the state of the channel and of the user, and is all that changes there', async (t) => {
    const bench = await adaWatchesTea(t);
    const [before, ...after] = await seen(bench, story.map(([frame]) => frame));
    const { channel, ...state } = TEA;
    let expected = { ...state, members: { ada, bob }, watchers: {}, data: channel, me: ME };
    assert.deepEqual(before, expected);
    story.forEach(([frame, change], index) => {
      expected = structuredClone(expected);
      change(expected, structuredClone(frame));
      assert.deepEqual(after[index], expected, `after event ${index}, ${frame.type}`);
    });
  });

  test('is the same when all come in one frame', async (t) => {
    const frames = story.map(([frame]) => frame);
    const single = (await seen(await adaWatchesTea(t), frames)).at(-1);
    const batch = (await seen(await adaWatchesTea(t), [frames])).at(-1);
    assert.deepEqual(batch, single);
  });
});

describe('a refused connection', () => {
  const refusals = goldenOf('connection.error.').flatMap(([name, frame]) => [
    [name, frame],
    [`${name}, as of 2020`, { error: frame.error }],
  ]);
  const of = (code) => refusals.filter(([, { error }]) => error.code === code);
  /** Those after which trying again cannot help; these tests give a token that nobody can renew. */
  const final = refusals.filter(([, { error }]) => error.code !== 71);

  /** Runs in the page: refuses the first connection with `frame`, closing it as servers do. */
  const connectRefused = async (client, network, { frame, me }) => {
    const connecting = client.connectUser({ id: me.id }, client.devToken(me.id));
    await network.until(() => network.socket);
    network.socket.say(frame);
    network.socket.lose(1000);
    return connecting.then(
      () => 'connected',
      (error) => ({ isError: error instanceof Error, code: error.code, status: error.status, retryable: error.retryable, message: error.message }),
    );
  };
  const asTold = ({ error }) => ({ isError: true, code: error.code, status: error.StatusCode, retryable: false, message: error.message });
  const sockets = (bench) => bench.run((client, network) => network.sockets.length);

  test('rejects connectUser with the reason, and is not tried again', async (t) => {
    const bench = await newBench(t);
    for (const [name, frame] of final) {
      await bench.restart();
      assert.deepEqual(await bench.run(connectRefused, { frame, me: ME }), asTold(frame), name);
      await bench.pass(LONG);
      assert.equal(await sockets(bench), 1, `${name}: no further attempt`);
      assert.equal(await bench.run((client) => Object.keys(client.user).length === 0), true);
    }
  });

  test('ends reconnecting, and the app is told', async (t) => {
    const bench = await newBench(t);
    for (const [name, frame] of final) {
      await bench.restart();
      await bench.connect(FIRST);
      await bench.run((client, network) => {
        window.told = [];
        for (const type of ['connection.changed', 'connection.error']) client.on(type, (event) => window.told.push(event));
        network.socket.lose();
      });
      await bench.pass(LONGEST_DELAY);
      assert.equal(await sockets(bench), 2, `${name}: it tried to reconnect`);
      const told = await bench.run((client, network, frame) => {
        network.socket.say(frame);
        network.socket.lose(1000);
        return window.told.map(({ type, online, error }) => ({ type, online, code: error?.code }));
      }, frame);
      assert.deepEqual(told, [
        { type: 'connection.changed', online: false, code: undefined },
        { type: 'connection.error', online: undefined, code: frame.error.code },
      ], name);
      await bench.pass(LONG);
      assert.equal(await sockets(bench), 2, `${name}: no further attempt`);
    }
  });

  test('for an expired token is tried again with another one, if there is a provider', async (t) => {
    const bench = await newBench(t);
    for (const [name, frame] of of(40)) {
      await bench.restart();
      const told = await bench.run(async (client, network, { frame, first }) => {
        const tokens = ['old', 'new', 'newer'].map((signature) => `${client.devToken(first.me.id)}.${signature}`);
        const given = [];
        const connecting = client.connectUser({ id: first.me.id }, async () => (given.push(tokens[given.length]), given.at(-1)));
        await network.until(() => network.socket);
        network.socket.say(frame);
        network.socket.lose(1000);
        await network.until(() => network.sockets.length === 2);
        network.socket.say(first);
        const sent = network.sockets.map(({ url }) => url.searchParams.get('authorization'));
        return { connected: await connecting, given, sent, tokens };
      }, { frame, first: FIRST });
      assert.deepEqual(told.connected, FIRST, name);
      assert.deepEqual(told.given, told.tokens.slice(0, 2), `${name}: the provider was asked once for each connection`);
      assert.deepEqual(told.sent, told.given, name);
    }
  });

  test('for too many connections is tried again, for there may be room later', async (t) => {
    const bench = await newBench(t);
    for (const [name, frame] of of(71)) {
      await bench.restart();
      await bench.run(async (client, network, { frame, me }) => {
        window.connecting = client.connectUser({ id: me.id }, client.devToken(me.id));
        await network.until(() => network.socket);
        network.socket.say(frame);
        network.socket.lose(1000);
      }, { frame, me: ME });
      await bench.pass(LONGEST_DELAY);
      assert.equal(await sockets(bench), 2, name);
      const connected = await bench.run((client, network, first) => {
        network.socket.say(first);
        return window.connecting;
      }, FIRST);
      assert.deepEqual(connected, FIRST, name);
    }
  });
});

test('a refused request rejects with the code, the status and whether to try again', async (t) => {
  const bench = await newBench(t);
  await bench.connect(FIRST);
  const bodies = [...goldenOf('reply.error.'), ...goldenOf('connection.error.').map(([name, { error }]) => [name, error])];
  for (const [name, body] of bodies) {
    const failure = await bench.run(async (client, network, body) => {
      network.answers['/users'] = { ...body, status: body.StatusCode };
      return client.queryUsers({}).catch(({ code, status, retryable, message }) => ({ code, status, retryable, message }));
    }, body);
    const retryable = [46, 71].includes(body.code);
    assert.deepEqual(failure, { code: body.code, status: body.StatusCode, retryable, message: body.message }, name);
  }
});

describe('what the client writes', () => {
  /** The query of the address that was dialled last, with what its `json` holds. */
  const dialled = async (bench) => {
    const query = await bench.run((client, network) => Object.fromEntries(network.socket.url.searchParams));
    const { json, 'X-Stream-Client': name, ...rest } = query;
    assert.equal(name, `rollcall-${VERSION}`);
    return { ...rest, json: JSON.parse(json) };
  };

  test('to connect, to come back, and to stay', async (t) => {
    const bench = await newBench(t);
    await bench.run(async (client, network, first) => {
      const details = { id: 'ada', name: 'Ada', status: 'Having tea', invisible: false, pets: { cat: 'Mio' } };
      const connecting = client.connectUser(details, client.devToken('ada'));
      await network.until(() => network.socket);
      network.socket.say(first);
      await connecting;
    }, FIRST);
    isGolden('connect', await dialled(bench));

    await bench.pass(26_000);
    const [text, ...more] = await bench.run((client, network) => network.socket.sent);
    assert.deepEqual(more, []);
    isGolden('health.check', JSON.parse(text));

    await bench.run((client, network) => network.socket.lose());
    await bench.pass(LONGEST_DELAY);
    isGolden('reconnect', await dialled(bench));
  });

  /** Each call of the app, by the name of the request that comes of it. */
  const calls = {
    'users.upsert': (client) => client.upsertUser({ id: 'ada', status: 'Having tea', pets: { cat: 'Mio' } }),
    'users.hide': (client) => client.markInvisible(),
    'users.show': (client) => client.markVisible(),
    'users.update': (client) => client.partialUpdateUser({ id: 'ada', set: { 'pets.dog': 'Rex' }, unset: ['status'] }),
    'users.query': (client) =>
      client.queryUsers({ id: { $in: ['ada', 'bob'] } }, [{ last_active: -1 }, { id: 1 }], { presence: true, limit: 10 }),
    'channel.create': (client) => client.channel('messaging', { members: ['ada', 'bob'] }).create(),
    'channel.watch': (client) => client.channel('messaging', 'tea', { members: ['ada', 'bob'], name: 'Tea' }).watch({ presence: true }),
    'channel.send_message': (client) => client.channel('messaging', 'tea').sendMessage({ text: 'Hello', mood: 'merry' }),
    'channels.query': (client) =>
      client.queryChannels({ type: 'messaging', members: { $in: ['ada'] } }, { last_message_at: -1 }, { presence: true, message_limit: 5 }),
    'channel.stop_watching': (client) => client.channel('messaging', 'tea').stopWatching(),
  };

  test('in every request', async (t) => {
    const bench = await newBench(t);
    await bench.connect(FIRST);
    for (const [name, call] of Object.entries(calls)) {
      const [request, ...more] = await bench.run(`async (client, network) => {
        network.requests.length = 0;
        await (${call})(client);
        return network.requests;
      }`);
      assert.deepEqual(more, [], `${name} is one request`);
      const { connection, query, ...rest } = request;
      const { 'x-stream-client': client, ...headers } = rest.headers;
      assert.match(client, /^rollcall-/);
      isGolden(name, { ...rest, headers, query: { ...query, connection_id: connection } });
    }
  });
});
