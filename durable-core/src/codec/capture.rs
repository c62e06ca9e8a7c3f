//! `Serialize` -> [`Tree`]: writes down every call that a value makes.

use std::borrow::Cow;
use std::cell::Cell;

use serde::ser::{self, Serialize, Serializer};

use super::error::Fault;
use super::tree::{Body, Leaf, MAX_DEPTH, Name, Tree, Variant, with_scalars};

/// A value as it was captured.
pub(super) struct Captured {
    pub(super) tree: Tree,
    /// The calls can be written by position: every length was announced and kept, no field was skipped.
    pub(super) regular: bool,
}

/// Captures `value`, which is told that the format is human readable or not.
pub(super) fn capture<T: Serialize + ?Sized>(value: &T, readable: bool) -> Result<Captured, Fault> {
    let pass = Pass { readable, regular: Cell::new(true) };
    let tree = value.serialize(Capture { pass: &pass, depth: 0 })?;
    Ok(Captured { tree, regular: pass.regular.get() })
}

struct Pass {
    readable: bool,
    regular: Cell<bool>,
}

#[derive(Clone, Copy)]
struct Capture<'p> {
    pass: &'p Pass,
    depth: u32,
}

impl Capture<'_> {
    fn inner(self) -> Result<Self, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn boxed<T: Serialize + ?Sized>(self, value: &T) -> Result<Box<Tree>, Fault> {
        Ok(Box::new(value.serialize(self.inner()?)?))
    }
}

fn variant(of: &'static str, index: u32, name: &'static str, body: Body) -> Tree {
    Tree::Variant(Box::new(Variant { of: Cow::Borrowed(of), index, name: Cow::Borrowed(name), body }))
}

macro_rules! leaves {
    ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
        $(fn $ser(self, v: $ty) -> Result<Tree, Fault> { Ok(Tree::Leaf(Leaf::$kind(v))) })*
    };
}

impl<'p> Serializer for Capture<'p> {
    type Ok = Tree;
    type Error = Fault;
    type SerializeSeq = Parts<'p>;
    type SerializeTuple = Parts<'p>;
    type SerializeTupleStruct = Parts<'p>;
    type SerializeTupleVariant = Parts<'p>;
    type SerializeMap = Entries<'p>;
    type SerializeStruct = Fields<'p>;
    type SerializeStructVariant = Fields<'p>;

    with_scalars!(leaves);

    fn is_human_readable(&self) -> bool {
        self.pass.readable
    }
    fn serialize_str(self, v: &str) -> Result<Tree, Fault> {
        Ok(Tree::str(v))
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<Tree, Fault> {
        Ok(Tree::Leaf(Leaf::Bytes(v.to_vec())))
    }
    fn serialize_unit(self) -> Result<Tree, Fault> {
        Ok(Tree::Leaf(Leaf::Unit))
    }
    fn serialize_none(self) -> Result<Tree, Fault> {
        Ok(Tree::None)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, Fault> {
        Ok(Tree::Some(self.boxed(value)?))
    }
    fn serialize_unit_struct(self, name: &'static str) -> Result<Tree, Fault> {
        Ok(Tree::UnitStruct(name.into()))
    }
    fn serialize_unit_variant(self, of: &'static str, index: u32, name: &'static str) -> Result<Tree, Fault> {
        Ok(variant(of, index, name, Body::Unit))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Tree, Fault> {
        Ok(Tree::Newtype(name.into(), self.boxed(value)?))
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        of: &'static str,
        index: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Tree, Fault> {
        Ok(variant(of, index, name, Body::Newtype(value.serialize(self.inner()?)?)))
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Parts<'p>, Fault> {
        Parts::new(self, len, Of::Seq)
    }
    fn serialize_tuple(self, len: usize) -> Result<Parts<'p>, Fault> {
        Parts::new(self, Some(len), Of::Tuple)
    }
    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Parts<'p>, Fault> {
        Parts::new(self, Some(len), Of::Struct(name))
    }
    fn serialize_tuple_variant(
        self,
        of: &'static str,
        index: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Parts<'p>, Fault> {
        Parts::new(self, Some(len), Of::Variant(of, index, name))
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Entries<'p>, Fault> {
        Ok(Entries { inner: self.inner()?, len, key: None, done: Vec::new() })
    }
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Fields<'p>, Fault> {
        Ok(Fields { inner: self.inner()?, len, of: Of::Struct(name), done: Vec::new() })
    }
    fn serialize_struct_variant(
        self,
        of: &'static str,
        index: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Fields<'p>, Fault> {
        Ok(Fields { inner: self.inner()?, len, of: Of::Variant(of, index, name), done: Vec::new() })
    }
}

/// What a list of parts belongs to.
enum Of {
    Seq,
    Tuple,
    Struct(&'static str),
    Variant(&'static str, u32, &'static str),
}

struct Parts<'p> {
    inner: Capture<'p>,
    len: Option<usize>,
    of: Of,
    done: Vec<Tree>,
}

impl<'p> Parts<'p> {
    fn new(outer: Capture<'p>, len: Option<usize>, of: Of) -> Result<Self, Fault> {
        Ok(Self { inner: outer.inner()?, len, of, done: Vec::new() })
    }
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.done.push(value.serialize(self.inner)?);
        Ok(())
    }
    fn finish(self) -> Tree {
        if self.len != Some(self.done.len()) {
            self.inner.pass.regular.set(false);
        }
        match self.of {
            Of::Seq => Tree::Seq(self.done),
            Of::Tuple => Tree::Tuple(self.done),
            Of::Struct(name) => Tree::TupleStruct(name.into(), self.done),
            Of::Variant(of, index, name) => variant(of, index, name, Body::Tuple(self.done)),
        }
    }
}

macro_rules! parts {
    ($($trait:ident $push:ident,)*) => {
        $(impl ser::$trait for Parts<'_> {
            type Ok = Tree;
            type Error = Fault;
            fn $push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> { self.push(value) }
            fn end(self) -> Result<Tree, Fault> { Ok(self.finish()) }
        })*
    };
}
parts! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

struct Entries<'p> {
    inner: Capture<'p>,
    len: Option<usize>,
    key: Option<Tree>,
    done: Vec<(Tree, Tree)>,
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = Tree;
    type Error = Fault;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key = Some(key.serialize(self.inner)?);
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let Some(key) = self.key.take() else {
            return Err(Fault::Message("a map's value was written before its key".into()));
        };
        self.done.push((key, value.serialize(self.inner)?));
        Ok(())
    }
    fn end(self) -> Result<Tree, Fault> {
        if self.key.is_some() {
            return Err(Fault::Message("a map's key was written without its value".into()));
        }
        if self.len != Some(self.done.len()) {
            self.inner.pass.regular.set(false);
        }
        Ok(Tree::Map(self.done))
    }
}

struct Fields<'p> {
    inner: Capture<'p>,
    len: usize,
    of: Of,
    done: Vec<(Name, Tree)>,
}

impl Fields<'_> {
    fn push<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        self.done.push((name.into(), value.serialize(self.inner)?));
        Ok(())
    }
    fn finish(self) -> Tree {
        if self.len != self.done.len() {
            self.inner.pass.regular.set(false);
        }
        match self.of {
            Of::Variant(of, index, name) => variant(of, index, name, Body::Struct(self.done)),
            Of::Struct(name) => Tree::Struct(name.into(), self.done),
            Of::Seq | Of::Tuple => {
                unreachable!("fields belong to a struct or to a variant: the two constructors above")
            }
        }
    }
}

macro_rules! fields {
    ($($trait:ident,)*) => {
        $(impl ser::$trait for Fields<'_> {
            type Ok = Tree;
            type Error = Fault;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
                self.push(name, value)
            }
            fn skip_field(&mut self, _: &'static str) -> Result<(), Fault> {
                self.inner.pass.regular.set(false);
                Ok(())
            }
            fn end(self) -> Result<Tree, Fault> { Ok(self.finish()) }
        })*
    };
}
fields! { SerializeStruct, SerializeStructVariant, }
