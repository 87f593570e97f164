//! A channel's members, watchers and messages, kept live.

use super::story::Story;
use wasm_bindgen_test::*;

#[wasm_bindgen_test]
async fn a_channel_keeps_everybody_in_it_current() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const jack = { id: 'jack', online: false };
             network.answers['/channels/messaging/m/query'] = { status: 201,
               channel: { type: 'messaging', id: 'm', cid: 'messaging:m', name: 'M' },
               members: [{ user_id: 'jack', user: jack }], watchers: [jack], watcher_count: 1,
               messages: [{ id: '1', text: 'hi', user: jack }] };
             const channel = client.channel('messaging', 'm');
             await channel.watch({ presence: true });
             network.socket.say({ type: 'user.presence.changed', user: { id: 'jack', online: true } });
             network.socket.say({ type: 'user.deleted', user: { id: 'jack', online: true, deleted_at: 'now' } });
             network.socket.say({ type: 'user.watching.start', cid: 'messaging:m', user: { id: 'jill' }, watcher_count: 2 });
             network.socket.say({ type: 'message.new', cid: 'messaging:m', message: { id: '2', user: { id: 'jill' } } });
             network.socket.say({ type: 'message.new', cid: 'messaging:m', message: { id: '2', user: { id: 'jill' } } });
             network.socket.say({ type: 'member.added', cid: 'messaging:m', member: { user_id: '__proto__', user: { id: '__proto__' } } });
             const { state } = channel;
             return [state.members.jack.user.online, state.watchers.jack.online, state.messages[0].user.deleted_at,
               state.watcher_count, Object.keys(state.watchers), state.messages.length, Object.keys(state.members),
               channel === client.channel('messaging', 'm'), channel.data.name]",
        )
        .await;
    assert_eq!(said, r#"[true,true,"now",2,["jack","jill"],2,["jack","__proto__"],true,"M"]"#);
}

/// As stores of state do with all that is put into them.
const FREEZE: &str = "
    const freeze = (value) => {
      if (!Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(freeze);
      return value;
    };";

#[wasm_bindgen_test]
async fn what_an_app_freezes_stays_as_it_was_and_the_channel_goes_on() {
    let story = Story::connected().await;
    let script = "
        const jack = { id: 'jack', online: false };
        network.answers['/channels/messaging/m/query'] = { status: 201, membership: { user: jack },
          channel: { type: 'messaging', id: 'm', cid: 'messaging:m' }, watchers: [jack], watcher_count: 1,
          members: [{ user_id: 'jack', user: jack, role: 'owner' }], messages: [{ id: '1', text: 'hi', user: jack }] };
        const channel = client.channel('messaging', 'm');
        const answer = freeze(await channel.watch({ presence: true }));
        const { state } = channel;
        const shown = ({ members, watchers, messages, membership }) => [members.jack, watchers.jack, messages[0], membership]
          .map((one) => (one.user ?? one).online);
        const flip = (online) => network.socket.say({ type: 'user.presence.changed', user: { id: 'jack', online } });
        flip(true);
        const first = [shown(channel.state), channel.state === state, answer.members[0].user.online];
        const kept = freeze(channel.state);
        client.on(freeze);
        flip(false);
        network.socket.say({ type: 'message.new', cid: 'messaging:m', message: { id: '2' } });
        network.socket.say({ type: 'member.added', cid: 'messaging:m', member: { user_id: 'jill', user: { id: 'jill' } } });
        network.socket.say({ type: 'user.presence.changed', user: { id: 'jill', online: true } });
        const { members, messages, watcher_count } = channel.state;
        await channel.stopWatching();
        return [first, shown(kept), shown({ ...channel.state, watchers: members }), members.jill.user.online,
          members.jack.role, messages.length, kept.messages.length, watcher_count, channel.state.watcher_count]";
    let said = story.run(&[FREEZE, script].concat()).await;
    assert_eq!(
        said,
        r#"[[[true,true,true,true],true,false],[true,true,true,true],[false,false,false,false],true,"owner",2,1,1,0]"#
    );
}

#[wasm_bindgen_test]
async fn who_watches_a_channel_that_one_left_is_not_known() {
    let story = Story::connected().await;
    let said = story
        .run(
            "network.answers['/channels/messaging/m/query'] = { status: 201, members: [], messages: [],
               channel: { type: 'messaging', id: 'm', cid: 'messaging:m' }, watchers: [{ id: 'john' }], watcher_count: 1 };
             const channel = client.channel('messaging', 'm');
             await channel.watch();
             const before = [Object.keys(channel.state.watchers), channel.state.watcher_count];
             await channel.stopWatching();
             return [before, Object.keys(channel.state.watchers), channel.state.watcher_count]",
        )
        .await;
    assert_eq!(said, r#"[[["john"],1],[],0]"#);
}

#[wasm_bindgen_test]
async fn of_a_channel_that_is_gone_nobody_is_called_live() {
    for gone in ["channel.deleted", "notification.removed_from_channel"] {
        let story = Story::connected().await;
        let script = [
            "const member = { user_id: 'jack', user: { id: 'jack', online: true } };
             network.answers['/channels/messaging/m/query'] = { status: 201, members: [member], messages: [],
               channel: { type: 'messaging', id: 'm', cid: 'messaging:m' }, watchers: [{ id: 'john' }], watcher_count: 1 };
             const channel = client.channel('messaging', 'm');
             const jack = () => client.user('jack').presence.freshness;
             await channel.watch({ presence: true });
             const before = jack();
             network.socket.say({ type: '",
            gone,
            "', cid: 'messaging:m', channel: { cid: 'messaging:m' } });
             return [before, jack(), Object.keys(channel.state.members), channel.state.watcher_count]",
        ];
        assert_eq!(story.run(&script.concat()).await, r#"["live","unknown",["jack"],0]"#, "{gone}");
    }
}

/// Of twelve members, who is called live.
async fn live_of_twelve(first_frame: &str, channel: &str) -> String {
    let story = Story::connected().await;
    let script = [
        "network.socket.say({ type: 'health.check', connection_id: 'c', me: { id: 'john' }, ...",
        first_frame,
        "});
         const members = Array.from({ length: 12 }, (_, n) => ({ user_id: `u${n}`, user: { id: `u${n}`, online: true } }));
         const answer = { channel: { type: 'messaging', id: 'm', cid: 'messaging:m' }, messages: [], members, ...",
        channel,
        "};
         network.answers['/channels/messaging/m/query'] = answer;
         network.answers['/channels'] = { channels: [answer] };
         const live = () => members.filter(({ user }) => client.user(user.id).presence.freshness === 'live').length;
         const stale = () => members.filter(({ user }) => client.user(user.id).presence.freshness === 'stale').length;
         await client.channel('messaging', 'm').watch({ presence: true });
         const first = [live(), stale(), client.user('u11').presence.online, client.user('u11').presence.asOf instanceof Date];
         const recovered = new Promise((resolve) => client.on('connection.recovered', resolve));
         network.socket.lose();
         await network.until(() => network.sockets.length === 2);
         const lost = [live(), stale()];
         network.socket.say({ type: 'health.check', connection_id: 'd', me: { id: 'john' }, ...",
        first_frame,
        "});
         await recovered;
         return [first, lost, [live(), stale()]]",
    ];
    story.run(&script.concat()).await
}

#[wasm_bindgen_test]
async fn members_beyond_a_servers_limit_are_not_called_live() {
    let ours = "{ rollcall: ['batch'] }";
    assert_eq!(live_of_twelve(ours, "{ presence_omitted: 4 }").await, "[[8,4,true,true],[0,12],[8,4]]");
    assert_eq!(live_of_twelve(ours, "{}").await, "[[12,0,true,false],[0,12],[12,0]]", "no limit was reached");
    let hosted = live_of_twelve("{}", "{}").await;
    assert_eq!(hosted, "[[10,2,true,true],[0,12],[10,2]]", "a server that does not say tells of ten");
}

#[wasm_bindgen_test]
async fn of_two_calls_for_one_watch_the_later_one_wins() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const channel = client.channel('messaging', 'm');
             let answer;
             network.answers['/channels/messaging/m/query'] = () => new Promise((resolve) => { answer = () => resolve({ status: 201,
               channel: { type: 'messaging', id: 'm', cid: 'messaging:m' }, messages: [],
               members: [{ user_id: 'jill', user: { id: 'jill', online: true } }] }); });
             const paths = () => network.requests.map(({ path }) => path.split('/').at(-1));
             const freshness = () => client.user('jill').presence.freshness;
             const first = [channel.watch({ presence: true }), channel.stopWatching()];
             await network.until(() => paths().length === 1);
             const early = paths();
             answer();
             await Promise.all(first);
             const stopped = [paths(), freshness()];
             const second = [channel.stopWatching(), channel.watch({ presence: true })];
             await network.until(() => paths().length === 4);
             answer();
             await Promise.all(second);
             return [early, stopped, paths().slice(2), freshness()]",
        )
        .await;
    assert_eq!(said, r#"[["query"],[["query","stop-watching"],"unknown"],["stop-watching","query"],"live"]"#);
}

/// By its members, who may leave, no channel is known for certain: there may be two objects of one.
#[wasm_bindgen_test]
async fn a_conversation_is_kept_current_however_often_an_app_has_it() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const found = { channel: { type: 'messaging', id: '!members-x', cid: 'messaging:!members-x' }, messages: [],
               members: ['john', 'jack'].map((id) => ({ user_id: id, user: { id } })) };
             network.answers['/channels'] = () => ({ channels: [found] });
             network.answers['/channels/messaging/query'] = () => ({ status: 201, ...found });
             const [queried] = await client.queryChannels({ members: { $in: ['john'] } });
             const among = client.channel('messaging', { members: ['jack', 'john'] });
             await among.watch({ presence: true });
             const both = [queried, among], heard = [0, 0];
             both.forEach((channel, index) => channel.on('message.new', () => heard[index]++));
             network.socket.say({ type: 'message.new', cid: queried.cid, message: { id: '1', user: { id: 'jack' } } });
             const held = both.map(({ state }) => state.messages.length);
             const recovered = new Promise((resolve) => client.on('connection.recovered', resolve));
             found.members.pop();
             network.socket.lose();
             await network.until(() => network.sockets.length === 2);
             network.socket.greet({ id: 'john' });
             await recovered;
             return [heard, held, both.map(({ state }) => Object.keys(state.members)),
               client.channel('messaging', '!members-x') === queried, client.channel('messaging', { members: ['john', 'jack'] }) === among]",
        )
        .await;
    assert_eq!(said, r#"[[1,1],[1,1],[["john"],["john"]],true,true]"#);
}
