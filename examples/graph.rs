//! What a workflow is compiled into, as a graph: `cargo run --example graph` prints Mermaid text, `-- dot` Graphviz's.

use durable::prelude::*;
use std::time::Duration;

#[activity]
async fn invite(address: &str) -> Result<String, Error> {
    Ok(format!("invitation of {address}"))
}

#[activity]
async fn has_joined(invitation: &str) -> bool {
    invitation.len() > 10
}

#[workflow]
async fn onboard(address: String) -> Result<u32, Error> {
    let invitation = invite(&address).await?;
    let mut reminders = 0;
    while !has_joined(&invitation).await {
        if reminders == 3 {
            return Err(Error::msg(format!("{address} never came")));
        }
        reminders += 1;
        sleep(Duration::from_secs(86_400)).await;
    }
    Ok(reminders)
}

fn main() {
    let graph = durable::graph(onboard);
    match std::env::args().nth(1).as_deref() {
        Some("dot") => print!("{}", graph.dot()),
        _ => print!("{}", graph.mermaid()),
    }
}

#[cfg(test)] // run by tests/functions
mod tests {
    #[tokio::test]
    async fn no_crash_changes_how_often_somebody_is_reminded() {
        let call = || super::onboard("ann@example.com".into());
        assert!(durable::testing::crash_at_every_step(call).await.crashes >= 2);
        let call = || super::onboard(String::new());
        assert!(durable::testing::crash_at_every_step(call).await.crashes >= 2);
    }
}
