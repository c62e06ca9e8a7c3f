//! A batch import: files of rows from a bucket, checked, upserted in chunks, halved when the
//! database refuses a chunk, so that one bad row does not keep ninety-nine good ones out.

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

use crate::support::{Journal, MINUTE};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    line: usize,
    email: String,
    country: String,
    balance: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Job {
    bucket: String,
    prefix: String,
    chunk: usize,
    most_rejected_percent: usize,
    dry_run: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Report {
    files: BTreeMap<String, FileReport>,
    skipped: Vec<String>,
    duplicates: usize,
    balance_by_country: BTreeMap<String, i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct FileReport {
    imported: usize,
    rejected: Vec<Rejection>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rejection {
    line: usize,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum ImportError {
    #[error("{file} is not there")]
    NoSuchFile { file: String },
    #[error("line {line}: {reason}")]
    BadLine { line: usize, reason: String },
    #[error("the database refused {rows} rows: {reason}")]
    Refused { rows: usize, reason: String },
    #[error("{file}: {rejected} of {rows} rows rejected, stopped; nothing after it was imported")]
    TooManyRejected { file: String, rejected: usize, rows: usize },
    #[error("there is nothing under {0}")]
    NothingToImport(String),
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The bucket and the database.
#[derive(Default)]
struct Warehouse {
    journal: Journal,
    files: BTreeMap<&'static str, &'static str>,
    refused: Vec<&'static str>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Page {
    files: Vec<String>,
    next: Option<String>,
}

#[activity(retry(max_attempts = 5))]
async fn list_files(
    State(warehouse): State<Warehouse>,
    bucket: &str,
    prefix: &str,
    after: Option<String>,
) -> Result<Page, ImportError> {
    assert_eq!(bucket, "crm");
    let after = after.as_deref().unwrap_or("");
    let mut files: Vec<String> = warehouse
        .files
        .keys()
        .filter(|file| file.starts_with(prefix) && **file > after)
        .map(ToString::to_string)
        .collect();
    let more = files.len() > 2;
    files.truncate(2);
    let next = if more { files.last().cloned() } else { None };
    Ok(Page { files, next })
}

#[activity(start_to_close = "5min", heartbeat = "30s", retry(max_attempts = 3), no_retry(ImportError::NoSuchFile { .. }))]
async fn read_lines(
    State(warehouse): State<Warehouse>,
    context: ActivityContext,
    file: &str,
) -> Result<Vec<String>, ImportError> {
    let text = warehouse.files.get(file).ok_or_else(|| ImportError::NoSuchFile { file: file.into() })?;
    context.heartbeat(&text.len());
    Ok(text.lines().map(str::to_owned).collect())
}

#[activity(retry(max_attempts = 2), no_retry(ImportError::Refused { .. }))]
async fn upsert(
    State(warehouse): State<Warehouse>,
    context: ActivityContext,
    rows: &[Row],
) -> Result<usize, ImportError> {
    if let Some(bad) = rows.iter().find(|row| warehouse.refused.contains(&row.email.as_str())) {
        return Err(ImportError::Refused {
            rows: rows.len(),
            reason: format!("constraint on {}", bad.email),
        });
    }
    let emails = rows.iter().map(|row| row.email.as_str()).collect::<Vec<_>>();
    warehouse.journal.note(&context, emails.join(" "));
    Ok(rows.len())
}

#[activity]
async fn publish_report(
    State(warehouse): State<Warehouse>,
    context: ActivityContext,
    title: &str,
    lines: &[String],
) {
    warehouse.journal.note(&context, format!("{title}: {}", lines.join("; ")));
}

fn parse(line: usize, text: &str) -> Result<Row, ImportError> {
    let bad = |reason: &str| ImportError::BadLine { line, reason: reason.to_string() };
    let mut fields = text.split(',').map(str::trim);
    let (Some(email), Some(country), Some(balance), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(bad("three fields are needed"));
    };
    let balance = balance.parse().map_err(|_| bad("the balance is not a number"))?;
    if !email.contains('@') {
        return Err(bad("not an address"));
    }
    Ok(Row { line, email: email.to_lowercase(), country: country.to_uppercase(), balance })
}

/// Imports every file under a prefix.
#[workflow]
async fn import_all(job: Job) -> Result<Report, ImportError> {
    let Job { bucket, prefix, chunk, most_rejected_percent: most, dry_run } = &job;
    let files = all_files(bucket, prefix).await?;
    if files.is_empty() {
        return Err(ImportError::NothingToImport(format!("{bucket}/{prefix}")));
    }

    let mut report = Report::default();
    let mut seen = BTreeSet::new();
    'files: for file in files {
        if !file.ends_with(".csv") {
            report.skipped.push(file);
            continue;
        }
        let lines = match read_lines(&file).await {
            Ok(lines) => lines,
            Err(ImportError::NoSuchFile { .. }) => {
                report.skipped.push(file);
                continue 'files;
            }
            Err(error) => return Err(error),
        };

        let (rows, errors): (Vec<_>, Vec<_>) = lines
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, text)| !text.is_empty())
            .map(|(index, text)| parse(index + 1, text))
            .partition(Result::is_ok);
        let mut rejected: Vec<_> = errors
            .into_iter()
            .filter_map(|error| match error.err()? {
                ImportError::BadLine { line, reason } => Some(Rejection { line, reason }),
                _ => None,
            })
            .collect();
        let total = rows.len() + rejected.len();
        let rows: Vec<Row> = rows
            .into_iter()
            .flatten()
            .filter(|row| {
                let new = seen.insert(row.email.clone());
                if !new {
                    report.duplicates += 1;
                }
                new
            })
            .collect();

        let mut imported = 0;
        if *dry_run {
            imported = rows.len();
        } else {
            for (number, rows) in rows.chunks(*chunk).enumerate() {
                if number > 0 {
                    sleep(MINUTE).await; // the database has other customers
                }
                let (done, refused) = upsert_or_halve(rows.to_vec()).await?;
                imported += done.len();
                for row in done {
                    *report.balance_by_country.entry(row.country).or_default() += row.balance;
                }
                rejected.extend(refused);
                if rejected.len() * 100 > *most * total {
                    return Err(ImportError::TooManyRejected { file, rejected: rejected.len(), rows: total });
                }
            }
        }
        rejected.sort_by_key(|rejection| rejection.line);
        report.files.insert(file, FileReport { imported, rejected });
    }

    let mut lines = Vec::new();
    for (file, FileReport { imported, rejected }) in &report.files {
        let line = match rejected.as_slice() {
            [] => format!("{file} {imported}"),
            [only] => format!("{file} {imported}, without line {}", only.line),
            [first, .., last] => {
                format!(
                    "{file} {imported}, {} rejected from line {} to {}",
                    rejected.len(),
                    first.line,
                    last.line
                )
            }
        };
        lines.push(line);
    }
    publish_report(&format!("{bucket}/{prefix}"), &lines).await;
    Ok(report)
}

/// The names, page by page.
#[workflow]
async fn all_files(bucket: &str, prefix: &str) -> Result<Vec<String>, ImportError> {
    let mut files = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let Page { files: page, next } = list_files(bucket, prefix, after).await?;
        files.extend(page);
        after = match next {
            Some(next) => Some(next),
            None => return Ok(files),
        };
    }
}

/// Upserts rows; those that the database refuses are found by halving.
#[workflow]
async fn upsert_or_halve(mut rows: Vec<Row>) -> Result<(Vec<Row>, Vec<Rejection>), ImportError> {
    match upsert(&rows).await {
        Ok(_) => Ok((rows, vec![])),
        Err(ImportError::Refused { reason, .. }) if rows.len() == 1 => {
            Ok((vec![], vec![Rejection { line: rows[0].line, reason }]))
        }
        Err(ImportError::Refused { .. }) => {
            let right = rows.split_off(rows.len() / 2);
            let (mut done, mut refused) = upsert_or_halve(rows).await?;
            let (more_done, more_refused) = upsert_or_halve(right).await?;
            done.extend(more_done);
            refused.extend(more_refused);
            Ok((done, refused))
        }
        Err(error) => Err(error),
    }
}

fn job() -> Job {
    Job { bucket: "crm".into(), prefix: "2026/".into(), chunk: 3, most_rejected_percent: 50, dry_run: false }
}

fn warehouse() -> Warehouse {
    Warehouse {
        files: BTreeMap::from([
            ("2025/old.csv", "email,country,balance\nold@x.org,no,1"),
            (
                "2026/a.csv",
                "email,country,balance\nann@x.org,no,10\nbo@x.org, se ,-4\n\nnobody,no,3\ncy@x.org,no,5\ndi@x.org,dk,1",
            ),
            (
                "2026/b.csv",
                "email,country,balance\nANN@x.org,no,99\ned@x.org,no,7,7\nfi@x.org,dk,two\ngo@x.org,dk,2\nha@x.org,dk,3",
            ),
            ("2026/c.csv", "email,country,balance\nil@x.org,no,1"),
            ("2026/readme.txt", "hello"),
        ]),
        refused: vec!["bo@x.org"],
        ..Warehouse::default()
    }
}

async fn open(warehouse: &Arc<Warehouse>) -> TestEngine {
    testing::engine().state_arc(warehouse.clone()).open().await
}

#[tokio::test]
async fn good_rows_come_in_although_bad_ones_are_among_them() {
    let warehouse = Arc::new(warehouse());
    let report = open(&warehouse).await.run(import_all(job())).await.unwrap().unwrap();
    assert_eq!(report.duplicates, 1);
    assert_eq!(report.skipped, ["2026/readme.txt"]);
    assert_eq!(report.balance_by_country, BTreeMap::from([("NO".into(), 16), ("DK".into(), 6)]));
    let first = &report.files["2026/a.csv"];
    assert_eq!(first.imported, 3);
    assert_eq!(
        first.rejected,
        [
            Rejection { line: 3, reason: "constraint on bo@x.org".into() },
            Rejection { line: 5, reason: "not an address".into() }
        ]
    );
    assert_eq!(
        warehouse.journal.lines(),
        [
            "ann@x.org",
            "cy@x.org",
            "di@x.org",
            "go@x.org ha@x.org",
            "il@x.org",
            "crm/2026/: 2026/a.csv 3, 2 rejected from line 3 to 5; \
             2026/b.csv 2, 2 rejected from line 3 to 4; 2026/c.csv 1",
        ]
    );
}

#[tokio::test]
async fn too_many_rejected_rows_stop_the_import() {
    let warehouse = Arc::new(warehouse());
    let job = Job { most_rejected_percent: 30, ..job() };
    let outcome = open(&warehouse).await.run(import_all(job)).await.unwrap();
    assert_eq!(
        outcome.unwrap_err(),
        ImportError::TooManyRejected { file: "2026/a.csv".into(), rejected: 2, rows: 5 }
    );
    assert_eq!(warehouse.journal.lines(), ["ann@x.org", "cy@x.org"]);
}

#[tokio::test]
async fn a_dry_run_touches_nothing_and_an_empty_prefix_is_an_error() {
    let warehouse = Arc::new(warehouse());
    let engine = open(&warehouse).await;
    let report = engine.run(import_all(Job { dry_run: true, ..job() })).await.unwrap().unwrap();
    assert_eq!(report.files["2026/a.csv"].imported, 4);
    assert_eq!(engine.calls(upsert).len(), 0);
    let outcome = engine.run(import_all(Job { prefix: "2024/".into(), ..job() })).await.unwrap();
    assert_eq!(outcome.unwrap_err().to_string(), "there is nothing under crm/2024/");
}

#[tokio::test]
async fn no_crash_changes_the_report() {
    testing::crash_at_every_step(|| import_all(job())).with(|engine| engine.state(warehouse())).await;
}
