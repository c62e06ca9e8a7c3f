//! An agent: a language model in a loop with tools, a conversation that grows, a budget, a person
//! who confirms what is dangerous, and sub-agents that are calls of the same workflow.

use std::{collections::BTreeMap, sync::Arc};

use durable::{
    CallError, Retry,
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{HOUR, Journal, MINUTE, SECOND};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Message {
    System(String),
    User(String),
    Assistant { text: String, calls: Vec<ToolCall> },
    Tool { call: String, content: String, failed: bool },
}

impl Message {
    fn text(&self) -> &str {
        match self {
            Message::System(text)
            | Message::User(text)
            | Message::Assistant { text, .. }
            | Message::Tool { content: text, .. } => text,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ToolCall {
    id: String,
    tool: String,
    arguments: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reply {
    text: String,
    calls: Vec<ToolCall>,
    usage: Usage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Usage {
    input: u64,
    output: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input += other.input;
        self.output += other.output;
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Task {
    prompt: String,
    budget: u64,
    depth: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    text: String,
    usage: Usage,
    turns: u32,
    transcript: Vec<Message>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum AgentError {
    #[error("the model is overloaded")]
    Overloaded,
    #[error("the budget of {budget} tokens is spent after {turns} turns")]
    OverBudget { budget: u64, turns: u32 },
    #[error("the model refused: {0}")]
    Refused(String),
    #[error("tool {tool}: {message}")]
    Tool { tool: String, message: String },
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The model, the tools and the person at the desk, scripted by the tests.
#[derive(Default)]
struct Lab {
    journal: Journal,
    looks: Journal,
    /// The replies, by what the last message of the conversation holds.
    script: BTreeMap<&'static str, Reply>,
    weather: BTreeMap<&'static str, &'static str>,
    approves: bool,
}

#[activity(
    start_to_close = "2min",
    retry(initial = "2s", max_attempts = 6),
    no_retry(AgentError::Refused(_))
)]
async fn complete(
    State(lab): State<Lab>,
    context: ActivityContext,
    conversation: &[Message],
    tools: &[String],
) -> Result<Reply, AgentError> {
    if context.attempt() == 1 && conversation.len() == 4 {
        return Err(AgentError::Overloaded);
    }
    assert!(tools.contains(&"weather".to_string()));
    let Some(last) = conversation.last().map(Message::text) else {
        return Err(AgentError::Refused("nothing was asked".into()));
    };
    let found = lab.script.iter().find(|(key, _)| last.contains(**key));
    found.map(|(_, reply)| reply.clone()).ok_or_else(|| AgentError::Refused(format!("no answer to: {last}")))
}

#[activity(start_to_close = "10s", retry(max_attempts = 3))]
async fn weather(State(lab): State<Lab>, city: &str) -> Result<String, AgentError> {
    let found = lab.weather.get(city).map(ToString::to_string);
    found.ok_or_else(|| AgentError::Tool { tool: "weather".into(), message: format!("no station in {city}") })
}

#[activity]
async fn send_money(
    State(lab): State<Lab>,
    context: ActivityContext,
    to: &str,
    cents: u64,
) -> Result<String, AgentError> {
    let number = lab.journal.note(&context, format!("{cents} to {to}"));
    Ok(format!("transfer {number} done"))
}

#[activity]
async fn ask_person(State(lab): State<Lab>, context: ActivityContext, question: &str) -> String {
    format!("ticket-{}", lab.journal.note(&context, question))
}

#[activity]
async fn verdict_of(State(lab): State<Lab>, context: ActivityContext, ticket: &str) -> Option<bool> {
    // The person takes two looks' time.
    (lab.looks.note(&context, ticket) >= 2).then_some(lab.approves)
}

#[activity]
async fn summarize(messages: &[Message]) -> String {
    format!("summary of {} messages", messages.len())
}

const TOOLS: &[&str] = &["weather", "send_money", "delegate"];
const LONGEST: usize = 8;

/// Works on a task until the model gives an answer without a call of a tool.
#[workflow]
async fn agent(task: Task) -> Result<Answer, AgentError> {
    let Task { prompt, budget, depth } = task;
    let mut conversation = vec![
        Message::System(format!("You are a careful assistant, {depth} levels down.")),
        Message::User(prompt),
    ];
    let mut usage = Usage::default();
    let mut transcript = Vec::new();
    let tools: Vec<_> = TOOLS.iter().map(ToString::to_string).collect();

    for turns in 1.. {
        let reply = complete(&conversation, &tools).retry(Retry::attempts(3).initial(SECOND)).await?;
        usage += reply.usage;
        if usage.input + usage.output > budget {
            return Err(AgentError::OverBudget { budget, turns });
        }

        let Reply { text, calls, .. } = reply;
        conversation.push(Message::Assistant { text: text.clone(), calls: calls.clone() });
        if calls.is_empty() {
            transcript.extend(conversation);
            return Ok(Answer { text, usage, turns, transcript });
        }

        for call in &calls {
            let left = budget - usage.input - usage.output;
            let message = match use_tool(call, left, depth).await {
                Ok((content, used)) => {
                    usage += used;
                    Message::Tool { call: call.id.clone(), content, failed: false }
                }
                // The model is told what went wrong and may try something else.
                Err(AgentError::Tool { tool, message }) => {
                    let content = format!("{tool} failed: {message}");
                    Message::Tool { call: call.id.clone(), content, failed: true }
                }
                Err(fatal) => return Err(fatal),
            };
            conversation.push(message);
        }

        // A long conversation is summed up; what was said is kept for the transcript.
        if conversation.len() > LONGEST {
            let recent = conversation.split_off(conversation.len() - 3);
            let old = std::mem::take(&mut conversation);
            let summary = summarize(&old).await;
            transcript.extend(old);
            conversation.push(Message::System(summary));
            conversation.extend(recent);
        }
    }
    unreachable!("the loop ends by a return")
}

/// One call of a tool, with what it gives back to the model.
#[workflow]
async fn use_tool(call: &ToolCall, left: u64, depth: u32) -> Result<(String, Usage), AgentError> {
    fn bad(call: &ToolCall, message: impl Into<String>) -> AgentError {
        AgentError::Tool { tool: call.tool.clone(), message: message.into() }
    }
    let arguments = &call.arguments;
    match call.tool.as_str() {
        "weather" => {
            let Some(city) = arguments["city"].as_str() else {
                return Err(bad(call, format!("`city` is missing in {arguments}")));
            };
            Ok((weather(city).await?, Usage::default()))
        }
        "send_money" => {
            let (Some(to), Some(cents)) = (arguments["to"].as_str(), arguments["cents"].as_u64()) else {
                return Err(bad(call, "`to` and `cents` are needed"));
            };
            if cents > 10_000 && !confirmed(format!("Send {cents} cents to {to}?")).await? {
                return Err(bad(call, "the person said no"));
            }
            Ok((send_money(to, cents).await?, Usage::default()))
        }
        "delegate" if depth < 2 => {
            let prompt = arguments["prompt"].as_str().unwrap_or_default().to_string();
            let answer = agent(Task { prompt, budget: left / 2, depth: depth + 1 }).await?;
            let content = json!({ "answer": answer.text, "turns": answer.turns }).to_string();
            Ok((content, answer.usage))
        }
        "delegate" => Err(bad(call, "too deep")),
        unknown => Err(bad(call, format!("there is no tool `{unknown}`"))),
    }
}

/// Asks a person, and takes silence for a no after a working day.
#[workflow]
async fn confirmed(question: String) -> Result<bool, AgentError> {
    let ticket = ask_person(&question).await;
    let deadline = durable::now() + 8 * HOUR;
    loop {
        match verdict_of(&ticket).await {
            Some(verdict) => break Ok(verdict),
            None if durable::now() >= deadline => break Ok(false),
            None => sleep(15 * MINUTE).await,
        }
    }
}

fn reply(text: &str, calls: &[(&str, Value)]) -> Reply {
    let calls = calls
        .iter()
        .enumerate()
        .map(|(index, (tool, arguments))| ToolCall {
            id: format!("call-{index}"),
            tool: (*tool).into(),
            arguments: arguments.clone(),
        })
        .collect();
    Reply { text: text.into(), calls, usage: Usage { input: 100, output: 10 } }
}

fn lab() -> Lab {
    Lab {
        script: BTreeMap::from([
            (
                "trip",
                reply(
                    "Let me see.",
                    &[
                        ("weather", json!({ "city": "Oslo" })),
                        ("weather", json!({ "city": "Atlantis" })),
                        ("delegate", json!({ "prompt": "pay the hotel" })),
                    ],
                ),
            ),
            ("pay the hotel", reply("", &[("send_money", json!({ "to": "hotel", "cents": 45_000 }))])),
            ("transfer", reply("The hotel is paid.", &[])),
            ("The hotel is paid", reply("Snow in Oslo; the hotel is paid.", &[])),
            ("said no", reply("The hotel is not paid.", &[])),
            ("The hotel is not paid", reply("No trip.", &[])),
        ]),
        weather: BTreeMap::from([("Oslo", "snow")]),
        approves: true,
        ..Lab::default()
    }
}

fn trip() -> Task {
    Task { prompt: "Plan my trip".into(), budget: 10_000, depth: 0 }
}

async fn open(lab: &Arc<Lab>) -> TestEngine {
    testing::engine().state_arc(lab.clone()).open().await
}

#[tokio::test]
async fn tools_are_used_and_a_sub_agent_pays_once_a_person_agrees() {
    let lab = Arc::new(lab());
    let engine = open(&lab).await;
    let answer = engine.run(agent(trip())).await.unwrap().unwrap();
    assert_eq!(answer.text, "Snow in Oslo; the hotel is paid.");
    assert_eq!(answer.turns, 2);
    assert_eq!(answer.usage, Usage { input: 400, output: 40 });
    assert_eq!(lab.journal.lines(), ["Send 45000 cents to hotel?", "45000 to hotel"]);
    assert_eq!(engine.calls(verdict_of).len(), 3);
    let failed: Vec<_> = answer
        .transcript
        .iter()
        .filter(|message| matches!(message, Message::Tool { failed: true, .. }))
        .collect();
    assert_eq!(
        failed,
        [&Message::Tool {
            call: "call-1".into(),
            content: "weather failed: no station in Atlantis".into(),
            failed: true
        }]
    );
}

#[tokio::test]
async fn a_no_is_told_to_the_model_and_nothing_is_paid() {
    let lab = Arc::new(Lab { approves: false, ..lab() });
    let answer = open(&lab).await.run(agent(trip())).await.unwrap().unwrap();
    assert_eq!(answer.text, "No trip.");
    assert_eq!(lab.journal.lines(), ["Send 45000 cents to hotel?"]);
}

#[tokio::test]
async fn a_spent_budget_ends_the_work() {
    let lab = Arc::new(lab());
    let outcome = open(&lab).await.run(agent(Task { budget: 300, ..trip() })).await.unwrap();
    assert_eq!(outcome, Err(AgentError::OverBudget { budget: 95, turns: 1 }));
}

#[tokio::test]
async fn no_crash_changes_the_answer() {
    testing::crash_at_every_step(|| agent(trip())).with(|engine| engine.state(lab())).await;
}
