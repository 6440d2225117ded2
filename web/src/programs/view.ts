import type { Query } from '../api/client'
import type { Pause, Status } from '../api/types'
import { isColumn, ordered, sameColumns, USUAL, type ColumnId } from './columns'

/*
 * What of the programs is shown, and how: all of it is in the address, so that a link
 * or Back brings the same. What is as usual is left out there, and what cannot be
 * understood is taken for usual.
 */

export const STATUSES: readonly Status[] = ['CURRENT', 'FUTURE', 'PAUSED', 'PAST', 'INACTIVE']
export const PAUSES: readonly Pause[] = ['PAUSED', 'NOT_PAUSED']
export const SIZES = [20, 50, 100] as const
export type Size = (typeof SIZES)[number]

/** The filters, by their names in the address. */
export interface Filter {
  business: string | null
  status: Status | null
  type: string | null
  pause: Pause | null
  text: string
}

export interface Order {
  sort: ColumnId
  descending: boolean
}

export interface View extends Filter, Order {
  size: Size
  /** From 1. */
  page: number
  /** The API's cursor to that page, where one is known; else it is counted off. */
  after: string | null
  columns: ColumnId[]
  /** Whose details are open. */
  program: string | null
}

export const NO_FILTER: Filter = {
  business: null,
  status: null,
  type: null,
  pause: null,
  text: '',
}

export const USUAL_VIEW: View = {
  ...NO_FILTER,
  sort: 'business_name',
  descending: false,
  size: 20,
  page: 1,
  after: null,
  columns: [...USUAL],
  program: null,
}

export const TEXT_MAX = 100

const ID = /^[A-Za-z0-9_-]{1,100}$/
const TYPE = /^[^\p{Cc}]{1,100}$/u
const CURSOR = /^[A-Za-z0-9_-]{1,4096}$/
const PAGE = /^[1-9]\d{0,5}$/

export function readView(params: URLSearchParams): View {
  const matching = (name: string, pattern: RegExp) => {
    const value = params.get(name)
    return value !== null && pattern.test(value) ? value : null
  }
  const page = Number(matching('page', PAGE) ?? 1)
  const sort = params.get('sort') ?? ''
  const by = sort.replace(/^-/, '')
  return {
    business: matching('business', ID),
    status: oneOf(STATUSES, params.get('status')),
    type: matching('type', TYPE),
    pause: oneOf(PAUSES, params.get('pause')),
    text: cleanText(params.get('q') ?? '').trim(),
    sort: isColumn(by) ? by : USUAL_VIEW.sort,
    descending: isColumn(by) && sort.startsWith('-'),
    size: oneOf(SIZES, Number(params.get('size'))) ?? USUAL_VIEW.size,
    page,
    after: page > 1 ? matching('after', CURSOR) : null,
    columns: readColumns(params.get('columns')),
    program: matching('program', ID),
  }
}

/** `q` first of all things that a person wants to see in an address. */
export function writeView(view: View): URLSearchParams {
  const params = new URLSearchParams()
  const put = (name: string, value: string | number | null, usual: string | number | null) => {
    if (value !== null && value !== usual) params.set(name, String(value))
  }
  put('q', view.text.trim(), '')
  put('business', view.business, null)
  put('status', view.status, null)
  put('type', view.type, null)
  put('pause', view.pause, null)
  put('sort', sortOf(view), sortOf(USUAL_VIEW))
  put('size', view.size, USUAL_VIEW.size)
  put('page', view.page, 1)
  put('after', view.page > 1 ? view.after : null, null)
  put('columns', sameColumns(view.columns, USUAL) ? null : view.columns.join('.'), null)
  put('program', view.program, null)
  return params
}

/** The view with something of it changed. Another list begins with its first page. */
export function changed(view: View, change: Partial<View>): View {
  const next = { ...view, ...change }
  const moved = 'page' in change || 'after' in change
  if (!moved && listKey(next) !== listKey(view)) return { ...next, page: 1, after: null }
  return next
}

/** The same for views whose pages go on from each other. */
export function listKey(view: View): string {
  return JSON.stringify([filterQuery(view), sortOf(view), view.size])
}

export function sortOf({ sort, descending }: Order): string {
  return descending ? `-${sort}` : sort
}

/** Another column begins from its start, the same one turns round. */
export function turned(order: Order, column: ColumnId): Order {
  return { sort: column, descending: order.sort === column && !order.descending }
}

export function isFiltered(filter: Filter): boolean {
  return Object.keys(filterQuery(filter)).length > 0
}

/** As the API asks for it; what is not filtered by is not named. */
export function filterQuery(filter: Filter): Query {
  const query: Query = {}
  const text = filter.text.trim()
  if (filter.business !== null) query['business_id'] = filter.business
  if (filter.status !== null) query['program_status'] = filter.status
  if (filter.type !== null) query['program_type'] = filter.type
  if (filter.pause !== null) query['pause'] = filter.pause
  if (text !== '') query['q'] = text
  return query
}

export function onlyFilter(view: Filter): Filter {
  const { business, status, type, pause, text } = view
  return { business, status, type, pause, text }
}

export function listQueryOf(view: View): Query {
  const place: Query =
    view.after !== null
      ? { cursor: view.after }
      : view.page > 1
        ? { offset: (view.page - 1) * view.size }
        : {}
  return {
    source: 'registry',
    ...filterQuery(view),
    sort: sortOf(view),
    limit: view.size,
    ...place,
  }
}

/** What the API takes: no control characters, and not more of it than it reads. */
export function cleanText(text: string): string {
  const spaced = text.replace(/\p{Cc}+/gu, ' ').replace(/\p{Cs}/gu, '')
  return [...spaced].slice(0, TEXT_MAX).join('')
}

function readColumns(text: string | null): ColumnId[] {
  const known = (text ?? '').split('.').filter(isColumn)
  return known.length === 0 ? [...USUAL] : ordered(known)
}

function oneOf<T>(values: readonly T[], value: unknown): T | null {
  return values.find((v) => v === value) ?? null
}
