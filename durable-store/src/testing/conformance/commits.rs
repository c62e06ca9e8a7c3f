//! Batches as a whole: atomic, refused when they contradict, there after a reopening.

use super::super::sample::{close, closed, create, instance, keep, mail, timer, update, update_active};
use super::indexes::with_active;
use super::{allocate, commit, create_many, refused};
use crate::{Batch, Number, Slot, Store};

pub(super) fn epoch(store: &dyn Store) {
    assert_eq!(store.epoch(), 1);
    for expected in 2..5 {
        store.reopen().unwrap();
        assert_eq!(store.epoch(), expected);
    }
}

/// Everything a store can be asked, as text.
pub(super) fn everything(store: &dyn Store) -> String {
    let numbers = 0..40;
    let histories: Vec<_> = numbers.map(|n| store.history(Number(n)).unwrap()).collect();
    let layouts: Vec<_> = (0..8).map(|id| (store.layout(id).unwrap(), store.program(id).unwrap())).collect();
    let ids: Vec<_> = (0..40).map(|n| store.find(&format!("a{n}")).unwrap()).collect();
    let beside: Vec<_> = (0..20)
        .map(Slot)
        .map(|slot| (store.operations(slot).unwrap(), store.mail(slot, 7, None, 100).unwrap()))
        .collect();
    let keys: Vec<_> = (0..40).map(|n| store.key(Number(n), &[3; 16]).unwrap()).collect();
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{histories:?}\n{layouts:?}\n{ids:?}\n{beside:?}\n{keys:?}",
        store.scan(None, 1_000).unwrap(),
        store.active(None, 1_000).unwrap(),
        store.scan_closed(None, 1_000).unwrap(),
        store.timers(None, u64::MAX, 1_000).unwrap(),
        store.mailboxes(None, 1_000).unwrap(),
    )
}

/// A bit of everything.
pub(super) fn furnish(store: &dyn Store) -> Vec<Slot> {
    let slots = create_many(store, 5);
    commit(
        store,
        Batch {
            transitions: vec![
                update_active(slots[3], with_active("a3", 3, true)).setting(timer(50, slots[3], 1)),
                close(slots[1], closed("a1", 1)).with_history(0, b"end"),
                update(slots[4], instance("a4", 4)).with_history(0, b"begin"),
                keep(slots[0], 0)
                    .putting(1, b"operation")
                    .sending(mail(slots[0], 7, 10))
                    .sending(mail(slots[2], 7, 11))
                    .remembering(0, [3; 16], b"key"),
            ],
            layouts: vec![(5, b"layout".to_vec())],
            programs: vec![(6, b"program".to_vec())],
            expired: vec![],
        },
    );
    slots
}

pub(super) fn conflict_is_atomic(store: &dyn Store) {
    let slots = furnish(store);
    let before = everything(store);
    let free = allocate(store);
    let good = [
        create(free, with_active("b", 20, true)).setting(timer(1, free, 1)).with_history(0, b"x"),
        close(slots[0], closed("a0", 0)),
        update_active(slots[3], with_active("a3", 3, false)).clearing(timer(50, slots[3], 1)),
        keep(slots[2], 2)
            .putting(1, b"operation")
            .taking(7, 11)
            .sending(mail(free, 7, 12))
            .remembering(2, [3; 16], b"key"),
    ];
    let batch = |extra: Option<crate::Transition>, layout: &[u8]| Batch {
        transitions: good.iter().cloned().chain(extra).collect(),
        layouts: vec![(6, b"new".to_vec()), (5, layout.to_vec())],
        programs: vec![(6, b"other".to_vec())],
        expired: vec![Number(1)],
    };
    refused(store, batch(None, b"other layout"));
    assert_eq!(everything(store), before);
    refused(store, batch(Some(update(slots[4], instance("a4", 99))), b"layout"));
    assert_eq!(everything(store), before);
    commit(store, batch(None, b"layout"));
    assert_ne!(everything(store), before);
}

pub(super) fn conflicts(store: &dyn Store) {
    let slots = furnish(store);
    let before = everything(store);
    let free = allocate(store);
    refused(store, create(slots[0], instance("b", 20)));
    refused(store, create(free, instance("a0", 20)));
    refused(store, update(free, instance("b", 20)));
    refused(store, update(slots[0], instance("a0", 20)));
    refused(store, update(slots[0], instance("b", 0)));
    refused(store, keep(free, 20));
    refused(store, keep(slots[0], 20));
    refused(store, vec![keep(slots[0], 0), update(slots[0], instance("a0", 0))]);
    refused(store, close(free, closed("b", 20)));
    refused(store, close(slots[0], closed("a0", 20)));
    refused(store, close(slots[0], closed("b", 0)));
    refused(store, vec![update(slots[0], instance("a0", 0)), close(slots[0], closed("a0", 0))]);
    let mut torn = update(slots[0], instance("a0", 0));
    torn.number = Number(1);
    refused(store, torn);
    let other = allocate(store);
    refused(store, vec![create(free, instance("b", 20)), create(other, instance("b", 21))]);
    refused(store, create(free, instance(&"x".repeat(70_000), 20)));
    assert_eq!(everything(store), before);
    commit(store, create(free, instance("b", 20)));
}

pub(super) fn large_batch(store: &dyn Store) {
    let slots = create_many(store, 2_500);
    let mut transitions: Vec<_> = slots
        .iter()
        .zip(0..)
        .map(|(slot, n)| update(*slot, crate::Instance { status: 8, ..instance(&format!("a{n}"), n) }))
        .collect();
    transitions.reverse();
    commit(store, transitions);
    store.settle().unwrap();
    store.reopen().unwrap();
    let all = store.scan(None, usize::MAX).unwrap();
    assert_eq!(all.len(), 2_500);
    assert!(all.iter().all(|(_, instance)| instance.status == 8));
}

pub(super) fn reopen_sees_all(store: &dyn Store) {
    furnish(store);
    let before = everything(store);
    store.reopen().unwrap();
    assert_eq!(everything(store), before);
}

pub(super) fn settle(store: &dyn Store) {
    store.settle().unwrap();
    furnish(store);
    let before = everything(store);
    store.settle().unwrap();
    store.settle().unwrap();
    assert_eq!(everything(store), before);
    store.reopen().unwrap();
    assert_eq!(everything(store), before);
}
