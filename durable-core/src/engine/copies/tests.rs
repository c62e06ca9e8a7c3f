//! What is read of an export that somebody made up.

use std::time::Duration;

use durable_macros::workflow;
use durable_store::{Number, Slot};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{
    Portable,
    exported::{Exact, Exported, read, write},
};
use crate::{
    codec::{Encoded, LayoutId},
    context::{NewOperation, Undo, Wait},
    engine::{
        ImportError,
        state::{
            ActivityOperation, Compensation, InstanceState, Operation, OperationKind, Phase, Then, Unwind,
        },
    },
    testing,
};

const HOUR: Duration = Duration::from_secs(3_600);

#[derive(Serialize, Deserialize)]
struct Advice {
    by: String,
}

impl crate::Signal for Advice {
    const NAME: &'static str = "Advice";
}

#[workflow(crate = crate)]
async fn rests(hours: u32, then: Vec<u64>) -> u64 {
    crate::sleep(HOUR * hours).await;
    then.iter().sum()
}

/// It stands at the third pause of its loop, with a bit of everything around it.
#[workflow(crate = crate)]
async fn travels(legs: Vec<(String, u32)>) -> Result<String, crate::Error> {
    let first = crate::recv::<Advice>().await;
    let ticket = crate::external::<u64>();
    let packing = crate::spawn(rests(50, vec![1, 2, 3]));
    crate::compensate(rests(1, Vec::new()));
    crate::compensate(crate::child("home", rests(2, vec![7])));
    let mut seen = Vec::new();
    for (leg, hours) in &legs {
        crate::sleep(HOUR * *hours).await;
        seen.push(format!("{leg} by {}", first.by));
    }
    let second = crate::recv::<Advice>().await;
    let packed = packing.await;
    let _ = ticket;
    Ok(format!("{seen:?} {packed} {}", second.by))
}

fn legs() -> Vec<(String, u32)> {
    ["Oslo", "Rome", "Riga", "Bern"]
        .into_iter()
        .zip(3..)
        .map(|(leg, hours)| (leg.to_owned(), hours))
        .collect()
}

const ARRIVED: &str = r#"["Oslo by Ann", "Rome by Ann", "Riga by Ann", "Bern by Ann"] 6 Bea"#;

fn value(byte: u8) -> Encoded {
    Encoded { layout: LayoutId(7), bytes: vec![byte; 40].into() }
}

/// One of many kinds of things.
fn portable() -> Portable {
    let mut state = InstanceState::new(value(1), vec![("tenant".into(), "acme".into())], 3, 1_000);
    state.next_operation = 20;
    state.wait = Some(Wait::Any(vec![Wait::Op(3), Wait::All(vec![Wait::Message(4), Wait::Cancelled])]));
    state.published.push(("progress".into(), value(2)));
    let options = crate::activity::CallOptions::default();
    let activity = ActivityOperation::new("charge".into(), value(3), options.clone().into(), 9, 1_000);
    let call = NewOperation::Activity { name: "refund".into(), args: value(4), options: options.into() };
    let entry = Compensation { frame: 0, finally: false, call, phase: Phase::Armed, error: None };
    let unwind = Unwind { frames: None, which: Undo::All, then: Then::Forget };
    let kinds = [
        OperationKind::Activity(Box::new(activity)),
        OperationKind::Timer { deadline_ms: 5_000 },
        OperationKind::External { secret: [5; 16] },
        OperationKind::Compensation(Box::new(entry)),
        OperationKind::Unwind(Box::new(unwind)),
    ];
    for (id, kind) in (1..).zip(kinds) {
        state.operations.insert(Operation::new(id, 0, kind));
    }
    Portable::new(("it".into(), "order".into(), 1_000), (Number(8), Slot(2)), state)
}

fn exported(portable: Portable) -> Exported {
    let (layouts, program) = (Vec::new(), None);
    write(Map::new(), &Exact { portable, layouts, program, readable: 0, exported_ms: 1_000 }).unwrap()
}

/// The same with other bytes for its instance, and the checksum that these have.
fn with_instance(json: &Json, change: impl FnOnce(&mut Vec<u8>)) -> Exported {
    super::exported::tamper(json.clone(), change)
}

/// The same, damaged in a few places.
fn damaged(json: &Json, random: &mut fastrand::Rng) -> Exported {
    with_instance(json, |bytes| {
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..bytes.len());
            match random.u8(..4) {
                0 => bytes[at] = random.u8(..),
                1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.usize(..5)],
                2 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, random.u8(..)),
            }
        }
    })
}

#[test]
fn what_was_written_is_read() {
    let json = exported(portable()).to_json();
    let Ok((_, exact)) = read(json) else { panic!("it is one") };
    assert_eq!(exact.portable.state.wait, portable().state.wait);
    assert_eq!(exact.portable.operations, portable().operations);
}

#[tokio::test]
async fn made_up_states_are_read_or_refused() {
    let json = exported(portable()).to_json();
    let engine = testing::engine().open().await;
    let mut random = fastrand::Rng::with_seed(17);
    let (mut refused, mut gone_on) = (0, 0);
    for _ in 0..3_000 {
        match engine.import(damaged(&json, &mut random)).await {
            // Its workflow is not in this build, which is looked at last.
            Err(ImportError::Impossible { .. }) => gone_on += 1,
            Err(ImportError::Engine(error)) => panic!("something broke: {error}"),
            Err(_) => refused += 1,
            Ok(_) => panic!("there is no workflow"),
        }
    }
    assert!(refused > 500 && gone_on > 50, "{refused} refused, {gone_on} would have gone on");
}

/// What is read becomes an instance: it begins, takes steps and can be looked at, or is parked; nobody else notices.
#[tokio::test]
async fn damaged_exports_of_a_running_instance_are_refused_or_go_on_beside_a_healthy_one() {
    let engine = testing::engine().keep_snapshots(3).open().await;
    let handle = engine.start("it", travels(legs())).await.unwrap();
    for by in ["Ann", "Bea"] {
        engine.signal("it", Advice { by: by.into() }).await.unwrap();
    }
    engine.advance(8 * HOUR).await;
    let json = handle.export().await.unwrap().to_json();
    assert_eq!(json["messages"].as_array().unwrap().len(), 1, "{json:#}");
    let mut random = fastrand::Rng::with_seed(17);
    let (mut refused, mut begun) = (0, Vec::new());
    for round in 0..3_000 {
        let id = format!("damaged-{round}");
        match engine.import(damaged(&json, &mut random)).id(&id).await {
            Err(ImportError::Engine(error)) => panic!("something broke in round {round}: {error}"),
            Err(_) => refused += 1,
            Ok(_) => begun.push(id),
        }
    }
    let mut ended = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..2 {
        for id in &begun {
            let described =
                engine.handle(id).describe().await.unwrap_or_else(|error| panic!("{id}: {error}"));
            assert_eq!(described.id, *id);
            engine.handle(id).history().await.unwrap();
        }
        engine.check().await.unwrap();
        // To the end of the healthy one, with whatever the others do meanwhile.
        engine.advance(70 * HOUR).await;
        engine.idle().await;
    }
    assert_eq!(handle.result().await.unwrap().unwrap(), ARRIVED);
    for id in &begun {
        let status = engine.handle(id).describe().await.unwrap().status.to_string();
        let status = status.split(':').next().unwrap_or_default().to_owned();
        *ended.entry(status).or_default() += 1;
    }
    println!("{refused} refused, {} begun: {ended:?}", begun.len());
    assert!(refused > 200 && begun.len() > 200, "{refused} refused, {} begun", begun.len());
    assert!(ended.get("completed") > Some(&50), "{ended:?}");
}

#[tokio::test]
async fn nesting_without_end_is_an_error() {
    let mut deep = portable();
    let mut wait = Wait::Op(1);
    for _ in 0..300 {
        wait = Wait::All(vec![wait]);
    }
    deep.state.wait = Some(wait);
    assert!(read(exported(deep.clone()).to_json()).is_ok(), "as deep as workflows nest");
    let bytes = postcard::to_stdvec(&deep.state.wait).unwrap();
    // `All` of one, a million times: what no value in memory could be written as.
    let endless: Vec<u8> = [bytes[..3].to_vec(), bytes[1..3].repeat(1_000_000)].concat();
    let json = exported(deep).to_json();
    let made_up = with_instance(&json, |all| {
        let at = all.windows(bytes.len()).position(|window| window == bytes).expect("it is in there");
        all.splice(at..at + bytes.len(), endless);
    });
    let error = testing::engine().open().await.import(made_up).await.unwrap_err();
    assert!(error.to_string().contains("can't be read"), "{error}");
}
