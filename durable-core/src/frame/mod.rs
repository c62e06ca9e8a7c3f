//! Frames: a workflow function at one of its resume points.
//!
//! Generated code talks to a [`Frame`] while it is polled: it asks where to resume, loads what was
//! live there, and at the next suspension saves what is live then. What comes out is a
//! [`FrameImage`]; the image of the root frame, in which the images of called workflows are nested,
//! is the snapshot of an instance.
//!
//! Deliberately absent: any knowledge of how values are written (`codec`) and of what happens to an
//! image (`engine`).

mod image;
pub(crate) mod kept;
mod load;
mod parameters;
mod rewrite;
mod snapshot;
pub(crate) mod witnesses;

use std::{
    any::{Any, TypeId},
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
};

use smallvec::SmallVec;

#[cfg(feature = "simulation")]
pub(crate) use image::reads_and_writes;
pub(crate) use image::{FrameImage, FrameLayout, Frames, KnownLayout, StandIn, other_workflow, split};
pub use load::{NoText, Owned, Storable};
pub(crate) use rewrite::{Edited, Editing, FrameSeen};
pub use snapshot::{Migration, Snapshot};

use crate::{
    codec::{Bytes, Codec, Emit, EncodeError, Encoded, LayoutId, Slot, TypeOf},
    context::{Context, Lent, Step, StepFailure},
    meta::WorkflowMeta,
};
use image::{Ranges, Resolved};
use rewrite::{Attempt, Given};

/// The name under which the awaited future is kept in a frame.
pub(crate) const AWAITED: &str = "await";

/// A workflow function while it is polled.
#[derive(Debug)]
pub struct Frame<'a> {
    step: Lent<'a>,
    meta: &'static WorkflowMeta,
    source: Option<Source>,
    /// What it loads besides that, or in place of that.
    given: Option<Box<Given>>,
    /// How far it has come on the way to an image that it can go on from, if its workflow says how another build's becomes one.
    attempt: Option<Box<Attempt>>,
    /// The types of the variables, by the number of their witness.
    types: SmallVec<[(TypeId, &'static TypeOf); 6]>,
    /// What was read for the point that it resumes at, in the order in which it is loaded.
    loaded: SmallVec<[Option<Box<dyn Any>>; 4]>,
    /// Which of these is loaded next.
    next: usize,
    /// What is to be saved so far, the last variable first: where each lies in `kept`, with its layout.
    parts: SmallVec<[Part; 4]>,
    kept: Vec<u8>,
    /// The future that was polled last, as it is to be stored.
    awaited: Option<Result<Encoded, EncodeError>>,
    saved: Option<FrameImage>,
    /// How many messages had been taken when the awaited future was polled.
    mark: usize,
    /// At which point that was.
    polled: u32,
    /// What was thrown while the generated code had called.
    thrown: Option<Box<dyn Any + Send>>,
}

/// A variable's layout and its place among what is kept.
type Part = Result<(u64, Range<usize>), EncodeError>;

/// The image that a frame resumes from.
#[derive(Debug)]
struct Source {
    resolved: Arc<Resolved>,
    bytes: Bytes,
    /// Where each stored variable lies in `bytes`.
    ranges: Ranges,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(step: Lent<'a>, meta: &'static WorkflowMeta, image: Option<FrameImage>) -> Self {
        let mut frame = Frame {
            step,
            meta,
            source: None,
            given: None,
            attempt: None,
            types: SmallVec::new(),
            loaded: SmallVec::new(),
            next: 0,
            parts: SmallVec::new(),
            kept: Vec::new(),
            awaited: None,
            saved: None,
            mark: 0,
            polled: 0,
            thrown: None,
        };
        if let Some(image) = image.filter(|_| frame.step.learning.is_none()) {
            frame.attempt(&image);
            frame.begin(image);
        }
        frame
    }

    /// Goes on from an image.
    fn begin(&mut self, image: FrameImage) {
        let layout = image.layout;
        match self.open(image) {
            Ok(source) => {
                self.source = Some(source);
                self.edit();
            }
            Err(reason) => {
                self.step.stuck = self.step.frames.get(layout).ok();
                self.fail(StepFailure::Incompatible { reason });
            }
        }
    }

    /// Runs code of the user's for generated code, which calls by an ABI that does not unwind: else each call is one more place
    /// that rustc and LLVM write down what to drop from, of what may be hundreds. What is thrown goes on where the
    /// frame is left; until then the frame does nothing more, and its machine is suspended at the next call.
    pub(crate) fn guard(&mut self, run: &mut dyn FnMut(&mut Self)) {
        if self.thrown.is_none() {
            self.thrown = catch_unwind(AssertUnwindSafe(|| run(self))).err();
        }
    }

    /// As it was before it was polled, and without an image.
    fn reset(&mut self) {
        self.source = None;
        self.given = None;
        self.types.clear();
        self.loaded.clear();
        self.next = 0;
        self.parts.clear();
        self.kept.clear();
        self.awaited = None;
        self.saved = None;
    }

    /// The resume point that it goes on at; 0 from the start.
    fn begins_at(&self) -> u32 {
        match (&self.given, &self.source) {
            (Some(given), _) => given.point,
            (None, Some(source)) => source.resolved.matched.point,
            (None, None) => self.step.learning.as_ref().map_or(0, |learning| learning.point),
        }
    }

    fn open(&mut self, image: FrameImage) -> Result<Source, String> {
        let resolved = self.step.frames.resolve(self.meta, image.layout)?;
        let ranges = image::split(&image.vars, resolved.known.layout.vars.len()).ok_or_else(|| {
            format!("the snapshot of workflow `{}` is damaged: its variables do not add up", self.meta.name)
        })?;
        Ok(Source { resolved, bytes: image.vars, ranges })
    }

    /// Where to go on: 0 from the start, `n` at the workflow's n-th resume point. `None`: a variable can't be read, and the frame has
    /// noted why; leave through [`suspend`](crate::private::suspend). It is asked behind the witnesses, which read what the point needs.
    #[allow(improper_ctypes_definitions, reason = "as for `Storable`")]
    pub extern "C" fn resume_point(&mut self) -> Option<u32> {
        let point = self.begins_at();
        let goes_on = self.step.learning.is_none() || point > 0;
        (self.step.failure.is_none() && self.thrown.is_none() && goes_on).then_some(point)
    }

    /// The next witness is of this type. Gives where the point that the frame resumes at loads the variable, if it does.
    fn learn(&mut self, of: &'static TypeOf) -> Option<usize> {
        let witness = self.types.len();
        self.types.push(((of.id)(), of));
        if let Some(learning) = &mut self.step.learning {
            learning.types.push(of);
        }
        let point = self.begins_at().checked_sub(1)?;
        let mut loads = self.meta.points[point as usize].witnesses.chunks_exact(2);
        loads.position(|bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) == witness)
    }

    /// Keeps what was read until it is loaded.
    fn read(&mut self, at: usize, value: Box<dyn Any>) {
        if self.loaded.len() <= at {
            self.loaded.resize_with(at + 1, || None);
        }
        self.loaded[at] = Some(value);
    }

    /// The next variable.
    fn load_next(&mut self) -> Option<Box<dyn Any>> {
        let value = self.loaded.get_mut(self.next)?.take();
        self.next += 1;
        value
    }

    fn load_awaited(&mut self, of: &TypeOf, slot: &mut dyn Slot) {
        self.load_at(0, of, slot);
    }

    fn load_at(&mut self, at: usize, of: &TypeOf, slot: &mut dyn Slot) {
        if self.given.is_some() && self.load_given(at, of, slot) {
            return;
        }
        if let Some(learning) = &mut self.step.learning {
            if at == 0 {
                learning.awaits = Some(*of);
            }
            let read = learning.value(at).map(|value| Codec::read_as(of, value, slot));
            if !matches!(read, Some(Ok(()))) {
                slot.clear();
                self.fail(StepFailure::Foreign { workflow: self.meta.name });
            }
            return;
        }
        let Some(source) = &self.source else { return };
        let Some(place) = source.resolved.matched.places.get(at) else { return };
        let (name, layout) = &source.resolved.known.layout.vars[place.at];
        let bytes = &source.bytes[source.ranges[place.at].clone()];
        let step = &mut *self.step;
        let (frames, codec) = (&step.frames, &step.codec);
        let read = frames.decode_part(codec, of, (LayoutId(*layout), bytes), &place.part, slot);
        if let Some(found) = &mut step.dry
            && at > 0
            && codec.has_changed(of, LayoutId(*layout))
        {
            found.converted.push(name.clone());
        }
        if let Err(error) = read {
            slot.clear();
            let what = self.variable(name, source.resolved.matched.point);
            self.step.stuck.get_or_insert_with(|| source.resolved.known.clone());
            self.fail(StepFailure::Decode { what, error });
        }
    }

    /// What a message calls a variable at a point.
    fn variable(&self, name: &str, point: u32) -> String {
        let line = self.meta.points[point as usize - 1].line;
        format!("variable `{name}` of workflow `{}` at {}:{line}", self.meta.name, self.meta.file)
    }

    /// What a future is polled with; none once the step has failed.
    fn context(&mut self) -> Option<Context<'_>> {
        if self.step.failure.is_some() {
            return None;
        }
        self.step.wait = None;
        self.mark = self.step.scratch.borrow().mark();
        Some(Context { step: self.step.again() })
    }

    /// The user's code gets what was awaited, and with it the messages that were taken for that.
    fn receive(&mut self) {
        self.step.scratch.borrow_mut().consume_since(self.mark);
    }

    /// Keeps the future that is not ready.
    pub(crate) fn keep_awaited(&mut self, of: &TypeOf, future: &dyn Emit) {
        if self.step.failure.is_none() {
            self.awaited = Some(self.step.codec.encode_as(of, future));
        }
    }

    /// Takes variables into what is saved next, the last one first.
    #[allow(improper_ctypes_definitions, reason = "as for `Storable`")]
    pub extern "C" fn keep_all(&mut self, vars: &[&dyn Any]) {
        if self.parts.is_empty() {
            // What is larger grows from here.
            self.kept.reserve(16 * vars.len());
        }
        self.guard(&mut |frame| vars.iter().for_each(|var| frame.keep_one(*var)));
    }

    fn keep_one(&mut self, var: &dyn Any) {
        let id = var.type_id();
        let known = self.types.iter().find(|(known, _)| *known == id);
        let (of, value) = known
            .and_then(|(_, of)| Some((*of, (of.emit)(var)?)))
            .expect("generated code asks for the proof of each variable that it saves");
        let start = self.kept.len();
        let layout = self.step.codec.encode_as_into(of, value, &mut self.kept);
        self.parts.push(layout.map(|layout| (layout.0, start..self.kept.len())));
    }

    /// The resume point that was polled last.
    pub fn point(&self) -> u32 {
        self.polled
    }

    /// Saves what was kept at the resume point that was polled last, beside its future. What follows is the suspension.
    pub extern "C" fn save(&mut self) {
        self.guard(&mut |frame| {
            if frame.step.failure.is_none() {
                match frame.image(frame.polled) {
                    Ok(image) => frame.saved = Some(image),
                    Err(failure) => frame.fail(failure),
                }
            }
        });
    }

    fn image(&mut self, point: u32) -> Result<FrameImage, StepFailure> {
        let names = self.meta.points[point as usize - 1].vars();
        let (kept, parts) = (self.awaited.take(), std::mem::take(&mut self.parts));
        let unwritten = |name, error| StepFailure::Encode { what: self.variable(name, point), error };
        let awaited = match kept {
            Some(awaited) => awaited.map_err(|error| unwritten(AWAITED, error))?,
            None => return Err(StepFailure::Foreign { workflow: self.meta.name }),
        };
        let most = self.step.scratch.borrow().limits.snapshot_bytes;
        let too_large = |bytes| StepFailure::TooLarge { workflow: self.meta.name, bytes, most };
        // Seen before all of it is copied once more.
        if self.kept.len() > most {
            return Err(too_large(self.kept.len()));
        }
        let is_large = self.kept.len() >= image::IN_PLACE;
        let mut layouts = SmallVec::<[u64; 8]>::new();
        let (mut vars, mut ranges) = (Vec::new(), Vec::new());
        layouts.push(awaited.layout.0);
        if !is_large {
            vars.reserve_exact(self.kept.len() + awaited.bytes.len() + 2 * parts.len() + 2);
            image::push_delimited(&mut vars, &awaited.bytes);
        }
        for (part, name) in parts.into_iter().rev().zip(names) {
            let (layout, range) = part.map_err(|error| unwritten(name, error))?;
            layouts.push(layout);
            if is_large {
                ranges.push(range);
            } else {
                image::push_delimited(&mut vars, &self.kept[range]);
            }
        }
        if is_large {
            vars = image::put_together(&awaited.bytes, &mut self.kept, &ranges);
        }
        if vars.len() > most {
            return Err(too_large(vars.len()));
        }
        let layout = self.step.frames.layout(self.meta, point, &layouts);
        Ok(FrameImage { layout, vars: vars.into() })
    }

    /// The step, and if this frame is suspended what was saved.
    pub(crate) fn leave(mut self, is_pending: bool) -> (&'a mut Step, Option<FrameImage>) {
        if let Some(thrown) = self.thrown.take() {
            resume_unwind(thrown);
        }
        if is_pending && self.saved.is_none() && self.step.failure.is_none() {
            self.step.failure = Some(StepFailure::Foreign { workflow: self.meta.name });
        }
        (self.step.back(), self.saved.filter(|_| is_pending))
    }

    fn fail(&mut self, failure: StepFailure) {
        self.step.failure.get_or_insert(failure);
    }

    /// Whether the image that this frame was made from can't be resumed, and polling it would not change that.
    pub(crate) fn is_broken(&self) -> bool {
        self.step.failure.is_some() && self.attempt.is_none()
    }
}
