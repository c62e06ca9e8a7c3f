//! Snapshots of other builds: which resume point of this build one stands at, and what to say if none can be told.
//!
//! A snapshot names its point by what a person would know it by: the name given with `#[resume("..")]`, or what is awaited and
//! where in the structure. It is stored with all points of its workflow (the *table*), so that another build can tell not only whether
//! it has such a point, but whether another one might be meant.
//!
//! Invariant: a point is matched only where no edit that leaves the source plausible makes the match wrong. Everything else is
//! ambiguous and parks the instance with the candidates.
//!
//! Its variables are found by their names.
//!
//! Deliberately absent: how variables are read (`frame`) and how values of a changed type are (`codec`).

mod composed;
mod matching;
mod table;
#[cfg(test)]
mod tests;
mod variables;

use matching::{Unmatched, match_point};
pub(crate) use table::{PointId, PointTable};
pub(crate) use variables::{Matched, Place, find_point, find_variables, is_loop, match_layout};
