twins! {
    async fn the_first_wins(a: u32, b: u32) -> String {
        let won = select! {
            biased;
            x = ticks(a, 1u64) => format!("a {x}"),
            y = ticks(b, "b".to_owned()) => {
                let n = num(y.len() as u64).await;
                format!("{y} {n}")
            }
        };
        text(&won).await
    } with (1, 1), (2, 1), (1, 2), (3, 3), (5, 2);

    async fn one_branch(a: u32) -> u64 {
        select! { biased; x = ticks(a, 7u64) => x + 1 }
    } with (1), (3);

    async fn as_statement(a: u32) -> u64 {
        let mut seen = 0;
        select! {
            biased;
            _ = ticks(2, ()) => seen += 1,
            x = ticks(a, 5u64) => { seen += x; }
        }
        seen += num(10).await;
        select! { biased; _ = ticks(1, ()) => {}, _ = ticks(1, ()) => { seen = 0 } };
        seen
    } with (1), (4);

    async fn bodies_jump(a: u32) -> Result<u64, String> {
        let mut sum = 0;
        let found = 'outer: loop {
            for round in 0..4u64 {
                select! {
                    biased;
                    n = ticks(a, round) => {
                        if n == 2 {
                            continue;
                        }
                        sum += num(n).await;
                    }
                    n = ticks(3, round) => match n {
                        0 => {
                            sum += 3;
                            if sum > 8 { break 'outer sum }
                            continue 'outer
                        }
                        _ => break 'outer n,
                    },
                }
                sum += 1;
            }
            if sum > 5 {
                return Err(format!("{sum} is enough"));
            }
        };
        Ok(found + sum)
    } with (1), (3), (4);

    async fn bodies_fail(a: u32, n: u64) -> Result<u64, String> {
        let x = select! {
            biased;
            n = ticks(a, n) => try_num(n).await?,
            n = ticks(2, n) => { if n == 0 { return Ok(99); } n }
        };
        Ok(x + num(1).await)
    } with (1, 5), (1, 500), (3, 0), (3, 500);

    async fn conditions(n: u64, a: u32) -> u64 {
        let mut left = n;
        let mut sum = 0;
        loop {
            let on = yes(left > 2).await;
            select! {
                biased;
                x = ticks(a, left), if on => { sum += x; left -= 1; }
                x = ticks(2, 1u64), if left > 0 => { left -= x; sum += 100; }
                else => break,
            }
        }
        sum
    } with (0, 1), (2, 1), (5, 1), (5, 3);

    async fn conditions_are_evaluated_first(n: u64) -> u64 {
        let mut order = Vec::new();
        let x = select! {
            biased;
            x = { order.push(2); ticks(1, 1u64) }, if { order.push(1); n > 1 } => x,
            x = { order.push(4); ticks(2, 2u64) }, if { order.push(3); true } => x,
        };
        num(x).await * 10_000 + order.into_iter().fold(0, |sum, n| sum * 10 + n)
    } with (1), (2);

    async fn patterns_that_fail(a: Option<u64>, b: Result<u64, String>) -> String {
        let won = select! {
            biased;
            Some(n) = ticks(1, a) => format!("a {n}"),
            Ok(n @ 1..=9) = ticks(2, b.clone()) => { num(n).await; format!("b {n}") }
            Err(why) = ticks(4, b) => text(&why).await,
            else => "none".to_owned(),
        };
        text(&won).await
    } with (Some(1), Ok(1)), (None, Ok(1)), (None, Ok(20)), (None, Err("e".to_owned()));

    async fn a_branch_that_failed_is_off(n: u64) -> u64 {
        let mut sum = 0;
        let mut rounds = 0;
        while rounds < 3 {
            rounds += 1;
            select! {
                biased;
                Some(x) = ticks(1, (n > rounds).then_some(n)) => { sum += x; continue }
                (x, State::More { n }) = ticks(3, (rounds, State::More { n: 5 })) => {
                    if x == 2 { break }
                    sum += num(n * 1000).await;
                }
            }
            sum += 1;
        }
        sum
    } with (0), (1), (2), (9);

    async fn patterns(n: u64) -> u64 {
        let a = select! { biased; (x, (_, mut y)) = ticks(1, (n, (1u64, 2u64))) => { y += x; num(y).await + y } };
        let b = select! { biased; Item { sku, qty } = ticks(2, Item { sku: "ab".to_owned(), qty: n }) => sku.len() as u64 + qty };
        let c = select! { biased; Some(1 | 2) | Some(9) = ticks(1, Some(n)) => 12, else => n };
        let d = select! {
            biased;
            State::More { n } | State::Hold(n, _) = ticks(1, State::Hold(n, "h".to_owned())) => n,
            _ = ticks(2, ()) => 1,
        };
        let e = select! { biased; 3 = ticks(1, n) => 30, None = ticks(2, Some(n)) => 40, whole @ (_, 1) = ticks(2, (n, 1u64)) => whole.0 };
        num(a + b + c + d + e).await
    } with (1), (3);

    async fn lent(a: u32) -> u64 {
        let mut slow = ticks(a, 1000u64);
        let mut sum = 0;
        let last = loop {
            select! {
                biased;
                x = &mut slow => break x,
                x = ticks(2, 1u64) => {
                    sum += num(x).await;
                    if sum == 3 {
                        break slow.await;
                    }
                }
            }
        };
        last + sum
    } with (1), (2), (3), (4), (20);

    async fn lent_from_places(a: u32) -> u64 {
        let mut list = vec![ticks(a, 1u64), ticks(4, 2u64)];
        let mut nested = (0, vec![ticks(3, 3u64)]);
        let mut pair = Pair { left: ticks(5, 10u64), right: ticks(4, 20u64) };
        let mut sum = 0;
        let mut on = [true; 4];
        let last = nested.1.len() - 1;
        while on != [false; 4] {
            select! {
                biased;
                x = &mut list[0], if on[0] => { sum += x; on[0] = false; }
                x = &mut (nested.1[last]), if on[1] => { sum = sum * 2 + num(x).await; on[1] = false; }
                x = &mut pair.left, if on[2] => { sum = sum * 3 + x; on[2] = false; }
                x = &mut pair.right, if on[3] => { sum = sum * 5 + x; on[3] = false; }
            }
        }
        let rest = list.remove(1).await;
        sum * 10 + rest
    } with (1), (3), (9);

    async fn lent_with_patterns(a: u32, n: u64) -> u64 {
        let mut first = ticks(a, Some(n));
        let mut second = ticks(3, Err::<u64, u64>(n));
        select! {
            biased;
            Some(0) = &mut first => num(1).await,
            Ok(x) = &mut second => x,
            x = ticks(6, 7u64), if n == 2 => { x + num(x).await }
            else => { if a > 3 { 0 } else { 55 } }
        }
    } with (1, 0), (1, 2), (1, 3), (5, 0), (5, 3);

    async fn nested(a: u32) -> u64 {
        let mut outer = ticks(5, 100u64);
        select! {
            biased;
            x = ticks(a, 2u64) => {
                let inner = select! {
                    biased;
                    y = &mut outer => y,
                    y = ticks(2, x) => select! { biased; z = ticks(1, y) => z + y, _ = &mut outer => 0 },
                };
                inner + num(x).await
            }
            x = &mut outer => x,
        }
    } with (1), (4), (6);

    async fn positions(a: u32) -> u64 {
        let sum = num(1).await + select! { biased; x = ticks(a, 2u64) => x, y = ticks(2, 3u64) => num(y).await } * 2;
        let len = select! { biased; x = ticks(a, "abc".to_owned()) => x, y = ticks(2, "de".to_owned()) => y }.len() as u64;
        if select! { biased; _ = ticks(a, ()) => true, _ = ticks(3, ()) => false } {
            unit("won").await;
        }
        let called = add(num(5).await, select!(biased; x = ticks(a, 1u64) => x, _ = ticks(2, ()) => 9));
        match select![biased; x = ticks(1, a) => x] {
            1 => num(sum).await + len + called,
            n if n > 2 => len * 10 + called,
            _ => select! { biased; x = ticks(2, 1u64) => x + len },
        }
    } with (1), (2), (4);

    async fn awaits_in_a_branch(n: u64) -> u64 {
        let k = n + 1;
        let mut kept = ticks(3, k);
        select! {
            biased;
            x = &mut kept, if yes(true).await => x,
            x = ticks(num(2).await as u32, num(n).await + k) => x + num(k).await,
        }
    } with (0), (3);

    async fn in_a_loop_over_borrows(order: Order) -> Vec<String> {
        let mut seen = Vec::new();
        for item in &order.items {
            let qty = item.qty;
            let label = select! {
                biased;
                n = ticks(2, qty) => format!("{} {n}", item.sku),
                _ = ticks(1, ()), if qty > 2 => { unit(&item.sku).await; continue }
            };
            seen.push(label + &item.sku);
        }
        seen
    } with (order(0)), (order(3));

    async fn eight(n: u64) -> u64 {
        select! {
            biased;
            x = ticks(9, 1u64) => x,
            x = ticks(8, 2u64) => x,
            x = ticks(7, 3u64) => x,
            x = ticks(6, 4u64) => x,
            Some(x) = ticks(2, (n > 3).then_some(50u64)) => x,
            x = ticks(4, 6u64), if n > 2 => x,
            x = ticks(3, 7u64), if n > 5 => x,
            (x, _) = ticks(5, (8u64, ())), if n > 1 => num(x).await,
        }
    } with (1), (2), (3), (4), (6);

    async fn shadows(x: u64) -> u64 {
        let mut y = x;
        let x = select! { biased; x = ticks(2, x + 1) => { y += x; x * 2 }, y = ticks(3, 1u64) => y };
        let select = x;
        num(select).await + x * 100 + y
    } with (1);

    async fn moved_in_one_body(n: u64, a: u32) -> String {
        let label = text("label").await;
        let order = order(n);
        let out = select! {
            biased;
            x = ticks(a, 1u64) => { unit("a").await; format!("{label} {x}") }
            _ = ticks(2, ()) => order.name,
        };
        text(&out).await
    } with (1, 1), (1, 3);

    async fn captured_by_format(a: u32) -> String {
        let name = text("n").await;
        select! {
            biased;
            x = ticks(a, 4u64) => { let n = num(1).await; format!("{name} {x:>4} {n}") },
            Ok::<u64, String>(x) = ticks(2, Ok::<u64, String>(a.into())) => format!("{x}{name}"),
        }
    } with (1), (3);
}

const fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[test]
#[should_panic(expected = "all branches of `select!` are disabled")]
fn nothing_to_wait_for() {
    use durable_macros::select;

    #[durable_macros::workflow(crate = crate::mini)]
    async fn hopeless(on: bool) -> u64 {
        select! { x = ticks(1, 1u64), if on => x }
    }
    assert_eq!(mini::run_compiled(hopeless(true)).0, 1);
    mini::run_compiled(hopeless(false));
}
