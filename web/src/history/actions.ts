import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'

import { refreshJobs } from '../api/queries'
import type { Job } from '../api/types'
import { useApi } from '../session/context'
import { useExplainError } from '../ui/explain'

export type JobAction = 'cancel' | 'retry' | 'resume'

/** What a person can do to a job; both ways of it ending are told. */
export function useJobActions() {
  const { t } = useTranslation('history')
  const api = useApi()
  const client = useQueryClient()
  const explain = useExplainError()
  const done = { cancel: 'cancelled', retry: 'retried', resume: 'resumed' } as const
  return useMutation({
    mutationFn: ({ job, do: action }: { job: string; do: JobAction }) =>
      api.json<Job>(`/api/jobs/${job}/${action}`, { method: 'POST' }),
    onSuccess: (_, { do: action }) => {
      notifications.show({ message: t(done[action]), color: 'green' })
    },
    onError: (error) => {
      notifications.show({ message: t('refused', { reason: explain(error) }), color: 'red' })
    },
    onSettled: () => refreshJobs(client),
  })
}
