//! In which order a resume loads variables.
//!
//! Each load is a call, and points that lie near each other need much the same variables. A dispatch therefore loads what all its points need, then parts
//! them by whether they need a further variable, and so on. What both parts still need is loaded in both: the fewer, and the more even the parts,
//! the fewer loads there are. In straight code that keeps its results to the end this parts off one point at a time, and a variable is loaded in one place;
//! where each result is needed for a while it halves such a while. The order in which a point comes by its variables is the order in
//! which it saves them.

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

/// Points, a bit for each; by their place among those that a dispatch leads to, of which there are at most `lower::MAX_POINTS`.
type Set = u128;

/// Variables, each with the points that need it.
type Needs = Vec<(VarId, Set)>;

/// Plans the loads of one dispatch from what each of its points needs.
pub(crate) fn plan(needs: &[(PointId, BTreeSet<VarId>)]) -> Loads {
    let mut sets: BTreeMap<VarId, Set> = BTreeMap::new();
    for (at, (_, vars)) in needs.iter().enumerate() {
        for var in vars {
            *sets.entry(*var).or_default() |= 1 << at;
        }
    }
    let numbers: Vec<PointId> = needs.iter().map(|(point, _)| *point).collect();
    let all = (0..numbers.len()).fold(0, |set, at| set | 1 << at);
    part(&numbers, all, sets.into_iter().collect())
}

/// `needs` are of what is not loaded yet.
fn part(numbers: &[PointId], points: Set, mut needs: Needs) -> Loads {
    let mut vars = Vec::new();
    needs.retain(|(var, set)| {
        if *set == points {
            vars.push(*var);
        }
        *set != points
    });
    let parted = split(points, &needs).map(|one| {
        let other = points & !one;
        let (fewer, others) = if one.count_ones() < other.count_ones() { (one, other) } else { (other, one) };
        let first = part(numbers, fewer, within(&needs, fewer));
        Box::new((first, part(numbers, others, within(&needs, others))))
    });
    let points = numbers.iter().enumerate().filter(|(at, _)| points >> at & 1 == 1);
    Loads { points: points.map(|(_, point)| *point).collect(), vars, parted }
}

/// What some of the points need.
fn within(needs: &Needs, points: Set) -> Needs {
    needs.iter().filter(|(_, set)| set & points != 0).map(|(var, set)| (*var, set & points)).collect()
}

/// The points that need a certain variable: of all variables the one for which the least has to be loaded twice, for each point that is parted off.
fn split(points: Set, needs: &Needs) -> Option<Set> {
    let mut best: Option<(usize, Set)> = None;
    for (at, &(_, one)) in needs.iter().enumerate() {
        if at > 0 && needs[at - 1].1 == one {
            continue;
        }
        let other = points & !one;
        let twice = needs.iter().filter(|(_, set)| set & one != 0 && set & other != 0).count();
        let parted = |one: Set| one.count_ones().min((points & !one).count_ones()) as usize;
        if best.is_none_or(|(least, set)| twice * parted(set) < least * parted(one)) {
            best = Some((twice, one));
        }
        if twice == 0 {
            break;
        }
    }
    best.map(|(_, one)| one)
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
        let all: Vec<_> = all.enumerate().collect();
        let loads = plan(&all);
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
        // Twelve at each of twelve points, one new at each.
        let window: Vec<Vec<VarId>> = (0..12).map(|at| (at..at + 12).collect()).collect();
        check(&window.iter().map(Vec::as_slice).collect::<Vec<_>>(), 45);
    }
}
