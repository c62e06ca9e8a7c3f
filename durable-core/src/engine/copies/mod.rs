//! Instances that begin where another one stood: forks, and what was exported and is imported.
//!
//! What an instance knows of others and others of it does not go with it. What was under way is done anew by the copy, under keys and ids
//! of its own; what only the original can be given (the answer to an update that it has sent) makes it one that can't be copied there.
//!
//! Invariant: a copy is created in one transaction, with all that it stands for, and with the news of it for the original.
//!
//! Deliberately absent: reading the snapshot with this build's types. That is a step's affair, as for any stored instance.

mod carry;
mod export;
mod exported;
mod fork;
mod gather;
mod import;
#[cfg(test)]
mod tests;

use durable_store::{Number, Slot};
use serde::{Deserialize, Serialize};

pub use export::ExportError;
pub use exported::{Exported, MAX_EXPORT_BYTES};
pub(crate) use fork::HELD;
pub use fork::{ForkError, NotKept};
pub use import::{Import, ImportError};

use super::{
    history::{HistoryEvent, HistoryKind, Tail},
    inner::Inner,
    mail::{MailView, Placed},
    state::{Address, InstanceState, Loaded, Operation, OperationKind, PeerRequest},
};
use crate::{context::OperationId, external::token_text};

/// An instance as it can be carried elsewhere: where it stood, and what of others it needs there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Portable {
    pub(crate) id: String,
    pub(crate) number: Number,
    pub(crate) slot: Slot,
    pub(crate) workflow: String,
    pub(crate) started_ms: u64,
    /// Its operations stand beside it.
    pub(crate) state: InstanceState,
    pub(crate) operations: Vec<Operation>,
    /// Messages for it: their queues, their places there, and what they are.
    pub(crate) mail: Vec<Placed>,
    /// The ids of those whose end it waits for.
    pub(crate) attached: Vec<(OperationId, String)>,
    #[serde(with = "durable_store::bytes")]
    pub(crate) history: Vec<u8>,
}

/// An instance that is to begin where another one stood.
#[derive(Debug)]
pub(crate) struct Copied {
    workflow: String,
    state: InstanceState,
    mail: Vec<Placed>,
    kind: HistoryKind,
    /// The operations that are completed from outside, with the tokens that the original has for them.
    tokens: Vec<(OperationId, String)>,
    /// The original, if it is here: it learns of the copy.
    pub(super) original: Option<Address>,
}

impl Portable {
    pub(crate) fn new(
        (id, workflow, started_ms): (String, String, u64),
        (number, slot): (Number, Slot),
        mut state: InstanceState,
    ) -> Self {
        let operations = std::mem::take(&mut state.operations).iter().cloned().collect();
        let history = std::mem::take(&mut state.history).bytes;
        let (mail, attached) = (Vec::new(), Vec::new());
        Portable { id, number, slot, workflow, started_ms, state, operations, mail, attached, history }
    }

    /// Notes the ids of those whose end it waits for: it knows only where they are.
    pub(crate) fn find_attached(&mut self, inner: &Inner) -> Result<(), durable_store::Error> {
        for operation in &self.operations {
            let OperationKind::Call { to, request: PeerRequest::Attach } = operation.kind else { continue };
            self.attached.extend(inner.id_of(to)?.map(|id| (operation.id, id)));
        }
        Ok(())
    }

    /// The same instance as a record, to be looked at.
    pub(crate) fn loaded(&self) -> Loaded {
        let mut state = self.state.clone();
        self.operations.iter().for_each(|operation| state.operations.insert(operation.clone()));
        Loaded::first(self.id.clone(), self.number, &self.workflow, self.started_ms, state)
    }
}

impl Portable {
    /// What an engine relies on in its own records, for one that may be another's.
    fn check(&self) -> Result<(), String> {
        // Numbers that are counted on from.
        const MOST: u64 = 1 << 62;
        let state = &self.state;
        let counts = [state.steps, state.next_operation];
        let ascend = self.operations.is_sorted_by(|one, next| one.id < next.id);
        let known = self.operations.iter().all(|op| op.id > 0 && op.id < state.next_operation);
        let attempts = |op: &Operation| match &op.kind {
            OperationKind::Activity(activity) => activity.failed_attempts < u32::MAX / 2,
            _ => true,
        };
        if counts.iter().any(|count| *count > MOST)
            || !ascend
            || !known
            || !self.operations.iter().all(attempts)
        {
            return Err("its exact state contradicts itself".into());
        }
        Ok(())
    }
}

impl Inner {
    /// The id of a run, while it is open or retained.
    pub(crate) fn id_of(&self, run: Address) -> Result<Option<String>, durable_store::Error> {
        let live = self.ask(|store| store.instance(run.slot))?;
        match live.filter(|instance| instance.number == run.number) {
            Some(instance) => Ok(Some(instance.id)),
            None => Ok(self.ask(|store| store.closed(run.number))?.map(|closed| closed.id)),
        }
    }
}

impl Copied {
    /// The record of the copy before its first step, and its mailbox.
    pub(crate) fn begin(
        self: Box<Self>,
        inner: &Inner,
        id: &str,
        slot: Slot,
        number: Number,
    ) -> (Box<Loaded>, MailView, HistoryKind) {
        let Copied { workflow, mut state, mut mail, kind, tokens, .. } = *self;
        if !tokens.is_empty() {
            (state, mail) = with_own_tokens(inner, state, mail, &tokens, slot, number);
        }
        let mut view = MailView::default();
        for (queue, seq, message) in mail {
            view.arrived(queue, seq, message);
        }
        let now_ms = inner.clock.now_ms();
        // When this run began: what has expired is found by it.
        (Box::new(Loaded::first(id.into(), number, &workflow, now_ms, state)), view, kind)
    }
}

/// Gives the copy tokens of its own, in all that it holds: a token has the same length everywhere and can't be there by chance.
fn with_own_tokens(
    inner: &Inner,
    state: InstanceState,
    mail: Vec<Placed>,
    tokens: &[(OperationId, String)],
    slot: Slot,
    number: Number,
) -> (InstanceState, Vec<Placed>) {
    let mut state = state;
    let operations: Vec<Operation> = std::mem::take(&mut state.operations).iter().cloned().collect();
    let encodes = "the engine's own records always encode";
    let mut bytes = postcard::to_stdvec(&(&state, &operations, &mail)).expect(encodes);
    let mut secrets = Vec::new();
    for (operation, old) in tokens {
        let secret = inner.random.bits().to_le_bytes();
        let new = token_text(Address { slot, number, operation: *operation }, secret);
        replace(&mut bytes, old.as_bytes(), new.as_bytes());
        secrets.push((*operation, secret));
    }
    let read: (InstanceState, Vec<Operation>, Vec<Placed>) =
        postcard::from_bytes(&bytes).expect("texts were replaced by others of their length");
    let (mut state, operations, mail) = read;
    for mut operation in operations {
        if let Some((_, new)) = secrets.iter().find(|(id, _)| *id == operation.id) {
            operation.kind = OperationKind::External { secret: *new };
        }
        state.operations.insert(operation);
    }
    (state, mail)
}

fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    debug_assert_eq!(old.len(), new.len());
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(old.len()).position(|window| window == old) {
        bytes[at + found..at + found + old.len()].copy_from_slice(new);
        at += found + old.len();
    }
}

/// The chunk of a closed run's history that says what was made of it: behind all of its own, and its own for each copy.
pub(crate) fn late_chunk(copy: Number) -> u32 {
    LATE_CHUNKS | (xxhash_rust::xxh3::xxh3_64(&copy.0.to_le_bytes()) as u32 & !LATE_CHUNKS)
}

/// Chunks from here on were written after the end of their run, in no order.
pub(crate) const LATE_CHUNKS: u32 = 1 << 31;

/// One event, as a chunk.
pub(crate) fn chunk_of(event: &HistoryEvent) -> Vec<u8> {
    let mut tail = Tail::default();
    tail.push(event);
    tail.bytes
}
