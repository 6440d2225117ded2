import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

import { setLanguage, startI18n } from '../i18n'
import { draw } from '../test/draw'
import { json, problem, serve } from '../test/server'
import { LoginForm } from './LoginForm'
import { Session } from './session'

const CHECK = 'POST /api/auth/validate-credentials'

beforeAll(async () => {
  await startI18n()
  await setLanguage('en')
})
afterEach(() => {
  vi.unstubAllGlobals()
  sessionStorage.clear()
})

function form(session = new Session(sessionStorage), user?: string) {
  draw(<LoginForm user={user} />, session)
  return session
}

async function fill(user: string, password: string) {
  await userEvent.type(screen.getByLabelText('User name'), user)
  await userEvent.type(screen.getByLabelText('Password'), password)
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
}

describe('signing in', () => {
  it('leaves the password nowhere unless asked to', async () => {
    serve({ [CHECK]: () => json({ valid: true }) })
    const session = form()
    await fill('agency', 'secret')
    await waitFor(() => expect(session.get().is).toBe('in'))
    expect(sessionStorage).toHaveLength(0)
    expect(JSON.stringify(localStorage)).not.toContain('secret')
    expect(window.location.href).not.toContain('secret')
  })

  it('keeps it for the tab when asked to', async () => {
    serve({ [CHECK]: () => json({ valid: true }) })
    form()
    await userEvent.click(screen.getByLabelText('Stay signed in on this tab'))
    await fill('agency', 'secret')
    await waitFor(() => expect(sessionStorage).toHaveLength(1))
  })

  it.each([
    [401, 'login_wrong', /user name or the password is wrong/],
    [403, 'no_access', /gives it no access/],
    [429, 'too_many_refusals', /Too many wrong attempts/],
    [502, 'partner_error', /says nothing about your password/],
    [504, 'partner_timeout', /took too long/],
    [503, 'busy', /We are busy/],
  ])('says what %i %s means', async (status, code, words) => {
    serve({ [CHECK]: () => problem(status, code) })
    const session = form()
    await fill('agency', 'wrong')
    expect((await screen.findByRole('alert')).textContent).toMatch(words)
    expect(session.get().is).toBe('out')
    expect(screen.getByLabelText<HTMLInputElement>('User name').value).toBe('agency')
  })

  it('says that there is no connection', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
    form()
    await fill('agency', 'x')
    expect((await screen.findByRole('alert')).textContent).toMatch(/no connection/)
  })

  it('asks nobody when something is missing', async () => {
    const asked = serve({})
    form()
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
    expect(await screen.findByText('Enter the user name')).toBeTruthy()
    expect(screen.getByText('Enter the password')).toBeTruthy()
    expect(asked).toHaveLength(0)
  })

  it('does not let another user take over an expired page', async () => {
    form(undefined, 'agency')
    const user = screen.getByLabelText<HTMLInputElement>('User name')
    expect(user.readOnly).toBe(true)
    expect(user.value).toBe('agency')
  })
})
