//! What a value is written as (arguments, results, locals, messages).
//!
//! postcard is compact and fast, but it encodes values that it can never decode again: a skipped field shifts everything
//! behind it, and untagged enums, `flatten` and `serde_json::Value` are refused only when they are read. A snapshot that can't be
//! read is a lost workflow. Therefore:
//!
//! - **Nothing is returned by [`Codec::encode`] that was not seen to come back.** A value is written by position
//!   (postcard) only while its `Serialize` calls stay inside the *verified layout* of its type: the shapes that were
//!   each decoded once as the type, serialized again, and found to be the same value. The first call outside (a first
//!   `Some`, a new variant) leads to such a trial of the whole value. A type that fails it, or whose values have no layout in common, is written
//!   in the *named* encoding from then on, which describes itself, and every such value is tried before it is returned. What fails that
//!   too is an [`EncodeError`] that names the field.
//!   The standard library's plainest types (`plain`) are written and read without following the calls, once such a trial has shown all of
//!   their layout.
//! - **Everything stored can be read by name later**, without the type: by position under its [`LayoutId`], a hash of the layout that is
//!   stored once; by itself in the named encoding ([`LayoutId::NAMED`]). That is how [`Codec::view`] shows locals to people,
//!   and how [`Codec::decode`] reads a value for a type that has changed since.
//!
//! A layout is traced from what `Serialize` did with real values, never from `Deserialize`: there is no derive, and types such
//! as `Uuid` or `NonZero` need no care.
//!
//! Invariants:
//!
//! - `verified` of a type only grows by shapes that passed a trial for that type in this process; a layout from the store is believed
//!   to say what was written, never that today's type reads it.
//! - A layout id that was handed out is in [`Codec::take_new`] until it was taken, unless the store is known to have it.
//! - No lock is held while the code of a user's `Serialize` or `Deserialize` runs.
//!
//! The named encoding tells types that it is human readable and the positional one that it is not: serde's own buffers
//! (`flatten`, untagged and internally tagged enums) claim to be human readable whatever is behind them, so that an `IpAddr` inside them would
//! be written in one form and expected in the other.
//!
//! What a trial can't see, because postcard is trusted to decode place by place: a hand-written `Deserialize` that
//! refuses or changes some values of a shape it otherwise accepts (a `try_from` that rejects a zero which was built without it), or that
//! reads one place by what stood at another. With [`Codec::set_checking`], which is on in debug builds, every single value is
//! decoded and compared, and such a type is found at the first step.
//!
//! A user's crate is to compile as little as possible of this for each of its types: `Serialize` for one serializer ([`Emitter`]) and
//! `Deserialize` for one deserializer ([`Decoder`]), whatever is done with the value and whatever it is read from. Generic
//! functions in here are shims that make a `&dyn` of their argument and call the function that works.
//!
//! Deliberately absent: checksums and lengths (the store's envelope), compression, and sharing of `Rc` (each is written out).

mod bytes;
mod capture;
mod current;
mod cursor;
mod decoder;
pub(crate) mod described;
mod diff;
mod emitter;
mod erased;
mod error;
mod expect;
mod json;
mod layout;
mod named;
mod persist;
mod plain;
mod sampler;
mod search;
mod trace;
mod tree;
mod trial;
mod types;
mod value;
mod view;
mod walk;
mod wire;

#[cfg(test)]
mod tests;

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Serialize;

pub use bytes::Bytes;
pub use current::current;
pub(crate) use current::with_current;
pub use error::{DecodeError, EncodeError};
pub use persist::Persist;
pub(crate) use plain::{Plain, put_number};
pub use value::{ReadError, Value};
pub(crate) use wire::{take_bytes, take_varint};

#[doc(hidden)]
pub use {
    decoder::Decoder,
    emitter::Emitter,
    erased::{Emit, Slot, TypeOf},
    error::{Fault, Misfit},
};

use crate::hashing::ByNumber;
use layout::Layout;
use tree::Tree;
use trial::{check, is_same, is_written_again, read_bytes, read_value, try_named, try_positional};
use types::{Known, Relation, TypeMap};

/// See [`Codec::adapt`].
#[derive(Debug, Clone)]
struct Adapted {
    stored: LayoutId,
    order: Vec<Option<usize>>,
}

/// Which layout a value is stored under: a hash of the layout, the same in every build; never 0 for a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, serde::Deserialize)]
pub struct LayoutId(pub u64);

impl LayoutId {
    /// The value describes itself; there is no layout in the store.
    pub const NAMED: Self = Self(0);

    fn of(layout_bytes: &[u8]) -> Self {
        Self(xxhash_rust::xxh3::xxh3_64(layout_bytes).max(1))
    }
}

impl std::fmt::Display for LayoutId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A value's bytes and the layout they follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Encoded {
    /// Which layout; its definition is in [`Codec::take_new`] if the store does not have it.
    pub layout: LayoutId,
    /// The value.
    pub bytes: Bytes,
}

/// Writes values to bytes that are known to be readable, and reads them; one per engine, shared between threads.
///
/// A failed commit makes the codec's idea of what the store holds wrong: drop the codec with the engine.
///
/// ```
/// use durable_core::codec::Codec;
///
/// let codec = Codec::new();
/// let stored = codec.encode(&("A-1".to_string(), 2_u32))?;
/// let (sku, qty): (String, u32) = codec.decode(stored.layout, &stored.bytes)?;
/// assert_eq!((sku.as_str(), qty), ("A-1", 2));
/// assert_eq!(codec.view(stored.layout, &stored.bytes)?.to_json().to_string(), r#"["A-1",2]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Codec {
    types: TypeMap,
    layouts: RwLock<HashMap<LayoutId, Arc<Layout>, ByNumber>>,
    /// Arguments of calls that are stored under other parameters than today's.
    adapted: RwLock<HashMap<LayoutId, Adapted>>,
    pending: Mutex<Vec<(u64, Vec<u8>)>>,
    checking: AtomicBool,
}

impl Default for Codec {
    fn default() -> Self {
        Self::new()
    }
}

impl Codec {
    /// A codec that knows no type and no layout yet.
    pub fn new() -> Self {
        Self {
            types: TypeMap::default(),
            layouts: RwLock::default(),
            adapted: RwLock::default(),
            pending: Mutex::default(),
            checking: AtomicBool::new(cfg!(debug_assertions)),
        }
    }

    /// Whether *every* value is decoded and compared before it is returned. Default: in debug builds only.
    pub fn set_checking(&self, on: bool) {
        self.checking.store(on, Ordering::Relaxed);
        self.types.change();
    }

    /// The bytes of `value`, which are known to be readable as `T`.
    ///
    /// A panic of the value's own `Serialize` or `Deserialize` is passed on and leaves the codec as it was.
    pub fn encode<T: Persist>(&self, value: &T) -> Result<Encoded, EncodeError> {
        self.encode_value(const { TypeOf::of::<T>() }, value)
    }

    /// Appends the bytes of `value` to `out`; on an error `out` is as it was.
    pub fn encode_into<T: Persist>(&self, value: &T, out: &mut Vec<u8>) -> Result<LayoutId, EncodeError> {
        self.encode_as_into(const { TypeOf::of::<T>() }, value, out)
    }

    /// The bytes of a borrowed form of a `T`, such as `(&str, &[u64])` for `(String, Vec<u64>)`; known to be readable as `T`.
    pub fn encode_borrowed<B: Serialize, T: Persist>(&self, value: &B) -> Result<Encoded, EncodeError> {
        self.encode_as(const { TypeOf::of::<T>() }, value)
    }

    #[doc(hidden)]
    pub fn encode_as(&self, of: &TypeOf, value: &dyn Emit) -> Result<Encoded, EncodeError> {
        encoded(|out| self.encode_as_into(of, value, out))
    }

    /// The same for a value of the type itself.
    #[doc(hidden)]
    pub fn encode_value(&self, of: &TypeOf, value: &dyn Any) -> Result<Encoded, EncodeError> {
        encoded(|out| self.encode_any(of, (of.id)(), value, out))
    }

    #[doc(hidden)]
    pub fn encode_as_into(
        &self,
        of: &TypeOf,
        value: &dyn Emit,
        out: &mut Vec<u8>,
    ) -> Result<LayoutId, EncodeError> {
        let start = out.len();
        if let Some(known) = self.types.find((of.id)(), of)
            && let Some((id, layout)) = known.positional()
            && walk::walk(value, layout, out).is_ok()
        {
            if !self.checking.load(Ordering::Relaxed) {
                return Ok(*id);
            }
            let result = check(of, value, layout, &out[start..]);
            if result.is_err() {
                out.truncate(start);
            }
            return result.map(|()| *id);
        }
        out.truncate(start);
        self.encode_new(of, value, out)
    }

    /// What of this codec is there to be kept elsewhere is right as long as this is the same; no other codec ever has it.
    #[inline]
    pub(crate) fn version(&self) -> u64 {
        self.types.version()
    }

    /// How values of a type are written without a look at their layout, and which that is. None: that is not known, or every value is
    /// to be checked.
    pub(crate) fn plain(&self, id: TypeId) -> Option<(LayoutId, Plain)> {
        self.types.plain(id).filter(|_| !self.checking.load(Ordering::Relaxed))
    }

    /// How values of a type that come under a layout are read without a look at it, if they are.
    pub(crate) fn reads_plain(&self, of: &TypeOf, layout: LayoutId) -> Option<Plain> {
        let (usual, plain) = self.types.plain((of.id)())?;
        (usual == layout).then_some(plain)
    }

    /// The same for a value of the type itself, whose id this is.
    pub(crate) fn encode_any(
        &self,
        of: &TypeOf,
        id: TypeId,
        value: &dyn Any,
        out: &mut Vec<u8>,
    ) -> Result<LayoutId, EncodeError> {
        if let Some((layout, plain)) = self.plain(id)
            && (plain.write)(value, out)
        {
            return Ok(layout);
        }
        let value = (of.emit)(value).expect("it is of the type that its id says");
        self.encode_as_into(of, value, out)
    }

    /// The value's shape is new to its type, or the type is written by name.
    #[cold]
    fn encode_new(&self, of: &TypeOf, value: &dyn Emit, out: &mut Vec<u8>) -> Result<LayoutId, EncodeError> {
        let id = (of.id)();
        let start = out.len();
        let mut known = self.types.get(id).unwrap_or_default();
        while !known.is_named() {
            let Some((layout, grown)) = try_positional(of, value, &known, out)? else {
                break;
            };
            if !self.register(&grown) {
                break;
            }
            if self.types.replace(id, &known, grown) {
                return Ok(layout);
            }
            // Another thread taught the type something meanwhile: once more, from there.
            out.truncate(start);
            known = self.types.get(id).unwrap_or_default();
        }
        out.truncate(start);
        out.extend_from_slice(&try_named(of, value)?);
        if !known.is_named() {
            // If this is lost to another thread, the next such value does it.
            self.types.replace(id, &known, known.named());
        }
        Ok(LayoutId::NAMED)
    }

    /// Makes the layout that the type is now written under known; false if its id is another layout's.
    fn register(&self, known: &Known) -> bool {
        let Some((id, layout)) = known.written() else {
            return true;
        };
        let mut layouts = self.layouts.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = layouts.get(id) {
            return **present == **layout;
        }
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).push((id.0, layout.to_bytes()));
        layouts.insert(*id, Arc::clone(layout));
        true
    }

    /// Reads a value as a `T`: by position if that is known to be right, else by name.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnknownLayout`] asks for [`learn`](Self::learn) and another call.
    pub fn decode<T: Persist>(&self, layout: LayoutId, bytes: &[u8]) -> Result<T, DecodeError> {
        let mut slot = None;
        match self.decode_as(const { TypeOf::of::<T>() }, layout, bytes, &mut slot) {
            Ok(()) => slot.ok_or(DecodeError::Malformed { layout, message: "nothing was read" }),
            Err(error) => Err(error),
        }
    }

    /// On an error the slot is empty.
    #[doc(hidden)]
    pub fn decode_as(
        &self,
        of: &TypeOf,
        layout: LayoutId,
        bytes: &[u8],
        slot: &mut dyn Slot,
    ) -> Result<(), DecodeError> {
        let read = self.decode_known(of, layout, bytes, slot);
        if read.is_err() {
            // A value that was read by position and found to be another must not be taken for the result.
            slot.clear();
        }
        read
    }

    fn decode_known(
        &self,
        of: &TypeOf,
        layout: LayoutId,
        bytes: &[u8],
        slot: &mut dyn Slot,
    ) -> Result<(), DecodeError> {
        if layout == LayoutId::NAMED {
            return read_value(of, slot, &self.view(layout, bytes)?);
        }
        let id = (of.id)();
        if let Some((usual, plain)) = self.types.plain(id)
            && usual == layout
            && (plain.read)(slot, bytes)
        {
            return Ok(());
        }
        if let Some(known) = self.types.find(id, of)
            && let Some(verified) = known.reads(layout)
            && read_bytes(slot, verified, bytes).is_ok()
        {
            return Ok(());
        }
        self.decode_new(of, layout, bytes, slot)
    }

    /// The bytes use shapes that were not proven for the type yet, or the type has changed.
    #[cold]
    fn decode_new(
        &self,
        of: &TypeOf,
        layout: LayoutId,
        bytes: &[u8],
        slot: &mut dyn Slot,
    ) -> Result<(), DecodeError> {
        let id = (of.id)();
        let value = self.view(layout, bytes)?;
        if self.adapted(layout).is_some() {
            return read_value(of, slot, &value);
        }
        let stored = self.layout(layout)?;
        loop {
            let known = self.types.get(id).unwrap_or_default();
            if known.relate(&stored) == Relation::Differs {
                self.types.replace(id, &known, known.with_relation(layout, &stored));
                break;
            }
            if read_bytes(slot, &stored, bytes).is_err()
                || !(is_written_again(slot, &stored, bytes) || is_same(slot, &value.tree))
            {
                self.types.replace(id, &known, known.with_difference(layout));
                break;
            }
            let Ok(grown) = known.grown(&value.tree, Some((layout, &stored))) else {
                return Ok(());
            };
            let grown = grown.with_relation(layout, &stored);
            if !self.register(&grown) || self.types.replace(id, &known, grown) {
                return Ok(());
            }
        }
        read_value(of, slot, &value)
    }

    /// Reads a value that was viewed as a type, by the names in it.
    pub(crate) fn read_as(of: &TypeOf, value: &Value, slot: &mut dyn Slot) -> Result<(), DecodeError> {
        read_value(of, slot, value)
    }

    /// Whether values of this layout were found to be of another type than today's, and are read by name.
    pub(crate) fn has_changed(&self, of: &TypeOf, layout: LayoutId) -> bool {
        self.adapted(layout).is_some() || self.types.get((of.id)()).is_some_and(|known| known.differs(layout))
    }

    /// Reads a value by its layout alone, without the type.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnknownLayout`] asks for [`learn`](Self::learn) and another call.
    pub fn view(&self, layout: LayoutId, bytes: &[u8]) -> Result<Value, DecodeError> {
        let malformed = |message| DecodeError::Malformed { layout, message };
        if layout == LayoutId::NAMED {
            return Ok(Value { tree: named::read(bytes).map_err(malformed)?, readable: true });
        }
        if let Some(Adapted { stored, order }) = self.adapted(layout) {
            let Value { tree, readable } = self.view(stored, bytes)?;
            let Tree::Tuple(mut parts) = tree else { return Err(malformed("arguments are a tuple")) };
            let part = |at: Option<usize>| {
                at.and_then(|at| Some(std::mem::replace(parts.get_mut(at)?, Tree::None)))
                    .unwrap_or(Tree::None)
            };
            return Ok(Value { tree: Tree::Tuple(order.into_iter().map(part).collect()), readable });
        }
        let stored = self.layout(layout)?;
        Ok(Value { tree: view::view(&stored, bytes).map_err(malformed)?, readable: false })
    }

    /// The layout of a tuple of which each part is one of a stored tuple's, or `None` where that has none. It is known to this process
    /// alone.
    pub(crate) fn adapt(&self, stored: LayoutId, order: &[Option<usize>]) -> LayoutId {
        let mut key = stored.0.to_le_bytes().to_vec();
        key.extend(order.iter().flat_map(|at| at.map_or(u64::MAX, |at| at as u64).to_le_bytes()));
        let id = LayoutId::of(&key);
        let mut adapted = self.adapted.write().unwrap_or_else(PoisonError::into_inner);
        adapted.entry(id).or_insert_with(|| Adapted { stored, order: order.to_vec() });
        id
    }

    fn adapted(&self, id: LayoutId) -> Option<Adapted> {
        self.adapted.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Whether values of this layout can be read without learning it first.
    pub(crate) fn knows(&self, id: LayoutId) -> bool {
        id == LayoutId::NAMED || self.layout(id).is_ok() || self.adapted(id).is_some()
    }

    fn layout(&self, id: LayoutId) -> Result<Arc<Layout>, DecodeError> {
        let layouts = self.layouts.read().unwrap_or_else(PoisonError::into_inner);
        layouts.get(&id).cloned().ok_or(DecodeError::UnknownLayout(id))
    }

    /// The layouts that were handed out and not taken yet, as `(id, definition)`; the next commit must contain them.
    ///
    /// Call it when the values of a commit are complete, and from one committer: a value must not be committed before its
    /// layout. A crash before that commit loses both.
    pub fn take_new(&self) -> Vec<(u64, Vec<u8>)> {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a layout that was read from the store.
    pub fn learn(&self, id: LayoutId, definition: &[u8]) -> Result<(), DecodeError> {
        let bad = |message| DecodeError::BadLayout { layout: id, message };
        if LayoutId::of(definition) != id {
            return Err(bad("its definition is not the one that its id was made of"));
        }
        let layout = Layout::from_bytes(definition).map_err(bad)?;
        self.layouts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(id)
            .or_insert_with(|| Arc::new(layout));
        Ok(())
    }
}

thread_local! {
    /// Where values are written before it is known how long they are.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The spare memory of a thread is no larger.
const MOST_SPARE: usize = 4096;

/// What `write` writes.
fn encoded(
    write: impl FnOnce(&mut Vec<u8>) -> Result<LayoutId, EncodeError>,
) -> Result<Encoded, EncodeError> {
    // Taken, because a value's `Serialize` may encode others.
    let mut spare = SPARE.try_with(Cell::take).unwrap_or_default();
    let layout = write(&mut spare)?;
    if spare.capacity() > MOST_SPARE {
        return Ok(Encoded { layout, bytes: spare.into() });
    }
    let bytes = spare.as_slice().into();
    spare.clear();
    let _ = SPARE.try_with(|kept| kept.set(spare));
    Ok(Encoded { layout, bytes })
}
