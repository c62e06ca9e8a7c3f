//! Shadowing, inner blocks, items in them, deferred initialisation and moves.

use serde::{Deserialize, Serialize};

use crate::vocabulary::{Item, Order};

const LIMIT: i64 = 3;

/// Fields whose paths look alike, and names that are words of the language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Alike {
    a_b: String,
    a: Inner,
    name: String,
    r#type: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    b: String,
}

fn alike(n: i64) -> Alike {
    Alike {
        a_b: format!("outer{n}"),
        a: Inner { b: format!("inner{n}") },
        name: format!("name{n}"),
        r#type: n,
    }
}

twins! {
    async fn shadow_on_both_sides(n: i64) -> String {
        let x = n;
        let x = get(x).await;
        let x = format!("{x}!");
        let x = say(&x).await;
        let y = get(n).await;
        x + &y.to_string()
    } for (1), (4);

    async fn shadow_in_a_block(n: i64) -> i64 {
        let x = get(n).await;
        let inner = {
            let x = x + 100;
            let y = get(x).await;
            let x = "text".len() as i64 + y;
            get(x).await + x
        };
        x + get(inner).await
    } for (1), (2);

    async fn shadow_with_another_type_in_a_loop(n: i64) -> String {
        let x = n;
        let mut out = String::new();
        for x in 0..2 {
            let x = get(x + n).await;
            let x = say(&x.to_string()).await;
            out.push_str(&x);
        }
        out + &get(x).await.to_string()
    } for (1), (5);

    async fn shadow_by_patterns(n: i64) -> i64 {
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
    } for (1), (2), (3), (40);

    async fn shadow_a_parameter_and_use_a_const(n: i64) -> i64 {
        let n = n + LIMIT;
        let m = get(n).await;
        {
            let n = get(LIMIT).await;
            store(n.to_string()).await;
        }
        let n = n + get(m).await;
        n + LIMIT
    } for (1);

    async fn shadow_a_parameter_and_a_const(n: i64) -> i64 {
        let n = n + LIMIT;
        let m = get(n).await;
        {
            const LIMIT: i64 = 50;
            let n = get(LIMIT).await;
            store(n.to_string()).await;
        }
        let n = n + get(m).await;
        n + LIMIT
    } for (1);

    async fn moved_in_parts(n: i64) -> String {
        let order = order(n).await;
        let name = order.name;
        store(name).await;
        let city = order.address.city;
        let length = order.items.len();
        let said = say(&city).await;
        format!("{said} {length} {:?} {city} {}", order.note, order.id)
    } for (1), (2);

    async fn moved_in_parts_in_a_loop(n: i64) -> String {
        let mut out = String::new();
        for i in 0..2 {
            let order = order(n + i).await;
            for item in order.items {
                out += &say(&item.sku).await;
                store(order.name.clone()).await;
            }
            store(order.name).await;
            out += &order.address.city;
        }
        out
    } for (1), (2);

    async fn moved_in_parts_that_look_alike(n: i64) -> String {
        let r#match = alike(n);
        store(r#match.name).await;
        let value = get(r#match.r#type).await;
        format!("{} {} {} {value}", r#match.a_b, r#match.a.b, r#match.r#type)
    } for (1), (2);

    async fn moved_in_parts_under_one_name(n: i64) -> String {
        let mut parts = alike(n);
        store(parts.name).await;
        let inner = {
            let mut parts = alike(n + 10);
            store(parts.name).await;
            parts.r#type += 100;
            get(parts.r#type).await;
            parts.r#type
        };
        parts.r#type += 1;
        get(parts.r#type).await;
        let first = parts.r#type;
        let parts = (alike(n + 20), n);
        store(parts.0.name).await;
        format!("{inner} {first} {} {}", parts.0.a_b, parts.1)
    } for (1), (2);

    async fn names_that_are_keywords(n: i64) -> i64 {
        let r#type = get(n).await;
        let r#await = get(r#type).await;
        get(1).await;
        r#type * 1000 + r#await
    } for (1), (2);

    async fn block_values(n: i64) -> i64 {
        let a = {
            let hidden = get(n).await;
            hidden * 2
        };
        let b = { get({ let c = a + 1; c }).await };
        {
            store(a.to_string()).await;
        }
        a + b + { get(b).await } + { 5 }
    } for (1), (3);

    async fn deferred_initialisation(n: i64) -> String {
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
    } for (1), (2), (3), (6);

    async fn deferred_in_a_loop(n: i64) -> i64 {
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
    } for (1), (2);

    async fn moved_in_one_branch(n: i64) -> String {
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
    } for (1), (2), (5);

    async fn moved_and_given_back(n: i64) -> String {
        let mut text = say("start").await;
        for i in 0..n {
            let taken = text;
            store(taken.clone()).await;
            text = format!("{taken}{i}");
        }
        let list = vec![text];
        let count = get(list.len() as i64).await;
        format!("{list:?} {count}")
    } for (0), (2);

    async fn assigned_and_never_read(n: i64) -> i64 {
        let mut unused = get(n).await;
        unused = 5;
        let mut late = 0;
        store("between".into()).await;
        late = get(n + 1).await;
        late
    } for (1);

    async fn consumed_after_many_suspensions(n: i64) -> Order {
        let mut order = order(n).await;
        let a = get(n).await;
        let b = get(a).await;
        order.id = a + b;
        order.items.retain(|item| item.qty != 2);
        order.address.zip += 1;
        store(order.name.clone()).await;
        order
    } for (2), (3);
}
