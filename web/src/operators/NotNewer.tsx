import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import classes from './NotNewer.module.css'
import { useWhyError } from './useWhy'

interface Props {
  /** Of the last try; null when there is nothing to say. */
  error: unknown
  onRetry(): void
  /** Whether it stands by itself, not in a panel. */
  alone?: boolean
  /** Whether there is nothing older to show, either. */
  first?: boolean
}

/** That what is shown could not be read anew, and why. */
export function NotNewer({ error, onRetry, alone = false, first = false }: Props) {
  const { t } = useTranslation('operators')
  const why = useWhyError()
  if (error === null) return null
  const reason = why(error)
  return (
    <div className={classes.note} data-alone={alone || undefined} role="alert">
      <span>{first ? t('failedToLoad', { reason }) : t('notNewer', { reason })}</span>
      <Button variant="default" size="compact-xs" onClick={onRetry}>
        {t('tryAgain')}
      </Button>
    </div>
  )
}
