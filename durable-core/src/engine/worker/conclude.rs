//! After a commit: effects begin, callers are answered.

use std::sync::Arc;

use durable_store::{Number, Slot};
use tokio::sync::oneshot;

use super::{
    Attempt, Callers, Commit, Effects, Event, Inner, Loaded, Queued, Resolved, Shared, Stopping, Work,
};
use crate::{
    context::Refused,
    engine::{
        NotCompleted,
        advance::{CompletedReply, EditReply, Posted},
        error::{EditError, EngineError},
        mail::{Answer, MessageKind, Sender},
    },
    seldom::Seldom,
};

/// Begins the effects of a committed batch. What is left of it is its memory.
pub(super) fn conclude(inner: &Arc<Inner>, work: &mut Work) {
    let mut closed = Vec::new();
    let mut told = Told::default();
    // They are the store's now, and may be large.
    work.batch.transitions.clear();
    work.batch.layouts.clear();
    work.commits.iter_mut().for_each(|commit| commit.prepare(inner));
    let mut shared = inner.lock();
    // The store failed since: this batch is durable, and the recovery begins its effects.
    let current = shared.generation == work.generation;
    for commit in work.commits.drain(..) {
        let Commit { slot, number, loaded, mut effects, callers, mailed, due, starts, missing, .. } = commit;
        told.add(&mut shared, number, callers, &mut effects);
        if current {
            for (slot, number) in mailed {
                inner.post(&mut shared, slot, number, Event::Mailed);
            }
        }
        if effects.closed || effects.rare.parked.is_some() {
            // Whoever waits for the end looks again: a test's engine reports a parked instance.
            closed.extend(shared.watchers.remove(&number).unwrap_or_default());
        }
        if effects.closed
            && current
            && let Some(waiting) = shared.starts_after.remove(&number)
        {
            shared.starts.extend(waiting);
            inner.wake_worker(&mut shared);
        }
        if !current || shared.live.get(&slot).is_none_or(|live| live.number != number) {
            continue;
        }
        begin(inner, &mut shared, slot, loaded.as_deref(), &effects, due);
        if let Some(event) = missing {
            inner.post(&mut shared, slot, number, *event);
        }
        // After a shutdown the next opening asks for them.
        if !starts.is_empty() && shared.stopping == Stopping::No {
            shared.starts.extend(starts);
            inner.wake_worker(&mut shared);
        }
        if effects.again {
            inner.post(&mut shared, slot, number, Event::GoOn);
        }
        if effects.closed {
            refuse_inbox(&mut shared, slot);
        }
        inner.settle_live(&mut shared, slot, loaded);
    }
    for (slot, number) in work.unsettled.drain(..).filter(|_| current) {
        // Claimed, and then there was nothing to do.
        if shared.live.get(&slot).is_some_and(|live| live.busy && live.number == number) {
            inner.settle_live(&mut shared, slot, None);
        }
    }
    for Resolved { to, completion, failed } in work.resolved.drain(..).filter(|_| current) {
        let event = Event::Resolved { operation: to.operation, completion, failed };
        inner.post(&mut shared, to.slot, to.number, event);
    }
    release_ids(inner, &mut shared, std::mem::take(&mut work.ids), current);
    inner.take_in(&mut shared);
    let launches = inner.pump(&mut shared);
    drop(shared);
    let here = launches.launch_beside(inner);
    for (reply, answer) in work.replies.drain(..) {
        let _ = reply.send(answer);
    }
    told.tell();
    for watcher in closed {
        let _ = watcher.send(());
    }
    if let Some(here) = here {
        here.run(work.lane.as_deref());
    }
    let shared = inner.lock();
    inner.tell_idle(&shared);
}

/// Who is answered once the lock is given back.
#[derive(Default)]
struct Told {
    replies: Vec<oneshot::Sender<Result<(), EngineError>>>,
    too_late: Vec<oneshot::Sender<Result<(), EngineError>>>,
    completed: Vec<(CompletedReply, Result<(), NotCompleted>)>,
    edited: Vec<(EditReply, Result<(), EditError>)>,
    answered: Vec<(Sender, Answer)>,
    late: Vec<Posted>,
}

impl Told {
    /// Takes in who is answered by a transition. Whoever asked for an answer waits for it from now on.
    fn add(
        &mut self,
        shared: &mut Shared,
        number: Number,
        mut callers: Seldom<Callers>,
        effects: &mut Effects,
    ) {
        if let Some(callers) = callers.take() {
            self.add_callers(shared, number, *callers);
        }
        let answers = effects.rare.touched().map(|rare| std::mem::take(&mut rare.answers));
        for (request, answer) in answers.unwrap_or_default() {
            let answer = Answer::of(answer);
            let callers = shared.callers.remove(&(number, request.seq)).unwrap_or_default();
            self.answered.extend(callers.into_iter().map(|caller| (caller, answer.clone())));
        }
        if effects.closed {
            let of_run = (number, 0)..=(number, u64::MAX);
            let unanswered: Vec<_> = shared.callers.range(of_run).map(|(key, _)| *key).collect();
            for key in unanswered {
                let callers = shared.callers.remove(&key).unwrap_or_default();
                let unanswered = Answer::Refused(Refused::Unanswered);
                self.answered.extend(callers.into_iter().map(|caller| (caller, unanswered.clone())));
            }
        }
    }

    fn add_callers(&mut self, shared: &mut Shared, number: Number, callers: Callers) {
        self.replies.extend(callers.replies);
        self.too_late.extend(callers.too_late);
        self.completed.extend(callers.completed);
        self.edited.extend(callers.edited);
        self.late.extend(callers.late);
        self.answered.extend(callers.answered);
        let mut asked = callers.waiting;
        for Posted { seq, kind, sender } in callers.senders {
            match kind {
                MessageKind::Signal => self.answered.push((sender, Answer::Received)),
                MessageKind::Update => asked.push((seq, sender)),
            }
        }
        // An engine that has stopped answers nobody any more.
        for (seq, sender) in asked.into_iter().filter(|_| shared.stopping != Stopping::Now) {
            let waiting = shared.callers.entry((number, seq)).or_default();
            waiting.retain(|sender| !sender.is_gone());
            waiting.push(sender);
        }
    }

    fn tell(self) {
        // Whoever does not wait any more needs no answer.
        for reply in self.replies {
            let _ = reply.send(Ok(()));
        }
        for reply in self.too_late {
            let _ = reply.send(Err(EngineError::Closed { id: String::new() }));
        }
        for (reply, completed) in self.completed {
            let _ = reply.send(Ok(completed));
        }
        for (reply, edited) in self.edited {
            let _ = reply.send(Ok(edited));
        }
        for (sender, answer) in self.answered {
            sender.answer(answer);
        }
        for late in self.late {
            late.sender.refuse(EngineError::Closed { id: String::new() });
        }
    }
}

/// Starts what a committed transition asks for.
pub(super) fn begin(
    inner: &Arc<Inner>,
    shared: &mut Shared,
    slot: Slot,
    loaded: Option<&Loaded>,
    effects: &Effects,
    due: impl IntoIterator<Item = Queued>,
) {
    let Some(live) = shared.live.get_mut(&slot) else { return };
    let number = live.number;
    let all = if effects.closed { live.attempts.ids().collect() } else { Vec::new() };
    for id in all.iter().chain(&effects.ended) {
        let Some(attempt) = live.attempts.remove(*id) else { continue };
        attempt.cancel();
        shared.leaving.add(&attempt);
        if let Attempt::BackingOff { at_ms } = attempt {
            shared.backoffs.remove(&(at_ms, slot, number, *id));
        }
    }
    if effects.hold {
        hold(shared, slot);
    }
    let Some(live) = shared.live.get_mut(&slot) else { return };
    let mut stopped = Vec::new();
    for id in &effects.rare.stop {
        match live.attempt(*id) {
            // Its last word is what it gives, or that it was cancelled.
            Some(running @ Attempt::Running(_)) => running.cancel(),
            Some(Attempt::Ended) => {}
            Some(Attempt::BackingOff { at_ms }) => {
                shared.backoffs.remove(&(*at_ms, slot, number, *id));
                live.attempts.remove(*id);
                stopped.push(*id);
            }
            Some(Attempt::Queued) | None => {
                live.attempts.remove(*id);
                stopped.push(*id);
            }
        }
    }
    for (at_ms, operation) in &effects.rare.backoff {
        match live.attempt(*operation) {
            // A resumed instance's call, which runs already: it outlasted the pause, or was due while the resumption was being committed.
            Some(Attempt::Queued | Attempt::Running(_)) => continue,
            Some(Attempt::BackingOff { at_ms }) => {
                shared.backoffs.remove(&(*at_ms, slot, number, *operation));
            }
            Some(Attempt::Ended) | None => {}
        }
        live.set_attempt(*operation, Attempt::BackingOff { at_ms: *at_ms });
        shared.backoffs.insert((*at_ms, slot, number, *operation));
        inner.timers_changed.notify_one();
    }
    for queued in due {
        if !stopped.contains(&queued.operation) {
            inner.enqueue(shared, queued);
        }
    }
    for operation in stopped {
        inner.post(shared, slot, number, Event::Stopped { operation });
    }
    for timer in &effects.rare.timers {
        shared.timers.add(*timer);
        inner.timers_changed.notify_one();
    }
    if let (Some(reason), Some(loaded)) = (&effects.rare.parked, loaded) {
        inner.report(&format!("instance `{}` is parked: {reason}", loaded.id));
    }
}

/// Takes back the attempts that wait for their turn or their time.
fn hold(shared: &mut Shared, slot: Slot) {
    let Some(live) = shared.live.get_mut(&slot) else { return };
    let (number, backoffs) = (live.number, &mut shared.backoffs);
    live.attempts.retain(|id, attempt| match attempt {
        Attempt::BackingOff { at_ms } => {
            backoffs.remove(&(*at_ms, slot, number, id));
            false
        }
        // Whoever finds it in the queue passes it over.
        Attempt::Queued => false,
        Attempt::Running(_) | Attempt::Ended => true,
    });
}

/// What was asked of an instance that has just closed comes too late.
pub(super) fn refuse_inbox(shared: &mut Shared, slot: Slot) {
    let Some(live) = shared.live.get_mut(&slot) else { return };
    for event in live.inbox.drain(..) {
        event.refuse(EngineError::Closed { id: String::new() });
    }
}

/// Ids are free again; requests that came meanwhile are decided anew.
pub(super) fn release_ids(inner: &Inner, shared: &mut Shared, ids: Vec<String>, current: bool) {
    for id in ids {
        // After a failure of the store nothing of before counts as busy.
        shared.busy -= usize::from(current);
        let waiting = shared.starting.remove(&id).unwrap_or_default();
        if !waiting.is_empty() {
            shared.starts.extend(waiting);
            inner.wake_worker(shared);
        }
    }
}

impl Commit {
    /// Makes the attempts that it dispatches ready, and the instances that it starts.
    fn prepare(&mut self, inner: &Inner) {
        let Some(loaded) = &self.loaded else { return };
        for operation in &self.effects.dispatch {
            if let Some(activity) = loaded.state.activity(*operation) {
                self.due.push(Queued::new(inner, self.slot, self.number, *operation, &loaded.id, activity));
            }
        }
        if !self.effects.rare.starts.is_empty() {
            let (starts, missing) = inner.starts(self.slot, loaded, &self.effects.rare.starts);
            self.starts = starts;
            self.missing = missing.map(Box::new);
        }
    }
}
