//! All that is open since `configure`: it ends with the next one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pulsar::{Authentication, ConnectionRetryOptions, OperationRetryOptions, Producer, Pulsar, TokioExecutor};
use tokio::sync::OnceCell;

use crate::consuming::Subscribed;
use crate::driver::{failure, Args, Failure};
use crate::handles::Shared;
use crate::names::failure_of;
use crate::reading::StreamOf;

pub type Client = Pulsar<TokioExecutor>;
/// By its name, and the topic that it writes to.
pub type ProducerKey = (String, String);
type Handles<Key, T> = Mutex<HashMap<Key, Arc<T>>>;

const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);
/// The library tries again when somebody else is connected, without end if it is let.
const RETRY_DELAY: Duration = Duration::from_millis(200);
const RETRIES_MAX: u32 = 5;

#[derive(Default)]
pub struct Session {
    url: String,
    token: Option<String>,
    ca_path: Option<String>,
    client: OnceCell<Client>,
    pub producers: Handles<ProducerKey, tokio::sync::Mutex<Producer<TokioExecutor>>>,
    pub consumers: Handles<String, Subscribed>,
    pub readers: Handles<String, Shared<StreamOf>>,
}

impl Session {
    pub fn of(args: Args) -> Session {
        let security = args.within("security");
        let text = |name| security.get(name).as_str().map(str::to_string);
        Session {
            url: args.text("serviceUrl").to_string(),
            token: text("token"),
            ca_path: text("caPath"),
            ..Session::default()
        }
    }

    /// Connects when it is first asked for: the library does so at once.
    pub async fn client(&self) -> Result<&Client, Failure> {
        self.client.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Client, Failure> {
        let mut builder = Pulsar::builder(&self.url, TokioExecutor)
            .with_connection_retry_options(ConnectionRetryOptions {
                max_backoff: Duration::from_secs(1),
                connection_timeout: Duration::from_secs(5),
                ..ConnectionRetryOptions::default()
            })
            .with_operation_retry_options(OperationRetryOptions {
                operation_timeout: OPERATION_TIMEOUT,
                retry_delay: RETRY_DELAY,
                max_retries: Some(RETRIES_MAX),
            });
        if let Some(token) = &self.token {
            builder = builder
                .with_auth(Authentication { name: "token".to_string(), data: token.clone().into_bytes() });
        }
        if let Some(path) = &self.ca_path {
            builder = builder
                .with_certificate_chain_file(path)
                .map_err(|error| failure("Io", error.to_string()))?
                .with_tls_hostname_verification_enabled(true);
        }
        builder.build().await.map_err(|error| failure_of(&error))
    }
}

/// What is open under a name.
pub fn opened<T>(handles: &Handles<String, T>, name: &str) -> Result<Arc<T>, Failure> {
    handles.lock().unwrap().get(name).cloned().ok_or_else(|| no_such(name))
}

pub fn removed<T>(handles: &Handles<String, T>, name: &str) -> Result<Arc<T>, Failure> {
    handles.lock().unwrap().remove(name).ok_or_else(|| no_such(name))
}

fn no_such(name: &str) -> Failure {
    failure("NoSuchHandle", format!("nothing is open under the name {name}"))
}
