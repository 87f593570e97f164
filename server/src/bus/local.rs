//! The bus of a single node: a function call.

use async_trait::async_trait;
use serde_json::json;

use super::{Audience, Bus, Envelope, Event, News, Sink};

pub struct LocalBus {
    sink: Sink,
}

impl LocalBus {
    pub fn new(sink: Sink) -> Self {
        Self { sink }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn tell(&self, news: &[News]) -> Vec<usize> {
        let mut flips = Vec::new();
        for (place, news) in news.iter().enumerate() {
            match alone(news) {
                Ok(Some(envelope)) => (self.sink)(&envelope),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "an event could not be serialised");
                    continue;
                }
            }
            if matches!(news, News::Stands(_)) {
                flips.push(place);
            }
        }
        flips
    }
}

/// What is told when there is no other node, if anything is.
fn alone(news: &News) -> serde_json::Result<Option<Envelope>> {
    let (audience, event): (Audience, Event) = match news {
        News::Event(envelope) => return Ok(Some(envelope.clone())),
        News::Stands(stands) => match &stands.event {
            Some(event) => (Audience::Presence(stands.user.clone()), event.explained(&stands.explanation)?),
            None => return Ok(None),
        },
        News::Watches(watches) => match &watches.event {
            Some(event) => {
                let count = json!({ "watcher_count": watches.watcher_count });
                (Audience::Channel(watches.cid.clone()), event.with(&count)?)
            }
            None => return Ok(None),
        },
        News::Updated(updated) => {
            (Audience::Presence(updated.user.clone()), updated.event.of(updated.is_online).clone())
        }
        News::Missed(_) | News::Order(_) => return Ok(None),
    };
    Ok(Some(Envelope { audience, event }))
}
