//! Which machine moves next.

use super::Advance;
use crate::{
    context::OperationId,
    engine::{
        ready::Readiness,
        state::{Happened, OperationKind, ParkReason},
    },
};

impl Advance<'_> {
    /// The machine that could move first, and the number of what lets it.
    pub(super) fn earliest(&mut self, stalled: &[OperationId]) -> Option<(OperationId, u64)> {
        if self.draft.end.is_some() || !self.draft.loaded.state.can_move() {
            return None;
        }
        self.find_machines();
        for at in 0..self.draft.ready.len() {
            if self.draft.ready[at].1.is_none() {
                match self.readiness(self.draft.ready[at].0) {
                    Ok(readiness) => self.draft.ready[at].1 = Some(readiness),
                    Err(reason) => {
                        self.park(ParkReason::Incompatible { reason });
                        return None;
                    }
                }
            }
        }
        let ends_at = self.ends_at().unwrap_or(u64::MAX);
        let met = self.draft.ready.iter().filter(|(machine, _)| !stalled.contains(machine));
        let met = met.filter_map(|(machine, ready)| Some((*machine, ready.as_ref()?.met()?)));
        let met = met.filter(|(_, cutoff)| *cutoff < ends_at);
        met.min_by_key(|(machine, cutoff)| (*cutoff, *machine))
    }

    /// All machines are listed, whatever is known of them.
    fn find_machines(&mut self) {
        let draft = &mut self.draft;
        if draft.ready.is_empty() {
            draft.ready = draft.loaded.state.machines().map(|(machine, _)| (machine, None)).collect();
        }
    }

    /// How much of what a machine waits for is there.
    fn readiness(&mut self, machine: OperationId) -> Result<Readiness, String> {
        let state = &self.draft.loaded.state;
        let mut readiness = Readiness::of(state.wait_of(machine));
        if readiness.met().is_some() {
            return Ok(readiness);
        }
        let done = readiness.operations().filter_map(|id| Some((id, state.operations.get(id)?.done()?)));
        let mut happened: Vec<_> =
            done.map(|(id, done)| Happened::Completed { seq: done.seq, id, failed: done.failed }).collect();
        let stop = state.stop.as_ref().filter(|stop| stop.is_to_be_handled());
        happened.extend(stop.map(|stop| Happened::Cancelled { seq: stop.seq }));
        for (queue, most) in readiness.queues() {
            let held = |seq| state.held.iter().any(|held| held.queue == queue && held.seq == seq);
            let there = self.draft.mail.first(queue, most, &held)?;
            happened.extend(there.into_iter().map(|seq| Happened::Message { seq, queue }));
        }
        happened.sort_unstable_by_key(Happened::seq);
        happened.into_iter().for_each(|happened| happened.tell(&mut readiness));
        Ok(readiness)
    }

    /// Something happened: it may let machines move.
    pub(super) fn happened(&mut self, happened: Happened) {
        for (_, readiness) in &mut self.draft.ready {
            if let Some(readiness) = readiness {
                happened.tell(readiness);
            }
        }
    }

    /// A machine has moved: it waits for something else, or is gone. What it did to messages concerns the others too.
    pub(super) fn has_moved(&mut self, machine: OperationId, touched_mail: bool) {
        let state = &self.draft.loaded.state;
        let is_there = |id| id == crate::engine::state::MAIN || state.is_task(id);
        self.draft.ready.retain(|(id, _)| is_there(*id));
        for (id, readiness) in &mut self.draft.ready {
            let waits = |readiness: &Readiness| touched_mail && readiness.queues().next().is_some();
            if *id == machine || readiness.as_ref().is_some_and(waits) {
                *readiness = None;
            }
        }
    }

    /// A spawned workflow is there.
    pub(super) fn add_machine(&mut self, id: OperationId) {
        debug_assert!(matches!(
            self.draft.loaded.state.operations.get(id).map(|op| &op.kind),
            Some(OperationKind::Task(_))
        ));
        if !self.draft.ready.is_empty() {
            self.draft.ready.push((id, None));
        }
    }
}
