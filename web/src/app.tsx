import { MantineProvider } from '@mantine/core'
import { notifications, Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import {
  createBrowserRouter,
  Navigate,
  Outlet,
  RouterProvider,
  useLocation,
  type RouteObject,
} from 'react-router-dom'

import { newQueryClient } from './api/queries'
import { ChangesProvider } from './events/changes'
import { SessionProvider, useSessionState } from './session/context'
import { LoginAgain } from './session/LoginAgain'
import { LoginPage } from './session/LoginPage'
import type { Session } from './session/session'
import { SyncProvider } from './sync/context'
import { Boundary, Broken } from './ui/Boundary'
import { NotFound } from './ui/NotFound'
import { Shell } from './ui/Shell'
import { Waiting } from './ui/Waiting'
import { scheme } from './ui/scheme'
import { theme, variables } from './ui/theme'

const ProgramsPage = lazy(() => import('./programs/ProgramsPage'))
const operators = () => import('./operators')
const OperatorsFrame = lazy(() => operators().then(async (m) => ({ default: await m.frame() })))
const AnalyticsPage = lazy(() => operators().then((m) => ({ default: m.AnalyticsPage })))
const JobsPage = lazy(() => operators().then((m) => ({ default: m.JobsPage })))

// As the next major version does it; without them the router complains.
const future = {
  v7_fetcherPersist: true,
  v7_normalizeFormMethod: true,
  v7_partialHydration: true,
  v7_relativeSplatPath: true,
  v7_skipActionErrorRevalidation: true,
}

export const routes: RouteObject[] = [
  {
    errorElement: <Broken />,
    children: [
      { path: '/', element: <Navigate to="/programs" replace /> },
      { path: '/login', element: <LoginPage /> },
      {
        element: <SignedIn />,
        children: [
          {
            path: '/programs',
            element: (
              <Suspense fallback={<Waiting />}>
                <ProgramsPage />
              </Suspense>
            ),
          },
        ],
      },
      {
        // Behind the browser's own dialog: nginx asks who it is.
        element: (
          <Suspense fallback={<Waiting />}>
            <OperatorsFrame />
          </Suspense>
        ),
        children: [
          { path: '/analytics', element: <AnalyticsPage /> },
          { path: '/jobs', element: <JobsPage /> },
        ],
      },
      { path: '*', element: <NotFound /> },
    ],
  },
]

export function App({ session }: { session: Session }) {
  const [router] = useState(() => createBrowserRouter(routes, { future }))
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      colorSchemeManager={scheme}
      defaultColorScheme="auto"
    >
      <Boundary>
        <Titled />
        <Notifications position="bottom-right" limit={4} />
        <SessionProvider session={session}>
          {/* In a transition a box that is in the address would be ticked only later. */}
          <RouterProvider router={router} future={{ v7_startTransition: false }} />
        </SessionProvider>
      </Boundary>
    </MantineProvider>
  )
}

/** Who is not signed in is asked to, and brought back to where they were going. */
function SignedIn() {
  const state = useSessionState()
  const location = useLocation()
  const user = state.is === 'out' ? null : state.user
  const last = useRef(user)
  if (user !== null) last.current = user
  // It may speak of programs that the next who signs in must not see.
  useEffect(() => {
    if (user === null) notifications.clean()
  }, [user])
  if (user === null) {
    const whose = { from: location, user: last.current }
    return <Navigate to="/login" state={whose} replace />
  }
  return <Account key={user} />
}

/** What one account sees; another one begins with nothing of it. */
function Account() {
  const [client] = useState(newQueryClient)
  useEffect(() => () => client.clear(), [client])
  return (
    <QueryClientProvider client={client}>
      <ChangesProvider>
        <SyncProvider>
          <Shell>
            <Outlet />
          </Shell>
          <LoginAgain />
        </SyncProvider>
      </ChangesProvider>
    </QueryClientProvider>
  )
}

function Titled() {
  const { t } = useTranslation()
  useEffect(() => {
    document.title = t('brand')
  }, [t])
  return null
}
