import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query'

import type { ApiClient } from '../api/client'
import { ApiError } from '../api/error'
import { keys } from '../api/queries'
import type { Filters, LiveList, Program, ProgramList } from '../api/types'
import { useApi } from '../session/context'
import { readLive } from './live'
import { filterQuery, listQueryOf, type Filter, type View } from './view'

const PATH = '/api/reseller/programs'

/** A page of the registry; the one before stays until it is there. */
export function usePrograms(view: View) {
  const api = useApi()
  return useQuery({
    queryKey: [...keys.programs, 'list', listQueryOf(view)],
    queryFn: ({ signal }) => readList(api, view, signal),
    placeholderData: keepPreviousData,
  })
}

/** A cursor in an old link, or in somebody else's, may be refused: then rows are counted. */
async function readList(api: ApiClient, view: View, signal: AbortSignal): Promise<ProgramList> {
  try {
    return await api.json<ProgramList>(PATH, { query: listQueryOf(view), signal })
  } catch (error) {
    if (view.after === null || !(error instanceof ApiError) || error.field !== 'cursor') throw error
    const query = listQueryOf({ ...view, after: null })
    return await api.json<ProgramList>(PATH, { query, signal })
  }
}

/** One program of the registry, for a link to one that is not on the page; null: none. */
export function useProgram(id: string, enabled: boolean) {
  const api = useApi()
  return useQuery({
    queryKey: [...keys.programs, 'one', id],
    queryFn: ({ signal }) => {
      const query = { source: 'registry', q: id, limit: 200 }
      return api.json<ProgramList>(PATH, { query, signal })
    },
    select: (list): Program | null => list.programs.find((p) => p.program_id === id) ?? null,
    enabled,
  })
}

/** What each filter would leave beside the others. */
export function useFilters(filter: Filter, enabled = true) {
  const api = useApi()
  return useQuery({
    queryKey: [...keys.filters, filterQuery(filter)],
    queryFn: ({ signal }) => {
      const query = filterQuery(filter)
      return api.json<Filters>('/api/reseller/available-filters', { query, signal })
    },
    placeholderData: keepPreviousData,
    enabled,
  })
}

/** What the partner says of these programs now. */
export function liveQuery(api: ApiClient, ids: readonly string[]) {
  return queryOptions({
    queryKey: [...keys.live, ids],
    queryFn: async ({ signal }) => {
      const query = { program_id: ids.join(',') }
      const list = await api.json<LiveList>(PATH, { query, signal })
      return readLive(ids, list.programs)
    },
    staleTime: 30_000,
    refetchOnWindowFocus: false,
    // Somebody waits for it; they can ask again themselves.
    retry: false,
  })
}
