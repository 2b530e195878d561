//! Producing: all records of a call are handed over, then flushed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaResult;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use serde_json::{json, Value};

use crate::context::{Context, Deliveries, Delivery, Sent};
use crate::driver::{failure, from_base64, left, unsupported, Answer, Args, Failure};
use crate::names::{failure_of, failure_of_client, refusal, unless_refused};
use crate::session::Session;

const MESSAGE_BYTES_MAX: &str = "100000000";
/**
 * Long enough for one call's records to be in one batch: since 0.36 the crate's `flush` ends the lingering only by
 * chance (it flushes for no time, over and over).
 */
const LINGER_MS: &str = "40";
const FLUSH: Duration = Duration::from_millis(10);

pub fn produce(session: &Session, args: Args) -> Answer {
    let producer = named_producer(session, args)?;
    let records = args.list("records");
    let deadline = args.deadline(15_000);
    let deliveries = Deliveries::of(records.len());
    for (index, record) in records.iter().enumerate() {
        send(&producer, args.text("topic"), *record, Sent { index, deliveries: deliveries.clone() })?;
        if !args.flag_or("oneBatch", true) {
            settle(session, &producer, &deliveries, index + 1, deadline)?;
        }
    }
    settle(session, &producer, &deliveries, records.len(), deadline)?;
    let places = deliveries.places().into_iter().map(|delivery| match delivery {
        Delivery::Failed(error) => {
            Err(unless_refused(&session.refused, failure_of_client(producer.client(), &error)))
        }
        Delivery::Placed { partition, offset } if offset >= 0 => {
            Ok(json!({"partition": partition, "offset": offset.to_string()}))
        }
        Delivery::Placed { partition, .. } => Ok(json!({"partition": partition})),
        Delivery::Waiting => Ok(json!({})),
    });
    Ok(json!({"records": places.collect::<Result<Vec<Value>, Failure>>()?}))
}

fn send(
    producer: &ThreadedProducer<Context>,
    topic: &str,
    record: Args,
    sent: Sent,
) -> Result<(), Failure> {
    let (key, value) = (record.bytes("key"), record.bytes("value"));
    let mut outgoing: BaseRecord<'_, Vec<u8>, Vec<u8>, Box<Sent>> =
        BaseRecord::with_opaque_to(topic, Box::new(sent));
    outgoing.key = key.as_ref();
    outgoing.payload = value.as_ref();
    outgoing.partition = record.get("partition").as_i64().map(|partition| partition as i32);
    outgoing.timestamp = record.int64("timestamp");
    if outgoing.timestamp == Some(0) {
        return unsupported("librdkafka takes a timestamp of 0 for the present time");
    }
    let headers = record.get("headers").as_array().map(Vec::as_slice).unwrap_or_default();
    if !headers.is_empty() {
        outgoing.headers = Some(headers.iter().fold(OwnedHeaders::new(), with_header));
    }
    producer.send(outgoing).map_err(|(error, _)| failure_of_client(producer.client(), &error))
}

fn with_header(headers: OwnedHeaders, pair: &Value) -> OwnedHeaders {
    let value = from_base64(&pair[1]);
    headers.insert(Header { key: pair[0].as_str().unwrap_or_default(), value: value.as_ref() })
}

/// Waits for the first `count` acknowledgements.
fn settle(
    session: &Session,
    producer: &ThreadedProducer<Context>,
    deliveries: &Deliveries,
    count: usize,
    deadline: Instant,
) -> Result<(), Failure> {
    loop {
        // That not all is acknowledged yet is not an error.
        let _ = producer.flush(FLUSH);
        if deliveries.wait(count, FLUSH) {
            return Ok(());
        }
        if session.refused.is_told() {
            return Err(refusal());
        }
        if left(deadline).is_zero() {
            return Err(failure("TIMEOUT", "no acknowledgement in time"));
        }
    }
}

fn named_producer(session: &Session, args: Args) -> Result<Arc<ThreadedProducer<Context>>, Failure> {
    let mut producers = session.producers.lock().unwrap();
    let name = args.text_or("producer", "default");
    if let Some(producer) = producers.get(name) {
        return Ok(producer.clone());
    }
    let mut config = session.config();
    config
        .set("acks", args.text_or("acks", "all"))
        .set("compression.codec", args.text_or("compression", "none"))
        .set("enable.idempotence", args.flag_or("idempotent", false).to_string())
        .set("linger.ms", if args.flag_or("oneBatch", true) { LINGER_MS } else { "0" })
        .set("batch.num.messages", "1000000")
        // The broker's limit is what counts.
        .set("message.max.bytes", MESSAGE_BYTES_MAX)
        .set("message.timeout.ms", args.number_or("timeoutMs", 15_000).to_string())
        .set("topic.metadata.propagation.max.ms", "3000")
        .set("retry.backoff.ms", "20");
    let created: KafkaResult<ThreadedProducer<Context>> = config.create_with_context(session.context(None));
    let producer = Arc::new(created.map_err(|error| failure_of(&error))?);
    producers.insert(name.to_string(), producer.clone());
    Ok(producer)
}
