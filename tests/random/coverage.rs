//! Which constructs the programs of a run were made of.

use std::{collections::BTreeMap, fmt};

use crate::tree::{Program, Twin};

/// A construct, and a text by which it is known.
const CONSTRUCTS: &[(&str, &str)] = &[
    ("await", ".await"),
    ("if let", "if let "),
    ("let chain", "&& let "),
    ("let else", "else {\n        return"),
    ("match", "match "),
    ("match guard", " if "),
    ("for", "for "),
    ("for by iter_mut", ".iter_mut()"),
    ("while", "while "),
    ("while let", "while let "),
    ("loop", "loop {"),
    ("labelled break or continue", "break 'l"),
    ("continue", "continue"),
    ("early return", "return "),
    ("?", "?"),
    ("shared borrow", "= &"),
    ("mutable borrow", "&mut "),
    ("closure", "|x"),
    ("nested workflow", "helper_0("),
    ("recursion", "helper_0(x - 1"),
    ("format!", "format!("),
    ("vec!", "vec!["),
    ("struct literal", "Item { "),
    ("struct update", ", .."),
    ("destructuring assignment", ") = ("),
    ("compound assignment", "+= "),
];

/// In how many programs a construct is.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    programs: usize,
    with: BTreeMap<&'static str, usize>,
}

impl Coverage {
    pub(crate) fn add(&mut self, program: &Program) {
        let source = program.print(Twin::Plain, "");
        self.programs += 1;
        for (name, text) in CONSTRUCTS {
            *self.with.entry(name).or_default() += usize::from(source.contains(text));
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in so many of {} programs:", self.programs)?;
        for (name, count) in &self.with {
            write!(f, " {name} {count},")?;
        }
        Ok(())
    }
}
