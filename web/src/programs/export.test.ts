import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '../api/error'
import { CsvCounter } from './csv'
import { exportCsv, fileName, type Progress } from './export'

const HEAD = 'program_id,custom_name\r\n'
const encode = (text: string) => new TextEncoder().encode(text)

function rows(text: string, size = Infinity): [number, boolean] {
  const counter = new CsvCounter()
  const all = encode(text)
  for (let i = 0; i < all.length; i += size) counter.take(all.slice(i, i + size))
  return [counter.rows, counter.whole]
}

describe.each([Infinity, 1, 3])('rows of a file in pieces of %s', (size) => {
  it.each([
    ['nothing', '', 0, true],
    ['the header alone', HEAD, 0, true],
    ['rows', `${HEAD}a,b\r\nc,d\r\n`, 2, true],
    ['line breaks within quotes', `${HEAD}a,"one\r\ntwo\nthree"\r\nc,d\r\n`, 2, true],
    ['quotes within quotes', `${HEAD}a,"say ""hi""\r\n"\r\nc,""\r\n`, 2, true],
    ['letters of many bytes', `${HEAD}a,"Zoë 🦊 ₴"\r\n`, 1, true],
    ['a row without its end', `${HEAD}a,b\r\nc,d`, 1, false],
    ['a cell without its end', `${HEAD}a,b\r\nc,"d\r\n`, 1, false],
  ])('%s', (_, text, n, whole) => {
    expect(rows(text, size)).toEqual([n, whole])
  })
})

function answering(pieces: string[], headers: Record<string, string>, broken?: unknown) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encode(piece))
      if (broken !== undefined) controller.error(broken)
      else controller.close()
    },
  })
  return { send: vi.fn(async () => new Response(body, { headers })) }
}

describe('an export', () => {
  it('asks for what is filtered, as a file, and tells how far it is', async () => {
    const api = answering([HEAD, 'a,b\r\nc', ',d\r\n'], {
      'X-Total-Count': '2',
      'Content-Disposition': 'attachment; filename="programs-2026-11-20.csv"',
    })
    const told: Progress[] = []
    const done = await exportCsv(api, { q: 'x', sort: '-budget' }, (p) => told.push(p))
    expect(api.send).toHaveBeenCalledWith('/api/reseller/programs', {
      query: { q: 'x', sort: '-budget', source: 'registry' },
      headers: { Accept: 'text/csv' },
      signal: undefined,
    })
    expect(done).toMatchObject({ name: 'programs-2026-11-20.csv', rows: 2 })
    expect(told.at(-1)).toEqual({ rows: 2, total: 2 })
    const file = new Uint8Array(await read(done.file))
    expect([...file.slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    expect(new TextDecoder().decode(file)).toBe(`${HEAD}a,b\r\nc,d\r\n`)
  })

  it.each([
    ['a row is missing', [HEAD, 'a,b\r\n'], '2'],
    ['it ends within a row', [HEAD, 'a,b\r\nc,'], '1'],
    ['it ends within a cell', [HEAD, 'a,"b\r\n'], '0'],
    ['there is nothing at all', [], '3'],
  ])('is refused when %s', async (_, pieces, total) => {
    const api = answering(pieces, { 'X-Total-Count': total })
    await expect(exportCsv(api, {}, () => {})).rejects.toMatchObject({ code: 'cut_off' })
  })

  it('is refused when the line breaks', async () => {
    const api = answering([HEAD], { 'X-Total-Count': '5' }, new TypeError('network error'))
    const error: unknown = await exportCsv(api, {}, () => {}).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ code: 'cut_off' })
  })

  it('ends quietly when it is stopped', async () => {
    const api = answering([HEAD], {}, new DOMException('aborted', 'AbortError'))
    await expect(exportCsv(api, {}, () => {})).rejects.toMatchObject({ name: 'AbortError' })
  })
})

it('has a name with the Pacific day', () => {
  expect(fileName('attachment; filename="programs-2026-01-02.csv"')).toBe('programs-2026-01-02.csv')
  const night = new Date('2026-03-02T05:00:00Z')
  expect(fileName(null, night)).toBe('programs-2026-03-01.csv')
  expect(fileName('attachment; filename="../../x.csv"', night)).toBe('programs-2026-03-01.csv')
})

/** jsdom's Blob cannot be read but by this. */
function read(blob: Blob): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result as ArrayBuffer)
    reader.onerror = () => reject(new Error('unreadable'))
    reader.readAsArrayBuffer(blob)
  })
}
