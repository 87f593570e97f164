//! Watching users one by one: shared between parts of a page, told of once, forgotten with the last.

use super::client::{Payload, TestClient, seen};
use super::watching::{LIVE, UNKNOWN, change};
use rollcall::core::{Ask, Event, Failure, Frame, Input, Output, Snapshot};

#[test]
fn a_watch_is_settled_when_there_is_word_of_everybody() {
    let mut client = TestClient::connected();
    let watch = client.core.new_watch();
    let ids: Vec<String> = (0..250).map(|n| format!("u{n}")).collect();
    let ticket = client.watch(watch, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let mut pages = client.asks();
    assert_eq!(pages.len(), 2, "two at a time");
    let mut answered = 0;
    while let Some((request, Ask::Users { ids })) = pages.pop() {
        assert_eq!(client.settled_watches(), [], "{answered} of 250");
        answered += ids.len();
        client.answer(request, &ids.iter().map(|id| (id.as_str(), true)).collect::<Vec<_>>());
        pages.extend(client.asks());
    }
    assert_eq!(answered, 250);
    assert_eq!(client.settled_watches(), [(ticket, Ok(()))]);
    assert_eq!(client.is_online("u249"), (true, LIVE));
}

#[test]
fn a_server_that_takes_large_pages_is_asked_for_a_thousand_at_once_and_again_after_a_reconnect() {
    let mut client = TestClient::new();
    let first_frame = || Frame::Health { connection_id: "c".into(), pages: true, payload: "hello" };
    client.connect(true);
    client.frame(first_frame());
    let watch = client.core.new_watch();
    let ids: Vec<String> = (0..2_500).map(|n| format!("a-user-with-a-long-name-{n}")).collect();
    client.watch(watch, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    for _ in 0..2 {
        let mut sizes = Vec::new();
        let mut pages = client.asks();
        while let Some((request, Ask::Users { ids })) = pages.pop() {
            sizes.push(ids.len());
            let (missing, known) = ids.split_last().unwrap();
            client.answer(request, &known.iter().map(|id| (id.as_str(), true)).collect::<Vec<_>>());
            assert_eq!(client.is_online(&known[0]), (true, LIVE));
            assert_eq!(client.is_online(missing), (false, UNKNOWN), "and nobody asks again");
            pages.extend(client.asks());
        }
        sizes.sort_unstable();
        assert_eq!(sizes, [500, 1_000, 1_000]);
        client.close(1006);
        client.advance(30_000);
        client.frame(first_frame());
    }
}

#[test]
fn who_is_added_one_by_one_shares_a_page() {
    let mut client = TestClient::connected();
    let watch = client.core.new_watch();
    for n in 0..100 {
        client.watch(watch, &[&format!("u{n}")]);
    }
    let first = client.asks();
    assert_eq!(first.len(), 2);
    client.answer(first[0].0, &[("u0", true)]);
    assert_eq!(client.page().1.len(), 98);
}

#[test]
fn two_parts_of_a_page_watch_the_same_person_and_the_last_to_leave_forgets_them() {
    let mut client = TestClient::connected();
    let sidebar = client.watching(&["jack"]);
    let header = client.core.new_watch();
    client.core.listen(header, true);
    let ticket = client.watch(header, &["jack"]);
    assert_eq!(client.settled_watches(), [(ticket, Ok(()))], "known already");
    assert_eq!(client.asks(), [], "and not asked for again");

    client.presence("jack", false);
    assert_eq!(client.changes(), [change(sidebar, "jack"), change(header, "jack")]);
    client.unwatch(sidebar, "jack");
    client.presence("jack", true);
    assert_eq!(client.changes(), [change(header, "jack")]);
    assert_eq!(client.is_online("jack"), (true, LIVE));
    client.unwatch(header, "jack");
    assert_eq!(client.is_online("jack"), (false, UNKNOWN));
    client.presence("jack", true);
    assert_eq!(client.changes(), []);
    client.reconnect();
    assert_eq!(client.asks(), [], "nobody watches anybody");
}

#[test]
fn who_is_watched_in_other_ways_too_stays_known() {
    let mut client = TestClient::connected();
    let watch = client.watching(&["jack", "jill", "joan"]);
    client.watch_users(&[("jack", true)]);
    let asked = client.core.asked();
    client.core.watch_channel("messaging:1", true, true, Snapshot { asked, users: vec![seen("jill", true)] });
    for id in ["jack", "jill", "joan"] {
        client.unwatch(watch, id);
    }
    assert_eq!(client.is_online("jack"), (true, LIVE), "by a query");
    assert_eq!(client.is_online("jill"), (true, LIVE), "by a channel");
    assert_eq!(client.is_online("joan"), (false, UNKNOWN));
    client.core.stop_watching("messaging:1");
    assert_eq!(client.is_online("jill"), (false, UNKNOWN));
}

#[test]
fn whom_two_watches_want_at_once_is_asked_for_once_and_both_are_told() {
    let mut client = TestClient::connected();
    let (one, other) = (client.core.new_watch(), client.core.new_watch());
    let first = client.watch(one, &["jack"]);
    let second = client.watch(other, &["jack"]);
    let (request, _) = client.page();
    assert_eq!(client.settled_watches(), []);
    client.answer(request, &[("jack", true)]);
    assert_eq!(client.settled_watches(), [(first, Ok(())), (second, Ok(()))]);
}

#[test]
fn nothing_is_told_where_nobody_listens() {
    let mut client = TestClient::connected();
    let watch = client.watching(&["jack"]);
    client.core.listen(watch, false);
    client.presence("jack", false);
    client.close(1006);
    assert_eq!(client.changes(), []);
}

#[test]
fn a_page_that_fails_is_tried_again_and_one_that_is_refused_is_not() {
    let mut client = TestClient::connected();
    let (one, other) = (client.core.new_watch(), client.core.new_watch());
    let first = client.watch(one, &["jack"]);
    let second = client.watch(other, &["jill"]);
    let asks = client.asks();
    let fail = |client: &mut TestClient, request, retryable| {
        client.feed(Input::Replied { request, result: Err(Failure { retryable, retry_after: None, reason: "no" }) });
    };
    fail(&mut client, asks[0].0, true);
    fail(&mut client, asks[1].0, false);
    assert_eq!(client.settled_watches(), [(second, Err("no"))]);
    client.advance(1_000);
    let (request, ids) = client.page();
    assert_eq!(ids, ["jack"]);
    client.answer(request, &[("jack", true)]);
    assert_eq!(client.settled_watches(), [(first, Ok(()))]);
}

#[test]
fn a_watch_that_is_begun_while_offline_is_settled_by_the_next_connection() {
    let mut client = TestClient::connected();
    client.close(1006);
    client.take();
    let watch = client.core.new_watch();
    let ticket = client.watch(watch, &["jack"]);
    assert_eq!(client.asks(), []);
    client.advance(1_000);
    client.first_frame();
    let (request, _) = client.page();
    assert_eq!(client.settled_watches(), []);
    client.answer(request, &[("jack", true)]);
    assert_eq!(client.settled_watches(), [(ticket, Ok(()))]);
}

#[test]
fn who_loses_interest_before_the_answer_waits_for_nothing_and_is_told_nothing() {
    let mut client = TestClient::connected();
    let watch = client.core.new_watch();
    client.core.listen(watch, true);
    let ticket = client.watch(watch, &["jack"]);
    let (request, _) = client.page();
    client.unwatch(watch, "jack");
    assert_eq!(client.settled_watches(), [(ticket, Ok(()))]);
    client.answer(request, &[("jack", true)]);
    assert_eq!((client.changes(), client.is_online("jack")), (vec![], (false, UNKNOWN)));
}

#[test]
fn what_the_app_itself_finds_out_is_told_to_the_rest_of_the_page() {
    let mut client = TestClient::connected();
    client.watch_users(&[("jack", false)]);
    client.close(1006);
    client.advance(1_000);
    client.first_frame();
    client.take();
    client.watch_users(&[("jack", true)]);
    let learnt = |event: &Event<Payload>| *event == Event::PresenceLearnt { user: "online" };
    assert!(client.events().iter().any(learnt), "another part of the page still shows him offline");
}

#[test]
fn whoever_loses_interest_before_the_answer_does_not_wait_for_it() {
    let mut client = TestClient::connected();
    let asked = client.core.asked();
    client.core.watch_channel("messaging:1", true, true, Snapshot { asked, users: vec![seen("jack", true)] });
    client.close(1006);
    let watch = client.core.new_watch();
    let ticket = client.watch(watch, &["jack"]);
    client.unwatch(watch, "jack");
    assert_eq!(client.settled_watches(), [(ticket, Ok(()))], "the channel, which is not asked by his name, stays");
}

#[test]
fn watched_left_and_watched_again_is_asked_once() {
    let mut client = TestClient::connected();
    let watch = client.core.new_watch();
    client.watch(watch, &["jack"]);
    client.unwatch(watch, "jack");
    assert_eq!(client.is_online("jack"), (false, UNKNOWN));
    let ticket = client.watch(watch, &["jack"]);
    let (request, ids) = client.page();
    assert_eq!(ids, ["jack"]);
    client.answer(request, &[("jack", true)]);
    assert!(client.settled_watches().contains(&(ticket, Ok(()))));
    assert_eq!(client.is_online("jack"), (true, LIVE));
}

#[test]
fn a_channel_that_is_left_while_it_is_asked_for_again_is_not_watched_after_all() {
    let mut client = TestClient::connected();
    let asked = client.core.asked();
    client.core.watch_channel("messaging:1", true, true, Snapshot { asked, users: vec![seen("jack", true)] });
    client.reconnect();
    let (request, _) = client.asks().remove(0);
    client.core.stop_watching("messaging:1");
    assert!(!client.core.watch_members("messaging:1", asked, &[seen("jack", true)]));
    let result = Err(Failure { retryable: true, retry_after: None, reason: "busy" });
    client.feed(Input::Replied { request, result });
    client.advance(30_000);
    assert!(client.asks().is_empty(), "nor asked for once more");
}

#[test]
fn the_longest_wait_that_a_server_asks_for_is_kept() {
    let mut client = TestClient::connected();
    let ids: Vec<String> = (0..150).map(|n| format!("u{n}")).collect();
    client.watch_users(&ids.iter().map(|id| (id.as_str(), false)).collect::<Vec<_>>());
    client.reconnect();
    let asks = client.asks();
    assert_eq!(asks.len(), 2);
    for ((request, _), retry_after) in asks.into_iter().zip([Some(8_000), None]) {
        let result = Err(Failure { retryable: true, retry_after, reason: "busy" });
        client.feed(Input::Replied { request, result });
    }
    client.advance(7_999);
    assert!(client.asks().is_empty());
    client.advance(2_000);
    assert!(!client.asks().is_empty());
}

#[test]
fn a_watch_may_begin_before_the_first_connection() {
    let mut client = TestClient::new();
    client.connect(false);
    let watch = client.core.new_watch();
    let ticket = client.watch(watch, &["jack"]);
    client.first_frame();
    let (request, ids) = client.page();
    assert_eq!(ids, ["jack"]);
    client.answer(request, &[("jack", true)]);
    let outputs = client.take();
    assert!(outputs.contains(&Output::Watched { ticket, result: Ok(()) }), "{outputs:?}");
    let recovered = Output::Emit(rollcall::core::Event::ConnectionRecovered);
    assert!(!outputs.contains(&recovered), "nothing was lost");
    assert_eq!(client.is_online("jack"), (true, LIVE));
}

#[test]
fn an_answer_that_a_later_one_overtook_changes_nothing() {
    let mut client = TestClient::connected();
    let early = client.core.asked();
    client.advance(1_000);
    client.watch_users(&[("jack", true)]);
    client.core.watch_users(Snapshot { asked: early, users: vec![seen("jack", false)] });
    assert_eq!(client.core.heard_since(early, "jack"), Some(&"online"), "which is what the app gets");
    assert_eq!(client.is_online("jack"), (true, LIVE));

    client.reconnect();
    let (request, _) = client.page();
    client.answer(request, &[("jack", true)]);
    client.core.watch_users(Snapshot { asked: early, users: vec![seen("jack", false)] });
    assert_eq!(client.core.heard_since(early, "jack"), Some(&"online"));
}
