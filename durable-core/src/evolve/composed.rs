//! Compositions: whether their operations are in the order in which they were.
//!
//! What a join, a race or a `select!` awaits is stored by place. Two calls of one activity that change places there would take
//! each other's results, and nothing else would show it.

use super::table::PointId;

/// Whether an operation of the one is at another place in the other, by its text.
pub(super) fn is_reordered(old: &PointId, new: &PointId) -> bool {
    if old.args == new.args || !is_composed(old) {
        return false;
    }
    let (before, after) = (elements(&old.args), elements(&new.args));
    let had = |place: &[usize], text: &str, among: &[(Vec<usize>, &str)]| {
        among.iter().any(|(other, found)| other == place && *found == text)
    };
    let is_call = |text: &str| text.contains('(');
    // It has left its place and come to one where it was not.
    before.iter().any(|(place, text)| {
        is_call(text)
            && !had(place, text, &after)
            && after.iter().any(|(to, other)| other == text && !had(to, text, &before))
    })
}

/// The arguments of a plain call are its own affair: it was made with those that it had.
fn is_composed(point: &PointId) -> bool {
    let PointId { callee, args, .. } = point;
    ["select!", "timeout"].contains(&callee.as_str()) || args.contains(&format!(". {callee} "))
}

/// What stands between commas, with its place: the number of the comma at each depth.
fn elements(text: &str) -> Vec<(Vec<usize>, &str)> {
    let mut found = Vec::new();
    // For each bracket that is open, and for the whole: how many commas, and where the element began.
    let mut open = vec![(0, 0)];
    let mut close = |open: &[(usize, usize)], end: usize| {
        let (_, start) = open[open.len() - 1];
        let element = text[start..end].trim();
        if !element.is_empty() {
            found.push((open.iter().map(|(commas, _)| *commas).collect(), element));
        }
    };
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open.push((0, at + 1)),
            b')' | b']' | b'}' if open.len() > 1 => {
                close(&open, at);
                open.pop();
            }
            b',' => {
                close(&open, at);
                if let Some(last) = open.last_mut() {
                    *last = (last.0 + 1, at + 1);
                }
            }
            _ => {}
        }
    }
    close(&open[..1], text.len());
    found
}

#[cfg(test)]
mod tests {
    use super::elements;

    #[test]
    fn elements_are_found_at_every_depth() {
        let found = elements("( a ( x , 1 ) , b ( ) ) . join ( )");
        let shown: Vec<String> = found.iter().map(|(place, text)| format!("{place:?} {text}")).collect();
        assert_eq!(
            shown,
            [
                "[0, 0, 0] x",
                "[0, 0, 1] 1",
                "[0, 0] a ( x , 1 )",
                "[0, 1] b ( )",
                "[0] ( a ( x , 1 ) , b ( ) ) . join ( )"
            ]
        );
    }
}
