import { useTranslation } from 'react-i18next'

import { ApiError } from '../api/error'
import { useExplain, useExplainError } from '../ui/explain'

/** Why a product or a run has less than it should, in the reader's language. */
export function useWhy(): (code: string, detail: string) => string {
  const { i18n } = useTranslation('analytics')
  const explain = useExplain()
  return (code, detail) => {
    const key = `analytics:error_${code}`
    return i18n.exists(key) ? (i18n.t as (key: string) => string)(key) : explain(code, detail)
  }
}

/** The same for what was thrown. */
export function useWhyError(): (error: unknown) => string {
  const why = useWhy()
  const explain = useExplainError()
  return (error) => (error instanceof ApiError ? why(error.code, error.detail) : explain(error))
}
