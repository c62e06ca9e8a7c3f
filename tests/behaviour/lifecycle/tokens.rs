//! What is completed from outside.

use durable::{CompleteError, External, Token, external, prelude::*, testing};

use crate::support::{DAY, HOUR};

#[activity]
async fn ask(token: Token<String>) -> Result<(), Error> {
    let _ = token;
    Ok(())
}

#[workflow]
async fn asks() -> Result<String, Error> {
    let answer = external::<String>();
    ask(answer.token()).await?;
    sleep(HOUR).await;
    Ok(answer.await)
}

#[workflow]
async fn asks_all(count: usize) -> Result<Vec<String>, Error> {
    let mut open: Vec<External<String>> = Vec::new();
    for _ in 0..count {
        open.push(external());
    }
    for answer in &open {
        ask(answer.token()).await?;
    }
    let mut answers = Vec::new();
    for answer in open {
        answers.push(answer.await);
    }
    Ok(answers)
}

#[tokio::test]
async fn a_token_works_once_over_restarts_and_early() {
    let engine = testing::engine().open().await;
    engine.start("a", asks()).await.unwrap();
    engine.idle().await;
    let token = engine.calls(ask)[0].0.clone();
    let text = token.to_string();
    engine.crash_and_reopen().await;
    let token: Token<String> = text.parse().unwrap();
    engine.complete(&token, "yes".into()).await.unwrap();
    engine.crash_and_reopen().await;
    let again = engine.complete(&token, "no".into()).await.unwrap_err();
    assert!(matches!(again, CompleteError::Used), "{again:?}");
    assert_eq!(engine.handle("a").of(asks).result().await.unwrap().unwrap(), "yes");
    let late = engine.complete(&token, "no".into()).await.unwrap_err();
    assert!(matches!(&late, CompleteError::Closed { id } if id == "a"), "{late:?}");
    engine.advance(30 * DAY).await;
    let forgotten = engine.complete(&token, "no".into()).await.unwrap_err();
    assert!(matches!(forgotten, CompleteError::Unknown), "{forgotten:?}");
}

#[tokio::test]
async fn a_token_that_is_nearly_right_is_wrong() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", asks()).await.unwrap();
    engine.idle().await;
    let right = engine.calls(ask)[0].0.to_string();
    for at in 0..right.len() {
        let mut wrong = right.clone().into_bytes();
        wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
        let wrong: Token<String> = String::from_utf8(wrong).unwrap().parse().unwrap();
        let error = engine.complete(&wrong, "no".into()).await.unwrap_err();
        assert!(matches!(error, CompleteError::Unknown | CompleteError::Used), "{at}: {error:?}");
    }
    assert!("short".parse::<Token<String>>().is_err() && "x".repeat(80).parse::<Token<String>>().is_err());
    engine.complete(&right.parse::<Token<String>>().unwrap(), "yes".into()).await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), "yes");
    assert!(!format!("{:?}", engine.calls(ask)[0].0).contains(&right), "it is not logged by accident");
}

#[tokio::test]
async fn many_wait_in_one_instance_and_each_token_is_its_own() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", asks_all(20)).await.unwrap();
    engine.idle().await;
    let tokens: Vec<_> = engine.calls(ask).iter().map(|(token,)| token.clone()).collect();
    let distinct: std::collections::HashSet<_> = tokens.iter().map(ToString::to_string).collect();
    assert_eq!(distinct.len(), 20);
    for (n, token) in tokens.iter().enumerate().rev() {
        engine.complete(token, format!("answer {n}")).await.unwrap();
        if n == 10 {
            engine.crash_and_reopen().await;
        }
    }
    let handle = engine.handle(handle.id()).of(asks_all);
    let answers = handle.result().await.unwrap().unwrap();
    assert!(answers.iter().enumerate().all(|(n, answer)| *answer == format!("answer {n}")), "{answers:?}");
}

/// A value that comes behind a termination, in one transition with it, is nobody's, and whoever gave it is told so.
#[tokio::test]
async fn what_is_completed_behind_a_termination_is_refused() {
    let engine = testing::engine().open().await;
    for nth in 0..40 {
        let handle = engine.start(format!("{nth}"), asks()).await.unwrap();
        engine.idle().await;
        let token = engine.calls(ask)[nth].0.clone();
        let completed = engine.complete(&token, "too late".into());
        let (terminated, completed) = futures::future::join(handle.terminate("enough"), completed).await;
        terminated.unwrap();
        let refused = completed.unwrap_err();
        assert!(matches!(refused, CompleteError::Used | CompleteError::Closed { .. }), "{refused:?}");
    }
}
