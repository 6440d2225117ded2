import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { ago } from '../i18n/format'
import { useExplain } from '../ui/explain'
import { AlertIcon } from '../ui/icons'
import { useBar, useFreshness, useSync } from './context'
import { underWay } from './bar'
import type { Freshness } from './freshness'
import classes from './StaleNote.module.css'

/**
 * That what is shown may be old, and the way out. `staleIds` is how many programs the
 * partner did not know when their details were asked for.
 */
export function StaleNote({ staleIds = 0 }: { staleIds?: number }) {
  const { t } = useTranslation('sync')
  const sync = useSync()
  const bar = useBar()
  const fresh = useFreshness()
  const reasons = useReasons()(fresh, staleIds)
  // The bar is at it, or says the same in red.
  if (underWay(bar) || reasons.length === 0) return null
  if (staleIds === 0 && (bar.phase === 'failed' || bar.phase === 'partial')) return null
  return (
    <section className={classes.note} aria-label={t('staleTitle')}>
      <AlertIcon className={classes.icon} />
      <p className={classes.text}>
        <strong>{t('staleTitle')}</strong> {reasons.join(' ')}
      </p>
      <Button size="compact-sm" variant="default" onClick={() => sync.start('full')}>
        {t('syncNow')}
      </Button>
    </section>
  )
}

function useReasons() {
  const { t } = useTranslation('sync')
  const explain = useExplain()

  const age = ({ goodAt, neverGood }: Freshness) => {
    if (goodAt !== null) return [t('staleAge', { when: ago(goodAt) })]
    return neverGood ? [t('staleNever')] : []
  }

  return (fresh: Freshness | null, staleIds: number): string[] => {
    const said: string[] = []
    const stale = fresh?.stale ?? null
    if (stale?.why === 'failed') {
      said.push(t('staleFailed', { reason: explain(stale.code, stale.message) }))
    }
    if (stale?.why === 'partial') said.push(t('stalePartial'))
    if (stale !== null && fresh !== null) said.push(...age(fresh))
    if (staleIds > 0) said.push(t('staleIds', { count: staleIds, n: staleIds }))
    return said
  }
}
