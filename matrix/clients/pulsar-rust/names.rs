//! The protocol's names of the library's errors.

use std::io::ErrorKind;

use pulsar::error::{ConnectionError, ConsumerError, ProducerError, ServiceDiscoveryError};
use pulsar::Error;

use crate::driver::{failure, Failure};

pub fn failure_of(error: &Error) -> Failure {
    failure(name_of(error), error.to_string())
}

pub fn failure_of_consumer(error: ConsumerError) -> Failure {
    failure_of(&Error::Consumer(error))
}

fn name_of(error: &Error) -> String {
    match error {
        Error::Connection(error) => name_of_connection(error),
        Error::Consumer(ConsumerError::Connection(error)) => name_of_connection(error),
        Error::Producer(ProducerError::Connection(error)) => name_of_connection(error),
        Error::Producer(ProducerError::Batch(error)) => name_of(error),
        Error::Producer(ProducerError::Fenced) => "ProducerFenced".to_string(),
        Error::ServiceDiscovery(ServiceDiscoveryError::Connection(error)) => name_of_connection(error),
        Error::ServiceDiscovery(ServiceDiscoveryError::Query(Some(error), _)) => format!("{error:?}"),
        Error::Authentication(_) => "AuthenticationError".to_string(),
        other => variant_of(&format!("{other:?}")),
    }
}

fn name_of_connection(error: &ConnectionError) -> String {
    match error {
        ConnectionError::PulsarError(Some(error), _) => format!("{error:?}"),
        ConnectionError::Io(error) if error.kind() == ErrorKind::TimedOut => "TIMEOUT".to_string(),
        ConnectionError::Authentication(_) => "AuthenticationError".to_string(),
        other => variant_of(&format!("{other:?}")),
    }
}

/// The variant's name, as the compiler's `Debug` begins with it.
fn variant_of(debugged: &str) -> String {
    debugged.chars().take_while(|each| each.is_alphanumeric()).collect()
}
