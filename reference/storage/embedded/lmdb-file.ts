import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'

/**
 * What must be known of LMDB's file from outside: its two header pages, each naming the roots of one committed state.
 * Commits write them in turn. 24 bytes, with the page's own number first, stand before the header proper: magic, version,
 * address, map size, two trees of 48 bytes (the first begins with the page size), last page, transaction.
 */
const at = {
  pageNumber: 0,
  magic: 24,
  pageBytes: 48,
  firstRoot: 88,
  secondRoot: 136,
  transaction: 152,
} as const
const headerBytes = 160
const lmdbMagic = 0xbeefc0de
const noPage = 0xffffffffffffffffn

interface Header {
  readonly page: Buffer
  readonly transaction: bigint
}

/**
 * LMDB maps its file without looking, and would take the process down with it when that is something else or cut short:
 * so its headers are looked at first, and that the trees they name begin within the file. Damage further in is not seen.
 * @throws Error
 */
export function checkHeaders(path: string): void {
  if (!existsSync(path)) return
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size === 0) return
    const { page } = newestHeader(file)
    for (const place of [at.firstRoot, at.secondRoot]) {
      const root = page.readBigUInt64LE(place)
      if (root !== noPage && (Number(root) + 1) * page.length > size) throw new Error(`${path} is cut short`)
    }
  } finally {
    closeSync(file)
  }
}

/** The header page of the state that was committed last. */
export function newestHeaderPage(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    return newestHeader(file).page
  } finally {
    closeSync(file)
  }
}

/** Makes the file's state that of a header page taken earlier, whose pages are all still there. */
export function restoreHeaderPage(path: string, page: Buffer): void {
  const file = openSync(path, 'r+')
  try {
    for (const slot of [0, 1]) {
      const copy = Buffer.from(page)
      copy.writeBigUInt64LE(BigInt(slot), at.pageNumber)
      writeSync(file, copy, 0, copy.length, slot * page.length)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function newestHeader(file: number): Header {
  const pageBytes = readHeader(file, 0, headerBytes).page.readUInt32LE(at.pageBytes)
  if (pageBytes < 512 || pageBytes > 65_536) throw new Error('its index is damaged')
  const [first, second] = [readHeader(file, 0, pageBytes), readHeader(file, pageBytes, pageBytes)]
  return first.transaction > second.transaction ? first : second
}

function readHeader(file: number, position: number, bytes: number): Header {
  const page = Buffer.alloc(bytes)
  if (readSync(file, page, 0, bytes, position) < headerBytes || page.readUInt32LE(at.magic) !== lmdbMagic) {
    throw new Error('its index is damaged')
  }
  return { page, transaction: page.readBigUInt64LE(at.transaction) }
}
