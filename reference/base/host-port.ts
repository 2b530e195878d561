/** `host:port` as addresses and URLs write it: IPv6 in brackets. */
export const hostAndPort = (host: string, port: number): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`
