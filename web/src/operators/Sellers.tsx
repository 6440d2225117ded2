import { Button } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router-dom'

import { ago, number } from '../i18n/format'
import { useNow } from '../sync/now'
import { PlusIcon } from '../ui/icons'
import manage from './Manage.module.css'
import { soon } from './format'
import classes from './Sellers.module.css'
import { tokenTone, useTokenState } from './token'
import type { Seller } from './types'
import { useWhy } from './useWhy'

interface Props {
  sellers: readonly Seller[]
  chosen: number | undefined
  onAdd(): void
}

/** The operator's sellers, of which one's products are shown. */
export function Sellers({ sellers, chosen, onAdd }: Props) {
  const { t } = useTranslation('analytics')
  const now = useNow(10_000)
  const current = useRef<HTMLAnchorElement>(null)
  useEffect(() => {
    // Not returned: newer browsers have a promise of it.
    current.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [chosen])
  return (
    <>
      <div className={manage.heading}>
        <h2>{t('sellers')}</h2>
        <Button
          variant="default"
          size="compact-sm"
          aria-haspopup="dialog"
          leftSection={<PlusIcon size={15} />}
          onClick={onAdd}
        >
          {t('addSeller')}
        </Button>
      </div>
      <nav className={classes.sellers} aria-label={t('sellers')}>
        {sellers.map((seller) => (
          <Link
            key={seller.id}
            to={`/analytics?seller=${seller.id}`}
            className={classes.seller}
            aria-current={seller.id === chosen || undefined}
            ref={seller.id === chosen ? current : null}
          >
            <span className={classes.name} dir="auto">
              {seller.name}
            </span>
            <span className={classes.line}>
              <span>
                {productsOf(seller) !== null
                  ? t('products', { count: seller.products, n: number(seller.products) })
                  : t('allOfApi')}
              </span>
              {seller.lastSyncAt !== null ? (
                <span>
                  {t('fresh', {
                    when: ago(seller.lastSyncAt, Math.max(now, Date.now())),
                  })}
                </span>
              ) : (
                <span>{t('never')}</span>
              )}
            </span>
            <Notes seller={seller} />
          </Link>
        ))}
      </nav>
    </>
  )
}

/** Of one that takes all that there is: null until that is known. */
export function productsOf({ products, allProducts }: Seller): number | null {
  return products === 0 && allProducts ? null : products
}

function Notes({ seller }: { seller: Seller }) {
  const { t } = useTranslation('analytics')
  const why = useWhy()
  const tokenState = useTokenState()
  const notes: [string, string][] = []
  const { failedProducts: failed, trouble } = seller
  if (seller.taskId !== null) notes.push(['info', t('running')])
  const tone = tokenTone(seller)
  if (tone !== 'good') notes.push([tone, tokenState(seller)])
  if (trouble !== null) {
    notes.push([
      'bad',
      t('trouble', {
        when: soon(trouble.since),
        reason: why(trouble.code, trouble.code),
      }),
    ])
  }
  if (failed > 0) notes.push(['bad', t('failedProducts', { count: failed, n: number(failed) })])
  if (seller.jam === false) notes.push(['wait', t('noJam')])
  if (seller.nextRunAt !== null) notes.push(['off', t('next', { when: soon(seller.nextRunAt) })])
  return notes.map(([tone, text]) => (
    <span key={text} className={classes.note} data-tone={tone}>
      {text}
    </span>
  ))
}
