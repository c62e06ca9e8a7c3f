//! A game session: a lobby, rounds of turns on a board of numbers, moves that come or time out,
//! players who drop out and come back, a score, and a rematch if all want one.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use durable::{
    prelude::*,
    testing::{self, TestEngine},
};
use serde::{Deserialize, Serialize};

use crate::support::{Journal, MINUTE, SECOND};

type PlayerId = u8;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Settings {
    room: String,
    seats: usize,
    cells: usize,
    turn_secs: u64,
    most_games: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Player {
    id: PlayerId,
    name: String,
    missed: u32,
}

/// Cells in a row; each holds its number until somebody takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Board {
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Cell {
    Free(u32),
    Taken { by: PlayerId, points: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Move {
    Take(usize),
    Steal { from: PlayerId },
    Pass,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Ending {
    NobodyCame,
    Played { games: Vec<GameResult>, champion: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct GameResult {
    scores: BTreeMap<PlayerId, u32>,
    turns: u32,
    dropped: Vec<String>,
}

impl Board {
    fn new(cells: usize) -> Self {
        Board { cells: (1..).map(|points| Cell::Free(points * points)).take(cells).collect() }
    }

    fn is_full(&self) -> bool {
        self.cells.iter().all(|cell| matches!(cell, Cell::Taken { .. }))
    }

    fn scores(&self) -> impl Iterator<Item = (PlayerId, u32)> + '_ {
        self.cells.iter().filter_map(|cell| match *cell {
            Cell::Taken { by, points } => Some((by, points)),
            Cell::Free(_) => None,
        })
    }

    fn apply(&mut self, player: PlayerId, play: Move) -> Result<String, String> {
        match play {
            Move::Take(index) => {
                let cell = self.cells.get_mut(index).ok_or_else(|| format!("there is no cell {index}"))?;
                let Cell::Free(points) = *cell else { return Err(format!("cell {index} is taken")) };
                *cell = Cell::Taken { by: player, points };
                Ok(format!("takes {points}"))
            }
            Move::Steal { from } => {
                let stolen =
                    self.cells.iter_mut().find(|cell| matches!(cell, Cell::Taken { by, .. } if *by == from));
                let Some(Cell::Taken { by, points }) = stolen else { return Err("nothing to steal".into()) };
                *by = player;
                *points /= 2;
                Ok(format!("steals {points}"))
            }
            Move::Pass => Ok("passes".into()),
        }
    }
}

/// The players behind their screens.
#[derive(Default)]
struct Screens {
    journal: Journal,
    lobby: Journal,
    looks: Journal,
    rematches: Journal,
    /// Who is there, by the look at the lobby that finds them.
    arrivals: BTreeMap<usize, Vec<&'static str>>,
    moves: BTreeMap<PlayerId, Vec<Option<Move>>>,
    rematch: Vec<bool>,
}

#[activity]
async fn arrivals(State(screens): State<Screens>, context: ActivityContext, room: &str) -> Vec<String> {
    let look = screens.lobby.note(&context, room);
    screens.arrivals.get(&look).into_iter().flatten().map(ToString::to_string).collect()
}

#[activity(start_to_close = "1s")]
async fn poll_move(
    State(screens): State<Screens>,
    context: ActivityContext,
    player: PlayerId,
    turn: u32,
) -> Option<Move> {
    screens.looks.note(&context, format!("{player} in turn {turn}"));
    screens.moves.get(&player)?.get(turn as usize).copied().flatten()
}

#[activity]
async fn show(State(screens): State<Screens>, context: ActivityContext, room: &str, text: String) {
    screens.journal.note(&context, format!("{room}: {text}"));
}

#[activity]
async fn wants_rematch(State(screens): State<Screens>, context: ActivityContext, player: &Player) -> bool {
    let number = screens.rematches.note(&context, player.name.as_str());
    screens.rematch.get(number).copied().unwrap_or(false)
}

/// Everything that happens in a room, up to the last game.
#[workflow]
async fn session(settings: Settings) -> Result<Ending, Error> {
    let Settings { room, seats, most_games, .. } = &settings;
    ensure!(*seats >= 2, "a game needs two players, `{room}` has {seats} seats");
    let Some(mut players) = lobby(&settings).await else {
        show(room, "nobody came".to_string()).await;
        return Ok(Ending::NobodyCame);
    };

    let mut games = Vec::new();
    let mut wins: BTreeMap<String, u32> = BTreeMap::new();
    'session: while (games.len() as u32) < *most_games {
        if !games.is_empty() {
            for player in &players {
                if !wants_rematch(player).await {
                    show(room, format!("{} has had enough", player.name)).await;
                    break 'session;
                }
            }
            // The loser begins.
            players.rotate_left(1);
        }
        let (result, remaining) = play(settings.clone(), players).await;
        players = remaining;
        let best = result.scores.iter().max_by_key(|(_, points)| **points).map(|(id, _)| *id);
        if let Some(winner) = players.iter().find(|player| Some(player.id) == best) {
            let count = wins.entry(winner.name.clone()).or_default();
            *count += 1;
            show(room, format!("{} wins, {count} in all", winner.name)).await;
        }
        games.push(result);
        if players.len() < 2 {
            break;
        }
    }

    let champion = wins.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name);
    if let Some(name) = champion.as_deref() {
        show(room, format!("{name} is the champion of {} games", games.len())).await;
    }
    Ok(Ending::Played { games, champion })
}

/// Waits until the seats are taken; after two minutes two players are enough, after ten nobody waits any more.
#[workflow]
async fn lobby(settings: &Settings) -> Option<Vec<Player>> {
    let Settings { room, seats, .. } = settings;
    let opened = durable::now();
    let mut players: Vec<Player> = Vec::with_capacity(*seats);
    while players.len() < *seats {
        for name in arrivals(room).await {
            if players.iter().any(|player| player.name == name) {
                continue;
            }
            let id = PlayerId::try_from(players.len()).ok()?;
            show(room, format!("{name} joins as {id}")).await;
            players.push(Player { id, name, missed: 0 });
        }
        match durable::now().duration_since(opened).unwrap_or_default() {
            waited if waited >= 10 * MINUTE => return None,
            waited if waited >= 2 * MINUTE && players.len() >= 2 => break,
            _ if players.len() >= *seats => break,
            _ => sleep(20 * SECOND).await,
        }
    }
    Some(players)
}

/// One game, to a full board or to the last player.
#[workflow]
async fn play(settings: Settings, players: Vec<Player>) -> (GameResult, Vec<Player>) {
    let room = &settings.room;
    let mut board = Board::new(settings.cells);
    let mut dropped = Vec::new();
    let mut queue: VecDeque<Player> = players.into();
    let mut turns = 0;
    let mut passes = 0;

    while let Some(mut player) = queue.pop_front() {
        if board.is_full() || passes > queue.len() || queue.is_empty() {
            queue.push_front(player);
            break;
        }
        let turn = turns;
        turns += 1;
        let outcome = 'turn: {
            let mut waited = 0;
            while waited < settings.turn_secs {
                if let Some(play) = poll_move(player.id, turn).await {
                    break 'turn match board.apply(player.id, play) {
                        Ok(_) if play == Move::Pass => Err("passes"),
                        Ok(text) => Ok(text),
                        Err(why) => {
                            show(room, format!("{} may not: {why}", player.name)).await;
                            Err("made a bad move")
                        }
                    };
                }
                sleep(5 * SECOND).await;
                waited += 5;
            }
            player.missed += 1;
            Err("is asleep")
        };
        passes = match outcome {
            Ok(text) => {
                player.missed = 0;
                show(room, format!("{} {text}", player.name)).await;
                0
            }
            Err(why) => {
                show(room, format!("{} {why}", player.name)).await;
                passes + 1
            }
        };
        if player.missed >= 2 {
            show(room, format!("{} is dropped", player.name)).await;
            dropped.push(player.name);
        } else {
            queue.push_back(player);
        }
    }

    let mut scores = BTreeMap::new();
    for (player, points) in board.scores() {
        *scores.entry(player).or_insert(0) += points;
    }
    let mut remaining: Vec<_> = queue.into();
    for player in &mut remaining {
        player.missed = 0;
        let points = scores.get(&player.id).copied().unwrap_or_default();
        show(room, format!("{}: {points}", player.name)).await;
    }
    (GameResult { scores, turns, dropped }, remaining)
}

fn settings() -> Settings {
    Settings { room: "blue".into(), seats: 3, cells: 4, turn_secs: 15, most_games: 3 }
}

fn screens() -> Screens {
    Screens {
        arrivals: BTreeMap::from([(0, vec!["ann"]), (2, vec!["ann", "bo"])]),
        moves: BTreeMap::from([
            (0, vec![Some(Move::Take(3)), None, Some(Move::Take(1)), None, Some(Move::Pass)]),
            (
                1,
                vec![
                    Some(Move::Pass),
                    Some(Move::Take(3)),
                    None,
                    Some(Move::Steal { from: 0 }),
                    None,
                    Some(Move::Take(0)),
                ],
            ),
        ]),
        rematch: vec![true, true, false],
        ..Screens::default()
    }
}

async fn open(screens: &Arc<Screens>) -> TestEngine {
    testing::engine().state_arc(screens.clone()).open().await
}

#[tokio::test]
async fn two_friends_play_twice() {
    let screens = Arc::new(screens());
    let ending = open(&screens).await.run(session(settings())).await.unwrap().unwrap();
    let Ending::Played { games, champion } = ending else { panic!("{ending:?}") };
    assert_eq!(games.len(), 2, "{:#?}", screens.journal.lines());
    assert_eq!(champion.as_deref(), Some("ann"));
    assert!(screens.journal.lines().iter().any(|line| line.contains("bo may not: cell 3 is taken")));
    assert_eq!(screens.journal.lines().last().unwrap(), "blue: ann is the champion of 2 games");
}

#[tokio::test]
async fn who_sleeps_is_dropped() {
    let mut screens = screens();
    screens.moves.remove(&1);
    let screens = Arc::new(screens);
    let ending = open(&screens).await.run(session(settings())).await.unwrap().unwrap();
    let Ending::Played { games, .. } = ending else { panic!("{ending:?}") };
    assert_eq!(games.len(), 1);
    assert_eq!(games[0].dropped, ["bo"]);
    assert!(screens.journal.lines().contains(&"blue: bo is dropped".to_string()));
}

#[tokio::test]
async fn an_empty_lobby_closes_after_ten_minutes() {
    let screens = Arc::new(Screens::default());
    let engine = open(&screens).await;
    let started = engine.now();
    assert_eq!(engine.run(session(settings())).await.unwrap().unwrap(), Ending::NobodyCame);
    assert_eq!(engine.now().duration_since(started).unwrap(), 10 * MINUTE);
}

#[tokio::test]
async fn a_room_for_one_is_refused() {
    let outcome =
        open(&Arc::default()).await.run(session(Settings { seats: 1, ..settings() })).await.unwrap();
    assert_eq!(outcome.unwrap_err().to_string(), "a game needs two players, `blue` has 1 seats");
}

#[tokio::test]
async fn no_crash_changes_the_champion() {
    testing::crash_at_every_step(|| session(settings())).with(|engine| engine.state(screens())).await;
}
