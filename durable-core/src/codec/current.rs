//! The codec of the step that runs on this thread.
//!
//! The arguments of an activity are written where it is called, and a call does not name an engine.

use std::{
    cell::RefCell,
    sync::{Arc, LazyLock},
};

use super::Codec;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Codec>>> = const { RefCell::new(None) };
}

/// Outside of any engine, as in a unit test of an activity.
static NOWHERE: LazyLock<Codec> = LazyLock::new(Codec::new);

/// Calls `f` with the codec of the running step, or with one for the whole process outside of steps.
pub fn current<R>(f: impl FnOnce(&Codec) -> R) -> R {
    match CURRENT.with(|current| current.borrow().clone()) {
        Some(codec) => f(&codec),
        None => f(&NOWHERE),
    }
}

/// Runs `run` with `codec` as the current one.
pub(crate) fn with_current<R>(codec: &Arc<Codec>, run: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<Codec>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            CURRENT.with(|current| *current.borrow_mut() = before);
        }
    }
    let before = CURRENT.with(|current| current.borrow_mut().replace(codec.clone()));
    let _restore = Restore(before);
    run()
}
