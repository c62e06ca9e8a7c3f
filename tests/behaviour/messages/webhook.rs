//! Scenario 11: a webhook is delivered five times, before the workflow exists and after: one instance, one signal. Scenario 12: two clients
//! start with an update at once: one instance, both answered (`updates`).

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::HOUR;

#[derive(Clone, Debug, Serialize, Deserialize, Signal)]
struct Paid {
    cents: u64,
}

#[activity]
async fn book_payment(cents: u64) -> String {
    format!("booked {cents}")
}

#[workflow]
async fn payment() -> (String, u32) {
    let Paid { cents } = recv::<Paid>().await;
    let booked = book_payment(cents).await;
    sleep(HOUR).await;
    let mut more = 0;
    while try_recv::<Paid>().is_some() {
        more += 1;
    }
    (booked, more)
}

#[tokio::test]
async fn a_webhook_delivered_five_times_is_one_instance_and_one_signal() {
    let engine = testing::engine().open().await;
    // The provider delivers before anybody has started the workflow, twice at once.
    let deliver = || {
        let engine = engine.clone();
        tokio::spawn(async move {
            engine.start("order-7", payment()).with_signal(Paid { cents: 99 }).dedup("evt-1").await
        })
    };
    let (one, two) = (deliver(), deliver());
    let (one, two) = (one.await.unwrap().unwrap(), two.await.unwrap().unwrap());
    assert!(one.created() != two.created());
    // The shop starts it too, and the provider delivers again, also to another process.
    assert!(!engine.start("order-7", payment()).await.unwrap().created());
    deliver().await.unwrap().unwrap();
    let engine = engine.crash_and_reopen().await;
    engine.signal("order-7", Paid { cents: 99 }).dedup("evt-1").await.unwrap();
    engine.signal("order-7", Paid { cents: 99 }).dedup("evt-1").await.unwrap();
    let handle = engine.handle("order-7").of(payment);
    assert_eq!(handle.result().await.unwrap(), ("booked 99".to_owned(), 0));
    // And once more when it is all over.
    engine.signal("order-7", Paid { cents: 99 }).dedup("evt-1").await.unwrap();
}
