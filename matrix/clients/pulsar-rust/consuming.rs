//! Consumers of a subscription.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pulsar::consumer::InitialPosition;
use pulsar::proto::MessageIdData;
use pulsar::{Consumer, ConsumerOptions, SubType, TokioExecutor};
use serde_json::Value;

use crate::driver::{unsupported, Answer, Args};
use crate::handles::Shared;
use crate::messages::{place_of, to_id, told, Place};
use crate::names::{failure_of, failure_of_consumer};
use crate::session::{opened, removed, Session};

type OneConsumer = Consumer<Vec<u8>, TokioExecutor>;

pub struct Subscribed {
    consumer: Shared<OneConsumer>,
    topic: String,
    /// Where a message came from: a consumer may be of several partitions.
    topics: Mutex<HashMap<Place, String>>,
}

pub async fn subscribe(session: &Session, args: Args<'_>) -> Answer {
    if args.flag_or("batchIndexAck", false) {
        return unsupported("pulsar for Rust has no acknowledgement of single messages of a batch");
    }
    if args.has("negativeAckDelayMs") {
        return unsupported("pulsar for Rust has no delay of negative acknowledgements");
    }
    let position = match args.text_or("from", "earliest") {
        "latest" => InitialPosition::Latest,
        _ => InitialPosition::Earliest,
    };
    let options = ConsumerOptions::default()
        .with_initial_position(position)
        .read_compacted(args.flag_or("compacted", false));
    let mut builder = session
        .client()
        .await?
        .consumer()
        .with_topic(args.text("topic"))
        .with_subscription(args.text("subscription"))
        .with_subscription_type(type_of(args.text_or("type", "exclusive")))
        .with_options(options);
    if let Some(size) = args.get("receiverQueueSize").as_u64() {
        // As many are asked for at once.
        builder = builder.with_batch_size(size as u32);
    }
    let consumer = builder.build().await.map_err(|error| failure_of(&error))?;
    let subscribed = Subscribed {
        consumer: Shared::of(consumer),
        topic: args.text("topic").to_string(),
        topics: Mutex::default(),
    };
    session.consumers.lock().unwrap().insert(args.text("consumer").to_string(), Arc::new(subscribed));
    Ok(Value::Null)
}

fn type_of(name: &str) -> SubType {
    match name {
        "failover" => SubType::Failover,
        "shared" => SubType::Shared,
        "key_shared" => SubType::KeyShared,
        _ => SubType::Exclusive,
    }
}

pub async fn receive(session: &Session, args: Args<'_>) -> Answer {
    let subscribed = opened(&session.consumers, args.text("consumer"))?;
    let deadline = args.deadline(15_000);
    let mut messages = Vec::new();
    while (messages.len() as i64) < args.number_or("count", 1) {
        let Some(next) = subscribed.consumer.next(deadline).await else { break };
        let message = next.map_err(|error| failure_of(&error))?;
        let place = place_of(message.message_id());
        subscribed.topics.lock().unwrap().insert(place, message.topic.clone());
        messages.push(message);
    }
    Ok(told(&messages))
}

impl Subscribed {
    fn topic_of(&self, id: &MessageIdData) -> String {
        self.topics.lock().unwrap().get(&place_of(id)).unwrap_or(&self.topic).clone()
    }
}

pub async fn acknowledge(session: &Session, args: Args<'_>) -> Answer {
    let subscribed = opened(&session.consumers, args.text("consumer"))?;
    let mut consumer = subscribed.consumer.lock().await;
    for id in args.list("ids").into_iter().map(to_id) {
        let topic = subscribed.topic_of(&id);
        let acknowledged = match args.flag_or("cumulative", false) {
            true => consumer.cumulative_ack_with_id(&topic, id).await,
            false => consumer.ack_with_id(&topic, id).await,
        };
        acknowledged.map_err(failure_of_consumer)?;
    }
    handled(&mut consumer).await
}

/// Acknowledgements have no answer: what the broker is asked next has, when it has seen to them.
async fn handled(consumer: &mut OneConsumer) -> Answer {
    consumer.check_connection().await.map_err(|error| failure_of(&error))?;
    Ok(Value::Null)
}

pub async fn negative_acknowledge(session: &Session, args: Args<'_>) -> Answer {
    let subscribed = opened(&session.consumers, args.text("consumer"))?;
    let mut consumer = subscribed.consumer.lock().await;
    for id in args.list("ids").into_iter().map(to_id) {
        consumer.nack_with_id(&subscribed.topic_of(&id), id).await.map_err(failure_of_consumer)?;
    }
    handled(&mut consumer).await
}

pub async fn seek(session: &Session, args: Args<'_>) -> Answer {
    let subscribed = opened(&session.consumers, args.text("consumer"))?;
    let to = args.within("to");
    let id = to.has("id").then(|| to_id(to.within("id")));
    let timestamp = to.int64("timestamp").map(|timestamp| timestamp as u64);
    let client = session.client().await?.clone();
    let mut consumer = subscribed.consumer.lock().await;
    if consumer.sub_type() == SubType::Exclusive {
        return unsupported(
            "Consumer::seek of pulsar for Rust subscribes a second time before it leaves: never exclusively",
        );
    }
    consumer.seek(None, id, timestamp, client).await.map_err(|error| failure_of(&error))?;
    Ok(Value::Null)
}

pub async fn unsubscribe(session: &Session, args: Args<'_>) -> Answer {
    let subscribed = removed(&session.consumers, args.text("consumer"))?;
    let mut consumer = subscribed.consumer.lock().await;
    consumer.unsubscribe().await.map_err(|error| failure_of(&error))?;
    Ok(Value::Null)
}

pub async fn close_consumer(session: &Session, args: Args<'_>) -> Answer {
    let closing = session.consumers.lock().unwrap().remove(args.text("consumer"));
    if let Some(subscribed) = closing {
        if !cfg!(feature = "since-6.3.0") {
            // It closes when it is dropped here, but nobody is told when that is done.
            return unsupported("Consumer::close of this version of pulsar for Rust unsubscribes");
        }
        subscribed.consumer.lock().await.close().await.map_err(|error| failure_of(&error))?;
    }
    Ok(Value::Null)
}
