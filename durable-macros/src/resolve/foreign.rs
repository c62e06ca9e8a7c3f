//! Calls that work in async Rust and can't in a workflow, told by their paths: a runtime's tasks, timers and combinators, whose state would
//! be lost in a crash. One that is imported under its bare name is a type error where it is awaited.

use super::Resolver;
use crate::diagnostics::{Refusal, refusal};
use syn::{Expr, ExprCall, Path};

/// Where such functions and macros come from.
const RUNTIMES: &[&str] = &["tokio", "futures", "futures_util", "async_std", "smol", "tokio_stream"];

impl Resolver {
    /// Whether a macro is refused.
    pub(super) fn refuse_macro(&mut self, path: &Path) -> bool {
        let Some((name, foreign)) = name_of(path) else { return false };
        // A macro of the user's own may have such a name; behind a path it is taken for theirs.
        if !foreign && path.segments.len() > 1 {
            return false;
        }
        let (why, help, page) = match name.as_str() {
            // A bare one is durable's own, and was written out.
            "select" if foreign => (
                "what its branches have got is lost in a crash",
                "write `durable::select!`, whose branches are written alike",
                "foreign-select",
            ),
            "select_biased" => (
                "what its branches have got is lost in a crash",
                "write `durable::select! { biased; .. }`",
                "foreign-select",
            ),
            "join" => (
                "what it has got is lost in a crash",
                "await them together: `(first, second).join().await`",
                "foreign-join",
            ),
            "try_join" => (
                "what it has got is lost in a crash",
                "await them together: `(first, second).try_join().await`",
                "foreign-join",
            ),
            _ => return false,
        };
        self.refuse(path, "!", why, help, page);
        true
    }

    /// Whether a call is refused.
    pub(super) fn refuse_call(&mut self, call: &ExprCall) -> bool {
        let Expr::Path(func) = &*call.func else { return false };
        let Some((name, true)) = name_of(&func.path) else { return false };
        let owner = func.path.segments.iter().rev().nth(1).map(|owner| owner.ident.to_string());
        let (why, help, page) = match name.as_str() {
            "new" if owner.is_some_and(|owner| owner == "JoinSet") => (
                "its tasks are lost in a crash",
                "use `durable::JoinSet`, and spawn the calls of activities and workflows in it",
                "foreign-spawn",
            ),
            "spawn" | "spawn_blocking" | "spawn_local" => (
                "the task is lost in a crash",
                "do the work in an `#[activity]` and spawn its call: `durable::spawn(work())`",
                "foreign-spawn",
            ),
            "sleep" | "sleep_until" => (
                "the timer is lost in a crash",
                "use `durable::sleep`, whose timer survives",
                "foreign-sleep",
            ),
            "interval" | "interval_at" => {
                ("the timer is lost in a crash", "write a loop with `durable::sleep`", "foreign-sleep")
            }
            "timeout" | "timeout_at" => (
                "the timer is lost in a crash",
                "write `.timeout(..)` on what is awaited: `work().timeout(limit).await`",
                "foreign-timeout",
            ),
            "join_all" => (
                "what it has got is lost in a crash",
                "await them together: `calls.join().await`, of a `Vec` of calls",
                "foreign-join",
            ),
            "try_join_all" => (
                "what it has got is lost in a crash",
                "await them together: `calls.try_join().await`, of a `Vec` of calls",
                "foreign-join",
            ),
            _ => return false,
        };
        self.refuse(&func.path, "", why, help, page);
        true
    }

    fn refuse(&mut self, path: &Path, bang: &str, why: &str, help: &str, page: &'static str) {
        let shown: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let what = format!("`{}{bang}` is not durable: {why}", shown.join("::"));
        if let Some(last) = path.segments.last() {
            let message: Refusal<String, &str> = refusal(what, help, page);
            self.errors.push(last.ident.span(), message);
        }
    }
}

/// The last name of a path, and whether the path begins at a runtime.
fn name_of(path: &Path) -> Option<(String, bool)> {
    let (first, last) = (path.segments.first()?, path.segments.last()?);
    let foreign = path.segments.len() > 1 && RUNTIMES.contains(&first.ident.to_string().as_str());
    Some((last.ident.to_string(), foreign))
}
