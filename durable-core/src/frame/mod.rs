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
mod memory;
mod parameters;
mod rewrite;
mod snapshot;
pub(crate) mod witnesses;

use std::{
    any::Any,
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
    codec::{Bytes, Codec, LayoutId, Slot, TypeOf},
    context::{Context, Lent, Step, StepFailure},
    meta::WorkflowMeta,
};
use image::Resolved;
use memory::Memory;
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
    memory: Memory,
    /// How many witnesses were asked for.
    witnesses: usize,
    /// How many variables were read for the point that it resumes at.
    read: usize,
    /// How many of these were loaded, in the order in which they are saved.
    loaded: usize,
    saved: Option<FrameImage>,
    /// How many messages had been taken when the awaited future was polled.
    mark: usize,
    /// At which point that was.
    polled: u32,
    /// What was thrown while the generated code had called.
    thrown: Option<Box<dyn Any + Send>>,
}

/// The image that a frame resumes from.
#[derive(Debug)]
struct Source {
    resolved: Arc<Resolved>,
    /// Where each stored variable lies in them is in the frame's memory.
    bytes: Bytes,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(step: Lent<'a>, meta: &'static WorkflowMeta, image: Option<FrameImage>) -> Self {
        let mut frame = Frame {
            step,
            meta,
            source: None,
            given: None,
            attempt: None,
            memory: Memory::of(meta),
            witnesses: 0,
            read: 0,
            loaded: 0,
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
        self.memory.clear();
        (self.witnesses, self.read, self.loaded) = (0, 0, 0);
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
        let count = resolved.known.layout.vars.len();
        if !image::split_into(&image.vars, count, &mut self.memory.stored) {
            let name = self.meta.name;
            return Err(format!("the snapshot of workflow `{name}` is damaged: its variables do not add up"));
        }
        Ok(Source { resolved, bytes: image.vars })
    }

    /// Where to go on: 0 from the start, `n` at the workflow's n-th resume point. `None`: a variable can't be read, and the frame has
    /// noted why; leave through [`suspend`](crate::private::suspend). It is asked behind the witnesses, which read what the point needs.
    #[allow(improper_ctypes_definitions, reason = "as for `Storable`")]
    pub extern "C" fn resume_point(&mut self) -> Option<u32> {
        let point = self.begins_at();
        let goes_on = self.step.learning.is_none() || point > 0;
        (self.step.failure.is_none() && self.thrown.is_none() && goes_on).then_some(point)
    }

    /// The next witness is of this type. If the point that the frame resumes at loads its variable, that is read.
    fn prove(&mut self, of: &'static TypeOf) {
        let witness = self.witnesses;
        self.witnesses += 1;
        self.memory.learn(witness, of);
        if let Some(learning) = &mut self.step.learning {
            learning.types.push(of);
        }
        let Some(point) = self.begins_at().checked_sub(1) else { return };
        let mut loads = self.meta.points[point as usize].witnesses.chunks_exact(2);
        let Some(at) = loads.position(|bytes| number_of(bytes) == witness) else { return };
        self.guard(&mut |frame| {
            let mut slot = frame.memory.take_slot(witness);
            frame.load_at(at + 1, of, &mut *slot);
            frame.memory.put_slot(witness, slot);
            frame.read += 1;
        });
    }

    /// The place of the next variable.
    fn load_next(&mut self) -> Option<&mut dyn Any> {
        let point = self.begins_at().checked_sub(1)?;
        let witnesses = self.meta.points[point as usize].witnesses;
        let witness = number_of(witnesses.get(2 * self.loaded..2 * self.loaded + 2)?);
        self.loaded += 1;
        self.memory.loaded(witness)
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
        let bytes = &source.bytes[self.memory.stored[place.at].clone()];
        let known = &source.resolved.plain[at];
        if known.get().is_some_and(|plain| (plain.read)(slot, bytes)) {
            return;
        }
        let step = &mut *self.step;
        let (frames, codec) = (&step.frames, &step.codec);
        let read = frames.decode_part(codec, of, (LayoutId(*layout), bytes), &place.part, slot);
        if read.is_ok()
            && place.part.is_empty()
            && known.get().is_none()
            && let Some(plain) = codec.reads_plain(of, LayoutId(*layout))
        {
            known.get_or_init(|| plain);
        }
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
        variable(self.meta, name, point)
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

    /// Keeps the future that is not ready. It is the first part of what is saved.
    pub(crate) fn keep_awaited(&mut self, of: &TypeOf, future: &dyn Any) {
        let step = &*self.step;
        if step.failure.is_none() {
            let Memory { parts, kept, .. } = &mut self.memory;
            parts.clear();
            kept.clear();
            let layout = step.codec.encode_any(of, (of.id)(), future, kept);
            parts.push(layout.map(|layout| (layout.0, 0..kept.len())));
        }
    }

    /// Takes variables into what is saved next, the last one first.
    #[allow(improper_ctypes_definitions, reason = "as for `Storable`")]
    pub extern "C" fn keep_all(&mut self, vars: &[&dyn Any]) {
        self.guard(&mut |frame| {
            let codec = &frame.step.codec;
            vars.iter().for_each(|var| frame.memory.keep(codec, *var));
        });
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
        let count = self.meta.points[point as usize - 1].witnesses.len() / 2;
        let most = self.step.scratch.borrow().limits.snapshot_bytes;
        let Memory { parts, kept, .. } = &mut self.memory;
        if parts.len() <= count {
            return Err(StepFailure::Foreign { workflow: self.meta.name });
        }
        let too_large = |bytes| StepFailure::TooLarge { workflow: self.meta.name, bytes, most };
        // Seen before all of it is copied once more.
        if kept.len() > most {
            return Err(too_large(kept.len()));
        }
        // The variables are kept from the last one on.
        parts[1..].reverse();
        let mut layouts = SmallVec::<[u64; 8]>::new();
        let mut ranges = SmallVec::<[_; 8]>::new();
        for (at, part) in parts.drain(..).enumerate() {
            match part {
                Ok((layout, range)) => {
                    layouts.push(layout);
                    ranges.push(range);
                }
                Err(error) => {
                    let vars = self.meta.points[point as usize - 1].vars();
                    let name = std::iter::once(AWAITED).chain(vars).nth(at).unwrap_or_default();
                    return Err(StepFailure::Encode { what: variable(self.meta, name, point), error });
                }
            }
        }
        let vars = image::put_together(kept, &ranges);
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
        // What was read and not loaded is dropped with the frame, as is whatever is there when it is left by a panic.
        if self.read == self.loaded && self.step.failure.is_none() {
            self.memory.hand_on();
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

/// The number of a witness, as a point's table has it.
fn number_of(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// What a message calls a variable at a point.
fn variable(meta: &WorkflowMeta, name: &str, point: u32) -> String {
    let line = meta.points[point as usize - 1].line;
    format!("variable `{name}` of workflow `{}` at {}:{line}", meta.name, meta.file)
}
