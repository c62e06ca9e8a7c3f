//! From the values that a trace has found to their description.

use std::{
    any::TypeId,
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use super::{Definition, Described, Field, Shape, Types, Variant};
use crate::codec::{
    erased::TypeOf,
    layout::{Form, Head, Layout},
    sampler::samples,
    trace::{ANY, Traced, trace},
    tree::{Body, Leaf, Name, Tree},
};

/// So many values are named that a leaf accepts.
const EXAMPLES: usize = 3;

/// A layout, and what was seen at its leaves.
struct Seen {
    layout: Layout,
    leaves: HashMap<u32, Vec<Leaf>>,
    readable: bool,
    left_out: HashSet<(Name, Name)>,
}

/// What was seen of each type: it is asked once in a process.
static SEEN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

type Known = HashMap<TypeId, Result<Arc<Seen>, String>>;

impl Types {
    pub(super) fn build(&mut self, of: &TypeOf) -> Result<Described, String> {
        let seen = Seen::of(of)?;
        Ok(Described::Shape { readable: seen.readable, shape: self.shape(&seen, 0) })
    }

    fn shape(&mut self, seen: &Seen, at: u32) -> Shape {
        let node = seen.layout.node(at);
        let mut part = |slot: usize| self.shape(seen, node.slots[slot]);
        match &node.head {
            Head::Unknown | Head::Variant { .. } => Shape::Unknown,
            Head::Leaf(kind) => Shape::Leaf(*kind, seen.examples(at)),
            Head::Option => Shape::Option(Box::new(part(0))),
            Head::Seq => Shape::Seq(Box::new(part(0))),
            Head::Map => Shape::Map(Box::new((part(0), part(1)))),
            Head::Tuple => Shape::Tuple(node.slots.iter().map(|slot| self.shape(seen, *slot)).collect()),
            Head::UnitStruct(name) if **name == *ANY => Shape::Any,
            Head::UnitStruct(name)
            | Head::Newtype(name)
            | Head::TupleStruct(name)
            | Head::Struct(name, _)
            | Head::Enum(name) => Shape::Named(self.named(seen, at, name)),
        }
    }

    /// The name of a type in the text, which is defined if it is met for the first time.
    fn named(&mut self, seen: &Seen, at: u32, name: &str) -> String {
        let identity = seen.identity(at);
        if let Some(known) = self.known.get(&identity) {
            return known.clone();
        }
        // Two types may have one name.
        let names = std::iter::once(name.to_owned()).chain((2..).map(|n| format!("{name}#{n}")));
        let mut free = names.filter(|name| !self.definitions.contains_key(name));
        let name = free.next().unwrap_or_default();
        self.known.insert(identity, name.clone());
        self.definitions.insert(name.clone(), Definition::Unit);
        let definition = self.define(seen, at);
        self.definitions.insert(name.clone(), definition);
        name
    }

    fn define(&mut self, seen: &Seen, at: u32) -> Definition {
        let node = seen.layout.node(at);
        match &node.head {
            Head::Newtype(_) => Definition::Newtype(self.shape(seen, node.slots[0])),
            Head::TupleStruct(_) => {
                Definition::Tuple(node.slots.iter().map(|slot| self.shape(seen, *slot)).collect())
            }
            Head::Struct(of, names) => Definition::Struct(self.fields(seen, of, names, &node.slots)),
            Head::Enum(of) => {
                Definition::Enum(node.slots.iter().filter_map(|slot| self.variant(seen, of, *slot)).collect())
            }
            _ => Definition::Unit,
        }
    }

    fn variant(&mut self, seen: &Seen, of: &str, at: u32) -> Option<Variant> {
        let node = seen.layout.node(at);
        let Head::Variant { index, name, form } = &node.head else { return None };
        let nameless: Vec<Box<str>> = vec![Box::default(); node.slots.len()];
        let names = if let Form::Struct(names) = form { names } else { &nameless };
        let parts = self.fields(seen, &format!("{of}::{name}"), names, &node.slots);
        Some(Variant { index: *index, name: name.to_string(), form: form.clone(), parts })
    }

    fn fields(&mut self, seen: &Seen, of: &str, names: &[Box<str>], slots: &[u32]) -> Vec<Field> {
        let mut fields = Vec::with_capacity(slots.len());
        for (name, slot) in names.iter().map(|name| &**name).zip(slots) {
            let left_out = seen.left_out.iter().any(|(within, field)| within == of && field == name);
            fields.push(Field { name: name.to_owned(), left_out, shape: self.shape(seen, *slot) });
        }
        fields
    }
}

impl Seen {
    fn of(of: &TypeOf) -> Result<Arc<Seen>, String> {
        let seen = || SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen().get(&(of.id)()).cloned();
        // The type is not asked under the lock.
        let known = known.unwrap_or_else(|| Seen::new(of).map(Arc::new));
        seen().insert((of.id)(), known.clone());
        known
    }

    fn new(of: &TypeOf) -> Result<Seen, String> {
        let Traced { trees, readable, left_out } = trace(of)?;
        let mut layout = Layout::unknown();
        for tree in &trees {
            layout = layout
                .grown(tree)
                .map_err(|_| "it holds data of any shape: its values have no layout in common")?;
        }
        let mut seen = Seen { layout, leaves: HashMap::new(), readable, left_out };
        trees.iter().for_each(|tree| seen.look(0, tree));
        Ok(seen)
    }

    /// Notes the leaves of a value.
    fn look(&mut self, at: u32, tree: &Tree) {
        let slots = self.layout.node(at).slots.clone();
        match tree {
            Tree::Leaf(leaf) => {
                let seen = self.leaves.entry(at).or_default();
                if !seen.contains(leaf) {
                    seen.push(leaf.clone());
                }
            }
            Tree::None | Tree::UnitStruct(_) => {}
            Tree::Some(inner) | Tree::Newtype(_, inner) => self.look(slots[0], inner),
            Tree::Seq(parts) => parts.iter().for_each(|part| self.look(slots[0], part)),
            Tree::Map(entries) => entries.iter().for_each(|(key, value)| {
                self.look(slots[0], key);
                self.look(slots[1], value);
            }),
            Tree::Tuple(parts) | Tree::TupleStruct(_, parts) => {
                parts.iter().zip(slots).for_each(|(part, slot)| self.look(slot, part));
            }
            Tree::Struct(_, fields) => {
                fields.iter().zip(slots).for_each(|((_, part), slot)| self.look(slot, part));
            }
            Tree::Variant(variant) => {
                let Some(chosen) = self.layout.variant(at, variant.index) else { return };
                let slots = self.layout.node(chosen).slots.clone();
                match &variant.body {
                    Body::Unit => {}
                    Body::Newtype(inner) => self.look(slots[0], inner),
                    Body::Tuple(parts) => {
                        parts.iter().zip(slots).for_each(|(part, slot)| self.look(slot, part));
                    }
                    Body::Struct(fields) => {
                        fields.iter().zip(slots).for_each(|((_, part), slot)| self.look(slot, part));
                    }
                }
            }
        }
    }

    /// What a leaf accepts, if that is not everything.
    fn examples(&self, at: u32) -> Vec<Leaf> {
        let Head::Leaf(kind) = self.layout.node(at).head else { return Vec::new() };
        let (samples, worth) = samples(kind);
        let Some(seen) = self.leaves.get(&at) else { return Vec::new() };
        if samples[..worth].iter().all(|sample| seen.contains(&sample.to_leaf())) {
            return Vec::new();
        }
        seen.iter().take(EXAMPLES).cloned().collect()
    }

    /// The same for all types that are described alike.
    fn identity(&self, at: u32) -> Vec<u8> {
        let (layout, were) = self.layout.rooted(at);
        let mut identity = layout.to_bytes();
        for (number, at) in were.into_iter().enumerate() {
            for leaf in self.examples(at) {
                identity.extend(format!("{number} {leaf:?}").bytes());
            }
        }
        identity
    }
}
