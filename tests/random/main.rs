//! The compiler against rustc.
mod generate;
mod run;
mod tree;
mod types;

use run::{Case, Verdict, Workshop};

fn seed() -> u64 {
    let seed =
        std::env::var("DURABLE_SEED").ok().map_or(1, |seed| seed.parse().expect("DURABLE_SEED is a number"));
    println!("DURABLE_SEED={seed}");
    seed
}

#[test]
fn hunt() {
    let seed = seed();
    let count: u64 = std::env::var("COUNT").ok().map_or(20, |n| n.parse().unwrap());
    let programs: Vec<_> = (0..count).map(|at| generate::generate(seed * 100_000 + at)).collect();
    if std::env::var("PRINT").is_ok() {
        for p in &programs {
            println!("{}", p.print(tree::Twin::Flow, "c"));
        }
        return;
    }
    let cases: Vec<Case> = programs.iter().enumerate().map(|(at, p)| Case::of(p, at)).collect();
    let begun = std::time::Instant::now();
    let verdicts = Workshop::new("hunt", 2).run(&cases);
    let mut counts = std::collections::BTreeMap::new();
    for (at, v) in verdicts.iter().enumerate() {
        *counts.entry(v.kind()).or_insert(0) += 1;
        match v {
            Verdict::PlainRefused(t) | Verdict::FlowRefused(t) | Verdict::Differs(t) | Verdict::Panics(t) => {
                println!("=== {at} {}\n{t}", v.kind())
            }
            Verdict::Died => println!("=== {at} died"),
            _ => {}
        }
    }
    println!("{counts:#?} in {:?}", begun.elapsed());
}
