//! A hot fix: orders over 500 run into a division by zero; a fixed build takes them on from where they stood.
//!
//! `cargo run --example hotfix`
//!
//! Two builds of one program, `before.rs` and `after.rs`, run over one store, one after the other. This program builds and runs them.

use std::process::Command;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let store = directory.path().join("shop.redb").display().to_string();
    println!("== the first build");
    run("hotfix-before", &["sell", &store])?;
    println!("\n== what the fixed build would do, before it does it");
    run("hotfix-after", &["check", &store])?;
    println!("\n== the fixed build");
    run("hotfix-after", &["sell", &store])
}

fn run(example: &str, args: &[&str]) -> Result<(), Failure> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status =
        Command::new(cargo).args(["run", "--quiet", "--example", example, "--"]).args(args).status()?;
    if status.success() { Ok(()) } else { Err(format!("`{example}` failed: {status}").into()) }
}
