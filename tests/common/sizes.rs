//! How large a test is.

/// How often something is done that is done `everyday` times every day: `DURABLE_SCALE` times as often.
pub(crate) fn times(everyday: u64) -> u64 {
    let scale = std::env::var("DURABLE_SCALE").ok();
    everyday * scale.map_or(1, |scale| scale.parse().expect("DURABLE_SCALE is a number"))
}
