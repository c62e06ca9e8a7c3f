//! Where the instances of the kept store stand, and how each of them goes on.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use durable::{Filter, ParkReason, RunError, Status, testing::TestEngine};

use crate::program::{
    Add, Approve, DAY, FIXED, HOUR, Link, MINUTE, Progress, Remark, Shape, Values, cart, counts, delivers,
    divides, gives_up, joins, keeps, listens, outer, pages, parent, pays, publishes, races, refund,
    remembers, selects, sleeps, spawns, undoes, waits_for_a_caller,
};

fn values() -> Values {
    Values {
        small: (255, -300, 'ß', true),
        wide: (u128::MAX, i128::MIN, 0.1),
        maybe: Some(None),
        map: BTreeMap::from([((1, 2), vec!["three".into()]), ((4, 5), Vec::new())]),
        shape: Shape::Area {
            width: 1 << 40,
            url: url::Url::parse("https://example.org/?q=1").expect("it is one"),
        },
        rest: BTreeMap::from([("free".into(), serde_json::json!({ "a": [1, null, "b"] }))]),
        skipped: None,
    }
}

/// Brings an instance to each kind of place.
pub(crate) async fn stand(engine: &TestEngine) {
    FIXED.store(false, Ordering::Relaxed);
    engine.start("closed", sleeps(0)).await.unwrap();
    engine.start("failed", undoes("early".into())).await.unwrap();
    engine.advance(2 * HOUR).await;

    // These go on for an hour: to a second round, a second attempt, a second value.
    engine.start("loop", counts(vec![10, 20])).await.unwrap();
    engine.start("published", publishes()).await.unwrap();
    engine.start("attempts", delivers("lamp".into())).await.unwrap();
    engine.advance(HOUR + MINUTE).await;

    engine.start("activity", pays("tea".into())).await.unwrap();
    engine.start("timer", sleeps(30)).await.unwrap();
    engine.start("nested", outer("box".into())).await.unwrap();
    engine.start("join", joins()).await.unwrap();
    engine.start("race", races()).await.unwrap();
    engine.start("select", selects()).await.unwrap();
    engine.start("timeout", gives_up()).await.unwrap();
    engine.start("spawned", spawns()).await.unwrap();
    engine.start("child", parent()).await.unwrap();
    engine.start("signals", listens()).await.unwrap();
    engine.start("updates", cart()).await.unwrap();
    engine.start("external", waits_for_a_caller()).await.unwrap();
    engine.start("compensated", undoes("trip".into())).await.unwrap();
    engine.start("cancelled", undoes("tour".into())).await.unwrap();
    engine.start("parked", divides(0)).await.unwrap();
    engine.start("values", keeps(values())).await.unwrap();
    engine.start("large", remembers(pages())).await.unwrap();
    engine.start("tagged", gives_up()).tag("tenant", "acme").tag("tier", "gold").await.unwrap();
    engine.start("deadline", listens()).deadline(3 * DAY).await.unwrap();
    engine.start("delayed", pays("later".into())).delay(DAY).await.unwrap();
    engine.start("paused", pays("paused".into())).await.unwrap();
    engine.idle().await;
    for text in ["one", "two"] {
        engine.signal("signals", Remark(text.into())).await.unwrap();
    }
    assert_eq!(engine.update("updates", Add { sku: "lamp".into(), qty: 2 }).await.unwrap(), 2);
    engine.handle("paused").pause().await.unwrap();
    engine.advance(2 * MINUTE).await;
}

/// Takes every instance to its right end. Those that a format has brought are in files of later ones too.
pub(crate) async fn go_on(engine: &TestEngine, format: u64) {
    FIXED.store(true, Ordering::Relaxed);
    closed(engine).await;
    described(engine).await;
    told(engine).await;

    macro_rules! ends {
        ($id:literal as $workflow:ident with $result:expr) => {{
            let result = engine.handle($id).of($workflow).result().await;
            assert_eq!(result.unwrap_or_else(|error| panic!("{}: {error}", $id)), $result, "{}", $id);
        }};
    }
    if format >= 4 {
        ends!("large" as remembers with pages());
    }
    ends!("activity" as pays with "<tea> 507");
    ends!("loop" as counts with [5, 6, 10, 11]);
    ends!("nested" as outer with "outer 100 middle box Some(101) 42");
    ends!("join" as joins with "<join> 3 [1, 2, 3, 4, 5]");
    ends!("race" as races with 1);
    ends!("select" as selects with "<select> by Ann");
    ends!("timeout" as gives_up with "nobody");
    ends!("tagged" as gives_up with "nobody");
    ends!("spawned" as spawns with "11 [4, 0]");
    ends!("signals" as listens with "Bea one two");
    ends!("external" as waits_for_a_caller with 42);
    ends!("published" as publishes with 3);
    ends!("parked" as divides with 18);
    ends!("values" as keeps with values());
    ends!("paused" as pays with "<paused> 507");
    ends!("delayed" as pays with "<later> 507");
    ends!("child" as parent with "\"<child> 507\" \"<before> 2 <after>\"");
    ends!("timer" as sleeps with "<before> 30 <after>");
    ends!("updates" as cart with BTreeMap::from([("bulb".into(), 5), ("lamp".into(), 3)]));
    let shipped = engine.handle("attempts").of(delivers).result().await.unwrap();
    assert_eq!(shipped.unwrap(), "shipped lamp at attempt 3");

    let undone = engine.handle("compensated").of(undoes).result().await.unwrap();
    assert_eq!(undone.unwrap_err().to_string(), "no car for 70");
    let cancelled = engine.handle("cancelled").of(undoes).result().await;
    assert!(matches!(cancelled, Err(RunError::Cancelled { .. })), "{cancelled:?}");
    // Of both, hotel and flight; what was dismissed is not.
    let refunds: Vec<String> = engine.calls(refund).iter().map(|call| format!("{call:?}")).collect();
    assert_eq!(refunds.len(), 4, "{refunds:?}");
    let late = engine.handle("deadline").of(listens).result().await;
    assert!(late.is_err(), "{late:?}");
    let left = engine.list(Filter::new()).await.unwrap();
    let open: Vec<_> = left
        .iter()
        .filter(|one| matches!(one.status, Status::Running | Status::Waiting | Status::Parked(_)))
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

/// What had ended is there to be read.
async fn closed(engine: &TestEngine) {
    let result = engine.handle("closed").of(sleeps).try_result().await.unwrap();
    assert_eq!(result.as_deref(), Some("<before> 0 <after>"));
    let history = engine.handle("closed").history().await.unwrap();
    assert!(history.len() == 5, "{history:?}");
    let failed = engine.handle("failed").describe().await.unwrap();
    assert_eq!(failed.status, Status::Failed, "{failed}");
    assert!(failed.result.is_some_and(|result| result.to_string().contains("no car for 70")));
}

/// What is asked of an instance that waits.
async fn described(engine: &TestEngine) {
    let report = engine.check().await.unwrap();
    assert_eq!((report.stranded(), report.exit_code()), (0, 0), "{report}");
    let nested = engine.handle("nested").describe().await.unwrap();
    let frames: Vec<_> = nested.frames.iter().map(|frame| frame.workflow.as_str()).collect();
    assert_eq!(frames, ["innermost", "middle", "outer"]);
    assert!(nested.to_string().contains("kept = 101"), "{nested}");
    let acme = engine.list(Filter::new().tag("tenant", "acme")).await.unwrap();
    assert_eq!(acme.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["tagged"]);
    let parked = engine.handle("parked").history().await.unwrap();
    assert!(format!("{parked:?}").contains("divide by zero"), "{parked:?}");
    let progress = engine.handle("published").published::<Progress>().await.unwrap();
    assert_eq!(progress.map(|progress| (progress.done, progress.of)), Some((1, 3)));
    let attempts = engine.handle("attempts").describe().await.unwrap();
    assert_eq!(attempts.activities[0].attempt, 3, "{attempts}");
    let paused = engine.handle("paused").describe().await.unwrap();
    assert_eq!(paused.status, Status::Paused);
    let values = engine.handle("values").describe().await.unwrap().to_string();
    assert!(values.contains("https://example.org/?q=1"), "{values}");
    assert!(!matches!(
        engine.handle("timer").describe().await.unwrap().status,
        Status::Parked(ParkReason::Incompatible { .. })
    ));
}

/// What comes from outside.
async fn told(engine: &TestEngine) {
    engine.signal("select", Approve { by: "Ann".into() }).await.unwrap();
    engine.signal("signals", Approve { by: "Bea".into() }).await.unwrap();
    let link = engine.handle("external").published::<Link>().await.unwrap().expect("it is published");
    engine.complete(&link.token, 41).await.unwrap();
    assert_eq!(engine.update("updates", Add { sku: "bulb".into(), qty: 5 }).await.unwrap(), 5);
    assert_eq!(engine.update("updates", Add { sku: "lamp".into(), qty: 1 }).await.unwrap(), 3);
    engine.handle("cancelled").cancel("it rains").await.unwrap();
    engine.handle("paused").resume().await.unwrap();
}
