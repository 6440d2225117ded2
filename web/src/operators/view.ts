/*
 * What of the products is shown, and how: all of it is in the address, as on the page
 * of the programs. What cannot be understood there is taken for usual.
 */

import type { Query } from '../api/client'
import { cleanText, SIZES, type Size } from '../programs/view'

export const STATUSES = ['success', 'partial', 'error', 'none'] as const
export type Status = (typeof STATUSES)[number]

/** The columns of the table, as the API names them; the first stays where it is. */
export const COLUMNS = [
  'title',
  'views',
  'addToCart',
  'ctr',
  'orders',
  'conversionRate',
  'revenue',
  'avgOrderValue',
  'buyouts',
  'totalQueries',
  'syncStatus',
  'lastSyncAt',
] as const
export type Column = (typeof COLUMNS)[number]

export interface View {
  /** Whose products; null: of the first seller. */
  seller: number | null
  text: string
  status: Status | null
  sort: Column
  descending: boolean
  size: Size
  /** From 1. */
  page: number
  /** The API's cursor to that page, where one is known. */
  after: string | null
  /** Whose details are open. */
  product: number | null
  /** What of the sellers is being changed. */
  manage: Manage | null
}

/** A new seller; the chosen one, or of it the token or the products. */
export const MANAGE = ['new', 'seller', 'token', 'products'] as const
export type Manage = (typeof MANAGE)[number]

export const USUAL: View = {
  seller: null,
  text: '',
  status: null,
  sort: 'revenue',
  descending: true,
  size: 20,
  page: 1,
  after: null,
  product: null,
  manage: null,
}

const ID = /^[1-9]\d{0,14}$/
const CURSOR = /^[A-Za-z0-9_-]{1,4096}$/
const PAGE = /^[1-9]\d{0,5}$/

export function readView(params: URLSearchParams): View {
  const matching = (name: string, pattern: RegExp) => {
    const value = params.get(name)
    return value !== null && pattern.test(value) ? value : null
  }
  const id = (name: string) => {
    const value = matching(name, ID)
    return value === null ? null : Number(value)
  }
  const sort = params.get('sort') ?? ''
  const by = COLUMNS.find((c) => c === sort.replace(/^-/, ''))
  const page = Number(matching('page', PAGE) ?? 1)
  return {
    seller: id('seller'),
    text: cleanText(params.get('q') ?? '').trim(),
    status: STATUSES.find((s) => s === params.get('status')) ?? null,
    sort: by ?? USUAL.sort,
    descending: by === undefined ? USUAL.descending : sort.startsWith('-'),
    size: SIZES.find((s) => s === Number(params.get('size'))) ?? USUAL.size,
    page,
    after: page > 1 ? matching('after', CURSOR) : null,
    product: id('product'),
    manage: MANAGE.find((m) => m === params.get('manage')) ?? null,
  }
}

export function writeView(view: View): URLSearchParams {
  const params = new URLSearchParams()
  const put = (name: string, value: string | number | null, usual: string | number | null) => {
    if (value !== null && value !== usual) params.set(name, String(value))
  }
  put('seller', view.seller, null)
  put('q', view.text.trim(), '')
  put('status', view.status, null)
  put('sort', sortOf(view), sortOf(USUAL))
  put('size', view.size, USUAL.size)
  put('page', view.page, 1)
  put('after', view.page > 1 ? view.after : null, null)
  put('product', view.product, null)
  put('manage', view.manage, null)
  return params
}

/**
 * The view with something of it changed. Another list begins with its first page; to name
 * the seller that is shown without a name makes none.
 */
export function changed(view: View, change: Partial<View>): View {
  const next = { ...view, ...change }
  const moved = 'page' in change || 'after' in change
  const before = { ...view, seller: view.seller ?? next.seller }
  return moved || listKey(next) === listKey(before) ? next : { ...next, page: 1, after: null }
}

/** The same for views whose pages go on from each other. */
export function listKey(view: View): string {
  return JSON.stringify([view.seller, view.text.trim(), view.status, sortOf(view), view.size])
}

export function sortOf({ sort, descending }: Pick<View, 'sort' | 'descending'>): string {
  return descending ? `-${sort}` : sort
}

/** Another column begins with its highest figures or its first words; the same turns round. */
export function turned(view: View, column: Column): Pick<View, 'sort' | 'descending'> {
  const words = column === 'title' || column === 'syncStatus'
  return { sort: column, descending: view.sort === column ? !view.descending : !words }
}

export function isFiltered(view: View): boolean {
  return view.text.trim() !== '' || view.status !== null
}

export function listQuery(view: View, seller: number): Query {
  const place: Query =
    view.after !== null
      ? { cursor: view.after }
      : view.page > 1
        ? { offset: (view.page - 1) * view.size }
        : {}
  return {
    sellerId: seller,
    search: view.text.trim(),
    status: view.status,
    sort: sortOf(view),
    limit: view.size,
    ...place,
  }
}
