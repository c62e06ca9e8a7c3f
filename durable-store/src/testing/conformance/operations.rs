//! Operations that stand beside their instance.

use super::super::sample::{close, closed, create, instance, keep, mail, update};
use super::{allocate, commit, create_many, refused};
use crate::{Instance, Number, Slot, Store};

/// The operations' numbers and bytes as text.
fn of(store: &dyn Store, slot: Slot) -> Vec<(u64, String)> {
    let operations = store.operations(slot).unwrap().into_iter();
    operations.map(|operation| (operation.operation, String::from_utf8(operation.bytes).unwrap())).collect()
}

pub(super) fn in_order(store: &dyn Store) {
    let slots = create_many(store, 3);
    for operation in [5, 0, u64::MAX, 300] {
        let bytes = format!("operation {operation}").into_bytes();
        commit(store, update(slots[1], instance("a1", 1)).putting(operation, &bytes));
        assert_eq!(store.operation(slots[1], operation).unwrap(), Some(bytes));
    }
    commit(store, keep(slots[0], 0).putting(5, b"another"));
    let numbers: Vec<u64> = of(store, slots[1]).iter().map(|operation| operation.0).collect();
    assert_eq!(numbers, [0, 5, 300, u64::MAX]);
    assert_eq!(of(store, slots[0]), [(5, "another".to_owned())]);
    assert!(of(store, slots[2]).is_empty());
    commit(store, keep(slots[1], 1).removing(5).removing(77));
    assert_eq!(store.operation(slots[1], 5).unwrap(), None);
    assert_eq!(of(store, slots[1]).len(), 3);
    assert_eq!(of(store, slots[0]).len(), 1, "another instance keeps its own");
}

pub(super) fn kept(store: &dyn Store) {
    let slot = allocate(store);
    let before = Instance { state: vec![7; 20_000], active: true, ..instance("a", 7) };
    commit(store, create(slot, before.clone()).putting(1, b"pending"));
    commit(store, keep(slot, 7).putting(1, b"done").with_history(0, b"chunk"));
    assert_eq!(store.instance(slot).unwrap(), Some(before));
    assert_eq!(store.active(None, 10).unwrap(), [slot]);
    assert_eq!(of(store, slot), [(1, "done".to_owned())]);
    assert_eq!(store.history(Number(7)).unwrap().len(), 1);
    refused(store, keep(slot, 8).putting(1, b"of another run"));
    refused(store, keep(allocate(store), 7).putting(1, b"of nobody"));
    assert_eq!(of(store, slot), [(1, "done".to_owned())]);
}

pub(super) fn changed_twice(store: &dyn Store) {
    let slot = create_many(store, 1)[0];
    let transition = keep(slot, 0).putting(1, b"first").removing(1).putting(1, b"second");
    commit(store, transition.putting(2, b"gone").removing(2));
    assert_eq!(of(store, slot), [(1, "second".to_owned())]);
}

pub(super) fn slot_starts_empty(store: &dyn Store) {
    let slots = create_many(store, 3);
    for (n, slot) in (0..).zip(&slots) {
        let full = (0..50).fold(keep(*slot, n), |full, seq| {
            full.putting(seq, b"x").sending(mail(*slot, seq % 4, seq)).sending(mail(*slot, u64::MAX, seq))
        });
        commit(store, full);
    }
    // What the last transition says of them does not matter.
    commit(store, close(slots[1], closed("a1", 1)).putting(3, b"late").removing(4).taking(0, 0));
    assert_eq!(allocate(store), slots[1]);
    commit(store, create(slots[1], instance("b", 9)));
    assert!(of(store, slots[1]).is_empty());
    assert_eq!(store.mailbox(slots[1]).unwrap(), None);
    for queue in [0, 1, 2, 3, u64::MAX] {
        assert!(store.mail(slots[1], queue, None, 100).unwrap().is_empty());
    }
    for slot in [slots[0], slots[2]] {
        assert_eq!(of(store, slot).len(), 50, "the neighbours keep theirs");
        assert_eq!(store.mailbox(slot).unwrap().map(|mailbox| mailbox.total()), Some(100));
    }
}

pub(super) fn owner(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 7)));
    assert_eq!(store.owner(slot).unwrap(), Some(Number(7)));
    commit(store, close(slot, closed("a", 7)));
    assert_eq!(store.owner(slot).unwrap(), None);
    commit(store, create(slot, instance("a", 8)));
    assert_eq!(store.owner(slot).unwrap(), Some(Number(8)));
}
