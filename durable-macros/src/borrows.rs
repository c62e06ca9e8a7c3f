//! Borrows that are alive at a resume point and can't be made again: one error each, at the borrow.
//!
//! What only types show, such as a call that gives a reference back, is left to rustc and the storable witness.

use crate::diagnostics::{Errors, refusal as refused};
use crate::ir::Function;
use crate::liveness::Liveness;
use std::collections::BTreeSet;

/// Refuses what a restore could not make again.
pub(crate) fn check(function: &Function, live: &Liveness) -> syn::Result<()> {
    let mut errors = Errors::default();
    let mut seen = BTreeSet::new();
    for (number, point) in function.points.iter().enumerate() {
        if !live.reachable[point.block] {
            continue;
        }
        for var in live.saved(function, number) {
            let Some(refusal) = function.vars[var].refusal.filter(|refusal| seen.insert(*refusal)) else {
                continue;
            };
            let refusal = &function.refusals[refusal];
            let callee = if point.callee.is_empty() { "this" } else { &point.callee };
            let row = point.span.start().line;
            let what = format!(
                "{} is still needed after the await of `{callee}` in line {row}, and can't be made again there: {}",
                refusal.shown, refusal.because
            );
            let message = refused(what, &refusal.instead, refusal.page);
            errors.push_error(syn::Error::new_spanned(&refusal.borrow, message));
        }
    }
    errors.check()
}

#[cfg(test)]
mod tests;
