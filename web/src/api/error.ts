/** Every way in which asking can fail: a problem (RFC 9457), or no answer at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError'

  constructor(
    /** HTTP status; 0 when there was no answer. */
    readonly status: number,
    /** The stable code of docs/openapi.yaml, or `network`, `signed_out`, `unreadable`. */
    readonly code: string,
    readonly detail: string,
    readonly field?: string,
    /** The request id, for support. */
    readonly instance?: string,
    /** Seconds, where the server named a time. */
    readonly retryAfter?: number,
  ) {
    super(`${code}: ${detail}`)
  }

  /** Whether the same request may be answered if it is asked again. */
  get transient(): boolean {
    return this.status === 0 ? this.code === 'network' : TRANSIENT.has(this.code)
  }

  static async of(response: Response): Promise<ApiError> {
    const retryAfter = seconds(response.headers.get('Retry-After'))
    const rid = response.headers.get('X-Request-ID') ?? undefined
    let body: unknown
    try {
      body = await response.json()
    } catch {
      body = null
    }
    const problem = isRecord(body) ? body : {}
    return new ApiError(
      response.status,
      text(problem['code']) ?? (response.status >= 500 ? 'busy' : 'unreadable'),
      text(problem['detail']) ?? response.statusText,
      text(problem['field']),
      text(problem['instance']) ?? rid,
      retryAfter,
    )
  }

  /** What fetch throws when no answer came. Aborts are passed on as they are. */
  static ofFetch(cause: unknown): unknown {
    if (cause instanceof ApiError || isAbort(cause)) return cause
    return new ApiError(0, 'network', String(cause))
  }
}

const TRANSIENT = new Set([
  'busy',
  'database',
  'partner_error',
  'partner_limited',
  'partner_timeout',
  'partner_unavailable',
])

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function seconds(header: string | null): number | undefined {
  if (header === null || !/^\d{1,6}$/.test(header)) return undefined
  return Number(header)
}
