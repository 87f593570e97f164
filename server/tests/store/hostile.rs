//! Texts that are SQL, or would be if they were not bound: they are kept as they are, find only
//! themselves, and do nothing.

use std::fs;
use std::path::Path;

use rollcall_server::query::{self, ChannelQuery, Filter, IdRange, MemberQuery, Sort, UserQuery};
use rollcall_server::store::{
    Change, ChannelChange, Custom, CustomChange, MemberChange, MessageChange, MessagePage, NewChannel, NewMember,
    NewMessage, StoreError, UserChange,
};
use serde_json::json;

use crate::{Database, at, create_channel, create_users, ids, say, sighting};

stories!(a_hostile_text_is_kept_in_every_field_and_finds_only_itself);

const HOSTILE: [&str; 12] = [
    "'; DROP TABLE users; --",
    "' OR '1'='1",
    "\"; DELETE FROM members; --",
    "') UNION SELECT * FROM app --",
    "\\'; --",
    "$1",
    "?1",
    ":name @p",
    "%",
    "{\"$ne\": null}",
    "$$; DROP TABLE users; $$",
    "/* \u{2019} */ NULL",
];

async fn a_hostile_text_is_kept_in_every_field_and_finds_only_itself(database: Database) {
    let store = database.open().await;
    create_users(&store, &["ada", "bob"]).await;
    let tea = create_channel(&store, "tea", &["ada", "bob"]).await;
    say(&store, &tea, "ada", "hello", at(2)).await;
    let (users, channel) = (store.users(&ids(&["ada", "bob"])).await.unwrap(), store.channel(&tea).await.unwrap());
    for text in HOSTILE {
        let one = || text.to_owned();
        // A name that begins with `$` would be an operator.
        let field = &format!("f{text}");
        let custom: Custom =
            [(field.clone(), json!(text)), ("at".to_owned(), json!({ text: [text] }))].into_iter().collect();

        // A user, and by what they are found.
        let change = UserChange {
            name: Change::Set(one()),
            image: Change::Set(one()),
            language: Change::Set(one()),
            role: Change::Set(one()),
            teams: Change::Set(vec![one()]),
            custom: CustomChange::set_all(custom.clone()),
            ..UserChange::of(text)
        };
        store.upsert_users(&[change], at(3)).await.unwrap();
        store
            .update_users(&[UserChange { language: Change::Set(one()), ..UserChange::of(text) }], at(4))
            .await
            .unwrap();
        store.record_presence(&[sighting(text, true, Some(at(5)))], &[]).await.unwrap();
        assert_eq!(store.online_users().await.unwrap(), [text]);
        let kept = store.user(text).await.unwrap().unwrap();
        let fields = [&kept.id, &kept.role, &kept.language, &kept.teams[0]].map(String::as_str);
        assert_eq!(fields, [text; 4]);
        assert_eq!((kept.name.as_deref(), kept.image.as_deref()), (Some(text), Some(text)));
        assert_eq!(kept.custom, custom);
        for (filter, finds) in [
            (json!({ "id": text }), true),
            (json!({ "id": { "$in": [text, "nobody"] } }), true),
            (json!({ "name": text, "role": text, "language": text, "teams": { "$contains": text } }), true),
            (json!({ "name": { "$gte": text, "$lte": text } }), true),
            (json!({ field: text }), true),
            (json!({ field: { "$in": [text] } }), true),
            (json!({ "at": { "$exists": true }, field: { "$exists": true } }), true),
            (json!({ field: "something else" }), false),
            (json!({ "email": text }), false),
        ] {
            let query = UserQuery {
                filter: Filter::parse(&filter, &query::Limits::default()).unwrap(),
                sort: Sort::parse(&json!([{ "field": field, "direction": -1 }])).unwrap(),
                limit: 10,
                ..UserQuery::default()
            };
            let found: Vec<_> = store.query_users(&query).await.unwrap().into_iter().map(|user| user.id).collect();
            assert_eq!(found, if finds { vec![one()] } else { vec![] }, "{filter}");
        }
        let range = IdRange { gte: Some(one()), lte: Some(one()), ..IdRange::default() };
        let found = store.query_users(&UserQuery { ids: range, limit: 10, ..UserQuery::default() }).await.unwrap();
        assert_eq!(found.into_iter().map(|user| user.id).collect::<Vec<_>>(), [text]);

        // A channel of theirs, and what is in it.
        let member = NewMember { channel_role: one(), custom: custom.clone(), ..NewMember::new(text) };
        let new = NewChannel {
            kind: one(),
            id: one(),
            created_by_id: one(),
            team: one(),
            custom: custom.clone(),
            members: vec![member, NewMember::new("ada")],
            ..NewChannel::default()
        };
        let cid = store.get_or_create_channel(&new, at(6)).await.unwrap().channel.cid;
        let change = ChannelChange { team: Change::Set(one()), ..ChannelChange::default() };
        let theirs = store.update_channel(&cid, &change, at(7)).await.unwrap().after;
        assert_eq!((&*theirs.kind, &*theirs.id, &*theirs.team, &theirs.custom), (text, text, text, &custom));
        assert_eq!(store.channels_of(text).await.unwrap(), [cid.as_str()]);
        for filter in [
            json!({ "cid": cid }),
            json!({ "type": text, "id": text, "team": text, "created_by_id": text }),
            json!({ "members": { "$in": [text] } }),
            json!({ "member.user.name": text }),
            json!({ field: text }),
        ] {
            let query = ChannelQuery {
                filter: Filter::parse(&filter, &query::Limits::default()).unwrap(),
                sort: Sort::parse(&json!([{ "field": field, "direction": 1 }])).unwrap(),
                viewer: Some(one()),
                limit: 10,
                ..ChannelQuery::default()
            };
            let found = store.query_channels(&query).await.unwrap();
            assert_eq!(found.into_iter().map(|channel| channel.cid).collect::<Vec<_>>(), [cid.as_str()], "{filter}");
        }
        let change = MemberChange { channel_role: Change::Set(one()), ..MemberChange::default() };
        store.update_members(&cid, &[(one(), change)], at(8)).await.unwrap();
        let query = MemberQuery {
            filter: Filter::parse(&json!({ "user_id": text, "channel_role": text }), &query::Limits::default())
                .unwrap(),
            limit: 10,
            ..MemberQuery::of(&cid)
        };
        let members = store.query_members(&query).await.unwrap();
        assert_eq!((&*members[0].user_id, &*members[0].channel_role, &members[0].custom), (text, text, &custom));

        // What they say.
        let new = NewMessage {
            id: one(),
            cid: cid.clone(),
            user_id: one(),
            text: one(),
            custom: custom.clone(),
            ..NewMessage::default()
        };
        store.insert_message(&new, at(9)).await.unwrap();
        let change = MessageChange { text: Change::Set(one()), ..MessageChange::default() };
        let said = store.update_message(text, &change, at(10)).await.unwrap().after;
        assert_eq!((&*said.id, &*said.user_id, &*said.text, &said.custom), (text, text, text, &custom));
        let page = MessagePage { limit: 10, around: Some(one()), ..MessagePage::default() };
        assert_eq!(store.messages(&cid, &page).await.unwrap(), [said]);
        assert_eq!(store.mark_read(&cid, "ada", Some(text), at(11)).await.unwrap().unread_messages, 0);

        // Whatever is looked for by that name and is not there is not found, and no error of the database.
        for id in [&format!("{text} "), ""] {
            assert_eq!(store.user(id).await.unwrap(), None);
            assert_eq!(store.channel(id).await.unwrap(), None);
            assert_eq!(store.message(id).await.unwrap(), None);
            assert!(matches!(store.hide_channel(id, id, true, at(12)).await, Err(StoreError::NotFound { .. })));
        }
        store.erase_channels(&[cid]).await.unwrap();
        store.erase_users(&[one()]).await.unwrap();
        assert_eq!(store.user(text).await.unwrap(), None);
    }
    assert_eq!(store.users(&ids(&["ada", "bob"])).await.unwrap(), users, "nobody else was touched");
    assert_eq!(store.channel(&tea).await.unwrap(), channel);
    assert_eq!(store.message("hello").await.unwrap().unwrap().text, "hello");
}

/// The driver takes for SQL what stands in the source, and what is asserted to be as safe as that.
#[test]
fn nothing_is_asserted_to_be_safe() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("AssertSqlSafe"), "{}", path.display());
            let builds = text.contains("QueryBuilder");
            assert!(!builds || path.ends_with("store/sql.rs"), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} files");
}
