//! The workflows and activities that a build knows.
//!
//! Annotated items register themselves when they are linked; the engine's builder can register
//! more. Two items of one name are an error that names both places.

use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, atomic::AtomicBool},
    task::Poll,
};

use crate::{
    activity::{Activity, ActivityEntry, write_some},
    codec::{Bytes, Codec, EncodeError, Encoded, LayoutId, Persist, TypeOf},
    context::{Lent, Scratch, Step, StepFailure},
    engine::mail::{MessageKind, queue},
    error::CallError,
    frame::{Frame, FrameImage, Frames, StandIn},
    hashing::ByName,
    instance::InstanceInfo,
    message::{Publish, Signal, Update},
    meta::WorkflowMeta,
    random::Random,
    workflow::RootWorkflow,
};

/// One annotated item.
#[derive(Clone, Copy, Debug)]
pub enum Registration {
    /// A workflow.
    Workflow(&'static WorkflowEntry),
    /// An activity.
    Activity(&'static ActivityEntry),
    /// A message, if it can be stored; else rustc has said so already.
    Message(fn() -> Option<MessageEntry>),
    /// Something that is published, likewise.
    Published(fn() -> Option<PublishedEntry>),
}

inventory::collect!(Registration);

impl Registration {
    /// Registers a workflow.
    pub const fn workflow<W: RootWorkflow>() -> Self {
        Registration::Workflow(const { &WorkflowEntry::of::<W>() })
    }

    /// Registers an activity.
    pub const fn activity<A: Activity>() -> Self {
        Registration::Activity(const { &ActivityEntry::of::<A>() })
    }
}

/// A type of message without the type: nothing needs it but a look at the messages that wait, and the layout file.
#[derive(Clone, Copy, Debug)]
pub struct MessageEntry {
    pub(crate) kind: MessageKind,
    pub(crate) name: &'static str,
    pub(crate) of: &'static TypeOf,
    /// What an update is answered with.
    pub(crate) reply: Option<&'static TypeOf>,
}

/// A type of what instances publish, likewise.
#[derive(Clone, Copy, Debug)]
pub struct PublishedEntry {
    pub(crate) name: &'static str,
    pub(crate) of: &'static TypeOf,
}

/// A type of message, of which it may not be known whether it can be stored.
#[derive(Debug, Default)]
pub struct MessageType<T>(PhantomData<T>);

impl<S: Signal + Persist> MessageType<S> {
    /// The signal.
    pub const fn signal() -> Option<MessageEntry> {
        let of = TypeOf::of::<S>();
        Some(MessageEntry { kind: MessageKind::Signal, name: S::NAME, of, reply: None })
    }
}

impl<U: Update + Persist> MessageType<U> {
    /// The update.
    pub const fn update() -> Option<MessageEntry> {
        let (of, reply) = (TypeOf::of::<U>(), Some(TypeOf::of::<U::Output>()));
        Some(MessageEntry { kind: MessageKind::Update, name: U::NAME, of, reply })
    }
}

impl<P: Publish + Persist> MessageType<P> {
    /// The published type.
    pub const fn publish() -> Option<PublishedEntry> {
        Some(PublishedEntry { name: P::NAME, of: TypeOf::of::<P>() })
    }
}

/// What [`MessageType`] gives for a type that can't be stored: a second error would say nothing new.
pub trait NoMessage {
    /// None.
    fn signal() -> Option<MessageEntry> {
        None
    }

    /// None.
    fn update() -> Option<MessageEntry> {
        None
    }

    /// None.
    fn publish() -> Option<PublishedEntry> {
        None
    }
}

impl<T> NoMessage for MessageType<T> {}

/// A workflow without its types.
#[derive(Clone, Copy, Debug)]
pub struct WorkflowEntry {
    pub(crate) meta: &'static WorkflowMeta,
    pub(crate) args: &'static TypeOf,
    pub(crate) output: &'static TypeOf,
    pub(crate) poll: fn(Lent<'_>, Machine) -> Option<Moved>,
    /// The output that stands for an end without one, if its type has an error for that.
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
    const fn of<W: RootWorkflow>() -> Self {
        WorkflowEntry {
            meta: W::META,
            args: TypeOf::of::<W::Args>(),
            output: TypeOf::of::<W::Output>(),
            poll: poll::<W>,
            exhausted: exhausted::<W>,
        }
    }

    /// The variables that the workflow keeps at each of its resume points, with their types, in the order in which they are saved. The machine is
    /// polled for that, and stops where it would load them.
    pub(crate) fn variables(&self) -> Vec<Vec<(&'static str, &'static TypeOf)>> {
        let frames = Arc::new(Frames::new(Box::new(|_| None), Vec::new()));
        let scratch = Scratch::new(Arc::new(InstanceInfo::nowhere()), Arc::new(Random::seeded(0)));
        let mut step = Step::new(Arc::new(Codec::new()), frames, 0, scratch);
        step.learning = Some(Box::default());
        let nothing = FrameImage { layout: 0, vars: Bytes::default() };
        (self.poll)((&mut step).into(), Machine::At(nothing));
        let types = step.learning.map(|learning| learning.types).unwrap_or_default();
        let points = self.meta.points.iter().map(|point| {
            let witnesses = point.witnesses.chunks_exact(2);
            let witnesses = witnesses.map(|bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]])));
            point.vars().zip(witnesses.filter_map(|at| types.get(at).copied())).collect()
        });
        points.collect()
    }
}

fn exhausted<W: RootWorkflow>(error: CallError, codec: &Codec) -> Option<Result<Encoded, EncodeError>> {
    write_some(W::ended().for_call_error(error), codec)
}

fn poll<W: RootWorkflow>(step: Lent<'_>, machine: Machine) -> Option<Moved> {
    drive(step, W::META, machine, W::poll)
}

type Poller<A, O> = fn(&mut Frame<'_>, Option<A>) -> Poll<O>;

/// Runs a root workflow to its next suspension.
#[inline(never)]
fn drive<A: Persist, O: Persist>(
    mut step: Lent<'_>,
    meta: &'static WorkflowMeta,
    machine: Machine,
    poll: Poller<A, O>,
) -> Option<Moved> {
    let (mut args, image) = begin::<A>(&mut step, meta, machine)?;
    if step.dry.is_some() && image.is_none() {
        // It has not begun, and its arguments can be read.
        return None;
    }
    let mut output = None;
    let moved = run(step.again(), meta, image, &mut |frame| {
        loop {
            match poll(frame, args.take()) {
                Poll::Pending if frame.again(const { TypeOf::of::<A>() }, &mut args) => {}
                Poll::Pending => return true,
                Poll::Ready(value) => {
                    output = Some(value);
                    return false;
                }
            }
        }
    });
    match output {
        Some(output) => ended(&mut step, meta, output),
        None => moved,
    }
}

/// Makes the frame, and leaves it when the machine is suspended, which `poll` says.
fn run(
    step: Lent<'_>,
    meta: &'static WorkflowMeta,
    image: Option<FrameImage>,
    poll: &mut dyn FnMut(&mut Frame<'_>) -> bool,
) -> Option<Moved> {
    let mut frame = Frame::new(step, meta, image);
    if frame.is_broken() {
        return None;
    }
    let is_pending = poll(&mut frame);
    let (step, image) = frame.leave(is_pending);
    if step.failure.is_some() { None } else { image.map(Moved::Suspended) }
}

// What names a type but not the workflow is a function of its own, which is compiled once per type; see `popular`.

/// The arguments of a machine that begins, and the image of any other.
#[inline(never)]
fn begin<A: Persist>(
    step: &mut Lent<'_>,
    meta: &WorkflowMeta,
    machine: Machine,
) -> Option<(Option<A>, Option<FrameImage>)> {
    let args = match machine {
        Machine::At(image) => return Some((None, Some(image))),
        Machine::Start(args) => args,
    };
    let Encoded { layout, bytes } = match step.frames.load_args(&step.codec, meta.args, args) {
        Ok(args) => args,
        Err(reason) => {
            step.failure = Some(StepFailure::Incompatible { reason });
            return None;
        }
    };
    let mut args = None;
    let of = const { TypeOf::of::<A>() };
    match step.frames.decode_as(&step.codec, of, layout, &bytes, &mut args) {
        Ok(()) => {
            look_at_arguments(step, of, layout);
            Some((args, None))
        }
        Err(error) => {
            let what = format!("the arguments of workflow `{}`", meta.name);
            step.failure = Some(StepFailure::Decode { what, error });
            None
        }
    }
}

/// An instance that has not begun resumes with its arguments as they are, or converted.
fn look_at_arguments(step: &mut Step, of: &TypeOf, layout: LayoutId) {
    if let Some(found) = &mut step.dry
        && step.codec.has_changed(of, layout)
    {
        found.converted.push("arguments".to_owned());
    }
}

#[inline(never)]
fn ended<O: Persist>(step: &mut Lent<'_>, meta: &WorkflowMeta, output: O) -> Option<Moved> {
    if step.failure.is_some() {
        return None;
    }
    match step.codec.encode_as(const { TypeOf::of::<O>() }, &output) {
        Ok(output) => Some(Moved::Ended(output)),
        Err(error) => {
            let what = format!("the result of workflow `{}`", meta.name);
            step.failure = Some(StepFailure::Encode { what, error });
            None
        }
    }
}

type Begin<A> = fn(&mut Lent<'_>, &WorkflowMeta, Machine) -> Option<(Option<A>, Option<FrameImage>)>;
type Ended<O> = fn(&mut Lent<'_>, &WorkflowMeta, O) -> Option<Moved>;

/// What a workflow with such arguments, or such an output, needs; see [`popular`](crate::popular).
#[allow(dead_code)]
pub(crate) struct Popular<T>(Begin<T>, Ended<T>);

impl<T: Persist> Popular<T> {
    pub(crate) const fn new() -> Self {
        Popular(begin::<T>, ended::<T>)
    }
}

/// What an engine was opened with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    pub(crate) workflows: HashMap<&'static str, WorkflowEntry, ByName>,
    pub(crate) activities: HashMap<&'static str, Arc<KnownActivity>, ByName>,
    /// The types of the messages of a queue: two types may have one name where no instance receives both.
    pub(crate) messages: HashMap<u64, Vec<MessageEntry>>,
    pub(crate) published: Vec<PublishedEntry>,
}

/// An activity, and how its attempts have gone in this process.
#[derive(Debug)]
pub(crate) struct KnownActivity {
    pub(crate) entry: ActivityEntry,
    /// Its last attempt ended at once, without waiting for anything: the next one will too, as far as one can tell.
    pub(crate) is_quick: AtomicBool,
}

impl std::ops::Deref for KnownActivity {
    type Target = ActivityEntry;

    fn deref(&self) -> &ActivityEntry {
        &self.entry
    }
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
                Registration::Workflow(&entry) => {
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
                Registration::Activity(&entry) => registry.add_activity(entry)?,
                Registration::Message(entry) => {
                    let Some(entry) = entry() else { continue };
                    registry.messages.entry(queue(entry.kind, entry.name)).or_default().push(entry);
                }
                Registration::Published(entry) => registry.published.extend(entry()),
            }
        }
        registry.add_old_names()?;
        Ok(registry)
    }

    /// What had another name is found by it too.
    fn add_old_names(&mut self) -> Result<(), Duplicate> {
        let workflows: Vec<_> = self.workflows.values().copied().collect();
        for entry in workflows {
            for &was in entry.meta.was {
                if let Some(other) = self.workflows.insert(was, entry) {
                    return Err(Duplicate { name: was, first: place(other.meta), second: place(entry.meta) });
                }
            }
        }
        let activities: Vec<_> = self.activities.values().cloned().collect();
        for entry in activities {
            for &was in entry.meta.was {
                if let Some(other) = self.activities.insert(was, entry.clone()) {
                    let (first, second) = (place_of(&other), place_of(&entry));
                    return Err(Duplicate { name: was, first, second });
                }
            }
        }
        Ok(())
    }

    /// Makes instances of some workflows go on as others.
    pub(crate) fn stand_in(&mut self, stand_ins: &[StandIn]) {
        let own = self.workflows.clone();
        for one in stand_ins {
            self.workflows.extend(own.get(one.new).map(|entry| (one.old, *entry)));
        }
    }

    /// Whether two stored names are those of one workflow.
    pub(crate) fn is_same_workflow(&self, one: &str, other: &str) -> bool {
        let name = |name| self.workflows.get(name).map(|entry| entry.meta.name);
        one == other || name(one).is_some_and(|one| name(other) == Some(one))
    }

    fn add_activity(&mut self, entry: ActivityEntry) -> Result<(), Duplicate> {
        let (name, second) = (entry.meta.name, place_of(&entry));
        if let Some(other) =
            self.activities.insert(name, Arc::new(KnownActivity { entry, is_quick: AtomicBool::new(false) }))
        {
            let first = place_of(&other);
            if first != second {
                return Err(Duplicate { name, first, second });
            }
        }
        Ok(())
    }
}

fn place_of(entry: &ActivityEntry) -> String {
    format!("{} at {}:{}", entry.meta.function, entry.meta.file, entry.meta.line)
}

fn place(meta: &WorkflowMeta) -> String {
    format!("{} at {}:{}", meta.function, meta.file, meta.line)
}
