//! `match` with guards and every kind of pattern.

use crate::vocabulary::{Address, Event, Fault, Item, Machine, Order};

const SPECIAL: i64 = 10;

twins! {
    async fn match_numbers(n: i64) -> String {
        let kept = get(0).await;
        let text = match get(n).await {
            SPECIAL => say("special").await,
            i64::MIN..=0 => "negative".to_string(),
            1 | 4 => { let end = get(n).await; format!("small {}", end) },
            13.. if n % 2 == 0 => say("big and even").await,
            other @ (5..=9 | 16) => {
                let again = get(other).await;
                format!("{other} {again}")
            }
            other => other.to_string(),
        };
        format!("{text} {kept}")
    } for (-1), (0), (1), (2), (3), (4), (5), (6);

    async fn match_an_enum(n: i64) -> String {
        match event(n).await {
            Event::Idle => "idle".to_string(),
            Event::Moved { x, y: 0.. } => format!("up {x}"),
            Event::Moved { x, .. } if x > 5 => {
                let far = get(x).await;
                format!("far {far} {x}")
            }
            Event::Moved { x, y } => { let end = add(x, y).await; format!("{x} {y} {}", end) },
            Event::Said(text) => {
                let loud = say(&text).await;
                let louder = say(&loud).await;
                text + &loud + &louder
            }
            Event::Many(list) => {
                let total = sum(&list).await;
                format!("{total} of {}", list.len())
            }
            Event::Twice(left, right) => {
                store(format!("{left:?}")).await;
                format!("{right:?}")
            }
        }
    } for (0), (1), (6), (2), (3), (4);

    async fn match_with_guards_that_await(n: i64) -> String {
        let order = order(n).await;
        let text = match event(n).await {
            Event::Moved { x, .. } if flag(x).await => format!("even {x}"),
            Event::Moved { x, y } if get(x + y).await == 0 && maybe(n).await.is_some() => say("zero").await,
            Event::Said(text) if say(&text).await.len() > 100 => text,
            Event::Said(mut text) => {
                text.push('?');
                say(&text).await
            }
            Event::Many(list) if sum(&list).await > 5 => format!("{list:?}"),
            Event::Many(_) | Event::Idle if flag(n).await => "even".to_owned(),
            other => format!("{other:?}"),
        };
        match &order.note {
            Some(note) if say(note).await.len() > 6 => format!("{text} {note}"),
            Some(note) if let Some(found) = maybe(note.len() as i64).await => format!("{text} {found} {note}"),
            note => format!("{text} {note:?}"),
        }
    } for (0), (1), (2), (3), (4), (6), (8);

    async fn match_slices(n: i64) -> String {
        let values = list(n).await;
        match values.as_slice() {
            [] => say("empty").await,
            [one] => format!("one {one}"),
            [first, second] => format!("two {first} {second}"),
            [first, .., last] => format!("{first} to {last}"),
        }
    } for (0), (1), (2), (4);

    async fn match_tuples_and_strings(n: i64) -> i64 {
        let (number, text) = pair(n).await;
        match (flag(n).await, number, text.as_str()) {
            (_, 6, "p1") => 1,
            (true, _, "p2") => get(2).await,
            (false, number, _) if number > 9 => get(number).await + number,
            (even, number, text) => {
                let length = text.len() as i64;
                let even = i64::from(even);
                get(number + length).await + even
            }
        }
    } for (1), (2), (3), (5), (6);

    async fn match_references(n: i64) -> String {
        let order = order(n).await;
        let out = match &order {
            Order { note: Some(note), address: Address { city, .. }, .. } => {
                let said = say(note).await;
                { let end = say(city).await; format!("{said} {city} {}", end) }
            }
            Order { items, .. } if items.is_empty() => "nothing".into(),
            Order { items, name, .. } => {
                let cost = price(&items[0]).await;
                format!("{name} {cost} {}", items.len())
            }
        };
        format!("{out} {}", order.id)
    } for (1), (2), (3);

    async fn match_mut_references(n: i64) -> String {
        let mut order = order(n).await;
        let more = get(n).await;
        match &mut order {
            Order { note: Some(note), .. } => note.push_str(" seen"),
            Order { items, id, .. } => {
                *id += more;
                items.push(Item { sku: "new".into(), qty: *id });
            }
        }
        let cost = match order.items.last() {
            Some(item) => price(item).await,
            None => 0,
        };
        format!("{order:?} {cost}")
    } for (1), (2);

    async fn match_at_bindings(n: i64) -> String {
        let nested = nested(n).await;
        match nested {
            None => "none".to_string(),
            Some(inner @ None) => { let end = get(n).await; format!("{inner:?} {}", end) },
            Some(inner @ Some(value @ 0..=4)) => {
                let more = get(value).await;
                format!("{inner:?} {value} {more}")
            }
            Some(Some(value)) => { let end = get(value).await; format!("{value} {}", end) },
        }
    } for (0), (1), (2), (5);

    async fn match_results(n: i64) -> String {
        let first = match attempt(n).await {
            Ok(value) => value,
            Err(Fault::Seven(value)) => {
                store("seven".into()).await;
                value * 100
            }
            Err(fault) => return fault.to_string(),
        };
        match (attempt(first).await, attempt(n).await) {
            (Ok(a), Ok(b)) => { let end = add(a, b).await; format!("{}", end) },
            (Err(fault), _) | (_, Err(fault)) => say(&fault.to_string()).await,
        }
    } for (1), (6), (7), (5);

    async fn match_as_a_statement(n: i64) -> i64 {
        let mut total = 0;
        match n {
            0 => {}
            1 => total += get(n).await,
            2 => store("two".into()).await,
            _ => {
                total = get(n).await;
                total += get(total).await
            }
        }
        total
    } for (0), (1), (2), (3);

    async fn match_in_a_match(n: i64) -> i64 {
        match match maybe(n).await {
            Some(v) => match get(v).await {
                31 => None,
                w => Some(w + v),
            },
            None => Some(get(n).await),
        } {
            Some(v) if v > 70 => get(v).await,
            Some(v) => v,
            None => -1,
        }
    } for (1), (2), (3), (30);

    async fn match_moves_on(n: i64) -> Vec<String> {
        let mut machine = Machine::Running { left: n, trace: vec![] };
        loop {
            machine = match machine {
                Machine::Running { left: 0, mut trace } => {
                    trace.push(say("end").await);
                    Machine::Done(trace)
                }
                Machine::Running { left, mut trace } => {
                    trace.push(get(left).await.to_string());
                    Machine::Running { left: left - 1, trace }
                }
                Machine::Done(trace) => break trace,
            };
        }
    } for (0), (3);

    async fn match_slices_across_suspensions(n: i64) -> String {
        let values = list(n).await;
        match &values[..] {
            [] => say("empty").await,
            [one] => {
                let more = get(*one).await;
                format!("one {one} {more}")
            }
            [first, rest @ ..] => {
                let total = sum(rest).await;
                let more = get(*first).await;
                format!("{first} {rest:?} {total} {more}")
            }
        }
    } for (0), (1), (3);
}
