//! What a transition has come to so far: all of it but who is to be answered, so that it can be copied.

use durable_store::{KeyChange, MailTaken, Slot, TimerChange};

use super::Effects;
use crate::{
    context::OperationId,
    engine::{
        history::{HistoryEvent, HistoryKind},
        kept::Keeping,
        mail::{MailView, Message},
        ready::Readiness,
        state::{Address, End, Loaded},
    },
};

/// What another instance gets.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) to: Address,
    pub(crate) message: Message,
}

/// A transition that is being made.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(super) slot: Slot,
    pub(super) create: bool,
    pub(super) now_ms: u64,
    pub(super) loaded: Box<Loaded>,
    /// What is in its mailbox and was not taken.
    pub(super) mail: MailView,
    pub(super) timers: Vec<TimerChange>,
    pub(super) taken: Vec<MailTaken>,
    pub(super) keys: Vec<KeyChange>,
    pub(super) effects: Effects,
    pub(super) end: Option<End>,
    /// The instance's record is to be written, not only what stands beside it.
    pub(super) changed: bool,
    /// How much of what each machine waits for is there; none: to be found out.
    pub(super) ready: Vec<(OperationId, Option<Readiness>)>,
    /// What is kept of it as an earlier snapshot.
    pub(super) keeping: Keeping,
}

impl Draft {
    pub(super) fn new(
        slot: Slot,
        mut loaded: Box<Loaded>,
        mail: MailView,
        now_ms: u64,
        create: bool,
        most_kept: u32,
    ) -> Self {
        let keeping = Keeping::new(most_kept, &loaded);
        let ready = std::mem::take(&mut loaded.ready);
        Draft {
            slot,
            create,
            now_ms,
            loaded,
            mail,
            timers: Vec::new(),
            taken: Vec::new(),
            keys: Vec::new(),
            effects: Effects::default(),
            end: None,
            changed: create,
            ready,
            keeping,
        }
    }

    /// What the store said of its mailbox when the transition began.
    pub(crate) fn mailbox(&self) -> &durable_store::Mailbox {
        self.mail.mailbox()
    }

    /// Notes what happened in the instance's history.
    pub(super) fn note(&mut self, kind: HistoryKind) {
        let event = HistoryEvent { at_ms: self.now_ms, step: self.loaded.state.steps, kind };
        self.loaded.state.history.push(&event);
        self.changed = true;
    }

    /// Notes what happened to an operation: beside it, if it can be written without the instance's record.
    pub(super) fn note_of(&mut self, id: OperationId, kind: HistoryKind) {
        if !self.loaded.state.operations.is_row(id) {
            return self.note(kind);
        }
        let event = HistoryEvent { at_ms: self.now_ms, step: self.loaded.state.steps, kind };
        self.loaded.state.operations.note(id, event);
    }

    /// A message is dealt with. Gives it.
    pub(super) fn take_mail(&mut self, queue: u64, seq: u64) {
        if self.mail.remove(queue, seq) {
            self.taken.push(MailTaken { queue, seq });
        }
        // Even if nothing comes of it, it must not come again.
        self.changed = true;
    }
}
