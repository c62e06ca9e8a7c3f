//! What the compiler says to mistakes: one error for each, at the user's tokens, with the rewrite.
//!
//! Each file in `cases/` holds one mistake and states, below the line that holds it, what rustc has to print:
//!
//! ```text
//!     let total = format!("{}", price(sku).await);
//!     //~ error at `await`: an await inside a macro's arguments can't be a resume point
//!     //~ help: bind it before: `let value = ....await;`, and use `value` here
//!     //~ see docs/errors/await-in-macro.md
//! ```
//!
//! That is the primary span's text, the message word for word, and those of its notes that matter. Of an error that is rustc's own only
//! the code is stated (`//~ error[E0382] at`), because its words change from one rustc to the next. Whatever else is printed is a failure: a second
//! error derived from the first, a warning, a span in generated code, a name that the user never wrote.
//!
//! `CASE=part-of-a-name` runs some of them and prints what rustc printed; `BLESS=1` writes what it says into the files, for you to read
//! and to judge. The programs are checked by rustc directly, against what cargo has built for this test.
//!
//! `docs/errors/` is checked likewise: what a page calls wrong must fail with the page's own text, what it calls right must compile.

mod case;
mod check;
mod expected;
mod pages;
mod printed;
mod rustc;
mod twins;

use std::{fs, path::Path, path::PathBuf};

/// The directory of this test.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile-fail")
}

/// The Rust files of a directory, in order.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    files
}

#[test]
fn each_mistake_has_one_error_that_helps() {
    let rustc = rustc::Rustc::find();
    let wanted = std::env::var("CASE").ok();
    let mut cases = rust_files(&here().join("cases"));
    if let Some(part) = &wanted {
        cases.retain(|path| path.to_string_lossy().contains(part.as_str()));
    }
    let bless = std::env::var_os("BLESS").is_some();
    let complaints = check::in_parallel(&cases, |path| {
        let case = case::Case::read(path);
        let printed = rustc.check(path);
        if wanted.is_some() {
            printed.iter().for_each(|diagnostic| println!("{}", diagnostic.rendered));
        }
        if bless {
            fs::write(path, case.blessed(&printed)).expect("the case is writable");
        }
        case::Case::read(path).complaints(&printed)
    });
    check::report(&complaints, cases.len());
    assert!(wanted.is_some() || cases.len() >= 60, "only {} cases", cases.len());
}

/// A case that compiles, a wrong text, a wrong place, a second error: each control names in its first line the complaint it must raise.
#[test]
fn the_harness_notices() {
    let rustc = rustc::Rustc::find();
    let controls = rust_files(&here().join("controls"));
    assert!(controls.len() >= 6, "only {} controls", controls.len());
    let complaints = check::in_parallel(&controls, |path| {
        let text = fs::read_to_string(path).expect("the control is readable");
        let wanted = text.lines().next().and_then(|line| line.strip_prefix("//! noticed: "));
        let wanted = wanted.unwrap_or_else(|| panic!("{} says what is noticed", path.display()));
        let found = case::Case::read(path).complaints(&rustc.check(path));
        if found.iter().any(|complaint| complaint.contains(wanted)) {
            return Vec::new();
        }
        vec![format!("{}: not noticed: {wanted}; found: {found:#?}", path.display())]
    });
    check::report(&complaints, controls.len());
}

#[test]
fn the_pages_are_true() {
    let rustc = rustc::Rustc::find();
    let pages = pages::all();
    let complaints = check::in_parallel(&pages, |page| page.complaints(rustc));
    check::report(&complaints, pages.len());
}

#[test]
fn each_message_has_a_page_and_each_page_a_case() {
    let pages: Vec<String> = pages::all().into_iter().map(|page| page.slug).collect();
    let named_by = |files: &[PathBuf]| {
        let mut slugs = Vec::new();
        for file in files {
            slugs.extend(pages::slugs_in(&fs::read_to_string(file).expect("the file is readable")));
        }
        slugs
    };
    let cases = named_by(&rust_files(&here().join("cases")));
    let sources = named_by(&pages::sources());
    let without_page: Vec<&String> =
        cases.iter().chain(&sources).filter(|slug| !pages.contains(*slug)).collect();
    assert!(without_page.is_empty(), "named in a message, but there is no page: {without_page:?}");
    let without_case: Vec<&String> = pages.iter().filter(|page| !cases.contains(page)).collect();
    assert!(without_case.is_empty(), "pages without a case: {without_case:?}");
    let index = fs::read_to_string(pages::directory().join("README.md")).expect("there is an index");
    let unlisted: Vec<&String> =
        pages.iter().filter(|page| !index.contains(&format!("({page}.md)"))).collect();
    assert!(unlisted.is_empty(), "not in docs/errors/README.md: {unlisted:?}");
}

#[test]
fn each_message_has_a_case() {
    let mut stated = String::new();
    for file in rust_files(&here().join("cases")) {
        let text = fs::read_to_string(file).expect("the case is readable");
        text.lines().filter(|line| line.contains(expected::MARK)).for_each(|line| stated += line);
    }
    let mut checked = 0;
    let mut without_case = Vec::new();
    for source in pages::sources() {
        for message in pages::messages_in(&source) {
            checked += 1;
            if !stated.contains(&message) {
                without_case.push(format!("{}: {message}", source.display()));
            }
        }
    }
    check::report(&without_case, checked);
}
