//! States of all sizes: what becomes of them when they grow, are edited, shrink and go.

use super::super::random::Rng;
use super::super::sample::{close, closed, create, instance, keep, update};
use super::{allocate, commit};
use crate::{Batch, Closed, Error, Instance, Number, Slot, Store};

fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    (0..len).map(|_| rng.next_u64() as u8).collect()
}

fn of(id: &str, number: u64, state: Vec<u8>) -> Instance {
    Instance { state, ..instance(id, number) }
}

/// Everything that tells the state of an instance tells this one.
fn holds(store: &dyn Store, slot: Slot, right: &Instance) {
    // Not compared by `assert_eq`, which would print it all.
    assert!(store.instance(slot).unwrap().as_ref() == Some(right), "{} bytes", right.state.len());
    let all = store.instances(&[slot, Slot(1_000_000), slot]).unwrap();
    assert!(all == [Some(right.clone()), None, Some(right.clone())], "{} bytes", right.state.len());
    let scanned = store.scan(slot.0.checked_sub(1).map(Slot), 1).unwrap();
    assert!(scanned == [(slot, right.clone())], "{} bytes", right.state.len());
}

pub(super) fn edited(store: &dyn Store) {
    let slot = allocate(store);
    let mut right = of("a", 0, noise(100, 1));
    commit(store, create(slot, right.clone()));
    let mut rng = Rng::new(2);
    let mut sizes = Vec::new();
    for step in 0..60_u64 {
        let state = &mut right.state;
        let at = rng.below(state.len() as u64 + 1) as usize;
        match step % 6 {
            // Grows, at the end more often than not.
            0 | 1 => state.extend(noise(rng.below(60_000) as usize, step)),
            2 => drop(state.splice(at..at, noise(rng.below(20) as usize, step))),
            // The same bytes twice, and many times.
            3 => state.extend_from_within(..at),
            4 => state.extend(std::iter::repeat_n(7, rng.below(20_000) as usize)),
            _ => drop(state.drain(at..)),
        }
        if step % 20 == 19 {
            state.truncate(if step == 39 { 0 } else { 3_000 });
        }
        sizes.push(state.len());
        commit(store, update(slot, right.clone()));
        commit(store, keep(slot, 0));
        if step % 10 == 0 {
            store.reopen().unwrap();
        }
        holds(store, slot, &right);
    }
    assert!(sizes.iter().any(|size| *size > 200_000), "{sizes:?}");
    // Large enough for whatever lists of lists a store may keep.
    right.state = noise(3_000_000, 3);
    commit(store, update(slot, right.clone()));
    right.state.insert(0, 1);
    commit(store, update(slot, right.clone()));
    store.reopen().unwrap();
    holds(store, slot, &right);
}

pub(super) fn gone(store: &dyn Store) {
    let slot = allocate(store);
    let state = noise(200_000, 1);
    commit(store, create(slot, of("a", 0, state.clone())));
    commit(store, vec![close(slot, closed("a", 0))]);
    assert_eq!(store.instance(slot).unwrap(), None);
    // The slot is used again: with a small state, and with a large one that has the same bytes in it.
    let again = allocate(store);
    assert_eq!(again, slot);
    let small = of("b", 1, vec![1]);
    commit(store, create(slot, small.clone()));
    holds(store, slot, &small);
    let large = of("b", 1, [&state[50_000..], &[9; 100], &state[..70_000]].concat());
    commit(store, update(slot, large.clone()));
    holds(store, slot, &large);
    let other = allocate(store);
    commit(store, vec![create(other, of("c", 2, state.clone())), update(slot, of("b", 1, vec![2]))]);
    holds(store, other, &of("c", 2, state.clone()));
    holds(store, slot, &of("b", 1, vec![2]));
    commit(store, vec![close(other, closed("c", 2)), update(slot, of("b", 1, state.clone()))]);
    store.reopen().unwrap();
    holds(store, slot, &of("b", 1, state));
    let end = Closed { state: noise(3 << 20, 7), ..closed("b", 1) };
    commit(store, vec![close(slot, end.clone())]);
    store.reopen().unwrap();
    assert!(store.closed(Number(1)).unwrap().as_ref() == Some(&end), "a large end");
    commit(store, create(slot, of("d", 1, vec![1])));
    let again = store.commit(&Batch::from(close(slot, Closed { id: "d".to_owned(), ..end.clone() })));
    assert!(matches!(again, Err(Error::Conflict { .. })), "a number is closed once: {again:?}");
    assert!(store.closed(Number(1)).unwrap().as_ref() == Some(&end), "nothing of it was written");
}

pub(super) fn pages(store: &dyn Store) {
    let states: Vec<_> = (0..6).map(|seed| noise(5 << 20, seed)).collect();
    for (number, state) in (0..).zip(&states) {
        commit(store, create(allocate(store), of(&format!("a{number}"), number, state.clone())));
    }
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let page = store.scan(found.last().map(|(slot, _)| *slot), usize::MAX).unwrap();
        if page.is_empty() {
            break;
        }
        found.extend(page);
        pages += 1;
    }
    assert!(found.iter().map(|(_, instance)| &instance.state).eq(&states));
    assert!(pages > 1, "30 MiB came at once");
    let slots: Vec<_> = found.iter().map(|(slot, _)| *slot).collect();
    let (mut asked, mut readings) = (0, 0);
    while asked < slots.len() {
        let read = store.instances(&slots[asked..]).unwrap();
        let states = read.iter().map(|instance| instance.as_ref().map(|instance| &instance.state));
        assert!(states.eq(found[asked..][..read.len()].iter().map(|(_, instance)| Some(&instance.state))));
        assert!(!read.is_empty(), "at least one");
        asked += read.len();
        readings += 1;
    }
    assert!(readings > 1, "30 MiB came at once");
}
