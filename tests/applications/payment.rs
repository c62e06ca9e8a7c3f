//! A card payment: authorised on the first card that takes it, screened, captured as the goods
//! ship, and refunded in parts for a month.

use std::{collections::BTreeMap, sync::Arc};

use durable::{
    CallError,
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, Journal};

const SCREENED_FROM_CENTS: u64 = 50_000;
const SUSPICIOUS: u32 = 80;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    id: String,
    customer: Customer,
    lines: Vec<Line>,
    cards: Vec<Card>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Customer {
    id: String,
    email: String,
    trusted: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
    cents: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Card {
    token: String,
    last4: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Authorization {
    id: String,
    cents: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shipment {
    skus: Vec<String>,
    last: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Capture {
    id: String,
    cents: u64,
    refunded: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct RefundRequest {
    sku: String,
    quantity: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Settlement {
    card: String,
    captured: u64,
    refunds: Vec<String>,
    kept: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum PaymentError {
    #[error("the order has no lines")]
    EmptyOrder,
    #[error("declined: {reason}")]
    Declined { reason: String },
    #[error("no card was accepted: {}", tried.join(", "))]
    NoCardAccepted { tried: Vec<String> },
    #[error("held as suspicious, with a score of {score}")]
    Suspicious { score: u32 },
    #[error("the gateway is not there")]
    Unavailable,
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The payment gateway, the warehouse and the mail, as the tests set them up.
#[derive(Default)]
struct Shop {
    journal: Journal,
    polls: Journal,
    score: u32,
    shipments: Vec<Shipment>,
    /// What customers ask for, by the day of the window.
    requests: BTreeMap<usize, Vec<RefundRequest>>,
}

#[activity(start_to_close = "20s", retry(max_attempts = 4), no_retry(PaymentError::Declined { .. }))]
async fn authorize(
    State(shop): State<Shop>,
    context: ActivityContext,
    card: &Card,
    cents: u64,
) -> Result<Authorization, PaymentError> {
    match card.token.as_str() {
        "tok-expired" => Err(PaymentError::Declined { reason: "expired".into() }),
        "tok-flaky" if context.attempt() < 3 => Err(PaymentError::Unavailable),
        token => {
            let number = shop.journal.note(&context, format!("authorize {cents} on {token}"));
            Ok(Authorization { id: format!("auth-{number}"), cents })
        }
    }
}

#[activity]
async fn void(State(shop): State<Shop>, context: ActivityContext, authorization: &str, cents: u64) {
    shop.journal.note(&context, format!("void {cents} of {authorization}"));
}

#[activity(retry(max_attempts = 3))]
async fn fraud_score(State(shop): State<Shop>, customer: &str, cents: u64) -> Result<u32, PaymentError> {
    if customer.is_empty() || cents == 0 {
        return Err(PaymentError::Unavailable);
    }
    Ok(shop.score)
}

#[activity]
async fn next_shipment(State(shop): State<Shop>, order: &str, seen: usize) -> Option<Shipment> {
    assert!(!order.is_empty());
    shop.shipments.get(seen).cloned()
}

#[activity]
async fn capture(
    State(shop): State<Shop>,
    context: ActivityContext,
    authorization: &str,
    cents: u64,
) -> Result<Capture, PaymentError> {
    let number = shop.journal.note(&context, format!("capture {cents} of {authorization}"));
    Ok(Capture { id: format!("cap-{number}"), cents, refunded: 0 })
}

#[activity]
async fn refund_requests(
    State(shop): State<Shop>,
    context: ActivityContext,
    order: &str,
) -> Vec<RefundRequest> {
    let day = shop.polls.note(&context, order);
    shop.requests.get(&day).cloned().unwrap_or_default()
}

#[activity]
async fn refund(
    State(shop): State<Shop>,
    context: ActivityContext,
    capture: &str,
    cents: u64,
) -> Result<String, PaymentError> {
    shop.journal.note(&context, format!("refund {cents} of {capture}"));
    Ok(format!("{cents} from {capture}"))
}

#[activity]
async fn mail(State(shop): State<Shop>, context: ActivityContext, to: &str, text: &str) {
    shop.journal.note(&context, format!("mail to {to}: {text}"));
}

/// The whole life of a payment, from the cards a customer offered to the day after which nothing is refunded.
#[workflow]
async fn take_payment(order: Order) -> Result<Settlement, PaymentError> {
    if order.lines.is_empty() {
        return Err(PaymentError::EmptyOrder);
    }
    let total = order.lines.iter().map(|line| line.cents * u64::from(line.quantity)).sum();
    let customer = &order.customer;

    let (card, authorization) = match authorize_any(&order.cards, total).await {
        Ok(accepted) => accepted,
        Err(error) => {
            mail(&customer.email, &format!("We could not take your payment: {error}")).await;
            return Err(error);
        }
    };

    if !customer.trusted || total >= SCREENED_FROM_CENTS {
        let score = fraud_score(&customer.id, total).await?;
        if score > SUSPICIOUS {
            void(&authorization.id, total).await;
            return Err(PaymentError::Suspicious { score });
        }
    }

    let captures = capture_shipments(&order, &authorization).await?;
    let captured = captures.iter().map(|capture| capture.cents).sum::<u64>();
    if captured < authorization.cents {
        void(&authorization.id, authorization.cents - captured).await;
    }
    let subject = match captures.len() {
        0 => return Ok(Settlement { card: card.last4, captured, refunds: vec![], kept: 0 }),
        1 => "Your order is on its way".to_string(),
        parcels => format!("Your order is on its way in {parcels} parcels"),
    };
    mail(&customer.email, &subject).await;

    let (captures, refunds) = refund_window(&order, captures).await?;
    let refunded: u64 = captures.iter().map(|capture| capture.refunded).sum();
    Ok(Settlement { card: card.last4, captured, refunds, kept: captured - refunded })
}

/// The first card that is accepted, with the authorisation on it.
#[workflow]
async fn authorize_any(cards: &[Card], cents: u64) -> Result<(Card, Authorization), PaymentError> {
    let mut tried = Vec::new();
    for card in cards {
        match authorize(card, cents).await {
            Ok(authorization) => return Ok((card.clone(), authorization)),
            Err(PaymentError::Declined { reason }) => tried.push(format!("{} {reason}", card.last4)),
            Err(other) => return Err(other),
        }
    }
    Err(PaymentError::NoCardAccepted { tried })
}

/// Takes the money for each parcel when it leaves, and for nothing that does not leave within ten days.
#[workflow]
async fn capture_shipments(
    order: &Order,
    authorization: &Authorization,
) -> Result<Vec<Capture>, PaymentError> {
    let mut captures = Vec::new();
    let deadline = durable::now() + 10 * DAY;
    loop {
        let Some(shipment) = next_shipment(&order.id, captures.len()).await else {
            if durable::now() >= deadline {
                break;
            }
            sleep(6 * HOUR).await;
            continue;
        };
        let cents = order
            .lines
            .iter()
            .filter(|line| shipment.skus.contains(&line.sku))
            .map(|line| line.cents * u64::from(line.quantity))
            .sum();
        captures.push(capture(&authorization.id, cents).await?);
        if shipment.last {
            break;
        }
    }
    Ok(captures)
}

/// Refunds what customers send back, line by line, from the newest capture to the oldest.
#[workflow]
async fn refund_window(
    order: &Order,
    mut captures: Vec<Capture>,
) -> Result<(Vec<Capture>, Vec<String>), PaymentError> {
    let email = &order.customer.email;
    let mut refunds = Vec::new();
    let mut returned = BTreeMap::new();
    let closes = durable::now() + 30 * DAY;
    while durable::now() < closes {
        for RefundRequest { sku, quantity } in refund_requests(&order.id).await {
            let Some(line) = order.lines.iter().find(|line| line.sku == sku) else {
                mail(email, &format!("{sku} is not part of {}", order.id)).await;
                continue;
            };
            let already = returned.entry(sku.clone()).or_insert(0);
            if *already + quantity > line.quantity {
                mail(email, &format!("You sent back more of {sku} than you bought")).await;
                continue;
            }
            *already += quantity;

            let mut due = line.cents * u64::from(quantity);
            for capture in captures.iter_mut().rev() {
                let part = due.min(capture.cents - capture.refunded);
                if part == 0 {
                    continue;
                }
                refunds.push(refund(&capture.id, part).await?);
                capture.refunded += part;
                due -= part;
            }
            mail(email, &format!("{quantity} x {sku}: refunded")).await;
        }
        sleep(DAY).await;
    }
    Ok((captures, refunds))
}

fn order() -> Order {
    let line = |sku: &str, quantity, cents| Line { sku: sku.into(), quantity, cents };
    let card = |token: &str, last4: &str| Card { token: token.into(), last4: last4.into() };
    Order {
        id: "order-7".into(),
        customer: Customer { id: "ann".into(), email: "ann@example.org".into(), trusted: true },
        lines: vec![line("lamp", 2, 4_000), line("desk", 1, 20_000)],
        cards: vec![card("tok-expired", "1111"), card("tok-flaky", "2222")],
    }
}

fn shop() -> Shop {
    let shipment = |sku: &str, last| Shipment { skus: vec![sku.into()], last };
    let request = |sku: &str, quantity| RefundRequest { sku: sku.into(), quantity };
    Shop {
        shipments: vec![shipment("desk", false), shipment("lamp", true)],
        requests: BTreeMap::from([
            (2, vec![request("lamp", 1), request("sofa", 1)]),
            (9, vec![request("desk", 1), request("lamp", 2)]),
        ]),
        ..Shop::default()
    }
}

async fn open(shop: &Arc<Shop>) -> TestEngine {
    testing::engine().state_arc(shop.clone()).open().await
}

#[tokio::test]
async fn parts_are_refunded_from_the_newest_capture_on() {
    let shop = Arc::new(shop());
    let engine = open(&shop).await;
    let started = engine.now();
    let settlement = engine.run(take_payment(order())).await.unwrap().unwrap();
    assert_eq!(
        settlement,
        Settlement {
            card: "2222".into(),
            captured: 28_000,
            refunds: vec!["4000 from cap-2".into(), "4000 from cap-2".into(), "16000 from cap-1".into()],
            kept: 4_000,
        }
    );
    assert_eq!(
        shop.journal.lines(),
        [
            "authorize 28000 on tok-flaky",
            "capture 20000 of auth-0",
            "capture 8000 of auth-0",
            "mail to ann@example.org: Your order is on its way in 2 parcels",
            "refund 4000 of cap-2",
            "mail to ann@example.org: 1 x lamp: refunded",
            "mail to ann@example.org: sofa is not part of order-7",
            "refund 4000 of cap-2",
            "refund 16000 of cap-1",
            "mail to ann@example.org: 1 x desk: refunded",
            "mail to ann@example.org: You sent back more of lamp than you bought",
        ]
    );
    assert_eq!(engine.calls(authorize).len(), 4, "one card declined, the other unreachable twice");
    assert!(engine.now().duration_since(started).unwrap() >= 30 * DAY);
}

#[tokio::test]
async fn no_card_is_accepted() {
    let shop = Arc::new(shop());
    let mut order = order();
    order.cards.truncate(1);
    let outcome = open(&shop).await.run(take_payment(order)).await.unwrap();
    assert_eq!(outcome, Err(PaymentError::NoCardAccepted { tried: vec!["1111 expired".into()] }));
    assert_eq!(
        shop.journal.lines(),
        ["mail to ann@example.org: We could not take your payment: no card was accepted: 1111 expired"]
    );
}

#[tokio::test]
async fn a_suspicious_order_is_voided_and_not_captured() {
    let shop = Arc::new(Shop { score: 91, ..shop() });
    let mut order = order();
    order.customer.trusted = false;
    let outcome = open(&shop).await.run(take_payment(order)).await.unwrap();
    assert_eq!(outcome, Err(PaymentError::Suspicious { score: 91 }));
    assert_eq!(shop.journal.lines(), ["authorize 28000 on tok-flaky", "void 28000 of auth-0"]);
}

#[tokio::test]
async fn what_does_not_ship_in_ten_days_is_given_back() {
    let mut shop = shop();
    shop.shipments.truncate(1);
    shop.requests.clear();
    let shop = Arc::new(shop);
    let settlement = open(&shop).await.run(take_payment(order())).await.unwrap().unwrap();
    assert_eq!((settlement.captured, settlement.kept), (20_000, 20_000));
    assert!(shop.journal.lines().contains(&"void 8000 of auth-0".to_string()));
}

#[tokio::test]
async fn no_crash_changes_what_is_kept() {
    testing::crash_at_every_step(|| take_payment(order())).with(|engine| engine.state(shop())).await;
}
