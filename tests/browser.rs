//! The client in a real browser engine, on a network that the test holds in its hands.
//! `wasm-pack test --headless --chrome` (or `--firefox`) runs it.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::expect_used, reason = "a test that panics has failed")]

#[path = "browser/lifecycle.rs"]
mod lifecycle;
#[path = "browser/story.rs"]
mod story;
#[path = "browser/users.rs"]
mod users;
#[path = "browser/watches.rs"]
mod watches;

use js_sys::{Array, JSON, Object};
use story::Story;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn connecting_introduces_the_user_and_resolves_with_the_first_frame() {
    let story = Story::new();
    let said = story
        .run(
            "const connecting = client.connectUser({ id: 'john', status: 'here' }, client.devToken('john'));
             await network.until(() => network.socket);
             const { searchParams, protocol, pathname } = network.socket.url;
             network.socket.greet({ id: 'john', online: true, invisible: false });
             const first = await connecting;
             return [protocol, pathname, JSON.parse(searchParams.get('json')).user_details, searchParams.get('api_key'),
               first.type, client.userID, client.user]",
        )
        .await;
    assert_eq!(
        said,
        r#"["ws:","/connect",{"id":"john","status":"here"},"key","health.check","john",{"id":"john","online":true,"invisible":false}]"#
    );
}

#[wasm_bindgen_test]
async fn a_frame_may_hold_one_event_or_many() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const heard = [];
             client.on('user.presence.changed', ({ user }) => heard.push(user.id + ' ' + user.online));
             const event = (id, online) => ({ type: 'user.presence.changed', user: { id, online } });
             network.socket.say(event('jack', true));
             network.socket.say([event('jack', false), event('jill', true)]);
             return heard",
        )
        .await;
    assert_eq!(said, r#"["jack true","jack false","jill true"]"#);
}

#[wasm_bindgen_test]
async fn what_is_no_event_is_passed_over() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const heard = [];
             client.on((event) => heard.push(event.type));
             for (const odd of [null, 1, 'x', {}, [], [null, {}], { type: 7 }, { type: 'user.presence.changed' },
               { type: 'user.presence.changed', user: 3 }, { type: 'brand.new', anything: [1] }]) network.socket.say(odd);
             network.socket.onmessage({ data: 'not json' });
             network.socket.onmessage({ data: new ArrayBuffer(4) });
             return heard",
        )
        .await;
    assert_eq!(said, r#"["user.presence.changed","user.presence.changed","brand.new"]"#);
}

#[wasm_bindgen_test]
async fn listeners_cannot_hurt_the_client_or_each_other() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const heard = [], reported = [];
             const catcher = (event) => { event.preventDefault(); reported.push(event.error.message); };
             addEventListener('error', catcher);
             const kind = 'user.presence.changed';
             const self = client.on(kind, () => { heard.push('once'); self.unsubscribe(); other.unsubscribe(); });
             const other = client.on(kind, () => heard.push('never'));
             client.on(kind, () => { throw new Error('mine'); });
             client.on(kind, () => { client.on(kind, () => heard.push('added')); client.queryUsers({}).catch(() => {}); });
             client.on(kind, () => heard.push('last'));
             const event = { type: kind, user: { id: 'jack', online: true } };
             network.socket.say(event);
             heard.push('|');
             network.socket.say(event);
             removeEventListener('error', catcher);
             return [heard, reported]",
        )
        .await;
    assert_eq!(said, r#"[["once","last","|","last","added"],["mine","mine"]]"#);
}

#[wasm_bindgen_test]
async fn a_listener_may_disconnect_in_the_middle_of_an_event() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const heard = [];
             let leaving;
             client.on('user.presence.changed', () => { heard.push('bye'); leaving = client.disconnectUser(); });
             const event = { type: 'user.presence.changed', user: { id: 'jack', online: true } };
             const socket = network.socket;
             socket.say([event, event]);
             await leaving;
             return [heard, socket.closed, client.userID ?? null, await client.queryUsers({}).catch((error) => error.code)]",
        )
        .await;
    assert_eq!(said, r#"[["bye"],1000,null,"not_connected"]"#);
}

#[wasm_bindgen_test]
async fn after_a_reconnect_watches_are_renewed_and_changes_are_told() {
    let story = Story::connected().await;
    let said = story
        .run(
            "let online = false;
             network.answers['/users'] = () => ({ users: [{ id: 'jack', online }] });
             network.answers['/channels/messaging/m/query'] = { status: 201,
               channel: { type: 'messaging', id: 'm', cid: 'messaging:m' }, messages: [],
               members: [{ user_id: 'jill', user: { id: 'jill', online: true } }] };
             network.answers['/channels'] = () => ({ channels: [{
               channel: { type: 'messaging', id: 'm', cid: 'messaging:m' }, messages: [],
               members: [{ user_id: 'jill', user: { id: 'jill', online: false } }] }] });
             await client.queryUsers({ id: 'jack' }, {}, { presence: true });
             const channel = client.channel('messaging', 'm');
             await channel.watch({ presence: true });
             const heard = [];
             client.on('user.presence.changed', ({ user, resync }) => heard.push([user.id, user.online, resync]));
             const recovered = new Promise((resolve) => client.on('connection.recovered', resolve));
             online = true;
             network.requests.length = 0;
             network.socket.lose();
             await network.until(() => network.sockets.length === 2);
             const again = JSON.parse(network.socket.url.searchParams.get('json')).user_details;
             network.socket.greet({ id: 'john' });
             await recovered;
             return [again, heard.sort(), channel.state.members.jill.user.online,
               network.requests.map(({ path, connection, payload }) => [path, connection, payload.presence]).sort()]",
        )
        .await;
    assert_eq!(
        said,
        r#"[{"id":"john"},[["jack",true,true],["jill",false,true]],false,[["/channels","connection-2",true],["/users","connection-2",true]]]"#
    );
}

#[wasm_bindgen_test]
async fn an_event_that_overtakes_an_answer_wins_in_the_answer_too() {
    let story = Story::connected().await;
    let said = story
        .run(
            "network.answers['/users'] = async () => {
               network.socket.say({ type: 'user.presence.changed', user: { id: 'jack', online: true } });
               return { users: [{ id: 'jack', online: false }] };
             };
             return (await client.queryUsers({ id: 'jack' }, {}, { presence: true })).users",
        )
        .await;
    assert_eq!(said, r#"[{"id":"jack","online":true}]"#);
}

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

#[wasm_bindgen_test]
async fn misuse_is_an_error_with_a_code() {
    let story = Story::new();
    let code = |script: &'static str| format!("return await (async () => {{ {script} }})()");
    assert_eq!(story.run(&code("await client.queryUsers({})")).await, "threw not_connected");
    assert_eq!(story.run(&code("await client.connectUser({}, 'x')")).await, "threw invalid_argument");
    assert_eq!(
        story.run(&code("await client.connectUser({ id: 'john' }, client.devToken('jack'))")).await,
        "threw token_mismatch"
    );
    let story = Story::connected().await;
    assert_eq!(
        story.run(&code("await client.connectUser({ id: 'jack' }, client.devToken('jack'))")).await,
        "threw already_connected"
    );
    assert_eq!(
        story.run(&code("await client.queryUsers({}, {}, { presence: 'yes' })")).await,
        "threw invalid_argument"
    );
    assert_eq!(story.run(&code("await client.queryUsers({}, { id: 2 })")).await, "threw invalid_argument");
    assert_eq!(story.run(&code("client.on('user.updated')")).await, "threw invalid_argument");
    assert_eq!(
        story
            .run(&code(
                "const channel = client.channel('messaging', 'm'); await client.disconnectUser(); await channel.watch()"
            ))
            .await,
        "threw disconnected"
    );
}

#[wasm_bindgen_test]
async fn what_an_app_did_wrong_before_it_connects_is_told_too() {
    let story = Story::new();
    let said = story
        .run(
            "const PresenceClient = client.constructor;
             const code = (call) => { try { call(); return 'none'; } catch (error) { return [error.code, error.message]; } };
             const provider = async () => { throw new Error('no session'); };
             return [code(() => new PresenceClient('key', { baseUrl: 'http://x' })),
               await client.connectUser({ id: 'john' }, provider).catch(({ code, retryable, cause }) => [code, retryable, cause.message]),
               client.userID ?? null]",
        )
        .await;
    assert_eq!(
        said,
        r#"[["invalid_argument","new PresenceClient: unknown option `baseUrl`; known are baseURL, timeout"],["token_provider",true,"no session"],null]"#
    );
}

#[wasm_bindgen_test]
async fn a_socket_that_fails_without_closing_is_tried_again() {
    let story = Story::new();
    let said = story
        .run(
            "const connecting = client.connectUser({ id: 'john' }, client.devToken('john'));
             await network.until(() => network.socket);
             network.socket.readyState = WebSocket.CLOSED;
             network.socket.onerror({});
             await network.until(() => network.sockets.length === 2);
             network.socket.greet({ id: 'john' });
             return (await connecting).connection_id",
        )
        .await;
    assert_eq!(said, r#""connection-2""#);
}

#[wasm_bindgen_test]
async fn too_many_requests_say_when_to_come_back() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const limited = (headers) => ({ status: 429, answerHeaders: headers, code: 9, message: 'too many', StatusCode: 429 });
             const query = () => client.queryUsers({}).catch(({ code, retryable, retryAfter }) => [code, retryable, Math.round(retryAfter / 10)]);
             network.answers['/users'] = limited({ 'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 30) });
             const results = [await query()];
             network.answers['/users'] = limited({ 'retry-after': '50' });
             return [...results, await query()]",
        )
        .await;
    assert_eq!(said, "[[9,true,3],[9,true,5]]");
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
async fn every_request_settles() {
    let story = Story::connected().await;
    let said = story
        .run(
            "network.answers['/users'] = () => new Promise(() => {});
             const aborting = new AbortController();
             const query = (options) => client.queryUsers({}, {}, options).catch((error) => [error.code, error.retryable]);
             const aborted = query({ signal: aborting.signal });
             aborting.abort();
             const late = query();
             const results = [await aborted, await late];
             const left = query();
             client.disconnectUser();
             return [...results, await left]",
        )
        .await;
    assert_eq!(said, r#"[["aborted",false],["timeout",true],["disconnected",false]]"#);
}

#[wasm_bindgen_test]
async fn an_expired_token_is_replaced_once_for_all_who_need_it() {
    let story = Story::new();
    let said = story
        .run(
            "let calls = 0;
             const provider = async () => { calls += 1; return client.devToken('john') + calls; };
             const connecting = client.connectUser({ id: 'john' }, provider);
             await network.until(() => network.socket);
             network.socket.greet({ id: 'john' });
             await connecting;
             const first = client.devToken('john') + 1;
             network.answers['/users'] = (payload, request) => request.headers.get('authorization') === first
               ? { status: 401, code: 40, message: 'expired', StatusCode: 401 } : { users: [] };
             await Promise.all([1, 2, 3].map(() => client.queryUsers({})));
             return calls",
        )
        .await;
    assert_eq!(said, "2");
}

#[wasm_bindgen_test]
fn what_is_exported_is_what_is_declared() {
    let story = Story::new();
    let prototype = Object::get_prototype_of(story.client.unchecked_ref());
    let names: Array = Object::get_own_property_names(&prototype);
    let listed: String = JSON::stringify(&names.sort()).map(Into::into).unwrap_or_default();
    for name in ["connectUser", "disconnectUser", "queryUsers", "queryChannels", "channel", "on", "off"] {
        assert!(listed.contains(name), "{name} is not among {listed}");
    }
}
