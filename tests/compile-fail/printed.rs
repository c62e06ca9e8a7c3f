//! What rustc prints, read from its JSON.

use serde_json::Value;
use std::path::Path;

/// An error or a warning.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostic {
    pub(crate) level: String,
    pub(crate) code: Option<String>,
    /// The first line of the message.
    pub(crate) message: String,
    /// The notes and helps, of rustc's or in the message's further lines, as `note: text`.
    pub(crate) notes: Vec<String>,
    pub(crate) span: Option<Span>,
    /// Every text in it that a user reads, without the code around it.
    pub(crate) texts: Vec<String>,
    pub(crate) rendered: String,
}

/// A primary span; lines and columns count from 1.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) end_line: usize,
    pub(crate) end_column: usize,
}

impl Diagnostic {
    /// Reads a line about a program; `None` for rustc's summary.
    pub(crate) fn read(line: &str, program: &Path) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let level = text(&value["level"]);
        let whole = text(&value["message"]);
        if level == "failure-note" || whole.starts_with("aborting due to") || whole.ends_with("emitted") {
            return None;
        }
        let mut lines = whole.lines().map(str::trim);
        let message = lines.next().unwrap_or_default().to_owned();
        let mut notes: Vec<String> = lines
            .filter(|line| !line.is_empty())
            .map(|line| line.trim_start_matches("= ").to_owned())
            .collect();
        let mut texts = vec![whole.clone()];
        texts.extend(labels(&value));
        for child in list(&value["children"]) {
            notes.push(format!("{}: {}", text(&child["level"]), text(&child["message"])));
            texts.push(text(&child["message"]));
            texts.extend(labels(child));
        }
        let mut primary = list(&value["spans"]).filter(|span| span["is_primary"] == true);
        let span = primary.next().map(|span| Span::read(shown(span, program)));
        let code = value["code"]["code"].as_str().map(str::to_owned);
        Some(Self { level, code, message, notes, span, texts, rendered: text(&value["rendered"]) })
    }

    /// Whether the words are rustc's own.
    pub(crate) fn is_rustcs(&self) -> bool {
        self.code.is_some() && self.page().is_none()
    }

    /// `see docs/errors/PAGE.md`, wherever it says so.
    pub(crate) fn page(&self) -> Option<&str> {
        let named = self.texts.iter().find_map(|text| Some(&text[text.find("see docs/errors/")?..]))?;
        named.find(".md").map(|end| &named[..end + 3])
    }

    /// `error`, `error[E0277]`.
    pub(crate) fn kind(&self) -> String {
        self.code.as_ref().map_or_else(|| self.level.clone(), |code| format!("{}[{code}]", self.level))
    }
}

impl Span {
    fn read(span: &Value) -> Self {
        let number =
            |name: &str| span[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
        Self {
            file: text(&span["file_name"]),
            line: number("line_start"),
            column: number("column_start"),
            end_line: number("line_end"),
            end_column: number("column_end"),
        }
    }

    /// The source that it covers, on one line.
    pub(crate) fn covered(&self, source: &[&str]) -> String {
        let mut covered = Vec::new();
        for line in self.line..=self.end_line {
            let chars = source.get(line - 1).map(|line| line.chars().collect::<Vec<_>>()).unwrap_or_default();
            let from = if line == self.line { self.column - 1 } else { 0 };
            let to = if line == self.end_line { self.end_column - 1 } else { chars.len() };
            let part: String = chars.get(from..to).map(|part| part.iter().collect()).unwrap_or_default();
            if !part.trim_start().starts_with("//~") {
                covered.push(part);
            }
        }
        covered.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The span that a user is shown: of code that a macro of another crate made (`vec![..]`), the call of the macro.
fn shown<'v>(span: &'v Value, program: &Path) -> &'v Value {
    let mut at = span;
    while Path::new(&text(&at["file_name"])) != program {
        match &at["expansion"]["span"] {
            Value::Null => return span,
            call => at = call,
        }
    }
    at
}

fn labels(value: &Value) -> Vec<String> {
    list(&value["spans"]).map(|span| text(&span["label"])).filter(|label| !label.is_empty()).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
