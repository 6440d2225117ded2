import { ApiError, isAbort } from './error'

export interface SseMessage {
  id: string
  data: string
}

/**
 * The event stream format, fed in pieces. A piece may end anywhere, also between
 * CR and LF. Events have no names here, so `event` is read over.
 */
export class SseParser {
  /** Of the last event that was whole: an `id:` counts at its blank line. */
  lastEventId: string
  /** Milliseconds, as `retry:` asked. */
  retry: number | null = null
  private rest = ''
  private data: string[] = []
  private id = ''

  constructor(lastEventId = '') {
    this.lastEventId = this.id = lastEventId
  }

  feed(piece: string): SseMessage[] {
    const messages: SseMessage[] = []
    const text = this.rest + piece
    let at = 0
    for (;;) {
      const end = lineEnd(text, at)
      if (end === null) break
      this.line(text.slice(at, end.from), messages)
      at = end.to
    }
    this.rest = text.slice(at)
    return messages
  }

  private line(line: string, messages: SseMessage[]): void {
    if (line === '') {
      this.lastEventId = this.id
      if (this.data.length > 0) {
        messages.push({ id: this.lastEventId, data: this.data.join('\n') })
      }
      this.data = []
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') this.data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.id = value
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retry = Number(value)
  }
}

/** A CR that is the last character may be half of a CR LF: wait for the next piece. */
function lineEnd(text: string, at: number): { from: number; to: number } | null {
  for (let i = at; i < text.length; i++) {
    const c = text[i]
    if (c === '\n') return { from: i, to: i + 1 }
    if (c === '\r') {
      if (i + 1 === text.length) return null
      return { from: i, to: text[i + 1] === '\n' ? i + 2 : i + 1 }
    }
  }
  return null
}

export type StreamState =
  | { is: 'connecting' }
  | { is: 'open' }
  /** Gone; it is tried again at `until` (ms since the epoch). */
  | { is: 'lost'; attempt: number; until: number; error: unknown }

export interface StreamOptions {
  /**
   * Opens the stream; gets the headers to send and a signal to obey. It may have to wait
   * for a person to sign in: silence counts only while the request is sent.
   */
  request(
    headers: Record<string, string>,
    signal: AbortSignal,
    sent: (out: boolean) => void,
  ): Promise<Response>
  /** 'end' ends it for good. */
  onMessage(message: SseMessage): 'end' | void
  onState?(state: StreamState): void
  lastEventId?: string
  signal: AbortSignal
  nudge?: Nudge
  /** The server comments every 15 s; silence for longer than this is a dead line. */
  silence?: number
  random?: () => number
}

/** Ends the pause of whoever waits to connect again. */
export class Nudge extends EventTarget {
  now(): void {
    this.dispatchEvent(new Event('now'))
  }
}

const SILENCE_MS = 45_000
const BACKOFF_MS = 500
const BACKOFF_MAX_MS = 30_000

/** Exponential with full jitter in its upper half. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(attempt, 10))
  return Math.round(ceiling * (0.5 + random() / 2))
}

/**
 * Follows a stream until its handler says 'end', for as long as it takes: a line that
 * breaks, ends or falls silent is opened anew after what was seen last. Resolves at
 * the end; throws an ApiError that will not go away, and an AbortError on the signal.
 */
export async function follow(options: StreamOptions): Promise<void> {
  const tell = options.onState ?? (() => {})
  let lastEventId = options.lastEventId ?? ''
  let attempt = 0
  for (;;) {
    options.signal.throwIfAborted()
    tell({ is: 'connecting' })
    const line = new Line(options, lastEventId)
    let error: unknown = null
    try {
      if ((await line.read(() => tell({ is: 'open' }))) === 'end') return
    } catch (cause) {
      options.signal.throwIfAborted()
      error = isAbort(cause) ? new ApiError(0, 'network', 'silence') : ApiError.ofFetch(cause)
      if (!(error instanceof ApiError) || !worthTrying(error)) throw error
    }
    lastEventId = line.lastEventId
    if (line.alive) attempt = 0
    const delay = delayOf(error, line.retry, attempt, options.random)
    tell({ is: 'lost', attempt, until: Date.now() + delay, error })
    attempt++
    await pause(delay, options.signal, options.nudge)
  }
}

function worthTrying(error: ApiError): boolean {
  return error.transient || error.code === 'too_many_refusals' || error.code === 'internal'
}

function delayOf(error: unknown, retry: number | null, attempt: number, random?: () => number) {
  const asked = error instanceof ApiError && error.retryAfter ? error.retryAfter * 1000 : 0
  return Math.max(backoff(attempt, random), asked, error === null ? (retry ?? 0) : 0)
}

/** One connection, with its watchdog. */
class Line {
  /** Whether anything arrived at all. */
  alive = false
  private readonly parser: SseParser
  private readonly dog = new AbortController()
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly options: StreamOptions,
    lastEventId: string,
  ) {
    this.parser = new SseParser(lastEventId)
  }

  get lastEventId(): string {
    return this.parser.lastEventId
  }

  get retry(): number | null {
    return this.parser.retry
  }

  async read(opened: () => void): Promise<'end' | void> {
    const cut = () => this.dog.abort()
    this.options.signal.addEventListener('abort', cut)
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' }
      if (this.lastEventId !== '') headers['Last-Event-ID'] = this.lastEventId
      const response = await this.options.request(headers, this.dog.signal, (out) =>
        out ? this.wake() : clearTimeout(this.timer),
      )
      this.wake()
      if (response.body === null) return
      opened()
      return await this.pump(response.body.getReader())
    } finally {
      clearTimeout(this.timer)
      this.options.signal.removeEventListener('abort', cut)
      this.dog.abort()
    }
  }

  private async pump(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<'end' | void> {
    const decoder = new TextDecoder()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      this.alive = true
      this.wake()
      for (const message of this.parser.feed(decoder.decode(value, { stream: true }))) {
        if (this.options.onMessage(message) === 'end') return 'end'
      }
    }
  }

  private wake(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.dog.abort(), this.options.silence ?? SILENCE_MS)
  }
}

/** Sleeps, but not longer than until the browser is online again or somebody asks. */
function pause(ms: number, signal: AbortSignal, nudge?: Nudge): Promise<void> {
  return new Promise((resolve, reject) => {
    const ways: [EventTarget | undefined, string][] = [
      [window, 'online'],
      [signal, 'abort'],
      [nudge, 'now'],
    ]
    const end = () => {
      clearTimeout(timer)
      for (const [target, name] of ways) target?.removeEventListener(name, end)
      if (signal.aborted) reject(new DOMException('aborted', 'AbortError'))
      else resolve()
    }
    const timer = setTimeout(end, ms)
    for (const [target, name] of ways) target?.addEventListener(name, end)
    if (signal.aborted) end()
  })
}
