//! `let` with every pattern, each of whose names is used after a suspension.

use std::collections::BTreeMap;

use crate::vocabulary::{Address, Event, Item, Order};

struct Wrapped(i64, String);
struct Unit;

twins! {
    /// No type annotation: the types come from the uses.
    async fn let_without_types(n: i64) -> String {
        let mut list = Vec::new();
        let mut map = BTreeMap::new();
        let mut last = None;
        let start = Default::default();
        let parsed = "17".parse().unwrap_or(0);
        list.push(get(n).await);
        map.insert(n, list.clone());
        let count: usize = start;
        last = Some(get(list[count]).await + parsed);
        format!("{list:?} {map:?} {last:?} {count}")
    } for (1), (4);

    async fn let_tuple(n: i64) -> String {
        let (a, b) = pair(n).await;
        let (c, (d, _), ..) = (get(a).await, (b, "unused"), 1, 2);
        let (.., last) = (1, 2, get(c).await);
        format!("{a} {c} {d} {last}")
    } for (1), (9);

    async fn let_struct(n: i64) -> String {
        let Order { id, name: title, address: Address { city, .. }, mut items, note: _ } = order(n).await;
        let doubled = get(id).await;
        items.push(Item { sku: say(&city).await, qty: doubled });
        format!("{title} {city} {items:?} {doubled}")
    } for (0), (3);

    async fn let_tuple_struct(n: i64) -> String {
        let Wrapped(number, ref text) = Wrapped(n, n.to_string());
        let Unit = Unit;
        let said = say(text).await;
        let more = get(number).await;
        format!("{said}{more}{number}")
    } for (2);

    async fn let_slice(n: i64) -> i64 {
        let [first, .., last] = [get(n).await, n, get(n + 1).await];
        let [a, rest @ ..] = [first, last, add(first, last).await];
        let [[x, _], [y, z]] = [[a, n], rest];
        let more = sum(&rest).await;
        first + last * 10 + a * 100 + more + x + y * 7 + z
    } for (1), (2);

    async fn let_at(n: i64) -> String {
        let whole @ (a, _) = (get(n).await, n);
        let list @ [_, tail @ ..] = [a, n, get(a).await];
        let said = say(&format!("{whole:?}")).await;
        format!("{said} {a} {list:?} {tail:?}")
    } for (3);

    async fn let_or(n: i64) -> i64 {
        let (Ok(value) | Err(value)) = if flag(n).await { Ok(n) } else { Err(-n) };
        let twice = get(value).await;
        value + twice
    } for (1), (2);

    async fn let_ref(n: i64) -> String {
        let order = order(n).await;
        let Order { ref name, ref address, .. } = order;
        let Address { ref city, zip } = *address;
        let first = say(name).await;
        let second = say(city).await;
        format!("{first}{second}{name}{city}{zip}{}", order.items.len())
    } for (1), (2);

    async fn let_wildcards(n: i64) -> i64 {
        let _ = get(n).await;
        let (_, _) = pair(n).await;
        let _unused = get(n + 1).await;
        let _ = n + 100;
        get(n + 2).await
    } for (1);

    async fn let_else(n: i64) -> String {
        let Some(value) = maybe(n).await else {
            let why = say("none").await;
            return format!("{why} {n}");
        };
        let Event::Said(text) = event(value + n).await else { return format!("not said {value}") };
        let again = say(&text).await;
        format!("{value} {text} {again}")
    } for (3), (1), (2), (4), (7);

    async fn let_mut_parts(n: i64) -> String {
        let (mut a, mut b) = (get(n).await, Vec::new());
        a += add(a, n).await;
        b.push(a);
        b.extend(list(2).await);
        a -= 1;
        let (ref mut c, d) = (get(a).await, b.len());
        *c += 5;
        format!("{a} {b:?} {c} {d}")
    } for (1), (5);

    async fn let_nested(n: i64) -> String {
        let ((a, [b, c]), Wrapped(d, e)) = ((get(n).await, [n, n + 1]), Wrapped(n, say("in").await));
        let Some((x, Ok::<_, ()>(y))) = Some((get(a).await, Ok(b))) else { unreachable!("it is built so") };
        let f = get(d).await;
        format!("{a} {b} {c} {d} {e} {x} {y} {f}")
    } for (1), (2);

    async fn destructuring_assignment(n: i64) -> String {
        let (mut a, mut b, rest);
        (a, b) = (get(n).await, n);
        (a, b) = (b, a);
        [a, .., rest] = [get(a).await, 1, b];
        (_, b) = (get(rest).await, rest + b);
        let c = get(b).await;
        format!("{a} {b} {c} {rest}")
    } for (1), (2);

    async fn parameter_patterns((a, b): (i64, String), Address { city, zip }: Address, mut list: Vec<i64>, _: bool) -> String {
        list.push(get(a).await);
        list.push(i64::from(zip));
        let said = say(&b).await;
        format!("{a} {b} {city} {zip} {list:?} {said}")
    } for ((1, "b".to_string()), Address { city: "c".into(), zip: 5 }, vec![1], true);
}
