//! A crate that a test writes, builds with the versions of the workspace, and runs.
//!
//! It shares the workspace's target directory, so that the library is built once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A crate with several executables, `name-0` and so on.
pub(crate) struct Generated {
    name: String,
    pub(crate) dir: PathBuf,
    target: PathBuf,
}

impl Generated {
    /// `name` tells the crates of tests apart that run side by side; in the manifest stand `{root}`, the workspace, and `{name}`.
    pub(crate) fn new(name: String, manifest: &str) -> Self {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let target = scratch.parent().expect("the target directory holds it").to_owned();
        let dir = scratch.join(&name);
        // Of an earlier run there may be more.
        let _ = fs::remove_dir_all(dir.join("src"));
        let made = Generated { name, dir, target };
        let root = env!("CARGO_MANIFEST_DIR");
        made.put("Cargo.toml", &manifest.replace("{root}", root).replace("{name}", &made.name));
        // What is built already is used again.
        if let Ok(lock) = fs::read_to_string(Path::new(root).join("Cargo.lock"))
            && !made.dir.join("Cargo.lock").exists()
        {
            made.put("Cargo.lock", &lock);
        }
        made
    }

    /// Writes a file if it says something else: cargo looks at the time.
    pub(crate) fn put(&self, file: &str, text: &str) {
        let path = self.dir.join(file);
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return;
        }
        fs::create_dir_all(path.parent().expect("a file stands in a directory"))
            .expect("the target directory is ours");
        fs::write(path, text).expect("the target directory is ours");
    }

    /// Writes one of the executables.
    pub(crate) fn put_program(&self, number: usize, main: &str) {
        self.put(&format!("src/bin/{}-{number}.rs", self.name), main);
    }

    /// Where it is once it is built.
    pub(crate) fn program(&self, number: usize) -> PathBuf {
        self.target.join(format!("debug/{}-{number}", self.name))
    }

    /// Builds all of them.
    pub(crate) fn build(&self, more: &[&str]) -> Output {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        Command::new(cargo)
            .args(["build", "--offline", "--quiet"])
            .args(more)
            .arg("--manifest-path")
            .arg(self.dir.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&self.target)
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo is there")
    }
}
