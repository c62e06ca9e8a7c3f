//! The tables of `docs/language.md`: each row names what shows it.

use std::path::Path;

const FUNCTIONS: [&str; 3] = ["tests/language", "tests/functions", "durable-macros/tests/functions"];
const CASES: &str = "tests/compile-fail/cases";

/// Where a name of a table's last column is found.
fn exists(root: &Path, name: &str) -> bool {
    let mut folders = FUNCTIONS.to_vec();
    folders.push(CASES);
    folders.iter().any(|folder| root.join(folder).join(format!("{name}.rs")).exists())
}

/// The rows of all tables whose last column is `shown by`, with that column's names.
fn rows(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut rows = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            inside = false;
            continue;
        };
        let last = cells.rsplit('|').next().unwrap_or_default().trim();
        match last {
            "shown by" => inside = true,
            "---" => {}
            _ if inside => rows.push((line, last.split(',').map(str::trim).collect())),
            _ => {}
        }
    }
    rows
}

#[test]
fn each_row_names_what_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/language.md")).expect("the page is there");
    let rows = rows(&text);
    assert!(rows.len() > 60, "only {} rows were found", rows.len());
    let missing: Vec<_> = rows
        .iter()
        .filter(|(_, names)| names.iter().any(|name| name.is_empty() || !exists(root, name)))
        .map(|(line, _)| *line)
        .collect();
    assert!(missing.is_empty(), "nothing shows these rows:\n{}", missing.join("\n"));
}

#[test]
fn a_row_without_a_test_is_noticed() {
    let text = "| construct | | shown by |\n|---|---|---|\n| `loop` | yes | no-such-test |\n";
    let [(_, names)] = &rows(text)[..] else { panic!("one row") };
    assert!(!exists(Path::new(env!("CARGO_MANIFEST_DIR")), names[0]));
}
