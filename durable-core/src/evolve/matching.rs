//! Which point of a changed workflow an old one is.
//!
//! 1. In an unchanged workflow, the same. The one that says so itself, `#[resume(was = "charge#2")]`: of the last source that did not
//!    say so yet, which is not the one that the snapshot is of if that says it too. A point with a name: the one of that name.
//! 2. Else all points that await the same thing are compared, in the old workflow and in the new. If they are all the same, in their order,
//!    nothing that matters to this point has changed.
//! 3. Else those of them that stand in the same place, a path of branches and loops, have to be as many as they were. A single one is
//!    the same if its arguments (its binding, where they are the same) do not turn up at another, nor another's at it, which is what a swap or a move looks like. Of several, all
//!    arguments have to be the same in the same order; where arguments are the same, the bindings too.

use std::collections::HashSet;

use super::{composed, table::PointId};

/// Why a point is not matched, with the points of the new workflow that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unmatched {
    /// There is none like it in its place.
    Gone { candidates: Vec<usize> },
    /// It may be one or another.
    Ambiguous { candidates: Vec<usize> },
    /// It is this one, but what it awaits is in another order: what each operation gives would be taken for another's.
    Reordered { at: usize },
}

/// Where the old workflow's point `at` stands in the new one.
pub(crate) fn match_point(old: &[PointId], at: usize, new: &[PointId]) -> Result<usize, Unmatched> {
    let found = find_point(old, at, new)?;
    let keeps_order = old == new || !composed::is_reordered(&old[at], &new[found]);
    if keeps_order { Ok(found) } else { Err(Unmatched::Reordered { at: found }) }
}

fn find_point(old: &[PointId], at: usize, new: &[PointId]) -> Result<usize, Unmatched> {
    if old == new {
        return Ok(at);
    }
    let point = &old[at];
    let references: Vec<String> = (0..old.len()).map(|at| PointId::reference(old, at)).collect();
    // What was said already when the snapshot was taken was said of an older source.
    let said_before = |was: &String| old.iter().any(|point| point.was.as_ref() == Some(was));
    if let Some(found) = new.iter().position(|new| new.was.is_some() && new.was == point.was) {
        let is_alike = point.reads_like(&new[found]);
        return if is_alike { Ok(found) } else { Err(Unmatched::Ambiguous { candidates: vec![found] }) };
    }
    let were: Vec<Option<&String>> =
        new.iter().map(|point| point.was.as_ref().filter(|was| !said_before(was))).collect();
    if let Some(found) = were.iter().position(|was| *was == Some(&references[at])) {
        return Ok(found);
    }
    let says = |n: usize| were[n].is_some_and(|was| references.contains(was));
    let is_claimed = |old: usize| were.contains(&Some(&references[old]));
    if let Some(name) = &point.name
        && let Some(found) = new.iter().position(|point| point.name.as_ref() == Some(name))
    {
        return Ok(found);
    }
    // What has the name of another old point, or says that it is one, is that one.
    let is_named = |points: &[PointId], like: &PointId| {
        like.name.is_some() && points.iter().any(|point| point.name == like.name)
            || like.was.is_some() && points.iter().any(|point| point.was == like.was)
    };
    let like = |points: &[PointId], free: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..points.len()).filter(|n| points[*n].callee == point.callee && free(*n)).collect()
    };
    let olds = like(old, &|n| n == at || !(is_named(new, &old[n]) || is_claimed(n)));
    let news = like(new, &|n| !(is_named(old, &new[n]) || says(n)));
    let rank = |points: &[usize], at| points.iter().position(|point| *point == at);
    let same = |(a, b): (&usize, &usize)| {
        let (a, b) = (&old[*a], &new[*b]);
        (&a.path, &a.binding, &a.args) == (&b.path, &b.binding, &b.args)
    };
    if olds.len() == news.len()
        && olds.iter().zip(&news).all(same)
        && let Some(rank) = rank(&olds, at)
    {
        return Ok(news[rank]);
    }
    in_place(old, at, new, &olds, &news)
}

/// Among those that stand in the same place.
fn in_place(
    old: &[PointId],
    at: usize,
    new: &[PointId],
    olds: &[usize],
    news: &[usize],
) -> Result<usize, Unmatched> {
    let here = old[at].place();
    let place = |points: &[PointId], among: &[usize]| -> Vec<usize> {
        among.iter().copied().filter(|n| points[*n].place() == here).collect()
    };
    let (here_old, here_new) = (place(old, olds), place(new, news));
    if here_new.is_empty() {
        return Err(Unmatched::Gone { candidates: news.to_vec() });
    }
    let ambiguous = Err(Unmatched::Ambiguous { candidates: here_new.clone() });
    if here_old.len() != here_new.len() {
        return ambiguous;
    }
    let looks_moved = |to: usize| {
        let (before, after) = (&old[at], &new[to]);
        // With the same arguments, the bindings tell one from another.
        let is_like = |a: &PointId, b: &PointId| {
            a.args == b.args && (before.args != after.args || a.binding == b.binding)
        };
        let turns_up = |like: &PointId, among: &[usize], points: &[PointId], here: usize| {
            among.iter().any(|n| *n != here && is_like(&points[*n], like))
        };
        !is_like(before, after) && (turns_up(before, news, new, to) || turns_up(after, olds, old, at))
    };
    if let ([_], [only]) = (&here_old[..], &here_new[..]) {
        return if looks_moved(*only) { ambiguous } else { Ok(*only) };
    }
    let of = |points: &[PointId], among: &[usize], part: fn(&PointId) -> &String| -> Vec<String> {
        among.iter().map(|n| part(&points[*n]).clone()).collect()
    };
    let args = of(old, &here_old, |point| &point.args);
    let told_apart = args.iter().collect::<HashSet<_>>().len() == args.len();
    let same_bindings =
        of(old, &here_old, |point| &point.binding) == of(new, &here_new, |point| &point.binding);
    if args != of(new, &here_new, |point| &point.args) || !(told_apart || same_bindings) {
        return ambiguous;
    }
    match here_old.iter().position(|n| *n == at) {
        Some(rank) if !looks_moved(here_new[rank]) => Ok(here_new[rank]),
        _ => ambiguous,
    }
}

#[cfg(test)]
mod tests {
    use super::{Unmatched::*, *};

    /// `path callee args binding`, or with `"name"` in front.
    fn points(lines: &[&str]) -> Vec<PointId> {
        lines
            .iter()
            .map(|line| {
                let mut words = line.split(' ').peekable();
                let name = words.next_if(|word| word.starts_with('"'));
                let mut word = || words.next().unwrap_or_default().to_owned();
                PointId {
                    name: name.map(|name| name.trim_matches('"').to_owned()),
                    was: None,
                    path: word().trim_start_matches('.').to_owned(),
                    callee: word(),
                    args: word(),
                    binding: word(),
                }
            })
            .collect()
    }

    #[track_caller]
    fn check(old: &[&str], new: &[&str], expected: &[Result<usize, Unmatched>]) {
        check_with(old, new, &[], expected);
    }

    #[track_caller]
    fn check_with(old: &[&str], new: &[&str], were: &[Option<&str>], expected: &[Result<usize, Unmatched>]) {
        let (old, mut new) = (points(old), points(new));
        for (point, was) in new.iter_mut().zip(were) {
            point.was = was.map(Into::into);
        }
        let found: Vec<_> = (0..old.len()).map(|at| match_point(&old, at, &new)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn other_activities_may_come_and_go_anywhere() {
        check(
            &[". reserve a r", ". charge x", ". mail y"],
            &[". log", ". charge x", "if.then audit", ". reserve a r"],
            &[Ok(3), Ok(1), Err(Gone { candidates: vec![] })],
        );
    }

    #[test]
    fn the_only_call_may_get_other_arguments_and_another_binding() {
        check(&[". charge a,b c"], &[". charge a,b+fee bill"], &[Ok(0)]);
    }

    #[test]
    fn a_second_call_in_front_is_ambiguous_for_both() {
        let both = || Err(Ambiguous { candidates: vec![0, 1] });
        check(&[". charge x"], &[". charge y", ". charge x"], &[both()]);
        check(
            &[". charge x", ". charge y"],
            &[". charge x"],
            &[Err(Ambiguous { candidates: vec![0] }), Err(Ambiguous { candidates: vec![0] })],
        );
    }

    #[test]
    fn swapped_calls_are_ambiguous() {
        let both = || Err(Ambiguous { candidates: vec![0, 1] });
        check(&[". charge x", ". charge y"], &[". charge y", ". charge x"], &[both(), both()]);
        check(&[". charge x a", ". charge x b"], &[". charge x b", ". charge x a"], &[both(), both()]);
    }

    #[test]
    fn several_calls_with_their_arguments_in_order_go_on() {
        check(
            &[". charge x a", ". mail", ". charge y b"],
            &[". log", ". charge x c", ". charge y d"],
            &[Ok(1), Err(Gone { candidates: vec![] }), Ok(2)],
        );
    }

    #[test]
    fn a_call_that_moved_to_another_branch_is_gone_and_a_swap_of_branches_is_seen() {
        check(&["if.then charge x"], &["if.else charge x"], &[Err(Gone { candidates: vec![0] })]);
        check(
            &["if.then charge x", "if.else charge y"],
            &["if.then charge y", "if.else charge x"],
            &[Err(Ambiguous { candidates: vec![0] }), Err(Ambiguous { candidates: vec![1] })],
        );
    }

    #[test]
    fn a_branch_of_the_same_kind_in_front_shifts_nothing() {
        check(&["if.then charge x"], &["if.then log", "if#2.then charge x"], &[Ok(1)]);
        check(
            &["if.then charge x"],
            &["if.then charge y", "if#2.then charge x"],
            &[Err(Ambiguous { candidates: vec![0, 1] })],
        );
    }

    #[test]
    fn one_branch_may_change_while_another_has_the_same_call() {
        check(
            &["if.then charge x", "if.else charge y"],
            &["if.then charge x+1", "if.else charge y"],
            &[Ok(0), Ok(1)],
        );
    }

    #[test]
    fn a_name_is_followed_wherever_it_goes() {
        check(
            &[r#""paid" . charge x"#, ". charge y"],
            &["if.then log", r#""paid" if.then charge z"#, ". charge y"],
            &[Ok(1), Ok(2)],
        );
    }

    #[test]
    fn a_name_given_later_changes_nothing_else() {
        check(&[". charge x", ". charge y"], &[r#""paid" . charge x"#, ". charge y"], &[Ok(0), Ok(1)]);
    }

    #[test]
    fn who_says_what_it_was_is_that_and_the_rest_is_matched_without_it() {
        check_with(
            &[". charge x", ". charge y"],
            &[". charge y", ". charge x"],
            &[None, Some("charge#1")],
            &[Ok(1), Ok(0)],
        );
        check_with(&[". charge x"], &[". charge y", "if.then pay x"], &[None, Some("charge#1")], &[Ok(1)]);
        check_with(&[". charge x"], &[". charge x"], &[Some("charge#7")], &[Ok(0)]);
    }

    #[test]
    fn what_a_source_says_is_not_said_of_itself_nor_of_those_that_say_it_too() {
        let said = |lines: &[&str], at: usize| {
            let mut points = points(lines);
            points[at].was = Some("charge#1".into());
            points
        };
        let one = said(&[". charge y", ". charge x"], 1);
        assert_eq!((match_point(&one, 0, &one), match_point(&one, 1, &one)), (Ok(0), Ok(1)));
        let later = said(&[". log", ". charge y", ". charge x"], 2);
        assert_eq!((match_point(&one, 0, &later), match_point(&one, 1, &later)), (Ok(1), Ok(2)));
        // It is said of another one now.
        let other = said(&[". charge y", ". charge x"], 0);
        assert_eq!(match_point(&one, 1, &other), Err(Ambiguous { candidates: vec![0] }));
    }

    #[test]
    fn operations_that_changed_places_are_seen() {
        let point = |args: &str| PointId {
            name: None,
            was: None,
            callee: "join".into(),
            path: String::new(),
            binding: String::new(),
            args: args.into(),
        };
        let check = |before: &str, after: &str| {
            let order = |args: &str| vec![point(args), PointId { callee: "mail".into(), ..point("") }];
            let (old, mut new) = (order(before), order(after));
            new.truncate(1);
            match_point(&old, 0, &new)
        };
        let joined = "( charge ( 3 , 1 ) , charge ( 2 , x ) ) . join ( )";
        assert_eq!(check(joined, joined), Ok(0));
        assert_eq!(
            check(joined, "( charge ( 2 , x ) , charge ( 3 , 1 ) ) . join ( )"),
            Err(Reordered { at: 0 })
        );
        assert_eq!(check(joined, "( charge ( 3 , 1 ) , charge ( 2 , y ) ) . join ( )"), Ok(0));
        assert_eq!(check(joined, "( charge ( 2 , x ) , mail ( ) ) . join ( )"), Err(Reordered { at: 0 }));
        let twice = "( charge ( f ( x ) ) , charge ( f ( x ) ) ) . join ( )";
        assert_eq!(check(twice, "( charge ( f ( x ) ) , charge ( f ( x ) + 1 ) ) . join ( )"), Ok(0));
    }
}
