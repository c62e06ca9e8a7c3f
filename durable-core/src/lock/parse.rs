//! Reading a layout file, whatever it is.

use super::{
    LockError,
    content::{Awaits, Block, Content, Kind, Point},
    file::HEAD,
};
use crate::{
    codec::described::{Described, name as read_name},
    evolve::PointId,
    frame::witnesses::Callee,
};

/// A longer file is none.
const MOST_LINES: usize = 1_000_000;

/// Splits a file into its blocks.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, LockError> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut begun = false;
    for (at, line) in text.lines().enumerate().take(MOST_LINES) {
        let (number, line) = (at + 1, line.trim_end());
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| line.starts_with(marker)) {
            return Err(LockError::Conflict { line: number });
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !begun {
            if line != HEAD {
                return Err(LockError::Version { found: line.chars().take(80).collect() });
            }
            begun = true;
            continue;
        }
        if line.starts_with(' ') {
            let Some(block) = blocks.last_mut() else {
                return Err(wrong(number, "it belongs to no workflow or activity".into()));
            };
            block.lines.push(line.to_owned());
            continue;
        }
        let (kind, name) = line.split_once(' ').unwrap_or((line, ""));
        let kind = Kind::of(kind)
            .ok_or_else(|| wrong(number, format!("`{kind}` is no kind of thing that a program has")))?;
        let name = unplain(name).map_err(|message| wrong(number, message))?;
        blocks.push(Block { kind, name, line: number, lines: Vec::new() });
    }
    if begun { Ok(blocks) } else { Err(LockError::Version { found: String::new() }) }
}

fn wrong(line: usize, message: String) -> LockError {
    LockError::Line { line, message }
}

/// See [`plain`](super::content::plain).
fn unplain(text: &str) -> Result<String, String> {
    match text.strip_prefix('\\') {
        Some(quoted) => serde_json::from_str(quoted).map_err(|_| format!("`{quoted}` is no text in quotes")),
        None => Ok(text.to_owned()),
    }
}

/// Reads what stands in a block.
pub(super) fn content(block: &Block) -> Result<Content, LockError> {
    let mut content = Content::default();
    let mut lines = block.lines.iter().map(|line| dedent(line)).enumerate().peekable();
    while let Some((at, (depth, line))) = lines.next() {
        // Blank lines and comments in a block shift this a little; it is for people.
        let number = block.line + at + 1;
        let fail = |message| wrong(number, message);
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (depth, word) {
            (1, "argument") => content.arguments.push(variable(rest).map_err(fail)?),
            (1, "result") => content.result = Some(Described::parse(rest).map_err(fail)?),
            (1, "content") => content.message = Some(Described::parse(rest).map_err(fail)?),
            (1, "reply") => content.reply = Some(Described::parse(rest).map_err(fail)?),
            (1, "type") => {
                let mut parts = Vec::new();
                while let Some((_, (_, part))) = lines.next_if(|(_, (depth, _))| *depth > 1) {
                    parts.push(part);
                }
                content.types.parse(rest, &parts).map_err(fail)?;
            }
            (1, "point") => {
                let callee = unplain(rest).map_err(fail)?;
                content.points.push(point(callee));
            }
            (2, _) if !content.points.is_empty() => {
                let point = content.points.last_mut().ok_or_else(|| fail("it belongs to no point".into()))?;
                property(point, word, rest).map_err(fail)?;
            }
            _ => return Err(fail(format!("`{word}` is not expected here"))),
        }
    }
    Ok(content)
}

/// How deep a line is indented, by four spaces each.
fn dedent(line: &str) -> (usize, &str) {
    let rest = line.trim_start_matches(' ');
    ((line.len() - rest.len()).div_ceil(4), rest)
}

fn point(callee: String) -> Point {
    let id = PointId { name: None, callee, path: String::new(), binding: String::new(), args: String::new() };
    Point { id, place: String::new(), awaits: None, variables: Vec::new() }
}

fn property(point: &mut Point, word: &str, rest: &str) -> Result<(), String> {
    let nobody = || Awaits {
        calls: Vec::new(),
        state: Described::Opaque { type_name: String::new(), why: String::new() },
    };
    match word {
        "at" => point.place = unplain(rest)?,
        "name" => point.id.name = Some(unplain(rest)?),
        "in" => point.id.path = unplain(rest)?,
        "binding" => point.id.binding = unplain(rest)?,
        "arguments" => point.id.args = unplain(rest)?,
        "calls" => {
            let text = unplain(rest)?;
            let call = match text.split_once(' ') {
                Some(("activity", name)) => Callee::Activity(name.to_owned()),
                Some(("workflow", name)) => Callee::Workflow(name.to_owned()),
                _ => return Err(format!("`{text}` is neither a workflow nor an activity")),
            };
            point.awaits.get_or_insert_with(nobody).calls.push(call);
        }
        "awaits" => point.awaits.get_or_insert_with(nobody).state = Described::parse(rest)?,
        "variable" => point.variables.push(variable(rest)?),
        _ => return Err(format!("`{word}` is nothing that a point has")),
    }
    Ok(())
}

fn variable(text: &str) -> Result<(String, Described), String> {
    let (name, rest) = read_name(text)?;
    let rest = rest.strip_prefix(':').ok_or_else(|| format!("expected `:` behind `{name}`"))?;
    Ok((name, Described::parse(rest)?))
}
