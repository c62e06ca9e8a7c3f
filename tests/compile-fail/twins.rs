//! What rustc says to a workflow is what it says to the same function as plain async: the same errors and warnings, on the same
//! lines. The plain twin is the program without its attributes, line by line.

use crate::{here, printed::Diagnostic, rustc::Rustc};
use std::{collections::BTreeSet, fs};

/// A diagnostic without its words, which may speak of a call in place of a future: what it is, and its line. Of an awaited value rustc
/// shows `act(n).await` here and the `await` of it there, so the column is not compared; that it is the user's line is.
type Place = (String, usize);

/// What the plain twin alone has: a variable that is declared in front of the code that rustc compiles is always assigned to.
const NOT_COMPARED: &[&str] = &["unused_mut"];

fn places(printed: &[Diagnostic]) -> BTreeSet<Place> {
    let place = |diagnostic: &Diagnostic| {
        let code = diagnostic.code.clone().unwrap_or_else(|| diagnostic.message.clone());
        (code, diagnostic.span.as_ref().map_or(0, |span| span.line))
    };
    let all =
        printed.iter().filter(|diagnostic| diagnostic.level == "error" || diagnostic.level == "warning");
    all.map(place).filter(|(code, _)| !NOT_COMPARED.contains(&code.as_str())).collect()
}

/// The program as plain async.
fn plain(text: &str) -> String {
    let is_ours =
        |line: &str| line.starts_with("use durable::") || line == "#[workflow]" || line == "#[activity]";
    let lines: Vec<&str> = text.lines().map(|line| if is_ours(line) { "" } else { line }).collect();
    lines.join("\n") + "\n"
}

/// What rustc says to both.
fn both(rustc: &Rustc, name: &str, text: &str) -> (BTreeSet<Place>, BTreeSet<Place>) {
    let check = |kind: &str, text: &str| {
        let file = rustc.scratch().join(format!("twin_{}_{kind}.rs", name.replace(' ', "_")));
        fs::write(&file, text).expect("the scratch directory is writable");
        places(&rustc.check(&file))
    };
    (check("plain", &plain(text)), check("flow", text))
}

fn complaint(rustc: &Rustc, name: &str, text: &str) -> Option<String> {
    let (plain, flow) = both(rustc, name, text);
    assert!(!plain.is_empty(), "{name}: rustc says nothing to the plain twin");
    (plain != flow).then(|| format!("{name}\n  plain:    {plain:?}\n  workflow: {flow:?}"))
}

fn read(name: &str) -> String {
    fs::read_to_string(here().join("twins").join(name)).expect("the twins are readable")
}

#[test]
fn warnings_are_those_of_the_plain_function() {
    let complaint = complaint(Rustc::find(), "warnings", &read("warnings.rs"));
    assert!(complaint.is_none(), "{}", complaint.unwrap_or_default());
}

#[test]
fn errors_are_those_of_the_plain_function() {
    let text = read("errors.rs");
    let programs: Vec<(&str, &str)> =
        text.split("// == ").skip(1).filter_map(|program| program.split_once('\n')).collect();
    assert!(programs.len() >= 16, "only {} programs", programs.len());
    let rustc = Rustc::find();
    let complaints: Vec<String> =
        programs.iter().filter_map(|(name, text)| complaint(rustc, name, text)).collect();
    assert!(
        complaints.is_empty(),
        "{} of {} differ\n{}",
        complaints.len(),
        programs.len(),
        complaints.join("\n")
    );
}

#[test]
fn another_place_is_noticed() {
    let text =
        "use durable::{activity, workflow};\n#[workflow]\npub async fn f(unused: u64) -> u64 {\n    1\n}\n";
    let (plain, flow) = both(Rustc::find(), "control", text);
    assert_eq!(plain, flow);
    let moved = format!("\n{text}");
    assert_ne!(plain, both(Rustc::find(), "control moved", &moved).1);
}
