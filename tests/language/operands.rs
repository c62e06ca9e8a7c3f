//! Awaits in arguments, method chains, operators and the rest of an expression: the order of evaluation.

use crate::vocabulary::Item;

fn mix(a: i64, b: &str, c: i64) -> String {
    format!("{a}/{b}/{c}")
}

twins! {
    async fn arguments(n: i64) -> String {
        let text = n.to_string();
        let inner = add(get(n).await, get(n + 1).await).await;
        let outer = mix(get(inner).await, &text, add(inner, get(0).await).await);
        mix(n, &say(&outer).await, add(add(get(1).await, 2).await, get(3).await).await)
    } for (1), (5);

    async fn operators(n: i64) -> i64 {
        let a = get(n).await + get(n + 1).await * get(n + 2).await - n;
        let b = -get(a).await + (n - get(1).await) * 2;
        let c = (get(n).await << 2) ^ get(b).await & 0xff | get(7).await % 3;
        let d = (get(n).await > get(2).await) as i64;
        let e = !get(d).await;
        a + b * c - d + e
    } for (1), (4);

    async fn order_of_evaluation(n: i64) -> String {
        let mut i = n;
        let mut next = 0;
        let parts = (i, { i += 1; i }, get(i).await, { next = i * 10; next }, get({ i += 1; i }).await, i);
        format!("{parts:?} {i} {next}")
    } for (1), (2);

    async fn old_value_of_an_operand(n: i64) -> i64 {
        let mut a = n;
        let b = a + { a = get(a).await; a } + a;
        let c = add(a, { a += 1; get(a).await }).await;
        b * 100 + c + a
    } for (1), (2);

    async fn old_value_in_a_closure(n: i64) -> i64 {
        fn called(f: impl Fn() -> i64, x: i64) -> i64 {
            f() * 1000 + x
        }
        let mut a = n;
        let b = called(move || a, { a += 5; get(a).await });
        b + a
    } for (1), (2);

    /// What an operand does to a receiver that stands in front of it.
    async fn operands_that_read_the_receiver(n: i64) -> String {
        let mut values = vec![n];
        values.push(get(values.len() as i64).await);
        values.insert(values.len(), get(values.iter().sum::<i64>()).await);
        values.push({ let twice = get(values[0]).await * 2; twice + values.len() as i64 });
        let mut item = Item { sku: "s".into(), qty: n };
        item.sku.push_str(&say(&item.sku.to_uppercase()).await);
        item.qty = item.qty.max(get(item.qty.pow(2)).await);
        item.sku.push_str(&{ item.qty += 1; say("q").await });
        let mut grid = [[1, 2], [3, 4]];
        let mut i = 0usize;
        grid[i].swap(0, { i += 1; get(i.pow(2) as i64).await as usize % 2 });
        let again = &mut values;
        again.push(get(again.len() as i64).await);
        let mut items = [item.clone(), item.clone()];
        for item in &mut items {
            item.sku.push_str(&say(&item.sku.to_uppercase()).await);
            item.sku.insert(item.sku.len() - 1, { get(item.qty.pow(2)).await; '!' });
        }
        let found = values.contains(&get(values.len() as i64).await);
        format!("{values:?} {item:?} {grid:?} {i} {found} {items:?}")
    } for (1), (4);

    /// A receiver by value is what it was in front of the operand; two fields are two places.
    async fn operands_that_change_the_receiver(n: i64) -> String {
        let mut total = n;
        let before = total.pow({ total += 1; get(2).await as u32 });
        let mut pair = (n, vec![n]);
        pair.1.push({ pair.0 += 1; get(pair.0).await });
        let sum = pair.0.wrapping_add({ pair.1.push(3); get(1).await });
        let mut steps = (0..9, 1i64);
        steps.0.nth({ steps.1 += 1; get(steps.1).await as usize });
        format!("{before} {total} {pair:?} {sum} {steps:?}")
    } for (1), (4);

    /// What is indexed is looked at behind the index.
    async fn indexes_that_change_what_is_indexed(n: i64) -> i64 {
        let mut values = [n, 2];
        let first = values[{ values[0] += 5; get(0).await as usize % 2 }];
        let second = values[{ values.reverse(); get(1).await as usize % 2 }];
        let mut at = 0;
        let grid = [[1, 2], [3, 4]];
        let third = grid[at][{ at += 1; get(1).await as usize % 2 }];
        first * 1000 + second * 100 + third * 10 + grid[at][0]
    } for (1), (4);

    async fn method_chains(n: i64) -> String {
        let best = list(n).await.into_iter().map(|v| v + n).filter(|v| v % 2 == 0).max().unwrap_or(get(n).await);
        let text = say(&say("x").await.repeat(2)).await.trim_matches('<').to_uppercase();
        let words = words(n).await.join(&say("-").await).replace("w", &get(1).await.to_string());
        let length = say(&text).await.chars().rev().collect::<String>().len().max(get(2).await as usize);
        format!("{best} {text} {words} {length}")
    } for (0), (1), (3);

    async fn method_arguments(n: i64) -> Vec<i64> {
        let mut out = Vec::with_capacity(get(n).await as usize);
        out.push(get(n).await);
        out.insert(0, get(n + 1).await);
        out.extend(list(get(0).await).await);
        out.extend_from_slice(&list(2).await);
        let position = out.iter().position(|v| *v == n).unwrap_or(0);
        out.swap(position, (get(0).await - 1) as usize);
        out.truncate(out.len() - 1);
        out
    } for (1), (2);

    async fn compound_assignment(n: i64) -> i64 {
        let mut total = n;
        total += get(total).await;
        total -= add(total, get(1).await).await * 2;
        total *= get(2).await;
        total ^= get(n).await;
        total %= 1000 + get(0).await;
        total <<= 1;
        let mut text = String::new();
        text += &say("a").await;
        total + text.len() as i64
    } for (1), (3);

    async fn compound_on_places(n: i64) -> String {
        let mut pair = (1, n);
        let mut item = Item { sku: "s".into(), qty: n };
        let mut values = vec![1, 2, 3];
        let i = 1;
        pair.0 += get(pair.1).await;
        item.qty *= get(item.qty).await;
        item.sku += &say(&item.sku).await;
        values[0] += get(pair.0).await;
        values[i] -= get(values[2]).await;
        format!("{pair:?} {item:?} {values:?}")
    } for (1), (2);

    async fn assignment_to_places(n: i64) -> String {
        let mut order = order(n).await;
        order.name = say(&order.name).await;
        order.address.zip = get(7).await as u32;
        order.note = Some(say("note").await);
        order.items[0].qty = get(order.items[0].qty).await;
        let mut grid = [[0; 2]; 2];
        let at = 1;
        grid[at][0] = get(n).await;
        grid[0] = [get(1).await, n];
        format!("{order:?} {grid:?}")
    } for (1), (2);

    async fn casts_and_parentheses(n: i64) -> f64 {
        let small = get(n).await as u8;
        let wide = (get(300).await as u8 as i64 + (get(n).await)) as f64;
        wide / (small as f64 + 1.0) * f64::from((get(0).await) as i32)
    } for (1), (100);

    async fn awaits_of_awaits(n: i64) -> i64 {
        get(get(get(n).await).await).await + add(get(add(n, get(n).await).await).await, -(get(n).await)).await
    } for (1), (2);

    async fn call_bound_before_its_await(n: i64) -> i64 {
        let call = get(n);
        let value = call.await;
        value + get(value).await
    } for (1);

    async fn comparisons(n: i64) -> Vec<bool> {
        { let end = get(n).await == 7; let end_2 = say("a").await == "<a>"; let end_3 = maybe(n).await.is_some() != flag(n).await; let end_4 = pair(n).await <= (7, "p".into()); vec![end, end_2, end_3, end_4] }
    } for (1), (2), (3);

    async fn references_to_awaited_values(n: i64) -> i64 {
        let total = sum(&list(n).await).await;
        let other = sum(&[get(n).await, get(total).await, n]).await;
        let shipped = ship(&order(n).await, &order(n + 1).await.address).await;
        total + other + shipped.len() as i64 + price(&Item { sku: say("q").await, qty: get(0).await }).await
    } for (1), (3);
}
