//! An order: activities, a timer, errors of the user's own, a helper workflow.

use durable::{CallError, sleep, workflow};
use serde::{Deserialize, Serialize};

use crate::activities::{GRACE, PaymentError, charge, count_words, price, refund};

/// What is ordered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// Who pays.
    pub card: String,
    /// Article and quantity.
    pub items: Vec<(String, u32)>,
    /// A text for the parcel.
    pub note: Option<String>,
}

/// What the customer gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The payment.
    pub charge: String,
    /// What was paid.
    pub cents: u64,
    /// Words on the parcel.
    pub words: usize,
}

/// Why an order failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum OrderError {
    /// The payment failed.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Nothing was ordered.
    #[error("order of {card} is empty")]
    Empty {
        /// Whose.
        card: String,
    },
}

/// What all items cost.
#[workflow]
pub async fn total(items: Vec<(String, u32)>) -> u64 {
    let mut cents = 0;
    for (sku, quantity) in &items {
        let each = price(sku).await;
        cents += each * u64::from(*quantity);
    }
    cents
}

/// Fulfils an order.
///
/// # Errors
/// See [`OrderError`].
#[workflow(name = "fulfil-order")]
pub async fn fulfil(order: Order) -> Result<Receipt, OrderError> {
    if order.items.is_empty() {
        return Err(OrderError::Empty { card: order.card });
    }
    let cents = total(order.items.clone()).await;
    let charge = charge(&order.card, cents).await?;
    sleep(GRACE).await;
    let words = if let Some(note) = &order.note { count_words(note).await.len() } else { 0 };
    Ok(Receipt { charge, cents, words })
}

/// Takes everything back.
///
/// # Errors
/// An error of the refund.
#[workflow(name = "order.refunded")]
pub async fn cancel(receipt: &Receipt) -> Result<(), durable::Error> {
    refund(&receipt.charge).await?;
    Ok(())
}
