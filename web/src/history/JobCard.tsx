import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { isActive, type Job, type JobError, type JobState } from '../api/types'
import { ago, duration, moment, number } from '../i18n/format'
import type { Tone } from '../sync/words'
import { useExplain } from '../ui/explain'
import { useJobActions, type JobAction } from './actions'
import classes from './HistoryDrawer.module.css'

const tones: Record<JobState, Tone> = {
  queued: 'info',
  running: 'info',
  waiting: 'wait',
  paused: 'wait',
  done: 'good',
  partial: 'bad',
  failed: 'bad',
  cancelled: 'off',
}

export function JobCard({ job }: { job: Job }) {
  const { t } = useTranslation('history')
  const at = job.started_at ?? job.created_at
  return (
    <li className={classes.job}>
      <div className={classes.line}>
        <span className={classes.badge} data-tone={tones[job.state]}>
          {t(`state_${job.state}`)}
        </span>
        {at !== null && (
          <time dateTime={at} title={ago(at)} className={classes.when}>
            {moment(at)}
          </time>
        )}
        {job.kind === 'programs.sync_dry_run' && <span>{t('dryRun')}</span>}
        <span className={classes.took}>{took(job, (time) => t('took', { time }))}</span>
      </div>
      <Counts job={job} />
      <Errors errors={job.errors} />
      <Actions job={job} />
    </li>
  )
}

/** Nothing takes no time. */
const LEAST_MS = 100

function took(job: Job, say: (time: string) => string): string | null {
  if (job.started_at === null || job.finished_at === null) return null
  const ms = Date.parse(job.finished_at) - Date.parse(job.started_at)
  return say(duration(Math.max(LEAST_MS, ms)))
}

function Counts({ job }: { job: Job }) {
  const { t } = useTranslation('sync')
  const said = useTranslation('history').t
  const { added, updated, removed, failed } = job.counts
  const { done, total } = job.progress
  const parts: [string, string][] = []
  if (added > 0) parts.push(['added', t('added', { count: added, n: number(added) })])
  if (updated > 0) parts.push(['updated', t('updated', { count: updated, n: number(updated) })])
  if (removed > 0) parts.push(['removed', t('removed', { count: removed, n: number(removed) })])
  if (job.state === 'done' && parts.length === 0) parts.push(['same', said('noChange')])
  if (job.state !== 'done' && total !== null) {
    parts.push(['read', said('read', { n: number(done), total: number(total) })])
  }
  if (failed > 0) parts.push(['failed', t('notRead', { count: failed, n: number(failed) })])
  if (parts.length === 0) return null
  return (
    <p className={classes.counts}>
      {parts.map(([kind, text]) => (
        <span key={kind} data-kind={kind}>
          {text}
        </span>
      ))}
    </p>
  )
}

/** Each cause once, with how often. */
function Errors({ errors }: { errors: JobError[] }) {
  const { t } = useTranslation('history')
  const explain = useExplain()
  if (errors.length === 0) return null
  const byCode = new Map<string, { first: JobError; n: number }>()
  for (const error of errors) {
    const seen = byCode.get(error.code)
    if (seen === undefined) byCode.set(error.code, { first: error, n: 1 })
    else seen.n++
  }
  return (
    <ul className={classes.errors}>
      {[...byCode].map(([code, { first, n }]) => (
        <li key={code}>
          {explain(code, first.detail)}
          {n > 1 && <span className={classes.times}>{t('errorCount', { count: n, n })}</span>}
          <span className={classes.detail} lang="en">
            {first.detail}
          </span>
        </li>
      ))}
    </ul>
  )
}

function actionsOf(job: Job): JobAction[] {
  if (job.state === 'paused') return ['resume', 'cancel']
  if (isActive(job)) return ['cancel']
  return job.state === 'done' ? [] : ['retry']
}

function Actions({ job }: { job: Job }) {
  const { t } = useTranslation('history')
  const act = useJobActions()
  const actions = actionsOf(job)
  if (actions.length === 0) return null
  return (
    <div className={classes.actions}>
      {actions.map((action) => (
        <Button
          key={action}
          size="compact-sm"
          variant="default"
          loading={act.isPending && act.variables.do === action}
          onClick={() => act.mutate({ job: job.id, do: action })}
        >
          {t(action)}
        </Button>
      ))}
    </div>
  )
}
