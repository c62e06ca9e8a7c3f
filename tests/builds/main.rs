//! Two real builds of one program over one file: what a deploy does to the instances that run, and what taking it back does.
//!
//! `old.rs` and `new.rs` are the builds, `shop.rs` is what they share. They run one after the other as processes of their own; what
//! their activities did is in a file beside the store, so that whatever runs twice shows.
//!
//! Deliberately absent: each single kind of edit, which is a test in `evolution`.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

#[derive(Clone, Copy)]
enum Build {
    Old,
    New,
}

impl Build {
    fn name(self) -> &'static str {
        match self {
            Build::Old => "builds-old",
            Build::New => "builds-new",
        }
    }

    /// The executables, of the sources as they are now.
    fn program(self) -> PathBuf {
        static BUILT: OnceLock<()> = OnceLock::new();
        BUILT.get_or_init(|| {
            let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
            let arguments =
                ["build", "--quiet", "--offline", "--example", "builds-old", "--example", "builds-new"];
            let status = Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).status();
            assert!(status.expect("cargo is there").success(), "the builds do not compile");
        });
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        scratch.parent().expect("the target directory holds it").join("debug/examples").join(self.name())
    }
}

/// A store that builds come and go over.
struct Store {
    directory: tempfile::TempDir,
}

impl Store {
    fn new() -> Self {
        Store { directory: tempfile::tempdir().expect("there is room") }
    }

    fn command(&self, build: Build, job: &str) -> Command {
        let mut command = Command::new(build.program());
        command.arg(job).arg(self.directory.path().join("shop.redb"));
        command.env("LOG", self.directory.path().join("log")).env_remove("RUST_BACKTRACE");
        command
    }

    /// The instances stand in a running process when this returns.
    fn stand(&self, build: Build, ids: &[String]) -> Child {
        let mut command = self.command(build, "stand");
        command.args(ids).env("HOLD", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it was built");
        let stdout = child.stdout.take().expect("it is piped");
        let said = BufReader::new(stdout).lines().map_while(Result::ok).any(|line| line == "they stand");
        assert!(said, "{} ended before they stood", build.name());
        child
    }

    /// What `check` says, and with which exit code.
    fn check(&self, build: Build, job: &str) -> (String, i32) {
        let output = self.command(build, job).output().expect("it was built");
        let text = String::from_utf8(output.stdout).expect("it is text");
        (text, output.status.code().expect("it was not killed"))
    }

    /// What a build prints that is told to do something.
    fn run(&self, build: Build, job: &str, id: &[&str], input: &str) -> String {
        let mut command = self.command(build, job);
        command.args(id).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it was built");
        // One that wants none may be gone by now.
        let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it is text")
    }

    /// How each instance fares when this build has gone on with all that it can.
    fn go_on(&self, build: Build) -> BTreeMap<String, (String, String)> {
        Self::fared(&self.run(build, "go-on", &[], ""))
    }

    fn fared(text: &str) -> BTreeMap<String, (String, String)> {
        let lines = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).expect("it is JSON");
            let part = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            (part("id"), (part("status"), part("text")))
        });
        lines.collect()
    }

    /// How often each activity came back for each instance.
    fn log(&self) -> BTreeMap<String, usize> {
        let text = fs::read_to_string(self.directory.path().join("log")).expect("something came back");
        let mut counts = BTreeMap::new();
        text.lines().for_each(|line| *counts.entry(line.to_owned()).or_default() += 1);
        counts
    }
}

/// Tells a process to close its engine and go.
fn leave(mut child: Child) {
    child.stdin.take().expect("it is piped").write_all(b"\n").expect("it listens");
    assert!(child.wait().expect("it ends").success());
}

fn ids(kind: &str, places: &[&str], each: usize) -> Vec<String> {
    places.iter().flat_map(|place| (0..each).map(move |at| format!("{kind}-{place}-{at}"))).collect()
}

/// What an order comes to under the new build.
fn new_result(id: &str) -> String {
    format!("new: shelf of {id}, 600, 600, Ann, mailed 600, receipt of 600")
}

/// Scenario 6.
#[test]
fn a_build_with_steps_added_removed_and_reordered_takes_over_all_instances() {
    let store = Store::new();
    let ids = ids("order", &["reserve", "price", "charge", "sleep", "recv", "mail"], 10);
    let running = store.stand(Build::Old, &ids);

    // Beforehand, while the old build runs.
    let (text, code) = store.check(Build::New, "check");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("60 instances in flight: 60 resume, 0 would be parked"), "{text}");
    assert!(text.contains("with total converted"), "{text}");
    let (json, code) = store.check(Build::New, "check-json");
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    let groups = json["groups"].as_array().expect("they are listed");
    let outcome = |name: &str| {
        let of_it = groups.iter().filter(|group| group["outcome"]["outcome"] == name);
        of_it.map(|group| group["instances"].as_u64().unwrap_or_default()).sum::<u64>()
    };
    // Behind the loop's first await there is a total.
    assert_eq!((outcome("resumes"), outcome("converts"), code), (10, 50, 0), "{json}");
    leave(running);

    let found = store.go_on(Build::New);
    assert_eq!(found.len(), 60);
    for id in &ids {
        assert_eq!(found[id], ("completed".into(), new_result(id)), "{id}");
    }
    let log = store.log();
    let twice: Vec<_> =
        log.iter().filter(|(line, count)| **count > if line.starts_with("priced") { 2 } else { 1 }).collect();
    assert!(twice.is_empty(), "something ran again behind its result: {twice:?}");
    assert!(!log.keys().any(|line| line.starts_with("inspect ")), "what stands in front of them is not run");
    let audited = log.keys().filter(|line| line.starts_with("audit ")).count();
    assert_eq!(audited, 30, "those that stood in front of it");
}

/// Scenario 7.
#[test]
fn a_fixed_build_takes_on_what_divided_by_zero_from_where_it_stood() {
    let store = Store::new();
    let ids: Vec<String> = (0..20).map(|at| format!("checkout-{}", 41_000 + at * 1_000)).collect();
    let running = store.stand(Build::Old, &ids);
    leave(running);
    let before = store.go_on(Build::Old);
    let parked =
        before.values().filter(|(status, text)| status == "parked" && text.contains("divide by zero"));
    assert_eq!(parked.count(), 10, "{before:?}");

    let (text, code) = store.check(Build::New, "check");
    assert!(code == 0 && text.contains("10 instances in flight: 10 resume"), "{text}");
    let after = store.go_on(Build::New);
    for id in &ids {
        let cents: u64 = id["checkout-".len()..].parse().expect("it is a number");
        let paid = if cents > 50_000 { cents - cents / 10 } else { cents };
        assert_eq!(after[id], ("completed".into(), format!("shelf of {id}, {paid}")), "{id}");
    }
    assert!(store.log().values().all(|count| *count == 1), "nothing was reserved or charged again");
}

/// Back to the old build: it refuses what it can't read, instance by instance, and goes on with the rest.
#[test]
fn an_old_build_goes_on_with_what_it_knows_of_a_newer_one_and_leaves_the_rest() {
    let store = Store::new();
    let known = ids("order", &["reserve", "price", "charge", "sleep", "recv", "mail"], 4);
    let unknown = [ids("order", &["inspect", "audit", "receipt"], 4), ids("return", &["recv"], 4)].concat();
    let running = store.stand(Build::New, &[&known[..], &unknown[..]].concat());
    let (text, code) = store.check(Build::Old, "check");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("40 instances in flight: 24 resume, 16 would be parked"), "{text}");
    leave(running);

    let found = store.go_on(Build::Old);
    for id in &known {
        let expected = format!("old: {id}: shelf of {id}, 600, 600, Ann, mailed 600");
        assert_eq!(found[id], ("completed".into(), expected), "{id}");
    }
    for id in &unknown {
        let (status, reason) = &found[id];
        assert_eq!(status, "parked", "{id}");
        let place = id.split('-').nth(1).expect("it has a place");
        let named = if id.starts_with("return") { "returned" } else { place };
        assert!(reason.contains(&format!("`{named}")), "{id}: {reason}");
    }

    let found = store.go_on(Build::New);
    for id in &unknown {
        let expected =
            if id.starts_with("return") { format!("{id} is back, says Ann") } else { new_result(id) };
        assert_eq!(found[id], ("completed".into(), expected), "{id}");
    }
}

#[test]
fn an_activity_changes_its_parameters_and_its_result_while_calls_of_it_are_pending_and_done() {
    let store = Store::new();
    // At the call, and at a join in which it is done already.
    let ids = ids("stamp", &["stamp", "seal"], 3);
    let running = store.stand(Build::Old, &ids);
    let (text, code) = store.check(Build::New, "check");
    assert!(code == 0 && text.contains("6 instances in flight: 6 resume"), "{text}");
    leave(running);
    let found = store.go_on(Build::New);
    for id in &ids {
        assert_eq!(found[id], ("completed".into(), "2 3 sealed".into()), "{id}");
    }
    let log = store.log();
    assert!(
        ids.iter().all(|id| log[&format!("stamp {id}")] == 2),
        "what was done is not done again: {log:?}"
    );
}

/// Scenario 8.
#[test]
fn a_wrong_discount_that_did_not_crash_is_computed_again_in_a_fork_by_the_fixed_build() {
    let store = Store::new();
    let running = store.stand(Build::Old, &["bill-mail-1000".to_owned(), "bill-mail-2000".to_owned()]);
    leave(running);
    let found = Store::fared(&store.run(Build::New, "fork", &["bill-mail-1000"], ""));
    let right =
        |id: &str, paid, off| ("completed".to_owned(), format!("shelf of {id}, {paid}, mailed {off} off"));
    assert_eq!(found["bill-mail-1000-again"], right("bill-mail-1000", 900, 100));
    assert_eq!(found["bill-mail-2000"], right("bill-mail-2000", 1980, 20), "nobody forked this one");
    assert!(!found["bill-mail-1000"].1.contains("900"), "the original is as it was: {found:?}");
    let log = store.log();
    assert_eq!(log["reserve bill-mail-1000"], 1, "what stands in front of the fork is not done again");
    assert_eq!(
        log["priced bill-mail-1000"], 2,
        "it stands at this call, and makes it under a key of its own"
    );
    assert_eq!(log["charge bill-mail-1000"], 2, "the wrong charge is done, and the right one is another");
}

/// Scenario 18.
#[test]
fn an_exported_instance_goes_on_elsewhere_under_another_build_and_is_kept_as_a_test() {
    let (store, elsewhere) = (Store::new(), Store::new());
    let id = "order-sleep-0";
    let running = store.stand(Build::Old, &[id.to_owned()]);
    leave(running);
    let exported = store.run(Build::Old, "export", &[id], "");
    assert!(exported.contains("shelf of order-sleep-0"), "a person can read it: {exported}");
    let found = Store::fared(&elsewhere.run(Build::New, "import", &[], &exported));
    assert_eq!(found[id], ("completed".into(), new_result(id)));
    assert!(!elsewhere.log().contains_key(&format!("reserve {id}")), "that was done where it comes from");
    for _ in 0..2 {
        let found = Store::fared(&elsewhere.run(Build::New, "test", &[id], &exported));
        assert_eq!(found[id], ("completed".into(), new_result(id)));
    }
    // The original was not touched.
    assert!(store.go_on(Build::Old)[id].1.starts_with("old: "));
}
