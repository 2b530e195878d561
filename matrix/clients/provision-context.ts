import type { ClientYaml } from './client-yaml.js'
import type { ClientSpec } from './types.js'

/** What the language's own part is given. */
export interface ProvisionContext {
  readonly spec: ClientSpec
  readonly version: string
  readonly yaml: ClientYaml
  /** Name of the folder of the cache that holds the library and what goes with it. */
  readonly packages: string
  /** Builds the folder of the cache once, with a line of progress around it; answers the folder. */
  readonly build: (
    name: string,
    progress: string,
    build: (unfinished: string) => Promise<void>,
  ) => Promise<string>
  readonly signal: AbortSignal | undefined
}
