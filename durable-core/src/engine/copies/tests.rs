//! What is read of an export that somebody made up.

use durable_store::{Number, Slot};
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

fn value(byte: u8) -> Encoded {
    Encoded { layout: LayoutId(7), bytes: vec![byte; 40] }
}

/// One of many kinds of things.
fn portable() -> Portable {
    let mut state = InstanceState::new(value(1), vec![("tenant".into(), "acme".into())], 3, 1_000);
    state.next_operation = 20;
    state.wait = Some(Wait::Any(vec![Wait::Op(3), Wait::All(vec![Wait::Message(4), Wait::Cancelled])]));
    state.published.push(("progress".into(), value(2)));
    let options = crate::activity::CallOptions::default();
    let activity = ActivityOperation::new("charge".into(), value(3), options.clone(), 9, 1_000);
    let call = NewOperation::Activity { name: "refund".into(), args: value(4), options };
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

#[test]
fn what_was_written_is_read() {
    let json = exported(portable()).to_json();
    let Ok((_, exact)) = read(json) else { panic!("it is one") };
    assert_eq!(exact.portable.state.wait, portable().state.wait);
    assert_eq!(exact.portable.operations, portable().operations);
}

#[tokio::test]
async fn made_up_states_end_in_an_error_or_in_an_instance_and_never_in_a_panic() {
    let json = exported(portable()).to_json();
    let engine = testing::engine().open().await;
    let mut random = fastrand::Rng::with_seed(17);
    let (mut refused, mut gone_on) = (0, 0);
    for _ in 0..3_000 {
        let made_up = with_instance(&json, |bytes| {
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..bytes.len());
                match random.u8(..4) {
                    0 => bytes[at] = random.u8(..),
                    1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.usize(..5)],
                    2 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, random.u8(..)),
                }
            }
        });
        match engine.import(made_up).await {
            // Its workflow is not in this build, which is looked at last.
            Err(ImportError::Impossible { .. }) => gone_on += 1,
            Err(ImportError::Engine(error)) => panic!("something broke: {error}"),
            Err(_) => refused += 1,
            Ok(_) => panic!("there is no workflow"),
        }
    }
    assert!(refused > 500 && gone_on > 50, "{refused} refused, {gone_on} would have gone on");
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
