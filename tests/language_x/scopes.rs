//! Shadowing, inner blocks, deferred initialisation and moves.

use crate::vocabulary::{Item, Order};

const LIMIT: i64 = 3;

mod flow { use super::*; use crate::vocabulary::activities::*; use durable::workflow;
    #[workflow] pub async fn shadow_on_both_sides(n: i64) -> String {
        let x = n;
        let x = get(x).await;
        let x = format!("{x}!");
        let x = say(&x).await;
        let y = get(n).await;
        x + &y.to_string()
    }

    #[workflow] pub async fn shadow_in_a_block(n: i64) -> i64 {
        let x = get(n).await;
        let inner = {
            let x = x + 100;
            let y = get(x).await;
            let x = "text".len() as i64 + y;
            get(x).await + x
        };
        x + get(inner).await
    }

    #[workflow] pub async fn shadow_with_another_type_in_a_loop(n: i64) -> String {
        let x = n;
        let mut out = String::new();
        for x in 0..2 {
            let x = get(x + n).await;
            let x = say(&x.to_string()).await;
            out.push_str(&x);
        }
        out + &get(x).await.to_string()
    }

    #[workflow] pub async fn shadow_by_patterns(n: i64) -> i64 {
        let x = Some(get(n).await);
        if let Some(x) = x {
            let y = get(x).await;
            if let Some(x) = maybe(y).await {
                return x + get(y).await;
            }
            store(format!("{x}")).await;
        }
        match x {
            Some(x) if x > 100 => x,
            x => x.unwrap_or(0) + get(1).await,
        }
    }

    #[workflow] pub async fn shadow_a_parameter_and_a_const(n: i64) -> i64 {
        let n = n + LIMIT;
        let m = get(n).await;
        {
            const LIMIT: i64 = 50;
            let n = get(LIMIT).await;
            store(n.to_string()).await;
        }
        let n = n + get(m).await;
        n + LIMIT
    }

    #[workflow] pub async fn block_values(n: i64) -> i64 {
        let a = {
            let hidden = get(n).await;
            hidden * 2
        };
        let b = { get({ let c = a + 1; c }).await };
        {
            store(a.to_string()).await;
        }
        a + b + { get(b).await } + { 5 }
    }

    #[workflow] pub async fn deferred_initialisation(n: i64) -> String {
        let a;
        let b;
        let text;
        if flag(n).await {
            a = get(n).await;
            text = String::from("even");
        } else {
            a = n;
            text = say("odd").await;
        }
        b = match maybe(a).await {
            Some(value) => value,
            None => get(a).await,
        };
        let c = get(b).await;
        format!("{a} {b} {c} {text}")
    }

    #[workflow] pub async fn deferred_in_a_loop(n: i64) -> i64 {
        let found;
        let mut i = n;
        loop {
            i += 1;
            if flag(i).await {
                found = get(i).await;
                break;
            }
        }
        let after = get(found).await;
        found + after + i
    }

    #[workflow] pub async fn moved_in_one_branch(n: i64) -> String {
        let text = format!("text {n}");
        let item = Item { sku: "s".into(), qty: n };
        if flag(n).await {
            store(text).await;
            return { let end = price(&item).await; format!("moved, {}", end) };
        }
        let said = say(&text).await;
        let kept = if n > 3 { Some(item) } else { None };
        let after = get(n).await;
        format!("{said} {text} {kept:?} {after}")
    }

    #[workflow] pub async fn moved_in_parts(n: i64) -> String {
        let order = order(n).await;
        let name = order.name;
        store(name).await;
        let city = order.address.city;
        let length = order.items.len();
        let said = say(&city).await;
        format!("{said} {length} {:?} {city} {}", order.note, order.id)
    }

    #[workflow] pub async fn moved_and_given_back(n: i64) -> String {
        let mut text = say("start").await;
        for i in 0..n {
            let taken = text;
            store(taken.clone()).await;
            text = format!("{taken}{i}");
        }
        let list = vec![text];
        let count = get(list.len() as i64).await;
        format!("{list:?} {count}")
    }

    #[workflow] pub async fn assigned_and_never_read(n: i64) -> i64 {
        let mut unused = get(n).await;
        unused = 5;
        let mut late = 0;
        store("between".into()).await;
        late = get(n + 1).await;
        late
    }

    #[workflow] pub async fn consumed_after_many_suspensions(n: i64) -> Order {
        let mut order = order(n).await;
        let a = get(n).await;
        let b = get(a).await;
        order.id = a + b;
        order.items.retain(|item| item.qty != 2);
        order.address.zip += 1;
        store(order.name.clone()).await;
        order
    }
}
