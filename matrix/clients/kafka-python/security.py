"""kafka-python's settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`)."""

from kafka_python_family import security_settings as family_settings

# The class that a provider of tokens has to be of has moved with each major version.
try:
    from kafka.net.sasl.oauth import AbstractTokenProvider
except ImportError:
    try:
        from kafka.sasl.oauth import AbstractTokenProvider
    except ImportError:
        from kafka.oauth.abstract import AbstractTokenProvider


class GivenToken(AbstractTokenProvider):
    """Hands the token to the library as it is: what it says of time is the broker's to judge."""

    def __init__(self, token, extensions):
        super().__init__()
        self.given = token
        self.given_extensions = extensions

    def token(self):
        return self.given

    def extensions(self):
        return self.given_extensions


def security_settings(security):
    tls = {"ssl_cafile": security["caPath"]} if "caPath" in security else {}
    return {**tls, **family_settings(security, GivenToken)}
