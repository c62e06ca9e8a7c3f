//! An onboarding: verify the address with reminders, then walk through what makes a new customer
//! stay, nudging those who stop half-way, and hand the promising ones to a person.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use durable::{
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, Journal};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Signup {
    user: String,
    name: Option<String>,
    email: String,
    plan: Plan,
    referred_by: Option<Referral>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Referral {
    user: String,
    credit_cents: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Plan {
    Free,
    Team { seats: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Milestone {
    Profile,
    FirstProject,
    InvitedTeam,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Outcome {
    NeverVerified { reminders: u32 },
    Activated { reached: Vec<Milestone>, nudges: BTreeMap<Milestone, u32> },
    Stalled { at: Milestone, handed_to: Option<String> },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Progress {
    verified: bool,
    milestones: BTreeSet<Milestone>,
}

/// The product and the people around it. The user advances with the number of looks at them.
#[derive(Default)]
struct Product {
    journal: Journal,
    looks: Journal,
    verified_at_look: Option<usize>,
    reached_at_look: BTreeMap<Milestone, usize>,
    staff: Vec<String>,
}

#[activity(retry(max_attempts = 10))]
async fn send_template(
    State(product): State<Product>,
    context: ActivityContext,
    to: &str,
    template: &str,
    values: &BTreeMap<String, String>,
) -> Result<(), Error> {
    ensure!(to.contains('@'), "`{to}` is not an address");
    let values = values.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ");
    product.journal.note(&context, format!("{template} {values}").trim_end());
    Ok(())
}

#[activity]
async fn look_up(State(product): State<Product>, context: ActivityContext, user: &str) -> Progress {
    let look = product.looks.note(&context, user);
    let happened = |at: usize| at <= look;
    Progress {
        verified: product.verified_at_look.is_some_and(happened),
        milestones: product
            .reached_at_look
            .iter()
            .filter(|(_, at)| happened(**at))
            .map(|(milestone, _)| *milestone)
            .collect(),
    }
}

#[activity]
async fn grant_credit(State(product): State<Product>, context: ActivityContext, user: &str, cents: u64) {
    product.journal.note(&context, format!("credit {user} {cents}"));
}

#[activity(retry(max_attempts = 2))]
async fn assign_staff(
    State(product): State<Product>,
    context: ActivityContext,
    user: &str,
) -> Result<String, Error> {
    let Some(person) = product.staff.first() else { bail!("nobody is free for {user}") };
    product.journal.note(&context, format!("{person} calls {user}"));
    Ok(person.clone())
}

#[activity]
async fn deactivate(State(product): State<Product>, context: ActivityContext, user: &str) {
    product.journal.note(&context, format!("deactivate {user}"));
}

/// From the form to an active customer, or to the point at which we let them go.
#[workflow]
async fn onboard(signup: Signup) -> Result<Outcome, Error> {
    let name = signup.name.as_deref().unwrap_or("there");
    let email = &signup.email;
    let user = signup.user.as_str();

    send_template(email, "welcome", &values(&[("name", name)])).await.context("while greeting")?;

    // The address first: nothing else is sent to one that may be somebody else's.
    let mut reminders = 0;
    let verified = 'verify: {
        for wait in [DAY, 2 * DAY, 4 * DAY] {
            if verified_within(user.to_string(), wait).await {
                break 'verify true;
            }
            reminders += 1;
            let left = (3 - reminders).to_string();
            send_template(email, "verify-reminder", &values(&[("name", name), ("left", &left)])).await?;
        }
        verified_within(user.to_string(), 7 * DAY).await
    };
    if !verified {
        deactivate(user).await;
        return Ok(Outcome::NeverVerified { reminders });
    }

    if let Some(Referral { user: referrer, credit_cents }) = &signup.referred_by {
        grant_credit(referrer, *credit_cents).await;
        grant_credit(user, *credit_cents).await;
        let credit = format!("{}.{:02}", credit_cents / 100, credit_cents % 100);
        send_template(email, "referral", &values(&[("from", referrer), ("credit", &credit)])).await?;
    }

    let path = match signup.plan {
        Plan::Free => vec![Milestone::Profile, Milestone::FirstProject],
        Plan::Team { seats } if seats > 1 => {
            vec![Milestone::Profile, Milestone::FirstProject, Milestone::InvitedTeam]
        }
        Plan::Team { .. } => vec![Milestone::FirstProject],
    };

    let mut reached = Vec::with_capacity(path.len());
    let mut nudges = BTreeMap::new();
    for (index, milestone) in path.iter().enumerate() {
        let patience = if index == 0 { 2 } else { 4 };
        match guide(signup.clone(), *milestone, patience).await? {
            Guided::Reached { after } => {
                reached.push(*milestone);
                if after > 0 {
                    nudges.insert(*milestone, after);
                }
            }
            Guided::Lost => {
                // Teams are worth a call; a call that can't be arranged is no reason to fail.
                let handed_to = if let Plan::Team { seats } = signup.plan
                    && seats >= 5
                {
                    assign_staff(user).await.ok()
                } else {
                    None
                };
                if handed_to.is_none() {
                    send_template(email, "goodbye", &values(&[("name", name)])).await?;
                }
                return Ok(Outcome::Stalled { at: *milestone, handed_to });
            }
        }
    }

    let count = reached.len().to_string();
    send_template(email, "all-set", &values(&[("name", name), ("milestones", &count)])).await?;
    Ok(Outcome::Activated { reached, nudges })
}

/// Looks every few hours whether the address has been verified.
#[workflow]
async fn verified_within(user: String, time: Duration) -> bool {
    let deadline = durable::now() + time;
    while durable::now() < deadline {
        if look_up(&user).await.verified {
            return true;
        }
        sleep(8 * HOUR).await;
    }
    false
}

#[derive(Debug, Serialize, Deserialize)]
enum Guided {
    Reached { after: u32 },
    Lost,
}

/// Waits for one milestone and nudges with growing patience.
#[workflow]
async fn guide(signup: Signup, milestone: Milestone, patience: u32) -> Result<Guided, Error> {
    let Signup { user, email, name, .. } = signup;
    let mut nudged = 0;
    let mut pause = DAY;
    loop {
        if look_up(&user).await.milestones.contains(&milestone) {
            return Ok(Guided::Reached { after: nudged });
        } else if nudged == patience {
            return Ok(Guided::Lost);
        }
        sleep(pause).await;
        if !look_up(&user).await.milestones.contains(&milestone) {
            let template = match milestone {
                Milestone::Profile => "nudge-profile",
                Milestone::FirstProject if nudged == 0 => "nudge-project",
                Milestone::FirstProject => "nudge-project-with-video",
                Milestone::InvitedTeam => "nudge-invite",
            };
            let name = name.clone().unwrap_or_else(|| "there".to_owned());
            send_template(&email, template, &values(&[("name", &name)])).await?;
            nudged += 1;
            pause = (pause * 2).min(5 * DAY);
        }
    }
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
}

fn signup(plan: Plan) -> Signup {
    Signup {
        user: "bo".into(),
        name: Some("Bo".into()),
        email: "bo@example.org".into(),
        plan,
        referred_by: Some(Referral { user: "ann".into(), credit_cents: 1_050 }),
    }
}

fn eager() -> Product {
    Product {
        verified_at_look: Some(4),
        reached_at_look: BTreeMap::from([
            (Milestone::Profile, 5),
            (Milestone::FirstProject, 9),
            (Milestone::InvitedTeam, 9),
        ]),
        ..Product::default()
    }
}

async fn open(product: &Arc<Product>) -> TestEngine {
    testing::engine().state_arc(product.clone()).open().await
}

#[tokio::test]
async fn a_team_is_activated_after_a_reminder_and_a_nudge() {
    let product = Arc::new(eager());
    let outcome = open(&product).await.run(onboard(signup(Plan::Team { seats: 3 }))).await.unwrap();
    assert_eq!(
        outcome.unwrap(),
        Outcome::Activated {
            reached: vec![Milestone::Profile, Milestone::FirstProject, Milestone::InvitedTeam],
            nudges: BTreeMap::from([(Milestone::FirstProject, 1)]),
        }
    );
    assert_eq!(
        product.journal.lines(),
        [
            "welcome name=Bo",
            "verify-reminder left=2 name=Bo",
            "credit ann 1050",
            "credit bo 1050",
            "referral credit=10.50 from=ann",
            "nudge-project name=Bo",
            "all-set milestones=3 name=Bo",
        ]
    );
}

#[tokio::test]
async fn an_address_that_is_never_verified_is_let_go() {
    let product = Arc::new(Product::default());
    let engine = open(&product).await;
    let started = engine.now();
    let outcome = engine.run(onboard(signup(Plan::Free))).await.unwrap().unwrap();
    assert_eq!(outcome, Outcome::NeverVerified { reminders: 3 });
    assert_eq!(product.journal.lines().last().unwrap(), "deactivate bo");
    assert!(engine.now().duration_since(started).unwrap() >= 14 * DAY);
}

#[tokio::test]
async fn a_large_team_that_stalls_gets_a_call() {
    let product =
        Arc::new(Product { verified_at_look: Some(0), staff: vec!["Carla".into()], ..Product::default() });
    let outcome = open(&product).await.run(onboard(signup(Plan::Team { seats: 8 }))).await.unwrap().unwrap();
    assert_eq!(outcome, Outcome::Stalled { at: Milestone::Profile, handed_to: Some("Carla".into()) });
}

#[tokio::test]
async fn a_stalled_team_that_nobody_can_call_gets_a_goodbye() {
    let product = Arc::new(Product { verified_at_look: Some(0), ..Product::default() });
    let outcome = open(&product).await.run(onboard(signup(Plan::Team { seats: 8 }))).await.unwrap().unwrap();
    assert_eq!(outcome, Outcome::Stalled { at: Milestone::Profile, handed_to: None });
    assert_eq!(product.journal.lines().last().unwrap(), "goodbye name=Bo");
}

#[tokio::test]
async fn no_crash_changes_the_way_through() {
    testing::crash_at_every_step(|| onboard(signup(Plan::Team { seats: 3 })))
        .with(|engine| engine.state(eager()))
        .await;
}
