const NEWLINE = 0x0a
const SHOWN_BYTES_MAX = 4 * 1024

/**
 * Cuts a byte stream into lines, holding at most `lineBytesMax` bytes of an unfinished one. Of a longer line the first
 * bytes, at most 4 KiB, are handed to `onTooLong` once, and its rest is dropped.
 */
export class LineSplitter {
  readonly #lineBytesMax: number
  readonly #onLine: (line: string) => void
  readonly #onTooLong: (start: string) => void
  #parts: Buffer[] = []
  #length = 0
  #dropping = false

  constructor(lineBytesMax: number, onLine: (line: string) => void, onTooLong: (start: string) => void) {
    this.#lineBytesMax = lineBytesMax
    this.#onLine = onLine
    this.#onTooLong = onTooLong
  }

  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#add(chunk.subarray(start, end))
      this.#finish()
      start = end + 1
    }
    this.#add(chunk.subarray(start))
  }

  /** The stream ended: an unfinished last line counts as a line. */
  end(): void {
    if (this.#length > 0 || this.#dropping) this.#finish()
  }

  #add(part: Buffer): void {
    if (this.#dropping || part.length === 0) return
    if (this.#length + part.length <= this.#lineBytesMax) {
      this.#parts.push(part)
      this.#length += part.length
      return
    }
    this.#parts.push(part.subarray(0, this.#lineBytesMax - this.#length))
    const cut = Buffer.concat(this.#parts, Math.min(this.#lineBytesMax, SHOWN_BYTES_MAX)).toString('utf8')
    this.#parts = []
    this.#length = 0
    this.#dropping = true
    this.#onTooLong(cut)
  }

  #finish(): void {
    if (this.#dropping) {
      this.#dropping = false
      return
    }
    const line = Buffer.concat(this.#parts).toString('utf8')
    this.#parts = []
    this.#length = 0
    this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
  }
}

/** The last lines of a log, in at most `charactersMax` characters: a flooding process costs no memory. */
export class LogTail {
  readonly #charactersMax: number
  #lines: string[] = []
  #characters = 0
  #first = 0
  #dropped = 0

  constructor(charactersMax: number) {
    this.#charactersMax = charactersMax
  }

  add(line: string): void {
    this.#lines.push(line)
    this.#characters += line.length + 1
    while (this.#characters > this.#charactersMax && this.#first < this.#lines.length - 1) {
      this.#characters -= (this.#lines[this.#first]?.length ?? 0) + 1
      this.#lines[this.#first] = ''
      this.#first += 1
      this.#dropped += 1
    }
    if (this.#first > 1024 && this.#first * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#first)
      this.#first = 0
    }
  }

  text(): string {
    const kept = this.#lines.slice(this.#first).join('\n')
    return this.#dropped > 0 ? `… ${this.#dropped} earlier lines left out\n${kept}` : kept
  }
}
