"""aiokafka's settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`)."""

from aiokafka.abc import AbstractTokenProvider
from aiokafka.helpers import create_ssl_context

from kafka_python_family import security_settings as family_settings


class GivenToken(AbstractTokenProvider):
    """Hands the token to the library as it is: what it says of time is the broker's to judge."""

    def __init__(self, token, extensions):
        self.given = token
        self.given_extensions = extensions

    async def token(self):
        return self.given

    def extensions(self):
        return self.given_extensions


def security_settings(security):
    tls = {"ssl_context": create_ssl_context(cafile=security["caPath"])} if "caPath" in security else {}
    return {**tls, **family_settings(security, GivenToken)}
