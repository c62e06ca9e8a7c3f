//! Frames and what they have pushed: compensations stand under the frame that pushed them, and go to its caller if it ends well.

use super::Scratch;
use crate::{
    context::{FrameId, NewOperation, OperationId, Undo},
    engine::state::Phase,
};

impl Scratch {
    /// A name for a frame that begins.
    pub(crate) fn open_frame(&mut self) -> FrameId {
        self.next_id()
    }

    /// The frame whose compensation this is by now.
    pub(super) fn frame_of(&self, before: FrameId) -> FrameId {
        self.rare.handed.iter().fold(before, |frame, (from, to)| if frame == *from { *to } else { frame })
    }

    /// Whether a frame has compensations.
    pub(crate) fn has_compensations(&self, frame: FrameId, which: Undo) -> bool {
        let stored = self.operations.compensations().any(|(id, entry)| {
            let is_there = !self.rare.cancelled.contains(&id) && self.frame_of(entry.frame) == frame;
            is_there && which.covers(entry.finally)
        });
        stored
            || self.started.iter().any(|started| {
                matches!(started.operation, NewOperation::Compensation { frame: of, finally, .. }
                    if of == frame && which.covers(finally))
            })
    }

    /// A frame has ended well: what it pushed is its caller's.
    pub(crate) fn hand_over(&mut self, from: FrameId, to: FrameId) {
        if self.operations.compensations().any(|(_, entry)| self.frame_of(entry.frame) == from) {
            self.rare.handed.push((from, to));
        }
        for started in &mut self.started {
            if let NewOperation::Compensation { frame, .. } = &mut started.operation
                && *frame == from
            {
                *frame = to;
            }
        }
    }

    /// A compensation is not needed any more; one that runs already is left to its end.
    pub(crate) fn dismiss(&mut self, id: OperationId) {
        self.started.retain(|started| started.id != id);
        let mut compensations = self.operations.compensations();
        if compensations.any(|(known, entry)| known == id && entry.phase == Phase::Armed) {
            drop(compensations);
            self.rare.cancelled.insert(id);
        }
    }
}
