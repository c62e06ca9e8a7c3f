//! What the compiler says about a workflow: constant data, emitted beside the machine.
//!
//! The table of resume points is one text in the program, taken apart when it is first asked for. As an array of structures it was
//! a tenth of what rustc takes for a small workflow: it checks, lowers and evaluates an array item by item.

use crate::frame::Migration;
use std::{ops::Deref, sync::OnceLock};

/// A compiled workflow.
#[derive(Debug)]
pub struct WorkflowMeta {
    /// The stored name.
    pub name: &'static str,
    /// The names that it was stored under before.
    pub was: &'static [&'static str],
    /// The stored parameters: the name of each, and the names that it had before.
    pub args: &'static [&'static [&'static str]],
    /// Module path and function name.
    pub function: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line of the function's name.
    pub line: u32,
    /// How long an instance may take that is started without a deadline of its own, in milliseconds from its start.
    pub deadline_ms: Option<u64>,
    /// Makes a snapshot of another build one that this build resumes.
    pub migrate: Option<&'static dyn Migration>,
    /// What can come first: resume points by number; 0 is the end.
    pub first: &'static [u32],
    /// The resume points in source order: `points[0]` is resume point 1.
    pub points: &'static Points,
}

/// A place at which a workflow can stand still.
#[derive(Debug)]
pub struct PointMeta {
    /// The user's `#[resume("..")]`.
    pub name: Option<&'static str>,
    /// What an older build called it in a message, `charge#2`.
    pub was: Option<&'static str>,
    /// Variables with the names that older snapshots have for them.
    pub renamed: &'static [(&'static str, &'static str)],
    /// What is awaited.
    pub callee: &'static str,
    /// The enclosing loops, branches and blocks.
    pub path: &'static str,
    /// The binding that the awaited value initialises, or nothing.
    pub binding: &'static str,
    /// The tokens of the call's arguments.
    pub args: &'static str,
    /// Source line.
    pub line: u32,
    /// Source column.
    pub column: u32,
    /// The names of what is saved here, in the order in which it is saved, with a NUL between them: see [`vars`](Self::vars).
    pub vars: &'static str,
    /// The number of each one's witness, in two bytes, the low one first.
    pub witnesses: &'static [u8],
    /// What can come next: resume points by number; 0 is the end.
    pub next: &'static [u8],
}

/// The resume points of a workflow in source order.
///
/// In the text each has a line, with tabs between: what is awaited, the path to it, the binding, the arguments; line, column; the names of what is saved
/// with a NUL between them, their witnesses, what is next; and more fields that begin with a letter, if it has a name (`n`), had another (`w`), or has
/// variables that did (`r`, a pair with a NUL between). Tabs and ends of lines in a field, which only a literal of the user's can hold, stand behind
/// U+0001 as `t` and `n`, and itself as `1`.
#[derive(Debug)]
pub struct Points {
    text: &'static str,
    points: OnceLock<Box<[PointMeta]>>,
}

impl Points {
    /// The points that a text describes.
    pub const fn new(text: &'static str) -> Self {
        Self { text, points: OnceLock::new() }
    }
}

impl Deref for Points {
    type Target = [PointMeta];

    fn deref(&self) -> &[PointMeta] {
        self.points.get_or_init(|| self.text.split_terminator('\n').map(PointMeta::read).collect())
    }
}

/// A field as the compiler wrote it; kept for as long as the program runs, like the text.
fn unescaped(field: &'static str) -> &'static str {
    if !field.contains('\u{1}') {
        return field;
    }
    let mut text = String::new();
    let mut chars = field.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '\u{1}' => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                _ => char,
            },
            char => char,
        });
    }
    text.leak()
}

/// Numbers with spaces between them, as bytes that are kept for as long as the program runs.
fn numbers<const BYTES: usize>(field: &str, bytes: impl Fn(u16) -> [u8; BYTES]) -> &'static [u8] {
    let numbers = field.split_terminator(' ').filter_map(|number| number.parse().ok());
    Vec::leak(numbers.flat_map(bytes).collect())
}

impl PointMeta {
    /// The names of what is saved here, in the order in which it is saved.
    pub fn vars(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.vars.split('\0').filter(|name| !name.is_empty())
    }

    fn read(line: &'static str) -> Self {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        let [callee, path, binding, args] = std::array::from_fn(|_| unescaped(next()));
        let mut point = Self {
            name: None,
            was: None,
            renamed: &[],
            callee,
            path,
            binding,
            args,
            line: next().parse().unwrap_or_default(),
            column: next().parse().unwrap_or_default(),
            vars: next(),
            witnesses: numbers(next(), u16::to_le_bytes),
            next: numbers(next(), |number| [number as u8]),
        };
        let mut renamed = Vec::new();
        for field in fields {
            match field.split_at_checked(1) {
                Some(("n", name)) => point.name = Some(unescaped(name)),
                Some(("w", was)) => point.was = Some(unescaped(was)),
                Some(("r", pair)) => renamed.extend(pair.split_once('\0')),
                _ => {}
            }
        }
        point.renamed = renamed.leak();
        point
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let points = Points::new(
            "act\tfor/if.then\tx\t\"a\u{1}t\u{1}1\" , 1\t12\t7\tid\0x\t0 300\t2 0\nsleep\t\t\t1h\t3\t4\t\t\t0\tnlater\twcharge#2\trx\0y",
        );
        let [one, two] = &*points else { panic!("two points: {points:?}") };
        assert_eq!([one.callee, one.path, one.binding], ["act", "for/if.then", "x"]);
        assert_eq!((one.args, one.line, one.column), ("\"a\t\u{1}\" , 1", 12, 7));
        assert_eq!(one.vars().collect::<Vec<_>>(), ["id", "x"]);
        assert_eq!((one.witnesses, one.next), (&[0, 0, 44, 1][..], &[2, 0][..]));
        assert_eq!((one.name, one.was, one.renamed), (None, None, &[][..]));
        assert_eq!((two.args, two.vars().count(), two.witnesses.len()), ("1h", 0, 0));
        assert_eq!((two.name, two.was, two.renamed), (Some("later"), Some("charge#2"), &[("x", "y")][..]));
    }
}
