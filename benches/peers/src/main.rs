//! The same jobs on Durable and on what could be used in its place, as Markdown tables.
//!
//! `cargo run --release -- [JOB..] [OPTION..]`; README.md has the jobs and the options.
//!
//! Each contender does each job in a process of its own over a directory of its own, and the contenders
//! take turns: a shared machine is a different machine a minute later, so ratios are formed within a
//! round. This program holds no engine; what it reports of a contender is what the contender's process
//! printed after it had checked its results.

mod build;
mod child;
mod contenders;
mod fleet;
mod options;
mod resume;
mod sequence;
mod stats;
mod syncs;
mod table;

use options::Options;

fn main() {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}");
            std::process::exit(2);
        }
    };
    build::contenders();
    let contenders = contenders::chosen(&options);
    println!("{}\n", table::heading(&options, &contenders));
    if options.wants("syncs") {
        syncs::run(&options, &contenders);
    }
    if options.wants("fleet") {
        fleet::run(&options, &contenders);
    }
    if options.wants("sequence") {
        sequence::run(&options, &contenders);
    }
    if options.wants("resume") {
        resume::run(&options, &contenders);
    }
    if options.wants("build") {
        build::run(&options, &contenders);
    }
    let _ = std::fs::remove_dir_all(&options.dir);
}
