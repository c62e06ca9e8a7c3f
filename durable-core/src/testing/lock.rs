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
/// The test has to be in a program that all workflows and activities are linked into: in the crate that they are in, or in an integration test that
/// mentions it (`use shop as _;`).
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
    let write = |lock: Lock| match lock.write(path).map_err(failed)? {
        true => Ok(format!("{shown} is written: commit it")),
        false => Ok(format!("{shown} is as it should be")),
    };
    match (mode, before) {
        ("", None) if in_ci => Err(format!(
            "{shown} is not there: run this test with the build that runs in production, where `CI` is not set, and commit the file"
        )),
        ("" | "write", None) | ("prune", None) => write(build),
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
