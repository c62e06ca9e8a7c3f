twins! {
    async fn one_guard(n: u64) -> String {
        match some(n).await {
            Some(x) if yes(x > 2).await => text(&format!("big {x}")).await,
            Some(x) => format!("small {x}"),
            None => "none".to_owned(),
        }
    } with (0), (1), (3);

    async fn several_guards(n: u64) -> String {
        let state = match n {
            0 => State::More { n: 3 },
            1 => State::Hold(4, "held".to_owned()),
            2 => State::Hold(9, "nine".to_owned()),
            _ => State::Done { code: "end".to_owned() },
        };
        let out = match state {
            State::More { n } if num(n).await == 7 => format!("seven {n}"),
            State::More { n: 3 } => text("three").await,
            State::Hold(k, s) if num(k).await > 5 && yes(!s.is_empty()).await => {
                unit(&s).await;
                format!("{s} {k}")
            }
            State::Hold(_, ref s) if text(s).await == "other" => s.clone(),
            State::Hold(k, mut s) => {
                s.push('!');
                text(&s).await + &k.to_string()
            }
            State::More { .. } => "more".to_owned(),
            State::Done { code } if n > 5 => code + "now",
            State::Done { code } if text(&code).await.len() as u64 == n => code,
            other => format!("{other:?}"),
        };
        unit("after").await;
        out
    } with (0), (1), (2), (3), (4), (6);

    async fn guards_over_references(order: Order) -> u64 {
        let total = match &order.coupon {
            Some(Coupon { code, value }) if text(code).await == "C" && *value < num(3).await => *value + num(1).await,
            Some(coupon) if yes(coupon.value > 10).await => coupon.value,
            Some(_) => 4,
            None => 5,
        };
        total + match order.items.as_slice() {
            [] => 0,
            [first, ..] if num(first.qty).await > 0 => first.qty,
            [.., last] if text(&last.sku).await.ends_with('1') => last.qty + 20,
            all => all.len() as u64 + num(2).await,
        } + order.items.len() as u64
    } with (order(0)), (order(1)), (order(2)), (order(3));

    async fn guard_of_everything(n: u64) -> u64 {
        let x = 5;
        match n {
            x if num(x).await > 10 => num(x).await + 1,
            y @ (1 | 2) if { let x = y + 1; num(x).await } == 2 => x + y,
            0 => x,
            y if try_num(y * 50).await.is_ok_and(|k| k < 99) => y,
            y => y * x,
        }
    } with (0), (1), (2), (3), (11);

    async fn guard_in_a_loop(n: u64) -> Result<Vec<u64>, String> {
        let mut seen = Vec::new();
        let mut i = 0;
        'all: loop {
            i += 1;
            match some(i % 4).await {
                Some(k) if try_num(k * n).await? > 5 => {
                    seen.push(k);
                    if seen.len() > 3 { break 'all; }
                    continue;
                }
                Some(k) if { if i > 9 { break 'all } yes(k == 2).await } => seen.push(100),
                _ if i > 20 => return Ok(seen),
                Some(_) => seen.push(0),
                None => {}
            }
            unit("round").await;
        }
        Ok(seen)
    } with (1), (2), (3), (50);

    async fn let_in_a_guard(n: u64) -> u64 {
        let pair = (some(n).await, n);
        match pair {
            (Some(k), m) if let Some(next) = some(k - 1).await => next + m + num(k).await,
            (Some(k), _) if let Ok(v) = Ok::<u64, ()>(k + 4) && v < 6 => v + num(v).await,
            (first, _) => first.unwrap_or(50),
        }
    } with (0), (1), (2), (3);

    async fn moved_after_the_guard(n: u64) -> String {
        let name = text(&format!("name{n}")).await;
        let held = Some((name, n));
        let got = match held {
            Some((name, k)) if yes(k == 2).await => name,
            Some((name, _)) if yes(name.ends_with('1')).await => { let again = text(&name).await; format!("one {again}") }
            other => format!("{other:?}"),
        };
        text(&got).await
    } with (0), (1), (2);

    async fn changed_through_a_guarded_match(n: u64) -> Vec<u64> {
        let mut v = list(n).await;
        match &mut v[..] {
            [first, ..] if num(*first).await == 0 && yes(n > 2).await => *first = 70,
            [first, rest @ ..] if yes(rest.is_empty()).await => *first = 80,
            _ => v.push(num(90).await),
        }
        v
    } with (0), (1), (2), (3);
}
