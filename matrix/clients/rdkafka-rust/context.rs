//! What librdkafka calls back: its log, its errors, who we are, rebalances and deliveries.

use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;

use crate::driver::left;
use crate::members::MemberState;

const DAY_MS: u128 = 86_400_000;

/// Told as soon as a broker refused who we are: librdkafka goes on trying, and its calls time out.
#[derive(Default)]
pub struct Refused {
    told: Mutex<bool>,
    changed: Condvar,
}

impl Refused {
    pub fn is_told(&self) -> bool {
        *self.told.lock().unwrap()
    }

    fn tell(&self) {
        *self.told.lock().unwrap() = true;
        self.changed.notify_all();
    }

    /// Runs a call that may block, and waits for it, or until refused, or until the deadline: then there is no answer.
    pub fn unless_told<T: Send + 'static>(
        self: &Arc<Self>,
        deadline: Instant,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let answer = Arc::new(Mutex::new(None));
        let (refused, answered) = (self.clone(), answer.clone());
        std::thread::spawn(move || {
            let value = call();
            let told = refused.told.lock().unwrap();
            *answered.lock().unwrap() = Some(value);
            drop(told);
            refused.changed.notify_all();
        });
        let waits = |told: &mut bool| !*told && answer.lock().unwrap().is_none();
        let told = self.told.lock().unwrap();
        drop(self.changed.wait_timeout_while(told, left(deadline), waits).unwrap());
        let taken = answer.lock().unwrap().take();
        taken
    }
}

/// Where one record of a `produce` stands.
#[derive(Clone)]
pub enum Delivery {
    Waiting,
    Placed { partition: i32, offset: i64 },
    Failed(KafkaError),
}

/// All records of one `produce`.
pub struct Deliveries {
    places: Mutex<Vec<Delivery>>,
    changed: Condvar,
}

impl Deliveries {
    pub fn of(count: usize) -> Arc<Deliveries> {
        Arc::new(Deliveries { places: Mutex::new(vec![Delivery::Waiting; count]), changed: Condvar::new() })
    }

    pub fn places(&self) -> Vec<Delivery> {
        self.places.lock().unwrap().clone()
    }

    /// Waits until none of the first `count` waits any more, for a while. Answers whether that is so.
    pub fn wait(&self, count: usize, time: Duration) -> bool {
        let settled = |places: &mut Vec<Delivery>| places[..count].iter().any(|it| matches!(it, Delivery::Waiting));
        !self.changed.wait_timeout_while(self.places.lock().unwrap(), time, settled).unwrap().1.timed_out()
    }

    fn settle(&self, index: usize, place: Delivery) {
        self.places.lock().unwrap()[index] = place;
        self.changed.notify_all();
    }
}

pub struct Context {
    pub refused: Arc<Refused>,
    pub token: Option<String>,
    /// Of a member of a group.
    pub member: Option<Arc<MemberState>>,
    /// The consumer that this is the context of: only it tells whether an assignment is lost.
    pub consumer: OnceLock<Weak<BaseConsumer<Context>>>,
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        eprintln!("librdkafka: {facility} {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        eprintln!("client: {error}: {reason}");
        let is_authentication = error.rdkafka_error_code() == Some(RDKafkaErrorCode::Authentication);
        // A connection that ends during the handshake is told by the same code, and librdkafka connects anew.
        if is_authentication && reason.contains("Local: Broker transport failure") {
            return;
        }
        if let Some(member) = &self.member {
            member.told_error(error.clone());
        }
        if is_authentication {
            self.refused.tell();
        }
    }

    /// Hands the token to the library as it is: what it says of time is the broker's to judge.
    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let token = self.token.clone().ok_or("no token was given")?;
        let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
        Ok(OAuthToken { token, principal_name: "given".to_string(), lifetime_ms: (now_ms + DAY_MS) as i64 })
    }
}

impl Context {
    fn rebalanced(&self, rebalance: &Rebalance<'_>) {
        let Some(member) = &self.member else { return };
        match rebalance {
            Rebalance::Assign(partitions) => member.assigned(partitions),
            Rebalance::Revoke(partitions) => {
                member.revoked(if self.is_lost() { "lost" } else { "revoked" }, partitions)
            }
            Rebalance::Error(error) => eprintln!("rebalance: {error}"),
        }
    }

    #[cfg(feature = "since-0.33.0")]
    fn is_lost(&self) -> bool {
        use rdkafka::consumer::Consumer;
        let consumer = self.consumer.get().and_then(Weak::upgrade);
        consumer.is_some_and(|consumer| consumer.assignment_lost())
    }

    /// The crate does not tell.
    #[cfg(not(feature = "since-0.33.0"))]
    fn is_lost(&self) -> bool {
        false
    }
}

impl ConsumerContext for Context {
    #[cfg(feature = "since-0.37.0")]
    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.rebalanced(rebalance);
    }

    #[cfg(not(feature = "since-0.37.0"))]
    fn pre_rebalance<'a>(&self, rebalance: &Rebalance<'a>) {
        self.rebalanced(rebalance);
    }
}

/// Which record of which `produce`.
pub struct Sent {
    pub index: usize,
    pub deliveries: Arc<Deliveries>,
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent>) {
        let place = match result {
            Ok(message) => Delivery::Placed { partition: message.partition(), offset: message.offset() },
            Err((error, _)) => Delivery::Failed(error.clone()),
        };
        sent.deliveries.settle(sent.index, place);
    }
}
