//! A bidding round: suppliers are invited, bid until a deadline that moves when somebody bids late,
//! are narrowed down over rounds, and the winner is asked to confirm before the next one is.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};

use durable::{
    CallError,
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, Journal, MINUTE};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tender {
    id: String,
    title: String,
    suppliers: Vec<Supplier>,
    rules: Rules,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Supplier {
    name: String,
    email: String,
    rating: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rules {
    rounds: u32,
    open_for: Duration,
    extension: Duration,
    most_extensions: u32,
    reserve_cents: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Bid {
    supplier: String,
    cents: u64,
    days: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Outcome {
    Awarded { to: String, cents: u64, rounds: u32, declined: Vec<String> },
    NoAward { why: String, best: Option<u64> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum TenderError {
    #[error("a tender needs at least two suppliers, `{0}` has fewer")]
    TooFewSuppliers(String),
    #[error("the mail to {to} came back")]
    Bounced { to: String },
    #[error(transparent)]
    Call(#[from] CallError),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Confirmation {
    Pending,
    Yes,
    No,
}

/// The portal where suppliers bid, and their mail.
#[derive(Default)]
struct Portal {
    journal: Journal,
    looks: Journal,
    asked: Journal,
    /// What comes in, by the number of the look that finds it.
    bids: BTreeMap<usize, Vec<Bid>>,
    bounces: Vec<&'static str>,
    confirms: HashMap<&'static str, Confirmation>,
}

#[activity(retry(max_attempts = 2))]
async fn invite(
    State(portal): State<Portal>,
    context: ActivityContext,
    supplier: &Supplier,
    title: &str,
    round: u32,
) -> Result<(), TenderError> {
    if portal.bounces.contains(&supplier.email.as_str()) {
        return Err(TenderError::Bounced { to: supplier.email.clone() });
    }
    portal.journal.note(&context, format!("invite {} to {title}, round {round}", supplier.name));
    Ok(())
}

#[activity]
async fn new_bids(State(portal): State<Portal>, context: ActivityContext, tender: &str) -> Vec<Bid> {
    let look = portal.looks.note(&context, tender);
    portal.bids.get(&look).cloned().unwrap_or_default()
}

#[activity]
async fn inform(State(portal): State<Portal>, context: ActivityContext, supplier: &str, text: &str) {
    portal.journal.note(&context, format!("{supplier}: {text}"));
}

#[activity(start_to_close = "10s")]
async fn ask_to_confirm(State(portal): State<Portal>, context: ActivityContext, bid: &Bid) -> String {
    portal.journal.note(&context, format!("confirm? {} {}", bid.supplier, bid.cents));
    bid.supplier.clone()
}

#[activity]
async fn confirmation(State(portal): State<Portal>, context: ActivityContext, ticket: &str) -> Confirmation {
    let _ = portal.asked.note(&context, ticket);
    portal.confirms.get(ticket).copied().unwrap_or(Confirmation::Pending)
}

/// All rounds of a tender, up to an award.
#[workflow]
async fn tender(tender: Tender) -> Result<Outcome, TenderError> {
    let Tender { id, title, suppliers, rules } = tender;
    if suppliers.len() < 2 {
        return Err(TenderError::TooFewSuppliers(id));
    }

    let mut remaining = suppliers;
    let mut best: HashMap<String, Bid> = HashMap::new();
    let mut rounds = 0;
    while rounds < rules.rounds && remaining.len() > 1 {
        rounds += 1;
        let mut reached = vec![];
        for supplier in remaining {
            // An address that bounces costs the supplier the round, not us the tender.
            if let Err(TenderError::Bounced { to }) = invite(&supplier, &title, rounds).await {
                inform("buyer", &format!("{to} bounced")).await;
            } else {
                reached.push(supplier);
            }
        }
        let names: Vec<_> = reached.iter().map(|supplier| supplier.name.clone()).collect();
        let bids = bidding_round(id.clone(), names, &rules).await;
        for bid in bids {
            best.entry(bid.supplier.clone())
                .and_modify(|old| {
                    if bid.cents < old.cents {
                        *old = bid.clone();
                    }
                })
                .or_insert(bid);
        }

        // The better half goes on, and whoever did not bid does not.
        let (mut bidders, silent): (Vec<_>, Vec<_>) =
            reached.into_iter().partition(|supplier| best.contains_key(&supplier.name));
        for Supplier { name, .. } in &silent {
            inform(name, "you did not bid and are out").await;
        }
        bidders.sort_by_key(|supplier| std::cmp::Reverse(score(&best[&supplier.name], supplier.rating)));
        if rounds < rules.rounds {
            let keep = bidders.len().div_ceil(2).max(2).min(bidders.len());
            for out in bidders.split_off(keep) {
                inform(&out.name, &format!("you are out after round {rounds}")).await;
            }
        }
        remaining = bidders;
    }

    let mut ranking =
        remaining.into_iter().filter_map(|supplier| best.remove(&supplier.name)).collect::<Vec<_>>();
    let lowest = ranking.iter().map(|bid| bid.cents).min();
    ranking.retain(|bid| bid.cents <= rules.reserve_cents);
    if ranking.is_empty() {
        let why = if lowest.is_some() { "all bids are over the reserve" } else { "nobody bid" };
        return Ok(Outcome::NoAward { why: why.into(), best: lowest });
    }

    let mut declined: Vec<String> = Vec::new();
    let mut candidates = VecDeque::from(ranking);
    let winner = loop {
        let Some(bid) = candidates.pop_front() else {
            return Ok(Outcome::NoAward {
                why: format!("{} declined", declined.join(" and ")),
                best: lowest,
            });
        };
        if confirmed_within(&bid, 2 * DAY).await {
            break bid;
        }
        inform(&bid.supplier, "the award goes to the next").await;
        declined.push(bid.supplier);
    };
    for loser in candidates {
        inform(&loser.supplier, &format!("the award went to {}", winner.supplier)).await;
    }
    Ok(Outcome::Awarded { to: winner.supplier, cents: winner.cents, rounds, declined })
}

fn score(bid: &Bid, rating: u32) -> i64 {
    i64::from(rating) * 1_000 - i64::try_from(bid.cents).unwrap_or(i64::MAX / 2) - i64::from(bid.days) * 10
}

/// Collects bids until the deadline; a lower one in the last hour extends it.
#[workflow]
async fn bidding_round(id: String, allowed: Vec<String>, rules: &Rules) -> Vec<Bid> {
    let mut deadline = durable::now() + rules.open_for;
    let mut extensions = 0;
    let mut accepted: Vec<Bid> = Vec::new();
    loop {
        let now = durable::now();
        if now >= deadline {
            break;
        }
        for bid in new_bids(&id).await {
            if !allowed.contains(&bid.supplier) {
                inform(&bid.supplier, "you are not part of this round").await;
                continue;
            }
            let leading = accepted.iter().map(|bid| bid.cents).min();
            match leading {
                Some(lowest) if bid.cents >= lowest => {
                    inform(&bid.supplier, &format!("{} does not beat {lowest}", bid.cents)).await;
                }
                _ if remaining(now, deadline) <= HOUR && extensions < rules.most_extensions => {
                    extensions += 1;
                    deadline += rules.extension;
                    for other in
                        allowed.iter().filter(|name| **name != bid.supplier).cloned().collect::<Vec<_>>()
                    {
                        inform(&other, "the deadline was extended").await;
                    }
                }
                _ => (),
            }
            accepted.push(bid);
        }
        let pause = if remaining(now, deadline) > 2 * HOUR { HOUR } else { 10 * MINUTE };
        sleep(pause).await;
    }
    accepted
}

fn remaining(now: SystemTime, deadline: SystemTime) -> Duration {
    deadline.duration_since(now).unwrap_or_default()
}

/// Whether the winner says yes in time.
#[workflow]
async fn confirmed_within(bid: &Bid, patience: Duration) -> bool {
    let ticket = ask_to_confirm(bid).await;
    let deadline = durable::now() + patience;
    loop {
        match confirmation(&ticket).await {
            Confirmation::Yes => return true,
            Confirmation::No => return false,
            Confirmation::Pending if durable::now() > deadline => return false,
            Confirmation::Pending => sleep(4 * HOUR).await,
        }
    }
}

fn offer(supplier: &str, cents: u64) -> Bid {
    Bid { supplier: supplier.into(), cents, days: 10 }
}

fn roof() -> Tender {
    let supplier =
        |name: &str, rating| Supplier { name: name.into(), email: format!("{name}@example.org"), rating };
    Tender {
        id: "t-1".into(),
        title: "a new roof".into(),
        suppliers: vec![supplier("ada", 5), supplier("bob", 3), supplier("cleo", 4), supplier("dan", 5)],
        rules: Rules {
            rounds: 2,
            open_for: 3 * HOUR,
            extension: HOUR,
            most_extensions: 1,
            reserve_cents: 90_000,
        },
    }
}

fn portal() -> Portal {
    Portal {
        bids: BTreeMap::from([
            (0, vec![offer("ada", 95_000), offer("bob", 99_000)]),
            (2, vec![offer("cleo", 93_000), offer("eve", 1)]),
            (16, vec![offer("ada", 88_000)]),
            (21, vec![offer("cleo", 87_000)]),
        ]),
        confirms: HashMap::from([("cleo", Confirmation::No), ("ada", Confirmation::Yes)]),
        ..Portal::default()
    }
}

async fn open(portal: &Arc<Portal>) -> TestEngine {
    testing::engine().state_arc(portal.clone()).open().await
}

#[tokio::test]
async fn the_second_best_is_awarded_when_the_best_declines() {
    let portal = Arc::new(portal());
    let outcome = open(&portal).await.run(tender(roof())).await.unwrap().unwrap();
    assert_eq!(
        outcome,
        Outcome::Awarded { to: "ada".into(), cents: 88_000, rounds: 2, declined: vec!["cleo".into()] }
    );
    let lines = portal.journal.lines();
    for line in [
        "bob: 99000 does not beat 95000",
        "eve: you are not part of this round",
        "ada: the deadline was extended",
        "dan: you did not bid and are out",
        "bob: you are out after round 1",
        "invite ada to a new roof, round 2",
        "confirm? cleo 87000",
        "cleo: the award goes to the next",
        "confirm? ada 88000",
    ] {
        assert!(lines.iter().any(|known| known == line), "{line} is not in {lines:#?}");
    }
}

#[tokio::test]
async fn nothing_is_awarded_over_the_reserve() {
    let portal = Arc::new(portal());
    let mut roof = roof();
    roof.rules.reserve_cents = 50_000;
    let outcome = open(&portal).await.run(tender(roof)).await.unwrap().unwrap();
    assert_eq!(outcome, Outcome::NoAward { why: "all bids are over the reserve".into(), best: Some(87_000) });
}

#[tokio::test]
async fn silent_winners_lose_their_award() {
    let portal = Arc::new(Portal { confirms: HashMap::new(), bounces: vec!["dan@example.org"], ..portal() });
    let engine = open(&portal).await;
    let outcome = engine.run(tender(roof())).await.unwrap().unwrap();
    assert_eq!(outcome, Outcome::NoAward { why: "cleo and ada declined".into(), best: Some(87_000) });
    assert!(portal.journal.lines().contains(&"buyer: dan@example.org bounced".to_string()));
    assert_eq!(engine.calls(ask_to_confirm).len(), 2);
}

#[tokio::test]
async fn no_crash_changes_the_award() {
    testing::crash_at_every_step(|| tender(roof())).with(|engine| engine.state(portal())).await;
}
