import { describe, expect, it } from 'vitest'

import { COLUMNS, USUAL } from './columns'
import {
  changed,
  cleanText,
  filterQuery,
  isFiltered,
  listQueryOf,
  readView,
  turned,
  USUAL_VIEW,
  writeView,
  type View,
} from './view'

const read = (search: string) => readView(new URLSearchParams(search))
const write = (view: View) => writeView(view).toString()

const OTHER: View = {
  business: '-gEdW691aIL3af3fthYdJg',
  status: 'PAUSED',
  type: 'C&A=1 ü',
  pause: 'NOT_PAUSED',
  text: 'Zoë & "sons" <b>',
  sort: 'ad_cost',
  descending: true,
  size: 100,
  page: 7,
  after: 'bpN48jdq-zH_oNI',
  columns: ['custom_name', 'ad_cost', 'updated_at'],
  program: '9Bxfgg7gZg-ZWoSJK46I7Q',
}

describe('a view in the address', () => {
  it('is nothing when all is as usual', () => {
    expect(write(USUAL_VIEW)).toBe('')
    expect(read('')).toEqual(USUAL_VIEW)
  })

  it('comes back as it was', () => {
    expect(read(write(OTHER))).toEqual(OTHER)
  })

  it.each(Object.keys(USUAL_VIEW) as (keyof View)[])('has a place for %s', (part) => {
    // A cursor is of no use but on a later page.
    const page = part === 'after' ? OTHER.page : USUAL_VIEW.page
    const view: View = { ...USUAL_VIEW, page, [part]: OTHER[part] }
    if (part === 'descending') expect(write(view)).toBe('sort=-business_name')
    expect(write(view)).not.toBe('')
    expect(read(write(view))).toEqual(view)
  })

  it.each([
    'status=ALL',
    'status=current',
    'pause=MAYBE',
    'business=a%20b',
    `business=${'a'.repeat(101)}`,
    'type=a%0Ab',
    'sort=password',
    'sort=-',
    'sort=--budget',
    'size=21',
    'size=1000',
    'page=0',
    'page=-1',
    'page=1e3',
    'page=99999999',
    'after=abc',
    'columns=',
    'columns=a.b.c',
    'columns=__proto__.constructor',
    'program=%3Cscript%3E',
    'utm_source=mail&__proto__=1',
  ])('reads over %s', (search) => {
    expect(read(search)).toEqual(USUAL_VIEW)
  })

  it('has each column once, in their order, and the name always', () => {
    expect(read('columns=budget.status.budget.nonsense').columns).toEqual([
      'custom_name',
      'status',
      'budget',
    ])
  })

  it('sorts by every column', () => {
    for (const { id } of COLUMNS)
      expect(read(`sort=-${id}`)).toMatchObject({ sort: id, descending: true })
  })
})

describe('a changed view', () => {
  const later: View = { ...OTHER, program: null }

  it.each([
    { business: null },
    { status: 'PAST' },
    { type: 'BP' },
    { pause: null },
    { text: 'x' },
    { sort: 'budget' },
    { descending: false },
    { size: 20 },
  ] as Partial<View>[])('begins with its first page: %j', (change) => {
    expect(changed(later, change)).toEqual({ ...later, ...change, page: 1, after: null })
  })

  it.each([
    { program: 'x' },
    { columns: [...USUAL] },
    { text: ` ${OTHER.text} ` },
  ] as Partial<View>[])('stays on its page: %j', (change) => {
    expect(changed(later, change)).toEqual({ ...later, ...change })
  })

  it('goes to the page that is said', () => {
    expect(changed(later, { page: 8, after: 'n' })).toMatchObject({ page: 8, after: 'n' })
  })
})

describe('what the API is asked for', () => {
  it('names only what is filtered by', () => {
    expect(filterQuery(USUAL_VIEW)).toEqual({})
    expect(isFiltered(USUAL_VIEW)).toBe(false)
    expect(isFiltered({ ...USUAL_VIEW, text: '  ' })).toBe(false)
    expect(filterQuery(OTHER)).toEqual({
      business_id: '-gEdW691aIL3af3fthYdJg',
      program_status: 'PAUSED',
      program_type: 'C&A=1 ü',
      pause: 'NOT_PAUSED',
      q: 'Zoë & "sons" <b>',
    })
  })

  it('goes on by the cursor, and counts where there is none', () => {
    expect(listQueryOf(OTHER)).toMatchObject({
      sort: '-ad_cost',
      limit: 100,
      cursor: 'bpN48jdq-zH_oNI',
    })
    expect(listQueryOf(OTHER)).not.toHaveProperty('offset')
    expect(listQueryOf({ ...OTHER, after: null })).toMatchObject({ offset: 600 })
    expect(listQueryOf(USUAL_VIEW)).toEqual({
      source: 'registry',
      sort: 'business_name',
      limit: 20,
    })
  })
})

it('turns the order of a column round, and begins anew with another', () => {
  expect(turned({ sort: 'budget', descending: false }, 'budget')).toEqual({
    sort: 'budget',
    descending: true,
  })
  expect(turned({ sort: 'budget', descending: true }, 'budget')).toEqual({
    sort: 'budget',
    descending: false,
  })
  expect(turned({ sort: 'budget', descending: true }, 'status')).toEqual({
    sort: 'status',
    descending: false,
  })
})

it('never asks for a text that the API refuses', () => {
  expect(cleanText('a\u0000b\tc\ud800d')).toBe('a b cd')
  expect([...cleanText('🦊'.repeat(300))]).toHaveLength(100)
})
