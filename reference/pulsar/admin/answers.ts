import type { FastifyReply } from 'fastify'

/** 204: done, with nothing to tell. */
export const done = (reply: FastifyReply): FastifyReply => reply.status(204).send()

/** Text without quotes, which Pulsar marks as JSON nevertheless. */
export const bare = (reply: FastifyReply, text: string): FastifyReply =>
  reply.type('application/json').send(text)

/** A value as JSON; one that is not set is an empty 200, which tools read as null. */
export function value(reply: FastifyReply, told: unknown): FastifyReply {
  if (told === undefined || told === null) return reply.status(200).header('content-length', '0').send()
  return reply.type('application/json').send(JSON.stringify(told))
}
