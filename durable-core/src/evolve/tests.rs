//! Random edits of random workflows: no point is ever matched with another one.
//!
//! Each await has a number that no edit changes and the matching does not see. A matching by callee and place alone, the negative
//! control, is wrong on many.

use super::{PointId, Unmatched, match_point};

const CALLEES: [&str; 3] = ["charge", "mail", "reserve"];
const EDITS: u64 = 50_000;

/// A workflow's structure, as far as resume points go.
#[derive(Clone, Debug)]
enum Node {
    Await { id: u32, callee: usize, args: u32, binding: u32 },
    If(Vec<Node>, Vec<Node>),
    Loop(Vec<Node>),
    Match(Vec<(u32, Vec<Node>)>),
}

struct Maker {
    rng: fastrand::Rng,
    next: u32,
}

impl Maker {
    fn id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn block(&mut self, depth: u32) -> Vec<Node> {
        (0..self.rng.usize(1..4)).map(|_| self.node(depth)).collect()
    }

    fn node(&mut self, depth: u32) -> Node {
        match self.rng.u32(0..if depth == 0 { 3 } else { 6 }) {
            0..3 => self.wait(),
            3 => Node::If(self.block(depth - 1), self.block(depth - 1)),
            4 => Node::Loop(self.block(depth - 1)),
            _ => Node::Match((0..3).map(|arm| (arm, self.block(depth - 1))).collect()),
        }
    }

    fn wait(&mut self) -> Node {
        let id = self.id();
        let callee = self.rng.usize(0..CALLEES.len());
        // Few arguments and bindings: many are the same.
        Node::Await { id, callee, args: self.rng.u32(0..4), binding: self.rng.u32(0..3) }
    }

    /// One edit of the structure. What is said of one call may be edited besides.
    fn edit(&mut self, body: &mut Vec<Node>) {
        let kind = self.rng.u32(0..6);
        let block = pick(body, &mut self.rng);
        let at = self.rng.usize(0..=block.len());
        match kind {
            0 => block.insert(at, self.wait()),
            1 if at < block.len() => drop(block.remove(at)),
            2 if block.len() > 1 => {
                let (one, other) = (at % block.len(), self.rng.usize(0..block.len()));
                block.swap(one, other);
            }
            3 if at < block.len() => {
                let moved = block.remove(at);
                let to = pick(body, &mut self.rng);
                to.insert(self.rng.usize(0..=to.len()), moved);
            }
            4 if at < block.len() => {
                let inner = vec![block.remove(at)];
                let wrapped = if self.rng.bool() { Node::Loop(inner) } else { Node::If(inner, Vec::new()) };
                block.insert(at, wrapped);
            }
            _ => {
                let fresh = 100 + self.rng.u32(0..1_000);
                if let Some(Node::Await { args, binding, .. }) = block.get_mut(at) {
                    *(if self.rng.bool() { args } else { binding }) = fresh;
                }
            }
        }
    }
}

/// One of all blocks.
fn pick<'b>(body: &'b mut Vec<Node>, rng: &mut fastrand::Rng) -> &'b mut Vec<Node> {
    let inner: Vec<usize> = (0..body.len()).filter(|at| !matches!(body[*at], Node::Await { .. })).collect();
    if inner.is_empty() || rng.u8(0..3) == 0 {
        return body;
    }
    match &mut body[inner[rng.usize(0..inner.len())]] {
        Node::If(then, other) => pick(if rng.bool() { then } else { other }, rng),
        Node::Loop(inner) => pick(inner, rng),
        Node::Match(arms) => {
            let arm = rng.usize(0..arms.len());
            pick(&mut arms[arm].1, rng)
        }
        Node::Await { .. } => unreachable!("they were left out"),
    }
}

/// The points with their numbers, and the paths that the compiler gives them: ordinals count the constructs of a kind in a block that hold a point.
fn points(body: &[Node], path: &str, out: &mut Vec<(u32, PointId)>) {
    let mut counts = std::collections::HashMap::<&str, u32>::new();
    let mut enter = |kind: &'static str| {
        let count = counts.entry(kind).or_default();
        *count += 1;
        let ordinal = if *count == 1 { String::new() } else { format!("#{count}") };
        let slash = if path.is_empty() { "" } else { "/" };
        format!("{path}{slash}{kind}{ordinal}")
    };
    for node in body {
        if !holds_point(node) {
            continue;
        }
        match node {
            Node::Await { id, callee, args, binding } => out.push((
                *id,
                PointId {
                    name: None,
                    was: None,
                    callee: CALLEES[*callee].into(),
                    path: path.into(),
                    binding: binding.to_string(),
                    args: args.to_string(),
                },
            )),
            Node::If(then, other) => {
                let path = enter("if");
                points(then, &format!("{path}.then"), out);
                points(other, &format!("{path}.else"), out);
            }
            Node::Loop(inner) => points(inner, &enter("loop"), out),
            Node::Match(arms) => {
                let path = enter("match");
                arms.iter().for_each(|(arm, inner)| points(inner, &format!("{path}.{arm}"), out));
            }
        }
    }
}

fn holds_point(node: &Node) -> bool {
    match node {
        Node::Await { .. } => true,
        Node::If(then, other) => then.iter().chain(other).any(holds_point),
        Node::Loop(inner) => inner.iter().any(holds_point),
        Node::Match(arms) => arms.iter().any(|(_, inner)| inner.iter().any(holds_point)),
    }
}

type Matching = fn(&[PointId], usize, &[PointId]) -> Result<usize, Unmatched>;

/// How many points were matched rightly, wrongly, and not at all.
fn count(matching: Matching) -> ([u64; 3], Option<String>) {
    let (mut counts, mut wrong) = ([0; 3], None);
    for seed in 0..EDITS {
        let mut maker = Maker { rng: fastrand::Rng::with_seed(seed), next: 0 };
        let body = maker.block(2);
        let mut edited = body.clone();
        maker.edit(&mut edited);
        let (mut old, mut new) = (Vec::new(), Vec::new());
        points(&body, "", &mut old);
        points(&edited, "", &mut new);
        let texts =
            |points: &[(u32, PointId)]| points.iter().map(|(_, point)| point.clone()).collect::<Vec<_>>();
        let (old_text, new_text) = (texts(&old), texts(&new));
        for (at, (id, point)) in old.iter().enumerate() {
            let Ok(found) = matching(&old_text, at, &new_text) else {
                counts[2] += 1;
                continue;
            };
            // Calls that read alike in places that read alike can't be told apart by anybody.
            let (found_id, found) = &new[found];
            let alike = (&found.callee, &found.args, &found.binding, found.place())
                == (&point.callee, &point.args, &point.binding, point.place());
            if id == found_id || alike {
                counts[0] += 1;
            } else {
                counts[1] += 1;
                wrong.get_or_insert_with(|| {
                    format!("seed {seed}: {point:?} as {found:?}\n{old_text:?}\n{new_text:?}")
                });
            }
        }
    }
    (counts, wrong)
}

#[test]
fn no_edit_makes_a_point_another_one() {
    let ([right, wrong, unmatched], first) = count(match_point);
    assert_eq!(wrong, 0, "{}", first.unwrap_or_default());
    // One edit leaves most points as they were.
    assert!(right > 5 * unmatched, "{right} right, {unmatched} not matched");
}

#[test]
fn a_matching_by_callee_and_place_alone_is_wrong_and_that_is_noticed() {
    let ([_, wrong, _], _) = count(|old, at, new| {
        let point = &old[at];
        let same = |other: &PointId| (&other.callee, &other.path) == (&point.callee, &point.path);
        new.iter().position(same).ok_or(Unmatched::Gone { candidates: Vec::new() })
    });
    assert!(wrong > EDITS / 20, "{wrong}");
}
