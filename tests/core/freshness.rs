//! What is live, what was once true, and what is not known.

use super::client::{TestClient, seen};
use super::watching::{LIVE, STALE, UNKNOWN, change};
use rollcall::core::{Ask, Frame, Input, Output, Snapshot};

#[test]
fn a_loss_makes_what_is_watched_stale_and_a_renewal_live_again() {
    let mut client = TestClient::connected();
    let watch = client.watching(&["jack", "jill"]);
    client.advance(10_000);
    client.health_check();
    client.take();
    let last_heard = client.now;
    client.advance(3_000);
    client.close(1006);
    let mut stale = client.changes();
    stale.sort();
    assert_eq!(stale, [change(watch, "jack"), change(watch, "jill")]);
    assert_eq!(client.is_online("jack"), (true, STALE), "what was known is shown on");
    assert_eq!(client.core.presence("jack").as_of, Some(last_heard));

    client.advance(1_000);
    client.first_frame();
    assert_eq!(client.changes(), [], "a connection alone tells of nobody");
    let (request, _) = client.page();
    client.answer(request, &[("jack", false), ("jill", true)]);
    let mut fresh = client.changes();
    fresh.sort();
    assert_eq!(fresh, [(watch, "jack".to_owned(), true), (watch, "jill".to_owned(), true)]);
    assert_eq!(client.is_online("jack"), (false, LIVE));
    assert_eq!(client.core.presence("jill").as_of, None);
}

#[test]
fn a_doubt_that_was_unfounded_is_taken_back() {
    let mut client = TestClient::connected();
    let watch = client.watching(&["jack"]);
    client.feed(Input::Woken);
    assert_eq!((client.changes(), client.is_online("jack")), (vec![change(watch, "jack")], (true, STALE)));
    client.health_check();
    assert_eq!((client.changes(), client.is_online("jack")), (vec![change(watch, "jack")], (true, LIVE)));
}

#[test]
fn while_the_server_is_in_doubt_nothing_is_live() {
    let mut client = TestClient::connected();
    let watch = client.watching(&["jack"]);
    client.frame(Frame::Doubt { in_doubt: true });
    assert_eq!((client.changes(), client.is_online("jack")), (vec![change(watch, "jack")], (true, STALE)));
    assert!(client.core.connection().in_doubt);
    client.health_check();
    assert_eq!(client.is_online("jack"), (true, STALE), "that it lives makes it no wiser");

    // What it missed it tells before it is sure again.
    client.presence("jack", false);
    assert_eq!(client.is_online("jack"), (false, STALE));
    client.take();
    client.frame(Frame::Doubt { in_doubt: false });
    assert_eq!((client.changes(), client.is_online("jack")), (vec![change(watch, "jack")], (false, LIVE)));
    assert!(!client.core.connection().in_doubt);
}

#[test]
fn another_connection_is_not_in_doubt_because_one_was() {
    let mut client = TestClient::connected();
    client.watching(&["jack"]);
    client.frame(Frame::Doubt { in_doubt: true });
    client.reconnect();
    let (request, _) = client.page();
    client.answer(request, &[("jack", true)]);
    assert_eq!(client.is_online("jack"), (true, LIVE));
}

#[test]
fn whom_the_server_does_not_know_is_unknown_until_they_appear() {
    let mut client = TestClient::connected();
    let watch = client.core.new_watch();
    client.core.listen(watch, true);
    let ticket = client.watch(watch, &["jack", "nobody"]);
    let (request, _) = client.page();
    client.answer(request, &[("jack", true)]);
    assert_eq!(client.settled_watches(), [(ticket, Ok(()))]);
    assert_eq!(client.is_online("nobody"), (false, UNKNOWN));

    client.reconnect();
    client.take();
    let (request, mut ids) = client.page();
    ids.sort();
    assert_eq!(ids, ["jack", "nobody"], "asked for again all the same");
    client.answer(request, &[("jack", true), ("nobody", true)]);
    assert!(client.changes().contains(&(watch, "nobody".to_owned(), true)));
    assert_eq!(client.is_online("nobody"), (true, LIVE));
}

#[test]
fn who_is_deleted_becomes_unknown() {
    let mut client = TestClient::connected();
    let watch = client.watching(&["jack", "jill"]);
    client.frame(Frame::Deleted { user: seen("jack", true), payload: "deleted" });
    assert_eq!(client.changes(), [change(watch, "jack")]);
    assert_eq!(client.is_online("jack"), (false, UNKNOWN));
    client.presence("jack", true);
    assert_eq!(client.is_online("jack"), (true, LIVE), "and restored");

    client.reconnect();
    client.take();
    let (request, _) = client.page();
    client.answer(request, &[("jack", true)]);
    let outputs = client.take();
    let learnt = Output::Emit(rollcall::core::Event::OfflineLearnt { user: "online" });
    assert!(outputs.contains(&learnt), "jill was deleted meanwhile: {outputs:?}");
    assert!(outputs.contains(&Output::Changed { watch, id: "jill".to_owned(), resync: true }));
    assert_eq!(client.is_online("jill"), (false, UNKNOWN));
}

#[test]
fn an_event_that_overtakes_the_first_answer_wins_over_it() {
    let mut client = TestClient::connected();
    let watch = client.core.new_watch();
    client.watch(watch, &["jack", "new"]);
    let (request, _) = client.page();
    client.presence("jack", true);
    client.presence("new", true);
    assert_eq!(client.is_online("jack"), (true, STALE), "one event does not promise the next");
    client.answer(request, &[("jack", false)]);
    assert_eq!(client.is_online("jack"), (true, LIVE));
    assert_eq!(client.page().1, ["new"], "appeared too late for the answer, so asked for again");
}

#[test]
fn whom_the_server_will_not_tell_of_is_not_called_live() {
    let mut client = TestClient::connected();
    let asked = client.core.asked();
    let unsubscribed = rollcall::core::Seen { subscribed: false, ..seen("jill", true) };
    let users = vec![seen("jack", true), unsubscribed];
    client.core.watch_channel("messaging:1", true, true, Snapshot { asked, users });
    assert_eq!(client.is_online("jack"), (true, LIVE));
    assert_eq!(client.is_online("jill"), (true, STALE), "beyond the limit");
    client.presence("jill", false);
    assert_eq!(client.is_online("jill"), (false, STALE), "an event by chance");

    client.watching(&["jill"]);
    assert_eq!(client.is_online("jill"), (true, LIVE), "one by one there is no such limit");
}

#[test]
fn who_leaves_a_channel_does_not_take_its_word_for_others_to_come() {
    let mut client = TestClient::connected();
    let asked = client.core.asked();
    for cid in ["messaging:1", "messaging:2"] {
        let users = vec![seen("jack", true), seen("jill", true)];
        client.core.watch_channel(cid, true, true, Snapshot { asked, users });
    }
    client.watching(&["jill"]);
    client.core.stop_watching("messaging:1");
    client.drain();
    assert_eq!(client.is_online("jill"), (true, LIVE), "the server was asked for her by name");
    assert_eq!(
        client.is_online("jack"),
        (true, STALE),
        "the other channel may have been told of him, or this one only"
    );
    let (request, ask) = client.asks().remove(0);
    assert_eq!(ask, Ask::Channels { cids: vec!["messaging:2".to_owned()], watch: true, presence: true });
    client.answer(request, &[("jack", true), ("jill", true)]);
    assert_eq!(client.is_online("jack"), (true, LIVE));
}

#[test]
fn a_member_whom_a_channel_shows_no_more_becomes_unknown() {
    let mut client = TestClient::connected();
    let asked = client.core.asked();
    let users = ["jack", "jill", "joan"].map(|id| seen(id, true)).to_vec();
    client.core.watch_channel("messaging:1", true, true, Snapshot { asked, users });
    let watch = client.watching(&["joan"]);
    client.reconnect();
    client.take();
    let asked = client.core.asked();
    client.presence("jack", true);
    for (request, ask) in client.asks() {
        let shown: &[(&str, bool)] = if matches!(ask, Ask::Users { .. }) { &[("joan", true)] } else { &[] };
        if shown.is_empty() {
            assert!(client.core.watch_members("messaging:1", asked, &[]));
        }
        client.answer(request, shown);
    }
    assert_eq!(client.is_online("jill"), (false, UNKNOWN));
    assert_eq!(client.is_online("jack"), (true, STALE), "of him there is later word");
    assert_eq!(client.is_online("joan"), (true, LIVE), "who is watched in another way too");
    assert!(client.changes().contains(&(watch, "joan".to_owned(), true)));

    client.advance(10_000);
    client.close(1006);
    client.advance(1_000);
    client.first_frame();
    client.take();
    let asked = client.core.asked();
    let (request, _) = client.asks().remove(0);
    client.core.watch_members("messaging:1", asked, &[seen("jill", false)]);
    client.answer(request, &[("jill", false)]);
    let learnt = rollcall::core::Event::PresenceLearnt { user: "offline" };
    assert!(client.events().contains(&learnt), "jill was last shown online");
    assert_eq!(client.is_online("jill"), (false, LIVE));
}
