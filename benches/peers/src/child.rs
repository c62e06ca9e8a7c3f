//! A contender's process: started, read, ended.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use protocol::{Job, Kind};

use crate::{contenders::Contender, options::Options};

/// What a process printed: `name value`, more than once for a name where there are more.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<(String, f64)>);

impl Figures {
    /// All values of a name, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<f64> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| *value).collect()
    }

    /// The one value of a name.
    pub(crate) fn one(&self, name: &str) -> f64 {
        self.all(name).first().copied().unwrap_or(f64::NAN)
    }

    fn read(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        Figures(lines.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }
}

/// A directory for one job of one contender, empty at first and removed at the end.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(options: &Options) -> Self {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = options.dir.join(format!("job_{}_{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory for the stores");
        Place(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A job for `contender` in `place`: `workflows` times `steps` activities, `repeat` times.
pub(crate) fn job(
    options: &Options,
    contender: &Contender,
    place: &Place,
    kind: Kind,
    size: [u64; 3],
) -> Job {
    let [workflows, steps, repeat] = size;
    Job {
        kind,
        mode: contender.mode.to_owned(),
        dir: place.path().to_owned(),
        workflows,
        steps,
        repeat,
        postgres: options.postgres.clone(),
    }
}

/// The executable, beside this one.
pub(crate) fn executable(contender: &Contender) -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    own.with_file_name(format!("on-{}", contender.package))
}

/// Runs a job to its end, or says why there are no figures.
pub(crate) fn run(options: &Options, contender: &Contender, job: &Job) -> Result<Figures, String> {
    let mut command = Command::new(executable(contender));
    command.args(job.arguments());
    run_command(options, command)
}

/// The same for a command that has the contender in it.
pub(crate) fn run_command(options: &Options, mut command: Command) -> Result<Figures, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let stdout = reader(child.stdout.take().expect("it is piped"));
    let stderr = reader(child.stderr.take().expect("it is piped"));
    let until = Instant::now() + options.limit;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if Instant::now() > until {
            end(&mut child);
            return Err(format!("not done in {} s", options.limit.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let (stdout, stderr) = (stdout.join(), stderr.join());
    if status.success() {
        Ok(Figures::read(&stdout.unwrap_or_default()))
    } else {
        let stderr = stderr.unwrap_or_default();
        Err(format!("fails: {}", reason(&stderr)))
    }
}

/// Runs a [`Kind::Stand`] until the instance stands at its gate, and kills it there.
pub(crate) fn stand_and_kill(options: &Options, contender: &Contender, job: &Job) -> Result<(), String> {
    let mut child = Command::new(executable(contender))
        .args(job.arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let stderr = reader(child.stderr.take().expect("it is piped"));
    let (says, hears) = mpsc::channel();
    let listening = std::thread::spawn(move || {
        let stands = stdout.lines().map_while(Result::ok).any(|line| line == "standing");
        let _ = says.send(stands);
    });
    let stands = hears.recv_timeout(options.limit);
    end(&mut child); // SIGKILL
    let _ = listening.join();
    match stands {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("fails: {}", reason(&stderr.join().unwrap_or_default()))),
        Err(_) => Err(format!("not done in {} s", options.limit.as_secs())),
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads on a thread of its own, so that a process that prints much does not wait.
fn reader(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The line after a panic's place, or the last one.
fn reason(stderr: &str) -> String {
    const LONGEST: usize = 160;
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let panic = lines.iter().position(|line| line.contains("panicked at"));
    let line = panic.and_then(|at| lines.get(at + 1)).or(lines.last()).copied().unwrap_or("no word of why");
    line.chars().take(LONGEST).collect()
}
