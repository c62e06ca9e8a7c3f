//! Who takes part, and what each says about durability.

use crate::options::Options;

/// An engine in one of its ways to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contender {
    /// Its package in this workspace is `on-` and this.
    pub(crate) package: &'static str,
    /// What its executable calls the way to run.
    pub(crate) mode: &'static str,
    pub(crate) name: &'static str,
    /// What a power cut may take of what was acknowledged.
    pub(crate) durability: &'static str,
    /// More activities than this in one job take too long to be of use.
    pub(crate) most_steps: u64,
    pub(crate) needs_postgres: bool,
}

const ALL: [Contender; 7] = [
    Contender {
        package: "durable",
        mode: "default",
        name: "Durable",
        durability: "synced at each commit",
        most_steps: u64::MAX,
        needs_postgres: false,
    },
    Contender {
        package: "duroxide",
        mode: "full",
        name: "duroxide, SQLite FULL, polling every 1 ms",
        durability: "synced at each commit",
        most_steps: u64::MAX,
        needs_postgres: false,
    },
    Contender {
        package: "durare",
        mode: "full",
        name: "durare, SQLite FULL",
        durability: "synced at each commit",
        most_steps: u64::MAX,
        needs_postgres: false,
    },
    Contender {
        package: "dbos",
        mode: "default",
        name: "DBOS for Rust, PostgreSQL",
        durability: "synced at each commit, by the server",
        most_steps: u64::MAX,
        needs_postgres: true,
    },
    Contender {
        package: "duroxide",
        mode: "default",
        name: "duroxide, SQLite, as it comes (polling every 100 ms)",
        durability: "**not synced** at each commit",
        most_steps: 100,
        needs_postgres: false,
    },
    Contender {
        package: "duroxide",
        mode: "fast",
        name: "duroxide, SQLite, polling every 1 ms",
        durability: "**not synced** at each commit",
        most_steps: u64::MAX,
        needs_postgres: false,
    },
    Contender {
        package: "durare",
        mode: "normal",
        name: "durare, SQLite, as it comes",
        durability: "**not synced** at each commit",
        most_steps: u64::MAX,
        needs_postgres: false,
    },
];

/// Those that the options let take part; the first is the one that the others are compared with.
pub(crate) fn chosen(options: &Options) -> Vec<&'static Contender> {
    let chosen = ALL.iter().filter(|contender| {
        (options.postgres.is_some() || !contender.needs_postgres)
            && (options.only.is_empty() || options.only.iter().any(|part| contender.name.contains(part)))
    });
    chosen.collect()
}
