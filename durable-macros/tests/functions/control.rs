twins! {
    async fn nested_blocks(n: u64) -> u64 {
        let a = {
            let x = num(n).await;
            {
                let x = x + num(x + 1).await;
                x * 2
            }
        };
        num(a).await + a
    } with (1), (4);

    async fn if_value(n: u64) -> String {
        let label = if n > 2 { text("big").await } else { "small".to_owned() };
        let size = if yes(n > 3).await { num(n).await } else if n == 1 { 0 } else { num(7).await };
        format!("{label} {size}")
    } with (1), (2), (3), (9);

    async fn if_let(order: Order) -> u64 {
        if let Some(coupon) = &order.coupon {
            let a = num(coupon.value).await;
            let b = text(&coupon.code).await;
            return a + b.len() as u64 + coupon.value;
        }
        if let Some(n) = some(order.pair.0).await {
            num(n).await;
            n
        } else {
            num(0).await
        }
    } with (order(0)), (order(1)), (order(2));

    async fn if_let_chain(order: Order, n: u64) -> u64 {
        if let Some(coupon) = &order.coupon
            && coupon.value == 2
            && let Some(k) = some(n).await
            && k > 1
        {
            num(coupon.value + k).await + k
        } else {
            num(99).await
        }
    } with (order(1), 0), (order(1), 1), (order(1), 5), (order(2), 5);

    async fn match_value(state: State) -> String {
        let shown = match state {
            State::More { n } if n > 2 => text("many").await,
            State::More { n } => {
                let k = num(n).await;
                format!("{n} {k}")
            }
            State::Hold(n, why) => text(&why).await + &n.to_string(),
            State::Done { code } => code,
        };
        unit("end").await;
        shown
    } with (State::More { n: 1 }), (State::More { n: 3 }), (State::Hold(3, "w".to_owned())), (State::Done { code: "c".to_owned() });

    async fn match_awaited(n: u64) -> u64 {
        match some(n).await {
            Some(k) if k > 5 => num(k).await,
            Some(1 | 2) => num(12).await,
            Some(k @ 3..=4) => num(k * 10).await + k,
            Some(_) => 5,
            None => num(0).await,
        }
    } with (0), (1), (3), (5), (6);

    async fn match_or_pattern(state: State) -> u64 {
        match &state {
            State::More { n } | State::Hold(n, _) => {
                unit("either").await;
                *n
            }
            State::Done { .. } => num(1).await,
        }
    } with (State::More { n: 1 }), (State::Hold(3, "w".to_owned())), (State::Done { code: "c".to_owned() });

    async fn match_error(n: u64) -> Result<u64, String> {
        let value = match try_num(n).await {
            Ok(value) => value,
            Err(why) if n > 500 => return Err(why),
            Err(why) => {
                text(&why).await;
                why.len() as u64
            }
        };
        num(value).await;
        Ok(value)
    } with (1), (100), (600);

    async fn let_else(n: u64) -> u64 {
        let Some(k) = some(n).await else {
            return num(100).await;
        };
        let Ok(v) = try_num(k).await else { return 7 };
        v + num(v).await
    } with (0), (1), (200);

    async fn let_else_plain(order: Order) -> u64 {
        let Some(coupon) = &order.coupon else { return 0 };
        let n = num(coupon.value).await;
        let Some(first) = order.items.first().cloned() else {
            unit("none").await;
            return n;
        };
        n + text(&first.sku).await.len() as u64 + coupon.value
    } with (order(0)), (order(1));

    async fn while_let(n: u64) -> u64 {
        let mut left = n;
        let mut sum = 0;
        while let Some(k) = some(left).await {
            sum += k;
            left -= 1;
            if k == 2 {
                num(k).await;
                continue;
            }
            sum += num(k * 2).await;
        }
        sum
    } with (0), (1), (4);

    async fn while_pop(n: u64) -> Vec<u64> {
        let mut queue = list(n).await;
        let mut seen = Vec::new();
        while let Some(next) = queue.pop() {
            if next == 3 && yes(true).await {
                queue.push(100);
            }
            seen.push(num(next).await);
        }
        seen
    } with (0), (3), (5);

    async fn while_condition(n: u64) -> u64 {
        let mut i = 0;
        while i < n && yes(i != 3).await {
            i += 1;
        }
        while !yes(i > 4).await {
            i += 2;
        }
        i
    } with (0), (2), (6);

    async fn labels(n: u64) -> u64 {
        let mut sum = 0;
        'outer: for a in 0..n {
            let base = num(a).await;
            'inner: for b in 0..n {
                if b == 1 {
                    continue 'inner;
                }
                if b > a {
                    continue 'outer;
                }
                sum += num(base * 10 + b).await;
                if sum > 40 {
                    break 'outer;
                }
            }
            sum += 1;
        }
        sum
    } with (0), (2), (5);

    async fn loop_break_value(n: u64) -> u64 {
        let mut i = n;
        let found = 'search: loop {
            i += 1;
            for k in 0..3 {
                if num(i * k).await > 8 {
                    break 'search i * k;
                }
            }
            if i > 100 {
                break 0;
            }
        };
        found + num(1).await
    } with (0), (3), (9);

    async fn labelled_block(n: u64) -> u64 {
        let x = 'block: {
            if n == 0 {
                break 'block 10;
            }
            let k = num(n).await;
            if k > 3 {
                break 'block k;
            }
            num(k + 1).await
        };
        x + num(x).await
    } with (0), (2), (7);

    async fn continue_in_match(n: u64) -> u64 {
        let mut sum = 0;
        for i in 0..n {
            let k = match i % 3 {
                0 => continue,
                1 => num(i).await,
                _ => {
                    if i > 4 {
                        break;
                    }
                    i * 2
                }
            };
            sum += k;
        }
        sum
    } with (0), (4), (9);

    async fn kept_loop_in_loop(n: u64) -> u64 {
        let mut sum = 0;
        'outer: loop {
            let k = num(n + sum + 2).await;
            for i in 0..10 {
                if i == 2 {
                    continue;
                }
                if i > k {
                    continue 'outer;
                }
                sum += i;
                if sum > 20 {
                    break 'outer;
                }
            }
            sum += 1;
        }
        sum
    } with (0), (1), (3);

    async fn return_in_loop(n: u64) -> Result<u64, String> {
        let mut total = 0;
        loop {
            let k = try_num(n * total).await?;
            if k > 40 {
                unit("enough").await;
                return Ok(k);
            }
            total += 1;
            if total > 5 {
                return Err(format!("{total} tries"));
            }
        }
    } with (1), (30), (200);

    async fn deferred(n: u64) -> u64 {
        let x;
        let y: u64;
        unit("first").await;
        if n > 2 {
            x = num(n).await;
            y = 1;
        } else {
            x = 0;
            y = num(5).await;
        }
        num(x + y).await + x * y
    } with (1), (3);

    async fn lazy(n: u64) -> bool {
        let a = n > 1 && yes(n > 2).await;
        let b = a || yes(n == 1).await || yes(false).await;
        let c = !yes(a).await && b;
        if (a && yes(b).await) || yes(c).await { yes(true).await } else { a | b & c }
    } with (0), (1), (2), (3);

    async fn conditional_move(n: u64) -> String {
        let s = text("moved").await;
        let kept;
        if n > 1 {
            kept = s;
        } else {
            drop(s);
            kept = text("fresh").await;
        }
        text(&kept).await
    } with (1), (2);

    async fn slot(state: State) -> Result<State, String> {
        let mut state = state;
        let mut turns = 0;
        loop {
            turns += 1;
            if turns > 3 {
                break;
            }
            state = step(state).await?;
            for _ in 0..2 {
                state = step(state).await?;
                if turns == 2 {
                    unit("two").await;
                }
            }
        }
        unit("after").await;
        Ok(state)
    } with (State::More { n: 2 }), (State::More { n: 11 });

    async fn exit_without_return(names: Vec<String>) -> Result<u64, String> {
        let first = &names[0];
        let mut n = 0;
        loop {
            n += num(1).await;
            if n > 2 {
                text("last").await;
                break;
            }
            text(first).await;
        }
        Ok(n)
    } with (vec!["a".to_owned(), "b".to_owned()]);
}
