import { freePorts } from './places.js'
import type { Endpoints, TargetSettings } from './types.js'

/** What the reference says of itself when it serves. */
export interface Served {
  readonly kafka: string
  readonly pulsar: string
  readonly admin: string
  readonly pulsarTls?: string
  readonly adminTls?: string
  readonly version: string
}

/** Listeners beside PLAINTEXT, by the names that say their protocol. */
const listenerEndpoints = { SASL_PLAINTEXT: 'kafkaSasl', SSL: 'kafkaTls', SASL_SSL: 'kafkaSaslTls' } as const

/**
 * Settings with ports: its own for the three addresses, and a free one for each port 0 that a scenario gives, in
 * `kafkaListeners`, `brokerServicePortTls` or `webServicePortTls`. They are chosen before the start: an instance that is
 * started again has them still.
 */
export async function withPorts(given: TargetSettings): Promise<TargetSettings> {
  const { kafkaListeners = 'PLAINTEXT://127.0.0.1:0', ...others } = given
  const settings = { brokerServicePort: '0', webServicePort: '0', ...others }
  const listeners = kafkaListeners.split(',').map((listener) => listener.trim())
  const zeros = Object.entries(settings).filter(([name, value]) => isPort(name) && value === '0')
  const ports = await freePorts(listeners.length + zeros.length)
  const next = () => String(ports.pop())
  return {
    ...settings,
    kafkaListeners: listeners.map((listener) => listener.replace(/:0$/, () => `:${next()}`)).join(','),
    ...Object.fromEntries(zeros.map(([name]) => [name, next()])),
  }
}

const isPort = (name: string): boolean => /Port(Tls)?$/.test(name)

/** @param settings as `withPorts` answered them */
export function endpointsOf(served: Served, settings: TargetSettings): Endpoints {
  const { kafka, pulsar, admin, pulsarTls, adminTls } = served
  const listeners = (settings.kafkaListeners ?? '').split(',').flatMap((listener) => {
    const [name = '', address = ''] = listener.split('://')
    return isNamed(name) ? [[listenerEndpoints[name], address] as const] : []
  })
  return {
    kafka,
    pulsar,
    admin,
    ...(pulsarTls !== undefined && { pulsarTls }),
    ...(adminTls !== undefined && { adminTls }),
    ...Object.fromEntries(listeners),
  }
}

const isNamed = (name: string): name is keyof typeof listenerEndpoints => name in listenerEndpoints
