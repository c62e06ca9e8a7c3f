//! Stepping what was taken: reading records, deciding starts, advancing.

use std::sync::Arc;

use durable_store::{Error as StoreError, Number, Slot};

use super::{
    Advanced, Event, Inner, Lane, Outcome, Rest, StartRequest, Work, broken,
    claim::{Claim, give_back},
    reopened,
};
use crate::engine::{
    advance::advance,
    error::EngineError,
    inner::Live,
    mail::{MailView, resolve::view},
    start::{Decision, Started},
    state::ParkReason,
    suspects::{ANY_STEP, Cell, Marked, Suspect},
};

/// Steps everything that was claimed.
pub(super) fn prepare(
    inner: &Arc<Inner>,
    work: &mut Work,
    claims: Vec<Claim>,
    starts: Vec<StartRequest>,
) -> Result<(), StoreError> {
    work.ids.extend(starts.iter().map(|request| request.id.clone()));
    let missing: Vec<Slot> =
        claims.iter().filter(|claim| claim.loaded.is_none()).map(|claim| claim.slot).collect();
    let read = if missing.is_empty() { Ok(Vec::new()) } else { inner.instances(&missing) };
    let mut read = match read {
        Ok(read) => read.into_iter(),
        Err(error) => {
            refuse(claims, starts, &error);
            return Err(error);
        }
    };
    let mut rest = Rest { starts: starts.into(), ..Rest::default() };
    let mut too_many = Vec::new();
    for mut claim in claims {
        if claim.loaded.is_none() {
            let slot = claim.slot;
            // The store reads only so many bytes at once: the others have their turn when these are on their way.
            let Some(found) = read.next() else {
                too_many.push(claim);
                continue;
            };
            claim.loaded = found.and_then(|instance| match inner.load(slot, instance) {
                Ok(loaded) => Some(Box::new(loaded)),
                Err(reason) => {
                    inner.report(&reason);
                    None
                }
            });
        }
        work.unsettled.push((claim.slot, claim.number));
        let queue = if is_to_be_alone(inner, &mut claim) { &mut rest.suspects } else { &mut rest.claims };
        queue.push_back(claim);
    }
    if !too_many.is_empty() {
        give_back(inner, work.generation, too_many);
    }
    let lane = work.lane.take();
    rest.work = std::mem::take(work);
    work.lane = lane;
    step_all(inner, work, rest)
}

/// Whether an instance is stepped alone. What has come for a suspect is committed in a transition of its own before.
fn is_to_be_alone(inner: &Inner, claim: &mut Claim) -> bool {
    let parked = claim.loaded.as_ref().and_then(|loaded| loaded.state.parked.as_ref());
    let tried = |event: &Event| matches!(event, Event::Unpark { .. } | Event::Command { .. });
    if parked.is_some_and(|parked| parked.reason == ParkReason::ProcessDied) && claim.events.iter().any(tried)
    {
        // Whoever has it tried again does not stake more than one process on it.
        inner.suspects.suspect(claim.who());
    }
    if !inner.suspects.is_suspected(claim.who()) {
        return false;
    }
    let nothing_new = claim.events.iter().all(|event| matches!(event, Event::GoOn));
    if !nothing_new {
        claim.events.insert(0, Event::Hold);
    }
    nothing_new
}

/// Steps all of `rest`, and leaves in `work` what came of it. It lies on the worker's desk meanwhile: if others take it from there, only the
/// last step is left in `work`.
pub(super) fn step_all(inner: &Arc<Inner>, work: &mut Work, rest: Rest) -> Result<(), StoreError> {
    let lane = work.lane.take().unwrap_or_default();
    let generation = rest.work.generation;
    let result = step_each(inner, &lane, rest);
    let rest = lane.clear();
    *work = rest.work;
    let result = match result {
        Ok(Some(apart)) => {
            *work = apart;
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => {
            refuse(rest.claims.into_iter().chain(rest.suspects), rest.starts, &error);
            work.generation = generation;
            Err(error)
        }
    };
    work.lane = Some(lane);
    result
}

/// Gives the last step if it was late.
fn step_each(inner: &Arc<Inner>, lane: &Lane, rest: Rest) -> Result<Option<Work>, StoreError> {
    let generation = rest.work.generation;
    let claims = rest.claims.iter().map(|claim| Cell { who: claim.who(), steps: ANY_STEP });
    let starts = rest.starts.iter().map(|start| Cell { who: Suspect::start(&start.id), steps: ANY_STEP });
    let marked = inner.suspects.batch(lane.region(), || claims.chain(starts).collect());
    lane.lay(rest);
    while let Some(claim) = lane.next_claim(false) {
        let apart = lane.finish(generation, step(inner, claim)?);
        if apart.is_some() {
            return Ok(apart);
        }
    }
    while let Some(request) = lane.next_start() {
        let apart = lane.finish(generation, start(inner, generation, request)?);
        if apart.is_some() {
            return Ok(apart);
        }
    }
    drop(marked);
    while lane.has_suspects() {
        let marked = inner.suspects.alone(lane.region());
        let Some(claim) = lane.next_claim(true) else { break };
        let apart = lane.finish(generation, step_alone(inner, claim, marked)?);
        if apart.is_some() {
            return Ok(apart);
        }
    }
    Ok(None)
}

fn step(inner: &Inner, mut claim: Claim) -> Result<Outcome, StoreError> {
    let Some(loaded) = claim.loaded.take().filter(|loaded| loaded.number == claim.number) else {
        // It has closed since: whoever asked something of it is told.
        for event in claim.events {
            event.refuse(EngineError::NotFound { id: String::new() });
        }
        return Ok(Outcome::default());
    };
    let has_mail = loaded.has_mail || claim.events.iter().any(|event| matches!(event, Event::Mailed));
    let mail = match if has_mail { view(inner, claim.slot) } else { Ok(MailView::default()) } {
        Ok(mail) => mail,
        Err(error) => {
            refuse([claim], [], &error);
            return Err(error);
        }
    };
    let who = claim.who();
    let advanced = advance(inner, claim.slot, loaded, mail, &mut claim.events.into_iter(), false);
    if advanced.effects.closed && inner.suspects.any() {
        inner.suspects.clear(who);
    }
    Ok(Outcome { advanced: Some((claim.slot, advanced)), ..Outcome::default() })
}

/// Steps a suspect. If it has survived that, it is none any more.
fn step_alone(inner: &Inner, claim: Claim, marked: Marked<'_>) -> Result<Outcome, StoreError> {
    let who = claim.who();
    let steps = claim.loaded.as_ref().map_or(ANY_STEP, |loaded| loaded.state.steps);
    marked.alone(Cell { who, steps });
    let outcome = step(inner, claim)?;
    drop(marked);
    let stands_still = |(_, advanced): &(Slot, Advanced)| {
        let state = advanced.loaded.as_ref().map(|loaded| &loaded.state);
        state.is_some_and(|state| state.steps == steps && state.parked.is_none())
    };
    if !outcome.advanced.as_ref().is_some_and(stands_still) {
        inner.suspects.clear(who);
    }
    Ok(outcome)
}

/// Tells callers that the store failed before anything was done for them.
fn refuse(
    claims: impl IntoIterator<Item = Claim>,
    starts: impl IntoIterator<Item = StartRequest>,
    error: &StoreError,
) {
    for event in claims.into_iter().flat_map(|claim| claim.events) {
        event.refuse(broken(error));
    }
    for request in starts {
        request.by.refuse(broken(error));
    }
}

/// Decides a start: attach to what is there, refuse, or create.
fn start(inner: &Arc<Inner>, generation: u64, request: StartRequest) -> Result<Outcome, StoreError> {
    let Some((request, decision)) = inner.decide_or_wait(request) else { return Ok(Outcome::default()) };
    let decision = match decision {
        // What stands under the id is damaged, nothing else.
        Err(error @ StoreError::DamagedRecord { .. }) => {
            Ok(Decision::Answer(Err(EngineError::from(error).into())))
        }
        decision => decision,
    };
    if inner.suspects.any() && !matches!(decision, Ok(Decision::Create) | Err(_)) {
        // It is there, whatever happened when it was started.
        inner.suspects.clear(Suspect::start(&request.id));
    }
    let taken = match decision {
        Ok(Decision::Answer(answer)) => {
            return Ok(Outcome { answer: Some(Box::new((request.by, answer))), ..Outcome::default() });
        }
        Ok(Decision::Resolve(resolved)) => {
            return Ok(Outcome { resolved: Some(Box::new(resolved)), ..Outcome::default() });
        }
        // The latter waits already.
        Ok(Decision::Known | Decision::Ending(_)) => return Ok(Outcome::default()),
        Ok(Decision::Create) => take_slot(inner, generation),
        Err(error) => Err(error),
    };
    match taken {
        Ok((slot, number)) => Ok(create(inner, request, slot, number)),
        Err(error) => {
            refuse([], [request], &error);
            Err(error)
        }
    }
}

fn create(inner: &Arc<Inner>, mut request: StartRequest, slot: Slot, number: Number) -> Outcome {
    let by_id = Suspect::start(&request.id);
    let mut events = Vec::new();
    if inner.suspects.is_suspected(by_id) {
        inner.suspects.started(by_id, Suspect::Instance { slot, number });
        events.push(Event::Hold);
    }
    let (loaded, mail) = if let Some(copied) = request.copied.take() {
        let original = copied.original;
        let (loaded, mail, kind) = copied.begin(inner, &request.id, slot, number);
        events.push(Event::BeginCopy { kind, original });
        (loaded, mail)
    } else {
        let loaded = request.first_record(inner, number);
        let mail = std::mem::take(&mut request.messages).into_iter();
        events.push(Event::Begin);
        events.extend(mail.map(|(message, sender)| Event::Mail { message: Box::new(message), sender }));
        (loaded, MailView::default())
    };
    let advanced = advance(inner, slot, loaded, mail, &mut events.into_iter(), true);
    Outcome {
        answer: Some(Box::new((request.by, Ok(Started { number, created: Some(slot) })))),
        resolved: None,
        unsettled: Some((slot, number)),
        advanced: Some((slot, advanced)),
    }
}

/// A slot for a new instance, which is busy from now on.
///
/// The store gives a slot away again as soon as the end of its instance is committed; in memory
/// there may be something left of that instance until its commit is concluded.
///
/// A batch from before a reopening gets none: it will not be committed, and must leave no trace in memory.
pub(super) fn take_slot(inner: &Inner, generation: u64) -> Result<(Slot, Number), StoreError> {
    let mut occupied = Vec::new();
    let taken = loop {
        let slot = match inner.store.allocate() {
            Ok(slot) => slot,
            Err(error) => break Err(error),
        };
        let mut shared = inner.lock();
        if shared.generation != generation {
            occupied.push(slot);
            break Err(reopened(&shared));
        }
        if shared.live.contains_key(&slot) {
            occupied.push(slot);
            continue;
        }
        // Later than that of any run that was in this slot before.
        let number = inner.next_number();
        let mut live = Live::new(number);
        live.busy = true;
        shared.busy += 1;
        shared.live.insert(slot, live);
        break Ok((slot, number));
    };
    for slot in occupied {
        inner.store.release(slot);
    }
    taken
}
