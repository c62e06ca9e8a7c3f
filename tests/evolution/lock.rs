//! The layout file: that it says what the engine does, what it sees of types, and what becomes of it in the hands of people.

use std::collections::{BTreeMap, HashSet};

use durable::{
    CheckOutcome, CheckReport,
    lock::{Lock, LockError, LockGroup, LockReport},
    prelude::*,
    testing::TestEngine,
};
use serde::{Deserialize, Serialize};

use super::charge;

/// What the file of a build with `old` says to one that has `new` in its place.
fn verdict(old: &str, new: &str) -> LockReport {
    let text = only(old).replace(&format!("\nworkflow {old}\n"), &format!("\nworkflow {new}\n"));
    text.parse::<Lock>().unwrap().check().unwrap()
}

/// The file with one workflow.
fn only(workflow: &str) -> String {
    let text = Lock::of_this_build().unwrap().to_string();
    let (head, blocks) = text.split_once("\n\n").unwrap();
    let block = blocks.split("\n\n").find(|block| block.starts_with(&format!("workflow {workflow}\n")));
    format!("{head}\n\n{}\n", block.unwrap_or_else(|| panic!("{workflow} is in {text}")).trim_end())
}

fn kind(outcome: &CheckOutcome) -> String {
    match outcome {
        CheckOutcome::Resumes => "resumes".into(),
        CheckOutcome::Converts { variables } => format!("converts {}", variables.join(", ")),
        // What follows tells of a value, and the file has none of an instance.
        CheckOutcome::Strands { reason } => {
            let known = reason.split(": invalid ").next().unwrap_or_default();
            format!("strands: {}", known.replace(", for some values: ", ": "))
        }
        other => format!("{other:?}"),
    }
}

/// Where instances stand, the file of the old version says what the engine says of the new one, with the same reason.
pub(super) async fn agrees(engine: &TestEngine, old: &str, new: &str) {
    let (engine, lock): (CheckReport, _) = (engine.check().await.unwrap(), verdict(old, new));
    assert!(engine.instances() > 0);
    for group in engine.groups {
        let found = lock.groups.iter().find(|found| found.place == group.place);
        let found = found.unwrap_or_else(|| panic!("nothing of {} in\n{lock}", group.place));
        if let (CheckOutcome::Migrates { .. }, CheckOutcome::Strands { .. }) =
            (&found.outcome, &group.outcome)
        {
            // That a function is asked says the file; what it answers, a snapshot.
            continue;
        }
        assert_eq!(kind(&found.outcome), kind(&group.outcome), "{lock}");
    }
}

#[test]
fn a_build_agrees_with_itself_and_its_text_is_read_as_what_was_written() {
    let lock = Lock::of_this_build().unwrap();
    let text = lock.to_string();
    let again: Lock = text.parse().unwrap();
    assert_eq!(again.to_string(), text);
    let report = again.check().unwrap();
    assert_eq!((report.exit_code(), report.is_current()), (0, true), "{report}");
    assert!(report.groups.len() > 50);
    assert!(report.groups.iter().all(|group| group.outcome == CheckOutcome::Resumes), "{report}");
}

/// The negative control of [`agrees`]: an edit that the file is not asked about.
#[tokio::test]
#[should_panic(expected = "left == right")]
async fn a_verdict_that_is_not_the_engines_is_noticed() {
    let engine = super::engine().await;
    engine.start("it", narrow(5)).await.unwrap();
    engine.idle().await;
    let engine = engine.deploy(narrow, text).await;
    agrees(&engine, "narrow", "wide").await;
}

#[derive(Serialize, Deserialize)]
enum Tree {
    Leaf(i8),
    Node { left: Box<Tree>, right: Option<Box<Tree>> },
}

#[derive(Serialize, Deserialize)]
struct Holds<T> {
    it: T,
}

#[derive(Serialize, Deserialize)]
struct Skips {
    id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<u16>,
}

#[derive(Serialize, Deserialize)]
struct WithJson {
    id: u16,
    data: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Aliased {
    #[serde(alias = "sku", alias = "article")]
    name: String,
    #[serde(default)]
    count: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
#[derive(Clone)]
struct Even(u32);

impl TryFrom<u32> for Even {
    type Error = String;
    fn try_from(value: u32) -> Result<Self, String> {
        if value.is_multiple_of(2) { Ok(Even(value)) } else { Err("it is odd".into()) }
    }
}

impl From<Even> for u32 {
    fn from(Even(value): Even) -> u32 {
        value
    }
}

#[derive(Serialize, Deserialize)]
struct Panics(#[serde(deserialize_with = "panics")] u8);

fn panics<'de, D: serde::Deserializer<'de>>(_: D) -> Result<u8, D::Error> {
    panic!("it reads nothing")
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Named { name: String },
    Listed { items: Vec<u8> },
}

#[allow(clippy::too_many_arguments, clippy::option_option)]
#[workflow]
async fn of_many_types(
    id: uuid::Uuid,
    at: chrono::DateTime<chrono::Utc>,
    page: url::Url,
    some: std::num::NonZeroU32,
    tree: Tree,
    numbers: Holds<u8>,
    texts: Holds<Vec<Holds<String>>>,
    skips: Skips,
    aliased: Aliased,
    even: Even,
    map: BTreeMap<String, (u8, f64)>,
    set: HashSet<char>,
    address: std::net::IpAddr,
    deep: Option<Option<bool>>,
    json: WithJson,
) -> Result<(), String> {
    charge("many", 1).await;
    let _ = (id, at, page, some, numbers.it, texts.it, skips.id, skips.note, skips.items, aliased.name);
    let _ =
        (aliased.count, even.0, map, set, address, deep, json.id, json.data, matches!(tree, Tree::Leaf(_)));
    Ok(())
}

/// A type for each line: what is stored of it, whatever it is in the program.
#[test]
fn types_are_seen_through() {
    let text = only("of_many_types");
    for line in [
        "    argument some: named u32 like 1 | 4294967295",
        "        variable id: bytes like \"01010101010101010101010101010101\"",
        "        variable at: str like \"2024-02-29T12:34:56Z\"",
        "        variable page: str like \"https://example.com/\"",
        "        variable some: u32 like 1 | 4294967295",
        "        variable tree: Tree",
        "        variable numbers: Holds",
        "        variable texts: Holds#2",
        "        variable skips: named Skips",
        "        variable aliased: Aliased",
        "        variable even: u32 like 0",
        "        variable map: {str: (u8, f64)}",
        "        variable set: [char]",
        "        variable address: IpAddr",
        "        variable deep: bool??",
        "    type WithJson = struct\n        id: u16\n        data: any?",
        "    result Result",
        "    type Tree = enum\n        Leaf of i8\n        Node { left: Tree, right: Tree? }",
        "    type Holds#2 = struct\n        it: [Holds#3]\n    type Holds#3 = struct\n        it: str",
        "    type Aliased = struct\n        name: str\n        count: u8",
        "        id: u32\n        note (or absent): str?\n        items (or absent): [u16]",
    ] {
        assert!(text.contains(&format!("{line}\n")) || text.ends_with(line), "{line} is not in\n{text}");
    }
}

#[workflow]
async fn of_opaque_types(any: serde_json::Value, untagged: Untagged) -> usize {
    let panics: Option<Panics> = None;
    let paid = charge("opaque", 1).await;
    let _ = (any, panics.map(|panics| panics.0));
    let listed = match untagged {
        Untagged::Named { name } => name.len(),
        Untagged::Listed { items } => items.len(),
    };
    listed + paid as usize
}

#[test]
fn what_can_not_be_seen_through_is_said_and_strands_nobody() {
    let report = verdict("of_opaque_types", "of_opaque_types");
    assert_eq!(report.exit_code(), 0);
    let text = report.to_string();
    for expected in ["variable `untagged`", "Untagged` can't be seen through", "`check` against a store can"]
    {
        assert!(text.contains(expected), "{text}");
    }
}

#[workflow]
async fn generic<T: Serialize + serde::de::DeserializeOwned>(it: T) -> T {
    charge("generic", 1).await;
    it
}

#[workflow]
async fn calls_a_generic_one(fee: u64) -> u64 {
    generic(5_u32).await;
    fee
}

#[workflow]
async fn calls_a_generic_one_for_more(fee: u128) -> u64 {
    generic(5_u32).await;
    fee as u64
}

#[test]
fn a_frame_that_is_not_in_the_file_is_said() {
    let report = verdict("calls_a_generic_one", "calls_a_generic_one_for_more");
    assert!(report.to_string().contains("the variables of `generic`, which is called there"), "{report}");
}

/// The same type in the next build.
mod next {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(super) enum Pay {
        Cash,
        #[serde(alias = "Card")]
        CreditCard {
            number: String,
        },
    }

    #[derive(Serialize, Deserialize)]
    pub(super) enum PayCash {
        Cash,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Cart {
        #[serde(alias = "sku")]
        pub(super) article: String,
        pub(super) qty: Option<u64>,
        #[serde(default)]
        pub(super) gift: bool,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct WithText {
        pub(super) id: u16,
        pub(super) data: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Needs {
        pub(super) sku: String,
        pub(super) weight: u32,
    }
}

#[derive(Serialize, Deserialize)]
enum Pay {
    Cash,
    Card { number: String },
}

#[derive(Serialize, Deserialize)]
struct Cart {
    sku: String,
    qty: u32,
    note: String,
}

/// One variable `it` of a type that values are compared as.
macro_rules! keeping {
    ($($name:ident: $ty:ty;)*) => {$(
        #[workflow]
        async fn $name(it: $ty) -> u64 {
            let paid = charge("kept", 1).await;
            let _ = it;
            paid
        }
    )*};
}

keeping! {
    pay: Pay;
    pay_by_alias: next::Pay;
    pay_in_cash: next::PayCash;
    cart: Cart;
    cart_with_more: next::Cart;
    cart_with_weight: next::Needs;
    narrow: u32;
    wide: u64;
    text: String;
    maybe: Option<u32>;
    strict: std::num::NonZeroU32;
    list: Vec<u32>;
    hashed: HashSet<u64>;
    json: WithJson;
    json_of_text: next::WithText;
    pair: (u32, String);
    triple: (u32, String, bool);
    opaque: Untagged;
}

/// What is said of `it`, of the arguments or at the point.
fn said(old: &str, new: &str) -> (String, Vec<String>) {
    let report = verdict(old, new);
    let of = |place: &str| -> LockGroup {
        report
            .groups
            .iter()
            .find(|group| group.place.contains(place))
            .unwrap_or_else(|| panic!("{report}"))
            .clone()
    };
    let (point, start) = (of("charge"), of("its start"));
    // A variable and an argument of one type fare alike.
    assert_eq!(kind(&point.outcome).split(' ').next(), kind(&start.outcome).split(' ').next(), "{report}");
    let outcome = match point.outcome {
        CheckOutcome::Strands { reason } => format!("strands: {reason}"),
        other => kind(&other),
    };
    (outcome, point.notes)
}

#[test]
fn values_of_an_older_type_are_read_as_todays() {
    for (old, new, expected) in [
        ("narrow", "narrow", "resumes"),
        ("narrow", "wide", "converts it"),
        ("narrow", "maybe", "converts it"),
        ("narrow", "text", "strands: variable `it` of workflow `text` at tests/evolution/lock.rs:"),
        (
            "wide",
            "narrow",
            "for some values: a value stored as `u64` can't be read as `u32`: invalid value: integer `18446744073709551615`",
        ),
        ("maybe", "narrow", "for some values"),
        (
            "narrow",
            "strict",
            "for some values: a value stored as `u32` can't be read as `core::num::nonzero::NonZero<u32>`: invalid value: integer `0`",
        ),
        ("strict", "narrow", "converts it"),
        ("list", "hashed", "converts it"),
        ("pair", "triple", "strands: variable `it`"),
        ("pay", "pay_by_alias", "converts it"),
        ("pay_by_alias", "pay", "unknown variant `CreditCard`, expected `Cash` or `Card`"),
        ("pay", "pay_in_cash", "for some values"),
        ("cart", "cart_with_more", "converts it"),
        ("cart", "cart_with_weight", "missing field `weight`"),
        ("opaque", "narrow", "resumes"),
        ("json_of_text", "json", "converts it"),
        ("json", "json_of_text", "for some values"),
    ] {
        let (outcome, notes) = said(old, new);
        assert!(outcome.contains(expected), "{old} as {new}: {outcome} {notes:?}");
    }
}

#[test]
fn what_is_lost_and_what_can_not_be_told_is_noted() {
    let (_, notes) = said("cart", "cart_with_more");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("what stands at `it.note` is dropped"), "{notes:?}");
    let (_, notes) = said("opaque", "narrow");
    assert!(notes[0].contains("nothing can be told of variable `it`"), "{notes:?}");
}

#[derive(Serialize, Deserialize, Signal)]
struct Told(u64);

#[derive(Serialize, Deserialize, Update)]
#[update(output = u32)]
struct Asked {
    what: String,
}

#[derive(Serialize, Deserialize, Publish)]
struct Shown {
    percent: u8,
}

#[test]
fn messages_are_described_and_those_that_wait_are_read_as_todays() {
    let text = Lock::of_this_build().unwrap().to_string();
    for block in [
        "signal Told\n    content Told\n    type Told = newtype u64\n",
        "update Asked\n    content Asked\n    reply u32\n    type Asked = struct\n        what: str\n",
        "published Shown\n    content Shown\n    type Shown = struct\n        percent: u8\n",
    ] {
        assert!(text.contains(&format!("\n\n{block}")), "{text}");
    }
    let group = |text: String| {
        let report = text.parse::<Lock>().unwrap().check().unwrap();
        report
            .groups
            .into_iter()
            .find(|group| ["Told", "Heard", "Asked", "Shown"].contains(&group.item.as_str()))
            .unwrap()
    };
    let with = |block: &str| group(format!("durable.lock 1\n{block}"));
    let told = with("signal Told\n    content str\n");
    assert!(kind(&told.outcome).starts_with("strands: signal `Told`"), "{told:?}");
    assert_eq!(kind(&with("signal Told\n    content u32\n").outcome), "converts content");
    let heard = with("signal Heard\n    content str\n");
    assert!(
        heard.outcome == CheckOutcome::Resumes && heard.notes[0].contains("nothing in this build"),
        "{heard:?}"
    );
    // Whoever asks gets an error; nobody is parked for it.
    let shown = with("published Shown\n    content str\n");
    assert!(
        shown.outcome == CheckOutcome::Resumes && shown.notes[0].contains("read from outside"),
        "{shown:?}"
    );
}

#[test]
fn what_is_gone_strands() {
    let text = only("narrow").replace("workflow narrow", "workflow sold");
    let report = text.parse::<Lock>().unwrap().check().unwrap();
    assert!(report.to_string().contains("workflow `sold` is not in this build"), "{report}");
    assert_eq!(report.to_json()["groups"][0]["outcome"]["outcome"], "strands");
    let text = only("narrow").replace("activity charge", "activity debit");
    let report = text.parse::<Lock>().unwrap().check().unwrap();
    assert!(report.to_string().contains("activity `debit` is not in this build"), "{report}");
}

/// An older version of `narrow` and one of `wide` stay until somebody says that they are gone.
#[test]
fn a_file_keeps_versions_until_it_is_pruned() {
    let before: Lock = only("narrow").replace("u32", "u16").replace("lock.rs:", "lock.rs:9").parse().unwrap();
    let all = before.clone().with(Lock::of_this_build().unwrap());
    let text = all.to_string();
    assert_eq!(text.matches("\nworkflow narrow\n").count(), 2);
    assert!(text.contains("variable it: u16") && all.check().unwrap().is_current());
    // Once more changes nothing.
    assert_eq!(all.clone().with(Lock::of_this_build().unwrap()).to_string(), text);
    let pruned = all.pruned(Lock::of_this_build().unwrap()).to_string();
    assert_eq!(pruned, Lock::of_this_build().unwrap().to_string());
    let report = before.check().unwrap();
    assert!(!report.is_current() && report.missing.contains(&"workflow `wide`".to_owned()), "{report}");
}

#[test]
fn other_lines_of_source_are_no_other_version() {
    let text = Lock::of_this_build().unwrap().to_string().replace("lock.rs:1", "moved.rs:77");
    let moved: Lock = text.parse().unwrap();
    assert!(moved.check().unwrap().is_current());
    assert_eq!(moved.with(Lock::of_this_build().unwrap()).to_string(), text, "nobody has to review lines");
}

#[test]
fn a_file_that_passes_and_one_that_fails() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("durable.lock");
    assert!(Lock::of_this_build().unwrap().write(&path).unwrap());
    assert!(!Lock::of_this_build().unwrap().write(&path).unwrap(), "it is the same");
    durable::testing::lock_file(&path);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\nworkflow wide\n", "\nworkflow narrow\n")).unwrap();
    let failed = std::panic::catch_unwind(|| durable::testing::lock_file(&path)).unwrap_err();
    let why = failed.downcast_ref::<String>().unwrap();
    for expected in [
        "durable.lock: this build would park instances",
        "variable `it` of workflow `narrow`",
        "DURABLE_LOCK=prune",
    ] {
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn a_file_in_a_merge_or_of_another_kind_says_what_to_do() {
    let text = only("narrow");
    let error = |text: &str| text.parse::<Lock>().unwrap_err();
    let conflict = text.replace("workflow narrow", "<<<<<<< HEAD\nworkflow narrow");
    assert!(matches!(error(&conflict), LockError::Conflict { line: 6 }), "{}", error(&conflict));
    for (text, expected) in [
        (text.replace("durable.lock 1", "durable.lock 2"), "newer version of durable"),
        (String::new(), "newer version of durable"),
        (text.replace("variable it: u32", "variable it: u31 like"), "unexpected `like`"),
        (text.replace("variable it: u32", "variable it u32"), "expected `:`"),
        (text.replace("variable it: u32", "variable it: [u32"), "expected `]`"),
        (text.replace("    result", "    outcome"), "`outcome` is not expected here"),
        (text.replace("workflow narrow", "function narrow"), "`function` is no kind of thing"),
    ] {
        let said = error(&text).to_string();
        assert!(said.contains(expected), "{said}");
    }
    // Both sides of a merge.
    let both = format!("{text}\n{}", only("wide").split_once("\n\n").unwrap().1.replace("wide", "narrow"));
    assert_eq!(both.parse::<Lock>().unwrap().check().unwrap().groups.len(), 6);
}

#[test]
fn whatever_stands_in_a_file_is_read_or_refused() {
    let text = ["of_many_types", "pays_both", "sums", "cart"]
        .map(|name| only(name).split_once("\n\n").unwrap().1.to_owned());
    let text = format!("durable.lock 1\n\n{}", text.join("\n"));
    let (mut rng, mut sound) = (fastrand::Rng::with_seed(5), 0);
    for round in 0..3_000 {
        let mut lines: Vec<String> = text.lines().map(Into::into).collect();
        for _ in 0..rng.usize(1..4) {
            let (at, other) = (rng.usize(1..lines.len()), rng.usize(1..lines.len()));
            match rng.u8(0..5) {
                0 => drop(lines.remove(at)),
                1 => lines.swap(at, other),
                2 => lines[at] = lines[other].clone(),
                3 => {
                    lines[at]
                        .push_str(["[", "?", "{", " like ", "\"", "#", ":", " = ", "\\"][rng.usize(..9)]);
                }
                _ => {
                    let cut = rng.usize(..=lines[at].len());
                    if lines[at].is_char_boundary(cut) {
                        lines[at].truncate(cut);
                    }
                }
            }
        }
        if let Ok(lock) = lines.join("\n").parse::<Lock>() {
            sound += 1;
            if round % 100 == 0 {
                lock.check().unwrap();
            }
        }
    }
    assert!(sound > 300, "{sound}");
    // A type that never ends, and one that is too wide.
    for types in [
        "type It = struct\n        a: It\n        b: It\n        c: It",
        "type It = newtype It",
        "type It = enum",
    ] {
        let text = format!("durable.lock 1\nworkflow narrow\n    argument it: It\n    {types}\n");
        text.parse::<Lock>().unwrap().check().unwrap();
    }
}
