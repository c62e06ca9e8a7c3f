//! `if`, `else if`, `if let`, let chains, and the short-circuit operators.

use crate::vocabulary::Event;

twins! {
    async fn if_else_if(n: i64) -> String {
        let before = say("before").await;
        let text = if flag(n).await {
            say("even").await
        } else if get(n).await > 20 {
            { let end = get(n).await; format!("big {}", end) }
        } else if n == 1 {
            String::from("one")
        } else {
            let a = get(n).await;
            let b = get(a).await;
            format!("{a} {b}")
        };
        format!("{before} {text} {n}")
    } for (1), (2), (3), (9);

    async fn if_without_else(n: i64) -> i64 {
        let mut total = n;
        if n > 2 {
            total += get(n).await;
            if flag(total).await {
                total *= 2;
            }
        }
        if total > 10 && n != 4 {
            total -= 1;
        }
        total + get(total).await
    } for (1), (3), (4);

    async fn await_in_conditions(n: i64) -> i64 {
        if get(n).await > get(2).await {
            1
        } else if !flag(n).await {
            if flag(n + 1).await && get(n).await == 4 { 2 } else { 3 }
        } else {
            4
        }
    } for (1), (2), (3);

    async fn if_let(n: i64) -> String {
        let outer = get(n).await;
        if let Some(value) = maybe(n).await {
            let more = get(value).await;
            format!("{value} {more} {outer}")
        } else if let Event::Moved { x, y } = event(n + 1).await {
            let more = add(x, y).await;
            format!("{x} {y} {more}")
        } else if let (a, text) = pair(n).await && a > 100 {
            text
        } else {
            { let end = get(outer).await; format!("none {}", end) }
        }
    } for (1), (2), (3), (15), (99);

    async fn let_chains(n: i64) -> String {
        let limit = get(1).await;
        if let Some(a) = maybe(n).await
            && a > limit
            && let Event::Said(text) = event(a + n).await
            && !text.is_empty()
            && let Some(b) = maybe(n + 1).await
        {
            let c = add(a, b).await;
            return format!("{a} {b} {c} {text}");
        }
        if n > 0 && let Some(last) = list(n).await.last().copied() && last > 5 {
            let twice = get(last).await;
            return format!("{last} {twice} {limit}");
        }
        say("neither").await
    } for (1), (2), (3), (4), (7), (0);

    async fn and_or(n: i64) -> String {
        let a = flag(n).await && flag(n / 2).await;
        let b = flag(n).await || flag(n + 1).await;
        let c = n > 2 && flag(n).await || get(n).await > 5 && n < 4;
        let d = !(flag(1).await && flag(2).await) || flag(3).await;
        format!("{a} {b} {c} {d}")
    } for (1), (2), (3), (4);

    async fn and_or_in_arguments(n: i64) -> i64 {
        let result = add(
            if flag(n).await || n == 1 { get(n).await } else { -1 },
            i64::from(n == 2 && flag(n).await),
        )
        .await;
        if (n > 1 || flag(n).await) && result > 0 { result } else { -result }
    } for (1), (2), (3);

    async fn if_as_an_operand(n: i64) -> i64 {
        let base = get(n).await;
        base + if flag(base).await { get(base).await } else { 1 } * if n > 1 { 2 } else { get(0).await }
            + (if let Some(v) = maybe(n).await { v } else { 0 })
    } for (1), (2), (3);

    async fn guard_returns(n: i64) -> String {
        if n == 0 {
            return String::new();
        }
        if !flag(n).await {
            return say("odd").await;
        }
        let value = get(n).await;
        if value > 10 {
            return format!("{value}");
        };
        say("small").await
    } for (0), (1), (2), (4);

    async fn if_let_on_a_place(n: i64) -> String {
        let mut order = order(n).await;
        if let Some(note) = &order.note {
            let said = say(note).await;
            let again = say(note).await;
            return format!("{said}{again}{note}");
        }
        if let Some(first) = order.items.first_mut() {
            first.qty = 50;
        }
        if let [first, .., last] = &order.items[..] {
            let a = price(first).await;
            let b = price(last).await;
            return format!("{a} {b} {} {}", first.sku, last.sku);
        }
        let items = order.items.len();
        { let end = get(n).await; format!("{items} {:?} {}", order.items, end) }
    } for (2), (1), (3);
}
