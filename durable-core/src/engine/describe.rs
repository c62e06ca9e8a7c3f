//! What an instance is doing, for people: from its stored record alone, without running any code.

use std::fmt;

use durable_store::Closed;

use super::{
    error::EngineError,
    inner::Inner,
    state::{ClosedState, End, Loaded, ParkReason, Status},
};
use crate::{
    clock::from_ms,
    codec::LayoutId,
    frame::{AWAITED, FrameImage, FrameLayout},
    program::Program,
    registry::Machine,
};

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
    /// The stack of frames, the innermost first.
    pub frames: Vec<FrameView>,
    /// Activities that were called and have not given a result.
    pub activities: Vec<PendingActivity>,
    /// Timers that are set.
    pub timers: Vec<std::time::SystemTime>,
    /// What it returned, as JSON.
    pub result: Option<serde_json::Value>,
    /// Bytes of its snapshot.
    pub snapshot_bytes: usize,
}

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
    pub(crate) fn of_live(inner: &Inner, loaded: &Loaded) -> Self {
        let state = &loaded.state;
        let now_ms = inner.clock.now_ms();
        let frames = inner.stack(loaded);
        let on = frames.first().map_or_else(|| "its first step".into(), |frame| frame.awaits.clone());
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
                    activity: activity.name.clone(),
                    attempt: activity.failed_attempts + 1,
                    last_error: activity.last_error.clone(),
                    next_try: (activity.next_attempt_ms > now_ms).then(|| from_ms(activity.next_attempt_ms)),
                    since: from_ms(activity.scheduled_ms),
                    idempotency_key: activity.key().to_string(),
                    args: inner.json(activity.args.layout, &activity.args.bytes),
                    progress: activity
                        .progress
                        .as_ref()
                        .map(|progress| inner.json(progress.layout, &progress.bytes)),
                })
                .collect(),
            timers: state.timers(durable_store::Slot(0)).map(|timer| from_ms(timer.deadline_ms)).collect(),
            result: None,
            snapshot_bytes: match &state.machine {
                Machine::Start(args) => args.bytes.len(),
                Machine::At(image) => image.vars.len(),
            },
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
            timers: Vec::new(),
            result,
            snapshot_bytes: 0,
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

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}): {}, {} steps", self.id, self.workflow, self.status, self.steps)?;
        if let Some(waiting) = &self.waiting {
            writeln!(f, "  waits on {}", waiting.on)?;
        }
        for frame in &self.frames {
            writeln!(f, "  at {} ({}:{})", frame.workflow, frame.file, frame.line)?;
            for (name, value) in &frame.locals {
                writeln!(f, "      {name} = {value}")?;
            }
        }
        for activity in &self.activities {
            write!(f, "  activity {}: attempt {}", activity.activity, activity.attempt)?;
            match &activity.last_error {
                Some(error) => writeln!(f, ", last error: {error}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

impl Inner {
    /// A stored value as JSON; what can't be read says so in place of its value.
    pub(crate) fn json(&self, layout: LayoutId, bytes: &[u8]) -> serde_json::Value {
        match self.frames.view(&self.codec, layout, bytes) {
            Ok(value) => value.to_json(),
            Err(error) => serde_json::Value::String(format!("<can't be read: {error}>")),
        }
    }

    /// Whether an output is an `Err`.
    pub(crate) fn is_err(&self, value: &crate::codec::Encoded) -> bool {
        let view = self.frames.view(&self.codec, value.layout, &value.bytes);
        view.is_ok_and(|view| view.is_err())
    }

    fn stack(&self, loaded: &Loaded) -> Vec<FrameView> {
        let Machine::At(root) = &loaded.state.machine else { return Vec::new() };
        let stored;
        let program = if loaded.state.build == self.build {
            &self.program
        } else {
            let bytes = self.store.program(loaded.state.build).ok().flatten().unwrap_or_default();
            stored = postcard::from_bytes::<Program>(&bytes).unwrap_or_default();
            &stored
        };
        let mut frames = Vec::new();
        let mut next = Some(root.clone());
        while let Some(image) = next.take() {
            let Ok(layout) = self.frames.get(image.layout) else { break };
            let (frame, inner) = self.frame(program, &layout, &image);
            frames.push(frame);
            next = inner;
        }
        frames.reverse();
        frames
    }

    /// One frame, and the frame that it awaits.
    fn frame(
        &self,
        program: &Program,
        layout: &FrameLayout,
        image: &FrameImage,
    ) -> (FrameView, Option<FrameImage>) {
        let (file, line) = program.place(&layout.workflow, &layout.point).unwrap_or_default();
        let mut view = FrameView {
            workflow: layout.workflow.clone(),
            file,
            line,
            awaits: layout.point.callee.clone(),
            locals: Vec::new(),
        };
        let mut inner = None;
        let ranges = crate::frame::split(&image.vars, layout.vars.len()).unwrap_or_default();
        for ((name, id), range) in layout.vars.iter().zip(ranges) {
            let bytes = &image.vars[range];
            if name == AWAITED {
                let value = self.frames.view(&self.codec, LayoutId(*id), bytes).ok();
                inner = value.and_then(|value| value.find_struct("FrameImage"));
            } else {
                view.locals.push((name.clone(), self.json(LayoutId(*id), bytes)));
            }
        }
        (view, inner)
    }
}
