import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { FilterIcon, InboxIcon, SyncIcon } from '../ui/icons'
import { Notice } from '../ui/Notice'
import { useFreshness, useSync, useSyncing } from './context'
import { emptiness } from './freshness'

interface Props {
  /** Whether filters are set; clearing them is offered then. */
  filtered: boolean
  onClear(): void
}

/** In place of a table's rows, when it has none: which of the four reasons it has. */
export function EmptyState({ filtered, onClear }: Props) {
  const { t } = useTranslation('sync')
  const sync = useSync()
  const syncing = useSyncing()
  const fresh = useFreshness()
  if (fresh === null) return null
  switch (emptiness({ filtered, syncing, never: fresh.never })) {
    case 'syncing':
      return (
        <Notice icon={<SyncIcon />} title={t('emptySyncingTitle')} text={t('emptySyncingText')} />
      )
    case 'never':
      return (
        <Notice icon={<InboxIcon />} title={t('emptyNeverTitle')} text={t('emptyNeverText')}>
          <Button onClick={() => sync.start('full')}>{t('syncNow')}</Button>
        </Notice>
      )
    case 'noMatch':
      return (
        <Notice icon={<FilterIcon />} title={t('emptyMatchTitle')} text={t('emptyMatchText')}>
          <Button variant="default" onClick={onClear}>
            {t('emptyMatchClear')}
          </Button>
        </Notice>
      )
    case 'none':
      return <Notice icon={<InboxIcon />} title={t('emptyNoneTitle')} text={t('emptyNoneText')} />
  }
}
