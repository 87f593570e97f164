//! The client's core, driven through simulated time and loss: no clock, no socket, no JavaScript.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed")]

#[path = "core/client.rs"]
mod client;
#[path = "core/freshness.rs"]
mod freshness;
#[path = "core/history.rs"]
mod history;
#[path = "core/lifecycle.rs"]
mod lifecycle;
#[path = "core/watches.rs"]
mod watches;
#[path = "core/watching.rs"]
mod watching;

use client::{TestClient, seen};
use rollcall::core::{Ask, ConnectError, Event, Failure, Frame, Freshness, Input, Output, Snapshot, Status};

#[test]
fn connecting_resolves_with_the_first_frame() {
    let mut client = TestClient::new();
    client.connect(false);
    assert_eq!(client.core.status(), Status::Connecting);
    client.first_frame();
    assert_eq!(client.core.status(), Status::Connected);
    assert_eq!(client.settled(), Some(Ok("hello")));
}

#[test]
fn a_bad_token_is_told_and_not_tried_again() {
    let mut client = TestClient::new();
    client.connect(false);
    client.refuse(43);
    assert_eq!(client.settled(), Some(Err(ConnectError::Failed("refused"))));
    client.advance(600_000);
    assert_eq!(client.dials(), 0);
    assert_eq!(client.core.poll_timeout(), None, "nothing goes on in the background");
}

#[test]
fn an_expired_token_is_replaced_at_once_and_then_with_patience() {
    let mut client = TestClient::new();
    client.connect(true);
    client.take();
    client.refuse(40);
    let outputs = client.take();
    assert!(matches!(outputs[..], [Output::TokenRefused, Output::HangUp { .. }, Output::Dial { .. }]), "{outputs:?}");
    client.refuse(40);
    let outputs = client.take();
    assert!(outputs.contains(&Output::TokenRefused), "{outputs:?}");
    assert!(!outputs.iter().any(|output| matches!(output, Output::Dial { .. })), "not in a tight loop: {outputs:?}");
    client.advance(3_000);
    assert_eq!(client.dials(), 1);
    client.first_frame();
    assert_eq!(client.settled(), Some(Ok("hello")));
}

#[test]
fn an_expired_token_that_cannot_be_replaced_ends_the_attempt() {
    let mut client = TestClient::new();
    client.connect(false);
    client.refuse(40);
    assert_eq!(client.settled(), Some(Err(ConnectError::Failed("refused"))));
}

#[test]
fn a_server_that_is_not_there_is_given_fifteen_seconds() {
    let mut client = TestClient::new();
    client.connect(false);
    let began = client.now;
    loop {
        client.close(1006);
        if let Some(result) = client.settled() {
            assert!(matches!(result, Err(ConnectError::Closed(1006) | ConnectError::TimedOut)), "{result:?}");
            break;
        }
        client.advance(500);
        assert!(client.now <= began + 16_000, "connectUser never settles");
    }
    client.advance(60_000);
    assert_eq!(client.dials(), 0, "a rejected connectUser leaves nothing behind");
}

#[test]
fn a_server_that_is_too_busy_for_fifteen_seconds_is_quoted() {
    let mut client = TestClient::new();
    client.connect(false);
    let result = loop {
        client.refuse(71);
        if let Some(result) = client.settled() {
            break result;
        }
        client.advance(1_000);
    };
    assert_eq!(result, Err(ConnectError::Failed("refused")), "not only that it took too long");
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_given_fifteen_seconds() {
    let mut client = TestClient::new();
    client.connect(false);
    client.advance(15_000);
    assert_eq!(client.settled(), Some(Err(ConnectError::TimedOut)));
}

#[test]
fn a_health_check_goes_out_every_25_seconds() {
    let mut client = TestClient::connected();
    let checks = |client: &mut TestClient| {
        client.take().iter().filter(|output| matches!(output, Output::SendHealthCheck)).count()
    };
    client.advance(24_999);
    assert_eq!(checks(&mut client), 0);
    client.advance(1);
    assert_eq!(checks(&mut client), 1);
    client.health_check();
    client.advance(25_000);
    assert_eq!(checks(&mut client), 1);
}

#[test]
fn a_connection_that_says_nothing_for_35_seconds_is_dead() {
    let mut client = TestClient::connected();
    client.advance(34_999);
    assert_eq!(client.core.status(), Status::Connected);
    client.advance(1);
    assert_eq!(client.core.status(), Status::WaitingToReconnect);
    client.advance(1_000);
    assert_eq!(client.core.status(), Status::Connecting, "the first retry comes within a second");
}

#[test]
fn after_a_sleep_one_round_trip_tells_whether_the_connection_lives() {
    let mut client = TestClient::connected();
    client.watch_users(&[("jack", true)]);
    client.take();
    client.sleep(3_600_000);
    assert!(client.take().contains(&Output::SendHealthCheck));
    assert_eq!(client.shows("jack"), (Some("online"), Freshness::Stale));
    client.health_check();
    assert_eq!(client.shows("jack"), (Some("online"), Freshness::Live));

    client.sleep(3_600_000);
    client.advance(5_000);
    assert_eq!(client.core.status(), Status::WaitingToReconnect, "no answer within five seconds");
}

#[test]
fn a_page_that_is_shown_again_asks_for_a_sign_of_life() {
    let mut client = TestClient::connected();
    client.feed(Input::Woken);
    assert!(client.take().contains(&Output::SendHealthCheck));
    client.advance(5_000);
    assert_eq!(client.core.status(), Status::WaitingToReconnect);
}

#[test]
fn a_network_that_comes_back_is_used_at_once() {
    let mut client = TestClient::connected();
    for _ in 0..6 {
        client.close(1006);
        client.advance(25_000);
    }
    client.close(1006);
    client.take();
    client.feed(Input::NetworkChanged { online: true });
    assert_eq!(client.dials(), 1);
}

#[test]
fn a_blip_is_not_announced_and_a_loss_is_after_five_seconds() {
    let mut client = TestClient::connected();
    client.close(1006);
    client.advance(1_000);
    client.first_frame();
    client.advance(10_000);
    assert!(!client.events().contains(&Event::ConnectionChanged { online: false }));

    client.close(1006);
    client.advance(4_999);
    assert!(!client.events().contains(&Event::ConnectionChanged { online: false }));
    client.advance(1);
    assert!(client.events().contains(&Event::ConnectionChanged { online: false }));
}

#[test]
fn what_was_watched_is_asked_for_again_after_a_reconnect() {
    let mut client = TestClient::connected();
    client.watch_users(&[("jack", false), ("jill", true)]);
    let asked = client.core.asked();
    client.core.watch_channel("messaging:1", true, true, Snapshot { asked, users: vec![seen("joan", true)] });
    client.core.watch_channel("messaging:2", true, false, Snapshot { asked, users: vec![] });
    client.reconnect();

    let mut asks = client.asks();
    while !asks.is_empty() {
        for (request, ask) in std::mem::take(&mut asks) {
            match ask {
                Ask::Channels { cids, watch: true, presence: true } => {
                    assert_eq!(cids, ["messaging:1"]);
                    client.answer(request, &[("joan", true)]);
                }
                Ask::Channels { cids, watch, presence } => {
                    assert_eq!((cids, watch, presence), (vec!["messaging:2".to_owned()], true, false));
                    client.answer(request, &[]);
                }
                Ask::Users { mut ids } => {
                    ids.sort();
                    assert_eq!(ids, ["jack", "jill"]);
                    client.answer(request, &[("jack", true), ("jill", true)]);
                }
            }
        }
        asks = client.asks();
    }
    let events = client.events();
    assert!(events.contains(&Event::PresenceLearnt { user: "online" }), "jack came while we were away: {events:?}");
    assert_eq!(events.last(), Some(&Event::ConnectionRecovered));
    for id in ["jack", "jill", "joan"] {
        assert_eq!(client.shows(id), (Some("online"), Freshness::Live), "{id}");
    }
}

#[test]
fn a_thousand_users_are_asked_for_in_pages_two_at_a_time() {
    let mut client = TestClient::connected();
    let ids: Vec<String> = (0..1000).map(|n| format!("u{n}")).collect();
    client.watch_users(&ids.iter().map(|id| (id.as_str(), false)).collect::<Vec<_>>());
    client.reconnect();
    let (mut pages, mut renewed) = (0, Vec::new());
    loop {
        let asks = client.asks();
        if asks.is_empty() {
            break;
        }
        assert!(asks.len() <= 2, "{} requests at once", asks.len());
        for (request, ask) in asks {
            let Ask::Users { ids } = ask else { panic!("{ask:?}") };
            assert!(ids.len() <= 100);
            pages += 1;
            client.answer(request, &ids.iter().map(|id| (id.as_str(), false)).collect::<Vec<_>>());
            renewed.extend(ids);
        }
    }
    renewed.sort();
    renewed.dedup();
    assert_eq!((pages, renewed.len()), (10, 1000));
    assert!(client.events().contains(&Event::ConnectionRecovered));
}

#[test]
fn a_page_that_fails_is_asked_again_when_the_server_says() {
    let mut client = TestClient::connected();
    client.watch_users(&[("jack", false)]);
    client.reconnect();
    let (request, _) = client.asks().remove(0);
    client.feed(Input::Replied {
        request,
        result: Err(Failure { retryable: true, retry_after: Some(8_000), reason: "busy" }),
    });
    client.advance(7_999);
    assert!(client.asks().is_empty());
    client.health_check();
    client.advance(26_000);
    let (request, _) = client.asks().remove(0);
    client.answer(request, &[("jack", false)]);
    assert!(client.events().contains(&Event::ConnectionRecovered));
}

#[test]
fn an_event_that_overtakes_a_snapshot_wins_over_it() {
    let mut client = TestClient::connected();
    let asked = client.core.asked();
    client.presence("jack", true);
    client.core.watch_users(Snapshot { asked, users: vec![seen("jack", false)] });
    assert_eq!(client.shows("jack"), (Some("online"), Freshness::Live));
}

#[test]
fn what_an_old_socket_still_says_is_ignored() {
    let mut client = TestClient::connected();
    client.watch_users(&[("jack", false)]);
    let old = client.generation;
    client.reconnect();
    client.take();
    client.feed(Input::Frame { generation: old, frame: Frame::User { user: seen("jack", true), payload: "late" } });
    client.feed(Input::Closed { generation: old, code: 1006 });
    assert_eq!(client.events(), []);
    assert_eq!(client.core.status(), Status::Connected);
}

#[test]
fn nothing_is_called_live_while_the_connection_is_in_doubt() {
    let mut client = TestClient::connected();
    assert_eq!(client.shows("jack"), (None, Freshness::Unknown), "unknown is not offline");
    client.watch_users(&[("jack", true)]);
    assert_eq!(client.shows("jack").1, Freshness::Live);
    client.close(1006);
    assert_eq!(client.shows("jack"), (Some("online"), Freshness::Stale));
    client.advance(1_000);
    client.first_frame();
    assert_eq!(client.shows("jack").1, Freshness::Stale, "connected again, but not yet told");
}

#[test]
fn a_goodbye_forgets_everything() {
    let mut client = TestClient::connected();
    client.watch_users(&[("jack", true)]);
    client.feed(Input::Disconnect);
    assert!(client.take().contains(&Output::HangUp { code: 1000 }));
    assert_eq!(client.shows("jack"), (None, Freshness::Unknown));
    assert_eq!(client.core.poll_timeout(), None);
}

#[test]
fn who_connects_after_a_goodbye_is_told_nothing_of_the_connection_before() {
    let mut client = TestClient::connected();
    client.core.handle_input(client.now, Input::Closed { generation: client.generation, code: 1008 });
    client.core.handle_input(client.now, Input::Disconnect);
    client.connect(false);
    let outputs = client.take();
    let told = Output::Emit(Event::ConnectionState);
    assert!(
        matches!(&outputs[..], [Output::HangUp { .. }, end, Output::Dial { .. }, begin] if [end, begin] == [&told; 2]),
        "{outputs:?}"
    );
}

#[test]
fn a_user_who_was_shut_out_is_told_and_not_tried_again() {
    let mut client = TestClient::connected();
    client.close(1006);
    client.advance(1_000);
    client.refuse(5);
    assert!(client.take().contains(&Output::Ended(ConnectError::Failed("refused"))));
    client.advance(600_000);
    assert_eq!(client.dials(), 0);
}

#[test]
fn a_server_that_restarts_meets_a_spread_out_crowd() {
    let mut delays: Vec<u64> = (0..200u64)
        .map(|seed| {
            let mut core = rollcall::core::Core::<&str>::new(0, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), |_, _| false);
            let mut generation = Default::default();
            core.handle_input(0, Input::Connect { renewable_token: false });
            while let Some(output) = core.poll_output() {
                if let Output::Dial { generation: dialled, .. } = output {
                    generation = dialled;
                }
            }
            let frame = Frame::Health { connection_id: "c".into(), pages: false, payload: "hello" };
            core.handle_input(0, Input::Frame { generation, frame });
            core.handle_input(20_000, Input::Closed { generation, code: 1001 });
            core.poll_timeout().unwrap() - 20_000
        })
        .collect();
    delays.sort_unstable();
    assert!(*delays.last().unwrap() <= 1_000);
    assert!(delays[50] > 100 && delays[150] < 900, "quartiles at {} and {} ms", delays[50], delays[150]);
}
