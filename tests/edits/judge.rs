//! What a version may do with an instance that stands at an await of the old one, and what it has to.
//!
//! It may go on as the tree says, or park it. It has to go on where [evolution.md](../../docs/evolution.md) says so: the rows of its
//! table are told here once more, from the trees.

use crate::{
    alive::alive,
    edit::reference,
    interpret::{Run, Standing},
    tree::{Function, Id, Over, Point, Program, Stmt, print_op},
    values::{convert, make},
};

/// What is right.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// What it does if it goes on; more than one where nobody could tell which await is meant.
    pub(crate) right: Vec<Run>,
    /// Whether parking it is wrong.
    pub(crate) resumes: bool,
}

pub(crate) fn judge(old: &Program, new: &Program, standing: &Standing) -> Judgement {
    let mut ways = vec![Vec::new()];
    let mut resumes = true;
    for frame in &standing.frames {
        let pair =
            new.functions.get(frame.function).map(|new| Pair { old: &old.functions[frame.function], new });
        let Some(pair) = pair else { return Judgement { right: Vec::new(), resumes: false } };
        let places = pair.places(frame.at);
        ways = ways
            .into_iter()
            .flat_map(|way| places.iter().map(move |at| [&way[..], &[*at]].concat()))
            .collect();
        resumes &= pair.is_certain(frame.at);
    }
    let own: Vec<Id> = standing.frames.iter().map(|frame| frame.at).collect();
    resumes &= standing.go_on(old, new, &own).is_ok();
    let right = ways.iter().filter_map(|way| standing.go_on(old, new, way).ok()).collect();
    Judgement { right, resumes }
}

/// A function in both versions.
struct Pair<'p> {
    old: &'p Function,
    new: &'p Function,
}

impl Pair<'_> {
    /// The awaits of the new version that may be the old one's: itself; those that read alike in places that read alike; and one
    /// that was written in its stead, if it is the same call, or each was the only call of that activity in its place.
    fn places(&self, at: Id) -> Vec<Id> {
        let (olds, news) = (self.old.points(), self.new.points());
        let Some(point) = olds.iter().find(|point| point.wait.id == at) else { return Vec::new() };
        let here = |points: &[Point<'_>]| {
            let same =
                |one: &&Point<'_>| one.place == point.place && one.wait.op.callee() == point.wait.op.callee();
            points.iter().filter(same).count()
        };
        let stays = news.iter().any(|other| other.wait.id == at);
        let fits = |other: &&Point<'_>| {
            let same_place = other.place == point.place && other.wait.op.callee() == point.wait.op.callee();
            let alike = same_place && text(self.new, other) == text(self.old, point);
            let fresh = !olds.iter().any(|old| old.wait.id == other.wait.id);
            let only = here(&olds) == 1 && here(&news) == 1;
            let same_call = text(self.new, other).0 == text(self.old, point).0;
            let instead = same_place && !stays && fresh && (only || same_call);
            other.wait.id == at || alike || instead
        };
        news.iter().filter(fits).map(|other| other.wait.id).collect()
    }

    /// Whether the documentation says that an instance that stands there goes on.
    fn is_certain(&self, at: Id) -> bool {
        let (olds, news) = (self.old.points(), self.new.points());
        let find = |points: &[Point<'_>]| points.iter().position(|point| point.wait.id == at);
        let (Some(old), Some(new)) = (find(&olds), find(&news)) else { return false };
        let (old, new) = (&olds[old], &news[new]);
        let calls = |point: &Point<'_>| -> Vec<_> {
            point.wait.op.calls().into_iter().map(|call| (call.id, call.callee)).collect()
        };
        calls(old) == calls(new)
            && (is_said(self.old, old, new) || is_unmoved(self.old, &olds, self.new, &news, old))
            && loops(self.old, at) == loops(self.new, at)
            && self.has_variables(at)
    }

    /// Whether all that is needed there is there, by its name and in a type that can be read.
    fn has_variables(&self, at: Id) -> bool {
        let (had, needed) = (alive(self.old), alive(self.new));
        let mut names: Vec<_> = self.new.vars.iter().map(|var| &var.name).collect();
        names.sort();
        let unique = names.windows(2).all(|pair| pair[0] != pair[1]);
        let items = items(&self.new.body);
        unique
            && needed[&at].iter().filter(|var| !items.contains(var)).all(|var| {
                let (Some(old), new) = (self.old.vars.get(*var), &self.new.vars[*var]) else { return false };
                let found = old.name == new.name || new.was.as_ref() == Some(&old.name);
                // Any value shows whether the types fit.
                found && had[&at].contains(var) && convert(old.ty, &make(old.ty, 1), new.ty).1
            })
    }
}

/// Whether the source says which await it is: by a name in both versions, or by what it was.
fn is_said(function: &Function, old: &Point<'_>, new: &Point<'_>) -> bool {
    let named = new.wait.name.is_some() && new.wait.name == old.wait.name;
    named && new.wait.was.is_none()
        || new.wait.was.is_some() && new.wait.was == reference(function, old.wait.id)
}

/// Whether the edit has left alone all awaits of that activity, but perhaps for the arguments and the binding of its only one.
fn is_unmoved(
    old: &Function,
    olds: &[Point<'_>],
    new: &Function,
    news: &[Point<'_>],
    point: &Point<'_>,
) -> bool {
    let like = |points: &[Point<'_>]| -> Vec<(Id, Vec<String>, Option<String>)> {
        let same = points.iter().filter(|other| other.wait.op.callee() == point.wait.op.callee());
        same.map(|other| (other.wait.id, other.place.clone(), other.wait.name.clone())).collect()
    };
    let texts = |function: &Function, points: &[Point<'_>]| -> Vec<_> {
        let same = points.iter().filter(|other| other.wait.op.callee() == point.wait.op.callee());
        same.map(|other| text(function, other)).collect()
    };
    // Who says what it was takes that from another, if it is wrong.
    let said = news.iter().any(|other| other.wait.was.is_some());
    let same = like(olds) == like(news);
    same && !said && (like(olds).len() == 1 || texts(old, olds) == texts(new, news))
}

/// What the compiler sees of an await.
fn text(function: &Function, point: &Point<'_>) -> (String, Vec<String>) {
    let binds = point.wait.binds.iter().map(|var| function.vars[*var].name.clone());
    (print_op(function, &point.wait.op), binds.collect())
}

/// The loops around an await, and in which order they go.
fn loops(function: &Function, at: Id) -> Vec<(Id, u8)> {
    fn go(body: &[Stmt], at: Id, around: &mut Vec<(Id, u8)>) -> bool {
        body.iter().any(|stmt| {
            if matches!(stmt, Stmt::Wait(wait) if wait.id == at) {
                return true;
            }
            if let Stmt::For { id, over, .. } = stmt {
                let order = match over {
                    Over::Count(_) => 0,
                    Over::Ref(_) | Over::Iter(_) => 1,
                    Over::Rev(_) => 2,
                };
                around.push((*id, order));
            }
            let found = stmt.blocks().into_iter().any(|(_, block)| go(block, at, around));
            if !found && matches!(stmt, Stmt::For { .. }) {
                around.pop();
            }
            found
        })
    }
    let mut around = Vec::new();
    go(&function.body, at, &mut around);
    around
}

/// The variables of loops over lists, which are looked up again and not stored.
fn items(body: &[Stmt]) -> Vec<usize> {
    body.iter()
        .flat_map(|stmt| {
            let own = match stmt {
                Stmt::For { var, over, .. } if over.list().is_some() => Some(*var),
                _ => None,
            };
            let inner = stmt.blocks().into_iter().flat_map(|(_, block)| items(block));
            own.into_iter().chain(inner.collect::<Vec<_>>()).collect::<Vec<_>>()
        })
        .collect()
}
