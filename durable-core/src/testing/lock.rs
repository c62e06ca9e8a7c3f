//! The layout file in a test.

use std::path::Path;

use crate::lock::{Lock, LockError};

/// Fails if this build would park instances that the layout file allows for: on a pull request, before anything is deployed.
///
/// ```no_run
/// #[test]
/// fn running_instances_survive() {
///     durable_core::testing::lock_file(concat!(env!("CARGO_MANIFEST_DIR"), "/durable.lock"));
/// }
/// ```
///
/// The test has to be in a program that all workflows and activities are linked into: in an integration test that mentions their crate
/// (`use shop as _;`), or in the crate itself, if its unit tests have no workflows of their own.
///
/// The file is written if it is not there; but where the environment variable `CI` is set, that fails. What the variable `DURABLE_LOCK` says is
/// done:
///
/// - `write`: the file is written. What it has stays, what this build has besides is added. To be done when a build is released.
/// - `prune`: the file is written with what this build has, and nothing else: when no instance of an older build is left.
/// - `current`: it is compared as without, and it fails too if this build has something that the file has not. For a pipeline that releases.
///
/// An edit that parks nobody passes without touching the file.
///
/// # Panics
/// If an instance would be parked: with the resume points, the reasons and the remedies. If the file can't be read or written.
#[track_caller]
pub fn lock_file(path: impl AsRef<Path>) {
    let (mode, ci) = (std::env::var("DURABLE_LOCK").ok(), std::env::var_os("CI"));
    let in_ci = ci.is_some_and(|ci| !ci.is_empty() && ci != "false");
    match run(path.as_ref(), mode.as_deref().unwrap_or_default(), in_ci) {
        Ok(said) => eprintln!("{said}"),
        Err(why) => panic!("{why}"),
    }
}

fn run(path: &Path, mode: &str, in_ci: bool) -> Result<String, String> {
    let (shown, failed) = (path.display(), |error: LockError| format!("{}: {error}", path.display()));
    let build = Lock::of_this_build().map_err(failed)?;
    let before = Lock::read(path).map_err(failed)?;
    let write = |lock: Lock| {
        let is_new = lock.write(path).map_err(failed)?;
        Ok(if is_new {
            format!("{shown} is written: commit it")
        } else {
            format!("{shown} is as it should be")
        })
    };
    match (mode, before) {
        ("", None) if in_ci => Err(format!(
            "{shown} is not there: run this test with the build that runs in production, where `CI` is not set, and commit the file"
        )),
        ("" | "write" | "prune", None) => write(build),
        ("write", Some(before)) => write(before.with(build)),
        ("prune", Some(before)) => write(before.pruned(build)),
        ("current", None) => {
            Err(format!("{shown} is not there: write it with `DURABLE_LOCK=write` and commit it"))
        }
        ("" | "current", Some(before)) => {
            let report = before.check().map_err(failed)?;
            if report.exit_code() != 0 {
                return Err(format!(
                    "{shown}: this build would park instances.\n{report}\nwhere none can be, remove that version from the file, or all but \
                     today's with `DURABLE_LOCK=prune`"
                ));
            }
            if mode == "current" && !report.is_current() {
                return Err(format!("{shown} is not up to date.\n{report}"));
            }
            Ok(format!("{shown}: {report}"))
        }
        (other, _) => {
            Err(format!("`DURABLE_LOCK={other}` means nothing: it is `write`, `prune` or `current`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What another build had, which this one lacks.
    const OLD: &str = "durable.lock 1\n\nworkflow sold\n    result u64\n";

    fn file() -> (std::path::PathBuf, impl Drop) {
        struct Removed(std::path::PathBuf);
        impl Drop for Removed {
            fn drop(&mut self) {
                let _ = std::fs::remove_dir_all(&self.0);
            }
        }
        let name = format!("durable-lock-{}-{:?}", std::process::id(), std::thread::current().id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).expect("a directory for the test");
        (directory.join("durable.lock"), Removed(directory))
    }

    #[test]
    fn a_file_that_is_not_there_is_written_but_in_ci_it_is_missed() {
        let (path, _removed) = file();
        for mode in ["", "current"] {
            let why = run(&path, mode, true).expect_err("it is not there");
            assert!(why.contains("is not there") && why.contains("commit"), "{why}");
        }
        assert!(!path.exists());
        let said = run(&path, "", false).expect("it is written");
        assert!(said.contains("is written: commit it") && path.exists(), "{said}");
        run(&path, "", true).expect("nothing has changed");
        run(&path, "current", true).expect("nothing has changed");
    }

    #[test]
    fn what_an_older_build_had_strands_until_the_file_is_pruned() {
        let (path, _removed) = file();
        std::fs::write(&path, OLD).expect("it is written");
        let why = run(&path, "", true).expect_err("the workflow is gone");
        for expected in ["workflow `sold` is not in this build", "DURABLE_LOCK=prune"] {
            assert!(why.contains(expected), "{why}");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), OLD, "a comparison writes nothing");
        run(&path, "write", false).expect("it is written");
        assert!(std::fs::read_to_string(&path).expect("it is there").contains("workflow sold"), "it is kept");
        run(&path, "", true).expect_err("the workflow is still gone");
        run(&path, "prune", false).expect("it is written");
        run(&path, "", true).expect("nothing is left of it");
    }

    #[test]
    fn a_word_that_means_nothing_and_a_damaged_file_are_errors() {
        let (path, _removed) = file();
        std::fs::write(&path, OLD).expect("it is written");
        assert!(
            run(&path, "yes", false).expect_err("no such word").contains("`write`, `prune` or `current`")
        );
        std::fs::write(&path, "{}").expect("it is written");
        for mode in ["", "write", "prune", "current"] {
            let why = run(&path, mode, false).expect_err("it is none");
            assert!(why.contains("durable.lock: the layout file begins with `{}`"), "{why}");
        }
    }
}
