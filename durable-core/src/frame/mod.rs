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
mod load;

use std::{sync::Arc, task::Poll};

pub(crate) use image::{FrameImage, FrameLayout, PointId};
pub(crate) use image::{Frames, split};
pub use load::{Keep, Load, NoText, Owned, Storable, Var, storable};

use crate::{
    codec::{LayoutId, Slot, TypeOf},
    context::{Context, MAX_SNAPSHOT_BYTES, Step, StepFailure},
    future::DurableFuture,
    meta::WorkflowMeta,
};
use image::Resolved;

/// The name under which the awaited future is kept in a frame.
pub(crate) const AWAITED: &str = "await";

/// A workflow function while it is polled.
#[derive(Debug)]
pub struct Frame<'a> {
    step: &'a mut Step,
    meta: &'static WorkflowMeta,
    source: Option<Source>,
    saved: Option<FrameImage>,
}

/// The image that a frame resumes from.
#[derive(Debug)]
struct Source {
    resolved: Arc<Resolved>,
    bytes: Vec<u8>,
    /// Where each stored variable lies in `bytes`.
    ranges: Vec<std::ops::Range<usize>>,
    /// Which of the point's variables is loaded next.
    next: usize,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(step: &'a mut Step, meta: &'static WorkflowMeta, image: Option<FrameImage>) -> Self {
        let mut frame = Frame { step, meta, source: None, saved: None };
        if let Some(image) = image {
            match frame.open(image) {
                Ok(source) => frame.source = Some(source),
                Err(reason) => frame.fail(StepFailure::Incompatible { reason }),
            }
        }
        frame
    }

    fn open(&mut self, image: FrameImage) -> Result<Source, String> {
        let resolved = self.step.frames.resolve(self.meta, image.layout)?;
        let ranges = image::split(&image.vars, resolved.layout.vars.len()).ok_or_else(|| {
            format!("the snapshot of workflow `{}` is damaged: its variables do not add up", self.meta.name)
        })?;
        Ok(Source { resolved, bytes: image.vars, ranges, next: 0 })
    }

    /// Where to go on: 0 from the start, `n` at the workflow's n-th resume point.
    pub fn resume_point(&mut self) -> u32 {
        self.source.as_ref().map_or(0, |source| source.resolved.point)
    }

    /// Loads the next variables. `None`: they can't be read, and the frame has noted why; leave
    /// through [`suspend`](crate::private::suspend).
    pub fn load<L: Load>(&mut self, proofs: L) -> Option<L::Values> {
        proofs.load(self)
    }

    /// Reads the next variable; leaves the slot empty if it can't be read.
    fn load_one(&mut self, of: &TypeOf, slot: &mut dyn Slot) {
        let Some(source) = self.source.as_mut() else { return };
        let at = source.next;
        source.next += 1;
        let Some(&stored) = source.resolved.order.get(at) else { return };
        let (name, layout) = &source.resolved.layout.vars[stored];
        let bytes = &source.bytes[source.ranges[stored].clone()];
        if let Err(error) = self.step.frames.decode_as(&self.step.codec, of, LayoutId(*layout), bytes, slot) {
            slot.clear();
            let point = &self.meta.points[source.resolved.point as usize - 1];
            let what = format!(
                "variable `{name}` of workflow `{}` at {}:{}",
                self.meta.name, self.meta.file, point.line
            );
            self.fail(StepFailure::Decode { what, error });
        }
    }

    /// Polls the future that the workflow awaits.
    pub fn poll<F: DurableFuture>(&mut self, future: &mut F) -> Poll<F::Output> {
        if self.step.failure.is_some() {
            return Poll::Pending;
        }
        self.step.wait = None;
        future.poll(&mut Context { step: self.step })
    }

    /// Saves what is live at a resume point, the awaited future first.
    pub fn save(&mut self, point: u32, awaited: &dyn Var, vars: &[&dyn Var]) {
        if self.step.failure.is_some() {
            return;
        }
        let names = self.meta.points[point as usize - 1].vars;
        let mut layouts = Vec::with_capacity(vars.len() + 1);
        let mut out = Vec::with_capacity(128);
        let mut scratch = Vec::with_capacity(64);
        for (index, var) in std::iter::once(&awaited).chain(vars).enumerate() {
            scratch.clear();
            let (of, value) = var.parts();
            match self.step.codec.encode_as_into(of, value, &mut scratch) {
                Ok(layout) => layouts.push(layout.0),
                Err(error) => {
                    let name = index.checked_sub(1).map_or(AWAITED, |index| names[index]);
                    let line = self.meta.points[point as usize - 1].line;
                    let what = format!(
                        "variable `{name}` of workflow `{}` at {}:{line}",
                        self.meta.name, self.meta.file
                    );
                    self.fail(StepFailure::Encode { what, error });
                    return;
                }
            }
            image::push_delimited(&mut out, &scratch);
        }
        if out.len() > MAX_SNAPSHOT_BYTES {
            self.fail(StepFailure::TooLarge { workflow: self.meta.name, bytes: out.len() });
            return;
        }
        let layout = self.step.frames.layout(self.meta, point, &layouts);
        self.saved = Some(FrameImage { layout, vars: out });
    }

    /// The step, and if this frame is suspended what was saved.
    pub(crate) fn leave(self, is_pending: bool) -> (&'a mut Step, Option<FrameImage>) {
        if is_pending && self.saved.is_none() && self.step.failure.is_none() {
            self.step.failure = Some(StepFailure::Foreign { workflow: self.meta.name });
        }
        (self.step, self.saved.filter(|_| is_pending))
    }

    fn fail(&mut self, failure: StepFailure) {
        self.step.failure.get_or_insert(failure);
    }

    /// Whether the image that this frame was made from can't be resumed.
    pub(crate) fn is_broken(&self) -> bool {
        self.step.failure.is_some()
    }
}
