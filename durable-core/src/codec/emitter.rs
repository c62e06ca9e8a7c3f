//! The one serializer: every value's `Serialize` is compiled for it and for no other.
//!
//! It hands each call on to a [`Sink`] as an event without types, so that what is done with a value (walking its layout,
//! capturing it) costs no code per type. The calls that have parts return [`Parts`], one type for all kinds of them.
//!
//! A `Serialize` may swallow the error of a part and go on. Each event that belongs to a list of parts therefore carries the list's
//! depth, by which a sink sees that something inside was left unfinished.

use std::fmt::Display;

use serde::ser::{self, Serialize, Serializer};

use super::error::Fault;
use super::tree::with_scalars;

/// What a list of parts belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Seq,
    Map,
    Tuple,
    TupleStruct(&'static str),
    Struct(&'static str),
    TupleVariant(Chosen),
    StructVariant(Chosen),
}

/// A variant of an enum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen {
    pub(super) of: &'static str,
    pub(super) index: u32,
    pub(super) name: &'static str,
}

type Done = Result<(), Fault>;

macro_rules! define_sink {
    ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
        /// Takes the events of one value.
        pub(super) trait Sink {
            fn is_human_readable(&self) -> bool;
            $(fn $ser(&mut self, v: $ty) -> Done;)*
            fn str(&mut self, v: &str) -> Done;
            fn bytes(&mut self, v: &[u8]) -> Done;
            fn unit(&mut self) -> Done;
            fn none(&mut self) -> Done;
            fn unit_struct(&mut self, name: &'static str) -> Done;
            fn unit_variant(&mut self, chosen: Chosen) -> Done;
            /// What is inside follows, and then `close`.
            fn some(&mut self) -> Done;
            fn newtype(&mut self, name: &'static str) -> Done;
            fn newtype_variant(&mut self, chosen: Chosen) -> Done;
            fn close(&mut self) -> Done;
            /// Parts follow, each announced, and then `end`. Gives their depth.
            fn begin(&mut self, of: Of, len: Option<usize>) -> Result<usize, Fault>;
            /// An element, or a field without a name.
            fn element(&mut self, depth: usize) -> Done;
            fn field(&mut self, depth: usize, name: &'static str) -> Done;
            fn skip(&mut self, depth: usize) -> Done;
            fn key(&mut self, depth: usize) -> Done;
            fn value(&mut self, depth: usize) -> Done;
            fn end(&mut self, depth: usize) -> Done;
        }
    };
}
with_scalars!(define_sink);

/// Writes one value into a sink.
pub struct Emitter<'s> {
    sink: &'s mut (dyn Sink + 's),
}

impl std::fmt::Debug for Emitter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emitter").finish_non_exhaustive()
    }
}

impl<'s> Emitter<'s> {
    pub(super) fn new(sink: &'s mut (dyn Sink + 's)) -> Self {
        Emitter { sink }
    }

    fn begin(self, of: Of, len: Option<usize>) -> Result<Parts<'s>, Fault> {
        let depth = self.sink.begin(of, len)?;
        Ok(Parts { sink: self.sink, depth })
    }

    fn text(self, text: &dyn Display) -> Done {
        self.sink.str(&text.to_string())
    }
}

/// Writes the inside of something that has one, after its event.
macro_rules! inside {
    ($sink:expr, $event:expr, $value:expr) => {
        match $event {
            Ok(()) => match $value.serialize(Emitter { sink: $sink }) {
                Ok(()) => $sink.close(),
                Err(fault) => Err(fault),
            },
            Err(fault) => Err(fault),
        }
    };
}

/// Writes a part after its event.
macro_rules! part {
    ($sink:expr, $event:expr, $value:expr) => {
        match $event {
            Ok(()) => $value.serialize(Emitter { sink: $sink }),
            Err(fault) => Err(fault),
        }
    };
}

macro_rules! leaves {
    ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
        $(fn $ser(self, v: $ty) -> Done { self.sink.$ser(v) })*
    };
}

impl<'s> Serializer for Emitter<'s> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Parts<'s>;
    type SerializeTuple = Parts<'s>;
    type SerializeTupleStruct = Parts<'s>;
    type SerializeTupleVariant = Parts<'s>;
    type SerializeMap = Parts<'s>;
    type SerializeStruct = Parts<'s>;
    type SerializeStructVariant = Parts<'s>;

    with_scalars!(leaves);

    fn is_human_readable(&self) -> bool {
        self.sink.is_human_readable()
    }
    fn serialize_str(self, v: &str) -> Done {
        self.sink.str(v)
    }
    fn serialize_bytes(self, v: &[u8]) -> Done {
        self.sink.bytes(v)
    }
    fn serialize_unit(self) -> Done {
        self.sink.unit()
    }
    fn serialize_none(self) -> Done {
        self.sink.none()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        inside!(self.sink, self.sink.some(), value)
    }
    fn serialize_unit_struct(self, name: &'static str) -> Done {
        self.sink.unit_struct(name)
    }
    fn serialize_unit_variant(self, of: &'static str, index: u32, name: &'static str) -> Done {
        self.sink.unit_variant(Chosen { of, index, name })
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Done {
        inside!(self.sink, self.sink.newtype(name), value)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        of: &'static str,
        index: u32,
        name: &'static str,
        value: &T,
    ) -> Done {
        inside!(self.sink, self.sink.newtype_variant(Chosen { of, index, name }), value)
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Parts<'s>, Fault> {
        self.begin(Of::Seq, len)
    }
    fn serialize_tuple(self, len: usize) -> Result<Parts<'s>, Fault> {
        self.begin(Of::Tuple, Some(len))
    }
    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Parts<'s>, Fault> {
        self.begin(Of::TupleStruct(name), Some(len))
    }
    fn serialize_tuple_variant(
        self,
        of: &'static str,
        index: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Parts<'s>, Fault> {
        self.begin(Of::TupleVariant(Chosen { of, index, name }), Some(len))
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Parts<'s>, Fault> {
        self.begin(Of::Map, len)
    }
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Parts<'s>, Fault> {
        self.begin(Of::Struct(name), Some(len))
    }
    fn serialize_struct_variant(
        self,
        of: &'static str,
        index: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Parts<'s>, Fault> {
        self.begin(Of::StructVariant(Chosen { of, index, name }), Some(len))
    }
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Done {
        self.text(&value)
    }
    // Plain loops: serde's own are closures within closures for each type.
    fn collect_seq<I: IntoIterator>(self, iter: I) -> Done
    where
        I::Item: Serialize,
    {
        let iter = iter.into_iter();
        let mut parts = self.begin(Of::Seq, exact(iter.size_hint()))?;
        for element in iter {
            parts.push(&element)?;
        }
        parts.finish()
    }
    fn collect_map<K: Serialize, V: Serialize, I: IntoIterator<Item = (K, V)>>(self, iter: I) -> Done {
        let iter = iter.into_iter();
        let parts = self.begin(Of::Map, exact(iter.size_hint()))?;
        for (key, value) in iter {
            part!(parts.sink, parts.sink.key(parts.depth), key)?;
            part!(parts.sink, parts.sink.value(parts.depth), value)?;
        }
        parts.finish()
    }
}

/// The length of an iterator that knows it.
fn exact((least, most): (usize, Option<usize>)) -> Option<usize> {
    most.filter(|most| *most == least)
}

/// The parts of a sequence, tuple, map, struct or variant.
pub struct Parts<'s> {
    sink: &'s mut (dyn Sink + 's),
    depth: usize,
}

impl std::fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl Parts<'_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        part!(self.sink, self.sink.element(self.depth), value)
    }
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        part!(self.sink, self.sink.field(self.depth, name), value)
    }
    fn finish(self) -> Done {
        self.sink.end(self.depth)
    }
}

macro_rules! unnamed {
    ($($trait:ident $push:ident,)*) => {
        $(impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = Fault;
            fn $push<T: Serialize + ?Sized>(&mut self, value: &T) -> Done { self.push(value) }
            fn end(self) -> Done { self.finish() }
        })*
    };
}
unnamed! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! fields {
    ($($trait:ident,)*) => {
        $(impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = Fault;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
                self.field(name, value)
            }
            fn skip_field(&mut self, _: &'static str) -> Done {
                self.sink.skip(self.depth)
            }
            fn end(self) -> Done { self.finish() }
        })*
    };
}
fields! { SerializeStruct, SerializeStructVariant, }

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Fault;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        part!(self.sink, self.sink.key(self.depth), key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        part!(self.sink, self.sink.value(self.depth), value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}
