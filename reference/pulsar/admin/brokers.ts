import type { FastifyInstance } from 'fastify'
import type { PulsarService } from '../service.js'
import { bare } from './answers.js'
import { boundaryNames } from './bundles.js'
import { AdminError } from './errors.js'
import { needs } from './rights.js'

interface ClusterRoute {
  readonly Params: { readonly cluster: string; readonly broker: string }
}

/** What this broker says of itself where Pulsar tells its version. */
const VERSION = 'kop-conformance-reference'

/**
 * /admin/v2/brokers: this one broker, which leads. Its configuration is read; changing it while it runs is refused.
 * Left out: shutting it down.
 */
export function brokers(app: FastifyInstance, service: PulsarService): void {
  const base = '/admin/v2/brokers'
  const { clusterName } = service.context.config
  const all = ({ cluster }: { readonly cluster: string }) => {
    if (cluster !== clusterName) throw new AdminError(404, `Cluster does not exist: cluster={${cluster}}`)
    return [hostOf(service)]
  }

  app.get(`${base}/health`, needs('nothing'), (_request, reply) => bare(reply, 'ok'))
  app.get(`${base}/ready`, needs('nothing'), (_request, reply) => bare(reply, 'ok'))
  app.get(`${base}/version`, needs('nothing'), (_request, reply) => bare(reply, VERSION))
  app.get(base, needs('super'), () => [hostOf(service)])
  app.get<ClusterRoute>(`${base}/:cluster`, needs('super'), ({ params }) => all(params))
  app.get(`${base}/leaderBroker`, needs('super'), () => ({
    serviceUrl: service.httpUrl,
    brokerId: hostOf(service),
  }))
  app.get(`${base}/internal-configuration`, needs('super'), () => ({
    zookeeperServers: null,
    configurationStoreServers: null,
    metadataStoreUrl: 'embedded',
    configurationMetadataStoreUrl: 'embedded',
    ledgersRootPath: '/ledgers',
  }))
  configuration(app, service, `${base}/configuration`)
  app.get(`${base}/backlog-quota-check`, needs('super'), (_request, reply) => reply.status(204).send())
  app.get<ClusterRoute>(`${base}/:cluster/:broker/ownedNamespaces`, needs('super'), ({ params }) => {
    if (!all(params).includes(params.broker)) throw new AdminError(404, 'Broker not found')
    return ownedBundles(service)
  })
}

function configuration(app: FastifyInstance, service: PulsarService, path: string): void {
  const texts = () =>
    Object.fromEntries(
      Object.entries(service.context.config)
        .filter(([name, setting]) => isPlain(setting) && !/secret|password|token|key/i.test(name))
        .map(([name, setting]) => [name, String(setting)]),
    )
  const refused = (): never => {
    throw new AdminError(412, "Can't update non-dynamic configuration")
  }
  app.get(path, needs('super'), () => [])
  app.get(`${path}/values`, needs('super'), () => ({}))
  app.get(`${path}/runtime`, needs('super'), texts)
  app.post(`${path}/:name/:value`, needs('super'), refused)
  app.delete(`${path}/:name`, needs('super'), refused)
}

const isPlain = (setting: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof setting)

/** Every bundle of every namespace, shared, active, in this broker's hands. */
function ownedBundles(service: PulsarService): object {
  const { tenants } = service.context.catalog
  const owned = { broker_assignment: 'shared', is_controlled: false, is_active: true }
  return Object.fromEntries(
    tenants
      .listTenants()
      .flatMap((tenant) =>
        tenants
          .listNamespaces(tenant)
          .flatMap((namespace) =>
            boundaryNames(tenants.policies(tenant, namespace)).map((range) => [
              `${tenant}/${namespace}/${range}`,
              owned,
            ]),
          ),
      ),
  )
}

/** `host:port` of the web service: Pulsar's id of a broker. */
export const hostOf = (service: PulsarService): string => (service.httpUrl ?? '').replace(/^https?:\/\//, '')
