//! The blocks of a layout file: one for each version of a workflow, an activity or a message, complete in itself.

use std::fmt;

use super::LockError;
use crate::{
    codec::described::{Described, Types, quoted},
    evolve::PointId,
    frame::witnesses::Callee,
};

/// What a block is about. In the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Activity,
    Signal,
    Update,
    Published,
    Workflow,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Activity => "activity",
            Kind::Signal => "signal",
            Kind::Update => "update",
            Kind::Published => "published",
            Kind::Workflow => "workflow",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        let all = [Kind::Activity, Kind::Signal, Kind::Update, Kind::Published, Kind::Workflow];
        all.into_iter().find(|kind| kind.word() == word)
    }
}

/// A version of something, as its lines.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// Where it begins in its file, from 1.
    pub(super) line: usize,
    /// Without the first one, with what they are indented by.
    pub(super) lines: Vec<String>,
}

/// A block that was read.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The names and types of the parameters; or of all at once if they can't be told apart.
    pub(super) arguments: Vec<(String, Described)>,
    pub(super) result: Option<Described>,
    /// What a message holds.
    pub(super) message: Option<Described>,
    /// What an update is answered with.
    pub(super) reply: Option<Described>,
    pub(super) points: Vec<Point>,
    pub(super) types: Types,
}

/// A resume point.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) id: PointId,
    /// File and line, for people.
    pub(super) place: String,
    pub(super) awaits: Option<Awaits>,
    pub(super) variables: Vec<(String, Described)>,
}

/// What is awaited at a resume point.
#[derive(Debug)]
pub(super) struct Awaits {
    pub(super) calls: Vec<Callee>,
    pub(super) state: Described,
}

impl Block {
    /// Whether both say the same, but for lines of source.
    pub(super) fn is(&self, other: &Block) -> bool {
        self.sort_key() == other.sort_key() && self.says().eq(other.says())
    }

    /// What counts.
    fn says(&self) -> impl Iterator<Item = &String> {
        // A variant may be called `at`.
        let mut in_point = false;
        self.lines.iter().filter(move |line| {
            if !line.starts_with("        ") {
                in_point = line.starts_with("    point ");
            }
            !(in_point && line.starts_with("        at "))
        })
    }

    pub(super) fn sort_key(&self) -> (Kind, &str) {
        (self.kind, &self.name)
    }

    pub(super) fn title(&self) -> String {
        format!("{} `{}`", self.kind.word(), self.name)
    }

    pub(super) fn parse(&self) -> Result<Content, LockError> {
        super::parse::content(self)
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.kind.word(), plain(&self.name))?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A text to the end of its line; in quotes behind a backslash if it can't stand there as it is.
pub(super) fn plain(text: &str) -> String {
    let can = !text.contains(char::is_control)
        && !text.starts_with('\\')
        && text.trim() == text
        && !text.is_empty();
    if can { text.to_owned() } else { format!("\\{}", quoted(text)) }
}

impl Content {
    /// As lines; types at the end.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for (name, described) in &self.arguments {
            lines.push(format!("    argument {name}: {described}"));
        }
        lines.extend(self.result.iter().map(|result| format!("    result {result}")));
        lines.extend(self.message.iter().map(|content| format!("    content {content}")));
        lines.extend(self.reply.iter().map(|reply| format!("    reply {reply}")));
        for Point { id, place, awaits, variables } in &self.points {
            lines.push(format!("    point {}", plain(&id.callee)));
            let mut add = |what: &str, text: &str| {
                if !text.is_empty() {
                    lines.push(format!("        {what} {}", plain(text)));
                }
            };
            add("at", place);
            add("name", id.name.as_deref().unwrap_or_default());
            add("in", &id.path);
            add("binding", &id.binding);
            add("arguments", &id.args);
            if let Some(Awaits { calls, state }) = awaits {
                for call in calls {
                    match call {
                        Callee::Activity(name) => add("calls", &format!("activity {name}")),
                        Callee::Workflow(name) => add("calls", &format!("workflow {name}")),
                    }
                }
                lines.push(format!("        awaits {state}"));
            }
            for (name, described) in variables {
                lines.push(format!("        variable {}: {described}", plain_name(name)));
            }
        }
        lines.extend(self.types.lines().into_iter().map(|line| format!("    {line}")));
        lines
    }
}

/// A variable's name; that of a loop's state has spaces in it.
fn plain_name(name: &str) -> String {
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '#');
    if is_word { name.to_owned() } else { quoted(name) }
}
