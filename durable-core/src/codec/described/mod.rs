//! What the values of a type are stored as, as text: written by a build that has the type, read by a later one that has it no more.
//!
//! A shape is the codec's layout in words. A named type is defined once, beside the shapes that mention it ([`Types`]), so that a
//! recursive type ends. A leaf that accepts not every value (a `NonZero`, a `Uuid`, a time) is described with ones that it accepted.
//!
//! A type whose `Deserialize` can't be traced is *opaque*: it is described by its name and why, and nothing is claimed of it.

mod build;
mod parse;
mod read;
mod text;

use std::collections::BTreeMap;

pub(crate) use parse::name;
pub(crate) use read::Reading;
pub(crate) use text::quoted;

use super::Value;
use super::erased::TypeOf;
use super::layout::Form;
use super::tree::{Kind, Leaf, Tree};

/// A type as it is described.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Described {
    /// What its values are stored as.
    Shape {
        /// They are written by name.
        readable: bool,
        shape: Shape,
    },
    /// One operation, as the library keeps it.
    Operation,
    /// It could not be seen through.
    Opaque { type_name: String, why: String },
}

/// What stands at one place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// No value was found for it.
    Unknown,
    /// Values of several kinds were.
    Any,
    /// With values that it accepts, if it does not accept any.
    Leaf(Kind, Vec<Leaf>),
    Option(Box<Shape>),
    Seq(Box<Shape>),
    Map(Box<(Shape, Shape)>),
    Tuple(Vec<Shape>),
    Named(String),
}

/// A struct or an enum.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Definition {
    Unit,
    Newtype(Shape),
    Tuple(Vec<Shape>),
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    name: String,
    /// Sometimes it is not written.
    left_out: bool,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Variant {
    index: u32,
    name: String,
    form: Form,
    parts: Vec<Field>,
}

/// The named types that shapes mention.
#[derive(Clone, Debug, Default)]
pub(crate) struct Types {
    definitions: BTreeMap<String, Definition>,
    /// Those that were described in this process: by what they are.
    known: BTreeMap<Vec<u8>, String>,
}

impl PartialEq for Types {
    fn eq(&self, other: &Self) -> bool {
        self.definitions == other.definitions
    }
}

impl Types {
    /// Describes a type of this build.
    pub(crate) fn describe(&mut self, of: &TypeOf) -> Described {
        self.build(of).unwrap_or_else(|why| Described::Opaque { type_name: (of.name)().to_owned(), why })
    }

    /// Describes the state of something that is awaited.
    pub(crate) fn describe_awaited(&mut self, of: &TypeOf) -> Described {
        let described = self.describe(of);
        let ended = [Leaf::Bytes(vec![2])];
        match &described {
            Described::Shape { shape: Shape::Leaf(Kind::Bytes, accepted), .. } if *accepted == ended => {
                Described::Operation
            }
            _ => described,
        }
    }
}

impl Described {
    /// The shapes of a tuple's parts, such as the parameters of a call.
    pub(crate) fn parts(&self, count: usize) -> Option<Vec<Described>> {
        let Described::Shape { readable, shape } = self else { return None };
        let parts = match shape {
            Shape::Tuple(parts) => parts.clone(),
            Shape::Leaf(Kind::Unit, _) => Vec::new(),
            _ => return None,
        };
        let part = |shape| Described::Shape { readable: *readable, shape };
        (parts.len() == count).then(|| parts.into_iter().map(part).collect())
    }
}

/// A tuple of values.
pub(crate) fn tuple(parts: Vec<Tree>) -> Tree {
    Tree::Tuple(parts)
}

/// The part of a value that a path of fields leads to.
pub(crate) fn part(tree: Tree, path: &[String]) -> Tree {
    let value = Value { tree, readable: false };
    if path.is_empty() { value.tree } else { value.part(path).map_or(Tree::None, |part| part.tree) }
}

/// What is read where nothing was stored.
pub(crate) fn absent() -> Tree {
    Tree::None
}
