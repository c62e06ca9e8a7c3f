//! The processes that the tests start, and kill.
//!
//! A child is this test binary again, told by the environment what to do. It shares three files
//! with its parent: the store, the journal and the acknowledgements. The latter two are appended to
//! line by line, each with one call, so that a kill leaves whole lines.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use durable::prelude::*;
use durable::store::{Error as StoreError, MemoryImage, RedbStore, Store};
use durable::{OpenError, ParkReason};

use crate::journal::{Entry, History};
use crate::watched::Watched;
use crate::workload::{World, chain, id, number};

/// How many steps a chain of a child has.
pub(crate) const STEPS: u32 = 7;
/// How many chains a child keeps going at once.
const AT_ONCE: usize = 6;
/// No child lives longer: one that hangs is found, and one whose parent is gone ends.
const LONGEST_LIFE: Duration = Duration::from_secs(60);
/// The values of one child begin this far from those of the one before.
const VALUES: u64 = 1 << 32;

/// What a child is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Go on with what is there and start more, until it is killed.
    Run,
    /// Go on with what is there until all of it has ended.
    Drain,
    /// Start one chain and hold the store until it is killed.
    Hold,
    /// Try to open the store, and say what came of it.
    Try,
}

/// What a child has its store on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// The store's file.
    Kept,
    /// Memory, which is saved every few commits: acknowledged is not durable.
    Broken,
}

impl Job {
    const ALL: [(Job, &str); 4] =
        [(Job::Run, "run"), (Job::Drain, "drain"), (Job::Hold, "hold"), (Job::Try, "try")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(job, _)| *job == self).map_or("", |(_, word)| word)
    }
}

const JOB: &str = "DURABLE_CHILD";
const DIRECTORY: &str = "DURABLE_CHILD_DIRECTORY";
const NUMBER: &str = "DURABLE_CHILD_NUMBER";
const PROMISE: &str = "DURABLE_CHILD_BREAKS_ITS_PROMISE";

/// A child that runs.
pub(crate) struct Child {
    process: std::process::Child,
    says: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn spawn(directory: &Path, number: u64, job: Job, promise: Promise) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("a test has an executable"));
        command.args(["--exact", "child::a_child_does_its_job", "--nocapture", "--test-threads=1"]);
        command.env(JOB, job.word()).env(DIRECTORY, directory).env(NUMBER, number.to_string());
        if promise == Promise::Broken {
            command.env(PROMISE, "1");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("a child process starts");
        let says = BufReader::new(process.stdout.take().expect("its output is piped"));
        Child { process, says }
    }

    /// Waits until the child says `word`; false if it ends without.
    pub(crate) fn says(&mut self, word: &str) -> bool {
        let mut line = String::new();
        while self.says.read_line(&mut line).is_ok_and(|read| read > 0) {
            // The harness may have written on the same line before.
            if line.trim_end().ends_with(word) {
                return true;
            }
            line.clear();
        }
        false
    }

    /// Kills it with SIGKILL, and says how it ended if it ended by itself before.
    pub(crate) fn kill(mut self) -> Result<(), String> {
        // It fails when the child has ended already, which the status shows.
        let _ = self.process.kill();
        let status = self.process.wait().expect("a child can be waited for");
        match status.code() {
            None => Ok(()),
            Some(code) => {
                let mut errors = String::new();
                let stderr = self.process.stderr.take();
                let _ = stderr.map(|mut stderr| stderr.read_to_string(&mut errors));
                Err(format!("a child ended with {code} before it was killed: {errors}"))
            }
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(self) -> Result<(), String> {
        let output = self.process.wait_with_output().expect("a child can be waited for");
        if output.status.success() {
            return Ok(());
        }
        Err(format!("a child failed: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Where a child's store is.
pub(crate) fn store_file(directory: &Path) -> PathBuf {
    directory.join("store.redb")
}

/// A file of lines.
struct Lines(File);

impl Lines {
    fn append(directory: &Path, name: &str) -> Lines {
        let file = OpenOptions::new().create(true).append(true).open(directory.join(name));
        Lines(file.expect("a file of the test opens"))
    }

    fn read(directory: &Path, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(directory.join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn write(&self, line: &str) {
        let line = format!("{line}\n");
        (&self.0).write_all(line.as_bytes()).expect("a line is appended");
    }
}

/// What the children have acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    pub(crate) history: History,
    /// What they found wrong themselves.
    pub(crate) wrong: Vec<String>,
    /// How often an instance was parked that had done nothing wrong.
    pub(crate) absolved: usize,
}

impl Acknowledged {
    /// Reads both files.
    pub(crate) fn read(directory: &Path) -> Acknowledged {
        let mut all = Acknowledged::default();
        all.history.steps = STEPS;
        for line in Lines::read(directory, "journal") {
            match line.parse::<Entry>() {
                Ok(entry) => all.history.entries.push(entry),
                Err(torn) => all.wrong.push(torn),
            }
        }
        for line in Lines::read(directory, "acknowledged") {
            if let Err(()) = all.take(&line) {
                all.wrong.push(line);
            }
        }
        all
    }

    fn take(&mut self, line: &str) -> Result<(), ()> {
        let mut words = line.split(' ');
        let kind = words.next().ok_or(())?;
        let chain = words.next().and_then(|chain| chain.parse().ok()).ok_or(())?;
        let rest: Vec<&str> = words.collect();
        match (kind, &rest[..]) {
            ("started", ["created"]) if self.history.started.contains(&chain) => {
                self.wrong.push(format!("chain {chain} was started, acknowledged, and created once more"));
            }
            ("started", _) => self.history.started.push(chain),
            ("absolved", []) => self.absolved += 1,
            ("ended", values) => {
                let values = values.iter().map(|value| value.parse().map_err(|_| ()));
                let values = values.collect::<Result<Vec<u64>, ()>>()?;
                // The last one is what there is at the end; the ones before it must have said the same.
                self.history.acknowledged.push((chain, values.clone()));
                self.history.results.insert(chain, values);
            }
            _ => return Err(()),
        }
        Ok(())
    }
}

/// A child in its own process.
struct Work {
    directory: PathBuf,
    number: u64,
    promise: Promise,
    acknowledged: Lines,
}

/// The way into a child process. In an ordinary run of the tests there is no job to do.
#[test]
fn a_child_does_its_job() {
    let Ok(job_name) = std::env::var(JOB) else { return };
    let (job, _) = Job::ALL.into_iter().find(|(_, name)| *name == job_name).expect("a known job");
    let directory = PathBuf::from(std::env::var_os(DIRECTORY).expect("a child has a directory"));
    let number = std::env::var(NUMBER).ok().and_then(|number| number.parse().ok());
    let broken = std::env::var_os(PROMISE).is_some();
    let work = Work {
        acknowledged: Lines::append(&directory, "acknowledged"),
        directory,
        number: number.expect("a child has a number"),
        promise: if broken { Promise::Broken } else { Promise::Kept },
    };
    std::thread::spawn(|| {
        std::thread::sleep(LONGEST_LIFE);
        eprintln!("this child was to be done within {LONGEST_LIFE:?}: it hangs, or was forgotten");
        std::process::exit(3);
    });
    crate::block_on(work.run(job));
}

impl Work {
    async fn run(self, job: Job) {
        let opened = self.open().await;
        if job == Job::Try {
            let locked = matches!(opened, Err(OpenError::Store(StoreError::Locked { .. })));
            println!("\n{}", if locked { "locked" } else { "opened" });
            return;
        }
        let engine = opened.expect("the engine opens");
        println!("\nopen");
        self.absolve(&engine).await;
        let this = Arc::new(self);
        if job == Job::Hold {
            let started = engine.start(id(0), chain(0, STEPS)).await.expect("it starts");
            this.acknowledge_start(0, started.created());
            println!("\nstarted");
            std::future::pending::<()>().await;
        }
        this.go_on(&engine, job).await;
        if job == Job::Drain {
            // Once more for all: what has ended stays as it ended.
            for chain in Acknowledged::read(&this.directory).history.chains() {
                this.clone().see_through(engine.clone(), chain).await;
            }
            engine.shutdown(Duration::from_secs(10)).await.expect("the engine stops");
        }
    }

    /// A process that is killed again and again may be killed twice in the middle of an instance's steps. That parks the instance, until a
    /// person says that it was not to blame.
    async fn absolve(&self, engine: &Engine) {
        for parked in engine.list(Filter::new().parked()).await.expect("a list") {
            let blamed = parked.status == Status::Parked(ParkReason::ProcessDied);
            assert!(blamed, "{} is {}", parked.id, parked.status);
            let number = number(&parked.id).expect("the parent started it");
            self.acknowledged.write(&format!("absolved {number}"));
            engine.handle(parked.id).retry_now().await.expect("it is tried again");
        }
    }

    /// Takes up what was started, and starts more.
    async fn go_on(self: &Arc<Self>, engine: &Engine, job: Job) {
        let history = Acknowledged::read(&self.directory).history;
        let known = history.chains();
        let mut next = known.last().map_or(0, |last| last + 1);
        let unfinished = known.into_iter().filter(|chain| !history.results.contains_key(chain));
        let mut going = tokio::task::JoinSet::new();
        for chain in unfinished {
            going.spawn(self.clone().see_through(engine.clone(), chain));
        }
        loop {
            while job == Job::Run && going.len() < AT_ONCE {
                going.spawn(self.clone().see_through(engine.clone(), next));
                next += 1;
            }
            match going.join_next().await {
                Some(ended) => ended.expect("a chain is seen through"),
                None => return,
            }
        }
    }

    /// Starts a chain, or finds it, and waits for its end.
    async fn see_through(self: Arc<Self>, engine: Engine, number: u64) {
        let handle = engine.start(id(number), chain(number, STEPS)).await.expect("it starts");
        self.acknowledge_start(number, handle.created());
        let values = handle.result().await.expect("it ends").expect("it ends well");
        let values: Vec<String> = values.iter().map(u64::to_string).collect();
        self.acknowledged.write(&format!("ended {number} {}", values.join(" ")));
    }

    fn acknowledge_start(&self, chain: u64, created: bool) {
        let how = if created { "created" } else { "found" };
        self.acknowledged.write(&format!("started {chain} {how}"));
    }

    async fn open(&self) -> Result<Engine, OpenError> {
        let journal = Lines::append(&self.directory, "journal");
        let world = World::new(self.number * VALUES, move |entry| journal.write(&entry.to_string()));
        let file = store_file(&self.directory);
        let builder = Engine::builder().state(world);
        match self.promise {
            Promise::Kept => builder.path(&file).open().await,
            Promise::Broken => builder.store(forgetful(file)).open().await,
        }
    }
}

/// A store in memory that is saved at every eighth commit: it acknowledges what a kill undoes.
fn forgetful(file: PathBuf) -> Arc<dyn Store> {
    let image = MemoryImage::from_bytes(std::fs::read(&file).unwrap_or_default());
    let store = RedbStore::open_image(&image).expect("what was saved opens");
    let commits = AtomicU64::new(0);
    Watched::new(store, move |store, batch| {
        store.commit(batch)?;
        if commits.fetch_add(1, Ordering::Relaxed) % 8 == 7 {
            let saving = file.with_extension("saving");
            std::fs::write(&saving, image.snapshot()).expect("the image is saved");
            std::fs::rename(&saving, &file).expect("the image is saved");
        }
        Ok(())
    })
}

/// How often each chain was acknowledged to have been started: for the parent's figures.
pub(crate) fn chains(history: &History) -> BTreeMap<u64, usize> {
    let mut chains = BTreeMap::new();
    for chain in &history.started {
        *chains.entry(*chain).or_insert(0) += 1;
    }
    chains
}
