//! librdkafka's settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`).

use rdkafka::ClientConfig;

use crate::driver::{unsupported, Args, Failure};

/// Adds the settings, and answers the token to hand over, where there is one.
pub fn add_security(config: &mut ClientConfig, security: Args) -> Result<Option<String>, Failure> {
    let (tls, sasl) = (security.has("caPath"), security.within("sasl"));
    match (tls, security.has("sasl")) {
        (true, true) => config.set("security.protocol", "sasl_ssl"),
        (true, false) => config.set("security.protocol", "ssl"),
        (false, true) => config.set("security.protocol", "sasl_plaintext"),
        (false, false) => config,
    };
    if tls {
        config.set("ssl.ca.location", security.text("caPath"));
    }
    if !security.has("sasl") {
        return Ok(None);
    }
    config.set("sasl.mechanism", sasl.text("mechanism"));
    if sasl.text("mechanism") != "OAUTHBEARER" {
        config.set("sasl.username", sasl.text("username")).set("sasl.password", sasl.text("password"));
        return Ok(None);
    }
    if sasl.get("extensions").as_object().is_some_and(|extensions| !extensions.is_empty()) {
        return unsupported("rdkafka's OAuthToken carries no SASL extensions");
    }
    Ok(Some(sasl.text("token").to_string()))
}
