import { describe, expect, it } from 'vitest'

import { loginReason } from '../session/failure'
import { withQuery } from './client'
import { ApiError } from './error'

function problem(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return ApiError.of(new Response(text, { status, headers }))
}

describe('ApiError', () => {
  it('carries what the problem says', async () => {
    const error = await problem(
      400,
      { code: 'bad_field', detail: 'limit is 1 to 200', field: 'limit', instance: 'r1' },
      { 'Retry-After': '3' },
    )
    expect(error).toMatchObject({
      status: 400,
      code: 'bad_field',
      detail: 'limit is 1 to 200',
      field: 'limit',
      instance: 'r1',
      retryAfter: 3,
      transient: false,
    })
  })

  it('reads an answer that is no problem, as of a proxy', async () => {
    const error = await problem(502, '<html>Bad gateway</html>', { 'X-Request-ID': 'r2' })
    expect(error).toMatchObject({ status: 502, code: 'busy', instance: 'r2', transient: true })
    expect(await problem(404, '{}')).toMatchObject({ code: 'unreadable', transient: false })
    expect(await problem(500, 'null')).toMatchObject({ code: 'busy' })
  })

  it('ignores a Retry-After that is no number of seconds', async () => {
    const error = await problem(503, { code: 'busy' }, { 'Retry-After': 'soon' })
    expect(error.retryAfter).toBeUndefined()
  })

  it('tells a network that is down from an abort', () => {
    expect(ApiError.ofFetch(new TypeError('Failed to fetch'))).toMatchObject({
      status: 0,
      code: 'network',
      transient: true,
    })
    const abort = new DOMException('aborted', 'AbortError')
    expect(ApiError.ofFetch(abort)).toBe(abort)
  })
})

describe('loginReason', () => {
  it.each([
    [401, 'login_wrong', 'login_wrong'],
    [403, 'no_access', 'no_access'],
    [429, 'too_many_refusals', 'too_many_refusals'],
    [502, 'partner_error', 'partner_down'],
    [503, 'partner_unavailable', 'partner_down'],
    [503, 'partner_limited', 'partner_limited'],
    [503, 'busy', 'busy'],
    [503, 'database', 'busy'],
    [504, 'partner_timeout', 'partner_slow'],
    [0, 'network', 'network'],
    [500, 'internal', 'unknown'],
  ])('of %i %s is %s', (status, code, reason) => {
    expect(loginReason(new ApiError(status, code, ''))).toBe(reason)
  })

  it('of anything else is unknown', () => {
    expect(loginReason(new Error('x'))).toBe('unknown')
  })
})

describe('withQuery', () => {
  it('leaves out what is not given and escapes what is', () => {
    expect(withQuery('/x')).toBe('/x')
    expect(withQuery('/x', { a: undefined, b: null, c: '' })).toBe('/x')
    expect(withQuery('/x', { q: 'a&b=ü', n: 0, t: false })).toBe('/x?q=a%26b%3D%C3%BC&n=0&t=false')
  })
})
