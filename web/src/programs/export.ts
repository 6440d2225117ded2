import type { ApiClient, Query } from '../api/client'
import { ApiError, isAbort } from '../api/error'
import { CsvCounter } from './csv'

export interface Exported {
  name: string
  file: Blob
  rows: number
}

export interface Progress {
  rows: number
  total: number | null
}

/** Spreadsheets take a file without it for Latin-1. */
const BOM = new Uint8Array([0xef, 0xbb, 0xbf])

/** All programs that match, as a file. */
export function exportCsv(
  api: Pick<ApiClient, 'send'>,
  query: Query,
  onProgress: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<Exported> {
  const path = '/api/reseller/programs'
  return readCsv(api, path, { ...query, source: 'registry' }, onProgress, signal)
}

/** What a list has as CSV. A file that was cut off on its way is an error. */
export async function readCsv(
  api: Pick<ApiClient, 'send'>,
  path: string,
  query: Query,
  onProgress: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<Exported> {
  const response = await api.send(path, {
    query,
    headers: { Accept: 'text/csv' },
    signal,
  })
  const total = count(response.headers.get('X-Total-Count'))
  const counter = new CsvCounter()
  const pieces: BlobPart[] = [BOM]
  onProgress({ rows: 0, total })
  for await (const piece of bytes(response)) {
    if (pieces.length === 1 && startsWithBom(piece)) pieces.pop()
    counter.take(piece)
    pieces.push(piece)
    onProgress({ rows: counter.rows, total })
  }
  if (!counter.whole || (total !== null && counter.rows !== total)) {
    throw new ApiError(0, 'cut_off', `${counter.rows} of ${total ?? '?'} rows`)
  }
  return {
    name: fileName(response.headers.get('Content-Disposition')),
    file: new Blob(pieces, { type: 'text/csv;charset=utf-8' }),
    rows: counter.rows,
  }
}

/** Hands the file to the browser as a download. */
export function save({ name, file }: Exported): void {
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
  // The browser reads it after this; a minute is long enough for it to begin.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** The name that the server gives, with the Pacific date, if it is a plain one. */
export function fileName(disposition: string | null, now: Date = new Date()): string {
  const named = /filename="([\w.-]{1,100}\.csv)"/.exec(disposition ?? '')?.[1]
  return (
    named ?? `programs-${now.toLocaleDateString('sv', { timeZone: 'America/Los_Angeles' })}.csv`
  )
}

async function* bytes(response: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value as Uint8Array<ArrayBuffer>
    }
  } catch (cause) {
    throw isAbort(cause) ? cause : new ApiError(0, 'cut_off', String(cause))
  } finally {
    reader.cancel().catch(() => {})
  }
}

function startsWithBom(piece: Uint8Array): boolean {
  return BOM.every((byte, i) => piece[i] === byte)
}

function count(header: string | null): number | null {
  return header !== null && /^\d{1,12}$/.test(header) ? Number(header) : null
}
