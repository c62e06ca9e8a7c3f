//! In which order a resume loads variables.
//!
//! Each load is a call, and points that lie near each other need much the same variables. A dispatch therefore loads what all its points need, then parts
//! them in two, each with what all of its own points need, and so on. What both parts still need is loaded in both: the more of the loads stand
//! high up in that tree, the fewer there are. So it is made from its leaves: of all neighbours the two that share the most become one, until all are
//! one. In straight code that keeps its results to the end this parts off one point at a time, and a variable is loaded in one place;
//! where each result is needed for a while it pairs points, then pairs of points. The order in which a point comes by its variables is the order in
//! which it saves them.

use crate::ir::{PointId, VarId};
use std::collections::BTreeSet;

/// What a dispatch loads for some points, and how it parts them.
#[derive(Debug)]
pub(crate) struct Loads {
    pub(crate) points: Vec<PointId>,
    /// What all of them need.
    pub(crate) vars: Vec<VarId>,
    /// Fewer of them, and the others; `None` when they have all they need.
    pub(crate) parted: Option<Box<(Loads, Loads)>>,
}

/// Points, what all of them need in ascending order, and the two parts that they were joined of.
#[derive(Default)]
struct Node {
    points: Vec<PointId>,
    needs: Vec<VarId>,
    parts: Option<Box<(Node, Node)>>,
}

/// Plans the loads of one dispatch from what each of its points needs.
pub(crate) fn plan(needs: &[(PointId, BTreeSet<VarId>)]) -> Loads {
    // Points that need the same are not parted.
    let same = needs.chunk_by(|one, next| one.1 == next.1);
    let mut nodes: Vec<Node> = same
        .map(|run| Node {
            points: run.iter().map(|(point, _)| *point).collect(),
            needs: run.iter().take(1).flat_map(|(_, vars)| vars).copied().collect(),
            parts: None,
        })
        .collect();
    // How much neighbours share.
    let mut shared: Vec<usize> = nodes.windows(2).map(|pair| common(&pair[0], &pair[1]).count()).collect();
    while let Some(at) = (0..shared.len()).rev().max_by_key(|at| shared[*at]) {
        let other = nodes.remove(at + 1);
        let one = std::mem::take(&mut nodes[at]);
        let points = one.points.iter().chain(&other.points).copied().collect();
        let needs = common(&one, &other).collect();
        nodes[at] = Node { points, needs, parts: Some(Box::new((one, other))) };
        shared.remove(at);
        if at > 0 {
            shared[at - 1] = common(&nodes[at - 1], &nodes[at]).count();
        }
        if at < shared.len() {
            shared[at] = common(&nodes[at], &nodes[at + 1]).count();
        }
    }
    nodes.pop().unwrap_or_default().loads(&[])
}

/// What both need.
fn common<'n>(one: &'n Node, other: &'n Node) -> impl Iterator<Item = VarId> + 'n {
    one.needs.iter().copied().filter(|var| other.needs.binary_search(var).is_ok())
}

impl Node {
    /// `loaded` is what all points around these need too.
    fn loads(self, loaded: &[VarId]) -> Loads {
        let Self { points, needs, parts } = self;
        let parted = parts.map(|parts| {
            let (one, other) = (parts.0.loads(&needs), parts.1.loads(&needs));
            let is_first = one.points.len() < other.points.len();
            Box::new(if is_first { (one, other) } else { (other, one) })
        });
        let vars = needs.into_iter().filter(|var| loaded.binary_search(var).is_err()).collect();
        Loads { points, vars, parted }
    }
}

impl Loads {
    /// All that is loaded for some point.
    pub(crate) fn add_to(&self, vars: &mut BTreeSet<VarId>) {
        vars.extend(&self.vars);
        if let Some((fewer, others)) = self.parted.as_deref() {
            fewer.add_to(vars);
            others.add_to(vars);
        }
    }

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
        let window: Vec<Vec<VarId>> = (0..100).map(|at| (at..at + 12).collect()).collect();
        check(&window.iter().map(Vec::as_slice).collect::<Vec<_>>(), 364);
        // Once each, whether they come or go.
        let sum: Vec<Vec<VarId>> = (0..100).map(|at| (0..at).collect()).collect();
        check(&sum.iter().map(Vec::as_slice).collect::<Vec<_>>(), 99);
        check(&sum.iter().rev().map(Vec::as_slice).collect::<Vec<_>>(), 99);
    }
}
