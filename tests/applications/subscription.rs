//! A subscription: a trial, monthly invoices, dunning when a card fails, changes of the plan with
//! pro rata, a pause, and an end. It may run for years; its snapshot does not grow.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use durable::{
    CallError,
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, Journal};

const MONTH: Duration = Duration::from_secs(30 * 86_400);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Subscription {
    customer: String,
    plan: Plan,
    trial_days: u32,
    coupon: Option<Coupon>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Plan {
    name: String,
    cents: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Coupon {
    code: String,
    percent: u64,
    months: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Command {
    Change(Plan),
    Pause { months: u32 },
    Cancel { reason: Option<String> },
}

/// Where the subscription stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Phase {
    Trial { until: SystemTime },
    Active { since: SystemTime },
    PastDue { invoice: String, cents: u64 },
    Paused { months: u32 },
    Ended(End),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum End {
    Cancelled { reason: String },
    NotPaid { invoice: String },
    TrialOver,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Summary {
    end: End,
    months: u32,
    paid: u64,
    plan: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum BillingError {
    #[error("the card was declined ({code})")]
    Declined { code: String },
    #[error("billing is not there")]
    Unavailable,
    #[error("{0}")]
    Call(#[from] CallError),
}

/// Billing, with what customers ask for in the weeks of their subscription.
#[derive(Default)]
struct Billing {
    journal: Journal,
    looks: Journal,
    commands: BTreeMap<usize, Command>,
    /// The numbers of the attempts to take money that fail.
    declined: Vec<usize>,
    tries: Journal,
    card: bool,
}

#[activity]
async fn next_command(
    State(billing): State<Billing>,
    context: ActivityContext,
    customer: &str,
) -> Option<Command> {
    let look = billing.looks.note(&context, customer);
    billing.commands.get(&look).cloned()
}

#[activity(retry(max_attempts = 3), no_retry(BillingError::Declined { .. }))]
async fn collect(
    State(billing): State<Billing>,
    context: ActivityContext,
    customer: &str,
    invoice: &str,
    cents: u64,
) -> Result<u64, BillingError> {
    let number = billing.tries.note(&context, invoice);
    if billing.declined.contains(&number) {
        return Err(BillingError::Declined { code: format!("51-{number}") });
    }
    billing.journal.note(&context, format!("{customer} pays {cents} for {invoice}"));
    Ok(cents)
}

#[activity(retry(max_attempts = 3))]
async fn has_card(State(billing): State<Billing>, customer: &str) -> Result<bool, BillingError> {
    if customer.is_empty() { Err(BillingError::Unavailable) } else { Ok(billing.card) }
}

#[activity]
async fn tell(State(billing): State<Billing>, context: ActivityContext, customer: &str, text: String) {
    billing.journal.note(&context, format!("{customer}: {text}"));
}

#[activity]
async fn set_access(State(billing): State<Billing>, context: ActivityContext, customer: &str, on: bool) {
    billing.journal.note(&context, format!("access of {customer} {}", if on { "on" } else { "off" }));
}

/// From the first day to the last.
#[workflow]
async fn subscribe(subscription: Subscription) -> Result<Summary, BillingError> {
    let Subscription { customer, mut plan, trial_days, mut coupon } = subscription;
    let mut phase = if trial_days > 0 {
        Phase::Trial { until: durable::now() + trial_days * DAY }
    } else {
        Phase::Active { since: durable::now() }
    };
    let mut months = 0;
    let mut paid = 0;
    // Owed to or by the customer since the last invoice, in cents.
    let mut balance = 0_i64;
    set_access(&customer, true).await;

    let end = loop {
        phase = match phase {
            Phase::Trial { until } => {
                sleep_until(until - 3 * DAY).await;
                tell(&customer, format!("your trial of {} ends in 3 days", plan.name)).await;
                sleep_until(until).await;
                if has_card(&customer).await? {
                    Phase::Active { since: until }
                } else {
                    Phase::Ended(End::TrialOver)
                }
            }

            Phase::Active { since } => {
                months += 1;
                let invoice = format!("{customer}-{months}");
                let price = match &mut coupon {
                    Some(Coupon { percent, months: left, .. }) if *left > 0 => {
                        *left -= 1;
                        plan.cents - plan.cents * *percent / 100
                    }
                    _ => plan.cents,
                };
                let due = u64::try_from(price as i64 + std::mem::take(&mut balance)).unwrap_or(0);
                match collect(&customer, &invoice, due).await {
                    Ok(cents) => {
                        paid += cents;
                        let (next, new_plan, owed) = month(&customer, since, plan).await;
                        plan = new_plan;
                        balance += owed;
                        next
                    }
                    Err(BillingError::Declined { code }) => {
                        tell(&customer, format!("your card was declined ({code})")).await;
                        Phase::PastDue { invoice, cents: due }
                    }
                    Err(other) => return Err(other),
                }
            }

            Phase::PastDue { invoice, cents } => {
                let mut collected = None;
                for (attempt, days) in [1, 3, 5].into_iter().enumerate() {
                    sleep(days * DAY).await;
                    match collect(&customer, &invoice, cents).await {
                        Ok(cents) => {
                            collected = Some(cents);
                            break;
                        }
                        Err(BillingError::Declined { .. }) if attempt == 0 => {
                            set_access(&customer, false).await
                        }
                        Err(BillingError::Declined { code }) => {
                            let left = 2 - attempt;
                            tell(&customer, format!("declined again ({code}), {left} attempts left")).await;
                        }
                        Err(other) => Err(other)?,
                    }
                }
                if let Some(cents) = collected {
                    paid += cents;
                    set_access(&customer, true).await;
                    let (next, new_plan, owed) = month(&customer, durable::now(), plan).await;
                    plan = new_plan;
                    balance += owed;
                    next
                } else {
                    Phase::Ended(End::NotPaid { invoice })
                }
            }

            Phase::Paused { months } => {
                set_access(&customer, false).await;
                sleep(MONTH * months).await;
                set_access(&customer, true).await;
                Phase::Active { since: durable::now() }
            }

            Phase::Ended(end) => break end,
        };
    };

    set_access(&customer, false).await;
    let farewell = match &end {
        End::Cancelled { reason } => format!("sorry to see you go ({reason})"),
        End::NotPaid { invoice } => format!("{invoice} was not paid, your subscription has ended"),
        End::TrialOver => "your trial is over".to_owned(),
    };
    tell(&customer, farewell).await;
    Ok(Summary { end, months, paid, plan: plan.name })
}

/// One paid month: looks every week what the customer wants.
#[workflow]
async fn month(customer: &str, since: SystemTime, mut plan: Plan) -> (Phase, Plan, i64) {
    let mut balance = 0;
    let until = since + MONTH;
    for week in 1..=4 {
        match next_command(customer).await {
            None => {}
            Some(Command::Change(new)) => {
                // The rest of the month is charged at the new price and credited at the old one.
                let left = until.duration_since(durable::now()).unwrap_or_default().as_secs() / DAY.as_secs();
                let difference = new.cents as i64 - plan.cents as i64;
                balance += difference * left as i64 / 30;
                tell(customer, format!("{} is now {}", plan.name, new.name)).await;
                plan = new;
            }
            Some(Command::Pause { months }) => {
                sleep_until(until).await;
                return (Phase::Paused { months }, plan, balance);
            }
            Some(Command::Cancel { reason }) => {
                let reason = reason.unwrap_or_else(|| "no reason given".into());
                tell(customer, "you can use what you paid for to the end of the month".into()).await;
                sleep_until(until).await;
                return (Phase::Ended(End::Cancelled { reason }), plan, balance);
            }
        }
        sleep_until(if week == 4 { until } else { since + week * 7 * DAY }).await;
    }
    (Phase::Active { since: until }, plan, balance)
}

fn subscription() -> Subscription {
    Subscription {
        customer: "cy".into(),
        plan: Plan { name: "basic".into(), cents: 1_000 },
        trial_days: 14,
        coupon: Some(Coupon { code: "HALF".into(), percent: 50, months: 1 }),
    }
}

fn billing() -> Billing {
    Billing {
        card: true,
        declined: vec![1, 2],
        commands: BTreeMap::from([
            (1, Command::Change(Plan { name: "pro".into(), cents: 3_000 })),
            (6, Command::Pause { months: 2 }),
            (9, Command::Cancel { reason: None }),
        ]),
        ..Billing::default()
    }
}

async fn open(billing: &Arc<Billing>) -> TestEngine {
    testing::engine().state_arc(billing.clone()).open().await
}

#[tokio::test]
async fn a_customer_upgrades_is_past_due_pauses_and_leaves() {
    let billing = Arc::new(billing());
    let engine = open(&billing).await;
    let started = engine.now();
    let summary = engine.run(subscribe(subscription())).await.unwrap().unwrap();
    assert_eq!(
        summary,
        Summary {
            end: End::Cancelled { reason: "no reason given".into() },
            months: 3,
            paid: 500 + 4_533 + 3_000,
            plan: "pro".into(),
        }
    );
    assert_eq!(
        billing.journal.lines(),
        [
            "access of cy on",
            "cy: your trial of basic ends in 3 days",
            "cy pays 500 for cy-1",
            "cy: basic is now pro",
            "cy: your card was declined (51-1)",
            "access of cy off",
            "cy pays 4533 for cy-2",
            "access of cy on",
            "access of cy off",
            "access of cy on",
            "cy pays 3000 for cy-3",
            "cy: you can use what you paid for to the end of the month",
            "access of cy off",
            "cy: sorry to see you go (no reason given)",
        ]
    );
    assert_eq!(engine.now().duration_since(started).unwrap(), 14 * DAY + 3 * MONTH + 4 * DAY + 2 * MONTH);
}

#[tokio::test]
async fn who_does_not_pay_is_told_three_times_and_loses_access() {
    let billing = Arc::new(Billing { card: true, declined: (0..9).collect(), ..Billing::default() });
    let summary = open(&billing).await.run(subscribe(subscription())).await.unwrap().unwrap();
    assert_eq!(summary.end, End::NotPaid { invoice: "cy-1".into() });
    assert_eq!((summary.months, summary.paid), (1, 0));
    assert_eq!(
        billing.journal.lines()[2..],
        [
            "cy: your card was declined (51-0)",
            "access of cy off",
            "cy: declined again (51-2), 1 attempts left",
            "cy: declined again (51-3), 0 attempts left",
            "access of cy off",
            "cy: cy-1 was not paid, your subscription has ended",
        ]
    );
}

#[tokio::test]
async fn a_trial_without_a_card_just_ends() {
    let billing = Arc::new(Billing::default());
    let summary = open(&billing).await.run(subscribe(subscription())).await.unwrap().unwrap();
    assert_eq!((summary.end, summary.paid), (End::TrialOver, 0));
}

#[tokio::test]
async fn no_crash_changes_the_bill() {
    testing::crash_at_every_step(|| subscribe(subscription())).with(|engine| engine.state(billing())).await;
}
