import { ApiError } from './error'

/** Where the client has the login from, and whom it tells that one was refused. */
export interface Login {
  /**
   * The value of the Authorization header; null leaves the login to the browser, which
   * asks for it in its own dialog. While a refused login waits for the person
   * to sign in again this waits too; it throws when nobody is signed in.
   */
  authorization(signal?: AbortSignal): Promise<string | null>
  /** The server refused this header. */
  refused(authorization: string): void
}

export type Query = Record<string, string | number | boolean | null | undefined>

export interface Ask {
  method?: 'GET' | 'POST' | 'DELETE'
  query?: Query
  /** Sent as JSON. */
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Told that the request has gone out, and that it has not when it waits for a login. */
  sent?: (out: boolean) => void
}

/**
 * The API of docs/openapi.yaml. A request whose login is refused waits until the
 * person has signed in again and is then repeated, so nothing of what they were
 * doing is lost.
 */
export class ApiClient {
  constructor(private readonly login: Login) {}

  async json<T>(path: string, ask: Ask = {}): Promise<T> {
    const response = await this.send(path, {
      ...ask,
      headers: { Accept: 'application/json', ...ask.headers },
    })
    try {
      return (await response.json()) as T
    } catch (cause) {
      throw ApiError.ofFetch(cause)
    }
  }

  /** The answer itself, when its status is 2xx; else an ApiError is thrown. */
  async send(path: string, ask: Ask = {}): Promise<Response> {
    for (;;) {
      const authorization = await this.login.authorization(ask.signal)
      ask.sent?.(true)
      const response = await call(path, ask, authorization)
      if (response.ok) return response
      const error = await ApiError.of(response)
      if (response.status !== 401 || authorization === null) throw error
      ask.sent?.(false)
      this.login.refused(authorization)
    }
  }
}

/** Asks the partner whether it takes this login. Nothing else is tried or stored. */
export async function checkLogin(authorization: string, signal?: AbortSignal): Promise<void> {
  const path = '/api/auth/validate-credentials'
  const response = await call(path, { method: 'POST', signal }, authorization)
  if (!response.ok) throw await ApiError.of(response)
}

export function withQuery(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, v]) => v !== undefined && v !== null && v !== '')
  if (given.length === 0) return path
  return `${path}?${new URLSearchParams(given.map(([k, v]) => [k, String(v)]))}`
}

async function call(path: string, ask: Ask, authorization: string | null): Promise<Response> {
  const headers: Record<string, string> = { ...ask.headers }
  if (authorization !== null) {
    headers['Authorization'] = authorization
    // Without it a 401 would make the browser open its own dialog.
    headers['X-Requested-With'] = 'fetch'
  }
  const init: RequestInit = {
    method: ask.method ?? 'GET',
    headers,
    signal: ask.signal,
    credentials: authorization === null ? 'same-origin' : 'omit',
    redirect: 'error',
  }
  if (ask.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    init.body = JSON.stringify(ask.body)
  }
  try {
    return await fetch(withQuery(path, ask.query), init)
  } catch (cause) {
    throw ApiError.ofFetch(cause)
  }
}
