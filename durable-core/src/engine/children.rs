//! Instances that other instances start: who carries a start out, and what it comes to.
//!
//! A start is an operation of the instance that makes it, so it is durable with the step. It is carried out after that commit, and again
//! after a restart as long as it is not known to be done; the instance that is created names the operation it stands for, so that the
//! second time finds it. Its creation and its end are each committed together with the news of them for the other instance.

use durable_store::{Error as StoreError, Found, Number, Slot};

use super::{
    advance::Event,
    inner::Inner,
    start::{Decision, LOOKS, OnExisting, Requester, StartRequest},
    state::{Address, ClosedState, Loaded, Operation, OperationKind, Origin, ParkReason},
};
use crate::{
    context::{Completion, NewInstance, OnClose, OperationId},
    error::CallError,
};

/// What an instance that asked for a start is told.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) to: Address,
    pub(crate) completion: Completion,
    pub(crate) failed: bool,
}

impl Inner {
    /// The starts that a committed transition asks for; and what the instance gets if one can't be asked for.
    pub(crate) fn starts(
        &self,
        slot: Slot,
        loaded: &Loaded,
        operations: &[OperationId],
    ) -> (Vec<StartRequest>, Option<Event>) {
        let mut missing = None;
        let mut requests = Vec::with_capacity(operations.len());
        for id in operations {
            let Some(new) = loaded.state.operations.get(*id).and_then(to_be_created) else { continue };
            let by = Address { slot, number: loaded.number, operation: *id };
            let origin = Origin { by, id: loaded.id.clone(), on_close: new.on_close };
            let Some((workflow, _)) = self.registry.workflows.get_key_value(new.workflow.as_str()) else {
                let name = format!("workflow `{}`", new.workflow);
                missing = Some(Event::Park { reason: ParkReason::NotInBuild { name } });
                continue;
            };
            requests.push(StartRequest {
                id: new.id.clone(),
                workflow,
                args: new.args.clone(),
                on_existing: OnExisting::Attach,
                tags: Vec::new(),
                deadline_ms: self.registry.workflows[workflow].meta.deadline_ms,
                delay_ms: None,
                copied: None,
                messages: Vec::new(),
                by: Requester::Instance(origin),
            });
        }
        (requests, missing)
    }

    /// Decides a start, or has it wait for the end of a run: then it is nobody's here any more. A crash loses no more than the waiting, because
    /// whoever asked asks again after a restart.
    pub(super) fn decide_or_wait(
        &self,
        request: StartRequest,
    ) -> Option<(StartRequest, Result<Decision, StoreError>)> {
        loop {
            let decision = request.decide(self);
            let Ok(Decision::Ending(run)) = decision else { return Some((request, decision)) };
            self.lock().starts_after.entry(run).or_default();
            // It may have ended before that.
            let again = request.decide(self);
            let still = matches!(again, Ok(Decision::Ending(again)) if again == run);
            let mut shared = self.lock();
            match shared.starts_after.get_mut(&run) {
                Some(waiting) if still => {
                    waiting.push(request);
                    return None;
                }
                Some(waiting) if waiting.is_empty() => drop(shared.starts_after.remove(&run)),
                _ => {}
            }
        }
    }
}

/// The instance that an operation is to start, if that is not known to be done.
pub(super) fn to_be_created(operation: &Operation) -> Option<&NewInstance> {
    match &operation.kind {
        OperationKind::Child { child, address: None } => Some(child),
        OperationKind::Start(new) => Some(new),
        _ => None,
    }
}

/// What stands under an id.
struct Existing {
    number: Number,
    workflow: String,
    origin: Option<Origin>,
    closed: bool,
}

impl StartRequest {
    /// Looks at what stands under the id, for another instance.
    pub(super) fn decide_for(&self, inner: &Inner, origin: &Origin) -> Result<Decision, StoreError> {
        let Some(existing) = existing(inner, &self.id)? else { return Ok(Decision::Create) };
        if let Some(other) = &existing.origin {
            if other.by == origin.by {
                // It was created before, and the news of that is on its way with its creation.
                return Ok(Decision::Known);
            }
            // An earlier run of the same instance has left it behind.
            if other.id == origin.id && other.by.number != origin.by.number {
                if existing.closed {
                    return Ok(Decision::Create);
                }
                // It was told to end, and waits for an activity or undoes what it did.
                if matches!(other.on_close, Some(OnClose::Cancel | OnClose::Terminate)) {
                    return Ok(Decision::Ending(existing.number));
                }
            }
        }
        let is_there =
            origin.on_close.is_none() && inner.registry.is_same_workflow(&existing.workflow, self.workflow);
        let completion = if is_there {
            Completion::Done
        } else {
            Completion::Error(CallError::IdInUse { id: self.id.clone() })
        };
        Ok(Decision::Resolve(Resolved { to: origin.by, completion, failed: !is_there }))
    }
}

fn existing(inner: &Inner, id: &str) -> Result<Option<Existing>, StoreError> {
    for _ in 0..LOOKS {
        match inner.store.find(id)? {
            None => return Ok(None),
            Some(Found::Live(slot)) => {
                let Some(instance) = inner.store.instance(slot)?.filter(|instance| instance.id == id) else {
                    // It has closed between the two reads: look again.
                    continue;
                };
                let (number, workflow) = (instance.number, instance.workflow.clone());
                // One that can't be read is another's.
                let origin = Loaded::read(instance).ok().and_then(|loaded| loaded.state.origin);
                return Ok(Some(Existing { number, workflow, origin, closed: false }));
            }
            Some(Found::Closed(number)) => {
                let Some(closed) = inner.store.closed(number)? else { return Ok(None) };
                let state = postcard::from_bytes::<ClosedState>(&closed.state).ok();
                let origin = state.and_then(|state| state.origin);
                return Ok(Some(Existing { number, workflow: closed.workflow, origin, closed: true }));
            }
        }
    }
    Ok(None)
}
