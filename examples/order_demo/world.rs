//! The services outside, in one side file: each request is a line, and a key that a service has seen
//! before gets the old answer and changes nothing. That is what real payment gateways do.

use std::{
    fmt, fs,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use durable::{ActivityContext, Error, ErrorContext};
use serde::{Deserialize, Serialize};

use super::{
    event::{Kind, Moment},
    process::Stage,
};

/// How long a service takes to answer.
const LATENCY: Duration = Duration::from_millis(60);
/// The carrier is away for its first so many requests.
const CARRIER_REFUSES: usize = 2;

/// A service outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Service {
    Inventory,
    CardGateway,
    Carrier,
    Mail,
    OrderBook,
}

impl Service {
    pub(crate) const ALL: [Service; 5] =
        [Service::Inventory, Service::CardGateway, Service::Carrier, Service::Mail, Service::OrderBook];

    /// The activity that asks it.
    pub(crate) fn activity(self) -> &'static str {
        match self {
            Service::Inventory => "reserve_inventory",
            Service::CardGateway => "charge_card",
            Service::Carrier => "create_label",
            Service::Mail => "send_confirmation",
            Service::OrderBook => "mark_complete",
        }
    }

    fn answer(self) -> &'static str {
        match self {
            Service::Inventory => "reservation",
            Service::CardGateway => "charge",
            Service::Carrier => "label",
            Service::Mail => "message",
            Service::OrderBook => "entry",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Service::Inventory => "inventory",
            Service::CardGateway => "card gateway",
            Service::Carrier => "carrier",
            Service::Mail => "mail",
            Service::OrderBook => "order book",
        })
    }
}

/// A line of the side file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) key: String,
    pub(crate) detail: String,
    /// Whether something was done: not for a refused request, nor for a repeated one.
    pub(crate) effect: bool,
}

/// All services.
#[derive(Debug)]
pub(crate) struct World {
    ledger: PathBuf,
    stage: Stage,
}

impl World {
    pub(crate) fn new(ledger: PathBuf, stage: Stage) -> Self {
        World { ledger, stage }
    }

    /// Asks a service for something and waits for its answer.
    pub(crate) async fn request(
        &self,
        service: Service,
        context: &ActivityContext,
        detail: &str,
    ) -> Result<String, Error> {
        let activity = service.activity();
        let key = context.idempotency_key().to_string();
        let (attempt, shown) = (context.attempt(), key.clone());
        self.stage.say(Kind::Attempt { activity: activity.into(), attempt, key: shown });

        let asked: Vec<Request> =
            read(&self.ledger)?.into_iter().filter(|request| request.service == service).collect();
        let refused = service == Service::Carrier && asked.len() < CARRIER_REFUSES;
        let repeated = asked.iter().any(|request| request.key == key && request.effect);
        let effect = !refused && !repeated;
        self.append(&Request { service, key: key.clone(), detail: detail.into(), effect })?;
        tokio::time::sleep(LATENCY).await;

        if refused {
            let error = format!("{service}: 503 service unavailable");
            self.stage.say(Kind::Refused { activity: activity.into(), error: error.clone() });
            return Err(Error::msg(error));
        }
        if service == Service::CardGateway {
            // The gateway has the money; its answer is still on the way.
            self.stage.pause_at(Moment::InActivity).await;
        }
        let answer = format!("{}-{}", service.answer(), &key[..6]);
        self.stage.say(Kind::Answer { activity: activity.into(), answer: answer.clone(), repeated });
        if service == Service::Inventory {
            self.stage.reserved();
        }
        Ok(answer)
    }

    fn append(&self, request: &Request) -> Result<(), Error> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        let mut ledger = fs::OpenOptions::new().create(true).append(true).open(&self.ledger)?;
        ledger.write_all(&line).context("the side file of the services")
    }
}

/// Everything that the services were ever asked.
pub(crate) fn read(ledger: &PathBuf) -> Result<Vec<Request>, io::Error> {
    let text = match fs::read_to_string(ledger) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::other)).collect()
}
