import { useCallback, useEffect, useMemo, useRef } from 'react'
import { useLocation, useNavigate } from 'react-router-dom'

import { isColumn, ordered, sameColumns, USUAL, type ColumnId } from './columns'
import { changed, readView, writeView, type View } from './view'

/** 'back' is a step back if what is left was come to from here; else it takes its place. */
type How = 'push' | 'replace' | 'typing' | 'back'

export type Change = (change: Partial<View>, how?: How) => void

/** The view that the address has, and the way to another. */
export function useView(): { view: View; change: Change } {
  const location = useLocation()
  const navigate = useNavigate()
  const columns = useRef<ColumnId[]>([])
  const view = useMemo(() => {
    const read = readView(new URLSearchParams(location.search))
    // The same array as long as they are the same, so that no row is drawn anew.
    if (!sameColumns(read.columns, columns.current)) columns.current = read.columns
    return { ...read, columns: columns.current }
  }, [location.search])
  // Of what is shown now, also for who was drawn earlier, and for two changes at once.
  const now = useRef({ view, location })
  now.current = { view, location }

  const change = useCallback<Change>(
    (what, how = 'push') => {
      const { location } = now.current
      const next = changed(now.current.view, what)
      const search = writeView(next).toString()
      if (search === writeView(now.current.view).toString()) return
      now.current = { ...now.current, view: next }
      if (how === 'back' && has(location.state, 'from')) return void navigate(-1)
      const typing = how === 'typing'
      // Letters typed one after the other are one step back.
      const replace =
        how === 'replace' || how === 'back' || (typing && has(location.state, 'typing'))
      const state = typing ? { typing } : what.program && !replace ? { from: true } : null
      void navigate({ search, hash: location.hash }, { replace, state })
    },
    [navigate],
  )

  // Opened without a view, or brought back to its beginning.
  const first = useRef(true)
  useEffect(() => {
    const { search, state } = now.current.location
    const anew = first.current ? search === '' : has(state, 'anew')
    first.current = false
    if (anew) change({ columns: rememberedColumns() }, 'replace')
  }, [change, location.key])

  return { view, change }
}

function has(state: unknown, what: string): boolean {
  return typeof state === 'object' && state !== null && what in state
}

const KEY = 'lockstep.columns'

/** What was chosen last; a page that is opened without a view has these columns. */
function rememberedColumns(): ColumnId[] {
  try {
    const ids = (localStorage.getItem(KEY) ?? '').split(' ').filter(isColumn)
    return ids.length === 0 ? [...USUAL] : ordered(ids)
  } catch {
    return [...USUAL]
  }
}

export function rememberColumns(columns: readonly ColumnId[]): void {
  try {
    if (sameColumns(columns, USUAL)) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, columns.join(' '))
  } catch {
    // Not remembered, then.
  }
}
