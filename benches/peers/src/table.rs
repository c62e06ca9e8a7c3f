//! Markdown.

use std::{collections::BTreeMap, fmt::Write, process::Command};

use crate::{contenders::Contender, options::Options};

/// A table whose rows are contenders, with what could not be measured below it.
pub(crate) struct Table {
    title: String,
    text: String,
    notes: BTreeMap<String, usize>,
}

impl Table {
    pub(crate) fn new(title: &str, columns: &[String]) -> Self {
        let mut text = format!("| | {} |\n|---|", columns.join(" | "));
        text.push_str(&"---|".repeat(columns.len()));
        text.push('\n');
        Table { title: title.to_owned(), text, notes: BTreeMap::new() }
    }

    pub(crate) fn row(&mut self, name: &str, cells: &[String]) {
        let _ = writeln!(self.text, "| {name} | {} |", cells.join(" | ")); // a String takes all
    }

    /// What stands in place of a figure.
    pub(crate) fn note(&mut self, why: &str) -> String {
        let next = self.notes.len() + 1;
        let number = *self.notes.entry(why.replace('|', "/")).or_insert(next);
        format!("- [{number}]")
    }

    pub(crate) fn print(self) {
        println!("### {}\n\n{}", self.title, self.text);
        let mut notes: Vec<_> = self.notes.into_iter().collect();
        notes.sort_by_key(|(_, number)| *number);
        for (why, number) in notes {
            println!("[{number}] {why}\n");
        }
    }
}

/// When, on what and with what the tables were made.
pub(crate) fn heading(options: &Options, contenders: &[&Contender]) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let versions: Vec<String> = ["durable", "duroxide", "durare", "dbos", "sqlx-sqlite", "libsqlite3-sys"]
        .iter()
        .filter_map(|name| Some(format!("{name} {}", version(name)?)))
        .collect();
    format!(
        "`{}`\n\n{}; {cores} cores, load {}; files on {}; {}; {}; {} contenders in turns, rounds: {}. Medians (least to most).",
        options.command,
        said_by("date", &["-u", "+%Y-%m-%d"]),
        load(),
        file_system(options),
        said_by("rustc", &["--version"]),
        versions.join(", "),
        contenders.len(),
        options.rounds,
    )
}

/// In the lock file; all of them, if there are more.
fn version(package: &str) -> Option<String> {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).ok()?;
    let entries = lock.split("[[package]]").filter_map(|entry| {
        let field = |name: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        (field("name")? == package).then(|| field("version"))?
    });
    let versions: Vec<String> = entries.collect();
    (!versions.is_empty()).then(|| versions.join(" and "))
}

fn file_system(options: &Options) -> String {
    let _ = std::fs::create_dir_all(&options.dir);
    said_by("findmnt", &["-n", "-o", "FSTYPE", "-T", &options.dir.display().to_string()])
}

/// Of the last minute: whoever else is busy slows each sync.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| String::from("unknown"),
        |out| String::from_utf8_lossy(&out.stdout).trim().to_owned(),
    )
}
