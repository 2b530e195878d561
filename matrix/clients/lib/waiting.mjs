// Waiting, for drivers in Node.
// @ts-check

/** @typedef {{ promise: Promise<any>, resolve: (value?: unknown) => void, reject: (error: unknown) => void }} Deferred */

/** A promise that is settled from outside; a rejection that nobody awaits harms nothing. @returns {Deferred} */
export function deferred() {
  const it = /** @type {any} */ ({})
  it.promise = new Promise((resolve, reject) => Object.assign(it, { resolve, reject }))
  it.promise.catch(() => {})
  return it
}

/** Resolves with the promise, or without it after `ms`. @param {number} ms @param {Promise<unknown>} promise */
export async function orAfter(ms, promise) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
