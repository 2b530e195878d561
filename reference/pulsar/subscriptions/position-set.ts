import { comparePositions, type Position } from '../../base/brand.js'

export const positionKey = (position: Position): string => `${position.ledgerId}:${position.entryId}`

/** Things at positions, handed out in log order. Sorting waits until order is asked for. */
export class OrderedByPosition<Item extends { readonly key: string; readonly position: Position }> {
  readonly #byKey = new Map<string, Item>()
  #sorted: Item[] | undefined

  get size(): number {
    return this.#byKey.size
  }

  has(key: string): boolean {
    return this.#byKey.has(key)
  }

  add(item: Item): void {
    this.#byKey.set(item.key, item)
    this.#sorted = undefined
  }

  delete(item: Item): void {
    if (this.#byKey.delete(item.key)) this.#sorted = undefined
  }

  clear(): void {
    this.#byKey.clear()
    this.#sorted = undefined
  }

  /** In log order; adding or deleting while walking does not disturb the walk. */
  inOrder(): readonly Item[] {
    this.#sorted ??= [...this.#byKey.values()].sort((a, b) => comparePositions(a.position, b.position))
    return this.#sorted
  }
}
