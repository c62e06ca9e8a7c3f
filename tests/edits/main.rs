//! Changed code is detected and never misread: random edits of random workflows, compiled, and deployed under an instance at each
//! of its awaits.
//!
//! [`generate`] writes workflows and [`edit`] edits them, both as trees that know what is what in both versions; [`workshop`] compiles
//! them through the public face, hundreds of versions in a few executables, and lets each version go on with an instance of the old
//! one (`world.rs` is that crate's library). [`interpret`] tells from the trees what is right: the values of all variables, the calls
//! that are left, the result. [`judge`] compares: every instance goes on like that, or is parked with the reason and then goes on
//! under the build that saved it; and where [evolution.md](../../docs/evolution.md) says that it goes on, it does.
//!
//! The negative controls say in the source, `#[resume(was = "..")]` and `#[was("..")]`, what a matching by rank or type would guess, or leave
//! out what has to be said there.
//!
//! `DURABLE_SEED` replays a run, `DURABLE_SCALE` multiplies its size:
//!
//! ```text
//! DURABLE_SCALE=10 cargo test --test edits        # 10,000 edits
//! DURABLE_SEED=4 cargo test --test edits          # 1,000 others
//! ```

mod alive;
mod edit;
mod generate;
#[path = "../common/generated.rs"]
mod generated;
mod interpret;
mod judge;
#[path = "../common/random.rs"]
mod random;
mod sabotage;
#[path = "../common/sizes.rs"]
mod sizes;
mod tree;
mod values;
mod workshop;

use std::collections::BTreeMap;

use edit::{KINDS, Kind};
use generate::Maker;
use interpret::{Run, Standing};
use random::seed;
use sabotage::Sabotage;
use sizes::times;
use workshop::{Case, Line, Workshop};

/// So many edits are compiled as one crate.
const BASES: u64 = 100;
const VERSIONS: usize = 10;
/// So many findings are printed; more would say no more.
const PRINTED: usize = 5;

/// A workflow with its versions and what was done to make each of them.
fn case(seed: u64) -> (Case, Vec<Vec<Kind>>) {
    let mut maker = Maker::new(seed);
    let old = maker.program();
    let (versions, kinds) = (0..VERSIONS).map(|_| edit::version(&mut maker, &old)).unzip();
    (Case { old, versions }, kinds)
}

/// What became of the instances at the awaits of one kind of edit, or of all.
#[derive(Clone, Copy, Default)]
struct Count {
    resumed: u64,
    parked: u64,
    /// Of those that resumed: the documentation says so.
    certain: u64,
}

/// What is wrong, or what became of the instance.
fn verdict(case: &Case, standing: &Standing, whole: &Run, line: &Line) -> Result<Count, String> {
    let found = Run { result: line.text.clone(), calls: line.calls.clone() };
    let Some(version) = line.version else {
        let expected = standing.rest(whole);
        let right = line.outcome == "completed" && found == expected;
        let wrong =
            || format!("the build that saved it: {} as {found:?}\nexpected {expected:?}", line.outcome);
        return if right { Ok(Count::default()) } else { Err(wrong()) };
    };
    let judgement = judge::judge(&case.old, &case.versions[version], standing);
    let certain = u64::from(judgement.resumes);
    match line.outcome.as_str() {
        "completed" if judgement.right.contains(&found) => Ok(Count { resumed: 1, parked: 0, certain }),
        "completed" => Err(format!("MISREAD: it gave {found:?}\nright is {:?}", judgement.right)),
        "parked" if judgement.resumes => {
            Err(format!("parked, where it is to go on: {}\nright is {:?}", line.text, judgement.right))
        }
        "parked"
            if ["stands at", "variable", "another activity", "awaits"]
                .iter()
                .any(|part| line.text.contains(part)) =>
        {
            Ok(Count { resumed: 0, parked: 1, certain: 0 })
        }
        other => Err(format!("{other}: {}", line.text)),
    }
}

/// Where the instance stood, and both sources.
fn shown(case: &Case, standing: &Standing, line: &Line) -> String {
    let ids: Vec<_> = standing.frames.iter().map(|frame| (frame.function, frame.at)).collect();
    let places = ids.iter().map(|(function, at)| {
        let points = case.old.functions[*function].points();
        let point = points.iter().find(|point| point.wait.id == *at);
        point.map_or(String::new(), |point| tree::print_op(&case.old.functions[*function], &point.wait.op))
    });
    let places: Vec<_> = places.collect();
    let new = line.version.map_or(String::new(), |version| case.versions[version].print("after"));
    format!("it stood at {} (suspension {})\n{}{new}", places.join(" > "), line.at, case.old.print("before"))
}

#[test]
fn edited_workflows_go_on_right_or_are_parked() {
    let seed = seed();
    let workshop = Workshop::new("versions");
    let (mut all, mut edits, mut findings) = (Count::default(), 0, Vec::new());
    let mut kinds_found: BTreeMap<Kind, Count> = BTreeMap::new();
    for batch in 0..times(1) {
        let seeds = (0..BASES).map(|at| (seed << 32) + batch * BASES + at);
        let (cases, kinds): (Vec<_>, Vec<_>) = seeds.map(case).unzip();
        edits += cases.iter().map(|case| case.versions.len()).sum::<usize>();
        let runs: Vec<_> =
            cases.iter().map(|case| interpret::run(&case.old).expect("it was tried")).collect();
        let lines = workshop.run(&cases);
        findings.extend(missing(&cases, &runs, &lines));
        for line in lines {
            let (case, (stands, whole)) = (&cases[line.base], &runs[line.base]);
            let Some(standing) = stands.get(line.at) else {
                findings.push(format!("it stands more often than it should: {line:?}"));
                continue;
            };
            match verdict(case, standing, whole, &line) {
                Ok(count) => {
                    let by_kind = line.version.map_or(&[][..], |version| &kinds[line.base][version]);
                    add(&mut all, count);
                    for kind in by_kind {
                        add(kinds_found.entry(*kind).or_default(), count);
                    }
                }
                Err(wrong) => {
                    let by_kind = line.version.map(|version| &kinds[line.base][version]);
                    findings.push(format!(
                        "batch {batch}, workflow {}, {by_kind:?}: {wrong}\n{}",
                        line.base,
                        shown(case, standing, &line)
                    ));
                }
            }
        }
    }
    let Count { resumed, parked, certain } = all;
    println!(
        "{edits} edits, {} instances: {resumed} resumed, {certain} of them as documented; {parked} parked; {} findings",
        resumed + parked,
        findings.len()
    );
    for (kind, Count { resumed, parked, certain }) in &kinds_found {
        println!("  {kind:16} {resumed:5} resumed ({certain} as documented), {parked:5} parked");
    }
    findings.iter().take(PRINTED).for_each(|finding| println!("\n{finding}"));
    assert!(findings.is_empty(), "{} findings, see above", findings.len());
    assert!(resumed > parked, "an edit here and there strands fewer than it leaves alone");
    let unseen: Vec<_> = KINDS.iter().filter(|kind| !kinds_found.contains_key(kind)).collect();
    assert!(unseen.is_empty(), "no instance met {unseen:?}");
}

/// Each version has to tell of each place at which its workflow stands, and the build that saved it of each place and of whoever was parked.
fn missing(cases: &[Case], runs: &[(Vec<Standing>, Run)], lines: &[Line]) -> Option<String> {
    let stands: usize = runs.iter().map(|(stands, _)| stands.len()).sum();
    let versioned = cases.iter().zip(runs).map(|(case, (stands, _))| stands.len() * case.versions.len());
    let parked = lines.iter().filter(|line| line.version.is_some() && line.outcome == "parked").count();
    let expected = (versioned.sum::<usize>(), stands + parked);
    let told = lines.iter().filter(|line| line.version.is_some()).count();
    let found = (told, lines.len() - told);
    (found != expected).then(|| {
        format!("of the versions and of the builds that saved their instances there are {found:?} results, and there should be {expected:?}")
    })
}

fn add(to: &mut Count, count: Count) {
    to.resumed += count.resumed;
    to.parked += count.parked;
    to.certain += count.certain;
}

#[test]
fn a_wrong_matching_is_noticed() {
    let seed = seed();
    let workshop = Workshop::new("control");
    let mistakes = [Sabotage::PointsByOrder, Sabotage::VariablesByType, Sabotage::WithoutOldNames];
    let consequences = ["MISREAD", "MISREAD", "parked, where it is to go on"];
    let right: Vec<_> = (0..48).map(|at| case((seed << 32) + 0x8000_0000 + at).0).collect();
    let wrong = right.iter().enumerate().map(|(at, case)| {
        let versions = case.versions.iter().map(|new| mistakes[at % 3].of(&case.old, new));
        Case { old: case.old.clone(), versions: versions.collect() }
    });
    let wrong: Vec<_> = wrong.collect();
    let runs: Vec<_> = right.iter().map(|case| interpret::run(&case.old).expect("it was tried")).collect();
    let mut noticed = [0; 3];
    let mut smallest: Option<String> = None;
    for line in workshop.run(&wrong) {
        let (case, (stands, whole)) = (&right[line.base], &runs[line.base]);
        let Err(found) = verdict(case, &stands[line.at], whole, &line) else { continue };
        if found.starts_with(consequences[line.base % 3]) {
            noticed[line.base % 3] += 1;
            let text = format!("{found}\n{}", shown(&wrong[line.base], &stands[line.at], &line));
            if smallest.as_ref().is_none_or(|smallest| text.len() < smallest.len()) {
                smallest = Some(text);
            }
        }
    }
    println!("{mistakes:?}: {noticed:?} noticed; the smallest:\n{}", smallest.unwrap_or_default());
    assert!(noticed.iter().all(|noticed| *noticed >= 5), "a mistake was not noticed");
}

/// The control of [`missing`]: a version that says nothing, and a build that does not take up what was parked.
#[test]
fn results_that_are_missing_are_noticed() {
    let case = case(seed() << 32).0;
    let run = interpret::run(&case.old).expect("it was tried");
    let line = |at: usize, version: Option<usize>, outcome: &str| Line {
        base: 0,
        at,
        version,
        outcome: outcome.into(),
        text: String::new(),
        calls: Vec::new(),
    };
    let mut lines = Vec::new();
    for at in 0..run.0.len() {
        lines.push(line(at, None, "completed"));
        for version in 0..case.versions.len() {
            lines.extend([line(at, Some(version), "parked"), line(at, None, "completed")]);
        }
    }
    let (cases, runs) = ([case], [run]);
    assert!(lines.len() > 2 && missing(&cases, &runs, &lines).is_none());
    for one in 0..3 {
        let mut fewer: Vec<Line> = Vec::new();
        fewer.extend(lines.iter().take(one).cloned());
        fewer.extend(lines.iter().skip(one + 1).cloned());
        assert!(missing(&cases, &runs, &fewer).is_some(), "without {:?}", lines[one]);
    }
}
