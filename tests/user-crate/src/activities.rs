//! Activities in every form.

use std::{collections::BTreeMap, time::Duration};

use durable::{ActivityContext, CallError, State, activity};
use serde::{Deserialize, Serialize};

/// A dependency.
#[derive(Debug, Default)]
pub struct Gateway {
    /// Cards that are refused.
    pub refused: Vec<String>,
}

/// Why a payment failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum PaymentError {
    /// The card is refused.
    #[error("card {card} was declined")]
    Declined {
        /// Which card.
        card: String,
    },
    /// The call itself failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Takes the money, once.
///
/// # Errors
/// [`PaymentError::Declined`] if the gateway refuses the card.
#[activity(
    start_to_close = "30s",
    retry(initial = "10ms", backoff = 2.0, max_interval = "1s", max_attempts = 3),
    no_retry(PaymentError::Declined { .. })
)]
pub async fn charge(
    State(gateway): State<Gateway>,
    context: ActivityContext,
    card: &str,
    cents: u64,
) -> Result<String, PaymentError> {
    if gateway.refused.iter().any(|refused| refused == card) {
        return Err(PaymentError::Declined { card: card.to_owned() });
    }
    tokio::task::yield_now().await;
    Ok(format!("{}-{cents}", context.idempotency_key()))
}

/// Gives the money back.
#[activity(name = "refund-charge", schedule_to_close = "1h", park_when_exhausted)]
pub async fn refund(charge: &str) -> Result<(), durable::Error> {
    if charge.is_empty() {
        return Err(durable::Error::msg("there is no such charge").non_retryable());
    }
    Ok(())
}

/// Counts words, on a thread that may block.
#[activity(limit = 2)]
#[must_use]
pub fn count_words(text: &str) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts
}

/// The price of an article, in cents.
#[activity(heartbeat = "5s")]
pub async fn price(context: &ActivityContext, sku: &str) -> u64 {
    context.heartbeat(&sku.len());
    100 * u64::try_from(sku.len()).unwrap_or(u64::MAX)
}

/// No parameters and no result.
#[activity]
pub async fn ping() {}

/// So long a customer may change their mind.
pub const GRACE: Duration = Duration::from_secs(90);
