//! Where two captured values differ.
//!
//! Maps are compared without their order, and a sequence that differs is compared once more as a bag, because a `HashSet` or
//! `HashMap` that was read back is iterated in another order.

use super::named;
use super::tree::{Body, Leaf, Name, Tree};

/// The first difference between two values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// `.items[3].note`
    pub(super) path: String,
    pub(super) wrote: String,
    pub(super) read: String,
}

/// The first difference, if there is one.
pub(super) fn diff(wrote: &Tree, read: &Tree) -> Option<Difference> {
    let mut path = Vec::new();
    let (wrote, read) = differ(wrote, read, &mut path)?;
    Some(Difference { path: path.concat(), wrote, read })
}

type Pair = Option<(String, String)>;

/// On a difference, `path` is left at it.
fn differ(wrote: &Tree, read: &Tree, path: &mut Vec<String>) -> Pair {
    let here = || Some((excerpt(wrote), excerpt(read)));
    match (wrote, read) {
        (Tree::Leaf(a), Tree::Leaf(b)) => (a != b).then(here).flatten(),
        (Tree::None, Tree::None) => None,
        (Tree::Some(a), Tree::Some(b)) => differ(a, b, path),
        (Tree::Seq(a), Tree::Seq(b)) if a.len() == b.len() => {
            let found = differ_parts(a, b, path);
            if found.is_some() && canonical(wrote) == canonical(read) {
                path.clear();
                return None;
            }
            found
        }
        (Tree::Map(a), Tree::Map(b)) if a.len() == b.len() => {
            if a.iter().zip(b).all(|((x, _), (y, _))| x == y) {
                return differ_entries(a.iter().zip(b), path);
            }
            let (a, b) = (sorted(a), sorted(b));
            if a.iter().zip(&b).any(|((x, _), (y, _))| x != y) {
                return here();
            }
            differ_entries(a.iter().zip(&b), path)
        }
        (Tree::Tuple(a), Tree::Tuple(b)) if a.len() == b.len() => differ_parts(a, b, path),
        (Tree::UnitStruct(a), Tree::UnitStruct(b)) if a == b => None,
        (Tree::Newtype(n, a), Tree::Newtype(m, b)) if n == m => differ(a, b, path),
        (Tree::TupleStruct(n, a), Tree::TupleStruct(m, b)) if n == m && a.len() == b.len() => {
            differ_parts(a, b, path)
        }
        (Tree::Struct(n, a), Tree::Struct(m, b)) if n == m => differ_fields(a, b, path).unwrap_or_else(here),
        (Tree::Variant(a), Tree::Variant(b)) if (&a.of, a.index, &a.name) == (&b.of, b.index, &b.name) => {
            match (&a.body, &b.body) {
                (Body::Unit, Body::Unit) => None,
                (Body::Newtype(a), Body::Newtype(b)) => differ(a, b, path),
                (Body::Tuple(a), Body::Tuple(b)) if a.len() == b.len() => differ_parts(a, b, path),
                (Body::Struct(a), Body::Struct(b)) => differ_fields(a, b, path).unwrap_or_else(here),
                _ => here(),
            }
        }
        _ => here(),
    }
}

fn step(path: &mut Vec<String>, step: String, differ: impl FnOnce(&mut Vec<String>) -> Pair) -> Pair {
    path.push(step);
    let found = differ(path);
    if found.is_none() {
        path.pop();
    }
    found
}

fn differ_parts(a: &[Tree], b: &[Tree], path: &mut Vec<String>) -> Pair {
    a.iter()
        .zip(b)
        .enumerate()
        .find_map(|(i, (a, b))| step(path, format!("[{i}]"), |path| differ(a, b, path)))
}

fn differ_entries<'t>(
    mut entries: impl Iterator<Item = (&'t (Tree, Tree), &'t (Tree, Tree))>,
    path: &mut Vec<String>,
) -> Pair {
    entries
        .find_map(|((key, a), (_, b))| step(path, format!("[{}]", excerpt(key)), |path| differ(a, b, path)))
}

/// `None` when the fields themselves are others.
fn differ_fields(a: &[(Name, Tree)], b: &[(Name, Tree)], path: &mut Vec<String>) -> Option<Pair> {
    if a.len() != b.len() || a.iter().zip(b).any(|((n, _), (m, _))| n != m) {
        return None;
    }
    Some(
        a.iter()
            .zip(b)
            .find_map(|((name, a), (_, b))| step(path, format!(".{name}"), |path| differ(a, b, path))),
    )
}

fn sorted(entries: &[(Tree, Tree)]) -> Vec<(Tree, Tree)> {
    let mut entries: Vec<_> = entries.iter().map(|(k, v)| (canonical(k), v.clone())).collect();
    entries.sort_by_cached_key(|(key, _)| named::write(key));
    entries
}

/// The same tree with every map and sequence in the order of its bytes.
fn canonical(tree: &Tree) -> Tree {
    let all = |parts: &[Tree]| parts.iter().map(canonical).collect::<Vec<_>>();
    let fields =
        |fields: &[(Name, Tree)]| fields.iter().map(|(n, part)| (n.clone(), canonical(part))).collect();
    match tree {
        Tree::Leaf(_) | Tree::None | Tree::UnitStruct(_) => tree.clone(),
        Tree::Some(inner) => Tree::Some(Box::new(canonical(inner))),
        Tree::Seq(parts) => {
            let mut parts = all(parts);
            parts.sort_by_cached_key(named::write);
            Tree::Seq(parts)
        }
        Tree::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(k, v)| (canonical(k), canonical(v))).collect();
            entries.sort_by_cached_key(|(key, value)| (named::write(key), named::write(value)));
            Tree::Map(entries)
        }
        Tree::Tuple(parts) => Tree::Tuple(all(parts)),
        Tree::Newtype(name, inner) => Tree::Newtype(name.clone(), Box::new(canonical(inner))),
        Tree::TupleStruct(name, parts) => Tree::TupleStruct(name.clone(), all(parts)),
        Tree::Struct(name, parts) => Tree::Struct(name.clone(), fields(parts)),
        Tree::Variant(variant) => {
            let mut variant = variant.clone();
            variant.body = match &variant.body {
                Body::Unit => Body::Unit,
                Body::Newtype(inner) => Body::Newtype(canonical(inner)),
                Body::Tuple(parts) => Body::Tuple(all(parts)),
                Body::Struct(parts) => Body::Struct(fields(parts)),
            };
            Tree::Variant(variant)
        }
    }
}

/// A value in a message: short, and a leaf with its type where two leaves could look the same.
pub(super) fn excerpt(tree: &Tree) -> String {
    let text = match tree {
        Tree::Leaf(Leaf::Unit) => "()".to_owned(),
        Tree::None => "None".to_owned(),
        Tree::Some(inner) => format!("Some({})", excerpt(inner)),
        Tree::Leaf(Leaf::Str(text)) => format!("{text:?}"),
        _ => super::json::to_json(tree).to_string(),
    };
    match text.char_indices().nth(80) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text,
    }
}
