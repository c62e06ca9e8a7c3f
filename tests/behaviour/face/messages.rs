//! Messages from inside and outside, with the names of the prelude.

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::HOUR;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Signal)]
struct Note {
    text: String,
}

#[derive(Debug, Serialize, Deserialize, Update)]
#[update(output = Result<usize, NoteError>)]
struct AddNote(String);

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum NoteError {
    #[error("there are {0} notes already")]
    Full(usize),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Publish)]
struct Notes {
    count: usize,
}

#[activity]
async fn face_spell_check(text: &str) -> String {
    text.to_owned()
}

#[workflow]
async fn face_notebook(most: usize) -> Vec<String> {
    let mut notes = Vec::new();
    publish(&Notes { count: 0 });
    while notes.len() < most {
        let request: Request<AddNote> = select! {
            Note { text } = recv() => {
                notes.push(text);
                continue;
            }
            request = recv_update() => request,
        };
        if request.0.is_empty() {
            request.reject("an empty note");
        } else if notes.len() >= 3 {
            let AddNote(_) = &*request;
            request.reply(Err(NoteError::Full(notes.len())));
        } else {
            // Answered later, in another step.
            let (AddNote(text), reply) = request.into_parts();
            notes.push(face_spell_check(&text).await);
            publish(&Notes { count: notes.len() });
            reply.reply(Ok(notes.len()));
        }
    }
    while let Some(Note { text }) = try_recv() {
        notes.push(text);
    }
    while let Some(late) = try_recv_update::<AddNote>() {
        late.reply(Err(NoteError::Full(notes.len())));
    }
    notes
}

#[tokio::test]
async fn a_notebook_is_written_to_and_read_from_outside() {
    let engine = testing::engine().open().await;
    let (book, first) =
        engine.start("book", face_notebook(5)).with_update(AddNote("one".into())).await.unwrap();
    assert_eq!((first, book.created()), (Ok(1), true));
    engine.signal("book", Note { text: "two".into() }).dedup("k").await.unwrap();
    engine.signal("book", Note { text: "two".into() }).dedup("k").await.unwrap();
    let empty = engine.update("book", AddNote(String::new())).await.unwrap_err();
    assert!(matches!(empty, UpdateError::Rejected { why } if why == "an empty note"));
    let asked = engine.update("book", AddNote("three".into())).dedup("third").await.unwrap();
    assert_eq!(asked, Ok(3));
    let engine = engine.crash_and_reopen().await;
    let again = engine.update("book", AddNote("three".into())).dedup("third").await.unwrap();
    assert_eq!(again, Ok(3), "asked again with the same key it is the same answer");
    let full = engine.update("book", AddNote("four".into())).await.unwrap();
    assert_eq!(full, Err(NoteError::Full(3)));
    let book = engine.handle("book").of(face_notebook);
    assert_eq!(book.published::<Notes>().await.unwrap(), Some(Notes { count: 3 }));
    assert_eq!(book.published::<Never>().await.unwrap(), None);
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Publish)]
#[publish(name = "never-published")]
struct Never;

#[workflow]
async fn face_reader(book: String) -> Result<(usize, Vec<String>), Error> {
    start(&book, face_notebook(2)).await?;
    signal(&book, Note { text: "from within".into() }).await?;
    let count = update(&book, AddNote("and an update".into())).await??;
    let notes = attach(&book, face_notebook).await?;
    Ok((count, notes))
}

#[workflow]
async fn face_stops_another(id: String) -> Result<Vec<String>, Error> {
    start(id.clone(), face_notebook(9)).await?;
    sleep(HOUR).await;
    cancel(&id, "no more paper").await?;
    let notes = attach(&id, face_notebook).await?;
    Ok(notes)
}

#[tokio::test]
async fn instances_start_signal_update_attach_and_cancel_each_other() {
    let engine = testing::engine().open().await;
    let read = engine.start("reader", face_reader("b".into())).await.unwrap().result().await.unwrap();
    assert_eq!(read.unwrap(), (2, vec!["from within".to_owned(), "and an update".to_owned()]));
    let stopped = engine.run(face_stops_another("c".into())).await.unwrap().unwrap_err();
    assert_eq!(stopped.call_error(), Some(&CallError::Cancelled { reason: "no more paper".into() }));
}

#[activity]
async fn face_mail_link(token: &Token<Result<u32, String>>) -> Result<(), Error> {
    // As it goes through a link and a JSON body.
    let text = token.to_string();
    let parsed: Token<Result<u32, String>> = text.parse()?;
    ensure!(parsed == *token, "a link is the token");
    let json = serde_json::to_string(token)?;
    ensure!(serde_json::from_str::<Token<Result<u32, String>>>(&json)? == *token, "and so is JSON");
    Ok(())
}

#[workflow]
async fn face_asks_outside() -> Result<u32, Error> {
    let answer = external::<Result<u32, String>>();
    face_mail_link(&answer.token()).await?;
    let mut second = external::<u32>();
    face_mail_number(second.token()).await;
    let number = select! {
        n = &mut second => n,
        _ = sleep(HOUR) => bail!("nobody"),
    };
    match answer.timeout(HOUR).await {
        Ok(Ok(value)) => Ok(value + number),
        Ok(Err(why)) => bail!("{why}"),
        Err(elapsed) => Err(elapsed.into()),
    }
}

#[activity]
async fn face_mail_number(token: Token<u32>) {
    let _ = token;
}

#[tokio::test]
async fn a_token_goes_out_and_its_value_comes_in() {
    let engine = testing::engine().open().await;
    for (said, expected) in [(Ok(40), Ok(42)), (Err("no".to_owned()), Err("no".to_owned()))] {
        let handle = engine.start(format!("{said:?}"), face_asks_outside()).await.unwrap();
        engine.idle().await;
        let (link,) = engine.calls(face_mail_link).last().unwrap().clone();
        engine.complete(&link, said).await.unwrap();
        let (number,) = engine.calls(face_mail_number).last().unwrap().clone();
        engine.complete(&number, 2).await.unwrap();
        assert_eq!(handle.result().await.unwrap().map_err(|error| error.to_string()), expected);
    }
}
