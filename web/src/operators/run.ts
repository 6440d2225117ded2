import type { Run, RunEvent } from './types'

/**
 * The run with the progress that an event tells, which is newer than what was read. Its
 * state is left alone: events from the start on are those of the past.
 */
export function runAfter(run: Run, event: RunEvent): Run {
  if (isOver(run) || event.type !== 'progress' || event.done < run.progress.done) return run
  const { done, total, percentage, failed } = event
  return {
    ...run,
    progress: { done, total, percentage },
    batches: { done: event.batch, total: event.batches },
    counts: { ...run.counts, failed },
  }
}

export function isOver({ state }: Pick<Run, 'state'>): boolean {
  return state === 'done' || state === 'partial' || state === 'failed' || state === 'cancelled'
}

/** When it will be over; null also where what was told has passed, or comes before it goes on. */
export function etaOf(run: Run, now: number): string | null {
  if (run.eta_at === null || isOver(run)) return null
  const from = run.waiting_until === null ? now : Math.max(now, Date.parse(run.waiting_until))
  return Date.parse(run.eta_at) < from ? null : run.eta_at
}

/** Whether it is the item of an error that is of no single product. */
export function isWhole(item: string): item is 'job' | 'texts' | 'products' {
  return item === 'job' || item === 'texts' || item === 'products'
}

export function isEnd(event: RunEvent): boolean {
  return event.type === 'complete' || event.type === 'error'
}

export type RunAction = 'pause' | 'resume' | 'cancel' | 'retryFailed' | 'retry'

/** What a person can do to it. */
export function actionsOf(run: Run): RunAction[] {
  if (run.state === 'paused') return ['resume', 'cancel']
  if (!isOver(run)) return ['pause', 'cancel']
  if (run.state === 'done') return []
  const less = run.state === 'partial' || run.counts.failed > 0 || leftOf(run)
  return less ? ['retryFailed', 'retry'] : ['retry']
}

/** Whether it was cancelled before it had come to all of them. */
export function leftOf({ state, progress: { done, total } }: Run): boolean {
  return state === 'cancelled' && total !== null && done < total
}

export function parse(data: string): RunEvent | null {
  try {
    const event: unknown = JSON.parse(data)
    return typeof event === 'object' && event !== null && 'type' in event
      ? (event as RunEvent)
      : null
  } catch {
    return null
  }
}

export interface Gentle {
  (): void
  stop(): void
}

/** Calls at once, and after that at most every `ms`; the last call is never lost. */
export function gently(what: () => void, ms: number): Gentle {
  let timer: ReturnType<typeof setTimeout> | undefined
  let again = false
  const rest = () => {
    timer = undefined
    if (again) call()
  }
  const call = () => {
    again = timer !== undefined
    if (again) return
    timer = setTimeout(rest, ms)
    what()
  }
  return Object.assign(call, {
    stop() {
      clearTimeout(timer)
      timer = undefined
      again = false
    },
  })
}
