import type { StreamState } from '../api/sse'
import { isActive, type Job, type SyncEvent, type SyncStatus } from '../api/types'

/**
 * What is known of the sync that the page follows. Three sources tell: the stream's
 * events, the stream's own state, and the job as /api/jobs shows it, which is looked
 * at every few seconds, so that the bar is right also when an event never comes.
 */
export interface Bar {
  phase: 'idle' | 'starting' | 'running' | 'waiting' | 'done' | 'partial' | 'failed' | 'cancelled'
  job: string | null
  /** Programs that the partner named; null until it is known. */
  total: number | null
  read: number
  added: number
  /** How many the partner has more than we; 0 means no news is expected. */
  toSync: number | null
  percentage: number | null
  /** When the news of `toSync` came, ms. */
  infoAt: number
  /** When it should be over, ms; null while nobody can say. */
  eta: number | null
  waiting: { until: number | null; reason: string } | null
  lost: { until: number | null; code: string } | null
  result: Result | null
  failure: { code: string; message: string } | null
  samples: Sample[]
  /** A replay of events that are older than what /api/jobs has told must not go back. */
  floor: { read: number; until: number } | null
  /** The job that /api/jobs has shown as ended while the stream was still silent. */
  ended: string | null
}

export interface Result {
  status: SyncStatus
  added: number
  updated: number
  removed: number
  failed: number
  message: string
}

interface Sample {
  at: number
  read: number
}

export type Action =
  | { type: 'start' }
  | { type: 'event'; id: string; event: SyncEvent; at: number }
  | { type: 'stream'; state: StreamState; code: string }
  | { type: 'job'; job: Job; at: number }
  | { type: 'failed'; code: string; message: string }
  | { type: 'hide' }

export const idle: Bar = {
  phase: 'idle',
  job: null,
  total: null,
  read: 0,
  added: 0,
  toSync: null,
  percentage: null,
  infoAt: 0,
  eta: null,
  waiting: null,
  lost: null,
  result: null,
  failure: null,
  samples: [],
  floor: null,
  ended: null,
}

export function underWay(bar: Bar): boolean {
  return bar.phase === 'starting' || bar.phase === 'running' || bar.phase === 'waiting'
}

export function reduce(bar: Bar, action: Action): Bar {
  switch (action.type) {
    case 'start':
      return underWay(bar) ? bar : { ...idle, phase: 'starting' }
    case 'hide':
      return underWay(bar) ? bar : idle
    case 'failed':
      if (!underWay(bar)) return bar
      return end(bar, {
        phase: 'failed',
        failure: { code: action.code, message: action.message },
      })
    case 'stream':
      return underWay(bar) ? { ...bar, lost: lost(action.state, action.code, bar) } : bar
    case 'event':
      return underWay(bar) ? onEvent(named(bar, action.id), action.event, action.at) : bar
    case 'job':
      return underWay(bar) ? onJob(bar, action.job, action.at) : bar
  }
}

function end(bar: Bar, rest: Partial<Bar>): Bar {
  return { ...bar, waiting: null, lost: null, eta: null, samples: [], floor: null, ...rest }
}

/** An event's id is the job's, a dot and the event's number. */
export function jobOf(eventId: string): string | null {
  return /^([0-9a-f-]{36})\.\d+$/.exec(eventId)?.[1] ?? null
}

function named(bar: Bar, eventId: string): Bar {
  const job = jobOf(eventId)
  if (job === null || job === bar.job) return bar
  return bar.job === null ? { ...bar, job } : { ...idle, phase: 'starting', job }
}

/** Connecting anew is still being without a line; only an open one is not. */
function lost(state: StreamState, code: string, bar: Bar): Bar['lost'] {
  if (state.is === 'open') return null
  if (state.is === 'lost') return { until: state.until, code }
  return bar.lost === null ? null : { ...bar.lost, until: null }
}

function onEvent(bar: Bar, event: SyncEvent, at: number): Bar {
  switch (event.type) {
    case 'start':
      return bar.phase === 'starting' ? { ...bar, phase: 'running' } : bar
    case 'info':
      return {
        ...bar,
        phase: 'running',
        total: event.total_api,
        toSync: event.to_sync,
        // What a replay tells is no news to a page that knows how far it is.
        infoAt: bar.floor === null || bar.floor.read === 0 ? at : 0,
      }
    case 'progress':
      return onProgress(bar, event, at)
    case 'waiting':
      return { ...bar, phase: 'waiting', eta: null, waiting: waiting(event.until, event.reason) }
    case 'complete':
      return end(bar, {
        phase: event.status === 'partial' ? 'partial' : 'done',
        percentage: event.status === 'partial' ? bar.percentage : 100,
        added: event.added,
        result: {
          status: event.status,
          added: event.added,
          updated: event.updated ?? 0,
          removed: event.removed ?? 0,
          failed: 0,
          message: event.message,
        },
      })
    case 'error':
      if (event.code === 'cancelled') return end(bar, { phase: 'cancelled' })
      return end(bar, {
        phase: 'failed',
        failure: { code: event.code ?? 'unknown', message: event.message },
      })
    default:
      return bar
  }
}

function onProgress(bar: Bar, event: SyncEvent & { type: 'progress' }, at: number): Bar {
  const floor = bar.floor !== null && at < bar.floor.until ? bar.floor : null
  if (floor !== null && event.synced < floor.read) return bar
  const samples = sampled(bar.samples, { at, read: event.synced })
  return {
    ...bar,
    phase: 'running',
    waiting: null,
    floor: null,
    total: event.total,
    read: event.synced,
    added: event.added,
    percentage: event.percentage,
    samples,
    eta: estimate(samples, event.total) ?? bar.eta,
  }
}

function waiting(until: string | null, reason: string): NonNullable<Bar['waiting']> {
  const at = until === null ? NaN : Date.parse(until)
  return { until: Number.isNaN(at) ? null : at, reason }
}

/** What comes in one burst, as when a page joins late, is one sample. */
const BURST_MS = 250
const WINDOW_MS = 20_000
const ENOUGH_MS = 2_000

function sampled(samples: Sample[], sample: Sample): Sample[] {
  const last = samples.at(-1)
  // A reading that begins again goes back: the rate from before says nothing then.
  if (last !== undefined && sample.read < last.read) return [sample]
  const kept = samples.filter((s) => sample.at - s.at <= WINDOW_MS)
  if (last !== undefined && sample.at - last.at < BURST_MS && kept.length > 0) kept.pop()
  return [...kept, sample]
}

/** When the rest is read at the rate of the last seconds. */
export function estimate(samples: Sample[], total: number): number | null {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return null
  const span = last.at - first.at
  const read = last.read - first.read
  if (span < ENOUGH_MS || read <= 0) return null
  return last.at + ((total - last.read) * span) / read
}

const FLOOR_MS = 3_000

function onJob(bar: Bar, job: Job, at: number): Bar {
  if (bar.job === null && isActive(job) && bar.phase === 'starting') return adopt(bar, job, at)
  if (job.id !== bar.job) return bar
  if (!isActive(job)) {
    return bar.ended === job.id ? ofEnded(bar, job) : { ...bar, ended: job.id }
  }
  return ofActive(job.progress.done > bar.read ? ahead(bar, job, at) : bar, job)
}

/** The list knows more than the stream has told: that one is late, or dead. */
function ahead(bar: Bar, job: Job, at: number): Bar {
  const { done, total, percentage } = job.progress
  return {
    ...bar,
    phase: 'running',
    total: total ?? bar.total,
    read: done,
    added: job.counts.added,
    percentage,
    floor: { read: done, until: at + FLOOR_MS },
  }
}

/** A page that has just been opened shows at once how far it is. */
function adopt(bar: Bar, job: Job, at: number): Bar {
  return ofActive(ahead({ ...bar, job: job.id }, job, at), job)
}

function ofActive(bar: Bar, job: Job): Bar {
  if (job.state === 'waiting' || job.state === 'paused') {
    const reason = job.waiting_reason ?? (job.state === 'paused' ? 'by_hand' : 'partner_limited')
    return { ...bar, phase: 'waiting', eta: null, waiting: waiting(job.waiting_until, reason) }
  }
  const eta = estimate(bar.samples, bar.total ?? 0)
  const told = job.eta_at === null ? null : Date.parse(job.eta_at)
  const running = bar.phase === 'waiting' && job.state === 'running'
  return {
    ...bar,
    phase: running ? 'running' : bar.phase,
    waiting: running ? null : bar.waiting,
    eta: eta ?? told,
  }
}

function ofEnded(bar: Bar, job: Job): Bar {
  const { added, updated, removed, failed } = job.counts
  const first = job.errors[0]
  if (job.state === 'cancelled') return end(bar, { phase: 'cancelled' })
  if (job.state === 'failed') {
    const failure = { code: first?.code ?? 'unknown', message: first?.detail ?? '' }
    return end(bar, { phase: 'failed', failure })
  }
  const partial = job.state === 'partial'
  const changed = added + updated + removed > 0
  return end(bar, {
    phase: partial ? 'partial' : 'done',
    percentage: partial ? bar.percentage : 100,
    added,
    result: {
      status: partial ? 'partial' : changed ? 'synced' : 'up_to_date',
      added,
      updated,
      removed,
      failed,
      message: first?.detail ?? '',
    },
  })
}
