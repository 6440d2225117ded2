import type { BusinessChoice } from '../api/types'

/** Without case and accents, so that "cafe" finds "Café". */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLocaleLowerCase()
    .trim()
}

/** Every word of `text` is somewhere in the name or the id. */
export function findBusinesses(all: readonly BusinessChoice[], text: string): BusinessChoice[] {
  const words = fold(text).split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...all]
  return all.filter(({ name, business_id }) => {
    const hay = `${fold(name ?? '')} ${business_id.toLowerCase()}`
    return words.every((word) => hay.includes(word))
  })
}
