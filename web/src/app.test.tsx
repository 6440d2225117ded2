import { notifications } from '@mantine/notifications'
import { act, render, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { App } from './app'
import { setLanguage, startI18n } from './i18n'
import { Session } from './session/session'
import { json, serve } from './test/server'

beforeAll(startI18n)
beforeEach(async () => {
  await setLanguage('en')
  sessionStorage.clear()
})
afterEach(() => {
  vi.unstubAllGlobals()
})

const never = () => new Promise<Response>(() => {})

function server(more: Parameters<typeof serve>[0] = {}) {
  return serve({
    'POST /api/auth/validate-credentials': () => json({ valid: true }),
    'POST /api/reseller/programs/sync-stream': never,
    'GET /api/reseller/events': never,
    'GET /api/reseller/programs': never,
    'GET /api/reseller/available-filters': never,
    'GET /api/jobs': () => json({ jobs: [] }),
    ...more,
  })
}

function open(path: string, session = new Session(sessionStorage)) {
  window.history.replaceState(null, '', path)
  render(<App session={session} />)
  return session
}

async function signIn(password = 'pw') {
  await userEvent.type(await screen.findByLabelText('Password'), password)
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
}

describe('the app', () => {
  it('asks who is there, and goes to where one was going', async () => {
    server()
    open('/programs?status=PAUSED&q=a%20b#history')
    await userEvent.type(await screen.findByLabelText('User name'), 'agency')
    expect(window.location.pathname).toBe('/login')
    expect(window.location.search).toBe('')
    await signIn()
    await waitFor(() => expect(window.location.pathname).toBe('/programs'))
    expect(window.location.search).toBe('?status=PAUSED&q=a%20b')
    expect(window.location.hash).toBe('#history')
  })

  it('lays the form over the page when the login is refused, and the page stays', async () => {
    server()
    const session = new Session(null, async () => {})
    await session.signIn('agency', 'old', false)
    open('/programs', session)
    const button = await screen.findByRole('button', { name: 'Sync Programs' }, { timeout: 10000 })
    session.expire()
    expect(await screen.findByRole('dialog', { name: 'Sign in again' })).toBeTruthy()
    expect(button.isConnected).toBe(true)
    await signIn('new')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    expect(button.isConnected).toBe(true)
    expect(session.get().is).toBe('in')
  })

  it('starts one sync when it opens, and none at the login', async () => {
    const asked = server()
    open('/login')
    await screen.findByLabelText('User name')
    expect(asked).toEqual([])
    await userEvent.type(screen.getByLabelText('User name'), 'agency')
    await signIn()
    await screen.findByRole('progressbar', { name: 'Sync' })
    expect(asked.filter((a) => a.path.includes('sync-stream'))).toHaveLength(1)
  })

  it('shows nothing of the one before to the next who signs in', async () => {
    const asked = server()
    const session = new Session(sessionStorage, async () => {})
    await session.signIn('agency', 'pw', true)
    open('/programs', session)
    await userEvent.click(await screen.findByRole('button', { name: /agency/ }))
    await userEvent.click(await screen.findByRole('menuitem', { name: 'Sign out' }))
    await screen.findByRole('heading', { name: 'Sign in' })
    expect(sessionStorage).toHaveLength(0)
    const before = asked.length
    await userEvent.type(screen.getByLabelText('User name'), 'other')
    await signIn()
    await screen.findByRole('button', { name: /other/ })
    await waitFor(() =>
      expect(asked.slice(before).some((a) => a.path.startsWith('/api/jobs'))).toBe(true),
    )
    const headers = new Set(asked.slice(before).map((a) => a.headers['Authorization']))
    expect([...headers]).toEqual([`Basic ${btoa('other:pw')}`])
  })

  it('takes nobody to the view of the one before', async () => {
    server()
    const session = new Session(sessionStorage, async () => {})
    await session.signIn('agency', 'pw', true)
    open('/programs?q=secret', session)
    await screen.findByRole('button', { name: /agency/ })
    act(() => void notifications.show({ message: 'of agency', autoClose: false }))
    await screen.findByText('of agency')
    act(() => session.signOut())
    await userEvent.type(await screen.findByLabelText('User name'), 'other')
    await waitFor(() => expect(screen.queryByText('of agency')).toBeNull())
    await signIn()
    await screen.findByRole('button', { name: /other/ })
    expect(window.location.search).toBe('')
  })

  it('takes the same person back to their view', async () => {
    server()
    const session = new Session(sessionStorage, async () => {})
    await session.signIn('agency', 'pw', true)
    open('/programs?q=mine', session)
    await screen.findByRole('button', { name: /agency/ })
    act(() => session.signOut())
    await userEvent.type(await screen.findByLabelText('User name'), 'agency')
    await signIn()
    await screen.findByRole('button', { name: /agency/ })
    expect(window.location.search).toBe('?q=mine')
  })

  it('changes its language, and remembers it', async () => {
    server()
    open('/login')
    await userEvent.click(await screen.findByRole('button', { name: 'Language' }))
    await userEvent.click(await screen.findByRole('menuitem', { name: 'Українська' }))
    expect(await screen.findByRole('heading', { name: 'Вхід' })).toBeTruthy()
    expect(document.documentElement.lang).toBe('uk')
    expect(localStorage.getItem('lockstep.language')).toBe('uk')
  })

  it('has a page for what it does not have', async () => {
    open('/nothing')
    expect(await screen.findByRole('heading', { name: 'There is no such page' })).toBeTruthy()
  })
})
