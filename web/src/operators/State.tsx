import { useTranslation } from 'react-i18next'

import type { JobState } from '../api/types'
import classes from '../history/HistoryDrawer.module.css'
import type { Tone } from '../sync/words'

export const tones: Record<JobState, Tone> = {
  queued: 'info',
  running: 'info',
  waiting: 'wait',
  paused: 'wait',
  done: 'good',
  partial: 'bad',
  failed: 'bad',
  cancelled: 'off',
}

export function State({ state }: { state: JobState }) {
  const { t } = useTranslation('operators')
  return (
    <span className={classes.badge} data-tone={tones[state]}>
      {t(`state_${state}`)}
    </span>
  )
}
