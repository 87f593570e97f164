//! How soon the client knows: each bound as the README states it, kept in simulated time.

use super::client::TestClient;
use rollcall::core::{
    ATTEMPT_DEADLINE, CONNECT_DEADLINE, ConnectError, Event, Freshness, Input, Millis, Output, PROBE_DEADLINE, Status,
    TICK,
};
use rollcall_protocol::{close, timing};

/// A client that watches jack, who was online when it last heard.
fn watching() -> TestClient {
    let mut client = TestClient::connected();
    client.watch_users(&[("jack", true)]);
    client.take();
    client
}

/// Milliseconds until `condition` holds, looked at whenever something falls due.
fn time_until(client: &mut TestClient, condition: impl Fn(&TestClient) -> bool) -> Millis {
    let began = client.now;
    while !condition(client) {
        let due = client.core.poll_timeout().filter(|due| *due <= began + 600_000);
        let Some(due) = due else { panic!("not within ten minutes") };
        client.advance(due.saturating_sub(client.now));
    }
    client.now - began
}

fn is_live(client: &TestClient) -> bool {
    client.shows("jack").1 == Freshness::Live
}

fn is_lost(client: &TestClient) -> bool {
    client.core.status() != Status::Connected
}

#[test]
fn the_readme_states_these_bounds() {
    let seconds = |milliseconds: Millis| milliseconds / 1_000;
    let (doubt, dead) = (seconds(timing::DOUBT_AFTER), seconds(timing::DEAD_AFTER));
    let (probe, tick, attempt) = (seconds(PROBE_DEADLINE), seconds(TICK), seconds(ATTEMPT_DEADLINE));
    for row in [
        "| the server closes the connection, or is killed | | at once |".to_owned(),
        format!("| the network is gone, and the browser says so | at once | {probe} s later |"),
        format!("| the network is gone, and nothing says so | after {doubt} s | after {dead} s |"),
        format!("| a page is shown or resumed, a network comes | at once | {probe} s later |"),
        format!("| a machine slept, and nothing says so | at most {tick} s after waking | {probe} s later |"),
        format!(
            "| a network accepts connections and says nothing | | {attempt} s for each attempt, {probe} s for one during which a page woke or a network came |"
        ),
    ] {
        assert!(include_str!("../../README.md").contains(&row), "the README does not say: {row}");
    }
}

#[test]
fn a_server_forgets_a_silent_connection_when_it_is_said_to() {
    let flag = format!(r#""ROLLCALL_IDLE_TIMEOUT", default_value = "{}s""#, timing::SILENT_AFTER / 1_000);
    // Not included: the crate is published without the server.
    let limits = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/server/src/config/limits.rs"));
    assert!(limits.unwrap().contains(&flag), "the server's default is not: {flag}");
}

#[test]
fn a_clean_close_is_known_at_once_and_so_is_a_killed_server() {
    for code in [close::GOING_AWAY, close::ABNORMAL] {
        let mut client = watching();
        client.close(code);
        assert!(is_lost(&client) && !is_live(&client), "close {code}");
        assert!(time_until(&mut client, |client| client.core.status() == Status::Connecting) <= 1_000);
    }
}

#[test]
fn a_network_that_is_gone_without_a_word_is_doubted_and_then_given_up() {
    let mut client = watching();
    assert_eq!(time_until(&mut client, |client| !is_live(client)), timing::DOUBT_AFTER);
    assert_eq!(client.core.status(), Status::Connected);
    assert_eq!(time_until(&mut client, is_lost), timing::DEAD_AFTER - timing::DOUBT_AFTER);
}

#[test]
fn a_network_that_the_browser_says_is_gone_is_doubted_at_once() {
    let mut client = watching();
    client.feed(Input::NetworkChanged { online: false });
    assert!(!is_live(&client));
    assert_eq!(time_until(&mut client, is_lost), PROBE_DEADLINE);
}

#[test]
fn a_network_that_accepts_and_says_nothing_is_tried_again() {
    let mut client = watching();
    client.close(close::ABNORMAL);
    time_until(&mut client, |client| client.core.status() == Status::Connecting);
    client.take();
    let waited = time_until(&mut client, |client| client.core.status() == Status::WaitingToReconnect);
    assert_eq!(waited, ATTEMPT_DEADLINE);
    assert!(client.take().contains(&Output::HangUp { code: close::GIVEN_UP }));
}

#[test]
fn an_attempt_from_before_a_network_came_or_a_page_woke_is_given_up_soon() {
    for input in [Input::NetworkChanged { online: true }, Input::Woken] {
        let mut client = watching();
        for _ in 0..6 {
            client.close(close::ABNORMAL);
            time_until(&mut client, |client| client.core.status() == Status::Connecting);
        }
        client.advance(1_000);
        client.take();
        client.feed(input.clone());
        client.advance(PROBE_DEADLINE - 1_000);
        client.feed(input);
        client.advance(1_000);
        let outputs = client.take();
        assert!(outputs.contains(&Output::HangUp { code: close::GIVEN_UP }), "however often it is said: {outputs:?}");
        assert!(time_until(&mut client, |client| client.core.status() == Status::Connecting) <= 1_000);
        client.advance(PROBE_DEADLINE);
        assert_eq!(client.core.status(), Status::Connecting, "the next one has all its time");
    }
}

#[test]
fn a_network_that_flaps_lets_a_slow_server_answer() {
    let mut client = watching();
    client.close(close::ABNORMAL);
    time_until(&mut client, |client| client.core.status() == Status::Connecting);
    client.take();
    for _ in 0..8 {
        client.advance(500);
        client.feed(Input::NetworkChanged { online: false });
        client.feed(Input::NetworkChanged { online: true });
    }
    assert_eq!(client.dials(), 0);
    client.first_frame();
    assert_eq!(client.core.status(), Status::Connected);
}

#[test]
fn a_sleep_that_nothing_tells_of_is_noticed_soon_after_waking() {
    let mut client = watching();
    client.advance(3_000);
    client.health_check();
    // Timers stand still while the machine sleeps.
    let left = client.core.poll_timeout().map_or(0, |due| due - client.now);
    assert!(left <= TICK, "{left} ms after waking at the latest");
    client.sleep(3_600_000 + left);
    assert!(!is_live(&client));
    assert!(client.take().contains(&Output::SendHealthCheck));
    client.advance(50);
    client.health_check();
    assert!(is_live(&client), "one round trip tells");

    client.sleep(3_600_000);
    assert_eq!(time_until(&mut client, is_lost), PROBE_DEADLINE);
}

#[test]
fn what_waited_while_the_machine_slept_proves_nothing() {
    let mut client = watching();
    client.sleep(3_600_000);
    client.presence("jack", false);
    assert_eq!(client.shows("jack"), (Some("offline"), Freshness::Stale));
    assert!(client.core.connection().last_heard.is_some_and(|at| at < client.now - 3_000_000));
    client.health_check();
    assert!(is_live(&client));
}

#[test]
fn silence_is_broken_by_anything() {
    let mut client = watching();
    client.advance(timing::DOUBT_AFTER);
    assert!(!is_live(&client));
    client.presence("jack", true);
    assert!(is_live(&client));
}

#[test]
fn slow_timers_of_a_hidden_page_neither_lose_a_healthy_connection_nor_believe_a_dead_one() {
    let mut client = watching();
    // Once a minute a timer may fire; frames arrive when they come.
    for _ in 0..10 {
        for _ in 0..2 {
            client.now += 25_000;
            client.health_check();
        }
        client.sleep(10_000);
        client.now += 50;
        client.health_check();
    }
    assert_eq!(client.core.status(), Status::Connected);
    assert!(is_live(&client));

    client.sleep(60_000);
    assert!(!is_live(&client));
    client.sleep(60_000);
    assert!(is_lost(&client), "by the second timer");
}

#[test]
fn a_page_that_resumes_in_the_middle_of_a_doubt_asks_again() {
    let mut client = watching();
    client.feed(Input::NetworkChanged { online: true });
    client.take();
    client.now += 3_600_000;
    client.feed(Input::Woken);
    assert!(client.take().contains(&Output::SendHealthCheck), "the first answer could not be heard");
    assert_eq!(client.core.status(), Status::Connected);
    assert_eq!(time_until(&mut client, is_lost), PROBE_DEADLINE);
}

#[test]
fn a_page_that_is_left_says_so_and_connects_again_the_moment_it_is_back() {
    let mut client = watching();
    client.feed(Input::Left);
    assert!(client.take().contains(&Output::HangUp { code: close::PAGE_LEFT }));
    assert!(!is_live(&client));
    client.feed(Input::Left);
    assert_eq!(client.take(), [], "once");

    client.now += 3_600_000;
    client.feed(Input::Woken);
    assert_eq!(client.dials(), 1);
    client.first_frame();
    let (request, _) = client.asks().remove(0);
    client.answer(request, &[("jack", true)]);
    let events = client.events();
    assert!(events.contains(&Event::ConnectionRecovered));
    assert!(!events.contains(&Event::ConnectionChanged { online: false }), "nobody was there to be told: {events:?}");
    assert!(is_live(&client));
}

#[test]
fn a_page_that_was_left_and_yet_goes_on_connects_again_by_itself() {
    let mut client = watching();
    client.feed(Input::Left);
    client.advance(5_000);
    assert_eq!(client.core.status(), Status::Connecting);
}

#[test]
fn connecting_begins_anew_in_a_page_that_comes_back() {
    let mut client = TestClient::new();
    client.connect(false);
    client.feed(Input::Left);
    client.now += 3_600_000;
    client.feed(Input::Woken);
    assert_eq!(client.settled(), None);
    assert_eq!(client.core.status(), Status::Connecting);
    client.advance(CONNECT_DEADLINE);
    assert_eq!(client.settled(), Some(Err(ConnectError::TimedOut)));
}

#[test]
fn the_connection_says_what_it_does_since_when_and_what_comes_next() {
    let mut client = TestClient::new();
    let state = client.core.connection();
    assert_eq!((state.status, state.since, state.last_heard), (Status::Disconnected, client.now, None));

    client.connect(true);
    let state = client.core.connection();
    assert_eq!((state.status, state.since, state.last_heard), (Status::Connecting, client.now, None));

    client.advance(200);
    client.first_frame();
    let connected = client.now;
    client.advance(3_000);
    client.health_check();
    let heard = client.now;
    let state = client.core.connection();
    assert_eq!((state.status, state.since, state.in_doubt), (Status::Connected, connected, false));
    assert_eq!(state.last_heard, Some(heard));

    client.feed(Input::NetworkChanged { online: false });
    let state = client.core.connection();
    assert_eq!((state.status, state.since, state.in_doubt), (Status::Connected, connected, true));

    client.advance(PROBE_DEADLINE);
    let state = client.core.connection();
    assert_eq!((state.status, state.since, state.in_doubt), (Status::WaitingToReconnect, client.now, false));
    assert_eq!(state.last_heard, Some(heard), "still worth knowing");
    assert!(state.next_try.is_some_and(|at| at >= client.now && at <= client.now + 1_000));

    client.feed(Input::Disconnect);
    let state = client.core.connection();
    assert_eq!((state.status, state.since, state.last_heard), (Status::Disconnected, client.now, None));
}
