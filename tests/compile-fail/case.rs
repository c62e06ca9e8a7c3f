//! A program with one mistake, and whether rustc says to it what the program states.

use crate::expected::{self, Expected, MARK};
use crate::printed::Diagnostic;
use std::{fs, path::Path};

/// What no user ever wrote, and none should have to read.
const INTERNAL: &[&str] = &[
    "__durable",
    "__private",
    "__p::",
    "durable_core::private",
    "__Durable",
    "DurableActivity",
    "__future",
    "__temp",
    "__borrowed",
    "__self",
];

/// A case as it stands in its file.
pub(crate) struct Case {
    name: String,
    text: String,
}

impl Case {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("the case is readable");
        Self { name: path.file_name().expect("it has a name").to_string_lossy().into_owned(), text }
    }

    /// Everything that differs between what is stated and what was printed.
    pub(crate) fn complaints(&self, printed: &[Diagnostic]) -> Vec<String> {
        let source: Vec<&str> = self.text.lines().collect();
        let stated = expected::read(&source);
        let mut complaints = Vec::new();
        if stated.is_empty() {
            complaints.push("it states no error".to_owned());
        }
        if printed.is_empty() {
            complaints.push("it compiles".to_owned());
        }
        for diagnostic in printed {
            complaints.extend(self.foreign(diagnostic));
        }
        let mut printed: Vec<(&Diagnostic, Expected)> = printed
            .iter()
            .filter_map(|diagnostic| Some((diagnostic, Expected::of(diagnostic, &source)?)))
            .collect();
        printed.sort_by_key(|(diagnostic, _)| diagnostic.span.as_ref().map(|span| (span.line, span.column)));
        for (stated, (diagnostic, found)) in stated.iter().zip(&printed) {
            complaints.extend(differences(stated, found, diagnostic));
        }
        for missing in stated.iter().skip(printed.len()) {
            complaints.push(format!("not reported: {}", missing.message));
        }
        for (more, _) in printed.iter().skip(stated.len()) {
            complaints.push(format!("one more {}:\n{}", more.kind(), more.rendered));
        }
        complaints.into_iter().map(|complaint| format!("{}: {complaint}", self.name)).collect()
    }

    /// What points, or speaks, of something that is not the user's.
    fn foreign(&self, diagnostic: &Diagnostic) -> Vec<String> {
        let mut complaints = Vec::new();
        match &diagnostic.span {
            Some(span) if Path::new(&span.file).file_name().is_some_and(|name| *name == *self.name) => {}
            Some(span) => complaints.push(format!("points into {}: {}", span.file, diagnostic.message)),
            None => complaints.push(format!("points nowhere: {}", diagnostic.message)),
        }
        for text in &diagnostic.texts {
            for name in INTERNAL.iter().filter(|name| text.contains(**name)) {
                complaints.push(format!("speaks of `{name}`: {text}"));
            }
        }
        complaints
    }

    /// The case with what was printed in place of what it states. Notes that are stated and still there stay.
    pub(crate) fn blessed(&self, printed: &[Diagnostic]) -> String {
        let source: Vec<&str> = self.text.lines().collect();
        let stated = expected::read(&source);
        let mut found: Vec<Expected> = Vec::new();
        let mut sorted: Vec<&Diagnostic> =
            printed.iter().filter(|diagnostic| diagnostic.span.is_some()).collect();
        sorted.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| (span.line, span.column)));
        for (index, diagnostic) in sorted.into_iter().enumerate() {
            let Some(mut expected) = Expected::of(diagnostic, &source) else { continue };
            for note in stated.get(index).map(|stated| &stated.notes[..]).unwrap_or_default() {
                if has_note(diagnostic, note) && !expected.notes.contains(note) {
                    expected.notes.insert(0, note.clone());
                }
            }
            found.push(expected);
        }
        let mut lines: Vec<String> = Vec::new();
        for (at, line) in source.iter().enumerate() {
            if line.trim_start().starts_with(MARK) {
                continue;
            }
            lines.push((*line).to_owned());
            let indent = &line[..line.len() - line.trim_start().len()];
            for expected in found.iter().filter(|expected| expected.line == at + 1) {
                lines.extend(expected.written(indent));
            }
        }
        lines.join("\n") + "\n"
    }
}

fn differences(stated: &Expected, found: &Expected, diagnostic: &Diagnostic) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut compare = |what: &str, stated: &str, found: &str| {
        if stated != found {
            complaints.push(format!("{what}\n  stated:  {stated}\n  printed: {found}"));
        }
    };
    compare("the kind", &stated.kind, &found.kind);
    compare("the line", &stated.line.to_string(), &found.line.to_string());
    compare("the tokens", &stated.at, &found.at);
    compare("the column", &stated.occurrence.to_string(), &found.occurrence.to_string());
    compare("the message", &stated.message, &found.message);
    for note in &stated.notes {
        if !has_note(diagnostic, note) {
            complaints.push(format!("no such note: {note}\n{}", diagnostic.rendered));
        }
    }
    if !diagnostic.is_rustcs() && !stated.notes.iter().any(|note| note.starts_with("see docs/errors/")) {
        complaints.push(format!("it names no page: {}", diagnostic.message));
    }
    complaints
}

fn has_note(diagnostic: &Diagnostic, stated: &str) -> bool {
    diagnostic
        .notes
        .iter()
        .any(|note| note == stated || (stated.starts_with("see ") && note.ends_with(stated)))
}
