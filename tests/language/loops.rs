//! `loop`, `while` and `while let`.

use std::collections::VecDeque;

use crate::vocabulary::{Event, Fault, Machine};

twins! {
    async fn loop_with_a_value(n: i64) -> i64 {
        let mut i = n;
        let found = loop {
            i += 1;
            let value = get(i).await;
            if value > 20 {
                break value * 2;
            }
        };
        found + i
    } for (1), (10);

    async fn while_counts(n: i64) -> i64 {
        let (mut i, mut total) = (0, 0);
        while i < n {
            total += get(i).await;
            i += 1;
        }
        total + i
    } for (0), (1), (3);

    async fn while_awaits_its_condition(n: i64) -> Vec<i64> {
        let mut seen = vec![];
        let mut i = n;
        while get(i).await < 20 && !flag(i * i).await || i == n {
            seen.push(add(i, 1).await);
            i += 2;
        }
        seen.push(get(i).await);
        seen
    } for (1), (2), (9);

    async fn while_let_pops(n: i64) -> Vec<i64> {
        let mut stack = list(n).await;
        let mut out = vec![];
        while let Some(top) = stack.pop() {
            let value = get(top).await;
            if top % 4 == 3 {
                stack.push(top + 1);
            }
            out.push(value + top);
        }
        out
    } for (0), (2), (3);

    async fn while_let_awaits(n: i64) -> i64 {
        let mut at = n;
        while let Some(next) = maybe(at).await {
            at = get(next).await % 7;
            store(format!("{next}")).await;
            if at == 1 || next > 40 {
                break;
            }
        }
        at
    } for (1), (2), (3), (5);

    async fn while_let_chain(n: i64) -> Vec<i64> {
        let mut queue = VecDeque::from([n]);
        let mut out = Vec::new();
        while let Some(first) = queue.pop_front()
            && out.len() < 4
            && let Some(value) = maybe(first).await
        {
            queue.push_back(value / 9);
            out.push(get(value).await);
        }
        out
    } for (1), (2), (3);

    async fn state_machine(n: i64) -> Result<Vec<String>, Fault> {
        let mut state = Machine::Running { left: n, trace: vec![] };
        loop {
            state = step(state).await?;
            if let Machine::Done(trace) = state {
                return Ok(trace);
            }
        }
    } for (0), (1), (3), (13), (14);

    async fn state_in_a_while(n: i64) -> Result<String, Fault> {
        let mut state = Machine::Running { left: n, trace: vec![] };
        let mut rounds = 0;
        while !matches!(state, Machine::Done(_)) {
            rounds += 1;
            state = step(state).await?;
        }
        Ok(format!("{rounds} {state:?}"))
    } for (0), (2), (13);

    async fn carried_and_rebuilt(n: i64) -> (String, i64) {
        let mut text = String::from("start");
        let mut last = n;
        for _ in 0..3 {
            text = say(&text).await;
            let doubled = last * 2;
            last = get(doubled).await;
            text.push_str(&doubled.to_string());
        }
        (text, last)
    } for (1), (2);

    async fn nested_loops(n: i64) -> i64 {
        let mut total = 0;
        let mut i = 0;
        while i < n {
            let mut j = i;
            loop {
                j += 1;
                if j > n {
                    break;
                }
                total += add(i, j).await;
            }
            for k in 0..i {
                total = add(total, k).await;
            }
            i += 1;
        }
        total
    } for (0), (1), (3);

    async fn loop_that_returns(n: i64) -> Result<i64, String> {
        let mut i = n;
        loop {
            match event(i).await {
                Event::Idle => return Err(format!("idle at {i}")),
                Event::Said(text) => return Ok(say(&text).await.len() as i64),
                Event::Many(list) if list.len() > 7 => break,
                _ => i += 3,
            }
        }
        Ok(get(i).await)
    } for (0), (1), (2), (3), (4), (8);

    async fn two_loops_one_name(n: i64) -> i64 {
        let mut total = 0;
        for i in 0..n {
            total += get(i).await;
        }
        for i in (0..n).rev() {
            let i = i * 10;
            total -= get(i).await;
        }
        let i = total;
        get(i).await + i
    } for (0), (2);

    async fn loop_without_suspension_inside(n: i64) -> i64 {
        let values = list(n).await;
        let mut best = i64::MIN;
        for value in &values {
            if value % 2 == 0 {
                continue;
            }
            best = best.max(*value);
        }
        let mut steps = 0;
        while best > 1 {
            best /= 2;
            steps += 1;
        }
        get(steps).await + best.max(0)
    } for (1), (2), (5);
}
