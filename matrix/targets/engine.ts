import { PassThrough, type Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { StartedTestContainer } from 'testcontainers'
import { UsageError } from '../usage-error.js'
import type { ContainerPort } from './container-ports.js'
import type { ContainerYaml } from './target-yaml.js'

/** Each container's mark: the guard removes, when the run dies, what has it. */
export const GUARD_LABEL = 'kop-conformance'

/** What targets need of a container engine. */
export interface Engine {
  /** Resolves when it runs, not when it serves. */
  start(
    spec: ContainerYaml,
    ports: readonly ContainerPort[],
    labels: Record<string, string>,
  ): Promise<StartedTestContainer>
  startAgain(id: string): Promise<void>
  stop(id: string, graceMs: number): Promise<void>
  kill(id: string): Promise<void>
  /** With its files. */
  remove(id: string): Promise<void>
  removeMarked(label: string, value: string): Promise<void>
  /** Ids of containers that have the label, with whatever value. */
  marked(label: string): Promise<string[]>
  /** A root file system as a tar archive. */
  importImage(tar: Readable, name: string): Promise<void>
  removeImage(name: string): Promise<void>
  /** What it writes from now on; ends with it. */
  follow(id: string): Promise<Readable>
  /** Its name and version, as it tells them. */
  version(): Promise<string>
  /** Its exit code; null: it runs. */
  exitOf(id: string): Promise<number | null>
}

/** @throws UsageError of one line where there is no engine, or testcontainers is not installed */
export async function connectEngine(): Promise<Engine> {
  // Its own cleaner is one more image to be had; container-guard.ts does the same without.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true'
  const testcontainers = await import('testcontainers').catch(() => {
    throw new UsageError('--target container: testcontainers is not installed; npm install testcontainers@11')
  })
  const client = await testcontainers.getContainerRuntimeClient().catch(() => {
    const { DOCKER_HOST } = process.env
    const where = DOCKER_HOST === undefined ? '' : ` at DOCKER_HOST=${DOCKER_HOST}`
    throw new UsageError(`no container engine answers${where}; start Docker or Podman, or set DOCKER_HOST`)
  })
  const { dockerode } = client.container
  /** Ports on this machine only. */
  class Local extends testcontainers.GenericContainer {
    protected override async beforeContainerCreated(): Promise<void> {
      const bindings = (this.hostConfig.PortBindings ?? {}) as Record<string, { HostPort: string }[]>
      this.hostConfig.PortBindings = Object.fromEntries(
        Object.entries(bindings).map(([port, hosts]) => [
          port,
          hosts.map((host) => ({ ...host, HostIp: '127.0.0.1' })),
        ]),
      )
    }
  }
  class Started extends testcontainers.StartupCheckStrategy {
    override async checkStartupState() {
      return 'SUCCESS' as const
    }
  }
  return {
    async start(spec, ports, labels) {
      const container = new Local(spec.image)
        .withExposedPorts(...ports.map(({ inside, outside }) => ({ container: inside, host: outside })))
        .withEnvironment(spec.environment)
        .withLabels(labels)
        .withCopyContentToContainer(
          Object.entries(spec.files).map(([target, content]) => ({ target, content })),
        )
        .withWaitStrategy(new Started())
      if (spec.command !== undefined) container.withCommand(spec.command)
      if (spec.entrypoint !== undefined) container.withEntrypoint(spec.entrypoint)
      if (spec.user !== undefined) container.withUser(spec.user)
      return container.start().catch((error: Error) => {
        throw new Error(`${spec.image} cannot be started: ${error.message.split('\n')[0]}`)
      })
    },
    async startAgain(id) {
      await dockerode.getContainer(id).start()
    },
    async stop(id, graceMs) {
      await dockerode
        .getContainer(id)
        .stop({ t: Math.ceil(graceMs / 1000) })
        .catch(ignoringStopped)
    },
    async kill(id) {
      await dockerode.getContainer(id).kill().catch(ignoringStopped)
    },
    async remove(id) {
      await dockerode.getContainer(id).remove({ force: true, v: true })
    },
    async removeMarked(label, value) {
      const filters = { label: [`${label}=${value}`] }
      const found = await dockerode.listContainers({ all: true, filters })
      for (const { Id } of found) await dockerode.getContainer(Id).remove({ force: true, v: true })
    },
    async marked(label) {
      const found = await dockerode.listContainers({ all: true, filters: { label: [label] } })
      return found.map(({ Id }) => Id)
    },
    async importImage(tar, name) {
      const [repo, tag] = name.split(':')
      // The answer ends when the image is there.
      const answer = await dockerode.importImage(tar, { repo, tag })
      await finished(answer.resume())
    },
    async removeImage(name) {
      await dockerode.getImage(name).remove({ force: true })
    },
    async follow(id) {
      const container = dockerode.getContainer(id)
      const { State } = await container.inspect()
      const since = Math.floor(Date.parse(State.StartedAt) / 1000)
      const both = await container.logs({ follow: true, stdout: true, stderr: true, since })
      const text = new PassThrough()
      dockerode.modem.demuxStream(both, text, text)
      both.on('end', () => text.end())
      return text
    },
    async version() {
      // Podman speaks Docker's API, and names itself among its parts only.
      const { Components: [own] = [], Version } = await dockerode.version()
      return `${own?.Name === 'Podman Engine' ? 'Podman' : 'Docker'} ${Version}`
    },
    async exitOf(id) {
      const { State } = await dockerode.getContainer(id).inspect()
      return State.Running ? null : State.ExitCode
    },
  }
}

/** 304 and 409: it has ended already. */
function ignoringStopped(error: unknown): void {
  const { statusCode } = error as { statusCode?: number }
  if (statusCode !== 304 && statusCode !== 409 && statusCode !== 404) throw error
}
