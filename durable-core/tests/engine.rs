//! The engine with a workflow that was lowered by hand, as the compiler lowers it.

use std::{task::Poll, time::Duration};

use durable_core::{
    ActivityCall, Filter, Status, WorkflowCall,
    private::{self as p, Workflow},
    sleep, testing,
};
use durable_macros::activity;

#[activity(crate = durable_core)]
async fn double(n: u64) -> u64 {
    n * 2
}

/// `let mut total = 0; for _ in 0..rounds { total += double(total + 1).await; } sleep(1h).await; total`
fn rounds(rounds: u32) -> WorkflowCall<impl p::RootWorkflow<Args = (u32,), Output = u64> + use<>> {
    struct Def;
    impl Workflow for Def {
        type Args = (u32,);
        type Output = u64;
        const META: &'static p::WorkflowMeta = &p::WorkflowMeta {
            name: "rounds",
            was: &[],
            args: &[],
            function: "engine::rounds",
            file: file!(),
            line: line!(),
            deadline_ms: None,
            migrate: None,
            first: &[0, 1, 2],
            points: {
                static POINTS: p::Points = p::Points::new(
                    "double\tfor\t\ttotal + 1\t20\t9\tfor _\0total\t0 1\t0\nsleep\t\t\t1h\t21\t9\ttotal\t1\t0",
                );
                &POINTS
            },
        };
        fn poll(frame: &mut p::Frame<'_>, args: Option<(u32,)>) -> Poll<u64> {
            async fn body(cx: &mut p::Frame<'_>, args: Option<(u32,)>) -> u64 {
                let (s_left, s_total) = (p::storable(cx), p::storable(cx));
                let (mut left, mut total, nap);
                'saved: {
                    let Some(mut point) = cx.resume_point() else { break 'saved };
                    'p2: {
                        match point {
                            0 => {
                                left = p::IntoSteps::into_steps(0..args.expect("there at the start").0);
                                total = 0;
                            }
                            1 => (left, total) = (0..0, 0),
                            _ => {
                                (total, nap) = ((s_total.0)(cx), None);
                                break 'p2;
                            }
                        }
                        'l: loop {
                            let call;
                            'p1: {
                                if std::mem::take(&mut point) == 1 {
                                    (left, total, call) = ((s_left.0)(cx), (s_total.0)(cx), None);
                                    break 'p1;
                                }
                                match p::Steps::next_step(&mut left) {
                                    Some(_) => call = Some(p::into_durable(double(total + 1))),
                                    None => break 'l,
                                }
                            }
                            total += match cx.poll(call, 1) {
                                Poll::Ready(value) => value,
                                Poll::Pending => {
                                    cx.keep_all(&[&total, &left]);
                                    cx.save();
                                    break 'saved;
                                }
                            };
                        }
                        nap = Some(p::into_durable(sleep(Duration::from_secs(3600))));
                    }
                    match cx.poll(nap, 2) {
                        Poll::Ready(()) => {}
                        Poll::Pending => {
                            cx.keep_all(&[&total]);
                            cx.save();
                            break 'saved;
                        }
                    }
                    return total;
                }
                match p::suspend().await {}
            }
            p::poll_once(std::pin::pin!(body(frame, args)))
        }
    }
    impl p::RootWorkflow for Def {
        const REGISTRATION: p::Registration = p::Registration::workflow::<Self>();
    }
    p::inventory::submit! { <Def as p::RootWorkflow>::REGISTRATION }
    WorkflowCall::<Def>::new((rounds,))
}

/// The compiler's calls are typed by the function; so is this one.
fn _typed(n: u64) -> ActivityCall<impl p::Activity<Args = (u64,), Output = u64>> {
    double(n)
}

#[tokio::test]
async fn a_workflow_runs_to_its_end_over_activities_and_a_timer() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", rounds(3)).await.expect("it starts");
    assert!(handle.created());
    assert_eq!(handle.result().await.expect("it ends"), 26);
    assert_eq!(engine.calls(double), 3);
    let description = handle.describe().await.expect("it is there");
    assert_eq!(description.status, Status::Completed);
    let again = engine.start("a", rounds(3)).await.expect("it attaches");
    assert!(!again.created());
}

#[tokio::test]
async fn what_was_committed_survives_a_crash_and_is_not_done_again() {
    let engine = testing::engine().open().await;
    engine.start("a", rounds(3)).await.expect("it starts");
    engine.idle().await;
    let waiting = engine.handle("a").describe().await.expect("it is there");
    assert_eq!(waiting.status, Status::Waiting, "{waiting}");
    assert_eq!(waiting.frames[0].line, 21);
    assert_eq!(waiting.frames[0].locals, [("total".to_string(), serde_json::json!(26))]);
    engine.crash_and_reopen().await;
    assert_eq!(engine.handle("a").of(rounds).result().await.expect("it ends"), 26);
    assert_eq!(engine.calls(double), 3);
    assert_eq!(engine.list(Filter::new()).await.expect("it lists").len(), 1);
}

#[tokio::test]
async fn a_crash_after_any_commit_changes_nothing() {
    let report = testing::crash_at_every_step(|| rounds(2)).await;
    assert!(report.crashes >= 4, "{report:?}");
}

#[tokio::test]
async fn many_instances_share_commits() {
    let engine = testing::engine().open().await;
    let mut handles = Vec::new();
    for n in 0..200 {
        handles.push(engine.start(format!("i{n}"), rounds(5)).await.expect("it starts"));
    }
    for handle in handles {
        assert_eq!(handle.result().await.expect("it ends"), 242);
    }
}

#[tokio::test]
async fn a_timer_of_a_terminated_instance_does_not_wake_the_next_one_in_its_place() {
    let engine = testing::engine().open().await;
    let first = engine.start("a", rounds(0)).await.expect("it starts");
    engine.advance(Duration::from_secs(30 * 60)).await;
    first.terminate("not needed").await.expect("it is terminated");
    let second = engine.start("b", rounds(0)).await.expect("it starts");
    engine.advance(Duration::from_secs(45 * 60)).await;
    assert_eq!(second.try_result().await.expect("it is there"), None, "its hour is not over");
    engine.advance(Duration::from_secs(15 * 60)).await;
    assert_eq!(second.try_result().await.expect("it is there"), Some(0));
}
