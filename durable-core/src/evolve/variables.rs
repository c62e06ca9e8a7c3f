//! Where a stored frame's point and variables are in this build, by the names of the variables.

use super::{PointTable, Unmatched, match_point};
use crate::{frame::KnownLayout, meta::WorkflowMeta};

/// What the awaited future and the variables of a point of this build are in a stored frame.
#[derive(Debug)]
pub(crate) struct Matched {
    /// The resume point in this build, from 1.
    pub(crate) point: u32,
    /// For each variable that the point loads, the awaited future first: its place in the image.
    pub(crate) order: Vec<usize>,
}

/// Finds the point in this build, and each of its variables in the image, by their names.
pub(crate) fn match_layout(
    meta: &'static WorkflowMeta,
    own: &PointTable,
    known: &KnownLayout,
) -> Result<Matched, String> {
    let layout = &known.layout;
    let index = match_point(&known.table.points, layout.point as usize, &own.points)
        .map_err(|unmatched| explain(meta, own, known, &unmatched))?;
    let point = &meta.points[index];
    // The awaited future stands first; a variable may have its name, `r#await`.
    let Some((_, stored)) = layout.vars.split_first() else {
        return Err(format!("the snapshot of workflow `{}` is damaged: it awaits nothing", meta.name));
    };
    let places = point.vars.iter().map(|name| {
        let find = |name: &str| stored.iter().position(|(stored, _)| stored == name).map(|at| at + 1);
        let was = point.renamed.iter().find(|(new, _)| new == name).and_then(|(_, was)| find(was));
        if let (None, Some(at)) = (find(name), was.or_else(|| same_loop(name, point.vars, stored))) {
            return Ok(at);
        }
        let stem = stem(name);
        let in_build = point.vars.iter().filter(|name| self::stem(name) == stem).count();
        let in_image = stored.iter().filter(|(name, _)| self::stem(name) == stem).count();
        if in_image > 0 && in_build != in_image {
            return Err(format!(
                "workflow `{}` has {in_build} variables `{stem}` at {}:{}, and the snapshot has {in_image}: which is which can't be told, \
                 so give them different names",
                meta.name, meta.file, point.line
            ));
        }
        find(name).ok_or_else(|| {
            format!(
                "workflow `{}` needs variable `{name}` at {}:{}, and the snapshot has none of that name: \
                 give it the name that it had, `#[was(\"..\")]`, or make it again behind the await",
                meta.name, meta.file, point.line
            )
        })
    });
    let order: Vec<usize> = std::iter::once(Ok(0)).chain(places).collect::<Result<_, _>>()?;
    for (at, place) in order.iter().enumerate().skip(2) {
        let Some(first) = order[1..at].iter().position(|other| other == place) else { continue };
        let (one, other, was) = (point.vars[first], point.vars[at - 1], &layout.vars[*place].0);
        return Err(format!(
            "workflow `{}` has variables `{one}` and `{other}` at {}:{}, which both may be `{was}` of the snapshot: \
             one says so and the other has the name, so give that one another",
            meta.name, meta.file, point.line
        ));
    }
    Ok(Matched { point: index as u32 + 1, order })
}

/// The state of a loop is named after the loop's variable, which may have another name by now. The loops around a point are the
/// same, or it would not have been matched; so they are told by their order. What follows the first dot says how the loop goes.
fn same_loop(name: &str, build: &[&str], image: &[(String, u64)]) -> Option<usize> {
    let is_loop = |name: &str| name == "for" || name.starts_with("for ");
    let order = |name: &str| name.split_once('.').map_or("", |(_, order)| order).to_owned();
    let own: Vec<_> = build.iter().filter(|name| is_loop(name)).collect();
    let stored: Vec<_> = image
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| is_loop(name))
        .map(|(at, (name, _))| (at + 1, name))
        .collect();
    let same = own.len() == stored.len()
        && own.iter().zip(&stored).all(|(own, (_, stored))| order(own) == order(stored));
    let rank = own.iter().position(|own| **own == name)?;
    same.then(|| stored[rank].0)
}

/// The name in the source: variables of one name are numbered, `x` and `x#2`.
fn stem(name: &str) -> &str {
    name.split('#').next().unwrap_or(name)
}

/// Why a point was not matched, and what would do it.
fn explain(meta: &WorkflowMeta, own: &PointTable, known: &KnownLayout, unmatched: &Unmatched) -> String {
    let (point, reference) = (known.point(), known.table.reference(known.layout.point as usize));
    let (what, candidates) = match unmatched {
        Unmatched::Reordered { at } => {
            return format!(
                "workflow `{}` stands at {point}, and the operations at {}:{} are in another order, so that one would get the other's \
                 result: put them back into the order that they had; what they are bound to may stand in any",
                meta.name, meta.file, meta.points[*at].line
            );
        }
        Unmatched::Gone { candidates } => ("this build does not have there any more", candidates),
        Unmatched::Ambiguous { candidates } => {
            ("this build has several of, or others in its place", candidates)
        }
    };
    let candidates: Vec<String> = candidates
        .iter()
        .map(|at| format!("{}:{} {}", meta.file, meta.points[*at].line, own.points[*at]))
        .collect();
    let remedy = format!("write `#[resume(was = \"{reference}\")]` at the await that takes its place");
    let rest = if candidates.is_empty() {
        ", or go on with a build that has it".to_owned()
    } else {
        format!(". It may be {}", candidates.join(", or "))
    };
    format!("workflow `{}` stands at {point}, which {what}: {remedy}{rest}", meta.name)
}
