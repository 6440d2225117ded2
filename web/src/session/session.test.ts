import { describe, expect, it, vi } from 'vitest'

import { ApiClient } from '../api/client'
import { ApiError } from '../api/error'
import { basic, Session } from './session'

class Memory implements Storage {
  private readonly map = new Map<string, string>()
  get length() {
    return this.map.size
  }
  clear = () => this.map.clear()
  getItem = (key: string) => this.map.get(key) ?? null
  key = (i: number) => [...this.map.keys()][i] ?? null
  removeItem = (key: string) => void this.map.delete(key)
  setItem = (key: string, value: string) => void this.map.set(key, value)
  get all() {
    return [...this.map.values()].join()
  }
}

const good = async () => {}

describe('basic', () => {
  it('is base64 of UTF-8', () => {
    expect(basic('odd$&#\\ñame', 'p@ss:w')).toBe('Basic b2RkJCYjXMOxYW1lOnBAc3M6dw==')
  })
})

describe('Session', () => {
  it('keeps a login in memory alone unless asked', async () => {
    const storage = new Memory()
    const session = new Session(storage, good)
    await session.signIn('a', 'secret', false)
    expect(session.get()).toEqual({ is: 'in', user: 'a' })
    expect(storage.length).toBe(0)
    expect(new Session(storage, good).get()).toEqual({ is: 'out' })
  })

  it('keeps it for the tab when asked, until signed out', async () => {
    const storage = new Memory()
    const session = new Session(storage, good)
    await session.signIn('a', 'secret', true)
    expect(await new Session(storage, good).authorization()).toBe(basic('a', 'secret'))
    session.signOut()
    expect(storage.length).toBe(0)
    await expect(session.authorization()).rejects.toMatchObject({ code: 'signed_out' })
  })

  it('forgets what was kept when the next sign-in is not to be kept', async () => {
    const storage = new Memory()
    const session = new Session(storage, good)
    await session.signIn('a', 'secret', true)
    await session.signIn('a', 'secret', false)
    expect(storage.all).toBe('')
  })

  it('changes nothing when the login is not taken', async () => {
    const storage = new Memory()
    const session = new Session(storage, () =>
      Promise.reject(new ApiError(401, 'login_wrong', 'no')),
    )
    await expect(session.signIn('a', 'x', true)).rejects.toMatchObject({ code: 'login_wrong' })
    expect(session.get()).toEqual({ is: 'out' })
    expect(storage.length).toBe(0)
  })

  it('stays signed out when an answer comes after that', async () => {
    const storage = new Memory()
    let answer = () => {}
    const session = new Session(storage, () => new Promise((resolve) => (answer = resolve)))
    const got = session.signIn('a', 'pw', true)
    session.signOut()
    answer()
    await expect(got).rejects.toMatchObject({ code: 'signed_out' })
    expect(session.get()).toEqual({ is: 'out' })
    expect(storage.length).toBe(0)
  })

  it('is whoever tried last', async () => {
    const answers: (() => void)[] = []
    const session = new Session(null, () => new Promise((resolve) => answers.push(resolve)))
    const first = session.signIn('a', 'pw', false)
    const second = session.signIn('b', 'pw', false)
    answers[1]!()
    await second
    answers[0]!()
    await expect(first).rejects.toMatchObject({ code: 'signed_out' })
    expect(session.get()).toEqual({ is: 'in', user: 'b' })
  })

  it('survives rubbish in the storage', () => {
    const storage = new Memory()
    for (const rubbish of ['{', '"x"', 'null', '{"user":1}']) {
      storage.setItem('lockstep.session', rubbish)
      expect(new Session(storage, good).get()).toEqual({ is: 'out' })
    }
  })

  it('ignores the refusal of a login that it no longer has', async () => {
    const session = new Session(null, good)
    await session.signIn('a', 'new', false)
    session.refused(basic('a', 'old'))
    expect(session.get().is).toBe('in')
    session.refused(basic('a', 'new'))
    expect(session.get()).toEqual({ is: 'expired', user: 'a' })
  })
})

describe('ApiClient', () => {
  function answers(...statuses: number[]) {
    const asked: RequestInit[] = []
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      asked.push(init)
      const status = statuses.shift() ?? 200
      return new Response(JSON.stringify({ code: 'login_wrong', ok: 1 }), { status })
    })
    return asked
  }

  const authorization = (init?: RequestInit) =>
    (init?.headers as Record<string, string> | undefined)?.['Authorization']

  it('repeats what was refused once the person has signed in again', async () => {
    const session = new Session(null, good)
    await session.signIn('a', 'old', false)
    const asked = answers(401, 200)
    const got = new ApiClient(session).json('/api/x', { method: 'POST', body: { keep: 'me' } })
    await vi.waitFor(() => expect(session.get().is).toBe('expired'))
    expect(asked).toHaveLength(1)
    await session.signIn('a', 'new', false)
    expect(await got).toMatchObject({ ok: 1 })
    expect(authorization(asked[1])).toBe(basic('a', 'new'))
    expect(asked[1]?.body).toBe('{"keep":"me"}')
    vi.unstubAllGlobals()
  })

  it('asks nothing while the login is refused, and lets go on the signal', async () => {
    const session = new Session(null, good)
    await session.signIn('a', 'old', false)
    session.expire()
    const asked = answers()
    const stop = new AbortController()
    const got = new ApiClient(session).json('/api/x', { signal: stop.signal })
    stop.abort()
    await expect(got).rejects.toMatchObject({ name: 'AbortError' })
    expect(asked).toHaveLength(0)
    vi.unstubAllGlobals()
  })

  it('gives up what waits when the person signs out', async () => {
    const session = new Session(null, good)
    await session.signIn('a', 'old', false)
    session.expire()
    const got = new ApiClient(session).json('/api/x')
    session.signOut()
    await expect(got).rejects.toMatchObject({ code: 'signed_out' })
  })

  it('keeps the browser from opening its own dialog, and the login out of the address', async () => {
    const session = new Session(null, good)
    await session.signIn('a', 'secret', false)
    const asked = answers(200)
    const seen: string[] = []
    const stubbed = globalThis.fetch
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      seen.push(url)
      return stubbed(url, init)
    })
    await new ApiClient(session).json('/api/x', { query: { q: 'b' } })
    expect(seen).toEqual(['/api/x?q=b'])
    expect(asked[0]?.headers).toMatchObject({ 'X-Requested-With': 'fetch' })
    vi.unstubAllGlobals()
  })
})
