import { QueryClient } from '@tanstack/react-query'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { ApiClient } from '../api/client'
import { Session } from '../session/session'
import { Line, serve } from '../test/server'
import { Changes } from './changes'

const EVENTS = 'GET /api/reseller/events'

afterEach(() => {
  vi.unstubAllGlobals()
})

async function following(...lines: Line[]) {
  const asked = serve({
    [EVENTS]: (_, signal) => lines.shift()?.open(signal) ?? new Response('', { status: 404 }),
  })
  const session = new Session(null, async () => {})
  await session.signIn('a', 'pw', false)
  const client = new QueryClient()
  const read: string[] = []
  vi.spyOn(client, 'invalidateQueries').mockImplementation(async (filters) => {
    read.push(String(filters?.queryKey?.[0]))
  })
  const changes = new Changes(new ApiClient(session), client)
  changes.follow()
  return { asked, read, changes }
}

describe("the account's own stream", () => {
  it('has rows, filters and history read anew after a sync', async () => {
    const line = new Line()
    const { read, changes } = await following(line)
    await vi.waitFor(() => expect(line.opened).toBe(true))
    expect(read).toEqual([])
    line.send('00000001.1', { type: 'programs.synced', added: 1, updated: 0, removed: 0, job: 'x' })
    await vi.waitFor(() => expect(read.sort()).toEqual(['filters', 'jobs', 'programs']))
    changes.leave()
  })

  it('has no more than the rows read anew for a name', async () => {
    const line = new Line()
    const { read, changes } = await following(line)
    await vi.waitFor(() => expect(line.opened).toBe(true))
    const type = 'programs.custom_name_updated'
    line.send('00000001.2', { type, program_id: 'p', custom_name: null })
    await vi.waitFor(() => expect(read.sort()).toEqual(['live', 'programs']))
    changes.leave()
  })

  it('reads all anew when what was missed is not kept', async () => {
    const line = new Line()
    const { read, changes } = await following(line)
    await vi.waitFor(() => expect(line.opened).toBe(true))
    line.send('00000001.9', { type: 'reset' })
    await vi.waitFor(() => expect(read.sort()).toEqual(['filters', 'jobs', 'programs']))
    changes.leave()
  })

  it('comes back after the last change that it saw', async () => {
    const first = new Line()
    const second = new Line()
    const { asked, read, changes } = await following(first, second)
    await vi.waitFor(() => expect(first.opened).toBe(true))
    first.send('00000001.5', { type: 'reset' })
    await vi.waitFor(() => expect(read).toHaveLength(3))
    first.close()
    await vi.waitFor(() => expect(second.opened).toBe(true), { timeout: 10_000 })
    expect(asked[1]?.headers['Last-Event-ID']).toBe('00000001.5')
    expect(read).toHaveLength(3)
    changes.leave()
  })

  it('takes nothing for granted when it has seen no change before the line broke', async () => {
    const first = new Line()
    const second = new Line()
    const { read, changes } = await following(first, second)
    await vi.waitFor(() => expect(first.opened).toBe(true))
    first.close()
    await vi.waitFor(() => expect(second.opened).toBe(true), { timeout: 10_000 })
    await vi.waitFor(() => expect(read.sort()).toEqual(['filters', 'jobs', 'programs']))
    changes.leave()
  })
})
