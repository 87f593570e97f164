//! `client.user`: oneself, and anybody else.

use super::story::Story;
use wasm_bindgen_test::*;

#[wasm_bindgen_test]
async fn one_user_is_watched_while_anybody_listens() {
    let story = Story::connected().await;
    let said = story
        .run(
            "network.answers['/users'] = () => ({ users: [{ id: 'jack', online: true }] });
             const jack = client.user('jack');
             const heard = [];
             const before = [jack.id, jack.presence.freshness, network.requests.length];
             const told = new Promise((resolve) => jack.on('presence', resolve));
             const one = jack.on('presence', ({ online, freshness }) => heard.push(['one', online, freshness]));
             const other = client.user('jack').on('presence', ({ online }) => heard.push(['other', online]));
             const { id, online, freshness } = await told;
             const asked = network.requests.length;
             network.socket.say({ type: 'user.presence.changed', user: { id: 'jack', online: false } });
             one.unsubscribe();
             network.socket.say({ type: 'user.presence.changed', user: { id: 'jack', online: true } });
             return [before, [id, online, freshness], asked, heard, jack.presence.online]",
        )
        .await;
    assert_eq!(
        said,
        r#"[["jack","unknown",0],["jack",true,"live"],1,[["one",true,"live"],["other",true],["one",false,"live"],["other",false],["other",true]],true]"#
    );
}

#[wasm_bindgen_test]
async fn whom_nobody_listens_to_any_more_is_forgotten() {
    let story = Story::connected().await;
    let said = story
        .run(
            "network.answers['/users'] = () => ({ users: [{ id: 'jack', online: true }] });
             const told = new Promise((resolve) => { window.subscription = client.user('jack').on('presence', resolve); });
             await told;
             window.subscription.unsubscribe();
             return client.user('jack').presence.freshness",
        )
        .await;
    assert_eq!(said, r#""unknown""#);
}

#[wasm_bindgen_test]
async fn a_user_that_the_page_froze_is_replaced() {
    let story = Story::new();
    let said = story
        .run(
            "Object.freeze(client.user);
             const connecting = client.connectUser({ id: 'john' }, client.devToken('john'));
             await network.until(() => network.socket);
             network.socket.greet({ id: 'john', online: true });
             await connecting;
             const frozen = Object.freeze(client.user);
             network.socket.say({ type: 'user.updated', user: { id: 'john', status: 'Eating' } });
             const shown = client.user.status;
             Object.defineProperty(client.user, 'mine', { value: 1, enumerable: true });
             const { socket } = network;
             await client.disconnectUser();
             return [shown, frozen.status ?? null, Object.keys(client.user), client.user('jack').id, socket.closed, client.userID ?? null]",
        )
        .await;
    assert_eq!(said, r#"["Eating",null,[],"jack",1000,null]"#);
}

#[wasm_bindgen_test]
async fn the_connected_user_has_their_fields_and_nothing_else() {
    let story = Story::new();
    let said = story
        .run(
            "const { user } = client;
             // Not every browser keeps their order.
             const sorted = (fields) => Object.fromEntries(Object.entries(fields).sort());
             const before = [user.id ?? null, Object.keys(user), JSON.stringify({ user })];
             const connecting = client.connectUser({ id: 'john' }, client.devToken('john'));
             await network.until(() => network.socket);
             network.socket.greet({ id: 'john', name: 'John', length: 3, online: true });
             await connecting;
             const during = [sorted({ ...user }), user.name, sorted(JSON.parse(JSON.stringify({ user })).user), user === client.user, 'id' in user];
             network.socket.say({ type: 'user.updated', user: { id: 'john', status: 'Eating', online: true } });
             const updated = [{ ...user }, user.name ?? null];
             await client.disconnectUser();
             return [before, during, updated, Object.keys(user)]",
        )
        .await;
    assert_eq!(
        said,
        concat!(
            r#"[[null,[],"{}"],[{"id":"john","length":3,"name":"John","online":true},"John","#,
            r#"{"id":"john","length":3,"name":"John","online":true},true,true],"#,
            r#"[{"id":"john","status":"Eating","online":true},null],[]]"#
        )
    );
}
