//! Ids and messages as the suite has them.

use pulsar::consumer::Message;
use pulsar::proto::MessageIdData;
use serde_json::{json, Map, Value};

use crate::driver::{to_base64, Args};

pub type Received = Message<Vec<u8>>;
/// Ledger, entry and place in the batch.
pub type Place = (u64, u64, i32);

/// The library's own number of what comes before all.
const NONE: u64 = u64::MAX;

pub fn from_id(id: &MessageIdData) -> Value {
    json!({
        "ledgerId": (id.ledger_id as i64).to_string(),
        "entryId": (id.entry_id as i64).to_string(),
        "partition": id.partition.unwrap_or(-1),
        "batchIndex": id.batch_index.unwrap_or(-1),
    })
}

pub fn to_id(args: Args) -> MessageIdData {
    let optional = |name| Some(args.number_or(name, -1) as i32).filter(|number| *number >= 0);
    MessageIdData {
        ledger_id: args.int64("ledgerId").unwrap_or(-1) as u64,
        entry_id: args.int64("entryId").unwrap_or(-1) as u64,
        partition: optional("partition"),
        batch_index: optional("batchIndex"),
        ..MessageIdData::default()
    }
}

pub fn place_of(id: &MessageIdData) -> Place {
    (id.ledger_id, id.entry_id, id.batch_index.unwrap_or(-1))
}

/// Whether there is no message: the id of an empty topic.
pub fn is_none(id: &MessageIdData) -> bool {
    id.entry_id == NONE
}

pub fn told(messages: &[Received]) -> Value {
    json!({"messages": messages.iter().map(told_one).collect::<Vec<Value>>()})
}

fn told_one(message: &Received) -> Value {
    let metadata = message.metadata();
    // The library takes over a part of what a message in a batch says of itself; the rest is the batch's.
    let in_batch = metadata.num_messages_in_batch.is_some();
    let is_null = !in_batch && metadata.null_value == Some(true);
    let properties: Map<String, Value> = metadata
        .properties
        .iter()
        .map(|property| (property.key.clone(), Value::String(property.value.clone())))
        .collect();
    let mut seen = json!({
        "id": from_id(message.message_id()),
        "topic": message.topic,
        "key": message.key(),
        "value": to_base64(Some(message.payload.data.as_slice()).filter(|_| !is_null)),
        "knowsNull": !in_batch,
        "properties": properties,
        "eventTime": metadata.event_time.unwrap_or(0).to_string(),
        "publishTime": metadata.publish_time.to_string(),
        "producerName": metadata.producer_name,
    });
    if !in_batch {
        seen["sequenceId"] = json!(metadata.sequence_id.to_string());
    }
    if !in_batch || cfg!(feature = "since-6.9.1") {
        seen["orderingKey"] = to_base64(metadata.ordering_key.as_deref());
    }
    #[cfg(feature = "since-6.9.1")]
    if let Ok(key) = message.key_bytes() {
        seen["keyBytes"] = to_base64(key.as_deref());
    }
    seen
}
