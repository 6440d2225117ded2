import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError } from '../api/error'
import { number } from '../i18n/format'
import cards from '../programs/Cards.module.css'
import { readCsv, save } from '../programs/export'
import { Pager } from '../programs/Pager'
import { pageCount, rangeOf, Trail } from '../programs/pages'
import panel from '../programs/ProgramsPage.module.css'
import { Skeletons } from '../programs/Skeletons'
import table from '../programs/Table.module.css'
import { TEXT_MAX } from '../programs/view'
import { useApi } from '../session/context'
import { BusyButton } from '../ui/BusyButton'
import { ChevronDownIcon, ChevronUpIcon, DownloadIcon, SearchIcon } from '../ui/icons'
import { Notice } from '../ui/Notice'
import { NoData, useName, Value } from './cells'
import { figure, FIGURES, isFigure, period } from './format'
import { NotNewer } from './NotNewer'
import classes from './Products.module.css'
import { BASE, useProducts } from './queries'
import type { Product, ProductList, Seller, Totals } from './types'
import type { Change } from './useView'
import { useWhyError } from './useWhy'
import {
  COLUMNS,
  isFiltered,
  listKey,
  sortOf,
  STATUSES,
  turned,
  type Column,
  type View,
} from './view'

interface Props {
  seller: Seller
  view: View
  change: Change
}

/** A seller's products with their newest figures. */
export function Products({ seller, view, change }: Props) {
  const { t } = useTranslation(['analytics', 'operators'])
  const why = useWhyError()
  const { data: list, error, refetch, isPlaceholderData: old } = useProducts(view, seller.id)
  // Rows of before may be those of a filter that nothing matched.
  if (list !== undefined && !old && list.total_count === 0 && !isFiltered(view)) {
    const { allProducts: all } = seller
    return (
      <Notice title={t('noProducts')} text={all ? t('noProductsYet') : t('noProductsText')}>
        <Button aria-haspopup="dialog" onClick={() => change({ manage: 'products' })}>
          {t('addProducts')}
        </Button>
      </Notice>
    )
  }
  return (
    <>
      {list !== undefined && <Sums totals={list.totals} />}
      <section className={panel.panel} aria-label={t('list')}>
        {/* There whatever becomes of the rows, as somebody may be typing in it. */}
        <FilterBar view={view} change={change} />
        {list !== undefined ? (
          <>
            <NotNewer error={error} onRetry={() => void refetch()} />
            <Rows seller={seller} list={list} old={old} view={view} change={change} />
          </>
        ) : error === null ? (
          <Skeletons />
        ) : (
          <Notice title={t('operators:failedToLoad', { reason: why(error) })}>
            <Button variant="default" onClick={() => void refetch()}>
              {t('operators:tryAgain')}
            </Button>
          </Notice>
        )}
      </section>
    </>
  )
}

const SUMS = [
  'views',
  'addToCart',
  'ctr',
  'orders',
  'conversionRate',
  'revenue',
  'avgOrderValue',
  'buyouts',
] as const

function Sums({ totals }: { totals: Totals }) {
  const { t } = useTranslation('analytics')
  const { products: all, withData, ofOtherPeriods: others = 0 } = totals
  const n = number(all)
  const products =
    withData === all
      ? t('products', { count: all, n })
      : t('ofProducts', { count: all, n, withData: number(withData) })
  const of = period(totals)
  // Money that is there, and cannot be added up.
  const mixed = withData > 0 && totals.revenue === null && totals.currency === null
  return (
    <section className={classes.sums} aria-labelledby="totals">
      <h2 id="totals">
        {of === null ? t('totalsNoPeriod', { products }) : t('totals', { products, ...of })}
        {others > 0 && `; ${t('ofOtherPeriods', { count: others, n: number(others) })}`}
      </h2>
      <dl>
        {SUMS.map((name) => (
          <div key={name}>
            <dt>{t(`column_${name}`)}</dt>
            <dd>
              {figure(name, totals[name], totals.currency) ??
                (mixed && FIGURES[name] === 'money' ? (
                  <span className={classes.mixed}>{t('severalCurrencies')}</span>
                ) : (
                  <NoData />
                ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

const TYPING_MS = 250

function FilterBar({ view, change }: Pick<Props, 'view' | 'change'>) {
  const { t } = useTranslation('analytics')
  const [text, setText] = useState(view.text)
  const sent = useRef(view.text)
  useEffect(() => {
    // Back, or a link: what is typed at the moment is not undone by its own echo.
    if (view.text !== sent.current) setText(view.text)
    sent.current = view.text
  }, [view.text])
  useEffect(() => {
    if (text.trim() === sent.current) return
    const timer = setTimeout(() => {
      sent.current = text.trim()
      change({ text: text.trim() }, 'typing')
    }, TYPING_MS)
    return () => clearTimeout(timer)
  }, [text, change])
  return (
    <div role="search" className={classes.filters} aria-label={t('filters')}>
      <TextInput
        size="sm"
        label={t('search')}
        placeholder={t('searchPlaceholder')}
        leftSection={<SearchIcon size={16} />}
        maxLength={TEXT_MAX}
        value={text}
        onChange={({ currentTarget: { value } }) => setText(value)}
      />
      <NativeSelect
        size="sm"
        label={t('status')}
        data={[
          { value: '', label: t('allStatuses') },
          ...STATUSES.map((value) => ({
            value,
            label: t(`status_${value}`),
          })),
        ]}
        value={view.status ?? ''}
        onChange={({ currentTarget: { value } }) =>
          change({
            status: STATUSES.find((s) => s === value) ?? null,
          })
        }
      />
    </div>
  )
}

interface RowsProps extends Props {
  list: ProductList
  /** What is shown is of before; newer is on its way. */
  old: boolean
}

function Rows({ seller, list, old, view, change }: RowsProps) {
  const { t } = useTranslation('analytics')
  const narrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false })
  const { products, total_count: total, next_cursor: next } = list
  const trail = useRef(new Trail<View>(listKey))
  // Which page the rows are of, which is not the one asked for until that is there.
  const shown = useRef(view)
  if (!old) shown.current = view
  const { from, to } = rangeOf(shown.current.page, shown.current.size, products.length)
  useEffect(() => {
    if (!old) trail.current.learn(view, next)
  }, [old, view, next])
  const beyond = !old && products.length === 0 && total > 0 && view.page > 1
  useEffect(() => {
    if (beyond) change({ page: pageCount(total, view.size), after: null }, 'replace')
  }, [beyond, change, total, view.size])
  if (total === 0) {
    return (
      <Notice title={t('noMatch')} text={t('noMatchText')}>
        <Button variant="default" onClick={() => change({ text: '', status: null })}>
          {t('clear')}
        </Button>
      </Notice>
    )
  }
  const Shown = narrow ? Cards : Table
  return (
    <>
      <div className={panel.tools}>
        <p className={panel.count}>{t('products', { count: total, n: number(total) })}</p>
        <ExportButton seller={seller} view={view} />
      </div>
      <Shown products={products} old={old} view={view} change={change} />
      <Pager
        view={view}
        from={from}
        to={to}
        total={total}
        onPage={(page) => change(trail.current.to(view, page))}
        onSize={(size) => change({ size })}
      />
    </>
  )
}

/** All that is filtered as a file. */
function ExportButton({ seller, view }: Pick<Props, 'seller' | 'view'>) {
  const { t } = useTranslation(['analytics', 'programs'])
  const api = useApi()
  const why = useWhyError()
  const file = useMutation({
    mutationFn: () => {
      const { text: search, status } = view
      const query = { sellerId: seller.id, search, status, sort: sortOf(view) }
      return readCsv(api, `${BASE}/products`, query, () => {})
    },
    onSuccess: save,
    onError: (error) => {
      const cut = error instanceof ApiError && error.code === 'cut_off'
      notifications.show({
        title: t('exportFailed'),
        message: cut ? t('programs:exportCut') : why(error),
        color: 'red',
        autoClose: 10_000,
      })
    },
  })
  return (
    <BusyButton
      size="sm"
      variant="default"
      leftSection={<DownloadIcon size={16} />}
      busy={file.isPending}
      onClick={() => file.mutate()}
    >
      {t('export')}
    </BusyButton>
  )
}

interface ShownProps {
  products: readonly Product[]
  old: boolean
  view: View
  change: Change
}

function Table({ products, old, view, change }: ShownProps) {
  const { t } = useTranslation('analytics')
  return (
    <div className={table.scroll} role="region" aria-label={t('table')} tabIndex={0}>
      <table className={`${table.table} ${classes.table}`} aria-busy={old}>
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <Head key={column} column={column} view={view} change={change} />
            ))}
            <Edge />
          </tr>
        </thead>
        <tbody>
          {products.map((product) => (
            <tr key={product.nmId} data-open={view.product === product.nmId || undefined}>
              {COLUMNS.map((column) =>
                column === 'title' ? (
                  <th key={column} scope="row" data-column={column}>
                    <Name product={product} change={change} />
                  </th>
                ) : (
                  <td key={column} data-figure={isFigure(column) || undefined}>
                    <Value product={product} column={column} />
                  </td>
                ),
              )}
              <Edge />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Where columns fade that go on beyond what is seen, as on the page of the programs. */
function Edge() {
  return <td className={`${table.end} ${classes.edge}`} aria-hidden="true" />
}

function Head({ column, view, change }: { column: Column; view: View; change: Change }) {
  const { t } = useTranslation('analytics')
  const sorted = view.sort === column
  return (
    <th
      scope="col"
      data-column={column}
      data-figure={isFigure(column) || undefined}
      aria-sort={sorted ? (view.descending ? 'descending' : 'ascending') : undefined}
    >
      <button
        type="button"
        className={table.sort}
        data-sorted={sorted || undefined}
        onClick={() => change(turned(view, column))}
      >
        <span>{t(`column_${column}`)}</span>
        {sorted && view.descending ? <ChevronDownIcon size={14} /> : <ChevronUpIcon size={14} />}
      </button>
    </th>
  )
}

function Name({ product, change }: { product: Product; change: Change }) {
  const { t } = useTranslation('analytics')
  const name = useName()(product)
  return (
    <button
      type="button"
      className={classes.name}
      aria-label={t('detailsOf', { name, id: product.nmId })}
      aria-haspopup="dialog"
      onClick={() => change({ product: product.nmId })}
    >
      <span dir="auto">{name}</span>
      <small>{product.nmId}</small>
    </button>
  )
}

/** The same rows where a table has no room. */
function Cards({ products, old, view, change }: ShownProps) {
  const { t } = useTranslation('analytics')
  return (
    <>
      <div className={cards.sort}>
        <NativeSelect
          className={cards.by}
          size="sm"
          label={t('sortBy')}
          data={COLUMNS.map((value) => ({
            value,
            label: t(`column_${value}`),
          }))}
          value={view.sort}
          onChange={({ currentTarget: { value } }) => {
            const column = COLUMNS.find((c) => c === value)
            if (column !== undefined) change(turned(view, column))
          }}
        />
        <ActionIcon
          size={36}
          variant="default"
          aria-label={view.descending ? t('sortAscending') : t('sortDescending')}
          onClick={() => change({ descending: !view.descending })}
        >
          {view.descending ? <ChevronDownIcon /> : <ChevronUpIcon />}
        </ActionIcon>
      </div>
      <ul className={cards.cards} aria-label={t('table')} aria-busy={old}>
        {products.map((product) => (
          <li key={product.nmId} className={cards.card}>
            <Name product={product} change={change} />
            <dl className={cards.values}>
              {COLUMNS.map(
                (column) =>
                  column !== 'title' && (
                    <div key={column}>
                      <dt>{t(`column_${column}`)}</dt>
                      <dd>
                        <Value product={product} column={column} />
                      </dd>
                    </div>
                  ),
              )}
            </dl>
          </li>
        ))}
      </ul>
    </>
  )
}
