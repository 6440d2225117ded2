import { describe, expect, it } from 'vitest'

import { decode, idsOf, idsOfCsv, pieces } from './ids'

describe('a list of ids', () => {
  it('is read in any writing, each id once', () => {
    const text = '100, 200;300\n 400\t100 https://www.wildberries.ru/catalog/500/detail.aspx?x=6'
    expect(idsOf(text)).toEqual({ ids: [100, 200, 300, 400, 500], rejected: [] })
    expect(idsOf(' \n')).toEqual({ ids: [], rejected: [] })
  })

  it('tells what is none', () => {
    const { ids, rejected } = idsOf(`7 -8 0 9.5 abc 1e5 ${'9'.repeat(16)} ${'x'.repeat(999)}`)
    expect(ids).toEqual([7])
    const texts = rejected.map(({ text }) => text)
    expect(texts.slice(0, 6)).toEqual(['-8', '0', '9.5', 'abc', '1e5', '9'.repeat(16)])
    expect(texts[6]).toHaveLength(64)
  })
})

describe('a CSV file of ids', () => {
  it('has them in the first column, under a heading or not', () => {
    expect(idsOfCsv('100,a\r\n200,b\r\n').ids).toEqual([100, 200])
    expect(idsOfCsv('\uFEFFid;name\n100;a\n\n200;b').ids).toEqual([100, 200])
    expect(idsOfCsv('')).toEqual({ ids: [], rejected: [] })
  })

  it('or in the one that is named so', () => {
    expect(idsOfCsv('Бренд\tАртикул WB\tN\n1\t100\t2\n3\t200\t4').ids).toEqual([100, 200])
    expect(idsOfCsv('title,"nmId"\n"a, ""b""\nc",100\nd,200\n')).toEqual({
      ids: [100, 200],
      rejected: [],
    })
  })

  it('tells the line of what is none', () => {
    expect(idsOfCsv('nmId\n100\nabc\n"two\nlines"\n,\nxyz')).toEqual({
      ids: [100],
      rejected: [
        { text: 'abc', line: 3 },
        { text: 'two\nlines', line: 4 },
        { text: 'xyz', line: 7 },
      ],
    })
  })

  it('may end its lines as old spreadsheets did', () => {
    expect(idsOfCsv('1234567\r7654321\r').ids).toEqual([1234567, 7654321])
  })

  it('loses no line in a quote that opens or ends nothing', () => {
    expect(idsOfCsv('1;Труба 1/2"\n2;x\n3;y"').ids).toEqual([1, 2, 3])
    expect(idsOfCsv('1;"open\n2;x\n3;y').ids).toEqual([1, 2, 3])
  })

  it('may be UTF-16', () => {
    const text = '\uFEFFnmId\n100'
    const bytes = new Uint8Array(
      [...text].flatMap((c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]),
    )
    expect(idsOfCsv(decode(bytes.buffer)).ids).toEqual([100])
    expect(idsOfCsv(decode(new TextEncoder().encode('нет\n7').buffer as ArrayBuffer)).ids).toEqual([
      7,
    ])
    const swapped = bytes.map((_, i) => bytes[i ^ 1] ?? 0)
    expect(idsOfCsv(decode(swapped.buffer)).ids).toEqual([100])
  })

  it('may be in the code page of Windows, whose heading is read, too', () => {
    const text = '№;Бренд;Артикул WB\n1;Ёлка;100\n2;Лампа;200'
    const byte = (c: string) => {
      if (c === '№') return 0xb9
      if (c === 'Ё') return 0xa8
      const code = c.charCodeAt(0)
      return code < 0x80 ? code : code - 0x410 + 0xc0
    }
    const bytes = new Uint8Array([...text].map(byte))
    expect(decode(bytes.buffer)).toBe(text)
    expect(idsOfCsv(decode(bytes.buffer))).toEqual({ ids: [100, 200], rejected: [] })
  })
})

it('goes in pieces, each of which fits into 64 kB', () => {
  const all = Array.from({ length: 7_001 }, (_, i) => 999_999_999_990_000 + i)
  const found = pieces(all)
  expect(found.flat()).toEqual(all)
  for (const nmIds of found) expect(JSON.stringify({ nmIds }).length).toBeLessThan(65_536)
  expect(pieces([])).toEqual([])
})
