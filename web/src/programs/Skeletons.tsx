import { Skeleton } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import classes from './Skeletons.module.css'

/** The place of rows that are asked for the first time. */
export function Skeletons() {
  const { t } = useTranslation('common')
  return (
    <div className={classes.rows} role="status" aria-label={t('loading')}>
      {Array.from({ length: 12 }, (_, i) => (
        <div key={i} className={classes.row}>
          <Skeleton height={12} width={`${14 + ((i * 7) % 9)}%`} />
          <Skeleton height={12} width={`${20 + ((i * 5) % 11)}%`} />
          <Skeleton height={12} width="10%" />
          <Skeleton height={12} width="24%" />
        </div>
      ))}
    </div>
  )
}
