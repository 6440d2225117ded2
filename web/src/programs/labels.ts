import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'

import type { Status } from '../api/types'
import type { ColumnId } from './columns'

export interface Labels {
  column(id: ColumnId): string
  status(status: Status): string
  type(type: string): string
  pause(pause: string): string
  feature(feature: string): string
  fee(period: string): string
  /** The partner's own status, which is not ours. */
  partner(status: string): string
}

/** What the partner's words are called; one that is new stands as it is. */
export function useLabels(): Labels {
  const { t, i18n } = useTranslation('programs')
  return useMemo(() => {
    const say = i18n.t as (key: string) => string
    const look = (kind: string, value: string) => {
      const key = `programs:${kind}_${value}`
      return /^[A-Z_]+$/.test(value) && i18n.exists(key) ? say(key) : value
    }
    return {
      column: (id) => t(`column_${id}`),
      status: (status) => t(`status_${status}`),
      type: (type) => look('type', type),
      pause: (pause) => look('pause', pause),
      feature: (feature) => look('feature', feature),
      fee: (period) => {
        const key = period.toUpperCase().replaceAll(' ', '_')
        const label = look('fee', key)
        return label === key ? period : label
      },
      partner: (status) => look('partner', status),
    }
    // The language is in both.
  }, [t, i18n])
}
