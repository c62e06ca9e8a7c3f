//! A driver of schema migrations: a canary first, then tenant by tenant, each one expanded,
//! backfilled in batches behind a cursor, verified and contracted; what fails is put back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use durable::{
    CallError,
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};

use crate::support::{HOUR, Journal, MINUTE, SECOND};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Campaign {
    migrations: Vec<Migration>,
    canaries: Vec<String>,
    batch: u64,
    most_failures: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Migration {
    name: String,
    after: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Statement(String),
    Backfill { table: String, column: String },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    done: BTreeMap<String, Vec<String>>,
    failed: BTreeMap<String, String>,
    rows: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum MigrationError {
    #[error("the migrations {} wait for each other", .0.join(", "))]
    Cycle(Vec<String>),
    #[error("{tenant} is locked by another migration")]
    Locked { tenant: String },
    #[error("statement failed: {0}")]
    Statement(String),
    #[error("{table} of {tenant}: {missing} rows are missing after the backfill")]
    NotVerified { tenant: String, table: String, missing: u64 },
    #[error("the canary {tenant} died: {cause}")]
    Canary { tenant: String, cause: Box<MigrationError> },
    #[error("stopped: {} tenants failed", failed.len())]
    TooManyFailures { failed: BTreeMap<String, String> },
    #[error(transparent)]
    Call(#[from] CallError),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Batch {
    rows: u64,
    cursor: u64,
    more: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
struct Load(f64);

/// The databases of all tenants.
#[derive(Default)]
struct Fleet {
    journal: Journal,
    looks: Journal,
    /// Tenants with the rows that they have.
    tenants: BTreeMap<&'static str, u64>,
    broken: BTreeSet<&'static str>,
    lossy: BTreeSet<&'static str>,
    locked: BTreeSet<&'static str>,
}

#[activity(retry(max_attempts = 5))]
async fn all_tenants(State(fleet): State<Fleet>) -> Result<Vec<String>, MigrationError> {
    Ok(fleet.tenants.keys().map(|name| (*name).to_owned()).collect())
}

#[activity(retry(max_attempts = 3, initial = "10s"))]
async fn lock(State(fleet): State<Fleet>, tenant: &str) -> Result<u64, MigrationError> {
    if fleet.locked.contains(tenant) {
        return Err(MigrationError::Locked { tenant: tenant.into() });
    }
    Ok(fleet.tenants[tenant])
}

#[activity]
async fn unlock(State(fleet): State<Fleet>, context: ActivityContext, tenant: &str) {
    fleet.journal.note(&context, format!("{tenant}: unlocked"));
}

#[activity(no_retry(MigrationError::Statement(_)), retry(max_attempts = 3))]
async fn execute(
    State(fleet): State<Fleet>,
    context: ActivityContext,
    tenant: &str,
    sql: &str,
) -> Result<(), MigrationError> {
    if fleet.broken.contains(tenant) && sql.starts_with("drop") {
        return Err(MigrationError::Statement(format!("`{sql}`")));
    }
    fleet.journal.note(&context, format!("{tenant}: {sql}"));
    Ok(())
}

#[activity(start_to_close = "10min", heartbeat = "1min", retry(max_attempts = 8))]
async fn backfill(
    State(fleet): State<Fleet>,
    context: ActivityContext,
    tenant: &str,
    table: &str,
    column: &str,
    cursor: u64,
    limit: u64,
) -> Result<Batch, MigrationError> {
    context.heartbeat(&cursor);
    assert!(!table.is_empty() && !column.is_empty());
    let total = fleet.tenants[tenant];
    let rows = limit.min(total - cursor);
    Ok(Batch { rows, cursor: cursor + rows, more: cursor + rows < total })
}

#[activity]
async fn load(State(fleet): State<Fleet>, context: ActivityContext, tenant: &str) -> Load {
    // Every fifth look finds the database busy.
    Load(if fleet.looks.note(&context, tenant) % 5 == 4 { 0.95 } else { 0.2 })
}

#[activity]
async fn count_missing(State(fleet): State<Fleet>, tenant: &str, table: &str) -> u64 {
    assert!(!table.is_empty());
    if fleet.lossy.contains(tenant) { 3 } else { 0 }
}

/// Takes all tenants through all migrations.
#[workflow]
async fn migrate_all(campaign: Campaign) -> Result<Progress, MigrationError> {
    let Campaign { migrations, canaries, batch, most_failures } = campaign;
    let ordered = in_order(migrations)?;
    let names: Vec<_> = ordered.iter().map(|migration| migration.name.clone()).collect();
    let mut progress = Progress::default();

    // Canaries, then a night to look at them.
    for canary in &canaries {
        match migrate_tenant(canary, &ordered, batch).await {
            Ok(rows) => {
                progress.rows += rows;
                progress.done.insert(canary.clone(), names.clone());
            }
            Err(cause) => {
                return Err(MigrationError::Canary { tenant: canary.clone(), cause: Box::new(cause) });
            }
        }
    }
    if !canaries.is_empty() {
        sleep(12 * HOUR).await;
    }

    let mut tenants = all_tenants().await?;
    tenants.retain(|tenant| !canaries.contains(tenant));
    let mut again = vec![];
    for (index, tenant) in tenants.iter().enumerate() {
        let label = format!("{} of {}", index + 1, tenants.len());
        match migrate_tenant(tenant, &ordered, batch).await {
            Ok(rows) => {
                progress.rows += rows;
                progress.done.entry(tenant.clone()).or_default().extend(names.iter().cloned());
            }
            Err(MigrationError::Locked { .. }) => again.push(tenant.clone()),
            Err(error) => {
                progress.failed.insert(tenant.clone(), format!("{label}: {error}"));
                if progress.failed.len() > most_failures {
                    return Err(MigrationError::TooManyFailures { failed: progress.failed });
                }
            }
        }
    }

    // Who was locked gets a second chance when the others are through.
    for tenant in again {
        sleep(HOUR).await;
        match migrate_tenant(&tenant, &ordered, batch).await {
            Ok(rows) => {
                progress.rows += rows;
                progress.done.insert(tenant, names.clone());
            }
            Err(error) => {
                progress.failed.insert(tenant, error.to_string());
            }
        }
    }
    Ok(progress)
}

/// All migrations of one tenant, under its lock; the lock is given back however it ends.
#[workflow]
async fn migrate_tenant(tenant: &str, migrations: &[Migration], batch: u64) -> Result<u64, MigrationError> {
    let rows = lock(tenant).await?;
    let mut filled = 0;
    let mut undo: Vec<String> = Vec::new();
    let mut failure = None;
    for Migration { kind, .. } in migrations {
        let result = match kind {
            Kind::Statement(sql) => execute(tenant, sql).await.map(|()| 0),
            Kind::Backfill { table, column } => {
                let (add, drop) =
                    (format!("alter {table} add {column}"), format!("alter {table} drop {column}"));
                match execute(tenant, &add).await {
                    Ok(()) => {
                        undo.push(drop);
                        fill(tenant, table, column, batch).await
                    }
                    Err(error) => Err(error),
                }
            }
        };
        match result {
            Ok(more) => filled += more,
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    if failure.is_some() {
        for sql in undo.iter().rev() {
            execute(tenant, sql).await?;
        }
    }
    unlock(tenant).await;
    debug_assert!(rows == 0 || failure.is_some() || filled % rows == 0);
    failure.map_or(Ok(filled), Err)
}

/// Fills one column, batch by batch; stands back while the database is busy, and then takes smaller ones.
#[workflow]
async fn fill(tenant: &str, table: &str, column: &str, batch: u64) -> Result<u64, MigrationError> {
    let mut cursor = 0;
    let mut limit = batch;
    let mut rows = 0;
    let mut step = 0_u32;
    while {
        step += 1;
        let Batch { rows: new, cursor: next, more } = backfill(tenant, table, column, cursor, limit).await?;
        rows += new;
        cursor = next;
        more
    } {
        if load(tenant).await > Load(0.8) {
            limit = (limit / 2).max(1);
            sleep(MINUTE * step).await;
        } else {
            sleep(SECOND).await;
        }
    }
    match count_missing(tenant, table).await {
        0 => Ok(rows),
        missing => Err(MigrationError::NotVerified { tenant: tenant.into(), table: table.into(), missing }),
    }
}

/// Those first that others come after.
fn in_order(mut rest: Vec<Migration>) -> Result<Vec<Migration>, MigrationError> {
    let mut ordered: Vec<Migration> = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let ready = |migration: &Migration| {
            migration.after.iter().all(|name| ordered.iter().any(|before| before.name == *name))
        };
        let Some(next) = rest.iter().position(ready) else {
            return Err(MigrationError::Cycle(rest.into_iter().map(|migration| migration.name).collect()));
        };
        ordered.push(rest.remove(next));
    }
    Ok(ordered)
}

fn campaign() -> Campaign {
    let migration = |name: &str, after: &[&str], kind| Migration {
        name: name.into(),
        after: after.iter().map(ToString::to_string).collect(),
        kind,
    };
    Campaign {
        migrations: vec![
            migration("contract", &["fill"], Kind::Statement("drop old".into())),
            migration("fill", &["expand"], Kind::Backfill { table: "orders".into(), column: "total".into() }),
            migration("expand", &[], Kind::Statement("create index".into())),
        ],
        canaries: vec!["blue".into()],
        batch: 40,
        most_failures: 1,
    }
}

fn fleet() -> Fleet {
    Fleet {
        tenants: BTreeMap::from([("acme", 250), ("blue", 100), ("corp", 10)]),
        locked: BTreeSet::from(["corp"]),
        ..Fleet::default()
    }
}

async fn open(fleet: &Arc<Fleet>) -> TestEngine {
    testing::engine().state_arc(fleet.clone()).open().await
}

#[tokio::test]
async fn tenants_are_migrated_in_order_and_who_stays_locked_is_reported() {
    let fleet = Arc::new(fleet());
    let progress = open(&fleet).await.run(migrate_all(campaign())).await.unwrap().unwrap();
    assert_eq!(progress.rows, 350);
    assert_eq!(progress.done["acme"], ["expand", "fill", "contract"]);
    assert_eq!(progress.failed["corp"], "corp is locked by another migration");
    assert_eq!(
        fleet.journal.lines(),
        [
            "blue: create index",
            "blue: alter orders add total",
            "blue: drop old",
            "blue: unlocked",
            "acme: create index",
            "acme: alter orders add total",
            "acme: drop old",
            "acme: unlocked",
        ]
    );
}

#[tokio::test]
async fn a_dead_canary_stops_everything_and_is_put_back() {
    let fleet = Arc::new(Fleet { lossy: BTreeSet::from(["blue"]), ..fleet() });
    let outcome = open(&fleet).await.run(migrate_all(campaign())).await.unwrap();
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "the canary blue died: orders of blue: 3 rows are missing after the backfill"
    );
    assert_eq!(fleet.journal.lines()[2..], ["blue: alter orders drop total", "blue: unlocked"]);
}

#[tokio::test]
async fn too_many_failures_stop_the_campaign() {
    let fleet =
        Arc::new(Fleet { broken: BTreeSet::from(["acme", "corp"]), locked: BTreeSet::new(), ..fleet() });
    let outcome = open(&fleet).await.run(migrate_all(campaign())).await.unwrap();
    let Err(MigrationError::TooManyFailures { failed }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(failed["acme"], "1 of 2: statement failed: `drop old`");
    assert_eq!(failed["corp"], "2 of 2: statement failed: `drop old`");
}

#[tokio::test]
async fn a_cycle_is_found_before_anything_is_touched() {
    let fleet = Arc::new(fleet());
    let mut campaign = campaign();
    campaign.migrations[2].after.push("contract".into());
    let outcome = open(&fleet).await.run(migrate_all(campaign)).await.unwrap();
    assert!(matches!(outcome, Err(MigrationError::Cycle(names)) if names.len() == 3));
    assert!(fleet.journal.lines().is_empty());
}

#[tokio::test]
async fn no_crash_changes_what_is_migrated() {
    testing::crash_at_every_step(|| migrate_all(campaign())).with(|engine| engine.state(fleet())).await;
}
