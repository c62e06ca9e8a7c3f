//! Checks one program with rustc, against the libraries that cargo built for this test.

use crate::printed::Diagnostic;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, OnceLock},
};

/// What a program may depend on.
const LIBRARIES: &[&str] =
    &["durable", "anyhow", "futures", "parking_lot", "serde", "serde_json", "thiserror", "tokio"];

/// How rustc is called.
pub(crate) struct Rustc {
    arguments: Vec<OsString>,
    scratch: tempfile::TempDir,
}

impl Rustc {
    /// Asks cargo for the libraries, once for all tests, and compiles the shop that the programs deal with.
    pub(crate) fn find() -> &'static Self {
        static FOUND: OnceLock<Rustc> = OnceLock::new();
        static FINDING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = FINDING.lock();
        FOUND.get_or_init(|| {
            let mut rustc =
                Rustc { arguments: libraries(), scratch: tempfile::tempdir().expect("a directory") };
            let shop = rustc.scratch.path().join("libshop.rmeta");
            let printed = rustc.run(&crate::here().join("shop.rs"), "shop", &shop);
            assert!(printed.is_empty(), "the shop does not compile: {printed:#?}");
            rustc.arguments.push("--extern".into());
            let mut shop_is = OsString::from("shop=");
            shop_is.push(&shop);
            rustc.arguments.push(shop_is);
            rustc
        })
    }

    /// What rustc prints about a program.
    pub(crate) fn check(&self, program: &Path) -> Vec<Diagnostic> {
        let name = program.file_stem().expect("a program has a name").to_string_lossy().replace('-', "_");
        let out = self.scratch.path().join(format!("lib{name}.rmeta"));
        self.run(program, &name, &out)
    }

    /// A directory for programs that are made up on the way.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    fn run(&self, program: &Path, name: &str, out: &Path) -> Vec<Diagnostic> {
        let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        command
            .args([
                "--edition=2024",
                "--crate-type=lib",
                "--error-format=json",
                "-Adead_code",
                "-Aunused_imports",
            ])
            .args(["--crate-name", name])
            .arg("--emit")
            .arg(format!("metadata={}", out.display()))
            .args(&self.arguments)
            .arg(program)
            // rustc writes a file when the name of a type is too long to print.
            .current_dir(self.scratch.path());
        let done = command.output().expect("rustc runs");
        let text = String::from_utf8_lossy(&done.stderr);
        let printed: Vec<Diagnostic> =
            text.lines().filter_map(|line| Diagnostic::read(line, program)).collect();
        let failed = printed.iter().any(|diagnostic| diagnostic.level == "error");
        assert_eq!(done.status.success(), !failed, "{}: {text}", program.display());
        printed
    }
}

/// Has cargo say where the libraries lie: everything is built already, because this test is.
fn libraries() -> Vec<OsString> {
    let executable = std::env::current_exe().expect("this is a program");
    let deps = executable.parent().expect("it lies in a directory");
    let profile = deps.parent().and_then(Path::file_name).expect("target/PROFILE/deps");
    let target = deps.ancestors().nth(2).expect("target/PROFILE/deps");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["test", "--no-run", "--quiet", "-p", "durable", "--test", "compile-fail"])
        .args(["--message-format", "json", "--target-dir"])
        .arg(target);
    if profile == "release" {
        cargo.arg("--release");
    }
    let done = cargo.output().expect("cargo runs");
    assert!(done.status.success(), "cargo: {}", String::from_utf8_lossy(&done.stderr));
    let mut arguments = vec![OsString::from("-L"), OsString::from("dependency=")];
    arguments[1].push(deps);
    let text = String::from_utf8_lossy(&done.stdout);
    let mut found = Vec::new();
    for line in text.lines() {
        let Some((name, file)) = library(line) else { continue };
        found.push(name.clone());
        let mut argument = OsString::from(format!("{name}="));
        argument.push(file);
        arguments.extend([OsString::from("--extern"), argument]);
    }
    found.sort();
    assert_eq!(
        found,
        LIBRARIES
            .iter()
            .copied()
            .map(String::from)
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>(),
        "each library once"
    );
    arguments
}

/// The name and the file of a library that a line of cargo's reports.
fn library(line: &str) -> Option<(String, PathBuf)> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let name = message["target"]["name"].as_str()?;
    if message["reason"] != "compiler-artifact" || !LIBRARIES.contains(&name) {
        return None;
    }
    let files = message["filenames"].as_array()?.iter().filter_map(|file| file.as_str());
    let file = files
        .map(PathBuf::from)
        .find(|file| file.extension().is_some_and(|extension| extension == "rlib"))?;
    Some((name.to_owned(), file))
}
