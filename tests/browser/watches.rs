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
