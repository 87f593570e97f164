//! A link to Redis that breaks while something else is going on.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use rollcall_server::cluster::{Cluster, Header, Lease, Message, Node, Options, Order, Topic};
use rollcall_server::metrics::Metrics;
use rollcall_server::presence::{Cid, UserId};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::block_in_place;

use crate::common::KEY;
use crate::common::redis::Redis;
use crate::faults::until;

/// A node that has much to do: what it hears takes as long as the test wants.
struct Busy {
    hears: UnboundedSender<()>,
    goes_on: Mutex<Receiver<()>>,
}

#[async_trait]
impl Node for Busy {
    fn heard(&self, _: Message) {
        self.hears.send(()).unwrap();
        // Fails when the test does not wait any more, which is as good.
        let _ = block_in_place(|| self.goes_on.lock().unwrap().recv());
    }

    async fn claim_all(&self) {}

    async fn take_back(&self, _: &Lease, _: Vec<UserId>, _: Vec<(Cid, UserId)>) {}

    async fn look_again(&self, _: Option<Duration>) {}

    fn needs(&self, _: &Topic) -> bool {
        true
    }

    fn forget(&self, _: &Topic) {}

    fn doubt(&self, _: bool) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_breaks_while_a_message_is_heard_keeps_nobody_waiting_for_the_message() {
    let Some(redis) = Redis::start() else { return };
    let options = Options { lease: Duration::from_secs(10), grace: Duration::ZERO };
    let cluster = Cluster::new(&redis.url(), KEY, options, Metrics::default()).unwrap();
    let (hears, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let (go_on, goes_on) = mpsc::channel();
    cluster.join(Arc::new(Busy { hears, goes_on: Mutex::new(goes_on) })).await.unwrap();
    let link = cluster.link().unwrap();

    let telling = cluster.clone();
    tokio::spawn(async move { telling.send(&Topic::Nodes, &Header::Order(Order::ExpelAll { code: 1012 })).await });
    begins.recv().await.unwrap();
    let breaking = cluster.clone();
    thread::spawn(move || breaking.broke(&link, &"a reply took too long"));
    // Whoever asks meanwhile whether there is a link, with whatever in their hands. By a thread: nothing of
    // the runtime's may be relied upon when its threads wait for each other.
    let (says, said) = mpsc::channel();
    let asking = cluster.clone();
    thread::spawn(move || {
        while asking.link().is_some() {
            thread::yield_now();
        }
        says.send(())
    });
    block_in_place(|| said.recv_timeout(Duration::from_secs(10))).unwrap();
    drop(go_on);
    until(async || cluster.link().is_some()).await;
}
