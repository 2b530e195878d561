//! Readers, and what is asked of a topic.

use std::sync::Arc;
use std::time::Instant;

use pulsar::consumer::InitialPosition;
use pulsar::proto::MessageIdData;
use pulsar::reader::Reader;
use pulsar::{ConsumerOptions, TokioExecutor};
use serde_json::{json, Value};

use crate::driver::{unsupported, Answer, Args, Failure};
use crate::handles::Shared;
use crate::messages::{from_id, is_none, place_of, to_id, told, Received};
use crate::names::failure_of;
use crate::session::{opened, Session};

pub type StreamOf = Reader<Vec<u8>, TokioExecutor>;

async fn new_reader(session: &Session, args: Args<'_>, fallback: &str) -> Result<StreamOf, Failure> {
    let mut options =
        ConsumerOptions::default().durable(false).read_compacted(args.flag_or("compacted", false));
    let from = args.within("from");
    if from.has("id") {
        options = options.starting_on_message(start_of(from)?);
    } else if args.text_or("from", fallback) == "earliest" {
        options = options.with_initial_position(InitialPosition::Earliest);
    }
    let builder = session.client().await?.reader().with_topic(args.text("topic")).with_options(options);
    builder.into_reader().await.map_err(|error| failure_of(&error))
}

/// The broker starts with a message; what is too much then, other clients leave out.
fn start_of(from: Args) -> Result<MessageIdData, Failure> {
    let id = to_id(from.within("id"));
    if id.batch_index.is_some() {
        return unsupported("pulsar for Rust has no reader that starts inside of a batch");
    }
    match from.flag_or("inclusive", false) {
        true => Ok(id),
        false => unsupported("pulsar for Rust has no reader that starts after a message: it starts with it"),
    }
}

pub async fn read(session: &Session, args: Args<'_>) -> Answer {
    let deadline = args.deadline(15_000);
    let mut reader = new_reader(session, args, "earliest").await?;
    let last = match args.has("until") {
        true => Some(reader.get_last_message_id().await.map_err(|error| failure_of(&error))?),
        false => None,
    };
    let count = args.number_or("count", i64::MAX);
    let reader = Shared::of(reader);
    let messages = match last.as_ref().is_some_and(|last| is_read(args, last)) {
        true => Vec::new(),
        false => take(&reader, count, deadline, |id| last.as_ref().is_some_and(|last| is_end(id, last))).await?,
    };
    Ok(told(&messages))
}

/// Whether there is nothing to read before that end.
fn is_read(args: Args, last: &MessageIdData) -> bool {
    let from = args.within("from");
    let starts_after = |id: MessageIdData| is_end(&id, last) && place_of(&id) != place_of(last);
    is_none(last) || args.text("from") == "latest" || (from.has("id") && starts_after(to_id(from.within("id"))))
}

fn is_end(id: &MessageIdData, last: &MessageIdData) -> bool {
    let in_entry = |each: &MessageIdData| (each.ledger_id, each.entry_id);
    in_entry(id) > in_entry(last) || (in_entry(id) == in_entry(last) && place_of(id).2 >= place_of(last).2)
}

/// So many messages, or those up to the end, or those that came in time.
async fn take(
    reader: &Shared<StreamOf>,
    count: i64,
    deadline: Instant,
    is_last: impl Fn(&MessageIdData) -> bool,
) -> Result<Vec<Received>, Failure> {
    let mut messages: Vec<Received> = Vec::new();
    while (messages.len() as i64) < count {
        let Some(next) = reader.next(deadline).await else { break };
        messages.push(next.map_err(|error| failure_of(&error))?);
        if messages.last().is_some_and(|message| is_last(message.message_id())) {
            break;
        }
    }
    Ok(messages)
}

pub async fn open_reader(session: &Session, args: Args<'_>) -> Answer {
    let reader = new_reader(session, args, "latest").await?;
    session.readers.lock().unwrap().insert(args.text("reader").to_string(), Arc::new(Shared::of(reader)));
    Ok(Value::Null)
}

pub async fn read_next(session: &Session, args: Args<'_>) -> Answer {
    let reader = opened(&session.readers, args.text("reader"))?;
    let messages = take(&reader, args.number_or("count", 1), args.deadline(15_000), |_| false).await?;
    Ok(told(&messages))
}

pub async fn last_message_id(session: &Session, args: Args<'_>) -> Answer {
    let mut reader = new_reader(session, args, "latest").await?;
    let last = reader.get_last_message_id().await.map_err(|error| failure_of(&error))?;
    Ok(json!({"id": (!is_none(&last)).then(|| from_id(&last))}))
}

pub async fn partitions(session: &Session, args: Args<'_>) -> Answer {
    let client = session.client().await?;
    let found = client.lookup_partitioned_topic(args.text("topic")).await.map_err(|error| failure_of(&error))?;
    Ok(json!({"names": found.into_iter().map(|(name, _)| name).collect::<Vec<String>>()}))
}
