//! What stands beside the live instances: timers, active ones, history, closed ones, layouts.

use super::super::sample::{close, closed, create, instance, timer, update, update_active};
use super::{allocate, commit, create_many, refused};
use crate::{Batch, Found, Number, Slot, Store};

pub(super) fn timers_in_order(store: &dyn Store) {
    let slots = create_many(store, 3);
    let set: Vec<_> = [(1, 500, 0), (0, 300, 2), (2, 300, 1), (0, 300, 1), (1, 70_000_000_000, 5)]
        .into_iter()
        .map(|(n, deadline, operation)| timer(deadline, slots[n], operation))
        .collect();
    commit(
        store,
        vec![
            update(slots[0], instance("a0", 0)).setting(set[1]).setting(set[3]),
            update(slots[1], instance("a1", 1)).setting(set[0]).setting(set[4]),
            update(slots[2], instance("a2", 2)).setting(set[2]),
        ],
    );
    let mut sorted = set.clone();
    sorted.sort_unstable();
    assert_eq!(store.timers(None, u64::MAX, 100).unwrap(), sorted);
    commit(store, update(slots[1], instance("a1", 1)).clearing(set[0]).clearing(timer(1, slots[1], 9)));
    sorted.retain(|timer| *timer != set[0]);
    assert_eq!(store.timers(None, u64::MAX, 100).unwrap(), sorted);
}

pub(super) fn timers_in_pages(store: &dyn Store) {
    let slots = create_many(store, 2);
    let set: Vec<_> = (0..20).map(|n| timer(100 + n / 4, slots[(n % 2) as usize], n)).collect();
    for (number, slot) in slots.iter().enumerate() {
        let mine = set.iter().filter(|timer| timer.slot == *slot);
        let id = format!("a{number}");
        let transition = update(*slot, instance(&id, number as u64));
        commit(store, mine.fold(transition, |transition, timer| transition.setting(*timer)));
    }
    let due: Vec<_> = set.iter().copied().filter(|timer| timer.deadline_ms <= 103).collect();
    let mut seen = Vec::new();
    while let Ok(page) = store.timers(seen.last().copied(), 103, 3) {
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    let mut sorted = due;
    sorted.sort_unstable();
    assert_eq!(seen, sorted);
    assert!(store.timers(None, 99, 10).unwrap().is_empty());
    assert!(store.timers(Some(timer(104, slots[0], 0)), 103, 10).unwrap().is_empty());
    let last = timer(u64::MAX, Slot(u64::MAX), u64::MAX);
    assert!(store.timers(Some(last), u64::MAX, 10).unwrap().is_empty());
}

pub(super) fn timer_changed_twice(store: &dyn Store) {
    let slot = create_many(store, 1)[0];
    let (kept, gone) = (timer(5, slot, 1), timer(5, slot, 2));
    let transition = update(slot, instance("a0", 0));
    commit(store, transition.clearing(kept).setting(gone).setting(kept).clearing(gone));
    assert_eq!(store.timers(None, 10, 10).unwrap(), [kept]);
}

pub(super) fn with_active(id: &str, number: u64, active: bool) -> crate::Instance {
    crate::Instance { active, ..instance(id, number) }
}

pub(super) fn active_index(store: &dyn Store) {
    let slots: Vec<Slot> = (0..6).map(|_| allocate(store)).collect();
    for (n, slot) in slots.iter().enumerate() {
        let n = n as u64;
        commit(store, create(*slot, with_active(&format!("a{n}"), n, n.is_multiple_of(2))));
    }
    assert_eq!(store.active(None, 10).unwrap(), [slots[0], slots[2], slots[4]]);
    assert_eq!(store.active(Some(slots[0]), 1).unwrap(), [slots[2]]);
    commit(
        store,
        vec![
            update_active(slots[1], with_active("a1", 1, true)),
            update_active(slots[0], with_active("a0", 0, false)),
            update(slots[4], with_active("a4", 4, true)),
        ],
    );
    assert_eq!(store.active(None, 10).unwrap(), [slots[1], slots[2], slots[4]]);
    commit(store, close(slots[2], closed("a2", 2)));
    assert_eq!(store.active(None, 10).unwrap(), [slots[1], slots[4]]);
}

pub(super) fn active_hint(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, with_active("a", 1, true)));
    commit(store, update_active(slot, with_active("a", 1, true)));
    assert_eq!(store.active(None, 10).unwrap(), [slot]);
}

pub(super) fn history_in_order(store: &dyn Store) {
    let slots = create_many(store, 2);
    for chunk in [2, 0, 300, 1] {
        let bytes = format!("chunk {chunk}").into_bytes();
        commit(store, update(slots[0], instance("a0", 0)).with_history(chunk, &bytes));
    }
    commit(store, update(slots[1], instance("a1", 1)).with_history(0, b"another run"));
    let chunks: Vec<u32> = store.history(Number(0)).unwrap().iter().map(|chunk| chunk.0).collect();
    assert_eq!(chunks, [0, 1, 2, 300]);
    assert_eq!(store.history(Number(1)).unwrap(), [(0, b"another run".to_vec())]);
    commit(store, update(slots[1], instance("a1", 1)).with_history(0, b"again"));
    assert_eq!(store.history(Number(1)).unwrap(), [(0, b"again".to_vec())]);
}

pub(super) fn history_dropped(store: &dyn Store) {
    let slots = create_many(store, 2);
    for (n, slot) in slots.iter().enumerate() {
        let transition = update(*slot, instance(&format!("a{n}"), n as u64));
        commit(store, (0..6).fold(transition, |transition, chunk| transition.with_history(chunk, b"x")));
    }
    let transition = update(slots[0], instance("a0", 0)).with_history(6, b"y").with_history(1, b"z");
    commit(store, transition.dropping_history_below(4));
    let chunks: Vec<u32> = store.history(Number(0)).unwrap().iter().map(|chunk| chunk.0).collect();
    assert_eq!(chunks, [4, 5, 6]);
    assert_eq!(store.history(Number(1)).unwrap().len(), 6, "another run keeps its history");
    commit(store, close(slots[0], closed("a0", 0)));
    assert_eq!(store.history(Number(0)).unwrap().len(), 3, "history outlives the live record");
}

pub(super) fn expired(store: &dyn Store) {
    let slots = create_many(store, 3);
    for (n, slot) in slots.iter().enumerate().take(2) {
        let id = format!("a{n}");
        commit(store, close(*slot, closed(&id, n as u64)).with_history(0, b"x"));
    }
    commit(store, Batch { expired: vec![Number(0), Number(77)], ..Batch::default() });
    assert_eq!(store.find("a0").unwrap(), None);
    assert_eq!(store.closed(Number(0)).unwrap(), None);
    assert!(store.history(Number(0)).unwrap().is_empty());
    assert_eq!(store.find("a1").unwrap(), Some(Found::Closed(Number(1))));
    assert_eq!(store.history(Number(1)).unwrap().len(), 1);
    assert_eq!(store.find("a2").unwrap(), Some(Found::Live(slots[2])));
}

pub(super) fn expired_after_restart(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 1)));
    commit(store, close(slot, closed("a", 1)));
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 2)));
    commit(store, Batch { expired: vec![Number(1)], ..Batch::default() });
    assert_eq!(store.find("a").unwrap(), Some(Found::Live(slot)));
    assert_eq!(store.closed(Number(1)).unwrap(), None);
}

pub(super) fn scan_closed_pages(store: &dyn Store) {
    let slots = create_many(store, 7);
    for (n, slot) in slots.iter().enumerate().rev() {
        commit(store, close(*slot, closed(&format!("a{n}"), n as u64)));
    }
    let mut seen: Vec<u64> = Vec::new();
    loop {
        let page = store.scan_closed(seen.last().map(|n| Number(*n)), 3).unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|closed| closed.number.0));
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
}

pub(super) fn layouts_and_programs(store: &dyn Store) {
    let layout = |bytes: &[u8]| Batch { layouts: vec![(5, bytes.to_vec())], ..Batch::default() };
    let program = |bytes: &[u8]| Batch { programs: vec![(6, bytes.to_vec())], ..Batch::default() };
    commit(store, layout(b"one"));
    commit(store, layout(b"one"));
    refused(store, layout(b"two"));
    assert_eq!(store.layout(5).unwrap(), Some(b"one".to_vec()));
    commit(store, program(b"one"));
    commit(store, program(b"two"));
    assert_eq!(store.program(6).unwrap(), Some(b"two".to_vec()));
    assert_eq!(store.program(5).unwrap(), None);
}
