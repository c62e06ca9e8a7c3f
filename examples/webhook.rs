//! A payment provider calls back: five times, before the order is known and after. One instance, one signal.
//!
//! ```text
//! cargo run --example webhook
//! ```
//!
//! The handler of the web server starts the instance with the signal, in one transaction and under the provider's own key of the event, and
//! answers 202 as soon as that is on disk; what follows from it happens whether the provider stays on the line or not. Providers deliver
//! again what was answered too late, or not at all, so every delivery but one has to change nothing.
//!
//! The program is its own provider: it serves on a free port, delivers to itself, and ends.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State as Shared},
    http::StatusCode,
    routing::post,
};
use durable::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the provider says.
#[derive(Debug, Serialize, Deserialize, Signal)]
struct Paid {
    event: String,
    cents: u64,
}

#[activity(retry(initial = "50ms"))]
async fn ship(context: ActivityContext, order: &str) -> Result<String, Error> {
    // Slow, and not at its best the first time: nobody on the line waits for it.
    tokio::time::sleep(Duration::from_millis(150)).await;
    ensure!(context.attempt() > 1, "the carrier does not answer");
    Ok(format!("parcel of {order}"))
}

#[workflow]
async fn fulfil(order: String) -> Result<String, Error> {
    let paid = recv::<Paid>().await;
    let parcel = ship(&order).await?;
    // Had a second delivery come through, it would be here by now.
    ensure!(try_recv::<Paid>().is_none(), "{order} was paid twice");
    Ok(format!("{parcel} is on its way, paid with {} cents by {}", paid.cents, paid.event))
}

/// `POST /webhooks/ORDER`, with the event as JSON.
async fn webhook(
    Shared(engine): Shared<Engine>,
    Path(order): Path<String>,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    let paid: Paid =
        serde_json::from_slice(&body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let event = paid.event.clone();
    // Whoever comes first starts the instance: this handler, or the shop.
    let started = engine.start(&order, fulfil(order.clone())).with_signal(paid).dedup(event).await;
    match started {
        Ok(_) => Ok(StatusCode::ACCEPTED),
        // Not on disk: the provider shall come again.
        Err(error) => Err((StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
    }
}

/// Opens the store and serves; both end with the process, or with the task.
async fn serve(
    store: &std::path::Path,
) -> Result<(Engine, SocketAddr, tokio::task::JoinHandle<()>), Failure> {
    let engine = Engine::open(store).await?;
    let app = Router::new().route("/webhooks/{order}", post(webhook)).with_state(engine.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move {
        axum::serve(listener, app).await.expect("a listener that was bound serves");
    });
    Ok((engine, address, serving))
}

/// Delivers as a provider does, and gives the status line of the answer.
async fn deliver(address: SocketAddr, order: &str, event: &str) -> Result<String, Failure> {
    let body = serde_json::to_string(&Paid { event: event.into(), cents: 4_999 })?;
    let mut line = TcpStream::connect(address).await?;
    let request = format!(
        "POST /webhooks/{order} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    line.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    line.read_to_string(&mut answer).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let store = directory.path().join("orders.redb");
    let (engine, address, serving) = serve(&store).await?;

    // Twice at once, before anybody has heard of the order.
    let (one, two) = tokio::join!(deliver(address, "order-7", "evt-1"), deliver(address, "order-7", "evt-1"));
    println!("delivery 1: {}", one?);
    println!("delivery 2: {}", two?);
    // The shop is slower than its provider.
    let handle = engine.start("order-7", fulfil("order-7".into())).await?;
    println!("the shop starts order-7; it was there: {}", !handle.created());
    println!("delivery 3: {}", deliver(address, "order-7", "evt-1").await?);

    // The parcel is not shipped yet, and the process goes.
    serving.abort();
    engine.shutdown(Duration::ZERO).await?;
    drop((handle, engine));
    let (engine, address, serving) = serve(&store).await?;
    println!(
        "another process serves on {}",
        if address.ip().is_loopback() { "the same machine" } else { "?" }
    );
    println!("delivery 4: {}", deliver(address, "order-7", "evt-1").await?);
    let handle = engine.handle("order-7").of(fulfil);
    println!("{}", handle.result().await??);
    println!("delivery 5, when all is over: {}", deliver(address, "order-7", "evt-1").await?);

    let instances = engine.list(Filter::new().workflow("fulfil")).await?.len();
    let history = handle.history().await?;
    let signals = history.iter().filter(|event| event.to_string().contains("signal `Paid` received")).count();
    println!("5 deliveries: {instances} instance, {signals} signal received");
    assert_eq!((instances, signals), (1, 1));
    println!("what is no event: {}", bad(address).await?);
    serving.abort();
    engine.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}

/// A delivery that can't be read is refused, and the provider told so.
async fn bad(address: SocketAddr) -> Result<String, Failure> {
    let mut line = TcpStream::connect(address).await?;
    line.write_all(
        b"POST /webhooks/order-8 HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    )
    .await?;
    let mut answer = String::new();
    line.read_to_string(&mut answer).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
