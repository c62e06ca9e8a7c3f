//! Provisioning of an environment: network, machines, a database, DNS; each step notes how it is
//! undone, and when one fails for good everything is taken down again, newest first.

use std::{collections::BTreeMap, fmt, sync::Arc};

use durable::{
    CallError,
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};

use crate::support::{Journal, MINUTE, SECOND};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Spec {
    name: String,
    region: String,
    machines: Vec<MachineSpec>,
    database: Option<DatabaseSpec>,
    domain: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct MachineSpec {
    role: Role,
    size: String,
    spares: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Role {
    Web,
    Worker,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct DatabaseSpec {
    engine: String,
    gigabytes: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Environment {
    network: String,
    machines: BTreeMap<Role, Vec<Machine>>,
    database: Option<String>,
    url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Machine {
    id: String,
    size: String,
    address: String,
}

/// How a step is taken back.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Undo {
    Network(String),
    Machine { id: String, role: Role },
    Database { id: String, keep_backup: bool },
    Record(String),
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undo::Network(id) | Undo::Database { id, .. } | Undo::Record(id) => f.write_str(id),
            Undo::Machine { id, role } => write!(f, "{id} ({role:?})"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum ProvisionError {
    #[error("quota exceeded: {what}")]
    Quota { what: String },
    #[error("size {size} is sold out in {region}")]
    SoldOut { size: String, region: String },
    #[error("{id} did not become ready in {waited_secs} s")]
    NotReady { id: String, waited_secs: u64 },
    #[error("the API answered {0}")]
    Api(u16),
    #[error("{cause}; taken down again: {removed:?}, left behind: {left:?}")]
    RolledBack { cause: Box<ProvisionError>, removed: Vec<String>, left: Vec<String> },
    #[error(transparent)]
    Call(#[from] CallError),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Health {
    Starting,
    Ready,
    Broken,
}

/// A cloud, as bad as a test wants it.
#[derive(Default)]
struct Cloud {
    journal: Journal,
    looks: Journal,
    sold_out: Vec<&'static str>,
    /// Names that break while they start.
    broken: Vec<&'static str>,
    stuck: Vec<&'static str>,
    no_database: bool,
    undeletable: Vec<&'static str>,
}

#[activity(retry(max_attempts = 5))]
async fn create_network(
    State(cloud): State<Cloud>,
    context: ActivityContext,
    name: &str,
    region: &str,
) -> Result<String, ProvisionError> {
    if context.attempt() < 2 {
        return Err(ProvisionError::Api(503));
    }
    cloud.journal.note(&context, format!("network {name} in {region}"));
    Ok(format!("net-{name}"))
}

#[activity(
    start_to_close = "1min",
    retry(max_attempts = 4),
    no_retry(ProvisionError::SoldOut { .. } | ProvisionError::Quota { .. }),
)]
async fn create_machine(
    State(cloud): State<Cloud>,
    context: ActivityContext,
    network: &str,
    name: &str,
    size: &str,
) -> Result<Machine, ProvisionError> {
    if cloud.sold_out.contains(&size) {
        return Err(ProvisionError::SoldOut { size: size.into(), region: network.into() });
    }
    let number = cloud.journal.note(&context, format!("machine {name} {size}"));
    Ok(Machine { id: name.into(), size: size.into(), address: format!("10.0.0.{number}") })
}

#[activity(retry(max_attempts = 3))]
async fn health(
    State(cloud): State<Cloud>,
    context: ActivityContext,
    id: &str,
) -> Result<Health, ProvisionError> {
    let look = cloud.looks.note(&context, id);
    Ok(if cloud.broken.contains(&id) {
        Health::Broken
    } else if cloud.stuck.contains(&id) || look % 3 != 2 {
        Health::Starting
    } else {
        Health::Ready
    })
}

#[activity(retry(max_attempts = 2), no_retry(ProvisionError::Quota { .. }))]
async fn create_database(
    State(cloud): State<Cloud>,
    context: ActivityContext,
    network: &str,
    spec: &DatabaseSpec,
) -> Result<String, ProvisionError> {
    if cloud.no_database {
        return Err(ProvisionError::Quota { what: format!("{} GB of {}", spec.gigabytes, spec.engine) });
    }
    cloud.journal.note(&context, format!("database {} in {network}", spec.engine));
    Ok(format!("db-{}", spec.engine))
}

#[activity(retry(max_attempts = 3))]
async fn set_record(
    State(cloud): State<Cloud>,
    context: ActivityContext,
    domain: &str,
    addresses: &[String],
) -> Result<(), ProvisionError> {
    cloud.journal.note(&context, format!("{domain} -> {}", addresses.join(" ")));
    Ok(())
}

#[activity(retry(max_attempts = 3))]
async fn delete(
    State(cloud): State<Cloud>,
    context: ActivityContext,
    kind: &str,
    id: &str,
) -> Result<(), ProvisionError> {
    if cloud.undeletable.contains(&id) {
        return Err(ProvisionError::Api(409));
    }
    cloud.journal.note(&context, format!("delete {kind} {id}"));
    Ok(())
}

/// The whole environment, or nothing of it.
#[workflow]
async fn provision(spec: Spec) -> Result<Environment, ProvisionError> {
    let (cause, undo) = match build(&spec).await {
        Ok(environment) => return Ok(environment),
        Err(failure) => failure,
    };
    let (removed, left) = roll_back(undo).await;
    Err(ProvisionError::RolledBack { cause: Box::new(cause), removed, left })
}

#[workflow]
async fn build(spec: &Spec) -> Result<Environment, (ProvisionError, Vec<Undo>)> {
    let mut undo = Vec::new();
    let Spec { name, region, .. } = spec;
    let network = create_network(name, region).await.map_err(|cause| (cause, undo.clone()))?;
    undo.push(Undo::Network(network.clone()));

    let mut machines = BTreeMap::<Role, Vec<Machine>>::new();
    for (index, machine) in spec.machines.iter().enumerate() {
        let id = format!("{name}-{index}");
        let sizes = std::iter::once(&machine.size).chain(&machine.spares);
        let mut failure = None;
        for size in sizes {
            match create_machine(&network, &id, size).await {
                Ok(created) => {
                    undo.push(Undo::Machine { id: created.id.clone(), role: machine.role });
                    machines.entry(machine.role).or_default().push(created);
                    failure = None;
                    break;
                }
                Err(error @ ProvisionError::SoldOut { .. }) => failure = Some(error),
                Err(error) => return Err((error, undo)),
            }
        }
        if let Some(failure) = failure {
            return Err((failure, undo));
        }
    }

    // All of them start while the first is waited for.
    for machine in machines.values().flatten() {
        ready(&machine.id).await.map_err(|cause| (cause, undo.clone()))?;
    }

    let database = if let Some(database) = &spec.database {
        let id = create_database(&network, database).await.map_err(|cause| (cause, undo.clone()))?;
        undo.push(Undo::Database { id: id.clone(), keep_backup: database.gigabytes > 100 });
        ready(&id).await.map_err(|cause| (cause, undo.clone()))?;
        Some(id)
    } else {
        None
    };

    let url = match (&spec.domain, machines.get(&Role::Web)) {
        (Some(domain), Some(web)) => {
            let addresses: Vec<String> = web.iter().map(|machine| machine.address.clone()).collect();
            set_record(domain, &addresses).await.map_err(|cause| (cause, undo.clone()))?;
            undo.push(Undo::Record(domain.clone()));
            Some(format!("https://{domain}"))
        }
        (Some(_), None) => {
            return Err((ProvisionError::Quota { what: "a domain needs a web machine".into() }, undo));
        }
        (None, _) => None,
    };
    Ok(Environment { network, machines, database, url })
}

/// Looks more and more rarely, and gives up after ten minutes.
#[workflow]
async fn ready(id: &str) -> Result<(), ProvisionError> {
    let started = durable::now();
    let mut pause = 5 * SECOND;
    loop {
        match health(id).await? {
            Health::Ready => return Ok(()),
            Health::Broken => return Err(ProvisionError::NotReady { id: id.into(), waited_secs: 0 }),
            Health::Starting => {}
        }
        let waited = durable::now().duration_since(started).unwrap_or_default();
        if waited >= 10 * MINUTE {
            return Err(ProvisionError::NotReady { id: id.to_string(), waited_secs: waited.as_secs() });
        }
        sleep(pause).await;
        pause = MINUTE.min(pause * 2);
    }
}

/// Takes back what was done. What can't be deleted is reported and does not keep the rest from going.
#[workflow]
async fn roll_back(mut undo: Vec<Undo>) -> (Vec<String>, Vec<String>) {
    let (mut removed, mut left) = (vec![], vec![]);
    while let Some(step) = undo.pop() {
        let label = step.to_string();
        let result = match &step {
            Undo::Network(id) => delete("network", id).await,
            Undo::Machine { id, .. } => delete("machine", id).await,
            Undo::Database { id, keep_backup } => {
                if *keep_backup {
                    delete("database-but-not-its-backup", id).await
                } else {
                    delete("database", id).await
                }
            }
            Undo::Record(domain) => delete("record", domain).await,
        };
        if let Err(error) = result {
            left.push(format!("{label}: {error}"));
        } else {
            removed.push(label);
        }
    }
    (removed, left)
}

fn spec() -> Spec {
    let machine = |role, spares: &[&str]| MachineSpec {
        role,
        size: "large".into(),
        spares: spares.iter().map(ToString::to_string).collect(),
    };
    Spec {
        name: "shop".into(),
        region: "north".into(),
        machines: vec![machine(Role::Web, &["medium", "small"]), machine(Role::Worker, &["small"])],
        database: Some(DatabaseSpec { engine: "postgres".into(), gigabytes: 200 }),
        domain: Some("shop.example.org".into()),
    }
}

async fn open(cloud: &Arc<Cloud>) -> TestEngine {
    testing::engine().state_arc(cloud.clone()).open().await
}

#[tokio::test]
async fn an_environment_comes_up_with_the_sizes_that_are_left() {
    let cloud = Arc::new(Cloud { sold_out: vec!["large", "medium"], ..Cloud::default() });
    let environment = open(&cloud).await.run(provision(spec())).await.unwrap().unwrap();
    assert_eq!(environment.url.as_deref(), Some("https://shop.example.org"));
    assert_eq!(environment.database.as_deref(), Some("db-postgres"));
    assert_eq!(environment.machines[&Role::Web][0].size, "small");
    assert_eq!(
        cloud.journal.lines(),
        [
            "network shop in north",
            "machine shop-0 small",
            "machine shop-1 small",
            "database postgres in net-shop",
            "shop.example.org -> 10.0.0.1",
        ]
    );
}

#[tokio::test]
async fn a_database_over_quota_takes_everything_down_again() {
    let cloud = Arc::new(Cloud { no_database: true, ..Cloud::default() });
    let engine = open(&cloud).await;
    let handle = engine.start("shop", provision(spec())).await.unwrap();
    assert_eq!(
        handle.result().await.unwrap().unwrap_err(),
        ProvisionError::RolledBack {
            cause: Box::new(ProvisionError::Quota { what: "200 GB of postgres".into() }),
            removed: vec!["shop-1 (Worker)".into(), "shop-0 (Web)".into(), "net-shop".into()],
            left: vec![],
        }
    );
    assert!(matches!(handle.describe().await.unwrap().status, Status::Failed));
    assert_eq!(
        cloud.journal.lines()[3..],
        ["delete machine shop-1", "delete machine shop-0", "delete network net-shop"]
    );
}

#[tokio::test]
async fn a_machine_that_never_starts_is_waited_for_ten_minutes() {
    let cloud = Arc::new(Cloud { stuck: vec!["shop-1"], undeletable: vec!["net-shop"], ..Cloud::default() });
    let outcome = open(&cloud).await.run(provision(spec())).await.unwrap();
    let Err(ProvisionError::RolledBack { cause, removed, left }) = outcome else { panic!("{outcome:?}") };
    assert!(matches!(*cause, ProvisionError::NotReady { waited_secs: 600.., .. }), "{cause}");
    assert_eq!(removed.len(), 2);
    assert_eq!(left, ["net-shop: the API answered 409"]);
}

#[tokio::test]
async fn no_crash_leaves_anything_behind() {
    testing::crash_at_every_step(|| provision(spec()))
        .with(|engine| engine.state(Cloud { no_database: true, ..Cloud::default() }))
        .await;
    testing::crash_at_every_step(|| provision(spec())).with(|engine| engine.state(Cloud::default())).await;
}
