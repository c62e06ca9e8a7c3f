//! Panics of user code, with the place where they happened.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

/// A caught panic.
#[derive(Debug)]
pub(crate) struct Caught {
    pub(crate) message: String,
    pub(crate) place: String,
}

thread_local! {
    /// Where the last panic on this thread happened.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
    /// Whether panics on this thread are nobody's affair.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// The same for a panic that means nothing, because what set it off was made up: it is not printed.
pub(crate) fn catch_quietly<T>(run: impl FnOnce() -> T) -> Result<T, Caught> {
    let before = QUIET.replace(true);
    let caught = catch(run);
    QUIET.set(before);
    caught
}

/// Runs `run`; a panic in it is caught. The process's panic hook still prints it.
pub(crate) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, Caught> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let place = info
                .location()
                .map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()));
            // The thread may be past its locals: then nobody asks for the place either.
            let _ = PLACE.try_with(|last| last.replace(place));
            if !QUIET.try_with(Cell::get).unwrap_or_default() {
                previous(info);
            }
        }));
    });
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let caught = Caught { message: message(&*payload), place: PLACE.take() };
        // What was thrown may panic when it is dropped; what that throws is left alone.
        if let Err(thrown) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(thrown);
        }
        caught
    })
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}
