import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { whileSeen } from './seen'

let seen: DocumentVisibilityState
beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => seen)
})
afterEach(() => void vi.useRealTimers())

function show(state: DocumentVisibilityState) {
  seen = state
  document.dispatchEvent(new Event('visibilitychange'))
}

it('follows while the page is seen, and lets go a minute after it is not', () => {
  seen = 'visible'
  const calls: string[] = []
  const end = whileSeen(
    () => calls.push('follow'),
    () => calls.push('leave'),
  )
  expect(calls).toEqual(['follow'])
  show('hidden')
  vi.advanceTimersByTime(59_000)
  show('visible')
  vi.advanceTimersByTime(59_000)
  expect(calls).toEqual(['follow', 'follow'])
  show('hidden')
  vi.advanceTimersByTime(60_000)
  expect(calls.pop()).toBe('leave')
  show('visible')
  expect(calls.pop()).toBe('follow')
  end()
  expect(calls.pop()).toBe('leave')
  show('hidden')
  vi.advanceTimersByTime(120_000)
  expect(calls).toEqual(['follow', 'follow'])
})
