import { Button, Text, Title } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { ago } from '../i18n/format'
import { SyncIcon } from '../ui/icons'
import { useFreshness, useSync, useSyncing } from './context'
import { useNow } from './now'
import { SyncBar } from './SyncBar'
import classes from './SyncPanel.module.css'

/** The head of a page: what it is, how fresh it is, and the sync that makes it so. */
export function SyncPanel({ title }: { title: string }) {
  const { t } = useTranslation('sync')
  const sync = useSync()
  const syncing = useSyncing()
  return (
    <section className={classes.panel} aria-label={t('title')}>
      <div className={classes.head}>
        <div className={classes.words}>
          <Title order={1}>{title}</Title>
          <LastSync />
        </div>
        <Button
          leftSection={<SyncIcon size={16} />}
          onClick={() => sync.start('full')}
          aria-disabled={syncing}
          data-disabled={syncing || undefined}
        >
          {t('button')}
        </Button>
      </div>
      <SyncBar />
    </section>
  )
}

/** Keeps the line's place. */
const NOTHING = '\u00a0'

function LastSync() {
  const { t } = useTranslation('sync')
  const fresh = useFreshness()
  const syncing = useSyncing()
  const now = useNow(10_000)
  const words = () => {
    const goodAt = fresh?.goodAt ?? null
    if (goodAt !== null) return t('idle', { when: ago(goodAt, Math.max(now, Date.now())) })
    // The first rows come while the first sync is under way.
    return fresh?.never && !syncing ? t('never') : NOTHING
  }
  return (
    <Text c="dimmed" size="sm">
      {words()}
    </Text>
  )
}
