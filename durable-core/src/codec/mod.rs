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
//! Deliberately absent: checksums and lengths (the store's envelope), compression, and sharing of `Rc` (each is written out).

mod by_name;
mod capture;
mod current;
mod diff;
mod error;
mod json;
mod layout;
mod named;
mod persist;
mod search;
mod tree;
mod types;
mod value;
mod view;
mod walk;

#[cfg(test)]
mod tests;

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Serialize;

pub use current::current;
pub(crate) use current::with_current;
pub use error::{DecodeError, EncodeError};
pub use persist::Persist;
pub use value::{ReadError, Value};

use capture::capture;
use diff::diff;
use error::{Fault, Misfit};
use layout::Layout;
use tree::{MAX_DEPTH, Tree};
use types::{Known, Relation, TypeMap};

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
    #[serde(with = "durable_store::bytes")]
    pub bytes: Vec<u8>,
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
    layouts: RwLock<HashMap<LayoutId, Arc<Layout>>>,
    pending: Mutex<Vec<(u64, Vec<u8>)>>,
    checking: AtomicBool,
    /// Negative control of the tests: bare postcard, as if there were no layouts.
    #[cfg(test)]
    unchecked: AtomicBool,
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
            pending: Mutex::default(),
            checking: AtomicBool::new(cfg!(debug_assertions)),
            #[cfg(test)]
            unchecked: AtomicBool::new(false),
        }
    }

    /// Whether *every* value is decoded and compared before it is returned. Default: in debug builds only.
    pub fn set_checking(&self, on: bool) {
        self.checking.store(on, Ordering::Relaxed);
    }

    /// The bytes of `value`, which are known to be readable as `T`.
    ///
    /// A panic of the value's own `Serialize` or `Deserialize` is passed on and leaves the codec as it was.
    pub fn encode<T: Persist>(&self, value: &T) -> Result<Encoded, EncodeError> {
        self.encode_borrowed::<T, T>(value)
    }

    /// Appends the bytes of `value` to `out`; on an error `out` is as it was.
    pub fn encode_into<T: Persist>(&self, value: &T, out: &mut Vec<u8>) -> Result<LayoutId, EncodeError> {
        self.encode_borrowed_into::<T, T>(value, out)
    }

    /// The bytes of a borrowed form of a `T`, such as `(&str, &[u64])` for `(String, Vec<u64>)`; known to be readable as `T`.
    pub fn encode_borrowed<B: Serialize + ?Sized, T: Persist>(
        &self,
        value: &B,
    ) -> Result<Encoded, EncodeError> {
        let mut bytes = Vec::with_capacity(128);
        let layout = self.encode_borrowed_into::<B, T>(value, &mut bytes)?;
        Ok(Encoded { layout, bytes })
    }

    /// [`encode_borrowed`](Self::encode_borrowed), appended to `out`; on an error `out` is as it was.
    pub fn encode_borrowed_into<B: Serialize + ?Sized, T: Persist>(
        &self,
        value: &B,
        out: &mut Vec<u8>,
    ) -> Result<LayoutId, EncodeError> {
        let start = out.len();
        #[cfg(test)]
        if self.unchecked.load(Ordering::Relaxed) {
            *out = postcard::to_extend(value, std::mem::take(out))
                .expect("the control encodes what postcard encodes");
            return Ok(LayoutId::NAMED);
        }
        if let Some(known) = self.types.get(TypeId::of::<T>())
            && let Some((id, layout)) = known.positional()
            && walk::walk(value, layout, out).is_ok()
        {
            if !self.checking.load(Ordering::Relaxed) {
                return Ok(*id);
            }
            let result = check::<B, T>(value, &out[start..]);
            if result.is_err() {
                out.truncate(start);
            }
            return result.map(|()| *id);
        }
        out.truncate(start);
        self.encode_new::<B, T>(value, out)
    }

    /// The value's shape is new to its type, or the type is written by name.
    #[cold]
    fn encode_new<B: Serialize + ?Sized, T: Persist>(
        &self,
        value: &B,
        out: &mut Vec<u8>,
    ) -> Result<LayoutId, EncodeError> {
        let id = TypeId::of::<T>();
        let start = out.len();
        let mut known = self.types.get(id).unwrap_or_default();
        while !known.is_named() {
            let Some((layout, grown)) = try_positional::<B, T>(value, &known, out)? else {
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
        out.extend_from_slice(&try_named::<B, T>(value)?);
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
        #[cfg(test)]
        if self.unchecked.load(Ordering::Relaxed) {
            return positional(bytes)
                .ok_or(DecodeError::Malformed { layout, message: "postcard refuses it" });
        }
        if layout == LayoutId::NAMED {
            return read_by_name(self.view(layout, bytes)?);
        }
        let id = TypeId::of::<T>();
        if let Some(known) = self.types.get(id) {
            let proven = match known.relation(layout) {
                Some(Relation::Covers) => true,
                Some(Relation::Agrees) => known.fits(bytes),
                Some(Relation::Differs) | None => false,
            };
            if proven && let Some(value) = positional(bytes) {
                return Ok(value);
            }
        }
        self.decode_new(id, layout, bytes)
    }

    /// The bytes use shapes that were not proven for the type yet, or the type has changed.
    #[cold]
    fn decode_new<T: Persist>(&self, id: TypeId, layout: LayoutId, bytes: &[u8]) -> Result<T, DecodeError> {
        let stored = self.layout(layout)?;
        let value = self.view(layout, bytes)?;
        loop {
            let known = self.types.get(id).unwrap_or_default();
            if known.relate(&stored) == Relation::Differs {
                self.types.replace(id, &known, known.with_relation(layout, &stored));
                break;
            }
            let Some(back) = positional::<T>(bytes) else {
                break;
            };
            let Ok(captured) = capture(&back, false) else {
                break;
            };
            if diff(&value.tree, &captured.tree).is_some() {
                break;
            }
            let Ok(grown) = known.grown(&value.tree, Some((layout, &stored))) else {
                return Ok(back);
            };
            let grown = grown.with_relation(layout, &stored);
            if !self.register(&grown) || self.types.replace(id, &known, grown) {
                return Ok(back);
            }
        }
        read_by_name(value)
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
        let stored = self.layout(layout)?;
        Ok(Value { tree: view::view(&stored, bytes).map_err(malformed)?, readable: false })
    }

    /// Whether values of this layout can be read without learning it first.
    pub(crate) fn knows(&self, id: LayoutId) -> bool {
        id == LayoutId::NAMED || self.layout(id).is_ok()
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

/// Appends the value by position if it has a layout and is read back by it; returns what is then known of its type.
fn try_positional<B: Serialize + ?Sized, T: Persist>(
    value: &B,
    known: &Known,
    out: &mut Vec<u8>,
) -> Result<Option<(LayoutId, Known)>, EncodeError> {
    let start = out.len();
    let captured = capture(value, false).map_err(unwritten::<T>)?;
    if !captured.regular {
        return Ok(None);
    }
    let Ok(grown) = known.grown(&captured.tree, None) else {
        return Ok(None);
    };
    let Some((id, layout)) = grown.positional() else {
        return Ok(None);
    };
    if walk::walk(value, layout, out).is_err() {
        return Ok(None);
    }
    let same = positional::<T>(&out[start..])
        .and_then(|back| capture(&back, false).ok())
        .is_some_and(|back| diff(&captured.tree, &back.tree).is_none());
    Ok(same.then(|| (*id, grown.clone())))
}

/// All of `bytes` as a `T`, by position.
fn positional<T: Persist>(bytes: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

fn read_by_name<T: Persist>(value: Value) -> Result<T, DecodeError> {
    by_name::read(value.tree, value.readable).map_err(|misfit: Misfit| DecodeError::Mismatch {
        type_name: type_name::<T>(),
        path: misfit.path(),
        message: misfit.message,
    })
}

/// The value by name, after it was read back.
fn try_named<B: Serialize + ?Sized, T: Persist>(value: &B) -> Result<Vec<u8>, EncodeError> {
    let wrote = capture(value, true).map_err(unwritten::<T>)?.tree;
    let bytes = named::write(&wrote);
    let stored = named::read(&bytes).map_err(|flaw| unreadable::<T>(String::new(), flaw.to_owned()))?;
    let back =
        by_name::read::<T>(stored, true).map_err(|misfit| unreadable::<T>(misfit.path(), misfit.message))?;
    same::<T>(&wrote, &back, true)?;
    Ok(bytes)
}

/// Reads back what was written by position.
fn check<B: Serialize + ?Sized, T: Persist>(value: &B, bytes: &[u8]) -> Result<(), EncodeError> {
    let wrote = capture(value, false).map_err(unwritten::<T>)?.tree;
    let (back, rest) = postcard::take_from_bytes::<T>(bytes).map_err(|error| {
        unreadable::<T>(String::new(), explain::<T>(&wrote).unwrap_or_else(|| error.to_string()))
    })?;
    if !rest.is_empty() {
        return Err(unreadable::<T>(String::new(), "it leaves bytes unread".to_owned()));
    }
    same::<T>(&wrote, &back, false)
}

/// postcard's errors carry no text: the same value by name usually fails with the type's own words.
fn explain<T: Persist>(wrote: &Tree) -> Option<String> {
    by_name::read::<T>(wrote.clone(), false).err().map(|misfit| misfit.message)
}

fn same<T: Persist>(wrote: &Tree, back: &T, readable: bool) -> Result<(), EncodeError> {
    let read = capture(back, readable).map_err(unwritten::<T>)?.tree;
    match diff(wrote, &read) {
        None => Ok(()),
        Some(found) => Err(EncodeError::Changed {
            type_name: type_name::<T>(),
            path: found.path,
            wrote: found.wrote,
            read: found.read,
        }),
    }
}

fn unreadable<T>(path: String, message: String) -> EncodeError {
    EncodeError::Unreadable { type_name: type_name::<T>(), path, message }
}

fn unwritten<T>(fault: Fault) -> EncodeError {
    match fault {
        Fault::TooDeep => EncodeError::TooDeep { type_name: type_name::<T>(), limit: MAX_DEPTH },
        fault => EncodeError::Serialize { type_name: type_name::<T>(), message: fault.to_string() },
    }
}
