import { Button } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { lazy, Suspense, useEffect, useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'

import type { ProgramList } from '../api/types'
import { number } from '../i18n/format'
import { EmptyState } from '../sync/EmptyState'
import { StaleNote } from '../sync/StaleNote'
import { SyncPanel } from '../sync/SyncPanel'
import { useExplainError } from '../ui/explain'
import { Notice } from '../ui/Notice'
import { Cards } from './Cards'
import { BusinessesContext } from './cells'
import { ColumnsMenu } from './ColumnsMenu'
import { ExportButton } from './ExportButton'
import { FilterBar, totalOf } from './FilterBar'
import type { MarkKind } from './Mark'
import { Pager } from './Pager'
import { pageCount, rangeOf, Trail } from './pages'
import classes from './ProgramsPage.module.css'
import { useFilters, usePrograms } from './queries'
import { Skeletons } from './Skeletons'
import { Table } from './Table'
import { marksOf, useCheckPage, useLive, type Tell } from './useLive'
import { rememberColumns, useView, type Change } from './useView'
import { isFiltered, listKey, NO_FILTER, onlyFilter, type View } from './view'

const Overview = lazy(() => import('./Overview'))
const Details = lazy(() => import('./Details'))

const NONE: ReadonlyMap<string, MarkKind> = new Map()

export default function ProgramsPage() {
  const { t } = useTranslation('programs')
  const { view, change } = useView()
  const list = usePrograms(view)
  const filters = useFilters(onlyFilter(view)).data
  const { told, tell, gone } = useLive()
  const programs = list.data?.programs
  const marks = useMemo(
    () => (programs === undefined || told.size === 0 ? NONE : marksOf(programs, told)),
    [programs, told],
  )
  // Rows of before say nothing of what is asked for now.
  const total = list.isPlaceholderData ? undefined : list.data?.total_count
  const nothing = total === 0 && !isFiltered(view)
  // The field that somebody types in stays, also after the last filter is gone.
  const none = list.isPlaceholderData && list.data?.total_count === 0
  const known = filters?.businesses
  const businesses = useMemo(
    () => ({ chosen: view.business, known: known ?? [] }),
    [view.business, known],
  )
  return (
    <BusinessesContext.Provider value={businesses}>
      <SyncPanel title={t('title')} />
      <StaleNote staleIds={gone} />
      {!nothing && (
        <Suspense fallback={<div className={classes.room} />}>
          {filters === undefined ? (
            <div className={classes.room} />
          ) : totalOf(filters, null) === 0 ? null : (
            <Overview view={view} change={change} filters={filters} />
          )}
        </Suspense>
      )}
      <section className={classes.panel} aria-label={t('list')}>
        {!nothing && <FilterBar view={view} change={change} filters={filters} />}
        {list.data === undefined || none ? (
          <NotYet error={list.error} retry={() => void list.refetch()} />
        ) : (
          <Programs
            view={view}
            change={change}
            list={list.data}
            old={list.isPlaceholderData}
            error={list.error}
            marks={marks}
            tell={tell}
          />
        )}
      </section>
      <Suspense fallback={null}>
        {view.program !== null && (
          <Details
            key={view.program}
            id={view.program}
            program={programs?.find((p) => p.program_id === view.program)}
            tell={tell}
            onClose={() => change({ program: null }, 'back')}
          />
        )}
      </Suspense>
    </BusinessesContext.Provider>
  )
}

function NotYet({ error, retry }: { error: Error | null; retry(): void }) {
  const { t } = useTranslation('programs')
  const explain = useExplainError()
  if (error === null) return <Skeletons />
  return (
    <Notice title={t('failedToLoad')} text={explain(error)}>
      <Button variant="default" onClick={retry}>
        {t('tryAgain')}
      </Button>
    </Notice>
  )
}

interface ProgramsProps {
  view: View
  change: Change
  list: ProgramList
  old: boolean
  /** Why newer could not be had, while what was there before is still shown. */
  error: Error | null
  marks: ReadonlyMap<string, MarkKind>
  tell: Tell
}

function Programs({ view, change, list, old, error, marks, tell }: ProgramsProps) {
  const { t } = useTranslation('programs')
  const narrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false })
  const explain = useExplainError()
  const { programs, total_count: total, next_cursor: next } = list
  const top = useRef<HTMLDivElement>(null)
  const trail = useRef(new Trail(listKey))
  // Which page the rows are of, which is not the one asked for until that is there.
  const shown = useRef(view)
  if (!old) shown.current = view
  const { from, to } = rangeOf(shown.current.page, shown.current.size, programs.length)
  const check = useCheckPage(tell)

  useEffect(() => {
    if (!old) trail.current.learn(view, next)
  }, [old, view, next])

  // Rows went, and this page with them.
  const beyond = !old && programs.length === 0 && total > 0 && view.page > 1
  useEffect(() => {
    if (beyond) change({ page: pageCount(total, view.size), after: null }, 'replace')
  }, [beyond, change, total, view.size])

  if (total === 0) {
    return <EmptyState filtered={isFiltered(view)} onClear={() => change(NO_FILTER)} />
  }

  const toPage = (page: number) => {
    change(trail.current.to(view, page))
    top.current?.scrollIntoView({ block: 'nearest' })
  }
  const Rows = narrow ? Cards : Table
  return (
    <>
      <div ref={top} className={classes.tools}>
        <p className={classes.count}>{t('programs', { count: total, n: number(total) })}</p>
        <Button
          variant="default"
          size="sm"
          loading={check.isPending}
          title={t('checkHelp')}
          onClick={() => check.mutate(programs)}
        >
          {t('check')}
        </Button>
        <ExportButton view={view} />
        <ColumnsMenu
          columns={view.columns}
          onChange={(columns) => {
            rememberColumns(columns)
            change({ columns })
          }}
        />
      </div>
      {error !== null && (
        <p className={classes.error} role="alert">
          {t('notNewer', { reason: explain(error) })}
        </p>
      )}
      <Rows
        programs={programs}
        from={from}
        total={total}
        view={view}
        change={change}
        marks={marks}
        old={old}
      />
      <Pager
        view={view}
        from={from}
        to={to}
        total={total}
        onPage={toPage}
        onSize={(size) => change({ size })}
      />
    </>
  )
}
