//! [`Tree`] <-> bytes that describe themselves: the named encoding.
//!
//! Each value is a tag and what follows it; leaves are written by postcard. A name is written once and then by its number
//! (up to 64 bytes; a longer one each time, so that a few bytes never stand for many). Nothing of serde's data model is
//! lost: `Some(())`, `Some(None)`, every width of integer, keys of every kind, the names of types and variants.

use std::collections::HashMap;

use serde::Serialize;

use super::tree::{Body, Kind, Leaf, MAX_DEPTH, Name, Tree, Variant, with_scalars};
use super::view::{Flaw, Reader};

/// Tags from here on have parts; below are the leaves, by their [`Kind`]. They are on disk: append only.
mod tag {
    pub(super) const NONE: u8 = 32;
    pub(super) const SOME: u8 = 33;
    pub(super) const SEQ: u8 = 34;
    pub(super) const MAP: u8 = 35;
    pub(super) const TUPLE: u8 = 36;
    pub(super) const UNIT_STRUCT: u8 = 37;
    pub(super) const NEWTYPE: u8 = 38;
    pub(super) const TUPLE_STRUCT: u8 = 39;
    pub(super) const STRUCT: u8 = 40;
    pub(super) const UNIT_VARIANT: u8 = 41;
    pub(super) const NEWTYPE_VARIANT: u8 = 42;
    pub(super) const TUPLE_VARIANT: u8 = 43;
    pub(super) const STRUCT_VARIANT: u8 = 44;
}

const NUMBERED_NAME: usize = 64;

/// The bytes of `tree`.
pub(super) fn write(tree: &Tree) -> Vec<u8> {
    let mut writer = Writer { out: Vec::new(), names: HashMap::new() };
    writer.tree(tree);
    writer.out
}

struct Writer<'t> {
    out: Vec<u8>,
    names: HashMap<&'t str, u32>,
}

impl<'t> Writer<'t> {
    fn put<T: Serialize + ?Sized>(&mut self, leaf: &T) {
        let out = std::mem::take(&mut self.out);
        self.out = postcard::to_extend(leaf, out).expect("a leaf of known length into a Vec can't fail");
    }

    fn tag(&mut self, tag: u8) {
        self.out.push(tag);
    }

    fn name(&mut self, name: &'t str) {
        if let Some(number) = self.names.get(name) {
            let number = *number;
            return self.put(&number);
        }
        if name.len() <= NUMBERED_NAME {
            self.names.insert(name, self.names.len() as u32 + 1);
        }
        self.put(&0_u32);
        self.put(name);
    }

    fn leaf(&mut self, leaf: &Leaf) {
        macro_rules! put {
            ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
                match leaf {
                    $(Leaf::$kind(v) => self.put(v),)*
                    Leaf::Unit => {}
                    Leaf::Str(v) => self.put(v),
                    Leaf::Bytes(v) => self.put(v),
                }
            };
        }
        self.put(&leaf.kind());
        with_scalars!(put);
    }

    fn tree(&mut self, tree: &'t Tree) {
        match tree {
            Tree::Leaf(leaf) => self.leaf(leaf),
            Tree::None => self.tag(tag::NONE),
            Tree::Some(inner) => {
                self.tag(tag::SOME);
                self.tree(inner);
            }
            Tree::Seq(parts) => {
                self.tag(tag::SEQ);
                self.parts(parts);
            }
            Tree::Map(entries) => {
                self.tag(tag::MAP);
                self.put(&entries.len());
                for (key, value) in entries {
                    self.tree(key);
                    self.tree(value);
                }
            }
            Tree::Tuple(parts) => {
                self.tag(tag::TUPLE);
                self.parts(parts);
            }
            Tree::UnitStruct(of) => {
                self.tag(tag::UNIT_STRUCT);
                self.name(of);
            }
            Tree::Newtype(of, inner) => {
                self.tag(tag::NEWTYPE);
                self.name(of);
                self.tree(inner);
            }
            Tree::TupleStruct(of, parts) => {
                self.tag(tag::TUPLE_STRUCT);
                self.name(of);
                self.parts(parts);
            }
            Tree::Struct(of, fields) => {
                self.tag(tag::STRUCT);
                self.name(of);
                self.fields(fields);
            }
            Tree::Variant(variant) => self.variant(variant),
        }
    }

    fn variant(&mut self, variant: &'t Variant) {
        self.tag(match variant.body {
            Body::Unit => tag::UNIT_VARIANT,
            Body::Newtype(_) => tag::NEWTYPE_VARIANT,
            Body::Tuple(_) => tag::TUPLE_VARIANT,
            Body::Struct(_) => tag::STRUCT_VARIANT,
        });
        self.name(&variant.of);
        self.put(&variant.index);
        self.name(&variant.name);
        match &variant.body {
            Body::Unit => {}
            Body::Newtype(inner) => self.tree(inner),
            Body::Tuple(parts) => self.parts(parts),
            Body::Struct(fields) => self.fields(fields),
        }
    }

    fn parts(&mut self, parts: &'t [Tree]) {
        self.put(&parts.len());
        for part in parts {
            self.tree(part);
        }
    }

    fn fields(&mut self, fields: &'t [(Name, Tree)]) {
        self.put(&fields.len());
        for (name, value) in fields {
            self.name(name);
            self.tree(value);
        }
    }
}

/// Reads all of `bytes`; ends without a panic and in bounded memory, whatever they are.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, Flaw> {
    let mut read = Read { bytes: Reader::new(bytes), names: Vec::new() };
    let tree = read.tree(0)?;
    if read.bytes.is_empty() { Ok(tree) } else { Err("it has bytes left over") }
}

struct Read<'b> {
    bytes: Reader<'b>,
    names: Vec<&'b str>,
}

impl Read<'_> {
    fn name(&mut self) -> Result<Name, Flaw> {
        let number = self.bytes.take::<u32>()? as usize;
        if number > 0 {
            let name = self.names.get(number - 1).ok_or("a name's number is not known")?;
            return Ok(Name::Owned((*name).to_owned()));
        }
        let name = self.bytes.take::<&str>()?;
        if name.len() <= NUMBERED_NAME {
            self.names.push(name);
        }
        Ok(Name::Owned(name.to_owned()))
    }

    fn tree(&mut self, depth: u32) -> Result<Tree, Flaw> {
        if depth > MAX_DEPTH {
            return Err("it nests too deep");
        }
        if self.bytes.peek()? < tag::NONE {
            let kind = self.bytes.take::<Kind>()?;
            return Ok(Tree::Leaf(self.bytes.leaf(kind)?.to_leaf()));
        }
        let tag = self.bytes.take::<u8>()?;
        Ok(match tag {
            tag::NONE => Tree::None,
            tag::SOME => Tree::Some(Box::new(self.tree(depth + 1)?)),
            tag::SEQ => Tree::Seq(self.parts(depth)?),
            tag::MAP => {
                let len = self.bytes.take::<u64>()?;
                let mut entries = Vec::with_capacity(self.bytes.capped(len));
                for _ in 0..len {
                    entries.push((self.tree(depth + 1)?, self.tree(depth + 1)?));
                }
                Tree::Map(entries)
            }
            tag::TUPLE => Tree::Tuple(self.parts(depth)?),
            tag::UNIT_STRUCT => Tree::UnitStruct(self.name()?),
            tag::NEWTYPE => Tree::Newtype(self.name()?, Box::new(self.tree(depth + 1)?)),
            tag::TUPLE_STRUCT => Tree::TupleStruct(self.name()?, self.parts(depth)?),
            tag::STRUCT => Tree::Struct(self.name()?, self.fields(depth)?),
            tag::UNIT_VARIANT | tag::NEWTYPE_VARIANT | tag::TUPLE_VARIANT | tag::STRUCT_VARIANT => {
                let (of, index, name) = (self.name()?, self.bytes.take()?, self.name()?);
                let body = match tag {
                    tag::UNIT_VARIANT => Body::Unit,
                    tag::NEWTYPE_VARIANT => Body::Newtype(self.tree(depth + 1)?),
                    tag::TUPLE_VARIANT => Body::Tuple(self.parts(depth)?),
                    _ => Body::Struct(self.fields(depth)?),
                };
                Tree::Variant(Box::new(Variant { of, index, name, body }))
            }
            _ => return Err("a tag is not known"),
        })
    }

    fn parts(&mut self, depth: u32) -> Result<Vec<Tree>, Flaw> {
        let len = self.bytes.take::<u64>()?;
        let mut parts = Vec::with_capacity(self.bytes.capped(len));
        for _ in 0..len {
            parts.push(self.tree(depth + 1)?);
        }
        Ok(parts)
    }

    fn fields(&mut self, depth: u32) -> Result<Vec<(Name, Tree)>, Flaw> {
        let len = self.bytes.take::<u64>()?;
        let mut fields = Vec::with_capacity(self.bytes.capped(len));
        for _ in 0..len {
            fields.push((self.name()?, self.tree(depth + 1)?));
        }
        Ok(fields)
    }
}
