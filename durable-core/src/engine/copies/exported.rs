//! An exported instance as JSON: what people read of it, and beside that its exact state.
//!
//! What people read is made of the exact state and never read back: an edit in it would come to nothing, so it is refused, by name.
//!
//! Invariant: whatever the text, reading it ends in a value or an error. The exact state has no recursion that is not bounded.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use xxhash_rust::xxh3::xxh3_64;

use super::Portable;
use crate::context::bounded_depth;

/// The longest text of an export, in bytes.
pub const MAX_EXPORT_BYTES: usize = 256 << 20;

/// What it says it is.
const FORMAT: &str = "durable-instance";
/// The version of the JSON and of the exact state in it.
pub(super) const VERSION: u64 = 1;
/// Where the exact state stands.
const EXACT: &str = "exact";
/// Deeper values are shown by their JSON text: readers of JSON have a limit of their own.
const MOST_LEVELS: usize = 100;

/// An instance as JSON, from [`export`](crate::WorkflowHandle::export): to be written to a file (`Display`), looked at
/// ([`to_json`](Exported::to_json)), and imported again. A text or a JSON value from elsewhere becomes one by `into()`; whether it is an export shows
/// when it is imported.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported(pub(super) Result<Json, String>);

impl Exported {
    /// The JSON: `format`, `version`, `id`, `workflow`, `status`, `step`, `waits_on`, the `frames` with their `locals`, `activities`, `tags`,
    /// `published` values, `history` and more to be read, and `exact`, which is what is imported. Null if it was made of a text that is no JSON.
    pub fn to_json(&self) -> Json {
        self.0.clone().unwrap_or_default()
    }

    /// When it was exported, if it says so.
    pub(crate) fn exported_ms(&self) -> Option<u64> {
        self.0.as_ref().ok()?.get(EXACT)?.get("exported_ms")?.as_u64()
    }
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(json) => write!(f, "{json:#}"),
            Err(reason) => f.write_str(reason),
        }
    }
}

impl From<Json> for Exported {
    fn from(json: Json) -> Self {
        Exported(Ok(json))
    }
}

impl From<&str> for Exported {
    fn from(text: &str) -> Self {
        if text.len() > MAX_EXPORT_BYTES {
            return Exported(Err(format!(
                "it has {} bytes, and an export has up to {MAX_EXPORT_BYTES}",
                text.len()
            )));
        }
        Exported(serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}")))
    }
}

impl From<String> for Exported {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&Exported> for Exported {
    fn from(exported: &Exported) -> Self {
        exported.clone()
    }
}

/// Why a JSON is not imported.
pub(super) enum Unread {
    NotAnExport(String),
    Newer(u64),
}

/// What an export holds beside what people read.
#[derive(Debug)]
pub(super) struct Exact {
    pub(super) portable: Portable,
    pub(super) layouts: Vec<(u64, Vec<u8>)>,
    /// What the build that took the snapshot was made of, to name its lines.
    pub(super) program: Option<Vec<u8>>,
    /// Of what people read, as it was exported.
    pub(super) readable: u64,
    pub(super) exported_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct ExactJson {
    instance: String,
    layouts: BTreeMap<String, String>,
    program: Option<String>,
    readable: String,
    exported_ms: u64,
    checksum: String,
}

impl ExactJson {
    /// Of all the rest.
    fn sum(&self) -> String {
        let ExactJson { instance, layouts, program, readable, exported_ms, .. } = self;
        let all = format!("{instance} {layouts:?} {program:?} {readable} {exported_ms}");
        format!("{:016x}", xxh3_64(all.as_bytes()))
    }
}

/// Puts the two parts together.
pub(super) fn write(readable: Map<String, Json>, exact: &Exact) -> Result<Exported, serde_json::Error> {
    let mut json = Map::new();
    json.insert("format".into(), FORMAT.into());
    json.insert("version".into(), VERSION.into());
    json.extend(readable);
    let instance = postcard::to_stdvec(&exact.portable).expect("the engine's own records always encode");
    let mut parts = ExactJson {
        instance: to_hex(&instance),
        layouts: exact.layouts.iter().map(|(id, row)| (format!("{id:016x}"), to_hex(row))).collect(),
        program: exact.program.as_deref().map(to_hex),
        readable: format!("{:016x}", hash(&json)),
        exported_ms: exact.exported_ms,
        checksum: String::new(),
    };
    parts.checksum = parts.sum();
    json.insert(EXACT.into(), serde_json::to_value(parts)?);
    Ok(Exported(Ok(Json::Object(json))))
}

/// Takes the two parts apart: what people read, and the exact state.
pub(super) fn read(json: Json) -> Result<(Map<String, Json>, Exact), Unread> {
    let bad = |reason: &str| Unread::NotAnExport(reason.to_owned());
    let Json::Object(mut json) = json else { return Err(bad("it is not a JSON object")) };
    if json.get("format") != Some(&json!(FORMAT)) {
        return Err(bad("its `format` is not `durable-instance`"));
    }
    match json.get("version").and_then(Json::as_u64) {
        Some(VERSION) => {}
        Some(newer) if newer > VERSION => return Err(Unread::Newer(newer)),
        _ => return Err(bad("its `version` is missing or is none that was ever written")),
    }
    let exact = json.remove(EXACT).ok_or_else(|| bad("it has no `exact`"))?;
    let parts: ExactJson = serde_json::from_value(exact)
        .map_err(|error| Unread::NotAnExport(format!("its `exact` can't be read: {error}")))?;
    if parts.sum() != parts.checksum {
        return Err(bad("its `exact` was changed: the checksum is of something else"));
    }
    let hex = |text: &str| from_hex(text).ok_or_else(|| bad("its `exact` holds what is not hexadecimal"));
    let number = |text: &str| {
        u64::from_str_radix(text, 16).map_err(|_| bad("its `exact` names a layout that is none"))
    };
    let mut layouts = Vec::with_capacity(parts.layouts.len());
    for (id, row) in &parts.layouts {
        layouts.push((number(id)?, hex(row)?));
    }
    let instance = hex(&parts.instance)?;
    let portable = bounded_depth(|| postcard::from_bytes(&instance))
        .map_err(|error| Unread::NotAnExport(format!("its exact state can't be read: {error}")))?;
    let program = parts.program.as_deref().map(hex).transpose()?;
    let readable = number(&parts.readable)?;
    Ok((json, Exact { portable, layouts, program, readable, exported_ms: parts.exported_ms }))
}

/// Of what people read. An object's members are in order of their names.
pub(super) fn hash(readable: &Map<String, Json>) -> u64 {
    xxh3_64(sorted(&Json::Object(readable.clone())).to_string().as_bytes())
}

/// Whatever order the members of objects are kept in.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let by_name: BTreeMap<_, _> = members.iter().collect();
            Json::Object(by_name.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Json::Array(parts) => Json::Array(parts.iter().map(sorted).collect()),
        leaf => leaf.clone(),
    }
}

/// The first place where two differ, as a person would name it: `frames[0].locals.total`.
pub(super) fn difference(given: &Json, made: &Json) -> Option<String> {
    match (given, made) {
        (Json::Object(given), Json::Object(made)) => {
            let names: std::collections::BTreeSet<_> = given.keys().chain(made.keys()).collect();
            names
                .into_iter()
                .find_map(|name| {
                    let below = difference(given.get(name)?, made.get(name)?);
                    below.map(|below| join(name, &below))
                })
                .or_else(|| given.keys().find(|name| !made.contains_key(*name)).cloned())
                .or_else(|| made.keys().find(|name| !given.contains_key(*name)).cloned())
        }
        (Json::Array(given), Json::Array(made)) => {
            let mut both = given.iter().zip(made).enumerate();
            both.find_map(|(at, (given, made))| Some(join(&format!("[{at}]"), &difference(given, made)?)))
                .or_else(|| (given.len() != made.len()).then(|| format!("[{}]", given.len().min(made.len()))))
        }
        // Readers of JSON may be off in the last digit.
        (Json::Number(given), Json::Number(made)) if given.is_f64() && made.is_f64() => {
            let (given, made) = (given.as_f64()?, made.as_f64()?);
            ((given - made).abs() > made.abs() * 1e-14).then(String::new)
        }
        (given, made) => (given != made).then(String::new),
    }
}

fn join(name: &str, below: &str) -> String {
    match below.chars().next() {
        None => name.to_owned(),
        Some('[') => format!("{name}{below}"),
        Some(_) => format!("{name}.{below}"),
    }
}

/// What is nested deeper than readers of JSON go is text.
pub(super) fn shallow(json: Json, levels: usize) -> Json {
    match json {
        nested @ (Json::Array(_) | Json::Object(_)) if levels >= MOST_LEVELS => {
            Json::String(nested.to_string())
        }
        Json::Array(parts) => Json::Array(parts.into_iter().map(|part| shallow(part, levels + 1)).collect()),
        Json::Object(members) => {
            Json::Object(members.into_iter().map(|(name, part)| (name, shallow(part, levels + 1))).collect())
        }
        leaf => leaf,
    }
}

/// With other bytes for the instance, and the checksum that these have.
#[cfg(test)]
pub(super) fn tamper(mut json: Json, change: impl FnOnce(&mut Vec<u8>)) -> Exported {
    let mut parts: ExactJson = serde_json::from_value(json[EXACT].clone()).expect("it is one");
    let mut instance = from_hex(&parts.instance).expect("it is one");
    change(&mut instance);
    parts.instance = to_hex(&instance);
    parts.checksum = parts.sum();
    json[EXACT] = serde_json::to_value(parts).expect("texts");
    Exported(Ok(json))
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digits =
        bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    digits.map(char::from).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_comes_back_and_nothing_else_is_taken() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&to_hex(&bytes)), Some(bytes));
        for bad in ["0", "0g", "zz", "0 ", "é"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_place_that_differs_is_named() {
        let json = |total: u32, items: &[u32]| json!({ "frames": [{ "locals": { "total": total, "items": items } }], "id": 1 });
        let of = |given: &Json| difference(given, &json(5, &[1, 2]));
        assert_eq!(of(&json(5, &[1, 2])), None);
        assert_eq!(of(&json(6, &[1, 2])), Some("frames[0].locals.total".into()));
        assert_eq!(of(&json(5, &[1, 3])), Some("frames[0].locals.items[1]".into()));
        assert_eq!(of(&json(5, &[1])), Some("frames[0].locals.items[1]".into()));
        assert_eq!(of(&json!({ "frames": json(5, &[1, 2])["frames"] })), Some("id".into()));
        assert_eq!(difference(&json!(0.1), &json!(0.100_000_000_000_000_02)), None);
        assert_eq!(difference(&json!(0.1), &json!(0.11)), Some(String::new()));
    }
}
