//! Requests: their answers, and what keeps one from coming.

use super::story::Story;
use wasm_bindgen_test::*;

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

/// A server that has forgotten the first connection, and answers on any other.
const FORGOTTEN: &str = r#"
    const users = [{ id: 'jack', online: true }];
    const forgotten = { status: 400, code: 4, StatusCode: 400, message: 'QueryUsers failed with error: "Watch or Presence ' +
      'requires an active websocket connection, please make sure to include your websocket connection_id"' };
    network.answers['/users'] = (_, { url }) => url.includes('connection_id=connection-1') ? forgotten : { users };
    const { clock, socket } = network;
    const isDoubted = () => network.until(() => socket.sent.length);
    const reconnect = async () => {
      await isDoubted();
      clock.wall += 10_000;
      client.connection;
      await network.until(() => socket.closed);
      dispatchEvent(new Event('online'));
      await network.until(() => network.sockets.length === 2);
      network.socket.greet({ id: 'john' });
    };
    const asked = () => network.requests.map(({ connection }) => connection);
    const query = () => client.queryUsers({}, {}, { presence: true }).then(({ users }) => users.length, ({ code }) => code);
"#;

#[wasm_bindgen_test]
async fn what_was_asked_on_a_connection_that_the_server_has_forgotten_is_asked_on_the_next_one() {
    let story = Story::connected().await;
    let said = story
        .run(&[FORGOTTEN, "const found = query(); await reconnect(); return [await found, asked()]"].concat())
        .await;
    assert_eq!(said, r#"[1,["connection-1","connection-2"]]"#);

    let story = Story::connected().await;
    let watching = "
        const watch = client.watchPresence(['jack']);
        await reconnect();
        const { freshness } = (await watch).get('jack');
        return [freshness, asked()]";
    assert_eq!(story.run(&[FORGOTTEN, watching].concat()).await, r#"["live",["connection-1","connection-2"]]"#);
}

#[wasm_bindgen_test]
async fn a_server_that_denies_a_connection_which_lives_is_asked_once_more_and_then_believed() {
    let story = Story::connected().await;
    let denied = "
        const found = query();
        await isDoubted();
        const sent = asked();
        socket.greet();
        const code = await found;
        network.answers['/users'] = () => asked().length < 4 ? forgotten : { users };
        const again = query();
        await network.until(() => socket.sent.length === 2);
        socket.greet();
        return [sent, code, await again, asked().length, client.connection.state]";
    assert_eq!(story.run(&[FORGOTTEN, denied].concat()).await, r#"[["connection-1"],4,1,4,"connected"]"#);
}

/// Every call there is, begun and never answered, and then ended in every way there is.
const ENDINGS: &str = "
    network.answers = new Proxy({}, { get: () => () => new Promise(() => {}) });
    const channel = client.channel('messaging', 'm');
    const calls = (options) => [
      client.queryUsers({}, {}, options), client.queryUsers({}, {}, { presence: true, ...options }),
      client.queryChannels({}, {}, options), client.upsertUser({ id: 'john' }, options),
      client.upsertUsers([{ id: 'john' }], options), client.partialUpdateUser({ id: 'john' }, options),
      client.partialUpdateUsers([{ id: 'john' }], options), client.markInvisible(options), client.markVisible(options),
      channel.create(options), channel.watch(options), channel.query(options), channel.stopWatching(options),
      channel.sendMessage({ text: 'hi' }, options),
    ];
    const codes = async (begun) => {
      const codes = await Promise.all(begun.map((call) => call.then(() => 'none', ({ code, retryable }) => `${code} ${retryable}`)));
      return [...new Set(codes)].join();
    };
    const aborting = new AbortController();
    const { signal } = aborting;
    const aborted = calls({ signal }), late = calls();
    const results = [];
    aborting.abort();
    results.push(await codes(aborted), await codes(calls({ signal })), await codes(late));
    const left = calls();
    client.disconnectUser();
    return [...results, await codes(left)]";

#[wasm_bindgen_test]
async fn every_request_settles() {
    let story = Story::connected().await;
    let said = story.run(ENDINGS).await;
    assert_eq!(said, r#"["aborted false","aborted false","timeout true","disconnected false"]"#);
}

#[wasm_bindgen_test]
async fn every_request_settles_that_waits_for_a_connection_too() {
    let story = Story::connected().await;
    story.run("network.answers = {}; network.socket.lose()").await;
    let said = story.run(ENDINGS).await;
    assert_eq!(said, r#"["aborted false","aborted false","timeout true","disconnected false"]"#);
}

#[wasm_bindgen_test]
async fn connecting_may_be_given_up_by_a_signal_and_begun_anew() {
    let story = Story::new();
    let said = story
        .run(
            "const aborting = new AbortController();
             const connect = (signal) => client.connectUser({ id: 'john' }, client.devToken('john'), { signal });
             const codes = [];
             const given = connect(aborting.signal).catch(({ code }) => codes.push(code));
             await network.until(() => network.socket);
             const first = network.socket;
             aborting.abort();
             await given;
             await connect(aborting.signal).catch(({ code }) => codes.push(code));
             const later = new AbortController();
             const connecting = connect(later.signal);
             await network.until(() => network.sockets.length === 2);
             network.socket.greet({ id: 'john' });
             await connecting;
             later.abort();
             return [codes, first.closed, client.connection.state]",
        )
        .await;
    assert_eq!(said, r#"[["aborted","aborted"],1000,"connected"]"#);
}

#[wasm_bindgen_test]
async fn an_answer_that_comes_after_its_user_has_gone_is_not_the_next_ones() {
    let story = Story::connected().await;
    let said = story
        .run(
            "network.answers['/users'] = () => ({ users: [{ id: 'jack', online: true }] });
             let jill;
             client.on('connection.state', ({ connection }) => {
               if (!connection.inDoubt) return;
               client.disconnectUser();
               jill = client.connectUser({ id: 'jill' }, client.devToken('jill'));
             });
             const asked = [client.queryUsers({}, {}, { presence: true }), client.markInvisible()];
             // The machine has slept: the answers are the first that the page hears.
             network.clock.wall += 3_600_000;
             const told = [];
             for (const answer of asked) told.push(await answer.catch(({ code }) => code));
             await network.until(() => network.sockets.length === 2);
             network.requests.length = 0;
             network.socket.greet({ id: 'jill', online: true });
             await jill;
             return [told, network.requests.length, client.user('jack').presence.freshness, client.user.invisible ?? null]",
        )
        .await;
    assert_eq!(said, r#"[["disconnected","disconnected"],0,"unknown",null]"#);
}
