//! The compiler against rustc.
mod generate;
mod run;
mod shrink;
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
    let crashes: u64 =
        verdicts.iter().map(|v| if let Verdict::Same { crashes } = v { *crashes } else { 0 }).sum();
    println!("crashes {crashes} {counts:#?} in {:?}", begun.elapsed());
}

/// `PROGRAM=122 DURABLE_SEED=4 cargo test --test random shrunk`
#[test]
fn shrunk() {
    let Ok(at) = std::env::var("PROGRAM") else { return };
    let at: u64 = at.parse().unwrap();
    let program = generate::generate(seed() * 100_000 + at);
    let workshop = Workshop::new("shrink", 2);
    let verdict = workshop.run(&[Case::of(&program, 0)]).remove(0);
    let (program, verdict) = shrink::shrink(&workshop, &program, &verdict, |p, at| Some(Case::of(p, at)));
    println!("{}\n{verdict:?}", program.print(tree::Twin::Flow, "case"));
    if let Verdict::FlowRefused(t) | Verdict::Differs(t) = verdict {
        println!("{t}");
    }
}
