import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { axis, figure } from './format'
import { dayNumber, lines, niceTop, place, type Box, type Point } from './chart'
import { actionsOf, etaOf, gently, parse, runAfter } from './run'
import type { Run } from './types'
import { changed, listKey, listQuery, readView, turned, USUAL, writeView, type View } from './view'

describe('the view in the address', () => {
  const read = (text: string) => readView(new URLSearchParams(text))

  it('comes back as it was written', () => {
    const view: View = {
      seller: 7,
      text: 'синий & red',
      status: 'partial',
      sort: 'views',
      descending: false,
      size: 50,
      page: 3,
      after: 'abc_-1',
      product: 100200300,
      manage: 'token',
    }
    expect(readView(writeView(view))).toEqual(view)
    expect(writeView(USUAL).toString()).toBe('')
    expect(readView(new URLSearchParams())).toEqual(USUAL)
  })

  it('takes what it does not understand for usual', () => {
    const wrong =
      'seller=-1&status=x&sort=-nothing&size=7&page=0&after=%3Cx&product=1e9&manage=x&q=%00'
    expect(read(wrong)).toEqual(USUAL)
    expect(read('seller=99999999999999999999').seller).toBeNull()
    expect(read('after=abc').after).toBeNull()
  })

  it('begins another list with its first page, and keeps its place else', () => {
    const third = { ...USUAL, page: 3, after: 'c' }
    expect(changed(third, { text: 'x' })).toMatchObject({ page: 1, after: null })
    expect(changed(third, { status: 'error' })).toMatchObject({ page: 1 })
    expect(changed(third, { product: 5 })).toMatchObject({
      page: 3,
      after: 'c',
      product: 5,
    })
    expect(changed(third, { seller: 7, product: 5 })).toMatchObject({ page: 3, after: 'c' })
    expect(changed({ ...third, seller: 7 }, { seller: 8 })).toMatchObject({ page: 1 })
    expect(changed(third, { page: 4, after: null })).toMatchObject({ page: 4 })
    expect(listKey(third)).toBe(listKey(USUAL))
  })

  it('sorts figures from the highest, words from the first, and turns round', () => {
    expect(turned(USUAL, 'views')).toEqual({ sort: 'views', descending: true })
    expect(turned(USUAL, 'title')).toEqual({ sort: 'title', descending: false })
    expect(turned(USUAL, 'revenue')).toEqual({ sort: 'revenue', descending: false })
  })

  it('asks by a cursor where it has one, else by counting', () => {
    const asked = { sellerId: 7, search: '', status: null, sort: '-revenue', limit: 20 }
    expect(listQuery(USUAL, 7)).toEqual(asked)
    expect(listQuery({ ...USUAL, page: 3 }, 7)).toEqual({ ...asked, offset: 40 })
    expect(listQuery({ ...USUAL, page: 3, after: 'c' }, 7)).toEqual({
      ...asked,
      cursor: 'c',
    })
  })
})

const run = (what: Partial<Run> = {}): Run => ({
  id: 'r',
  kind: 'analytics.sync',
  state: 'running',
  created_at: null,
  started_at: null,
  finished_at: null,
  progress: { done: 20, total: 438, percentage: 4 },
  counts: { added: 0, updated: 0, removed: 0, unchanged: 0, failed: 0 },
  eta_at: null,
  waiting_until: null,
  waiting_reason: null,
  errors: [],
  timing_ms: { partner: 0, database: 0, names: 0, total: null },
  calls: { made: 1, left: 9 },
  batches: { done: 0, total: 44 },
  seller: { id: 7, name: 'shop' },
  ...what,
})

const progress = (batch: number, done: number, failed = 0) =>
  ({
    type: 'progress',
    batch,
    batches: 44,
    done,
    failed,
    total: 438,
    percentage: 50,
  }) as const

describe('a run and its events', () => {
  it('moves on by an event that is newer than what was read, and not back', () => {
    const after = runAfter(run(), progress(5, 50, 2))
    expect(after.progress).toEqual({ done: 50, total: 438, percentage: 50 })
    expect(after.counts.failed).toBe(2)
    expect(after.batches).toEqual({ done: 5, total: 44 })
    expect(runAfter(after, progress(3, 30))).toBe(after)
    const over = run({ state: 'cancelled' })
    expect(runAfter(over, progress(44, 438))).toBe(over)
  })

  it('is not paused again by a pause of the past', () => {
    const before = run()
    const paused = { type: 'waiting', until: null, reason: 'by_hand' } as const
    expect(runAfter(before, paused)).toBe(before)
  })

  it('offers what the API would not refuse', () => {
    expect(actionsOf(run({ state: 'queued' }))).toEqual(['pause', 'cancel'])
    expect(actionsOf(run({ state: 'waiting' }))).toEqual(['pause', 'cancel'])
    expect(actionsOf(run({ state: 'paused' }))).toEqual(['resume', 'cancel'])
    expect(actionsOf(run({ state: 'done' }))).toEqual([])
    expect(actionsOf(run({ state: 'partial' }))).toEqual(['retryFailed', 'retry'])
    expect(actionsOf(run({ state: 'cancelled' }))).toEqual(['retryFailed', 'retry'])
    const all = { done: 438, total: 438, percentage: 100 }
    expect(actionsOf(run({ state: 'cancelled', progress: all }))).toEqual(['retry'])
    const unknown = { done: 0, total: null, percentage: null }
    expect(actionsOf(run({ state: 'cancelled', progress: unknown }))).toEqual(['retry'])
    const failed = { ...run().counts, failed: 3 }
    expect(actionsOf(run({ state: 'failed', counts: failed }))).toEqual(['retryFailed', 'retry'])
  })

  it('has no end foretold that is past, or comes before it goes on', () => {
    const now = Date.parse('2026-11-20T10:00:00Z')
    const eta = (eta_at: string | null, what: Partial<Run> = {}) =>
      etaOf(run({ eta_at, ...what }), now)
    expect(eta(null)).toBeNull()
    expect(eta('2026-11-20T10:00:01Z')).toBe('2026-11-20T10:00:01Z')
    expect(eta('2026-11-20T09:59:59Z')).toBeNull()
    expect(eta('2026-11-20T10:05:00Z', { waiting_until: '2026-11-20T10:05:01Z' })).toBeNull()
    expect(eta('2026-11-20T10:05:00Z', { waiting_until: '2026-11-20T10:04:59Z' })).not.toBeNull()
    expect(eta('2026-11-20T10:05:00Z', { state: 'done' })).toBeNull()
  })

  it('reads over what is no event', () => {
    expect(parse('{"type":"start"}')).toEqual({ type: 'start' })
    expect(['', 'null', '[1]', '{"x":1}', '"type"'].map(parse)).toEqual(Array(5).fill(null))
  })
})

describe('doing something gently', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('does it at once, then at most every so often, and the last one too', () => {
    const what = vi.fn()
    const call = gently(what, 1000)
    call()
    expect(what).toHaveBeenCalledTimes(1)
    for (let i = 0; i < 50; i++) call()
    vi.advanceTimersByTime(999)
    expect(what).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(1)
    expect(what).toHaveBeenCalledTimes(2)
    vi.advanceTimersByTime(5000)
    expect(what).toHaveBeenCalledTimes(2)
    call()
    expect(what).toHaveBeenCalledTimes(3)
  })

  it('does nothing any more after it was stopped', () => {
    const what = vi.fn()
    const call = gently(what, 1000)
    call()
    call()
    call.stop()
    vi.advanceTimersByTime(5000)
    expect(what).toHaveBeenCalledTimes(1)
  })
})

describe('the chart', () => {
  const daily = (...values: (number | null)[]) => values.map((value, at) => ({ at, value }))
  const on = (days: number[]) => days.map((at) => ({ at, value: 1 }))
  const drawn = (points: Point[]) => lines(points).match(/[ML]/g)?.join('')
  const box: Box = { width: 120, height: 60, left: 10, right: 10, top: 5, bottom: 5 }

  it('ends at a round figure that no value is above', () => {
    expect([0, 1, 1.2, 2.4, 2.6, 7, 10, 438, 30900, 0.03].map(niceTop)).toEqual([
      1, 1, 1.2, 3, 3, 8, 10, 500, 40000, 0.03,
    ])
    expect(niceTop(NaN)).toBe(1)
  })

  it('places values from zero up, over the whole width', () => {
    const { points, top } = place(daily(0, 5, 10), box)
    expect(top).toBe(10)
    expect(points).toEqual([
      { i: 0, x: 10, y: 55, joined: false },
      { i: 1, x: 60, y: 30, joined: true },
      { i: 2, x: 110, y: 5, joined: true },
    ])
    expect(place(daily(5), box).points).toEqual([{ i: 0, x: 60, y: 5, joined: false }])
    expect(place([], box).points).toEqual([])
  })

  it('places them by their days', () => {
    const days = ['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-09'].map(dayNumber)
    const { points } = place(on(days), box)
    expect(points.map(({ x }) => x)).toEqual([10, 20, 30, 110])
  })

  it('has a gap where there is no data, and no zero', () => {
    const { points } = place(daily(1, 1, null, 1, null, 1, 1), box)
    expect(points.map(({ i }) => i)).toEqual([0, 1, 3, 5, 6])
    expect(drawn(points)).toBe('MLMML')
    expect(place(daily(null, null), box).points).toEqual([])
  })

  it('has a gap where a period is missing, however often there usually is one', () => {
    const gaps = (...days: number[]) => drawn(place(on(days), box).points)
    expect(gaps(0, 1, 2, 4, 5)).toBe('MLLML')
    expect(gaps(0, 7, 14, 28, 35)).toBe('MLLML')
    expect(gaps(0, 7, 15, 21)).toBe('MLLL')
    expect(gaps(0, 30)).toBe('ML')
    expect(gaps(0, 1, 30)).toBe('MLM')
  })
})

describe('figures', () => {
  it('of money are whole units, of which only an average has parts', () => {
    expect(figure('revenue', 30900, 'RUB')).toBe('₽30,900')
    expect(figure('avgOrderValue', 2470.636, 'RUB')).toBe('₽2,470.64')
    expect(figure('revenue', 30900, null)).toBe('30,900')
    expect(figure('revenue', 30900, 'roubles')).toBe('30,900 roubles')
    expect(figure('revenue', 0, 'RUB')).toBe('₽0')
    expect(figure('revenue', null, 'RUB')).toBeNull()
  })

  it('stand at an axis in short', () => {
    expect(axis('views', 12_000)).toBe('12K')
    expect(axis('ctr', 12.5)).toBe('12.5%')
  })
})
