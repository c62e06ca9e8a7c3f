//! Layout + postcard bytes -> [`Tree`], without the Rust type.
//!
//! Whatever the bytes and the layout, reading ends, without a panic, in memory bounded by a multiple of the input: nesting and
//! the number of values are limited, and nothing is reserved before it was read. The writer keeps to the same limits.

use super::layout::{Form, Head, Layout};
use super::tree::{Body, Kind, LeafRef, MAX_DEPTH, Name, Tree, Variant, with_scalars};
use super::wire::{Scalar, take_bytes};

/// How many values `len` bytes may hold. Only values without bytes of their own (units in a list) reach it.
pub(super) fn budget(len: usize) -> usize {
    len.saturating_mul(64).saturating_add(4096)
}

/// What is wrong with the bytes.
pub(super) type Flaw = &'static str;

const CUT: Flaw = "its bytes are cut off or garbled";
pub(super) const DEEP: Flaw = "it nests too deep";

/// Stored bytes, read from the front, leaf by leaf as postcard has them.
#[derive(Debug)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
    budget: usize,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, budget: budget(bytes.len()) }
    }

    #[inline]
    pub(super) fn take<T: serde::Deserialize<'b>>(&mut self) -> Result<T, Flaw> {
        let (value, rest) = postcard::take_from_bytes(self.rest).map_err(|_| CUT)?;
        self.rest = rest;
        Ok(value)
    }

    /// A leaf that a value's own bytes hold.
    #[inline]
    pub(super) fn scalar<T: Scalar>(&mut self) -> Result<T, Flaw> {
        T::take(&mut self.rest).ok_or(CUT)
    }

    #[inline]
    pub(super) fn text(&mut self) -> Result<&'b str, Flaw> {
        std::str::from_utf8(self.byte_string()?).map_err(|_| CUT)
    }

    #[inline]
    pub(super) fn byte_string(&mut self) -> Result<&'b [u8], Flaw> {
        take_bytes(&mut self.rest).ok_or(CUT)
    }

    pub(super) fn peek(&self) -> Result<u8, Flaw> {
        self.rest.first().copied().ok_or(CUT)
    }

    #[inline]
    pub(super) fn count(&mut self) -> Result<(), Flaw> {
        self.budget = self.budget.checked_sub(1).ok_or("it holds more values than its bytes can")?;
        Ok(())
    }

    /// What may be reserved for `len` announced values: the rest grows as it is really read.
    pub(super) fn capped(&self, len: u64) -> usize {
        len.min(self.rest.len() as u64).min(64) as usize
    }

    /// No more than one per byte that is left.
    pub(super) fn capped_by_rest(&self, len: usize) -> usize {
        len.min(self.rest.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(super) fn leaf(&mut self, kind: Kind) -> Result<LeafRef<'b>, Flaw> {
        macro_rules! read {
            ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
                Ok(match kind {
                    $(Kind::$kind => LeafRef::$kind(self.scalar()?),)*
                    Kind::Unit => LeafRef::Unit,
                    Kind::Str => LeafRef::Str(self.text()?),
                    Kind::Bytes => LeafRef::Bytes(self.byte_string()?),
                })
            };
        }
        with_scalars!(read)
    }
}

/// Reads all of `bytes`.
pub(super) fn view(layout: &Layout, bytes: &[u8]) -> Result<Tree, Flaw> {
    let mut view = View { layout, bytes: Reader::new(bytes) };
    let tree = view.tree(0, 0)?;
    if view.bytes.is_empty() { Ok(tree) } else { Err("it has bytes left over") }
}

struct View<'l, 'b> {
    layout: &'l Layout,
    bytes: Reader<'b>,
}

impl<'l> View<'l, '_> {
    fn tree(&mut self, at: u32, depth: u32) -> Result<Tree, Flaw> {
        if depth > MAX_DEPTH {
            return Err(DEEP);
        }
        self.bytes.count()?;
        let node = self.layout.node(at);
        let slots = &node.slots;
        Ok(match &node.head {
            Head::Unknown | Head::Variant { .. } => {
                return Err("its layout does not know what stands here");
            }
            Head::Leaf(kind) => Tree::Leaf(self.bytes.leaf(*kind)?.to_leaf()),
            Head::Option => {
                if self.bytes.scalar::<bool>()? {
                    Tree::Some(Box::new(self.tree(slots[0], depth + 1)?))
                } else {
                    Tree::None
                }
            }
            Head::Seq => {
                let len = self.bytes.scalar::<u64>()?;
                let mut parts = Vec::with_capacity(self.bytes.capped(len));
                for _ in 0..len {
                    parts.push(self.tree(slots[0], depth + 1)?);
                }
                Tree::Seq(parts)
            }
            Head::Map => {
                let len = self.bytes.scalar::<u64>()?;
                let mut entries = Vec::with_capacity(self.bytes.capped(len));
                for _ in 0..len {
                    entries.push((self.tree(slots[0], depth + 1)?, self.tree(slots[1], depth + 1)?));
                }
                Tree::Map(entries)
            }
            Head::Tuple => Tree::Tuple(self.parts(slots, depth)?),
            Head::UnitStruct(name) => Tree::UnitStruct(owned(name)),
            Head::Newtype(name) => Tree::Newtype(owned(name), Box::new(self.tree(slots[0], depth + 1)?)),
            Head::TupleStruct(name) => Tree::TupleStruct(owned(name), self.parts(slots, depth)?),
            Head::Struct(name, fields) => Tree::Struct(owned(name), self.fields(fields, slots, depth)?),
            Head::Enum(name) => self.variant(name, at, depth)?,
        })
    }

    fn variant(&mut self, of: &str, at: u32, depth: u32) -> Result<Tree, Flaw> {
        let (index, name, form, slots) = self.chosen(at)?;
        let body = match form {
            Form::Unit => Body::Unit,
            Form::Newtype => Body::Newtype(self.tree(slots[0], depth + 1)?),
            Form::Tuple => Body::Tuple(self.parts(slots, depth)?),
            Form::Struct(fields) => Body::Struct(self.fields(fields, slots, depth)?),
        };
        Ok(Tree::Variant(Box::new(Variant { of: owned(of), index, name: owned(name), body })))
    }

    fn chosen(&mut self, at: u32) -> Result<(u32, &'l str, &'l Form, &'l [u32]), Flaw> {
        let index = self.bytes.scalar::<u32>()?;
        let node = self.layout.variant(at, index).ok_or("its layout does not know this variant")?;
        let node = self.layout.node(node);
        match &node.head {
            Head::Variant { index, name, form } => Ok((*index, name, form, &node.slots)),
            _ => Err("its layout's variant is none"),
        }
    }

    fn parts(&mut self, slots: &[u32], depth: u32) -> Result<Vec<Tree>, Flaw> {
        slots.iter().map(|slot| self.tree(*slot, depth + 1)).collect()
    }

    fn fields(&mut self, names: &[Box<str>], slots: &[u32], depth: u32) -> Result<Vec<(Name, Tree)>, Flaw> {
        names.iter().zip(slots).map(|(name, slot)| Ok((owned(name), self.tree(*slot, depth + 1)?))).collect()
    }
}

fn owned(name: &str) -> Name {
    Name::Owned(name.to_owned())
}
