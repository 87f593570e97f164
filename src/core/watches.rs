//! The channels that the app asked to watch.

use super::io::Ask;
use rollcall_protocol::limits;

#[derive(Debug)]
struct ChannelWatch {
    cid: String,
    watch: bool,
    presence: bool,
}

#[derive(Debug, Default)]
pub(super) struct Watches {
    channels: Vec<ChannelWatch>,
}

impl Watches {
    /// Asking again adds to what was asked before, as it does on the server.
    pub(super) fn add(&mut self, cid: &str, watch: bool, presence: bool) {
        match self.channels.iter_mut().find(|channel| channel.cid == cid) {
            Some(channel) => {
                channel.watch |= watch;
                channel.presence |= presence;
            }
            None => self.channels.push(ChannelWatch { cid: cid.to_owned(), watch, presence }),
        }
    }

    pub(super) fn remove(&mut self, cid: &str) {
        self.channels.retain(|channel| channel.cid != cid);
    }

    /// All of it, in pages no larger than the server answers.
    pub(super) fn pages(&self, take: &mut dyn FnMut(Ask)) {
        for (watch, presence) in [(true, true), (true, false), (false, true)] {
            let alike = self.channels.iter().filter(|channel| (channel.watch, channel.presence) == (watch, presence));
            let cids: Vec<String> = alike.map(|channel| channel.cid.clone()).collect();
            for page in cids.chunks(limits::CHANNELS_PER_REQUEST) {
                take(Ask::Channels { cids: page.to_vec(), watch, presence });
            }
        }
    }
}
