import { createContext, useContext, useMemo, useSyncExternalStore, type ReactNode } from 'react'

import { ApiClient } from '../api/client'
import { Session, type SessionState } from './session'

interface Both {
  session: Session
  api: ApiClient
}

const Context = createContext<Both | null>(null)

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  const both = useMemo(() => ({ session, api: new ApiClient(session) }), [session])
  return <Context.Provider value={both}>{children}</Context.Provider>
}

function useBoth(): Both {
  const both = useContext(Context)
  if (both === null) throw new Error('outside of SessionProvider')
  return both
}

export function useSession(): Session {
  return useBoth().session
}

/** The API with the login of whoever is signed in. */
export function useApi(): ApiClient {
  return useBoth().api
}

export function useSessionState(): SessionState {
  const session = useSession()
  return useSyncExternalStore(session.subscribe, session.get)
}
