import { useTranslation } from 'react-i18next'

import { soon } from './format'
import type { Seller } from './types'

type Told = Pick<Seller, 'tokenState' | 'tokenExpiresAt' | 'tokenExpiresSoon'>

export function tokenTone({ tokenState, tokenExpiresSoon }: Told): 'good' | 'wait' | 'bad' {
  if (tokenState !== 'active') return 'bad'
  return tokenExpiresSoon ? 'wait' : 'good'
}

/** In words. */
export function useTokenState(): (seller: Told) => string {
  const { t } = useTranslation('analytics')
  return ({ tokenState, tokenExpiresAt, tokenExpiresSoon }) => {
    if (tokenState === 'expired') return t('token_expired')
    if (tokenState !== 'active') return t('token_refused')
    if (!tokenExpiresSoon || tokenExpiresAt === null) return t('token_active')
    return t('tokenSoon', { when: soon(tokenExpiresAt) })
  }
}
