import { Notifications } from '@mantine/notifications'
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

import { setLanguage, startI18n } from '../i18n'
import type { Job } from '../api/types'
import { Session } from '../session/session'
import { draw } from '../test/draw'
import { json, problem, serve } from '../test/server'
import HistoryDrawer from './HistoryDrawer'

beforeAll(async () => {
  await startI18n()
  await setLanguage('en')
})
afterEach(() => {
  vi.unstubAllGlobals()
})

function job(id: string, part: Partial<Job>): Job {
  return {
    id,
    kind: 'programs.sync',
    state: 'done',
    created_at: '2026-11-20T10:00:00.000Z',
    started_at: '2026-11-20T10:00:00.000Z',
    finished_at: '2026-11-20T10:01:05.000Z',
    progress: { done: 2671, total: 2671, percentage: 100 },
    counts: { added: 0, updated: 0, removed: 0, unchanged: 2671, failed: 0 },
    eta_at: null,
    waiting_until: null,
    waiting_reason: null,
    errors: [],
    timing_ms: { partner: 0, database: 0, names: 0, total: null },
    ...part,
  }
}

async function drawer(routes: Parameters<typeof serve>[0]) {
  const asked = serve(routes)
  const session = new Session(null, async () => {})
  await session.signIn('a', 'pw', false)
  draw(
    <>
      <Notifications />
      <HistoryDrawer onClose={() => {}} />
    </>,
    session,
  )
  return asked
}

const item = async (n: number) => (await screen.findAllByRole('listitem'))[n]!

describe('the history', () => {
  it('tells what each sync did and how long it took', async () => {
    const counts = { added: 12, updated: 3, removed: 1, unchanged: 0, failed: 0 }
    await drawer({ 'GET /api/jobs': () => json({ jobs: [job('a', { counts }), job('b', {})] }) })
    const first = within(await item(0))
    for (const text of ['Done', '12 new', '3 updated', '1 removed', 'took 1 min 5 sec']) {
      expect(first.getByText(text)).toBeTruthy()
    }
    expect(within(await item(1)).getByText('Nothing had changed')).toBeTruthy()
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
  })

  it('tells why one failed, each cause once, and tries it again', async () => {
    const error = (item: string) => ({ item, code: 'partner_error', detail: 'answered 500' })
    const failed = job('a', { state: 'failed', errors: [error('offset 0'), error('offset 40')] })
    const asked = await drawer({
      'GET /api/jobs': () => json({ jobs: [failed] }),
      'POST /api/jobs/a/retry': () => json(job('b', { state: 'queued' }), 202),
    })
    expect(await screen.findByText('2 errors')).toBeTruthy()
    expect(screen.getAllByText(/The partner answered with an error/)).toHaveLength(1)
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('The sync was started again')).toBeTruthy()
    expect(asked.filter((a) => a.path === '/api/jobs').length).toBeLessThanOrEqual(2)
    await waitFor(() =>
      expect(asked.filter((a) => a.path.startsWith('/api/jobs?'))).toHaveLength(2),
    )
  })

  it('cancels one that runs, and says so when that is refused', async () => {
    await drawer({
      'GET /api/jobs': () => json({ jobs: [job('a', { state: 'running', finished_at: null })] }),
      'POST /api/jobs/a/cancel': () => problem(409, 'conflict'),
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Cancel' }))
    expect(await screen.findByText(/^That was refused: That cannot be done now/)).toBeTruthy()
  })

  it('shows older ones when asked, none of them twice', async () => {
    const many = Array.from({ length: 60 }, (_, i) => job(`j${i}`, {}))
    const asked = await drawer({
      'GET /api/jobs': ({ path }) => {
        const offset = Number(new URL(path, 'http://x').searchParams.get('offset') ?? 0)
        // One has come in front meanwhile, so the pages overlap.
        const from = Math.max(0, offset - 1)
        return json({ jobs: many.slice(from, offset === 0 ? 50 : 60) })
      },
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Show older' }))
    await waitFor(() => expect(screen.getAllByRole('listitem')).toHaveLength(60))
    expect(asked.at(-1)?.path).toBe('/api/jobs?limit=50&offset=50')
    expect(screen.queryByRole('button', { name: 'Show older' })).toBeNull()
  })

  it('believes the newest of what it was told of a job', async () => {
    const newest = Array.from({ length: 50 }, (_, i) => job(`j${i}`, {}))
    const stale = job('j49', { state: 'running', finished_at: null })
    await drawer({
      'GET /api/jobs': ({ path }) => json({ jobs: path.includes('offset') ? [stale] : newest }),
    })
    await userEvent.click(await screen.findByRole('button', { name: 'Show older' }))
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Show older' })).toBeNull())
    expect(screen.getAllByText('Done')).toHaveLength(50)
    expect(screen.queryByText('Running')).toBeNull()
  })

  it('knows none that took no time', async () => {
    const at = '2026-11-20T10:00:00.000Z'
    await drawer({ 'GET /api/jobs': () => json({ jobs: [job('a', { finished_at: at })] }) })
    expect(await screen.findByText('took 0.1 sec')).toBeTruthy()
  })

  it('says that it could not be read', async () => {
    await drawer({ 'GET /api/jobs': () => problem(403, 'no_access') })
    expect(await screen.findByText(/could not be read: The partner gives this login/)).toBeTruthy()
  })
})
