//! The machine as a graph, for people.

use durable::prelude::*;
use std::time::Duration;

#[activity]
async fn graph_check(id: &str) -> Result<bool, Error> {
    Ok(id.len() > 2)
}

#[workflow(name = "graph \"quoted\"")]
async fn graphed(id: String) -> Result<u32, Error> {
    let mut tries = 0;
    while !graph_check(&id).await? {
        tries += 1;
        #[resume("pause")]
        sleep(Duration::from_secs(60)).await;
    }
    Ok(tries)
}

#[workflow]
async fn graphed_generic<T: durable::Persist + Clone>(value: T) -> T {
    sleep(Duration::from_secs(1)).await;
    value.clone()
}

#[test]
fn points_tell_what_they_await_and_keep_and_what_can_come_next() {
    let graph = durable::graph(graphed);
    let told: Vec<_> = graph.points().map(|point| (point.awaits(), point.keeps(), point.next())).collect();
    assert_eq!(graph.first(), [1]);
    assert_eq!(
        told,
        [("graph_check", vec!["id", "tries"], vec![0, 2]), ("sleep", vec!["id", "tries"], vec![1])]
    );
    let lines: Vec<u32> = graph.points().map(durable::ResumePoint::line).collect();
    assert_eq!(lines[1] - lines[0], 3, "a point stands where its await does");
}

#[test]
fn mermaid_and_dot_draw_the_same_machine() {
    let graph = durable::graph(graphed);
    let line = graph.points().next().expect("there are two").line();
    let mermaid = graph.mermaid();
    assert!(
        mermaid.starts_with("flowchart TD\n    p0([\"graph #quot;quoted#quot;, tests/behaviour/graph.rs:")
    );
    assert!(
        mermaid.contains(&format!("p1[\"1: graph_check, line {line}<br/>keeps id, tries\"]")),
        "{mermaid}"
    );
    assert!(mermaid.contains("p2[\"2: sleep, line"), "{mermaid}");
    assert!(mermaid.contains("<br/>pause<br/>"), "{mermaid}");
    assert_eq!(edges(&mermaid, " --> "), ["p0 p1", "p1 done", "p1 p2", "p2 p1"]);
    let dot = graph.dot();
    assert!(dot.starts_with("digraph \"graph \\\"quoted\\\"\" {\n") && dot.ends_with("}\n"), "{dot}");
    assert_eq!(edges(&dot.replace(';', ""), " -> "), edges(&mermaid, " --> "));
    assert_eq!(graph.to_string(), mermaid);
}

#[test]
fn a_generic_workflow_has_one_too() {
    assert_eq!(durable::graph(graphed_generic::<u8>).points().count(), 1);
}

fn edges(text: &str, arrow: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.trim().split_once(arrow))
        .map(|(from, to)| format!("{from} {to}"))
        .collect()
}
