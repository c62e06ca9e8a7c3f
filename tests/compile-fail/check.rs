//! Many programs at once.

use std::{
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
    thread,
};

/// Checks all, on all processors; the complaints in order.
pub(crate) fn in_parallel<T: Sync>(all: &[T], check: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = all.get(at) else { return };
            let complaints = check(one);
            found.lock().expect("nobody panicked").push((at, complaints));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let mut found = found.into_inner().expect("nobody panicked");
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().flat_map(|(_, complaints)| complaints).collect()
}

/// Fails with every complaint.
pub(crate) fn report(complaints: &[String], checked: usize) {
    assert!(checked > 0, "nothing was checked");
    assert!(complaints.is_empty(), "{} complaints:\n\n{}\n", complaints.len(), complaints.join("\n\n"));
}
