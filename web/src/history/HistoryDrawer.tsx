import { Button, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { keys, useJobs } from '../api/queries'
import type { Job } from '../api/types'
import { useApi } from '../session/context'
import { JOBS_SHOWN } from '../sync/freshness'
import { SideDrawer } from '../ui/Dialog'
import { useExplainError } from '../ui/explain'
import { InboxIcon } from '../ui/icons'
import { Notice } from '../ui/Notice'
import { Waiting } from '../ui/Waiting'
import classes from './HistoryDrawer.module.css'
import { JobCard } from './JobCard'

/** The last syncs. */
export default function HistoryDrawer({ onClose }: { onClose(): void }) {
  const { t } = useTranslation('history')
  return (
    <SideDrawer title={t('title')} onClose={onClose} size="30rem">
      <Text c="dimmed" size="sm" mb="md">
        {t('intro')}
      </Text>
      <Jobs />
    </SideDrawer>
  )
}

function Jobs() {
  const { t } = useTranslation('history')
  const explain = useExplainError()
  const newest = useJobs()
  const older = useOlder()
  if (newest.data === undefined) {
    return newest.isError ? (
      <Notice title={t('failedToLoad', { reason: explain(newest.error) })}>
        <Button variant="default" onClick={() => void newest.refetch()}>
          {t('retry')}
        </Button>
      </Notice>
    ) : (
      <Waiting />
    )
  }
  const jobs = unique([...newest.data, ...(older.data?.pages.flat() ?? [])])
  if (jobs.length === 0) return <Notice icon={<InboxIcon />} title={t('empty')} />
  const more = newest.data.length === JOBS_SHOWN && (older.data === undefined || older.hasNextPage)
  return (
    <>
      <ol className={classes.list}>
        {jobs.map((job) => (
          <JobCard key={job.id} job={job} />
        ))}
      </ol>
      {more && (
        <Button
          variant="default"
          fullWidth
          mt="md"
          loading={older.isFetching}
          onClick={() => void older.fetchNextPage()}
        >
          {t('more')}
        </Button>
      )}
    </>
  )
}

/** What is behind the newest; asked for only when a person wants it. */
function useOlder() {
  const api = useApi()
  return useInfiniteQuery({
    queryKey: [...keys.jobs, 'older'],
    enabled: false,
    initialPageParam: JOBS_SHOWN,
    queryFn: async ({ pageParam: offset, signal }) => {
      const query = { limit: JOBS_SHOWN, offset }
      return (await api.json<{ jobs: Job[] }>('/api/jobs', { query, signal })).jobs
    },
    getNextPageParam: (last, _, offset) =>
      last.length === JOBS_SHOWN ? offset + JOBS_SHOWN : undefined,
  })
}

/** New ones push the others on, so pages may overlap; what stands first is newer. */
function unique(jobs: Job[]): Job[] {
  const seen = new Map<string, Job>()
  for (const job of jobs) if (!seen.has(job.id)) seen.set(job.id, job)
  return [...seen.values()]
}
