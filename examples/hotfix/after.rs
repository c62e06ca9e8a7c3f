//! The fixed build. See `main.rs`. The discount is right, the address is checked before anything is reserved, and the workflow, an activity and a
//! variable have other names: none of that is in the way of the orders that stand behind `reserve`.

mod shop;

use durable::prelude::*;
use shop::{Order, charge, close, orders};

/// Ten percent, from 500 on.
fn discount(cents: u64) -> u64 {
    if cents > 50_000 { cents / 10 } else { 0 }
}

#[activity]
async fn check_address(id: &str) -> bool {
    println!("  checked the address of {id}");
    true
}

#[activity(was = "reserve")]
async fn take_from_shelf(id: &str) -> String {
    println!("  reserved {id}");
    format!("shelf of {id}")
}

#[workflow(was = "checkout")]
async fn buy(order: Order) -> u64 {
    if !check_address(&order.id).await {
        return 0;
    }
    #[was("place")]
    #[resume(was = "reserve#1")]
    let shelf = take_from_shelf(&order.id).await;
    let total = order.cents - discount(order.cents);
    let charged = charge(&order.id, total).await;
    println!("  {shelf} is empty");
    charged
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "check" {
        let report = Engine::builder().path(&args[2]).check().await?;
        print!("{report}");
        std::process::exit(report.exit_code());
    }
    let engine = Engine::open(&args[2]).await?;
    for order in orders() {
        // Those that are there already are not started again; whoever was parked goes on, as this is a new build.
        engine.start(order.id.clone(), buy(order)).await?.result().await?;
    }
    close(&engine).await
}

/// What a pull request with this edit would say: `durable.lock` was committed when the build before was released.
#[test]
fn running_instances_survive() {
    durable::testing::lock_file(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/hotfix/durable.lock"));
}
