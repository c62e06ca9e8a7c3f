//! What a frame is stored as, and the table of frame layouts.
//!
//! An image holds the id of its frame layout and the variables, each length-delimited. The layout
//! holds what all images taken at one resume point share: the workflow, which of its points it is (the points are a row of their own,
//! the table), and the variables' names and layouts. It is stored once, under a hash of its content. It says
//! nothing of lines: those are looked up in the program of the build.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, RwLock},
};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::AWAITED;
use crate::{
    codec::{Codec, DecodeError, Encoded, LayoutId, Persist, Slot, TypeOf, Value},
    evolve::{PointId, PointTable, Unmatched, match_point},
    meta::WorkflowMeta,
};

/// A suspended frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FrameImage {
    /// The id of its [`FrameLayout`].
    pub layout: u64,
    /// The awaited future and the live variables, each length-delimited.
    #[serde(with = "durable_store::bytes")]
    pub vars: Vec<u8>,
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

/// What the arguments of a call are stored under.
#[derive(Debug, Serialize, Deserialize)]
struct Parameters {
    /// The layout of the tuple of their values.
    values: LayoutId,
    names: Vec<String>,
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
    /// The resume point in this build, from 1.
    pub(crate) point: u32,
    /// For each variable that the point loads, the awaited future first: its place in the image.
    pub(crate) order: Vec<usize>,
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
type ResolvedKey = (usize, u64);

/// The frame layouts that an engine knows; others are fetched from the store when they are met.
pub(crate) struct Frames {
    source: Source,
    /// Workflows that stand for others in a test: theirs and the others' names.
    stand_ins: Vec<StandIn>,
    layouts: RwLock<HashMap<u64, Arc<KnownLayout>>>,
    tables: RwLock<HashMap<u64, Arc<PointTable>>>,
    /// The table of each workflow of this build that was met, by the address of what the compiler says of it.
    own: RwLock<HashMap<usize, (u64, Arc<PointTable>)>>,
    parameters: RwLock<HashMap<u64, Arc<Parameters>>>,
    saved: RwLock<HashMap<SavedKey, u64>>,
    resolved: RwLock<HashMap<ResolvedKey, Arc<Resolved>>>,
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
const PARAMETERS_ROW: u8 = b'A';

const LOCK: &str = "no code panics while it holds this lock";

impl Frames {
    pub(crate) fn new(source: Source, stand_ins: Vec<StandIn>) -> Self {
        Frames {
            source,
            stand_ins,
            layouts: RwLock::default(),
            tables: RwLock::default(),
            own: RwLock::default(),
            parameters: RwLock::default(),
            saved: RwLock::default(),
            resolved: RwLock::default(),
            new: Mutex::default(),
        }
    }

    /// The id of the layout of a frame saved at `point` with variables of these layouts.
    pub(crate) fn layout(&self, meta: &'static WorkflowMeta, point: u32, vars: &[u64]) -> u64 {
        let key = (std::ptr::from_ref(meta).addr(), point, hash_ids(vars));
        if let Some(id) = self.saved.read().expect(LOCK).get(&key) {
            return *id;
        }
        let index = point as usize - 1;
        let names = std::iter::once(AWAITED).chain(meta.points[index].vars.iter().copied());
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
        self.saved.write().expect(LOCK).insert(key, id);
        id
    }

    /// The points of a workflow of this build, and the id under which they are stored.
    fn own_table(&self, meta: &'static WorkflowMeta) -> (u64, Arc<PointTable>) {
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

    /// The arguments of a call, as they are stored: with the names of the parameters, by which a build with others reads them.
    pub(crate) fn store_args(&self, names: &[&[&str]], args: Encoded) -> Encoded {
        if names.is_empty() {
            return args;
        }
        let names = names.iter().filter_map(|names| names.first()).map(|name| (*name).to_owned()).collect();
        let (id, bytes) = content(&Parameters { values: args.layout, names });
        if !self.parameters.read().expect(LOCK).contains_key(&id) {
            let parameters: Parameters = postcard::from_bytes(&bytes).expect("what was just written");
            if self.parameters.write().expect(LOCK).insert(id, Arc::new(parameters)).is_none() {
                self.add_row(PARAMETERS_ROW, id, &bytes);
            }
        }
        Encoded { layout: LayoutId(id), bytes: args.bytes }
    }

    /// The arguments of a stored call as today's parameters. One that was not there is `None`.
    pub(crate) fn load_args(
        &self,
        codec: &Codec,
        names: &[&[&str]],
        args: &Encoded,
    ) -> Result<Encoded, String> {
        let given = |layout| Encoded { layout, bytes: args.bytes.clone() };
        // A call without parameters has none stored either; nor have those that were made by hand.
        if names.is_empty() && self.stored_parameters(args.layout).is_err() {
            return Ok(given(args.layout));
        }
        let stored = self.stored_parameters(args.layout)?;
        let place =
            |names: &&[&str]| names.iter().find_map(|name| stored.names.iter().position(|had| had == name));
        let order: Vec<_> = names.iter().map(place).collect();
        self.ensure(codec, stored.values);
        if order.len() == stored.names.len() && order.iter().enumerate().all(|(at, place)| *place == Some(at))
        {
            return Ok(given(stored.values));
        }
        Ok(given(codec.adapt(stored.values, &order)))
    }

    /// The layout of the values of a call's arguments.
    pub(crate) fn args_layout(&self, stored: LayoutId) -> LayoutId {
        match self.stored_parameters(stored) {
            Ok(parameters) => parameters.values,
            Err(_) => stored,
        }
    }

    fn stored_parameters(&self, id: LayoutId) -> Result<Arc<Parameters>, String> {
        if let Some(known) = self.parameters.read().expect(LOCK).get(&id.0) {
            return Ok(known.clone());
        }
        let fetched: Arc<Parameters> = Arc::new(self.fetch(PARAMETERS_ROW, id.0, "list of parameters")?);
        self.parameters.write().expect(LOCK).insert(id.0, fetched.clone());
        Ok(fetched)
    }

    /// A row that is to be stored with the next commit, if it is not there.
    fn add_row(&self, kind: u8, id: u64, bytes: &[u8]) {
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

    fn fetch<T: serde::de::DeserializeOwned>(&self, kind: u8, id: u64, what: &str) -> Result<T, String> {
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
        let known = self.get(id)?;
        let stored = known.layout.workflow.as_str();
        let had_the_name = stored == meta.name || meta.was.contains(&stored);
        if !had_the_name && !self.stand_ins.iter().any(|one| one.is(stored, meta.name)) {
            let name = meta.name;
            return Err(format!("the snapshot is of workflow `{stored}` and is called as `{name}`"));
        }
        let resolved = Arc::new(match_layout(meta, &own, known)?);
        self.resolved.write().expect(LOCK).insert(key, resolved.clone());
        Ok(resolved)
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
        self.fetching(codec, || codec.decode_as(of, layout, bytes, slot))
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

/// Finds the point in this build, and each of its variables in the image, by their names.
fn match_layout(
    meta: &'static WorkflowMeta,
    own: &PointTable,
    known: Arc<KnownLayout>,
) -> Result<Resolved, String> {
    let layout = &known.layout;
    let were: Vec<_> = meta.points.iter().map(|point| point.was).collect();
    let index = match_point(&known.table.points, layout.point as usize, &own.points, &were)
        .map_err(|unmatched| explain(meta, own, &known, &unmatched))?;
    let point = &meta.points[index];
    // The awaited future stands first; a variable may have its name, `r#await`.
    let Some((_, stored)) = layout.vars.split_first() else {
        return Err(format!("the snapshot of workflow `{}` is damaged: it awaits nothing", meta.name));
    };
    let places = point.vars.iter().map(|name| {
        let find = |name: &str| stored.iter().position(|(stored, _)| stored == name).map(|at| at + 1);
        let was = point.renamed.iter().find(|(new, _)| new == name).and_then(|(_, was)| find(was));
        if let (None, Some(at)) = (find(name), was.or_else(|| same_loop(name, point.vars, stored))) {
            return Ok(at);
        }
        let stem = stem(name);
        let in_build = point.vars.iter().filter(|name| self::stem(name) == stem).count();
        let in_image = stored.iter().filter(|(name, _)| self::stem(name) == stem).count();
        if in_image > 0 && in_build != in_image {
            return Err(format!(
                "workflow `{}` has {in_build} variables `{stem}` at {}:{}, and the snapshot has {in_image}: which is which can't be told, \
                 so give them different names",
                meta.name, meta.file, point.line
            ));
        }
        find(name).ok_or_else(|| {
            format!(
                "workflow `{}` needs variable `{name}` at {}:{}, and the snapshot has none of that name: \
                 give it the name that it had, `#[was(\"..\")]`, make it again behind the await, or supply it with `migrate`",
                meta.name, meta.file, point.line
            )
        })
    });
    let order = std::iter::once(Ok(0)).chain(places).collect::<Result<_, _>>()?;
    Ok(Resolved { known, point: index as u32 + 1, order })
}

/// The state of a loop is named after the loop's variable, which may have another name by now. The loops around a point are the
/// same, or it would not have been matched; so they are told by their order. What follows the first dot says how the loop goes.
fn same_loop(name: &str, build: &[&str], image: &[(String, u64)]) -> Option<usize> {
    let is_loop = |name: &str| name == "for" || name.starts_with("for ");
    let order = |name: &str| name.split_once('.').map_or("", |(_, order)| order).to_owned();
    let own: Vec<_> = build.iter().filter(|name| is_loop(name)).collect();
    let stored: Vec<_> = image
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| is_loop(name))
        .map(|(at, (name, _))| (at + 1, name))
        .collect();
    let same = own.len() == stored.len()
        && own.iter().zip(&stored).all(|(own, (_, stored))| order(own) == order(stored));
    let rank = own.iter().position(|own| **own == name)?;
    same.then(|| stored[rank].0)
}

/// The name in the source: variables of one name are numbered, `x` and `x#2`.
fn stem(name: &str) -> &str {
    name.split('#').next().unwrap_or(name)
}

/// Why a point was not matched, and what would do it.
fn explain(meta: &WorkflowMeta, own: &PointTable, known: &KnownLayout, unmatched: &Unmatched) -> String {
    let (point, reference) = (known.point(), known.table.reference(known.layout.point as usize));
    let (what, candidates) = match unmatched {
        Unmatched::Gone { candidates } => ("this build does not have there any more", candidates),
        Unmatched::Ambiguous { candidates } => {
            ("this build has several of, or others in its place", candidates)
        }
    };
    let candidates: Vec<String> = candidates
        .iter()
        .map(|at| format!("{}:{} {}", meta.file, meta.points[*at].line, own.points[*at]))
        .collect();
    let remedy = format!("write `#[resume(was = \"{reference}\")]` at the await that takes its place");
    let rest = if candidates.is_empty() {
        ", or go on with a build that has it".to_owned()
    } else {
        format!(". It may be {}", candidates.join(", or "))
    };
    format!("workflow `{}` stands at {point}, which {what}: {remedy}{rest}", meta.name)
}

/// What is stored under a hash of its content.
fn content<T: Serialize>(value: &T) -> (u64, Vec<u8>) {
    let bytes = postcard::to_stdvec(value).expect("strings and numbers always encode");
    (xxh3_64(&bytes), bytes)
}

/// A hash of layout ids. Nearly all frames have few variables, and this is asked at every step.
fn hash_ids(ids: &[u64]) -> u64 {
    let mut few = [0; 16 * 8];
    let Some(few) = few.get_mut(..ids.len() * 8) else {
        return xxh3_64(&ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<_>>());
    };
    few.chunks_exact_mut(8).zip(ids).for_each(|(place, id)| place.copy_from_slice(&id.to_le_bytes()));
    xxh3_64(few)
}

/// Appends a value with its length in front.
pub(super) fn push_delimited(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
}

/// Where each of `count` length-delimited values lies; `None` if they don't fill `bytes` exactly.
pub(crate) fn split(bytes: &[u8], count: usize) -> Option<Vec<Range<usize>>> {
    let mut ranges = Vec::with_capacity(count.min(bytes.len()));
    let mut at = 0;
    for _ in 0..count {
        let mut len = 0usize;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = *bytes.get(at)?;
            at += 1;
            len |= usize::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let end = at.checked_add(len).filter(|end| *end <= bytes.len())?;
        ranges.push(at..end);
        at = end;
    }
    (at == bytes.len()).then_some(ranges)
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
