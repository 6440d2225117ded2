import { Alert } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { ApiError } from '../api/error'
import { countdown } from '../i18n/format'
import { AlertIcon } from '../ui/icons'
import { useWhyError } from './useWhy'

/** What went wrong that is no field's fault, and when to try again where that is known. */
export function Failure({ error }: { error: unknown }) {
  const { t } = useTranslation('analytics')
  const why = useWhyError()
  if (error === null) return null
  const after = error instanceof ApiError ? error.retryAfter : undefined
  return (
    <Alert color="red" variant="light" icon={<AlertIcon />} role="alert">
      {why(error)}
      {after !== undefined && `. ${t('tryAfter', { wait: countdown(after * 1000) })}`}
    </Alert>
  )
}
