//! What every [`Store`] must do, as small cases.
//!
//! Each case gets an empty store of its own and panics if the store fails it. A store whose
//! [`reopen`](Store::reopen) does not go through its medium would pass the cases of durability for
//! nothing: what survives a loss of power is shown elsewhere.

mod commits;
mod indexes;
mod instances;
mod large;
mod mail;
mod operations;
mod snapshots;

use super::sample::{create, instance};
use crate::{Batch, Error, Slot, Store};

/// A named case.
type Case = (&'static str, fn(&dyn Store));

/// Runs every case on a store from `make`, which must make an empty one each time.
///
/// # Panics
/// On the first case that fails, after printing its name.
pub fn run(make: impl Fn() -> Box<dyn Store>) {
    for (name, case) in CASES {
        println!("conformance: {name}");
        case(&*make());
    }
}

const CASES: &[Case] = &[
    ("an empty store answers with nothing", instances::empty),
    ("a created instance is found by id and by slot", instances::create_and_find),
    ("an update replaces the whole record", instances::update_replaces),
    ("a closed instance gives up its slot and keeps its id", instances::close_keeps_id),
    ("a slot is used again after its instance closed", instances::slot_reuse),
    ("no slot is handed out twice", instances::allocate_unique),
    ("gaps left by earlier sessions are used again", instances::gaps_after_reopening),
    ("a released slot is handed out again", instances::release_slot),
    ("an id starts again after its run closed", instances::restart_takes_id),
    ("a run closes and its id starts again in one batch", instances::restart_in_one_batch),
    ("live instances are scanned in order of slot, in pages", instances::scan_pages),
    ("several instances are read in the order asked", instances::read_several),
    ("a state grows, is edited anywhere and shrinks", large::edited),
    ("what a large state leaves behind is nobody's", large::gone),
    ("a page of large states is short", large::pages),
    ("timers come in order of deadline", indexes::timers_in_order),
    ("timers are read in pages up to a moment", indexes::timers_in_pages),
    ("the last of several changes of one timer holds", indexes::timer_changed_twice),
    ("active instances are indexed", indexes::active_index),
    ("the hint of a changed `active` need not be right", indexes::active_hint),
    ("operations are kept in order and per instance", operations::in_order),
    ("operations change while their instance's record is kept", operations::kept),
    ("the changes of one operation hold in their order", operations::changed_twice),
    ("a slot that is used again has no operations and no mail", operations::slot_starts_empty),
    ("the run in a slot is named", operations::owner),
    ("mail is read in order of place, queue by queue, in pages", mail::in_order),
    ("a mailbox counts what is put and taken", mail::counted),
    ("mailboxes are scanned in order of slot, in pages", mail::mailboxes),
    ("mail is taken and sent in one batch", mail::passed_on),
    ("a message reaches an instance created in the same batch", mail::to_the_new),
    ("contradictions about mail are refused whole", mail::conflicts),
    ("keys stay until their run expires", mail::keys),
    ("snapshots are kept per run and place", snapshots::per_run),
    ("snapshots stay until their run expires", snapshots::until_expiry),
    ("a chunk of another run's history goes with that run", snapshots::history_of_another),
    ("history is kept in order and per run", indexes::history_in_order),
    ("chunks of history are dropped from below", indexes::history_dropped),
    ("expired instances go with their history and their id", indexes::expired),
    ("expiry leaves the id to the run that has it now", indexes::expired_after_restart),
    ("closed instances are scanned in order of number, in pages", indexes::scan_closed_pages),
    ("layouts never change, programs are replaced", indexes::layouts_and_programs),
    ("the epoch counts openings", commits::epoch),
    ("a contradictory batch writes nothing at all", commits::conflict_is_atomic),
    ("every kind of contradiction is refused", commits::conflicts),
    ("a large batch commits as a small one does", commits::large_batch),
    ("a reopening sees exactly what was committed", commits::reopen_sees_all),
    ("settling changes nothing", commits::settle),
    ("values of any bytes and sizes come back", instances::any_bytes),
];

fn commit(store: &dyn Store, batch: impl Into<Batch>) {
    store.commit(&batch.into()).expect("the batch agrees with what is stored");
}

fn refused(store: &dyn Store, batch: impl Into<Batch>) {
    let refused = store.commit(&batch.into());
    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
}

fn allocate(store: &dyn Store) -> Slot {
    store.allocate().expect("there is always another slot")
}

/// Creates instances `a0`, `a1`, ... with the numbers 0, 1, ...
fn create_many(store: &dyn Store, count: u64) -> Vec<Slot> {
    let slots: Vec<Slot> = (0..count).map(|_| allocate(store)).collect();
    let transitions: Vec<_> =
        slots.iter().zip(0..).map(|(slot, n)| create(*slot, instance(&format!("a{n}"), n))).collect();
    commit(store, transitions);
    slots
}
