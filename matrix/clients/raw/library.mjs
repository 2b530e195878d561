import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** @platformatic/kafka, from where the run installed it. */
const require = createRequire(join(process.env.KOP_DRIVER_PACKAGES ?? process.cwd(), 'package.json'))
const entry = require.resolve('@platformatic/kafka')
export const kafka = await import(pathToFileURL(entry).href)
/** Its reader is not exported by name; its answer parsers ask for one. */
export const { Reader } = await import(new URL('./protocol/reader.js', pathToFileURL(entry)).href)
