"""librdkafka's settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`)."""

import time

DAY_S = 86_400


def security_settings(security):
    tls, sasl = "caPath" in security, security.get("sasl")
    settings = {}
    if tls or sasl:
        settings["security.protocol"] = ("sasl_ssl" if tls else "sasl_plaintext") if sasl else "ssl"
    if tls:
        settings["ssl.ca.location"] = security["caPath"]
    if sasl:
        settings["sasl.mechanism"] = sasl["mechanism"]
        if sasl["mechanism"] == "OAUTHBEARER":
            settings["oauth_cb"] = given_token(sasl)
        else:
            settings["sasl.username"] = sasl["username"]
            settings["sasl.password"] = sasl["password"]
    return settings


def given_token(sasl):
    """Hands the token to the library as it is: what it says of time is the broker's to judge."""
    extensions = sasl.get("extensions") or {}
    return lambda _config: (sasl["token"], time.time() + DAY_S, "given", extensions)
