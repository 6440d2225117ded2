import type { Job } from '../api/types'

/** How many jobs are asked for: enough for the history's first page and for this. */
export const JOBS_SHOWN = 50

export interface Freshness {
  /** Nothing has ever been read, so an empty table says nothing of the account. */
  never: boolean
  /** No sync was ever complete. */
  neverGood: boolean
  /** When the last complete sync ended; null if it is not among the jobs that are listed. */
  goodAt: string | null
  /** Why what is shown may be old; null when it is not. */
  stale: Stale | null
}

export type Stale =
  | { why: 'age' }
  | { why: 'partial' }
  | { why: 'failed'; code: string; message: string }
  | { why: 'never' }

export const STALE_MS = 60 * 60_000

/** From the jobs, newest first. One that runs says nothing yet, a cancelled one neither. */
export function freshness(jobs: Job[], now: number): Freshness {
  const syncs = jobs.filter((job) => job.kind === 'programs.sync')
  const good = syncs.find((job) => job.state === 'done')
  const goodAt = good?.finished_at ?? null
  const told = syncs.find(
    (job) => job.state === 'done' || job.state === 'partial' || job.state === 'failed',
  )
  const read = syncs.some((job) => job.state === 'done' || job.state === 'partial')
  // A list that is full of failures may hide a good one behind it.
  const all = jobs.length < JOBS_SHOWN
  const never = all && !read
  const neverGood = all && good === undefined
  return { never, neverGood, goodAt, stale: told === undefined ? null : stale(told, goodAt, now) }
}

function stale(last: Job, goodAt: string | null, now: number): Stale | null {
  if (last.state === 'failed') {
    const first = last.errors[0]
    return { why: 'failed', code: first?.code ?? 'unknown', message: first?.detail ?? '' }
  }
  if (last.state === 'partial') return { why: 'partial' }
  if (goodAt === null) return { why: 'never' }
  return now - Date.parse(goodAt) > STALE_MS ? { why: 'age' } : null
}

export type Empty = 'never' | 'syncing' | 'noMatch' | 'none'

/** Which of the four reasons a table without a row has. */
export function emptiness(is: { filtered: boolean; syncing: boolean; never: boolean }): Empty {
  if (is.filtered && !is.never) return 'noMatch'
  if (is.syncing) return is.never ? 'syncing' : 'none'
  return is.never ? 'never' : 'none'
}
