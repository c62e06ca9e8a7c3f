//! Values as a description has them, read by a type of today.
//!
//! The type reads them by name, as it reads values of an older build from a store: so serde's attributes decide, and no rule is written twice.

use std::collections::BTreeSet;

use super::{Definition, Described, Field, Shape, Types, Variant};
use crate::codec::{
    Value,
    capture::capture,
    erased::TypeOf,
    layout::Form,
    sampler::{Choices, samples},
    trace::explore,
    tree::{Body, Kind, Leaf, Name, Tree, Variant as TreeVariant},
    trial::read_value,
};
use crate::engine::panics::catch_quietly;

/// Values nest no deeper.
const DEEPEST: usize = 60;
/// A value has no more parts.
const MOST: usize = 2_000;

/// What came of reading values of an older type as today's.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// So many were read.
    pub(crate) read: usize,
    /// What was said of those that could not be.
    pub(crate) refused: Vec<String>,
    /// Places whose content makes no difference any more.
    pub(crate) lost: Vec<String>,
}

/// Makes one value of an older type.
pub(crate) struct Sampled<'t> {
    types: &'t Types,
    choices: Choices,
    /// The named types around.
    around: Vec<String>,
    parts: usize,
}

impl Types {
    /// Reads values that `make` makes, with the types of an older build, as the type.
    pub(crate) fn read_as(
        &self,
        of: &TypeOf,
        readable: bool,
        make: &dyn Fn(&mut Sampled<'_>) -> Tree,
    ) -> Reading {
        let mut run = |choices: Choices| {
            let mut sampled = Sampled { types: self, choices, around: Vec::new(), parts: 0 };
            let value = Value { tree: make(&mut sampled), readable };
            (sampled.choices.made, read(of, &value))
        };
        let outcomes = explore(1, &mut run);
        let (mut refused, mut lost) = (BTreeSet::new(), BTreeSet::new());
        for outcome in &outcomes {
            match (&outcome.result, &outcome.parent) {
                (Err(error), _) => {
                    refused.insert(error.clone());
                }
                (Ok(tree), Some((parent, place))) if outcomes[*parent].result.as_ref() == Ok(tree) => {
                    lost.insert(place.clone());
                }
                _ => {}
            }
        }
        let read = outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
        Reading { read, refused: refused.into_iter().collect(), lost: shortest(lost) }
    }

    /// One value of a shape, for a trial.
    pub(crate) fn one(&self, described: &Described) -> Option<Value> {
        let mut sampled = Sampled { types: self, choices: Choices::default(), around: Vec::new(), parts: 0 };
        let readable = match described {
            Described::Shape { readable, .. } => *readable,
            Described::Operation => false,
            Described::Opaque { .. } => return None,
        };
        Some(Value { tree: sampled.value("", described), readable })
    }
}

/// Of `.gift` and `.gift.name`, the first.
fn shortest(places: BTreeSet<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for place in places {
        let place = [" value", " len", " variant", " any"]
            .iter()
            .find_map(|what| place.strip_suffix(what))
            .unwrap_or(&place);
        let place = place.trim_end_matches('?').to_owned();
        if !kept.iter().any(|kept| place.starts_with(kept.as_str())) {
            kept.push(place);
        }
    }
    kept
}

fn read(of: &TypeOf, value: &Value) -> Result<Tree, String> {
    let mut slot = (of.slot)();
    let read = || {
        read_value(of, &mut *slot, value).map_err(|error| error.to_string())?;
        let value = slot.value().ok_or("nothing was read")?;
        capture(value, true).map(|captured| captured.tree).map_err(|fault| fault.to_string())
    };
    catch_quietly(read).unwrap_or_else(|_| Err("its `Deserialize` panics".to_owned()))
}

impl Sampled<'_> {
    /// A value of this type, in which choices are named by where it stands.
    pub(crate) fn value(&mut self, place: &str, described: &Described) -> Tree {
        match described {
            Described::Shape { shape, .. } => self.shape(place, shape),
            Described::Operation => Tree::Leaf(Leaf::Bytes(vec![2])),
            Described::Opaque { .. } => Tree::None,
        }
    }

    fn shape(&mut self, place: &str, shape: &Shape) -> Tree {
        self.parts += 1;
        // Only a text that nobody wrote with a type in hand comes this far.
        if self.parts > MOST || self.around.len() > DEEPEST {
            return Tree::None;
        }
        let closed = self.is_closed();
        match shape {
            Shape::Unknown => Tree::None,
            Shape::Any => {
                let values = [
                    Tree::str("a"),
                    Tree::Leaf(Leaf::U64(1)),
                    Tree::Leaf(Leaf::Unit),
                    Tree::Seq(Vec::new()),
                    Tree::Map(Vec::new()),
                ];
                let picked = self.choices.choose(format!("{place} any"), values.len(), values.len());
                values[picked].clone()
            }
            Shape::Leaf(kind, examples) => Tree::Leaf(self.leaf(place, *kind, examples)),
            Shape::Option(inner) => {
                let place = format!("{place}?");
                if self.is_empty(&place, inner, closed) {
                    return Tree::None;
                }
                Tree::Some(Box::new(self.shape(&place, inner)))
            }
            Shape::Seq(inner) => {
                if self.is_empty(&format!("{place} len"), inner, closed) {
                    return Tree::Seq(Vec::new());
                }
                Tree::Seq(vec![self.shape(&format!("{place}[]"), inner)])
            }
            Shape::Map(entry) => {
                if self.is_empty(&format!("{place} len"), &entry.1, closed) {
                    return Tree::Map(Vec::new());
                }
                let key = self.shape(&format!("{place}[key]"), &entry.0);
                Tree::Map(vec![(key, self.shape(&format!("{place}[]"), &entry.1))])
            }
            Shape::Tuple(parts) => Tree::Tuple(self.parts(place, parts)),
            Shape::Named(name) => {
                self.around.push(name.clone());
                let tree = self.named(place, name);
                self.around.pop();
                tree
            }
        }
    }

    /// Whether the innermost named type has come back to itself twice.
    fn is_closed(&self) -> bool {
        let Some((last, around)) = self.around.split_last() else { return false };
        around.iter().filter(|name| *name == last).count() > 1
    }

    /// Whether there is nothing in it, which is a choice unless there has to be.
    fn is_empty(&mut self, place: &str, inner: &Shape, closed: bool) -> bool {
        closed || *inner == Shape::Unknown || self.choices.choose(place.to_owned(), 2, 2) == 1
    }

    fn leaf(&mut self, place: &str, kind: Kind, examples: &[Leaf]) -> Leaf {
        let (samples, worth) = samples(kind);
        if examples.is_empty() {
            return samples[self.choices.choose(format!("{place} value"), worth, worth)].to_leaf();
        }
        examples[self.choices.choose(format!("{place} value"), examples.len(), examples.len())].clone()
    }

    fn parts(&mut self, place: &str, parts: &[Shape]) -> Vec<Tree> {
        parts.iter().enumerate().map(|(at, part)| self.shape(&format!("{place}.{at}"), part)).collect()
    }

    fn fields(&mut self, place: &str, fields: &[Field]) -> Vec<(Name, Tree)> {
        let mut made = Vec::new();
        for Field { name, left_out, shape } in fields {
            let part = self.shape(&format!("{place}.{name}"), shape);
            let is_empty = match &part {
                Tree::None => true,
                Tree::Seq(parts) => parts.is_empty(),
                Tree::Map(entries) => entries.is_empty(),
                _ => false,
            };
            if !(*left_out && is_empty) {
                made.push((Name::Owned(name.clone()), part));
            }
        }
        made
    }

    fn named(&mut self, place: &str, name: &str) -> Tree {
        let types = self.types;
        let of = || Name::Owned(name.split('#').next().unwrap_or(name).to_owned());
        match types.definitions.get(name) {
            None => Tree::None,
            Some(Definition::Unit) => Tree::UnitStruct(of()),
            Some(Definition::Newtype(inner)) => Tree::Newtype(of(), Box::new(self.shape(place, inner))),
            Some(Definition::Tuple(parts)) => Tree::TupleStruct(of(), self.parts(place, parts)),
            Some(Definition::Struct(fields)) => Tree::Struct(of(), self.fields(place, fields)),
            Some(Definition::Enum(variants)) => self.variant(place, name, of(), variants),
        }
    }

    fn variant(&mut self, place: &str, name: &str, of: Name, variants: &[Variant]) -> Tree {
        if variants.is_empty() {
            return Tree::None;
        }
        let nested = self.around.iter().filter(|around| *around == name).count() - 1;
        let worth = if nested > 1 { 0 } else { variants.len() };
        let picked = self.choices.choose(format!("{place} variant"), variants.len(), worth);
        let Variant { index, name, form, parts } = &variants[(picked + nested) % variants.len()];
        let place = format!("{place}.{name}");
        let body = match form {
            Form::Unit => Body::Unit,
            Form::Newtype => Body::Newtype(self.shape(&place, &parts[0].shape)),
            Form::Tuple => {
                let shapes: Vec<Shape> = parts.iter().map(|part| part.shape.clone()).collect();
                Body::Tuple(self.parts(&place, &shapes))
            }
            Form::Struct(_) => Body::Struct(self.fields(&place, parts)),
        };
        Tree::Variant(Box::new(TreeVariant { of, index: *index, name: Name::Owned(name.clone()), body }))
    }
}
