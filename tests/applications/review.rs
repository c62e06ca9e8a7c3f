//! A document review: reviewers by section, reminders and stand-ins, comments that block or do
//! not, revisions by the author, several rounds, and a publication that needs a quorum.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use durable::{
    CallError,
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, Journal};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Document {
    title: String,
    author: String,
    sections: Vec<Section>,
    version: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Section {
    heading: String,
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Kind {
    Legal,
    Technical,
    Marketing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Person {
    name: String,
    stand_in: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Verdict {
    Approved,
    Comments(Vec<Comment>),
    Rejected { reason: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Comment {
    section: usize,
    text: String,
    blocking: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Decision {
    Published { url: String, version: u32, approvals: BTreeMap<Kind, String>, open_comments: usize },
    Rejected { by: String, reason: String },
    Abandoned { rounds: u32, unresolved: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum ReviewError {
    #[error("there is no reviewer for {0:?}")]
    NoReviewer(Kind),
    #[error("the document has changed under us: version {found} in place of {expected}")]
    Conflict { expected: u32, found: u32 },
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The people, the editor and the site.
#[derive(Default)]
struct Office {
    journal: Journal,
    looks: Journal,
    reviewers: BTreeMap<Kind, Person>,
    /// What a reviewer says, by name and version, and how many looks it takes.
    verdicts: BTreeMap<(&'static str, u32), Verdict>,
    slow: BTreeSet<&'static str>,
    stubborn: bool,
}

#[activity(retry(max_attempts = 3), no_retry(ReviewError::NoReviewer(_)))]
async fn reviewer_for(State(office): State<Office>, kind: Kind) -> Result<Person, ReviewError> {
    office.reviewers.get(&kind).cloned().ok_or(ReviewError::NoReviewer(kind))
}

#[activity]
async fn ask_for_review(
    State(office): State<Office>,
    context: ActivityContext,
    who: &str,
    title: &str,
    version: u32,
    headings: &[String],
) {
    office
        .journal
        .note(&context, format!("{who}: please review {title} v{version}: {}", headings.join(", ")));
}

#[activity]
async fn verdict(
    State(office): State<Office>,
    context: ActivityContext,
    who: &str,
    version: u32,
) -> Option<Verdict> {
    office.looks.note(&context, who);
    if office.slow.contains(who) {
        return None;
    }
    office
        .verdicts
        .iter()
        .find(|((name, of), _)| *name == who && *of == version)
        .map(|(_, verdict)| verdict.clone())
}

#[activity]
async fn remind(State(office): State<Office>, context: ActivityContext, who: &str, days: u32) {
    office.journal.note(&context, format!("{who}: reminded after {days} days"));
}

#[activity(start_to_close = "1h", retry(max_attempts = 2))]
async fn revise(
    State(office): State<Office>,
    context: ActivityContext,
    author: &str,
    section: &Section,
    comments: &[Comment],
) -> Result<Option<String>, ReviewError> {
    if office.stubborn {
        return Ok(None);
    }
    let wanted = comments.iter().map(|comment| comment.text.as_str()).collect::<Vec<_>>().join(" & ");
    office.journal.note(&context, format!("{author} revises {}: {wanted}", section.heading));
    Ok(Some(format!("{} ({wanted})", section.text)))
}

#[activity(retry(max_attempts = 3), no_retry(ReviewError::Conflict { .. }))]
async fn publish(
    State(office): State<Office>,
    context: ActivityContext,
    document: &Document,
    expected: u32,
) -> Result<String, ReviewError> {
    if document.version != expected {
        return Err(ReviewError::Conflict { expected, found: document.version });
    }
    office.journal.note(&context, format!("publish {} v{expected}", document.title));
    Ok(format!("https://example.org/{}", document.title.to_lowercase().replace(' ', "-")))
}

const ROUNDS: u32 = 3;

/// From a draft to a publication.
#[workflow]
async fn review(mut document: Document) -> Result<Decision, ReviewError> {
    let kinds: BTreeSet<Kind> = document.sections.iter().map(|section| section.kind).collect();
    let mut reviewers = Vec::new();
    for kind in &kinds {
        reviewers.push((*kind, reviewer_for(*kind).await?));
    }

    let mut approvals = BTreeMap::new();
    let mut comments: Vec<Comment> = vec![];
    let mut round = 0;
    let unresolved = loop {
        round += 1;
        comments.retain(|comment| !comment.blocking);

        for (kind, person) in &reviewers {
            if approvals.contains_key(kind) {
                continue;
            }
            let headings: Vec<String> = document
                .sections
                .iter()
                .filter(|section| section.kind == *kind)
                .map(|section| section.heading.clone())
                .collect();
            ask_for_review(&person.name, &document.title, document.version, &headings).await;
            let (name, verdict) = verdict_of_one(person, document.version).await;
            match verdict {
                Some(Verdict::Approved) => {
                    approvals.insert(*kind, name);
                }
                Some(Verdict::Comments(new)) => {
                    if new.iter().all(|comment| !comment.blocking) {
                        approvals.insert(*kind, name);
                    }
                    comments.extend(new);
                }
                Some(Verdict::Rejected { reason }) if *kind == Kind::Legal => {
                    return Ok(Decision::Rejected { by: name, reason });
                }
                Some(Verdict::Rejected { reason }) => comments.extend(
                    document
                        .sections
                        .iter()
                        .enumerate()
                        .filter(|(_, section)| section.kind == *kind)
                        .map(|(section, _)| Comment { section, text: reason.clone(), blocking: true }),
                ),
                None if approvals.len() * 2 > reviewers.len() => {
                    approvals.insert(*kind, "nobody (quorum)".to_string());
                }
                None => {
                    comments.push(Comment { section: 0, text: format!("{name} is silent"), blocking: true })
                }
            }
        }

        let blocking: Vec<_> = comments.iter().filter(|comment| comment.blocking).cloned().collect();
        if blocking.is_empty() {
            break blocking;
        }
        if round == ROUNDS {
            break blocking;
        }

        // The author works section by section; what is refused stays as it is.
        for (index, section) in document.sections.iter_mut().enumerate() {
            let about: Vec<Comment> =
                comments.iter().filter(|comment| comment.section == index).cloned().collect();
            if about.is_empty() {
                continue;
            }
            if let Some(text) = revise(&document.author, section, &about).await? {
                section.text = text;
            }
        }
        document.version += 1;
    };

    if !unresolved.is_empty() {
        let unresolved = unresolved
            .into_iter()
            .map(|Comment { section, text, .. }| format!("{}: {text}", document.sections[section].heading))
            .collect();
        return Ok(Decision::Abandoned { rounds: round, unresolved });
    }
    let url = publish(&document, document.version).await?;
    Ok(Decision::Published { url, version: document.version, approvals, open_comments: comments.len() })
}

/// Waits for one reviewer, reminds twice, then turns to the stand-in.
#[workflow]
async fn verdict_of_one(person: &Person, version: u32) -> (String, Option<Verdict>) {
    let people = [Some(&person.name), person.stand_in.as_ref()];
    for who in people.into_iter().flatten() {
        for days in 1..=5 {
            if let Some(verdict) = verdict(who, version).await {
                return (who.clone(), Some(verdict));
            }
            if days == 2 || days == 4 {
                remind(who, days).await;
            }
            sleep(DAY).await;
        }
    }
    (person.name.clone(), None)
}

fn document() -> Document {
    let section =
        |heading: &str, kind| Section { heading: heading.into(), text: format!("On {heading}"), kind };
    Document {
        title: "Data policy".into(),
        author: "ann".into(),
        sections: vec![
            section("Scope", Kind::Legal),
            section("Storage", Kind::Technical),
            section("Rights", Kind::Legal),
        ],
        version: 1,
    }
}

fn office() -> Office {
    let person =
        |name: &str, stand_in: Option<&str>| Person { name: name.into(), stand_in: stand_in.map(Into::into) };
    let comment = |section, text: &str, blocking| Comment { section, text: text.into(), blocking };
    Office {
        reviewers: BTreeMap::from([
            (Kind::Legal, person("lea", None)),
            (Kind::Technical, person("tim", Some("tom"))),
        ]),
        verdicts: BTreeMap::from([
            (
                ("lea", 1),
                Verdict::Comments(vec![
                    comment(0, "which data?", true),
                    comment(2, "cite the law", true),
                    comment(2, "a comma", false),
                ]),
            ),
            (("lea", 2), Verdict::Approved),
            (("tom", 1), Verdict::Comments(vec![comment(1, "name the disk", false)])),
            (("tom", 2), Verdict::Approved),
        ]),
        slow: BTreeSet::from(["tim"]),
        ..Office::default()
    }
}

async fn open(office: &Arc<Office>) -> TestEngine {
    testing::engine().state_arc(office.clone()).open().await
}

#[tokio::test]
async fn a_policy_is_published_after_one_revision() {
    let office = Arc::new(office());
    let decision = open(&office).await.run(review(document())).await.unwrap().unwrap();
    assert_eq!(
        decision,
        Decision::Published {
            url: "https://example.org/data-policy".into(),
            version: 2,
            approvals: BTreeMap::from([(Kind::Legal, "lea".into()), (Kind::Technical, "tom".into())]),
            open_comments: 2,
        }
    );
    assert_eq!(
        office.journal.lines(),
        [
            "lea: please review Data policy v1: Scope, Rights",
            "tim: please review Data policy v1: Storage",
            "tim: reminded after 2 days",
            "tim: reminded after 4 days",
            "ann revises Scope: which data?",
            "ann revises Storage: name the disk",
            "ann revises Rights: cite the law & a comma",
            "lea: please review Data policy v2: Scope, Rights",
            "publish Data policy v2",
        ]
    );
}

#[tokio::test]
async fn the_lawyer_has_the_last_word() {
    let mut office = office();
    office.verdicts.insert(("lea", 2), Verdict::Rejected { reason: "not like this".into() });
    let decision = open(&Arc::new(office)).await.run(review(document())).await.unwrap().unwrap();
    assert_eq!(decision, Decision::Rejected { by: "lea".into(), reason: "not like this".into() });
}

#[tokio::test]
async fn silence_on_a_draft_that_nobody_changes_ends_after_three_rounds() {
    let office = Office { stubborn: true, slow: BTreeSet::from(["tim", "tom", "lea"]), ..office() };
    let decision = open(&Arc::new(office)).await.run(review(document())).await.unwrap().unwrap();
    assert_eq!(
        decision,
        Decision::Abandoned {
            rounds: 3,
            unresolved: vec!["Scope: lea is silent".into(), "Scope: tim is silent".into()]
        }
    );
}

#[tokio::test]
async fn a_kind_without_a_reviewer_is_an_error() {
    let office = Arc::new(Office::default());
    let outcome = open(&office).await.run(review(document())).await.unwrap();
    assert_eq!(outcome, Err(ReviewError::NoReviewer(Kind::Legal)));
}

#[tokio::test]
async fn no_crash_changes_the_decision() {
    testing::crash_at_every_step(|| review(document())).with(|engine| engine.state(office())).await;
}
