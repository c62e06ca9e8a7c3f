//! Earlier snapshots of a run.

use super::super::sample::{close, closed, create, instance, keep, update};
use super::{allocate, commit, create_many};
use crate::{Batch, Number, Store};

/// Places and bytes as text.
fn of(store: &dyn Store, number: u64) -> Vec<(u32, String)> {
    let places = store.snapshots(Number(number)).unwrap().into_iter();
    let bytes = |place| store.snapshot(Number(number), place).unwrap().expect("it was just named");
    places.map(|place| (place, String::from_utf8(bytes(place)).unwrap())).collect()
}

pub(super) fn per_run(store: &dyn Store) {
    let slots = create_many(store, 4);
    assert!(store.snapshots(Number(0)).unwrap().is_empty());
    // Some have rows in front of and behind those of others, at places that these have and have not.
    commit(
        store,
        vec![
            update(slots[0], instance("a0", 0)).keeping(7, b"a0 7").keeping(u32::MAX, b"a0 max"),
            update(slots[1], instance("a1", 1)).keeping(0, b"a1 0").keeping(7, b"a1 7"),
            update(slots[3], instance("a3", 3)).keeping(3, b"a3 3").keeping(7, b"a3 7"),
        ],
    );
    assert_eq!(of(store, 0), [(7, "a0 7".into()), (u32::MAX, "a0 max".into())]);
    assert_eq!(of(store, 1), [(0, "a1 0".into()), (7, "a1 7".into())]);
    assert!(of(store, 2).is_empty());
    assert_eq!(of(store, 3), [(3, "a3 3".into()), (7, "a3 7".into())]);
    assert_eq!(store.snapshot(Number(1), 3).unwrap(), None);
    commit(store, keep(slots[1], 1).keeping(7, b"again").dropping(0).dropping(5));
    assert_eq!(of(store, 1), [(7, "again".into())]);
    commit(store, keep(slots[1], 1).keeping(2, b"gone").dropping(2).dropping(7).keeping(7, b"there"));
    assert_eq!(of(store, 1), [(7, "there".into())], "the last of several changes of one place holds");
    assert_eq!(of(store, 3).len(), 2, "another run keeps its own");
}

pub(super) fn until_expiry(store: &dyn Store) {
    let slots = create_many(store, 3);
    for (number, slot) in (0..).zip(&slots) {
        commit(store, keep(*slot, number).keeping(1, b"x").keeping(2, b"y"));
    }
    commit(store, close(slots[1], closed("a1", 1)));
    assert_eq!(of(store, 1).len(), 2, "they outlive the instance");
    let again = allocate(store);
    commit(store, create(again, instance("a1", 9)).keeping(1, b"z"));
    assert_eq!((of(store, 9).len(), of(store, 1).len()), (1, 2), "a later run has its own");
    commit(store, Batch { expired: vec![Number(1)], ..Batch::default() });
    assert!(of(store, 1).is_empty());
    assert_eq!((of(store, 0).len(), of(store, 2).len(), of(store, 9).len()), (2, 2, 1));
}

pub(super) fn history_of_another(store: &dyn Store) {
    let slots = create_many(store, 2);
    commit(store, close(slots[0], closed("a0", 0)).with_history(0, b"own"));
    commit(store, keep(slots[1], 1).with_history_of(0, 9, b"of the other"));
    assert_eq!(store.history(Number(0)).unwrap(), [(0, b"own".to_vec()), (9, b"of the other".to_vec())]);
    assert!(store.history(Number(1)).unwrap().is_empty());
    commit(store, Batch { expired: vec![Number(0)], ..Batch::default() });
    assert!(store.history(Number(0)).unwrap().is_empty());
}
