/** The page's script: filters, the heat map's links into them, and copying. Everything is readable without it. */
export const script = `
(() => {
  const form = document.getElementById('filters')
  const rows = [...document.getElementById('rows').rows].map((row) => ({
    row,
    text: row.textContent.toLowerCase(),
    verdict: row.dataset.verdict,
    chapter: row.dataset.chapter,
    clients: row.dataset.client.split('\\n'),
  }))
  const shown = document.getElementById('shown')
  const none = document.getElementById('no-rows')
  const filter = () => {
    const text = form.elements.text.value.trim().toLowerCase()
    const verdict = form.elements.verdict.value
    const chapter = form.elements.chapter.value
    const client = form.elements.client.value
    let count = 0
    for (const each of rows) {
      const fits =
        (text === '' || each.text.includes(text)) &&
        (verdict === '' || each.verdict === verdict) &&
        (chapter === '' || each.chapter === chapter) &&
        (client === '' || each.clients.includes(client))
      each.row.hidden = !fits
      if (fits) count += 1
    }
    shown.textContent = count === rows.length ? count : count + ' of ' + rows.length
    none.hidden = count > 0
  }
  form.addEventListener('input', filter)
  form.addEventListener('reset', () => setTimeout(filter))
  form.addEventListener('submit', (event) => event.preventDefault())
  document.addEventListener('click', async (event) => {
    const field = event.target.closest('a[data-client]')
    if (field) {
      form.reset()
      form.elements.client.value = field.dataset.client
      form.elements.chapter.value = field.dataset.chapter
      filter()
    }
    const button = event.target.closest('button.copy')
    if (!button) return
    try {
      await navigator.clipboard.writeText(button.dataset.copy)
      button.textContent = 'Copied'
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling)
      button.textContent = 'Selected'
    }
    setTimeout(() => { button.textContent = 'Copy' }, 1500)
  })
  filter()
})()
`
