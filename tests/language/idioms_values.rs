//! What application code is full of: lookups, labels, options and errors taken apart, state in an enum, results kept for later.

use std::{collections::BTreeMap, time::Duration};

use crate::vocabulary::{Fault, Item, Order};

twins! {
    async fn label_by_match(n: i64) -> String {
        let label = match n {
            0 => "none",
            1 => "one",
            _ => "many",
        };
        let a = say(label).await;
        let b = say(label).await;
        format!("{a}{b}{label}")
    } for (0), (1), (4);

    async fn label_by_if(n: i64) -> String {
        let tier = if flag(n).await { "gold" } else { "basic" };
        let a = say(tier).await;
        let b = say(tier).await;
        format!("{a}{b}{tier}")
    } for (0), (1);

    async fn first_by_index(n: i64) -> i64 {
        let order = order(n).await;
        let first = &order.items[0];
        let a = price(first).await;
        a + price(first).await + first.qty
    } for (2);

    async fn change_by_index(n: i64) -> Order {
        let mut order = order(n).await;
        let item = &mut order.items[0];
        item.qty += get(item.qty).await;
        let got = get(item.qty).await;
        item.sku.push_str(&got.to_string());
        order
    } for (2);

    async fn index_in_a_variable(n: i64) -> i64 {
        let order = order(n).await;
        let index = order.items.len() / 2;
        let item = &order.items[index];
        let a = price(item).await;
        a + price(item).await
    } for (3);

    async fn question_in_and(n: i64) -> Result<bool, Fault> {
        if attempt(n).await? == n + 1 && attempt(n + 1).await? > 2 || flag(n).await {
            return Ok(true);
        }
        Ok(false)
    } for (1), (6), (0), (3);

    async fn update_with_awaits(n: i64) -> Result<Order, Fault> {
        let base = order(n).await;
        Ok(Order { id: attempt(n).await?, name: say(&base.name).await, ..base.clone() })
    } for (1), (7);

    async fn array_of_awaits(n: i64) -> Result<i64, Fault> {
        let [a, b] = [attempt(n).await?, attempt(n + 1).await?];
        let values = vec![a, b];
        Ok(sum(&values).await)
    } for (1), (6);

    async fn optional_await(n: i64) -> Option<i64> {
        let note = order(n).await.note;
        let got = match note {
            Some(note) => Some(say(&note).await.len() as i64),
            None => None,
        };
        got.map(|len| len + n)
    } for (1), (2);

    async fn report_then_question(n: i64) -> Result<i64, Fault> {
        let result = attempt(n).await;
        let text = match &result {
            Ok(value) => format!("ok {value}"),
            Err(error) => error.to_string(),
        };
        store(text).await;
        let value = result?;
        Ok(value + 1)
    } for (1), (7);

    async fn found_and_cloned(n: i64) -> Result<String, durable::Error> {
        let order = order(n).await;
        let item = order.items.iter().find(|item| item.qty == 2).cloned().ok_or_else(|| durable::Error::msg("none"))?;
        let a = price(&item).await;
        Ok(format!("{a}{}", item.sku))
    } for (1), (3);

    async fn ignored(n: i64) -> i64 {
        let _ = get(n).await;
        _ = get(n + 1).await;
        let (a, b);
        (a, b) = (get(n).await, n);
        a + b
    } for (1);

    async fn assignments(n: i64) -> String {
        let mut values = vec![0, 0, 0];
        let mut table = BTreeMap::new();
        values[1] = get(n).await;
        table.insert("a".to_string(), get(n).await);
        table.insert(format!("b{n}"), values[1]);
        values.push(get(7).await);
        let found = table.get_mut("a").map(|value| { *value += 1; *value });
        format!("{values:?}{table:?}{found:?}")
    } for (1);

    async fn call_in_a_variable(n: i64) -> i64 {
        let call = if n > 1 { get(n) } else { get(0) };
        let pause = sleep(Duration::from_secs(1));
        pause.await;
        call.await
    } for (1), (2);

    async fn reference_to_a_result(n: i64) -> String {
        let order = &order(n).await;
        let a = say(&order.name).await;
        let b = ship(order, &order.address).await;
        format!("{a}{b}{}", order.items.len())
    } for (2);

    async fn if_let_on_a_temporary(n: i64) -> i64 {
        if let Some(item) = order(n).await.items.first() {
            let a = price(item).await;
            a + price(item).await
        } else {
            0
        }
    } for (0), (2);

    async fn take_a_reference_apart(n: i64) -> String {
        let Order { name, items, .. } = &order(n).await;
        let a = say(name).await;
        format!("{a}{name}{}", items.len())
    } for (2);

    async fn vec_macro(n: i64) -> i64 {
        let values = Vec::from([get(n).await, get(n + 1).await]);
        sum(&values).await
    } for (1);

    async fn change_through_option(n: i64) -> Option<Item> {
        let mut found = order(n).await.items.pop();
        if let Some(item) = &mut found {
            item.qty += 1;
            item.qty += get(item.qty).await;
            item.sku += "!";
        }
        if let Some(item) = found.as_mut() {
            item.qty += get(item.qty).await;
        }
        found
    } for (0), (2);

    async fn let_else_mut(n: i64) -> String {
        let mut found = order(n).await.items.pop();
        let Some(ref mut item) = found else { return say("none").await };
        item.qty = get(item.qty).await;
        item.sku = say(&item.sku).await;
        format!("{found:?}")
    } for (0), (2);

    async fn take_and_swap(n: i64) -> String {
        let mut a = words(n).await;
        let b = std::mem::take(&mut a);
        let mut c = words(n + 1).await;
        std::mem::swap(&mut a, &mut c);
        let said = say(&b.join(" ")).await;
        format!("{a:?}{b:?}{c:?}{said}")
    } for (2);

    async fn shadows(n: i64) -> i64 {
        let x = n;
        let x = get(x).await;
        let x = { let x = get(x + 1).await; x + 1 };
        let x = if let Some(x) = maybe(x).await { x } else { x };
        get(x).await + x
    } for (1), (2);

    async fn tuple_of_borrows(n: i64) -> String {
        let a = order(n).await;
        let b = order(n + 1).await;
        let mut out = String::new();
        if let (Some(left), Some(right)) = (&a.note, &b.note) {
            out += &say(left).await;
            out += right;
        }
        match (&a.note, &b.note) {
            (Some(note), None) => {
                out += &say(note).await;
                out += note;
            }
            (a, b) => {
                let both = say("both").await;
                out += &format!("{a:?}{b:?}{both}");
            }
        }
        out
    } for (1), (2);

    async fn mapped_errors(n: i64) -> Result<i64, Fault> {
        let a = attempt(n).await.map_err(|error| match error {
            Fault::Seven(n) => Fault::Odd { n },
            other => other,
        })?;
        let b = attempt(a).await.unwrap_or_else(|_| n);
        let c = attempt(b).await.ok().and_then(|value| value.checked_sub(1)).unwrap_or_default();
        let d: i64 = digits(c).await?.parse()?;
        Ok(a + b + c + d)
    } for (1), (6), (7), (11);

    async fn guarded_by_await(n: i64) -> String {
        match maybe(n).await {
            Some(value) if flag(value).await => say("even").await,
            Some(value) => {
                let odd = say("odd").await;
                format!("{value}{odd}")
            },
            None => "none".into(),
        }
    } for (1), (2), (3);

    async fn mutable_closure(n: i64) -> Vec<i64> {
        let mut log = vec![];
        let mut note = |value| log.push(value);
        note(n);
        note(n + 1);
        let got = get(n).await;
        log.push(got);
        log
    } for (1);

    async fn error_from_a_block(n: i64) -> Result<i64, Fault> {
        let outcome: Result<i64, Fault> = 'work: {
            let a = match attempt(n).await {
                Ok(a) => a,
                Err(error) => break 'work Err(error),
            };
            if flag(a).await {
                break 'work Err(Fault::Broken);
            }
            Ok(a)
        };
        if let Err(error) = &outcome {
            store(error.to_string()).await;
        }
        outcome
    } for (1), (2), (7);

    async fn options_in_options(n: i64) -> String {
        match nested(n).await {
            Some(Some(value)) if value > 2 => get(value).await.to_string(),
            Some(inner @ Some(_)) => {
                let got = get(0).await;
                format!("{inner:?}{got}")
            },
            Some(None) => say("inner").await,
            None => say("outer").await,
        }
    } for (0), (1), (2), (5);

    async fn str_methods(n: i64) -> String {
        let order = order(n).await;
        let city = order.address.city.trim();
        let note = order.note.as_deref();
        let a = say(city).await;
        if let Some(note) = note {
            return say(note).await + &a + city;
        }
        a
    } for (1), (2);

    async fn as_ref_kept(n: i64) -> String {
        let order = order(n).await;
        let note = order.note.as_ref();
        let a = say("x").await;
        match note {
            Some(note) => a + &say(note).await + note,
            None => a,
        }
    } for (1), (2);

    async fn attributes_on_statements(n: i64) -> i64 {
        #[allow(unused_mut)]
        let mut got = get(n).await;
        #[allow(clippy::let_and_return)]
        let sum = got + get(got).await;
        sum
    } for (1);
}
