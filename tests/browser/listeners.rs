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
async fn an_error_frame_on_a_connection_that_is_up_is_no_event() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const heard = [];
             client.on((event) => heard.push(event.type ?? 'nothing'));
             const error = { code: 40, message: 'expired', StatusCode: 401 };
             network.socket.say({ error });
             network.socket.say({ type: 'connection.error', connection_id: '', error });
             network.socket.say({ type: 'brand.new' });
             const { state } = client.connection;
             network.socket.lose(1000);
             return [heard, state, client.connection.state]",
        )
        .await;
    assert_eq!(said, r#"[["brand.new","connection.state"],"connected","waiting"]"#);
}

/// Keeps what is reported to the page as nobody's to catch.
const CATCHER: &str = "
    const heard = [], reported = [];
    const catcher = (event) => { event.preventDefault(); reported.push(event.error.message); };
    addEventListener('error', catcher);";

#[wasm_bindgen_test]
async fn listeners_cannot_hurt_the_client_or_each_other() {
    let story = Story::connected().await;
    let script = "
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
        return [heard, reported]";
    let said = story.run(&[CATCHER, script].concat()).await;
    assert_eq!(said, r#"[["once","last","|","last","added"],["mine","mine"]]"#);
}

#[wasm_bindgen_test]
async fn whatever_a_page_makes_of_what_it_is_shown_the_client_goes_on() {
    let story = Story::connected().await;
    let script = "
        const channel = client.channel('messaging', 'm');
        channel.state = { get members() { throw new Error('mine'); } };
        client.on(({ type }) => heard.push(type));
        network.socket.say([{ type: 'user.updated', user: { id: 'jack' } }, { type: 'brand.new' }]);
        removeEventListener('error', catcher);
        const { socket } = network;
        await client.disconnectUser();
        return [heard, reported, socket.closed]";
    let said = story.run(&[CATCHER, script].concat()).await;
    assert_eq!(said, r#"[["user.updated","brand.new","connection.state"],["mine"],1000]"#);
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
async fn a_goodbye_said_by_a_listener_has_been_heard_when_it_resolves() {
    let story = Story::connected().await;
    let said = story
        .run(
            "const { socket } = network;
             const told = [];
             // A server that takes its time to answer.
             socket.close = (code) => told.push(`closed with ${code}`);
             const left = new Promise((resolve) => client.on('typing.start', async () => {
               await client.disconnectUser();
               told.push('resolved');
               resolve();
             }));
             socket.say({ type: 'typing.start' });
             await new Promise((resolve) => setTimeout(resolve));
             told.push('answered');
             socket.onclose({ code: 1000 });
             await left;
             return told",
        )
        .await;
    assert_eq!(said, r#"["closed with 1000","answered","resolved"]"#);
}

/// The next user of a client is not told how the one before them ended.
#[wasm_bindgen_test]
async fn a_listener_may_change_the_user_whatever_happens_just_then() {
    let change = "
        let next;
        const change = () => {
          client.disconnectUser();
          next ??= client.connectUser({ id: 'jill' }, client.devToken('jill'));
        };
        const jillIsConnected = async () => {
          await network.until(() => !network.socket.closed && network.socket.url.searchParams.get('json')?.includes('jill'));
          network.socket.greet({ id: 'jill', online: true });
          const { me } = await next;
          return [me.id, client.userID, client.user.id, client.connection.state];
        };
        const heard = [];
        client.on('connection.error', () => heard.push('error'));";
    let connecting = "
        client.on('connection.state', ({ connection }) => connection.state === 'connecting' && !next && change());
        const first = client.connectUser({ id: 'john' }, client.devToken('john'));
        return [await first.catch(({ code }) => code), ...(await jillIsConnected()), heard]";
    let greeted = "
        client.on('health.check', () => next || change());
        const first = client.connectUser({ id: 'john' }, client.devToken('john'));
        await network.until(() => network.socket);
        network.socket.greet({ id: 'john', online: true });
        return [await first.catch(({ code }) => code), ...(await jillIsConnected()), heard]";
    let shut_out = "
        client.on('connection.changed', ({ online }) => online || next || change());
        const first = client.connectUser({ id: 'john' }, client.devToken('john'));
        await network.until(() => network.socket);
        network.socket.greet({ id: 'john', online: true });
        await first;
        network.socket.lose(1008);
        return ['disconnected', ...(await jillIsConnected()), heard]";
    for then in [connecting, greeted, shut_out] {
        let story = Story::new();
        let said = story.run(&[change, then].concat()).await;
        assert_eq!(said, r#"["disconnected","jill","jill","jill","connected",[]]"#, "{then}");
    }
}
