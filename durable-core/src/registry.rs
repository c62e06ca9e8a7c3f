//! The workflows and activities that a build knows.
//!
//! Annotated items register themselves when they are linked; the engine's builder can register
//! more. Two items of one name are an error that names both places.

use std::{collections::HashMap, sync::Arc, task::Poll};

use crate::{
    activity::{Activity, ActivityEntry, write_some},
    codec::{Codec, Emit, EncodeError, Encoded, Persist, Slot, TypeOf},
    context::{Step, StepFailure},
    error::CallError,
    frame::{Frame, FrameImage},
    meta::WorkflowMeta,
    workflow::RootWorkflow,
};

/// One annotated item.
#[derive(Clone, Copy, Debug)]
pub enum Registration {
    /// A workflow.
    Workflow(fn() -> WorkflowEntry),
    /// An activity.
    Activity(fn() -> ActivityEntry),
}

inventory::collect!(Registration);

impl Registration {
    /// Registers a workflow.
    pub const fn workflow<W: RootWorkflow>() -> Self {
        Registration::Workflow(WorkflowEntry::of::<W>)
    }

    /// Registers an activity.
    pub const fn activity<A: Activity>() -> Self {
        Registration::Activity(ActivityEntry::of::<A>)
    }
}

/// A workflow without its types.
#[derive(Clone, Copy, Debug)]
pub struct WorkflowEntry {
    pub(crate) meta: &'static WorkflowMeta,
    pub(crate) poll: fn(&mut Step, Machine) -> Option<Moved>,
    /// The output that stands for an end without one, if its type has an error for that.
    #[allow(dead_code, reason = "children follow")]
    pub(crate) exhausted: fn(CallError, &Codec) -> Option<Result<Encoded, EncodeError>>,
}

/// Where an instance's machine stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Machine {
    /// It has not begun; these are its arguments.
    Start(Encoded),
    /// At a resume point.
    At(FrameImage),
}

/// How far a machine moved in a step. There is none if the step failed.
#[derive(Debug)]
pub(crate) enum Moved {
    /// To a resume point.
    Suspended(FrameImage),
    /// To its end.
    Ended(Encoded),
}

impl WorkflowEntry {
    fn of<W: RootWorkflow>() -> Self {
        WorkflowEntry { meta: W::META, poll: poll::<W>, exhausted: exhausted::<W> }
    }
}

fn exhausted<W: RootWorkflow>(error: CallError, codec: &Codec) -> Option<Result<Encoded, EncodeError>> {
    write_some(W::from_call_error(error), codec)
}

/// Runs a root workflow to its next suspension.
fn poll<W: RootWorkflow>(step: &mut Step, machine: Machine) -> Option<Moved> {
    let (mut frame, args) = enter(step, W::META, machine)?;
    match W::poll(&mut frame, args) {
        Poll::Pending => Moved::suspended(frame),
        Poll::Ready(output) => ended(frame, W::META, output),
    }
}

// What names a type but not the workflow is a function of its own, which is compiled once per type; see `popular`.

#[inline(never)]
fn enter<'a, A: Persist>(
    step: &'a mut Step,
    meta: &'static WorkflowMeta,
    machine: Machine,
) -> Option<(Frame<'a>, Option<A>)> {
    let mut args = None;
    let frame = machine.enter(step, meta, const { TypeOf::of::<A>() }, &mut args)?;
    Some((frame, args))
}

#[inline(never)]
fn ended<O: Persist>(frame: Frame<'_>, meta: &WorkflowMeta, output: O) -> Option<Moved> {
    Moved::ended(frame, meta, const { TypeOf::of::<O>() }, &output)
}

type Enter<A> = for<'a> fn(&'a mut Step, &'static WorkflowMeta, Machine) -> Option<(Frame<'a>, Option<A>)>;
type Ended<O> = fn(Frame<'_>, &WorkflowMeta, O) -> Option<Moved>;

/// What a workflow with such arguments, or such an output, needs; see [`popular`](crate::popular).
#[allow(dead_code)]
pub(crate) struct Popular<T>(Enter<T>, Ended<T>);

impl<T: Persist> Popular<T> {
    pub(crate) const fn new() -> Self {
        Popular(enter::<T>, ended::<T>)
    }
}

impl Machine {
    /// Makes the frame that the machine goes on in; the arguments come into their slot if it begins.
    fn enter<'a>(
        self,
        step: &'a mut Step,
        meta: &'static WorkflowMeta,
        of: &TypeOf,
        args: &mut dyn Slot,
    ) -> Option<Frame<'a>> {
        let image = match self {
            Machine::Start(Encoded { layout, bytes }) => {
                if let Err(error) = step.frames.decode_as(&step.codec, of, layout, &bytes, args) {
                    let what = format!("the arguments of workflow `{}`", meta.name);
                    step.failure = Some(StepFailure::Decode { what, error });
                    return None;
                }
                None
            }
            Machine::At(image) => Some(image),
        };
        let frame = Frame::new(step, meta, image);
        if frame.is_broken() { None } else { Some(frame) }
    }
}

impl Moved {
    fn suspended(frame: Frame<'_>) -> Option<Self> {
        let (step, image) = frame.leave(true);
        if step.failure.is_some() { None } else { image.map(Moved::Suspended) }
    }

    fn ended(frame: Frame<'_>, meta: &WorkflowMeta, of: &TypeOf, output: &dyn Emit) -> Option<Self> {
        let (step, _) = frame.leave(false);
        match step.codec.encode_as(of, output) {
            Ok(_) if step.failure.is_some() => None,
            Ok(output) => Some(Moved::Ended(output)),
            Err(error) => {
                let what = format!("the result of workflow `{}`", meta.name);
                step.failure = Some(StepFailure::Encode { what, error });
                None
            }
        }
    }
}

/// What an engine was opened with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    pub(crate) workflows: HashMap<&'static str, WorkflowEntry>,
    pub(crate) activities: HashMap<&'static str, Arc<ActivityEntry>>,
}

/// Two items of one name.
#[derive(Debug)]
pub(crate) struct Duplicate {
    pub(crate) name: &'static str,
    pub(crate) first: String,
    pub(crate) second: String,
}

impl Registry {
    /// Everything that registered itself, and `explicit` items besides; an item that is both is one.
    pub(crate) fn collect(explicit: &[Registration]) -> Result<Self, Duplicate> {
        let mut registry = Registry::default();
        for registration in
            inventory::iter::<Registration>.into_iter().copied().chain(explicit.iter().copied())
        {
            match registration {
                Registration::Workflow(make) => {
                    let entry = make();
                    if let Some(other) = registry.workflows.insert(entry.meta.name, entry)
                        && !std::ptr::eq(other.meta, entry.meta)
                        && place(other.meta) != place(entry.meta)
                    {
                        return Err(Duplicate {
                            name: entry.meta.name,
                            first: place(other.meta),
                            second: place(entry.meta),
                        });
                    }
                }
                Registration::Activity(make) => registry.add_activity(make())?,
            }
        }
        Ok(registry)
    }

    fn add_activity(&mut self, entry: ActivityEntry) -> Result<(), Duplicate> {
        let place = |entry: &ActivityEntry| {
            format!("{} at {}:{}", entry.meta.function, entry.meta.file, entry.meta.line)
        };
        let (name, second) = (entry.meta.name, place(&entry));
        if let Some(other) = self.activities.insert(name, Arc::new(entry)) {
            let first = place(&other);
            if first != second {
                return Err(Duplicate { name, first, second });
            }
        }
        Ok(())
    }
}

fn place(meta: &WorkflowMeta) -> String {
    format!("{} at {}:{}", meta.function, meta.file, meta.line)
}
