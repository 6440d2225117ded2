import { useTranslation } from 'react-i18next'
import { Link } from 'react-router-dom'

import { ago, number } from '../i18n/format'
import { useNow } from '../sync/now'
import { soon } from './format'
import classes from './Sellers.module.css'
import type { Seller } from './types'
import { useWhy } from './useWhy'

interface Props {
  sellers: readonly Seller[]
  chosen: number | undefined
}

/** The operator's sellers, of which one's products are shown. */
export function Sellers({ sellers, chosen }: Props) {
  const { t } = useTranslation('analytics')
  const now = useNow(10_000)
  return (
    <nav className={classes.sellers} aria-label={t('sellers')}>
      {sellers.map((seller) => (
        <Link
          key={seller.id}
          to={`/analytics?seller=${seller.id}`}
          className={classes.seller}
          aria-current={seller.id === chosen || undefined}
        >
          <span className={classes.name} dir="auto">
            {seller.name}
          </span>
          <span className={classes.line}>
            <span>
              {t('products', {
                count: seller.products,
                n: number(seller.products),
              })}
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
  )
}

function Notes({ seller }: { seller: Seller }) {
  const { t } = useTranslation('analytics')
  const why = useWhy()
  const notes: [string, string][] = []
  const { failedProducts: failed, trouble, tokenExpiresAt } = seller
  if (seller.taskId !== null) notes.push(['info', t('running')])
  if (seller.tokenState === 'expired') notes.push(['bad', t('token_expired')])
  else if (seller.tokenState !== 'active') notes.push(['bad', t('token_refused')])
  else if (seller.tokenExpiresSoon && tokenExpiresAt !== null) {
    notes.push(['wait', t('tokenSoon', { when: soon(tokenExpiresAt) })])
  }
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
