//! The layout rows that an instance needs to be read elsewhere.

use std::collections::BTreeMap;

use super::Portable;
use crate::{
    codec::{Emit, Encoded, LayoutId, Value},
    context::MAX_DEPTH,
    engine::inner::Inner,
    frame::{FrameImage, split},
};

/// What the rows are looked for by: the structs that name them, wherever they stand.
const NAMING: [&str; 2] = ["Encoded", "FrameImage"];

/// Rows by their ids.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) rows: BTreeMap<u64, Vec<u8>>,
}

impl Gathered {
    /// All that an instance needs. A row that is not there is no error: it may be a value of the user's that has the name of one of ours.
    pub(super) fn of(inner: &Inner, portable: &Portable) -> Result<Self, String> {
        let mut gathered = Gathered::default();
        let parts: [&dyn Emit; 3] = [&portable.state, &portable.operations, &portable.mail];
        for part in parts {
            let value = Value::of(part).ok_or("it is nested too deep to be looked through")?;
            gathered.value(inner, &value, 0);
        }
        Ok(gathered)
    }

    fn value(&mut self, inner: &Inner, value: &Value, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        for part in value.outermost(&NAMING) {
            if let Some(image) = part.clone().read::<FrameImage>() {
                self.frame(inner, &image, depth + 1);
            } else if let Some(encoded) = part.read::<Encoded>() {
                self.encoded(inner, &encoded, depth + 1);
            }
        }
    }

    fn frame(&mut self, inner: &Inner, image: &FrameImage, depth: u32) {
        let Ok(known) = inner.frames.get(image.layout) else { return };
        self.row(inner, image.layout);
        self.row(inner, known.layout.table);
        let ranges = split(&image.vars, known.layout.vars.len()).unwrap_or_default();
        for ((_, layout), range) in known.layout.vars.iter().zip(ranges) {
            self.bytes(inner, LayoutId(*layout), &image.vars[range], depth);
        }
    }

    fn encoded(&mut self, inner: &Inner, encoded: &Encoded, depth: u32) {
        // Arguments have the names of their parameters around them.
        let values = inner.frames.args_layout(encoded.layout);
        if values != encoded.layout {
            self.row(inner, encoded.layout.0);
        }
        self.bytes(inner, values, &encoded.bytes, depth);
    }

    fn bytes(&mut self, inner: &Inner, layout: LayoutId, bytes: &[u8], depth: u32) {
        self.row(inner, layout.0);
        if let Ok(value) = inner.frames.view(&inner.codec, layout, bytes) {
            self.value(inner, &value, depth);
        }
    }

    fn row(&mut self, inner: &Inner, id: u64) {
        if id == LayoutId::NAMED.0 || self.rows.contains_key(&id) {
            return;
        }
        if let Ok(Some(row)) = inner.ask(|store| store.layout(id)) {
            self.rows.insert(id, row);
        }
    }
}
