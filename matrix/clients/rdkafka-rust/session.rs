//! All that is open since `configure`: it ends with the next one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::producer::ThreadedProducer;
use rdkafka::{ClientConfig, TopicPartitionList};

use crate::context::{Context, Refused};
use crate::driver::{failure, unsupported, Args, Failure};
use crate::members::{Member, MemberState};
use crate::names::{failure_of, refusal, unless_refused};
use crate::reading::Reader;
use crate::security::add_security;

pub const TIMEOUT: Duration = Duration::from_secs(10);
/// Beyond the library's own, which is to tell what went wrong.
const TIMEOUT_OF_CALL: Duration = Duration::from_secs(12);

#[derive(Default)]
pub struct Session {
    config: ClientConfig,
    token: Option<String>,
    pub refused: Arc<Refused>,
    admin: OnceLock<Arc<AdminClient<Context>>>,
    observer: Mutex<Option<Arc<BaseConsumer<Context>>>>,
    pub producers: Mutex<HashMap<String, Arc<ThreadedProducer<Context>>>>,
    pub readers: Mutex<HashMap<String, Arc<Mutex<Reader>>>>,
    pub members: Mutex<HashMap<String, Arc<Member>>>,
}

impl Session {
    pub fn of(args: Args) -> Result<Session, Failure> {
        let mut config = ClientConfig::new();
        let security = args.within("security");
        config
            .set("bootstrap.servers", args.text("bootstrap"))
            .set("client.id", args.text("clientId"))
            // One that was refused goes on trying for as long as it is there.
            .set("reconnect.backoff.ms", if security.has("sasl") { "1000" } else { "20" })
            .set("reconnect.backoff.max.ms", "1000")
            .set("topic.metadata.refresh.fast.interval.ms", "20")
            .set("socket.timeout.ms", "10000")
            .set("log.connection.close", "false");
        let token = add_security(&mut config, security)?;
        let mut session = Session::default();
        session.config = config;
        session.token = token;
        Ok(session)
    }

    pub fn context(&self, member: Option<Arc<MemberState>>) -> Context {
        Context { refused: self.refused.clone(), token: self.token.clone(), member, consumer: OnceLock::new() }
    }

    /// A copy of what `configure` gave, to add to.
    pub fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    pub fn consumer_config(&self, group: &str, reset: &str) -> ClientConfig {
        let mut config = self.config();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", reset)
            .set("fetch.wait.max.ms", "100")
            .set("fetch.error.backoff.ms", "20")
            .set("check.crcs", "true");
        config
    }

    pub fn consumer(
        &self,
        config: &ClientConfig,
        member: Option<Arc<MemberState>>,
    ) -> Result<Arc<BaseConsumer<Context>>, Failure> {
        let created: KafkaResult<BaseConsumer<Context>> = config.create_with_context(self.context(member));
        let consumer = Arc::new(created.map_err(|error| failure_of(&error))?);
        let _ = consumer.context().consumer.set(Arc::downgrade(&consumer));
        Ok(consumer)
    }

    /// Asks for what is where, and hears of it when a broker refuses us. It creates no topic.
    pub fn observer(&self) -> Result<Arc<BaseConsumer<Context>>, Failure> {
        let mut observer = self.observer.lock().unwrap();
        if let Some(consumer) = &*observer {
            return Ok(consumer.clone());
        }
        let mut config = self.consumer_config(&unique_name(), "error");
        config.set("allow.auto.create.topics", "false");
        let consumer = self.consumer(&config, None)?;
        let polled = Arc::downgrade(&consumer);
        std::thread::spawn(move || {
            while let Some(consumer) = polled.upgrade() {
                let _ = consumer.poll(Duration::from_millis(200));
            }
        });
        *observer = Some(consumer.clone());
        Ok(consumer)
    }

    /// The observer's answer, unless we are refused before.
    pub fn observe<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&BaseConsumer<Context>) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let consumer = self.observer()?;
        self.asked(move || ask(&consumer))
    }

    /// The answer to a call that may block, unless we are refused before.
    pub fn asked<T: Send + 'static>(
        &self,
        ask: impl FnOnce() -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, Failure> {
        match self.refused.unless_told(Instant::now() + TIMEOUT_OF_CALL, ask) {
            Some(answer) => answer.map_err(|error| unless_refused(&self.refused, failure_of(&error))),
            None if self.refused.is_told() => Err(refusal()),
            None => Err(failure("TIMEOUT", "no answer in time")),
        }
    }

    pub fn admin(&self) -> Result<Arc<AdminClient<Context>>, Failure> {
        if self.token.is_some() {
            return unsupported("rdkafka's AdminClient never asks its context for a token");
        }
        self.observer()?;
        if let Some(admin) = self.admin.get() {
            return Ok(admin.clone());
        }
        let created: KafkaResult<AdminClient<Context>> = self.config.create_with_context(self.context(None));
        let admin = Arc::new(created.map_err(|error| failure_of(&error))?);
        Ok(self.admin.get_or_init(|| admin).clone())
    }

    /// What the admin client answers, unless we are refused before.
    pub fn administer<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&AdminClient<Context>, &AdminOptions) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let admin = self.admin()?;
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
        self.asked(move || ask(&admin, &options))
    }
}

impl Drop for Session {
    /// Ends all; who configures does not wait for it.
    fn drop(&mut self) {
        let members = std::mem::take(&mut *self.members.lock().unwrap());
        for member in members.into_values() {
            member.end();
        }
        let opened = (
            std::mem::take(&mut *self.readers.lock().unwrap()),
            std::mem::take(&mut *self.producers.lock().unwrap()),
            self.observer.lock().unwrap().take(),
            self.admin.take(),
        );
        std::thread::spawn(move || drop(opened));
    }
}

/// Of a group that nobody else is in.
pub fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |it| it.as_nanos());
    format!("driver-{}-{since}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Closing waits for the broker: nobody waits for the closing.
pub fn close<T: Send + 'static>(consumer: T) {
    std::thread::spawn(move || drop(consumer));
}

/// The first error of a partition among those of an answer.
pub fn raise_first(partitions: &TopicPartitionList) -> Result<(), Failure> {
    for element in partitions.elements() {
        element.error().map_err(|error| failure_of(&error))?;
    }
    Ok(())
}
