import { useCallback, useMemo, useRef } from 'react'
import { useLocation, useNavigate } from 'react-router-dom'

import { changed, readView, writeView, type View } from './view'

export type Change = (change: Partial<View>, how?: 'push' | 'replace' | 'typing') => void

/** The view that the address has, and the way to another. */
export function useView(): { view: View; change: Change } {
  const location = useLocation()
  const navigate = useNavigate()
  const view = useMemo(() => readView(new URLSearchParams(location.search)), [location.search])
  // Of what is shown now, also for two changes at once.
  const now = useRef({ view, location })
  now.current = { view, location }
  const change = useCallback<Change>(
    (what, how = 'push') => {
      const { location } = now.current
      const next = changed(now.current.view, what)
      const search = writeView(next).toString()
      if (search === writeView(now.current.view).toString()) return
      now.current = { ...now.current, view: next }
      const typing = how === 'typing'
      const state = location.state as { typing?: boolean } | null
      // Letters typed one after the other are one step back.
      const replace = how === 'replace' || (typing && state?.typing === true)
      void navigate({ search }, { replace, state: typing ? { typing } : null })
    },
    [navigate],
  )
  return { view, change }
}
