//! Stepping what was taken: reading records, deciding starts, advancing.

use std::sync::Arc;

use durable_store::{Error as StoreError, Number, Slot};

use super::{Event, Inner, StartRequest, Work, broken, claim::Claim, reopened};
use crate::engine::{
    advance::advance,
    error::EngineError,
    inner::Live,
    mail::{MailView, resolve::view},
    start::{Decision, Started},
};

/// Steps everything that was claimed.
pub(super) fn prepare(
    inner: &Arc<Inner>,
    work: &mut Work,
    claims: Vec<Claim>,
    starts: Vec<StartRequest>,
) -> Result<(), StoreError> {
    work.unsettled.extend(claims.iter().map(|claim| (claim.slot, claim.number)));
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
    let mut claims = claims.into_iter();
    while let Some(mut claim) = claims.next() {
        if claim.loaded.is_none() {
            let slot = claim.slot;
            claim.loaded = read.next().flatten().and_then(|instance| match inner.load(slot, instance) {
                Ok(loaded) => Some(Box::new(loaded)),
                Err(reason) => {
                    inner.report(&reason);
                    None
                }
            });
        }
        let Some(loaded) = claim.loaded.filter(|loaded| loaded.number == claim.number) else {
            // It has closed since: whoever asked something of it is told.
            for event in claim.events {
                event.refuse(EngineError::NotFound { id: String::new() });
            }
            continue;
        };
        let has_mail = loaded.has_mail || claim.events.iter().any(|event| matches!(event, Event::Mailed));
        let mail = match if has_mail { view(inner, claim.slot) } else { Ok(MailView::default()) } {
            Ok(mail) => mail,
            Err(error) => {
                claim.loaded = None;
                refuse(std::iter::once(claim).chain(claims).collect(), starts, &error);
                return Err(error);
            }
        };
        let advanced = advance(inner, claim.slot, loaded, mail, &mut claim.events.into_iter(), false);
        work.push(inner, claim.slot, advanced);
    }
    let mut starts = starts.into_iter();
    while let Some(request) = starts.next() {
        if let Err(error) = start(inner, work, request) {
            refuse(Vec::new(), starts.collect(), &error);
            return Err(error);
        }
    }
    Ok(())
}

/// Tells callers that the store failed before anything was done for them.
pub(super) fn refuse(claims: Vec<Claim>, starts: Vec<StartRequest>, error: &StoreError) {
    for event in claims.into_iter().flat_map(|claim| claim.events) {
        event.refuse(broken(error));
    }
    for request in starts {
        request.by.refuse(broken(error));
    }
}

/// Decides a start: attach to what is there, refuse, or create.
pub(super) fn start(
    inner: &Arc<Inner>,
    work: &mut Work,
    mut request: StartRequest,
) -> Result<(), StoreError> {
    let decision = match request.decide(inner) {
        // What stands under the id is damaged, nothing else.
        Err(error @ StoreError::DamagedRecord { .. }) => {
            Ok(Decision::Answer(Err(EngineError::from(error).into())))
        }
        decision => decision,
    };
    let taken = match decision {
        Ok(Decision::Answer(answer)) => {
            work.answer(request.by, answer);
            return Ok(());
        }
        Ok(Decision::Resolve(resolved)) => {
            work.resolved.push(resolved);
            return Ok(());
        }
        Ok(Decision::Known) => return Ok(()),
        Ok(Decision::Create) => take_slot(inner, work.generation),
        Err(error) => Err(error),
    };
    match taken {
        Err(error) => {
            refuse(Vec::new(), vec![request], &error);
            return Err(error);
        }
        Ok((slot, number)) => {
            work.unsettled.push((slot, number));
            if let Some(copied) = request.copied.take() {
                let original = copied.original;
                let (loaded, mail, kind) = copied.begin(inner, &request.id, slot, number);
                work.answer(request.by, Ok(Started { number, created: true }));
                let mut events = [Event::BeginCopy { kind, original }].into_iter();
                work.push(inner, slot, advance(inner, slot, loaded, mail, &mut events, true));
                return Ok(());
            }
            let loaded = request.first_record(inner, number);
            let mail = std::mem::take(&mut request.messages).into_iter();
            let mail = mail.map(|(message, sender)| Event::Mail { message: Box::new(message), sender });
            let mut events = std::iter::once(Event::Begin).chain(mail);
            work.answer(request.by, Ok(Started { number, created: true }));
            let advanced = advance(inner, slot, loaded, MailView::default(), &mut events, true);
            work.push(inner, slot, advanced);
        }
    }
    Ok(())
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
            break Err(reopened());
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
