//! An agent: a language model in a loop with tools, stopped while a person thinks, and resumed.
//!
//! ```text
//! cargo run --example agent
//! ```
//!
//! It shows how a workflow looks that is larger than an order: several functions that call each
//! other, errors of its own, state that grows. The conversation is a local variable; what makes it
//! survive is that it is needed after an `.await`. Nothing leaves this machine: the model is a script.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use durable::{CallError, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Message {
    User(String),
    Assistant { text: String, calls: Vec<ToolCall> },
    Tool { name: String, content: String },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ToolCall {
    name: String,
    arguments: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reply {
    text: String,
    calls: Vec<ToolCall>,
    tokens: u64,
}

/// How the agent can fail. What a tool reports is told to the model; the rest ends the workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum AgentError {
    #[error("{0}")]
    Tool(String),
    #[error("the budget of {0} tokens is spent")]
    OverBudget(u64),
    #[error(transparent)]
    Call(#[from] CallError),
}

// Activities: what touches the world. Each is recorded when it has ended and never runs again after that.

#[activity(start_to_close = "2min", retry(max_attempts = 5))]
async fn ask_model(State(world): State<World>, conversation: &[Message]) -> Result<Reply, AgentError> {
    world.log(format!("model is asked with {} messages", conversation.len()));
    Ok(scripted(conversation))
}

#[activity(retry(max_attempts = 3))]
async fn search_flights(State(world): State<World>, to: &str) -> Result<Vec<String>, AgentError> {
    world.log(format!("tool search_flights to {to}"));
    Ok(vec!["OS 411 for 180".into(), "OS 412 for 240".into()])
}

#[activity(retry(max_attempts = 3), no_retry(AgentError::Tool(_)))]
async fn book_flight(
    State(world): State<World>,
    context: ActivityContext,
    flight: &str,
) -> Result<String, AgentError> {
    world.log(format!("tool book_flight {flight}"));
    if flight == "OS 411" {
        return Err(AgentError::Tool("OS 411 is sold out".into()));
    }
    // The key is the same in every attempt: an airline that knows it does not book twice.
    assert!(!context.idempotency_key().as_str().is_empty());
    Ok(format!("{flight} is booked"))
}

#[activity]
async fn verdict(State(world): State<World>, question: &str) -> Option<bool> {
    assert!(!question.is_empty());
    world.looked.notify_one();
    world.approved.load(Ordering::SeqCst).then_some(true)
}

// Workflows: plain async functions. A called one is part of the caller's snapshot.

/// Works on a task until the model answers without calling a tool.
#[workflow]
async fn agent(task: String, budget: u64) -> Result<String, AgentError> {
    let mut conversation = vec![Message::User(task)];
    let mut spent = 0;
    loop {
        let Reply { text, calls, tokens } = ask_model(&conversation).await?;
        spent += tokens;
        if spent > budget {
            return Err(AgentError::OverBudget(budget));
        }
        conversation.push(Message::Assistant { text: text.clone(), calls: calls.clone() });
        if calls.is_empty() {
            return Ok(text);
        }
        for call in &calls {
            let content = match use_tool(call).await {
                Ok(content) => content,
                Err(AgentError::Tool(reason)) => format!("error: {reason}"),
                Err(fatal) => return Err(fatal),
            };
            conversation.push(Message::Tool { name: call.name.clone(), content });
        }
    }
}

/// One call of a tool, with what it gives back to the model.
#[workflow]
async fn use_tool(call: &ToolCall) -> Result<String, AgentError> {
    match call.name.as_str() {
        "search_flights" => {
            let Some(to) = call.arguments["to"].as_str() else {
                return Err(AgentError::Tool("`to` is missing".into()));
            };
            let flights = search_flights(to).await?;
            Ok(flights.join(", "))
        }
        "book_flight" => {
            let flight = call.arguments["flight"].as_str().unwrap_or_default().to_owned();
            if !confirmed(format!("Book {flight}?")).await {
                return Err(AgentError::Tool("the person said no".into()));
            }
            book_flight(&flight).await
        }
        unknown => Err(AgentError::Tool(format!("there is no tool `{unknown}`"))),
    }
}

/// Whether a person agrees; silence for a day is a no.
#[workflow]
async fn confirmed(question: String) -> bool {
    let deadline = durable::now() + Duration::from_secs(86_400);
    while durable::now() < deadline {
        if let Some(verdict) = verdict(&question).await {
            return verdict;
        }
        sleep(Duration::from_millis(50)).await; // minutes, if the person were one
    }
    false
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("agent.redb");
    let world = Arc::new(World::default());

    println!("A first engine runs the agent until it has to ask a person.");
    let engine = Engine::builder().path(&file).state_arc(world.clone()).open().await?;
    let task = "Get me to Oslo, as cheap as possible".to_string();
    let handle = engine.start("trip-1", agent(task, 10_000)).await?;
    world.looked.notified().await;
    engine.shutdown(Duration::from_secs(5)).await?;
    drop((handle, engine));

    println!("\nThe engine has stopped. The person agrees; a new engine takes up the file.");
    world.approved.store(true, Ordering::SeqCst);
    let engine = Engine::builder().path(&file).state_arc(world.clone()).open().await?;
    let handle = engine.handle("trip-1").of(agent);
    let description = handle.describe().await?;
    for frame in &description.frames {
        println!("  resumes in {} ({}:{})", frame.workflow, frame.file, frame.line);
    }
    let answer = handle.result().await??;
    println!("\nThe agent says: {answer}");

    let lines = world.log.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = lines.iter().filter(|line| line.starts_with("model")).count();
    println!("The model was asked {asked} times, {} tools ran; nothing ran twice.", lines.len() - asked);
    Ok(())
}

/// What is outside: the services' log, and a person at a desk.
#[derive(Default)]
struct World {
    log: Mutex<Vec<String>>,
    looked: Notify,
    approved: AtomicBool,
}

impl World {
    fn log(&self, line: String) {
        println!("  {line}");
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// A model as small as they get: it answers by the last message.
fn scripted(conversation: &[Message]) -> Reply {
    let call = |name: &str, arguments| vec![ToolCall { name: name.into(), arguments }];
    let last = conversation.last().map(ToString::to_string).unwrap_or_default();
    let (text, calls) = if last.contains("sold out") {
        ("The cheap one is gone.", call("book_flight", json!({ "flight": "OS 412" })))
    } else if last.contains("is booked") {
        ("You fly to Oslo on OS 412, for 240.", vec![])
    } else if last.contains("OS 411") {
        ("The first is cheaper.", call("book_flight", json!({ "flight": "OS 411" })))
    } else {
        ("Let me look.", call("search_flights", json!({ "to": "Oslo" })))
    };
    Reply { text: text.into(), calls, tokens: 50 }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::User(text) => write!(f, "user: {text}"),
            Message::Assistant { text, calls } => write!(f, "assistant: {text} ({} calls)", calls.len()),
            Message::Tool { name, content } => write!(f, "{name}: {content}"),
        }
    }
}

#[cfg(test)] // run by tests/functions
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_crash_changes_where_the_person_flies() {
        let call = || agent("Get me to Oslo".into(), 10_000);
        let report = durable::testing::crash_at_every_step(call).with(|engine| {
            let world = World::default();
            world.approved.store(true, Ordering::SeqCst);
            engine.state(world)
        });
        assert!(report.await.crashes >= 9);
    }

    #[tokio::test]
    async fn nor_whether_the_budget_is_enough() {
        let call = || agent("Get me to Oslo".into(), 60);
        let report =
            durable::testing::crash_at_every_step(call).with(|engine| engine.state(World::default()));
        assert!(report.await.crashes >= 3);
    }
}
