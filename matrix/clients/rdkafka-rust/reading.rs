//! Reading one partition by assignment, and as a member of a group for the length of a call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, Timestamp, TopicPartitionList};
use serde_json::{json, Value};

use crate::admin::offset_at;
use crate::context::Context;
use crate::driver::{failure, left, to_base64, Answer, Args, Failure};
use crate::names::{failure_of, failure_of_client, refusal};
use crate::session::{close, unique_name, Session, TIMEOUT};

/// So that a refusal is seen while nothing comes.
const STEP: Duration = Duration::from_millis(100);

/// One partition, by assignment. The end of a partition is an event of librdkafka's.
pub struct Reader {
    consumer: Arc<BaseConsumer<Context>>,
    topic: String,
    partition: i32,
    received: Vec<Value>,
    position: i64,
    at_end: bool,
}

impl Reader {
    fn open(
        session: &Session,
        (topic, partition): (&str, i32),
        offset: i64,
        reset: &str,
        extra: &[(&str, String)],
    ) -> Result<Reader, Failure> {
        let mut config = session.consumer_config(&unique_name(), reset);
        for (name, value) in extra {
            config.set(*name, value);
        }
        let consumer = session.consumer(&config, None)?;
        let mut place = TopicPartitionList::new();
        place
            .add_partition_offset(topic, partition, Offset::Offset(offset))
            .and_then(|()| consumer.assign(&place))
            .map_err(|error| failure_of(&error))?;
        let received = Vec::new();
        Ok(Reader { consumer, topic: topic.to_string(), partition, received, position: offset, at_end: false })
    }

    /// Takes one event, if one comes in time.
    fn step(&mut self, time: Duration) -> Result<bool, Failure> {
        match self.consumer.poll(time) {
            None => Ok(false),
            Some(Ok(message)) => {
                self.at_end = false;
                self.position = message.offset() + 1;
                self.received.push(to_received(&message));
                Ok(true)
            }
            Some(Err(KafkaError::PartitionEOF(_))) => {
                self.at_end = true;
                Ok(true)
            }
            Some(Err(error)) if is_passing(&error) => Ok(false),
            Some(Err(error)) => Err(failure_of_client(self.consumer.client(), &error)),
        }
    }

    fn take(
        &mut self,
        session: &Session,
        count: Option<usize>,
        end: Option<i64>,
        deadline: Instant,
    ) -> Result<Vec<Value>, Failure> {
        loop {
            let enough = count.is_some_and(|count| self.received.len() >= count);
            let ended = end.is_some_and(|end| self.position >= end || self.at_end);
            if enough || ended || left(deadline).is_zero() {
                let taken = count.unwrap_or(usize::MAX).min(self.received.len());
                return Ok(self.received.drain(..taken).collect());
            }
            if session.refused.is_told() {
                return Err(refusal());
            }
            self.step(left(deadline).min(STEP))?;
        }
    }

    fn seek(&mut self, offset: i64) -> Result<(), Failure> {
        self.received.clear();
        self.at_end = false;
        self.position = offset;
        self.consumer
            .seek(&self.topic, self.partition, Offset::Offset(offset), TIMEOUT)
            .map_err(|error| failure_of(&error))
    }
}

/// librdkafka tells of a lost connection, and gets over it by itself.
pub fn is_passing(error: &KafkaError) -> bool {
    use rdkafka::error::RDKafkaErrorCode::*;
    matches!(error.rdkafka_error_code(), Some(BrokerTransportFailure | AllBrokersDown | Resolve | OperationTimedOut))
}

pub fn consume(session: &Session, args: Args) -> Answer {
    let deadline = args.deadline(15_000);
    let place = place_of(args);
    let start = start_offset(session, place, args, "earliest")?;
    let mut end = None;
    if args.text("until") == "end" {
        let latest = offset_at(session, place, &json!("latest"))?;
        if latest == start {
            return Ok(json!({"records": []}));
        }
        end = Some(latest);
    }
    let committed = if args.flag_or("readCommitted", false) { "read_committed" } else { "read_uncommitted" };
    let mut extra = vec![("isolation.level", committed.to_string())];
    if let Some(bytes) = args.get("maxPartitionBytes").as_i64() {
        extra.push(("max.partition.fetch.bytes", bytes.to_string()));
    }
    let reset = Some(args.text_or("reset", "none")).filter(|reset| *reset != "none").unwrap_or("error");
    let mut reader = Reader::open(session, place, start, reset, &extra)?;
    let count = args.get("count").as_u64().map(|count| count as usize);
    let taken = reader.take(session, count, end, deadline);
    close(reader);
    Ok(json!({"records": taken?}))
}

fn place_of(args: Args<'_>) -> (&str, i32) {
    (args.text("topic"), args.number_or("partition", 0) as i32)
}

fn start_offset(session: &Session, place: (&str, i32), args: Args, fallback: &str) -> Result<i64, Failure> {
    match args.within("from").int64("offset") {
        Some(offset) => Ok(offset),
        None => offset_at(session, place, &json!(args.text_or("from", fallback))),
    }
}

pub fn open_consumer(session: &Session, args: Args) -> Answer {
    let place = place_of(args);
    let start = start_offset(session, place, args, "latest")?;
    let mut reader = Reader::open(session, place, start, "error", &[])?;
    // The first event, a record or the end of the partition, says that it fetches.
    let deadline = Instant::now() + TIMEOUT;
    while !reader.step(left(deadline).min(STEP))? && !left(deadline).is_zero() {
        if session.refused.is_told() {
            return Err(refusal());
        }
    }
    let name = args.text("consumer").to_string();
    session.readers.lock().unwrap().insert(name, Arc::new(Mutex::new(reader)));
    Ok(Value::Null)
}

fn open_named(session: &Session, args: Args) -> Result<Arc<Mutex<Reader>>, Failure> {
    let name = args.text("consumer");
    let found = session.readers.lock().unwrap().get(name).cloned();
    found.ok_or_else(|| failure("NoSuchConsumer", format!("no consumer {name} is open")))
}

pub fn poll(session: &Session, args: Args) -> Answer {
    let deadline = args.deadline(15_000);
    let reader = open_named(session, args)?;
    let count = Some(args.number_or("count", 1) as usize);
    let records = reader.lock().unwrap().take(session, count, None, deadline)?;
    Ok(json!({"records": records}))
}

pub fn seek(session: &Session, args: Args) -> Answer {
    let reader = open_named(session, args)?;
    let result = reader.lock().unwrap().seek(args.int64("offset").unwrap_or(0));
    result.map(|()| Value::Null)
}

pub fn close_consumer(session: &Session, args: Args) -> Answer {
    if let Some(reader) = session.readers.lock().unwrap().remove(args.text("consumer")) {
        close(reader);
    }
    Ok(Value::Null)
}

pub fn consume_in_group(session: &Session, args: Args) -> Answer {
    let deadline = args.deadline(20_000);
    let config = session.consumer_config(args.text("group"), args.text_or("from", "earliest"));
    let consumer = session.consumer(&config, None)?;
    let result = read_in_group(session, &consumer, args, deadline);
    // It has left the group when the op answers.
    drop(consumer);
    Ok(json!({"records": result?}))
}

fn read_in_group(
    session: &Session,
    consumer: &BaseConsumer<Context>,
    args: Args,
    deadline: Instant,
) -> Result<Vec<Value>, Failure> {
    let (topic, count) = (args.text("topic"), args.number_or("count", 1) as usize);
    consumer.subscribe(&[topic]).map_err(|error| failure_of(&error))?;
    let (mut records, mut positions) = (Vec::new(), BTreeMap::new());
    while records.len() < count && !left(deadline).is_zero() {
        if session.refused.is_told() {
            return Err(refusal());
        }
        match consumer.poll(left(deadline).min(STEP)) {
            None | Some(Err(KafkaError::PartitionEOF(_))) => {}
            Some(Ok(message)) => {
                positions.insert(message.partition(), message.offset() + 1);
                records.push(to_received(&message));
            }
            Some(Err(error)) if is_passing(&error) => {}
            Some(Err(error)) => return Err(failure_of_client(consumer.client(), &error)),
        }
    }
    let mut places = TopicPartitionList::new();
    for (partition, offset) in positions {
        let added = places.add_partition_offset(topic, partition, Offset::Offset(offset));
        added.map_err(|error| failure_of(&error))?;
    }
    if places.count() > 0 {
        let committed = consumer.commit(&places, CommitMode::Sync);
        committed.map_err(|error| failure_of_client(consumer.client(), &error))?;
    }
    Ok(records)
}

pub fn to_received(message: &impl Message) -> Value {
    let headers: Vec<Value> = message
        .headers()
        .map(|headers| headers.iter().map(|header| json!([header.key, to_base64(header.value)])).collect())
        .unwrap_or_default();
    let mut received = json!({
        "partition": message.partition(),
        "offset": message.offset().to_string(),
        "timestamp": message.timestamp().to_millis().unwrap_or(-1).to_string(),
        "key": to_base64(message.key()),
        "value": to_base64(message.payload()),
        "headers": headers,
    });
    match message.timestamp() {
        Timestamp::CreateTime(_) => received["timestampType"] = json!("create"),
        Timestamp::LogAppendTime(_) => received["timestampType"] = json!("append"),
        Timestamp::NotAvailable => {}
    }
    received
}
