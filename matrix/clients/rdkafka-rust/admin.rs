//! Topics, their settings, and what is where.

use std::sync::Arc;

use futures_executor::block_on;
use rdkafka::admin::{AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{json, Map, Value};

use crate::context::Context;
use crate::driver::{failure, Answer, Args, Failure};
use crate::names::{failure_of, name_of_code};
use crate::session::{raise_first, Session, TIMEOUT};

pub fn create_topics(session: &Session, args: Args) -> Answer {
    let topics = owned(args.get("topics"));
    each(session.administer(move |admin, options| {
        let topics: Vec<NewTopic> = topics.as_array().into_iter().flatten().map(new_topic).collect();
        block_on(admin.create_topics(&topics, options))
    })?)
}

fn new_topic(topic: &Value) -> NewTopic<'_> {
    let topic = Args(topic);
    let new = NewTopic::new(topic.text("name"), topic.number_or("partitions", 1) as i32, TopicReplication::Fixed(1));
    let configs = topic.get("configs").as_object();
    configs.into_iter().flatten().fold(new, |new, (name, value)| new.set(name, value.as_str().unwrap_or_default()))
}

pub fn delete_topics(session: &Session, args: Args) -> Answer {
    let names = owned(args.get("names"));
    each(session.administer(move |admin, options| {
        let names: Vec<&str> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        block_on(admin.delete_topics(&names, options))
    })?)
}

fn owned(value: &Value) -> Arc<Value> {
    Arc::new(value.clone())
}

type Outcome = Result<String, (String, RDKafkaErrorCode)>;

/// What became of each topic of several.
fn each(outcomes: Vec<Outcome>) -> Answer {
    let topics = outcomes.into_iter().map(|outcome| match outcome {
        Ok(name) => json!({"name": name}),
        Err((name, code)) => json!({"name": name, "error": name_of_code(code)}),
    });
    Ok(json!({"topics": topics.collect::<Vec<Value>>()}))
}

fn only<Id>(outcomes: Vec<Result<Id, (Id, RDKafkaErrorCode)>>) -> Answer {
    match outcomes.into_iter().next() {
        Some(Err((_, code))) => Err(failure(name_of_code(code), code.to_string())),
        _ => Ok(Value::Null),
    }
}

pub fn create_partitions(session: &Session, args: Args) -> Answer {
    let (topic, count) = (args.text("topic").to_string(), args.number_or("count", 1) as usize);
    only(session.administer(move |admin, options| {
        block_on(admin.create_partitions(&[NewPartitions::new(&topic, count)], options))
    })?)
}

#[cfg(feature = "since-0.37.0")]
pub fn delete_records(session: &Session, args: Args) -> Answer {
    let places = one_place(args.text("topic"), args, Offset::Offset(args.int64("before").unwrap_or(0)))?;
    let deleted = session.administer(move |admin, options| block_on(admin.delete_records(&places, options)))?;
    raise_first(&deleted).map(|()| Value::Null)
}

#[cfg(not(feature = "since-0.37.0"))]
pub fn delete_records(_session: &Session, _args: Args) -> Answer {
    crate::driver::unsupported("rdkafka's AdminClient has no delete_records before 0.37")
}

fn one_place(topic: &str, args: Args, offset: Offset) -> Result<TopicPartitionList, Failure> {
    let mut places = TopicPartitionList::new();
    let added = places.add_partition_offset(topic, args.number_or("partition", 0) as i32, offset);
    added.map_err(|error| failure_of(&error))?;
    Ok(places)
}

pub fn describe_configs(session: &Session, args: Args) -> Answer {
    let topic = args.text("topic").to_string();
    let described = session
        .administer(move |admin, options| block_on(admin.describe_configs(&[ResourceSpecifier::Topic(&topic)], options)))?;
    let resource = match described.into_iter().next() {
        Some(Ok(resource)) => resource,
        Some(Err(code)) => return Err(failure(name_of_code(code), code.to_string())),
        None => return Err(failure("KafkaError", "no resource is described")),
    };
    let configs: Map<String, Value> =
        resource.entries.into_iter().map(|entry| (entry.name, json!(entry.value))).collect();
    Ok(json!({"configs": configs}))
}

/// All at once, as the crate has it: what is not named goes back to its default.
pub fn alter_configs(session: &Session, args: Args) -> Answer {
    let (topic, configs) = (args.text("topic").to_string(), owned(args.get("configs")));
    only(session.administer(move |admin, options| {
        let resource = AlterConfig::new(ResourceSpecifier::Topic(&topic));
        let altered = configs.as_object().into_iter().flatten().fold(resource, |altered, (name, value)| {
            altered.set(name, value.as_str().unwrap_or_default())
        });
        block_on(admin.alter_configs(&[altered], options))
    })?)
}

pub fn list_topics(session: &Session) -> Answer {
    let metadata = session.observe(|consumer| consumer.fetch_metadata(None, TIMEOUT))?;
    let mut names: Vec<&str> = metadata.topics().iter().map(MetadataTopic::name).collect();
    names.sort_unstable();
    Ok(json!({"names": names}))
}

/// The crate asks for one topic or for all: for several it asks one after another.
pub fn metadata(session: &Session, args: Args) -> Answer {
    let mut topics = Vec::new();
    let mut brokers = Value::Null;
    for name in args.get("topics").as_array().into_iter().flatten().filter_map(Value::as_str) {
        let asked = name.to_string();
        let found = session.observe(move |consumer| consumer.fetch_metadata(Some(&asked), TIMEOUT))?;
        brokers = brokers_of(&found);
        topics.extend(found.topics().iter().filter(|topic| topic.name() == name).map(topic_of));
    }
    if brokers.is_null() {
        brokers = brokers_of(&session.observe(|consumer| consumer.fetch_metadata(None, TIMEOUT))?);
    }
    Ok(json!({"brokers": brokers, "topics": topics}))
}

fn brokers_of(metadata: &Metadata) -> Value {
    let brokers = metadata.brokers().iter();
    brokers.map(|broker| json!({"id": broker.id(), "host": broker.host(), "port": broker.port()})).collect()
}

fn topic_of(topic: &MetadataTopic) -> Value {
    let mut partitions: Vec<_> = topic.partitions().iter().collect();
    partitions.sort_by_key(|partition| partition.id());
    let partitions = partitions.into_iter().map(|partition| {
        let mut told = json!({"index": partition.id(), "leader": partition.leader()});
        if let Some(error) = partition.error() {
            told["error"] = json!(name_of_code(error.into()));
        }
        told
    });
    let mut told = json!({"name": topic.name(), "partitions": partitions.collect::<Vec<Value>>()});
    if let Some(error) = topic.error() {
        told["error"] = json!(name_of_code(error.into()));
    }
    told
}

pub fn list_offsets(session: &Session, args: Args) -> Answer {
    let place = (args.text("topic"), args.number_or("partition", 0) as i32);
    Ok(json!({"offset": offset_at(session, place, args.get("at"))?.to_string()}))
}

/// −1: none.
pub fn offset_at(session: &Session, (topic, partition): (&str, i32), at: &Value) -> Result<i64, Failure> {
    let (topic, at) = (topic.to_string(), at.clone());
    let timestamp = Args(&at).int64("timestamp");
    session.observe(move |consumer| match timestamp {
        Some(timestamp) => offset_at_time(consumer, &topic, partition, timestamp),
        None => {
            let (low, high) = consumer.fetch_watermarks(&topic, partition, TIMEOUT)?;
            Ok(if at == "earliest" { low } else { high })
        }
    })
}

fn offset_at_time(
    consumer: &BaseConsumer<Context>,
    topic: &str,
    partition: i32,
    timestamp: i64,
) -> KafkaResult<i64> {
    let mut places = TopicPartitionList::new();
    places.add_partition_offset(topic, partition, Offset::Offset(timestamp))?;
    let found = consumer.offsets_for_times(places, TIMEOUT)?;
    let elements = found.elements();
    elements[0].error()?;
    Ok(elements[0].offset().to_raw().filter(|offset| *offset >= 0).unwrap_or(-1))
}

pub fn committed(session: &Session, args: Args) -> Answer {
    let consumer = session.consumer(&session.consumer_config(args.text("group"), "error"), None)?;
    let places = one_place(args.text("topic"), args, Offset::Invalid)?;
    let asked = consumer.clone();
    session.observer()?;
    let found = session.asked(move || asked.committed_offsets(places, TIMEOUT));
    crate::session::close(consumer);
    let found = found?;
    raise_first(&found)?;
    let elements = found.elements();
    let offset = elements[0].offset().to_raw().filter(|offset| *offset >= 0).unwrap_or(-1);
    Ok(json!({"offset": offset.to_string(), "metadata": elements[0].metadata()}))
}
