import { Button, Text, Title } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Link, useSearchParams } from 'react-router-dom'

import { ago, duration, moment, number } from '../i18n/format'
import panel from '../programs/ProgramsPage.module.css'
import table from '../programs/Table.module.css'
import { useNow } from '../sync/now'
import { InboxIcon } from '../ui/icons'
import { Notice } from '../ui/Notice'
import { Waiting } from '../ui/Waiting'
import { NoData } from './cells'
import { JobPage } from './JobPage'
import classes from './Jobs.module.css'
import { NotNewer } from './NotNewer'
import { RUNS_SHOWN, useRuns } from './queries'
import { isOver } from './run'
import { State } from './State'
import type { Run } from './types'
import { useWhyError } from './useWhy'

const ID = /^[0-9a-fA-F-]{1,40}$/
const PAGE = /^[1-9]\d{0,4}$/

/** The list, or the one that the address names. */
export function JobsPage() {
  const [params] = useSearchParams()
  const job = params.get('job') ?? ''
  const page = params.get('page') ?? ''
  if (ID.test(job)) return <JobPage key={job} id={job} />
  return <Jobs page={PAGE.test(page) ? Number(page) : 1} />
}

function Jobs({ page }: { page: number }) {
  const { t } = useTranslation(['jobs', 'operators'])
  const why = useWhyError()
  const { data, error, refetch, isPlaceholderData } = useRuns(page)
  return (
    <>
      <div className={classes.head}>
        <Title order={1}>{t('title')}</Title>
        <Text c="dimmed" size="sm">
          {t('intro')}
        </Text>
      </div>
      {data === undefined ? (
        error === null ? (
          <Waiting />
        ) : (
          <Notice
            title={t('operators:failedToLoad', {
              reason: why(error),
            })}
          >
            <Button variant="default" onClick={() => void refetch()}>
              {t('operators:tryAgain')}
            </Button>
          </Notice>
        )
      ) : data.length === 0 && page === 1 ? (
        <Notice icon={<InboxIcon />} title={t('empty')} />
      ) : (
        <section className={panel.panel} aria-label={t('table')}>
          <NotNewer error={error} onRetry={() => void refetch()} />
          <Table runs={data.slice(0, RUNS_SHOWN)} old={isPlaceholderData} />
          <nav className={classes.pages} aria-label={t('operators:pages')}>
            <PageLink to={page - 1} on={page > 1} label={t('newer')} />
            <PageLink to={page + 1} on={data.length > RUNS_SHOWN} label={t('older')} />
          </nav>
        </section>
      )}
    </>
  )
}

function PageLink({ to, on, label }: { to: number; on: boolean; label: string }) {
  if (!on) return null
  return (
    <Button
      variant="default"
      size="sm"
      component={Link}
      to={to === 1 ? '/jobs' : `/jobs?page=${to}`}
    >
      {label}
    </Button>
  )
}

function Table({ runs, old }: { runs: readonly Run[]; old: boolean }) {
  const { t } = useTranslation('jobs')
  const now = useNow(runs.some((run) => !isOver(run)) ? 1000 : 10_000)
  return (
    <div className={classes.scroll} role="region" aria-label={t('table')} tabIndex={0}>
      <table className={`${table.table} ${classes.table}`} aria-busy={old}>
        <thead>
          <tr>
            {(['startedAt', 'state', 'kind', 'seller', 'took', 'progress'] as const).map((name) => (
              <th key={name} scope="col">
                {t(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <Row key={run.id} run={run} now={Math.max(now, Date.now())} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Row({ run, now }: { run: Run; now: number }) {
  const { t } = useTranslation('jobs')
  const at = run.started_at ?? run.created_at ?? ''
  const seller = run.seller?.name ?? '—'
  return (
    <tr>
      <th scope="row">
        <Link
          className={classes.link}
          to={`/jobs?job=${run.id}`}
          aria-label={t('open', { seller, when: moment(at) })}
        >
          <time dateTime={at} title={ago(at, now)}>
            {run.started_at === null ? t('asked', { when: moment(at) }) : moment(at)}
          </time>
        </Link>
      </th>
      <td data-label={t('state')}>
        <State state={run.state} />
      </td>
      <td data-label={t('kind')}>
        <Kind kind={run.kind} />
      </td>
      <td data-label={t('seller')} dir="auto">
        {seller}
      </td>
      <td data-label={t('took')}>{useTook()(run, now) ?? <NoData />}</td>
      <td data-label={t('progress')}>
        <Progress run={run} />
      </td>
    </tr>
  )
}

export function Kind({ kind }: { kind: string }) {
  const { t } = useTranslation('jobs')
  return <>{kind === 'analytics.sync' ? t('kind_analytics') : kind}</>
}

/** null: it ended before it had begun. */
export function useTook(): (run: Run, now: number) => string | null {
  const { t } = useTranslation('jobs')
  return ({ started_at: start, finished_at: end }, now) => {
    if (start === null) return end === null ? t('notStarted') : null
    return duration((end === null ? now : Date.parse(end)) - Date.parse(start))
  }
}

function Progress({ run }: { run: Run }) {
  const { t } = useTranslation('jobs')
  const { done, total, percentage } = run.progress
  if (total === null || total === 0) return <NoData />
  return (
    <span className={classes.progress}>
      <span className={classes.track} aria-hidden="true">
        <span data-state={run.state} style={{ width: `${percentage ?? 0}%` }} />
      </span>
      {t('ofTotal', { n: number(done), total: number(total) })}
    </span>
  )
}
