//! Servers that share a Redis and are not one.

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::Cluster;
use crate::common::person::{next_frame, open_at};
use crate::common::{KEY, TestServer, postgres, token, user_token};
use crate::stories::is_online;

#[tokio::test(flavor = "multi_thread")]
async fn applications_with_keys_or_numbers_of_their_own_hear_nothing_of_each_other_on_one_redis() {
    let Some(cluster) = Cluster::new().await else { return };
    let Some(postgres) = postgres::shared() else { return };
    let live = cluster.node().await;
    live.knows(&["eve"]).await;
    let (mut ada, mut bob) = (live.connect("ada").await, live.connect("bob").await);
    assert_eq!(is_online(&bob.watch_users(&["ada", "eve"]).await), [true, false]);

    let of_others = [(cluster.redis.url(), "staging"), (format!("{}/1", cluster.redis.url()), KEY)];
    for (redis, key) in of_others {
        let staging = TestServer::node(&postgres.database().await, &redis, &["--api-key", key]).await;
        let connect = async |user: &str| {
            let details = json!({ "user_id": user, "user_details": { "id": user } }).to_string();
            let query = [("json", details), ("authorization", user_token(user)), ("api_key", key.to_owned())];
            let mut socket = open_at(&staging.address.to_string(), &query).await;
            assert_eq!(next_frame(&mut socket).await["type"], "health.check");
            socket
        };
        let _eve = connect("eve").await;
        let elsewhere = connect("ada").await;
        let put_out = reqwest::Client::new()
            .post(staging.url(&format!("/users/ada/deactivate?api_key={key}")))
            .header("authorization", token(json!({ "server": true })))
            .json(&json!({}));
        assert!(put_out.send().await.unwrap().status().is_success());
        // Until Ada is put out there, after all that was told of both.
        elsewhere.for_each(async |_| {}).await;
        for person in [&mut ada, &mut bob] {
            assert_eq!(person.heard_so_far().await, [] as [Value; 0]);
        }
        assert_eq!(is_online(&bob.watch_users(&["ada", "eve"]).await), [true, false]);
    }
}
