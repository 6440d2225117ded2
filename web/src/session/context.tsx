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

const Other = createContext<ApiClient | null>(null)

/** What is in it uses this API, with a login of its own kind. */
export const ApiProvider = Other.Provider

/** The API with the login of whoever is signed in, or that of the pages one is in. */
export function useApi(): ApiClient {
  const other = useContext(Other)
  const both = useContext(Context)
  const api = other ?? both?.api
  if (api === undefined) throw new Error('outside of SessionProvider')
  return api
}

export function useSessionState(): SessionState {
  const session = useSession()
  return useSyncExternalStore(session.subscribe, session.get)
}
