twins! {
    async fn lets(n: u64) -> u64 {
        let a = num(n).await;
        let b = num(a + 1).await;
        let c = a + b;
        num(c).await
    } with (1), (7);

    async fn ifs(n: u64) -> u64 {
        let mut total = n;
        if n > 3 {
            total += num(1).await;
        } else if n == 2 {
            let x = num(2).await;
            total += x;
        } else {
            unit("none").await;
        }
        total
    } with (1), (2), (7);

    async fn question(n: u64) -> Result<u64, String> {
        let a = try_num(n).await?;
        if a > 50 {
            return Err("big".to_owned());
        }
        let b = try_num(a * 2).await? + try_num(3).await?;
        Ok(b)
    } with (1), (70), (700), (50);

    async fn while_loop(mut n: u64) -> u64 {
        let mut sum = 0;
        while n > 0 {
            sum += num(n).await;
            n -= 1;
        }
        sum
    } with (0), (3);

    async fn for_range(n: u64) -> u64 {
        let mut sum = 0;
        for i in 0..n {
            if i == 1 {
                continue;
            }
            sum += num(i).await;
            if sum > 10 {
                break;
            }
        }
        sum
    } with (0), (3), (20);

    async fn for_borrowed(order: Order) -> u64 {
        let mut sum = 0;
        let name = &order.name;
        for item in &order.items {
            if item.qty == 0 {
                continue;
            }
            let echoed = text(&item.sku).await;
            sum += num(item.qty).await + echoed.len() as u64;
        }
        text(name).await;
        sum
    } with (order(0)), (order(3));

    async fn loop_value(state: State) -> Result<String, String> {
        let mut state = state;
        let mut notes = Vec::new();
        let code = loop {
            state = step(state).await?;
            match &state {
                State::Done { code } => break code.clone(),
                State::More { n } => {
                    unit("more").await;
                    notes.push(format!("{n} left"));
                }
                State::Hold(n, why) => {
                    let k = num(*n).await;
                    notes.push(format!("{why} {k} {n}"));
                }
            }
        };
        Ok(format!("{code} {notes:?}"))
    } with (State::More { n: 4 }), (State::Done { code: "x".to_owned() });
}
