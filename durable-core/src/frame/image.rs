//! What a frame is stored as, and the table of frame layouts.
//!
//! An image holds the id of its frame layout and the variables, each length-delimited. The layout
//! holds what all images taken at one resume point share: the workflow, which of its points it is (the points are a row of their own,
//! the table), and the variables' names and layouts. It is stored once, under a hash of its content. It says
//! nothing of lines: those are looked up in the program of the build.

use std::{
    collections::{HashMap, HashSet},
    hash::Hasher,
    ops::Range,
    sync::{Arc, Mutex, OnceLock, RwLock},
};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{AWAITED, parameters::KnownParameters};
use crate::{
    codec::{Bytes, Codec, DecodeError, Encoded, LayoutId, Persist, Plain, Slot, TypeOf, Value},
    evolve::{Matched, PointId, PointTable, match_layout},
    hashing::{ByNumber, NumberHasher},
    meta::WorkflowMeta,
};

/// A suspended frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FrameImage {
    /// The id of its [`FrameLayout`].
    pub layout: u64,
    /// The awaited future and the live variables, each length-delimited.
    pub vars: Bytes,
}

/// What the images taken at one resume point share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FrameLayout {
    /// The workflow's stored name.
    pub workflow: String,
    /// The id of the [`PointTable`] of the workflow that was saved.
    pub table: u64,
    /// Which of its points it is, from 0.
    pub point: u32,
    /// The stored variables' names and layouts, the awaited future first.
    pub vars: Vec<(String, u64)>,
}

/// A stored layout and the points of the workflow that it is of.
#[derive(Debug)]
pub(crate) struct KnownLayout {
    pub(crate) layout: FrameLayout,
    pub(crate) table: Arc<PointTable>,
}

impl KnownLayout {
    /// Which resume point it is.
    pub(crate) fn point(&self) -> &PointId {
        &self.table.points[self.layout.point as usize]
    }
}

/// A stored frame layout, matched against a workflow of this build.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) known: Arc<KnownLayout>,
    pub(crate) matched: Matched,
    /// For each variable that the point loads, how it is read without a look at its layout, once it is known that it is.
    pub(crate) plain: Box<[OnceLock<Plain>]>,
}

/// In a test, a workflow under a name of its own that is a later version of another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StandIn {
    pub(crate) old: &'static str,
    pub(crate) new: &'static str,
}

impl StandIn {
    fn is(&self, one: &str, other: &str) -> bool {
        (one, other) == (self.old, self.new) || (other, one) == (self.old, self.new)
    }
}

/// Reads a stored layout row.
type Source = Box<dyn Fn(u64) -> Option<Vec<u8>> + Send + Sync>;
type SavedKey = (usize, u32, u64);
type SavedLayout = (Box<[u64]>, u64);
type ResolvedKey = (usize, u64);

/// The frame layouts that an engine knows; others are fetched from the store when they are met.
pub(crate) struct Frames {
    source: Source,
    /// Workflows that stand for others in a test: theirs and the others' names.
    stand_ins: Vec<StandIn>,
    layouts: RwLock<HashMap<u64, Arc<KnownLayout>, ByNumber>>,
    tables: RwLock<HashMap<u64, Arc<PointTable>, ByNumber>>,
    /// The table of each workflow of this build that was met, by the address of what the compiler says of it.
    own: RwLock<HashMap<usize, (u64, Arc<PointTable>), ByNumber>>,
    pub(super) parameters: KnownParameters,
    /// Layouts of frames of this build: those of their variables, and the id.
    saved: RwLock<HashMap<SavedKey, SavedLayout, ByNumber>>,
    /// The layouts of `saved`, with their workflows: this build reads what it wrote.
    written: RwLock<HashSet<ResolvedKey>>,
    resolved: RwLock<HashMap<ResolvedKey, Arc<Resolved>, ByNumber>>,
    new: Mutex<Vec<(u64, Vec<u8>)>>,
}

impl std::fmt::Debug for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").finish_non_exhaustive()
    }
}

/// The first byte of a layout row tells frame layouts, value layouts, tables of points and lists of parameters.
const FRAME_ROW: u8 = b'F';
const VALUE_ROW: u8 = b'V';
const TABLE_ROW: u8 = b'P';
pub(super) const PARAMETERS_ROW: u8 = b'A';

pub(super) const LOCK: &str = "no code panics while it holds this lock";

impl Frames {
    pub(crate) fn new(source: Source, stand_ins: Vec<StandIn>) -> Self {
        Frames {
            source,
            stand_ins,
            layouts: RwLock::default(),
            tables: RwLock::default(),
            own: RwLock::default(),
            parameters: KnownParameters::default(),
            saved: RwLock::default(),
            written: RwLock::default(),
            resolved: RwLock::default(),
            new: Mutex::default(),
        }
    }

    /// The id of the layout of a frame saved at `point` with variables of these layouts.
    pub(crate) fn layout(&self, meta: &'static WorkflowMeta, point: u32, vars: &[u64]) -> u64 {
        let key = (std::ptr::from_ref(meta).addr(), point, hash_ids(vars));
        if let Some((saved, id)) = self.saved.read().expect(LOCK).get(&key)
            && **saved == *vars
        {
            return *id;
        }
        let index = point as usize - 1;
        let names = std::iter::once(AWAITED).chain(meta.points[index].vars());
        let (table_id, table) = self.own_table(meta);
        let layout = FrameLayout {
            workflow: meta.name.into(),
            table: table_id,
            point: index as u32,
            vars: names.map(String::from).zip(vars.iter().copied()).collect(),
        };
        let (id, bytes) = content(&layout);
        let known = Arc::new(KnownLayout { layout, table });
        if self.layouts.write().expect(LOCK).insert(id, known).is_none() {
            self.add_row(FRAME_ROW, id, &bytes);
        }
        self.written.write().expect(LOCK).insert((key.0, id));
        self.saved.write().expect(LOCK).insert(key, (vars.into(), id));
        id
    }

    /// Whether frames of this workflow were saved under a layout since the engine was opened.
    pub(super) fn is_written(&self, meta: &'static WorkflowMeta, id: u64) -> bool {
        self.written.read().expect(LOCK).contains(&(std::ptr::from_ref(meta).addr(), id))
    }

    /// The points of a workflow of this build, and the id under which they are stored.
    pub(super) fn own_table(&self, meta: &'static WorkflowMeta) -> (u64, Arc<PointTable>) {
        let key = std::ptr::from_ref(meta).addr();
        if let Some(own) = self.own.read().expect(LOCK).get(&key) {
            return own.clone();
        }
        let table = PointTable::of(meta);
        let (id, bytes) = content(&table);
        let own = (id, Arc::new(table));
        if self.tables.write().expect(LOCK).insert(id, own.1.clone()).is_none() {
            self.add_row(TABLE_ROW, id, &bytes);
        }
        self.own.write().expect(LOCK).insert(key, own.clone());
        own
    }

    /// Whether this is a layout row that its id was made of.
    pub(crate) fn is_row(id: u64, row: &[u8]) -> bool {
        let Some((kind, bytes)) = row.split_first() else { return false };
        match *kind {
            VALUE_ROW => xxh3_64(bytes).max(1) == id,
            FRAME_ROW | TABLE_ROW | PARAMETERS_ROW => xxh3_64(bytes) == id,
            _ => false,
        }
    }

    /// A row that is to be stored with the next commit, if it is not there.
    pub(super) fn add_row(&self, kind: u8, id: u64, bytes: &[u8]) {
        if (self.source)(id).is_none() {
            self.new.lock().expect(LOCK).push((id, [&[kind], bytes].concat()));
        }
    }

    /// The layout rows that are not in the store yet: frames' and values'.
    pub(crate) fn take_new(&self, codec: &Codec) -> Vec<(u64, Vec<u8>)> {
        let mut rows = std::mem::take(&mut *self.new.lock().expect(LOCK));
        for (id, bytes) in codec.take_new() {
            let mut row = vec![VALUE_ROW];
            row.extend_from_slice(&bytes);
            rows.push((id, row));
        }
        rows
    }

    /// A frame layout, known or fetched.
    pub(crate) fn get(&self, id: u64) -> Result<Arc<KnownLayout>, String> {
        if let Some(known) = self.layouts.read().expect(LOCK).get(&id) {
            return Ok(known.clone());
        }
        let layout: FrameLayout = self.fetch(FRAME_ROW, id, "frame layout")?;
        let table = self.table(layout.table)?;
        if layout.point as usize >= table.points.len() {
            return Err(format!(
                "frame layout {id:016x} is damaged: it names a point that its workflow lacks"
            ));
        }
        let known = Arc::new(KnownLayout { layout, table });
        self.layouts.write().expect(LOCK).insert(id, known.clone());
        Ok(known)
    }

    fn table(&self, id: u64) -> Result<Arc<PointTable>, String> {
        if let Some(table) = self.tables.read().expect(LOCK).get(&id) {
            return Ok(table.clone());
        }
        let table = Arc::new(self.fetch(TABLE_ROW, id, "table of resume points")?);
        self.tables.write().expect(LOCK).insert(id, Arc::clone(&table));
        Ok(table)
    }

    pub(super) fn fetch<T: serde::de::DeserializeOwned>(
        &self,
        kind: u8,
        id: u64,
        what: &str,
    ) -> Result<T, String> {
        let row = (self.source)(id).ok_or_else(|| format!("{what} {id:016x} is not in the store"))?;
        let Some((_, bytes)) = row.split_first().filter(|(first, _)| **first == kind) else {
            return Err(format!("layout {id:016x} is not a {what}"));
        };
        if xxh3_64(bytes) != id {
            return Err(format!("{what} {id:016x} is damaged: its id was not made of it"));
        }
        postcard::from_bytes(bytes).map_err(|error| format!("{what} {id:016x} can't be read: {error}"))
    }

    /// Matches a stored layout against `meta`: which resume point it is, and where each variable lies.
    pub(crate) fn resolve(&self, meta: &'static WorkflowMeta, id: u64) -> Result<Arc<Resolved>, String> {
        let key = (std::ptr::from_ref(meta).addr(), id);
        if let Some(resolved) = self.resolved.read().expect(LOCK).get(&key) {
            return Ok(resolved.clone());
        }
        let (_, own) = self.own_table(meta);
        let known = self.of_workflow(meta, id)?;
        let matched = match_layout(meta, &own, &known)?;
        let plain = matched.places.iter().map(|_| OnceLock::new()).collect();
        let resolved = Arc::new(Resolved { known, matched, plain });
        self.resolved.write().expect(LOCK).insert(key, resolved.clone());
        Ok(resolved)
    }

    /// A stored layout, if it is one of `meta`.
    pub(super) fn of_workflow(
        &self,
        meta: &'static WorkflowMeta,
        id: u64,
    ) -> Result<Arc<KnownLayout>, String> {
        let known = self.get(id)?;
        let stored = known.layout.workflow.as_str();
        let had_the_name = stored == meta.name || meta.was.contains(&stored);
        if !had_the_name && !self.stand_ins.iter().any(|one| one.is(stored, meta.name)) {
            return Err(other_workflow(stored, meta.name));
        }
        Ok(known)
    }

    /// Decodes a stored value, fetching its layout if it is met for the first time.
    pub(crate) fn decode<T: Persist>(
        &self,
        codec: &Codec,
        layout: LayoutId,
        bytes: &[u8],
    ) -> Result<T, DecodeError> {
        self.ensure(codec, layout);
        codec.decode(layout, bytes)
    }

    /// The same for a type that is not known here.
    pub(crate) fn decode_as(
        &self,
        codec: &Codec,
        of: &TypeOf,
        layout: LayoutId,
        bytes: &[u8],
        slot: &mut dyn Slot,
    ) -> Result<(), DecodeError> {
        match codec.decode_as(of, layout, bytes, slot) {
            Err(DecodeError::UnknownLayout(_)) => {
                self.fetching(codec, || codec.decode_as(of, layout, bytes, slot))
            }
            read => read,
        }
    }

    /// The same for a part of a stored value.
    pub(super) fn decode_part(
        &self,
        codec: &Codec,
        of: &TypeOf,
        (layout, bytes): (LayoutId, &[u8]),
        part: &[String],
        slot: &mut dyn Slot,
    ) -> Result<(), DecodeError> {
        if part.is_empty() {
            return self.decode_as(codec, of, layout, bytes, slot);
        }
        match self.view(codec, layout, bytes)?.part(part) {
            Some(value) => Codec::read_as(of, &value, slot),
            None => Err(DecodeError::Malformed { layout, message: "it has no such part" }),
        }
    }

    /// Whether a stored value can be read as such a type.
    pub(crate) fn try_read(&self, codec: &Codec, of: &TypeOf, value: &Encoded) -> Result<(), DecodeError> {
        self.decode_as(codec, of, value.layout, &value.bytes, &mut *(of.slot)())
    }

    /// Makes a value's layout known, if the store has it.
    pub(crate) fn ensure(&self, codec: &Codec, layout: LayoutId) {
        // What can't be learned shows when the value is decoded.
        let _ = self.fetching(codec, || {
            if codec.knows(layout) { Ok(()) } else { Err(DecodeError::UnknownLayout(layout)) }
        });
    }

    /// Decodes a stored value without its type.
    pub(crate) fn view(&self, codec: &Codec, layout: LayoutId, bytes: &[u8]) -> Result<Value, DecodeError> {
        self.fetching(codec, || codec.view(layout, bytes))
    }

    fn fetching<T>(
        &self,
        codec: &Codec,
        mut read: impl FnMut() -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        match read() {
            Err(DecodeError::UnknownLayout(id)) => {
                let Some(row) = (self.source)(id.0) else {
                    return Err(DecodeError::UnknownLayout(id));
                };
                let Some((&VALUE_ROW, bytes)) = row.split_first() else {
                    return Err(DecodeError::UnknownLayout(id));
                };
                codec.learn(id, bytes)?;
                read()
            }
            other => other,
        }
    }
}

/// Why a snapshot of one workflow is not gone on with by another.
pub(crate) fn other_workflow(stored: &str, name: &str) -> String {
    format!("the snapshot is of workflow `{stored}` and is called as `{name}`")
}

/// What is stored under a hash of its content.
pub(super) fn content<T: Serialize>(value: &T) -> (u64, Vec<u8>) {
    let bytes = postcard::to_stdvec(value).expect("strings and numbers always encode");
    (xxh3_64(&bytes), bytes)
}

/// A hash of layout ids, which are hashes themselves.
fn hash_ids(ids: &[u64]) -> u64 {
    let mut hash = NumberHasher::default();
    ids.iter().for_each(|id| hash.write_u64(*id));
    hash.finish()
}

/// Appends a value with its length in front.
pub(super) fn push_delimited(out: &mut Vec<u8>, bytes: &[u8]) {
    push_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn push_len(out: &mut Vec<u8>, mut len: usize) {
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
}

/// From so many bytes on an image is made where the largest of its variables lies already, without a second copy of that.
const IN_PLACE: usize = 1 << 20;

/// The variables of an image: what lies at these places of `kept`, each with its length in front.
pub(super) fn put_together(kept: &mut Vec<u8>, parts: &[Range<usize>]) -> Vec<u8> {
    if kept.len() >= IN_PLACE {
        let largest = parts.iter().enumerate().max_by_key(|(_, part)| part.len());
        if let Some((at, largest)) = largest.filter(|(_, part)| part.len() >= kept.len() / 2) {
            return put_around(at, largest.clone(), kept, parts);
        }
    }
    let mut vars = Vec::with_capacity(kept.len() + 2 * parts.len());
    parts.iter().for_each(|part| push_delimited(&mut vars, &kept[part.clone()]));
    vars
}

/// The same without a copy of the largest one.
fn put_around(at: usize, largest: Range<usize>, kept: &mut Vec<u8>, parts: &[Range<usize>]) -> Vec<u8> {
    let (before, after) = (&parts[..at], &parts[at + 1..]);
    let (mut front, mut back) = (Vec::new(), Vec::new());
    before.iter().for_each(|part| push_delimited(&mut front, &kept[part.clone()]));
    push_len(&mut front, largest.len());
    after.iter().for_each(|part| push_delimited(&mut back, &kept[part.clone()]));
    let mut vars = std::mem::take(kept);
    vars.truncate(largest.end);
    vars.splice(..largest.start, front);
    vars.extend_from_slice(&back);
    vars
}

/// Where each of `count` length-delimited values lies; `None` if they don't fill `bytes` exactly.
pub(crate) fn split(bytes: &[u8], count: usize) -> Option<Vec<Range<usize>>> {
    let mut ranges = Vec::with_capacity(count.min(bytes.len()));
    split_into(bytes, count, &mut ranges).then_some(ranges)
}

/// The same in memory that is there.
pub(super) fn split_into(bytes: &[u8], count: usize, ranges: &mut Vec<Range<usize>>) -> bool {
    ranges.clear();
    let mut at = 0;
    for _ in 0..count {
        let range = match bytes.get(at) {
            // Nearly all lengths are of one byte.
            Some(&len) if len < 0x80 => Some(at + 1..at + 1 + usize::from(len)),
            _ => take_len(bytes, at).and_then(|(at, len)| Some(at..at.checked_add(len)?)),
        };
        let Some(range) = range.filter(|range| range.end <= bytes.len()) else { return false };
        at = range.end;
        ranges.push(range);
    }
    at == bytes.len()
}

/// A length of several bytes, and where it ends.
fn take_len(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut len = 0usize;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = *bytes.get(at)?;
        at += 1;
        len |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some((at, len))
}

/// Whether all that an image holds can be read, and is the same image when it is written again.
#[cfg(feature = "simulation")]
pub(crate) fn reads_and_writes(frames: &Frames, codec: &Codec, image: &FrameImage) -> Result<(), String> {
    let bytes = postcard::to_stdvec(image).map_err(|error| error.to_string())?;
    if postcard::from_bytes::<FrameImage>(&bytes).as_ref() != Ok(image) {
        return Err("its image is another one when it is read".into());
    }
    let known = frames.get(image.layout)?;
    let vars = &known.layout.vars;
    let ranges = split(&image.vars, vars.len()).ok_or("the variables of its image do not fill it")?;
    let mut again = Vec::new();
    for ((name, layout), range) in vars.iter().zip(ranges) {
        let value = &image.vars[range];
        let read = frames.view(codec, LayoutId(*layout), value);
        read.map_err(|error| format!("variable `{name}` of its image can't be read: {error}"))?;
        push_delimited(&mut again, value);
    }
    if again == *image.vars {
        Ok(())
    } else {
        Err("its image is another one when it is written again".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimited_values_split_where_they_were_joined() {
        let long = vec![9; 70_000];
        let values: [&[u8]; 4] = [b"", b"a", &[7; 127], &long];
        let mut bytes = Vec::new();
        for value in values {
            push_delimited(&mut bytes, value);
        }
        let ranges = split(&bytes, 4).expect("they fill it");
        let back: Vec<&[u8]> = ranges.into_iter().map(|range| &bytes[range]).collect();
        assert_eq!(back, values);
    }

    /// An image is the same one wherever the largest variable lies, and whether it is moved or copied.
    #[test]
    fn an_image_that_is_made_in_place_is_the_one_that_is_copied() {
        let (small, large) = (vec![1; 300], vec![2; IN_PLACE]);
        for order in [vec![&small, &large, &small], vec![&large, &small], vec![&small, &large], vec![&large]]
        {
            // As they are kept: the last one first.
            let (mut kept, mut parts) = (b"awaited".to_vec(), Vec::new());
            for value in order.iter().rev() {
                let start = kept.len();
                kept.extend_from_slice(value);
                parts.insert(0, start..kept.len());
            }
            parts.insert(0, 0..7);
            let mut copied = Vec::new();
            push_delimited(&mut copied, b"awaited");
            order.iter().for_each(|value| push_delimited(&mut copied, value));
            let vars = put_together(&mut kept, &parts);
            assert!(vars == copied, "{} variables", order.len());
            assert!(kept.is_empty(), "it was moved");
        }
    }

    #[test]
    fn a_cut_or_padded_image_is_refused() {
        let mut bytes = Vec::new();
        push_delimited(&mut bytes, b"abc");
        assert!(split(&bytes[..3], 1).is_none(), "cut");
        bytes.push(0);
        assert!(split(&bytes, 1).is_none(), "padded");
        assert!(split(&[0xff; 12], 1).is_none(), "a length that overflows");
    }
}
