//! Live instances, their ids and their slots.

use super::super::sample::{close, closed, create, instance, update};
use super::{allocate, commit, create_many};
use crate::{Batch, Found, Number, Slot, Store};

pub(super) fn empty(store: &dyn Store) {
    assert_eq!(store.find("a").unwrap(), None);
    assert_eq!(store.instance(Slot(0)).unwrap(), None);
    assert_eq!(store.instances(&[Slot(0), Slot(7)]).unwrap(), [None, None]);
    assert!(store.scan(None, 10).unwrap().is_empty());
    assert!(store.active(None, 10).unwrap().is_empty());
    assert_eq!(store.closed(Number(0)).unwrap(), None);
    assert!(store.scan_closed(None, 10).unwrap().is_empty());
    assert!(store.timers(None, u64::MAX, 10).unwrap().is_empty());
    assert_eq!(store.owner(Slot(0)).unwrap(), None);
    assert!(store.operations(Slot(0)).unwrap().is_empty());
    assert_eq!(store.operation(Slot(0), 0).unwrap(), None);
    assert_eq!(store.mailbox(Slot(0)).unwrap(), None);
    assert!(store.mailboxes(None, 10).unwrap().is_empty());
    assert!(store.mail(Slot(0), 0, None, 10).unwrap().is_empty());
    assert_eq!(store.key(Number(0), &[0; 16]).unwrap(), None);
    assert!(store.history(Number(0)).unwrap().is_empty());
    assert_eq!(store.layout(0).unwrap(), None);
    assert_eq!(store.program(0).unwrap(), None);
    commit(store, Batch::default());
}

pub(super) fn create_and_find(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 7)));
    assert_eq!(store.find("a").unwrap(), Some(Found::Live(slot)));
    assert_eq!(store.find("b").unwrap(), None);
    assert_eq!(store.instance(slot).unwrap(), Some(instance("a", 7)));
}

pub(super) fn update_replaces(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 7)));
    let mut next = instance("a", 7);
    next.status = 4;
    next.state = vec![0; 9_000];
    commit(store, update(slot, next.clone()));
    assert_eq!(store.instance(slot).unwrap(), Some(next.clone()));
    next.state.clear();
    commit(store, update(slot, next.clone()));
    assert_eq!(store.instance(slot).unwrap(), Some(next));
}

pub(super) fn close_keeps_id(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 7)));
    commit(store, close(slot, closed("a", 7)));
    assert_eq!(store.instance(slot).unwrap(), None);
    assert_eq!(store.find("a").unwrap(), Some(Found::Closed(Number(7))));
    assert_eq!(store.closed(Number(7)).unwrap(), Some(closed("a", 7)));
    assert!(store.scan(None, 10).unwrap().is_empty());
}

pub(super) fn slot_reuse(store: &dyn Store) {
    let slots = create_many(store, 3);
    commit(store, close(slots[1], closed("a1", 1)));
    let again = allocate(store);
    assert_eq!(again, slots[1]);
    commit(store, create(again, instance("b", 9)));
    assert_eq!(store.find("b").unwrap(), Some(Found::Live(again)));
    assert_eq!(store.find("a1").unwrap(), Some(Found::Closed(Number(1))));
}

pub(super) fn allocate_unique(store: &dyn Store) {
    let mut slots = create_many(store, 20);
    commit(store, close(slots.remove(7), closed("a7", 7)));
    slots.extend((0..20).map(|_| allocate(store)));
    let count = slots.len();
    slots.sort_unstable();
    slots.dedup();
    assert_eq!(slots.len(), count);
}

pub(super) fn gaps_after_reopening(store: &dyn Store) {
    let slots = create_many(store, 600);
    let given_up: Vec<Slot> = slots.iter().copied().step_by(3).collect();
    let closings: Vec<_> = given_up
        .iter()
        .map(|slot| {
            let n = slots.iter().position(|other| other == slot).expect("it is one of them") as u64;
            close(*slot, closed(&format!("a{n}"), n))
        })
        .collect();
    commit(store, closings);
    store.reopen().unwrap();
    // Some more are closed while the gaps are still being looked for.
    commit(store, vec![close(slots[1], closed("a1", 1)), close(slots[599], closed("a599", 599))]);
    let mut allocated: Vec<Slot> = (0..300).map(|_| allocate(store)).collect();
    for slot in &allocated {
        assert_eq!(store.instance(*slot).unwrap(), None, "{slot:?} is in use");
    }
    allocated.sort_unstable();
    allocated.dedup();
    assert_eq!(allocated.len(), 300, "a slot was handed out twice");
    let used_again = given_up.iter().filter(|slot| allocated.contains(slot)).count();
    assert_eq!(used_again, given_up.len());
}

pub(super) fn release_slot(store: &dyn Store) {
    let slot = allocate(store);
    let other = allocate(store);
    store.release(slot);
    assert_eq!(allocate(store), slot);
    store.release(slot);
    store.reopen().unwrap();
    let (first, second) = (allocate(store), allocate(store));
    // Handed out before the reopening: giving it back now must not make it free a second time.
    commit(store, create(first, instance("a", 1)));
    store.release(first);
    store.release(other);
    let third = allocate(store);
    assert!(third != first && (third != second || third == other));
}

pub(super) fn restart_takes_id(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 1)));
    commit(store, close(slot, closed("a", 1)));
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 2)));
    assert_eq!(store.find("a").unwrap(), Some(Found::Live(slot)));
    assert_eq!(store.closed(Number(1)).unwrap(), Some(closed("a", 1)), "the old run is still kept");
}

pub(super) fn restart_in_one_batch(store: &dyn Store) {
    let (old, new) = (allocate(store), allocate(store));
    for (old, new, number) in [(old, new, 1), (new, old, 2)] {
        if number == 1 {
            commit(store, create(old, instance("a", 1)));
        }
        commit(store, vec![create(new, instance("a", number + 1)), close(old, closed("a", number))]);
        assert_eq!(store.find("a").unwrap(), Some(Found::Live(new)));
        assert_eq!(store.instance(old).unwrap(), None);
    }
}

pub(super) fn scan_pages(store: &dyn Store) {
    let slots = create_many(store, 10);
    let mut seen = Vec::new();
    loop {
        let page = store.scan(seen.last().copied(), 3).unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        for (slot, instance) in page {
            assert_eq!(store.instance(slot).unwrap(), Some(instance));
            seen.push(slot);
        }
    }
    assert_eq!(seen, slots);
    assert!(store.scan(None, 0).unwrap().is_empty());
}

pub(super) fn read_several(store: &dyn Store) {
    let slots = create_many(store, 3);
    let read = store.instances(&[slots[2], Slot(999), slots[0]]).unwrap();
    assert_eq!(read, [Some(instance("a2", 2)), None, Some(instance("a0", 0))]);
}

pub(super) fn any_bytes(store: &dyn Store) {
    let sizes = [0, 1, 255, 4_096, 70_000, 1_000_000];
    for (n, size) in sizes.into_iter().enumerate() {
        let slot = allocate(store);
        let mut big = instance(&"\u{1F980}/\0 ".repeat(n + 1), n as u64);
        big.state = (0..size).map(|byte: u32| byte as u8).collect();
        big.workflow = String::new();
        big.started_ms = u64::MAX;
        commit(store, create(slot, big.clone()));
        assert_eq!(store.find(&big.id).unwrap(), Some(Found::Live(slot)));
        assert_eq!(store.instance(slot).unwrap(), Some(big));
    }
    let slot = allocate(store);
    commit(store, create(slot, instance("", 1 << 63)));
    assert_eq!(store.find("").unwrap(), Some(Found::Live(slot)));
}
