//! A message from outside: it waits in its queue until it is taken, unless it came before or there is no room.

use durable_store::KeyChange;

use super::{Advance, Posted};
use crate::{
    context::Refused,
    engine::{
        error::EngineError,
        mail::{Answer, KeyRow, Message, MessageKind, Sender},
        state::Happened,
    },
};

impl Advance<'_> {
    pub(super) fn received(&mut self, message: Message, sender: Option<Sender>) {
        if sender.as_ref().is_some_and(|sender| sender.to != self.draft.loaded.id) {
            return self.tell(sender, Answer::Refused(Refused::NotFound));
        }
        if let Some(key) = &message.key {
            match self.known(key) {
                Ok(None) => {}
                Ok(Some(row)) => return self.came_before(row, sender),
                Err(error) => {
                    if let Some(sender) = sender {
                        sender.refuse(error);
                    }
                    return;
                }
            }
        }
        let most = self.engine.settings.max_messages;
        // Updates that are not answered take room until they are.
        let there = self.draft.mail.unread() as usize + self.draft.loaded.state.requests.len();
        if there >= most as usize {
            return self.tell(sender, Answer::Refused(Refused::Full { most: u64::from(most) }));
        }
        let (queue, kind, seq) = (message.queue(), message.kind(), self.engine.next_seq());
        if let Some(key) = message.key {
            let row = match kind {
                MessageKind::Signal => KeyRow::Signal,
                MessageKind::Update => KeyRow::Pending { seq },
            };
            self.put_key(key, &row);
        }
        self.draft.mail.arrived(queue, seq, message);
        self.happened(Happened::Message { seq, queue });
        self.callers.senders.extend(sender.map(|sender| Posted { seq, kind, sender }));
    }

    /// The instance ends without some of what has just come: not acknowledged, it was never there.
    pub(super) fn refuse_late(&mut self) {
        let Some(callers) = self.callers.touched() else { return };
        let senders = std::mem::take(&mut callers.senders);
        let (late, senders) = senders.into_iter().partition(|posted| self.draft.mail.holds(posted.seq));
        (callers.late, callers.senders) = (late, senders);
        for posted in &callers.late {
            if let Some(key) = self.draft.mail.discard(posted.seq) {
                self.draft.keys.retain(|KeyChange::Put(_, other, _)| *other != key);
            }
        }
    }

    fn came_before(&mut self, row: KeyRow, sender: Option<Sender>) {
        match row {
            KeyRow::Signal => self.tell(sender, Answer::Received),
            KeyRow::Answered(answer) => self.tell(sender, Answer::of(answer)),
            KeyRow::Pending { seq } => self.callers.waiting.extend(sender.map(|sender| (seq, sender))),
        }
    }

    /// Tells the sender once it is durable, and nothing if it can't be.
    fn tell(&mut self, sender: Option<Sender>, answer: Answer) {
        self.callers.answered.extend(sender.map(|sender| (sender, answer)));
    }

    /// What stands under a key. The store is the truth of it: the instance has no other transition under way.
    fn known(&self, key: &[u8; 16]) -> Result<Option<KeyRow>, EngineError> {
        let here = self.draft.keys.iter().find(|KeyChange::Put(_, other, _)| other == key);
        let bytes = match here {
            Some(KeyChange::Put(_, _, bytes)) => Some(bytes.clone()),
            None if self.draft.create => None,
            None => self.engine.ask(|store| store.key(self.draft.loaded.number, key))?,
        };
        let unreadable = |error: postcard::Error| EngineError::Unreadable {
            id: self.draft.loaded.id.clone(),
            reason: format!("what stands under a key: {error}"),
        };
        bytes.map(|bytes| postcard::from_bytes(&bytes).map_err(unreadable)).transpose()
    }
}
