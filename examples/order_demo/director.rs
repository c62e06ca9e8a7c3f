//! The parent: starts the shop's process, kills it, starts the next one, and checks the outcome.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use super::{
    event::{Event, Kind, Moment, Standing},
    process::{LEDGER, ROLE, STORE},
    show,
    world::{self, Request, Service},
};

/// A process that says nothing for this long is stuck.
const PATIENCE: Duration = Duration::from_secs(20);
/// A wait that was interrupted may end so much later than it was due: the machine is busy.
const LATEST: Duration = Duration::from_millis(1500);
/// Which attempt's back-off is interrupted.
const INTERRUPTED_ATTEMPT: u32 = 3;

/// One process of the shop, as the parent saw it.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) found: Option<Standing>,
    pub(crate) events: Vec<Event>,
    /// Where it stood when it was killed.
    pub(crate) killed: Option<(Moment, Standing)>,
}

/// Runs the show.
pub(crate) fn run() -> ExitCode {
    let dir = std::env::temp_dir().join(format!("durable-order-{}", std::process::id()));
    match direct(&dir) {
        Ok(true) => {
            // What is left behind is only the demo's own files.
            let _ = std::fs::remove_dir_all(&dir);
            ExitCode::SUCCESS
        }
        Ok(false) => {
            eprintln!("\nSomething is not as it should be; the files are kept in {}.", dir.display());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("\nThe demo broke off: {error}\nThe files are kept in {}.", dir.display());
            ExitCode::FAILURE
        }
    }
}

fn direct(dir: &Path) -> Result<bool, Box<dyn Error>> {
    std::fs::create_dir_all(dir)?;
    let begun = Instant::now();
    show::title(&dir.join(STORE));
    let plan = Moment::ALL.into_iter().map(Some).chain([None]);
    let mut lives = Vec::new();
    for stop_at in plan {
        lives.push(live(dir, lives.len() + 1, stop_at)?);
    }
    let requests = world::read(&dir.join(LEDGER))?;
    show::services(&requests);
    let good = show::checks(&checks(&lives, &requests));
    show::end(good, &lives, begun.elapsed());
    Ok(good)
}

/// One process, from its start to its end or to the moment at which it is killed.
fn live(dir: &Path, number: usize, stop_at: Option<Moment>) -> Result<Life, Box<dyn Error>> {
    let mut child = spawn(dir, stop_at)?;
    let outcome = follow(&mut child, number, stop_at);
    // Whatever happened: leave no process behind.
    let _ = child.kill();
    let status = child.wait()?;
    let life = outcome?;
    match stop_at {
        Some(_) if !was_killed(status) => {
            Err(format!("process {number} ended with {status}, not by the kill").into())
        }
        None if !status.success() => Err(format!("process {number} ended with {status}").into()),
        _ => Ok(life),
    }
}

fn spawn(dir: &Path, stop_at: Option<Moment>) -> std::io::Result<Child> {
    let stop_at = stop_at.map_or_else(|| "Never".into(), |moment| format!("{moment:?}"));
    Command::new(std::env::current_exe()?)
        .args([ROLE.as_ref(), dir.as_os_str(), stop_at.as_ref()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
}

fn follow(child: &mut Child, number: usize, stop_at: Option<Moment>) -> Result<Life, Box<dyn Error>> {
    let output = lines_of(child)?;
    let mut life = Life::default();
    loop {
        let said = match output.recv_timeout(PATIENCE) {
            Ok(said) => said?,
            Err(RecvTimeoutError::Timeout) => return Err(format!("process {number} is stuck").into()),
            Err(RecvTimeoutError::Disconnected) if stop_at.is_none() => {
                // It has said all it had to say: let it end by itself.
                child.wait()?;
                return Ok(life);
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(format!("process {number} ended before it could be killed").into());
            }
        };
        let event: Event = serde_json::from_str(&said)?;
        show::event(number, child.id(), &life, &event);
        life.events.push(event.clone());
        match event.kind {
            Kind::Opened { found, .. } => life.found = found,
            Kind::Moment { moment, standing } if ends_here(stop_at, moment, &standing) => {
                child.kill()?;
                show::killed(moment, &standing);
                life.killed = Some((moment, standing));
                return Ok(life);
            }
            _ => {}
        }
    }
}

fn ends_here(stop_at: Option<Moment>, moment: Moment, standing: &Standing) -> bool {
    stop_at == Some(moment) && (moment != Moment::InBackOff || standing.attempt == Some(INTERRUPTED_ATTEMPT))
}

/// The child's output, line by line, without waiting for ever.
fn lines_of(child: &mut Child) -> Result<Receiver<std::io::Result<String>>, Box<dyn Error>> {
    let out = child.stdout.take().ok_or("the child's output is not piped")?;
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines() {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    Ok(lines)
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGKILL: i32 = 9;
    status.signal() == Some(SIGKILL)
}

#[cfg(not(unix))]
fn was_killed(status: ExitStatus) -> bool {
    !status.success()
}

/// Something that has to hold, and whether it does.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) holds: bool,
    pub(crate) what: String,
}

fn checks(lives: &[Life], requests: &[Request]) -> Vec<Check> {
    vec![
        completed(lives),
        charged_once(requests),
        others_once(requests),
        nothing_repeated(lives),
        resumed_in_place(lives),
        on_time(lives, Moment::InBackOff, Service::Carrier, "the attempt after the back-off"),
        on_time(lives, Moment::InSleep, Service::Mail, "what follows the sleep"),
    ]
}

fn completed(lives: &[Life]) -> Check {
    let last = lives.last().and_then(|life| life.events.last());
    let (holds, what) = match last.map(|event| &event.kind) {
        Some(Kind::Returned { charge, label, total_cents }) => (
            *total_cents == 7400,
            format!("the order is complete: {charge}, {label}, {}", show::money(*total_cents)),
        ),
        other => (false, format!("the order is complete, and not {other:?}")),
    };
    Check { holds, what }
}

fn charged_once(requests: &[Request]) -> Check {
    let card: Vec<_> = requests.iter().filter(|request| request.service == Service::CardGateway).collect();
    let charges = card.iter().filter(|request| request.effect).count();
    let one_key = card.windows(2).all(|two| two[0].key == two[1].key);
    Check {
        holds: card.len() == 2 && charges == 1 && one_key,
        what: format!(
            "the card was charged once: {} requests, {charges} charge, one idempotency key",
            card.len()
        ),
    }
}

fn others_once(requests: &[Request]) -> Check {
    let effects =
        |service| requests.iter().filter(|request| request.service == service && request.effect).count();
    Check {
        holds: Service::ALL.into_iter().all(|service| effects(service) == 1),
        what: "every other service did its work once".into(),
    }
}

/// An activity whose result is in the store does not run again, whatever is killed.
fn nothing_repeated(lives: &[Life]) -> Check {
    let mut answered = Vec::new();
    let mut repeated = Vec::new();
    for event in lives.iter().flat_map(|life| &life.events) {
        match &event.kind {
            Kind::Attempt { activity, .. } if answered.contains(activity) => repeated.push(activity.clone()),
            Kind::Answer { activity, .. } => answered.push(activity.clone()),
            _ => {}
        }
    }
    Check {
        holds: repeated.is_empty(),
        what: format!("activities that ran again after their result: {}", repeated.len()),
    }
}

/// Every process but the first went on at the line of the source that awaits what was pending.
fn resumed_in_place(lives: &[Life]) -> Check {
    const AWAITED: [&str; 4] = ["charge_card", "charge_card", "create_label", "sleep"];
    let source: Vec<&str> = include_str!("../order.rs").lines().collect();
    let in_place = |(life, awaited): (&Life, &str)| {
        let Some(found) = &life.found else { return false };
        let line = (found.line as usize).checked_sub(1).and_then(|at| source.get(at));
        PathBuf::from(&found.file).ends_with("order.rs")
            && found.awaits.contains(awaited)
            && line.is_some_and(|line| line.contains(awaited))
            && found.locals.iter().any(|(name, value)| name == "order" && value.is_object())
    };
    let holds = lives.len() == AWAITED.len() + 1
        && lives[0].found.is_none()
        && lives[1..].iter().zip(AWAITED).all(in_place);
    Check { holds, what: "each process went on at the line where the last one stood".into() }
}

/// What was due after the kill happened then: not at once, and not a full wait later.
fn on_time(lives: &[Life], moment: Moment, service: Service, what: &str) -> Check {
    let before = lives.iter().position(|life| life.killed.as_ref().is_some_and(|(at, _)| *at == moment));
    let due_ms = before.and_then(|at| lives[at].killed.as_ref()?.1.due_ms);
    let came_ms = before.and_then(|at| lives.get(at + 1)).and_then(|after| {
        let first = |event: &&Event| matches!(&event.kind, Kind::Attempt { activity, .. } if activity == service.activity());
        after.events.iter().find(first).map(|event| event.clock_ms)
    });
    let (Some(due_ms), Some(came_ms)) = (due_ms, came_ms) else {
        return Check { holds: false, what: format!("{what} came at all") };
    };
    let Some(late_ms) = came_ms.checked_sub(due_ms) else {
        return Check {
            holds: false,
            what: format!("{what} came {} ms before it was due", due_ms - came_ms),
        };
    };
    Check {
        holds: Duration::from_millis(late_ms) <= LATEST,
        what: format!("{what} came when it was due, in another process (+{late_ms} ms)"),
    }
}
