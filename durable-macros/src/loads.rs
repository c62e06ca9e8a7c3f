//! In which order a resume loads variables.
//!
//! Each load is a call with an unwind edge, and points that lie near each other need much the same variables. A dispatch therefore loads what all
//! its points need, then parts them by whether they need a further variable, and so on: in straight code a variable is loaded in
//! one place or a few, and not once for each point. The order in which a point comes by its variables is the order in which it saves
//! them.

use crate::ir::{PointId, VarId};
use std::collections::{BTreeMap, BTreeSet};

/// What a dispatch loads for some points, and how it parts them.
#[derive(Debug)]
pub(crate) struct Loads {
    pub(crate) points: Vec<PointId>,
    /// What all of them need.
    pub(crate) vars: Vec<VarId>,
    /// Fewer of them, and the others; `None` when they have all they need.
    pub(crate) parted: Option<Box<(Loads, Loads)>>,
}

/// Plans the loads of one dispatch from what each of its points needs.
pub(crate) fn plan(needs: Vec<(PointId, BTreeSet<VarId>)>) -> Loads {
    let counts = counts(&needs, |_| true);
    part(needs, counts)
}

/// How many points need a variable.
type Counts = BTreeMap<VarId, usize>;

fn counts(needs: &[(PointId, BTreeSet<VarId>)], counted: impl Fn(&VarId) -> bool) -> Counts {
    let mut counts = Counts::new();
    for var in needs.iter().flat_map(|(_, vars)| vars).filter(|var| counted(var)) {
        *counts.entry(*var).or_default() += 1;
    }
    counts
}

/// `counts` are of what is not loaded yet. They are taken again for the smaller part alone: in a function of n points there may be n parts.
fn part(needs: Vec<(PointId, BTreeSet<VarId>)>, mut counts: Counts) -> Loads {
    let points: Vec<PointId> = needs.iter().map(|(point, _)| *point).collect();
    let vars: Vec<VarId> =
        counts.iter().filter(|(_, count)| **count == points.len()).map(|(var, _)| *var).collect();
    counts.retain(|_, count| *count < points.len());
    // By the one that the most of them need: in straight code that parts off one point at a time.
    let by = counts.iter().max_by_key(|(var, count)| (**count, usize::MAX - **var)).map(|(var, _)| *var);
    let parted = by.map(|by| {
        let (with, without): (Vec<_>, Vec<_>) = needs.into_iter().partition(|(_, vars)| vars.contains(&by));
        let (fewer, others) = if with.len() < without.len() { (with, without) } else { (without, with) };
        let first = self::counts(&fewer, |var| counts.contains_key(var));
        for (var, count) in &first {
            counts.entry(*var).and_modify(|all| *all -= count);
        }
        counts.retain(|_, count| *count > 0);
        Box::new((part(fewer, first), part(others, counts)))
    });
    Loads { points, vars, parted }
}

impl Loads {
    /// The order in which a point comes by its variables.
    pub(crate) fn order(&self, point: PointId) -> Vec<VarId> {
        let mut order = Vec::new();
        let mut at = Some(self).filter(|loads| loads.points.contains(&point));
        while let Some(loads) = at {
            order.extend(&loads.vars);
            at = loads.parted.as_deref().map(
                |(fewer, others)| {
                    if fewer.points.contains(&point) { fewer } else { others }
                },
            );
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each point's variables, and the number of places that load one.
    fn check(needs: &[&[VarId]], places: usize) {
        fn count(loads: &Loads) -> usize {
            let parted = loads.parted.as_deref();
            loads.vars.len() + parted.map_or(0, |(fewer, others)| count(fewer) + count(others))
        }
        let all = needs.iter().map(|vars| vars.iter().copied().collect::<BTreeSet<_>>());
        let loads = plan(all.enumerate().collect());
        for (point, vars) in needs.iter().enumerate() {
            let mut order = loads.order(point);
            order.sort_unstable();
            assert_eq!(order, *vars, "point {point} of {needs:?}");
        }
        assert_eq!(count(&loads), places, "{needs:?}");
    }

    #[test]
    fn a_variable_is_loaded_in_few_places() {
        check(&[], 0);
        check(&[&[], &[]], 0);
        check(&[&[1, 2], &[1, 2], &[1, 2]], 2);
        check(&[&[1], &[1, 2], &[1, 2, 3], &[1, 2, 3, 4]], 4);
        check(&[&[1, 2, 3], &[2, 3], &[3], &[]], 3);
        check(&[&[1], &[2], &[3]], 3);
        check(&[&[1, 2], &[2, 3], &[3, 4]], 5);
    }
}
