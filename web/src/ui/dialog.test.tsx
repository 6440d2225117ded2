import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState, type ComponentType, type ReactNode } from 'react'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { setLanguage, startI18n } from '../i18n'
import { draw } from '../test/draw'
import { Dialog, SideDrawer } from './Dialog'

beforeAll(startI18n)
beforeEach(() => setLanguage('uk'))

type What = ComponentType<{ title: string; onClose(): void; children: ReactNode }>

function Page({ what: What, stays }: { what: What; stays: boolean }) {
  const [open, setOpen] = useState(false)
  return (
    <main id="content" tabIndex={-1}>
      {(stays || !open) && <button onClick={() => setOpen(true)}>open</button>}
      {open && (
        <What title="One" onClose={() => setOpen(false)}>
          <input aria-label="field" />
        </What>
      )}
    </main>
  )
}

describe.each([
  ['a drawer', SideDrawer],
  ['a dialog', Dialog],
])('%s', (_, what) => {
  const open = async (stays = true) => {
    draw(<Page what={what} stays={stays} />)
    await userEvent.click(screen.getByRole('button', { name: 'open' }))
    return screen.findByRole('dialog', { name: 'One' })
  }

  it('has a title and what closes it, and no header of the page', async () => {
    await open()
    expect(screen.getByRole('heading', { name: 'One' })).toBeTruthy()
    expect(screen.queryByRole('banner')).toBeNull()
    await userEvent.click(screen.getByRole('button', { name: 'Закрити' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  })

  it('gives the keyboard back to what has opened it', async () => {
    await open()
    screen.getByLabelText('field').focus()
    await userEvent.keyboard('{Escape}')
    const opener = await screen.findByRole('button', { name: 'open' })
    await waitFor(() => expect(document.activeElement).toBe(opener))
  })

  it('... or to the page, when that has gone', async () => {
    await open(false)
    screen.getByLabelText('field').focus()
    await userEvent.keyboard('{Escape}')
    const content = document.getElementById('content')
    await waitFor(() => expect(document.activeElement).toBe(content))
  })
})
