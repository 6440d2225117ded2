import { describe, expect, it } from 'vitest'

import type { Job, SyncEvent } from '../api/types'
import { estimate, idle, jobOf, reduce, type Action, type Bar } from './bar'

const ID = '04b91416-a2be-44b9-92d4-23e0858979a7'
const OTHER = '14b91416-a2be-44b9-92d4-23e0858979a7'

function job(part: Partial<Job> = {}): Job {
  return {
    id: ID,
    kind: 'programs.sync',
    state: 'running',
    created_at: null,
    started_at: null,
    finished_at: null,
    progress: { done: 0, total: null, percentage: null },
    counts: { added: 0, updated: 0, removed: 0, unchanged: 0, failed: 0 },
    eta_at: null,
    waiting_until: null,
    waiting_reason: null,
    errors: [],
    timing_ms: { partner: 0, database: 0, names: 0, total: null },
    ...part,
  }
}

let n = 0
function ev(event: SyncEvent, at = 0, id = ID): Action {
  return { type: 'event', id: `${id}.${++n}`, event, at }
}

const start: SyncEvent = { type: 'start', message: '' }
const info = (total_api: number, total_db: number): SyncEvent => ({
  type: 'info',
  total_api,
  total_db,
  to_sync: Math.max(0, total_api - total_db),
})
const progress = (synced: number, total: number, added = synced): SyncEvent => ({
  type: 'progress',
  synced,
  total,
  added,
  percentage: Math.round((100 * synced) / total),
})
const complete = (part: Partial<SyncEvent & { type: 'complete' }> = {}): SyncEvent => ({
  type: 'complete',
  status: 'synced',
  added: 0,
  total_synced: 0,
  message: '',
  ...part,
})

function after(...actions: Action[]): Bar {
  return actions.reduce(reduce, idle)
}

const begun: Action[] = [{ type: 'start' }, ev(start), ev(info(1000, 0))]

describe('the bar', () => {
  it('goes from nothing to green', () => {
    const bar = after(...begun, ev(progress(400, 1000)))
    expect(bar).toMatchObject({
      phase: 'running',
      job: ID,
      total: 1000,
      read: 400,
      added: 400,
      toSync: 1000,
      percentage: 40,
    })
    expect(reduce(bar, ev(complete({ added: 1000, updated: 3 })))).toMatchObject({
      phase: 'done',
      percentage: 100,
      result: { status: 'synced', added: 1000, updated: 3, removed: 0 },
    })
  })

  it('is not started twice, and starts anew after an end', () => {
    const bar = after(...begun)
    expect(reduce(bar, { type: 'start' })).toBe(bar)
    const again = reduce(reduce(bar, ev(complete())), { type: 'start' })
    expect(again).toMatchObject({ phase: 'starting', job: null, result: null })
  })

  it('is amber while the partner makes us wait, and blue again after that', () => {
    const until = '2026-11-20T14:00:30.000Z'
    const wait: SyncEvent = { type: 'waiting', until, reason: 'partner_limited', message: '' }
    const bar = after(...begun, ev(progress(40, 1000)), ev(wait))
    expect(bar).toMatchObject({
      phase: 'waiting',
      waiting: { until: Date.parse(until), reason: 'partner_limited' },
      percentage: 4,
    })
    expect(reduce(bar, ev(progress(80, 1000)))).toMatchObject({ phase: 'running', waiting: null })
  })

  it('tells partial, failed and cancelled apart', () => {
    const partial = complete({ status: 'partial', message: 'why' })
    expect(after(...begun, ev(progress(500, 1000)), ev(partial))).toMatchObject({
      phase: 'partial',
      percentage: 50,
      result: { message: 'why' },
    })
    const error: SyncEvent = { type: 'error', code: 'partner_error', message: 'the partner' }
    expect(after(...begun, ev(error))).toMatchObject({
      phase: 'failed',
      failure: { code: 'partner_error', message: 'the partner' },
    })
    const cancelled: SyncEvent = { type: 'error', code: 'cancelled', message: '' }
    expect(after(...begun, ev(cancelled)).phase).toBe('cancelled')
  })

  it('hears nothing after its end', () => {
    const bar = after(...begun, ev(complete()))
    expect(reduce(bar, ev(progress(1, 1000)))).toBe(bar)
    expect(reduce(bar, { type: 'failed', code: 'x', message: '' })).toBe(bar)
    expect(reduce(bar, { type: 'hide' })).toBe(idle)
  })

  it('cannot be hidden while it runs', () => {
    const bar = after(...begun)
    expect(reduce(bar, { type: 'hide' })).toBe(bar)
  })

  it('says that the line is lost until it is open again', () => {
    const lost = { is: 'lost', attempt: 0, until: 5000, error: null } as const
    const down = reduce(after(...begun), { type: 'stream', state: lost, code: 'network' })
    expect(down).toMatchObject({ phase: 'running', lost: { until: 5000, code: 'network' } })
    const trying = reduce(down, { type: 'stream', state: { is: 'connecting' }, code: '' })
    expect(trying.lost).toEqual({ until: null, code: 'network' })
    const up = reduce(trying, { type: 'stream', state: { is: 'open' }, code: '' })
    expect(up.lost).toBeNull()
  })

  it('follows the job that comes in place of the one before', () => {
    const bar = after(...begun, ev(progress(400, 1000)), ev(start, 0, OTHER))
    expect(bar).toMatchObject({ phase: 'running', job: OTHER, read: 0, percentage: null })
  })

  it('does not break on an event that it does not know', () => {
    const odd = { type: 'news' } as unknown as SyncEvent
    expect(after(...begun, ev(odd)).phase).toBe('running')
  })
})

describe('the list of jobs', () => {
  const told = (part: Partial<Job>, at = 0): Action => ({ type: 'job', job: job(part), at })
  const half = { progress: { done: 500, total: 1000, percentage: 50 } }

  it('shows a page that has just been opened how far it is', () => {
    expect(after({ type: 'start' }, told(half))).toMatchObject({
      phase: 'running',
      job: ID,
      percentage: 50,
      read: 500,
    })
  })

  it('leaves the news to the stream while nothing has been read', () => {
    const none = { progress: { done: 0, total: null, percentage: null } }
    const found = (first: Partial<Job>) =>
      after({ type: 'start' }, told(first), ev(start, 10), ev(info(1000, 1000), 20)).infoAt
    expect(found(none)).toBe(20)
    expect(found(half)).toBe(0)
  })

  it('is not taken back by the replay that follows, and overtaken by it', () => {
    const bar = after({ type: 'start' }, told(half, 0), ev(start, 10), ev(info(1000, 0), 10))
    const replayed = reduce(bar, ev(progress(40, 1000), 11))
    expect(replayed.read).toBe(500)
    expect(reduce(replayed, ev(progress(540, 1000), 12)).read).toBe(540)
  })

  it('lets a second reading begin from the front', () => {
    const bar = after({ type: 'start' }, told(half, 0), ev(progress(540, 1000), 100))
    expect(reduce(bar, ev(progress(40, 1000), 200)).read).toBe(40)
    const late = after({ type: 'start' }, told(half, 0), ev(progress(40, 1000), 60_000))
    expect(late.read).toBe(40)
  })

  it('moves a bar whose stream is late', () => {
    const bar = after(...begun, ev(progress(40, 1000)), told(half, 1000))
    expect(bar).toMatchObject({ read: 500, percentage: 50 })
    expect(reduce(bar, ev(progress(80, 1000), 1100)).read).toBe(500)
    expect(reduce(bar, ev(progress(540, 1000), 1200)).read).toBe(540)
  })

  it('ends a bar whose stream never says so, at the second look', () => {
    const counts = { added: 5, updated: 0, removed: 1, unchanged: 0, failed: 0 }
    const once = after(...begun, told({ state: 'done', counts }))
    expect(once.phase).toBe('running')
    expect(reduce(once, told({ state: 'done', counts }))).toMatchObject({
      phase: 'done',
      percentage: 100,
      result: { status: 'synced', added: 5, removed: 1 },
    })
  })

  it('knows why one failed', () => {
    const ended: Partial<Job> = {
      state: 'failed',
      errors: [{ item: 'job', code: 'partner_timeout', detail: 'slow' }],
    }
    expect(after(...begun, told(ended), told(ended))).toMatchObject({
      phase: 'failed',
      failure: { code: 'partner_timeout', message: 'slow' },
    })
  })

  it.each([
    ['done', 'done'],
    ['partial', 'partial'],
    ['cancelled', 'cancelled'],
  ] as const)('turns %s into %s', (state, phase) => {
    expect(after(...begun, told({ state }), told({ state })).phase).toBe(phase)
  })

  it('knows of waiting and pausing, and of going on', () => {
    const bar = after(...begun, told({ state: 'paused', waiting_reason: 'login_refused' }))
    expect(bar).toMatchObject({ phase: 'waiting', waiting: { reason: 'login_refused' } })
    expect(reduce(bar, told({ state: 'running' })).phase).toBe('running')
  })

  it('says nothing of another job', () => {
    const bar = after(...begun)
    expect(reduce(bar, told({ id: OTHER, state: 'done' }))).toBe(bar)
  })

  it('tells when it should be over while the stream cannot', () => {
    const eta_at = '2026-11-20T14:00:30.000Z'
    expect(after(...begun, told({ eta_at })).eta).toBe(Date.parse(eta_at))
  })
})

describe('the time left', () => {
  it('follows from the rate', () => {
    const samples = [
      { at: 0, read: 0 },
      { at: 10_000, read: 500 },
    ]
    expect(estimate(samples, 1000)).toBe(20_000)
  })

  it('is not guessed from too little', () => {
    expect(estimate([], 10)).toBeNull()
    expect(estimate([{ at: 0, read: 0 }], 10)).toBeNull()
    const burst = [
      { at: 0, read: 0 },
      { at: 500, read: 900 },
    ]
    expect(estimate(burst, 1000)).toBeNull()
  })

  it('takes a burst, as of a replay, for one sample', () => {
    const bar = after(
      ...begun,
      ev(progress(40, 1000), 1000),
      ev(progress(80, 1000), 1001),
      ev(progress(500, 1000), 1002),
      ev(progress(600, 1000), 6002),
    )
    expect(bar.eta).toBe(6002 + 20_000)
  })
})

describe('jobOf', () => {
  it('reads the job out of an id', () => {
    expect(jobOf(`${ID}.12`)).toBe(ID)
    expect(jobOf('')).toBeNull()
    expect(jobOf('12345678.3')).toBeNull()
  })
})
