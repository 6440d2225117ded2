import type { ApiClient } from '../api/client'
import { ApiError, isAbort } from '../api/error'
import { follow, Nudge, type SseMessage, type StreamState } from '../api/sse'
import { isActive, type Job, type SyncEvent } from '../api/types'
import { idle, reduce, underWay, type Action, type Bar } from './bar'

export type Mode = 'quick' | 'full'

export interface Listeners {
  /** Rows have arrived; it is told at most every few seconds. */
  onRows(): void
  /** It is over, however it ended. */
  onEnd(bar: Bar): void
}

const ROWS_MS = 3_000
const GREEN_MS = 5_000

/**
 * Starts syncs, joins those that run, and follows them. It outlives what shows it;
 * the page reads `get` and is told of changes by `subscribe`.
 */
export class SyncController {
  private bar: Bar = idle
  private mode: Mode = 'quick'
  private stop: AbortController | null = null
  private readonly nudge = new Nudge()
  private readonly subscribers = new Set<() => void>()
  private hiding: ReturnType<typeof setTimeout> | undefined
  private rowsAt = 0
  private rowsTimer: ReturnType<typeof setTimeout> | undefined
  /**
   * The job that was followed last. A list of jobs that is older than its end must not
   * have it joined again: that would start another one.
   */
  private known: string | null = null

  constructor(
    private readonly api: ApiClient,
    private readonly listeners: Listeners,
  ) {}

  get = (): Bar => this.bar

  subscribe = (subscriber: () => void): (() => void) => {
    this.subscribers.add(subscriber)
    return () => this.subscribers.delete(subscriber)
  }

  /** Starts a sync, or joins the one that runs. */
  start = (mode: Mode = 'quick'): void => {
    if (underWay(this.bar)) return
    this.mode = mode
    this.rowsAt = 0
    this.act({ type: 'start' })
    void this.run()
  }

  again = (): void => this.start(this.mode)

  /** A line that was lost is tried at once. */
  reconnect = (): void => this.nudge.now()

  hide = (): void => this.act({ type: 'hide' })

  /** How things stand by /api/jobs. A sync that somebody else began is joined. */
  tell(jobs: Job[]): void {
    if (underWay(this.bar)) {
      const known = this.bar.job
      const job = jobs.find((j) => (known === null ? isSync(j) && isActive(j) : j.id === known))
      if (job !== undefined) this.act({ type: 'job', job, at: Date.now() })
      return
    }
    const other = jobs.find((job) => isSync(job) && isActive(job))
    if (other === undefined || other.id === this.known) return
    this.known = other.id
    this.start('quick')
  }

  dispose(): void {
    clearTimeout(this.hiding)
    this.noRows()
    this.stop?.abort()
    this.stop = null
    this.bar = idle
  }

  private async run(): Promise<void> {
    this.stop?.abort()
    const stop = new AbortController()
    this.stop = stop
    try {
      await follow({
        request: (headers, signal, sent) =>
          this.api.send('/api/reseller/programs/sync-stream', {
            method: 'POST',
            query: this.mode === 'full' ? { mode: 'full' } : {},
            headers,
            signal,
            sent,
          }),
        onMessage: (message) => this.onMessage(message),
        onState: (state) => this.onState(state),
        signal: stop.signal,
        nudge: this.nudge,
      })
    } catch (error) {
      if (isAbort(error) || stop.signal.aborted) return
      const { code, detail } = error instanceof ApiError ? error : unknown(error)
      this.act({ type: 'failed', code, message: detail })
    }
  }

  private onMessage(message: SseMessage): 'end' | void {
    const event = parse(message.data)
    if (event === null) return
    this.act({ type: 'event', id: message.id, event, at: Date.now() })
    return event.type === 'complete' || event.type === 'error' ? 'end' : undefined
  }

  private onState(state: StreamState): void {
    const error = state.is === 'lost' ? state.error : null
    const code = error instanceof ApiError ? error.code : 'network'
    // Nothing has been started yet, and it is not our line that is at fault: say so.
    if (this.bar.job === null && code.startsWith('partner_')) {
      this.act({ type: 'failed', code, message: (error as ApiError).detail })
      this.stop?.abort()
      return
    }
    this.act({ type: 'stream', state, code })
  }

  /** The last ones count, too: the next may be an hour away. */
  private rows(): void {
    if (this.rowsTimer !== undefined) return
    const wait = Math.max(0, this.rowsAt + ROWS_MS - Date.now())
    this.rowsTimer = setTimeout(() => {
      this.rowsTimer = undefined
      this.rowsAt = Date.now()
      this.listeners.onRows()
    }, wait)
  }

  private noRows(): void {
    clearTimeout(this.rowsTimer)
    this.rowsTimer = undefined
  }

  private act(action: Action): void {
    const before = this.bar
    this.bar = reduce(before, action)
    if (this.bar === before) return
    for (const subscriber of this.subscribers) subscriber()
    if (underWay(before) && !underWay(this.bar)) this.ended()
    else if (underWay(this.bar)) {
      clearTimeout(this.hiding)
      if (this.bar.read > 0 && this.bar.read !== before.read) this.rows()
    }
  }

  private ended(): void {
    this.stop?.abort()
    this.noRows()
    this.known = this.bar.job ?? this.known
    this.listeners.onEnd(this.bar)
    clearTimeout(this.hiding)
    if (this.bar.phase === 'done') this.hiding = setTimeout(this.hide, GREEN_MS)
  }
}

function isSync(job: Job): boolean {
  return job.kind === 'programs.sync'
}

function unknown(error: unknown) {
  return { code: 'unknown', detail: String(error) }
}

function parse(data: string): SyncEvent | null {
  try {
    const event: unknown = JSON.parse(data)
    return typeof event === 'object' && event !== null && 'type' in event
      ? (event as SyncEvent)
      : null
  } catch {
    return null
  }
}
