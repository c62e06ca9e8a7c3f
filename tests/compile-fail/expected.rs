//! What a case states, in comments below the line that holds the mistake.

use crate::printed::Diagnostic;

/// The mark of a statement.
pub(crate) const MARK: &str = "//~";

/// A stated error or warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The line of the source above the statement.
    pub(crate) line: usize,
    /// `error`, `error[E0277]`, `warning`.
    pub(crate) kind: String,
    /// The text that the primary span covers.
    pub(crate) at: String,
    /// Which occurrence of that text in the line, if it occurs more than once.
    pub(crate) occurrence: usize,
    /// The message; empty if its words are rustc's.
    pub(crate) message: String,
    /// Notes that must be there.
    pub(crate) notes: Vec<String>,
}

/// The statements of a source.
pub(crate) fn read(source: &[&str]) -> Vec<Expected> {
    let mut found: Vec<Expected> = Vec::new();
    let mut above = 0;
    for (at, line) in source.iter().enumerate() {
        let Some(stated) = line.trim_start().strip_prefix(MARK) else {
            above = at + 1;
            continue;
        };
        let stated = stated.trim();
        match head(stated, above) {
            Some(expected) => found.push(expected),
            None => match found.last_mut() {
                Some(last) => last.notes.push(stated.to_owned()),
                None => panic!("line {}: a note without an error: {stated}", at + 1),
            },
        }
    }
    found
}

/// `error[CODE] at `text` (2): message`
fn head(stated: &str, line: usize) -> Option<Expected> {
    let (kind, rest) = stated.split_once(" at `")?;
    if !(kind.starts_with("error") || kind.starts_with("warning")) {
        return None;
    }
    let (at, rest) = rest.split_once('`')?;
    let (occurrence, rest) = match rest.strip_prefix(" (") {
        Some(rest) => {
            let (number, rest) = rest.split_once(')')?;
            (number.parse().ok()?, rest)
        }
        None => (1, rest),
    };
    let message = rest.strip_prefix(": ").unwrap_or_default().to_owned();
    Some(Expected { line, kind: kind.to_owned(), at: at.to_owned(), occurrence, message, notes: Vec::new() })
}

impl Expected {
    /// The statement that a diagnostic would satisfy.
    pub(crate) fn of(diagnostic: &Diagnostic, source: &[&str]) -> Option<Self> {
        let span = diagnostic.span.as_ref()?;
        let (message, mut notes) = if diagnostic.is_rustcs() {
            (String::new(), Vec::new())
        } else {
            let ours = |note: &&String| note.starts_with("help: ") && diagnostic.code.is_none();
            (diagnostic.message.clone(), diagnostic.notes.iter().filter(ours).cloned().collect())
        };
        let page =
            diagnostic.notes.iter().find_map(|note| note.find("see docs/errors/").map(|at| &note[at..]));
        notes.extend(page.map(str::to_owned));
        let at = span.covered(source);
        let line = source.get(span.line - 1)?;
        let before: String = line.chars().take(span.column - 1).collect();
        let occurrence = before.matches(at.as_str()).count() + 1;
        Some(Self { line: span.line, kind: diagnostic.kind(), at, occurrence, message, notes })
    }

    /// As it is written in a case.
    pub(crate) fn written(&self, indent: &str) -> Vec<String> {
        let occurrence = if self.occurrence > 1 { format!(" ({})", self.occurrence) } else { String::new() };
        let message = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        let mut lines = vec![format!("{indent}{MARK} {} at `{}`{occurrence}{message}", self.kind, self.at)];
        lines.extend(self.notes.iter().map(|note| format!("{indent}{MARK} {note}")));
        lines
    }
}
