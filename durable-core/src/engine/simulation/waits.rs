//! What will wake an instance that waits: for each thing that it waits for, the entry of the store that leads to it.

use durable_store::{Mailbox, Slot, Store};

use crate::{
    context::{OperationId, Wait},
    engine::{
        inner::Inner,
        state::{Address, Loaded, Operation, OperationKind},
    },
};

/// The operations that a wait names.
pub(super) fn operations(wait: &Wait, found: &mut Vec<OperationId>) {
    match wait {
        Wait::Op(id) => found.push(*id),
        Wait::Message(_) | Wait::Cancelled => {}
        Wait::All(parts) | Wait::Any(parts) | Wait::FirstErr(parts) => {
            parts.iter().for_each(|part| operations(part, found));
        }
    }
}

/// Why a pending operation would never end, if it would not.
pub(super) fn never_ends(
    inner: &Inner,
    slot: Slot,
    loaded: &Loaded,
    mailbox: &Mailbox,
    operation: &Operation,
) -> Option<String> {
    let me = Address { slot, number: loaded.number, operation: operation.id };
    let has_mail = mailbox.total() > 0;
    let marked = |what: &str| {
        (!loaded.stored_active).then(|| format!("{what} of an instance that no opening would look at"))
    };
    match &operation.kind {
        OperationKind::Activity(_) => marked("an activity"),
        OperationKind::Unwind(_) => marked("the running of compensations"),
        OperationKind::Start(_) | OperationKind::Child { address: None, .. } if has_mail => None,
        OperationKind::Start(_) | OperationKind::Child { address: None, .. } => {
            marked("the start of another")
        }
        OperationKind::Child { address: Some(child), .. } => match other(inner, *child) {
            Some(child) if child.state.origin.as_ref().is_some_and(|origin| origin.by == me) => None,
            _ if has_mail => None,
            Some(child) => Some(format!("child `{}` does not know who waits for it", child.id)),
            None => Some("its child has ended, and no message of that is there".into()),
        },
        OperationKind::Call { to, .. } => (other(inner, *to).is_none() && !has_mail)
            .then(|| "whom it asked is gone, and nothing was said of that".into()),
        OperationKind::Send(_) => Some("a message that was not sent in the transaction of its step".into()),
        // The timers of an instance are compared with the store's as a whole; a task waits like the main machine; the others wait for somebody outside.
        OperationKind::Timer { .. }
        | OperationKind::External { .. }
        | OperationKind::Task(_)
        | OperationKind::Created
        | OperationKind::Compensation(_)
        | OperationKind::Done(_) => None,
    }
}

/// The instance that an address names, if it has not ended.
fn other(inner: &Inner, address: Address) -> Option<Loaded> {
    let instance = Store::instance(&*inner.store, address.slot).ok()??;
    Loaded::read(instance).ok().filter(|loaded| loaded.number == address.number)
}
