//! `select!` in every form of tokio's, over everything that can be awaited.

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, MINUTE};

#[derive(Debug, Serialize, Deserialize, Signal)]
enum Order {
    Add(u32),
    Stop,
}

#[derive(Debug, Serialize, Deserialize, Update)]
#[update(output = u32)]
struct Total;

#[activity(retry(max_attempts = 1))]
async fn face_price(of: u32) -> Result<u32, Error> {
    ensure!(of != 13, "13 has no price");
    Ok(of * 2)
}

#[workflow]
async fn face_priced(of: u32, wait: std::time::Duration) -> Result<u32, Error> {
    sleep(wait).await;
    face_price(of).await
}

/// The loop of a long-lived instance: messages, a deadline, what was started, and its own cancellation.
#[workflow]
async fn face_till(most: u32) -> Result<String, Error> {
    let mut total = 0;
    let mut pricing = JoinSet::new();
    let mut closes = sleep(DAY);
    loop {
        select! {
            biased;
            why = cancelled() => {
                let last = face_price(total).await?;
                return Ok(format!("cancelled ({why}) at {last}"));
            }
            order = recv::<Order>() => match order {
                Order::Add(13) => continue,
                Order::Add(item) if total + item > most => bail!("more than {most}"),
                Order::Add(item) => pricing.spawn(face_priced(item, MINUTE)),
                Order::Stop => break,
            },
            asked = recv_update::<Total>() => {
                let (Total, reply) = asked.into_parts();
                reply.reply(total);
            }
            Some(price) = pricing.join_next() => total += price?,
            _ = &mut closes => return Ok(format!("closed at {total}")),
        }
    }
    while let Some(price) = pricing.join_next().await {
        total += price?;
    }
    Ok(format!("stopped at {total}"))
}

#[tokio::test]
async fn a_till_takes_orders_answers_and_closes() {
    let engine = testing::engine().open().await;
    let open = async |id: &str| engine.start(id, face_till(100)).await.unwrap();

    let till = open("stops").await;
    for order in [Order::Add(3), Order::Add(13), Order::Add(4)] {
        engine.signal("stops", order).await.unwrap();
    }
    engine.advance(2 * MINUTE).await;
    assert_eq!(engine.update("stops", Total).await.unwrap(), 14);
    engine.signal("stops", Order::Add(5)).await.unwrap();
    engine.signal("stops", Order::Stop).await.unwrap();
    assert_eq!(till.result().await.unwrap().unwrap(), "stopped at 24");

    let till = open("closes").await;
    assert_eq!(till.result().await.unwrap().unwrap(), "closed at 0");

    let till = open("fails").await;
    engine.signal("fails", Order::Add(101)).await.unwrap();
    assert_eq!(till.result().await.unwrap().unwrap_err().to_string(), "more than 100");

    let till = open("cancelled").await;
    engine.idle().await;
    till.cancel("no power").await.unwrap();
    assert_eq!(till.result().await.unwrap().unwrap(), "cancelled (no power) at 0");
    assert_eq!(till.describe().await.unwrap().status, Status::Completed);
}

/// A value of a `select!`, conditions, patterns that may not match, an `else`.
#[workflow]
async fn face_forms(quick: bool, number: u32) -> Result<String, Error> {
    let mut slow = face_price(number);
    let said = select! {
        Ok(price) = &mut slow, if number > 0 => format!("costs {price}"),
        () = sleep(MINUTE), if quick => String::from("a minute"),
        else => { "nothing".to_owned() }
    };
    Ok(said)
}

#[tokio::test]
async fn conditions_patterns_and_else() {
    let engine = testing::engine().open().await;
    let run = async |quick, number| engine.run(face_forms(quick, number)).await.unwrap().unwrap();
    assert_eq!(run(true, 5).await, "costs 10");
    assert_eq!(run(true, 13).await, "a minute");
    assert_eq!(run(false, 13).await, "nothing");
    assert_eq!(run(false, 0).await, "nothing");
}

/// Over everything that can be awaited, each in its turn.
#[workflow]
async fn face_everything(which: u32) -> Result<String, Error> {
    let handle = spawn(face_priced(1, u32::from(which != 0) * DAY));
    let kid = child("kid", face_priced(2, u32::from(which != 1) * DAY)).start().await;
    let given = external::<u32>();
    if which == 2 {
        publish_token(&given.token().to_string()).await;
    }
    let (one, two) = (sleep(u32::from(which != 3) * DAY), sleep(u32::from(which != 3) * DAY));
    Ok(select! {
        price = handle => format!("handle {}", price?),
        price = kid => format!("child {}", price?),
        value = given => format!("external {value}"),
        _ = (one, two).join() => "join".to_owned(),
        _ = vec![face_priced(4, u32::from(which != 4) * DAY)].try_join() => "vec".to_owned(),
        done = face_priced(5, u32::from(which != 5) * DAY).timeout(2 * DAY) => format!("timeout {}", done.is_ok()),
        Order::Add(n) = recv::<Order>() => format!("signal {n}"),
        outcome = child("other", face_priced(6, u32::from(which != 7) * DAY)).outcome() => format!("outcome {}", outcome.is_ok()),
    })
}

#[activity]
async fn publish_token(context: ActivityContext, token: &str) {
    let token: Token<u32> = token.parse().expect("it is one");
    context.engine().complete(&token, 42).await.expect("it is open");
}

#[tokio::test]
async fn a_select_waits_for_everything_that_can_be_awaited() {
    let engine = testing::engine().open().await;
    let expected =
        ["handle 2", "child 4", "external 42", "join", "vec", "timeout true", "signal 9", "outcome true"];
    for (which, expected) in expected.into_iter().enumerate() {
        let id = format!("every-{which}");
        let handle = engine.start(&id, face_everything(which as u32)).await.unwrap();
        if which == 6 {
            handle.signal(Order::Add(9)).await.unwrap();
        }
        assert_eq!(handle.result().await.unwrap().unwrap(), expected);
        engine.idle().await;
        let left = engine.list(Filter::new().status(Status::Waiting)).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// What is lent goes on, wherever it stands and whatever it is.
#[workflow]
async fn face_lent(round: u32) -> Result<u32, Error> {
    let mut call = face_priced(20, HOUR);
    let mut activity = face_price(4);
    let mut kid = child("kid", face_priced(30, HOUR));
    let mut given = external::<u32>();
    let mut both = (sleep(HOUR), face_priced(1, HOUR)).join();
    let mut timed = face_priced(2, HOUR).timeout(DAY);
    let mut all = vec![face_priced(3, HOUR), face_priced(4, 2 * HOUR)].try_join();
    let mut first = [face_priced(5, HOUR), face_priced(6, DAY)].race();
    let mut sum = 0;
    publish_token(&given.token().to_string()).await;
    for step in 0..round {
        select! {
            price = &mut call, if step < 4 => sum += price? * u32::from(step == 3),
            price = &mut kid, if step < 4 => sum += price? * u32::from(step == 3),
            ((), price) = &mut both, if step < 4 => sum += price? * u32::from(step == 3),
            price = &mut timed, if step < 4 => sum += price?? * u32::from(step == 3),
            prices = &mut all, if step < 4 => sum += prices?.len() as u32,
            price = &mut first, if step < 4 => sum += price? * u32::from(step == 3),
            price = &mut activity, if step == 0 => sum += price?,
            value = &mut given, if step == 1 => sum += value,
        }
        if step == 1 {
            break;
        }
    }
    // They go on where they are awaited for good.
    let (call, kid, both, timed, all, first) = (call, kid, both, timed, all, first).join().await;
    Ok(sum + call? + kid? + both.1? + timed?? + all?.iter().sum::<u32>() + first?)
}

#[tokio::test]
async fn every_operation_can_be_lent_and_awaited_later() {
    let engine = testing::engine().open().await;
    let begun = engine.now();
    assert_eq!(engine.run(face_lent(2)).await.unwrap().unwrap(), 8 + 42 + 40 + 60 + 2 + 4 + 14 + 10);
    assert_eq!(crate::support::since(&engine, begun), 2 * HOUR, "nothing began anew");
}

// Places of every kind, and a `select!` wherever an expression may stand.

#[derive(Serialize, Deserialize)]
struct Shift {
    closes: Handle<()>,
    desks: Vec<Handle<Result<u32, Error>>>,
    waiting: Vec<Reply<Total>>,
}

#[workflow]
async fn face_next_order() -> Option<u32> {
    match recv::<Order>().timeout(HOUR).await {
        Ok(Order::Add(number)) => Some(number),
        Ok(Order::Stop) | Err(Elapsed) => None,
    }
}

#[workflow]
async fn face_shift() -> Result<(u32, u32), Error> {
    let desks = vec![spawn(face_priced(1, HOUR)), spawn(face_priced(2, DAY))];
    let mut shift = Shift { closes: spawn(sleep(2 * HOUR)), desks, waiting: Vec::new() };
    let mut sum = 0;
    let mut desk_is_open = true;
    let first = loop {
        if let Some(done) = select! {
            price = &mut shift.desks[0], if desk_is_open => {
                desk_is_open = false;
                sum += price?;
                None
            }
            asked = recv_update::<Total>() => {
                shift.waiting.push(asked.into_parts().1);
                None
            }
            () = &mut shift.closes => Some(sum),
        } {
            break done;
        }
    };
    for reply in shift.waiting {
        reply.reply(first);
    }
    let last = shift.desks.remove(1);
    let next = match select! {
        next = face_next_order() => next,
        price = last => return Ok((first, price?)),
    } {
        Some(next) => next,
        None => bail!("nobody came"),
    };
    Ok((first, select! { price = face_price(next) => price?, () = sleep(DAY) => 0 }))
}

#[tokio::test]
async fn handles_in_fields_and_vectors_are_lent_and_answers_are_kept() {
    let engine = testing::engine().open().await;
    let shift = engine.start("shift", face_shift()).await.unwrap();
    engine.advance(HOUR / 2).await;
    let asked = [0, 1].map(|_| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.update("shift", Total).await })
    });
    engine.advance(HOUR).await;
    engine.crash_and_reopen().await;
    engine.signal("shift", Order::Add(21)).await.unwrap();
    let shift = engine.handle(shift.id()).of(face_shift);
    assert_eq!(shift.result().await.unwrap().unwrap(), (2, 42));
    for asked in asked {
        // The engine that was asked is gone; the other one has answered for the record.
        assert!(asked.await.unwrap().is_err());
    }
    let history = shift.history().await.unwrap();
    let taken = history.iter().filter(|event| event.to_string().contains("`Total`"));
    assert!(taken.count() >= 2, "{history:?}");
    testing::crash_at_every_step(face_next_order).await;
}

/// Two sources of one type: a tuple's race.
#[workflow]
async fn face_primary_or_replica(of: u32) -> Result<u32, Error> {
    let price = (face_priced(of, HOUR), face_priced(of + 1, MINUTE)).race().await?;
    let mut slow = spawn(face_priced(of, HOUR));
    // Somebody is told if it takes too long, and then it is waited for.
    let late = select! {
        slow = &mut slow => slow?,
        () = sleep(MINUTE) => {
            face_price(0).await?;
            slow.await?
        }
    };
    Ok(price + late)
}

#[tokio::test]
async fn the_first_of_two_and_a_notice_when_it_takes_long() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(face_primary_or_replica(1)).await.unwrap().unwrap(), 4 + 2);
    testing::crash_at_every_step(|| face_primary_or_replica(1)).await;
}
