//! Who hears of events, whatever they do then.

use super::story::Story;
use wasm_bindgen_test::*;

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
