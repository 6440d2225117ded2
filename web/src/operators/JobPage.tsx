import { Button, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router-dom'

import type { JobError } from '../api/types'
import { ago, moment } from '../i18n/format'
import { useNow } from '../sync/now'
import { ChevronLeftIcon } from '../ui/icons'
import { Notice } from '../ui/Notice'
import { Waiting } from '../ui/Waiting'
import chart from './Chart.module.css'
import classes from './Jobs.module.css'
import { Kind, useTook } from './JobsPage'
import { NotNewer } from './NotNewer'
import { isGone } from './queries'
import { isOver, isWhole } from './run'
import { RunCard, useFacts, useReason } from './RunCard'
import { State } from './State'
import type { Run } from './types'
import { useRun } from './useRun'
import { useWhy, useWhyError } from './useWhy'

/** One job: how far it is, what it waits for, what went wrong, what can be done. */
export function JobPage({ id }: { id: string }) {
  const { t } = useTranslation(['jobs', 'operators'])
  const why = useWhyError()
  const { data: run, error, refetch, lost } = useRun(id)
  return (
    <>
      <div className={classes.head}>
        <Link to="/jobs" className={classes.back}>
          <ChevronLeftIcon size={16} />
          {t('back')}
        </Link>
        <Title order={1}>
          {run === undefined ? (
            t('title')
          ) : (
            <>
              <Kind kind={run.kind} />
              {run.seller !== null && (
                <>
                  {' · '}
                  <bdi>{run.seller.name}</bdi>
                </>
              )}
            </>
          )}
        </Title>
      </div>
      {isGone(error) ? (
        <Notice title={t('gone')} />
      ) : run !== undefined ? (
        <>
          <NotNewer alone error={error} onRetry={() => void refetch()} />
          <RunCard run={run} lost={lost} />
          <Facts run={run} />
          <Errors run={run} />
        </>
      ) : error === null ? (
        <Waiting />
      ) : (
        <Notice title={t('operators:failedToLoad', { reason: why(error) })}>
          <Button variant="default" onClick={() => void refetch()}>
            {t('operators:tryAgain')}
          </Button>
        </Notice>
      )}
    </>
  )
}

function Facts({ run }: { run: Run }) {
  const { t } = useTranslation('jobs')
  const now = Math.max(useNow(isOver(run) ? null : 1000), Date.now())
  const facts = useFacts()(run, now)
  const reason = useReason()(run)
  const time = (at: string | null) =>
    at === null ? null : (
      <time dateTime={at} title={ago(at)}>
        {moment(at)}
      </time>
    )
  const until = run.waiting_until === null ? '' : moment(run.waiting_until)
  const waits = !isOver(run) && reason !== null ? [until, reason].filter(Boolean).join(', ') : null
  const rows: [string, ReactNode][] = [
    [t('state'), <State key="state" state={run.state} />],
    [t('waiting'), waits],
    ...facts,
    [t('created'), time(run.created_at)],
    [t('startedAt'), time(run.started_at) ?? (isOver(run) ? null : t('notStarted'))],
    [t('finished'), time(run.finished_at)],
    [t('took'), useTook()(run, now)],
  ]
  return (
    <dl className={classes.facts}>
      {rows.map(
        ([name, value]) =>
          value !== null && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  )
}

const ERRORS_SHOWN = 100
const WHOLE = { job: 'jobs:whole', texts: 'queries', products: 'jobs:products' } as const
const PRODUCT = /^[1-9]\d{0,14}$/

function Errors({ run }: { run: Run }) {
  const { t } = useTranslation('jobs')
  const { errors } = run
  return (
    <section className={classes.errors}>
      <h2>{t('errors')}</h2>
      {errors.length === 0 ? (
        <p>{t('noErrors')}</p>
      ) : (
        <>
          <table className={chart.table}>
            <thead>
              <tr>
                <th scope="col">{t('item')}</th>
                <th scope="col">{t('what')}</th>
              </tr>
            </thead>
            <tbody>
              {errors.map((error, i) => (
                <ErrorRow key={i} error={error} seller={run.seller?.id ?? null} />
              ))}
            </tbody>
          </table>
          {errors.length >= ERRORS_SHOWN && <p>{t('firstErrors')}</p>}
        </>
      )}
    </section>
  )
}

function ErrorRow({ error, seller }: { error: JobError; seller: number | null }) {
  const { t } = useTranslation(['analytics', 'jobs'])
  const why = useWhy()
  const id = error.item
  return (
    <tr>
      <td>
        {seller !== null && PRODUCT.test(id) ? (
          <Link className={classes.link} to={`/analytics?seller=${seller}&product=${id}`}>
            {id}
          </Link>
        ) : (
          // Not of one product: the search texts of the run, its list, or all of it.
          <>{isWhole(id) ? t(WHOLE[id]) : id}</>
        )}
      </td>
      <td>
        {why(error.code, error.detail)}
        <small className={classes.detail} lang="en">
          {error.detail}
        </small>
      </td>
    </tr>
  )
}
