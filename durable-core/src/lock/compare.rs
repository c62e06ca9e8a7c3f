//! What today's build makes of the versions in a file.

use std::sync::Arc;

use super::{
    Lock, LockError, LockGroup, LockReport,
    content::{Awaits, Block, Content, Kind, Point},
    learn::{Build, Learnt, activity, message, variable},
};
use crate::{
    activity::{ActivityEntry, other_activity_reason},
    codec::{
        TypeOf,
        described::{Described, Reading, Types, part},
    },
    context::LET_IT_READ,
    engine::CheckOutcome,
    evolve::{Matched, PointTable, match_layout},
    frame::{AWAITED, FrameLayout, KnownLayout, other_workflow, witnesses::Callee},
    registry::WorkflowEntry,
};

/// So many of the values that can't be read are told.
const TOLD: usize = 3;

pub(super) fn compare(lock: &Lock, build: &Build) -> Result<LockReport, LockError> {
    let current = build.blocks();
    let mut report = LockReport::default();
    for block in &lock.blocks {
        let content = block.parse()?;
        let is_current = current.iter().any(|current| current.is(block));
        let mut versions = match block.kind {
            Kind::Activity => of_activity(block, &content, is_current, build),
            Kind::Workflow => of_workflow(block, &content, is_current, build),
            Kind::Signal | Kind::Update | Kind::Published => {
                vec![of_message(block, &content, is_current, build)]
            }
        };
        report.groups.append(&mut versions);
    }
    report.sort();
    Ok(report)
}

/// What was found at one place so far.
#[derive(Default)]
struct Found {
    reasons: Vec<String>,
    converted: Vec<String>,
    notes: Vec<String>,
}

impl Found {
    fn group(self, item: &str, place: String) -> LockGroup {
        let outcome = if !self.reasons.is_empty() {
            CheckOutcome::Strands { reason: self.reasons.join("\n    ") }
        } else if self.converted.is_empty() {
            CheckOutcome::Resumes
        } else {
            CheckOutcome::Converts { variables: self.converted }
        };
        LockGroup { item: item.to_owned(), place, outcome, notes: self.notes }
    }

    /// What is said of a type that can't be seen through.
    fn opaque(&mut self, what: &str, described: &Described) {
        if let Described::Opaque { type_name, why } = described {
            self.notes.push(format!(
                "nothing can be told of {what} from here, because `{type_name}` can't be seen through ({why}): `check` against a store can"
            ));
        }
    }

    /// What came of reading something.
    fn read(&mut self, what: &str, name: &str, reading: Reading) {
        let Reading { read, refused, lost } = reading;
        if let Some(first) = refused.first() {
            self.reasons.push(if read == 0 {
                format!("{what}: {first}")
            } else {
                format!("{what}, for some values: {}", refused[..refused.len().min(TOLD)].join("; "))
            });
            return;
        }
        self.converted.push(name.to_owned());
        for place in lost {
            self.notes.push(format!(
                "{what}: what stands at `{name}{place}` is dropped, nothing reads it any more"
            ));
        }
    }
}

fn of_activity(block: &Block, content: &Content, is_current: bool, build: &Build) -> Vec<LockGroup> {
    let name = &block.name;
    let mut found = Found::default();
    let Some(entry) = build.registry.activities.get(name.as_str()) else {
        found.reasons.push(format!("activity `{name}` is not in this build"));
        return vec![found.group(name, "its pending calls".into())];
    };
    let entry: &ActivityEntry = entry;
    let today = if is_current { None } else { Some(activity(entry)) };
    compare_arguments(
        &mut found,
        content,
        today.as_ref(),
        entry.meta.args,
        entry.args,
        &format!("the arguments of `{name}`"),
    );
    let mut groups = vec![found.group(name, "its pending calls".into())];
    let mut found = Found::default();
    compare_result(&mut found, content, today.as_ref(), entry.output, &format!("the result of `{name}`"));
    groups.push(found.group(name, "its results".into()));
    groups
}

fn of_workflow(block: &Block, content: &Content, is_current: bool, build: &Build) -> Vec<LockGroup> {
    let name = &block.name;
    let Some(entry) = build.registry.workflows.get(name.as_str()) else {
        let mut found = Found::default();
        found.reasons.push(format!("workflow `{name}` is not in this build"));
        return vec![found.group(name, "any place".into())];
    };
    let learnt = build.workflow(entry);
    let today = (!is_current).then(|| Build::described(&learnt));
    let mut found = Found::default();
    let what = format!("the arguments of workflow `{}`", entry.meta.name);
    compare_arguments(&mut found, content, today, entry.meta.args, entry.args, &what);
    let mut groups = vec![found.group(name, "its start".into())];
    let table =
        Arc::new(PointTable { points: content.points.iter().map(|point| point.id.clone()).collect() });
    for (at, point) in content.points.iter().enumerate() {
        let version = Version { name, content, table: &table, learnt: &learnt, entry, build };
        let mut found = if is_current { opaque_variables(point) } else { version.point(at, point) };
        let reasons = std::mem::take(&mut found.reasons);
        let migrates = entry.meta.migrate.is_some() && !reasons.is_empty();
        if migrates {
            found.notes.extend(reasons.into_iter().map(|reason| {
                format!(
                    "its `migrate` is asked, and `check` against a store says what comes of that: {reason}"
                )
            }));
        } else {
            found.reasons = reasons;
        }
        let mut group = found.group(name, format!("{} {}", point.place, point.id).trim_start().to_owned());
        if migrates {
            group.outcome = CheckOutcome::Migrates { workflows: vec![entry.meta.name.to_owned()] };
        }
        groups.push(group);
    }
    let mut found = Found::default();
    compare_result(
        &mut found,
        content,
        today,
        entry.output,
        &format!("the result of workflow `{}`", entry.meta.name),
    );
    groups.push(found.group(name, "its result".into()));
    groups
}

fn opaque_variables(point: &Point) -> Found {
    let mut found = Found::default();
    for (name, described) in &point.variables {
        found.opaque(&format!("variable `{name}`"), described);
    }
    found
}

/// As the engine does: today's parameters get the stored values by their names, and those that were not there `None`.
fn compare_arguments(
    found: &mut Found,
    content: &Content,
    today: Option<&Content>,
    names: &[&'static [&'static str]],
    of: &TypeOf,
    what: &str,
) {
    let had =
        |names: &&[&str]| names.iter().find_map(|name| content.arguments.iter().find(|(had, _)| had == name));
    let order: Vec<_> = names.iter().map(had).collect();
    let before = found.notes.len();
    for (_, described) in order.iter().flatten() {
        found.opaque(what, described);
    }
    let Some(today) = today else { return };
    let spelled = |content: &Content| -> Vec<_> {
        let spelled =
            |(name, described): &(String, Described)| (name.clone(), content.types.spelled(described));
        content.arguments.iter().map(spelled).collect()
    };
    if found.notes.len() > before || spelled(content) == spelled(today) {
        return;
    }
    let readable = order
        .iter()
        .flatten()
        .any(|(_, described)| matches!(described, Described::Shape { readable: true, .. }));
    let reading = content.types.read_as(of, readable, &|sampled| {
        let part = |argument: Option<&(String, Described)>| match argument {
            Some((name, described)) => sampled.value(&format!(".{name}"), described),
            None => crate::codec::described::absent(),
        };
        crate::codec::described::tuple(order.iter().copied().map(part).collect())
    });
    found.read(what, "arguments", reading);
}

/// Nobody stands at a result: who asks for one that was stored gets an error.
fn compare_result(found: &mut Found, content: &Content, today: Option<&Content>, of: &TypeOf, what: &str) {
    let Some(result) = &content.result else { return };
    found.opaque(what, result);
    let Some((new, types)) = today.and_then(|today| Some((today.result.as_ref()?, &today.types))) else {
        return;
    };
    compare_value(found, (result, &content.types), (new, types), of, what, "result");
    let reasons = std::mem::take(&mut found.reasons);
    found.notes.extend(reasons.into_iter().map(|reason| {
        format!("one that was stored before and is asked for later can't be read, and parks a workflow that asks: {reason}")
    }));
}

/// What waits in mailboxes. What was published, and replies, are read from outside.
fn of_message(block: &Block, content: &Content, is_current: bool, build: &Build) -> LockGroup {
    let (name, word) = (&block.name, block.kind.word());
    let entries = build.messages().filter(|entry| entry.kind == block.kind && entry.name == name);
    let mut best: Option<Found> = None;
    for entry in entries {
        let (mut found, today) = (Found::default(), message(&entry));
        let parts = [
            (&content.message, &today.message, Some(entry.of), format!("{word} `{name}`")),
            (&content.reply, &today.reply, entry.reply, format!("the reply to update `{name}`")),
        ];
        for (at, (old, new, of, what)) in parts.into_iter().enumerate() {
            let (Some(old), Some(new), Some(of)) = (old, new, of) else { continue };
            found.opaque(&what, old);
            if !is_current {
                let before = found.reasons.len();
                compare_value(&mut found, (old, &content.types), (new, &today.types), of, &what, "content");
                if at > 0 || block.kind == Kind::Published {
                    let unread = found.reasons.split_off(before);
                    found.notes.extend(
                        unread.into_iter().map(|reason| format!("it can't be read from outside: {reason}")),
                    );
                }
            }
        }
        if best.as_ref().is_none_or(|best| found.reasons.len() < best.reasons.len()) {
            best = Some(found);
        }
    }
    let found = best.unwrap_or_else(|| Found {
        notes: vec![format!("nothing in this build is called so: {word} `{name}` stays where it is")],
        ..Found::default()
    });
    let place = if block.kind == Kind::Published { "where it is shown" } else { "where it waits" };
    found.group(name, place.into())
}

/// Reads what was described of a type as today's, if it is another one.
fn compare_value(
    found: &mut Found,
    old: (&Described, &Types),
    new: (&Described, &Types),
    of: &TypeOf,
    what: &str,
    name: &str,
) {
    compare_part(found, old, new, of, (what, name), &[]);
}

/// The same for a part of it.
fn compare_part(
    found: &mut Found,
    (old, old_types): (&Described, &Types),
    (new, new_types): (&Described, &Types),
    of: &TypeOf,
    (what, name): (&str, &str),
    path: &[String],
) {
    let readable = match old {
        Described::Shape { readable, .. } => *readable,
        Described::Operation => false,
        Described::Opaque { .. } => return,
    };
    if path.is_empty() && old_types.spelled(old) == new_types.spelled(new) {
        return;
    }
    let reading = old_types.read_as(of, readable, &|sampled| part(sampled.value("", old), path));
    let reading = if path.is_empty() { reading } else { Reading { lost: Vec::new(), ..reading } };
    found.read(what, name, reading);
}

/// A version of a workflow in the file, and today's.
struct Version<'a> {
    name: &'a str,
    content: &'a Content,
    table: &'a Arc<PointTable>,
    learnt: &'a Learnt,
    entry: &'a WorkflowEntry,
    build: &'a Build,
}

impl Version<'_> {
    fn point(&self, at: usize, point: &Point) -> Found {
        let mut found = Found::default();
        let names = std::iter::once(AWAITED).chain(point.variables.iter().map(|(name, _)| name.as_str()));
        let known = KnownLayout {
            layout: FrameLayout {
                workflow: self.name.to_owned(),
                table: 0,
                point: at as u32,
                vars: names.map(|name| (name.to_owned(), 0)).collect(),
            },
            table: self.table.clone(),
        };
        let meta = self.entry.meta;
        match match_layout(meta, &PointTable::of(meta), &known) {
            Ok(matched) => self.variables(&mut found, point, &matched),
            Err(reason) => found.reasons.push(reason),
        }
        found
    }

    fn variables(&self, found: &mut Found, point: &Point, matched: &Matched) {
        let new = matched.point as usize - 1;
        let today = Build::described(self.learnt);
        for (loaded, place) in matched.places.iter().enumerate().skip(1) {
            let (Some((name, old)), Some((_, described)), Some(of)) = (
                point.variables.get(place.at - 1),
                today.points[new].variables.get(loaded - 1),
                self.learnt.points[new].variables.get(loaded - 1),
            ) else {
                continue;
            };
            let what = variable(self.entry.meta, name, new);
            found.opaque(&what, old);
            let mut own = Found::default();
            let (before, now) = ((old, &self.content.types), (described, &today.types));
            compare_part(&mut own, before, now, of, (&what, name), &place.part);
            found.reasons.extend(own.reasons.into_iter().map(|reason| format!("{reason}; {LET_IT_READ}")));
            found.notes.append(&mut own.notes);
            // A part is taken out of what is stored, whatever the rest of it is.
            found.converted.extend(own.converted.into_iter().filter(|_| place.part.is_empty()));
        }
        self.awaited(found, point, new);
    }

    /// What is awaited there.
    fn awaited(&self, found: &mut Found, point: &Point, new: usize) {
        let (Some(Awaits { calls, state }), Some((of, callees)), Some(today)) = (
            &point.awaits,
            &self.learnt.points[new].awaits,
            &Build::described(self.learnt).points[new].awaits,
        ) else {
            found.notes.push(
                "what is awaited there can't be told from here: `check` against a store can".to_owned(),
            );
            return;
        };
        for call in callees {
            if let Callee::Workflow(name) = call
                && !self.build.registry.workflows.contains_key(name.as_str())
            {
                found.notes.push(format!(
                    "the variables of `{name}`, which is called there and has type parameters, can't be told from here: `check` against a \
                     store can"
                ));
            }
        }
        let known: Result<Vec<_>, String> = calls.iter().map(|call| self.today(call)).collect();
        match known {
            Err(reason) => return found.reasons.push(reason),
            Ok(known) if known != *callees => return found.reasons.push(self.other(&known, callees)),
            Ok(_) => {}
        }
        let types = &Build::described(self.learnt).types;
        let mut own = Found::default();
        compare_value(
            &mut own,
            (state, &self.content.types),
            (&today.state, types),
            of,
            "what is awaited",
            "await",
        );
        found.reasons.append(&mut own.reasons);
        found.notes.append(&mut own.notes);
    }

    /// Why what was called is not what is called today, as the engine says it of the first that differs.
    fn other(&self, before: &[Callee], today: &[Callee]) -> String {
        let differ = before.iter().zip(today).find(|(before, today)| before != today);
        let activity = |name: &str| self.build.registry.activities.get(name);
        match differ {
            Some((Callee::Activity(_), Callee::Activity(name))) if let Some(entry) = activity(name) => {
                other_activity_reason(entry.meta)
            }
            Some((Callee::Workflow(before), Callee::Workflow(today))) => other_workflow(before, today),
            _ => format!(
                "the snapshot holds calls of {} where this build awaits {}: a build that awaits what it awaited goes on with it",
                told(before),
                told(today)
            ),
        }
    }

    /// What something that is called has as its name today.
    fn today(&self, call: &Callee) -> Result<Callee, String> {
        let registry = &self.build.registry;
        match call {
            Callee::Activity(name) => match registry.activities.get(name.as_str()) {
                Some(entry) => Ok(Callee::Activity(entry.meta.name.to_owned())),
                None => Err(format!("activity `{name}` is not in this build")),
            },
            // One with type parameters is nowhere by its name.
            Callee::Workflow(name) => Ok(Callee::Workflow(
                registry
                    .workflows
                    .get(name.as_str())
                    .map_or(name.as_str(), |entry| entry.meta.name)
                    .to_owned(),
            )),
        }
    }
}

fn told(calls: &[Callee]) -> String {
    let names = calls.iter().map(|call| match call {
        Callee::Activity(name) | Callee::Workflow(name) => format!("`{name}`"),
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
