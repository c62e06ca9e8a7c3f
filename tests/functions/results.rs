//! Results, and how `?` and the last expression become them.

use std::error::Error;

use super::{echo, run};
use durable::prelude::*;

fn parse(text: &str) -> Result<u64, Box<dyn Error>> {
    Ok(text.parse::<u64>()?)
}

/// `Box<dyn Error>` between two awaits.
#[workflow]
async fn boxed_errors_inside(text: String) -> Result<u64, String> {
    let n = echo(1).await;
    let parsed: Result<u64, Box<dyn Error>> = (|| Ok(parse(&text)? + "7".parse::<u64>()?))();
    let parsed = parsed.map_err(|error| error.to_string())?;
    let total = parse("1").map_err(|error| error.to_string())? + parsed;
    Ok(total + echo(n).await)
}

/// A helper that is only called may return what can't be stored, if it is generic.
#[workflow]
async fn returns_a_boxed_error<T: durable::Persist + Into<u64>>(n: T) -> Result<u64, Box<dyn Error>> {
    let n = echo(n.into()).await;
    if n > 5 {
        return Err("too many".into());
    }
    Ok(u64::from(u32::try_from(n)?))
}

#[workflow]
async fn takes_a_boxed_error(n: u8) -> String {
    match returns_a_boxed_error(n).await {
        Ok(n) => n.to_string(),
        Err(error) => format!("failed: {error}"),
    }
}

#[workflow]
async fn infers_literals(which: bool) -> (u8, i64, Option<u16>, [f32; 2]) {
    let small = 200;
    let list = [1.5, 2.5];
    echo(1).await;
    if which {
        return (small, -1, None, list);
    }
    (small, 1, Some(3), list)
}

#[workflow]
async fn infers_errors<const FAIL: bool>() -> Result<(), std::num::TryFromIntError> {
    let n = echo(if FAIL { 300 } else { 3 }).await;
    let _: u8 = n.try_into()?;
    Ok(())
}

#[workflow]
async fn error_text(fail: bool) -> String {
    let result = if fail { infers_errors::<true>().await } else { infers_errors::<false>().await };
    result.map_or_else(|error| error.to_string(), |()| "fine".to_owned())
}

/// The result's type coerces what is returned.
#[workflow]
async fn coerced() -> Box<[u64]> {
    let one = echo(1).await;
    Box::new([one, 2, 3])
}

#[workflow]
async fn nothing() {
    echo(1).await;
}

#[tokio::test]
async fn results_are_inferred_and_coerced() {
    assert_eq!(run!(boxed_errors_inside("5".into())), Ok(14));
    assert!(run!(boxed_errors_inside("x".into())).is_err());
    assert_eq!(run!(takes_a_boxed_error(3)), "3");
    assert_eq!(run!(takes_a_boxed_error(6)), "failed: too many");
    assert_eq!(run!(infers_literals(true)), (200, -1, None, [1.5, 2.5]));
    assert_eq!(run!(infers_literals(false)), (200, 1, Some(3), [1.5, 2.5]));
    assert_eq!(*run!(coerced()), [1, 2, 3]);
    run!(nothing());
}

#[tokio::test]
async fn a_result_that_serde_does_not_know_is_called_inline() {
    assert_eq!(run!(error_text(true)), "out of range integral type conversion attempted");
    assert_eq!(run!(error_text(false)), "fine");
}
