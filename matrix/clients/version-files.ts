/**
 * Whether a source file is for this version of the library. What differs between versions lies in files of its own, of
 * which a build takes those that fit: `x.since-1.22.0.go`, `X.before-2.5.java`, `X.since-2.5.before-3.3.java`.
 */
export function fits(file: string, version: string): boolean {
  const bounds = file.matchAll(/\.(since|before)-(\d+(?:\.\d+)*)(?=\.[a-z])/g)
  return [...bounds].every(([, bound, at = '']) => {
    const isEarlier = compareVersions(version, at) < 0
    return bound === 'before' ? isEarlier : !isEarlier
  })
}

function compareVersions(one: string, other: string): number {
  const ones = numbersOf(one)
  const others = numbersOf(other)
  const places = Array.from({ length: Math.max(ones.length, others.length) }, (_, place) => place)
  return places.map((place) => (ones[place] ?? 0) - (others[place] ?? 0)).find((each) => each !== 0) ?? 0
}

/** `5.0.0-M1` counts as 5.0.0. */
const numbersOf = (version: string): number[] => version.split('.').map((part) => Number.parseInt(part, 10))
