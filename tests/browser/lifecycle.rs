//! When the page, the machine or the network comes and goes.

use super::story::Story;
use wasm_bindgen_test::*;

#[wasm_bindgen_test]
async fn the_connection_says_what_it_does_since_when_and_what_comes_next() {
    let story = Story::new();
    let said = story
        .run(
            "const seen = [], told = [];
             client.on('connection.state', ({ connection }) => told.push(`${connection.state} ${connection.inDoubt}`));
             const look = () => {
               const { state, since, inDoubt, lastHeard, nextTryIn } = client.connection;
               const age = (date) => date && (Math.abs(Date.now() - date) < 60_000 ? 'now' : String(date));
               seen.push([state, age(since), inDoubt, age(lastHeard), nextTryIn && nextTryIn <= 1000]);
             };
             look();
             const connecting = client.connectUser({ id: 'john' }, client.devToken('john'));
             look();
             await network.until(() => network.socket);
             network.socket.greet({ id: 'john' });
             await connecting;
             look();
             dispatchEvent(new Event('offline'));
             look();
             network.socket.greet();
             look();
             network.socket.lose();
             look();
             await network.until(() => network.sockets.length === 2);
             look();
             await client.disconnectUser();
             look();
             return [seen, told]",
        )
        .await;
    assert_eq!(
        said,
        [
            r#"[[["disconnected","now",false,null,null]"#,
            r#"["connecting","now",false,null,null]"#,
            r#"["connected","now",false,"now",null]"#,
            r#"["connected","now",true,"now",null]"#,
            r#"["connected","now",false,"now",null]"#,
            r#"["waiting","now",false,"now",true]"#,
            r#"["connecting","now",false,"now",null]"#,
            r#"["disconnected","now",false,null,null]]"#,
            r#"["connecting false","connected false","connected true","connected false""#,
            r#""waiting false","connecting false","disconnected false"]]"#,
        ]
        .join(",")
    );
}

#[wasm_bindgen_test]
async fn a_page_that_comes_back_asks_at_once_whether_the_connection_lives() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const checks = () => network.socket.sent.length;
             const counts = [checks()];
             for (const kind of ['online', 'pageshow', 'resume', 'offline']) {
               dispatchEvent(Object.assign(new Event(kind), { persisted: true }));
               counts.push(checks());
               network.socket.greet();
             }
             dispatchEvent(new Event('pageshow'));
             document.dispatchEvent(new Event('visibilitychange'));
             counts.push(checks());
             await client.disconnectUser();
             dispatchEvent(new Event('online'));
             return [counts, checks(), network.socket.sent[0]]",
        )
        .await;
    assert_eq!(said, r#"[[0,1,2,3,4,5],5,"[{\"type\":\"health.check\",\"client_id\":\"connection-1\"}]"]"#);
}

#[wasm_bindgen_test]
async fn a_page_that_is_left_says_so_and_connects_again_the_moment_it_is_back() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const heard = [];
             for (const type of ['health.check', 'connection.changed', 'connection.recovered']) client.on(type, () => heard.push(type));
             const left = network.socket;
             dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
             const { state } = client.connection;
             dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
             await network.until(() => network.sockets.length === 2);
             network.socket.greet({ id: 'john' });
             return [left.closed, state, client.connection.state, heard]",
        )
        .await;
    assert_eq!(said, r#"[4001,"waiting","connected",["health.check","connection.changed","connection.recovered"]]"#);
}

#[wasm_bindgen_test]
async fn a_machine_that_slept_is_noticed_by_whoever_looks_and_by_the_next_timer() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const checks = () => network.socket.sent.length;
             const results = [client.connection.inDoubt, checks()];
             network.clock.wall += 3_600_000;
             results.push(client.connection.inDoubt);
             await Promise.resolve();
             results.push(checks());
             network.socket.greet();
             results.push(client.connection.inDoubt);
             network.clock.wall += 3_600_000;
             network.clock.fire();
             return [...results, checks()]",
        )
        .await;
    assert_eq!(said, "[false,0,true,1,false,2]");
}

#[wasm_bindgen_test]
async fn an_idle_client_looks_at_the_time_every_five_seconds_and_does_nothing_but_health_checks() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const { clock, socket } = network;
             const timers = clock.set;
             let looks = 0;
             for (; clock.steady < 76_000; looks++) {
               clock.steady += clock.next;
               clock.wall += clock.next;
               const sent = socket.sent.length;
               clock.fire();
               if (socket.sent.length > sent) socket.greet();
             }
             const said = socket.sent.map((text) => JSON.parse(text)[0].type);
             // A health check may be due between two looks, and its answer may make another one due.
             const most = 15 + 2 * said.length;
             return [looks <= most, clock.set - timers <= most, said, network.requests.length]",
        )
        .await;
    assert_eq!(said, r#"[true,true,["health.check","health.check","health.check"],0]"#);
}

#[wasm_bindgen_test]
async fn a_clock_that_is_set_back_stops_nothing() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const hour = 3_600_000;
             network.clock.wall -= hour;
             network.clock.steady += 25_000;
             network.clock.fire();
             const { state, inDoubt, since } = client.connection;
             return [network.socket.sent.length, state, inDoubt, Math.round((Date.now() - since) / 1000), network.clock.next <= 5000]",
        )
        .await;
    assert_eq!(said, r#"[1,"connected",true,25,true]"#);
}

#[wasm_bindgen_test]
async fn what_is_shown_after_a_sleep_is_stale_to_whoever_looks_first() {
    let story = Story::connected().await;
    let said = story
        .run(
            "network.answers['/users'] = () => ({ users: [{ id: 'jack', online: true }] });
             const watch = await client.watchPresence(['jack']);
             const changes = watch[Symbol.asyncIterator]();
             const results = [];
             for (const look of [() => watch.get('jack'), () => client.user('jack').presence, async () => (await changes.next()).value]) {
               network.socket.say({ type: 'user.updated', user: { id: 'jack', online: true } });
               network.socket.greet();
               results.push((await look()).freshness);
               network.socket.say({ type: 'user.updated', user: { id: 'jack', online: true } });
               network.clock.wall += 3_600_000;
               results.push((await look()).freshness);
             }
             return results",
        )
        .await;
    assert_eq!(said, r#"["live","stale","live","stale","live","stale"]"#);
}

/// A server whose clock is a day behind says that it is alive: `check(age)`, as of so long ago.
const CHECK: &str = "
    const check = (age) => network.socket.say({ type: 'health.check', connection_id: 'connection-1',
      created_at: new Date(Date.now() - 86_400_000 - age).toISOString() });
    check(0);
    const doubts = () => client.connection.inDoubt;
    const results = [doubts()];
    network.clock.wall += 600_000;
";

#[wasm_bindgen_test]
async fn a_health_check_that_waited_while_the_page_was_frozen_is_no_answer() {
    let story = Story::connected().await;
    let resumed = "
        dispatchEvent(new Event('resume'));
        results.push(doubts());
        for (const age of [575_000, 300_000, 10_000]) check(age);
        results.push(doubts());
        check(0);
        return [...results, doubts()]";
    assert_eq!(story.run(&[CHECK, resumed].concat()).await, "[false,true,true,false]");

    let story = Story::connected().await;
    let unannounced = "
        check(575_000);
        results.push(doubts(), network.socket.sent.length);
        check(0);
        return [...results, doubts()]";
    assert_eq!(story.run(&[CHECK, unannounced].concat()).await, "[false,true,1,false]");
}

#[wasm_bindgen_test]
async fn a_hidden_page_whose_timers_are_slow_is_not_told_of_doubts_that_end_with_the_same_frame() {
    let story = Story::connected().await;
    let heard = "
        network.answers['/users'] = () => ({ users: [{ id: 'jack', online: true }] });
        const watch = await client.watchPresence(['jack']);
        check(0);
        watch.on('change', ({ freshness }) => results.push(freshness));
        network.clock.wall += 25_000;
        check(50);
        return [...results, watch.get('jack').freshness]";
    assert_eq!(story.run(&[CHECK, heard].concat()).await, r#"[false,"live"]"#);
}
