import { useQueryClient } from '@tanstack/react-query'
import {
  createContext,
  useContext,
  useEffect,
  useMemo,
  useSyncExternalStore,
  type ReactNode,
} from 'react'

import { followRegistry, refreshJobs, refreshRegistry, useJobs } from '../api/queries'
import { useApi, useSession, useSessionState } from '../session/context'
import { underWay, type Bar } from './bar'
import { SyncController } from './controller'
import { freshness, type Freshness } from './freshness'
import { useNow } from './now'

const Context = createContext<SyncController | null>(null)

/** Syncs when the page opens, and keeps what is shown in step with what a sync does. */
export function SyncProvider({ children }: { children: ReactNode }) {
  const api = useApi()
  const client = useQueryClient()
  const session = useSession()
  const signedIn = useSessionState().is === 'in'
  const jobs = useJobs().data

  const sync = useMemo(
    () =>
      new SyncController(api, {
        onRows: () => void followRegistry(client),
        onEnd: (bar) => {
          void refreshRegistry(client)
          void refreshJobs(client)
          if (bar.failure?.code === 'login_wrong') session.expire()
        },
      }),
    [api, client, session],
  )

  useEffect(() => {
    sync.start()
    return () => sync.dispose()
  }, [sync])

  useEffect(() => {
    if (jobs !== undefined) sync.tell(jobs)
  }, [sync, jobs])

  useEffect(() => {
    if (signedIn && sync.get().failure?.code === 'login_wrong') sync.again()
  }, [sync, signedIn])

  // The list of jobs is asked for every minute; while something runs, more often.
  // It is not in the list before it has its number.
  const job = useSyncExternalStore(sync.subscribe, () => underWay(sync.get()) && sync.get().job)
  useEffect(() => {
    if (job !== false) void refreshJobs(client)
  }, [job, client])

  return <Context.Provider value={sync}>{children}</Context.Provider>
}

export function useSync(): SyncController {
  const sync = useContext(Context)
  if (sync === null) throw new Error('outside of SyncProvider')
  return sync
}

export function useBar(): Bar {
  const sync = useSync()
  return useSyncExternalStore(sync.subscribe, sync.get)
}

/** Whether a sync is under way. */
export function useSyncing(): boolean {
  const sync = useSync()
  return useSyncExternalStore(sync.subscribe, () => underWay(sync.get()))
}

/** How old what is shown may be; null while it is not known. */
export function useFreshness(): Freshness | null {
  const jobs = useJobs().data
  const now = useNow(30_000)
  return useMemo(() => (jobs === undefined ? null : freshness(jobs, now)), [jobs, now])
}
