//! `docs/errors/`: one page for each message, with code that fails, code that compiles, and what rustc prints.
//!
//! A block marked `rust,fails` must fail with a message that names this page; a block marked `rust` must compile, without a warning; in a
//! block marked `text` each line that is not an excerpt of the code must be a part of what is printed. The shop is in scope.

use crate::printed::Diagnostic;
use crate::rustc::Rustc;
use std::{fs, path::Path, path::PathBuf};

/// What stands behind each block: in front of it, it would move the lines that are printed.
const IMPORTS: &str = "use durable::prelude::*; use shop::*; use std::time::Duration;\n";

/// The name of a block's file in the texts.
const FILE: &str = "src/quotes.rs";

pub(crate) struct Page {
    pub(crate) slug: String,
    path: PathBuf,
    text: String,
}

/// A fenced block.
struct Block {
    kind: String,
    text: String,
    line: usize,
}

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors")
}

/// All pages, without the index.
pub(crate) fn all() -> Vec<Page> {
    let entries = fs::read_dir(directory()).expect("docs/errors is there");
    let mut pages: Vec<Page> =
        entries.map(|entry| Page::read(&entry.expect("it is readable").path())).collect();
    pages.retain(|page| page.slug != "README");
    pages.sort_by(|a, b| a.slug.cmp(&b.slug));
    pages
}

/// The files that hold messages.
pub(crate) fn sources() -> Vec<PathBuf> {
    fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("the sources are there") {
            let path = entry.expect("it is readable").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for directory in ["durable-macros/src", "durable-core/src"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut found);
    }
    found
}

/// The pages that a text names: `docs/errors/SLUG.md` in a message, or where the compiler's messages have them.
pub(crate) fn slugs_in(text: &str) -> Vec<String> {
    let names = text.split("docs/errors/").skip(1).filter_map(|rest| rest.split_once(".md"));
    let fields = ["page: \"", "PAGE: &str = \""].into_iter().flat_map(|before| text.split(before).skip(1));
    let names = names.map(|(slug, _)| slug).chain(fields.filter_map(|rest| Some(rest.split_once('"')?.0)));
    let slugs = names.map(str::to_owned);
    slugs.filter(|slug| slug.chars().all(|c| c.is_ascii_lowercase() || c == '-')).collect()
}

/// What is certain of each message in a source: the longest piece of it that does not depend on what the user wrote.
pub(crate) fn messages_in(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source).expect("the source is readable");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
    // In `durable-core`, only what rustc is told to say.
    let begun: &[&str] = if source.components().any(|part| part.as_os_str() == "durable-macros") {
        &["what: \"", "refusal(\"", "refusal(format!(\"", "what = format!(\""]
    } else {
        &["message = \""]
    };
    let found = begun.iter().flat_map(|before| text.split(before).skip(1));
    let literal = found.filter_map(|rest| rest.split('"').next());
    let piece = literal.filter_map(|literal| literal.split(['{', '}', '\\']).max_by_key(|piece| piece.len()));
    piece.map(|piece| piece.trim().to_owned()).collect()
}

impl Page {
    fn read(path: &Path) -> Self {
        let slug = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        Self { slug, path: path.to_owned(), text: fs::read_to_string(path).expect("it is readable") }
    }

    pub(crate) fn complaints(&self, rustc: &Rustc) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut printed: Vec<Diagnostic> = Vec::new();
        let (mut wrong, mut right, mut shown) = (0, 0, 0);
        for block in self.blocks() {
            match block.kind.as_str() {
                "rust,fails" => {
                    wrong += 1;
                    let now = self.check(rustc, &block);
                    complaints.extend(self.failure(&block, &now));
                    printed.extend(now);
                }
                "rust" => {
                    right += 1;
                    let now = self.check(rustc, &block);
                    let unwanted =
                        now.iter().map(|d| format!("line {} does not compile:\n{}", block.line, d.rendered));
                    complaints.extend(unwanted);
                }
                "text" => {
                    shown += 1;
                    self.bless(&block, &printed);
                    if let Some(untrue) = untrue(&block.text, &printed) {
                        complaints.push(format!("line {}: not printed: {untrue}", block.line));
                    }
                }
                other => complaints.push(format!(
                    "line {}: a block is `rust`, `rust,fails` or `text`, not `{other}`",
                    block.line
                )),
            }
        }
        if wrong == 0 || right == 0 || shown == 0 {
            complaints.push(format!(
                "{wrong} blocks that fail, {right} that compile, {shown} texts: each is needed"
            ));
        }
        complaints.into_iter().map(|complaint| format!("{}.md: {complaint}", self.slug)).collect()
    }

    fn failure(&self, block: &Block, printed: &[Diagnostic]) -> Option<String> {
        let page = format!("see docs/errors/{}.md", self.slug);
        match printed {
            [one] if one.notes.iter().any(|note| note.ends_with(&page)) => None,
            [] => Some(format!("line {} compiles", block.line)),
            [one] => Some(format!("line {}: another message:\n{}", block.line, one.rendered)),
            more => Some(format!(
                "line {}: {} errors:\n{}",
                block.line,
                more.len(),
                more.iter().map(|d| &*d.rendered).collect::<String>()
            )),
        }
    }

    fn check(&self, rustc: &Rustc, block: &Block) -> Vec<Diagnostic> {
        let file = rustc.scratch().join(format!("page_{}_{}.rs", self.slug, block.line));
        fs::write(&file, format!("{}{IMPORTS}", block.text)).expect("the directory is writable");
        let mut printed = rustc.check(&file);
        for diagnostic in &mut printed {
            diagnostic.rendered = diagnostic.rendered.replace(&*file.to_string_lossy(), FILE);
        }
        printed
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (at, line) in self.text.lines().enumerate() {
            match line.strip_prefix("```") {
                Some(kind) if !open => {
                    open = true;
                    blocks.push(Block { kind: kind.to_owned(), text: String::new(), line: at + 1 });
                }
                Some(_) => open = false,
                None if open => {
                    if let Some(block) = blocks.last_mut() {
                        block.text.push_str(line);
                        block.text.push('\n');
                    }
                }
                None => {}
            }
        }
        blocks
    }

    /// With `BLESS=1`, writes what is printed into a block.
    fn bless(&self, block: &Block, printed: &[Diagnostic]) {
        if std::env::var_os("BLESS").is_none() {
            return;
        }
        let rendered: String = printed.iter().map(|diagnostic| diagnostic.rendered.as_str()).collect();
        // Where our own sources lie is of no interest.
        let is_ours = |line: &&str| {
            let line = line.trim_start();
            (line.starts_with("-->") || line.starts_with(":::")) && !line.contains(FILE)
        };
        let lines: Vec<&str> = rendered.trim_end().lines().filter(|line| !is_ours(line)).collect();
        let old = format!("```text\n{}```", block.text);
        let new = format!("```text\n{}\n```", lines.join("\n"));
        let text = fs::read_to_string(&self.path).expect("the page is readable");
        fs::write(&self.path, text.replace(&old, &new)).expect("the page is writable");
    }
}

/// The first line of a shown text that nothing printed holds. Excerpts of code may differ, and where they lie.
fn untrue<'a>(shown: &'a str, printed: &[Diagnostic]) -> Option<&'a str> {
    let bare = |line: &'a str| line.trim().trim_start_matches("= ");
    let is_excerpt = |line: &str| {
        let behind = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        ["|", "-->", ":::"].iter().any(|mark| behind.starts_with(mark))
    };
    let said = shown.lines().map(bare).filter(|line| !line.is_empty() && *line != "...");
    if shown.trim().is_empty() {
        return Some("an empty text");
    }
    let is_printed = |line: &&str| {
        let mut lines = printed.iter().flat_map(|diagnostic| diagnostic.rendered.lines());
        lines.any(|printed| printed.trim().trim_start_matches("= ") == *line)
    };
    said.filter(|line| !is_excerpt(line)).find(|line| !is_printed(line))
}
