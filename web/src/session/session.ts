import { ApiError } from '../api/error'
import { checkLogin, type Login } from '../api/client'

export type SessionState =
  | { is: 'out' }
  | { is: 'in'; user: string }
  /** The login was good once and is refused now: the page stays, a form lies over it. */
  | { is: 'expired'; user: string }

interface Kept {
  user: string
  authorization: string
}

interface Waiter {
  resolve(): void
  reject(error: unknown): void
}

const KEY = 'lockstep.session'

/**
 * Who is signed in. The password is in the memory of this object, and in sessionStorage
 * if the person asked for that; it is never anywhere else.
 */
export class Session implements Login {
  private state: SessionState = { is: 'out' }
  private login: string | null = null
  private keep = false
  /** Counts who asked to be signed in or out, so that a late answer changes nothing. */
  private asked = 0
  private listeners = new Set<() => void>()
  private waiters = new Set<Waiter>()

  constructor(
    private readonly storage: Storage | null,
    private readonly check: typeof checkLogin = checkLogin,
  ) {
    const kept = this.restore()
    if (kept === null) return
    this.keep = true
    this.login = kept.authorization
    this.state = { is: 'in', user: kept.user }
  }

  get = (): SessionState => this.state

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Whether it is kept for this tab. */
  get kept(): boolean {
    return this.keep
  }

  /**
   * Throws an ApiError when the login is not taken, or when the person has signed out or
   * tried another meanwhile; then nothing has changed.
   */
  async signIn(user: string, password: string, keep: boolean): Promise<void> {
    const login = basic(user, password)
    const asked = ++this.asked
    await this.check(login)
    if (asked !== this.asked) throw signedOut()
    this.login = login
    this.keep = keep
    this.store(keep ? { user, authorization: login } : null)
    this.become({ is: 'in', user })
    for (const waiter of this.waiters) waiter.resolve()
    this.waiters.clear()
  }

  signOut(): void {
    this.asked++
    this.login = null
    this.keep = false
    this.store(null)
    this.become({ is: 'out' })
    for (const waiter of this.waiters) waiter.reject(signedOut())
    this.waiters.clear()
  }

  async authorization(signal?: AbortSignal): Promise<string> {
    while (this.state.is === 'expired') await this.change(signal)
    if (this.login === null) throw signedOut()
    return this.login
  }

  refused(authorization: string): void {
    if (authorization === this.login) this.expire()
  }

  /** Asks for the password anew; what waits for the API goes on after that. */
  expire(): void {
    if (this.state.is === 'in') this.become({ is: 'expired', user: this.state.user })
  }

  private change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.waiters.delete(waiter)
        reject(new DOMException('aborted', 'AbortError'))
      }
      const ended = (then: () => void) => () => {
        signal?.removeEventListener('abort', abort)
        then()
      }
      const waiter: Waiter = {
        resolve: ended(resolve),
        reject: (error) => ended(() => reject(error))(),
      }
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      this.waiters.add(waiter)
    })
  }

  private become(state: SessionState): void {
    this.state = state
    for (const listener of this.listeners) listener()
  }

  private restore(): Kept | null {
    try {
      const kept: unknown = JSON.parse(this.storage?.getItem(KEY) ?? 'null')
      return isKept(kept) ? kept : null
    } catch {
      return null
    }
  }

  private store(kept: Kept | null): void {
    try {
      if (kept === null) this.storage?.removeItem(KEY)
      else this.storage?.setItem(KEY, JSON.stringify(kept))
    } catch {
      // Full or forbidden: then it is in memory alone.
    }
  }
}

/** RFC 7617 with UTF-8. */
export function basic(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`)
  return `Basic ${btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''))}`
}

function signedOut(): ApiError {
  return new ApiError(0, 'signed_out', 'nobody is signed in')
}

function isKept(value: unknown): value is Kept {
  if (typeof value !== 'object' || value === null) return false
  const { user, authorization } = value as Record<string, unknown>
  return typeof user === 'string' && typeof authorization === 'string'
}
