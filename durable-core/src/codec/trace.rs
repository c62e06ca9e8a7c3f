//! What values a type has, found out without one: its `Deserialize` is asked for many, each time with other choices.
//!
//! What comes of it is written by the type's own `Serialize`, as any value is. So what is described is what would be stored, whatever a
//! type reads: fields that are skipped, a `Uuid` that is a byte string, an enum that is written as a number.
//!
//! Invariants: it ends, after so many tries; a panic of the type is a refusal.
//!
//! Deliberately absent: what stands behind `deserialize_any` (untagged and flattened things), of which a type does not say what it expects.

use std::collections::{HashMap, HashSet, VecDeque};

use super::capture::capture;
use super::cursor::Cursor;
use super::decoder::Decoder;
use super::erased::{Slot, TypeOf};
use super::sampler::{Choices, Made, Sampler};
use super::tree::{Body, Name, Tree};
use super::{Codec, LayoutId};
use crate::engine::panics::catch_quietly;

/// So many values of one type are made at most.
const MOST_VALUES: usize = 3_000;
/// So many tries to get one that the type accepts.
const TRIES: usize = 300;
/// So many names of one field.
const ALIASES: usize = 64;

/// One value that was tried, or the last one where several were.
pub(super) struct Outcome<T> {
    pub(super) result: Result<T, String>,
    /// The value that it differs from, by its number, and where.
    pub(super) parent: Option<(usize, String)>,
}

/// Tries values: the first one, and for each choice that was made in one each other choice that is worth it.
pub(super) fn explore<T>(
    tries: usize,
    run: &mut dyn FnMut(Choices) -> (Vec<Made>, Result<T, String>),
) -> Vec<Outcome<T>> {
    let mut queue = VecDeque::from([(Vec::new(), None)]);
    let mut known: HashSet<(String, usize)> = HashSet::new();
    let mut outcomes: Vec<Outcome<T>> = Vec::new();
    while let Some((script, parent)) = queue.pop_front() {
        let (made, result) = settle(script, tries, run);
        if result.is_ok() || tries == 1 {
            let picks: Vec<usize> = made.iter().map(|made| made.picked).collect();
            for (at, made) in made.iter().enumerate() {
                known.insert((made.place.clone(), made.picked));
                for other in 0..made.worth {
                    if known.insert((made.place.clone(), other)) {
                        let mut script = picks[..at].to_vec();
                        script.push(other);
                        queue.push_back((script, Some((outcomes.len(), made.place.clone()))));
                    }
                }
            }
        }
        outcomes.push(Outcome { result, parent });
        if outcomes.len() == MOST_VALUES {
            break;
        }
    }
    outcomes
}

/// Tries other choices behind the script, the last one first, until a value is accepted.
fn settle<T>(
    mut script: Vec<usize>,
    tries: usize,
    run: &mut dyn FnMut(Choices) -> (Vec<Made>, Result<T, String>),
) -> (Vec<Made>, Result<T, String>) {
    let fixed = script.len();
    let mut left = tries;
    loop {
        let (made, result) = run(Choices::new(script));
        left -= 1;
        let next = made.iter().enumerate().skip(fixed).rev().find(|(_, made)| made.picked + 1 < made.of);
        let (Err(_), Some((at, last)), true) = (&result, next, left > 0) else {
            return (made, result);
        };
        script = made[..at].iter().map(|made| made.picked).collect();
        script.push(last.picked + 1);
    }
}

/// Values of a type.
pub(super) struct Traced {
    pub(super) trees: Vec<Tree>,
    /// They are written by name.
    pub(super) readable: bool,
    /// Fields that are sometimes left out, by the type and their name.
    pub(super) left_out: HashSet<(Name, Name)>,
}

/// Finds values of a type that can be stored, or says why there are none.
pub(super) fn trace(of: &TypeOf) -> Result<Traced, String> {
    let codec = Codec::new();
    codec.set_checking(true);
    let mut is_named = false;
    let mut aliases = Vec::new();
    let mut run = |choices: Choices| {
        let (made, result) = make(of, choices, &mut aliases, &mut |slot| {
            let value = slot.value().ok_or("nothing was read")?;
            let stored = codec.encode_as(of, value).map_err(|error| error.to_string())?;
            is_named |= stored.layout == LayoutId::NAMED;
            let tree = |readable| {
                capture(value, readable).map(|captured| captured.tree).map_err(|fault| fault.to_string())
            };
            Ok((tree(false)?, tree(true)?))
        });
        (made, result)
    };
    let (mut trees, mut refused) = (Vec::new(), None);
    for outcome in explore(TRIES, &mut run) {
        match outcome.result {
            Ok(tree) => trees.push(tree),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    if trees.is_empty() {
        return Err(refused.unwrap_or_default());
    }
    let mut trees: Vec<Tree> =
        trees.into_iter().map(|(plain, named)| if is_named { named } else { plain }).collect();
    let left_out = if is_named { fill(&mut trees) } else { HashSet::new() };
    unify(&mut trees);
    Ok(Traced { trees, readable: is_named, left_out })
}

/// Lets the type make a value.
fn make<T>(
    of: &TypeOf,
    choices: Choices,
    aliases: &mut Vec<(usize, usize)>,
    look: &mut dyn FnMut(&dyn Slot) -> Result<T, String>,
) -> (Vec<Made>, Result<T, String>) {
    let (mut made, mut result) = (Vec::new(), Err(String::new()));
    let mut slot = (of.slot)();
    for _ in 0..ALIASES {
        let again = Choices::new(choices.script.clone());
        let sampler = Sampler { choices: again, aliases: aliases.clone(), last: None };
        let mut cursor = Cursor::sampled(Box::new(sampler), false);
        let read = catch_quietly(|| slot.read(Decoder::new(&mut cursor)));
        let sampler = cursor.sampler.take().unwrap_or_default();
        result = match read {
            Ok(Ok(())) => {
                catch_quietly(|| look(&*slot)).unwrap_or_else(|_| Err("its `Serialize` panics".to_owned()))
            }
            Ok(Err(misfit)) => Err(misfit.to_string()),
            Err(_) => Err("its `Deserialize` panics".to_owned()),
        };
        slot.clear();
        made = sampler.choices.made;
        let is_alias = matches!(&result, Err(message) if message.starts_with("duplicate field"));
        match sampler.last.filter(|last| is_alias && !aliases.contains(last)) {
            Some(alias) => aliases.push(alias),
            None => break,
        }
    }
    (made, result)
}

/// Gives structs from which fields were left out an empty one in their place, so that all values of a type have a layout in common.
fn fill(trees: &mut [Tree]) -> HashSet<(Name, Name)> {
    let mut fields: HashMap<Name, Vec<(Name, Option<Tree>)>> = HashMap::new();
    let mut left_out = HashSet::new();
    for tree in trees.iter_mut() {
        visit(tree, &mut |name, found| {
            let known = fields.entry(name.clone()).or_default();
            for (at, (field, value)) in found.iter().enumerate() {
                let empty = match value {
                    Tree::None | Tree::Some(_) => Some(Tree::None),
                    Tree::Seq(_) => Some(Tree::Seq(Vec::new())),
                    Tree::Map(_) => Some(Tree::Map(Vec::new())),
                    _ => None,
                };
                if !known.iter().any(|(known, _)| known == field) {
                    known.insert(at.min(known.len()), (field.clone(), empty));
                }
            }
        });
    }
    for tree in trees {
        visit(tree, &mut |name, found| {
            let Some(known) = fields.get(name) else { return };
            for (at, (field, empty)) in known.iter().enumerate() {
                if let (false, Some(empty)) = (found.iter().any(|(found, _)| found == field), empty) {
                    left_out.insert((name.clone(), field.clone()));
                    found.insert(at.min(found.len()), (field.clone(), empty.clone()));
                }
            }
        });
    }
    left_out
}

/// Stands where values of one type have nothing in common: a `serde_json::Value`.
pub(super) const ANY: &str = "any value";

/// Puts [`ANY`] at each place where values are of several kinds, so that what is around it has a layout.
fn unify(trees: &mut [Tree]) {
    let (mut kinds, mut several) = (HashMap::new(), HashSet::new());
    for tree in trees.iter_mut() {
        walk(tree, "", &mut |place, tree| {
            let kind = kind(tree);
            if *kinds.entry(place.to_owned()).or_insert_with(|| kind.clone()) != kind {
                several.insert(place.to_owned());
            }
            true
        });
    }
    // What is nothing but that is not described.
    if several.is_empty() || several.contains("") {
        return;
    }
    for tree in trees {
        walk(tree, "", &mut |place, tree| {
            let is_any = several.contains(place);
            if is_any {
                *tree = Tree::UnitStruct(ANY.into());
            }
            !is_any
        });
    }
}

/// What tells values of one type from those of another.
fn kind(tree: &Tree) -> String {
    let count = |parts: &[Tree]| format!("({})", parts.len());
    let names = |fields: &Fields| fields.iter().map(|(name, _)| &**name).collect::<Vec<_>>().join(" ");
    match tree {
        Tree::Leaf(leaf) => format!("{:?}", leaf.kind()),
        Tree::None | Tree::Some(_) => "?".to_owned(),
        Tree::Seq(_) => "[]".to_owned(),
        Tree::Map(_) => "{}".to_owned(),
        Tree::Tuple(parts) => count(parts),
        Tree::UnitStruct(name) | Tree::Newtype(name, _) => name.to_string(),
        Tree::TupleStruct(name, parts) => format!("{name}{}", count(parts)),
        Tree::Struct(name, fields) => format!("{name} {}", names(fields)),
        Tree::Variant(variant) => format!("enum {}", variant.of),
    }
}

/// Calls back for each value in a value, with its place, and goes into it if it is told so.
fn walk(tree: &mut Tree, place: &str, each: &mut dyn FnMut(&str, &mut Tree) -> bool) {
    if !each(place, tree) {
        return;
    }
    let mut parts = |parts: &mut [Tree], place: &str| {
        for (at, part) in parts.iter_mut().enumerate() {
            walk(part, &format!("{place}.{at}"), each);
        }
    };
    match tree {
        Tree::Leaf(_) | Tree::None | Tree::UnitStruct(_) => {}
        Tree::Some(inner) => walk(inner, &format!("{place}?"), each),
        Tree::Newtype(_, inner) => walk(inner, &format!("{place}.0"), each),
        Tree::Seq(elements) => elements.iter_mut().for_each(|part| walk(part, &format!("{place}[]"), each)),
        Tree::Tuple(elements) | Tree::TupleStruct(_, elements) => parts(elements, place),
        Tree::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
            walk(key, &format!("{place}[key]"), each);
            walk(value, &format!("{place}[]"), each);
        }),
        Tree::Struct(_, fields) => {
            fields.iter_mut().for_each(|(name, part)| walk(part, &format!("{place}.{name}"), each));
        }
        Tree::Variant(variant) => {
            let place = format!("{place}.{}", variant.name);
            match &mut variant.body {
                Body::Unit => {}
                Body::Newtype(inner) => walk(inner, &format!("{place}.0"), each),
                Body::Tuple(elements) => parts(elements, &place),
                Body::Struct(fields) => {
                    fields.iter_mut().for_each(|(name, part)| walk(part, &format!("{place}.{name}"), each));
                }
            }
        }
    }
}

type Fields = Vec<(Name, Tree)>;

/// Calls back for each struct in a value.
fn visit(tree: &mut Tree, each: &mut dyn FnMut(&Name, &mut Fields)) {
    match tree {
        Tree::Leaf(_) | Tree::None | Tree::UnitStruct(_) => {}
        Tree::Some(inner) | Tree::Newtype(_, inner) => visit(inner, each),
        Tree::Seq(parts) | Tree::Tuple(parts) | Tree::TupleStruct(_, parts) => {
            parts.iter_mut().for_each(|part| visit(part, each));
        }
        Tree::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
            visit(key, each);
            visit(value, each);
        }),
        Tree::Struct(name, fields) => {
            each(name, fields);
            fields.iter_mut().for_each(|(_, part)| visit(part, each));
        }
        Tree::Variant(variant) => match &mut variant.body {
            Body::Unit => {}
            Body::Newtype(inner) => visit(inner, each),
            Body::Tuple(parts) => parts.iter_mut().for_each(|part| visit(part, each)),
            Body::Struct(fields) => {
                each(&Name::Owned(format!("{}::{}", variant.of, variant.name)), fields);
                fields.iter_mut().for_each(|(_, part)| visit(part, each));
            }
        },
    }
}
