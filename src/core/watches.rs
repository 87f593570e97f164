//! The channels that the app asked to watch.

use rollcall_protocol::limits;

#[derive(Debug)]
struct ChannelWatch {
    cid: String,
    watch: bool,
    presence: bool,
}

/// Channels that can be asked for in one request.
pub(super) struct Page {
    pub(super) cids: Vec<String>,
    pub(super) watch: bool,
    pub(super) presence: bool,
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
    pub(super) fn pages(&self) -> Vec<Page> {
        let mut pages = Vec::new();
        for (watch, presence) in [(true, true), (true, false), (false, true)] {
            let alike: Vec<&ChannelWatch> =
                self.channels.iter().filter(|channel| (channel.watch, channel.presence) == (watch, presence)).collect();
            for page in alike.chunks(limits::CHANNELS_PER_REQUEST) {
                pages.push(Page { cids: page.iter().map(|channel| channel.cid.clone()).collect(), watch, presence });
            }
        }
        pages
    }
}
