import {
  keepPreviousData,
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query'
import { useEffect, useRef } from 'react'

import { ApiClient, type Login } from '../api/client'
import { ApiError } from '../api/error'
import { refresh } from '../api/queries'
import { useApi } from '../session/context'
import { isOver, type RunAction } from './run'
import type { Added, ProductList, ProductPast, Run, Seller, Task } from './types'
import { listQuery, type View } from './view'

/** The browser knows the operator, and asks for the password itself. */
const browsers: Login = { authorization: async () => null, refused() {} }

export const operatorsApi = new ApiClient(browsers)

export const BASE = '/api/analytics'

export const keys = {
  sellers: ['sellers'],
  products: ['products'],
  runs: ['runs'],
} as const

const IDLE_MS = 30_000
const WATCH_MS = 5_000

/** It is not there, or not any more; asking again is in vain. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

/** How often to look; a login that is refused would bring the browser's dialog back each time. */
function every(ms: number, error: unknown): number | false {
  return isGone(error) || (error instanceof ApiError && error.status === 401) ? false : ms
}

export function useSellers() {
  const api = useApi()
  return useQuery({
    queryKey: keys.sellers,
    queryFn: async ({ signal }) =>
      (await api.json<{ sellers: Seller[] }>(`${BASE}/sellers`, { signal })).sellers,
    // Runs that others, or the night, have begun.
    refetchInterval: ({ state: { data, error } }) =>
      every(data?.some((seller) => seller.taskId !== null) ? WATCH_MS : IDLE_MS, error),
  })
}

/** A page of the products; the one before stays until it is there. */
export function useProducts(view: View, seller: number) {
  const api = useApi()
  return useQuery({
    queryKey: [...keys.products, 'list', listQuery(view, seller)],
    queryFn: ({ signal }) => readList(api, view, seller, signal),
    placeholderData: (before, query) =>
      (query?.queryKey[2] as { sellerId?: number } | undefined)?.sellerId === seller
        ? keepPreviousData(before)
        : undefined,
  })
}

/**
 * Has the products read anew when their seller is told to have others, or other figures:
 * a run may begin and end between two looks. While one goes on, what is under way may come.
 */
export function useNewProducts({ lastSyncAt, products, failedProducts, taskId }: Seller): void {
  const client = useQueryClient()
  const told = JSON.stringify([lastSyncAt, products, failedProducts, taskId])
  const last = useRef(told)
  useEffect(() => {
    if (last.current === told) return
    last.current = told
    if (taskId === null) void refresh(client, keys.products)
    else {
      const queryKey = keys.products
      void client.invalidateQueries({ queryKey }, { cancelRefetch: false })
    }
  }, [client, told, taskId])
}

/** A cursor in an old link may be refused: then rows are counted. */
async function readList(api: ApiClient, view: View, seller: number, signal: AbortSignal) {
  const path = `${BASE}/products`
  try {
    return await api.json<ProductList>(path, { query: listQuery(view, seller), signal })
  } catch (error) {
    if (view.after === null || !(error instanceof ApiError) || error.field !== 'cursor') throw error
    const query = listQuery({ ...view, after: null }, seller)
    return await api.json<ProductList>(path, { query, signal })
  }
}

const productKey = (seller: number, id: number) => [...keys.products, 'one', seller, id]

export function useProduct(seller: number, id: number) {
  const api = useApi()
  return useQuery({
    queryKey: productKey(seller, id),
    queryFn: ({ signal }) =>
      api.json<ProductPast>(`${BASE}/products/${id}`, {
        query: { sellerId: seller },
        signal,
      }),
  })
}

export const RUNS_SHOWN = 20

export function useRuns(page: number) {
  const api = useApi()
  return useQuery({
    queryKey: [...keys.runs, 'list', page],
    queryFn: async ({ signal }) => {
      // One more than is shown tells whether there are older ones.
      const query = { limit: RUNS_SHOWN + 1, offset: (page - 1) * RUNS_SHOWN }
      return (await api.json<{ jobs: Run[] }>(`${BASE}/jobs`, { query, signal })).jobs
    },
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data, error } }) =>
      every(data?.some((run) => !isOver(run)) ? WATCH_MS : IDLE_MS, error),
  })
}

export const runKey = (id: string) => [...keys.runs, 'one', id]

export function useRunQuery(id: string) {
  const api = useApi()
  return useQuery({
    queryKey: runKey(id),
    queryFn: ({ signal }) => api.json<Run>(`${BASE}/jobs/${id}`, { signal }),
    refetchInterval: ({ state: { data, error } }) =>
      data !== undefined && isOver(data) ? false : every(WATCH_MS, error),
  })
}

/** ifOlderThanHours: nothing is begun when the data is fresh. */
export function useStart() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { sellerId: number; ifOlderThanHours?: number }) =>
      api.json<Task>(`${BASE}/sync-background`, { method: 'POST', body }),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.sellers })
      void client.invalidateQueries({ queryKey: keys.runs })
    },
  })
}

export function useAct() {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, what }: { id: string; what: RunAction }) =>
      what === 'retryFailed'
        ? api.json<Run>(`${BASE}/jobs/${id}/retry`, {
            method: 'POST',
            body: { failedOnly: true },
          })
        : api.json<Run>(`${BASE}/jobs/${id}/${what}`, { method: 'POST' }),
    onSettled: async () => {
      // What is on its way was asked for before.
      await client.cancelQueries({ queryKey: keys.runs })
      void client.invalidateQueries({ queryKey: keys.runs })
      void client.invalidateQueries({ queryKey: keys.sellers })
    },
  })
}

/*
 * No mutations of the library: it would keep what was sent, a token too, for minutes.
 */

/**
 * Adds a seller, which is in the list when this resolves. After an abort it may be there
 * all the same, and then shows in the list when that is read next.
 */
export function useAddSeller() {
  const api = useApi()
  const client = useQueryClient()
  return async (
    body: { name: string; token: string; timeZone: string },
    signal: AbortSignal,
  ): Promise<Seller> => {
    const seller = await api.json<Seller>(`${BASE}/sellers`, { method: 'POST', body, signal })
    await keep(client, seller)
    return seller
  }
}

export function useChangeToken() {
  const api = useApi()
  const client = useQueryClient()
  return async (id: number, token: string): Promise<void> => {
    const path = `${BASE}/sellers/${id}/token`
    await keep(client, await api.json<Seller>(path, { method: 'POST', body: { token } }))
    // What was paused for the old one goes on.
    void client.invalidateQueries({ queryKey: keys.runs })
  }
}

/**
 * leave: called when it is gone, and before it is gone from the list. After an abort it may
 * be gone all the same, which the list will tell.
 */
export function useRemoveSeller() {
  const api = useApi()
  const client = useQueryClient()
  return async (id: number, signal: AbortSignal, leave: () => void): Promise<void> => {
    try {
      await api.json(`${BASE}/sellers/${id}`, { method: 'DELETE', signal })
      await client.cancelQueries({ queryKey: keys.sellers })
      leave()
      client.setQueryData<Seller[]>(keys.sellers, (all) => all?.filter((one) => one.id !== id))
    } finally {
      void client.invalidateQueries({ queryKey: keys.sellers })
      void client.invalidateQueries({ queryKey: keys.runs })
    }
  }
}

export function useAddProducts() {
  const api = useApi()
  const client = useQueryClient()
  return async (id: number, body: { all: boolean } | { nmIds: number[] }): Promise<Added> => {
    try {
      const path = `${BASE}/sellers/${id}/products`
      return await api.json<Added>(path, { method: 'POST', body })
    } finally {
      await client.cancelQueries({ queryKey: keys.sellers })
      await client.invalidateQueries({ queryKey: keys.sellers })
      void client.invalidateQueries({ queryKey: keys.products })
    }
  }
}

/** leave: called when it is gone, and before it is gone from the list. */
export function useRemoveProduct() {
  const api = useApi()
  const client = useQueryClient()
  return async (seller: number, id: number, signal: AbortSignal, leave: () => void) => {
    try {
      const path = `${BASE}/sellers/${seller}/products`
      await api.json(path, { method: 'DELETE', body: { nmIds: [id] }, signal })
      leave()
      // What is open of it is not asked for again, which would only tell that it is gone.
      const queryKey = productKey(seller, id)
      void client.invalidateQueries({ queryKey, refetchType: 'none' })
    } finally {
      void refresh(client, [...keys.products, 'list'])
      void refresh(client, keys.sellers)
    }
  }
}

/** A seller as it was just told, in the place where the list will have it. */
async function keep(client: QueryClient, seller: Seller): Promise<void> {
  await client.cancelQueries({ queryKey: keys.sellers })
  client.setQueryData<Seller[]>(keys.sellers, (all = []) =>
    all.some((one) => one.id === seller.id)
      ? all.map((one) => (one.id === seller.id ? seller : one))
      : [...all, seller],
  )
  void client.invalidateQueries({ queryKey: keys.sellers })
}
