import { describe, expect, it } from 'vitest'

import type { Job, JobState } from '../api/types'
import { emptiness, freshness, JOBS_SHOWN } from './freshness'

const NOW = Date.parse('2026-11-20T12:00:00Z')

function sync(state: JobState, minutesAgo: number, part: Partial<Job> = {}): Job {
  const at = new Date(NOW - minutesAgo * 60_000).toISOString()
  return {
    id: `${state}${minutesAgo}`,
    kind: 'programs.sync',
    state,
    created_at: at,
    started_at: at,
    finished_at: at,
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

const why = (...jobs: Job[]) => freshness(jobs, NOW).stale?.why ?? null

describe('freshness', () => {
  it('is good for 60 minutes', () => {
    expect(why(sync('done', 59))).toBeNull()
    expect(why(sync('done', 61))).toBe('age')
  })

  it('is doubtful when the last one was partial or failed', () => {
    expect(why(sync('partial', 1), sync('done', 5))).toBe('partial')
    const errors = [{ item: 'job', code: 'partner_error', detail: 'x' }]
    expect(freshness([sync('failed', 1, { errors }), sync('done', 5)], NOW).stale).toEqual({
      why: 'failed',
      code: 'partner_error',
      message: 'x',
    })
  })

  it('knows that something was read though nothing was complete', () => {
    expect(freshness([sync('partial', 1)], NOW)).toMatchObject({ never: false, neverGood: true })
  })

  it('does not hear those that run, were cancelled or only tried', () => {
    const good = sync('done', 5)
    const trial = sync('failed', 0, { kind: 'programs.sync_dry_run' })
    expect(why(trial, sync('running', 0), sync('cancelled', 1), good)).toBeNull()
  })

  it('is over what failed once a good one follows', () => {
    expect(why(sync('done', 1), sync('failed', 5))).toBeNull()
  })

  it('says nothing of an account that is new', () => {
    expect(freshness([], NOW)).toEqual({
      never: true,
      neverGood: true,
      goodAt: null,
      stale: null,
    })
    expect(freshness([sync('running', 0)], NOW)).toMatchObject({ never: true, stale: null })
  })

  it('does not say never when the list is full of failures', () => {
    const failures = Array.from({ length: JOBS_SHOWN }, (_, i) => sync('failed', i))
    expect(freshness(failures, NOW)).toMatchObject({ never: false, neverGood: false })
    expect(freshness(failures.slice(1), NOW)).toMatchObject({ never: true, neverGood: true })
  })
})

describe('emptiness', () => {
  it.each([
    [{ filtered: false, syncing: false, never: true }, 'never'],
    [{ filtered: true, syncing: false, never: true }, 'never'],
    [{ filtered: false, syncing: true, never: true }, 'syncing'],
    [{ filtered: true, syncing: true, never: true }, 'syncing'],
    [{ filtered: true, syncing: false, never: false }, 'noMatch'],
    [{ filtered: true, syncing: true, never: false }, 'noMatch'],
    [{ filtered: false, syncing: false, never: false }, 'none'],
    [{ filtered: false, syncing: true, never: false }, 'none'],
  ] as const)('of %o is %s', (is, expected) => {
    expect(emptiness(is)).toBe(expected)
  })
})
