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

/** The same for what was thrown; with the request's id where only support can help. */
export function useExplainError(): (error: unknown) => string {
  const { i18n } = useTranslation('errors')
  const explain = useExplain()
  const traced = useTraced()
  return (error) => {
    if (!(error instanceof ApiError)) return explain('', String(error))
    const text = explain(error.code, error.detail)
    const known = error.code !== 'internal' && i18n.exists(`errors:${error.code}`)
    return known ? text : traced(text, error)
  }
}

/** Adds to what is our fault by what support finds in the logs what has happened. */
export function useTraced(): (text: string, error: unknown) => string {
  const { t } = useTranslation('errors')
  return (text, error) => {
    const ours = error instanceof ApiError && error.status >= 500
    const id = ours ? error.instance : undefined
    return id === undefined ? text : t('traced', { text, id })
  }
}
