//! `?` in any position.

use crate::vocabulary::{Event, Fault, Order};

fn odd(n: i64) -> Result<i64, Fault> {
    if n % 2 == 0 { Err(Fault::Odd { n }) } else { Ok(n) }
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Outer {
    Inner(Fault),
    Text(String),
}

impl From<Fault> for Outer {
    fn from(fault: Fault) -> Self {
        Outer::Inner(fault)
    }
}

twins! {
    async fn question_in_let(n: i64) -> Result<i64, Fault> {
        let a = attempt(n).await?;
        let b = attempt(a + 1).await?;
        let Order { id, .. } = order(attempt(b).await?).await;
        Ok(a + b + id)
    } for (1), (7), (5), (4);

    async fn question_in_arguments(n: i64) -> Result<i64, Fault> {
        let a = add(attempt(n).await?, attempt(n + 1).await?).await;
        let b = add(odd(a)?, attempt(get(n).await).await?).await;
        Ok(add(a, attempt(b).await? * 2).await + odd(get(0).await)?)
    } for (1), (2), (6), (7);

    async fn question_in_chains(n: i64) -> Result<usize, Fault> {
        let length = digits(n).await?.repeat(2).len() + digits(attempt(n).await?).await?.trim().len();
        let parsed = digits(n).await?.parse::<i64>()?;
        let sum = list(n).await.iter().map(|v| odd(*v)).filter_map(Result::ok).sum::<i64>();
        Ok(length + (parsed + sum) as usize)
    } for (1), (7), (12), (13);

    async fn question_in_conditions(n: i64) -> Result<String, Fault> {
        if attempt(n).await? > 3 && odd(n)? > 4 {
            return Ok(say("big").await);
        }
        while attempt(n + 1).await? > 5 {
            return digits(n + 8).await;
        }
        if let Some(value) = maybe(attempt(n + 2).await?).await {
            return Ok(value.to_string());
        }
        match attempt(n + 3).await? {
            5 => Ok("five".into()),
            other => Ok(digits(other).await? + &digits(n).await?),
        }
    } for (1), (2), (3), (4), (5), (6), (7);

    async fn question_in_loop_heads(n: i64) -> Result<Vec<i64>, Fault> {
        let mut out = vec![];
        for value in list(attempt(n).await?).await {
            out.push(odd(value)?);
            out.push(attempt(value).await?);
        }
        while out.len() < attempt(out.len() as i64).await? as usize {
            out.push(attempt(out[0] + out.len() as i64).await?);
        }
        Ok(out)
    } for (0), (1), (2), (7);

    async fn question_on_options(n: i64) -> Option<i64> {
        let a = maybe(n).await?;
        let b = list(n).await.first().copied()?;
        let c = nested(a + b).await??;
        let d = maybe(c).await? + maybe(get(c).await).await?;
        Some(a + b + c + d)
    } for (1), (2), (3), (4);

    async fn question_converts(n: i64) -> Result<i64, Outer> {
        let text = digits(n).await?;
        if text == "5" {
            return Err(Outer::Text(say("five").await));
        }
        let number = text.parse::<i64>().map_err(|error| Outer::Text(error.to_string()))?;
        let next = attempt(number).await.map_err(Outer::from)?;
        Ok(next + attempt(next).await.or_else(|fault| if n > 5 { Err(fault) } else { Ok(0) })?)
    } for (1), (5), (6), (7), (13);

    async fn question_in_literals(n: i64) -> Result<(Event, [i64; 2]), Fault> {
        let moved = Event::Moved { x: attempt(n).await?, y: odd(n)? };
        let pair = [attempt(n + 1).await?, attempt(n + 2).await?];
        let nested = Event::Twice(Box::new(moved), Box::new(Event::Said(digits(n + 4).await?)));
        Ok((nested, pair))
    } for (1), (5), (6), (7), (9), (2);

    async fn question_in_assignments(n: i64) -> Result<i64, Fault> {
        let mut total = 0;
        let late;
        total += attempt(n).await?;
        late = attempt(total).await?;
        total = attempt(late).await? - total;
        total *= -attempt(total + 1).await?;
        Ok(total)
    } for (1), (4), (5), (6);

    async fn question_at_the_end(n: i64) -> Result<(), Fault> {
        attempt(n).await?;
        store(digits(n).await?).await;
        attempt(n + 1).await?;
        Ok(())
    } for (1), (6), (7), (13);

    async fn errors_are_handled_and_raised(n: i64) -> Result<i64, Fault> {
        let first = match attempt(n).await {
            Ok(value) => value,
            Err(fault) => {
                store(format!("{fault:?}")).await;
                if n > 7 {
                    return Err(fault);
                }
                get(0).await
            }
        };
        let Ok(second) = attempt(first + n).await else { return Err(Fault::Broken) };
        if let Err(fault) = attempt(second).await {
            store(fault.to_string()).await;
            Err(fault)?;
        }
        Ok(second)
    } for (1), (7), (14), (3), (6);

    async fn question_on_a_saved_result(n: i64) -> Result<i64, Fault> {
        let result = attempt(n).await;
        let count = get(n).await;
        let other = attempt(count).await;
        let value = result?;
        Ok(value + other.unwrap_or(-1))
    } for (1), (2), (7);
}
