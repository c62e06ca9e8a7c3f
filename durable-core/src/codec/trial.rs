//! Whether what was written comes back.

use super::capture::capture;
use super::cursor::Cursor;
use super::decoder::Decoder;
use super::diff::diff;
use super::erased::{Emit, Slot, TypeOf};
use super::error::{EncodeError, Fault, Misfit, Reason};
use super::layout::Layout;
use super::named;
use super::tree::{MAX_DEPTH, Tree};
use super::types::Known;
use super::walk::{is_written_as, walk};
use super::{DecodeError, LayoutId, Value};

/// Reads all of `bytes` along `layout`.
pub(super) fn read_bytes(slot: &mut dyn Slot, layout: &Layout, bytes: &[u8]) -> Result<(), Misfit> {
    let mut cursor = Cursor::bytes(layout, bytes);
    slot.read(Decoder::new(&mut cursor))?;
    if cursor.is_complete() { Ok(()) } else { Err(Misfit::new("it leaves bytes unread")) }
}

/// Reads a tree; `readable` is what the `Serialize` that wrote it was told about the format.
pub(super) fn read_tree(slot: &mut dyn Slot, tree: &Tree, readable: bool) -> Result<(), Misfit> {
    let mut cursor = Cursor::tree(tree, readable);
    let read = slot.read(Decoder::new(&mut cursor));
    read.map_err(|misfit| misfit.at(cursor.path()))
}

/// Reads a stored value by name.
pub(super) fn read_value(of: &TypeOf, slot: &mut dyn Slot, value: &Value) -> Result<(), DecodeError> {
    read_tree(slot, &value.tree, value.readable).map_err(|misfit| {
        let (message, path) = misfit.into_parts();
        DecodeError::Mismatch { stored: value.tree.type_name(), type_name: (of.name)(), path, message }
    })
}

/// Reads a tuple of values that were written apart: each was told by itself whether people read it.
pub(super) fn read_parts(
    of: &TypeOf,
    slot: &mut dyn Slot,
    tuple: &Tree,
    readable: &[bool],
) -> Result<(), DecodeError> {
    let mut cursor = Cursor::parts(tuple, readable);
    slot.read(Decoder::new(&mut cursor)).map_err(|misfit| {
        let (message, path) = misfit.at(cursor.path()).into_parts();
        DecodeError::Mismatch { stored: tuple.type_name(), type_name: (of.name)(), path, message }
    })
}

/// Appends the value by position if it has a layout and is read back by it; returns what is then known of its type.
pub(super) fn try_positional(
    of: &TypeOf,
    value: &dyn Emit,
    known: &Known,
    out: &mut Vec<u8>,
) -> Result<Option<(LayoutId, Known)>, EncodeError> {
    let start = out.len();
    let captured = capture(value, false).map_err(|fault| unwritten(of, &fault))?;
    if !captured.regular {
        return Ok(None);
    }
    let Ok(grown) = known.grown(&captured.tree, None) else {
        return Ok(None);
    };
    // It takes as much memory as the value or more.
    drop(captured);
    let Some((id, layout)) = grown.positional() else {
        return Ok(None);
    };
    if walk(value, layout, out).is_err() {
        return Ok(None);
    }
    let mut back = (of.slot)();
    let (slot, bytes) = (&mut *back, &out[start..]);
    let same = read_bytes(slot, layout, bytes).is_ok()
        && (is_written_again(slot, layout, bytes)
            || capture(value, false).is_ok_and(|wrote| is_same(slot, &wrote.tree)));
    Ok(same.then(|| (*id, grown.clone())))
}

/// Whether what was read is written as the same bytes. If not it may still be the same: a set has no order.
pub(super) fn is_written_again(slot: &dyn Slot, layout: &Layout, bytes: &[u8]) -> bool {
    slot.value().is_some_and(|back| is_written_as(back, layout, bytes))
}

/// Whether what was read, written again without human readers in mind, is `tree`.
pub(super) fn is_same(slot: &dyn Slot, tree: &Tree) -> bool {
    slot.value()
        .and_then(|back| capture(back, false).ok())
        .is_some_and(|back| diff(tree, &back.tree).is_none())
}

/// The value by name, after it was read back.
pub(super) fn try_named(of: &TypeOf, value: &dyn Emit) -> Result<Vec<u8>, EncodeError> {
    let wrote = capture(value, true).map_err(|fault| unwritten(of, &fault))?.tree;
    let bytes = named::write(&wrote);
    let stored = named::read(&bytes).map_err(|flaw| unreadable(of, Misfit::new(flaw)))?;
    let mut slot = (of.slot)();
    read_tree(&mut *slot, &stored, true).map_err(|misfit| unreadable(of, misfit))?;
    compare(of, &wrote, &*slot, true)?;
    Ok(bytes)
}

/// Reads back what was written by position.
pub(super) fn check(of: &TypeOf, value: &dyn Emit, layout: &Layout, bytes: &[u8]) -> Result<(), EncodeError> {
    let mut back = (of.slot)();
    let slot = &mut *back;
    let read = read_bytes(slot, layout, bytes);
    if read.is_ok() && is_written_again(slot, layout, bytes) {
        return Ok(());
    }
    let wrote = capture(value, false).map_err(|fault| unwritten(of, &fault))?.tree;
    if let Err(misfit) = read {
        // By name it usually fails too, with the place.
        return Err(unreadable(of, read_tree(slot, &wrote, false).err().unwrap_or(misfit)));
    }
    compare(of, &wrote, slot, false)
}

fn compare(of: &TypeOf, wrote: &Tree, slot: &dyn Slot, readable: bool) -> Result<(), EncodeError> {
    let Some(back) = slot.value() else {
        return Err(unreadable(of, Misfit::new("nothing was read")));
    };
    let read = capture(back, readable).map_err(|fault| unwritten(of, &fault))?.tree;
    match diff(wrote, &read) {
        None => Ok(()),
        Some(found) => Err(EncodeError::Changed {
            type_name: (of.name)(),
            path: found.path,
            wrote: found.wrote,
            read: found.read,
        }),
    }
}

fn unreadable(of: &TypeOf, misfit: Misfit) -> EncodeError {
    let (message, path) = misfit.into_parts();
    EncodeError::Unreadable { type_name: (of.name)(), path, message }
}

fn unwritten(of: &TypeOf, fault: &Fault) -> EncodeError {
    match fault.reason() {
        Reason::TooDeep => EncodeError::TooDeep { type_name: (of.name)(), limit: MAX_DEPTH },
        _ => EncodeError::Serialize { type_name: (of.name)(), message: fault.to_string() },
    }
}
