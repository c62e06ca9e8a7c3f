//! Medians and spread.

/// What the rounds of a run gave.
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

    /// `median (least to most)`.
    pub(crate) fn show(&self) -> String {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(0.0, f64::max);
        match self.0.len() {
            0 => String::from("-"),
            1 => digits(self.median()),
            _ => format!("{} ({} to {})", digits(self.median()), digits(least), digits(most)),
        }
    }
}

/// Three digits or all before the point.
pub(crate) fn digits(value: f64) -> String {
    if !value.is_finite() {
        return String::from("-");
    }
    if value >= 1_000.0 {
        let whole = format!("{value:.0}");
        let mut text = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
