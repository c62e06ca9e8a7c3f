// == moved
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn moved(name: String) -> String {
    drop(name);
    act(1).await;
    name
}
// == moved in a loop
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn moved(name: String) {
    for n in 0..3 {
        act(n).await;
        drop(name);
    }
}
// == moved by one branch
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn moved(name: String) -> usize {
    if act(1).await > 1 {
        drop(name);
    }
    name.len()
}
// == assigned while borrowed
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn assigned(mut name: String) -> usize {
    let borrowed = &name;
    act(1).await;
    name = String::new();
    borrowed.len()
}
// == changed while borrowed
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn changed(mut names: Vec<String>) {
    for name in &names {
        act(name.len() as u64).await;
        names.push(String::new());
    }
}
// == not mutable
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn not_mutable(n: u64) -> u64 {
    let total = act(n).await;
    total += act(n).await;
    total
}
// == type of an argument
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn mismatched(n: u64) -> u64 {
    let text = String::from("x");
    act(n).await + act(text).await
}
// == type of an awaited value
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn mismatched(n: u64) -> usize {
    let text: String = act(n).await;
    text.len()
}
// == type of the result
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn mismatched(n: u64) -> String {
    act(n).await;
    act(n).await
}
// == no such name
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn unknown(n: u64) -> u64 {
    act(n).await + missing
}
// == no such method
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn unknown(n: u64) -> u64 {
    let got = act(n).await;
    got.missing()
}
// == no such field
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn unknown(n: (u64, u64)) -> u64 {
    act(n.0).await;
    n.third
}
// == a match that forgets something
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn forgets(n: Option<u64>) -> u64 {
    match n {
        Some(n) => act(n).await,
    }
}
// == a question mark without a conversion
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn converts(text: String) -> Result<u64, String> {
    let n: u64 = text.parse()?;
    Ok(act(n).await)
}
// == a missing argument
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn misses(n: u64) -> u64 {
    act(n).await + act().await
}
// == a part that was moved
use durable::{activity, workflow};
#[activity]
async fn act(n: u64) -> u64 { n }
#[workflow]
pub async fn parts(pair: (String, String)) -> usize {
    drop(pair.0);
    act(1).await;
    pair.1.len() + pair.0.len()
}
