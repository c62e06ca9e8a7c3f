//! What you see on the terminal.

use std::{io::IsTerminal, path::Path, time::Duration};

use super::{
    director::{Check, Life},
    event::{Event, Kind, Moment, Standing},
    world::{Request, Service},
};

/// Longer values of locals are cut.
const WIDEST_VALUE: usize = 84;

pub(crate) fn title(store: &Path) {
    println!("An order is fulfilled while its process is killed four times.");
    println!("Its state is in {}; the workflow is `fulfil` in examples/order.rs.", store.display());
}

/// An event of process `number`; `life` is what came before it.
pub(crate) fn event(number: usize, pid: u32, life: &Life, event: &Event) {
    match &event.kind {
        Kind::Opened { opened_us, found } => opened(number, pid, *opened_us, event.at_us, found.as_ref()),
        Kind::Attempt { activity, attempt, key } => {
            let key = &key[..8];
            let mut text = format!("attempt {attempt}, idempotency key {key}..");
            if let Some(resumed) = resumed(life, event) {
                text += &resumed;
            }
            row(event, activity, &text);
        }
        Kind::Answer { activity, answer, repeated } => {
            let note = if *repeated { ", which it had given before: the key is known" } else { "" };
            row(event, activity, &format!("the service answers {answer}{note}"));
        }
        Kind::Refused { activity, error } => row(event, activity, &format!("fails: {error}")),
        Kind::Moment { moment: Moment::InBackOff, standing } => {
            let attempt = standing.attempt.unwrap_or_default();
            row(event, "back-off", &format!("attempt {attempt} is due in {} ms", due_in(event, standing)));
        }
        Kind::Moment { moment: Moment::InSleep, standing } => {
            row(event, "sleep", &format!("until the van comes, {} ms from now", due_in(event, standing)));
        }
        Kind::Moment { .. } => {}
        Kind::Returned { .. } => row(event, "fulfil", "has returned its receipt"),
    }
}

fn opened(number: usize, pid: u32, opened_us: u64, known_us: u64, found: Option<&Standing>) {
    let Some(found) = found else {
        println!(
            "\n{}",
            bold(&format!("Process {number} (pid {pid}) opens a new store and starts the order"))
        );
        return;
    };
    let steps = if found.steps == 1 { "1 step".into() } else { format!("{} steps", found.steps) };
    println!(
        "\n{}",
        bold(&format!("Process {number} (pid {pid}) finds the order in the store, {steps} committed"))
    );
    println!(
        "  resumes at   {}:{} in `{}`, awaiting `{}`",
        found.file, found.line, found.workflow, found.awaits
    );
    for (place, (name, value)) in found.locals.iter().enumerate() {
        let head = if place == 0 { "locals" } else { "" };
        println!("  {head:<11}  {name} = {}", cut(&value.to_string()));
    }
    if let Some(error) = &found.last_error {
        println!("  last error   attempt {}: {error}", found.attempt.unwrap_or(1) - 1);
    }
    println!(
        "  resume took  {} to open the store; after {} the state was at hand",
        ms(opened_us),
        ms(known_us)
    );
}

/// What the first attempt of a resumed process says of the resume.
fn resumed(life: &Life, event: &Event) -> Option<String> {
    let found = life.found.as_ref()?;
    if life.events.iter().any(|event| matches!(event.kind, Kind::Attempt { .. })) {
        return None;
    }
    Some(match found.due_ms {
        None => format!("; {} after `Engine::open` was called", ms(event.at_us)),
        Some(due_ms) => format!("; {} ms after it was due", event.clock_ms.saturating_sub(due_ms)),
    })
}

pub(crate) fn killed(moment: Moment, standing: &Standing) {
    let what = match moment {
        Moment::BetweenActivities => "the reservation is committed, and `charge_card` has not begun".into(),
        Moment::InActivity => "the gateway has charged the card, and its answer is lost".into(),
        Moment::InBackOff => format!("attempt {} waits for its time", standing.attempt.unwrap_or_default()),
        Moment::InSleep => "the timer is set, and has not fired".into(),
    };
    println!("  {}  {moment}: {what}", red("KILL -9 "));
}

pub(crate) fn services(requests: &[Request]) {
    println!("\n{}", bold("What the services outside were asked, and what they did"));
    for service in Service::ALL {
        let asked = requests.iter().filter(|request| request.service == service);
        let done = asked.clone().filter(|request| request.effect).count();
        let detail = asked.clone().find(|request| request.effect).map_or("", |request| &request.detail);
        println!("  {service:<13} {} x asked, {done} x done   {detail}", asked.count());
    }
}

/// Shows the checks; gives whether all of them hold.
pub(crate) fn checks(checks: &[Check]) -> bool {
    println!();
    for check in checks {
        let mark = if check.holds { "ok    ".into() } else { red("FAILED") };
        println!("  {mark}  {}", check.what);
    }
    checks.iter().all(|check| check.holds)
}

pub(crate) fn end(good: bool, lives: &[Life], took: Duration) {
    if good {
        let killed = lives.iter().filter(|life| life.killed.is_some()).count();
        let text = format!(
            "The order is complete: {} processes, {killed} of them killed, and the card was charged once ({:.1} s).",
            lives.len(),
            took.as_secs_f64()
        );
        println!("\n{}", bold(&text));
    }
}

pub(crate) fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn row(event: &Event, what: &str, text: &str) {
    println!("  {:>8}  {what:<18} {text}", ms(event.at_us));
}

fn ms(us: u64) -> String {
    if us < 10_000 { format!("{:.1} ms", us as f64 / 1000.0) } else { format!("{} ms", us / 1000) }
}

fn due_in(event: &Event, standing: &Standing) -> u64 {
    standing.due_ms.unwrap_or_default().saturating_sub(event.clock_ms)
}

fn cut(value: &str) -> String {
    if value.chars().count() <= WIDEST_VALUE {
        return value.into();
    }
    value.chars().take(WIDEST_VALUE - 2).chain("..".chars()).collect()
}

fn bold(text: &str) -> String {
    styled("1", text)
}

fn red(text: &str) -> String {
    styled("1;31", text)
}

fn styled(style: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.into() }
}
