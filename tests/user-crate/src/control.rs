//! Control flow of every kind around awaits.

use durable::workflow;

use crate::activities::{ping, price};

/// Loops, labels, shadowing, `match` with guards, early returns.
#[workflow]
pub async fn wander(start: u64, names: Vec<String>) -> Result<u64, durable::Error> {
    let mut sum = start;
    let mut rounds = 0_u32;
    'outer: loop {
        rounds += 1;
        for name in &names {
            let cents = price(name).await;
            match cents {
                0 => continue,
                cents if cents > 1_000 => break 'outer,
                _ => sum += cents,
            }
            if sum > 5_000 {
                return Ok(sum);
            }
        }
        if rounds >= 3 {
            break;
        }
        ping().await;
    }
    let sum = sum + u64::from(rounds);
    let Some(first) = names.first() else {
        durable::bail!("{rounds} rounds over nothing");
    };
    let last = price(first).await;
    Ok(sum + last)
}

/// `while`, ranges and a tuple pattern.
#[workflow]
pub async fn count_down(from: u32) -> (u32, u64) {
    let (mut left, mut seen) = (from, 0);
    while left > 0 {
        ping().await;
        left -= 1;
        seen += 1;
    }
    for _ in 0..2 {
        ping().await;
    }
    (left, seen)
}
