//! Medians and spread.

use std::time::Duration;

/// What was measured in the rounds of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[n / 2],
            n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
        }
    }

    fn ends(&self) -> (f64, f64) {
        (self.0.iter().copied().fold(f64::INFINITY, f64::min), self.0.iter().copied().fold(0.0, f64::max))
    }

    /// The rounds' ratios to another sample's: round by round, since a shared machine changes between rounds.
    pub(crate) fn over(&self, other: &Sample) -> Sample {
        Sample(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    /// `median unit (least to most)`.
    pub(crate) fn show(&self, unit: &str) -> String {
        let (least, most) = self.ends();
        format!("{}{unit} ({} to {})", digits(self.median()), digits(least), digits(most))
    }
}

fn digits(value: f64) -> String {
    if value >= 1_000.0 {
        let whole = format!("{value:.0}");
        let grouped: Vec<&str> = whole
            .as_bytes()
            .rchunks(3)
            .rev()
            .map(|part| std::str::from_utf8(part).expect("digits"))
            .collect();
        grouped.join(",")
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

pub(crate) fn micros(duration: Duration, over: u64) -> f64 {
    duration.as_secs_f64() * 1e6 / over as f64
}
