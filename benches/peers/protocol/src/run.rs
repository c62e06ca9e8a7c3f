//! Does one job with one contender.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{Job, Kind, process::Written, ticks};

/// The instance that is killed and resumed.
pub const GATED: &str = "gated";
/// Into so many parts a sequence is cut, and the time of a step in each is printed.
const PARTS: usize = 20;
/// Between the last activity's run and the kill, so that its result is committed.
const SETTLE: Duration = Duration::from_millis(700);

/// An engine over a store on the disk.
///
/// What fails panics: a contender that can't do its job has no figures.
pub trait Contender: Sized + Send + Sync + 'static {
    /// Opens or makes the store in the job's directory. Nothing runs yet, where that can be told apart.
    fn connect(job: &Job) -> impl Future<Output = Self>;
    /// Runs workflows from now on, those of a process that was killed first.
    fn launch(&mut self) -> impl Future<Output = ()>;
    /// Starts `count(steps)` and waits for its result.
    fn count(&self, id: String, steps: u64) -> impl Future<Output = u64> + Send;
    /// Starts `gated(steps)` as [`GATED`].
    fn begin_gated(&self, steps: u64) -> impl Future<Output = ()>;
    /// Gives [`GATED`] its message; called before [`launch`](Self::launch).
    fn open_gate(&self) -> impl Future<Output = ()>;
    /// The result of [`GATED`].
    fn gated(&self) -> impl Future<Output = u64>;
}

/// The whole of a contender's `main`.
pub fn main<C: Contender>() {
    let begun = Instant::now();
    let job = Job::from_arguments();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the runtime starts");
    runtime.block_on(async {
        match job.kind {
            Kind::Fleet => fleet::<C>(&job).await,
            Kind::Sequence => sequence::<C>(&job).await,
            Kind::Stand => stand::<C>(&job).await,
            Kind::Resume => resume::<C>(&job, begun).await,
        }
    });
    // What the engine would still do in the background is nobody's figure.
    std::process::exit(0);
}

async fn ready<C: Contender>(job: &Job) -> Arc<C> {
    let mut contender = C::connect(job).await;
    contender.launch().await;
    assert_eq!(contender.count("warm-up".into(), 2).await, 2, "the warm-up counts its activities");
    assert_eq!(ticks::take(), 2, "the warm-up runs its activities");
    Arc::new(contender)
}

async fn fleet<C: Contender>(job: &Job) {
    let contender = ready::<C>(job).await;
    let (before, started) = (Written::now(), Instant::now());
    for round in 0..job.repeat {
        let running: Vec<_> = (0..job.workflows)
            .map(|n| {
                let (contender, steps) = (contender.clone(), job.steps);
                tokio::spawn(async move { contender.count(format!("count-{round}-{n}"), steps).await })
            })
            .collect();
        for workflow in running {
            assert_eq!(workflow.await.expect("no workflow panics"), job.steps, "a workflow's result");
        }
    }
    report(job, started.elapsed(), before);
}

async fn sequence<C: Contender>(job: &Job) {
    let contender = ready::<C>(job).await;
    ticks::record(job.steps);
    let (before, started) = (Written::now(), Instant::now());
    assert_eq!(contender.count("sequence".into(), job.steps).await, job.steps, "the workflow's result");
    report(job, started.elapsed(), before);
    let times = ticks::recorded();
    let part = times.len() / PARTS;
    for at in 1..=PARTS {
        // From the run before the part to the part's last run; the first part begins at the start.
        let from = if at == 1 { started } else { times[(at - 1) * part - 1] };
        let took = times[at * part - 1].duration_since(from);
        println!("part_us {}", took.as_secs_f64() * 1e6 / part as f64);
    }
}

/// Prints what all jobs but a resume have, if every activity ran once.
fn report(job: &Job, took: Duration, before: Written) {
    let written = Written::now().since(before);
    let steps = job.workflows * job.steps * job.repeat;
    assert_eq!(ticks::take(), steps, "each activity runs once");
    println!("elapsed_us {}", took.as_secs_f64() * 1e6);
    println!("steps {steps}");
    println!("to_disk {}", written.to_disk);
    println!("in_calls {}", written.in_calls);
}

async fn stand<C: Contender>(job: &Job) {
    let mut contender = C::connect(job).await;
    contender.launch().await;
    contender.begin_gated(job.steps).await;
    ticks::reached(job.steps).await;
    tokio::time::sleep(SETTLE).await;
    assert_eq!(ticks::take(), job.steps, "the gate is closed");
    println!("standing");
    std::future::pending::<()>().await;
}

async fn resume<C: Contender>(job: &Job, begun: Instant) {
    let mut contender = C::connect(job).await;
    contender.open_gate().await;
    contender.launch().await;
    ticks::reached(1).await;
    let progress = begun.elapsed();
    assert_eq!(contender.gated().await, job.steps + 1, "the result counts the steps of both processes");
    println!("progress_us {}", progress.as_secs_f64() * 1e6);
    println!("ran_again {}", ticks::take() - 1);
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, sync::Mutex};

    use super::*;

    /// The activity's count is the process's.
    static ALONE: Mutex<()> = Mutex::new(());

    /// Runs each activity `runs` times and is `short` of the result.
    struct Pretender<const RUNS: u64, const SHORT: u64>;

    impl<const RUNS: u64, const SHORT: u64> Contender for Pretender<RUNS, SHORT> {
        async fn connect(_: &Job) -> Self {
            Pretender
        }
        async fn launch(&mut self) {}
        async fn count(&self, _: String, steps: u64) -> u64 {
            for n in 0..steps * RUNS {
                crate::tick(n);
            }
            steps - SHORT
        }
        async fn begin_gated(&self, _: u64) {}
        async fn open_gate(&self) {}
        async fn gated(&self) -> u64 {
            0
        }
    }

    fn does<C: Contender>() -> bool {
        let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        ticks::take();
        let job = Job {
            kind: Kind::Fleet,
            mode: String::new(),
            dir: PathBuf::new(),
            workflows: 3,
            steps: 10,
            repeat: 2,
            postgres: None,
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("it starts");
        std::panic::catch_unwind(|| runtime.block_on(fleet::<C>(&job))).is_ok()
    }

    #[test]
    fn only_who_does_the_work_has_figures() {
        assert!(does::<Pretender<1, 0>>(), "the work is done");
        assert!(!does::<Pretender<0, 0>>(), "the results are right and nothing ran");
        assert!(!does::<Pretender<2, 0>>(), "everything ran twice");
        assert!(!does::<Pretender<1, 1>>(), "the results are wrong");
    }
}
