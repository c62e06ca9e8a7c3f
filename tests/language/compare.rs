//! Runs the twins and compares their results and their calls.
//!
//! A crash comes wherever the engine has nothing left to do but to wait for the one activity (or timer) that the workflow
//! waits for: activities take a second of virtual time. What an activity logs, it logs at its end, so a cut-off attempt leaves no
//! trace and the two logs must be equal, entry by entry.

use std::{
    fmt::{Debug, Write as _},
    time::Duration,
};

use durable::__private::RootWorkflow;
use durable::{Persist, Status, WorkflowCall, testing};

use crate::vocabulary::{Log, mocked, take_stand_in_log};

/// What every activity takes on the virtual clock.
pub(crate) const TAKES: Duration = Duration::from_secs(1);
/// No function here suspends this often.
const SUSPENSIONS_ENOUGH: usize = 300;

/// What a run gave: its result as text, and its calls.
#[derive(Debug, PartialEq)]
struct Run {
    result: String,
    calls: Vec<String>,
}

/// Compares a plain function with a workflow, in peace and with a crash at every suspension.
///
/// # Errors
/// What differs, with both results and both logs.
pub(crate) fn compare<T, F, W>(
    plain: impl Fn() -> F,
    flow: impl Fn() -> WorkflowCall<W>,
) -> Result<(), String>
where
    F: Future<Output = T>,
    T: Debug,
    W: RootWorkflow<Output = T>,
    W::Args: Send,
    T: Persist + Send,
{
    let runtime =
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime needs no more than memory");
    runtime.block_on(async {
        let expected = run_plain(plain()).await;
        let (peaceful, _) = run_flow(&flow, false).await;
        same("in peace", &expected, &peaceful)?;
        let (crashed, crashes) = run_flow(&flow, true).await;
        same(&format!("with {crashes} crashes"), &expected, &crashed)?;
        if crashes < expected.calls.len() {
            return Err(format!(
                "{crashes} crashes for {} calls: some suspension was not crashed",
                expected.calls.len()
            ));
        }
        Ok(())
    })
}

async fn run_plain<T: Debug>(plain: impl Future<Output = T>) -> Run {
    take_stand_in_log();
    let result = format!("{:?}", plain.await);
    Run { result, calls: take_stand_in_log() }
}

async fn run_flow<W>(flow: &impl Fn() -> WorkflowCall<W>, crash: bool) -> (Run, usize)
where
    W: RootWorkflow,
    W::Args: Send,
    W::Output: Persist + Send + Debug,
{
    let log = Log::default();
    let builder = testing::engine().state(log.clone());
    let engine = if crash { mocked(builder, &log).open().await } else { builder.open().await };
    let started = engine.start("twin", flow()).await;
    let mut result = started.map(|_| String::new()).map_err(|error| error.to_string());
    let mut crashes = 0;
    while result.is_ok() {
        engine.idle().await;
        let description = engine.handle("twin").describe().await.expect("the instance is there");
        match &description.status {
            Status::Running | Status::Waiting => {}
            Status::Completed | Status::Failed => break,
            _ => result = Err(format!("{description}")),
        }
        if crash {
            engine.crash_and_reopen().await;
            crashes += 1;
        }
        if crashes > SUSPENSIONS_ENOUGH {
            result = Err(format!("still not at its end after {crashes} crashes: {description}"));
        }
        engine.advance(TAKES).await;
    }
    let result = match result {
        Ok(_) => match engine.start("twin", flow()).await.expect("it attaches").result().await {
            Ok(output) => format!("{output:?}"),
            Err(error) => format!("no result: {error}"),
        },
        Err(error) => format!("no result: {error}"),
    };
    (Run { result, calls: log.take() }, crashes)
}

fn same(how: &str, plain: &Run, flow: &Run) -> Result<(), String> {
    if plain == flow {
        return Ok(());
    }
    let mut text = format!("the workflow differs from its plain twin {how}\n");
    let _ = writeln!(text, "  plain    {}\n  workflow {}", plain.result, flow.result);
    for at in 0..plain.calls.len().max(flow.calls.len()) {
        let (left, right) = (plain.calls.get(at), flow.calls.get(at));
        let mark = if left == right { ' ' } else { '!' };
        let shown = |call: Option<&String>| call.map_or("-", String::as_str).to_owned();
        let _ = writeln!(text, "{mark} {at:3}  plain {}  |  workflow {}", shown(left), shown(right));
    }
    Err(text)
}
