//! What peers can cause must not fill the log.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);
/// Lines of one kind in a window.
const LINES: u32 = 10;

/// Lines of one kind: a few a second are written, the others counted.
#[derive(Debug, Default)]
pub(crate) struct LogBudget {
    window: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl LogBudget {
    /// Whether a line is written now, and then how many were left out before it.
    pub(crate) fn take(&mut self, now: Instant) -> Option<u64> {
        if self.window.is_none_or(|start| now >= start + WINDOW) {
            self.window = Some(now);
            self.written = 0;
        }
        if self.written == LINES {
            self.left_out += 1;
            return None;
        }
        self.written += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_short_and_counted() {
        let start = Instant::now();
        let mut budget = LogBudget::default();
        let written = (0..1000).filter_map(|_| budget.take(start)).count();
        assert_eq!(written, 10);
        assert_eq!(budget.take(start + WINDOW), Some(990));
        assert_eq!(budget.take(start + WINDOW), Some(0));
    }
}
