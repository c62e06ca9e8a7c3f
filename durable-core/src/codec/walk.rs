//! Writes a value as postcard while walking its layout: the fast path.
//!
//! Every call of the value's `Serialize` is checked against the layout's node at that place, and the leaf is then
//! written as postcard writes it. The first call that the layout does not admit stops the pass; what was written until then is
//! the caller's to cut off. Lengths, field names and their order, variant names, nesting and size are all checked, so
//! what was written in full can be read back by the layout alone.

use postcard::ser_flavors::Flavor;
use smallvec::SmallVec;

use super::emitter::{Chosen, Emitter, Of, Sink};
use super::erased::Emit;
use super::error::Fault;
use super::layout::{Form, Head, Layout, Node};
use super::tree::{Kind, MAX_DEPTH, with_scalars};
use super::view::budget;
use super::wire::{Output, Scalar, put_varint};

/// Appends `value` to `out`.
pub(super) fn walk(value: &dyn Emit, layout: &Layout, out: &mut Vec<u8>) -> Result<(), Fault> {
    let start = out.len();
    let count = run(value, layout, Tail(out))?;
    if count > budget(out.len() - start) { Err(Fault::outside()) } else { Ok(()) }
}

/// Whether `value` is written as `bytes`, found out without writing it: a payload may be of any size.
pub(super) fn is_written_as(value: &dyn Emit, layout: &Layout, bytes: &[u8]) -> bool {
    let mut rest = bytes;
    run(value, layout, Expected(&mut rest)).is_ok() && rest.is_empty()
}

/// Gives how many values there are in `value`, leaves included.
fn run(value: &dyn Emit, layout: &Layout, output: impl Output) -> Result<usize, Fault> {
    let mut walk = Walk {
        out: postcard::Serializer { output },
        layout,
        at: 0,
        owed: true,
        depth: 0,
        count: 0,
        parts: SmallVec::new(),
        outside: false,
    };
    value.emit(Emitter::new(&mut walk))?;
    // Also when a `Serialize` swallowed our error and carried on.
    let outside = walk.outside || walk.owed || !walk.parts.is_empty();
    if outside { Err(Fault::outside()) } else { Ok(walk.count) }
}

impl Output for Tail<'_> {}

impl Output for Expected<'_, '_> {}

/// What is left of the bytes that are expected; others are an error.
struct Expected<'o, 'b>(&'o mut &'b [u8]);

impl Flavor for Expected<'_, '_> {
    type Output = ();
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        *self.0 = self.0.strip_prefix(data).ok_or(postcard::Error::SerdeSerCustom)?;
        Ok(())
    }
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// The end of the caller's buffer, as postcard wants it.
pub(super) struct Tail<'o>(pub(super) &'o mut Vec<u8>);

impl Flavor for Tail<'_> {
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

struct Walk<'l, O: Output> {
    out: postcard::Serializer<O>,
    layout: &'l Layout,
    /// The node that the next value must fit.
    at: u32,
    /// A value was announced and did not come yet.
    owed: bool,
    depth: u32,
    /// Values so far, leaves included.
    count: usize,
    parts: SmallVec<[Parts<'l>; 2]>,
    outside: bool,
}

/// The parts that are being written.
enum Parts<'l> {
    /// The elements of a sequence, or the entries of a map.
    Repeated { slots: &'l [u32], left: usize },
    /// By position.
    Slots { slots: &'l [u32], next: usize },
    /// By name and in order.
    Fields { names: &'l [Box<str>], slots: &'l [u32], next: usize },
}

impl<'l, O: Output> Walk<'l, O> {
    #[inline]
    fn node(&mut self) -> Result<&'l Node, Fault> {
        self.count += 1;
        if !std::mem::take(&mut self.owed) {
            return self.leave();
        }
        Ok(self.layout.node(self.at))
    }

    #[cold]
    fn leave<T>(&mut self) -> Result<T, Fault> {
        self.outside = true;
        Err(Fault::outside())
    }

    #[inline]
    fn leaf(&mut self, kind: Kind) -> Result<(), Fault> {
        match self.node()?.head {
            Head::Leaf(known) if known == kind => Ok(()),
            _ => self.leave(),
        }
    }

    /// Bytes behind their length.
    fn delimited(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        put_varint(&mut self.out.output, bytes.len() as u64)?;
        Ok(self.out.output.try_extend(bytes)?)
    }

    /// Expects a value at `slot` next.
    #[inline]
    fn owe(&mut self, slot: u32) {
        self.at = slot;
        self.owed = true;
    }

    #[inline]
    fn enter(&mut self) -> Result<(), Fault> {
        if self.depth >= MAX_DEPTH {
            self.outside = true;
            return Err(Fault::too_deep());
        }
        self.depth += 1;
        Ok(())
    }

    fn inside(&mut self, slot: u32) -> Result<(), Fault> {
        self.enter()?;
        self.owe(slot);
        Ok(())
    }

    /// The form of the variant, if the layout has it by this name; its index is written.
    fn variant(&mut self, chosen: Chosen) -> Result<(&'l Form, &'l [u32]), Fault> {
        match &self.node()?.head {
            Head::Enum(known) if **known == *chosen.of => {}
            _ => return self.leave(),
        }
        let Some(at) = self.layout.variant(self.at, chosen.index) else {
            return self.leave();
        };
        let node = self.layout.node(at);
        match &node.head {
            Head::Variant { name: known, form, .. } if **known == *chosen.name => {
                Scalar::put(chosen.index, &mut self.out)?;
                Ok((form, &node.slots))
            }
            _ => self.leave(),
        }
    }

    /// The parts that the layout has for this, if it has.
    fn parts(&mut self, of: Of, len: Option<usize>) -> Result<Parts<'l>, Fault> {
        let (head, slots) = match of {
            Of::TupleVariant(chosen) | Of::StructVariant(chosen) => {
                let (form, slots) = self.variant(chosen)?;
                return match (of, form) {
                    (Of::TupleVariant(_), Form::Tuple) => Ok(Parts::Slots { slots, next: 0 }),
                    (Of::StructVariant(_), Form::Struct(names)) => {
                        Ok(Parts::Fields { names, slots, next: 0 })
                    }
                    _ => self.leave(),
                };
            }
            _ => {
                let node = self.node()?;
                (&node.head, &*node.slots)
            }
        };
        match (of, head) {
            (Of::Seq, Head::Seq) | (Of::Map, Head::Map) => {
                let Some(left) = len else {
                    return self.leave();
                };
                Scalar::put(left as u64, &mut self.out)?;
                Ok(Parts::Repeated { slots, left })
            }
            (Of::Tuple, Head::Tuple) => Ok(Parts::Slots { slots, next: 0 }),
            (Of::TupleStruct(name), Head::TupleStruct(known)) if **known == *name => {
                Ok(Parts::Slots { slots, next: 0 })
            }
            (Of::Struct(name), Head::Struct(known, names)) if **known == *name => {
                Ok(Parts::Fields { names, slots, next: 0 })
            }
            _ => self.leave(),
        }
    }

    /// The parts at `depth`, whose last one is complete.
    #[inline]
    fn top(&mut self, depth: usize) -> Result<&mut Parts<'l>, Fault> {
        if self.owed || self.parts.len() != depth + 1 {
            return self.leave();
        }
        Ok(&mut self.parts[depth])
    }

    fn announce(&mut self, slot: Option<u32>) -> Result<(), Fault> {
        match slot {
            Some(slot) => {
                self.owe(slot);
                Ok(())
            }
            None => self.leave(),
        }
    }
}

macro_rules! leaves {
    ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
        $(fn $ser(&mut self, v: $ty) -> Result<(), Fault> {
            self.leaf(Kind::$kind)?;
            Ok(Scalar::put(v, &mut self.out)?)
        })*
    };
}

impl<O: Output> Sink for Walk<'_, O> {
    with_scalars!(leaves);

    fn is_human_readable(&self) -> bool {
        false
    }
    fn str(&mut self, v: &str) -> Result<(), Fault> {
        self.leaf(Kind::Str)?;
        self.delimited(v.as_bytes())
    }
    fn bytes(&mut self, v: &[u8]) -> Result<(), Fault> {
        self.leaf(Kind::Bytes)?;
        self.delimited(v)
    }
    fn unit(&mut self) -> Result<(), Fault> {
        self.leaf(Kind::Unit)
    }
    fn none(&mut self) -> Result<(), Fault> {
        match self.node()?.head {
            Head::Option => Ok(Scalar::put(false, &mut self.out)?),
            _ => self.leave(),
        }
    }
    fn some(&mut self) -> Result<(), Fault> {
        let node = self.node()?;
        match node.head {
            Head::Option => {
                Scalar::put(true, &mut self.out)?;
                self.inside(node.slots[0])
            }
            _ => self.leave(),
        }
    }
    fn unit_struct(&mut self, name: &'static str) -> Result<(), Fault> {
        match &self.node()?.head {
            Head::UnitStruct(known) if **known == *name => Ok(()),
            _ => self.leave(),
        }
    }
    fn unit_variant(&mut self, chosen: Chosen) -> Result<(), Fault> {
        match self.variant(chosen)? {
            (Form::Unit, _) => Ok(()),
            _ => self.leave(),
        }
    }
    fn newtype(&mut self, name: &'static str) -> Result<(), Fault> {
        let node = self.node()?;
        match &node.head {
            Head::Newtype(known) if **known == *name => self.inside(node.slots[0]),
            _ => self.leave(),
        }
    }
    fn newtype_variant(&mut self, chosen: Chosen) -> Result<(), Fault> {
        match self.variant(chosen)? {
            (Form::Newtype, slots) => self.inside(slots[0]),
            _ => self.leave(),
        }
    }
    fn close(&mut self) -> Result<(), Fault> {
        self.depth -= 1;
        if self.owed { self.leave() } else { Ok(()) }
    }
    fn begin(&mut self, of: Of, len: Option<usize>) -> Result<usize, Fault> {
        let parts = self.parts(of, len)?;
        if let Parts::Slots { slots, .. } | Parts::Fields { slots, .. } = &parts
            && Some(slots.len()) != len
        {
            return self.leave();
        }
        self.enter()?;
        self.parts.push(parts);
        Ok(self.parts.len() - 1)
    }
    fn element(&mut self, depth: usize) -> Result<(), Fault> {
        let slot = match self.top(depth)? {
            Parts::Repeated { slots, left } => left.checked_sub(1).map(|less| {
                *left = less;
                slots[0]
            }),
            Parts::Slots { slots, next } => {
                *next += 1;
                slots.get(*next - 1).copied()
            }
            Parts::Fields { .. } => None,
        };
        self.announce(slot)
    }
    fn field(&mut self, depth: usize, name: &'static str) -> Result<(), Fault> {
        let slot = match self.top(depth)? {
            Parts::Fields { names, slots, next }
                if names.get(*next).is_some_and(|known| **known == *name) =>
            {
                *next += 1;
                Some(slots[*next - 1])
            }
            _ => None,
        };
        self.announce(slot)
    }
    fn skip(&mut self, _: usize) -> Result<(), Fault> {
        self.leave()
    }
    fn key(&mut self, depth: usize) -> Result<(), Fault> {
        self.element(depth)
    }
    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        let slot = match self.top(depth)? {
            Parts::Repeated { slots, .. } => slots.get(1).copied(),
            Parts::Slots { .. } | Parts::Fields { .. } => None,
        };
        self.announce(slot)
    }
    fn end(&mut self, depth: usize) -> Result<(), Fault> {
        let complete = match self.top(depth)? {
            Parts::Repeated { left, .. } => *left == 0,
            Parts::Slots { slots, next } | Parts::Fields { slots, next, .. } => *next == slots.len(),
        };
        if !complete {
            return self.leave();
        }
        self.parts.pop();
        self.depth -= 1;
        Ok(())
    }
}
