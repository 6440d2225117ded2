import { act, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { setLanguage, startI18n } from '../i18n'
import { Session } from '../session/session'
import { draw } from '../test/draw'
import { json, Line, problem, serve, type Asked } from '../test/server'
import { SyncProvider } from './context'
import { EmptyState } from './EmptyState'
import { StaleNote } from './StaleNote'
import { SyncPanel } from './SyncPanel'

const ID = '04b91416-a2be-44b9-92d4-23e0858979a7'
const SYNC = 'POST /api/reseller/programs/sync-stream'
const JOBS = 'GET /api/jobs'

beforeAll(startI18n)
beforeEach(() => setLanguage('en'))
afterEach(() => {
  vi.unstubAllGlobals()
})

async function signedIn(): Promise<Session> {
  const session = new Session(null, async () => {})
  await session.signIn('agency', 'pw', false)
  return session
}

async function page(what = <SyncPanel title="P" />, session?: Session) {
  draw(<SyncProvider>{what}</SyncProvider>, session ?? (await signedIn()))
}

/** One stream after the other. */
function streams(...lines: Line[]) {
  return (_: Asked, signal: AbortSignal | null) => {
    const line = lines.shift()
    return line === undefined ? problem(403, 'no_access') : line.open(signal)
  }
}

const noJobs = () => json({ jobs: [] })
const bar = () => screen.getByRole('progressbar', { name: 'Sync' })

async function say(line: Line, n: number, event: unknown): Promise<void> {
  await waitFor(() => expect(line.opened).toBe(true))
  await act(async () => {
    line.send(`${ID}.${n}`, event)
    await new Promise((resolve) => setTimeout(resolve, 20))
  })
}

describe('a page that is opened', () => {
  it('syncs by itself and shows how it goes', async () => {
    const line = new Line()
    const asked = serve({ [SYNC]: streams(line), [JOBS]: noJobs })
    await page()
    await say(line, 1, { type: 'start', message: '' })
    await say(line, 2, { type: 'info', total_api: 1000, total_db: 0, to_sync: 1000 })
    expect(screen.getAllByText('📊 Found 1000 programs to sync')[0]).toBeTruthy()
    await say(line, 3, { type: 'progress', synced: 400, total: 1000, added: 400, percentage: 40 })
    expect(bar().getAttribute('aria-valuenow')).toBe('40')
    expect(screen.getByText('40 %')).toBeTruthy()
    expect(screen.getByText('400 of 1,000')).toBeTruthy()
    expect(screen.getByRole('status').textContent).toBe('Syncing, 25 percent')
    expect(asked.filter((a) => a.path.includes('sync-stream'))).toHaveLength(1)
    await say(line, 4, {
      type: 'complete',
      status: 'synced',
      added: 1000,
      total_synced: 1000,
      message: '',
    })
    expect(screen.getAllByText('✅ Synced 1000 new programs')).toHaveLength(2)
    expect(bar().getAttribute('aria-valuenow')).toBe('100')
  })

  it('speaks Ukrainian', async () => {
    await setLanguage('uk')
    const line = new Line()
    serve({ [SYNC]: streams(line), [JOBS]: noJobs })
    await page()
    await say(line, 1, { type: 'info', total_api: 1915, total_db: 1, to_sync: 0 })
    await say(line, 2, { type: 'complete', status: 'synced', added: 1905, message: '' })
    expect(screen.getAllByText('✅ Синхронізовано 1905 програм')[0]).toBeTruthy()
  })

  it('says that nothing was to be done, and hides after 5 s', async () => {
    const line = new Line()
    serve({ [SYNC]: streams(line), [JOBS]: noJobs })
    await page()
    await say(line, 1, { type: 'info', total_api: 80, total_db: 80, to_sync: 0 })
    expect(screen.getAllByText('Checking 80 programs')[0]).toBeTruthy()
    await say(line, 2, { type: 'complete', status: 'up_to_date', added: 0, message: '' })
    expect(screen.getAllByText('✅ Already up to date')[0]).toBeTruthy()
    await waitFor(() => expect(screen.queryByRole('progressbar')).toBeNull(), { timeout: 8000 })
  })

  it('shows why it failed, and tries again when asked', async () => {
    const first = new Line()
    const second = new Line()
    serve({ [SYNC]: streams(first, second), [JOBS]: noJobs })
    await page()
    await say(first, 1, { type: 'error', code: 'partner_timeout', message: 'no answer in 30 s' })
    expect(screen.getAllByText('❌ The partner took too long to answer')[0]).toBeTruthy()
    expect(screen.getByText('no answer in 30 s')).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    await say(second, 1, { type: 'start', message: '' })
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
  })

  it('says in English what only the server can say, and says it once', async () => {
    await setLanguage('uk')
    const line = new Line()
    const lines = [line, new Line()]
    serve({ [SYNC]: streams(...lines), [JOBS]: noJobs })
    await page()
    await say(line, 1, { type: 'error', code: 'partner_timeout', message: 'no answer in 30 s' })
    expect(screen.getByText('no answer in 30 s').lang).toBe('en')
    await userEvent.click(screen.getByRole('button', { name: /Спробувати/ }))
    await say(lines[1]!, 1, { type: 'error', code: 'new_code', message: 'told by the server' })
    expect(screen.getAllByText('❌ told by the server')).toHaveLength(2)
    expect(screen.queryByText('told by the server')).toBeNull()
  })

  it.each([
    [problem(503, 'busy'), /^The service is busy\. Trying again in \d/],
    [problem(500, 'internal'), /^A mistake of ours\. Trying again in \d/],
    [problem(429, 'too_many_refusals'), /^Too many wrong logins, wait a minute\. Trying again/],
  ])('does not blame the line for an answer (%#)', async (answer, words) => {
    serve({ [SYNC]: () => answer.clone(), [JOBS]: noJobs })
    await page()
    expect((await screen.findAllByText(words))[0]).toBeTruthy()
    expect(screen.queryByText(/no connection/)).toBeNull()
  })

  it('does not say that nothing was ever synced over the first rows', async () => {
    const line = new Line()
    serve({ [SYNC]: streams(line), [JOBS]: noJobs })
    await page()
    await say(line, 1, { type: 'start', message: '' })
    expect(screen.queryByText('Never synced')).toBeNull()
    await say(line, 2, { type: 'error', code: 'cancelled', message: '' })
    expect(await screen.findByText('Never synced')).toBeTruthy()
  })

  it('says until when the partner makes us wait', async () => {
    // The clock stands, the timers go on.
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const line = new Line()
      serve({ [SYNC]: streams(line), [JOBS]: noJobs })
      await page()
      const until = new Date(Date.now() + 30_000).toISOString()
      await say(line, 1, { type: 'waiting', until, reason: 'partner_limited', message: '' })
      const said = screen.getAllByText(/^⏳ The partner asks us to wait. It goes on at \d/)
      expect(said[0]).toBeTruthy()
      expect(screen.getByText('in 30 sec')).toBeTruthy()
    } finally {
      vi.useRealTimers()
    }
  })

  it('goes on with the same job after the line is lost', async () => {
    const first = new Line()
    const second = new Line()
    const asked = serve({ [SYNC]: streams(first, second), [JOBS]: noJobs })
    await page()
    await say(first, 7, { type: 'progress', synced: 400, total: 1000, added: 0, percentage: 40 })
    act(() => first.close())
    await waitFor(() => expect(screen.getAllByText(/^Connection lost/)[0]).toBeTruthy())
    expect(bar().getAttribute('aria-valuenow')).toBe('40')
    await say(second, 8, { type: 'progress', synced: 500, total: 1000, added: 0, percentage: 50 })
    const again = asked.filter((a) => a.path.includes('sync-stream'))[1]
    expect(again?.headers['Last-Event-ID']).toBe(`${ID}.7`)
    expect(bar().getAttribute('aria-valuenow')).toBe('50')
    expect(screen.queryByText(/^Connection lost/, { selector: 'span' })).toBeNull()
  })

  it('is told by the list of jobs how far it is', async () => {
    const running = {
      ...done,
      state: 'running',
      finished_at: null,
      progress: { done: 300, total: 1000, percentage: 30 },
    }
    serve({ [SYNC]: () => new Promise(() => {}), [JOBS]: () => json({ jobs: [running] }) })
    await page()
    await waitFor(() => expect(bar().getAttribute('aria-valuenow')).toBe('30'))
    expect(screen.getAllByText('⏳ Syncing programs... 300/1000')).toHaveLength(1)
    expect(screen.queryByText(/300 of/)).toBeNull()
  })

  it('is cancelled when asked, and does not begin again by itself', async () => {
    const line = new Line()
    let looks = 0
    const running = () => ({ ...done, state: 'running', eta_at: `2026-11-20T12:00:0${looks++}Z` })
    const asked = serve({
      [SYNC]: streams(line),
      [JOBS]: () => json({ jobs: [running()] }),
      [`POST /api/jobs/${ID}/cancel`]: () => json({ ...done, state: 'cancelled' }),
    })
    await page()
    await say(line, 1, { type: 'start', message: '' })
    await userEvent.click(screen.getByRole('button', { name: 'Cancel the sync' }))
    await say(line, 2, { type: 'error', code: 'cancelled', message: '' })
    await waitFor(() => expect(screen.getAllByText('The sync was cancelled')).toHaveLength(2))
    // The lists that are read now may still be of before.
    const before = looks
    await waitFor(() => expect(looks).toBeGreaterThan(before), { timeout: 8000 })
    await act(() => new Promise((resolve) => setTimeout(resolve, 100)))
    expect(asked.filter((a) => a.path.includes('sync-stream'))).toHaveLength(1)
  })

  it('joins a sync that somebody else has begun', async () => {
    const first = new Line()
    const second = new Line()
    const other = '14b91416-a2be-44b9-92d4-23e0858979a7'
    let jobs: unknown[] = []
    serve({ [SYNC]: streams(first, second), [JOBS]: () => json({ jobs }) })
    await page()
    await say(first, 1, { type: 'start', message: '' })
    jobs = [{ ...done, id: other, state: 'running', finished_at: null }, done]
    await say(first, 2, { type: 'complete', status: 'up_to_date', added: 0, message: '' })
    await waitFor(() => expect(second.opened).toBe(true))
  })

  it('asks for the password when the partner refuses it in the course of a sync', async () => {
    const line = new Line()
    serve({ [SYNC]: streams(line), [JOBS]: noJobs })
    const session = await signedIn()
    await page(<SyncPanel title="P" />, session)
    await say(line, 1, { type: 'error', code: 'login_wrong', message: '' })
    expect(session.get().is).toBe('expired')
  })
})

const done = {
  id: ID,
  kind: 'programs.sync',
  state: 'done',
  created_at: new Date().toISOString(),
  started_at: new Date().toISOString(),
  finished_at: new Date().toISOString(),
  progress: { done: 10, total: 10, percentage: 100 },
  counts: { added: 0, updated: 0, removed: 0, unchanged: 10, failed: 0 },
  eta_at: null,
  waiting_until: null,
  waiting_reason: null,
  errors: [],
  timing_ms: { partner: 1, database: 1, names: 1, total: 3 },
}
const failed = {
  ...done,
  state: 'failed',
  errors: [{ item: 'job', code: 'partner_error', detail: '' }],
}
const upToDate = { type: 'complete', status: 'up_to_date', added: 0, message: '' }

describe('beside the table', () => {
  async function settled(jobs: unknown[], what: React.JSX.Element) {
    const line = new Line()
    serve({ [SYNC]: streams(line), [JOBS]: () => json({ jobs }) })
    await page(what)
    await say(line, 1, upToDate)
  }

  it('is no note when all is well', async () => {
    await settled([done], <StaleNote />)
    expect(screen.queryByRole('region')).toBeNull()
  })

  it('is a note with a way out when the last sync failed', async () => {
    await settled([failed], <StaleNote />)
    const note = await screen.findByRole('region', { name: 'What you see may be out of date' })
    expect(note.textContent).toContain('The last sync failed: The partner answered with an error.')
    await userEvent.click(screen.getByRole('button', { name: 'Sync now' }))
    await waitFor(() => expect(screen.queryByRole('region')).toBeNull())
  })

  it('does not say never of what a list full of failures may hide', async () => {
    const many = Array.from({ length: 50 }, (_, i) => ({ ...failed, id: `${i}` }))
    await settled(many, <StaleNote />)
    const note = await screen.findByRole('region', { name: 'What you see may be out of date' })
    expect(note.textContent).not.toContain('no complete sync')
  })

  it('counts what the partner no longer knows', async () => {
    await settled([done], <StaleNote staleIds={3} />)
    expect(await screen.findByText(/3 programs are no longer known to the partner/)).toBeTruthy()
  })

  it('tells an account without programs from one that was never synced', async () => {
    await settled([done], <EmptyState filtered={false} onClear={() => {}} />)
    expect(await screen.findByText('This account has no programs')).toBeTruthy()
  })

  it('says so when nothing was ever synced', async () => {
    await settled([failed], <EmptyState filtered={false} onClear={() => {}} />)
    expect(await screen.findByText('Nothing has been synced yet')).toBeTruthy()
  })

  it('clears the filters that nothing matches', async () => {
    const clear = vi.fn()
    await settled([done], <EmptyState filtered onClear={clear} />)
    await userEvent.click(await screen.findByRole('button', { name: 'Clear the filters' }))
    expect(clear).toHaveBeenCalledOnce()
  })

  it('says that the first programs are on their way', async () => {
    const line = new Line()
    serve({ [SYNC]: streams(line), [JOBS]: noJobs })
    await page(<EmptyState filtered={false} onClear={() => {}} />)
    expect(await screen.findByText('The first programs are on their way')).toBeTruthy()
  })
})
