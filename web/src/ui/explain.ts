import { useTranslation } from 'react-i18next'

import { ApiError } from '../api/error'

/** What went wrong in the reader's language; the server's own words for what is new. */
export function useExplain(): (code: string, detail: string) => string {
  const { t, i18n } = useTranslation('errors')
  return (code, detail) => {
    const key = `errors:${code}`
    return i18n.exists(key) ? (i18n.t as (key: string) => string)(key) : t('other', { detail })
  }
}

/** The same for what was thrown. */
export function useExplainError(): (error: unknown) => string {
  const explain = useExplain()
  return (error) =>
    error instanceof ApiError ? explain(error.code, error.detail) : explain('', String(error))
}
