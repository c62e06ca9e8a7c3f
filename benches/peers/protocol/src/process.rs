//! What the kernel says about this process.

/// What this process gave the kernel to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Bytes of pages that were made dirty and so go to a disk (`write_bytes`).
    pub(crate) to_disk: u64,
    /// Bytes in calls of `write` and its like (`wchar`).
    pub(crate) in_calls: u64,
}

impl Written {
    /// Since the process began.
    pub(crate) fn now() -> Self {
        let text = std::fs::read_to_string("/proc/self/io").expect("Linux says what a process has written");
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|value| value.trim().parse().ok()).expect("a number of bytes")
        };
        Written { to_disk: field("write_bytes"), in_calls: field("wchar") }
    }

    pub(crate) fn since(self, before: Written) -> Self {
        Written { to_disk: self.to_disk - before.to_disk, in_calls: self.in_calls - before.in_calls }
    }
}
