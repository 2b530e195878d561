/** No tokens with extensions yet. */
final class OAuth {
  private OAuth() {}

  static Class<?> handler() {
    throw Release.missing("2.1", "OAUTHBEARER with extensions (KIP-255, KIP-342)");
  }
}
