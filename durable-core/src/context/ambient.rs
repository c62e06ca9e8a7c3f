//! The step that runs on this thread: what durable calls that are no futures talk to.
//!
//! Nobody holds the borrow while user code runs (a `Serialize` may call `spawn`), so encode first and enter then.

use std::{cell::RefCell, rc::Rc};

use super::{Limits, Scratch};

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<Scratch>>>> = const { RefCell::new(None) };
}

/// Runs a machine, of which this is the scratch.
pub(crate) fn enter<R>(scratch: &Rc<RefCell<Scratch>>, run: impl FnOnce() -> R) -> R {
    with_current(Some(scratch.clone()), run)
}

fn with_current<R>(scratch: Option<Rc<RefCell<Scratch>>>, run: impl FnOnce() -> R) -> R {
    /// A step may panic, and the thread goes on.
    struct Restore(Option<Rc<RefCell<Scratch>>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            CURRENT.with(|current| *current.borrow_mut() = before);
        }
    }
    let before = CURRENT.with(|current| std::mem::replace(&mut *current.borrow_mut(), scratch));
    let _restore = Restore(before);
    run()
}

/// Runs code that is no part of the machine: durable calls work in it no more than outside of workflows.
pub(crate) fn outside<R>(run: impl FnOnce() -> R) -> R {
    with_current(None, run)
}

/// The running step, for the durable call `what`.
///
/// # Panics
/// If no workflow runs on this thread.
pub(crate) fn with<R>(what: &'static str, f: impl FnOnce(&mut Scratch) -> R) -> R {
    match CURRENT.with(|current| current.borrow().clone()) {
        Some(scratch) => f(&mut scratch.borrow_mut()),
        None => panic!("`{what}` works in a #[workflow] only, and no workflow runs here"),
    }
}

/// The limits of the running step, and the defaults where none runs: what is made there never gets anywhere.
pub(crate) fn limits() -> Limits {
    CURRENT
        .with(|current| current.borrow().as_ref().map(|scratch| scratch.borrow().limits))
        .unwrap_or_default()
}
