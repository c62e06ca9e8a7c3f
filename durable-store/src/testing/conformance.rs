//! What every [`Store`] must do, as small cases.
//!
//! Each case gets an empty store of its own and panics if the store fails it. A store whose
//! [`reopen`](Store::reopen) does not go through its medium would pass the cases of durability for
//! nothing: what survives a loss of power is shown elsewhere.

use super::sample::{close, closed, create, instance, timer, update, update_active};
use crate::{Batch, Error, Found, Number, Slot, Store};

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
    ("an empty store answers with nothing", empty),
    (
        "a created instance is found by id and by slot",
        create_and_find,
    ),
    ("an update replaces the whole record", update_replaces),
    (
        "a closed instance gives up its slot and keeps its id",
        close_keeps_id,
    ),
    ("a slot is used again after its instance closed", slot_reuse),
    ("no slot is handed out twice", allocate_unique),
    (
        "gaps left by earlier sessions are used again",
        gaps_after_reopening,
    ),
    ("a released slot is handed out again", release_slot),
    ("an id starts again after its run closed", restart_takes_id),
    (
        "a run closes and its id starts again in one batch",
        restart_in_one_batch,
    ),
    (
        "live instances are scanned in order of slot, in pages",
        scan_pages,
    ),
    (
        "several instances are read in the order asked",
        read_several,
    ),
    ("timers come in order of deadline", timers_in_order),
    ("timers are read in pages up to a moment", timers_in_pages),
    (
        "the last of several changes of one timer holds",
        timer_changed_twice,
    ),
    ("active instances are indexed", active_index),
    (
        "the hint of a changed `active` need not be right",
        active_hint,
    ),
    ("history is kept in order and per run", history_in_order),
    ("chunks of history are dropped from below", history_dropped),
    (
        "expired instances go with their history and their id",
        expired,
    ),
    (
        "expiry leaves the id to the run that has it now",
        expired_after_restart,
    ),
    (
        "closed instances are scanned in order of number, in pages",
        scan_closed_pages,
    ),
    (
        "layouts never change, programs are replaced",
        layouts_and_programs,
    ),
    ("the epoch counts openings", epoch),
    (
        "a contradictory batch writes nothing at all",
        conflict_is_atomic,
    ),
    ("every kind of contradiction is refused", conflicts),
    ("a large batch commits as a small one does", large_batch),
    (
        "a reopening sees exactly what was committed",
        reopen_sees_all,
    ),
    ("settling changes nothing", settle),
    ("values of any bytes and sizes come back", any_bytes),
];

fn commit(store: &dyn Store, batch: impl Into<Batch>) {
    store
        .commit(&batch.into())
        .expect("the batch agrees with what is stored");
}

fn refused(store: &dyn Store, batch: impl Into<Batch>) {
    let refused = store.commit(&batch.into());
    assert!(
        matches!(refused, Err(Error::Conflict { .. })),
        "{refused:?}"
    );
}

fn allocate(store: &dyn Store) -> Slot {
    store.allocate().expect("there is always another slot")
}

/// Creates instances `a0`, `a1`, ... with the numbers 0, 1, ...
fn create_many(store: &dyn Store, count: u64) -> Vec<Slot> {
    let slots: Vec<Slot> = (0..count).map(|_| allocate(store)).collect();
    let transitions: Vec<_> = slots
        .iter()
        .zip(0..)
        .map(|(slot, n)| create(*slot, instance(&format!("a{n}"), n)))
        .collect();
    commit(store, transitions);
    slots
}

fn empty(store: &dyn Store) {
    assert_eq!(store.find("a").unwrap(), None);
    assert_eq!(store.instance(Slot(0)).unwrap(), None);
    assert_eq!(store.instances(&[Slot(0), Slot(7)]).unwrap(), [None, None]);
    assert!(store.scan(None, 10).unwrap().is_empty());
    assert!(store.active(None, 10).unwrap().is_empty());
    assert_eq!(store.closed(Number(0)).unwrap(), None);
    assert!(store.scan_closed(None, 10).unwrap().is_empty());
    assert!(store.timers(None, u64::MAX, 10).unwrap().is_empty());
    assert!(store.history(Number(0)).unwrap().is_empty());
    assert_eq!(store.layout(0).unwrap(), None);
    assert_eq!(store.program(0).unwrap(), None);
    commit(store, Batch::default());
}

fn create_and_find(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 7)));
    assert_eq!(store.find("a").unwrap(), Some(Found::Live(slot)));
    assert_eq!(store.find("b").unwrap(), None);
    assert_eq!(store.instance(slot).unwrap(), Some(instance("a", 7)));
}

fn update_replaces(store: &dyn Store) {
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

fn close_keeps_id(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 7)));
    commit(store, close(slot, closed("a", 7)));
    assert_eq!(store.instance(slot).unwrap(), None);
    assert_eq!(store.find("a").unwrap(), Some(Found::Closed(Number(7))));
    assert_eq!(store.closed(Number(7)).unwrap(), Some(closed("a", 7)));
    assert!(store.scan(None, 10).unwrap().is_empty());
}

fn slot_reuse(store: &dyn Store) {
    let slots = create_many(store, 3);
    commit(store, close(slots[1], closed("a1", 1)));
    let again = allocate(store);
    assert_eq!(again, slots[1]);
    commit(store, create(again, instance("b", 9)));
    assert_eq!(store.find("b").unwrap(), Some(Found::Live(again)));
    assert_eq!(store.find("a1").unwrap(), Some(Found::Closed(Number(1))));
}

fn allocate_unique(store: &dyn Store) {
    let mut slots = create_many(store, 20);
    commit(store, close(slots.remove(7), closed("a7", 7)));
    slots.extend((0..20).map(|_| allocate(store)));
    let count = slots.len();
    slots.sort_unstable();
    slots.dedup();
    assert_eq!(slots.len(), count);
}

fn gaps_after_reopening(store: &dyn Store) {
    let slots = create_many(store, 600);
    let given_up: Vec<Slot> = slots.iter().copied().step_by(3).collect();
    let closings: Vec<_> = given_up
        .iter()
        .map(|slot| {
            let n = slots
                .iter()
                .position(|other| other == slot)
                .expect("it is one of them") as u64;
            close(*slot, closed(&format!("a{n}"), n))
        })
        .collect();
    commit(store, closings);
    store.reopen().unwrap();
    // Some more are closed while the gaps are still being looked for.
    commit(
        store,
        vec![
            close(slots[1], closed("a1", 1)),
            close(slots[599], closed("a599", 599)),
        ],
    );
    let mut allocated: Vec<Slot> = (0..300).map(|_| allocate(store)).collect();
    for slot in &allocated {
        assert_eq!(store.instance(*slot).unwrap(), None, "{slot:?} is in use");
    }
    allocated.sort_unstable();
    allocated.dedup();
    assert_eq!(allocated.len(), 300, "a slot was handed out twice");
    let used_again = given_up
        .iter()
        .filter(|slot| allocated.contains(slot))
        .count();
    assert_eq!(used_again, given_up.len());
}

fn release_slot(store: &dyn Store) {
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

fn restart_takes_id(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 1)));
    commit(store, close(slot, closed("a", 1)));
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 2)));
    assert_eq!(store.find("a").unwrap(), Some(Found::Live(slot)));
    assert_eq!(
        store.closed(Number(1)).unwrap(),
        Some(closed("a", 1)),
        "the old run is still kept"
    );
}

fn restart_in_one_batch(store: &dyn Store) {
    let (old, new) = (allocate(store), allocate(store));
    for (old, new, number) in [(old, new, 1), (new, old, 2)] {
        if number == 1 {
            commit(store, create(old, instance("a", 1)));
        }
        commit(
            store,
            vec![
                create(new, instance("a", number + 1)),
                close(old, closed("a", number)),
            ],
        );
        assert_eq!(store.find("a").unwrap(), Some(Found::Live(new)));
        assert_eq!(store.instance(old).unwrap(), None);
    }
}

fn scan_pages(store: &dyn Store) {
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

fn read_several(store: &dyn Store) {
    let slots = create_many(store, 3);
    let read = store.instances(&[slots[2], Slot(999), slots[0]]).unwrap();
    assert_eq!(
        read,
        [Some(instance("a2", 2)), None, Some(instance("a0", 0))]
    );
}

fn timers_in_order(store: &dyn Store) {
    let slots = create_many(store, 3);
    let set: Vec<_> = [
        (1, 500, 0),
        (0, 300, 2),
        (2, 300, 1),
        (0, 300, 1),
        (1, 70_000_000_000, 5),
    ]
    .into_iter()
    .map(|(n, deadline, operation)| timer(deadline, slots[n], operation))
    .collect();
    commit(
        store,
        vec![
            update(slots[0], instance("a0", 0))
                .setting(set[1])
                .setting(set[3]),
            update(slots[1], instance("a1", 1))
                .setting(set[0])
                .setting(set[4]),
            update(slots[2], instance("a2", 2)).setting(set[2]),
        ],
    );
    let mut sorted = set.clone();
    sorted.sort_unstable();
    assert_eq!(store.timers(None, u64::MAX, 100).unwrap(), sorted);
    commit(
        store,
        update(slots[1], instance("a1", 1))
            .clearing(set[0])
            .clearing(timer(1, slots[1], 9)),
    );
    sorted.retain(|timer| *timer != set[0]);
    assert_eq!(store.timers(None, u64::MAX, 100).unwrap(), sorted);
}

fn timers_in_pages(store: &dyn Store) {
    let slots = create_many(store, 2);
    let set: Vec<_> = (0..20)
        .map(|n| timer(100 + n / 4, slots[(n % 2) as usize], n))
        .collect();
    for (number, slot) in slots.iter().enumerate() {
        let mine = set.iter().filter(|timer| timer.slot == *slot);
        let id = format!("a{number}");
        let transition = update(*slot, instance(&id, number as u64));
        commit(
            store,
            mine.fold(transition, |transition, timer| transition.setting(*timer)),
        );
    }
    let due: Vec<_> = set
        .iter()
        .copied()
        .filter(|timer| timer.deadline_ms <= 103)
        .collect();
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
    assert!(
        store
            .timers(Some(timer(104, slots[0], 0)), 103, 10)
            .unwrap()
            .is_empty()
    );
    let last = timer(u64::MAX, Slot(u64::MAX), u64::MAX);
    assert!(store.timers(Some(last), u64::MAX, 10).unwrap().is_empty());
}

fn timer_changed_twice(store: &dyn Store) {
    let slot = create_many(store, 1)[0];
    let (kept, gone) = (timer(5, slot, 1), timer(5, slot, 2));
    let transition = update(slot, instance("a0", 0));
    commit(
        store,
        transition
            .clearing(kept)
            .setting(gone)
            .setting(kept)
            .clearing(gone),
    );
    assert_eq!(store.timers(None, 10, 10).unwrap(), [kept]);
}

fn with_active(id: &str, number: u64, active: bool) -> crate::Instance {
    crate::Instance {
        active,
        ..instance(id, number)
    }
}

fn active_index(store: &dyn Store) {
    let slots: Vec<Slot> = (0..6).map(|_| allocate(store)).collect();
    for (n, slot) in slots.iter().enumerate() {
        let n = n as u64;
        commit(
            store,
            create(*slot, with_active(&format!("a{n}"), n, n.is_multiple_of(2))),
        );
    }
    assert_eq!(
        store.active(None, 10).unwrap(),
        [slots[0], slots[2], slots[4]]
    );
    assert_eq!(store.active(Some(slots[0]), 1).unwrap(), [slots[2]]);
    commit(
        store,
        vec![
            update_active(slots[1], with_active("a1", 1, true)),
            update_active(slots[0], with_active("a0", 0, false)),
            update(slots[4], with_active("a4", 4, true)),
        ],
    );
    assert_eq!(
        store.active(None, 10).unwrap(),
        [slots[1], slots[2], slots[4]]
    );
    commit(store, close(slots[2], closed("a2", 2)));
    assert_eq!(store.active(None, 10).unwrap(), [slots[1], slots[4]]);
}

fn active_hint(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, with_active("a", 1, true)));
    commit(store, update_active(slot, with_active("a", 1, true)));
    assert_eq!(store.active(None, 10).unwrap(), [slot]);
}

fn history_in_order(store: &dyn Store) {
    let slots = create_many(store, 2);
    for chunk in [2, 0, 300, 1] {
        let bytes = format!("chunk {chunk}").into_bytes();
        commit(
            store,
            update(slots[0], instance("a0", 0)).with_history(chunk, &bytes),
        );
    }
    commit(
        store,
        update(slots[1], instance("a1", 1)).with_history(0, b"another run"),
    );
    let chunks: Vec<u32> = store
        .history(Number(0))
        .unwrap()
        .iter()
        .map(|chunk| chunk.0)
        .collect();
    assert_eq!(chunks, [0, 1, 2, 300]);
    assert_eq!(
        store.history(Number(1)).unwrap(),
        [(0, b"another run".to_vec())]
    );
    commit(
        store,
        update(slots[1], instance("a1", 1)).with_history(0, b"again"),
    );
    assert_eq!(store.history(Number(1)).unwrap(), [(0, b"again".to_vec())]);
}

fn history_dropped(store: &dyn Store) {
    let slots = create_many(store, 2);
    for (n, slot) in slots.iter().enumerate() {
        let transition = update(*slot, instance(&format!("a{n}"), n as u64));
        commit(
            store,
            (0..6).fold(transition, |transition, chunk| {
                transition.with_history(chunk, b"x")
            }),
        );
    }
    let transition = update(slots[0], instance("a0", 0))
        .with_history(6, b"y")
        .with_history(1, b"z");
    commit(store, transition.dropping_history_below(4));
    let chunks: Vec<u32> = store
        .history(Number(0))
        .unwrap()
        .iter()
        .map(|chunk| chunk.0)
        .collect();
    assert_eq!(chunks, [4, 5, 6]);
    assert_eq!(
        store.history(Number(1)).unwrap().len(),
        6,
        "another run keeps its history"
    );
    commit(store, close(slots[0], closed("a0", 0)));
    assert_eq!(
        store.history(Number(0)).unwrap().len(),
        3,
        "history outlives the live record"
    );
}

fn expired(store: &dyn Store) {
    let slots = create_many(store, 3);
    for (n, slot) in slots.iter().enumerate().take(2) {
        let id = format!("a{n}");
        commit(
            store,
            close(*slot, closed(&id, n as u64)).with_history(0, b"x"),
        );
    }
    commit(
        store,
        Batch {
            expired: vec![Number(0), Number(77)],
            ..Batch::default()
        },
    );
    assert_eq!(store.find("a0").unwrap(), None);
    assert_eq!(store.closed(Number(0)).unwrap(), None);
    assert!(store.history(Number(0)).unwrap().is_empty());
    assert_eq!(store.find("a1").unwrap(), Some(Found::Closed(Number(1))));
    assert_eq!(store.history(Number(1)).unwrap().len(), 1);
    assert_eq!(store.find("a2").unwrap(), Some(Found::Live(slots[2])));
}

fn expired_after_restart(store: &dyn Store) {
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 1)));
    commit(store, close(slot, closed("a", 1)));
    let slot = allocate(store);
    commit(store, create(slot, instance("a", 2)));
    commit(
        store,
        Batch {
            expired: vec![Number(1)],
            ..Batch::default()
        },
    );
    assert_eq!(store.find("a").unwrap(), Some(Found::Live(slot)));
    assert_eq!(store.closed(Number(1)).unwrap(), None);
}

fn scan_closed_pages(store: &dyn Store) {
    let slots = create_many(store, 7);
    for (n, slot) in slots.iter().enumerate().rev() {
        commit(store, close(*slot, closed(&format!("a{n}"), n as u64)));
    }
    let mut seen: Vec<u64> = Vec::new();
    loop {
        let page = store
            .scan_closed(seen.last().map(|n| Number(*n)), 3)
            .unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|closed| closed.number.0));
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
}

fn layouts_and_programs(store: &dyn Store) {
    let layout = |bytes: &[u8]| Batch {
        layouts: vec![(5, bytes.to_vec())],
        ..Batch::default()
    };
    let program = |bytes: &[u8]| Batch {
        programs: vec![(6, bytes.to_vec())],
        ..Batch::default()
    };
    commit(store, layout(b"one"));
    commit(store, layout(b"one"));
    refused(store, layout(b"two"));
    assert_eq!(store.layout(5).unwrap(), Some(b"one".to_vec()));
    commit(store, program(b"one"));
    commit(store, program(b"two"));
    assert_eq!(store.program(6).unwrap(), Some(b"two".to_vec()));
    assert_eq!(store.program(5).unwrap(), None);
}

fn epoch(store: &dyn Store) {
    assert_eq!(store.epoch(), 1);
    for expected in 2..5 {
        store.reopen().unwrap();
        assert_eq!(store.epoch(), expected);
    }
}

/// Everything a store can be asked, as text.
fn everything(store: &dyn Store) -> String {
    let numbers = 0..40;
    let histories: Vec<_> = numbers.map(|n| store.history(Number(n)).unwrap()).collect();
    let layouts: Vec<_> = (0..8)
        .map(|id| (store.layout(id).unwrap(), store.program(id).unwrap()))
        .collect();
    let ids: Vec<_> = (0..40)
        .map(|n| store.find(&format!("a{n}")).unwrap())
        .collect();
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{histories:?}\n{layouts:?}\n{ids:?}",
        store.scan(None, 1_000).unwrap(),
        store.active(None, 1_000).unwrap(),
        store.scan_closed(None, 1_000).unwrap(),
        store.timers(None, u64::MAX, 1_000).unwrap(),
    )
}

/// A bit of everything.
fn furnish(store: &dyn Store) -> Vec<Slot> {
    let slots = create_many(store, 5);
    commit(
        store,
        Batch {
            transitions: vec![
                update_active(slots[3], with_active("a3", 3, true)).setting(timer(50, slots[3], 1)),
                close(slots[1], closed("a1", 1)).with_history(0, b"end"),
                update(slots[4], instance("a4", 4)).with_history(0, b"begin"),
            ],
            layouts: vec![(5, b"layout".to_vec())],
            programs: vec![(6, b"program".to_vec())],
            expired: vec![],
        },
    );
    slots
}

fn conflict_is_atomic(store: &dyn Store) {
    let slots = furnish(store);
    let before = everything(store);
    let free = allocate(store);
    let good = [
        create(free, with_active("b", 20, true))
            .setting(timer(1, free, 1))
            .with_history(0, b"x"),
        close(slots[0], closed("a0", 0)),
        update_active(slots[3], with_active("a3", 3, false)).clearing(timer(50, slots[3], 1)),
    ];
    let batch = |extra: Option<crate::Transition>, layout: &[u8]| Batch {
        transitions: good.iter().cloned().chain(extra).collect(),
        layouts: vec![(6, b"new".to_vec()), (5, layout.to_vec())],
        programs: vec![(6, b"other".to_vec())],
        expired: vec![Number(1)],
    };
    refused(store, batch(None, b"other layout"));
    assert_eq!(everything(store), before);
    refused(
        store,
        batch(Some(update(slots[4], instance("a4", 99))), b"layout"),
    );
    assert_eq!(everything(store), before);
    commit(store, batch(None, b"layout"));
    assert_ne!(everything(store), before);
}

fn conflicts(store: &dyn Store) {
    let slots = furnish(store);
    let before = everything(store);
    let free = allocate(store);
    refused(store, create(slots[0], instance("b", 20)));
    refused(store, create(free, instance("a0", 20)));
    refused(store, update(free, instance("b", 20)));
    refused(store, update(slots[0], instance("a0", 20)));
    refused(store, update(slots[0], instance("b", 0)));
    refused(store, close(free, closed("b", 20)));
    refused(store, close(slots[0], closed("a0", 20)));
    refused(store, close(slots[0], closed("b", 0)));
    refused(
        store,
        vec![
            update(slots[0], instance("a0", 0)),
            close(slots[0], closed("a0", 0)),
        ],
    );
    let mut torn = update(slots[0], instance("a0", 0));
    torn.number = Number(1);
    refused(store, torn);
    let other = allocate(store);
    refused(
        store,
        vec![
            create(free, instance("b", 20)),
            create(other, instance("b", 21)),
        ],
    );
    refused(store, create(free, instance(&"x".repeat(70_000), 20)));
    assert_eq!(everything(store), before);
    commit(store, create(free, instance("b", 20)));
}

fn large_batch(store: &dyn Store) {
    let slots = create_many(store, 2_500);
    let mut transitions: Vec<_> = slots
        .iter()
        .zip(0..)
        .map(|(slot, n)| {
            update(
                *slot,
                crate::Instance {
                    status: 8,
                    ..instance(&format!("a{n}"), n)
                },
            )
        })
        .collect();
    transitions.reverse();
    commit(store, transitions);
    store.settle().unwrap();
    store.reopen().unwrap();
    let all = store.scan(None, usize::MAX).unwrap();
    assert_eq!(all.len(), 2_500);
    assert!(all.iter().all(|(_, instance)| instance.status == 8));
}

fn reopen_sees_all(store: &dyn Store) {
    furnish(store);
    let before = everything(store);
    store.reopen().unwrap();
    assert_eq!(everything(store), before);
}

fn settle(store: &dyn Store) {
    store.settle().unwrap();
    furnish(store);
    let before = everything(store);
    store.settle().unwrap();
    store.settle().unwrap();
    assert_eq!(everything(store), before);
    store.reopen().unwrap();
    assert_eq!(everything(store), before);
}

fn any_bytes(store: &dyn Store) {
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
