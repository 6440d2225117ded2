import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { MemoryRouter } from 'react-router-dom'

import { newQueryClient } from '../api/queries'
import { SessionProvider } from '../session/context'
import { Session } from '../session/session'

/** Draws something with all that the app has around it. */
export function draw(what: ReactNode, session = new Session(null, async () => {}), at = '/') {
  return render(
    <MantineProvider env="test">
      <SessionProvider session={session}>
        <QueryClientProvider client={newQueryClient()}>
          <MemoryRouter
            initialEntries={[at]}
            future={{ v7_startTransition: true, v7_relativeSplatPath: true }}
          >
            {what}
          </MemoryRouter>
        </QueryClientProvider>
      </SessionProvider>
    </MantineProvider>,
  )
}
