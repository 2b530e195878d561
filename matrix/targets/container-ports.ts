import type { ContainerYaml } from './target-yaml.js'

export type PortName = keyof ContainerYaml['ports']

export interface ContainerPort {
  readonly inside: number
  readonly outside: number
}

/** A port that is 0 inside is the same as outside: for servers that advertise the port they listen on. */
export function portsOf(
  inside: ContainerYaml['ports'],
  outside: ReadonlyMap<PortName, number>,
): Map<PortName, ContainerPort> {
  return new Map([...outside].map(([name, port]) => [name, { inside: inside[name] || port, outside: port }]))
}

/** The container with `{port.kafka}` and the like in its command, environment and files replaced by the ports outside. */
export function filled(spec: ContainerYaml, ports: ReadonlyMap<PortName, ContainerPort>): ContainerYaml {
  const fill = (text: string) =>
    text.replace(/\{port\.(\w+)\}/g, (whole, name: string) =>
      String(ports.get(name as PortName)?.outside ?? whole),
    )
  const fillAll = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text)]))
  return {
    ...spec,
    ...(spec.command !== undefined && { command: spec.command.map(fill) }),
    ...(spec.entrypoint !== undefined && { entrypoint: spec.entrypoint.map(fill) }),
    environment: fillAll(spec.environment),
    files: fillAll(spec.files),
  }
}
