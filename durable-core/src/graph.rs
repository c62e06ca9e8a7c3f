//! The machine that a workflow was compiled into, as a graph for people.
//!
//! Everything in it is constant data of the build; no engine and no instance is needed.

use std::fmt::{self, Write};

use crate::{engine::WorkflowFn, meta::PointMeta, meta::WorkflowMeta};

/// The machine of a workflow: its resume points, what each keeps, and which can come after which.
///
/// ```
/// # use durable_core as durable;
/// # use durable_core::WorkflowFn;
/// fn show<P, F: WorkflowFn<P>>(workflow: F) {
///     let graph = durable::graph(workflow);
///     println!("{}", graph.mermaid()); // for a Markdown page
///     println!("{}", graph.dot()); // for Graphviz
/// }
/// ```
pub fn graph<P, F: WorkflowFn<P>>(_: F) -> Graph {
    Graph { meta: F::META }
}

/// See [`graph`]. Displayed, it is [`mermaid`](Self::mermaid).
#[derive(Debug, Clone, Copy)]
pub struct Graph {
    meta: &'static WorkflowMeta,
}

/// A place at which a workflow can stand still: an `.await` of the source.
#[derive(Debug, Clone, Copy)]
pub struct ResumePoint {
    number: u32,
    meta: &'static PointMeta,
}

impl ResumePoint {
    /// Its number, from 1, in the order of the source.
    pub fn number(self) -> u32 {
        self.number
    }

    /// The name that `#[resume("..")]` gives it.
    pub fn name(self) -> Option<&'static str> {
        self.meta.name
    }

    /// What is awaited: the activity, the workflow, `sleep`.
    pub fn awaits(self) -> &'static str {
        self.meta.callee
    }

    /// The line of the source, from 1.
    pub fn line(self) -> u32 {
        self.meta.line
    }

    /// The column of the source, from 1.
    pub fn column(self) -> u32 {
        self.meta.column
    }

    /// The variables that are needed after it, and therefore in the snapshot.
    pub fn keeps(self) -> Vec<&'static str> {
        self.meta.vars().collect()
    }

    /// The resume points that can come next, by number; 0 is the end of the workflow.
    pub fn next(self) -> Vec<u32> {
        self.meta.next.iter().copied().map(u32::from).collect()
    }
}

impl Graph {
    /// The stored name of the workflow.
    pub fn workflow(&self) -> &'static str {
        self.meta.name
    }

    /// The source file.
    pub fn file(&self) -> &'static str {
        self.meta.file
    }

    /// The resume points that can come first, by number; 0 if the workflow can end without one.
    pub fn first(&self) -> &'static [u32] {
        self.meta.first
    }

    /// The resume points, in the order of the source.
    pub fn points(&self) -> impl Iterator<Item = ResumePoint> + use<> {
        (1..).zip(self.meta.points.iter()).map(|(number, meta)| ResumePoint { number, meta })
    }

    /// The graph as a [Mermaid](https://mermaid.js.org) flowchart, which many Markdown pages draw.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart TD\n");
        let title = escape(&format!("{}, {}:{}", self.meta.name, self.meta.file, self.meta.line), "#quot;");
        line(&mut text, format_args!("p0([\"{title}\"])"));
        for point in self.points() {
            let label = escape(&point.label(), "#quot;").replace('\n', "<br/>");
            line(&mut text, format_args!("p{}[\"{label}\"]", point.number));
        }
        line(&mut text, format_args!("done([\"ends\"])"));
        for (from, to) in self.edges() {
            match to {
                0 => line(&mut text, format_args!("p{from} --> done")),
                to => line(&mut text, format_args!("p{from} --> p{to}")),
            }
        }
        text
    }

    /// The graph in Graphviz's `DOT` language.
    pub fn dot(&self) -> String {
        let name = escape(self.meta.name, "\\\"");
        let mut text = format!("digraph \"{name}\" {{\n");
        line(&mut text, format_args!("node [shape=box];"));
        let title = escape(&format!("{}\n{}:{}", self.meta.name, self.meta.file, self.meta.line), "\\\"");
        line(&mut text, format_args!("p0 [shape=oval, label=\"{}\"];", title.replace('\n', "\\n")));
        for point in self.points() {
            let label = escape(&point.label(), "\\\"").replace('\n', "\\n");
            line(&mut text, format_args!("p{} [label=\"{label}\"];", point.number));
        }
        line(&mut text, format_args!("done [shape=oval, label=\"ends\"];"));
        for (from, to) in self.edges() {
            match to {
                0 => line(&mut text, format_args!("p{from} -> done;")),
                to => line(&mut text, format_args!("p{from} -> p{to};")),
            }
        }
        text.push_str("}\n");
        text
    }

    fn edges(&self) -> impl Iterator<Item = (u32, u32)> {
        let first = self.meta.first.iter().map(|to| (0, *to));
        first
            .chain(self.points().flat_map(|point| point.next().into_iter().map(move |to| (point.number, to))))
    }
}

impl ResumePoint {
    fn label(self) -> String {
        let mut label = format!("{}: {}, line {}", self.number, self.meta.callee, self.meta.line);
        if let Some(name) = self.meta.name {
            let _ = write!(label, "\n{name}");
        }
        if !self.meta.vars.is_empty() {
            let _ = write!(label, "\nkeeps {}", self.keeps().join(", "));
        }
        label
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mermaid())
    }
}

fn line(text: &mut String, content: fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "    {content}");
}

fn escape(text: &str, quote: &str) -> String {
    text.replace('\\', "\\\\").replace('"', quote)
}
