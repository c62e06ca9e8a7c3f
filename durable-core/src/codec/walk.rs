//! Writes a value as postcard while walking its layout: the fast path.
//!
//! Every call of the value's `Serialize` is checked against the layout's node at that place, and the leaf is then
//! written by postcard itself. The first call that the layout does not admit stops the pass; what was written until then is
//! the caller's to cut off. Lengths, field names and their order, variant names, nesting and size are all checked, so
//! what was written in full can be read back by the layout alone.

use serde::ser::{self, Serialize, Serializer};

use super::error::Fault;
use super::layout::{Form, Head, Layout, Node};
use super::tree::{Kind, MAX_DEPTH, with_scalars};
use super::view::budget;

/// Appends `value` to `out`.
pub(super) fn walk<T: Serialize + ?Sized>(
    value: &T,
    layout: &Layout,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let start = out.len();
    let mut walk = Walk {
        out: postcard::Serializer { output: Tail(out) },
        layout,
        at: 0,
        depth: 0,
        count: 0,
        outside: false,
    };
    value.serialize(&mut walk)?;
    let (count, outside) = (walk.count, walk.outside);
    // `outside` also when a `Serialize` swallowed our error and carried on.
    if outside || count > budget(out.len() - start) {
        return Err(Fault::Outside);
    }
    Ok(())
}

/// The end of the caller's buffer, as postcard wants it.
struct Tail<'o>(&'o mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Tail<'_> {
    type Output = ();
    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }
    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

struct Walk<'l> {
    out: postcard::Serializer<Tail<'l>>,
    layout: &'l Layout,
    /// The node that the next value must fit.
    at: u32,
    depth: u32,
    /// Values so far, leaves included.
    count: usize,
    outside: bool,
}

impl<'l> Walk<'l> {
    #[inline]
    fn node(&mut self) -> &'l Node {
        self.count += 1;
        self.layout.node(self.at)
    }

    #[cold]
    fn leave<T>(&mut self) -> Result<T, Fault> {
        self.outside = true;
        Err(Fault::Outside)
    }

    #[inline]
    fn leaf(&mut self, kind: Kind) -> Result<(), Fault> {
        match self.node().head {
            Head::Leaf(known) if known == kind => Ok(()),
            _ => self.leave(),
        }
    }

    #[inline]
    fn enter(&mut self) -> Result<(), Fault> {
        if self.depth >= MAX_DEPTH {
            self.outside = true;
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    #[inline]
    fn inside<T: Serialize + ?Sized>(&mut self, slot: u32, value: &T) -> Result<(), Fault> {
        self.enter()?;
        self.at = slot;
        value.serialize(&mut *self)?;
        self.depth -= 1;
        Ok(())
    }

    /// The node of the variant, if the layout has it by this name; its index is written.
    #[inline]
    fn variant(&mut self, of: &str, index: u32, name: &str) -> Result<(&'l Form, &'l [u32]), Fault> {
        match &self.node().head {
            Head::Enum(known) if **known == *of => {}
            _ => return self.leave(),
        }
        let Some(at) = self.layout.variant(self.at, index) else {
            return self.leave();
        };
        let node = self.layout.node(at);
        match &node.head {
            Head::Variant { name: known, form, .. } if **known == *name => {
                (&mut self.out).serialize_u32(index)?;
                Ok((form, &node.slots))
            }
            _ => self.leave(),
        }
    }

    fn slots(&mut self, slots: &'l [u32], len: usize) -> Result<Slots<'_, 'l>, Fault> {
        if slots.len() != len {
            return self.leave();
        }
        self.enter()?;
        Ok(Slots { walk: self, parts: slots, next: 0 })
    }

    #[inline]
    fn fields(
        &mut self,
        names: &'l [Box<str>],
        slots: &'l [u32],
        len: usize,
    ) -> Result<Fields<'_, 'l>, Fault> {
        if names.len() != len {
            return self.leave();
        }
        self.enter()?;
        Ok(Fields { walk: self, names, slots, next: 0 })
    }
}

macro_rules! leaves {
    ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
        $(#[inline]
        fn $ser(self, v: $ty) -> Result<(), Fault> {
            self.leaf(Kind::$kind)?;
            Ok((&mut self.out).$ser(v)?)
        })*
    };
}

impl<'w, 'l> Serializer for &'w mut Walk<'l> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Elements<'w, 'l>;
    type SerializeTuple = Slots<'w, 'l>;
    type SerializeTupleStruct = Slots<'w, 'l>;
    type SerializeTupleVariant = Slots<'w, 'l>;
    type SerializeMap = Elements<'w, 'l>;
    type SerializeStruct = Fields<'w, 'l>;
    type SerializeStructVariant = Fields<'w, 'l>;

    with_scalars!(leaves);

    fn is_human_readable(&self) -> bool {
        false
    }
    #[inline]
    fn serialize_str(self, v: &str) -> Result<(), Fault> {
        self.leaf(Kind::Str)?;
        Ok((&mut self.out).serialize_str(v)?)
    }
    #[inline]
    fn serialize_bytes(self, v: &[u8]) -> Result<(), Fault> {
        self.leaf(Kind::Bytes)?;
        Ok((&mut self.out).serialize_bytes(v)?)
    }
    #[inline]
    fn serialize_unit(self) -> Result<(), Fault> {
        self.leaf(Kind::Unit)
    }
    #[inline]
    fn serialize_none(self) -> Result<(), Fault> {
        match self.node().head {
            Head::Option => Ok((&mut self.out).serialize_none()?),
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        let node = self.node();
        match node.head {
            Head::Option => {
                (&mut self.out).serialize_bool(true)?;
                self.inside(node.slots[0], value)
            }
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Fault> {
        match &self.node().head {
            Head::UnitStruct(known) if **known == *name => Ok(()),
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_unit_variant(self, of: &'static str, index: u32, name: &'static str) -> Result<(), Fault> {
        match self.variant(of, index, name)? {
            (Form::Unit, _) => Ok(()),
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        let node = self.node();
        match &node.head {
            Head::Newtype(known) if **known == *name => self.inside(node.slots[0], value),
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        of: &'static str,
        index: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        match self.variant(of, index, name)? {
            (Form::Newtype, slots) => self.inside(slots[0], value),
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Elements<'w, 'l>, Fault> {
        let node = self.node();
        let (Head::Seq, Some(len)) = (&node.head, len) else {
            return self.leave();
        };
        (&mut self.out).serialize_u64(len as u64)?;
        self.enter()?;
        Ok(Elements { walk: self, slots: &node.slots, left: len })
    }
    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Slots<'w, 'l>, Fault> {
        let node = self.node();
        match node.head {
            Head::Tuple => self.slots(&node.slots, len),
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Slots<'w, 'l>, Fault> {
        let node = self.node();
        match &node.head {
            Head::TupleStruct(known) if **known == *name => self.slots(&node.slots, len),
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_tuple_variant(
        self,
        of: &'static str,
        index: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Slots<'w, 'l>, Fault> {
        match self.variant(of, index, name)? {
            (Form::Tuple, slots) => self.slots(slots, len),
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Elements<'w, 'l>, Fault> {
        let node = self.node();
        let (Head::Map, Some(len)) = (&node.head, len) else {
            return self.leave();
        };
        (&mut self.out).serialize_u64(len as u64)?;
        self.enter()?;
        Ok(Elements { walk: self, slots: &node.slots, left: len })
    }
    #[inline]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Fields<'w, 'l>, Fault> {
        let node = self.node();
        match &node.head {
            Head::Struct(known, names) if **known == *name => self.fields(names, &node.slots, len),
            _ => self.leave(),
        }
    }
    #[inline]
    fn serialize_struct_variant(
        self,
        of: &'static str,
        index: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Fields<'w, 'l>, Fault> {
        match self.variant(of, index, name)? {
            (Form::Struct(names), slots) => self.fields(names, slots, len),
            _ => self.leave(),
        }
    }
    #[inline]
    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), Fault> {
        // postcard formats twice, to know the length first, and would garble what is not the same both times.
        self.serialize_str(&value.to_string())
    }
}

/// The elements of a sequence, or the entries of a map.
struct Elements<'w, 'l> {
    walk: &'w mut Walk<'l>,
    slots: &'l [u32],
    left: usize,
}

impl Elements<'_, '_> {
    fn end(self) -> Result<(), Fault> {
        self.walk.depth -= 1;
        if self.left == 0 { Ok(()) } else { self.walk.leave() }
    }
}

impl ser::SerializeSeq for Elements<'_, '_> {
    type Ok = ();
    type Error = Fault;
    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let Some(left) = self.left.checked_sub(1) else {
            return self.walk.leave();
        };
        self.left = left;
        self.walk.at = self.slots[0];
        value.serialize(&mut *self.walk)
    }
    fn end(self) -> Result<(), Fault> {
        self.end()
    }
}

impl ser::SerializeMap for Elements<'_, '_> {
    type Ok = ();
    type Error = Fault;
    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        let Some(left) = self.left.checked_sub(1) else {
            return self.walk.leave();
        };
        self.left = left;
        self.walk.at = self.slots[0];
        key.serialize(&mut *self.walk)
    }
    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.walk.at = self.slots[1];
        value.serialize(&mut *self.walk)
    }
    fn end(self) -> Result<(), Fault> {
        self.end()
    }
}

/// The parts of a tuple, by position.
struct Slots<'w, 'l> {
    walk: &'w mut Walk<'l>,
    parts: &'l [u32],
    next: usize,
}

impl Slots<'_, '_> {
    #[inline]
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let Some(&slot) = self.parts.get(self.next) else {
            return self.walk.leave();
        };
        self.next += 1;
        self.walk.at = slot;
        value.serialize(&mut *self.walk)
    }
    #[inline]
    fn finish(self) -> Result<(), Fault> {
        self.walk.depth -= 1;
        if self.next == self.parts.len() { Ok(()) } else { self.walk.leave() }
    }
}

macro_rules! slots {
    ($($trait:ident $push:ident,)*) => {
        $(impl ser::$trait for Slots<'_, '_> {
            type Ok = ();
            type Error = Fault;
            #[inline]
            fn $push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> { self.push(value) }
            #[inline]
            fn end(self) -> Result<(), Fault> { self.finish() }
        })*
    };
}
slots! {
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

/// The fields of a struct, by name and in order.
struct Fields<'w, 'l> {
    walk: &'w mut Walk<'l>,
    names: &'l [Box<str>],
    slots: &'l [u32],
    next: usize,
}

macro_rules! fields {
    ($($trait:ident,)*) => {
        $(impl ser::$trait for Fields<'_, '_> {
            type Ok = ();
            type Error = Fault;
            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
                match self.names.get(self.next) {
                    Some(known) if **known == *name => {}
                    _ => return self.walk.leave(),
                }
                self.walk.at = self.slots[self.next];
                self.next += 1;
                value.serialize(&mut *self.walk)
            }
            fn skip_field(&mut self, _: &'static str) -> Result<(), Fault> {
                self.walk.leave()
            }
            #[inline]
            fn end(self) -> Result<(), Fault> {
                self.walk.depth -= 1;
                if self.next == self.names.len() { Ok(()) } else { self.walk.leave() }
            }
        })*
    };
}
fields! { SerializeStruct, SerializeStructVariant, }
