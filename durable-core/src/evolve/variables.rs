//! Where a stored frame's point and variables are in this build, by the names of the variables.

use super::{PointTable, Unmatched, match_point};
use crate::{
    frame::KnownLayout,
    meta::{PointMeta, WorkflowMeta},
};

/// What the awaited future and the variables of a point of this build are in a stored frame.
#[derive(Debug)]
pub(crate) struct Matched {
    /// The resume point in this build, from 1.
    pub(crate) point: u32,
    /// For each variable that the point loads, the awaited future first: its place in the image.
    pub(crate) places: Vec<Place>,
}

/// Where a variable is in an image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which stored variable.
    pub(crate) at: usize,
    /// The fields that lead from it to a part of it; none for the variable itself.
    pub(crate) part: Vec<String>,
}

impl Place {
    fn whole(at: usize) -> Self {
        Place { at, part: Vec::new() }
    }
}

/// Finds the point in this build, and each of its variables in the image, by their names.
pub(crate) fn match_layout(
    meta: &'static WorkflowMeta,
    own: &PointTable,
    known: &KnownLayout,
) -> Result<Matched, String> {
    let index = find_point(meta, own, known)?;
    // The awaited future stands first; a variable may have its name, `r#await`.
    let Some((_, stored)) = known.layout.vars.split_first() else {
        return Err(format!("the snapshot of workflow `{}` is damaged: it awaits nothing", meta.name));
    };
    let stored: Vec<&str> = stored.iter().map(|(name, _)| name.as_str()).collect();
    let places = find_variables(meta, index, &stored)?;
    let behind = |place: Place| Place { at: place.at + 1, ..place };
    let places = std::iter::once(Place::whole(0)).chain(places.into_iter().map(behind)).collect();
    Ok(Matched { point: index as u32 + 1, places })
}

/// Finds the point at which a snapshot stands in this build, from 0.
pub(crate) fn find_point(
    meta: &'static WorkflowMeta,
    own: &PointTable,
    known: &KnownLayout,
) -> Result<usize, String> {
    match_point(&known.table.points, known.layout.point as usize, &own.points)
        .map_err(|unmatched| explain(meta, own, known, &unmatched))
}

/// Finds each variable that a point of this build loads among those that there are.
pub(crate) fn find_variables(
    meta: &'static WorkflowMeta,
    index: usize,
    stored: &[&str],
) -> Result<Vec<Place>, String> {
    let point = &meta.points[index];
    let names: Vec<&str> = point.vars().collect();
    let places = names.iter().map(|name| {
        let find = |name: &str| stored.iter().position(|stored| *stored == name);
        let was = point.renamed.iter().find(|(new, _)| new == name).and_then(|(_, was)| find(was));
        if let (None, Some(at)) = (find(name), was.or_else(|| same_loop(name, &names, stored))) {
            return Ok(Place::whole(at));
        }
        let stem = stem(name);
        let in_build = names.iter().filter(|name| self::stem(name) == stem).count();
        let in_image = stored.iter().filter(|name| self::stem(name) == stem).count();
        if in_image > 0 && in_build != in_image {
            return Err(format!(
                "workflow `{}` has {in_build} variables `{stem}` at {}:{}, and the snapshot has {in_image}: which is which can't be told, \
                 so give them different names, or say it with `#[workflow(migrate = ..)]`",
                meta.name, meta.file, point.line
            ));
        }
        find(name).map(Place::whole).or_else(|| part_of_whole(name, &names, stored)).ok_or_else(|| {
            format!(
                "workflow `{}` needs variable `{name}` at {}:{}, and the snapshot has none of that name: \
                 give it the name that it had, `#[was(\"..\")]`, make it again behind the await, or set it in `#[workflow(migrate = ..)]`",
                meta.name, meta.file, point.line
            )
        })
    });
    let places: Vec<Place> = places.collect::<Result<_, _>>()?;
    are_taken_once(meta, point, stored, &places)?;
    Ok(places)
}

/// No stored variable becomes two: one says that it was it, and a new one has its name.
fn are_taken_once(
    meta: &WorkflowMeta,
    point: &PointMeta,
    stored: &[&str],
    places: &[Place],
) -> Result<(), String> {
    for (at, place) in places.iter().enumerate() {
        let same = |other: &Place| {
            other.at == place.at
                && (other.part == place.part || other.part.is_empty() || place.part.is_empty())
        };
        let Some(first) = places[..at].iter().position(same) else { continue };
        let name = |at| point.vars().nth(at).unwrap_or_default();
        let (one, other, was) = (name(first), name(at), stored[place.at]);
        return Err(format!(
            "workflow `{}` has variables `{one}` and `{other}` at {}:{}, which both may be `{was}` of the snapshot: \
             one says so and the other has the name, so give that one another",
            meta.name, meta.file, point.line
        ));
    }
    Ok(())
}

/// Where a field was moved out of a variable, the others are variables of their own, `order.id`. A build that did not move it has
/// stored `order`. (Of the other direction nothing can be made: what was moved out is gone.)
fn part_of_whole(name: &str, build: &[&str], image: &[&str]) -> Option<Place> {
    let root = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let whole = root(name);
    if is_loop(name) || whole == name {
        return None;
    }
    let is_only = |names: &mut dyn Iterator<Item = String>| {
        let mut named: Vec<_> = names.filter(|name| stem(name) == stem(&whole)).collect();
        named.dedup();
        named == [whole.as_str()]
    };
    let stored = || image.iter().map(|name| (*name).to_owned()).filter(|name| !is_loop(name));
    let own = || build.iter().filter(|name| !is_loop(name)).map(|name| root(name));
    if !is_only(&mut stored()) || !is_only(&mut own()) {
        return None;
    }
    let at = image.iter().position(|stored| *stored == whole)?;
    Some(Place { at, part: name.split('.').skip(1).map(str::to_owned).collect() })
}

/// Whether a variable is the state of a loop, which no name in the source is.
pub(crate) fn is_loop(name: &str) -> bool {
    name == "for" || name.starts_with("for ")
}

/// The state of a loop is named after the loop's variable, which may have another name by now. The loops around a point are the
/// same, or it would not have been matched; so they are told by their order. What follows the first dot says how the loop goes.
fn same_loop(name: &str, build: &[&str], image: &[&str]) -> Option<usize> {
    let order = |name: &str| name.split_once('.').map_or("", |(_, order)| order).to_owned();
    let own: Vec<_> = build.iter().filter(|name| is_loop(name)).collect();
    let stored: Vec<_> =
        image.iter().enumerate().filter(|(_, name)| is_loop(name)).map(|(at, name)| (at, *name)).collect();
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
    let remedy = format!(
        "write `#[resume(was = \"{reference}\")]` at the await that takes its place, or say where it goes on in `#[workflow(migrate = ..)]`"
    );
    let rest = if candidates.is_empty() {
        ", or go on with a build that has it".to_owned()
    } else {
        format!(". It may be {}", candidates.join(", or "))
    };
    format!("workflow `{}` stands at {point}, which {what}: {remedy}{rest}", meta.name)
}
