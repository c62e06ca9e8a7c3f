//! What an instance is doing, for people: from its stored record alone, without running any code.

mod compensations;

use std::fmt;

use durable_store::{Closed, Slot};

use super::{
    error::EngineError,
    inner::Inner,
    state::{Cause, ClosedState, End, InstanceState, Loaded, ParkReason, Status},
};
use crate::{clock::from_ms, codec::LayoutId, registry::Machine};

/// What an instance is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Description {
    /// The instance's id.
    pub id: String,
    /// The stored name of its workflow.
    pub workflow: String,
    /// Where it stands.
    pub status: Status,
    /// When it was started.
    pub started: std::time::SystemTime,
    /// When it ended.
    pub closed: Option<std::time::SystemTime>,
    /// Steps committed.
    pub steps: u64,
    /// Tags given at the start.
    pub tags: Vec<(String, String)>,
    /// What it waits for, and since when.
    pub waiting: Option<Waiting>,
    /// The frames: the innermost first, and behind those that it awaits the one that called them. Those of spawned workflows come last.
    pub frames: Vec<FrameView>,
    /// Activities that were called and have not given a result.
    pub activities: Vec<PendingActivity>,
    /// Compensations that were pushed and have not run, in the order in which they would.
    pub compensations: Vec<CompensationView>,
    /// Timers that are set.
    pub timers: Vec<std::time::SystemTime>,
    /// The ids of the children that it has started and that have not ended.
    pub children: Vec<String>,
    /// When it must have ended.
    pub deadline: Option<std::time::SystemTime>,
    /// Why it was cancelled, if it was and has not ended yet.
    pub cancelling: Option<String>,
    /// Messages that wait for it, by their stored names, with how many of each.
    pub messages: Vec<(String, u32)>,
    /// Messages that were accepted and that it ended without receiving; 0 before its end.
    pub unread: u32,
    /// The last published value of each type, by its stored name, as JSON.
    pub published: Vec<(String, serde_json::Value)>,
    /// What it returned, as JSON.
    pub result: Option<serde_json::Value>,
    /// Bytes of its snapshot.
    pub snapshot_bytes: usize,
    /// Since when a step of it has been made that takes long; see [`EngineBuilder::step_timeout`](crate::EngineBuilder::step_timeout).
    pub stepping_since: Option<std::time::SystemTime>,
}

pub use compensations::{CompensationState, CompensationView};

/// What an instance waits for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Waiting {
    /// The activity, `sleep`, or what else is awaited.
    pub on: String,
    /// Since when.
    pub since: std::time::SystemTime,
}

/// One workflow function on the stack.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FrameView {
    /// The workflow's stored name.
    pub workflow: String,
    /// The source file, if the build that took the snapshot is known.
    pub file: String,
    /// The line it stands at; 0 if it is not known.
    pub line: u32,
    /// What it awaits.
    pub awaits: String,
    /// The value of every local that is alive, by name, as JSON.
    pub locals: Vec<(String, serde_json::Value)>,
    /// How many calls deep it stands: 0 is the workflow that was started or spawned. Frames of one depth run side by side.
    pub depth: u32,
    /// For a frame of a workflow that was spawned: which of them.
    pub task: Option<u64>,
}

/// An activity that was called and has not given a result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingActivity {
    /// The stored name.
    pub activity: String,
    /// The attempt that runs or comes next, from 1.
    pub attempt: u32,
    /// The error of the attempt before it.
    pub last_error: Option<String>,
    /// When the next attempt is due; none if it is under way or in the queue.
    pub next_try: Option<std::time::SystemTime>,
    /// Since when the call is pending.
    pub since: std::time::SystemTime,
    /// The key that all its attempts carry.
    pub idempotency_key: String,
    /// The arguments, as JSON.
    pub args: serde_json::Value,
    /// What the last heartbeat reported, as JSON.
    pub progress: Option<serde_json::Value>,
}

impl Description {
    pub(crate) fn of_live(inner: &Inner, slot: Slot, loaded: &Loaded) -> Self {
        let state = &loaded.state;
        let now_ms = inner.clock.now_ms();
        let frames = inner.stack(loaded);
        let on = match &state.ending {
            _ if compensations::running(state).is_some() => {
                format!("compensation `{}`", compensations::running(state).unwrap_or_default())
            }
            Some(_) => ending(state),
            None => super::stack::waits_on(&frames),
        };
        Description {
            id: loaded.id.clone(),
            workflow: loaded.workflow.clone(),
            status: state.status(),
            started: from_ms(loaded.started_ms),
            closed: None,
            steps: state.steps,
            tags: state.tags.clone(),
            waiting: Some(Waiting { on, since: from_ms(state.since_ms) }),
            frames,
            activities: state
                .activities()
                .map(|(_, activity)| PendingActivity {
                    activity: activity.name.to_string(),
                    attempt: activity.failed_attempts + 1,
                    last_error: activity.last_error.clone(),
                    next_try: (activity.next_attempt_ms > now_ms).then(|| from_ms(activity.next_attempt_ms)),
                    since: from_ms(activity.scheduled_ms),
                    idempotency_key: activity.key().to_string(),
                    args: inner.args_json(activity),
                    progress: activity
                        .progress
                        .as_ref()
                        .map(|progress| inner.json(progress.layout, &progress.bytes)),
                })
                .collect(),
            compensations: compensations::views(state),
            timers: state.timers(slot).map(|timer| from_ms(timer.deadline_ms)).collect(),
            children: state.children().map(str::to_owned).collect(),
            deadline: state.deadline_ms.map(from_ms),
            cancelling: state.stop.as_ref().and_then(|stop| match &stop.cause {
                Cause::Cancel { why } => Some(why.clone()),
                Cause::Deadline => None,
            }),
            messages: inner.waiting_messages(slot),
            unread: 0,
            published: inner.shown(&state.published),
            result: None,
            snapshot_bytes: match &state.machine {
                Machine::Start(args) => args.bytes.len(),
                Machine::At(image) => image.vars.len(),
            },
            stepping_since: inner.lanes.stepping_since(loaded.number).map(from_ms),
        }
    }

    pub(crate) fn of_closed(inner: &Inner, closed: &Closed) -> Result<Self, EngineError> {
        let state: ClosedState = postcard::from_bytes(&closed.state)
            .map_err(|error| EngineError::Unreadable { id: closed.id.clone(), reason: error.to_string() })?;
        let (status, result) = match &state.end {
            End::Returned { value, failed } => (
                if *failed { Status::Failed } else { Status::Completed },
                Some(inner.json(value.layout, &value.bytes)),
            ),
            End::Terminated { .. } => (Status::Terminated, None),
            End::Cancelled { .. } => (Status::Cancelled, None),
            End::DeadlineExceeded => (Status::Failed, None),
        };
        Ok(Description {
            id: closed.id.clone(),
            workflow: closed.workflow.clone(),
            status,
            started: from_ms(closed.started_ms),
            closed: Some(from_ms(closed.closed_ms)),
            steps: state.steps,
            tags: state.tags,
            waiting: None,
            frames: Vec::new(),
            activities: Vec::new(),
            compensations: Vec::new(),
            timers: Vec::new(),
            children: Vec::new(),
            deadline: None,
            cancelling: None,
            messages: Vec::new(),
            unread: state.unread,
            published: inner.shown(&state.published),
            result,
            snapshot_bytes: 0,
            stepping_since: None,
        })
    }

    /// Why it is parked, if it is.
    pub fn parked(&self) -> Option<&ParkReason> {
        match &self.status {
            Status::Parked(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What an instance waits for whose end is decided.
fn ending(state: &InstanceState) -> String {
    let names: Vec<_> = state.activities().map(|(_, activity)| format!("`{}`", activity.name)).collect();
    match &names[..] {
        [] => "its end".into(),
        [name] => format!("the end of {name}"),
        [name, others @ ..] => format!("the end of {name} and {} more", others.len()),
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}): {}, {} steps", self.id, self.workflow, self.status, self.steps)?;
        if let Some(why) = &self.cancelling {
            writeln!(f, "  cancelled: {why}")?;
        }
        if self.stepping_since.is_some() {
            writeln!(f, "  makes a step that does not end")?;
        } else if let Some(waiting) = &self.waiting {
            writeln!(f, "  waits on {}", waiting.on)?;
        }
        for frame in &self.frames {
            write!(f, "  at {} ({}:{})", frame.workflow, frame.file, frame.line)?;
            match frame.task {
                Some(_) if frame.depth == 0 => writeln!(f, ", spawned, waits on {}", frame.awaits)?,
                _ => writeln!(f)?,
            }
            for (name, value) in &frame.locals {
                writeln!(f, "      {name} = {value}")?;
            }
        }
        for (name, count) in &self.messages {
            writeln!(f, "  {count} of message {name} wait")?;
        }
        if self.unread > 0 {
            writeln!(f, "  ended with {} unread messages", self.unread)?;
        }
        for (name, value) in &self.published {
            writeln!(f, "  published {name} = {value}")?;
        }
        for activity in &self.activities {
            write!(f, "  activity {}: attempt {}", activity.activity, activity.attempt)?;
            match &activity.last_error {
                Some(error) => writeln!(f, ", last error: {error}")?,
                None => writeln!(f)?,
            }
        }
        for compensation in &self.compensations {
            writeln!(f, "  compensation {}: {}", compensation.name, compensation.state)?;
        }
        Ok(())
    }
}

impl Inner {
    /// A stored value as JSON; what can't be read says so in place of its value.
    /// The arguments of a pending call, in the order in which they were stored.
    fn args_json(&self, activity: &super::state::ActivityOperation) -> serde_json::Value {
        let values = self.frames.args_layout(activity.args.layout);
        self.json(values, &activity.args.bytes)
    }

    pub(crate) fn json(&self, layout: LayoutId, bytes: &[u8]) -> serde_json::Value {
        match self.frames.view(&self.codec, layout, bytes) {
            Ok(value) => value.to_json(),
            Err(error) => serde_json::Value::String(format!("<can't be read: {error}>")),
        }
    }

    fn shown(&self, published: &[(String, crate::codec::Encoded)]) -> Vec<(String, serde_json::Value)> {
        published.iter().map(|(name, value)| (name.clone(), self.json(value.layout, &value.bytes))).collect()
    }

    /// What waits in a mailbox. A queue does not know its name, but each message in it does.
    fn waiting_messages(&self, slot: Slot) -> Vec<(String, u32)> {
        let mailbox = self.ask(|store| store.mailbox(slot)).ok().flatten().unwrap_or_default();
        let queues = mailbox.queues.iter().filter(|queue| queue.queue != super::mail::CONTROL);
        let waiting = queues.map(|queue| {
            let first = self.ask(|store| store.mail(slot, queue.queue, None, 1)).unwrap_or_default();
            let first = first.first().and_then(|mail| postcard::from_bytes(&mail.bytes).ok());
            let name = first.map_or_else(|| "?".into(), |message: super::mail::Message| message.name);
            (name, queue.count)
        });
        waiting.collect()
    }

    /// Whether an output is an `Err`.
    pub(crate) fn is_err(&self, value: &crate::codec::Encoded) -> bool {
        let view = self.frames.view(&self.codec, value.layout, &value.bytes);
        view.is_ok_and(|view| view.is_err())
    }
}
