//! Connecting, and connecting again.

use super::story::Story;
use wasm_bindgen_test::*;

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
async fn a_page_says_how_long_changes_may_wait_for_one_another() {
    let story = Story::new();
    let said = story
        .run(
            "const PresenceClient = client.constructor;
             const asked = [];
             for (const batchWindow of [undefined, 0, 100]) {
               const page = new PresenceClient('key', { baseURL: 'http://presence.test', batchWindow });
               page.connectUser({ id: 'john' }, client.devToken('john')).catch(() => {});
               await network.until(() => network.sockets.length > asked.length);
               asked.push(network.socket.url.searchParams.get('rollcall'));
               page.disconnectUser();
             }
             try { new PresenceClient('key', { batchWindow: -1 }); } catch ({ code }) { asked.push(code); }
             return asked",
        )
        .await;
    assert_eq!(said, r#"["batch,pages,doubt","batch:0,pages,doubt","batch:100,pages,doubt","invalid_argument"]"#);
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
        r#"[["invalid_argument","new PresenceClient: unknown option `baseUrl`; known are baseURL, batchWindow, timeout"],["token_provider",true,"no session"],null]"#
    );
}

#[wasm_bindgen_test]
async fn a_token_provider_may_disconnect() {
    let story = Story::new();
    let said = story
        .run(
            "const provider = () => (client.disconnectUser(), client.devToken('john'));
             const connect = () => client.connectUser({ id: 'john' }, provider).catch(({ code }) => [code, client.connection.state]);
             return [await connect(), await connect(), network.sockets.length]",
        )
        .await;
    assert_eq!(said, r#"[["disconnected","disconnected"],["disconnected","disconnected"],0]"#);
}

#[wasm_bindgen_test]
async fn whoever_waits_for_the_same_connection_has_an_answer_too() {
    let story = Story::new();
    let said = story
        .run(
            "const connect = (signal) =>
               client.connectUser({ id: 'john' }, client.devToken('john'), { signal }).then(() => 'connected', ({ code }) => code);
             const told = [];
             const cut = [connect(), connect()];
             client.disconnectUser();
             told.push(await Promise.all(cut));

             const [first, second] = [new AbortController(), new AbortController()];
             const given = [connect(first.signal), connect(second.signal), connect()];
             second.abort();
             told.push(await given[1]);
             first.abort();
             told.push(await given[0]);
             await network.until(() => network.socket && !network.socket.closed);
             network.socket.greet({ id: 'john' });
             told.push(await given[2]);

             await client.disconnectUser();
             const last = new AbortController();
             const left = [connect(last.signal), connect(last.signal)];
             last.abort();
             return [...told, await Promise.all(left), client.connection.state]",
        )
        .await;
    assert_eq!(
        said,
        r#"[["disconnected","disconnected"],"aborted","aborted","connected",["aborted","aborted"],"disconnected"]"#
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
async fn a_provider_that_gives_only_expired_tokens_is_not_asked_without_end() {
    let story = Story::new();
    let said = story
        .run(
            "const asked = [];
             const provider = async () => { asked.push(performance.now()); return client.devToken('john') + asked.length; };
             const connecting = client.connectUser({ id: 'john' }, provider);
             await network.until(() => network.socket);
             network.socket.greet({ id: 'john' });
             await connecting;
             network.answers['/users'] = { status: 401, code: 40, message: 'expired', StatusCode: 401 };
             const code = await client.queryUsers({}).catch(({ code }) => code);
             return [code, asked.length, asked[2] - asked[1] >= 400]",
        )
        .await;
    assert_eq!(said, "[40,3,true]");
}

#[wasm_bindgen_test]
async fn a_provider_that_never_answers_is_asked_anew_by_the_next_attempt() {
    for order in ["[0, 1]", "[1, 0]"] {
        let story = Story::new();
        let script = "
            const answers = [];
            const provider = () => new Promise((resolve) => answers.push(resolve));
            const token = (number) => client.devToken('john') + number;
            const connecting = client.connectUser({ id: 'john' }, provider);
            network.clock.wall += 10_000;
            client.connection;
            dispatchEvent(new Event('online'));
            const calls = answers.length;
            for (const late of order) {
              answers[late]?.(token(late));
              await 0;
            }
            await network.until(() => network.socket);
            const dialled = network.socket.url.searchParams.get('authorization');
            network.socket.greet({ id: 'john' });
            await connecting;
            await client.queryUsers({});
            return [calls, [dialled, network.requests[0].headers.authorization].map((used) => used === token(1)), answers.length]";
        let said = story.run(&["const order = ", order, ";", script].concat()).await;
        assert_eq!(said, "[2,[true,true],2]", "{order}");
    }
}

#[wasm_bindgen_test]
async fn a_provider_that_leaves_a_request_without_a_token_is_asked_anew_by_the_next_one() {
    let story = Story::new();
    let said = story
        .run(
            "let calls = 0;
             const provider = () => (++calls === 2 ? new Promise(() => {}) : client.devToken('john') + calls);
             const connecting = client.connectUser({ id: 'john' }, provider);
             await network.until(() => network.socket);
             network.socket.greet({ id: 'john' });
             await connecting;
             const first = client.devToken('john') + 1;
             network.answers['/users'] = (payload, { headers }) => headers.get('authorization') === first
               ? { status: 401, code: 40, message: 'expired', StatusCode: 401 } : { users: [] };
             const query = () => client.queryUsers({}).then(() => 'answered', ({ code }) => code);
             return [await Promise.all([query(), query()]), await query(), calls]",
        )
        .await;
    assert_eq!(said, r#"[["timeout","timeout"],"answered",3]"#);
}

#[wasm_bindgen_test]
async fn a_provider_that_fails_is_asked_again_for_what_was_refused() {
    let story = Story::new();
    let said = story
        .run(
            "let calls = 0;
             const provider = () => {
               calls += 1;
               if (calls === 2) throw new Error('offline');
               return client.devToken('john') + calls;
             };
             const connecting = client.connectUser({ id: 'john' }, provider);
             const refuse = () => network.socket.say({ type: 'connection.error', error: { code: 40, message: 'expired', StatusCode: 401 } });
             await network.until(() => network.sockets.length === 1);
             network.socket.greet({ id: 'john' });
             await connecting;
             network.socket.lose();
             await network.until(() => network.sockets.length === 2);
             refuse();
             await network.until(() => network.sockets.length === 3);
             return [calls, network.socket.url.searchParams.get('authorization') === client.devToken('john') + 3]",
        )
        .await;
    assert_eq!(said, "[3,true]");
}
