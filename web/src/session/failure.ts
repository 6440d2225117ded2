import { useTranslation } from 'react-i18next'

import { ApiError } from '../api/error'
import { countdown } from '../i18n/format'
import { useTraced } from '../ui/explain'

type Reason =
  | 'login_wrong'
  | 'no_access'
  | 'too_many_refusals'
  | 'partner_down'
  | 'partner_slow'
  | 'partner_limited'
  | 'busy'
  | 'network'
  | 'unknown'

const reasons: Record<string, Reason> = {
  login_wrong: 'login_wrong',
  login_missing: 'login_wrong',
  no_access: 'no_access',
  too_many_refusals: 'too_many_refusals',
  partner_error: 'partner_down',
  partner_refused: 'partner_down',
  partner_unavailable: 'partner_down',
  partner_timeout: 'partner_slow',
  partner_limited: 'partner_limited',
  busy: 'busy',
  database: 'busy',
  network: 'network',
}

/** Which of the things that can go wrong at the door it was. */
export function loginReason(error: unknown): Reason {
  return error instanceof ApiError ? (reasons[error.code] ?? 'unknown') : 'unknown'
}

const WAIT_S = 60

/** Says it in the reader's language. */
export function useLoginFailure(): (error: unknown) => string {
  const { t } = useTranslation('login')
  const traced = useTraced()
  return (error) => {
    const problem = error instanceof ApiError ? error : null
    const wait = countdown((problem?.retryAfter ?? WAIT_S) * 1000)
    const reason = loginReason(error)
    const text = t(reason, { wait, detail: problem?.detail ?? String(error) })
    return reason === 'unknown' ? traced(text, error) : text
  }
}
