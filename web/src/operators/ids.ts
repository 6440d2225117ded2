/* Ids of products out of what a person pastes or what a spreadsheet saves. */

export interface Read {
  /** Each once. */
  ids: number[]
  rejected: Rejected[]
}

export interface Rejected {
  text: string
  /** Of the file, from 1; a list has none. */
  line: number | null
}

const SHOWN_MAX = 64

function read(all: Iterable<Rejected>): Read {
  const ids = new Set<number>()
  const rejected: Rejected[] = []
  for (const { text, line } of all) {
    if (/^0*[1-9]\d{0,14}$/.test(text)) ids.add(Number(text))
    else rejected.push({ text: text.slice(0, SHOWN_MAX), line })
  }
  return { ids: [...ids], rejected }
}

/** Of a list in any writing; of the address of a product's page the id alone. */
export function idsOf(list: string): Read {
  const words = list.split(/[\s,;]+/).filter((word) => word !== '')
  const id = (word: string) => /\/catalog\/(\d+)/.exec(word)?.[1] ?? word
  return read(words.map((word) => ({ text: id(word), line: null })))
}

const HEADING = /^(?:nm[ _-]?id|артикул (?:wb|вб|wildberries)|номенклатура)$/i

/**
 * Of a CSV file: of the column whose heading says so, or else the first. A heading is no
 * id that was rejected, nor is an empty cell.
 */
export function idsOfCsv(csv: string): Read {
  const rows = rowsOf(csv.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n'))
  const head = rows[0]?.cells ?? []
  const column = Math.max(
    0,
    head.findIndex((cell) => HEADING.test(cell)),
  )
  const body = /^\d/.test(head[column] ?? '') ? rows : rows.slice(1)
  const cells = body.map(({ cells, line }) => ({ text: cells[column] ?? '', line }))
  return read(cells.filter(({ text }) => text !== ''))
}

interface Row {
  cells: string[]
  line: number
}

/**
 * RFC 4180, with whichever of the usual separators the first line has most of. A quote
 * that nothing ends is a character like others: no line may vanish in it.
 */
function rowsOf(csv: string, quotes = true): Row[] {
  const first = /^[^\n]*/.exec(csv)?.[0] ?? ''
  const separator = [',', ';', '\t'].reduce((best, one) =>
    first.split(one).length > first.split(best).length ? one : best,
  )
  const rows: Row[] = []
  let line = 1
  let row: Row = { cells: [], line }
  let cell = ''
  let quoted = false
  const endCell = () => {
    row.cells.push(cell.trim())
    cell = ''
  }
  const endRow = () => {
    endCell()
    rows.push(row)
    row = { cells: [], line }
  }
  for (let i = 0; i < csv.length; i++) {
    const c = csv[i]
    if (c === '\n') line++
    if (quoted && c === '"' && csv[i + 1] === '"') cell += csv[i++]
    else if (quoted && c === '"') quoted = false
    else if (quotes && c === '"' && cell.trim() === '') quoted = true
    else if (!quoted && c === separator) endCell()
    else if (!quoted && c === '\n') endRow()
    else cell += c
  }
  if (quoted) return rowsOf(csv, false)
  endRow()
  return rows
}

/**
 * What spreadsheets call Unicode text is UTF-16, with its mark in front; what they call
 * CSV is in the code page of Windows, and by its heading alone is it known which column
 * has the ids.
 */
export function decode(bytes: ArrayBuffer): string {
  const [a, b] = new Uint8Array(bytes)
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1251').decode(bytes)
  }
}

const PIECE = 3_000

/** Each goes into one request, whose body is bounded. */
export function pieces<T>(all: readonly T[]): T[][] {
  const found: T[][] = []
  for (let i = 0; i < all.length; i += PIECE) found.push(all.slice(i, i + PIECE))
  return found
}
