import type { FastifyInstance } from 'fastify'

/**
 * What a caller must be allowed for a route, in Pulsar's terms. Each route says it once, in its fastify config; the
 * server does not start with a route that does not. The path's parameters (tenant, namespace, topic) say of what.
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

/**
 * Which right a route needs is said where it is made: from now on a route that does not say it is refused with an error,
 * so that the server does not start.
 * @returns whose `fallback`, once set, is the need of routes that say none.
 */
export function demandNeeds(app: FastifyInstance): { fallback: Need | undefined } {
  const rule: { fallback: Need | undefined } = { fallback: undefined }
  app.addHook('onRoute', (route) => {
    if (rule.fallback !== undefined) route.config = { needs: rule.fallback, ...route.config }
    if (route.config?.needs === undefined)
      throw new Error(`${String(route.method)} ${route.url} does not say which right it needs`)
  })
  return rule
}
