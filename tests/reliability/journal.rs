//! What was written down, and whether it keeps the promises.
//!
//! The journal holds the attempts of all activities in the order in which they began, over all
//! crashes. A chain's steps are sequential, so that order says everything: that a step began proves
//! that the result of the step before it was committed, and what was committed is never done again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use crate::workload::attempts;

/// One attempt of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) chain: u64,
    pub(crate) step: u32,
    pub(crate) attempt: u32,
    /// The call's idempotency key.
    pub(crate) key: u128,
    /// No other attempt's.
    pub(crate) value: u64,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { chain, step, attempt, key, value } = self;
        write!(f, "{chain} {step} {attempt} {key} {value}")
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let torn = || format!("`{line}` is not an entry of the journal");
        let fields: Vec<&str> = line.split(' ').collect();
        let [chain, step, attempt, key, value] = fields[..] else { return Err(torn()) };
        Ok(Entry {
            chain: chain.parse().map_err(|_| torn())?,
            step: step.parse().map_err(|_| torn())?,
            attempt: attempt.parse().map_err(|_| torn())?,
            key: key.parse().map_err(|_| torn())?,
            value: value.parse().map_err(|_| torn())?,
        })
    }
}

/// What became of a workload once everything has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// All attempts in the order in which they began.
    pub(crate) entries: Vec<Entry>,
    /// The chains whose start was acknowledged.
    pub(crate) started: Vec<u64>,
    /// The results that were acknowledged, by chain, each as often as it was.
    pub(crate) acknowledged: Vec<(u64, Vec<u64>)>,
    /// The results at the end.
    pub(crate) results: BTreeMap<u64, Vec<u64>>,
    /// How many steps each chain has.
    pub(crate) steps: u32,
}

/// What is known of one call while its attempts are read.
struct Call {
    key: u128,
    attempt: u32,
    value: u64,
}

impl History {
    /// Every promise that was broken, in words.
    pub(crate) fn violations(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let calls = self.read_attempts(&mut wrong);
        self.compare_results(&calls, &mut wrong);
        wrong
    }

    /// How many attempts were made more than once, because they were cut off.
    pub(crate) fn repeated(&self) -> usize {
        let mut seen = HashMap::new();
        for entry in &self.entries {
            *seen.entry((entry.chain, entry.step, entry.attempt)).or_insert(0_usize) += 1;
        }
        seen.values().map(|times| times - 1).sum()
    }

    /// One key per call, attempts that go on where they were, nothing again that was counted.
    fn read_attempts(&self, wrong: &mut Vec<String>) -> HashMap<(u64, u32), Call> {
        let mut calls: HashMap<(u64, u32), Call> = HashMap::new();
        let mut keys: HashMap<u128, (u64, u32)> = HashMap::new();
        let mut latest: HashMap<u64, u32> = HashMap::new();
        for entry in &self.entries {
            let Entry { chain, step, attempt, key, value } = *entry;
            let call = (chain, step);
            if *keys.entry(key).or_insert(call) != call {
                wrong.push(format!("the key of {entry} is another call's too"));
            }
            let latest = latest.entry(chain).or_insert(0);
            if step < *latest {
                wrong.push(format!("a completed activity ran again: {entry}, after step {latest}"));
            } else if step > *latest + 1 || (step == *latest + 1 && !calls.contains_key(&(chain, *latest))) {
                wrong.push(format!("a step was left out before {entry}"));
            }
            *latest = step.max(*latest);
            let before = calls.insert(call, Call { key, attempt, value });
            let made = before.as_ref().map_or(0, |before| before.attempt);
            if before.is_some_and(|before| before.key != key) {
                wrong.push(format!("{entry} has another key than the attempt before it"));
            }
            // An attempt that was cut off is made again under its number.
            if attempt < made.max(1) || attempt > made + 1 {
                wrong.push(format!("attempt {attempt} follows attempt {made}: {entry}"));
            }
        }
        wrong.extend(
            self.entries
                .iter()
                .filter(|entry| !self.results.contains_key(&entry.chain))
                .map(|entry| format!("an activity ran and there is no trace of its instance: {entry}")),
        );
        calls
    }

    /// The chains that are known of: also one that was started, and ran, and whose start was cut off
    /// before it was acknowledged, while the start of another was.
    pub(crate) fn chains(&self) -> BTreeSet<u64> {
        self.started.iter().copied().chain(self.entries.iter().map(|entry| entry.chain)).collect()
    }

    /// Every start ended once, with each step's last attempt counted once.
    fn compare_results(&self, calls: &HashMap<(u64, u32), Call>, wrong: &mut Vec<String>) {
        for chain in &self.started {
            if !self.results.contains_key(chain) {
                wrong.push(format!("the acknowledged start of chain {chain} is lost"));
            }
        }
        for (chain, acknowledged) in &self.acknowledged {
            let result = self.results.get(chain);
            if result != Some(acknowledged) {
                wrong.push(format!(
                    "chain {chain} ended with {acknowledged:?}, acknowledged, and later with {result:?}"
                ));
            }
        }
        for (chain, values) in &self.results {
            if values.len() != self.steps as usize {
                wrong.push(format!("chain {chain} counted {} steps of {}", values.len(), self.steps));
            }
            for (step, value) in (0..).zip(values) {
                let Some(call) = calls.get(&(*chain, step)) else {
                    wrong.push(format!("step {step} of chain {chain} was counted and never made"));
                    continue;
                };
                if call.value != *value {
                    wrong.push(format!(
                        "step {step} of chain {chain} counted {value} and its last attempt gave {}",
                        call.value
                    ));
                }
                if call.attempt != attempts(step) {
                    wrong.push(format!("step {step} of chain {chain} ended at attempt {}", call.attempt));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(step: u32, attempt: u32, value: u64) -> Entry {
        Entry { chain: 7, step, attempt, key: u128::from(step) + 100, value }
    }

    /// A chain of four steps as it should be: step 1 was cut off once, step 2 fails twice.
    fn sound() -> History {
        let entries = [(0, 1), (1, 1), (1, 1), (2, 1), (2, 2), (2, 3), (3, 1)];
        let entries: Vec<Entry> =
            (1..).zip(entries).map(|(value, (step, attempt))| entry(step, attempt, value)).collect();
        History {
            entries,
            started: vec![7],
            acknowledged: vec![(7, vec![1, 3, 6, 7])],
            results: BTreeMap::from([(7, vec![1, 3, 6, 7])]),
            steps: 4,
        }
    }

    /// Breaks a sound history; answers with what is said about it.
    fn broken(break_it: impl FnOnce(&mut History)) -> String {
        let mut history = sound();
        break_it(&mut history);
        history.violations().join("\n")
    }

    #[test]
    fn a_sound_history_is_accepted() {
        assert_eq!(sound().violations(), [""; 0]);
        assert_eq!(sound().repeated(), 1);
    }

    #[test]
    fn every_broken_promise_is_noticed() {
        let noticed = |said: String, what: &str| assert!(said.contains(what), "`{what}` is not in: {said}");
        noticed(broken(|h| h.entries.push(entry(1, 1, 8))), "a completed activity ran again");
        noticed(
            broken(|h| {
                h.entries.remove(0);
            }),
            "was counted and never made",
        );
        noticed(broken(|h| drop(h.entries.drain(1..3))), "a step was left out");
        noticed(broken(|h| h.entries[2].key += 50), "has another key than the attempt before");
        noticed(broken(|h| h.entries[6].key = 100), "another call's too");
        noticed(
            broken(|h| {
                h.entries.remove(4);
            }),
            "attempt 3 follows attempt 1",
        );
        noticed(broken(|h| h.entries[5].attempt = 1), "attempt 1 follows attempt 2");
        noticed(broken(|h| h.entries.push(entry(3, 1, 8))), "its last attempt gave 8");
        noticed(broken(|h| h.started.push(8)), "the acknowledged start of chain 8 is lost");
        noticed(broken(|h| h.acknowledged.push((7, vec![1, 2, 6, 7]))), "and later with");
        noticed(broken(|h| h.entries[0].chain = 9), "no trace of its instance");
        noticed(broken(|h| h.results.get_mut(&7).unwrap().push(9)), "counted 5 steps of 4");
        noticed(broken(|h| h.results.get_mut(&7).unwrap().truncate(3)), "counted 3 steps of 4");
    }

    #[test]
    fn an_entry_is_read_as_it_was_written_and_a_torn_one_is_not() {
        let entry = entry(3, 2, 99);
        assert_eq!(entry.to_string().parse(), Ok(entry));
        assert!("7 3 2 10".parse::<Entry>().is_err());
    }
}
