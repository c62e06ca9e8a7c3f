//! What becomes of each thing that an instance stands for when it begins again as another.

use super::{Copied, Portable};
use crate::{
    context::{NewInstance, NewOperation, Outgoing, Sent},
    engine::{
        history::{HistoryKind, Tail},
        inner::Inner,
        state::{Address, Operation, OperationKind, PeerRequest, ReplyTo, Stop, machines},
    },
    external::token_text,
    registry::Machine,
};

/// As what it begins again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// As another instance beside the original: calls under way are other calls, and its deadline counts from now.
    Fork,
    /// As the same instance in another place, perhaps under another id.
    Import { paused: bool, exported_ms: u64 },
}

impl Portable {
    /// The copy, or why there can be none.
    pub(crate) fn carry(
        mut self,
        inner: &Inner,
        id: &str,
        how: As,
        kind: HistoryKind,
    ) -> Result<Copied, String> {
        let now_ms = inner.clock.now_ms();
        if self.state.ending.is_some() {
            return Err("its end is decided there, and it only runs its compensations".into());
        }
        let renamed = id != self.id;
        let new_keys = how == As::Fork || renamed;
        let saved = if renamed { self.saved() } else { Vec::new() };
        let mut operations = std::mem::take(&mut self.operations);
        let mut tokens = Vec::new();
        for operation in &mut operations {
            let was = Address { slot: self.slot, number: self.number, operation: operation.id };
            if let OperationKind::External { secret } = operation.kind {
                tokens.push((operation.id, token_text(was, secret)));
            }
            if let OperationKind::Activity(activity) = &mut operation.kind
                && new_keys
            {
                **activity = activity.again(Some(inner.random.bits()), now_ms);
            }
            if let (As::Import { exported_ms, .. }, OperationKind::Activity(activity)) =
                (how, &mut operation.kind)
            {
                // What is left of a back-off is left, whatever the time is here.
                let left_ms = activity.next_attempt_ms.saturating_sub(exported_ms);
                activity.next_attempt_ms = now_ms.saturating_add(left_ms);
            }
            self.carry_operation(operation, id, &saved)?;
            operation.notes.clear();
        }
        if matches!(how, As::Import { .. }) {
            self.renumber(inner, &mut operations);
        }
        let Portable { workflow, mut state, started_ms, mut mail, history, .. } = self;
        for (_, _, message) in &mut mail {
            // Whoever sent it is answered by the original.
            (message.reply, message.key) = (ReplyTo::Nobody, None);
        }
        state.history = Tail { chunk: 0, bytes: if how == As::Fork { Vec::new() } else { history } };
        state.since_ms = now_ms;
        (state.parked, state.origin) = (None, None);
        state.requests.clear();
        state.watchers.clear();
        state.stop = state.stop.filter(|stop| stop.handled);
        match how {
            As::Fork => {
                state.paused_ms = None;
                let left = |deadline_ms: u64| deadline_ms.saturating_sub(started_ms);
                state.deadline_ms =
                    state.deadline_ms.map(|deadline_ms| now_ms.saturating_add(left(deadline_ms)));
            }
            As::Import { paused: true, .. } => state.paused_ms = state.paused_ms.or(Some(now_ms)),
            As::Import { paused: false, .. } => {}
        }
        operations.into_iter().for_each(|operation| state.operations.insert(operation));
        Ok(Copied { workflow, state, mail, kind, tokens, original: None })
    }

    fn carry_operation(&self, operation: &mut Operation, id: &str, saved: &[u8]) -> Result<(), String> {
        let started = |child: &mut NewInstance| self.rename(child, id);
        match &mut operation.kind {
            OperationKind::Child { child, address } => {
                let is_held = saved.windows(child.id.len()).any(|window| window == child.id.as_bytes());
                if is_held {
                    return Err(format!(
                        "one of its variables holds the handle of its child `{}`, which is the original's",
                        child.id
                    ));
                }
                *address = None;
                started(child)?;
            }
            OperationKind::Compensation(entry) => {
                if let NewOperation::Child(child) = &mut entry.call {
                    started(child)?;
                }
            }
            OperationKind::Call { request: PeerRequest::Update, .. } => {
                return Err(
                    "it waits there for the answer to an update that it has sent to another instance, \
                            which answers only the original"
                        .into(),
                );
            }
            OperationKind::Call { request: PeerRequest::Attach, .. } => {
                let attached = self.attached.iter().find(|(attached, _)| *attached == operation.id);
                let Some((_, to)) = attached else {
                    return Err("it waits there for the end of an instance that is not kept any more".into());
                };
                let again = Outgoing { to: to.clone(), what: Sent::Attach };
                operation.kind = OperationKind::Send(Box::new(again));
            }
            _ => {}
        }
        Ok(())
    }

    /// A child has its parent's id in front of its own.
    fn rename(&self, child: &mut NewInstance, id: &str) -> Result<(), String> {
        let own = child.id.strip_prefix(self.id.as_str()).filter(|own| own.starts_with('/'));
        let Some(own) = own else {
            return Err(format!("its child `{}` does not have its id in front", child.id));
        };
        child.id = format!("{id}{own}");
        Ok(())
    }

    /// All variables, and what is awaited, as they are saved.
    fn saved(&self) -> Vec<u8> {
        let machines = machines(&self.workflow, &self.state.machine, self.operations.iter());
        let bytes = machines.map(|(_, _, machine)| match machine {
            Machine::Start(args) => &*args.bytes,
            Machine::At(image) => &*image.vars,
        });
        bytes.collect::<Vec<_>>().join(&0)
    }

    /// What has happened gets numbers of this engine's, in the same order; what is held keeps the number that it is held by.
    fn renumber(&mut self, inner: &Inner, operations: &mut [Operation]) {
        let done = operations.iter_mut().filter_map(|operation| match &mut operation.kind {
            OperationKind::Done(done) => Some(&mut done.seq),
            _ => None,
        });
        let held: Vec<_> = self.state.held.iter().map(|held| held.seq).collect();
        let mail = self.mail.iter_mut().map(|(_, seq, _)| seq).filter(|seq| !held.contains(seq));
        let stop = self.state.stop.iter_mut().map(|Stop { seq, .. }| seq);
        let mut all: Vec<&mut u64> = done.chain(mail).chain(stop).collect();
        all.sort_unstable();
        for seq in all {
            *seq = inner.next_seq();
        }
    }
}
