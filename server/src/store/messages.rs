use async_trait::async_trait;
use jiff::Timestamp;

use super::{Change, Custom, CustomChange, Limits, Result, Written, change};

/// A message as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: String,
    pub cid: String,
    pub user_id: String,
    pub text: String,
    /// The message this one replies to.
    pub parent_id: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    pub custom: Custom,
}

/// A message to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewMessage {
    /// Chosen by the sender, so that sending again after a lost reply does not send twice.
    pub id: String,
    pub cid: String,
    pub user_id: String,
    pub text: String,
    pub parent_id: Option<String>,
    pub custom: Custom,
}

impl NewMessage {
    pub(super) fn build(&self, now: Timestamp, limits: &Limits) -> Result<Message> {
        let mut message = Message {
            id: self.id.clone(),
            cid: self.cid.clone(),
            user_id: self.user_id.clone(),
            text: self.text.clone(),
            parent_id: self.parent_id.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            custom: Custom::new(),
        };
        let custom = CustomChange::set_all(self.custom.clone());
        CustomChange::apply_all(&custom, &mut message.custom, limits.custom_data_bytes, &self.id)?;
        change::check_texts([&self.id, &self.text], &self.id)?;
        Ok(message)
    }
}

/// What to change of one message. The default keeps everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageChange {
    /// Cleared: empty.
    pub text: Change<String>,
    /// Applied in order.
    pub custom: Vec<CustomChange>,
}

impl MessageChange {
    pub(super) fn apply(&self, message: &mut Message, limits: &Limits) -> Result<()> {
        self.text.apply_or(&mut message.text, String::new);
        CustomChange::apply_all(&self.custom, &mut message.custom, limits.custom_data_bytes, &message.id)?;
        change::check_texts([&message.text], &message.id)
    }
}

/// Which of a channel's messages. The default is the newest [`limit`](Self::limit).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessagePage {
    pub limit: u32,
    /// Only replies to this message; otherwise none of the replies.
    pub parent_id: Option<String>,
    /// Only messages older than this one.
    pub before: Option<String>,
    /// Only messages newer than this one; then the page holds the oldest of them.
    pub after: Option<String>,
    /// With `before` and `after`: the message itself too.
    pub inclusive: bool,
    /// This message amid those around it, whatever `before` and `after` say.
    pub around: Option<String>,
}

/// Messages: what makes a channel a channel, kept as simply as presence allows.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Writes a message: the channel's `last_message_at` moves, those who hid it see it again, and
    /// the author has read it.
    ///
    /// An id that is taken is an error ([`AlreadyExists`](super::StoreError::AlreadyExists)), and
    /// so is a channel, user or parent that does not exist.
    async fn insert_message(&self, new: &NewMessage, now: Timestamp) -> Result<Message>;

    /// The message with this id, deleted ones too.
    async fn message(&self, id: &str) -> Result<Option<Message>>;

    /// The newest messages of each channel, at most `limit` a channel, oldest first. One query,
    /// however many channels.
    async fn latest_messages(&self, cids: &[String], limit: u32) -> Result<Vec<Message>>;

    /// A page of one channel's messages, oldest first.
    async fn messages(&self, cid: &str, page: &MessagePage) -> Result<Vec<Message>>;

    /// Changes a message.
    async fn update_message(&self, id: &str, change: &MessageChange, now: Timestamp) -> Result<Written<Message>>;

    /// Marks a message as deleted.
    async fn delete_message(&self, id: &str, now: Timestamp) -> Result<Message>;

    /// Removes a message for good. Answers with what it was.
    async fn erase_message(&self, id: &str) -> Result<Message>;
}
