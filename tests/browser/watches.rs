//! `client.watchPresence`: any number of users, for as long as somebody wants to know.

use super::story::Story;
use wasm_bindgen_test::*;

/// Answers `/users` with whoever of `people` is asked for.
const PEOPLE: &str = "
    const people = { jack: { id: 'jack', online: true, status: 'Eating', last_active: '2026-01-31T12:00:00.123456Z' }, jill: { id: 'jill', online: false } };
    network.answers['/users'] = ({ filter_conditions, presence }) => ({
      users: presence ? filter_conditions.id.$in.flatMap((id) => people[id] ?? []) : [] });
    const shown = (id) => { const { online, freshness } = watch.get(id); return `${id} ${online} ${freshness}`; };
    const flip = (id) => network.socket.say({ type: 'user.presence.changed', user: { ...people[id], online: !people[id].online } });
    const asked = () => network.requests.splice(0).map(({ payload }) => payload.filter_conditions.id.$in);
";

async fn watching(script: &str) -> String {
    let story = Story::connected().await;
    story.run(&[PEOPLE, "const watch = await client.watchPresence(['jack', 'jill']); asked();", script].concat()).await
}

#[wasm_bindgen_test]
async fn a_watch_shows_everybody_in_it() {
    let said = watching(
        "const { user, ...jack } = watch.get('jack');
         return [jack, user === undefined, shown('jill'), watch.ids, watch.size]",
    )
    .await;
    assert_eq!(
        said,
        r#"[{"id":"jack","online":true,"lastActive":"2026-01-31T12:00:00.123Z","status":"Eating","freshness":"live","asOf":null},false,"jill false live",["jack","jill"],2]"#
    );
}

#[wasm_bindgen_test]
async fn a_watch_tells_of_each_change_until_it_is_stopped() {
    let said = watching(
        "const heard = [];
         const { unsubscribe } = watch.on('change', ({ id, online, freshness, resync }) => heard.push([id, online, freshness, resync]));
         const other = () => heard.push('other');
         watch.on('change', other);
         flip('jill');
         unsubscribe();
         watch.off('change', other);
         flip('jack');
         watch.on('change', ({ id }) => { heard.push(id); watch.stop(); });
         flip('jack');
         flip('jill');
         return [heard, watch.size, shown('jack')]",
    )
    .await;
    assert_eq!(said, r#"[[["jill",true,"live",false],"other","jack"],0,"jack false unknown"]"#);
}

#[wasm_bindgen_test]
async fn a_watch_is_grown_and_shrunk() {
    let said = watching(
        "people.joan = { id: 'joan', online: true };
         await watch.add(['joan', 'jack']);
         const grown = [asked(), watch.ids, shown('joan')];
         watch.remove(['jill', 'jack', 'nobody']);
         const heard = [];
         watch.on('change', ({ id }) => heard.push(id));
         flip('jack');
         flip('joan');
         return [grown, watch.ids, heard, shown('jack'), await watch.add([])]",
    )
    .await;
    assert_eq!(
        said,
        r#"[[[["joan"]],["jack","jill","joan"],"joan true live"],["joan"],["joan"],"jack false unknown",null]"#
    );
}

#[wasm_bindgen_test]
async fn a_loss_is_told_as_stale_and_a_renewal_as_live_with_what_was_missed() {
    let said = watching(
        "const heard = [];
         watch.on('change', ({ id, online, freshness, asOf, resync }) => heard.push([id, online, freshness, asOf instanceof Date, resync]));
         watch.remove(['jill']);
         network.socket.lose();
         people.jack.online = false;
         await network.until(() => network.sockets.length === 2);
         const recovered = new Promise((resolve) => client.on('connection.recovered', resolve));
         network.socket.greet({ id: 'john' });
         await recovered;
         return heard",
    )
    .await;
    assert_eq!(said, r#"[["jack",true,"stale",true,false],["jack",false,"live",false,true]]"#);
}

#[wasm_bindgen_test]
async fn a_server_that_takes_large_pages_is_asked_for_a_thousand_users_by_id() {
    let story = Story::new();
    let said = story
        .run(
            "const connecting = client.connectUser({ id: 'john' }, client.devToken('john'));
             await network.until(() => network.socket);
             network.socket.say({ type: 'health.check', connection_id: 'c', me: { id: 'john' }, rollcall: ['batch', 'pages'] });
             await connecting;
             const ids = Array.from({ length: 1_050 }, (_, number) => `user-${number}`);
             const shown = (ids) => ({ users: ids.map((id) => ({ id, online: true })) });
             network.answers['/rollcall/users'] = ({ ids }) => shown(ids);
             network.answers['/users'] = ({ filter_conditions: { id } }) => shown(id.$in);
             const watch = await client.watchPresence(ids);
             const asked = network.requests.map(({ method, path, connection, payload }) => [method, path, connection, payload.ids?.length]);
             return [asked.sort(), ids.filter((id) => watch.get(id).freshness === 'live').length]",
        )
        .await;
    assert_eq!(said, r#"[[["GET","/users","c",null],["POST","/rollcall/users","c",1000]],1050]"#);
}

#[wasm_bindgen_test]
async fn changes_can_be_read_one_after_the_other() {
    let said = watching(
        "const read = [];
         const reading = (async () => {
           for await (const { id, online } of watch) {
             read.push([id, online]);
             if (id === 'jill') break;
           }
           return 'left';
         })();
         flip('jack');
         await 0;
         flip('jill');
         flip('jack');
         return [await reading, read]",
    )
    .await;
    assert_eq!(said, r#"["left",[["jack",false],["jill",true]]]"#);
}

#[wasm_bindgen_test]
async fn a_slow_reader_misses_what_was_between_and_never_the_newest() {
    let said = watching(
        "const changes = watch[Symbol.asyncIterator]();
         for (let times = 0; times < 999; times += 1) {
           people.jack.online = !people.jack.online;
           people.jack.status = String(times);
           network.socket.say({ type: 'user.updated', user: people.jack });
         }
         flip('jill');
         const read = [await changes.next(), await changes.next()].map(({ value, done }) => [value.id, value.online, value.status, done]);
         const next = changes.next();
         const after = changes.next();
         watch.stop();
         return [read, await next, await after, await changes.next()]",
    )
    .await;
    assert_eq!(
        said,
        r#"[[["jack",false,"998",false],["jill",true,null,false]],{"done":true},{"done":true},{"done":true}]"#
    );
}

#[wasm_bindgen_test]
async fn nothing_is_told_of_somebody_who_was_taken_out_meanwhile() {
    let said = watching(
        "const heard = [];
         const changes = watch[Symbol.asyncIterator]();
         watch.on('change', ({ id, freshness }) => {
           heard.push(`${id} ${freshness}`);
           if (freshness === 'stale') watch.remove(watch.ids.filter((other) => other !== id));
         });
         flip('jack');
         flip('jill');
         // Word that both are stale is under way when the first of them is told.
         network.socket.lose();
         const [left] = watch.ids;
         const { value } = await changes.next();
         const next = changes.next();
         watch.stop();
         return [heard.slice(2), [value.id, watch.size], left + ' stale' === heard[2], (await next).done]",
    )
    .await;
    assert_eq!(said, r#"[["jack stale"],["jack",0],true,true]"#);
}

#[wasm_bindgen_test]
async fn whoever_is_told_of_somebody_may_take_them_out_for_all_who_would_be_told_next() {
    let said = watching(
        "const heard = [];
         const reading = watch[Symbol.asyncIterator]().next();
         watch.on('change', ({ id }) => { heard.push(`first ${id}`); watch.remove(['jack']); });
         watch.on('change', ({ id }) => heard.push(`second ${id}`));
         flip('jack');
         flip('jill');
         return [heard, (await reading).value.id]",
    )
    .await;
    assert_eq!(said, r#"[["first jack","first jill","second jill"],"jill"]"#);
}

#[wasm_bindgen_test]
async fn a_watch_ends_with_its_block() {
    let said = watching(
        "if (!Symbol.dispose) return true;
         const reading = watch[Symbol.asyncIterator]().next();
         watch[Symbol.dispose]();
         watch.stop();
         return watch.size === 0 && (await reading).done && shown('jack') === 'jack false unknown'",
    )
    .await;
    assert_eq!(said, "true");
}

#[wasm_bindgen_test]
async fn a_disconnect_ends_watches_and_whoever_waits_for_them() {
    let said = watching(
        "network.answers['/users'] = () => new Promise(() => {});
         const code = (promise) => promise.then(() => 'none', (error) => error.code);
         const adding = code(watch.add(['joan']));
         const watching = code(client.watchPresence(['joan']));
         const reading = watch[Symbol.asyncIterator]().next();
         await network.until(() => network.requests.length === 2);
         await client.disconnectUser();
         return [await adding, await watching, await reading, shown('jack'), await code(watch.add(['joan'])),
           await code(client.watchPresence(['joan']))]",
    )
    .await;
    assert_eq!(
        said,
        r#"["disconnected","disconnected",{"done":true},"jack false unknown","invalid_argument","not_connected"]"#
    );
}

#[wasm_bindgen_test]
async fn what_was_shown_as_live_is_told_to_be_unknown_when_the_client_is_disconnected_or_refused() {
    let ends = [
        "await client.disconnectUser();",
        "client.on('typing.start', () => client.disconnectUser()); network.socket.say({ type: 'typing.start' });",
        "network.socket.lose(1008);",
    ];
    for end in ends {
        let heard = "
            const heard = [];
            watch.on('change', ({ id, online, freshness }) => heard.push(`${id} ${online} ${freshness}`));
            client.user('jack').on('presence', ({ online, freshness }) => heard.push(`${online} ${freshness}`));
            watch.remove(['jill']);";
        let said = watching(&[heard, end, "return heard"].concat()).await;
        assert_eq!(said, r#"["jack false unknown","false unknown"]"#, "{end}");
    }
}

#[wasm_bindgen_test]
async fn whom_a_server_will_not_tell_of_is_not_called_live() {
    let said = watching(
        "people.joan = { id: 'joan', online: true };
         network.answers['/users'] = () => ({ users: [people.jack, people.joan], presence_omitted: 1 });
         await watch.add(['jack', 'joan']);
         return [shown('jack'), shown('joan')]",
    )
    .await;
    assert_eq!(said, r#"["jack true live","joan true stale"]"#);
}

#[wasm_bindgen_test]
async fn whoever_waits_for_a_watch_may_give_up() {
    let said = watching(
        "network.answers['/users'] = () => new Promise(() => {});
         const aborting = new AbortController();
         const { signal } = aborting;
         const code = (promise) => promise.then(() => 'none', (error) => error.code);
         const codes = [client.watchPresence(['jack', 'jane'], { signal }), watch.add(['jack', 'joan'], { signal })].map(code);
         watch.add(['joan']);
         await network.until(() => network.requests.length > 0);
         aborting.abort();
         const late = code(watch.add(['jim'], { signal }));
         return [await Promise.all([...codes, late]), watch.ids, shown('jack')]",
    )
    .await;
    assert_eq!(said, r#"[["aborted","aborted","aborted"],["jack","jill","joan"],"jack true live"]"#);
}

#[wasm_bindgen_test]
async fn what_a_server_refuses_is_not_watched() {
    let said = watching(
        "const answer = network.answers['/users'];
         network.answers['/users'] = { status: 403, code: 17, message: 'no', StatusCode: 403 };
         const code = (promise) => promise.then(() => 'none', (error) => error.code);
         const codes = [await code(watch.add(['jack', 'joan'])), await code(client.watchPresence(['jim']))];
         network.answers['/users'] = answer;
         network.socket.lose();
         await network.until(() => network.sockets.length === 2);
         asked();
         const recovered = new Promise((resolve) => client.on('connection.recovered', resolve));
         network.socket.greet({ id: 'john' });
         await recovered;
         return [codes, watch.ids, asked().map((ids) => ids.sort())]",
    )
    .await;
    assert_eq!(said, r#"[[17,17],["jack","jill"],[["jack","jill"]]]"#);
}

#[wasm_bindgen_test]
async fn misuse_of_a_watch_is_an_error_with_a_code() {
    let said = watching(
        "const code = async (call) => { try { await call(); return 'none'; } catch (error) { return error.code; } };
         const calls = [() => client.watchPresence(), () => client.watchPresence('jack'), () => client.watchPresence(['jack', '']),
           () => client.watchPresence([7]), () => watch.add('jack'), () => watch.remove(), () => watch.get(),
           () => watch.on('changes', () => {}), () => watch.on('change'), () => client.user(), () => client.user('jack').on('presence', 3),
           () => client.user('jack').on('change', () => {})];
         return [...new Set(await Promise.all(calls.map(code)))]",
    )
    .await;
    assert_eq!(said, r#"["invalid_argument"]"#);
}

#[wasm_bindgen_test]
async fn a_page_in_the_servers_place_says_nothing_about_anybody() {
    let said = watching(
        "const heard = [];
         client.on('user.presence.changed', ({ user }) => heard.push(user.id));
         const { answers } = network;
         const truth = answers['/users'];
         answers['/users'] = '<html>Welcome to our hotel</html>';
         network.socket.lose();
         await network.until(() => network.sockets.length === 2);
         network.socket.greet({ id: 'john' });
         await network.until(() => network.requests.length === 1);
         const during = shown('jack');
         answers['/users'] = truth;
         const recovered = new Promise((resolve) => client.on('connection.recovered', resolve));
         await recovered;
         const code = (answers['/users'] = 'hello', await client.queryUsers({}).catch(({ code }) => code));
         return [during, shown('jack'), heard, code]",
    )
    .await;
    assert_eq!(said, r#"["jack true stale","jack true live",[],"network"]"#);
}
