//! What the engine is made to do.

use std::task::Poll;

use durable::{
    __private::{Frame, PointMeta, Registration, Workflow, WorkflowMeta, into_durable, inventory, poll_once, suspend, var},
    WorkflowCall, activity,
};

/// An activity that does nothing.
#[activity]
pub(crate) async fn tick(n: u64) -> u64 {
    n + 1
}

pub(crate) struct Count;

impl Workflow for Count {
    type Args = (u64,);
    type Output = u64;
    const META: &'static WorkflowMeta = &WorkflowMeta {
        name: "count",
        function: "steps::workload::count",
        file: file!(),
        line: line!(),
        deadline_ms: None,
        points: &[PointMeta {
            name: None,
            callee: "tick",
            path: "for",
            binding: "",
            args: "total",
            line: line!(),
            column: 1,
            vars: &["for _", "total"],
        }],
    };
    fn poll(frame: &mut Frame<'_>, args: Option<Self::Args>) -> Poll<u64> {
        async fn body(cx: &mut Frame<'_>, args: Option<(u64,)>) -> u64 {
            let (mut steps, mut total);
            let mut call = if cx.resume_point() == 0 {
                steps = 0..args.expect("arguments").0;
                total = 0;
                None
            } else {
                let Some((one, two, three)) = cx.load() else { match suspend().await {} };
                (steps, total) = (two, three);
                Some(one)
            };
            loop {
                if call.is_none() {
                    if steps.next().is_none() {
                        return total;
                    }
                    call = Some(into_durable(tick(total)));
                }
                let awaited = call.as_mut().expect("just set");
                total = match cx.poll(awaited) {
                    Poll::Ready(value) => value,
                    Poll::Pending => {
                        cx.save(1, var(awaited), &[var(&steps), var(&total)]);
                        match suspend().await {}
                    }
                };
                call = None;
            }
        }
        poll_once(body(frame, args))
    }
}

inventory::submit! { Registration::workflow::<Count>() }

/// `total = tick(total).await`, so many times.
pub(crate) fn count(steps: u64) -> WorkflowCall<Count> {
    WorkflowCall::new((steps,))
}
