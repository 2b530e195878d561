//! Producing: all messages of a call are handed over, and a batch is then sent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use pulsar::compression::{Compression, CompressionLz4, CompressionSnappy, CompressionZlib, CompressionZstd};
use pulsar::producer::{Message, SendFuture};
use pulsar::proto::{schema::Type, MessageIdData, Schema};
use pulsar::{CommandSendReceipt, Error, Producer, ProducerOptions, TokioExecutor};
use serde_json::{json, Value};

use crate::driver::{failure, left, unsupported, Answer, Args, Failure};
use crate::messages::from_id;
use crate::names::failure_of;
use crate::session::Session;

type OneProducer = Producer<TokioExecutor>;

/// A batch is sent when all of it is handed over.
const BATCH_MESSAGES_MAX: u32 = 10_000;
/// A broker's usual limit: it closes the connection of who goes beyond.
const MESSAGE_BYTES_MAX: usize = 5 * 1024 * 1024;

/// A message, and when it is to be delivered.
struct Outgoing {
    message: Message,
    after: Option<Duration>,
}

pub async fn produce(session: &Session, args: Args<'_>) -> Answer {
    let deadline = args.deadline(15_000);
    let in_batch = args.flag_or("oneBatch", false);
    let messages = args
        .list("messages")
        .into_iter()
        .map(|message| outgoing(message, in_batch))
        .collect::<Result<Vec<Outgoing>, Failure>>()?;
    let producer = named_producer(session, args).await?;
    let mut producer = producer.lock().await;
    let receipts = async {
        let mut receipts = Vec::new();
        for message in messages {
            receipts.push(send(&mut producer, message).await?);
        }
        if in_batch {
            producer.send_batch().await?;
        }
        try_join_all(receipts).await
    };
    match tokio::time::timeout(left(deadline), receipts).await {
        Ok(receipts) => Ok(json!({"ids": ids_of(&receipts.map_err(|error| failure_of(&error))?, in_batch)?})),
        Err(_) => Err(failure("TIMEOUT", "no receipt in time")),
    }
}

/// Before 6.9.1 the library gives each message of a batch the id of the whole: its place is then the order of sending.
fn ids_of(receipts: &[CommandSendReceipt], in_batch: bool) -> Result<Vec<Value>, Failure> {
    let mut ids = Vec::new();
    let mut sent: HashMap<(u64, u64), i32> = HashMap::new();
    for receipt in receipts {
        let id = receipt.message_id.as_ref().ok_or_else(|| failure("NoMessageId", "a receipt without an id"))?;
        let before = sent.entry((id.ledger_id, id.entry_id)).or_default();
        let batch_index = id.batch_index.or(in_batch.then_some(*before));
        *before += 1;
        ids.push(from_id(&MessageIdData { batch_index, ..id.clone() }));
    }
    Ok(ids)
}

fn outgoing(args: Args, in_batch: bool) -> Result<Outgoing, Failure> {
    let Some(payload) = args.bytes("value") else {
        return unsupported("pulsar for Rust has no field null_value of a message to send: it has no tombstones");
    };
    if payload.len() > MESSAGE_BYTES_MAX {
        return unsupported("pulsar for Rust knows no limit of a message: it loses its connection by a larger one");
    }
    if args.has("sequenceId") {
        return unsupported("pulsar for Rust has no sequence id of a message to send");
    }
    if args.has("orderingKey") && !cfg!(feature = "since-6.9.1") {
        return unsupported("this version of pulsar for Rust leaves out a message's ordering key");
    }
    let after = args.get("deliverAfterMs").as_u64().map(Duration::from_millis);
    if after.is_some() && in_batch {
        return unsupported("pulsar for Rust leaves out when a message in a batch is to be delivered");
    }
    let properties: HashMap<String, String> = args
        .get("properties")
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_string()))
        .collect();
    let mut message = Message {
        payload,
        properties,
        partition_key: args.get("key").as_str().map(str::to_string),
        ordering_key: args.bytes("orderingKey"),
        event_time: args.int64("eventTime").map(|time| time as u64),
        ..Message::default()
    };
    if args.has("keyBytes") {
        with_key_bytes(&mut message, args)?;
    }
    Ok(Outgoing { message, after })
}

#[cfg(feature = "since-6.9.1")]
fn with_key_bytes(message: &mut Message, args: Args) -> Result<(), Failure> {
    message.partition_key = Some(args.text("keyBytes").to_string());
    message.partition_key_b64_encoded = Some(true);
    Ok(())
}

#[cfg(not(feature = "since-6.9.1"))]
fn with_key_bytes(_: &mut Message, _: Args) -> Result<(), Failure> {
    unsupported("this version of pulsar for Rust has keys of text only: no with_key_bytes")
}

async fn send(producer: &mut OneProducer, outgoing: Outgoing) -> Result<SendFuture, Error> {
    let Outgoing { message, after: Some(after) } = outgoing else {
        #[cfg(feature = "since-6.3.0")]
        return producer.send_non_blocking(outgoing.message).await;
        #[cfg(not(feature = "since-6.3.0"))]
        return producer.send(outgoing.message).await;
    };
    let mut builder = producer.create_message().with_content(message.payload);
    for (name, value) in message.properties {
        builder = builder.with_property(name, value);
    }
    if let Some(key) = message.partition_key {
        builder = builder.with_key(key);
    }
    if let Some(time) = message.event_time {
        builder = builder.event_time(time);
    }
    let builder = builder.delay(after).map_err(|error| Error::Custom(error.to_string()))?;
    #[cfg(feature = "since-6.3.0")]
    return builder.send_non_blocking().await;
    #[cfg(not(feature = "since-6.3.0"))]
    return builder.send().await;
}

async fn named_producer(
    session: &Session,
    args: Args<'_>,
) -> Result<Arc<tokio::sync::Mutex<OneProducer>>, Failure> {
    let key = (args.text_or("producer", "default").to_string(), args.text("topic").to_string());
    if let Some(producer) = session.producers.lock().unwrap().get(&key) {
        return Ok(producer.clone());
    }
    let options = options_of(args)?;
    let mut builder = session.client().await?.producer().with_topic(args.text("topic")).with_options(options);
    if let Some(name) = args.get("producerName").as_str() {
        builder = builder.with_name(name);
    }
    let made = builder.build().await.map_err(|error| failure_of(&error))?;
    let producer = Arc::new(tokio::sync::Mutex::new(made));
    session.producers.lock().unwrap().insert(key, producer.clone());
    Ok(producer)
}

fn options_of(args: Args) -> Result<ProducerOptions, Failure> {
    if args.flag_or("chunking", false) {
        return unsupported("pulsar for Rust has no chunking in its ProducerOptions");
    }
    if args.has("encryptionPublicKey") {
        return unsupported("pulsar for Rust has no encryption: its ProducerOptions take no key");
    }
    Ok(ProducerOptions {
        batch_size: args.flag_or("oneBatch", false).then_some(BATCH_MESSAGES_MAX),
        compression: Some(compression_of(args.text_or("compression", "none"))),
        schema: args.has("schema").then(|| schema_of(args.within("schema"))),
        ..ProducerOptions::default()
    })
}

fn compression_of(name: &str) -> Compression {
    match name {
        "lz4" => Compression::Lz4(CompressionLz4::default()),
        "zlib" => Compression::Zlib(CompressionZlib::default()),
        "zstd" => Compression::Zstd(CompressionZstd::default()),
        "snappy" => Compression::Snappy(CompressionSnappy::default()),
        _ => Compression::None,
    }
}

fn schema_of(args: Args) -> Schema {
    let name = args.text("type");
    let kind = match name {
        "json" => Type::Json,
        "avro" => Type::Avro,
        _ => Type::String,
    };
    Schema {
        name: name.to_uppercase(),
        schema_data: args.text("definition").as_bytes().to_vec(),
        r#type: kind as i32,
        properties: Vec::new(),
    }
}

pub async fn close_producer(session: &Session, args: Args<'_>) -> Answer {
    let closing: Vec<_> = {
        let mut producers = session.producers.lock().unwrap();
        let keys: Vec<_> = producers.keys().filter(|(name, _)| name == args.text("producer")).cloned().collect();
        keys.iter().filter_map(|key| producers.remove(key)).collect()
    };
    for producer in closing {
        producer.lock().await.close().await.map_err(|error| failure_of(&error))?;
    }
    Ok(Value::Null)
}
