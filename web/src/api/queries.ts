import { QueryClient, queryOptions, useQuery } from '@tanstack/react-query'

import { useApi } from '../session/context'
import { JOBS_SHOWN } from '../sync/freshness'
import type { ApiClient } from './client'
import { ApiError, isAbort } from './error'
import { isActive, type Job } from './types'

/**
 * The roots of all query keys: whoever invalidates one has every query below it read
 * anew. Lists and filters put what was asked behind them.
 */
export const keys = {
  programs: ['programs'],
  filters: ['filters'],
  live: ['live'],
  jobs: ['jobs'],
} as const

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        gcTime: 10 * 60_000,
        refetchOnWindowFocus: true,
        // What is shown and could not be read anew is tried again by itself, later.
        refetchInterval: ({ state }) => (passing(state.error) ? AGAIN_MS : false),
        retry: (failures, error) => passing(error) && failures < 3,
        retryDelay: (failures, error) => {
          const asked = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0
          return Math.min(30_000, Math.max(asked, 500 * 2 ** failures))
        },
      },
    },
  })
}

const AGAIN_MS = 10_000

function passing(error: unknown): boolean {
  return error instanceof ApiError && error.transient
}

/**
 * Everything that the registry's rows are shown by, while a sync goes on: a first answer
 * that is on its way may come, old as it is, or a slow one never would.
 */
export async function followRegistry(client: QueryClient): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: keys.programs }),
    client.invalidateQueries({ queryKey: keys.filters }),
  ])
}

/** The same when it is over, and what comes now stays. */
export async function refreshRegistry(client: QueryClient): Promise<void> {
  await Promise.all([refresh(client, keys.programs), refresh(client, keys.filters)])
}

export function refreshJobs(client: QueryClient): Promise<void> {
  return refresh(client, keys.jobs)
}

/**
 * What is on its way was asked for before the news; and a first answer is not asked for
 * anew by itself, so it would be taken for the newest.
 */
export async function refresh(client: QueryClient, queryKey: readonly string[]): Promise<void> {
  await client.cancelQueries({ queryKey })
  await client.invalidateQueries({ queryKey })
}

const WATCH_MS = 5_000
const IDLE_MS = 60_000

export function jobsQuery(api: ApiClient) {
  return queryOptions({
    queryKey: [...keys.jobs, 'newest'],
    queryFn: async ({ signal }): Promise<Job[]> => {
      const query = { limit: JOBS_SHOWN }
      return (await api.json<{ jobs: Job[] }>('/api/jobs', { query, signal })).jobs
    },
    staleTime: 2_000,
    // How things really stand, should an event be late; and the syncs of others.
    refetchInterval: ({ state }) => (state.data?.some(isActive) ? WATCH_MS : IDLE_MS),
  })
}

export function useJobs() {
  return useQuery(jobsQuery(useApi()))
}

export function failureOf(error: unknown): ApiError | null {
  if (error === null || error === undefined || isAbort(error)) return null
  return error instanceof ApiError ? error : new ApiError(0, 'unknown', String(error))
}
