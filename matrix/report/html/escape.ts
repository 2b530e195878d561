/** Markup that is safe to insert as it is. Only `html` makes it, so that no text reaches the page unescaped. */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

type Part = Html | string | number | null | false | readonly Part[]

/** A template whose values are escaped, save for what `html` made itself. Lists are joined; null and false are nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  const parts = strings.map(
    (text, index) => text + (index < values.length ? markupOf(values[index] ?? null) : ''),
  )
  return new Html(parts.join(''))
}

function markupOf(part: Part): string {
  if (part === null || part === false) return ''
  if (part instanceof Html) return part.markup
  if (typeof part === 'string' || typeof part === 'number') return escapeText(String(part))
  return part.map(markupOf).join('')
}

/** Safe in text and in quoted attributes. Control characters, which HTML cannot hold, are shown as �. */
export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replace(/[^\t\n\r\u0020-\u007e\u00a0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}
