//! What both builds have in common: the activities, and what each of the programs can be told to do.
//!
//! An instance is named after the place at which it is to stand, `order-charge-3`: with `HOLD` in the environment the activity of that
//! name does not come back for it. Every activity that does is a line in the file `LOG`.

use std::{
    error::Error,
    io::Write as _,
    time::{Duration, Instant},
};

use durable::{CheckReport, Filter, prelude::*};
use serde::{Deserialize, Serialize};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// Sent to all by whoever goes on with them.
#[derive(Debug, Serialize, Deserialize, Signal)]
pub(crate) struct Approve {
    pub(crate) by: String,
}

/// How long the timer of an instance runs: it outlives the build that began it where that is what is looked at.
pub(crate) fn pause(id: &str) -> Duration {
    Duration::from_millis(if stop(id) == "sleep" { 1_500 } else { 1 })
}

fn stop(id: &str) -> &str {
    id.split('-').nth(1).unwrap_or_default()
}

/// Notes that an activity comes back, or does not let it.
pub(crate) async fn came(activity: &str, id: &str) {
    if std::env::var_os("HOLD").is_some() && stop(id) == activity {
        std::future::pending::<()>().await;
    }
    let path = std::env::var_os("LOG").expect("the test says where");
    let log = std::fs::OpenOptions::new().append(true).create(true).open(path);
    log.and_then(|mut log| log.write_all(format!("{activity} {id}\n").as_bytes())).expect("there is room");
}

#[activity]
pub(crate) async fn reserve(id: &str) -> String {
    came("reserve", id).await;
    format!("shelf of {id}")
}

#[activity]
pub(crate) async fn price(id: &str, item: u32) -> u32 {
    // In the middle of the loop.
    came(if item == 2 { "price" } else { "priced" }, id).await;
    item * 100
}

#[activity]
pub(crate) async fn charge(id: &str, cents: u64) -> u64 {
    came("charge", id).await;
    cents
}

#[activity]
pub(crate) async fn mail(id: &str, text: &str) -> String {
    came("mail", id).await;
    format!("mailed {text}")
}

#[activity]
pub(crate) async fn seal(id: &str) -> String {
    came("seal", id).await;
    "sealed".into()
}

/// Starts these, waits until each stands where it is to stand, says so, and goes when it is told to.
pub(crate) async fn stand(engine: &Engine, ids: &[String]) -> Outcome {
    for id in ids {
        if ["mail", "receipt"].contains(&stop(id)) {
            engine.signal(id.as_str(), Approve { by: "Ann".into() }).dedup("approved").await?;
        }
    }
    for id in ids {
        loop {
            let description = engine.handle(id.as_str()).describe().await?;
            // A timer may have fired by now.
            let on = description.waiting.as_ref().map_or("", |waiting| waiting.on.as_str());
            // The rest of a join is done.
            let alone = matches!(&description.activities[..], [one] if one.activity == stop(id));
            let waits = alone || on.contains(stop(id)) || stop(id) == "sleep" && on.contains("recv");
            if waits || description.parked().is_some() || description.closed.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    println!("they stand");
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    Ok(engine.shutdown(Duration::ZERO).await?)
}

/// Takes all to their ends that this build can, and prints how each of them fares.
///
/// What another build has parked is tried in the background, some time after the opening: until then it stands as parked in a list. A
/// build that is to take such instances on has `patience` with them.
pub(crate) async fn go_on(engine: &Engine, patience: Duration) -> Outcome {
    let begun = Instant::now();
    for summary in engine.list(Filter::new()).await? {
        // Who has ended needs none.
        let _ = engine.signal(&summary.id, Approve { by: "Ann".into() }).dedup("approved").await;
    }
    let busy = async || -> Result<bool, Box<dyn Error>> {
        let list = engine.list(Filter::new()).await?;
        Ok(list.iter().any(|one| match one.status {
            Status::Running | Status::Waiting => true,
            Status::Parked(_) => begun.elapsed() < patience,
            _ => false,
        }))
    };
    while busy().await? {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for summary in engine.list(Filter::new()).await? {
        let description = engine.handle(&summary.id).describe().await?;
        let text = match description.parked() {
            Some(reason) => reason.to_string(),
            None => {
                description.result.as_ref().and_then(|result| result.as_str()).unwrap_or_default().to_owned()
            }
        };
        let status = if description.parked().is_some() { "parked" } else { "completed" };
        println!("{}", serde_json::json!({ "id": summary.id, "status": status, "text": text }));
    }
    Ok(engine.shutdown(Duration::from_secs(10)).await?)
}

/// As a deploy script would do it.
pub(crate) fn said(report: &CheckReport, json: bool) -> ! {
    if json {
        println!("{}", report.to_json());
    } else {
        print!("{report}");
    }
    std::process::exit(report.exit_code())
}
