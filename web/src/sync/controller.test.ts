import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { ApiClient } from '../api/client'
import type { Job } from '../api/types'
import { Session } from '../session/session'
import { Line, serve } from '../test/server'
import { SyncController } from './controller'

const ID = '04b91416-a2be-44b9-92d4-23e0858979a7'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function running() {
  const line = new Line()
  serve({
    'POST /api/reseller/programs/sync-stream': (_, signal) => line.open(signal),
  })
  const session = new Session(null, async () => {})
  await session.signIn('a', 'pw', false)
  const onRows = vi.fn()
  const sync = new SyncController(new ApiClient(session), { onRows, onEnd: () => {} })
  sync.start()
  await vi.advanceTimersByTimeAsync(0)
  let n = 0
  const say = async (event: unknown) => {
    line.send(`${ID}.${++n}`, event)
    await vi.advanceTimersByTimeAsync(1)
  }
  const read = (synced: number) =>
    say({ type: 'progress', synced, total: 520, added: synced, percentage: 0 })
  return { sync, say, read, onRows }
}

describe('the rows of a sync', () => {
  it('are read anew at once, and then at most every few seconds', async () => {
    const { sync, read, onRows } = await running()
    for (let i = 1; i <= 20; i++) await read(i)
    await vi.advanceTimersByTimeAsync(0)
    expect(onRows).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(onRows).toHaveBeenCalledTimes(2)
    sync.dispose()
  })

  it('are all there when the next must be waited for', async () => {
    const { sync, say, read, onRows } = await running()
    await read(40)
    await vi.advanceTimersByTimeAsync(100)
    await read(80)
    await say({ type: 'waiting', until: null, reason: 'partner_limited', message: '' })
    expect(onRows).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(onRows).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(onRows).toHaveBeenCalledTimes(2)
    sync.dispose()
  })

  it('are read anew for what the list of jobs tells, too', async () => {
    const { sync, say, onRows } = await running()
    await say({ type: 'start', message: '' })
    const counts = { added: 300, updated: 0, removed: 0, unchanged: 0, failed: 0 }
    const progress = { done: 300, total: 520, percentage: 58 }
    sync.tell([{ id: ID, kind: 'programs.sync', state: 'running', progress, counts } as Job])
    await vi.advanceTimersByTimeAsync(0)
    expect(onRows).toHaveBeenCalledTimes(1)
    sync.dispose()
  })

  it('are left to the end when it comes first, and to nobody when the page is gone', async () => {
    const one = await running()
    await one.read(40)
    await one.read(80)
    await one.say({ type: 'complete', status: 'synced', added: 80, message: '' })
    await vi.advanceTimersByTimeAsync(4_000)
    expect(one.onRows).toHaveBeenCalledTimes(1)
    const other = await running()
    await other.read(40)
    await other.read(80)
    other.sync.dispose()
    await vi.advanceTimersByTimeAsync(4_000)
    expect(other.onRows).toHaveBeenCalledTimes(1)
  })
})

describe('a bar at its end', () => {
  it('goes by itself after five seconds when it is green', async () => {
    const { sync, say } = await running()
    await say({ type: 'complete', status: 'up_to_date', added: 0, message: '' })
    await vi.advanceTimersByTimeAsync(4_900)
    expect(sync.get().phase).toBe('done')
    await vi.advanceTimersByTimeAsync(200)
    expect(sync.get().phase).toBe('idle')
  })

  it('stays when it is red', async () => {
    const { sync, say } = await running()
    await say({ type: 'error', code: 'partner_error', message: '' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sync.get().phase).toBe('failed')
  })
})
