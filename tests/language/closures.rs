//! Closures, nested functions and other items beside awaits.

use std::collections::BTreeMap;

twins! {
    async fn closures_beside_awaits(n: i64) -> i64 {
        let factor = get(n).await;
        let scaled = list(n).await.iter().map(|v| v * factor).collect::<Vec<_>>();
        let base = get(factor).await;
        let over = |limit: i64| scaled.iter().filter(|v| **v > limit).count() as i64;
        let count = over(base) + over(0);
        add(count, base).await + factor
    } for (1), (3);

    async fn closure_that_changes_a_local(n: i64) -> Vec<i64> {
        let mut out = { let end = get(n).await; vec![end] };
        {
            let mut push = |value: i64| out.push(value * n);
            push(1);
            push(2);
        }
        let total = sum(&out).await;
        let mut remember = |v| {
            out.push(v);
            out.len()
        };
        remember(total);
        let length = remember(5) as i64;
        out.push(get(length).await);
        out
    } for (1), (2);

    async fn closure_made_for_each_round(n: i64) -> i64 {
        let mut total = 0;
        for i in 0..n {
            let shift = |v: i64| v + i * 10;
            let argument = shift(total);
            total = get(argument).await;
            let shift = move |v: i64| v - total;
            total += shift(i);
        }
        total
    } for (0), (3);

    async fn closures_in_arguments(n: i64) -> String {
        let name = say("n").await;
        let table: BTreeMap<_, _> = words(n).await.into_iter().map(|w| (format!("{name}{w}"), w.len())).collect();
        let mut values = list(n).await;
        values.sort_by_key(|v| std::cmp::Reverse((*v, name.len())));
        let best = values.iter().copied().max_by(|a, b| a.cmp(b)).unwrap_or_else(|| n);
        let more = maybe(best).await.map_or_else(|| best - n, |v| v + n);
        { let end = say(&name).await; format!("{table:?} {values:?} {more} {}", end) }
    } for (0), (3);

    async fn nested_functions_and_items(n: i64) -> String {
        fn twice(v: i64) -> i64 {
            v * FACTOR
        }
        const FACTOR: i64 = 2;
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        struct Local {
            value: i64,
        }
        impl Local {
            fn next(&self) -> Self {
                Local { value: self.value + FACTOR }
            }
        }
        let local = Local { value: get(twice(n)).await };
        let next = local.next();
        let more = get(next.value).await;
        format!("{local:?} {next:?} {}", twice(more))
    } for (1), (2);

    async fn function_pointers_and_paths(n: i64) -> Vec<String> {
        let values = list(n).await;
        let shown = values.iter().map(ToString::to_string).map(Some).collect::<Vec<_>>();
        let said = say("x").await;
        let mut out: Vec<String> = shown.into_iter().flatten().collect();
        out.push(said);
        let parse = str::parse::<i64>;
        let number = parse("5").map(i64::from).unwrap_or_default();
        out.push(get(number).await.to_string());
        out
    } for (0), (2);

    async fn closure_parameters_shadow(n: i64) -> i64 {
        let v = get(n).await;
        let apply = |v: i64, (a, _): (i64, i64)| {
            let w = v + a;
            let v = w * 2;
            v
        };
        let w = apply(1, (2, 3));
        let after = get(w).await;
        v * 100 + w * 10 + after
    } for (1);

    async fn returns_in_closures_stay_there(n: i64) -> i64 {
        let value = get(n).await;
        let check = |limit: i64| -> Result<i64, String> {
            if value > limit {
                return Err("over".into());
            }
            for i in 0.. {
                if i * i > value {
                    return Ok(i);
                }
            }
            Err("?".parse::<String>().map_err(|e| e.to_string())?)
        };
        let a = check(5).unwrap_or(-5);
        let b = check(50).unwrap_or(-50);
        a + b + get(a + b).await
    } for (1), (2), (30);
}
