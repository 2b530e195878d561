//! The protocol's names of the library's errors.

use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::context::Refused;
use crate::driver::{failure, Failure};

/// Where the protocol has another name than the crate's, by its code.
fn other_name(code: RDKafkaErrorCode) -> Option<&'static str> {
    use RDKafkaErrorCode::*;
    Some(match code {
        Unknown => "UNKNOWN_SERVER_ERROR",
        InvalidMessage => "CORRUPT_MESSAGE",
        InvalidMessageSize => "INVALID_FETCH_SIZE",
        NotLeaderForPartition => "NOT_LEADER_OR_FOLLOWER",
        MessageSizeTooLarge => "MESSAGE_TOO_LARGE",
        InvalidTopic => "INVALID_TOPIC_EXCEPTION",
        MessageBatchTooLarge => "RECORD_LIST_TOO_LARGE",
        UnsupportedSASLMechanism => "UNSUPPORTED_SASL_MECHANISM",
        IllegalSASLState => "ILLEGAL_SASL_STATE",
        InvalidTransactionalState => "INVALID_TXN_STATE",
        OperationTimedOut | MessageTimedOut | TimedOutQueue => "TIMEOUT",
        UnknownTopic | UnknownPartition => "UNKNOWN_TOPIC_OR_PARTITION",
        AutoOffsetReset => "OFFSET_OUT_OF_RANGE",
        Authentication => "SASL_AUTHENTICATION_FAILED",
        Fenced => "PRODUCER_FENCED",
        _ => return None,
    })
}

pub fn name_of_code(code: RDKafkaErrorCode) -> String {
    if let Some(name) = other_name(code) {
        return name.to_string();
    }
    let name = format!("{code:?}");
    if (code as i32) > 0 { in_capitals(&name) } else { name }
}

/// `UnknownMemberId` is `UNKNOWN_MEMBER_ID`.
fn in_capitals(name: &str) -> String {
    let mut capitals = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !capitals.is_empty() {
            capitals.push('_');
        }
        capitals.push(letter.to_ascii_uppercase());
    }
    capitals
}

pub fn failure_of(error: &KafkaError) -> Failure {
    let name = match error.rdkafka_error_code() {
        Some(code) => name_of_code(code),
        None => format!("{error:?}").split([' ', '(']).next().unwrap_or("KafkaError").to_string(),
    };
    failure(name, error.to_string())
}

/// Of a client: once one of its errors was fatal, all later ones are for that reason.
pub fn failure_of_client<C: ClientContext>(client: &Client<C>, error: &KafkaError) -> Failure {
    match client.fatal_error() {
        Some((code, reason)) => failure(name_of_code(code), reason),
        None => failure_of(error),
    }
}

/// How librdkafka fails when it cannot reach any broker: for want of who we are, where one was refused.
pub fn unless_refused(refused: &Refused, found: Failure) -> Failure {
    const UNREACHABLE: [&str; 5] = ["TIMEOUT", "BrokerTransportFailure", "AllBrokersDown", "Resolve", "Canceled"];
    match &found {
        Failure::Error { name, .. } if UNREACHABLE.contains(&name.as_str()) && refused.is_told() => refusal(),
        _ => found,
    }
}

pub fn refusal() -> Failure {
    failure("SASL_AUTHENTICATION_FAILED", "a broker refused who we are")
}
