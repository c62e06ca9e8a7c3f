//! How much processor time the process has used: what is left of a measurement when a neighbour takes turns.

use std::time::Duration;

/// A moment, in processor time of all threads of the process.
#[derive(Clone, Copy)]
pub(crate) struct Processor(Duration);

impl Processor {
    pub(crate) fn now() -> Self {
        Processor(total().unwrap_or_default())
    }

    /// Used since then: by user code and by the kernel for it. Nothing where the system does not tell.
    pub(crate) fn used(self) -> Duration {
        total().unwrap_or_default().saturating_sub(self.0)
    }
}

/// From `/proc/self/stat`, in hundredths of a second whatever the kernel's own tick is.
fn total() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before it may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks()? + ticks()?)))
}
