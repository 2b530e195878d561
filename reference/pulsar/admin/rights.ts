/**
 * What a caller must be allowed for a route, in Pulsar's terms. Each route says it once, in its fastify config; the
 * server refuses to start with a route that does not. `PARAMETERS` of the path (tenant, namespace, topic) say of what.
 *
 * - `nothing`: open to all (health, metrics)
 * - `login`: whoever is authenticated
 * - `super`: a superuser
 * - `tenant-admin`: an administrator of `:tenant`, or a superuser
 * - `namespace-any`: any permission in the namespace `:tenant/:namespace`
 * - `topic-any`, `topic-produce`, `topic-consume`: either permission, or the one named, on the topic
 *   `:tenant/:namespace/:topic`, by its own permissions or the namespace's
 */
export type Need =
  | 'nothing'
  | 'login'
  | 'super'
  | 'tenant-admin'
  | 'namespace-any'
  | 'topic-any'
  | 'topic-produce'
  | 'topic-consume'

declare module 'fastify' {
  interface FastifyContextConfig {
    needs?: Need
  }
}

/** The options of a route that needs this right. */
export const needs = (need: Need): { readonly config: { readonly needs: Need } } => ({
  config: { needs: need },
})
