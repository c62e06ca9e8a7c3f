//! What stands beside an instance's machines: its pending calls, its compensations, and the messages that wait for it.

use std::collections::HashMap;

use durable_store::{Error as StoreError, Mailbox, Record, Slot};

use super::{super::inner::Inner, PAGE, report::Found};
use crate::{
    codec::Encoded,
    context::NewOperation,
    engine::{
        mail::{Body, Message},
        state::{OperationKind, Phase},
    },
    registry::MessageEntry,
};

/// How many messages are read at once.
const MAIL: usize = 16;

impl Inner {
    pub(super) fn check_operation(&self, operation: &OperationKind) -> Found {
        match operation {
            OperationKind::Activity(activity) => self.check_activity(&activity.name, &activity.args),
            OperationKind::Compensation(compensation) if compensation.phase == Phase::Armed => {
                self.check_armed(&compensation.call)
            }
            _ => Found::resumes(),
        }
    }

    /// Whether a pending call can run.
    fn check_activity(&self, name: &str, args: &Encoded) -> Found {
        let Some(entry) = self.registry.activities.get(name) else {
            return Found::strands(format!("activity `{name}` is not in this build"));
        };
        if let Some(missing) = (entry.missing_state)(&self.states) {
            return Found::strands(format!("activity `{name}`: {missing}"));
        }
        let what = format!("the arguments of activity `{name}`");
        match self.frames.load_args(&self.codec, entry.meta.args, args.clone()) {
            Ok(args) => match self.frames.try_read(&self.codec, entry.args, &args) {
                Ok(()) => Found::resumes(),
                Err(error) => Found::strands(format!("{what}: {error}")).over(what),
            },
            Err(reason) => Found::strands(format!("{what}: {reason}")),
        }
    }

    /// Whether a compensation could run.
    fn check_armed(&self, call: &NewOperation) -> Found {
        let workflow = match call {
            NewOperation::Activity { name, args, .. } => return self.check_activity(name, args),
            NewOperation::Task { workflow, .. } => workflow,
            NewOperation::Child(child) => &child.workflow,
            _ => return Found::resumes(),
        };
        if self.registry.workflows.contains_key(workflow.as_str()) {
            Found::resumes()
        } else {
            Found::strands(format!("workflow `{workflow}`, a compensation, is not in this build"))
        }
    }

    /// The mailboxes of the instances of a page. Most have none. One that is damaged is left out: its instance goes on without it.
    pub(super) fn mail_between(
        &self,
        mut after: Option<Slot>,
        last: Slot,
    ) -> Result<HashMap<Slot, Mailbox>, StoreError> {
        let mut found = HashMap::new();
        loop {
            let page = match self.ask(|store| store.mailboxes(after, PAGE)) {
                Err(StoreError::DamagedRecord { record: Record::Mailbox(slot), .. }) => {
                    after = Some(slot);
                    continue;
                }
                page => page?,
            };
            let end = page.last().map(|(slot, _)| *slot);
            found.extend(page.into_iter().take_while(|(slot, _)| *slot <= last));
            if end.is_none_or(|end| end >= last) {
                return Ok(found);
            }
            after = end;
        }
    }

    /// Whether the messages that wait could be received. One that no type of this build has the name of is received by nobody.
    pub(super) fn check_mail(&self, slot: Slot, mailbox: &Mailbox) -> Found {
        let known = mailbox.queues.iter().filter_map(|queue| {
            let types = self.registry.messages.get(&queue.queue)?;
            Some((queue.queue, types))
        });
        let mut found = Found::resumes();
        for (queue, types) in known {
            let mut after = None;
            loop {
                let page = match self.ask(|store| store.mail(slot, queue, after, MAIL)) {
                    Ok(page) => page,
                    Err(error) => return found.and(Found::strands(error.to_string())),
                };
                let Some(last) = page.last() else { break };
                after = Some(last.seq);
                for mail in &page {
                    found = found.and(self.check_message(&mail.bytes, types));
                }
            }
        }
        found
    }

    /// Whether one of the types of its queue can be read from it.
    fn check_message(&self, row: &[u8], types: &[MessageEntry]) -> Found {
        let message: Message = match postcard::from_bytes(row) {
            Ok(message) => message,
            Err(error) => return Found::strands(format!("a message that waits for it: {error}")),
        };
        let (Body::Signal(value) | Body::Update(value)) = &message.body else { return Found::resumes() };
        let mut refused = None;
        for entry in types {
            match self.frames.try_read(&self.codec, entry.of, value) {
                Ok(()) => return Found::resumes(),
                Err(error) => refused = refused.or(Some((entry.kind, error))),
            }
        }
        refused.map_or_else(Found::resumes, |(kind, error)| {
            let what = format!("{kind} `{}` that waits for it", message.name);
            Found::strands(format!("{what}: {error}")).over(what)
        })
    }
}
